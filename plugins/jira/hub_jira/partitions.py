"""What a run reads, a kind of partition each, and what it knows of the site meanwhile."""

from __future__ import annotations

from typing import Any

import msgspec

from hub_jira.fields import Bindings
from hub_jira.ids import Ids
from hub_jira.wire import Project


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """What the site says of itself, as the last run kept it.

    *at* is when it was asked, *settings* those of that run; *known* are the ids of all projects ever seen,
    *seen* those in scope that can be read now, *came* those of them that could not when asked before;
    *named* are the keys that the settings name them by.
    """

    at: str = ""
    settings: str = ""
    cloud: bool | None = None
    bindings: Bindings = Bindings()
    levels: dict[str, int] = {}
    projects: tuple[Project, ...] = ()
    known: tuple[str, ...] = ()
    seen: tuple[str, ...] = ()
    came: tuple[str, ...] = ()
    named: dict[str, str] = {}


class Projects(msgspec.Struct, frozen=True):
    """The projects, which *meta* lists; those *beyond* can be browsed and are not asked for."""

    meta: Meta
    beyond: tuple[str, ...] = ()


class Slice(msgspec.Struct, frozen=True):
    """Issues by their ids, with their history and hours."""

    meta: Meta
    ids: Ids


class CutLists(msgspec.Struct, frozen=True):
    """The lists inside issues that Jira cut, as the slices noted them."""

    meta: Meta


class Learned(msgspec.Struct, frozen=True):
    """What issues call their statuses, versions and components, to be kept."""

    meta: Meta


class Daily(msgspec.Struct, frozen=True):
    """What changes without touching an issue."""

    meta: Meta


class Arrivals(msgspec.Struct, frozen=True):
    """The issues in scope that the store has not, or has as away, and those of projects that *came*.

    No stamp of theirs need be new.
    """

    meta: Meta
    came: tuple[str, ...]


class ChangedIssues(msgspec.Struct, frozen=True):
    """What changed of issues since the mark."""

    meta: Meta


class ChangedWorklogs(msgspec.Struct, frozen=True):
    """What changed of worklogs since the mark."""

    meta: Meta


class DeletedWorklogs(msgspec.Struct, frozen=True):
    """The worklogs that were deleted after *since*; None means since the mark of the partition."""

    since: dict[str, Any] | None = None


class Approval(msgspec.Struct, frozen=True, array_like=True):
    """What state the hours of an account have from *since* to *until*, both included, in Tempo's word."""

    account: str
    since: str
    until: str
    state: str


class Tempo(msgspec.Struct, frozen=True):
    """What changed of the hours that stand in Tempo; *approvals* are those of the last day."""

    approvals: list[Approval]


class TempoApprovals(msgspec.Struct, frozen=True):
    """What is approved in Tempo of a span of days, and who is in which team."""

    first: str
    last: str
    before: list[Approval]


class TempoDays(msgspec.Struct, frozen=True):
    """All hours of Tempo of a span of days; where they were all *read* in this run, a mark."""

    first: str
    last: str
    read: bool
    approvals: list[Approval]


class TempoPlans(msgspec.Struct, frozen=True):
    """What is planned in Tempo."""


class Mark(msgspec.Struct, frozen=True):
    """Nothing to read: the mark of what was read before it."""

    cursor: dict[str, Any]
