"""What it costs that a source accounts for what it met, and that files and answers have limits.

The account as its share of a sync of a file of hours, a first one and one in which every row changed, so that
fields are looked for that vanished. Limits of files as their share of a sync of the same hours, packed and as
a workbook. Limits of answers as what they add to a bare reading and parse of as many bytes: no sync is less.
"""

from __future__ import annotations

import gzip
import http.server
import json
import sys
import tempfile
import threading
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import msgspec
import openpyxl
import requests
from hub_tabular import sheets
from hub_tabular import source as tabular
from hub_tabular.source import TabularSource

from hub.http import Limits, Session
from hub.store import Store, vanished
from hub.sync import Options, sync
from hub.sync.accounts import Accounts

ROWS, ROUNDS = 50_000, 3
ANSWERS, ANSWER_BYTES = 200, 500_000
MAPPING = """record = "worklog"
key = ["Id"]
[fields]
account_id = "Who"
container_id = "Project"
day = "Day"
seconds = { column = "Hours", unit = "hours" }
"""


def write(folder: Path, month: int = 1) -> str:
    """Write a file of hours and its mapping; return the file as text."""
    lines = ["Id;Who;Project;Day;Hours"]
    lines += [
        f"{n};P{n % 300};A{n % 40};2026-{(n + month) % 12 + 1:02}-{n % 28 + 1:02};{n % 8},25"
        for n in range(ROWS)
    ]
    text = "\n".join(lines) + "\n"
    (folder / "hours.csv").write_text(text)
    (folder / "hours.toml").write_text(MAPPING)
    return text


def packed(folder: Path) -> str:
    """Write the hours as a packed text."""
    (folder / "hours.csv.gz").write_bytes(gzip.compress(write(folder).encode()))
    return "hours.csv.gz"


def workbook(folder: Path) -> str:
    """Write the hours as a workbook."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("Hours")
    for line in write(folder).splitlines():
        sheet.append(line.split(";"))
    book.save(folder / "hours.xlsx")
    return "hours.xlsx"


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


def accounts() -> dict[str, float]:
    """Return the share of the account of a sync."""
    clocked = Clocked()
    for name in ("sound", "waits", "compare", "share", "keep", "settle", "settle_source", "lines", "tally"):
        clocked.around(Accounts, name)
    clocked.around(vanished, "account_for")
    shares: dict[str, list[float]] = {"a first sync": [], "one in which each row changed": []}
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            with Store.open(folder / "hub.db") as store:
                for month, found in enumerate(shares.values()):
                    write(folder, month)
                    found.append(share(store, folder, "hours.csv", clocked))
    return {f"accounting for {ROWS:,} rows, of {what}": min(found) for what, found in shares.items()}


def share(store: Store, folder: Path, path: str, clocked: Clocked) -> float:
    """Return the share of a sync of *path* that *clocked* saw."""
    source = TabularSource(name="s", path=path, mapping="hours.toml", max_leave=1.0)
    clocked.spent = 0.0
    began = time.process_time()
    report = sync(store, [source], Options(base=folder))
    assert report.exit_code == 0, report.sources[0].missing
    return clocked.spent / (time.process_time() - began)


def files() -> dict[str, float]:
    """Return the share that the limits of a file have of a first sync."""
    clocked, found = Clocked(), {}
    for module in (sheets.books, tabular):
        clocked.around(module, "check_size")
    for make in (packed, workbook):
        shares = []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory() as name:
                folder = Path(name)
                path = make(folder)
                with Store.open(folder / "hub.db") as store:
                    shares.append(share(store, folder, path, clocked))
        found[f"limits of {path}, of a first sync"] = min(shares)
    return found


class _Site(http.server.BaseHTTPRequestHandler):
    """A site that gives the same page to whoever asks."""

    protocol_version = "HTTP/1.1"
    page = json.dumps(
        [{"id": n, "hours": 7.25, "title": f"Task {n}"} for n in range(ANSWER_BYTES // 45)]
    ).encode()

    def do_GET(self) -> None:
        """Answer."""
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(self.page)))
        self.end_headers()
        self.wfile.write(self.page)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


def answers() -> dict[str, float]:
    """Return what the limits of an answer add to the processor time of asking for it and parsing it."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}/"
    guarded, plain, limits = Session(), requests.Session(), Limits()

    def ask(session: requests.Session, within: Session | None) -> float:
        began = time.thread_time()
        for _ in range(ANSWERS):
            with within.watch.over() if within else nullcontext():
                response = session.get(address, stream=True, timeout=60)
                if within:
                    limits.take_body(response, address)
            msgspec.json.decode(response.content)
        return time.thread_time() - began

    pairs = [(ask(guarded.requests, guarded), ask(plain, None)) for _ in range(2 * ROUNDS)]
    server.shutdown()
    mine, bare = (min(pair[side] for pair in pairs) for side in (0, 1))
    return {f"limits of answers of {len(_Site.page) // 1000} kB, of asking and parsing": mine / bare - 1}


if __name__ == "__main__":
    shares = accounts() | files() | answers()
    for what, found in shares.items():
        print(f"{what}: {found:.1%} (goal: 3 %)")
    sys.exit(max(shares.values()) > 0.03)
