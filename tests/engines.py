"""What a store holds, whichever database it lives in."""

from __future__ import annotations

from typing import Any

from hub.store.engines import Engine


def everything(engine: Engine) -> Any:
    """Return all that a store holds: the bytes of its file, or the rows of its tables."""
    if engine.path:
        return engine.path.read_bytes()
    with engine.reader() as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr)
            for table in engine.tables(connection)
        }
