"""Rows of lists, each decoded and mapped by itself: an odd one is rejected and costs itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hub import Account as User
from hub import (
    Baseline,
    Batch,
    Container,
    Context,
    CustomValue,
    Gone,
    Iteration,
    Record,
    SourceDataError,
    SourceForbidden,
    Tally,
    Task,
    TaskChange,
    TaskLink,
    Worklog,
    mark,
    named,
    tr,
)
from hub_redmine import wire

if TYPE_CHECKING:
    from hub_redmine.mapping import Mapper

T = TypeVar("T")
_ISSUE = msgspec.json.Decoder(wire.Issue).decode
_ENTRY = msgspec.json.Decoder(wire.Entry).decode
_LINK = msgspec.json.Decoder(wire.Relation).decode
_JOURNAL = msgspec.json.Decoder(wire.Journal).decode
_LISTS: dict[type[Any], tuple[str, type[Record] | None]] = {
    wire.Project: ("p", Container),
    wire.User: ("u", User),
    wire.ListedUser: ("u", User),
    wire.Group: ("u", User),
    wire.Version: ("v", Iteration),
    wire.Status: ("status ", None),
    wire.Tracker: ("tracker ", None),
}
"""How the store calls the rows of short lists, and what they become."""
_OWNED: tuple[type[Record], ...] = (Baseline, CustomValue)
"""What an issue has, or has no more."""
LEFT_MEANWHILE = mark("deleted since the list was made")


def listed(ctx: Context, source: str, name: str, kind: type[T], rows: Iterable[msgspec.Raw]) -> Iterator[T]:
    """Decode the rows of a short list."""
    prefix, record = _LISTS[kind]
    begins = f"{source}:{prefix}"
    ctx.asked_again |= {one for one in ctx.again if one.startswith(begins)}
    decode = msgspec.json.Decoder(kind).decode
    return ctx.each(
        rows, lambda row: [decode(row)], record=record, place=lambda row: f"/{name}.json, {named(row)}",
        key=lambda row: f"{prefix}{named(row)}", id=lambda row: f"{begins}{named(row)}",
    )  # fmt: skip


class Parts:
    """The issues and time entries that one partition meets, and the count of them."""

    def __init__(self, ctx: Context, source: str, mapper: Mapper) -> None:
        """Count nothing yet."""
        self.ctx, self.begins, self.mapper = ctx, f"{source}:", mapper
        self.seen = self.taken = self.said = 0
        self.gone: list[Gone] = []
        """What the issues that were mapped show no more; `batch` takes it."""
        self.skipped: Counter[str] = Counter()

    def met(self, rows: list[msgspec.Raw]) -> list[msgspec.Raw]:
        """Count the rows of a list, which the tool counted too."""
        self.seen += len(rows)
        self.said += len(rows)
        return rows

    def tally(self) -> None:
        """Close the partition: what stands inside of issues has no count of its own."""
        self.ctx.tally(Tally(seen=self.seen, taken=self.taken, skipped=dict(self.skipped), said=self.said))
        for tracker in sorted(self.mapper.unlisted):
            self.ctx.shared(f"unlisted {tracker}", partial(self._tell_unlisted, tracker))

    def _tell_unlisted(self, tracker: str) -> bool:
        self.ctx.report_missing(
            tr(
                "issues have the tracker {tracker}, which /trackers.json does not name: which status its new "
                "issues have is not known",
                tracker=tracker,
            )
        )
        return True

    def left(self, reason: str, count: int = 1) -> None:
        """Count rows that are left out."""
        self.skipped[reason] += count

    # ---------- issues ----------

    def issues(self, rows: Iterable[msgspec.Raw]) -> list[wire.Issue]:
        """Decode issues as a list shows them; those without the relations asked for are rejected."""

        def make(row: msgspec.Raw) -> list[wire.Issue]:
            issue = _ISSUE(row)
            if issue.relations is None:
                raise SourceDataError(tr("It came without the relations that were asked for."))
            return [issue]

        return list(self._issues(rows, make, named))

    def records(self, issues: Iterable[wire.Issue]) -> Iterator[Record]:
        """Map issues, with their links and their history."""
        return self._issues(issues, self._issue, lambda one: str(one.id))

    def with_history(self, listed: wire.Issue, row: msgspec.Raw) -> Iterator[tuple[wire.Issue, list[Record]]]:
        """Map an issue that was asked for alone: it shows no relations, which are those of the list."""

        def make(one: wire.Issue) -> Iterator[tuple[wire.Issue, list[Record]]]:
            issue = _ISSUE(row)
            if issue.journals is None:
                raise SourceDataError(tr("It came without its history, which was asked for."))
            issue = msgspec.structs.replace(issue, relations=one.relations)
            yield issue, list(self._issue(issue))

        return self._issues([listed], make, lambda one: str(one.id))

    def without_history(self, listed: wire.Issue, refusal: SourceForbidden) -> Iterator[Record]:
        """Map an issue that a list shows and that is refused by itself: what it was before is a rejection.

        So may one be whose project was archived since the list was made. It is asked for again in each run.
        """
        yield from self.records([listed])
        self.seen += 1
        self.said += 1
        self.ctx.reject(
            tr("history of issue #{issue}", issue=listed.id), str(refusal), record=TaskChange,
            key=f"h{listed.id}", id=f"{self.begins}{listed.id}",
        )  # fmt: skip

    def _issues(
        self, rows: Iterable[Any], make: Callable[[Any], Iterable[T]], name: Callable[[Any], str]
    ) -> Iterator[T]:
        return self.ctx.each(
            rows, make, record=Task, key=name, id=lambda one: f"{self.begins}{name(one)}",
            place=lambda one: f"#{name(one)} ({self.mapper.url}/issues/{name(one)})",
        )  # fmt: skip

    def _issue(self, issue: wire.Issue) -> Iterator[Record]:
        own = list(self.mapper.issue(issue))
        yield from own
        said = tr("#{id} shows it no more", id=issue.id)
        shown = {one.id for one in own}
        for record in _OWNED:
            for one in sorted(self._owned(record).get(str(issue.id), set()) - shown):
                self.gone.append(Gone(record=record, id=one, evidence=said))
        yield from self._inside(
            issue, issue.relations, TaskLink, lambda row: [self.mapper.link(_LINK(row))],
            lambda row: tr("relation {id} of issue #{issue}", id=named(row), issue=issue.id), "r",
        )  # fmt: skip
        yield from self._inside(
            issue, issue.journals, TaskChange, lambda row: self.mapper.changes(issue.id, _JOURNAL(row)),
            lambda row: tr("history {id} of issue #{issue}", id=named(row), issue=issue.id), "h",
        )  # fmt: skip
        self.taken += 1

    def _owned(self, record: type[Record]) -> dict[str, set[str]]:
        """Return the rows of a type that the store has, by the number of their issue; asked once a run."""

        def ask() -> dict[str, set[str]]:
            found: dict[str, set[str]] = {}
            for one in self.ctx.known_ids(record, self.begins):
                found.setdefault(one[len(self.begins) :].partition("/")[0], set()).add(one)
            return found

        return self.ctx.shared(f"owned {record.table}", ask)

    def batch(self, records: Iterable[Record], gone: Iterable[Gone] = ()) -> Batch:
        """Make a batch of what was mapped, with what the issues in it show no more."""
        made = list(records)
        cleared, self.gone = self.gone, []
        return Batch(records=made, gone=(*gone, *cleared))

    def _inside(
        self,
        issue: wire.Issue,
        rows: list[msgspec.Raw] | None,
        record: type[Record],
        make: Callable[[msgspec.Raw], Iterable[Record]],
        place: Callable[[msgspec.Raw], str],
        prefix: str,
    ) -> Iterator[Record]:
        """Map what stands inside of an issue; it is asked for again with it."""

        def counted(row: msgspec.Raw) -> Iterator[Record]:
            yield from make(row)
            self.taken += 1

        self.seen += len(rows or ())
        self.said += len(rows or ())
        return self.ctx.each(
            rows or (), counted, record=record, place=place, key=lambda row: f"{prefix}{named(row)}",
            id=lambda row: f"{self.begins}{issue.id}",
        )  # fmt: skip

    # ---------- time entries ----------

    def entries(self, rows: Iterable[msgspec.Raw]) -> list[wire.Entry]:
        """Decode time entries."""
        return list(self._entries(rows, lambda row: [_ENTRY(row)], named))

    def hours(self, entries: Iterable[wire.Entry]) -> Iterator[Record]:
        """Map time entries."""

        def make(one: wire.Entry) -> Iterator[Record]:
            yield from self.mapper.entry(one)
            self.taken += 1

        return self._entries(entries, make, lambda one: str(one.id))

    def _entries(
        self, rows: Iterable[Any], make: Callable[[Any], Iterable[T]], name: Callable[[Any], str]
    ) -> Iterator[T]:
        return self.ctx.each(
            rows, make, record=Worklog, key=lambda one: f"t{name(one)}",
            id=lambda one: f"{self.begins}t{name(one)}",
            place=lambda one: tr("time entry {id}", id=name(one)),
        )  # fmt: skip

    def again(self, prefix: str = "", *, whole: bool = False) -> list[int]:
        """Return the numbers of what could not be taken before: of issues, or of time entries (``t``).

        A *whole* reading meets also what had no number.
        """
        begins = f"{self.begins}{prefix}"
        found = {one for one in self.ctx.again if one.startswith(begins) and one[len(begins) :].isdigit()}
        self.ctx.asked_again |= found | (nameless(self.ctx, begins) if whole else set())
        return sorted(int(one[len(begins) :]) for one in found)


def nameless(ctx: Context, begins: str) -> set[str]:
    """Return what showed no number when it could not be taken: only a whole reading finds it."""
    return {one for one in ctx.again if one.startswith(f"{begins}? ")}
