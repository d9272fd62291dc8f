"""Make settings of what a person wrote, and say what is wrong with it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import msgspec

from hub.errors import ConfigError
from hub.secrets import Secret, to_secret
from hub.words import tr

T = TypeVar("T")


def is_zone(text: str) -> bool:
    """Say whether *text* is a time zone of the IANA database."""
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError):
        return False
    return True


def convert(values: Any, cls: type[T], *, where: str, base: Path) -> T:
    """Make a settings Struct of plain *values*.

    Raises `ConfigError` naming *where*, the key and the known keys.
    """

    def dec_hook(wanted: type, value: Any) -> Any:
        if wanted is Secret:
            return to_secret(value, base=base)
        raise NotImplementedError(f"settings of type {wanted} are not supported")

    known = tuple(getattr(cls, "__struct_fields__", ()))
    try:
        return msgspec.convert(values, cls, dec_hook=dec_hook)
    except msgspec.ValidationError as exc:
        text = str(exc)
        if match := re.search(r"unknown field `([^`]+)`(?: - at `\$(.*)`)?", text):
            key, inside = match.group(1), match.group(2)
            if inside:
                raise ConfigError(
                    tr(
                        "{where}: unknown key {key!r} in {inside}.",
                        where=where,
                        key=key,
                        inside=inside.strip("."),
                    )
                ) from exc
            raise ConfigError(
                tr(
                    "{where}: unknown key {key!r}{suggest}",
                    where=where,
                    key=key,
                    suggest=did_you_mean(key, [k for k in known if k != "name"]),
                )
            ) from exc
        if match := re.search(r"missing required field `([^`]+)`(?: - at `\$(.*)`)?", text):
            inside = tr(" in {section}", section=match.group(2).strip(".")) if match.group(2) else ""
            raise ConfigError(
                tr(
                    "{where}: the key {key!r} is missing{inside}.",
                    where=where,
                    key=match.group(1),
                    inside=inside,
                )
            ) from exc
        raise ConfigError(f"{where}: {_unfit(text, values, cls)}") from exc


def _unfit(text: str, values: Any, cls: type[Any]) -> str:
    """Say what msgspec found of a value; a text is not shown, which may be a secret in the wrong place."""
    said, _, place = text.partition(" - at `$")
    place = place.strip(".`")
    key = place or tr("the table")
    here = values.get(place) if isinstance(values, dict) else None
    if enum := re.match(r"Invalid enum value (.*)", said):
        known = choices_of(get_type_hints(cls).get(re.split(r"\W", place)[0]))
        return tr(
            "{key} cannot be {value}{suggest}",
            key=key,
            value=enum[1],
            suggest=did_you_mean(enum[1].strip("'"), known),
        )
    wanted = wanted_by(said)
    if wanted is None:
        return f"{key}: {said}."
    if isinstance(here, (int, float)):
        percent = re.search(r"<= 1\.0$", said) is not None and 1 < here <= 100
        hint = tr(" {percent:g} % is written {share:g}.", percent=here, share=here / 100) if percent else ""
        return tr("{key} is {value!r}; it is to be {wanted}.", key=key, value=here, wanted=wanted) + hint
    return tr("{key} is to be {wanted}.", key=key, wanted=wanted)


def wanted_by(said: str) -> str | None:
    """Return what msgspec wants, by its message *said*, in words; None where it wants what has none."""
    if pattern := re.fullmatch(r"Expected `str` matching regex '(.+)'", said):
        return tr("a text that matches {pattern}", pattern=pattern[1])
    found = re.fullmatch(r"Expected `([^`]+)`(?:, got .*| (>=|<=|>|<) (\S+))?", said)
    if found is None:
        return None
    kinds, sign, bound = found.groups()
    words = {
        "int": tr("a whole number, without quotes"),
        "float": tr("a number, without quotes"),
        "str": tr("a text, in quotes"),
        "bool": tr("true or false, without quotes"),
        "object": tr("a table, in braces"),
        "array": tr("a list, in brackets"),
    }
    wanted = tr(" or ").join(words.get(one, one) for one in kinds.split(" | ") if one != "null")
    if sign is None:
        return wanted
    limit = f"{float(bound):g}"
    return {
        ">=": tr("at least {limit}", limit=limit),
        "<=": tr("at most {limit}", limit=limit),
        ">": tr("above {limit}", limit=limit),
        "<": tr("below {limit}", limit=limit),
    }[sign]


def choices_of(hint: Any) -> tuple[Any, ...]:
    """Return the values that a type allows by name; none where it may be any."""
    if get_origin(hint) is Literal:
        return get_args(hint)
    return tuple(one for inner in get_args(hint) for one in choices_of(inner))


def did_you_mean(key: str, known: Iterable[Any]) -> str:
    """Return what goes on after a word that is not *known*: what it may have meant, and all there are."""
    names = sorted(map(str, known))
    close = difflib.get_close_matches(key, names, n=1)
    hint = tr(" Did you mean {close!r}?", close=close[0]) if close else ""
    return tr(".{hint} Known: {names}.", hint=hint, names=", ".join(names))
