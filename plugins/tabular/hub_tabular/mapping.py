"""What a mapping file may say, and how one row of a table becomes records; nothing is opened here."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Literal, cast, get_args, get_type_hints
from zoneinfo import ZoneInfo

import msgspec

from hub import (
    BY_TABLE,
    RECORDS,
    Account,
    CellError,
    CellReader,
    ConfigError,
    Container,
    Declared,
    Record,
    Worklog,
    cell_text,
    columns_of,
    mark,
    tr,
)

REFERENCES = {"account_id", "assignee_id", "author_id", "owner_id", "manager_id", "container_id", "task_id",
    "parent_id",
              "from_id", "to_id", "iteration_id", "row_id"}  # fmt: skip
_EFFORTS = frozenset({"seconds", "minutes", "hours", "days"})
_PARTS = frozenset({"share", "percent"})
_DAY_S = 86400
_HOW = {
    "decimal": mark('say decimal = "," or "." in the mapping'),
    "order": mark('say date_formats, or the field\'s format such as "%d/%m/%Y", in the mapping'),
    "unit": mark('say unit = "share" or "percent" in the mapping'),
}


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one field of the record comes from.

    *column* is a header (or ``A``-style letters with ``letters = true`` in the mapping); *value* a constant.
    *unit*: seconds, minutes, hours, days for efforts, share or percent for parts; *format*: a strptime format
    for dates, ``excel`` for the numbers by which Excel counts days, or ``week`` for a column that names a
    week (2026-W44, or any day of it): its Monday, and its Sunday as ``finish_on``. *values* maps what the
    file says to what the record says; *default* stands for an empty cell. *source* names another source whose
    ids these are; *pattern* keeps the first group of a regular expression.
    """

    column: str | None = None
    value: str | int | float | bool | None = None
    unit: Literal["seconds", "minutes", "hours", "days", "share", "percent"] | None = None
    format: str | None = None
    values: dict[str, str | int | float | bool] | None = None
    default: str | int | float | bool | None = None
    source: str | None = None
    pattern: str | None = None


class Drop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows to leave out.

    Those whose *column* (any column when None) matches the regular expression *matches*.
    """

    matches: str
    column: str | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group row: a row with a single filled cell that matches *matches*.

    Its text (first group) goes down as *into*.
    """

    into: str
    matches: str = ".+"


class Outline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Turn an outline level (1, 2, 3 or 1, 1.1, 1.1.1) in *column* into the row's parent."""

    column: str


class Unpivot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Turn columns whose header matches *columns* into rows.

    The header goes to *name*, the cell to *value*.
    """

    columns: str
    name: str = "Colonne"
    value: str = "Valeur"


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mapping file: how a table of any shape becomes records of one type.

    *decimal* and *date_formats* are looked for in each column where nothing is said. *period* is what a row
    of hours covers.
    """

    record: str
    fields: dict[str, Field | str]
    sheet: str | int = 0
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int = 1
    drop: tuple[Drop, ...] = ()
    carry_down: tuple[str, ...] = ()
    group: tuple[Group, ...] = ()
    outline: Outline | None = None
    unpivot: Unpivot | None = None
    hours_per_day: float | None = None
    period: Literal["day", "week", "month"] = "day"
    decimal: Literal[".", ",", "auto"] = "auto"
    date_formats: tuple[str, ...] = ()
    key: tuple[str, ...] = ()
    snapshot: Literal["full", "delta"] = "full"
    files: Literal["each", "latest"] = "each"
    account: dict[str, str] = {}
    container: dict[str, str] = {}


class RowError(Exception):
    """A row cannot be understood; the source adds file, sheet and row."""

    def __init__(self, column: str, value: Any, why: str) -> None:
        """Keep what is wrong with *value* in *column*."""
        super().__init__(why)
        self.column, self.value, self.why = column, value, why


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
    for name in _required(cls):
        if name not in mapping.fields and not (name == "id"):
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
        + [("group", one.matches) for one in mapping.group]
        + [
            ("pattern", field.pattern)
            for field in mapping.fields.values()
            if isinstance(field, Field) and field.pattern
        ]
        + ([("unpivot", mapping.unpivot.columns)] if mapping.unpivot else [])
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
        fits = _EFFORTS if kind == "seconds" else _PARTS if kind in _PARTS else frozenset()
        if unit is not None and unit not in fits:
            known = ", ".join(sorted(fits)) or tr("none")
            raise ConfigError(
                tr(
                    "{where} [fields]: {name} has no unit {unit!r}; it can have {known}.",
                    where=where,
                    name=name,
                    unit=unit,
                    known=known,
                )
            )


def _required(cls: type[Record]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(cls) if field.required and field.name != "id"]


class RowMapper:
    """Map rows of one file; ids get its *prefix*, *source* names the hub's source, *currency* is the hub's.

    *readers* are those of another mapper that looked at the file's rows already.
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
    ) -> None:
        """Prepare a reader for every mapped field."""
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
        self.readers = readers or {
            name: CellReader(self.known[name], self._declared(name, field))
            for name, field in self.fields.items()
        }
        hints = get_type_hints(cls)
        self.choices = {name: _choices(hints[name]) for name in self.fields}
        self.required = _required(cls)
        self.optional = {f.name for f in msgspec.structs.fields(cls) if not f.required and f.default is None}
        self.values = {
            name: {key.casefold(): value for key, value in field.values.items()}
            for name, field in self.fields.items()
            if field.values is not None
        }
        # a row that names its week is of the whole week, Monday to Sunday
        self.weekly = self._spans() and "finish_on" not in self.fields
        self.seen: Counter[str] = Counter()
        self.levels: list[tuple[int, str]] = []
        self.told: set[str] = set()

    def _declared(self, name: str, field: Field) -> Declared:
        return Declared(
            decimal=None if self.mapping.decimal == "auto" else self.mapping.decimal,
            formats=(field.format,) if field.format else self.mapping.date_formats,
            unit=field.unit,
            day_s=Decimal(repr(float(self.hours_per_day))) * 3600,
            currency=self.currency,
            zone=self.zone,
            how=_HOW,
            week_end=name == "finish_on",
            longest=_DAY_S
            if self.cls is Worklog and self.mapping.period == "day" and not self._spans()
            else None,
        )

    def _spans(self) -> bool:
        """Say whether a row is of several days."""
        names_week = self.fields.get("day", Field()).format == "week"
        return "finish_on" in self.cls.__struct_fields__ and (names_week or "finish_on" in self.fields)

    @property
    def is_settled(self) -> bool:
        """Say whether the mapping leaves nothing for the columns to show."""
        return all(reader.is_settled for reader in self.readers.values())

    def look(self, row: dict[str, Any]) -> None:
        """Note what a row shows of how its columns are written."""
        for name, reader in self.readers.items():
            if not reader.is_settled and self.fields[name].column is not None:
                try:
                    reader.look(self._raw(name, self.fields[name], row))
                except RowError:
                    continue  # told when the row is read

    def columns(self) -> set[str]:
        """Return every column the mapping needs."""
        needed = {field.column for field in self.fields.values() if field.column}
        needed |= set(self.mapping.key) | set(self.mapping.carry_down)
        needed |= set(self.mapping.account.values()) | set(self.mapping.container.values())
        needed |= {drop.column for drop in self.mapping.drop if drop.column}
        if self.mapping.outline:
            needed.add(self.mapping.outline.column)
        if self.mapping.unpivot:
            needed -= {self.mapping.unpivot.name, self.mapping.unpivot.value}
        needed -= {group.into for group in self.mapping.group}
        return needed

    def records(self, row: dict[str, Any]) -> Iterator[Record]:
        """Yield the records of one row. Raises `RowError` for a value that cannot be understood."""
        values = self._values(row)
        values = {name: value for name, value in values.items() if value is not None or name in self.optional}
        for name in self.required:
            if values.get(name) is None:
                column = self.fields[name].column or name
                raise RowError(column, row.get(column), tr("{name} may not be empty", name=name))
        native = self._native(row)
        record_id = f"{self.source}:{self.prefix}{native}"
        if self.weekly:
            values["finish_on"] = (date.fromisoformat(values["day"]) + timedelta(days=6)).isoformat()
        if self.mapping.outline and "parent_id" in self.cls.__struct_fields__:
            values["parent_id"] = self._parent(row, record_id)
        yield from self._companions(row, values)
        yield self.cls(id=record_id, **values)

    def _native(self, row: dict[str, Any]) -> str:
        if self.mapping.key:
            parts = []
            for column in self.mapping.key:
                text = cell_text(row.get(column))
                parts.append(text)
            if not any(parts):
                raise RowError(", ".join(self.mapping.key), "", tr("the key is empty"))
            native = "/".join(part.replace("/", "∕") for part in parts)
            self.seen[native] += 1
            if self.seen[native] > 1:
                raise RowError(
                    ", ".join(self.mapping.key),
                    native,
                    tr("the key is already used by a row above; add a column to key"),
                )
            return native
        # without a key the row is its content: equal rows are told apart by their occurrence
        content = "\x1f".join(f"{column}={cell_text(value)}" for column, value in sorted(row.items()))
        digest = hashlib.sha256(content.encode()).hexdigest()[:20]
        self.seen[digest] += 1
        return f"{digest}#{self.seen[digest]}"

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
        return parent

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
        found = {name: cell_text(row.get(column)) for name, column in columns.items()}
        return {name: text for name, text in found.items() if text}

    def _values(self, row: dict[str, Any]) -> dict[str, Any]:
        """Return the fields of a row, in the order of the mapping.

        Amounts are held against the row's currency.
        """
        found: dict[str, Any] = {}
        if "currency" in self.fields:
            found["currency"] = self._value("currency", row, None)
        currency = found.get("currency") or self.currency
        values = {
            name: found[name] if name in found else self._value(name, row, currency) for name in self.fields
        }
        if "currency" in self.known and "currency" not in self.optional and values.get("currency") is None:
            values["currency"] = currency
        return values

    def _raw(self, name: str, field: Field, row: dict[str, Any]) -> Any:
        """Return what the mapping takes for a field of a row.

        Through its pattern, its words and its default.
        """
        raw: Any = field.value if field.column is None else row.get(field.column)
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
                    field.column or name, raw, tr("is not one of {values}", values=", ".join(field.values))
                )
            else:
                raw = None
        return field.default if raw is None or raw == "" else raw

    def _value(self, name: str, row: dict[str, Any], currency: str | None) -> Any:
        field = self.fields[name]
        raw = self._raw(name, field, row)
        if raw is None or raw == "":
            return None
        if name in REFERENCES:
            native = cell_text(raw).replace("/", "∕")
            if name in {"task_id", "parent_id", "from_id", "to_id", "row_id"} and not field.source:
                native = self.prefix + native
            return f"{field.source or self.source}:{native}"
        if self.choices[name]:
            text = cell_text(raw)
            if text not in self.choices[name]:
                why = tr(
                    "is not one of {choices}; say it with values = {{ … }}",
                    choices=", ".join(self.choices[name]),
                )
                raise RowError(field.column or name, raw, why)
            return text
        try:
            return self.readers[name].value(raw, currency=currency)
        except CellError as exc:
            raise RowError(field.column or name, raw, str(exc)) from exc


def _choices(hint: Any) -> tuple[str, ...]:
    found: list[str] = []
    for part in (hint, *get_args(hint)):
        if getattr(part, "__origin__", None) is Literal:
            found.extend(get_args(part))
    return tuple(found)
