"""A question to one entity set: what its options become as statements of SQL, page by page."""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple

import msgspec

from hub import model, tr
from hub_serve.expressions import Typed, Values, condition
from hub_serve.odata.behind import HELD, MOST_ROWS, Behind
from hub_serve.odata.names import Collection, collections, navigations, quoted
from hub_serve.odata.options import EVERY, Asked, Wanted, ordered, wanted
from hub_serve.odata.scopes import Entities, Made, Members, Way, no_such
from hub_serve.odata.searching import search_condition
from hub_serve.odata.transformations import applied, compute, unlike, way_of
from hub_serve.odata.writing import Cell, Shape, Writing, json_row
from hub_serve.refusals import bad, unsupported

Key = tuple[str | None, ...]
"""The values as text that a row is ordered by."""


class Place(msgspec.Struct, frozen=True, kw_only=True, array_like=True):
    """Where a page begins: after the row with *values* in the feed *feed*.

    *left* rows are to come of ``$top``, None for all. It is the ``$skiptoken`` of a next link.
    """

    feed: str
    size: int
    left: int | None
    values: Key

    def token(self) -> str:
        """Return it as text for an address."""
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def place_of(token: str) -> Place:
    """Return the place that a next link leads to. Raises `Refused`."""
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
        found = msgspec.json.decode(raw, type=Place)
    except (binascii.Error, ValueError) as exc:
        raise bad(tr("This $skiptoken is none of this service."), "$skiptoken") from exc
    if found.size < 1 or (found.left is not None and found.left < 1):
        raise bad(tr("This $skiptoken is none of this service."), "$skiptoken")
    return found


_WAYS = frozenset({"select", "expand"})
"""Options of one row beside another."""


class Inside(NamedTuple):
    """Where a question is asked of the rows beside other ones: *shown* is what is shown of them."""

    rows: Members
    values: Values
    shown: Wanted
    depth: int


def spelled_out(name: str, shown: Wanted) -> Wanted:
    """Return *shown* of the set *name* with each row beside by its name. Raises `Refused` at odd options."""
    navs, several = navigations(name), collections(name)
    beside = {nav: one for nav, one in shown.beside.items() if nav != EVERY}
    if EVERY in shown.beside:
        beside |= {nav: Wanted() for nav in (*navs, *several) if nav not in beside}
    for nav, one in beside.items():
        if nav in several:
            beside[nav] = spelled_out(several[nav].table, one)
            continue
        if nav not in navs:
            raise no_such(name, nav)
        if wrong := "$count" if one.only_counts else next((one for one in one.asked if one not in _WAYS), ""):
            raise unsupported(tr("{place}: {what} is not supported.", place="$expand", what=wrong), "$expand")
        beside[nav] = spelled_out(navs[nav].target, one)
    return msgspec.structs.replace(shown, beside=beside)


class Question:
    """What is asked of one entity set; *asked* are the options of the address."""

    def __init__(
        self, name: str, asked: Asked, *,
        keys: tuple[tuple[str, str], ...] = (), inside: Inside | None = None,
    ) -> None:  # fmt: skip
        """Read the options. *keys*, names and literals, choose one entity. Raises `Refused`."""
        self.values = inside.values if inside else Values()
        self.rows: Entities | Made = inside.rows if inside else Entities(name)
        self.conditions: list[str] = [inside.rows.belongs] if inside else []
        self.depth = inside.depth if inside else 0
        self.asked = asked
        entities = self.rows
        for column, literal in keys:
            self.conditions.append(self._key(entities, column, literal))
        before: list[Way] = []
        if (apply := asked.get("apply")) is not None:
            made = applied(apply, entities, self.conditions, self.values)
            self.rows, self.conditions, before = made.scope, made.conditions, made.ways
        if (found := asked.get("compute")) is not None:
            compute(found, self.rows, self.values, "$compute")
        if (found := asked.get("filter")) is not None:
            self.conditions.append(condition(found, self.rows, self.values, "$filter"))
        if (search := asked.get("search")) is not None:
            self.conditions.append(search_condition(search, self.rows, self.values, "$search"))
        self.top, self.skip = asked.whole("top"), asked.whole("skip") or 0
        self.is_counted = asked.truth("count")
        shown = inside.shown if inside else wanted(asked.get("select"), asked.get("expand"))
        if apply is not None and asked.get("expand") is None:
            shown = msgspec.structs.replace(shown, beside=made.beside)
        self.wanted = shown if inside or self.is_made else spelled_out(name, shown)
        self.columns: dict[str, Typed] = {}
        self.alias = f"{self.rows.alias}p" if isinstance(self.rows, Members) else "p"
        self.behind: list[Behind] = []
        self.shape = self._shape()
        asked_for = [
            way_of(item, self.rows, self.values, "$orderby") for item in ordered(asked.get("orderby"))
        ]
        has_kinds = isinstance(self.rows, Made) and bool(self.rows.kinds)
        self.is_ordered = bool(asked_for or before) or has_kinds
        last = [Way(one, descends=False) for one in self.rows.order()]
        self.ways = unlike([*asked_for, *before, *last])

    @property
    def is_made(self) -> bool:
        """Say whether the rows are made by ``$apply`` and are no entities."""
        return isinstance(self.rows, Made)

    def weight(self) -> int:
        """Return how many rows one row may bring with it, itself among them."""
        return 1 + sum(one.weight() for one in self.behind)

    @property
    def at_once(self) -> int | None:
        """Return how many rows one statement may ask for, None for any number."""
        return max(1, HELD // self.weight()) if self.behind else None

    def count_sql(self) -> str:
        """Return the statement that counts all rows."""
        return f"SELECT count(*) FROM {self.rows.source}{self._where(self.conditions)}"

    def marks_sql(self, size: int) -> str:
        """Return the statement of the last key of each page of *size* rows but the last page."""
        keys = ", ".join(f"{way.by.sql} AS k{n}" for n, way in enumerate(self.ways))
        named = ", ".join(f"k{n}::VARCHAR" for n in range(len(self.ways)))
        return (
            f"SELECT {named} FROM (SELECT {keys}, row_number() OVER (ORDER BY {self._ways()}) AS n, "
            f"count(*) OVER () AS total FROM {self.rows.source}{self._where(self.conditions)}) "
            f"WHERE n % {size:d} = 0 AND n < total ORDER BY n"
        )

    def json_sql(
        self, how: Writing, *, limit: int | None = None, after: Key | None = None, upto: Key | None = None,
        sorts: bool = False,
    ) -> str:  # fmt: skip
        """Return the statement of the rows, each written as JSON; as `rows_sql`."""
        return self.rows_sql(
            json_row(self.shape, how), limit=limit, after=after, upto=upto, sorts=sorts,
            beside=" ".join(one.joined(how) for one in self.behind),
        )  # fmt: skip

    def numbered_sql(self, most: int) -> str:
        """Return the statement of the values of at most *most* rows and the keys they are ordered by.

        Each has its number from 1 on, behind those that ``$skip`` leaves out.
        """
        listed = [f"{one.sql} AS {name}" for name, one in self.columns.items()]
        listed += [f"{way.by.sql} AS k{n}" for n, way in enumerate(self.ways)]
        number = f"row_number() OVER (ORDER BY {self._ways()}) - {self.skip:d} AS n"
        inner = f"SELECT {', '.join([*listed, number])} FROM {self.rows.source}{self._where(self.conditions)}"
        return f"SELECT * FROM ({inner}) WHERE n > 0 AND n <= {most:d}"

    def rows_sql(
        self, written: str, *, limit: int | None = None, after: Key | None = None, upto: Key | None = None,
        sorts: bool = False, beside: str = "",
    ) -> str:  # fmt: skip
        """Return the statement of the rows, each written by the SQL *written*, with what is joined *beside*.

        *limit* is the most rows; they are those behind the row with the values *after*, to that with the
        values *upto*. Where it *sorts*, the columns behind the first are the values that a next page begins
        after.
        """
        conditions = [*self.conditions]
        if after is not None:
            conditions.append(self._after(after))
        if upto is not None:
            conditions.append(f"NOT ({self._after(upto)})")
        listed = [f"{one.sql} AS {name}" for name, one in self.columns.items()]
        tail = ""
        keys: list[str] = []
        if sorts:
            listed += [f"{way.by.sql} AS k{n}" for n, way in enumerate(self.ways)]
            keys = [f"k{n}::VARCHAR" for n in range(len(self.ways))]
            tail = f" ORDER BY {self._ways()}" if self.ways else ""
        if limit is not None:
            tail += f" LIMIT {limit:d}"
        if self.skip and after is None:
            tail += f" OFFSET {self.skip:d}"
        order = ""
        if beside and sorts and self.ways:  # a join may give its rows in another order
            listed.append(f"row_number() OVER (ORDER BY {self._ways()}) AS n")
            order = f" ORDER BY {self.alias}.n"
        inner = f"SELECT {', '.join(listed or ['1'])} FROM {self.rows.source}{self._where(conditions)}{tail}"
        return f"SELECT {', '.join([written, *keys])} FROM ({inner}) AS {self.alias} {beside}{order}"

    def _ways(self) -> str:
        return ", ".join(way.sql for way in self.ways)

    @staticmethod
    def _where(conditions: list[str]) -> str:
        return f" WHERE {' AND '.join(f'({one})' for one in conditions)}" if conditions else ""

    def _after(self, values: Key) -> str:
        """Return the condition of the rows after the one with *values*; NULL is before every value."""
        if len(values) != len(self.ways):
            raise bad(tr("This $skiptoken is none of this service."), "$skiptoken")
        alternatives: list[str] = []
        same: list[str] = []
        for way, value in zip(self.ways, values, strict=True):
            sql = way.by.sql
            if value is None:
                if not way.descends:
                    alternatives.append(" AND ".join([*same, f"{sql} IS NOT NULL"]))
                same.append(f"{sql} IS NULL")
                continue
            given = f"{self.values.add(value)}::{way.by.type}"
            later = f"({sql} < {given} OR {sql} IS NULL)" if way.descends else f"{sql} > {given}"
            alternatives.append(" AND ".join([*same, later]))
            same.append(f"{sql} = {given}")
        return " OR ".join(f"({one})" for one in alternatives) or "false"

    def _key(self, rows: Entities, column: str, literal: str) -> str:
        return condition(f"{column} eq {literal}", rows, self.values, column)

    # what is shown
    def _shape(self) -> Shape:
        if isinstance(self.rows, Made):
            if self.wanted.beside:
                raise unsupported(
                    tr("{place}: {what} is not supported.", place="$expand", what="$apply"), "$expand"
                )
            return self._made_shape(self.rows)
        return self._entity_shape(self.rows, (), self.wanted)

    def _entity_shape(self, rows: Entities, path: tuple[str, ...], shown: Wanted) -> Shape:
        name, _ = rows.reach(path)
        table, navs, several = model().tables[name], navigations(name), collections(name)
        computed = [] if path else [*rows.computed]
        names = [one for one in shown.names or () if one not in {*navs, *several}]
        if shown.names is None:
            names = [*table.columns, *computed]
        for one in names:
            if one not in table.columns and one not in computed:
                raise no_such(name, one)
        shape = Shape(
            name=name,
            cells=[self._cell(rows.find((*path, one)), one) for one in names],
            keys=[self._cell(rows.find((*path, one)), one) for one in table.key],
            parts={
                nav: self._entity_shape(rows, (*path, nav), inner)
                for nav, inner in shown.beside.items() if nav not in several
            },
            links=[nav for nav in (*navs, *several) if nav not in shown.beside],
        )  # fmt: skip
        shape.behind = [
            self._behind(shape, nav, several[nav], inner)
            for nav, inner in shown.beside.items() if nav in several
        ]  # fmt: skip
        return shape

    def _behind(self, owner: Shape, nav: str, found: Collection, shown: Wanted) -> Behind:
        """Return what is asked of the collection *nav* of the rows that *owner* shows. Raises `Refused`."""
        if self.depth == len(MOST_ROWS):
            raise bad(tr("{place} is nested too deep.", place="$expand"), "$expand")
        alias = f"{self.alias}{len(self.behind)}x"
        belongs = f"{alias}m.{quoted(found.column)} = {self.alias}.{owner.keys[0].column}"
        rows = Members(found.table, f"{alias}m", belongs)
        question = Question(
            found.table, Asked(given=shown.asked),
            inside=Inside(rows, self.values, shown, self.depth + 1),
        )  # fmt: skip
        one = Behind(
            name=nav, alias=alias, owner=(owner.name, owner.keys), question=question, depth=self.depth,
            options=[(f"${key}", value) for key, value in shown.asked.items() if key != "skip"],
            only_counts=shown.only_counts,
        )  # fmt: skip
        self.behind.append(one)
        return one

    def _made_shape(self, rows: Made) -> Shape:
        chosen = [*rows.columns]
        if self.wanted.names is not None:
            chosen = [tuple(one.split("/")) for one in self.wanted.names]
            for path in chosen:
                rows.find(path)
        shape = self._shape_of(rows, chosen)
        if rows.kind is not None:
            shape.kind = self._cell(rows.kind, "")
            shape.kinds = [
                self._shape_of(rows, [one for one in chosen if one in kind]) for kind in rows.kinds
            ]
        return shape

    def _shape_of(self, rows: Made, paths: list[tuple[str, ...]]) -> Shape:
        shape = Shape()
        for path in paths:
            at = shape
            for step in path[:-1]:
                at = at.parts.setdefault(step, Shape())
            at.cells.append(self._cell(rows.find(path), path[-1]))
        return shape

    def _cell(self, one: Typed, name: str) -> Cell:
        if one.kind == "null":
            one = Typed("NULL::VARCHAR", "VARCHAR")
        for column, known in self.columns.items():
            if known == one:
                return Cell(name=name, column=column, type=one.type)
        column = f"c{len(self.columns)}"
        self.columns[column] = one
        return Cell(name=name, column=column, type=one.type)
