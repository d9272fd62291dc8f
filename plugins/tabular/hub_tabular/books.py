"""What the reader of workbooks does not say: formats, errors, formulas without value, far cells, sizes.

Sources: ECMA-376 part 1, 18.3.1.4 (c); OpenDocument 1.3 part 3, office:value-type. XLS and XLSB keep the same
in binary records (`binary`).
"""

from __future__ import annotations

import gzip
import io
import itertools
import re
import struct
import zipfile
import zlib
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import IO, Any, cast
from xml.etree import ElementTree  # what it may unpack to is bounded before

import msgspec

from hub import SERIAL_ZERO, SERIAL_ZERO_1904, SourceDataError, storable, tr
from hub_tabular import binary, opendocument
from hub_tabular.formats import Shown, shown_by
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

ZIPPED = frozenset({".xlsx", ".xlsm", ".xlsb", ".ods"})
PACKED = ".gz"
"""The end of the name of a text that is packed, such as hours.csv.gz."""
_CELL = re.compile(r"([A-Z]+)([0-9]+)")
_LETTERS = re.compile(rb"""\sr\s*=\s*["']([A-Za-z]+)[0-9]+["']""")
_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\sr\s*=\s*["']([0-9]+)["']""")
_HIDDEN_ROW = re.compile(rb"""<(?:\w+:)?row\b[^>]*?\shidden\s*=\s*["'](?:1|true)["'][^>/]*>""")
_HIDDEN_COLUMN = re.compile(rb"""<(?:\w+:)?col\b[^>]*?\shidden\s*=\s*["'](?:1|true)["'][^>]*>""")
_FROM_TO = re.compile(rb"""\s(min|max)\s*=\s*["']([0-9]+)["']""")
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
                return opendocument.look(storable(path.name), book, sheet, limits)
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


def _of_xlsx(name: str, book: zipfile.ZipFile, sheet: str, limits: Limits) -> Inside:
    try:
        part, styles = _part(book, sheet), _styles(book)
    except _UNUSUAL:
        part, styles = "", {}
    if part not in book.namelist():
        # where it is not known which part is the sheet's, none may be too large; its numbers are only numbers
        for one in book.namelist():
            if one.endswith(".xml"):
                columns, last, *_ = _extent(book, one)
                if columns > limits.columns or columns * last > limits.cells:
                    raise too_far(name, sheet, reference(last - 1, columns - 1), limits)
        return Inside()
    columns, last, odd, hidden, aside = _extent(book, part)
    far = columns > limits.columns or columns * last > limits.cells
    found = Inside(shown={}, faults={}, far=[], zero=_zero(book), hidden=hidden, hidden_columns=aside)
    if not (far or odd or styles):
        return found
    try:
        filled = _note_xlsx(book, part, styles, found, limits if far else None)
    except _UNUSUAL:
        if far:
            raise too_far(name, sheet, reference(last - 1, columns - 1), limits) from None
        return Inside(zero=found.zero, hidden=hidden, hidden_columns=aside)
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
        for event, one in elements(file, {"row", "c"}):
            local = local_of(one.tag)
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
            children = {local_of(child.tag): child for child in one}
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


def _extent(book: zipfile.ZipFile, part: str) -> tuple[int, int, bool, int, set[int]]:
    """Return how many columns and rows a sheet reaches over, if some cell is odd, and what is hidden.

    This is the number of rows, and the columns.
    """
    letters, last, odd, hidden, tail = set[bytes](), 0, False, 0, b""
    aside = set[int]()
    with book.open(part) as file:
        while block := file.read(_BLOCK):
            if not last:  # they stand before the rows
                aside |= _hidden_columns(block)
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
        aside,
    )


def _hidden_columns(text: bytes) -> set[int]:
    """Return the columns, from 0, that the beginning of a sheet says are hidden."""
    found = set[int]()
    for one in _HIDDEN_COLUMN.findall(text):
        ends = {name: int(number) for name, number in _FROM_TO.findall(one)}
        first = ends.get(b"min", 1)
        found.update(range(first - 1, min(ends.get(b"max", first), MOST_HIDDEN)))
    return found


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
        hidden=found.hidden,
        hidden_columns=found.hidden_columns,
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
        {int(one.get("numFmtId") or 0): one.get("formatCode") or "" for one in all_of(root, "numFmt")}
    )
    cells = next(iter(all_of(root, "cellXfs")), None)
    found: dict[int, Shown] = {}
    for number, one in enumerate(cells if cells is not None else ()):
        indent = next((int(attribute(align, "indent") or 0) for align in all_of(one, "alignment")), 0)
        one_shown = shown.get(int(one.get("numFmtId") or 0))
        if one_shown or indent:
            found[number] = msgspec.structs.replace(one_shown or Shown(), indent=indent)
    return found


def _zero(book: zipfile.ZipFile) -> date:
    """Return the day from which the workbook counts days."""
    said = next(
        (attribute(one, "date1904") for one in all_of(_tree(book, "xl/workbook.xml"), "workbookPr")), ""
    )
    return SERIAL_ZERO_1904 if said in {"1", "true", "on"} else SERIAL_ZERO


def _part(book: zipfile.ZipFile, sheet: str) -> str:
    """Return the path of a sheet inside the workbook."""
    wanted = next(one for one in all_of(_tree(book, "xl/workbook.xml"), "sheet") if one.get("name") == sheet)
    key = next(value for name, value in wanted.attrib.items() if local_of(name) == "id" and "}" in name)
    relations = all_of(_tree(book, "xl/_rels/workbook.xml.rels"), "Relationship")
    target = next(one.get("Target") or "" for one in relations if one.get("Id") == key)
    return target.lstrip("/") if target.startswith("/") else f"xl/{target}"


def _number(letters: str) -> int:
    found = 0
    for letter in letters:
        found = found * 26 + ord(letter) - 64
    return found - 1


def _tree(book: zipfile.ZipFile, name: str) -> Any:
    return ElementTree.fromstring(book.read(name))  # noqa: S314 - see the import
