"""Fill `fact_kpi` from the catalogue: one row a measure, with its target, its colour and its coverage."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub.feed.kpi.catalogue import Kpi, Measure, catalogue, prepare
from hub.feed.model import model

if TYPE_CHECKING:
    import duckdb


_COLUMNS = (
    "scope_kind VARCHAR, scope_key BIGINT, scope_label VARCHAR, project_key BIGINT, kpi VARCHAR, "
    "part VARCHAR, measure VARCHAR, period VARCHAR, unit VARCHAR, "
    "value DOUBLE, numerator DOUBLE, denominator DOUBLE, coverage DOUBLE, method VARCHAR, "
    "method_version BIGINT"
)
_SUMS = {"days", "amount", "hours", "count", "points"}
# programs, portfolios and the whole: sums of the projects' rows, and ratios of sums, of the projects that
# have the ratio. Coverage is their share; of one with a coverage of its own it is the mean of the projects'.
_ABOVE = """
INSERT INTO kpi_bare BY NAME
WITH above AS (
    SELECT unnest($kpis) AS kpi, unnest($parts) AS part, unnest($ratios) AS is_ratio,
        unnest($means) AS is_mean, unnest($compared) AS is_compared,
        unnest($versions)::BIGINT AS method_version
), named AS (
    SELECT level AS scope_kind, name, min(key) AS scope_key FROM project
    WHERE counted AND level IN ('program', 'portfolio') GROUP BY ALL
), belongs AS (
    SELECT p.project_key, n.scope_kind, n.scope_key, n.name AS scope_label
    FROM dim_project p JOIN named n
        ON n.name = CASE n.scope_kind WHEN 'program' THEN p.program ELSE p.portfolio END
    UNION ALL SELECT project_key, 'portfolio', -1, '*' FROM dim_project
), summed AS (
    SELECT b.scope_kind, b.scope_key, b.scope_label, k.kpi, k.part, k.measure, k.period, k.unit,
        a.is_ratio, a.is_mean, a.method_version,
        sum(CASE WHEN a.is_ratio OR a.is_compared THEN k.numerator ELSE k.value END::DECIMAL(38, 12))::DOUBLE
            AS top,
        sum(CASE WHEN a.is_ratio THEN k.denominator END::DECIMAL(38, 12))::DOUBLE AS bottom,
        avg(k.coverage) AS covered,
        count(CASE WHEN a.is_compared THEN k.numerator ELSE k.value END) / count(*) AS present
    FROM kpi_bare k JOIN above a USING (kpi, part) JOIN belongs b USING (project_key)
    WHERE k.scope_kind = 'project'
    GROUP BY ALL
)
SELECT scope_kind, scope_key, scope_label, -1 AS project_key, kpi, part, measure, period, unit,
    CASE WHEN is_ratio THEN top / nullif(bottom, 0) ELSE top END AS value,
    CASE WHEN is_ratio THEN top END AS numerator, bottom AS denominator,
    CASE WHEN is_mean THEN covered ELSE present END AS coverage, method_version
FROM summed
"""
_FINISH = """
CREATE OR REPLACE TABLE kpi_row AS
WITH aimed AS (
    SELECT k.*, t.goal, t.amber, t.red, t.direction, t.is_in_weather,
        row_number() OVER (PARTITION BY k.scope_kind, k.scope_key, k.kpi, k.measure, k.period
            ORDER BY (t.scope_code = '*'), t.valid_from DESC) AS place
    FROM kpi_bare k LEFT JOIN dim_project p ON p.project_key = k.project_key
        LEFT JOIN dim_target t ON t.kpi = k.kpi AND t.measure = k.measure AND (t.scope_code = '*'
            OR (k.scope_kind = 'project' AND lower(t.scope_code) = lower(p.code))
            OR (k.scope_kind <> 'project' AND lower(t.scope_code) = lower(k.scope_label)))
            AND t.valid_from <= getvariable('as_of')
)
SELECT getvariable('cut')::BIGINT AS cut_key, scope_kind, scope_key, scope_label, project_key, kpi, measure,
    period, unit, value, numerator, denominator,
    goal AS target,
    CASE WHEN value IS NULL OR coverage < 0.8 THEN NULL
        WHEN (direction = 'up' AND value < red) OR (direction = 'down' AND value > red) THEN red
        WHEN (direction = 'up' AND value < amber) OR (direction = 'down' AND value > amber) THEN amber
        END AS threshold,
    CASE WHEN amber IS NULL AND red IS NULL THEN NULL WHEN value IS NULL OR coverage < 0.8 THEN 'grey'
        WHEN (direction = 'up' AND value < red) OR (direction = 'down' AND value > red) THEN 'red'
        WHEN (direction = 'up' AND value < amber) OR (direction = 'down' AND value > amber) THEN 'amber'
            ELSE 'green' END AS rag,
    CASE WHEN amber IS NOT NULL OR red IS NOT NULL THEN is_in_weather END AS is_in_weather,
    coverage, method, method_version
FROM aimed WHERE place = 1
"""


_PERIODS = """
CREATE OR REPLACE TABLE fact_kpi AS
WITH grained AS (
    SELECT * EXCLUDE (period_start, grain, is_last_period), CASE WHEN coalesce(period, '') = '' THEN 'none'
        WHEN period LIKE '____' THEN 'year' WHEN period LIKE '____-__' THEN 'month'
        WHEN list_contains(getvariable('daily_kpis'), kpi) THEN 'day' ELSE 'week' END AS grain
    FROM fact_kpi
), dated AS (
    SELECT *, CASE grain WHEN 'none' THEN NULL WHEN 'year' THEN period || '-01-01'
        WHEN 'month' THEN period || '-01' ELSE period END::DATE AS period_start
    FROM grained
), closed AS (
    SELECT d.*, CASE WHEN NOT list_contains(getvariable('ended_kpis'), d.kpi) THEN d.period_start
        WHEN d.grain = 'week' THEN d.period_start + 6 WHEN d.grain = 'month' THEN last_day(d.period_start)
        WHEN d.grain = 'year' THEN make_date(year(d.period_start), 12, 31) ELSE d.period_start
        END <= c.as_of AS has_come
    FROM dated d LEFT JOIN {cuts} c USING (cut_key)
)
SELECT {columns} FROM (SELECT *, CASE WHEN grain = 'none' THEN 1 ELSE coalesce(period_start
    = max(period_start) FILTER (has_come) OVER (PARTITION BY cut_key, kpi, scope_kind), false)::INTEGER
    END AS is_last_period FROM closed)
"""


def mark_periods(connection: duckdb.DuckDBPyConnection, *, cuts: str = "dim_cut") -> None:
    """Say in ``fact_kpi`` of every row when its period begins, how long it is, and whether it is the last.

    Rows of cuts that an older hub closed get theirs from the text of the period; *cuts* names the table
    with their days.
    """
    run = connection.execute
    run("SET VARIABLE ended_kpis = ?", [[k.code for k in catalogue().values() if k.last == "ended"]])
    daily = [k.code for k in catalogue().values() if k.period in {"date", "day"}]
    run("SET VARIABLE daily_kpis = ?", [daily])
    shape = model().tables["fact_kpi"].columns
    columns = ", ".join(f"{name}::{column.type} AS {name}" for name, column in shape.items())
    run(_PERIODS.format(columns=columns, cuts=cuts))


_LONE = """
UPDATE fact_kpi SET numerator = NULL, denominator = NULL
WHERE value IS NULL AND (numerator <> 0 OR denominator <> 0)
"""
_COMPARED = """
UPDATE fact_kpi SET numerator = fact_kpi.value
FROM fact_kpi other
WHERE fact_kpi.scope_kind = 'project' AND fact_kpi.numerator IS NULL AND other.value IS NOT NULL
    AND fact_kpi.kpi = $kpi AND fact_kpi.measure = $measure AND other.kpi = $kpi AND other.measure = $beside
    AND other.cut_key = fact_kpi.cut_key AND other.scope_kind = 'project'
    AND other.scope_key = fact_kpi.scope_key AND other.period = fact_kpi.period
"""


def mend_terms(connection: duckdb.DuckDBPyConnection) -> None:
    """Give rows of ``fact_kpi`` that an older hub closed the terms that add up, as `_terms` gives ours."""
    compared = [
        (kpi.code, one.name, one.beside)
        for kpi in catalogue().values()
        for one in _measures(kpi)
        if one.beside
    ]
    connection.execute(_LONE)
    for kpi, measure, beside in compared:
        connection.execute(_COMPARED, {"kpi": kpi, "measure": measure, "beside": beside})


def fill_table(connection: duckdb.DuckDBPyConnection, *, cut: int) -> None:
    """Make the table ``kpi_row`` on a feed whose other tables are filled.

    KPIs of persons and tasks never stand in it, but their roll-ups do. Of a past cut only the periods of
    its own day are kept.
    """
    run = connection.execute
    run("CREATE OR REPLACE TABLE kpi_row AS SELECT NULL::BIGINT AS cut_key WHERE false")
    found = run("SELECT getvariable('as_of_day')::DATE, getvariable('moment')::TIMESTAMPTZ").fetchone()
    assert found is not None
    prepare(connection, cut=cut, day=found[0], at=found[1], keep=True)
    run(f"CREATE TABLE kpi_bare ({_COLUMNS})")
    for kpi in catalogue().values():
        if query := _wide(kpi):
            # one statement a KPI: planning costs more than running
            run(f"INSERT INTO kpi_bare BY NAME WITH kpi_wide AS MATERIALIZED ({query}) {_long(kpi)}")
    _fill_above(connection)
    if cut != 0:
        run(
            "DELETE FROM kpi_bare WHERE period NOT IN ('', strftime(getvariable('as_of'), '%Y'), "
            "strftime(getvariable('as_of'), '%Y-%m'), "
            "date_trunc('week', getvariable('as_of'))::DATE::VARCHAR, (date_trunc('week', "
            "getvariable('as_of'))::DATE - 7)::VARCHAR)"
        )
    else:
        run(
            "DELETE FROM kpi_bare WHERE kpi IN ('BURNUP')"
        )  # fact_project_snapshot says the same, point by point
    run(_FINISH)


def _wide(kpi: Kpi) -> str | None:
    scope = kpi.scope_kept
    if scope not in {"project", "source", "team"}:
        return None
    if kpi.rollup is None:
        return f"SELECT * FROM (\n{kpi.sql}\n)"
    key = {"project": "project_key", "source": "source_key", "team": "team"}[scope]
    keys = ", ".join([key, *([kpi.period] if kpi.period else [])])
    return f"SELECT {keys}, {kpi.rollup[1]} FROM (\n{kpi.sql}\n) GROUP BY {keys}"


def _measures(kpi: Kpi) -> list[Measure]:
    """Return the numbers of *kpi* that `fact_kpi` holds."""
    rolled = (
        {part.rsplit(" AS ", 1)[1] for part in kpi.rollup[1].split(", ") if " AS " in part}
        if kpi.rollup
        else None
    )
    return [
        m for m in kpi.measures if m.unit not in {"text", "moment"} and (rolled is None or m.name in rolled)
    ]


def _long(kpi: Kpi) -> str:
    """Return the query that turns the wide rows of *kpi* into one row a measure."""
    scope = kpi.scope_kept
    period = f"coalesce(w.{kpi.period}::VARCHAR, '')" if kpi.period else "''"
    split = f" || '.' || w.{kpi.split}" if kpi.split else ""
    rows = ", ".join(
        _row(m.name, split, m.unit, f"w.{m.name}", *_terms(m),
             f"w.{column}" if (column := kpi.coverage_of(m.name)) else "NULL")
        for m in _measures(kpi)
    )  # fmt: skip
    key, label, project, join = {
        "project": ("w.project_key", "coalesce(d.code, d.name)", "w.project_key",
                    "LEFT JOIN dim_project d ON d.project_key = w.project_key"),
        "source": ("w.source_key", "d.name", "-1", "LEFT JOIN dim_source d ON d.source_key = w.source_key"),
        # a row without a team is everybody; a team the hub does not know has no key of its own
        "team": ("coalesce(d.key, -1)", "coalesce(w.team, '*')", "-1",
                 ("LEFT JOIN (SELECT name, min(key) AS key FROM team WHERE counted GROUP BY 1) d "
                  "ON d.name = w.team WHERE w.team IS NULL OR d.key IS NOT NULL")),
    }[scope]  # fmt: skip
    kind = f"'{scope}'" if scope != "team" else "CASE WHEN w.team IS NULL THEN 'portfolio' ELSE 'team' END"
    method = f"w.{kpi.method}" if kpi.method else "NULL"
    return (
        "SELECT scope_kind, scope_key, scope_label, project_key, kpi, period, method, method_version, "
        "unnest(rows, recursive := true) FROM "
        f"(SELECT {kind} AS scope_kind, {key} AS scope_key, {label} AS scope_label, "
        f"{project} AS project_key, '{kpi.code}' AS kpi, {period} AS period, "
        f"{method} AS method, {kpi.version} AS method_version, [{rows}] AS rows FROM kpi_wide w {join})"
    )


def _terms(one: Measure) -> tuple[str, str]:
    """Return numerator and denominator of a measure, as they add up over projects.

    None where there is no ratio, so that a ratio of sums is of one set of projects; what is compared to
    another measure has itself above.
    """
    if one.numerator:
        over, under = f"w.{one.numerator}", f"w.{one.denominator}"
        known = f"CASE WHEN w.{one.name} IS NOT NULL OR ({over} = 0 AND {under} = 0) THEN"
        return f"{known} {over} END", f"{known} {under} END"
    return (f"CASE WHEN w.{one.beside} IS NOT NULL THEN w.{one.name} END" if one.beside else "NULL"), "NULL"


def _row(name: str, split: str, unit: str, value: str, over: str, under: str, coverage: str) -> str:
    return (
        f"{{'part': '{name}', 'measure': '{name}'{split}, 'unit': '{unit}', 'value': {value}::DOUBLE, "
        f"'numerator': {over}::DOUBLE, 'denominator': {under}::DOUBLE, "
        f"'coverage': {coverage}::DOUBLE}}"
    )


def _fill_above(connection: duckdb.DuckDBPyConnection) -> None:
    """Add the rows of programs, portfolios and the whole to ``kpi_bare``, of measures that have a sum."""
    rows = [
        (kpi, measure)
        for kpi in catalogue().values()
        if kpi.scope == "project" and kpi.rollup is None
        for measure in _measures(kpi)
        if (measure.unit in _SUMS and not measure.alone) or measure.numerator
    ]
    connection.execute(
        _ABOVE,
        {
            "kpis": [kpi.code for kpi, _ in rows],
            "parts": [m.name for _, m in rows],
            "ratios": [m.numerator is not None for _, m in rows],
            "compared": [measure.beside is not None for _, measure in rows],
            "means": [bool(kpi.covered) and m.name in kpi.covered for kpi, m in rows],
            "versions": [kpi.version for kpi, _ in rows],
        },
    )
