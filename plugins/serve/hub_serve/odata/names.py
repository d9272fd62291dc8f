"""What OData calls the tables of the model: entity sets, properties with their types, and navigation."""

from __future__ import annotations

import functools
from typing import NamedTuple

from hub import model

NAMESPACE = "PmHub"
CONTAINER = "Feed"


class Navigation(NamedTuple):
    """A way from a row to the one row of a dimension: by the *column* that holds its key."""

    column: str
    target: str


class Collection(NamedTuple):
    """A way from a row of a dimension to the rows of *table* that hold its key in their *column*."""

    table: str
    column: str


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


@functools.cache
def _collections(tables: tuple[str, ...]) -> dict[str, dict[str, Collection]]:
    found: dict[str, dict[str, Collection]] = {}
    for table in tables:
        ways = navigations(table)
        targets = [one.target for one in ways.values()]
        for nav, (column, target) in ways.items():
            name = table if targets.count(target) == 1 else f"{table}_{nav}"
            found.setdefault(target, {})[name] = Collection(table, column)
    return found


def collections(table: str) -> dict[str, Collection]:
    """Return the ways from a row of the dimension *table* to the rows that point to it.

    Each is called as their table is, with the name of their own way where a table has several.
    """
    return _collections(tuple(model().tables)).get(table, {})


def partner(table: str, nav: str) -> str:
    """Return the way back of the navigation property *nav* of *table*."""
    column, target = navigations(table)[nav]
    return next(name for name, one in collections(target).items() if one == Collection(table, column))


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
