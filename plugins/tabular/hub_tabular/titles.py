"""The headers of a table: what columns are called, and which headers hold for a row."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Any

import msgspec

from hub import cell_text, is_nothing, names_period
from hub_tabular.mapping import Mapping

_FIGURE, _LETTERS = re.compile("[0-9]"), re.compile(r"[^\W\d_]")

NOTE = re.compile(
    r"\(?(?:\*+|[0-9]{1,2})\)|\*+ ?\S|(?:note|nb|n\.b\.|source|quelle|l[ée]gende?|g[ée]n[ée]r[ée]|generated"
    r"|erstellt|[ée]dit[ée]|imprim[ée]|printed|export[ée]?(?:ed)?|signature|visa|unterschrift|page)\b",
    re.IGNORECASE,
)
"""How a note below a table begins: (1), *, Source, Generated on."""


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


class Heading(msgspec.Struct, kw_only=True):
    """The headers of a sheet: *names* in order, in which *row*, *twice* those that stand several times.

    *width* is how many there are up to the last that is not empty.

    *above* is what stands above them.

    *pivot* are the columns that become rows, *spans* the days they stand for.
    """

    names: list[str]
    row: int = 1
    width: int = 0
    twice: set[str] = set()
    above: str = ""
    pivot: tuple[str, ...] = ()
    spans: dict[str, tuple[date, date]] = {}


class Titles:
    """The headers that hold for a row: the table's, those of another export below it, or of nested rows."""

    def __init__(self, names: list[str], needed: Iterable[str], mapping: Mapping, above: str = "") -> None:
        self.above, self._first_above = above, above
        """What stands above the headers that hold, the title next to them first."""
        self._alone = ""
        self.needed, self.table, self.names = set(needed), names, names
        self.known = {*names}
        self.level = 1
        self.nested = mapping.nested
        self.pattern = re.compile(mapping.nested.matches) if mapping.nested else None
        self.per = mapping.unpivot.per if mapping.unpivot else None
        self._in_notes = False
        self._figures: dict[int, bool] = {}
        """Which columns hold a figure in each row looked at so far: a day, a number."""

    def change(self, cells: list[Any], at: int, first: str) -> bool:
        """Say whether *cells*, whose first filled one is *first*, are headers, which hold from now on."""
        alone, self._alone = self._alone, first if sum(bool(cell_text(cell)) for cell in cells) == 1 else ""
        if self.nested and self.pattern and not at and self.pattern.search(first):
            called = self.nested.columns
            self.names = [called.get(name, name) for name in headers(cells)]
            self.level = 2
            return True
        if first in self.known and (again := self._again(cells)):
            self.above = f"{alone} · {self._first_above}".strip(" ·") if alone else self.above
            self.table = self.names = again
            self.level = 1
            return True
        if self.level == 2 and not at:
            self.names, self.level = self.table, 1
        return False

    def is_note(self, cells: list[Any], first: str, after_gap: bool) -> bool:
        """Say whether a row is a note: one cell that reads so, after an empty row or another note."""
        reads_so = NOTE.match(first) is not None and sum(bool(cell_text(cell)) for cell in cells) == 1
        self._in_notes = reads_so and (after_gap or self._in_notes)
        return self._in_notes

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
        return not _FIGURE.search(text) and _LETTERS.search(text) is not None and not is_nothing(text)

    def _again(self, cells: list[Any]) -> list[str] | None:
        """Return the headers of another export that was put below, in the order in which they stand there."""
        texts = [cell_text(cell) for cell in cells]
        filled = [text for text in texts if text]
        if len(filled) < 2 or len(filled) != len(set(filled)) or not set(filled) <= set(self.table):
            return None
        again = headers(cells)
        return again if self.needed <= set(again) else None
