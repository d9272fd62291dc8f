"""What a run gives a source or a destination: the configuration's folder, a log, HTTP, shared resources, traffic."""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from hub import clock
from hub.errors import Interrupted

if TYPE_CHECKING:
    from hub.http import Session

T = TypeVar("T")


class RunContext:
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
        """Return the patient HTTP session of this source or destination."""
        return self.another_session("")

    def another_session(self, key: str) -> Session:
        """Return a session of its own for another host: the credentials of one are never sent to the other."""
        if self._make_session is None:
            raise RuntimeError("this context was made without HTTP")
        return self.shared(f"http {key}", self._make_session)

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
        self.known_as: Callable[[str], str] = str
        """Gives the name under which the store knows a partition, without somebody who was erased."""
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


class DeliveryContext(RunContext):
    """What the hub lends a destination for one delivery."""

    def __init__(self, *, base: Path, name: str, session: Callable[[], Session] | None = None) -> None:
        """Lend *base*, the folder of the configuration, a log, and what *session* makes."""
        super().__init__(base=base, log=f"hub.destination.{name}", session=session)
