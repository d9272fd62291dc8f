"""Jira: ``hub sync`` against a floor that makes the same requests bare, on as many connections.

And against one chain of pages, and the script a user would write. Every figure has the interpreter's start.

Each runs in a process of its own against the same site, which has every answer ready; wall and CPU seconds,
peak memory, requests. ``--tap`` adds tap-jira from PyPI, in an environment of its own, over TLS because it
knows nothing else; ``--large`` adds 100,000 issues.
"""

from __future__ import annotations

import json
import os
import resource
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
EMAIL, SECRET = "kit@example.org", "kit-s3cret-Zq7"
JOBS = 8


def _session() -> Any:
    import requests

    session = requests.Session()
    session.auth = (EMAIL, SECRET)
    session.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=JOBS))
    return session


_DDL = """
CREATE TABLE task (id TEXT PRIMARY KEY, project TEXT, parent TEXT, code TEXT, title TEXT, type TEXT,
    status TEXT, category TEXT, priority TEXT, assignee TEXT, created TEXT, updated TEXT, due TEXT,
    estimate INT, spent INT, remaining INT, points REAL, sprint TEXT, labels TEXT);
CREATE TABLE worklog (id TEXT PRIMARY KEY, task TEXT, author TEXT, started TEXT, seconds INT, updated TEXT);
CREATE TABLE change (id TEXT PRIMARY KEY, task TEXT, field TEXT, a TEXT, b TEXT, at TEXT, author TEXT);
"""


def _rows(issues: list[Any]) -> tuple[list[Any], list[Any], list[Any]]:
    tasks, logs, changes = [], [], []
    for one in issues:
        f = one["fields"]
        tasks.append(
            (
                one["id"],
                f["project"]["id"],
                (f.get("parent") or {}).get("id"),
                one["key"],
                f["summary"],
                f["issuetype"]["name"],
                f["status"]["name"],
                f["status"]["statusCategory"]["key"],
                (f.get("priority") or {}).get("name"),
                (f.get("assignee") or {}).get("accountId"),
                f["created"],
                f["updated"],
                f.get("duedate"),
                f.get("timeoriginalestimate"),
                f.get("timespent"),
                f.get("timeestimate"),
                f.get("customfield_10016"),
                str((f.get("customfield_10020") or [{}])[-1].get("id")),
                " ".join(f.get("labels") or []),
            )
        )
        logs += [_log(log) for log in f["worklog"]["worklogs"]]
        changes += [
            _change(one["id"], line, item) for line in one["changelog"]["histories"] for item in line["items"]
        ]
    return tasks, logs, changes


def _log(log: Any) -> tuple[Any, ...]:
    return (
        log["id"],
        log["issueId"],
        log["author"]["accountId"],
        log["started"],
        log["timeSpentSeconds"],
        log["updated"],
    )


def _change(issue: str, line: Any, item: Any) -> tuple[Any, ...]:
    return (
        f"{line['id']}/{item['field']}",
        issue,
        item["field"],
        item["fromString"],
        item["toString"],
        line["created"],
        line["author"]["accountId"],
    )


def _put(connection: sqlite3.Connection, found: tuple[list[Any], list[Any], list[Any]]) -> None:
    with connection:
        for name, rows in zip(("task", "worklog", "change"), found, strict=True):
            if rows:
                connection.executemany(
                    f"INSERT OR REPLACE INTO {name} VALUES ({', '.join('?' * len(rows[0]))})", rows
                )


def floor(url: str, place: Path) -> None:
    """Make the requests that ours makes, parse them with the same decoder, insert the rows bare."""
    import msgspec
    from hub_jira import wire

    from hub.testing.kit import credential  # the same imports cost the same start

    del credential
    session, api = _session(), f"{url}/rest/api/2"
    connection = sqlite3.connect(place / "floor.db")
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _DDL)

    def ask(method: str, path: str, body: Any = None) -> Any:
        return msgspec.json.decode(session.request(method, api + path, json=body).content)

    for path in (
        "/field",
        "/issuetype",
        "/serverInfo",
        "/project/search?startAt=0&maxResults=100&status=live%2Carchived%2Cdeleted",
    ):
        ask("GET", path)
    ask("POST", "/search/approximate-count", {"jql": "created >= 0"})
    ids: list[str] = []
    token = None
    while True:
        page = ask(
            "POST",
            "/search/jql",
            {"jql": "created >= 0 ORDER BY created ASC, key ASC", "fields": ["id"], "maxResults": 5000}
            | ({"nextPageToken": token} if token else {}),
        )
        ids += [one["id"] for one in page["issues"]]
        if not (token := page.get("nextPageToken")):
            break
    ids.sort(key=int)
    names = [
        *wire.SYSTEM_FIELDS,
        "customfield_10014",
        "customfield_10015",
        "customfield_10016",
        "customfield_10020",
        "customfield_10021",
        "customfield_10030",
        "worklog",
    ]

    def fetch(part: list[str]) -> Any:
        return ask(
            "POST", "/issue/bulkfetch", {"issueIdsOrKeys": part, "fields": names, "expand": ["changelog"]}
        )["issues"]

    with ThreadPoolExecutor(JOBS) as pool:
        for issues in pool.map(fetch, [ids[start : start + 100] for start in range(0, len(ids), 100)]):
            _put(connection, _rows(issues))


def chain(url: str, place: Path) -> None:
    """Walk the pages of the search one after the other, lists embedded."""
    import msgspec

    session, api = _session(), f"{url}/rest/api/2"
    connection = sqlite3.connect(place / "chain.db")
    connection.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;" + _DDL)
    token = None
    while True:
        body = {
            "jql": "created >= 0",
            "maxResults": 100,
            "expand": "changelog",
            "fields": [
                "summary",
                "status",
                "issuetype",
                "project",
                "created",
                "updated",
                "parent",
                "priority",
                "assignee",
                "duedate",
                "labels",
                "worklog",
                "timeoriginalestimate",
                "timespent",
                "timeestimate",
                "customfield_10016",
                "customfield_10020",
            ],
        }
        page = msgspec.json.decode(
            session.post(f"{api}/search/jql", json=body | ({"nextPageToken": token} if token else {})).content
        )
        _put(connection, _rows(page["issues"]))
        if not (token := page.get("nextPageToken")):
            return


def naive(url: str, place: Path) -> None:
    """Run the script a user would write; it needs `jira` from PyPI beside what the hub needs.

    Hold the objects of the `jira` package in a list, ask for the worklogs of each issue, insert by
    sqlite-utils.
    """
    import jira
    import sqlite_utils

    client = jira.JIRA(server=url, basic_auth=(EMAIL, SECRET), options={"check_update": False})
    issues = client.enhanced_search_issues(
        "created >= 0",
        maxResults=False,
        expand="changelog",
        fields="summary,status,project,created,updated,worklog",
    )
    base = sqlite_utils.Database(place / "naive.db")
    base["task"].insert_all(
        (
            {"id": i.id, "key": i.key, "title": i.fields.summary, "status": i.fields.status.name}
            for i in issues
        ),
        pk="id",
    )
    base["change"].insert_all(
        (
            {"id": f"{line.id}/{item.field}", "issue": i.id, "to": item.toString}
            for i in issues
            for line in i.changelog.histories
            for item in line.items
        ),
        pk="id",
    )
    base["worklog"].insert_all(
        (
            {"id": log.id, "issue": i.id, "seconds": log.timeSpentSeconds}
            for i in issues
            for log in client.worklogs(i.id)
        ),
        pk="id",
    )


RUNS = {"floor": floor, "chain": chain, "naive": naive}


def measure(name: str, url: str, place: Path | None = None) -> dict[str, float]:
    """Run one in a process of its own; return wall and CPU seconds with its start, peak MB and requests.

    ``ours`` is ``hub sync``. What is in *place* already is what a run finds.
    """
    if place is None:
        with tempfile.TemporaryDirectory() as folder:
            return measure(name, url, Path(folder))
    words = [sys.executable, __file__, "run", name, url]
    if name == "ours":
        words = [sys.executable, "-m", "hub", "--config", str(place / "hub.toml"), "sync"]
        (place / "hub.toml").write_text(
            f'[sources.jira]\nkind = "jira"\nurl = "{url}"\nemail = "{EMAIL}"\n'
            'token = { env = "BENCH_TOKEN" }\n'
        )
    ask(url, "/bench")
    with (place / "said").open("w+") as said:
        began = time.perf_counter()
        process = subprocess.Popen(
            words, cwd=place, stdout=said, stderr=said, env=os.environ | {"BENCH_TOKEN": SECRET}
        )
        _, code, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - began
        process.returncode = code
        if code:
            said.seek(0)
            raise SystemExit(f"{name} failed:\n{said.read()[-2000:]}")
    peak = used.ru_maxrss / (1024 if os.uname().sysname == "Linux" else 1024**2)
    asked = ask(url, "/bench")["asked"]
    return {"wall": wall, "cpu": used.ru_utime + used.ru_stime, "peak": peak, "requests": asked}


def ask(url: str, path: str) -> Any:
    """Ask the site about itself."""
    with urllib.request.urlopen(url + path) as answer:
        return json.load(answer)


def tap() -> dict[str, float]:
    """Run tap-jira into a file: issues, changelogs and worklogs."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        subprocess.run([sys.executable, "-m", "venv", place / "env"], check=True)
        subprocess.run(
            [place / "env/bin/pip", "install", "-q", "tap-jira==2.6.0"], check=True, stderr=subprocess.DEVNULL
        )
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "rsa:2048",
                "-nodes",
                "-keyout",
                place / "key.pem",
                "-out",
                place / "cert.pem",
                "-days",
                "2",
                "-subj",
                "/CN=127.0.0.1",
                "-addext",
                "subjectAltName=IP:127.0.0.1",
            ],
            check=True,
            capture_output=True,
        )
        certificate = (place / "cert.pem").read_text()
        (place / "both.pem").write_text(certificate + (place / "key.pem").read_text())
        (bundle,) = place.glob("env/lib/*/site-packages/certifi/cacert.pem")
        bundle.write_text(bundle.read_text() + certificate)
        for url in site(10_000, certificate=place / "both.pem"):
            (place / "config.json").write_text(
                json.dumps(
                    {
                        "start_date": "2020-01-01T00:00:00Z",
                        "user_agent": "bench",
                        "username": EMAIL,
                        "password": SECRET,
                        "base_url": url,
                    }
                )
            )
            run_tap = [str(place / "env/bin/tap-jira"), "--config", str(place / "config.json")]
            catalog = json.loads(
                subprocess.run([*run_tap, "--discover"], capture_output=True, check=True).stdout
            )
            for stream in catalog["streams"]:
                if stream["stream"] in {"issues", "changelogs", "worklogs"}:
                    stream["schema"]["selected"] = True
                    stream["metadata"][0]["metadata"]["selected"] = True
                    for one in stream["metadata"]:
                        one["metadata"]["selected"] = True
            (place / "catalog.json").write_text(json.dumps(catalog))
            context = ssl.create_default_context(cafile=place / "cert.pem")
            found = []
            for _ in range(2):  # the first fills the site's memory
                with urllib.request.urlopen(url + "/bench", context=context):
                    pass
                before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
                with (place / "out.jsonl").open("w") as out:
                    subprocess.run(
                        [*run_tap, "--properties", str(place / "catalog.json")],
                        stdout=out,
                        stderr=subprocess.DEVNULL,
                        check=True,
                    )
                wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
                with urllib.request.urlopen(url + "/bench", context=context) as answer:
                    asked = json.load(answer)["asked"]
                cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
                found.append({"wall": wall, "cpu": cpu, "peak": after.ru_maxrss / 1024, "requests": asked})
            rows = Counter(
                json.loads(line).get("stream") for line in (place / "out.jsonl").open() if '"RECORD"' in line
            )
            print(f"tap-jira wrote {dict(rows)}")
            return found[-1]
    raise SystemExit("no site")


def site(issues: int, *, certificate: Path | None = None) -> Iterator[str]:
    """Start a site and return its address; with a *certificate* it speaks TLS."""
    words = [sys.executable, str(HERE / "jira_site.py"), str(issues)] + (
        ["--certificate", str(certificate)] if certificate else []
    )
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield f"http{'s' if certificate else ''}://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.kill()


def show(title: str, found: dict[str, dict[str, float]]) -> None:
    """Print one table."""
    print(f"\n{title}\n{'':9}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'requests':>10}")
    for name, one in found.items():
        print(f"{name:9}{one['wall']:9.2f}{one['cpu']:9.2f}{one['peak']:9.0f}{one['requests']:10.0f}")


def best(url: str, *names: str, rounds: int = 3) -> dict[str, dict[str, float]]:
    """Return the best of some runs of each, one after the other; the first ones fill the site's memory."""
    runs = [{name: measure(name, url) for name in names} for _ in range(rounds)]
    return {name: min((one[name] for one in runs), key=lambda one: one["wall"]) for name in names}


def quiet(url: str, rounds: int = 5) -> dict[str, float]:
    """Return the best of some increments after which nothing changed."""
    with tempfile.TemporaryDirectory() as folder:
        found = [measure("ours", url, Path(folder)) for _ in range(rounds + 2)]
    return min(found[2:], key=lambda one: one["wall"])


def main() -> int:
    """Print the tables and the ratios; fail when a goal is missed."""
    if {"-h", "--help"} & set(sys.argv):
        print(__doc__)
        return 0
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # an installed program has its bytecode
    missed = []
    for url in site(10_000):
        measure("ours", url)
        small = best(url, "ours", "floor", "chain") | {"naive": measure("naive", url), "quiet": quiet(url)}
        if "--tap" in sys.argv:
            small["tap-jira"] = tap()
        show("10,000 issues, 30,000 worklogs, 50,000 changes", small)
        ask(url, "/bench?latency=0.1")
        slow = best(url, "ours", "floor", "chain")
        show("the same with 100 ms of latency a request", slow)
        ask(url, "/bench?latency=0")
    goals = {
        "wall, ours to floor (goal 1.5)": (small["ours"]["wall"] / small["floor"]["wall"], 1.5),
        "CPU, ours to floor (goal 1.5)": (small["ours"]["cpu"] / small["floor"]["cpu"], 1.5),
        "peak MB of ours, of 100 (goal 1)": (small["ours"]["peak"] / 100, 1.0),
        "quiet increment to half a second (goal 1)": (small["quiet"]["wall"] / 0.5, 1.0),
        "with latency, ours to floor (goal 1.2)": (slow["ours"]["wall"] / slow["floor"]["wall"], 1.2),
    }
    if "--large" in sys.argv:
        for url in site(100_000):
            measure("ours", url)
            large = {"ours": measure("ours", url)}
            show("100,000 issues", large)
        goals["memory, 100,000 issues to 10,000 (goal 1.3)"] = (
            large["ours"]["peak"] / small["ours"]["peak"],
            1.3,
        )
    print()
    for name, (ratio, goal) in goals.items():
        print(f"{name}: {ratio:.2f}{'' if ratio <= goal else '  MISSED'}")
        missed += [name] * (ratio > goal)
    return len(missed)


if __name__ == "__main__":
    if sys.argv[1:2] == ["run"]:
        RUNS[sys.argv[2]](sys.argv[3], Path.cwd())
    else:
        sys.exit(main())
