"""A small tool of our own, its connector, and the same connector with one fault at a time."""

from __future__ import annotations

import contextlib
import math
import time
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec
import requests

from hub import field_of, named
from hub.errors import (
    HubError,
    SourceDataError,
    SourceDenied,
    SourceForbidden,
    SourceGone,
    SourceUnavailable,
)
from hub.records import Account, Assignment, Container, CustomValue, Record, Task, TaskChange, Worklog
from hub.source import Batch, Census, Check, Context, Gone, Partition, Scope, Source
from hub.tally import Tally
from hub.testing import kit
from hub.testing.kit import SECRET, HttpWorld, Ledger, Request, Response, SourceCertification, page

PAGE = 20
COMMENT = "a remark about a colleague"


class Acme(Ledger, HttpWorld):
    """Projects, items and worklogs behind a REST API with pages by id and a delete feed."""

    name = "acme"
    history = nested = staffed = True
    first = 2**53

    def requests(self) -> int:
        return (
            1
            + math.ceil(len(self.changes) / PAGE)
            + 1
            + math.ceil(len(self.items) / PAGE)
            + 1
            + math.ceil(len(self.logs) / PAGE)
            + 1
            + 1
            + 1
            + 2 * len(self.containers)
        )

    def answer(self, request: Request) -> Response:
        if (
            request.headers.get("authorization") != f"Bearer {SECRET}"
            and request.headers.get("x-token") != SECRET
        ):
            return Response(status=401, body={"error": "who are you"})
        q = request.query
        match request.path:
            case "/me":
                return Response(body={"name": "kit"})
            case "/projects":
                shown = [{"id": n, "name": name} for n, name in self.containers.items()]
                return Response(body={"projects": shown, "total": len(shown)})
            case "/people":
                shown = [{"id": n, "name": name} for n, name in self.persons.items()]
                return Response(body={"people": shown, "total": len(shown)})
            case "/items":
                return self.page("items", self.seen(), self.show, q)
            case "/worklogs":
                return self.page("worklogs", self.seen_logs(), self.show_log, q)
            case "/changes":
                return self.page("changes", self.seen_changes(), self.show_change, q)
            case "/worklogs/deleted":
                return Response(
                    body={
                        "deleted": [
                            {"id": g.native, "at": g.at} for g in self.gone if g.at >= q.get("since", "")
                        ]
                    }
                )
            case "/ids":
                if q.get("project") in self.hidden:
                    return Response(status=403, body={})
                there = {
                    n
                    for n, item in sorted(self.items.items())
                    if q.get("project", item.container) == item.container
                }
                ids = sorted(
                    there
                    if q.get("of") != "worklogs"
                    else {n for n, log in self.logs.items() if log.item in there}
                )
                return Response(body={"ids": ids, "project": q.get("project"), "total": len(ids)})
        if request.path.startswith("/items/"):
            return Response(body=self.show(self.items[int(request.path[7:])]))
        return Response(status=404, body={})

    def page(
        self, name: str, rows: list[Any], show: Callable[[Any], dict[str, Any]], q: dict[str, str]
    ) -> Response:
        rows = [row for row in rows if row.updated >= q.get("updated_since", "")]
        if "done" in q:
            rows = [row for row in rows if str(getattr(row, "done", None)) == q["done"]]
        if "offset" in q:
            rows.sort(key=lambda row: (row.updated, row.native))
            chunk = rows[int(q["offset"]) : int(q["offset"]) + PAGE]
        else:
            chunk = page(rows, after=int(q.get("after_id", 0)), size=PAGE)
        return Response(body={name: [show(row) for row in chunk], "total": len(rows)})

    def show(self, item: kit.Item) -> dict[str, Any]:
        return {
            "id": item.native,
            "key": item.key,
            "project": item.container,
            "parent": item.parent,
            "people": list(item.people),
            "title": item.title,
            "done": item.done,
            "estimate_h": item.hours,
            "total_estimate_h": item.hours + 10,
            "created": item.created,
            "updated": item.updated,
        }

    def show_log(self, log: kit.Log) -> dict[str, Any]:
        return {
            "id": log.native,
            "item": log.item,
            "project": self.items[log.item].container,
            "person": log.person,
            "started": log.started,
            "hours": log.hours,
            "updated": log.updated,
            "comment": COMMENT,
        }

    def log_fields(self, log: kit.Log) -> dict[str, Any]:
        return super().log_fields(log) | {"container_id": f"acme:p{self.items[log.item].container}"}

    def show_change(self, change: Any) -> dict[str, Any]:
        return {
            "id": change.native,
            "item": change.item,
            "before": change.before,
            "after": change.after,
            "updated": change.at,
        }


class Item(msgspec.Struct):
    """An item as the API shows it."""

    id: int
    key: str
    project: str
    parent: int | None
    people: list[str]
    title: str
    done: bool
    estimate_h: float
    created: str
    updated: str


class Log(msgspec.Struct):
    """A worklog as the API shows it."""

    id: int
    item: int
    project: str
    person: str | None
    started: str
    hours: float
    updated: str


class Changed(msgspec.Struct):
    """A line of history as the API shows it."""

    id: int
    item: int
    before: str
    after: str
    updated: str


class Deleted(msgspec.Struct):
    """A line of the delete feed."""

    id: int
    at: str


class Named(msgspec.Struct):
    """A project."""

    id: str
    name: str


class Page(msgspec.Struct):
    """Any page."""

    total: int = -1
    items: list[msgspec.Raw] | None = None
    worklogs: list[msgspec.Raw] | None = None
    changes: list[msgspec.Raw] | None = None
    deleted: list[Deleted] | None = None
    projects: list[Named] | None = None
    people: list[Named] | None = None
    ids: list[int] | None = None


_page: Any = msgspec.json.Decoder(Page)
_rows: dict[str, msgspec.json.Decoder[Any]] = {
    "items": msgspec.json.Decoder(Item),
    "worklogs": msgspec.json.Decoder(Log),
    "changes": msgspec.json.Decoder(Changed),
}
_records: dict[str, type[Record]] = {"items": Task, "worklogs": Worklog, "changes": TaskChange}
_prefix = {"items": "", "worklogs": "w", "changes": "c"}


class Met:
    """What one list showed: the rows by id, each once, and the totals that its pages told."""

    def __init__(self) -> None:
        """Nothing yet."""
        self.rows: set[Any] = set()
        self.totals: set[int] = set()
        self.taken = self.pages = 0

    def fresh(self, rows: list[msgspec.Raw]) -> list[msgspec.Raw]:
        """Return the rows that were not met before; one that shows no id is its own."""
        news = {number(row) or bytes(row): row for row in rows}
        found = [row for key, row in news.items() if key not in self.rows]
        self.rows |= news.keys()
        return found


def number(row: msgspec.Raw) -> int:
    """Return the id of a row, 0 where it shows none."""
    native = field_of(row)
    return native if isinstance(native, int) else 0


class AcmeSource(Source, frozen=True, kw_only=True):
    """The connector; *bug* breaks one thing."""

    kind: ClassVar[str] = "acme"
    provides: ClassVar[tuple[type[Record], ...]] = (
        Container, Account, Task, Assignment, TaskChange, Worklog
    )  # fmt: skip
    census_every_hours: ClassVar[float] = 0.0

    url: str
    token: str = ""
    bug: str = ""

    def __repr__(self) -> str:
        return f"AcmeSource({self.name}, {self.url}{self.token if self.bug == 'token_in_repr' else ''})"

    def __post_init__(self) -> None:
        if self.bug == "network_when_made":
            requests.get(self.url + "/me", headers={"X-Token": self.token}, timeout=2)

    # ---------- asking ----------

    def ask(self, ctx: Context, path: str, **query: Any) -> Page:
        if self.bug == "token_in_log":
            ctx.log.info("asking %s with %s", path, self.token)
        if self.bug == "own_http":
            answer = requests.get(self.url + path, params=query, headers={"X-Token": self.token}, timeout=2)
            ctx.count(requests=1)
            if answer.status_code != 200:
                raise SourceUnavailable(f"HTTP {answer.status_code}")
            return self.decode(answer.content)
        if self.bug == "leaks_on_redirect":
            answer = requests.get(self.url + path, params=query, headers={"X-Token": self.token}, timeout=2)
            if answer.status_code == 401:
                raise SourceDenied("401")
            return self.decode(answer.content)
        ctx.http.credentials = {"Authorization": f"Bearer {self.token}"}
        swallowed: dict[str, tuple[type[Exception], ...]] = {
            "swallows_401": (SourceDenied,),
            "swallows_403": (SourceDenied,),
            "swallows_404": (SourceGone,),
            "swallows_410": (SourceGone,),
            "swallows_400": (SourceDataError,),
            "swallows_503": (SourceUnavailable,),
            "html_is_empty": (SourceDataError,),
        }
        refused = {
            "people_refused_are_none": "/people",
            "projects_refused_are_none": "/projects",
            "deletions_refused_are_none": "/worklogs/deleted",
        }
        if self.bug in swallowed and path != "/me":
            with contextlib.suppress(*swallowed[self.bug]):
                return self.get(ctx, path, query)
            return Page(total=0)
        if path == refused.get(self.bug):
            with contextlib.suppress(SourceForbidden):
                return self.get(ctx, path, query)
            return Page(total=0)
        if self.bug == "token_in_error":
            try:
                return self.get(ctx, path, query)
            except SourceDenied as exc:
                raise SourceDenied(f"{exc} The token was {self.token}.") from exc
        return self.get(ctx, path, query)

    def get(self, ctx: Context, path: str, query: Mapping[str, Any]) -> Page:
        if self.bug in {"lenient_fields", "truncated_is_empty"}:
            response = ctx.http.request("GET", self.url + path, params=query)
            return self.decode(response.content)
        page: Page = ctx.http.get_json(self.url + path, params=query, decoder=_page)
        return page

    def decode(self, content: bytes) -> Page:
        try:
            body = msgspec.json.decode(content)
        except msgspec.DecodeError as exc:
            if self.bug == "truncated_is_empty":
                return Page(total=0)
            raise SourceDataError("not JSON") from exc
        if self.bug == "lenient_fields":

            def fix(row: dict[str, Any], cls: Any) -> Any:
                blank = {"id": 0, "item": 0, "done": False, "estimate_h": 0.0, "hours": 0.0}
                return cls(
                    **{f: row.get(f, blank.get(f, "2024-01-01T00:00:00Z")) for f in cls.__struct_fields__}
                )

            for name, cls in (
                ("items", Item),
                ("worklogs", Log),
                ("changes", Changed),
                ("deleted", Deleted),
                ("projects", Named),
                ("people", Named),
            ):
                if name in body:
                    body[name] = [msgspec.to_builtins(fix(row, cls)) for row in body[name]]
            content = msgspec.json.encode({k: v for k, v in body.items() if k in Page.__struct_fields__})
        try:
            page: Page = _page.decode(content)
            return page
        except msgspec.ValidationError as exc:
            raise SourceDataError(str(exc)) from exc

    def pages(
        self, ctx: Context, name: str, since: str, met: Met | None = None, **more: str
    ) -> Iterator[list[msgspec.Raw]]:
        """Page by id; end well only with as many distinct ids as the tool says there are."""
        met = met or Met()
        for _ in range(3):
            seen: set[Any] = set()
            after, total = 0, -1
            while True:
                query: dict[str, Any] = more | ({"updated_since": since} if since else {})
                if self.bug == "offset_paging":
                    query["offset"] = len(seen) if name == "items" else after
                else:
                    query["after_id"] = after
                page = self.ask(ctx, f"/{name}", **query)
                rows = getattr(page, name)
                if rows is None:
                    if not self.bug:
                        raise SourceDataError(f"/{name} has no list {name!r}")
                    rows = []
                total = page.total
                met.totals.add(total)
                met.pages += 1
                if not rows:
                    break
                ids = [number(row) for row in rows]
                if max(ids) <= after and self.bug not in {
                    "offset_paging",
                    "pages_for_ever",
                }:
                    if self.bug == "stops_at_a_repeated_page":
                        return
                    raise SourceDataError(f"/{name} brings the same page again after id {after}")
                seen |= {native or bytes(row) for native, row in zip(ids, rows, strict=True)}
                yield met.fresh(rows)
                if self.bug == "first_page_only" or (self.bug == "ten_pages_at_most" and met.pages == 10):
                    return
                if self.bug == "offset_paging":
                    after += len(rows)
                else:
                    after = max(ids)
                if len(rows) < PAGE and self.bug in {"short_page_ends", "ignores_the_count"}:
                    return
                if len(seen) >= total and self.bug == "trusts_the_total":
                    break
                if len(rows) < PAGE and self.bug != "pages_for_ever":
                    break
            if (
                len(seen) == total
                or (len(seen) > total and self.bug == "trusts_the_total")
                or self.bug in {"ignores_the_count", "offset_paging"}
                or self.bug.startswith(("swallows", "html", "truncated", "lenient"))
            ):
                return
        raise SourceDataError(f"/{name}: {len(seen)} rows came, the tool counts {total}")

    # ---------- the contract ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        if self.bug != "check_lies":
            self.ask(ctx, "/me")
        yield Check(name="login", state="ok", detail="signed in")

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        yield Partition(id="projects")
        if self.bug == "absence_deletes":
            yield Partition(id="items", complete=True, scope=Scope(records=(Task,)))
        else:
            yield Partition(id="items")
        yield Partition(id="worklogs")
        yield Partition(id="changes")
        if self.bug != "ignores_the_delete_feed":
            yield Partition(id="deleted", after=("worklogs",))

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        since = str(cursor or "")
        match partition.id:
            case "projects":
                boxes = self.listed(ctx, "projects")
                if self.bug == "names_once" and cursor:
                    return
                if self.bug == "forgets_a_container":
                    boxes = boxes[1:]
                made = [Container(id=self.row_id(f"p{p.id}"), kind="project", name=p.name) for p in boxes]
                yield Batch(records=[changed(self.bug, one, None) for one in made],
                            cursor="done" if self.bug == "names_once" else None)  # fmt: skip
                yield Batch(records=list(self.accounts(self.listed(ctx, "people"))))
            case "items":
                yield from self.sweep(ctx, "items", since)
            case "worklogs" | "changes":
                yield from self.sweep(ctx, partition.id, since)
            case "deleted":
                lines = self.ask(ctx, "/worklogs/deleted", since=since).deleted
                if lines is None and not self.bug:
                    raise SourceDataError("/worklogs/deleted has no list 'deleted'")
                gone = tuple(
                    Gone(record=Worklog, id=self.row_id(f"w{d.id}"), evidence=f"delete feed {d.at}")
                    for d in lines or []
                )
                yield Batch(gone=gone, cursor=max([since, *(d.at for d in lines or [])]))

    def listed(self, ctx: Context, name: str) -> list[Named]:
        """Read a list that comes whole: as many as the tool says there are."""
        if self.bug == f"remembers_{name}" and (self.url, name) in _REMEMBERED:
            return _REMEMBERED[self.url, name]
        page = self.ask(ctx, f"/{name}")
        found: list[Named] | None = getattr(page, name)
        if found is None:
            if not self.bug:
                raise SourceDataError(f"/{name} has no list {name!r}")
            found = []
        if len({one.id for one in found}) != page.total and self.bug not in {
            "trusts_a_list", "trusts_the_total"
        }:  # fmt: skip
            raise SourceDataError(f"/{name}: {len(found)} rows came, the tool counts {page.total}")
        if self.bug.startswith("remembers"):
            _REMEMBERED.setdefault((self.url, name), found)
        return found

    def accounts(self, people: list[Named]) -> Iterator[Record]:
        for one in people:
            native = one.id.lower() if self.bug == "folds_case" else one.id
            if self.bug == "numbers_for_ids" and native.isdigit():
                native = str(int(native))
            if self.bug != "forgets_somebody" or one is not people[-1]:
                yield changed(self.bug, Account(id=self.row_id(f"u{native}"), display_name=one.name), one)

    def sweep(self, ctx: Context, name: str, since: str) -> Iterator[Batch]:
        highest = since
        asked = self.overlap(since)
        everything: list[Record] = []
        met = Met()
        found: Iterable[list[msgspec.Raw]] = self.pages(ctx, name, asked, met)
        if self.bug == "hoards_rows":
            found = list(found)
        elif self.bug == "trusts_the_filter" and name == "items":
            found = (
                [_with(row, done=done == "True") for row in rows]
                for done in ("True", "False")
                for rows in self.pages(ctx, name, asked, met, done=done)
            )

        def make(raw: msgspec.Raw) -> Iterator[Record]:
            nonlocal highest
            row = _rows[name].decode(raw)
            if self.bug == "skips_hours_of_nobody" and name == "worklogs" and not row.person:
                met.taken += 1
                return
            made = self.records(ctx, name, row, page)
            yield from (changed(self.bug, one, row) for one in made)
            if self.bug != "cursor_of_the_first_page" or number == 0:
                highest = max(highest, row.updated)
            met.taken += 1

        for number, rows in enumerate(found):
            records = list(self.each(ctx, name, rows, make))
            if self.bug == "one_big_batch":
                everything += records
            elif self.bug == "cursor_too_early":
                yield Batch(records=records, cursor="2024-06-01T00:00:00Z" if number == 0 else None)
            else:
                yield Batch(records=records)
            if self.bug == "stops_at_an_odd_row" and ctx.rejected[ctx.partition]:
                break
        self.tell(ctx, name, met)
        if self.bug == "cursor_is_now":
            highest = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if self.bug == "no_cursor":
            return
        yield Batch(records=everything, cursor=highest or None)

    def each(
        self,
        ctx: Context,
        name: str,
        rows: list[msgspec.Raw],
        make: Callable[[msgspec.Raw], Iterator[Record]],
    ) -> Iterator[Record]:
        """Map rows one by one: an odd one is rejected and costs itself."""
        if self.bug == "decodes_the_page_at_once":
            try:
                msgspec.json.decode(msgspec.json.encode(rows), type=list[_rows[name].type])
            except msgspec.ValidationError as exc:
                raise SourceDataError(f"/{name}: {exc}") from exc
        if self.bug in {"drops_odd_rows", "tells_odd_rows_and_goes_on"}:
            for row in rows:
                try:
                    yield from list(make(row))
                except msgspec.ValidationError as exc:
                    if self.bug == "tells_odd_rows_and_goes_on":
                        ctx.report_missing(f"/{name}, row {number(row)}: {exc}")
            return
        for row in rows:
            if self.bug == "stops_at_an_odd_row" and ctx.rejected[ctx.partition]:
                return
            yield from ctx.each(
                [row], make, record=_records[name], place=lambda row: f"/{name}, row {named(row)}",
                id=lambda row: self.row_id(f"{_prefix[name]}{number(row)}") if number(row) else None,
            )  # fmt: skip

    def tell(self, ctx: Context, name: str, met: Met) -> None:
        """Close the partition with what was met; a total that moved meanwhile counts nothing."""
        seen, taken, unit = len(met.rows), met.taken, name
        if self.bug == "tells_no_tally":
            return
        if self.bug == "counts_pages":
            seen = taken = met.pages
        elif self.bug == "counts_what_it_took":
            seen = taken
        elif self.bug == "takes_less_than_it_saw":
            seen += 1
        said = met.totals.pop() if len(met.totals) == 1 and not self.bug else None
        ctx.tally(
            Tally(seen=seen, taken=taken, said=said, unit=unit, record=None if self.bug else _records[name])
        )

    def overlap(self, since: str) -> str:
        if not since or self.bug == "no_cursor":
            return ""
        moment = datetime.fromisoformat(since)
        moment += timedelta(seconds=1) if self.bug == "exclusive_cursor" else -timedelta(minutes=10)
        if self.bug == "no_overlap":
            moment = datetime.fromisoformat(since)
        if self.bug == "skips_the_minute":
            moment = datetime.fromisoformat(since) + timedelta(minutes=1)
        return moment.strftime("%Y-%m-%dT%H:%M:%SZ")

    def records(self, ctx: Context, name: str, row: Any, page: int) -> Iterator[Record]:
        if name == "items":
            yield self.task(ctx, row)
            for one in row.people[:1] if self.bug == "first_of_several" else row.people:
                yield Assignment(
                    id=self.row_id(f"{row.id}/{one}"), task_id=self.row_id(row.id),
                    account_id=self.row_id(f"u{one}"),
                )  # fmt: skip
            if self.bug == "undeclared_records":
                yield CustomValue(
                    id=self.row_id(f"{row.id}/c"), row_id=self.row_id(row.id), field="x", text="y"
                )
        elif name == "changes":
            latest = self.bug == "history_of_the_latest"
            yield TaskChange(
                id=self.row_id(f"c{row.item if latest else row.id}"),
                task_id=self.row_id(row.item),
                field="title",
                from_value=row.before,
                to_value=row.after,
                at=row.updated,
            )
        else:
            yield self.worklog(row, page)

    def task(self, ctx: Context, row: Item) -> Task:
        bug = self.bug
        native: Any = row.id
        if bug == "key_as_id":
            native = row.key
        elif bug == "container_in_id":
            native = f"{row.project}-{row.id}"
        elif bug == "random_ids":
            native = uuid.uuid4()
        title = row.title
        if bug == "ascii_titles":
            title = title.encode("ascii", "ignore").decode()
        elif bug == "cut_titles":
            title = title[:255]
        elif bug == "clock_in_title":
            title = f"{title} {time.time_ns()}"
        estimate = row.estimate_h + (10 if bug == "rollup_counted" else 0)
        if bug == "request_per_item":
            self.ask(ctx, f"/items/{row.id}")
        created = (
            row.created
            if bug == "local_stamps"
            else datetime.fromisoformat(row.created).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        )
        if bug == "machine_zone":
            moment = datetime.fromisoformat(row.created).astimezone(UTC).replace(tzinfo=None)
            created = datetime.fromtimestamp(moment.timestamp(), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        if bug == "zone_dropped":
            created = row.created[:19] + "Z"
        return Task(
            id=self.row_id(native),
            container_id=self.row_id(f"p{row.project}"),
            parent_id=self.row_id(row.parent) if row.parent else None,
            assignee_id=self.row_id(f"u{row.people[0]}") if row.people else None,
            code=row.key,
            title=title,
            url=f"{self.url}/{row.id}?token={self.token}"
            if bug == "token_in_store"
            else f"{self.url}/{row.id}"
            if bug == "url_of_the_day"
            else None,
            status_native="done" if row.done else "todo",
            created_at=created,
            updated_at=row.updated,
            estimate_s=int(estimate) * 3600 if bug == "whole_hours" else round(estimate * 3600),
        )

    def worklog(self, row: Log, page: int) -> Worklog:
        day = row.started[:10]
        if self.bug == "utc_days":
            day = datetime.fromisoformat(row.started).astimezone(UTC).date().isoformat()
        seconds = round(row.hours * (60 if self.bug == "minutes_for_hours" else 3600))
        if self.bug == "no_negative_hours":
            seconds = max(0, seconds)
        native = f"w{row.id}" if self.bug != "page_in_id" else f"w{row.id}-{uuid.uuid4()}"
        return Worklog(
            id=self.row_id(native),
            task_id=self.row_id(row.item),
            container_id=self.row_id(f"p{row.project}"),
            account_id=COMMENT
            if self.bug == "collects_comments"
            else self.row_id(f"u{row.person}")
            if row.person
            else None,
            day=day,
            seconds=seconds,
        )

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        if self.bug == "no_census":
            return
        for project in ("1", "2", "3"):
            for record, more in ((Task, {}), (Worklog, {"of": "worklogs"})):
                yield from self.counted(ctx, project, record, more)
        if self.bug == "worklogs_by_absence":
            with contextlib.suppress(HubError):
                logs = {
                    self.row_id(f"w{number(row)}") for rows in self.pages(ctx, "worklogs", "") for row in rows
                }
                yield Census(
                    record=Worklog,
                    scope=Scope(records=(Worklog,)),
                    ids=frozenset(logs),
                    evidence="not listed",
                )

    def counted(
        self, ctx: Context, project: str, record: type[Record], more: Mapping[str, str]
    ) -> Iterator[Census]:
        """Count the ids of one project, if it may be read."""
        scope = Scope(records=(record,), container_id=self.row_id(f"p{project}"))
        try:
            page = self.ask(ctx, "/ids", project=project, **more)
        except SourceDenied as exc:
            if self.bug == "hidden_is_deleted":
                yield Census(record=record, scope=scope, ids=frozenset(), evidence="nothing there")
                return
            if "HTTP 401" in str(exc):
                raise
            evidence = f"403 on project {project}"
            yield Census(record=record, scope=scope, ids=frozenset(), evidence=evidence, readable=False)
            return
        ids = page.ids
        if ids is None:
            if self.bug:
                return
            raise SourceDataError("/ids has no list 'ids'")
        if len(ids) != page.total and self.bug not in {"unproven_census", "trusts_the_total"}:
            raise SourceDataError(f"/ids: {len(ids)} ids came, the tool counts {page.total}")
        if self.bug == "census_cut":
            ids = ids[:-1]
        prefix = "w" if record is Worklog else ""
        yield Census(
            record=record, scope=scope, ids=frozenset(self.row_id(f"{prefix}{n}") for n in ids),
            evidence=f"ids of project {project}",
        )  # fmt: skip


_REMEMBERED: dict[tuple[str, str], list[Named]] = {}


def changed(bug: str, made: Record, row: Any) -> Record:
    """Return a record as a connector with *bug* makes it."""
    record, change = _CHANGES.get(bug, (None, None))
    return msgspec.structs.replace(made, **change(row)) if change and type(made) is record else made


_WINTER = timedelta(hours=1)
_CHANGES: dict[str, tuple[type[Record], Callable[[Any], dict[str, Any]]]] = {
    "all_absence": (Worklog, lambda _: {"category": "absence"}),
    "all_planned": (Worklog, lambda _: {"origin": "plan"}),
    "all_approved": (Worklog, lambda _: {"approval": "approved"}),
    "all_billable": (Worklog, lambda _: {"billable": True}),
    "a_week_each": (Worklog, lambda row: {"finish_on": "2024-04-05"}),
    "all_on_one_account": (Worklog, lambda _: {"account_id": "acme:u7"}),
    "nobody_is_somebody": (Worklog, lambda row: {} if row.person else {"account_id": "acme:u07"}),
    "hours_in_one_place": (Worklog, lambda _: {"container_id": "acme:p1"}),
    "a_day_at_most": (Worklog, lambda row: {"seconds": min(round(row.hours * 3600), 86400)}),
    "hours_of_the_clock": (Worklog, lambda row: {"seconds": round(row.hours * 3600) % 86400}),
    "all_summaries": (Task, lambda _: {"kind": "summary"}),
    "all_milestones": (Task, lambda _: {"is_milestone": True}),
    "all_builds": (Task, lambda _: {"nature": "build"}),
    "estimate_as_remaining": (Task, lambda row: {"remaining_s": round(row.estimate_h * 3600)}),
    "estimate_as_spent": (Task, lambda row: {"spent_s": round(row.estimate_h * 3600)}),
    "planned_when_made": (Task, lambda row: {"planned_start_on": row.created[:10]}),
    "done_when_touched": (Task, lambda row: {"resolved_at": row.updated} if row.done else {}),
    "a_percent_of_two": (Task, lambda row: {"percent": 100.0 if row.done else 0.0}),
    "the_last_assignee": (
        Task, lambda row: {"assignee_id": f"acme:u{row.people[-1]}" if row.people else None}),
    "floats_for_ids": (Task, lambda row: {"id": f"acme:{float(row.id):.0f}"}),
    "no_sub_sub_tasks": (Task, lambda row: {"parent_id": None} if (row.parent or 0) % 5 else {}),
    "parents_are_roots": (
        Task, lambda row: {"parent_id": f"acme:{row.id - row.id % 5}"} if row.parent else {}),
    "a_container_of_its_own": (Task, lambda row: {"container_id": f"acme:{row.project}"}),
    "winter_all_year": (Task, lambda row: {
        "created_at": (datetime.fromisoformat(row.created[:19]) - _WINTER).strftime("%Y-%m-%dT%H:%M:%SZ")}),
    "an_order_of_assignees": (Assignment, lambda _: {"units": 1.0}),
    "all_robots": (Account, lambda _: {"kind": "bot"}),
    "all_active": (Account, lambda _: {"active": True}),
    "all_archived": (Container, lambda _: {"archived": True}),
    "names_for_kinds": (Container, lambda _: {"kind": "portfolio"}),
    "origin_observed": (TaskChange, lambda _: {"origin": "observed"}),
    "somebody_changed_it": (TaskChange, lambda _: {"author_id": "acme:u7"}),
}  # fmt: skip
"""By fault, which record it changes and what of it, given what the API showed."""


def _with(row: msgspec.Raw, **values: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(msgspec.json.decode(row) | values))


class Boastful(AcmeSource, frozen=True, kw_only=True):
    """The same, promising more."""

    provides: ClassVar[tuple[type[Record], ...]] = (*AcmeSource.provides, CustomValue)


class Minutes(Acme):
    """The same tool, whose stamps are of whole minutes."""

    precision_s = 60


class AcmeCertification(SourceCertification):
    """The connector's side of the table."""

    kind = "acme"
    capabilities = frozenset({"increments", "deletions", "worklogs", "containers", "renames", "history"})
    private = (COMMENT,)

    def __init__(self, bug: str = "", *, minutes: bool = False) -> None:
        """Bring the connector with *bug*."""
        self.bug, self.minutes = bug, minutes or bug == "skips_the_minute"

    def world(self, seed: int, *, scale: int = 1) -> Acme:
        return (Minutes if self.minutes else Acme)(seed, scale=scale)

    def source(self, place: str) -> Source:
        cls = Boastful if self.bug == "promises_too_much" else AcmeSource
        return cls(name="acme", url=place, token=SECRET, bug=self.bug)
