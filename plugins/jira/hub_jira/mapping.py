"""Turn what Jira sends into records; nothing is asked here."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, TypeVar

import msgspec

from hub import (
    Account,
    Allocation,
    Category,
    Container,
    CustomValue,
    Iteration,
    Record,
    SlaCycle,
    SourceDataError,
    Task,
    TaskChange,
    TaskLink,
    Worklog,
    tr,
)  # fmt: skip
from hub_jira import values, wire
from hub_jira.fields import CUSTOM, Bindings, Kept
from hub_jira.sprints import nearness, real, sprints_of
from hub_jira.values import Reader, filled, joined, number

T = TypeVar("T")
Nature = Literal["build", "anomaly", "evolution", "incident", "request", "internal", "unknown"]
NATURES: dict[str, Nature] = {
    "bug": "anomaly",
    "bogue": "anomaly",
    "anomalie": "anomaly",
    "defect": "anomaly",
    "incident": "incident",
    "[system] incident": "incident",
    "service request": "request",
    "[system] service request": "request",
    "demande": "request",
    "support": "request",
    "improvement": "evolution",
    "new feature": "evolution",
    "amélioration": "evolution",
    "évolution": "evolution",
    "story": "build",
    "récit": "build",
    "task": "build",
    "tâche": "build",
    "epic": "build",
    "épopée": "build",
    "sub-task": "build",
    "subtask": "build",
    "sous-tâche": "build",
    "fehler": "anomaly", "verbesserung": "evolution", "neue funktion": "evolution",
    "aufgabe": "build", "unteraufgabe": "build",
    "error": "anomaly", "mejora": "evolution", "nueva función": "evolution",
    "historia": "build", "tarea": "build", "subtarea": "build",
}  # fmt: skip
"""What the types that Jira ships with mean; other names come from the settings."""
CATEGORIES: dict[str, Category] = {"new": "todo", "indeterminate": "in_progress", "done": "done"}
EPICS = frozenset({"epic", "épopée", "epos", "épica", "épico"})
"""What the type above the work is called where a site does not tell its level."""
BLOCKED = frozenset({"blocked", "bloqué", "bloquée", "blockiert", "bloqueado", "bloqueada"})
"""Statuses that say of themselves that an issue cannot go on."""
LOOKUPS = ("status", "issuetype", "priority", "resolution", "project", "fixVersion", "component", "sprint")
"""What an issue names by an id and what may be called otherwise without touching it; words of JQL."""
CATEGORY = "projectCategory"
"""By which word fields.csv names the category of a project."""
PROVIDES: tuple[type[Record], ...] = (
    Container, Account, Iteration, Task, TaskChange, Worklog, TaskLink, SlaCycle, CustomValue,
    Allocation,
)  # fmt: skip

_NOBODY = wire.Person()
NO_ACCOUNT = "unknown"
"""The id that Cloud gives whoever is no account of it any more: not one somebody."""


class Mapper:
    """Knows what the site's types mean.

    *row_id* makes the store's ids, *zone* is that declared for authors who tell none, *account_zone* that of
    the account that asks. *people* False leaves authors of worklogs out. *keys* knows issues by their keys,
    *objects* those of Assets by their ids. *odd* is told of a value that cannot be read and costs itself;
    *unread* are the fields of issues that had one.
    *seen* notes what issues call their statuses, versions and components, by their ids.
    """

    def __init__(
        self,
        *,
        name: str,
        url: str,
        zone: str,
        types: Mapping[str, Nature],
        levels: Mapping[str, int],
        bindings: Bindings,
        history: tuple[str, ...],
        people: bool,
        account_zone: str | None = None,
        keys: Mapping[str, str] | None = None,
        objects: Mapping[str, str] | None = None,
        odd: Callable[[wire.Issue, str, Any, str], None] | None = None,
    ) -> None:
        """Keep the settings."""
        self.account_zone, self.keys = account_zone, keys if keys is not None else {}
        self.odd, self.unread = odd or _refuse, dict[str, set[str]]()
        self.seen: dict[str, dict[str, str]] = {one: {} for one in LOOKUPS}
        self.name, self.url, self.zone, self.levels, self.bindings, self.people = (
            name,
            url.rstrip("/"),
            zone,
            levels,
            bindings,
            people,
        )
        self.customs = bindings.fields
        told = account_zone or (None if zone == "UTC" else zone)
        self._values = Reader(self.account_id, told, objects if objects is not None else {})
        self._pick = wire.picker(tuple(sorted({one.id for one in bindings.kept.values()})))
        self.history = frozenset(history)
        self.natures = NATURES | {name.casefold(): nature for name, nature in types.items()}
        self.told: set[Any] = set()

    def row_id(self, native: object) -> str:
        """Return the store's id."""
        return f"{self.name}:{native}"

    # ---------- containers and people ----------

    def project(self, one: wire.Project) -> Iterator[Record]:
        """Map a project, and its category where it has one."""
        row = self.row_id(f"p{project_no(one)}")
        if one.category:
            yield CustomValue(id=f"{row}/{CATEGORY}", row_id=row, field=CATEGORY, text=one.category.name)
        yield Container(
            id=row,
            kind="project",
            code=one.key,
            name=one.name or one.key,
            url=f"{self.url}/browse/{one.key}",
            archived=bool(one.archived or one.deleted),
        )

    def person(self, one: wire.Person | None) -> Iterator[Account]:
        """Map a person once per run."""
        if one is None or (native := one.native) is None or native in self.told:
            return
        self.told.add(native)
        yield account(self.name, one)

    def account_id(self, one: wire.Person | None) -> str | None:
        """Return the id of a person's account.

        Raises `SourceDataError` for somebody of whom nothing is said.
        """
        if one == _NOBODY:
            raise SourceDataError(tr("it names somebody without an id or a name"))
        return f"{self.name}:u{native}" if one is not None and (native := one.native) else None

    # ---------- issues ----------

    def sprint(self, one: wire.Sprint) -> Iterator[Iteration]:
        """Map a sprint once per run."""
        if one in self.told:
            return
        self.told.add(one)
        yield Iteration(
            id=self.row_id(f"s{one.id}"),
            name=one.name or str(one.id),
            state=(one.state or "").lower() or None,
            start_at=wire.instant(real(one.start_date)),
            finish_at=wire.instant(real(one.end_date)),
            completed_at=wire.instant(real(one.complete_date)),
        )

    def issue(self, issue: wire.Issue, fields: wire.Fields) -> Iterator[Record]:
        """Map one issue with what it embeds except worklogs and history."""
        custom = {name: value for name in self.customs if filled(value := getattr(fields, name))}
        task_id = self.row_id(issue.id)
        sprints = self._sprints(issue, custom)
        for sprint in sprints:
            yield from self.sprint(sprint)
        if fields.project not in self.told:
            self.told.add(fields.project)
            yield from self.project(fields.project)
        yield from self.person(fields.assignee)
        yield from self.person(fields.reporter)
        level = self.level(fields.type)
        parent = fields.parent.id if fields.parent else self._above(custom)
        self._see(fields, sprints)
        for version in fields.versions or ():
            if version.release_date and ("version", version.id) not in self.told:
                self.told.add(("version", version.id))
                yield self.version(project_no(fields.project), version)
        yield Task(
            id=task_id,
            container_id=self.row_id(f"p{project_no(fields.project)}"),
            parent_id=self.row_id(parent) if parent else None,
            code=issue.key,
            title=fields.summary,
            url=f"{self.url}/browse/{issue.key}",
            kind="summary" if level > 0 else "work",
            nature=self.natures.get(fields.type.name.casefold(), "unknown"),
            type_raw=fields.type.name,
            status_raw=fields.status.name,
            resolution_raw=fields.resolution.name if fields.resolution else None,
            priority_raw=fields.priority.name if fields.priority else None,
            status_native=CATEGORIES.get(fields.status.status_category.key)
            if fields.status.status_category
            else None,
            is_blocked=self._blocked(fields, custom),
            assignee_id=self.account_id(fields.assignee),
            iteration_id=self.row_id(f"s{sprints[-1].id}") if sprints else None,
            created_at=wire.instant(fields.created),
            updated_at=wire.instant(fields.updated),
            planned_start_on=self._value(issue, custom, "start", values.day),
            planned_finish_on=self._value(issue, custom, "finish", values.day),
            due_on=self._read(issue, "duedate", fields.due or None, values.day),
            estimate_s=fields.estimate,
            spent_s=fields.spent,
            remaining_s=fields.remaining,
            points=self._value(issue, custom, "points", number),
            labels=" ".join(sorted(one.replace(" ", "\u00a0") for one in fields.labels or ())) or None,
            reporter_id=self.account_id(fields.reporter),
            resolved_at=self._read(issue, "resolutiondate", fields.resolved, wire.instant),
        )
        if fields.links:
            yield from self._links(issue.id, fields)
        for sla in self.bindings.sla:
            yield from self._sla(issue, sla, custom)
        several = {
            "fixVersions": sorted(one.name for one in fields.versions or ()),
            "components": sorted(one.name for one in fields.components or ()),
            # the nearest one is the iteration of the issue; one that was carried on names them all
            "sprints": [one.name or str(one.id) for one in sprints] if len(sprints) > 1 else [],
        }
        for field, names in several.items():
            if names:
                yield CustomValue(id=f"{task_id}/{field}", row_id=task_id, field=field, text=joined(names))
        yield from self._kept(issue)

    def _kept(self, issue: wire.Issue) -> Iterator[Record]:
        """Map the fields that somebody chose; a value of another type costs itself."""
        if not self.bindings.kept:
            return
        task_id = self.row_id(issue.id)
        told = self._pick(issue.fields)
        for words, field in self.bindings.kept.items():
            try:
                found = self._values.read(field, told[field.id])
            except (ValueError, TypeError, SourceDataError, msgspec.ValidationError) as exc:
                self.unreadable(issue, words, told[field.id], exc)
                continue
            if found is None:
                continue
            for one in found.people:
                yield from self.person(one)
            yield CustomValue(
                id=f"{task_id}/{words}", row_id=task_id, field=words,
                text=found.text, number=found.number, day=found.day,
            )  # fmt: skip

    def text(self, issue: wire.Issue, field: Kept) -> str:
        """Return what a chosen field of an issue says; nothing where it cannot be read or is no text."""
        try:
            found = self._values.read(field, self._pick(issue.fields)[field.id])
        except (ValueError, TypeError, SourceDataError, msgspec.DecodeError):
            return ""
        return (found and found.text) or ""

    def _sprints(self, issue: wire.Issue, custom: Mapping[str, Any]) -> list[wire.Sprint]:
        """Return the sprints of an issue, the current one last; an odd one costs itself."""
        told = self._first(custom, "sprint")
        read = (
            self._read(issue, "sprint", one, lambda value: sprints_of([value]))
            for one in (told if isinstance(told, list) else [told])
        )
        return sorted((one for some in read for one in some or ()), key=nearness)

    def _blocked(self, fields: wire.Fields, custom: Mapping[str, Any]) -> bool | None:
        """Say whether an issue is flagged, or stands in a status that says so; None where nothing tells."""
        if fields.status.name.casefold() in BLOCKED:
            return True
        return bool(self._first(custom, "flagged")) if "flagged" in self.bindings.roles else None

    def version(self, project: str, one: wire.Named) -> CustomValue:
        """Map a version of a project, with the day of its release."""
        row = self.row_id(f"p{project}")
        day = one.release_date[:10] if one.release_date else None
        return CustomValue(id=f"{row}/version/{one.id}", row_id=row, field="version", text=one.name, day=day)

    def level(self, one: wire.Kind) -> int:
        """Return where a type stands: above the work (1 and more), the work (0), below it (-1)."""
        return self.levels.get(one.id, 0) if one.hierarchy_level is None else one.hierarchy_level

    def type_word(self, one: wire.Kind) -> str:
        """Return what a type is called and where it stands."""
        return f"{one.name}\x1f{self.level(one)}"

    def _see(self, fields: wire.Fields, sprints: list[wire.Sprint]) -> None:
        self.seen["sprint"] |= {str(one.id): sprint_word(one) for one in sprints}
        self.seen["status"][fields.status.id] = status_word(fields.status)
        self.seen["issuetype"][fields.type.id] = self.type_word(fields.type)
        self.seen["project"][fields.project.id] = fields.project.key
        if fields.priority:
            self.seen["priority"][fields.priority.id] = fields.priority.name
        if fields.resolution:
            self.seen["resolution"][fields.resolution.id] = fields.resolution.name
        for one in fields.versions or ():
            self.seen["fixVersion"][one.id] = one.name
        for one in fields.components or ():
            self.seen["component"][one.id] = one.name

    def _above(self, custom: Mapping[str, Any]) -> str | None:
        """Return the id of the issue above where only a field names it: its epic, or its Roadmap's parent."""
        for name in self.bindings.above:
            native, key = above_of(custom.get(name))
            if native := native or self.keys.get(key or ""):
                return native
        return None

    def _value(
        self, issue: wire.Issue, custom: Mapping[str, Any], role: str, read: Callable[[Any], T]
    ) -> T | None:
        """Read what a field of *role* holds; a value of another type costs itself."""
        return self._read(issue, role, self._first(custom, role), read)

    def _read(self, issue: wire.Issue, field: str, value: Any, read: Callable[[Any], T]) -> T | None:
        if value is None:
            return None
        try:
            return read(value)
        except (ValueError, TypeError, SourceDataError, msgspec.ValidationError) as exc:
            self.unreadable(issue, field, value, exc)
            return None

    def unreadable(self, issue: wire.Issue, field: str, value: Any, error: Exception) -> None:
        """Tell a value of an issue that cannot be read: what it was before is not known to be gone."""
        self.unread.setdefault(issue.id, set()).update({field, "sprints"} if field == "sprint" else {field})
        self.odd(issue, field, value, str(error))

    def _links(self, native: str, fields: wire.Fields) -> Iterator[TaskLink]:
        for link in fields.links or []:
            ends = (
                (native, link.outward_issue.id)
                if link.outward_issue
                else (link.inward_issue.id, native)
                if link.inward_issue
                else None
            )
            if ends:
                yield TaskLink(  # its ends stand in its id: an issue that lost it is found by that
                    id=self.row_id(f"l{ends[0]}/{ends[1]}/{link.id}"),
                    from_id=self.row_id(ends[0]),
                    to_id=self.row_id(ends[1]),
                    type=link.type.name,
                )

    def _sla(self, issue: wire.Issue, field: str, custom: Mapping[str, Any]) -> Iterator[SlaCycle]:
        if field not in custom:
            return
        task_id = self.row_id(issue.id)
        try:
            sla = msgspec.convert(custom[field], wire.Sla)
            cycles = [*sla.completed_cycles, *([sla.ongoing_cycle] if sla.ongoing_cycle else [])]
            found = [
                SlaCycle(
                    id=f"{task_id}/{field}/{number}",
                    task_id=task_id,
                    name=sla.name,
                    metric=sla.name,
                    cycle_no=number,
                    start_at=wire.instant(cycle.start_time.epoch_millis) or "",
                    stop_at=wire.instant(cycle.stop_time.epoch_millis) if cycle.stop_time else None,
                    goal_s=_seconds(cycle.goal_duration),
                    elapsed_s=_seconds(cycle.elapsed_time),
                    breached=cycle.breached,
                    paused=cycle.paused,
                )
                for number, cycle in enumerate(cycles, start=1)
            ]
        except (ValueError, OverflowError, msgspec.ValidationError) as exc:
            self.unreadable(issue, field, custom[field], exc)
            return
        yield from found

    def _first(self, custom: Mapping[str, Any], role: str) -> Any:
        return next((custom[one] for one in self.bindings.roles.get(role, ()) if one in custom), None)

    # ---------- history and hours ----------

    def change(self, issue: str, line: wire.History) -> Iterator[Record]:
        """Map one line of history: the fields that are kept, each by the id of the line and its own name."""
        seen: dict[str, int] = {}
        for item in line.items:
            named = "" if item.field_id else self.bindings.titles.get(item.field.casefold())
            field = self.bindings.words.get(item.field_id or "") or named
            field = field or field_of(item.field_id, item.field)
            if field not in self.history:
                continue
            if not seen:
                yield from self.person(line.author)
            number = seen[field] = seen.get(field, 0) + 1
            yield TaskChange(
                id=f"{self.name}:h{line.id}/{field}"
                if number == 1
                else f"{self.name}:h{line.id}/{field}#{number}",
                task_id=f"{self.name}:{issue}",
                field=field,
                from_value=self._side(field, item.from_, item.from_string),
                to_value=self._side(field, item.to, item.to_string),
                at=wire.instant(line.created) or "",
                author_id=self.account_id(line.author),
            )

    def _side(self, field: str, value: Any, text: str | None) -> str | None:
        if field == "assignee":  # an account, never a name
            return self.row_id(f"u{value}") if value else None
        if field in {"status", "resolution", "duedate", "issuetype", "Key", "project"}:
            return text if text is not None else value
        return str(value) if value not in {None, ""} else text or None

    def worklog(self, log: wire.Worklog, issue: str) -> Iterator[Record]:
        """Map hours: their day is the author's own, as far as anything tells it."""
        if self.people:
            yield from self.person(log.author)
        yield Worklog(
            id=self.row_id(f"w{log.id}"),
            task_id=self.row_id(issue),
            account_id=self.account_id(log.author) if self.people else None,
            day=self.day(log.started, log.author.time_zone if log.author else None),
            seconds=log.time_spent_seconds,
            updated_at=wire.instant(log.updated),
        )

    def day(self, started: str, zone: str | None) -> str:
        """Return the civil day of an instant in the author's zone.

        Where that is hidden: in the declared zone, else in that of the stamp, else in the account's.
        """
        try:
            moment = datetime.fromisoformat(started)
        except ValueError as exc:
            raise SourceDataError(
                tr("Jira sent {started!r} as the start of a worklog.", started=started)
            ) from exc
        declared = None if self.zone == "UTC" else self.zone
        # Z names an instant and not a place, an offset is that of where the account writes from
        placed = moment.tzinfo is not None and not started.endswith("Z")
        for one in (zone, declared, None if placed else self.account_zone, None if placed else self.zone):
            if one and (known := values.zone(one)):
                return (moment.astimezone(known) if moment.tzinfo else moment).date().isoformat()
        return moment.date().isoformat()


def account(source: str, one: wire.Person) -> Account:
    """Map a person whom Jira knows by an id or a name.

    An account of Cloud is Atlassian's: it recognises somebody on every site, which the key of a server does
    not.
    """
    return Account(
        id=f"{source}:u{one.native}",
        display_name=one.display_name,
        email=one.email_address or None,
        login=one.name if one.account_id in {None, NO_ACCOUNT} else one.account_id,
        tz=one.time_zone,
        kind="bot" if one.account_type == "app" else "human",
        active=one.active,
    )


def project_no(one: wire.Project) -> str:
    """Return the immutable number of a project."""
    return one.id


@lru_cache(maxsize=4096)
def field_of(native: str | None, name: str) -> str:
    """Name the field of a line of history: by its id, else by the name Jira gives it."""
    if native and not native.startswith(CUSTOM):
        return native
    plain = {
        "Sprint": "sprint",
        "Story Points": "points",
        "Story point estimate": "points",
        "Parent": "parent",
        "IssueParentAssociation": "parent",
        "Epic Link": "parent",
        "Flagged": "flagged",
        "Assignee": "assignee",
        "Status": "status",
    }
    return plain.get(name, name)


def above_of(value: Any) -> tuple[str | None, str | None]:
    """Return the id and the key of the issue that a field of an epic or a parent names."""
    if isinstance(value, str):
        return None, value
    if not isinstance(value, dict):
        return None, None
    data = value.get("data")
    inner = data if isinstance(data, dict) else value
    native, key = inner.get("id"), inner.get("key")
    return str(native) if native else None, key if isinstance(key, str) else None


def status_word(status: wire.Status) -> str:
    """Return what a status is called and what Jira says it means."""
    return f"{status.name}\x1f{status.status_category.key if status.status_category else ''}"


def sprint_word(sprint: wire.Sprint) -> str:
    """Return what a sprint is called and how far it is: an issue names it so, and its current one by that."""
    return f"{sprint.name or ''}\x1f{(sprint.state or '').lower()}"


def _refuse(issue: wire.Issue, field: str, value: Any, reason: str) -> None:
    raise SourceDataError(
        tr("The field {field} of {key} cannot be read: {reason}", field=field, key=issue.key, reason=reason)
    )


def _seconds(span: wire.Span | None) -> int | None:
    return round(span.millis / 1000) if span else None
