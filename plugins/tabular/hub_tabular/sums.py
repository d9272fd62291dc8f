"""The sums that a table states, held against the rows above them."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import structs

from hub import Record, cell_text, number, tr
from hub_tabular.mapper import RowError, RowMapper
from hub_tabular.tables import TOTAL, Row, Table

_MARKS = 500
"""So many sums back one may begin."""
_MOST_ROWS = 20_000
_PART = 0.005
"""The share by which a stated sum may differ: sums are shown rounded."""
_ROUNDED = {"seconds": 18.0, "amount_minor": 0.5}
"""Half of the last place in which a row may be written (0.01 h, 0.01 of a currency), in what is kept."""


def sum_above(totals: Sequence[tuple[str, float]], may: float) -> str:
    """Return what the first row is called that holds what the rows below it hold, nothing where none does.

    All rows must stand in such groups, two at least, and one of them be of two rows at least: then it is a
    pivot table in compact form, or an outline with its sums above. *may* is by how much a row may differ.
    """
    at, groups, all_, first = 0, 0, 0.0, ""
    while at < len(totals):
        name, stated = totals[at]
        held, end = 0.0, at + 1
        while end < len(totals) and held < stated - may:
            held, end = held + totals[end][1], end + 1
        is_group = stated > 0 and end > at + 1 and abs(held - stated) <= may * (end - at)
        if not is_group and at == len(totals) - 1 and abs(stated - all_) <= may * at:
            break  # the sum of all
        if not is_group:
            return ""
        first = first or (name if end - at > 2 else "")
        groups, all_, at = groups + 1, all_ + stated, end
    return first if groups > 1 else ""


class SumRowError(RowError):
    """A row that no `drop` names is the sum of those above it: its hours or amounts are theirs."""


class Sums:
    """Counts what the rows of one file hold, row by row, and compares it where the file states a sum.

    A sum may be of all rows of its sheet or of those since a sum before it, for sums stand within sums.
    *missing* says where the rows hold less than is stated: a row was not read, or is not there; *notes* where
    they hold more, as a sum of what a filter shows does.
    """

    def __init__(self, mapper: RowMapper, table: Table, name: str) -> None:
        """Compare the sums of *table*, which a person knows as *name*."""
        self.mapper, self.table, self.name = mapper, table, name
        self.field = next((one for one in ("seconds", "amount_minor") if one in mapper.readers), None)
        self.missing: list[str] = []
        self.notes: list[str] = []
        self._sheet = ""
        self._closed = 0
        self._label = self._only_label()
        self._totals: list[tuple[str, float]] = []
        """What each row is called and holds, where one column of names is all that tells rows apart."""
        self._last = 0
        self._all = self._rows = 0
        self._marks: list[int] = [0]
        """What all rows above each sum held, and 0 before the first row."""
        self._columns: dict[str, list[tuple[int, int]]] = {}
        """How many rows each column that became rows held, and what, up to now and up to each sum in it."""

    def refuse_sum(self, row: Row) -> None:
        """Raise `SumRowError` for a row that calls itself a total and holds what those above it hold.

        The hours would count twice; of one row above it says the same as of itself, and is taken.
        """
        if self.field is None or row.sheet != self._sheet:
            return
        called = next(
            (
                text
                for cell in row.cells.values()
                if isinstance(cell, str) and TOTAL.search(text := cell_text(cell))
            ),
            None,
        )
        columns = self._columns.get(row.part)
        if called is None or columns is None or not (found := self.mapper.measure(self.field, row.cells)):
            return
        rows, held = columns[-1]
        for before, since in [(0, 0), *columns[:-1]]:
            may = abs(found) * _PART + _ROUNDED[self.field] * (rows - before)
            if rows - before >= 2 and abs(held - since - found) <= may:
                columns.insert(-1, columns[-1])
                raise SumRowError(
                    "",
                    called,
                    tr("calls itself a sum and holds what the rows above it hold together: counted once"),
                )

    def add(self, row: Row, record: Record | None) -> None:
        """Count a row, whatever becomes of it: by its *record*, else by what its cells say."""
        if self.field is None:
            return
        self._close(row)
        if row.sheet != self._sheet:
            self._refuse_outline()
            self._sheet, self._all, self._rows, self._marks = row.sheet, 0, 0, [0]
            self._columns = {}
        found = getattr(record, self.field) if record else self.mapper.measure(self.field, row.cells)
        self._all += found or 0
        self._rows += 1
        if self._label and len(self._totals) < _MOST_ROWS:
            if row.number == self._last and self._totals:
                name, held = self._totals[-1]
                self._totals[-1] = (name, held + (found or 0))
            else:
                self._totals.append((cell_text(row.cells.get(self._label)), found or 0))
            self._last = row.number
        columns = self._columns.setdefault(row.part, [(0, 0)])
        columns[-1] = (columns[-1][0] + 1, columns[-1][1] + (found or 0))
        del columns[:-_MARKS]

    def end(self) -> None:
        """Compare what is stated below the last row."""
        if self.field is not None:
            self._close(None)
            self._refuse_outline()

    def _only_label(self) -> str:
        """Return the column that alone tells rows apart, where one does and their days are columns."""
        mapping = self.mapper.mapping
        turned = {mapping.unpivot.name, mapping.unpivot.value} if mapping.unpivot else set[str]()
        named = {
            column
            for name, field in self.mapper.fields.items()
            for column in field.columns
            if name not in {self.field, "currency"} and column not in turned
        }
        return named.pop() if mapping.unpivot and len(named) == 1 else ""

    def _refuse_outline(self) -> None:
        """Tell rows that hold what those below them hold, all of which were taken."""
        if found := sum_above(self._totals, _ROUNDED[self.field or "seconds"]):
            self.missing.append(
                tr(
                    "{file}{sheet}: {name} holds the sum of the rows below it, and so do others: all is "
                    "counted twice. Say indent in the mapping, or show the pivot table in tabular form",
                    file=self.name,
                    sheet=tr(", sheet {sheet}", sheet=self._sheet) if self._sheet else "",
                    name=found,
                )
            )
        self._totals = []

    def _close(self, row: Row | None) -> None:
        """Compare the sums that stand above *row*."""
        while self._closed < len(self.table.sums):
            parts = self.table.sums[self._closed]
            if row is not None and row.sheet == parts[0].sheet and row.number < parts[0].number:
                return
            self._closed += 1
            if parts[0].sheet == self._sheet:
                self._compare(parts)

    def _compare(self, parts: list[Row]) -> None:
        assert self.field is not None
        found = [self.mapper.measure(self.field, one.cells) for one in parts]
        stated = [one for one in found if one is not None]
        marks, self._marks = self._marks, [*self._marks[-_MARKS:], self._all]
        if not stated or self._sheet in self.table.filtered:
            return
        total = sum(stated)
        may = abs(total) * _PART + _ROUNDED[self.field] * self._rows
        if any(abs(total - (self._all - mark)) <= may for mark in (0, *marks)):
            return
        # of the rows since the sum before, else of all: whichever was more likely meant
        held = min((self._all, self._all - marks[-1] or self._all), key=lambda one: abs(total - one))
        size = 3600 if self.field == "seconds" else 100
        said = tr(
            "{file}{place}: the sum stated there is {stated}, and the rows above it hold {held}",
            file=self.name,
            place=structs.replace(parts[0], part="").place,
            stated=number(total / size, ",.2f"),
            held=number(held / size, ",.2f"),
        )
        (self.missing if total > held else self.notes).append(said)
