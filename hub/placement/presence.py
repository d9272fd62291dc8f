"""Say what has left: one constant, and its SQL."""

from __future__ import annotations

from hub.records import Presence

LEFT: tuple[Presence, ...] = ("deleted", "trashed", "outside")
"""What has left: such a row counts no more, nor does what stands under it.

``outside`` is what the source is not asked for any more: nobody deleted it.
"""
ELSEWHERE = "read by another source"
"""What a feed calls a row that another source brings too and that counts there; no store holds it."""
LISTED = f"({', '.join(repr(one) for one in (*LEFT, ELSEWHERE))})"


def left(column: str = "presence") -> str:
    """Return the SQL that is true of a row which has left."""
    return f"{column} IN {LISTED}"


def here(column: str = "presence") -> str:
    """Return the SQL that is true of a row which has not left."""
    return f"{column} NOT IN {LISTED}"


def names_by_code(table: str) -> str:
    """Return the SQL of the names by which other sources call rows of a table: its source and its code."""
    return f"SELECT source_id || ':' || code FROM {table} WHERE code IS NOT NULL"
