"""Our MSPDI reader against MPXJ's read plus getters.

On a plan of 20,000 tasks made on the spot, three rounds each.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from large_plan import write_plan
from memory import Peak

ROUNDS = 3


def ours(path: Path) -> None:
    """Read every row, days included."""
    from hub_msproject.files import mspdi

    with Peak() as peak:
        began = time.perf_counter()
        rows = sum(1 for _ in mspdi.read(path))
        print(f"{time.perf_counter() - began:.3f} {peak.mb:.0f} {rows}")


def theirs(path: Path) -> None:
    """Read with MPXJ, then take the same fields to Python, without the days."""
    from hub_msproject.files import mpxj_worker

    mpxj_worker.start_jvm(1024)
    reader = mpxj_worker._Reader()
    reader._days = lambda _: ({}, {}, False)  # type: ignore[method-assign]
    with Peak() as peak:
        began = time.perf_counter()
        rows = sum(1 for _ in reader.rows(str(path)))
        print(f"{time.perf_counter() - began:.3f} {peak.mb:.0f} {rows}")


def bare(path: Path) -> None:
    """Read with MPXJ and call its getters without making Python values of them."""
    from hub_msproject.files import mpxj_worker

    mpxj_worker.start_jvm(1024)
    from jpype import JClass

    began = time.perf_counter()
    project = JClass("org.mpxj.mspdi.MSPDIReader")().read(str(path))
    rows = 0
    getters = [
        "UniqueID",
        "ID",
        "Name",
        "WBS",
        "Start",
        "Finish",
        "ActualStart",
        "ActualFinish",
        "Deadline",
        "CreateDate",
        "PercentageComplete",
        "Work",
        "ActualWork",
        "RemainingWork",
        "Summary",
        "Milestone",
        "Active",
        "Null",
        "GUID",
        "Priority",
        "OutlineLevel",
        "ParentTask",
        "BaselineStart",
        "BaselineFinish",
        "BaselineWork",
        "Predecessors",
    ]
    for task in project.getTasks():
        rows += 1
        for name in getters:
            getattr(task, f"get{name}")()
    for one in project.getResourceAssignments():
        rows += 1
        for name in (
            "UniqueID",
            "Task",
            "Resource",
            "Work",
            "ActualWork",
            "RemainingWork",
            "Start",
            "Finish",
        ):
            getattr(one, f"get{name}")()
    print(f"{time.perf_counter() - began:.3f} 0 {rows}")


if __name__ == "__main__":
    if len(sys.argv) == 3:
        {"ours": ours, "theirs": theirs, "bare": bare}[sys.argv[1]](Path(sys.argv[2]))
        sys.exit(0)
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "large.xml"
        write_plan(plan)
        print(f"plan: 20,000 tasks, 18,000 assignments with days, {plan.stat().st_size / 1e6:.0f} MB")
        times: dict[str, list[float]] = {"ours": [], "theirs": [], "bare": []}
        memory: dict[str, float] = {}
        for _ in range(ROUNDS):
            for who, seen in times.items():
                out = subprocess.run(
                    [sys.executable, __file__, who, str(plan)], capture_output=True, text=True, check=True
                ).stdout
                seconds, peak_mb, rows = out.split()
                seen.append(float(seconds))
                memory[who] = max(memory.get(who, 0), float(peak_mb))
        median = {who: statistics.median(seen) for who, seen in times.items()}
        print(f"ours   {median['ours']:.2f} s, peak {memory['ours']:.0f} MB (limit 120), days spread")
        print(
            f"MPXJ   {median['theirs']:.2f} s read plus getters to Python values, no days, "
            f"peak {memory['theirs']:.0f} MB, JVM start left out"
        )
        print(f"MPXJ   {median['bare']:.2f} s read plus bare getter calls")
        print(
            f"ratio  {median['theirs'] / median['ours']:.1f} (goal 4), "
            f"against bare getter calls {median['bare'] / median['ours']:.1f}"
        )
