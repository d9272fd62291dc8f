"""What is there: the sheet to map, its headers, and what its columns hold."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterable
from datetime import date
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import msgspec

from hub import (
    CellError,
    CellReader,
    Declared,
    SourceDataError,
    Worklog,
    cell_text,
    columns_of,
    is_error,
    is_nothing,
    names_days,
    names_period,
    near_day,
    storable,
    tr,
    weekdays_among,
)
from hub_tabular import books, sheets, tables, titles
from hub_tabular.mapping import FaultyCell, Mapping
from hub_tabular.suggest.words import LEAVE, plain

_LOOK = 5000
_TOP = 30


class Looked(msgspec.Struct, kw_only=True):
    """What was seen of one sheet: its *names* in the row *header* (from 0), its rows, what stands above."""

    path: Path
    sheet: str
    names: list[str]
    header: int
    data: list[dict[str, Any]]
    above: list[str]
    days: dict[str, date] = {}
    """Headers that are numbers by which a spreadsheet counts days."""
    doubles: list[str] = []
    """Other sheets that hold the rows of these, such as one that sums them up."""
    more: list[dict[str, Any]] = []
    """The rows of the other sheets that are one table with this one."""
    delimiter: str = ""
    header_rows: int = 1
    carried: list[str] = []
    """Columns of labels that are not repeated: an empty cell of *data* was filled from above."""
    sums: dict[str, list[str]] = {}
    """By column, what is empty in rows of sums, which are no rows of *data* then."""

    def values(self, name: str) -> list[Any]:
        """Return what is filled in a column, but for dashes and the like, which stand for nothing."""
        return [
            row.get(name) for row in self.data if cell_text(row.get(name)) and not is_nothing(row.get(name))
        ]

    def texts(self, name: str) -> list[str]:
        """Return the same as texts."""
        return [cell_text(value) for value in self.values(name)]

    def words(self, name: str) -> list[str]:
        """Return the texts of a column in this sheet, and in those that are one table with it."""
        return [text for row in [*self.data, *self.more] if (text := cell_text(row.get(name)))]

    def is_filled(self, row: dict[str, Any], names: Iterable[str]) -> bool:
        """Say whether all of these columns of a row are filled."""
        return all(cell_text(row.get(name)) for name in names)

    def is_empty(self, row: dict[str, Any], names: Iterable[str]) -> bool:
        """Say whether none of these columns of a row is filled, and another one is not a sum's caption."""
        return not any(cell_text(row.get(name)) for name in names) and not any(
            tables.TOTAL.search(cell_text(cell)) for cell in row.values()
        )

    def is_unique(self, names: list[str]) -> bool:
        """Say whether these columns name a row, among those where all of them are filled."""
        found = [
            tuple(cell_text(row.get(one)) for one in names) for row in self.data if self.is_filled(row, names)
        ]
        return bool(names) and len(found) == len(set(found))


class Draft(msgspec.Struct, kw_only=True):
    """A mapping as it grows: lines at the top, fields, and columns that are used."""

    kind: str
    top: list[str] = []
    fields: dict[str, str] = {}
    doubts: list[str] = []
    used: dict[str, str] = {}
    account: dict[str, str] = {}
    container: dict[str, str] = {}
    key: list[str] = []
    pivot: list[str] = []
    """Columns that become rows."""
    empty: list[str] = []
    """Columns that are all empty in rows that say nothing, such as days on which nobody worked."""
    guessed: str = ""


def per_of(draft: Draft) -> Literal["day", "week", "month", "quarter", "half", "year"]:
    """Return what each row of a draft stands for."""
    day = draft.fields.get("day", "") + draft.fields.get("start_on", "")
    periods: tuple[Literal["week", "month", "quarter", "half", "year"], ...] = (
        "week", "month", "quarter", "half", "year",
    )  # fmt: skip
    if "weekday = " in day:
        return "day"
    return next((per for per in periods if f'format = "{per}"' in day), "day")


def looked_at(path: Path, sheet: str | None) -> tuple[Looked, list[str], list[str]]:
    """Return the sheet to map, the names of those like it, and of the others."""
    mapping = Mapping(record="", fields={}, sheet=sheet or 0, sheets=None if sheet else "*")
    found: list[Looked] = []
    empty: list[str] = []
    beside: list[str] = []
    for one in sheets.sheets_of(path, mapping):
        rows = list(islice(one.rows, _LOOK))
        header = _header_row(rows)
        if header is None:
            empty.append(one.name)
            continue
        first = header = header + _is_in_two_languages(rows, header)
        whole = _whole_header(rows, header)
        if whole is None:
            empty.append(one.name)
            beside.append(one.name)
            continue
        header, cells = whole
        count = header - min(first, header - 1) + 1 if cells is not rows[header] else 1
        names = titles.headers(cells)
        data = [
            dict(zip(names, cells, strict=False))
            for cells in rows[header + 1 :]
            if any(map(cell_text, cells)) and not _is_again(cells, names)
        ]
        above = [text for cells in rows[: header + 1 - count] for cell in cells if (text := cell_text(cell))]
        days = {name: day for name, cell in zip(names, cells, strict=True) if (day := near_day(cell))}
        found.append(Looked(path=path, sheet=one.name, names=names, header=header, data=data, above=above,
                            header_rows=count, days=days))  # fmt: skip
    if beside and not found:
        raise SourceDataError(
            tr(
                "{file}: several tables stand beside each other, under the same headers. Put them below each "
                "other, or in sheets of their own.",
                file=storable(path.name),
            )
        )
    if not found:
        raise SourceDataError(
            tr(
                "{file}: no row looks like headers (several short texts, all different) in its first "
                "{most} rows.",
                file=storable(path.name),
                most=_TOP,
            )
        )
    if sheets.kind_of(path) == "text":
        with io.TextIOWrapper(books.opened(path), encoding=sheets.detect_encoding(path), newline="") as file:
            found[0].delimiter = sheets.detect_delimiter(file.read(65536))
    # the sheet with most rows among those that have most in common
    groups = [[other for other in found if _alike(one, other)] or [one] for one in found]
    best = max(groups, key=lambda group: (len(group), sum(len(one.data) for one in group)))
    doubles = [one.sheet for one in best if len(best) > 2 and _holds_the_others(one, best)]
    best = [one for one in best if one.sheet not in doubles]
    chosen = max(best, key=lambda one: len(one.data))
    alike = [one.sheet for one in best]
    chosen.doubles = doubles
    chosen.more = [row for one in best if one is not chosen for row in one.data]
    return chosen, alike, [one.sheet for one in found if one.sheet not in alike] + empty


_MOST = 0.6
SUMS = (
    r"(?i)^(grand |sous.?|sub.?)?(total|totaux|totaal|somme|gesamt|suma|razem|celkem)"
    r"|\b(total|ergebnis|summe)$"
)
"""How the rows of sums of a pivot table begin or end: Total Zoé, Zoe Total, Gesamtergebnis."""
_SPARSE = 0.6


def carry(looked: Looked) -> None:
    """Fill labels that a pivot table does not repeat, and take out its rows of sums, where it is one.

    Its columns of labels stand first, but for the last of them with gaps; a label begins the ones behind it
    anew, and none comes twice below the same. Where one comes twice, an empty cell may mean nobody.
    """
    labels = []
    for name in looked.names:
        if not looked.values(name) or is_numeric(looked, name):
            break
        labels.append(name)
    body = []
    sums: dict[str, list[str]] = {}
    for row in looked.data:
        filled = [name for name in labels if cell_text(row.get(name))]
        last = filled[-1] if filled else None
        if last and last != labels[-1] and re.search(SUMS, cell_text(row[last])):
            empty = labels[labels.index(last) + 1 :]
            sums[last] = [name for name in sums.get(last, empty) if name in empty]
        else:
            body.append(row)
    gaps = []
    for name in labels:
        count = sum(bool(cell_text(row.get(name))) for row in body)
        if count >= _SPARSE * len(body):
            break
        gaps.append(name)
    full = labels[len(gaps)] if len(gaps) < len(labels) else None
    if not gaps or full is None or not all(cell_text(row.get(full)) for row in body):
        return
    above: dict[str, Any] = {}
    seen = set[tuple[str, ...]]()
    rows = list[dict[str, Any]]()
    for row in body:
        begun = False
        for at, name in enumerate(gaps):
            if text := cell_text(row.get(name)):
                begun, above[name] = True, row[name]
                path = (*(cell_text(above[one]) for one in gaps[:at]), text)
                if path in seen:
                    return
                seen.add(path)
            elif begun or name not in above:
                return
        rows.append(row | above)
    if len({path[0] for path in seen}) > 1:
        looked.data, looked.carried, looked.sums = rows, gaps, sums


def _holds_the_others(one: Looked, group: list[Looked]) -> bool:
    """Say whether a sheet holds all rows of the others: what brings them together, and not another month."""

    def rows(of: Looked) -> set[tuple[str, ...]]:
        return {tuple(map(cell_text, row.values())) for row in of.data}

    others = [rows(other) for other in group if other is not one]
    return bool(rows(one)) and set().union(*others) <= rows(one)


def _alike(one: Looked, other: Looked) -> bool:
    """Say whether two sheets are one table: most headers are the same, but for those that name a period.

    They may stand in another order and in another row, as each sheet is read by its own.
    """
    if not other.data or one.header_rows != other.header_rows:
        return False
    if one.header != other.header and one.header_rows > 1:
        return False
    mine, others = _fixed(one.names), _fixed(other.names)
    shared = {*mine} & {*others}
    return mine == others or (len(shared) >= 3 and len(shared) >= _MOST * max(len(mine), len(others)))


def _fixed(names: list[str]) -> list[str]:
    days = names_days(names)
    return [name for name in names if not is_period(name) and name not in days]


def is_period(name: str) -> bool:
    """Say whether a header alone names a week, a month, a quarter or a half year."""
    return any(names_period(name, per) for per in ("week", "month", "quarter", "half"))


def years_among(texts: Iterable[str]) -> list[str]:
    """Return the texts that are years, one after the other: two of them at least.

    One alone is a number as good as any other.
    """
    found = [text for text in texts if names_period(text, "year")]
    years = [int(text[-4:]) for text in found]
    return found if len(found) > 1 and years == list(range(years[0], years[0] + len(years))) else []


_DURATION = re.compile(r"[0-9]+ ?h ?[0-9]*|[0-9]+([.,][0-9]+)? ?(h|j|jh)", re.IGNORECASE)


def _is_of_words(rows: list[list[Any]], column: int) -> bool:
    """Say whether nothing but words and days stand in a column: those of another table beside the first."""
    found = [cells[column] for cells in rows if column < len(cells) and cell_text(cells[column])]
    return bool(found) and not any(
        (number_of(one) is not None and not isinstance(one, date)) or _DURATION.fullmatch(cell_text(one))
        for one in found
    )


def _whole_header(rows: list[list[Any]], at: int) -> tuple[int, list[Any]] | None:
    """Return the last row of the headers, and all of them: what stands over several columns is of each.

    None where several tables stand beside each other.
    """

    def texts(number: int) -> list[str]:
        return [cell_text(cell) for cell in rows[number]] if 0 <= number < len(rows) else []

    def spans(upper: int) -> bool:
        over, below = texts(upper), texts(upper + 1)
        over += [""] * (len(below) - len(over))
        filled = [text for text in over if text]
        words = [text for text in below if text]
        if _is_over(over, below) or _is_named(over, rows[upper + 1] if upper + 1 < len(rows) else []):
            return True
        return (
            len(filled) >= 2
            and len(words) >= 2
            and all(re.search(r"[^\W\d_]", text) for text in filled + words)
            and not any(_DURATION.fullmatch(text) or names_days([text]) for text in words)
            and all(isinstance(cell, str) for cell in rows[upper + 1] if cell_text(cell))
            and any(text and up in {"", text} for text, up in zip(below, over, strict=False))
            and len(set(words)) < len(words)  # the same captions under each
        )

    for upper in (at, at - 1):
        if 0 <= upper < len(rows) - 1 and spans(upper):
            if any(
                _is_of_words(rows[upper + 2 : upper + 2 + _TOP], column)
                for column, text in enumerate(texts(upper + 1))
                if text and texts(upper + 1).count(text) > 1
            ):
                return None
            return upper + 1, titles.joined_headers([rows[upper], rows[upper + 1]])
    return at, rows[at]


def _is_again(cells: list[Any], names: list[str]) -> bool:
    """Say whether a row is the headers again, as on each page of a printed list, or above another export."""
    texts = [(at, text) for at, cell in enumerate(cells) if (text := cell_text(cell))]
    return len(texts) > 1 and all(at < len(names) and names[at] == text for at, text in texts)


def _is_over(texts: list[str], below: list[str]) -> bool:
    """Say whether weeks or months stand over their days: names of days of the week, or numbers."""
    texts = [*texts, *[""] * (len(below) - len(texts))]
    over = [text for text, under in zip(texts, below, strict=False) if text and under and text != under]
    first = next((at for at, text in enumerate(texts) if text in over), 0)
    days = [text for text in below[first:] if text]
    is_days = all(re.fullmatch("[0-9]{1,2}", one) for one in days)
    return (
        len(over) > 1
        and all(is_period(text) for text in over)
        and len(set(days)) < len(days)
        and (is_days or len(weekdays_among(days)) == len(set(days)))
    )


def _is_named(over: list[str], below: list[Any]) -> bool:
    """Say whether days of the week stand over their dates, and nothing else has anything below."""
    days = [(text, cell) for text, cell in zip(over, below, strict=False) if cell_text(cell)]
    return (
        len(days) > 2
        and len(weekdays_among(text for text, _ in days)) == len(days)
        and all(isinstance(cell, date) or names_period(cell_text(cell), "day") for _, cell in days)
    )


def _header_row(rows: list[list[Any]]) -> int | None:
    best, score = None, 1.0
    for number, cells in enumerate(rows[:_TOP]):
        if number and _is_over([*map(cell_text, rows[number - 1])], [*map(cell_text, cells)]):
            cells = titles.joined_headers([rows[number - 1], cells])
        texts = [cell_text(cell) for cell in cells if cell_text(cell)]
        days = names_days(texts)
        years = years_among(texts)
        if not years and any(map(is_period, texts)):
            years = [text for text in texts if names_period(text, "year")]  # beside months, their sum
        serials = _serials(cells)
        words = [
            text for text in texts
            if (text in days and len(days) > 1) or text in years or text in serials
            or is_period(text) or text == "#"
            or (re.search(r"[^\W\d]", text) and len(text) < 60 and not _DURATION.fullmatch(text))
        ]  # fmt: skip
        if len(words) < 2 or len(set(texts)) < len(texts) - 2 or len(words) < len(texts) * 0.8:
            continue
        if all(is_period(text) or text in years or text in serials for text in words):
            continue
        below = sum(bool(cell_text(cell)) for cell in (rows[number + 1] if number + 1 < len(rows) else []))
        value = len(words) + 0.5 * min(below, len(words))
        if value > score:
            best, score = number, value
    return best


def _serials(cells: list[Any]) -> list[str]:
    """Return the headers that are days as a spreadsheet counts them: two at least, one after the other."""
    found = [(cell_text(cell), day) for cell in cells if (day := near_day(cell))]
    days = [day for _, day in found]
    return [text for text, _ in found] if len(days) > 1 and days == sorted(set(days)) else []


def _is_in_two_languages(rows: list[list[Any]], at: int) -> bool:
    """Say whether the row below the headers is the same headers again: words, where figures stand below."""
    upper, lower = ([cell_text(cell) for cell in cells] for cells in [*rows[at : at + 2], []][:2])
    if len(lower) < 3 or [bool(one) for one in upper] != [bool(one) for one in lower]:
        return False
    if len(set(lower)) < len(lower) or any(re.search("[0-9]", one) for one in lower):
        return False
    below = [[cell_text(cell) for cell in cells] for cells in rows[at + 2 : at + 2 + _TOP]]
    figures = [
        column
        for column in range(len(lower))
        if (found := [cells[column] for cells in below if column < len(cells) and cells[column]])
        and all(re.search("[0-9]", one) for one in found)
    ]
    return len(figures) >= 2


def is_numeric(looked: Looked, name: str) -> bool:
    """Say whether a column holds numbers or durations, and nearly nothing else."""
    values = [
        value
        for value in looked.values(name)
        if not isinstance(value, FaultyCell) and not is_error(cell_text(value))
    ]
    if not values or any(map(tables.looks_like_date, values)):
        return False
    reader = CellReader(
        columns_of(Worklog)["seconds"], Declared(unit="hours", decimal=decimal_of(looked, name))
    )
    for value in values:
        reader.look(value)
    return sum(_reads(reader, value) for value in values) >= 0.8 * len(values)


def _reads(reader: CellReader, value: Any) -> bool:
    try:
        reader.value(value.rstrip("€$£% ") if isinstance(value, str) else value)
    except CellError:
        return False
    return True


def decimal_of(looked: Looked, name: str) -> Literal[",", "."] | None:
    """Return the comma where the numbers of a column are written with one."""
    texts = [value for value in looked.values(name) if isinstance(value, str)]
    if any(re.search(r"[0-9],[0-9]{1,2}$|[0-9],[0-9]{4,}$", text.rstrip("€ ")) for text in texts):
        return ","
    return None


def number_of(value: Any) -> float | None:
    """Return a cell as a number, None where it is none."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    text = re.sub(r"[\s\u00a0\u202f€$£]", "", str(value or "")).replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None


def is_of_absences(looked: Looked) -> bool:
    """Say whether a table is of leave, by the names of its file, its sheet and its columns."""
    return re.search(LEAVE, plain(" ".join([looked.path.stem, looked.sheet, *looked.names]))) is not None


def remark_of(text: str) -> str:
    """Return a comment behind a line."""
    return f"   # {text}"


def toml(value: Any) -> str:
    """Return a value as TOML writes it."""
    return json.dumps(value, ensure_ascii=False)
