"""What OData costs beside a bare loop of DuckDB, and whether it stands many readers and a change of feeds.

The server is a process of its own on a feed of a million worklogs. The bare loop is the least that JSON of
these rows can cost: DuckDB writes the texts, Python joins them. `--short` keeps each part to a few seconds.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from base64 import b64encode
from pathlib import Path

import duckdb

from hub.feed import model, open_feed
from hub.testing.empty import store_at

ROOT = Path(__file__).resolve().parent.parent
PORT = 8399
ROWS = 1_000_000
MOST_MB = 700
"""Resident memory of the server that no reading by pages may reach."""
WORKLOG = """
    SELECT 'w:' || md5(i::VARCHAR) AS worklog_id, DATE '2024-01-01' + (i % 700)::INTEGER AS work_date,
        strftime(DATE '2024-01-01' + (i % 700)::INTEGER, '%Y%m%d')::BIGINT AS date_key,
        i % 200 AS project_key, i % 50000 AS task_key, i % 400 AS person_key, 1::BIGINT AS source_key,
        'project' AS category, i % 2 AS is_billable, 'approved' AS approval, i % 28800 AS seconds,
        (i % 28800) / 25200.0::DOUBLE AS days, ((i % 28800) / 3.0)::DECIMAL(18, 2) AS amount,
        TIMESTAMPTZ '2026-01-01 00:00:00+00' + INTERVAL (i) SECOND AS updated_at,
        NULL::VARCHAR AS sealed_month, 'day' AS grain
    FROM range({rows}) r (i)
"""


def feed(folder: Path, name: str, rows: int) -> None:
    """Write a feed of *rows* worklogs, each table with the columns of the model."""
    place = folder / name
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    tables = {}
    for table, one in model().tables.items():
        (place / table).mkdir(parents=True)
        query = WORKLOG.format(rows=rows)
        if table != "fact_worklog":
            query = f"SELECT {one.read_as(())} WHERE false"
        if table in {"dim_source", "dim_project"}:
            key = "source_key" if table == "dim_source" else "project_key"
            listed = dict.fromkeys(one.columns, "NULL") | {key: "i", "name": f"'{name}'"}
            query = "SELECT " + ", ".join(f"{v}::{one.columns[c].type} AS {c}" for c, v in listed.items())
            query += " FROM range(1, 2) r (i)" if table == "dim_source" else " FROM range(200) r (i)"
        query += f" ORDER BY {', '.join(one.key)}"  # as a feed is written
        connection.execute(f"COPY ({query}) TO '{place / table / 'data.parquet'}' (ROW_GROUP_SIZE 122880)")
        tables[table] = {"rows": rows if table == "fact_worklog" else 0}
    manifest = {"contract": model().contract, "feed_id": name, "moment": "2026-01-01T00:00:00Z",
                "tables": tables, "sources": [], "hub": "bench"}  # fmt: skip
    (place / "manifest.json").write_text(json.dumps(manifest))
    connection.close()


def bare(folder: Path) -> tuple[float, float]:
    """Return seconds and processor seconds of the least loop over all rows."""
    connection = open_feed(folder)
    connection.execute("SET TimeZone = 'UTC'")
    kinds = {"DATE": "'\"' || {0}::VARCHAR || '\"'", "VARCHAR": "to_json({0})::VARCHAR",
             "TIMESTAMPTZ": "strftime({0}, '\"%Y-%m-%dT%H:%M:%S.%fZ\"')"}  # fmt: skip
    listed = [
        f"'\"{name}\":', coalesce({kinds.get(one.type, '{0}::VARCHAR').format(name)}, 'null')"
        for name, one in model().tables["fact_worklog"].columns.items()
    ]
    begun, cpu = time.perf_counter(), time.process_time()
    joined = ", ',', ".join(listed)
    result = connection.execute(f"SELECT concat('{{', {joined}, '}}') FROM fact_worklog")
    while rows := result.fetchmany(1000):
        ",".join([row[0] for row in rows]).encode()
    took = time.perf_counter() - begun, time.process_time() - cpu
    connection.close()
    return took


class Server:
    """`hub serve` on a folder of its own."""

    def __init__(self, base: Path) -> None:
        (base / "config").mkdir(exist_ok=True)
        (base / "config" / "hub.toml").write_text(
            'store = "sqlite:///data/hub.db"\nfeed = "data/feed"\n'
            '[destinations.serve]\nkind = "serve"\nprivacy = "nominative-line"\n'
            "requests_per_minute = 1000000\n"
        )
        command = [sys.executable, "-m", "hub"]
        token = subprocess.run(
            [*command, "token", "create", "bench", "--level", "nominative-line"],
            cwd=base, check=True, capture_output=True, text=True, env=os.environ,
        ).stdout.strip()  # fmt: skip
        self.headers = {"Authorization": "Basic " + b64encode(f"x:{token}".encode()).decode()}
        self.base = base
        self.start()

    def start(self) -> None:
        """Begin to serve."""
        self.process = subprocess.Popen(
            [sys.executable, "-m", "hub", "serve", "--port", str(PORT)], cwd=self.base,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        for _ in range(300):
            try:
                self.get("/odata/v4/dim_source")
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("the server did not start")

    def stop(self) -> None:
        """End as an administrator does: what was begun is answered to its end."""
        self.process.terminate()
        self.process.wait(90)

    def get(self, path: str, prefer: str = "", keep: int = 3000) -> tuple[int, int, bytes]:
        """Return status, bytes and the last *keep* bytes of the body of *path*."""
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=120)
        connection.request("GET", path, headers={**self.headers, "Prefer": prefer})
        answer = connection.getresponse()
        size, end = 0, b""
        while part := answer.read(1 << 20):
            size += len(part)
            end = (end + part)[-keep:]
        connection.close()
        return answer.status, size, end

    def cpu(self) -> float:
        """Return the processor seconds that the server has taken."""
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def mb(self) -> float:
        """Return its resident memory in MB."""
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
        return 0.0


def paged(server: Server, size: int) -> tuple[float, float, int, float]:
    """Read all worklogs by pages; return seconds, the server's processor seconds, pages and its peak MB."""
    begun, cpu, pages, peak = time.perf_counter(), server.cpu(), 0, 0.0
    path = "/odata/v4/fact_worklog"
    while path:
        status, _, end = server.get(path, f"odata.maxpagesize={size}" if size else "")
        assert status == 200, end
        pages, peak = pages + 1, max(peak, server.mb())
        found = end.rpartition(b'"@odata.nextLink":"')
        path = (
            found[2].partition(b'"')[0].decode().removeprefix(f"http://127.0.0.1:{PORT}") if found[1] else ""
        )
    return time.perf_counter() - begun, server.cpu() - cpu, pages, peak


def expanded(server: Server) -> tuple[float, int, float]:
    """Read all projects with the rows behind them, by each link to the rest; return as `paged`, with rows."""
    begun, lines, peak = time.perf_counter(), 0, 0.0
    left = ["/odata/v4/dim_project?$select=project_key&$expand=fact_worklog($select=worklog_id,seconds)"]
    while left:
        status, _, text = server.get(left.pop(), keep=1 << 30)
        assert status == 200, text[-300:]
        lines, peak = lines + text.count(b'"worklog_id"'), max(peak, server.mb())
        left += [
            one.decode().removeprefix(f"http://127.0.0.1:{PORT}")
            for one in re.findall(rb'nextLink":"([^"]+)"', text)
        ]
    return time.perf_counter() - begun, lines, peak


def crowd(
    server: Server, readers: int, seconds: float, path: str, odd: list[str], feeds: tuple[str, ...] = (),
    *, restarts: bool = False,
) -> tuple[int, float]:  # fmt: skip
    """Let *readers* ask *path* for *seconds*; return how often it was answered and the longest wait.

    An answer that names more than one of *feeds* is odd. Where the server *restarts*, a question that nobody
    took is asked again; an answer that was begun ends well, or is odd.
    """
    until, counts, waits = time.perf_counter() + seconds, [0] * readers, [0.0] * readers

    def read(n: int) -> None:
        while time.perf_counter() < until:
            begun = time.perf_counter()
            try:
                status, _, end = server.get(path, keep=10_000_000)
                named = sum(1 for one in feeds if f'"{one}"'.encode() in end)
                if status != 200 or not end.endswith(b"]}") or named != bool(feeds):
                    odd.append(f"{status} {end[-80:]!r}")
            except (ConnectionRefusedError, ConnectionResetError, http.client.RemoteDisconnected) as exc:
                if not restarts:  # else it was not listened to, and is asked again
                    odd.append(repr(exc))
                time.sleep(0.1)
                continue
            except (OSError, http.client.HTTPException) as exc:
                odd.append(repr(exc))
            counts[n] += 1
            waits[n] = max(waits[n], time.perf_counter() - begun)

    threads = [threading.Thread(target=read, args=(n,)) for n in range(readers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts), max(waits)


def switching(server: Server, feeds: list[str], root: Path, seconds: float) -> tuple[int, int, list[str]]:
    """Change the current feed every second, and restart the server every 15, under 100 clients.

    Return how many answers there were, how often it was started again, and what was wrong with any answer.
    """
    odd: list[str] = []
    over = threading.Event()

    def change() -> None:
        n = 0
        while not over.wait(1.0):
            n += 1
            spare = root / "CURRENT.new"
            spare.write_text(feeds[n % len(feeds)])
            spare.replace(root / "CURRENT")

    starts = [0]

    def restart() -> None:
        while not over.wait(15.0):
            server.stop()
            server.start()
            starts[0] += 1

    changers = [threading.Thread(target=one) for one in (change, restart)]
    for one in changers:
        one.start()
    path = "/odata/v4/fact_worklog?$top=200&$expand=source($select=name)"
    counts = crowd(server, 100, seconds, path, odd, tuple(feeds), restarts=True)
    over.set()
    for one in changers:
        one.join()
    return counts[0], starts[0], odd


def main() -> int:
    """Print the figures; the exit code says whether they are as they should be."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--minutes", type=float, help="Of feeds that change and restarts under load.")
    options = parser.parse_args([one for one in sys.argv[1:] if one != "--json"])
    rows = ROWS // 10 if options.short else ROWS
    base = Path(tempfile.mkdtemp(prefix="pm-hub-bench-"))
    root = base / "data" / "feed"
    root.mkdir(parents=True)
    names = ["20260101T000000Z-aaaaaa", "20260102T000000Z-bbbbbb"]
    for name in names:
        feed(root, name, rows)
    with store_at(base / "data" / "hub.db"):
        (root / "CURRENT").write_text(names[0])
    server = Server(base)
    try:
        took, cpu = bare(root / names[0])
        print(f"bare loop: {rows / took:,.0f} rows/s, {rows / cpu:,.0f} rows a processor second")
        ok = True
        for size in (0, 250_000, 50_000):
            seconds, used, pages, peak = paged(server, size)
            ratio = cpu / used
            print(
                f"pages of {size or 'the server'}: {pages} pages, {rows / seconds:,.0f} rows/s, "
                f"{rows / used:,.0f} rows a processor second, {ratio:.2f} of the bare loop, {peak:.0f} MB"
            )
            ok &= ratio >= 0.5 or size == 50_000
        seconds, lines, peak = expanded(server)
        print(f"projects with their hours, to the last of them: {lines / seconds:,.0f} rows/s, {peak:.0f} MB")
        ok &= lines == rows and peak < MOST_MB
        odd: list[str] = []
        begun = time.perf_counter()
        many, longest = crowd(server, 50, 5 if options.short else 20, "/odata/v4/fact_worklog?$top=5000", odd)
        spent = time.perf_counter() - begun
        print(
            f"50 readers: {many / spent:.0f} answers/s of 5,000 rows, longest {longest:.1f} s, "
            f"{len(odd)} errors, {server.mb():.0f} MB"
        )
        seconds = 60 * (options.minutes or (0.4 if options.short else 1))
        many, starts, wrong = switching(server, names, root, seconds)
        print(
            f"100 clients for {seconds:.0f} s, a feed a second, {starts} restarts: {many} answers, "
            f"{len(wrong)} wrong {wrong[:2]}"
        )
        return 0 if ok and not odd and not wrong else 1
    finally:
        server.process.terminate()
        server.process.wait(30)
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
