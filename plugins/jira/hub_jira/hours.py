"""Hours that stand in Jira: what changed and was deleted of the whole site, and those of single issues."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hub import Batch, Gone, Record, Source, SourceGone, Tally, Worklog, tr
from hub_jira import wire
from hub_jira.parts import Parts
from hub_jira.reading import OVERLAP_MS, Reading
from hub_jira.site import FEED, Site


def one_by_one(parts: Parts, issues: Iterable[str]) -> Iterator[Batch]:
    """Read the hours of issues one by one; of some Jira counts more than it shows to this account."""
    unseen: dict[str, tuple[int, int]] = {}
    for issue in issues:
        try:
            logs, total = parts.site.worklogs_of(issue)
        except SourceGone:  # deleted meanwhile, as the next census will find; to a visitor all of them are
            parts.site.me(again=True)
            continue
        yield Batch(records=list(parts.logs(logs, issue)))
        if len(logs) < total:
            unseen[issue] = (total, len(logs))
    if unseen:
        issue, (total, came) = next(iter(unseen.items()))
        parts.ctx.reject(
            tr("hours of {count} {count:issue|issues}", count=len(unseen)),
            tr(
                "Jira counts more worklogs than this account may see, such as {total} and {came} of "
                "issue {issue}",
                total=total, came=came, issue=issue,
            ),
            key="unseen worklogs", record=Worklog,
        )  # fmt: skip
        parts.ctx.tally(Tally(seen=1, taken=0))


def changed(reading: Reading, cursor: dict[str, Any]) -> Iterator[Batch]:
    """Read worklogs changed since the mark and a little before.

    Bodies are read only of those not seen at that stamp.
    """
    site, parts = reading.parts.site, reading.parts
    mark, before = int(cursor["updated"]), dict(cursor.get("seen", {}))
    seen: dict[str, int] = {}
    foreign: set[str] = set()
    wanted: dict[int, None] = dict.fromkeys(map(int, parts.again("w")))
    for page in site.feed("updated", max(0, mark - OVERLAP_MS)):
        for one in page:
            seen[str(one.worklog_id)] = one.updated_time
            if before.get(str(one.worklog_id)) != one.updated_time:
                wanted[one.worklog_id] = None
        if len(wanted) >= FEED:
            yield _bodies(reading, wanted, foreign)
            wanted.clear()
    if wanted:
        yield _bodies(reading, wanted, foreign)
    mark = max([mark, *seen.values()])
    yield Batch(
        cursor={
            "updated": mark,
            "seen": {
                one: at
                for one, at in seen.items()
                if at >= mark - OVERLAP_MS and parts.source.row_id(f"w{one}") not in foreign
            },
        }
    )


def _bodies(reading: Reading, wanted: Iterable[int], foreign: set[str]) -> Batch:
    parts = reading.parts
    records: list[Record] = []
    issues: dict[str, str] = {}
    for page in parts.site.worklogs(wanted):
        records += parts.logs(page, owners=issues)
    if reading.everything:
        return Batch(records=records)
    # the feed is of the whole site, and what JQL does with the ids of others is not the same everywhere:
    # an issue in scope was read, and is in the store
    mine = {one for one in issues.values() if parts.knows(one, now=True)}
    # looked at again as long as the feed tells them: their issue may not be in the index yet
    foreign |= {one for one, issue in issues.items() if issue not in mine}
    return Batch(records=[one for one in records if one.id not in foreign])


def deleted(source: Source, site: Site, cursor: dict[str, Any]) -> Iterator[Batch]:
    """Read what was deleted since the mark and a little before."""
    mark = int(cursor["updated"])
    for page in site.feed("deleted", max(0, mark - OVERLAP_MS)):
        mark = max([mark, *(one.updated_time for one in page)])
        yield Batch(
            gone=tuple(
                Gone(
                    record=Worklog,
                    id=source.row_id(f"w{one.worklog_id}"),
                    evidence=f"worklog/deleted, {wire.instant(one.updated_time)}",
                )
                for one in page
            )
        )
    yield Batch(cursor={"updated": mark})
