"""Portfolios whose end is known: projects lived through day by day, and what was known of them at a day."""

from __future__ import annotations

import numpy as np

from hub.feed.forecast.axis import Array, Axis
from hub.feed.forecast.cost import Cost, dearness
from hub.feed.forecast.engine import Known, Moment
from hub.feed.forecast.flow import WEEKS, Flow
from hub.feed.forecast.observed import observe
from hub.feed.forecast.plan import Links, Plan

KINDS = ("stable", "drifting", "heavy", "seasonal", "bound", "growing")
FIRST = 19000  # a Saturday of January 2022
NAN = float("nan")


def axis() -> Axis:
    """Return Mondays to Fridays."""
    days = np.arange(FIRST, FIRST + 2200)
    return Axis(FIRST, ((days + 3) % 7 < 5).astype(float))


class World:
    """One project as it came to pass; days are since 1970-01-01.

    ``created`` and ``done`` are of items; of a plan there are tasks with baseline, start and links too.
    """

    def __init__(self, kind: str, rng: np.random.Generator, begin: int, calendar: Axis) -> None:
        self.kind, self.calendar, self.begin = kind, calendar, begin
        self.links = np.zeros((2, 0), dtype=np.int64)
        if kind == "bound":
            self._network(rng)
        else:
            self._stream(rng)
        self.end = int(self.done.max())
        self.baseline = float(begin + (self.end - begin) * np.exp(rng.normal(-0.1, 0.15)))

    def _stream(self, rng: np.random.Generator) -> None:
        days = np.arange(self.begin, self.begin + 1500)
        worth = self.calendar.weights[days - FIRST]
        month = days.astype("datetime64[D]").astype("datetime64[M]").astype(int) % 12
        if self.kind == "seasonal":
            worth = worth * np.where(month == 7, 0.25, np.where(month == 11, 0.6, 1.0))
        n = int(rng.integers(40, 160))
        pace = n / float(rng.uniform(90, 260))
        level = np.ones(len(days))
        if self.kind == "drifting":
            level = np.exp(np.cumsum(rng.normal(0, 0.022, len(days))))
        rate = pace * worth * level
        if self.kind == "heavy":  # few days on which much is done at once
            rate = rate * rng.gamma(0.06, 1 / 0.06, len(days)) * np.exp(rng.normal(0, 0.3, len(days)))
        finished = rng.poisson(rate)
        coming = np.zeros(len(days), dtype=np.int64)
        if self.kind == "growing":
            coming = rng.poisson(rate * rng.uniform(0.2, 0.6))
        scope = n + np.cumsum(coming)
        total = np.cumsum(finished)
        over = int(np.argmax(total >= scope))
        coming[over + 1 :] = 0
        created = np.concatenate([np.full(n, self.begin), np.repeat(days, coming)])
        ended = np.repeat(days[: over + 1], finished[: over + 1])[: len(created)]
        self.created = created.astype(float)
        self.done = ended.astype(float)
        self.burn = float(rng.uniform(1500, 4000))
        self.budgeted = n / pace * self.burn * float(np.exp(rng.normal(-0.12, 0.15)))
        self.units = float(n)

    def _network(self, rng: np.random.Generator) -> None:
        """Plan layers of tasks, each after one to three of the layer before, and live through them."""
        widths = rng.integers(3, 8, int(rng.integers(4, 7)))
        layer = np.repeat(np.arange(len(widths)), widths)
        n = len(layer)
        self.base = rng.integers(4, 25, n).astype(float)
        pairs = [
            (int(before), after) for after in range(n) if layer[after]
            for before in rng.choice(
                np.flatnonzero(layer == layer[after] - 1), int(rng.integers(1, 4)), replace=False
            )
        ]  # fmt: skip
        self.links = np.array(pairs, dtype=np.int64).T
        own = rng.normal(0.12, 0.2)
        self.real = np.maximum(1, np.round(self.base * np.exp(own + rng.normal(0, 0.35, n))))
        self.base_start, self.base_end = self._schedule(self.base, np.full(n, NAN), self.begin)
        start, self.done = self._schedule(self.real, np.full(n, NAN), self.begin)
        self.start = start
        self.created = np.full(n, float(self.begin))
        self.burn = 600.0
        self.units = float(self.base.sum())
        self.budgeted = self.units * self.burn
        self.effort = np.exp(rng.normal(0, 0.15, n))

    def _schedule(self, length: Array, fixed: Array, begin: int) -> tuple[Array, Array]:
        """Return start and finish days of tasks of *length* working days; those *fixed* start that day."""
        starts, ends = np.zeros(len(length)), np.zeros(len(length))
        for task in range(len(length)):
            before = self.links[0][self.links[1] == task]
            after = max([float(begin) - 1, *ends[before]])
            at = self.calendar.end_of(np.array([after]))[0]
            starts[task] = self.calendar.day_at(np.array([at + 1]))[0]
            if np.isfinite(fixed[task]):
                starts[task] = fixed[task]
                at = self.calendar.end_of(np.array([fixed[task] - 1]))[0]
            ends[task] = self.calendar.day_at(np.array([at + length[task]]))[0]
        return starts, ends

    def known(self, day: int, seasons: Axis, spending: Axis) -> Known:
        """Return what was known at the end of *day*, working days as *seasons* and *spending* weigh them."""
        there = self.created <= day
        done = there & (self.done <= day)
        spent = self.spent(day)
        if self.end <= day:
            cost = self._cost(day, spent, seasons, spending)
            return Known(finished=float(self.end), baseline=self.baseline, cost=cost)
        return Known(
            flow=self._flow(day, there, done, seasons), cost=self._cost(day, spent, seasons, spending),
            plan=self._plan(day) if self.kind == "bound" else None, baseline=self.baseline,
        )  # fmt: skip

    def _flow(self, day: int, there: Array, done: Array, seasons: Axis) -> Flow:
        first = (
            max(self.begin + 7, day - 7 * WEEKS + 1)
            if self.kind != "bound"
            else max(self.begin, day - 7 * WEEKS + 1)
        )
        weeks = max((day - first + 1) // 7, 0)
        edges = day + 1 - 7 * np.arange(weeks, -1, -1)
        later = there & (self.created > self.begin)
        return Flow(
            done=np.histogram(self.done[done], edges)[0].astype(float) if weeks else np.zeros(0),
            new=np.histogram(self.created[later], edges)[0].astype(float) if weeks else np.zeros(0),
            days=np.diff(seasons.end_of(edges - 1.0)) if weeks else np.zeros(0),
            open=int(there.sum() - done.sum()),
        )  # fmt: skip

    def _plan(self, day: int) -> Plan:
        """Return the open tasks as a planner has them: what runs at its planned length, the rest after it."""
        began = self.start <= day
        fixed = np.where(began, self.start, NAN)
        length = np.where(self.done <= day, self.real, self.base)
        late = began & (self.done > day)
        needed = self.calendar.between(self.start, np.full(len(fixed), float(day))) + 1
        length = np.where(late, np.maximum(length, needed), length)
        starts, ends = np.zeros(0), np.zeros(0)
        starts, ends = self._schedule(length, fixed, day + 1)
        left = np.flatnonzero(self.done > day)
        place = np.full(len(length), -1)
        place[left] = np.arange(len(left))
        kept = (place[self.links[0]] >= 0) & (place[self.links[1]] >= 0)
        nothing = np.full(len(left), NAN)
        share = np.clip(self.calendar.between(self.start, np.full(len(fixed), float(day))) / length, 0, 0.99)
        return Plan(
            tasks=left + 1, start=starts[left], finish=ends[left], began=fixed[left],
            done=np.where(began, share, 0.0)[left], earliest=nothing, finish_from=nothing,
            is_milestone=np.zeros(len(left), dtype=bool),
            links=Links(
                before=place[self.links[0][kept]], after=place[self.links[1][kept]],
                kinds=np.zeros(kept.sum(), dtype=np.int64), lags=np.zeros(kept.sum()),
            ),
        )  # fmt: skip

    def observed(self, number: int, day: int) -> list[tuple[int, float]]:
        """Return what the tasks took of their baseline that should be over: those that run, till *day*."""
        due = (self.base_end <= day) & (self.start <= day)
        till = np.minimum(self.done, float(day))
        took = np.maximum(self.calendar.between(self.start, till), 1.0) / self.base
        return [(number, float(one)) for one in took[due]]

    def spent(self, day: int) -> float:
        """Return what the project cost up to *day*."""
        if self.kind != "bound":
            return float(
                self.calendar.between(np.array([float(self.begin)]), np.array([float(min(day, self.end))]))[0]
                * self.burn
            )
        worked = np.clip(
            self.calendar.between(self.start, np.full(len(self.start), float(day))), 0, self.real
        )
        return float(np.sum(worked * self.effort) * self.burn)

    def worked(self) -> Array:
        """Return the days that were worked on the project, one for each team or person."""
        first, last = (
            (self.start, self.done)
            if self.kind == "bound" else (np.array([self.begin + 1]), np.array([self.end]))
        )  # fmt: skip
        days = np.concatenate([np.arange(one, other + 1.0) for one, other in zip(first, last, strict=True)])
        return days[self.calendar.weights[days.astype(int) - FIRST] > 0]

    def _cost(self, day: int, spent: float, seasons: Axis, spending: Axis) -> Cost:
        done = (self.done <= day) & (self.created <= day)
        n_open = int(((self.created <= day) & (self.done > day)).sum())
        if self.kind == "bound":
            worked = np.clip(
                self.calendar.between(self.start, np.full(len(self.start), float(day))) / self.real, 0, 1
            )
            earned = float(np.sum(self.base * worked))
            left = (self.units - earned) * self.burn
        else:
            earned, left = float(done.sum()), n_open * self.budgeted / self.units
        value = earned * self.budgeted / self.units
        return Cost(
            spent=spent, to_come=0.0, left=left, ratio=spent / value if value > 0 else NAN,
            done=int(done.sum()), burn=self.burn, budget=self.budgeted,
            dear=float(dearness(spending, seasons, np.array([self.begin + 1.0]), np.array([float(day)]))[0]),
        )  # fmt: skip


def lived(kinds: tuple[str, ...], n: int, seed: int, *, every: int = 28) -> tuple[list[World], list[Moment]]:
    """Return *n* projects of *kinds* in turn, and what was known every *every* days until all had ended."""
    rng = np.random.default_rng(seed)
    calendar = axis()
    worlds = [
        World(kinds[number % len(kinds)], rng, int(FIRST + 40 + rng.integers(0, 700)), calendar)
        for number in range(n)
    ]
    last = max(one.end for one in worlds) + every
    worked = [one.worked() for one in worlds]
    where, labour = np.repeat(np.arange(n), [len(days) for days in worked]), np.concatenate(worked)
    moments = []
    for cut, day in enumerate(range(FIRST + 150, last + every, every)):
        ended = [(number, one) for number, one in enumerate(worlds) if one.kind == "bound"]
        pairs = [pair for number, one in ended for pair in one.observed(number, day)]
        finished = np.concatenate([one.done[one.done <= day] for one in worlds])
        whose = np.concatenate(
            [np.full((one.done <= day).sum(), number) for number, one in enumerate(worlds)]
        )
        seasons, spending = calendar.seasonal(whose, finished, day), calendar.seasonal(where, labour, day)
        moments.append(Moment(
            cut=0 if day + every > last else cut + 1, day=day, axis=calendar, seasons=seasons,
            spending=spending,
            projects={
                number: one.known(day, seasons, spending)
                for number, one in enumerate(worlds) if one.begin + 35 <= day
            },
            observed=observe(
                np.array([one for one, _ in pairs], dtype=np.int64),
                np.array([took for _, took in pairs]),
            ),
        ))  # fmt: skip
    return worlds, moments


def plain(flow: Flow, calendar: Axis, day: int, rng: np.random.Generator, runs: int = 1000) -> Array:
    """Return when plain sampling of weekly throughput ends: no growth, no record, no calendar."""
    weeks = flow.done[-26:]
    if not weeks.sum():
        return np.full(runs, day + 1825.0)
    drawn = np.cumsum(rng.choice(weeks, (runs, 260)), axis=1)
    return np.asarray(
        day + 7.0 * (1 + np.argmax(drawn >= flow.open, axis=1) + 1825 * (drawn[:, -1] < flow.open))
    )
