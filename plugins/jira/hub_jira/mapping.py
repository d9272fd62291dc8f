"""Turn what Jira sends into records; nothing is asked here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any, Literal, TypeVar
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
}
"""What the types that Jira ships with mean; other names come from the settings."""
CATEGORIES: dict[str, Category] = {"new": "todo", "indeterminate": "in_progress", "done": "done"}
SCHEMAS = {
    "com.pyxis.greenhopper.jira:gh-sprint": "sprint",
    "com.pyxis.greenhopper.jira:gh-epic-link": "epic",
    "com.pyxis.greenhopper.jira:jsw-story-points": "points",
    "com.atlassian.jpo:jpo-custom-field-parent": "parent",
    "com.atlassian.jpo:jpo-custom-field-baseline-start": "start",
    "com.atlassian.jpo:jpo-custom-field-baseline-end": "finish",
    "com.atlassian.servicedesk:sd-sla-field": "sla",
}
NAMED = {
    "flagged": ("multicheckboxes", "flagged"), "signalé": ("multicheckboxes", "flagged"),
    "story points": ("float", "points"), "story point estimate": ("float", "points"),
    "start date": ("datepicker", "start"), "date de début": ("datepicker", "start"),
}  # fmt: skip
"""Fields whose schema does not tell what they are: a name in small letters, the end of the schema, a role."""
ROLES = ("sprint", "epic", "parent", "points", "start", "finish", "flagged")
ABOVE = ("epic", "parent")
"""Roles of fields that name the issue above by its key, nearest first."""
CUSTOM = "customfield_"
LOOKUPS = ("status", "fixVersion", "component")
"""What an issue names by an id and what may be called otherwise without touching it; words of JQL."""
_SPRINT_TEXT = re.compile(r"\[(.*)\]\s*$", re.DOTALL)
_SPRINT_PAIR = re.compile(r"(?:^|,)(\w+)=(.*?)(?=,\w+=|$)", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
PROVIDES: tuple[type[Record], ...] = (
    Container, Account, Iteration, Task, TaskChange, Worklog, TaskLink, SlaCycle, CustomValue,
)  # fmt: skip
Chosen = Mapping[str, str | tuple[str, ...]]


class FieldDef(msgspec.Struct, frozen=True, rename="camel"):
    """A field as Jira lists it; *scope* is a team-managed project's own.

    *name* is in the language of the account; *untranslated_name* and *clause_names* are not.
    """

    id: str
    name: str = ""
    untranslated_name: str | None = None
    clause_names: list[str] | None = None
    schema: dict[str, Any] | None = None
    scope: dict[str, Any] | None = None

    @property
    def custom(self) -> str:
        """Return the schema of a custom field."""
        return str((self.schema or {}).get("custom") or "")

    @property
    def names(self) -> set[str]:
        """Return every name it has, in small letters."""
        known = (self.untranslated_name, self.name, *(self.clause_names or ()))
        return {one.casefold() for one in known if one}

    @property
    def role(self) -> str | None:
        """Return what it is for, by its schema, else by its untranslated name."""
        if role := SCHEMAS.get(self.custom):
            return role
        named = (NAMED[one] for one in sorted(self.names & NAMED.keys()))
        return next((role for end, role in named if self.custom.endswith(f":{end}")), None)


class Bindings(msgspec.Struct, frozen=True):
    """Which custom fields mean what: role to ids; *sla* are all service-level fields.

    *words* are the kept fields of a history, by their ids; *nameless* says that some have none.
    """

    roles: dict[str, tuple[str, ...]] = {}
    sla: tuple[str, ...] = ()
    words: dict[str, str] = {}
    nameless: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        """Return every custom field to ask for."""
        return tuple(sorted({one for ids in self.roles.values() for one in ids} | set(self.sla)))

    @property
    def above(self) -> tuple[str, ...]:
        """Return the fields that name the issue above."""
        return tuple(one for role in ABOVE for one in self.roles.get(role, ()))


def bind(fields: list[FieldDef], chosen: Chosen, history: Iterable[str] = ()) -> Bindings:
    """Find the custom fields by what they are; *chosen* (role to ids) goes before what is found.

    Of several fields for one role those of single projects come first: an issue has its own or the site's.
    """
    roles: dict[str, list[str]] = {}
    sla = []
    for one in sorted(fields, key=lambda one: one.scope is None):
        role = one.role
        if role == "sla":
            sla.append(one.id)
        elif role:
            roles.setdefault(role, []).append(one.id)
    bound = {role: tuple(ids) for role, ids in roles.items()} | {
        role: (ids,) if isinstance(ids, str) else tuple(ids) for role, ids in chosen.items()
    }
    words: dict[str, str] = {}
    nameless = False
    for kept in history:
        if kept in ROLES:
            ids = bound.get(kept, ())
            if kept == "parent":  # a change of the parent comes without the id of a field
                ids, nameless = ("parent", *bound.get("epic", ()), *ids), True
        else:
            ids = tuple(one.id for one in fields if kept == one.id or kept.casefold() in one.names)
            ids = ids or ((kept,) if kept in wire.SYSTEM_FIELDS else ())
            nameless = nameless or not ids
        words |= dict.fromkeys(ids, kept)
    return Bindings(roles=bound, sla=tuple(sorted(sla)), words=words, nameless=nameless)


class Mapper:
    """Knows what the site's types mean.

    *row_id* makes the store's ids, *zone* is that declared for authors who tell none, *account_zone* that of
    the account that asks. *people* False leaves authors of worklogs out. *keys* knows issues by their keys,
    *odd* is told of a value that cannot be read and costs itself; *unread* are the issues that had one.
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
        odd: Callable[[wire.Issue, str, Any, str], None] | None = None,
    ) -> None:
        """Keep the settings."""
        self.account_zone, self.keys = account_zone, keys if keys is not None else {}
        self.odd, self.unread = odd or _refuse, set[str]()
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

    def sprint(self, one: wire.Sprint) -> Iterator[Iteration]:
        """Map a sprint once per run."""
        if one in self.told:
            return
        self.told.add(one)
        yield Iteration(
            id=self.row_id(f"s{one.id}"),
            name=one.name,
            state=(one.state or "").lower() or None,
            start_at=wire.instant(_real(one.start_date)),
            finish_at=wire.instant(_real(one.end_date)),
            completed_at=wire.instant(_real(one.complete_date)),
        )

    def issue(self, issue: wire.Issue, fields: wire.Fields) -> Iterator[Record]:
        """Map one issue with what it embeds except worklogs and history."""
        custom = {name: value for name in self.customs if _filled(value := getattr(fields, name))}
        task_id = self.row_id(issue.id)
        sprints = self._value(issue, custom, "sprint", sprints_of) or []
        for sprint in sprints:
            yield from self.sprint(sprint)
        if fields.project not in self.told:
            self.told.add(fields.project)
            yield self.project(fields.project)
        yield from self.person(fields.assignee)
        level = (
            fields.type.hierarchy_level
            if fields.type.hierarchy_level is not None
            else self.levels.get(fields.type.id, 0)
        )
        parent = fields.parent.id if fields.parent else self._above(custom)
        self._see(fields)
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
            planned_start_on=self._value(issue, custom, "start", _day),
            planned_finish_on=self._value(issue, custom, "finish", _day),
            due_on=_day(fields.due) if fields.due else None,
            estimate_s=fields.estimate,
            spent_s=fields.spent,
            remaining_s=fields.remaining,
            points=self._value(issue, custom, "points", _number),
            labels=" ".join(sorted(fields.labels)) if fields.labels else None,
        )
        if fields.links:
            yield from self._links(issue.id, fields)
        for sla in self.bindings.sla:
            yield from self._sla(issue, sla, custom)
        several = {
            "fixVersions": sorted(one.name for one in fields.versions or ()),
            "components": sorted(one.name for one in fields.components or ()),
            # the nearest one is the iteration of the issue; one that was carried on names them all
            "sprints": [one.name for one in sprints] if len(sprints) > 1 else [],
        }
        for field, names in several.items():
            if names:
                yield CustomValue(id=f"{task_id}/{field}", row_id=task_id, field=field, text=", ".join(names))

    def version(self, project: str, one: wire.Named) -> CustomValue:
        """Map a version of a project, with the day of its release."""
        row = self.row_id(f"p{project}")
        day = one.release_date[:10] if one.release_date else None
        return CustomValue(id=f"{row}/version/{one.id}", row_id=row, field="version", text=one.name, day=day)

    def _see(self, fields: wire.Fields) -> None:
        self.seen["status"][fields.status.id] = status_word(fields.status)
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
        value = self._first(custom, role)
        if value is None:
            return None
        try:
            return read(value)
        except (ValueError, TypeError, SourceDataError, msgspec.ValidationError) as exc:
            self._unread(issue, role, value, exc)
            return None

    def _unread(self, issue: wire.Issue, field: str, value: Any, error: Exception) -> None:
        self.unread.add(issue.id)
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
            self._unread(issue, field, custom[field], exc)
            return
        yield from found

    def _first(self, custom: Mapping[str, Any], role: str) -> Any:
        return next((custom[one] for one in self.bindings.roles.get(role, ()) if one in custom), None)

    # ---------- history and hours ----------

    def change(self, issue: str, line: wire.History) -> Iterator[Record]:
        """Map one line of history: the fields that are kept, each by the id of the line and its own name."""
        seen: dict[str, int] = {}
        for item in line.items:
            field = self.bindings.words.get(item.field_id or "") or field_of(item.field_id, item.field)
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
            if one and (known := _zone(one)):
                return (moment.astimezone(known) if moment.tzinfo else moment).date().isoformat()
        return moment.date().isoformat()


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


def sprints_of(values: Any) -> list[wire.Sprint]:
    """Read the sprints of an issue; the current one comes last.

    Raises `SourceDataError` or `msgspec.ValidationError` for what is none.
    """
    several = values if isinstance(values, list) else [values]
    found = [sprint_of(one) if isinstance(one, str) else msgspec.convert(one, wire.Sprint) for one in several]
    return sorted(found, key=_nearness)


def _nearness(sprint: wire.Sprint) -> tuple[Any, ...]:
    """Return how near a sprint is: the active one, else the next one, else the last one that was closed."""
    state = (sprint.state or "").lower()
    start, end = (wire.instant(_real(one)) or "" for one in (sprint.start_date, sprint.end_date))
    if state == "future":
        # without a day a sprint is planned later than with one
        return 1, -wire.millis(start) if start else float("-inf"), -sprint.id
    done = wire.instant(_real(sprint.complete_date)) or end
    return 2 if state == "active" else 0, wire.millis(done or start) if done or start else 0, sprint.id


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


def _refuse(issue: wire.Issue, field: str, value: Any, reason: str) -> None:
    raise SourceDataError(
        tr("The field {field} of {key} cannot be read: {reason}", field=field, key=issue.key, reason=reason)
    )


def _filled(value: Any) -> bool:
    return value is not None and value not in ("", [])


@lru_cache(maxsize=1024)
def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return None


def _real(text: str | None) -> str | None:
    return None if text in {None, "", "<null>", "null"} else text


def _day(value: Any) -> str:
    if not isinstance(value, str) or not _DAY.match(value):
        raise ValueError(tr("it is not a day"))
    return value[:10]


def _number(value: Any) -> float:
    """Take a number, also one that a text field holds."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise ValueError(tr("it is not a number"))
    try:
        return float(value)
    except ValueError as exc:
        raise ValueError(tr("it is not a number")) from exc


def _seconds(span: wire.Span | None) -> int | None:
    return round(span.millis / 1000) if span else None
