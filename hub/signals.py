"""What asks a program to end, and how it is heard."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

ENDS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGBREAK") if hasattr(signal, name))
"""What a service manager or a container platform sends; on Windows, what ends a group of processes."""


@contextmanager
def heard(numbers: tuple[signal.Signals, ...], stop: Callable[[], object], *, once: bool) -> Iterator[None]:
    """Call *stop* for each of the signals *numbers* that comes within the block.

    With *once* the first is heard alone: the next does what it did before the block. Only the main thread
    hears signals; in another the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def put_back() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    def handle(*_: object) -> None:
        if once:
            put_back()
        stop()

    before = {number: signal.signal(number, handle) or signal.SIG_DFL for number in numbers}
    try:
        yield
    finally:
        put_back()
