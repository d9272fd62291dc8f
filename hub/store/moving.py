"""Bring a whole store into another database, and prove that both hold the same, history included."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from hub.errors import ConfigError, StoreError
from hub.store.engines import Engine
from hub.store.store import Store
from hub.words import tr

_BORN = frozenset({"clock", "erasure_key"})
"""Tables of one row that a store has from its birth."""
_WRAP = 1 << 256
Row = tuple[Any, ...]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """What a table holds: its number of rows, and one figure of them all that no order changes."""

    rows: int
    digest: str


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What was brought over, by table; *cleaned* texts lost a letter that the target cannot keep."""

    tables: dict[str, Held]
    cleaned: int


class _Sum:
    """Rows as they pass: each row's sha256, added up."""

    def __init__(self) -> None:
        self.rows = self.total = self.cleaned = 0

    def passing(
        self, rows: Iterable[tuple[Any, ...]], target: Engine | None = None
    ) -> Iterator[tuple[Any, ...]]:
        for row in rows:
            kept = row if target is None else target.storable(row)
            self.cleaned += kept != row
            self.rows += 1
            # -0.0 and 0.0 are one number, which SQLite keeps as 0.0
            plain = tuple(value + 0.0 if isinstance(value, float) else value for value in kept)
            digest = hashlib.sha256(repr(plain).encode("utf-8", "surrogatepass")).digest()
            self.total = (self.total + int.from_bytes(digest, "big")) % _WRAP
            yield kept

    def held(self) -> Held:
        return Held(rows=self.rows, digest=f"{self.total:064x}")


def contents(engine: Engine) -> dict[str, Held]:
    """Return what each table of a store holds, all of one moment. Raises `StoreError`."""
    found = {}
    with engine.one_moment() as rows_of:
        for table, names in rows_of.tables.items():
            passed = _Sum()
            for _ in passed.passing(rows_of(table, list(names))):
                pass
            found[table] = passed.held()
    return found


def move(source: Engine, target: Engine) -> Moved:
    """Bring the store at *source* to *target*, where none is yet, and compare both row by row.

    Raises `StoreError`; then *target* holds no row of it.
    """
    if not source.exists():
        raise StoreError(tr("There is no store at {path} yet: run `hub sync` first.", path=source.where))
    taken: dict[str, Held] = {}
    cleaned = 0
    with source.one_moment() as rows_of:
        _must_be_of_this_version(source, rows_of.applied)
        with target.newborn() as engine, Store.open(engine) as store:
            _must_be_empty(store)
            there = engine.tables(store.connection)
            with store.transaction():
                for table in _BORN:
                    store.connection.execute(f"DELETE FROM {table}")
                for table, names in rows_of.tables.items():
                    if sorted(there.get(table, {})) != sorted(names):
                        raise StoreError(
                            tr("The table {table} of {where} is not of this version.", table=table,
                               where=source.where)
                        )  # fmt: skip
                    passed = _Sum()
                    engine.fill(
                        store.connection,
                        table,
                        list(names),
                        passed.passing(rows_of(table, list(names)), engine),
                    )
                    taken[table] = passed.held()
                    cleaned += passed.cleaned
                # inside the transaction: what is not the same is not kept
                for table, names in rows_of.tables.items():
                    again = _Sum()
                    listed = ", ".join(names)
                    for _ in again.passing(engine.each(store.connection, f"SELECT {listed} FROM {table}")):
                        pass
                    if again.held() != taken[table]:
                        raise StoreError(
                            tr(
                                "{table}: {there} rows came to {target} otherwise than they stood in "
                                "{source}. Nothing is kept there.",
                                table=table, there=again.rows, target=target.where, source=source.where,
                            )
                        )  # fmt: skip
    return Moved(tables=taken, cleaned=cleaned)


def _must_be_of_this_version(source: Engine, applied: set[str]) -> None:
    from hub.store.migrations import migrations

    if applied != {one.name for one in migrations._migrations}:
        raise StoreError(
            tr(
                "The store {where} is of another version of pm-hub: run `hub upgrade` first.",
                where=source.where,
            )
        )


def _must_be_empty(store: Store) -> None:
    for table in store.engine.tables(store.connection):
        if table not in _BORN and store.connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
            raise ConfigError(
                tr("There is a store at {where} already: name another place.", where=store.where)
            )
