"""Store writes against bare `executemany` of the same rows into the same table, in one run.

``python bench/store.py server`` writes 200,000 hours into a store on a scratch PostgreSQL instead: all new,
nothing changed, a tenth changed; in batches as the engine writes them, and at once, by the hub's own seconds
of processor and the wall.
"""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from hub.records import Task, Worklog
from hub.store import Store
from hub.store.engines.sqlite import _upsert_sql

ROWS, BATCH, ROUNDS = 100_000, 5_000, 5
HOURS = 200_000


def tasks(shift: int = 0) -> list[Task]:
    """Make tasks; *shift* changes a tenth of them."""
    return [
        Task(
            id=f"s:{n}",
            container_id="s:c",
            parent_id=f"s:{n // 10}",
            code=f"T-{n}",
            title=f"Task number {n}",
            wbs=f"1.{n}",
            status_raw="In progress",
            status_native="in_progress",
            created_at="2026-01-01T00:00:00Z",
            planned_start_on="2026-01-01",
            planned_finish_on="2026-02-01",
            percent=50.0,
            percent_kind="duration",
            estimate_s=n + (shift if n % 10 == 0 else 0),
        )
        for n in range(ROWS)
    ]


def worklogs() -> list[Worklog]:
    """Make worklogs."""
    return [
        Worklog(id=f"s:w{n}", task_id=f"s:{n}", account_id="s:p", day="2026-01-05", seconds=n)
        for n in range(ROWS)
    ]


def ours(store: Store, rows: list[Task] | list[Worklog]) -> float:
    """Write in batches with a cursor each, as the engine does."""
    began = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        store.write_batch(rows[start : start + BATCH], run_id=1, source_id="s", cursor=("p", start))
    return time.perf_counter() - began


def bare(path: Path, ddl: str, rows: list[Task] | list[Worklog]) -> float:
    """Write the same rows with the same statement, nothing else."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -65536")
    connection.execute(ddl)
    before, after = _upsert_sql(rows[0].table)
    width = len(msgspec.structs.astuple(rows[0])) + 3
    sql = f"{before} VALUES ({', '.join('?' * width)}) {after}"
    began = time.perf_counter()
    for start in range(0, len(rows), BATCH):
        connection.execute("BEGIN")
        values = (
            (*msgspec.structs.astuple(row), "s", "2026-01-01T00:00:00.000000Z", 1)
            for row in rows[start : start + BATCH]
        )
        connection.executemany(sql, values)
        connection.execute("COMMIT")
    spent = time.perf_counter() - began
    connection.close()
    return spent


def on_server() -> None:
    """Write 200,000 rows of hours to a server, as a sync does, and say how long each turn took."""
    from hub_postgresql.testing.scratch import empty_store

    for batch in (BATCH, HOURS):
        engine = empty_store()
        with Store.open(engine) as store:
            for what, shift in (("all new", 0), ("nothing changed", 0), ("a tenth changed", 1)):
                rows = [
                    Worklog(
                        id=f"s:w{n}", task_id=f"s:{n}", account_id="s:p", day="2026-01-05",
                        seconds=n + (shift if n % 10 == 0 else 0),
                    )
                    for n in range(HOURS)
                ]  # fmt: skip
                wall, cpu = time.perf_counter(), time.process_time()
                for start in range(0, HOURS, batch):
                    store.write_batch(
                        rows[start : start + batch], run_id=1, source_id="s", cursor=("p", start + shift)
                    )
                wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
                (kept,) = store.connection.execute("SELECT count(*) FROM worklog_history").fetchone()
                print(
                    f"{HOURS:,} hours in batches of {batch:,}, {what}: {wall:.1f} s ({HOURS / wall:,.0f}/s), "
                    f"{cpu:.1f} s of them the hub's processor; {kept:,} older images kept",
                    flush=True,
                )


if __name__ == "__main__":
    if "server" in sys.argv[1:]:
        on_server()
        sys.exit()
    for name, first in (("task", tasks()), ("worklog", worklogs())):
        mine, theirs, again, changed = [], [], [], []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "hub.db") as store:
                ddl = store.rows("SELECT sql FROM sqlite_master WHERE name = ?", (name,))[0]["sql"]
                theirs.append(bare(Path(folder) / "bare.db", ddl, first))
                mine.append(ours(store, first))
                again.append(ours(store, first))
                if name == "task":
                    changed.append(ours(store, tasks(shift=1)))
        a, b = statistics.median(mine), statistics.median(theirs)
        print(
            f"{name}: {ROWS:,} rows of {len(first[0].__struct_fields__)} fields: "
            f"store {ROWS / a:,.0f}/s, bare executemany {ROWS / b:,.0f}/s"
        )
        print(
            f"  ratio {b / a:.2f} (goal 0.60); "
            f"written again unchanged {ROWS / statistics.median(again):,.0f}/s"
        )
        if changed:
            print(f"  a tenth changed, old images kept: {ROWS / statistics.median(changed):,.0f}/s")
