"""The table on which checks work: worlds, stand-ins, stores, syncs and comparisons."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hub.store import Store
from hub.store.presence import LEFT
from hub.sync import Options, SourceReport, sync
from hub.testing.kit.exam import Exam, World
from hub.testing.kit.faults import Fault, StandIn, hurried


class Failed(Exception):
    """A check saw the law broken; the text says what it saw."""


class Crash(BaseException):
    """The process dies here, as far as the source and the engine can tell."""


class _Crasher:
    """A listener that dies after a number of writes."""

    def __init__(self, after: int) -> None:
        self.left = after

    def started(self, report: SourceReport) -> None:
        """Wait."""

    def advanced(self, report: SourceReport) -> None:
        """Count down."""
        self.left -= 1
        if self.left == 0:
            raise Crash

    def ended(self, report: SourceReport) -> None:
        """Wait."""


class Bench:
    """One world behind one stand-in, and one store; *log* keeps every line the source logged."""

    def __init__(self, exam: Exam, world: World, stand_in: StandIn, store: Store, log: io.StringIO) -> None:
        """Put them on the table."""
        self.exam, self.world, self.stand_in, self.store, self.log = exam, world, stand_in, store, log
        self.source = exam.source(stand_in.url)

    def sync(self, fault: Fault | None = None, **options: Any) -> SourceReport:
        """Sync once, with *fault* in the way."""
        self.stand_in.fault = fault
        self.stand_in.asked.clear()
        try:
            report = sync(self.store, [self.source], Options(base=Path(), jobs=2, session=hurried, **options))
        finally:
            self.stand_in.fault = None
        return report.sources[0]

    def sync_until_crash(self, after: int) -> bool:
        """Sync and die after *after* writes; False when it ended before."""
        self.stand_in.asked.clear()
        try:
            sync(self.store, [self.source], Options(base=Path(), jobs=2, session=hurried), listener=_Crasher(after))
        except Crash:
            return True
        return False

    def counted(self, table: str) -> dict[str, dict[str, Any]]:
        """Give the rows of *table* that count, by id without the source's prefix."""
        alias = {"worklog": "LEFT JOIN task t ON t.id = x.task_id", "task": ""}.get(table, "")
        also = f"AND coalesce(t.presence, '') NOT IN {LEFT}" if table == "worklog" else ""
        rows = self.store.rows(f"SELECT x.* FROM {table} x {alias} WHERE x.presence NOT IN {LEFT} {also}")
        cut = len(self.source.name) + 1
        return {row["id"][cut:]: row for row in rows}

    def differences(self) -> list[str]:
        """Say where the store differs from the world's truth."""
        found = []
        for table, rows in self.world.truth().items():
            ours = self.counted(table)
            if lost := sorted(rows.keys() - ours.keys()):
                found.append(f"{len(lost)} of {len(rows)} {table} rows are missing, such as {lost[0]}")
            if more := sorted(ours.keys() - rows.keys()):
                found.append(f"{len(more)} {table} rows do not exist in the tool, such as {more[0]}")
            for native, fields in rows.items():
                wrong = {k: ours[native].get(k) for k, v in fields.items() if native in ours and ours[native].get(k) != v}
                if wrong:
                    field, seen = next(iter(wrong.items()))
                    found.append(f"{table} {native}: {field} is {_short(seen)}, the tool says {_short(fields[field])}")
                    break
        return found

    def must_equal(self, when: str) -> None:
        """Fail unless the store equals the world."""
        if found := self.differences():
            raise Failed(f"{when}: {'; '.join(found)}")

    def image(self) -> dict[str, list[tuple[Any, ...]]]:
        """Give all that the store knows."""
        from hub.testing.laws import store_image

        return {table: rows for table, rows in store_image(self.store).items() if table != "cursor"}


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "…"


@contextmanager
def table(exam: Exam, seed: int, *, scale: int = 1) -> Iterator[Bench]:
    """Lay a fresh table."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    logging.getLogger("hub").setLevel(logging.DEBUG)
    world = exam.world(seed, scale=scale)
    try:
        with StandIn(world) as stand_in, Store.open("sqlite://") as store:
            yield Bench(exam, world, stand_in, store, log)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
        logging.getLogger("hub").setLevel(logging.NOTSET)
