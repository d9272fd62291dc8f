"""Days and instants as tools send them: texts, counts since 1970, those of OData 2, and objects of parts."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

from hub import CellError, is_zone, tr

NOTHING = (0, "0", "0000-00-00", "0000-00-00 00:00:00", "0001-01-01T00:00:00", "0001-01-01T00:00:00Z")
"""What tools write where there is no day."""
_DIGITS = re.compile(r"\d+(?:\.\d+)?")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_TICKS = re.compile(r"/Date\((-?\d+)(?:[+-]\d{1,4})?\)/")
"""An instant in the JSON of OData 2: milliseconds since 1970 in UTC, and how far that clock was ahead."""
_EARLIEST, _LATEST = 3e8, 4.2e9
"""Seconds since 1970 that may be meant: from 1979 to 2103. Another count is of something else."""
_SIZES = (1, 1_000, 1_000_000, 1_000_000_000)
_OF_DAY = ("year", "month", "day")
_OF_TIME = ("hour", "minute", "second")
_TIMES = (frozenset({"hours", "minutes", "seconds"}), frozenset({"seconds", "nanos", "nanoseconds"}))
_NAMES = frozenset({
    *_OF_DAY, *_OF_TIME, "hours", "minutes", "seconds", "days", "nanos", "nanoseconds", "microsecond",
    "millisecond", "date", "time", "timezone", "timezone_type", "tz", "timeZone", "zone", "offset", "$date",
    "__class__", "dateTime", "datetime", "microseconds",
})  # fmt: skip


def is_parts(value: dict[str, Any]) -> bool:
    """Say whether an object may be a day, an instant or a duration in its parts, and nothing else."""
    return bool(value) and value.keys() <= _NAMES


def is_count(value: Any) -> bool:
    """Say whether a value is no text of a day: a number, in a text too, or an object of parts."""
    if isinstance(value, str):
        text = value.strip()
        return bool(_TICKS.fullmatch(text) or (_DIGITS.fullmatch(text) and len(text) > 8))
    return isinstance(value, int | float | dict)


def day_of_parts(value: Any) -> date | None:
    """Return the day that ``{"year": 2026, "month": 3, "day": 5}`` or the number 20260305 is.

    None for what says more, or less.
    """
    if isinstance(value, int) and 19000101 <= value <= 21001231:
        return datetime.strptime(f"{value}", "%Y%m%d").date()
    if isinstance(value, dict) and isinstance(text := value.get("date"), str):
        # a day is the same one in whatever zone it is told
        is_day = bool(_DAY.fullmatch(text)) and value.get("time") is None and value.get("dateTime") is None
        return date.fromisoformat(text) if is_day else None
    if not isinstance(value, dict) or not all(isinstance(value.get(name), int) for name in _OF_DAY):
        return None
    if any(value.get(name) is not None for name in (*_OF_TIME, "hours", "minutes", "seconds", "time")):
        return None
    return date(*(value[name] for name in _OF_DAY))


def instant_of(value: Any, zone: tzinfo, form: str | None = None) -> datetime:
    """Return the instant in UTC that a tool sent; without a zone of its own it is in *zone*.

    *form* ``epoch`` or ``epoch_ms`` says what a count is of; else its size does. Raises `ValueError`, and
    `CellError` for a count that nobody can have meant.
    """
    if isinstance(value, dict):
        return _of_parts(value, zone)
    if isinstance(value, str) and _DIGITS.fullmatch(value.strip()):
        text = value.strip()
        if form is None and len(text) == 14 and "." not in text:
            return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=zone).astimezone(UTC)
        if form is not None or len(text.partition(".")[0]) > 8:
            return _counted(float(text) if "." in text else int(text), form)
    elif isinstance(value, str) and (ticks := _TICKS.fullmatch(value.strip())):
        return _counted(int(ticks[1]), "epoch_ms")
    elif isinstance(value, int | float) and not isinstance(value, bool):
        return _counted(value, form)
    moment = datetime.fromisoformat(str(value))
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def _counted(value: float, form: str | None) -> datetime:
    sizes = {"epoch": (1,), "epoch_ms": (1000,), None: _SIZES}[form]
    for size in sizes:
        if form is not None or _EARLIEST <= value / size <= _LATEST:
            return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=round(value * 1_000_000 / size))
    raise CellError(tr("is no count of seconds or milliseconds since 1970: say the field's format"))


def _of_parts(value: dict[str, Any], zone: tzinfo) -> datetime:
    """Return the instant of an object: parts of a date, with parts of a time, or one text in it."""
    if isinstance(seconds := value.get("seconds"), int | str) and value.keys() <= _TIMES[1]:
        return _counted(int(seconds), "epoch")
    named = value.get("timezone") or value.get("tz") or value.get("timeZone") or value.get("zone")
    place: tzinfo = ZoneInfo(named) if isinstance(named, str) and is_zone(named) else zone
    inner = value.get("$date") or value.get("dateTime") or value.get("datetime") or value.get("date")
    if isinstance(inner, dict):
        return _of_parts({"timezone": named, **inner, **_time_in(value.get("time"))}, zone)
    if inner is not None:
        time = value.get("time")
        return instant_of(f"{inner}T{time}" if isinstance(time, str) else inner, place)
    if not all(isinstance(value.get(name), int) for name in _OF_DAY):
        raise TypeError(tr("{value!r} is no single value", value=str(value)[:80]))
    time = {**value, **_time_in(value.get("time"))}
    told = [time.get(name) if time.get(name) is not None else time.get(f"{name}s") or 0 for name in _OF_TIME]
    return datetime(*(value[name] for name in _OF_DAY), *told, tzinfo=place).astimezone(UTC)  # type: ignore[misc]


def _time_in(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
