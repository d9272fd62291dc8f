"""A store in one file of SQLite, or in memory."""

from __future__ import annotations

import functools
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, ClassVar

from hub.errors import ConfigError, StoreBusy, StoreError, StoreFull
from hub.placement import fold
from hub.records import BY_TABLE, columns
from hub.store.bulk import write_rows
from hub.store.engines.arrow import Streams, streams
from hub.store.engines.engine import Engine, Value
from hub.store.lean import Database
from hub.store.migrations import memory_trigger, migrations
from hub.words import tr

BEFORE = ".before-"
"""Between a store's name and its last migration, in the name of the copy kept before the next one."""


class Sqlite(Engine):
    """The store in the file *path*, or in memory where it is None."""

    kind: ClassVar[str] = "sqlite"
    frozen = "BEGIN"
    declares = False
    error = sqlite3.Error
    refused = (
        sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError, OverflowError,
    )  # fmt: skip

    def __init__(self, path: Path | None) -> None:
        """Touch nothing yet."""
        self.path = path
        self.where = str(path) if path else ":memory:"
        self.shared = path is not None

    # ---------- reaching ----------

    def exists(self) -> bool:
        """Say whether the file is there."""
        return self.path is not None and self.path.exists()

    def connect(self) -> sqlite3.Connection:
        """Open the file, made by this account for itself where it is missing."""
        path = self.path
        try:
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                if not path.exists():
                    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
            connection = sqlite3.connect(
                self.where, isolation_level=None, timeout=10, check_same_thread=False, cached_statements=512
            )
        except OSError as exc:
            raise StoreFull(
                tr(
                    "The folder {folder} cannot be written ({reason}). Give this account the right to "
                    "write there, or choose another place with `store = …`.",
                    folder=path.parent if path else ".",
                    reason=exc.strerror,
                )
            ) from exc
        except sqlite3.Error as exc:
            raise self.explain(exc) from exc
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            # a page that many batches touch goes over to the file once
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
            connection.execute("PRAGMA temp_store = FILE")
            connection.execute("PRAGMA cache_size = -16384")
        except sqlite3.Error as exc:
            connection.close()
            raise self.explain(exc) from exc
        return connection

    def prepare(self, connection: Any) -> None:
        """Give *connection* the function `fold`."""
        connection.create_function("fold", 1, fold, deterministic=True)

    @contextmanager
    def reader(self) -> Iterator[sqlite3.Connection]:
        """Open the file for reading only."""
        if self.path is None:
            raise StoreError(tr("There is no store at {path} yet: run `hub sync` first.", path=self.where))
        try:
            with closing(
                sqlite3.connect(self.path.resolve().as_uri() + "?mode=ro", uri=True, timeout=10)
            ) as connection:
                yield connection
        except sqlite3.Error as exc:
            raise self.explain(exc) from exc

    def explain(self, error: Exception) -> StoreError:
        """Turn SQLite's *error* into a sentence."""
        return explain(error, self.where)

    # ---------- making ----------

    def applied(self, connection: Any) -> set[str]:
        """Return the names of the migrations that made the store."""
        return {migration.name for migration in migrations.applied(Database(connection))}

    def migrate(self, connection: Any, applied: set[str]) -> None:
        """Bring the store to this version; it is kept beside as it was."""
        kept = self._keep_before(connection, applied) if applied else None
        migrations.apply(Database(connection))
        if kept is not None:
            for path in kept.parent.glob(kept.name.partition(BEFORE)[0] + BEFORE + "*"):
                if path != kept:
                    path.unlink(missing_ok=True)

    def _keep_before(self, connection: Any, applied: set[str]) -> Path | None:
        """Keep the store as it is before its first migration, beside it; gives the copy.

        Where the disk has no room for it nothing is migrated.
        """
        if self.path is None:
            return None
        target = Path(f"{self.where}{BEFORE}{max(applied)}")
        fresh = target.with_name(f".{target.name}.new")
        fresh.unlink(missing_ok=True)
        os.close(os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        try:
            with closing(sqlite3.connect(fresh)) as copy:
                connection.backup(copy)
            os.replace(fresh, target)
        except OSError as exc:
            raise StoreFull(
                tr(
                    "The store {where} was not brought to this version: a copy of it could not be kept "
                    "beforehand ({reason}).",
                    where=self.where,
                    reason=exc.strerror,
                )
            ) from exc
        finally:
            fresh.unlink(missing_ok=True)
        return target

    def tables(self, connection: Any) -> dict[str, dict[str, str]]:
        """Return every table of the store and the types of its columns."""
        names = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite%' ORDER BY name"
        ).fetchall()
        return {
            name: {
                column: kind.upper()
                for _, column, kind, *_ in connection.execute(f"PRAGMA table_info({name})")
            }
            for (name,) in names
        }

    def size(self, connection: Any) -> int:
        """Return the size of the file, or of the pages in memory."""
        if self.path is not None:
            return self.path.stat().st_size
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        (each,) = connection.execute("PRAGMA page_size").fetchone()
        return int(pages * each)

    def may_write(self) -> bool:
        """Say whether this account may write the file and beside it."""
        path = self.path
        return path is not None and os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)

    def verify(self, connection: Any) -> list[str]:
        """Look through the whole file."""
        found = [str(row[0]) for row in connection.execute("PRAGMA quick_check(3)")]
        return [] if found == ["ok"] else found

    # ---------- writing ----------

    def begin(self, connection: Any) -> None:
        """Begin a transaction that writes."""
        connection.execute("BEGIN IMMEDIATE")

    def upsert(self, connection: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Write *rows* by few statements."""
        return write_rows(connection, *_upsert_sql(table), rows)

    def insert(self, connection: Any, before: str, after: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Execute *before* ``VALUES (…), (…)`` *after*."""
        return write_rows(connection, before, after, rows)

    @contextmanager
    def forgetful(self, connection: Any, tables: Sequence[str]) -> Iterator[None]:
        """Let *tables* be updated without keeping old images, and free pages hold nothing of them."""
        for table in tables:
            connection.execute(f"DROP TRIGGER {table}_memory")
        yield
        for table in tables:
            connection.execute(memory_trigger(Database(connection), table))

    def rewrite(self, connection: Any, table: str, changes: Mapping[str, Value]) -> int:
        """Give each text of the columns what its function makes of it."""
        for name, function in changes.items():
            connection.create_function(f"past_{name}", 1, _of_texts(function), deterministic=True)
        sets = ", ".join(f"{name} = past_{name}({name})" for name in changes)
        where = " OR ".join(f"{name} IS NOT past_{name}({name})" for name in changes)
        return int(connection.execute(f"UPDATE {table} SET {sets} WHERE {where}").rowcount)

    def matching(
        self, connection: Any, table: str, columns: Sequence[str],
        test: Callable[[str], bool], also: tuple[str, tuple[Any, ...]] = ("false", ()),
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Return the rows that have such a text."""
        connection.create_function(
            "matching", 1, lambda text: isinstance(text, str) and test(text), deterministic=True
        )
        where = " OR ".join([also[0], *(f"matching({name})" for name in columns)])
        cursor = connection.execute(f"SELECT * FROM {table} WHERE {where}", also[1])
        names = [column[0] for column in cursor.description]
        for row in cursor:
            yield dict(zip(names, row, strict=True))

    def overwrite(self, connection: Any) -> None:
        """Let SQLite write zeros over what it deletes."""
        connection.execute("PRAGMA secure_delete = ON")

    def compact(self, connection: Any) -> None:
        """Leave nothing of what was rewritten in free pages or log."""
        try:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.OperationalError as exc:
            raise ConfigError(
                tr(
                    "The rows were rewritten, but the file could not be compacted ({error}): run it "
                    "again when nobody reads the store.",
                    error=exc,
                )
            ) from exc

    # ---------- as a whole ----------

    @contextmanager
    def newborn(self) -> Iterator[Engine]:
        """Return a file beside, which takes the place of this one in the end."""
        if self.path is None:
            yield self
            return
        if self.path.exists():
            raise ConfigError(
                tr("There is a store at {where} already: name another place.", where=self.where)
            )
        fresh = Sqlite(self.path.with_name(f".{self.path.name}.new"))
        assert fresh.path is not None
        try:
            fresh.path.unlink(missing_ok=True)
            yield fresh
            os.replace(fresh.path, self.path)
        finally:
            for path in (fresh.path, *(Path(f"{fresh.where}{end}") for end in ("-wal", "-shm"))):
                path.unlink(missing_ok=True)

    def fill(
        self, connection: Any, table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """Put *rows* into an empty *table*."""
        marks = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO {table} ({', '.join(names)}) VALUES ({marks})", rows)

    # ---------- side by side ----------

    @contextmanager
    def snapshot(self) -> Iterator[Streams]:
        """Read by ADBC, in one transaction: a sync that goes on meanwhile is not seen in part."""
        import adbc_driver_sqlite

        assert self.path is not None
        with streams(
            self.where,
            {"driver": adbc_driver_sqlite._driver_path(), "uri": self.path.resolve().as_uri() + "?mode=ro"},
            {"adbc.sqlite.query.batch_rows": "32768"},
        ) as stream:
            yield stream


def _of_texts(function: Value) -> Value:
    return lambda value: function(value) if isinstance(value, str) and value else value


def explain(error: Exception, where: str) -> StoreError:
    """Turn SQLite's *error* into a sentence for the person who runs the hub."""
    text = str(error).lower()
    if "locked" in text or "busy" in text:
        return StoreBusy(
            tr(
                "The store {where} is locked by another program. Close the tool that has it open (a "
                "database browser, a copy in progress), then run the command again; nothing was lost.",
                where=where,
            )
        )
    if "full" in text:
        return StoreFull(
            tr(
                "The disk that holds {where} is full. Free some space, then run the command again: "
                "it continues from the last complete batch.",
                where=where,
            )
        )
    if "readonly" in text or "read-only" in text or "unable to open" in text:
        return StoreFull(
            tr(
                "The store {where} cannot be written: the file or its folder is read-only or "
                "missing. Give this account the right to write there, or choose another place with "
                "`store = …`.",
                where=where,
            )
        )
    if "malformed" in text or "not a database" in text:
        return StoreError(
            tr(
                "{where} is not a readable SQLite database. Restore it from a copy, or move it away "
                "and sync again.",
                where=where,
            )
        )
    return StoreError(tr("The store {where} answered: {error}.", where=where, error=error))


@functools.cache
def _upsert_sql(table: str) -> tuple[str, str]:
    """Return what stands before and after the values."""
    names = columns(BY_TABLE[table])
    data = names[1:]
    mine = ", ".join(f"{table}.{name}" for name in data)
    theirs = ", ".join(f"excluded.{name}" for name in data)
    sets = ", ".join(f"{name} = excluded.{name}" for name in data)
    after = (
        f"ON CONFLICT (id) DO UPDATE SET {sets}, presence = 'present', presence_evidence = NULL, "
        f"recorded_at = excluded.recorded_at, run_id = excluded.run_id "
        f"WHERE ({mine}) IS NOT ({theirs}) OR {table}.presence <> 'present'"
    )
    return f"INSERT INTO {table} ({', '.join(names)}, source_id, recorded_at, run_id)", after
