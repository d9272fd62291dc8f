"""What Redmine's REST API sends, as far as it is read: texts that people write to each other are not.

Source: redmine.org/projects/redmine/wiki/Rest_api, held against a real Redmine 5.0.4.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

Id = Annotated[int, msgspec.Meta(ge=1)]
Stamp = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$")]
"""An instant in UTC; stamps are compared as texts."""


class Ref(msgspec.Struct, frozen=True):
    """A row of another list, named."""

    id: Id
    name: str | None = None


class Custom(msgspec.Struct, frozen=True):
    """A custom field: a text, several texts, or nothing."""

    id: Id
    name: str
    value: str | list[str] | None = None


class Relation(msgspec.Struct, frozen=True):
    """A relation; *delay* is in days, of ``precedes`` only."""

    id: Id
    issue_id: Id
    issue_to_id: Id
    relation_type: str
    delay: int | None = None


class Detail(msgspec.Struct, frozen=True):
    """One thing that a journal entry changed; values are texts, ids where the attribute is a reference."""

    property: str
    name: str
    old_value: Any = None
    new_value: Any = None


class Journal(msgspec.Struct, frozen=True):
    """An entry of an issue's history."""

    id: Id
    created_on: Stamp
    details: list[Detail] = []
    user: Ref | None = None


class StatusRef(msgspec.Struct, frozen=True):
    """The status of an issue; Redmine says since 5.0 whether it is a closed one."""

    id: Id
    name: str
    is_closed: bool | None = None


class Issue(msgspec.Struct, frozen=True):
    """An issue: what is not set is null and not absent.

    Dates are civil days, stamps UTC in whole seconds, hours its own and those of all below it (``total_``,
    not read).
    """

    id: Id
    project: Ref
    tracker: Ref
    status: StatusRef
    subject: str
    created_on: Stamp
    updated_on: Stamp
    start_date: str | None
    due_date: str | None
    closed_on: Stamp | None
    done_ratio: int | None
    estimated_hours: float | None
    is_private: bool = False
    priority: Ref | None = None
    author: Ref | None = None
    assigned_to: Ref | None = None
    category: Ref | None = None
    parent: Ref | None = None
    fixed_version: Ref | None = None
    custom_fields: list[Custom] = []
    relations: list[msgspec.Raw] | None = None
    journals: list[msgspec.Raw] | None = None


class Entry(msgspec.Struct, frozen=True):
    """A time entry, on an issue or on a project alone; *hours* is decimal, rounded to hundredths."""

    id: Id
    project: Ref
    hours: float
    spent_on: str
    created_on: Stamp
    updated_on: Stamp
    issue: Ref | None = None
    user: Ref | None = None
    activity: Ref | None = None
    custom_fields: list[Custom] = []


class Project(msgspec.Struct, frozen=True):
    """A project; *status* is 1 active, 5 closed, 9 archived."""

    id: Id
    name: str
    identifier: str
    status: int = 1
    parent: Ref | None = None


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A user; mail addresses are shown to administrators, and their API keys, which are not read."""

    id: Id
    firstname: str
    lastname: str
    login: str | None = None
    mail: str | None = None


class ListedUser(User, frozen=True, kw_only=True):
    """A user in the list, which is for administrators: they are shown login and address of everybody."""

    login: str
    mail: str


class Membership(msgspec.Struct, frozen=True):
    """What somebody is in a project, by themselves or by a group."""

    project: Ref
    roles: list[Ref] = []


class Me(msgspec.Struct, frozen=True):
    """The account that signs in; an administrator sees everything, whatever the roles."""

    id: Id
    login: str = ""
    admin: bool = False
    memberships: list[Membership] = []


class Role(msgspec.Struct, frozen=True):
    """A role: which issues and hours it shows (``all``, ``default``, ``own``), and what it may do."""

    id: Id
    name: str
    issues_visibility: str = "all"
    time_entries_visibility: str = "all"
    permissions: list[str] = []


class Group(msgspec.Struct, frozen=True):
    """A group of users, to which issues may be assigned."""

    id: Id
    name: str


class Version(msgspec.Struct, frozen=True):
    """A version; *status* is open, locked or closed."""

    id: Id
    project: Ref
    name: str
    status: str
    due_date: str | None


class Status(msgspec.Struct, frozen=True):
    """A status of issues."""

    id: Id
    name: str
    is_closed: bool = False


class Tracker(msgspec.Struct, frozen=True):
    """A kind of issues and the status that its new ones have."""

    id: Id
    name: str
    default_status: Ref | None = None
