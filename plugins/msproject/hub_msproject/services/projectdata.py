"""ProjectData, the reporting service of Project Server.

Its entity sets as far as they are read, and what their rows become.

Source: learn.microsoft.com/previous-versions/office/project-odata (ProjectData service reference). Work is in
hours, dates are civil dates of the server. The same rows come as OData JSON, as CSV and as Atom, with numbers
and dates written in different ways.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from itertools import pairwise
from math import isfinite
from typing import Any, Literal

import msgspec

from hub import Account, Container, Context, Gone, Record, SourceDataError, Worklog, tr
from hub_msproject.files.fields import custom_row
from hub_msproject.files.mapping import Choice, Plan
from hub_msproject.files.schedule import (
    AssignmentRow,
    BaselineRow,
    Header,
    LinkRow,
    ResourceRow,
    Row,
    TaskRow,
    when,
)
from hub_msproject.files.workdays import Calendar, settle, spread, weights

Kind = Literal["key", "text", "number", "flag", "date", "moment"]
Cells = dict[str, Any]
"""A row: its columns, with values of their kind.

Dates are ``YYYY-MM-DDTHH:MM:SS``; a key and a moment are always there.
"""
Approval = Literal["draft", "submitted", "approved", "rejected", "unknown"]
WorkKind = Literal["project", "internal", "absence"]
Grain = Literal["day", "week", "month", "never"]
"""By what a site keeps work over time."""


class EntitySet(msgspec.Struct, frozen=True):
    """The columns of an entity set: needed, wanted, and its key, which is one within its project.

    Of *wanted* columns a lack is told; *more* are taken where they are.
    """

    needed: dict[str, Kind]
    wanted: dict[str, Kind] = {}
    key: tuple[str, ...] = ()
    more: dict[str, Kind] = {}

    @property
    def columns(self) -> dict[str, Kind]:
        """Return all of them."""
        return self.needed | self.wanted | self.more


SETS: dict[str, EntitySet] = {
    "Projects": EntitySet(
        {"ProjectId": "key", "ProjectName": "text", "ProjectModifiedDate": "date"},
        {"ProjectStartDate": "date", "ProjectFinishDate": "date", "ProjectType": "number"},
        key=("ProjectId",),
        more={"ProjectStatusDate": "date", "ProjectCurrency": "text"},
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
        more={
            "TaskDuration": "number",
            "TaskTotalSlack": "number",
            "TaskFreeSlack": "number",
            "TaskIsCritical": "flag",
            "TaskIsManuallyScheduled": "flag",
            "TaskCost": "number",
            "TaskFixedCost": "number",
            "TaskActualCost": "number",
            "TaskRemainingCost": "number",
        },
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
        more={
            "AssignmentStartDate": "date",
            "AssignmentFinishDate": "date",
            "AssignmentOvertimeWork": "number",
            "AssignmentCost": "number",
            "AssignmentActualCost": "number",
            "AssignmentRemainingCost": "number",
        },
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
    "ResourceTimephasedDataSet": EntitySet(
        {"ResourceId": "key", "TimeByDay": "moment", "Capacity": "number"}, key=("ResourceId", "TimeByDay")
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
        more={"TaskBaselineCost": "number"},
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
        more={"ResourceType": "number"},
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
MAPPING = 2
"""Raised when the rows become other records than before: what was read by an older one is read again."""
_UNASSIGNED = -3
_THINGS = frozenset({21, 22, 25, 26, 51, 52})
"""Types of resources that are no people: material and cost, generic ones and those of a budget among them.

Source: enumeration Microsoft.Office.Project.Server.Library.Resource.Type.
"""
_WORK = (
    "ActualWorkBillable",
    "ActualWorkNonBillable",
    "ActualOvertimeWorkBillable",
    "ActualOvertimeWorkNonBillable",
)
_EPOCH = datetime(1970, 1, 1)
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


UNSIGNED = frozenset({
    "TaskWork", "TaskActualWork", "TaskRemainingWork", "TaskPercentCompleted", "TaskDuration", "Capacity",
    "AssignmentWork", "AssignmentActualWork", "AssignmentRemainingWork", "TaskBaselineWork",
})  # fmt: skip
"""Columns of numbers that are not below zero; hours of a timesheet are, where they were corrected."""


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
        if name in UNSIGNED and value is not None and value < 0:
            raise SourceDataError(
                tr("{where}: {name} is below zero: {value}.", where=where, name=name, value=value)
            )
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
        moment = _EPOCH + timedelta(milliseconds=int(found[1]))
    else:
        moment = datetime.fromisoformat(value)
    text = moment.replace(tzinfo=None).isoformat(timespec="seconds")
    return text if when(text) else None


class ServerPlan(Plan):
    """A plan of a server: its resources are those of the organisation."""

    def __init__(
        self, *, container_id: str, source: str, tz: str, baseline: Choice = 0, is_sure: bool = True
    ) -> None:
        """Map to records of *container_id*, for the source named *source*.

        *is_sure* says whether all its assignments are known, *baseline* which one counts.
        """
        super().__init__(container_id=container_id, path_name="", file_name="", tz=tz, baseline=baseline)
        self.source, self.is_sure = source, is_sure

    def account_id(self, uid: int | str) -> str:
        """Return the id of a resource of the organisation."""
        return f"{self.source}:r{uid}"

    def _container(self, row: Header) -> Container:
        return Container(
            id=self.id, kind="plan", name=row.title or "", archived=False,
            seconds_per_day=row.seconds_per_day, status_on=(row.status or "")[:10] or None,
        )  # fmt: skip


class ProjectRows(msgspec.Struct):
    """All rows of one project; *links* are pairs of task and link, *days* None where nobody asked."""

    project: dict[str, Any]
    tasks: list[dict[str, Any]]
    assignments: list[dict[str, Any]]
    days: list[dict[str, Any]] | None
    baselines: list[dict[str, Any]]
    links: list[tuple[str, LinkRow]] = []


def plan_rows(
    found: ProjectRows,
    people: Mapping[str, Cells],
    custom: tuple[str, ...],
    seconds_per_day: int,
    say: Callable[[Grain], None] = lambda _: None,
) -> Iterator[Row]:
    """Return a project in the shape of every schedule; *say* is told of work that has no days of its own."""
    project = found.project
    yield Header(
        guid=project["ProjectId"],
        title=project["ProjectName"],
        start=project.get("ProjectStartDate"),
        status=project.get("ProjectStatusDate"),
        currency=project.get("ProjectCurrency"),
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
                cost=base.get("TaskBaselineCost"),
            )
        )
    links: dict[str, list[LinkRow]] = defaultdict(list)
    for end, link in found.links:
        links[end].append(link)
    summaries = {task["TaskId"] for task in found.tasks if task.get("TaskIsProjectSummary")}
    for task in found.tasks:
        if task["TaskId"] not in summaries:
            yield _task_row(task, summaries, baselines[task["TaskId"]], links[task["TaskId"]], custom)
    kinds = {native: one.get("ResourceType") for native, one in people.items()}
    who = {one["AssignmentId"]: (one["ResourceId"] or NOWHERE).lower() for one in found.assignments}
    for native in sorted({one for one in who.values() if kinds.get(one) != _UNASSIGNED} - {NOWHERE}):
        yield resource_row(people.get(native) or {"ResourceId": native, "ResourceName": None})
    days = Days(found)
    if days.grain != "day":
        say(days.grain)
    for one in found.assignments:
        native, resource = one["AssignmentId"], who[one["AssignmentId"]]
        work, done = seconds(one["AssignmentWork"]) or 0, seconds(one["AssignmentActualWork"]) or 0
        planned, actual = days.of(one, work, done)
        # only what the server cuts into days has days: the totals of an assignment stay on its task
        plan, off = settle(planned, work, None) if planned else ([], False)
        told, wrong = settle(actual, done, None) if actual else ([], False)
        yield AssignmentRow(
            uid=native,
            task=one["TaskId"],
            resource=None if resource == NOWHERE or kinds.get(resource) == _UNASSIGNED else resource,
            work_s=work,
            actual_work_s=done,
            remaining_work_s=seconds(one["AssignmentRemainingWork"]),
            overtime_s=seconds(one.get("AssignmentOvertimeWork")),
            start=one.get("AssignmentStartDate"),
            finish=one.get("AssignmentFinishDate"),
            cost=one.get("AssignmentCost"),
            actual_cost=one.get("AssignmentActualCost"),
            remaining_cost=one.get("AssignmentRemainingCost"),
            planned=plan,
            actual=told,
            approximate=off or wrong or days.grain != "day",
        )


class Days:
    """The work of a project by day.

    A site keeps it by day, week or month, or never: then it is spread over the working days, Monday to
    Friday, between the dates of the assignment, or of its task.
    """

    def __init__(self, found: ProjectRows) -> None:
        """Look at all rows of a project, which tell how it is kept."""
        self.planned: dict[str, dict[str, int]] = defaultdict(dict)
        self.actual: dict[str, dict[str, int]] = defaultdict(dict)
        for day in found.days or ():
            for column, days in (("AssignmentWork", self.planned), ("AssignmentActualWork", self.actual)):
                if spent := seconds(day[column]):
                    days[day["AssignmentId"]][day["TimeByDay"][:10]] = spent
        self.tasks = {task["TaskId"]: task for task in found.tasks}
        told: dict[str, set[str]] = defaultdict(set)
        for day in found.days or ():
            told[day["AssignmentId"]].add(day["TimeByDay"][:10])
        self.grain: Grain = _grain(told.values())
        work = any(one["AssignmentWork"] for one in found.assignments)
        if found.days is not None and work and not self.planned and not self.actual:
            self.grain = "never"

    def of(self, one: Cells, work: int, done: int) -> tuple[dict[str, int], dict[str, int]]:
        """Return the planned and the actual days of an assignment."""
        native, task = one["AssignmentId"], self.tasks.get(one["TaskId"], {})
        start = (one.get("AssignmentStartDate") or task.get("TaskStartDate") or "")[:10]
        finish = (one.get("AssignmentFinishDate") or task.get("TaskFinishDate") or "")[:10]
        if self.grain == "day":
            return self.planned[native], self.actual[native]
        if self.grain != "never":
            planned = _over(self.planned[native], self.grain, start, finish)
            return planned, _over(self.actual[native], self.grain, start, finish)
        if not start or not finish:
            return {}, {}
        planned = dict(spread(_working(start, max(start, finish)), work))
        actual, left = {}, done
        for day, part in planned.items():  # what is done is done first
            actual[day] = min(part, left)
            left -= actual[day]
        return planned, {day: part for day, part in actual.items() if part}


def _grain(found: Iterable[Iterable[str]]) -> Grain:
    """Tell by the dates of all rows whether they are days, weeks or months."""
    series = [sorted(map(date.fromisoformat, one)) for one in found if one]
    days = {day for one in series for day in one}
    gaps = {(after - before).days for one in series for before, after in pairwise(one)}
    if not days or any(gap < 7 for gap in gaps):
        return "day"
    if all(day.day == 1 for day in days):
        return "month"
    weekly = len({day.weekday() for day in days}) == 1 and not any(gap % 7 for gap in gaps)
    return "week" if weekly and (gaps or next(iter(days)).weekday() in {0, 6}) else "day"


def _over(periods: Mapping[str, int], grain: Grain, start: str, finish: str) -> dict[str, int]:
    """Spread the work of weeks or months over the working days of each that are between two days."""
    found: dict[str, int] = {}
    for day, work in periods.items():
        first = date.fromisoformat(day)
        length = monthrange(first.year, first.month)[1] if grain == "month" else 7
        last = (first + timedelta(days=length - 1)).isoformat()
        since, until = max(day, start or day), min(last, finish or last)
        for one, part in spread(_working(since, until) if since <= until else _working(day, last), work):
            found[one] = found.get(one, 0) + part
    return found


def _working(first: str, last: str) -> list[tuple[str, int]]:
    return weights(Calendar().intervals, f"{first}T00:00", f"{last}T24:00") or [(first, 1)]


def kept(raw: Mapping[str, Any], custom: tuple[str, ...]) -> Cells:
    """Return the fields of a row that are kept by name. Raises `SourceDataError` for no single value."""
    found = {column: raw[column] for column in custom if column in raw}
    for column, value in found.items():
        if isinstance(value, (dict, list)):
            said = tr("The field {field} holds {value!r:.60}, no single value.", field=column, value=value)
            raise SourceDataError(said)
    return found


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
        duration_s=seconds(task.get("TaskDuration")),
        total_slack_s=seconds(task.get("TaskTotalSlack")),
        free_slack_s=seconds(task.get("TaskFreeSlack")),
        critical=task.get("TaskIsCritical"),
        manual=task.get("TaskIsManuallyScheduled"),
        cost=task.get("TaskCost"),
        fixed_cost=task.get("TaskFixedCost"),
        actual_cost=task.get("TaskActualCost"),
        remaining_cost=task.get("TaskRemainingCost"),
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
        work=one.get("ResourceType") not in _THINGS,
        generic=bool(one.get("ResourceIsGeneric")),
        active=one.get("ResourceIsActive") is not False,
    )


def no_people(plan: Plan, resources: Iterable[ResourceRow]) -> tuple[Gone, ...]:
    """Say that accounts of material and of cost are none, which an older reading took for people."""
    evidence = tr("it is material or a cost, and nobody")
    return tuple(
        Gone(record=Account, id=plan.account_id(one.uid), evidence=evidence)
        for one in resources
        if not one.work
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


def say(ctx: Context, grain: Grain) -> None:
    """Say once a run what was done with work that has no days."""
    said = {
        "week": tr("work is kept by week there: it was spread over the working days of each week."),
        "month": tr("work is kept by month there: it was spread over the working days of each month."),
        "never": tr("work is not kept by day there: it was spread over the working days of each assignment."),
    }[grain]

    def once() -> bool:
        ctx.note(said)
        return True

    ctx.shared(f"said {grain}", once)
