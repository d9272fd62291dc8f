"""Read Desk over its REST API: items page by page, only what changed since the last run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from hub import Batch, Check, Container, Context, Partition, Record, Secret, Source, SourceDataError, Task

OVERLAP = timedelta(minutes=10)


class Item(msgspec.Struct):
    """What the API sends, typed. A field that is always there has no default: the day it is renamed, the run says so."""

    uid: int
    ref: str
    board: str
    subject: str
    state: str
    planned_minutes: float
    opened: str
    modified: str


class Page(msgspec.Struct):
    """One page of items, and how many there are in all."""

    data: list[Item]
    count: int
    next: str | None


PAGE = msgspec.json.Decoder(Page)


class DeskSource(Source, frozen=True, kw_only=True):
    """Its fields are the settings of ``[sources.NAME]``; a `Secret` is a reference such as ``{ env = "TOKEN" }``."""

    kind: ClassVar[str] = "desk"
    provides: ClassVar[tuple[type[Record], ...]] = (Container, Task)

    url: str
    token: Secret

    @property
    def address(self) -> str:
        """Return the place, for people."""
        return self.url

    def check(self, ctx: Context) -> Iterable[Check]:
        """Ask for one page: address and token are right when it comes."""
        page = self.page(ctx, cursor="", since="")
        yield Check(name="items", state="ok", detail=f"{page.count} tickets")

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return what can be read independently: here one list."""
        yield Partition(id="items")

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read what changed since the *cursor*, the highest change stamp seen; a little again, for rows written late."""
        newest = str(cursor or "")
        since = text(datetime.fromisoformat(newest) - OVERLAP) if newest else ""
        for items in self.pages(ctx, since):
            newest = max([newest, *(item.modified for item in items)])
            yield Batch(records=[record for item in items for record in self.records(item)])
        yield Batch(cursor=newest or None)  # last: only a list that was read to its end moves the cursor

    # ---------- the tool's own ways: change these ----------

    def page(self, ctx: Context, *, cursor: str, since: str) -> Page:
        """Ask for one page. ctx.http waits, tries again, paces and counts; its errors are the right ones."""
        ctx.http.credentials = {"X-Desk-Key": self.token.reveal()}
        asked = {"modified_since": since, "cursor": cursor}
        page: Page = ctx.http.get_json(f"{self.url}/v2/tickets", params=asked, decoder=PAGE)
        return page

    def pages(self, ctx: Context, since: str) -> Iterator[list[Item]]:
        """Follow the cursor, and end well only with as many tickets as Desk counts."""
        seen: set[int] = set()
        cursors = {""}
        cursor: str | None = ""
        while cursor is not None:
            page = self.page(ctx, cursor=cursor, since=since)
            seen |= {item.uid for item in page.data}
            yield page.data
            cursor = page.next
            if cursor in cursors:
                raise SourceDataError(f"/v2/tickets gives the cursor {cursor} twice.")
            cursors.add(cursor or "")
        if len(seen) < page.count:
            raise SourceDataError(f"/v2/tickets: {len(seen)} tickets came, Desk counts {page.count}. The next run reads them again.")

    def records(self, item: Item) -> Iterator[Record]:
        """Turn one item into records: immutable ids, own effort in seconds, instants in UTC."""
        container = self.row_id(f"p{item.board}")
        yield Container(id=container, kind="board", name=item.board)
        yield Task(
            id=self.row_id(item.uid),
            container_id=container,
            code=item.ref,
            title=item.subject,
            status_native="done" if item.state == "closed" else "todo",
            estimate_s=round(item.planned_minutes * 60),
            created_at=text(datetime.fromisoformat(item.opened)),
            updated_at=item.modified,
        )


def text(moment: datetime) -> str:
    """Return an instant in UTC, as records hold it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
