"""Forecast of cost: what was spent, what the work left takes at the cost shown so far, purchases to come."""

from __future__ import annotations

import msgspec
import numpy as np

from hub.feed.forecast.axis import HORIZON, Array
from hub.feed.forecast.observed import apart_of

ASSUMED = 0.2
"""Spread of the log cost index between projects, and of one task's, where nothing was observed."""

ENDLESS = 0.1
"""Share of runs without an end above which no cost is told from the burn."""


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """The money of a project up to a day, in the reporting currency.

    *spent* is labour and purchases to date, *to_come* purchases planned still. *left* is the planned labour
    of what is open (of the baseline, else what the tools say), NaN where nothing is planned. *ratio* is
    actual over earned (1 / CPI), NaN without a baseline, *done* the number of tasks that it stands on. *burn*
    is labour a working day of late.
    """

    spent: float
    to_come: float
    left: float
    ratio: float
    done: int
    burn: float
    budget: float

    @property
    def is_planned(self) -> bool:
        """Say whether the work left is planned in money."""
        return bool(np.isfinite(self.left) and self.left > 0)


class Index(msgspec.Struct, frozen=True, kw_only=True):
    """What work cost against its plan: the *mean* of projects' logs, and their spread *between* them."""

    mean: float
    between: float


def own_error(done: int) -> float:
    """Return the standard error of a project's own log index that stands on *done* tasks."""
    return float(2 * ASSUMED / (done + 1) ** 0.5)


def index_of(costs: list[Cost]) -> Index:
    """Return what an organisation's projects say together (random effects, DerSimonian and Laird 1986)."""
    known = [one for one in costs if np.isfinite(one.ratio) and one.ratio > 0 and one.done >= 2]
    logs = np.clip(np.log([one.ratio for one in known]), -1.5, 1.5)
    errors = np.array([own_error(one.done) ** 2 for one in known])
    apart = apart_of(logs, errors, ASSUMED**2)
    weights = 1 / (errors + apart)
    prior = 2 / (apart + ASSUMED**2)
    mean = float(np.sum(weights * logs) / (np.sum(weights) + prior)) if known else 0.0
    return Index(mean=mean, between=apart**0.5)


def simulate_cost(
    rng: np.random.Generator, cost: Cost, index: Index, runs: int, taken: Array | None, *,
    crew: float = 1.0, dearer: float = 1.0, dropped: float = 0.0,
) -> Array | None:  # fmt: skip
    """Return the cost at completion of each run; None where nothing says what is left.

    Planned work costs what this project's has, drawn to what the organisation's does where it shows little
    yet. Without a plan it is the burn of late, for the working days *taken* of each run until the finish.
    *crew* is how much larger the team is, *dearer* what that adds to work, *dropped* the share left out.
    """
    if cost.is_planned:
        precision, mean = 1 / index.between**2, index.mean / index.between**2
        if np.isfinite(cost.ratio) and cost.ratio > 0:
            own = own_error(cost.done) ** -2
            mean, precision = mean + own * float(np.clip(np.log(cost.ratio), -1.5, 1.5)), precision + own
        factor = np.exp(rng.normal(mean / precision, (1 / precision + (ASSUMED / 2) ** 2) ** 0.5, runs))
        labour = cost.left * (1 - dropped) * dearer * factor
    elif taken is not None and cost.burn > 0 and float(np.mean(np.isinf(taken))) <= ENDLESS:
        labour = cost.burn * crew * np.minimum(taken, HORIZON * 5 / 7)
    else:
        return None
    return np.asarray(cost.spent + cost.to_come + labour)
