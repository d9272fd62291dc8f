"""The feeds that are shown: opened once for each kind of reader, and closed when a newer one is read."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from typing import NamedTuple

import msgspec

from hub import ConfigError, FeedView, Privacy, tr
from hub_serve.tokens import Reader

OPEN_AT_MOST = 24
"""Feeds that stay open for readers to come, the least used ones are closed first."""
_OF_PERSONS = ("nominative-line", "pseudonym-week")
MEMORY = "512MB"
"""What the questions to one open feed may take together; DuckDB spills beyond."""


class TooLong(Exception):
    """A question took longer than it may."""


class _Key(NamedTuple):
    feed_id: str
    level: Privacy
    person: str | None


class _Room:
    """One open feed: the view, how many look at it, and what closes it."""

    def __init__(self, view: FeedView, stack: ExitStack) -> None:
        self.view, self.stack, self.readers, self.is_over = view, stack, 0, False


class Feeds:
    """The feeds of one hub, as readers may see them."""

    def __init__(
        self,
        opened: Callable[[Privacy, str | None, str], AbstractContextManager[FeedView]],
        current: Callable[[], str | None],
        *,
        seconds: float = 60.0,
        may_show: Callable[[Privacy, str | None], None] = lambda level, person: None,
        is_kept: Callable[[str], bool] = lambda feed_id: True,
    ) -> None:
        """Take what opens a feed (level, person, feed id), and what tells the id of the current one.

        A question may take *seconds*. *may_show* (level, person) is asked each time, and raises where nothing
        is shown for now; *is_kept* (feed id) says whether the files of a feed are still there. What is open
        of either is closed then: who was erased stays in no memory.
        """
        self._opened, self._current, self._seconds = opened, current, seconds
        self._may_show, self._is_kept = may_show, is_kept
        self._rooms: dict[_Key, _Room] = {}
        self._lock = threading.Lock()
        self._opening: dict[_Key, threading.Lock] = {}

    def current(self) -> str:
        """Return the id of the feed that readers see. Raises `ConfigError` where there is none yet."""
        found = self._current()
        if found is None:
            raise ConfigError(tr("There is no feed yet: run `hub publish` first."))
        return found

    @contextmanager
    def view(self, reader: Reader, feed_id: str | None = None) -> Iterator[FeedView]:
        """Show *reader* the current feed, or the kept one with *feed_id*, on a connection of its own.

        The feed stays the same to the end of the block whatever is published meanwhile. Raises
        `ConfigError` where it is not kept any more, and `TooLong` when the block's questions take longer
        than they may.
        """
        import duckdb

        try:
            self._may_show(reader.level, reader.person)
        except ConfigError:
            self._forget(lambda one: one.person is not None or one.level in _OF_PERSONS)
            raise
        key = _Key(feed_id or self.current(), reader.level, reader.person)
        if not self._is_kept(key.feed_id):  # then opening it anew says so
            self._forget(lambda one: one.feed_id == key.feed_id)
        room = self._enter(key)
        connection = room.view.connection.cursor()
        done = threading.Event()

        def stop() -> None:
            late = not done.wait(self._seconds)
            while late:  # again and again: between two questions there is nothing to interrupt
                with suppress(duckdb.Error):  # it was closed this moment
                    connection.interrupt()
                late = not done.wait(0.02)

        threading.Thread(target=stop, name="patience", daemon=True).start()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            yield msgspec.structs.replace(room.view, connection=connection)
        except duckdb.InterruptException as exc:
            raise TooLong from exc
        finally:
            done.set()
            connection.close()
            self._leave(room)

    def close(self) -> None:
        """Close what nobody looks at; the rest closes when its last reader leaves."""
        self._forget(lambda one: True)

    def _forget(self, which: Callable[[_Key], bool]) -> None:
        with self._lock:
            rooms = [self._rooms.pop(key) for key in [*self._rooms] if which(key)]
            for room in rooms:
                room.is_over = True
            closed = [room for room in rooms if not room.readers]
        for room in closed:
            room.stack.close()

    def _enter(self, key: _Key) -> _Room:
        with self._lock:
            if (room := self._rooms.pop(key, None)) is not None:
                self._rooms[key] = room  # the last one used
                room.readers += 1
                return room
            opening = self._opening.setdefault(key, threading.Lock())
        with opening:  # one opens, the others wait
            with self._lock:
                if (room := self._rooms.get(key)) is not None:
                    room.readers += 1
                    return room
            try:
                with ExitStack() as stack:
                    view = stack.enter_context(self._opened(key.level, key.person, key.feed_id))
                    view.connection.execute(f"SET memory_limit = '{MEMORY}'")
                    room = _Room(view, stack.pop_all())
                room.readers = 1
                with self._lock:
                    self._rooms[key] = room
                    closed = self._spare()
            finally:
                with self._lock:
                    self._opening.pop(key, None)
        for one in closed:
            one.stack.close()
        return room

    def _leave(self, room: _Room) -> None:
        with self._lock:
            room.readers -= 1
            closes = room.is_over and not room.readers
        if closes:
            room.stack.close()

    def _spare(self) -> list[_Room]:
        """Take out what is beyond the most that stay open, and return those that can be closed now."""
        found = []
        for key in list(self._rooms)[: max(0, len(self._rooms) - OPEN_AT_MOST)]:
            room = self._rooms.pop(key)
            room.is_over = True
            if not room.readers:
                found.append(room)
        return found
