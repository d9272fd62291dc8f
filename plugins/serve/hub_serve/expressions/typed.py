"""What an expression is: its SQL and its type, and what that can be compared with."""

from __future__ import annotations

from typing import NamedTuple

from hub import mark, tr


class Typed(NamedTuple):
    """An expression of SQL and the type that DuckDB gives it."""

    sql: str
    type: str

    @property
    def kind(self) -> str:
        """Return what it can be compared with; an entity is compared with null alone."""
        return "number" if self.type.startswith("DECIMAL") else _KINDS[self.type]

    @property
    def said(self) -> str:
        """Return its kind as a sentence says it."""
        return tr(_SAID[self.kind])


_KINDS = {
    "BIGINT": "number", "DOUBLE": "number", "VARCHAR": "text", "DATE": "date", "TIMESTAMPTZ": "instant",
    "TIME": "time", "INTERVAL": "span", "BOOLEAN": "truth", "NULL": "null", "UUID": "id", "ENTITY": "entity",
}  # fmt: skip
_SAID = {
    "number": mark("a number"), "text": mark("a text"), "date": mark("a date"), "instant": mark("an instant"),
    "time": mark("a time of day"), "span": mark("a duration"), "truth": mark("true or false"),
    "null": mark("null"), "id": mark("a GUID"), "entity": mark("a row"),
}  # fmt: skip
