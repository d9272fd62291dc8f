"""Hours by when they began and ended: by times of the day, or by stamps with their days.

Between two stamps lies what a clock counts: over midnight, and one hour less or more on the night in which
clocks are changed. What the stamps leave open is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub import CellError, CellReader, Declared, Worklog, cell_text, columns_of, is_nothing, tr

_STAMP = re.compile(
    r"(?:(?P<day>[^:]*?[^\s,:])(?:,\s*|\s+)(?:(?:a|à|at|um|o|om)\s+)?)?"
    r"(?P<hour>[0-9]{1,2})(?:(?P<sign>[:hH.])(?P<minute>[0-5][0-9])(?:[:.](?P<second>[0-5][0-9])(?:[.,][0-9]+)?)?"
    r"|[hH])?\s*(?P<half>[aApP]\.?\s?[mM]\.?)?(?:\s*(?:[hH]|Uhr))?\s*(?P<zone>Z|UTC|[+-][0-9]{2}:?[0-9]{2})?"
)
BARE = re.compile(r"[-+]?[0-9 ]*[.,]?[0-9]+")
"""A number without its unit."""
_DOTTED = re.compile(r"[0-9]{1,2}[.,]([0-9]+)")
_NO_TIME = timedelta(days=1)
_SHORT_YEAR = 1905
"""Before it, a day is the nought from which a workbook counts a mere time of day."""


class Moment(msgspec.Struct, frozen=True):
    """A time of day, with its *day* and its *zone* where the cell says them."""

    day: date | None
    since: timedelta
    zone: tzinfo | None = None


class ClockReader(CellReader):
    """Reads the cells of columns that say when something began or ended."""

    def __init__(self, formats: tuple[str, ...] = (), day: str = "") -> None:
        """Read days by *formats* where the mapping says them, or in the order of the *day* of the row."""
        super().__init__(columns_of(Worklog)["day"], Declared(formats=formats))
        if day[:2] in {"%d", "%m"}:
            self.orders.add("dd/mm" if day[:2] == "%d" else "mm/dd")
        self.has_parts = False
        """Whether times are written with a point, and with parts of an hour behind it: 8.75."""

    @property
    def is_settled(self) -> bool:
        """Say that the column has to be looked at: which of day and month stands first may be open."""
        return False

    def look(self, cell: Any, *, years: Any = ()) -> None:
        """Note what a cell shows of how days are written."""
        if not isinstance(cell, str):
            return
        if (match := _STAMP.fullmatch(cell.strip())) and match["day"]:
            super().look(match["day"])
        elif match := _DOTTED.fullmatch(cell.strip()):
            self.has_parts |= match[1] in {"25", "50", "75"} or len(match[1]) != 2 or int(match[1]) > 59
        else:
            super().look(cell)

    def moment(self, cell: Any) -> Moment | None:
        """Return when a cell says, None for nothing. Raises `CellError` where it says no time of day."""
        if isinstance(cell, datetime):
            since = timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second)
            return Moment(cell.date() if cell.year >= _SHORT_YEAR else None, since, cell.tzinfo)
        if isinstance(cell, time):
            return Moment(None, timedelta(hours=cell.hour, minutes=cell.minute, seconds=cell.second))
        if isinstance(cell, timedelta) and timedelta() <= cell <= _NO_TIME:
            return Moment(None, cell)
        if isinstance(cell, float) and 0 <= cell < 1:  # a part of a day, as a spreadsheet counts
            return Moment(None, timedelta(seconds=round(cell * 86400)))
        if isinstance(cell, int | float) and not isinstance(cell, bool) and cell % 1 == 0 and 0 <= cell <= 24:
            return Moment(None, timedelta(hours=int(cell)))
        if is_nothing(cell):
            return None
        if isinstance(cell, str) and (found := self._stamp(cell.strip())):
            return found
        raise CellError(tr("is no time of the day such as 08:30"))

    def _stamp(self, text: str) -> Moment | None:
        if "T" in text or re.search(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}", text):
            try:
                stamp = datetime.fromisoformat(text)
            except ValueError:
                pass
            else:
                return self.moment(stamp) if len(text) > 10 else None
        match = _STAMP.fullmatch(text)
        if match is None:
            return None
        if match["sign"] == "." and self.has_parts:
            raise CellError(tr("may be a time of the day or a part of an hour: write it as 08:30"))
        if not match["sign"] and not match["half"] and match["day"]:
            return None  # 5 October 26
        hour = int(match["hour"])
        if match["half"]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if match["half"][0] in "pP" else 0)
        since = timedelta(hours=hour, minutes=int(match["minute"] or 0), seconds=int(match["second"] or 0))
        if since > _NO_TIME:
            return None
        day = date.fromisoformat(self.value(match["day"])) if match["day"] else None
        return Moment(day, since, _zone(match["zone"]))


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    return UTC if text in {"Z", "UTC"} else datetime.fromisoformat(f"2000-01-01T00:00{text}").tzinfo


class Span(msgspec.Struct, kw_only=True):
    """What passed between two cells, *start* and *end*, of the *day* of their row where they say none."""

    reader: ClockReader
    zone: ZoneInfo
    day: Callable[[], date | None]
    until: datetime | None = None
    """When the span before it in the row ended."""

    def between(self, start: Any, end: Any, end_day: date | None = None) -> timedelta | None:
        """Return how long it was, None where neither is said.

        Raises `CellError` where one lacks, where they leave open how long, and where the end is before.
        """
        first, last = self.reader.moment(start), self.reader.moment(end)
        if first is None and last is None:
            return None
        if first is None or last is None:
            raise CellError(
                tr("has a beginning and no end: it still runs, or somebody forgot to end it")
                if last is None
                else tr("has an end and no beginning")
            )
        day = first.day or self.day() or date(2000, 1, 3)
        begun = self._at(day, first)
        if self.until and first.day is None and begun < self.until:
            day += timedelta(days=1)
            begun = self._at(day, first)
        last_day = last.day or end_day
        if last_day is None:
            if last.since == first.since:
                raise CellError(tr("ends when it begins: nothing, or a whole day?"))
            last_day = day if last.since > first.since else day + timedelta(days=1)
        ended = self._at(last_day, last)
        if ended < begun:
            raise CellError(tr("ends before it begins"))
        self.until = ended
        return ended - begun

    def _at(self, day: date, moment: Moment) -> datetime:
        """Return a stamp as it is everywhere. Raises `CellError` for one that the day has twice, or never."""
        local = datetime.combine(day, time()) + moment.since
        if moment.zone is not None:
            return local.replace(tzinfo=moment.zone).astimezone(UTC)
        local = local.replace(tzinfo=self.zone)
        if local.utcoffset() != local.replace(fold=1).utcoffset():
            raise CellError(
                tr("is in an hour that the change of the clocks on {day} makes twice, or skips", day=day)
            )
        return local.astimezone(UTC)


def is_clock(cell: Any, reader: ClockReader) -> bool:
    """Say whether a cell says a time of day; a mere number may."""
    if isinstance(cell, timedelta) or (isinstance(cell, float) and cell % 1):
        return False
    if isinstance(cell, datetime) and cell.time() == time():
        return False
    try:
        return bool(cell_text(cell)) and reader.moment(cell) is not None
    except CellError:
        return isinstance(cell, str) and _STAMP.fullmatch(cell.strip()) is not None
