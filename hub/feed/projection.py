"""The feed as a destination may see it: what is personal left blank, and time summed to the level it was given."""

from __future__ import annotations

import hashlib
import hmac
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb

from hub.errors import ConfigError
from hub.feed.build import describe, load_manifest, open_feed, save_manifest, write_parquet
from hub.feed.groups import group, keep, salt_of
from hub.feed.kpi import catalogue
from hub.feed.model import Table, model

K = 5
"""Of how many people a sum is made at least, where it shows a team or a week, unless `[privacy] k` says otherwise."""
_LEDGER = "groups"
_TEXTS = {
    "fr": ("(Équipe non montrée)", "(Sans équipe)", "(Plusieurs sources)"),
    "en": ("(Team not shown)", "(No team)", "(Several sources)"),
}

_PSEUDONYMS = (
    (
        "CREATE TABLE dim_person AS SELECT team_key AS person_key, any_value(label) AS person_label, any_value(team) AS team, NULL AS role, "
        "NULL AS is_external, NULL AS timesheet_expected FROM crew_key GROUP BY team_key"
    ),
    """CREATE TABLE fact_worklog AS SELECT
    md5(concat_ws('|', day, w.project_key, w.person_key, w.source_key, w.category, w.is_billable, w.approval, w.sealed_month)) AS worklog_id,
    day AS work_date, strftime(day, '%Y%m%d')::BIGINT AS date_key, project_key, -1 AS task_key, person_key, source_key, category, is_billable, approval,
    sum(seconds) AS seconds, sum(days) AS days, sum(amount) AS amount, NULL AS updated_at, sealed_month, 'week' AS grain
FROM (SELECT f.* EXCLUDE (person_key), k.team_key AS person_key, greatest(date_trunc('week', work_date), date_trunc('month', work_date))::DATE AS day
    FROM feed.fact_worklog f JOIN crew_key k USING (person_key)) w
GROUP BY day, project_key, person_key, source_key, category, is_billable, approval, sealed_month""",
    "CREATE TABLE fact_allocation_week AS SELECT f.* REPLACE (k.team_key AS person_key) FROM feed.fact_allocation_week f JOIN crew_key k USING (person_key)",
    "CREATE TABLE fact_capacity_week AS SELECT f.* REPLACE (k.team_key AS person_key) FROM feed.fact_capacity_week f JOIN crew_key k USING (person_key)",
    "CREATE TABLE fact_task_snapshot AS SELECT f.* REPLACE (k.team_key AS person_key) FROM feed.fact_task_snapshot f JOIN crew_key k USING (person_key)",
)
# what one person spent on a task, and whose task it is, go nowhere below the nominative levels
_SUMS = (
    (
        "CREATE TABLE dim_person AS SELECT -1 AS person_key, getvariable('no_team') AS person_label, NULL AS team, NULL AS role, NULL AS is_external, "
        "NULL AS timesheet_expected UNION ALL SELECT team_key, label, team, NULL, NULL, NULL FROM crew_key"
    ),
    """CREATE TABLE fact_worklog AS SELECT
    md5(concat_ws('|', month, level, project_key, rejected, coalesce(team_key, -1), week, source_key, category, is_billable, approval, sealed_month, nature)) AS worklog_id,
    day AS work_date, strftime(day, '%Y%m%d')::BIGINT AS date_key, project_key, -1 AS task_key, coalesce(team_key, -1) AS person_key, source_key, category,
    is_billable, approval, m1 AS seconds, m2 AS days, m3 AS amount, NULL AS updated_at, sealed_month, grain
FROM sums WHERE kind = 'worklog'""",
    """CREATE TABLE fact_allocation_week AS SELECT CASE grain WHEN 'week' THEN date_trunc('week', day) ELSE day END AS week_start,
    coalesce(team_key, -1) AS person_key, project_key, coalesce(sum(m1) FILTER (kind = 'plan'), 0) AS planned_s,
    coalesce(sum(m1) FILTER (kind = 'worklog'), 0) AS logged_s, grain
FROM sums WHERE kind = 'plan' OR (kind = 'worklog' AND category = 'project') GROUP BY ALL""",
    # absence is off the capacity where it does not stand apart
    """CREATE TABLE fact_capacity_week AS SELECT CASE grain WHEN 'week' THEN date_trunc('week', day) ELSE day END AS week_start,
    coalesce(team_key, -1) AS person_key, coalesce(sum(m1 + coalesce(m2, 0)) FILTER (kind = 'capacity'), 0) AS capacity_s,
    sum(m2) FILTER (kind = 'capacity') AS absence_s, coalesce(round(sum(m4) FILTER (kind = 'plan')), 0) AS allocated_s,
    coalesce(round(sum(m4) FILTER (kind = 'worklog')), 0) AS logged_s, grain
FROM sums WHERE kind = 'capacity' OR m4 IS NOT NULL GROUP BY ALL""",
    "CREATE TABLE fact_task_snapshot AS SELECT * REPLACE (-1 AS person_key, NULL AS spent_days) FROM feed.fact_task_snapshot",
)

_WHOLE = """SELECT kind, project_key, month, category, rejected, 3 AS level, NULL::VARCHAR AS team, NULL::DATE AS week,
    CASE WHEN count(DISTINCT source_key) = 1 THEN any_value(source_key) ELSE -1 END AS source_key, NULL::BIGINT AS is_billable,
    CASE WHEN rejected THEN 'rejected' ELSE 'unknown' END AS approval, NULL::VARCHAR AS sealed_month, NULL::VARCHAR AS nature, NULL::INTEGER AS people,
    sum(m1) AS m1, CASE WHEN kind <> 'capacity' THEN sum(m2) END AS m2, sum(m3) AS m3, sum(m4) AS m4
FROM published GROUP BY kind, project_key, month, category, rejected"""
# effort by nature where the project-month is cut by nature; what is beside it, and every other month, as one
_NATURES = """
INSERT INTO fact_kpi BY NAME
WITH whole AS (
    SELECT cut_key, scope_kind, scope_key, scope_label, project_key, kpi, split_part(measure, '.', 1) AS what, period, unit, sum(value) AS value,
        any_value(coverage) AS coverage, any_value(method) AS method
    FROM feed.fact_kpi WHERE kpi = 'MONTHLY_SPENT' GROUP BY ALL
), shown AS (
    SELECT 0 AS cut_key, 'project' AS scope_kind, project_key, month AS period, nature, sum(m2) AS days, sum(m3)::DOUBLE AS amount
    FROM published WHERE kind = 'worklog' AND level = 2 AND category = 'project' AND NOT rejected GROUP BY ALL
), apart AS (
    SELECT w.* REPLACE (CASE w.what WHEN 'days' THEN s.days ELSE s.amount END AS value), s.nature
    FROM whole w JOIN shown s USING (cut_key, scope_kind, project_key, period)
)
SELECT * EXCLUDE (what, nature), what || '.' || nature AS measure FROM apart
UNION ALL BY NAME
SELECT w.* EXCLUDE (what) REPLACE (w.value - coalesce(g.value, 0) AS value), w.what || '.all' AS measure
FROM whole w LEFT JOIN (SELECT cut_key, scope_kind, scope_key, what, period, sum(value) AS value FROM apart GROUP BY ALL) g
    USING (cut_key, scope_kind, scope_key, what, period)
WHERE g.what IS NULL OR w.value IS NULL OR abs(w.value - g.value) > 1e-6"""


def pseudonym(person_id: str, secret: bytes) -> str:
    """Return the name under which a person appears: an HMAC-SHA256 of the id with a key that no store holds."""
    return "P-" + hmac.new(secret, person_id.encode(), hashlib.sha256).hexdigest()[:12].upper()


def projection_folder(root: Path, level: str, *, addresses: bool = False) -> Path:
    """Return where under *root* the projections of *level* lie; those with the *addresses* of access.csv lie apart."""
    return root / (f"{level}+access" if addresses and level != "nominative-line" else level)


def forget_projections(root: Path, *, keep: str | None) -> None:
    """Remove every projection under *root* but those of the feed *keep*; what was published stays remembered."""
    for path in root.glob("*/*"):
        if path.parent.name != _LEDGER and path.name != keep:
            shutil.rmtree(path, ignore_errors=True)


def project_to(
    level: str,
    snapshot: Path,
    root: Path,
    *,
    secret: bytes | None = None,
    k: int = K,
    addresses: bool = False,
) -> Path:
    """Return the folder of the feed in *snapshot* at privacy *level*; totals are those of the feed itself.

    ``nominative-line`` is the feed as it is; ``pseudonym-week`` needs *secret*, the key of `pseudonym`. At the others a sum that shows
    a team or a week is made of *k* people or more (`hub.feed.groups`). *addresses* leaves those of access.csv in, for row-level security.
    Built once per snapshot under *root*, then reused. Raises `ConfigError` when the key is missing.
    """
    if level == "nominative-line":
        return snapshot
    if level == "pseudonym-week" and not secret:
        raise ConfigError(
            'privacy = "pseudonym-week" needs a key outside the store: add [privacy] key = { env = "PM_HUB_KEY" }.'
        )
    target = projection_folder(root, level, addresses=addresses) / snapshot.name
    if (target / "manifest.json").exists():
        return target
    shutil.rmtree(target, ignore_errors=True)
    manifest = load_manifest(snapshot)
    view = open_feed(snapshot)
    try:
        view.execute("CREATE SCHEMA feed")
        for name in model().tables:
            view.execute(f"CREATE VIEW feed.{name} AS SELECT * FROM main.{name}")
        view.execute("CREATE SCHEMA narrowed")
        view.execute("USE narrowed")
        if level == "pseudonym-week":
            assert secret is not None
            _pseudonyms(view, secret)
        else:
            day = date.fromisoformat(manifest["moment"][:10])
            group(view, root / _LEDGER, snapshot.name, day, k)
            _sums(view, level, manifest["lang"])
            _figures(view, level, day, k)
        if not addresses:
            view.execute("CREATE TABLE dim_access AS SELECT * FROM feed.dim_access WHERE false")
        made = {
            row[0]
            for row in view.execute(
                "SELECT table_name FROM duckdb_tables() WHERE schema_name = 'narrowed'"
            ).fetchall()
        }
        view.execute("CREATE SCHEMA typed")
        for name, table in model().tables.items():
            if name not in made:
                view.execute(f"CREATE VIEW {name} AS SELECT * FROM feed.{name}")
            view.execute(
                f"CREATE VIEW typed.{name} AS SELECT {', '.join(_columns(name, table, salt_of(root / _LEDGER)))} FROM narrowed.{name} t"
            )
        view.execute("USE typed")
        target.mkdir(parents=True, mode=0o700)
        write_parquet(view, target)
        if level != "pseudonym-week":
            keep(view, root / _LEDGER, snapshot.name)
        # a delivery needs the manifest: whatever anybody was given is in the ledger
        save_manifest(target, {**manifest, "privacy": level, "k": k, "tables": describe(target, view)})
    finally:
        view.close()
    return target


_MADE = ("dim_person", "fact_worklog", "dim_access")


def _columns(name: str, table: Table, salt: str) -> Iterator[str]:
    """Yield the select list of *name*: what its declarations call personal goes blank, a key of rows becomes a hash of itself."""
    for column, facts in table.columns.items():
        if name in _MADE or not facts.goes_blank:
            yield f"t.{column}::{facts.type} AS {column}"
        elif column in table.key:
            yield f"md5('{salt}' || t.{column})::{facts.type} AS {column}"
        else:
            yield f"NULL::{facts.type} AS {column}"


def _pseudonyms(view: duckdb.DuckDBPyConnection, secret: bytes) -> None:
    """Fill the tables that speak of persons with pseudonyms, week by week."""
    people = view.execute(
        "SELECT person_key, team, person_label FROM feed.dim_person ORDER BY person_key"
    ).fetchall()
    names = {key: pseudonym(f"{key}", secret) for key, _, _ in people if key != -1}
    keys = {name: -2 - place for place, name in enumerate(sorted(names.values()))}
    view.execute("CREATE TABLE crew_key (person_key BIGINT, team_key BIGINT, team VARCHAR, label VARCHAR)")
    view.executemany(
        "INSERT INTO crew_key VALUES (?, ?, ?, ?)",
        [[key, keys.get(names.get(key, ""), -1), team, names.get(key, label)] for key, team, label in people],
    )
    for query in _PSEUDONYMS:
        view.execute(query)


def _sums(view: duckdb.DuckDBPyConnection, level: str, lang: str) -> None:
    """Fill the tables of time from what is published: cells with their team and week, the rest as project and month."""
    hidden, none, several = _TEXTS[lang]
    # the coarser level has the sums of the finer one's cells: what goes to two places may not be subtracted either
    view.execute(f"CREATE TABLE part AS {_WHOLE if level == 'project' else 'SELECT * FROM published'}")
    view.execute("CREATE TABLE crew_key (team_key BIGINT, team VARCHAR, label VARCHAR)")
    view.execute(
        "INSERT INTO crew_key SELECT -1 - row_number() OVER (ORDER BY team), team, coalesce(team, ?) FROM (SELECT DISTINCT team FROM part WHERE level < 2)",
        [none],
    )
    view.execute(
        """CREATE TABLE sums AS SELECT p.*, CASE WHEN p.level < 2 THEN c.team_key END AS team_key,
        CASE WHEN p.level = 0 THEN 'week' ELSE 'month' END AS grain, coalesce(p.week, (p.month || '-01')::DATE) AS day
        FROM part p LEFT JOIN crew_key c ON c.team IS NOT DISTINCT FROM p.team"""
    )
    view.execute("SET VARIABLE no_team = ?", [hidden])
    for query in _SUMS:
        view.execute(query)
    view.execute(
        "CREATE TABLE dim_source AS SELECT * FROM feed.dim_source UNION ALL SELECT -1, ?, '', NULL, NULL, NULL "
        "WHERE EXISTS (SELECT 1 FROM fact_worklog WHERE source_key = -1) AND NOT EXISTS (SELECT 1 FROM feed.dim_source WHERE source_key = -1)",
        [several],
    )


def _figures(view: duckdb.DuckDBPyConnection, level: str, day: date, k: int) -> None:
    """Fill ``fact_kpi``: figures of projects as they are, of natures as the cells show them, of teams by their contributors."""
    of_teams = {
        code for code, kpi in catalogue().items() if (kpi.rollup[0] if kpi.rollup else kpi.scope) == "team"
    }
    listed = ", ".join(f"'{code}'" for code in sorted(of_teams))
    view.execute(
        "CREATE TABLE fact_kpi AS SELECT * FROM feed.fact_kpi WHERE scope_kind <> 'team' AND kpi <> 'MONTHLY_SPENT' "
        f"AND measure <> 'anomaly_effort_share' AND kpi NOT IN ({listed})"
    )
    view.execute(_NATURES)
    if level == "team-week":
        _choose(view, listed, day, k)
        view.execute(
            "INSERT INTO fact_kpi SELECT f.* REPLACE (w.value AS value, w.numerator AS numerator, w.denominator AS denominator) FROM feed.fact_kpi f "
            "JOIN was.figure w USING (scope_kind, scope_key, scope_label, kpi, measure, period) WHERE f.cut_key = 0"
        )


def _choose(view: duckdb.DuckDBPyConnection, listed: str, day: date, k: int) -> None:
    """Add to the ledger the figures of teams that may go out from now on, as they are now: of a period that is over, by *k* people or more.

    Load and activity are sums of what the cells show, so that they go out where the cells show all of it.
    """
    rows = view.execute(
        f"""WITH figure AS (
            SELECT kpi, period, scope_kind, scope_label, CASE WHEN scope_kind = 'team' THEN scope_label END AS team,
                max(value) FILTER (measure = 'people') AS people, any_value(period) LIKE '____-__' AS monthly
            FROM feed.fact_kpi WHERE cut_key = 0 AND kpi IN ({listed}) AND period <> '' GROUP BY ALL
        ), span AS (
            SELECT *, CASE WHEN monthly THEN period || '-01' ELSE period END::DATE AS first_day,
                CASE WHEN monthly THEN last_day((period || '-01')::DATE) ELSE period::DATE + 6 END AS last_day FROM figure
        ), time AS (
            SELECT a.kind, a.team, a.day, a.person_key, a.m1 FROM atom a WHERE a.kind IN ('worklog', 'plan')
        ), cells AS (SELECT * FROM published WHERE level < 2)
        SELECT s.kpi, s.period, s.scope_kind, s.scope_label,
            coalesce(s.people, (SELECT count(DISTINCT t.person_key) FROM time t WHERE t.kind = 'worklog' AND t.team IS NOT DISTINCT FROM s.team
                AND t.day BETWEEN s.first_day AND s.last_day))::BIGINT AS people,
            s.kpi NOT IN ('LOAD_TEAM', 'TACE') OR coalesce((SELECT sum(t.m1) FROM time t WHERE t.kind = CASE s.kpi WHEN 'TACE' THEN 'worklog' ELSE 'plan' END
                AND t.team IS NOT DISTINCT FROM s.team AND t.day BETWEEN s.first_day AND s.last_day), 0)
                = coalesce((SELECT sum(c.m1) FROM cells c WHERE c.kind = CASE s.kpi WHEN 'TACE' THEN 'worklog' ELSE 'plan' END
                AND c.team IS NOT DISTINCT FROM s.team AND CASE WHEN s.monthly THEN c.month = s.period
                    ELSE c.level = 0 AND c.week BETWEEN s.first_day AND s.last_day END), 0) AS whole,
            EXISTS (SELECT 1 FROM was.figure w WHERE w.kpi = s.kpi AND w.period = s.period AND w.scope_kind = s.scope_kind AND w.scope_label = s.scope_label)
        FROM span s WHERE strftime(s.last_day, '%Y-%m') < ? ORDER BY ALL""",
        [f"{day:%Y-%m}"],
    ).fetchall()
    periods: dict[tuple[str, str], list[tuple[str, str, int, bool, bool]]] = defaultdict(list)
    for kpi, period, *rest in rows:
        periods[kpi, period].append(tuple(rest))
    for (kpi, period), found in periods.items():
        if any(one[4] for one in found):
            continue  # chosen once: another team beside them later could be subtracted
        fit = sorted(
            (one for one in found if one[2] >= k and one[3]),
            key=lambda one: (one[0] != "team", -one[2], one[1]),
        )
        everybody = next((one for one in found if one[0] == "portfolio"), None)
        teams = [one for one in fit if one[0] == "team"]
        if everybody in fit and everybody is not None:
            while teams and 0 < everybody[2] - sum(one[2] for one in teams) < k:
                teams.pop()
        chosen = [*teams, *(one for one in fit if one[0] != "team")]
        for kind, label, *_ in chosen:
            view.execute(
                "INSERT INTO was.figure SELECT scope_kind, scope_key, scope_label, kpi, measure, period, value, numerator, denominator FROM feed.fact_kpi "
                "WHERE cut_key = 0 AND kpi = ? AND period = ? AND scope_kind = ? AND scope_label = ?",
                [kpi, period, kind, label],
            )
