"""Rows as text of JSON or CSV, which DuckDB itself writes: SQL that joins typed texts column by column."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import msgspec

from hub import FORMULA_STARTS
from hub_serve.odata.names import NAMESPACE, edm, text

if TYPE_CHECKING:
    from hub_serve.odata.behind import Behind

Metadata = Literal["minimal", "full", "none"]
_TYPED_BY_JSON = frozenset({"VARCHAR", "DOUBLE", "BOOLEAN"})
"""Types that a reader of JSON sees; full metadata tells the others (JSON format 4.01, 4.6.3)."""


class Writing(msgspec.Struct, frozen=True, kw_only=True):
    """How rows are written: with which *metadata*, long numbers *as_text* in quotes or not.

    Links to the rest of a collection lead to the service at *root* and to the feed with the id *feed*, and
    have what else the address said, *others*.
    """

    metadata: Metadata = "minimal"
    as_text: bool = False
    root: str = ""
    feed: str = ""
    others: tuple[tuple[str, str], ...] = ()


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One property of an answer: the column of the query that holds it and its type."""

    name: str
    column: str
    type: str


class Shape(msgspec.Struct, kw_only=True):
    """What an answer shows of a row: its *cells*, and *parts* that are rows of dimensions or groups.

    *behind* are the rows of its collections.
    *keys* tell an entity of the set *name* from others; where the first of them is NULL a part is null.
    Rows of several kinds have the number of theirs in the column *kind*, and each the shape of *kinds*.
    """

    cells: list[Cell] = []
    parts: dict[str, Shape] = {}
    behind: list[Behind] = []
    name: str = ""
    keys: list[Cell] = []
    links: list[str] = []
    kind: Cell | None = None
    kinds: list[Shape] = []


def json_row(shape: Shape, how: Writing) -> str:
    """Return the SQL that writes a row of *shape* as an object."""
    if shape.kind is not None:
        each = " ".join(f"WHEN {n} THEN {json_row(one, how)}" for n, one in enumerate(shape.kinds))
        return f"CASE {shape.kind.column} {each} END"
    pieces = _pieces(shape, how)
    joined: list[str] = []
    pending = ""
    for is_literal, piece in pieces:
        if is_literal:
            pending += piece
            continue
        if pending:
            joined.append(text(pending))
            pending = ""
        joined.append(piece)
    return f"concat({', '.join([*joined, text(pending)])})"


def json_value(cell: Cell, *, as_text: bool = False) -> str:
    """Return the SQL that writes one value; what JSON has no number for is null."""
    column, kind = cell.column, cell.type
    match kind:
        case "VARCHAR":
            return f"coalesce(to_json({column})::VARCHAR, 'null')"
        case "DOUBLE":
            return f"CASE WHEN isfinite({column}) THEN {column}::VARCHAR ELSE 'null' END"
        case "DATE" | "TIMESTAMPTZ":
            return f"coalesce('\"' || {_plain(cell)} || '\"', 'null')"
    if as_text and kind != "BOOLEAN":
        return f"coalesce('\"' || {column}::VARCHAR || '\"', 'null')"
    return f"coalesce({column}::VARCHAR, 'null')"


def plain_value(cell: Cell) -> str:
    """Return the SQL that writes one value for ``/$value``."""
    if cell.type == "DOUBLE":
        return f"CASE WHEN isfinite({cell.column}) THEN {cell.column}::VARCHAR END"
    return _plain(cell)


def csv_row(shape: Shape) -> str:
    """Return the SQL that writes a row of *shape* as a line.

    A text that a spreadsheet would run gets an apostrophe.
    """
    cells = [cell for _, cell in _flat(shape)]
    listed = ", ',', ".join(_csv_value(cell) for cell in cells)
    return f"concat({listed}, '\r\n')"


def csv_head(shape: Shape) -> str:
    """Return the first line of a CSV file: what the columns are called, those of parts by their path."""
    return ",".join(_in_quotes(path) for path, _ in _flat(shape)) + "\r\n"


def key_of(name: str, keys: list[Cell]) -> str:
    """Return the SQL that writes the address of an entity from the root of the service."""
    if len(keys) == 1:
        return f"concat({text(name + '(')}, {_key_value(keys[0])}, ')')"
    listed = [
        f"{text(('(' if n == 0 else ',') + key.name + '=')}, {_key_value(key)}" for n, key in enumerate(keys)
    ]
    return f"concat({text(name)}, {', '.join(listed)}, ')')"


def _pieces(shape: Shape, how: Writing) -> list[tuple[bool, str]]:
    """Return literals (True) and SQL (False), one after the other."""
    metadata = how.metadata
    found: list[tuple[bool, str]] = []
    if metadata == "full" and shape.name:
        found.append((True, f'"@odata.type":"#{NAMESPACE}.{shape.name}","@odata.id":"'))
        found.append((False, key_of(shape.name, shape.keys)))
        found.append((True, '"'))
        for link in shape.links:
            found.append((True, f',"{link}@odata.navigationLink":"'))
            found.append((False, key_of(shape.name, shape.keys)))
            found.append((True, f'/{link}"'))
    for cell in shape.cells:
        comma = "," if found else ""
        if metadata == "full" and cell.type not in _TYPED_BY_JSON:
            kind = edm(cell.type)[0].removeprefix("Edm.")
            found.append((True, f'{comma}"{cell.name}@odata.type":"#{kind}"'))
            comma = ","
        found += [(True, f"{comma}{json.dumps(cell.name)}:"), (False, json_value(cell, as_text=how.as_text))]
    for name, part in shape.parts.items():
        found.append((True, f"{',' if found else ''}{json.dumps(name)}:"))
        written = json_row(part, how)
        if part.keys:
            written = f"CASE WHEN {part.keys[0].column} IS NULL THEN 'null' ELSE {written} END"
        found.append((False, written))
    for one in shape.behind:
        found += [*([(True, ",")] if found else []), *one.pieces(how)]
    return [(True, "{"), *found, (True, "}")]


def _flat(shape: Shape, before: str = "") -> list[tuple[str, Cell]]:
    found = [(before + cell.name, cell) for cell in shape.cells]
    for name, part in shape.parts.items():
        found += _flat(part, f"{before}{name}/")
    return found


def _plain(cell: Cell) -> str:
    if cell.type == "TIMESTAMPTZ":
        return f"strftime({cell.column}, '%Y-%m-%dT%H:%M:%S.%fZ')"
    return f"{cell.column}::VARCHAR"


def _csv_value(cell: Cell) -> str:
    if cell.type != "VARCHAR":
        return plain_value(cell)
    column = cell.column
    starts = text(f"^[{FORMULA_STARTS}]")
    safe = f"CASE WHEN regexp_matches({column}, {starts}) THEN '''' || {column} ELSE {column} END"
    return f"'\"' || replace({safe}, '\"', '\"\"') || '\"'"


def _in_quotes(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _key_value(key: Cell) -> str:
    if key.type != "VARCHAR":
        return _plain(key)
    return f"concat('''', url_encode(replace({key.column}, '''', '''''')), '''')"
