"""The working days as one running count, so that work is added to a day, and days apart are subtracted."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
HORIZON = 1825
"""Calendar days that a forecast looks ahead at most: what ends later has no end in sight."""


class Axis:
    """The working days of a calendar, each worth *weights* (1 as a rule, 0 on a day off).

    *first* is the number of the first day (days since 1970-01-01). Positions are counts of working days at
    the end of a day; a task takes the days after the end of the day before it starts.
    """

    def __init__(self, first: int, weights: Array) -> None:
        """Count up *weights* from *first*; days beyond them are worth what the weekdays' pattern says."""
        more = np.arange(first + len(weights), first + len(weights) + 2 * HORIZON)
        weekdays = ((more + 3) % 7 < 5).astype(np.float64)  # 1970-01-01 was a Thursday
        self.first = first
        self.weights = np.concatenate([weights, weekdays])
        self.total: Array = np.concatenate([[0.0], np.cumsum(self.weights)])

    def end_of(self, days: Array) -> Array:
        """Return the position at the end of each of *days*; NaN stays NaN."""
        place = np.clip(np.nan_to_num(days, nan=self.first) - self.first + 1, 0, len(self.total) - 1)
        return np.where(np.isnan(days), np.nan, self.total[place.astype(np.int64)])

    def between(self, starts: Array, finishes: Array) -> Array:
        """Return the working days from each of *starts* to each of *finishes*, both included."""
        return self.end_of(finishes) - self.end_of(np.asarray(starts) - 1)

    def day_at(self, positions: Array) -> Array:
        """Return the day by the end of which each of *positions* is reached; infinity stays infinity."""
        place = np.searchsorted(self.total, np.nan_to_num(positions, posinf=0.0) - 1e-9, side="left")
        return np.where(np.isinf(positions), np.inf, self.first + place - 1.0)

    def seasonal(
        self, projects: NDArray[np.int64], when: Array, today: int, worth: Array | None = None
    ) -> Axis:
        """Return the axis with each month worth what happens in it, of what did *when* up to *today*.

        That are items finished, or labour, each as much as it is *worth*. Paces of *projects* and shares of
        months are told apart by fitting both in turn, between the first and the last day of a project, which
        are days with something by themselves. A share is drawn towards 1 where little was seen; less than
        thirteen months tell nothing.
        """
        known = (when <= today) & (when >= self.first)
        amounts = np.ones(known.sum()) if worth is None else worth[known]
        projects, days = projects[known], when[known].astype(np.int64)
        if not len(days) or today - days.min() < 396:
            return self
        _, place = np.unique(projects, return_inverse=True)
        n = int(place.max()) + 1
        first, last = np.full(n, np.inf), np.full(n, -np.inf)
        np.minimum.at(first, place, days)
        np.maximum.at(last, place, days)
        every = np.arange(self.first, today + 1)
        by_month = np.zeros((len(every) + 1, 12))
        by_month[np.arange(1, len(every) + 1), _months(every)] = self.weights[: len(every)]
        by_month = np.cumsum(by_month, axis=0)
        begun, over = (one.astype(np.int64) - self.first for one in (first, last))
        worked = np.maximum(by_month[over] - by_month[begun + 1], 0.0)
        inside = (days > first[place]) & (days < last[place])
        seen = np.zeros((n, 12))
        np.add.at(seen, (place[inside], _months(days[inside])), amounts[inside])
        share = np.ones(12)
        for _ in range(8):
            pace = seen.sum(axis=1) / np.maximum(worked @ share, 1.0)
            share = (seen.sum(axis=0) + _SHRINK) / (pace @ worked + _SHRINK)
        made = Axis.__new__(Axis)
        made.first = self.first
        more = np.arange(self.first, self.first + len(self.weights))
        made.weights = self.weights * np.clip(share, 0.2, 2.0)[_months(more)]
        made.total = np.concatenate([[0.0], np.cumsum(made.weights)])
        return made


_SHRINK = 20.0


def _months(days: NDArray[np.int64]) -> NDArray[np.int64]:
    return days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12
