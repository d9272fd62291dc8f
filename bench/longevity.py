"""Let 200 nights pass: sync, publish, prune, a backup a week, a committee a month; say what each costs.

Beside time and memory it counts the files and bytes of the place, and the rows of today and of the past, so
that what grows can be told from what grows as the data do. `--open N` leaves the last N cuts open.

Seen on two shared cores: 24 people, 240 tasks and one more a night, 3 months kept, 10 feeds, 4 backups::

    night  CPU s  RSS MB  files   MB  store MB   rows  images  cuts
       50   1.84     132    788  5.9       1.2   1200     579     1
      100   2.07     133    850  7.1       1.5   2400    1169     3
      200   2.06     134    943  9.1       2.0   4800    1697     6

Time and memory are flat; files grow by those of a cut a month, images by what cuts show, bytes as rows.
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from hub_files.destination import FilesDestination
from memory import resident_mb

from hub import clock
from hub.feed import BuildOptions
from hub.publish import PublishOptions, cuts, publish, retire, retired
from hub.records import Account, Container, Person, PersonLink, Project, ProjectLink, Record, Task, Worklog
from hub.source import Batch
from hub.store import Store
from hub.store.retention import Limits, months_before, prune
from hub.sync import Options, sync
from hub.testing import ScriptedSource
from hub.upkeep import Paths, backup, name_for, rotate

BEGIN = datetime(2025, 1, 6, 5, 0, tzinfo=UTC)
PEOPLE, PROJECTS, TASKS = 24, 6, 240
KEPT_FEEDS, KEPT_BACKUPS, KEPT_MONTHS = 10, 4, 3
EVERY = 25


def night_of(number: int, rng: random.Random) -> list[Record]:
    """Return what the tools say in one night: everybody's hours, a few tasks that moved, a new task."""
    day = (BEGIN + timedelta(days=number)).date()
    records: list[Record] = []
    if number == 0:
        for project in range(PROJECTS):
            records += [
                Container(id=f"s:c{project}", kind="plan", name=f"Plan {project}", code=f"P{project}"),
                Project(id=f"s:p{project}", code=f"P{project}", level="project", name=f"Project {project}"),
                ProjectLink(id=f"s:l{project}", project_code=f"P{project}", container_id=f"s:c{project}",
                            facets="schedule,effort,actuals"),
            ]  # fmt: skip
        for person in range(PEOPLE):
            records += [
                Account(id=f"s:a{person}", display_name=f"Person {person}"),
                Person(id=f"s:h{person}", display_name=f"Person {person}", team=f"Team {person % 3}"),
                PersonLink(id=f"s:k{person}", account_id=f"s:a{person}", person_id=f"s:h{person}",
                           method="manual", score=1.0, state="accepted"),
            ]  # fmt: skip
        records += [task(one, 0, day) for one in range(TASKS)]
    records += [task(rng.randrange(TASKS), number, day) for _ in range(12)]
    records.append(task(TASKS + number, number, day))
    for person in range(PEOPLE):
        one = rng.randrange(TASKS)
        records.append(
            Worklog(
                id=f"s:w{number}-{person}", task_id=f"s:t{one}", container_id=f"s:c{one % PROJECTS}",
                account_id=f"s:a{person}", day=day.isoformat(), seconds=25200,
            )
        )  # fmt: skip
    return records


def task(number: int, night: int, day: date) -> Task:
    """Return a task as it is on a night."""
    return Task(
        id=f"s:t{number}", container_id=f"s:c{number % PROJECTS}", title=f"Task {number}",
        estimate_s=36000 + 3600 * night, planned_start_on=day.isoformat(),
        planned_finish_on=(day + timedelta(days=30)).isoformat(),
        status_native=("todo", "in_progress", "done")[night % 3],
    )  # fmt: skip


def weigh(folder: Path) -> tuple[int, int]:
    """Return files and bytes of *folder*."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return len(sizes), sum(sizes)


def main() -> None:
    """Run the nights and print every 25th, and what the last 25 cost against the second 25."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--nights", type=int, default=200)
    parser.add_argument("--open", type=int, default=0)
    chosen = parser.parse_args()
    rng = random.Random(24)
    lines: list[dict[str, Any]] = []
    print(f"{'night':>6}{'seconds':>9}{'CPU':>7}{'RSS MB':>8}{'files':>7}{'MB':>8}{'store':>7}"
          f"{'rows':>8}{'images':>8}{'cuts':>6}")  # fmt: skip
    with tempfile.TemporaryDirectory() as scratch:
        base = Path(scratch)
        (base / "config").mkdir()
        (base / "config" / "hub.toml").write_text("")
        (base / "backup").mkdir()
        paths = Paths(
            base=base, config=base / "config" / "hub.toml", store=base / "data" / "hub.db",
            feed=base / "data" / "feed",
        )  # fmt: skip
        options = PublishOptions(base=base, build=BuildOptions(memory_mb=512), keep=KEPT_FEEDS)
        office = FilesDestination(name="office", path="out", formats=("csv", "parquet"))
        for number in range(chosen.nights):
            moment = BEGIN + timedelta(days=number)
            clock.pretend(moment)
            records = night_of(number, rng)
            began, spent = time.perf_counter(), time.process_time()
            one_night(paths, records, options, office, number, chosen)
            took = {"s": time.perf_counter() - began, "cpu": time.process_time() - spent}
            with Store.open(paths.store) as store:
                rows = store.rows("SELECT count(*) AS n FROM worklog")[0]["n"]
                images = store.rows("SELECT count(*) AS n FROM task_history")[0]["n"]
                known = store.rows("SELECT count(*) AS n FROM cut")[0]["n"]
            files, size = weigh(base)
            lines.append({**took, "rss": resident_mb(), "files": files, "mb": size / 1e6,
                          "store": paths.store.stat().st_size / 1e6, "rows": rows, "images": images,
                          "cuts": known})  # fmt: skip
            if number == 0 or (number + 1) % EVERY == 0:
                last = lines[-min(EVERY, len(lines)) :]
                mean = {name: sum(one[name] for one in last) / len(last) for name in ("s", "cpu")}
                end = lines[-1]
                print(f"{number + 1:>6}{mean['s']:>9.2f}{mean['cpu']:>7.2f}{end['rss']:>8.0f}{files:>7}"
                      f"{end['mb']:>8.1f}{end['store']:>7.1f}{rows:>8}{images:>8}{known:>6}",
                      flush=True)  # fmt: skip
    early, late = lines[EVERY : 2 * EVERY], lines[-EVERY:]
    for name in ("cpu", "rss", "files", "mb", "store", "rows", "images"):
        ratio = sum(one[name] for one in late) / max(1e-9, sum(one[name] for one in early))
        print(f"{name}: the last {EVERY} nights are {ratio:.2f} times the nights {EVERY + 1} to {2 * EVERY}")


def one_night(
    paths: Paths, records: list[Record], options: PublishOptions, office: FilesDestination, number: int,
    chosen: argparse.Namespace,
) -> None:  # fmt: skip
    """Do what `hub run` does with [retention] and [backup], and what a committee asks once a month."""

    def read(_: Any) -> Iterator[Batch]:
        yield Batch(records=records, cursor=number)

    paths.store.parent.mkdir(parents=True, exist_ok=True)
    with Store.open(paths.store) as store:
        sync(store, [ScriptedSource(name="s", script={"all": read})], Options(base=paths.base))
        report = publish(store, paths.feed, [office], options)
        assert report.current, [one.text for one in report.findings]
        if number % 30 == 29:
            label = f"Night {number}"
            cuts.take(store, kind="copil", label=label, actor="bench")
            if number < chosen.nights - 30 * chosen.open:
                cuts.close(store, paths.feed, label, options.build, actor="bench")
        day = clock.now().date()
        limit = months_before(day, KEPT_MONTHS)
        prune(store, Limits(history=limit, runs=limit, deliveries=limit), actor="bench")
        retire(retired(store, paths.feed, keep=KEPT_FEEDS))
        if number % 7 == 6:
            backup(paths, paths.base / "backup" / name_for(None, sealed=False))
            rotate(paths.base / "backup", None, keep=KEPT_BACKUPS)


if __name__ == "__main__":
    main()
