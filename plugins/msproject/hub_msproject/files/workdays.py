"""Working calendars of a schedule, and work spread over the days by them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

Interval = tuple[int, int]
DAY = 86400


class Calendar:
    """Working times per weekday (0 = Monday) with exceptions; what it does not say is asked of its base."""

    def __init__(self, base: Calendar | None = None) -> None:
        """Start from *base*, or from nothing."""
        self.base = base
        self.week: dict[int, list[Interval]] = {}
        self.special_weeks: list[tuple[date, date, dict[int, list[Interval]]]] = []
        self.exceptions: list[tuple[date, date, list[Interval]]] = []
        self._known: dict[date, list[Interval]] = {}

    def intervals(self, day: date) -> list[Interval]:
        """Return the working times of *day* in seconds since midnight."""
        found = self._known.get(day)
        if found is None:
            found = self._known[day] = self._find(day)
        return found

    def _find(self, day: date) -> list[Interval]:
        calendar: Calendar | None = self
        while calendar is not None:
            for first, last, times in calendar.exceptions:
                if first <= day <= last:
                    return times
            for first, last, week in calendar.special_weeks:
                if first <= day <= last and day.weekday() in week:
                    return week[day.weekday()]
            if calendar is self and day.weekday() in calendar.week:
                # a calendar's own week hides its base's week, not its base's holidays
                holiday = self._base_exception(day)
                return self.week[day.weekday()] if holiday is None else holiday
            if day.weekday() in calendar.week:
                return calendar.week[day.weekday()]
            calendar = calendar.base
        return [] if self.has_week() else ([(8 * 3600, 16 * 3600)] if day.weekday() < 5 else [])

    def _base_exception(self, day: date) -> list[Interval] | None:
        calendar = self.base
        while calendar is not None:
            for first, last, times in calendar.exceptions:
                if first <= day <= last:
                    return times
            calendar = calendar.base
        return None

    def has_week(self) -> bool:
        """Say whether this calendar or one of its bases defines a week."""
        return bool(self.week) or (self.base is not None and self.base.has_week())


def moment(text: str) -> tuple[date, int]:
    """Split ``2026-01-05T08:00:00`` into a date and seconds since midnight; odd times count as midnight."""
    day = date(int(text[:4]), int(text[5:7]), int(text[8:10]))
    parts = text[11:19].split(":")
    try:
        seconds = abs(int(parts[0])) * 3600 + abs(int(parts[1])) * 60
    except (IndexError, ValueError):
        seconds = 0
    return day, min(seconds, DAY)


def weights(times: Callable[[date], list[Interval]], start: str, finish: str) -> list[tuple[str, int]]:
    """Return the working seconds of every day between two local moments; empty when there are none."""
    first, begin = moment(start)
    last, end = moment(finish)
    found = []
    day = first
    while day <= last:
        low = begin if day == first else 0
        high = end if day == last else DAY
        seconds = sum(max(0, min(high, to) - max(low, since)) for since, to in times(day))
        if seconds:
            found.append((day.isoformat(), seconds))
        day += timedelta(days=1)
    return found


def spread(days: list[tuple[str, int]], seconds: int) -> list[tuple[str, int]]:
    """Share *seconds* over weighted *days* in whole seconds; the parts add up exactly."""
    whole = sum(weight for _, weight in days)
    shared, given, seen = [], 0, 0
    for day, weight in days:
        seen += weight
        part = seconds * seen // whole - given
        given += part
        shared.append((day, part))
    return shared
