"""An empty store for each test: migrated once a process, then copied."""

from __future__ import annotations

import functools
import os
import sqlite3
from pathlib import Path

from hub.store import Store


@functools.cache
def _image() -> bytes:
    """Return an empty store of this version as a file; every migration is tried once."""
    with Store.open("sqlite://") as store:
        return store.connection.serialize()


def store_at(path: Path) -> Store:
    """Open an empty store in the new file *path*."""
    with os.fdopen(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(_image())
    return Store.open(path)


def store_in_memory() -> Store:
    """Open an empty store in memory."""
    connection = sqlite3.connect(
        ":memory:", isolation_level=None, check_same_thread=False, cached_statements=512
    )
    connection.deserialize(_image())
    return Store(connection, ":memory:")
