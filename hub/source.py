"""The contract of a source: what a connector says, plans, reads and proves."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

import msgspec

from hub import clock
from hub.errors import Interrupted
from hub.records import Presence, Record

if TYPE_CHECKING:
    from hub.entra import Entra
    from hub.http import Session

T = TypeVar("T")


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One thing `hub check` looked at; *detail* says what was seen, and what to do when it is not well."""

    name: str
    state: Literal["ok", "warning", "failed"]
    detail: str


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """The rows over which a complete reading proves absence.

    *records* are the types it covers; *container_id* or *id_prefix* narrow it, else it is the whole source.
    """

    records: tuple[type[Record], ...]
    container_id: str | None = None
    id_prefix: str | None = None


class Partition(msgspec.Struct, frozen=True, kw_only=True):
    """An independent unit of reading.

    *estimate* is the expected number of items, for progress.
    *complete* promises the whole of *scope*: what is not seen in it has left.
    *after* names partitions that must all end well before this one is read (a shared watermark).
    *data* is whatever the source wants back in `Source.read`.
    """

    id: str
    label: str | None = None
    estimate: int | None = None
    complete: bool = False
    scope: Scope | None = None
    evidence: str = ""
    after: tuple[str, ...] = ()
    data: Any = None


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A proof about one row: a delete feed, a 404 in a readable container, a bin."""

    record: type[Record]
    id: str
    presence: Presence = "deleted"
    evidence: str


class Batch(msgspec.Struct, frozen=True, kw_only=True):
    """Records and the *cursor* (JSON) that makes them done: both are written in one transaction.

    *gone* are proofs: about single rows, or a `Census` of a narrow scope whose rows were all written in this batch,
    such as the days of one assignment.
    """

    records: tuple[Record, ...] | list[Record] = ()
    cursor: Any = None
    gone: tuple[Gone | Census, ...] = ()


class Census(msgspec.Struct, frozen=True, kw_only=True):
    """The ids of one record type that exist in *scope* now.

    *readable* False says the scope cannot be read any more: its rows become hidden, never deleted.
    *hold* True asks a person before anything leaves (a file that vanished).
    """

    record: type[Record]
    scope: Scope
    ids: frozenset[str]
    evidence: str
    readable: bool = True
    hold: bool = False


class Lending:
    """What the hub lends a plugin for one run or delivery: the configuration's folder, a log, HTTP, resources."""

    def __init__(self, *, base: Path, log: str, session: Callable[[], Session] | None = None) -> None:
        """Lend *base* (the folder of the configuration), the log named *log*, and what *session* makes."""
        self.base = base
        self.log = logging.getLogger(log)
        self._make_session = session
        self._lock = threading.RLock()  # what is shared may be made of what is shared
        self._shared: dict[str, Any] = {}
        self._stack = contextlib.ExitStack()

    @property
    def http(self) -> Session:
        """Give the patient HTTP session of this source or destination."""
        return self.another_session("")

    def another_session(self, key: str) -> Session:
        """Give a session of its own for another host: the credentials of one are never sent to the other."""
        if self._make_session is None:
            raise RuntimeError("this context was made without HTTP")
        return self.shared(f"http {key}", self._make_session)

    def now(self) -> datetime:
        """Give this instant in UTC; in a demonstration it may be one of the past."""
        return clock.now()

    def resolve(self, path: str) -> Path:
        """Give *path* as absolute; relative paths start at the configuration's folder."""
        return self.base / path

    def shared(self, key: str, make: Callable[[], T]) -> T:
        """Give the resource *key*, made once per run; one with a ``close`` is closed when the run ends."""
        with self._lock:
            if key not in self._shared:
                resource = make()
                if hasattr(resource, "close"):
                    self._stack.callback(resource.close)
                self._shared[key] = resource
            found: T = self._shared[key]
            return found

    def close(self) -> None:
        """Close every shared resource."""
        self._stack.close()


class Context(Lending):
    """What the engine lends a source for one run: besides, traffic, what is missing, cancellation."""

    def __init__(
        self,
        *,
        base: Path,
        source_id: str,
        full: bool = False,
        since: str | None = None,
        cancelled: threading.Event | None = None,
        session: Callable[[], Session] | None = None,
    ) -> None:
        """Lend *base* (the folder of the configuration) and the rest to the source *source_id*."""
        super().__init__(base=base, log=f"hub.source.{source_id}", session=session)
        self.full = full
        self.since = since
        self.missing: list[tuple[str | None, str]] = []
        self.notes: list[str] = []
        self.unchanged = 0
        self.traffic = {"requests": 0, "bytes": 0, "retries": 0}
        self._cancelled = cancelled or threading.Event()

    def report_missing(self, what: str, *, partition: str | None = None) -> None:
        """Say that *what* could not be read: the verdict becomes partial and *partition* proves no absence."""
        with self._lock:
            self.missing.append((partition, what))

    def note(self, text: str) -> None:
        """Tell the person something that is not an error (an approximation, a skipped sheet)."""
        with self._lock:
            self.notes.append(text)

    def skip_unchanged(self, label: str) -> None:
        """Say that *label* is as the last run left it, so that it was not read."""
        with self._lock:
            self.unchanged += 1
        self.log.debug("unchanged: %s", label)

    def count(self, *, requests: int = 0, bytes_: int = 0, retries: int = 0) -> None:
        """Add to the traffic of this run."""
        with self._lock:
            self.traffic["requests"] += requests
            self.traffic["bytes"] += bytes_
            self.traffic["retries"] += retries

    def raise_if_cancelled(self) -> None:
        """Stop reading when the run is being interrupted."""
        if self._cancelled.is_set():
            raise Interrupted("The run is being stopped.")


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A source: its fields are its settings, ``[sources.NAME]`` in the configuration.

    *hours_per_day* turns hours into person-days; *tz* is the zone of stamps the source writes without one.
    *freshness_hours* is the age after which its data is called stale.
    *max_leave* is the share of a container above which leaving rows are held for `hub presence accept`.
    *asks* are optional settings that `hub init` asks for too; an empty answer leaves one out.
    """

    kind: ClassVar[str] = ""
    provides: ClassVar[tuple[type[Record], ...]] = ()
    census_every_hours: ClassVar[float] = 24.0
    asks: ClassVar[tuple[str, ...]] = ()

    name: str
    tz: str = "UTC"
    hours_per_day: float = 7.0
    freshness_hours: float = 26.0
    max_leave: float = 0.2

    @property
    def address(self) -> str | None:
        """Give the place this source reads, for people; never a secret."""
        return None

    @property
    def signs_in(self) -> tuple[Entra, str] | None:
        """Give the Microsoft account and the service it is for, where a person may have to sign in by `hub signin`."""
        return None

    def row_id(self, native: object) -> str:
        """Give the store's id of a native id."""
        return f"{self.name}:{native}"

    def check(self, ctx: Context) -> Iterable[Check]:
        """Look at credentials, rights, clock, counts; change nothing."""
        raise NotImplementedError

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Give the independent units of this run; *cursors* are those of the last one, by partition id."""
        raise NotImplementedError

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one partition from its *cursor* (None at first)."""
        raise NotImplementedError

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        """Give the ids that exist, per scope, with the evidence, or proofs of single rows; *cursors* are those of this run."""
        return ()
