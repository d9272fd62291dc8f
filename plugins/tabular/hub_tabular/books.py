"""What the reader of workbooks does not say: formats, errors, formulas without value, far cells, sizes.

Sources: ECMA-376 part 1, 18.3.1.4 (c); OpenDocument 1.3 part 3, office:value-type. XLS and XLSB keep the same
in binary records (`binary`).
"""

from __future__ import annotations

import contextlib
import gzip
import io
import itertools
import re
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from typing import IO, Any, cast
from xml.etree import ElementTree  # what it may unpack to is bounded before

import msgspec

from hub import SERIAL_ZERO, SERIAL_ZERO_1904, SourceDataError, mark, storable, tr
from hub_tabular import binary
from hub_tabular.formats import Shown, shown_by
from hub_tabular.mapping import FaultyCell

ZIPPED = frozenset({".xlsx", ".xlsm", ".xlsb", ".ods"})
PACKED = ".gz"
"""The end of the name of a text that is packed, such as hours.csv.gz."""
_CELL = re.compile(r"([A-Z]+)([0-9]+)")
_LETTERS = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]+)[0-9]+["']""")
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\sr\s*=\s*["']([0-9]+)["']""")
_HIDDEN_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\shidden\s*=\s*["'](?:1|true)["'][^>/]*>""")
_ODD = re.compile(
    rb"</(?:\w+:)?f>\s*</(?:\w+:)?c>|<(?:\w+:)?f\b[^<>]*/>\s*</(?:\w+:)?c>"
    rb"|<(?:\w+:)?v\s*/>|<(?:\w+:)?v>\s*</"
)
_BLOCK = 1 << 20
_MOST_DEFLATED = 1032
"""Bytes that one byte of deflate may unpack to."""
_FAR_ROWS, _FAR_COLUMNS = 10_000, 200
"""So many empty rows or columns after it end a table: what stands behind is far from it."""
_MOST_FAR = 100
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, struct.error)
_UNUSUAL = (KeyError, ValueError, StopIteration, ElementTree.ParseError)
"""What a workbook raises that another reader may understand."""
NO_VALUE = mark("is a formula whose value was not saved: open the file in a spreadsheet program and save it")


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
    instead: bytes | None = None
    """The workbook without the cells that are far from the table."""


def check_size(path: Path, limits: Limits) -> None:
    """Raise `SourceDataError` for a file that is too large, or that unpacks to too much."""
    try:
        size = path.stat().st_size
    except OSError as exc:
        raise SourceDataError(
            tr("{file} cannot be read: {reason}.", file=storable(path.name), reason=exc.strerror)
        ) from exc
    if size > limits.file_mb * 1e6:
        raise SourceDataError(
            tr(
                "{file} has {size:.0f} MB, more than max_file_mb = {file_mb:g} allows: cut it into "
                "several files, or raise the setting of the source.",
                file=storable(path.name),
                size=size / 1e6,
                file_mb=limits.file_mb,
            )
        )
    most = int(limits.unpacked_mb * 1e6)
    if path.suffix.lower() == PACKED:
        said = _unpacked_text(path, most)
    elif zipfile.is_zipfile(path):
        said = _unpacked_book(path, most)
    else:
        return
    if said > most:
        raise SourceDataError(
            tr(
                "{file} unpacks to {said:.0f} MB or more, and max_unpacked_mb = {unpacked_mb:g} is "
                "allowed: save it anew from a spreadsheet program, or raise the setting of the source.",
                file=storable(path.name),
                said=said / 1e6,
                unpacked_mb=limits.unpacked_mb,
            )
        )


def is_book(head: bytes) -> bool:
    """Say whether a file begins as a workbook does: as an archive, or as a compound file."""
    return head.startswith((b"PK\3\4", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"))


def opened(path: Path) -> IO[bytes]:
    """Open a text, which may be packed, as its bytes."""
    return cast("IO[bytes]", gzip.open(path)) if path.suffix.lower() == PACKED else path.open("rb")


def _unpacked_text(path: Path, most: int) -> int:
    """Return the bytes of a packed text, counted up to just above *most*.

    Raises `SourceDataError` where it is no such file, or ends before its end.
    """
    found = 0
    try:
        with opened(path) as file:
            while found <= most and (block := file.read(_BLOCK)):
                found += len(block)
    except (EOFError, zlib.error, OSError) as exc:
        raise SourceDataError(
            tr(
                "{file} cannot be unpacked ({error}): it is damaged, half-written or not gzip. "
                "Write it anew.",
                file=storable(path.name),
                error=exc,
            )
        ) from exc
    return found


def _unpacked_book(path: Path, most: int) -> int:
    """Return the bytes that a workbook unpacks to; 0 where the reader of workbooks says what is wrong."""
    try:
        with zipfile.ZipFile(path) as book, path.open("rb") as file:
            members = book.infolist()
            said = sum(one.file_size for one in members)
            # what the directory says may be less than what is there
            if said <= most and sum(one.compress_size for one in members) * _MOST_DEFLATED > most:
                said = sum(_unpacked(file, one, most) for one in members)
    except (*_DAMAGED, OSError):
        return 0
    return said


def _unpacked(file: IO[bytes], member: zipfile.ZipInfo, most: int) -> int:
    """Return the bytes that a member really unpacks to, counted up to just above *most*."""
    file.seek(member.header_offset)
    name, extra = struct.unpack("<26x2H", file.read(30))
    file.seek(name + extra, io.SEEK_CUR)
    left, found = member.compress_size, 0
    if member.compress_type != zipfile.ZIP_DEFLATED:
        return left
    unpack = zlib.decompressobj(-15)
    while left and found <= most and (block := file.read(min(left, 1 << 16))):
        left -= len(block)
        while block and found <= most:
            found += len(unpack.decompress(block, _BLOCK))
            block = unpack.unconsumed_tail
    return found


def damaged(path: Path, error: BaseException) -> SourceDataError:
    """Return what is said of a file that is no workbook, or no longer one."""
    return SourceDataError(
        tr(
            "{file} cannot be read as a workbook ({error}): it is damaged, half-written or of another type.",
            file=storable(path.name),
            error=error,
        )
    )


def look_inside(path: Path, sheet: str, limits: Limits) -> Inside:
    """Return what stands in *sheet* besides its values.

    Raises `SourceDataError` where its cells reach too far for the reader of workbooks.
    """
    if not zipfile.is_zipfile(path):
        return _of_binary(lambda: binary.of_xls(path, sheet))
    try:
        with zipfile.ZipFile(path) as book:
            names = set(book.namelist())
            if "content.xml" in names:
                return _of_ods(storable(path.name), book, sheet, limits)
            if "xl/workbook.bin" in names:
                _bound_xlsb(storable(path.name), book, limits)
                return _of_binary(lambda: binary.of_xlsb(book, sheet))
            return _of_xlsx(storable(path.name), book, sheet, limits)
    except (*_DAMAGED, OSError) as exc:
        # what cannot be looked at is not given to a reader that would build whatever it holds
        raise damaged(path, exc) from exc


def has_rows(path: Path, sheet: str) -> bool:
    """Say whether another sheet of a workbook holds values, as far as its first megabyte tells."""
    try:
        with zipfile.ZipFile(path) as book:
            if "xl/workbook.bin" in book.namelist():
                return binary.holds_values(book, sheet)
            with book.open(_part(book, sheet)) as file:
                block = file.read(_BLOCK)
    except (*_DAMAGED, *_UNUSUAL, OSError):
        return True
    return re.search(rb"<(?:\w+:)?(?:v|is)>", block) is not None


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


def _of_xlsx(name: str, book: zipfile.ZipFile, sheet: str, limits: Limits) -> Inside:
    try:
        part, styles = _part(book, sheet), _styles(book)
    except _UNUSUAL:
        part, styles = "", {}
    if part not in book.namelist():
        # where it is not known which part is the sheet's, none may be too large; its numbers are only numbers
        for one in book.namelist():
            if one.endswith(".xml"):
                columns, last, _, _ = _extent(book, one)
                if columns > limits.columns or columns * last > limits.cells:
                    raise too_far(name, sheet, reference(last - 1, columns - 1), limits)
        return Inside()
    columns, last, odd, hidden = _extent(book, part)
    far = columns > limits.columns or columns * last > limits.cells
    found = Inside(shown={}, faults={}, far=[], zero=_zero(book), hidden=hidden)
    if not (far or odd or styles):
        return found
    try:
        filled = _note_xlsx(book, part, styles, found, limits if far else None)
    except _UNUSUAL:
        if far:
            raise too_far(name, sheet, reference(last - 1, columns - 1), limits) from None
        return Inside(zero=found.zero, hidden=hidden)
    if far:
        _leave_far_out(name, book, sheet, part, filled, limits, found)
    return found


def _note_xlsx(
    book: zipfile.ZipFile, part: str, styles: dict[int, Shown], found: Inside, limits: Limits | None
) -> set[tuple[int, int]]:
    """Note how the cells of a sheet are shown, and what is wrong with them.

    With *limits* return those that hold something, no more of them than are allowed and one.
    """
    filled: set[tuple[int, int]] = set()
    row = column = -1
    with book.open(part) as file:
        for event, one in _elements(file, {"row", "c"}):
            local = _local(one.tag)
            if local == "row":
                if event == "start":
                    row, column = int(one.get("r") or row + 2) - 1, -1
                continue
            if event == "start":
                match = _CELL.fullmatch(one.get("r") or "")
                column = _number(match[1]) if match else column + 1
                if shown := styles.get(int(one.get("s") or 0)):
                    found.shown[row, column] = shown
                continue
            children = {_local(child.tag): child for child in one}
            value = children.get("v")
            if fault := _fault(one.get("t"), value, "f" in children):
                found.faults[row, column] = fault
            if limits and children and len(filled) <= limits.cells:
                filled.add((row, column))
    return filled


def _fault(kind: str | None, value: Any, is_formula: bool) -> FaultyCell | None:
    text = "" if value is None else value.text or ""
    if kind == "e":
        return FaultyCell(text or "#N/A", tr("is an error of the spreadsheet"))
    if is_formula and (value is None or (not text and kind not in {"str", "s"})):
        return FaultyCell("=", tr(NO_VALUE))
    return None


def _extent(book: zipfile.ZipFile, part: str) -> tuple[int, int, bool, int]:
    """Return the columns and rows a sheet reaches over, if some cell is odd, how many rows are hidden."""
    letters, last, odd, hidden, tail = set[bytes](), 0, False, 0, b""
    with book.open(part) as file:
        while block := file.read(_BLOCK):
            text = tail + block
            cut = text.rfind(b"row>") + 4  # what is cut in two waits for its other half
            if cut < 4:
                cut = len(text) if len(text) > 64 * _BLOCK else 0
            letters.update(_LETTERS.findall(text, 0, cut))
            last = max(last, *map(int, _ROW.findall(text, 0, cut)), 0)
            odd = odd or _is_odd(text[:cut])
            hidden += _hidden(text[:cut])
            tail = text[cut:]
    letters.update(_LETTERS.findall(tail))
    last = max(last, *map(int, _ROW.findall(tail)), 0)
    return (
        max((_number(one.decode().upper()) + 1 for one in letters), default=0),
        last,
        odd or _is_odd(tail),
        hidden + _hidden(tail),
    )


def _hidden(text: bytes) -> int:
    """Return how many rows of a part of a sheet are hidden, and hold something."""
    return len(_HIDDEN_ROW.findall(text)) if b"hidden" in text else 0


def _is_odd(text: bytes) -> bool:
    """Say whether a part of a sheet may hold an error or a formula without a value."""
    if b'"e"' in text or b"'e'" in text:
        return True
    return (b"<f" in text or b":f" in text) and _ODD.search(text) is not None


def _leave_far_out(
    name: str,
    book: zipfile.ZipFile,
    sheet: str,
    part: str,
    filled: set[tuple[int, int]],
    limits: Limits,
    found: Inside,
) -> None:
    """Take the few cells that are far from the table out of a copy of the workbook."""
    if not filled:
        return
    end = _near({row for row, _ in filled}, _FAR_ROWS)
    width = min(_near({column for row, column in filled if row <= end}, _FAR_COLUMNS), limits.columns - 1)
    far = sorted((row, column) for row, column in filled if row > end or column > width)
    if len(filled) > limits.cells or len(far) > _MOST_FAR or (end + 1) * (width + 1) > limits.cells:
        raise too_far(name, sheet, reference(*max(filled)), limits)
    found.far = [reference(*one) for one in far]
    gone = {one.encode() for one in found.far}
    cell = re.compile(
        rb"""<((?:\w+:)?)c\b[^>]*?\sr\s*=\s*["']([A-Z]+[0-9]+)["'](?:[^>]*?/>|[^>]*>.*?</\1c>)""", re.DOTALL
    )
    copy = io.BytesIO()
    with zipfile.ZipFile(copy, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as out:
        for member in book.infolist():
            content = book.read(member)
            if member.filename == part:
                content = cell.sub(lambda match: b"" if match[2] in gone else match[0], content)
                content = re.sub(rb"<(?:\w+:)?dimension\b[^>]*/>", b"", content)
            out.writestr(member.filename, content)
    found.instead = copy.getvalue()


def _near(places: set[int], gap: int) -> int:
    """Return the last of the places before a gap that ends the table."""
    ordered = sorted(places)
    for one, after in itertools.pairwise(ordered):
        if after - one > gap:
            return one
    return ordered[-1]


def _of_binary(look: Callable[[], binary.Noted]) -> Inside:
    """Return what *look* finds; nothing of a workbook that is built in a way that only its reader knows."""
    try:
        found = look()
    except (*_DAMAGED, *_UNUSUAL, LookupError, OSError):
        return Inside()
    why = tr("is an error of the spreadsheet")
    return Inside(
        shown=found.shown,
        faults={at: FaultyCell(text, why) for at, text in found.errors.items()},
        zero=SERIAL_ZERO_1904 if found.is_1904 else SERIAL_ZERO,
    )


def _bound_xlsb(name: str, book: zipfile.ZipFile, limits: Limits) -> None:
    for part in binary.sheets_of(book):
        columns, rows = set[int](), set[int]()
        for kind, body in binary.records(book.read(part)):
            if kind == 0 and len(body) >= 4:
                rows.add(struct.unpack_from("<I", body)[0])
            elif 2 <= kind <= 11 and len(body) >= 4:  # the kinds of cells with a value
                columns.add(struct.unpack_from("<I", body)[0])
        if columns and rows:
            last, width = max(rows), max(columns)
            if width >= limits.columns or (last + 1) * (width + 1) > limits.cells:
                raise too_far(name, Path(part).stem, reference(last, width), limits)


def _styles(book: zipfile.ZipFile) -> dict[int, Shown]:
    """Return the styles of cells that show a percent, money, thousands or an indented text."""
    if "xl/styles.xml" not in book.namelist():
        return {}
    root = _tree(book, "xl/styles.xml")
    shown = shown_by(
        {int(one.get("numFmtId") or 0): one.get("formatCode") or "" for one in _all(root, "numFmt")}
    )
    cells = next(iter(_all(root, "cellXfs")), None)
    found: dict[int, Shown] = {}
    for number, one in enumerate(cells if cells is not None else ()):
        indent = next((int(_attribute(align, "indent") or 0) for align in _all(one, "alignment")), 0)
        one_shown = shown.get(int(one.get("numFmtId") or 0))
        if one_shown or indent:
            found[number] = msgspec.structs.replace(one_shown or Shown(), indent=indent)
    return found


def _zero(book: zipfile.ZipFile) -> date:
    """Return the day from which the workbook counts days."""
    said = next(
        (_attribute(one, "date1904") for one in _all(_tree(book, "xl/workbook.xml"), "workbookPr")), ""
    )
    return SERIAL_ZERO_1904 if said in {"1", "true", "on"} else SERIAL_ZERO


def _part(book: zipfile.ZipFile, sheet: str) -> str:
    """Return the path of a sheet inside the workbook."""
    wanted = next(one for one in _all(_tree(book, "xl/workbook.xml"), "sheet") if one.get("name") == sheet)
    key = next(value for name, value in wanted.attrib.items() if _local(name) == "id" and "}" in name)
    relations = _all(_tree(book, "xl/_rels/workbook.xml.rels"), "Relationship")
    target = next(one.get("Target") or "" for one in relations if one.get("Id") == key)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _of_ods(name: str, book: zipfile.ZipFile, sheet: str, limits: Limits) -> Inside:
    found = Inside(shown={}, faults={}, far=[], merged=[])
    with contextlib.suppress(
        ElementTree.ParseError
    ):  # it may be encrypted, which the reader of workbooks says
        _note_ods_sheets(name, book, sheet, limits, found)
    return found


def _note_ods_sheets(name: str, book: zipfile.ZipFile, sheet: str, limits: Limits, found: Inside) -> None:
    title, row, height, column = "", -1, 0, 0
    ends: Counter[str] = Counter()
    with book.open("content.xml") as file:
        for event, one in _elements(
            file, {"null-date", "table", "table-row", "table-cell", "covered-table-cell"}
        ):
            local = _local(one.tag)
            if local == "null-date":
                with contextlib.suppress(ValueError):
                    found.zero = date.fromisoformat(_attribute(one, "date-value") or "")
                continue
            if local == "table":
                if event == "start":
                    title, row, height, column, ends = _attribute(one, "name") or "", -1, 0, 0, Counter()
                continue
            if local == "table-row":
                if event == "start":
                    row, column = row + max(height, 1), 0
                    height = int(_attribute(one, "number-rows-repeated") or 1)
                continue
            if event == "start":
                continue
            width = int(_attribute(one, "number-columns-repeated") or 1)
            kind, text = _attribute(one, "value-type"), " ".join("".join(one.itertext()).split())
            if kind or text:
                ends["row"] = max(ends["row"], row + height)
                ends["column"] = max(ends["column"], column + width)
                if ends["column"] > limits.columns or ends["row"] * ends["column"] > limits.cells:
                    raise too_far(name, title, reference(ends["row"] - 1, ends["column"] - 1), limits)
            if title == sheet:
                if (tall := int(_attribute(one, "number-rows-spanned") or 1)) > 1:
                    wide = int(_attribute(one, "number-columns-spanned") or 1)
                    found.merged.append(((row, column), (row + tall - 1, column + wide - 1)))
                _note_ods(found, one, kind, text, range(row, row + height), range(column, column + width))
            column += width


def _note_ods(found: Inside, one: Any, kind: str | None, text: str, rows: range, columns: range) -> None:
    """Note how a cell of an OpenDocument sheet is shown, and what is wrong with it."""
    shown = fault = None
    if kind in {"percentage", "currency"}:
        mark = _attribute(one, "currency") if kind == "currency" else None
        shown = Shown(percent=kind == "percentage", currency=mark)
    formula = _attribute(one, "formula")
    if "error" in {value for key, value in one.attrib.items() if _local(key) == "value-type"}:
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


_LARGE = frozenset({"sheetData", "body", "spreadsheet", "styles", "automatic-styles"})


def _elements(file: IO[bytes], names: set[str]) -> Iterator[tuple[str, Any]]:
    """Return the elements of these names as they begin and end, and keep none of them."""
    for event, one in ElementTree.iterparse(file, events=("start", "end")):  # noqa: S314 - see the import
        local = _local(one.tag)
        if local in names:
            yield event, one
        if event == "end" and (local in names or local in _LARGE):
            one.clear()


def _tree(book: zipfile.ZipFile, name: str) -> Any:
    return ElementTree.fromstring(book.read(name))  # noqa: S314 - see the import


def _all(root: Any, name: str) -> list[Any]:
    return [one for one in root.iter() if _local(one.tag) == name]


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _attribute(one: Any, name: str) -> str | None:
    return next((value for key, value in one.attrib.items() if _local(key) == name), None)


def _number(letters: str) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    return found - 1
