"""What changed between two snapshots: rows inserted, updated and deleted, by key and row hash."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from hub.feed.build import columns_in, table_glob
from hub.feed.model import model

if TYPE_CHECKING:
    import duckdb


def changes(
    connection: duckdb.DuckDBPyConnection, table: str, folder: Path, since: Path | None
) -> duckdb.DuckDBPyRelation:
    """Return the rows of *table* in *folder* that differ from those in *since* (None: everything is new).

    The first column ``_change`` is ``insert``, ``update`` or ``delete``; a deleted row carries its last
    image. Applied in any order to the old table, it gives the new one. An older feed is read with what it
    has; where it lacks a column of the key, its rows cannot be told apart, and everything is new.
    """
    shape = model().tables[table]
    names = list(shape.columns)
    listed = ", ".join(names)
    new = f"(SELECT {listed} FROM read_parquet('{_quoted(folder, table)}', hive_partitioning = false))"
    there = columns_in(connection, since, [table])[table] if since else {}
    if since is None or not all({name, shape.columns[name].was} & there.keys() for name in shape.key):
        return connection.sql(f"SELECT 'insert' AS _change, {listed} FROM {new}")
    old = (
        f"(SELECT {shape.read_as(there)} FROM read_parquet('{_quoted(since, table)}', "
        "hive_partitioning = false))"
    )
    same = " AND ".join(f"n.{name} IS NOT DISTINCT FROM o.{name}" for name in shape.key)
    first = shape.key[0]
    picked = ", ".join(f"CASE WHEN n._here THEN n.{name} ELSE o.{name} END AS {name}" for name in names)
    return connection.sql(
        f"WITH n AS (SELECT *, true AS _here, hash({listed}) AS _hash FROM {new} t), "
        f"o AS (SELECT *, true AS _here, hash({listed}) AS _hash FROM {old} t) "
        "SELECT CASE WHEN o._here IS NULL THEN 'insert' WHEN n._here IS NULL THEN 'delete' "
        f"ELSE 'update' END AS _change, {picked} "
        f"FROM n FULL JOIN o ON {same} WHERE n._hash IS DISTINCT FROM o._hash ORDER BY {first}"
    )


def _quoted(folder: Path, table: str) -> str:
    return table_glob(folder, table).replace("'", "''")
