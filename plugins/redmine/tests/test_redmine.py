"""Redmine against its simulator and its recorded answers: exact after random days.

And each lesson that the real server taught.
"""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hub_redmine import wire
from hub_redmine.known import Known
from hub_redmine.mapping import Mapper, Meta
from hub_redmine.parts import Parts
from hub_redmine.source import RedmineSource
from hub_redmine.testing.certification import RedmineCertification
from hub_redmine.testing.simulator import LOCKED, RedmineWorld
from hypothesis import given
from hypothesis import strategies as st

from hub import ConfigError, SourceDataError
from hub.http import Session
from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once
from hub.testing.kit import Request, Response, SimulatorServer, certify, differences, faults

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


def test_it_is_gold(proof: bool) -> None:
    for seed in range(2026, 2031 if proof else 2027):
        report = certify(RedmineCertification(), seed=seed, only=() if proof else SAMPLE)

        assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
        if proof:
            assert "gold" == report.level


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
        world.now = world.now.replace(year=2024, month=9)
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
    with pytest.raises(ConfigError, match="at least 1"):
        RedmineSource(name="r", url="https://redmine.example.org", hours_days=0)


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
    with SimulatorServer(world) as site:
        plain = {"custom": ()}
        go(store, site, settings=plain)
        before = rows(store, "SELECT id FROM custom_value")
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
    assert [(name,)] == rows(store, "SELECT DISTINCT field FROM custom_value")
    assert first > asked(site, "/issues.json")
