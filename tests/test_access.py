"""Who sees which row, counted by hand on a small portfolio, at every level that has addresses."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filling import fill

from hub.feed import BuildOptions, build, model, open_feed, project_to
from hub.feed.access import bearings, shows_sql
from hub.records import (
    Access,
    AccessGroup,
    Account,
    Assessment,
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
from hub.testing.empty import store_at

# Ann and Al are Red, Bob is Blue, Cleo is in no team. Ann works in A and B, Al in A only, Bob and Cleo in B.
WORK = {"a1": ("A", "ann", "s1"), "a2": ("A", "al", None), "a3": ("A", None, None),
        "b1": ("B", "ann", "s2"), "b2": ("B", "bob", "s2"), "b3": ("B", "cleo", None)}  # fmt: skip
HOURS = [("a1", "ann"), ("a1", "ann"), ("a2", "al"), ("b1", "ann"), ("b2", "bob"), ("b3", "cleo")]
TEAMS = {"ann": "Red", "al": "Red", "bob": "Blue", "cleo": None}


def records() -> tuple[list[Record], list[Record]]:
    """Return what config says and what the tool brings."""
    config: list[Record] = [
        *(Project(id=f"config:{code}", code=code, name=f"Project {code}") for code in "AB"),
        *(ProjectLink(id=f"config:l{code}", project_code=code, container_id=f"s:{code}",
                      facets="actuals,effort") for code in "AB"),
        *(Person(id=f"config:p{who}", display_name=who, team=team) for who, team in TEAMS.items()),
        *(Team(id=f"config:t{team}", name=team) for team in ("Red", "Blue")),
        *(Assessment(id=f"config:s{code}", project_code=code, day="2026-01-05", axis="overall", rag="green")
          for code in "AB"),
        *(RegisterItem(id=f"config:r{code}", project_code=code, kind="risk", title=f"Risk {code}")
          for code in "AB"),
        *(Target(id=f"config:g{code}", kpi="EVM_DAYS", measure="cpi", scope_id=code, amber=0.9,
                 direction="up", valid_from="2020-01-01") for code in ("*", "A", "B")),
        Access(id="config:1", user_principal="One.Project@x.org", project_code="A"),
        Access(id="config:2", user_principal="group:Leads", team="Red"),
        Access(id="config:3", user_principal="both@x.org", project_code="B", team="Red"),
        Access(id="config:4", user_principal="nothing@x.org"),
        Access(id="config:5", user_principal="group:empty", project_code="A"),
        Access(id="config:6", user_principal="group:board@x.org", project_code="A"),
        Access(id="config:7", user_principal="team@x.org", team="Red"),
        Access(id="config:9", user_principal="two@x.org", project_code="A"),
        Access(id="config:10", user_principal="two@x.org", team="Blue"),
        Access(id="config:8", user_principal="lost@x.org", project_code="NOPE", team="Red"),
        AccessGroup(id="config:m1", group_name="leads", member="Team@x.org"),
        AccessGroup(id="config:m2", group_name="leads", member="lead@x.org"),
    ]  # fmt: skip
    tool: list[Record] = [
        *(Container(id=f"s:{code}", kind="project", code=code, name=code) for code in "AB"),
        *(Account(id=f"s:{who}", display_name=who) for who in TEAMS),
        Iteration(id="s:s1", container_id="s:A", name="S1", state="active"),
        Iteration(id="s:s2", container_id="s:B", name="S2", state="active"),
        *(Task(id=f"s:{code}", container_id=f"s:{home}", code=code, title=code, kind="work",
               status_raw="todo", assignee_id=f"s:{who}" if who else None,
               iteration_id=f"s:{sprint}" if sprint else None,
               created_at="2026-01-01T00:00:00Z")
          for code, (home, who, sprint) in WORK.items()),
        *(Worklog(id=f"s:w{n}", task_id=f"s:{task}", container_id=f"s:{WORK[task][0]}", account_id=f"s:{who}",
                  day=f"2026-01-0{n + 1}", seconds=3600) for n, (task, who) in enumerate(HOURS)),
        *(TaskChange(id=f"s:c{code}", task_id=f"s:{code}", field="status", from_value="todo",
                     to_value="doing", at="2026-01-02T00:00:00Z") for code in ("a1", "b2")),
        TaskLink(id="s:k1", from_id="s:a1", to_id="s:a3", type="FS"),
        TaskLink(id="s:k2", from_id="s:a1", to_id="s:b1", type="FS"),
        TaskLink(id="s:k3", from_id="s:b2", to_id="s:b1", type="FS"),
    ]  # fmt: skip
    return config, tool


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("access")
    links: list[Record] = [
        PersonLink(id=f"match:{who}", account_id=f"s:{who}", person_id=f"config:p{who}", state="accepted",
                   method="email", score=1) for who in TEAMS
    ]  # fmt: skip
    with store_at(folder / "hub.db") as store:
        fill(store, *records(), links)
        return build(store.engine, folder / "feed", BuildOptions()).folder


@pytest.fixture(params=["nominative-line", "pseudonym-week", "team-week"])
def feed(request: pytest.FixtureRequest, snapshot: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    # a level that is there already is not made again
    projections = snapshot.parents[1] / "projections"
    connection = open_feed(project_to(request.param, snapshot, projections, secret=b"s", k=1, addresses=True))
    yield connection
    connection.close()


@pytest.fixture
def whole(snapshot: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    connection = open_feed(snapshot)
    yield connection
    connection.close()


def seen(
    feed: duckdb.DuckDBPyConnection, table: str, user: str, what: str = "count(*)", where: str = "true"
) -> Any:
    """Return *what* of the rows of *table* that *user* sees, told by SQL alone."""
    rule = shows_sql(table, user="?", alias="f.")
    assert rule is not None
    users = [f"{user}@x.org"] * rule.count("?")
    return feed.execute(f"SELECT {what} FROM {table} f WHERE ({rule}) AND {where}", users).fetchall()[0][0]


@pytest.mark.long
def test_lines_become_rights_of_people(whole: duckdb.DuckDBPyConnection) -> None:
    """A group is its members, once each; one without any is its own address; a line of nothing goes."""
    rights = whole.execute(
        "SELECT user_principal, p.code, a.team FROM dim_access a JOIN dim_project p USING (project_key)"
    ).fetchall()

    assert [
        ("board@x.org", "A", ""),
        ("both@x.org", "B", "Red"),
        ("lead@x.org", "?", "Red"),
        ("one.project@x.org", "A", ""),
        ("team@x.org", "?", "Red"),
        ("two@x.org", "?", "Blue"),
        ("two@x.org", "A", ""),
    ] == sorted(rights)


# what each of them sees: project A; team Red; team Red in project B; A and Blue; a person without a line
SEEN = {
    # three tasks in A; Ann's two and Al's; Ann's in B; A's and Bob's
    "fact_task_snapshot": (3, 3, 1, 4, 0),
    "dim_task": (3, 3, 1, 4, 0),
    # A and B have rows of Red, and KPIs of a team are of no project
    "dim_project": (1, 3, 1, 3, 0),
    # Ann, Al and nobody work in A; Ann and Al are Red; Ann works in B; Bob is Blue
    "dim_person": (3, 2, 1, 4, 0),
    # a sprint each, and none in A
    "dim_iteration": (2, 3, 1, 3, 0),
    # a stay is of a project's task, and of no team
    "fact_status_interval": (4, 0, 0, 4, 0),
    "fact_assessment": (1, 0, 0, 1, 0),
    "fact_register": (1, 0, 0, 1, 0),
    "fact_project_snapshot": (1, 0, 0, 1, 0),
    # those of all, and of A
    "dim_target": (2, 1, 1, 2, 0),
    # both ends show: in A; from A to B of Ann
    "fact_task_link": (1, 1, 0, 1, 0),
    "fact_allocation_week": (2, 3, 1, 3, 0),
    "dim_access": (1, 1, 1, 2, 0),
}


@pytest.mark.parametrize("table", SEEN)
def test_each_sees_what_is_allowed(whole: duckdb.DuckDBPyConnection, table: str) -> None:
    """The rows of everybody, counted by hand."""
    told = tuple(seen(whole, table, user) for user in ("one.project", "team", "both", "two", "stranger"))

    assert SEEN[table] == told


@pytest.mark.long
def test_a_feed_opened_for_a_person_is_that_persons(snapshot: Path, tmp_path: Path) -> None:
    """The same rows, whoever asks for them and how: there is no table beside that holds the others."""
    folder = project_to("nominative-line", snapshot, tmp_path / "p")
    told: dict[str, tuple[int, ...]] = dict.fromkeys(SEEN, ())
    for user in ("One.Project", "team", "both", "two", "stranger"):
        connection = open_feed(folder, person=f" {user}@X.org")
        for table in SEEN:
            told[table] += connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0]
        connection.close()

    assert SEEN == told


def test_a_persons_name_is_a_text(snapshot: Path) -> None:
    """An address that would end a text of SQL is nobody's."""
    connection = open_feed(snapshot, person="x' OR '1' = '1")
    count = connection.execute("SELECT count(*) FROM dim_task").fetchall()
    connection.close()

    assert [(0,)] == count


@pytest.mark.long
def test_hours_are_the_same_at_every_level(feed: duckdb.DuckDBPyConnection) -> None:
    """Three hours in A; four of Red; one of Red in B; A's and Bob's; none."""
    told = [
        seen(feed, "fact_worklog", user, "coalesce(sum(seconds), 0) / 3600")
        for user in ("one.project", "team", "both", "two", "stranger")
    ]

    assert [3, 4, 1, 4, 0] == told


def test_figures_of_a_project_a_team_and_everybody(whole: duckdb.DuckDBPyConnection) -> None:
    """Who is allowed a project has its figures, who a team the team's; nobody those of all."""
    scopes = "list_sort(list(DISTINCT scope_kind || ' ' || scope_label))"
    told = {
        user: seen(whole, "fact_kpi", user, scopes) for user in ("one.project", "team", "both", "stranger")
    }

    assert {"one.project": ["project A"], "team": ["team Red"], "both": None, "stranger": None} == told


def test_capacity_is_of_a_team(whole: duckdb.DuckDBPyConnection) -> None:
    """A week of somebody is of no project: neither A nor Red in B shows one."""
    people = "count(DISTINCT person_key)"

    assert [0, 2, 0] == [
        seen(whole, "fact_capacity_week", user, people) for user in ("one.project", "team", "both")
    ]


@pytest.mark.sample(5)
@pytest.mark.parametrize("user", ["one.project", "team", "both", "two", "board"])
def test_no_row_is_lost_behind_its_dimensions(feed: duckdb.DuckDBPyConnection, user: str) -> None:
    """Power BI narrows facts by the dimensions that show: what a row points to shows with it."""
    lost = []
    for table, one in model().tables.items():
        if not table.startswith("fact_") or table not in bearings():
            continue
        for column, facts in one.columns.items():
            if facts.ref in bearings():
                key = model().tables[facts.ref].key[0]
                rule = (shows_sql(facts.ref, user="?", alias="d.") or "").replace("?", f"'{user}@x.org'")
                hidden = f"f.{column} NOT IN (SELECT d.{key} FROM {facts.ref} d WHERE {rule})"
                if seen(feed, table, user, where=hidden):
                    lost.append((table, column))

    assert [] == lost


def test_every_table_with_a_project_a_team_or_a_person_has_a_rule() -> None:
    """Whatever the model gains; the calendar, cuts, statuses, sources and captions are everybody's."""
    open_to_all = {name for name in model().tables if name not in bearings()}

    assert {"dim_date", "dim_cut", "dim_status", "dim_source", "fact_adoption", "meta_label"} == open_to_all


@pytest.mark.long
def test_a_projection_without_addresses_says_nothing_of_rights(snapshot: Path, tmp_path: Path) -> None:
    """Neither who may see what, nor what that reaches."""
    connection = open_feed(project_to("team-week", snapshot, tmp_path / "p", k=1))
    counts = [
        connection.execute(f"SELECT count(*) FROM {name}").fetchall()[0][0]
        for name in ("dim_access", "bridge_access")
    ]
    connection.close()

    assert [0, 0] == counts
