"""What the content of an OpenDocument spreadsheet says beside the values of its cells.

Source: OpenDocument 1.3 part 3: office:value-type, table:visibility, fo:margin-left.
"""

from __future__ import annotations

import contextlib
import re
import zipfile
from datetime import date
from typing import Any
from xml.etree import ElementTree  # what it may unpack to is bounded before

import msgspec

from hub import tr
from hub_tabular.formats import Shown
from hub_tabular.inside import (
    MOST_HIDDEN,
    NO_VALUE,
    Inside,
    Limits,
    all_of,
    attribute,
    elements,
    local_of,
    reference,
    too_far,
)
from hub_tabular.mapping import FaultyCell


def look(name: str, book: zipfile.ZipFile, sheet: str, limits: Limits) -> Inside:
    """Return what stands in *sheet* besides its values.

    Raises `SourceDataError` where the cells of any sheet reach too far.
    """
    reader = _Sheets(name=name, sheet=sheet, limits=limits)
    # it may be encrypted, which the reader of workbooks says
    with contextlib.suppress(ElementTree.ParseError), book.open("content.xml") as file:
        for event, one in elements(file, _ELEMENTS):
            reader.begin(one) if event == "start" else reader.end(one)
    return reader.found


class _Sheets(msgspec.Struct, kw_only=True):
    """What was seen up to here: *title* is the sheet at hand, *row* and *column* are counted from 0."""

    name: str
    sheet: str
    limits: Limits
    found: Inside = msgspec.field(
        default_factory=lambda: Inside(shown={}, faults={}, far=[], merged=[], hidden_columns=set())
    )
    indents: dict[str, int] = {}
    title: str = ""
    row: int = -1
    height: int = 0
    column: int = 0
    aside: int = 0
    """The column that the next element of columns is of."""
    is_filled: bool = False
    last: int = 0
    width: int = 0
    """How many rows and columns the cells reach over that hold something."""

    def begin(self, one: Any) -> None:
        match local_of(one.tag):
            case "null-date":
                with contextlib.suppress(ValueError):
                    self.found.zero = date.fromisoformat(attribute(one, "date-value") or "")
            case "table":
                self.title, self.row, self.height = attribute(one, "name") or "", -1, 0
                self.column = self.aside = self.last = self.width = 0
            case "table-column":
                wide = int(attribute(one, "number-columns-repeated") or 1)
                if self.title == self.sheet and attribute(one, "visibility") in _HIDDEN:
                    self.found.hidden_columns.update(range(self.aside, min(self.aside + wide, MOST_HIDDEN)))
                self.aside += wide
            case "table-row":
                self.row, self.column, self.is_filled = self.row + max(self.height, 1), 0, False
                self.height = int(attribute(one, "number-rows-repeated") or 1)

    def end(self, one: Any) -> None:
        match local_of(one.tag):
            case "style":
                if steps := _indent_of_style(one):
                    self.indents[attribute(one, "name") or ""] = steps
            case "table-row":
                if self.title == self.sheet and self.is_filled and attribute(one, "visibility") in _HIDDEN:
                    self.found.hidden += self.height
            case "table-cell" | "covered-table-cell":
                self._cell(one)

    def _cell(self, one: Any) -> None:
        wide = int(attribute(one, "number-columns-repeated") or 1)
        kind, text = attribute(one, "value-type"), " ".join("".join(one.itertext()).split())
        if kind or text:
            self.is_filled = True
            self.last = max(self.last, self.row + self.height)
            self.width = max(self.width, self.column + wide)
            if self.width > self.limits.columns or self.last * self.width > self.limits.cells:
                raise too_far(self.name, self.title, reference(self.last - 1, self.width - 1), self.limits)
        if self.title == self.sheet:
            if (tall := int(attribute(one, "number-rows-spanned") or 1)) > 1:
                spanned = int(attribute(one, "number-columns-spanned") or 1)
                first = (self.row, self.column)
                self.found.merged.append((first, (self.row + tall - 1, self.column + spanned - 1)))
            rows = range(self.row, self.row + self.height)
            columns = range(self.column, self.column + wide)
            steps = self.indents.get(attribute(one, "style-name") or "", 0) if kind == "string" else 0
            _note(self.found, one, kind, text, rows, columns, steps)
        self.column += wide


_ELEMENTS = {"null-date", "style", "table", "table-column", "table-row", "table-cell", "covered-table-cell"}
_HIDDEN = frozenset({"collapse", "filter"})
_STEP_CM = 0.35
"""By so much LibreOffice, and Excel, indent a cell of an OpenDocument sheet by one step (10 pt)."""
_UNITS_CM = {"cm": 1.0, "mm": 0.1, "in": 2.54, "pt": 2.54 / 72, "pc": 2.54 / 6, "px": 2.54 / 96}
_LENGTH = re.compile(r"([0-9]*\.?[0-9]+)(cm|mm|in|pt|pc|px)")


def _indent_of_style(style: Any) -> int:
    """Return by how many steps a style of cells indents a text."""
    margins = [attribute(one, "margin-left") for one in all_of(style, "paragraph-properties")]
    match = _LENGTH.fullmatch(margins[0]) if margins and margins[0] else None
    if match is None or float(match[1]) <= 0:
        return 0
    return max(1, round(float(match[1]) * _UNITS_CM[match[2]] / _STEP_CM))


def _note(
    found: Inside, one: Any, kind: str | None, text: str, rows: range, columns: range, steps: int
) -> None:
    """Note how a cell of an OpenDocument sheet is shown, and what is wrong with it."""
    shown: Shown | None = Shown(indent=steps) if steps else None
    fault = None
    if kind in {"percentage", "currency"}:
        mark = attribute(one, "currency") if kind == "currency" else None
        shown = Shown(percent=kind == "percentage", currency=mark)
    formula = attribute(one, "formula")
    if "error" in {value for key, value in one.attrib.items() if local_of(key) == "value-type"}:
        fault = FaultyCell(text or "#N/A", tr("is an error of the spreadsheet"))
    elif formula and not kind and not text:
        fault = FaultyCell("=", tr(NO_VALUE))
    if shown or fault:
        for row in rows[:10_000]:
            for column in columns[:2_000]:
                if shown:
                    found.shown[row, column] = shown
                if fault:
                    found.faults[row, column] = fault
