"""The rows of queries as streams of Arrow batches, all of one transaction: how the feed reads a store."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from hub.errors import FeedError
from hub.words import tr

Streams = Callable[[str], AbstractContextManager[Any]]
"""From a query to its rows as Arrow batches, as long as the block lasts."""


@contextmanager
def streams(
    where: str, reached: Mapping[str, str], options: Mapping[str, str], *, before: str | None = None
) -> Iterator[Streams]:
    """Connect by ADBC as *reached* says, in one transaction; each statement has *options*.

    The query *before* is run ahead of it, for what it sets.

    Raises `FeedError` where the store cannot be opened, `adbc.Error` where a query fails.
    """
    import adbc_driver_manager as adbc

    try:
        database = adbc.AdbcDatabase(**reached)
        try:
            connection = adbc.AdbcConnection(database)
        except adbc.Error:
            database.close()
            raise
        try:
            if before is not None:
                with _rows(connection, before, options):
                    pass
            # one transaction: a sync that goes on meanwhile is not seen in part
            connection.set_autocommit(False)
        except adbc.Error:
            connection.close()
            database.close()
            raise
    except adbc.Error as exc:
        raise FeedError(
            tr("The store {path} cannot be opened for reading: {error}.", path=where, error=exc)
        ) from exc

    try:
        yield lambda sql: _rows(connection, sql, options)
    finally:
        connection.close()
        database.close()


@contextmanager
def _rows(connection: Any, sql: str, options: Mapping[str, str]) -> Iterator[Any]:
    import adbc_driver_manager as adbc

    statement = adbc.AdbcStatement(connection)
    try:
        statement.set_options(**options)
        statement.set_sql_query(sql)
        batches, _ = statement.execute_query()
        yield batches
        batches.release()
    finally:
        statement.close()
