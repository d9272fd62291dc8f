"""How a row of an answer becomes records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub import BY_TABLE, CellError, CellReader, Declared, HubError, Record, columns_of, tr
from hub_rest.mapping import (
    PREFIXES,
    REFERENCES,
    Field,
    Made,
    Mapping,
    Wanted,
    endings,
    expression,
    own,
    plain,
    required,
)

_HOW = {
    "decimal": 'say decimal = "." or "," in the mapping',
    "order": 'say the field\'s format, such as "%d/%m/%Y", in the mapping',
}
_AS_IT_IS = frozenset({"text", "choice", "id", "reference"})
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_AT_STAKE = frozenset({"id", "archived", "container_id", "url", "currency", "seconds", "amount_minor"})
"""Fields of a row that cannot be taken which say what it is, and what figures lack by it."""


class RowError(CellError):
    """A row cannot be taken: what is wrong with *value*, which stands for *field*."""

    def __init__(self, place: str, reason: str, *, field: str = "", value: Any = None) -> None:
        """Say it in one line."""
        said = f"{place}: {field}: {repr(value)[:60]} {reason}" if field else f"{place}: {reason}"
        super().__init__(said)
        self.reason, self.field, self.value = reason, field, value


class RowMapper:
    """Makes records of rows.

    *name* is the source's, *tz* the zone of its days, *day_s* the length of a working day, *currency* the
    hub's.
    """

    def __init__(self, mapping: Mapping, *, name: str, tz: str, day_s: int, currency: str = "EUR") -> None:
        """Compile what the mapping says."""
        self.currency, self.decimal = currency, None if mapping.decimal == "auto" else mapping.decimal
        self.name, self.zone, self.written_in, self.day_s = (
            name,
            ZoneInfo(tz),
            ZoneInfo(tz if mapping.tz == "source" else mapping.tz),
            day_s,
        )
        # the currency first: amounts are held against it
        self.plans = {
            one.name: [
                (
                    made,
                    expression(made.when) if made.when else None,
                    [
                        self._plan(made, name)
                        for name in sorted(made.fields, key=lambda name: name != "currency")
                    ],
                )
                for made in one.record
            ]
            for one in mapping.list
        }

    def _plan(self, made: Made, name: str) -> tuple[str, Field, Any, CellReader]:
        field = plain(made.fields[name])
        column = columns_of(BY_TABLE[made.table])[name]
        unit = field.unit or ("percent" if column.kind == "percent" else None)
        declared = Declared(
            decimal=self.decimal,
            formats=(field.format,) if field.format else (),
            day_s=Decimal(self.day_s),
            # an API says what its numbers are; a percent is one unless the mapping says otherwise
            unit=unit if unit != "glide" else None,
            currency=self.currency,
            zone=self.written_in,
            home=self.zone,
            how=_HOW,
        )
        return name, field, expression(field.path) if field.path else None, CellReader(column, declared)

    def row_id(self, table: str, native: Any, source: str | None = None) -> str:
        """Return the store's id of a row of *table*."""
        return f"{source or self.name}:{PREFIXES.get(table, 'x')}{native}"

    def native(self, one: Wanted, row: Any, variables: dict[str, Any]) -> str:
        """Return what names a row in the store's ids, as its own record takes it."""
        field = plain(own(one).fields["id"])
        scope = row | variables if isinstance(row, dict) else row
        value = self._value(field, expression(field.path) if field.path else None, scope)
        if value is None:
            raise RowError(self.place(one, row), f"nothing at {field.path!r}, which is its id")
        return f"{value}"

    def ids(self, one: Wanted, native: str) -> list[str]:
        """Return the ids that the own records of a row may have."""
        made = own(one)
        prefix = plain(made.fields["id"]).prefix
        return [self.row_id(made.table, f"{prefix}{native}{ending}") for ending in endings(one)]

    def understood(
        self, one: Wanted, row: Any, variables: dict[str, Any], table: str | None = None
    ) -> dict[str, Any]:
        """Return what can be understood of a row that cannot be taken: id, container, hours, amount.

        Of its own record, or of that in *table*.
        """
        found: dict[str, Any] = {}
        scope = row | variables if isinstance(row, dict) else row
        for made, when, plan in self.plans[one.name]:
            if made.table != (table or own(one).table):
                continue
            try:
                if when is not None and not when(scope):
                    continue
            except Exception:  # noqa: BLE001, S112 - the row is odd in whatever way it is odd
                continue
            for number, name in enumerate(made.spread if isinstance(row, dict) and made.spread else ("",)):
                part = scope | {"spread": {"value": row.get(name), "number": number}} if name else scope
                self._add_understood(found, made, plan, part, variables)
        return found

    def _add_understood(
        self, found: dict[str, Any], made: Made, plan: list[Any], scope: Any, variables: dict[str, Any]
    ) -> None:
        for name, field, find, reader in plan:
            if name not in _AT_STAKE:
                continue
            try:
                value = self._value(field, find, scope)
                value = self._typed(made.table, name, field, value, reader, variables, found.get("currency"))
            except Exception:  # noqa: BLE001, S112 - same reason
                continue
            if value is not None:
                adds = name in found and not isinstance(value, str)
                found[name] = found[name] + value if adds else found.get(name, value)

    def place(self, one: Wanted, row: Any) -> str:
        """Say where a row stands, for people."""
        return f"{one.name}, row {self._key(one, row)}"

    def records(self, one: Wanted, row: Any, variables: dict[str, Any]) -> Iterator[Record]:
        """Return the records of a row. Raises `RowError` naming the list, the row and the field."""
        scope = row | variables if isinstance(row, dict) else row
        for made, when, plan in self.plans[one.name]:
            if when is not None and not self._wanted(one, made, when, row, scope):
                continue
            if not made.spread:
                yield self._record(one, made, plan, row, scope, variables)
            for number, name in enumerate(made.spread):
                part = scope | {"spread": {"value": row.get(name), "number": number}}
                record = self._record(one, made, plan, row, part, variables)
                yield msgspec.structs.replace(record, id=f"{record.id}/{name}")

    def _wanted(self, one: Wanted, made: Made, when: Any, row: Any, scope: Any) -> bool:
        try:
            return bool(when(scope))
        except Exception as exc:
            raise RowError(self.place(one, row), f"when {made.when!r}: {exc}") from exc

    def _record(
        self, one: Wanted, made: Made, plan: list[Any], row: Any, scope: Any, variables: dict[str, Any]
    ) -> Record:
        values: dict[str, Any] = {}
        for name, field, find, reader in plan:
            value = None
            try:
                value = self._value(field, find, scope)
                values[name] = self._typed(
                    made.table, name, field, value, reader, variables, values.get("currency")
                )
                if field.plus_days and values[name]:
                    days = (
                        field.plus_days
                        if isinstance(field.plus_days, int)
                        else expression(field.plus_days)(scope)
                    )
                    values[name] = (date.fromisoformat(values[name]) + timedelta(days=days)).isoformat()
            except Exception as exc:  # one odd row costs one row, in whatever way it is odd
                said = f"{exc}" if isinstance(exc, HubError | ValueError | TypeError) else repr(exc)
                where = f"{made.table}.{name} from {field.path!r}"
                raise RowError(self.place(one, row), said, field=where, value=value) from exc
        cls = BY_TABLE[made.table]
        for name in required(cls):
            if values[name] is None:
                raise RowError(
                    self.place(one, row),
                    f"nothing at {plain(made.fields[name]).path!r}, which is {made.table}.{name}",
                )
        return cls(**values)

    def _key(self, one: Wanted, row: Any) -> str:
        try:
            native = expression(one.key)(row)
        except Exception:  # noqa: BLE001 - the row is odd in whatever way it is odd
            native = None
        return f"{row if native is None else native}"[:60]

    def _value(self, field: Field, find: Any, scope: Any) -> Any:
        value = find(scope) if find else field.value
        if value in _EMPTY:
            return field.default
        if isinstance(value, dict | list):
            raise TypeError(tr("{value!r} is no single value", value=str(value)[:80]))
        if field.last:
            value = str(value).rstrip("/").rsplit("/", 1)[-1]
        if field.pattern and (found := re.search(field.pattern, str(value))):
            value = found[1]
        if field.minus and (less := expression(field.minus)(scope)) is not None:
            value = Decimal(str(value)) - Decimal(str(less))
            value = int(value) if value == value.to_integral_value() else float(value)
        if field.values is not None:
            return field.values.get(
                str(value).lower() if isinstance(value, bool) else str(value), field.default
            )
        return value

    def _typed(
        self,
        table: str,
        name: str,
        field: Field,
        value: Any,
        reader: CellReader,
        variables: dict[str, Any],
        currency: str | None,
    ) -> Any:
        if value is None:
            return None
        if name == "id":
            return self.row_id(table, f"{field.prefix}{value}{field.suffix}")
        if name in REFERENCES:
            if value is False:  # an expression that chose nothing
                return None
            source = (
                variables.get(field.source.strip("{}"))
                if field.source and field.source.startswith("{")
                else field.source
            )
            return self.row_id(field.table or REFERENCES[name], f"{field.prefix}{value}", source)
        kind = reader.column.kind
        if kind in _AS_IT_IS:
            return str(value)
        if kind == "flag" and isinstance(value, int | float):
            return value != 0  # a sum that says whether there is any
        if field.unit == "glide":
            return _glide(value)
        if kind == "instant" or (kind == "day" and isinstance(value, int | float)):
            value = self._stamp(value, reader)
        return reader.value(value, currency=currency)

    def _stamp(self, value: Any, reader: CellReader) -> Any:
        """Return the instant that a tool sent, or the value itself where it is no stamp of a tool."""
        if reader.declared.formats or isinstance(value, bool):
            return value
        try:
            return self.instant(value)
        except (ValueError, OverflowError, OSError):
            return value

    def instant(self, value: Any) -> datetime:
        """Return an instant in UTC of ISO 8601, of ``2024-03-30 21:00:00``, or of a time since 1970.

        That is in seconds or milliseconds. Raises ValueError.
        """
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        moment = datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.written_in)).astimezone(UTC)


def _glide(value: Any) -> int:
    """Return the seconds of a duration as Glide writes it: an instant that long after 1970.

    Raises `CellError`.
    """
    try:
        return round(datetime.fromisoformat(str(value)).replace(tzinfo=UTC).timestamp())
    except ValueError as exc:
        raise CellError(tr("is no duration such as 1970-01-01 02:00:00")) from exc
