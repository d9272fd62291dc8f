"""Redmine's rows as records of the hub: own effort only, no text that people wrote to each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from hub import (
    Account,
    Baseline,
    Category,
    Container,
    CustomValue,
    Iteration,
    Record,
    SourceDataError,
    Task,
    TaskChange,
    TaskLink,
    Worklog,
    tr,
)  # fmt: skip
from hub_redmine import wire
from hub_redmine.site import OPTIONAL
from hub_redmine.terms import (
    ACTIVE,
    ANONYMOUS,
    CATEGORY,
    CHANGES,
    NATURES,
    PARENT,
    PATH,
    PRIVATE,
    Kind,
    Nature,
    Role,
)

PROVIDES: tuple[type[Record], ...] = (
    Container, Account, Iteration, Task, Baseline, TaskChange, Worklog, TaskLink, CustomValue,
)  # fmt: skip


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What the issues refer to.

    Statuses by id, closed ones, the tracker and status of new issues, users and groups that are known with
    all they have, as administrators see them. *sight* names, by what it hides, the projects of which this
    account sees a part.
    """

    statuses: dict[str, str] = {}
    closed: list[int] = []
    opening: list[tuple[int, int]] = []
    trackers: dict[str, str] = {}
    users: list[int] = []
    versions: list[int] = []
    sight: dict[str, list[str]] = {}

    @property
    def names(self) -> dict[str, dict[str, str]]:
        """Return what journals call by its id alone."""
        return {"status": self.statuses, "tracker": self.trackers}


class Mapper:
    """Turns rows of one Redmine into records."""

    def __init__(
        self,
        *,
        name: str,
        url: str,
        meta: Meta,
        types: Mapping[str, Nature],
        activities: Mapping[str, Kind],
        fields: Mapping[Role, str],
        custom: Iterable[str],
        people: bool,
        day_s: int,
        zone: str,
    ) -> None:
        """Take the settings of the source.

        *day_s* is the length of a working day, *zone* that of its days.
        """
        self.name, self.url, self.meta, self.people, self.day_s = name, url.rstrip("/"), meta, people, day_s
        self.natures = NATURES | {kind.casefold(): nature for kind, nature in types.items()}
        self.activities = {kind.casefold(): what for kind, what in activities.items()}
        self.fields, self.custom, self.zone = fields, frozenset(custom), ZoneInfo(zone)
        self.closed, self.opening = frozenset(meta.closed), frozenset(meta.opening)
        self.met: set[str] = set()
        self.told_people, self.told_versions = set(meta.users), set(meta.versions)
        self.statuses, self.trackers = dict(meta.statuses), dict(meta.trackers)
        self.listed = frozenset(tracker for tracker, _ in meta.opening)
        self.unlisted: set[str] = set()
        """Trackers of issues that the list of trackers lacks."""
        self.renamed = False
        """Whether an issue showed another name of a status or a tracker than the lists did."""

    def row_id(self, native: object) -> str:
        """Return the store's id."""
        return f"{self.name}:{native}"

    # ---------- around the issues ----------

    def project(self, one: wire.Project, above: Mapping[int, wire.Project]) -> Iterator[Record]:
        """Map a project, and where it stands in the tree of those that can be seen, *above*."""
        id_ = self.row_id(f"p{one.id}")
        yield Container(
            id=id_,
            kind="project",
            code=one.identifier,
            name=one.name,
            archived=one.status != ACTIVE,
            url=f"{self.url}/projects/{one.identifier}",
        )
        if one.parent is None:
            return
        path = [one.name]
        parent: wire.Ref | None = one.parent
        while parent is not None and len(path) <= len(above):
            path.append(parent.name or str(parent.id))
            parent = above[parent.id].parent if parent.id in above else None
        for field, text in ((PARENT, path[1]), (PATH, " / ".join(reversed(path)))):
            yield CustomValue(id=f"{id_}/{field}", row_id=id_, field=field, text=text)

    def group(self, one: wire.Group) -> Account:
        """Map a group: issues may be assigned to it, and it is no person."""
        return Account(id=self.row_id(f"u{one.id}"), display_name=one.name, kind="generic")

    def user(self, one: wire.User, *, active: bool) -> Account:
        """Map a user that an administrator may see."""
        return Account(
            id=self.row_id(f"u{one.id}"),
            display_name=f"{one.firstname} {one.lastname}".strip() or None,
            email=one.mail or None,
            login=one.login or None,
            active=active,
        )

    def person(self, one: wire.Ref | None) -> Iterator[Account]:
        """Return the account of somebody, or of a group, who is only named; once.

        What a deleted user did is the work of nobody, who has a name and is no person.
        """
        if one is not None and one.id not in self.told_people:
            self.told_people.add(one.id)
            nobody = (one.name or "").casefold() in ANONYMOUS
            kind: Literal["human", "generic"] = "generic" if nobody else "human"
            yield Account(id=self.row_id(f"u{one.id}"), display_name=one.name, kind=kind)

    def version(self, one: wire.Version) -> Iterator[Record]:
        """Map a version: what issues are planned for, and the milestone that its day is."""
        yield Iteration(
            id=self.row_id(f"v{one.id}"),
            container_id=self.row_id(f"p{one.project.id}"),
            name=one.name,
            state=one.status,
            finish_at=f"{one.due_date}T00:00:00Z" if one.due_date else None,
        )
        yield Task(
            id=self.row_id(f"m{one.id}"),
            container_id=self.row_id(f"p{one.project.id}"),
            title=one.name,
            kind="milestone",
            is_milestone=True,
            type_raw="version",
            status_raw=one.status,
            status_native="done" if one.status == "closed" else "todo",
            planned_finish_on=one.due_date,
            due_on=one.due_date,
            url=f"{self.url}/versions/{one.id}",
        )

    # ---------- issues ----------

    def category(self, issue: wire.Issue) -> Category:
        """Say what a status means.

        Closed ones are done, the one of new issues is to do, all between is under way.
        """
        closed = (
            issue.status.is_closed if issue.status.is_closed is not None else issue.status.id in self.closed
        )
        if closed:
            return "done"
        return "todo" if (issue.tracker.id, issue.status.id) in self.opening else "in_progress"

    def issue(self, issue: wire.Issue) -> Iterator[Record]:
        """Map an issue without what stands inside of it: its links and its history.

        ``spent_hours`` and all ``total_`` are skipped, since they change without a stamp.
        """
        id_ = self.row_id(issue.id)
        for names, one in ((self.statuses, issue.status), (self.trackers, issue.tracker)):
            if one.name and names.get(str(one.id), one.name) != one.name:
                self.renamed = True
            if one.name:
                names[str(one.id)] = one.name
        if issue.tracker.id not in self.listed:
            self.unlisted.add(issue.tracker.name or str(issue.tracker.id))
        yield from self.person(issue.author)
        yield from self.person(issue.assigned_to)
        if issue.fixed_version and issue.fixed_version.id not in self.told_versions:
            self.told_versions.add(issue.fixed_version.id)
            yield Iteration(
                id=self.row_id(f"v{issue.fixed_version.id}"),
                name=issue.fixed_version.name or str(issue.fixed_version.id),
            )
        category = self.category(issue)
        custom = {one.name: one for one in issue.custom_fields}
        self.met |= custom.keys() | {name for name in OPTIONAL["issues"] if getattr(issue, name) is not None}
        yield Task(
            id=id_,
            container_id=self.row_id(f"p{issue.project.id}"),
            parent_id=self.row_id(issue.parent.id) if issue.parent else None,
            code=f"#{issue.id}",
            title=issue.subject,
            url=f"{self.url}/issues/{issue.id}",
            kind="work",
            nature=self.natures.get((issue.tracker.name or "").casefold(), "unknown"),
            type_raw=issue.tracker.name,
            status_raw=issue.status.name,
            status_native=category,
            priority_raw=issue.priority.name if issue.priority else None,
            reporter_id=self.row_id(f"u{issue.author.id}") if issue.author else None,
            assignee_id=self.row_id(f"u{issue.assigned_to.id}") if issue.assigned_to else None,
            iteration_id=self.row_id(f"v{issue.fixed_version.id}") if issue.fixed_version else None,
            created_at=issue.created_on,
            updated_at=issue.updated_on,
            planned_start_on=issue.start_date,
            planned_finish_on=issue.due_date,
            due_on=issue.due_date,
            actual_finish_on=self.day(issue.closed_on) if issue.closed_on and category == "done" else None,
            percent=issue.done_ratio,
            percent_kind="physical" if issue.done_ratio is not None else None,
            estimate_s=round(issue.estimated_hours * 3600) if issue.estimated_hours is not None else None,
            points=number(custom.get(self.fields.get("points", ""))),
        )
        start, finish = (
            text(custom.get(self.fields.get(role, ""))) for role in ("baseline_start", "baseline_finish")
        )
        if start or finish:
            yield Baseline(id=f"{id_}/b0", task_id=id_, start_on=start, finish_on=finish)
        kept = {one.name: text(one) for one in issue.custom_fields if one.name in self.custom}
        if issue.category:
            # a comma parts several in the feed, and an issue has one
            kept[CATEGORY] = (issue.category.name or str(issue.category.id)).replace(", ", ",\u00a0")
        if issue.is_private:
            kept[PRIVATE] = "1"
        for field, value in kept.items():
            if value:
                yield CustomValue(id=f"{id_}/{field}", row_id=id_, field=field, text=value)

    def day(self, stamp: str) -> str:
        """Return the civil day of a stamp. Raises `SourceDataError` for another text."""
        try:
            return datetime.fromisoformat(stamp).astimezone(self.zone).date().isoformat()
        except ValueError as exc:
            raise SourceDataError(
                tr("Redmine sent {stamp!r} where a stamp was expected.", stamp=stamp)
            ) from exc

    def link(self, one: wire.Relation) -> TaskLink:
        """Map a relation: ``precedes`` is finish to start, its delay in days of the source."""
        schedule = one.relation_type == "precedes"
        return TaskLink(
            id=self.row_id(f"r{one.id}"),
            from_id=self.row_id(one.issue_id),
            to_id=self.row_id(one.issue_to_id),
            type="FS" if schedule else one.relation_type,
            lag_s=(one.delay or 0) * self.day_s if schedule else None,
        )

    def changes(self, issue: int, journal: wire.Journal) -> Iterator[Record]:
        """Map what a journal entry changed; its notes are not read."""
        told = False
        for detail in journal.details:
            field = CHANGES.get(detail.name) if detail.property == "attr" else None
            if field is None:
                continue
            if self.people and not told:
                told = True
                yield from self.person(journal.user)
            yield TaskChange(
                id=self.row_id(f"h{journal.id}/{field}"),
                task_id=self.row_id(issue),
                field=field,
                from_value=self.side(field, detail.old_value),
                to_value=self.side(field, detail.new_value),
                at=journal.created_on,
                author_id=self.row_id(f"u{journal.user.id}") if journal.user and self.people else None,
            )

    def side(self, field: str, value: Any) -> str | None:
        """Return one side of a change: the name of a status, the id of a row, else the text."""
        if value in {None, ""}:
            return None
        match field:
            case "status":
                return self.statuses.get(str(value), str(value))
            case "issuetype":
                return self.trackers.get(str(value), str(value))
            case "assignee":
                return self.row_id(f"u{value}")
            case "sprint":
                return self.row_id(f"v{value}")
            case "project":
                return self.row_id(f"p{value}")
            case "parent":
                return self.row_id(value)
        return str(value)

    # ---------- hours ----------

    def entry(self, one: wire.Entry) -> Iterator[Record]:
        """Map a time entry; one without an issue is on its project."""
        if self.people:
            yield from self.person(one.user)
        self.met |= {field.name for field in one.custom_fields} | {
            name for name in OPTIONAL["time_entries"] if getattr(one, name) is not None
        }
        flag = next(
            (field.value for field in one.custom_fields if field.name == self.fields.get("billable")), None
        )
        yield Worklog(
            id=self.row_id(f"t{one.id}"),
            task_id=self.row_id(one.issue.id) if one.issue else None,
            container_id=self.row_id(f"p{one.project.id}"),
            account_id=self.row_id(f"u{one.user.id}") if one.user and self.people else None,
            day=one.spent_on,
            seconds=seconds(one.hours),
            category=self.activities.get(
                (one.activity.name or "").casefold() if one.activity else "", "project"
            ),
            billable=flag == "1" if flag in {"0", "1"} else None,
            updated_at=one.updated_on,
        )


def seconds(hours: float) -> int:
    """Turn hours that Redmine rounded to hundredths into seconds, of whole minutes as people book them.

    20 minutes come as 0.33: half of a hundredth is less than half of a minute, so that the minute is exact.
    """
    return round(hours * 60) * 60


def text(one: wire.Custom | None) -> str | None:
    """Return the value of a custom field as text; several are joined."""
    if one is None or not one.value:
        return None
    return ", ".join(one.value) if isinstance(one.value, list) else one.value


def number(one: wire.Custom | None) -> float | None:
    """Return the value of a custom field as a number. Raises `SourceDataError` for another text."""
    value = text(one)
    if value is None or one is None:
        return None
    try:
        return float(value)
    except ValueError as exc:
        raise SourceDataError(
            tr(
                "The custom field {name!r} holds {value!r}, which is no number: name another in fields.",
                name=one.name,
                value=value,
            )
        ) from exc
