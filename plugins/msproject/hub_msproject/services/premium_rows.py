"""The tables of Planner premium in Dataverse, and what their rows become."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from zlib import crc32
from zoneinfo import ZoneInfo

import msgspec

from hub import (
    Account,
    Allocation,
    Assignment,
    Category,
    Container,
    Iteration,
    Record,
    Source,
    SourceDataError,
    Task,
    TaskLink,
    civil_day,
    tr,
)
from hub_msproject.services.dataverse import Row, Table

TYPES = ("msdyn_projecttaskdependencylinktype", "msdyn_linktype")
"""What versions of the solution call the type of a dependency."""
PROJECTS = Table(
    "msdyn_project", ("msdyn_subject", "modifiedon", "statecode"), ("msdyn_hoursperday", "msdyn_istemplate")
)
TASKS = Table(
    "msdyn_projecttask",
    (
        "_msdyn_project_value",
        "_msdyn_parenttask_value",
        "msdyn_subject",
        "msdyn_start",
        "msdyn_finish",
        "msdyn_effort",
        "msdyn_effortcompleted",
        "msdyn_effortremaining",
        "msdyn_progress",
        "createdon",
        "modifiedon",
    ),
    (
        "msdyn_ismilestone",
        "msdyn_summary",
        "msdyn_outlinelevel",
        "_msdyn_projectbucket_value",
        "_msdyn_projectsprint_value",
        "msdyn_priority",
        "msdyn_actualstart",
        "msdyn_actualend",
        "msdyn_iscritical",
        "msdyn_ismanual",
        "msdyn_description",
        "statecode",
    ),
)
LINKS = Table(
    "msdyn_projecttaskdependency",
    ("_msdyn_predecessortask_value", "_msdyn_successortask_value", "modifiedon"),
    ("_msdyn_project_value", *TYPES, "statecode"),
)
ASSIGNMENTS = Table(
    "msdyn_resourceassignment",
    (
        "_msdyn_taskid_value",
        "_msdyn_projectid_value",
        "_msdyn_bookableresourceid_value",
        "msdyn_plannedwork",
        "modifiedon",
    ),
    (
        "msdyn_start",
        "msdyn_finish",
        "msdyn_effort",
        "msdyn_effortcompleted",
        "msdyn_effortremaining",
        "statecode",
    ),
)
BUCKETS = Table("msdyn_projectbucket", ("msdyn_name",))
SPRINTS = Table(
    "msdyn_projectsprint", ("msdyn_name", "_msdyn_project_value"), ("msdyn_start", "msdyn_finish")
)
OF_USER = ("internalemailaddress", "domainname", "isdisabled")
"""What is asked of the user whom a person of the organisation is."""
PEOPLE = Table(
    "bookableresource", ("name", "resourcetype", "statecode"), ("_userid_value", "_calendarid_value")
)
MAIN = (PROJECTS, TASKS, LINKS, ASSIGNMENTS)
ALL = (*MAIN, BUCKETS, SPRINTS, PEOPLE)
OPTIONAL = (LINKS, ASSIGNMENTS, BUCKETS, SPRINTS, PEOPLE)
"""Tables that an organisation may have hidden, or lack: the others are read without them."""
RECORD_OF: dict[str, type[Record]] = {
    PROJECTS.name: Container,
    TASKS.name: Task,
    LINKS.name: TaskLink,
    ASSIGNMENTS.name: Assignment,
    SPRINTS.name: Iteration,
    PEOPLE.name: Account,
}
PREFIX = {
    PROJECTS.name: "p", TASKS.name: "", LINKS.name: "l", ASSIGNMENTS.name: "a",
    SPRINTS.name: "s", PEOPLE.name: "u",
}  # fmt: skip
_PRIORITIES = {1: "urgent", 3: "important", 5: "medium", 9: "low"}
HUMAN = {2, 3}
"""Contact and user (bookableresource: resourcetype).

The others are equipment, crews, pools, accounts and generic ones.
"""
_TIMES = re.compile(r"/Date\((-?\d+)(?:[+-]\d{4})?\)/")
_ENDS = re.compile(r"(finish|fin|start|d[ée]but)\W+(?:to|à|a)?\W*(finish|fin|start|d[ée]but)", re.IGNORECASE)


_LINKS = {192350000: "FS", 192350001: "SS", 192350002: "FF", 192350003: "SF", 192350004: "SF"}
"""Types of dependencies by their values, whatever they are called (msdyn_LinkType Options)."""
_INACTIVE = 1
"""A state of rows that were deactivated (statecode)."""


class Span(msgspec.Struct, frozen=True, rename="pascal"):
    """Planned work of an assignment between two instants, in hours (msdyn_plannedwork)."""

    start: str
    end: str
    hours: float | None = None


_SPANS = msgspec.json.Decoder(list[Span])


class Reader:
    """What the rows of the four tables become."""

    def __init__(
        self,
        source: Source,
        url: str,
        hours_per_day: float,
        columns: dict[str, str | None],
        templates: set[str],
        choice: str | None,
        types: dict[str, str],
        parents: set[str] | None,
    ) -> None:
        """Name buckets by *columns*, links by *types* of the column *choice*; leave *templates* out.

        *parents* are the roll-ups where no column says so.
        """
        self.row_id, self.tz, self.url = source.row_id, ZoneInfo(source.tz), url.rstrip("/")
        self.day_s = round(hours_per_day * 3600)
        self.columns, self.templates, self.choice, self.types = columns, templates, choice, types
        self.parents = parents
        self.unknown: set[str] = set()

    def records(self, table: Table, row: Row) -> list[Record]:
        """Return the records of a row; none of a template, nor of a link or assignment that is inactive."""
        if table is PROJECTS:
            return [] if row.flag("msdyn_istemplate") else [self._project(row)]
        project = row.text("_msdyn_projectid_value" if table is ASSIGNMENTS else "_msdyn_project_value")
        if project in self.templates:
            return []
        if table is TASKS:
            return [self._task(row)]
        if is_inactive(row):
            return []
        return [self._link(row)] if table is LINKS else [*self._assigned(row), *self._planned(row)]

    def _project(self, row: Row) -> Container:
        key, hours = row.key(PROJECTS.key), row.number("msdyn_hoursperday")
        return Container(
            id=self.row_id(f"p{key}"),
            kind="plan",
            name=row.text("msdyn_subject") or "",
            archived=row.number("statecode") != 0,
            url=f"{self.url}/main.aspx?pagetype=entityrecord&etn=msdyn_project&id={key}",
            seconds_per_day=round(hours * 3600) if hours else self.day_s,
        )

    def _task(self, row: Row) -> Task:
        progress, milestone, key = (
            row.number("msdyn_progress"),
            row.flag("msdyn_ismilestone"),
            row.key(TASKS.key),
        )
        summary = row.flag("msdyn_summary") if self.parents is None else key in self.parents
        parent, sprint, priority = (
            row.text("_msdyn_parenttask_value"),
            row.text("_msdyn_projectsprint_value"),
            row.number("msdyn_priority"),
        )

        bucket = row.text("_msdyn_projectbucket_value")
        if bucket and bucket not in self.columns:
            self.unknown.add(bucket)

        def work(column: str) -> int | None:
            hours = row.hours(column)
            # the effort of a summary is a roll-up of what is below it
            return None if hours is None or summary else round(hours * 3600)

        return Task(
            id=self.row_id(key),
            container_id=self.row_id(f"p{row.key('_msdyn_project_value')}"),
            title=row.text("msdyn_subject") or "",
            parent_id=self.row_id(parent) if parent else None,
            kind="summary" if summary else "milestone" if milestone else "work",
            is_milestone=milestone,
            status_raw=self.columns.get(bucket or ""),
            status_native="cancelled" if is_inactive(row) else _status(progress),
            iteration_id=self.row_id(f"s{sprint}") if sprint else None,
            priority_raw=_PRIORITIES.get(int(priority), str(int(priority))) if priority is not None else None,
            percent=progress * 100 if progress is not None else None,
            percent_kind="work" if progress is not None else None,
            estimate_s=work("msdyn_effort"),
            spent_s=work("msdyn_effortcompleted"),
            remaining_s=work("msdyn_effortremaining"),
            planned_start_on=self._day(row.instant("msdyn_start")),
            planned_finish_on=self._last_day(row),
            actual_start_on=self._day(row.instant("msdyn_actualstart")),
            actual_finish_on=self._day(row.instant("msdyn_actualend")),
            created_at=row.instant("createdon"),
            updated_at=row.instant("modifiedon"),
            is_critical=row.flag("msdyn_iscritical"),
            is_manual=row.flag("msdyn_ismanual"),
            notes=row.text("msdyn_description") or None,
        )

    def _link(self, row: Row) -> TaskLink:
        return TaskLink(
            id=self.row_id(f"l{row.key(LINKS.key)}"),
            from_id=self.row_id(row.key("_msdyn_predecessortask_value")),
            to_id=self.row_id(row.key("_msdyn_successortask_value")),
            type=self._type(row),
        )

    def _type(self, row: Row) -> str:
        """Return the type of a link by its value, else by the name of that or the name that was sent."""
        value = row.choice(self.choice) if self.choice else None
        if value is None:
            return "FS"
        if isinstance(value, str) and _ENDS.search(value):
            return link_type(value)
        try:
            number = int(value)
        except (ValueError, OverflowError) as exc:
            raise SourceDataError(
                tr(
                    "Dataverse sent {name} as {value!r:.60} where {what} was expected.",
                    name=self.choice,
                    value=value,
                    what=tr("a number"),
                )
            ) from exc
        return _LINKS.get(number) or self.types.get(str(number), str(number))

    def _assigned(self, row: Row) -> Iterator[Assignment]:
        key, who = row.key(ASSIGNMENTS.key), row.text("_msdyn_bookableresourceid_value")
        if not (task := row.text("_msdyn_taskid_value")):
            return  # work on the project as a whole

        def work(column: str) -> int | None:
            hours = row.hours(column)
            return None if hours is None else round(hours * 3600)

        yield Assignment(
            id=self.row_id(f"a{key}"),
            task_id=self.row_id(task),
            account_id=self.row_id(f"u{who}") if who else None,
            start_on=self._day(row.instant("msdyn_start")),
            finish_on=self._last_day(row),
            planned_s=work("msdyn_effort"),
            actual_s=work("msdyn_effortcompleted"),
            remaining_s=work("msdyn_effortremaining"),
        )

    def _planned(self, row: Row) -> Iterator[Allocation]:
        """Return the planned work of an assignment as Dataverse cuts it: a day, or several, at a time.

        Without a resource it is demand of nobody yet. What has no hours by day is planned over the whole
        assignment.
        """
        key, text = row.key(ASSIGNMENTS.key), row.text("msdyn_plannedwork")
        try:
            spans = _SPANS.decode(text) if text else []
        except msgspec.MsgspecError as exc:
            raise SourceDataError(
                tr("Dataverse sent msdyn_plannedwork in another form than known: {error}.", error=exc)
            ) from exc
        planned: dict[tuple[str, str], float] = {}
        for span in spans:
            if span.hours and span.hours < 0:
                raise SourceDataError(tr("Dataverse plans {hours} hours on a day.", hours=span.hours))
            if span.hours:
                place = (self._time(span.start, 0), self._time(span.end, -1))
                planned[place] = planned.get(place, 0.0) + span.hours
        start, finish = self._day(row.instant("msdyn_start")), self._last_day(row)
        effort = row.hours("msdyn_effort")
        if not planned and effort and start:
            planned[start, finish or start] = effort
        task, who = row.text("_msdyn_taskid_value"), row.text("_msdyn_bookableresourceid_value")
        for (first, last), hours in planned.items():
            yield Allocation(
                id=self.row_id(f"a{key}/{first}" + (f"/{last}" if last != first else "")),
                account_id=self.row_id(f"u{who}") if who else None,
                start_on=first,
                finish_on=max(first, last),
                seconds=round(hours * 3600),
                task_id=self.row_id(task) if task else None,
                container_id=self.row_id(f"p{row.key('_msdyn_projectid_value')}"),
            )

    def _time(self, text: str, shift: int) -> str:
        """Return the civil day of ``/Date(ms)/`` or of an instant.

        An end at midnight belongs to the day before.
        """
        found = _TIMES.fullmatch(text)
        if not found:
            with suppress(ValueError):
                moment = datetime.fromisoformat(text)
                moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                return (moment + timedelta(milliseconds=shift)).astimezone(self.tz).date().isoformat()
            raise SourceDataError(
                tr("Dataverse sent {text!r} in msdyn_plannedwork where a date was expected.", text=text)
            )
        return (
            (datetime.fromtimestamp(int(found[1]) / 1000 + shift, UTC)).astimezone(self.tz).date().isoformat()
        )

    def _last_day(self, row: Row) -> str | None:
        stamp = row.instant("msdyn_finish")
        return self._time(stamp, -1) if stamp else None

    def _day(self, stamp: str | None) -> str | None:
        return civil_day(stamp, self.tz.key)


def records_of(table: Table) -> tuple[type[Record], ...]:
    """Return what the rows of a table become."""
    return (Assignment, Allocation) if table is ASSIGNMENTS else (RECORD_OF[table.name],)


def is_inactive(row: Row) -> bool:
    """Say whether a row was deactivated."""
    return row.number("statecode") == _INACTIVE


def name_of(table: Table, row: Row) -> str:
    """Return what names a row, however odd it is: its key, or else all it holds."""
    key = row.get(table.key)
    return key if isinstance(key, str) and key else f"? ({crc32(repr(sorted(row.items())).encode()):08x})"


def _status(progress: float | None) -> Category:
    return "done" if progress is not None and progress >= 1 else "in_progress" if progress else "todo"


def link_type(name: str) -> str:
    """Return FS, SS, FF or SF of what the choice is called, or its name."""
    found = _ENDS.search(name)
    return (
        "".join("F" if end.lower() in {"finish", "fin"} else "S" for end in found.groups()) if found else name
    )


def account_of(source: Source, row: Row) -> Account:
    """Return the person that a row of `PEOPLE` is, with the user who was expanded."""
    if "UserId" not in row:  # of nobody it is empty, and never lacking
        raise SourceDataError(tr("Dataverse leaves out who {name} is.", name=row.text("name")))
    user = Row(row.get("UserId") or {})
    user.asked = OF_USER if user else ()
    active = row.number("statecode") == 0 and not user.flag("isdisabled")
    return Account(
        id=source.row_id(f"u{row.key(PEOPLE.key)}"),
        display_name=row.text("name"),
        email=user.text("internalemailaddress"),
        login=user.text("domainname"),
        kind="human" if row.number("resourcetype") in HUMAN else "generic",
        active=active,
    )


def sprint_of(source: Source, row: Row) -> Iteration:
    """Return the sprint that a row of `SPRINTS` is."""
    return Iteration(
        id=source.row_id(f"s{row.key(SPRINTS.key)}"),
        container_id=source.row_id(f"p{row.text('_msdyn_project_value')}"),
        name=row.text("msdyn_name") or "",
        start_at=row.instant("msdyn_start"),
        finish_at=row.instant("msdyn_finish"),
    )
