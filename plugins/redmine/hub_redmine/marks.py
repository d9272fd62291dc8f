"""How far a reading got: stamps of whole seconds.

They are read a little before the newest one and not twice without need.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from hub_redmine import wire

OVERLAP = timedelta(minutes=2)
"""What was being written when the last run read may have a stamp a little before the newest one it saw."""
SAME_SECOND = timedelta(seconds=2)
"""Stamps have whole seconds: what was read this soon after its stamp may have changed once more within it."""


class Stamps:
    """The stamps at which issues were read, of those that the next run will see again."""

    def __init__(self, since: str) -> None:
        """Keep stamps from *since* on."""
        self.since = since
        self.found: dict[str, str] = {}

    def note(self, issues: Iterable[wire.Issue]) -> None:
        """Note *issues*; a later stamp of the same one takes the place of the earlier."""
        self.found |= {str(one.id): one.updated_on for one in issues if one.updated_on >= self.since}


def marked(mark: str, at: datetime, done: dict[str, str], stamps: dict[str, str]) -> dict[str, Any]:
    """Return a mark.

    The newest stamp, what was read after the second of its stamp was over, and what may have changed within
    it.
    """
    horizon, soon = earlier(mark), shifted(mark, -SAME_SECOND)
    near = {one: stamp for one, stamp in stamps.items() if stamp >= horizon}
    seen = {one: stamp for one, stamp in near.items() if stamp < soon or done.get(one) == stamp}
    return {
        "updated": mark,
        "at": at.isoformat(),
        "seen": seen,
        "unsettled": {one: stamp for one, stamp in near.items() if one not in seen},
    }


def shifted(stamp: str, by: timedelta) -> str:
    """Return a stamp that much later; of none, none."""
    return f"{datetime.fromisoformat(stamp) + by:%Y-%m-%dT%H:%M:%SZ}" if stamp else ""


def earlier(stamp: str) -> str:
    """Return the stamp from which on the next run asks."""
    return shifted(stamp, -OVERLAP)


def age_of(before: Mapping[str, Any], now: datetime, name: str = "at") -> timedelta:
    """Return the time since what a cursor says at *name*, without end where it says nothing."""
    if not before.get(name):
        return timedelta.max
    age = now - datetime.fromisoformat(before[name])
    return age if age >= timedelta(0) else timedelta.max
