"""What does not fit the language of mappings, said with its line, its list and what would fit."""

from __future__ import annotations

import re
from typing import Any, get_args, get_type_hints

import msgspec

from hub import choices_of, did_you_mean, tr, wanted_by
from hub_rest.checking import Lines, Spot
from hub_rest.mapping import Field, Mapping

_PART = re.compile(r"(\w+)|\[(\d+|\.\.\.)\]")


def misfit(said: str, raw: dict[str, Any], lines: Lines, where: str) -> str:
    """Return a sentence for what msgspec *said* of the plain values *raw* of a mapping."""
    what, _, place = said.partition(" - at `$")
    names, path, here = _located(place.rstrip("`"), raw)
    key = re.search(r"`([^`]+)`", what)
    is_unknown, is_missing = "unknown field" in what, "missing required" in what
    at = path if is_missing or not is_unknown or key is None else (*path, key[1])
    number = path[0] if path and isinstance(path[0], int) else None
    spot = Spot(where, lines, _name(raw, number), at)
    if key is not None and is_unknown:
        return tr(
            "{place}: unknown key {key!r}{suggest}", place=spot, key=key[1], suggest=_close(key[1], names)
        )
    if key is not None and is_missing:
        return tr("{place}: the key {key!r} is missing.", place=spot, key=key[1])
    label = ".".join(f"{one}" for one in path if not isinstance(one, int))
    if "enum" in what:
        allowed = [f"{one}" for one in choices_of(_hint(names))]
        return tr(
            "{place}: {key} cannot be {value!r}{suggest}",
            place=spot,
            key=label,
            value=here,
            suggest=did_you_mean(f"{here}", allowed),
        )
    wanted = wanted_by(what)
    if wanted is not None:
        return tr(
            "{place}: {key} is {value!r}; it is to be {wanted}.",
            place=spot,
            key=label,
            value=f"{here}"[:60],
            wanted=wanted,
        )
    return f"{spot}: {label}: {what}."


def _located(place: str, raw: Any) -> tuple[list[str], tuple[Any, ...], Any]:
    """Return the names of the language down to *place*, the names of the mapping, and what stands there."""
    names: list[str] = []
    path: list[Any] = []
    here = raw
    for name, index in _PART.findall(place):
        if name:
            names.append(name)
            here = here.get(name) if isinstance(here, dict) else None
            if name not in {"list", "record", "fields"}:
                path.append(name)
        elif index == "...":
            path.append(one := _odd(here, names[-1]))
            here = here.get(one) if isinstance(here, dict) else None
        else:
            here = here[int(index)] if isinstance(here, list) and int(index) < len(here) else None
            path.append(int(index))
    return names, tuple(path), here


def _odd(table: Any, name: str) -> str:
    """Return the name of the first thing in a table that does not fit."""
    kind = Field | str if name == "fields" else str
    for one, value in table.items() if isinstance(table, dict) else ():
        try:
            msgspec.convert(value, kind)
        except msgspec.ValidationError:
            return f"{one}"
    return name


def _name(raw: dict[str, Any], number: int | None) -> str | None:
    one = raw["list"][number] if number is not None else None
    return f"{one.get('name', '?')}" if isinstance(one, dict) else None


def _struct(hint: Any) -> Any:
    """Return the Struct that a type is, or is made of."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return hint
    return next(filter(None, map(_struct, get_args(hint))), None)


def _hint(names: list[str]) -> Any:
    """Return the type of what the language has at *names*."""
    hint: Any = Mapping
    for name in names:
        cls = _struct(hint)
        hint = get_type_hints(cls).get(name) if cls else None
    return hint


def _close(key: str, names: list[str]) -> str:
    cls = _struct(_hint(names))
    return did_you_mean(key, [name for name in cls.__struct_fields__ if name != key] if cls else [])
