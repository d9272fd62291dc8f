"""ProjectData, the reporting service of Project Server.

Its entity sets as far as they are read, and what their rows become.

Source: learn.microsoft.com/previous-versions/office/project-odata (ProjectData service reference). Work is in
hours, dates are civil dates of the server. The same rows come as OData JSON, as CSV and as Atom, with numbers
and dates written in different ways.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Literal

import msgspec

from hub import Account, Container, Record, SourceDataError, Worklog, tr
from hub_msproject.files.mapping import Plan
from hub_msproject.files.schedule import (
    AssignmentRow,
    BaselineRow,
    CustomRow,
    Header,
    LinkRow,
    ResourceRow,
    Row,
    TaskRow,
)
from hub_msproject.files.workdays import settle

Kind = Literal["key", "text", "number", "flag", "date", "moment"]
Cells = dict[str, Any]
"""A row: its columns, with values of their kind.

Dates are ``YYYY-MM-DDTHH:MM:SS``; a key and a moment are always there.
"""
Approval = Literal["draft", "submitted", "approved", "rejected", "unknown"]
WorkKind = Literal["project", "internal", "absence"]


class EntitySet(msgspec.Struct, frozen=True):
    """The columns of an entity set: needed, taken where they exist, and its key.

    The key is one within its project.
    """

    needed: dict[str, Kind]
    wanted: dict[str, Kind] = {}
    key: tuple[str, ...] = ()

    @property
    def columns(self) -> dict[str, Kind]:
        """Return all of them."""
        return self.needed | self.wanted


SETS: dict[str, EntitySet] = {
    "Projects": EntitySet(
        {"ProjectId": "key", "ProjectName": "text", "ProjectModifiedDate": "date"},
        {"ProjectStartDate": "date", "ProjectFinishDate": "date", "ProjectType": "number"},
        key=("ProjectId",),
    ),
    "Tasks": EntitySet(
        {
            "ProjectId": "key",
            "TaskId": "key",
            "TaskName": "text",
            "TaskStartDate": "date",
            "TaskFinishDate": "date",
            "TaskWork": "number",
            "TaskActualWork": "number",
            "TaskRemainingWork": "number",
            "TaskPercentCompleted": "number",
            "TaskIsSummary": "flag",
            "TaskIsMilestone": "flag",
        },
        {
            "ParentTaskId": "text",
            "TaskOutlineLevel": "number",
            "TaskWBS": "text",
            "TaskIndex": "number",
            "TaskIsActive": "flag",
            "TaskIsProjectSummary": "flag",
            "TaskActualStartDate": "date",
            "TaskActualFinishDate": "date",
            "TaskDeadline": "date",
            "TaskCreatedDate": "date",
            "TaskPriority": "number",
        },
        key=("TaskId",),
    ),
    "Assignments": EntitySet(
        {
            "ProjectId": "key",
            "AssignmentId": "key",
            "TaskId": "key",
            "ResourceId": "text",
            "AssignmentWork": "number",
            "AssignmentActualWork": "number",
            "AssignmentRemainingWork": "number",
        },
        key=("AssignmentId",),
    ),
    "AssignmentTimephasedDataSet": EntitySet(
        {
            "ProjectId": "key",
            "AssignmentId": "key",
            "TimeByDay": "moment",
            "AssignmentWork": "number",
            "AssignmentActualWork": "number",
        },
        key=("AssignmentId", "TimeByDay"),
    ),
    "TaskBaselines": EntitySet(
        {
            "ProjectId": "key",
            "TaskId": "key",
            "BaselineNumber": "number",
            "TaskBaselineStartDate": "date",
            "TaskBaselineFinishDate": "date",
            "TaskBaselineWork": "number",
        },
        key=("TaskId", "BaselineNumber"),
    ),
    "Resources": EntitySet(
        {"ResourceId": "key", "ResourceName": "text"},
        {
            "ResourceEmailAddress": "text",
            "ResourceNTAccount": "text",
            "ResourceCode": "text",
            "ResourceIsActive": "flag",
            "ResourceIsGeneric": "flag",
        },
        key=("ResourceId",),
    ),
    "TimesheetLines": EntitySet(
        {
            "TimesheetLineId": "key",
            "TimesheetOwnerId": "key",
            "PeriodStartDate": "moment",
            "PeriodEndDate": "moment",
            "ModifiedDate": "date",
        },
        {
            "TimesheetOwner": "text",
            "ProjectId": "text",
            "TaskId": "text",
            "TimesheetClassName": "text",
            "TimesheetStatus": "text",
            "TimesheetLineStatus": "text",
        },
        key=("TimesheetLineId",),
    ),
    "TimesheetLineActualDataSet": EntitySet(
        {
            "TimesheetLineId": "key",
            "TimeByDay": "moment",
            "ActualWorkBillable": "number",
            "ActualWorkNonBillable": "number",
            "AdjustmentIndex": "number",
        },
        {"ActualOvertimeWorkBillable": "number", "ActualOvertimeWorkNonBillable": "number"},
        key=("TimesheetLineId", "TimeByDay", "AdjustmentIndex"),
    ),
    "TimesheetPeriods": EntitySet(
        {"PeriodId": "key", "StartDate": "moment", "EndDate": "moment"}, key=("PeriodId",)
    ),
    "Timesheets": EntitySet(
        {"TimesheetId": "key", "ModifiedDate": "date"}, {"StartDate": "date"}, key=("TimesheetId",)
    ),
}
OF_A_PROJECT = ("Tasks", "Assignments", "AssignmentTimephasedDataSet", "TaskBaselines")
"""Sets that are filtered by the key of a project."""
NOWHERE = "00000000-0000-0000-0000-000000000000"
_WORK = (
    "ActualWorkBillable",
    "ActualWorkNonBillable",
    "ActualOvertimeWorkBillable",
    "ActualOvertimeWorkNonBillable",
)
_VERBOSE = re.compile(r"/Date\((-?\d+)(?:[+-]\d+)?\)/")
_TRUE, _FALSE = {"true", "1", "yes", "vrai", "oui"}, {"false", "0", "no", "faux", "non"}
_OF_LINES: dict[str, Approval] = {"approved": "approved", "rejected": "rejected"}
_OF_SHEETS: dict[str, Approval] = {
    "in progress": "draft",
    "submitted": "submitted",
    "acceptable": "submitted",
    "approved": "approved",
    "rejected": "rejected",
}
_LINK_TYPES = {0: "FF", 1: "FS", 2: "SF", 3: "SS"}


def cells(raw: Mapping[str, Any], columns: Mapping[str, Kind], where: str) -> Cells:
    """Return a row by the kinds of its columns.

    Raises `SourceDataError` for a column that is not there, and for a value of another kind.
    """
    found: Cells = {}
    for name, kind in columns.items():
        if name not in raw:
            raise SourceDataError(
                tr(
                    "{where} has no {name}; it has {raw}.",
                    where=where,
                    name=name,
                    raw=", ".join(sorted(raw))[:200],
                )
            )
        value = raw[name]
        try:
            found[name] = value = _cell(kind, value)
        except (ValueError, OverflowError) as exc:
            raise SourceDataError(
                tr(
                    "{where}: {name} is {value!r:.60}, which is no {kind}.",
                    where=where,
                    name=name,
                    value=value,
                    kind=kind,
                )
            ) from exc
        if kind in {"key", "moment"} and not value:
            raise SourceDataError(tr("{where}: a row has no {name}.", where=where, name=name))
    return found


def _cell(kind: Kind, value: Any) -> Any:
    if value is None or value == "":
        return None
    if kind in {"key", "text"}:
        if not isinstance(value, str):
            raise ValueError(value)
        return value.lower() if kind == "key" else value
    if kind == "number":
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            raise ValueError(value)
        # decimals are texts in OData's JSON; a table that was saved in French has commas
        number = float(value.replace(",", ".") if isinstance(value, str) else value)
        if not isfinite(number):
            raise ValueError(value)
        return number
    if kind == "flag":
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word not in _TRUE | _FALSE:
            raise ValueError(value)
        return word in _TRUE
    if not isinstance(value, str):
        raise ValueError(value)
    if found := _VERBOSE.fullmatch(value):
        return f"{datetime.fromtimestamp(int(found[1]) / 1000, UTC):%Y-%m-%dT%H:%M:%S}"
    return f"{datetime.fromisoformat(value):%Y-%m-%dT%H:%M:%S}"


def custom_row(name: str, value: Any) -> CustomRow | None:
    """Return a custom field as it came: a number, a date or a text."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return CustomRow(field=name, text="true" if value else "false")
    if isinstance(value, (int, float)):
        return CustomRow(field=name, number=float(value))
    if re.match(r"\d{4}-\d\d-\d\dT", str(value)):
        return CustomRow(field=name, day=str(value)[:10])
    return CustomRow(field=name, text=str(value))


class ServerPlan(Plan):
    """A plan of a server: its resources are those of the organisation."""

    def __init__(self, *, container_id: str, source: str, tz: str) -> None:
        """Map to records of *container_id*, for the source named *source*."""
        super().__init__(container_id=container_id, path_name="", file_name="", tz=tz)
        self.source = source

    def account_id(self, uid: int | str) -> str:
        """Return the id of a resource of the organisation."""
        return f"{self.source}:r{uid}"

    def _container(self, row: Header) -> Container:
        return Container(
            id=self.id, kind="plan", name=row.title or "", archived=False, seconds_per_day=row.seconds_per_day
        )


class ProjectRows(msgspec.Struct):
    """All rows of one project; *links* are pairs of task and link."""

    project: dict[str, Any]
    tasks: list[dict[str, Any]]
    assignments: list[dict[str, Any]]
    days: list[dict[str, Any]]
    baselines: list[dict[str, Any]]
    links: list[tuple[str, LinkRow]] = []


def plan_rows(
    found: ProjectRows, people: Mapping[str, Cells], custom: tuple[str, ...], seconds_per_day: int
) -> Iterator[Row]:
    """Return a project in the shape of every schedule."""
    project = found.project
    yield Header(
        guid=project["ProjectId"],
        title=project["ProjectName"],
        start=project.get("ProjectStartDate"),
        seconds_per_day=seconds_per_day,
    )
    baselines: dict[str, list[BaselineRow]] = defaultdict(list)
    for base in found.baselines:
        baselines[base["TaskId"]].append(
            BaselineRow(
                no=int(base["BaselineNumber"] or 0),
                start=base["TaskBaselineStartDate"],
                finish=base["TaskBaselineFinishDate"],
                work_s=seconds(base["TaskBaselineWork"]),
            )
        )
    links: dict[str, list[LinkRow]] = defaultdict(list)
    for end, link in found.links:
        links[end].append(link)
    summaries = {task["TaskId"] for task in found.tasks if task.get("TaskIsProjectSummary")}
    for task in found.tasks:
        if task["TaskId"] not in summaries:
            yield _task_row(task, summaries, baselines[task["TaskId"]], links[task["TaskId"]], custom)
    for native in sorted({(one["ResourceId"] or NOWHERE).lower() for one in found.assignments} - {NOWHERE}):
        yield resource_row(people.get(native) or {"ResourceId": native, "ResourceName": None})
    planned: dict[str, dict[str, int]] = defaultdict(dict)
    actual: dict[str, dict[str, int]] = defaultdict(dict)
    for day in found.days:
        for column, days in (("AssignmentWork", planned), ("AssignmentActualWork", actual)):
            if spent := seconds(day[column]):
                days[day["AssignmentId"]][day["TimeByDay"][:10]] = spent
    for one in found.assignments:
        native, resource = one["AssignmentId"], (one["ResourceId"] or NOWHERE).lower()
        work, done = seconds(one["AssignmentWork"]) or 0, seconds(one["AssignmentActualWork"]) or 0
        # only what the server cuts into days has days: the totals of an assignment stay on its task
        plan, off = settle(planned[native], work, None) if planned[native] else ([], False)
        told, wrong = settle(actual[native], done, None) if actual[native] else ([], False)
        yield AssignmentRow(
            uid=native,
            task=one["TaskId"],
            resource=None if resource == NOWHERE else resource,
            work_s=work,
            actual_work_s=done,
            remaining_work_s=seconds(one["AssignmentRemainingWork"]),
            planned=plan,
            actual=told,
            approximate=off or wrong,
        )


def _task_row(
    task: Cells,
    summaries: set[str],
    baselines: list[BaselineRow],
    links: list[LinkRow],
    custom: tuple[str, ...],
) -> TaskRow:
    parent = (task.get("ParentTaskId") or "").lower()
    top = task.get("TaskOutlineLevel") == 1 or parent in summaries | {"", NOWHERE, task["TaskId"]}
    active, priority, index = task.get("TaskIsActive"), task.get("TaskPriority"), task.get("TaskIndex")
    return TaskRow(
        uid=task["TaskId"],
        name=task["TaskName"] or "",
        wbs=task.get("TaskWBS"),
        parent=None if top else parent,
        summary=bool(task["TaskIsSummary"]),
        milestone=bool(task["TaskIsMilestone"]),
        active=active is not False,
        start=task["TaskStartDate"],
        finish=task["TaskFinishDate"],
        actual_start=task.get("TaskActualStartDate"),
        actual_finish=task.get("TaskActualFinishDate"),
        deadline=task.get("TaskDeadline"),
        created=task.get("TaskCreatedDate"),
        percent=task["TaskPercentCompleted"],
        percent_kind="duration",
        work_s=seconds(task["TaskWork"]),
        actual_work_s=seconds(task["TaskActualWork"]),
        remaining_work_s=seconds(task["TaskRemainingWork"]),
        row=str(int(index)) if index is not None else None,
        priority=str(int(priority)) if priority is not None else None,
        baselines=baselines,
        links=links,
        custom=[row for row in (custom_row(name, task.get(name)) for name in custom) if row],
    )


def resource_row(one: Cells) -> ResourceRow:
    """Return a resource in the shape of every schedule."""
    return ResourceRow(
        uid=one["ResourceId"],
        name=one["ResourceName"] or one["ResourceId"],
        email=one.get("ResourceEmailAddress"),
        code=one.get("ResourceCode"),
        login=one.get("ResourceNTAccount"),
        generic=bool(one.get("ResourceIsGeneric")),
        active=one.get("ResourceIsActive") is not False,
    )


def link_of(found: Mapping[str, Any]) -> tuple[str, LinkRow]:
    """Return a link of ``ProjectServer/Projects(…)/TaskLinks``.

    Its end, and the task that it depends on (DependencyType: 0 FF, 1 FS, 2 SF, 3 SS).
    """
    try:
        return str(found["End"]["Id"]).lower(), LinkRow(
            uid=str(found["Start"]["Id"]).lower(), type=_LINK_TYPES[int(found["DependencyType"])]
        )
    except (KeyError, TypeError, ValueError) as exc:
        raise SourceDataError(
            tr("a task link has no known form: {found!r:.200}.", found=dict(found))
        ) from exc


class Timesheets:
    """Hours of people by day, from lines and their days.

    *classes* says which classes of lines are internal work or absence.
    """

    def __init__(self, *, source: str, classes: Mapping[str, WorkKind]) -> None:
        """Write for the source named *source*."""
        self.source, self.classes = source, {name.casefold(): kind for name, kind in classes.items()}

    def records(
        self,
        prefix: str,
        lines: Iterable[Cells],
        days: Mapping[str, Mapping[str, int]],
        people: Mapping[str, Cells],
    ) -> Iterator[Record]:
        """Return the work of *lines*; *days* are seconds by line and day. Ids begin with *prefix*."""
        told: set[str] = set()
        for line in lines:
            owner, native = line["TimesheetOwnerId"], line["TimesheetLineId"]
            account = f"{self.source}:r{owner}"
            if owner not in told and owner not in people:
                yield Account(id=account, display_name=line.get("TimesheetOwner"))
            told.add(owner)
            project, task = ((line.get(name) or NOWHERE).lower() for name in ("ProjectId", "TaskId"))
            box = f"{self.source}:{project}" if project != NOWHERE else None
            for day, spent in sorted(days.get(native, {}).items()):
                yield Worklog(
                    id=f"{self.source}:{prefix}{native}/{day}",
                    container_id=box,
                    task_id=f"{box}/t/{task}" if box and task != NOWHERE else None,
                    account_id=account,
                    day=day,
                    seconds=spent,
                    category=self.classes.get((line.get("TimesheetClassName") or "").casefold(), "project"),
                    approval=_approval(line),
                )


def line_days(rows: Iterable[Cells]) -> dict[str, dict[str, int]]:
    """Add up the days of lines: line, then day, then seconds.

    The sums go over their adjustments and the four kinds of work.
    """
    found: dict[str, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for row in rows:
        found[row["TimesheetLineId"]][row["TimeByDay"][:10]] += sum(row.get(name) or 0.0 for name in _WORK)
    return {
        line: {day: round(hours * 3600) for day, hours in days.items() if round(hours * 3600)}
        for line, days in found.items()
    }


def _approval(line: Cells) -> Approval:
    """Read the status of a line, else that of its timesheet, by their English names."""
    of_line = _OF_LINES.get((line.get("TimesheetLineStatus") or "").lower())
    return of_line or _OF_SHEETS.get((line.get("TimesheetStatus") or "").lower(), "unknown")


def seconds(hours: float | None) -> int | None:
    """Return seconds of hours."""
    return None if hours is None else round(hours * 3600)
