"""One source costs itself only: one that ends the program, hangs, or is slow.

And threads that decode a type first.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest

from hub.context import Context
from hub.records import Container, Record
from hub.source import Batch, Census, Gone, Partition, Source
from hub.store import Store
from hub.sync import Hooks, Options, sync

RELEASED = threading.Event()


class Sick(Source, frozen=True, kw_only=True):
    """A source that does what *how* says, *where* it says; before that it brings a container."""

    kind: ClassVar[str] = "sick"
    provides: ClassVar[tuple[type[Record], ...]] = (Container,)

    how: str = ""
    where: str = ""

    def _act(self, where: str) -> None:
        if where != self.where:
            return
        if self.how == "exit":
            sys.exit(3)
        if self.how == "hang":
            RELEASED.wait(60)
        if self.how == "interrupt":
            raise KeyboardInterrupt

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterator[Partition]:
        self._act("plan")
        yield Partition(id="all")

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterator[Batch]:
        yield Batch(records=[Container(id=f"{self.name}:1", kind="table", name="One")])
        self._act("read")
        yield Batch(records=[Container(id=f"{self.name}:2", kind="table", name="Two")], cursor=1)

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        self._act("census")
        return ()


@pytest.fixture(autouse=True)
def released() -> Iterator[None]:
    """Let whoever hangs go on at the end."""
    RELEASED.clear()
    yield
    RELEASED.set()


def names(store: Store) -> set[str]:
    return {row["id"] for row in store.rows("SELECT id FROM container")}


@pytest.mark.parametrize("where", ["plan", "read", "census"])
@pytest.mark.parametrize("how", ["exit", "interrupt"])
def test_a_source_that_ends_the_program_fails_alone(
    store: Store, tmp_path: Path, how: str, where: str
) -> None:
    """sys.exit in a plugin is a failure with a sentence; the other source is read whole."""
    sources = [Sick(name="sick", how=how, where=where), Sick(name="well")]
    report = sync(store, sources, Options(base=tmp_path, census=True))
    sick, well = report.sources

    assert sick.verdict in {"failed", "partial"}
    assert ("sys.exit(3)" if how == "exit" else "KeyboardInterrupt") in str(sick.missing)
    assert "ok" == well.verdict
    assert {"well:1", "well:2"} <= names(store)


def test_a_rule_that_ends_the_program_costs_the_source_it_was_for(store: Store, tmp_path: Path) -> None:
    """map_record and categorize_status run in the reading threads too."""

    def transform(source: Source, record: Record) -> Record:
        if source.name == "sick":
            sys.exit("enough")
        return record

    report = sync(
        store,
        [Sick(name="sick"), Sick(name="well")],
        Options(base=tmp_path),
        hooks=Hooks(transform=transform),
    )

    assert ["failed", "ok"] == [one.verdict for one in report.sources]
    assert {"well:1", "well:2"} == names(store)


@pytest.mark.parametrize("where", ["plan", "read", "census"])
def test_a_source_that_hangs_is_given_up(store: Store, tmp_path: Path, where: str) -> None:
    """The run ends without it, with one reader and with several; what it says later is not written."""
    began = time.monotonic()
    sources = [Sick(name="sick", how="hang", where=where), Sick(name="well")]
    report = sync(store, sources, Options(base=tmp_path, jobs=1, silence_s=1.0, census=True))
    sick, well = report.sources
    before = names(store)
    RELEASED.set()
    time.sleep(0.3)

    assert time.monotonic() - began < 30
    assert "failed" == sick.verdict
    assert "given up: it said nothing for" in (sick.error or "")
    assert "ok" == well.verdict
    assert before == names(store)
    assert ("sick:2" in before) == (where == "census")


def test_a_source_that_takes_too_long_in_all_is_given_up(store: Store, tmp_path: Path) -> None:
    """One that keeps saying a little is bounded too."""

    class Endless(Sick, frozen=True, kw_only=True):
        def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterator[Batch]:
            number = 0
            while not RELEASED.wait(0.05):
                number += 1
                yield Batch(
                    records=[Container(id=f"{self.name}:{number}", kind="table", name=f"{number}")],
                    cursor=number,
                )

    (report,) = sync(store, [Endless(name="sick")], Options(base=tmp_path, source_s=1.0)).sources

    assert "failed" == report.verdict
    assert "it was not done after" in (report.error or "")
    assert names(store)


STRESS = """
import sys, threading
sys.setswitchinterval(1e-5)
import msgspec
from hub.sync.readers import prepare_types

{types}
if {prepared}:
    prepare_types()
barrier = threading.Barrier(3)

def first():
    barrier.wait()
    for _ in range(20):
        msgspec.convert(DATA, T0)

threads = [threading.Thread(target=first) for _ in range(3)]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""


def test_no_type_is_built_by_two_threads_at_once(proof: bool) -> None:
    """Types are built before any reader starts.

    Three threads that decode one for the first time end well each time.
    """
    count = 40
    types = "\n".join(
        f"class T{n}(msgspec.Struct):\n"
        + "".join(f"    f{k}: int | str | None = None\n" for k in range(20))
        + (f"    inside: 'list[T{n + 1}] | None' = None\n" if n + 1 < count else "")
        for n in range(count)
    )
    code = STRESS.format(types=types + "\nDATA = {'f1': 1, 'inside': [{'f2': 'x'}]}", prepared=True)
    for _ in range(200 if proof else 4):
        seen = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)

        assert (0, "") == (seen.returncode, seen.stderr)
