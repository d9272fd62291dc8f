"""ProjectData that was saved to files before Project Online closed.

OData JSON, CSV or Atom, one entity set a file or several files of pages.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any, ClassVar
from xml.etree import ElementTree as ET
from xml.parsers import expat

import msgspec

from hub import (
    Account,
    Allocation,
    Baseline,
    Batch,
    Check,
    Container,
    Context,
    CustomValue,
    FileState,
    HubError,
    Partition,
    Record,
    Scope,
    Source,
    SourceDataError,
    Tally,
    Task,
    TaskLink,
    Worklog,
    matching_files,
    relative_name,
    tr,
)  # fmt: skip
from hub_msproject.services.projectdata import (
    SETS,
    Cells,
    Kind,
    ProjectRows,
    ServerPlan,
    Timesheets,
    WorkKind,
    cells,
    line_days,
    link_of,
    plan_rows,
    resource_row,
)
from hub_msproject.services.reporting import MANY

SUFFIXES = (".json", ".csv", ".xml", ".atom")
LINKS = "TaskLinks"
BATCH = 2000
_UNUSED = {"TimesheetPeriods", "Timesheets"}
_NAMES = sorted({*SETS, LINKS} - _UNUSED, key=len, reverse=True)
_PROPERTIES = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}properties"
_NULL = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}null"
_DATA = "{http://schemas.microsoft.com/ado/2007/08/dataservices}"
_ROOTS = {"{http://www.w3.org/2005/Atom}feed", "{http://www.w3.org/2005/Atom}entry"}
_NEEDED = ("Projects", "Tasks")


class Export(msgspec.Struct, frozen=True):
    """The *files* of each entity set, their *states* by name, and the *cursor* that says they were read."""

    files: dict[str, list[Path]]
    states: dict[str, FileState]
    cursor: dict[str, Any]


class ExportSource(Source, frozen=True, kw_only=True):
    """Files that hold ProjectData, in the folder or glob *path*.

    Their names begin with that of the entity set (``Tasks.json``, ``Tasks-2.json``).

    Needed are Projects and Tasks; what there is of Assignments, AssignmentTimephasedDataSet, TaskBaselines,
    Resources, TimesheetLines, TimesheetLineActualDataSet and TaskLinks is taken. *custom* names custom fields
    to keep, *classes* says which classes of timesheet lines are ``internal`` work or ``absence``.
    """

    kind: ClassVar[str] = "projectdata"
    provides: ClassVar[tuple[type[Record], ...]] = (
        Container,
        Account,
        Task,
        Baseline,
        TaskLink,
        Allocation,
        Worklog,
        CustomValue,
    )
    census_every_hours: ClassVar[float] = 0.0

    path: str
    custom: tuple[str, ...] = ()
    classes: dict[str, WorkKind] = msgspec.field(default_factory=dict)
    hours_per_day: float = 8.0

    @property
    def address(self) -> str:
        """Return the folder or glob."""
        return self.path

    def _files(self, ctx: Context) -> dict[str, list[Path]]:
        """Return the files of each entity set; a file of another is left alone."""
        found: dict[str, list[Path]] = defaultdict(list)
        for path in matching_files(ctx.base, self.path, SUFFIXES):
            name = next((name for name in _NAMES if path.stem.lower().startswith(name.lower())), None)
            if name:
                found[name].append(path)
        return found

    def check(self, ctx: Context) -> Iterable[Check]:
        """Read each file, and say how many rows it has."""
        files = self._files(ctx)
        for name in _NEEDED:
            if name not in files:
                yield Check(
                    name=name,
                    state="failed",
                    detail=tr("no file of {path} begins with {name}", path=self.path, name=name),
                )
        for name, paths in files.items():
            try:
                wrong: list[str] = []

                def odd(_place: str, _key: str, reason: str, to: list[str] = wrong) -> None:
                    to.append(reason)

                rows = sum(1 for path in paths for _ in self._rows(ctx, name, path, odd))
                if wrong:
                    yield Check(name=name, state="warning", detail=wrong[0])
                    continue
                yield Check(
                    name=name,
                    state="ok" if rows else "warning",
                    detail=tr(
                        "{rows} rows in {paths}", rows=rows, paths=", ".join(path.name for path in paths)
                    ),
                )
            except HubError as exc:
                yield Check(name=name, state="failed", detail=str(exc))

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Read everything again when a file changed: the sets belong together."""
        files = self._files(ctx)
        if lacking := [name for name in _NEEDED if name not in files]:
            ctx.report_missing(
                tr(
                    "no file of {path} begins with {lacking}: check path, or whether the share is there.",
                    path=self.path,
                    lacking=" or ".join(lacking),
                )
            )
            return
        states = {
            relative_name(path, ctx.base): FileState.of(path) for paths in files.values() for path in paths
        }
        cursor: dict[str, Any] = {
            "settings": self._settings(),
            "files": {name: state.sha256 for name, state in sorted(states.items())},
        }
        held: dict[str, str] = (cursors.get("export") or {}).get("files", {})
        lost = [
            name
            for name, content in held.items()
            if name not in states and content not in cursor["files"].values()
        ]
        if lost and not ctx.full:
            ctx.report_missing(
                tr(
                    "{lost} of the last run is not there any more: put it back, or run with --full when "
                    "that is meant.",
                    lost=", ".join(lost),
                )
            )
            return
        if cursors.get("export") == cursor and not ctx.full:
            for name in states:
                ctx.skip_unchanged(name)
            return
        yield Partition(
            id="export",
            label=tr("export of ProjectData"),
            complete=True,
            scope=Scope(records=tuple(one for one in self.provides if one is not Account)),
            evidence=tr("absent from the files of {path}", path=self.path),
            data=Export(files, states, cursor),
        )

    def _settings(self) -> str:
        return msgspec.json.encode(
            [self.tz, self.hours_per_day, self.custom, self.classes], order="sorted"
        ).decode()

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read all files; nothing counts as done unless they stayed the same meanwhile."""
        export: Export = partition.data
        held = export.cursor | {"settings": ""}  # until all stands in the store: to be read again
        batch: list[Record] = []
        for record in self._records(ctx, export.files):
            batch.append(record)
            if len(batch) >= BATCH:
                yield Batch(records=batch, held=held)
                batch = []
        for name, state in export.states.items():
            state.verify(ctx.base / name)
        yield Batch(records=batch, cursor=export.cursor, held=held)

    def _records(self, ctx: Context, files: Mapping[str, list[Path]]) -> Iterator[Record]:
        met: Counter[str] = Counter()

        def odd(place: str, key: str, reason: str) -> None:
            met["odd"] += 1
            ctx.reject(place, reason, key=key)

        def all_of(name: str) -> Iterator[Cells]:
            seen: dict[tuple[Any, ...], int] = {}
            for path in files.get(name, []):
                for row in self._rows(ctx, name, path, odd):
                    met["good"] += 1
                    key = tuple(row.get(column) for column in ("ProjectId", *SETS[name].key))
                    content = hash(tuple(row.items()))
                    if key not in seen:
                        seen[key] = content
                        yield row
                        continue
                    # rows that come twice are one; an older copy beside the file is a mistake
                    met["twice"] += 1
                    if seen[key] != content:
                        raise SourceDataError(
                            tr(
                                "{name} says something else of a row than another file of {table}: "
                                "keep one of them.",
                                name=path.name,
                                table=name,
                            )
                        )

        by_project: dict[str, dict[str, list[Cells]]] = {name: defaultdict(list) for name in SETS}
        for name in ("Tasks", "Assignments", "AssignmentTimephasedDataSet", "TaskBaselines"):
            for row in all_of(name):
                by_project[name][row["ProjectId"]].append(row)
        links = [link_of(raw) for path in files.get(LINKS, []) for raw in _raw_rows(path)]
        people = {row["ResourceId"]: row for row in all_of("Resources")}
        # nothing is given before all files were read: a bad one leaves the store as it was
        projects, lines, days = (
            list(all_of("Projects")),
            list(all_of("TimesheetLines")),
            line_days(all_of("TimesheetLineActualDataSet")),
        )
        plan = ServerPlan(container_id=self.row_id(""), source=self.name, tz=self.tz)
        yield from (plan.account(resource_row(one)) for one in people.values())
        for project in projects:
            ctx.raise_if_cancelled()
            native = project["ProjectId"]
            tasks = by_project["Tasks"].pop(native, [])
            mine = {task["TaskId"] for task in tasks}
            found = ProjectRows(
                project=project,
                tasks=tasks,
                assignments=by_project["Assignments"].pop(native, []),
                days=by_project["AssignmentTimephasedDataSet"].pop(native, []),
                baselines=by_project["TaskBaselines"].pop(native, []),
                links=[link for link in links if link[0] in mine],
            )
            one = ServerPlan(container_id=self.row_id(native), source=self.name, tz=self.tz)
            yield from one.records(plan_rows(found, people, self.custom, round(self.hours_per_day * 3600)))
        for name, left in by_project.items():
            if orphans := sum(map(len, left.values())):
                met["orphans"] += orphans
                ctx.report_missing(
                    tr(
                        "{orphans} rows of {name} belong to projects that the files do not hold: the export "
                        "is not whole.",
                        orphans=orphans, name=name,
                    )
                )  # fmt: skip
        yield from Timesheets(source=self.name, classes=self.classes).records("w", lines, days, people)
        skipped = {"rows that come twice": met["twice"], "rows of no known project": met["orphans"]}
        ctx.tally(
            Tally(
                seen=met["good"] + met["odd"],
                taken=met["good"] - met["twice"] - met["orphans"],
                skipped={reason: count for reason, count in skipped.items() if count},
            )
        )

    def _rows(
        self, ctx: Context, name: str, path: Path, odd: Callable[[str, str, str], None]
    ) -> Iterator[Cells]:
        """Yield the rows of a file; an odd one of a large set is told to *odd*: its place, key, reason."""
        ctx.count(bytes_=path.stat().st_size)
        if name == LINKS:
            yield from _raw_rows(path)
            return
        for number, raw in enumerate(_raw_rows(path, SETS[name].needed), 1):
            if number % 500 == 0:
                ctx.raise_if_cancelled()
            kinds: dict[str, Kind] = {
                column: kind
                for column, kind in SETS[name].columns.items()
                if column in raw or column in SETS[name].needed
            }
            place = tr("{name}, row {number}", name=path.name, number=number)
            try:
                row = cells(raw, kinds, place)
            except SourceDataError as exc:
                if name not in MANY:  # the rows that others hang on
                    raise
                odd(place, " ".join([name, *(str(raw.get(column)) for column in SETS[name].key)]), str(exc))
                continue
            yield row | {column: raw[column] for column in self.custom if column in raw}


def _raw_rows(path: Path, needed: Iterable[str] = ()) -> Iterator[dict[str, Any]]:
    """Return the rows of a file. Raises `SourceDataError` for one that is damaged or of another form."""
    try:
        if path.suffix.lower() == ".json":
            yield from _json_rows(path)
        elif path.suffix.lower() == ".csv":
            yield from _csv_rows(path, needed)
        else:
            yield from _atom_rows(path)
    except (UnicodeDecodeError, json.JSONDecodeError, ET.ParseError, csv.Error) as exc:
        raise SourceDataError(tr("{name} is damaged or cut: {error}.", name=path.name, error=exc)) from exc
    except OSError as exc:
        raise SourceDataError(
            tr("{name} cannot be read: {reason}.", name=path.name, reason=exc.strerror)
        ) from exc


def _json_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Read a list, ``{"value": …}``, ``{"d": {"results": …}}``, or several such pages in a list."""
    pages = [json.loads(path.read_text(encoding="utf-8-sig"))]
    while pages:
        found = pages.pop(0)
        if isinstance(found, dict) and ("value" in found or "d" in found or "results" in found):
            pages.insert(0, found.get("value", found.get("d", found.get("results"))))
        elif isinstance(found, list):
            if found and all(isinstance(one, dict) and ({"value", "d"} & one.keys()) for one in found):
                pages = found + pages
            else:
                for row in found:
                    if not isinstance(row, dict):
                        raise SourceDataError(
                            tr("{name} holds {row!r:.60} where a row was expected.", name=path.name, row=row)
                        )
                    yield row
        else:
            raise SourceDataError(tr("{name} holds no list of rows.", name=path.name))


def _csv_rows(path: Path, needed: Iterable[str]) -> Iterator[dict[str, Any]]:
    text = path.read_text(encoding="utf-8-sig")
    head = text.partition("\n")[0]
    separator = max(",;\t", key=head.count)
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    if lacking := sorted(set(needed) - set(rows.fieldnames or ())):
        raise SourceDataError(
            tr(
                "{name} has no {lacking}; it has {columns}.",
                name=path.name,
                lacking=", ".join(lacking),
                columns=", ".join(rows.fieldnames or ())[:200],
            )
        )
    for number, row in enumerate(rows, 2):
        if None in row or None in row.values():
            raise SourceDataError(
                tr(
                    "{name}, line {number}: it has another number of cells than the head.",
                    name=path.name,
                    number=number,
                )
            )
        yield row


def _atom_rows(path: Path) -> Iterator[dict[str, Any]]:
    with path.open("rb") as file:
        _refuse_dtd(file, path.name)
        file.seek(0)
        root = ""
        for event, element in ET.iterparse(file, events=("start", "end")):  # noqa: S314 - no DTD gets here
            root = root or element.tag
            if root not in _ROOTS:
                raise SourceDataError(
                    tr("{name} is no feed of OData: it begins with {root}.", name=path.name, root=root)
                )
            if event == "end" and element.tag == _PROPERTIES:
                yield {
                    child.tag.removeprefix(_DATA): None if child.get(_NULL) == "true" else child.text
                    for child in element
                }
                element.clear()


class _Begun(Exception):
    """The document proper has begun: a DTD would have come before it."""


def _refuse_dtd(file: IO[bytes], name: str) -> None:
    def doctype(*_: object) -> None:
        raise SourceDataError(
            tr("{name} carries a DTD, which OData never writes: it is refused for safety.", name=name)
        )

    def begun(*_: object) -> None:
        raise _Begun

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler, parser.StartElementHandler = doctype, begun
    try:
        while block := file.read(1 << 16):
            parser.Parse(block)
        parser.Parse(b"", True)
    except _Begun:
        return
    except expat.ExpatError as exc:
        raise SourceDataError(tr("{name} is no XML: {error}.", name=name, error=exc)) from exc
