"""Another hub's published feed as a source: read whole, verified, and taken as this hub's own records."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from functools import cache
from importlib.resources import files
from typing import Any, ClassVar

import msgspec

from hub import (
    BY_TABLE,
    ERASED,
    Account,
    Allocation,
    Assignment,
    Baseline,
    Batch,
    BudgetLine,
    Capacity,
    Check,
    ChecklistItem,
    ConfigError,
    Container,
    Context,
    CustomValue,
    Gone,
    Iteration,
    Partition,
    Port,
    Record,
    RegisterItem,
    Scope,
    Secret,
    SlaCycle,
    Source,
    SourceDataError,
    Tally,
    Task,
    TaskChange,
    TaskLink,
    Worklog,
    tr,
)
from hub_hub.feed import Facts, Place, Staged

PROVIDES: tuple[type[Record], ...] = (
    Container, Account, Iteration, CustomValue, Task, Baseline, Assignment, TaskChange,
    BY_TABLE["status_map"], TaskLink, SlaCycle, Worklog, Allocation, Capacity, BudgetLine, RegisterItem,
    ChecklistItem, BY_TABLE["assessment"],
)  # fmt: skip
_LEVEL = """
SELECT CASE WHEN count(*) = 0 THEN NULL WHEN bool_and(grain = 'day') THEN 'nominative-line'
    WHEN (SELECT bool_or(regexp_matches(person_label, '^P-[0-9A-F]{12}$')) FROM dim_person)
        THEN 'pseudonym-week'
    WHEN bool_or(grain = 'week') OR bool_or(person_key <> -1) THEN 'team-week' ELSE 'project' END
FROM fact_worklog"""
"""At which level of privacy the feed is; without hours it does not tell."""
AT_ONCE = 1000
FEED = "feed"
BESIDE = "beside"
"""What is told of a feed that was read whole all the same: what it lacks has left."""
FORM = 2
"""Of the records that a feed becomes: where it is another one, a feed that was read is read again."""


class _Before(msgspec.Struct, frozen=True, kw_only=True):
    """What the last feed that was read leaves for the next run.

    Its *mark*, its *level* of privacy, and the accounts of those who were *erased* in the other hub.
    """

    mark: list[Any]
    level: str | None = None
    erased: list[str] = msgspec.field(default_factory=list)

    def cursor(self) -> dict[str, Any]:
        """Return it as the store keeps it."""
        return {"mark": self.mark, "level": self.level, "erased": self.erased}


def _before(cursor: Any) -> _Before:
    try:
        return msgspec.convert(cursor, _Before)
    except msgspec.ValidationError:  # of an older hub, or none
        return _Before(mark=[])


class HubSource(Source, frozen=True, kw_only=True):
    """The feed of another hub: in a folder (*path*), by its ``hub serve`` (*url*), or in PostgreSQL (*host*).

    *path* is the other hub's feed folder, or that of its destination ``files``. *url* is the address of
    its ``hub serve``, *token* one that it gave (``hub token create``). *host*, *database*, *user*,
    *password*, *schema* are those of its destination ``postgresql``.
    *cut* reads the feed as one of its cuts shows it: a label, or a kind such as ``copil`` for the last one.
    *same* says which tools of the other hub are tools of this one (its name there = the name here), where
    their addresses do not say so: rows that both bring count once.
    """

    kind: ClassVar[str] = "hub"
    provides: ClassVar[tuple[type[Record], ...]] = PROVIDES
    asks: ClassVar[tuple[str, ...]] = ("path", "url", "token")

    path: str | None = None
    url: str | None = None
    token: Secret | None = None
    host: str | None = None
    port: Port = 5432
    database: str | None = None
    user: str | None = None
    password: Secret | None = None
    schema: str = "feed"
    ca: str | None = None
    cut: str | None = None
    same: dict[str, str] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if sum(one is not None for one in (self.path, self.url, self.host)) != 1:
            raise ConfigError(
                tr(
                    "The source {name}: say where the other hub's feed is, by one of path (a folder), url "
                    "(its hub serve) and host (PostgreSQL).",
                    name=self.name,
                )
            )
        if self.url is not None and (not self.url.startswith(("http://", "https://")) or self.token is None):
            raise ConfigError(
                tr(
                    "The source {name}: url is the address of the other hub's `hub serve`, such as "
                    "https://hub.example.com, and token one that it gave.",
                    name=self.name,
                )
            )
        if self.host is not None and (self.database is None or self.user is None):
            raise ConfigError(
                tr("The source {name}: host needs database and user beside it.", name=self.name)
            )

    @property
    def address(self) -> str | None:
        """Return where the feed is."""
        if self.host is not None:
            return f"postgresql://{self.host}:{self.port}/{self.database}/{self.schema}"
        return self.url or self.path

    # ---------- where it is ----------

    def _place(self, ctx: Context) -> Place:
        def make() -> Place:
            if self.path is not None:
                from hub_hub.folder import Folder

                return Folder(ctx.resolve(self.path))
            if self.url is not None:
                from hub_hub.odata import OData

                assert self.token is not None
                return OData(ctx, self.url, self.token.reveal())
            from hub_hub.postgresql import Postgresql

            assert self.host is not None
            assert self.database is not None
            assert self.user is not None
            return Postgresql(
                host=self.host, port=self.port, database=self.database, user=self.user, schema=self.schema,
                password=self.password.reveal() if self.password else None,
                ca=str(ctx.resolve(self.ca)) if self.ca else None,
            )  # fmt: skip

        return ctx.shared("place", make)

    def check(self, ctx: Context) -> Iterable[Check]:
        """Say which feed is there, and how old it and what it is made of are."""
        facts = self._place(ctx).facts()
        built = f"{facts.built_at:%Y-%m-%d %H:%M}" if facts.exact else f"{facts.built_at:%Y-%m-%d}"
        yield Check(
            name="feed",
            state="ok",
            detail=tr(
                "the feed of {built}, of {count} {count:tool|tools}: {tools}",
                built=built, count=len(facts.tools), tools=", ".join(one.name for one in facts.tools),
            ),
        )  # fmt: skip
        for problem in self._stale(ctx, facts):
            yield Check(name="freshness", state="warning", detail=problem)

    def _stale(self, ctx: Context, facts: Facts) -> Iterator[str]:
        """Say what of the feed is older than it may be."""
        now = ctx.now()
        if now - facts.built_at > timedelta(hours=self.freshness_hours):
            yield tr(
                "the feed is of {built:%Y-%m-%d %H:%M}, {hours:.0f} h old: the other hub published no newer "
                "one",
                built=facts.built_at,
                hours=(now - facts.built_at).total_seconds() / 3600,
            )
        for tool in facts.tools:
            if tool.verdict and tool.verdict != "ok":
                yield tr(
                    "{tool}: its last run in the other hub was {verdict}",
                    tool=tool.name, verdict=tr(tool.verdict),
                )  # fmt: skip
            if tool.freshness_max_s is None:
                continue
            if tool.last_success_at is None:
                yield tr("{tool}: the other hub never read it whole", tool=tool.name)
            elif now - tool.last_success_at > timedelta(seconds=tool.freshness_max_s):
                yield tr(
                    "{tool}: the other hub read it whole {hours:.0f} h ago for the last time",
                    tool=tool.name,
                    hours=(now - tool.last_success_at).total_seconds() / 3600,
                )

    # ---------- reading ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Plan the whole feed, unless it is the one of the last run; say what of it is too old."""
        facts = self._place(ctx).facts()
        for problem in self._stale(ctx, facts):
            ctx.report_missing(problem, partition=BESIDE)
        before = ctx.shared("before", lambda: _before(cursors.get(FEED)))
        if facts.mark and not ctx.full and before.mark == self._mark(facts):
            self._tell_erased(ctx, before.erased)
            ctx.skip_unchanged(FEED)
            return
        yield Partition(
            id=FEED,
            complete=True,
            scope=Scope(records=PROVIDES),
            evidence=f"not in the feed {facts.mark} of the other hub, which was read whole",
        )

    def _erased(self, ctx: Context, staged: Staged) -> set[str]:
        """Return the accounts of those whom the other hub erased and this one knows by a name."""
        known = ctx.known_texts(Account, f"{self.name}:person/", "display_name")
        told = staged.connection.execute("SELECT id FROM who WHERE person_label = ?", [ERASED]).fetchall()
        return {id_ for (id_,) in told if known.get(id_, ERASED) != ERASED}

    def _tell_erased(self, ctx: Context, accounts: Iterable[str]) -> None:
        """Say of whom the past of this hub has to be cleared, as long as nobody did."""
        for account in accounts:
            # where this hub erased them too, no id begins so any more
            if account.startswith(f"{self.name}:person/") and ctx.known_as(account) == account:
                ctx.report_missing(
                    tr(
                        "the other hub erased somebody whom the history of this one still names: run `hub "
                        "privacy erase {account}`",
                        account=account,
                    ),
                    partition=BESIDE,
                )

    def _mark(self, facts: Facts) -> list[Any]:
        return [FORM, facts.mark, self.cut, sorted(self.same.items())]

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Bring the feed here, see that it is whole, then take it, what others refer to first."""
        staged = ctx.shared("staged", lambda: Staged(self._place(ctx)))
        self._prepare(ctx, staged)
        before = ctx.shared("before", lambda: _before(cursor))
        (level,) = staged.one("SELECT getvariable('level')")
        other = before.level is not None and level is not None and before.level != level
        erased = sorted({*before.erased, *self._erased(ctx, staged)})
        self._tell_erased(ctx, erased)
        mark = _Before(mark=self._mark(staged.facts), level=level or before.level, erased=erased).cursor()
        taken = 0
        for table, sql in _queries():
            count = 0
            # ids are others at another level, and a guard would keep the old rows beside the new ones
            old = ctx.known_ids(BY_TABLE[table], f"{self.name}:") if other else frozenset()
            now: set[str] = set()
            for records in self._records(staged, BY_TABLE[table], sql):
                ctx.raise_if_cancelled()
                count += len(records)
                if old:
                    now.update(one.id for one in records)
                yield Batch(records=records, cursor=mark)
            if old:
                evidence = f"the feed is at the level {level} now, it was at {before.level}"
                yield Batch(
                    cursor=mark,
                    gone=tuple(
                        Gone(record=BY_TABLE[table], id=one, presence="outside", evidence=evidence)
                        for one in sorted(old - now)
                    ),
                )
            taken += count
            if table == "worklog":
                said, seconds = staged.one("SELECT count(*), coalesce(sum(seconds), 0)::BIGINT FROM hours")
                ctx.tally(
                    Tally(seen=count, taken=count, said=said, unit="lines", record=Worklog, seconds=seconds)
                )
        rejected = self._reject(ctx, staged)
        ctx.tally(Tally(seen=taken + rejected, taken=taken, unit="records"))

    def _prepare(self, ctx: Context, staged: Staged) -> None:
        """Lay what the queries ask for: cut, currency, how far it goes into detail, what is the same."""
        (key, day) = self._cut(staged)
        (currency,) = staged.one("SELECT currency FROM dim_project WHERE project_key = -1") or (None,)
        (level,) = staged.one(_LEVEL)
        lines = level in {None, "nominative-line"}
        (rated,) = staged.one("SELECT count(amount) > 0 FROM fact_worklog")
        for name, value in {
            "source": self.name, "cut": key, "cut_day": day, "currency": currency or ctx.currency,
            "lines": lines, "level": level, "rated": rated,
        }.items():  # fmt: skip
            staged.connection.execute(f"SET VARIABLE {name} = ?", [value])
        if not lines:
            ctx.note(
                tr("the feed has hours in sums, not by line: of a tool that this hub reads too none counts")
            )
        known = {row[0] for row in staged.connection.execute("SELECT name FROM dim_source").fetchall()}
        for theirs, ours in self.same.items():
            if theirs not in known:
                raise ConfigError(
                    tr(
                        "The source {name}: same names {tool!r}, which the feed does not have: {known}.",
                        name=self.name, tool=theirs, known=", ".join(sorted(known)),
                    )
                )  # fmt: skip
            staged.connection.execute(
                "UPDATE dim_source SET site = ? WHERE name = ?", [f"source {ours}", theirs]
            )
        for statement in _text("00_places").split(";\n"):
            if statement.strip():
                staged.connection.execute(statement)
        if ctx.hub and staged.one("SELECT 1 FROM origin WHERE site = ?", f"hub:{ctx.hub}"):
            raise SourceDataError(
                tr(
                    "The feed of {name} is made of what this hub publishes: two hubs that read each other "
                    "would count their rows again in each run. Let one of them read the other.",
                    name=self.name,
                )
            )

    def _cut(self, staged: Staged) -> tuple[int, str]:
        """Return the key and day of the cut that is read. Raises `ConfigError`."""
        wanted = self.cut
        found = (
            staged.one("SELECT cut_key, as_of::VARCHAR FROM dim_cut WHERE cut_key = 0")
            if wanted is None
            else staged.one(
                "SELECT cut_key, as_of::VARCHAR FROM dim_cut WHERE cut_key <> 0 AND (label = ? OR kind = ?) "
                "ORDER BY label = ? DESC, as_of DESC LIMIT 1",
                wanted, wanted, wanted,
            )
        )  # fmt: skip
        if not found:
            (known,) = staged.one("SELECT string_agg(label, ', ' ORDER BY as_of) FROM dim_cut") or ("",)
            raise ConfigError(
                tr(
                    "The source {name}: the feed has no cut {cut!r}: {known}.",
                    name=self.name, cut=wanted, known=known,
                )
            )  # fmt: skip
        return found[0], found[1]

    def _records(self, staged: Staged, record: type[Record], sql: str) -> Iterator[list[Record]]:
        """Yield the rows of one query as records, some at a time."""
        result = staged.connection.execute(sql)
        names = [column[0] for column in result.description or ()]
        while rows := result.fetchmany(AT_ONCE):
            yield [
                record(
                    **{
                        name: str(value) if isinstance(value, date) else value
                        for name, value in zip(names, row, strict=True)
                        if value is not None
                    }
                )
                for row in rows
            ]

    def _reject(self, ctx: Context, staged: Staged) -> int:
        """Tell what the other hub could not take and nobody there accepted."""
        rows = staged.connection.execute(
            "SELECT r.rejection_key, t.tool, r.record, r.place, r.field, r.value, r.reason, r.hours, "
            "r.amount, whole(r.project_key), getvariable('currency') "
            "FROM fact_rejection r JOIN tool t USING (source_key) WHERE r.is_accepted = 0 ORDER BY 1"
        ).fetchall()
        for key, tool, record, place, field, value, reason, hours, amount, container, currency in rows:
            ctx.reject(
                f"{tool}: {place}",
                reason,
                key=f"{tool}/{key}",
                record=BY_TABLE.get(record),
                id=f"{self.name}:{tool}:rejected/{key}",  # no row here: nothing is kept from leaving
                field=field,
                value=value,
                container=container,
                seconds=round(hours * 3600) if hours is not None else None,
                amount_minor=round(amount * 100) if amount is not None else None,
                currency=currency if amount is not None else None,
            )
        for odd in staged.facts.odd:
            ctx.reject(
                f"{odd.table} {odd.key}",
                tr("is no value of the feed's contract"),
                key=f"{odd.table}/{odd.key}",
                field=odd.column,
                value=odd.value if isinstance(odd.value, str | int | float) else repr(odd.value),
            )
        return len(rows) + len(staged.facts.odd)


@cache
def _text(name: str) -> str:
    return (files("hub_hub") / "rows" / f"{name}.sql").read_text(encoding="utf-8")


@cache
def _queries() -> tuple[tuple[str, str], ...]:
    """Return the table and the query of every record, in the order in which they are taken."""
    names = sorted(
        one.name.removesuffix(".sql")
        for one in (files("hub_hub") / "rows").iterdir()
        if one.name.endswith(".sql")
    )
    return tuple((name.partition("_")[2], _text(name)) for name in names if not name.startswith("00_"))
