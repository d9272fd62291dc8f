"""Any table in a file as a source: one file one partition, one mapping for all files of the source."""

from __future__ import annotations

import contextlib
import hashlib
import re
import threading
import tomllib
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as MappingType
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from hub import (
    RECORDS,
    RULES,
    Batch,
    CellReader,
    Census,
    Check,
    ConfigError,
    Context,
    Count,
    FileState,
    Offer,
    Partition,
    Positive,
    Record,
    Scope,
    Source,
    SourceDataError,
    Tally,
    Worklog,
    convert,
    matching_files,
    relative_name,
    storable,
    too_many,
    tr,
    trn,
)
from hub_tabular import sheets
from hub_tabular.books import check_size
from hub_tabular.checking import check_rows
from hub_tabular.inside import Limits
from hub_tabular.mapper import RowMapper
from hub_tabular.mapping import Mapping, check_mapping
from hub_tabular.reading import SHARED_PART, FileReading, Judge, Judged, Make, Owners
from hub_tabular.tables import Room, Table

BATCH = 2000
READING = 4
"""Raised when a row may be taken in another way than before: files that older rules read are read again."""


class FileToRead(msgspec.Struct, frozen=True, kw_only=True):
    """A file whose rows are known under *prefix*; *read_by* is what it is read by besides its content.

    *had_end* says that its last line had an end when it was read before.
    """

    path: Path
    name: str
    prefix: str
    mapping: Mapping
    read_by: str
    had_end: bool


class FileAway(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is no longer there, with its last cursor."""

    cursor: dict[str, Any]


class Files(msgspec.Struct, frozen=True):
    """The files of a run by name: as what each is known, which are read, and what was known before."""

    names: dict[str, Path]
    identities: dict[str, str]
    to_read: dict[str, Path]
    known: list[str]


class _Once:
    """What the threads of a run find out once."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: Owners | None = None

    def get(self, find: Callable[[], Owners]) -> Owners:
        with self._lock:
            if self._found is None:
                self._found = find()
            return self._found


_DATE = re.compile(r"(?<![0-9])(20[0-9]{2})[-_. ]?(0[1-9]|1[0-2])(?:[-_. ]?([0-2][0-9]|3[01]))?(?![0-9])")


_OF_FILE = re.compile(
    rf"(.+?(?:{'|'.join(map(re.escape, sheets.SUFFIXES))})(?:@[0-9a-f]{{8}})?)/", re.IGNORECASE
)


def _by_age(names: MappingType[str, Path]) -> list[str]:
    """Return the files from the oldest: by the dates in their names where all have one, else as modified."""
    dates = {name: _DATE.search(path.stem) for name, path in names.items()}
    if all(dates.values()):
        return sorted(names, key=lambda name: (*((dates[name] or [])[at] or "" for at in (1, 2, 3)), name))
    return sorted(names, key=lambda name: (_written(names[name]), name))


def _written(path: Path) -> tuple[int, int]:
    """Return when a file was written, and its size; a file that is gone meanwhile is told when it is read."""
    with contextlib.suppress(OSError):
        state = path.stat()
        return state.st_mtime_ns, state.st_size
    return 0, 0


def _digest(names: MappingType[str, Path]) -> str:
    """Return what changes when one of the files does."""
    text = "\n".join(f"{name} {_written(path)}" for name, path in sorted(names.items()))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]


_LEVELS: dict[str, Literal["task", "hours", "project", "person"]] = {
    "task": "task", "worklog": "hours", "container": "project", "account": "person",
}  # fmt: skip
"""Of what a column of such records can be a field."""


class TabularSource(Source, frozen=True, kw_only=True):
    """CSV, XLSX, XLS or ODS files in a folder or glob, read by the TOML *mapping*.

    A file is a complete snapshot of its own rows (or, with ``files = "latest"``, the newest file of all
    rows); with ``snapshot = "delta"`` files only add and change.
    """

    kind: ClassVar[str] = "tabular"
    provides: ClassVar[tuple[type[Record], ...]] = RECORDS
    census_every_hours: ClassVar[float] = 0.0

    path: str
    mapping: str
    max_file_mb: Positive = 500.0
    max_unpacked_mb: Positive = 2000.0
    max_cells: Count = 10_000_000
    max_columns: Count = 2000

    @property
    def address(self) -> str:
        """Return the folder or glob."""
        return self.path

    def _mapping(self, ctx: Context) -> tuple[Mapping, type[Record]]:
        path = ctx.resolve(self.mapping)
        try:
            raw = tomllib.loads(path.read_text(encoding="utf-8-sig"))
        except OSError as exc:
            raise ConfigError(
                tr(
                    "The mapping {path} of the source {name} cannot be read: {reason}.",
                    path=path,
                    name=self.name,
                    reason=exc.strerror,
                )
            ) from exc
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
            raise ConfigError(tr("{path} is not valid TOML: {error}.", path=path, error=exc)) from exc
        mapping = convert(raw, Mapping, where=str(path), base=ctx.base)
        return mapping, check_mapping(mapping, str(path))

    def _files(self, ctx: Context, mapping: Mapping) -> list[Path]:
        files = matching_files(ctx.base, self.path, sheets.SUFFIXES)
        return files[-1:] if mapping.files == "latest" else files

    def check(self, ctx: Context) -> Iterable[Check]:
        """Read the mapping and the files; show the first rows as a run will take them."""
        try:
            mapping, _ = self._mapping(ctx)
        except ConfigError as exc:
            yield Check(name="mapping", state="failed", detail=str(exc))
            return
        yield Check(
            name="mapping",
            state="ok",
            detail=tr("{mapping} makes {record} records", mapping=self.mapping, record=mapping.record),
        )
        files = self._files(ctx, mapping)
        if not files:
            yield Check(name="files", state="failed", detail=tr("no file matches {path}", path=self.path))
            return
        yield Check(
            name="files",
            state="ok",
            detail=trn("{n} file matches {path}", "{n} files match {path}", len(files), path=self.path),
        )
        yield from check_rows(
            ctx,
            (self._reading(ctx, path, mapping) for path in files),
            mapping,
            check_mapping(mapping, self.mapping),
            source=self.name,
            max_rejected=self.max_rejected,
        )

    def offers(self, ctx: Context) -> Iterable[Offer]:
        """Return the columns of the newest file that the mapping does not name."""
        mapping, _ = self._mapping(ctx)
        level = _LEVELS.get(mapping.record)
        files = self._files(ctx, mapping)
        if level is None or not files:
            return
        mapper = self._mapper(ctx, mapping, "")
        try:
            headings = [heading for _, heading in self._reading(ctx, files[-1], mapping).table.headings()]
        except SourceDataError:
            return  # told by the check of its rows
        named = mapper.columns() | {name for heading in headings for name in heading.pivot}
        for name in dict.fromkeys(name for heading in headings for name in heading.names):
            if name and name not in named:
                yield Offer(native=name, level=level)

    def _mapper(
        self,
        ctx: Context,
        mapping: Mapping,
        prefix: str,
        readers: dict[str, CellReader] | None = None,
        home: Callable[[str], str] | None = None,
    ) -> RowMapper:
        return RowMapper(
            mapping,
            check_mapping(mapping, self.mapping),
            source=self.name,
            prefix=prefix,
            hours_per_day=self.hours_per_day,
            tz=self.tz,
            currency=ctx.currency,
            readers=readers,
            home=home,
            chosen=ctx.fields,
        )

    @property
    def limits(self) -> Limits:
        """Return what a file may hold."""
        return Limits(
            file_mb=self.max_file_mb,
            unpacked_mb=self.max_unpacked_mb,
            cells=self.max_cells,
            columns=self.max_columns,
        )

    def _reading(self, ctx: Context, path: Path, mapping: Mapping) -> FileReading:
        """Return the rows of a file, which are looked at once in a run."""
        make: Make = lambda prefix, readers, home: self._mapper(ctx, mapping, prefix, readers, home)  # noqa: E731
        room = ctx.shared("room", Room)
        return ctx.shared(
            f"rows of {path}",
            lambda: FileReading(ctx, path, mapping, make, limits=self.limits, room=room),
        )

    def plan(self, ctx: Context, cursors: MappingType[str, Any]) -> Iterable[Partition]:
        """Return one partition per new or changed file; a changed mapping reads all files again."""
        mapping, cls = self._mapping(ctx)
        # what a cell becomes depends on these besides the mapping: another one reads all files again
        rules = f"rules {RULES}.{READING}, {ctx.currency}, {self.tz}, {self.hours_per_day:g}"
        if ctx.fields:
            rules += f", {sorted(ctx.fields.items())}"
        read_by = f"{FileState.of(ctx.resolve(self.mapping)).sha256} {rules}"
        files = self._files(ctx, mapping)
        if not files:
            ctx.report_missing(
                tr("no file matches {path}: check the path, or whether the share is there.", path=self.path)
            )
        full = mapping.snapshot == "full"
        each = mapping.files == "each" and full
        names = {ctx.known_as(relative_name(path, ctx.base)): path for path in files}
        identities = (
            self._identities(ctx, mapping, names, cursors) if each else {name: name for name in names}
        )
        newest = each and mapping.overlap == "newest"
        if newest:
            # a file that comes, changes or goes may change which of the others has a key
            read_by += f", {_digest(names)}"
        to_read = {}
        for name, path in names.items():
            cursor: Any = cursors.get(identities[name])
            state = FileState.of_cursor(cursor)
            if (
                state
                and not ctx.full
                and not cursor.get("vanished")
                and cursor.get("mapping") == read_by
                and cursor.get("file", identities[name]) == name
                and (state.looks_unchanged(path) or FileState.of(path).sha256 == state.sha256)
            ):
                ctx.skip_unchanged(name)
                continue
            to_read[name] = path
        if each:
            ctx.shared("files of the run", lambda: Files(names, identities, to_read, sorted(cursors)))
        for name, path in to_read.items():
            prefix = f"{identities[name]}/" if each else ""
            cursor = cursors.get(identities[name])
            yield Partition(
                id=identities[name],
                label=storable(path.name),
                # where the newest file has a key, only all files together prove that it is gone
                complete=full and not newest,
                ordered=True,
                scope=Scope(records=(cls,), id_prefix=self.row_id(prefix)) if each else Scope(records=(cls,)),
                evidence=tr("absent from {file}", file=storable(path.name)),
                data=FileToRead(
                    path=path,
                    name=name,
                    prefix=prefix,
                    mapping=mapping,
                    read_by=read_by,
                    had_end=isinstance(cursor, dict) and bool(cursor.get("line_end")),
                ),
            )
        for key in sorted(set(cursors) - set(identities.values())) if each else ():
            if FileState.of_cursor(cursors[key]) and not cursors[key].get("vanished"):
                yield Partition(id=key, data=FileAway(cursor=cursors[key]))

    def _identities(
        self, ctx: Context, mapping: Mapping, names: dict[str, Path], cursors: MappingType[str, Any]
    ) -> dict[str, str]:
        """Return each file the name under which its rows are known.

        The one it had before it was renamed, be it edited since, else its own. A copy of another file is
        reported and left out of *names*: counting both would count its rows twice.
        """
        known = {
            cursor.get("file", key): key for key, cursor in cursors.items() if FileState.of_cursor(cursor)
        }
        vanished = {cursors[key]["sha256"]: key for name, key in known.items() if name not in names}
        contents: dict[str, str] = {}
        found: dict[str, str] = {}
        # files that are known first, so that of two twins the newcomer is the copy
        for name in sorted(names, key=lambda name: (name not in known, len(name), name)):
            try:
                state = FileState.of_cursor(cursors.get(known.get(name, "")))
                if state is None or not state.looks_unchanged(names[name]):
                    state = FileState.of(names[name])
            except SourceDataError:
                found[name] = known.get(name, name)  # told when it is read
                continue
            if twin := contents.get(state.sha256):
                ctx.report_missing(
                    tr(
                        "{name} holds the same as {twin}: it was not counted a second time. Remove one "
                        "of the two.",
                        name=name,
                        twin=twin,
                    )
                )
                del names[name]
                continue
            contents[state.sha256] = name
            identity = known.get(name)
            # one that has rows of its own, though it was never read to its end, is no other file
            if identity is None and vanished and not self._known(ctx, mapping, name):
                identity = vanished.pop(state.sha256, None) or self._renamed(
                    ctx, mapping, names[name], vanished
                )
            identity = identity or name
            found[name] = identity if identity not in found.values() else f"{name}@{state.sha256[:8]}"
        return found

    def _renamed(self, ctx: Context, mapping: Mapping, path: Path, vanished: dict[str, str]) -> str | None:
        """Return which of the files that are away this one is, by what names most of its rows."""
        try:
            keys = self._reading(ctx, path, mapping).natives()
        except SourceDataError:
            return None  # told when it is read
        best, shared = None, 0
        for sha256, identity in vanished.items():
            known = self._known(ctx, mapping, identity)
            count = len(keys & known)
            if count > shared and count >= SHARED_PART * min(len(keys), len(known)):
                best, shared = sha256, count
        return vanished.pop(best) if best is not None else None

    def _known(self, ctx: Context, mapping: Mapping, identity: str) -> frozenset[str]:
        """Return what names the rows that the store has of a file."""
        prefix = self.row_id(f"{identity}/")
        found = ctx.known_ids(check_mapping(mapping, self.mapping), prefix)
        return frozenset(one[len(prefix) :] for one in found)

    def _owners(self, ctx: Context, mapping: Mapping) -> Owners | None:
        """Return which file has which key, where there is more than one."""
        files: Files = ctx.shared("files of the run", lambda: Files({}, {}, {}, []))
        every = {*files.identities.values(), *files.known}
        if len(every) < 2:
            return None

        def look() -> Owners:
            newest = mapping.overlap == "newest"
            names = _by_age(files.names) if newest else sorted(
                files.names, key=lambda name: (len(name), name)
            )  # fmt: skip
            return Owners(
                [files.identities[name] for name in names],
                {
                    one: self._known(ctx, mapping, one)
                    for one in sorted(every, key=lambda one: (len(one), one))
                },
                {
                    files.identities[name]: self._reading(ctx, path, mapping)
                    for name, path in files.to_read.items()
                },
                newest=newest,
                # for each file anew: one may write days first, another months
                same=lambda keys: self._mapper(ctx, mapping, "").same(keys) if mapping.key else {},
            )

        return ctx.shared("owners", _Once).get(look)

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one file: its rows are judged, and where not too many are wrong the others are taken."""
        one: FileToRead | FileAway = partition.data
        if isinstance(one, FileAway):
            yield Batch(cursor=one.cursor | {"vanished": True})  # read anew when it is there again
            return
        path, mapping = one.path, one.mapping
        check_size(path, self.limits)
        state = FileState.of(path)
        ctx.count(bytes_=state.size)
        reading = self._reading(ctx, path, mapping)
        owners = self._owners(ctx, mapping) if one.prefix else None
        cls = check_mapping(mapping, self.mapping)
        judge = Judge(
            reading,
            identity=partition.id,
            prefix=one.prefix,
            owners=owners,
            known_as=lambda identity: self._shown(ctx, identity),
            cls=cls,
            source=self.name,
        )
        judged = judge.judge()
        for column, odd in sorted(judge.odd.items()):
            ctx.note(
                tr(
                    "{file}: in {column} {count} {count:value is|values are} not of the type that "
                    "fields.csv says, such as "
                    "{value!r}: they are shown empty",
                    file=storable(path.name), column=column, count=len(odd), value=odd[0],
                )
            )  # fmt: skip
        missing = list(self._lacking(ctx, one, reading.table, judge))
        if judge.sums:
            missing += judge.sums.missing
            reading.table.notes += judge.sums.notes
        for what in missing:
            ctx.report_missing(what, partition=partition.id)
        for note in dict.fromkeys(reading.table.notes):
            ctx.note(f"{storable(path.name)}: {note}" if not note.startswith(storable(path.name)) else note)
        skipped = dict(reading.table.skipped)
        if judged.left:
            skipped["in a newer file"] = judged.left
        seen = judged.taken + judged.rejected + sum(skipped.values())
        ctx.tally(
            Tally(
                seen=seen, taken=judged.taken, skipped=skipped, record=cls,
                seconds=judged.seconds if cls is Worklog else None,
            )
        )  # fmt: skip
        if too_many(judged.rejected, seen, self.max_rejected):
            reading.table.forget()
            return  # the hub says so, and nothing of the file is written
        done = self._done(state, partition.id, one, reading.table)
        held = {"line_end": one.had_end} | done | {"mapping": ""}  # the same file, to be read again
        batch: list[Record] = []
        for records in judge.records(judged):
            batch += records
            while len(batch) >= BATCH:
                yield Batch(records=batch[:BATCH], held=held)
                batch = batch[BATCH:]
        state.verify(path)
        gone = self._gone(partition, cls, owners, judged) if judge.newest and not missing else ()
        reading.table.forget()
        yield Batch(records=batch, cursor=None if missing else done, held=held, gone=gone)

    def _shown(self, ctx: Context, identity: str) -> str:
        files: Files = ctx.shared("files of the run", lambda: Files({}, {}, {}, []))
        name = next((name for name, one in files.identities.items() if one == identity), identity)
        return name.rpartition("/")[2]

    def _lacking(self, ctx: Context, one: FileToRead, table: Table, judge: Judge) -> Iterator[str]:
        """Say what of a file was not read, or seems to be cut off."""
        yield from table.missing
        yield from judge.twice()
        for other in sorted(judge.doubles):
            yield tr(
                "{file} holds most of the rows of {other}: those rows were not counted a second time. Take "
                "one of the two files away.",
                file=storable(one.path.name),
                other=self._shown(ctx, other),
            )
        if table.cut:
            yield tr("{file} seems to be cut off: {why}.", file=storable(one.path.name), why=table.cut)
        elif one.had_end and table.ends is False:
            yield tr(
                "{file} seems to be cut off: its last line has no end, and it had one before. Export it "
                "again, or end its last line.",
                file=storable(one.path.name),
            )

    def _gone(
        self, partition: Partition, cls: type[Record], owners: Owners | None, judged: Judged
    ) -> tuple[Census, ...]:
        """Return which rows that are known under this file exist in any of the files."""
        if owners is None or not owners.all_read or judged.nameless:
            return ()
        return (
            Census(
                record=cls,
                scope=Scope(records=(cls,), id_prefix=self.row_id(f"{partition.id}/")),
                ids=self._there(owners, partition.id) | judged.kept_ids,
                evidence=tr("absent from all files of {path}", path=self.path),
            ),
        )

    def _file_of(self, id_: str) -> re.Match[str] | None:
        """Return the file that is the beginning of the id of a row."""
        return _OF_FILE.match(id_, len(self.name) + 1)

    def _there(self, owners: Owners, identity: str) -> frozenset[str]:
        """Return the ids known under one file whose keys some file has."""
        prefix = self.row_id(f"{identity}/")
        return frozenset(f"{prefix}{key}" for key in owners.owner if owners.home[key] == identity)

    def _done(self, state: FileState, partition: str, one: FileToRead, table: Table) -> dict[str, Any]:
        done: dict[str, Any] = msgspec.to_builtins(state) | {"mapping": one.read_by}
        if table.ends:
            done["line_end"] = True
        return done if one.name == partition else done | {"file": one.name}

    def census(self, ctx: Context, cursors: MappingType[str, Any]) -> Iterable[Census]:
        """Say which rows belong to files that are there; those of a vanished file are held."""
        mapping, cls = self._mapping(ctx)
        if mapping.snapshot != "full" or mapping.files != "each":
            return
        names = {ctx.known_as(relative_name(path, ctx.base)) for path in self._files(ctx, mapping)}
        files: Files = ctx.shared("files of the run", lambda: Files({}, {}, {}, []))
        owners = None
        if mapping.overlap == "newest":
            owners = self._owners(ctx, mapping) if files.to_read else None
            if owners is None or not owners.all_read:
                return  # nothing changed, or what exists is not known
        away = {
            name
            for name, cursor in cursors.items()
            if not name.startswith("__") and cursor.get("file", name) not in names
        }
        # a file of which something could not be taken has no mark, and may be away nevertheless
        kept = {match[1] for one in ctx.known_ids(cls, self.row_id("")) if (match := self._file_of(one))}
        for name in sorted(away | (kept - set(cursors) - set(files.identities.values()))):
            yield Census(
                record=cls,
                scope=Scope(records=(cls,), id_prefix=self.row_id(f"{name}/")),
                ids=self._there(owners, name) if owners else frozenset(),
                evidence=tr("the file {name} is no longer among those of {path}", name=name, path=self.path),
                hold=True,
            )
