"""Read a five-field cron expression the way crontab(5) does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from hub.errors import ConfigError
from hub.words import tr

if TYPE_CHECKING:
    from apscheduler.triggers.cron import CronTrigger

_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_RANGES = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "day_of_week": (0, 7)}


class Cron(msgspec.Struct, frozen=True, kw_only=True):
    """The five fields; each is the sorted values it stands for, or None for every value."""

    minute: tuple[int, ...] | None
    hour: tuple[int, ...] | None
    day: tuple[int, ...] | None
    month: tuple[int, ...] | None
    day_of_week: tuple[int, ...] | None
    """0 is Sunday, as in crontab(5); 7 is read as 0."""

    @classmethod
    def parse(cls, text: str) -> Cron:
        """Read *text*. Raises `ConfigError` naming the field that is wrong."""
        parts = text.split()
        if len(parts) != 5:
            raise ConfigError(
                tr(
                    "[schedule] run = {text!r}: a schedule has five fields, minute hour day month "
                    "weekday, such as 0 6 * * 1-5.",
                    text=text,
                )
            )
        found = {name: _values(name, part, text) for name, part in zip(_RANGES, parts, strict=True)}
        return cls(**found)

    def weekday_names(self) -> tuple[str, ...] | None:
        """Return the weekdays as mon, tue, …, Monday first; None for every day."""
        if self.day_of_week is None:
            return None
        return tuple(_DAYS[day] for day in sorted(self.day_of_week, key=lambda day: (day - 1) % 7))


def _values(name: str, part: str, text: str) -> tuple[int, ...] | None:
    low, high = _RANGES[name]
    names = {day: number for number, day in enumerate(_DAYS)} if name == "day_of_week" else {}
    if part == "*":
        return None
    found: set[int] = set()
    try:
        for piece in part.split(","):
            span, _, step = piece.partition("/")
            if span == "*":
                first, last = low, 6 if name == "day_of_week" else high
            else:
                since, dash, to = span.partition("-")
                first = names.get(since.lower(), -1) if since.lower() in names else int(since)
                last = (
                    (names.get(to.lower(), -1) if to.lower() in names else int(to))
                    if dash
                    else (high if step else first)
                )
            if not (low <= first <= high and low <= last <= high and first <= last):
                raise ValueError(piece)
            found.update(range(first, last + 1, int(step) if step else 1))
    except ValueError as exc:
        raise ConfigError(
            tr(
                "[schedule] run = {text!r}: {part!r} is not a {name} ({low}-{high}).",
                text=text,
                part=part,
                name=name.replace("_", " "),
                low=low,
                high=high,
            )
        ) from exc
    return tuple(sorted({0 if name == "day_of_week" and value == 7 else value for value in found}))


def trigger(cron: Cron, *, tz: str | None) -> CronTrigger | Any:
    """Return the APScheduler trigger of *cron*.

    APScheduler counts weekdays from Monday while crontab counts from Sunday, so names are passed, not
    numbers. Where both a day of the month and a weekday are given, crontab means either of them.
    """
    from apscheduler.triggers.combining import OrTrigger
    from apscheduler.triggers.cron import CronTrigger

    def listed(values: tuple[int, ...] | None) -> str:
        return "*" if values is None else ",".join(map(str, values))

    common = {
        "minute": listed(cron.minute),
        "hour": listed(cron.hour),
        "month": listed(cron.month),
        "timezone": tz,
    }
    weekdays = ",".join(cron.weekday_names() or ()) or "*"
    if cron.day is not None and cron.day_of_week is not None:
        return OrTrigger(
            [CronTrigger(day=listed(cron.day), **common), CronTrigger(day_of_week=weekdays, **common)]
        )
    return CronTrigger(day=listed(cron.day), day_of_week=weekdays, **common)
