"""Reading plans: our MSPDI reader against lxml's bare parse, and many small .mpp in one JVM.

A plan of 20,000 tasks made on the spot, three rounds of both; a hundred copies of one small .mpp where the
recorded schedules are there.
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
from mspdi import ours

ROUNDS = 3
COPIES = 100
SMALL = Path(__file__).parents[2] / "shared" / "data" / "msproject" / "mpp14timephased.mpp"


def lxml(path: Path) -> None:
    """Go through the elements with lxml, throw each away, and look at nothing."""
    from lxml import etree

    with Peak() as peak:
        began = time.perf_counter()
        rows = 0
        for _, element in etree.iterparse(str(path)):
            rows += 1
            element.clear(keep_tail=False)
        print(f"{time.perf_counter() - began:.3f} {peak.mb:.0f} {rows}")


def small(path: Path) -> None:
    """Sync a hundred copies of *path*."""
    import shutil

    from hub_msproject.files.source import MsProjectSource

    from hub.store import Store
    from hub.testing import sync_once

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(COPIES):
            shutil.copy(path, folder / f"{number}.mpp")
        with Store.open(folder / "hub.db") as store:
            began = time.perf_counter()
            report = sync_once(store, MsProjectSource(name="p", path="*.mpp"), base=folder)
            print(f"{time.perf_counter() - began:.3f} 0 {report.changes.read}")


def ask(who: str, path: Path) -> tuple[float, float]:
    """Return the seconds and the peak of *who* in a process of its own."""
    out = subprocess.run(
        [sys.executable, __file__, who, str(path)], capture_output=True, text=True, check=True
    )
    seconds, peak, _ = out.stdout.split()
    return float(seconds), float(peak)


if __name__ == "__main__":
    if len(sys.argv) == 3:
        {"ours": ours, "lxml": lxml, "small": small}[sys.argv[1]](Path(sys.argv[2]))
        sys.exit(0)
    with tempfile.TemporaryDirectory() as folder:
        plan = Path(folder) / "large.xml"
        write_plan(plan)
        pairs = [(ask("ours", plan), ask("lxml", plan)) for _ in range(ROUNDS)]
        mine, theirs = (statistics.median(pair[side][0] for pair in pairs) for side in (0, 1))
        peak = max(one[1] for one, _ in pairs)
        size = plan.stat().st_size / 1e6
        print(f"20,000 tasks, {size:.0f} MB: ours {mine:.2f} s, lxml's bare parse {theirs:.2f} s")
        print(f"ratio {mine / theirs:.2f} (goal 1.5), peak {peak:.0f} MB (goal 60)")
    if SMALL.exists():
        print(f"{COPIES} small .mpp in one JVM: {ask('small', SMALL)[0]:.1f} s, each parsed once")
