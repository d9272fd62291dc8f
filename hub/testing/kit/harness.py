"""The table on which checks work: worlds, simulators, stores, syncs and comparisons."""

from __future__ import annotations

import io
import logging
import re
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from hub import clock
from hub.context import Context
from hub.placement import here
from hub.records import BY_TABLE
from hub.store import Store
from hub.store.rejections import Rejected, rejected
from hub.sync import Options, SourceReport, sync
from hub.testing.empty import store_in_memory
from hub.testing.kit.certification import FOLDER, FileWorld, HttpWorld, SourceCertification, World
from hub.testing.kit.faults import Fault, SimulatorServer, hurried
from hub.testing.kit.spoiling import FileFault


class Failed(Exception):
    """A check saw the law broken; the text says what it saw."""


class NoCalmRun(Failed):
    """Not even a run without faults ends well: what other checks would say has the same cause."""


class Crash(BaseException):
    """The process dies here, as far as the source and the engine can tell."""


class _Crasher:
    """A listener that dies after a number of writes."""

    def __init__(self, after: int) -> None:
        self.remaining = after

    def started(self, report: SourceReport) -> None:
        """Wait."""

    def advanced(self, report: SourceReport) -> None:
        """Count down."""
        self.remaining -= 1
        if self.remaining == 0:
            raise Crash

    def ended(self, report: SourceReport) -> None:
        """Wait."""


class Harness:
    """One world, one source that reads it, and one store; *log* keeps every line the source logged."""

    def __init__(
        self,
        certification: SourceCertification,
        world: World,
        base: Path,
        place: str,
        store: Store,
        log: io.StringIO,
    ) -> None:
        """Put them on the table."""
        self.certification, self.world, self.base, self.store, self.log = (
            certification,
            world,
            base,
            store,
            log,
        )
        self.source = certification.source(place)
        self.main = world.main

    def without_guard(self) -> None:
        """Take away the hub's guard on mass leaves, so that only what the source itself notices counts."""
        self.source = msgspec.structs.replace(self.source, max_leave=1.0)

    def prepare(self) -> None:
        """Let the source see the world as it is now."""

    def tamper(self, fault: Any) -> Any:
        """Return the context in which *fault* is in the way."""
        return nullcontext()

    def sync(self, fault: Any = None, **options: Any) -> SourceReport:
        """Sync once, with *fault* in the way."""
        self.prepare()
        with self.tamper(fault):
            return sync(self.store, [self.source], self._options(**options)).sources[0]

    @contextmanager
    def later(self, *, hours: float) -> Iterator[None]:
        """Live some hours later in the block, for what is done once a day."""
        clock.pretend(clock.now() + timedelta(hours=hours))
        try:
            yield
        finally:
            clock.pretend(None)

    def sync_until_crash(self, after: int) -> bool:
        """Sync and die after *after* writes; False when it ended before."""
        self.prepare()
        try:
            sync(self.store, [self.source], self._options(), listener=_Crasher(after))
        except Crash:
            return True
        return False

    def _options(self, **options: Any) -> Options:
        chosen: dict[str, Any] = {"jobs": 2, "session": hurried} | options
        return Options(base=self.base, **chosen)

    @contextmanager
    def context(self) -> Iterator[Context]:
        """Make the source a context outside of a run."""
        context = Context(base=self.base, source_id=self.source.name, session=lambda: hurried(context))
        try:
            yield context
        finally:
            context.close()

    def counted(self, table: str) -> dict[str, dict[str, Any]]:
        """Return the rows of *table* that count, by id without the source's prefix."""
        return counted(self.store, self.source.name, table)

    def differences(self) -> list[str]:
        """Say where the store differs from the world's truth."""
        return differences(self.store, self.source.name, self.world)

    def rejections(self) -> tuple[list[Rejected], list[Rejected]]:
        """Return what the source could not take, and the records that the hub refused."""
        found: tuple[list[Rejected], list[Rejected]] = [], []
        for one in rejected(self.store, self.source.name):
            found[one.place.startswith(f"{one.record} {self.source.name}:")].append(one)
        return found

    def must_equal(self, when: str) -> None:
        """Fail unless the store equals the world."""
        if found := self.differences():
            raise Failed(f"{when}: {'; '.join(found)}")

    def image(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that the store knows."""
        from hub.testing.laws import store_image

        return {table: rows for table, rows in store_image(self.store).items() if table != "cursor"}


def counted(store: Store, source: str, table: str) -> dict[str, dict[str, Any]]:
    """Return the rows of *table* that count, by id without the prefix of *source*.

    What hangs on a task that left, such as its hours, does not.
    """
    also = "".join(
        f" AND NOT EXISTS (SELECT 1 FROM task t WHERE t.id = x.{column} AND NOT {here('t.presence')})"
        for column in ("task_id", "row_id", "from_id", "to_id")
        if column in BY_TABLE[table].__struct_fields__ and table != "allocation"
    )
    rows = store.rows(f"SELECT x.* FROM {table} x WHERE {here('x.presence')}{also}")
    return {row["id"][len(source) + 1 :]: _homeless(row) for row in rows}


_LOCAL = re.compile(r"http://127\.0\.0\.1:\d+")


def _homeless(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row without the simulator's own part of addresses: the sheet says ``/items/7``."""
    return {name: _LOCAL.sub("", one) if isinstance(one, str) else one for name, one in row.items()}


def differences(store: Store, source: str, world: World) -> list[str]:
    """Say where what the store holds of *source* differs from the truth of its world."""
    found = []
    for table, rows in world.truth().items():
        ours = counted(store, source, table)
        if lost := sorted(rows.keys() - ours.keys()):
            found.append(f"{len(lost)} of {len(rows)} {table} rows are missing, such as {lost[0]}")
        if more := sorted(ours.keys() - rows.keys()):
            found.append(f"{len(more)} {table} rows do not exist in the tool, such as {more[0]}")
        for native, fields in rows.items():
            held = ours.get(native, fields)
            wrong = {k: held.get(k) for k, v in fields.items() if held.get(k) != v}
            if wrong:
                field, seen = next(iter(wrong.items()))
                found.append(
                    f"{table} {native}: {field} is {_short(seen)}, the tool says {_short(fields[field])}"
                )
                break
    return found


def out_of_sight(store: Store, world: World) -> list[str]:
    """Return the ids of the rows that the store holds for neither there nor gone, such as hidden ones."""
    return [
        row["id"] for table in world.truth()
        for row in store.rows(f"SELECT id FROM {table} WHERE presence <> 'present' AND {here()}")
    ]  # fmt: skip


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) < 60 else text[:57] + "…"


class HttpHarness(Harness):
    """A world behind a simulator."""

    world: HttpWorld

    def __init__(
        self,
        certification: SourceCertification,
        world: HttpWorld,
        base: Path,
        store: Store,
        log: io.StringIO,
        simulator: SimulatorServer,
    ) -> None:
        """Put the simulator on the table too."""
        super().__init__(certification, world, base, simulator.url, store, log)
        self.simulator = simulator

    def image(self) -> dict[str, list[tuple[Any, ...]]]:
        """Return all that the store knows, whatever the port of the simulator."""
        here = self.simulator.url
        return {
            name: [
                tuple(value.replace(here, "") if isinstance(value, str) else value for value in row)
                for row in rows
            ]
            for name, rows in super().image().items()
        }

    def prepare(self) -> None:
        """Forget what was asked."""
        self.simulator.asked.clear()

    @contextmanager
    def tamper(self, fault: Fault | None) -> Iterator[None]:
        """Put *fault* into the simulator."""
        self.simulator.fault = fault
        try:
            yield
        finally:
            self.simulator.fault = None


class FileHarness(Harness):
    """A world that leaves files in a folder."""

    world: FileWorld

    @property
    def folder(self) -> Path:
        """Return the folder of the files."""
        return self.base / FOLDER

    def prepare(self) -> None:
        """Write the files that changed, remove those that are no more."""
        files = self.world.files()
        self.folder.mkdir(exist_ok=True)
        for path in self.folder.iterdir():
            if path.name not in files:
                path.unlink()
        for name, content in files.items():
            path = self.folder / name
            if not path.exists() or path.read_bytes() != content:
                path.write_bytes(content)

    def after_edits(self) -> dict[str, bytes]:
        """Edit some rows of the world and return its files."""
        for _ in range(12):
            self.world.edit()
        return self.world.files()

    def tamper(self, fault: FileFault | None) -> Any:
        """Let *fault* spoil the folder."""
        return fault(self.folder) if fault else nullcontext()


@contextmanager
def table(certification: SourceCertification, seed: int, *, scale: int = 1) -> Iterator[Any]:
    """Lay a fresh table: an `HttpHarness` or a `FileHarness`, as the world is."""
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger()
    level = root.level
    others, root.handlers = root.handlers, [handler]
    logging.getLogger("hub").setLevel(logging.DEBUG)
    world = certification.world(seed, scale=scale)
    try:
        with ExitStack() as stack:
            base = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hub-kit-")))
            store = stack.enter_context(store_in_memory())
            if isinstance(world, HttpWorld):
                yield HttpHarness(
                    certification, world, base, store, log, stack.enter_context(SimulatorServer(world))
                )
            elif isinstance(world, FileWorld):
                yield FileHarness(certification, world, base, FOLDER, store, log)
            else:
                raise TypeError(f"{type(world).__name__} is neither an HttpWorld nor a FileWorld")
    finally:
        root.handlers = others
        root.setLevel(level)
        logging.getLogger("hub").setLevel(logging.NOTSET)
