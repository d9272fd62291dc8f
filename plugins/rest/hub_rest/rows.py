"""How a row of an answer becomes records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args
from zoneinfo import ZoneInfo

import msgspec

from hub import BY_TABLE, Record, SourceDataError
from hub_rest.mapping import (
    PREFIXES,
    REFERENCES,
    Field,
    Made,
    Mapping,
    Wanted,
    expression,
    hints,
    plain,
    required,
)

_UNITS = {"seconds": 1, "minutes": 60, "hours": 3600, "milliseconds": 0.001}
_ISO = re.compile(
    r"(-)?P(?:(\d+(?:\.\d+)?)W)?(?:(\d+(?:\.\d+)?)D)?(?:T(?:(\d+(?:\.\d+)?)H)?(?:(\d+(?:\.\d+)?)M)?(?:(\d+(?:\.\d+)?)S)?)?"
)
_EMPTY: tuple[Any, ...] = (None, "", [], {})


class RowMapper:
    """Makes records of rows; *name* is the source's, *tz* the zone of its days, *day_s* the length of a working day."""

    def __init__(self, mapping: Mapping, *, name: str, tz: str, day_s: int) -> None:
        """Compile what the mapping says."""
        self.name, self.zone, self.written_in, self.day_s = (
            name,
            ZoneInfo(tz),
            ZoneInfo(tz if mapping.tz == "source" else mapping.tz),
            day_s,
        )
        self.plans = {
            one.name: [(made, expression(made.when) if made.when else None, [self._plan(made, field) for field in made.fields]) for made in one.record]
            for one in mapping.list
        }  # fmt: skip

    def _plan(self, made: Made, name: str) -> tuple[str, Field, Any, Any]:
        field = plain(made.fields[name])
        return name, field, expression(field.path) if field.path else None, hints(BY_TABLE[made.table])[name]

    def row_id(self, table: str, native: Any, source: str | None = None) -> str:
        """Return the store's id of a row of *table*."""
        return f"{source or self.name}:{PREFIXES.get(table, 'x')}{native}"

    def records(self, one: Wanted, row: Any, variables: dict[str, Any]) -> Iterator[Record]:
        """Return the records of a row. Raises `SourceDataError` naming the list, the row and the field."""
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
        for name, field, find, hint in plan:
            try:
                value = self._value(field, find, scope)
                values[name] = self._typed(made.table, name, field, value, hint, variables)
                if field.plus_days and values[name]:
                    days = (
                        field.plus_days
                        if isinstance(field.plus_days, int)
                        else expression(field.plus_days)(scope)
                    )
                    values[name] = (date.fromisoformat(values[name]) + timedelta(days=days)).isoformat()
            except (ValueError, TypeError, OverflowError) as exc:
                raise SourceDataError(
                    f"{one.name}, row {self._key(one, row)}: {made.table}.{name} from {field.path!r}: {exc}."
                ) from exc
        cls = BY_TABLE[made.table]
        for name in required(cls):
            if values[name] is None:
                raise SourceDataError(
                    f"{one.name}, row {self._key(one, row)}: nothing at {plain(made.fields[name]).path!r}, which is {made.table}.{name}."
                )
        return cls(**values)

    def _key(self, one: Wanted, row: Any) -> str:
        return f"{expression(one.key)(row)!r}"[:60]

    def _value(self, field: Field, find: Any, scope: Any) -> Any:
        value = find(scope) if find else field.value
        if value in _EMPTY:
            return field.default
        if isinstance(value, dict | list):
            raise TypeError(f"{str(value)[:80]!r} is no single value")
        if field.last:
            value = str(value).rstrip("/").rsplit("/", 1)[-1]
        if field.values is not None:
            return field.values.get(
                str(value).lower() if isinstance(value, bool) else str(value), field.default
            )
        return value

    def _typed(
        self, table: str, name: str, field: Field, value: Any, hint: Any, variables: dict[str, Any]
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
        if name.endswith("_at") or name == "at":
            return f"{self.instant(value):%Y-%m-%dT%H:%M:%SZ}"
        if name.endswith("_on") or name == "day":
            return self.day(value)
        if name.endswith("_s") or name == "seconds":
            return seconds(value, field.unit or "seconds", self.day_s)
        kinds = get_args(hint) or (hint,)
        if bool in kinds:
            if isinstance(value, int | float):
                return value != 0
            if str(value).lower() in {"true", "false", "1", "0"}:
                return str(value).lower() in {"true", "1"}
            raise ValueError(f"{value!r} is neither true nor false")
        if float in kinds:
            return float(value)
        if int in kinds:
            return int(value)
        return str(value)

    def instant(self, value: Any) -> datetime:
        """Return an instant in UTC of ISO 8601, of ``2024-03-30 21:00:00``, or of seconds or milliseconds since 1970. Raises ValueError."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return datetime.fromtimestamp(value / 1000 if value > 1e11 else value, UTC)
        moment = datetime.fromisoformat(str(value))
        return (moment if moment.tzinfo else moment.replace(tzinfo=self.written_in)).astimezone(UTC)

    def day(self, value: Any) -> str:
        """Return a civil day: as it is written, or that of an instant in the zone of the source. Raises ValueError."""
        if isinstance(value, str) and len(value) == 10:
            return date.fromisoformat(value).isoformat()
        return self.instant(value).astimezone(self.zone).date().isoformat()


def seconds(value: Any, unit: str, day_s: int) -> int:
    """Turn an effort into seconds; a day of ``iso`` has 24 hours, as ISO 8601 says. Raises ValueError."""
    if unit == "iso":
        match = _ISO.fullmatch(str(value))
        if match is None or str(value).endswith(("P", "T")):
            raise ValueError(f"{value!r} is no duration of ISO 8601")
        weeks, days, hours, minutes, rest = (float(part or 0) for part in match.groups()[1:])
        total = ((weeks * 7 + days) * 24 + hours) * 3600 + minutes * 60 + rest
        return round(-total if match[1] else total)
    if unit == "glide":
        moment = datetime.fromisoformat(str(value)).replace(tzinfo=UTC)
        return round(moment.timestamp())
    if isinstance(value, bool):
        raise TypeError(f"{value!r} is no effort")
    return round(float(value) * (day_s if unit == "days" else _UNITS[unit]))
