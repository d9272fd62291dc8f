"""A source described by a mapping.

Its lists are asked for, paged to the end and held against their own totals.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Literal, NamedTuple
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
from hub_rest.lookups import PREFIX, LookUp, taken
from hub_rest.mapping import Wanted, fill_path, is_true, own
from hub_rest.paging import KEYLESS, Page, key_of, unfolded
from hub_rest.paths import expression
from hub_rest.reading import Reading, note_other_id, other_ids
from hub_rest.rows import RowMapper
from hub_rest.tool import Tool

FEW = 5
SHOWN = 20
"""Rows that a list does not show and that are asked for one by one, as long as each of them answers."""
Presence = Literal["deleted", "hidden", "trashed"]
_LONG_AGO = "1970-01-01T00:00:00+00:00"


class Held(NamedTuple):
    """The rows of a list that others are asked for by, and what its reading left in its mark."""

    rows: list[Any]
    mark: dict[str, Any]


class Lost(msgspec.Struct, kw_only=True):
    """What became of rows that were known and that a whole list does not show.

    *gone* are the proofs, *kept* the others with their containers, *answering* those that are there all the
    same.
    """

    gone: list[Gone] = []
    kept: dict[str, str] = {}
    answering: list[str] = []
    wrong: str = ""
    """A row that the list shows, and whose address answers 404 too: then that proves nothing."""

    def sentence(self, one: Wanted) -> str:
        """Say that the list does not show what is there."""
        if self.wrong:
            return tr(
                "{name}: the address by which rows are proven gone answers 404 for {wrong} too, which the "
                "list shows: it names another id than the rows have. Nothing was taken for gone; correct "
                "deletes.probe.",
                name=one.name,
                wrong=self.wrong,
            )
        count, first = len(self.answering), ", ".join(self.answering[:FEW])
        asked = tr(" (the first {count} were asked)", count=SHOWN) if count > SHOWN else ""
        return tr(
            "{name}: {count} rows that were known are not in the whole list and still answer at their own "
            "address{asked}: {first}{more}. The list does not show all it has.",
            name=one.name,
            count=count,
            asked=asked,
            first=first,
            more=", …" if count > FEW else "",
        )


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
    page_size: int | None = None

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
                look=lambda name, take, key: self._look_up(ctx, name).find(key, take),
            ),
        )

    @property
    def _given(self) -> dict[str, str]:
        return {name: unquote(value) for name, value in self.params.items()}

    def _look_up(self, ctx: Context, name: str) -> LookUp:
        """Return the look-up of a list; where no plan made it, as for a check, it begins empty."""
        return self._made_look_up(ctx, name, None)

    def _made_look_up(self, ctx: Context, name: str, kept: dict[str, Any] | None) -> LookUp:
        described = self.described(ctx)
        one = next(other for other in described.list if other.name == name)

        def read() -> dict[str, dict[str, Any]]:
            return {
                key_of(one, row): {take: _told(take, row) for take in sorted(taken(described)[name])}
                for variables in self._asked(ctx, one)
                for row in self._held(ctx, one, variables).rows
            }

        return ctx.shared(f"{PREFIX}{name}", lambda: LookUp(read, kept, ctx.now()))

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
        first = next(iter(self._asked(ctx, one)), None)
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
        self._tool(ctx).signed_in()  # a wrong password is said once, not by every list
        yield from self._plan_look_ups(ctx, cursors, base)
        for one in self.described(ctx).list:
            if not one.record:
                continue
            # what a key stands for is in the rows: where that has changed they are read again
            used = {name for made in one.record for field in made.fields.values() if (name := _looks(field))}
            settings = " ".join([base, *(f"{self._look_up(ctx, name).version}" for name in sorted(used))])
            planned = []
            for variables in self._asked(ctx, one):
                planned.append(id_ := _partition(one, variables))
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
            found = self._made_look_up(ctx, name, kept if kept.get("settings") == settings else None)
            if ctx.full or found.is_due:
                try:
                    found.refresh()
                except (SourceForbidden, SourceGone, SourceDataError) as exc:
                    ctx.report_missing(f"{name}: {exc}")
                    continue
            mark = found.mark() | {"settings": settings}
            yield Partition(id=f"{PREFIX}{name}", label=name, data=mark)

    def _asked(self, ctx: Context, one: Wanted) -> Iterator[dict[str, Any]]:
        """Return the variables of each asking of a list."""
        if one.each is None:
            yield self._given
            return
        yield from ctx.shared(f"askings of {one.name}", lambda: self._askings(ctx, one))

    def _askings(self, ctx: Context, one: Wanted) -> list[dict[str, Any]]:
        """Return what *one* is asked for by, once a run; a row that cannot say it is rejected."""
        assert one.each is not None
        above = next(other for other in self.described(ctx).list if other.name == one.each.list)
        found: dict[str, dict[str, Any]] = {}
        for variables in self._asked(ctx, above):
            for row in self._held(ctx, above, variables).rows:
                if one.each.when and not is_true(_told(one.each.when, _with(variables, row))):
                    continue
                mine = variables | {name: _told(path, row) for name, path in one.each.set.items()}
                if lacking := [name for name in one.each.set if mine[name] is None]:
                    ctx.reject(
                        self._mapper(ctx).place(above, row),
                        f"has nothing at {one.each.set[lacking[0]]!r}, which {one.name} is asked for by",
                        key=f"{one.name} of {key_of(above, row)}",
                        partition="",
                    )
                    continue
                found[_partition(one, mine)] = mine
        return list(found.values())

    def _held(self, ctx: Context, one: Wanted, variables: dict[str, Any]) -> Held:
        """Read a list that others are asked for by, once a run."""

        def read() -> Held:
            mark: dict[str, Any] = {}
            pages = self._tool(ctx).whole(one, variables, mark=mark)
            rows = {key_of(one, row): row for page in pages for row in page}
            if not one.record:  # it is read for others only, and nobody else watches it
                shapes = self._mapper(ctx).shapes(one, variables)
                shapes.note(rows.values())
                for said in shapes.renamed():
                    ctx.report_missing(f"{one.name}: {said}")
            return Held(list(rows.values()), mark)

        return ctx.shared(f"rows of {_partition(one, variables)}", read)

    def _is_above(self, ctx: Context, one: Wanted) -> bool:
        return any(other.each and other.each.list == one.name for other in self.described(ctx).list)

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one list from its cursor, or whole; after a whole reading, say what is gone.

        A row that cannot be understood is rejected; nothing leaves by it, and it is asked for again.
        """
        if isinstance(partition.data, dict):  # a look-up: it was read when the run was planned
            yield Batch(cursor=partition.data)
            return
        if isinstance(partition.data, Wanted):
            yield self._leaving(ctx, partition.data)
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
        if self._is_above(ctx, one):
            held = self._held(ctx, one, variables)
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
        emptied = whole and not rows.fates and self._was_emptied(ctx, one, before)
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
            left, told = self._listed(ctx, one, rows, set(told))
            proven = {one.id for one in left}
            kept = {
                native: box
                for native, box in rows.box_of.items()
                if native not in there and not proven.intersection(self._mapper(ctx).ids(one, native))
            }
        elif proves and whole and not one.deletes.list:
            provable = not (emptied or rows.nameless) and mark.get("said", 0) <= len(rows.fates)
            lost = self._lost(ctx, one, rows.variables, rows.known, there, provable=provable)
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

    def _listed(
        self, ctx: Context, one: Wanted, rows: Reading, told: set[str]
    ) -> tuple[list[Gone], list[str]]:
        """Return the proofs of the list of what is deleted, and the keys that they were.

        What was *told* before is no news: the row may have come back. One that the list shows is there.
        """
        shown = next(other for other in self.described(ctx).list if other.name == one.deletes.list)
        named = {
            key_of(shown, row)
            for variables in self._asked(ctx, shown)
            for row in self._held(ctx, shown, variables).rows
        }
        gone: list[Gone] = []
        for native in sorted((named - told) & set(rows.box_of) - rows.natives):
            gone += self._proofs(ctx, one, native, "deleted", f"named in the list {shown.name}")
        return gone, sorted(named)

    def _was_emptied(self, ctx: Context, one: Wanted, before: dict[str, Any]) -> bool:
        """Say whether a list that had rows has none, where the hub's guard does not ask a person."""
        table = own(one).table
        if not before.get("rows") or table not in {"container", "account", "task", "worklog"}:
            return False
        if one.each is not None:  # one of several may well be empty
            return table == "container" and not self._readable(ctx)
        return table in {"container", "account"} or one.deletes.kind in {"none", "flag"}

    def _lost(
        self,
        ctx: Context,
        one: Wanted,
        variables: dict[str, Any],
        known: dict[str, list[str]],
        there: set[str],
        *,
        provable: bool = True,
    ) -> Lost:
        """Judge rows that were known and are not *there*.

        Unless *provable*, what is lacking may be one that could not be seen: nothing is gone then.
        """
        lost = Lost()
        lacking = [
            (native, box) for box, natives in known.items() for native in natives if native not in there
        ]
        if lacking and (elsewhere := self._elsewhere(ctx, one)):
            lacking = [pair for pair in lacking if pair[0] not in elsewhere]
        # a list that makes its containers along the way cannot say which of them are out of sight
        makes = any(made.table == "container" for made in one.record)
        readable = None if makes or not lacking else self._readable(ctx)
        for native, box in lacking:
            # what is in a container that is not shown any more, or is archived, is out of sight, not gone
            if not provable or (box and readable is not None and box not in readable):
                lost.kept[native] = box
                continue
            if len(lost.answering) >= SHOWN:  # the list is proven wrong: each one more is a request
                lost.answering.append(native)
                lost.kept[native] = box
                continue
            if one.each and one.deletes.probe is None:
                # only when all of them are read is it sure that it is in no other: `_leaving` says so
                if self._is_stored(ctx, one, native):
                    ctx.shared(f"lacking {one.name}", set[str]).add(native)
                    lost.kept[native] = box
                continue
            found = self._presence(ctx, one, variables, native, box)
            if found is None:
                lost.answering.append(native)
                lost.kept[native] = box
                continue
            where, evidence = found
            if where == "moved":
                continue
            if where == "deleted" and (wrong := self._misled(ctx, one, variables, there)):
                lost.wrong = wrong
                lost.kept[native] = box
                continue
            lost.gone += self._proofs(ctx, one, native, where, evidence)
            if where == "hidden":
                lost.kept[native] = box
        return lost

    def _misled(self, ctx: Context, one: Wanted, variables: dict[str, Any], there: set[str]) -> str:
        """Return a row that is there and whose address answers 404 all the same; empty where it answers."""
        if one.deletes.probe is None or not there or not other_ids(ctx, one):
            return ""

        def ask() -> str:
            native = max(there)
            found = self._presence(ctx, one, variables, native)
            return native if found is not None and found[0] == "deleted" else ""

        return ctx.shared(f"control of {_partition(one, variables)}", ask)

    def _elsewhere(self, ctx: Context, one: Wanted) -> set[str]:
        """Return the rows of other lists that become records of the same ids, such as archived projects."""
        mine = maps.plain(own(one).fields["id"])
        others = [
            other
            for other in self.described(ctx).list
            if other is not one
            and other.record
            and not other.cursor
            and not other.paging.resume
            and own(other).table == own(one).table
            and maps.plain(own(other).fields["id"]).prefix == mine.prefix
        ]
        found = set()
        for other in others:
            for variables in self._asked(ctx, other):
                for row in self._held(ctx, other, variables).rows:
                    try:
                        found.add(self._mapper(ctx).native(other, row, variables))
                    except SourceDataError:
                        continue
        return found

    def _presence(
        self, ctx: Context, one: Wanted, variables: dict[str, Any], native: str, box: str = ""
    ) -> tuple[Presence | Literal["moved"], str] | None:
        """Return where a row is that its list does not show, with the evidence; None where it answers.

        It is moved where it answers and says that it is in another container than *box*, where it was.
        """
        probe, trashed, title = one.deletes.probe, one.deletes.trashed, self.described(ctx).title
        if probe is None:
            return self._absent(one)
        try:
            answer = self._tool(ctx).get(
                fill_path(probe, variables | {"id": native}) or "", route=f"probe {one.name}"
            )
        except SourceGone:
            return "deleted", f"{title} answers 404 for it"
        except SourceForbidden:
            return "hidden", f"{title} answers 403 for it"
        except SourceDataError:  # whatever it says, it does not say that the row is gone
            return None
        if self._names_another(ctx, one, variables, native, answer):
            return None  # of this row it says nothing
        flag = _told(trashed, answer) if trashed else None
        if isinstance(flag, dict | list) and flag:
            return None  # nothing leaves on evidence that nobody understands
        if is_true(flag):
            return "trashed", f"{title} says that {trashed} is true of it"
        if one.each and box and self._boxes_in(ctx, one, answer) - {box}:
            return "moved", ""
        return None

    def _absent(self, one: Wanted) -> tuple[Presence, str]:
        """Return what it proves that a row is in no whole list any more."""
        said = f"absent from the whole list {one.deletes.list or one.name}"
        if own(one).table == "container":  # it may be closed to this account as well
            return "hidden", f"{said}: deleted, or out of sight"
        return "deleted", said

    def _boxes_in(self, ctx: Context, one: Wanted, answer: Any) -> set[str]:
        """Return the containers that an answer about a row names."""
        told = (self._mapper(ctx).understood(one, value, self._given) for value in _objects(answer))
        return {found["container_id"] for found in told if found.get("id") and found.get("container_id")}

    def _is_stored(self, ctx: Context, one: Wanted, native: str) -> bool:
        """Say whether the store holds a record of a row that has not left."""
        cls, start = BY_TABLE[own(one).table], self._mapper(ctx).row_id(own(one).table, "")
        stored = ctx.shared(f"stored {cls.table}", lambda: ctx.known_ids(cls, start))
        return not stored.isdisjoint(self._mapper(ctx).ids(one, native))

    def _leaving(self, ctx: Context, one: Wanted) -> Batch:
        """Return the proofs of what lacks in each of the lists of one kind: it is in no other either."""
        lacking = ctx.shared(f"lacking {one.name}", set[str]) - ctx.shared(f"there {one.name}", set[str])
        gone: list[Gone] = []
        for native in sorted(lacking):
            gone += self._proofs(ctx, one, native, *self._absent(one))
        return Batch(gone=tuple(gone))

    def _names_another(
        self, ctx: Context, one: Wanted, variables: dict[str, Any], native: str, answer: Any
    ) -> bool:
        """Say whether an answer bears ids and none of them is that of the row asked for."""
        named = set()
        for value in _objects(answer):
            try:
                named.add(self._mapper(ctx).native(one, value, variables))
            except Exception:  # noqa: BLE001, S112 - it is no row, or an odd one
                continue
        return bool(named) and native not in named

    def _proofs(
        self, ctx: Context, one: Wanted, native: str, presence: Presence, evidence: str
    ) -> Iterator[Gone]:
        cls, ids = BY_TABLE[own(one).table], self._mapper(ctx).ids(one, native)
        if len(ids) > 1:  # of what a row may become, some were not
            start = self._mapper(ctx).row_id(cls.table, "")
            stored = ctx.shared(f"stored {cls.table}", lambda: ctx.known_ids(cls, start))
            ids = [id_ for id_ in ids if id_ in stored]
        yield from (Gone(record=cls, id=id_, presence=presence, evidence=evidence) for id_ in ids)

    def _readable(self, ctx: Context) -> set[str] | None:
        """Return the containers that this run saw and whose rows lists show.

        None where the mapping lists no containers.
        """
        boxes = [
            one for one in self.described(ctx).list if any(made.table == "container" for made in one.record)
        ]
        if not boxes:
            return None

        def read() -> set[str]:
            found = [
                self._mapper(ctx).understood(one, row, variables, "container")
                for one in boxes
                for variables in self._asked(ctx, one)
                for row in self._held(ctx, one, variables).rows
            ]
            return {box["id"] for box in found if "id" in box and not box.get("archived")}

        return ctx.shared("readable", read)

    # ---------- census ----------

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        """Look for what is gone in lists that this run did not read whole.

        Only what is proven to be gone is lacking.
        """
        done = ctx.shared("read whole", set[str])
        for one in self.described(ctx).list:
            if one.deletes.kind not in {"absence", "probe"} or not one.record:
                continue
            for variables in self._asked(ctx, one):
                id_ = _partition(one, variables)
                known = (cursors.get(id_) or {}).get("ids") or {}
                if id_ in done or not known:
                    continue
                there, provable = self._there(ctx, one, variables)
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
                lost = self._lost(ctx, one, variables, known, there, provable=provable)
                if lost.answering or lost.wrong:
                    ctx.report_missing(lost.sentence(one))
                yield from lost.gone
            if one.each and one.deletes.kind == "absence" and not one.deletes.list:
                yield from (proof for proof in self._leaving(ctx, one).gone if isinstance(proof, Gone))

    def _there(self, ctx: Context, one: Wanted, variables: dict[str, Any]) -> tuple[set[str], bool]:
        """Return the rows that a whole list shows now, and whether it shows all that there are."""
        shown = next((other for other in self.described(ctx).list if other.name == one.deletes.list), one)
        askings = [variables | {"since": None}] if shown is one else list(self._asked(ctx, shown))
        there: set[str] = set()
        provable = True
        for asking in askings:
            mark: dict[str, Any] = {}
            keys: set[str] = set()
            for page in self._tool(ctx).whole(shown, asking, mark=mark):
                for row in page:
                    keys.add(key := key_of(shown, row))
                    try:
                        native = key if shown is not one else self._mapper(ctx).native(one, row, asking)
                        note_other_id(ctx, one, row, native)
                    except SourceDataError:
                        provable = False
                        continue
                    there.add(native)
            provable &= mark.get("said", 0) <= len(keys) and not any(key.startswith(KEYLESS) for key in keys)
        return there, provable


def _partition(one: Wanted, variables: dict[str, Any]) -> str:
    own = one.each.set if one.each else {}
    return " ".join([one.name, *(f"{variables[name]}" for name in own)])


def _looks(field: maps.Field | str) -> str | None:
    return None if isinstance(field, str) else field.lookup


def _with(variables: dict[str, Any], row: Any) -> Any:
    return variables | row if isinstance(row, dict) else row


def _objects(answer: Any) -> list[dict[str, Any]]:
    """Return the objects of an answer about one row that may be that row: itself, or one that it wraps."""
    inner = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else ()
    firsts = [value[0] for value in inner if isinstance(value, list) and len(value) == 1]
    return [value for value in (answer, *inner, *firsts) if isinstance(value, dict)]


def _told(path: str, row: Any) -> Any:
    """Return what stands at a path; None too where the row has another shape."""
    try:
        return expression(path)(row)
    except Exception:  # noqa: BLE001 - the row is odd in whatever way it is odd
        return None


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
