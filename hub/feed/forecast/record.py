"""The track record: what earlier forecasts were off by, and how a new one is widened by it.

A score is how far the outcome lay from the forecast's median, in units of its own spread, of logs. What has
not ended is later than the day it was looked at: a censored score, never left out (Kaplan and Meier 1958).
The quantiles of scores replace those of the simulation (split conformal prediction, Vovk 2005; Lei 2018),
once what they have in common with the horizon and with the time that a project was known for is taken out.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hub.feed.forecast.axis import Array

LEVELS: Array = np.arange(1, 100) / 100
"""The chances at which a forecast is kept: P1 to P99."""
THIN = 20
"""Outcomes that a record needs at least to be called one."""
_USUAL = 0.45
"""The usual spread of a forecast, in logs."""
_PRIOR = 8.0
"""How many outcomes the assumed scores are worth."""
_WIDER = 1.5
_ASSUMED: Array = np.array([NormalDist().inv_cdf(at / 24) * _WIDER for at in range(1, 24)])
_NEAR = 0.7
"""Logs of horizon after which a score counts 0.6 times as much."""
_LEAST = 1e-3
"""Weight below which a score is left out."""


def spread_of(logs: Array) -> tuple[float, float]:
    """Return the median of *logs* (of runs) and their spread: a normal's standard deviation."""
    low, middle, high = np.quantile(logs, (0.1, 0.5, 0.9))
    return float(middle), max(float(high - low) / 2.563, 0.06)


def scale_of(spread: float) -> float:
    """Return by how much a forecast with its own *spread* is stretched by a score.

    What a simulation says of its own width is half noise: it is drawn to what is usual (Efron and Morris
    1973).
    """
    return float((spread * _USUAL) ** 0.5)


class Told(NamedTuple):
    """One earlier forecast: how far off it was, whether that is all, its age in days, and where it stood.

    *horizon* is the log of what it said was left, *seen* that of the weeks that were seen of its project.
    """

    score: float
    ended: bool
    age: float
    horizon: float
    seen: float


class Scores:
    """The scores of earlier forecasts of one kind: of those that have not ended the true one is more."""

    def __init__(self, told: Sequence[Told]) -> None:
        """Take what earlier forecasts tell."""
        listed = np.array(told, dtype=np.float64).reshape(-1, 5)
        self._scores, self._ended = listed[:, 0], listed[:, 1] > 0
        self._weights = 0.5 ** (listed[:, 2] / 365)
        self._stood = listed[:, 3:]
        self.n = int(self._ended.sum())
        self._slopes: dict[int, Array] = {}

    def at(self, horizon: float, seen: float, own: float = 1.0) -> Array:
        """Return the scores at `LEVELS` of a forecast that says *horizon* is left and stands on *seen*, logs.

        A score counts half after a year, and less the further its own horizon was (localized conformal
        prediction, Guan 2023). Long forecasts are often too long and short ones too short, as is what any
        noise makes longest (Galton 1886): scores are first moved along that slope to where this one stands
        (conformal prediction of what a regression leaves, Lei 2018). A few assumed ones, wider than its
        simulation by half (*own* is the spread of that in units of scores), decide while the record is thin,
        and fade as it grows.
        """
        off = self._stood - np.array([horizon, seen])
        weights = self._weights * _near(off[:, 0], _NEAR)
        kept = weights > _LEAST
        values = self._scores[kept] - off[kept] @ self._slope(horizon)
        assumed = len(_ASSUMED)
        return _quantiles(
            np.concatenate([values, _ASSUMED * own]),
            np.concatenate([self._ended[kept], np.ones(assumed, dtype=bool)]),
            np.concatenate([weights[kept], np.full(assumed, _PRIOR / assumed)]),
        )

    def _slope(self, horizon: float) -> Array:
        """Return the slope around a horizon; found once for all forecasts that say nearly the same."""
        place = round(horizon * 4)
        if place not in self._slopes:
            off = self._stood - np.array([place / 4, 0.0])
            weights = self._weights * _near(off[:, 0], 1.5)
            kept = weights > _LEAST
            self._slopes[place] = slope_of(self._scores[kept], self._ended[kept], weights[kept], off[kept])
        return self._slopes[place]


def _near(off: Array, width: float) -> Array:
    return np.asarray(np.exp(-0.5 * (off / width) ** 2))


def _quantiles(values: Array, ended: NDArray[np.bool_], weights: Array) -> Array:
    """Return the quantiles at `LEVELS` of weighted scores, those not *ended* being more (Kaplan, Meier)."""
    order = np.lexsort((~ended, values))
    values, ended, weights = values[order], ended[order], weights[order]
    at_risk = np.cumsum(weights[::-1])[::-1]
    survives = np.cumprod(np.where(ended, 1 - weights / np.maximum(at_risk, 1e-12), 1.0))
    reached, values = 1 - survives[ended], values[ended]
    middle = (np.concatenate([[0.0], reached[:-1]]) + reached) / 2
    # of n outcomes the next one lies beyond a quantile somewhat more often than among them, at both ends
    n = float(weights[ended].sum())
    wanted = np.clip(0.5 + (LEVELS - 0.5) * (n + 1) / n, 0.0, 1.0)
    found = np.interp(wanted, middle, values)
    return np.maximum.accumulate(np.where(wanted > middle[-1], values[-1] + 0.5, found))


_ROUNDS = 12
_STIFF = (4.0, 8.0, 8.0)
"""How sure it is before anything is seen that the mean score and its slopes are 0, in outcomes."""
_ASSUMED_VARIANCE, _SURE = 0.9, 6.0
"""The variance of scores that is assumed, and how many outcomes that is worth."""


def slope_of(scores: Array, ended: NDArray[np.bool_], weights: Array, off: Array) -> Array:
    """Return by how much *scores* move with what is *off* of their forecasts: columns of horizon and seen.

    It is a regression on censored outcomes (Tobin 1958) by expectation and maximization (Aitkin 1981): one
    that has not ended counts with the mean of a normal's tail beyond it, because long forecasts have ended
    less often and only the early ends of them are seen. It is drawn to no slope where the record is thin.
    """
    columns = np.column_stack([np.ones(len(scores)), off])
    told, variance = np.zeros(columns.shape[1]), _ASSUMED_VARIANCE
    for _ in range(_ROUNDS):
        mean, spread = columns @ told, variance**0.5
        beyond = np.clip((scores - mean) / spread, -6.0, 6.0)
        tail = _tail_mean(beyond)
        full = np.where(ended, scores, mean + spread * tail)
        more = np.where(ended, 0.0, variance * (1 + beyond * tail - tail**2))
        weighed = columns * weights[:, None]
        told = np.linalg.solve(weighed.T @ columns / variance + np.diag(_STIFF), weighed.T @ full / variance)
        missed = float(weights @ ((full - columns @ told) ** 2 + more))
        variance = (missed + _ASSUMED_VARIANCE * _SURE) / (float(weights.sum()) + _SURE)
    return np.asarray(told[1:])


def _tail_mean(beyond: Array) -> Array:
    """Return the mean of a standard normal beyond a value (Abramowitz and Stegun 1964, 7.1.26)."""
    x = np.abs(beyond) / 2**0.5
    t = 1 / (1 + 0.3275911 * x)
    series = np.polyval([1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592, 0.0], t)
    density = np.exp(-(x**2)) / (2 * np.pi) ** 0.5
    below = np.maximum(1 - series * np.exp(-(x**2)) / 2, 0.5)
    return np.asarray(np.where(beyond > 0, (2 / np.pi) ** 0.5 / series, density / below), dtype=np.float64)


def loss(quantiles: Array, outcome: float) -> float:
    """Return the pinball loss of *quantiles* at `LEVELS` for *outcome*: the mean of all levels."""
    off = outcome - quantiles
    return float(np.mean(np.maximum(LEVELS * off, (LEVELS - 1) * off)))
