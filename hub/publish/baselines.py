"""Baselines the hub keeps for tools that have none."""

from __future__ import annotations

from hub.errors import ConfigError
from hub.records import Baseline
from hub.store import Store
from hub.store.store import utc_now


def take(store: Store, project: str, *, actor: str) -> int:
    """Keep dates and efforts of every task of *project* that has no baseline of its tool; gives their number.

    A second one replaces the first, which stays in the history. Raises `ConfigError` for an unknown project.
    """
    here = "presence NOT IN ('deleted', 'trashed')"
    rows = store.rows(
        f"SELECT t.id, coalesce(t.planned_start_on, t.actual_start_on) AS start_on, coalesce(t.planned_finish_on, t.due_on) AS finish_on, "
        f"t.estimate_s, t.points FROM task t JOIN container c ON c.id = t.container_id AND c.{here} WHERE t.{here} AND (lower(c.code) = lower(:code) OR EXISTS "
        f"(SELECT 1 FROM project_link l WHERE l.{here} AND l.project_code = :code AND l.container_id IN (c.id, c.source_id || ':' || c.code, c.source_id || ':' || c.name))) "
        f"AND NOT EXISTS (SELECT 1 FROM baseline b WHERE b.task_id = t.id AND b.origin = 'source' AND b.{here})",
        {"code": project},
    )
    if not rows and not store.rows(f"SELECT 1 FROM project WHERE code = ? AND {here}", (project,)):
        raise ConfigError(f"There is no project {project!r} with tasks.")
    now = utc_now()
    records = [
        Baseline(
            id=f"hub:baseline/{row['id']}", task_id=row["id"], no=0, captured_at=f"{now[:19]}Z", origin="hub", start_on=row["start_on"],
            finish_on=row["finish_on"], effort_s=row["estimate_s"], points=row["points"],
        )
        for row in rows
        if row["finish_on"] or row["estimate_s"] is not None
    ]  # fmt: skip
    with store.transaction():
        store.save(records, run_id=0, source_id="hub")
        store.audit("baseline", project, actor=actor, after=f"{len(records)} tasks")
    return len(records)
