"""An empty store for each test: migrated once a process, then copied."""

from __future__ import annotations

import functools
import os
import sqlite3
from pathlib import Path

from hub.secrets import Secret
from hub.store import Store
from hub.store.engines import Engine, Sqlite, engine_of


@functools.cache
def _image() -> bytes:
    """Return an empty store of this version as a file; every migration is tried once."""
    with Store.open("sqlite://") as store:
        return bytes(store.connection.serialize())


def store_at(path: Path) -> Store:
    """Open an empty store in the new file *path*."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(_image())
    return _of_its_own(Store.open(path))


def store_in_memory() -> Store:
    """Open an empty store in memory."""
    connection = sqlite3.connect(
        ":memory:", isolation_level=None, check_same_thread=False, cached_statements=512
    )
    connection.deserialize(_image())
    return _of_its_own(Store(connection, Sqlite(None)))


def _of_its_own(store: Store) -> Store:
    """Give the hub of a copy a name that no other one has."""
    store.connection.execute("UPDATE clock SET hub = lower(hex(randomblob(8)))")
    return store


def store_on(url: str, password: Path) -> Engine:
    """Return the engine of the store at *url*, made where it is missing; *password* is a file."""
    engine = engine_of(url, password=Secret("file", password.name, password.parent))
    Store.open(engine).close()
    return engine
