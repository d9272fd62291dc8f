"""One neutral shape for every schedule, whichever reader opened it.

A reader yields one `Header`, then every `TaskRow`, every `ResourceRow`, every `AssignmentRow`, mostly in this
order, what people can work as `CapacityRow`s, an `OddRow` for each that cannot be understood, and a `Tail`
that says how many it met.
Dates and times are local and naive, as the file holds them; work is in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, get_args

import msgspec

from hub import is_set

Uid = int | str
"""What names a row within its plan: a number in files, a GUID on servers."""
Constraint = Literal[
    "as_soon_as_possible", "as_late_as_possible", "must_start", "must_finish",
    "start_no_earlier", "start_no_later", "finish_no_earlier", "finish_no_later",
]  # fmt: skip
CONSTRAINTS: tuple[Constraint, ...] = get_args(Constraint)
"""By the numbers that Microsoft Project gives them, 0 to 7."""
DATED = frozenset(CONSTRAINTS[2:])
"""Constraints that hang on a day."""


class Header(msgspec.Struct, kw_only=True, tag="header", omit_defaults=True):
    """The plan as a whole; *status* is its status date, *seconds_per_day* comes from its hours per day.

    *code* is what Primavera calls it for short. *inserted* is the file that it was inserted from into the
    plan that holds it.
    """

    guid: str | None = None
    code: str | None = None
    title: str | None = None
    start: str | None = None
    finish: str | None = None
    currency: str | None = None
    status: str | None = None
    seconds_per_day: int = 28800
    file_type: str | None = None
    application: str | None = None
    reader: str = ""
    inserted: str | None = None


class BaselineRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """One baseline (0 to 10) of a task; *cost* in currency units."""

    no: int
    start: str | None = None
    finish: str | None = None
    work_s: int | None = None
    cost: float | None = None


class LinkRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A predecessor of a task; *lag_s* working seconds, negative for a lead, None when it is a percentage."""

    uid: Uid
    type: str
    lag_s: int | None = None


class CustomRow(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A custom field by its alias (else its name); *hours* says that its number is a duration in hours."""

    field: str
    text: str | None = None
    number: float | None = None
    day: str | None = None
    hours: bool = False


class TaskRow(msgspec.Struct, kw_only=True, tag="task", omit_defaults=True):
    """One row of the plan; blank rows and the project summary (UniqueID 0) never get here.

    *summary* is None where the file does not say it: then the outline does. Costs are in currency units.
    Slacks, and whether it is critical, are as the tool computed them; durations and slacks are working time.
    *inserted* is the file of a plan of its own that stands for the row, and that this file does not hold.
    """

    uid: Uid
    guid: str | None = None
    row: str | None = None
    name: str = ""
    wbs: str | None = None
    parent: Uid | None = None
    summary: bool | None = False
    milestone: bool = False
    active: bool = True
    start: str | None = None
    finish: str | None = None
    actual_start: str | None = None
    actual_finish: str | None = None
    deadline: str | None = None
    constraint: Constraint | None = None
    constraint_on: str | None = None
    critical: bool | None = None
    manual: bool | None = None
    duration_s: int | None = None
    total_slack_s: int | None = None
    free_slack_s: int | None = None
    cost: float | None = None
    fixed_cost: float | None = None
    actual_cost: float | None = None
    remaining_cost: float | None = None
    notes: str | None = None
    created: str | None = None
    percent: float | None = None
    percent_kind: str | None = None
    work_s: int | None = None
    actual_work_s: int | None = None
    remaining_work_s: int | None = None
    priority: str | None = None
    url: str | None = None
    type_raw: str | None = None
    inserted: str | None = None
    baselines: list[BaselineRow] = []
    links: list[LinkRow] = []
    custom: list[CustomRow] = []


class ResourceRow(msgspec.Struct, kw_only=True, tag="resource", omit_defaults=True):
    """A person, placeholder, material or cost."""

    uid: Uid
    name: str
    email: str | None = None
    code: str | None = None
    login: str | None = None
    work: bool = True
    generic: bool = False
    active: bool = True
    custom: list[CustomRow] = []


class AssignmentRow(msgspec.Struct, kw_only=True, tag="assignment", omit_defaults=True):
    """A resource on a task; *units* is 0.5 for half of a day, costs are in currency units.

    *planned* and *actual* are (day, seconds), their sums are *work_s* and *actual_work_s*.

    *resource* is None where the file keeps a row for a task without a resource: its work is the task's, or a
    mere shadow of the task's duration. *approximate* says the days were spread by the calendar because the
    file does not hold them.
    """

    uid: Uid
    task: Uid
    resource: Uid | None = None
    work_s: int = 0
    actual_work_s: int = 0
    remaining_work_s: int | None = None
    overtime_s: int | None = None
    units: float | None = None
    start: str | None = None
    finish: str | None = None
    cost: float | None = None
    actual_cost: float | None = None
    remaining_cost: float | None = None
    planned: list[tuple[str, int]] = []
    actual: list[tuple[str, int]] = []
    approximate: bool = False


class CapacityRow(msgspec.Struct, kw_only=True, tag="capacity", omit_defaults=True):
    """What a resource can work on each of some *weekdays* (1 from Monday on) of a span, by its calendar."""

    resource: Uid
    start: str
    finish: str
    weekdays: str
    seconds: int
    units: float = 1.0


class OddRow(msgspec.Struct, kw_only=True, tag="odd", omit_defaults=True):
    """Something that cannot be understood: its *kind* (task, resource, link …), and its number."""

    kind: str
    uid: Uid | None = None
    reason: str


class Tail(msgspec.Struct, kw_only=True, tag="tail", omit_defaults=True):
    """What was met: rows, blank ones and the plan's own among them; and projects that were not read."""

    tasks: int
    blank: int = 0
    own: int = 0
    other_projects: int = 0


Row = Header | TaskRow | ResourceRow | AssignmentRow | CapacityRow | OddRow | Tail
Rows = Iterator[Row]


def when(text: str | None) -> str | None:
    """Return a local moment to the minute; None for NA and a year by which tools say that there is none."""
    text = (text or "").strip()
    return text[:16] if text[:4].isdigit() and is_set(text) else None
