"""The report of a sprint: committed, added, removed and done, told from its days and the history."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_feed import ask, feed_of, fill

from hub.records import Container, Iteration, Record, Task, TaskChange
from hub.store import Store

BEGAN, ENDED = "2026-03-02T08:00:00Z", "2026-03-13T16:00:00Z"


def story(no: int, *, points: float | None, sprint: str | None = None, status: str = "To Do") -> Task:
    return Task(
        id=f"jira:{no}", container_id="jira:p1", title=f"S{no}", status_raw=status, points=points,
        iteration_id=sprint, created_at="2026-02-01T08:00:00Z",
        status_native="done" if status == "Done" else "todo",
    )  # fmt: skip


def change(no: int, field: str, before: str | None, after: str | None, at: str) -> TaskChange:
    return TaskChange(
        id=f"jira:h{no}/{field}/{at}",
        task_id=f"jira:{no}",
        field=field,
        from_value=before,
        to_value=after,
        at=at,
    )


SITE: list[Record] = [
    Container(id="jira:p1", kind="project", code="A", name="Alpha"),
    Iteration(id="jira:s7", container_id="jira:p1", name="Sprint 7", state="closed", start_at=BEGAN,
              finish_at="2026-03-13T12:00:00Z", completed_at=ENDED),
    Iteration(id="jira:s8", container_id="jira:p1", name="Sprint 8", state="future"),
    # committed with 5 and done with 8: its points were raised in the sprint
    story(1, points=8.0, sprint="jira:s7", status="Done"),
    change(1, "sprint", None, "7", "2026-02-20T08:00:00Z"),
    change(1, "points", "5", "8", "2026-03-05T08:00:00Z"),
    change(1, "status", "To Do", "Done", "2026-03-10T08:00:00Z"),
    # committed, not done, carried into the next sprint when this one closed
    story(2, points=3.0, sprint="jira:s8"),
    change(2, "sprint", "", "7", "2026-02-20T08:00:00Z"),
    change(2, "sprint", "7", "7, 8", "2026-03-13T16:00:01Z"),
    # came in the middle, done after the end
    story(3, points=2.0, sprint="jira:s7", status="Done"),
    change(3, "sprint", None, "7", "2026-03-06T08:00:00Z"),
    change(3, "status", "To Do", "Done", "2026-03-20T08:00:00Z"),
    # committed and taken out
    story(4, points=13.0),
    change(4, "sprint", "7", None, "2026-03-04T08:00:00Z"),
    # in it since it was created, without a line of history
    story(5, points=1.0, sprint="jira:s7"),
    # taken out before it began
    story(6, points=21.0),
    change(6, "sprint", "7", "", "2026-03-01T08:00:00Z"),
]  # fmt: skip


@pytest.mark.long
def test_a_sprint_is_told_from_its_days_and_the_history(store: Store, tmp_path: Path) -> None:
    """By hand: 5 + 3 + 13 + 1 committed, 2 added, 13 removed, 8 done; a sprint to come is not told."""
    fill(store, SITE)

    assert [("Sprint 7", 22.0, 2.0, 13.0, 8.0, 4, 1, 1, 1)] == ask(
        feed_of(store, tmp_path),
        "SELECT i.name, committed_points, added_points, removed_points, done_points, committed_tasks, "
        "added_tasks, removed_tasks, done_tasks FROM fact_sprint JOIN dim_iteration i USING (iteration_key)",
    )
