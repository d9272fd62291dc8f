"""Open CSV, XLSX, XLS and ODS files and give their rows as dicts by header, with where each stands.

A table accounts for all that it met: each row is given, or counted under the reason why it was left out.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import fnmatch
import io
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from hub import CellError, HubError, SourceDataError, cell_text, names_period, periods_of, storable, tr
from hub_tabular import books, encodings, pages
from hub_tabular.books import Limits
from hub_tabular.mapping import FILE, LESS, LEVEL, SHEET, UNTIL, Drop, FaultyCell, Mapping

TOTAL = re.compile(r"(?i)^(?:grand |sous[- ]?|sub[- ]?)?(?:total|totaux|somme)s?\b")
"""How a row of sums calls itself."""
TEXT = (".csv", ".tsv", ".txt", books.PACKED)
BOOKS = (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb")
SUFFIXES = TEXT + BOOKS
_SAMPLE = 20
_LOOKED_AT = 200
"""Rows in which columns are looked for that hold numbers and that nothing takes."""
_FIGURE, _LETTERS = re.compile("[0-9]"), re.compile(r"[^\W\d_]")
_NONE = frozenset(
    {"n/a", "n.a.", "na", "nc", "n.c.", "nd", "tbd", "tbc", "none", "aucun", "néant", "à définir"}
)
"""What people write where there is no figure."""
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


class Row(msgspec.Struct, frozen=True):
    """One row of a table: its *sheet* (empty in a text), its number as people see it, its cells by header.

    *part* is the column it was made of where columns became rows, *wrong* why it cannot be taken as it
    stands.
    """

    sheet: str
    number: int
    cells: dict[str, Any]
    part: str = ""
    wrong: str = ""

    @property
    def place(self) -> str:
        """Return where it stands in its file."""
        sheet = tr(", sheet {sheet}", sheet=self.sheet) if self.sheet else ""
        part = tr(", column {column}", column=self.part) if self.part else ""
        return f"{sheet}{tr(', row {row}', row=self.number)}{part}"


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
    known: dict[str, books.Inside] | None = None,
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


def _book_sheets(
    path: Path, mapping: Mapping, limits: Limits, known: dict[str, books.Inside]
) -> Iterator[Sheet]:
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
            raise SourceDataError(
                tr(
                    "{file} cannot be read as a workbook ({error}): it is damaged, half-written or of "
                    "another type.",
                    file=storable(path.name),
                    error=exc,
                )
            ) from exc
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
    if path.suffix.lower() in {".xlsx", ".xlsm", ".xlsb"}:
        found = [name for name in others if books.has_rows(path, name)]
    else:
        found = [name for name in others if book.get_sheet_by_name(name).total_height]
    return _told_unread(found)


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
    for name in chosen:
        yield Sheet(name=name, notes=notes, rows=_page_rows(tables[name]))
        notes = []


def _page_rows(table: pages.PageTable) -> Iterator[list[Any]]:
    spanned, above = _spanned(table.merged), dict[int, Any]()
    for place, cells in enumerate(table.rows):
        _fill(cells, place, spanned, above)
        yield cells


def _book_rows(
    path: Path, book: Any, sheet: Sheet, limits: Limits, known: dict[str, books.Inside]
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
    # the rows are read outside of what opened the book
    with _explained(path):
        if inside.instead is not None:
            with python_calamine.load_workbook(io.BytesIO(inside.instead)) as copy:
                yield from _cells(path, copy, sheet, limits, inside)
        else:
            yield from _cells(path, book, sheet, limits, inside)


def _cells(path: Path, book: Any, sheet: Sheet, limits: Limits, inside: books.Inside) -> Iterator[list[Any]]:
    table = book.get_sheet_by_name(sheet.name)
    height, width = table.total_height, table.total_width
    if width > limits.columns or height * width > limits.cells:
        raise books.too_far(storable(path.name), sheet.name, books.reference(height - 1, width - 1), limits)
    left = table.start[1] if table.start else 0
    odd = inside.shown or inside.faults
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


def _as_it_is(cell: Any, inside: books.Inside, place: tuple[int, int]) -> Any:
    if fault := inside.faults.get(place):
        return fault
    shown = inside.shown.get(place)
    return shown.of(cell) if shown and isinstance(cell, int | float) and not isinstance(cell, bool) else cell


# ---------- what a text is written in ----------


def detect_encoding(path: Path) -> str:
    """Return what a text is written in, as `encodings.guess` finds it."""
    return encodings.guess(path).encoding


def detect_delimiter(sample: str) -> str:
    """Return the separator that cuts the first lines into the same, largest number of columns."""
    if match := _SEPARATOR.match(sample):
        return match[1]
    lines = [line for line in sample.splitlines() if line.strip()][:20]
    best, score = ",", (0, 0)
    for candidate in ";,\t|":
        try:
            counts = [len(row) for row in csv.reader(lines, delimiter=candidate)]
        except csv.Error:
            continue
        if not counts:
            continue
        width = max(set(counts), key=lambda n: (counts.count(n), n))
        if width > 1 and (counts.count(width), width) > score:
            best, score = candidate, (counts.count(width), width)
    return best


def headers(cells: list[Any]) -> list[str]:
    """Return column names: as a person reads them, told apart when equal, by their number where empty."""
    names: dict[str, None] = {}
    for number, cell in enumerate(cells):
        name = cell_text(cell) or f"#{number + 1}"
        base, count = name, 2
        while name in names:
            name = f"{base} ({count})"
            count += 1
        names[name] = None
    return list(names)


def joined_headers(rows: list[list[Any]]) -> list[Any]:
    """Return headers of several rows as one: what stands over several columns, then what is below it."""
    lowest, parts = rows[-1], list[list[str]]()
    for row in rows[:-1]:
        over, line = "", list[str]()
        for at, cell in enumerate(lowest):
            text = cell_text(row[at]) if at < len(row) else ""
            over = text or (over if cell_text(cell) else "")
            line.append(over)
        parts.append(line + [cell_text(cell) for cell in row[len(lowest) :]])
    parts.append([cell_text(cell) for cell in lowest])
    width = max(map(len, parts))
    found = [[line[at] for line in parts if at < len(line) and line[at]] for at in range(width)]
    return [" ".join(dict.fromkeys(texts)) for texts in found]


class Room:
    """How many rows may be kept, so that files need not be opened again."""

    def __init__(self, rows: int = 20_000) -> None:
        """Keep up to *rows*, of all files together."""
        self.left = rows
        self._lock = threading.Lock()

    def take(self, rows: int) -> bool:
        """Take room for *rows*, or give it back where they are below nought; say whether there was any."""
        with self._lock:
            if rows > self.left:
                return False
            self.left -= rows
            return True


class Heading(msgspec.Struct, kw_only=True):
    """The headers of a sheet: *names* in order, *twice* those that stand several times.

    *width* is how many there are up to the last that is not empty.

    *pivot* are the columns that become rows, *spans* the days they stand for.
    """

    names: list[str]
    width: int = 0
    twice: set[str] = set()
    pivot: tuple[str, ...] = ()
    spans: dict[str, tuple[date, date]] = {}


class _Titles:
    """The headers that hold for a row: the table's, those of another export below it, or of nested rows."""

    def __init__(self, names: list[str], needed: Iterable[str], mapping: Mapping) -> None:
        self.needed, self.table, self.names = set(needed), names, names
        self.known = {*names}
        self.level = 1
        self.nested = mapping.nested
        self.pattern = re.compile(mapping.nested.matches) if mapping.nested else None
        self.per = mapping.unpivot.per if mapping.unpivot else None
        self._figures: dict[int, bool] = {}
        """Which columns hold a figure in each row looked at so far: a day, a number."""

    def change(self, cells: list[Any], at: int, first: str) -> bool:
        """Say whether *cells*, whose first filled one is *first*, are headers, which hold from now on."""
        if self.nested and self.pattern and not at and self.pattern.search(first):
            called = self.nested.columns
            self.names = [called.get(name, name) for name in headers(cells)]
            self.level = 2
            return True
        if first in self.known and (again := self._again(cells)):
            self.table = self.names = again
            self.level = 1
            return True
        if self.level == 2 and not at:
            self.names, self.level = self.table, 1
        return False

    def learn(self, cells: list[Any]) -> None:
        """Note in which columns a row holds figures."""
        for at, cell in enumerate(cells):
            if text := cell_text(cell):
                self._figures[at] = self._figures.get(at, True) and _FIGURE.search(text) is not None

    def begins_another(self, cells: list[Any]) -> bool:
        """Say whether *cells* are the headers of another table, which stand where this one has figures."""
        texts = {at: text for at, cell in enumerate(cells) if (text := cell_text(cell))}
        words = {at for at, text in texts.items() if self._is_header(text)}
        if len(texts) < 2 or len(words) < len(texts):
            return False
        return sum(self._figures.get(at, False) for at in words) >= (
            1 if {*texts.values()} & self.known else 2
        )

    def _is_header(self, text: str) -> bool:
        if self.per is not None and names_period(text, self.per):
            return True
        return not _FIGURE.search(text) and _LETTERS.search(text) is not None and text.casefold() not in _NONE

    def _again(self, cells: list[Any]) -> list[str] | None:
        """Return the headers of another export that was put below, in the order in which they stand there."""
        texts = [cell_text(cell) for cell in cells]
        filled = [text for text in texts if text]
        if len(filled) < 2 or len(filled) != len(set(filled)) or not set(filled) <= set(self.table):
            return None
        again = headers(cells)
        return again if self.needed <= set(again) else None


class Table:
    """The rows of a file as the mapping cuts them, kept where they are few.

    *skipped* counts what was left out, by reason, *notes* and *missing* are what was not read; they and *cut*
    and *ends* are complete when the rows were read once.
    """

    def __init__(
        self,
        path: Path,
        mapping: Mapping,
        needed: Iterable[str] = (),
        *,
        also: Iterable[str] = (),
        limits: Limits = Limits(),  # noqa: B008 - frozen
        room: Room | None = None,
    ) -> None:
        """Read *path* by *mapping*, which needs these columns; keep rows where there is *room*.

        *also* names those that are taken where they are there.
        """
        self.also = frozenset(also)
        self.room = room or Room(0)
        self.path, self.mapping, self.needed, self.limits = path, mapping, sorted(needed), limits
        self.stem = storable(path.stem)
        self.drops = [(drop, re.compile(drop.matches)) for drop in mapping.drop]
        self.groups = [(group.into, re.compile(group.matches)) for group in mapping.group]
        self._kept: list[Row] | None = None
        self._sum: Row | None = None
        self._known: dict[str, books.Inside] = {}
        self._begin()

    def _begin(self) -> None:
        self.skipped: Counter[str] = Counter()
        self.notes: list[str] = []
        self.missing: list[str] = []
        self.numbers: set[str] = set()
        """Columns that nothing takes and that hold numbers."""
        self.sums: list[list[Row]] = []
        """Rows of sums that were left out, each in the parts in which its columns become rows."""
        self.filtered: set[str] = set()
        """Sheets of which the mapping leaves other rows out."""
        self.cut = ""
        self.ends: bool | None = None

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows; the file is opened again where they are many."""
        if self._kept is not None:
            yield from self._kept
            return
        self._begin()
        kept: list[Row] | None = []
        for row in self._rows():
            if kept is not None:
                kept.append(row)
                kept = kept if len(kept) <= self.room.left else None
            yield row
        if kept and self.room.take(len(kept)):
            self._kept = kept

    def forget(self) -> None:
        """Keep nothing of the file any longer."""
        self._known.clear()
        if self._kept is not None:
            self.room.take(-len(self._kept))
            self._kept = None

    def _rows(self) -> Iterator[Row]:
        read = 0
        for sheet in sheets_of(self.path, self.mapping, self.limits, self._known):
            rows = iter(sheet.rows)
            heading = self._heading(sheet, rows)
            if heading is not None:
                read += 1
                yield from self._rows_of(sheet, heading, rows)
            self.notes += sheet.notes
            self.cut, self.ends = sheet.cut or self.cut, sheet.ends
        if not read:
            raise SourceDataError(f"{storable(self.path.name)}: " + "; ".join(self.missing or self.notes))

    def headings(self) -> Iterator[tuple[str, Heading]]:
        """Yield each sheet that is a table of this mapping, with its headers."""
        for sheet in sheets_of(self.path, self.mapping, self.limits, self._known):
            heading = self._heading(sheet, iter(sheet.rows))
            if heading is not None:
                yield sheet.name, heading

    # ---------- headers ----------

    def _heading(self, sheet: Sheet, rows: Iterator[list[Any]]) -> Heading | None:
        """Read up to the headers; a sheet among several that has none of the columns is only noted."""
        above: list[list[Any]] = []
        cells: list[Any] | None = None
        for cells in rows:
            if len(above) + 1 >= self.mapping.header_row:
                break
            above.append(cells)
            cells = None
        several = self.mapping.sheets is not None
        try:
            if cells is None:
                raise SourceDataError(
                    tr(
                        "{file} has no row {header_row}, where the mapping expects the headers.",
                        file=storable(self.path.name),
                        header_row=self.mapping.header_row,
                    )
                )
            if (more := self.mapping.header_rows - 1) > 0:
                cells, above = joined_headers([*above[-more:], cells]), above[:-more]
            return self._understood(sheet, above, cells)
        except SourceDataError as exc:
            names = set(headers(cells or []))
            if not several:
                raise
            if names & set(self.needed):
                self.missing.append(
                    tr(
                        "{file}, sheet {sheet} was not read: {error}",
                        file=storable(self.path.name),
                        sheet=sheet.name,
                        error=exc,
                    )
                )
            else:
                self.notes.append(
                    tr("not read: the sheet {sheet}, which has none of the columns", sheet=sheet.name)
                )
            return None

    def _understood(self, sheet: Sheet, above: list[list[Any]], cells: list[Any]) -> Heading:
        file, row = storable(self.path.name), self.mapping.header_row
        if len(cells) > self.limits.columns:
            raise SourceDataError(
                tr(
                    "{file}: row {row} has {count} columns, more than max_columns = {columns} allows: "
                    "delete those that are not of the table, or raise the setting of the source.",
                    file=file,
                    row=row,
                    count=len(cells),
                    columns=self.limits.columns,
                )
            )
        names = headers(cells)
        if lacking := [name for name in self.needed if name not in names]:
            shown = ", ".join(repr(name) for name in lacking)
            raise SourceDataError(
                tr(
                    "{file}: row {row} has no column {shown}; it has {names}. Correct header_row or the "
                    "column's name in the mapping.",
                    file=file,
                    row=row,
                    shown=shown,
                    names=", ".join(names),
                )
            )
        texts = Counter(text for cell in cells if (text := cell_text(cell)))
        twice = {text for text, count in texts.items() if count > 1}
        pivot, spans = self._pivot(sheet, above, names)
        if wrong := sorted(twice & ({*self.needed} | set(pivot))):
            raise SourceDataError(
                tr(
                    "{file}: the column {names} stands more than once in row {row}: rename one, for "
                    "nothing says which is meant.",
                    file=file,
                    names=", ".join(map(repr, wrong)),
                    row=row,
                )
            )
        width = max((at for at, cell in enumerate(cells, start=1) if cell_text(cell)), default=0)
        return Heading(names=names, width=width, twice=twice, pivot=pivot, spans=spans)

    def _pivot(
        self, sheet: Sheet, above: list[list[Any]], names: list[str]
    ) -> tuple[tuple[str, ...], dict[str, tuple[date, date]]]:
        unpivot = self.mapping.unpivot
        if unpivot is None:
            return (), {}
        if unpivot.columns:
            pattern = re.compile(unpivot.columns)
            found = [name for name in names if pattern.search(name)]
        else:
            assert unpivot.per is not None
            found = [name for name in names if name not in self.needed and names_period(name, unpivot.per)]
        if not found:
            what = repr(unpivot.columns) if unpivot.columns else f"a {unpivot.per}"
            raise SourceDataError(
                tr(
                    "{file}: row {header_row} has no column like {what}, which unpivot expects; it has "
                    "{names}.",
                    file=storable(self.path.name),
                    header_row=self.mapping.header_row,
                    what=what,
                    names=", ".join(names),
                )
            )
        if unpivot.per is None:
            return tuple(found), {}
        titles = " ".join(cell_text(cell) for row in above for cell in row)
        years = [*([str(unpivot.year)] if unpivot.year else []), sheet.name, self.path.stem, titles]
        patterns = [one for one in self.mapping.date_formats if "%d" in one and "%m" in one]
        first = patterns[0] if patterns else ""
        order: Any = None if not first else "dd/mm" if first.index("%d") < first.index("%m") else "mm/dd"
        try:
            return tuple(found), periods_of(found, unpivot.per, years=years, order=order)
        except CellError as exc:
            raise SourceDataError(
                tr(
                    "{file}, row {header_row}: {error}.",
                    file=storable(self.path.name),
                    header_row=self.mapping.header_row,
                    error=exc,
                )
            ) from exc

    # ---------- rows ----------

    def _rows_of(self, sheet: Sheet, heading: Heading, rows: Iterator[list[Any]]) -> Iterator[Row]:
        titles, carried = _Titles(heading.names, self.needed, self.mapping), dict[str, Any]()
        mapped = {*self.needed, *self.also, *heading.pivot}
        beyond, start = 0, self.mapping.header_row + 1
        gap = is_title = is_another = False
        last: list[Row] = []
        widths = Counter[int]()
        empty = True
        for number, cells in enumerate(rows, start=start):
            at, first = next(
                ((at, text) for at, cell in enumerate(cells) if cell and (text := cell_text(cell))), (0, "")
            )
            if not first and not any(map(cell_text, cells)):
                self.skipped["empty"] += 1
                gap = True
                continue
            empty = False
            if titles.change(cells, at, first):
                if is_title:  # the one cell between an empty row and headers: what a group is called
                    self.skipped["group rows"] += len(last)
                    last = []
                self.skipped["repeated headers"] += 1
                gap = is_title = is_another = False
                continue
            if is_another:
                self.skipped["rows of another table"] += 1
                continue
            is_another = (gap or is_title) and titles.begins_another(cells)
            if is_another and is_title:
                self.skipped["rows of another table"] += len(last)
                last = []
            # the last row may be cut off: how wide the others are is known when all were read
            yield from last
            last = []
            names = titles.names
            is_title, gap = gap and sum(bool(cell_text(cell)) for cell in cells) == 1, False
            wrong = _another_table() if is_another else _unreadable(cells, len(names), sheet)
            if not sheet.is_text and len(cells) > heading.width:
                beyond += any(map(cell_text, cells[heading.width :]))
            made = self._cut(sheet, number, titles, cells, at, carried, wrong)
            if made is None:
                if self._sum is not None:
                    self.sums.append([*self._several(self._sum, heading)])
                    self._sum = None
                continue
            if number < start + _LOOKED_AT:
                self._count_numbers(names, cells, mapped)
                titles.learn(cells)
            widths[len(cells)] += 1
            last = list(self._several(made, heading))
            width = len(cells)
        if last and sheet.is_text:
            others = widths - Counter([width])
            if not sheet.cut and others.total() >= 2 and width < min(others):
                sheet.cut = tr("its last row has {width} cells, and each of the others has more", width=width)
            if sheet.cut:
                why = tr("the file ends in the middle of it: {why}", why=sheet.cut)
                last = [msgspec.structs.replace(one, wrong=why) for one in last]
        yield from last
        if empty:
            sheet.notes = [*sheet.notes, tr("no row stands below its headers")]
        sheet.notes = [*sheet.notes, *self._said(heading, beyond)]

    def _cut(
        self,
        sheet: Sheet,
        number: int,
        titles: _Titles,
        cells: list[Any],
        first: int,
        carried: dict[str, Any],
        wrong: str,
    ) -> Row | None:
        """Return a row after dropping and carrying down, or None for one that is counted as left out.

        *first* is where its first cell stands that is not empty.
        """
        names = titles.names
        row = dict(zip(names, cells, strict=False))
        if wrong:
            return Row(sheet.name, number, row, "", wrong)
        if first >= len(names):
            self.skipped["empty"] += 1
            return None
        if self.drops and _dropped(row, self.drops):
            self.skipped["dropped by the mapping"] += 1
            if any(TOTAL.search(cell_text(cell)) for cell in row.values()):
                self._sum = Row(sheet.name, number, row)
            else:
                self.filtered.add(sheet.name)
            return None
        if self.groups:
            filled = [text for cell in row.values() if (text := cell_text(cell))]
            if len(filled) == 1 and _group(filled[0], self.groups, carried):
                self.skipped["group rows"] += 1
                return None
        if self.mapping.carry_down:
            empty = {name for name in names if not cell_text(row.get(name))}
            for name in self.mapping.carry_down:
                if name not in empty:
                    carried[name] = row[name]
                elif name in carried:
                    row[name] = carried[name]
            if set(names) - empty <= set(self.mapping.carry_down):
                self.skipped["group rows"] += 1
                return None
        for into, _ in self.groups:
            row.setdefault(into, carried.get(into))
        row[SHEET], row[FILE], row[LEVEL] = sheet.name, self.stem, titles.level
        return Row(sheet.name, number, row)

    def _several(self, row: Row, heading: Heading) -> Iterator[Row]:
        """Yield a row, or where columns become rows one for each that is filled."""
        unpivot = self.mapping.unpivot
        if unpivot is None or row.wrong:
            yield row
            return
        pivot = set(heading.pivot)
        fixed = {name: value for name, value in row.cells.items() if name not in pivot}
        found = [name for name in heading.pivot if cell_text(row.cells.get(name))]
        if not found:
            self.skipped["no value in any of the columns that become rows"] += 1
        for name in found:
            cells = fixed | {unpivot.name: name, unpivot.value: row.cells[name]}
            if name in unpivot.less:
                cells[LESS] = row.cells[unpivot.less[name]]
            if span := heading.spans.get(name):
                cells |= {unpivot.name: span[0], UNTIL: span[1]}
            yield Row(row.sheet, row.number, cells, name)

    # ---------- what was not read ----------

    def _count_numbers(self, names: list[str], cells: list[Any], mapped: set[str]) -> None:
        for name, cell in zip(names, cells, strict=False):
            if name not in mapped and name not in self.numbers and _is_number(cell):
                self.numbers.add(name)

    def _said(self, heading: Heading, beyond: int) -> Iterator[str]:
        if found := [name for name in heading.names if name in self.numbers]:
            yield tr("columns with numbers that the mapping does not name: {names}", names=", ".join(found))
        self.numbers.clear()
        if heading.twice:
            yield tr("headers that stand more than once: {names}", names=", ".join(sorted(heading.twice)))
        if beyond:
            yield tr("{count} {count:row has|rows have} cells beyond the last header", count=beyond)


def _another_table() -> str:
    return tr(
        "the headers of another table: what stands below them is not read; give it a sheet or a file of its "
        "own"
    )


def _unreadable(cells: list[Any], width: int, sheet: Sheet) -> str:
    """Return why a row of a text cannot be taken as it stands."""
    if not sheet.is_text:
        return ""
    if len(cells) == 1 and isinstance(cells[0], FaultyCell):
        return cells[0].why
    if any(_NUL in cell for cell in cells):
        return tr("holds a NUL byte: the file is damaged, or in another encoding")
    if any(not cell.isascii() and _is_foreign(cell, sheet.encoding) for cell in cells):
        return tr("is in another encoding than the rest of the file: several files were put together")
    if len(cells) > width and (any(cells[width:]) or len(cells) > max(width, sheet.width)):
        return tr(
            "has {count} cells for {width} headers: a decimal comma or a separator without quotation marks "
            "moves the cells",
            count=len(cells),
            width=width,
        )
    return ""


def _is_foreign(cell: str, encoding: str) -> bool:
    """Say whether a cell is in another encoding than its file."""
    if encoding.startswith("utf"):
        return _ESCAPED.search(cell) is not None
    return encodings.is_of_another(cell, encoding)


def _is_number(cell: Any) -> bool:
    if isinstance(cell, str):
        return _NUMBER.fullmatch(cell.strip()) is not None
    return isinstance(cell, int | float) and not isinstance(cell, bool)


_ESCAPED = re.compile("[\udc80-\udcff]")
_NUMBER = re.compile(r"[-+(]?[0-9][0-9 \u00a0\u202f.,']*\)?(?:\s?[%€$£h])?")


def table_rows(path: Path, mapping: Mapping) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row number as people see it, cells by header) after dropping, carrying down and unpivoting."""
    for row in Table(path, mapping):
        yield row.number, row.cells


def _dropped(row: dict[str, Any], drops: list[tuple[Drop, re.Pattern[str]]]) -> bool:
    for drop, pattern in drops:
        if any(cell_text(row.get(column)) for column in drop.empty):
            continue
        cells = [row.get(drop.column)] if drop.column else list(row.values())
        if any(cell is not None and pattern.search(cell_text(cell)) for cell in cells):
            return True
    return False


def _group(text: str, groups: list[tuple[str, re.Pattern[str]]], carried: dict[str, Any]) -> bool:
    for place, (into, pattern) in enumerate(groups):
        if match := pattern.search(text):
            carried[into] = match.group(1) if match.groups() else text
            for lower, _ in groups[place + 1 :]:
                carried.pop(lower, None)
            return True
    return False


def looks_like_date(value: Any) -> bool:
    """Say whether a cell is a date of the workbook."""
    return isinstance(value, (date, datetime))
