"""Forecast 200 projects with 10,000 runs each, the record of a year of committees beside them."""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from memory import Peak
from portfolios import KINDS, lived

from hub.feed.forecast.engine import RUNS, forecast

if __name__ == "__main__":
    worlds, moments = lived(KINDS, 380, 1)
    busiest = max(
        range(12, len(moments)),
        key=lambda at: sum(one.finished != one.finished for one in moments[at].projects.values()),
    )
    now, past = moments[busiest], moments[busiest - 12 : busiest]
    going = [key for key, one in now.projects.items() if one.finished != one.finished][:200]
    with Peak() as peak:
        began = time.perf_counter()
        alone = forecast([now])
        first = time.perf_counter() - began
        began = time.perf_counter()
        forecast([*past, now])
        whole = time.perf_counter() - began
    n = len({one.project for one in alone})
    print(
        f"{n} projects, {RUNS:,} runs each: {first:.1f} s; with 12 committees forecast again: {whole:.1f} s; "
        f"for 200 projects {200 * whole / n:.1f} s (goal at most 10), peak {peak.mb:.0f} MB"
    )
    sys.exit(0 if 200 * whole / n <= 10 and len(going) else 1)
