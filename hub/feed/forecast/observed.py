"""How far off an organisation's own plans were: what its finished tasks took against their baselines."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from hub.feed.forecast.axis import Array

BETWEEN, WITHIN = 0.2, 0.4
"""What is assumed where nothing was observed: the spread of log ratios between and within projects."""
_WEIGHT = 6.0
"""Observations that the assumptions are worth."""


class Observed(msgspec.Struct, frozen=True, kw_only=True):
    """Log ratios of actual to baseline: their *mean*, their spread *between* projects and *within* one.

    *own* is by project the sum and number of its ratios; *rest* what is left of each ratio without its
    project's mean, in units of *within*; *n* is how many there are.
    """

    mean: float
    between: float
    within: float
    n: int
    rest: Array
    own: dict[int, tuple[float, int]]

    def of(self, project: int) -> tuple[float, float]:
        """Return mean and spread of a project's own log ratio: drawn to the others' where it has few."""
        total, n = self.own.get(project, (0.0, 0))
        precision = n / self.within**2 + 1 / self.between**2
        mean = (total / self.within**2 + self.mean / self.between**2) / precision
        return mean, precision**-0.5

    def draw(self, rng: np.random.Generator, size: tuple[int, int]) -> Array:
        """Return what tasks differ by within a project, of log ratios: resampled where enough was seen."""
        if len(self.rest) < 20:
            return np.asarray(rng.standard_normal(size) * self.within)
        return np.asarray(self.within * self.rest[rng.integers(0, len(self.rest), size)])


def observe(projects: NDArray[np.int64], ratios: Array) -> Observed:
    """Return what the *ratios* of finished tasks say, each of the project beside it in *projects*."""
    logs = np.clip(np.log(ratios), -2.5, 2.5)
    keys, place = np.unique(projects, return_inverse=True)
    counts = np.bincount(place, minlength=len(keys)).astype(np.float64)
    sums = np.bincount(place, logs, minlength=len(keys))
    means = sums / np.maximum(counts, 1)
    centred = logs - means[place] if len(keys) else logs
    freedom = max(float(counts.sum() - len(keys)), 0.0)
    within2 = (float(np.sum(centred**2)) + _WEIGHT * WITHIN**2) / (freedom + _WEIGHT)
    several = counts >= 2
    apart2 = 0.0
    if several.sum() >= 2:
        apart2 = max(0.0, float(np.var(means[several], ddof=1) - np.mean(within2 / counts[several])))
    between2 = (apart2 * float(several.sum()) + _WEIGHT * BETWEEN**2) / (float(several.sum()) + _WEIGHT)
    weights = 1 / (between2 + within2 / np.maximum(counts, 1))
    prior = 1.0 / (between2 + within2 / 2)
    mean = float(np.sum(weights * means) / (np.sum(weights) + prior)) if len(keys) else 0.0
    # of a project with few the mean took a part of the spread away: it is put back
    bigger = np.sqrt(counts / np.maximum(counts - 1, 1))[place] if len(keys) else centred
    rest = centred[counts[place] >= 3] * bigger[counts[place] >= 3] if len(keys) else centred
    return Observed(
        mean=mean, between=between2**0.5, within=within2**0.5, n=len(logs), rest=rest / within2**0.5,
        own={int(key): (float(sums[at]), int(counts[at])) for at, key in enumerate(keys)},
    )  # fmt: skip


def apart_of(values: Array, errors: Array, assumed: float) -> float:
    """Return the variance between projects of *values* that have the variances *errors* themselves.

    Random effects (DerSimonian and Laird 1986), drawn to the variance *assumed* where projects are few.
    """
    if len(values) < 3:
        return assumed
    weights = 1 / errors
    q = float(np.sum(weights * (values - np.sum(weights * values) / np.sum(weights)) ** 2))
    scale = float(np.sum(weights) - np.sum(weights**2) / np.sum(weights))
    seen = max(0.0, (q - (len(values) - 1)) / scale)
    return (seen * len(values) + 4 * assumed) / (len(values) + 4)
