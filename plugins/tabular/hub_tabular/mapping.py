"""What a mapping file may say, and how one row of a table becomes records; nothing is opened here."""

from __future__ import annotations

import calendar
import contextlib
import functools
import hashlib
import re
from collections import Counter, abc
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, cast, get_args, get_type_hints
from zoneinfo import ZoneInfo

import msgspec

from hub import (
    BY_TABLE,
    RECORDS,
    Account,
    BudgetLine,
    CellError,
    CellReader,
    ConfigError,
    Container,
    CustomValue,
    Declared,
    Record,
    Task,
    Worklog,
    caption_currency,
    cell_text,
    columns_of,
    is_error,
    mark,
    scale_of,
    tr,
    unit_of,
)

REFERENCES = {"account_id", "assignee_id", "author_id", "owner_id", "manager_id", "container_id", "task_id",
    "parent_id",
              "from_id", "to_id", "iteration_id", "row_id"}  # fmt: skip
_EFFORTS = frozenset({"seconds", "minutes", "hours", "days"})
_PARTS = frozenset({"share", "percent"})
_SCALES = frozenset({"units", "thousands", "millions"})
_DAY_S = 86400
_UNITS = {"seconds": _EFFORTS, "share": _PARTS, "percent": _PARTS, "minor": _SCALES}
"""The units that a field may have, by what kind of column it fills."""
SHEET, FILE, UNTIL, LESS, LEVEL = "#sheet", "#file", "#to", "#less", "#level"
"""Columns that every table has besides its own: the names of sheet and file, the last day of a period, and
what unpivot takes off."""
_HOW = {
    "decimal": mark('say decimal = "," or "." in the mapping'),
    "order": mark('say date_formats, or the field\'s format such as "%d/%m/%Y", in the mapping'),
    "unit": mark('say unit = "share" or "percent" in the mapping'),
}


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one field of the record comes from.

    *column* is a header, or several whose texts are joined by a blank, or ``#sheet`` and ``#file`` for their
    names; *value* a constant.
    *unit*: seconds, minutes, hours, days for efforts, share or percent for parts, units, thousands or
    millions for amounts (where nothing is said, by the header: ``Budget (k€)``); *format*: a strptime format
    for dates, ``excel`` for the numbers by which Excel counts days, or ``week`` or ``month`` for a column
    that names one (2026-W44, S44, oct. 2026, or any day of it): its first day, and its last as ``finish_on``;
    *year* is that of those that say none, before that by which sheet or file is called. *values* maps what
    the file says to what the record says; *default* stands for an empty cell. *source* names another source
    whose ids these are; *pattern* keeps the first group of a regular expression.
    """

    column: str | tuple[str, ...] | None = None
    value: str | int | float | bool | None = None
    unit: (
        Literal["seconds", "minutes", "hours", "days", "share", "percent", "units", "thousands", "millions"]
        | None
    ) = None
    format: str | None = None
    year: int | None = None
    values: dict[str, str | int | float | bool] | None = None
    default: str | int | float | bool | None = None
    source: str | None = None
    pattern: str | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the headers it is taken from."""
        return (self.column,) if isinstance(self.column, str) else self.column or ()


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

    The header goes to *name*, the cell to *value*. With *per* the headers are days, weeks, months, quarters
    or years, however they are written (S41, 05/10, janv. 2026, T1 2026): *name* is then the first day of
    each, and the row lasts to the last; *columns* may be left out, and *year* says the year where neither
    header, file, sheet nor the rows above say it. *less* names for a column the one whose amount is taken
    off: a landing less what is consumed is what is still to come.
    """

    columns: str | None = None
    name: str = "Colonne"
    value: str = "Valeur"
    per: Literal["day", "week", "month", "quarter", "year"] | None = None
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
    def spans(self) -> Literal["week", "month", "quarter", "year"] | None:
        """Return what a row lasts where its one day does not say it."""
        if self.unpivot and self.unpivot.per not in {None, "day"}:
            return self.unpivot.per  # type: ignore[return-value]
        day = self.fields.get("start_on" if self.record == "allocation" else "day")
        if not isinstance(day, Field):
            return None
        return "week" if day.format == "week" else "month" if day.format == "month" else None


class RowError(Exception):
    """A row cannot be understood; the source adds file, sheet and row."""

    def __init__(self, column: str, value: Any, why: str) -> None:
        """Keep what is wrong with *value* in *column*."""
        super().__init__(why)
        self.column, self.value, self.why = column, value, why


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
    for name in _required(cls, mapping):
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
                "year).",
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


def _required(cls: type[Record], mapping: Mapping) -> list[str]:
    known = {"id", "finish_on"} if mapping.spans else {"id"}
    return [one.name for one in msgspec.structs.fields(cls) if one.required and one.name not in known]


_OWN = "column "
"""What stands before the name of a column that fields.csv names, among the readers of mapped fields."""
_CHOSEN = {
    "number": columns_of(Task)["points"],
    "days": columns_of(Task)["points"],
    "amount": columns_of(BudgetLine)["amount_minor"],
    "date": columns_of(CustomValue)["day"],
    "flag": columns_of(Worklog)["billable"],
}
"""As what the cells of a chosen column are read, by the type of the field; others are texts."""


class RowMapper:
    """Map rows of one file; ids get its *prefix*, *source* names the hub's source, *currency* is the hub's.

    *readers* are those of another mapper that looked at the file's rows already. *home* gives the prefix
    under which a key of the file is known, where it is not its own.
    """

    def __init__(
        self,
        mapping: Mapping,
        cls: type[Record],
        *,
        source: str,
        prefix: str,
        hours_per_day: float,
        tz: str = "UTC",
        currency: str = "EUR",
        readers: dict[str, CellReader] | None = None,
        home: Callable[[str], str] | None = None,
        chosen: abc.Mapping[str, str] | None = None,
    ) -> None:
        """Prepare a reader for every mapped field, and for every column that fields.csv names."""
        self.chosen = dict(chosen or {})
        self.odd: dict[str, list[str]] = {}
        """Values of chosen columns that are not of their type, by column."""
        self.home = home or (lambda native: prefix)
        self.mapping, self.cls, self.source, self.prefix, self.currency = (
            mapping,
            cls,
            source,
            prefix,
            currency,
        )
        self.hours_per_day, self.zone = mapping.hours_per_day or hours_per_day, ZoneInfo(tz)
        self.fields = {
            name: Field(column=field) if isinstance(field, str) else field
            for name, field in mapping.fields.items()
        }
        self.known = columns_of(cls)
        self.amounts = [field for name, field in self.fields.items() if self.known[name].kind == "minor"]
        self.readers = readers or {
            name: CellReader(self.known[name], self._declared(name, field))
            for name, field in self.fields.items()
        } | {
            f"{_OWN}{name}": CellReader(_CHOSEN[kind], self._declared(name, Field(column=name)))
            for name, kind in self.chosen.items()
            if kind in _CHOSEN
        }
        hints = get_type_hints(cls)
        self.choices = {name: choices(hints[name]) for name in self.fields}
        self.required = _required(cls, mapping)
        self.optional = {f.name for f in msgspec.structs.fields(cls) if not f.required and f.default is None}
        self.values = {
            name: {key.casefold(): value for key, value in field.values.items()}
            for name, field in self.fields.items()
            if field.values is not None
        }
        # a row that names its week or its month is of the whole of it
        self.lasts = mapping.spans if self._spans() and "finish_on" not in self.fields else None
        self.own = {SHEET, FILE, LEVEL} - {
            column for field in self.fields.values() for column in field.columns
        }
        """Columns beside the table that are no content of a row, because nothing takes them."""
        self.seen: Counter[str] = Counter()
        self.levels: list[tuple[int, str]] = []
        self.told: set[str] = set()

    def _declared(self, name: str, field: Field) -> Declared:
        # where the mapping says no unit, the header may: Temps (min)
        is_effort = name in self.known and self.known[name].kind == "seconds"
        headed = {unit for column in field.columns if is_effort and (unit := unit_of(column))}
        return Declared(
            decimal=None if self.mapping.decimal == "auto" else self.mapping.decimal,
            formats=(field.format,) if field.format else self.mapping.date_formats,
            unit=field.unit or (headed.pop() if len(headed) == 1 else None),
            day_s=Decimal(repr(float(self.hours_per_day))) * 3600,
            currency=self.currency,
            zone=self.zone,
            how={name: tr(text) for name, text in _HOW.items()},
            is_end=name == "finish_on",
            year=field.year,
            longest=_DAY_S
            if self.cls is Worklog and self.mapping.period == "day" and not self._spans()
            else None,
        )

    def _spans(self) -> bool:
        """Say whether a row is of several days."""
        return "finish_on" in self.cls.__struct_fields__ and (
            self.mapping.spans is not None or "finish_on" in self.fields
        )

    @property
    def is_settled(self) -> bool:
        """Say whether the mapping leaves nothing for the columns to show."""
        return all(reader.is_settled for reader in self.readers.values())

    def look(self, row: dict[str, Any]) -> None:
        """Note what a row shows of how its columns are written."""
        for name, reader in self.readers.items():
            if reader.is_settled:
                continue
            with contextlib.suppress(Exception):  # whatever is odd is told when the row is read
                if name.startswith(_OWN):
                    reader.look(row.get(name.removeprefix(_OWN)))
                elif self.fields[name].column is not None:
                    reader.look(self._raw(name, self.fields[name], row))

    def columns(self) -> set[str]:
        """Return every column of the table that the mapping needs."""
        needed = {column for field in self.fields.values() for column in field.columns}
        needed |= set(self.mapping.key) | set(self.mapping.carry_down)
        needed |= set(self.mapping.account.values()) | set(self.mapping.container.values())
        needed |= {drop.column for drop in self.mapping.drop if drop.column}
        needed |= {column for drop in self.mapping.drop for column in drop.empty}
        if self.mapping.outline:
            needed.add(self.mapping.outline.column)
        if self.mapping.unpivot:
            needed -= {self.mapping.unpivot.name, self.mapping.unpivot.value, UNTIL}
            needed |= set(self.mapping.unpivot.less.values())
        needed -= {group.into for group in self.mapping.group}
        return needed - {SHEET, FILE, LEVEL}

    def records(self, row: dict[str, Any]) -> Iterator[Record]:
        """Yield the records of one row. Raises `RowError` for a value that cannot be understood."""
        return self.named(row, self.native(row))

    def named(self, row: dict[str, Any], native: str) -> Iterator[Record]:
        """Yield the records of a row that is known as *native*."""
        values = self._values(row)
        values = {name: value for name, value in values.items() if value is not None or name in self.optional}
        for name in self.required:
            if values.get(name) is None:
                column = (self.fields[name].columns or (name,))[0] if name in self.fields else name
                raise RowError(column, row.get(column), tr("{name} may not be empty", name=name))
        record_id = self.record_id(native)
        if self.lasts:
            values["finish_on"] = self._last_day(row, values["day" if "day" in values else "start_on"])
        if self.mapping.outline and "parent_id" in self.cls.__struct_fields__:
            values["parent_id"] = self._parent(row, record_id)
        yield from self._companions(row, values)
        yield from self._chosen(row, record_id)
        yield self.cls(id=record_id, **values)

    def _chosen(self, row: dict[str, Any], record_id: str) -> Iterator[CustomValue]:
        """Yield what the columns say that fields.csv names; an emptied one is empty."""
        for name, kind in self.chosen.items():
            if name not in row:
                continue
            text, number, day = cell_text(row[name]) or None, None, None
            if text is not None and (reader := self.readers.get(f"{_OWN}{name}")):
                try:
                    value = reader.value(row[name], currency=self.currency, scale=_scale_of(name))
                except CellError:
                    self.odd.setdefault(name, []).append(text)
                    value = None
                if isinstance(value, str):
                    day = value
                elif value is not None and kind == "flag":
                    text = "yes" if value else "no"
                elif value is not None:
                    number = value / 100 if kind == "amount" else float(value)
            yield CustomValue(
                id=f"{record_id}/x/{name}", row_id=record_id, field=name, text=text, number=number, day=day
            )

    def _last_day(self, row: dict[str, Any], first: str) -> str:
        until = row.get(UNTIL)
        if isinstance(until, date):
            return until.isoformat()
        day = date.fromisoformat(first)
        if self.lasts == "month":
            return day.replace(day=calendar.monthrange(day.year, day.month)[1]).isoformat()
        return (day + timedelta(days=6)).isoformat()

    def record_id(self, native: str) -> str:
        """Return the id of the row *native* in the store."""
        return f"{self.source}:{self.home(native)}{native}"

    def native(self, row: dict[str, Any]) -> str:
        """Return what names a row in its file, and count it.

        Raises `RowError` for a key that is empty, wrong, or used by a row above.
        """
        if self.mapping.key:
            native = self.key(row)
            self.seen[native] += 1
            if self.seen[native] > 1:
                raise RowError(
                    ", ".join(self.mapping.key),
                    native,
                    tr("the key is already used by a row above; add a column to key"),
                )
            return native
        # without a key the row is its content: equal rows are told apart by their occurrence
        digest = self.digest(row)
        self.seen[digest] += 1
        return f"{digest}#{self.seen[digest]}"

    def key(self, row: dict[str, Any]) -> str:
        """Return the declared key of a row. Raises `RowError` where it is empty or a cell of it is faulty."""
        parts = []
        for column in self.mapping.key:
            cell = row.get(column)
            _check_cell(column, cell)
            parts.append(cell_text(cell))
        if not any(parts):
            raise RowError(", ".join(self.mapping.key), "", tr("the key is empty"))
        return "/".join(part.replace("/", "∕") for part in parts)

    def same(self, natives: Iterable[str]) -> dict[str, str]:
        """Return declared keys that write a day in another way than ISO 8601, as they are with it.

        One export writes 05/10/2026, another a day of the workbook: it is one key.
        """
        days = {
            at: reader
            for name, reader in self.readers.items()
            if not name.startswith(_OWN) and reader.column.kind in {"day", "month"}
            for at, column in enumerate(self.mapping.key)
            if self.fields[name].columns == (column,) and self.fields[name].pattern is None
        }
        found: dict[str, str] = {}
        split = [(native, native.split("/")) for native in (natives if days else ())]
        for at, reader in days.items():
            for _, parts in split:
                if len(parts) == len(self.mapping.key):
                    with contextlib.suppress(Exception):
                        reader.look(parts[at].replace("∕", "/"))
        for native, parts in split:
            if len(parts) != len(self.mapping.key):
                continue
            for at, reader in days.items():
                with contextlib.suppress(CellError):  # told when the row is read
                    parts[at] = str(reader.value(parts[at].replace("∕", "/")))
            if (plain := "/".join(parts)) != native:
                found[native] = plain
        return found

    def digest(self, row: dict[str, Any]) -> str:
        """Return what stands for the content of a row."""
        content = "\x1f".join(
            f"{column}={cell_text(value)}"
            for column, value in sorted(row.items())
            if column not in self.own and column != UNTIL
        )
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()[:20]

    def understood(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a wrong row that can be understood."""
        found: dict[str, Any] = {}
        for name in sorted(self.fields, key=lambda name: name != "currency"):
            with contextlib.suppress(Exception):  # the row is wrong already
                value = self._value(name, row, found.get("currency") or self.currency)
                found |= {} if value is None else {name: value}
        return found

    def doubtful(self, row: dict[str, Any]) -> bool:
        """Return whether a field of a column of the key is wrong: the key names no row that is known."""
        for name, field in self.fields.items():
            if set(self.mapping.key).intersection(field.columns):
                try:
                    self._value(name, row, self.currency)
                except Exception:  # noqa: BLE001 - the row is wrong already
                    return True
        return False

    def measure(self, field: str, row: dict[str, Any]) -> int | None:
        """Return the seconds or the amount of a row as it says them, be it right otherwise or not."""
        if field == "seconds":
            return self.stake(row)
        try:
            found: int | None = self._value(field, row, self.currency)
        except Exception:  # noqa: BLE001 - the row is a sum, or wrong already
            return None
        return found

    def stake(self, row: dict[str, Any]) -> int | None:
        """Return the seconds of a wrong row as it says them, be they too many."""
        reader = self.readers.get("seconds")
        if reader is None:
            return None
        bold = CellReader(reader.column, msgspec.structs.replace(reader.declared, longest=None))
        bold.signs, bold.orders = reader.signs, reader.orders
        try:
            found: int | None = bold.value(self._raw("seconds", self.fields["seconds"], row))
        except Exception:  # noqa: BLE001 - same reason
            return None
        return found

    def _parent(self, row: dict[str, Any], record_id: str) -> str | None:
        column = self.mapping.outline.column if self.mapping.outline else ""
        text = cell_text(row.get(column)).strip(".")
        if not text:
            raise RowError(column, row.get(column), tr("the outline level is empty"))
        try:
            level = len(text.split(".")) if "." in text else int(float(text))
        except ValueError as exc:
            raise RowError(column, text, tr("is not an outline level such as 2 or 1.3")) from exc
        while self.levels and self.levels[-1][0] >= level:
            self.levels.pop()
        parent = self.levels[-1][1] if self.levels else None
        self.levels.append((level, record_id))
        return parent or None

    def pass_over(self, row: dict[str, Any], native: str | None) -> None:
        """Let what stands below a row that was not taken stand below it all the same, not below another."""
        if self.mapping.outline is None:
            return
        try:
            self._parent(row, self.record_id(native) if native is not None and self.mapping.key else "")
        except RowError:
            self.levels.clear()

    def _companions(self, row: dict[str, Any], values: dict[str, Any]) -> Iterator[Record]:
        """Yield the account and the container that the row names, once per file."""
        for name, value in values.items():
            if not isinstance(value, str) or value in self.told or self.fields.get(name, Field()).source:
                continue
            if name in {"account_id", "assignee_id", "owner_id"} and self.cls is not Account:
                self.told.add(value)
                # only the person the row is about has the row's name and e-mail
                facts = self._facts(self.mapping.account, row) if name != "owner_id" else {}
                facts.setdefault("display_name", value.partition(":")[2])
                yield Account(id=value, **cast("Any", facts))
            elif name == "container_id" and self.cls is not Container:
                self.told.add(value)
                native = value.partition(":")[2]
                facts = self._facts(self.mapping.container, row)
                facts.setdefault("name", native)
                facts.setdefault("code", native)
                facts.setdefault("kind", "table")
                yield Container(id=value, **cast("Any", facts))

    def _facts(self, columns: dict[str, str], row: dict[str, Any]) -> dict[str, Any]:
        cells = {name: row.get(column) for name, column in columns.items()}
        found = {name: cell_text(cell) for name, cell in cells.items() if not isinstance(cell, FaultyCell)}
        return {name: text for name, text in found.items() if text}

    def _values(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a row, in the order of the mapping.

        Amounts are held against the row's currency.
        """
        found: dict[str, Any] = {}
        if "currency" in self.fields:
            found["currency"] = self._value("currency", row, None)
        headed = None if found.get("currency") else self._headed(row)
        currency = found.get("currency") or headed or self.currency
        values = {
            name: found[name] if name in found else self._value(name, row, currency) for name in self.fields
        }
        needed = headed or "currency" not in self.optional
        if "currency" in self.known and needed and values.get("currency") is None:
            values["currency"] = currency
        return values

    def _headed(self, row: dict[str, Any]) -> str | None:
        """Return the currency that the headers over the amounts of a row say, where it is not the hub's.

        Raises `RowError` where a header leaves open which (12 under "Amount ($)"), or they say several.
        """
        found: set[str] = set()
        for field in self.amounts:
            for header in self._headers(field, row):
                may = _currency_of(header)
                found |= {self.currency} if self.currency in may else may
        if len(found) > 1:
            codes = ", ".join(sorted(found))
            raise RowError(
                "", None, tr("its headers may mean several currencies ({codes}): map currency", codes=codes)
            )
        code = found.pop() if found else None
        return code if code != self.currency else None

    def _headers(self, field: Field, row: dict[str, Any]) -> Iterator[str]:
        """Yield the headers over the cells of a field, also where columns became rows."""
        turned = self.mapping.unpivot
        for column in field.columns:
            yield cell_text(row.get(turned.name)) if turned and column == turned.value else column

    def _raw(self, name: str, field: Field, row: dict[str, Any]) -> Any:
        """Return what the mapping takes for a field of a row.

        Through its pattern, its words and its default.
        """
        raw: Any
        if field.column is None:
            raw = field.value
        elif isinstance(field.column, str):
            raw = row.get(field.column)
            _check_cell(field.column, raw)
        else:
            raw = self._joined(field.column, row)
        if isinstance(raw, str):
            raw = raw.strip()
        if field.pattern and raw not in {None, ""}:
            match = re.search(field.pattern, cell_text(raw))
            raw = (match.group(1) if match.groups() else match.group(0)) if match else None
        if field.values is not None:
            text = cell_text(raw)
            known = self.values[name]
            if text.casefold() in known:
                raw = known[text.casefold()]
            elif text and field.default is None:
                raise RowError(
                    self._column(name), raw, tr("is not one of {values}", values=", ".join(field.values))
                )
            else:
                raw = None
        return field.default if raw is None or raw == "" else raw

    def _joined(self, columns: tuple[str, ...], row: dict[str, Any]) -> str:
        cells = [row.get(column) for column in columns]
        for column, cell in zip(columns, cells, strict=True):
            _check_cell(column, cell)
        return " ".join(text for text in map(cell_text, cells) if text)

    def _column(self, name: str) -> str:
        """Return how a person knows the column of a field."""
        return ", ".join(self.fields[name].columns) or name

    def _value(self, name: str, row: dict[str, Any], currency: str | None) -> Any:
        field = self.fields[name]
        raw = self._raw(name, field, row)
        if raw is None or raw == "":
            return None
        if name in REFERENCES:
            native = cell_text(raw).replace("/", "∕")
            if name in {"task_id", "parent_id", "from_id", "to_id", "row_id"} and not field.source:
                native = self.home(native) + native
            return f"{field.source or self.source}:{native}"
        if self.choices[name]:
            text = cell_text(raw)
            if text not in self.choices[name]:
                why = f"is not one of {', '.join(self.choices[name])}; say it with values = {{ … }}"
                raise RowError(self._column(name), raw, why)
            return text
        try:
            reader, scale = self.readers[name], self._scale(field, row)
            found = reader.value(
                raw, currency=currency, scale=scale, years=(row.get(SHEET) or "", row.get(FILE) or "")
            )
            turned = self.mapping.unpivot
            if turned and field.column == turned.value and LESS in row and reader.column.kind == "minor":
                return found - (reader.value(row[LESS], currency=currency, scale=self._less_scale(row)) or 0)
            return found
        except CellError as exc:
            raise RowError(self._column(name), raw, str(exc)) from exc

    def _less_scale(self, row: dict[str, Any]) -> int | None:
        turned = self.mapping.unpivot
        return _scale_of(turned.less[cell_text(row.get(turned.name))]) if turned else None

    def _scale(self, field: Field, row: dict[str, Any]) -> int | None:
        """Return what the header over a cell says its amounts are counted in, such as 1000 for k€."""
        return next((found for header in self._headers(field, row) if (found := _scale_of(header))), None)


_currency_of = functools.lru_cache(maxsize=5_000)(caption_currency)
_scale_of = functools.lru_cache(maxsize=5_000)(scale_of)


def _check_cell(column: str, cell: Any) -> None:
    """Raise `RowError` for a cell that has no value to take."""
    if not isinstance(cell, str):
        return
    if isinstance(cell, FaultyCell):
        raise RowError(column, str(cell), cell.why)
    if ("#" in cell or "Err:" in cell) and is_error(cell.strip()):
        raise RowError(column, cell, tr("is an error of the spreadsheet"))


def choices(hint: Any) -> tuple[str, ...]:
    """Return the words that a field of this type may hold; none where it may hold any."""
    found: list[str] = []
    for part in (hint, *get_args(hint)):
        if getattr(part, "__origin__", None) is Literal:
            found.extend(get_args(part))
    return tuple(found)
