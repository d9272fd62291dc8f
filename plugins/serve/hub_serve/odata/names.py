"""What OData calls the tables of the model: entity sets, properties with their types, and navigation."""

from __future__ import annotations

import functools
from typing import NamedTuple

from hub import mark, model, tr

NAMESPACE = "PmHub"
CONTAINER = "Feed"


class Navigation(NamedTuple):
    """A way from a row to the one row of a dimension: by the *column* that holds its key."""

    column: str
    target: str


class Typed(NamedTuple):
    """An expression of SQL and the type that DuckDB gives it."""

    sql: str
    type: str

    @property
    def kind(self) -> str:
        """Return what it can be compared with: number, text, date, instant, time, span, truth or null."""
        return "number" if self.type.startswith("DECIMAL") else _KINDS[self.type]

    @property
    def said(self) -> str:
        """Return its kind as a sentence says it."""
        return tr(_SAID[self.kind])


_KINDS = {
    "BIGINT": "number", "DOUBLE": "number", "VARCHAR": "text", "DATE": "date", "TIMESTAMPTZ": "instant",
    "TIME": "time", "INTERVAL": "span", "BOOLEAN": "truth", "NULL": "null",
}  # fmt: skip
_SAID = {
    "number": mark("a number"), "text": mark("a text"), "date": mark("a date"), "instant": mark("an instant"),
    "time": mark("a time of day"), "span": mark("a duration"), "truth": mark("true or false"),
    "null": mark("null"),
}  # fmt: skip
_EDM = {
    "BIGINT": "Edm.Int64", "DOUBLE": "Edm.Double", "VARCHAR": "Edm.String", "DATE": "Edm.Date",
    "TIMESTAMPTZ": "Edm.DateTimeOffset", "BOOLEAN": "Edm.Boolean",
}  # fmt: skip


def edm(sql_type: str) -> tuple[str, dict[str, int]]:
    """Return the primitive type of a column and its facets."""
    if sql_type.startswith("DECIMAL"):
        precision, scale = sql_type[8:-1].split(",")
        return "Edm.Decimal", {"Precision": int(precision), "Scale": int(scale)}
    return _EDM[sql_type], {"Precision": 6} if sql_type == "TIMESTAMPTZ" else {}


def navigations(table: str) -> dict[str, Navigation]:
    """Return the navigation properties of *table*: a column ``project_key`` that points gives ``project``."""
    return _navigations(table, tuple(model().tables[table].columns))


@functools.cache
def _navigations(table: str, there: tuple[str, ...]) -> dict[str, Navigation]:
    columns = model().tables[table].columns
    found = {}
    for name in there:
        ref = columns[name].ref
        if ref:
            short = name.removesuffix("_key")
            found[short if short not in there else f"{name}_row"] = Navigation(name, ref)
    return found


def searched(table: str) -> list[str]:
    """Return the columns that ``$search`` looks into: those with the names and titles that people read."""
    return [
        name for name, column in model().tables[table].columns.items()
        if column.type == "VARCHAR" and not column.hidden
    ]  # fmt: skip


def quoted(name: str) -> str:
    """Return *name* as an identifier of SQL."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return *value* as a text of SQL."""
    return "'" + value.replace("'", "''") + "'"
