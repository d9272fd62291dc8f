"""The large case: a feed with all figures of 200 projects and weekly cuts, then a tenth of it.

100,000 tasks, 500 people, 1,000,000 worklogs.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

import duckdb
from memory import Peak

from hub.feed import BuildOptions, Cut, build, keep_cut, model
from hub.records import (
    Account,
    Baseline,
    BudgetLine,
    Container,
    Person,
    PersonLink,
    Project,
    Rate,
    Record,
    Task,
    TaskChange,
    Worklog,
)
from hub.store import Store

START = date(2023, 11, 20)
DAYS = 1096


def fill(store: Store, part: float) -> None:
    """Make *part* of the large case."""
    rng = random.Random(1)
    projects, people, tasks, logs = (
        round(200 * part),
        round(500 * part),
        round(100_000 * part),
        round(1_000_000 * part),
    )

    def save(rows: list[Record], source: str) -> None:
        store.register_source(
            source, kind="bench", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
        )
        run = store.begin_run(source, "full")
        for place in range(0, len(rows), 20_000):
            store.write_batch(rows[place : place + 20_000], run_id=run, source_id=source)
        store.end_run(run, "ok")

    save([Project(id=f"config:P{n}", code=f"P{n}", name=f"Project {n}") for n in range(projects)], "config")
    save(
        [
            Person(
                id=f"config:people/{n}",
                display_name=f"Person {n}",
                employee_no=str(n),
                team=f"T{n % 20}",
                role=f"R{n % 4}",
            )
            for n in range(people)
        ],
        "config",
    )
    save(
        [
            Rate(
                id=f"config:r{n}",
                scope="role",
                scope_id=f"R{n}",
                valid_from="2020-01-01",
                minor_per_day=40000 + n * 5000,
            )
            for n in range(4)
        ],
        "config",
    )
    save(
        [
            PersonLink(
                id=f"match:{n}",
                account_id=f"bench:u{n}",
                person_id=f"config:people/{n}",
                method="employee_no",
                score=1.0,
                state="accepted",
            )
            for n in range(people)
        ],
        "match",
    )
    save(
        [
            Container(id=f"bench:c{n}", kind="plan" if n % 2 else "project", code=f"P{n}", name=f"P{n}")
            for n in range(projects)
        ],
        "bench",
    )
    save(
        [Account(id=f"bench:u{n}", display_name=f"u{n}", employee_no=str(n)) for n in range(people)], "bench"
    )

    def day(low: int = 0, high: int = DAYS) -> str:
        return str(START + timedelta(days=rng.randint(low, high)))

    rows: list[Record] = []
    for n in range(tasks):
        made = day(0, DAYS - 60)
        done = rng.random() < 0.7
        rows.append(
            Task(
                id=f"bench:t{n}",
                container_id=f"bench:c{n % projects}",
                title=f"Task {n}",
                kind="milestone" if n % 50 == 0 else "work",
                nature=("build", "anomaly")[n % 2],
                status_native="done" if done else "in_progress",
                status_raw="Done" if done else "Doing",
                created_at=f"{made}T08:00:00Z",
                estimate_s=5 * 25200,
                remaining_s=0 if done else 2 * 25200,
                percent=None,
                planned_start_on=made,
                planned_finish_on=day(),
                assignee_id=f"bench:u{n % people}",
                points=3.0,
            )
        )
    save(rows, "bench")
    save(
        [
            Baseline(
                id=f"bench:b{n}",
                task_id=f"bench:t{n}",
                start_on=day(0, 500),
                finish_on=day(500),
                effort_s=5 * 25200,
            )
            for n in range(tasks)
        ],
        "bench",
    )
    save(
        [
            TaskChange(
                id=f"bench:h{n}",
                task_id=f"bench:t{n}",
                field="status",
                from_value="Doing",
                to_value="Done",
                at=f"{day()}T10:00:00Z",
            )
            for n in range(tasks)
        ],
        "bench",
    )
    for place in range(0, logs, 100_000):
        save(
            [
                Worklog(
                    id=f"bench:w{n}",
                    task_id=f"bench:t{n % tasks}",
                    account_id=f"bench:u{n % people}",
                    day=day(),
                    seconds=rng.randint(1, 8) * 1800,
                    approval="approved",
                )
                for n in range(place, min(logs, place + 100_000))
            ],
            "bench",
        )
    save(
        [
            BudgetLine(
                id=f"bench:m{p}/{m}",
                project_code=f"P{p}",
                month=f"2026-{m:02d}",
                kind="baseline",
                category="labour",
                amount_minor=100_000_00,
            )
            for p in range(projects)
            for m in range(1, 13)
        ],
        "bench",
    )


def weekly(store: Path, folder: Path, weeks: int) -> tuple[Cut, ...]:
    """Take one cut and date it back week by week: what a project office of three years has."""
    first = Cut(
        key=1,
        as_of=time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime(time.time() + 5)),
        kind="weekly",
        label="S1",
    )
    keep_cut(store, folder / "1", first, BuildOptions(memory_mb=1024))
    cuts = []
    connection = duckdb.connect()
    for week in range(weeks):
        day = date.today() - timedelta(weeks=week + 1)
        place = folder / f"w{week}"
        place.mkdir()
        for path in (folder / "1").glob("*.parquet"):
            names = model().tables[path.stem].columns
            change = (
                f"* REPLACE ({week + 1}::BIGINT AS cut_key)"
                if "cut_key" in names
                else f"* REPLACE ({day:%Y%m%d}::BIGINT AS date_key)"
                if "date_key" in names
                else "*"
            )
            connection.execute(
                f"COPY (SELECT {change} "
                f"FROM '{path}') TO '{place / path.name}' (FORMAT parquet, COMPRESSION zstd)"
            )
        cuts.append(
            Cut(
                key=week + 1,
                as_of=f"{day}T18:00:00.000000Z",
                kind="weekly",
                label=f"S{week + 1}",
                folder=place,
            )
        )
    return tuple(cuts)


def run(part: float, weeks: int) -> tuple[float, float, dict[str, int], dict[str, float]]:
    """Build one size, and return seconds, peak MB, rows and timings."""
    with tempfile.TemporaryDirectory() as folder, Store.open(Path(folder) / "hub.db") as store:
        fill(store, part)
        cuts = weekly(Path(store.where), Path(folder) / "cuts", weeks)
        with Peak() as peak:
            began = time.perf_counter()
            snapshot = build(
                Path(store.where), Path(folder) / "feed", BuildOptions(memory_mb=1024, cuts=cuts)
            )
            took = time.perf_counter() - began
        rows = {
            name: table["rows"] for name, table in snapshot.manifest["tables"].items() if table["rows"] > 1000
        }
        return took, peak.mb, rows, snapshot.timings


if __name__ == "__main__":
    weeks = 20 if "--quick" in sys.argv else 156
    small, _, _, _ = run(0.1, weeks)
    large, peak, rows, timings = run(1.0, weeks)
    print("rows:", ", ".join(f"{name} {count:,}" for name, count in rows.items()))
    print(
        "seconds:",
        ", ".join(
            f"{name} {value:.1f}" for name, value in sorted(timings.items(), key=lambda one: -one[1])[:8]
        ),
    )
    print(
        f"a tenth: {small:.1f} s; whole with {weeks} weekly cuts: "
        f"{large:.1f} s (goal under 180), peak {peak:.0f} MB (goal under 2,000)"
    )
    print(f"growth: {large / small:.1f} for ten times the rows (goal: at most 10)")
    sys.exit(0 if large < 180 and peak < 2000 and large / small <= 10 else 1)
