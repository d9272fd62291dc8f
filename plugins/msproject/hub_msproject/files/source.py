"""Schedule files as a source: one file one partition, one plan one container."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec

from hub import (
    Batch,
    Census,
    Check,
    Container,
    Context,
    FileState,
    HubError,
    Interrupted,
    Partition,
    Record,
    Scope,
    Source,
    SourceDataError,
    Tally,
    Task,
    matching_files,
    relative_name,
    tr,
)  # fmt: skip
from hub_msproject.files import mapping, mpxj, mspdi
from hub_msproject.files.recognise import whole
from hub_msproject.files.schedule import Header, OddRow, Row, Rows

BATCH = 4000


class PlanFile(msgspec.Struct, frozen=True):
    """A file to read: the GUID of its plan, and what it is now."""

    path: Path
    guid: str | None
    state: FileState


class Older(msgspec.Struct, frozen=True):
    """A file that holds an older state of a plan; its last mark, where it has one."""

    path: Path
    cursor: dict[str, Any]


class Problem(msgspec.Struct, frozen=True):
    """A file that is not read, and why."""

    path: Path
    guid: str | None
    said: str


class MsProjectSource(Source, frozen=True, kw_only=True):
    """Plans in a folder or glob: .xml without Java, .mpp .mpt .mpx .mpd .xer .pmxml with the extra ``[mpp]``.

    *exact_days* reads .xml through MPXJ too. *memory_mb* and *timeout_s* bound the Java side, per process and
    per file. Of several files of one plan the *overlap* says which counts: the ``newest`` by its date of
    change, or none (``refuse``) until one is left. *baseline* is the one that counts, by its number or the
    ``last``, in plans that have it; in others the first one does.
    """

    kind: ClassVar[str] = "msproject"
    provides: ClassVar[tuple[type[Record], ...]] = mapping.PROVIDES
    census_every_hours: ClassVar[float] = 0.0

    path: str
    hours_per_day: float = 8.0
    exact_days: bool = False
    memory_mb: int = 512
    timeout_s: float = 300.0
    overlap: Literal["newest", "refuse"] = "newest"
    baseline: mapping.Choice = 0

    @property
    def address(self) -> str:
        """Return the folder or glob."""
        return self.path

    def _files(self, ctx: Context) -> list[Path]:
        return matching_files(ctx.base, self.path, (".xml", *mpxj.SUFFIXES))

    def _reader(self, path: Path) -> str:
        return mspdi.READER if path.suffix.lower() == ".xml" and not self.exact_days else mpxj.READER

    def _mark(self, path: Path) -> str:
        """Return what a file was read by: with another reader or another choice it is read again."""
        return self._reader(path) + (f" baseline {self.baseline}" if self.baseline else "")

    def _mpxj(self, ctx: Context) -> mpxj.Mpxj:
        return ctx.shared("mpxj", lambda: mpxj.Mpxj(memory_mb=self.memory_mb, timeout_s=self.timeout_s))

    def _rows(self, ctx: Context, path: Path) -> Rows:
        if self._reader(path) == mspdi.READER:
            return mspdi.read(path)
        if path.suffix.lower() == ".xml":
            mspdi.peek(path)  # refuses foreign and unsafe XML before Java sees it
        return self._mpxj(ctx).rows(path)

    def check(self, ctx: Context) -> Iterable[Check]:
        """Count the files, look whether each can be opened and whether the Java side is there when needed."""
        files = self._files(ctx)
        if not files:
            yield Check(
                name="files", state="failed", detail=tr("no schedule file matches {path}", path=self.path)
            )
            return
        yield Check(
            name="files",
            state="ok",
            detail=tr("{count} schedule files match {path}", count=len(files), path=self.path),
        )
        for path in files:
            try:
                with path.open("rb") as file:
                    file.read(1)
            except OSError as exc:
                yield Check(
                    name=path.name,
                    state="failed",
                    detail=tr("cannot be opened: {reason}", reason=exc.strerror),
                )
        if any(self._reader(path) == mpxj.READER for path in files):
            lacking = mpxj.missing_packages()
            detail = (
                tr("needs {lacking}: {how}", lacking=" and ".join(lacking), how=tr(mpxj.HOW))
                if lacking
                else tr("MPXJ and JPype are installed")
            )
            yield Check(name="mpp reader", state="failed" if lacking else "ok", detail=detail)

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return one partition per new or changed file; unchanged ones are not opened."""
        files = self._files(ctx)
        if not files:
            ctx.report_missing(
                tr(
                    "no schedule file matches {path}: check the path, or whether the share is there.",
                    path=self.path,
                )
            )
        guids: dict[str, list[Path]] = defaultdict(list)
        todo: list[PlanFile | Problem] = []
        for path in files:
            name = ctx.known_as(relative_name(path, ctx.base))
            cursor: Any = cursors.get(name)
            state = FileState.of_cursor(cursor)
            guid: str | None = None
            same_reader = (
                bool(cursor) and cursor.get("reader") == self._mark(path) and not cursor.get("older")
            )
            if state and same_reader and not ctx.full and state.looks_unchanged(path):
                guid = cursor["guid"]
                ctx.skip_unchanged(name)
            else:
                try:
                    now = FileState.of(path)
                    if state and same_reader and not ctx.full and now.sha256 == state.sha256:
                        guid = cursor["guid"]
                        ctx.skip_unchanged(name)
                    else:
                        guid = self._identify(ctx, path)
                        todo.append(PlanFile(path, guid, now))
                except Exception as exc:  # one odd file costs one file, in whatever way it is odd
                    if isinstance(exc, Interrupted):
                        raise
                    said = (
                        str(exc) if isinstance(exc, HubError) else f"{path.name}: {type(exc).__name__}: {exc}"
                    )
                    todo.append(Problem(path, None, said))
            if guid:
                guids[guid].append(path)
        if self.overlap == "newest":
            yield from self._newest(ctx, guids, todo, cursors)
        read_now = {one.path for one in todo}
        for one in todo:
            twins = guids[one.guid] if one.guid else []
            if len(twins) > 1 and one.path != twins[0] and twins[0] in read_now:
                said = tr(
                    "it is a copy of the plan in {relative_name}, see there.",
                    relative_name=relative_name(twins[0], ctx.base),
                )
                yield self._partition(ctx, Problem(one.path, one.guid, said))
            elif len(twins) > 1:
                names = " and ".join(relative_name(twin, ctx.base) for twin in twins)
                said = tr(
                    "{names} are copies of one plan (GUID {guid}): counting both would count its work "
                    "twice. Keep one of them in the folder.",
                    names=names,
                    guid=one.guid,
                )
                yield self._partition(ctx, Problem(one.path, one.guid, said))
            else:
                yield self._partition(ctx, one)

    def _newest(
        self,
        ctx: Context,
        guids: dict[str, list[Path]],
        todo: list[PlanFile | Problem],
        cursors: Mapping[str, Any],
    ) -> Iterator[Partition]:
        """Leave only the newest of the files of one plan in *guids* and *todo*, and say which are older."""
        for guid, twins in guids.items():
            if len(twins) < 2:
                continue
            newest = max(twins, key=lambda path: (path.stat().st_mtime_ns, str(path)))
            for path in twins:
                if path == newest:
                    continue
                ctx.note(
                    tr(
                        "{older} is an older copy of the plan in {newest}: it was not counted. With "
                        'overlap = "refuse" neither is, until one is left.',
                        older=relative_name(path, ctx.base),
                        newest=relative_name(newest, ctx.base),
                    )
                )
                todo[:] = [one for one in todo if one.path != path]
                name = ctx.known_as(relative_name(path, ctx.base))
                # its mark must not say that it was read: it is, once it is the newest
                if (cursor := cursors.get(name)) and not cursor.get("older"):
                    yield Partition(id=name, label=path.name, data=Older(path, dict(cursor)))
            guids[guid] = [newest]

    def _partition(self, ctx: Context, one: PlanFile | Problem) -> Partition:
        name = ctx.known_as(relative_name(one.path, ctx.base))
        content = one.state.sha256[:12] if isinstance(one, PlanFile) else None
        return Partition(
            id=name,
            label=one.path.name,
            complete=True,
            scope=Scope(
                records=tuple(r for r in self.provides if r is not Container),
                id_prefix=f"{self._container_id(one.guid, name)}/",
            ),
            evidence=tr("absent from {name} (sha256 {content})", name=one.path.name, content=content)
            if content
            else "",
            ordered=True,
            data=one,
        )

    def _container_id(self, guid: str | None, name: str) -> str:
        return self.row_id(guid or f"path/{name}")

    def _identify(self, ctx: Context, path: Path) -> str | None:
        if self._reader(path) == mspdi.READER:
            return mspdi.peek(path)
        for row in self._rows(ctx, path):
            if isinstance(row, Header):
                guid = row.guid
        return guid

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one file; nothing of it counts as done unless it stayed the same while it was read."""
        match partition.data:
            case Problem(_, _, said):
                raise SourceDataError(said)
            case Older(_, before):
                yield Batch(cursor=before | {"older": True})
            case PlanFile() as file:
                yield from self._read_file(ctx, partition.id, file)

    def _read_file(self, ctx: Context, name: str, file: PlanFile) -> Iterator[Batch]:
        path, state = file.path, file.state
        plan = mapping.Plan(
            container_id=self._container_id(file.guid, name),
            path_name=name,
            file_name=path.name,
            tz=self.tz,
            baseline=self.baseline,
            odd=lambda row: self._reject(ctx, file, name, row),
        )
        ctx.count(bytes_=state.size)
        if said := whole(path):
            ctx.report_missing(said)
        known = msgspec.to_builtins(state) | {"guid": file.guid}
        held = known | {"reader": ""}  # the same plan, to be read again
        batch: list[Record] = []
        for record in plan.records(_counted(ctx, self._rows(ctx, path))):
            batch.append(record)
            if len(batch) >= BATCH:
                yield Batch(records=batch, held=held)
                batch = []
        state.verify(path)
        self._account(ctx, path, plan)
        if plan.stats["approximate"]:
            ctx.note(
                tr(
                    "{name}: the days of {approximate} of {assignments} assignments were spread by the "
                    "calendar, because the file does not hold them; their totals are exact.",
                    name=path.name,
                    approximate=plan.stats["approximate"],
                    assignments=plan.stats["assignments"],
                )
            )
        done = known | {"reader": self._mark(path), "tasks": plan.stats["tasks"]}
        yield Batch(records=batch, cursor=done, held=held)

    def _reject(self, ctx: Context, file: PlanFile, name: str, row: OddRow) -> None:
        # its days and links are known by other ids: nothing leaves as long as whose they are is unknown
        whose = row.kind in {"task", "resource", "assignment"}
        ctx.reject(
            f"{file.path.name}, {row.kind} {row.uid or ''}".strip(),
            row.reason,
            key=f"{row.kind} {row.uid}",
            record=Task if row.kind == "task" else None,
            like=None if whose else {},
            container=self._container_id(file.guid, name),
        )

    def _account(self, ctx: Context, path: Path, plan: mapping.Plan) -> None:
        """Say what the file holds and what became of it."""
        tail = plan.tail
        skipped = {"blank rows": tail.blank, "the row of the plan itself": tail.own}
        ctx.tally(
            Tally(
                seen=tail.tasks,
                taken=plan.stats["tasks"],
                skipped={reason: count for reason, count in skipped.items() if count},
                unit="tasks",
                record=Task,
            )
        )
        if tail.other_projects:
            ctx.report_missing(
                tr(
                    "{name} holds {count} more projects, which were not read: save each as a file of its "
                    "own.",
                    name=path.name,
                    count=tail.other_projects,
                )
            )

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        """Name the plans whose file is there; one whose file vanished is held until a person accepts."""
        present = set()
        for path in self._files(ctx):
            name = ctx.known_as(relative_name(path, ctx.base))
            cursor = cursors.get(name)
            present.add(self._container_id(cursor["guid"] if cursor else None, name))
            if not cursor:
                # a file that could not be read this time may be any plan whose file is gone: prove nothing
                return
        yield Census(
            record=Container,
            scope=Scope(records=(Container,)),
            ids=frozenset(present),
            evidence=tr("its file is no longer among those of {path}", path=self.path),
            hold=True,
        )


def _counted(ctx: Context, rows: Rows) -> Iterator[Row]:
    """Let a stop get through while a large file streams."""
    for number, row in enumerate(rows):
        if number % 500 == 0:
            ctx.raise_if_cancelled()
        yield row
