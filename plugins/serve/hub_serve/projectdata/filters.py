"""Filters of OData, in the forms of version 3 and of version 4, as SQL with the values as parameters.

Source: OData version 3.0 "URL conventions", 5.1.1 and 6 (literals), and OASIS OData 4.01 part 2, 5.1.1.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

import msgspec

from hub import tr
from hub_serve.projectdata.sets import Edm

Kind = Literal["number", "text", "guid", "moment", "flag", "null"]
_KINDS: dict[Edm, Kind] = {
    "Boolean": "flag",
    "Byte": "number",
    "DateTime": "moment",
    "Decimal": "number",
    "Double": "number",
    "Guid": "guid",
    "Int16": "number",
    "Int32": "number",
    "String": "text",
}
_CAST: dict[Kind, str] = {
    "number": "",
    "text": "::VARCHAR",
    "guid": "::UUID",
    "moment": "::TIMESTAMP",
    "flag": "::BOOLEAN",
    "null": "",
}
_GUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_TOKEN = re.compile(
    r"\s*(?:"
    r"(?P<typed>(?:guid|datetimeoffset|datetime)'(?:[^']|'')*')"
    r"|(?P<text>'(?:[^']|'')*')"
    rf"|(?P<guid>{_GUID}(?![\w-]))"
    r"|(?P<moment>\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)"
    r"|(?P<number>-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[mMlLdDfF]?(?![\w.]))"
    r"|(?P<name>[A-Za-z_]\w*(?:/\w+)*)"
    r"|(?P<sign>[(),])"
    r")"
)
_COMPARE = {
    "eq": "IS NOT DISTINCT FROM",
    "ne": "IS DISTINCT FROM",
    "gt": ">",
    "ge": ">=",
    "lt": "<",
    "le": "<=",
}
_FUNCTIONS: dict[str, tuple[tuple[Kind, ...], Kind, str]] = {
    "substringof": (("text", "text"), "flag", "contains({1}, {0})"),
    "contains": (("text", "text"), "flag", "contains({0}, {1})"),
    "startswith": (("text", "text"), "flag", "starts_with({0}, {1})"),
    "endswith": (("text", "text"), "flag", "ends_with({0}, {1})"),
    "tolower": (("text",), "text", "lower({0})"),
    "toupper": (("text",), "text", "upper({0})"),
    "trim": (("text",), "text", "trim({0})"),
    "length": (("text",), "number", "length({0})"),
    "concat": (("text", "text"), "text", "({0} || {1})"),
    "indexof": (("text", "text"), "number", "(strpos({0}, {1}) - 1)"),
    "year": (("moment",), "number", "year({0})"),
    "month": (("moment",), "number", "month({0})"),
    "day": (("moment",), "number", "day({0})"),
    "hour": (("moment",), "number", "hour({0})"),
    "minute": (("moment",), "number", "minute({0})"),
    "second": (("moment",), "number", "second({0})"),
    "round": (("number",), "number", "round({0})"),
    "floor": (("number",), "number", "floor({0})"),
    "ceiling": (("number",), "number", "ceil({0})"),
}
DEPTH = 50
"""How deep a filter may nest."""


class Refused(Exception):
    """A question that is not answered: with what *status*, and why."""

    def __init__(self, status: int, text: str) -> None:
        """Say *text* with *status*."""
        super().__init__(text)
        self.status, self.text = status, text


class Part(msgspec.Struct, frozen=True):
    """A part of a filter as SQL, what kind of value it is, and its parameters in their order."""

    sql: str
    kind: Kind
    values: tuple[Any, ...] = ()


def condition(text: str, columns: Mapping[str, Edm]) -> Part:
    """Return the filter *text* on *columns* as a condition. Raises `Refused`, naming the place."""
    reader = _Reader(text, columns)
    found = reader.whole()
    if found.kind != "flag":
        raise reader.wrong(tr("a filter is true or false"))
    return found


def literal(text: str, column: str, kind: Edm) -> Part:
    """Return the literal *text* of a key as a value of *column*. Raises `Refused`."""
    return condition(f"{column} eq {text}", {column: kind})


class _Reader:
    """Reads one filter from left to right."""

    def __init__(self, text: str, columns: Mapping[str, Edm]) -> None:
        self.text, self.columns = text, columns
        self.at, self.depth = 0, 0

    def wrong(self, why: str, status: int = 400) -> Refused:
        return Refused(status, tr("$filter, at {place}: {why}.", place=self.at + 1, why=why))

    def whole(self) -> Part:
        found = self.either()
        if self.text[self.at :].strip():
            raise self.wrong(tr("{rest!r} was not expected", rest=self.text[self.at :].strip()[:40]))
        return found

    def peek(self) -> tuple[str, str]:
        found = _TOKEN.match(self.text, self.at)
        return (found.lastgroup or "", found.group(found.lastgroup or 0)) if found else ("", "")

    def take(self) -> tuple[str, str]:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            rest = self.text[self.at :].strip()
            raise self.wrong(
                tr("{rest!r} cannot be read", rest=rest[:40]) if rest else tr("something is missing")
            )
        self.at = found.end()
        return found.lastgroup or "", found.group(found.lastgroup or 0)

    def takes(self, word: str) -> bool:
        if self.peek()[1] == word:
            self.take()
            return True
        return False

    def must(self, sign: str) -> None:
        if not self.takes(sign):
            raise self.wrong(tr("{sign!r} is missing", sign=sign))

    def either(self) -> Part:
        return self._joined("or", self.both)

    def both(self) -> Part:
        return self._joined("and", self.negated)

    def _joined(self, word: str, one: Callable[[], Part]) -> Part:
        self.depth += 1
        if self.depth > DEPTH:
            raise self.wrong(tr("it nests too deep"))
        found = one()
        while self.takes(word):
            more = one()
            for each in (found, more):
                self._must_be(each, "flag")
            found = Part(f"({found.sql} {word.upper()} {more.sql})", "flag", found.values + more.values)
        self.depth -= 1
        return found

    def negated(self) -> Part:
        turns = 0
        while self.takes("not"):
            turns += 1
        found = self.compared()
        if not turns:
            return found
        self._must_be(found, "flag")
        return Part(f"(NOT {found.sql})", "flag", found.values) if turns % 2 else found

    def compared(self) -> Part:
        left = self.value()
        group, word = self.peek()
        if group != "name" or word in {"and", "or"}:
            return left
        if word not in _COMPARE:
            raise self.wrong(tr("{word} is not supported", word=word), 501 if word in _NOT_YET else 400)
        self.take()
        right = self.value()
        left, right = self._alike(left, right)
        return Part(f"({left.sql} {_COMPARE[word]} {right.sql})", "flag", left.values + right.values)

    def _alike(self, left: Part, right: Part) -> tuple[Part, Part]:
        if "null" in {left.kind, right.kind} or left.kind == right.kind:
            return left, right
        for one, other in ((left, right), (right, left)):  # an id or a moment written as a text
            if one.kind == "text" and one.values and other.kind in {"guid", "moment"}:
                made = self._typed(other.kind, str(one.values[0]))
                return (made, other) if one is left else (other, made)
        raise self.wrong(tr("a {left} is not comparable with a {right}", left=left.kind, right=right.kind))

    def _must_be(self, part: Part, kind: Kind) -> None:
        if part.kind not in {kind, "null"}:
            raise self.wrong(tr("a {kind} was expected, not a {found}", kind=kind, found=part.kind))

    def value(self) -> Part:
        group, word = self.take()
        match group:
            case "sign" if word == "(":
                found = self.either()
                self.must(")")
                return found
            case "typed":
                name, _, rest = word.partition("'")
                return self._typed("guid" if name == "guid" else "moment", rest[:-1].replace("''", "'"))
            case "text":
                return _given("text", word[1:-1].replace("''", "'"))
            case "guid" | "moment":
                return self._typed("guid" if group == "guid" else "moment", word)
            case "number":
                return self._number(word)
            case "name":
                return self._named(word)
        raise self.wrong(tr("{rest!r} was not expected", rest=word))

    def _named(self, word: str) -> Part:
        if self.takes("("):
            return self._called(word)
        if word in {"true", "false"}:
            return _given("flag", word == "true")
        if word == "null":
            return Part("NULL", "null")
        if word not in self.columns:
            raise self.wrong(tr("there is no column {name}", name=word))
        return Part(f'"{word}"', _KINDS[self.columns[word]])

    def _called(self, name: str) -> Part:
        if name not in _FUNCTIONS:
            raise self.wrong(tr("the function {name} is not supported", name=name), 501)
        kinds, kind, sql = _FUNCTIONS[name]
        parts = []
        for place, wanted in enumerate(kinds):
            if place:
                self.must(",")
            part = self.either()
            self._must_be(part, wanted)
            parts.append(part)
        self.must(")")
        order = (1, 0) if name == "substringof" else range(len(parts))
        values = tuple(value for place in order for value in parts[place].values)
        return Part(sql.format(*(part.sql for part in parts)), kind, values)

    def _number(self, word: str) -> Part:
        try:
            return _given("number", Decimal(word.rstrip("mMlLdDfF")))
        except InvalidOperation as exc:
            raise self.wrong(tr("{rest!r} was not expected", rest=word)) from exc

    def _typed(self, kind: Kind, text: str) -> Part:
        try:
            if kind == "guid":
                return _given("guid", uuid.UUID(text))
            moment = datetime.fromisoformat(text)
            return _given("moment", moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment)
        except (ValueError, OverflowError) as exc:
            raise self.wrong(tr("{text!r} is no {kind}", text=text[:40], kind=kind)) from exc


_NOT_YET = {"add", "sub", "mul", "div", "mod", "has", "in"}


def _given(kind: Kind, value: Any) -> Part:
    if isinstance(value, Decimal):
        return Part("?::DOUBLE", kind, (float(value),))
    return Part(f"?{_CAST[kind]}", kind, (value,))
