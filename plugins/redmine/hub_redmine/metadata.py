"""What issues and hours refer to: projects each time, people, statuses and versions once a day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from hub import (
    Account,
    Batch,
    Container,
    Context,
    CustomValue,
    Gone,
    Iteration,
    Record,
    SourceDataError,
    SourceForbidden,
    SourceGone,
    Task,
    mark,
    tr,
)
from hub_redmine import lists, mapping, rights, wire
from hub_redmine.asking import each
from hub_redmine.known import ids_of
from hub_redmine.marks import age_of
from hub_redmine.partitions import Metadata
from hub_redmine.settings import RedmineSettings, known_projects
from hub_redmine.terms import ARCHIVED, PARENT, PATH

EVERY = timedelta(hours=24)


def read(
    ctx: Context, source: RedmineSettings, before: dict[str, Any], projects: list[wire.Project], *, walk: bool
) -> Metadata:
    """Read the lists that are due, all of them with a *walk*; *before* is the cursor of the last run."""
    begins = tuple(source.row_id(one) for one in ("u", "v", "status ", "tracker "))
    fresh = not walk and "meta" in before and not any(one.startswith(begins) for one in ctx.again)
    fresh = fresh and not ctx.refused
    old = msgspec.convert(before.get("meta", {}), mapping.Meta)
    known = known_projects(before) | {one.id: [one.identifier, one.name] for one in projects}
    cursor = {
        "at": ctx.now().isoformat(timespec="seconds"),
        "known": {str(native): said for native, said in sorted(known.items())},
        "listed": sorted(one.id for one in projects),
        "meta": before.get("meta"),
    }
    archived = _archived(ctx, source, before, old, projects)
    if fresh and age_of(before, ctx.now()) < EVERY:
        return Metadata(meta=old, projects=projects, archived=archived, cursor=cursor | {"at": before["at"]})
    site = source.site(ctx)
    statuses, trackers = lists.statuses(site), lists.trackers(site)
    users: list[wire.User] = []
    groups: list[wire.Group] = []
    locked: set[int] = set()
    sight: rights.Sight = {}
    try:
        users, locked = lists.users(site)
        groups = lists.groups(site)
        ctx.seen("people")
    except SourceForbidden as exc:  # names come with issues and hours
        ctx.not_seen(mark("people"), str(exc))
        sight = rights.look(site, lists.me(site), projects)
    versions = [version for one in projects for version in _versions(ctx, source, one)]
    # those of projects that are not asked any more
    ctx.not_asked(*(ctx.refused - {"people", *map(_versions_of, projects)}))
    meta = mapping.Meta(
        # what was deleted keeps its name: journals go on speaking of it
        statuses=old.statuses | {str(one.id): one.name for one in statuses},
        closed=[one.id for one in statuses if one.is_closed],
        opening=lists.opening(statuses, trackers),
        trackers=old.trackers | {str(one.id): one.name for one in trackers},
        users=sorted([*(one.id for one in users), *(one.id for one in groups)]),
        versions=sorted(one.id for one in versions),
        sight=sight,
    )
    lost = sorted(set(old.versions) - set(meta.versions))
    if ctx.missing:  # the next run asks again
        cursor["at"] = ""
    return Metadata(
        meta=meta,
        projects=projects,
        archived=archived,
        users=users,
        locked=locked,
        groups=groups,
        left=_absent(ctx, source, old.users, meta),
        versions=versions,
        lost=[one for one, found in each(lost, lambda one: lists.version(site, one)) if found is None],
        cursor=cursor | {"meta": msgspec.to_builtins(meta)},
    )


def _versions(ctx: Context, source: RedmineSettings, project: wire.Project) -> list[wire.Version]:
    """Return the versions of a project; none where it went meanwhile, or its issues are turned off (403)."""
    label = _versions_of(project)
    try:
        found = lists.versions(source.site(ctx), project.id)
    except (SourceForbidden, SourceGone) as exc:
        if label in ctx.read_before:
            ctx.not_seen(label, str(exc))
        return []
    except SourceDataError as exc:
        ctx.report_missing(f"{project.name}: {exc}")
        return []
    ctx.seen(label)
    return found


def _versions_of(project: wire.Project) -> str:
    return tr("versions of {name}", name=project.name)


def _archived(
    ctx: Context,
    source: RedmineSettings,
    before: Mapping[str, Any],
    old: mapping.Meta,
    projects: list[wire.Project],
) -> list[wire.Project]:
    """Return the projects that were archived since the last run.

    Redmine answers 403 for one. To an administrator, who sees all others, that is the proof.
    """
    if not old.users:
        return []
    known = known_projects(before)
    away = set(before.get("listed", known)) - {one.id for one in projects}
    site = source.site(ctx)
    return [
        wire.Project(id=native, identifier=known[native][0], name=known[native][1], status=ARCHIVED)
        for native, found in each(sorted(away), lambda one: lists.project(site, one))
        if isinstance(found, SourceForbidden) and known.get(native)
    ]


def _absent(ctx: Context, source: RedmineSettings, people: list[int], meta: mapping.Meta) -> list[int]:
    """Return those of *people* that were deleted: administrators see all others in the lists."""
    if not meta.users:
        return []
    asked: dict[int, bool] = ctx.shared("absent", dict[int, bool])
    site = source.site(ctx)
    missing = sorted(set(people) - set(meta.users))
    for native, found in each(
        [one for one in missing if one not in asked], lambda one: lists.user(site, one)
    ):
        asked[native] = found is None
    return [one for one in missing if asked[one]]


def left(ctx: Context, source: RedmineSettings, mark: Mapping[str, Any], meta: mapping.Meta) -> list[int]:
    """Return who was deleted since a mark: Redmine wrote nobody in their place, without a stamp."""
    return _absent(ctx, source, list(ids_of(mark.get("people", ""))), meta)


def rewritten(ctx: Context, source: RedmineSettings, mark: Mapping[str, Any], meta: mapping.Meta) -> bool:
    """Say whether histories that were read before a mark now say something else."""
    names: dict[str, dict[str, str]] = mark.get("names", {})
    renamed = any(
        meta.names[kind].get(native, name) != name
        for kind, said in names.items()
        for native, name in said.items()
    )
    return renamed or bool(left(ctx, source, mark, meta))


def batch(source: RedmineSettings, mapper: mapping.Mapper, data: Metadata) -> Batch:
    """Map what the lists say, and what does not exist any more."""
    above = {one.id: one for one in data.projects}
    records: list[Record] = [record for one in data.projects for record in mapper.project(one, above)]
    records += [record for one in data.archived for record in mapper.project(one, above)]
    records += [mapper.user(one, active=one.id not in data.locked) for one in data.users]
    records += [mapper.group(one) for one in data.groups]
    records += [record for one in data.versions for record in mapper.version(one)]
    said = tr("Redmine answers 403 for it to an administrator: it is archived")
    gone = [
        *(
            Gone(record=Container, id=source.row_id(f"p{one.id}"), presence="hidden", evidence=said)
            for one in data.archived
        ),
        *(source.gone(Account, f"u{native}") for native in data.left),
        *(
            source.gone(record, f"{prefix}{native}")
            for native in data.lost
            for record, prefix in ((Iteration, "v"), (Task, "m"))
        ),
        *_unplaced(source, data),
    ]
    return Batch(records=records, gone=tuple(gone), cursor=data.cursor)


def _unplaced(source: RedmineSettings, data: Metadata) -> list[Gone]:
    """Return what projects on top have no more: a place below another."""
    said = tr("it is a project on top")
    return [
        Gone(record=CustomValue, id=source.row_id(f"p{one.id}/{field}"), evidence=said)
        for one in data.projects
        if one.parent is None
        for field in (PARENT, PATH)
    ]
