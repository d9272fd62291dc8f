"""Expressions of ``$filter``, ``$orderby``, ``$compute`` and ``$apply``, written as DuckDB's SQL.

Values are parameters, names are those of the model; nothing that somebody asks is SQL. What has
no value in a row, such as a division by 0, is null there.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, NoReturn, Protocol
from uuid import UUID

from odata_query import ast

from hub import tr
from hub_serve.expressions.functions import CASTS, DEFINED, KNOWN
from hub_serve.expressions.parsing import COUNT, does_not_exist, parsed
from hub_serve.expressions.typed import Typed
from hub_serve.expressions.values import Values
from hub_serve.refusals import Refused, bad, unsupported

DEEPEST = 60
"""Levels of an expression, beside chains of ``and`` and ``or``, which may be long."""
MOST_LAMBDAS = 4
"""Lambdas within one another."""


class Scope(Protocol):
    """What the names of an expression mean."""

    def named(self, path: tuple[str, ...]) -> Typed:
        """Return the column, or the row of a dimension, that *path* names. Raises `Refused`."""
        ...

    def members(self, path: tuple[str, ...], alias: str) -> Members:
        """Return the rows of the collection at the end of *path*, called *alias*. Raises `Refused`."""
        ...

    def count(self, path: tuple[str, ...]) -> Typed:
        """Return how many rows the collection at the end of *path* has. Raises `Refused`."""
        ...


class Members(Scope, Protocol):
    """The rows of a collection that belong to one row."""

    @property
    def source(self) -> str:
        """Return what stands after FROM, once all is named."""
        ...

    @property
    def belongs(self) -> str:
        """Return the condition that they belong to the row."""
        ...


def expression(text: str, scope: Scope, values: Values, place: str, *, old: bool = False) -> Typed:
    """Return the expression *text* of the option *place* as SQL; *old* knows the literals of version 3.

    Raises `Refused`.
    """
    return _Writer(scope, values, place).visit(parsed(text, place, old=old))  # type: ignore[no-any-return]


def condition(text: str, scope: Scope, values: Values, place: str, *, old: bool = False) -> str:
    """Return *text* as a condition for WHERE. Raises `Refused` where it is not true or false."""
    found = expression(text, scope, values, place, old=old)
    if found.kind not in {"truth", "null"}:
        raise bad(tr("{place}: {text!r} is neither true nor false.", place=place, text=text[:80]), place)
    return found.sql


class _Writer:
    """Writes a parsed expression as SQL that DuckDB types as the expression is."""

    def __init__(self, scope: Scope, values: Values, place: str) -> None:
        self.scope, self.values, self.place = scope, values, place
        self.depth = 0
        self.is_asserted = True
        """Whether NULL here counts as false, so that a comparison needs not say it."""
        self.variables: dict[str, Members] = {}
        self.lambdas = 0

    def visit(self, node: Any) -> Any:
        self.depth += 1
        if self.depth > DEEPEST:
            raise bad(tr("{place} is nested too deep.", place=self.place), self.place)
        try:
            write = getattr(self, f"on_{type(node).__name__.lower()}", self._other)
            return write(node)
        finally:
            self.depth -= 1

    def _other(self, node: Any) -> NoReturn:
        raise self._not_here(type(node).__name__)

    def _not_here(self, what: str) -> Refused:
        return unsupported(tr("{place}: {what} is not supported.", place=self.place, what=what), self.place)

    # names
    def on_identifier(self, node: Any) -> Typed:
        path = self._path(node)
        if path in _ENDLESS:
            return Typed(f"'{_ENDLESS[path]}'::DOUBLE", "DOUBLE")
        if path[-1] == COUNT and path[1:]:
            scope, path = self._scope_of(path[:-1])
            return scope.count(path)
        scope, path = self._scope_of(path)
        return scope.named(path)

    @staticmethod
    def _path(node: Any) -> tuple[str, ...]:
        return tuple(".".join((*node.namespace, node.name)).split("/"))

    def _scope_of(self, path: tuple[str, ...]) -> tuple[Scope, tuple[str, ...]]:
        """Return whose names *path* are, and what it says there."""
        return (self.variables[path[0]], path[1:]) if path[0] in self.variables else (self.scope, path)

    # collections
    def on_collectionlambda(self, node: Any) -> Typed:
        if len(self.variables) == MOST_LAMBDAS:
            raise bad(tr("{place} is nested too deep.", place=self.place), self.place)
        scope, path = self._scope_of(self._path(node.owner))
        self.lambdas += 1
        members = scope.members(path, f"m{self.lambdas}")
        is_all = isinstance(node.operator, ast.All)
        met = ""
        if node.lambda_ is not None:
            name = node.lambda_.identifier.name
            if name in self.variables:
                raise bad(tr("{place}: a name stands for two things.", place=self.place), self.place)
            before, self.is_asserted = self.is_asserted, not is_all
            self.variables[name] = members
            inner = self._truth(node.lambda_.expression).sql
            del self.variables[name]
            self.is_asserted = before
            met = f" AND NOT coalesce({inner}, false)" if is_all else f" AND {inner}"
        found = f"EXISTS (SELECT 1 FROM {members.source} WHERE {members.belongs}{met})"
        return Typed(f"(NOT {found})" if is_all else found, "BOOLEAN")

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
        return Typed(f"{self.values.add(str(self._value(node, UUID)))}::UUID", "UUID")

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
        except (ValueError, OverflowError, AttributeError) as exc:
            raise does_not_exist(node.val, self.place) from exc
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
        left, right = self._literal_as(left, right), self._literal_as(right, left)
        kinds = {left.kind, right.kind}
        if kinds == {"date", "instant"}:
            left, right = (
                one if one.kind == "instant" else Typed(f"{one.sql}::TIMESTAMPTZ", "TIMESTAMPTZ")
                for one in (left, right)
            )
        elif kinds == {"text", "id"}:
            left, right = (Typed(f"{one.sql}::VARCHAR", "VARCHAR") for one in (left, right))
        elif len(kinds - {"null"}) > 1 or kinds == {"entity"}:
            raise bad(
                tr(
                    "{place}: {left} and {right} cannot be compared.",
                    place=self.place, left=left.said, right=right.said,
                ),
                self.place,
            )  # fmt: skip
        return left, right

    def _literal_as(self, one: Typed, other: Typed) -> Typed:
        """Return a text that stands in the question as what it is held against, such as a duration."""
        made = _WRITTEN.get(other.kind)
        if made is None or one.kind != "text" or not re.fullmatch(r"\$p\d+::VARCHAR", one.sql):
            return one
        text = self.values.get(one.sql.removesuffix("::VARCHAR"))
        found: Typed = self.visit(made(text.upper() if made is ast.Duration else text))
        return found

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
        what = {"Add": "add", "Sub": "sub", "Mult": "mul", "Div": "div", "DivBy": "divby", "Mod": "mod"}[name]
        if left.kind in {"date", "instant"} and right.kind == "text":
            right = self._literal_as(right, Typed("", "INTERVAL"))
        kinds = (left.kind, right.kind)
        if "null" in kinds:
            return Typed("NULL::DOUBLE", "DOUBLE") if "number" in kinds else Typed("NULL", "NULL")
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
        is_whole = left.type == right.type == "BIGINT" and name != "DivBy"
        sign = {"Add": "+", "Sub": "-", "Mult": "*", "Div": "//" if is_whole else "/", "Mod": "%"}.get(
            name, "/"
        )
        if is_whole:
            return Typed(f"TRY({left.sql} {sign} {right.sql})", "BIGINT")
        return Typed(f"TRY({left.sql}::DOUBLE {sign} {right.sql}::DOUBLE)", "DOUBLE")

    # functions
    def on_call(self, node: Any) -> Typed:
        name = node.func.full_name()
        if name.lower() == "cast" and len(node.args) == 2:
            return self._cast(*node.args)
        function = KNOWN.get(name.lower())
        if function is None and name.lower() not in DEFINED and "." not in name:
            raise bad(tr("{place}: there is no {what}.", place=self.place, what=name), self.place)
        if function is None or any(isinstance(arg, ast.NamedParam) for arg in node.args):
            raise self._not_here(name)
        takes, gives, template, spared = function
        if not len(takes) - spared <= len(node.args) <= len(takes):
            raise bad(tr("{place}: {what} takes other arguments.", place=self.place, what=name), self.place)
        args = [self._plain(arg) for arg in node.args]
        for arg, kinds in zip(args, takes, strict=False):
            self._must(arg.kind in kinds or arg.kind == "null", name, arg)
        if any(arg.kind == "null" for arg in args):
            gives = "DOUBLE" if gives == "same" else gives
            return Typed(f"NULL::{gives}", gives)
        given = [arg.sql for arg in args]
        sql = template(*given) if callable(template) else template.format(*given)
        if gives == "same":
            gives = args[0].type if args[0].type != "BIGINT" else "DOUBLE"
            sql = f"{sql}::{gives}"
        return Typed(f"TRY({sql})" if gives != "BOOLEAN" else sql, gives)

    def _cast(self, what: Any, to: Any) -> Typed:
        name = ".".join((*to.namespace, to.name)) if isinstance(to, ast.Identifier) else "cast"
        if name.lower() not in CASTS:
            raise self._not_here(name)
        gives, kinds = CASTS[name.lower()]
        one = self._plain(what)
        if one.kind == "null":
            return Typed("NULL", "NULL")
        self._must(one.kind in kinds, "cast", one)
        return Typed(f"TRY_CAST({one.sql} AS {gives})", gives)


_ENDLESS = {("INF",): "infinity", ("NaN",): "nan"}
"""Numbers that are none; no column is called so."""
_WRITTEN = {"id": ast.GUID, "date": ast.Date, "instant": ast.DateTime, "span": ast.Duration}
"""How a value of each kind is read from its text."""
