"""What leaves the scope of a source, and what comes back: neither is deleted, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hub_jira.source import JiraSource
from hub_jira.testing import EMAIL, JiraWorld, ServerWorld
from hub_jira.testing.certification import CAPS

from hub import clock
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import HubResult, hub_folder, run_hub, store, sync_once
from hub.testing.kit import SECRET, SimulatorServer, credential, faults

__all__ = ["hub_folder", "run_hub", "store"]
BOTH = pytest.mark.parametrize("world_of", [JiraWorld, ServerWorld], ids=["cloud", "data center"])
ALONE = {"max_leave": 1.0}
"""One issue is much of the hours of such a small project, which the guard would hold."""
ACME = {"projects": ("ACME",), **ALONE}
COUNTED = "presence NOT IN ('deleted', 'trashed', 'outside')"


def go(store: Store, site: SimulatorServer, *, settings: Any = (), **options: Any) -> SourceReport:
    site.asked.clear()
    cloud = {"email": EMAIL} if site.world.cloud else {}
    made = JiraSource(**{"name": "jira", "url": site.url, "token": credential(), **cloud, **dict(settings)})
    return sync_once(store, made, session=faults.hurried, **options)


def value(store: Store, sql: str) -> Any:
    ((found,),) = store.connection.execute(sql).fetchall()
    return found


def presence(store: Store, native: int | str) -> str:
    return str(value(store, f"SELECT presence FROM task WHERE id = 'jira:{native}'"))


def later(monkeypatch: pytest.MonkeyPatch, **span: float) -> None:
    at = clock.now() + timedelta(**span)
    monkeypatch.setattr(clock, "now", lambda: at)


def put(world: JiraWorld, native: int, container: str) -> None:
    """Move an issue to another project, as people do it."""
    world.items[native].container = container
    world.items[native].key = f"{world.keys[container]}-{native}"
    world.touch(str(native))


def go_on(world: JiraWorld, *but: int) -> None:
    """Let half an hour pass in which other issues and hours change: the marks of a source go on."""
    other = next(n for n, one in sorted(world.items.items()) if n not in but and one.container == "1")
    world.now += timedelta(minutes=30)
    world.edit(str(other))
    world.log(other, 1)


def of(world: JiraWorld, container: str) -> list[int]:
    return [n for n, one in sorted(world.items.items()) if one.container == container and world.logs_on(n)]


def counted(store: Store) -> set[int]:
    return {int(row["id"][5:]) for row in store.rows(f"SELECT id FROM task WHERE {COUNTED}")}


@BOTH
def test_an_issue_that_moves_out_and_back(world_of: type[JiraWorld], store: Store) -> None:
    """It is outside and counts no more, and is back, with what changed meanwhile and all its hours."""
    world = world_of(4, caps=CAPS)
    mover = of(world, "1")[0]
    with SimulatorServer(world) as site:
        go(store, site, settings=ACME)
        before = counted(store)
        put(world, mover, "2")
        report = go(store, site, settings=ACME, census=True)
        said, without = presence(store, mover), counted(store)
        again = go(store, site, settings=ACME, census=True)
        world.log(mover, 3)
        world.now += timedelta(minutes=20)
        put(world, mover, "1")
        world.items[mover].title = "Renamed there"
        back = go(store, site, settings=ACME, census=True)
    hours = {row["id"] for row in store.rows(f"SELECT id FROM worklog WHERE task_id = 'jira:{mover}'")}

    assert ("ok", "ok", "ok") == (report.verdict, again.verdict, back.verdict), back.missing
    assert ([], 0) == (report.held, again.changes.presence_changed)
    assert ("outside", before - {mover}) == (said, without)
    assert ("present", before) == (presence(store, mover), counted(store))
    assert "Renamed there" == value(store, f"SELECT title FROM task WHERE id = 'jira:{mover}'")
    assert {f"jira:w{log.native}" for log in world.logs_on(mover)} == hours


@BOTH
@pytest.mark.parametrize("projects", [(), ("ACME", "BETA")], ids=["all projects", "two projects"])
def test_an_issue_that_no_longer_meets_jql(
    world_of: type[JiraWorld], projects: tuple[str, ...], store: Store
) -> None:
    """It is outside, an archived one beside it is archived, and a deleted one deleted."""
    world = world_of(4, caps=CAPS)
    settings = {"jql": "labels = kit", "projects": projects, **ALONE}
    gone, archived, deleted, *_ = [n for n in of(world, "1") if n % 2]
    with SimulatorServer(world) as site:
        go(store, site, settings=settings)
        before = counted(store)
        world.odd[gone] = {"labels": []}
        world.touch(str(gone))
        world.archived_issues = {archived}
        world.delete(str(deleted))
        report = go(store, site, settings=settings, census=True)
        said = [presence(store, one) for one in (gone, archived, deleted)]
        del world.odd[gone]
        world.touch(str(gone))
        go(store, site, settings=settings)
    mine = {n for n, one in world.items.items() if n % 2 and (not projects or one.container != "3")}

    assert "ok" == report.verdict, (report.missing, report.held)
    assert mine | {deleted} == before
    assert ["outside", "archived", "deleted"] == said
    assert mine == counted(store)


@pytest.mark.long
@BOTH
def test_what_comes_back_without_being_touched(
    world_of: type[JiraWorld], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It meets jql by the mere day, or may be seen again: it is read whole a day later, as it is now."""
    world = world_of(4, caps=CAPS)
    settings = {"jql": "labels = kit", **ALONE}
    gone, hidden, new, *_ = [n for n in of(world, "1") if n % 2]
    world.restricted = {new}
    with SimulatorServer(world) as site:
        go(store, site, settings=settings)
        world.odd[gone] = {"labels": []}
        world.restricted = {new, hidden}
        later(monkeypatch, hours=25)
        go(store, site, settings=settings)
        away = [presence(store, gone), presence(store, hidden)]
        for one in (gone, hidden):
            world.items[one].title = "Renamed meanwhile"
            world.log(one, 2)
        go_on(world, gone, hidden, new)
        go(store, site, settings=settings)
        go_on(world, gone, hidden, new)
        world.odd[gone], world.restricted = {}, set()
        later(monkeypatch, hours=50)
        report = go(store, site, settings=settings)
        titles = [value(store, f"SELECT title FROM task WHERE id = 'jira:{one}'") for one in (gone, hidden)]
        quiet = go(store, site, settings=settings)
    hours = {row["id"] for row in store.rows("SELECT id FROM worklog")}

    assert ("ok", "ok") == (report.verdict, quiet.verdict), report.missing
    assert ["outside", "hidden"] == away
    assert ["present"] * 3 == [presence(store, one) for one in (gone, hidden, new)]
    assert ["Renamed meanwhile"] * 2 == titles
    assert {f"jira:w{log.native}" for one in (gone, hidden, new) for log in world.logs_on(one)} <= hours
    assert 0 == quiet.changes.updated


@BOTH
@pytest.mark.parametrize("what", ["issue", "project"])
def test_hours_of_what_was_hidden(
    world_of: type[JiraWorld], what: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They were logged while nobody could see the issue, whose change alone brings it back."""
    world = world_of(4, caps=CAPS)
    native = of(world, "2")[0]
    with SimulatorServer(world) as site:
        go(store, site, settings=ALONE)
        world.restricted, world.hidden = ({native}, set()) if what == "issue" else (set(), {"2"})
        later(monkeypatch, hours=25)
        go(store, site, settings=ALONE)
        away = len(store.rows("SELECT 1 FROM task WHERE presence = 'hidden'")) + len(
            store.rows("SELECT 1 FROM container WHERE presence = 'hidden'")
        )
        for number in range(3):
            world.log(native, number)
        go_on(world, native)
        go(store, site, settings=ALONE)
        go_on(world, native)
        world.restricted, world.hidden = set(), set()
        world.touch(str(native))
        if what == "project":
            later(monkeypatch, hours=50)
        last = go(store, site, settings=ALONE)
    held = {row["id"] for row in store.rows(f"SELECT id FROM worklog WHERE task_id = 'jira:{native}'")}

    assert ("ok", 1) == (last.verdict, away), last.missing
    assert {f"jira:w{log.native}" for log in world.logs_on(native)} == held


@BOTH
def test_a_project_that_comes_back_is_read_anew(
    world_of: type[JiraWorld], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What changed in it while it was hidden has an old stamp by then."""
    world = world_of(4, caps=CAPS)
    mine = of(world, "2")[0]
    with SimulatorServer(world) as site:
        go(store, site, settings=ALONE)
        world.hidden = {"2"}
        later(monkeypatch, hours=25)
        go(store, site, settings=ALONE)
        hidden = value(store, "SELECT presence FROM container WHERE id = 'jira:p20002'")
        world.items[mine].title = "Renamed meanwhile"
        go_on(world, mine)
        go(store, site, settings=ALONE)
        go_on(world, mine)
        world.hidden = set()
        later(monkeypatch, hours=50)
        report = go(store, site, settings=ALONE)

    assert ("ok", "hidden") == (report.verdict, hidden), report.missing
    assert "Renamed meanwhile" == value(store, f"SELECT title FROM task WHERE id = 'jira:{mine}'")
    assert "present" == value(store, "SELECT presence FROM container WHERE id = 'jira:p20002'")


@BOTH
def test_a_project_that_the_settings_drop(world_of: type[JiraWorld], store: Store) -> None:
    """It is outside with all it holds, without a request for each; named again it is back."""
    world = world_of(4, caps=CAPS)
    with SimulatorServer(world) as site:
        go(store, site, settings={**ALONE, "projects": ("ACME", "BETA")})
        report = go(store, site, settings=ACME)
        asked = [one for one in site.asked if "/issue/" in one.path]
        said = value(store, "SELECT presence FROM container WHERE id = 'jira:p20002'")
        deleted = store.rows("SELECT 1 FROM task WHERE presence = 'deleted'")
        world.hidden = {"2"}
        go(store, site, settings=ACME, full=True)
        still = value(store, "SELECT presence FROM container WHERE id = 'jira:p20002'")
        world.hidden = set()
        go(store, site, settings={**ALONE, "projects": ("ACME", "BETA")})

    assert ("ok", [], []) == (report.verdict, report.held, deleted), report.missing
    assert ("outside", "outside") == (said, still)
    assert len(asked) <= 2 + len(of(world, "1"))
    assert "present" == value(store, "SELECT presence FROM container WHERE id = 'jira:p20002'")


@BOTH
def test_archived_issues_come_back(world_of: type[JiraWorld], store: Store) -> None:
    """At the next census, although nothing of them was touched."""
    world = world_of(4, caps=CAPS)
    native = of(world, "1")[0]
    with SimulatorServer(world) as site:
        go(store, site, settings=ALONE)
        world.archived_issues = {native}
        go(store, site, settings=ALONE, census=True)
        archived = presence(store, native)
        world.archived_issues = set()
        report = go(store, site, settings=ALONE, census=True)
        again = go(store, site, settings=ALONE, census=True)

    assert ("archived", "present") == (archived, presence(store, native))
    assert (1, 0) == (report.changes.presence_changed, again.changes.presence_changed)


@pytest.mark.long
@pytest.mark.parametrize("foreign", ["ignore", "nothing", "refuse"])
def test_many_missing_issues_of_data_center(foreign: Any, store: Store) -> None:
    """All are asked for in one run; those that moved are told by a search, the others one by one."""
    world = ServerWorld(4)
    world.foreign = foreign
    mine = [n for n, one in sorted(world.items.items()) if one.container == "1"]
    while len(mine) < 212:
        mine.append(int(world._add(world.tick())))
        world.items[mine[-1]].container = "1"
        world.items[mine[-1]].key = f"ACME-{mine[-1]}"
    moved, deleted, archived = mine[:4], mine[4:110], mine[110:212]
    with SimulatorServer(world) as site:
        go(store, site, settings=ACME)
        for one in moved:
            put(world, one, "2")
        for one in deleted:
            del world.items[one]
        world.archived_issues = set(archived)
        report = go(store, site, settings=ACME, census=True)
        alone = sum("/issue/" in one.path for one in site.asked)
    states = {row["id"]: row["presence"] for row in store.rows("SELECT id, presence FROM task")}

    assert "ok" == report.verdict, (report.missing, report.held)
    assert [{"outside"}, {"deleted"}, {"archived"}] == [
        {states[f"jira:{one}"] for one in some} for some in (moved, deleted, archived)
    ]
    assert (208 if foreign == "ignore" else 212) == alone


def test_hub_presence_lists_what_is_outside(
    hub_folder: Any, run_hub: Callable[..., HubResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the reason, and without asking anybody."""
    monkeypatch.setenv("JIRA_TOKEN", SECRET)
    world = JiraWorld(4, caps=CAPS)
    with SimulatorServer(world) as site:
        (hub_folder / "config").mkdir(exist_ok=True)
        (hub_folder / "config" / "hub.toml").write_text(
            f'[sources.jira]\nkind = "jira"\nurl = "{site.url}"\nemail = "{EMAIL}"\n'
            'token = { env = "JIRA_TOKEN" }\nprojects = ["ACME"]\n'
        )
        first = run_hub("sync", "--full")
        put(world, of(world, "1")[0], "2")
        second = run_hub("sync", "--full")
        listed = run_hub("presence")

    assert (0, 0) == (first.exit_code, second.exit_code), second.output + second.error
    assert "outside" in listed.output
    assert "its project is not among those of projects" in listed.output


# ---------- one of the named projects cannot be seen ----------

SEVERAL = {"projects": ("ACME", "BETA", "GAMA"), **ALONE}
EVERY = pytest.mark.parametrize("jql", ["refuse", "nothing", "ignore"])


def native_ids(world: JiraWorld, *containers: str) -> set[int]:
    return {n for n, one in world.items.items() if one.container in containers}


@pytest.mark.long
@BOTH
@EVERY
def test_one_of_the_named_projects_is_hidden_at_first(
    world_of: type[JiraWorld], jql: Any, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are read whole, it is named, the run is partial; once it may be seen it is read whole."""
    world = world_of(4, caps=CAPS)
    world.foreign_projects, world.hidden = jql, {"2"}
    with SimulatorServer(world) as site:
        reports = [go(store, site, settings=SEVERAL) for _ in range(2)]
        without = counted(store)
        go_on(world)
        reports.append(go(store, site, settings=SEVERAL))
        later(monkeypatch, hours=25)
        reports.append(go(store, site, settings=SEVERAL, census=True))
        world.hidden = set()
        back = go(store, site, settings=SEVERAL)
    hours = {row["id"] for row in store.rows("SELECT id FROM worklog")}

    assert ["partial"] * 4 == [one.verdict for one in reports]
    assert all(len(one.missing) == 1 and "BETA" in one.missing[0] for one in reports), reports[-1].missing
    assert native_ids(world, "1", "3") == without
    assert ("ok", native_ids(world, "1", "2", "3")) == (back.verdict, counted(store)), back.missing
    assert {f"jira:w{one}" for one in world.logs} == hours


@pytest.mark.long
@BOTH
@EVERY
def test_one_of_the_named_projects_is_hidden_for_some_hours(
    world_of: type[JiraWorld], jql: Any, store: Store
) -> None:
    """What changes in the others meanwhile is read, and what changed in it once it is seen again."""
    world = world_of(4, caps=CAPS)
    world.foreign_projects = jql
    mine, other = of(world, "2")[0], of(world, "1")[0]
    with SimulatorServer(world) as site:
        go(store, site, settings=SEVERAL)
        world.hidden = {"2"}
        world.now += timedelta(minutes=30)
        world.items[mine].title = "Renamed while it was hidden"
        world.touch(str(mine))
        world.log(mine, 3)
        world.now += timedelta(minutes=30)
        world.items[other].title = "Renamed meanwhile"
        world.touch(str(other))
        away = go(store, site, settings=SEVERAL)
        go_on(world, mine, other)
        still = go(store, site, settings=SEVERAL)
        world.hidden = set()
        back = go(store, site, settings=SEVERAL)
    titles = [value(store, f"SELECT title FROM task WHERE id = 'jira:{one}'") for one in (mine, other)]
    hours = {row["id"] for row in store.rows(f"SELECT id FROM worklog WHERE task_id = 'jira:{mine}'")}

    assert ["partial", "partial", "ok"] == [one.verdict for one in (away, still, back)], back.missing
    assert ["Renamed while it was hidden", "Renamed meanwhile"] == titles
    assert {f"jira:w{log.native}" for log in world.logs_on(mine)} == hours


@BOTH
def test_none_of_the_named_projects_can_be_seen(world_of: type[JiraWorld], store: Store) -> None:
    """At first nothing is asked for and the run failed; later all are hidden and nothing leaves."""
    world = world_of(4, caps=CAPS)
    settings = {"projects": ("BETA", "GAMA"), **ALONE}
    with SimulatorServer(world) as site:
        world.hidden = {"2", "3"}
        first = go(store, site, settings=settings)
        world.hidden = set()
        go(store, site, settings=settings)
        world.hidden = {"2", "3"}
        later_on = go(store, site, settings=settings, census=True)
    gone = value(store, "SELECT count(*) FROM task WHERE presence NOT IN ('present', 'hidden')")

    assert "failed" == first.verdict
    assert later_on.verdict != "ok"
    assert all(any(key in one for one in later_on.missing) for key in ("BETA", "GAMA"))
    assert 0 == gone


def test_a_named_project_is_hidden_while_another_is_named_no_more(store: Store) -> None:
    """The one that the settings dropped is outside, not taken for the hidden one under another key."""
    world = JiraWorld(4, caps=CAPS)
    with SimulatorServer(world) as site:
        go(store, site, settings=SEVERAL)
        world.hidden = {"2"}
        report = go(store, site, settings={"projects": ("ACME", "BETA"), **ALONE}, census=True)
    boxes = {row["code"]: row["presence"] for row in store.rows("SELECT code, presence FROM container")}

    assert "partial" == report.verdict
    assert {"ACME": "present", "GAMA": "outside"} == {one: boxes[one] for one in ("ACME", "GAMA")}


@BOTH
def test_one_of_the_named_projects_is_archived(world_of: type[JiraWorld], store: Store) -> None:
    """No search may name it: the others are read whole, and nothing lacks."""
    world = world_of(4, caps=CAPS)
    world.archived = {"2"}
    with SimulatorServer(world) as site:
        report = go(store, site, settings=SEVERAL)

    assert ("ok", native_ids(world, "1", "3")) == (report.verdict, counted(store)), report.missing


@BOTH
def test_a_key_that_is_a_word_of_jql(world_of: type[JiraWorld], store: Store) -> None:
    """A project called GO is read like any other."""
    world = world_of(4, caps=CAPS)
    world.keys = {"1": "GO", "2": "BETA", "3": "GAMA"}
    with SimulatorServer(world) as site:
        report = go(store, site, settings={"projects": ("GO",), **ALONE}, census=True)

    assert ("ok", native_ids(world, "1")) == (report.verdict, counted(store)), report.missing


@BOTH
@pytest.mark.parametrize(
    ("jql", "kept"),
    [
        ("labels = kit ORDER BY created DESC", True),
        ("labels = kit order by\n priority, updated", True),
        ("ORDER BY created", False),
    ],
)
def test_a_jql_that_sorts(world_of: type[JiraWorld], jql: str, kept: bool, store: Store) -> None:
    """What people copy from Jira sorts at its end: that changes nothing of what is read."""
    world = world_of(4, caps=CAPS)
    with SimulatorServer(world) as site:
        report = go(store, site, settings={"jql": jql, **ALONE}, census=True)
    mine = {native for native in world.items if native % 2 or not kept}

    assert ("ok", mine) == (report.verdict, counted(store)), report.missing
