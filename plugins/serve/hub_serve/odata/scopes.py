"""What can be asked for by name: the rows of an entity set with their dimensions, or rows made of them."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import NamedTuple, Protocol, Self

from hub import model, tr
from hub_serve.expressions import Typed
from hub_serve.odata.names import collections, navigations, quoted
from hub_serve.refusals import Refused, bad, unsupported

FARTHEST = 4
"""Navigation properties one after the other."""


class Way(NamedTuple):
    """One column that rows are ordered by."""

    by: Typed
    descends: bool

    @property
    def sql(self) -> str:
        """Return it as SQL orders by it: null is before every value."""
        return f"{self.by.sql} {'DESC NULLS LAST' if self.descends else 'ASC NULLS FIRST'}"


class Rows(Protocol):
    """Rows to ask, and what their columns are called."""

    @property
    def source(self) -> str:
        """Return what stands after FROM."""
        ...

    def find(self, path: tuple[str, ...]) -> Typed:
        """Return the column that *path* names. Raises `Refused`."""
        ...

    def named(self, path: tuple[str, ...]) -> Typed:
        """Return the column, or the row of a dimension, that *path* names. Raises `Refused`."""
        ...

    def members(self, path: tuple[str, ...], alias: str) -> Members:
        """Return the rows of the collection at the end of *path*, called *alias*. Raises `Refused`."""
        ...

    def count(self, path: tuple[str, ...]) -> Typed:
        """Return how many rows the collection at the end of *path* has. Raises `Refused`."""
        ...

    def compute(self, name: str, one: Typed) -> None:
        """Have the value *one* in every row, called *name*. Raises `Refused` where something is called so."""
        ...

    def order(self) -> list[Typed]:
        """Return what tells each row from every other."""
        ...

    def copied(self) -> Self:
        """Return the same rows, to ask something else of."""
        ...


class Entities:
    """The rows of one entity set, called *alias*; the dimensions that a question names are joined to them."""

    def __init__(self, name: str, alias: str = "t") -> None:
        """Ask the set *name*."""
        self.name, self.alias = name, alias
        self.table = model().tables[name]
        self.computed: dict[str, Typed] = {}
        self._joins: dict[tuple[str, ...], str] = {}
        self._counts: dict[tuple[str, ...], str] = {}
        self._from = [f"{name} AS {alias}"]

    @property
    def source(self) -> str:
        """Return the set and the dimensions that were named."""
        return " ".join(self._from)

    def find(self, path: tuple[str, ...]) -> Typed:
        """Return the column at the end of *path*; what comes before are navigation properties."""
        if path[0] in self.computed and not path[1:]:
            return self.computed[path[0]]
        table, alias = self.reach(path[:-1])
        columns = model().tables[table].columns
        if path[-1] not in columns:
            raise no_such(table, path[-1])
        return Typed(f"{alias}.{quoted(path[-1])}", columns[path[-1]].type)

    def named(self, path: tuple[str, ...]) -> Typed:
        """Return the column at the end of *path*, or the row that it leads to, which is there or is null."""
        table, _ = self.reach(path[:-1])
        if path[-1] not in navigations(table):
            return self.find(path)
        target, alias = self.reach(path)
        return Typed(f"{alias}.{quoted(model().tables[target].key[0])}", "ENTITY")

    def members(self, path: tuple[str, ...], alias: str) -> Members:
        """Return the rows that point to the row at the end of *path*."""
        table, owner = self.reach(path[:-1])
        found = collections(table).get(path[-1]) if path else None
        if found is None:
            raise no_such(table, path[-1] if path else "")
        key = quoted(model().tables[table].key[0])
        return Members(found.table, alias, f"{alias}.{quoted(found.column)} = {owner}.{key}")

    def count(self, path: tuple[str, ...]) -> Typed:
        """Return how many rows point to the row at the end of *path*."""
        if path not in self._counts:
            alias = f"{self.alias}n{len(self._counts)}"
            members = self.members(path, f"{alias}m")
            one = f"SELECT count(*) AS n FROM {members.source} WHERE {members.belongs}"
            self._from.append(f"LEFT JOIN LATERAL ({one}) AS {alias} ON true")
            self._counts[path] = alias
        return Typed(f"{self._counts[path]}.n", "BIGINT")

    def gathered(self, path: tuple[str, ...], of: Callable[[Members], Typed]) -> Typed:
        """Return what the rows that point to the row at the end of *path* are together, by *of*."""
        alias = f"{self.alias}n{len(self._counts)}"
        members = self.members(path, f"{alias}m")
        one = of(members)
        inner = f"SELECT {one.sql} AS n FROM {members.source} WHERE {members.belongs}"
        self._from.append(f"LEFT JOIN LATERAL ({inner}) AS {alias} ON true")
        self._counts[(*path, alias)] = alias
        return Typed(f"{alias}.n", one.type)

    def compute(self, name: str, one: Typed) -> None:
        """Have the value *one* in every row."""
        if name in {*self.table.columns, *navigations(self.name), *collections(self.name), *self.computed}:
            raise taken(name)
        self.computed[name] = one

    def reach(self, path: tuple[str, ...]) -> tuple[str, str]:
        """Return the table that navigation along *path* ends at, and by what name it is joined."""
        if not path:
            return self.name, self.alias
        if len(path) > FARTHEST:
            raise bad(tr("{path} leads too far.", path="/".join(path)), "/".join(path))
        before, alias = self.reach(path[:-1])
        there = navigations(before)
        if path[-1] not in there:
            raise no_such(before, path[-1])
        column, target = there[path[-1]]
        if path not in self._joins:
            self._joins[path] = name = f"{'' if self.alias == 't' else self.alias}j{len(self._joins)}"
            key = quoted(model().tables[target].key[0])
            self._from.append(f"LEFT JOIN {target} AS {name} ON {alias}.{quoted(column)} = {name}.{key}")
        return target, self._joins[path]

    def order(self) -> list[Typed]:
        """Return its key."""
        return [self.find((name,)) for name in self.table.key]

    def copied(self) -> Self:
        """Return the same rows, with what is computed of them."""
        made = copy.copy(self)
        made.computed, made._joins, made._counts, made._from = (
            dict(self.computed), dict(self._joins), dict(self._counts), list(self._from),
        )  # fmt: skip
        return made


class Members(Entities):
    """The rows of an entity set that belong to one row, by the condition *belongs*."""

    def __init__(self, name: str, alias: str, belongs: str) -> None:
        """Ask those of the set *name*."""
        super().__init__(name, alias)
        self.belongs = belongs


class Made:
    """Rows that ``$apply`` made: *columns* by their paths with their types.

    *keys* tell a row from every other. Rows may be of several *kinds*, which have other columns each: the
    columns of every kind, whose number stands in the column ``#kind``.
    """

    def __init__(
        self, sql: str, columns: dict[tuple[str, ...], str], keys: list[Typed],
        kinds: list[frozenset[tuple[str, ...]]] | None = None,
    ) -> None:  # fmt: skip
        """Take the query *sql*."""
        self._sql, self.columns, self._keys, self.kinds = sql, columns, keys, kinds or []

    @property
    def source(self) -> str:
        """Return the query."""
        return f"({self._sql}) AS t"

    @property
    def kind(self) -> Typed | None:
        """Return the column with the number of a row's kind, None where all are of one."""
        return Typed(f"t.{quoted(KIND)}", "BIGINT") if self.kinds else None

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

    def named(self, path: tuple[str, ...]) -> Typed:
        """Return a column of the query."""
        return self.find(path)

    def members(self, path: tuple[str, ...], alias: str) -> Members:
        """Refuse: a row that was made has no collections."""
        raise unsupported(tr("{place}: {what} is not supported.", place="$apply", what="any, all"), "$apply")

    def count(self, path: tuple[str, ...]) -> Typed:
        """Refuse, for the same reason."""
        raise unsupported(tr("{place}: {what} is not supported.", place="$apply", what="$count"), "$apply")

    def where(self, conditions: list[str], *more: str) -> Made:
        """Return those of its rows that meet *conditions*, with *more* columns that nobody sees."""
        made = self.copied()
        where = f" WHERE {' AND '.join(f'({one})' for one in conditions)}" if conditions else ""
        made._sql = f"SELECT {', '.join(['t.*', *more])} FROM {self.source}{where}"
        return made

    def compute(self, name: str, one: Typed) -> None:
        """Have the value *one* in every row."""
        if any(name == path[0] for path in self.columns):
            raise taken(name)
        self._sql = f"SELECT t.*, {one.sql} AS {quoted(name)} FROM {self.source}"
        self.columns[(name,)] = one.type
        self.kinds = [kind | {(name,)} for kind in self.kinds]

    def order(self) -> list[Typed]:
        """Return what tells a row from every other."""
        return list(self._keys)

    def copied(self) -> Self:
        """Return the same rows."""
        made = copy.copy(self)
        made.columns, made.kinds = dict(self.columns), list(self.kinds)
        return made


KIND, PART, PLACE_IN = "#kind", "#part", "#place"
"""Columns of rows of several kinds: the number of the kind, the part that it came in, and its place there."""


def taken(name: str) -> Refused:
    """Return that something else is called *name*."""
    return bad(tr("{place}: a name stands for two things.", place=name), name)


def no_such(table: str, name: str) -> Refused:
    """Return that *table* has no property *name*."""
    return bad(tr("{table} has no property {name!r}.", table=table, name=name), name)
