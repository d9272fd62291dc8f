"""How fast one host is asked, and how long it asks us to wait."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Protocol

_FARTHEST_RESET_S = 3600.0


class Together(Protocol):
    """What several processes that ask the same hosts have in common."""

    def turn(self, host: str, widest: int, pause: Callable[[float], None]) -> AbstractContextManager[None]:
        """Wait for one of *widest* places at *host*, and until nobody has to leave it alone any more.

        *pause* waits for some seconds, and raises where the run is being stopped.
        """

    def leave_alone(self, host: str, seconds: float) -> None:
        """Let nobody ask *host* for *seconds*."""


REST_S = 1.0
"""How long a host that refuses is left alone by all, where it does not say for how long."""


class Lane:
    """How fast and how many at once one host is asked: a token bucket, and a width that learns.

    The width rises by one after *width* quiet answers and halves on 429.
    """

    def __init__(
        self, *, per_second: float | None, widest: int, clock: Callable[[], float], host: str = "",
        together: Together | None = None,
    ) -> None:  # fmt: skip
        """Allow *per_second* requests (None: no limit) and up to *widest* at once.

        With *together* those of other processes at *host* count among these, and a refusal is for all.
        """
        self.host, self.together = host, together
        self.per_second = per_second
        self.widest = widest
        self.width = float(min(4, widest))
        self.clock = clock
        self._condition = threading.Condition()
        self._running = 0
        self._tokens = per_second or 0.0
        self._filled = clock()
        self.silent_since: float | None = None
        """Since when the host fails or says nothing, whoever asks; None while it answers."""

    def heard(self) -> None:
        """Note that the host answered, if only with a refusal."""
        self.silent_since = None

    def failed(self, since: float) -> None:
        """Note that the host failed to answer what was asked at *since*."""
        with self._condition:
            if self.silent_since is None:
                self.silent_since = since

    @contextmanager
    def turn(self, sleep: Callable[[float], None]) -> Iterator[None]:
        """Wait for a place among those running and for a token."""
        with self._condition:
            while self._running >= max(1, int(self.width)):
                self._condition.wait(timeout=0.2)
            self._running += 1
        try:
            while (pause := self._take()) > 0:
                sleep(pause)
            with self.together.turn(self.host, self.widest, sleep) if self.together else nullcontext():
                yield
        finally:
            with self._condition:
                self._running -= 1
                self._condition.notify()

    def _take(self) -> float:
        if self.per_second is None:
            return 0.0
        with self._condition:
            now = self.clock()
            self._tokens = min(
                max(1.0, self.per_second), self._tokens + (now - self._filled) * self.per_second
            )
            self._filled = now
            if self._tokens > 1 - 1e-6:
                self._tokens -= 1
                return 0.0
            return (1 - self._tokens) / self.per_second

    def went_well(self) -> None:
        """Widen a little."""
        with self._condition:
            self.width = min(float(self.widest), self.width + 1 / max(1.0, self.width))

    def was_refused(self, wait_s: float | None = None) -> None:
        """Halve, and tell whoever asks the host too to wait for *wait_s*."""
        with self._condition:
            self.width = max(1.0, self.width / 2)
        if self.together:
            self.together.leave_alone(self.host, REST_S if wait_s is None else wait_s)


def server_wait(headers: Mapping[str, str], now: datetime) -> float | None:
    """Return the seconds the server asks to wait, or None.

    ``Retry-After`` may be seconds, a fraction, or an HTTP date (RFC 9110 10.2.3); the reset headers an epoch,
    an ISO instant or a number of seconds.
    """
    for name in ("Retry-After", "X-RateLimit-Reset", "RateLimit-Reset"):
        text = headers.get(name, "").strip()
        if not text:
            continue
        wait: float | None = None
        try:
            number = float(text)
            wait = number - now.timestamp() if number > 1e9 else number
        except ValueError:
            for parse in (parsedate_to_datetime, datetime.fromisoformat):
                try:
                    moment = parse(text)
                except (ValueError, TypeError):
                    continue
                moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
                wait = (moment - now).total_seconds()
                break
        if wait is not None:
            return min(max(0.0, wait), _FARTHEST_RESET_S)
    return None
