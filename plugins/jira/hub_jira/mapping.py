"""Turn what Jira sends into records; nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from hub import (
    Account,
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
from hub_jira import wire

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
}
"""What the types that Jira ships with mean; other names come from the settings."""
CATEGORIES: dict[str, Category] = {"new": "todo", "indeterminate": "in_progress", "done": "done"}
SCHEMAS = {
    "com.pyxis.greenhopper.jira:gh-sprint": "sprint",
    "com.pyxis.greenhopper.jira:gh-epic-link": "epic",
    "com.pyxis.greenhopper.jira:jsw-story-points": "points",
    "com.atlassian.jpo:jpo-custom-field-baseline-start": "start",
    "com.atlassian.jpo:jpo-custom-field-baseline-end": "finish",
    "com.atlassian.servicedesk:sd-sla-field": "sla",
}
ROLES = ("sprint", "epic", "points", "start", "finish", "flagged")
CUSTOM = "customfield_"
_SPRINT_TEXT = re.compile(r"\[(.*)\]\s*$", re.DOTALL)
_SPRINT_PAIR = re.compile(r"(?:^|,)(\w+)=(.*?)(?=,\w+=|$)", re.DOTALL)
PROVIDES: tuple[type[Record], ...] = (
    Container, Account, Iteration, Task, TaskChange, Worklog, TaskLink, SlaCycle, CustomValue,
)  # fmt: skip


class FieldDef(msgspec.Struct, frozen=True, rename="camel"):
    """A field as Jira lists it; *scope* is a team-managed project's own."""

    id: str
    name: str
    schema: dict[str, Any] = {}
    scope: dict[str, Any] | None = None


class Bindings(msgspec.Struct, frozen=True):
    """Which custom fields mean what: role to ids; *sla* are all service-level fields."""

    roles: dict[str, tuple[str, ...]] = {}
    sla: tuple[str, ...] = ()

    @property
    def fields(self) -> tuple[str, ...]:
        """Return every custom field to ask for."""
        return tuple(sorted({one for ids in self.roles.values() for one in ids} | set(self.sla)))


def bind(fields: list[FieldDef], chosen: Mapping[str, str]) -> Bindings:
    """Find the custom fields by their schema; *chosen* (role to id) goes before what is found."""
    roles: dict[str, list[str]] = {}
    sla = []
    for one in fields:
        custom = str(one.schema.get("custom", ""))
        role = SCHEMAS.get(custom)
        if role == "sla":
            sla.append(one.id)
        elif role:
            roles.setdefault(role, []).append(one.id)
        elif one.name in {"Flagged", "Signalé"} and custom.endswith(":multicheckboxes"):
            roles.setdefault("flagged", []).append(one.id)
        elif one.name in {"Story Points", "Story points"} and custom.endswith(":float"):
            roles.setdefault("points", []).append(one.id)
        elif one.name in {"Start date", "Date de début"} and custom.endswith(":datepicker"):
            roles.setdefault("start", []).append(one.id)
    return Bindings(
        roles={role: tuple(ids) for role, ids in roles.items()}
        | {role: (one,) for role, one in chosen.items()},
        sla=tuple(sorted(sla)),
    )


class Mapper:
    """Knows what the site's types mean.

    *row_id* makes the store's ids, *zone* is that of authors who tell none.

    *people* False leaves authors of worklogs out.
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
    ) -> None:
        """Keep the settings."""
        self.name, self.url, self.zone, self.levels, self.bindings, self.people = (
            name,
            url.rstrip("/"),
            zone,
            levels,
            bindings,
            people,
        )
        self.customs = bindings.fields
        self.history = frozenset(history)
        self.natures = NATURES | {name.casefold(): nature for name, nature in types.items()}
        self.told: set[Any] = set()

    def row_id(self, native: object) -> str:
        """Return the store's id."""
        return f"{self.name}:{native}"

    # ---------- containers and people ----------

    def project(self, one: wire.Project) -> Container:
        """Map a project."""
        return Container(
            id=self.row_id(f"p{project_no(one)}"),
            kind="project",
            code=one.key,
            name=one.name,
            url=f"{self.url}/browse/{one.key}",
            archived=one.archived or one.deleted,
        )

    def person(self, one: wire.Person | None) -> Iterator[Account]:
        """Map a person once per run."""
        if one is None or (native := one.native) is None or native in self.told:
            return
        self.told.add(native)
        yield Account(
            id=self.account_id(one) or "",
            display_name=one.display_name,
            email=one.email_address or None,
            login=one.name,
            tz=one.time_zone,
            kind="bot" if one.account_type == "app" else "human",
            active=one.active,
        )

    def account_id(self, one: wire.Person | None) -> str | None:
        """Return the id of a person's account."""
        return f"{self.name}:u{native}" if one is not None and (native := one.native) else None

    # ---------- issues ----------

    def issue(self, issue: wire.Issue, fields: wire.Fields) -> Iterator[Record]:
        """Map one issue with what it embeds except worklogs and history."""
        custom = {name: value for name in self.customs if (value := getattr(fields, name)) is not None}
        task_id = self.row_id(issue.id)
        sprints = sorted(self._sprints(custom), key=lambda one: (one.state or "").lower() == "active")
        for sprint in sprints:
            if sprint in self.told:
                continue
            self.told.add(sprint)
            yield Iteration(
                id=self.row_id(f"s{sprint.id}"),
                name=sprint.name,
                state=(sprint.state or "").lower() or None,
                start_at=wire.instant(_real(sprint.start_date)),
                finish_at=wire.instant(_real(sprint.end_date)),
                completed_at=wire.instant(_real(sprint.complete_date)),
            )
        if fields.project not in self.told:
            self.told.add(fields.project)
            yield self.project(fields.project)
        yield from self.person(fields.assignee)
        level = (
            fields.type.hierarchy_level
            if fields.type.hierarchy_level is not None
            else self.levels.get(fields.type.id, 0)
        )
        parent = fields.parent.id if fields.parent else None
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
            is_blocked=bool(self._first(custom, "flagged")) if "flagged" in self.bindings.roles else None,
            assignee_id=self.account_id(fields.assignee),
            iteration_id=self.row_id(f"s{sprints[-1].id}") if sprints else None,
            created_at=wire.instant(fields.created),
            updated_at=wire.instant(fields.updated),
            planned_start_on=_day(self._first(custom, "start")),
            planned_finish_on=_day(self._first(custom, "finish")),
            due_on=_day(fields.due),
            estimate_s=fields.estimate,
            spent_s=fields.spent,
            remaining_s=fields.remaining,
            points=_number(self._first(custom, "points")),
            labels=" ".join(sorted(fields.labels)) if fields.labels else None,
        )
        if fields.links:
            yield from self._links(issue.id, fields)
        if self.bindings.sla:
            yield from self._slas(task_id, custom)
        for field, values in (("fixVersions", fields.versions), ("components", fields.components)):
            if values:
                yield CustomValue(
                    id=f"{task_id}/{field}",
                    row_id=task_id,
                    field=field,
                    text=", ".join(sorted(one.name for one in values)),
                )

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
                yield TaskLink(
                    id=self.row_id(f"l{link.id}"),
                    from_id=self.row_id(ends[0]),
                    to_id=self.row_id(ends[1]),
                    type=link.type.name,
                )

    def _slas(self, task_id: str, custom: Mapping[str, Any]) -> Iterator[SlaCycle]:
        for field in self.bindings.sla:
            if not custom.get(field):
                continue
            sla = msgspec.convert(custom[field], wire.Sla)
            for number, cycle in enumerate(
                [*sla.completed_cycles, *([sla.ongoing_cycle] if sla.ongoing_cycle else [])], start=1
            ):
                yield SlaCycle(
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

    def _first(self, custom: Mapping[str, Any], role: str) -> Any:
        return next((custom[one] for one in self.bindings.roles.get(role, ()) if one in custom), None)

    def _sprints(self, custom: Mapping[str, Any]) -> list[wire.Sprint]:
        values = self._first(custom, "sprint") or []
        return [
            sprint_of(one) if isinstance(one, str) else msgspec.convert(one, wire.Sprint) for one in values
        ]

    # ---------- history and hours ----------

    def change(self, issue: str, line: wire.History) -> Iterator[Record]:
        """Map one line of history: the fields that are kept, each by the id of the line and its own name."""
        seen: dict[str, int] = {}
        for item in line.items:
            field = field_of(item.field_id, item.field)
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
        """Map hours: their day is the author's own."""
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
        """Return the civil day of an instant in the author's zone, else in the declared one."""
        try:
            moment = datetime.fromisoformat(started)
        except ValueError as exc:
            raise SourceDataError(
                tr("Jira sent {started!r} as the start of a worklog.", started=started)
            ) from exc
        try:
            return moment.astimezone(ZoneInfo(zone or self.zone)).date().isoformat()
        except (ZoneInfoNotFoundError, ValueError):
            return moment.astimezone(ZoneInfo(self.zone)).date().isoformat()


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


def sprint_of(text: str) -> wire.Sprint:
    """Read Data Center's ``…Sprint@1f[id=1,state=ACTIVE,name=A, b,…]``.

    Raises `SourceDataError` when it is none.
    """
    body = _SPRINT_TEXT.search(text)
    pairs = dict(_SPRINT_PAIR.findall(body.group(1))) if body else {}
    if not pairs.get("id", "").isdigit():
        raise SourceDataError(tr("Jira sent {text!r} as a sprint.", text=text[:80]))
    return wire.Sprint(
        id=int(pairs["id"]),
        name=pairs.get("name", ""),
        state=pairs.get("state"),
        start_date=_real(pairs.get("startDate")),
        end_date=_real(pairs.get("endDate")),
        complete_date=_real(pairs.get("completeDate")),
    )


def _real(text: str | None) -> str | None:
    return None if text in {None, "", "<null>", "null"} else text


def _day(value: Any) -> str | None:
    return str(value)[:10] if value else None


def _number(value: Any) -> float | None:
    """Take a number, also one that a text field holds."""
    try:
        return float(value) if isinstance(value, (int, float, str)) else None
    except ValueError:
        return None


def _seconds(span: wire.Span | None) -> int | None:
    return round(span.millis / 1000) if span else None
