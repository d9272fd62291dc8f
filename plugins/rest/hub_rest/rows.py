"""How a row of an answer becomes records."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub import BY_TABLE, CellError, CellReader, Declared, Record, SourceDataError, columns_of, mark, tr
from hub_rest.mapping import (
    PREFIXES,
    REFERENCES,
    Field,
    Made,
    Mapping,
    Wanted,
    expression,
    plain,
    required,
)

_HOW = {
    "decimal": mark('say decimal = "." or "," in the mapping'),
    "order": mark('say the field\'s format, such as "%d/%m/%Y", in the mapping'),
}
_AS_IT_IS = frozenset({"text", "choice", "id", "reference"})
_EMPTY: tuple[Any, ...] = (None, "", [], {})


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

    def records(self, one: Wanted, row: Any, variables: dict[str, Any]) -> Iterator[Record]:
        """Return the records of a row.

        Raises `SourceDataError` naming the list, the row and the field, `CellError` for a value of it.
        """
        scope = row | variables if isinstance(row, dict) else row
        for made, when, plan in self.plans[one.name]:
            if when is not None and not when(scope):
                continue
            if not made.spread:
                yield self._record(one, made, plan, row, scope, variables)
            for number, name in enumerate(made.spread):
                part = scope | {"spread": {"value": row.get(name), "number": number}}
                record = self._record(one, made, plan, row, part, variables)
                yield msgspec.structs.replace(record, id=f"{record.id}/{name}")

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
            except CellError as exc:
                place = tr(
                    "{name}, row {key}: {table}.{field} from {path!r}",
                    name=one.name,
                    key=self._key(one, row),
                    table=made.table,
                    field=name,
                    path=field.path,
                )
                raise CellError(f"{place}: {repr(value)[:60]} {exc}") from exc
            except (ValueError, TypeError, OverflowError) as exc:
                raise SourceDataError(
                    tr(
                        "{name}, row {key}: {table}.{field} from {path!r}: {error}.",
                        name=one.name,
                        key=self._key(one, row),
                        table=made.table,
                        field=name,
                        path=field.path,
                        error=exc,
                    )
                ) from exc
        cls = BY_TABLE[made.table]
        for name in required(cls):
            if values[name] is None:
                raise SourceDataError(
                    tr(
                        "{name}, row {key}: nothing at {path!r}, which is {table}.{field}.",
                        name=one.name,
                        key=self._key(one, row),
                        path=plain(made.fields[name]).path,
                        table=made.table,
                        field=name,
                    )
                )
        return cls(**values)

    def _key(self, one: Wanted, row: Any) -> str:
        return f"{expression(one.key)(row)!r}"[:60]

    def _value(self, field: Field, find: Any, scope: Any) -> Any:
        value = find(scope) if find else field.value
        if value in _EMPTY:
            return field.default
        if isinstance(value, dict | list):
            raise TypeError(tr("{value!r} is no single value", value=str(value)[:80]))
        if field.last:
            value = str(value).rstrip("/").rsplit("/", 1)[-1]
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
            return self.row_id(table, f"{field.prefix}{value}")
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
