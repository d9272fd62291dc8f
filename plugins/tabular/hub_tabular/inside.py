"""What a workbook is looked at for: what may stand in it, and what was seen beside its values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import IO, Any
from xml.etree import ElementTree  # what it may unpack to is bounded before

import msgspec

from hub import SERIAL_ZERO, SourceDataError, mark, tr
from hub_tabular.formats import Shown
from hub_tabular.mapping import FaultyCell

NO_VALUE = mark("is a formula whose value was not saved: open the file in a spreadsheet program and save it")
MOST_HIDDEN = 16384
"""The most columns that are noted as hidden: so many has a sheet."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What a file may hold: megabytes as it lies there and unpacked, cells of a sheet, columns of a table."""

    file_mb: float = 500.0
    unpacked_mb: float = 2000.0
    cells: int = 10_000_000
    columns: int = 2000


class Inside(msgspec.Struct, kw_only=True):
    """What stands in a sheet beside its values, by row and column from 0; *far* are cells left out."""

    shown: dict[tuple[int, int], Shown] = {}
    faults: dict[tuple[int, int], FaultyCell] = {}
    far: list[str] = []
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = []
    """The first and the last of cells that were merged, where the reader of workbooks does not say it."""
    zero: date = SERIAL_ZERO
    """The day from which the workbook counts days."""
    hidden: int = 0
    """How many rows are hidden, by a person or a filter."""
    hidden_columns: set[int] = set()
    instead: bytes | None = None
    """The workbook without the cells that are far from the table."""


def reference(row: int, column: int) -> str:
    """Return the name of a cell as a person knows it."""
    letters, column = "", column + 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(65 + rest) + letters
    return f"{letters}{row + 1}"


def too_far(name: str, sheet: str, cell: str, limits: Limits) -> SourceDataError:
    """Return the error of a sheet that is too wide or too long."""
    return SourceDataError(
        tr(
            "{name}, sheet {sheet}: its cells reach to {cell}, more than max_cells = {cells} or "
            "max_columns = {columns} allows. Delete the rows and columns that are not of the table, or "
            "raise the setting of the source.",
            name=name,
            sheet=sheet,
            cell=cell,
            cells=limits.cells,
            columns=limits.columns,
        )
    )


_LARGE = frozenset({"sheetData", "body", "spreadsheet", "styles", "automatic-styles"})


def elements(file: IO[bytes], names: set[str]) -> Iterator[tuple[str, Any]]:
    """Return the elements of these names as they begin and end, and keep none of them."""
    for event, one in ElementTree.iterparse(file, events=("start", "end")):  # noqa: S314 - see the import
        local = local_of(one.tag)
        if local in names:
            yield event, one
        if event == "end" and (local in names or local in _LARGE):
            one.clear()


def all_of(root: Any, name: str) -> list[Any]:
    """Return the elements below one that have a name, whatever their namespace."""
    return [one for one in root.iter() if local_of(one.tag) == name]


def local_of(name: str) -> str:
    """Return a name without its namespace."""
    return name.rpartition("}")[2]


def attribute(one: Any, name: str) -> str | None:
    """Return an attribute of an element, whatever its namespace."""
    return next((value for key, value in one.attrib.items() if local_of(key) == name), None)
