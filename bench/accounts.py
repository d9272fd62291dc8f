"""What it costs that a source accounts for what it met: its share of a sync of a file of hours.

A first one, and one in which every row changed, so that fields are looked for that vanished.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from hub_tabular.source import TabularSource

from hub.store import Store, vanished
from hub.sync import Options, sync
from hub.sync.accounts import Accounts

ROWS, ROUNDS = 50_000, 3
MAPPING = """record = "worklog"
key = ["Id"]
[fields]
account_id = "Who"
container_id = "Project"
day = "Day"
seconds = { column = "Hours", unit = "hours" }
"""


def write(folder: Path, month: int = 1) -> None:
    """Write a file of hours and its mapping."""
    lines = ["Id;Who;Project;Day;Hours"]
    lines += [
        f"{n};P{n % 300};A{n % 40};2026-{(n + month) % 12 + 1:02}-{n % 28 + 1:02};{n % 8},25"
        for n in range(ROWS)
    ]
    (folder / "hours.csv").write_text("\n".join(lines) + "\n")
    (folder / "hours.toml").write_text(MAPPING)


class Clocked:
    """The processor time that a method of `Accounts` takes in all."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self.spent = 0.0

    def around(self, owner: Any, name: str) -> None:
        """Watch the function *name* of a class or module."""
        method = getattr(owner, name)

        def watched(*args: Any, **kwargs: Any) -> Any:
            began = time.thread_time()
            try:
                return method(*args, **kwargs)
            finally:
                self.spent += time.thread_time() - began

        setattr(owner, name, watched)


if __name__ == "__main__":
    clocked = Clocked()
    for name in ("sound", "waits", "compare", "share", "keep", "settle", "settle_source", "lines", "tally"):
        clocked.around(Accounts, name)
    clocked.around(vanished, "account_for")
    shares: dict[str, list[float]] = {"a first sync": [], "one in which each row changed": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            source = TabularSource(name="s", path="hours.csv", mapping="hours.toml", max_leave=1.0)
            with Store.open(folder / "hub.db") as store:
                for month, found in enumerate(shares.values()):
                    write(folder, month)
                    clocked.spent = 0.0
                    began = time.process_time()
                    report = sync(store, [source], Options(base=folder))
                    found.append(clocked.spent / (time.process_time() - began))
                    assert report.exit_code == 0, report.sources[0].missing
    for what, found in shares.items():
        print(f"accounting for {ROWS:,} rows: {min(found):.1%} of {what} (goal: 3 %)")
    sys.exit(max(map(min, shares.values())) > 0.03)
