"""Forecast from flow: how fast items get finished, how fast new ones come, how many are open."""

from __future__ import annotations

import msgspec
import numpy as np

from hub.feed.forecast.axis import Array
from hub.feed.forecast.observed import apart_of

_DRIFT = 0.01
_APART = 0.3
"""By how much projects are assumed to differ in what new items come with one that is done."""
WEEKS = 39
"""Weeks that are looked back on; the last ones count most."""
_HALVES = (4.0, 40.0)
"""Weeks after which a week counts half, at least and at most."""


class Growth(msgspec.Struct, frozen=True, kw_only=True):
    """Items that come with one that is done: the *mean* of projects, and the spread *between* them."""

    mean: float = 0.0
    between: float = 1.0


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """The flow of a project up to a day, by week: items *done*, items *new*, working *days*.

    *open* is how many are not done; *drift* the variance of the log pace over 13 weeks, *growth* what new
    items come with one that is done, both of all projects together.
    """

    done: Array
    new: Array
    days: Array
    open: int
    drift: float = 0.01
    growth: Growth = Growth()

    @property
    def tells(self) -> bool:
        """Say whether there is enough to go by: eight items done, in four weeks of six or more."""
        return self.open > 0 and self.done.sum() >= 8 and len(self.done) >= 6 and (self.done > 0).sum() >= 4


def half_of(counts: Array, drift: float) -> float:
    """Return after how many weeks a week counts half: soon where paces wander, late where chance rules.

    It is the gain of a random walk that is seen with noise (Muth 1960; the local level's steady state).
    """
    walk, noise = drift / 13, 1.5 / max(float(counts.mean()), 0.1)
    gain = (-walk + (walk**2 + 4 * walk * noise) ** 0.5) / (2 * noise)
    return float(np.clip(-np.log(2) / np.log(1 - min(gain, 0.9)), *_HALVES))


def pace_of(counts: Array, days: Array, half: float = 10.0) -> tuple[float, float, float]:
    """Return items a working day, how unevenly they come (1 by chance), and the days that it is known of.

    Weeks before the last count less, half of it every *half* weeks.
    """
    weights = 0.5 ** (np.arange(len(counts))[::-1] / half)
    known = float(np.sum(weights * days))
    pace = float(np.sum(weights * counts)) / max(known, 1e-9)
    expected = np.maximum(pace * days, 1e-9)
    full = days > 0
    uneven = float(np.sum((weights * (counts - pace * days) ** 2 / expected)[full])) / max(
        float(np.sum(weights[full])), 1e-9
    )
    n = float(np.sum(weights)) ** 2 / float(np.sum(weights**2))
    return pace, float(np.clip((uneven * n + 4.0) / (n + 3.0), 0.7, 20.0)), known


def simulate_flow(
    rng: np.random.Generator, flow: Flow, runs: int, *, faster: float = 1.0, dropped: float = 0.0
) -> Array:
    """Return in working days when all open items are done, of *runs* runs; infinite where that never is.

    The pace of each run is drawn from what the weeks say of it (gamma, wider where they are uneven), and
    wanders as the organisation's paces did. When a sum of items that come with that pace and spread first
    reaches the open ones is the first passage of a random walk: an inverse Gaussian draw. *faster* multiplies
    the pace, *dropped* is the share of open items left out.
    """
    half = half_of(flow.done, flow.drift)
    pace, uneven, known = pace_of(flow.done, flow.days, half)
    growth, bursts, _ = pace_of(flow.new, flow.days, half)
    # as many days of the usual growth as it takes to weigh what projects differ by against their chance
    usual = flow.growth.mean * pace
    more = bursts * flow.growth.mean / flow.growth.between**2 / max(pace, 1e-9)
    growth, seen = (growth * known + usual * more) / max(known + more, 1e-9), known + more
    speed = rng.gamma(pace * known / uneven + 0.5, uneven / max(known, 1e-9), runs)
    todo = max(flow.open * (1 - dropped), 0.5)
    quarters = min(max(todo / max((pace - growth) * 65, 1e-6), 0.1), 8.0)
    wander = flow.drift * quarters
    # what is usual is so many a done one: as far as it is drawn there, a fast run has more new ones too
    tied = (speed / max(pace, 1e-9)) ** (more / max(seen, 1e-9))
    wandered = np.exp(rng.normal(0.0, wander**0.5, runs))
    speed *= faster * wandered
    coming = rng.gamma(growth * seen / bursts + 0.1, bursts / max(seen, 1e-9), runs) * tied * wandered
    net = speed - coming
    ends = net > 1e-6
    net = np.where(ends, net, 1.0)
    variance = uneven * speed + bursts * coming
    taken = rng.wald(todo / net, np.maximum(todo**2 / np.maximum(variance, 1e-9), 1e-9))
    return np.where(ends, np.maximum(taken, 0.25), np.inf)


def growth_of(flows: list[tuple[Array, Array, Array]]) -> Growth:
    """Return what new items come with one that is done, of all projects together.

    *flows* are items done, items new and working days by week, of every project.
    """
    told = [(done.sum(), new.sum(), pace_of(new, days)[1]) for done, new, days in flows if done.sum() >= 8]
    if not told:
        return Growth()
    done, new, bursts = np.array(told, dtype=float).T
    shares = new / done
    usual = float(new.sum() / done.sum())
    errors = bursts * max(usual, 0.02) / done
    apart = apart_of(shares, errors, _APART**2)
    weights = 1 / (errors + apart)
    return Growth(mean=float(np.sum(weights * shares) / np.sum(weights)), between=apart**0.5)


def drift_of(paces: list[tuple[Array, Array]]) -> float:
    """Return by how much log paces moved from one quarter to the next, chance set apart.

    *paces* are items done and working days by week, of every project.
    """
    moved, chance = [], []
    for done, days in paces:
        late, early = done[-13:], done[-26:-13]
        if late.sum() < 8 or early.sum() < 8:
            continue
        _, uneven, _ = pace_of(done, days)
        moved.append(
            float(
                np.log(late.sum() / max(days[-13:].sum(), 1))
                - np.log(early.sum() / max(days[-26:-13].sum(), 1))
            )
        )
        chance.append(uneven * (1 / late.sum() + 1 / early.sum()))
    seen = max(0.0, float(np.mean(np.square(moved)) - np.mean(chance))) if moved else 0.0
    return (seen * len(moved) + 5 * _DRIFT) / (len(moved) + 5)
