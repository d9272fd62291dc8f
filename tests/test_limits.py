"""Answers that cost too much: endless, huge, huge once unpacked, or no JSON at all.

Servers on loopback, each within a time bound.
"""

from __future__ import annotations

import gzip
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from hub.errors import HttpUnavailable, HttpUnexpected
from hub.http import Limits, Session

BOUND_S = 20.0


@contextmanager
def serving(answer: Callable[[socket.socket], None]) -> Iterator[tuple[str, list[int]]]:
    """Let *answer* write to each caller, after its question was read.

    Gives the address and the number of questions.
    """
    door = socket.create_server(("127.0.0.1", 0))
    door.settimeout(BOUND_S)
    asked: list[int] = []

    def loop() -> None:
        while True:
            try:
                caller, _ = door.accept()
            except OSError:
                return
            asked.append(1)
            with caller:
                caller.settimeout(BOUND_S)
                caller.recv(65536)
                try:
                    answer(caller)
                except OSError:
                    continue

    thread = threading.Thread(target=loop, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{door.getsockname()[1]}/x", asked
    finally:
        door.close()


def ask(url: str, limits: Limits, **how: float) -> object:
    session = Session(limits=limits, sleep=lambda _: None, **how)  # type: ignore[arg-type]
    try:
        return session.get_json(url)
    finally:
        session.close()


def headed(body: bytes, *more: str) -> bytes:
    head = [
        "HTTP/1.1 200 OK",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
        "Connection: close",
        *more,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("where", ["body", "head", "chunks"])
def test_a_byte_now_and_then_does_not_hold_a_run(where: str) -> None:
    """A time-out of a socket begins anew with every byte; the limit of the whole request does not."""

    def answer(caller: socket.socket) -> None:
        start = {
            "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
            "head": b"HTTP/1.1 200 OK\r\nX-Slow: ",
            "chunks": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        }[where]
        caller.sendall(start)
        until = time.monotonic() + BOUND_S
        while time.monotonic() < until:
            caller.sendall(b"1\r\n \r\n" if where == "chunks" else b" ")
            time.sleep(0.05)

    began = time.monotonic()
    with serving(answer) as (url, _), pytest.raises(HttpUnavailable, match="not answered whole after 1 s"):
        ask(url, Limits(request_s=1.0))

    assert time.monotonic() - began < BOUND_S / 2


def test_a_body_without_a_length_that_is_cut_off_is_not_taken_for_whole() -> None:
    """Until the connection ends is a length too: what the hub itself ended is no answer."""

    def answer(caller: socket.socket) -> None:
        caller.sendall(b'HTTP/1.0 200 OK\r\n\r\n{"rows": []}')
        time.sleep(2)

    with serving(answer) as (url, _), pytest.raises(HttpUnavailable, match="not answered whole"):
        ask(url, Limits(request_s=0.3))


def test_a_body_beyond_the_limit_is_not_read_to_its_end() -> None:
    """The sentence names the limit and the setting; it is not asked for again."""

    def answer(caller: socket.socket) -> None:
        caller.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 300000000\r\n\r\n")
        for _ in range(300):
            caller.sendall(b" " * 1_000_000)

    with serving(answer) as (url, asked):
        with pytest.raises(HttpUnexpected, match="more than 2 MB"):
            ask(url, Limits(answer_mb=2))

        assert [1] == asked


def test_a_small_body_that_unpacks_to_a_huge_one_stops_at_the_limit() -> None:
    """A limit counts what reaches the memory, not what came over the wire."""
    packed = gzip.compress(b"[" + b" " * 80_000_000 + b"]")

    assert len(packed) < 100_000
    with (
        serving(lambda caller: caller.sendall(headed(packed, "Content-Encoding: gzip"))) as (url, _),
        pytest.raises(HttpUnexpected, match="more than 10 MB"),
    ):
        ask(url, Limits(answer_mb=10))


def test_a_body_within_the_limits_is_taken() -> None:
    """Packed, and just below the limit."""
    body = b'"' + b"x" * 999_000 + b'"'

    with serving(lambda caller: caller.sendall(headed(gzip.compress(body), "Content-Encoding: gzip"))) as (
        url,
        _,
    ):
        assert "x" * 999_000 == ask(url, Limits(answer_mb=1))


@pytest.mark.parametrize("body", [b"OK", b"Service temporarily in maintenance", b"%PDF-1.7 ...", b""])
def test_a_whole_body_that_is_no_json_is_asked_for_once(body: bytes) -> None:
    """Asking again for five minutes would not make it JSON."""
    with serving(lambda caller: caller.sendall(headed(body))) as (url, asked):
        with pytest.raises(HttpUnexpected, match="not JSON"):
            ask(url, Limits())

        assert [1] == asked


def test_a_broken_json_that_came_whole_is_asked_for_a_few_times() -> None:
    """A proxy may have cut it; a server that always sends it so is not asked until patience ends."""
    with serving(lambda caller: caller.sendall(headed(b'{"rows": [1, 2'))) as (url, asked):
        with pytest.raises(HttpUnavailable, match="truncated or not JSON"):
            ask(url, Limits(), patience_s=300.0)

        assert 5 == len(asked)
