"""A small portfolio served to tests: two projects, two teams, and people who may see parts of it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any
from urllib.parse import quote

from hub_serve.app import build
from hub_serve.door import Sessions
from hub_serve.feeds import Feeds
from hub_serve.place import ServePlace
from hub_serve.tokens import Tokens
from starlette.testclient import TestClient

from hub.feed import BuildOptions
from hub.publish import PublishOptions, publish, shown
from hub.records import (
    Access,
    Account,
    Assessment,
    BudgetLine,
    Container,
    Iteration,
    Person,
    PersonLink,
    Project,
    ProjectLink,
    Record,
    RegisterItem,
    Target,
    Task,
    TaskChange,
    TaskLink,
    Team,
    Worklog,
)
from hub.store import Store
from hub.testing import kept_feed
from hub.testing.empty import store_at

# Ann and Al are Red, Bob is Blue, Cleo is in no team. Ann works in A and B, Al in A only, Bob and Cleo in B.
WORK = {"a1": ("A", "ann", "s1"), "a2": ("A", "al", None), "a3": ("A", None, None),
        "b1": ("B", "ann", "s2"), "b2": ("B", "bob", "s2"), "b3": ("B", "cleo", None)}  # fmt: skip
HOURS = [("a1", "ann"), ("a1", "ann"), ("a2", "al"), ("b1", "ann"), ("b2", "bob"), ("b3", "cleo")]
TEAMS = {"ann": "Red", "al": "Red", "bob": "Blue", "cleo": None}
RIGHTS: dict[str, list[tuple[str | None, str | None]]] = {
    "one@x.org": [("A", None)],
    "team@x.org": [(None, "Red")],
    "both@x.org": [("B", "Red")],
    "two@x.org": [("A", None), (None, "Blue")],
    "stranger@x.org": [],
}
"""What access.csv says: a project, a team, or both."""
TITLES = {"a1": "=1+1", "a2": 'Côté "nord", l\'été', "a3": "tab\there\nline", "b1": "100 %", "b2": "O'Brien"}
SECRET = b"a secret of 32 bytes, or nearly."
LEVELS = ("nominative-line", "project")


def records() -> tuple[list[Record], list[Record], list[Record]]:
    """Return what config says, what the tool brings, and who is who."""
    config: list[Record] = [
        Project(id="config:A", code="A", name="Project A"),
        Project(id="config:B", code="B", name="Projet Été"),
        *(ProjectLink(id=f"config:l{code}", project_code=code, container_id=f"s:{code}",
                      facets="actuals,effort,budget") for code in "AB"),
        *(Person(id=f"config:p{who}", display_name=who, team=team) for who, team in TEAMS.items()),
        *(Team(id=f"config:t{team}", name=team) for team in ("Red", "Blue")),
        *(Assessment(id=f"config:s{code}", project_code=code, day="2026-01-05", axis="overall", rag="green")
          for code in "AB"),
        *(RegisterItem(id=f"config:r{code}", project_code=code, kind="risk", title=f"Risk {code}")
          for code in "AB"),
        *(Target(id=f"config:g{code}", kpi="EVM_DAYS", measure="cpi", scope_id=code, amber=0.9,
                 direction="up", valid_from="2020-01-01") for code in ("*", "A", "B")),
        *(Access(id=f"config:{user}{n}", user_principal=user, project_code=project, team=team)
          for user, lines in RIGHTS.items() for n, (project, team) in enumerate(lines)),
    ]  # fmt: skip
    tool: list[Record] = [
        *(Container(id=f"s:{code}", kind="project", code=code, name=code) for code in "AB"),
        *(Account(id=f"s:{who}", display_name=who) for who in TEAMS),
        Iteration(id="s:s1", container_id="s:A", name="S1", state="active"),
        Iteration(id="s:s2", container_id="s:B", name="S2", state="active"),
        *(Task(id=f"s:{code}", container_id=f"s:{home}", code=code, title=TITLES.get(code, code), kind="work",
               status_raw="todo", assignee_id=f"s:{who}" if who else None,
               iteration_id=f"s:{sprint}" if sprint else None, labels=f"red,{code}",
               created_at="2026-01-01T00:00:00Z")
          for code, (home, who, sprint) in WORK.items()),
        *(Worklog(id=f"s:w{n}", task_id=f"s:{task}", container_id=f"s:{WORK[task][0]}", account_id=f"s:{who}",
                  day=f"2026-01-0{n + 1}", seconds=3600 * (n + 1)) for n, (task, who) in enumerate(HOURS)),
        *(BudgetLine(id=f"s:b{code}{month}", project_code=code, kind="consumed", category="licences",
                     month=f"2026-0{month}", amount_minor=minor, currency="EUR")
          for code in "AB" for month, minor in ((1, 10025), (2, 5050))),
        *(TaskChange(id=f"s:c{code}", task_id=f"s:{code}", field="status", from_value="todo",
                     to_value="doing", at="2026-01-02T00:00:00Z") for code in ("a1", "b2")),
        TaskLink(id="s:k1", from_id="s:a1", to_id="s:a3", type="FS"),
        TaskLink(id="s:k2", from_id="s:a1", to_id="s:b1", type="FS"),
        TaskLink(id="s:k3", from_id="s:b2", to_id="s:b1", type="FS"),
    ]  # fmt: skip
    links: list[Record] = [
        PersonLink(id=f"match:{who}", account_id=f"s:{who}", person_id=f"config:p{who}", state="accepted",
                   method="email", score=1) for who in TEAMS
    ]  # fmt: skip
    return config, tool, links


def fill(store: Store) -> None:
    """Write the portfolio into *store*, one complete run a source."""
    for group in records():
        source = group[0].id.partition(":")[0]
        store.register_source(
            source, kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=3600
        )
        run = store.begin_run(source, "full")
        store.write_batch(group, run_id=run, source_id=source)
        store.end_run(run, "ok")


class Site:
    """A server on a folder of feeds, asked without a network."""

    def __init__(self, root: Path, tokens: Path, **settings: Any) -> None:
        """Serve the feeds in *root*; *tokens* is a folder of its own."""
        self.root = root
        self.place = ServePlace(name="serve", requests_per_minute=10_000_000, **settings)
        options = PublishOptions(base=root, build=BuildOptions(), secret=SECRET, k=1)
        self.feeds = Feeds(
            lambda level, person, feed: shown(root, level, options, person=person, feed=feed),
            self._current,
            seconds=self.place.seconds,
            is_kept=lambda feed: (root / feed / "manifest.json").exists(),
        )
        self.tokens = Tokens(tokens)
        self.app = build(self.place, self.feeds, self.tokens, Sessions(self.tokens))

    def _current(self) -> str | None:
        file = self.root / "CURRENT"
        return file.read_text(encoding="utf-8").strip() if file.exists() else None

    def client(self, *, level: Any = "nominative-line", person: str | None = None) -> Client:
        """Return one who asks at *level*, all rows or those of *person*."""
        known = f"{level} {person} {len(self.tokens.all())}"
        return Client(self, self.tokens.create(known, level=level, days=1, person=person))


class Client(TestClient):
    """One who asks with a token; paths are below the root of the service."""

    def __init__(self, site: Site, token: str) -> None:
        """Ask *site*."""
        super().__init__(site.app, base_url="http://localhost:8321", raise_server_exceptions=True)
        self.auth = ("any", token)
        self.token = token

    def ask(
        self, path: str, method: str = "GET", headers: dict[str, str] | None = None, **options: str
    ) -> Any:
        """Return the answer to *path* with the system query *options*, without their ``$``."""
        query = "&".join(f"${key}={quote(value, safe='')}" for key, value in options.items())
        return self.request(
            method, f"/odata/v4/{path}{'?' if query else ''}{query}", headers=headers, follow_redirects=False
        )

    def rows(self, path: str, **options: str) -> list[dict[str, Any]]:
        """Return the rows of *path*, which has to be well."""
        answer = self.ask(path, **options)
        assert answer.status_code == 200, answer.text
        return answer.json()["value"]  # type: ignore[no-any-return]


def follow(client: Client, path: str, size: int) -> list[dict[str, Any]]:
    """Return the rows of all pages of at most *size* rows, each of which is full but the last."""
    found: list[dict[str, Any]] = []
    url = f"/odata/v4/{path}"
    while url:
        answer = client.get(url, headers={"prefer": f"odata.maxpagesize={size}"})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        url = body.get("@odata.nextLink", "")
        assert len(body["value"]) == size or not url
        found += body["value"]
    return found


@functools.cache
def feed_folder() -> Path:
    """Return the folder of feeds of the portfolio, made once."""
    return kept_feed(fill).parent


def publish_again(root: Path, title: str) -> str:
    """Publish the portfolio into *root*, with a project called *title*, and return the feed's id."""
    with store_at(root / f"{len(list(root.iterdir()))}.db") as store:
        fill(store)
        run = store.begin_run("config", "full")
        group = [one for one in records()[0] if one.id != "config:A"]
        group.append(Project(id="config:A", code="A", name=title))
        store.write_batch(group, run_id=run, source_id="config")
        store.end_run(run, "ok")
        options = PublishOptions(base=root, build=BuildOptions(), force="a test", keep=2)
        return Path(publish(store, root / "feed", [], options).folder).name
