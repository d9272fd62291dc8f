"""Threads that read: each may hang or end without keeping the others, or the program, from ending."""

from __future__ import annotations

import threading
from collections import deque
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

    Each task belongs to an owner, whose stuck threads can be given up. As long as there are several owners,
    none has all the threads: one that waits for a silent server keeps no other from being read.
    """

    def __init__(self, count: int, name: str) -> None:
        """Start *count* threads called *name*."""
        self.name, self.count = name, count
        self._tasks: deque[tuple[object, Callable[..., None], tuple[Any, ...]]] = deque()
        self._changed = threading.Condition()
        self._busy: dict[threading.Thread, object] = {}
        self._owners: set[int] = set()
        self._given_up: set[threading.Thread] = set()
        self._closed = False
        self._started = 0
        for _ in range(count):
            self._start()

    def expect(self, owner: object) -> None:
        """Say that *owner* will have tasks, until it is done."""
        with self._changed:
            self._owners.add(id(owner))

    def done(self, owner: object) -> None:
        """Say that *owner* has no task any more; what it still has waiting is dropped."""
        with self._changed:
            self._owners.discard(id(owner))
            self._tasks = deque(task for task in self._tasks if task[0] is not owner)
            self._changed.notify_all()

    def submit(self, owner: object, task: Callable[..., None], *arguments: Any) -> None:
        """Let a thread call *task*; it deals with its own errors."""
        with self._changed:
            self._tasks.append((owner, task, arguments))
            self._changed.notify()

    def busy(self, owner: object) -> bool:
        """Say whether a thread works for *owner* now: one that waits for its turn is not silent."""
        with self._changed:
            return any(whose is owner for whose in self._busy.values())

    def give_up(self, owner: object) -> int:
        """Replace the threads that work for *owner* now, start nothing more for it, return their number."""
        with self._changed:
            stuck = [thread for thread, whose in self._busy.items() if whose is owner]
            self._given_up.update(stuck)
            for thread in stuck:
                del self._busy[thread]
        self.done(owner)
        for _ in stuck:
            self._start()
        return len(stuck)

    def close(self) -> None:
        """Let threads that wait end; those that are stuck end with the program."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _start(self) -> None:
        self._started += 1
        threading.Thread(target=self._work, name=f"{self.name}-{self._started}", daemon=True).start()

    def _next(self) -> tuple[object, Callable[..., None], tuple[Any, ...]] | None:
        """Return the first task that may begin; the lock is held."""
        most = self.count if len(self._owners) <= 1 else max(1, self.count - 1)
        for at, task in enumerate(self._tasks):
            if sum(whose is task[0] for whose in self._busy.values()) < most:
                del self._tasks[at]
                return task
        return None

    def _work(self) -> None:
        me = threading.current_thread()
        while True:
            with self._changed:
                while (found := self._next()) is None:
                    if self._closed:
                        return
                    self._changed.wait()
                owner, task, arguments = found
                self._busy[me] = owner
            task(*arguments)
            with self._changed:
                if me in self._given_up:
                    return
                self._busy.pop(me, None)
                self._changed.notify_all()
