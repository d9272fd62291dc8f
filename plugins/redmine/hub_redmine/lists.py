"""The short lists of Redmine: projects, people, what an account is, statuses, trackers, versions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from hub import field_of, renamed, tr
from hub_redmine.asking import Asker
from hub_redmine.parts import listed
from hub_redmine.wire import Group, ListedUser, Me, Project, Role, Status, Tracker, User, Version

T = TypeVar("T")


def _rows(site: Asker, name: str, kind: type[T], rows: Iterable[msgspec.Raw]) -> list[T]:
    return list(listed(site.ctx, site.name, name, kind, rows))


def projects(site: Asker) -> list[Project]:
    """Return active and closed projects.

    Closed ones are not in the default list, archived ones in none.
    """
    rows = site.listed("projects", [("status", "1|5")])
    keys = {key for row in rows for key in _keys(row)}
    # one that stands on top has no key for what is above it
    for said in renamed({"parent"} - keys, keys - {*Project.__struct_fields__}):
        site.ctx.report_missing(
            tr("{name} have {renamed}: the API changed, please report it", name="projects", renamed=said)
        )
    return _rows(site, "projects", Project, rows)


def _keys(row: msgspec.Raw) -> list[str]:
    try:
        return list(msgspec.json.decode(row, type=dict[str, msgspec.Raw]))
    except msgspec.MsgspecError:
        return []


def project(site: Asker, native: int) -> Project | None:
    """Return a project that is in no list, or None when it does not exist.

    Raises `SourceForbidden` when it is archived or not for us.
    """
    return site.one("/projects", "project", Project, native)


def users(site: Asker) -> tuple[list[User], set[int]]:
    """Return all users and the ids of locked ones.

    Raises `SourceForbidden` to whoever is no administrator.
    """
    everyone = _rows(site, "users", ListedUser, site.listed("users", [("status", "")]))
    locked = {field_of(one) for one in site.listed("users", [("status", "3")])}
    return [*everyone], {one.id for one in everyone if one.id in locked}


def user(site: Asker, native: int) -> User | None:
    """Return a user, or None when there is none, or none that this account may see."""
    return site.one("/users", "user", User, native)


def groups(site: Asker) -> list[Group]:
    """Return the groups of users. Raises `SourceForbidden` to whoever is no administrator."""
    return _rows(site, "groups", Group, site.whole("/groups.json", "groups"))


def me(site: Asker) -> Me:
    """Return the account that signs in, and what it is in which project."""
    return site.ask("/users/current.json", "user", Me, [("include", "memberships")])


def role(site: Asker, native: int) -> Role | None:
    """Return what a role may see and do."""
    return site.one("/roles", "role", Role, native)


def statuses(site: Asker) -> list[Status]:
    """Return the statuses of issues."""
    rows = site.whole("/issue_statuses.json", "issue_statuses")
    return _rows(site, "issue_statuses", Status, rows)


def trackers(site: Asker) -> list[Tracker]:
    """Return the trackers."""
    return _rows(site, "trackers", Tracker, site.whole("/trackers.json", "trackers"))


def versions(site: Asker, project: int) -> list[Version]:
    """Return the versions of a project, without those that others share with it."""
    path = f"/projects/{project}/versions.json"
    rows = site.whole(path, "versions", route="/projects/ID/versions.json")
    return [one for one in _rows(site, "versions", Version, rows) if one.project.id == project]


def version(site: Asker, native: int) -> Version | None:
    """Return a version, or None when it does not exist.

    Raises `SourceForbidden` when it is not for us.
    """
    return site.one("/versions", "version", Version, native)


def opening(statuses: list[Status], trackers: list[Tracker]) -> list[tuple[int, int]]:
    """Return tracker and status of new issues.

    The first status where trackers do not say, as those of old versions.
    """
    first = statuses[0].id if statuses else 0
    return [(one.id, one.default_status.id if one.default_status else first) for one in trackers]
