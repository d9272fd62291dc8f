"""Baselines the hub keeps for tools that have none."""

from __future__ import annotations

from hub.errors import ConfigError
from hub.placement.questions import tasks_without_baseline
from hub.records import Baseline
from hub.store import Store
from hub.store.store import utc_now
from hub.words import tr


def take(store: Store, project: str, *, actor: str) -> int:
    """Keep dates and efforts of the tasks of *project* without a baseline of their tool; gives their number.

    A second one replaces the first, which stays in the history. Raises `ConfigError` for an unknown project,
    `FeedError` where filters claim one task alike.
    """
    rows = tasks_without_baseline(store.connection, project)
    if rows is None:
        raise ConfigError(tr("There is no project {project!r} with tasks.", project=project))
    now = utc_now()
    records = [
        Baseline(
            id=f"hub:baseline/{row['id']}", task_id=row["id"], no=0, captured_at=f"{now[:19]}Z", origin="hub",
            start_on=row["start_on"], finish_on=row["finish_on"],
            effort_s=row["estimate_s"], points=row["points"],
        )
        for row in rows
        if row["finish_on"] or row["estimate_s"] is not None
    ]  # fmt: skip
    with store.transaction():
        store.save(records, run_id=0, source_id="hub")
        store.audit("baseline", project, actor=actor, after=f"{len(records)} tasks")
    return len(records)
