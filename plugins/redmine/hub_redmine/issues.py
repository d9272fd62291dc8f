"""Read issues: all of them in stretches of ids, with a proof for each that is gone, or what changed."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Any

from hub import Batch, Context, Gone, Record, SourceForbidden, Task, TaskLink, field_of, tr
from hub_redmine import wire
from hub_redmine.asking import each
from hub_redmine.hours import of_deleted
from hub_redmine.known import Known
from hub_redmine.mapping import Mapper
from hub_redmine.marks import SAME_SECOND, Stamps, earlier, marked
from hub_redmine.partitions import EndOfWalk, Run, Slice
from hub_redmine.parts import LEFT_MEANWHILE, Parts
from hub_redmine.settings import RedmineSettings, told
from hub_redmine.site import OPTIONAL


def read_slice(ctx: Context, source: RedmineSettings, mapper: Mapper, data: Slice) -> Iterator[Batch]:
    """Read a stretch of ids; the history only of what is new to us or changed since the last mark."""
    walk, parts = data.walk, Parts(ctx, source.name, mapper)
    horizon, before = earlier(walk.mark.get("updated", "")), walk.mark.get("seen", {})
    again = set(parts.again(whole=True))
    for rows in source.site(ctx).issues(walk.run.narrow, low=data.low, high=data.high):
        page = parts.issues(parts.met(rows))
        for one in page:
            walk.seen.add(one.id, one.project.id)
            _note_links(walk.links, [one])
        news = [
            one for one in page
            if walk.anew or one.id not in walk.known.where or one.project.id in walk.came or one.id in again
            or (one.updated_on >= horizon and before.get(str(one.id)) != one.updated_on)
        ]  # fmt: skip
        fresh = {one.id for one in news}
        old = [one for one in page if one.id not in fresh]
        walk.stamps.note(old)
        yield _with_history(ctx, source, parts, news, list(parts.records(old)), walk.stamps)
    parts.tally()


def _with_history(
    ctx: Context,
    source: RedmineSettings,
    parts: Parts,
    news: list[wire.Issue],
    records: list[Record],
    stamps: Stamps,
) -> Batch:
    """Read the history of *news* one by one, as Redmine wants it.

    What it then says, its stamp too, is younger than the list.
    """
    stamps.note(news)
    if not source.history:
        return parts.batch([*records, *parts.records(news)])
    gone: list[Gone] = []
    listed = {one.id: one for one in news}
    for native, found in each(listed, source.site(ctx).issue):
        ctx.raise_if_cancelled()
        if found is None:
            gone.append(source.gone(Task, native))
            _bereft(ctx).add(listed[native].project.id)
            parts.left(tr(LEFT_MEANWHILE))
        elif isinstance(found, SourceForbidden):
            records.extend(parts.without_history(listed[native], found))
        else:
            for one, made in parts.with_history(listed[native], found):
                stamps.note([one])
                records.extend(made)
    return parts.batch(records, gone)


def read_end(ctx: Context, source: RedmineSettings, mapper: Mapper, data: EndOfWalk) -> Iterator[Batch]:
    """Ask about each issue that was there and is not any more, and for their hours; write the mark."""
    walk, run, seen, site = data.walk, data.walk.run, data.walk.seen, source.site(ctx)
    proven, hidden, away = lost(walk.known, seen, run.readable, site.issue)
    seen.where |= {native: walk.known.where[native] for native in hidden + away}
    # a relation comes and goes without a stamp on either issue
    unlinked = []
    for native, found in each(walk.known_links.lost(walk.links).get("0", []), site.relation):
        if found is None:
            unlinked.append(source.gone(TaskLink, f"r{native}"))
        else:
            walk.links.add(native, 0)
    ctx.shared("done", set[str]).add("walk")
    lacking = bool(seen.where) and told(
        ctx, site, "issues", source.expected(ctx) - mapper.met, OPTIONAL["issues"] - mapper.met, run.narrow
    )
    _bereft(ctx).update(int(walk.known.where[native][0]) for native in proven)
    yield from of_deleted(ctx, source, mapper, run, _bereft(ctx))
    yield Batch(
        gone=(
            *(source.gone(Task, one) for one in proven),
            *(source.gone(Task, one, hidden=True) for one in hidden),
            *unlinked,
        ),
        cursor=marked(data.mark, data.at, {}, walk.stamps.found)
        | {
            "ids": seen.places(),
            "links": walk.links.places(),
            "walked": data.at.isoformat(),
            "lacking": lacking,
        }
        | run.stands,
    )


def lost(
    known: Known, seen: Known, readable: set[str], ask: Callable[[int], Any]
) -> tuple[list[int], list[int], list[int]]:
    """Tell what is lost apart.

    Rows that do not exist any more, rows of readable projects that are not for us, rows of other projects.
    """
    proven: list[int] = []
    hidden: list[int] = []
    away: list[int] = []
    for project, natives in known.lost(seen).items():
        if project not in readable:
            away += natives
            continue
        for native, found in each(natives, ask):
            # one that answers now was moved or shown again while it was looked for: the next run reads it
            (proven if found is None else hidden if isinstance(found, SourceForbidden) else away).append(
                native
            )
    return proven, hidden, away


def read_changed(
    ctx: Context, source: RedmineSettings, mapper: Mapper, run: Run, cursor: dict[str, Any]
) -> Iterator[Batch]:
    """Read issues changed since the mark and a little before.

    The history is read only of those that were not seen at that stamp.
    """
    now, mark, before = ctx.now(), cursor["updated"], cursor["seen"]
    ids, links = Known(cursor.get("ids")), Known(cursor.get("links"))
    stamps, parts, site = Stamps(earlier(mark)), Parts(ctx, source.name, mapper), source.site(ctx)
    again = set(parts.again())
    pages = site.issues(run.narrow, since=earlier(mark) or None)
    alone = (rows for one in sorted(again) for rows in site.issues(run.narrow, low=one, high=one))
    met: set[int] = set()
    for rows in itertools.chain(pages, alone):
        page = parts.issues(parts.met([row for row in rows if field_of(row) not in met]))
        met |= {field_of(row) for row in rows} - {None}
        for one in page:
            ids.add(one.id, one.project.id)
        _note_links(links, page)
        news = [one for one in page if one.id in again or before.get(str(one.id)) != one.updated_on]
        fresh = {one.id for one in news}
        known = [one for one in page if one.id not in fresh]
        parts.taken += len(known)  # the last run took them as they are now
        stamps.note(page)
        yield _with_history(ctx, source, parts, news, [], stamps)
    parts.tally()
    yield from of_deleted(ctx, source, mapper, run, _bereft(ctx))
    mark = max([mark, *stamps.found.values()])
    # two runs that far apart by our clock saw the same stamp: the second it names is over
    settled = now - datetime.fromisoformat(cursor["at"]) >= SAME_SECOND
    done = before | (cursor.get("unsettled", {}) if settled else {})
    yield Batch(
        cursor=marked(mark, now, done, stamps.found)
        # what is called otherwise now is so in every history: the next run walks
        | {
            "ids": ids.places(),
            "links": links.places(),
            "walked": cursor["walked"],
            "lacking": mapper.renamed or bool(mapper.unlisted),
        }
        | run.stands
    )


def _bereft(ctx: Context) -> set[int]:
    """Return the projects in which this run proved an issue gone: their hours went, stayed or moved."""
    return ctx.shared("bereft", set[int])


def _note_links(links: Known, issues: Iterable[wire.Issue]) -> None:
    for native in (field_of(row) for one in issues for row in one.relations or ()):
        if isinstance(native, int):
            links.add(native, 0)
