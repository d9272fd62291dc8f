"""One Struct per source-owned table: the words every connector speaks.

Field names, order and meaning are those of the store's tables.
``id`` is ``<source>:<native immutable id>``, never a display key.
``*_at`` are UTC instants ``YYYY-MM-DDTHH:MM:SSZ``; ``*_on``, ``day`` civil dates ``YYYY-MM-DD``, never converted.
``*_s`` and ``seconds`` are seconds of OWN effort; ``*_minor`` minor units of the currency beside it.
None means the source does not provide it; 0 means it is really zero.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar, Literal

import msgspec

Presence = Literal["present", "deleted", "archived", "trashed", "hidden", "unobserved"]
Category = Literal["todo", "in_progress", "done", "cancelled"]


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of one source-owned table."""

    table: ClassVar[str] = ""
    guarded: ClassVar[bool] = False
    """True when the row alone moves a KPI: the mass-leave guard counts such rows only."""

    id: str

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.table = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class Container(Record, frozen=True, kw_only=True):
    """What a source calls a project: a Jira project, an MS Project plan, a cost code of a timesheet."""

    guarded = True
    kind: str
    code: str | None = None
    name: str
    url: str | None = None
    archived: bool | None = None
    seconds_per_day: int | None = None


class Account(Record, frozen=True, kw_only=True):
    """A person, robot or placeholder as one tool knows it."""

    display_name: str | None = None
    email: str | None = None
    login: str | None = None
    employee_no: str | None = None
    tz: str | None = None
    kind: Literal["human", "bot", "generic"] = "human"
    active: bool | None = None


class Iteration(Record, frozen=True, kw_only=True):
    """A sprint or another time box."""

    container_id: str | None = None
    name: str
    state: str | None = None
    start_at: str | None = None
    finish_at: str | None = None
    completed_at: str | None = None


class Task(Record, frozen=True, kw_only=True):
    """A task, issue, card, milestone or summary row."""

    guarded = True
    container_id: str
    parent_id: str | None = None
    code: str | None = None
    wbs: str | None = None
    title: str
    url: str | None = None
    kind: Literal["work", "summary", "milestone", "deliverable"] = "work"
    is_milestone: bool | None = None
    nature: Literal["build", "anomaly", "evolution", "incident", "request", "internal", "unknown"] = "unknown"
    type_raw: str | None = None
    status_raw: str | None = None
    resolution_raw: str | None = None
    priority_raw: str | None = None
    status_native: Category | None = None
    is_blocked: bool | None = None
    assignee_id: str | None = None
    iteration_id: str | None = None
    created_at: str | None = None
    updated_at: str | None = None
    planned_start_on: str | None = None
    planned_finish_on: str | None = None
    actual_start_on: str | None = None
    actual_finish_on: str | None = None
    due_on: str | None = None
    percent: float | None = None
    percent_kind: Literal["duration", "work", "physical"] | None = None
    estimate_s: int | None = None
    spent_s: int | None = None
    remaining_s: int | None = None
    points: float | None = None
    labels: str | None = None


class Baseline(Record, frozen=True, kw_only=True):
    """One saved baseline of one task; *no* is 0 to 10 in MS Project."""

    task_id: str
    no: int = 0
    captured_at: str | None = None
    origin: Literal["source", "hub"] = "source"
    start_on: str | None = None
    finish_on: str | None = None
    effort_s: int | None = None
    points: float | None = None
    cost_minor: int | None = None
    currency: str | None = None


class TaskChange(Record, frozen=True, kw_only=True):
    """What the source says happened to a task, and when (valid time)."""

    task_id: str
    field: str
    from_value: str | None = None
    to_value: str | None = None
    at: str
    author_id: str | None = None
    origin: Literal["source", "observed"] = "source"


class Worklog(Record, frozen=True, kw_only=True):
    """Hours on a day. *origin* ``plan`` is the actual work of a schedule: it never adds to timesheets."""

    guarded = True
    task_id: str | None = None
    container_id: str | None = None
    account_id: str | None = None
    day: str
    seconds: int
    category: Literal["project", "internal", "absence"] = "project"
    billable: bool | None = None
    origin: Literal["timesheet", "plan"] = "timesheet"
    approval: Literal["draft", "submitted", "approved", "rejected", "unknown"] = "unknown"
    updated_at: str | None = None


class Allocation(Record, frozen=True, kw_only=True):
    """Planned work (or absence) of an account between two civil dates, both included."""

    account_id: str
    task_id: str | None = None
    container_id: str | None = None
    kind: Literal["work", "absence"] = "work"
    start_on: str
    finish_on: str
    seconds: int


class TaskLink(Record, frozen=True, kw_only=True):
    """A dependency; *type* is FS, SS, FF or SF in schedules, the link's name elsewhere."""

    from_id: str
    to_id: str
    type: str
    lag_s: int | None = None


class BudgetLine(Record, frozen=True, kw_only=True):
    """An amount of one kind for a project, a month ``YYYY-MM`` and a category."""

    guarded = True
    project_code: str
    month: str
    kind: Literal["baseline", "revised", "committed", "consumed", "forecast"]
    category: str
    is_capex: bool | None = None
    amount_minor: int
    currency: str = "EUR"


class RegisterItem(Record, frozen=True, kw_only=True):
    """A risk, issue, action or decision."""

    guarded = True
    project_code: str
    kind: Literal["risk", "issue", "action", "decision"]
    category: str | None = None
    title: str
    state: Literal["open", "closed", "cancelled"] = "open"
    probability: float | None = None
    impact: int | None = None
    exposure_minor: int | None = None
    currency: str | None = None
    owner_id: str | None = None
    opened_on: str | None = None
    due_on: str | None = None
    closed_on: str | None = None


class ChecklistItem(Record, frozen=True, kw_only=True):
    """One line of a checklist such as a readiness matrix."""

    guarded = True
    project_code: str | None = None
    task_id: str | None = None
    list: str
    ref: str | None = None
    label: str
    mandatory: bool = True
    state: Literal["todo", "ok", "nok", "na"] = "todo"
    checked_on: str | None = None
    evidence_url: str | None = None


class SlaCycle(Record, frozen=True, kw_only=True):
    """One cycle of a service-level clock."""

    guarded = True
    task_id: str
    name: str
    metric: str
    cycle_no: int
    start_at: str
    stop_at: str | None = None
    goal_s: int | None = None
    elapsed_s: int | None = None
    breached: bool = False
    paused: bool | None = None


class CustomValue(Record, frozen=True, kw_only=True):
    """The value of a custom field of any row; *row_id* is that row's id."""

    row_id: str
    field: str
    text: str | None = None
    number: float | None = None
    day: str | None = None


class Project(Record, frozen=True, kw_only=True):
    """The PMO's own project; ``id`` is ``config:<code>``."""

    code: str
    parent_code: str | None = None
    level: Literal["portfolio", "program", "project", "workstream"] = "project"
    name: str
    phase: str | None = None
    state: Literal["proposed", "active", "on_hold", "closed", "cancelled"] = "active"
    manager_id: str | None = None
    sponsor: str | None = None
    customer: str | None = None
    entity: str | None = None
    strategic_axis: str | None = None
    priority: int | None = None
    currency: str = "EUR"
    calendar_id: str | None = None


class ProjectLink(Record, frozen=True, kw_only=True):
    """Which container feeds which project, with which facets (comma-separated), for which tasks (*filter*; empty: all)."""

    project_code: str
    container_id: str
    filter: str = ""
    facets: str = ""


class Team(Record, frozen=True, kw_only=True):
    """A team of the organisation; ``id`` is ``config:team/<name>``."""

    name: str


class Person(Record, frozen=True, kw_only=True):
    """A human being, whatever the tools call them. *aliases* are other e-mail addresses, separated by blanks."""

    display_name: str
    email: str | None = None
    aliases: str | None = None
    employee_no: str | None = None
    login: str | None = None
    team: str | None = None
    role: str | None = None
    is_external: bool = False
    timesheet_expected: bool = True
    calendar_id: str | None = None
    fte: float = 1.0
    active_from: str | None = None
    active_to: str | None = None


class AccountAlias(Record, frozen=True, kw_only=True):
    """What an administrator knows of an account that its tool hides: an e-mail address, or the person it is."""

    account_id: str
    email: str | None = None
    person_id: str | None = None


class Calendar(Record, frozen=True, kw_only=True):
    """A working calendar; *week_mask* has a 1 for each working day from Monday to Sunday."""

    code: str
    country: str | None = None
    subdivision: str | None = None
    week_mask: str = "1111100"
    seconds_per_day: int = 25200


class CalendarDay(Record, frozen=True, kw_only=True):
    """A day on which a calendar differs from its week and its country: *seconds* worked, 0 for a closing day."""

    calendar: str
    day: str
    seconds: int = 0
    label: str | None = None


class Rate(Record, frozen=True, kw_only=True):
    """What a person-day costs from *valid_from* to *valid_to*, both included. The narrowest scope wins."""

    scope: Literal["person", "role", "team", "project", "default"]
    scope_id: str = "*"
    valid_from: str
    valid_to: str | None = None
    minor_per_day: int
    currency: str = "EUR"


class FxRate(Record, frozen=True, kw_only=True):
    """How many units of *currency* one euro was in *month*."""

    currency: str
    month: str
    per_eur: float


class Target(Record, frozen=True, kw_only=True):
    """When a figure is amber or red; *direction* says which way is better. *scope_id* is a project code or ``*``."""

    kpi: str
    measure: str
    scope_id: str = "*"
    goal: float | None = None
    amber: float | None = None
    red: float | None = None
    direction: Literal["up", "down"] = "up"
    valid_from: str = "0001-01-01"


class StatusMap(Record, frozen=True, kw_only=True):
    """What a status of a tool means; *container_id* narrows it to one container, ``*`` is all of the source."""

    source: str
    container_id: str = "*"
    status_raw: str
    category: Category
    stage: str | None = None


class SlaGoal(Record, frozen=True, kw_only=True):
    """A service level for tools that keep no clock: tasks of *nature* and *priority* done within *goal_s* seconds."""

    project_code: str = "*"
    nature: str = "*"
    priority: str = "*"
    metric: str = "resolution"
    goal_s: int


class Assessment(Record, frozen=True, kw_only=True):
    """What the committee said of a project on one axis, from *day* on."""

    project_code: str
    day: str
    axis: str
    rag: Literal["green", "amber", "red", "grey"]
    trend: Literal["up", "flat", "down"] | None = None
    comment: str | None = None
    author: str | None = None


class Access(Record, frozen=True, kw_only=True):
    """Who may see a project or a team in BI tools with row-level security."""

    user_principal: str
    project_code: str | None = None
    team: str | None = None


class PersonLink(Record, frozen=True, kw_only=True):
    """An account belongs to a person: decided by an exact identifier or by someone, else only proposed."""

    account_id: str
    person_id: str
    method: str
    score: float
    state: Literal["proposed", "accepted", "rejected"]
    reason: str | None = None


class TaskMatch(Record, frozen=True, kw_only=True):
    """A task of an execution tool carries out a task of a plan (one plan task, many execution tasks)."""

    plan_task_id: str
    exec_task_id: str
    method: str
    score: float
    state: Literal["proposed", "accepted", "rejected"]
    reason: str | None = None


REFERENCE: tuple[type[Record], ...] = (
    Project, ProjectLink, Team, Person, AccountAlias, Calendar, CalendarDay, Rate, FxRate, Target, StatusMap, SlaGoal, Assessment,
    Access,
)  # fmt: skip
"""What a PMO keeps in config/, besides budgets, registers and checklists; a connector may bring it too."""
RECORDS: tuple[type[Record], ...] = (
    Container, Account, Iteration, Task, Baseline, TaskChange, Worklog, Allocation, TaskLink, BudgetLine,
    RegisterItem, ChecklistItem, SlaCycle, CustomValue, *REFERENCE,
)  # fmt: skip
"""What a source may bring."""
DECISIONS: tuple[type[Record], ...] = (PersonLink, TaskMatch)
"""What people decide with `hub match`."""
BY_TABLE: dict[str, type[Record]] = {record.table: record for record in (*RECORDS, *DECISIONS)}
FACETS: tuple[str, ...] = ("schedule", "baseline", "effort", "actuals", "status", "flow", "nature", "budget")


def columns(record: type[Record]) -> tuple[str, ...]:
    """Give the column names of *record*'s table, in field order."""
    return record.__struct_fields__
