"""Months are months: what is planned or entered for several days belongs to its days, to the second."""

from __future__ import annotations

import random
import sqlite3
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_tabular.mapper import RowError, RowMapper
from hub_tabular.mapping import Mapping
from test_cuts import ask, out, portfolio, sync

from hub.feed import BuildOptions
from hub.publish import periods
from hub.records import (
    Account,
    Allocation,
    Calendar,
    CalendarDay,
    Container,
    Person,
    PersonLink,
    Rate,
    Worklog,
)
from hub.store import Store
from hub.store.periods import corrections

BOX = Container(id="times:a", kind="table", code="A", name="A")
DAYS = "SELECT work_date::VARCHAR, seconds FROM fact_worklog ORDER BY 1, 2"


def week(no: int, day: str, finish: str | None, seconds: int, **more: Any) -> Worklog:
    return Worklog(
        id=f"times:w{no}", container_id="times:a", day=day, finish_on=finish, seconds=seconds, **more
    )


@pytest.mark.long
def test_a_week_belongs_to_the_months_of_its_days(store: Store, tmp_path: Path) -> None:
    """35 h of 28 September to 4 October 2026: three working days are of September, two of October."""
    sync(store, *portfolio())
    sync(store, BOX, week(1, "2026-09-28", "2026-10-04", 35 * 3600))
    report = out(store, tmp_path)

    assert [(f"2026-{day}", 7 * 3600) for day in ("09-28", "09-29", "09-30", "10-01", "10-02")] == ask(
        report, DAYS
    )
    assert [("times:w1@2026-09-28",)] == ask(report, "SELECT min(worklog_id) FROM fact_worklog")
    assert [("2026-09", 21.0), ("2026-10", 14.0)] == ask(
        report,
        "SELECT period, value FROM fact_kpi WHERE kpi = 'MONTHLY_SPENT' AND measure LIKE 'hours.%' AND "
        "scope_label = 'A' AND cut_key = 0 ORDER BY 1",
    )
    assert [("2026-09-28", "2026-09", 75600), ("2026-09-28", "2026-10", 50400)] == ask(
        report, "SELECT week_start::VARCHAR, year_month, logged_s FROM fact_allocation_week ORDER BY 2"
    )


@pytest.mark.long
def test_seconds_are_shared_whole(store: Store, tmp_path: Path) -> None:
    """Ten seconds over three days are 4, 3 and 3, with their sign; two over five leave no empty line."""
    sync(store, *portfolio())
    sync(
        store,
        BOX,
        week(1, "2026-09-07", "2026-09-09", 10),
        week(2, "2026-09-14", "2026-09-16", -10),
        week(3, "2026-09-21", "2026-09-25", 2),
    )

    assert [4, 3, 3, -4, -3, -3, 1, 1] == [seconds for _, seconds in ask(out(store, tmp_path), DAYS)]


@pytest.mark.long
def test_a_span_without_a_working_day_is_of_all_its_days(store: Store, tmp_path: Path) -> None:
    """On call from Saturday to Sunday; and a finish before the start is a single day."""
    sync(store, *portfolio())
    sync(store, BOX, week(1, "2026-09-05", "2026-09-06", 7200), week(2, "2026-09-09", "2026-09-01", 60))

    assert [("2026-09-05", 3600), ("2026-09-06", 3600), ("2026-09-09", 60)] == ask(out(store, tmp_path), DAYS)


@pytest.mark.long
def test_a_span_follows_the_calendar_of_the_person(store: Store, tmp_path: Path) -> None:
    """Hours and plans are on the days that the person works; others follow the default calendar."""
    sync(
        store,
        *portfolio(),
        Calendar(id="config:c", code="four", country="FR", week_mask="1111000", seconds_per_day=31500),
        CalendarDay(id="config:d", calendar="four", day="2026-09-08", seconds=0),
        Person(id="config:people/7", display_name="Nadia", employee_no="7", calendar_id="Four"),
        Person(id="config:people/8", display_name="Ali", employee_no="8"),
        PersonLink(
            id="config:l7",
            account_id="times:7",
            person_id="config:people/7",
            method="x",
            score=1,
            state="accepted",
        ),
        PersonLink(
            id="config:l8",
            account_id="times:8",
            person_id="config:people/8",
            method="x",
            score=1,
            state="accepted",
        ),
    )
    sync(
        store,
        BOX,
        Account(id="times:7"),
        Account(id="times:8"),
        week(1, "2026-09-07", "2026-09-13", 30, account_id="times:7"),
        Allocation(
            id="times:p7",
            account_id="times:7",
            container_id="times:a",
            start_on="2026-09-24",
            finish_on="2026-10-02",
            seconds=500,
        ),
        Allocation(
            id="times:p8",
            account_id="times:8",
            container_id="times:a",
            start_on="2026-09-24",
            finish_on="2026-10-02",
            seconds=700,
        ),
    )
    report = out(store, tmp_path)

    assert [("2026-09-07", 10), ("2026-09-09", 10), ("2026-09-10", 10)] == ask(report, DAYS)
    # 24, 28, 29, 30 September and 1 October; 24, 25, 28, 29, 30 September and 1, 2 October
    assert [
        ("Ali", "2026-09", 500),
        ("Ali", "2026-10", 200),
        ("Nadia", "2026-09", 400),
        ("Nadia", "2026-10", 100),
    ] == ask(
        report,
        "SELECT person_label, year_month, sum(planned_s)::BIGINT FROM fact_allocation_week JOIN dim_person "
        "USING (person_key) WHERE planned_s > 0 "
        "GROUP BY ALL ORDER BY ALL",
    )


@pytest.mark.long
def test_sealing_a_month_seals_its_days(store: Store, tmp_path: Path) -> None:
    """A week that ends in October is sealed with September for three days, and corrected the same way."""
    sync(
        store,
        *portfolio(),
        Rate(id="config:r", scope="default", valid_from="2026-01-01", minor_per_day=70000),
    )
    sync(store, BOX, week(1, "2026-09-28", "2026-10-04", 35 * 3600))
    sealed = periods.seal(store, tmp_path / "data" / "feed", "2026-09", BuildOptions(), actor="me")
    first = ask(out(store, tmp_path), DAYS)
    sync(store, BOX, week(1, "2026-09-28", "2026-10-04", 40 * 3600))
    report = out(store, tmp_path)

    assert (3, 21 * 3600, 210000) == (sealed.lines, sealed.seconds, sealed.labour_minor)
    assert 35 * 3600 == sum(seconds for _, seconds in first)
    assert [(21 * 3600,)] == ask(
        report, "SELECT sum(seconds)::BIGINT FROM fact_worklog WHERE strftime(work_date, '%Y-%m') = '2026-09'"
    )
    assert [(40 * 3600,)] == ask(report, "SELECT sum(seconds)::BIGINT FROM fact_worklog")
    assert [("times:w1@2026-09-28", 1.0), ("times:w1@2026-09-29", 1.0), ("times:w1@2026-09-30", 1.0)] == [
        (row["row_id"], row["hours"]) for row in corrections(store)
    ]
    assert all(row["run_id"] for row in corrections(store))


@pytest.mark.long
@pytest.mark.parametrize("month", ["2026-09", "2026-10"])
def test_a_month_sealed_before_keeps_its_split(store: Store, tmp_path: Path, month: str) -> None:
    """A month sealed when hours stood on their first day posts nothing for the new way.

    No hour is there twice.
    """
    sync(store, *portfolio())
    sync(store, BOX, week(1, "2026-09-28", None, 35 * 3600), week(2, "2026-10-05", None, 10 * 3600))
    periods.seal(store, tmp_path / "data" / "feed", month, BuildOptions(), actor="me")
    store.connection.execute("UPDATE period_close SET method = 1")
    # the mapping says now that these were weeks
    sync(
        store,
        BOX,
        week(1, "2026-09-28", "2026-10-04", 35 * 3600),
        week(2, "2026-10-05", "2026-10-11", 10 * 3600),
    )
    report = out(store, tmp_path)
    by_month = ask(
        report,
        "SELECT strftime(work_date, '%Y-%m'), sum(seconds)::BIGINT FROM fact_worklog GROUP BY 1 ORDER BY 1",
    )

    assert [] == corrections(store)
    assert [("2026-09", 35 * 3600), ("2026-10", 10 * 3600)] == by_month
    assert [(1,)] == ask(report, "SELECT count(*) FROM fact_worklog WHERE work_date < '2026-10-05'")


def test_a_store_of_before_gets_the_column(tmp_path: Path) -> None:
    """Rows, history, keys and memory of an older store stay; its sealed months are of the old way."""
    from sqlite_utils import Database

    from hub.store.migrations import migrations

    path = tmp_path / "hub.db"
    database = Database(path)
    migrations.apply(database, stop_before="0003_spans")
    database.execute(
        "INSERT INTO worklog (key, id, day, seconds, category, origin, approval, source_id, recorded_at, "
        "run_id) "
        "VALUES (7, 'times:w1', '2026-09-28', 60, 'project', 'timesheet', 'unknown', 'times', "
        "'2026-09-29T00:00:00.000000Z', 1)"
    )
    database.execute(
        "UPDATE worklog SET seconds = 90, recorded_at = '2026-09-30T00:00:00.000000Z', run_id = 2"
    )
    database.execute("INSERT INTO period_close VALUES ('2026-08', '2026-09-01', 'me', 'x')")
    database.conn.commit()
    database.close()
    with Store.open(path) as store:
        sync(store, BOX, week(1, "2026-09-28", "2026-10-04", 120))
        rows = store.rows("SELECT key, seconds, finish_on FROM worklog")
        past = store.rows("SELECT seconds, finish_on FROM worklog_history ORDER BY seconds")
        with pytest.raises(sqlite3.DatabaseError, match="never physically deleted"):
            store.connection.execute("DELETE FROM worklog")

        assert [{"key": 7, "seconds": 120, "finish_on": "2026-10-04"}] == rows
        assert [{"seconds": 60, "finish_on": None}, {"seconds": 90, "finish_on": None}] == past
        assert [{"method": 1}] == store.rows("SELECT method FROM period_close")


@pytest.mark.parametrize(
    ("cell", "monday"),
    [
        ("2026-W44", "2026-10-26"),
        ("2026W44", "2026-10-26"),
        ("2026-S44", "2026-10-26"),
        ("2026-10-29", "2026-10-26"),
        ("29/10/2026", "2026-10-26"),
    ],
)
def test_a_column_may_name_the_week(cell: str, monday: str) -> None:
    """Week 44 of 2026 is 26 October to 1 November, said by its number or by any of its days."""
    (log,) = _weekly({"Semaine": cell, "H": 35})

    assert (monday, str(date.fromisoformat(monday) + timedelta(days=6)), 126000) == (
        log.day,
        log.finish_on,
        log.seconds,
    )


def test_a_week_that_is_none_is_refused() -> None:
    with pytest.raises(RowError, match="is not a week of its year"):
        _weekly({"Semaine": "2025-W53", "H": 35})


def _weekly(row: dict[str, Any]) -> list[Any]:
    fields: dict[str, Any] = {
        "day": {"column": "Semaine", "format": "week"},
        "seconds": {"column": "H", "unit": "hours"},
    }
    import msgspec

    mapping = msgspec.convert({"record": "worklog", "fields": fields}, Mapping)
    return [
        one
        for one in RowMapper(mapping, Worklog, source="s", prefix="", hours_per_day=7).records(row)
        if isinstance(one, Worklog)
    ]


@pytest.mark.long
def test_the_days_of_a_span_sum_to_it(store: Store, tmp_path: Path, proof: bool) -> None:
    """For random spans the lines sum to what was entered, lie within it and differ by a second at most."""
    rng = random.Random(7)
    spans = [
        (rng.randint(0, 400), rng.randint(0, 40), rng.randint(-(10**6), 10**6))
        for _ in range(5000 if proof else 200)
    ]
    first = date(2025, 6, 1)
    sync(store, *portfolio())
    sync(
        store,
        BOX,
        *(
            week(no, str(first + timedelta(days=at)), str(first + timedelta(days=at + length)), seconds)
            for no, (at, length, seconds) in enumerate(spans)
        ),
    )
    parts: dict[str, list[tuple[date, int]]] = {}
    for name, day, part in ask(
        out(store, tmp_path), "SELECT split_part(worklog_id, '@', 1), work_date, seconds FROM fact_worklog"
    ):
        parts.setdefault(name, []).append((day, part))
    for no, (at, length, seconds) in enumerate(spans):
        mine, start = parts[f"times:w{no}"], first + timedelta(days=at)

        assert seconds == sum(part for _, part in mine)
        assert all(start <= day <= start + timedelta(days=length) for day, _ in mine)
        assert max(part for _, part in mine) - min(part for _, part in mine) <= 1
