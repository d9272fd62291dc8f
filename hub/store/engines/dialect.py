"""The SQL of the store as PostgreSQL writes it: marks, types and the schema of temporary tables.

All else is written so that both understand it: ``IS DISTINCT FROM``, ``ON CONFLICT``, aliases of subqueries.
"""

from __future__ import annotations

import functools
import re

_TOKEN = re.compile(
    r"(?P<text>'(?:[^']|'')*')|(?P<note>--[^\n]*)|(?P<mark>\?)|(?<![:\w]):(?P<name>[a-z_]\w*)|(?P<percent>%)"
    r"|\btemp\.|(?P<tail> WITHOUT ROWID)"
)
_TYPE = re.compile(r"\b(TEXT|INTEGER|REAL)\b")
TYPES = {"TEXT": 'text COLLATE "C"', "INTEGER": "bigint", "REAL": "double precision"}
"""Texts compare by code points, as SQLite's do; its numbers have 64 bits."""


@functools.lru_cache(maxsize=2048)
def translated(sql: str) -> str:
    """Return *sql* with the marks of psycopg."""
    if sql.startswith("CREATE UNIQUE INDEX temp."):  # an index lies where its table does
        sql = sql.replace("temp.", "", 1)
    found = _TOKEN.sub(_other, sql)
    return _TYPE.sub(lambda one: TYPES[one[0]], found) if found.startswith(("CREATE", "ALTER")) else found


def _other(match: re.Match[str]) -> str:
    if match["text"]:
        return match["text"].replace("%", "%%")
    if match["note"] or match["tail"]:
        return ""
    if match["mark"]:
        return "%s"
    if match["name"]:
        return f"%({match['name']})s"
    return "%%" if match["percent"] else "pg_temp."
