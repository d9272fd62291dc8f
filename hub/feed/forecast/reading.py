"""Read from a feed what was known of every project now and at past cuts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from hub.feed.forecast.axis import Array, Axis
from hub.feed.forecast.cost import Cost, dearness
from hub.feed.forecast.engine import Known, Moment
from hub.feed.forecast.flow import WEEKS, Flow
from hub.feed.forecast.observed import Observed, observe
from hub.feed.forecast.plan import Links, Plan
from hub.feed.kpi import catalogue, prepare

if TYPE_CHECKING:
    import duckdb

MOST_CUTS = 18
"""Past cuts that are forecast again, the last ones."""
APART = 21
"""Days between two of them at least: those of each day add nothing."""
_EPOCH = date(1970, 1, 1)

Columns = dict[str, NDArray[Any]]


def moments(connection: duckdb.DuckDBPyConnection, day: date) -> list[Moment]:
    """Return what was known at past cuts, as they kept it, and at last now, cut 0 of *day*.

    The KPIs of `asked` are left pointed at cut 0.
    """
    axis = _axis(connection)
    links = _columns(connection, _sql("links"))
    states = dict(connection.execute("SELECT project_key, state FROM dim_project").fetchall())
    with _own_views(connection):
        found = [
            _moment(connection, cut, when, axis, links) for cut, when in reversed(_cuts(connection, day))
        ]
        return [*found, _settled(_moment(connection, 0, day, axis, links), states)]


@contextmanager
def _own_views(connection: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Let the KPIs stand on views of their own, beside the tables that a build keeps for its own cut."""
    connection.execute("CREATE SCHEMA IF NOT EXISTS forecasting")
    connection.execute("SET search_path = 'forecasting,main'")
    try:
        yield
    finally:
        connection.execute("SET search_path = 'main'")


def _sql(name: str) -> str:
    return (files("hub.feed.forecast") / f"{name}.sql").read_text(encoding="utf-8")


def asked(connection: duckdb.DuckDBPyConnection, name: str, **values: Any) -> Any:
    """Return the one value that the question *name* has, on a connection that `moments` was asked of."""
    with _own_views(connection):
        found = connection.execute(_sql(name), values).fetchone()
    return found[0] if found else None


def _columns(connection: duckdb.DuckDBPyConnection, sql: str) -> Columns:
    """Return the columns of a query as arrays; an empty number is NaN."""
    found: dict[str, Any] = connection.execute(sql).fetchnumpy()
    return {
        name: values.filled(np.nan)
        if isinstance(values, np.ma.MaskedArray) and values.dtype.kind == "f"
        else np.asarray(values)
        for name, values in found.items()
    }


def _cuts(connection: duckdb.DuckDBPyConnection, day: date) -> list[tuple[int, date]]:
    chosen: list[tuple[int, date]] = []
    for cut, when in connection.execute(_sql("cuts"), {"day": day}).fetchall():
        if not chosen or chosen[-1][1] - when >= timedelta(days=APART):
            chosen.append((cut, when))
    return chosen[:MOST_CUTS]


def _axis(connection: duckdb.DuckDBPyConnection) -> Axis:
    found = connection.execute("SELECT date, is_workday FROM dim_date ORDER BY date").fetchall()
    return Axis((found[0][0] - _EPOCH).days, np.array([float(one[1]) for one in found]))


def _moment(
    connection: duckdb.DuckDBPyConnection, cut: int, when: date, axis: Axis, links: Columns
) -> Moment:
    prepare(connection, cut=cut, day=when)
    day = (when - _EPOCH).days
    tasks = _columns(connection, _sql("tasks"))
    over = ~np.isnan(tasks["finished"])
    seasons = axis.seasonal(tasks["project_key"][over], tasks["finished"][over], day)
    spending = _spending(connection, axis, day)
    costs = _costs(connection, day, seasons, spending)
    projects, first = np.unique(tasks["project_key"], return_index=True)
    edges = [*first.tolist(), len(tasks["project_key"])]
    dependencies = _Dependencies(tasks, links)
    return Moment(
        cut=cut, day=day, axis=axis, seasons=seasons, spending=spending,
        projects={
            int(key): _known(tasks, slice(low, high), day, seasons, dependencies, costs.get(int(key)))
            for key, low, high in zip(projects.tolist(), edges[:-1], edges[1:], strict=True)
        },
        observed=_observed(tasks, axis, day),
    )  # fmt: skip


def _observed(tasks: Columns, axis: Axis, day: int) -> Observed:
    """Return what the tasks whose baseline is over took: those that still run as long as until now."""
    due = (tasks["baseline_finish"] <= day) & ~np.isnan(tasks["began"]) & ~tasks["is_milestone"].astype(bool)
    due &= ~(~tasks["is_open"].astype(bool) & np.isnan(tasks["finished"]))
    end = np.where(np.isnan(tasks["finished"]), float(day), tasks["finished"])[due]
    took = np.maximum(axis.between(tasks["began"][due], end), 0.5)
    planned = np.maximum(axis.between(tasks["baseline_start"][due], tasks["baseline_finish"][due]), 0.5)
    return observe(tasks["project_key"][due].astype(np.int64), took / planned)


def _spending(connection: duckdb.DuckDBPyConnection, axis: Axis, day: int) -> Axis:
    """Return the axis with each month worth the labour that goes into it."""
    rows = _columns(connection, _sql("labour"))
    usual = max(float(np.mean(rows["seconds"])), 1.0) if len(rows["day"]) else 1.0
    return axis.seasonal(rows["project_key"], rows["day"], day, rows["seconds"] / usual)


def _costs(connection: duckdb.DuckDBPyConnection, day: int, seasons: Axis, spending: Axis) -> dict[int, Cost]:
    for table, code in (("landing_then", "LANDING"), ("earned_then", "EVM_AMOUNT")):
        connection.execute(f"CREATE OR REPLACE TEMP TABLE {table} AS {catalogue()[code].sql}")
    rows = _columns(connection, _sql("costs"))
    today = np.full(len(rows["began"]), float(day))
    late = spending.between(rows["late_from"], today)
    with np.errstate(invalid="ignore"):
        rows["burn"] = np.where(late > 0, rows["late"] / np.maximum(late, 1.0), 0.0)
        rows["dear"] = dearness(spending, seasons, rows["began"], today)
    names = [name for name in rows if name in Cost.__struct_fields__ and name != "done"]
    return {
        int(key): Cost(done=int(rows["done"][at]), **{name: float(rows[name][at]) for name in names})
        for at, key in enumerate(rows["project_key"].tolist())
    }


class _Dependencies:
    """The links among open tasks, by project, and the days that tasks of other projects hold one back to."""

    def __init__(self, tasks: Columns, links: Columns) -> None:
        keys, opened = tasks["task_key"], tasks["is_open"].astype(bool)
        self.earliest = tasks["earliest"].copy()
        order = np.argsort(keys)
        before, there = _places(keys, order, links["before"])
        after, here = _places(keys, order, links["after"])
        both = there & here
        both[both] &= opened[before[both]] & opened[after[both]]
        self.before, self.after = before[both], after[both]
        self.kinds, self.lags = links["kind"][both].astype(np.int64), links["lag"][both]
        apart = tasks["project_key"][self.before] != tasks["project_key"][self.after]
        held = np.where(self.kinds == 0, tasks["finish"][self.before] + 1, np.nan)[apart]
        known = ~np.isnan(held)
        np.fmax.at(self.earliest, self.after[apart][known], held[known])
        self.before, self.after = self.before[~apart], self.after[~apart]
        self.kinds, self.lags = self.kinds[~apart], self.lags[~apart]
        by = np.argsort(self.after, kind="stable")
        self.before, self.after, self.kinds, self.lags = (
            one[by] for one in (self.before, self.after, self.kinds, self.lags)
        )

    def of(self, rows: slice, place: NDArray[np.int64]) -> Links:
        """Return the links of the tasks in *rows*, by their *place* among the open ones."""
        low, high = np.searchsorted(self.after, (rows.start, rows.stop))
        part = slice(int(low), int(high))
        return Links(
            before=place[self.before[part] - rows.start], after=place[self.after[part] - rows.start],
            kinds=self.kinds[part], lags=self.lags[part],
        )  # fmt: skip


def _places(
    keys: NDArray[Any], order: NDArray[np.int64], wanted: NDArray[Any]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Return where each of *wanted* is among *keys*, and whether it is."""
    if not len(keys):
        return np.zeros(len(wanted), dtype=np.int64), np.zeros(len(wanted), dtype=bool)
    at = order[np.clip(np.searchsorted(keys[order], wanted), 0, len(keys) - 1)]
    return at, keys[at] == wanted


def _known(
    tasks: Columns, rows: slice, day: int, seasons: Axis, dependencies: _Dependencies, cost: Cost | None
) -> Known:
    mine = {name: values[rows] for name, values in tasks.items()}
    opened = mine["is_open"].astype(bool)
    baseline, deadline = _latest(mine["baseline_finish"]), _latest(mine["deadline"])
    if not opened.any():
        finished = _latest(mine["finished"])
        return Known(finished=finished, last=finished, baseline=baseline, deadline=deadline, cost=cost)
    place = np.cumsum(opened) - 1
    plan = Plan(
        tasks=mine["task_key"][opened].astype(np.int64), start=mine["start"][opened],
        finish=mine["finish"][opened], began=mine["began"][opened], done=mine["done"][opened],
        earliest=dependencies.earliest[rows][opened], finish_from=mine["finish_from"][opened],
        is_milestone=mine["is_milestone"][opened].astype(bool), links=dependencies.of(rows, place),
    )  # fmt: skip
    return Known(
        flow=flow_of(mine, day, seasons), plan=plan, cost=cost, last=_latest(mine["finished"]),
        baseline=baseline, deadline=deadline,
    )  # fmt: skip


def _latest(days: Array) -> float:
    return float(np.nanmax(days)) if np.any(~np.isnan(days)) else float("nan")


def flow_of(mine: Columns, day: int, seasons: Axis) -> Flow:
    """Return items done and new by week, the days of each as *seasons* weigh them.

    Those of the first week are what the project began with.
    """
    counted = ~(mine["is_milestone"].astype(bool) | mine["is_carried"].astype(bool))
    finished, created = mine["finished"][counted], mine["created"][counted]
    begun = np.concatenate([finished[~np.isnan(finished)], created[~np.isnan(created)]])
    first = max(float(begun.min()) + 7, day - 7 * WEEKS + 1) if len(begun) else day + 1.0
    weeks = max(int(day + 1 - first) // 7, 0)
    edges: Array = day + 1 - 7 * np.arange(weeks, -1, -1, dtype=np.float64)
    known = ~np.isnan(finished)
    return Flow(
        done=np.histogram(finished[known], edges)[0].astype(float) if weeks else np.zeros(0),
        new=np.histogram(created[~np.isnan(created)], edges)[0].astype(float) if weeks else np.zeros(0),
        days=np.diff(seasons.end_of(edges - 1)) if weeks else np.zeros(0),
        open=int(mine["is_open"][counted].astype(bool).sum()),
    )  # fmt: skip


def _settled(moment: Moment, states: dict[int, str]) -> Moment:
    """Return *moment* as people declared it: a closed project has ended whatever its tasks say."""
    projects = {
        key: msgspec.structs.replace(
            one, flow=None, plan=None, finished=one.last if np.isnan(one.finished) else one.finished
        )
        if states.get(key) == "closed" else one
        for key, one in moment.projects.items() if states.get(key) != "cancelled"
    }  # fmt: skip
    return msgspec.structs.replace(moment, projects=projects)
