"""Sync whole sources on the workers of a Dask cluster, each of which writes to the store on a server itself.

The unit is a source: what its partitions share in a run (sessions, look-ups, a common mark, the census) stays
in one process. A worker writes as the engine does, batch and mark in one transaction, by a connection that
alone may write that source, and only as long as the run that sent it holds the store. So a source that Dask
gives to another worker goes on from its marks, and whoever was lost cannot write any more.
Retries, lost workers and progress are Dask's.
"""

from __future__ import annotations

import importlib
import logging
import queue
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from typing import Any

import msgspec

from hub import words
from hub.errors import HubError, Interrupted, StoreError
from hub.feed.runner import DESERTED_S, RETRIES, Cluster
from hub.source import Source
from hub.store import Store
from hub.store.engines import Engine
from hub.store.questions import last_run
from hub.sync.engine import interruptible, sync
from hub.sync.report import Hooks, Listener, Options, SourceReport, SyncReport
from hub.version import release
from hub.words import Lang, tr

log = logging.getLogger("hub.sync")
PATIENCE_S = 60.0
"""How long a run that is asked to stop waits for its workers to end their batches."""
_LOOK_S = 5.0
_RESTS = "pm-hub rests"
"""What is called in Dask so: until when each host is to be left alone, in seconds since 1970."""
_TOLD_S = 0.5
"""How often a worker tells how far it is, and asks which hosts are to be left alone."""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """What every worker is told of the run it works for.

    *made* is the release that sent it, *run* who holds the store, *token* what the run is called in Dask.
    *sources* are all of the run, *since_run* is the last number of a run before it.
    """

    made: str
    run: str
    token: str
    sources: tuple[str, ...]
    since_run: int
    lang: Lang


class Room(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker syncs one source with."""

    engine: Engine
    source: Source
    options: Options
    hooks: Hooks = Hooks()


Make = Callable[[str], AbstractContextManager[Room]]
"""From a source's name to what it is synced with, on a worker; it is sent there, and holds no secret."""


# ---------- on a worker ----------


def work_off(errand: Errand, make: Make, name: str) -> dict[str, Any]:
    """Sync the source *name*, and return its report as plain values. Raises `HubError`."""
    distributed = _distributed()
    if errand.made != release():
        raise StoreError(
            tr(
                "A worker runs {theirs}, and the hub {ours}: install the same release on both.",
                theirs=release(),
                ours=errand.made,
            )
        )
    words.use(errand.lang)
    worker, client = distributed.get_worker(), distributed.get_client()
    ended = threading.Event()
    with make(name) as room, Store.open(room.engine) as store:
        room.engine.write_for(store.connection, errand.run, name)
        hosts = Hosts(worker, client)
        stop = threading.Event()
        network = room.options.network
        options = msgspec.structs.replace(
            room.options, stop=stop, since_run=errand.since_run,
            beside=tuple(one for one in errand.sources if one != name),
            session=lambda ctx: network.session(
                count=ctx.count, cancelled=ctx.raise_if_cancelled, together=hosts
            ),
        )  # fmt: skip
        asked = distributed.Event(f"{errand.token} stop", client=client)
        threading.Thread(target=_hear, args=(asked, stop, ended), daemon=True).start()
        try:
            report = sync(
                store, [room.source], options,
                hooks=Hooks(transform=room.hooks.transform), listener=_Telling(errand, worker),
            )  # fmt: skip
        finally:
            ended.set()
    told: dict[str, Any] = msgspec.to_builtins(report.sources[0])
    return told


def _hear(asked: Any, stop: threading.Event, ended: threading.Event) -> None:
    """Pass on what the run asks of all its workers, until this piece of work has ended."""
    with suppress(Exception):  # the cluster may go first
        while not ended.is_set():
            if asked.wait(timeout=2):
                stop.set()
                return


class _Telling:
    """Tells the run how far a source is, by Dask's events."""

    def __init__(self, errand: Errand, worker: Any) -> None:
        self.topic, self.worker, self.last = errand.token, worker, 0.0

    def _tell(self, what: str, report: SourceReport) -> None:
        self.last = time.monotonic()
        with suppress(Exception):  # who only looks on must not stop the source
            self.worker.log_event(self.topic, {"what": what, "report": msgspec.to_builtins(report)})

    def started(self, report: SourceReport) -> None:
        """Tell that it begins."""
        self._tell("started", report)

    def advanced(self, report: SourceReport) -> None:
        """Tell how far it is, now and then."""
        if time.monotonic() - self.last > _TOLD_S:
            self._tell("advanced", report)

    def ended(self, report: SourceReport) -> None:
        """Leave the end to what the work returns."""


class Hosts:
    """Hosts that all workers ask together: so many at once, and nobody while one of them has to wait.

    Places are leases of Dask's semaphore, which it takes back from a worker that died.
    """

    def __init__(self, worker: Any, client: Any) -> None:
        """Share with all workers of the cluster, whichever hub's."""
        self.worker, self.client = worker, client
        self._places: dict[tuple[str, int], Any] = {}
        self._lock = threading.Lock()
        self._known: Mapping[str, float] = {}
        self._asked = 0.0

    def _semaphore(self, leases: int, name: str) -> Any:
        """Return one for threads that are not Dask's own, which find no worker by themselves."""
        return _distributed().Semaphore(
            leases, name, scheduler_rpc=self.worker.scheduler, loop=self.worker.loop
        )

    def _place(self, host: str, widest: int) -> Any:
        with self._lock:
            if (host, widest) not in self._places:
                self._places[host, widest] = self._semaphore(widest, f"pm-hub {host} {widest}")
            return self._places[host, widest]

    @contextmanager
    def turn(self, host: str, widest: int, pause: Callable[[float], None]) -> Iterator[None]:
        """Wait for a place at *host*, and until it is not to be left alone any more."""
        place = self._place(host, widest)
        while True:
            while (rest := self._rest(host)) > 0:
                pause(min(rest, 0.5))
            if not place.acquire(timeout=1):
                pause(0.001)  # which says when the run is being stopped
                continue
            if self._rest(host) <= 0:  # who waited for a place may have been told meanwhile
                break
            place.release()
        try:
            yield
        finally:
            place.release()

    def _rest(self, host: str) -> float:
        """Return for how many seconds *host* is to be left alone, as known within the last half second."""
        with self._lock:
            if time.monotonic() - self._asked > _TOLD_S:
                self._known = self.client.get_metadata([_RESTS], default={})
                self._asked = time.monotonic()
            return self._known.get(host, 0.0) - time.time()

    def leave_alone(self, host: str, seconds: float) -> None:
        """Tell all workers to ask nothing of *host* for *seconds*."""
        until = max(time.time() + seconds, self.client.get_metadata([_RESTS, host], default=0.0))
        self.client.set_metadata([_RESTS, host], until)
        with self._lock:
            self._known = {**self._known, host: until}


# ---------- the run ----------


def sync_on(
    cluster: Cluster, store: Store, sources: list[Source], make: Make, *, hooks: Hooks | None = None,
    listener: Listener | None = None,
) -> SyncReport:  # fmt: skip
    """Bring *store* up to date with *sources* by the workers of *cluster*; the caller holds its lock.

    One that fails, or whose workers are lost again and again, stops no other. Raises `StoreError` where the
    store is none that workers can write.
    """
    run = store.engine.running()
    if run is None:
        raise StoreError(tr("Workers write to a store on a server only, for a run that holds its lock."))
    return _Run(cluster, store, run, sources, make, hooks or Hooks(), listener).work()


class _Run:
    def __init__(
        self, cluster: Cluster, store: Store, run: str, sources: list[Source], make: Make, hooks: Hooks,
        listener: Listener | None,
    ) -> None:  # fmt: skip
        self.client, self.store, self.make = cluster.client, store, make
        self.hooks, self.listener = hooks, listener
        self.errand = Errand(
            made=release(), run=run, token=f"pm-hub {secrets.token_hex(6)}",
            sources=tuple(one.name for one in sources), since_run=last_run(store), lang=words.language(),
        )  # fmt: skip
        self.reports = {
            one.name: SourceReport(source_id=one.name, kind=one.kind, verdict="interrupted")
            for one in sources
        }
        self.began: set[str] = set()
        self.heard: queue.SimpleQueue[dict[str, Any]] = queue.SimpleQueue()
        self.cancelled = threading.Event()

    def work(self) -> SyncReport:
        """Hand the sources out, and hear of them until all have ended."""
        self.client.subscribe_topic(self.errand.token, lambda event: self.heard.put(event[1]))
        futures = {name: self._submit(name, name) for name in self.errand.sources}
        try:
            with interruptible(self.cancelled):
                self._follow(futures)
        finally:
            self.client.unsubscribe_topic(self.errand.token)
        return SyncReport(sources=list(self.reports.values()), interrupted=self.cancelled.is_set())

    def _submit(self, name: str, called: str) -> Any:
        return self.client.submit(
            work_off, self.errand, self.make, name, pure=False, retries=RETRIES,
            key=f"{self.errand.token} {called}",
        )  # fmt: skip

    def _follow(self, futures: dict[str, Any]) -> None:
        stopped_at: float | None = None
        asked_at = seen_at = time.monotonic()
        waiting, suspects, alone = dict(futures), dict[str, Any](), set[str]()
        while waiting or suspects:
            with suppress(queue.Empty):
                while True:
                    self._hear(self.heard.get(timeout=0.1))
            for name in [one for one, future in waiting.items() if future.done()]:
                future = waiting.pop(name)
                if name not in alone and _killed(future) and not self.cancelled.is_set():
                    suspects[name] = future
                else:
                    self._end(name, future)
            if suspects and not waiting:
                # Dask blames all that a dead worker was given, so each is tried by itself
                name = next(iter(suspects))
                future = suspects.pop(name)
                if self.cancelled.is_set():
                    self._end(name, future)
                    continue
                alone.add(name)
                waiting[name] = self._submit(name, f"{name} alone")
            if self.cancelled.is_set() and stopped_at is None:
                stopped_at = time.monotonic()
                _distributed().Event(f"{self.errand.token} stop", client=self.client).set()
                for name in waiting.keys() - self.began:  # what no worker began yet
                    waiting[name].cancel()
            if stopped_at is not None and time.monotonic() - stopped_at > PATIENCE_S:
                return
            if time.monotonic() - asked_at > _LOOK_S:
                asked_at = time.monotonic()
                if self.client.nthreads():
                    seen_at = asked_at
            if asked_at - seen_at > DESERTED_S:
                for name, future in (waiting | suspects).items():
                    future.cancel()
                    self._end(name, future)
                return

    def _hear(self, told: dict[str, Any]) -> None:
        report = msgspec.convert(told["report"], SourceReport)
        name = report.source_id
        if name not in self.reports:
            return
        self._begin(report)
        if self.listener:
            self.listener.advanced(report)

    def _begin(self, report: SourceReport) -> None:
        if report.source_id not in self.began:
            self.began.add(report.source_id)
            if self.listener:
                self.listener.started(report)

    def _end(self, name: str, future: Any) -> None:
        """Take what the work on a source came to."""
        distributed = _distributed()
        lost = (
            distributed.KilledWorker, distributed.CancelledError, distributed.comm.core.CommClosedError,
            Interrupted,
        )  # fmt: skip
        report = self.reports[name]
        try:
            report = msgspec.convert(future.result(), SourceReport)
        except lost as exc:
            if not self.cancelled.is_set():  # else it was not begun, and is as it was
                self._fail(report, _lost(exc))
        except Exception as exc:  # one source, on one worker, may fail in any way
            if not isinstance(exc, HubError):
                log.error("%s: unexpected error on a worker", name, exc_info=exc)
            self._fail(
                report,
                str(exc) if isinstance(exc, HubError)
                else tr("unexpected {error_type}: {error}", error_type=type(exc).__name__, error=exc),
            )  # fmt: skip
        self._begin(report)
        self.reports[name] = report
        runs = self.store.runs(name, limit=1)
        if self.hooks.run_finished and runs and runs[0].id > self.errand.since_run:
            self.hooks.run_finished(runs[0])
        if self.listener:
            self.listener.ended(report)

    def _fail(self, report: SourceReport, why: str) -> None:
        report.verdict, report.error = "failed", why
        with self.store.transaction():
            self.store.end_dead_runs(report.source_id)


def _distributed() -> Any:
    """Return Dask's package, which is not everywhere, and has no types to speak of."""
    return importlib.import_module("distributed")


def _killed(future: Any) -> bool:
    """Say whether the workers of a piece of work died, again and again."""
    return future.status == "error" and isinstance(future.exception(), _distributed().KilledWorker)


def _lost(error: BaseException) -> str:
    return tr(
        "The cluster lost it again and again: {reason}. What was written stays, and the next run goes on "
        "from there.",
        reason=(str(error) or type(error).__name__).splitlines()[0].rstrip("."),
    )
