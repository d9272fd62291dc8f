"""What a run gives a source or a destination.

The configuration's folder, a log, HTTP, shared resources, traffic.
"""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hub import clock
from hub.errors import (
    DeliveryError,
    HttpError,
    HubError,
    Interrupted,
    SourceDataError,
    SourceForbidden,
    SourceGone,
    of_destination,
    of_source,
)
from hub.expiry import Ending
from hub.records import Account, Container, Iteration, Presence, Record
from hub.sealed import Sealed
from hub.tally import REASON, Rejection, Tally, lasting, short
from hub.words import tr

if TYPE_CHECKING:
    from hub.http import Session

T = TypeVar("T")
Row = TypeVar("Row")
Made = TypeVar("Made")
_NAMED = (Account, Container, Iteration)
MOST_REJECTIONS = 1000
"""Of one partition that are kept one by one; of the others only their sums."""


class Network(msgspec.Struct, frozen=True, kw_only=True):
    """How runs use the network.

    The company's own certificates, and what one answer may cost (megabytes, seconds).
    """

    ca_bundle: str | None = None
    answer_mb: float = 100.0
    request_s: float = 300.0

    def session(self, **how: Any) -> Session:
        """Make a patient session; *how* is for `hub.http.Session`.

        Network code loads only for those who use it.
        """
        from hub.http import Limits, Session

        limits = Limits(answer_mb=self.answer_mb, request_s=self.request_s)
        return Session(ca_bundle=self.ca_bundle, limits=limits, **how)


class Readers(msgspec.Struct, frozen=True, kw_only=True):
    """Who besides this account may read what is delivered: a *group*, and the *mode* of a file."""

    group: str | None = None
    mode: int = 0o600


class RunContext(Sealed):
    """What a plugin gets for one run or delivery: the configuration's folder, a log, HTTP, resources."""

    def __init__(self, *, base: Path, log: str, session: Callable[[], Session] | None = None) -> None:
        """Take *base* (the folder of the configuration), the log named *log*, and what makes a *session*."""
        self.base = base
        self.log = logging.getLogger(log)
        self._make_session = session
        self.asked: set[str] = set()
        """The places (host and route) and hosts that answered."""
        self.endings: set[Ending] = set()
        """What was said there of an end."""
        self._lock = threading.RLock()  # what is shared may be made of what is shared
        self._shared: dict[str, Any] = {}
        self._stack = contextlib.ExitStack()

    @property
    def http(self) -> Session:
        """Return the patient HTTP session of this source or destination."""
        return self.another_session("")

    def another_session(self, key: str) -> Session:
        """Return a session of its own for another host.

        The credentials of one are never sent to the other.
        """
        make = self._make_session
        if make is None:
            raise RuntimeError(tr("this context was made without HTTP"))

        def in_our_words() -> Session:
            session = make()
            session.say = self._words
            session.hear = self._hear
            return session

        return self.shared(f"http {key}", in_our_words)

    def _words(self, error: HttpError) -> HubError:
        """Say what an exchange came to in words that fit this run."""
        return error

    def _hear(self, place: str, said: tuple[Ending, ...]) -> None:
        with self._lock:
            self.asked |= {place, place.partition(" ")[0]}
            for one in said:
                if one not in self.endings and one.is_told:
                    self.log.warning("%s", one.sentence)
                self.endings.add(one)

    def now(self) -> datetime:
        """Return this instant in UTC; in a demonstration it may be one of the past."""
        return clock.now()

    def resolve(self, path: str) -> Path:
        """Return *path* as absolute; relative paths start at the configuration's folder."""
        return self.base / path

    def shared(self, key: str, make: Callable[[], T]) -> T:
        """Return the resource *key*, made once per run; one with a ``close`` is closed when the run ends."""
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


class Context(RunContext):
    """What a source gets for one run: besides, traffic, what is missing, cancellation."""

    def _words(self, error: HttpError) -> HubError:
        """Say it as a source's error."""
        return of_source(error)

    def __init__(
        self,
        *,
        base: Path,
        source_id: str,
        full: bool = False,
        since: str | None = None,
        currency: str = "EUR",
        cancelled: threading.Event | None = None,
        session: Callable[[], Session] | None = None,
        fields: Mapping[str, str] | None = None,
    ) -> None:
        """Take *base* (the folder of the configuration) and the rest to the source *source_id*.

        Amounts are in *currency*; *fields* are those that fields.csv asks of this source.
        """
        super().__init__(base=base, log=f"hub.source.{source_id}", session=session)
        self.full = full
        self.since = since
        self.currency = currency
        self.fields: Mapping[str, str] = fields or {}
        """By the name that fields.csv writes, the type of what is kept as a `CustomValue` of that name."""
        self.missing: list[tuple[str | None, str]] = []
        self.notes: list[str] = []
        self.rejections: dict[str, list[Rejection]] = {}
        self.rejected: Counter[str] = Counter()
        """How many things of each partition could not be taken."""
        self.tallies: dict[str, list[Tally]] = {}
        self.again: frozenset[str] = frozenset()
        """The ids of what could not be taken in earlier runs and was not accepted by anybody."""
        self.asked_again: set[str] = set()
        """Those of `again` that a source with *asks_again* asked for in this run."""
        self.known_ids: Callable[[type[Record], str], frozenset[str]] = lambda record, prefix: frozenset()
        """Gives the ids that begin with a prefix of the rows the store has and that have not left."""
        self.known_texts: Callable[[type[Record], str, str], Mapping[str, str]] = lambda *_: {}
        """Gives, of the rows that `known_ids` gives, what a column says where it says something, by id."""
        self.standing: Callable[[str], Iterable[tuple[str, tuple[Presence, str]]]] = lambda prefix: ()
        """Gives every task the store ever had whose id begins with a prefix: id, presence and container."""
        self.hub = ""
        """The name of this hub that no other one has."""
        self.looked: set[str] = set()
        self.unseen: dict[str, tuple[str, bool]] = {}
        self.unasked: set[str] = set()
        self.refused: frozenset[str] = frozenset()
        """The lists that were refused in earlier runs and read before: they are asked for in each run."""
        self.read_before: frozenset[str] = frozenset()
        """The lists that any run has read."""
        self.unchanged = 0
        self.known_as: Callable[[str], str] = str
        """Gives the name under which the store knows a partition, without somebody who was erased."""
        self.traffic = {"requests": 0, "bytes": 0, "retries": 0}
        self._cancelled = cancelled or threading.Event()
        self._here = threading.local()
        self.seal()

    @contextlib.contextmanager
    def reading(self, partition: str) -> Iterator[None]:
        """Say that this thread reads *partition* in the block: what it rejects and counts is of it."""
        self._here.partition = partition
        try:
            yield
        finally:
            self._here.partition = ""

    @property
    def partition(self) -> str:
        """Return the partition that this thread reads; empty where it reads none."""
        return getattr(self._here, "partition", "")

    def reject(
        self,
        place: str,
        reason: str,
        *,
        key: str = "",
        record: type[Record] | None = None,
        id: str | None = None,  # noqa: A002 - it is the field's name
        like: Mapping[str, Any] | None = None,
        field: str = "",
        value: Any = None,
        container: str | None = None,
        seconds: float | None = None,
        amount_minor: float | None = None,
        currency: str | None = None,
        partition: str | None = None,
    ) -> None:
        """Say that one thing could not be taken; see `hub.Rejection` for what each word means.

        It is kept and listed until it comes right, makes the verdict partial, and is asked for again in each
        run. *partition* is needed only in threads that a source starts itself.
        """
        where = self.partition if partition is None else partition
        one = Rejection(
            place=short(place), reason=short(reason, REASON), key=lasting(key or short(place)),
            record=record, id=id,
            like=like, field=field, value=short(value), container=container,
            seconds=_whole(seconds), amount_minor=_whole(amount_minor), currency=currency,
        )  # fmt: skip
        with self._lock:
            self.rejected[where] += 1
            kept = self.rejections.setdefault(where, [])
            if len(kept) < MOST_REJECTIONS:
                kept.append(one)
            else:
                kept[-1] = _summed(kept[-1], one, self.rejected[where] - MOST_REJECTIONS + 1)

    def tally(self, tally: Tally, *, partition: str | None = None) -> None:
        """Account for what was met; several tallies of one partition are compared one by one."""
        with self._lock:
            kept = self.tallies.setdefault(self.partition if partition is None else partition, [])
            if kept and tally.adds_up and kept[-1].adds_up and kept[-1].unit == tally.unit:
                kept[-1] = msgspec.structs.replace(
                    tally, seen=kept[-1].seen + tally.seen, taken=kept[-1].taken + tally.taken
                )
            else:
                kept.append(tally)

    def each(
        self,
        rows: Iterable[Row],
        make: Callable[[Row], Iterable[Made]],
        *,
        place: Callable[[Row], str],
        key: Callable[[Row], str] | None = None,
        record: type[Record] | None = None,
        id: Callable[[Row], str | None] | None = None,  # noqa: A002 - it is the field's name
    ) -> Iterator[Made]:
        """Yield what *make* makes of each of *rows*; a row that it makes an error of is rejected.

        Whatever goes wrong with a row costs that row. Only an exchange over HTTP that fails, and the end of
        the run, pass: they are no fault of the row.
        """
        for row in rows:
            made: list[Made] = []
            try:
                made.extend(make(row))
            except Exception as exc:  # one odd row costs one row, in whatever way it is odd
                if isinstance(exc, HubError) and not isinstance(exc, SourceDataError):
                    raise
                said = str(exc) if isinstance(exc, HubError) else f"{type(exc).__name__}: {exc}"
                if not isinstance(exc, HubError):
                    self.log.debug("a row was rejected", exc_info=exc)
                self.reject(
                    _of(place, row) or "?", said, record=record,
                    key=(_of(key, row) or "") if key else "", id=_of(id, row) if id else None,
                )  # fmt: skip
                # whom and what a row names is told once, by the first row: it comes along all the same
                made = [one for one in made if isinstance(one, _NAMED)]
            yield from made

    def report_missing(self, what: str, *, partition: str | None = None) -> None:
        """Say that *what* could not be read.

        The verdict becomes partial and *partition* proves no absence.
        """
        with self._lock:
            self.missing.append((partition, what))

    def note(self, text: str) -> None:
        """Tell the person something that is not an error (an approximation, a skipped sheet)."""
        with self._lock:
            self.notes.append(text)

    @contextlib.contextmanager
    def looking_at(self, label: str) -> Iterator[None]:
        """Read in the block a list that an account may not be allowed to see: it costs itself alone.

        What is refused is a note of an account that never saw it. A list that was read before is missing from
        then on, in each run, until it is read again or somebody accepts it. *label* is its name in English,
        marked for translation.
        """
        try:
            yield
        except (SourceForbidden, SourceGone) as exc:
            self.not_seen(label, str(exc))
        except SourceDataError as exc:
            self.not_seen(label, str(exc), odd=True)
        else:
            self.seen(label)

    def seen(self, label: str) -> None:
        """Say that the list *label* was read; see `looking_at`."""
        with self._lock:
            self.looked.add(label)

    def not_asked(self, *labels: str) -> None:
        """Say that settings leave these lists out: that they were refused is forgotten."""
        with self._lock:
            self.unasked.update(labels)

    def not_seen(self, label: str, reason: str, *, odd: bool = False) -> None:
        """Say that the list *label* was not read, or not all of it; *odd* where no right would help."""
        with self._lock:
            self.unseen.setdefault(label, (reason, odd))

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
            raise Interrupted(tr("The run is being stopped."))


def _whole(value: float | None) -> int | None:
    """Return a sum as SQLite can keep it; None for one that says nothing."""
    return int(value) if value is not None and abs(value) < 2**53 else None


def _of(ask: Callable[[Row], str | None], row: Row) -> str | None:
    """Return what *ask* says of a row that is odd already."""
    try:
        return ask(row)
    except Exception:  # noqa: BLE001 - same reason
        return None


def _summed(last: Rejection, one: Rejection, count: int) -> Rejection:
    """Return the line that stands for all rejections after the ones that are kept."""
    return Rejection(
        place=tr("{count} more", count=count),
        key="\x1fmore",
        reason=one.reason,
        record=one.record,
        currency=one.currency,
        seconds=_added(last.seconds, one.seconds),
        amount_minor=_added(last.amount_minor, one.amount_minor),
    )


def _added(first: int | None, second: int | None) -> int | None:
    return None if first is None and second is None else (first or 0) + (second or 0)


class DeliveryContext(RunContext):
    """What a destination gets for one delivery."""

    def _words(self, error: HttpError) -> HubError:
        """Say it as a destination's error."""
        return of_destination(error)

    def __init__(
        self,
        *,
        base: Path,
        name: str,
        session: Callable[[], Session] | None = None,
        readers: Readers | None = None,
    ) -> None:
        """Take *base*, the folder of the configuration, a log, what makes a *session*, and the *readers*."""
        super().__init__(base=base, log=f"hub.destination.{name}", session=session)
        self.readers = readers or Readers()
        self.seal()

    def give(self, *places: Path) -> None:
        """Let who may read delivered files read these, and all below them that are folders.

        A folder is entered by whoever reads its files. Raises `DeliveryError` where there is no such group,
        or this account is not of it, and OSError.
        """
        mode = self.readers.mode
        for place in places:
            for path in (place, *(place.rglob("*") if place.is_dir() else ())):
                os.chmod(path, mode | (mode & 0o444) >> 2 | 0o100 if path.is_dir() else mode)
                if self.readers.group is None or os.name != "posix":
                    continue
                try:
                    shutil.chown(path, group=self.readers.group)
                except (LookupError, PermissionError) as exc:
                    raise DeliveryError(
                        tr(
                            "[delivery] group = {group!r}: there is no such group, or this account is not of "
                            "it.",
                            group=self.readers.group,
                        )
                    ) from exc
