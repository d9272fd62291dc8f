"""Issues: read whole by their ids, and what changed of them since a mark."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from hub import Batch, Gone, Record, SourceDataError, tr
from hub_jira import hours, wire
from hub_jira.parts import UNREAD, Cut, Parts, batches, standing
from hub_jira.reading import OVERLAP_MS, Reading
from hub_jira.site import CHANGELOG_ISSUES, FEED


def whole(reading: Reading, ids: list[str]) -> Iterator[Batch]:
    """Read issues by their ids, with their history and hours; what Jira cut is noted."""
    site, parts = reading.parts.site, reading.parts
    names = parts.mapper.bindings.asked + (("worklog",) if reading.hours else ())
    lost = parts.ctx.shared("cut", Cut)

    def make(issue: wire.Issue) -> Iterator[Record | Gone]:
        fields = parts.fields(issue)
        yield from parts.whole(issue, fields)
        if reading.history:
            if not issue.told_history and not site.cloud:
                raise SourceDataError(
                    tr("The issue {key} came without its history, which was asked for.", key=issue.key)
                )
            history = parts.changelog(issue.changelog) if issue.told_history else None
            if history is not None:
                yield from parts.changes(issue.id, history.histories)
            if site.cloud and (history is None or parts.cut(history)):
                lost.add("histories", issue.id)
        if reading.hours and fields.worklog is None:
            # some sites show no hours inside issues: those that have some are asked for by themselves
            if fields.spent or "worklog" in parts.mapper.unread.get(issue.id, ()):
                lost.add("worklogs", issue.id)
                lost.totals[issue.id] = 1
        elif reading.hours and fields.worklog is not None:
            lost.count(fields.worklog.total)
            yield from parts.logs(fields.worklog.worklogs, issue.id)
            if len(set(map(bytes, fields.worklog.worklogs))) < fields.worklog.total:
                lost.add("worklogs", issue.id)
                lost.totals[issue.id] = fields.worklog.total

    for start in range(0, len(ids), site.slice):
        found = site.issues(ids[start : start + site.slice], names, history=reading.history)
        yield from batches(parts.issues(found, make))


def arrivals(reading: Reading, ids: Iterable[str], projects: Iterable[str]) -> Iterator[Batch]:
    """Read those of *ids*, all that is in scope, of which no stamp tells: back, or seen for the first time.

    *projects* are those that could not be seen before: what changed in them meanwhile is told by nothing.
    """
    parts = reading.parts
    known = standing(parts.ctx, parts.source)
    came = {parts.source.row_id(f"p{one}") for one in projects}
    met: set[str] = parts.ctx.shared("met", set)

    def news(one: str) -> bool:
        presence, box = known.get(one, ("deleted", ""))
        return box in came or (presence in UNREAD and one not in met)

    found = [one for one in ids if news(one) and parts.source.row_id(one) not in parts.ctx.again]
    if found:
        yield from whole(reading, found)
        yield from cut(reading, feeds=False)


def cut(reading: Reading, *, feeds: bool = True) -> Iterator[Batch]:
    """Read the lists that Jira cut.

    Histories come in bulk, worklogs per issue or, where it *feeds*, by the feed of the site, whichever
    costs less.
    """
    site, parts = reading.parts.site, reading.parts
    lost = parts.ctx.shared("cut", Cut)
    yield parts.renamed_links()
    histories = lost.take("histories")
    yield from _histories(parts, histories)
    issues = lost.take("worklogs")
    # the feed tells every worklog of the site: its cost is known only when the whole site is in scope
    by_feed = 2 * -(-lost.worklogs // FEED) if feeds and reading.everything else None
    feed = by_feed is not None and by_feed < len(issues)
    parts.ctx.log.info(
        "Jira cut %d histories and %d of the worklog lists; "
        "the latter cost %d requests one by one, %s by the feed: %s",
        len(histories),
        len(issues),
        len(issues),
        by_feed if by_feed is not None else "an unknown number",
        "by the feed" if feed else "one by one",
    )
    if feed:
        came: dict[str, set[str]] = {issue: set() for issue in issues}
        for page in site.feed("updated", 0):
            for logs in site.worklogs({one.worklog_id: None for one in page}):
                yield Batch(records=list(parts.logs(logs, came=came)))
        # the feed has no count of its own: each list is held against the total that its issue told
        issues = [issue for issue in issues if len(came[issue]) < lost.totals[issue]]
    yield from hours.one_by_one(parts, issues)


def _histories(parts: Parts, issues: list[str]) -> Iterator[Batch]:
    """Read histories that came cut; what has no field of its own passes no filter by fields."""
    bindings = parts.mapper.bindings
    fields = () if bindings.nameless else tuple(bindings.words)
    for start in range(0, len(issues), CHANGELOG_ISSUES):
        found = parts.site.histories(issues[start : start + CHANGELOG_ISSUES], fields)
        yield from batches(one for issue, lines in found for one in parts.changes(issue, lines))


def changed(reading: Reading, cursor: dict[str, Any], stands: Mapping[str, Any]) -> Iterator[Batch]:
    """Read issues changed since the mark and a little before.

    The history is read only of those that were not seen at that stamp. *stands* is what the mark is of.
    """
    site, parts = reading.parts.site, reading.parts
    names = parts.mapper.bindings.asked
    mark, before = int(cursor["updated"]), dict(cursor["seen"])
    seen: dict[str, int] = {}
    news: list[str] = []
    arrived: list[str] = []
    met: set[str] = parts.ctx.shared("met", set)
    history = reading.history

    def make(issue: wire.Issue) -> Iterator[Record | Gone]:
        met.add(issue.id)
        fields = parts.fields(issue)
        seen[issue.id] = at = wire.millis(fields.updated)
        lacked = parts.source.row_id(issue.id) in parts.ctx.again
        if before.get(issue.id) == at and not lacked:
            return
        # no feed brings hours of before the mark: of an issue that was not taken, moved here, or shown
        old = lacked or wire.millis(fields.created) < mark - OVERLAP_MS
        if fields.spent and old and not parts.knows(issue.id):
            arrived.append(issue.id)
        yield from parts.whole(issue, fields)
        told = parts.changelog(issue.changelog) if issue.told_history else None
        if told:
            yield from parts.changes(issue.id, told.histories)
        if site.cloud and (told is None or parts.cut(told)):
            news.append(issue.id)

    for page in site.changed(reading.scope, max(0, mark - OVERLAP_MS), names, history=history):
        yield from batches(parts.issues(page, make))
    again = sorted(parts.again("") - seen.keys(), key=int)
    for start in range(0, len(again), site.slice):
        page = site.issues(again[start : start + site.slice], names, history=history)
        yield from batches(parts.issues(page, make))
    if history:
        yield from _histories(parts, news)
    if reading.hours:
        yield from hours.one_by_one(parts, arrived)
    mark = max([mark, *seen.values()])
    yield Batch(
        cursor={
            "updated": mark,
            "seen": {one: at for one, at in seen.items() if at >= mark - OVERLAP_MS},
            **stands,
        }
    )
