"""What a mapping file may say; nothing is opened here."""

from __future__ import annotations

import re
from typing import Literal

import msgspec

from hub import (
    BY_TABLE,
    RECORDS,
    Account,
    ConfigError,
    Container,
    Record,
    columns_of,
    tr,
)

_EFFORTS = frozenset({"seconds", "minutes", "hours", "days", "clock"})
_PARTS = frozenset({"share", "percent"})
_SPANS = frozenset({"week", "month", "quarter", "half", "year"})
_SCALES = frozenset({"units", "thousands", "millions"})
_UNITS = {"seconds": _EFFORTS, "share": _PARTS, "percent": _PARTS, "minor": _SCALES}
"""The units that a field may have, by what kind of column it fills."""
SHEET, FILE, UNTIL, LESS, LEVEL, ABOVE = "#sheet", "#file", "#to", "#less", "#level", "#above"
"""Columns that every table has besides its own: the names of sheet and file, the last day of a period, what
unpivot takes off, and what stands above the headers that hold for a row."""


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one field of the record comes from.

    *column* is a header, or several whose texts are joined by a blank, or ``#sheet`` and ``#file`` for their
    names; *value* a constant.
    *unit*: seconds, minutes, hours, days, or clock (7.30 is 7 h 30) for efforts, share or percent for parts,
    units, thousands or millions for amounts (where nothing is said, by the header: ``Budget (k€)``);
    *format*: a strptime format for dates, ``excel`` for the numbers by which Excel counts days, or ``week``,
    ``month``, ``quarter``, ``half`` or ``year`` for a column that names one (2026-W44, S44,
    oct. 2026, T1 2026, or any day of it): its first day, and its last as ``finish_on``; *year*
    is that of those that say none, before that by which sheet or file is called. *values* maps what
    the file says to what the record says; *default* stands for an empty cell. *source* names another source
    whose ids these are; *pattern* keeps the first group of a regular expression.

    A day may come from its week and its *weekday*, the column of which *weekdays* says what stands for which
    day, 1 for Monday: of the week that *column* names (``format = "week"``), else of the one that begins with
    the day there, or with ``week = "ends"`` ends with it.

    An effort may come from when it began and ended instead: *start* and *end*, or several of each for a day
    in parts, less a *pause* (how long it was, or from and to), whose numbers are in *unit*. Times without a
    day are of the row's; *end_day* names that of the end, else it is the next one where the end is earlier.
    """

    column: str | tuple[str, ...] | None = None
    value: str | int | float | bool | None = None
    unit: (
        Literal[
            "seconds",
            "minutes",
            "hours",
            "days",
            "clock",
            "share",
            "percent",
            "units",
            "thousands",
            "millions",
        ]
        | None
    ) = None
    format: str | None = None
    year: int | None = None
    values: dict[str, str | int | float | bool] | None = None
    default: str | int | float | bool | None = None
    source: str | None = None
    pattern: str | None = None
    weekday: str | None = None
    weekdays: dict[str, int] = {}
    week: Literal["starts", "ends"] = "starts"
    start: str | tuple[str, ...] | None = None
    end: str | tuple[str, ...] | None = None
    end_day: str | None = None
    pause: str | tuple[str, str] | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the headers it is taken from."""
        clocks = [*_several(self.start), *_several(self.end), *_several(self.end_day), *_several(self.pause)]
        return (*_several(self.column), *_several(self.weekday), *clocks)

    @property
    def spans(self) -> list[tuple[str, str]]:
        """Return the columns of when it began and ended."""
        return list(zip(_several(self.start), _several(self.end), strict=True))


def _several(columns: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (columns,) if isinstance(columns, str) else columns or ()


class Drop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows to leave out.

    Those whose *column* (any column when None) matches the regular expression *matches*, and where the
    columns *empty* are all empty: a row that names all that a row of data names is never a sum.
    """

    matches: str
    column: str | None = None
    empty: tuple[str, ...] = ()


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group row: a row with a single filled cell that matches *matches*.

    Its text (first group) goes down as *into*.
    """

    into: str
    matches: str = ".+"


class Outline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Turn an outline level (1, 2, 3 or 1, 1.1, 1.1.1) in *column* into the row's parent."""

    column: str


class Indent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Labels of several levels in one *column*, as a compact pivot table has them, go to the columns *into*.

    How far a label is indented says its level, the outermost first. A row below which others are indented
    sums them, and is left out.
    """

    column: str
    into: tuple[str, ...]


class Nested(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows that belong to the row above them, below headers of their own, as the sub-items of monday.com.

    The row of these headers begins with a cell that matches *matches*, the rows below it with an empty one.
    *columns* says which of their headers is which of the table's. The column ``#level`` is 1 in rows of the
    table and 2 in these.
    """

    matches: str
    columns: dict[str, str] = {}


class Unpivot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Turn columns whose header matches *columns* into rows.

    The header goes to *name*, the cell to *value*. With *per* the headers are days, weeks, months, quarters,
    half years or years, however they are written (S41, 05/10, janv. 2026, T1 2026): *name* is then the first
    day of each, and the row lasts to the last; *columns* may be left out, and *year* says the year where
    neither header, file, sheet nor the rows above say it. *less* names for a column the one whose amount is
    taken off: a landing less what is consumed is what is still to come.
    """

    columns: str | None = None
    name: str = "Colonne"
    value: str = "Valeur"
    per: Literal["day", "week", "month", "quarter", "half", "year"] | None = None
    year: int | None = None
    less: dict[str, str] = {}


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mapping file: how a table of any shape becomes records of one type.

    *decimal* and *date_formats* are looked for in each column where nothing is said. *period* is what a row
    of hours covers. *sheet* is one sheet, *sheets* a pattern of names such as ``*``. *overlap* says what
    becomes of a key that two files of the source have: the second is refused, or the newest file has it.
    """

    record: str
    fields: dict[str, Field | str]
    sheet: str | int = 0
    sheets: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int = 1
    header_rows: int = 1
    """How many rows the headers stand in, one above the other; `header_row` is the last of them."""
    drop: tuple[Drop, ...] = ()
    carry_down: tuple[str, ...] = ()
    group: tuple[Group, ...] = ()
    outline: Outline | None = None
    indent: Indent | None = None
    nested: Nested | None = None
    unpivot: Unpivot | None = None
    hours_per_day: float | None = None
    period: Literal["day", "week", "month"] = "day"
    decimal: Literal[".", ",", "auto"] = "auto"
    date_formats: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    snapshot: Literal["full", "delta"] = "full"
    files: Literal["each", "latest"] = "each"
    overlap: Literal["refuse", "newest"] = "refuse"
    account: dict[str, str] = {}
    container: dict[str, str] = {}

    @property
    def spans(self) -> Literal["week", "month", "quarter", "half", "year"] | None:
        """Return what a row lasts where its one day does not say it."""
        if self.unpivot and self.unpivot.per not in {None, "day"}:
            return self.unpivot.per  # type: ignore[return-value]
        day = self.fields.get("start_on" if self.record == "allocation" else "day")
        if not isinstance(day, Field) or day.weekday:
            return None
        return day.format if day.format in _SPANS else None  # type: ignore[return-value]


class FaultyCell(str):
    """A cell that has no value to take, and *why*; as a text it is what a spreadsheet shows there."""

    why: str
    __slots__ = ("why",)

    def __new__(cls, shown: str, why: str) -> FaultyCell:
        """Keep why."""
        made = super().__new__(cls, shown)
        made.why = why
        return made


def check_mapping(mapping: Mapping, where: str) -> type[Record]:
    """Return the record class of *mapping*.

    Raises `ConfigError` naming *where* for what no file could satisfy.
    """
    known = sorted(record.table for record in RECORDS)
    if mapping.record not in known:
        raise ConfigError(
            tr(
                "{where}: record = {record!r} is not one of {known}.",
                where=where,
                record=mapping.record,
                known=", ".join(known),
            )
        )
    cls = BY_TABLE[mapping.record]
    known = [name for name in cls.__struct_fields__ if name != "id"]
    for name in mapping.fields:
        if name not in known:
            raise ConfigError(
                tr(
                    "{where} [fields]: {record} has no field {name!r}. It has: {known}.",
                    where=where,
                    record=mapping.record,
                    name=name,
                    known=", ".join(known),
                )
            )
    for name in required(cls, mapping):
        if name not in mapping.fields:
            raise ConfigError(
                tr(
                    "{where} [fields]: {record} needs the field {name!r}.",
                    where=where,
                    record=mapping.record,
                    name=name,
                )
            )
    for label, text in (
        [("drop", one.matches) for one in mapping.drop]
        + ([("nested", mapping.nested.matches)] if mapping.nested else [])
        + [("group", one.matches) for one in mapping.group]
        + [
            ("pattern", field.pattern)
            for field in mapping.fields.values()
            if isinstance(field, Field) and field.pattern
        ]
        + ([("unpivot", mapping.unpivot.columns)] if mapping.unpivot and mapping.unpivot.columns else [])
    ):
        try:
            re.compile(text)
        except re.error as exc:
            raise ConfigError(
                tr(
                    "{where}: {label} = {text!r} is not a regular expression ({error}).",
                    where=where,
                    label=label,
                    text=text,
                    error=exc,
                )
            ) from exc
    _check_units(mapping, cls, where)
    if mapping.snapshot == "delta" and not mapping.key:
        raise ConfigError(
            tr(
                '{where}: a delta needs key = ["column", …]: without it the same line would be '
                "counted again.",
                where=where,
            )
        )
    if mapping.overlap == "newest" and not mapping.key:
        raise ConfigError(
            tr(
                '{where}: overlap = "newest" needs key = ["column", …], which says when two rows are one.',
                where=where,
            )
        )
    if mapping.sheets is not None and mapping.sheet != 0:
        raise ConfigError(tr("{where}: say either sheet or sheets.", where=where))
    if mapping.unpivot and not (mapping.unpivot.columns or mapping.unpivot.per):
        raise ConfigError(
            tr(
                "{where}: unpivot needs columns (a regular expression) or per (day, week, month, quarter, "
                "half, year).",
                where=where,
            )
        )
    for side, cls_ in (("account", Account), ("container", Container)):
        for name in getattr(mapping, side):
            if name not in cls_.__struct_fields__ or name == "id":
                raise ConfigError(
                    tr("{where} [{side}]: {side} has no field {name!r}.", where=where, side=side, name=name)
                )
    return cls


def _check_units(mapping: Mapping, cls: type[Record], where: str) -> None:
    if mapping.hours_per_day is not None and not 0 < mapping.hours_per_day <= 24:
        raise ConfigError(
            tr(
                "{where}: hours_per_day = {hours_per_day:g} is not above 0 and at most 24.",
                where=where,
                hours_per_day=mapping.hours_per_day,
            )
        )
    for name, field in mapping.fields.items():
        if isinstance(field, Field):
            _check_clocks(name, field, columns_of(cls)[name].kind, where)
            _check_weekdays(name, field, columns_of(cls)[name].kind, where)
        unit = field.unit if isinstance(field, Field) else None
        kind = columns_of(cls)[name].kind
        fits = _UNITS.get(kind, frozenset())
        if unit is not None and unit not in fits:
            known = ", ".join(sorted(fits)) or "none"
            raise ConfigError(
                tr(
                    "{where} [fields]: {name} has no unit {unit!r}; it can have {known}.",
                    where=where,
                    name=name,
                    unit=unit,
                    known=known,
                )
            )


def _check_clocks(name: str, field: Field, kind: str, where: str) -> None:
    if not (field.start or field.end or field.pause or field.end_day):
        return
    starts, ends = _several(field.start), _several(field.end)
    if kind != "seconds" or field.column or field.value is not None or len(starts) != len(ends) or not starts:
        raise ConfigError(
            tr(
                "{where} [fields]: {name} needs as many columns in start as in end, and no column or value; "
                "only an effort has them.",
                where=where,
                name=name,
            )
        )


def _check_weekdays(name: str, field: Field, kind: str, where: str) -> None:
    if field.weekday is None and not field.weekdays:
        return
    days = set(field.weekdays.values())
    if kind != "day" or field.column is None or field.weekday is None or not days or days - {*range(1, 8)}:
        raise ConfigError(
            tr(
                "{where} [fields]: {name} needs column for the week, weekday, and weekdays from 1 (Monday) "
                "to 7; only a day has them.",
                where=where,
                name=name,
            )
        )


def required(cls: type[Record], mapping: Mapping) -> list[str]:
    """Return the fields that a mapping has to fill; a period says its last day itself."""
    known = {"id", "finish_on"} if mapping.spans else {"id"}
    return [one.name for one in msgspec.structs.fields(cls) if one.required and one.name not in known]
