"""What a command costs before it works, as ratios to `python -c "import click"` on the same machine.

What is compared is processor time, the least of five.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECTS = "code;name;level\nP1;One;project\n"


def cost(folder: Path, *command: str) -> float:
    """Return the seconds of processor time that *command* takes, the least of five."""
    least = float("inf")
    for _ in range(5):
        before = os.times()
        subprocess.run([sys.executable, *command], cwd=folder, capture_output=True, check=True)
        after = os.times()
        least = min(least, sum(after[2:4]) - sum(before[2:4]))
    return least


def main() -> None:
    """Measure help, status and a quiet sync of reference data, with what plugins offer known and unknown."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        os.environ["PM_HUB_CACHE"] = str(folder / "cache")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
        (folder / "config").mkdir()
        (folder / "config" / "projects.csv").write_text(PROJECTS)
        (folder / "config" / "hub.toml").write_text("")
        subprocess.run([sys.executable, "-m", "hub", "sync"], cwd=folder, capture_output=True, check=True)
        unit = cost(folder, "-c", "import click")
        print(f"python -c 'import click': {unit:.3f} s of processor time")
        for words in ("--help", "status", "sync"):
            spent = cost(folder, "-m", "hub", words)
            print(f"hub {words}: {spent / unit:.1f} times that ({spent:.2f} s)")
        os.environ["PM_HUB_CACHE"] = str(
            folder / "cache" / ".." / "config" / "hub.toml"
        )  # nothing can be kept there
        spent = cost(folder, "-m", "hub", "--help")
        print(f"hub --help with plugins unknown: {spent / unit:.1f} times that ({spent:.2f} s)")


if __name__ == "__main__":
    main()
