"""The parts of answers: decoded and mapped one by one, and what an issue no longer has."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from typing import Any, TypeVar

import msgspec

from hub import (
    LEFT,
    Batch,
    Container,
    Context,
    CustomValue,
    Gone,
    Record,
    SlaCycle,
    Source,
    SourceDataError,
    SourceForbidden,
    SourceGone,
    Tally,
    Task,
    TaskChange,
    TaskLink,
    Worklog,
    check_names,
    named,
    tr,
)  # fmt: skip
from hub_jira import lists, mapping, wire
from hub_jira.fields import Kept
from hub_jira.site import Site
from hub_jira.values import ASSETS, asset, called

Row = TypeVar("Row")
Made = TypeVar("Made")
BATCH = 1500
_PLACE = re.compile(r" - at `\$\.(\w+)(\[)?")
"""Where msgspec says that a value is of another type: the field, and whether it is one of a list."""
UNREAD = frozenset({*LEFT, "hidden"})
"""What an issue may be in the store that nobody read anew: while it was away it may have changed."""
OWNED: tuple[type[Record], ...] = (CustomValue, SlaCycle, TaskLink)
"""What an issue owns: it has what it shows when it is read in full, and nothing else."""


class Cut:
    """The issues whose embedded lists were cut, noted by the slices of one run.

    *unseen* are the lists of which this account sees less than Jira counts: both numbers, by issue.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, list[str]] = {"histories": [], "worklogs": []}
        self.worklogs = 0
        self.totals: dict[str, int] = {}
        self.unseen: dict[str, tuple[int, int]] = {}

    def count(self, worklogs: int) -> None:
        """Add to the number of worklogs in scope."""
        with self._lock:
            self.worklogs += worklogs

    def add(self, what: str, issue: str) -> None:
        """Note an issue."""
        with self._lock:
            self._found[what].append(issue)

    def take(self, what: str) -> list[str]:
        """Return the issues noted, in order."""
        with self._lock:
            return sorted(self._found[what], key=int)


class Parts:
    """The parts of answers, each decoded and mapped by itself: an odd one is rejected and costs itself."""

    def __init__(
        self,
        ctx: Context,
        source: Source,
        site: Site,
        mapper: mapping.Mapper,
    ) -> None:
        """Take the run, the source, its site and what maps."""
        self.ctx, self.source, self.site, self.mapper = ctx, source, site, mapper
        self._fields = wire.fields_decoder(mapper.bindings.fields)
        self.changelog = msgspec.json.Decoder(wire.Changelog).decode
        self._line = msgspec.json.Decoder(wire.History).decode
        self._log = msgspec.json.Decoder(wire.Worklog).decode

    def fields(self, issue: wire.Issue) -> wire.Fields:
        """Decode the fields of an issue; of those it can do without, an odd one costs itself.

        Raises `SourceDataError` for one without a key.
        """
        if not isinstance(issue.key, str):
            raise SourceDataError(tr("its key is no text: {key!r}", key=issue.key))
        try:
            return self._fields.decode(issue.fields)
        except msgspec.ValidationError:
            return self._without_odd(issue)

    def _without_odd(self, issue: wire.Issue) -> wire.Fields:
        told = msgspec.json.decode(issue.fields)
        odd: dict[str, tuple[Any, Exception]] = {}
        while True:
            try:
                found = self._fields.decode(msgspec.json.encode(told))
                break
            except msgspec.ValidationError as exc:
                where = _PLACE.search(str(exc))
                field = where.group(1) if where else ""
                if field not in wire.OPTIONAL or field in odd:
                    raise
                odd[field] = told[field], exc
                told[field] = self._sound(field, told) if where and where.group(2) else None
        for field, (value, error) in odd.items():
            self.mapper.unreadable(issue, field, value, error)
        return found

    def _sound(self, field: str, told: dict[str, Any]) -> list[Any]:
        """Return of a list those that can be read: an odd one of it costs itself."""

        def reads(one: Any) -> bool:
            try:
                self._fields.decode(msgspec.json.encode(told | {field: [one]}))
            except msgspec.ValidationError as exc:
                where = _PLACE.search(str(exc))
                return where is None or where.group(1) != field
            return True

        return [one for one in told[field] if reads(one)]

    def issues(
        self, found: Iterable[wire.Issue], make: Callable[[wire.Issue], Iterable[Record | Gone]]
    ) -> Iterator[Record | Gone]:
        """Map issues; the keys of those above them are looked up together."""
        found = list(found)
        self._look_up(found)
        self._name_objects(found)
        return self._each(
            found, make, record=Task,
            place=lambda one: f"{one.key} ({self.mapper.url}/browse/{one.key})",
            key=lambda one: one.id, id=lambda one: self.source.row_id(one.id),
        )  # fmt: skip

    def _each(
        self, rows: Iterable[Row], make: Callable[[Row], Iterable[Made]], **said: Any
    ) -> Iterator[Made]:
        """Yield what *make* makes of rows, and count them; an odd one is rejected, as *said* of it."""
        rows = list(rows)
        taken = 0

        def counted(row: Row) -> list[Made]:
            nonlocal taken
            made = list(make(row))
            taken += 1
            return made

        yield from self.ctx.each(rows, counted, **said)
        self.ctx.tally(Tally(seen=len(rows), taken=taken))

    def _look_up(self, found: list[wire.Issue]) -> None:
        """Learn the ids of the epics and parents that only a field names, by their keys."""
        names = self.mapper.bindings.above
        if not names:
            return
        here = {str(one.key): one.id for one in found}
        wanted: dict[str, None] = {}
        decode = wire.above_decoder(names).decode
        for issue in found:
            try:
                above = decode(issue.fields)
            except msgspec.DecodeError:  # the issue is rejected where it is mapped
                continue
            if above.parent is None:
                told = [mapping.above_of(getattr(above, name)) for name in names]
                wanted |= {key: None for native, key in told if key and not native}
        self.site.keys.update((one, here[one]) for one in wanted if one in here)
        self.site.look_up([one for one in wanted if one not in self.site.keys])

    def _name_objects(self, found: list[wire.Issue]) -> None:
        """Learn what the objects of Assets are called that issues name in fields which somebody chose."""
        fields = tuple(one.id for one in self.mapper.bindings.kept.values() if one.custom.startswith(ASSETS))
        if not fields or not self.site.cloud:
            return
        pick = wire.picker(fields)
        wanted: set[str] = set()
        for issue in found:
            try:
                values = pick(issue.fields).values()
            except msgspec.DecodeError:  # the issue is rejected where it is mapped
                continue
            for value in values:
                several = value if isinstance(value, list) else [value]
                wanted |= {name for one in several if (name := asset(one)) and not called(one)}
        try:
            lists.name_objects(self.site, wanted)
        except (SourceForbidden, SourceGone, SourceDataError) as exc:
            said = tr("objects of Assets are kept by their ids: {error}", error=exc)
            self.ctx.shared("objects of Assets", lambda: self.ctx.note(said))

    def values(self, ids: list[str], fields: Mapping[str, Kept]) -> Iterator[tuple[str, str, str]]:
        """Yield what chosen *fields* of issues say now: issue, the words of the field, its text."""
        names = tuple(sorted({one.id for one in fields.values()}))
        for start in range(0, len(ids), self.site.slice):
            found = self.site.issues(ids[start : start + self.site.slice], names, history=False)
            self._name_objects(found)
            for issue in found:
                yield from ((issue.id, words, self.mapper.text(issue, one)) for words, one in fields.items())

    def whole(self, issue: wire.Issue, fields: wire.Fields) -> Iterator[Record | Gone]:
        """Map an issue that was read in full, and say what it no longer has."""
        records = list(self.mapper.issue(issue, fields))
        yield from records
        if first(self.ctx, self.source):
            return
        mine = {one.id for one in records}
        row = self.source.row_id(issue.id)
        unread = self.mapper.unread.get(issue.id, ())
        odd = tuple(f"{row}/{field}/" for field in unread)
        for record in OWNED:
            if record is TaskLink and "issuelinks" in unread:
                continue
            for one in sorted(self._owned(record).get(issue.id, set()) - mine):
                if odd and f"{one}/".startswith(odd):  # what could not be read is not known to be gone
                    continue
                yield Gone(record=record, id=one, evidence=tr("{key} shows it no more", key=issue.key))

    def _owned(self, record: type[Record]) -> dict[str, set[str]]:
        """Return the rows of a type that the store has, by the numbers of their issues; asked once a run."""

        def ask() -> dict[str, set[str]]:
            found: dict[str, set[str]] = {}
            begins = self.source.row_id("l" if record is TaskLink else "")
            for one in self.ctx.known_ids(record, begins):
                owner, _, rest = one[len(begins) :].partition("/")
                if record is TaskLink and not self.knows(owner):
                    owner = rest.partition("/")[0]  # it begins at an issue beyond the scope
                found.setdefault(owner, set()).add(one)
            return found

        return self.ctx.shared(f"owned {record.table}", ask)

    def renamed_links(self) -> Batch:
        """Let links leave whose ids do not say their ends: they were read by a version before this one."""
        if first(self.ctx, self.source):
            return Batch()
        old = (one for one in self.ctx.known_ids(TaskLink, self.source.row_id("l")) if "/" not in one)
        said = tr("it is kept under another id")
        return Batch(gone=tuple(Gone(record=TaskLink, id=one, evidence=said) for one in sorted(old)))

    def knows(self, issue: str, *, now: bool = False) -> bool:
        """Say whether the store has an issue and did not lose sight of it.

        As it was when that was first asked in this run, or *now*.
        """
        row = self.source.row_id(issue)
        if now:
            return row in self.ctx.known_ids(Task, row)
        known = self.ctx.shared("known issues", lambda: standing(self.ctx, self.source))
        return issue in known and known[issue][0] not in UNREAD

    @staticmethod
    def cut(history: wire.Changelog) -> bool:
        """Say whether a history that came inside an issue is not all of it."""
        return len(set(map(bytes, history.histories))) < history.total

    def changes(self, issue: str, lines: Iterable[msgspec.Raw]) -> Iterator[Record]:
        """Map lines of history."""
        return self._each(
            lines, lambda line: self.mapper.change(issue, self._line(line)), record=TaskChange,
            place=lambda line: tr("history {id} of issue {issue}", id=named(line), issue=issue),
            key=lambda line: f"h{named(line)}",
        )  # fmt: skip

    def logs(
        self, logs: Iterable[msgspec.Raw], issue: str | None = None, *,
        came: dict[str, set[str]] | None = None, owners: dict[str, str] | None = None,
    ) -> Iterator[Record]:  # fmt: skip
        """Map hours: of *issue*, of those in *came* (which is told of each), or of any (told to *owners*)."""

        def make(raw: msgspec.Raw) -> Iterator[Record]:
            log = self._log(raw)
            if log.author is None or log.updated is None:
                check_names(raw, ("author", "updated"))
            owner = issue or log.issue_id
            if owner is None or (came is not None and owner not in came):
                return
            if came is not None:
                came[owner].add(log.id)
            for record in self.mapper.worklog(log, owner):
                if owners is not None and isinstance(record, Worklog):
                    owners[record.id] = owner
                yield record

        return self._each(
            logs, make, record=Worklog, key=lambda raw: f"w{named(raw)}",
            place=lambda raw: tr("worklog {id}", id=named(raw)),
            id=lambda raw: self.source.row_id(f"w{named(raw)}"),
        )  # fmt: skip

    def again(self, prefix: str) -> set[str]:
        """Return the numbers of what could not be taken before: of issues, or of worklogs (``w``)."""
        begins = self.source.row_id(prefix)
        found = {one for one in self.ctx.again if one.startswith(begins) and one[len(begins) :].isdigit()}
        self.ctx.asked_again |= found
        return {one[len(begins) :] for one in found}


def standing(
    ctx: Context, source: Source, *, but: AbstractSet[str] = frozenset()
) -> dict[str, tuple[str, str]]:
    """Return presence and container of the issues of the store, by their numbers.

    Those of *but* are left out unless they are archived: a census holds no second list of what it found.
    """
    begins = source.row_id("")
    rows = ((one[len(begins) :], known) for one, known in ctx.standing(begins))
    return {one: known for one, known in rows if one.isdigit() and (one not in but or known[0] == "archived")}


def nameless(ctx: Context, source: Source) -> set[str]:
    """Return what showed no number when it could not be taken: only a whole reading finds it."""
    return {one for one in ctx.again if one.startswith(source.row_id("w? "))}


def first(ctx: Context, source: Source) -> bool:
    """Say whether the store had nothing of this source when the run began; asked before anything is read."""
    return ctx.shared("first", lambda: not ctx.known_ids(Container, source.row_id("p")))


def batches(found: Iterable[Record | Gone]) -> Iterator[Batch]:
    """Put records and proofs into batches."""
    records: list[Record] = []
    gone: list[Gone] = []
    for one in found:
        if isinstance(one, Gone):
            gone.append(one)
        else:
            records.append(one)
        if len(records) + len(gone) >= BATCH:
            yield Batch(records=records, gone=tuple(gone))
            records, gone = [], []
    yield Batch(records=records, gone=tuple(gone))
