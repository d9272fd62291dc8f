"""What a run reads, a kind of partition each, and what its partitions share."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from hub_redmine import wire
from hub_redmine.known import Known
from hub_redmine.mapping import Meta
from hub_redmine.marks import Stamps


class Run(msgspec.Struct, frozen=True, kw_only=True):
    """What every partition of a run shares.

    *narrow* are the ids of the projects to ask for, None for all. *stands* is what a mark stands for: the
    settings, the projects that could be read, the names and people of its history. *hours* is the mark of
    the time entries.
    """

    meta: Meta
    narrow: list[int] | None
    stands: dict[str, Any]
    hours: dict[str, Any]

    @property
    def readable(self) -> set[str]:
        """Return the projects that can be read."""
        return {str(one) for one in self.stands["readable"]}


class Metadata(msgspec.Struct, frozen=True, kw_only=True):
    """Projects, people and versions, with the *cursor* of it.

    *archived* are projects that were in the list of the run before, *lost* and *left* versions and people
    that do not exist any more.
    """

    meta: Meta
    projects: list[wire.Project]
    archived: list[wire.Project] = []
    users: list[wire.User] = []
    locked: set[int] = set()
    groups: list[wire.Group] = []
    left: list[int] = []
    versions: list[wire.Version] = []
    lost: list[int] = []
    cursor: dict[str, Any]


class Walk(msgspec.Struct, frozen=True, kw_only=True):
    """What the slices of one walk over all issues know and note together.

    *came* are projects that the last run could not read, *mark* is the mark of that run. *anew* reads every
    history: what it calls a status, or a user, was rewritten in place. *known* and *known_links* are the ids
    it found, *seen* and *links* those of this walk.
    """

    run: Run
    came: set[int]
    anew: bool
    mark: dict[str, Any]
    known: Known
    known_links: Known
    seen: Known
    links: Known
    stamps: Stamps


class Slice(msgspec.Struct, frozen=True):
    """The issues of a stretch of ids, up to *high* or to the end."""

    walk: Walk
    low: int
    high: int | None


class EndOfWalk(msgspec.Struct, frozen=True):
    """What the walk did not meet, and its *mark*, taken *at* its beginning."""

    walk: Walk
    mark: str
    at: datetime


class Changed(msgspec.Struct, frozen=True):
    """The issues that changed since the mark."""

    run: Run


class Hours(msgspec.Struct, frozen=True):
    """Time entries since the last mark; *whole* reads all of them."""

    run: Run
    whole: bool
