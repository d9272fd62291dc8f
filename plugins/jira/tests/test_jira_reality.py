"""Jira as people really have it: each case with the value that Jira's own words or a hand give."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_jira import mapping, wire
from hub_jira.fields import Bindings, FieldDef, bind
from hub_jira.source import JiraSource
from hub_jira.sprints import sprints_of
from hub_jira.testing import EMAIL, Caps, JiraWorld, ServerWorld
from hub_jira.testing.certification import CAPS
from hub_jira.testing.fields import field_def
from hub_jira.testing.world import AREAS, EPIC, FLAGGED, KEYS, POINTS, SEVERITY, SLA, SPRINT, sprint_row

from hub import clock
from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once
from hub.testing.kit import Request, Response, SimulatorServer, credential, faults

__all__ = ["store"]
BOTH = pytest.mark.parametrize("world_of", [JiraWorld, ServerWorld], ids=["cloud", "data center"])


def source(site: SimulatorServer, **settings: Any) -> JiraSource:
    cloud = {"email": EMAIL} if site.world.cloud else {}
    return JiraSource(**{"name": "jira", "url": site.url, "token": credential(), **cloud, **settings})


def go(store: Store, site: SimulatorServer, *, settings: Any = (), **options: Any) -> SourceReport:
    site.asked.clear()
    return sync_once(store, source(site, **dict(settings)), session=faults.hurried, **options)


def asked(site: SimulatorServer) -> Counter[str]:
    return Counter(re.sub(r"/\d+", "/N", one.path.partition("/2/")[2] or one.path) for one in site.asked)


def value(store: Store, sql: str) -> Any:
    rows = store.connection.execute(sql).fetchall()
    assert 1 == len(rows), rows
    return rows[0][0]


def presence(store: Store, native: int | str) -> str:
    return str(value(store, f"SELECT presence FROM task WHERE id = 'jira:{native}'"))


def later(monkeypatch: pytest.MonkeyPatch, **span: float) -> None:
    at = clock.now() + timedelta(**span)
    monkeypatch.setattr(clock, "now", lambda: at)


# ---------- 1: who is signed in ----------


@BOTH
@pytest.mark.parametrize("settings", [{}, {"worklogs": False}], ids=["with hours", "without"])
def test_nobody_is_failed(world_of: type[JiraWorld], settings: dict[str, Any], store: Store) -> None:
    """An expired token sees empty lists, and well: the run failed, no project is hidden, nothing leaves."""
    world = world_of(3, caps=CAPS)
    with SimulatorServer(world) as site:
        go(store, site, settings=settings)
        before = store.rows(
            "SELECT id, presence FROM task UNION SELECT id, presence FROM container ORDER BY 1"
        )
        world.expired = True
        reports = [
            go(store, site, settings=settings, **how) for how in ({}, {"census": True}, {"full": True})
        ]
        after = store.rows(
            "SELECT id, presence FROM task UNION SELECT id, presence FROM container ORDER BY 1"
        )

    assert ["failed"] * 3 == [one.verdict for one in reports]
    assert before == after


def test_a_first_run_as_nobody_is_failed(store: Store) -> None:
    """A wrong token reads nothing and says so; `myself` that names nobody is nobody too."""
    world = JiraWorld(3, caps=CAPS)
    world.expired = True
    with SimulatorServer(world) as site:
        refused = go(store, site)
        world.expired = False

        def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
            return Response(body={}) if request.path.endswith("/myself") else honest()

        site.fault = fault
        nameless = go(store, site)

    assert ("failed", "failed") == (refused.verdict, nameless.verdict)
    assert "nobody is signed in" in str(nameless.error)
    assert not store.rows("SELECT 1 FROM cursor")


def test_a_token_that_ends_during_a_run_proves_nothing(store: Store) -> None:
    """The census asks again who is signed in before it says of anything that it is away."""
    world = JiraWorld(3, caps=CAPS)
    with SimulatorServer(world) as site:
        go(store, site)

        def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
            world.expired = world.expired or request.path.endswith("/project/search")
            return honest()

        site.fault = fault
        report = go(store, site, census=True)
        gone = store.rows("SELECT 1 FROM task WHERE presence <> 'present'")
        hidden = store.rows("SELECT 1 FROM container WHERE presence <> 'present'")

    assert report.verdict != "ok"
    assert ([], []) == (gone, hidden)


# ---------- 2: history ----------


@pytest.mark.parametrize("way", ["inside", "cut"])
def test_sprints_and_parents_have_a_history(way: str, store: Store) -> None:
    """A sprint by the id of its field, a parent without any: first, in increments, and in long histories."""
    caps = Caps(embedded_histories=40 if way == "inside" else 0)
    world = JiraWorld(3, caps=caps)
    one, other = map(str, sorted(world.items)[5:7])
    world.carry(one, 9)
    world.sprint_rows[9] = sprint_row(9)
    with SimulatorServer(world) as site:
        go(store, site)
        world.adopt(one, int(other))
        world.carry(one, 9)
        last = go(store, site)
    changes = store.connection.execute(
        "SELECT field, from_value, to_value FROM task_change "
        "WHERE task_id = ? AND field <> 'status' ORDER BY at",
        (f"jira:{one}",),
    ).fetchall()
    first = str(1 + int(one) % 3)

    assert "ok" == last.verdict, last.missing
    assert [
        ("sprint", first, f"{first}, 9"),
        ("parent", None, other),
        ("sprint", f"{first}, 9", f"{first}, 9, 9"),
    ] == [tuple(row) for row in changes]


def test_more_than_ten_fields_are_several_requests(store: Store) -> None:
    """Twelve fields are asked by their ids, ten at most at once; the last one is not cut."""
    fields = ("status", "issuetype", "assignee", "sprint", "points", "duedate", "timeestimate", "resolution",
              "priority", "summary", "labels", "timeoriginalestimate")  # fmt: skip
    world = JiraWorld(3, caps=Caps(embedded_histories=0))
    native = str(min(world.items))
    world.change(native, "timeoriginalestimate", "3600", "7200")
    with SimulatorServer(world) as site:
        report = go(store, site, settings={"history": fields})
        bodies = [json.loads(one.body)["fieldIds"] for one in site.asked if "changelog" in one.path]
    changed = store.rows("SELECT to_value AS v FROM task_change WHERE field = 'timeoriginalestimate'")

    assert "ok" == report.verdict, report.missing
    assert [10, 2] == [len(one) for one in bodies]
    assert {SPRINT, POINTS} <= set(bodies[0])
    assert ["7200"] == [row["v"] for row in changed]


def test_a_type_that_changed_is_history(store: Store) -> None:
    """What was requalified is kept without a setting."""
    world = JiraWorld(3, caps=CAPS)
    world.change(str(min(world.items)), "issuetype", "Bug", "Story")
    with SimulatorServer(world) as site:
        go(store, site)
    found = store.rows("SELECT from_value AS a, to_value AS b FROM task_change WHERE field = 'issuetype'")

    assert [("Bug", "Story")] == [(row["a"], row["b"]) for row in found]


# ---------- 3: what changes without touching an issue ----------


@BOTH
def test_a_day_later_lists_are_read(
    world_of: type[JiraWorld], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sprint closed, a status means done, a version and a person are called otherwise: no issue changed."""
    world = world_of(3, caps=Caps())
    with SimulatorServer(world) as site:
        go(store, site)
        world.sprint_rows[2] |= {"state": "closed", "completeDate": "2024-04-07T08:00:00.000Z"}
        world.sprint_rows[7] = sprint_row(7, state="future")
        world.categories["10000"] = "indeterminate"
        world.version_name, world.people_names[1] = "1.0 LTS", "Engineer 1 (left)"
        calm = go(store, site)
        same = value(store, "SELECT state FROM iteration WHERE id = 'jira:s2'")
        later(monkeypatch, hours=25)
        daily = go(store, site)
        routes = asked(site)
        quiet = go(store, site)
    states = dict(store.connection.execute("SELECT id, state FROM iteration"))
    natives = {
        row[0]
        for row in store.connection.execute("SELECT status_native FROM task WHERE status_raw = 'To Do'")
    }
    texts = {
        row[0]
        for row in store.connection.execute("SELECT text FROM custom_value WHERE field = 'fixVersions'")
    }
    released = store.rows("SELECT text, day, row_id FROM custom_value WHERE field = 'version'")
    person = "acc-1" if world.cloud else "JIRAUSER1"

    assert (["ok"] * 3, []) == ([calm.verdict, daily.verdict, quiet.verdict], daily.missing)
    assert "active" == same
    assert {"jira:s1": "active", "jira:s2": "closed", "jira:s3": "active", "jira:s7": "future"} == states
    assert {"in_progress"} == natives
    assert {"1.0 LTS"} == texts
    assert [("1.0 LTS", "2024-07-01", "jira:p20001")] == [tuple(one.values()) for one in released]
    assert "Engineer 1 (left)" == value(
        store, f"SELECT display_name FROM account WHERE id = 'jira:u{person}'"
    )
    assert 0 == quiet.changes.updated
    assert (1, 3) == (routes["status"], routes["project/N"])


@pytest.mark.long
@BOTH
def test_what_is_called_otherwise_is_so_a_day_later(
    world_of: type[JiraWorld], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A priority, a resolution, a type, a kind of link and a project got another name: no issue changed."""
    world = world_of(3, caps=Caps())
    with SimulatorServer(world) as site:
        go(store, site)
        later(monkeypatch, hours=25)
        go(store, site)
        calm = len(site.asked)
        for what, was, name in (
            ("priority", "High", "P1"), ("resolution", "Fixed", "Delivered"), ("project", "BETA", "BETTER"),
            ("issuetype", "Bug", "Incident"), ("issueLinkType", "Blocks", "Stops"),
        ):  # fmt: skip
            world.call(what, was, name)
        world.category = "Strategic"
        go(store, site)
        quiet = len(site.asked)
        later(monkeypatch, hours=50)
        daily = go(store, site)
        routes = asked(site)
        later(monkeypatch, hours=75)
        again = go(store, site)
        settled = len(site.asked)
        world.category = None
        later(monkeypatch, hours=100)
        go(store, site)

    def said(sql: str) -> set[Any]:
        return {tuple(one) for one in store.connection.execute(sql)}

    assert ["ok", "ok"] == [daily.verdict, again.verdict], daily.missing
    assert {("P1",), ("Medium",)} == said("SELECT priority_raw FROM task")
    assert {("Delivered",), (None,)} == said("SELECT resolution_raw FROM task")
    types = said("SELECT type_raw, nature FROM task")
    assert ("Incident", "incident") in types
    assert "Bug" not in {one for one, _ in types}
    assert {("Stops",)} == said("SELECT type FROM task_link")
    assert {("BETTER", "BETTER")} == said(
        "SELECT c.code, substr(t.code, 1, 6) FROM task t JOIN container c ON c.id = t.container_id "
        "WHERE c.id = 'jira:p20002'"
    )
    assert {("deleted",)} == said("SELECT presence FROM custom_value WHERE field = 'projectCategory'")
    assert 0 == again.changes.updated
    assert quiet <= 5
    assert settled <= calm
    assert (1, 1, 1, 1) == tuple(
        routes[one] for one in ("priority", "resolution", "issueLinkType", "issuetype")
    )


@BOTH
def test_an_option_that_is_called_otherwise_is_so_a_day_later(
    world_of: type[JiraWorld], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One issue of each value is asked what it says now: no list of options is open to everybody."""
    world = world_of(3, caps=Caps())
    chosen = {"fields": {"jira": {SEVERITY: "text", AREAS: "list"}}}
    with SimulatorServer(world) as site:
        go(store, site, **chosen)
        world.call("option", "Major", "Sévère")
        world.call("option", "API", "Interface")
        later(monkeypatch, hours=25)
        daily = go(store, site, **chosen)
        texts = {tuple(one) for one in store.connection.execute("SELECT field, text FROM custom_value")}
        later(monkeypatch, hours=50)
        again = go(store, site, **chosen)
        last = asked(site)

    assert ["ok", "ok"] == [daily.verdict, again.verdict], daily.missing
    assert {(SEVERITY, "Sévère"), (AREAS, "Interface")} <= texts
    assert not {(SEVERITY, "Major"), (AREAS, "API")} & texts
    assert 0 == again.changes.updated
    assert 1 == last["issue/bulkfetch" if world.cloud else "search"] - (0 if world.cloud else 2)


@pytest.mark.parametrize(("part", "said"), [
    ("/user/", "people"), ("/status", "statuses"), ("/issueLinkType", "kinds of links"),
    ("/board", "sprints"), ("/board/1/sprint", "sprints"), ("/project/2", "versions and components"),
])  # fmt: skip
@pytest.mark.parametrize(
    "answer", [Response(status=403, body={}), Response(body={"odd": 1})], ids=["403", "odd"]
)
def test_a_list_that_may_not_be_read_is_told(
    part: str, said: str, answer: Response, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an account that never could a note says so; what was read before lacks until it is read again."""
    world = JiraWorld(3, caps=CAPS)

    def refuses(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        return answer if part in request.path else honest()

    with SimulatorServer(world) as site:
        go(store, site)
        later(monkeypatch, hours=25)
        site.fault = refuses
        never = go(store, site)
        site.fault = None
        later(monkeypatch, hours=25)
        well = go(store, site)
        site.fault = refuses
        later(monkeypatch, hours=25)
        lacking = [go(store, site)]
        later(monkeypatch, minutes=10)
        lacking.append(go(store, site))
        site.fault = None
        again = go(store, site)

    if answer.status == 403:
        assert "ok" == never.verdict, never.missing
        assert any(one.startswith(f"{said} were not looked at: ") for one in never.notes)
    assert ["ok", "ok"] == [well.verdict, again.verdict], again.rejections
    assert ["partial", "partial"] == [one.verdict for one in lacking]
    assert [[f"{said}:"]] * 2 == [[line[: len(said) + 1] for line in one.rejections] for one in lacking]


# ---------- 4: emptied is empty ----------


@BOTH
@pytest.mark.parametrize("full", [False, True], ids=["increment", "full"])
def test_emptied_is_empty(world_of: type[JiraWorld], full: bool, store: Store) -> None:
    """Versions, components, labels, links, points and cycles that an issue has no more leave it."""
    world = world_of(3, caps=Caps())
    native = next(n for n in world.items if n % 6 == 0 and n % 9 == 0)
    sla = world.custom(native, SLA)
    named = {"fixVersions": [{"id": "1", "name": "1.0"}], "components": [{"id": "5", "name": "API"}],
             "labels": ["a", "b"], POINTS: 3.0, SLA: sla}  # fmt: skip
    world.odd[native] = named
    with SimulatorServer(world) as site:
        go(store, site)
        before = [owned(store, native), row(store, native)]
        world.odd[native] = {
            "fixVersions": [],
            "components": [],
            "labels": [],
            POINTS: None,
            SLA: None,
            "issuelinks": [],
        }
        world.touch(str(native))
        report = go(store, site, full=full)
        after = [owned(store, native), row(store, native)]
        other = len(store.rows("SELECT 1 FROM task_link WHERE presence = 'present'"))

    assert "ok" == report.verdict, report.missing
    assert [{"custom_value": 2, "sla_cycle": 1, "task_link": 1}, (3.0, "a b")] == before
    assert [{"custom_value": 0, "sla_cycle": 0, "task_link": 0}, (None, None)] == after
    assert sum(n % 6 == 0 for n in sorted(world.items)[:-1]) - 1 == other


def owned(store: Store, native: int) -> dict[str, int]:
    where = {"custom_value": "row_id", "sla_cycle": "task_id", "task_link": "from_id"}
    return {
        table: len(store.rows(f"SELECT 1 FROM {table} WHERE {by} = 'jira:{native}' AND presence = 'present'"))
        for table, by in where.items()
    }


def row(store: Store, native: int) -> tuple[Any, ...]:
    return tuple(
        store.connection.execute(f"SELECT points, labels FROM task WHERE id = 'jira:{native}'").fetchone()
    )


# ---------- 6: archived, hidden, deleted ----------


ALONE = {"max_leave": 1.0}
"""One issue is a quarter of the hours of such a small project, which the guard would hold."""


@BOTH
def test_an_id_that_is_missing_is_asked_for_itself(world_of: type[JiraWorld], store: Store) -> None:
    """Archived keeps its hours and counts, restricted is hidden, only what nobody has is deleted."""
    world = world_of(3, caps=CAPS)
    with SimulatorServer(world) as site:
        go(store, site, settings=ALONE)
        archived, restricted, deleted = sorted({log.item for log in world.logs.values()})[:3]
        world.archived_issues, world.restricted = {archived}, {restricted}
        world.delete(str(deleted))
        report = go(store, site, census=True, settings=ALONE)
        said = [presence(store, one) for one in (archived, restricted, deleted)]
        again = go(store, site, census=True, settings=ALONE)
        world.restricted = set()
        go(store, site, census=True, settings=ALONE)
        back = presence(store, restricted)

    assert ("ok", "ok") == (report.verdict, again.verdict), (report.missing, report.held)
    assert ["archived", "hidden", "deleted"] == said
    assert 0 == again.changes.presence_changed
    assert "present" == back
    hours = store.rows(f"SELECT presence FROM worklog WHERE task_id = 'jira:{archived}'")
    assert {"present"} == {one["presence"] for one in hours}


@BOTH
def test_a_restricted_issue_beside_a_hidden_project(world_of: type[JiraWorld], store: Store) -> None:
    """Both are hidden, each by its own proof; nothing is deleted, and both come back."""
    world = world_of(3, caps=CAPS)
    with SimulatorServer(world) as site:
        go(store, site, settings=ALONE)
        mine = min(number for number, item in world.items.items() if item.container == "1")
        world.restricted, world.hidden = {mine}, {"2"}
        store.connection.execute("DELETE FROM cursor WHERE partition = 'metadata'")
        go(store, site, census=True, settings=ALONE)
        alone = presence(store, mine)
        gone = store.rows("SELECT id FROM task WHERE presence IN ('deleted', 'trashed')")
        world.restricted, world.hidden = set(), set()
        store.connection.execute("DELETE FROM cursor WHERE partition = 'metadata'")
        go(store, site, census=True, settings=ALONE)

    assert ("hidden", []) == (alone, gone)
    assert {"present"} == {one["presence"] for one in store.rows("SELECT presence FROM task")}


# ---------- 7: hours of the site-wide feed ----------


@BOTH
@pytest.mark.parametrize("foreign", ["ignore", "nothing", "refuse"])
def test_hours_whatever_a_search_does_with_foreign_ids(
    world_of: type[JiraWorld], foreign: Any, store: Store
) -> None:
    """All visible hours of the project come, of issues that move into it too, and no others."""
    world = world_of(4, caps=CAPS)
    world.foreign = foreign
    settings = {"projects": ("ACME",)}
    with SimulatorServer(world) as site:
        go(store, site, settings=settings)
        for number in range(12):
            world.log(sorted(world.items)[number], number)
        world.hidden = {"2"}
        mover = next(n for n, one in world.items.items() if one.container == "3" and world.logs_on(n))
        world.tick()
        world.now += timedelta(minutes=20)
        world.edit(str(mover))
        world.items[mover].container = "1"
        world.items[mover].key = f"ACME-{mover}"
        last = go(store, site, settings=settings)
    hours = {one["id"][5:]: one["seconds"] for one in store.rows("SELECT id, seconds FROM worklog")}
    mine = {f"w{log.native}": round(log.hours * 3600) for log in world.logs.values()
            if world.items[log.item].container == "1"}  # fmt: skip

    assert "ok" == last.verdict, last.missing
    assert mine == hours


@pytest.mark.parametrize("foreign", ["ignore", "nothing", "refuse"])
def test_an_issue_deleted_while_a_slice_is_read_costs_itself(foreign: Any, store: Store) -> None:
    """On Data Center the slice is asked by ids: one that left meanwhile takes no other with it."""
    world = ServerWorld(4, caps=CAPS)
    world.foreign = foreign
    with SimulatorServer(world) as site:
        left: list[str] = []

        def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
            if b"id in (" in request.body and not left:
                left.append(world.delete(str(min(world.items))))
            return honest()

        site.fault = fault
        report = go(store, site)
    held = {one["id"][5:] for one in store.rows("SELECT id FROM task WHERE presence = 'present'")}

    assert "ok" == report.verdict, report.missing
    assert set(map(str, world.items)) == held


# ---------- 8: one odd object costs one object ----------


@BOTH
def test_hours_and_history_without_an_author(world_of: type[JiraWorld], store: Store) -> None:
    """They are kept, of nobody."""
    world = world_of(3, caps=CAPS)
    log = next(iter(world.logs))
    world.nameless = {log}

    def fault(_: int, __: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        if isinstance(answer.body, dict):
            text = json.dumps(answer.body)
            for number in range(5):
                text = text.replace(
                    f'"author": {json.dumps(world.user(number))}, "created"',
                    '"author": {"displayName": "Former user"}, "created"',
                )
            answer = Response(status=answer.status, body=json.loads(text), headers=answer.headers)
        return answer

    with SimulatorServer(world, fault) as site:
        report = go(store, site)

    assert "ok" == report.verdict, report.missing
    assert value(store, f"SELECT account_id FROM worklog WHERE id = 'jira:w{log}'") is None
    assert len(world.logs) == len(store.rows("SELECT 1 FROM worklog"))
    assert 5 == len(store.rows("SELECT 1 FROM task_change"))
    assert {None} == {one["author_id"] for one in store.rows("SELECT author_id FROM task_change")}


@pytest.mark.sample(4)
@BOTH
@pytest.mark.parametrize(
    ("field", "odd"),
    [
        (SLA, {"name": "Time to resolution", "completedCycles": "none"}),
        (SLA, "a text"),
        (POINTS, {"value": "five"}),
        (SPRINT, [{"name": "no id"}]),
        (SPRINT, ["nothing of the kind"]),
    ],
)
def test_a_value_of_another_type_costs_itself(
    world_of: type[JiraWorld], field: str, odd: Any, store: Store
) -> None:
    """The issue is there with everything else; the value is listed until it comes right."""
    world = world_of(3, caps=CAPS)
    native = min(world.items)
    world.odd[native] = {field: odd}
    with SimulatorServer(world) as site:
        report = go(store, site)
        title = value(store, f"SELECT title FROM task WHERE id = 'jira:{native}'")
        listed = report.rejected
        del world.odd[native]
        world.touch(str(native))
        well = go(store, site)

    assert ("partial", 1) == (report.verdict, listed), report.missing
    assert world.items[native].title == title
    assert ("ok", 0) == (well.verdict, well.rejected), well.rejections


@BOTH
def test_a_total_larger_than_what_one_sees(world_of: type[JiraWorld], store: Store) -> None:
    """Restricted hours are counted by Jira and not shown: the others come, and the difference is told."""
    world = world_of(3, caps=CAPS)
    native, count = Counter(log.item for log in world.logs.values()).most_common(1)[0]
    unseen = world.logs_on(native)[0].native
    world.unseen_logs = {unseen}
    with SimulatorServer(world) as site:
        report = go(store, site)
    held = {one["id"][6:] for one in store.rows("SELECT id FROM worklog")}

    assert "partial" == report.verdict
    assert f"{count} and {count - 1} of issue {native}" in " ".join(report.rejections)
    assert {str(one) for one in world.logs if one != unseen} == held


# ---------- 9: hierarchy ----------


@BOTH
@pytest.mark.parametrize("full", [True, False], ids=["first", "increment"])
def test_epics_and_roadmap_parents(world_of: type[JiraWorld], full: bool, store: Store) -> None:
    """An epic link, and a parent of Advanced Roadmaps, are the parent where there is no other."""
    roadmap = "customfield_10500"
    world = world_of(3, caps=CAPS)
    world.field_list = (
        *world.field_list,
        field_def(roadmap, "Parent Link", "any", "com.atlassian.jpo:jpo-custom-field-parent"),
    )
    free = [n for n in sorted(world.items) if n not in world.parents]
    story, epic, theme, lost = free[0], free[10], free[20], free[1]
    world.above = {
        story: {EPIC: world.items[epic].key},
        epic: {
            roadmap: {"data": {"id": theme, "key": world.items[theme].key}}
            if world.cloud
            else world.items[theme].key
        },
        lost: {EPIC: "ACME-999999"},
    }
    with SimulatorServer(world) as site:
        if not full:
            above, world.above = world.above, {}
            go(store, site)
            world.above = above
            for one in (story, epic, lost):
                world.touch(str(one))
        report = go(store, site)
    parents = dict(store.connection.execute("SELECT id, parent_id FROM task"))

    assert "ok" == report.verdict, report.missing
    assert [f"jira:{epic}", f"jira:{theme}", None] == [parents[f"jira:{one}"] for one in (story, epic, lost)]


# ---------- 10: fields ----------


@BOTH
def test_fields_of_a_german_account(world_of: type[JiraWorld]) -> None:
    """Fields are found by what they are in any language: points and flags by their untranslated name."""
    world = world_of(2, caps=CAPS)
    floats = "com.atlassian.jira.plugin.system.customfieldtypes:float"
    world.field_list = (
        *(one for one in world.field_list if one["id"] != POINTS),
        field_def(POINTS, "Story Points", "number", floats),
    )
    world.words = {
        "Story Points": "Story-Punkte",
        "Sprint": "Sprint",
        "Flagged": "Markiert",
        "Start date": "Startdatum",
    }
    with SimulatorServer(world) as site:
        context = Context(base=Path(), source_id="jira", session=lambda: faults.hurried(context))
        said = {one.name: one for one in source(site).check(context)}
        context.close()

    assert f"{POINTS} (Story-Punkte)" == said["fields.points"].detail
    assert {"fields.sprint", "fields.flagged", "fields.start", "fields.epic"} <= said.keys()
    assert "fields" not in said


def test_several_fields_for_one_role() -> None:
    """Site and team-managed projects have points of their own: an issue's own comes first, none is erased."""
    fields = [
        FieldDef(id="customfield_1", name="Story Points", schema={"custom": "x:float"}),
        FieldDef(id="customfield_2", name="Story point estimate",
                 schema={"custom": "com.pyxis.greenhopper.jira:jsw-story-points"},
                 scope={"type": "PROJECT", "project": {"id": "10001"}}),
    ]  # fmt: skip

    assert ("customfield_2", "customfield_1") == bind(fields, {}).roles["points"]
    assert ("customfield_1", "customfield_2") == bind(
        fields, {"points": ("customfield_1", "customfield_2")}
    ).roles["points"]


def test_the_advice_of_the_check_erases_nothing(store: Store) -> None:
    """With two fields of points there is nothing to choose: both are read, and the check says so."""
    second = "customfield_10600"
    world = JiraWorld(2, caps=CAPS)
    world.field_list = (*world.field_list, field_def(second, "Story Points", "number", "a.b:float"))
    one, other = sorted(n for n in world.items if n % 8)[:2]
    world.odd = {one: {POINTS: None, second: 13.0}, other: {POINTS: 5.0, second: None}}
    with SimulatorServer(world) as site:
        context = Context(base=Path(), source_id="jira", session=lambda: faults.hurried(context))
        said = {check.name: check for check in source(site).check(context)}
        context.close()
        go(store, site)
    points = dict(store.connection.execute("SELECT id, points FROM task"))

    assert ("ok", True) == (said["fields.points"].state, second in said["fields.points"].detail)
    assert (13.0, 5.0) == (points[f"jira:{one}"], points[f"jira:{other}"])


# ---------- 11: the day of an hour ----------


@pytest.mark.parametrize(
    ("started", "author", "declared", "account", "day"),
    [
        ("2026-03-09T23:30:00.000+0000", "Europe/Paris", "UTC", "Asia/Tokyo", "2026-03-10"),
        ("2026-03-10T00:30:00.000+0100", None, "UTC", "America/New_York", "2026-03-10"),
        ("2026-03-09T23:30:00.000+0000", None, "Europe/Paris", None, "2026-03-10"),
        ("2026-03-09T23:30:00.000Z", None, "UTC", "Europe/Paris", "2026-03-10"),
        ("2026-03-10T00:30:00.000", None, "UTC", "America/New_York", "2026-03-10"),
        ("2026-03-10T00:30:00.000+0100", "Not/AZone", "UTC", None, "2026-03-10"),
    ],
)
def test_the_day_of_an_hour(
    started: str, author: str | None, declared: str, account: str | None, day: str
) -> None:
    """Where the author's zone is hidden: the declared one, else the stamp's offset, else the account's."""
    mapper = mapping.Mapper(
        name="j", url="", zone=declared, types={}, levels={}, bindings=Bindings(), history=(),
        people=True, account_zone=account,
    )  # fmt: skip

    assert day == mapper.day(started, author)


# ---------- 12: sprints ----------


@pytest.mark.parametrize(
    ("sprints", "current"),
    [
        ([("closed", 1, "2024-01"), ("active", 2, "2024-02"), ("future", 3, "2024-03")], 2),
        ([("closed", 1, "2024-01"), ("future", 4, "2024-04"), ("future", 3, "2024-03")], 3),
        ([("future", 5, None), ("future", 6, "2024-06"), ("closed", 1, "2024-01")], 6),
        ([("closed", 9, "2024-01"), ("closed", 2, "2024-02")], 2),
    ],
)
def test_the_current_sprint(sprints: list[Any], current: int) -> None:
    """The active one, else the next future one, else the last."""
    rows = [
        {"id": number, "name": f"S{number}", "state": state}
        | (
            {"startDate": f"{month}-01T08:00:00.000Z", "endDate": f"{month}-20T08:00:00.000Z"}
            if month
            else {}
        )
        for state, number, month in sprints
    ]

    assert current == sprints_of(rows)[-1].id


def test_all_sprints_of_an_issue_are_kept(store: Store) -> None:
    """An issue that was carried on names every sprint, the current one last; emptied it names none."""
    world = JiraWorld(3, caps=CAPS)
    native = min(world.items)
    closed = sprint_row(8, state="closed", completeDate="2024-03-20T08:00:00.000Z")
    world.odd[native] = {SPRINT: [sprint_row(9), closed]}
    with SimulatorServer(world) as site:
        go(store, site)
        named = value(store, f"SELECT text FROM custom_value WHERE id = 'jira:{native}/sprints'")
        mine = value(store, f"SELECT iteration_id FROM task WHERE id = 'jira:{native}'")
    ids = {one["id"] for one in store.rows("SELECT id FROM iteration")}

    assert ("Sprint 8, Sprint 9", "jira:s9") == (named, mine)
    assert {"jira:s8", "jira:s9"} <= ids


# ---------- 13: Jira's own words, and no more than asked ----------


def test_a_removed_api_is_told_in_the_words_of_jira(store: Store) -> None:
    """Which one replaces it stands in the report."""
    said = "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API."

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        gone = request.path.endswith("/search/jql")
        return Response(status=410, body={"errorMessages": [said], "errors": {}}) if gone else honest()

    with SimulatorServer(JiraWorld(2, caps=CAPS), fault) as site:
        report = go(store, site)

    assert "ok" != report.verdict
    assert "/rest/api/3/search/jql" in str(report.error) + " ".join(report.missing)


@BOTH
def test_a_census_of_one_project_does_not_sweep_the_site(world_of: type[JiraWorld], store: Store) -> None:
    """Only the ids of the project are asked; what moved away is found by itself, and is not deleted."""
    world = world_of(4, caps=CAPS)
    settings = {"projects": ("ACME",)}
    mover = next(n for n, one in world.items.items() if one.container == "1")
    with SimulatorServer(world) as site:
        go(store, site, settings=settings)
        world.items[mover].container = "2"
        world.touch(str(mover))
        report = go(store, site, settings=settings, census=True)
        bodies = [one.body.decode() for one in site.asked if "/search" in one.path and one.body]

    assert "ok" == report.verdict, report.missing
    assert all("project in (ACME)" in one for one in bodies), bodies
    assert "outside" == presence(store, mover)


# ---------- what a PMO slices by ----------


@BOTH
@pytest.mark.parametrize("full", [True, False], ids=["first", "increment"])
def test_what_is_always_there(world_of: type[JiraWorld], full: bool, store: Store) -> None:
    """Priority, resolution and its instant, reporter, labels, due date, created, versions, components."""
    world = world_of(3, caps=CAPS)
    native = min(world.items)
    item = world.items[native]
    told = {
        "priority": {"id": "1", "name": "Highest"},
        "resolution": {"id": "6", "name": "Won't Do"},
        "resolutiondate": "2026-03-09T23:30:00.000+0100",
        "reporter": world.user(5),
        "labels": ["beta", "alpha"],
        "duedate": "2026-04-30",
        "fixVersions": [{"id": "2", "name": "2.0, late"}, {"id": "1", "name": "1.0"}],
        "components": [{"id": "9", "name": "UI"}, {"id": "8", "name": "API"}],
    }
    if full:
        world.odd[native] = told
    with SimulatorServer(world) as site:
        report = go(store, site)
        if not full:
            world.odd[native] = told
            world.touch(str(native))
            report = go(store, site)
    row = store.connection.execute(
        "SELECT priority_raw, resolution_raw, resolved_at, reporter_id, labels, due_on, created_at "
        f"FROM task WHERE id = 'jira:{native}'"
    ).fetchone()
    values = dict(
        store.connection.execute(f"SELECT field, text FROM custom_value WHERE row_id = 'jira:{native}'")
    )
    reporter = "acc-5" if world.cloud else "JIRAUSER5"

    assert "ok" == report.verdict, report.missing
    assert (
        "Highest", "Won't Do", "2026-03-09T22:30:00Z", f"jira:u{reporter}", "alpha beta", "2026-04-30",
        wire.instant(item.created),
    ) == tuple(row)  # fmt: skip
    assert {"fixVersions": "1.0, 2.0,\u00a0late", "components": "API, UI"} == {
        one: values[one] for one in ("fixVersions", "components")
    }
    assert "Engineer 5" == value(store, f"SELECT display_name FROM account WHERE id = 'jira:u{reporter}'")


@pytest.mark.parametrize(
    ("status", "flagged", "bound", "blocked"),
    [
        ("To Do", [{"value": "Impediment"}], True, 1),
        ("To Do", None, True, 0),
        ("To Do", None, False, None),
        ("Blocked", None, True, 1),
        ("BLOQUÉ", None, False, 1),
    ],
)
def test_blocked(status: str, flagged: Any, bound: bool, blocked: int | None, store: Store) -> None:
    """By the flag, or by a status that says so; where the site has no flag nothing is said."""
    world = JiraWorld(3, caps=CAPS)
    native = min(world.items)
    if not bound:
        world.field_list = tuple(one for one in world.field_list if one["id"] != FLAGGED)
    key = {"key": "indeterminate"}
    world.odd[native] = {FLAGGED: flagged, "status": {"id": "10001", "name": status, "statusCategory": key}}
    with SimulatorServer(world) as site:
        go(store, site)

    assert blocked == value(store, f"SELECT is_blocked FROM task WHERE id = 'jira:{native}'")


def test_keys_of_the_stand_in_are_known() -> None:
    """The projects that the cases above name are there."""
    assert {"ACME", "BETA", "GAMA"} == set(KEYS.values())
    assert 1711702800000 == wire.millis("2024-03-29T10:00:00.000+0100")


def test_a_goal_says_nothing_of_its_sprint() -> None:
    """Data Center writes a sprint as pairs, the goal last: what looks like a pair in it is none."""
    text = (
        "com.atlassian.greenhopper.service.sprint.Sprint@1f[id=7,rapidViewId=2,state=ACTIVE,name=A, b,"
        "startDate=<null>,endDate=<null>,completeDate=<null>,sequence=7,goal=ship it,state=CLOSED,id=9]"
    )

    assert [(7, "ACTIVE", "A, b")] == [(one.id, one.state, one.name) for one in sprints_of([text])]


def test_an_odd_sprint_costs_no_other() -> None:
    """Nothing in the list, a number as text, a sprint without a name: the others are there."""
    shown = [None, {"id": "3", "name": "Three", "state": "closed"}, {"id": 4, "state": "active"}]

    assert [(3, "Three"), (4, "")] == [(one.id, one.name) for one in sprints_of(shown)]


@pytest.mark.parametrize("name", ["Epic", "epic", "Épopée", "Épica"])
def test_an_epic_in_any_language_stands_above_the_work(name: str, store: Store) -> None:
    """Data Center tells no level of a type: the one above the work is known by what it is called."""
    world = ServerWorld(3, caps=CAPS)
    world.type_list = tuple(
        one | ({"name": name} if one["name"] == "Epic" else {}) for one in world.type_list
    )
    with SimulatorServer(world) as site:
        go(store, site)
    epics = {f"jira:{n}" for n in world.items if "Epic" == world.type_of(world.items[n])["name"]}

    assert epics
    assert epics == {row["id"] for row in store.rows("SELECT id FROM task WHERE kind = 'summary'")}


ODD_PARTS: list[tuple[str, Any]] = [
    ("priority", {"id": "3"}),
    ("priority", []),
    ("timeoriginalestimate", "3h"),
    ("labels", ["a", None]),
    ("components", [{"id": "1"}]),
    ("fixVersions", "1.0"),
    ("issuelinks", [{"id": "1"}]),
    ("parent", {"key": "ACME-3"}),
    ("duedate", "30/Jun/24"),
    ("resolutiondate", "soon"),
    ("assignee", "somebody"),
]


@pytest.mark.long
@pytest.mark.sample(8)
@BOTH
@pytest.mark.parametrize(("field", "odd"), ODD_PARTS)
def test_an_odd_part_costs_itself(world_of: type[JiraWorld], field: str, odd: Any, store: Store) -> None:
    """The issue is there with its history and its hours, the part is listed, and comes when it is right."""
    world = world_of(3, caps=CAPS)
    native = next(log.item for log in world.logs.values() if world.changes_of(log.item))
    with SimulatorServer(world) as site:
        go(store, site)
        whole = store.rows(f"SELECT * FROM task WHERE id = 'jira:{native}'")[0]
        links = store.rows("SELECT id FROM task_link WHERE presence = 'present' ORDER BY id")
        world.odd[native] = {field: odd}
        world.touch(str(native))
        report = go(store, site, full=True)
        same = store.rows("SELECT id FROM task_link WHERE presence = 'present' ORDER BY id")
        there = store.rows(f"SELECT * FROM task WHERE id = 'jira:{native}'")[0]
        del world.odd[native]
        world.touch(str(native))
        right = go(store, site)
        after = store.rows(f"SELECT * FROM task WHERE id = 'jira:{native}'")[0]
    hours = {row["id"] for row in store.rows(f"SELECT id FROM worklog WHERE task_id = 'jira:{native}'")}

    assert ("partial", 1, "ok") == (report.verdict, len(report.rejections), right.verdict), report.missing
    assert field in report.rejections[0]
    assert links == same
    assert (whole["title"], whole["status_raw"]) == (there["title"], there["status_raw"])
    assert {f"jira:w{log.native}" for log in world.logs_on(native)} == hours
    kept = set(whole) - {"recorded_at", "run_id", "updated_at", "presence_evidence"}
    assert {one: whole[one] for one in kept} == {one: after[one] for one in kept}


@BOTH
def test_hours_without_a_stamp_of_their_change(world_of: type[JiraWorld], store: Store) -> None:
    """Hours are hours: when they were written last is not needed to count them."""
    world = world_of(3, caps=CAPS)
    plain = world.worklog
    world.worklog = lambda log: {k: v for k, v in plain(log).items() if k != "updated"}  # type: ignore[method-assign]
    with SimulatorServer(world) as site:
        report = go(store, site)
    seconds = value(store, "SELECT sum(seconds) FROM worklog")

    assert "ok" == report.verdict, report.rejections
    assert round(3600 * sum(log.hours for log in world.logs.values())) == seconds


@BOTH
def test_one_odd_of_a_list_costs_no_other(world_of: type[JiraWorld], store: Store) -> None:
    """A link, a label, a component and a sprint that cannot be read are listed; the others are there."""
    world = world_of(3, caps=CAPS)
    native = next(n for n in world.items if n % 6 == 0 and n - 1 in world.items)
    sprint = world.custom(native, SPRINT)[0]
    world.odd[native] = {
        "issuelinks": [{"id": "1"}, *world.links(world.items[native])],
        "labels": ["a", None, "b"],
        "components": [{"id": 1}, {"id": "5", "name": "API"}],
        SPRINT: [{"name": "no id"}, sprint],
    }
    with SimulatorServer(world) as site:
        report = go(store, site)
    links = store.rows(f"SELECT id FROM task_link WHERE from_id = 'jira:{native}' AND type = 'Blocks'")
    labels, iteration = store.connection.execute(
        f"SELECT labels, iteration_id FROM task WHERE id = 'jira:{native}'"
    ).fetchone()

    assert ("partial", 4) == (report.verdict, report.rejected), report.rejections
    assert [f"jira:l{native}/{native - 1}/9{native}"] == [one["id"] for one in links]
    assert ("a b", f"jira:s{1 + native % 3}") == (labels, iteration)
    assert "API" == value(store, f"SELECT text FROM custom_value WHERE id = 'jira:{native}/components'")


@BOTH
@pytest.mark.parametrize("scope", [(), ("ACME", "BETA")], ids=["site", "projects"])
def test_a_site_that_shows_no_hours_inside_issues(
    world_of: type[JiraWorld], scope: tuple[str, ...], store: Store
) -> None:
    """They are asked for beside: of issues that have some, and none is asked for on those that have none."""
    world = world_of(3, caps=CAPS)
    for number in world.items:
        world.odd[number] = {"worklog": None}
    with SimulatorServer(world) as site:
        report = go(store, site, settings={"projects": scope})
    mine = {
        f"jira:w{log.native}" for log in world.logs.values()
        if not scope or KEYS[world.items[log.item].container] in scope
    }  # fmt: skip

    assert "ok" == report.verdict, report.rejections
    assert mine == {one["id"] for one in store.rows("SELECT id FROM worklog")}
    assert asked(site)["issue/N/worklog"] <= len({log.item for log in world.logs.values()})


@BOTH
def test_an_issue_deleted_before_its_hours_are_asked_for(world_of: type[JiraWorld], store: Store) -> None:
    """Its long list is not there any more: the lists of the others come all the same."""
    world = world_of(3, caps=CAPS)
    native = Counter(log.item for log in world.logs.values()).most_common(1)[0][0]
    other = {f"jira:w{log.native}" for log in world.logs.values() if log.item != native}

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        if request.path.endswith(f"/issue/{native}/worklog"):
            return Response(status=404, body={"errorMessages": ["Issue does not exist"]})
        return honest()

    with SimulatorServer(world, fault) as site:
        report = go(store, site, settings={"projects": tuple(KEYS.values())})

    assert "ok" == report.verdict, report.missing
    assert other <= {one["id"] for one in store.rows("SELECT id FROM worklog")}


def test_the_version_of_an_issue_has_its_day_at_once(store: Store) -> None:
    """The first reading has the day of release from the issues, without a request more."""
    world = JiraWorld(3, caps=CAPS)
    native = min(world.items)
    world.odd[native] = {"fixVersions": [{"id": "7", "name": "2.0", "releaseDate": "2024-09-30"}]}
    with SimulatorServer(world) as site:
        go(store, site)
        routes = asked(site)
    found = store.rows("SELECT id, text, day FROM custom_value WHERE field = 'version'")

    assert [f"jira:p2000{world.items[native].container}/version/7"] == [one["id"] for one in found]
    assert [("2.0", "2024-09-30")] == [(one["text"], one["day"]) for one in found]
    assert 0 == routes["project/N"]


@BOTH
def test_a_sprint_that_ends_moves_its_issues_on(
    world_of: type[JiraWorld], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the sprint changed: of an issue in two the next one is current, under its new name."""
    world = world_of(3, caps=Caps())
    native = next(n for n in world.items if 1 + n % 3 == 2)
    world.sprint_rows[7] = sprint_row(7, state="future", startDate="2024-04-09T08:00:00.000Z")
    world.carried[native] = [2, 7]
    with SimulatorServer(world) as site:
        go(store, site)
        before = value(store, f"SELECT iteration_id FROM task WHERE id = 'jira:{native}'")
        world.sprint_rows[2] |= {"state": "closed", "completeDate": "2024-04-07T08:00:00.000Z"}
        world.sprint_rows[7] |= {"name": "Seven"}
        later(monkeypatch, hours=25)
        report = go(store, site)
        quiet = go(store, site)
    after = value(store, f"SELECT iteration_id FROM task WHERE id = 'jira:{native}'")

    assert ("ok", 0) == (report.verdict, quiet.changes.updated), report.missing
    assert ("jira:s2", "jira:s7") == (before, after)
    assert "Sprint 2, Seven" == value(
        store, f"SELECT text FROM custom_value WHERE id = 'jira:{native}/sprints'"
    )


def test_a_history_without_ids_of_fields(store: Store) -> None:
    """Older servers name a field in a line of history by its name alone."""
    world = ServerWorld(3, caps=CAPS)
    native = str(min(world.items))
    item = world.items[int(native)]
    for name in ("Severity", "Sprint", "Epic Link"):
        world._line(item, {"field": name, "from": "1", "to": "2"})
    with SimulatorServer(world) as site:
        report = go(store, site, settings={"history": ("status", "sprint", "parent", SEVERITY)})
    found = store.rows("SELECT field, to_value FROM task_change WHERE field <> 'status' ORDER BY field")

    assert "ok" == report.verdict, report.rejections
    assert [(SEVERITY, "2"), ("parent", "2"), ("sprint", "2")] == [tuple(one.values()) for one in found]


@BOTH
def test_one_project_that_refuses_costs_itself(
    world_of: type[JiraWorld], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The versions of the others are read a day later, and the run says what was not."""
    world = world_of(3, caps=CAPS)
    with SimulatorServer(world) as site:
        go(store, site)
        later(monkeypatch, hours=25)
        site.fault = lambda _, request, honest: (
            Response(status=404, body={}) if request.path.endswith("/project/20002") else honest()
        )
        report = go(store, site)
    said = " ".join(report.notes)

    assert "ok" == report.verdict, report.missing
    assert "versions and components were not looked at" in said
    assert ["jira:p20001/version/1"] == [
        one["id"] for one in store.rows("SELECT id FROM custom_value WHERE field = 'version'")
    ]


VISITED = ("field", "issuetype", "project/search", "search/jql", "search/approximate-count",
           "issue/bulkfetch", "status")  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("path", VISITED)
@pytest.mark.parametrize("when", ["first", "daily", "full", "census"])
def test_a_token_that_ends_anywhere_loses_nothing(
    path: str, when: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From a question of each kind on nobody is signed in: once somebody is again, all is as it is."""
    world = JiraWorld(3, caps=CAPS)
    settings = {"worklogs": False}
    other = next(iter(sorted(world.items)))
    with SimulatorServer(world) as site:
        if when != "first":
            go(store, site, settings=settings)
            world.edit(str(other))
            world.version_name, world.categories["10000"] = "1.0 LTS", "indeterminate"
            later(monkeypatch, hours=25)

        def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
            world.expired = world.expired or request.path.endswith(f"/2/{path}")
            return honest()

        site.fault = fault
        how: dict[str, Any] = {"full": {"full": True}, "census": {"census": True}}.get(when, {})
        broken = go(store, site, settings=settings, **how)
        ended = world.expired
        away = store.rows("SELECT id FROM task WHERE presence <> 'present'")
        world.expired, site.fault = False, None
        go(store, site, settings=settings)
        later(monkeypatch, hours=25)
        last = go(store, site, settings=settings)
    truth = world.truth()["task"]
    shown = {one["id"][5:]: one for one in store.rows("SELECT * FROM task WHERE presence = 'present'")}

    if ended and path != "status":
        assert "ok" != broken.verdict or when == "daily", path
    assert ([], "ok") == (away, last.verdict), last.missing
    assert truth.keys() == shown.keys()
    for native, fields in truth.items():
        for name in ("title", "status_raw", "points", "iteration_id", "is_blocked"):
            assert fields[name] == shown[native][name], (native, name)
    assert {"in_progress" if when != "first" else "todo"} == {
        one["status_native"] for one in shown.values() if one["status_raw"] == "To Do"
    }
