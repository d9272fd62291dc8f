"""What one answer may cost: bytes, also unpacked, and seconds from the question to its last byte."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from hub.errors import HttpUnexpected
from hub.words import tr

_BLOCK = 1 << 16
_LOOK_S = 0.5


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """*answer_mb* bounds the bytes of one answer, unpacked; *request_s* the seconds it may take in all.

    Pages of the tools we know stay below 10 MB; a gzip of 1 MB may unpack to 1 GB.
    """

    answer_mb: float = 100.0
    request_s: float = 300.0

    def take_body(self, response: requests.Response, place: str) -> None:
        """Read the body of *response*, which was asked for as a stream.

        Raises `HttpUnexpected` when it is too large.
        """
        blocks, size, most = [], 0, int(self.answer_mb * 1e6)
        for block in response.iter_content(_BLOCK):
            size += len(block)
            if size > most:
                response.close()
                raise HttpUnexpected(
                    tr(
                        "{place} answered more than {answer_mb:g} MB: it was not read to its end. Ask for "
                        "less at once, or raise [engine] max_answer_mb.",
                        place=place,
                        answer_mb=self.answer_mb,
                    )
                )
            blocks.append(block)
        response._content = b"".join(blocks)


class Guarded:
    """One request under watch: until when, on which connection; *ended* says that it was cut off."""

    def __init__(self, until: float) -> None:
        """Know no connection yet."""
        self.until = until
        self.connection: Any = None
        self.ended = False


_mine = threading.local()


class _Noted:
    """A connection that tells which thread asks on it now."""

    def request(self, *arguments: Any, **named: Any) -> Any:
        guarded = getattr(_mine, "guarded", None)
        if guarded is not None:
            guarded.connection = self
        return super().request(*arguments, **named)  # type: ignore[misc]


class _Plain(_Noted, HTTPConnection):
    pass


class _Tls(_Noted, HTTPSConnection):
    pass


class _PlainPool(HTTPConnectionPool):
    ConnectionCls = _Plain


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _Tls


class _Adapter(HTTPAdapter):
    """Connections that can be cut off."""

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        super().init_poolmanager(*arguments, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}

    def proxy_manager_for(self, *arguments: Any, **named: Any) -> Any:
        manager = super().proxy_manager_for(*arguments, **named)
        manager.pool_classes_by_scheme = {"http": _PlainPool, "https": _TlsPool}
        return manager


class Watch:
    """Cuts off requests that take longer than *request_s*.

    Time-outs of a socket begin anew with every byte.
    """

    def __init__(self, session: requests.Session, request_s: float) -> None:
        """Let *session* make connections that can be cut off.

        The watching thread starts with the first request.
        """
        self.request_s = request_s
        self._running: set[Guarded] = set()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()
        for scheme in ("http://", "https://"):
            if type(session.adapters.get(scheme)) is HTTPAdapter:  # a test's own stays
                session.mount(scheme, _Adapter())

    @contextmanager
    def over(self) -> Iterator[Guarded]:
        """Watch over the request that this thread makes in the block."""
        guarded = Guarded(time.monotonic() + self.request_s)
        _mine.guarded = guarded
        with self._lock:
            self._running.add(guarded)
            if self._thread is None:
                self._thread = threading.Thread(target=self._look, name="hub-watch", daemon=True)
                self._thread.start()
        try:
            yield guarded
        finally:
            _mine.guarded = None
            with self._lock:
                self._running.discard(guarded)

    def close(self) -> None:
        """Stop watching."""
        self._closed.set()

    def _look(self) -> None:
        while not self._closed.wait(_LOOK_S):
            now = time.monotonic()
            with self._lock:
                late = [one for one in self._running if one.until < now]
            for one in late:
                one.ended = True
                found = getattr(one.connection, "sock", None)
                if found is not None:
                    with contextlib.suppress(OSError):
                        found.shutdown(socket.SHUT_RDWR)
