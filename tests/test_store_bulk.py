"""Many rows by few statements: what stands in the table is what `executemany` would have put there."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from hub.store.bulk import write_rows

SAME = ("jira", "2026-11-29T00:00:00Z", None, 7)


def _row(n: int, shape: str) -> tuple[Any, ...]:
    match shape:
        case "all alike":
            return (f"{n:05}", *SAME)
        case "nothing alike":
            return (f"{n:05}", str(n), f"{n}Z", n / 3, n)
        case "alike but one":
            return (f"{n:05}", "jira", "other" if n == 40 else "same", None, n % 2)
        case "first and last alike":
            return (f"{n:05}", "x", "end" if n in {0, 63, 127} else "middle", None if n % 64 else 1.5, 0)
        case "not text":
            return (f"{n:05}", b"\x00", "a\ud800b", float("inf"), 2**60)
    raise AssertionError(shape)


@pytest.mark.parametrize("count", [1, 63, 64, 65, 127, 128, 200, 1500])
@pytest.mark.parametrize(
    "shape", ["all alike", "nothing alike", "alike but one", "first and last alike", "not text"]
)
def test_rows_stand_as_one_by_one(count: int, shape: str) -> None:
    """However many columns share a value, each row has its own; half of a pair is told by its number."""
    rows = [_row(n, shape) for n in range(count)]
    tables = [sqlite3.connect(":memory:") for _ in range(2)]
    for one in tables:
        one.execute("CREATE TABLE t (id TEXT PRIMARY KEY, a, b TEXT, c REAL, d INTEGER)")
    plain = [tuple(v.replace("\ud800", r"\ud800") if isinstance(v, str) else v for v in row) for row in rows]
    tables[0].executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", plain)

    written = write_rows(tables[1], "INSERT INTO t (id, a, b, c, d)", "", rows)

    said = [one.execute("SELECT * FROM t ORDER BY id").fetchall() for one in tables]
    for one in tables:
        one.close()
    assert (count, said[0]) == (written, said[1])
