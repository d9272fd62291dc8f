"""Planned, earned and actual by month: a small portfolio at two cuts, worked out on paper.

The working days in France in 2026: from 5 to 30 January 20, in February 20 (from the 2nd), from 2 to 20 March
15, from 2 to 27 March 20, from 1 to 15 April 10 (the 6th is Easter Monday).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from hub import clock
from hub.destination import FeedView
from hub.feed import BuildOptions, measures
from hub.feed.story import rows_of, tell
from hub.publish import PublishOptions, cuts, publish
from hub.records import Baseline, Container, Project, Rate, Record, Task, Worklog
from hub.store import Store
from hub.testing import view_of
from hub.testing.fixtures import store_at

DAY = 25200
JH = DAY


def task(no: int, box: str, days: int, start: str, finish: str, percent: float) -> list[Record]:
    return [
        Task(id=f"plans:t{no}", container_id=f"plans:{box}", title=f"Task {no}", estimate_s=days * JH,
             remaining_s=0, percent=percent, status_raw="Done" if percent == 100 else None),
        Baseline(id=f"plans:b{no}", task_id=f"plans:t{no}", start_on=start, finish_on=finish,
                 effort_s=days * JH),
    ]  # fmt: skip


def spent(no: int, box: str, day: str, days: float, **facts: Any) -> Worklog:
    return Worklog(id=f"times:w{no}", container_id=f"times:{box}", day=day, seconds=int(days * JH), **facts)


CONFIG: list[Record] = [
    *(Project(id=f"config:{code}", code=code, name=code) for code in ("A", "B", "C")),
    Rate(id="config:r", scope="default", scope_id="*", valid_from="2020-01-01", minor_per_day=50000),
]
BOXES: list[Record] = [
    Container(id=f"plans:{code}", kind="plan", code=code, name=code, seconds_per_day=JH)
    for code in ("A", "B")
]
TIMES: list[Record] = [
    *(Container(id=f"times:{code}", kind="table", code=code, name=code) for code in ("A", "B", "C")),
    spent(1, "A", "2026-01-12", 2), spent(2, "A", "2026-02-10", 3), spent(3, "A", "2026-03-19", 1),
    spent(4, "A", "2026-02-11", 5, approval="rejected"),
    spent(5, "B", "2026-03-02", 1), spent(6, "C", "2026-03-03", 8),
]  # fmt: skip


def sync(store: Store, *records: Record) -> None:
    source = records[0].id.partition(":")[0]
    store.register_source(
        source, kind="test", base_url=None, tz="UTC", seconds_per_day=DAY, freshness_max_s=360000
    )
    run = store.begin_run(source, "full")
    store.write_batch(list(records), run_id=run, source_id=source)
    store.end_run(run, "ok")


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FeedView]:
    """Give the feed of 20 March, with the cut of 13 February, which is closed."""
    base = tmp_path_factory.mktemp("months")
    try:
        with store_at(base / "hub.db") as store:
            clock.pretend(datetime(2026, 2, 13, 12, tzinfo=UTC))
            sync(store, *CONFIG)
            plan_a = task(1, "A", 20, "2026-01-05", "2026-01-30", 50)
            sync(store, *BOXES, *plan_a, *task(2, "A", 40, "2026-02-02", "2026-03-27", 0))
            sync(store, *TIMES)
            clock.pretend(datetime(2026, 2, 13, 13, tzinfo=UTC))
            cuts.take(store, kind="copil", label="COPIL", actor="me")
            cuts.close(store, base / "feed", "COPIL", BuildOptions(), actor="me")
            clock.pretend(datetime(2026, 3, 20, 12, tzinfo=UTC))
            plan_a = task(1, "A", 20, "2026-01-05", "2026-01-30", 100)
            sync(
                store, *BOXES, *plan_a, *task(2, "A", 40, "2026-02-02", "2026-03-27", 25),
                *task(3, "B", 10, "2026-04-01", "2026-04-15", 0),
            )  # fmt: skip
            report = publish(
                store, base / "feed", [], PublishOptions(base=base, build=BuildOptions(), force="a test")
            )
            with view_of(Path(report.folder)) as view:
                yield view
    finally:
        clock.pretend(None)


def months(feed: FeedView, cut: str, columns: str) -> list[tuple[Any, ...]]:
    return feed.connection.execute(
        f"SELECT p.code, f.year_month, {columns} FROM fact_evm_month f "
        "JOIN dim_project p USING (project_key) JOIN dim_cut c USING (cut_key) "
        "WHERE c.label = ? ORDER BY 1, 2",
        [cut],
    ).fetchall()


def test_person_days_of_now_by_hand(feed: FeedView) -> None:
    """Task 1 of 20 days fills January, task 2 of 40 February and March to the 27th; the cut is on the 20th.

    Half of task 1 was earned on 13 February (10), all of it and a quarter of task 2 on 20 March (30).
    Rejected hours and a project without a baseline are not in it; B has spent a day before its plan begins,
    and every project goes on to the end of all.
    """
    assert [
        ("A", "2026-01", 20260131, 20.0, None, 2.0),
        ("A", "2026-02", 20260228, 40.0, 10.0, 5.0),
        ("A", "2026-03", 20260320, 55.0, 30.0, 6.0),
        ("A", "2026-04", 20260430, 60.0, None, None),
        ("B", "2026-03", 20260320, 0.0, 0.0, 1.0),
        ("B", "2026-04", 20260430, 10.0, None, None),
    ] == months(feed, "Now", "date_key, pv_days, ev_days, ac_days")


def test_money_is_person_days_at_their_price(feed: FeedView) -> None:
    """500 a day: planned, earned and actual of March."""
    found = {row[:2]: row[2:] for row in months(feed, "Now", "pv_amount, ev_amount, ac_amount")}

    assert (27500.0, 15000.0, 3000.0) == found["A", "2026-03"]
    assert (0.0, 0.0, 500.0) == found["B", "2026-03"]


def test_a_closed_cut_keeps_the_curve_that_it_had(feed: FeedView) -> None:
    """On 13 February ten days of task 2 were due, of its 40; March was not spent, and B not planned."""
    assert [
        ("A", "2026-01", 20260131, 20.0, None, 2.0),
        ("A", "2026-02", 20260213, 30.0, 10.0, 5.0),
        ("A", "2026-03", 20260331, 60.0, None, None),
    ] == months(feed, "COPIL", "date_key, pv_days, ev_days, ac_days")


def test_measures_and_catalogue_say_the_same_on_the_day_of_the_cut(feed: FeedView) -> None:
    """The portfolio on 20 March: 55 planned, 30 earned, 7 spent; the months of now are not added up."""
    told = {
        name: feed.connection.execute(f"SELECT {one.sql} FROM {one.table} WHERE {one.where}").fetchall()[0][0]
        for name, one in measures().items()
        if name in {"pv_days_to_date", "ev_days_to_date", "ac_days_to_date"}
    }

    assert {"pv_days_to_date": 55.0, "ev_days_to_date": 30.0, "ac_days_to_date": 7.0} == told


def test_the_index_of_the_portfolio_is_of_projects_with_a_baseline(feed: FeedView) -> None:
    """C has spent 8 days without a baseline: 30 earned of 7 spent, not of 15; C by itself has spent its 8."""
    told = {
        name: feed.connection.execute(f"SELECT {one.sql} FROM {one.table} WHERE {one.where}").fetchall()[0][0]
        for name, one in measures().items()
        if name in {"EVM_DAYS ev", "EVM_DAYS ac", "EVM_DAYS cpi", "EVM_DAYS spi"}
    }
    kept = feed.connection.execute(
        "SELECT scope_label, measure, value FROM fact_kpi WHERE cut_key = 0 AND kpi = 'EVM_DAYS' AND "
        "measure IN ('ac', 'cpi') AND (scope_kind = 'portfolio' OR scope_label = 'C') ORDER BY ALL"
    ).fetchall()

    assert {"EVM_DAYS ev": 30.0, "EVM_DAYS ac": 7.0, "EVM_DAYS cpi": 30 / 7, "EVM_DAYS spi": 30 / 55} == told
    assert [("*", "ac", 7.0), ("*", "cpi", 30 / 7), ("C", "ac", 8.0), ("C", "cpi", None)] == kept


def test_papers_draw_the_months(feed: FeedView) -> None:
    """Of the whole portfolio; earned on the days that were photographed."""
    drawn = [(one["series"], one["date"], one["value"]) for one in rows_of("s_curve", tell(feed))]

    assert [
        ("planned", "2026-01-31", 20.0), ("planned", "2026-02-28", 40.0), ("planned", "2026-03-20", 55.0),
        ("planned", "2026-04-30", 70.0),
        ("earned", "2026-02-13", 10.0), ("earned", "2026-03-20", 30.0),
        ("actual", "2026-01-31", 2.0), ("actual", "2026-02-28", 5.0), ("actual", "2026-03-20", 7.0),
    ] == drawn  # fmt: skip
