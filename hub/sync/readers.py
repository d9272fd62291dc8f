"""Threads that read: each may hang or end without keeping the others, or the program, from ending."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

import msgspec

_prepared: set[type] = set()
_preparing = threading.Lock()


def prepare_types() -> None:
    """Build what msgspec needs of every Struct that is known by now.

    It does so when a type is first decoded, and two threads that are first at once crash the interpreter
    (seen with msgspec 0.22.0). Types that cannot be decoded are left to whoever uses them.
    """
    with _preparing:
        open_: list[type[msgspec.Struct]] = [msgspec.Struct]
        while open_:
            for cls in open_.pop().__subclasses__():
                open_.append(cls)
                if cls in _prepared:
                    continue
                _prepared.add(cls)
                try:
                    msgspec.json.Decoder(cls)
                    msgspec.convert({}, cls)
                except Exception:  # noqa: BLE001, S112 - a lack of fields is what is expected of an empty object
                    continue


class Readers:
    """A few daemon threads that work off tasks.

    Each task belongs to an owner, whose stuck threads can be given up.
    """

    def __init__(self, count: int, name: str) -> None:
        """Start *count* threads called *name*."""
        self.name = name
        self._tasks: queue.SimpleQueue[tuple[object, Callable[..., None], tuple[Any, ...]] | None] = (
            queue.SimpleQueue()
        )
        self._lock = threading.Lock()
        self._busy: dict[threading.Thread, object] = {}
        self._given_up: set[threading.Thread] = set()
        self._dropped: set[int] = set()
        self._count = 0
        for _ in range(count):
            self._start()

    def submit(self, owner: object, task: Callable[..., None], *arguments: Any) -> None:
        """Let a thread call *task*; it deals with its own errors."""
        self._tasks.put((owner, task, arguments))

    def busy(self, owner: object) -> bool:
        """Say whether a thread works for *owner* now: one that waits for its turn is not silent."""
        with self._lock:
            return any(whose is owner for whose in self._busy.values())

    def give_up(self, owner: object) -> int:
        """Replace the threads that work for *owner* now, start nothing more for it, return their number."""
        with self._lock:
            self._dropped.add(id(owner))
            stuck = [thread for thread, whose in self._busy.items() if whose is owner]
            self._given_up.update(stuck)
            for thread in stuck:
                del self._busy[thread]
        for _ in stuck:
            self._start()
        return len(stuck)

    def close(self) -> None:
        """Let threads that wait end; those that are stuck end with the program."""
        with self._lock:
            waiting = self._count
        for _ in range(waiting):
            self._tasks.put(None)

    def _start(self) -> None:
        self._count += 1
        threading.Thread(target=self._work, name=f"{self.name}-{self._count}", daemon=True).start()

    def _work(self) -> None:
        me = threading.current_thread()
        while (found := self._tasks.get()) is not None:
            owner, task, arguments = found
            with self._lock:
                if id(owner) in self._dropped:
                    continue
                self._busy[me] = owner
            task(*arguments)
            with self._lock:
                if me in self._given_up:
                    return
                self._busy.pop(me, None)
