"""Working calendars of a schedule, and work spread over the days by them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from math import ceil

import msgspec

Interval = tuple[int, int]
DAY = 86400
ROUNDING = 60
"""Seconds by which the days of an assignment may differ from its total: Project works in minutes."""


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

    def stands_on(self, other: Calendar) -> bool:
        """Say whether *other* is this calendar or among its bases."""
        return self is other or (self.base is not None and self.base.stands_on(other))

    def ruling(self) -> Calendar:
        """Return the calendar that says anything: most of those of resources only pass on their base."""
        calendar = self
        while calendar.base and not (calendar.week or calendar.special_weeks or calendar.exceptions):
            calendar = calendar.base
        return calendar

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


Times = Callable[[date], list[Interval]]
"""Tells the working times of a day."""


def both(first: Times, second: Times) -> Times:
    """Return the times that lie within those of two calendars."""

    def times(day: date) -> list[Interval]:
        pairs = [(a, b, c, d) for a, b in first(day) for c, d in second(day)]
        return [(max(a, c), min(b, d)) for a, b, c, d in pairs if max(a, c) < min(b, d)]

    return times


def weights(times: Times, start: str, finish: str) -> list[tuple[str, int]]:
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


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """When an assignment is: work was done until *stop* and goes on at *resume*, as far as a file says so."""

    start: str | None = None
    finish: str | None = None
    actual_start: str | None = None
    actual_finish: str | None = None
    stop: str | None = None
    resume: str | None = None


Spread = Callable[[str, str, int], list[tuple[str, int]]]
"""Shares seconds over the working days between two local moments."""


def done_days(span: Span, seconds: int, spread: Spread) -> dict[str, int]:
    """Return days for work that was done on days that a file does not hold."""
    if not span.start or not span.finish:
        return {}
    since = span.actual_start or span.start
    return dict(spread(since, max(span.actual_finish or span.stop or span.finish, since), seconds))


def left_days(span: Span, done: int, seconds: int, spread: Spread) -> dict[str, int]:
    """Return days for work that is left, where a file does not hold them and *done* was worked before."""
    if not span.start or not span.finish:
        return {}
    since = (span.resume or span.start) if done else span.start
    return dict(spread(min(since, span.finish), span.finish, seconds))


def settle(
    days: Mapping[str, int], total: int, fallback_day: str | None, units: float | None = None
) -> tuple[list[tuple[str, int]], bool]:
    """Make days possible, and add up to *total*; say whether they had to be corrected.

    The file's total is the truth. What rounding lacks goes to the last day, more is shared as the days are,
    or goes to *fallback_day*. No day is negative, none has more than 24 hours of each of the *units*.
    """
    most = DAY * max(1, ceil(units or 1))
    if sum(days.values()) == total and all(0 < seconds <= most for seconds in days.values()):
        return sorted(days.items()), False
    found = {day: seconds for day, seconds in days.items() if seconds > 0}
    difference = total - sum(found.values())
    corrected = abs(difference) > ROUNDING or any(seconds < 0 or seconds > most for seconds in days.values())
    if total <= 0:
        found = {}
    elif not found and fallback_day is not None:
        found = {fallback_day: total}
    elif found and (abs(difference) > ROUNDING or found[max(found)] + difference < 0):
        found = dict(spread(sorted(found.items()), total))
    elif found:
        found[max(found)] += difference
    found = _within(found, most)
    return sorted((day, seconds) for day, seconds in found.items() if seconds > 0), corrected


def _within(days: dict[str, int], most: int) -> dict[str, int]:
    """Move what a day cannot hold to the nearest day of work before it that can, else to the days after."""
    for day in sorted(days):
        if (over := days[day] - most) <= 0:
            continue
        days[day] = most
        for other in sorted((one for one in days if one < day), reverse=True):
            part = min(over, most - days[other])
            days[other] += part
            over -= part
        following = date.fromisoformat(day)
        while over > 0:
            following += timedelta(days=1)
            key = following.isoformat()
            part = max(0, min(over, most - days.get(key, 0)))
            days[key] = days.get(key, 0) + part
            over -= part
    return days
