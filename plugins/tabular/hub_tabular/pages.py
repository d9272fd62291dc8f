"""Tables of pages that call themselves workbooks: in HTML, and in the XML of Excel 2003 (SpreadsheetML).

ERPs and trackers write them for "export to Excel". Nothing outside of the file is read.

Sources: HTML Living Standard 4.9; XML Spreadsheet Reference (Microsoft, Office 2003): ``ss:Index`` tells
what is left out.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable
from datetime import datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.parsers import expat

import msgspec

from hub import SERIAL_ZERO, SERIAL_ZERO_1904, FormattedNumber, SourceDataError, elapsed, storable, tr
from hub_tabular.formats import Shown, shown_by
from hub_tabular.inside import NO_VALUE, Limits, reference, too_far
from hub_tabular.mapping import FaultyCell

Cells = list[list[Any]]
_SPREADSHEET = "urn:schemas-microsoft-com:office:spreadsheet"
_PLAIN_NUMBER = re.compile(r"[-+(]?[0-9][0-9\s.,'\u00a0\u202f]*\)?")
_CHARSET = re.compile(
    rb"""<(?:meta\b[^>]*?charset|\?xml\b[^>]*?encoding)\s*=\s*["']?([\w.:-]+)""", re.IGNORECASE
)
_NOT_SHOWN = re.compile(r"display\s*:\s*none|visibility\s*:\s*(?:hidden|collapse)", re.IGNORECASE)
_1904 = re.compile(r"<(?:\w+:)?Date1904\s*/?>")
"""What says that days are counted from 1904 on."""
_NAMED = {"Percent": "0%", "Euro Currency": '"€"0'}
_WIDEST, _HIGHEST = 1000, 65534
"""The most columns and rows that a cell of HTML spans."""


class PageTable(msgspec.Struct, kw_only=True):
    """One table of a page: its cells from the first row on, and what was merged downwards."""

    name: str
    rows: Cells = []
    merged: list[tuple[tuple[int, int], tuple[int, int]]] = []
    is_visible: bool = True
    hidden: int = 0
    """How many rows are hidden."""
    hidden_columns: set[int] = set()


def is_page(head: bytes) -> bool:
    """Say whether a file begins as a page does, in whatever encoding of Unicode."""
    for bom, name in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if head.startswith(bom):
            head = head[2:].decode(name, "replace").encode()
    return head.removeprefix(codecs.BOM_UTF8).lstrip()[:1] == b"<"


def tables_of(path: Path, limits: Limits, encoding: Callable[[], str]) -> list[PageTable]:
    """Return the tables of a page; *encoding* guesses that of one which does not say it.

    Raises `SourceDataError` for a page without a table, one that is cut off, and one that is too large.
    """
    try:
        data = path.read_bytes()
    except OSError as exc:
        raise SourceDataError(
            tr("{file} cannot be read: {reason}.", file=storable(path.name), reason=exc.strerror)
        ) from exc
    head = data[:8192].replace(b"\0", b"")
    if _SPREADSHEET.encode() in head:
        found = _Spreadsheet(storable(path.name), limits).read(data)
    else:
        found = _Page(storable(path.name), limits).read(_decoded(data, head, encoding))
    if not found:
        raise SourceDataError(
            tr(
                "{file} is a page in HTML or XML without a table: a sign-in page, or one whose sheets are "
                "other files. Export it again, or save it as XLSX from a spreadsheet program.",
                file=storable(path.name),
            )
        )
    return found


def _decoded(data: bytes, head: bytes, encoding: Callable[[], str]) -> str:
    for bom, name in (
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if data.startswith(bom):
            return data.decode(name, "replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        said = match[1].decode().lower() if (match := _CHARSET.search(head)) else encoding()
    try:
        # what calls itself Latin-1 is read as Windows-1252, as browsers do
        return data.decode("cp1252" if said in {"iso-8859-1", "latin1", "us-ascii"} else said, "replace")
    except LookupError:
        return data.decode(encoding(), "replace")


class _Grid:
    """The cells of a table as they come, no more of them than are allowed."""

    def __init__(self, file: str, name: str, limits: Limits) -> None:
        self.file, self.limits = file, limits
        self.table = PageTable(name=name, rows=[], merged=[], hidden_columns=set())
        self.row = self.column = -1
        self.cells = 0
        self.taken: dict[int, set[int]] = {}
        """The columns of rows below that a cell spans."""

    def next_row(self, index: int | None = None) -> None:
        self.row, self.column = (self.row + 1 if index is None else index - 1), -1
        self._bound(self.row, 0, 0)
        while len(self.table.rows) <= self.row:
            self.table.rows.append([])

    def put(self, value: Any, *, index: int | None = None, wide: int = 1, tall: int = 1) -> None:
        self.column = self.column + 1 if index is None else index - 1
        taken = self.taken.get(self.row, set())
        while index is None and self.column in taken:
            self.column += 1
        self._bound(self.row, self.column + wide - 1, wide)
        cells = self.table.rows[self.row]
        cells += [None] * (self.column + wide - len(cells))
        cells[self.column] = value
        if tall > 1:
            self.table.merged.append(((self.row, self.column), (self.row + tall - 1, self.column + wide - 1)))
            for below in range(self.row + 1, self.row + min(tall, _HIGHEST)):
                self.taken.setdefault(below, set()).update(range(self.column, self.column + wide))
                self.cells += wide
                self._bound(below, self.column, 0)
        self.column += wide - 1

    def _bound(self, row: int, column: int, more: int) -> None:
        self.cells += more or 1
        if row < 0 or column < 0 or column >= self.limits.columns or max(self.cells, row) > self.limits.cells:
            raise too_far(self.file, self.table.name, reference(max(row, 0), max(column, 0)), self.limits)


class _Page(HTMLParser):
    """Reads the tables of HTML, one in another as a table of its own."""

    def __init__(self, file: str, limits: Limits) -> None:
        super().__init__(convert_charrefs=True)
        self.file, self.limits = file, limits
        self.done: list[_Grid] = []
        self.open: list[_Grid] = []
        self.cell: list[tuple[_Grid, dict[str, str], list[str]]] = []
        self.caption: list[str] | None = None
        self.mute = ""
        self.is_closed = False
        self.zero = SERIAL_ZERO

    def read(self, text: str) -> list[PageTable]:
        self.zero = SERIAL_ZERO_1904 if _1904.search(text) else SERIAL_ZERO
        self.feed(text)
        self.close()
        if self.open and not self.is_closed:
            raise SourceDataError(
                tr("{file} seems to be cut off: its table does not end. Export it again.", file=self.file)
            )
        found = [one.table for one in self.done]
        for one in found:
            while one.rows and not any(cell not in {None, ""} for cell in one.rows[-1]):
                one.rows.pop()
        # a title, a frame for what stands beside each other: no table has but one row, or one column
        real = [one for one in found if len(one.rows) > 1 and any(len(row) > 1 for row in one.rows)]
        names = set[str]()
        for one in real:
            name, count = one.name, 2
            while one.name in names:
                one.name, count = f"{name} ({count})", count + 1
            names.add(one.name)
        return real

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style", "title", "head"}:
            self.mute = tag
        elif tag == "table":
            self.mute = ""
            one = _Grid(self.file, f"Table {len(self.done) + 1}", self.limits)
            self.done.append(one)
            self.open.append(one)
        elif tag == "caption" and self.open:
            self.caption = []
        elif tag == "tr" and self.open:
            self._end_cell(self.open[-1])
            self.open[-1].next_row()
            said = {name: value or "" for name, value in attrs}
            if "hidden" in said or _NOT_SHOWN.search(said.get("style", "")):
                self.open[-1].table.hidden += 1
        elif tag in {"td", "th"} and self.open:
            grid = self.open[-1]
            self._end_cell(grid)
            if grid.row < 0:
                grid.next_row()
            self.cell.append((grid, {name: value or "" for name, value in attrs}, []))
        elif tag in {"br", "p", "div", "li"}:
            self.handle_data(" ")
        elif tag == "body":
            self.mute = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == self.mute:
            self.mute = ""
        elif tag in {"td", "th", "tr"} and self.open:
            self._end_cell(self.open[-1])
        elif tag == "caption" and self.open and self.caption is not None:
            self.open[-1].table.name = " ".join("".join(self.caption).split()) or self.open[-1].table.name
            self.caption = None
        elif tag == "table" and self.open:
            self._end_cell(self.open[-1])
            self.open.pop()
        elif tag in {"body", "html"}:
            self.is_closed = True
            while self.open:
                self._end_cell(self.open.pop())

    def handle_data(self, data: str) -> None:
        if self.mute:
            return
        if self.caption is not None:
            self.caption.append(data)
        elif self.cell and self.open and self.cell[-1][0] is self.open[-1]:
            self.cell[-1][2].append(data)

    def _end_cell(self, grid: _Grid) -> None:
        if not self.cell or self.cell[-1][0] is not grid:
            return
        _, attributes, parts = self.cell.pop()
        text = " ".join("".join(parts).split(" ")).strip("\r\n\t ")
        text = re.sub(r"[ \t\r\n]+", " ", text)
        exact = attributes.get("x:num") or attributes.get("sdval") or ""
        value: Any = text or None
        if exact and _PLAIN_NUMBER.fullmatch(text):
            try:  # what a spreadsheet program kept beside what it shows
                value = (
                    float(exact)
                    if self.zero == SERIAL_ZERO
                    else FormattedNumber(float(exact), zero=self.zero)
                )
            except ValueError:
                value = text
        wide, tall = _span(attributes, "colspan", _WIDEST), _span(attributes, "rowspan", _HIGHEST)
        grid.put(value, wide=wide, tall=tall)


def _span(attributes: dict[str, str], name: str, most: int) -> int:
    text = attributes.get(name, "").strip()
    return min(max(int(text), 1), most) if text.isascii() and text.isdigit() else 1


class _Spreadsheet:
    """Reads the sheets of Excel 2003's XML."""

    def __init__(self, file: str, limits: Limits) -> None:
        self.file, self.limits = file, limits
        self.sheets: list[_Grid] = []
        self.zero = SERIAL_ZERO
        self.styles: dict[str, Shown | None] = {}
        self.style = ""
        self.aside = 0
        """The column that the next element of columns is of."""
        self.path: list[str] = []
        self.cell: dict[str, str] = {}
        self.kind: str | None = None
        self.text: list[str] = []

    def read(self, data: bytes) -> list[PageTable]:
        parser = expat.ParserCreate(namespace_separator="}")
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler = self._begin
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._hear
        try:
            parser.Parse(data, True)
        except (expat.ExpatError, ValueError, OverflowError) as exc:
            raise SourceDataError(
                tr(
                    "{file} cannot be read as XML ({error}): it is cut off, or damaged. Export it again.",
                    file=self.file,
                    error=exc,
                )
            ) from exc
        return [one.table for one in self.sheets]

    def _refuse(self, *_: Any) -> None:
        raise SourceDataError(
            tr(
                "{file} declares a document type, which no spreadsheet needs: it was not read.",
                file=self.file,
            )
        )

    def _begin(self, tag: str, attributes: dict[str, str]) -> None:
        local = tag.rpartition("}")[2]
        mine = {name.rpartition("}")[2]: value for name, value in attributes.items()}
        self.path.append(local)
        grid = self.sheets[-1] if self.sheets else None
        if local == "Style":
            self.style = mine.get("ID", "")
        elif local == "NumberFormat":
            code = mine.get("Format", "")
            self.styles[self.style] = shown_by({164: _NAMED.get(code, code)}).get(164)
        elif local == "Worksheet":
            self.sheets.append(_Grid(self.file, mine.get("Name", ""), self.limits))
            self.aside = 0
        elif local == "Row" and grid:
            grid.next_row(int(mine["Index"]) if "Index" in mine else None)
            grid.table.hidden += mine.get("Hidden") == "1"
        elif local == "Column" and grid:
            first = int(mine["Index"]) - 1 if "Index" in mine else self.aside
            self.aside = first + 1 + int(mine.get("Span") or 0)
            if mine.get("Hidden") == "1":
                grid.table.hidden_columns.update(range(first, min(self.aside, self.limits.columns)))
        elif local == "Cell" and grid:
            self.cell, self.kind, self.text = mine, None, []
        elif local == "Data" and "Cell" in self.path:
            self.kind = mine.get("Type", "String")
        elif local == "Date1904":
            self.zero = SERIAL_ZERO_1904
        elif local == "Visible":
            self.text = []

    def _hear(self, text: str) -> None:
        if "Data" in self.path or self.path[-1:] == ["Visible"]:
            self.text.append(text)

    def _end(self, tag: str) -> None:
        local = tag.rpartition("}")[2]
        self.path.pop()
        if local == "Cell" and self.sheets:
            wide = int(self.cell.get("MergeAcross") or 0) + 1
            tall = int(self.cell.get("MergeDown") or 0) + 1
            index = int(self.cell["Index"]) if "Index" in self.cell else None
            self.sheets[-1].put(self._value(), index=index, wide=wide, tall=tall)
        elif local == "Visible" and self.sheets:
            self.sheets[-1].table.is_visible = "Hidden" not in "".join(self.text)

    def _value(self) -> Any:
        text = "".join(self.text)
        match self.kind:
            case None:
                return FaultyCell("=", tr(NO_VALUE)) if "Formula" in self.cell else None
            case "Number":
                shown = self.styles.get(self.cell.get("StyleID", "")) or Shown()
                return shown.of(float(text), self.zero)
            case "DateTime":
                moment = datetime.fromisoformat(text)
                gone = elapsed(moment)
                if gone is not None and (moment.year < 1901 or self.zero == SERIAL_ZERO_1904):
                    return gone
                return moment.date() if moment.time() == moment.min.time() else moment
            case "Boolean":
                return text.strip() == "1"
            case "Error":
                return FaultyCell(text or "#N/A", tr("is an error of the spreadsheet"))
        return text if text.strip() else None
