"""Sealed months: the lines a month is sealed with, and what changed in it later."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from hub.store.seals import LINE

if TYPE_CHECKING:
    import duckdb


METHOD = 2
"""How a month is sealed now: hours of several days by their days. With 1 they were all on their first day."""

LATE = (
    "seq", "kind", "row_id", "sealed_month", "posted_on", "project_key", "task_key", "category", "flag",
    "approval", "seconds", "days",
    "amount_minor", "reason",
)  # fmt: skip


def entered_row(line_id: str) -> str:
    """Return the id of the row that a line of one day was entered with.

    For example, ``w1@2026-10-05`` is a day of ``w1``.
    """
    return re.sub(r"@\d{4}-\d\d-\d\d$", "", line_id)


def late_lines(connection: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """Return the corrections of sealed months that are not posted yet, from a resolved store."""
    rows = connection.execute(
        f"SELECT {', '.join(LATE)} FROM variance WHERE seq > (SELECT coalesce(max(seq), 0) "
        "FROM period_variance) ORDER BY seq"
    ).fetchall()
    return [dict(zip(LATE, row, strict=True)) for row in rows]


def month_lines(connection: duckdb.DuckDBPyConnection, month: str) -> list[tuple[Any, ...]]:
    """Return the hours and the money spent of *month*, as rows of ``period_line``, from a resolved store."""
    return connection.execute(
        f"SELECT {', '.join(LINE)} FROM candidate WHERE month = ? AND (kind = 'hours' "
        "OR approval = 'consumed') ORDER BY kind, row_id",
        [month],
    ).fetchall()
