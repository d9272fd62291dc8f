"""Read time entries: Redmine has no filter on their changes, and moves them without a stamp."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import msgspec

from hub import Batch, Context, SourceForbidden, Worklog, named
from hub_redmine import wire
from hub_redmine.asking import each
from hub_redmine.known import Known
from hub_redmine.mapping import Mapper
from hub_redmine.marks import age_of, earlier
from hub_redmine.partitions import Hours, Run
from hub_redmine.parts import Parts
from hub_redmine.settings import RedmineSettings, told
from hub_redmine.site import OPTIONAL


def read_hours(ctx: Context, source: RedmineSettings, mapper: Mapper, data: Hours) -> Iterator[Batch]:
    """Read time entries: those of the last weeks each time, and all of them once a week."""
    site, run, before, now = source.site(ctx), data.run, data.run.hours, ctx.now()
    known = Known(before.get("ids"))
    whole = data.whole or not before or age_of(before, now) >= timedelta(days=source.hours_sweep_days)
    since = "" if whole else before["since"]
    seen, newest, updated = Known(), before.get("made", ""), before.get("updated", "")
    horizon = "" if whole else earlier(updated)
    parts, met = Parts(ctx, source.name, mapper), set[str]()
    again = set(parts.again("t", whole=whole))

    def taken(rows: list[msgspec.Raw]) -> Batch:
        nonlocal newest, updated
        rows = [row for row in rows if named(row) not in met]
        met.update(map(named, rows))
        entries = parts.entries(parts.met(rows))
        news: list[wire.Entry] = []
        for one in entries:
            place = (str(one.project.id), stretch(one.spent_on))
            # a move of its issue changes the project without a stamp
            if one.updated_on >= horizon or known.where.get(one.id) != place or one.id in again:
                news.append(one)
            else:
                parts.taken += 1  # the last run took it as it is now
            seen.add(one.id, one.project.id, stretch(one.spent_on))
        newest = max([newest, *(one.created_on for one in entries)])
        updated = max([updated, *(one.updated_on for one in entries)])
        return Batch(records=list(parts.hours(news)))

    if not whole:  # what was booked lately for days long past
        for rows in site.made_since(run.narrow, earlier(before["made"])):
            yield taken(rows)
    for rows in site.entries(run.narrow, since or None):
        yield taken(rows)
    lost = {
        project: natives
        for project, natives in known.lost(seen, since=stretch(since)).items()
        if project in run.readable
    }
    gone: list[int] = []
    hidden: list[int] = []
    lost[""] = sorted(again - {native for natives in lost.values() for native in natives})
    for project, natives in lost.items():
        for native, found in each([one for one in natives if str(one) not in met], site.entry):
            if found is None:
                gone.append(native)
            elif isinstance(found, SourceForbidden):
                hidden.append(native)
                if project:  # outside the window: asked for again when all are read
                    known.add(native, int(project))
            else:  # its day is another one, before the window
                yield taken([found])
    known.drop(gone)
    known.where |= seen.where
    wanted = {source.fields["billable"]} if "billable" in source.fields else set()
    lacking = (
        whole
        and bool(seen.where)
        and told(
            ctx, site, "time_entries", wanted - mapper.met, OPTIONAL["time_entries"] - mapper.met, run.narrow
        )
    )
    parts.tally()
    yield Batch(
        gone=(
            *(source.gone(Worklog, f"t{one}") for one in gone),
            *(source.gone(Worklog, f"t{one}", hidden=True) for one in hidden),
        ),
        cursor={
            **run.stands,
            "at": "" if lacking else now.isoformat() if whole else before["at"],
            "made": newest,
            "updated": updated,
            "since": max(since, _window(newest, source.hours_days)),
            "ids": known.places(),
        },
    )


def stretch(day: str) -> str:
    """Return the stretch of at most ten days, of one month, in which what is known is kept."""
    return day[:9]


def _window(newest: str, days: int) -> str:
    """Return the first day that is read each time.

    A stretch begins with it, so that what is known by stretches can be held against it.
    """
    if not newest:
        return ""
    first = date.fromisoformat(newest[:10]) - timedelta(days=days)
    return first.replace(day=max(1, first.day // 10 * 10)).isoformat()


def of_deleted(
    ctx: Context, source: RedmineSettings, mapper: Mapper, run: Run, projects: Iterable[int]
) -> Iterator[Batch]:
    """Read all hours of *projects* in which an issue was deleted.

    Who deletes an issue says whether its hours go with it, stay on the project or are another issue's; none
    of it leaves a stamp.
    """
    wanted = sorted({one for one in projects if str(one) in run.readable}) if source.worklogs else []
    if not wanted:
        return
    parts, met = Parts(ctx, source.name, mapper), set[str]()
    for rows in source.site(ctx).entries(wanted):
        met.update(map(named, rows))
        yield Batch(records=list(parts.hours(parts.entries(parts.met(rows)))))
    gone, hidden = [], []
    for native, found in each(_elsewhere(run, wanted, met), source.site(ctx).entry):
        if found is None:
            gone.append(source.gone(Worklog, f"t{native}"))
        elif isinstance(found, SourceForbidden):
            hidden.append(source.gone(Worklog, f"t{native}", hidden=True))
        else:
            yield Batch(records=list(parts.hours(parts.entries(parts.met([found])))))
    parts.tally()
    yield Batch(gone=(*gone, *hidden))


def _elsewhere(run: Run, projects: Iterable[int], met: set[str]) -> list[int]:
    """Return the time entries that were in *projects* and were not *met* there."""
    places = {str(one) for one in projects}
    known = Known(run.hours.get("ids")).where
    return sorted(one for one, (place, _) in known.items() if place in places and str(one) not in met)
