"""``$apply``: what each step makes of rows, all together or group by group.

Source: OASIS OData Extension for Data Aggregation 4.0, 3. A step that takes rows away keeps entities what
they are; one that groups or aggregates makes rows of its own. Within ``groupby`` each step works group by
group: what it groups by goes with it.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import msgspec

from hub import model, tr
from hub_serve.expressions import Typed, Values, condition, expression
from hub_serve.odata.aggregates import (
    PLACE,
    Aggregate,
    Path,
    aggregated,
    aggregates,
    method,
    path_of,
    twice,
    unread,
)
from hub_serve.odata.names import navigations, quoted
from hub_serve.odata.options import Item, Wanted, ordered, parted
from hub_serve.odata.scopes import KIND, PART, PLACE_IN, Entities, Made, Way
from hub_serve.odata.searching import search_condition
from hub_serve.refusals import Refused, bad, unsupported

MOST_STEPS, LONGEST = 60, 200_000
"""Steps of one ``$apply`` with those within steps and each grouping of a roll-up, and letters of its SQL."""
_STEP = re.compile(r"\s*([A-Za-z_.][\w.]*)\s*\((.*)\)\s*", re.DOTALL)
_AS = re.compile(r"\s*(.+?)\s+as\s+([A-Za-z_]\w*)\s*", re.DOTALL)
_BEST = re.compile(r"(top|bottom)(count|sum|percent)")
_ROLLUP = re.compile(r"rollup\s*\((.*)\)", re.DOTALL)
_LATER = frozenset(
    {"expand", "join", "outerjoin", "nest", "addnested", "ancestors", "descendants", "traverse"}
)


class Rows(msgspec.Struct, kw_only=True):
    """Rows after a step: those of *scope* that meet *conditions*, in the order of *ways*.

    *beside* are the rows of dimensions that they were grouped by, which are shown with them.
    """

    scope: Entities | Made
    conditions: list[str] = []
    ways: list[Way] = []
    beside: dict[str, Wanted] = {}

    @property
    def where(self) -> str:
        """Return its conditions as SQL."""
        return f" WHERE {' AND '.join(f'({one})' for one in self.conditions)}" if self.conditions else ""

    def order(self) -> list[Way]:
        """Return the whole order: no two rows are in the same place."""
        there = {way.by.sql for way in self.ways}
        more = [Way(one, descends=False) for one in self.scope.order() if one.sql not in there]
        return [*self.ways, *more]

    def copied(self) -> Rows:
        """Return the same rows, to do something else with."""
        return msgspec.structs.replace(self, scope=self.scope.copied())


def applied(text: str, rows: Entities, conditions: list[str], values: Values) -> Rows:
    """Return the rows that ``$apply`` makes of those of *rows* that meet *conditions*. Raises `Refused`."""
    return _Steps(values).run(text, Rows(scope=rows, conditions=conditions), ())


def compute(text: str, scope: Entities | Made, values: Values, place: str) -> None:
    """Have what *text* computes, ``expression as name, …``, in the rows of *scope*. Raises `Refused`."""
    for _, part in parted(text, ","):
        match = _AS.fullmatch(part)
        if match is None:
            raise bad(tr("{place} cannot be read: {text!r}.", place=place, text=part[:80]), place)
        one = expression(match[1], scope, values, place)
        if one.kind in {"span", "time", "id", "entity"}:
            raise unsupported(tr("{place}: {what} is not supported.", place=place, what=one.said), place)
        scope.compute(match[2], one)


class _Steps:
    """The steps of one ``$apply``; *by* are the paths that rows are grouped by around a step."""

    def __init__(self, values: Values) -> None:
        self.values, self.left = values, MOST_STEPS

    def run(self, text: str, rows: Rows, by: tuple[Path, ...]) -> Rows:
        for at, step in parted(text, "/"):
            rows = self._step(at, step, rows, by)
            written = len(rows.scope.source) + sum(len(one) for one in rows.conditions)
            self.left -= 1
            if self.left < 0 or written > LONGEST:
                raise bad(tr("{place} is too long.", place=PLACE), PLACE)
        return rows

    def _step(self, at: int, step: str, rows: Rows, by: tuple[Path, ...]) -> Rows:
        if step.strip() == "identity":
            return rows
        match = _STEP.fullmatch(step)
        if match is None:
            raise bad(
                tr(
                    "{place} cannot be read from position {at}: {text!r}.", place=PLACE, at=at, text=step[:40]
                ),
                PLACE,
            )
        name, inner = match[1].lower(), match[2]
        if name in _LATER or "." in name:
            raise _not_here(match[1])
        if best := _BEST.fullmatch(name):
            return self._best(inner, rows, by, best)
        does = getattr(self, f"_{name}", None) if name in _KNOWN else None
        if does is None:
            raise bad(tr("{place}: there is no {what}.", place=PLACE, what=match[1]), PLACE)
        found: Rows = does(inner, rows, by)
        return found

    # steps that keep rows what they are
    def _filter(self, text: str, rows: Rows, _: tuple[Path, ...]) -> Rows:
        met = condition(text, rows.scope, self.values, PLACE)
        return msgspec.structs.replace(rows, conditions=[*rows.conditions, met])

    def _search(self, text: str, rows: Rows, _: tuple[Path, ...]) -> Rows:
        met = search_condition(text, rows.scope, self.values, PLACE)
        return msgspec.structs.replace(rows, conditions=[*rows.conditions, met])

    def _compute(self, text: str, rows: Rows, _: tuple[Path, ...]) -> Rows:
        if isinstance(rows.scope, Made):  # what is computed is computed of what is left
            rows = msgspec.structs.replace(rows, scope=rows.scope.where(rows.conditions), conditions=[])
        compute(text, rows.scope, self.values, PLACE)
        return rows

    def _orderby(self, text: str, rows: Rows, _: tuple[Path, ...]) -> Rows:
        ways = [way_of(one, rows.scope, self.values, PLACE) for one in ordered(text, PLACE)]
        return msgspec.structs.replace(rows, ways=unlike([*ways, *rows.ways]))

    def _top(self, text: str, rows: Rows, by: tuple[Path, ...]) -> Rows:
        return self._numbered(rows, by, f"<= {_whole(text):d}")

    def _skip(self, text: str, rows: Rows, by: tuple[Path, ...]) -> Rows:
        return self._numbered(rows, by, f"> {_whole(text):d}")

    def _numbered(self, rows: Rows, by: tuple[Path, ...], which: str) -> Rows:
        number = f"row_number() OVER ({self._window(rows, by, rows.order())})"
        return _kept(rows, [number], f"w0 {which}")

    def _best(self, text: str, rows: Rows, by: tuple[Path, ...], how: re.Match[str]) -> Rows:
        """Keep the best rows: so many, or until what they add up to is enough (3.3.1)."""
        what = how[2]
        parts = [one for _, one in parted(text, ",")]
        if len(parts) != 2:
            raise unread(text)
        bound = parts[0].strip()
        number = r"[+-]?\d{1,15}(\.\d{1,12})?"
        if not re.fullmatch(number if what == "sum" else number.replace("[+-]?", r"\+?"), bound, re.ASCII):
            if re.search(r"[$(]", bound):  # a number that is itself computed of the rows
                raise unsupported(
                    tr("{place}: {what} is not supported.", place=PLACE, what=bound[:40]), PLACE
                )
            raise unread(bound)
        value, descends = way_of(Item(parts[1], how[1] == "top"), rows.scope, self.values, PLACE)
        if what != "count" and value.kind != "number":
            raise bad(
                tr("{place}: {what} does not take {kind}.", place=PLACE, what=how[0], kind=value.said), PLACE
            )
        # of equal ones the first are at the top and the last at the bottom, so that both make up the whole
        ways = [Way(value, descends), *(Way(one, not descends) for one in rows.scope.order())]
        window = self._window(rows, by, unlike(ways))
        rows = msgspec.structs.replace(rows, ways=[])
        if what == "count":
            if not re.fullmatch(r"\+?0*[1-9]\d*", bound, re.ASCII):
                raise unread(bound)
            return _kept(rows, [f"row_number() OVER ({window})"], f"w0 <= {int(bound):d}")
        one = f"coalesce({value.sql}, 0)"
        before = f"coalesce(sum({one}) OVER ({window} ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)"
        number = f"row_number() OVER ({window})"
        if what == "sum":
            enough = f"w1 >= {bound}" if not bound.startswith("-") else f"w1 <= {bound}"
        else:
            if not 0 < float(bound) <= 100:
                raise unread(bound)
            enough = (
                f"CASE WHEN w2 < 0 THEN w1 * 100 <= w2 * {bound} ELSE w2 > 0 AND w1 * 100 >= w2 * {bound} END"
            )
        in_all = f"sum({one}) OVER ({self._parted(rows, by)})"
        # the first row with enough before it ends all, also where smaller ones follow
        return _kept(
            rows, [number, before, in_all, *self._groups_of(rows, by)], "w0 < ended", enough, len(by)
        )

    def _window(self, rows: Rows, by: tuple[Path, ...], ways: list[Way]) -> str:
        order = ", ".join(way.sql for way in ways)
        return f"{self._parted(rows, by)}{f' ORDER BY {order}' if order else ''}"

    def _parted(self, rows: Rows, by: tuple[Path, ...]) -> str:
        return f"PARTITION BY {', '.join(self._groups_of(rows, by))}" if by else ""

    @staticmethod
    def _groups_of(rows: Rows, by: tuple[Path, ...]) -> list[str]:
        return [rows.scope.find(path).sql for path in by]

    # steps that make rows
    def _aggregate(self, text: str, rows: Rows, by: tuple[Path, ...]) -> Rows:
        parts = aggregates(text)
        if any(path[0] == one.name for path in by for one in parts):
            raise twice()
        at_once: dict[Path, Typed] = {
            (one.name,): aggregated(one.text, rows.scope, self.values) for one in parts if not one.steps
        }
        made = _grouped(rows, by, at_once, is_whole=True)
        for one in parts:
            if one.steps:
                _beside(made, self._stepwise(one, rows, by), by, one.name)
        made.columns = {**{path: made.columns[path] for path in by}, **{
            (one.name,): made.columns[(one.name,)] for one in parts
        }}  # fmt: skip
        return Rows(scope=made)

    def _stepwise(self, one: Aggregate, rows: Rows, by: tuple[Path, ...]) -> Made:
        """Return *one* by its ``from``: grouped finer, and what that gives aggregated again (3.2.1.5)."""
        finer = [by]
        for paths, _ in one.steps:
            spread = itertools.chain(*(_spread(path, rows.scope) for path in paths))
            finer.append(tuple(dict.fromkeys([*finer[-1], *spread])))
        first = aggregated(one.text, rows.scope, self.values)
        made = _grouped(rows, finer[-1], {(one.name,): first})
        for groups, (_, name) in zip(reversed(finer[:-1]), reversed(one.steps), strict=True):
            again = method(name, made.find((one.name,)))
            made = _grouped(Rows(scope=made), groups, {(one.name,): again}, is_whole=True)
        return made

    def _groupby(self, text: str, rows: Rows, by: tuple[Path, ...]) -> Rows:
        parts = [part.strip() for _, part in parted(text, ",")]
        if not (parts[0].startswith("(") and parts[0].endswith(")")) or len(parts) > 2:
            raise unread(text)
        groupings = _groupings(parts[0][1:-1], rows.scope)
        found = [
            self._group(tuple(dict.fromkeys([*by, *one])), parts[1:], rows.copied()) for one in groupings
        ]
        return found[0] if len(found) == 1 else self._united(found, by)

    def _group(self, by: tuple[Path, ...], then: list[str], rows: Rows) -> Rows:
        for path in by:
            rows.scope.find(path)
        if not then:
            return Rows(scope=_grouped(rows, by, {}))
        found = self.run(then[0], rows, by)
        if isinstance(found.scope, Entities):
            found.beside = _shown_with(found.scope, by, found.beside)
        return found

    def _concat(self, text: str, rows: Rows, by: tuple[Path, ...]) -> Rows:
        parts = [part for _, part in parted(text, ",")]
        if len(parts) < 2:
            raise unread(text)
        return self._united([self.run(part, rows.copied(), by) for part in parts], by)

    def _united(self, several: list[Rows], by: tuple[Path, ...]) -> Rows:
        """Return the rows of *several*, one after the other, each with the columns that it has (3.2.2)."""
        self.left -= len(several)
        columns: dict[Path, str] = {}
        found: list[tuple[Rows, dict[Path, Typed]]] = []
        kinds: list[frozenset[Path]] = []
        for rows in several:
            there = _columns_of(rows, by)
            found.append((rows, there))
            for path, one in there.items():
                columns[path] = _common(path, columns.get(path), one)
        names = {path[:n]: path for path in columns for n in range(1, len(path))}
        if names.keys() & columns.keys():
            raise twice()
        written = []
        for rows, there in found:
            first = str(len(kinds))
            order = ", ".join(way.sql for way in rows.order())
            inner = rows.scope.kind if isinstance(rows.scope, Made) else None
            listed = [
                f"{there[path].sql if path in there else 'NULL'}::{kind} AS {quoted('/'.join(path))}"
                for path, kind in columns.items()
            ]
            listed.append(f"{first}{f' + {inner.sql}' if inner else ''} AS {quoted(KIND)}")
            listed.append(f"row_number() OVER ({f'ORDER BY {order}' if order else ''}) AS {quoted(PLACE_IN)}")
            # the place is told within one of *several*, and kinds of it stand side by side
            listed.append(f"{first} AS {quoted(PART)}")
            written.append(f"SELECT {', '.join(listed)} FROM {rows.scope.source}{rows.where}")
            own = rows.scope.kinds if isinstance(rows.scope, Made) and rows.scope.kinds else [
                frozenset(there)
            ]  # fmt: skip
            kinds += own
        keys = [Typed(f"t.{quoted(one)}", "BIGINT") for one in (PART, PLACE_IN)]
        return Rows(scope=Made(" UNION ALL ".join(written), columns, keys, kinds))


_KNOWN = frozenset(
    {"filter", "search", "compute", "orderby", "top", "skip", "aggregate", "groupby", "concat"}
)


def _grouped(rows: Rows, by: tuple[Path, ...], listed: dict[Path, Typed], *, is_whole: bool = False) -> Made:
    """Return one row for each group of *rows* with what is *listed* of it; where it *is_whole* always one."""
    columns = {path: rows.scope.find(path) for path in by} | listed
    shown = [f"{one.sql} AS {quoted('/'.join(path))}" for path, one in columns.items()]
    if not listed:
        shown.append(f"count(*) AS {quoted(PART)}")
    numbers = ", ".join(str(n + 1) for n in range(len(by)))
    tail = f" GROUP BY {numbers}" if by else "" if is_whole else " HAVING count(*) > 0"
    return Made(
        f"SELECT {', '.join(shown)} FROM {rows.scope.source}{rows.where}{tail}",
        {path: one.type for path, one in columns.items()},
        [Typed(f"t.{quoted('/'.join(path))}", columns[path].type) for path in by],
    )


def _beside(made: Made, other: Made, by: tuple[Path, ...], name: str) -> None:
    """Put what *other* has, *name*, into the rows of *made*: both have one row for each group of *by*."""
    same = [
        f"t.{column} IS NOT DISTINCT FROM o.{column}" for column in (quoted("/".join(path)) for path in by)
    ]
    joined = f"{made.source} LEFT JOIN ({other._sql}) AS o ON {' AND '.join(same) or 'true'}"
    made._sql = f"SELECT t.*, o.{quoted(name)} FROM {joined}"
    made.columns[(name,)] = other.columns[(name,)]


def _kept(rows: Rows, windows: list[str], which: str, enough: str = "", groups: int = 0) -> Rows:
    """Return those of *rows* for which *which* holds of the values of *windows*, called ``w0`` and so on.

    With *enough* it may name ``ended``: the number of the first row of its group for which that holds. The
    last *groups* of *windows* are the groups.
    """
    keys = rows.scope.order()
    listed = [f"{one.sql} AS k{n}" for n, one in enumerate(keys)]
    if isinstance(rows.scope, Made):
        listed = ["t.*"]
    listed += [f"{one} AS w{n}" for n, one in enumerate(windows)]
    inner = f"SELECT {', '.join(listed)} FROM {rows.scope.source}{rows.where}"
    if enough:
        by = ", ".join(f"w{len(windows) - groups + n}" for n in range(groups))
        over = f"OVER ({f'PARTITION BY {by}' if by else ''})"
        ended = f"coalesce(min(CASE WHEN {enough} THEN w0 END) {over}, 9223372036854775807) AS ended"
        inner = f"SELECT *, {ended} FROM ({inner})"
    if isinstance(rows.scope, Made):
        drop = ", ".join([*(f"w{n}" for n in range(len(windows))), *(["ended"] if enough else [])])
        made = rows.scope.copied()
        made._sql = f"SELECT * EXCLUDE ({drop}) FROM ({inner}) WHERE {which}"
        return msgspec.structs.replace(rows, scope=made, conditions=[])
    named = ", ".join(f"k{n}" for n in range(len(keys)))
    met = f"({', '.join(one.sql for one in keys)}) IN (SELECT {named} FROM ({inner}) WHERE {which})"
    return msgspec.structs.replace(rows, conditions=[met])


def _columns_of(rows: Rows, by: tuple[Path, ...]) -> dict[Path, Typed]:
    scope = rows.scope
    if isinstance(scope, Made):
        return {path: scope.find(path) for path in scope.columns}
    names = [*model().tables[scope.name].columns, *scope.computed]
    return {
        path: scope.find(path)
        for path in dict.fromkeys([*((one,) for one in names), *by, *_paths(rows.beside)])
    }


def _paths(beside: dict[str, Wanted]) -> Iterator[Path]:
    for name, one in beside.items():
        yield from ((name, column) for column in one.names or ())
        yield from ((name, *path) for path in _paths(one.beside))


def _common(path: Path, known: str | None, one: Typed) -> str:
    """Return the type of a column that is of the types *known* and of *one* in several kinds of rows."""
    if known in {None, one.type}:
        return one.type
    other = Typed("", str(known))
    if {one.kind, other.kind} != {"number"}:
        raise bad(tr("{place}: a name stands for two things.", place="/".join(path)), PLACE)
    if "DOUBLE" in {known, one.type}:
        return "DOUBLE"
    scales = [int(each[8:-1].split(",")[1]) for each in (str(known), one.type) if each.startswith("DECIMAL")]
    return f"DECIMAL(38,{max(scales)})"


def _groupings(text: str, scope: Entities | Made) -> Iterator[tuple[Path, ...]]:
    """Give what rows are grouped by: once, or once for each level of each roll-up (3.2.3.2)."""
    each: list[list[tuple[Path, ...]]] = []
    for _, part in parted(text, ","):
        if part.strip().startswith("rolluprecursive"):
            raise unsupported(
                tr("{place}: {what} is not supported.", place=PLACE, what="rolluprecursive"), PLACE
            )
        match = _ROLLUP.fullmatch(part.strip())
        if match is None:
            each.append([_spread(path_of(part), scope)])
            continue
        paths = [one.strip() for _, one in parted(match[1], ",")]
        if len(paths) < 2:  # the name of a hierarchy, and the model has none
            raise bad(tr("{place}: there is no {what}.", place=PLACE, what=paths[0][:80]), PLACE)
        has_all = paths[0] == "$all"
        levels = [_spread(path_of(one), scope) for one in paths[has_all:]]
        each.append([
            tuple(itertools.chain(*levels[:n])) for n in range(len(levels), 0 if not has_all else -1, -1)
        ])  # fmt: skip
    if not each:
        raise unread(text)
    for found in itertools.product(*each):
        yield tuple(dict.fromkeys(itertools.chain(*found)))


def _spread(path: Path, scope: Entities | Made) -> tuple[Path, ...]:
    """Return *path*, or where it leads to a row of a dimension all columns of that."""
    if isinstance(scope, Entities) and path[-1] in navigations(scope.reach(path[:-1])[0]):
        target, _ = scope.reach(path)
        return tuple((*path, column) for column in model().tables[target].columns)
    if isinstance(scope, Made) and path not in scope.columns:
        inner = tuple(one for one in scope.columns if one[: len(path)] == path)
        return inner or (path,)
    return (path,)


def _shown_with(scope: Entities, by: tuple[Path, ...], beside: dict[str, Wanted]) -> dict[str, Wanted]:
    """Return what is shown beside entities: the dimensions that they were grouped by."""
    found = dict(beside)
    for path in by:
        if path[1:]:
            one = found.get(path[0], Wanted(names=()))
            if path[2:]:
                inner = _shown_with(scope, (path[1:],), one.beside)
                found[path[0]] = msgspec.structs.replace(one, beside=inner)
            else:
                names = tuple(dict.fromkeys([*(one.names or ()), path[1]]))
                found[path[0]] = msgspec.structs.replace(one, names=names)
    return found


def unlike(ways: list[Way]) -> list[Way]:
    """Return *ways* without those that order by what one before them orders by."""
    found: dict[str, Way] = {}
    for way in ways:
        found.setdefault(way.by.sql, way)
    return list(found.values())


def _not_here(what: str) -> Refused:
    return unsupported(tr("{place}: {what} is not supported.", place=PLACE, what=what), PLACE)


def _whole(text: str) -> int:
    if not re.fullmatch(r"\s*\d{1,15}\s*", text, re.ASCII):
        raise bad(
            tr("{place} is a whole number from 0 on, not {value!r}.", place=PLACE, value=text[:40]), PLACE
        )
    return int(text)


def way_of(item: Item, scope: Entities | Made, values: Values, place: str) -> Way:
    """Return the way that *item* orders rows by. Raises `Refused` where it has no order."""
    found = expression(item.text, scope, values, place)
    if found.kind in {"span", "time", "entity"}:
        raise bad(tr("{place} does not take {kind}.", place=place, kind=found.said), place)
    return Way(Typed("NULL::VARCHAR", "VARCHAR") if found.kind == "null" else found, item.descends)
