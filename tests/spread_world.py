"""Sources that workers of a cluster read: marks, complete walks, a census, hours of each other's tasks."""

from __future__ import annotations

import os
import random
import secrets
import signal
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from hub.context import Context
from hub.records import Account, Container, Record, Task, Worklog
from hub.secrets import Secret
from hub.source import Batch, Census, Partition, Scope, Source
from hub.store.engines import Engine, engine_of
from hub.sync import Options
from hub.sync.spread import Room

BATCHES, ROWS, NAMES = 6, 40, ("a", "b", "c", "d")


class Told(Source, frozen=True, kw_only=True):
    """A tool of *turn* changes, whose hours are also of the next tool's tasks."""

    kind: ClassVar[str] = "told"
    provides: ClassVar[tuple[type[Record], ...]] = (Container, Account, Task, Worklog)
    census_every_hours: ClassVar[float] = 0.0

    turn: int = 0
    pause: float = 0.0
    fails: str = ""
    url: str = ""

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterator[Partition]:
        """Give three parts with marks, a complete walk, and a common mark after all."""
        parts = ("one", "two", "three")
        yield Partition(id="walk", complete=True, scope=Scope(records=(Task,), id_prefix=f"{self.name}:all/"))
        for part in parts:
            yield Partition(id=part)
        yield Partition(id="mark", after=parts)

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterator[Batch]:
        """Give batches, each with the mark that makes it done."""
        me, part = self.name, partition.id
        other = NAMES[(NAMES.index(me) + 1) % len(NAMES)]
        if self.fails == "always":
            raise ValueError("as it was told to")
        if self.fails == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        if self.url:
            for _ in range(30):
                ctx.http.get_json(f"{self.url}/{me}/{part}")
        if part == "mark":
            yield Batch(cursor=self.turn)
            return
        if part == "walk":
            yield Batch(records=[Container(id=f"{me}:c", kind="plan", code=me, name=me)])
            yield Batch(records=[Account(id=f"{me}:p", display_name=f"P {me}")])
            for number in range(BATCHES):
                time.sleep(self.pause)
                kept = [row for row in range(ROWS) if self.turn == 0 or row % 7]
                yield Batch(
                    records=[
                        Task(id=f"{me}:all/{number}-{row}", container_id=f"{me}:c", title="walk")
                        for row in kept
                    ]
                )
            return
        done = cursor["at"] if cursor and cursor["turn"] == self.turn else 0
        for number in range(done, BATCHES):
            time.sleep(self.pause)
            tasks = [
                Task(id=f"{me}:{part}-{number}-{row}", container_id=f"{me}:c", title=f"{part} {self.turn}")
                for row in range(ROWS)
            ]
            hours = [
                Worklog(
                    id=f"{me}:w{part}-{number}-{row}", task_id=f"{whose}:{part}-{number}-{row}",
                    account_id=f"{me}:p", day="2026-01-05", seconds=60 + self.turn,
                )
                for row in range(ROWS)
                for whose in [other if row % 2 else me]
            ]  # fmt: skip
            yield Batch(records=[*tasks, *hours], cursor={"turn": self.turn, "at": number + 1})

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterator[Census]:
        """Say that the first row of each hour's batch is gone after the first turn."""
        part = "one"
        gone = {f"{self.name}:{part}-{n}-0" for n in range(BATCHES)} if self.turn else set()
        ids = {f"{self.name}:{part}-{n}-{row}" for n in range(BATCHES) for row in range(ROWS)}
        yield Census(
            record=Task, scope=Scope(records=(Task,), id_prefix=f"{self.name}:{part}-"),
            ids=frozenset(ids - gone), evidence="listed",
        )  # fmt: skip


def _may_die(folder: str, most: int) -> None:
    """Kill this process within a second, in every second piece of work, until *most* have died."""
    if len(list(Path(folder).iterdir())) < most and random.random() < 0.5:
        (Path(folder) / secrets.token_hex(4)).touch()
        threading.Timer(random.uniform(0.0, 1.0), os.kill, (os.getpid(), signal.SIGKILL)).start()


def source(name: str, settings: Mapping[str, Any]) -> Told:
    """Return the source *name* with what *settings* say of all, or of it."""
    return Told(name=name, **settings.get(name, settings.get("", {})))


def engine_at(where: str, password: str) -> Engine:
    """Return the engine of the store at *where*; *password* is a file."""
    path = Path(password)
    return engine_of(where, password=Secret("file", path.name, path.parent))


@contextmanager
def room(where: str, password: str, settings: Mapping[str, Any], name: str) -> Iterator[Room]:
    """Open what *name* is synced with.

    ``doom`` in *settings* is a folder and how many kills it may count: then this process may die soon.
    """
    settings = dict(settings)
    if "doom" in settings:
        _may_die(*settings.pop("doom"))
    yield Room(
        engine=engine_at(where, password), source=source(name, settings),
        options=Options(base=Path(password).parent, jobs=3),
    )  # fmt: skip
