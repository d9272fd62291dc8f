"""Jira: our full reading against a floor that makes the same requests bare.

And against one chain of pages, and the script a user would write.

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


def ours(url: str, place: Path) -> None:
    """Sync by the connector into the store."""
    from hub_jira.source import JiraSource

    from hub.store import Store
    from hub.sync import Options, sync
    from hub.testing.kit import credential

    source = JiraSource(name="jira", url=url, email=EMAIL, token=credential())
    with Store.open(place / "hub.db") as store:
        report = sync(store, [source], Options(base=place, jobs=JOBS)).sources[0]
    assert report.verdict == "ok", report.missing[:2]


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
    """Run the script a user would write.

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


RUNS = {"ours": ours, "floor": floor, "chain": chain, "naive": naive}


def measure(name: str, url: str) -> dict[str, float]:
    """Run one in a process of its own, and return wall and CPU seconds, peak MB and requests."""
    ask(url, "/bench")
    done = subprocess.run(
        [sys.executable, __file__, "run", name, url], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    return {**json.loads(done.stdout), "requests": ask(url, "/bench")["asked"]}


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


def run(name: str, url: str) -> None:
    """Run one here and print what it took."""
    with tempfile.TemporaryDirectory() as folder:
        wall, cpu = time.perf_counter(), time.process_time()
        RUNS[name](url, Path(folder))
        result = {"wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}
    result["peak"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (
        1024 if os.uname().sysname == "Linux" else 1024**2
    )
    print(json.dumps(result))


def show(title: str, found: dict[str, dict[str, float]]) -> None:
    """Print one table."""
    print(f"\n{title}\n{'':9}{'wall s':>9}{'CPU s':>9}{'peak MB':>9}{'requests':>10}")
    for name, one in found.items():
        print(f"{name:9}{one['wall']:9.2f}{one['cpu']:9.2f}{one['peak']:9.0f}{one['requests']:10.0f}")


def best(name: str, url: str, rounds: int = 3) -> dict[str, float]:
    """Return the best of some runs; the first fills the site's memory."""
    return min((measure(name, url) for _ in range(rounds)), key=lambda one: one["wall"])


def main() -> int:
    """Print the tables and the ratios; fail when a goal is missed."""
    missed = []
    for url in site(10_000):
        measure("ours", url)
        small = {name: best(name, url) for name in ("ours", "floor", "chain")} | {
            "naive": measure("naive", url)
        }
        if "--tap" in sys.argv:
            small["tap-jira"] = tap()
        show("10,000 issues, 30,000 worklogs, 50,000 changes", small)
        ask(url, "/bench?latency=0.1")
        slow = {name: best(name, url, 2) for name in ("ours", "floor", "chain")}
        show("the same with 100 ms of latency a request", slow)
        ask(url, "/bench?latency=0")
    goals = {
        "wall, ours to floor (goal 1.5)": (small["ours"]["wall"] / small["floor"]["wall"], 1.5),
        "CPU, ours to floor (goal 1.5)": (small["ours"]["cpu"] / small["floor"]["cpu"], 1.5),
        "with latency, ours to one chain of pages (goal 0.2)": (
            slow["ours"]["wall"] / slow["chain"]["wall"],
            0.2,
        ),
        "with latency, ours to floor (goal 1.5)": (slow["ours"]["wall"] / slow["floor"]["wall"], 1.5),
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
        run(*sys.argv[2:4])
    else:
        sys.exit(main())
