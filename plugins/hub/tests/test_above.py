"""Hubs above hubs, by hand figures: rings, two ways to one hub, another level of privacy, what left there."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hub_group import config, figures, projects, published, tool
from hub_hub.folder import Folder
from hub_hub.source import HubSource

from hub import (
    Account,
    Allocation,
    Baseline,
    BudgetLine,
    Capacity,
    ChecklistItem,
    Container,
    CustomValue,
    Project,
    ProjectLink,
    Record,
    RegisterItem,
    SlaCycle,
    SourceUnavailable,
    Task,
    TaskChange,
    Worklog,
)
from hub.feed import open_feed
from hub.matching import propose
from hub.records import AccountAlias, FxRate, Person
from hub.store import Store
from hub.sync import Options, sync
from hub.testing.empty import store_at


def rows(name: str, code: str, people: int = 1) -> list[Record]:
    """Return of each person an hour on a task of a day and a risk, and of all one planned week and budget."""
    found: list[Record] = [
        Container(id=f"{name}:c", kind="project", code=code, name=code, seconds_per_day=28800),
        BudgetLine(id=f"{name}:b", project_code=code, month="2026-07", kind="revised", category="services",
                   amount_minor=1000, currency="EUR"),
        Allocation(id=f"{name}:a", account_id=f"{name}:p0", container_id=f"{name}:c", kind="work",
                   start_on="2026-07-06", finish_on="2026-07-10", seconds=36_000),
        ChecklistItem(id=f"{name}:k", project_code=code, list="Gate", label="Read", state="ok"),
    ]  # fmt: skip
    for n in range(people):
        found += [
            Account(id=f"{name}:p{n}", display_name=f"Person {n}"),
            Task(id=f"{name}:{n}", container_id=f"{name}:c", code=f"{code}-{n}", title=f"Task {n}",
                 status_native="todo", estimate_s=28_800),
            Worklog(id=f"{name}:w{n}", task_id=f"{name}:{n}", account_id=f"{name}:p{n}", day="2026-07-02",
                    seconds=3600),
            RegisterItem(id=f"{name}:r{n}", project_code=code, kind="risk", title=f"Risk {n}", state="open"),
        ]  # fmt: skip
    return found


class Group:
    """Hubs in folders of one, each with the sources that a run names."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def feed(self, name: str) -> Path:
        place = self.root / name / "feed"
        return place / (place / "CURRENT").read_text()

    def reads(self, name: str, of: str = "", **settings: Any) -> HubSource:
        return HubSource(name=name, path=str(self.root / (of or name) / "feed"), **settings)

    def run(
        self, name: str, *sources: Any, known: list[Record] | None = None, currency: str = "EUR"
    ) -> dict[str, str]:
        """Sync and publish a hub; return the verdict of each of its sources, with what it lacks."""
        folder = self.root / name
        folder.mkdir(parents=True, exist_ok=True)
        there = (folder / "hub.db").exists()
        with Store.open(folder / "hub.db") if there else store_at(folder / "hub.db") as store:
            report = sync(store, [config(known or []), *sources], Options(base=folder))
            published(folder, store, currency)
        return {
            one.source_id: f"{one.verdict} {one.error or ''} {' '.join(one.missing)}".strip()
            for one in report.sources
        }

    def sums(self, name: str) -> tuple[float, int, float, int, float, int]:
        """Return hours, tasks, budget, risks, planned hours and lines of checklists that a feed shows."""
        found = figures(self.feed(name))
        view = open_feed(self.feed(name))
        ((lines,),) = view.execute("SELECT count(*) FROM fact_checklist WHERE cut_key = 0").fetchall()
        view.close()
        return (
            sum(row[5] for row in found["hours"]) / 3600, sum(row[5] for row in found["tasks"]),
            float(sum(row[4] or 0 for row in found["budgets"])), len(found["registers"]),
            sum(row[3] for row in found["plans"]) / 3600, lines,
        )  # fmt: skip


@pytest.fixture
def group(tmp_path: Path) -> Group:
    """Return a group without a hub."""
    return Group(tmp_path)


ONE = (1.0, 1, 10.0, 1, 10.0, 1)


def times(n: int) -> tuple[float, ...]:
    return tuple(n * one for one in ONE)


@pytest.mark.long
def test_hubs_that_read_each_other_count_once(group: Group) -> None:
    """Who reads a feed that is made of its own is told so, and nothing grows run by run."""
    a, b = tool("k", rows("k", "A")), tool("m", rows("m", "B"))
    group.run("a", a)
    group.run("b", b)

    for _ in range(3):
        group.run("a", a, group.reads("b"))
        said = group.run("b", b, group.reads("a"))["a"]

        assert said.startswith("failed")
        assert "two hubs that read each other" in said
        assert (times(2), ONE) == (group.sums("a"), group.sums("b"))


@pytest.mark.long
def test_a_ring_of_three_that_begins_at_once_does_not_grow(group: Group) -> None:
    """Each took the feed of its neighbour before it knew of the ring; from then on none counts more."""
    mine = {name: tool(f"t{name}", rows(f"t{name}", name.upper())) for name in "abc"}
    ring = {"a": "b", "b": "c", "c": "a"}
    for name, one in mine.items():
        group.run(name, one)
    for _ in range(4):
        for name, other in ring.items():
            group.run(name, mine[name], group.reads(other))

    assert all(one <= most for name in "abc" for one, most in zip(group.sums(name), times(3), strict=True))


@pytest.mark.long
def test_a_hub_does_not_read_its_own_feed(group: Group) -> None:
    """Not even once."""
    mine = tool("k", rows("k", "A"))
    group.run("a", mine)

    said = group.run("a", mine, group.reads("me", of="a"))["me"]

    assert said.startswith("failed")
    assert ONE == group.sums("a")


@pytest.mark.long
@pytest.mark.parametrize("url", [None, "https://jira.example.com"])
@pytest.mark.parametrize("first", ["below", "between"])
def test_a_hub_that_comes_by_two_ways_counts_once(group: Group, url: str | None, first: str) -> None:
    """Hours, tasks, budgets, risks, plans, checklists: whoever is read first, with an address or none."""
    group.run("below", tool("k", rows("k", "A"), url=url))
    group.run("between", tool("m", rows("m", "B")), group.reads("below"))
    ways = [group.reads("below"), group.reads("between")]

    for _ in range(2):
        assert {"ok"} == set(group.run("above", *(ways if first == "below" else ways[::-1])).values())
        assert times(2) == group.sums("above")


@pytest.mark.long
def test_a_tool_below_two_hubs_counts_once_where_it_is_read_itself(group: Group) -> None:
    """Its address is known through every hub between."""
    url = "https://jira.example.com"
    group.run("below", tool("k", rows("k", "A"), url=url))
    group.run("between", group.reads("below"))

    group.run("above", group.reads("between"), tool("here", rows("here", "A"), url=url))

    assert ONE == group.sums("above")


@pytest.mark.long
@pytest.mark.parametrize("first", ["north", "south"])
def test_a_correction_of_a_sealed_month_goes_with_its_task(group: Group, first: str) -> None:
    """North sealed two hours and corrects them to one, south read it later: one hour, whoever is first."""
    from hub.feed import BuildOptions
    from hub.publish import periods

    def tracker(seconds: int) -> Any:
        found = [one for one in rows("k", "A") if not isinstance(one, Worklog)]
        hours = Worklog(id="k:w0", task_id="k:0", account_id="k:p0", day="2026-07-02", seconds=seconds)
        return tool("k", [*found, hours], url="https://jira.example.com")

    group.run("north", tracker(7200))
    place = group.root / "north"
    with Store.open(place / "hub.db") as store:
        periods.seal(store, place / "feed", "2026-07", BuildOptions(), actor="a test")
    group.run("north", tracker(3600))
    group.run("south", tracker(3600))
    ways = sorted(("north", "south"), key=lambda one: one != first)

    group.run("above", *map(group.reads, ways))

    assert (1.0, 1.0) == (group.sums("north")[0], group.sums("above")[0])


@pytest.mark.long
def test_ids_of_every_kind_stay_what_they_are(group: Group) -> None:
    """Signs that ids here are made of, two Unicode forms of a letter, what looks like a sum or a day."""
    odd = [
        "a/b", "a:b", "it's \"q\"",
        "\U0001f600", "\u00e9", "e\u0301", "sum/x", "code/y", "x@2026-07-01", "\\N",
    ]  # fmt: skip
    found: list[Record] = []
    for name in ("k", "here"):
        found = [Container(id=f"{name}:c", kind="project", code="A", name="A")]
        for one in odd:
            found += [
                Task(id=f"{name}:{one}", container_id=f"{name}:c", title=one, status_native="todo"),
                Worklog(id=f"{name}:{one}", task_id=f"{name}:{one}", day="2026-07-02", seconds=3600),
                RegisterItem(id=f"{name}:{one}", project_code="A", kind="risk", title=one, state="open"),
            ]  # fmt: skip
        if name == "k":
            group.run("north", tool("k", found, url="https://jira.example.com"))
    group.run("above", group.reads("north"), tool("here", found, url="https://jira.example.com"))

    assert (10.0, 10, 0.0, 10, 0.0, 0) == group.sums("above")


@pytest.mark.long
def test_what_only_a_hub_knows_of_a_task_stays_with_the_task(group: Group) -> None:
    """The group reads the tracker without its service levels: those that two hubs bring are there once."""
    url = "https://jira.example.com"
    cycle = SlaCycle(id="k:s", task_id="k:0", name="Answer", metric="resolution", cycle_no=1,
                     start_at="2026-07-01T08:00:00Z", goal_s=3600, breached=True)  # fmt: skip
    for name in ("north", "south"):
        group.run(name, tool("k", [*rows("k", "A"), cycle], url=url))

    group.run("above", group.reads("north"), group.reads("south"), tool("here", rows("here", "A"), url=url))

    view = open_feed(group.feed("above"))
    assert [("A-0", "Answer")] == view.execute(
        "SELECT key, sla_name FROM fact_sla JOIN dim_task USING (task_key)"
    ).fetchall()
    view.close()
    assert ONE == group.sums("above")


@pytest.mark.long
def test_one_absence_that_two_hubs_tell_is_one(group: Group) -> None:
    """Ann is away a Monday by both, the Tuesday half by each, the Wednesday half by one: 2.5 days of 7 h."""
    for name in ("north", "south"):
        away: list[Record] = [
            Container(id="hr:c", kind="project", code="A", name="A"),
            Account(id="hr:ann", display_name="Ann"),
            Worklog(id="hr:1", container_id="hr:c", account_id="hr:ann", day="2026-07-06", seconds=25_200,
                    category="absence"),
            Allocation(id="hr:2", account_id="hr:ann", kind="absence", start_on="2026-07-07",
                       finish_on="2026-07-07", seconds=12_600),
            Allocation(id="hr:3", account_id="hr:ann", kind="absence", start_on="2026-07-08",
                       finish_on="2026-07-08", seconds=12_600 if name == "north" else 0),
            Worklog(id="hr:4", container_id="hr:c", account_id="hr:ann", day="2026-07-09", seconds=25_200),
            # whoever has a calendar has capacity
            Capacity(id="hr:k", account_id="hr:ann", start_on="2026-07-06", finish_on="2026-07-12",
                     weekdays="1111100", seconds=25_200),
        ]  # fmt: skip
        group.run(name, tool("hr", away))
    ways = [group.reads("north"), group.reads("south")]
    group.run("above", *ways)
    with Store.open(group.root / "above" / "hub.db") as store:
        ids = [row["id"] for row in store.rows("SELECT id FROM account WHERE display_name = 'Ann'")]
    known: list[Record] = [Person(id="config:person/Ann", display_name="Ann")]
    known += [
        AccountAlias(id=f"config:alias/{one}", account_id=one, person_id="config:person/Ann") for one in ids
    ]
    group.run("above", *ways, known=known)
    with Store.open(group.root / "above" / "hub.db") as store:
        propose(store, {}, actor="a test")
        view = open_feed(published(group.root / "above", store))

    assert 2 == len(ids)
    assert [(17.5,)] == view.execute(
        "SELECT sum(absence_s) / 3600 FROM fact_capacity_week JOIN dim_person USING (person_key) "
        "WHERE person_label = 'Ann'"
    ).fetchall()
    view.close()


@pytest.mark.long
def test_what_an_older_hub_kept_of_a_feed_still_counts_once(group: Group) -> None:
    """Before the next reading, and in the cuts of the past: it said the site of a tool by each container."""
    url = "https://jira.example.com"
    kept: list[Record] = [
        Container(id="north:jira:project/A", kind="hub", code="A", name="A"),
        CustomValue(id="north:jira:project/A/site", row_id="north:jira:project/A", field="pm-hub: site",
                    text=url),
        Task(id="north:jira:1", container_id="north:jira:project/A", title="One", status_native="todo"),
    ]  # fmt: skip
    mine: list[Record] = [
        Container(id="jira:c", kind="project", code="A", name="A"),
        Task(id="jira:1", container_id="jira:c", title="One", status_native="todo"),
    ]

    group.run("above", tool("north", kept), tool("jira", mine, url=url))

    assert 1 == group.sums("above")[1]


@pytest.mark.long
def test_two_projects_of_one_code_keep_their_budgets(group: Group) -> None:
    """Two subsidiaries read one tracker and call two projects P1: the group's links tell them apart."""
    links: list[Record] = []
    for name, code in (("north", "N1"), ("south", "S1")):
        tracker: list[Record] = [
            Container(id="jira:c", kind="project", code="P1", name="P1"),
            Task(id=f"jira:{name}", container_id="jira:c", title=name, status_native="todo"),
            BudgetLine(id=f"jira:{name}-b", project_code="P1", month="2026-07", kind="revised",
                       category="services", amount_minor=1000, currency="EUR"),
        ]  # fmt: skip
        group.run(name, tool("jira", tracker, url="https://jira.example.com"))
        links.append(
            ProjectLink(id=f"config:{name}", project_code=code, container_id=f"{name}:P1", facets="")
        )

    group.run("above", group.reads("north"), group.reads("south"), known=[*projects(["N1", "S1"]), *links])

    found = figures(group.feed("above"))["budgets"]
    assert [("N1", 10.0), ("S1", 10.0)] == [(row[0], float(row[4])) for row in found]


@pytest.mark.long
def test_another_level_of_privacy_counts_nothing_twice(group: Group, tmp_path: Path) -> None:
    """Hours come in lines, in sums of teams, weeks, projects, and in lines again: twelve hours, always."""
    from hub.feed.projection import project_to

    group.run("north", tool("k", rows("k", "A", people=12)))
    shown = tmp_path / "shown"
    whole = (12.0, 12, 10.0, 12, 10.0, 1)

    for level in ("nominative-line", "team-week", "pseudonym-week", "project", "nominative-line"):
        made = project_to(
            level, group.feed("north"), tmp_path / "made" / level, secret=b"a key of its own", k=1
        )
        shutil.rmtree(shown, ignore_errors=True)
        shutil.copytree(made, shown)
        told = json.loads((shown / "manifest.json").read_text())
        (shown / "manifest.json").write_text(json.dumps({**told, "feed_id": f"{told['feed_id']}-{level}"}))
        verdicts = group.run("above", HubSource(name="north", path=str(shown)))

        assert ("ok", whole) == (verdicts["north"], group.sums("above"))


@pytest.mark.long
def test_a_team_does_not_get_the_key_of_a_person(group: Group, tmp_path: Path) -> None:
    """Keys are of one feed: whom accounts.csv names at one level is nobody's team at another."""
    from hub.feed.projection import project_to

    group.run("north", tool("k", rows("k", "A", people=6)))
    made = project_to("team-week", group.feed("north"), tmp_path / "made", k=1)
    with store_at(tmp_path / "above.db") as store:
        found = []
        for place in (group.feed("north"), made):
            sync(store, [HubSource(name="north", path=str(place))], Options(base=tmp_path, full=True))
            found.append(
                {row["id"] for row in store.rows("SELECT id FROM account WHERE presence = 'present'")}
            )

    assert (6, set()) == (len(found[0]), found[0] & found[1])


@pytest.mark.long
def test_who_was_erased_there_is_told_until_they_are_erased_here(group: Group, tmp_path: Path) -> None:
    """The name goes with the next feed; the history of the group names them until it erases them too."""
    from hub import privacy
    from hub.publish import cuts

    def erase(hub: str) -> None:
        with Store.open(tmp_path / hub / "hub.db") as store:
            privacy.begin(store, privacy.find(store, "Person 0"), actor="a test", texts=True)
            place = tmp_path / hub / "feed"
            privacy.finish(store, place, tmp_path / hub, lambda one: cuts.redact(one, place, again=True))

    mine = tool("k", rows("k", "A"))
    group.run("north", mine)
    group.run("above", group.reads("north"))
    erase("north")
    group.run("north", mine)

    for _ in range(2):  # a feed that is read, and one that is not read again
        said = group.run("above", group.reads("north"))["north"]
        assert said.startswith("partial")
        assert "hub privacy erase north:person/" in said
    assert "Person 0" not in str(figures(group.feed("above")))
    erase("above")
    assert "ok" == group.run("above", group.reads("north"))["north"]
    assert b"Person 0" not in (tmp_path / "above" / "hub.db").read_bytes()


@pytest.mark.long
def test_a_tool_that_is_stale_there_keeps_no_deletion_back(group: Group) -> None:
    """What failed there is told here, and what the feed lacks has left all the same."""
    later = tool("m", rows("m", "B"))
    group.run("north", tool("k", rows("k", "A", people=9)), later)
    group.run("above", group.reads("north"))

    broken = msgspec.structs.replace(later, script={"all": lambda _: 1 / 0})
    group.run("north", tool("k", rows("k", "A", people=8)), broken)
    said = group.run("above", group.reads("north"))["north"]

    assert said.startswith("partial")
    assert "m: its last run in the other hub was failed" in said
    assert 9 == group.sums("above")[1]  # eight of A, one of B


@pytest.mark.long
@pytest.mark.parametrize("facets", [None, "effort,baseline,actuals"])
def test_what_another_hub_leaves_out_of_effort_stays_out(group: Group, facets: str | None) -> None:
    """A plan is the authority of its project there, so its remaining work is the project's here: 3 days."""
    plan: list[Record] = [
        Container(id="plan:c", kind="plan", code="A", name="Plan"),
        Task(id="plan:1", container_id="plan:c", title="Build", status_native="in_progress",
             estimate_s=5 * 25200, remaining_s=3 * 25200),
        Baseline(id="plan:1/b", task_id="plan:1", finish_on="2026-09-01", effort_s=5 * 25200),
    ]  # fmt: skip
    issues: list[Record] = [
        Container(id="jira:c", kind="project", code="A", name="Issues"),
        Task(id="jira:1", container_id="jira:c", code="A-1", title="An issue", status_native="todo"),
    ]
    group.run("north", tool("plan", plan), tool("jira", issues))
    link = ProjectLink(id="config:l", project_code="X", container_id="north:A", facets=facets or "")
    group.run("above", group.reads("north"), known=[*projects(["X"]), link] if facets else [])

    def counted(name: str) -> list[Any]:
        view = open_feed(group.feed(name))
        found = view.execute(
            "SELECT title, is_effort_counted, is_baseline_counted, remaining_days FROM fact_task_snapshot "
            "JOIN dim_task USING (task_key) WHERE cut_key = 0 ORDER BY 1"
        ).fetchall()
        found += view.execute(
            "SELECT measure, value::DOUBLE FROM fact_kpi WHERE kpi = 'RAF' AND scope_kind = 'portfolio' "
            "AND measure IN ('raf', 'n_open_without_raf') AND cut_key = 0 ORDER BY 1"
        ).fetchall()
        view.close()
        return found

    wanted = [("An issue", 0, 0, None), ("Build", 1, 1, 3.0), ("n_open_without_raf", 0.0), ("raf", 3.0)]
    assert [wanted, wanted] == [counted("north"), counted("above")]


@pytest.mark.long
def test_first_natures_and_owners_come_through(group: Group) -> None:
    """A defect that became a change is requalified here too; a risk has its owner, an issue its reporter."""
    tracker: list[Record] = [
        Container(id="jira:c", kind="project", code="A", name="A"),
        Account(id="jira:ann", display_name="Ann"),
        Task(id="jira:1", container_id="jira:c", title="Was a bug", type_raw="Change", nature="evolution",
             status_native="todo", created_at="2026-07-01T08:00:00Z", reporter_id="jira:ann"),
        Task(id="jira:2", container_id="jira:c", title="A bug", type_raw="Bug", nature="anomaly",
             status_native="todo"),
        TaskChange(id="jira:h", task_id="jira:1", field="issuetype", from_value="Bug", to_value="Change",
                   at="2026-07-02T08:00:00Z"),
    ]  # fmt: skip
    risk = RegisterItem(
        id="config:r", project_code="A", kind="risk", title="Rain", state="open", owner_id="Bo"
    )
    group.run("north", tool("jira", tracker), known=[Project(id="config:A", code="A", name="A"), risk])
    group.run("above", group.reads("north"))
    view = open_feed(group.feed("above"))

    assert [("A bug", "anomaly", None), ("Was a bug", "anomaly", "Ann")] == view.execute(
        "SELECT title, nature_first, reporter FROM dim_task WHERE task_key <> -1 ORDER BY 1"
    ).fetchall()
    assert [("Bo",)] == view.execute("SELECT owner_label FROM fact_register WHERE cut_key = 0").fetchall()
    view.close()


@pytest.mark.long
def test_amounts_without_a_rate_are_told(group: Group) -> None:
    """Of 1.25 dollars a euro until August: 8, -4 and nothing; what no rate turns is told, and kept."""
    erp: list[Record] = [
        Container(id="erp:c", kind="project", code="A", name="A"),
        Task(id="erp:1", container_id="erp:c", title="One", status_native="todo", cost_minor=5000,
             currency="USD"),
        Baseline(id="erp:1/b", task_id="erp:1", finish_on="2026-09-01", cost_minor=8000, currency="USD"),
        RegisterItem(id="erp:r", project_code="A", kind="risk", title="Rain", state="open",
                     exposure_minor=2500, currency="USD", probability=0.5),
        *(BudgetLine(id=f"erp:{month}", project_code="A", month=month, kind="revised", category="services",
                     amount_minor=amount, currency="USD")
          for month, amount in (("2026-06", 1000), ("2026-07", -500), ("2026-08", 0), ("2026-09", 700))),
    ]  # fmt: skip
    rates: list[Record] = [
        FxRate(id=f"config:fx/{month}", currency="USD", month=month, per_eur=1.25)
        for month in ("2026-06", "2026-07", "2026-08")
    ]
    group.run("north", tool("erp", erp), currency="USD")
    group.run("above", group.reads("north"), known=rates)

    told = json.loads((group.feed("above") / "manifest.json").read_text())["excluded"]
    assert [8.0, -4.0, 0.0] == [float(row[4]) for row in figures(group.feed("above"))["budgets"]]
    assert {
        ("no exchange rate for USD in 2026-09", 700),
        ("exposure in a currency without a rate of this month: shown empty", 1),
        ("costs in a currency without a rate of this month: not in costs", 1),
        ("baseline in a currency without a rate of this month: not in its amount", 1),
    } == {(one["reason"], one["amount"]) for one in told if not one["reason"].startswith("converted")}
    with Store.open(group.root / "above" / "hub.db") as store:
        kept = store.rows("SELECT amount_minor, currency FROM budget_line ORDER BY month")
    assert [(1000, "USD"), (-500, "USD"), (0, "USD"), (700, "USD")] == [
        (row["amount_minor"], row["currency"]) for row in kept
    ]


# ---------- a folder as copying tools leave it ----------


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish one feed, and return the folder that holds it."""
    group = Group(tmp_path_factory.mktemp("made"))
    group.run("north", tool("k", rows("k", "A")))
    return group.root / "north" / "feed"


@pytest.fixture
def place(made: Path, tmp_path: Path) -> Path:
    """Return a feed folder of its own."""
    return shutil.copytree(made, tmp_path / "feed")


def _current(place: Path) -> Path:
    return place / (place / "CURRENT").read_text(encoding="utf-8-sig").strip()


def _marked(place: Path) -> None:
    (place / "CURRENT").write_text(f"\ufeff{_current(place).name}\r\n", encoding="utf-8")
    manifest = _current(place) / "manifest.json"
    manifest.write_text("\ufeff" + manifest.read_text(), encoding="utf-8")


def _copied(place: Path) -> None:
    file = next((_current(place) / "dim_task").glob("*.parquet"))
    shutil.copy(file, file.with_name("data_0 (conflict).parquet"))
    (file.parent / "desktop.ini").write_text("[.ShellClassInfo]")


@pytest.mark.parametrize("as_left", [_marked, _copied])
def test_what_a_copying_tool_adds_is_none_of_the_feed(place: Path, as_left: Callable[[Path], None]) -> None:
    """Marks of UTF-8, other line ends, copies in conflict: the feed is what its manifest says."""
    import duckdb

    as_left(place)
    with duckdb.connect() as connection:
        Folder(place).bring(connection, place)
        assert [(1,)] == connection.execute("SELECT count(*) FROM dim_task WHERE task_key <> -1").fetchall()


def _told(place: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    file = _current(place) / "manifest.json"
    told = json.loads(file.read_text())
    found = change(told)
    file.write_text(json.dumps(told if found is None else found))


def _elsewhere(place: Path) -> None:
    shutil.copytree(_current(place), place.parent / "other")
    (place / "CURRENT").write_text("../other")


def _file_elsewhere(place: Path) -> None:
    name = next(
        iter(json.loads((_current(place) / "manifest.json").read_text())["tables"]["dim_task"]["files"])
    )
    shutil.move(_current(place) / name, place.parent / "file.parquet")
    _told(place, lambda told: told["tables"]["dim_task"].update(
        files={"../../file.parquet": next(iter(told["tables"]["dim_task"]["files"].values()))}))  # fmt: skip


def _linked(place: Path) -> None:
    table = _current(place) / "dim_task"
    shutil.move(table, place.parent / "table")
    table.symlink_to(place.parent / "table")


@pytest.mark.parametrize(
    "spoilt",
    [
        _elsewhere, _file_elsewhere, _linked,
        lambda place: (place / "CURRENT").write_text("20990101T000000Z-abcdef"),
        lambda place: _told(place, lambda told: [told]),
        lambda place: _told(place, lambda told: told.pop("tables") and None),
        lambda place: _told(place, lambda told: told["tables"].pop("dim_task") and None),
        lambda place: _told(place, lambda told: told["tables"]["dim_task"].update(files={})),
        lambda place: _told(place, lambda told: told.update(built_at="2026-07-01T08:00:00")),
        lambda place: (_current(place) / "manifest.json").write_bytes(b"\xff\xfe{"),
    ],
)  # fmt: skip
def test_a_folder_that_is_no_feed_is_told(place: Path, spoilt: Callable[[Path], Any]) -> None:
    """Paths that lead out of it, another form of manifest, a feed that is not there yet: a sentence each."""
    import duckdb

    spoilt(place)
    with duckdb.connect() as connection, pytest.raises(SourceUnavailable, match="feed"):
        Folder(place).bring(connection, place)
