"""The seal of a month: one digest over its lines, and whether they still are those."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from typing import Any

from hub.store.erasure import TOKEN

LINE = (
    "month", "kind", "row_id", "project_key", "task_key", "day", "category", "flag", "approval", "seconds",
    "days", "amount_minor",
)  # fmt: skip
"""The columns of ``period_line``, in the order that the digest takes them."""
REDACTED = "close redact"
"""The action that the log has where an erasure rewrote a sealed month."""


def digest(lines: Sequence[Sequence[Any]]) -> str:
    """Return one sha256 over the *lines* of a month, which are ordered by kind and row_id."""
    text = json.dumps([list(line) for line in lines], ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def kept(connection: sqlite3.Connection) -> dict[str, tuple[str, str]]:
    """Return the digest that each month was sealed with, and the one of the lines that it has now."""
    return {
        month: (
            sealed,
            digest(
                connection.execute(
                    f"SELECT {', '.join(LINE)} FROM period_line WHERE month = ? ORDER BY kind, row_id",
                    (month,),
                ).fetchall()
            ),
        )
        for month, sealed in connection.execute("SELECT month, digest FROM period_close ORDER BY month")
    }


def altered(connection: sqlite3.Connection) -> list[str]:
    """Return the months whose lines are not those they were sealed with.

    An erasure of an earlier hub rewrote lines without renewing the seal: such a month proves nothing.
    """
    unproven = {
        row[0]
        for row in connection.execute(
            "SELECT DISTINCT month FROM period_line WHERE instr(row_id, ?) > 0 AND month NOT IN "
            "(SELECT object FROM audit_log WHERE action = ?)",
            (TOKEN, REDACTED),
        )
    }
    return [
        month for month, (sealed, now) in kept(connection).items() if sealed != now and month not in unproven
    ]


def renew(connection: sqlite3.Connection, before: dict[str, tuple[str, str]]) -> dict[str, tuple[str, str]]:
    """Seal anew what an erasure rewrote of months that were whole *before*; gives their old and new digest.

    The caller holds the transaction.
    """
    done = {
        month: (sealed, now)
        for month, (sealed, now) in kept(connection).items()
        if sealed != now and before[month][0] == before[month][1]
    }
    connection.executemany(
        "UPDATE period_close SET digest = ? WHERE month = ?",
        [(now, month) for month, (_, now) in done.items()],
    )
    return done
