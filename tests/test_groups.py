"""A sum that shows a team or a week is made of k people; what is less becomes project and month."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from filling import ask_feed, fill

from hub.errors import ConfigError
from hub.feed import BuildOptions, build, load_manifest, project_to
from hub.feed.groups import Cell, Row, contributors, settle
from hub.records import (
    Access,
    Account,
    Allocation,
    Container,
    Person,
    PersonLink,
    Project,
    ProjectLink,
    Record,
    Worklog,
)  # fmt: skip
from hub.settings import PrivacySettings, convert
from hub.store import Store

WEEK = "2026-01-05"


def row(person: int, team: str | None = "A", week: str = WEEK, seconds: int = 10, **more: Any) -> Row:
    """Return hours of one person, brought by one publication unless *classes* says otherwise."""
    parts = (team, week, 1, None, "approved", None, more.get("nature", "build"))
    return Row(
        parts, person, (seconds, more.get("away", 1.0), more.get("money"), None), more.get("classes", (0,))
    )


def levels(cells: list[Cell]) -> list[tuple[int, int, int]]:
    return [(cell.level, cell.people, cell.sums[0]) for cell in cells]


def test_five_people_show_their_week_and_team() -> None:
    """Five are enough, four are not: nothing but the month is left."""
    cells, rest = settle([row(n) for n in range(5)], 5)

    assert ([(0, 5, 50)], 0) == (levels(cells), rest)
    assert ([], 4) == settle([row(n) for n in range(4)], 5)


def test_the_week_goes_before_the_team() -> None:
    """Two half weeks of six people make no week each, but the team's month."""
    rows = [row(n, week=WEEK if n < 3 else "2026-01-12") for n in range(6)]

    assert [(1, 6, 60)] == levels(settle(rows, 5)[0])


def test_nobody_is_beside_a_cell_alone() -> None:
    """A sixth person of another team would be found by subtraction: the cell gives way."""
    assert ([], 6) == settle([*(row(n) for n in range(5)), row(9, team="B")], 5)


def test_who_has_nothing_does_not_count() -> None:
    """Zero hours, or hours taken back, make no contributor; nor do hours without money where there is any."""
    assert {0: 4} == contributors(
        [*(row(n) for n in range(4)), row(4, seconds=0), row(5), row(5, seconds=-10)]
    )
    assert {0: 1} == contributors([row(0, money=5), *(row(n) for n in range(1, 6))])


def test_what_different_nights_brought_is_not_shown_apart() -> None:
    """A total was given between: week one is what the first night brought.

    So a late line would be told.
    """
    first = [row(n, classes=(1,)) for n in range(6)]
    second = [row(n, week="2026-01-12", classes=(2,)) for n in range(6)]

    assert (
        []
        == settle(
            [*first, *second, *(row(n, week="2026-01-19", team="B", classes=(2,)) for n in range(3))], 5
        )[0]
    )
    assert 2 == len(settle([*first, *(msgspec.structs.replace(one, classes=(1,)) for one in second)], 5)[0])


def test_absence_stands_apart_from_k_on() -> None:
    """Four away of six: the sum is net of them; five, or none, are told."""
    away = [[row(n, away=3.0 if n < many else 0.0) for n in range(6)] for many in (0, 4, 5)]

    assert [0.0, None, 15.0] == [settle(rows, 5, net=True)[0][0].sums[1] for rows in away]


def test_k_is_at_least_one(tmp_path: Path) -> None:
    """A setting, five where nothing is said."""
    assert 5 == PrivacySettings().k
    assert 2 == convert({"k": 2}, PrivacySettings, where="x", base=tmp_path).k
    with pytest.raises(ConfigError, match="k"):
        convert({"k": 0}, PrivacySettings, where="x", base=tmp_path)


@pytest.fixture
def snapshot(store: Store, tmp_path: Path) -> Path:
    """Return a feed of six people of one team, a seventh of another, one of them with two accounts."""
    people: list[Record] = [
        Person(id=f"config:p{n}", display_name=f"N{n}", team="A" if n < 6 else "B") for n in range(7)
    ]
    rows: list[Record] = [
        Container(id="s:c", kind="table", code="P", name="P"),
        *(Account(id=f"s:a{n}", display_name=f"N{n}") for n in range(8)),
        *(Worklog(id=f"s:w{n}", container_id="s:c", account_id=f"s:a{n}", day="2026-01-06",
                  seconds=3600) for n in range(6)),
        Worklog(id="s:w7", container_id="s:c", account_id="s:a7", day="2026-01-07", seconds=100),
        Allocation(id="s:p", account_id="s:a1", container_id="s:c", start_on="2026-01-06",
                   finish_on="2026-01-06", seconds=500),
    ]  # fmt: skip
    links: list[Record] = [
        PersonLink(
            id=f"match:{n}",
            account_id=f"s:a{n}",
            person_id=f"config:p{n % 7}",
            state="accepted",
            method="email",
            score=1,
        )
        for n in range(8)
    ]
    more: list[Record] = [
        Project(id="config:P", code="P", name="P", manager_id="A. Manager"),
        Access(id="config:x", user_principal="boss@corp.example", project_code="P"),
        ProjectLink(id="config:l", project_code="P", container_id="s:c", facets="actuals,effort"),
    ]  # fmt: skip
    fill(store, people + more, rows, links)
    return build(store.engine, tmp_path / "feed", BuildOptions()).folder


def ask(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    return ask_feed(folder, sql)


@pytest.mark.long
def test_a_person_with_two_accounts_counts_once(snapshot: Path, tmp_path: Path) -> None:
    """Six people, not seven accounts: with k = 6 the team's week is shown, with 7 it is not.

    All of it is there either way.
    """
    shown = (
        "SELECT grain, p.team, sum(seconds)::BIGINT FROM fact_worklog "
        "JOIN dim_person p USING (person_key) GROUP BY ALL"
    )
    six = project_to("team-week", snapshot, tmp_path / "6", k=6)
    seven = project_to("team-week", snapshot, tmp_path / "7", k=7)

    assert [("week", "A", 21700)] == ask(six, shown)
    assert [("month", None, 21700)] == ask(seven, shown)
    assert [("2026-01-01",)] == ask(seven, "SELECT work_date::VARCHAR FROM fact_worklog")
    assert [6, 7] == [load_manifest(folder)["k"] for folder in (six, seven)]
    assert [("month", 500)] == ask(
        six, "SELECT grain, planned_s FROM fact_allocation_week WHERE planned_s > 0"
    )


@pytest.mark.long
def test_addresses_go_where_they_are_needed(snapshot: Path, tmp_path: Path) -> None:
    """Row-level security has its addresses where a destination asks for them.

    They are nowhere else below nominative-line.
    """
    without = project_to("team-week", snapshot, tmp_path / "p")
    also = project_to("team-week", snapshot, tmp_path / "p", addresses=True)

    assert [] == ask(without, "SELECT * FROM dim_access")
    assert [("boss@corp.example",)] == ask(also, "SELECT user_principal FROM dim_access")
    assert [(None,)] == ask(also, "SELECT DISTINCT manager FROM dim_project")


def test_who_may_ask_for_addresses() -> None:
    """No other destination that comes with the hub is given them; PostgreSQL's only for row policies."""
    from hub.destination import Destination
    from hub.plugins import Plugins

    asking = {
        kind for kind, one in Plugins().destinations.items() if one.addresses is not Destination.addresses
    }

    assert {"powerbi", "postgresql"} == asking


@pytest.mark.long
def test_the_ledger_holds_no_name(snapshot: Path, tmp_path: Path) -> None:
    """What is remembered of a publication is sums of teams."""
    project_to("team-week", snapshot, tmp_path / "p")
    (ledger,) = (tmp_path / "p" / "groups").glob("*.duckdb")
    with duckdb.connect(str(ledger), read_only=True) as connection:
        names = [one[0] for one in connection.execute("SELECT table_name FROM duckdb_tables()").fetchall()]
        text = repr([connection.execute(f"SELECT * FROM {name}").fetchall() for name in names])

    assert "'A'" in text
    assert not [n for n in range(7) if f"N{n}" in text]
    assert 0o600 == ledger.stat().st_mode & 0o777
