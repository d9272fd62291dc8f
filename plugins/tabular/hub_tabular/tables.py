"""The rows of a file as its mapping cuts them, as dicts by header, with where each stands.

A table accounts for all that it met: each row is given, or counted under the reason why it was left out.
"""

from __future__ import annotations

import itertools
import re
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from hub import (
    CellError,
    SourceDataError,
    cell_text,
    is_nothing,
    names_period,
    near_day,
    periods_of,
    storable,
    tr,
)
from hub_tabular import encodings
from hub_tabular.inside import Inside, Limits
from hub_tabular.levels import Levelled, levelled
from hub_tabular.mapping import ABOVE, FILE, LESS, LEVEL, SHEET, UNTIL, Drop, FaultyCell, Mapping
from hub_tabular.sheets import Sheet, sheets_of
from hub_tabular.titles import Heading, Titles, headers, joined_headers

TOTAL = re.compile(
    r"(?i)^(?:grand |sous[- ]?|sub[- ]?|zwischen)?"
    r"(?:totale?|totaux|totaal|somme|summe|suma|razem|celkem|gesamt|gesamtsumme|(?:gesamt)?ergebnis)s?\b"
    r"|^\*{1,4}(?: [\w.-]+)?$"
)
"""How a row of sums calls itself; in a list of SAP by asterisks."""
_TOP = 30
"""Rows in which the headers of one of several sheets are looked for."""
_LOOKED_AT = 200
"""Rows in which columns are looked for that hold numbers and that nothing takes."""
_NUL = "\0"


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
        self._known: dict[str, Inside] = {}
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
            rows, at = self._placed(iter(sheet.rows))
            heading = self._heading(sheet, rows, at)
            if heading is not None:
                read += 1
                if indent := self.mapping.indent:
                    rows = levelled(rows, heading.names.index(indent.column), indent.into)
                yield from self._rows_of(sheet, heading, rows)
            self.notes += sheet.notes
            self.cut, self.ends = sheet.cut or self.cut, sheet.ends
        if not read:
            raise SourceDataError(f"{storable(self.path.name)}: " + "; ".join(self.missing or self.notes))

    def headings(self) -> Iterator[tuple[str, Heading]]:
        """Yield each sheet that is a table of this mapping, with its headers."""
        for sheet in sheets_of(self.path, self.mapping, self.limits, self._known):
            heading = self._heading(sheet, *self._placed(iter(sheet.rows)))
            if heading is not None:
                yield sheet.name, heading

    # ---------- headers ----------

    def _placed(self, rows: Iterator[list[Any]]) -> tuple[Iterator[list[Any]], int]:
        """Return the rows of a sheet, and in which its headers stand: each of several may have its own."""
        at = self.mapping.header_row
        if self.mapping.sheets is None or self.mapping.header_rows > 1 or not self.needed:
            return rows, at
        first = list(itertools.islice(rows, max(at, _TOP)))
        found = [number for number, cells in enumerate(first, 1) if {*self.needed} <= {*headers(cells)}]
        return itertools.chain(first, rows), at if at in found or not found else found[0]

    def _heading(self, sheet: Sheet, rows: Iterator[list[Any]], at: int) -> Heading | None:
        """Read up to the headers; a sheet among several that has none of the columns is only noted."""
        above: list[list[Any]] = []
        cells: list[Any] | None = None
        for cells in rows:
            if len(above) + 1 >= at:
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
            return self._understood(sheet, above, cells, at)
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

    def _understood(self, sheet: Sheet, above: list[list[Any]], cells: list[Any], row: int) -> Heading:
        file = storable(self.path.name)
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
        pivot, spans = self._pivot(sheet, above, names, cells)
        meant = {name for name in self.needed if f"{name} (2)" in self.needed}  # the first and the second one
        if wrong := sorted((twice - meant) & ({*self.needed} | set(pivot))):
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
        return Heading(
            names=names, row=row, width=width, twice=twice, pivot=pivot, spans=spans,
            above=" · ".join(text for line in above for cell in line if (text := cell_text(cell))),
        )  # fmt: skip

    def _pivot(
        self, sheet: Sheet, above: list[list[Any]], names: list[str], cells: list[Any]
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
        # a number that stands for a day is one of its workbook, which may count from another
        days = {
            name: day.isoformat()
            for name, cell in zip(names, cells, strict=True)
            if isinstance(cell, float) and name in found and (day := near_day(cell))
        }
        called = {days.get(name, name): name for name in found}
        try:
            spans = periods_of(list(called), unpivot.per, years=years, order=order)
            return tuple(found), {called[one]: span for one, span in spans.items()}
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
        titles, carried = Titles(heading.names, self.needed, self.mapping, heading.above), dict[str, Any]()
        mapped = {*self.needed, *self.also, *heading.pivot}
        beyond, start = 0, heading.row + 1
        gap = is_title = is_another = after_sum = False
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
            is_note = titles.is_note(cells, first, gap or after_sum)
            after_sum = False
            if is_another or is_note:
                self.skipped["notes" if is_note else "rows of another table"] += 1
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
                after_sum = self._keep_sum(heading)
                continue
            if number < start + _LOOKED_AT:
                self._count_numbers(names, cells, mapped)
                titles.learn(cells)
            widths[len(cells)] += not is_another
            last = list(self._several(made, heading))
            width = len(cells)
        if last and sheet.is_text and not is_another:
            others = widths - Counter([width])
            if not sheet.cut and others.total() >= 2 and width < min(others):
                sheet.cut = tr("its last row has {width} cells, and each of the others has more", width=width)
            if sheet.cut:
                why = tr("the file ends in the middle of it: {why}", why=sheet.cut)
                last = [msgspec.structs.replace(one, wrong=why) for one in last]
        yield from last
        if empty:
            sheet.notes = [*sheet.notes, tr("no row stands below its headers")]
        hidden = [name for at, name in enumerate(heading.names) if at in sheet.hidden and name in mapped]
        sheet.notes = [*sheet.notes, *self._said(heading, beyond, hidden)]

    def _keep_sum(self, heading: Heading) -> bool:
        """Keep the row of sums that was left out last, where it was one; say whether it was."""
        if self._sum is None:
            return False
        if parts := [*self._several(self._sum, heading)]:  # one that is not filled in states nothing
            self.sums.append(parts)
        self._sum = None
        return True

    def _cut(
        self,
        sheet: Sheet,
        number: int,
        titles: Titles,
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
        if isinstance(cells, Levelled):
            if cells.is_group:
                self.skipped["group rows"] += 1
                return None
            row |= dict.fromkeys(self.mapping.indent.into if self.mapping.indent else ()) | cells.labels
            wrong = wrong or cells.why
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
        row[ABOVE] = titles.above
        return Row(sheet.name, number, row)

    def _several(self, row: Row, heading: Heading) -> Iterator[Row]:
        """Yield a row, or where columns become rows one for each that is filled."""
        unpivot = self.mapping.unpivot
        if unpivot is None or row.wrong:
            yield row
            return
        pivot = set(heading.pivot)
        fixed = {name: value for name, value in row.cells.items() if name not in pivot}
        found = [name for name in heading.pivot if not is_nothing(row.cells.get(name))]
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

    def _said(self, heading: Heading, beyond: int, hidden: list[str]) -> Iterator[str]:
        if hidden:
            yield tr("columns that are hidden in the file, and were read: {names}", names=", ".join(hidden))
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
