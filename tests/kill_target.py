"""A sync to be killed: four partitions with cursors and one complete walk, deterministic, a little slow."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hub.records import Container, Task, Worklog
from hub.source import Batch, Partition, Scope
from hub.store import Store
from hub.sync import Options, lock, sync
from hub.testing import ScriptedSource

BATCHES, ROWS = 12, 25


def part(name: str, pause: float) -> Any:
    def read(cursor: Any) -> Iterator[Batch]:
        for number in range(cursor or 0, BATCHES):
            time.sleep(pause)
            tasks = [
                Task(id=f"s:{name}-{number}-{row}", container_id="s:c", title=f"{name} {row}")
                for row in range(ROWS)
            ]
            logs = [
                Worklog(id=f"s:w{t.id}", task_id=t.id, container_id="s:c", day="2026-01-05", seconds=60)
                for t in tasks
            ]
            yield Batch(records=[*tasks, *logs], cursor=number + 1)

    return read


def walk(pause: float) -> Any:
    def read(_: Any) -> Iterator[Batch]:
        yield Batch(records=[Container(id="s:c", kind="plan", name="C")])
        for number in range(BATCHES):
            time.sleep(pause)
            yield Batch(
                records=[
                    Task(id=f"s:all/{number}-{row}", container_id="s:c", title="walk") for row in range(ROWS)
                ]
            )
        yield Batch(cursor={"walked": True})

    return read


def source(pause: float) -> ScriptedSource:
    names = ("a", "b", "c", "d")
    whole = Partition(id="walk", complete=True, scope=Scope(records=(Task,), id_prefix="s:all/"))
    return ScriptedSource(
        name="s",
        script={**{name: part(name, pause) for name in names}, "walk": walk(pause)},
        partitions=(*(Partition(id=name) for name in names), whole, Partition(id="watermark", after=names)),
    )


def watermark(_: Any) -> Iterator[Batch]:
    yield Batch(cursor="2026-01-05")


def run(path: Path, *, pause: float) -> int:
    one = source(pause)
    one.script["watermark"] = watermark
    with lock(path), Store.open(path) as store:
        print("go", flush=True)
        return sync(store, [one], Options(base=path.parent, jobs=3)).exit_code


if __name__ == "__main__":
    sys.exit(run(Path(sys.argv[1]), pause=float(sys.argv[2])))
