"""Tempo Timesheets in the place of Jira's own worklogs: the same hours are never read from both."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar

import msgspec

from hub import (
    Account,
    Allocation,
    Batch,
    Census,
    Context,
    CustomValue,
    Gone,
    Record,
    Scope,
    Secret,
    Source,
    SourceDataError,
    SourceUnavailable,
    Tally,
    Worklog,
    check_names,
    mark,
    named,
    tr,
)  # fmt: skip
from hub_jira import wire
from hub_jira.partitions import Approval
from hub_jira.parts import batches

T = TypeVar("T")
URL = "https://api.tempo.io/4"
PAGE = 5000
OVERLAP = timedelta(days=1)
"""Tempo's filter knows days only: the day of the last change and the one before are read again."""
APPROVALS = timedelta(days=400)
"""How far back approvals are known: periods before are closed for good."""
PLANNED = ("2000-01-01", timedelta(days=730))
"""From which day on plans are read, and how far they are looked for."""
STATES: dict[str, Any] = {
    "OPEN": "draft", "IN_REVIEW": "submitted", "WAITING_FOR_APPROVAL": "submitted", "APPROVED": "approved",
    "REJECTED": "rejected",
}  # fmt: skip
"""What the keys of approvals mean."""
ACCOUNTS, TEAMS, PLANS = (
    mark("Tempo's accounts"), mark("Tempo's teams and approvals"), mark("Tempo's plans"),
)  # fmt: skip
LISTS = frozenset({ACCOUNTS, TEAMS, PLANS})
ACCOUNT, TEAM = "_Account_", "team"
"""What fields.csv calls the account of hours, a work attribute, and the teams of a person."""
OF_ACCOUNT = ("name", "category", "customer")
"""What it may ask of that account besides, after a point: ``_Account_.category``."""
REST = "/rest"
"""How the id of the hours that are not billed, of a worklog that is billed in part, ends."""
BACK = 20
"""How often pages may shift under a reading before it gives up."""


class Issue(msgspec.Struct, frozen=True):
    """The issue of a worklog, by Jira's id."""

    id: int


class Author(msgspec.Struct, frozen=True, rename="camel"):
    """Who worked, by Jira's account."""

    account_id: str


class Attribute(msgspec.Struct, frozen=True):
    """A work attribute: Tempo writes its key between underscores, such as ``_Account_``."""

    key: str
    value: Any = None


class Attributes(msgspec.Struct, frozen=True):
    """The work attributes of a worklog."""

    values: list[Attribute] = []


class Entry(msgspec.Struct, frozen=True, rename="camel"):
    """One worklog of Tempo; its day is the author's own."""

    tempo_worklog_id: int
    time_spent_seconds: int
    start_date: str
    updated_at: str
    issue: Issue
    author: Author
    billable_seconds: int | None = None
    attributes: Attributes | None = None


class Called(msgspec.Struct, frozen=True):
    """The category or the customer of an account."""

    name: str


class CostAccount(msgspec.Struct, frozen=True):
    """An account that hours are booked on, which names it by its key."""

    key: str
    name: str
    category: Called | None = None
    customer: Called | None = None

    def said(self, what: str) -> str:
        """Return one of `OF_ACCOUNT`; empty where it has none."""
        found = getattr(self, what)
        return found.name if isinstance(found, Called) else found or ""


class Team(msgspec.Struct, frozen=True):
    """A team."""

    id: int
    name: str


class Member(msgspec.Struct, frozen=True):
    """Somebody of a team."""

    member: Author


class Key(msgspec.Struct, frozen=True):
    """The state of an approval."""

    key: str


class Period(msgspec.Struct, frozen=True, rename={"since": "from", "until": "to"}):
    """A period of a timesheet, both days included."""

    since: str
    until: str


class Approved(msgspec.Struct, frozen=True):
    """The approval of the hours of somebody in a period."""

    user: Author
    period: Period
    status: Key


class Thing(msgspec.Struct, frozen=True):
    """What is planned, or who is: an issue, a project, a user, somebody not yet named."""

    id: Any
    type: str


class Plan(msgspec.Struct, frozen=True, rename="camel"):
    """Planned time: of a user or nobody yet, on an issue or a project."""

    id: int
    start_date: str
    end_date: str
    plan_item: Thing
    assignee: Thing
    total_planned_seconds_in_scope: int
    rule: str | None = None
    recurrence_end_date: str | None = None


class Metadata(msgspec.Struct, frozen=True):
    """Where a page lies; *next* is the address of the next one."""

    count: int
    limit: int | None = None
    next: str | None = None


class Page(msgspec.Struct, frozen=True):
    """A page of rows."""

    metadata: Metadata
    results: list[msgspec.Raw]


_PAGE = msgspec.json.Decoder(Page)
ENTRY = msgspec.json.Decoder(Entry)
PLAN = msgspec.json.Decoder(Plan)


class Timesheets:
    """Tempo as one run reads it.

    *known* are the tasks in scope, None for all; *people* False leaves the authors of hours out. *called*
    asks Jira who accounts are: of somebody who only books hours it shows nothing by itself.
    """

    def __init__(
        self,
        ctx: Context,
        source: Source,
        url: str,
        token: Secret,
        *,
        people: bool,
        known: frozenset[str] | None,
        called: Callable[[Iterable[str]], Iterator[Record]],
    ) -> None:
        """Take the run, its source, and how to sign in."""
        self.ctx, self.source, self.people, self.known = ctx, source, people, known
        self._called = called
        self._url = url.rstrip("/")
        self._http = ctx.another_session("tempo")
        self._http.credentials = {"Authorization": f"Bearer {token.reveal()}"}
        self._attributes = {one.casefold(): one for one in ctx.fields}
        self._until, self._whole = "", set[str]()

    # ---------- hours ----------

    def changed(self, cursor: Any, approvals: Iterable[Approval]) -> Iterator[Batch]:
        """Read what changed since the mark, from the day before on; all where other things are kept of it."""
        kept = [self.people, sorted(self._attributes.values())]
        same = isinstance(cursor, dict) and cursor.get("kept") == kept
        updated = cursor["updated"] if same else ""
        lost = {one for one in self.ctx.again if one.startswith(self.source.row_id("t"))}
        self.ctx.asked_again |= lost  # asked for with all others
        since = "" if lost else since_day(updated)
        found: list[str] = [updated]
        who: set[str] = set()
        params = {"updatedFrom": since} if since else {}
        for entries in self.pages("/worklogs", params, key="tempoWorklogId"):
            yield from self._hours(entries, _by_account(approvals), found, who)
        begins = self.source.row_id("u")
        unknown = {f"{begins}{one}" for one in who} - self.ctx.known_ids(Account, begins)
        yield Batch(records=list(self._called(sorted(one[len(begins) :] for one in unknown))))
        yield Batch(cursor={"updated": max(found), "kept": kept})

    def days(self, first: str, last: str, approvals: Iterable[Approval], cursor: Any) -> Iterator[Batch]:
        """Read the hours of a span of days anew: what is not among them was deleted."""
        ids: set[str] = set()
        told = _by_account(approvals)
        for entries in self.pages("/worklogs", {"from": first, "to": last}, key="tempoWorklogId"):
            ids |= {self._row_id(one) for one in entries}
            yield from self._hours(entries, told, [], set())
        ids |= {f"{one}{REST}" for one in ids - self._whole}
        scope = Scope(records=(Worklog,), id_prefix=self.source.row_id("t"), days=(first, last))
        said = tr("absent from Tempo's hours of {first} to {last}", first=first, last=last)
        gone = Census(record=Worklog, scope=scope, ids=frozenset(ids), evidence=said)
        yield Batch(gone=(gone,), cursor=cursor)

    def _hours(
        self, entries: list[msgspec.Raw], approvals: Mapping[str, list[Approval]], stamps: list[str],
        who: set[str],
    ) -> Iterator[Batch]:  # fmt: skip
        taken = beyond = 0

        def make(raw: msgspec.Raw) -> Iterator[Record | Gone]:
            nonlocal taken, beyond
            one = ENTRY.decode(raw)
            if one.billable_seconds is None:
                check_names(raw, ("billableSeconds",))
            changed = wire.instant(one.updated_at) or ""
            if self.known is not None and self.source.row_id(one.issue.id) not in self.known:
                beyond += 1
            else:
                yield from self._records(one, approvals.get(one.author.account_id, ()))
                taken += 1
                if self.people:
                    who.add(one.author.account_id)
            stamps.append(changed)

        def place(raw: msgspec.Raw) -> str:
            return tr("worklog {id}", id=named(raw, "tempoWorklogId"))

        yield from batches(
            self.ctx.each(entries, make, place=place, key=self._row_id, record=Worklog, id=self._row_id)
        )
        left = {"of issues that are not read": beyond} if beyond else {}
        self.ctx.tally(Tally(seen=len(entries), taken=taken, skipped=left))

    def _records(self, one: Entry, approvals: Iterable[Approval]) -> Iterator[Record | Gone]:
        id_ = self.source.row_id(f"t{one.tempo_worklog_id}")
        states = (period.state for period in approvals if period.since <= one.start_date <= period.until)
        billed, whole = one.billable_seconds, one.time_spent_seconds
        if billed is None:
            self._lacks("billableSeconds")
        hours = Worklog(
            id=id_,
            task_id=self.source.row_id(one.issue.id),
            day=one.start_date,
            seconds=min(billed, whole) if billed else whole,
            account_id=self._account(one.author.account_id) if self.people else None,
            updated_at=wire.instant(one.updated_at),
            billable=None if billed is None else billed > 0,
            approval=STATES.get(next(states, ""), "unknown"),
        )
        yield hours
        rows, rest = [id_], f"{id_}{REST}"
        if billed and billed < whole:  # what is not billed of the hours is a row of its own
            rows.append(rest)
            yield msgspec.structs.replace(hours, id=rest, seconds=whole - billed, billable=False)
        else:
            self._whole.add(id_)
        if len(rows) == 1 and rest in self._rests():
            yield Gone(record=Worklog, id=rest, evidence=tr("{key} shows it no more", key=id_))
        if not self._attributes:
            return
        before = {value for row in (id_, rest) for value in self._owned().get(row, ())}
        for words, text in self._said(one):
            for row in rows:
                before.discard(f"{row}/{words}")
                yield CustomValue(id=f"{row}/{words}", row_id=row, field=words, text=text)
        for left in sorted(before):
            yield Gone(record=CustomValue, id=left, evidence=tr("{key} shows it no more", key=id_))

    def _said(self, one: Entry) -> Iterator[tuple[str, str]]:
        """Yield what the hours say of what somebody chose: work attributes, and things of their account."""
        if one.attributes is None and any(words.startswith("_") for words in self._attributes):
            self._lacks("attributes")
        for value in one.attributes.values if one.attributes else ():
            if value.value in (None, ""):
                continue
            if words := self._attributes.get(value.key.casefold()):
                yield words, str(value.value)
            if value.key != ACCOUNT:
                continue
            for what in OF_ACCOUNT:
                words = self._attributes.get(f"{ACCOUNT}.{what}".casefold())
                account = self._accounts().get(str(value.value)) if words else None
                if words and account and (text := account.said(what)):
                    yield words, text

    def _accounts(self) -> dict[str, CostAccount]:
        """Return the accounts by their keys; asked once a run, where somebody chose something of them."""

        def ask() -> dict[str, CostAccount]:
            found: dict[str, CostAccount] = {}
            with self._looking_at(ACCOUNTS):
                found |= {one.key: one for one in self._all("/accounts", {}, CostAccount)}
            return found

        return self.ctx.shared("Tempo's accounts", ask)

    def _lacks(self, name: str) -> None:
        """Tell once a run that hours come without something that counts."""

        def say() -> str:
            said = tr("Tempo shows hours without {name}: what depends on it is not known.", name=name)
            self.ctx.report_missing(said)
            return name

        self.ctx.shared(f"Tempo lacks {name}", say)

    def _rests(self) -> frozenset[str]:
        """Return the rows of what is not billed that the store has; asked once a run."""

        def ask() -> frozenset[str]:
            rows = self.ctx.known_ids(Worklog, self.source.row_id("t"))
            return frozenset(one for one in rows if one.endswith(REST))

        return self.ctx.shared("rests of hours", ask)

    def _owned(self) -> dict[str, list[str]]:
        """Return the values of hours that the store has, by the hours; asked once a run."""

        def ask() -> dict[str, list[str]]:
            found: dict[str, list[str]] = {}
            for one in self.ctx.known_ids(CustomValue, self.source.row_id("t")):
                found.setdefault(one.rpartition("/")[0], []).append(one)
            return found

        return self.ctx.shared("owned by hours", ask)

    # ---------- teams, approvals, plans ----------

    def approvals(self, first: str, last: str, before: Iterable[Approval]) -> Iterator[Batch]:
        """Read the teams, who is in each, and what is approved; *before* is what was known."""
        kept = {(one.account, one.since): one for one in before}
        oldest = (date.fromisoformat(last) - APPROVALS).isoformat()
        teams: dict[str, list[str]] = {}
        with self._looking_at(TEAMS):
            for team in self._all("/teams", {}, Team):
                if TEAM in self._attributes:
                    for one in self._all(f"/teams/{team.id}/members", {}, Member):
                        teams.setdefault(one.member.account_id, []).append(team.name)
                params = {"from": first, "to": last}
                for told in self._all(f"/timesheet-approvals/team/{team.id}", params, Approved):
                    span = told.period
                    period = Approval(told.user.account_id, span.since, span.until, told.status.key)
                    kept[period.account, period.since] = period
            yield self._left(teams)
        now = sorted((one for one in kept.values() if one.until >= oldest), key=msgspec.structs.astuple)
        shared: list[Approval] = self.ctx.shared("approvals", list)
        shared.extend(now)
        yield Batch(records=list(self._members(teams)), cursor=msgspec.to_builtins(now))

    def _members(self, teams: Mapping[str, list[str]]) -> Iterator[Record]:
        words = self._attributes.get(TEAM, "")
        for account, names in sorted(teams.items()):
            row = self._account(account)
            yield CustomValue(id=f"{row}/{words}", row_id=row, field=words, text=", ".join(sorted(names)))

    def _left(self, teams: Mapping[str, list[str]]) -> Batch:
        """Say who is in no team any more."""
        mine = {row for one in teams if (row := self._account(one))}
        known = self.ctx.known_ids(CustomValue, self.source.row_id("u"))
        said = tr("in no team of Tempo")
        return Batch(gone=tuple(
            Gone(record=CustomValue, id=one, evidence=said)
            for one in sorted(known) if one.rpartition("/")[0] not in mine
        ))  # fmt: skip

    def plans(self, today: date, cursor: Any) -> Iterator[Batch]:
        """Read planned time as allocations; what is not planned any more leaves."""
        self._until = (today + PLANNED[1]).isoformat()
        params = {"from": PLANNED[0], "to": self._until}
        ids: set[str] = set()
        self.ctx.asked_again |= {one for one in self.ctx.again if one.startswith(self.source.row_id("a"))}

        def row_id(raw: msgspec.Raw) -> str:
            return self.source.row_id(f"a{named(raw)}")

        def make(raw: msgspec.Raw) -> Iterator[Record]:
            yield from self._plan(PLAN.decode(raw))

        with self._looking_at(PLANS):
            for rows in self.pages("/plans", params, key="id"):
                ids |= {row_id(one) for one in rows}
                yield from batches(self.ctx.each(
                    rows, make, place=lambda raw: tr("plan {id}", id=named(raw)), key=row_id,
                    record=Allocation, id=row_id,
                ))  # fmt: skip
            scope = Scope(records=(Allocation,), id_prefix=self.source.row_id("a"))
            said = tr("absent from Tempo's plans")
            gone = Census(record=Allocation, scope=scope, ids=frozenset(ids), evidence=said)
            yield Batch(gone=(gone,), cursor=cursor)

    def _plan(self, one: Plan) -> Iterator[Record]:
        if one.rule not in (None, "NEVER") and not one.recurrence_end_date:
            raise SourceDataError(tr("it comes again and again, and does not say until when"))
        issue, project = one.plan_item.type == "ISSUE", one.plan_item.type == "PROJECT"
        native = self.source.row_id(one.plan_item.id if issue else f"p{one.plan_item.id}")
        if issue and self.known is not None and native not in self.known:
            return
        yield Allocation(
            id=self.source.row_id(f"a{one.id}"),
            account_id=self._account(str(one.assignee.id)) if one.assignee.type == "USER" else None,
            task_id=native if issue else None,
            container_id=native if project else None,
            start_on=one.start_date,
            finish_on=max(one.end_date, min(one.recurrence_end_date or "", self._until)),
            seconds=one.total_planned_seconds_in_scope,
        )

    @contextlib.contextmanager
    def _looking_at(self, label: str) -> Iterator[None]:
        """Read a list in the block; hours wait for none, nor for one that does not answer in time."""
        try:
            with self.ctx.looking_at(label):
                yield
        except SourceUnavailable as exc:
            self.ctx.report_missing(tr("{label} were not looked at: {error}", label=tr(label), error=exc))

    # ---------- pages ----------

    def _all(self, path: str, params: Mapping[str, Any], kind: type[T]) -> Iterator[T]:
        decoder = msgspec.json.Decoder(kind)
        for rows in self.pages(path, params, key=""):
            for one in rows:
                try:
                    yield decoder.decode(one)
                except msgspec.ValidationError as exc:
                    self.ctx.reject(f"Tempo {path}", str(exc), key=f"{path} {named(one)}")

    def pages(self, path: str, params: Mapping[str, Any], *, key: str) -> Iterator[list[msgspec.Raw]]:
        """Yield what pages of *path* hold that none before held; a row is what it shows under *key*.

        Each page begins at the last row of the one before: where it does not, rows left meanwhile, those
        behind moved up, and the page before is read again. Raises `SourceDataError` when a page repeats, is
        cut, or pages never stand still.
        """
        seen: set[str] = set()
        offset = stale = back = 0
        last: str | None = None
        while True:
            asked = {"limit": PAGE, "offset": offset} | dict(params)
            page: Page = self._http.get_json(f"{self._url}{path}", params=asked, decoder=_PAGE)
            rows = page.results
            if len(rows) < page.metadata.count:
                raise SourceDataError(
                    tr(
                        "Tempo says that a page holds {count} worklogs, {came} came.",
                        count=page.metadata.count,
                        came=len(rows),
                    )
                )
            names = [named(one, key) if key else str(bytes(one)) for one in rows]
            fresh = [one for one, name in zip(rows, names, strict=True) if name not in seen]
            stale = 0 if fresh or not rows else stale + 1
            if stale > 2 and page.metadata.next:
                raise SourceDataError(tr("Tempo gives the same page again: it would go on for ever."))
            seen |= set(names)
            yield fresh
            if last is not None and names[:1] != [last]:
                back += 1
                if back > BACK:
                    raise SourceDataError(tr("Tempo gives the same page again: it would go on for ever."))
                offset, last = max(0, offset - max(1, len(rows))), None
                continue
            if not page.metadata.next and not (fresh and len(rows) == page.metadata.limit):
                return  # only a page that has room is seen to be the last one
            offset, last = offset + max(1, len(rows) - 1), names[-1] if len(rows) > 1 else None

    def _account(self, native: str) -> str:
        return self.source.row_id(f"u{native}")

    def _row_id(self, raw: msgspec.Raw) -> str:
        return self.source.row_id(f"t{named(raw, 'tempoWorklogId')}")


def knows(words: str) -> bool:
    """Say whether *words* of fields.csv are of hours or people, and of no issue."""
    plain = words.casefold()
    of_account = {f"{ACCOUNT}.{one}".casefold() for one in OF_ACCOUNT}
    return plain == TEAM or plain in of_account or (words.startswith("_") and words.endswith("_"))


def _by_account(approvals: Iterable[Approval]) -> dict[str, list[Approval]]:
    found: dict[str, list[Approval]] = {}
    for one in approvals:
        found.setdefault(one.account, []).append(one)
    return found


def since_day(updated: str) -> str:
    """Return the day from which to ask again."""
    return (date.fromisoformat(updated[:10]) - OVERLAP).isoformat() if updated else ""
