"""The track record: what earlier forecasts were off by, and how a new one is widened by it.

A score is how far the outcome lay from the forecast's median, in units of its own spread, of logs. What has
not ended is later than the day it was looked at: a censored score, never left out (Kaplan and Meier 1958).
The quantiles of scores replace those of the simulation (split conformal prediction, Vovk 2005; Lei 2018).
"""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from hub.feed.forecast.axis import Array

LEVELS: Array = np.arange(1, 100) / 100
"""The chances at which a forecast is kept: P1 to P99."""
THIN = 20
"""Outcomes that a record needs at least to be called one."""
_PRIOR = 8.0
_WIDER = 1.5
_ASSUMED: Array = np.array([NormalDist().inv_cdf(at / 24) * _WIDER for at in range(1, 24)])


def spread_of(logs: Array) -> tuple[float, float]:
    """Return the median of *logs* (of runs) and their spread: a normal's standard deviation."""
    low, middle, high = np.quantile(logs, (0.1, 0.5, 0.9))
    return float(middle), max(float(high - low) / 2.563, 0.06)


class Scores:
    """The scores of earlier forecasts of one kind: of those not *ended* the true one is more.

    *ages* are days since they were made, *horizons* the logs of what they said was left.
    """

    def __init__(self, scores: Array, ended: NDArray[np.bool_], ages: Array, horizons: Array) -> None:
        """Sort the scores, with a few assumed ones, wider than a simulation has them, among them."""
        self.n = int(ended.sum())
        values = np.concatenate([scores, _ASSUMED])
        seen = np.concatenate([ended, np.ones(len(_ASSUMED), dtype=bool)])
        order = np.lexsort((~seen, values))
        self._values, self._seen = values[order], seen[order]
        self._assumed = order >= len(scores)
        self._weights = np.concatenate([0.5 ** (ages / 365), np.full(len(_ASSUMED), _PRIOR / len(_ASSUMED))])[
            order
        ]
        self._horizons = np.concatenate([horizons, np.zeros(len(_ASSUMED))])[order]

    def at(self, horizon: float) -> Array:
        """Return the scores at `LEVELS` that hold for a forecast that says *horizon* (a log) is left.

        A score counts half after a year, and less the further its own horizon was (localized conformal
        prediction, Guan 2023). The assumed ones decide while the record is thin, and fade as it grows.
        """
        near = np.exp(-0.5 * ((self._horizons - horizon) / _NEAR) ** 2)
        weights = self._weights * np.where(self._assumed, 1.0, near)
        at_risk = np.cumsum(weights[::-1])[::-1]
        survives = np.cumprod(np.where(self._seen, 1 - weights / np.maximum(at_risk, 1e-12), 1.0))
        reached = 1 - survives[self._seen]
        values = self._values[self._seen]
        middle = (np.concatenate([[0.0], reached[:-1]]) + reached) / 2
        n = float(weights[self._seen].sum())
        wanted = np.minimum(LEVELS * (n + 1) / n, 1.0)
        found = np.interp(wanted, middle, values)
        return np.maximum.accumulate(np.where(wanted > middle[-1], values[-1] + 0.5, found))


_NEAR = 0.7


def loss(quantiles: Array, outcome: float) -> float:
    """Return the pinball loss of *quantiles* at `LEVELS` for *outcome*: the mean of all levels."""
    off = outcome - quantiles
    return float(np.mean(np.maximum(LEVELS * off, (LEVELS - 1) * off)))
