"""The track record: what earlier forecasts were off by, and how a new one is widened by it.

A score is how far the outcome lay from the forecast's median, in units of its own spread, of logs. What has
not ended is later than the day it was looked at: a censored score, never left out (Kaplan and Meier 1958).
The quantiles of scores replace those of the simulation (split conformal prediction, Vovk 2005; Lei 2018).
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from hub.feed.forecast.axis import Array

LEVELS: Array = np.arange(1, 100) / 100
"""The chances at which a forecast is kept: P1 to P99."""
THIN = 20
"""Outcomes that a record needs at least to be called one."""
_USUAL = 0.45
"""The usual spread of a forecast, in logs."""
_PRIOR = 3.0
"""How many outcomes the assumed scores are worth."""
_WIDER = 1.5
_ASSUMED: Array = np.array([NormalDist().inv_cdf(at / 24) * _WIDER for at in range(1, 24)])


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
    """One earlier forecast: how far off it was, whether that is all, its age in days, and what it said.

    *horizon* is the log of what it said was left, *spread* the log of its own spread.
    """

    score: float
    ended: bool
    age: float
    horizon: float
    spread: float


class Scores:
    """The scores of earlier forecasts of one kind: of those that have not ended the true one is more."""

    def __init__(self, told: Sequence[Told]) -> None:
        """Sort the scores, with a few assumed ones, wider than a simulation has them, among them."""
        told = sorted(told, key=lambda one: (one.score, not one.ended))
        scores, ages, horizons, spreads = (
            np.array([getattr(one, name) for one in told], dtype=float)
            for name in ("score", "age", "horizon", "spread")
        )
        self.n = sum(one.ended for one in told)
        self._values = np.concatenate([scores, _ASSUMED])
        self._seen = np.concatenate(
            [np.array([one.ended for one in told], dtype=bool), np.ones(len(_ASSUMED), dtype=bool)]
        )
        self._real = np.arange(len(self._values)) < len(told)
        weights = 0.5 ** (ages / 365)
        self._weights = np.concatenate([weights, np.full(len(_ASSUMED), _PRIOR / len(_ASSUMED))])
        self._slopes: dict[int, Array] = {}
        nothing = np.zeros(len(_ASSUMED))
        self._said = np.stack(
            [np.concatenate([horizons, nothing]), np.concatenate([spreads, nothing])], axis=1
        )

    def at(self, horizon: float, spread: float) -> Array:
        """Return the scores at `LEVELS` for a forecast that says *horizon* is left, give or take *spread*.

        A score counts half after a year, and less the further its own horizon was (localized conformal
        prediction, Guan 2023). Long forecasts are often too long and short ones too short, as is what any
        noise makes longest (Galton 1886): scores are first moved along that slope to where this one stands
        (local linear, Fan 1993). The assumed ones decide while the record is thin, and fade as it grows.
        """
        off = self._said - np.array([horizon, spread])
        weights = self._weights * np.where(self._real, np.exp(-0.5 * (off[:, 0] / _NEAR) ** 2), 1.0)
        kept = weights > _LEAST
        values, seen, real = self._values[kept], self._seen[kept], self._real[kept]
        weights, off = weights[kept], off[kept]
        values = values - np.where(real, off @ self._slope(horizon), 0.0)
        order, survives = _survival(values, seen, weights)
        ended = seen[order]
        reached = 1 - survives[ended]
        values = values[order][ended]
        middle = (np.concatenate([[0.0], reached[:-1]]) + reached) / 2
        # of n outcomes the next one lies beyond a quantile somewhat more often than among them, at both ends
        n = float(weights[real & seen].sum()) + len(_ASSUMED)
        wanted = np.clip(0.5 + (LEVELS - 0.5) * (n + 1) / n, 0.0, 1.0)
        found = np.interp(wanted, middle, values)
        return np.maximum.accumulate(np.where(wanted > middle[-1], values[-1] + 0.5, found))

    def _slope(self, horizon: float) -> Array:
        """Return the slope around a horizon; found once for all forecasts that say nearly the same."""
        place = round(horizon * 4)
        if place not in self._slopes:
            off = self._said - np.array([place / 4, 0.0])
            weights = self._weights * np.where(self._real, np.exp(-0.5 * (off[:, 0] / _NEAR) ** 2), 1.0)
            kept = weights > _LEAST
            self._slopes[place] = _slope(
                self._values[kept], self._seen[kept], self._real[kept], weights[kept], off[kept]
            )
        return self._slopes[place]


_NEAR = 0.7
_LEAST = 1e-4
_ROUNDS = 4
_STIFF = 2.0
"""How many outcomes it takes to believe in a slope: those of forecasts that are one unit of logs apart."""


def _survival(values: Array, seen: NDArray[np.bool_], weights: Array) -> tuple[NDArray[Any], Array]:
    """Return the order of scores, and in it what share lies beyond each (Kaplan and Meier 1958)."""
    order = np.lexsort((~seen, values))
    weights = weights[order]
    at_risk = np.cumsum(weights[::-1])[::-1]
    left = np.where(seen[order], 1 - weights / np.maximum(at_risk, 1e-12), 1.0)
    return order, np.asarray(np.cumprod(left), dtype=float)


def _slope(
    values: Array, seen: NDArray[np.bool_], real: NDArray[np.bool_], weights: Array, off: Array
) -> Array:
    """Return by how much scores move with what their forecasts said: least squares, none while it is thin.

    One that has not ended counts with the mean of those beyond it (Buckley and James 1979): long forecasts
    have ended less often, and only the early ends of them are seen.
    """
    weights_, off_ = weights[real], off[real]
    whole = float(weights_.sum())
    slope: Array = np.zeros(2)
    if whole <= 1e-9:
        return slope
    apart = off_ - weights_ @ off_ / whole
    square = (weights_[:, None] * apart).T @ apart / whole + np.eye(2) * (_STIFF / whole)
    for _ in range(_ROUNDS):
        left = values - np.where(real, off @ slope, 0.0)
        order, survives = _survival(left, seen, weights)
        share = -np.diff(np.concatenate([[1.0], survives]))
        beyond = np.concatenate([np.cumsum((share * left[order])[::-1])[::-1][1:], [0.0]])
        mean = np.where(survives > 1e-9, beyond / np.maximum(survives, 1e-9), left[order])
        filled = left.copy()
        filled[order] = np.where(seen[order], left[order], np.maximum(mean, left[order]))
        away = (filled + np.where(real, off @ slope, 0.0))[real]
        slope = np.asarray(
            np.linalg.solve(square, weights_ * (away - weights_ @ away / whole) @ apart / whole), dtype=float
        )
    return np.asarray(slope)


def loss(quantiles: Array, outcome: float) -> float:
    """Return the pinball loss of *quantiles* at `LEVELS` for *outcome*: the mean of all levels."""
    off = outcome - quantiles
    return float(np.mean(np.maximum(LEVELS * off, (LEVELS - 1) * off)))
