"""The feed of 1,000,000 worklogs and 100,000 tasks: time, memory, and the part spent outside DuckDB."""

from __future__ import annotations

import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from memory import Peak

from hub.feed import BuildOptions, build, check
from hub.records import Account, Allocation, Baseline, Container, Task, Worklog
from hub.store import Store

TASKS, WORKLOGS, PLANS, PEOPLE = 100_000, 1_000_000, 200, 500


def fill(store: Store) -> None:
    """Write the large case, in batches."""
    first = date(2024, 1, 1)
    days = [(first + timedelta(days=n)).isoformat() for n in range(1000)]
    store.register_source(
        "s", kind="bench", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
    )
    run = store.begin_run("s", "full")

    def save(rows: list) -> None:  # type: ignore[type-arg]
        store.write_batch(rows, run_id=run, source_id="s")

    save([Container(id=f"s:c{n}", kind="plan", code=f"P{n}", name=f"Plan {n}") for n in range(PLANS)])
    save([Account(id=f"s:p{n}", display_name=f"Person {n}") for n in range(PEOPLE)])
    for start in range(0, TASKS, 10_000):
        numbers = range(start, start + 10_000)
        save(
            [
                Task(
                    id=f"s:t{n}",
                    container_id=f"s:c{n % PLANS}",
                    parent_id=f"s:t{n - n % 10}" if n % 10 else None,
                    title=f"Task {n}",
                    kind="work" if n % 10 else "summary",
                    status_native="in_progress",
                    percent=50.0,
                    estimate_s=252000,
                    remaining_s=126000,
                    planned_start_on=days[n % 900],
                    planned_finish_on=days[n % 900 + 20],
                    assignee_id=f"s:p{n % PEOPLE}",
                )
                for n in numbers
            ]
        )
        save(
            [
                Baseline(id=f"s:t{n}/b0", task_id=f"s:t{n}", finish_on=days[n % 900 + 10], effort_s=252000)
                for n in numbers
            ]
        )
        save(
            [
                Allocation(
                    id=f"s:a{n}",
                    account_id=f"s:p{n % PEOPLE}",
                    container_id=f"s:c{n % PLANS}",
                    start_on=days[n % 900],
                    finish_on=days[n % 900 + 10],
                    seconds=252000,
                )
                for n in numbers
            ]
        )
    for start in range(0, WORKLOGS, 50_000):
        save(
            [
                Worklog(
                    id=f"s:w{n}",
                    task_id=f"s:t{n % TASKS}",
                    container_id=f"s:c{n % PLANS}",
                    account_id=f"s:p{n % PEOPLE}",
                    day=days[n % 1000],
                    seconds=900 + n % 27000,
                    approval="approved",
                    updated_at="2026-01-01T00:00:00Z",
                )
                for n in range(start, start + 50_000)
            ]
        )
    store.end_run(run, "ok")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "hub.db"
        with Store.open(path) as filled:
            fill(filled)
        print(f"store: {path.stat().st_size / 1e6:.0f} MB, {WORKLOGS:,} worklogs, {TASKS:,} tasks")
        sys.stdout.flush()
        with Peak() as peak:
            began = time.perf_counter()
            snapshot = build(path, Path(folder) / "feed", BuildOptions(lang="fr"))
            spent = time.perf_counter() - began
        with Store.open(path) as read:
            from datetime import UTC, datetime

            began = time.perf_counter()
            findings = check(read, snapshot, freshness="warn", failed_sources="warn", now=datetime.now(UTC))
            gate = time.perf_counter() - began
        outside = snapshot.timings["outside DuckDB"]
        print(
            f"feed built in {spent:.1f} s (limit 60), peak {peak.mb:.0f} MB (limit 1500); "
            f"gate {gate:.1f} s, blocking: {[f.text for f in findings if f.blocks]}"
        )
        print(
            f"outside DuckDB: {outside:.1f} s reading SQLite over ADBC ({outside / spent:.0%}); inside: "
            f"{spent - outside:.1f} s"
        )
        print(
            "slowest:",
            ", ".join(
                f"{k} {v:.1f} s" for k, v in sorted(snapshot.timings.items(), key=lambda kv: -kv[1])[:7]
            ),
        )
