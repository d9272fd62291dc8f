"""``$apply``: rows filtered, grouped and aggregated (OData Extension for Data Aggregation 4.0)."""

from __future__ import annotations

import re

from hub import tr
from hub_serve.expressions import Typed, Values, condition, expression
from hub_serve.odata.names import quoted
from hub_serve.odata.options import parted
from hub_serve.odata.scopes import Entities, Made
from hub_serve.refusals import bad, unsupported

PLACE = "$apply"
_STEP = re.compile(r"\s*([A-Za-z_.]\w*)\s*\((.*)\)\s*", re.DOTALL)
_WITH = re.compile(r"\s*(.+?)\s+with\s+([\w.]+)(\s+from\s.+)?\s+as\s+([A-Za-z_]\w*)\s*", re.DOTALL)
_AS = re.compile(r"\s*(.+?)\s+as\s+([A-Za-z_]\w*)\s*", re.DOTALL)
_COUNT = re.compile(r"\s*\$count\s+as\s+([A-Za-z_]\w*)\s*")
_LATER = frozenset(
    {
        "concat", "expand", "search", "topcount", "topsum", "toppercent",
        "bottomcount", "bottomsum", "bottompercent", "orderby", "top", "skip", "join", "outerjoin", "nest",
        "addnested", "ancestors", "descendants", "traverse",
    }
)  # fmt: skip
_ADDED = {"BIGINT": "BIGINT", "DOUBLE": "DOUBLE"}


def applied(text: str, rows: Entities, values: Values) -> tuple[Entities | Made, list[str]]:
    """Return the rows that ``$apply`` makes of *rows*, and the conditions that they still have to meet.

    Raises `Refused`.
    """
    scope: Entities | Made = rows
    conditions: list[str] = []
    for at, step in parted(text, "/"):
        if step.strip() == "identity":
            continue
        match = _STEP.fullmatch(step)
        if match is None:
            raise bad(
                tr(
                    "{place} cannot be read from position {at}: {text!r}.", place=PLACE, at=at, text=step[:40]
                ),
                PLACE,
            )
        name, inner = match[1].lower(), match[2]
        if name == "filter":
            conditions.append(condition(inner, scope, values, PLACE))
            continue
        if name == "compute":
            if conditions and isinstance(scope, Made):  # what is computed is computed of what is left
                scope, conditions = scope.where(conditions), []
            compute(inner, scope, values, PLACE)
            continue
        groups: dict[tuple[str, ...], Typed] = {}
        if name == "groupby":
            groups, listed = _groups(inner, scope, values)
        elif name == "aggregate":
            listed = _aggregated(inner, scope, values)
        elif name in _LATER:
            raise unsupported(tr("{place}: {what} is not supported.", place=PLACE, what=match[1]), PLACE)
        else:
            raise bad(tr("{place}: there is no {what}.", place=PLACE, what=match[1]), PLACE)
        scope, conditions = _made(scope, conditions, groups, listed), []
    return scope, conditions


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


def _made(
    scope: Entities | Made,
    conditions: list[str],
    groups: dict[tuple[str, ...], Typed],
    listed: dict[str, Typed],
) -> Made:
    columns: dict[tuple[str, ...], Typed] = {**groups}
    columns |= {(name,): one for name, one in listed.items()}
    if len(columns) < len(groups) + len(listed) or any(path[0] in listed for path in groups):
        raise bad(tr("{place}: a name stands for two things.", place=PLACE), PLACE)
    shown = ", ".join(f"{one.sql} AS {quoted('/'.join(path))}" for path, one in columns.items())
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    by = f" GROUP BY {', '.join(str(n + 1) for n in range(len(groups)))}" if groups else ""
    return Made(
        f"SELECT {shown} FROM {scope.source}{where}{by}",
        {path: one.type for path, one in columns.items()},
        len(groups),
    )


def _groups(
    text: str, scope: Entities | Made, values: Values
) -> tuple[dict[tuple[str, ...], Typed], dict[str, Typed]]:
    parts = [part.strip() for _, part in parted(text, ",")]
    if not (parts[0].startswith("(") and parts[0].endswith(")")) or len(parts) > 2:
        raise bad(tr("{place} cannot be read: {text!r}.", place=PLACE, text=text[:80]), PLACE)
    groups: dict[tuple[str, ...], Typed] = {}
    for _, part in parted(parts[0][1:-1], ","):
        name = part.strip()
        if name.startswith("rollup"):
            raise unsupported(tr("{place}: {what} is not supported.", place=PLACE, what="rollup"), PLACE)
        if not re.fullmatch(r"\w+(/\w+)*", name):
            raise bad(tr("{place} cannot be read: {text!r}.", place=PLACE, text=name[:80]), PLACE)
        groups[tuple(name.split("/"))] = scope.find(tuple(name.split("/")))
    if len(parts) == 1:
        return groups, {}
    match = _STEP.fullmatch(parts[1])
    if match is None or match[1].lower() != "aggregate":
        raise unsupported(tr("{place}: {what} is not supported.", place=PLACE, what=parts[1][:40]), PLACE)
    return groups, _aggregated(match[2], scope, values)


def _aggregated(text: str, scope: Entities | Made, values: Values) -> dict[str, Typed]:
    found: dict[str, Typed] = {}
    for _, part in parted(text, ","):
        if match := _COUNT.fullmatch(part):
            name, one = match[1], Typed("count(*)", "BIGINT")
        elif match := _WITH.fullmatch(part):
            if match[3]:
                raise unsupported(tr("{place}: {what} is not supported.", place=PLACE, what="from"), PLACE)
            name, one = match[4], _aggregate(match[2], expression(match[1], scope, values, PLACE))
        else:
            raise bad(tr("{place} cannot be read: {text!r}.", place=PLACE, text=part[:80]), PLACE)
        if name in found:
            raise bad(tr("{place}: a name stands for two things.", place=PLACE), PLACE)
        found[name] = one
    return found


def _aggregate(method: str, one: Typed) -> Typed:
    if one.kind == "null":
        one = Typed("NULL::DOUBLE", "DOUBLE")
    if method == "countdistinct":
        return Typed(f"count(DISTINCT {one.sql})", "BIGINT")
    if method in {"min", "max"} and one.kind in {"number", "text", "date", "instant"}:
        return Typed(f"{method}({one.sql})", one.type)
    if method in {"sum", "average"}:
        if one.kind != "number":
            raise bad(
                tr("{place}: {what} does not take {kind}.", place=PLACE, what=method, kind=one.said), PLACE
            )
        if method == "average":
            return Typed(f"avg({one.sql})", "DOUBLE")
        gives = _ADDED.get(one.type) or f"DECIMAL(38,{one.type[8:-1].split(',')[1]})"
        return Typed(f"TRY_CAST(sum({one.sql}) AS {gives})", gives)
    if "." in method:
        raise unsupported(tr("{place}: {what} is not supported.", place=PLACE, what=method), PLACE)
    raise bad(tr("{place}: there is no {what}.", place=PLACE, what=method), PLACE)
