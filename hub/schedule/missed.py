"""Runs that a schedule asked for and that never started."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from hub.schedule.cron import Cron, trigger

GRACE = timedelta(hours=1)
"""A run that starts so late is no missed one: machines wake up, and runs queue."""
_MOST = 1000


class Missed(msgspec.Struct, frozen=True, kw_only=True):
    """How many runs never started, and when the first of them was due."""

    count: int
    since: datetime


def missed(cron: str, tz: str | None, last: datetime | None, now: datetime) -> Missed | None:
    """Return which times of *cron* passed after the *last* start; None where none did, or none ever ran."""
    if last is None:
        return None
    when = trigger(Cron.parse(cron), tz=tz)
    first, count = None, 0
    due = when.get_next_fire_time(None, last + timedelta(seconds=1))
    while due is not None and due <= now - GRACE and count < _MOST:
        first = first or due
        count += 1
        due = when.get_next_fire_time(due, due + timedelta(seconds=1))
    return Missed(count=count, since=first) if first else None
