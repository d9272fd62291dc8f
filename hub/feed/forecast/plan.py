"""Forecast from a plan: open tasks take what such tasks took, along their links, slack and constraints."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from hub.feed.forecast.axis import Array, Axis
from hub.feed.forecast.observed import Observed

Ints = NDArray[np.int64]
MANY = 100
"""Open tasks from which on a plan is run less often: one of a thousand a tenth as often."""
_LEAST = 300


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Dependencies among the tasks of a plan: places of *before* and *after*, kind and lag in working days.

    *kinds* are 0 finish to start, 1 start to start, 2 finish to finish, 3 start to finish.
    """

    before: Ints
    after: Ints
    kinds: Ints
    lags: Array


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The open tasks of a project: arrays of one length.

    Days are since 1970-01-01, NaN where unknown: *start* and *finish* as planned, *began* in fact. *done* is
    the share of a task that is done; *earliest* holds a start back (a constraint, a task of another
    project), *finish_from* a finish. *tasks* are their keys.
    """

    tasks: Ints
    start: Array
    finish: Array
    began: Array
    done: Array
    earliest: Array
    finish_from: Array
    is_milestone: NDArray[np.bool_]
    links: Links

    @property
    def tells(self) -> bool:
        """Say whether at least half of the open tasks are planned."""
        return len(self.tasks) > 0 and bool(np.mean(~np.isnan(self.start + self.finish)) >= 0.5)


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """A task that drives the finish: the share of runs in which it is on the longest path, and its swing.

    *early* and *late* are days by which the project ends earlier or later than on average where the task is
    among its shortest and its longest tenth.
    """

    task: int
    criticality: float
    early: float
    late: float


def simulate_plan(
    rng: np.random.Generator, plan: Plan, axis: Axis, today: int, observed: Observed, project: int, runs: int,
    *, faster: float = 1.0, dropped: float = 0.0, drivers: bool = False,
) -> tuple[Array, list[Driver]]:  # fmt: skip
    """Return the position on *axis* at which each run ends, and with *drivers* what drives it.

    Each task takes what is left of its planned working days, times a ratio: one part is the project's in that
    run, the other the task's own. A task starts when its links, its constraint and its plan let it, so slack
    is used up before a delay goes on; where the plan itself overlaps two linked tasks, so does each run.
    """
    runs = max(_LEAST, min(runs, runs * MANY // max(len(plan.tasks), 1)))
    now = float(axis.end_of(np.array([float(today)]))[0])
    start, left = _left(plan, axis, today, now)
    left = left * (1 - dropped) / faster
    mean, spread = observed.of(project)
    shared = np.asarray(rng.normal(mean, spread, runs))
    takes = np.exp(observed.draw(rng, (len(left), runs)) + shared)
    takes *= left[:, None]
    begins = np.repeat(start[:, None], runs, axis=1)
    # a start that is still ahead slips as the project does
    ahead = (start > now)[:, None]
    begins = np.where(ahead, now + (begins - now) * np.exp(np.maximum(shared, 0.0)) ** 0.5, begins)
    begins = np.maximum(begins, np.nan_to_num(axis.end_of(plan.earliest - 1), nan=-np.inf)[:, None])
    held = np.nan_to_num(axis.end_of(plan.finish_from), nan=-np.inf)[:, None]
    lags = _lags(plan, axis, start, left)
    ends = np.empty_like(begins)
    levels, order = _levels(len(left), plan.links)
    for tasks, edges in zip(levels, order, strict=True):
        if len(edges):
            bound = _bounds(plan.links, edges, lags, begins, ends, takes)
            where = np.flatnonzero(np.diff(plan.links.after[edges], prepend=-1))
            after = plan.links.after[edges[where]]
            begins[after] = np.maximum(begins[after], np.maximum.reduceat(bound, where, axis=0))
        ends[tasks] = np.maximum(begins[tasks] + takes[tasks], held[tasks])
    whole = ends.max(axis=0)
    if not drivers:
        return whole, []
    critical = _critical(plan.links, levels, order, lags, begins, ends, takes, whole)
    return whole, _drivers(plan, takes, whole, critical)


def _left(plan: Plan, axis: Axis, today: int, now: float) -> tuple[Array, Array]:
    """Return where each task starts at the earliest and how many working days it has left, as planned."""
    length = np.maximum(axis.between(plan.start, plan.finish), 0.0)
    usual = float(np.nanmedian(length)) if np.any(~np.isnan(length)) else 5.0
    length = np.where(np.isnan(length), usual, length)
    length = np.where(plan.is_milestone, 0.0, np.maximum(length, 0.5))
    running = ~np.isnan(plan.began) | (plan.done > 0)
    planned_left = np.nan_to_num(axis.end_of(plan.finish) - now, nan=0.0)
    by_share = length * (1 - np.clip(plan.done, 0, 0.98))
    # one that is overdue has at least what its share says, and never nothing
    left = np.where(running, np.maximum(np.where(planned_left > 0, planned_left, by_share), 0.25), length)
    left = np.where(plan.is_milestone, 0.0, left)
    start = np.nan_to_num(axis.end_of(plan.start - 1), nan=now)
    return np.where(running, now, np.maximum(start, now)), left


def _lags(plan: Plan, axis: Axis, start: Array, left: Array) -> Array:
    """Return the lags that hold: where the plan overlaps two linked tasks, what it has itself."""
    links = plan.links
    if not len(links.before):
        return links.lags
    planned_end = start + left
    origin: Array = np.where(np.isin(links.kinds, (0, 2)), planned_end[links.before], start[links.before])
    target = np.where(np.isin(links.kinds, (0, 1)), start[links.after], planned_end[links.after])
    return np.asarray(np.minimum(links.lags, target - origin))


def _levels(n: int, links: Links) -> tuple[list[Ints], list[Ints]]:
    """Return the tasks in layers, each after those it depends on, and the links into each layer.

    Links of a circle are left out.
    """
    depth = np.zeros(n, dtype=np.int64)
    missing = np.bincount(links.after, minlength=n) if len(links.after) else np.zeros(n, dtype=np.int64)
    ready = np.flatnonzero(missing == 0)
    by_before = np.argsort(links.before, kind="stable")
    first = np.searchsorted(links.before[by_before], np.arange(n + 1))
    level = 0
    seen = np.zeros(n, dtype=bool)
    while len(ready):
        depth[ready], seen[ready] = level, True
        out = (
            np.concatenate([by_before[first[one] : first[one + 1]] for one in ready]) if len(ready) else ready
        )
        reached, counts = np.unique(links.after[out], return_counts=True)
        missing[reached] -= counts
        ready = reached[missing[reached] == 0]
        level += 1
    depth[~seen] = level
    layers = [np.flatnonzero(depth == one) for one in range(int(depth.max(initial=0)) + 1)]
    order = np.argsort(links.after, kind="stable")
    order = order[depth[links.before[order]] < depth[links.after[order]]]
    return layers, [order[depth[links.after[order]] == one] for one in range(len(layers))]


def _bounds(links: Links, edges: Ints, lags: Array, begins: Array, ends: Array, takes: Array) -> Array:
    """Return by link and run before which position its second task does not start."""
    kinds = links.kinds[edges][:, None]
    before, after = links.before[edges], links.after[edges]
    origin = np.where((kinds == 0) | (kinds == 2), ends[before], begins[before]) + lags[edges][:, None]
    return np.where(kinds >= 2, origin - takes[after], origin)


def _critical(
    links: Links, levels: list[Ints], order: list[Ints], lags: Array, begins: Array, ends: Array,
    takes: Array, whole: Array,
) -> NDArray[np.bool_]:  # fmt: skip
    """Return by task and run whether it is on the longest path: it ends last, or holds one back that is."""
    critical = ends >= whole - 1e-6
    for edges in reversed(order):
        if len(edges):
            bound = _bounds(links, edges, lags, begins, ends, takes)
            holds = critical[links.after[edges]] & (bound >= begins[links.after[edges]] - 1e-6)
            np.logical_or.at(critical, links.before[edges], holds)
    return critical


def _drivers(plan: Plan, takes: Array, whole: Array, critical: NDArray[np.bool_]) -> list[Driver]:
    index = critical.mean(axis=1)
    middle = float(whole.mean())
    found = []
    for at in np.argsort(-index, kind="stable")[:12]:
        if index[at] < 0.01 or plan.is_milestone[at]:
            continue
        low, high = np.quantile(takes[at], (0.1, 0.9))
        found.append(Driver(
            task=int(plan.tasks[at]), criticality=float(index[at]),
            early=min(0.0, float(whole[takes[at] <= low].mean()) - middle),
            late=max(0.0, float(whole[takes[at] >= high].mean()) - middle),
        ))  # fmt: skip
    return found
