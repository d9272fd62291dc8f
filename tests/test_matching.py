"""Matching: what decides, what only proposes, what people say stays, and no hour is lost."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import pytest
from filling import fill

from hub import matching
from hub.errors import ConfigError
from hub.feed import BuildOptions, build, open_feed
from hub.matching.tasks import ExecTask, PlanTask
from hub.records import Account, AccountAlias, Container, CustomValue, Person, Project, Record, Task, Worklog
from hub.store import Store

PEOPLE: list[Record] = [
    Person(
        id="config:people/1",
        display_name="Jean Dupont",
        email="jean.dupont@corp.com",
        aliases="jd@old.com",
        employee_no="M1",
        login="CORP\\jdupont",
        team="A",
    ),
    Person(id="config:people/2", display_name="Élodie Martin", email="e.martin@corp.com", team="A"),
]
ACCOUNTS: list[Record] = [
    Account(id="jira:1", display_name="J. D.", email="Jean.Dupont@corp.com"),
    Account(id="plans:1", display_name="DUPONT Jean"),
    Account(id="times:1", employee_no="m1"),
    Account(id="ad:1", login="corp\\JDupont"),
    Account(id="jira:2", display_name="Elodie MARTIN"),
    Account(id="jira:3", display_name="CI", kind="bot", email="e.martin@corp.com"),
    Account(id="plans:9", display_name="Élodie Martin", kind="generic"),
    Account(id="tw:5", display_name="Nobody", email="n@else.org"),
    Account(id="jira:5", display_name="N. Body", email="N@else.org"),
]


def links(store: Store, state: str = "accepted") -> dict[str, tuple[str, str]]:
    return {line.left: (line.right, line.method) for line in matching.lines(store, state=state)}


def test_exact_identifiers_decide_and_names_propose(store: Store) -> None:
    """Number, address and login are accepted; a name waits; robots and placeholders are nobody.

    Strangers with one address are one.
    """
    fill(store, PEOPLE, ACCOUNTS)
    counts = matching.propose(store, {}, actor="me")

    assert {
        "jira:1": ("config:people/1", "email"),
        "times:1": ("config:people/1", "employee_no"),
        "ad:1": ("config:people/1", "login"),
        "tw:5": ("match:people/jira:5", "same identifier"),
        "jira:5": ("match:people/jira:5", "same identifier"),
    } == links(store)
    assert {"plans:1": ("config:people/1", "name"), "jira:2": ("config:people/2", "name")} == links(
        store, "proposed"
    )
    assert (5, 2) == (counts.accepted, counts.proposed)
    assert 5 == len(store.rows("SELECT 1 FROM audit_log WHERE action = 'match accept'"))


@pytest.mark.parametrize("turned", [False, True])
def test_proposals_are_numbered_by_what_they_are_about(store: Store, turned: bool) -> None:
    """Not by which of the sources that are read side by side wrote first."""
    fill(store, PEOPLE, ACCOUNTS[::-1] if turned else ACCOUNTS)
    matching.propose(store, {}, actor="me")

    assert ["ad:1", "jira:1", "jira:2", "plans:1", "times:1", "jira:5", "tw:5"] == [
        row["account_id"] for row in store.rows("SELECT account_id FROM person_link ORDER BY key")
    ]


def test_an_alias_of_an_address_or_a_domain(store: Store) -> None:
    """A second address of the person, one that the administrator knows, a domain that stands for another."""
    accounts: list[Record] = [
        Account(id="jira:1", email="jd@old.com"),
        Account(id="jira:2", email="e.martin@corp.fr"),
        Account(id="jira:3", display_name="hidden"),
        Account(id="jira:4", display_name="somebody"),
    ]
    told: list[Record] = [
        AccountAlias(id="config:a", account_id="jira:3", email="e.martin@corp.com"),
        AccountAlias(id="config:b", account_id="jira:somebody", person_id="config:people/1"),
    ]
    fill(store, PEOPLE, accounts, told)
    matching.propose(store, {"corp.fr": "corp.com"}, actor="me")

    assert {
        "jira:1": ("config:people/1", "email"),
        "jira:2": ("config:people/2", "email+alias"),
        "jira:3": ("config:people/2", "email"),
        "jira:4": ("config:people/1", "manual"),
    } == links(store)


def test_what_two_people_share_decides_nothing(store: Store) -> None:
    """Two people of one address are both proposed, with the reason."""
    fill(
        store,
        [*PEOPLE, Person(id="config:people/3", display_name="Twin", email="jean.dupont@corp.com")],
        ACCOUNTS[:1],
    )
    matching.propose(store, {}, actor="me")
    waiting = matching.lines(store, state="proposed")

    assert {"config:people/1", "config:people/3"} == {line.right for line in waiting}
    assert all("2 people have" in line.reason for line in waiting)


def test_what_people_decide_stays(store: Store) -> None:
    """Accepted, rejected and split survive the next proposal; each is audited with before, after and why.

    One person an account.
    """
    fill(store, PEOPLE, ACCOUNTS)
    matching.propose(store, {}, actor="me")
    ids = {line.left: line.id for line in matching.lines(store)}
    matching.accept(store, [ids["plans:1"]], actor="ann", reason="same desk")
    matching.reject(store, [ids["jira:2"]], actor="ann")
    matching.split(store, [ids["jira:1"]], actor="ann", reason="left the company")
    counts = matching.propose(store, {}, actor="me")
    said = store.rows(
        "SELECT action, actor, reason, before, after FROM audit_log WHERE actor = 'ann' ORDER BY seq"
    )

    assert ("config:people/1", "manual") == links(store)["plans:1"]
    assert {"jira:1", "jira:2"} == set(links(store, "rejected"))
    assert (0, 0) == (counts.accepted, counts.proposed)
    assert ["match accepted", "match rejected", "match rejected"] == [row["action"] for row in said]
    assert "same desk" == said[0]["reason"]
    assert '"state": "proposed"' in said[0]["before"]
    assert '"state": "accepted"' in said[0]["after"]
    with pytest.raises(ConfigError, match="nothing to split"):
        matching.split(store, [ids["jira:2"]], actor="ann")
    with pytest.raises(ConfigError, match="no link 'p999'"):
        matching.accept(store, ["p999"], actor="ann")


def test_a_rule_that_no_longer_holds_is_taken_back(store: Store) -> None:
    """An address that changed takes its automatic link away; a decision of a person stays."""
    fill(store, PEOPLE, ACCOUNTS[:2])
    matching.propose(store, {}, actor="me")
    matching.accept(store, [line.id for line in matching.lines(store, state="proposed")], actor="ann")
    fill(
        store,
        [
            Account(id="jira:1", display_name="J. D.", email="other@corp.com"),
            Account(id="plans:1", display_name="Renamed"),
        ],
    )
    counts = matching.propose(store, {}, actor="me")

    assert 1 == counts.withdrawn
    assert {"plans:1": ("config:people/1", "manual")} == links(store)


@pytest.mark.long
def test_matched_accounts_are_one_person_in_the_feed(store: Store, tmp_path: Path) -> None:
    """Hours of three tools meet on one person with a team; the sum is that of the lines."""
    logs: list[Record] = [
        Worklog(id=f"{s}:w", account_id=f"{s}:1", day="2026-03-02", seconds=3600)
        for s in ("jira", "times", "ad")
    ]
    fill(store, PEOPLE, ACCOUNTS, logs)
    matching.propose(store, {}, actor="me")
    feed = open_feed(build(store.engine, tmp_path / "feed", BuildOptions()).folder)
    found = feed.execute(
        "SELECT person_label, team, sum(seconds)::BIGINT FROM fact_worklog "
        "JOIN dim_person USING (person_key) GROUP BY ALL"
    ).fetchall()
    feed.close()

    assert [("Jean Dupont", "A", 10800)] == found


def plan_and_work() -> list[Record]:
    rows: list[Record] = [
        Project(id="config:P", code="P", name="P"),
        Container(id="plans:g", kind="plan", code="P", name="Plan"),
        Container(id="jira:p1", kind="project", code="P", name="Board"),
    ]
    rows += [
        Task(id=f"plans:t{n}", container_id="plans:g", title=title)
        for n, title in enumerate(("Build [P-1]", "Migration SI", "Testing", "UTF-8 cleanup"))
    ]
    rows += [
        Task(id=f"jira:{n}", container_id="jira:p1", code=f"P-{n}", title=title, parent_id=parent)
        for n, title, parent in (
            (1, "Epic", None),
            (2, "Story", "jira:1"),
            (3, "migration  si", None),
            (4, "Field", None),
            (5, "Alone", None),
        )
    ]
    rows += [
        CustomValue(
            id="plans:t2/Text1", row_id="plans:t2", field="Text1", text="https://jira.example/browse/P-4"
        )
    ]
    rows += [
        Worklog(id=f"jira:w{n}", task_id=f"jira:{n}", day="2026-03-02", seconds=n * 3600) for n in range(1, 6)
    ]
    return rows


@pytest.mark.long
def test_issues_carry_out_plan_tasks(store: Store, tmp_path: Path) -> None:
    """A key in the name, a link in a field; a story goes with its epic.

    Hours are conserved and leftovers listed.
    """
    fill(store, plan_and_work())
    matching.propose(store, {}, actor="me")
    rest = matching.leftovers(store)
    feed = open_feed(build(store.engine, tmp_path / "feed", BuildOptions()).folder)
    found = feed.execute(
        "SELECT p.title, sum(w.seconds)::BIGINT FROM fact_worklog w JOIN dim_task t USING (task_key) LEFT "
        "JOIN dim_task p ON p.task_key = t.plan_task_key "
        "GROUP BY 1 ORDER BY 1 NULLS LAST"
    ).fetchall()
    feed.close()

    assert {"jira:1": ("plans:t0", "key in name"), "jira:4": ("plans:t2", "url")} == links(store)
    assert {"jira:3": ("plans:t1", "same name in the same project")} == links(store, "proposed")
    assert [("P", 7 * 3600, 8 * 3600, 2)] == [
        (one.project, one.matched_s, one.left_s, one.unmatched_issues) for one in rest
    ]
    assert [("(No task)", 8 * 3600), ("Build [P-1]", 3 * 3600), ("Testing", 4 * 3600)] == found


def test_the_round_trip_through_a_spreadsheet(store: Store) -> None:
    """Export, edit the state, import; a wrong line refuses the file and changes nothing."""
    fill(store, PEOPLE, ACCOUNTS, plan_and_work())
    matching.propose(store, {}, actor="me")
    rows = list(csv.DictReader(io.StringIO(matching.export_csv(store, state="proposed")), delimiter=";"))
    for row in rows:
        row["state"] = "rejected" if row["left"] == "jira:2" else "accepted"
    text = io.StringIO()
    writer = csv.DictWriter(text, matching.decide.COLUMNS, delimiter=",")
    writer.writeheader()
    writer.writerows(rows)
    broken = text.getvalue() + "p999,person,,,,,,,accepted,\n"
    before = matching.lines(store)
    with pytest.raises(ConfigError, match=r"m.csv, line \d+, column id: there is no link 'p999'"):
        matching.import_csv(store, broken, name="m.csv", actor="me")
    kept = matching.lines(store)
    done = matching.import_csv(store, "\ufeff" + text.getvalue(), name="m.csv", actor="me")

    assert before == kept
    assert (2, 1) == done
    assert "jira:3" in links(store)
    with pytest.raises(ConfigError, match="column id, state is missing"):
        matching.import_csv(store, "a;b\n1;2\n", name="m.csv", actor="me")
    with pytest.raises(ConfigError, match="'maybe' is not accepted"):
        matching.import_csv(store, "id;state\np1;maybe\n", name="m.csv", actor="me")


def test_containers_are_proposed_and_accepted(store: Store, tmp_path: Path) -> None:
    """A container that no line takes is proposed by name; accepted, its hours go to the project."""
    rows: list[Record] = [
        Project(id="config:PORTAIL", code="PORTAIL", name="Portail client"),
        Container(id="times:7", kind="table", code="7", name="Client portail"),
        Worklog(id="times:w", container_id="times:7", day="2026-03-02", seconds=3600),
    ]
    fill(store, rows)
    (line,) = matching.containers(store)
    matching.accept(store, [line.id], actor="me")
    feed = open_feed(build(store.engine, tmp_path / "feed", BuildOptions()).folder)
    found = feed.execute("SELECT code FROM fact_worklog JOIN dim_project USING (project_key)").fetchall()
    feed.close()

    assert ("times:7", "PORTAIL", "same name") == (line.left, line.right, line.method)
    assert [("PORTAIL",)] == found
    assert [] == matching.containers(store)


def test_like_names_are_proposed(proof: bool) -> None:
    """A name that reads almost alike is proposed in its own project only.

    Ten thousand by ten thousand in the proof.
    """
    words = (
        "audit",
        "réseau",
        "portail",
        "paie",
        "stock",
        "facture",
        "migration",
        "sauvegarde",
        "annuaire",
        "contrat",
        "signature",
        "archive",
    )
    size = 10_000 if proof else 300
    names = [f"{words[n % 12]} {words[n // 12 % 12]} lot {n}" for n in range(size)]
    plan = [PlanTask(id=f"p{n}", project=1, title=name) for n, name in enumerate(names)]
    work = [
        ExecTask(id=f"e{n}", project=1, title=name.replace("lot", "lots")) for n, name in enumerate(names)
    ]
    began = time.monotonic()
    found = matching.match_tasks(plan, work, set())
    took = time.monotonic() - began

    assert 0.9 * size < len(found) <= size
    assert {"proposed"} == {match.state for match in found}
    assert took < 60, "the promise of the design: under a minute"
    assert [] == matching.match_tasks(plan[:5], [ExecTask(id="x", project=2, title=names[0])], set())


def test_no_name_runs_in_the_spreadsheet(store: Store) -> None:
    """A name that begins like a formula begins with an apostrophe; the decisions come back all the same."""
    texts = ("=1+1", "+33 1", "-cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=2", "a=b", "'quoted")
    people: list[Record] = [
        Person(id=f"config:people/{n}", display_name=text) for n, text in enumerate(texts)
    ]
    accounts: list[Record] = [Account(id=f"jira:{n}", display_name=text) for n, text in enumerate(texts)]
    fill(store, people, accounts)
    matching.propose(store, {}, actor="me")
    text = matching.export_csv(store)
    rows = {row["left"]: row for row in csv.DictReader(io.StringIO(text, newline=""), delimiter=";")}
    waiting = matching.lines(store)
    done = matching.import_csv(store, text.replace("proposed", "accepted"), name="m.csv", actor="me")

    assert set(rows) == {line.left for line in waiting} == {account.id for account in accounts}
    for line in waiting:
        risky = line.left_name[:1] in {"=", "+", "-", "@", "\t", "\r"}
        assert ("'" if risky else "") + line.left_name == rows[line.left]["left_name"]
    assert (len(waiting), 0) == done
