"""What a run changes in hours per project: the receipt of a dry run."""

from __future__ import annotations

import msgspec

from hub.store import Store
from hub.store.presence import LEFT, TASK_LEFT

_SQL = f"""
WITH place AS (
    SELECT c.id, coalesce(min(l.project_code), c.code, c.name) AS project FROM container c
    LEFT JOIN project_link l ON l.presence NOT IN {LEFT} AND l.container_id IN (c.id, c.source_id || ':' || c.code, c.source_id || ':' || c.name)
    WHERE c.presence NOT IN {LEFT} GROUP BY c.id
), hours AS (
    SELECT coalesce(w.container_id, t.container_id) AS container_id, w.seconds AS logged, 0 AS estimate, 0 AS remaining
    FROM worklog w LEFT JOIN task t ON t.id = w.task_id
    WHERE w.origin = 'timesheet' AND w.presence NOT IN {LEFT} AND NOT coalesce({TASK_LEFT}, FALSE)
    UNION ALL
    SELECT container_id, 0, coalesce(estimate_s, 0), coalesce(remaining_s, 0) FROM task WHERE presence NOT IN {LEFT}
)
SELECT coalesce(p.project, CASE WHEN h.container_id IS NULL THEN '' ELSE h.container_id END) AS project,
    sum(logged), sum(estimate), sum(remaining)
FROM hours h LEFT JOIN place p ON p.id = h.container_id
WHERE h.container_id IS NULL OR p.id IS NOT NULL OR NOT EXISTS (SELECT 1 FROM container c WHERE c.id = h.container_id)
GROUP BY 1
"""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of one project before and after: logged in timesheets, estimated and remaining in plans."""

    project: str
    logged: tuple[float, float]
    estimate: tuple[float, float]
    remaining: tuple[float, float]


def hours(store: Store) -> dict[str, tuple[int, int, int]]:
    """Return logged, estimated and remaining seconds per project, as the store knows them now."""
    return {row[0]: (row[1], row[2], row[3]) for row in store.connection.execute(_SQL)}


def compare(before: dict[str, tuple[int, int, int]], after: dict[str, tuple[int, int, int]]) -> list[Effect]:
    """Return the projects whose hours differ, largest change of logged hours first."""
    nothing = (0, 0, 0)
    effects = []
    for project in before.keys() | after.keys():
        old, new = before.get(project, nothing), after.get(project, nothing)
        if old != new:
            pairs = [(a / 3600, b / 3600) for a, b in zip(old, new, strict=True)]
            effects.append(Effect(project=project, logged=pairs[0], estimate=pairs[1], remaining=pairs[2]))
    return sorted(
        effects,
        key=lambda e: (-abs(e.logged[1] - e.logged[0]), -abs(e.estimate[1] - e.estimate[0]), e.project),
    )
