"""What a field that somebody chose holds, whatever its type: texts, a number or a day, and whom it names."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub import tr
from hub_jira import wire
from hub_jira.fields import Kept
from hub_jira.sprints import sprints_of

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
SHOWN = ("label", "value", "name", "displayName", "title", "key", "objectKey")
"""What an object is called, best first: of Assets, options, versions, groups, issues."""
COUNTED = ("rating", "votes", "watchCount")
ASSETS = "com.atlassian.jira.plugins.cmdb:"
"""The schema of fields that name objects of Assets begins so; Cloud tells only their ids."""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """What a field holds, in one of three ways; *people* are those it names."""

    text: str | None = None
    number: float | None = None
    day: str | None = None
    people: tuple[wire.Person, ...] = ()


class Reader:
    """Reads values of fields by their schema.

    *account* names accounts as the store does. Instants are of the day that *zone* had, or their own offset.
    *objects* knows what objects of Assets are called, by `asset`.
    """

    def __init__(
        self, account: Callable[[wire.Person], str | None], zone: str | None, objects: Mapping[str, str]
    ) -> None:
        """Take what names accounts, the zone, and the objects."""
        self._account, self._zone, self._objects = account, zone, objects

    def read(self, field: Kept, value: Any) -> Value | None:
        """Return what *field* holds; None for nothing. Raises `ValueError` for a value of another type."""
        if not filled(value):
            return None
        match field.kind:
            case "number":
                return Value(number=number(value))
            case "date":
                return Value(day=day(value))
            case "datetime":
                return Value(day=day_of(value, self._zone))
        if field.custom.endswith(":gh-sprint"):
            return Value(text=joined(one.name or str(one.id) for one in sprints_of(value)))
        people: list[wire.Person] = []
        kind = field.items if field.kind == "array" else field.kind
        if isinstance(value, list):
            texts = [self._text(kind, one, people) for one in value if filled(one)]
            return Value(text=joined(texts), people=tuple(people)) if texts else None
        if (isinstance(value, dict) or kind == "any") and (counted := _counted(value)) is not None:
            return Value(number=counted)
        return Value(text=self._text(kind, value, people), people=tuple(people))

    def _text(self, kind: str, value: Any, people: list[wire.Person]) -> str:
        if isinstance(value, str) and kind != "user":
            return value
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, int | float) and kind != "user":
            return f"{value:g}" if isinstance(value, float) else str(value)
        if not isinstance(value, dict):
            raise ValueError(tr("it is of another type"))
        if kind == "user" or ("displayName" in value and "value" not in value):
            person = msgspec.convert(value, wire.Person)
            account = self._account(person)
            if account is None:
                raise ValueError(tr("it names nobody"))
            people.append(person)
            return account
        inner = value.get("requestType")
        object_ = asset(value)
        shown = self._objects.get(object_ or "") or called(inner if isinstance(inner, dict) else value)
        shown = shown or (object_ and object_.rpartition(":")[2])
        if shown is None:
            raise ValueError(tr("it is of another type"))
        below = value.get("child")
        return f"{shown} / {self._text(kind, below, people)}" if filled(below) else shown


def called(value: Mapping[str, Any]) -> str | None:
    """Return what an object is called."""
    shown = (value.get(one) for one in SHOWN)
    return next((one for one in shown if isinstance(one, str) and one), None)


def asset(value: Any) -> str | None:
    """Return by which words an object of Assets is known; None for another value."""
    if not isinstance(value, dict) or not isinstance(value.get("workspaceId"), str):
        return None
    native = value.get("objectId") or str(value.get("id") or "").rpartition(":")[2]
    return f"{value['workspaceId']}:{native}" if native else None


def joined(texts: Iterable[str]) -> str:
    """Join texts of a list; a comma inside one is followed by a no-break space, and does not part it."""
    return ", ".join(one.replace(", ", ",\u00a0") for one in texts)


def parted(text: str) -> list[str]:
    """Part what `joined` joined."""
    return text.split(", ") if text else []


def filled(value: Any) -> bool:
    """Say whether a field holds anything."""
    return (
        value is not None and value not in ("", [], {}) and not (isinstance(value, str) and value.isspace())
    )


def sampled(issues: Iterable[wire.Issue], names: tuple[str, ...]) -> Counter[str]:
    """Count the issues that have a value of each field."""
    pick, found = wire.picker(names), Counter[str]()
    for issue in issues:
        found.update(one for one, value in pick(issue.fields).items() if filled(value))
    return found


def _counted(value: Any) -> float | None:
    if isinstance(value, dict):
        value = next((value[one] for one in COUNTED if one in value), None)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def day(value: Any) -> str:
    """Return a day. Raises `ValueError` for another text."""
    if not isinstance(value, str) or not _DAY.match(value):
        raise ValueError(tr("it is not a day"))
    return value[:10]


def day_of(value: Any, name: str | None) -> str:
    """Return the day of an instant in the zone *name*, else where the stamp says."""
    try:
        moment = (
            datetime.fromtimestamp(value / 1000, UTC)
            if isinstance(value, int) and not isinstance(value, bool)
            else datetime.fromisoformat(value)
        )
    except (TypeError, ValueError, OverflowError) as exc:
        raise ValueError(tr("it is not an instant")) from exc
    known = zone(name) if name and moment.tzinfo else None
    return (moment.astimezone(known) if known else moment).date().isoformat()


def number(value: Any) -> float:
    """Take a number, also one that a text field holds. Raises `ValueError` for what is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(tr("it is not a number"))
    try:
        found = float(value)
    except (ValueError, OverflowError) as exc:
        raise ValueError(tr("it is not a number")) from exc
    if not math.isfinite(found):
        raise ValueError(tr("it is not a number"))
    return found


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo | None:
    """Return a zone by its name; None for one that is not known here."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None
