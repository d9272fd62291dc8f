"""Open CSV, XLSX, XLS and ODS files and give their rows as dicts by header, with the row's number."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Any

from hub import SourceDataError, cell_text, tr
from hub_tabular.formats import Shown, formats
from hub_tabular.mapping import Drop, Mapping, Unpivot

TEXT = (".csv", ".tsv", ".txt")
BOOKS = (".xlsx", ".xlsm", ".xls", ".ods", ".xlsb")
SUFFIXES = TEXT + BOOKS
_MAX_COLUMNS = 2000


def grid(
    path: Path, *, sheet: str | int = 0, encoding: str | None = None, delimiter: str | None = None
) -> Iterator[list[Any]]:
    """Yield the raw rows of *path*.

    Raises `SourceDataError` saying what is wrong with the file and how to mend it.
    """
    if path.suffix.lower() in TEXT:
        yield from _text_rows(path, encoding, delimiter)
    else:
        yield from _book_rows(path, sheet)


def _text_rows(path: Path, encoding: str | None, delimiter: str | None) -> Iterator[list[Any]]:
    found = encoding or detect_encoding(path)
    try:
        with path.open(encoding=found, newline="") as file:
            if delimiter is None:
                delimiter = detect_delimiter(file.read(65536))
                file.seek(0)
            yield from csv.reader(file, delimiter=delimiter)
    except LookupError as exc:
        raise SourceDataError(
            tr("{name}: {found!r} is not an encoding Python knows.", name=path.name, found=found)
        ) from exc
    except UnicodeDecodeError as exc:
        raise SourceDataError(
            tr(
                "{name} is not {found} (byte {start}): say its encoding in the mapping, for example "
                'encoding = "cp1252".',
                name=path.name,
                found=found,
                start=exc.start,
            )
        ) from exc
    except csv.Error as exc:
        raise SourceDataError(
            tr("{name} is not a readable CSV file: {error}.", name=path.name, error=exc)
        ) from exc
    except OSError as exc:
        raise SourceDataError(
            tr(
                "{name} cannot be opened ({reason}): close it elsewhere or give the right to read.",
                name=path.name,
                reason=exc.strerror,
            )
        ) from exc


def _book_rows(path: Path, sheet: str | int) -> Iterator[list[Any]]:
    import python_calamine

    try:
        with python_calamine.load_workbook(str(path)) as book:
            names = list(book.sheet_names)
            if isinstance(sheet, int):
                if sheet >= len(names):
                    raise SourceDataError(
                        tr(
                            "{name} has {count} sheets: there is no sheet number {sheet}.",
                            name=path.name,
                            count=len(names),
                            sheet=sheet,
                        )
                    )
                sheet = names[sheet]
            if sheet not in names:
                raise SourceDataError(
                    tr(
                        "{name} has no sheet {sheet!r}; it has {names}.",
                        name=path.name,
                        sheet=sheet,
                        names=", ".join(names),
                    )
                )
            table = book.get_sheet_by_name(sheet)
            first = table.start[0] if table.start else 0
            for _ in range(first):
                yield []  # calamine starts at the first filled row: keep the numbers a person sees
            left = table.start[1] if table.start else 0
            shown = formats(path, sheet)
            for place, row in enumerate(table.to_python(skip_empty_area=True), start=first):
                cells = [None] * left + [None if cell == "" else cell for cell in row]
                if shown:
                    cells = [_as_shown(cell, shown.get((place, at))) for at, cell in enumerate(cells)]
                yield cells
    except python_calamine.PasswordError as exc:
        raise SourceDataError(
            tr("{name} is protected by a password: save a copy without one for the hub.", name=path.name)
        ) from exc
    except (python_calamine.CalamineError, python_calamine.ZipError, python_calamine.XmlError) as exc:
        raise SourceDataError(
            tr(
                "{name} cannot be read as a workbook ({error}): it is damaged, half-written or of "
                "another type.",
                name=path.name,
                error=exc,
            )
        ) from exc
    except OSError as exc:
        raise SourceDataError(
            tr(
                "{name} cannot be opened ({reason}): close it elsewhere or give the right to read.",
                name=path.name,
                reason=exc.strerror or exc,
            )
        ) from exc


def _as_shown(cell: Any, shown: Shown | None) -> Any:
    return shown.of(cell) if shown and isinstance(cell, int | float) and not isinstance(cell, bool) else cell


def detect_encoding(path: Path) -> str:
    """Return UTF-8 when the whole file is it, else the best guess for its first 256 KB, else Windows-1252."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
            if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                return "utf-16"
            file.seek(0)
            decoder = codecs.getincrementaldecoder("utf-8")()
            try:
                while block := file.read(1 << 20):
                    decoder.decode(block)
                decoder.decode(b"", final=True)
                return "utf-8-sig"
            except UnicodeDecodeError:
                file.seek(0)
                sample = file.read(1 << 18)
    except OSError as exc:
        raise SourceDataError(
            tr("{name} cannot be opened ({reason}).", name=path.name, reason=exc.strerror)
        ) from exc
    from charset_normalizer import from_bytes

    # the exports of office tools west of the Oder are one of these; a free guess takes short accents for
    # Cyrillic
    best = from_bytes(sample, cp_isolation=["cp1252", "latin_1", "iso8859_15", "mac_roman", "cp850"]).best()
    return best.encoding if best and best.encoding != "latin_1" else "cp1252"


def detect_delimiter(sample: str) -> str:
    """Return the separator that cuts the first lines into the same, largest number of columns."""
    lines = [line for line in sample.splitlines() if line.strip()][:20]
    best, score = ",", (0, 0)
    for candidate in ";,\t|":
        counts = [len(row) for row in csv.reader(lines, delimiter=candidate)]
        if not counts:
            continue
        width = max(set(counts), key=lambda n: (counts.count(n), n))
        if width > 1 and (counts.count(width), width) > score:
            best, score = candidate, (counts.count(width), width)
    return best


def headers(cells: list[Any]) -> list[str]:
    """Return column names: as a person reads them, told apart when equal, letters where empty."""
    names: list[str] = []
    for number, cell in enumerate(cells[:_MAX_COLUMNS]):
        name = cell_text(cell) or f"#{number + 1}"
        base, count = name, 2
        while name in names:
            name = f"{base} ({count})"
            count += 1
        names.append(name)
    return names


def table_rows(path: Path, mapping: Mapping) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (row number as people see it, cells by header) after dropping, carrying down and unpivoting."""
    names: list[str] | None = None
    carried: dict[str, Any] = {}
    drops = [(drop, re.compile(drop.matches)) for drop in mapping.drop]
    groups = [(group.into, re.compile(group.matches)) for group in mapping.group]
    pivot = re.compile(mapping.unpivot.columns) if mapping.unpivot else None
    for number, cells in enumerate(
        grid(path, sheet=mapping.sheet, encoding=mapping.encoding, delimiter=mapping.delimiter), start=1
    ):
        if number < mapping.header_row:
            continue
        if names is None:
            names = headers(cells)
            continue
        row = dict(zip(names, cells, strict=False))
        filled = [value for value in row.values() if value is not None and cell_text(value)]
        if not filled or _dropped(row, drops):
            continue
        if groups and len(filled) == 1:
            hit = _group(cell_text(filled[0]), groups, carried)
            if hit:
                continue
        empty = {name for name in names if not cell_text(row.get(name))}
        for name in mapping.carry_down:
            if name not in empty:
                carried[name] = row[name]
            elif name in carried:
                row[name] = carried[name]
        if mapping.carry_down and set(names) - empty <= set(mapping.carry_down):
            continue
        for into, _ in groups:
            row.setdefault(into, carried.get(into))
        if pivot is None or mapping.unpivot is None:
            yield number, row
            continue
        for one in _unpivoted(row, mapping.unpivot, pivot):
            yield number, one
    if names is None:
        raise SourceDataError(
            tr(
                "{name} has no row {header_row}, where the mapping expects the headers.",
                name=path.name,
                header_row=mapping.header_row,
            )
        )


def first_headers(path: Path, mapping: Mapping) -> list[str]:
    """Return the headers of *path*."""
    for number, cells in enumerate(
        grid(path, sheet=mapping.sheet, encoding=mapping.encoding, delimiter=mapping.delimiter), start=1
    ):
        if number == mapping.header_row:
            return headers(cells)
    raise SourceDataError(
        tr(
            "{name} has no row {header_row}, where the mapping expects the headers.",
            name=path.name,
            header_row=mapping.header_row,
        )
    )


def _unpivoted(row: dict[str, Any], unpivot: Unpivot, pattern: re.Pattern[str]) -> Iterator[dict[str, Any]]:
    fixed = {name: value for name, value in row.items() if not pattern.search(name)}
    for name, value in row.items():
        if pattern.search(name) and cell_text(value):
            yield fixed | {unpivot.name: name, unpivot.value: value}


def _dropped(row: dict[str, Any], drops: list[tuple[Drop, re.Pattern[str]]]) -> bool:
    for drop, pattern in drops:
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
