"""What a run gives a source or a destination.

The configuration's folder, a log, HTTP, shared resources, traffic.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hub import clock
from hub.errors import HttpError, HubError, Interrupted, of_destination, of_source
from hub.words import tr

if TYPE_CHECKING:
    from hub.http import Session

T = TypeVar("T")


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


class RunContext:
    """What a plugin gets for one run or delivery: the configuration's folder, a log, HTTP, resources."""

    def __init__(self, *, base: Path, log: str, session: Callable[[], Session] | None = None) -> None:
        """Take *base* (the folder of the configuration), the log named *log*, and what makes a *session*."""
        self.base = base
        self.log = logging.getLogger(log)
        self._make_session = session
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
            return session

        return self.shared(f"http {key}", in_our_words)

    def _words(self, error: HttpError) -> HubError:
        """Say what an exchange came to in words that fit this run."""
        return error

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
    ) -> None:
        """Take *base* (the folder of the configuration) and the rest to the source *source_id*.

        Amounts are in *currency*.
        """
        super().__init__(base=base, log=f"hub.source.{source_id}", session=session)
        self.full = full
        self.since = since
        self.currency = currency
        self.missing: list[tuple[str | None, str]] = []
        self.notes: list[str] = []
        self.unchanged = 0
        self.known_as: Callable[[str], str] = str
        """Gives the name under which the store knows a partition, without somebody who was erased."""
        self.traffic = {"requests": 0, "bytes": 0, "retries": 0}
        self._cancelled = cancelled or threading.Event()

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


class DeliveryContext(RunContext):
    """What a destination gets for one delivery."""

    def _words(self, error: HttpError) -> HubError:
        """Say it as a destination's error."""
        return of_destination(error)

    def __init__(self, *, base: Path, name: str, session: Callable[[], Session] | None = None) -> None:
        """Take *base*, the folder of the configuration, a log, and what makes a *session*."""
        super().__init__(base=base, log=f"hub.destination.{name}", session=session)
