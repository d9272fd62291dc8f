"""What the records of an XLS or XLSB workbook say of its cells beside their values.

Sources: MS-XLS 2.4 (records of BIFF5 and BIFF8), MS-CFB 2 (the file that holds them), MS-XLSB 2.4.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree  # what it may unpack to is bounded before

import msgspec

from hub_tabular.formats import Shown, shown_by

_ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!",
    0x2A: "#N/A", 0x2B: "#GETTING_DATA",
}  # fmt: skip
_END = 0xFFFFFFFC
"""From here on the number of a sector means that none follows."""
_MINI = 64


class Noted(msgspec.Struct, kw_only=True):
    """By row and column from 0: how a number is *shown*, and the *errors* of formulas.

    *is_1904* says that the workbook counts days from 1904 on.
    """

    shown: dict[tuple[int, int], Shown] = {}
    errors: dict[tuple[int, int], str] = {}
    is_1904: bool = False
    filled: set[int] = set()
    """Rows that hold a value."""
    not_shown: set[int] = set()
    """Rows that are hidden, be they filled or not."""
    hidden_columns: set[int] = set()

    @property
    def hidden(self) -> int:
        """Return how many rows are hidden that hold something."""
        return len(self.filled & self.not_shown)

    def note(self, row: int, column: int, shown: Shown | None, error: int | None = None) -> None:
        """Note one cell."""
        self.filled.add(row)
        if error is not None:
            self.errors[row, column] = _ERRORS.get(error, "#N/A")
        elif shown:
            self.shown[row, column] = shown


# ---------- XLS ----------


def of_xls(path: Path, sheet: str) -> Noted:
    """Return what an XLS file notes of the cells of *sheet*.

    Raises `struct.error`, `LookupError` or `ValueError` where it is built otherwise than the format says.
    """
    book = _stream(path.read_bytes())
    wide, places, codes, cells = False, dict[str, int](), dict[int, str](), list[tuple[int, int]]()
    is_1904 = False
    for kind, body in _biff(book, 0):
        if kind == 0x0809:  # BOF
            wide = struct.unpack_from("<H", body)[0] >= 0x0600
        elif kind == 0x0085:  # BOUNDSHEET
            places[_short_text(body, 6, wide)] = struct.unpack_from("<I", body)[0]
        elif kind == 0x041E:  # FORMAT
            size = struct.unpack_from("<H", body, 2)[0] if wide else body[2]
            codes[struct.unpack_from("<H", body)[0]] = (
                _wide_text(body, 4, size) if wide else body[3 : 3 + size].decode("cp1252", "replace")
            )
        elif kind == 0x0022:  # DATEMODE
            is_1904 = body[:1] == b"\1"
        elif kind == 0x00E0:  # XF
            indent = body[8] & 15 if wide and len(body) > 8 else 0
            cells.append((struct.unpack_from("<H", body, 2)[0], indent))
    styles = list(_combined(shown_by(codes), cells))
    found = Noted(shown={}, errors={}, is_1904=is_1904, filled=set(), not_shown=set(), hidden_columns=set())
    for kind, body in _biff(book, places[sheet]):
        _note_xls(found, kind, body, styles)
    return found


def _note_xls(found: Noted, kind: int, body: bytes, styles: list[Shown | None]) -> None:
    if kind in {0x0203, 0x027E, 0x0205, 0x0006, 0x0204, 0x00FD}:  # and LABEL, LABELSST
        row, column, style = struct.unpack_from("<3H", body)
        error = None
        if kind == 0x0205 and body[7] == 1:
            error = body[6]
        elif kind == 0x0006 and body[12:14] == b"\xff\xff" and body[6] == 2:
            error = body[8]
        found.note(row, column, styles[style] if style < len(styles) else None, error)
    elif kind == 0x0208 and len(body) >= 14:  # ROW, whose fDyZero says that it is hidden
        if struct.unpack_from("<H", body, 12)[0] & 0x20:
            found.not_shown.add(struct.unpack_from("<H", body)[0])
    elif kind == 0x007D and len(body) >= 10:  # COLINFO
        first, last = struct.unpack_from("<2H", body)
        if body[8] & 1:
            found.hidden_columns.update(range(first, min(last, 255) + 1))
    elif kind == 0x00BD:  # MULRK: row, first column, (style, number)…, last column
        row, column = struct.unpack_from("<2H", body)
        for at, place in enumerate(range(4, len(body) - 2, 6)):
            style = struct.unpack_from("<H", body, place)[0]
            found.note(row, column + at, styles[style] if style < len(styles) else None)


def _biff(book: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records from a place up to the end of what begins there."""
    depth = 0
    while at + 4 <= len(book):
        kind, size = struct.unpack_from("<2H", book, at)
        at += 4
        if kind == 0x0809:
            depth += 1
        elif kind == 0x000A:  # EOF; a chart within a sheet has its own
            depth -= 1
            if depth <= 0:
                return
        if depth <= 1:
            yield kind, book[at : at + size]
        at += size


def _short_text(body: bytes, at: int, wide: bool) -> str:
    size = body[at]
    return (
        _wide_text(body, at + 1, size) if wide else body[at + 1 : at + 1 + size].decode("cp1252", "replace")
    )


def _wide_text(body: bytes, at: int, size: int) -> str:
    flags = body[at]
    if flags & 1:
        return body[at + 1 : at + 1 + 2 * size].decode("utf-16-le", "replace")
    return body[at + 1 : at + 1 + size].decode("latin-1")


def _stream(file: bytes) -> bytes:
    """Return the stream of the workbook in a compound file."""
    size = 1 << struct.unpack_from("<H", file, 30)[0]
    fats, first, cutoff, mini, _, more, _ = (
        struct.unpack_from("<I", file, 44)[0], *struct.unpack_from("<I4xI2I2I", file, 48),
    )  # fmt: skip

    def sector(number: int) -> bytes:
        return file[(number + 1) * size : (number + 2) * size]

    def numbers(data: bytes) -> list[int]:
        return list(struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4]))

    known, tables = numbers(file[76:512]), set[int]()
    while more < _END and more not in tables:
        tables.add(more)
        *found, more = numbers(sector(more))
        known += found
    fat = [number for one in known[:fats] if one < _END for number in numbers(sector(one))]

    def chain(start: int, table: list[int]) -> Iterator[int]:
        met = set[int]()
        while start < _END and start not in met:
            met.add(start)
            yield start
            start = table[start]

    directory = b"".join(map(sector, chain(first, fat)))
    entries: dict[str, tuple[int, int]] = {}
    for at in range(0, len(directory) - 127, 128):
        length = struct.unpack_from("<H", directory, at + 64)[0]
        name = directory[at : at + max(length - 2, 0)].decode("utf-16-le", "replace")
        entries.setdefault(name, struct.unpack_from("<2I", directory, at + 116))
    start, length = entries.get("Workbook") or entries["Book"]
    if length >= cutoff:
        return b"".join(map(sector, chain(start, fat)))[:length]
    small = b"".join(map(sector, chain(entries["Root Entry"][0], fat)))
    table = [number for one in chain(mini, fat) for number in numbers(sector(one))]
    return b"".join(small[one * _MINI : (one + 1) * _MINI] for one in chain(start, table))[:length]


# ---------- XLSB ----------


def of_xlsb(book: zipfile.ZipFile, sheet: str) -> Noted:
    """Return what an XLSB workbook notes of the cells of *sheet*.

    Raises as `of_xls` does.
    """
    styles = list(_styles(book))
    # BrtWbProp, whose first bit is that of the 1904 date system
    is_1904 = any(
        kind == 153 and body[:1] and body[0] & 1 for kind, body in records(book.read("xl/workbook.bin"))
    )
    found, row = (
        Noted(shown={}, errors={}, is_1904=is_1904, filled=set(), not_shown=set(), hidden_columns=set()),
        0,
    )
    for kind, body in records(book.read(part_of(book, sheet))):
        if kind == 0 and len(body) >= 4:  # BrtRowHdr
            row = struct.unpack_from("<I", body)[0]
            if len(body) > 11 and body[11] & 0x10:  # fDyZero
                found.not_shown.add(row)
        elif kind == 60 and len(body) >= 18 and body[16] & 1:  # BrtColInfo
            first, last = struct.unpack_from("<2I", body)
            found.hidden_columns.update(range(first, min(last, 16383) + 1))
        elif 2 <= kind <= 11:  # the kinds of cells with a value
            column, style = struct.unpack_from("<2I", body)
            style &= 0xFFFFFF
            error = body[8] if kind in {3, 11} else None  # BrtCellError, BrtFmlaError
            found.note(row, column, styles[style] if style < len(styles) else None, error)
    return found


def _styles(book: zipfile.ZipFile) -> Iterator[Shown | None]:
    """Yield what each style of cells shows."""
    codes, cells, inside = dict[int, str](), list[tuple[int, int]](), False
    if "xl/styles.bin" in book.namelist():
        for kind, body in records(book.read("xl/styles.bin")):
            if kind == 44:  # BrtFmt
                codes[struct.unpack_from("<H", body)[0]] = _text(body, 2)[0]
            elif kind in {617, 618}:  # BrtBeginCellXFs, BrtEndCellXFs
                inside = kind == 617
            elif kind == 47 and inside:  # BrtXF
                cells.append((struct.unpack_from("<H", body, 2)[0], body[11] if len(body) > 11 else 0))
    yield from _combined(shown_by(codes), cells)


def _combined(formats: dict[int, Shown], cells: list[tuple[int, int]]) -> Iterator[Shown | None]:
    """Yield what each style shows, of its number format and how far it is indented."""
    for code, indent in cells:
        shown = formats.get(code)
        yield msgspec.structs.replace(shown or Shown(), indent=indent) if shown or indent else None


def part_of(book: zipfile.ZipFile, sheet: str) -> str:
    """Return the path of a sheet inside an XLSB workbook."""
    key = None
    for kind, body in records(book.read("xl/workbook.bin")):
        if kind == 156:  # BrtBundleSh
            relation, at = _text(body, 8)
            if _text(body, at)[0] == sheet:
                key = relation
    relations = ElementTree.fromstring(book.read("xl/_rels/workbook.bin.rels"))  # noqa: S314 - see the import
    target: Any = next(one.get("Target") for one in relations if one.get("Id") == key)
    return str(target).lstrip("/") if str(target).startswith("/") else f"xl/{target}"


def holds_values(book: zipfile.ZipFile, sheet: str) -> bool:
    """Say whether a sheet of an XLSB workbook has cells with values."""
    return any(2 <= kind <= 11 for kind, _ in records(book.read(part_of(book, sheet))))


def sheets_of(book: zipfile.ZipFile) -> list[str]:
    """Return the parts that are sheets."""
    return [part for part in book.namelist() if re.fullmatch(r"xl/worksheets/[^/]+\.bin", part)]


def _text(body: bytes, at: int) -> tuple[str, int]:
    size = struct.unpack_from("<I", body, at)[0]
    if size == 0xFFFFFFFF:
        return "", at + 4
    end = at + 4 + 2 * size
    return body[at + 4 : end].decode("utf-16-le", "replace"), end


def records(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the records of a part of an XLSB workbook: their kind and body."""
    at = 0
    while at < len(data):
        kind, at = _length(data, at, 2)
        size, at = _length(data, at, 4)
        yield kind, data[at : at + size]
        at += size


def _length(data: bytes, at: int, most: int) -> tuple[int, int]:
    found = 0
    for place in range(most):
        byte = data[at] if at < len(data) else 0
        at += 1
        found |= (byte & 0x7F) << (7 * place)
        if byte < 0x80:
            break
    return found, at
