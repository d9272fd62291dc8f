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
    """Which container feeds which project, and with which facets (comma-separated)."""

    project_code: str
    container_id: str
    filter: str = ""
    facets: str = ""


RECORDS: tuple[type[Record], ...] = (
    Container, Account, Iteration, Task, Baseline, TaskChange, Worklog, Allocation, TaskLink, BudgetLine,
    RegisterItem, ChecklistItem, SlaCycle, CustomValue, Project, ProjectLink,
)  # fmt: skip
BY_TABLE: dict[str, type[Record]] = {record.table: record for record in RECORDS}
FACETS: tuple[str, ...] = ("schedule", "baseline", "effort", "actuals", "status", "flow", "nature", "budget")


def columns(record: type[Record]) -> tuple[str, ...]:
    """Give the column names of *record*'s table, in field order."""
    return record.__struct_fields__
