"""Forecast every project at every moment as known then, each calibrated by what earlier ones missed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal

import msgspec
import numpy as np

from hub.feed.forecast.axis import HORIZON, Array, Axis
from hub.feed.forecast.cost import Cost, Index, ahead_of, index_of, simulate_cost
from hub.feed.forecast.flow import Flow, Growth, drift_of, growth_of, simulate_flow
from hub.feed.forecast.observed import Observed
from hub.feed.forecast.plan import Driver, Plan, simulate_plan
from hub.feed.forecast.record import LEVELS, THIN, Scores, Told, loss, scale_of, spread_of

RUNS = 10_000
RUNS_PAST = 1_000
"""Runs of a forecast of a past moment, which only the record is made of."""
MOST_SHARE = 0.5
"""Share of runs without an end above which a forecast says that no end is in sight."""

Topic = Literal["finish", "cost"]
Method = Literal["flow", "plan", "blend", "work", "burn"]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What was known of a project at a moment; a *flow*, *plan* or *cost* that says nothing is None.

    *finished* is the day when its last item was done, NaN while any is open; *last* that of the last one so
    far. *baseline* and *deadline* are days, NaN where there is none.
    """

    flow: Flow | None = None
    plan: Plan | None = None
    cost: Cost | None = None
    finished: float = float("nan")
    last: float = float("nan")
    baseline: float = float("nan")
    deadline: float = float("nan")


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A moment to forecast at: *cut* with its *day*, the projects as known then, what was *observed* by then.

    *axis* are the working days, *seasons* the same with each month worth what gets done in it, *spending*
    with each worth the labour that goes into it.
    """

    cut: int
    day: int
    projects: dict[int, Known]
    observed: Observed
    axis: Axis
    seasons: Axis
    spending: Axis


class WhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What is tried out: a team *crew* times as large that works *faster*, a share of scope *dropped*."""

    crew: float = 1.0
    faster: float = 1.0
    dropped: float = 0.0


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """One forecast: *quantiles* at `LEVELS` in days since 1970-01-01 or in money, infinite without an end.

    *raw* are those of the simulation alone. *target* is the baseline finish or the budget, *limit* the
    deadline. *record* is the number of outcomes it was calibrated by. *outcome* is what happened, *ended*
    whether it did: else it is later (or more) than that.
    """

    project: int
    cut: int
    day: int
    topic: Topic
    method: Method
    quantiles: Array
    raw: Array
    target: float
    limit: float
    record: int
    outcome: float
    ended: bool
    weight: float
    drivers: list[Driver]

    def at(self, chance: float) -> float:
        """Return what holds with *chance* (0.01 to 0.99)."""
        return float(self.quantiles[round(chance * 100) - 1])

    def chance_of(self, value: float) -> float | None:
        """Return the chance to end at or below *value*; None where there is no value."""
        if not np.isfinite(value):
            return None
        finite = np.where(np.isinf(self.quantiles), 1e18, self.quantiles)
        return float(np.interp(value, finite, LEVELS, left=0.0, right=1.0))

    @property
    def mean(self) -> float:
        """Return the mean of what is forecast, its tails beyond P1 and P99 left out."""
        return float(np.mean(self.quantiles))

    @property
    def is_thin(self) -> bool:
        """Say whether the record is too thin to stand on."""
        return self.record < THIN


class _Raw(msgspec.Struct, frozen=True, kw_only=True):
    """A simulation as the record keeps it: median and spread of the log of what was left at *start*.

    *seen* is the log of the weeks of flow that were seen of the project.
    """

    project: int
    topic: Topic
    method: Method
    day: int
    start: float
    middle: float
    spread: float
    seen: float

    def score(self, outcome: float) -> float:
        least = 0.5 if self.topic == "finish" else 1.0
        return (float(np.log(max(outcome - self.start, least))) - self.middle) / scale_of(self.spread)


class Made(msgspec.Struct, kw_only=True):
    """What the simulation of a project gave; *left* are the days that each run has left."""

    raws: list[_Raw]
    left: Array | None = None
    drivers: list[Driver] = []
    endless: bool = False


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """One project to simulate, with all that takes: the same gives the same, wherever it is done."""

    key: int
    known: Known
    moment: Moment
    index: Index
    drift: float
    growth: Growth
    weight: float
    runs: int
    trial: WhatIf
    drivers: bool


Each = Callable[[Callable[[Asked], Made], list[Asked]], Iterable[Made]]
"""What does a work for every project: ``map``, or that of a `hub.feed.runner.Runner`."""


def forecast(
    moments: list[Moment], *, runs: int = RUNS, trial: WhatIf | None = None, only: int | None = None,
    each: Each = map,
) -> list[Forecast]:  # fmt: skip
    """Return the forecasts of every moment, the earliest first; the last of *moments* is now.

    Each is calibrated by what was known of the earlier ones' outcomes when it was made, and held against what
    is known at the last. *trial* changes the last moment alone; *only* one project may be forecast there.
    """
    ordered = sorted(moments, key=lambda one: (one.day, one.cut == 0))
    now = ordered[-1]
    earlier: list[_Raw] = []
    found: list[Forecast] = []
    for moment in ordered:
        is_now = moment is now
        index = index_of([one.cost for one in moment.projects.values() if one.cost])
        flows = [one.flow for one in moment.projects.values() if one.flow]
        drift = drift_of([(one.done, one.days) for one in flows])
        growth = growth_of([(one.done, one.new, one.days) for one in flows])
        record = _Record(earlier, moment)
        made: list[_Raw] = []
        bare = msgspec.structs.replace(moment, projects={})
        asked = [
            Asked(
                key=key, known=known, moment=bare, index=index, drift=drift, growth=growth,
                weight=record.weight, runs=runs if is_now else RUNS_PAST,
                trial=(trial if is_now else None) or WhatIf(), drivers=is_now,
            )
            for key, known in sorted(moment.projects.items())
            if not is_now or only in {None, key}
        ]  # fmt: skip
        for of, one in zip(asked, each(_simulate, asked), strict=True):
            made += one.raws
            found += [_forecast(raw, of.known, moment, now, record, one) for raw in _shown(one.raws)]
        earlier += made
    return found


def _shown(raws: list[_Raw]) -> list[_Raw]:
    """Return of each topic the last: the blend where there is one."""
    return list({raw.topic: raw for raw in raws}.values())


class _Record:
    """What earlier forecasts missed, as known at a moment."""

    def __init__(self, earlier: list[_Raw], moment: Moment) -> None:
        listed: dict[tuple[str, str], list[Told]] = {}
        losses: dict[str, list[float]] = {"flow": [], "plan": []}
        both: dict[tuple[int, float], dict[str, float]] = {}
        for raw in earlier:
            outcome, ended = _outcome(raw.topic, moment.projects.get(raw.project), moment.day)
            told = Told(raw.score(outcome), ended, float(moment.day - raw.day), raw.middle, raw.seen)
            for place in ((raw.topic, raw.method), (raw.topic, "")):
                listed.setdefault(place, []).append(told)
            if ended and raw.method in losses:
                both.setdefault((raw.project, raw.start), {})[raw.method] = abs(
                    raw.score(outcome) * scale_of(raw.spread)
                )
        for off in both.values():
            if len(off) == 2:
                for method, value in off.items():
                    losses[method].append(value)
        n = len(losses["flow"])
        flow, plan = ((sum(losses[one]) + 6 * 0.4) / (n + 6) for one in ("flow", "plan"))
        self.weight = float(flow**-2 / (flow**-2 + plan**-2))
        self.scores = {place: Scores(told) for place, told in listed.items()}

    def of(self, raw: _Raw) -> tuple[Array, int]:
        """Return the scores at `LEVELS` that hold for *raw*, and how many outcomes say so."""
        own, every = (self.scores.get((raw.topic, one)) or Scores([]) for one in (raw.method, ""))
        chosen = own if own.n >= THIN else every
        return chosen.at(raw.middle, raw.seen, raw.spread / scale_of(raw.spread)), chosen.n


def _outcome(topic: Topic, known: Known | None, day: int) -> tuple[float, bool]:
    """Return what is known at *day* of how a project ended, and whether it did."""
    ended = known is not None and bool(np.isfinite(known.finished)) and known.finished <= day
    if topic == "finish":
        return (float(known.finished) if known and ended else float(day)), ended
    return (known.cost.spent if known and known.cost else 0.0), ended


def _simulate(asked: Asked) -> Made:
    key, known, moment, trial, runs = asked.key, asked.known, asked.moment, asked.trial, asked.runs
    seed = [key + 2**40, moment.day]
    rng = np.random.default_rng(seed)
    made = Made(raws=[])
    if np.isfinite(known.finished):
        return made
    left: dict[str, Array] = {}
    today, seen = np.array([float(moment.day)]), _seen(known.flow)
    if known.flow and known.flow.tells:
        flow = msgspec.structs.replace(known.flow, drift=asked.drift, growth=asked.growth)
        work = simulate_flow(rng, flow, runs, faster=trial.faster, dropped=trial.dropped)
        ends = moment.seasons.day_at(moment.seasons.end_of(today)[0] + work)
        left["flow"] = ends - moment.day
        as_it_is = work if trial == WhatIf() else simulate_flow(np.random.default_rng(seed), flow, runs)
    if known.plan and known.plan.tells:
        ends, made.drivers = simulate_plan(
            rng, known.plan, moment.axis, moment.day, moment.observed, key, runs,
            faster=trial.faster, dropped=trial.dropped, drivers=asked.drivers,
        )  # fmt: skip
        left["plan"] = moment.axis.day_at(ends) - moment.day
    if "plan" in left and "flow" in left and np.mean(np.isinf(as_it_is)) > MOST_SHARE:
        # work that comes in as fast as it goes out says nothing of a plan's end; what is tried out is told by
        # the methods that tell what is, else fewer people would land sooner
        del left["flow"]
    for method in ("flow", "plan"):
        if method in left:
            made.endless = float(np.mean(np.isinf(left[method]))) > MOST_SHARE
            logs = np.log(np.clip(left[method], 0.5, HORIZON))
            middle, spread = spread_of(logs)
            if method == "flow" and trial != WhatIf():  # runs without an end are cut there: no surer for that
                spread = max(spread, spread_of(np.log(np.clip(as_it_is, 0.5, HORIZON)))[1])
            made.raws.append(_Raw(
                project=key, topic="finish", method=method, day=moment.day, start=moment.day, middle=middle,
                spread=spread, seen=seen,
            ))  # fmt: skip
            made.left = left[method]
    if len(made.raws) == 2:
        w = asked.weight
        made.raws.append(_blended(made.raws[0], made.raws[1], w))
        several = [np.sort(left[one][: min(len(each) for each in left.values())]) for one in ("flow", "plan")]
        made.left = w * several[0] + (1 - w) * several[1]
    if known.cost:
        _add_cost(rng, made, asked, known.cost, seen)
    made.left = None  # a number a run, which nobody asks for any more
    return made


def _seen(flow: Flow | None) -> float:
    """Return the log of the weeks of *flow*; of what has none, that of a quarter."""
    return float(np.log(max(len(flow.done), 3))) if flow else float(np.log(13))


def _blended(flow: _Raw, plan: _Raw, weight: float) -> _Raw:
    """Return the quantiles' mean: *weight* of flow, the rest of the plan (Vincent 1912; Ratcliff 1979)."""
    return msgspec.structs.replace(
        flow, method="blend", middle=weight * flow.middle + (1 - weight) * plan.middle,
        spread=weight * flow.spread + (1 - weight) * plan.spread,
    )  # fmt: skip


def _add_cost(rng: np.random.Generator, made: Made, asked: Asked, cost: Cost, seen: float) -> None:
    moment, trial = asked.moment, asked.trial
    ahead = ahead_of(moment.spending, moment.seasons, moment.day, None if made.endless else made.left)
    drawn = simulate_cost(
        rng, cost, asked.index, asked.runs, ahead,
        crew=trial.crew, dearer=trial.crew / trial.faster, dropped=trial.dropped,
    )  # fmt: skip
    if drawn is None:
        return
    logs = np.log(np.clip(drawn - cost.spent, 1.0, 1e15))
    middle, spread = spread_of(logs)
    made.raws.append(_Raw(
        project=asked.key, topic="cost", method="work" if cost.is_planned else "burn", day=moment.day,
        start=cost.spent, middle=middle, spread=spread, seen=seen,
    ))  # fmt: skip


def _forecast(raw: _Raw, known: Known, moment: Moment, now: Moment, record: _Record, made: Made) -> Forecast:
    scores, n = record.of(raw)
    outcome, ended = _outcome(raw.topic, now.projects.get(raw.project), now.day)
    is_finish = raw.topic == "finish"
    plain = raw.start + np.exp(raw.middle + raw.spread * _NORMAL)
    quantiles = raw.start + np.exp(raw.middle + scale_of(raw.spread) * scores)
    if is_finish:
        plain, quantiles = np.ceil(plain - 0.5), np.ceil(quantiles - 0.5)
        never = np.full_like(quantiles, made.endless) > 0
        quantiles = np.where(never | (quantiles - raw.start > HORIZON), np.inf, quantiles)
    budget = known.cost.budget if known.cost else float("nan")
    return Forecast(
        project=raw.project, cut=moment.cut, day=moment.day, topic=raw.topic, method=raw.method,
        quantiles=quantiles, raw=plain, target=known.baseline if is_finish else budget,
        limit=known.deadline if is_finish else float("nan"), record=n, outcome=outcome, ended=ended,
        weight=record.weight, drivers=made.drivers if is_finish else [],
    )  # fmt: skip


def _normal() -> Array:
    from statistics import NormalDist

    return np.array([NormalDist().inv_cdf(float(at)) for at in LEVELS])


_NORMAL = _normal()


def mean_loss(forecasts: list[Forecast]) -> float:
    """Return the mean pinball loss of *forecasts* that ended."""
    return float(np.mean([loss(one.quantiles, one.outcome) for one in forecasts if one.ended]))
