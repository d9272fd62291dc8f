"""Many rows by few statements, on each of which SQLite works without Python's lock.

So sources go on reading meanwhile.
"""

from __future__ import annotations

import functools
import sqlite3
from collections.abc import Sequence
from itertools import chain, compress
from typing import Any

from hub.files import storable

MOST_ROWS = 256
"""Rows of one statement, at most: with 1024 each takes longer for a row, and four times the memory.

SQLite's compiled statements are kept, and there are hundreds. The others have powers of two, so that these
are met again.
"""
FEW_ROWS = 64
"""Below so many rows each binds all its values: what they share changes with every statement."""


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
        shared, values = _bound(rows[start : start + size])
        statement = _statement(before, after, shared, size)
        try:
            done = connection.execute(statement, values)
        except UnicodeEncodeError:  # rare, so that nobody else pays for the look at every value
            readable = tuple(storable(value) if isinstance(value, str) else value for value in values)
            done = connection.execute(statement, readable)
        written += max(done.rowcount, 0)
        start += size
    return written


def _bound(rows: Sequence[tuple[Any, ...]]) -> tuple[tuple[bool, ...], tuple[Any, ...]]:
    """Return which columns have one value in all *rows*, and what to bind: those once, then the others.

    Python binds every value by itself while it keeps its lock, and of wide rows most are alike.
    """
    if len(rows) < FEW_ROWS:
        return (False,) * len(rows[0]), tuple(chain.from_iterable(rows))
    columns = list(zip(*rows, strict=True))
    shared = tuple(one[0] is one[-1] and one.count(one[0]) == len(rows) for one in columns)
    others = compress(columns, (not one for one in shared))
    return shared, (
        *(one[0] for one in compress(columns, shared)),
        *chain.from_iterable(zip(*others, strict=True)),
    )


@functools.lru_cache(maxsize=512)
def _statement(before: str, after: str, shared: tuple[bool, ...], size: int) -> str:
    once, others = iter(range(1, len(shared) + 1)), iter(range(sum(shared) + 1, len(shared) + 1))
    # the first row says every number, so that the marks of the others go on from there
    first = [f"?{next(once) if one else next(others)}" for one in shared]
    row = [number if one else "?" for number, one in zip(first, shared, strict=True)]
    rows = ", ".join(f"({', '.join(one)})" for one in [first, *[row] * (size - 1)])
    return f"{before} VALUES {rows} {after}"
