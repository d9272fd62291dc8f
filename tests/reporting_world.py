"""A small portfolio counted by hand, and the server on it as any reader sees it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from hub_serve.app import build
from hub_serve.door import COOKIE, Sessions
from hub_serve.feeds import Feeds
from hub_serve.place import ServePlace
from hub_serve.tokens import Reader, Tokens
from starlette.testclient import TestClient

from hub import FeedView, Privacy
from hub.feed import BuildOptions
from hub.publish import PublishOptions, shown
from hub.records import (
    Access,
    Account,
    Allocation,
    Assignment,
    Baseline,
    BudgetLine,
    Container,
    Person,
    PersonLink,
    Project,
    ProjectLink,
    Rate,
    Record,
    RegisterItem,
    Target,
    Task,
    Team,
    Worklog,
)
from hub.store import Store
from hub.testing import kept_feed

DAY = 25200
"""Seconds of a day of work: seven hours."""
TEAMS = {"ann": "Red", "al": "Red", "bob": "Blue", "cleo": None}
WORK = {
    "a1": ("A", "ann"),
    "a2": ("A", "al"),
    "a3": ("A", None),
    "b1": ("B", "ann"),
    "b2": ("B", "bob"),
    "b3": ("B", "cleo"),
}
HOURS = [
    ("a1", "ann", 2),
    ("a1", "ann", 3),
    ("a2", "al", 4),
    ("b1", "ann", 1),
    ("b2", "bob", 7),
    ("b3", "cleo", 2),
]
"""Task, person and hours, on the days from 5 January 2026 on, which was a Monday."""
USERS: dict[str, list[tuple[str | None, str | None]]] = {
    "project@x.org": [("A", None)],
    "team@x.org": [(None, "Red")],
    "both@x.org": [("B", "Red")],
    "two@x.org": [("A", None), (None, "Blue")],
    "nobody@x.org": [],
}
"""Their lines in access.csv: project, team."""
LEVELS: tuple[Privacy, ...] = ("nominative-line", "pseudonym-week", "team-week", "project")


def records() -> list[Record]:
    """Return what sources bring and what the configuration says."""
    return [
        *(
            Project(id=f"config:{code}", code=code, name=f"Project {code}", phase="Build", manager_id="ann")
            for code in "AB"
        ),
        *(ProjectLink(id=f"config:l{code}", project_code=code, container_id=f"s:{code}") for code in "AB"),
        *(Person(id=f"config:p{who}", display_name=who, team=team) for who, team in TEAMS.items()),
        *(Team(id=f"config:t{team}", name=team) for team in ("Red", "Blue")),
        *(
            Access(id=f"config:x{user}{n}", user_principal=user, project_code=project, team=team)
            for user, lines in USERS.items()
            for n, (project, team) in enumerate(lines)
        ),
        Rate(id="config:r", scope="default", scope_id="*", valid_from="2020-01-01", minor_per_day=70000),
        Target(
            id="config:g", kpi="RAF", measure="avancement", goal=0.5, amber=0.9, red=1.1, direction="down"
        ),
        *(
            RegisterItem(
                id=f"config:{kind}{code}",
                project_code=code,
                kind=kind,
                title=f"{kind} {code}",
                probability=0.5,
                impact=4,
                exposure_minor=1000000,
                owner_id="ann",
                due_on="2026-06-01",
                opened_on="2026-01-02",
            )
            for code in "AB"
            for kind in ("risk", "issue")
        ),
        *(
            BudgetLine(
                id=f"config:b{code}",
                project_code=code,
                month="2026-01",
                kind="baseline",
                category="Software",
                amount_minor=500000,
            )
            for code in "AB"
        ),
        *(Container(id=f"s:{code}", kind="plan", code=code, name=code, seconds_per_day=DAY) for code in "AB"),
        *(Account(id=f"s:{who}", display_name=who) for who in TEAMS),
        Task(
            id="s:head",
            container_id="s:A",
            title="Build",
            kind="summary",
            planned_start_on="2026-01-05",
            planned_finish_on="2026-01-16",
        ),
        *(
            Task(
                id=f"s:{code}",
                container_id=f"s:{home}",
                title=code,
                kind="work",
                status_native="in_progress",
                parent_id="s:head" if code == "a1" else None,
                percent=50.0,
                assignee_id=f"s:{who}" if who else None,
                planned_start_on="2026-01-05",
                planned_finish_on="2026-01-16",
                estimate_s=10 * DAY,
                remaining_s=5 * DAY,
                created_at="2026-01-01T00:00:00Z",
            )
            for code, (home, who) in WORK.items()
        ),
        Task(
            id="s:m",
            container_id="s:A",
            title="Go live",
            kind="milestone",
            planned_finish_on="2026-02-02",
            status_native="todo",
        ),
        Task(
            id="s:gone",
            container_id="s:A",
            title="Dropped",
            status_native="cancelled",
            estimate_s=99 * DAY,
            remaining_s=99 * DAY,
            planned_start_on="2025-01-05",
            planned_finish_on="2027-01-16",
        ),
        *(
            Baseline(
                id=f"s:b{code}",
                task_id=f"s:{code}",
                start_on="2026-01-05",
                finish_on="2026-01-13",
                effort_s=8 * DAY,
            )
            for code in ("a1", "a2")
        ),
        *(
            Assignment(
                id=f"s:s{code}",
                task_id=f"s:{code}",
                account_id=f"s:{who}" if who else None,
                units=1.0,
                start_on="2026-01-05",
                finish_on="2026-01-16",
                planned_s=10 * DAY,
                actual_s=3 * DAY,
                remaining_s=7 * DAY,
            )
            for code, (_, who) in WORK.items()
        ),
        *(
            Worklog(
                id=f"s:w{n}",
                task_id=f"s:{task}",
                container_id=f"s:{WORK[task][0]}",
                account_id=f"s:{who}",
                day=f"2026-01-{5 + n:02d}",
                seconds=hours * 3600,
                approval="approved",
                billable=task.startswith("a"),
                updated_at="2026-01-31T10:00:00Z",
            )
            for n, (task, who, hours) in enumerate(HOURS)
        ),
        Worklog(
            id="s:off",
            container_id="s:A",
            account_id="s:al",
            day="2026-01-12",
            seconds=DAY,
            category="absence",
        ),
        Worklog(
            id="s:no",
            task_id="s:a1",
            container_id="s:A",
            account_id="s:ann",
            day="2026-01-13",
            seconds=9999,
            approval="rejected",
        ),
        *(
            Allocation(
                id=f"s:d{who}",
                container_id="s:A",
                account_id=f"s:{who}",
                start_on="2026-01-12",
                finish_on="2026-01-16",
                seconds=5 * DAY,
            )
            for who in ("ann", "al")
        ),
        *(
            PersonLink(
                id=f"match:{who}",
                account_id=f"s:{who}",
                person_id=f"config:p{who}",
                state="accepted",
                method="email",
                score=1,
            )
            for who in TEAMS
        ),
    ]


def fill(store: Store) -> None:
    """Write the records, one complete run a source."""
    found = records()
    for source in ("config", "s", "match"):
        store.register_source(
            source, kind="test", base_url=None, tz="UTC", seconds_per_day=DAY, freshness_max_s=3600
        )
        run = store.begin_run(source, "full")
        store.write_batch(
            [one for one in found if one.id.startswith(f"{source}:")], run_id=run, source_id=source
        )
        store.end_run(run, "ok")


def feed() -> Path:
    """Return the folder of its feed."""
    return kept_feed(fill)


def opened(root: Path, k: int = 1) -> Any:
    """Return what opens a feed below *root* for a level, a person and a feed's id; sums are of *k* people."""
    options = PublishOptions(base=root.parent, build=BuildOptions(), secret=b"s", k=k)

    def view(level: Privacy, person: str | None, feed: str) -> AbstractContextManager[FeedView]:
        return shown(root, level, options, person=person, feed=feed)

    return view


@contextmanager
def served(tmp_path: Path, *, place: ServePlace | None = None) -> Iterator[Served]:
    """Serve the portfolio, and give what signs readers in."""
    folder = feed()
    feeds = Feeds(opened(folder.parent), lambda: folder.name)
    tokens = Tokens(tmp_path / "serve")
    sessions = Sessions(tokens)
    found = Served(build(place or ServePlace(name="serve"), feeds, tokens, sessions), sessions, tokens)
    yield found
    feeds.close()


class Served:
    """The application, and its readers."""

    def __init__(self, app: Any, sessions: Sessions, tokens: Tokens) -> None:
        """Serve *app*."""
        self.app, self.sessions, self.tokens = app, sessions, tokens

    def reader(self, level: Privacy = "nominative-line", person: str | None = None) -> TestClient:
        """Return a client signed in at *level*, as *person*."""
        client = TestClient(self.app, base_url="http://127.0.0.1:8321")
        client.cookies.set(COOKIE, self.sessions.of(Reader(name="test", level=level, person=person)))
        return client


@contextmanager
def over_http(site: Served) -> Iterator[str]:
    """Serve *site* over HTTP and give its address."""
    server = uvicorn.Server(uvicorn.Config(site.app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()
