"""ProjectData that was saved to files before Project Online closed.

OData JSON, CSV or Atom, one entity set a file or several files of pages.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any, ClassVar

import msgspec

from hub import (
    Account,
    Allocation,
    Assignment,
    Baseline,
    Batch,
    Capacity,
    CellError,
    Check,
    Container,
    Context,
    CustomValue,
    FileState,
    Gone,
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
from hub_msproject.files.capacity import of_days
from hub_msproject.files.mapping import Choice
from hub_msproject.files.schedule import LinkRow, Uid
from hub_msproject.services.projectdata import (
    MAPPING,
    NOWHERE,
    SETS,
    Cells,
    Kind,
    ProjectRows,
    ServerPlan,
    Timesheets,
    WorkKind,
    cells,
    kept,
    line_days,
    link_of,
    no_people,
    plan_rows,
    resource_row,
    say,
)
from hub_msproject.services.reporting import MANY
from hub_msproject.services.saved import Pages, raw_rows

SUFFIXES = (".json", ".csv", ".xml", ".atom")
CAPACITY = "ResourceTimephasedDataSet"
LINKS, DAYS, SPENT = "TaskLinks", "AssignmentTimephasedDataSet", "TimesheetLineActualDataSet"
BATCH = 2000
_UNUSED = {"TimesheetPeriods", "Timesheets"}
_NAMES = sorted({*SETS, LINKS} - _UNUSED, key=len, reverse=True)
_NEEDED = ("Projects", "Tasks")
OF_TASKS = ("Assignments", "TaskBaselines")


class Export(msgspec.Struct, frozen=True):
    """The *files* of each entity set, their *states* by name, and the *cursor* that says they were read."""

    files: dict[str, list[Path]]
    states: dict[str, FileState]
    cursor: dict[str, Any]


class ExportSource(Source, frozen=True, kw_only=True):
    """Files that hold ProjectData, in the folder or glob *path*.

    Their names begin with that of the entity set (``Tasks.json``, ``Tasks-2.json``).

    Needed are Projects and Tasks; what there is of Assignments, AssignmentTimephasedDataSet, TaskBaselines,
    Resources, ResourceTimephasedDataSet (what they can work), TimesheetLines, TimesheetLineActualDataSet and
    TaskLinks is taken. *custom* names custom fields to keep, *classes* says which classes of timesheet lines
    are ``internal`` work or ``absence``.
    """

    kind: ClassVar[str] = "projectdata"
    provides: ClassVar[tuple[type[Record], ...]] = (
        Container,
        Account,
        Task,
        Assignment,
        Baseline,
        TaskLink,
        Allocation,
        Capacity,
        Worklog,
        CustomValue,
    )
    census_every_hours: ClassVar[float] = 0.0

    path: str
    custom: tuple[str, ...] = ()
    classes: dict[str, WorkKind] = msgspec.field(default_factory=dict)
    hours_per_day: float = 8.0
    baseline: Choice = 0

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

                pages = Pages()
                rows = sum(1 for path in paths for _ in self._rows(ctx, name, path, odd, pages))
                if lack := pages.lack(name, rows + len(wrong)):
                    wrong.append(lack)
                if wrong:
                    yield Check(name=name, state="warning", detail=wrong[0])
                    continue
                yield Check(
                    name=name,
                    state="ok" if rows else "warning",
                    detail=tr(
                        "{rows} {rows:row|rows} in {paths}",
                        rows=rows,
                        paths=", ".join(path.name for path in paths),
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
            [MAPPING, CAPACITY, self.tz, self.hours_per_day, self.custom, self.classes, self.baseline],
            order="sorted",
        ).decode()

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read all files; nothing counts as done unless they stayed the same meanwhile."""
        export: Export = partition.data
        held = export.cursor | {"settings": ""}  # until all stands in the store: to be read again
        batch: list[Record] = []
        for record in self._records(ctx, export.files):
            if isinstance(record, Gone):
                yield Batch(gone=(record,), held=held)
                continue
            batch.append(record)
            if len(batch) >= BATCH:
                yield Batch(records=batch, held=held)
                batch = []
        for name, state in export.states.items():
            state.verify(ctx.base / name)
        yield Batch(records=batch, cursor=export.cursor, held=held)

    def _records(self, ctx: Context, files: Mapping[str, list[Path]]) -> Iterator[Record | Gone]:
        met: Counter[str] = Counter()
        rejected: set[str] = set()

        def odd(place: str, key: str, reason: str) -> None:
            met["odd"] += 1
            rejected.update(key.lower().split(" ")[1:])
            ctx.reject(place, reason, key=key)

        def all_of(name: str) -> Iterator[Cells]:
            seen: dict[tuple[Any, ...], int] = {}
            pages, before = Pages(), met["odd"]
            for path in files.get(name, []):
                for row in self._rows(ctx, name, path, odd, pages):
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
            if lack := pages.lack(name, len(seen) + met["odd"] - before):
                ctx.report_missing(lack)

        by_project: dict[str, dict[str, list[Cells]]] = {name: defaultdict(list) for name in SETS}
        for name in ("Tasks", "Assignments", "AssignmentTimephasedDataSet", "TaskBaselines"):
            for row in all_of(name):
                by_project[name][row["ProjectId"]].append(row)
        pages = Pages()
        links = [link_of(raw) for path in files.get(LINKS, []) for raw in raw_rows(path, {}, (), pages)]
        if lack := pages.lack(LINKS, len(links)):
            ctx.report_missing(lack)
        people = {row["ResourceId"]: row for row in all_of("Resources")}
        # nothing is given before all files were read: a bad one leaves the store as it was
        projects, lines, days = (
            list(all_of("Projects")),
            list(all_of("TimesheetLines")),
            line_days(all_of("TimesheetLineActualDataSet")),
        )
        fits(ctx, by_project, links, lines, days, rejected)
        plan = ServerPlan(container_id=self.row_id(""), source=self.name, tz=self.tz)
        resources = [resource_row(one) for one in people.values()]
        yield from no_people(plan, resources)
        yield from (plan.account(one) for one in resources if one.work)
        yield from capacities(plan, {one.uid for one in resources if one.work}, all_of(CAPACITY))
        day_s, known = round(self.hours_per_day * 3600), "Assignments" in files and not met["odd"]
        for project in projects:
            ctx.raise_if_cancelled()
            native = project["ProjectId"]
            tasks = by_project["Tasks"].pop(native, [])
            mine = {task["TaskId"] for task in tasks}
            found = ProjectRows(
                project=project,
                tasks=tasks,
                assignments=by_project["Assignments"].pop(native, []),
                days=by_project[DAYS].pop(native, []) if DAYS in files else None,
                baselines=by_project["TaskBaselines"].pop(native, []),
                links=[link for link in links if link[0] in mine],
            )
            one = ServerPlan(
                container_id=self.row_id(native), source=self.name, tz=self.tz, baseline=self.baseline,
                is_sure=known,
            )  # fmt: skip
            yield from one.records(plan_rows(found, people, self.custom, day_s, lambda one: say(ctx, one)))
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
        self, ctx: Context, name: str, path: Path, odd: Callable[[str, str, str], None], pages: Pages
    ) -> Iterator[Cells]:
        """Yield the rows of a file; an odd one of a large set is told to *odd*: its place, key, reason."""
        ctx.count(bytes_=path.stat().st_size)
        if name == LINKS:
            yield from raw_rows(path, {}, (), pages)
            return
        found = raw_rows(path, SETS[name].columns, SETS[name].needed, pages)
        for number, raw in enumerate(found, 1):
            if number % 500 == 0:
                ctx.raise_if_cancelled()
            kinds: dict[str, Kind] = {
                column: kind
                for column, kind in SETS[name].columns.items()
                if column in raw or column in SETS[name].needed
            }
            place = tr("{name}, row {number}", name=path.name, number=number)
            try:
                for column, value in raw.items():
                    if isinstance(value, CellError):
                        raise SourceDataError(f"{place}: {column} {value}")
                row = cells(raw, kinds, place) | kept(raw, self.custom)
            except SourceDataError as exc:
                if name not in MANY:  # the rows that others hang on
                    raise
                odd(place, " ".join([name, *(str(raw.get(column)) for column in SETS[name].key)]), str(exc))
                continue
            yield row


def capacities(plan: ServerPlan, people: set[Uid], rows: Iterable[Cells]) -> Iterator[Capacity]:
    """Yield what people can work by the calendars of the organisation, which are no plan's."""
    hours: dict[Uid, dict[date, float]] = defaultdict(dict)
    for row in rows:
        if row["ResourceId"] in people and row["Capacity"] is not None:
            hours[row["ResourceId"]][date.fromisoformat(row["TimeByDay"][:10])] = row["Capacity"]
    for resource, days in hours.items():
        for one in of_days(resource, days):
            yield msgspec.structs.replace(plan.capacity(one), container_id=None)


def fits(
    ctx: Context,
    found: Mapping[str, Mapping[str, list[Cells]]],
    links: Iterable[tuple[str, LinkRow]],
    lines: Iterable[Cells],
    days: Mapping[str, Mapping[str, int]],
    rejected: set[str],
) -> None:
    """Say where rows name others that the files do not hold: a set was cut, or saved on another day."""
    tasks = {task["TaskId"] for rows in found["Tasks"].values() for task in rows}
    parents = [(task.get("ParentTaskId") or "").lower() for rows in found["Tasks"].values() for task in rows]
    assignments = {one["AssignmentId"] for rows in found["Assignments"].values() for one in rows}
    of_tasks = {name: [row["TaskId"] for rows in found[name].values() for row in rows] for name in OF_TASKS}
    of_days = [row["AssignmentId"] for rows in found[DAYS].values() for row in rows]
    told = (
        ("Tasks", [one for one in parents if one not in {"", NOWHERE}], "Tasks", tasks),
        *((name, named, "Tasks", tasks) for name, named in of_tasks.items()),
        (LINKS, [one for end, link in links for one in (end, link.uid)], "Tasks", tasks),
        (DAYS, of_days, "Assignments", assignments),
        (
            "TimesheetLineActualDataSet",
            list(days),
            "TimesheetLines",
            {one["TimesheetLineId"] for one in lines},
        ),
    )
    for name, named, of, there in told:
        known = there | rejected
        if (lost := sum(one not in known for one in named)) and (there or of != "Assignments"):
            ctx.report_missing(
                tr(
                    "{count} rows of {name} name rows of {of} that the files do not hold: they were not "
                    "saved together, or one was cut.",
                    count=lost, name=name, of=of,
                )
            )  # fmt: skip
