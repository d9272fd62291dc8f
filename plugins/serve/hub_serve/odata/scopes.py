"""What can be asked for by name: the rows of an entity set with their dimensions, or rows made of them."""

from __future__ import annotations

from typing import Protocol

from hub import model, tr
from hub_serve.odata.names import Typed, navigations, quoted
from hub_serve.odata.refusals import bad

FARTHEST = 4
"""Navigation properties one after the other."""


class Rows(Protocol):
    """Rows to ask, and what their columns are called."""

    @property
    def source(self) -> str:
        """Return what stands after FROM."""
        ...

    def find(self, path: tuple[str, ...]) -> Typed:
        """Return the column that *path* names. Raises `Refused`."""
        ...

    def order(self) -> list[Typed]:
        """Return what tells each row from every other."""
        ...


class Entities:
    """The rows of one entity set; the dimensions that a question names are joined to them."""

    def __init__(self, name: str) -> None:
        """Ask the set *name*."""
        self.name = name
        self.table = model().tables[name]
        self._joins: dict[tuple[str, ...], str] = {}
        self._from = [f"{name} AS t"]

    @property
    def source(self) -> str:
        """Return the set and the dimensions that were named."""
        return " ".join(self._from)

    def find(self, path: tuple[str, ...]) -> Typed:
        """Return the column at the end of *path*; what comes before are navigation properties."""
        table, alias = self.reach(path[:-1])
        columns = model().tables[table].columns
        if path[-1] not in columns:
            raise no_such(table, path[-1])
        return Typed(f"{alias}.{quoted(path[-1])}", columns[path[-1]].type)

    def reach(self, path: tuple[str, ...]) -> tuple[str, str]:
        """Return the table that navigation along *path* ends at, and by what name it is joined."""
        if not path:
            return self.name, "t"
        if len(path) > FARTHEST:
            raise bad(tr("{path} leads too far.", path="/".join(path)), "/".join(path))
        before, alias = self.reach(path[:-1])
        there = navigations(before)
        if path[-1] not in there:
            raise no_such(before, path[-1])
        column, target = there[path[-1]]
        if path not in self._joins:
            self._joins[path] = name = f"j{len(self._joins)}"
            key = quoted(model().tables[target].key[0])
            self._from.append(f"LEFT JOIN {target} AS {name} ON {alias}.{quoted(column)} = {name}.{key}")
        return target, self._joins[path]

    def order(self) -> list[Typed]:
        """Return its key."""
        return [self.find((name,)) for name in self.table.key]


class Made:
    """Rows that ``$apply`` made: *columns* by their paths, those of *groups* tell them apart."""

    def __init__(self, sql: str, columns: dict[tuple[str, ...], str], groups: int) -> None:
        """Take the query *sql*, its columns with their types, of which the first *groups* were grouped by."""
        self._sql, self.columns, self._groups = sql, columns, groups

    @property
    def source(self) -> str:
        """Return the query."""
        return f"({self._sql}) AS t"

    def find(self, path: tuple[str, ...]) -> Typed:
        """Return a column of the query."""
        if path not in self.columns:
            raise bad(
                tr(
                    "There is no {name} after $apply; there are: {known}.",
                    name="/".join(path), known=", ".join("/".join(one) for one in self.columns),
                ),
                "/".join(path),
            )  # fmt: skip
        return Typed(f"t.{quoted('/'.join(path))}", self.columns[path])

    def order(self) -> list[Typed]:
        """Return the columns that were grouped by."""
        return [self.find(path) for path in list(self.columns)[: self._groups]]


def no_such(table: str, name: str) -> Exception:
    """Return that *table* has no property *name*."""
    return bad(tr("{table} has no property {name!r}.", table=table, name=name), name)
