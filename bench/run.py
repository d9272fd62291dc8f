"""Run every benchmark in a process of its own and print its ratios: `make bench`."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent

if __name__ == "__main__":
    failed = 0
    for name in (
        "start",
        "mspdi",
        "plans",
        "store",
        "accounts",
        "feed",
        "shares",
        "figures",
        "forecasts",
        "jira_sync",
        "sources",
        "tableau",
        "papers",
        "longevity",
        "pages",
        "serve",
    ):
        print(f"\n== {name} ==", flush=True)
        failed |= subprocess.run(
            [sys.executable, str(HERE / f"{name}.py"), *sys.argv[1:]], check=False
        ).returncode
    sys.exit(failed)
