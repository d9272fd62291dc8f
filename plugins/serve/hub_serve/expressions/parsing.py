"""Expressions from text to a tree: odata-query reads them, and this room says what it is too narrow for.

Source: OASIS OData 4.01 part 2, 5.1.1; for old reports OData version 3.0 "URL conventions", 5.1.1 and 6.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date, datetime
from typing import Any

from odata_query import ast
from odata_query.exceptions import ODataException, ParsingException, TokenizingException
from odata_query.grammar import ODataLexer, ODataParser

from hub import tr
from hub_serve.refusals import Refused, bad, unsupported

LONGEST = 3000
"""Words of an expression."""
COUNT = "__count"
"""What ``$count`` of a collection is called in a tree."""
_UNKNOWN_TO_PARSER = re.compile(r"\$root\b|\$this\b|\bisof\s*\(|\bcase\s*\(|\s(?:has)\s", re.IGNORECASE)
_QUOTED = re.compile(r"'(?:[^']|'')*'")
_WORDS = frozenset({"ANY", "ALL", "NULL", "BOOLEAN"})
_RESERVED = frozenset({"any", "all", "null", "true", "false"})
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_DIVBY = re.compile(r"\sdivby\s", re.IGNORECASE)
_OLD_TYPED = re.compile(
    r"(?<!\w)(?P<kind>guid|datetimeoffset|datetime)'(?P<value>[^']*)'|'(?:[^']|'')*'", re.IGNORECASE
)
_GUID = re.compile(r"[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}", re.IGNORECASE)
_OLD_NUMBER = re.compile(
    r"(?<![\w'.-])(-?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?)[mldf](?![\w'.-])", re.IGNORECASE
)
_OLDEST = re.compile(
    r"(?<![\w'-])(0\d{3}-\d\d-\d\d)(T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?(?![\w:.-])"
)
_BARE_POINT = re.compile(r"(?<![\w'.])(-?)(\d*)\.(\d*)(?![\w'.-])")


class DivBy(ast.Div):
    """Division that gives a fraction of whole numbers too."""


def outside_quotes(text: str, change: Callable[[str], str]) -> str:
    """Return *text* with what stands outside its quoted texts changed."""
    found, at = [], 0
    for quoted in _QUOTED.finditer(text):
        found += [change(text[at : quoted.start()]), quoted[0]]
        at = quoted.end()
    return "".join([*found, change(text[at:])])


def parsed(text: str, place: str, *, old: bool = False) -> Any:
    """Return the tree of the expression *text* of the option *place*; *old* knows the literals of version 3.

    Raises `Refused`, naming the position.
    """
    text = _as_read(_modern(text, place) if old else text, place)
    if unknown := _UNKNOWN_TO_PARSER.search(_QUOTED.sub("''", text)):
        raise unsupported(
            tr("{place}: {what} is not supported.", place=place, what=unknown[0].strip(" (")), place
        )
    if not text:
        raise bad(tr("{place} is empty.", place=place), place)
    parser = ODataParser()
    # which functions there are is known where they are written
    parser._function_call = ast.Call  # type: ignore[method-assign]
    try:
        tokens = _mended(text, list(ODataLexer().tokenize(text)))
        if len(tokens) > LONGEST:
            raise bad(tr("{place} is too long.", place=place), place)
        return parser.parse(iter(tokens))
    except (TokenizingException, ParsingException) as exc:
        raise _unread(text, place, getattr(exc.token, "index", None)) from exc
    except ODataException as exc:
        raise _unread(text, place, None) from exc


def _unread(text: str, place: str, at: int | None) -> Refused:
    return bad(
        tr("{place} ends too early: {text!r}.", place=place, text=text[:80])
        if at is None
        else tr(
            "{place} cannot be read from position {at}: {text!r}.",
            place=place, at=at, text=text[at : at + 40],
        ),
        place,
    )  # fmt: skip


def _as_read(text: str, place: str) -> str:
    """Return *text* in words that the lexer knows, each at its position, years before 1000 apart."""

    def early(found: re.Match[str]) -> str:
        try:
            date.fromisoformat(found[1])
        except ValueError as exc:
            raise does_not_exist(found[0], place) from exc
        return f"cast('{found[0]}',Edm.{'DateTimeOffset' if found[2] else 'Date'})"

    def change(part: str) -> str:
        # a plus sign that nobody encoded came as a space: 2026-01-31T00:00:00 01:00
        part = re.sub(r"(T\d\d:\d\d[\d:.]*) (\d\d:\d\d)\b", r"\1+\2", part)
        part = _OLDEST.sub(early, part.replace("$it/", ""))
        return part.replace("/$count", f"/{COUNT}")

    return outside_quotes(text, change).strip()


def _modern(text: str, place: str) -> str:
    """Return *text* of version 3 with its literals as version 4 has them. Raises `Refused`."""

    def literal(found: re.Match[str]) -> str:
        if not found["kind"]:
            return found[0]
        value = found["value"]
        if found["kind"].lower() == "guid" and not _GUID.fullmatch(value):
            raise does_not_exist(value, place)
        if found["kind"].lower() != "guid":
            try:
                datetime.fromisoformat(value)
            except ValueError as exc:
                raise does_not_exist(value, place) from exc
        return value

    def number(part: str) -> str:
        part = _OLD_NUMBER.sub(r"\1", part)
        return _BARE_POINT.sub(
            lambda one: f"{one[1]}{one[2] or 0}.{one[3] or 0}" if one[2] + one[3] else one[0], part
        )

    return outside_quotes(_OLD_TYPED.sub(literal, text), number)


def does_not_exist(value: str, place: str) -> Refused:
    """Return that *value* in *place* looks like a value and is none, such as 31 February."""
    return bad(tr("{place}: {value} does not exist.", place=place, value=value[:40]), place)


def _mended(text: str, tokens: list[Any]) -> list[Any]:
    """Return *tokens* as the grammar of OData has them where the lexer is narrower.

    ``allocated_s`` is a name, not ``all`` and a name; ``not(`` needs no space; functions may be in capitals;
    a list may have one item; ``divby`` is an operator; a path is one name.
    """
    found: list[Any] = []
    upto = 0
    for token in tokens:
        if token.index < upto:
            continue
        word = _IDENTIFIER.match(text, token.index)
        if token.type in _WORDS and word and word[0].lower() not in _RESERVED:
            token.type, token.value, upto = "ODATA_IDENTIFIER", ast.Identifier(word[0]), word.end()
        if token.type == "WS" and (divby := _DIVBY.match(text, token.index + len(token.value) - 1)):
            token.type, token.value, upto = "DIV", DivBy(), divby.end()
        is_called = token.type == "(" and found and found[-1].type == "ODATA_IDENTIFIER"
        if is_called and found[-1].value.full_name().lower() == "not":
            found[-1].type, found[-1].value = "NOT", ast.Not()
        if token.type == "ODATA_IDENTIFIER" and [one.type for one in found[-2:]] == ["ODATA_IDENTIFIER", "/"]:
            found.pop()
            found[-1].value = ast.Identifier(f"{found[-1].value.full_name()}/{token.value.full_name()}")
            continue
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
