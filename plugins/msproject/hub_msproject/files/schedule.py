"""One neutral shape for every schedule, whichever reader opened it.

A reader yields one `Header`, then every `TaskRow`, every `ResourceRow`, every `AssignmentRow`, mostly in this
order, an `OddRow` for each that cannot be understood, and a `Tail` that says how many it met.
Dates and times are local and naive, as the file holds them; work is in seconds.
"""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

Uid = int | str
"""What names a row within its plan: a number in files, a GUID on servers."""


class Header(msgspec.Struct, kw_only=True, tag="header", omit_defaults=True):
    """The plan as a whole; *seconds_per_day* comes from the file's hours per day."""

    guid: str | None = None
    title: str | None = None
    start: str | None = None
    finish: str | None = None
    currency: str | None = None
    seconds_per_day: int = 28800
    file_type: str | None = None
    application: str | None = None
    reader: str = ""


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
    """A custom field by its alias (else its name)."""

    field: str
    text: str | None = None
    number: float | None = None
    day: str | None = None


class TaskRow(msgspec.Struct, kw_only=True, tag="task", omit_defaults=True):
    """One row of the plan; blank rows and the project summary (UniqueID 0) never get here.

    *summary* is None where the file does not say it: then the outline does.
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
    created: str | None = None
    percent: float | None = None
    percent_kind: str | None = None
    work_s: int | None = None
    actual_work_s: int | None = None
    remaining_work_s: int | None = None
    priority: str | None = None
    url: str | None = None
    type_raw: str | None = None
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
    """A resource on a task.

    *planned* and *actual* are (day, seconds), their sums are *work_s* and *actual_work_s*.

    *resource* is None where the file keeps a row for a task without a resource.
    *approximate* says the days were spread by the calendar because the file does not hold them.
    """

    uid: Uid
    task: Uid
    resource: Uid | None = None
    work_s: int = 0
    actual_work_s: int = 0
    remaining_work_s: int | None = None
    planned: list[tuple[str, int]] = []
    actual: list[tuple[str, int]] = []
    approximate: bool = False


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


Row = Header | TaskRow | ResourceRow | AssignmentRow | OddRow | Tail
Rows = Iterator[Row]


def settle(days: dict[str, int], total: int, fallback_day: str | None) -> tuple[list[tuple[str, int]], bool]:
    """Make the days add up to *total* and drop empty ones; say whether they had to be corrected.

    The file's total is the truth: a difference goes to the last day that has work, else to *fallback_day*.
    """
    difference = total - sum(days.values())
    corrected = abs(difference) > 60
    if difference:
        worked = [day for day, seconds in days.items() if seconds]
        day = max(worked) if worked else (max(days) if days else fallback_day)
        if day is not None:
            days[day] = days.get(day, 0) + difference
    return sorted((day, seconds) for day, seconds in days.items() if seconds), corrected
