"""Expressions of ``$filter``, ``$orderby`` and ``$apply``: parsed by odata-query, written as DuckDB's SQL.

Values are parameters, names are those of the model; nothing that somebody asks is SQL. What has
no value in a row, such as a division by 0, is null there.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Protocol

from odata_query import ast
from odata_query.exceptions import (
    ODataException,
    ParsingException,
    TokenizingException,
    UnknownFunctionException,
)
from odata_query.grammar import ODataLexer, ODataParser

from hub import tr
from hub_serve.odata.names import Typed
from hub_serve.odata.refusals import bad, unsupported

DEEPEST = 60
"""Levels of an expression, beside chains of ``and`` and ``or``, which may be long."""
LONGEST = 3000
"""Words of an expression."""
_UNKNOWN_TO_PARSER = re.compile(
    r"\$it\b|\$root\b|\$this\b|\bisof\s*\(|\bcast\s*\(|\bcase\s*\(|\s(?:has|divby)\s", re.IGNORECASE
)
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_WORDS = frozenset({"ANY", "ALL", "NULL", "BOOLEAN"})
_RESERVED = frozenset({"any", "all", "null", "true", "false"})
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")


class Scope(Protocol):
    """What the names of an expression mean."""

    def find(self, path: tuple[str, ...]) -> Typed:
        """Return the column that *path* names. Raises `Refused`."""
        ...


class Values:
    """The values of a statement, which it names ``$p0``, ``$p1`` and so on."""

    def __init__(self) -> None:
        """Begin without any."""
        self._all: list[Any] = []

    def add(self, value: Any) -> str:
        """Keep *value* and return its name."""
        self._all.append(value)
        return f"$p{len(self._all) - 1}"

    def of(self, sql: str) -> dict[str, Any]:
        """Return the values that *sql* names."""
        return {f"p{n}": self._all[int(n)] for n in set(re.findall(r"\$p(\d+)\b", sql))}


def expression(text: str, scope: Scope, values: Values, place: str) -> Typed:
    """Return the expression *text* of the option *place* as SQL. Raises `Refused`."""
    return _Writer(scope, values, place).visit(_parsed(text, place))  # type: ignore[no-any-return]


def condition(text: str, scope: Scope, values: Values, place: str) -> str:
    """Return *text* as a condition for WHERE. Raises `Refused` where it is not true or false."""
    found = expression(text, scope, values, place)
    if found.kind not in {"truth", "null"}:
        raise bad(tr("{place}: {text!r} is neither true nor false.", place=place, text=text[:80]), place)
    return found.sql


def outside_quotes(text: str, change: Callable[[str], str]) -> str:
    """Return *text* with what stands outside its quoted texts changed."""
    found, at = [], 0
    for quoted in _QUOTED.finditer(text):
        found += [change(text[at : quoted.start()]), quoted[0]]
        at = quoted.end()
    return "".join([*found, change(text[at:])])


def _parsed(text: str, place: str) -> Any:
    # a plus sign that nobody encoded came as a space: 2026-01-31T00:00:00 01:00
    text = outside_quotes(text, lambda part: re.sub(r"(T\d\d:\d\d[\d:.]*) (\d\d:\d\d)\b", r"\1+\2", part))
    text = text.strip()
    if unknown := _UNKNOWN_TO_PARSER.search(_QUOTED.sub("''", text)):
        raise unsupported(
            tr("{place}: {what} is not supported.", place=place, what=unknown[0].strip(" (")), place
        )
    if not text:
        raise bad(tr("{place} is empty.", place=place), place)
    try:
        tokens = _mended(text, list(ODataLexer().tokenize(text)))
        if len(tokens) > LONGEST:
            raise bad(tr("{place} is too long.", place=place), place)
        return ODataParser().parse(iter(tokens))
    except (TokenizingException, ParsingException) as exc:
        at = getattr(exc.token, "index", None)
        raise bad(
            tr("{place} ends too early: {text!r}.", place=place, text=text[:80])
            if at is None
            else tr(
                "{place} cannot be read from position {at}: {text!r}.",
                place=place, at=at, text=text[at : at + 40],
            ),
            place,
        ) from exc  # fmt: skip
    except UnknownFunctionException as exc:
        raise bad(tr("{place}: there is no {what}.", place=place, what=exc.function_name), place) from exc
    except ODataException as exc:
        what = getattr(exc, "function_name", "?")
        raise bad(tr("{place}: {what} takes other arguments.", place=place, what=what), place) from exc


def _mended(text: str, tokens: list[Any]) -> list[Any]:
    """Return *tokens* as the grammar of OData has them where the lexer is narrower.

    ``allocated_s`` is a name, not ``all`` and a name; ``not(`` needs no space; functions may be in capitals;
    a list may have one item.
    """
    found: list[Any] = []
    upto = 0
    for token in tokens:
        if token.index < upto:
            continue
        word = _IDENTIFIER.match(text, token.index)
        if token.type in _WORDS and word and word[0].lower() not in _RESERVED:
            token.type, token.value, upto = "ODATA_IDENTIFIER", ast.Identifier(word[0]), word.end()
        if token.type == "(" and found and found[-1].type == "ODATA_IDENTIFIER":
            name = found[-1].value.full_name()
            if name.lower() == "not":
                found[-1].type, found[-1].value = "NOT", ast.Not()
            elif name.lower() != "matchespattern":
                found[-1].value = ast.Identifier(name.lower())
        found.append(token)
    return [*_with_lists(found)]


def _with_lists(tokens: list[Any]) -> Iterator[Any]:
    """Give *tokens*, with a comma in each list of one item, as the parser wants it."""
    opened: list[list[Any]] = []
    for index, token in enumerate(tokens):
        if token.type == "(":
            before = next((one for one in reversed(tokens[:index]) if one.type != "WS"), None)
            opened.append([before is not None and before.type == "IN", False])
        elif token.type == "," and opened:
            opened[-1][1] = True
        elif token.type == ")" and opened:
            is_list, has_comma = opened.pop()
            if is_list and not has_comma:
                comma = type(token)()
                comma.type = comma.value = ","
                comma.lineno, comma.index = token.lineno, token.index
                yield comma
        yield token


class _Writer:
    """Writes a parsed expression as SQL that DuckDB types as the expression is."""

    def __init__(self, scope: Scope, values: Values, place: str) -> None:
        self.scope, self.values, self.place = scope, values, place
        self.depth = 0
        self.is_asserted = True
        """Whether NULL here counts as false, so that a comparison needs not say it."""

    def visit(self, node: Any) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise bad(tr("{place} is nested too deep.", place=self.place), self.place)
        try:
            write = getattr(self, f"on_{type(node).__name__.lower()}", self._other)
            return write(node)
        finally:
            self.depth -= 1

    def _other(self, node: Any) -> Any:
        raise unsupported(
            tr("{place}: {what} is not supported.", place=self.place, what=type(node).__name__), self.place
        )

    # names
    def on_identifier(self, node: Any) -> Typed:
        return self.scope.find((*node.namespace, node.name))

    def on_attribute(self, node: Any) -> Typed:
        path: list[str] = []
        owner = node
        while isinstance(owner, ast.Attribute):
            path.insert(0, owner.attr)
            owner = owner.owner
        if not isinstance(owner, ast.Identifier):
            return self._other(owner)  # type: ignore[no-any-return]
        return self.scope.find((owner.name, *path))

    def on_collectionlambda(self, _: Any) -> Typed:
        raise unsupported(
            tr("{place}: {what} is not supported.", place=self.place, what="any, all"), self.place
        )

    # literals
    def on_null(self, _: Any) -> Typed:
        return Typed("NULL", "NULL")

    def on_integer(self, node: Any) -> Typed:
        value = int(node.val) if len(node.val) < 40 else None
        if value is None or abs(value) >= 2**63:
            return Typed(f"{self.values.add(float(node.val))}::DOUBLE", "DOUBLE")
        return Typed(f"{self.values.add(value)}::BIGINT", "BIGINT")

    def on_float(self, node: Any) -> Typed:
        whole, _, rest = node.val.lstrip("+-").partition(".")
        if "e" in node.val.lower() or len(whole) > 18 or len(rest) > 12:
            return Typed(f"{self.values.add(float(node.val))}::DOUBLE", "DOUBLE")
        kind = f"DECIMAL({len(whole) + len(rest)},{len(rest)})"
        return Typed(f"{self.values.add(Decimal(node.val))}::{kind}", kind)

    def on_boolean(self, node: Any) -> Typed:
        return Typed(str(node.py_val).lower(), "BOOLEAN")

    def on_string(self, node: Any) -> Typed:
        return Typed(f"{self.values.add(node.val)}::VARCHAR", "VARCHAR")

    def on_guid(self, node: Any) -> Typed:
        return Typed(f"{self.values.add(node.val)}::VARCHAR", "VARCHAR")

    def on_date(self, node: Any) -> Typed:
        return Typed(f"{self.values.add(self._value(node, date))}::DATE", "DATE")

    def on_time(self, node: Any) -> Typed:
        return Typed(f"{self.values.add(self._value(node, time))}::TIME", "TIME")

    def on_datetime(self, node: Any) -> Typed:
        return Typed(f"{self.values.add(self._value(node, datetime))}::TIMESTAMPTZ", "TIMESTAMPTZ")

    def on_duration(self, node: Any) -> Typed:
        return Typed(f"{self.values.add(self._value(node, timedelta))}::INTERVAL", "INTERVAL")

    def _value(self, node: Any, kind: type) -> Any:
        try:
            value = node.py_val
            if kind is datetime:
                value = (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, OverflowError) as exc:
            raise bad(
                tr("{place}: {value} does not exist.", place=self.place, value=node.val), self.place
            ) from exc
        return value

    # true and false
    def on_boolop(self, node: Any) -> Typed:
        parts: list[Any] = []
        left = [node]
        while left:  # a chain is as flat as it is written
            one = left.pop()
            if isinstance(one, ast.BoolOp) and one.op == node.op:
                left += [one.right, one.left]
            else:
                parts.append(one)
        joined = " AND " if isinstance(node.op, ast.And) else " OR "
        return Typed(f"({joined.join(self._truth(one).sql for one in parts)})", "BOOLEAN")

    def on_unaryop(self, node: Any) -> Typed:
        if isinstance(node.op, ast.Not):
            before, self.is_asserted = self.is_asserted, False
            inner = self._truth(node.operand)
            self.is_asserted = before
            return Typed(f"(NOT {inner.sql})", "BOOLEAN")
        inner = self.visit(node.operand)
        self._must(inner.kind in {"number", "span", "null"}, "-", inner)
        return Typed(f"(-{inner.sql})", inner.type)

    def _truth(self, node: Any) -> Typed:
        found: Typed = self.visit(node)
        self._must(found.kind in {"truth", "null"}, "and, or, not", found)
        return found._replace(sql="NULL::BOOLEAN") if found.kind == "null" else found

    def _plain(self, node: Any) -> Typed:
        """Return an operand, in which NULL is not false."""
        before, self.is_asserted = self.is_asserted, False
        found: Typed = self.visit(node)
        self.is_asserted = before
        return found

    def on_compare(self, node: Any) -> Typed:
        if isinstance(node.comparator, ast.In):
            return self._in(node)
        left, right = self._alike(self._plain(node.left), self._plain(node.right), "eq, lt …")
        return Typed(self._compared(type(node.comparator).__name__, left, right), "BOOLEAN")

    def _compared(self, how: str, left: Typed, right: Typed) -> str:
        nulls = [one.kind == "null" for one in (left, right)]
        if how in {"Eq", "NotEq"}:
            if all(nulls):
                return "true" if how == "Eq" else "false"
            if any(nulls):
                one = right if nulls[0] else left
                return f"({one.sql} IS {'' if how == 'Eq' else 'NOT '}NULL)"
            if how == "NotEq":
                return f"({left.sql} IS DISTINCT FROM {right.sql})"
            has_value = right.sql.startswith("$") or left.sql.startswith("$")
            if self.is_asserted and has_value:  # else NULL on both sides is equal
                return f"({left.sql} = {right.sql})"
            return f"({left.sql} IS NOT DISTINCT FROM {right.sql})"
        sign, is_also_equal = {
            "Lt": ("<", False), "LtE": ("<=", True), "Gt": (">", False), "GtE": (">=", True)
        }[how]  # fmt: skip
        if all(nulls):
            return str(is_also_equal).lower()
        if any(nulls):
            one = right if nulls[0] else left
            return f"({one.sql} IS NULL)" if is_also_equal else "false"
        sql = f"({left.sql} {sign} {right.sql})"
        has_value = right.sql.startswith("$") or left.sql.startswith("$")
        if is_also_equal and not has_value:
            sql = f"({sql} OR ({left.sql} IS NULL AND {right.sql} IS NULL))"
        return sql if self.is_asserted else f"coalesce({sql}, false)"

    def _in(self, node: Any) -> Typed:
        one = self._plain(node.left)
        each = [self._alike(one, self._plain(item), "in") for item in node.right.val]
        parts = [self._compared("Eq", left, right) for left, right in each]
        return Typed(f"({' OR '.join(parts)})", "BOOLEAN")

    def _alike(self, left: Typed, right: Typed, what: str) -> tuple[Typed, Typed]:
        """Return two operands as one kind: a day is its first instant where the other is an instant."""
        kinds = {left.kind, right.kind}
        if kinds == {"date", "instant"}:
            left, right = (
                one if one.kind == "instant" else Typed(f"{one.sql}::TIMESTAMPTZ", "TIMESTAMPTZ")
                for one in (left, right)
            )
        elif len(kinds - {"null"}) > 1:
            raise bad(
                tr(
                    "{place}: {left} and {right} cannot be compared.",
                    place=self.place, left=left.said, right=right.said,
                ),
                self.place,
            )  # fmt: skip
        return left, right

    def _must(self, holds: bool, what: str, found: Typed) -> None:
        if not holds:
            raise bad(
                tr("{place}: {what} does not take {kind}.", place=self.place, what=what, kind=found.said),
                self.place,
            )

    # arithmetic
    def on_binop(self, node: Any) -> Typed:
        left, right = self._plain(node.left), self._plain(node.right)
        name = type(node.op).__name__
        what = {"Add": "add", "Sub": "sub", "Mult": "mul", "Div": "div", "Mod": "mod"}[name]
        kinds = (left.kind, right.kind)
        if "null" in kinds:
            return Typed("NULL", "NULL")
        if kinds == ("number", "number"):
            return self._reckoned(name, left, right)
        sign = {"Add": "+", "Sub": "-"}.get(name)
        if sign and kinds == ("date", "span"):
            return Typed(f"TRY(({left.sql} {sign} {right.sql})::DATE)", "DATE")
        if sign and kinds == ("instant", "span"):
            return Typed(f"TRY({left.sql} {sign} {right.sql})", "TIMESTAMPTZ")
        if sign and kinds == ("span", "span"):
            return Typed(f"TRY({left.sql} {sign} {right.sql})", "INTERVAL")
        if name == "Sub" and set(kinds) <= {"date", "instant"}:
            sides = [f"{one.sql}::TIMESTAMPTZ" for one in (left, right)]
            return Typed(f"TRY({sides[0]} - {sides[1]})", "INTERVAL")
        self._must(False, what, right if left.kind == "number" else left)
        raise AssertionError(what)

    @staticmethod
    def _reckoned(name: str, left: Typed, right: Typed) -> Typed:
        is_whole = left.type == right.type == "BIGINT"
        sign = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "//" if is_whole else "/", "Mod": "%"}[name]
        if is_whole:
            return Typed(f"TRY({left.sql} {sign} {right.sql})", "BIGINT")
        return Typed(f"TRY({left.sql}::DOUBLE {sign} {right.sql}::DOUBLE)", "DOUBLE")

    # functions
    def on_call(self, node: Any) -> Typed:
        name = node.func.full_name()
        if name not in FUNCTIONS or any(isinstance(arg, ast.NamedParam) for arg in node.args):
            raise unsupported(
                tr("{place}: {what} is not supported.", place=self.place, what=name), self.place
            )
        takes, gives, template = FUNCTIONS[name]
        args = [self._plain(arg) for arg in node.args]
        for arg, kinds in zip(args, takes, strict=False):
            self._must(arg.kind in kinds or arg.kind == "null", name, arg)
        if any(arg.kind == "null" for arg in args):
            return Typed("NULL", "NULL")
        if callable(template):
            sql = template(*(arg.sql for arg in args))
        else:
            sql = template.format(*(arg.sql for arg in args))
        if gives == "same":
            gives = args[0].type if args[0].type != "BIGINT" else "DOUBLE"
            sql = f"{sql}::{gives}"
        return Typed(f"TRY({sql})" if gives != "BOOLEAN" else sql, gives)


def _substring(whole: str, start: str, length: str = "") -> str:
    begin = f"greatest(({start})::BIGINT, 0) + 1"
    return (
        f"substr({whole}, {begin}, greatest(({length})::BIGINT, 0))"
        if length
        else f"substr({whole}, {begin})"
    )


_TEXT, _NUMBER, _DAY, _CLOCK = ("text",), ("number",), ("date", "instant"), ("instant", "time")
FUNCTIONS: dict[str, tuple[tuple[tuple[str, ...], ...], str, str | Callable[..., str]]] = {
    "contains": ((_TEXT, _TEXT), "BOOLEAN", "contains({0}, {1})"),
    "startswith": ((_TEXT, _TEXT), "BOOLEAN", "starts_with({0}, {1})"),
    "endswith": ((_TEXT, _TEXT), "BOOLEAN", "suffix({0}, {1})"),
    "matchesPattern": ((_TEXT, _TEXT), "BOOLEAN", "regexp_matches({0}, {1})"),
    "length": ((_TEXT,), "BIGINT", "length({0})"),
    "indexof": ((_TEXT, _TEXT), "BIGINT", "(strpos({0}, {1}) - 1)"),
    "substring": ((_TEXT, _NUMBER, _NUMBER), "VARCHAR", _substring),
    "tolower": ((_TEXT,), "VARCHAR", "lower({0})"),
    "toupper": ((_TEXT,), "VARCHAR", "upper({0})"),
    "trim": ((_TEXT,), "VARCHAR", "trim({0}, ' \t\n\r')"),
    "concat": ((_TEXT, _TEXT), "VARCHAR", "({0} || {1})"),
    "year": ((_DAY,), "BIGINT", "year({0})"),
    "month": ((_DAY,), "BIGINT", "month({0})"),
    "day": ((_DAY,), "BIGINT", "day({0})"),
    "hour": ((_CLOCK,), "BIGINT", "hour({0})"),
    "minute": ((_CLOCK,), "BIGINT", "minute({0})"),
    "second": ((_CLOCK,), "BIGINT", "second({0})"),
    "fractionalseconds": ((_CLOCK,), "DOUBLE", "(microsecond({0}) % 1000000 / 1e6)"),
    "date": ((_DAY,), "DATE", "({0})::DATE"),
    "time": ((_CLOCK,), "TIME", "({0})::TIME"),
    "totaloffsetminutes": ((("instant",),), "BIGINT", "({0} IS NOT NULL)::BIGINT * 0"),
    "totalseconds": ((("span",),), "DOUBLE", "epoch({0})"),
    "now": ((), "TIMESTAMPTZ", "now()"),
    "mindatetime": ((), "TIMESTAMPTZ", "'0001-01-01 00:00:00+00'::TIMESTAMPTZ"),
    "maxdatetime": ((), "TIMESTAMPTZ", "'9999-12-31 23:59:59.999999+00'::TIMESTAMPTZ"),
    "round": ((_NUMBER,), "same", "round({0})"),
    "floor": ((_NUMBER,), "same", "floor({0})"),
    "ceiling": ((_NUMBER,), "same", "ceil({0})"),
}
"""By name: the kinds of its arguments, the type of what it gives, and how DuckDB says it."""
