"""Every source over HTTP but Jira, which has a benchmark of its own.

Memory for 10,000 and 100,000 items, and requests per 1,000.

Each reading runs in a process of its own against the simulator of its tool, in another; pages are of the
tool's usual size. Redmine is read without its history, which costs one request an issue, Project Server
without timesheets, whose days are in memory by period. ``--large`` adds the 100,000, and the ratio of the
peaks (goal 1.5). Names choose sources.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

SMALL, LARGE = 10_000, 100_000
MICROSOFT = ("planner", "planner-premium", "project-server")
MAPPINGS = ("azure-devops", "gitlab", "glpi", "openproject", "servicenow", "tempo")
GOAL = 1.5


def certification(name: str, count: int = SMALL) -> Any:
    """Return the certification of a source."""
    if name == "redmine":
        from hub_redmine.testing.certification import RedmineCertification

        return RedmineCertification()
    if name == "taskworld":
        from hub_taskworld import simulator
        from hub_taskworld.testing.certification import TaskworldCertification

        simulator.LIST = max(400, count // 25)  # 500 lists of a board are an error, not a page
        return TaskworldCertification()
    if name in MICROSOFT:
        return microsoft(name, count)
    import hub_rest.mappings
    from hub_rest.testing.mapping_certification import MappingCertification

    return MappingCertification(Path(hub_rest.mappings.__file__).with_name(f"{name}.toml"))


def microsoft(name: str, count: int) -> Any:
    """Return the certification of a service of Microsoft.

    Pages have the documented sizes, plans 200 tasks.
    """
    from hub_msproject import certification
    from hub_msproject.testing import planner, premium, server

    planner.CAP, premium.CAP, server.CAP = 400, 5000, 100
    planner.PlannerWorld.plans = server.ServerWorld.plans = count // 200
    return {
        "planner": certification.PlannerCertification,
        "planner-premium": certification.PremiumCertification,
        "project-server": certification.ServerCertification,
    }[name]()


def serve(name: str, count: int) -> None:
    """Answer for a tool with *count* items until the process is ended."""
    from hub.testing.kit import SimulatorServer

    examined = certification(name, count)
    world = examined.world(1)
    for number in range(count - len(world.rows())):
        native = world.add()
        if name == "redmine" and number % 2:
            world.log(int(native), number)
    if name in MAPPINGS:
        world.cap = 1000
    with SimulatorServer(world, most=10**9) as site:
        print(site.url, flush=True)
        time.sleep(3600)


def run(name: str, url: str, place: Path) -> None:
    """Read it whole and once more, and print what it took."""
    import msgspec

    from hub.store import Store
    from hub.sync import Options, sync

    source = certification(name).source(url)
    more = (
        {"history": False}
        if name == "redmine"
        else {"page_size": 1000}
        if name in MAPPINGS
        else {"timesheets": False}
        if name == "project-server"
        else {}
    )
    source = msgspec.structs.replace(source, **more)
    found = []
    with Store.open(place / "hub.db") as store:
        for _ in range(2):
            report = sync(store, [source], Options(base=place, jobs=4)).sources[0]
            assert report.verdict == "ok", report.missing[:2]
            found.append(
                {"requests": report.requests, "read": report.changes.read, "seconds": report.seconds}
            )
        items = store.connection.execute(
            f"SELECT count(*) FROM {certification(name).world(1).main}"
        ).fetchone()[0]
    print(
        json.dumps(
            {
                "items": items,
                "full": found[0],
                "quiet": found[1],
                "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            }
        )
    )


def measure(name: str, count: int) -> dict[str, Any]:
    """Start the tool and the reading."""
    me = [sys.executable, str(Path(__file__))]
    with (
        tempfile.TemporaryDirectory() as place,
        subprocess.Popen([*me, "serve", name, str(count)], stdout=subprocess.PIPE, text=True) as tool,
    ):
        assert tool.stdout is not None
        try:
            url = tool.stdout.readline().strip()
            done = subprocess.run([*me, "run", name, url, place], capture_output=True, text=True, check=True)
        finally:
            tool.kill()
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> int:
    """Print a line a source; the exit code is the number of missed goals."""
    missed = 0
    print(f"{'source':14}{'items':>8}{'full':>8}{'per 1,000':>11}{'quiet':>7}{'wall':>8}{'peak MB':>9}")
    for name in [one for one in sys.argv[1:] if not one.startswith("-")] or (
        "redmine",
        "taskworld",
        *MICROSOFT,
        *MAPPINGS,
    ):
        peaks = []
        for count in (SMALL, LARGE) if "--large" in sys.argv else (SMALL,):
            one = measure(name, count)
            peaks.append(one["peak"])
            full, quiet = one["full"]["requests"], one["quiet"]["requests"]
            print(
                f"{name:14}{one['items']:8,}{full:8,}{1000 * full / one['items']:11.1f}{quiet:7,}"
                f"{one['full']['seconds']:7.1f}s{one['peak']:9.0f}",
                flush=True,
            )
        if len(peaks) > 1:
            ratio = peaks[1] / peaks[0]
            missed += ratio > GOAL
            print(
                f"{name:14}memory of tenfold: {ratio:.2f} (goal {GOAL}){'  MISSED' if ratio > GOAL else ''}"
            )
    return missed


if __name__ == "__main__":
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1:2] == ["run"]:
        run(sys.argv[2], sys.argv[3], Path(sys.argv[4]))
    else:
        sys.exit(main())
