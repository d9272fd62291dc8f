"""What resources can work, day by day, by their calendars and by how much of them is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from math import ceil

import msgspec

from hub_msproject.files.schedule import CapacityRow, Uid
from hub_msproject.files.workdays import Interval

LONGEST = 3650
"""Days of a plan, at most, of which it is told what people can work: its dates are odd else."""


class Present(msgspec.Struct, frozen=True):
    """From when to when, both included, how much of a resource is there; None is always."""

    first: str | None
    last: str | None
    units: float


def by_hours(hours: Mapping[date, float]) -> dict[date, tuple[int, float]]:
    """Return the seconds of each day and how much of somebody is there: above 24 hours several people are."""
    found = {}
    for day, told in hours.items():
        people = max(1, ceil(told / 24))
        found[day] = round(told * 3600 / people), float(people)
    return found


def weekly(resource: Uid, days: Mapping[date, tuple[int, float]]) -> Iterator[CapacityRow]:
    """Yield what *resource* can work on *days*, by seconds and units, each week by itself."""
    for monday, week in _weeks(days).items():
        yield from _told(resource, monday, monday + timedelta(days=7), week)


def _weeks(days: Mapping[date, tuple[int, float]]) -> dict[date, dict[int, tuple[int, float]]]:
    weeks: dict[date, dict[int, tuple[int, float]]] = {}
    for day, found in sorted(days.items()):
        weeks.setdefault(day - timedelta(days=day.weekday()), {})[day.weekday()] = found
    return weeks


def of_days(resource: Uid, hours: Mapping[date, float]) -> Iterator[CapacityRow]:
    """Yield what *resource* can work, by its *hours* on each day; weeks that are alike are one.

    A day that it does not tell is not told. More than 24 hours are several people's.
    """
    weeks = _weeks(by_hours(hours))
    since = until = date.min
    before: dict[int, tuple[int, float]] = {}
    for monday, week in [*weeks.items(), (date.max, {})]:
        if before and (week != before or monday != until):
            yield from _told(resource, since, until, before)
        if week != before or monday != until:
            since = monday
        before, until = week, monday + timedelta(days=7) if week else monday


def _told(
    resource: Uid, since: date, until: date, week: Mapping[int, tuple[int, float]]
) -> Iterator[CapacityRow]:
    for seconds, units in dict.fromkeys(week.values()):
        yield CapacityRow(
            resource=resource,
            start=since.isoformat(),
            finish=(until - timedelta(days=1)).isoformat(),
            weekdays="".join("1" if week.get(day) == (seconds, units) else "0" for day in range(7)),
            seconds=seconds,
            units=units,
        )


Week = tuple[tuple[int, float], ...]


class Capacities:
    """The days of a plan, and what was found of its calendars."""

    def __init__(self, days: Iterable[str | None]) -> None:
        """Take the weeks from the first to the last of the *days* of a plan."""
        known = sorted({found for day in days if day and (found := _date(day))})
        self.monday = self.end = date.min
        if known:
            first, last = known[0], known[-1]
            if (last - first).days <= LONGEST:
                self.monday, self.end = first - timedelta(days=first.weekday()), last
        self._known: dict[object, list[CapacityRow]] = {}

    def rows(
        self, resource: Uid, calendar: object, times: Callable[[date], list[Interval]], there: list[Present]
    ) -> Iterator[CapacityRow]:
        """Yield what *resource* can work by the *times* of its *calendar*, and what of it is *there*."""
        key = calendar, tuple(there)
        if key not in self._known:
            self._known[key] = list(self._spans(times, there))
        for one in self._known[key]:
            yield msgspec.structs.replace(one, resource=resource)

    def _spans(self, times: Callable[[date], list[Interval]], there: list[Present]) -> Iterator[CapacityRow]:
        """Yield the spans of weeks that are alike, each with a row for the weekdays that are."""
        if self.monday == date.min:
            return
        since, before = self.monday, self._week(self.monday, times, there)
        monday = since + timedelta(days=7)
        while monday <= self.end:
            week = self._week(monday, times, there)
            if week != before:
                yield from _alike(since, monday, before)
                since, before = monday, week
            monday += timedelta(days=7)
        yield from _alike(since, monday, before)

    @staticmethod
    def _week(monday: date, times: Callable[[date], list[Interval]], there: list[Present]) -> Week:
        found = []
        for number in range(7):
            day = monday + timedelta(days=number)
            said = day.isoformat()
            units = [
                one.units for one in there if (one.first or said)[:10] <= said <= (one.last or said)[:10]
            ]
            found.append((sum(to - since for since, to in times(day)), units[0] if units else 0.0))
        return tuple(found)


def _date(day: str) -> date | None:
    try:
        return date.fromisoformat(day[:10])
    except ValueError:
        return None


def _alike(since: date, until: date, week: Week) -> Iterator[CapacityRow]:
    for seconds, units in dict.fromkeys(week):
        yield CapacityRow(
            resource=0,
            start=since.isoformat(),
            finish=(until - timedelta(days=1)).isoformat(),
            weekdays="".join("1" if one == (seconds, units) else "0" for one in week),
            seconds=seconds,
            units=units,
        )
