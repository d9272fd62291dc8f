"""Many rows by few statements, on each of which SQLite works without Python's lock.

So sources go on reading meanwhile.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from itertools import chain
from typing import Any

from hub.files import storable

MOST_ROWS = 1024
"""Rows of one statement, at most.

The others have powers of two, so that SQLite's compiled statements are met again.
"""


def write_rows(
    connection: sqlite3.Connection, before: str, after: str, rows: Sequence[tuple[Any, ...]]
) -> int:
    """Execute *before* ``VALUES (…), (…)`` *after* for *rows* of one width.

    Returns how many rows were inserted or changed. Raises what sqlite3 raises; some rows may be written by
    then, so call it inside a transaction.
    """
    written = start = 0
    width = len(rows[0]) if rows else 1
    most = min(MOST_ROWS, connection.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) // width)
    while left := len(rows) - start:
        size = 1 << min(left, most).bit_length() - 1
        values = tuple(chain.from_iterable(rows[start : start + size]))
        statement = _statement(before, after, width, size)
        try:
            done = connection.execute(statement, values)
        except UnicodeEncodeError:  # rare, so that nobody else pays for the look at every value
            readable = tuple(storable(value) if isinstance(value, str) else value for value in values)
            done = connection.execute(statement, readable)
        written += max(done.rowcount, 0)
        start += size
    return written


@functools.lru_cache(maxsize=512)
def _statement(before: str, after: str, width: int, size: int) -> str:
    row = f"({', '.join('?' * width)})"
    return f"{before} VALUES {', '.join([row] * size)} {after}"
