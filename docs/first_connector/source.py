"""Read Tryton over its API: each list page by page, only what changed since the last run."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from hub import (
    Account, Batch, Census, Check, Container, Context, Moment, Partition, Record, Secret, Source,
    SourceDataError, Tally, Task, Worklog, field_of, json_rpc, named,
)  # fmt: skip

OVERLAP = timedelta(minutes=10)
PAGE = 20


# What the API sends, typed. A field that is always there has no default: the day it is renamed, the run says so.


class Named(msgspec.Struct):
    """A project or a person."""

    id: int | str
    name: str = msgspec.field(name="rec_name")


class Item(msgspec.Struct):
    """A task; below a project or another task. It has no write_date until somebody edits it."""

    id: int
    title: str = msgspec.field(name="name")
    parent: int
    effort: dict[str, Any] | None = msgspec.field(name="effort_duration")
    status: dict[str, Any] = msgspec.field(name="status.")
    create_date: Moment
    write_date: Moment | None


class Entry(msgspec.Struct):
    """A line of a timesheet; the origin of its work is ``project.work,7``."""

    id: int
    person: int = msgspec.field(name="employee")
    date: Moment
    duration: dict[str, Any]
    work: dict[str, Any] = msgspec.field(name="work.")
    create_date: Moment
    write_date: Moment | None


class Page(msgspec.Struct):
    """One page of a list, and how many rows the list has in all."""

    rows: list[msgspec.Raw]
    total: int


ROWS = {
    "projects": msgspec.json.Decoder(Named), "people": msgspec.json.Decoder(Named),
    "items": msgspec.json.Decoder(Item), "hours": msgspec.json.Decoder(Entry),
}  # fmt: skip
STAMPS = ["create_date", "write_date"]
LISTS: dict[str, Any] = {
    "projects": ("project.work", [["type", "=", "project"]], ["rec_name"]),
    "people": ("company.employee", [], ["rec_name"]),
    "items": ("project.work", [["type", "=", "task"]],
              ["name", "parent", "effort_duration", "status.name", "status.progress", *STAMPS]),
    "hours": ("timesheet.line", [], ["employee", "date", "duration", "work.origin", *STAMPS]),
}  # fmt: skip
"""By list, the model, its domain, and the fields that are asked for."""
RECORDS: dict[str, tuple[type[Record], str]] = {
    "projects": (Container, "p"), "people": (Account, "u"), "items": (Task, ""), "hours": (Worklog, "w")
}  # fmt: skip
"""By list, what its rows become, and how ids of the store begin."""


class TrytonSource(Source, frozen=True, kw_only=True):
    """Its fields are the settings of ``[sources.NAME]``; a `Secret` is a reference such as ``{ env = "TOKEN" }``."""

    kind: ClassVar[str] = "tryton"
    provides: ClassVar[tuple[type[Record], ...]] = (Container, Account, Task, Worklog)

    url: str
    user: str
    password: Secret

    @property
    def address(self) -> str:
        """Return the place, for people."""
        return self.url

    def check(self, ctx: Context) -> Iterable[Check]:
        """Ask for one page: address and token are right when it comes."""
        yield Check(name="items", state="ok", detail=f"{self.page(ctx, 'items', after=0, since='').total} items")

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return what can be read independently: each list."""
        for name in RECORDS:
            yield Partition(id=name)

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read what changed since the *cursor*, the highest change stamp seen; a little again, for rows written late."""
        name, newest = partition.id, str(cursor or "")
        since = text(datetime.fromisoformat(newest) - OVERLAP) if newest else ""
        record, prefix = RECORDS[name]
        seen: set[str] = set()
        taken = 0

        def make(raw: msgspec.Raw) -> Iterator[Record]:
            nonlocal newest, taken
            row = ROWS[name].decode(raw)
            yield from self.records(ctx, name, row)
            newest, taken = max(newest, text(self.stamp(row))) if self.stamp(row) else newest, taken + 1

        for rows in self.pages(ctx, name, since=since):
            fresh = [row for row in rows if named(row) not in seen]
            seen |= {named(row) for row in rows}
            # a row that cannot be understood costs itself: it is listed, and asked for again by the next run
            found = ctx.each(
                fresh, make, place=lambda row: f"{name} {named(row)}", record=record,
                id=lambda row: self.row_id(f"{prefix}{named(row)}"),
            )  # fmt: skip
            yield Batch(records=list(found))
        ctx.tally(Tally(seen=len(seen), taken=taken, unit=name))
        yield Batch(cursor=newest or None)  # last: only a list that was read to its end moves the cursor

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        """Count what is there: the pages prove it."""
        for name in ("items", "hours"):
            yield self.counted(*RECORDS[name], self.pages(ctx, name), evidence=f"{LISTS[name][0]}, as many as are counted")

    # ---------- the tool's own ways: change these ----------

    def ask(self, ctx: Context, method: str, *params: Any, as_: Any = Any) -> Any:
        """Ask one question. ctx.http waits, tries again, paces and counts; its errors are the right ones."""
        return json_rpc(ctx.http, self.url, method, *params, type=as_, version=None)

    def sign_in(self, ctx: Context) -> str:
        """Sign in once a run."""
        user, key = self.ask(ctx, "common.db.login", self.user, {"password": self.password.reveal()}, "en")[:2]
        return "Session " + base64.b64encode(f"{self.user}:{user}:{key}".encode()).decode()

    def page(self, ctx: Context, name: str, *, after: int, since: str = "") -> Page:
        """Ask for one page, and for the count of the whole."""
        ctx.http.credentials = {"Authorization": ctx.shared("session", lambda: self.sign_in(ctx))}
        model, domain, fields = LISTS[name]
        if since:
            stamp = {"__class__": "datetime"} | Moment.parts(since)
            domain = [*domain, ["OR", *([one, ">=", stamp] for one in STAMPS)]]
        total = self.ask(ctx, f"model.{model}.search_count", domain, {}, as_=int)
        below = [*domain, ["id", ">", after]]
        rows = self.ask(ctx, f"model.{model}.search_read", below, 0, PAGE, [["id", "ASC"]], fields, {}, as_=list[msgspec.Raw])
        return Page(rows=rows, total=total)

    def pages(self, ctx: Context, name: str, *, since: str = "") -> Iterator[list[msgspec.Raw]]:
        """Page by id, to a page that is not full, and end well only with as many ids as the tool counts."""
        seen: set[str] = set()
        after = 0
        while True:
            page = self.page(ctx, name, after=after, since=since)
            before = len(seen)
            seen |= {named(row) for row in page.rows}
            yield page.rows
            if len(page.rows) < PAGE:
                break
            last = max((one for row in page.rows if isinstance(one := field_of(row), int)), default=after)
            if last <= after or len(seen) == before:
                raise SourceDataError(f"{name} brings the same page again after id {after}.")
            after = last
        if len(seen) != page.total:
            raise SourceDataError(f"{name}: {len(seen)} rows came, the tool counts {page.total}. The next run reads them again.")

    def stamp(self, row: Any) -> datetime | None:
        """Return when a row was changed last; None where the tool does not say."""
        return (row.write_date or row.create_date).at if isinstance(row, Item | Entry) else None

    def above(self, ctx: Context, work: int) -> int:
        """Return the project that a task lies below, through all tasks between them."""
        asked = ("model.project.work.search_read", [["type", "=", "task"]], 0, None, None, ["parent"], {})
        parents = ctx.shared("tree", lambda: {row["id"]: row["parent"] for row in self.ask(ctx, *asked)})
        while work in parents:
            work = parents[work] or 0
        return work

    def records(self, ctx: Context, name: str, row: Any) -> Iterator[Record]:
        """Turn a row into records: immutable ids, own effort in seconds, instants in UTC, the author's day."""
        match row:
            case Named() if name == "projects":
                yield Container(id=self.row_id(f"p{row.id}"), kind="project", name=row.name)
            case Named():
                yield Account(id=self.row_id(f"u{row.id}"), display_name=row.name)
            case Item():
                home = self.above(ctx, row.parent)
                yield Task(
                    id=self.row_id(row.id),
                    container_id=self.row_id(f"p{home}"),
                    parent_id=self.row_id(row.parent) if row.parent != home else None,
                    title=row.title,
                    status_raw=row.status["name"],
                    status_native="done" if row.status["progress"] == 1 else "todo",
                    estimate_s=round(row.effort["seconds"]) if row.effort else None,
                    created_at=text(row.create_date.at),
                    updated_at=text(self.stamp(row)),
                )
            case Entry():
                task = (row.work["origin"] or "").partition("project.work,")[2]
                yield Worklog(
                    id=self.row_id(f"w{row.id}"),
                    task_id=self.row_id(task) if task else None,
                    account_id=self.row_id(f"u{row.person}") if row.person else None,
                    day=row.date.on,
                    seconds=round(row.duration["seconds"]),
                )


def text(moment: datetime | None) -> str:
    """Return an instant in UTC, as records hold it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else ""
