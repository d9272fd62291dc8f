"""Schedule files as a source: one file one partition, one plan one container."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from itertools import count
from pathlib import Path, PureWindowsPath
from typing import Any, ClassVar, Literal

import msgspec

from hub import (  # fmt: skip
    Batch,
    Census,
    Check,
    Container,
    Context,
    Count,
    FileState,
    HubError,
    Interrupted,
    Partition,
    Positive,
    Record,
    Scope,
    Source,
    SourceDataError,
    Tally,
    Task,
    enumerated,
    matching_files,
    relative_name,
    tr,
    trn,
)
from hub_msproject.files import mapping, mpxj, mspdi, mspdi_xml, xer
from hub_msproject.files.recognise import SUFFIXES, form_of, whole
from hub_msproject.files.schedule import OddRow, Row, Rows

BATCH = 4000


class PlanFile(msgspec.Struct, frozen=True, kw_only=True):
    """A plan to read: the *id* of its partition, its file and GUID, and what the file is now.

    *status* is the plan's status date. *rows* holds what was read of a file that only MPXJ reads or that
    holds several plans, in which this one is at *place*; of several plans each has its *code*, and the first
    one names the partitions of the others (*parts*). *inserted* is the file of a plan within another.
    """

    id: str
    path: Path
    guid: str | None
    state: FileState
    status: str | None = None
    rows: Path | None = None
    place: int = 0
    code: str | None = None
    inserted: str | None = None
    parts: tuple[str, ...] = ()


class Older(msgspec.Struct, frozen=True):
    """A file that holds an older state of a plan; its last mark, where it has one."""

    path: Path
    cursor: dict[str, Any]


class Problem(msgspec.Struct, frozen=True):
    """A plan that is not read, and why."""

    id: str
    path: Path
    guid: str | None
    said: str


class Twin(msgspec.Struct, frozen=True):
    """One of the files of a plan, and the status date that it has."""

    id: str
    path: Path
    status: str

    @property
    def is_part(self) -> bool:
        """Say whether it is one of several plans of its file, and not the first."""
        return "#" in self.id.rpartition("/")[2].removeprefix(self.path.name)

    @property
    def age(self) -> tuple[str, int, str]:
        """Return what tells which file is newer: its status date, else when it was saved."""
        return self.status, self.path.stat().st_mtime_ns, str(self.path)


class Spools:
    """A folder for what MPXJ reads, so that each file is parsed once: it is gone with the run."""

    def __init__(self) -> None:
        """Make the folder, which nobody else can open."""
        self._folder = tempfile.TemporaryDirectory(prefix="pm-hub-plans-")
        self._numbers = count()

    def new(self) -> Path:
        """Return the path of a new file."""
        return Path(self._folder.name) / f"{next(self._numbers)}.jsonl"

    def close(self) -> None:
        """Remove the folder."""
        self._folder.cleanup()


class MsProjectSource(Source, frozen=True, kw_only=True):
    """Plans in a folder or glob: .xml without Java, .mpp .mpt .mpx .mpd .xer .pmxml with the extra ``[mpp]``.

    An .xml of Primavera is read as .pmxml. Each project of a file is a plan of its own.

    *exact_days* reads .xml through MPXJ too. *memory_mb* and *timeout_s* bound the Java side, per process and
    per file. Of several files of one plan the *overlap* says which counts: the ``newest`` by its status date,
    else by when it was saved, or none (``refuse``) until one is left. *baseline* is the one that counts, by
    its number or the ``last``, in plans that have it; in others the first one does.
    """

    kind: ClassVar[str] = "msproject"
    provides: ClassVar[tuple[type[Record], ...]] = mapping.PROVIDES
    census_every_hours: ClassVar[float] = 0.0

    path: str
    hours_per_day: float = 8.0
    exact_days: bool = False
    memory_mb: Count = 512
    timeout_s: Positive = 300.0
    overlap: Literal["newest", "refuse"] = "newest"
    baseline: mapping.Choice = 0

    @property
    def address(self) -> str:
        """Return the folder or glob."""
        return self.path

    def _files(self, ctx: Context) -> list[Path]:
        return matching_files(ctx.base, self.path, (".xml", *SUFFIXES))

    def _reader(self, path: Path) -> str:
        """Return what reads a file; an ``.xml`` may be one of Primavera."""
        return mspdi.READER if form_of(path) == ".xml" and not self.exact_days else mpxj.READER

    def _mark(self, reader: str) -> str:
        """Return what a file was read by: with another reader or another choice it is read again."""
        return reader + (f" baseline {self.baseline}" if self.baseline else "")

    def _is_known(self, cursor: Any, path: Path) -> bool:
        """Say whether what *cursor* knows of a file is what would be read of it now."""
        readers = {mpxj.READER}
        if path.suffix.lower() == ".xml" and not self.exact_days:
            readers.add(mspdi.READER)  # which of both does not change without the file
        return bool(cursor) and cursor.get("reader") in map(self._mark, readers)

    def _mpxj(self, ctx: Context) -> mpxj.Mpxj:
        return ctx.shared("mpxj", lambda: mpxj.Mpxj(memory_mb=self.memory_mb, timeout_s=self.timeout_s))

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
            detail=trn(
                "{n} schedule file matches {path}",
                "{n} schedule files match {path}",
                len(files),
                path=self.path,
            ),
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
                tr("needs {lacking}: {how}", lacking=enumerated(lacking), how=tr(mpxj.HOW))
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
        guids: dict[str, list[Twin]] = defaultdict(list)
        todo: list[PlanFile | Problem] = []
        waiting: list[tuple[str, Path, str]] = []
        for path in files:
            name = ctx.known_as(relative_name(path, ctx.base))
            before = [cursors.get(id_) for id_ in (name, *_parts(cursors.get(name)))]
            state = FileState.of_cursor(before[0])
            known = state is not None and all(self._is_known(one, path) for one in before) and not ctx.full
            changed = not (known and state and state.looks_unchanged(path))
            found = self._found(ctx, path, name, state if known else None) if changed else []
            todo += found
            held = [(one.id, one.guid, one.status if isinstance(one, PlanFile) else None) for one in found]
            if not found:
                ctx.skip_unchanged(name)
                for id_ in (name, *_parts(cursors[name])):
                    held.append((id_, cursors[id_]["guid"], cursors[id_].get("status")))
                    if cursors[id_].get("older"):
                        waiting.append((id_, path, name))
            for id_, guid, status in held:
                if guid:
                    guids[guid].append(Twin(id_, path, status or ""))
        yield from self._of_own_files(ctx, todo, files)
        yield from self._newest(ctx, guids, todo, cursors)
        for id_, path, name in waiting:
            # an older copy is opened once it is the newest
            if any(twin.id == id_ for twin in guids[cursors[id_]["guid"]]):
                todo += [one for one in self._found(ctx, path, name, None) if one.id == id_]
        read_now = {one.id for one in todo}
        for one in todo:
            twins = guids[one.guid] if one.guid else []
            if len(twins) > 1 and one.id != twins[0].id and twins[0].id in read_now:
                said = tr(
                    "it is a copy of the plan in {relative_name}, see there.",
                    relative_name=relative_name(twins[0].path, ctx.base),
                )
                yield self._partition(Problem(one.id, one.path, one.guid, said))
            elif len(twins) > 1:
                names = enumerated(relative_name(twin.path, ctx.base) for twin in twins)
                said = tr(
                    "{names} are copies of one plan (GUID {guid}): counting both would count its work "
                    "twice. Keep one of them in the folder.",
                    names=names,
                    guid=one.guid,
                )
                yield self._partition(Problem(one.id, one.path, one.guid, said))
            else:
                yield self._partition(one)

    def _found(
        self, ctx: Context, path: Path, name: str, known: FileState | None
    ) -> list[PlanFile | Problem]:
        """Return the plans of a file, none where its content is the *known* one; an odd file costs itself."""
        try:
            now = FileState.of(path)
            same = known is not None and now.sha256 == known.sha256
            return [] if same else list(self._opened(ctx, path, name, now))
        except Exception as exc:  # in whatever way it is odd
            if isinstance(exc, Interrupted):
                raise
            said = str(exc) if isinstance(exc, HubError) else f"{path.name}: {type(exc).__name__}: {exc}"
            return [Problem(name, path, None, said)]

    def _opened(self, ctx: Context, path: Path, name: str, now: FileState) -> Iterator[PlanFile]:
        """Return the plans of a file; one that only MPXJ reads is read whole at once."""
        holds_plans = False
        if form_of(path) == ".xml":
            guid, status = mspdi_xml.peek(path)  # refuses foreign and unsafe XML before Java sees it
            holds_plans = mspdi_xml.holds_plans(path)
            if not holds_plans and not self.exact_days:
                yield PlanFile(id=name, path=path, guid=guid, state=now, status=status)
                return
        rows = ctx.shared("spools", Spools).new()
        # MPXJ knows no plans within a plan
        headers = mspdi.spool(path, rows) if holds_plans else self._mpxj(ctx).spool(path, rows)
        several = len(headers) > 1
        ids = [name, *(f"{name}#{one.code or place}" for place, one in enumerate(headers[1:], 2))]
        for place, (id_, one) in enumerate(zip(ids, headers, strict=True)):
            yield PlanFile(
                id=id_, path=path, guid=one.guid, state=now, status=one.status, rows=rows, place=place,
                code=(one.code or one.title) if several else None, inserted=one.inserted,
                parts=() if place else tuple(ids[1:]),
            )  # fmt: skip

    def _of_own_files(
        self, ctx: Context, todo: list[PlanFile | Problem], files: list[Path]
    ) -> Iterator[Partition]:
        """Leave out of *todo* inserted plans that only their file's name tells, and that have a file."""
        for one in [one for one in todo if isinstance(one, PlanFile) and one.inserted and not one.guid]:
            assert isinstance(one, PlanFile)
            own = [path for path in files if path != one.path and _stem(path.name) == _stem(one.inserted)]
            if own:
                _say_once(ctx, one.code or one.id, one.path, own[0])
                todo.remove(one)
                yield Partition(id=one.id, label=one.path.name, data=Older(one.path, self._read_by(one)))

    def _newest(
        self,
        ctx: Context,
        guids: dict[str, list[Twin]],
        todo: list[PlanFile | Problem],
        cursors: Mapping[str, Any],
    ) -> Iterator[Partition]:
        """Leave only the newest of the files of one plan in *guids* and *todo*, and say which are older."""
        for guid, twins in guids.items():
            if len(twins) < 2:
                continue
            own = [twin for twin in twins if not twin.is_part]
            if self.overlap == "refuse" and len(own) != 1:
                continue
            newest = max(twins if self.overlap == "newest" else own, key=lambda twin: twin.age)
            for twin in twins:
                if twin == newest:
                    continue
                if twin.is_part:
                    _say_once(ctx, twin.id.rpartition("#")[2], twin.path, newest.path)
                else:
                    ctx.note(
                        tr(
                            "{older} is an older copy of the plan in {newest}: it was not counted. With "
                            'overlap = "refuse" neither is, until one is left.',
                            older=relative_name(twin.path, ctx.base),
                            newest=relative_name(newest.path, ctx.base),
                        )
                    )
                opened = next((one for one in todo if one.id == twin.id), None)
                todo[:] = [one for one in todo if one.id != twin.id]
                cursor = cursors.get(twin.id)
                if isinstance(opened, PlanFile):
                    cursor = self._read_by(opened)
                # its mark must not say that it was read: it is, once it is the newest
                if cursor and not cursor.get("older"):
                    yield Partition(id=twin.id, label=twin.path.name, data=Older(twin.path, dict(cursor)))
            guids[guid] = [newest]

    def _partition(self, one: PlanFile | Problem) -> Partition:
        name = one.id
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

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one file; nothing of it counts as done unless it stayed the same while it was read."""
        match partition.data:
            case Problem(_, _, _, said):
                raise SourceDataError(said)
            case Older(_, before):
                yield Batch(cursor=before | {"older": True})
            case PlanFile() as file:
                yield from self._read_file(ctx, file)

    def _read_file(self, ctx: Context, file: PlanFile) -> Iterator[Batch]:
        path, state, name = file.path, file.state, file.id
        plan = mapping.Plan(
            container_id=self._container_id(file.guid, name),
            path_name=name,
            file_name=path.name,
            code=file.code,
            tz=self.tz,
            baseline=self.baseline,
            odd=lambda row: self._reject(ctx, file, name, row),
        )
        ctx.count(bytes_=state.size)
        if said := whole(path):
            ctx.report_missing(said)
        for said in xer.faults(path) if path.suffix.lower() == ".xer" else ():
            ctx.report_missing(said)
        done = self._read_by(file)
        held = done | {"reader": ""}  # the same plan, to be read again
        batch: list[Record] = []
        rows = mpxj.spooled(file.rows, file.place) if file.rows else mspdi.read(path)
        for record in plan.records(_counted(ctx, rows)):
            batch.append(record)
            if len(batch) >= BATCH:
                yield Batch(records=batch, held=held)
                batch = []
        state.verify(path)
        self._account(ctx, path, plan)
        self._lacking(ctx, path, plan.inserted)
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
        yield Batch(records=batch, cursor=done | {"tasks": plan.stats["tasks"]}, held=held)

    def _read_by(self, file: PlanFile) -> dict[str, Any]:
        """Return the mark of a file that was read."""
        reader = self._mark(self._reader(file.path))
        state: dict[str, Any] = msgspec.to_builtins(file.state)
        return state | {
            "guid": file.guid, "status": file.status, "parts": list(file.parts), "reader": reader,
        }  # fmt: skip

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

    def _lacking(self, ctx: Context, path: Path, inserted: list[str]) -> None:
        """Say which plans stand for rows of this one and are not among the files."""
        there = {_stem(one.name) for one in self._files(ctx)}
        lacking = [one for one in dict.fromkeys(inserted) if _stem(one) not in there]
        if lacking:
            ctx.note(
                tr(
                    "{name} has inserted projects whose files are not among those of {path}: {files}. Their "
                    "tasks and their work are in no plan of the hub; put the files there.",
                    name=path.name,
                    path=self.path,
                    files=", ".join(lacking),
                )
            )

    def _account(self, ctx: Context, path: Path, plan: mapping.Plan) -> None:
        """Say what the file holds and what became of it."""
        tail = plan.tail
        skipped = {"blank rows": tail.blank, "the row of the plan itself": tail.own}
        ctx.tally(
            Tally(
                seen=tail.tasks + plan.stats["odd parts"],  # what is rejected besides tasks is counted too
                taken=plan.stats["tasks"],
                skipped={reason: count for reason, count in skipped.items() if count},
                unit="tasks",
                record=Task,
            )
        )
        if tail.other_projects:
            ctx.report_missing(
                tr(
                    "{name} holds {count} more {count:project, which was|projects, which were} not "
                    "read: save each as a file of its "
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
            for id_ in (name, *_parts(cursors.get(name))):
                cursor = cursors.get(id_)
                present.add(self._container_id(cursor["guid"] if cursor else None, id_))
                if not cursor:
                    # a file that could not be read this time may be any plan whose file is gone: prove
                    # nothing
                    return
        yield Census(
            record=Container,
            scope=Scope(records=(Container,)),
            ids=frozenset(present),
            evidence=tr("its file is no longer among those of {path}", path=self.path),
            hold=True,
        )


def _stem(name: str | None) -> str:
    """Return what a file is called without its folder, type and case, wherever it was saved."""
    return PureWindowsPath(name or "").stem.lower()


def _say_once(ctx: Context, part: str, path: Path, newest: Path) -> None:
    ctx.note(
        tr(
            "{part} in {name} is the plan in {newest} too: its work counts once, as it is there.",
            part=part,
            name=relative_name(path, ctx.base),
            newest=relative_name(newest, ctx.base),
        )
    )


def _parts(cursor: Any) -> tuple[str, ...]:
    """Return the partitions of the other plans of a file, as the mark of its first one names them."""
    return tuple(cursor.get("parts", ())) if cursor else ()


def _counted(ctx: Context, rows: Rows) -> Iterator[Row]:
    """Let a stop get through while a large file streams."""
    for number, row in enumerate(rows):
        if number % 500 == 0:
            ctx.raise_if_cancelled()
        yield row
