"""Open workbooks, texts and tables in HTML, and give the rows of their sheets as they stand."""

from __future__ import annotations

import codecs
import contextlib
import csv
import fnmatch
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from hub import SERIAL_ZERO, HubError, SourceDataError, storable, tr, trn
from hub_tabular import books, encodings, pages
from hub_tabular.formats import Shown
from hub_tabular.inside import Inside, Limits, reference, too_far
from hub_tabular.levels import IndentedText
from hub_tabular.mapping import FaultyCell, Mapping

TEXT = (".csv", ".tsv", ".txt", books.PACKED)
BOOKS = (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb")
SUFFIXES = TEXT + BOOKS
_SAMPLE = 20
_NUL = "\0"
_ZIP = b"PK\3\4"
_SEPARATOR = re.compile(r"\ufeff?\"?sep=([;,|\t])\"?[;,|\t]*\r?(?:\n|\Z)", re.IGNORECASE)
"""The first line by which a program tells Excel how the cells are separated."""
_LONGEST_MERGED = 10_000


class Sheet(msgspec.Struct, kw_only=True):
    """One sheet of a file, or a file of text, as its rows are read one after the other.

    *width* is how many cells most rows of a text have, *notes* are what a person should know of it, *cut*
    says why its last row seems cut off, *ends* whether its last line has an end (None in a workbook),
    *encoding* in what a text is read.
    """

    name: str = ""
    rows: Iterable[list[Any]] = ()
    is_text: bool = False
    width: int = 0
    notes: list[str] = []
    cut: str = ""
    ends: bool | None = None
    encoding: str = ""
    hidden: set[int] = set()
    """Columns that are hidden in the file, from 0."""


def grid(
    path: Path, *, sheet: str | int = 0, encoding: str | None = None, delimiter: str | None = None
) -> Iterator[list[Any]]:
    """Yield the raw rows of one sheet of *path*.

    Raises `SourceDataError` saying what is wrong with the file and how to mend it.
    """
    for one in sheets_of(path, Mapping(record="", fields={}, sheet=sheet, encoding=encoding,
                                       delimiter=delimiter)):  # fmt: skip
        yield from one.rows


def sheets_of(
    path: Path,
    mapping: Mapping,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    known: dict[str, Inside] | None = None,
) -> Iterator[Sheet]:
    """Yield the sheets of *path* that the mapping reads; each must be read before the next.

    *known* keeps what was seen inside the sheets of a workbook, for the next time it is read.
    """
    books.check_size(path, limits)
    match kind_of(path):
        case "text":
            sheet = Sheet(is_text=True, notes=[])
            sheet.rows = _text_rows(path, mapping, sheet)
            yield sheet
        case "page":
            yield from _page_sheets(path, mapping, limits)
        case "book":
            yield from _book_sheets(path, mapping, limits, {} if known is None else known)


def kind_of(path: Path) -> Literal["text", "book", "page"]:
    """Say as what a file is read: by what it begins with, for names say ".xls" of any table."""
    suffix = path.suffix.lower()
    named: Literal["text", "book"] = "text" if suffix in TEXT else "book"
    if suffix == books.PACKED:
        return "text"
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return named  # told as it is opened
    if books.is_book(head):
        return "book"
    if (
        suffix in TEXT
        or not head
        or (b"\0" in head and not encodings.wide(head) and not head.startswith(encodings.BOMS))
    ):
        return named
    return "page" if pages.is_page(head) else "text"


# ---------- texts ----------


def _text_rows(path: Path, mapping: Mapping, sheet: Sheet) -> Iterator[list[Any]]:
    guessed = None if mapping.encoding else encodings.guess(path)
    found = guessed.encoding if guessed else str(mapping.encoding)
    if guessed and guessed.said:
        sheet.notes = [*sheet.notes, guessed.said]
    errors = "surrogateescape" if guessed and guessed.is_mixed else "strict"
    try:
        sheet.encoding = codecs.lookup(found).name
        with io.TextIOWrapper(books.opened(path), encoding=found, errors=errors, newline="") as file:
            sample = file.read(65536)
            file.seek(0)
            delimiter = mapping.delimiter or detect_delimiter(sample)
            if _SEPARATOR.match(sample):
                # a spreadsheet program shows no row for it, so that none is counted here
                sample = sample.partition(file.readline())[2]
            sheet.width = _usual_width(sample, delimiter, mapping.header_row)
            yield from _parsed(file, delimiter, sheet)
    except LookupError as exc:
        raise SourceDataError(
            tr(
                "{file}: {found!r} is not an encoding Python knows.",
                file=storable(path.name),
                found=found,
            )
        ) from exc
    except UnicodeError as exc:
        if isinstance(exc, UnicodeDecodeError) and ("truncated" in exc.reason or "end of data" in exc.reason):
            raise SourceDataError(
                tr(
                    "{file} seems to be cut off: it ends in the middle of a character. Export it again.",
                    file=storable(path.name),
                )
            ) from exc
        where = f" (byte {exc.start})" if isinstance(exc, UnicodeDecodeError) else ""
        raise SourceDataError(
            tr(
                "{file} is not {found}{where}: say its encoding in the mapping, for example "
                'encoding = "cp1252".',
                file=storable(path.name),
                found=found,
                where=where,
            )
        ) from exc
    except TypeError as exc:
        raise SourceDataError(
            tr(
                "{file}: delimiter = {delimiter!r} is not one character.",
                file=storable(path.name),
                delimiter=mapping.delimiter,
            )
        ) from exc
    except OSError as exc:
        raise SourceDataError(
            tr(
                "{file} cannot be opened ({reason}): close it elsewhere or give the right to read.",
                file=storable(path.name),
                reason=exc.strerror,
            )
        ) from exc


def _parsed(file: Iterable[str], delimiter: str, sheet: Sheet) -> Iterator[list[Any]]:
    """Yield the rows of a text; one that csv cannot read is a single faulty cell."""
    lines: list[str] = []

    def fed() -> Iterator[str]:
        for line in file:
            # a mark of the order of bytes in the middle: two files were put together
            plain = line.removeprefix("\ufeff")
            lines.append(plain)
            yield plain

    reader = csv.reader(fed(), delimiter=delimiter)
    before: list[str] = []
    while True:
        lines.clear()
        try:
            cells = next(reader)
        except StopIteration:
            break
        except csv.Error as exc:
            yield [FaultyCell("\ufffd", tr("is not a readable row of a CSV file: {error}", error=exc))]
        else:
            if len(lines) > 1 and _fault_of(lines, delimiter):
                # a mark that nothing closes would swallow the rows up to the next one
                for line in lines:
                    yield from csv.reader([line], delimiter=delimiter)
            else:
                yield cells
        before = lines.copy() or before
    if before:
        sheet.ends = before[-1].endswith(("\n", "\r"))
        if "unexpected end" in _fault_of(before, delimiter):
            sheet.cut = tr("a quotation mark in its last row is never closed")


def _fault_of(lines: list[str], delimiter: str) -> str:
    """Return what a strict reader says of the quotation marks of one row; nothing where they are right."""
    try:
        list(csv.reader(lines, delimiter=delimiter, strict=True))
    except csv.Error as exc:
        return str(exc)
    return ""


def _usual_width(sample: str, delimiter: str, header_row: int) -> int:
    lines = io.StringIO(sample, newline="")
    try:
        widths = [len(cells) for cells in csv.reader(lines, delimiter=delimiter)]
    except csv.Error:
        return 0
    counted = Counter(width for width in widths[header_row - 1 :][:_SAMPLE] if width)
    return counted.most_common(1)[0][0] if counted else 0


# ---------- workbooks ----------


def _book_sheets(path: Path, mapping: Mapping, limits: Limits, known: dict[str, Inside]) -> Iterator[Sheet]:
    import python_calamine

    with _explained(path):
        if path.suffix.lower() == ".ods" and not known:
            known[""] = books.look_inside(path, "", limits)  # all sheets are read as the workbook opens
        with _loaded(path) as book:
            visible = [
                one.name
                for one in book.sheets_metadata
                if one.typ == python_calamine.SheetTypeEnum.WorkSheet
                and one.visible == python_calamine.SheetVisibleEnum.Visible
            ]
            chosen = _chosen(storable(path.name), list(book.sheet_names), visible, mapping)
            notes = _unread(path, book, [name for name in visible if name not in chosen])
            aside = [name for name in book.sheet_names if name not in {*visible, *chosen}]
            notes += _told_hidden_sheets(_holding(path, book, aside))
            for name in chosen:
                sheet = Sheet(name=name, notes=notes)
                sheet.rows = _book_rows(path, book, sheet, limits, known)
                yield sheet
                notes = []


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn what the reader of workbooks raises into errors with the file's name."""
    import python_calamine

    try:
        yield
    except python_calamine.PasswordError as exc:
        raise SourceDataError(
            tr(
                "{file} is protected by a password: save a copy without one for the hub.",
                file=storable(path.name),
            )
        ) from exc
    except OSError as exc:
        raise SourceDataError(
            tr(
                "{file} cannot be opened ({reason}): close it elsewhere or give the right to read.",
                file=storable(path.name),
                reason=exc.strerror or exc,
            )
        ) from exc
    except (HubError, GeneratorExit):
        raise
    except BaseException as exc:
        # it panics over some damaged files, and a panic is no Exception
        if isinstance(exc, python_calamine.CalamineError) or type(exc).__name__ == "PanicException":
            raise books.damaged(path, exc) from exc
        raise


def _loaded(path: Path) -> Any:
    """Open a workbook by what it begins with, where its name says another type."""
    import python_calamine

    with path.open("rb") as file:
        zipped = file.read(4) == _ZIP
    if zipped == (path.suffix.lower() in books.ZIPPED):
        return python_calamine.load_workbook(str(path))
    return python_calamine.load_workbook(io.BytesIO(path.read_bytes()))


def _chosen(file: str, names: list[str], visible: list[str], mapping: Mapping) -> list[str]:
    """Return the sheets to read: a number counts the visible ones, a hidden one is read by its name only."""
    if mapping.sheets is not None:
        found = [name for name in visible if fnmatch.fnmatchcase(name, mapping.sheets)]
        found = found or [name for name in names if name == mapping.sheets]
        if not found:
            raise SourceDataError(
                tr(
                    "{file} has no visible sheet like {sheets!r}; it has {visible}.",
                    file=file,
                    sheets=mapping.sheets,
                    visible=", ".join(visible),
                )
            )
        return found
    sheet = mapping.sheet
    if isinstance(sheet, int):
        if not 0 <= sheet < len(visible):
            raise SourceDataError(
                tr(
                    "{file} has {count} visible {count:sheet|sheets}: there is no sheet number {sheet}.",
                    file=file,
                    count=len(visible),
                    sheet=sheet,
                )
            )
        return [visible[sheet]]
    if sheet not in names:
        raise SourceDataError(
            tr(
                "{file} has no sheet {sheet!r}; it has {names}.",
                file=file,
                sheet=sheet,
                names=", ".join(names),
            )
        )
    return [sheet]


def _unread(path: Path, book: Any, others: list[str]) -> list[str]:
    """Return a note on the other visible sheets that hold rows."""
    return _told_unread(_holding(path, book, others))


def _holding(path: Path, book: Any, names: list[str]) -> list[str]:
    """Return which of some sheets hold rows."""
    if path.suffix.lower() in {".xlsx", ".xlsm", ".xlsb"}:
        return [name for name in names if books.has_rows(path, name)]
    return [name for name in names if book.get_sheet_by_name(name).total_height]


def _told_hidden_sheets(found: list[str]) -> list[str]:
    if not found:
        return []
    return [tr("not read: the hidden sheets {names} (one is read by its name only)", names=", ".join(found))]


def _told_hidden_rows(count: int) -> list[str]:
    if not count:
        return []
    return [
        trn(
            "{n} row is hidden in the file, and was read",
            "{n} rows are hidden in the file, and were read",
            count,
        )
    ]


def _told_unread(found: list[str]) -> list[str]:
    if not found:
        return []
    return [
        tr("not read: the sheets {names} (say sheets in the mapping to read several)", names=", ".join(found))
    ]


def _page_sheets(path: Path, mapping: Mapping, limits: Limits) -> Iterator[Sheet]:
    found = pages.tables_of(path, limits, lambda: mapping.encoding or detect_encoding(path))
    tables = {one.name: one for one in found}
    visible = [one.name for one in found if one.is_visible]
    chosen = _chosen(storable(path.name), list(tables), visible, mapping)
    notes = _told_unread([name for name in visible if name not in chosen and any(tables[name].rows)])
    aside = [name for name in tables if name not in {*visible, *chosen} and any(tables[name].rows)]
    notes += _told_hidden_sheets(aside)
    for name in chosen:
        one = tables[name]
        told = [*notes, *_told_hidden_rows(one.hidden)]
        yield Sheet(name=name, notes=told, rows=_page_rows(one), hidden=one.hidden_columns)
        notes = []


def _page_rows(table: pages.PageTable) -> Iterator[list[Any]]:
    spanned, above = _spanned(table.merged), dict[int, Any]()
    for place, cells in enumerate(table.rows):
        _fill(cells, place, spanned, above)
        yield cells


def _book_rows(
    path: Path, book: Any, sheet: Sheet, limits: Limits, known: dict[str, Inside]
) -> Iterator[list[Any]]:
    import python_calamine

    if sheet.name not in known:
        known[sheet.name] = books.look_inside(path, sheet.name, limits)
    inside = known[sheet.name]
    if inside.far:
        more = tr(" and {count} more", count=len(inside.far) - 3) if len(inside.far) > 3 else ""
        shown = ", ".join(inside.far[:3]) + more
        far = tr("left out, for they are far from the table: the cells {shown}", shown=shown)
        sheet.notes = [*sheet.notes, far]
    sheet.notes = [*sheet.notes, *_told_hidden_rows(inside.hidden)]
    sheet.hidden = inside.hidden_columns
    # the rows are read outside of what opened the book
    with _explained(path):
        if inside.instead is not None:
            with python_calamine.load_workbook(io.BytesIO(inside.instead)) as copy:
                yield from _cells(path, copy, sheet, limits, inside)
        else:
            yield from _cells(path, book, sheet, limits, inside)


def _cells(path: Path, book: Any, sheet: Sheet, limits: Limits, inside: Inside) -> Iterator[list[Any]]:
    table = book.get_sheet_by_name(sheet.name)
    height, width = table.total_height, table.total_width
    if width > limits.columns or height * width > limits.cells:
        raise too_far(storable(path.name), sheet.name, reference(height - 1, width - 1), limits)
    left = table.start[1] if table.start else 0
    odd = inside.shown or inside.faults or inside.zero != SERIAL_ZERO
    spanned = _spanned(table.merged_cell_ranges or inside.merged)
    above: dict[int, Any] = {}
    # rows are counted from the first of the sheet, so that their numbers are those a person sees
    for place, row in enumerate(table.iter_rows() if table.start else ()):
        cells = [None] * left + [None if cell == "" else cell for cell in row]
        if odd:
            cells = [_as_it_is(cell, inside, (place, at)) for at, cell in enumerate(cells)]
        if spanned:
            _fill(cells, place, spanned, above)
        yield cells


def _spanned(ranges: Iterable[tuple[tuple[int, int], tuple[int, int]]]) -> dict[int, list[tuple[int, bool]]]:
    """Return for each row the columns in which merged cells begin (True) or go on below their first row."""
    found: dict[int, list[tuple[int, bool]]] = {}
    for (top, column), (bottom, _) in ranges:
        for row in range(top, min(bottom, top + _LONGEST_MERGED) + 1) if bottom > top else ():
            found.setdefault(row, []).append((column, row == top))
    return found


def _fill(
    cells: list[Any], place: int, spanned: dict[int, list[tuple[int, bool]]], above: dict[int, Any]
) -> None:
    """Give a cell that was merged with one above it what stands there: a text or a day, never a number."""
    for column, begins in spanned.get(place, ()):
        if column >= len(cells):
            continue
        if begins:
            above[column] = cells[column]
        elif cells[column] is None and isinstance(above.get(column), str | date):
            cells[column] = above[column]


def _as_it_is(cell: Any, inside: Inside, place: tuple[int, int]) -> Any:
    if fault := inside.faults.get(place):
        return fault
    shown = inside.shown.get(place)
    if isinstance(cell, str) and shown and shown.indent:
        return IndentedText(cell, shown.indent)
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return cell
    if shown is None and inside.zero == SERIAL_ZERO:
        return cell
    return (shown or Shown()).of(cell, inside.zero)


# ---------- what a text is written in ----------


def detect_encoding(path: Path) -> str:
    """Return what a text is written in, as `encodings.guess` finds it."""
    return encodings.guess(path).encoding


def detect_delimiter(sample: str) -> str:
    """Return the separator that cuts the first lines into the same, largest number of columns."""
    if match := _SEPARATOR.match(sample):
        return match[1]
    lines = [line for line in sample.splitlines() if line.strip()][:60]
    best, score = ",", (0, 0)
    for candidate in ";,\t|":
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=candidate)]
        except csv.Error:
            continue
        if not counts:
            continue
        wide = [count for count in counts if count > 1]  # titles and notes are one cell
        width = max(set(wide), key=lambda n: (counts.count(n), n)) if wide else 1
        if width > 1 and (counts.count(width), width) > score:
            best, score = candidate, (counts.count(width), width)
    return best
