"""A real Redmine that nobody here wrote: its whole life, and the store equal to what the server itself says.

`make test-redmine` starts a scratch server, or takes REDMINE_URL and REDMINE_API_KEY of an administrator; it
is written to. The other side of the comparison is a reading of its own, of a server at rest: nothing of the
connector's.
"""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_redmine.marks import OVERLAP
from hub_redmine.settings import NOT_FOUND
from hub_redmine.source import RedmineSource
from hub_redmine.testing.server import KEY, URL, Server

from hub import Secret
from hub.http import Session
from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once

__all__ = ["store"]
pytestmark = pytest.mark.skipif(not (URL and KEY), reason="needs a scratch Redmine: make test-redmine")
EDITS = 500
KEPT = {
    "status_id",
    "assigned_to_id",
    "due_date",
    "start_date",
    "fixed_version_id",
    "estimated_hours",
    "done_ratio",
    "parent_id",
    "tracker_id",
    "project_id",
}


@pytest.fixture
def server() -> Server:
    return Server()


def source(**settings: Any) -> RedmineSource:
    return RedmineSource(
        name="redmine",
        url=URL,
        key=Secret("env", "REDMINE_API_KEY", Path()),
        tz="Europe/Paris",
        fields={"baseline_finish": "Baseline due date", "billable": "Billable"},
        custom=("Workstreams",),
        max_leave=1.0,
        **settings,
    )


def go(store: Store, **options: Any) -> SourceReport:
    report = sync_once(store, source(), **options)
    assert ([], [], "ok") == (report.missing, report.held, report.verdict)
    return report


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.connection.execute(sql)]


LIVE = "presence NOT IN ('deleted', 'trashed')"


def same_issues(store: Store, server: Server, *, but: frozenset[int] = frozenset()) -> int:
    """Hold issues and their statuses, people, dates and parents against the server."""

    def ref(row: dict[str, Any], name: str, prefix: str) -> str | None:
        return f"redmine:{prefix}{row[name]['id']}" if row.get(name) else None

    wanted = {
        (
            f"redmine:{row['id']}",
            row["subject"],
            row["status"]["name"],
            ref(row, "project", "p"),
            ref(row, "assigned_to", "u"),
            ref(row, "parent", ""),
            row["start_date"],
            row["due_date"],
            row["done_ratio"],
            row["updated_on"],
            None if row["estimated_hours"] is None else round(row["estimated_hours"] * 3600),
        )
        for row in server.issues()
    }
    ours = {
        row
        for row in rows(
            store,
            "SELECT id, title, status_raw, container_id, assignee_id, parent_id, planned_start_on, due_on, "
            "percent, updated_at, estimate_s "
            f"FROM task WHERE kind = 'work' AND {LIVE}",
        )
        if int(str(row[3]).removeprefix("redmine:p")) not in but
    }
    assert wanted == ours
    return len(wanted)


def same_hours(store: Store, server: Server, *, since: str = "", but: frozenset[int] = frozenset()) -> float:
    """Hold the hours per person and month, and where each entry is, against the server."""
    wanted: dict[tuple[str, str], int] = defaultdict(int)
    places = set()
    for row in server.entries():
        if row["spent_on"] >= since:
            wanted[f"redmine:u{row['user']['id']}", row["spent_on"][:7]] += round(row["hours"] * 60) * 60
            places.add(
                (
                    f"redmine:t{row['id']}",
                    f"redmine:{row['issue']['id']}" if "issue" in row else None,
                    f"redmine:p{row['project']['id']}",
                    row["spent_on"],
                )
            )
    away = ", ".join(f"'redmine:p{one}'" for one in but) or "''"
    live = (
        f"FROM worklog w WHERE day >= '{since}' AND w.{LIVE} AND container_id NOT IN ({away}) "
        "AND coalesce(task_id, '') NOT IN "
        "(SELECT id FROM task WHERE presence IN ('deleted', 'trashed'))"
    )
    assert wanted == {
        (who, month): seconds
        for who, month, seconds in rows(
            store, f"SELECT account_id, substr(day, 1, 7), sum(seconds) {live} GROUP BY 1, 2"
        )
    }
    assert places == set(rows(store, f"SELECT id, task_id, container_id, day {live}"))
    return sum(wanted.values()) / 3600


def same_journals(store: Store, server: Server) -> int:
    """Hold the history of statuses, and the number of all changes that are kept, against the server."""
    names = {
        str(row["id"]): row["name"] for row in server.call("GET", "/issue_statuses.json")["issue_statuses"]
    }
    wanted, count = set(), 0
    for issue in server.issues():
        for journal in server.call("GET", f"/issues/{issue['id']}.json?include=journals")["issue"][
            "journals"
        ]:
            for detail in journal["details"]:
                if detail["property"] == "attr" and detail["name"] in KEPT:
                    count += 1
                    if detail["name"] == "status_id":
                        wanted.add(
                            (
                                f"redmine:{issue['id']}",
                                names[detail["old_value"]],
                                names[detail["new_value"]],
                                journal["created_on"],
                                f"redmine:u{journal['user']['id']}",
                            )
                        )
    live = f"FROM task_change c JOIN task t ON t.id = c.task_id WHERE t.{LIVE} AND t.presence <> 'hidden'"
    assert wanted == set(
        rows(
            store,
            f"SELECT c.task_id, c.from_value, c.to_value, c.at, c.author_id {live} AND c.field = 'status'",
        )
    )
    assert [(count,)] == rows(store, f"SELECT count(*) {live}")
    return count


def same_links(store: Store, server: Server) -> None:
    wanted = {
        (f"redmine:r{one['id']}", f"redmine:{one['issue_id']}", f"redmine:{one['issue_to_id']}")
        for row in server.issues()
        for one in row["relations"]
    }
    live = "t.presence NOT IN ('deleted', 'trashed')"
    ours = set(
        rows(
            store,
            "SELECT l.id, from_id, to_id FROM task_link l JOIN task t ON t.id = l.from_id "
            f"JOIN task u ON u.id = l.to_id WHERE l.{LIVE} AND {live} AND u.{live[2:]}",
        )
    )
    assert wanted == ours


Deed = Callable[[], Any]


class Day:
    """What clients of a Redmine do in a day; some of it is refused, as it is to them."""

    def __init__(self, server: Server, rng: random.Random) -> None:
        self.server, self.rng = server, rng
        people = [row for row in server.all("users") if row["login"] != "admin"]
        self.users = [row["login"] for row in people]
        self.people = [row["id"] for row in people]
        self.statuses = [row["id"] for row in server.call("GET", "/issue_statuses.json")["issue_statuses"]]
        self.projects = [row["id"] for row in server.all("projects")]
        activities = server.call("GET", "/enumerations/time_entry_activities.json")
        self.activities = [row["id"] for row in activities["time_entry_activities"]]
        self.issues = [row["id"] for row in server.issues()]
        self.entries = [row["id"] for row in server.entries()]
        self.today = date.fromisoformat(max(row["spent_on"] for row in server.entries()))

    def deeds(self) -> Iterator[Deed]:
        kinds: dict[Callable[[], Deed], int] = {
            self.status: 10,
            self.field: 8,
            self.parent: 3,
            self.move: 3,
            lambda: self.create: 5,
            lambda: self.delete("issues", self.issues): 2,
            lambda: self.book: 10,
            self.rebook: 5,
            lambda: self.delete("time_entries", self.entries): 3,
            self.relate: 2,
        }
        for _ in range(EDITS):
            yield self.rng.choices(list(kinds), list(kinds.values()))[0]()

    def change(self, body: dict[str, Any]) -> Deed:
        native, user = self.rng.choice(self.issues), self.rng.choice([None, self.rng.choice(self.users)])
        return lambda: self.server.call("PUT", f"/issues/{native}.json", {"issue": body}, user=user)

    def status(self) -> Deed:
        notes = self.rng.choice(["", "relance faite"])
        return self.change({"status_id": self.rng.choice(self.statuses), "notes": notes})

    def field(self) -> Deed:
        due = self.today + timedelta(days=self.rng.randrange(90))
        bodies: list[dict[str, Any]] = [
            {"done_ratio": self.rng.randrange(0, 101, 10)},
            {"due_date": due.isoformat()},
            {"assigned_to_id": self.rng.choice(self.people)},
            {"estimated_hours": self.rng.choice([1, 2.5, 80])},
            {"subject": f"Renommé « {self.rng.random()} »"},
        ]
        return self.change(self.rng.choice(bodies))

    def parent(self) -> Deed:
        return self.change({"parent_issue_id": self.rng.choice([*self.issues, ""])})

    def move(self) -> Deed:
        return self.change({"project_id": self.rng.choice(self.projects)})

    def create(self) -> None:
        issue = {
            "project_id": self.rng.choice(self.projects),
            "tracker_id": self.rng.choice([1, 2, 3]),
            "subject": f"Né aujourd'hui {self.rng.random()}",
            "estimated_hours": self.rng.choice([None, 3.5]),
        }
        if made := self.server.call("POST", "/issues.json", {"issue": issue}):
            self.issues.append(made["issue"]["id"])

    def book(self) -> None:
        day = self.today - timedelta(days=self.rng.choice([0, 1, 2, 3, 10, 200]))
        on_issue = self.rng.random() < 0.9
        entry = {
            "issue_id" if on_issue else "project_id": self.rng.choice(
                self.issues if on_issue else self.projects
            ),
            "hours": self.rng.choice([0.25, 0.33, 1.75, 7]),
            "spent_on": day.isoformat(),
            "activity_id": self.rng.choice(self.activities),
            "user_id": self.rng.choice(self.people),
        }
        if made := self.server.call("POST", "/time_entries.json", {"time_entry": entry}):
            self.entries.append(made["time_entry"]["id"])

    def rebook(self) -> Deed:
        native, hours = self.rng.choice(self.entries), self.rng.choice([0.5, 2, 6.75])
        body = {"time_entry": {"hours": hours}}
        return lambda: self.server.call("PUT", f"/time_entries/{native}.json", body)

    def delete(self, path: str, ids: list[int]) -> Deed:
        native = ids.pop(self.rng.randrange(len(ids)))
        return lambda: self.server.call("DELETE", f"/{path}/{native}.json")

    def relate(self) -> Deed:
        one, other = self.rng.sample(self.issues, 2)
        body = {"relation": {"issue_to_id": other, "relation_type": "relates"}}
        return lambda: self.server.call("POST", f"/issues/{one}/relations.json", body)


def test_a_day_of_edits(store: Store, server: Server, tmp_path: Path) -> None:
    """After a day of 500 edits all of it is equal, and a quiet run cheap.

    First a full reading; runs fall in the middle of the edits, one of them killed.
    """
    first = go(store)
    assert len(server.issues()) == same_issues(store, server)
    same_journals(store, server)
    print(f"\nfull: {first.requests} requests, {first.changes.read} records, {first.seconds:.1f} s")

    rng = random.Random(500)
    stop = threading.Event()
    runs: list[SourceReport] = []
    todo = Day(server, rng).deeds()
    done = 0

    def edit() -> None:
        nonlocal done
        for deed in todo:
            deed()
            done += 1
        stop.set()

    thread = threading.Thread(target=edit)
    thread.start()
    while not stop.is_set():
        runs.append(go(store))
        if len(runs) == 2:
            _killed(store, tmp_path)
    thread.join()
    assert EDITS == done
    assert server.refused < EDITS / 3, "most edits must have been taken"
    last = go(store, census=True)
    issues = same_issues(store, server)
    changes = same_journals(store, server)
    window = store.cursors("redmine")["hours"]["since"]
    recent = same_hours(store, server, since=window)
    print(
        f"{EDITS - server.refused} edits taken, {server.refused} refused by Redmine; "
        f"{len(runs)} runs among them, then {last.requests} requests: "
        f"{issues} issues, {changes} changes and {recent:g} h since {window} equal"
    )
    go(store, full=True)
    print(f"all {same_hours(store, server):g} h equal after a whole reading")
    same_links(store, server)

    time.sleep(OVERLAP.total_seconds() + 2)
    server.call("PUT", f"/issues/{server.issues()[0]['id']}.json", {"issue": {"notes": "le lendemain"}})
    server.call(
        "POST",
        "/time_entries.json",
        {
            "time_entry": {
                "issue_id": server.issues()[0]["id"],
                "hours": 1,
                "activity_id": 8,
                "spent_on": window,
            }
        },
    )
    go(store)
    time.sleep(3)
    go(store)
    quiet = go(store)
    pages = sum(row["spent_on"] >= window for row in server.entries()) // 99 + 1
    print(
        f"quiet: {quiet.requests} requests, {pages} of them for the hours since {window}; "
        f"{quiet.changes.read} records"
    )
    assert quiet.requests <= 3 + pages
    assert 0 == quiet.changes.inserted + quiet.changes.updated


def _killed(store: Store, tmp_path: Path) -> None:
    """Kill another process that syncs into the same store."""
    (tmp_path / "config").mkdir(exist_ok=True)
    (tmp_path / "config" / "hub.toml").write_text(
        f'store = "sqlite:///{store.where}"\n[sources.redmine]\nkind = "redmine"\nurl = "{URL}"\n'
        'key = { env = "REDMINE_API_KEY" }\n'
        'tz = "Europe/Paris"\nfields = { baseline_finish = "Baseline due date", billable = "Billable" }\n'
        'custom = ["Workstreams"]\nmax_leave = 1.0\n'
    )
    process = subprocess.Popen(
        [Path(sys.executable).with_name("hub"), "sync", "--full"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    time.sleep(6)
    process.kill()
    process.wait()


def test_projects_come_and_go(store: Store, server: Server) -> None:
    """Archived is hidden and comes back, closed stays, and what is deleted is proven so.

    A locked user keeps the hours.
    """
    go(store)
    before = rows(store, f"SELECT count(*) FROM task WHERE {LIVE}")
    archived, closed = (
        server.call("GET", f"/projects/{name}.json")["project"]["id"]
        for name in ("old-programme", "facilities-move")
    )
    user = next(row["id"] for row in server.all("users") if row["login"] == "user4")
    server.call("PUT", f"/projects/{archived}/archive.json")
    server.call("PUT", f"/projects/{closed}/close.json")
    server.call("PUT", f"/users/{user}.json", {"user": {"status": 3}})
    gone = [row["id"] for row in server.issues() if not row.get("parent")][:3]
    for native in gone:
        server.call("DELETE", f"/issues/{native}.json")
    unbooked = server.entries()[0]["id"]
    server.call("DELETE", f"/time_entries/{unbooked}.json")

    go(store, full=True)
    assert [("hidden",)] == rows(store, f"SELECT presence FROM container WHERE id = 'redmine:p{archived}'")
    assert 5 == server.call("GET", f"/projects/{closed}.json")["project"]["status"]
    assert [("present",)] == rows(store, f"SELECT presence FROM container WHERE id = 'redmine:p{closed}'")
    assert [(0,)] == rows(store, f"SELECT active FROM account WHERE id = 'redmine:u{user}'")
    for native in gone:
        assert [("deleted", NOT_FOUND)] == rows(
            store, f"SELECT presence, presence_evidence FROM task WHERE id = 'redmine:{native}'"
        )
    assert [("deleted", NOT_FOUND)] == rows(
        store, f"SELECT presence, presence_evidence FROM worklog WHERE id = 'redmine:t{unbooked}'"
    )
    same_issues(store, server, but=frozenset({archived}))
    same_hours(store, server, but=frozenset({archived}))

    server.call("PUT", f"/projects/{archived}/unarchive.json")
    server.call("PUT", f"/projects/{closed}/reopen.json")
    server.call("PUT", f"/users/{user}.json", {"user": {"status": 1}})
    go(store)
    assert [("present",)] == rows(store, f"SELECT presence FROM container WHERE id = 'redmine:p{archived}'")
    same_issues(store, server)
    same_hours(store, server)
    same_journals(store, server)
    (count,), (remaining,) = before[0], rows(store, f"SELECT count(*) FROM task WHERE {LIVE}")[0]
    assert count > remaining


def test_a_check_says_what_it_saw() -> None:
    """Who, how much, and what the statuses are taken for."""
    with_http = Context(base=Path(), source_id="redmine", session=Session)
    told = {one.name: (one.state, one.detail) for one in source().check(with_http)}
    assert ("ok", "signed in as admin") == told["account"]
    assert "Closed done" in told["statuses"][1]
    assert "New to do" in told["statuses"][1]
    assert {"ok"} == {state for state, _ in told.values()}
