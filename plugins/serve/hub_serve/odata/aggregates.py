"""What ``aggregate`` makes of rows: sums, counts and the like of expressions (Data Aggregation, 3.2.1)."""

from __future__ import annotations

import re
from typing import NamedTuple

from hub import tr
from hub_serve.expressions import Typed, Values, expression
from hub_serve.odata.names import collections
from hub_serve.odata.options import parted
from hub_serve.odata.scopes import Entities, Made
from hub_serve.refusals import Refused, bad, unsupported

PLACE = "$apply"
_AS = re.compile(r"\s*(.+?)\s+as\s+([A-Za-z_]\w*)\s*", re.DOTALL)
_WITH = re.compile(r"(.+?)\s+with\s+([\w.]+)", re.DOTALL)
_FROM = re.compile(r"(.+)\s+from\s+(.+?)\s+with\s+([\w.]+)", re.DOTALL)
_COUNT = re.compile(r"((?:\w+/)*)\$count")
_PATH = re.compile(r"\w+(?:/\w+)+")
_ADDED = {"BIGINT": "BIGINT", "DOUBLE": "DOUBLE"}
Path = tuple[str, ...]


class Aggregate(NamedTuple):
    """One part of ``aggregate``: what *name* is of all rows, the aggregate *text*.

    Each of *steps* first groups finer, by paths, and aggregates what the groups gave, by a method.
    """

    name: str
    text: str
    steps: tuple[tuple[tuple[Path, ...], str], ...] = ()


def aggregates(text: str) -> list[Aggregate]:
    """Return the parts of ``aggregate``. Raises `Refused`."""
    found: list[Aggregate] = []
    for _, part in parted(text, ","):
        match = _AS.fullmatch(part)
        if match is None:
            if re.fullmatch(r"\s*[A-Za-z_]\w*\s*", part):  # a custom aggregate, and the service has none
                raise bad(tr("{place}: there is no {what}.", place=PLACE, what=part.strip()), PLACE)
            raise unread(part)
        rest, steps = match[1], []
        while ended := _FROM.fullmatch(rest):
            steps.append((tuple(path_of(one) for _, one in parted(ended[2], ",")), ended[3]))
            rest = ended[1]
        if re.search(r"\sfrom\s", rest):
            raise unsupported(tr("{place}: {what} is not supported.", place=PLACE, what="from"), PLACE)
        if any(match[2] == one.name for one in found):
            raise twice()
        found.append(Aggregate(match[2], rest, tuple(steps)))
    return found


def aggregated(text: str, scope: Entities | Made, values: Values) -> Typed:
    """Return the aggregate *text*, an expression with a method or a count, as SQL. Raises `Refused`."""
    if match := _COUNT.fullmatch(text.strip()):
        if not match[1]:
            return Typed("count(*)", "BIGINT")
        one = scope.count(tuple(match[1].strip("/").split("/")))
        return Typed(f"coalesce(sum({one.sql}), 0)::BIGINT", "BIGINT")
    match = _WITH.fullmatch(text.strip())
    if match is None:
        raise unread(text)
    if isinstance(scope, Entities) and _PATH.fullmatch(match[1]):
        way, rest = match[1].split("/", 1)
        if way in collections(scope.name):
            return _of_members(way, rest, match[2], scope, values)
    return method(match[2], expression(match[1], scope, values, PLACE))


def method(name: str, one: Typed) -> Typed:
    """Return all values of *one* taken together by the method *name*. Raises `Refused`."""
    if one.kind == "null":
        one = Typed("NULL::DOUBLE", "DOUBLE")
    if name == "countdistinct":
        return Typed(f"count(DISTINCT {one.sql})", "BIGINT")
    if name in {"min", "max"} and one.kind in {"number", "text", "date", "instant"}:
        return Typed(f"{name}({one.sql})", one.type)
    if name in {"sum", "average"}:
        if one.kind != "number":
            raise bad(
                tr("{place}: {what} does not take {kind}.", place=PLACE, what=name, kind=one.said), PLACE
            )
        if name == "average":
            return Typed(f"avg({one.sql})", "DOUBLE")
        gives = _ADDED.get(one.type) or f"DECIMAL(38,{one.type[8:-1].split(',')[1]})"
        return Typed(f"TRY_CAST(sum({one.sql}) AS {gives})", gives)
    if "." in name:
        raise unsupported(tr("{place}: {what} is not supported.", place=PLACE, what=name), PLACE)
    raise bad(tr("{place}: there is no {what}.", place=PLACE, what=name), PLACE)


def _of_members(way: str, rest: str, name: str, scope: Entities, values: Values) -> Typed:
    """Return what the rows behind each row give together: each of them belongs to one row alone.

    They are taken together row by row first, so that no row counts more often than once beside others.
    """
    if name == "countdistinct":
        what = f"{way}/{rest} with {name}"
        raise unsupported(tr("{place}: {what} is not supported.", place=PLACE, what=what), PLACE)

    def each(by: str) -> Typed:
        def of(members: Entities) -> Typed:
            return method(by, expression(rest, members, values, PLACE))

        return scope.gathered((way,), of)

    if name == "average":
        total, n = each("sum"), scope.gathered(
            (way,), lambda rows: Typed(f"count({expression(rest, rows, values, PLACE).sql})", "BIGINT")
        )  # fmt: skip
        return Typed(f"sum({total.sql})::DOUBLE / nullif(sum({n.sql}), 0)", "DOUBLE")
    return method(name, each(name))


def path_of(text: str) -> Path:
    """Return the path that *text* is. Raises `Refused`."""
    if not re.fullmatch(r"\w+(/\w+)*", text.strip()):
        raise unread(text)
    return tuple(text.strip().split("/"))


def unread(text: str) -> Refused:
    """Return that *text* cannot be read."""
    return bad(tr("{place} cannot be read: {text!r}.", place=PLACE, text=text.strip()[:80]), PLACE)


def twice() -> Refused:
    """Return that a name stands for two things."""
    return bad(tr("{place}: a name stands for two things.", place=PLACE), PLACE)
