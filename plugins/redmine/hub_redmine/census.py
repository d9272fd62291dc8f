"""Prove which issues and hours are gone where no walk did, and which projects cannot be read any more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from hub import Census, Context, Gone, SourceForbidden, Task, Worklog, field_of, tr
from hub_redmine import lists
from hub_redmine.asking import each
from hub_redmine.issues import lost
from hub_redmine.known import Known
from hub_redmine.settings import NOT_FOUND, RedmineSettings, known_projects


def take(ctx: Context, source: RedmineSettings, cursors: Mapping[str, Any]) -> Iterator[Census | Gone]:
    """Take the census of a run with these *cursors*."""
    projects = source.wanted(ctx)
    readable = {str(one.id) for one in projects}
    if "walk" not in ctx.shared("done", set[str]) and projects:
        yield from _issues(ctx, source, cursors, readable)
    before = cursors.get("metadata") or {}
    for native in sorted(set(known_projects(before)) - {one.id for one in projects}):
        try:
            found = lists.project(source.site(ctx), native)
        except SourceForbidden as exc:
            said = tr("{error} Its project is archived, or closed to this account.", error=exc)
            yield Census(
                record=Task, scope=source.inside(native), ids=frozenset(), evidence=said, readable=False
            )
            continue
        if found is None:
            said = tr("the project {lost}: {not_found}", lost=native, not_found=tr(NOT_FOUND))
            for record in (Task, Worklog):
                yield Census(record=record, scope=source.inside(native), ids=frozenset(), evidence=said)


def _issues(
    ctx: Context, source: RedmineSettings, cursors: Mapping[str, Any], readable: set[str]
) -> Iterator[Gone]:
    site, narrow = source.site(ctx), source.narrow(source.wanted(ctx))
    known, seen = Known((cursors.get("issues") or {}).get("ids")), Known()
    for page in site.issues(narrow):
        for native in map(field_of, page):
            if isinstance(native, int):
                seen.add(native, 0)
    proven, hidden, _ = lost(known, seen, readable, site.issue)
    yield from (source.gone(Task, one) for one in proven)
    yield from (source.gone(Task, one, hidden=True) for one in hidden)
    # hours that stayed, on the project or another issue, are read by the next walk: it proves the issue again
    bereft = {int(known.where[native][0]) for native in proven}
    if bereft and source.worklogs:
        there = {field_of(row) for rows in site.entries(sorted(bereft)) for row in rows}
        hours = Known((cursors.get("hours") or {}).get("ids")).where
        away = [one for one, (place, _) in hours.items() if int(place) in bereft and one not in there]
        for native, found in each(sorted(away), site.entry):
            if found is None:
                yield source.gone(Worklog, f"t{native}")
