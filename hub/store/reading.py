"""Look at a store without touching it: on a folder that cannot be written, and of an older hub."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hub.errors import StoreError
from hub.store.migrations import migrations
from hub.store.store import Store, explain
from hub.words import tr


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open the store at *path* to be read; nothing at all is written beside it.

    A store of an older hub is read by its copy, which is brought to this version. Raises `StoreError`.
    """
    if not path.exists():
        raise StoreError(tr("There is no store at {path} yet: run `hub sync` first.", path=path))
    with tempfile.TemporaryDirectory(prefix="pm-hub-", ignore_cleanup_errors=True) as aside:
        try:
            connection = _connect(path, Path(aside))
        except (sqlite3.Error, OSError) as exc:
            raise (explain(exc, str(path)) if isinstance(exc, sqlite3.Error) else _unread(path, exc)) from exc
        store = Store(connection, str(path))
        try:
            if store.lacks():
                store = _copied(store, Path(aside))
            yield store
        except sqlite3.Error as exc:
            raise explain(exc, str(path)) from exc
        finally:
            store.close()
            connection.close()


def may_write(path: Path) -> bool:
    """Say whether this account may write the store at *path* and beside it."""
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


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
        migrated = Store(connection, store.where)
        migrations.apply(migrated.db)
        migrated.older = True
    except BaseException:
        connection.close()
        raise
    return migrated


def _unread(path: Path, exc: OSError) -> StoreError:
    return StoreError(tr("The store {path} cannot be read: {reason}.", path=path, reason=exc.strerror))
