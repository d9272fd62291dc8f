"""Tempo Timesheets in the place of Jira's own worklogs: the same hours are never read from both."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import msgspec

from hub import Context, Secret, SourceDataError, Worklog, named, tr
from hub_jira import wire

URL = "https://api.tempo.io/4"
PAGE = 5000
OVERLAP = timedelta(days=1)
"""Tempo's filter knows days only: the day of the last change and the one before are read again."""


class Issue(msgspec.Struct, frozen=True):
    """The issue of a worklog, by Jira's id."""

    id: int


class Author(msgspec.Struct, frozen=True, rename="camel"):
    """Who worked, by Jira's account."""

    account_id: str


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One worklog of Tempo; its day is the author's own."""

    tempo_worklog_id: int
    time_spent_seconds: int
    start_date: str
    updated_at: str
    issue: Issue
    author: Author
    billable_seconds: int | None = None


class Metadata(msgspec.Struct, frozen=True):
    """Where a page lies; *next* is the address of the next one."""

    count: int
    next: str | None = None


class Page(msgspec.Struct, frozen=True):
    """A page of worklogs."""

    metadata: Metadata
    results: list[msgspec.Raw]


_PAGE = msgspec.json.Decoder(Page)
ENTRY = msgspec.json.Decoder(Entry)


def pages(ctx: Context, url: str, token: Secret, since: str) -> Iterator[list[msgspec.Raw]]:
    """Yield pages of worklogs changed since the day *since* ('' for all).

    Raises `SourceDataError` when a page repeats or is cut.
    """
    http = ctx.another_session("tempo")
    http.credentials = {"Authorization": f"Bearer {token.reveal()}"}
    seen: set[str] = set()
    offset = 0
    while True:
        asked: dict[str, Any] = {"limit": PAGE, "offset": offset} | ({"updatedFrom": since} if since else {})
        page: Page = http.get_json(f"{url.rstrip('/')}/worklogs", params=asked, decoder=_PAGE)
        if len(page.results) < page.metadata.count:
            raise SourceDataError(
                tr(
                    "Tempo says that a page holds {count} worklogs, {came} came.",
                    count=page.metadata.count,
                    came=len(page.results),
                )
            )
        fresh = {named(one, "tempoWorklogId") for one in page.results} - seen
        if page.results and not fresh:
            raise SourceDataError(tr("Tempo gives the same page again: it would go on for ever."))
        seen |= fresh
        yield page.results
        if not page.metadata.next:
            return
        offset += page.metadata.count


def record(name: str, one: Entry, *, people: bool) -> Worklog:
    """Map a worklog to a record of the source *name*; *people* False leaves its author out."""
    return Worklog(
        id=f"{name}:t{one.tempo_worklog_id}",
        task_id=f"{name}:{one.issue.id}",
        day=one.start_date,
        seconds=one.time_spent_seconds,
        account_id=f"{name}:u{one.author.account_id}" if people else None,
        updated_at=wire.instant(one.updated_at),
        billable=None if one.billable_seconds is None else one.billable_seconds > 0,
    )


def since_day(updated: str) -> str:
    """Return the day from which to ask again."""
    return (date.fromisoformat(updated[:10]) - OVERLAP).isoformat() if updated else ""
