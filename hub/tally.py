"""What a reading saw and what became of it: rejections, and the tally of a partition."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any
from zlib import crc32

import msgspec

from hub.errors import SourceDataError
from hub.files import storable
from hub.records import Record
from hub.words import tr

SHORT = 120
REASON = 400
"""Letters of a reason: it ends with what to do, which is not to be cut off."""
"""Characters of a value or a reason that are kept."""
MOST_KEY = 400
"""Letters of a key: with its partition it stands in an index, of which PostgreSQL takes 2,704 bytes."""
FEW = 3
"""Fewer rejections than this never fail a partition, whatever their share."""


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that could not be taken.

    *place* says where it stands, for people (file, sheet and row; or id and address). *key* names it from
    one run to the next, where its place may move; it is the place itself when nobody says. *record* is the
    type it would have become, *id* the id it has, or would have, in the store: what is known of it stays as
    it was. Where the id is not known, *like* holds the fields that were understood: a row of the store that
    has them all may be its old image, and stays too; with neither, nothing of the partition leaves.
    *seconds* and *amount_minor* are what figures lack by it.
    """

    place: str
    reason: str
    key: str = ""
    record: type[Record] | None = None
    id: str | None = None
    like: Mapping[str, Any] | None = None
    field: str = ""
    value: str = ""
    container: str | None = None
    seconds: int | None = None
    amount_minor: int | None = None
    currency: str | None = None

    @property
    def sentence(self) -> str:
        """Return it in one line."""
        return sentence(self.place, self.field, self.value, self.reason)


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """What a partition met: *seen* = *taken* + rejected + *skipped* (reason → count), in *unit*.

    *said* is what the source itself counts (a total, a trailer), *record* what each taken one became one of:
    the hub compares it with what it received, and *seconds* with the hours of these records.
    """

    seen: int
    taken: int
    skipped: Mapping[str, int] = {}
    said: int | None = None
    unit: str = "rows"
    record: type[Record] | None = None
    seconds: int | None = None

    @property
    def adds_up(self) -> bool:
        """Say whether all that was seen was taken, and no more is told: many of these are as good as one."""
        return self.seen == self.taken and self == Tally(seen=self.seen, taken=self.taken, unit=self.unit)


def field_of(row: msgspec.Raw, name: str = "id") -> Any:
    """Return a text or a number that a row of JSON shows under *name*, however odd the rest of it is.

    None where it shows neither: what is odd in a row is then found by whoever decodes it whole.
    """
    try:
        value = _only(name).decode(row).value
    except msgspec.MsgspecError:
        return None
    return value if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def named(row: msgspec.Raw, name: str = "id") -> str:
    """Return what people call a row: what it shows under *name*, else a mark made of all it holds."""
    value = field_of(row, name)
    return str(value) if value not in {None, ""} else f"? ({crc32(bytes(row)):08x})"


def renamed(lacking: Iterable[str], strange: Iterable[str]) -> list[str]:
    """Say which of *strange* keys, unknown ones, look like ones that no row has: ``due`` and ``due_on``."""
    return sorted(
        tr("no {lack} but {key}", lack=lack, key=key)
        for lack in lacking
        for key in strange
        if key.startswith(lack)
    )


def check_names(row: msgspec.Raw, names: Iterable[str]) -> None:
    """Raise `SourceDataError` where *row* has one of *names*, which it may lack, under a name like it."""
    keys = msgspec.json.decode(row, type=dict[str, msgspec.Raw]).keys()
    if said := renamed({*names} - keys, keys - {*names}):
        raise SourceDataError(tr("it has {renamed}: the API changed, please report it", renamed=said[0]))


@lru_cache
def _only(name: str) -> msgspec.json.Decoder[Any]:
    field = ("value", Any, msgspec.field(default=None, name=name))
    return msgspec.json.Decoder(msgspec.defstruct("Only", [field]))


def sentence(place: str, field: str, value: str | None, reason: str) -> str:
    """Say in one line what could not be taken."""
    what = f", {field}" if field else ""
    return f"{place}{what}:{f' {value!r}' if value else ''} {reason}"


def too_many(rejected: int, seen: int, allowed: float) -> bool:
    """Say whether a partition fails, because more than the share *allowed* of what it met was rejected."""
    return rejected >= FEW and rejected > allowed * seen


def lasting(key: str) -> str:
    """Return *key* as it is kept: what fits no index by its beginning, and a mark made of all of it."""
    if len(key) <= MOST_KEY:
        return key
    mark = hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    return f"{key[: MOST_KEY - 40]}… {mark}"


def short(value: Any, most: int = SHORT) -> str:
    """Return *value* in *most* letters, as a person may read it in a line, without what would break it."""
    text = value if isinstance(value, str) else repr(value) if value is not None else ""
    text = " ".join(storable(text).split())
    return text if len(text) <= most else text[: most - 1] + "…"
