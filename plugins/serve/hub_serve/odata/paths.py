"""Addresses of the service: its root, and what the path below it names."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import unquote

from hub import model, tr
from hub_serve.app import place_of
from hub_serve.odata.options import parted
from hub_serve.refusals import Refused, bad

if TYPE_CHECKING:
    from starlette.requests import Request

ROOT = "/odata/v4/"
Keys = tuple[tuple[str, str], ...]
"""Columns with the literals that they have to have."""
_SEGMENT = re.compile(r"(\w+)(?:\((.*)\))?", re.DOTALL)
_LITERAL = re.compile(r"'(?:[^']|'')*'|[-+\w:.]+", re.DOTALL)


def root_of(request: Request) -> str:
    """Return the address of the service as the one who asks reaches it."""
    place = place_of(request)
    if place.address is not None:
        return place.root + ROOT
    scheme = "https" if place.speaks_tls else "http"
    return f"{scheme}://{request.headers.get('host', '')}{ROOT}"


def path_of(request: Request) -> str:
    """Return the path below the root as it was sent."""
    raw = request.scope.get("raw_path") or request.url.path.encode()
    path = raw.decode("ascii", "replace").partition("?")[0]
    return path[path.index(ROOT.rstrip("/")) + len(ROOT) - 1 :].strip("/")


def segments_of(path: str) -> list[str]:
    """Return the parts of *path*, which are parted before they are decoded. Raises `Refused`."""
    try:
        return [unquote(part, errors="strict") for part in path.split("/")] if path else []
    except UnicodeDecodeError as exc:
        raise bad(tr("{place} cannot be read: {text!r}.", place="URL", text=path[:80])) from exc


def named(segment: str) -> tuple[str, str | None]:
    """Return the name that *segment* is, and what stands in parentheses behind it. Raises `Refused`."""
    found = _SEGMENT.fullmatch(segment)
    if found is None:
        raise not_found(segment)
    if found[2] is not None and not found[2].strip():
        raise bad(tr("{place} cannot be read: {text!r}.", place="URL", text=segment[:80]), found[1])
    return found[1], found[2]


def keys_of(table: str, text: str, aliases: Mapping[str, str]) -> Keys:
    """Return the key that *text* in parentheses is, ``@name`` by *aliases*. Raises `Refused`."""
    columns = model().tables[table].key
    keys: dict[str, str] = {}
    parts = [part for _, part in parted(text, ",")]
    for part in parts:
        key, sign, value = part.partition("=")
        if not sign or key.strip().startswith("'"):
            key, value = columns[0], part
        keys[key.strip()] = aliases.get(value.strip(), value.strip())
    if set(keys) != set(columns) or len(keys) != len(parts):
        raise bad(tr("The key of {table} is {columns}.", table=table, columns=", ".join(columns)), table)
    for key, value in keys.items():
        if not _LITERAL.fullmatch(value):
            raise bad(tr("{place} cannot be read: {text!r}.", place=key, text=value[:80]), key)
    return tuple(keys.items())


def not_found(what: str) -> Refused:
    """Return that there is nothing called *what*."""
    return Refused(404, tr("There is no {what}.", what=what[:200]), what[:200])
