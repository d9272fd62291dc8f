"""Planner premium (once Project for the web) in Dataverse.

What changed comes by its change tracking, deletions by its tombstones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any, ClassVar, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from hub import (
    Account,
    Allocation,
    Assignment,
    Batch,
    Capacity,
    Census,
    Check,
    ConfigError,
    Container,
    Context,
    Entra,
    Gone,
    Iteration,
    Partition,
    Record,
    Scope,
    SignIn,
    Source,
    SourceDataError,
    Tally,
    Task,
    TaskLink,
    mark,
    tr,
)  # fmt: skip
from hub_msproject.services import calendars
from hub_msproject.services.dataverse import Changes, Dataverse, Known, Row, Table
from hub_msproject.services.odata import Service, age_of
from hub_msproject.services.premium_rows import (
    ALL,
    ASSIGNMENTS,
    BUCKETS,
    HUMAN,
    LINKS,
    MAIN,
    OF_USER,
    OPTIONAL,
    PEOPLE,
    PREFIX,
    PROJECTS,
    RECORD_OF,
    SPRINTS,
    TASKS,
    TYPES,
    Reader,
    account_of,
    is_inactive,
    link_type,
    name_of,
    records_of,
    sprint_of,
)  # fmt: skip

Made = TypeVar("Made")
MAPPING = 2
"""Raised when rows become other records than before: what was read by an older one is read again."""
CHUNK = 500
DAY = timedelta(days=1)
SWEEP = timedelta(days=7)
"""How long changes are followed before a table is read whole again: as long as Dataverse keeps them."""


class Lists(msgspec.Struct, frozen=True):
    """People and sprints, and what is *known* of the tables."""

    known: dict[str, Known]
    cursor: dict[str, Any]


class Calendars(msgspec.Struct, frozen=True):
    """What people can work by their calendars, from the *first* to the *last* day."""

    known: Known
    first: date
    last: date
    cursor: dict[str, Any]


class References(msgspec.Struct, frozen=True):
    """Whether what rows name is there, by what is *known* of the tables; the *reader* knows the columns."""

    known: dict[str, Known]
    reader: Reader


class Since(msgspec.Struct, frozen=True):
    """What changed in a table since it was read whole *at* a time, its *newest* change then."""

    pages: Iterator[Changes]
    newest: str
    at: str


class Rows(msgspec.Struct, frozen=True, kw_only=True):
    """A table: what changed in it *since*, all of it where that is None."""

    table: Table
    known: Known
    settings: str
    reader: Reader
    since: Since | None


class PremiumSource(Source, frozen=True, kw_only=True):
    """Premium plans of one organisation.

    *url* is that of its Dataverse, such as ``https://contoso.crm4.dynamics.com``.

    The account is an application user with a role that reads the tables of Project in the whole organisation:
    change tracking asks for it, and so do proofs of deletion. *calendars* False leaves out what people can
    work.
    """

    kind: ClassVar[str] = "planner-premium"
    provides: ClassVar[tuple[type[Record], ...]] = (
        Container, Account, Iteration, Task, TaskLink, Assignment, Allocation, Capacity,
    )  # fmt: skip
    asks: ClassVar[tuple[str, ...]] = ("url",)

    url: str
    account: Entra
    hours_per_day: float = 8.0
    calendars: bool = True

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(
                tr(
                    "The source {name}: url is the address of Dataverse, such as "
                    "https://contoso.crm4.dynamics.com.",
                    name=self.name,
                )
            )

    @property
    def address(self) -> str:
        """Return the organisation."""
        return self.url

    @property
    def signs_in(self) -> tuple[Entra, str]:
        """Return the account, and the organisation."""
        return self.account, self.url.rstrip("/")

    def _dataverse(self, ctx: Context) -> Dataverse:
        def make() -> Dataverse:
            signed = SignIn.of(ctx, self.account, self.name)
            signed.opens(ctx.http, self.url.rstrip("/"))
            return Dataverse(ctx, Service(ctx, f"{self.url.rstrip('/')}/api/data/v9.2"))

        return ctx.shared("dataverse", make)

    # ---------- check ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, look at the tables, whether changes are tracked, and how far the account sees."""
        dataverse = self._dataverse(ctx)
        dataverse.me()
        yield Check(name="account", state="ok", detail=tr("signed in"))
        known = dataverse.known(ALL, OPTIONAL)
        main = [table for table in MAIN if table.name in known]
        untracked = [table.name for table in main if not known[table.name].tracked]
        detail = (
            tr(
                "changes of {untracked} are not tracked: they are read whole once a day; turn on "
                "Track changes",
                untracked=", ".join(untracked),
            )
            if untracked
            else tr("changes are tracked")
        )
        yield Check(name="change tracking", state="warning" if untracked else "ok", detail=detail)
        far = dataverse.sees_all(tuple(main))
        detail = (
            tr("the account reads the whole organisation")
            if far
            else tr(
                "the account does not read the whole organisation, or it cannot be told: deletions "
                "are proven by tombstones only"
            )
        )
        yield Check(name="rights", state="ok" if far else "warning", detail=detail)
        lacking = [
            name
            for table in (*MAIN, SPRINTS)
            if table.name in known
            for name in table.wanted
            if name not in known[table.name].columns and name not in TYPES
        ]
        if hidden := [table.name for table in ALL if table.name not in known]:
            yield Check(
                name="tables",
                state="warning",
                detail=tr(
                    "this organisation has no {lacking}: what they hold is left out",
                    lacking=", ".join(hidden),
                ),
            )
        if lacking:
            yield Check(
                name="columns",
                state="warning",
                detail=tr(
                    "this organisation has no {lacking}: what they hold is left out",
                    lacking=", ".join(lacking),
                ),
            )
        newest = dataverse.newest(known[TASKS.name])
        yield Check(
            name="tasks",
            state="ok" if newest else "warning",
            detail=tr("last change {newest}", newest=newest) if newest else tr("no task can be seen"),
        )

    # ---------- plan ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Follow each table's changes, and read it whole when they are not enough.

        That is at first, once a week, where its link has expired, and daily where changes are not tracked.
        """
        dataverse, before = self._dataverse(ctx), cursors.get("lists") or {}
        fresh = before.get("settings") == self._settings() and not ctx.full and age_of(ctx, before) < DAY
        known = (
            msgspec.convert(before["known"], dict[str, Known]) if fresh else dataverse.known(ALL, OPTIONAL)
        )
        for table in ALL:
            if table.name in known:
                ctx.seen(table.name)
            else:
                ctx.not_seen(table.name, tr("this organisation has no such table, or does not show it"))
        links = known.get(LINKS.name)
        choice = next((name for name in TYPES if links and name in links.columns), None)
        types = (
            before["types"]
            if fresh
            else {value: link_type(name) for value, name in dataverse.labels(LINKS.name, choice).items()}
            if choice
            else {}
        )
        yield Partition(
            id="lists",
            label="people and sprints",
            data=Lists(
                known,
                {
                    "settings": self._settings(),
                    "at": before["at"] if fresh else ctx.now().isoformat(timespec="seconds"),
                    "known": msgspec.to_builtins(known),
                    "types": types,
                },
            ),
        )
        columns = {
            row.key(BUCKETS.key): row.text("msdyn_name")
            for page in (dataverse.rows(known[BUCKETS.name]) if BUCKETS.name in known else ())
            for row in page.rows
        }
        templates = self._templates(dataverse, known[PROJECTS.name])
        parents = self._parents(dataverse, known[TASKS.name])
        # what a task is called on its board, whether its project counts, and where the column is lacking
        # whether it is a roll-up, stand in other rows
        settings = msgspec.json.encode(
            [self._settings(), columns, sorted(templates), sorted(parents or ())], order="sorted"
        ).decode()
        reader = Reader(self, self.url, self.hours_per_day, columns, templates, choice, types, parents)
        for table in (table for table in MAIN if table.name in known):
            mark, one = cursors.get(table.name) or {}, known[table.name]
            pages = None
            if (
                mark.get("settings") == settings
                and not ctx.full
                and bool(mark["delta"]) == one.tracked
                and age_of(ctx, mark) < (SWEEP if one.tracked else DAY)
            ):
                pages = (
                    dataverse.since(one, mark["delta"])
                    if mark["delta"]
                    else dataverse.changed(one, mark["newest"])
                )
            proven = pages is None and ctx.shared("sees all", lambda: self._sees_all(ctx, known))
            yield Partition(
                id=table.name,
                label=one.set,
                complete=proven,
                scope=Scope(records=records_of(table)) if proven else None,
                evidence=tr(
                    "absent from the whole table {name} (without templates), which the account reads in "
                    "the whole organisation",
                    name=table.name,
                ),
                data=Rows(
                    table=table,
                    known=one,
                    settings=settings,
                    reader=reader,
                    since=None if pages is None else Since(pages, mark["newest"], mark["at"]),
                ),
            )

        read = tuple(table.name for table in MAIN if table.name in known)
        yield Partition(
            id="references", label="references", after=("lists", *read), data=References(known, reader)
        )
        yield from self._calendars_of(ctx, cursors, known)

    def _calendars_of(
        self, ctx: Context, cursors: Mapping[str, Any], known: Mapping[str, Known]
    ) -> Iterator[Partition]:
        """Ask once a day for the calendars of those who are assigned."""
        people, mark = known.get(PEOPLE.name), cursors.get("calendars") or {}
        there = people is not None and "_calendarid_value" in people.columns and ASSIGNMENTS.name in known
        same = mark.get("settings") == self._settings() and not ctx.full
        if not self.calendars:
            ctx.not_asked("calendars of people")
        if not self.calendars or not there or (same and age_of(ctx, mark) < DAY):
            return
        assert people is not None
        cursor = {"settings": self._settings(), "at": ctx.now().isoformat(timespec="seconds")}
        yield Partition(
            id="calendars",
            label="calendars of people",
            after=("lists", ASSIGNMENTS.name),
            data=Calendars(people, *calendars.window(ctx.now().date()), cursor),
        )

    def _templates(self, dataverse: Dataverse, projects: Known) -> set[str]:
        if "msdyn_istemplate" not in projects.columns:
            return set()
        return {
            row.key(PROJECTS.key)
            for page in dataverse.rows(projects, filter="msdyn_istemplate eq true")
            for row in page.rows
            if row.flag("msdyn_istemplate")
        }

    def _parents(self, dataverse: Dataverse, tasks: Known) -> set[str] | None:
        """Return the tasks that others are below, where no column says which ones are roll-ups."""
        if "msdyn_summary" in tasks.columns:
            return None
        above = (row.get("_msdyn_parenttask_value") for page in dataverse.rows(tasks) for row in page.rows)
        return {one for one in above if isinstance(one, str)}

    def _sees_all(self, ctx: Context, known: Mapping[str, Known]) -> bool:
        found = self._dataverse(ctx).sees_all(tuple(table for table in MAIN if table.name in known))
        if not found:
            ctx.note(
                tr(
                    "the account does not read the whole organisation, or it cannot be told: what is "
                    "absent is not taken for deleted."
                )
            )
        return found

    def _settings(self) -> str:
        return msgspec.json.encode([MAPPING, self.url, self.tz, self.hours_per_day, self.calendars]).decode()

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read what changed in one table, or all of it."""
        match partition.data:
            case Lists() as lists:
                yield from self._lists(ctx, self._dataverse(ctx), lists)
            case Rows() as rows:
                yield from self._rows(ctx, rows, proven=partition.complete)
            case References() as named:
                yield from self._fits(ctx, self._dataverse(ctx), named)
            case Calendars() as asked:
                yield from self._able(ctx, self._dataverse(ctx), asked)

    def _rows(self, ctx: Context, data: Rows, *, proven: bool) -> Iterator[Batch]:
        table, known, since, dataverse = data.table, data.known, data.since, self._dataverse(ctx)
        newest: str = since.newest if since else dataverse.newest(known)
        delta: str | None = None
        counted = None if since else dataverse.count(known)
        seen, taken = set[str](), set[str]()
        days = table is ASSIGNMENTS and not proven

        def make(row: Row) -> Iterator[tuple[str, str, list[Record]]]:
            stamp = "" if known.tracked else row.instant("modifiedon") or ""
            yield row.key(table.key), stamp, data.reader.records(table, row)

        for page in since.pages if since else self._whole(dataverse, known, newest):
            records: list[Record] = []
            gone: list[Gone | Census] = [one for key in page.deleted for one in self._deleted(table, key)]
            for row in page.rows:
                if name_of(table, row) in seen - taken:
                    continue  # rejected by the first reading of two
                seen.add(name_of(table, row))
                for key, stamp, made in self._each(ctx, table, [row], make):
                    taken.add(name_of(table, row))
                    records += made
                    for one in made:
                        self._note(ctx, one)
                    newest = max(newest, stamp)
                    if days:
                        planned = frozenset(one.id for one in made if isinstance(one, Allocation))
                        gone.append(self._days(key, planned))
                    if not made and not proven and is_inactive(row):
                        gone += self._deleted(table, key)
                if len(records) >= CHUNK:
                    yield Batch(records=records, gone=tuple(gone))
                    records, gone = [], []
            delta = page.delta or delta
            yield Batch(records=records, gone=tuple(gone))
        ctx.tally(Tally(seen=len(seen), taken=len(taken)))
        ctx.shared(f"odd {table.name}", set[str]).update(seen - taken)
        # what left while it was read is counted before and not after
        if counted and len(seen) < counted and len(seen) < (counted := dataverse.count(known) or 0):
            said = tr(
                "{came} different rows of {name} came where the service counts {count}",
                came=len(seen),
                name=table.name,
                count=counted,
            )
            raise SourceDataError(tr("{said}: nothing was taken as complete.", said=said))
        if known.tracked and not delta:
            raise SourceDataError(
                tr(
                    "Dataverse gave no link to the changes of {name}: nothing was taken as complete.",
                    name=table.name,
                )
            )
        at = since.at if since else ctx.now().isoformat(timespec="seconds")
        yield Batch(cursor={"settings": data.settings, "at": at, "delta": delta, "newest": newest})

    def _whole(self, dataverse: Dataverse, known: Known, start: str) -> Iterator[Changes]:
        """Return a table whole, then what changed while it was read.

        Nobody says whether the link to later changes begins before or after.
        """
        yield from dataverse.whole(known) if known.tracked else dataverse.rows(known)
        if start:
            yield from dataverse.changed(known, start)

    def _lists(self, ctx: Context, dataverse: Dataverse, data: Lists) -> Iterator[Batch]:
        known = data.known
        # a reference may be followed where changes are not asked for
        if people := known.get(PEOPLE.name):
            user = f"UserId($select={','.join(OF_USER)})"
            for page in dataverse.rows(people, expand=user):
                yield from self._some(ctx, PEOPLE, page, partial(account_of, self))
        if sprints := known.get(SPRINTS.name):
            for page in dataverse.rows(sprints):
                yield from self._some(ctx, SPRINTS, page, partial(sprint_of, self))
        yield Batch(cursor=data.cursor)

    def _note(self, ctx: Context, one: Record) -> None:
        """Note which rows of other tables a record names."""
        names: tuple[tuple[Table, str | None], ...] = ()
        if isinstance(one, Task):
            names = (PROJECTS, one.container_id), (SPRINTS, one.iteration_id)
        elif isinstance(one, Assignment):
            names = (TASKS, one.task_id), (PEOPLE, one.account_id)
        for table, id_ in names:
            if id_:
                ctx.shared(f"named {table.name}", set[str]).add(id_)

    def _fits(self, ctx: Context, dataverse: Dataverse, asked: References) -> Iterator[Batch]:
        """Tell of rows that others name and that are there, though the list of their table left them out."""
        known = asked.known
        for table in (PROJECTS, SPRINTS, TASKS, PEOPLE, BUCKETS):
            named: set[str] = ctx.shared(f"named {table.name}", set[str])
            if table is BUCKETS:
                lost = sorted(asked.reader.unknown)
            else:
                begins = self.row_id(PREFIX[table.name])
                there = ctx.known_ids(RECORD_OF[table.name], begins) if named else frozenset()
                odd = ctx.shared(f"odd {table.name}", set[str])
                lost = sorted({one[len(begins) :] for one in named - there} - odd)
            if lost and table.name in known and dataverse.there(known[table.name], lost[0]):
                ctx.report_missing(
                    tr(
                        "{count} {count:row|rows} of {name} {count:is|are} named by others and "
                        "{count:was|were} not shown, though {key} is there.",
                        count=len(lost), name=table.name, key=lost[0],
                    )
                )  # fmt: skip
        yield Batch()

    def _able(self, ctx: Context, dataverse: Dataverse, asked: Calendars) -> Iterator[Batch]:
        """Read what those who are assigned can work; whose calendar is odd keeps what is known of him."""
        begins, prefix = self.row_id("u"), self.row_id("k")
        assigned = set(ctx.known_texts(Assignment, self.row_id("a"), "account_id").values())
        rows = [
            row
            for page in dataverse.rows(asked.known)
            for row in page.rows
            if f"{begins}{row.get(PEOPLE.key)}" in assigned and row.get("resourcetype") in HUMAN
            if row.get("_calendarid_value", "not sent")
        ]
        expanded: dict[str, calendars.Days] = {}
        taken: list[str] = []

        def make(row: Row) -> Iterator[Capacity]:
            key, calendar = row.key(PEOPLE.key), row.key("_calendarid_value")
            if calendar not in expanded:
                path = calendars.expand(calendar, asked.first, asked.last)
                shown = dataverse.service.get(path, calendars.Expanded, route="ExpandCalendar")
                tz = ZoneInfo(self.tz)
                expanded[calendar] = calendars.able(shown.result, asked.first, asked.last, tz)
            yield from calendars.told(self.name, f"{begins}{key}", key, expanded[calendar])
            taken.append(key)

        def name(row: Row) -> str:
            return tr("the calendar of {name}", name=row.get("name") or row.get(PEOPLE.key))

        with ctx.looking_at(mark("calendars of people")):
            found: list[Record] = list(ctx.each(rows, make, place=name, key=name, record=Capacity))
            ctx.tally(Tally(seen=len(rows), taken=len(taken), unit="calendars of people"))
            odd = {row.get(PEOPLE.key) for row in rows} - {*taken}
            stays = (one for one in ctx.known_ids(Capacity, prefix) if one.split("/")[1] in odd)
            said = tr("the calendar says something else of this week")
            ids = [*(one.id for one in found), *stays]
            gone = calendars.proofs(self.name, asked.first, asked.last, ids, said)
            yield Batch(records=found, gone=tuple(gone), cursor=asked.cursor)

    def _some(
        self, ctx: Context, table: Table, page: Changes, make: Callable[[Row], Record]
    ) -> Iterator[Batch]:
        rows = list(page.rows)
        found = list(self._each(ctx, table, rows, lambda row: [make(row)]))
        ctx.tally(Tally(seen=len(rows), taken=len(found)))
        yield Batch(records=found)

    def _each(
        self, ctx: Context, table: Table, rows: list[Row], make: Callable[[Row], Iterable[Made]]
    ) -> Iterator[Made]:
        """Yield what *make* makes of rows; an odd one is rejected, and what is known of it stays."""

        def id_of(row: Row) -> str | None:
            # what an assignment plans is known by other ids
            return None if table is ASSIGNMENTS else self.row_id(f"{PREFIX[table.name]}{name_of(table, row)}")

        def name(row: Row) -> str:
            return f"{table.name} {name_of(table, row)}"

        return ctx.each(rows, make, place=name, key=name, record=RECORD_OF[table.name], id=id_of)

    def _deleted(self, table: Table, key: str) -> Iterator[Gone | Census]:
        if table is ASSIGNMENTS:
            yield self._days(key, frozenset())
        yield Gone(
            record=RECORD_OF[table.name],
            id=self.row_id(f"{PREFIX[table.name]}{key}"),
            evidence=tr("Dataverse reports it as deleted"),
        )

    def _days(self, assignment: str, ids: frozenset[str]) -> Census:
        """Say which days an assignment has now."""
        scope = Scope(records=(Allocation,), id_prefix=self.row_id(f"a{assignment}/"))
        return Census(
            record=Allocation,
            scope=scope,
            ids=ids,
            evidence=tr("Dataverse plans no work of the assignment then"),
        )
