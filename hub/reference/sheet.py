"""One CSV file of the reference data: its columns, how its lines are read, and every mistake in it."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec

from hub.cells import CellReader, Declared, is_error
from hub.columns import Column, columns_of
from hub.errors import CellError, SourceDataError
from hub.files import read_as_written
from hub.records import Record
from hub.words import mark, tr

SHOWN = 50
_SAYS = re.compile(r"^[\"'\s]*#\s*(decimal|dates)\s*=[\s\"']*(\.|,|dd/mm|mm/dd)[\s\"';,\t|]*$", re.IGNORECASE)
_HOW = {
    "decimal": mark(
        "write it without separators of thousands, or say the decimal sign in a line such as # decimal = ,"
    ),
    "order": mark("write it as 2026-10-31, or say which stands first in a line such as # dates = dd/mm"),
}
HOME = object()
"""As a default: the currency of the configuration."""


class Heading(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a file, for the field *of* of its record, by default the one of its name.

    *choices* maps what a cell may say to what the record says; *default* stands for an empty cell.
    """

    of: str | None = None
    needed: bool = False
    default: Any = None
    choices: dict[str, str] | None = None


class Line(dict[str, Any]):
    """One line of a file, its cells converted.

    *number* is its place in the file, *wrong* its columns that are not.
    """

    number: int = 0
    wrong: frozenset[str] = frozenset()

    def has(self, *names: str) -> bool:
        """Say whether the cells of these columns could be read."""
        return self.wrong.isdisjoint(names)


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One file: *make* turns a line into records, *check* looks at all lines together.

    *key* columns are unique.
    """

    file: str
    records: tuple[type[Record], ...]
    columns: dict[str, Heading]
    key: tuple[str, ...]
    make: Callable[[str, Line], Iterator[Record]]
    check: Callable[[str, list[Line]], Iterable[str]] | None = None
    prefix: str | None = None
    """What stands before the ids of its rows; None for the file's name."""

    def read(self, path: Path, source: str, *, currency: str = "EUR") -> list[Record]:
        """Read *path* whole; an amount is in *currency* where its line says nothing else.

        Raises `SourceDataError` with a line for each mistake, naming file, line and column.
        """
        lines, faults = self.lines(path, currency=currency)
        found: dict[str, tuple[Record, int]] = {}
        for line in lines if not faults else ():
            for record in self.make(f"{source}:{self._prefix}", line):
                same, number = found.setdefault(record.id, (record, line.number))
                if same != record:
                    said = tr(
                        "{key!r} already names the row of line {number}",
                        key=record.id.rpartition("/")[2],
                        number=number,
                    )
                    faults.append(wrong(path.name, line.number, self.key[0], said))
        if faults:
            more = (
                [
                    tr(
                        "{name}: and {count} more {count:mistake|mistakes}.",
                        name=path.name,
                        count=len(faults) - SHOWN,
                    )
                ]
                if len(faults) > SHOWN
                else []
            )
            raise SourceDataError("\n".join(faults[:SHOWN] + more))
        return [record for record, _ in found.values()]

    @property
    def _prefix(self) -> str:
        return f"{Path(self.file).stem}/" if self.prefix is None else self.prefix

    def lines(self, path: Path, *, currency: str = "EUR") -> tuple[list[Line], list[str]]:
        """Return the lines of *path* and its mistakes. Raises `SourceDataError` where no line can be told."""
        rows, said = self._rows(path)
        readers = {name: CellReader(column, said) for name, column in self._declared().items()}
        for _, cells in rows:
            for name, reader in readers.items():
                reader.look(cells.get(name))
        faults: list[str] = []
        lines = [self._line(path.name, number, cells, readers, currency, faults) for number, cells in rows]
        seen: dict[tuple[Any, ...], int] = {}
        for line in (one for one in lines if one.has(*self.key)):
            key = tuple(line[name] for name in self.key)
            if key in seen:
                shown = ", ".join(str(part) for part in key if part not in {None, ""})
                faults.append(
                    wrong(
                        path.name,
                        line.number,
                        ", ".join(self.key),
                        tr("{shown!r} is already on line {seen}", shown=shown, seen=seen[key]),
                    )
                )
            else:
                seen[key] = line.number
        if self.check:
            faults.extend(self.check(path.name, lines))
        return lines, sorted(faults, key=_place)

    def _declared(self) -> dict[str, Column]:
        """Return what the record says of the field that a column is for; a column for none is text."""
        known = columns_of(self.records[0])
        return {name: known.get(one.of or name, Column(kind="text")) for name, one in self.columns.items()}

    def _rows(self, path: Path) -> tuple[list[tuple[int, dict[str, str]]], Declared]:
        """Return the filled rows with their numbers, and what lines such as ``# decimal = ,`` declare."""
        said: dict[str, str] = {}
        texts = read_as_written(path, SourceDataError).splitlines(keepends=True)
        for place, one in enumerate(texts):
            if match := _SAYS.match(one.strip()):
                said[match[1].lower()] = match[2].lower()
                texts[place] = "\n"
        first = next((one for one in texts if one.strip() and not one.startswith("#")), "")
        reader = csv.reader(texts, delimiter=max(";,\t", key=first.count))
        names: list[str] = []
        rows: list[tuple[int, dict[str, str]]] = []
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if not any(stripped) or (stripped[0].startswith("#") and not is_error(stripped[0])):
                continue
            if not names:
                names = stripped
                self._check_names(path.name, reader.line_num, names)
                continue
            if any(stripped[len(names) :]):
                raise SourceDataError(
                    tr(
                        "{name}, line {line}: it has more cells than the file has columns; put a text that "
                        "holds the separator between double quotes.",
                        name=path.name,
                        line=reader.line_num,
                    )
                )
            rows.append((reader.line_num, dict(zip(names, stripped, strict=False))))
        if not names:
            self._check_names(path.name, 1, names)
        told = Declared(decimal=said.get("decimal"), order=said.get("dates"), unit="hours", how=_HOW)  # type: ignore[arg-type]
        return rows, told

    def _check_names(self, file: str, number: int, names: list[str]) -> None:
        if unknown := [name for name in names if name and name not in self.columns]:
            raise SourceDataError(
                tr(
                    "{file}, line {number}: unknown column {unknown}; known: {columns}.",
                    file=file,
                    number=number,
                    unknown=", ".join(unknown),
                    columns=", ".join(self.columns),
                )
            )
        if twice := [name for name in dict.fromkeys(names) if name and names.count(name) > 1]:
            raise SourceDataError(
                tr(
                    "{file}, line {number}: the column {twice} is there twice.",
                    file=file,
                    number=number,
                    twice=", ".join(twice),
                )
            )
        if lacking := [name for name, one in self.columns.items() if one.needed and name not in names]:
            raise SourceDataError(
                tr(
                    "{file}, line {number}: the column {lacking} is missing.",
                    file=file,
                    number=number,
                    lacking=", ".join(lacking),
                )
            )

    def _line(
        self,
        file: str,
        number: int,
        cells: dict[str, str],
        readers: dict[str, CellReader],
        currency: str,
        faults: list[str],
    ) -> Line:
        line = Line()
        line.number = number
        bad: set[str] = set()
        # the currency first: amounts are held against it
        for name in sorted(self.columns, key=lambda name: readers[name].column.kind != "currency"):
            text = cells.get(name, "")
            try:
                line[name] = self._cell(name, text, readers[name], line.get("currency") or currency)
            except CellError as exc:
                line[name] = None
                bad.add(name)
                faults.append(wrong(file, number, name, f"{text!r} {exc}" if text else str(exc)))
        line.wrong = frozenset(bad)
        return line

    def _cell(self, name: str, text: str, reader: CellReader, currency: str) -> Any:
        heading = self.columns[name]
        if not text:
            if heading.needed:
                raise CellError(tr("it may not be empty"))
            return currency if heading.default is HOME else heading.default
        if heading.choices is not None:
            if text.casefold() not in heading.choices:
                raise CellError(
                    tr("is not one of {names}", names=", ".join(dict.fromkeys(heading.choices.values())))
                )
            return heading.choices[text.casefold()]
        return reader.value(text, currency=currency)


class Mistake(str):
    """What is wrong with a file, in words, and the line it stands in; 0 where it is of the whole file."""

    line = 0


def wrong(file: str, line: int, column: str, what: str) -> Mistake:
    """Say what is wrong, and where."""
    said = tr("{file}, line {line}, column {column}: {what}.", file=file, line=line, column=column, what=what)
    found = Mistake(said)
    found.line = line
    return found


def _place(fault: str) -> int:
    return fault.line if isinstance(fault, Mistake) else 0
