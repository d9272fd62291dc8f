"""The measures BI tools show: the SQL twin of each gives the catalogue's figure, and what the rows say."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from random_feed import random_feed
from test_kpi import GOLDEN, load, write_feed

from hub.feed import catalogue, evaluate, measures, model, open_folder
from hub.feed.kpi.measures import HEALTH, Measure, code_of
from hub.feed.kpi.table import fill_table, mark_periods


def twin(connection: duckdb.DuckDBPyConnection, one: Measure) -> dict[Any, Any]:
    """Return a measure by project, as its SQL says."""
    return dict(
        connection.execute(
            f"SELECT project_key, {one.sql} FROM {one.table} WHERE {one.where} GROUP BY 1"
        ).fetchall()
    )


def with_figures(connection: duckdb.DuckDBPyConnection) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """Fill `fact_kpi` as a build does, at the latest cut; give its day and what the catalogue says of it."""
    found = evaluate(connection, None)
    key = connection.execute("SELECT getvariable('cut')").fetchall()[0][0]
    for (view,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
        connection.execute(f"DROP VIEW IF EXISTS {view} CASCADE")
    connection.execute("SET VARIABLE as_of_day = getvariable('as_of')")
    connection.execute("SET VARIABLE moment = getvariable('as_of_at')")
    connection.execute("CREATE TABLE project (name VARCHAR, key BIGINT, level VARCHAR, counted BOOLEAN)")
    connection.execute("CREATE TABLE team (name VARCHAR, key BIGINT, counted BOOLEAN)")
    connection.execute(
        "INSERT INTO team SELECT DISTINCT team, hash(team) % 99, true FROM dim_person WHERE team IS NOT NULL"
    )
    fill_table(connection, cut=key)
    connection.execute("INSERT INTO fact_kpi BY NAME SELECT * FROM kpi_row")
    mark_periods(connection)
    return found.as_of, found.kpis


def compared(connection: duckdb.DuckDBPyConnection) -> int:
    """Hold every measure of a figure without periods against the catalogue.

    Give how many values were compared.
    """
    _, kpis = with_figures(connection)
    # a median of medians is no median
    added = connection.execute(
        "SELECT kpi, measure FROM fact_kpi WHERE unit = 'duration' AND scope_kind <> 'project'"
    ).fetchall()
    assert [] == added
    known, count = measures(), 0
    for kpi in catalogue().values():
        if kpi.scope != "project" or kpi.period or kpi.split or kpi.rollup:
            continue
        for part in kpi.measures:
            found = twin(connection, known[code_of(kpi.code, part.name)])
            for row in kpis[kpi.code]:
                value = row[part.name]
                assert pytest.approx(value) == found.get(row["project_key"]), (kpi.code, part.name, row)
                count += value is not None
    return count


def test_twins_give_the_figures_of_the_golden_fixture(tmp_path: Path) -> None:
    """On the fixture of the examples each measure of a figure is the catalogue's."""
    connection = open_folder(write_feed(tmp_path / "golden", GOLDEN["fixture"], "parquet"))

    assert compared(connection) > 80


@pytest.mark.parametrize("seed", range(3))
def test_twins_give_the_figures_of_random_feeds(seed: int) -> None:
    """The same on feeds with every edge."""
    assert compared(load(random_feed(seed)[0])) > 20


@pytest.mark.parametrize("seed", range(3))
def test_declared_measures_say_what_the_rows_say(seed: int) -> None:
    """Sums, counts and ratios by project, added up in plain Python over the rows of the latest cut.

    Hours count up to its day.
    """
    tables, _ = random_feed(seed)
    (day,) = {row["as_of"] for row in tables["dim_cut"] if row["is_latest"] == 1}
    connection = load(tables)
    latest = {row["cut_key"] for row in tables["dim_cut"] if row["is_latest"] == 1}
    sums: dict[str, dict[Any, float | None]] = {}
    for code, facts in model().measures.items():
        if (
            facts.ratio
            or "project_key" not in model().tables[(facts.sum or facts.count).partition(".")[0]].columns
        ):
            continue
        table, _, column = (facts.sum or facts.count).partition(".")
        by: dict[Any, list[float]] = defaultdict(list)
        for row in tables.get(table, []):
            if row.get("cut_key", next(iter(latest))) in latest and row.get("work_date", day) <= day:
                value = 1 if facts.count else row.get(column)
                by[row["project_key"]] += [] if value is None else [float(value)]
        sums[code] = {key: sum(values) / facts.divide if values else None for key, values in by.items()}

    assert len(sums) >= 15
    for code, expected in sums.items():
        found = twin(connection, measures()[code])
        assert {key: pytest.approx(value) for key, value in expected.items()} == found, code


def test_every_figure_of_a_project_is_a_measure() -> None:
    """No number of the catalogue that `fact_kpi` holds is left out, and every code is there once."""
    known = measures()
    shown = {
        code_of(kpi.code, part.name)
        for kpi in catalogue().values()
        if kpi.scope in {"project", "source", "team"} and kpi.code != "BURNUP"
        for part in kpi.measures
        if part.unit not in {"text", "moment"}
    }

    assert shown <= known.keys()
    assert {*model().measures, HEALTH} <= known.keys()
    assert len({one.fr for one in known.values()}) == len({one.en for one in known.values()}) == len(known)


WEEKS = [date(2026, 10, 12) + timedelta(days=7 * week) for week in range(8)]


def three_people() -> duckdb.DuckDBPyConnection:
    """Load a feed of three people of one team over eight weeks, four of them to come at the cut.

    Each works 35 hours a week and has 28 planned; what was logged is 35, 35, 28 and, of the week that runs,
    7 hours each. The cut is a Wednesday.
    """
    people = range(1, 4)
    logged = [35, 35, 28, 7, 0, 0, 0, 0]
    return load({
        "dim_cut": [
            {"cut_key": 3, "as_of": date(2026, 9, 30), "kind": "copil", "label": "September", "is_latest": 0,
             "ordinal": 1},
            {"cut_key": 0, "as_of": date(2026, 11, 4), "kind": "now", "label": "Now", "is_latest": 1,
             "ordinal": 2, "previous_ordinal": 1},
        ],
        "dim_person": [
            {"person_key": one, "person_label": f"P{one}", "team": "Core", "timesheet_expected": 1}
            for one in people
        ],
        "dim_project": [{"project_key": 1, "code": "A", "name": "A", "state": "active"}],
        "fact_capacity_week": [
            {"week_start": week, "year_month": f"{week:%Y-%m}", "person_key": one, "capacity_s": 35 * 3600,
             "absence_s": 0, "allocated_s": 28 * 3600, "logged_s": hours * 3600, "grain": "week"}
            for week, hours in zip(WEEKS, logged, strict=True)
            for one in people
        ],
        "fact_worklog": [
            {"worklog_id": f"{one}", "work_date": day, "date_key": 0, "project_key": 1, "task_key": -1,
             "person_key": 1, "category": "project", "approval": "approved", "seconds": 3600, "days": 1 / 7}
            for one, day in enumerate((date(2026, 9, 30), date(2026, 11, 4), date(2026, 11, 5)))
        ],
    })  # fmt: skip


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("LOAD_TEAM people", 3),
        ("LOAD_TEAM load", 84 / 105),
        ("LOAD_TEAM allocated_h", 84),
        ("TIMESHEET_COMPLETENESS people", 3),
        ("TIMESHEET_COMPLETENESS completeness", 28 / 35),
        ("TIMESHEET_COMPLETENESS complete", 0),
    ],
)
def test_a_measure_shows_its_last_period(code: str, expected: float) -> None:
    """Three people are three people, however many weeks are planned.

    The load is that of the week that runs, timesheets are those of the last week that is over.
    """
    connection = three_people()
    connection.execute("SET VARIABLE as_of_day = DATE '2026-11-04'")
    with_figures(connection)
    one = measures()[code]

    found = connection.execute(f"SELECT {one.sql} FROM {one.table} WHERE {one.where}").fetchall()
    assert [(pytest.approx(expected),)] == found


def test_hours_end_at_the_cut() -> None:
    """What is dated after the cut was not worked yet."""
    one = measures()["hours_logged"]

    found = three_people().execute(f"SELECT {one.sql} FROM {one.table} WHERE {one.where}").fetchall()
    assert [(2.0,)] == found


def test_several_periods_of_people_are_no_sum() -> None:
    """Of the weeks that are chosen a stock is that of the last; a ratio is one of sums; hours add up."""
    known = measures()

    assert "fact_kpi[period_start] = latest_start" in known["LOAD_TEAM people"].dax
    assert "latest_start" not in known["LOAD_TEAM load"].dax + known["LOAD_TEAM allocated_h"].dax
    assert "DIVIDE(SUM(" in known["LOAD_TEAM load"].dax
    stocks = {
        (kpi.code, part.name)
        for kpi in catalogue().values()
        if kpi.period and _counts_people(kpi.code)
        for part in kpi.measures
        if part.unit == "count"
    }
    assert stocks == {
        (kpi.code, part.name) for kpi in catalogue().values() for part in kpi.measures if part.stock
    }


def _counts_people(code: str) -> bool:
    return code in {"LOAD_TEAM", "TIMESHEET_COMPLETENESS", "OVERALLOCATION"}


def test_periods_of_closed_cuts_are_told_from_their_text() -> None:
    """Rows of a cut of contract 2 know neither grain nor start; the last period is that at the cut's day."""
    connection = load({
        "dim_cut": [{"cut_key": 5, "as_of": date(2026, 9, 30), "kind": "week", "label": "C",
                     "is_latest": 1}],
        "fact_kpi": [
            {"cut_key": 5, "scope_kind": kind, "scope_key": 1, "kpi": kpi, "measure": "m", "period": period,
             "value": 1.0}
            for kind, kpi, period in (
                ("project", "EVM_DAYS", ""), ("project", "SLA", "2026-08"), ("project", "SLA", "2026-09"),
                ("project", "SLA", "2026-10"), ("project", "DEFECT_VS_CHANGE", "2026"),
                ("team", "TIMESHEET_COMPLETENESS", "2026-09-21"),
                ("team", "TIMESHEET_COMPLETENESS", "2026-09-28"), ("team", "LOAD_TEAM", "2026-09-28"),
            )
        ],
    })  # fmt: skip
    mark_periods(connection)

    assert [
        ("DEFECT_VS_CHANGE", "2026", "year", date(2026, 1, 1), 1),
        ("EVM_DAYS", "", "none", None, 1),
        ("LOAD_TEAM", "2026-09-28", "week", date(2026, 9, 28), 1),
        ("SLA", "2026-08", "month", date(2026, 8, 1), 0),
        ("SLA", "2026-09", "month", date(2026, 9, 1), 1),
        ("SLA", "2026-10", "month", date(2026, 10, 1), 0),
        ("TIMESHEET_COMPLETENESS", "2026-09-21", "week", date(2026, 9, 21), 1),
        ("TIMESHEET_COMPLETENESS", "2026-09-28", "week", date(2026, 9, 28), 0),
    ] == connection.execute(
        "SELECT kpi, period, grain, period_start, is_last_period FROM fact_kpi ORDER BY 1, 2"
    ).fetchall()


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_no_measure_is_called_as_a_column(lang: str) -> None:
    """A name without a table is one thing only."""
    columns = {getattr(one, lang) for table in model().tables.values() for one in table.columns.values()}

    assert [] == sorted(columns & {getattr(one, lang) for one in measures().values()})


def test_every_measure_has_a_caption_of_its_own() -> None:
    """No code stands where people read, in either language, and no two are called the same."""
    known = measures()

    assert [] == [one.code for one in known.values() if one.code == one.fr]
    shares = {one.code for one in known.values() if one.format.startswith("0%")}
    assert {"LOAD_TEAM load", "SLA compliance", "READINESS readiness", "TACE tace"} <= shares
    assert "EVM_DAYS cpi" not in shares
