"""Forecast 200 projects with 10,000 runs each, a year of committees forecast again beside them."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from memory import Peak

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from portfolios import KINDS, lived

from hub.feed.forecast.engine import RUNS, Moment, forecast


def narrowed(moment: Moment, keys: set[int]) -> Moment:
    """Return *moment* with the projects *keys* alone."""
    kept = {key: one for key, one in moment.projects.items() if key in keys}
    return msgspec.structs.replace(moment, projects=kept)


def timed(work: Callable[[], Any]) -> tuple[float, float]:
    """Return seconds by the clock and of processor time."""
    began, spent = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - spent


if __name__ == "__main__":
    _, moments = lived(KINDS, 700, 1)
    running = [[key for key, one in each.projects.items() if np.isnan(one.finished)] for each in moments]
    at = max(range(12, len(moments)), key=lambda place: len(running[place]))
    keys = set(running[at][:200])
    year = [narrowed(one, keys) for one in moments[at - 12 : at + 1]]
    with Peak() as peak:
        clock, alone = timed(lambda: forecast(year[-1:]))
        clock_all, whole = timed(lambda: forecast(year))
    print(
        f"{len(keys)} projects, {RUNS:,} runs each: {alone:.1f} s of processor ({clock:.1f} s by the clock); "
        f"with 12 committees forecast again {whole:.1f} s ({clock_all:.1f} s), goal at most 10; "
        f"peak {peak.mb:.0f} MB"
    )
    sys.exit(0 if whole <= 10 else 1)
