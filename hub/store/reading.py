"""Look at a store without touching it: on a folder that cannot be written, and of an older hub."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import StoreError
from hub.store.engines import Engine, StoreAt, engine_of
from hub.store.engines.sqlite import Sqlite, explain
from hub.store.lean import Database
from hub.store.migrations import migrations
from hub.store.store import Store
from hub.words import tr


@contextmanager
def opened(at: StoreAt) -> Iterator[Store]:
    """Open a store to be read; nothing at all is written beside it.

    A file of an older hub is read by its copy, which is brought to this version. Raises `StoreError`.
    """
    engine = engine_of(at)
    if not engine.exists():
        raise StoreError(tr("There is no store at {path} yet: run `hub sync` first.", path=engine.where))
    with _file(engine.path) if engine.path is not None else _server(engine) as store:
        yield store


@contextmanager
def _server(engine: Engine) -> Iterator[Store]:
    """Open the store on a server; what it lacks is not made while it is looked at."""
    connection = engine.connect()
    try:
        store = Store(connection, engine)
        if store.lacks():
            raise StoreError(
                tr(
                    "The store {where} was written by an older pm-hub: the next `hub run` brings it to this "
                    "version.",
                    where=engine.where,
                )
            )
        yield store
    except engine.error as exc:
        raise engine.explain(exc) from exc
    finally:
        connection.close()


@contextmanager
def _file(path: Path) -> Iterator[Store]:
    with tempfile.TemporaryDirectory(prefix="pm-hub-", ignore_cleanup_errors=True) as aside:
        try:
            connection = _connect(path, Path(aside))
        except (sqlite3.Error, OSError) as exc:
            raise (explain(exc, str(path)) if isinstance(exc, sqlite3.Error) else _unread(path, exc)) from exc
        store = Store(connection, Sqlite(path))
        try:
            if store.lacks():
                store = _copied(store, Path(aside))
            yield store
        except sqlite3.Error as exc:
            raise explain(exc, str(path)) from exc
        finally:
            store.close()
            connection.close()


def may_write(at: StoreAt) -> bool:
    """Say whether this account may write the store."""
    return engine_of(at).may_write()


def _connect(path: Path, aside: Path) -> sqlite3.Connection:
    """Open *path* read-only; where SQLite would need to write beside it, what it would need lies *aside*."""
    logged = path.with_name(path.name + "-wal")
    address = path.resolve().as_uri()
    if may_write(path):
        address += "?mode=ro"
    elif logged.exists() and logged.stat().st_size:
        # rows that no checkpoint has moved yet: SQLite reads them only where it can make an index of them
        for one in (path, logged):
            shutil.copyfile(one, aside / one.name)
        address = (aside / path.name).as_uri()
    else:
        address += "?immutable=1"
    connection = sqlite3.connect(
        address, uri=True, isolation_level=None, timeout=10, check_same_thread=False, cached_statements=512
    )
    try:
        # opened read-only, not query_only: what is held is counted by tables of the connection's own
        connection.execute("SELECT 1 FROM sqlite_master").fetchone()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _copied(store: Store, aside: Path) -> Store:
    connection = sqlite3.connect(aside / "newer.db", isolation_level=None, check_same_thread=False)
    try:
        store.connection.backup(connection)
        migrations.apply(Database(connection))
        migrated = Store(connection, store.engine)
        migrated.older = True
    except BaseException:
        connection.close()
        raise
    return migrated


def _unread(path: Path, exc: OSError) -> StoreError:
    return StoreError(tr("The store {path} cannot be read: {reason}.", path=path, reason=exc.strerror))
