"""What people of a live service can work: read once a day, from some weeks ago on, each week by itself.

What was told of the weeks before stays: it is what their load was held against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub import Capacity, Census, Scope, SourceDataError, tr
from hub_msproject.files.capacity import weekly

WEEK = timedelta(days=7)
BACK, AHEAD = 4 * WEEK, 26 * WEEK
"""The weeks that are read, before this one and with it."""
_CODES = ("Available", "Busy", "Unavailable", "Filter")
_CAPACITY = {"ResourceCapacity", 10}
"""What a block of the code Filter says that tells how much of somebody is there (SubCode)."""
_WHOLE = 86_400
Days = dict[date, tuple[int, float]]
"""By day the seconds that somebody can work, and how much of him is there."""


class Block(msgspec.Struct, frozen=True, rename="pascal"):
    """A block of time of a calendar, as the function ExpandCalendar of Dataverse returns it (TimeInfo)."""

    start: datetime
    end: datetime
    time_code: str | int
    sub_code: str | int | None = None
    effort: float | None = None

    @property
    def code(self) -> str:
        """Return its code by name. Raises `SourceDataError` for an unknown one."""
        told = self.time_code
        found = _CODES[told] if isinstance(told, int) and 0 <= told < len(_CODES) else told
        if found not in _CODES:
            raise SourceDataError(
                tr("Dataverse sent {code!r} as the code of a block of time.", code=self.time_code)
            )
        return str(found)


class Expanded(msgspec.Struct, frozen=True):
    """The answer of ExpandCalendar."""

    result: list[Block]


def window(today: date) -> tuple[date, date]:
    """Return the first and the last day to read: a Monday and a Sunday."""
    monday = today - timedelta(days=today.weekday())
    return monday - BACK, monday + AHEAD - timedelta(days=1)


def expand(calendar: str, first: date, last: date) -> str:
    """Return the path of what a calendar of Dataverse allows from *first* to *last*, with a day around."""
    start, end = (f"{day:%Y-%m-%d}T00:00:00Z" for day in (first - WEEK / 7, last + 2 * WEEK / 7))
    name = "Microsoft.Dynamics.CRM.ExpandCalendar"
    return f"calendars({calendar})/{name}(Start=@s,End=@e)?@s={start}&@e={end}"


def able(blocks: Iterable[Block], first: date, last: date, tz: ZoneInfo) -> Days:
    """Return what blocks of time allow on the days from *first* to *last* in the zone *tz*.

    What is busy or away is not available, whatever else is said of it. Nothing is told by a calendar without
    a block, or open day and night: nobody filled it in.
    """
    spans: dict[str, list[tuple[datetime, datetime]]] = {one: [] for one in _CODES}
    shares: list[tuple[datetime, datetime, float]] = []
    for one in blocks:
        since, until = (_aware(at) for at in (one.start, one.end))
        if until <= since:
            raise SourceDataError(tr("a block of time ends before it begins: {start}", start=since))
        spans[one.code].append((since, until))
        if one.code == "Filter" and one.sub_code in _CAPACITY and one.effort is not None:
            shares.append((since, until, one.effort))
    away = _joined([*spans["Busy"], *spans["Unavailable"]])
    free = _without(_joined(spans["Available"]), away)
    if not free and not away:
        return {}
    days: Days = {}
    for number in range((last - first).days + 1):
        day = first + timedelta(days=number)
        since, until = (
            datetime.combine(one, time(), tz).astimezone(UTC) for one in (day, day + timedelta(days=1))
        )
        worked = sum((_common(span, (since, until)) for span in free), timedelta())
        units = [share for start, end, share in shares if start < until and since < end and 0 < share < 1]
        days[day] = min(round(worked.total_seconds()), _WHOLE), min(units, default=1.0)
    return {} if all(seconds >= _WHOLE for seconds, _ in days.values()) else days


def told(
    name: str, account: str, resource: str, days: Mapping[date, tuple[int, float]]
) -> Iterator[Capacity]:
    """Yield what somebody can work, a row for the days of a week that are alike.

    *name* is that of the source, *account* the id of the account in the store.
    """
    for row in weekly(resource, days):
        yield Capacity(
            id=f"{name}:k{row.start}/{resource}/{row.weekdays}", account_id=account, start_on=row.start,
            finish_on=row.finish, weekdays=row.weekdays, seconds=row.seconds, units=row.units,
        )  # fmt: skip


def proofs(name: str, first: date, last: date, ids: Iterable[str], evidence: str) -> list[Census]:
    """Return what exists of the weeks from *first* to *last*, each by itself."""
    found: dict[str, set[str]] = {}
    monday = first
    while monday <= last:
        found[f"{name}:k{monday}/"] = set()
        monday += WEEK
    for one in ids:
        found[f"{one.partition('/')[0]}/"].add(one)
    return [
        Census(
            record=Capacity, scope=Scope(records=(Capacity,), id_prefix=prefix), ids=frozenset(mine),
            evidence=evidence,
        )
        for prefix, mine in found.items()
    ]  # fmt: skip


def _aware(at: datetime) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _joined(spans: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    for since, until in sorted(spans):
        if found and since <= found[-1][1]:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((since, until))
    return found


def _without(spans: list[tuple[Any, Any]], away: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    for start, end in away:
        spans = [
            part
            for since, until in spans
            for part in ((since, min(until, start)), (max(since, end), until))
            if part[0] < part[1]
        ]
    return spans


def _common(one: tuple[Any, Any], other: tuple[Any, Any]) -> Any:
    return max(min(one[1], other[1]) - max(one[0], other[0]), timedelta())
