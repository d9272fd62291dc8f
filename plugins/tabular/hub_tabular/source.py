"""Any table in a file as a source: one file one partition, one mapping for all files of the source."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from collections.abc import Mapping as MappingType
from pathlib import Path
from typing import Any, ClassVar

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
    FileState,
    Partition,
    Record,
    Scope,
    Source,
    SourceDataError,
    convert,
    matching_files,
    relative_name,
    tr,
)
from hub_tabular import tables
from hub_tabular.mapping import Mapping, RowError, RowMapper, check_mapping

BATCH = 2000
SHOWN = 20


class FileToRead(msgspec.Struct, frozen=True, kw_only=True):
    """A file whose rows are known under *prefix*; *read_by* is what it is read by besides its content."""

    path: Path
    name: str
    prefix: str
    mapping: Mapping
    read_by: str


class FileAway(msgspec.Struct, frozen=True, kw_only=True):
    """A file that is no longer there, with its last cursor."""

    cursor: dict[str, Any]


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
        files = matching_files(ctx.base, self.path, tables.SUFFIXES)
        return files[-1:] if mapping.files == "latest" else files

    def check(self, ctx: Context) -> Iterable[Check]:
        """Read the mapping, and the headers of every file."""
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
            detail=tr("{count} files match {path}", count=len(files), path=self.path),
        )
        for path in files:
            try:
                self._check_headers(path, mapping, self._mapper(ctx, mapping, ""))
            except SourceDataError as exc:
                yield Check(name=path.name, state="failed", detail=str(exc))

    def _mapper(
        self, ctx: Context, mapping: Mapping, prefix: str, readers: dict[str, CellReader] | None = None
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
        )

    def _check_headers(self, path: Path, mapping: Mapping, mapper: RowMapper) -> None:
        found = tables.first_headers(path, mapping)
        if lacking := sorted(mapper.columns() - set(found)):
            shown = ", ".join(repr(name) for name in lacking)
            raise SourceDataError(
                tr(
                    "{name}: row {header_row} has no column {shown}; it has {found}. Correct header_row "
                    "or the column's name in the mapping.",
                    name=path.name,
                    header_row=mapping.header_row,
                    shown=shown,
                    found=", ".join(found),
                )
            )

    def plan(self, ctx: Context, cursors: MappingType[str, Any]) -> Iterable[Partition]:
        """Return one partition per new or changed file; a changed mapping reads all files again."""
        mapping, cls = self._mapping(ctx)
        # what a cell becomes depends on these besides the mapping: another one reads all files again
        rules = f"rules {RULES}, {ctx.currency}, {self.tz}, {self.hours_per_day:g}"
        read_by = f"{FileState.of(ctx.resolve(self.mapping)).sha256} {rules}"
        files = self._files(ctx, mapping)
        if not files:
            ctx.report_missing(
                tr("no file matches {path}: check the path, or whether the share is there.", path=self.path)
            )
        full = mapping.snapshot == "full"
        each = mapping.files == "each" and full
        names = {ctx.known_as(relative_name(path, ctx.base)): path for path in files}
        identities = self._identities(ctx, names, cursors) if each else {name: name for name in names}
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
            prefix = f"{identities[name]}/" if each else ""
            yield Partition(
                id=identities[name],
                label=path.name,
                complete=full,
                scope=Scope(records=(cls,), id_prefix=self.row_id(prefix)) if each else Scope(records=(cls,)),
                evidence=tr("absent from {name}", name=path.name),
                data=FileToRead(path=path, name=name, prefix=prefix, mapping=mapping, read_by=read_by),
            )
        for key in sorted(set(cursors) - set(identities.values())) if each else ():
            if FileState.of_cursor(cursors[key]) and not cursors[key].get("vanished"):
                yield Partition(id=key, data=FileAway(cursor=cursors[key]))

    def _identities(
        self, ctx: Context, names: dict[str, Path], cursors: MappingType[str, Any]
    ) -> dict[str, str]:
        """Return each file the name under which its rows are known.

        The one it had before it was renamed, else its own. A copy of another file is reported and left out of
        *names*: counting both would count its rows twice.
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
                        "{name} holds the same as {twin}: it was not counted a second time. Remove one of "
                        "the two.",
                        name=name,
                        twin=twin,
                    )
                )
                del names[name]
                continue
            contents[state.sha256] = name
            identity = known.get(name) or vanished.pop(state.sha256, None) or name
            found[name] = identity if identity not in found.values() else f"{name}@{state.sha256[:8]}"
        return found

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one file for how its columns are written, for its faults, then for its rows.

        With a key the right rows are taken and nothing is declared gone; without one a file is taken whole or
        not at all.
        """
        one: FileToRead | FileAway = partition.data
        if isinstance(one, FileAway):
            yield Batch(cursor=one.cursor | {"vanished": True})  # read anew when it is there again
            return
        path, mapping = one.path, one.mapping
        state = FileState.of(path)
        ctx.count(bytes_=state.size)
        self._check_headers(path, mapping, self._mapper(ctx, mapping, ""))
        readers = self._readers(ctx, one)
        wrong = self._tell_wrong_rows(ctx, partition.id, one, readers)
        if wrong and not mapping.key:
            # a row named by its content cannot be told from an edited one: half a file would count edits
            # twice
            ctx.report_missing(
                tr(
                    "{name}: nothing of it was taken, because its rows have no key and some are wrong; "
                    "what was known of it stays. Correct the rows, or name the columns that make a row "
                    "unique with key in the mapping.",
                    name=path.name,
                ),
                partition=partition.id,
            )
            return
        mapper = self._mapper(ctx, mapping, one.prefix, readers)
        batch: list[Record] = []
        for number, row in tables.table_rows(path, mapping):
            if number % 1000 == 0:
                ctx.raise_if_cancelled()
            try:
                batch.extend(mapper.records(row))
            except RowError:
                continue  # told above
            if len(batch) >= BATCH:
                yield Batch(records=batch)
                batch = []
        state.verify(path)
        yield Batch(records=batch, cursor=None if wrong else self._done(state, partition.id, one))

    def _done(self, state: FileState, partition: str, one: FileToRead) -> dict[str, Any]:
        done: dict[str, Any] = msgspec.to_builtins(state) | {"mapping": one.read_by}
        return done if one.name == partition else done | {"file": one.name}

    def _readers(self, ctx: Context, one: FileToRead) -> dict[str, CellReader]:
        """Return the readers of the fields, which looked at the whole file where the mapping says not all."""
        mapper = self._mapper(ctx, one.mapping, one.prefix)
        if not mapper.is_settled:
            for number, row in tables.table_rows(one.path, one.mapping):
                if number % 1000 == 0:
                    ctx.raise_if_cancelled()
                mapper.look(row)
        return mapper.readers

    def _tell_wrong_rows(
        self, ctx: Context, partition: str, one: FileToRead, readers: dict[str, CellReader]
    ) -> int:
        """Read the file once for its faults, name the first of them, and return their number."""
        path, mapping = one.path, one.mapping
        mapper = self._mapper(ctx, mapping, one.prefix, readers)
        place = (
            path.name
            if path.suffix.lower() in tables.TEXT
            else tr("{name}, sheet {sheet}", name=path.name, sheet=mapping.sheet)
        )
        wrong = 0
        for number, row in tables.table_rows(path, mapping):
            if number % 1000 == 0:
                ctx.raise_if_cancelled()
            try:
                for _ in mapper.records(row):
                    pass
            except RowError as exc:
                wrong += 1
                if wrong <= SHOWN:
                    shown = "" if exc.value in {None, ""} else f" {exc.value!r}"
                    ctx.report_missing(
                        tr(
                            "{place}, row {number}, column {column}:{value} {reason}",
                            place=place,
                            number=number,
                            column=exc.column,
                            value=shown,
                            reason=exc.why,
                        ),
                        partition=partition,
                    )
        if wrong > SHOWN:
            ctx.report_missing(
                tr("{name}: {wrong} more rows could not be understood", name=path.name, wrong=wrong - SHOWN),
                partition=partition,
            )
        return wrong

    def census(self, ctx: Context, cursors: MappingType[str, Any]) -> Iterable[Census]:
        """Say which rows belong to files that are there; those of a vanished file are held."""
        mapping, cls = self._mapping(ctx)
        if mapping.snapshot != "full" or mapping.files != "each":
            return
        names = {ctx.known_as(relative_name(path, ctx.base)) for path in self._files(ctx, mapping)}
        for name in sorted(cursors):
            if name.startswith("__") or cursors[name].get("file", name) in names:
                continue
            yield Census(
                record=cls,
                scope=Scope(records=(cls,), id_prefix=self.row_id(f"{name}/")),
                ids=frozenset(),
                evidence=tr("the file {name} is no longer among those of {path}", name=name, path=self.path),
                hold=True,
            )
