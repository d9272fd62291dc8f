"""Write the feed as .hyper files: one fact a file with its dimensions, and their lists of values.

Keys are assumed, so that Tableau relates them by itself.

Sources: tableau.github.io/hyper-db (CREATE TABLE with ASSUMED keys, external Parquet), Tableau Server 2021.4
for relations from assumed keys.
"""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub import BRIDGE, FeedView, MissingExtra, column_captions, model, table_caption, tr

HOW = 'pip install "pm-hub-tableau[hyper]"'
_TYPES = {
    "BIGINT": "BIGINT",
    "DOUBLE": "DOUBLE PRECISION",
    "DECIMAL(18,2)": "NUMERIC(18, 2)",
    "VARCHAR": "TEXT",
    "DATE": "DATE",
    "TIMESTAMPTZ": "TIMESTAMP",
}


@contextmanager
def engine() -> Iterator[Any]:
    """Run Tableau's own engine, without telemetry and without a log.

    Raises `MissingExtra` when it is not installed.
    """
    try:
        from tableauhyperapi import HyperProcess, Telemetry
    except ImportError as exc:
        raise MissingExtra(tr("Writing .hyper files needs Tableau's engine: {how}.", how=HOW)) from exc
    parameters = {"default_database_version": "2", "log_config": ""}
    with HyperProcess(Telemetry.DO_NOT_SEND_USAGE_DATA_TO_TABLEAU, parameters=parameters) as process:
        yield process


@contextmanager
def opened(process: Any, path: Path, *, new: bool) -> Iterator[Any]:
    """Open a .hyper file for writing; a *new* one takes the place of what is there."""
    from tableauhyperapi import Connection, CreateMode

    mode = CreateMode.CREATE_AND_REPLACE if new else CreateMode.NONE
    with Connection(process.endpoint, str(path), mode) as connection:
        yield connection


def tables_of(fact: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the dimensions of *fact* by its key columns, and all tables of its file.

    There is one column a dimension. The dimensions come first, then what has several rows of one of them
    (`bridges`), the fact last.
    """
    refs = _refs(fact)
    dimensions = sorted(set(refs.values()))
    return refs, (*dimensions, *bridges(dimensions), fact)


def bridges(dimensions: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the tables with several values of a row of *dimensions*, with key columns and dimensions."""
    known = set(dimensions)
    return {
        table: refs
        for table in model().tables
        if table.startswith("bridge_")
        and table != BRIDGE
        and known.issuperset((refs := _refs(table)).values())
    }


def _refs(table: str) -> dict[str, str]:
    refs: dict[str, str] = {}
    for name, column in model().tables[table].columns.items():
        if column.ref and column.ref not in refs.values():
            refs[name] = column.ref
    return refs


def ddl(table: str, lang: str, refs: Mapping[str, str]) -> str:
    """Return the statement that makes *table* with captions for names.

    *refs* are its key columns and the dimensions they point to.
    """
    shape, names = model().tables[table], captions(table, lang)
    lines = [
        f"{quoted(names[name])} {_TYPES[column.type]}{' NOT NULL' if name in shape.key else ''}"
        for name, column in shape.columns.items()
    ]
    lines.append(f"ASSUMED PRIMARY KEY ({', '.join(quoted(names[name]) for name in shape.key)})")
    for name, target in refs.items():
        (key,) = model().tables[target].key
        there = f"{quoted(table_caption(target, lang))} ({quoted(captions(target, lang)[key])})"
        lines.append(f"ASSUMED FOREIGN KEY ({quoted(names[name])}) REFERENCES {there}")
    return f"CREATE TABLE {quoted(table_caption(table, lang))} ({', '.join(lines)})"


def captions(table: str, lang: str) -> dict[str, str]:
    """Return the captions of the columns, told apart where two are equal without case."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name, caption in column_captions(table, lang).items():
        found[name] = caption if caption.casefold() not in taken else f"{caption} ({name})"
        taken.add(found[name].casefold())
    return found


def quoted(name: str) -> str:
    """Return a name as Hyper's SQL writes it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """Return a text as Hyper's SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def parquet(paths: list[str]) -> str:
    """Return the source that reads Parquet files."""
    return f"external(ARRAY[{', '.join(text(path) for path in paths)}], FORMAT => 'parquet')"


def build(connection: Any, fact: str, feed: FeedView) -> None:
    """Fill a new file with *fact* and what belongs to it, straight from the feed's Parquet files."""
    refs, tables = tables_of(fact)
    pointing = {fact: refs, **bridges(tables)}
    for table in tables:
        connection.execute_command(ddl(table, feed.lang, pointing.get(table, {})))
        paths = sorted(glob.glob(feed.tables[table], recursive=True))
        if paths:
            connection.execute_command(
                f"INSERT INTO {quoted(table_caption(table, feed.lang))} SELECT {_columns(table)} "
                f"FROM {parquet(paths)}"
            )


def _columns(table: str) -> str:
    # instants as UTC without a zone: Tableau shows them alike to everybody
    return ", ".join(
        f"{quoted(name)} AT TIME ZONE 'UTC'" if column.type == "TIMESTAMPTZ" else quoted(name)
        for name, column in model().tables[table].columns.items()
    )


def write(process: Any, fact: str, feed: FeedView, path: Path) -> None:
    """Write the file of *fact* to *path*.

    A million rows take half a second: quicker than finding out what changed of them.
    """
    with opened(process, path, new=True) as connection:
        build(connection, fact, feed)


def write_rows(
    process: Any, path: Path, tables: Mapping[str, tuple[Mapping[str, str], Iterable[tuple[Any, ...]]]]
) -> None:
    """Write an extract of *tables*: by its name, the columns of each with their types, and its rows."""
    from tableauhyperapi import Inserter, Nullability, SqlType, TableDefinition, TableName

    types = {"BIGINT": SqlType.big_int, "DOUBLE": SqlType.double, "VARCHAR": SqlType.text,
             "DATE": SqlType.date}  # fmt: skip
    with opened(process, path, new=True) as connection:
        for name, (columns, rows) in tables.items():
            shape = TableDefinition(TableName("public", name), [
                TableDefinition.Column(column, types[kind](), Nullability.NULLABLE)
                for column, kind in columns.items()
            ])  # fmt: skip
            connection.catalog.create_table(shape)
            with Inserter(connection, shape) as inserter:
                inserter.add_rows(rows)
                inserter.execute()
