"""Copy a store while it is written to, and say what a store file holds; it is never migrated here."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hub.errors import StoreError
from hub.records import BY_TABLE
from hub.store import seals
from hub.store.engines import StoreAt, engine_of
from hub.store.engines.sqlite import explain
from hub.store.erasure import Mark, known_marks
from hub.store.migrations import migrations
from hub.words import mark, tr

WHAT = {
    "0001_house": mark("tables of what tools bring, with their memory"),
    "0002_figures": mark("people, calendars, rates, targets, decisions, cuts and sealed months"),
    "0003_spans": mark("hours that were entered for several days"),
    "0004_erasure": mark("erased people as keyed digests"),
    "0005_written_by": mark("which hub wrote last"),
    "0006_rejections": mark("what could not be taken, and what each run met"),
    "0007_outside": mark("rows outside of what a source is asked for"),
    "0008_plans": mark("what plans say beyond dates and effort, assignments, fields of the site"),
    "0009_access_groups": mark("who is in the groups of access.csv"),
    "0010_capacity": mark("capacity from the calendars of plans"),
    "0011_story": mark("the manager's word, and whom a decision is asked of"),
    "0012_retention": mark("since when the store remembers"),
    "0013_endings": mark("what tools say of the end of an address or a token"),
    "0014_rejection_numbers": mark("numbers of rejections that are never given twice"),
    "0015_hub": mark("a name of the hub that no other one has"),
}
"""What each migration makes room for, in words."""


class Contents(msgspec.Struct, frozen=True, kw_only=True):
    """What one table holds: its number of rows, and one sha256 over them in their order."""

    rows: int
    sha256: str


class Schema(msgspec.Struct, frozen=True, kw_only=True):
    """How a store stands to this hub: what was *applied*, what would be (*pending*), what is *newer*.

    The three are names of migrations; `WHAT` says what each is for.
    """

    applied: tuple[str, ...]
    pending: tuple[str, ...]
    newer: tuple[str, ...]


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[sqlite3.Connection]:
    """Open *path* for reading only. Raises `StoreError`."""
    if not path.is_file():
        raise StoreError(tr("There is no store at {path} yet: run `hub sync` first.", path=path))
    try:
        with contextlib.closing(
            sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True, timeout=10)
        ) as connection:
            yield connection
    except sqlite3.Error as exc:
        raise explain(exc, str(path)) from exc


def copy(source: Path, target: Path) -> None:
    """Copy the store *source* into the new file *target* (0600) as it is at one moment.

    SQLite's own online copy reads one snapshot: whoever writes goes on, and nothing half-written is taken.
    Raises `StoreError`.
    """
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    with _reading(source) as reading, contextlib.closing(sqlite3.connect(target)) as writing:
        reading.backup(writing)
        # one file, which nothing beside it completes
        writing.execute("PRAGMA journal_mode = DELETE")


def contents(path: Path) -> dict[str, Contents]:
    """Return what each table of the store file *path* holds. Raises `StoreError`."""
    found = {}
    with _reading(path) as connection:
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
        ).fetchall()
        for (table,) in tables:
            total, count = hashlib.sha256(), 0
            for row in connection.execute(f'SELECT * FROM "{table}"'):
                total.update(repr(row).encode("utf-8", "surrogatepass"))
                count += 1
            found[table] = Contents(rows=count, sha256=total.hexdigest())
    return found


def damage(path: Path) -> list[str]:
    """Return what is wrong with the store file *path*: pages, indexes, and tables that lost their memory."""
    with _reading(path) as connection:
        try:
            found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(10)")]
        except sqlite3.DatabaseError as exc:
            return [str(exc)]
        if found != ["ok"]:
            return found
        there = {row[0] for row in connection.execute("SELECT name FROM sqlite_master")}
    return [
        tr("the table {table} does not keep its older images: its trigger is gone", table=table)
        for table in BY_TABLE
        if table in there and not {f"{table}_memory", f"{table}_forever"} <= there
    ]


def altered_seals(path: Path) -> list[str]:
    """Return a sentence for each sealed month of the store file *path* whose lines are not those sealed."""
    with _reading(path) as connection:
        try:
            months = seals.altered(connection)
        except sqlite3.OperationalError:  # of a hub that sealed no months yet
            return []
    return [tr("the lines that the sealed month {month} keeps were altered", month=month) for month in months]


def schema(store: StoreAt) -> Schema:
    """Return how *store* stands to this hub; it is not touched. Raises `StoreError`."""
    with _reading(store) if isinstance(store, Path) else store.reader() as connection:
        applied = tuple(
            row[0] for row in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY id")
        )
    ours = [one.name for one in migrations._migrations]
    return Schema(
        applied=applied,
        pending=tuple(name for name in ours if name not in applied),
        newer=tuple(name for name in applied if name not in ours),
    )


def marks(store: StoreAt) -> tuple[str, list[Mark]] | None:
    """Return the salt of *store* and its marks of erased people; None where it has no salt."""
    engine = engine_of(store)
    with engine.reader() as connection:
        # a hub of old kept ids in clear
        return known_marks(connection) if "erasure_key" in engine.tables(connection) else None


def closed_cuts(path: Path) -> list[tuple[int, str, str]]:
    """Return id, label and digest of every closed cut that the store file *path* knows."""
    with _reading(path) as connection:
        try:
            return connection.execute(
                "SELECT id, label, digest FROM cut WHERE closed_at IS NOT NULL ORDER BY id"
            ).fetchall()
        except sqlite3.OperationalError:  # of a hub that had no cuts yet
            return []
