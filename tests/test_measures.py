"""The measures BI tools show: the SQL twin of each gives the catalogue's figure, and what the rows say."""

from __future__ import annotations

import functools
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from kpi_reference import Reference
from random_feed import random_feed
from test_kpi import GOLDEN, load, write_feed

from hub.feed import catalogue, evaluate, measures, model, open_folder
from hub.feed.kpi.measures import HEALTH, code_of
from hub.feed.kpi.shown import Measure
from hub.feed.kpi.table import fill_table, mark_periods, mend_terms
from hub.words import speaking, tr


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


@pytest.mark.sample(1)
@pytest.mark.parametrize("seed", range(3))
def test_twins_give_the_figures_of_random_feeds(seed: int) -> None:
    """The same on feeds with every edge."""
    assert compared(load(random_feed(seed)[0])) > 20


ADDED = ("bac", "pv", "ev", "ac", "sv", "cv", "cpi", "spi", "raf")


@pytest.mark.sample(1)
@pytest.mark.parametrize("seed", range(3))
def test_earned_value_of_all_projects_is_of_one_set(seed: int) -> None:
    """What the measures add up, and `fact_kpi` of the whole, are what plain Python adds up."""
    tables, as_of = random_feed(seed)
    connection = load(tables)
    workdays = {
        day for (day,) in connection.execute("SELECT date FROM dim_date WHERE is_workday = 1").fetchall()
    }
    with_figures(connection)
    at = datetime(as_of.year, as_of.month, as_of.day, 23, 59, 59, 999999, tzinfo=UTC)
    reference, known, one_sided = Reference(tables, 7, as_of, at, workdays), measures(), 0
    for code, rows in (("EVM_DAYS", reference.evm_days()), ("EVM_AMOUNT", reference.evm_amount())):
        one_sided += any(row["ev"] is None and row["ac"] for row in rows)
        for name in ADDED:
            expected = pytest.approx(reference.above(rows, name))
            one = known[code_of(code, name)]
            assert [(expected,)] == connection.execute(
                f"SELECT {one.sql} FROM {one.table} WHERE {one.where}"
            ).fetchall(), (code, name)
            assert [(expected,)] == connection.execute(
                "SELECT value FROM fact_kpi JOIN dim_cut USING (cut_key) WHERE is_latest = 1 AND kpi = ? "
                "AND measure = ? AND scope_kind = 'portfolio' AND scope_label = '*'", [code, name],
            ).fetchall(), (code, name)  # fmt: skip
    assert one_sided


def test_figures_that_an_older_hub_closed_are_of_one_set_too() -> None:
    """One project earned 10 with 4 days, the other spent 8 without a baseline: 10 / 4, not 10 / 12."""
    figures: tuple[tuple[int, str, float | None, float | None, float | None], ...] = (
        (1, "ev", 10.0, None, None), (1, "ac", 4.0, None, None), (1, "cpi", 2.5, 10.0, 4.0),
        (2, "ev", None, None, None), (2, "ac", 8.0, None, None), (2, "cpi", None, None, 8.0),
    )  # fmt: skip
    connection = load({
        "dim_cut": CUTS,
        "fact_kpi": [
            {"cut_key": 0, "scope_kind": "project", "scope_key": key, "project_key": key, "kpi": "EVM_DAYS",
             "measure": measure, "period": "", "is_last_period": 1, "value": value, "numerator": over,
             "denominator": under}
            for key, measure, value, over, under in figures
        ],
    })  # fmt: skip
    mend_terms(connection)
    found = {
        name: connection.execute(f"SELECT {one.sql} FROM {one.table} WHERE {one.where}").fetchall()[0][0]
        for name, one in measures().items()
        if name in {"EVM_DAYS ev", "EVM_DAYS ac", "EVM_DAYS cpi"}
    }

    assert {"EVM_DAYS ev": 10.0, "EVM_DAYS ac": 4.0, "EVM_DAYS cpi": 2.5} == found


@pytest.mark.sample(1)
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
            or facts.on
            or "project_key" not in model().tables[(facts.sum or facts.count).partition(".")[0]].columns
        ):
            continue
        table, _, column = (facts.sum or facts.count).partition(".")
        by: dict[Any, list[float]] = defaultdict(list)
        for row in tables.get(table, []):
            at_cut = row.get("cut_key", next(iter(latest))) in latest and _known(row) <= day
            if at_cut and all(
                _value(tables, row, name) in _listed(kept) for name, kept in facts.where.items()
            ):
                value = 1 if facts.count else row.get(column)
                by[row["project_key"]] += [] if value is None else [float(value)]
        sums[code] = {key: sum(values) / facts.divide if values else None for key, values in by.items()}

    assert len(sums) >= 15
    for code, expected in sums.items():
        found = twin(connection, measures()[code])
        assert {key: pytest.approx(value) for key, value in expected.items()} == found, code


def _known(row: dict[str, Any]) -> date:
    """Return the day since when a row without cuts is known."""
    found = row.get("work_date") or row.get("first_seen_date") or row.get("start_at") or date.min
    return found.date() if isinstance(found, datetime) else found


def _listed(kept: Any) -> list[Any]:
    return kept if isinstance(kept, list) else [kept]


def _value(tables: dict[str, list[dict[str, Any]]], row: dict[str, Any], place: str) -> Any:
    """Return a column of *row*, or of the row of a dimension that it points to."""
    dimension, _, column = place.rpartition(".")
    if not dimension:
        return row.get(column)
    (key,) = model().tables[dimension].key
    return next((one.get(column) for one in tables[dimension] if one[key] == row[key]), None)


CUTS = [
    {"cut_key": 3, "as_of": date(2026, 9, 30), "kind": "copil", "label": "September", "is_latest": 0,
     "ordinal": 1},
    {"cut_key": 0, "as_of": date(2026, 11, 4), "kind": "now", "label": "Now", "is_latest": 1, "ordinal": 2,
     "previous_ordinal": 1},
]  # fmt: skip


SUCCESS = datetime(2026, 11, 4, 6, tzinfo=UTC)


@functools.cache  # nobody writes into it
def two_projects() -> duckdb.DuckDBPyConnection:
    """Load two projects at two cuts: their weather, register, moves, tasks, milestones and SLA."""
    days = [date(2026, 9, 1) + timedelta(days=one) for one in range(120)]
    statuses = ((1, "todo"), (2, "in_progress"), (3, "done"), (4, "cancelled"))
    # key, project, status, kind, started, created, resolved, planned, baseline
    tasks = (
        (1, 1, 3, "work", None, date(2026, 9, 1), date(2026, 10, 5), None, None),
        (2, 1, 3, "work", None, date(2026, 9, 1), date(2026, 10, 20), None, None),
        (3, 1, 2, "work", date(2026, 10, 25), date(2026, 9, 1), None, None, None),
        (4, 1, 2, "work", None, date(2026, 10, 15), None, None, None),
        (5, 2, 1, "work", None, date(2026, 9, 1), None, None, None),
        (6, 2, 4, "work", None, date(2026, 9, 1), date(2026, 10, 1), None, None),
        (7, 1, 1, "milestone", None, date(2026, 9, 1), None, date(2026, 12, 1), date(2026, 11, 15)),
        (8, 1, 1, "milestone", None, date(2026, 9, 1), None, date(2026, 12, 20), None),
    )
    return load({
        "dim_cut": CUTS,
        "dim_date": [{"date_key": int(f"{day:%Y%m%d}"), "date": day} for day in days],
        "dim_status": [{"status_key": key, "category": name} for key, name in statuses],
        "dim_project": [{"project_key": key, "code": f"P{key}", "name": f"P{key}"} for key in (1, 2)],
        "dim_source": [{"source_key": 1, "name": "erp", "last_success_at": SUCCESS}],
        "dim_task": [
            {"task_key": key, "project_key": project, "kind": kind, "started_at": _at(started),
             "created_at": _at(created), "resolved_at": _at(resolved), "is_leaf": 1, "is_deleted": 0}
            for key, project, _, kind, started, created, resolved, _, _ in tasks
        ],
        "fact_task_snapshot": [
            {"cut_key": cut, "task_key": key, "project_key": project, "status_key": status,
             "planned_finish": planned, "baseline_finish": baseline}
            for key, project, status, _, _, _, _, planned, baseline in tasks for cut in (0, 3)
        ],
        "fact_weather": [
            {"cut_key": 0, "project_key": 1, "computed": "red", "trend": "worse", "confidence": "high"},
            {"cut_key": 0, "project_key": 2, "computed": "green", "trend": "same", "confidence": "low"},
            {"cut_key": 3, "project_key": 1, "computed": "amber", "trend": None, "confidence": "medium"},
        ],
        "fact_register": [
            {"cut_key": cut, "item_id": f"{number}", "project_key": 1, "kind": kind, "state": state}
            for number, (cut, kind, state) in enumerate((
                (0, "decision", "open"), (0, "decision", "closed"), (3, "decision", "open"),
                (0, "risk", "open"), (0, "risk", "open"), (0, "action", "open"), (0, "risk", "closed"),
            ))
        ],
        "fact_move": [
            {"cut_key": cut, "vs_cut_key": 3, "topic": "budget", "project_key": 1, "item_id": f"{number}",
             "measure": "amount", "cause": cause}
            for number, (cut, cause) in enumerate(((0, "news"), (0, "news"), (0, "correction"), (3, "news")))
        ],
        "fact_sla": [
            {"sla_id": f"{number}", "project_key": 1, "start_at": _at(day), "is_breached": breached}
            for number, (day, breached) in enumerate((
                (date(2026, 10, 1), 1), (date(2026, 11, 4), 1), (date(2026, 11, 5), 1),
                (date(2026, 10, 1), 0),
            ))
        ],
        "fact_rejection": [
            {"rejection_key": number, "project_key": 1, "first_seen_date": day}
            for number, day in enumerate((date(2026, 11, 4), date(2026, 11, 5)))
        ],
    })  # fmt: skip


def _at(day: date | None) -> datetime | None:
    return datetime(day.year, day.month, day.day, 9, tzinfo=UTC) if day else None


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("projects_red", 1), ("projects_amber", 0), ("projects_green", 1),
        ("trend", "worse"), ("confidence", "low"),
        ("decisions_open", 1), ("risks_listed", 2), ("actions_open", 1),
        ("moves", 3), ("moves_news", 2), ("moves_corrected", 1),
        ("tasks_done", 2),  # the cancelled one is not
        ("tasks_open", 3),  # no milestone
        ("tasks_running", 2),
        ("wip_age", (10 + 20) / 2),  # from 25 and 15 October to 4 November
        ("milestones_planned", 2), ("milestones_baseline", 1),
        ("sla_breaches", 2), ("rejections", 1),  # what came after the cut's day is not known at it
        ("last_success", SUCCESS),
    ],
)  # fmt: skip
def test_a_picture_shows_what_was_counted_by_hand(code: str, expected: Any) -> None:
    """At the latest cut, of two projects whose every row is written above."""
    one = measures()[code]

    found = two_projects().execute(f"SELECT {one.sql} FROM {one.table} WHERE {one.where}").fetchall()
    assert [(expected,)] == found


def test_the_calendar_chooses_by_the_day_that_is_said() -> None:
    """A day no relationship leads to is asked for; a filter of the reader stays."""
    known = measures()

    assert (
        "TREATAS(VALUES(dim_date[date]), fact_task_snapshot[planned_finish])"
        in known["milestones_planned"].dax
    )
    assert 'KEEPFILTERS(fact_register[kind] IN {"decision"})' in known["decisions_open"].dax
    assert "FILTER(fact_sla, fact_sla[start_at] < shown_day + 1)" in known["sla_breaches"].dax


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


def test_what_a_measure_means_is_said_in_french_too() -> None:
    """A report in French explains its figures in French, those beside the catalogue as well."""
    with speaking("fr"):
        told = [
            one.code
            for one in measures().values()
            if one.description and tr(one.description) == one.description
        ]

    assert [] == told


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
    one = measures()[code]

    found = figures_of_three().execute(f"SELECT {one.sql} FROM {one.table} WHERE {one.where}").fetchall()
    assert [(pytest.approx(expected),)] == found


@functools.cache
def figures_of_three() -> duckdb.DuckDBPyConnection:
    connection = three_people()
    connection.execute("SET VARIABLE as_of_day = DATE '2026-11-04'")
    with_figures(connection)
    return connection


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
