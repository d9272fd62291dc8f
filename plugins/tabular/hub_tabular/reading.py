"""One file in one run: what names its rows, which of them other files have, and what becomes of each."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, time, timedelta
from pathlib import Path
from typing import Any

import msgspec

from hub import Allocation, CellReader, Context, Record, Worklog, cell_text, storable, tr, trn
from hub_tabular.inside import Limits
from hub_tabular.mapper import RowError, RowMapper
from hub_tabular.mapping import FILE, Mapping
from hub_tabular.sums import SumRowError, Sums
from hub_tabular.tables import Room, Row, Table

SHARED_ROWS, SHARED_PART = 5, 0.5
"""Two files without a key are the same lines twice from so many equal rows, and so large a part, on."""
_MAPPED = 100_000
"""Records that are kept while a file is judged; of a larger one they are made a second time."""
_NAMING = ("account_id", "container_id")
"""What says whose hours a row is, and of what."""
Make = Callable[[str, dict[str, CellReader] | None, Callable[[str], str] | None], RowMapper]


def _shown(value: Any) -> Any:
    """Return a cell as a person wrote it: 2026-10-31, 30:00."""
    if isinstance(value, timedelta):
        minutes = round(value.total_seconds() / 60)
        return f"{'-' if minutes < 0 else ''}{abs(minutes) // 60}:{abs(minutes) % 60:02}"
    if isinstance(value, float):
        return cell_text(value)
    return value.isoformat() if isinstance(value, date | time) else value


class FileReading:
    """The rows of one file, looked at once for how its columns are written and what its rows are called."""

    def __init__(
        self, ctx: Context, path: Path, mapping: Mapping, make: Make, *, limits: Limits, room: Room
    ) -> None:
        """Read *path*; *make* makes a mapper for a prefix."""
        self.ctx, self.path, self.mapping, self.make = ctx, path, mapping, make
        mapper = make("", None, None)
        self.table = Table(path, mapping, mapper.columns(), also=ctx.fields, limits=limits, room=room)
        self.readers: dict[str, CellReader] = {}
        self._natives: frozenset[str] | None = None
        self._lock = threading.Lock()

    def natives(self, *, named: bool = True) -> frozenset[str]:
        """Look at all rows once and return what names them; with *named* False nothing need be named.

        Raises `SourceDataError` for a file that cannot be read.
        """
        with self._lock:
            if self._natives is None or (named and not self._natives):
                self._natives = self._look(named)
            return self._natives

    def _look(self, named: bool) -> frozenset[str]:
        mapper = self.make("", None, None)
        found: set[str] = set()
        self.readers = mapper.readers
        if mapper.is_settled and not named:
            return frozenset()
        for row in self._each():
            mapper.look(row.cells)
            if not named and mapper.is_settled:
                break
            if named and not row.wrong:
                with contextlib.suppress(Exception):  # told when the row is read
                    found.add(mapper.native(row.cells))
        return frozenset(found)

    def _each(self) -> Iterator[Row]:
        for number, row in enumerate(self.table):
            if number % 1000 == 0:
                self.ctx.raise_if_cancelled()
            yield row


class Owners:
    """Which file of a source has a key: the one that brought it first, or the newest.

    *known* are the keys that the store has of each file, *order* says which file comes before which.
    """

    def __init__(
        self,
        order: Sequence[str],
        known: dict[str, frozenset[str]],
        readings: dict[str, FileReading],
        *,
        newest: bool,
        same: Callable[[Iterable[str]], dict[str, str]],
    ) -> None:
        """Look at all files that are read in this run."""
        self.sizes: dict[str, int] = {one: len(keys) for one, keys in known.items()}
        self.home: dict[str, str] = {}
        """The file under which a key is known in the store."""
        self._names: dict[str, str] = {}
        """How a key is written under which a row is known, by how it is written with days of ISO 8601."""
        self._same: dict[str, dict[str, str]] = {}
        for one in dict.fromkeys((*order, *known)):
            self._settle(one, known.get(one, frozenset()), same)
        self.owner = self.home if not newest else {}
        self.all_read = True
        for one in order:
            if one not in readings:
                continue
            try:
                keys = readings[one].natives()
            except Exception:  # noqa: BLE001 - one bad file takes no other with it; it is told when it is read
                self.all_read = False
                continue
            self.sizes[one] = max(self.sizes.get(one, 0), len(keys))
            for name in self._settle(one, keys, same):
                if newest:
                    self.owner[name] = one

    def _settle(
        self, identity: str, keys: frozenset[str], same: Callable[[Iterable[str]], dict[str, str]]
    ) -> list[str]:
        """Note the keys of a file that no file before has; return the names under which all are known."""
        ordered = sorted(keys)
        self._same.setdefault(identity, {}).update(same(ordered))
        names = []
        for key in ordered:
            plain = self._same[identity].get(key, key)
            names.append(self._names.setdefault(plain, key))
            self.home.setdefault(names[-1], identity)
        return names

    def named(self, identity: str, key: str) -> str:
        """Return how the key is written under which a row of a file is known."""
        return self._names.get(self._same.get(identity, {}).get(key, key), key)

    def other(self, identity: str, key: str) -> str | None:
        """Return the other file that has *key*."""
        found = self.owner.get(self.named(identity, key), identity)
        return found if found != identity else None

    def doubles(self, identity: str, keys: frozenset[str]) -> frozenset[str]:
        """Return the files with which a file without a key shares most of its rows."""
        shared = Counter(other for key in keys if (other := self.other(identity, key)))
        return frozenset(
            one for one, count in shared.items()
            if count >= SHARED_ROWS and count >= SHARED_PART * min(len(keys), self.sizes[one])
        )  # fmt: skip


class Judged(msgspec.Struct, kw_only=True):
    """What became of the rows of one file; *records* is None where they are too many to be kept."""

    taken: int = 0
    rejected: int = 0
    left: int = 0
    seconds: int = 0
    records: list[Record] | None = []
    kept_ids: set[str] = set()
    nameless: bool = False
    wrong: Counter[str] = Counter()


class Judge:
    """Makes records of the rows of one file, and rejections of those that cannot be taken."""

    def __init__(
        self,
        reading: FileReading,
        *,
        identity: str,
        prefix: str,
        owners: Owners | None,
        known_as: Callable[[str], str],
        cls: type[Record],
        source: str,
    ) -> None:
        """Judge the rows of *reading*; *known_as* gives the name of a file as a person knows it."""
        self.reading, self.identity, self.prefix, self.owners = reading, identity, prefix, owners
        self.cls, self.source, self.known_as = cls, source, known_as
        self.mapping, self.ctx = reading.mapping, reading.ctx
        self.odd: dict[str, list[str]] = {}
        self.sums: Sums | None = None
        self._sheets: dict[str, set[str]] = {}
        """What stands for the content of the rows of each sheet, where they have no key."""
        fields = reading.make("", None, None).fields if cls in {Worklog, Allocation} else {}
        self.nobody = {
            name: (", ".join(fields[name].columns), Counter[str]())
            for name in _NAMING
            if name in fields and fields[name].columns
        }
        """By field of hours, the column that says whose they are, and how many rows and seconds do not."""
        self.newest = owners is not None and self.mapping.overlap == "newest"
        keys = reading.natives(named=owners is not None)
        self.doubles = (
            owners.doubles(identity, keys)
            if owners and not self.mapping.key and FILE not in self._columns()
            else frozenset[str]()
        )

    def _columns(self) -> set[str]:
        return {
            column for field in self.reading.make("", None, None).fields.values() for column in field.columns
        }

    def judge(self) -> Judged:
        """Look at every row once, reject the wrong ones, and keep the records of the others."""
        found = Judged(records=[], kept_ids=set(), wrong=Counter())
        for records in self._records(found, tell=True):
            if found.records is not None:
                found.records += records
                if len(found.records) > _MAPPED:
                    found.records = None
        self.reading.table.notes += [*self._unnamed(), *self._open_minutes()]
        return found

    def _note_sheet(self, row: Row, native: str, tell: bool) -> None:
        if tell and self.mapping.sheets and not self.mapping.key:
            self._sheets.setdefault(row.sheet, set()).add(native.partition("#")[0])

    def twice(self) -> Iterator[str]:
        """Say which sheet holds most of the rows of others, which count twice then: one that sums them up."""
        for sheet, rows in self._sheets.items():
            others = set[str]().union(*(mine for other, mine in self._sheets.items() if other != sheet))
            shared = rows & others
            if len(shared) >= SHARED_ROWS and len(shared) >= SHARED_PART * len(others):
                yield tr(
                    "{file}: the sheet {sheet} holds most of the rows of the others, and they are counted "
                    "twice. Say in sheets which are read",
                    file=storable(self.reading.path.name),
                    sheet=sheet,
                )

    def _open_minutes(self) -> Iterator[str]:
        """Say of which hours nothing shows whether their decimals are minutes."""
        for name, field in self.reading.make("", None, None).fields.items():
            minutes = self.reading.readers[name].minutes if name in self.reading.readers else None
            if minutes and minutes.are == "open":
                yield tr(
                    "{column}: {shown} may be hours and minutes, and is taken as a part of an hour; if it is "
                    'the former, say unit = "clock" in the mapping',
                    column=", ".join(field.columns),
                    shown=minutes.shown,
                )

    def _unnamed(self) -> Iterator[str]:
        """Say which hours name nobody, or nothing, where a column is there for it."""
        for column, seen in self.nobody.values():
            if seen["rows"]:
                yield trn(
                    "{n} row has no {column} ({hours:g} h): if an empty cell means 'as above', say "
                    "carry_down in the mapping",
                    "{n} rows have no {column} ({hours:g} h): if an empty cell means 'as above', say "
                    "carry_down in the mapping",
                    seen["rows"],
                    column=column,
                    hours=seen["seconds"] / 3600,
                )

    def records(self, judged: Judged) -> Iterator[list[Record]]:
        """Yield the records of the right rows."""
        if judged.records is not None:
            yield judged.records
        else:
            yield from self._records(Judged(records=None, kept_ids=set()), tell=False)

    def _home(self, native: str) -> str:
        if not self.newest or self.owners is None:
            return self.prefix
        return f"{self.owners.home.get(native, self.identity)}/"

    def _records(self, found: Judged, *, tell: bool) -> Iterator[list[Record]]:
        mapper = self.reading.make(self.prefix, self.reading.readers, self._home)
        self.odd = mapper.odd
        sums = self.sums = Sums(mapper, self.reading.table, storable(self.reading.path.name))
        sheet: str | None = None
        used = set[str]()
        for number, row in enumerate(self.reading.table):
            if number % 1000 == 0:
                self.ctx.raise_if_cancelled()
            if row.sheet != sheet:
                sheet = row.sheet
                mapper.levels.clear()
            native: str | None = None
            try:
                if row.wrong:
                    raise RowError("", None, row.wrong)
                sums.refuse_sum(row)
                native = mapper.native(row.cells)
                other = self.owners.other(self.identity, native) if self.owners else None
                if self.owners and self.mapping.key and not other:
                    native = self._once(native, used)
                if other and self.newest:
                    mapper.pass_over(row.cells, native)
                    found.left += 1
                    sums.add(row, None)
                    continue
                if other and (self.mapping.key or other in self.doubles):
                    found.rejected += 1
                    mapper.pass_over(row.cells, native)
                    sums.add(row, None)
                    if tell:
                        self._reject_double(mapper, row, native, other)
                    continue
                self._note_sheet(row, native, tell)
                records = list(mapper.named(row.cells, native))
            except Exception as exc:  # noqa: BLE001 - one odd row costs one row, in whatever way it is odd
                found.rejected += 1
                if not isinstance(exc, SumRowError):
                    mapper.pass_over(row.cells, native)
                    sums.add(row, None)
                if tell:
                    self._reject(mapper, row, native, exc, found)
                continue
            found.taken += 1
            sums.add(row, records[-1])
            if self.cls is Worklog:
                found.seconds += records[-1].seconds  # type: ignore[attr-defined]
            for name, (_, seen) in self.nobody.items():
                if tell and getattr(records[-1], name) is None:
                    seen["rows"] += 1
                    seen["seconds"] += getattr(records[-1], "seconds", None) or 0
            yield records
        sums.end()

    def _once(self, native: str, used: set[str]) -> str:
        """Return the key as the row is known; one that is written in two ways names one row only."""
        assert self.owners is not None
        name = self.owners.named(self.identity, native)
        if name in used:
            raise RowError(
                ", ".join(self.mapping.key),
                native,
                tr("the key is already used by a row above; add a column to key"),
            )
        used.add(name)
        return name

    # ---------- rejections ----------

    def _reject(self, mapper: RowMapper, row: Row, native: str | None, exc: Exception, found: Judged) -> None:
        if isinstance(exc, RowError):
            field, value, why = exc.column, exc.value, exc.why
        else:
            field, value, why = "", None, f"{type(exc).__name__}: {exc}"
            self.ctx.log.debug("a row was rejected", exc_info=exc)
        is_sum = isinstance(exc, SumRowError)  # nothing of it is at stake: the rows above hold it
        understood = {} if row.wrong or is_sum else mapper.understood(row.cells)
        key, id_ = native, None
        if native is None and not is_sum and not row.wrong and self.mapping.key:
            try:
                used = mapper.key(row.cells)  # by a row above
                key, native = f"{used}#{mapper.seen[used]}", used
            except RowError:
                key = None
        doubtful = field in self.mapping.key or mapper.doubtful(row.cells)
        if native is not None and self.mapping.key and not doubtful:
            id_ = mapper.record_id(native)
            found.kept_ids.add(id_)
        elif not understood and not is_sum:
            found.nameless = True
        if key is None:
            digest = mapper.digest(row.cells)
            found.wrong[digest] += 1
            key = f"{digest}#{found.wrong[digest]}"
        self._say(row, why, mapper, understood, key=key, id_=id_, field=field, value=value, is_sum=is_sum)

    def _reject_double(self, mapper: RowMapper, row: Row, native: str, other: str) -> None:
        assert self.owners is not None
        what = tr("the key {key!r}", key=native) if self.mapping.key else tr("an equal row")
        why = tr(
            "{what} is in {file} too, which had it first: it is counted there only",
            what=what,
            file=self.known_as(other),
        )
        # the row of the other file is the one that has the key: an older image of this one may leave
        self._say(
            row, why, mapper, mapper.understood(row.cells), key=native, id_=f"{self.source}:{other}/{native}",
            field=", ".join(self.mapping.key), value=None,
        )  # fmt: skip

    def _say(
        self,
        row: Row,
        why: str,
        mapper: RowMapper,
        understood: dict[str, Any],
        *,
        key: str,
        id_: str | None,
        field: str,
        value: Any,
        is_sum: bool = False,
    ) -> None:
        seconds = understood.get("seconds")
        self.ctx.reject(
            f"{storable(self.reading.path.name)}{row.place}",
            why,
            key=key,
            record=self.cls,
            id=id_,
            like={"id": ""} if is_sum else understood or None,  # no row that is known is it
            field=field,
            value=_shown(value),
            container=understood.get("container_id"),
            seconds=seconds if seconds is not None or row.wrong or is_sum else mapper.stake(row.cells),
            amount_minor=understood.get("amount_minor"),
            currency=understood.get("currency"),
        )
