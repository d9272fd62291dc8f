"""What plans say beyond dates and effort, by hand: deadlines, slack, critical work, costs, who is on what."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from test_feed import ask, feed_of, fill

from hub.feed import BuildOptions, Cut, Snapshot, build, project_to
from hub.records import Account, Allocation, Assignment, Baseline, Container, Person, PersonLink, Record, Task
from hub.store import Store
from hub.testing.empty import store_at

DAY = 28800
SCHEDULE: list[Record] = [
    Container(id="plans:g", kind="plan", code="A", name="Alpha", seconds_per_day=DAY),
    Account(id="plans:r1", display_name="One"),
    Account(id="plans:r2", display_name="Two"),
    Task(id="plans:s", container_id="plans:g", title="Phase", kind="summary", cost_minor=900000),
    # five days past its deadline as planned, on the critical path
    Task(id="plans:1", container_id="plans:g", parent_id="plans:s", title="Build",
         status_native="in_progress", planned_start_on="2026-03-02", planned_finish_on="2026-04-20",
         deadline_on="2026-04-15", constraint_type="finish_no_later", constraint_on="2026-04-30",
         is_critical=True, total_slack_s=-2 * DAY, free_slack_s=0, duration_s=20 * DAY, estimate_s=10 * DAY,
         remaining_s=6 * DAY, cost_minor=500000, actual_cost_minor=200000, remaining_cost_minor=300000,
         currency="EUR", notes="Ask the supplier"),
    # planned before today and not done: it finishes today at the earliest, eleven days past its deadline
    Task(id="plans:2", container_id="plans:g", parent_id="plans:s", title="Test", status_native="todo",
         planned_finish_on="2026-03-25", deadline_on="2026-03-20", is_critical=False, total_slack_s=4 * DAY,
         remaining_s=2 * DAY, estimate_s=2 * DAY, cost_minor=100000, currency="EUR"),
    # done in time
    Task(id="plans:3", container_id="plans:g", parent_id="plans:s", title="Design", status_native="done",
         percent=100.0, actual_finish_on="2026-02-10", planned_finish_on="2026-02-10",
         deadline_on="2026-02-28", is_critical=False, total_slack_s=0, estimate_s=3 * DAY, remaining_s=0,
         cost_minor=50000, currency="USD"),
    Baseline(id="plans:1/b0", task_id="plans:1", finish_on="2026-04-10", effort_s=8 * DAY, cost_minor=400000,
             currency="EUR"),
    Assignment(id="plans:a1", task_id="plans:1", account_id="plans:r1", units=0.5, start_on="2026-03-02",
               finish_on="2026-04-20", planned_s=6 * DAY, actual_s=3 * DAY, remaining_s=3 * DAY,
               cost_minor=300000, actual_cost_minor=200000, remaining_cost_minor=100000, currency="EUR"),
    Assignment(id="plans:a2", task_id="plans:1", planned_s=4 * DAY, remaining_s=3 * DAY),
    Allocation(id="plans:p1", account_id="plans:r1", task_id="plans:1", container_id="plans:g",
               start_on="2026-03-30", finish_on="2026-03-30", seconds=50 * 3600),
    Allocation(id="plans:p2", account_id="plans:r2", task_id="plans:1", container_id="plans:g",
               start_on="2026-03-31", finish_on="2026-03-31", seconds=7 * 3600),
    Allocation(id="plans:p3", task_id="plans:2", container_id="plans:g", start_on="2026-04-01",
               finish_on="2026-04-01", seconds=3 * 3600),
]  # fmt: skip
PEOPLE: list[Record] = [
    *(Person(id=f"config:{n}", display_name=f"P{n}", team="Core") for n in (1, 2)),
    *(
        PersonLink(id=f"hub:{n}", account_id=f"plans:r{n}", person_id=f"config:{n}", method="test", score=1.0,
                   state="accepted")
        for n in (1, 2)
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """Return the feed of the schedule alone, built once."""
    folder = tmp_path_factory.mktemp("schedule")
    with store_at(folder / "hub.db") as filled:
        fill(filled, SCHEDULE)
        return feed_of(filled, folder)


def figures(snapshot: Snapshot, code: str, scope: str = "project") -> dict[str, Any]:
    return dict(
        ask(
            snapshot,
            f"SELECT measure, value FROM fact_kpi WHERE kpi = '{code}' AND scope_kind = '{scope}' "
            "AND is_last_period = 1 AND cut_key = 0",
        )
    )


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("DEADLINE", {"with_deadline": 3.0, "past": 2.0, "days_past": 11.0}),
        ("CRITICAL", {"critical_days": 6.0, "open_days": 8.0, "share": 0.75, "near_critical": 1.0}),
        ("FLOAT", {"least": -2.0, "lost": None}),
        # the design is in dollars: not added to euros; the phase's cost is that of its tasks
        ("COST_PLAN", {"baseline": 4000.0, "planned": 6000.0, "actual": 2000.0, "remaining": 3000.0,
                       "variance": 2000.0}),
    ],
)  # fmt: skip
def test_what_a_schedule_says_is_a_figure(told: Snapshot, code: str, expected: dict[str, Any]) -> None:
    """Two deadlines of three are missed, six of eight days left are critical, one task is near it."""
    assert expected == figures(told, code)


@pytest.mark.long
def test_who_has_more_than_the_week_gives(store: Store, tmp_path: Path) -> None:
    """Fifty hours of a plan of eight a day are 6.25 days, of a person of seven 43.75 hours: 8.75 above 35."""
    fill(store, SCHEDULE)
    fill(store, [one for one in PEOPLE if isinstance(one, Person)])
    run = store.begin_run("config", "full")
    store.write_batch([one for one in PEOPLE if isinstance(one, PersonLink)], run_id=run, source_id="hub")

    snapshot = feed_of(store, tmp_path)
    found = figures(snapshot, "OVERALLOCATION", "portfolio")
    demand = {
        line["reason"]: line["amount"]
        for line in snapshot.manifest["excluded"]
        if line["measure"] == "planned_s"
    }
    assert {"people": 2.0, "overloaded": 1.0, "above_h": 8.75} == found
    # the three hours of nobody are no fault of people.csv
    assert {"demand that nobody has yet: in the workload plan, not in load and capacity": 10800} == demand


@pytest.mark.long
@pytest.mark.parametrize("level", ["team-week", "project"])
def test_no_level_of_sums_says_how_many_have_too_much(store: Store, tmp_path: Path, level: str) -> None:
    """Of six people one who is overallocated could be told: the feed has it, its sums do not."""
    six = range(1, 7)
    fill(store, [
        *SCHEDULE, *(Account(id=f"plans:r{n}", display_name=f"R{n}") for n in six),
        *(
            Allocation(id=f"plans:six{n}", account_id=f"plans:r{n}", container_id="plans:g",
                       start_on="2026-02-02", finish_on="2026-02-02", seconds=(60 if n == 1 else 7) * 3600)
            for n in six
        ),
    ])  # fmt: skip
    fill(store, [Person(id=f"config:{n}", display_name=f"P{n}", team="Core") for n in six])
    run = store.begin_run("config", "full")
    links = [
        PersonLink(id=f"hub:{n}", account_id=f"plans:r{n}", person_id=f"config:{n}", method="test",
                   score=1.0, state="accepted")
        for n in six
    ]  # fmt: skip
    store.write_batch(links, run_id=run, source_id="hub")
    snapshot = feed_of(store, tmp_path)
    folder = project_to(level, snapshot.folder, tmp_path / "projections", k=5)
    asked = "SELECT count(*) FROM fact_kpi WHERE kpi = 'OVERALLOCATION'"

    assert ask(snapshot, asked)[0][0] > 0
    assert [(0,)] == ask(folder, asked)


@pytest.mark.long
def test_slack_is_lost_between_two_cuts(store: Store, tmp_path: Path) -> None:
    """Of a task that had a day and is two late now three are lost, which is more than the two of another."""
    before = [
        Task(**{name: getattr(one, name) for name in one.__struct_fields__} | {"total_slack_s": slack})
        for one, slack in ((SCHEDULE[4], 1 * DAY), (SCHEDULE[5], 6 * DAY))
        if isinstance(one, Task)
    ]
    fill(store, [*SCHEDULE[:4], *before])
    moment = store.rows("SELECT last FROM clock")[0]["last"]
    fill(store, SCHEDULE)
    cut = Cut(key=1, as_of=moment, kind="copil", label="Committee")
    now = datetime(2026, 12, 31, 12, tzinfo=UTC)
    snapshot = build(store.engine, tmp_path / "feed", BuildOptions(cuts=(cut,)), now=now)

    assert {"least": -2.0, "lost": 3.0} == figures(snapshot, "FLOAT")


def test_a_task_is_told_by_what_the_plan_says(told: Snapshot) -> None:
    """Deadline, constraint, slack and duration in days of the plan, notes; costs stay with the tasks."""
    assert [
        (date(2026, 4, 15), "finish_no_later", date(2026, 4, 30), 1, -2.0, 0.0, 20.0, "Ask the supplier",
         "One"),
    ] == ask(
        told,
        "SELECT deadline, constraint_type, constraint_date, is_critical, total_slack_days, free_slack_days, "
        "duration_days, notes, assignees FROM dim_task WHERE title = 'Build'",
    )  # fmt: skip
    assert [(6000.0, 5)] == ask(
        told,
        "SELECT sum(cost_amount)::DOUBLE, max(deadline_slip_days) FROM fact_task_snapshot",
    )


def test_an_assignment_is_a_row_and_nobody_is_somebody_to_find(told: Snapshot) -> None:
    """Who is on a task, with the effort and cost of each; demand without a resource has person -1."""
    assert [("One", 0.5, 6.0, 3.0, 3.0, 3000.0), ("(Unknown)", None, 4.0, None, 3.0, None)] == ask(
        told,
        "SELECT p.person_label, units, planned_days, actual_days, remaining_days, cost_amount::DOUBLE "
        "FROM fact_assignment JOIN dim_person p USING (person_key) ORDER BY planned_days DESC",
    )
    assert [(3 * 3600,)] == ask(
        told, "SELECT sum(planned_s)::BIGINT FROM fact_allocation_week WHERE person_key = -1"
    )
