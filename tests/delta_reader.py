"""Another reader of Delta tables: the log as the protocol describes it, the files it names by DuckDB.

It shares nothing with the library that writes the tables. Source: github.com/delta-io/delta, PROTOCOL.md
(Delta Log Entries, Actions, Partition Value Serialization, Primitive Types, Per-file Statistics).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import msgspec

TYPES = {
    "string": "VARCHAR", "long": "BIGINT", "integer": "INTEGER", "short": "SMALLINT", "byte": "TINYINT",
    "float": "FLOAT", "double": "DOUBLE", "boolean": "BOOLEAN", "binary": "BLOB", "date": "DATE",
    "timestamp": "TIMESTAMP WITH TIME ZONE", "timestamp_ntz": "TIMESTAMP",
}  # fmt: skip
"""What a primitive type of the protocol is in DuckDB; a decimal names its own precision and scale."""


class DeltaState(msgspec.Struct, frozen=True, kw_only=True):
    """A table at its last version: *columns* by name and DuckDB type, and the files that make it."""

    place: Path
    version: int
    reader: int
    columns: dict[str, str]
    partitioned: tuple[str, ...]
    files: tuple[dict[str, Any], ...]

    def relation(self, connection: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyRelation:
        """Return the rows: what a file holds, and what the log says of it as a part."""
        parts = []
        for one in self.files:
            shown = []
            for name, type_ in self.columns.items():
                value = f'"{name}"'
                if name in self.partitioned:
                    said = one["partitionValues"].get(name)
                    value = "NULL" if said in {None, ""} else "'" + said.replace("'", "''") + "'"
                shown.append(f'CAST({value} AS {type_}) AS "{name}"')
            path = str(self.place / unquote(one["path"])).replace("'", "''")
            parts.append(f"SELECT {', '.join(shown)} FROM read_parquet('{path}', hive_partitioning = false)")
        empty = ", ".join(f'CAST(NULL AS {type_}) AS "{name}"' for name, type_ in self.columns.items())
        return connection.sql(" UNION ALL ".join(parts or [f"SELECT {empty} WHERE false"]))

    def said_rows(self) -> int:
        """Return how many rows the log's own statistics count."""
        return sum(json.loads(one["stats"])["numRecords"] for one in self.files)


def read(place: Path) -> DeltaState:
    """Replay the log of the table in *place*, commit by commit from the first one."""
    version, reader, schema, partitioned = -1, 0, "", ()
    files: dict[str, dict[str, Any]] = {}
    commits = sorted((place / "_delta_log").glob("[0-9]" * 20 + ".json"))
    for number, commit in enumerate(commits):
        assert f"{number:020}" == commit.stem, "a commit is lacking"
        version = number
        for line in commit.read_text(encoding="utf-8").splitlines():
            ((kind, action),) = json.loads(line).items()
            if kind == "protocol":
                reader = action["minReaderVersion"]
            elif kind == "metaData":
                schema, partitioned = action["schemaString"], tuple(action["partitionColumns"])
            elif kind == "add":
                files[action["path"]] = action
            elif kind == "remove":
                files.pop(action["path"], None)
    assert 1 == reader, "a reader of this version would have to know more"
    columns = {field["name"]: _type(field["type"]) for field in json.loads(schema)["fields"]}
    return DeltaState(
        place=place, version=version, reader=reader, columns=columns, partitioned=partitioned,
        files=tuple(files.values()),
    )  # fmt: skip


def _type(name: str) -> str:
    return name.upper() if name.startswith("decimal(") else TYPES[name]
