"""Look-ups: what a key stands for, in another list of the tool; read once a day, kept in between."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from hub_rest.mapping import Mapping, plain

Table = dict[str, dict[str, Any]]
"""By the key of a row, what stands at the paths that fields take."""
PREFIX = "look-up "
"""What the partitions of look-ups are called by."""
_FRESH = timedelta(hours=24)


def taken(mapping: Mapping) -> dict[str, set[str]]:
    """Return the lists in which keys are looked up, and the paths that are taken of their rows."""
    found: dict[str, set[str]] = {}
    for one in mapping.list:
        for made in one.record:
            for field in map(plain, made.fields.values()):
                if field.lookup and field.take:
                    found.setdefault(field.lookup, set()).add(field.take)
    return found


class LookUp:
    """One list by its keys; a key that is not known is looked for once more in each run."""

    def __init__(self, read: Callable[[], Table], kept: dict[str, Any] | None, now: datetime) -> None:
        """Take what *read*s the list, and the mark of an earlier run: it is *kept* for a day."""
        self._read, self._now, self._lock = read, now, threading.Lock()
        kept = kept or {}
        self.table: Table = kept.get("rows") or {}
        self.at: str = kept.get("at") or ""
        self.version: int = kept.get("version") or 0
        """Raised when what a key stands for has changed: what was read by the old one is read again."""
        self._is_new = False

    @property
    def is_due(self) -> bool:
        """Say whether the list is to be read again."""
        return not self.at or not timedelta(0) <= self._now - datetime.fromisoformat(self.at) < _FRESH

    def refresh(self) -> None:
        """Read the list."""
        table = self._read()
        if any(key in table and table[key] != row for key, row in self.table.items()):
            self.version += 1
        self.table, self.at, self._is_new = table, self._now.isoformat(), True

    def find(self, key: str, take: str) -> Any:
        """Return what stands at *take* of the row with this key; None where there is none."""
        with self._lock:
            if key not in self.table and not self._is_new:
                self._is_new = True  # once a run, whatever comes of it
                self.refresh()
            return self.table.get(key, {}).get(take)

    def mark(self) -> dict[str, Any]:
        """Return what the next run begins with."""
        return {"at": self.at, "rows": self.table, "version": self.version}
