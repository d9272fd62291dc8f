"""A connection of psycopg as the store uses one: the SQL that SQLite reads too, values as SQLite has them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg.adapt import Dumper, Loader
from psycopg.types.numeric import FloatDumper

from hub.files import storable
from hub.store.engines.dialect import translated

_WHOLE = 2.0**53
"""Up to here a number says itself by its digits."""


class _Number(Dumper):
    """A truth as the number that SQLite makes of it."""

    oid = psycopg.adapters.types["int8"].oid

    def dump(self, obj: Any) -> bytes:
        return b"1" if obj else b"0"

    def quote(self, obj: Any) -> bytes:
        return self.dump(obj)


class _Real(FloatDumper):
    """A number as SQLite keeps it: what is none is NULL, a whole one fits a column of whole ones."""

    def dump(self, obj: Any) -> Any:
        if obj.is_integer() and abs(obj) < _WHOLE:
            return b"%d" % int(obj)
        return None if math.isnan(obj) else super().dump(obj)

    def quote(self, obj: Any) -> Any:
        return b"NULL" if math.isnan(obj) else super().quote(obj)


class _Truth(Loader):
    def load(self, data: Any) -> int:
        return int(bytes(data) == b"t")


class _Numeric(Loader):
    """A sum of numbers is one, and what was divided has a point."""

    def load(self, data: Any) -> int | float:
        text = bytes(data)
        return int(text) if text.lstrip(b"-").isdigit() else float(text)


class Connected:
    """A connection of psycopg as the store uses one: each statement by itself, until `Engine.begin`."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        """Wrap *raw*."""
        self.raw = raw
        adapters = raw.adapters
        adapters.register_dumper(bool, _Number)
        adapters.register_dumper(float, _Real)
        adapters.register_loader("bool", _Truth)
        adapters.register_loader("numeric", _Numeric)

    @property
    def in_transaction(self) -> bool:
        """Say whether a transaction is open."""
        return self.raw.info.transaction_status != psycopg.pq.TransactionStatus.IDLE

    def execute(self, query: str, parameters: Any = (), /) -> psycopg.Cursor[Any]:
        """Run one statement, written as for SQLite."""
        cursor = self.raw.cursor()
        try:
            return cursor.execute(translated(query), parameters)
        except (UnicodeEncodeError, psycopg.DataError) as exc:
            if not unwritable(exc):
                raise
            return cursor.execute(translated(query), kept(parameters))

    def executemany(self, query: str, parameters: Iterable[Any], /) -> _Counted:
        """Run one statement for each of *parameters*."""
        return _Counted(sum(max(self.execute(query, one).rowcount, 0) for one in parameters))

    def close(self) -> None:
        """Close it."""
        self.raw.close()


class _Counted:
    """What many statements came to."""

    def __init__(self, rowcount: int) -> None:
        self.rowcount = rowcount


def unwritable(error: Exception) -> bool:
    """Say whether a text holds a letter that PostgreSQL has not."""
    return isinstance(error, UnicodeEncodeError) or "NUL" in str(error)


def kept(parameters: Any) -> Any:
    """Return *parameters* as PostgreSQL keeps them: in UTF-8, without the letter 0."""
    if isinstance(parameters, Mapping):
        return {name: _text(value) for name, value in parameters.items()}
    return tuple(map(_text, parameters))


def _text(value: Any) -> Any:
    return storable(value).replace("\0", "") if isinstance(value, str) else value
