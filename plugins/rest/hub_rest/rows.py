"""How a row of an answer becomes records."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from hub import BY_TABLE, CellError, CellReader, Declared, HubError, Record, columns_of, is_zone, tr
from hub_rest.keys import is_key, written
from hub_rest.mapping import (
    ITEM,
    NAME,
    PREFIXES,
    REFERENCES,
    Field,
    Made,
    Mapping,
    Wanted,
    endings,
    own,
    plain,
    required,
)
from hub_rest.paths import expression, simple
from hub_rest.shapes import Shapes, read_paths
from hub_rest.stamps import NOTHING, day_of_parts, instant_of, is_count, is_parts

_HOW = {
    "decimal": 'say decimal = "." or "," in the mapping',
    "order": 'say the field\'s format, such as "%d/%m/%Y", in the mapping',
}
_AS_IT_IS = frozenset({"text", "choice", "id", "reference"})
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_AT_STAKE = frozenset({"id", "archived", "container_id", "url", "currency", "seconds", "amount_minor"})
"""Fields of a row that cannot be taken which say what it is, and what figures lack by it."""


_BEGINS = re.compile(r'((?:\w+|"[^"]+")(?:\.(?:\w+|"[^"]+"))*)(\[)?')
_TELLING = frozenset({*REFERENCES, "status_raw", "status_native"})
"""Fields that are nothing only where the row says nothing of them."""


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
    hub's, *params* what the source gives, *look* what looks a key up: the list, the path of what is taken of
    its row, the key.
    """

    def __init__(
        self,
        mapping: Mapping,
        *,
        name: str,
        tz: str,
        day_s: int,
        currency: str = "EUR",
        params: dict[str, str] | None = None,
        look: Callable[[str, str, str], Any] | None = None,
    ) -> None:
        """Compile what the mapping says."""
        self.params, self.look = params or {}, look
        self.currency, self.decimal = currency, None if mapping.decimal == "auto" else mapping.decimal
        self.name, self.zone, self.written_in, self.day_s = (
            name,
            ZoneInfo(tz),
            ZoneInfo(tz if mapping.tz == "source" else mapping.tz),
            day_s,
        )
        self.read_at = {one.name: read_paths(mapping, one, self._filled) for one in mapping.list}
        # the currency first: amounts are held against it
        self.plans = {
            one.name: [
                (
                    made,
                    self._flag(one, made.when),
                    [
                        self._plan(one, made, name)
                        for name in sorted(made.fields, key=lambda name: name != "currency")
                    ],
                )
                for made in one.record
            ]
            for one in mapping.list
        }

        self.natives = {
            one.name: (field, self._place(one, field))
            for one in mapping.list
            if one.record and (field := plain(own(one).fields["id"]))
        }
        self._zoned: dict[tuple[str, str, str], CellReader] = {}

    def _find(self, path: str | None) -> Callable[[Any], Any] | None:
        """Return what finds *path* in a row with its variables; None for no path.

        The params of the source are put into it. One that it may give and does not finds nothing.
        """
        if path is None:
            return None
        if whole := NAME.fullmatch(path):
            return lambda scope: _Variables.of(scope).get(whole[1])
        text = self._filled(path)
        return _nothing if text is None else expression(text)

    def _filled(self, path: str) -> str | None:
        """Return a path with the params of the source in it; None where it does not give one."""
        if NAME.fullmatch(path) or any(name not in self.params for name in NAME.findall(path)):
            return None
        return NAME.sub(lambda match: _quoted(self.params[match[1]]), path)

    def _flag(self, one: Wanted, path: str | None) -> Callable[[Any], Any] | None:
        """Return what says whether a condition holds of a row; an object of which nobody reads is no answer.

        Raises `TypeError` for that when it is called.
        """
        find, names = self._find(path), simple(path or "")
        if find is None or names is None or tuple(names) in self.read_at[one.name]:
            return find

        def told(scope: Any) -> Any:
            found = find(scope)
            if isinstance(found, dict) and found:
                raise TypeError(tr("{path} is no flag", path=path))
            return found

        return told

    def shapes(self, one: Wanted, variables: Iterable[str]) -> Shapes:
        """Return what watches the shape of the rows of a list."""
        return Shapes(self.read_at[one.name], variables)

    def _place(self, one: Wanted, field: Field) -> Callable[[Any], Any] | None:
        """Return what finds a field in a row; None where it is always the same value."""
        if not field.cases:
            return self._find(field.path)
        cases = [(self._flag(one, case.when), self._find(case.path), case.value) for case in field.cases]

        def first(scope: Any) -> Any:
            for when, find, value in cases:
                if when is not None and not when(scope):
                    continue
                told = find(scope) if find else value
                if when is not None or told not in _EMPTY:
                    return told
            return None

        return first

    def _plan(self, one: Wanted, made: Made, name: str) -> tuple[str, Field, Any, CellReader]:
        field = plain(made.fields[name])
        return name, field, self._place(one, field), self._reader(made.table, name, field, None)

    def _reader(self, table: str, name: str, field: Field, zone: str | None) -> CellReader:
        """Return the reader of a field; *zone* is where its stamps are written and their days fall."""
        column = columns_of(BY_TABLE[table])[name]
        place = zone or (field.zone if field.zone and is_zone(field.zone) else None)
        unit = field.unit or ("percent" if column.kind == "percent" else None)
        declared = Declared(
            decimal=self.decimal,
            formats=(field.format,) if field.format and not field.format.startswith("epoch") else (),
            day_s=Decimal(self.day_s),
            # an API says what its numbers are; a percent is one unless the mapping says otherwise
            unit=unit if unit != "glide" else None,
            currency=self.currency,
            zone=ZoneInfo(place) if place else self.written_in,
            home=ZoneInfo(place) if place else self.zone,
            how=_HOW,
        )
        return CellReader(column, declared)

    def _reader_of(self, table: str, name: str, field: Field, reader: CellReader, scope: Any) -> CellReader:
        """Return the reader of a field in the zone that the row itself names, where the mapping says so."""
        if not field.zone or is_zone(field.zone):
            return reader
        zone = expression(field.zone)(scope)
        if not isinstance(zone, str) or not is_zone(zone):
            raise CellError(tr("{zone!r} is no time zone such as Europe/Paris", zone=f"{zone}"[:40]))
        key = (table, name, zone)
        if key not in self._zoned:
            self._zoned[key] = self._reader(table, name, field, zone)
        return self._zoned[key]

    def row_id(self, table: str, native: Any, source: str | None = None) -> str:
        """Return the store's id of a row of *table*."""
        return f"{source or self.name}:{PREFIXES.get(table, 'x')}{native}"

    def native(self, one: Wanted, row: Any, variables: dict[str, Any]) -> str:
        """Return what names a row in the store's ids, as its own record takes it."""
        field, find = self.natives[one.name]
        value = self._value(field, find, _scope(row, variables))
        if value is None:
            raise RowError(self.place(one, row), tr("nothing at {path!r}, which is its id", path=field.path))
        return f"{written(value)}"

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
        scope = _scope(row, variables)
        for made, when, plan in self.plans[one.name]:
            if made.table != (table or own(one).table) or made.of:
                continue
            try:
                if when is not None and not when(scope):
                    continue
            except Exception:  # noqa: BLE001, S112 - the row is odd in whatever way it is odd
                continue
            for number, name in enumerate(made.spread if isinstance(row, dict) and made.spread else ("",)):
                part = _spread(scope, row, name, number) if name else scope
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
                reader = self._reader_of(made.table, name, field, reader, scope)
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
        scope = _scope(row, variables)
        for made, when, plan in self.plans[one.name]:
            if made.of:
                for item in self._items(one, made, row, scope):
                    inner = _Variables.copied(scope, {ITEM: item})
                    if when is None or self._wanted(one, made, when, row, inner):
                        yield self._record(one, made, plan, row, inner, variables)
                continue
            if when is not None and not self._wanted(one, made, when, row, scope):
                continue
            if not made.spread:
                yield self._record(one, made, plan, row, scope, variables)
            for number, name in enumerate(made.spread):
                part = _spread(scope, row, name, number)
                record = self._record(one, made, plan, row, part, variables)
                yield msgspec.structs.replace(record, id=f"{record.id}/{name}")

    def _check_shape(self, one: Wanted, field: Field, scope: Any) -> None:
        """Raise `TypeError` where what is read of a row has another shape than it is read by.

        A list that is none, and an object that is there and has nothing of what is read of it: a parent, a
        person or a status without what names it is none that is lacking.
        """
        for path in (field.path, *(case.path for case in field.cases)):
            names, is_list = _way(path)
            held, last = scope, len(names) if is_list else len(names) - 1
            for depth, name in enumerate(names[:last]):
                held = held.get(name) if isinstance(held, dict) else None
                place = ".".join(names[: depth + 1])
                known = self.read_at[one.name].get(tuple(names[: depth + 1]), set())
                if isinstance(held, dict) and held and depth < len(names) - 1 and not held.keys() & known:
                    told = ", ".join(map(str, held))[:60]
                    raise TypeError(tr("{place} has {names}", place=place, names=told))
            if is_list and held not in (None, False, "") and not isinstance(held, list):
                raise TypeError(tr("{place} is no list", place=".".join(names)))

    def _items(self, one: Wanted, made: Made, row: Any, scope: Any) -> list[Any]:
        """Return the things in a row of which a record is made each."""
        try:
            find = self._find(made.of)
            found = find(scope) if find else None
        except Exception as exc:
            raise RowError(self.place(one, row), f"of {made.of!r}: {exc}") from exc
        if found in _EMPTY:
            return []
        if not isinstance(found, list):
            raise RowError(self.place(one, row), tr("of {path!r}: there stands no list", path=made.of))
        return found

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
                if value is None and name in _TELLING:
                    self._check_shape(one, field, scope)
                reader = self._reader_of(made.table, name, field, reader, scope)
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
                    tr(
                        "nothing at {path!r}, which is {field}",
                        path=plain(made.fields[name]).path,
                        field=f"{made.table}.{name}",
                    ),
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
        if field.always and value is None:
            raise TypeError(tr("is not there, and is always sent"))
        if value in _EMPTY:
            return field.default
        if isinstance(value, dict) and is_parts(value):
            return value
        if isinstance(value, dict | list):
            raise TypeError(tr("{value!r} is no single value", value=str(value)[:80]))
        if field.last:
            value = str(value).rstrip("/").rsplit("/", 1)[-1]
        if field.pattern and (found := re.search(field.pattern, str(value))):
            value = found[1]
        if field.minus and (less := expression(field.minus)(scope)) is not None:
            value = Decimal(str(value)) - Decimal(str(less))
            value = int(value) if value == value.to_integral_value() else float(value)
        if field.lookup and field.take:
            value = self._looked_up(field.lookup, field.take, value, field.default)
        if field.values is not None and value is not None:
            if isinstance(value, dict | list) and value:
                raise TypeError(tr("{value!r} is no single value", value=str(value)[:80]))
            return field.values.get(
                str(value).lower() if isinstance(value, bool) else str(value), field.default
            )
        return value

    def _looked_up(self, name: str, take: str, value: Any, default: Any) -> Any:
        found = self.look(name, take, f"{value}") if self.look else None
        if found not in _EMPTY:
            return found
        if default is None:
            raise CellError(tr("is no key in the list {name!r}, where it is looked up", name=name))
        return default

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
        if name == "id" or name in REFERENCES:
            return self._key_of(table, name, field, written(value), variables)
        kind = reader.column.kind
        if value is False and kind != "flag":  # what an expression that chose nothing gives, and some tools
            return None
        if isinstance(value, dict) and kind not in {"day", "instant", "seconds"}:
            raise TypeError(tr("{value!r} is no single value", value=str(value)[:80]))
        if kind in _AS_IT_IS:
            return str(value)
        if kind == "flag" and isinstance(value, int | float):
            return value != 0  # a sum that says whether there is any
        if field.unit == "glide":
            return _glide(value)
        if kind == "seconds":
            return reader.value(_seconds_in(value))
        if kind in {"instant", "day"}:
            if value in NOTHING:
                return None
            if kind == "instant" or is_count(value):
                value = self._stamp(value, reader, field)
        return reader.value(value, currency=currency)

    def _key_of(
        self, table: str, name: str, field: Field, value: Any, variables: dict[str, Any]
    ) -> str | None:
        """Return the store's id of a row, or of the row that a field names; None where it names none."""
        if name != "id" and value is False:  # what has no parent or assignee, to some tools
            return None
        if not is_key(value):
            raise TypeError(tr("{value!r} is no key of a row", value=value))
        if name == "id":
            return self.row_id(table, f"{field.prefix}{value}{field.suffix}")
        source = (
            variables.get(field.source.strip("{}"))
            if field.source and field.source.startswith("{")
            else field.source
        )
        return self.row_id(field.table or REFERENCES[name], f"{field.prefix}{value}", source)

    def _stamp(self, value: Any, reader: CellReader, field: Field) -> Any:
        """Return the day or instant that a tool sent, or the value itself where a person wrote it."""
        if reader.declared.formats or isinstance(value, bool):
            return value
        if (day := day_of_parts(value)) is not None:
            return day
        try:
            return instant_of(value, reader.declared.zone or self.written_in, field.format)
        except CellError:
            raise
        except (ValueError, OverflowError, OSError):
            return value

    def instant(self, value: Any) -> datetime:
        """Return an instant in UTC of what a tool writes as one. Raises ValueError."""
        return instant_of(value, self.written_in)


def _way(path: str | None) -> tuple[list[str], bool]:
    """Return the names that a path begins with, and whether a list is to stand at the last of them."""
    found = _BEGINS.match(path) if path and not NAME.search(path) else None
    if not found or (found.end() < len(path or "") and not found[2]):
        return [], False
    return simple(found[1]) or [], bool(found[2])


def _seconds_in(value: Any) -> Any:
    """Return what an effort is that is written as an object: ``{"seconds": 5400}``."""
    if not isinstance(value, dict):
        return value
    sizes = {"days": 86400, "hours": 3600, "minutes": 60, "seconds": 1}
    told = {name: one for name, one in value.items() if name in sizes and one is not None}
    if not told or not all(isinstance(one, int | float) for one in told.values()):
        raise TypeError(tr("{value!r} is no single value", value=str(value)[:80]))
    return timedelta(seconds=sum(sizes[name] * one for name, one in told.items()))


class _Variables(dict[str, Any]):
    """A row with the variables that it was asked for by: what the row itself says comes first."""

    variables: dict[str, Any]

    @staticmethod
    def of(scope: Any) -> dict[str, Any]:
        """Return the variables of a scope."""
        return scope.variables if isinstance(scope, _Variables) else {}

    @staticmethod
    def copied(scope: Any, more: dict[str, Any]) -> _Variables:
        """Return a scope with *more* in it."""
        made = _Variables(scope if isinstance(scope, dict) else {}, **more)
        made.variables = _Variables.of(scope)
        return made


def _scope(row: Any, variables: dict[str, Any]) -> Any:
    if not isinstance(row, dict):
        return row
    made = _Variables(variables | row)
    made.variables = variables
    return made


def _spread(scope: Any, row: Any, name: str, number: int) -> Any:
    return _Variables.copied(scope, {"spread": {"value": row.get(name), "number": number}})


def _nothing(_: Any) -> None:
    """Return what a path finds that needs a param which the source does not give."""


def _quoted(text: str) -> str:
    """Return a param as it may stand between the quotes of a JMESPath."""
    return text.replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"')


def _glide(value: Any) -> int:
    """Return the seconds of a duration as Glide writes it: an instant that long after 1970.

    Raises `CellError`.
    """
    try:
        return round(datetime.fromisoformat(str(value)).replace(tzinfo=UTC).timestamp())
    except ValueError as exc:
        raise CellError(tr("is no duration such as 1970-01-01 02:00:00")) from exc
