"""A source described by a mapping.

Its lists are asked for, paged to the end and held against their own totals.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import unquote

import msgspec

from hub import (
    BY_TABLE,
    RULES,
    Batch,
    Census,
    Check,
    ConfigError,
    Context,
    Count,
    Gone,
    HubError,
    Partition,
    Record,
    Secret,
    Source,
    SourceDataError,
    SourceForbidden,
    SourceGone,
    tr,
)
from hub_rest import mapping as maps
from hub_rest.leaving import Leaving
from hub_rest.lists import Lists, partition_of
from hub_rest.lookups import PREFIX, taken
from hub_rest.mapping import Wanted
from hub_rest.paging import Page, unfolded
from hub_rest.reading import Reading
from hub_rest.rows import RowMapper
from hub_rest.tool import Tool

_LONG_AGO = "1970-01-01T00:00:00+00:00"


class ListToRead(msgspec.Struct, frozen=True, kw_only=True):
    """A list, asked for with *variables*, *whole* or from where *before*, its last cursor, ended.

    *cursor* begins the next one.
    """

    list: Wanted
    variables: dict[str, Any]
    whole: bool
    before: dict[str, Any]
    cursor: dict[str, Any]

    @property
    def since(self) -> str | None:
        """Return the stamp from which on is asked; None for a whole reading."""
        return None if self.whole else self.before.get("since")


class RestSource(Source, frozen=True, kw_only=True):
    """Any tool that answers JSON, as *mapping* describes it.

    A file, or the name of one that comes with pm-hub. *url* is the tool's address. *user*, *password*,
    *token*, *app_token*, *client_id* and *client_secret* are what its way to sign in asks for. *params* gives
    the values that the mapping needs, such as the name of an organisation. *page_size* is for servers that
    give smaller pages than usual.
    """

    kind: ClassVar[str] = "rest"
    provides: ClassVar[tuple[type[Record], ...]] = tuple(BY_TABLE[name] for name in maps.TABLES)
    asks: ClassVar[tuple[str, ...]] = ("url", "token")

    url: str
    mapping: str
    user: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    app_token: Secret | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    params: dict[str, str] = msgspec.field(default_factory=dict)
    page_size: Count | None = None

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(
                tr(
                    "The source {name}: url is the address of the tool, such as https://projects.example.com.",
                    name=self.name,
                )
            )

    @property
    def address(self) -> str:
        """Return the tool's address."""
        return self.url

    def described(self, ctx: Context) -> maps.Mapping:
        """Return the mapping. Raises `ConfigError` for a wrong one and for what it needs and does not get."""
        found: maps.Mapping = ctx.shared("mapping", lambda: maps.load(self.mapping, ctx.base))
        for name in found.needs:
            if name not in self.params:
                raise ConfigError(
                    tr(
                        "The source {name}: {title} needs params = {{ {param} = … }}.",
                        name=self.name,
                        title=found.title,
                        param=name,
                    )
                )
        return found

    def _tool(self, ctx: Context) -> Tool:
        def make() -> Tool:
            secrets = {
                "password": self.password,
                "token": self.token,
                "app_token": self.app_token,
                "client_secret": self.client_secret,
            }
            words = (
                self.params
                | {"user": self.user, "client_id": self.client_id}
                | {name: one.reveal() if one else None for name, one in secrets.items()}
            )
            return Tool(ctx, self.described(ctx), self.url, words, size=self.page_size)

        return ctx.shared("tool", make)

    def _mapper(self, ctx: Context) -> RowMapper:
        return ctx.shared(
            "mapper",
            lambda: RowMapper(
                self.described(ctx),
                name=self.name,
                tz=self.tz,
                day_s=round(self.hours_per_day * 3600),
                currency=ctx.currency,
                params=self._given,
                look=lambda name, take, key: self.lists(ctx).look_up(name).find(key, take),
            ),
        )

    @property
    def _given(self) -> dict[str, str]:
        return {name: unquote(value) for name, value in self.params.items()}

    def lists(self, ctx: Context) -> Lists:
        """Return the lists of the tool, as this run asks for them."""
        return Lists(ctx, self.described(ctx), self._tool(ctx), self._mapper(ctx), self._given)

    def _settings(self, ctx: Context) -> str:
        chosen = [
            msgspec.to_builtins(self.described(ctx)),
            self.url,
            self.params,
            self.tz,
            self.hours_per_day,
            RULES,
            ctx.currency,
        ]
        return f"{hash_of(chosen)}"

    # ---------- check ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, and look at the first page of each list: how many rows, and what becomes of one."""
        tool, described = self._tool(ctx), self.described(ctx)
        if described.check:
            who = tool.signed_in()
            tool.hear_of_token()
            yield Check(
                name="account",
                state="ok",
                detail=tr("signed in as {who}", who=who) if who else tr("signed in"),
            )
        for one in described.list:
            if not one.paging.is_proven:
                yield Check(
                    name=one.name,
                    state="failed",
                    detail=tr(
                        "its pages have no total, no next and no overlap: a row that goes between two pages "
                        "costs another one. Say where total stands, page by offset, or say twice = true."
                    ),
                )
                continue
            try:
                tried = self.first_page(ctx, one)
                if tried is None:
                    yield Check(
                        name=one.name,
                        state="warning",
                        detail=tr(
                            "{more} has no row to ask it for",
                            more=one.each.list if one.each else tr("its list"),
                        ),
                    )
                    continue
                first, page, rows = tried
                made, odd = self._tried(ctx, one, rows, first)
            except HubError as exc:
                yield Check(name=one.name, state="failed", detail=str(exc))
                continue
            what = (
                tr("{count} rows", count=page.total)
                if page.total is not None
                else tr("{count} on the first page rows", count=len(page.rows))
            )
            lacks = tr("; {count} cannot be taken: {first}", count=len(odd), first=odd[0]) if odd else ""
            yield Check(
                name=one.name,
                state="ok" if page.rows and not odd else "warning",
                detail=f"{what}: {', '.join(made) or tr('no record')}{lacks}",
            )

    def first_page(self, ctx: Context, one: Wanted) -> tuple[dict[str, Any], Page, list[Any]] | None:
        """Ask for the first page of a list; return what it was asked for by, the page and its rows.

        None where the list above it has no row to ask it for.
        """
        first = next(iter(self.lists(ctx).asked(one)), None)
        if first is None:
            return None
        page = next(self._tool(ctx).pages(one, first), Page([], None))
        return first, page, unfolded(one, page.rows)

    def made(self, ctx: Context, one: Wanted, row: Any, variables: dict[str, Any]) -> list[Record]:
        """Return the records that a row becomes. Raises `SourceDataError` for one that cannot be taken."""
        return list(self._mapper(ctx).records(one, row, variables))

    def _tried(
        self, ctx: Context, one: Wanted, rows: list[Any], variables: dict[str, Any]
    ) -> tuple[list[str], list[str]]:
        """Return the tables that rows become, and what is wrong with those that cannot be taken."""
        made: set[str] = set()
        odd: list[str] = []
        for row in rows:
            try:
                made |= {record.table for record in self._mapper(ctx).records(one, row, variables)}
            except Exception as exc:  # noqa: BLE001 - one odd row costs one row, in whatever way it is odd
                odd.append(f"{exc}")
        return sorted(made), odd

    # ---------- plan ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return one partition a list, or one for each row of the list above it."""
        base, now = self._settings(ctx), ctx.now()
        tool = self._tool(ctx)
        tool.signed_in()  # a wrong password is said once, not by every list
        tool.hear_of_token()
        yield from self._plan_look_ups(ctx, cursors, base)
        for one in self.described(ctx).list:
            if not one.record:
                continue
            # what a key stands for is in the rows: where that has changed they are read again
            used = {name for made in one.record for field in made.fields.values() if (name := _looks(field))}
            settings = " ".join(
                [base, *(f"{self.lists(ctx).look_up(name).version}" for name in sorted(used))]
            )
            planned = []
            for variables in self.lists(ctx).asked(one):
                planned.append(id_ := partition_of(one, variables))
                before = cursors.get(id_) or {}
                same = before.get("settings") == settings and not ctx.full
                age = now - datetime.fromisoformat(before["at"]) if same else timedelta.max
                sweeps = one.deletes.kind in {"absence", "probe"} and not one.deletes.list
                due = sweeps and not timedelta(0) <= age < timedelta(hours=one.sweep_hours)
                whole = not same or not (one.cursor or one.paging.resume) or due
                begun = {"settings": settings, "at": now.isoformat() if whole else before["at"]}
                data = ListToRead(list=one, variables=variables, whole=whole, before=before, cursor=begun)
                yield Partition(id=id_, label=one.name, data=data)
            if planned and one.each and one.deletes.kind == "absence" and not one.deletes.list:
                yield Partition(id=f"leaving {one.name}", label=one.name, after=tuple(planned), data=one)

    def _plan_look_ups(self, ctx: Context, cursors: Mapping[str, Any], settings: str) -> Iterator[Partition]:
        for name in taken(self.described(ctx)):
            kept = cursors.get(f"{PREFIX}{name}") or {}
            found = self.lists(ctx).look_up(name, kept if kept.get("settings") == settings else None)
            if ctx.full or found.is_due:
                try:
                    found.refresh()
                except (SourceForbidden, SourceGone, SourceDataError) as exc:
                    ctx.report_missing(f"{name}: {exc}")
                    continue
            mark = found.mark() | {"settings": settings}
            yield Partition(id=f"{PREFIX}{name}", label=name, data=mark)

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one list from its cursor, or whole; after a whole reading, say what is gone.

        A row that cannot be understood is rejected; nothing leaves by it, and it is asked for again.
        """
        if isinstance(partition.data, dict):  # a look-up: it was read when the run was planned
            yield Batch(cursor=partition.data)
            return
        if isinstance(partition.data, Wanted):
            yield Leaving(self.lists(ctx)).leaving(partition.data)
            return
        data: ListToRead = partition.data
        one, before, whole = data.list, data.before, data.whole
        since = data.since
        variables = data.variables | {"since": _written(since, one.cursor) if since and one.cursor else None}
        if one.paging.resume:
            variables["token"] = None if whole else before.get("token")
        known: dict[str, list[str]] = before.get("ids") or {}
        rows = Reading(ctx, self._mapper(ctx), one, data.variables, known, since or "")
        mark: dict[str, Any] = {}
        if self.lists(ctx).is_above(one):
            held = self.lists(ctx).held(one, variables)
            mark, pages = held.mark, iter([held.rows])
        else:
            until = rows.older(one.cursor.overlap_s) if since and one.cursor else None
            pages = self._tool(ctx).whole(one, variables, mark=mark, until=until)
        for page in pages:
            yield rows.take(page)
        if renamed := rows.shapes.renamed():
            # what was written lacks something: all is read again, until it is right
            again = before | {"settings": ""}
            yield Batch(cursor=again, held=again)
            raise SourceDataError(
                tr(
                    "{name}: {renamed}: the API changed, or the mapping is for another version.",
                    name=one.name,
                    renamed="; ".join(renamed),
                )
            )
        ctx.tally(rows.tally(mark.get("said")))
        yield self._last(ctx, partition, rows, mark)

    def _last(self, ctx: Context, partition: Partition, rows: Reading, mark: dict[str, Any]) -> Batch:
        """Return the proofs and the mark of a list that was read to its end."""
        data: ListToRead = partition.data
        one, before = data.list, data.before
        whole = data.whole or (mark.get("anew", False) and not (data.since and one.cursor))
        proves, cursor = one.deletes.kind in {"absence", "probe", "listed"}, data.cursor
        left: list[Gone] = []
        kept: dict[str, str] = {}
        emptied = whole and not rows.fates and Leaving(self.lists(ctx)).was_emptied(one, before)
        if emptied:
            ctx.report_missing(
                tr(
                    "{name}: the whole list has no row any more, and had {rows}: nothing was taken for "
                    "gone. If that is right, `hub sync --full` takes it as it is.",
                    name=one.name,
                    rows=before["rows"],
                ),
                partition=partition.id,
            )
        there = rows.natives
        told = before.get("listed") or []
        if one.deletes.kind == "listed":
            left, told = Leaving(self.lists(ctx)).listed(one, rows, set(told))
            proven = {one.id for one in left}
            kept = {
                native: box
                for native, box in rows.box_of.items()
                if native not in there and not proven.intersection(self._mapper(ctx).ids(one, native))
            }
        elif proves and whole and not one.deletes.list:
            provable = not (emptied or rows.nameless) and mark.get("said", 0) <= len(rows.fates)
            lost = Leaving(self.lists(ctx)).lost(one, rows.variables, rows.known, there, provable=provable)
            left, kept = lost.gone, lost.kept
            if lost.answering or lost.wrong:
                ctx.report_missing(lost.sentence(one), partition=partition.id)
                cursor = cursor | {"at": _LONG_AGO}  # it is asked for whole until it is right
        elif proves:
            kept = {native: box for native, box in rows.box_of.items() if native not in there}
        for native, box in kept.items():
            rows.boxes.setdefault(box, []).append(native)
        if one.each:
            ctx.shared(f"there {one.name}", set[str]).update(there)
        if whole and not one.deletes.list:
            ctx.shared("read whole", set[str]).add(partition.id)
        count = len(rows.fates) if whole else before.get("rows")
        cursor = cursor | {
            "since": rows.newest,
            "token": mark.get("token") or before.get("token"),
            "ids": rows.ids() if proves else {},
            "listed": told,
            "rows": count if count or ctx.full else before.get("rows"),
        }
        again = {"settings": ""} if whole else {"since": before.get("since"), "token": before.get("token")}
        return Batch(gone=tuple(left), cursor=cursor, held=cursor | again)

    # ---------- census ----------

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        """Look for what is gone in lists that this run did not read whole.

        Only what is proven to be gone is lacking.
        """
        done = ctx.shared("read whole", set[str])
        for one in self.described(ctx).list:
            if one.deletes.kind not in {"absence", "probe"} or not one.record:
                continue
            for variables in self.lists(ctx).asked(one):
                id_ = partition_of(one, variables)
                known = (cursors.get(id_) or {}).get("ids") or {}
                if id_ in done or not known:
                    continue
                there, provable = Leaving(self.lists(ctx)).there(one, variables)
                if one.each:
                    ctx.shared(f"there {one.name}", set[str]).update(there)
                natives = {native for natives in known.values() for native in natives}
                if one.deletes.list and there and not natives & there:
                    ctx.report_missing(
                        tr(
                            "{name}: no row has a key of the list {list}, by which it is proven gone: its "
                            "keys are other ids. Nothing was taken for gone.",
                            name=one.name,
                            list=one.deletes.list,
                        )
                    )
                    continue
                lost = Leaving(self.lists(ctx)).lost(one, variables, known, there, provable=provable)
                if lost.answering or lost.wrong:
                    ctx.report_missing(lost.sentence(one))
                yield from lost.gone
            if one.each and one.deletes.kind == "absence" and not one.deletes.list:
                left = Leaving(self.lists(ctx)).leaving(one).gone
                yield from (proof for proof in left if isinstance(proof, Gone))


def _looks(field: maps.Field | str) -> str | None:
    return None if isinstance(field, str) else field.lookup


def _written(stamp: str, cursor: maps.Cursor) -> str | int:
    """Write the stamp from which on is asked, as the tool wants it."""
    moment = datetime.fromisoformat(stamp).astimezone(UTC) - timedelta(seconds=cursor.overlap_s)
    match cursor.format:
        case "epoch":
            return int(moment.timestamp())
        case "epoch_ms":
            return int(moment.timestamp() * 1000)
    return moment.strftime(cursor.format)


def hash_of(value: Any) -> str:
    """Return a short fingerprint of settings."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]
