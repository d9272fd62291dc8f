"""System query options: read from the address, split into their parts, and refused where they are odd."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple
from urllib.parse import parse_qsl

import msgspec

from hub import tr
from hub_serve.expressions import outside_quotes
from hub_serve.refusals import bad, unsupported

KNOWN = frozenset(
    {
        "filter",
        "select",
        "orderby",
        "top",
        "skip",
        "count",
        "expand",
        "apply",
        "search",
        "format",
        "skiptoken",
        "compute",
    }
)
DEFINED = KNOWN | {
    "index", "levels", "schemaversion", "deltatoken", "id", "inlinecount", "query"
}  # fmt: skip
"""Options of OData; what is defined and not known here is refused as not supported."""
MOST, DEEPEST, MOST_ORDERS = 2**53, 4, 30
"""Of a number, of dimensions beside dimensions, and of items of ``$orderby``."""
_ALIAS = re.compile(r"@[A-Za-z_]\w*")


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """The options of one request by their names without ``$``, and what else stood in the address."""

    given: dict[str, str]
    others: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """Return the option *name*, None where it is not given."""
        return self.given.get(name)

    def whole(self, name: str) -> int | None:
        """Return the option *name* as a whole number that is not below 0. Raises `Refused`."""
        return _whole(self.given.get(name), f"${name}")

    def truth(self, name: str) -> bool:
        """Return the option *name*, which is true or false. Raises `Refused`."""
        value = self.given.get(name, "false").lower()
        if value not in {"true", "false"}:
            raise bad(
                tr("{place} is true or false, not {value!r}.", place=f"${name}", value=value), f"${name}"
            )
        return value == "true"

    def without(self, *names: str) -> list[tuple[str, str]]:
        """Return all that the address said but the options *names*."""
        listed = [(f"${key}", value) for key, value in self.given.items() if key not in names]
        return [*listed, *self.others]

    def only(self, names: Iterable[str]) -> None:
        """Raise `Refused` where an option beside *names* is given: it means nothing here."""
        for key in self.given:
            if key not in names:
                raise bad(tr("{place} means nothing here.", place=f"${key}"), f"${key}")


def asked_of(query: str) -> Asked:
    """Return the options of the query *query* of an address.

    Names may lack their ``$`` and be in capitals (URL conventions 4.01, 5.1). ``@name`` stands for the
    value that the address gives it. Raises `Refused`.
    """
    given: dict[str, str] = {}
    others: list[tuple[str, str]] = []
    aliases: dict[str, str] = {}
    for key, value in parse_qsl(query, keep_blank_values=True):
        name = key.removeprefix("$").lower()
        if key.startswith("$") and name not in DEFINED:
            raise bad(tr("{place} is no option of OData.", place=key), key)
        if name in DEFINED and (key.startswith("$") or name in KNOWN):
            if name not in KNOWN:
                raise unsupported(tr("{place}: {what} is not supported.", place="URL", what=key), key)
            if name in given:
                raise bad(tr("{place} stands twice in the address.", place=key), key)
            given[name] = outside_quotes(value, lambda part: re.sub(r"\s+", " ", part))
        elif key.startswith("@"):
            aliases[key] = value
        else:
            others.append((key, value))
    if aliases:
        given = {
            key: outside_quotes(value, lambda part: _ALIAS.sub(lambda m: aliases.get(m[0], m[0]), part))
            for key, value in given.items()
        }
        others += aliases.items()
    return Asked(given=given, others=tuple(others))


def parted(text: str, sign: str) -> Iterator[tuple[int, str]]:
    """Give the parts of *text* between *sign*, with their positions.

    *sign* within parentheses or quotes parts nothing.
    """
    depth, begin, quote = 0, 0, False
    for at, letter in enumerate(text):
        if letter == "'":
            quote = not quote
        elif quote:
            continue
        elif letter == "(":
            depth += 1
        elif letter == ")":
            depth -= 1
        elif letter == sign and depth == 0:
            yield begin, text[begin:at]
            begin = at + 1
    yield begin, text[begin:]


class Item(NamedTuple):
    """One item of ``$orderby``: an expression and which way."""

    text: str
    descends: bool


def ordered(text: str | None, place: str = "$orderby") -> list[Item]:
    """Return the items of ``$orderby``, or of the same in the option *place*. Raises `Refused`."""
    found = []
    for _, part in parted(text, ",") if text is not None else ():
        match = re.fullmatch(r"\s*(.+?)(?:\s+(asc|desc))?\s*", part, re.IGNORECASE | re.DOTALL)
        if match is None:
            raise bad(tr("{place} has an empty item.", place=place), place)
        found.append(Item(match[1], (match[2] or "").lower() == "desc"))
        if len(found) > MOST_ORDERS:
            raise bad(tr("{place} is too long.", place=place), place)
    return found


EVERY = "*"
"""What stands for all ways that a row has."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is shown of a row: *names* of properties, None for all, and which rows beside.

    *asked* are the other options of rows beside, of which only a collection has any; where it *only_counts*
    they are counted and not shown.
    """

    names: tuple[str, ...] | None = None
    beside: dict[str, Wanted] = {}
    asked: dict[str, str] = {}
    only_counts: bool = False

    @property
    def context(self) -> str:
        """Return how a context address tells it (protocol 4.01, 10.7)."""
        beside = [
            f"{name}({one.context[1:-1] if one.context else ''})"
            for name, one in self.beside.items() if not one.only_counts
        ]  # fmt: skip
        listed = [*(self.names or ()), *beside]
        return f"({','.join(listed)})" if listed else ""


def wanted(select: str | None, expand: str | None, *, depth: int = 0) -> Wanted:
    """Return what ``$select`` and ``$expand`` ask for. Raises `Refused`."""
    return Wanted(names=_selected(select), beside=_expanded(expand, depth))


def _selected(text: str | None) -> tuple[str, ...] | None:
    if text is None:
        return None
    names = [part.strip() for _, part in parted(text, ",")]
    for name in names:
        if not re.fullmatch(r"\*|[\w/]+", name):
            raise bad(tr("{place} cannot be read: {text!r}.", place="$select", text=name[:80]), "$select")
    return None if "*" in names else tuple(dict.fromkeys(names))


_EXPAND = re.compile(r"\s*(\*|\w+)((?:/[$\w]+)?)\s*(?:\((.*)\))?\s*", re.DOTALL)
_INNER = frozenset({"select", "expand", "filter", "orderby", "top", "skip", "count", "search", "compute"})
_THE_ROW = re.compile(r"(?:[^']|'[^']*')*?\$it\b")
_COUNTED = frozenset({"filter", "search"})
"""Options of a collection beside a row, and of one that is only counted."""


def _expanded(text: str | None, depth: int) -> dict[str, Wanted]:
    found: dict[str, Wanted] = {}
    if depth > DEEPEST:
        raise bad(tr("{place} is nested too deep.", place="$expand"), "$expand")
    for _, part in parted(text, ",") if text is not None else ():
        match = _EXPAND.fullmatch(part)
        if match is None:
            raise bad(tr("{place} cannot be read: {text!r}.", place="$expand", text=part[:80]), "$expand")
        name, after = match[1], match[2].lower()
        if after not in {"", "/$count"} or (name == EVERY and (after or match[3])):
            raise unsupported(
                tr("{place}: {what} is not supported.", place="$expand", what=part.strip()[:40]), "$expand"
            )
        if name in found:
            raise bad(tr("{place}: a name stands for two things.", place="$expand"), "$expand")
        found[name] = _inner(match[3] or "", depth + 1, only_counts=after != "")
    return found


def _inner(text: str, depth: int, *, only_counts: bool) -> Wanted:
    given: dict[str, str] = {}
    for _, part in parted(text, ";"):
        if not part.strip():
            continue
        key, _, value = part.partition("=")
        name = key.strip().removeprefix("$").lower()
        if name not in DEFINED:
            raise bad(tr("{place} is no option of OData.", place=key.strip()), "$expand")
        if name not in (_COUNTED if only_counts else _INNER):
            raise unsupported(
                tr("{place}: {what} is not supported.", place="$expand", what=key.strip()), "$expand"
            )
        if name in given:
            raise bad(tr("{place} stands twice in the address.", place=key.strip()), "$expand")
        given[name] = value
        if name != "expand" and _THE_ROW.search(value):  # the row that the address names, not this one
            raise unsupported(tr("{place}: {what} is not supported.", place="$expand", what="$it"), "$expand")
    shown = wanted(given.get("select"), given.get("expand"), depth=depth)
    return msgspec.structs.replace(shown, asked=given, only_counts=only_counts)


def searched_terms(text: str) -> list[list[tuple[bool, str]]]:
    """Return ``$search`` as alternatives, each a list of words that are there, or not there (False).

    A phrase stands in double quotes; words side by side are all wanted. Raises `Refused`.
    """
    words = re.findall(r'"((?:[^"\\]|\\.)*)"|(\(|\)|[^\s()"]+)', text)
    if not words or text.count('"') % 2:
        raise bad(tr("{place} cannot be read: {text!r}.", place="$search", text=text[:80]), "$search")
    either: list[list[tuple[bool, str]]] = [[]]
    is_wanted = True
    for phrase, word in words:
        if word in {"(", ")"}:
            raise unsupported(tr("{place}: {what} is not supported.", place="$search", what="()"), "$search")
        if word == "OR":
            either.append([])
        elif word == "NOT":
            is_wanted = False
        elif word != "AND":
            either[-1].append((is_wanted, re.sub(r"\\(.)", r"\1", phrase) or word))
            is_wanted = True
    if not is_wanted or not all(either):
        raise bad(tr("{place} cannot be read: {text!r}.", place="$search", text=text[:80]), "$search")
    return either


def _whole(value: str | None, place: str) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"\d{1,20}", value.strip(), re.ASCII):
        raise bad(
            tr("{place} is a whole number from 0 on, not {value!r}.", place=place, value=value[:40]), place
        )
    return min(int(value), MOST)
