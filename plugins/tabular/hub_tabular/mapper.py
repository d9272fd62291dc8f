"""How one row of a table becomes records by a mapping; nothing is opened here."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import re
from collections import Counter, abc
from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, cast, get_type_hints
from zoneinfo import ZoneInfo

import msgspec

from hub import (
    Account,
    BudgetLine,
    CellError,
    CellReader,
    Container,
    CustomValue,
    Declared,
    Record,
    Task,
    Worklog,
    caption_currency,
    cell_text,
    choices_of,
    columns_of,
    is_error,
    mark,
    scale_of,
    span_of,
    tr,
    unit_of,
)
from hub_tabular.clocks import BARE, ClockReader, Span
from hub_tabular.mapping import ABOVE, FILE, LESS, LEVEL, SHEET, UNTIL, FaultyCell, Field, Mapping, required

REFERENCES = {"account_id", "assignee_id", "author_id", "owner_id", "manager_id", "container_id", "task_id",
    "parent_id",
              "from_id", "to_id", "iteration_id", "row_id"}  # fmt: skip
_DAY_S = 86400
_HOW = {
    "decimal": mark('say decimal = "," or "." in the mapping'),
    "order": mark('say date_formats, or the field\'s format such as "%d/%m/%Y", in the mapping'),
    "unit": mark('say unit = "share" or "percent" in the mapping'),
}


class RowError(Exception):
    """A row cannot be understood; the source adds file, sheet and row."""

    def __init__(self, column: str, value: Any, why: str) -> None:
        """Keep what is wrong with *value* in *column*."""
        super().__init__(why)
        self.column, self.value, self.why = column, value, why


_OWN = "column "
"""What stands before the name of a column that fields.csv names, among the readers of mapped fields."""
_CLOCK = "clock "
"""The same for the columns of when an effort began and ended."""
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
        } | {
            f"{_CLOCK}{name}": ClockReader(mapping.date_formats, self._day_format())
            for name, field in self.fields.items()
            if field.start
        }
        hints = get_type_hints(cls)
        self.choices = {name: choices_of(hints[name]) for name in self.fields}
        self.required = required(cls, mapping)
        self.optional = {f.name for f in msgspec.structs.fields(cls) if not f.required and f.default is None}
        self.values = {
            name: {key.casefold(): value for key, value in field.values.items()}
            for name, field in self.fields.items()
            if field.values is not None
        }
        self.weekdays = {
            name: {text.casefold(): number for text, number in field.weekdays.items()}
            for name, field in self.fields.items()
        }
        # a row that names its week or its month is of the whole of it
        self.lasts = mapping.spans if self._spans() and "finish_on" not in self.fields else None
        self.own = {SHEET, FILE, LEVEL, ABOVE} - {
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
                elif name.startswith(_CLOCK):
                    for column in self.fields[name.removeprefix(_CLOCK)].columns:
                        reader.look(row.get(column))
                elif self.fields[name].column is not None:
                    reader.look(self._raw(name, self.fields[name], row), years=_years(row, self.fields[name]))

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
        if self.mapping.indent:
            needed = (needed - set(self.mapping.indent.into)) | {self.mapping.indent.column}
        return needed - {SHEET, FILE, LEVEL, ABOVE}

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
        return span_of(date.fromisoformat(first), self.lasts or "day")[1].isoformat()

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
            if not name.startswith((_OWN, _CLOCK)) and reader.column.kind in {"day", "month"}
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
        if field.start:
            return self._elapsed(name, field, row)
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

    def _elapsed(self, name: str, field: Field, row: dict[str, Any]) -> timedelta | None:
        """Return how long it was from when it began to when it ended, without the pause."""
        reader = cast("ClockReader", self.readers[f"{_CLOCK}{name}"])
        span = Span(reader=reader, zone=self.zone, day=lambda: self._day_of(row))
        end_day = self._moment_day(reader, field.end_day, row)
        found = [
            self._between(span, start, end, row, end_day if (start, end) == field.spans[-1] else None)
            for start, end in field.spans
        ]
        parts = [one for one in found if one is not None]
        if not parts:
            return None
        whole, pause = sum(parts, timedelta()), timedelta()
        if isinstance(field.pause, str):
            pause = self._pause(name, field.pause, row)
        elif field.pause:
            span.until = None
            pause = self._between(span, *field.pause, row) or timedelta()
        if pause > whole:
            column = field.pause if isinstance(field.pause, str) else (field.pause or ("",))[0]
            raise RowError(column, row.get(column), tr("is longer than the time itself"))
        return whole - pause

    def _between(
        self, span: Span, start: str, end: str, row: dict[str, Any], end_day: date | None = None
    ) -> timedelta | None:
        for column in (start, end):
            _check_cell(column, row.get(column))
        try:
            return span.between(row.get(start), row.get(end), end_day)
        except CellError as exc:
            shown = " – ".join(text for one in (start, end) if (text := cell_text(row.get(one))))
            raise RowError(f"{start}, {end}", shown, str(exc)) from exc

    def _pause(self, name: str, column: str, row: dict[str, Any]) -> timedelta:
        cell, reader = row.get(column), self.readers[name]
        _check_cell(column, cell)
        unit = self.fields[name].unit or unit_of(column)
        try:
            if unit is None and cell_text(cell) != "0" and BARE.fullmatch(cell_text(cell)):
                raise CellError(tr('is a number without its unit: say unit = "minutes" or "hours"'))
            declared = msgspec.structs.replace(reader.declared, unit=unit or "minutes")
            pause = CellReader(reader.column, declared)
            pause.signs = reader.signs
            return timedelta(seconds=pause.value(cell) or 0)
        except CellError as exc:
            raise RowError(column, cell, str(exc)) from exc

    def _day_format(self) -> str:
        field = self.fields.get("day")
        return (field.format or "") if field else ""

    def _day_of(self, row: dict[str, Any]) -> date | None:
        """Return the day of a row, where it has one."""
        name = next((one for one in ("day", "start_on") if one in self.fields), None)
        found = self._value(name, row, None) if name else None
        return date.fromisoformat(found) if found else None

    def _moment_day(self, reader: ClockReader, column: str | None, row: dict[str, Any]) -> date | None:
        if column is None or not cell_text(row.get(column)):
            return None
        try:
            return date.fromisoformat(reader.value(row.get(column)))
        except CellError as exc:
            raise RowError(column, row.get(column), str(exc)) from exc

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
            found = reader.value(raw, currency=currency, scale=scale, years=_years(row, field))
            if field.weekday and found is not None:
                return self._on_weekday(name, field, row, date.fromisoformat(found))
            turned = self.mapping.unpivot
            if turned and field.column == turned.value and LESS in row and reader.column.kind == "minor":
                return found - (reader.value(row[LESS], currency=currency, scale=self._less_scale(row)) or 0)
            return found
        except CellError as exc:
            raise RowError(self._column(name), raw, str(exc)) from exc

    def _on_weekday(self, name: str, field: Field, row: dict[str, Any], of: date) -> str:
        """Return the day of a row by its day of the week, in the week that *of* begins or ends."""
        assert field.weekday is not None
        cell = row.get(field.weekday)
        text = cell_text(cell).casefold()
        number = self.weekdays[name].get(text, self.weekdays[name].get(text.rpartition(" ")[2]))
        if number is None:
            raise RowError(
                field.weekday, cell, tr("is not one of {values}", values=", ".join(field.weekdays))
            )
        steps = (number - of.isoweekday()) % 7
        if field.week == "ends" and field.format != "week":
            steps -= 7 if steps else 0
        return (of + timedelta(days=steps)).isoformat()

    def _less_scale(self, row: dict[str, Any]) -> int | None:
        turned = self.mapping.unpivot
        return _scale_of(turned.less[cell_text(row.get(turned.name))]) if turned else None

    def _scale(self, field: Field, row: dict[str, Any]) -> int | None:
        """Return what the header over a cell says its amounts are counted in, such as 1000 for k€."""
        return next((found for header in self._headers(field, row) if (found := _scale_of(header))), None)


_currency_of = functools.lru_cache(maxsize=5_000)(caption_currency)
_scale_of = functools.lru_cache(maxsize=5_000)(scale_of)


def _years(row: dict[str, Any], field: Field) -> tuple[str, ...]:
    """Return what may say the year of a row that does not say it: the names of its sheet and its file.

    Before them what stands above the table, where the week comes from there.
    """
    above = (row.get(ABOVE) or "",) if field.column == ABOVE else ()
    return *above, row.get(SHEET) or "", row.get(FILE) or ""


def _check_cell(column: str, cell: Any) -> None:
    """Raise `RowError` for a cell that has no value to take."""
    if not isinstance(cell, str):
        return
    if isinstance(cell, FaultyCell):
        raise RowError(column, str(cell), cell.why)
    if ("#" in cell or "Err:" in cell) and is_error(cell.strip()):
        raise RowError(column, cell, tr("is an error of the spreadsheet"))
