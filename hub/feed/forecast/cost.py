"""Forecast of cost: what was spent, what the work left takes at the cost shown so far, purchases to come."""

from __future__ import annotations

import msgspec
import numpy as np

from hub.feed.forecast.axis import HORIZON, Array, Axis
from hub.feed.forecast.observed import apart_of

ASSUMED = 0.2
"""Spread of the log cost index between projects, and of one task's, where nothing was observed."""

ENDLESS = 0.1
"""Share of runs without an end above which no cost is told from the burn."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """The money of a project up to a day, in the reporting currency.

    *spent* is labour and purchases to date, *to_come* purchases planned still. *left* is the planned labour
    of what is open (of the baseline, else what the tools say), NaN where nothing is planned. *ratio* is
    actual over earned (1 / CPI), NaN without a baseline, *done* the number of tasks that it stands on, *dear*
    what work cost in the months of that, beside the average month. *burn* is labour a working day of late,
    the season set apart.
    """

    spent: float
    to_come: float
    left: float
    ratio: float
    done: int
    burn: float
    budget: float
    dear: float = 1.0

    @property
    def is_planned(self) -> bool:
        """Say whether the work left is planned in money."""
        return bool(np.isfinite(self.left) and self.left > 0)

    @property
    def index(self) -> float:
        """Return the log of what work cost against its plan, its months set apart; NaN where unknown."""
        known = np.isfinite(self.ratio) and self.ratio > 0
        return float(np.clip(np.log(self.ratio / self.dear), -1.5, 1.5)) if known else float("nan")


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """What work cost against its plan: the *mean* of projects' logs, and their spread *between* them."""

    mean: float
    between: float


def own_error(done: int) -> float:
    """Return the standard error of a project's own log index that stands on *done* tasks."""
    return float(2 * ASSUMED / (done + 1) ** 0.5)


def index_of(costs: list[Cost]) -> Index:
    """Return what an organisation's projects say together (random effects, DerSimonian and Laird 1986)."""
    known = [one for one in costs if np.isfinite(one.index) and one.done >= 2]
    logs = np.array([one.index for one in known])
    errors = np.array([own_error(one.done) ** 2 for one in known])
    apart = apart_of(logs, errors, ASSUMED**2)
    weights = 1 / (errors + apart)
    prior = 2 / (apart + ASSUMED**2)
    mean = float(np.sum(weights * logs) / (np.sum(weights) + prior)) if known else 0.0
    return Index(mean=mean, between=apart**0.5)


class Ahead(msgspec.Struct, frozen=True, kw_only=True):
    """The time until each run's finish: *days* of labour, what work costs in it beside the average month.

    *endless* is the share of runs without a finish.
    """

    days: Array
    dear: Array
    endless: float


def ahead_of(spending: Axis, seasons: Axis, today: int, left: Array | None) -> Ahead:
    """Return the time ahead of *today* till each run has *left* days; that of a year where no end is known.

    *spending* are the days by the labour that goes into their months, *seasons* by what gets done in them.
    """
    finishes = today + (np.minimum(left, HORIZON) if left is not None else np.array([365.0]))
    endless = 1.0 if left is None else float(np.mean(np.isinf(left)))
    return Ahead(
        days=spending.between(np.array([today + 1.0]), finishes), endless=endless,
        dear=dearness(spending, seasons, np.array([today + 1.0]), finishes),
    )  # fmt: skip


def dearness(spending: Axis, seasons: Axis, starts: Array, finishes: Array) -> Array:
    """Return what labour goes into what gets done from *starts* to *finishes*, beside the average month."""
    paid, worked = spending.between(starts, finishes), seasons.between(starts, finishes)
    return np.where((paid > 0) & (worked > 0), paid / np.maximum(worked, 1e-9), 1.0)


def simulate_cost(
    rng: np.random.Generator, cost: Cost, index: Index, runs: int, ahead: Ahead, *,
    crew: float = 1.0, dearer: float = 1.0, dropped: float = 0.0,
) -> Array | None:  # fmt: skip
    """Return the cost at completion of each run; None where nothing says what is left.

    Planned work costs what this project's has, drawn to what the organisation's does where it shows little
    yet, and what the months *ahead* make of it. Without a plan it is the burn of late until the finish.
    *crew* is how much larger the team is, *dearer* what that adds to work, *dropped* the share left out.
    """
    if cost.is_planned:
        precision, mean = 1 / index.between**2, index.mean / index.between**2
        if np.isfinite(cost.index):
            own = own_error(cost.done) ** -2
            mean, precision = mean + own * cost.index, precision + own
        factor = np.exp(rng.normal(mean / precision, (1 / precision + (ASSUMED / 2) ** 2) ** 0.5, runs))
        labour = cost.left * (1 - dropped) * dearer * factor * np.resize(ahead.dear, runs)
    elif cost.burn > 0 and ahead.endless <= ENDLESS:
        labour = cost.burn * crew * ahead.days
    else:
        return None
    return np.asarray(cost.spent + cost.to_come + labour)
