"""The feed on a Dask cluster of processes against one process of one thread: ratios, and what is left serial.

``shares.py [MILLIONS [WORKERS …]]``: worklogs (a tenth of it tasks, 200 projects a million), and how many
workers. Each has one DuckDB thread, as the builder has.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import feed as large
from memory import Peak

from hub.feed import BuildOptions, Snapshot, build
from hub.feed.runner import Cluster, Here
from hub.store import Store


class Timed(Here):
    """Does the work here, and keeps the CPU seconds of each piece."""

    def __init__(self, shares: int) -> None:
        super().__init__(shares)
        self.pieces: dict[str, list[float]] = {}

    def start(self, work: Callable[..., None], *arguments: Any) -> Callable[[], None]:
        """Do *work* and keep what it took."""
        began = time.process_time()
        super().start(work, *arguments)
        self.pieces.setdefault(work.__name__, []).append(time.process_time() - began)
        return lambda: None

    def each(self, work: Callable[[Any], Any], items: list[Any]) -> list[Any]:
        """Do *work* for each and keep what all took."""
        began = time.process_time()
        found = super().each(work, items)
        self.pieces.setdefault("simulate", []).append(time.process_time() - began)
        return found


def one_thread() -> None:
    """Let DuckDB have one thread in this process."""
    connect = duckdb.connect

    def narrow(*arguments: Any, **named: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(*arguments, **named)
        connection.execute("SET threads = 1")
        return connection

    duckdb.connect = narrow


def took(make: Callable[[], Snapshot]) -> tuple[float, float, Snapshot]:
    """Return the wall and CPU seconds of *make*, and its feed."""
    wall, cpu = time.perf_counter(), time.process_time()
    snapshot = make()
    return time.perf_counter() - wall, time.process_time() - cpu, snapshot


def main() -> int:
    """Measure, and say whether the rows are the same."""
    millions = float(sys.argv[1]) if len(sys.argv) > 1 else 1.0
    counts = [int(one) for one in sys.argv[2:]] or [2]
    large.TASKS, large.WORKLOGS = round(100_000 * millions), round(1_000_000 * millions)
    large.PLANS, large.PEOPLE = round(200 * millions), round(500 * millions)
    one_thread()
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_FOLDER")) as folder:
        base = Path(folder)
        if (path := Path(os.environ.get("BENCH_STORE", ""))).is_file():
            store = path
        else:
            store = base / "hub.db"
            with Store.open(store) as filled:
                large.fill(filled)
        options = BuildOptions(memory_mb=2048)
        build(
            store, base / "warm", BuildOptions(as_of="2020-01-01T00:00:00Z")
        )  # what is loaded once a process
        with Peak() as peak:
            wall, cpu, alone = took(lambda: build(store, base / "alone", options))
        print(f"one process of one thread: {wall:.1f} s, CPU {cpu:.1f} s, peak {peak.mb:.0f} MB")
        sys.stdout.flush()
        timed = Timed(2 * max(counts))
        _, all_cpu, _ = took(lambda: build(store, base / "pieces", options, runner=timed))
        away = sum(sum(one) for one in timed.pieces.values())
        print(f"in shares, one after the other: CPU {all_cpu:.1f} s ({all_cpu / cpu:.2f} times), "
              f"{away / all_cpu:.0%} of it for workers")  # fmt: skip
        for name, seconds in timed.pieces.items():
            print(f"  {name}: {len(seconds)} pieces, {sum(seconds):.1f} s, the longest {max(seconds):.1f} s")
        serial = all_cpu - away
        print("on paper: " + ", ".join(
            f"{n} workers {cpu / (serial + away / n):.1f} times as fast" for n in (2, 4, 10, 100)
        ))  # fmt: skip
        sys.stdout.flush()
        return sum(on_cluster(store, base, options, n, wall, alone) for n in counts)


def on_cluster(
    store: Path, base: Path, options: BuildOptions, n: int, alone_s: float, alone: Snapshot
) -> int:
    """Build on *n* processes; gives 1 where a table differs."""
    try:
        import distributed
    except ImportError:
        print("the extra cluster is not installed")
        return 0
    with (
        distributed.LocalCluster(
            n_workers=n, threads_per_worker=1, processes=True, dashboard_address=":0", memory_limit=0,
            local_directory=str(base),
        ) as cluster,
        distributed.Client(cluster, set_as_default=False) as client,
    ):  # fmt: skip
        client.run(__import__, "hub.feed.parts")
        before = sum(client.run(time.process_time).values())
        runner = Cluster(client)
        wall, cpu, shared = took(lambda: build(store, base / f"on-{n}", options, runner=runner))
        workers = sum(client.run(time.process_time).values()) - before
    differ = [name for name in alone.manifest["tables"] if not same(alone, shared, name)]
    print(
        f"{n} workers: {wall:.1f} s, {alone_s / wall:.2f} times as fast "
        f"(efficiency {alone_s / wall / n:.0%}); CPU of the builder {cpu:.1f} s, "
        f"of the workers {workers:.1f} s; tables that differ: {differ or 'none'}"
    )
    sys.stdout.flush()
    return int(bool(differ))


def same(one: Snapshot, other: Snapshot, name: str) -> bool:
    """Say whether a table has the same rows in both feeds."""
    first, second = (
        f"(SELECT hash(r) AS h FROM read_parquet('{feed.folder}/{name}/**/*.parquet', "
        "hive_partitioning = false) r)"
        for feed in (one, other)
    )
    with duckdb.connect() as connection:
        rows = [
            connection.execute(f"SELECT count(*), sum(h::HUGEINT), bit_xor(h) FROM {place}").fetchall()
            for place in (first, second)
        ]
    return rows[0] == rows[1]


if __name__ == "__main__":
    sys.exit(main())
