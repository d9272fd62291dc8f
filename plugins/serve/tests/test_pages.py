"""The pages: well formed, in both languages, and never more than the level and the rows of who looks."""

from __future__ import annotations

import functools
import itertools
import re
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from hub_serve.app import build
from hub_serve.door import Sessions
from hub_serve.feeds import Feeds
from hub_serve.pages.load import heat, moved_by
from hub_serve.place import ServePlace
from hub_serve.tokens import Reader, Tokens
from starlette.testclient import TestClient

from hub import catalogue, model
from hub.feed import BuildOptions
from hub.publish import PublishOptions, cuts, publish, shown
from hub.records import (
    Access,
    Account,
    Allocation,
    Assessment,
    Baseline,
    BudgetLine,
    Container,
    Iteration,
    Person,
    PersonLink,
    Project,
    ProjectLink,
    Rate,
    Record,
    RegisterItem,
    SlaCycle,
    Target,
    Task,
    TaskChange,
    Team,
    Worklog,
)
from hub.testing.empty import store_at

TODAY = date.today()
DAY = 25200
CUT = "COPIL <été> & 2026"
LEVELS = ("project", "team-week", "pseudonym-week", "nominative-line")
ONES = {"A/1": "Quokka", "B": "Wombat", "C": "Numbat"}
"""Codes and names of the projects; a name stands in everything that a project has."""
PEOPLE = {
    "ann": ("Ann Adler", "Red", "A/1"),
    "bob": ("Bob Busard", "Blue", "B"),
    "cleo": ("Cleo Crow", "Blue", "C"),
}
READERS: dict[str, set[str]] = {
    "one@x.org": {"Quokka"},
    "two@x.org": {"Quokka", "Wombat"},
    "nobody@x.org": set(),
    "red@x.org": {"Quokka"},
}
"""Who sees which projects, by hand: *red* is of a team, which worked in one of them alone.

At the level of projects there is no team that a row could be of.
"""


def ago(days: int) -> str:
    return (TODAY - timedelta(days=days)).isoformat()


def fill(store: Any, records: list[Record]) -> None:
    for source in dict.fromkeys(one.id.partition(":")[0] for one in records):
        store.register_source(
            source, kind="test", base_url=None, tz="UTC", seconds_per_day=DAY, freshness_max_s=10**9
        )
        run = store.begin_run(source, "full")
        store.write_batch(
            [one for one in records if one.id.startswith(f"{source}:")], run_id=run, source_id=source
        )
        store.end_run(run, "ok")


def project(code: str, name: str, who: str, *, slip: int) -> list[Record]:
    """Return all that a project can have."""
    box, at = f"s:{name}", f"s:{name}-"
    return [
        Project(id=f"config:{name}", code=code, name=name, customer=f"{name} & sons"),
        Container(id=box, kind="project", code=name, name=name, seconds_per_day=DAY),
        ProjectLink(id=f"config:{name}/s", project_code=code, container_id=box, facets="actuals,effort"),
        Iteration(
            id=f"{at}s1",
            container_id=box,
            name=f"{name} sprint",
            state="active",
            start_at=f"{ago(7)}T00:00:00Z",
            finish_at=f"{ago(-7)}T00:00:00Z",
        ),
        *(
            Task(
                id=f"{at}t{n}",
                container_id=box,
                code=f"{name}-{n}",
                title=f"{name} task <{n}>",
                kind="work",
                status_raw="doing",
                status_native="in_progress",
                assignee_id=f"s:{who}",
                percent=40,
                points=3,
                iteration_id=f"{at}s1",
                created_at=f"{ago(40)}T00:00:00Z",
                planned_start_on=ago(30),
                planned_finish_on=ago(-30),
                estimate_s=10 * DAY,
                remaining_s=6 * DAY,
                nature="incident",
                url=f"https://tool.example.org/{name}/{n}",
            )
            for n in range(3)
        ),
        Task(
            id=f"{at}m",
            container_id=box,
            title=f"{name} goes live",
            kind="milestone",
            status_native="todo",
            planned_finish_on=ago(-20 - slip),
            url=f"https://tool.example.org/{name}/m",
        ),
        Task(
            id=f"{at}d",
            container_id=box,
            code=f"{name}-d",
            title=f"{name} done",
            status_native="done",
            created_at=f"{ago(20)}T00:00:00Z",
            resolved_at=f"{ago(5)}T00:00:00Z",
            actual_finish_on=ago(5),
        ),
        TaskChange(
            id=f"{at}c1",
            task_id=f"{at}d",
            field="status",
            from_value="todo",
            to_value="in_progress",
            at=f"{ago(15)}T00:00:00Z",
        ),
        TaskChange(
            id=f"{at}c2",
            task_id=f"{at}d",
            field="status",
            from_value="in_progress",
            to_value="done",
            at=f"{ago(5)}T00:00:00Z",
        ),
        Baseline(id=f"{at}t0/b", task_id=f"{at}t0", effort_s=10 * DAY, start_on=ago(30), finish_on=ago(-30)),
        Baseline(id=f"{at}m/b", task_id=f"{at}m", finish_on=ago(-20)),
        *(
            Worklog(
                id=f"{at}w{n}",
                container_id=box,
                task_id=f"{at}t0",
                account_id=f"s:{who}",
                day=ago(8 + n),
                seconds=3600,
            )
            for n in range(60)
        ),
        Allocation(
            id=f"{at}a",
            account_id=f"s:{who}",
            task_id=f"{at}t0",
            container_id=box,
            start_on=ago(10),
            finish_on=ago(-40),
            seconds=40 * DAY,
        ),
        BudgetLine(
            id=f"{at}b",
            project_code=code,
            month=ago(20)[:7],
            kind="baseline",
            category=f"{name} services",
            amount_minor=12_345_600,
        ),
        BudgetLine(
            id=f"{at}f",
            project_code=code,
            month=ago(-40)[:7],
            kind="forecast",
            category=f"{name} services",
            amount_minor=14_000_000,
        ),
        RegisterItem(
            id=f"{at}r",
            project_code=code,
            kind="risk",
            title=f"{name} risk",
            probability=0.4,
            impact=4,
            exposure_minor=2_500_000,
            opened_on=ago(10),
            due_on=ago(2),
        ),
        RegisterItem(
            id=f"{at}q",
            project_code=code,
            kind="decision",
            title=f"{name} decision",
            asked_of=f"{name} board",
            opened_on=ago(10),
            due_on=ago(-10),
        ),
        SlaCycle(
            id=f"{at}l",
            task_id=f"{at}d",
            name="resolution",
            metric="resolution",
            cycle_no=1,
            start_at=f"{ago(20)}T00:00:00Z",
            stop_at=f"{ago(5)}T00:00:00Z",
            goal_s=3600,
            elapsed_s=7200,
            breached=True,
        ),
        Assessment(
            id=f"{at}v", project_code=code, day=ago(3), axis="overall", rag="green", commentary=f"{name} word"
        ),
    ]


def portfolio(slip: int) -> list[Record]:
    return [
        Rate(id="config:rate", scope="default", valid_from="2000-01-01", minor_per_day=50_000),
        Target(
            id="config:g",
            kpi="MILESTONE_SLIP",
            measure="slip_days",
            scope_id="*",
            amber=1,
            red=10,
            direction="down",
            valid_from="2020-01-01",
            in_weather=True,
        ),
        *(Team(id=f"config:team/{team}", name=team) for team in ("Red", "Blue")),
        *(
            Person(id=f"config:{who}", display_name=name, email=f"{who}@x.org", team=team)
            for who, (name, team, _) in PEOPLE.items()
        ),
        *(Account(id=f"s:{who}", display_name=name) for who, (name, _, _) in PEOPLE.items()),
        *(
            PersonLink(
                id=f"match:{who}",
                account_id=f"s:{who}",
                person_id=f"config:{who}",
                state="accepted",
                method="email",
                score=1,
            )
            for who in PEOPLE
        ),
        *(
            Access(id=f"config:x{n}", user_principal=user, **what)
            for n, (user, what) in enumerate(
                (
                    ("one@x.org", {"project_code": "A/1"}),
                    ("two@x.org", {"project_code": "A/1"}),
                    ("two@x.org", {"project_code": "B"}),
                    ("red@x.org", {"team": "Red"}),
                )
            )
        ),
        *itertools.chain(
            *(
                project(code, ONES[code], who, slip=slip * n)
                for n, (who, (_, _, code)) in enumerate(PEOPLE.items(), 1)
            )
        ),
    ]


@functools.cache
def hub_at() -> Path:
    """Return a folder with a feed of now and one closed cut."""
    base = Path(tempfile.mkdtemp(prefix="pm-hub-pages-"))
    with store_at(base / "hub.db") as store:
        fill(store, portfolio(0))
        cuts.take(store, kind="copil", label="COPIL 0", actor="me")
        cuts.take(store, kind="copil", label=CUT, actor="me")
        cuts.close(store, base / "feed", CUT, BuildOptions(), actor="me")
        fill(store, portfolio(9))
        publish(store, base / "feed", [], OPTIONS(base))
    return base


def OPTIONS(base: Path) -> PublishOptions:  # noqa: N802
    return PublishOptions(base=base, build=BuildOptions(), force="a test", k=1, secret=b"s" * 32)


@contextmanager
def browser(reader: Reader | None, **settings: Any) -> Iterator[TestClient]:
    """Give a browser that signed in as *reader*, or one that did not."""
    base = hub_at()
    feeds = Feeds(
        lambda level, person, feed: shown(base / "feed", level, OPTIONS(base), person=person, feed=feed),
        lambda: (base / "feed" / "CURRENT").read_text().strip(),
    )
    tokens = Tokens(Path(tempfile.mkdtemp(prefix="pm-hub-tokens-")))
    sessions = Sessions(tokens)
    place = ServePlace(name="serve", requests_per_minute=100_000, **settings)
    with TestClient(build(place, feeds, tokens, sessions), base_url="http://127.0.0.1:8321") as client:
        client.app_state = (tokens, sessions)  # type: ignore[attr-defined]
        if reader is not None:
            client.cookies.set("pm_hub", sessions.of(reader))
        yield client


SHORT = ("RAF", "SLA")
"""KPIs whose pages `make test` looks at; the proof looks at all."""


def addresses(proof: bool) -> list[str]:
    """Return every page there is, of every project; of pages that differ by a code alone, some."""
    kpis = [one for one in catalogue() if proof or one in SHORT]
    tables = [one for one in model().tables if proof or one in {"dim_project", "fact_kpi"}]
    of_projects = [f"/projects/{code}" for code in ONES]
    rows = [f"/figures/{kpi}/rows?project={code}" for kpi in kpis for code in ONES]
    return [
        "/",
        "/?weather=red",
        f"/?cut={CUT.replace('&', '%26')}",
        *of_projects,
        "/moves",
        "/moves?vs=COPIL+0",
        "/load",
        *(f"/load?project={code}&weeks=2" for code in ONES),
        "/flow",
        "/service",
        "/figures",
        *(f"/figures/{kpi}" for kpi in kpis),
        *rows,
        "/sources",
        "/dictionary",
        *(f"/dictionary/{table}" for table in tables),
        "/connect",
        *(f"/charts/{name}.svg" for name in ("weather", "roadmap", "waterfall", "slips")),
        *(f"/charts/roadmap.svg?project={code}" for code in ONES),
    ]


class Read(HTMLParser):
    """A page as a reader of HTML sees it: what is open, which elements there are, which text."""

    VOID = frozenset({"meta", "link", "img", "input", "br", "rect"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.wrong: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        names = [name for name, _ in attrs]
        self.wrong += [f"{tag} has {name} twice" for name, n in Counter(names).items() if n > 1]
        self.found.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(f"</{tag}>")

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, *tags: str) -> list[dict[str, str]]:
        return [attrs for tag, attrs in self.found if tag in tags]

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def faults(page: str, lang: str) -> list[str]:
    """Return what is wrong with a page: elements left open, no title, no label, no name, an inline style."""
    read = Read(page)
    ids = [attrs["id"] for _, attrs in read.found if "id" in attrs]
    labels = {attrs["for"] for attrs in read.all("label")}
    fields = [one for one in read.all("input", "select") if one.get("type") != "hidden"]
    found = [*read.wrong, *(f"{tag} is left open" for tag in read.open)]
    found += [f"id {one} twice" for one, n in Counter(ids).items() if n > 1]
    found += [f"no label of {one}" for one in fields if one.get("id") not in labels]
    found += ["a picture without a text" for one in read.all("img") if one.get("alt") is None]
    found += [f"{tag} is styled inline" for tag, attrs in read.found if "style" in attrs]
    found += [f"{name} of {tag}" for tag, attrs in read.found for name in attrs if name.startswith("on")]
    found += [
        "a script in the page" for one in read.all("script") if not one.get("src", "").startswith("/static/")
    ]
    found += [
        f"nothing is called {name}"
        for _, attrs in read.found
        for name in attrs.get("aria-labelledby", "").split()
        if name not in ids
    ]
    found += [f"{n} h1" for n in [len(read.all("h1"))] if n != 1]
    found += [f"lang {one['lang']}" for one in read.all("html") if one["lang"] != lang]
    found += ["a table without a caption"] * (len(read.all("table")) - len(read.all("caption")))
    found += ["a head without a scope" for one in read.all("th") if "scope" not in one]
    found += [
        f"not of this server: {one['href']}"
        for one in read.all("a", "link")
        if one.get("href", "/").startswith("http") and "external" not in one.get("rel", "")
    ]
    return found


@pytest.mark.long
@pytest.mark.sample(3)
@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("person", [None, "one@x.org"])
@pytest.mark.parametrize("level", ["project", "nominative-line"])
def test_every_page_is_well_formed(level: Any, person: str | None, lang: str, proof: bool) -> None:
    """Every page closes what it opens, has one h1, and a name for each field, picture and table."""
    wrong = []
    with browser(Reader(name="r", level=level, person=person)) as client:
        for address in [one for one in addresses(proof) if not one.startswith("/charts/")]:
            answer = client.get(address, headers={"accept-language": lang, "accept": "text/html"})
            hides = person is not None and re.search(r"(projects/|rows.project=)[BC]$", address)

            assert (404 if hides else 200) == answer.status_code, address
            assert lang == answer.headers["content-language"]
            wrong += [f"{address}: {one}" for one in faults(answer.text, lang)]

    assert [] == wrong


@pytest.mark.long
@pytest.mark.parametrize("level", LEVELS)
def test_nobody_sees_what_is_not_theirs(level: Any, proof: bool) -> None:
    """Each reader, each page: no word of a project hidden from them, no person below the level of lines.

    A page of a hidden project, its rows and its pictures are as if there were none.
    """
    seen: dict[str, set[str]] = {}
    told = []
    readers = READERS if proof or level == "nominative-line" else {"one@x.org": {"Quokka"}}
    for person, theirs in readers.items():
        hidden = [name for name in ONES.values() if name not in theirs]
        people = [
            name for name, _, code in PEOPLE.values() if level != "nominative-line" or ONES[code] in hidden
        ]
        if level == "nominative-line" and person == "red@x.org":
            people = ["Bob Busard", "Cleo Crow"]
        with browser(Reader(name="r", level=level, person=person)) as client:
            for address, lang in itertools.product(addresses(proof), ("en", "fr") if proof else ("fr",)):
                answer = client.get(address, headers={"accept-language": lang})
                text = (
                    answer.text if "svg" in answer.headers.get("content-type", "") else Read(answer.text).text
                )
                told += [(person, address, one) for one in (*hidden, *people) if one in text]
                seen.setdefault(person, set()).update(one for one in theirs if one in text)

    assert [] == told
    due = {
        one: set() if (level, one) == ("project", "red@x.org") else names for one, names in readers.items()
    }
    assert due == seen, "what is theirs is shown"


@pytest.mark.long
def test_all_rows_of_the_highest_level_are_seen_by_who_may(proof: bool) -> None:
    """Who has no line of access.csv to narrow it sees every project and, at the level of lines, persons."""
    with browser(Reader(name="r", level="nominative-line")) as client:
        text = " ".join(client.get(one).text for one in addresses(proof))

    for name in (*ONES.values(), *(name for name, _, _ in PEOPLE.values())):
        assert name in text


def _is_asked(path: str, proof: bool) -> bool:
    _, *parts = path.split("/")
    some = {"figures": SHORT, "dictionary": ("fact_kpi", "dim_project")}.get(parts[0])
    return proof or some is None or len(parts) == 1 or parts[1] in some


@pytest.mark.long
@pytest.mark.sample(1)
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_link_of_the_pages_leads_somewhere(lang: str, proof: bool) -> None:
    """From the portfolio on, each address of this server that a page names is there, and names its own."""
    asked, left = set(), ["/"]
    with browser(Reader(name="r", level="nominative-line")) as client:
        client.get(f"/?lang={lang}")
        while left:
            address = left.pop()
            if address in asked:
                continue
            asked.add(address)
            answer = client.get(address)

            assert 200 == answer.status_code, address
            if not answer.headers["content-type"].startswith("text/html"):
                continue
            read = Read(answer.text)
            ids = {attrs["id"] for _, attrs in read.found if "id" in attrs}
            for one in (*read.all("a", "link"), *({"href": one["src"]} for one in read.all("img", "script"))):
                to = urlsplit(one["href"])
                if to.scheme or "lang=" in to.query:
                    continue
                if not to.path:
                    assert to.fragment in ids | {""}, one
                elif not to.path.startswith("/connect/") and _is_asked(to.path, proof):
                    left.append(f"{to.path}?{to.query}" if to.query else to.path)

    assert len(asked) > 30


def test_what_is_not_shown_is_said() -> None:
    """Below the level of teams the load is no zero: the page says that it is not shown, and so for rights."""
    with browser(Reader(name="r", level="project", person="one@x.org")) as client:
        load, first = client.get("/load").text, client.get("/").text
    with browser(Reader(name="r", level="nominative-line")) as client:
        known = Read(client.get("/load").text).text

    assert "your level of detail does not show them" in load
    assert "You see what access.csv allows you, 1 project" in first
    assert "persons and teams are not shown" in first
    assert "Red" in known
    assert "does not show" not in known


def test_a_cut_is_chosen_and_kept_in_every_link() -> None:
    """The page of a closed cut says so, and its links stay at that cut."""
    with browser(Reader(name="r", level="project")) as client:
        answer = client.get("/", params={"cut": CUT})
        read = Read(answer.text)
        unknown = client.get("/", params={"cut": "none such"})

    assert f"This is what the cut {CUT} of {TODAY} kept." in read.text
    links = [one["href"] for one in read.all("a") if one["href"].startswith("/projects/")]
    assert len(ONES) == len(links)
    assert all("cut=COPIL" in one for one in links)
    assert 404 == unknown.status_code


def test_moving_a_project_by_hand() -> None:
    """Hours from this week on move, those of the past do not, and none moves into the past."""
    monday = date(2026, 11, 30)
    weeks = [monday + timedelta(weeks=n) for n in range(-1, 5)]
    planned = {("Red", weeks[0]): 10.0, ("Red", weeks[1]): 7.0, ("Red", weeks[2]): 3.0}

    assert {
        ("Red", weeks[1]): -7.0,
        ("Red", weeks[2]): -3.0,
        ("Red", weeks[3]): 7.0,
        ("Red", weeks[4]): 3.0,
    } == moved_by(planned, 2, monday)
    assert {("Red", weeks[1]): 3.0, ("Red", weeks[2]): -3.0} == moved_by(planned, -3, monday)
    assert {} == moved_by(planned, 0, monday)


@pytest.mark.parametrize(
    ("share", "step"), [(None, None), (0.0, 0), (0.5, 0), (0.51, 1), (1.0, 2), (1.01, 3), (1.3, 4), (9.0, 5)]
)
def test_the_ground_of_a_load(share: float | None, step: int | None) -> None:
    """A full week is not above; a week that is not known has no ground."""
    assert step == heat(share)


def test_the_what_if_stores_nothing() -> None:
    """A move is told beside what is, and the next reader sees what is."""
    with browser(Reader(name="r", level="nominative-line")) as client:
        before = client.get("/load").text
        moved = Read(client.get("/load?project=A/1&weeks=4").text).text
        after = client.get("/load").text
        nothing = client.get("/load?project=nope&weeks=4")

    assert "A/1 Quokka moved by 4 weeks:" in moved
    assert before == after
    assert 404 == nothing.status_code


def test_rows_behind_a_figure_come_in_parts_and_lead_to_the_tool() -> None:
    """Sixty lines of hours are two parts, each row once; a task leads to its own address in its tool."""
    with browser(Reader(name="r", level="nominative-line")) as client:
        one, two = (
            Read(client.get(f"/figures/RAF/rows?project=A/1&worklogs={part}").text) for part in (1, 2)
        )
        beyond = client.get("/figures/RAF/rows?project=A/1&worklogs=3")

    out = [
        {attrs["href"] for attrs in page.all("a") if "tool.example.org" in attrs["href"]}
        for page in (one, two)
    ]
    assert "1 to 50 of 60" in one.text
    assert "51 to 60 of 60" in two.text
    assert "https://tool.example.org/Quokka/0" in out[0]
    assert all("Quokka" in address for address in out[0] | out[1])
    assert 404 == beyond.status_code


def test_titles_are_text() -> None:
    """What a tool calls its tasks is shown as it is, whatever it looks like."""
    with browser(Reader(name="r", level="project")) as client:
        page = client.get("/projects/B").text

    assert "Wombat task &lt;1&gt;" in page
    assert "<1>" not in page


@pytest.mark.long
def test_the_same_page_is_not_sent_twice() -> None:
    """A browser that has a page is told so; another language or reader has another page."""
    with browser(Reader(name="r", level="project")) as client:
        first = client.get("/figures", headers={"accept-language": "en"})
        tag = first.headers["etag"]
        again = client.get("/figures", headers={"accept-language": "en", "if-none-match": tag})
        french = client.get("/figures", headers={"accept-language": "fr", "if-none-match": tag})
    with browser(Reader(name="r", level="project", person="one@x.org")) as client:
        other = client.get("/figures", headers={"accept-language": "en", "if-none-match": tag})

    assert [304, 200, 200] == [one.status_code for one in (again, french, other)]


def test_the_language_is_kept_once_chosen() -> None:
    """A chosen language goes before that of the browser, from page to page."""
    with browser(Reader(name="r", level="project")) as client:
        page = client.get("/moves?lang=fr", headers={"accept-language": "en"}).text
        later = client.get("/load", headers={"accept-language": "en"})

    assert "Ce qui a bougé" in page
    assert "fr" == later.headers["content-language"]


@pytest.mark.long
def test_french_pages_speak_french() -> None:
    """No sentence of the pages stays English: their catalogue has each, and the templates' words too."""
    english = re.compile(r"\b(the|and|of the|with|your|this|which|sign out|skip|now)\b", re.IGNORECASE)
    with browser(Reader(name="r", level="project")) as client:
        for address in (
            "/",
            "/projects/B",
            "/moves",
            "/load",
            "/flow",
            "/service",
            "/figures",
            "/figures/RAF",
            "/sources",
            "/connect",
        ):
            text = Read(client.get(address, headers={"accept-language": "fr"}).text).text
            assert [] == english.findall(text), address


@pytest.mark.long
def test_many_readers_at_once_each_get_their_own() -> None:
    """Two languages, two cuts and two readers at once: none gets a word, a cut or a project of another."""
    asked = [
        (lang, cut, reader)
        for lang in ("en", "fr")
        for cut in ("", CUT)
        for reader in (
            Reader(name="a", level="project"),
            Reader(name="b", level="project", person="one@x.org"),
        )
    ]
    titles = {"en": "What moved", "fr": "Ce qui a bougé"}
    wrong: list[str] = []
    with browser(None) as first:
        sessions = first.app_state[1]

        def read(lang: str, cut: str, reader: Reader) -> None:
            client = TestClient(first.app, base_url="http://127.0.0.1:8321")
            client.cookies.set("pm_hub", sessions.of(reader))
            for _ in range(4):
                answer = client.get("/moves", params={"cut": cut}, headers={"accept-language": lang})
                text = Read(answer.text).text
                rights = ("Wombat" in text) == (reader.person is None)
                if not (answer.status_code == 200 and titles[lang] in text and rights):
                    wrong.append(f"{lang} {cut} {reader.name}: {answer.status_code} {text[:200]}")
                if any(title in text for other, title in titles.items() if other != lang):
                    wrong.append(f"{lang} {cut} {reader.name}: another language")
                kept = {"en": "This is what the cut", "fr": "C'est ce qu'a conservé l'arrêté"}[lang]
                if (kept in text) != bool(cut):
                    wrong.append(f"{lang} {cut} {reader.name}: another cut")

        threads = [threading.Thread(target=read, args=one) for one in asked]
        for one in threads:
            one.start()
        for one in threads:
            one.join()

    assert [] == wrong


# ---------- signing in ----------


def test_the_token_is_typed_and_in_no_address() -> None:
    """A token opens a session by the form; the browser goes on, with a cookie that no script reads."""
    with browser(None) as client:
        token = client.app_state[0].create("me", level="project", days=1)  # type: ignore[attr-defined]
        sent_away = client.get("/projects/B?cut=", follow_redirects=False)
        form = client.get(sent_away.headers["location"])
        to = next(one["value"] for one in Read(form.text).all("input") if one["name"] == "to")
        answer = client.post("/signin", data={"token": token, "to": to}, follow_redirects=False)
        page = client.get(answer.headers["location"])

    assert [303, 303, 200] == [sent_away.status_code, answer.status_code, page.status_code]
    assert "/projects/B?cut=" == answer.headers["location"]
    assert "Wombat" in page.text
    kept = answer.headers["set-cookie"].lower()
    assert "httponly" in kept
    assert "samesite=lax" in kept
    assert token not in str(answer.headers) + page.text


@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_form_is_well_formed(lang: str) -> None:
    """Signing in is a page like the others, before and after a wrong token."""
    with browser(None) as client:
        head = {"accept-language": lang}
        form = client.get("/signin", headers=head)
        wrong = client.post("/signin", data={"token": "pmh_x_y"}, headers=head)
        empty = client.post("/signin", data={}, headers=head)
        long = client.post("/signin", data={"token": "x" * 9000}, headers=head)

    assert [200, 401, 401, 413] == [one.status_code for one in (form, wrong, empty, long)]
    for one in (form, wrong, empty, long):
        assert [] == faults(one.text, lang)
    assert {"en": "This token is not valid", "fr": "Ce jeton n&#39;est pas valide"}[lang] in wrong.text


def test_wrong_tokens_are_counted() -> None:
    """After ten wrong ones from an address even a right one waits."""
    with browser(None) as client:
        token = client.app_state[0].create("me", level="project", days=1)  # type: ignore[attr-defined]
        wrong = [client.post("/signin", data={"token": f"pmh_x_{n}"}).status_code for n in range(10)]
        right = client.post("/signin", data={"token": token}, follow_redirects=False)

    assert [401] * 10 == wrong
    assert 429 == right.status_code


@pytest.mark.parametrize(
    "to",
    [
        "//evil.example.org",
        "https://evil.example.org/",
        "/\\evil.example.org",
        "javascript:alert(1)",
        "evil",
        "/\t/evil.example.org",
        "",
    ],
)
def test_nobody_is_sent_to_another_server(to: str) -> None:
    """Where to go after signing in is an address of this server alone."""
    with browser(None) as client:
        token = client.app_state[0].create("me", level="project", days=1)  # type: ignore[attr-defined]
        answer = client.post("/signin", data={"token": token, "to": to}, follow_redirects=False)
        form = client.get("/signin", params={"to": to})

    assert "/" == answer.headers["location"]
    assert ["/"] == [one["value"] for one in Read(form.text).all("input") if one["name"] == "to"]


def test_another_site_can_neither_sign_in_nor_out() -> None:
    """A form of another site, as a browser marks it, changes nothing."""
    with browser(None) as client:
        token = client.app_state[0].create("me", level="project", days=1)  # type: ignore[attr-defined]
        foreign = {"sec-fetch-site": "cross-site"}
        answer = client.post("/signin", data={"token": token}, headers=foreign, follow_redirects=False)
        assert "set-cookie" not in answer.headers
        client.post("/signin", data={"token": token})
        client.post("/signout", headers=foreign)
        still = client.get("/", follow_redirects=False).status_code
        client.post("/signout")
        after = client.get("/", follow_redirects=False).status_code

    assert [200, 303] == [still, after]


def test_what_pages_need_is_open_and_kept() -> None:
    """The style sheet is there before anybody signed in, for ever under its version; nothing else is."""
    with browser(None) as client:
        href = next(
            one["href"] for one in Read(client.get("/signin").text).all("link") if "css" in one["href"]
        )
        style, plain, none = (
            client.get(href),
            client.get("/static/pages.css"),
            client.get("/static/base.html"),
        )

    assert "immutable" in style.headers["cache-control"]
    assert "no-cache" == plain.headers["cache-control"]
    assert "text/css; charset=utf-8" == style.headers["content-type"]
    assert 404 == none.status_code
