"""When the committee meets: days that are listed, or a rhythm such as ``last friday``."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator, Sequence
from datetime import date, timedelta

from hub.errors import ConfigError
from hub.words import tr

_WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_PLACES = {"first": 0, "second": 1, "third": 2, "fourth": 3, "last": -1}
_MONTHLY = re.compile(rf"({'|'.join(_PLACES)}) ({'|'.join(_WEEKDAYS)})")
_WEEKLY = re.compile(r"every (\d{1,2} )?weeks? from (\d{4}-\d{2}-\d{2})")
LATE = timedelta(days=7)
"""How long after its day the cut of a committee is still taken, as of that day: runs may have failed."""


def meetings(dates: Sequence[date], rhythm: str | None, first: date, last: date) -> list[date]:
    """Return the days from *first* to *last* on which a committee meets, in order.

    A rhythm is ``last friday`` (first, second, third, fourth or last, of each month) or ``every 2 weeks from
    2026-12-04``. Raises `ConfigError` for one that is neither.
    """
    return sorted({day for day in (*dates, *_rhythm(rhythm, first, last)) if first <= day <= last})


def next_meeting(dates: Sequence[date], rhythm: str | None, today: date) -> date | None:
    """Return the first day after *today* on which a committee meets; None where nobody said when it does."""
    found = meetings(dates, rhythm, today + timedelta(days=1), today + timedelta(days=366))
    return found[0] if found else None


def cut_due(dates: Sequence[date], rhythm: str | None, today: date, taken: Sequence[date]) -> date | None:
    """Return the last day up to *today* on which a committee met and of which no cut was *taken*.

    None where there is none, or where it is longer ago than a week.
    """
    found = meetings(dates, rhythm, today - LATE, today)
    return found[-1] if found and not any(day >= found[-1] for day in taken) else None


def _rhythm(text: str | None, first: date, last: date) -> Iterator[date]:
    if text is None:
        return
    said = " ".join(text.lower().split())
    if found := _MONTHLY.fullmatch(said):
        place, weekday = _PLACES[found[1]], _WEEKDAYS.index(found[2])
        year, month = first.year, first.month
        while (year, month) <= (last.year, last.month):
            days = [day for day in range(1, monthrange(year, month)[1] + 1)
                    if date(year, month, day).weekday() == weekday]  # fmt: skip
            yield date(year, month, days[place])
            year, month = (year + 1, 1) if month == 12 else (year, month + 1)
    elif found := _WEEKLY.fullmatch(said):
        step = timedelta(weeks=int(found[1] or 1) or 1)
        try:
            day = date.fromisoformat(found[2])
        except ValueError as exc:
            raise _wrong(text) from exc
        if day < first:
            day += step * -((day - first) // step)
        while day <= last:
            yield day
            day += step
    else:
        raise _wrong(text)


def _wrong(text: str) -> ConfigError:
    return ConfigError(
        tr(
            '[committee] rhythm = {text!r}: write it as "last friday" (first, second, third, fourth or '
            'last, and a weekday in English) or "every 2 weeks from 2026-12-04".',
            text=text,
        )
    )
