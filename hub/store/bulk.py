"""Many rows by few statements: SQLite works on each without Python's lock, so that sources go on reading meanwhile."""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any

ROWS = (1024, 512, 256, 128, 64)
"""How many rows one statement writes: few sizes, so that SQLite's compiled statements are met again. What is left goes row by row."""


def write_rows(connection: sqlite3.Connection, before: str, after: str, rows: Sequence[tuple[Any, ...]]) -> int:
    """Execute *before* ``VALUES (…), (…)`` *after* for *rows* of one width; gives how many rows were inserted or changed.

    Raises what sqlite3 raises; of a statement that fails nothing is kept, so call it inside a transaction.
    """
    if not rows:
        return 0
    width = len(rows[0])
    most = connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width
    written = start = 0
    for size in ROWS:
        while size <= most and len(rows) - start >= size:
            values = tuple(chain.from_iterable(rows[start : start + size]))
            written += max(connection.execute(_statement(before, after, width, size), values).rowcount, 0)
            start += size
    if start < len(rows):
        written += max(connection.executemany(_statement(before, after, width, 1), rows[start:]).rowcount, 0)
    return written


@functools.lru_cache(maxsize=256)
def _statement(before: str, after: str, width: int, size: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{before} VALUES {', '.join([row] * size)} {after}"
