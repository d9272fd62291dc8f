"""One Struct per source-owned table: the words every connector speaks.

Field names, order and meaning are those of the store's tables. ``id`` is ``<source>:<native immutable id>``,
never a display key. ``*_at`` are UTC instants ``YYYY-MM-DDTHH:MM:SSZ``; ``*_on``, ``day`` civil dates
``YYYY-MM-DD``, never converted. ``*_s`` and ``seconds`` are seconds of OWN effort; ``*_minor`` minor units of
the currency beside it. None means the source does not provide it; 0 means it is really zero.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from hub.columns import (
    Bound,
    Column,
    Currency,
    Day,
    DayLength,
    Email,
    FreeText,
    Id,
    Instant,
    Login,
    Minor,
    Month,
    Name,
    Percent,
    Ratio,
    Ref,
    Seconds,
    Share,
    Word,
)

Presence = Literal["present", "deleted", "archived", "trashed", "hidden", "unobserved", "outside"]
Category = Literal["todo", "in_progress", "done", "cancelled"]
CUT_KINDS = ("daily", "weekly", "copil", "month")


class Record(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One row of one source-owned table."""

    table: ClassVar[str] = ""
    guarded: ClassVar[bool] = False
    """True when the row alone moves a KPI: the mass-leave guard counts such rows only."""

    id: Id

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.table = re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()


class Container(Record, frozen=True, kw_only=True):
    """What a source calls a project: a Jira project, an MS Project plan, a cost code of a timesheet."""

    guarded = True
    kind: Word
    code: FreeText | None = None
    name: FreeText
    url: Word | None = None
    archived: bool | None = None
    seconds_per_day: DayLength | None = None
    status_on: Day | None = None
    """The day up to which a plan tells what was done."""


class Account(Record, frozen=True, kw_only=True):
    """A person, robot or placeholder as one tool knows it."""

    display_name: Name | None = None
    email: Email | None = None
    login: Login | None = None
    employee_no: Login | None = None
    tz: Word | None = None
    kind: Literal["human", "bot", "generic"] = "human"
    active: bool | None = None


class Iteration(Record, frozen=True, kw_only=True):
    """A sprint or another time box."""

    container_id: Ref | None = None
    name: FreeText
    state: Word | None = None
    start_at: Instant | None = None
    finish_at: Instant | None = None
    completed_at: Instant | None = None


class Task(Record, frozen=True, kw_only=True):
    """A task, issue, card, milestone or summary row.

    *labels* are separated by blanks; one inside a label is a no-break space. *cost_minor* is the whole
    planned cost, its fixed part included; ``duration_s`` and slacks are working time.
    """

    guarded = True
    container_id: Ref
    parent_id: Ref | None = None
    code: Word | None = None
    wbs: Word | None = None
    title: FreeText
    url: Word | None = None
    kind: Literal["work", "summary", "milestone", "deliverable"] = "work"
    is_milestone: bool | None = None
    nature: Literal["build", "anomaly", "evolution", "incident", "request", "internal", "unknown"] = "unknown"
    type_raw: Word | None = None
    status_raw: Word | None = None
    resolution_raw: Word | None = None
    priority_raw: Word | None = None
    status_native: Category | None = None
    is_blocked: bool | None = None
    assignee_id: Ref | None = None
    iteration_id: Ref | None = None
    created_at: Instant | None = None
    updated_at: Instant | None = None
    planned_start_on: Day | None = None
    planned_finish_on: Day | None = None
    actual_start_on: Day | None = None
    actual_finish_on: Day | None = None
    due_on: Day | None = None
    percent: Percent | None = None
    percent_kind: Literal["duration", "work", "physical"] | None = None
    estimate_s: Seconds | None = None
    spent_s: Seconds | None = None
    remaining_s: Seconds | None = None
    points: float | None = None
    labels: FreeText | None = None
    reporter_id: Ref | None = None
    resolved_at: Instant | None = None
    deadline_on: Day | None = None
    constraint_type: (
        Literal[
            "as_soon_as_possible", "as_late_as_possible", "start_no_earlier", "start_no_later",
            "finish_no_earlier", "finish_no_later", "must_start", "must_finish",
        ]
        | None
    ) = None  # fmt: skip
    constraint_on: Day | None = None
    is_critical: bool | None = None
    is_manual: bool | None = None
    duration_s: Seconds | None = None
    total_slack_s: Seconds | None = None
    free_slack_s: Seconds | None = None
    cost_minor: Minor | None = None
    fixed_cost_minor: Minor | None = None
    actual_cost_minor: Minor | None = None
    remaining_cost_minor: Minor | None = None
    currency: Currency | None = None
    notes: FreeText | None = None


class Assignment(Record, frozen=True, kw_only=True):
    """One resource on one task of a plan: its own planned, actual and remaining work, and what that costs.

    Nobody assigned is an account of None: demand that waits for somebody. *units* is 0.5 for half of a day.
    """

    task_id: Ref
    account_id: Ref | None = None
    units: Annotated[float, Column(kind="share", low=0)] | None = None
    start_on: Day | None = None
    finish_on: Day | None = None
    planned_s: Seconds | None = None
    actual_s: Seconds | None = None
    remaining_s: Seconds | None = None
    overtime_s: Seconds | None = None
    cost_minor: Minor | None = None
    actual_cost_minor: Minor | None = None
    remaining_cost_minor: Minor | None = None
    currency: Currency | None = None


class Baseline(Record, frozen=True, kw_only=True):
    """One saved baseline of one task; *no* is 0 to 10 in MS Project."""

    task_id: Ref
    no: int = 0
    captured_at: Instant | None = None
    origin: Literal["source", "hub"] = "source"
    start_on: Day | None = None
    finish_on: Day | None = None
    effort_s: Seconds | None = None
    points: float | None = None
    cost_minor: Minor | None = None
    currency: Currency | None = None


class TaskChange(Record, frozen=True, kw_only=True):
    """What the source says happened to a task, and when (valid time)."""

    task_id: Ref
    field: Word
    from_value: FreeText | None = None
    to_value: FreeText | None = None
    at: Instant
    author_id: Ref | None = None
    origin: Literal["source", "observed"] = "source"


class Worklog(Record, frozen=True, kw_only=True):
    """Hours on a day, or from *day* to *finish_on*, both included, as weekly timesheets keep them.

    *origin* ``plan`` is the actual work of a schedule: it never adds to timesheets.
    """

    guarded = True
    task_id: Ref | None = None
    container_id: Ref | None = None
    account_id: Ref | None = None
    day: Day
    seconds: Seconds
    category: Literal["project", "internal", "absence"] = "project"
    billable: bool | None = None
    origin: Literal["timesheet", "plan"] = "timesheet"
    approval: Literal["draft", "submitted", "approved", "rejected", "unknown"] = "unknown"
    updated_at: Instant | None = None
    finish_on: Day | None = None


class Allocation(Record, frozen=True, kw_only=True):
    """Planned work (or absence) of an account between two civil dates, both included.

    Work of nobody yet is demand without a resource.
    """

    account_id: Ref | None = None
    task_id: Ref | None = None
    container_id: Ref | None = None
    kind: Literal["work", "absence"] = "work"
    start_on: Day
    finish_on: Day
    seconds: Seconds


class Capacity(Record, frozen=True, kw_only=True):
    """What an account can work on each of some weekdays between two civil dates, both included.

    It is as the tool's own calendars say, with days off as 0 *seconds*; *weekdays* has a 1 for each
    day that is meant, from Monday to Sunday. *units* is 0.5 for somebody who is there for half of each day.
    """

    account_id: Ref
    container_id: Ref | None = None
    start_on: Day
    finish_on: Day
    weekdays: Word = "1111111"
    seconds: Annotated[int, Column(kind="seconds", low=0, high=86400)]
    units: Annotated[float, Column(kind="share", low=0)] = 1.0


class TaskLink(Record, frozen=True, kw_only=True):
    """A dependency; *type* is FS, SS, FF or SF in schedules, the link's name elsewhere."""

    from_id: Ref
    to_id: Ref
    type: Word
    lag_s: Seconds | None = None


class BudgetLine(Record, frozen=True, kw_only=True):
    """An amount of one kind for a project, a month ``YYYY-MM`` and a category."""

    guarded = True
    project_code: Word
    month: Month
    kind: Literal["baseline", "revised", "committed", "consumed", "forecast"]
    category: Word
    is_capex: bool | None = None
    amount_minor: Minor
    currency: Currency = "EUR"


class RegisterItem(Record, frozen=True, kw_only=True):
    """A risk, issue, action or decision; *asked_of* is the body that shall decide, such as ``COPIL``."""

    guarded = True
    project_code: Word
    kind: Literal["risk", "issue", "action", "decision"]
    category: Word | None = None
    title: FreeText
    state: Literal["open", "closed", "cancelled"] = "open"
    probability: Share | None = None
    impact: int | None = None
    exposure_minor: Minor | None = None
    currency: Currency | None = None
    owner_id: Name | None = None
    opened_on: Day | None = None
    due_on: Day | None = None
    closed_on: Day | None = None
    asked_of: FreeText | None = None


class ChecklistItem(Record, frozen=True, kw_only=True):
    """One line of a checklist such as a readiness matrix."""

    guarded = True
    project_code: Word | None = None
    task_id: Ref | None = None
    list: Word
    ref: Word | None = None
    label: FreeText
    mandatory: bool = True
    state: Literal["todo", "ok", "nok", "na"] = "todo"
    checked_on: Day | None = None
    evidence_url: Word | None = None


class SlaCycle(Record, frozen=True, kw_only=True):
    """One cycle of a service-level clock."""

    guarded = True
    task_id: Ref
    name: Word
    metric: Word
    cycle_no: int
    start_at: Instant
    stop_at: Instant | None = None
    goal_s: Seconds | None = None
    elapsed_s: Seconds | None = None
    breached: bool = False
    paused: bool | None = None


class CustomValue(Record, frozen=True, kw_only=True):
    """The value of a custom field of any row; *row_id* is that row's id."""

    row_id: Ref
    field: Word
    text: FreeText | None = None
    number: Ratio | None = None
    day: Day | None = None


class Project(Record, frozen=True, kw_only=True):
    """The PMO's own project; ``id`` is ``config:<code>``."""

    code: Word
    parent_code: Word | None = None
    level: Literal["portfolio", "program", "project", "workstream"] = "project"
    name: FreeText
    phase: Word | None = None
    state: Literal["proposed", "active", "on_hold", "closed", "cancelled"] = "active"
    manager_id: Name | None = None
    sponsor: Name | None = None
    customer: FreeText | None = None
    entity: FreeText | None = None
    strategic_axis: Word | None = None
    priority: int | None = None
    currency: Currency = "EUR"
    calendar_id: Word | None = None


class ProjectLink(Record, frozen=True, kw_only=True):
    """Which container feeds which project, with which facets, for which tasks.

    Facets are separated by commas; an empty *filter* takes all tasks.
    """

    project_code: Word
    container_id: Ref
    filter: FreeText = ""
    facets: Word = ""


class Team(Record, frozen=True, kw_only=True):
    """A team of the organisation; ``id`` is ``config:team/<name>``."""

    name: Word


class Person(Record, frozen=True, kw_only=True):
    """A human being, whatever the tools call them.

    *aliases* are other e-mail addresses, separated by blanks.
    """

    display_name: Name
    email: Email | None = None
    aliases: Email | None = None
    employee_no: Login | None = None
    login: Login | None = None
    team: Word | None = None
    role: Word | None = None
    is_external: bool = False
    timesheet_expected: bool = True
    calendar_id: Word | None = None
    fte: Annotated[float, Column(kind="share", above=0, high=1.5)] = 1.0
    active_from: Bound | None = None
    active_to: Bound | None = None


class AccountAlias(Record, frozen=True, kw_only=True):
    """What an administrator knows of an account that its tool hides.

    An e-mail address, or the person it is.
    """

    account_id: Ref
    email: Email | None = None
    person_id: Ref | None = None


class Calendar(Record, frozen=True, kw_only=True):
    """A working calendar; *week_mask* has a 1 for each working day from Monday to Sunday."""

    code: Word
    country: Word | None = None
    subdivision: Word | None = None
    week_mask: Word = "1111100"
    seconds_per_day: DayLength = 25200


class CalendarDay(Record, frozen=True, kw_only=True):
    """A day on which a calendar differs from its week and its country.

    *seconds* worked, 0 for a closing day.
    """

    calendar: Word
    day: Day
    seconds: Annotated[int, Column(kind="seconds", low=0, high=86400)] = 0
    label: FreeText | None = None


class Rate(Record, frozen=True, kw_only=True):
    """What a person-day costs from *valid_from* to *valid_to*, both included. The narrowest scope wins."""

    scope: Literal["person", "role", "team", "project", "default"]
    scope_id: Login = "*"
    valid_from: Bound
    valid_to: Bound | None = None
    minor_per_day: Annotated[int, Column(kind="minor", low=0)]
    currency: Currency = "EUR"


class FxRate(Record, frozen=True, kw_only=True):
    """How many units of *currency* one euro was in *month*."""

    currency: Currency
    month: Month
    per_eur: Annotated[float, Column(kind="number", above=0)]


class Target(Record, frozen=True, kw_only=True):
    """When a KPI is amber or red; *direction* says which way is better.

    *scope_id* is a project code or ``*``; *in_weather* says whether its colour counts in the weather.
    """

    kpi: Word
    measure: Word
    scope_id: Word = "*"
    goal: Ratio | None = None
    amber: Ratio | None = None
    red: Ratio | None = None
    direction: Literal["up", "down"] = "up"
    valid_from: Bound = "0001-01-01"
    in_weather: bool = True


class StatusMap(Record, frozen=True, kw_only=True):
    """What a status of a tool means.

    *container_id* narrows it to one container, ``*`` is all of the source.
    """

    source: Word
    container_id: Ref = "*"
    status_raw: Word
    category: Category
    stage: Word | None = None


class SlaGoal(Record, frozen=True, kw_only=True):
    """A service level for tools that keep no clock.

    Tasks of *nature* and *priority* done within *goal_s* seconds.
    """

    project_code: Word = "*"
    nature: Word = "*"
    priority: Word = "*"
    metric: Word = "resolution"
    goal_s: Annotated[int, Column(kind="seconds", above=0)]


class Assessment(Record, frozen=True, kw_only=True):
    """What the committee said of a project on one axis, from *day* on.

    *commentary* is what its manager writes for the committee to read: papers show it at every level of
    detail. *comment* is a note of those who assess, which is shown to nobody below ``nominative-line``.
    """

    project_code: Word
    day: Day
    axis: Word
    rag: Literal["green", "amber", "red", "grey"]
    trend: Literal["up", "flat", "down"] | None = None
    comment: FreeText | None = None
    author: Name | None = None
    commentary: FreeText | None = None


class Access(Record, frozen=True, kw_only=True):
    """Who may see a project or a team in BI tools with row-level security; both together mean both.

    *user_principal* is somebody's address, or ``group:NAME`` for the people of a group.
    """

    user_principal: Email
    project_code: Word | None = None
    team: Word | None = None


FieldLevel = Literal["task", "project", "hours", "person"]
FieldType = Literal["text", "number", "date", "amount", "days", "flag", "list"]


class SiteField(Record, frozen=True, kw_only=True):
    """A field of a tool that the organisation slices by: *native* is its id, name or alias in *source*.

    Several make one *field*. *value_map* names the lines of `FieldValue` that say how values are shown.
    """

    field: Word
    level: FieldLevel = "task"
    source: Word
    native: Word
    type: FieldType = "text"
    fr: Word
    en: Word
    personal: bool = False
    value_map: Word | None = None


class FieldValue(Record, frozen=True, kw_only=True):
    """How a value of fields with one map is *shown*."""

    value_map: Word
    value: FreeText
    shown: Word


class AccessGroup(Record, frozen=True, kw_only=True):
    """One person of a group that lines of `Access` name as ``group:NAME``."""

    group_name: Word
    member: Email


class PersonLink(Record, frozen=True, kw_only=True):
    """An account belongs to a person: decided by an exact identifier or by someone, else only proposed."""

    account_id: Ref
    person_id: Ref
    method: Word
    score: float
    state: Literal["proposed", "accepted", "rejected"]
    reason: FreeText | None = None


class TaskMatch(Record, frozen=True, kw_only=True):
    """A task of an execution tool carries out a task of a plan (one plan task, many execution tasks)."""

    plan_task_id: Ref
    exec_task_id: Ref
    method: Word
    score: float
    state: Literal["proposed", "accepted", "rejected"]
    reason: FreeText | None = None


REFERENCE: tuple[type[Record], ...] = (
    Project, ProjectLink, Team, Person, AccountAlias, Calendar, CalendarDay, Rate, FxRate, Target, StatusMap,
    SlaGoal, Assessment,
    Access, AccessGroup, SiteField, FieldValue,
)  # fmt: skip
"""What a PMO keeps in config/, besides budgets, registers and checklists; a connector may bring it too."""
RECORDS: tuple[type[Record], ...] = (
    Container, Account, Iteration, Task, Assignment, Baseline, TaskChange, Worklog, Allocation, Capacity,
    TaskLink,
    BudgetLine, RegisterItem, ChecklistItem, SlaCycle, CustomValue, *REFERENCE,
)  # fmt: skip
"""What a source may bring."""
DECISIONS: tuple[type[Record], ...] = (PersonLink, TaskMatch)
"""What people decide with `hub match`."""
BY_TABLE: dict[str, type[Record]] = {record.table: record for record in (*RECORDS, *DECISIONS)}
FACETS: tuple[str, ...] = ("schedule", "baseline", "effort", "actuals", "status", "flow", "nature", "budget")


def columns(record: type[Record]) -> tuple[str, ...]:
    """Return the column names of *record*'s table, in field order."""
    return record.__struct_fields__
