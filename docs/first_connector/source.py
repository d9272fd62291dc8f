"""Read Desk over its REST API: items page by page, only what changed since the last run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from hub import Batch, Check, Container, Context, Partition, Record, Secret, Source, SourceDataError, Tally, Task, named

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

    data: list[msgspec.Raw]
    count: int
    next: str | None


PAGE, ITEM = msgspec.json.Decoder(Page), msgspec.json.Decoder(Item)


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
        seen = taken = 0

        def name(row: msgspec.Raw) -> str:
            return named(row, "uid")

        def make(row: msgspec.Raw) -> Iterator[Record]:
            nonlocal newest, taken
            item = ITEM.decode(row)
            yield from self.records(item)
            newest, taken = max(newest, text(datetime.fromisoformat(item.modified))), taken + 1

        for rows in self.pages(ctx, since):
            seen += len(rows)
            # a row that cannot be understood costs itself: it is listed, and asked for again by the next run
            found = ctx.each(rows, make, place=name, record=Task, id=lambda row: self.row_id(name(row)))
            yield Batch(records=list(found))
        ctx.tally(Tally(seen=seen, taken=taken, unit="tickets"))
        yield Batch(cursor=newest or None)  # last: only a list that was read to its end moves the cursor

    # ---------- the tool's own ways: change these ----------

    def page(self, ctx: Context, *, cursor: str, since: str) -> Page:
        """Ask for one page. ctx.http waits, tries again, paces and counts; its errors are the right ones."""
        ctx.http.credentials = {"X-Desk-Key": self.token.reveal()}
        asked = {"modified_since": since, "cursor": cursor}
        page: Page = ctx.http.get_json(f"{self.url}/v2/tickets", params=asked, decoder=PAGE)
        return page

    def pages(self, ctx: Context, since: str) -> Iterator[list[msgspec.Raw]]:
        """Follow the cursor, and end well only with as many tickets as Desk counts."""
        seen: set[str] = set()
        cursors = {""}
        cursor: str | None = ""
        while cursor is not None:
            page = self.page(ctx, cursor=cursor, since=since)
            seen |= {named(row, "uid") for row in page.data}
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
            updated_at=text(datetime.fromisoformat(item.modified)),
        )


def text(moment: datetime) -> str:
    """Return an instant in UTC, as records hold it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
