"""The functions of expressions: what each takes, what it gives, and how DuckDB says it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Function(NamedTuple):
    """*takes* are the kinds of each argument, of which the last *spared* may lack; *gives* is a type.

    *gives* is ``same`` for that of the first argument. *sql* has the arguments as ``{0}`` and so on, or
    makes it of them.
    """

    takes: tuple[tuple[str, ...], ...]
    gives: str
    sql: str | Callable[..., str]
    spared: int = 0


def _substring(whole: str, start: str, length: str = "") -> str:
    # a negative start counts from the end; before the begin is the begin
    at = f"({start})::BIGINT"
    begin = f"(CASE WHEN {at} < 0 THEN greatest(length({whole}) + {at}, 0) ELSE {at} END + 1)"
    return f"substr({whole}, {begin}" + (f", greatest(({length})::BIGINT, 0))" if length else ")")


_TEXT, _NUMBER, _DAY, _CLOCK = ("text",), ("number",), ("date", "instant"), ("instant", "time")
FUNCTIONS: dict[str, Function] = {
    "contains": Function((_TEXT, _TEXT), "BOOLEAN", "contains({0}, {1})"),
    "startswith": Function((_TEXT, _TEXT), "BOOLEAN", "starts_with({0}, {1})"),
    "endswith": Function((_TEXT, _TEXT), "BOOLEAN", "suffix({0}, {1})"),
    "matchesPattern": Function((_TEXT, _TEXT), "BOOLEAN", "regexp_matches({0}, {1})"),
    "length": Function((_TEXT,), "BIGINT", "length({0})"),
    "indexof": Function((_TEXT, _TEXT), "BIGINT", "(strpos({0}, {1}) - 1)"),
    "substring": Function((_TEXT, _NUMBER, _NUMBER), "VARCHAR", _substring, spared=1),
    "tolower": Function((_TEXT,), "VARCHAR", "lower({0})"),
    "toupper": Function((_TEXT,), "VARCHAR", "upper({0})"),
    "trim": Function((_TEXT,), "VARCHAR", "trim({0}, ' \t\n\r')"),
    "concat": Function((_TEXT, _TEXT), "VARCHAR", "({0} || {1})"),
    "year": Function((_DAY,), "BIGINT", "year({0})"),
    "month": Function((_DAY,), "BIGINT", "month({0})"),
    "day": Function((_DAY,), "BIGINT", "day({0})"),
    "hour": Function((_CLOCK,), "BIGINT", "hour({0})"),
    "minute": Function((_CLOCK,), "BIGINT", "minute({0})"),
    "second": Function((_CLOCK,), "BIGINT", "second({0})"),
    "fractionalseconds": Function((_CLOCK,), "DOUBLE", "(microsecond({0}) % 1000000 / 1e6)"),
    "date": Function((_DAY,), "DATE", "({0})::DATE"),
    "time": Function((_CLOCK,), "TIME", "({0})::TIME"),
    "totaloffsetminutes": Function((("instant",),), "BIGINT", "({0} IS NOT NULL)::BIGINT * 0"),
    "totalseconds": Function((("span",),), "DOUBLE", "epoch({0})"),
    "now": Function((), "TIMESTAMPTZ", "now()"),
    "mindatetime": Function((), "TIMESTAMPTZ", "'0001-01-01 00:00:00+00'::TIMESTAMPTZ"),
    "maxdatetime": Function((), "TIMESTAMPTZ", "'9999-12-31 23:59:59.999999+00'::TIMESTAMPTZ"),
    "round": Function((_NUMBER,), "same", "round({0})"),
    "floor": Function((_NUMBER,), "same", "floor({0})"),
    "ceiling": Function((_NUMBER,), "same", "ceil({0})"),
}
"""By name, those of OData 4.01 part 2, 5.1.1."""
OLD = {"substringof": Function((_TEXT, _TEXT), "BOOLEAN", "contains({1}, {0})")}
"""Functions that version 3 alone has."""
KNOWN = {name.lower(): one for name, one in (FUNCTIONS | OLD).items()}
"""All of them by their names in small letters."""
DEFINED = frozenset({
    "cast", "isof", "case", "hassubset", "hassubsequence", "geo.distance", "geo.length", "geo.intersects",
})  # fmt: skip
"""Functions of OData that are not here."""
CASTS = {
    "edm.string": ("VARCHAR", ("text", "number", "date", "instant", "truth", "id")),
    "edm.date": ("DATE", ("text", "date", "instant")),
    "edm.datetimeoffset": ("TIMESTAMPTZ", ("text", "date", "instant")),
    "edm.int16": ("BIGINT", ("text", "number")), "edm.int32": ("BIGINT", ("text", "number")),
    "edm.int64": ("BIGINT", ("text", "number")), "edm.byte": ("BIGINT", ("text", "number")),
    "edm.double": ("DOUBLE", ("text", "number")), "edm.single": ("DOUBLE", ("text", "number")),
    "edm.decimal": ("DOUBLE", ("text", "number")), "edm.boolean": ("BOOLEAN", ("text", "truth")),
    "edm.guid": ("UUID", ("text", "id")),
}  # fmt: skip
"""What ``cast`` makes, by the type's name: the type here, and the kinds that it takes."""
