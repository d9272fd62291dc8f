"""Read partitions in threads, write them in one, and give every source an honest verdict."""

from __future__ import annotations

import logging
import queue
import signal
import threading
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext, suppress
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from hub import clock
from hub.context import Context
from hub.errors import HubError, Interrupted, SourceDataError, StoreError
from hub.records import Record
from hub.signals import ENDS, heard
from hub.source import Batch, Census, Gone, Partition, Source
from hub.store import Store, endings, refused, rejections, vanished
from hub.store.leaving import follow_moves
from hub.store.questions import nameless, under_way
from hub.sync import effect
from hub.sync.accounts import Accounts
from hub.sync.leaving import apply_census, judge_absence, out_of_sight
from hub.sync.readers import Readers, prepare_types
from hub.sync.report import Hooks, Listener, Options, SourceReport, SyncReport, Verdict
from hub.words import tr, trn

CENSUS = "__census__"
MOST_AT_ONCE = 3000
"""Records of batches that wait, which are written in one transaction."""
log = logging.getLogger("hub.sync")


class _Work:
    """One source in one run."""

    def __init__(self, source: Source, store: Store, options: Options) -> None:
        self.source = source
        self.cancelled = threading.Event()
        self.report = SourceReport(source_id=source.name, kind=source.kind)
        self.began = self.heard_at = time.monotonic()
        self.began_at: float | None = None
        """When a thread first worked for it."""
        self.heard: tuple[int, ...] = ()
        self.ctx = Context(
            base=options.base, source_id=source.name, full=options.full, since=options.since,
            currency=options.currency, cancelled=self.cancelled, fields=options.fields.get(source.name),
            session=lambda: (options.session(self.ctx) if options.session else _session(self.ctx, options)),
        )  # fmt: skip
        self.ctx.known_as = store.door.id
        self.ctx.known_ids = lambda record, prefix: store.ids(record.table, prefix)
        self.ctx.known_texts = lambda record, prefix, column: store.texts(record.table, prefix, column)
        self.ctx.standing = store.standing
        self.ctx.hub = store.hub
        self.ctx.again = rejections.again(store, source.name)
        self.ctx.refused = rejections.lists_refused(store, source.name)
        self.accounts = Accounts(source, self.ctx, store)
        self.cursors: dict[str, Any] = store.cursors(source.name)
        self.ctx.read_before = frozenset(self.cursors.get(rejections.LISTS, ()))
        self.holds = store.has_holds(source.name)
        self.run_id = store.begin_run(source.name, "full" if options.full else "increment")
        self.partitions: dict[str, Partition] = {}
        self.state: dict[str, Literal["waiting", "reading", "ok", "failed"]] = {}
        self.waiting: dict[str, Partition] = {}
        self.reading = 0
        self.last_cursor: dict[str, Any] = {}
        self.planned = self.plan_failed = False
        self.census: Literal["no", "reading", "done"] = "no"


def _session(ctx: Context, options: Options) -> Any:
    return options.network.session(count=ctx.count, cancelled=ctx.raise_if_cancelled)


class _Event(msgspec.Struct, frozen=True):
    kind: Literal["partition", "planned", "batch", "read", "census"]
    source_id: str
    partition: str = ""
    payload: Any = None
    error: BaseException | None = None


class _Sound(msgspec.Struct, frozen=True):
    """What of one batch may be stored, the place that its partition then goes on from, and who leaves."""

    partition: Partition
    records: list[Record]
    cursor: Any
    gone: tuple[Gone | Census, ...]


class _Engine:
    def __init__(self, store: Store, options: Options, hooks: Hooks, listener: Listener | None) -> None:
        self.store = store
        self.options = options
        self.hooks = hooks
        self.listener = listener
        self.cancelled = options.stop or threading.Event()
        self.events: queue.Queue[_Event] = queue.Queue(maxsize=max(4, options.jobs * 2))
        prepare_types()
        self.readers = Readers(max(1, options.jobs), "hub")
        self.work: dict[str, _Work] = {}
        self.open = 0

    # ---------- in the reading threads ----------

    def _put(self, event: _Event) -> None:
        work = self.work[event.source_id]
        while not (self.cancelled.is_set() or work.cancelled.is_set()):
            try:
                return self.events.put(event, timeout=0.2)
            except queue.Full:
                continue
        raise Interrupted(tr("The run is being stopped."))

    def _say(self, event: _Event) -> None:
        try:
            self._put(event)
        except Interrupted:
            pass

    def _plan(self, work: _Work) -> None:
        name = work.source.name
        work.began_at = time.monotonic()
        try:
            with work.ctx.reading(""):
                for partition in work.source.plan(work.ctx, dict(work.cursors)):
                    self._put(_Event("partition", name, partition.id, partition))
        except BaseException as exc:  # noqa: BLE001 - a source may fail in any way, even by sys.exit; the others go on
            return self._say(_Event("planned", name, error=exc))
        return self._say(_Event("planned", name))

    def _read(self, work: _Work, partition: Partition) -> None:
        name = work.source.name
        try:
            cursor = None if self.options.full else work.cursors.get(work.ctx.known_as(partition.id))
            with work.ctx.reading(partition.id):
                for batch in work.source.read(work.ctx, partition, cursor):
                    if self.hooks.transform:
                        batch = self._transformed(work, batch)
                    self._put(_Event("batch", name, partition.id, batch))
        except BaseException as exc:  # noqa: BLE001 - same reason
            return self._say(_Event("read", name, partition.id, error=exc))
        return self._say(_Event("read", name, partition.id))

    def _transformed(self, work: _Work, batch: Batch) -> Batch:
        """Return *batch* as the plugins' transformations make it; a record that one fails on is rejected."""
        transform = self.hooks.transform
        assert transform is not None
        records = work.ctx.each(
            batch.records,
            lambda record: (transform(work.source, record),),
            place=lambda record: f"{record.table} {record.id}",
            id=lambda record: record.id,
        )
        return msgspec.structs.replace(batch, records=list(records))

    def _census(self, work: _Work, cursors: Mapping[str, Any]) -> None:
        name = work.source.name
        try:
            found = list(work.source.census(work.ctx, cursors))
        except BaseException as exc:  # noqa: BLE001 - same reason
            return self._say(_Event("census", name, error=exc))
        return self._say(_Event("census", name, payload=found))

    # ---------- in the writing thread ----------

    def run(self, sources: list[Source]) -> SyncReport:
        report = SyncReport(dry_run=self.options.dry_run)
        self.store.start_seeing()
        with interruptible(self.cancelled):
            try:
                for source in sources:
                    self.store.register_source(
                        source.name, kind=source.kind, base_url=source.address, tz=source.tz,
                        seconds_per_day=round(source.hours_per_day * 3600),
                        freshness_max_s=round(source.freshness_hours * 3600),
                    )  # fmt: skip
                    work = _Work(source, self.store, self.options)
                    self.work[source.name] = work
                    self.readers.expect(work)
                    report.sources.append(work.report)
                    self.open += 1
                    if self.listener:
                        self.listener.started(work.report)
                for work in self.work.values():
                    self.readers.submit(work, self._plan, work)
                while self.open and not self.cancelled.is_set():
                    self._give_up_silent()
                    for events in self._waiting():
                        self._handle(events)
                report.interrupted = self.cancelled.is_set()
                if report.interrupted:
                    for work in self.work.values():
                        if work.census != "done":
                            self._end(work, "interrupted")
            finally:
                self.cancelled.set()
                self.readers.close()
                for work in self.work.values():
                    work.cancelled.set()
                    work.ctx.close()
                self._drain()
        return report

    def _give_up_silent(self) -> None:
        """Go on without a source that is silent for too long, or takes too long in all.

        A source is silent while it says nothing and asks nothing.
        """
        now = time.monotonic()
        for work in self.work.values():
            if work.census == "done":
                continue
            heard = tuple(work.ctx.traffic.values())
            if heard != work.heard or not self.readers.busy(work):
                work.heard, work.heard_at = heard, now
            quiet, whole = now - work.heard_at, now - (work.began_at or now)
            if quiet <= self.options.silence_s and whole <= self.options.source_s:
                continue
            work.cancelled.set()
            stuck = self.readers.give_up(work)
            why = (
                tr("it said nothing for {quiet:.0f} s", quiet=quiet) if quiet > self.options.silence_s
                else tr("it was not done after {whole:.0f} s", whole=whole)
            )  # fmt: skip
            where = ", ".join(
                work.partitions[name].label or name
                for name, state in work.state.items()
                if state == "reading"
            )
            work.report.error = tr(
                "given up: {why} (reading {parts}); what it still says is not written. "
                "If it needs longer, raise [engine] max_silence_s or max_source_s."
                if where
                else "given up: {why}; what it still says is not written. "
                "If it needs longer, raise [engine] max_silence_s or max_source_s.",
                why=why,
                parts=where[:200],
            )
            log.error("%s: %s; %d threads were left to themselves", work.source.name, why, stuck)
            self._end(work)

    def _drain(self) -> None:
        """Let threads that wait on a full queue see that the run is over."""
        while True:
            try:
                self.events.get_nowait()
            except queue.Empty:
                return

    def _waiting(self) -> list[list[_Event]]:
        """Return what waits, up to so many records: first batches, those of a source together, then the rest.

        What ends a partition comes after its batches all the same, and what reads the store then finds them.
        """
        batches: dict[str, list[_Event]] = {}
        others, size = [], 0
        with suppress(queue.Empty):
            for number in range(self.events.maxsize):
                event = self.events.get(timeout=0.2) if number == 0 else self.events.get_nowait()
                if event.kind != "batch":
                    others.append([event])
                    continue
                batches.setdefault(event.source_id, []).append(event)
                size += len(event.payload.records)
                if size >= MOST_AT_ONCE:
                    break
        return [*batches.values(), *others]

    def _handle(self, events: list[_Event]) -> None:
        """Deal with one event, or with batches of one source."""
        event = events[0]
        work = self.work[event.source_id]
        if work.census == "done":  # it was given up: what comes late is not written
            return
        work.heard_at = time.monotonic()
        try:
            match event.kind:
                case "partition":
                    self._add_partition(work, event.payload)
                case "planned":
                    work.planned = True
                    if event.error:
                        work.plan_failed = True
                        self._missing(work, None, event.error)
                        if not work.partitions:
                            work.report.error = _say(event.error)
                case "batch":
                    self._write(work, [(work.partitions[one.partition], one.payload) for one in events])
                case "read":
                    work.reading -= 1
                    self._finish_partition(work, work.partitions[event.partition], event.error)
                case "census":
                    self._finish_census(work, event.payload or [], event.error)
        except StoreError:
            raise
        except HubError as exc:
            if not event.partition:
                raise
            self._failed(work, event.partition, exc)
        self._advance(work)
        if self.listener:
            self._traffic(work)
            for _ in events:
                self.listener.advanced(work.report)

    def _failed(self, work: _Work, partition: str, error: BaseException) -> None:
        work.state[partition] = "failed"
        self._missing(work, partition, error)

    def _add_partition(self, work: _Work, partition: Partition) -> None:
        if partition.id in work.partitions:
            self._missing(
                work, None, SourceDataError(tr("the partition {id} was planned twice", id=partition.id))
            )
            return
        work.partitions[partition.id] = partition
        work.report.partitions += 1
        work.report.estimate += partition.estimate or 0
        work.state[partition.id] = "waiting"
        work.waiting[partition.id] = partition

    def _advance(self, work: _Work) -> None:
        """Start what can start; when all is read, take the census; when that is done, end."""
        if work.census == "done":
            return
        for partition in list(work.waiting.values()):
            needed = [work.state.get(name) for name in partition.after]
            if partition.after and not work.planned:
                continue
            if "failed" in needed or (None in needed and work.planned):
                work.state[partition.id] = "failed"
                del work.waiting[partition.id]
                unwell = [name for name in partition.after if work.state.get(name) in {"failed", None}]
                shown = ", ".join(unwell[:3])
                if len(unwell) > 3:
                    shown = tr("{shown} and {count} more", shown=shown, count=len(unwell) - 3)
                self._missing(
                    work,
                    partition.id,
                    SourceDataError(tr("not read, because {shown} did not end well", shown=shown)),
                )
            elif all(state == "ok" for state in needed):
                work.state[partition.id] = "reading"
                del work.waiting[partition.id]
                work.reading += 1
                self.readers.submit(work, self._read, work, partition)
        if work.planned and not work.waiting and not work.reading and work.census == "no":
            if work.report.error or not self._census_due(work):
                self._end(work)
            else:
                work.census = "reading"
                self.readers.submit(work, self._census, work, self.store.cursors(work.source.name))

    def _census_due(self, work: _Work) -> bool:
        if self.options.census or self.options.full or work.source.census_every_hours <= 0:
            return True
        last = work.cursors.get(CENSUS)
        if not isinstance(last, str):
            return True
        return datetime.fromisoformat(last) <= clock.now() - timedelta(hours=work.source.census_every_hours)

    def _write(self, work: _Work, batches: list[tuple[Partition, Batch]]) -> None:
        """Write batches in one transaction; where one of them is refused, each by itself."""
        found = []
        for partition, batch in batches:
            if work.state[partition.id] != "failed":
                sound = work.accounts.sound(partition, batch.records)
                found.append(_Sound(partition, sound, self._cursor(work, partition, batch), batch.gone))
        # what leaves by the proof of one batch may be there again in the next
        if len(found) > 1 and not any(one.gone for one in found):
            try:
                return self._keep(work, found)
            except StoreError:
                raise
            except HubError:  # whose it is shows below
                pass
        for one in found:
            if work.state[one.partition.id] == "failed":
                continue
            try:
                self._keep(work, [one])
            except StoreError:
                raise
            except HubError as exc:
                self._failed(work, one.partition.id, exc)
        return None

    def _keep(self, work: _Work, found: list[_Sound]) -> None:
        with self.store.transaction():
            changes = self.store.put(
                [one.records for one in found], run_id=work.run_id, source_id=work.source.name
            )
            self.store.count(work.run_id, changes)
            for one in found:
                partition = one.partition
                if one.cursor is not None:
                    self.store.set_cursor(work.source.name, partition.id, one.cursor, run_id=work.run_id)
                # a complete partition is asked what it did not see; otherwise only a hold is dropped by what
                # was seen, and those that matter are on rows that move a KPI
                if partition.complete or work.holds or self._census_due(work):
                    whole = partition.complete or work.holds
                    self.store.see(
                        partition.id,
                        ((record.table, record.id) for record in one.records if whole or record.guarded),
                    )
                if one.gone:
                    moved = apply_census(self.store, work.source, one.gone, run_id=work.run_id)
                    self.store.count(work.run_id, moved)
                    changes.add(moved)
        work.report.changes.add(changes)

    @staticmethod
    def _cursor(work: _Work, partition: Partition, batch: Batch) -> Any:
        """Return the place that *batch* lets its partition go on from, if any."""
        if partition.complete:
            # absence is judged over one uninterrupted reading: a complete partition has no half-way cursor
            if batch.cursor is not None:
                work.last_cursor[partition.id] = batch.cursor
            # from now on the store holds rows of this reading, which the mark before does not stand for
            return batch.held
        if batch.cursor is None:
            return None
        return batch.held if work.accounts.waits(partition) else batch.cursor

    def _finish_partition(self, work: _Work, partition: Partition, error: BaseException | None) -> None:
        if work.state[partition.id] == "failed":
            return
        if error is not None:
            work.state[partition.id] = "failed"
            self._missing(work, partition.id, error)
            self.store.forget_seen(partition.id)
            return
        if work.ctx.rejections.get(partition.id):
            with self.store.transaction():
                work.accounts.keep(work.run_id, partition.id)
        too_many = work.accounts.share(partition)
        if too_many:
            work.state[partition.id] = "failed"
            self._missing(work, partition.id, too_many)
            self.store.forget_seen(partition.id)
            return
        for difference in work.accounts.compare(partition):
            work.ctx.report_missing(
                f"{partition.label or partition.id}: {difference}", partition=partition.id
            )
        missing = [what for where, what in work.ctx.missing if where in {None, partition.id}]
        lacking = work.ctx.rejections.get(partition.id, [])
        work.state[partition.id] = "ok"
        if work.source.asks_again and not partition.complete:
            return  # nothing is settled, and nothing judged
        with self.store.transaction():
            work.accounts.settle(work.run_id, partition.id)
            if partition.complete:
                # what was known of a thing that cannot be taken now counts as seen
                self.store.see(
                    partition.id, ((one.record.table, one.id) for one in lacking if one.record and one.id)
                )
                if not missing and partition.scope:
                    moved = judge_absence(
                        self.store, work.source, partition, run_id=work.run_id, lacking=lacking
                    )
                    self.store.count(work.run_id, moved)
                    work.report.changes.add(moved)
                # what could not be read must be tried again: no cursor says it is done
                if not missing and partition.id in work.last_cursor and not work.accounts.waits(partition):
                    self.store.set_cursor(
                        work.source.name, partition.id, work.last_cursor[partition.id], run_id=work.run_id
                    )

    def _finish_census(self, work: _Work, found: list[Census | Gone], error: BaseException | None) -> None:
        if error is not None:
            self._missing(work, None, error)
        else:
            found, alarm = out_of_sight(self.store, work.source, found)
            if alarm:
                work.report.missing.append(alarm)
            with self.store.transaction():
                # hours of a task that moved in this run are sought where it stands now
                follow_moves(self.store, work.source.name, run_id=work.run_id)
                moved = apply_census(self.store, work.source, found, run_id=work.run_id)
                self.store.count(work.run_id, moved)
                work.report.changes.add(moved)
                self.store.set_cursor(
                    work.source.name, CENSUS, clock.now().isoformat(timespec="seconds"), run_id=work.run_id
                )
        self._end(work)

    def _missing(self, work: _Work, partition: str | None, error: BaseException) -> None:
        label = ""
        if partition and partition in work.partitions:
            label = work.partitions[partition].label or partition
        said = _say(error)
        # a sentence about a file names it already
        for line in said.splitlines():
            work.report.missing.append(line if not label or line.startswith(label) else f"{label}: {line}")
        if not isinstance(error, HubError):
            log.error("%s: unexpected error", work.source.name, exc_info=error)

    def _traffic(self, work: _Work) -> None:
        work.report.requests = work.ctx.traffic["requests"]
        work.report.bytes = work.ctx.traffic["bytes"]
        work.report.retries = work.ctx.traffic["retries"]

    def _account(self, work: _Work) -> None:
        """Tell what could not be taken, what names nothing known, and which hours are below nought."""
        report, name = work.report, work.source.name
        with self.store.transaction():
            follow_moves(self.store, name, run_id=work.run_id)
            work.accounts.keep(work.run_id, "")
            if work.planned and not work.plan_failed and set(work.state.values()) <= {"ok"}:
                marked = self.store.cursors(name)
                work.accounts.settle_source(work.run_id, {"", *work.partitions}, marked)
            vanished.account_for(self.store, name, work.source.provides, work.ctx.fields, run_id=work.run_id)
            ctx = work.ctx
            report.notes += refused.account_for(
                self.store, name, ctx.looked, ctx.unseen, ctx.unasked, run_id=work.run_id
            )
        report.rejected, report.rejections = work.accounts.lines()
        if work.accounts.corrections:
            negative = work.accounts.corrections
            report.notes.append(
                trn(
                    "{n} line of hours is below nought ({hours:g} h): it was taken as a correction of others",
                    "{n} lines of hours are below nought ({hours:g} h): they were taken as corrections of "
                    "others",
                    len(negative),
                    hours=sum(negative) / 3600,
                )
            )
        if negative := work.accounts.negative:
            report.notes.append(
                trn(
                    "{n} effort of a task is below nought ({hours:g} h): it was taken as the tool gives it",
                    "{n} efforts of tasks are below nought ({hours:g} h): they were taken as the tool gives "
                    "them",
                    len(negative),
                    hours=sum(negative) / 3600,
                )
            )
        # what another source brings may still be on its way
        coming = [one.source.name for one in self.work.values() if one is not work and one.census != "done"]
        coming += under_way(self.store, self.options.beside, since_run=self.options.since_run)
        costly, others = nameless(self.store, name, coming)
        report.missing.extend(costly)
        report.notes.extend(others)

    def _end(self, work: _Work, verdict: Verdict | None = None) -> None:
        report, source = work.report, work.source
        self.store.release_seen(source.name)
        for stake in self.store.held(source.name):
            report.held.append(
                tr(
                    "{at_stake} of {where} held: {evidence}. `hub presence accept {name}` lets them go.",
                    at_stake=stake.at_stake,
                    where=stake.where or source.name,
                    evidence=stake.evidence,
                    name=source.name,
                )
            )
        self._account(work)
        report.missing.extend(what for _, what in work.ctx.missing)
        report.notes.extend(work.ctx.notes)
        report.notes.extend(sorted(one.sentence for one in work.ctx.endings if one.is_told))
        endings.keep(self.store, source.name, work.ctx.endings, work.ctx.asked)
        report.skipped = work.ctx.unchanged
        read_well = report.skipped or any(state == "ok" for state in work.state.values())
        if verdict is None:
            if report.error or (report.missing and not read_well):
                verdict = "failed"
                report.error = report.error or report.missing[0]
            else:
                lacking = report.missing or report.held or report.rejections
                verdict = "partial" if lacking else "ok"
        report.verdict = verdict
        report.seconds = time.monotonic() - work.began
        self._traffic(work)
        self.store.end_run(
            work.run_id,
            verdict,
            traffic=work.ctx.traffic,
            missing=report.missing + report.held,
            error=report.error,
            rejected=report.rejected,
            tally=work.accounts.tally(),
        )
        log.log(
            logging.INFO if verdict == "ok" else logging.WARNING,
            "%s: %s, %d read, %d new, %d changed, %d requests, %.1f s",
            source.name, verdict, report.changes.read, report.changes.inserted, report.changes.updated,
            report.requests, report.seconds,
        )  # fmt: skip
        for line in report.missing:
            log.warning("%s: missing: %s", source.name, line)
        work.census = "done"
        self.readers.done(work)
        self.open -= 1
        if self.hooks.run_finished:
            self.hooks.run_finished(self.store.runs(source.name, limit=1)[0])
        if self.listener:
            self.listener.ended(report)


def interruptible(asked: threading.Event) -> AbstractContextManager[None]:
    """Turn the first request to stop into *asked*, for a stop after the batch being written.

    A second is not caught. Such a request is Ctrl-C, or what a service manager or a container platform sends.
    """
    return heard((signal.SIGINT, *ENDS), asked.set, once=True)


def _say(error: BaseException) -> str:
    if isinstance(error, HubError):
        return str(error)
    if isinstance(error, SystemExit):
        return tr(
            "its plugin asked the program to end (sys.exit({code!r})): it was not obeyed", code=error.code
        )
    return tr("unexpected {error_type}: {error}", error_type=type(error).__name__, error=error)


def sync(
    store: Store,
    sources: list[Source],
    options: Options,
    *,
    hooks: Hooks | None = None,
    listener: Listener | None = None,
) -> SyncReport:
    """Bring *store* up to date with *sources*; one that fails stops no other.

    With ``options.dry_run`` everything is read and written inside one transaction that is taken back,
    and the report's *effects* tell what would have changed in hours per project.
    """
    engine = _Engine(store, options, hooks or Hooks(), listener)
    with store.rehearsal() if options.dry_run else nullcontext():
        # a tie that stands before may be what this run resolves; one that stands after is refused
        before = effect.hours(store, check=False) if options.dry_run else {}
        report = engine.run(sources)
        if options.dry_run:
            report.effects = effect.compare(before, effect.hours(store))
    return report
