"""Redmine against its simulator and its recorded answers: exact after random days.

And each lesson that the real server taught.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hub_redmine import wire
from hub_redmine.hours import _window, stretch
from hub_redmine.known import Known
from hub_redmine.mapping import Mapper, Meta, seconds
from hub_redmine.parts import Parts
from hub_redmine.source import RedmineSource
from hub_redmine.testing.certification import RedmineCertification
from hub_redmine.testing.simulator import RedmineWorld
from hub_redmine.testing.world import GROUP, LOCKED, NOBODY
from hypothesis import given
from hypothesis import strategies as st

from hub import ConfigError, SourceDataError, convert
from hub.http import Session
from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once
from hub.testing.kit import Request, Response, SimulatorServer, certify, differences, faults
from hub.words import speaking

__all__ = ["store"]
RECORDED = Path(__file__).parents[4] / "shared" / "data" / "redmine"
SAMPLE = (
    "reads-everything",
    "secrets-stay-secret",
    "requests-within-plan",
    "cursor-is-a-stamp-seen",
    "late-arrivals",
    "increments-are-used",
    "edited-while-paging",
    "deletions-are-found",
    "hidden-is-not-deleted",
    "mass-leave-is-held",
    "history-is-kept",
    "renamed-field",
)


def go(store: Store, site: SimulatorServer, **options: Any) -> SourceReport:
    site.asked.clear()
    settings = options.pop("settings", {})
    source = RedmineCertification().source(site.url)
    return sync_once(
        store,
        RedmineSource(**{name: getattr(source, name) for name in source.__struct_fields__} | settings),
        session=faults.hurried,
        **options,
    )


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.connection.execute(sql)]


def asked(site: SimulatorServer, path: str) -> int:
    return sum(request.path.startswith(path) for request in site.asked)


@pytest.mark.long
def test_it_is_gold(proof: bool, said_level: Callable[[str], str]) -> None:
    for seed in range(2026, 2031 if proof else 2027):
        report = certify(RedmineCertification(), seed=seed, only=() if proof else SAMPLE)

        assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
        if proof:
            assert said_level("Redmine") == report.level


def test_after_random_days_the_store_is_the_site(store: Store, proof: bool) -> None:
    """Adds, edits, moves, deletions of issues and hours, and faults: a calm run is equal each day."""
    world = RedmineWorld(3)
    rng = random.Random(3)
    deeds = (
        world.add,
        world.edit,
        world.edit,
        world.delete,
        lambda: world.move(rng.choice(world.rows())),
        world.edit_log,
        world.delete_log,
        lambda: world.log(rng.choice(list(world.items)), rng.randint(0, 99)),
    )
    with SimulatorServer(world) as site:
        for day in range(30 if proof else 8):
            for _ in range(rng.randint(0, 5)):
                rng.choice(deeds)()
            site.fault = rng.choice(
                [
                    None,
                    faults.status_once(rng.randint(1, 9), 503),
                    faults.reset_once(rng.randint(1, 9)),
                    faults.status_from(rng.randint(1, 9), 401),
                ]
            )
            go(store, site, settings={"max_leave": 1.0})
            site.fault = None
            report = go(store, site, census=True, settings={"max_leave": 1.0})
            assert ("ok", []) == (report.verdict, report.missing), day
            assert [] == differences(store, "redmine", world), day


# ---------- what the real server taught ----------


def test_pages_do_not_shift(store: Store) -> None:
    """R1: issues touched and deleted between two pages are neither lost nor counted twice."""
    world = RedmineWorld(1, scale=12)
    first = sorted(world.items)[0]
    with SimulatorServer(
        world, faults.meanwhile(20, lambda: (world.delete(str(first)), world.edit(str(first + 1))))
    ) as site:
        assert "ok" == go(store, site, settings={"history": False}).verdict
    there = {f"redmine:{native}" for native in world.rows()}
    assert there <= {row[0] for row in rows(store, "SELECT id FROM task WHERE kind = 'work'")}


def test_the_cursor_is_inclusive_and_a_second_is_read_again(store: Store) -> None:
    """R2: a change within the second that was read last is found."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        native = world.edit()
        go(store, site)
        world.items[int(native)].title = "changed once more within the same second"
        go(store, site)
    assert [("changed once more within the same second",)] == rows(
        store, f"SELECT title FROM task WHERE id = 'redmine:{native}'"
    )


@pytest.mark.parametrize(
    ("path", "said"), [("/issues.json", "did not keep to the ids"), ("/time_entries.json", "ignored the day")]
)
def test_a_filter_that_is_ignored_is_noticed(path: str, said: str, store: Store) -> None:
    """R3: Redmine answers 200 to a filter that it does not know, with everything."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        go(store, site, settings={"hours_days": 1})
        world.now = world.now.replace(year=2024, month=9, day=1)
        world.log(next(iter(world.items)), 1)
        world.logs[world.last].started = "2024-09-20T10:00:00+02:00"
        go(store, site, settings={"hours_days": 1}, full=True)

        def deaf(_: int, request: Request, honest: Any) -> Response:
            if request.path != path:
                return honest()
            kept = "&".join(
                part
                for part in request.search.split("&")
                if "updated_on" not in part and "spent_on" not in part and "issue_id" not in part
            )
            return world.answer(
                Request(
                    method="GET",
                    path=path,
                    query=request.query,
                    search=f"{kept}&f%5B%5D=status_id&op%5Bstatus_id%5D=%2A",
                    headers=request.headers,
                )
            )

        for log in list(world.logs.values())[:3]:
            log.started = "2024-01-02T10:00:00+02:00"
        site.fault = deaf
        for item in world.items.values():
            item.updated = "2024-01-01T00:00:00Z"
        report = go(store, site, settings={"hours_days": 1})
    assert said in " ".join(report.missing)
    assert [] == rows(store, "SELECT id FROM task WHERE presence <> 'present'")


def test_sums_of_redmine_are_not_read(store: Store) -> None:
    """R4, R9: hours spent and totals change without a stamp."""
    with SimulatorServer(RedmineWorld(1)) as site:
        go(store, site)
    assert [(None,)] == rows(store, "SELECT DISTINCT spent_s FROM task")


def test_archived_is_hidden_and_comes_back(store: Store) -> None:
    """R6: archiving looks like deletion and is none; what changed meanwhile comes with it."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        tasks = rows(store, "SELECT count(*) FROM task WHERE presence = 'present'")
        world.archived.add("2")
        assert "ok" == go(store, site, census=True).verdict
        assert [("hidden",)] == rows(store, "SELECT presence FROM container WHERE id = 'redmine:p2'")
        assert tasks == rows(store, "SELECT count(*) FROM task WHERE presence = 'present'")
        world.archived.clear()
        assert "ok" == go(store, site).verdict
        assert [("present",)] == rows(store, "SELECT presence FROM container WHERE id = 'redmine:p2'")


def test_a_deleted_project_waits_for_a_person(store: Store) -> None:
    """404 for a project proves it, and all of a container at once is held."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        world.deleted.add("2")
        report = go(store, site, census=True)
        assert "partial" == report.verdict
        assert any("the project 2: Redmine answers 404 for it" in one for one in report.held)
        store.accept(None, run_id=0, actor="test")
        assert "ok" == go(store, site, census=True).verdict
    assert [] == rows(store, "SELECT id FROM task WHERE container_id = 'redmine:p2' AND presence = 'present'")


def test_closed_projects_and_locked_users_stay(store: Store) -> None:
    """R7: neither is in the default list."""
    with SimulatorServer(RedmineWorld(1)) as site:
        go(store, site)
    assert [("project-3",)] == rows(store, "SELECT code FROM container WHERE id = 'redmine:p3'")
    assert [(0,)] == rows(store, f"SELECT active FROM account WHERE id = 'redmine:u{LOCKED}'")


def test_history_is_asked_for_what_changed(store: Store) -> None:
    """R8: one request an issue at first, then one a change; a quiet run asks none."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        assert len(world.items) == asked(site, "/issues/")
        for _ in range(2):
            go(store, site)
        world.edit()
        go(store, site)
        assert 1 <= asked(site, "/issues/") <= 3
        assert asked(site, "/issues.json") == 1


def test_relations_come_and_go_without_a_stamp(store: Store) -> None:
    """They are read once a day, and each that is gone is asked for."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        before = {row[0] for row in rows(store, "SELECT id FROM task_link")}
        assert before
        world.unrelated = True
        go(store, site, full=True)
    assert before == {
        row[0]
        for row in rows(
            store,
            "SELECT id FROM task_link "
            "WHERE presence = 'deleted' AND presence_evidence = 'Redmine answers 404 for it'",
        )
    }


def test_only_what_was_asked_for(store: Store) -> None:
    """Projects narrow, with those below; people and hours can be left out."""
    with SimulatorServer(RedmineWorld(1)) as site:
        go(store, site, settings={"projects": ("project-1",), "worklog_people": False})
        assert {("redmine:p1",), ("redmine:p3",)} == set(
            rows(store, "SELECT DISTINCT container_id FROM task")
        )
        assert [(None,)] == rows(store, "SELECT DISTINCT account_id FROM worklog")
        assert [(None,)] == rows(store, "SELECT DISTINCT author_id FROM task_change")
        report = go(store, site, settings={"projects": ("nowhere",), "name": "other"})
    assert "The project nowhere does not exist, or this account is no member of it" in str(report.error)


def test_an_account_that_is_no_administrator(store: Store) -> None:
    """People come with their names on issues and hours."""

    def refused(_: int, request: Request, honest: Any) -> Response:
        return Response(status=403) if request.path == "/users.json" else honest()

    with SimulatorServer(RedmineWorld(1), refused) as site:
        assert "ok" == go(store, site).verdict
        told = {
            one.name: one
            for one in RedmineCertification()
            .source(site.url)
            .check(Context(base=Path(), source_id="redmine", session=Session))
        }
    assert ("warning", True) == (told["users"].state, "without mail addresses" in told["users"].detail)
    assert [("Élodie O'Brien 2", None)] == rows(
        store, "SELECT display_name, email FROM account WHERE id = 'redmine:u2'"
    )


def test_a_key_that_is_revoked_in_the_middle_hides_nothing(store: Store) -> None:
    """401 is no proof of anything."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        world.delete()
        site.fault = faults.status_from(6, 401)
        report = go(store, site, full=True)
    assert report.verdict != "ok"
    assert [] == rows(store, "SELECT id FROM task WHERE presence <> 'present'")


@pytest.mark.parametrize("after", [4, 8, 14, 20, 30])
def test_a_reading_with_new_settings_that_dies_is_begun_again(after: int, store: Store) -> None:
    """The mark that makes new settings done is written last.

    Wherever the power went, the next run reads all of it.
    """
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        assert "ok" == go(store, site, settings={"history": False, "custom": ()}).verdict
        site.fault = faults.status_from(after, 401)
        assert "ok" != go(store, site).verdict
        site.fault = None
        assert "ok" == go(store, site).verdict
    assert [(len(world.changes),)] == rows(store, "SELECT count(*) FROM task_change")
    assert rows(store, "SELECT id FROM custom_value")


@pytest.mark.parametrize("after", [6, 9, 14])
def test_a_project_that_came_back_is_read_even_if_that_run_dies(after: int, store: Store) -> None:
    """What changed in it while it was out of sight is not lost."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        world.hidden.add("2")
        go(store, site)
        native = next(str(item.native) for item in world.items.values() if item.container == "2")
        world.edit(native)
        other = next(str(item.native) for item in world.items.values() if item.container == "1")
        world.now = world.now.replace(year=2025)
        world.edit(other)
        for _ in range(2):
            go(store, site)
        world.hidden.clear()
        site.fault = faults.status_from(after, 503)
        assert "ok" != go(store, site).verdict
        site.fault = None
        assert "ok" == go(store, site).verdict
    assert [(world.items[int(native)].title,)] == rows(
        store, f"SELECT title FROM task WHERE id = 'redmine:{native}'"
    )


def test_a_field_that_nobody_has_is_said_in_every_run(store: Store) -> None:
    """Not green until the setting, or Redmine, is right again; then all of it is read."""
    with SimulatorServer(RedmineWorld(1)) as site:
        wrong = {"fields": {"points": "Story pts", "billable": "Bilable"}}
        for _ in range(3):
            report = go(store, site, settings=wrong)
            assert "partial" == report.verdict
            assert {
                "issues: none has a custom field 'Story pts': it was renamed, or is for others",
                "time_entries: none has a custom field 'Bilable': it was renamed, or is for others",
            } <= set(report.missing)
        assert "ok" == go(store, site).verdict
    assert rows(store, "SELECT id FROM task WHERE points IS NOT NULL")


def test_settings_are_checked() -> None:
    with pytest.raises(ConfigError, match="url is the address of Redmine"):
        RedmineSource(name="r", url="redmine.example.org")
    with pytest.raises(ConfigError, match="hours_days is 0; it is to be at least 1"):
        convert({"name": "r", "url": "https://redmine.example.org", "hours_days": 0}, RedmineSource,
                where="r", base=Path())  # fmt: skip


@given(
    st.dictionaries(
        st.integers(1, 300),
        st.tuples(st.integers(1, 3), st.sampled_from(["", "2024-03", "2024-04"])),
        max_size=60,
    )
)
def test_ids_fit_into_a_short_text(places: dict[int, tuple[int, str]]) -> None:
    """What is known goes to a cursor and back, and what is lost is found by month."""
    known = Known()
    for native, (project, month) in places.items():
        known.add(native, project, month)
    again = Known(json.loads(json.dumps(known.places())))
    assert known.where == again.where
    wanted = {native for native, (_, month) in places.items() if month >= "2024-04"}
    assert wanted == {
        native for natives in again.lost(Known(), since="2024-04").values() for native in natives
    }


@pytest.mark.skipif(not RECORDED.exists(), reason="needs the recorded answers of ../shared/data/redmine")
def test_the_recorded_answers_are_understood() -> None:
    """Every recorded row becomes its records, and the sums are those of the answers.

    500 issues, 1000 hours and a history of a real 5.0.4.
    """

    def read(pattern: str, key: str) -> list[Any]:
        return [
            row
            for path in sorted(RECORDED.glob(pattern))
            for row in json.loads(path.read_text(encoding="utf-8"))[key]
        ]

    statuses = read("issue_statuses.json", "issue_statuses")
    meta = Meta(
        statuses={str(one["id"]): one["name"] for one in statuses},
        closed=[one["id"] for one in statuses if one["is_closed"]],
    )
    mapper = Mapper(
        name="r",
        url="https://r.example.org",
        meta=meta,
        types={},
        activities={},
        fields={"baseline_finish": "Baseline due date", "billable": "Billable"},
        custom=("Workstreams",),
        people=True,
        day_s=25200,
        zone="Europe/Paris",
    )
    issues = read("issues_*.json", "issues")
    made = [record for row in issues for record in in_parts(mapper, row)]
    tasks = {record.id: record for record in made if record.table == "task"}
    assert 500 == len(tasks)
    assert sum(round((row["estimated_hours"] or 0) * 3600) for row in issues) == sum(
        task.estimate_s or 0 for task in tasks.values()
    )
    assert {row["status"]["name"] for row in issues} == {task.status_raw for task in tasks.values()}
    entries = read("time_entries_*.json", "time_entries")
    logs = [
        record
        for row in entries
        for record in mapper.entry(msgspec.convert(row, wire.Entry))
        if record.table == "worklog"
    ]
    assert (1000, sum(round(row["hours"] * 3600) for row in entries)) == (
        len(logs),
        sum(log.seconds for log in logs),
    )
    assert sum("issue" not in row for row in entries) == sum(log.task_id is None for log in logs)
    history = json.loads((RECORDED / "issue_5_journals.json").read_text(encoding="utf-8"))["issue"]
    kept = [record for record in in_parts(mapper, history) if record.table == "task_change"]
    assert any(record.field == "status" for record in kept)


def in_parts(mapper: Mapper, row: dict[str, Any]) -> list[Any]:
    """Map an issue as it was recorded, with what stands inside of it."""
    context = Context(base=Path(), source_id="r")
    issue = msgspec.json.decode(json.dumps(row), type=wire.Issue)
    return list(Parts(context, "r", mapper).records([issue]))


def test_a_custom_field_that_is_no_number() -> None:
    from hub_redmine.mapping import number

    assert number(None) is None
    assert 3.0 == number(wire.Custom(id=1, name="SP", value="3"))
    with pytest.raises(SourceDataError, match="The custom field 'SP' holds 'many'"):
        number(wire.Custom(id=1, name="SP", value="many"))


def test_a_field_that_fields_csv_names_is_read_from_then_on(store: Store) -> None:
    """Choosing one reads all issues again once; it is offered, and kept by its name."""
    world = RedmineWorld(1)
    chosen_ones = "field NOT IN ('components', 'is_private', 'parent', 'path')"
    with SimulatorServer(world) as site:
        plain = {"custom": ()}
        go(store, site, settings=plain)
        before = rows(store, f"SELECT id FROM custom_value WHERE {chosen_ones}")
        source = RedmineCertification().source(site.url)
        ctx = Context(base=Path(), source_id="redmine", session=Session)
        offered = {one.native for one in source.offers(ctx)}
        ctx.close()
        name = sorted(offered)[0]
        chosen = {source.name: {name: "text"}}
        go(store, site, settings=plain, fields=chosen)
        first = asked(site, "/issues.json")
        go(store, site, settings=plain, fields=chosen)

    assert [] == before
    assert [(name,)] == rows(store, f"SELECT DISTINCT field FROM custom_value WHERE {chosen_ones}")
    assert first > asked(site, "/issues.json")


# ---------- what the real server changes without a stamp, rounds or does not show ----------


def tomorrow(store: Store, site: SimulatorServer, **options: Any) -> SourceReport:
    """Run as a day later: a walk over the issues, and no whole reading of the hours."""
    cursors = store.cursors("redmine")
    for partition, name in (("issues", "walked"), ("metadata", "at")):
        cursor = cursors[partition]
        cursor[name] = (datetime.fromisoformat(cursor[name]) - timedelta(hours=25)).isoformat()
        store.set_cursor("redmine", partition, cursor, run_id=0)
    store.connection.commit()
    return go(store, site, **options)


def equal(store: Store, world: RedmineWorld) -> None:
    """Hold the store, and what stands beside tasks and projects in it, against the site."""
    assert [] == differences(store, "redmine", world)
    gone = "(SELECT id FROM task WHERE presence <> 'present')"
    for table, owner, value in (("baseline", "task_id", "finish_on"), ("custom_value", "row_id", "text")):
        ours = (
            f"SELECT substr(id, 9), {value} FROM {table} WHERE presence = 'present' AND {owner} NOT IN {gone}"
        )
        assert world.around()[table] == set(rows(store, ours))


def test_hours_of_deleted_issues_go_stay_or_move(store: Store) -> None:
    """With the proof that an issue is gone its hours are right, on days too that no increment reads."""
    world = RedmineWorld(4)
    wide = {"max_leave": 1.0}
    with SimulatorServer(world) as site:
        go(store, site, settings=wide | {"hours_days": 1})
        before = {log.native: log.item for log in world.logs.values()}
        heir = max(world.items)
        for how in ({}, {"free": True}, {"to": heir}):
            world.delete(str(next(log.item for log in world.logs.values() if 0 < log.item < heir - 3)), **how)
        assert "ok" == tomorrow(store, site, settings=wide | {"hours_days": 1}).verdict
        equal(store, world)
    gone = {f"redmine:t{native}" for native, item in before.items() if native not in world.logs}
    assert gone == {row[0] for row in rows(store, "SELECT id FROM worklog WHERE presence = 'deleted'")}


def test_an_issue_that_goes_between_list_and_history_takes_its_hours(store: Store) -> None:
    """In an increment too; the reason is in the language of the run."""
    world = RedmineWorld(4)
    wide = {"max_leave": 1.0}
    with SimulatorServer(world) as site:
        go(store, site, settings=wide)
        native = next(str(log.item) for log in world.logs.values())
        world.edit(native)

        def goes(_: int, request: Request, honest: Any) -> Response:
            if request.path == f"/issues/{native}.json" and int(native) in world.items:
                world.delete(native)
            return honest()

        site.fault = goes
        with speaking("fr"):
            assert "ok" == go(store, site, settings=wide).verdict
    mine = {f"redmine:{native}"}
    assert mine == {row[0] for row in rows(store, "SELECT id FROM task WHERE presence = 'deleted'")}
    assert [("deleted",)] == rows(
        store, f"SELECT DISTINCT presence FROM worklog WHERE task_id = 'redmine:{native}'"
    )
    assert "supprimé depuis que la liste a été faite" in str(rows(store, "SELECT tally FROM sync_run"))


def test_the_hours_of_a_proven_issue_leave_with_a_census(store: Store) -> None:
    """Between two walks, when a person asks for it."""
    world = RedmineWorld(4)
    with SimulatorServer(world) as site:
        go(store, site, settings={"max_leave": 1.0})
        item = next(log.item for log in world.logs.values())
        before = len(world.logs)
        world.delete(str(item))
        go(store, site, census=True, settings={"max_leave": 1.0})
    mine = before - len(world.logs)
    assert [(mine,)] == rows(store, "SELECT count(*) FROM worklog WHERE presence = 'deleted'")


def test_what_is_emptied_leaves_and_comes_back(store: Store) -> None:
    """A custom field, a baseline, a category; nothing else is asked for it."""
    world = RedmineWorld(5)
    with SimulatorServer(world) as site:
        go(store, site)
        equal(store, world)
        native = next(n for n in world.items if n % 6 == 3)
        world.clear(native)
        go(store, site)
        equal(store, world)
        world.bare.clear()
        world.edit(str(native))
        go(store, site)
        equal(store, world)


@pytest.mark.parametrize("dies", [None, 8, 20, 40])
def test_a_status_is_renamed_in_place(dies: int | None, store: Store) -> None:
    """Every history says its name of now, wherever a run in between died."""
    world = RedmineWorld(6)
    with SimulatorServer(world) as site:
        go(store, site)
        world.statuses[5] = ("Clos", True)
        if dies is not None:
            site.fault = faults.status_from(dies, 401)
            tomorrow(store, site)
            site.fault = None
        tomorrow(store, site)
        equal(store, world)
        go(store, site)
        assert 1 >= asked(site, "/issues/")  # the last second's


def test_an_issue_that_shows_a_new_name_makes_a_walk_due(store: Store) -> None:
    """An increment that meets it reads its history by that name; the next run reads the others'."""
    world = RedmineWorld(6)
    with SimulatorServer(world) as site:
        go(store, site)
        world.statuses[5] = ("Clos", True)
        world.edit(next(str(item.native) for item in world.items.values() if not item.done))
        go(store, site)
        go(store, site)
        equal(store, world)


def test_a_deleted_user_is_nobody(store: Store) -> None:
    """In hours of any day, histories and assignments; the account is gone, nobody is no person."""
    world = RedmineWorld(7)
    with SimulatorServer(world) as site:
        go(store, site, settings={"hours_days": 1})
        world.fire(2)
        report = tomorrow(store, site, settings={"hours_days": 1})
        assert "ok" == report.verdict
        equal(store, world)
        tomorrow(store, site, settings={"hours_days": 1})
        assert 1 >= asked(site, "/issues/")  # the last second's
    assert [("deleted",)] == rows(store, "SELECT presence FROM account WHERE id = 'redmine:u2'")
    assert {(f"redmine:u{NOBODY}", "Anonymous"), (f"redmine:u{GROUP}", "Support")} == set(
        rows(store, "SELECT id, display_name FROM account WHERE kind = 'generic'")
    )
    assert "api_key" not in str(store.snapshot("account"))


@given(st.integers(0, 24 * 60))
def test_a_minute_is_a_minute(minutes: int) -> None:
    """Whatever minutes people book, hundredths of hours bring them back."""
    assert 60 * minutes == seconds(round(minutes / 60, 2))


def test_projects_that_are_not_active(store: Store) -> None:
    """Closed and archived ones say so in the next run, and not for ever; the tree is that of now."""
    world = RedmineWorld(1)
    states = "SELECT id, archived, presence FROM container ORDER BY id"
    with SimulatorServer(world) as site:
        go(store, site)
        world.archived.add("2")
        go(store, site)
        assert [
            ("redmine:p1", 0, "present"), ("redmine:p2", 1, "hidden"), ("redmine:p3", 1, "present")
        ] == rows(store, states)  # fmt: skip
        quiet = go(store, site)
        assert 0 == asked(site, "/projects/")
        assert 0 == quiet.changes.presence_changed
        world.archived.clear()
        world.top.add("3")
        go(store, site)
    assert [("redmine:p1", 0), ("redmine:p2", 0), ("redmine:p3", 1)] == [
        row[:2] for row in rows(store, states)
    ]
    tree = "SELECT id FROM custom_value WHERE field IN ('parent', 'path') AND presence = 'present'"
    assert [] == rows(store, tree)


def test_an_account_that_is_demoted_hides_nothing_as_archived(store: Store) -> None:
    """Only an administrator's 403 proves it."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        world.issues_seen = "all"
        go(store, site)
        world.archived.add("2")
        go(store, site)
    assert [(0, "present")] == rows(store, "SELECT archived, presence FROM container WHERE id = 'redmine:p2'")


@pytest.mark.parametrize(
    ("issues", "hours", "said", "state"),
    [
        ("own", "all", "sees only the issues that it wrote or is assigned", "failed"),
        ("all", "own", "sees only its own hours", "failed"),
        ("default", "all", "does not see the private issues of others", "warning"),
    ],
)
def test_an_account_that_sees_a_part(issues: str, hours: str, said: str, state: str, store: Store) -> None:
    """Check and every run say so; what makes figures wrong is partial until somebody accepts it."""
    world = RedmineWorld(1)
    world.issues_seen, world.hours_seen = issues, hours
    with SimulatorServer(world) as site:
        ctx = Context(base=Path(), source_id="redmine", session=Session)
        told = [one for one in RedmineCertification().source(site.url).check(ctx) if one.name == "rights"]
        ctx.close()
        assert [state] == [one.state for one in told]
        assert f"in project-1, project-2, project-3 this account {said}" in told[0].detail
        for _ in range(2):
            report = go(store, site)
            words = report.rejections if state == "failed" else report.notes
            assert 1 == sum(said in one for one in words)
            assert ("partial" if state == "failed" else "ok") == report.verdict
            assert (0 if _ else 2) == asked(site, "/users/current") + asked(site, "/roles/")
        world.issues_seen = world.hours_seen = "all"
        report = tomorrow(store, site)
    assert ("ok", []) == (report.verdict, report.rejections)


def test_a_quiet_run_asks_six_times(store: Store) -> None:
    """Projects, changed issues and one of the last second again, new hours, those of the last months."""
    with SimulatorServer(RedmineWorld(1)) as site:
        for _ in range(3):
            go(store, site)
        assert 6 == len(site.asked)


@pytest.mark.parametrize(
    ("newest", "since"),
    [
        ("2026-11-29", "2026-08-30"),
        ("2026-11-08", "2026-08-10"),
        ("2026-03-31", "2025-12-30"),
        ("2026-08-05", "2026-05-01"),
    ],
)
def test_the_window_begins_with_a_stretch(newest: str, since: str) -> None:
    """At least 90 days are read each time, nine more at most; days before it are in other stretches."""
    day = date.fromisoformat(since)

    assert since == _window(f"{newest}T10:00:00Z", 90)
    assert 90 <= (date.fromisoformat(newest) - day).days <= 99
    assert stretch((day - timedelta(days=1)).isoformat()) < stretch(since)


def test_marks_of_the_version_before_are_understood(store: Store) -> None:
    """They name no statuses, no people, and of projects the ids; all of it is read anew once."""
    world = RedmineWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        for partition, cursor in store.cursors("redmine").items():
            if not isinstance(cursor, dict):
                continue
            for name in ("names", "people", "listed"):
                cursor.pop(name, None)
            if "known" in cursor:
                cursor["known"] = [1, 2, 3]
            store.set_cursor("redmine", partition, cursor | {"settings": "of before"}, run_id=0)
        store.connection.commit()
        world.archived.add("2")
        world.fire(2)
        assert "ok" == go(store, site, census=True).verdict
        world.archived.clear()
        go(store, site)
        equal(store, world)


def answering(path: str, change: Callable[[Any], Any]) -> faults.Fault:
    """Let what *change* makes of the JSON of a path be answered."""

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        here = request.path == path or request.path == path.replace(".json", "/105.json")
        body = change(answer.body) if here and answer.status == 200 else answer.body
        return Response(
            status=answer.status, body=body if isinstance(body, bytes) else json.dumps(body).encode()
        )

    return fault


def row(where: str, native: int, **change: Any) -> Callable[[Any], Any]:
    """Show one row otherwise, in its list and alone."""

    def shown(one: Any) -> Any:
        return one | change if isinstance(one, dict) and one["id"] == native else one

    def made(body: Any) -> Any:
        return {
            name: [shown(one) for one in value] if name == where else shown(value)
            for name, value in body.items()
        }

    return made


ISSUES, HOURS = "/issues.json", "/time_entries.json"


@pytest.mark.parametrize(
    ("path", "change", "lost"),
    [
        (ISSUES, row("issues", 105, updated_on="x"), {"105"}),
        (ISSUES, row("issues", 105, updated_on="31/12/2026"), {"105"}),
        (ISSUES, row("issues", 105, id=-1), {"105"}),
        (ISSUES, row("issues", 105, created_on="2026-12-31T23:30:00"), {"105"}),
        (ISSUES, row("issues", 105, due_date="31/12/2026"), {"105"}),
        (ISSUES, row("issues", 105, tracker={"id": 99, "name": "New one"}), set()),
        (HOURS, row("time_entries", 123, created_on="x"), {"t123"}),
        (HOURS, row("time_entries", 123, created_on=""), {"t123"}),
        (HOURS, row("time_entries", 123, id="123"), {"t123"}),
        (HOURS, row("time_entries", 123, spent_on="31/12/2026"), {"t123"}),
        (HOURS, row("time_entries", 123, hours=None), {"t123"}),
        ("/users.json", lambda body: body | {"users": body["users"][:-1]}, set()),
        ("/users.json", lambda body: body | {"users": [*body["users"][:-1], body["users"][0]]}, set()),
        ("/trackers.json", lambda body: body | {"trackers": []}, set()),
        ("/projects/2/versions.json", lambda body: body | {"versions": []}, {"m2"}),
        (ISSUES, lambda body: body | {"errors": ["timeout"]}, None),
        (ISSUES, lambda body: body | {"total_count": body["total_count"] + 3}, None),
        (ISSUES, lambda _: b"<html><title>Sign in</title>", None),
    ],
)  # fmt: skip
def test_an_odd_answer_is_told_and_costs_itself(
    path: str, change: Callable[[Any], Any], lost: set[str] | None, store: Store
) -> None:
    """What cannot be taken makes the verdict partial; all else is there (None: no issue can be)."""
    world = RedmineWorld(1)
    truth = {native for table in ("task", "worklog") for native in world.truth()[table]}
    with SimulatorServer(world, answering(path, change)) as site:
        report = go(store, site)

    assert "partial" == report.verdict
    assert report.missing or report.rejected
    assert not any("unexpected" in one for one in report.missing)
    there = {
        one.removeprefix("redmine:")
        for (one,) in rows(store, "SELECT id FROM task UNION SELECT id FROM worklog")
    }
    assert lost is None or truth - lost == there


def test_a_project_whose_issues_are_turned_off_costs_nothing(store: Store) -> None:
    """Redmine answers 403 for the versions of one, to administrators too."""

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        return Response(status=403) if request.path == "/projects/2/versions.json" else honest()

    with SimulatorServer(RedmineWorld(1), fault) as site:
        report = go(store, site)

    assert ("ok", []) == (report.verdict, report.missing)
    assert [(20,)] == rows(store, "SELECT count(*) FROM task WHERE kind = 'work'")


def test_an_issue_that_a_list_shows_and_that_is_refused_by_itself(store: Store) -> None:
    """What the list says of it is taken; that its history is not told is a rejection until it is."""
    world = RedmineWorld(1)
    number = min(world.items)

    def refuse(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        return Response(status=403) if request.path == f"/issues/{number}.json" else honest()

    with SimulatorServer(world) as site:
        site.fault = refuse
        for _ in range(2):  # it is asked for again in each run
            report = go(store, site)
            assert ("partial", 1, []) == (report.verdict, report.rejected, report.missing)
            assert f"history of issue #{number}" in report.rejections[0]
            assert 1 == asked(site, f"/issues/{number}.json")
        assert [(1,)] == rows(store, f"SELECT count(*) FROM task WHERE id = 'redmine:{number}'")
        site.fault = None
        report = go(store, site)
    assert ("ok", []) == (report.verdict, report.rejections)
