"""What a run changes in hours per project: the receipt of a dry run."""

from __future__ import annotations

import msgspec

from hub.placement.questions import hours_by_project
from hub.store import Store

Hours = dict[tuple[str, str], tuple[int, int, int]]


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """Hours of one project before and after: logged in timesheets, estimated and remaining in plans."""

    project: str
    logged: tuple[float, float]
    estimate: tuple[float, float]
    remaining: tuple[float, float]


def hours(store: Store, *, check: bool = True) -> Hours:
    """Return logged, estimated and remaining seconds by (label, identity) of a project, as known now.

    With *check*, filters that claim one task alike raise `FeedError`; without, it counts for no project.
    """
    return {
        (row["label"], row["identity"]): (row["logged"], row["estimate"], row["remaining"])
        for row in hours_by_project(store.connection, check=check)
    }


def compare(before: Hours, after: Hours) -> list[Effect]:
    """Return the projects whose hours differ, largest change of logged hours first."""
    nothing = (0, 0, 0)
    effects = []
    for project in before.keys() | after.keys():
        old, new = before.get(project, nothing), after.get(project, nothing)
        if old != new:
            pairs = [(a / 3600, b / 3600) for a, b in zip(old, new, strict=True)]
            effects.append(Effect(project=project[0], logged=pairs[0], estimate=pairs[1], remaining=pairs[2]))
    return sorted(
        effects,
        key=lambda e: (-abs(e.logged[1] - e.logged[0]), -abs(e.estimate[1] - e.estimate[0]), e.project),
    )
