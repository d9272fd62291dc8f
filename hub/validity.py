"""Say what is wrong with a record before it is stored: types, ranges, days, stamps in UTC, its own id.

The rules are those of the fields themselves (`hub.columns.Column` and the types of the record). They are
held by a Struct that msgspec checks in C, so that a right record costs next to nothing.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from datetime import date, datetime
from operator import attrgetter
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec

from hub.columns import Column, columns_of
from hub.records import Record
from hub.words import mark, tr

MOST_SECONDS = 3_600_000_000_000
"""A thousand million hours: more than all people of a company work in a life."""
MOST_MINOR = 10**17
"""Of an amount, in minor units: more than the world produces in a year."""
MOST_NUMBER = 1e15
"""Of any other number: up to here each whole one has its own value in a REAL of SQLite."""
_MOST_INTEGER = 2**53
MOST_ID = 600
"""Letters of an id: more than 2,704 bytes no index of PostgreSQL takes, and a letter has up to four."""
_STAMP = mark("is not an instant in UTC such as 2026-10-31T18:00:00Z")
_STAMP_LENGTH = len("2026-10-31T18:00:00Z")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong with one *field* of a record, and the value it has."""

    field: str
    value: Any
    reason: str


_KINDS: dict[str, Any] = {
    "day": date,
    "instant": datetime,
    "month": Annotated[str, msgspec.Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")],
    "currency": Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")],
}


def all_right(records: Sequence[Record], prefix: str) -> bool:
    """Say whether nothing is wrong with *records*, all of one type, whose ids must begin with *prefix*."""
    twins, stamps = _twins(type(records[0])), _twin(type(records[0]))[1]
    try:
        msgspec.convert(records, twins, from_attributes=True)
        if not all(one.id.startswith(prefix) and len(prefix) < len(one.id) <= MOST_ID for one in records):
            return False
    except (msgspec.ValidationError, OverflowError, AttributeError):
        return False
    return not any(
        _is_no_stamp(value)
        for field in stamps
        for value in map(attrgetter(field), records)
        if value is not None
    )


def fault(record: Record, prefix: str) -> Fault | None:
    """Return what is wrong with *record*, whose id must begin with *prefix*; None where all is right."""
    id_ = record.id
    if not isinstance(id_, str) or not id_.startswith(prefix) or len(id_) == len(prefix):
        why = tr("an id of this source begins with {prefix!r}", prefix=prefix)
        return Fault(field="id", value=id_, reason=why)
    if len(id_) > MOST_ID:
        why = tr("an id has {most} letters at most, and this one {count}", most=MOST_ID, count=len(id_))
        return Fault(field="id", value=id_, reason=why)
    twin, stamps = _twin(type(record))
    try:
        msgspec.convert(record, twin, from_attributes=True)
    except (msgspec.ValidationError, OverflowError) as exc:
        return _located(record, str(exc))
    for field in stamps:
        value = getattr(record, field)
        if value is not None and _is_no_stamp(value):
            return Fault(field=field, value=value, reason=tr(_STAMP))
    return None


def _is_no_stamp(value: str) -> bool:
    """Say whether a text that msgspec takes for an instant is none as the store keeps it."""
    return value[-1] != "Z" or value[10] != "T" or len(value) < _STAMP_LENGTH


def _located(record: Record, said: str) -> Fault:
    """Find the field that msgspec's sentence is about."""
    reason, _, place = said.rpartition(" - at `$.")
    field = place.rstrip("`").partition("[")[0].partition(".")[0]
    if not field:
        return Fault(field="", value=None, reason=said)
    return Fault(field=field, value=getattr(record, field, None), reason=_in_words(record, field, reason))


def _in_words(record: Record, field: str, reason: str) -> str:
    column, value = columns_of(type(record))[field], getattr(record, field, None)
    if value is None:
        return tr("{field} may not be empty", field=field)
    if isinstance(value, float) and not math.isfinite(value):
        return tr("is not a number")
    match column.kind:
        case "day":
            return tr("is not a day such as 2026-10-31")
        case "instant":
            return tr(_STAMP)
        case "month":
            return tr("is not a month such as 2026-10")
        case "currency":
            return tr("is not the code of a currency such as EUR")
        case "seconds" | "minor" | "integer" | "number" | "share" | "percent":
            if isinstance(value, int | float) and not isinstance(value, bool):
                return tr("is out of range ({reason})", reason=reason.lower())
    return reason.lower()


@functools.cache
def _twins(record: type[Record]) -> Any:
    return list[_twin(record)[0]]  # type: ignore[misc]


@functools.cache
def _twin(record: type[Record]) -> tuple[type[msgspec.Struct], tuple[str, ...]]:
    """Return the Struct that checks *record*, and the fields that are stamps, whose zone it does not."""
    hints = get_type_hints(record)
    fields, stamps = [], []
    for name, column in columns_of(record).items():
        hint = hints[name]
        is_optional = type(None) in get_args(hint)
        kind = _checked(hint, column)
        fields.append((name, Union[kind, None] if is_optional else kind))  # noqa: UP007 - of a value
        if column.kind == "instant":
            stamps.append(name)
    return msgspec.defstruct(f"{record.__name__}Checked", fields, kw_only=True), tuple(stamps)


def _checked(hint: Any, column: Column) -> Any:
    """Return the type by which msgspec checks a column."""
    if column.kind in _KINDS:
        return _KINDS[column.kind]
    plain = [one for one in (get_args(hint) or (hint,)) if one is not type(None)]
    if get_origin(hint) is Literal:
        return hint
    (plain_type,) = plain if len(plain) == 1 else (str,)
    most: float | int = {"seconds": MOST_SECONDS, "minor": MOST_MINOR}.get(
        column.kind, _MOST_INTEGER if plain_type is int else MOST_NUMBER
    )
    if plain_type not in {int, float}:
        return plain_type
    low, high = (
        column.low if column.low is not None else -most,
        column.high if column.high is not None else most,
    )
    if plain_type is int:
        low, high = int(low), int(high)
    limits = {"gt": column.above} if column.above is not None else {"ge": low}
    return Annotated[plain_type, msgspec.Meta(le=high, **limits)]
