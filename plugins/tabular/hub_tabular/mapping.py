"""What a mapping file may say, and how one row of a table becomes records; nothing is opened here."""

from __future__ import annotations

import functools
import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Literal, cast, get_args, get_type_hints

import msgspec

from hub import BY_TABLE, RECORDS, Account, ConfigError, Container, Record

REFERENCES = {"account_id", "assignee_id", "author_id", "owner_id", "manager_id", "container_id", "task_id", "parent_id",
              "from_id", "to_id", "iteration_id", "row_id"}  # fmt: skip
_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600}
_TRUE = {"1", "x", "oui", "o", "yes", "y", "true", "vrai", "ok"}
_FALSE = {"0", "", "non", "n", "no", "false", "faux", "-"}
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("janv janvier jan january", "févr février fevr fevrier fev feb february", "mars mar march", "avr avril apr april",
         "mai may", "juin jun june", "juil juillet jul july", "août aout aug august", "sept septembre sep september",
         "oct octobre october", "nov novembre november", "déc décembre dec decembre december"), start=1,
    )
    for name in names.split()
}  # fmt: skip


class Field(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one field of the record comes from.

    *column* is a header (or ``A``-style letters with ``letters = true`` in the mapping); *value* a constant.
    *unit*: seconds, minutes, hours, days for efforts; *format*: a strptime format for dates, or ``week`` for a column
    that names a week (2026-W44, or any day of it): its Monday, and its Sunday as ``finish_on``.
    *values* maps what the file says to what the record says; *default* stands for an empty cell.
    *source* names another source whose ids these are; *pattern* keeps the first group of a regular expression.
    """

    column: str | None = None
    value: str | int | float | bool | None = None
    unit: Literal["seconds", "minutes", "hours", "days"] | None = None
    format: str | None = None
    values: dict[str, str | int | float | bool] | None = None
    default: str | int | float | bool | None = None
    source: str | None = None
    pattern: str | None = None


class Drop(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Rows to leave out: those whose *column* (any column when None) matches the regular expression *matches*."""

    matches: str
    column: str | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A group row: a row with a single filled cell that matches *matches*; its text (first group) goes down as *into*."""

    into: str
    matches: str = ".+"


class Outline(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Turn an outline level (1, 2, 3 or 1, 1.1, 1.1.1) in *column* into the row's parent."""

    column: str


class Unpivot(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Turn columns whose header matches *columns* into rows: the header goes to *name*, the cell to *value*."""

    columns: str
    name: str = "Colonne"
    value: str = "Valeur"


class Mapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One mapping file: how a table of any shape becomes records of one type."""

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
    decimal: Literal[".", ",", "auto"] = "auto"
    date_formats: tuple[str, ...] = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%Y-%m-%d %H:%M:%S")
    key: tuple[str, ...] = ()
    snapshot: Literal["full", "delta"] = "full"
    files: Literal["each", "latest"] = "each"
    account: dict[str, str] = {}
    container: dict[str, str] = {}


class CellError(Exception):
    """A cell cannot be understood; the source adds file, sheet, row and column."""

    def __init__(self, column: str, value: Any, why: str) -> None:
        """Keep what is wrong with *value* in *column*."""
        super().__init__(why)
        self.column, self.value, self.why = column, value, why


def check_mapping(mapping: Mapping, where: str) -> type[Record]:
    """Return the record class of *mapping*. Raises `ConfigError` naming *where* for what no file could satisfy."""
    known = sorted(record.table for record in RECORDS)
    if mapping.record not in known:
        raise ConfigError(f"{where}: record = {mapping.record!r} is not one of {', '.join(known)}.")
    cls = BY_TABLE[mapping.record]
    known = [name for name in cls.__struct_fields__ if name != "id"]
    for name in mapping.fields:
        if name not in known:
            raise ConfigError(
                f"{where} [fields]: {mapping.record} has no field {name!r}. It has: {', '.join(known)}."
            )
    for name in _required(cls):
        if name not in mapping.fields and not (name == "id"):
            raise ConfigError(f"{where} [fields]: {mapping.record} needs the field {name!r}.")
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
            raise ConfigError(f"{where}: {label} = {text!r} is not a regular expression ({exc}).") from exc
    if mapping.snapshot == "delta" and not mapping.key:
        raise ConfigError(
            f'{where}: a delta needs key = ["column", …]: without it the same line would be counted again.'
        )
    for side, cls_ in (("account", Account), ("container", Container)):
        for name in getattr(mapping, side):
            if name not in cls_.__struct_fields__ or name == "id":
                raise ConfigError(f"{where} [{side}]: {side} has no field {name!r}.")
    return cls


def _required(cls: type[Record]) -> list[str]:
    return [field.name for field in msgspec.structs.fields(cls) if field.required and field.name != "id"]


Kind = Literal[
    "text", "int", "float", "bool", "day", "instant", "month", "seconds", "minor", "reference", "choice"
]


class RowMapper:
    """Map rows of one file; ids get the file's *prefix*, *source* names the hub's source."""

    def __init__(
        self, mapping: Mapping, cls: type[Record], *, source: str, prefix: str, hours_per_day: float
    ) -> None:
        """Prepare converters for every mapped field."""
        self.mapping, self.cls, self.source, self.prefix = mapping, cls, source, prefix
        self.hours_per_day = mapping.hours_per_day or hours_per_day
        self.fields = {
            name: Field(column=field) if isinstance(field, str) else field
            for name, field in mapping.fields.items()
        }
        hints = get_type_hints(cls)
        self.kinds = {name: _kind(name, hints[name]) for name in self.fields}
        self.choices = {name: _choices(hints[name]) for name in self.fields}
        self.required = _required(cls)
        self.optional = {f.name for f in msgspec.structs.fields(cls) if not f.required and f.default is None}
        self.values = {
            name: {key.casefold(): value for key, value in field.values.items()}
            for name, field in self.fields.items() if field.values is not None
        }  # fmt: skip
        # a row that names its week is of the whole week, Monday to Sunday
        self.weekly = "finish_on" in cls.__struct_fields__ and "finish_on" not in self.fields
        self.weekly = self.weekly and self.fields.get("day", Field()).format == "week"
        self.seen: Counter[str] = Counter()
        self.levels: list[tuple[int, str]] = []
        self.told: set[str] = set()

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
        """Yield the records of one row. Raises `CellError` for a value that cannot be understood."""
        values = {name: self._value(name, field, row) for name, field in self.fields.items()}
        values = {name: value for name, value in values.items() if value is not None or name in self.optional}
        for name in self.required:
            if values.get(name) is None:
                column = self.fields[name].column or name
                raise CellError(column, row.get(column), f"{name} may not be empty")
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
                text = plain(row.get(column))
                parts.append(text)
            if not any(parts):
                raise CellError(", ".join(self.mapping.key), "", "the key is empty")
            native = "/".join(part.replace("/", "∕") for part in parts)
            self.seen[native] += 1
            if self.seen[native] > 1:
                raise CellError(
                    ", ".join(self.mapping.key),
                    native,
                    "the key is already used by a row above; add a column to key",
                )
            return native
        # without a key the row is its content: equal rows are told apart by their occurrence
        content = "\x1f".join(f"{column}={plain(value)}" for column, value in sorted(row.items()))
        digest = hashlib.sha256(content.encode()).hexdigest()[:20]
        self.seen[digest] += 1
        return f"{digest}#{self.seen[digest]}"

    def _parent(self, row: dict[str, Any], record_id: str) -> str | None:
        column = self.mapping.outline.column if self.mapping.outline else ""
        text = plain(row.get(column)).strip(".")
        if not text:
            raise CellError(column, row.get(column), "the outline level is empty")
        try:
            level = len(text.split(".")) if "." in text else int(float(text))
        except ValueError as exc:
            raise CellError(column, text, "is not an outline level such as 2 or 1.3") from exc
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
        found = {name: plain(row.get(column)) for name, column in columns.items()}
        return {name: text for name, text in found.items() if text}

    def _value(self, name: str, field: Field, row: dict[str, Any]) -> Any:
        if field.column is None:
            raw: Any = field.value
        else:
            raw = row.get(field.column)
        if isinstance(raw, str):
            raw = raw.strip()
        if field.pattern and raw not in {None, ""}:
            match = re.search(field.pattern, plain(raw))
            raw = (match.group(1) if match.groups() else match.group(0)) if match else None
        if field.values is not None:
            text = plain(raw)
            known = self.values[name]
            if text.casefold() in known:
                raw = known[text.casefold()]
            elif text and field.default is None:
                raise CellError(field.column or name, raw, f"is not one of {', '.join(field.values)}")
            else:
                raw = None
        if raw is None or raw == "":
            raw = field.default
        if raw is None or raw == "":
            return None
        return self._convert(name, field, raw)

    def _convert(self, name: str, field: Field, raw: Any) -> Any:
        column = field.column or name
        match self.kinds[name]:
            case "reference":
                native = plain(raw).replace("/", "∕")
                if name in {"task_id", "parent_id", "from_id", "to_id", "row_id"} and not field.source:
                    native = self.prefix + native
                return f"{field.source or self.source}:{native}"
            case "text":
                return plain(raw)
            case "choice":
                text = plain(raw)
                if text not in self.choices[name]:
                    raise CellError(
                        column,
                        raw,
                        f"is not one of {', '.join(self.choices[name])}; say it with values = {{ … }}",
                    )
                return text
            case "bool":
                text = plain(raw).casefold()
                if text in _TRUE or text in _FALSE:
                    return text in _TRUE
                raise CellError(column, raw, "is neither yes nor no")
            case "day" if field.format == "week":
                monday = self._week(column, raw)
                return (monday + timedelta(days=6) if name == "finish_on" else monday).isoformat()
            case "day":
                return self._date(column, field, raw).isoformat()
            case "month":
                return self._month(column, field, raw)
            case "instant":
                return self._date(column, field, raw).isoformat() + "T00:00:00Z"
            case "seconds":
                factor = (
                    self.hours_per_day * 3600 if field.unit == "days" else _UNITS[field.unit or "seconds"]
                )
                if isinstance(raw, (time, timedelta)):
                    return round(_seconds_of(raw))
                if match := re.fullmatch(r"(-?)(\d+):(\d\d)(?::(\d\d))?", plain(raw)):
                    sign, hours, minutes, secs = match.groups()
                    total = int(hours) * 3600 + int(minutes) * 60 + int(secs or 0)
                    return -total if sign else total
                return round(self._number(column, raw) * factor)
            case "minor":
                return round(self._number(column, raw) * 100)
            case "int":
                number = self._number(column, raw)
                if number != int(number):
                    raise CellError(column, raw, "is not a whole number")
                return int(number)
            case _:
                return self._number(column, raw)

    def _number(self, column: str, raw: Any) -> float:
        if isinstance(raw, bool) or (isinstance(raw, float) and not math.isfinite(raw)):
            raise CellError(column, raw, "is not a number")
        if isinstance(raw, (int, float)):
            return float(raw)
        text = re.sub(r"[\s\u00a0\u202f'’€$£%]|EUR|USD", "", plain(raw))
        negative = text.startswith("(") and text.endswith(")")
        text = text.strip("()")
        decimal = self.mapping.decimal
        if decimal == "auto":
            decimal = "," if text.rfind(",") > text.rfind(".") else "."
            # 1,234 or 1.234 alone could be either: only one sign followed by exactly three digits is in doubt
            if re.fullmatch(r"-?\d{1,3}[,.]\d{3}", text):
                raise CellError(
                    column, raw, 'could be a thousand or a fraction: say decimal = "," or "." in the mapping'
                )
        other = "." if decimal == "," else ","
        text = text.replace(other, "").replace(decimal, ".")
        try:
            number = float(text)
        except ValueError as exc:
            raise CellError(column, raw, "is not a number") from exc
        if not math.isfinite(number):
            raise CellError(column, raw, "is not a number")
        return -number if negative else number

    def _date(self, column: str, field: Field, raw: Any) -> date:
        if isinstance(raw, datetime):
            return raw.date()
        if isinstance(raw, date):
            return raw
        text = plain(raw)
        for pattern in (field.format,) if field.format else self.mapping.date_formats:
            if (found := _parsed(text, pattern)) is not None:
                return found
        shown = field.format or ", ".join(self.mapping.date_formats)
        raise CellError(column, raw, f"is not a date like {shown}")

    def _week(self, column: str, raw: Any) -> date:
        """Return the Monday of the week that a cell names, as 2026-W44 or by any of its days."""
        if match := re.fullmatch(r"(\d{4})[- ]?[WS](\d{1,2})", plain(raw).upper()):
            try:
                return date.fromisocalendar(int(match.group(1)), int(match.group(2)), 1)
            except ValueError as exc:
                raise CellError(column, raw, "is not a week of its year") from exc
        day = self._date(column, Field(), raw)
        return day - timedelta(days=day.weekday())

    def _month(self, column: str, field: Field, raw: Any) -> str:
        if not isinstance(raw, (datetime, date)):
            text = plain(raw).casefold().replace(".", "")
            if re.fullmatch(r"\d{4}-\d{2}", text):
                return text
            if match := re.fullmatch(r"(\d{1,2})[/-](\d{4})", text):
                return f"{match.group(2)}-{int(match.group(1)):02d}"
            if match := re.fullmatch(r"([a-zéûà]+)[ -](\d{2}|\d{4})", text):
                number = _MONTHS.get(match.group(1))
                if number:
                    year = int(match.group(2)) + (2000 if len(match.group(2)) == 2 else 0)
                    return f"{year}-{number:02d}"
        return self._date(column, field, raw).isoformat()[:7]


@functools.lru_cache(maxsize=10_000)
def _parsed(text: str, pattern: str) -> date | None:
    """Read a date once: a timesheet names each day many times."""
    try:
        return datetime.strptime(text, pattern).date()
    except ValueError:
        return None


def plain(value: Any) -> str:
    """Return a cell as the text a person sees: 3.0 is 3, a midnight is a date, nothing is ''."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(sep=" ")
    return " ".join(str(value).split())


def _seconds_of(value: time | timedelta) -> float:
    if isinstance(value, timedelta):
        return value.total_seconds()
    return value.hour * 3600 + value.minute * 60 + value.second


def _choices(hint: Any) -> tuple[str, ...]:
    found: list[str] = []
    for part in (hint, *get_args(hint)):
        if getattr(part, "__origin__", None) is Literal:
            found.extend(get_args(part))
    return tuple(found)


def _kind(name: str, hint: Any) -> Kind:
    parts: Sequence[Any] = get_args(hint) or (hint,)
    if name in REFERENCES:
        return "reference"
    if _choices(hint):
        return "choice"
    if name == "seconds" or name.endswith("_s"):
        return "seconds"
    if name.endswith("_minor"):
        return "minor"
    if name.endswith("_on") or name == "day":
        return "day"
    if name.endswith("_at") or name == "at":
        return "instant"
    if name == "month":
        return "month"
    if bool in parts:
        return "bool"
    if int in parts:
        return "int"
    if float in parts:
        return "float"
    return "text"
