"""A source described by a mapping.

Its lists are asked for, paged to the end and held against their own totals.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Container, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from hub import (
    BY_TABLE,
    RULES,
    Batch,
    CellError,
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
from hub_rest.mapping import Wanted, expression, fill, own, parts, plain
from hub_rest.rows import RowMapper
from hub_rest.tool import Page, Tool

SHOWN = 20


class ListToRead(msgspec.Struct, frozen=True, kw_only=True):
    """A list, asked for with *variables*, *whole* or from where *before*, its last cursor, ended.

    *cursor* begins the next one.
    """

    list: Wanted
    variables: dict[str, Any]
    whole: bool
    before: dict[str, Any]
    cursor: dict[str, Any]


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
                    "The source {name}: url is the address of the tool, such as "
                    "https://projects.example.com.",
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
                        "The source {name}: {title} needs params = {{ {parameter} = … }}.",
                        name=self.name,
                        title=found.title,
                        parameter=name,
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
            ),
        )

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
            tool.get(described.check)
            yield Check(name="account", state="ok", detail=tr("signed in"))
        for one in described.list:
            try:
                first = next(iter(self._asked(ctx, one)), None)
                if first is None:
                    yield Check(
                        name=one.name,
                        state="warning",
                        detail=tr(
                            "{parent} has no row to ask it for",
                            parent=one.each.list if one.each else tr("its list"),
                        ),
                    )
                    continue
                page = next(tool.pages(one, first), Page([], None))
                tables = sorted(
                    {
                        record.table
                        for row in page.rows
                        for record in self._mapper(ctx).records(one, row, first)
                    }
                )
            except HubError as exc:
                yield Check(name=one.name, state="failed", detail=str(exc))
                continue
            what = f"{page.total if page.total is not None else f'{len(page.rows)} on the first page'}"
            yield Check(
                name=one.name,
                state="ok" if page.rows else "warning",
                detail=f"{what} rows: {', '.join(tables) or 'no record'}",
            )

    # ---------- plan ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return one partition a list, or one for each row of the list above it."""
        settings, now = self._settings(ctx), ctx.now()
        self._tool(ctx)  # a wrong password is said once, not by every list
        for one in self.described(ctx).list:
            if not one.record:
                continue
            for variables in self._asked(ctx, one):
                id_ = _partition(one, variables)
                before = cursors.get(id_) or {}
                same = before.get("settings") == settings and not ctx.full
                age = now - datetime.fromisoformat(before["at"]) if same else timedelta.max
                due = one.deletes.kind in {"absence", "probe"} and not timedelta(0) <= age < timedelta(
                    hours=one.sweep_hours
                )
                whole = not same or not (one.cursor or one.paging.resume) or due
                begun = {"settings": settings, "at": now.isoformat() if whole else before["at"]}
                data = ListToRead(list=one, variables=variables, whole=whole, before=before, cursor=begun)
                yield Partition(id=id_, label=one.name, data=data)

    def _asked(self, ctx: Context, one: Wanted) -> Iterator[dict[str, Any]]:
        """Return the variables of each asking of a list."""
        if one.each is None:
            yield dict(self.params)
            return
        above = next(other for other in self.described(ctx).list if other.name == one.each.list)
        for variables in self._asked(ctx, above):
            for row in self._held(ctx, above, variables):
                found = {name: expression(path)(row) for name, path in one.each.set.items()}
                if lacking := [name for name, value in found.items() if value is None]:
                    raise SourceDataError(
                        tr(
                            "{name}: a row has nothing at {path!r}, which {list} is asked for by.",
                            name=above.name,
                            path=one.each.set[lacking[0]],
                            list=one.name,
                        )
                    )
                yield variables | found

    def _held(self, ctx: Context, one: Wanted, variables: dict[str, Any]) -> list[Any]:
        """Read a list that others are asked for by, once a run."""

        def read() -> list[Any]:
            return [row for page in self._tool(ctx).whole(one, variables) for row in page]

        return ctx.shared(f"rows of {_partition(one, variables)}", read)

    def _is_above(self, ctx: Context, one: Wanted) -> bool:
        return any(other.each and other.each.list == one.name for other in self.described(ctx).list)

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one list from its cursor, or whole; after a whole reading, say what is gone.

        A row with a value that cannot be understood is named and left out; nothing leaves, and it is asked
        for again.
        """
        data: ListToRead = partition.data
        one, before, whole = data.list, data.before, data.whole
        mapper, find, table, keys = self._mapper(ctx), expression(one.key), own(one).table, Keys(one)
        stamp_of = expression(one.cursor.field) if one.cursor else None
        since = None if whole else before.get("since")
        variables = data.variables | {"since": _written(since, one.cursor) if since and one.cursor else None}
        if one.paging.resume:
            variables["token"] = None if whole else before.get("token")
        proves = one.deletes.kind in {"absence", "probe"}
        known: dict[str, list[str]] = before.get("ids") or {}
        boxes: dict[str, list[str]] = {}
        newest = since or ""
        wrong = 0
        mark: dict[str, Any] = {}
        pages = (
            iter([self._held(ctx, one, variables)])
            if self._is_above(ctx, one)
            else self._tool(ctx).whole(one, variables, mark=mark)
        )
        for rows in pages:
            records: list[Record] = []
            gone: list[Gone] = []
            for row in rows:
                keys.note(row)
                try:
                    made = list(mapper.records(one, row, variables))
                except CellError as exc:
                    wrong += 1
                    if wrong <= SHOWN:
                        ctx.report_missing(str(exc), partition=partition.id)
                    continue
                itself = next((record for record in made if record.table == table), None)
                if one.deletes.field and expression(one.deletes.field)(row):
                    gone += (
                        [
                            Gone(
                                record=type(itself),
                                id=itself.id,
                                evidence=tr("{field} is true", field=one.deletes.field),
                            )
                        ]
                        if itself
                        else []
                    )
                else:
                    records += made
                    if itself is not None and proves:
                        boxes.setdefault(getattr(itself, "container_id", None) or "", []).append(
                            f"{find(row)}"
                        )
                if stamp_of and (value := stamp_of(row)):
                    newest = max(newest, f"{mapper.instant(value):%Y-%m-%dT%H:%M:%SZ}")
            yield Batch(records=records, gone=tuple(gone))
        if (
            renamed := keys.renamed()
        ):  # what was written lacks something: all is read again, until it is right
            yield Batch(cursor=before | {"settings": ""})
            raise SourceDataError(
                tr(
                    "{name}: {renamed}: the API changed, or the mapping is for another version.",
                    name=one.name,
                    renamed="; ".join(renamed),
                )
            )
        if wrong:
            if wrong > SHOWN:
                ctx.report_missing(
                    tr(
                        "{name}: {wrong} more rows could not be understood",
                        name=one.name,
                        wrong=wrong - SHOWN,
                    ),
                    partition=partition.id,
                )
            return
        left: list[Gone] = []
        if proves and (known or not whole):
            there = {native for natives in boxes.values() for native in natives}
            if whole:
                left, kept = self._lost(ctx, one, variables, known, there)
            else:
                kept = {
                    native: box for box, natives in known.items() for native in natives if native not in there
                }
            for native, box in kept.items():
                boxes.setdefault(box, []).append(native)
        ids = {
            box: list(dict.fromkeys(boxes.pop(box))) for box in list(boxes)
        }  # rows of two pages, or of two tries, are one
        ctx.shared("read whole", set[str]).update([partition.id] if whole else [])
        yield Batch(
            gone=tuple(left),
            cursor=data.cursor
            | {"since": newest, "token": mark.get("token") or before.get("token"), "ids": ids},
        )

    def _lost(
        self,
        ctx: Context,
        one: Wanted,
        variables: dict[str, Any],
        known: dict[str, list[str]],
        seen: Container[str],
    ) -> tuple[list[Gone], dict[str, str]]:
        """Judge rows that were there and were not seen: proofs of those that are gone.

        The others stay, by container.
        """
        readable, mapper, itself = self._readable(ctx), self._mapper(ctx), own(one)
        title, prefix = self.described(ctx).title, plain(itself.fields["id"]).prefix
        evidence = (
            tr("{title} answers 404 for it", title=title)
            if one.deletes.probe
            else tr("absent from the whole list {name}", name=one.name)
        )
        gone: list[Gone] = []
        kept: dict[str, str] = {}
        for box, native in (
            (box, native) for box, natives in known.items() for native in natives if native not in seen
        ):
            # what is in a container that is not shown any more is out of sight, not gone
            if (box and readable is not None and box not in readable) or not self._is_gone(
                ctx, one, variables, native
            ):
                kept[native] = box
            else:
                id_ = mapper.row_id(itself.table, f"{prefix}{native}")
                ids = [f"{id_}/{part}" for part in itself.spread] or [id_]
                gone += [Gone(record=BY_TABLE[itself.table], id=one_id, evidence=evidence) for one_id in ids]
        return gone, kept

    def _is_gone(self, ctx: Context, one: Wanted, variables: dict[str, Any], native: str) -> bool:
        if one.deletes.probe is None:
            return True
        try:
            self._tool(ctx).get(
                fill(one.deletes.probe, variables | {"id": native}), route=f"probe {one.name}"
            )
        except SourceGone:
            return True
        except SourceForbidden:
            return False
        return False

    def _readable(self, ctx: Context) -> set[str] | None:
        """Return the containers that this run saw, or None where the mapping lists none."""
        boxes = [
            one for one in self.described(ctx).list if any(made.table == "container" for made in one.record)
        ]
        if not boxes:
            return None

        def read() -> set[str]:
            return {
                record.id
                for one in boxes
                for variables in self._asked(ctx, one)
                for row in self._held(ctx, one, variables)
                for record in self._mapper(ctx).records(one, row, variables)
                if record.table == "container"
            }

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
            find = expression(one.key)
            for variables in self._asked(ctx, one):
                id_ = _partition(one, variables)
                known = (cursors.get(id_) or {}).get("ids") or {}
                if id_ in done or not known:
                    continue
                seen = {
                    f"{find(row)}": ""
                    for page in self._tool(ctx).whole(one, variables | {"since": None})
                    for row in page
                }
                left, _ = self._lost(ctx, one, variables, known, seen)
                yield from left


class Keys:
    """The keys that rows have where the mapping looks.

    A name that none has, beside one that begins like it, was changed.
    """

    def __init__(self, one: Wanted) -> None:
        """Take the plain paths of a list."""
        texts = [plain(field).path for made in one.record for field in made.fields.values()]
        paths = [path for text in texts if text and not text.startswith("spread.") for path in parts(text)]
        paths += [[name] for made in one.record for name in made.spread]
        self.wanted: dict[tuple[str, ...], set[str]] = {}
        for path in paths:
            for depth, name in enumerate(path):
                self.wanted.setdefault(tuple(path[:depth]), set()).add(name)
        self.seen: dict[tuple[str, ...], set[str]] = {place: set() for place in self.wanted}

    def note(self, row: Any) -> None:
        """Note the keys of a row."""
        for place, keys in self.seen.items():
            here = row
            for name in place:
                here = here.get(name) if isinstance(here, dict) else None
            if isinstance(here, dict):
                keys.update(here)

    def renamed(self) -> list[str]:
        """Say which names none of the rows has, where something shows that they should.

        One that begins alike is there, or other things are where they should be.
        """
        said = []
        for place, names in self.wanted.items():
            lacking, others = names - self.seen[place], self.seen[place] - names
            said += [
                tr("no row has {names}, but {key}", names=".".join((*place, name)), key=key)
                for name in lacking
                for key in others
                if key.startswith(name)
            ]
            if place and others and lacking == names and not said:
                said.append(
                    tr(
                        "{place} has {others}, and not {names}",
                        place=".".join(place),
                        others=", ".join(sorted(others))[:80],
                        names=", ".join(sorted(names))[:80],
                    )
                )
        return sorted(said)


def _partition(one: Wanted, variables: dict[str, Any]) -> str:
    own = one.each.set if one.each else {}
    return " ".join([one.name, *(f"{variables[name]}" for name in own)])


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
