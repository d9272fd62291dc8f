"""How each step grows with the portfolio: 1, 3, 10 and 30 million worklogs, 100,000 tasks a million.

Each step runs in a process of its own, so that its time, its processor time and its peak memory are its own.
``python bench/growth.py 1 3 10`` measures these millions, ``--cuts 4 16`` so many open cuts at one million,
``--only feed gate`` some steps; ``--folder`` keeps what is made there, and goes on from it.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

from hub.context import Context, DeliveryContext
from hub.feed import BuildOptions, build, check, load_manifest, open_feed
from hub.feed.build import table_glob
from hub.feed.cuts import Cut
from hub.records import Account, Allocation, Baseline, Container, Record, Task, Worklog
from hub.source import Batch, Check, Partition, Source
from hub.store import Store

TASKS = 100_000
"""Of a million worklogs."""
AT_ONCE = 20_000
MEMORY = BuildOptions().memory_mb
DESTINATIONS = ("files", "tableau", "powerbi", "delta", "deck", "postgresql")


class Growing(Source, frozen=True, kw_only=True):
    """A tool with *millions* of worklogs, made while they are read: no more than a batch is in memory."""

    kind: ClassVar[str] = "bench"
    provides: ClassVar[tuple[type[Record], ...]] = (Container, Account, Task, Baseline, Allocation, Worklog)

    millions: float

    def check(self, ctx: Context) -> Iterable[Check]:
        """Say nothing."""
        return ()

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Read it in one part, as one site is."""
        return [Partition(id="all", estimate=round(self.millions * (1_000_000 + 3 * TASKS)))]

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterator[Batch]:
        """Make the rows."""
        tasks, worklogs = round(self.millions * TASKS), round(self.millions * 1_000_000)
        plans, people = max(20, tasks // 500), max(50, tasks // 200)
        first = date(2024, 1, 1)
        days = [(first + timedelta(days=n)).isoformat() for n in range(1000)]
        yield Batch(
            records=[
                Container(id=f"s:c{n}", kind="plan", code=f"P{n}", name=f"Plan {n}") for n in range(plans)
            ]
        )
        yield Batch(records=[Account(id=f"s:p{n}", display_name=f"Person {n}") for n in range(people)])
        for start in range(0, tasks, AT_ONCE):
            numbers = range(start, min(start + AT_ONCE, tasks))
            yield Batch(
                records=[
                    Task(
                        id=f"s:t{n}", container_id=f"s:c{n % plans}",
                        parent_id=f"s:t{n - n % 10}" if n % 10 else None, title=f"Task {n}",
                        kind="work" if n % 10 else "summary", status_native="in_progress", percent=50.0,
                        estimate_s=252000, remaining_s=126000, planned_start_on=days[n % 900],
                        planned_finish_on=days[n % 900 + 20], assignee_id=f"s:p{n % people}",
                    )
                    for n in numbers
                ]
            )  # fmt: skip
            yield Batch(
                records=[
                    Baseline(
                        id=f"s:t{n}/b0", task_id=f"s:t{n}", finish_on=days[n % 900 + 10], effort_s=252000
                    )
                    for n in numbers
                ]
            )
            yield Batch(
                records=[
                    Allocation(
                        id=f"s:a{n}", account_id=f"s:p{n % people}", container_id=f"s:c{n % plans}",
                        start_on=days[n % 900], finish_on=days[n % 900 + 10], seconds=252000,
                    )
                    for n in numbers
                ]
            )  # fmt: skip
        for start in range(0, worklogs, AT_ONCE):
            yield Batch(
                records=[
                    Worklog(
                        id=f"s:w{n}", task_id=f"s:t{n % tasks}", container_id=f"s:c{n % tasks % plans}",
                        account_id=f"s:p{n % people}", day=days[n % 1000], seconds=900 + n % 27000,
                        approval="approved", updated_at="2026-01-01T00:00:00Z",
                    )
                    for n in range(start, min(start + AT_ONCE, worklogs))
                ]
            )  # fmt: skip


# ---------- the steps, each in a process of its own ----------


def sync_once(folder: Path, millions: float) -> dict[str, Any]:
    """Read all of it into the store, by the engine."""
    from hub.sync import Options, sync

    with Store.open(folder / "hub.db") as store:
        report = sync(store, [Growing(name="s", millions=millions)], Options(base=folder))
        assert report.sources[0].verdict == "ok", report.sources[0]
        changes = report.sources[0].changes
    return {"rows": changes.inserted, "written": changes.inserted + changes.updated}


def build_feed(folder: Path, millions: float) -> dict[str, Any]:
    """Build the feed."""
    shutil.rmtree(folder / "feed", ignore_errors=True)
    snapshot = build(folder / "hub.db", folder / "feed", BuildOptions(lang="fr"))
    slow = sorted(snapshot.timings.items(), key=lambda one: -one[1])[:5]
    return {"slowest": {name: round(value, 1) for name, value in slow}}


def gate(folder: Path, millions: float) -> dict[str, Any]:
    """Hold the feed to the store and the contract."""
    from hub.feed.build import Snapshot

    place = _feed(folder)
    snapshot = Snapshot(feed_id=place.name, folder=place, manifest=load_manifest(place), timings={})
    with Store.open(folder / "hub.db") as store:
        findings = check(
            store, snapshot, freshness="warn", failed_sources="warn", now=datetime.now(UTC), memory_mb=MEMORY
        )
    return {"blocking": [one.text for one in findings if one.blocks]}


def figures(folder: Path, millions: float) -> dict[str, Any]:
    """Compute the catalogue on the feed, as ``hub kpi`` does."""
    from hub.feed.kpi.evaluate import evaluate

    connection = open_feed(_feed(folder))
    evaluate(connection, None)
    connection.close()
    return {}


def projection(folder: Path, millions: float) -> dict[str, Any]:
    """Narrow the feed to teams and weeks, what destinations are given unless they say otherwise."""
    from hub.feed.projection import project_to

    shutil.rmtree(folder / "narrow", ignore_errors=True)
    project_to("team-week", _feed(folder), folder / "narrow", memory_mb=MEMORY)
    return {}


def deliver(kind: str) -> Callable[[Path, float], dict[str, Any]]:
    """Return the step that delivers every line to a destination of *kind*."""

    def step(folder: Path, millions: float) -> dict[str, Any]:
        from hub.destination import FeedView
        from hub.feed import changes, model
        from hub.plugins import Plugins

        plugins = Plugins()
        place = _feed(folder)
        out = folder / f"out-{kind}"
        shutil.rmtree(out, ignore_errors=True)
        settings: dict[str, Any] = {"name": kind, "privacy": "nominative-line"}
        if kind == "postgresql":
            from hub_postgresql.testing.scratch import USER, scratch

            from hub import Secret

            server = scratch()
            (folder / "password").write_text(server.password)
            (folder / "password").chmod(0o600)
            settings |= {
                "host": "127.0.0.1", "port": server.port, "database": server.database(), "user": USER,
                "password": Secret("file", "password", folder),
            }  # fmt: skip
        elif kind == "files":
            settings |= {"path": str(out), "formats": ("parquet", "csv")}
        else:
            settings |= {"path": str(out)}
        destination = plugins.destinations[kind](**settings)
        connection = open_feed(place, memory_mb=MEMORY)
        view = FeedView(
            feed_id=place.name, folder=place, manifest=load_manifest(place), lang="fr",
            tables={name: table_glob(place, name) for name in model().tables}, connection=connection,
            changes=lambda table: changes(connection, table, place, None),
        )  # fmt: skip
        destination.deliver(DeliveryContext(base=folder, name=kind), view)
        connection.close()
        return {}

    return step


def feed_with_cuts(folder: Path, cuts: int, *, fresh: bool) -> dict[str, Any]:
    """Build the feed with *cuts* open cuts of one moment; *fresh* without what was kept of them before."""
    with Store.open(folder / "hub.db") as store:
        stamp = store.rows("SELECT last FROM clock")[0]["last"]
    wanted = tuple(Cut(key=n + 1, as_of=stamp, kind="daily", label=f"Cut {n}") for n in range(cuts))
    if fresh:
        shutil.rmtree(folder / "feed-cuts", ignore_errors=True)
    snapshot = build(folder / "hub.db", folder / "feed-cuts" / "feed", BuildOptions(lang="fr", cuts=wanted))
    return {"slowest": {"other cuts": round(snapshot.timings["other cuts"], 1)}}


CUTS = ("cuts", "cuts again")
"""What is measured of open cuts: their first feed, and the one of the day after."""
STEPS: dict[str, Callable[[Path, float], dict[str, Any]]] = {
    "sync": sync_once,
    "sync again": sync_once,
    "feed": build_feed,
    "gate": gate,
    "figures": figures,
    "team-week": projection,
    **{f"to {kind}": deliver(kind) for kind in DESTINATIONS},
}


def _feed(folder: Path) -> Path:
    return max(one for one in (folder / "feed").iterdir() if (one / "manifest.json").exists())


# ---------- measuring ----------


def measured(step: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Return what *step* says, with its seconds, its processor seconds and its peak memory in MB."""
    began = time.perf_counter()
    said = step()
    took = time.perf_counter() - began
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return {
        "seconds": round(took, 1),
        "cpu": round(sum(one.ru_utime + one.ru_stime for one in used), 1),
        "peak_mb": round(max(one.ru_maxrss for one in used) / 1024),
        **said,
    }


def size_mb(place: Path) -> int:
    """Return what lies in *place*."""
    files = place.rglob("*") if place.is_dir() else [place]
    return round(sum(one.stat().st_size for one in files if one.is_file()) / 1e6)


def own_process(*arguments: str) -> dict[str, Any]:
    """Run one step in a process of its own."""
    done = subprocess.run(
        [sys.executable, __file__, *arguments], capture_output=True, text=True, encoding="utf-8", check=False
    )
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1][:200] if done.stderr else "?"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def run(millions: list[float], only: list[str], folder: Path) -> dict[str, dict[float, dict[str, Any]]]:
    """Measure every step at every size, and print each as it ends."""
    found: dict[str, dict[float, dict[str, Any]]] = {}
    for many in millions:
        place = folder / f"{many:g}M"
        place.mkdir(parents=True, exist_ok=True)
        for name in STEPS:
            if only and name not in only:
                continue
            result = own_process("--step", name, "--folder", str(place), f"{many:g}")
            made = {
                "sync": place / "hub.db",
                "feed": place / "feed",
                "team-week": place / "narrow",
            }.get(name, place / f"out-{name.removeprefix('to ')}")
            if made.exists():
                result["disk_mb"] = size_mb(made)
            found.setdefault(name, {})[many] = result
            print(f"{many:g} M, {name}: {json.dumps(result, ensure_ascii=False)}", flush=True)
            if made.name.startswith("out-"):
                shutil.rmtree(made, ignore_errors=True)
    return found


def grows(found: dict[float, dict[str, Any]], what: str = "cpu") -> list[str]:
    """Return by what power of the size *what* grew from each size to the next."""
    sizes = sorted(size for size, one in found.items() if what in one)
    return [
        f"{math.log(found[big][what] / found[small][what]) / math.log(big / small):.2f}"
        for small, big in itertools.pairwise(sizes)
        if found[small][what] > 0
    ]


def cell(result: dict[str, Any]) -> str:
    """Return what one step came to, as a cell of the table."""
    if "cpu" not in result:
        return str(result.get("failed", ""))
    disk = f", {result['disk_mb']:,} MB on disk" if "disk_mb" in result else ""
    return f"{result['cpu']} s, {result['peak_mb']:,} MB{disk}"


def main() -> int:
    """Measure what was asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("millions", nargs="*", type=float, default=[1, 3])
    parser.add_argument("--cuts", nargs="*", type=int, default=[])
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--folder", type=Path)
    parser.add_argument("--step", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.step in CUTS:
        fresh, cuts = asked.step == CUTS[0], round(asked.millions[0])
        print(json.dumps(measured(lambda: feed_with_cuts(asked.folder, cuts, fresh=fresh))))
        return 0
    if asked.step:
        print(json.dumps(measured(lambda: STEPS[asked.step](asked.folder, asked.millions[0]))))
        return 0
    with tempfile.TemporaryDirectory() as scratch:
        folder = asked.folder or Path(scratch)
        found = run(asked.millions, asked.only, folder)
        for cuts in asked.cuts:
            for step in CUTS:
                result = own_process("--step", step, "--folder", str(folder / "1M"), str(cuts))
                found.setdefault(step, {})[cuts] = result
                print(f"{cuts} {step} at 1 M: {json.dumps(result)}", flush=True)
    sizes = [*dict.fromkeys(size for one in found.values() for size in one)]
    print(f"\n| step | {' | '.join(f'{size:g}' for size in sizes)} | grows by the power |")
    print(f"|---|{'---|' * len(sizes)}---|")
    for name, one in found.items():
        print(
            f"| {name} | {' | '.join(cell(one.get(size, {})) for size in sizes)} | {', '.join(grows(one))} |"
        )
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    return int(any("failed" in result for one in found.values() for result in one.values()))


if __name__ == "__main__":
    sys.exit(main())
