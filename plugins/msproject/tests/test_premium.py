"""Planner premium against a simulator of Dataverse: certified, exact after random days.

With and without change tracking, and what is not proven.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hub_msproject.services.calendars import Block, able
from hub_msproject.services.premium import PremiumSource
from hub_msproject.services.premium_rows import TASKS, link_type
from hub_msproject.testing import premium as simulator
from hub_msproject.testing.certification import PremiumCertification
from hub_msproject.testing.premium import PremiumWorld, guid

from hub import clock
from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once
from hub.testing.kit import Request, Response, SimulatorServer, certify, differences, faults, out_of_sight

__all__ = ["store"]
SAMPLE = (
    "reads-everything",
    "secrets-stay-secret",
    "requests-within-plan",
    "cursor-is-a-stamp-seen",
    "ties-at-the-cursor",
    "late-arrivals",
    "increments-are-used",
    "edited-while-paging",
    "unknown-filters",
    "deletions-are-found",
    "mass-leave-is-held",
)


def source(site: SimulatorServer, **settings: Any) -> PremiumSource:
    made = PremiumCertification().source(site.url)
    return PremiumSource(**{name: getattr(made, name) for name in made.__struct_fields__} | settings)


def go(
    store: Store, site: SimulatorServer, settings: dict[str, Any] | None = None, **options: Any
) -> SourceReport:
    site.asked.clear()
    return sync_once(store, source(site, **settings or {}), session=faults.hurried, **options)


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.connection.execute(sql)]


@pytest.mark.long
def test_it_is_gold(proof: bool, said_level: Callable[[str], str]) -> None:
    for seed in range(2026, 2031 if proof else 2027):
        report = certify(PremiumCertification(), seed=seed, only=() if proof else SAMPLE)

        assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
        if proof:
            assert said_level("Planner premium") == report.level


def weeks(store: Store, account: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return what an account can work, by the first day of the week, as told now."""
    found: dict[str, list[tuple[Any, ...]]] = {}
    for start, *said in rows(
        store,
        "SELECT start_on, weekdays, seconds, units FROM capacity WHERE presence = 'present' AND "
        f"account_id = '{account}' ORDER BY start_on, weekdays",
    ):
        found.setdefault(start, []).append(tuple(said))
    return found


def test_what_people_can_work(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven hours in Paris from Monday to Friday, less who is away; a day later what changed, and no more."""
    world = PremiumWorld(3)
    today = clock.now().date()
    monday = today - timedelta(days=today.weekday())
    away = monday + timedelta(days=9)  # the Wednesday of next week
    one = f"premium:u{guid('resource', 1)}"
    with SimulatorServer(world) as site:
        first = go(store, site)
        usual = weeks(store, one)
        asked = sum("ExpandCalendar" in request.path for request in site.asked)
        world.away = {away.isoformat()}
        calm = go(store, site)
        none = sum("ExpandCalendar" in request.path for request in site.asked)
        at = clock.now() + timedelta(days=7)
        monkeypatch.setattr(clock, "now", lambda: at)
        later = go(store, site)
        then = weeks(store, one)

    week = [("0000011", 0, 1.0), ("1111100", 7 * 3600, 1.0)]
    assert ["ok"] * 3 == [said.verdict for said in (first, calm, later)], later.missing
    assert (2, 0) == (asked, none)  # the third resource stands for nobody
    assert 30 == len(usual)
    assert all(week == said for said in usual.values())
    assert min(usual) == (monday - timedelta(weeks=4)).isoformat()
    assert min(then) == min(usual)  # what was told of a week that is past stays
    assert [("0010011", 0, 1.0), ("1101100", 7 * 3600, 1.0)] == then[(monday + timedelta(days=7)).isoformat()]
    assert 31 == len(then)
    assert set() == set(weeks(store, f"premium:u{guid('resource', 3)}"))


def block(start: str, end: str, code: Any, sub: Any = None, effort: Any = 1.0) -> dict[str, Any]:
    return {"Start": start, "End": end, "TimeCode": code, "SubCode": sub, "Effort": effort}


def shown(change: Callable[[list[Any]], list[Any]], of: str) -> Callable[..., Any]:
    """Change the rows that one table shows."""

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        if request.path.endswith(f"/{of}") and isinstance(answer.body, dict):
            answer.body["value"] = change(answer.body["value"])
        return answer

    return fault


def odd(**change: Any) -> Callable[[list[Any]], list[Any]]:
    """Change one task wherever it is shown."""
    key = guid("task", min(PremiumWorld(3).items))
    return lambda rows: [row | change if row.get("msdyn_projecttaskid") == key else row for row in rows]


@pytest.mark.long
@pytest.mark.parametrize(("of", "change", "said"), [
    ("msdyn_projects", lambda rows: [], "named by others"),
    ("msdyn_projectsprints", lambda rows: rows[1:], "named by others"),
    ("msdyn_projectbuckets", lambda rows: rows[1:], "named by others"),
    ("bookableresources", lambda rows: rows[1:], "named by others"),
    ("msdyn_projecttasks", lambda rows: [*rows, rows[0] | {"msdyn_subject": "other"}], "comes twice"),
    ("msdyn_projecttasks", odd(msdyn_effort=-8), "a number of hours"),
    ("msdyn_projecttasks", odd(msdyn_start="01/04/2024"), "a date"),
    ("msdyn_projecttasks", odd(msdyn_finish=""), "a date"),
])  # fmt: skip
def test_what_is_shown_otherwise_is_told(
    of: str, change: Callable[[list[Any]], list[Any]], said: str, store: Store
) -> None:
    """A list that is short, a row that comes twice, and values of other forms are never green."""
    with SimulatorServer(PremiumWorld(3)) as site:
        site.fault = shown(change, of)
        report = go(store, site)

    assert "partial" == report.verdict
    assert any(said in one for one in (*report.missing, *report.rejections)), report.missing


def counted(request: Request) -> bool:
    return request.path.endswith("/msdyn_projecttasks") and "$apply" in request.query


def test_a_list_that_ends_early_is_held_against_what_is_counted(store: Store) -> None:
    """Where the link to the next page is lost no row tells of it: nothing leaves, and new ones are missed."""
    world = PremiumWorld(3, scale=5)

    def cut(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        if request.path.endswith("/msdyn_projecttasks") and not counted(request):
            assert isinstance(answer.body, dict)
            answer.body["value"] = answer.body.get("value", [])[:5]
            if answer.body.pop("@odata.nextLink", None):
                answer.body["@odata.deltaLink"] = f"{site.url}{request.path}?$deltatoken=0"
        return answer

    with SimulatorServer(world) as site:
        site.fault = cut
        short = go(store, site)
        site.fault = None
        calm = go(store, site)
        world.expire()
        site.fault = cut
        again = go(store, site)

    there = len(world.entries("msdyn_projecttask"))
    said = f"different rows of msdyn_projecttask came where the service counts {there}"
    assert ("partial", "ok", "partial") == (short.verdict, calm.verdict, again.verdict)
    assert [any(said in one for one in report.missing) for report in (short, again)] == [True, True]
    assert [] == differences(store, "premium", world) + out_of_sight(store, world)


def test_what_leaves_while_it_is_read_is_not_missed(store: Store) -> None:
    """What was counted before is counted once more, where fewer came."""
    world = PremiumWorld(3)

    def leaves(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        if counted(request) and not lost:
            lost.append(world.delete())
        return answer

    lost: list[str] = []
    with SimulatorServer(world) as site:
        site.fault = leaves
        report = go(store, site)

    assert (1, "ok", ()) == (len(lost), report.verdict, tuple(report.missing))


def test_tables_that_cannot_be_counted_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Aggregates of Dataverse end at 50,000 rows with an error."""
    monkeypatch.setattr(simulator, "AGGREGATED", 2)
    with SimulatorServer(PremiumWorld(3)) as site:
        report = go(store, site)

    assert "ok" == report.verdict


@pytest.mark.parametrize("body", [b"null", b"{}", b"[]"])
def test_a_sign_in_that_answers_otherwise(body: bytes, store: Store) -> None:
    """It is a sentence that names the address, never an exception."""
    with SimulatorServer(PremiumWorld(3)) as site:
        site.fault = lambda _, request, honest: (
            Response(body=body) if "openid-configuration" in request.path else honest()
        )
        report = go(store, site)

    assert "failed" == report.verdict
    assert "did not answer as Microsoft's sign-in does" in str(report.error)


MONDAY = "2026-01-05"


@pytest.mark.parametrize(("blocks", "monday"), [
    ([block("2026-01-05T08:00:00Z", "2026-01-05T16:00:00Z", "Available")], (8 * 3600, 1.0)),
    ([block("2026-01-05T08:00:00Z", "2026-01-05T16:00:00Z", 0), block(
        "2026-01-05T11:00:00Z", "2026-01-05T12:00:00Z", "Unavailable", "Break")], (7 * 3600, 1.0)),
    ([block("2026-01-05T08:00:00Z", "2026-01-05T16:00:00Z", "Available"), block(
        "2026-01-05T00:00:00Z", "2026-01-06T00:00:00Z", "Unavailable", "Holiday")], (0, 1.0)),
    ([block("2026-01-05T08:00:00Z", "2026-01-05T16:00:00Z", "Available"), block(
        "2026-01-05T08:00:00Z", "2026-01-05T16:00:00Z", "Filter", "ResourceCapacity", 0.5)], (8 * 3600, 0.5)),
    # it is Monday in Paris from 23:00 of Sunday on
    ([block("2026-01-04T22:00:00Z", "2026-01-05T01:00:00Z", "Available")], (2 * 3600, 1.0)),
    ([block("2026-01-05T08:00:00Z", "2026-01-05T12:00:00Z", "Available"), block(
        "2026-01-05T10:00:00Z", "2026-01-05T14:00:00Z", "Available")], (6 * 3600, 1.0)),
    ([], None),
    ([block("2026-01-01T00:00:00Z", "2026-02-01T00:00:00Z", "Available")], None),
])  # fmt: skip
def test_blocks_of_a_calendar(blocks: list[dict[str, Any]], monday: tuple[int, float] | None) -> None:
    """What is away is not available; nothing is told by a calendar that nobody filled in."""
    first = date.fromisoformat(MONDAY)
    told = msgspec.convert(blocks, list[Block])
    found = able(told, first, first + timedelta(days=6), ZoneInfo("Europe/Paris"))

    assert monday == found.get(first)


@pytest.mark.parametrize("odd", [
    block("2026-01-05T08:00:00Z", "2026-01-05T07:00:00Z", "Available"),
    block("2026-01-05T08:00:00Z", "2026-01-05T09:00:00Z", "Perhaps"),
    {"Start": "tomorrow", "End": "2026-01-05T09:00:00Z", "TimeCode": "Available"},
])  # fmt: skip
def test_an_odd_calendar_costs_itself(
    odd: dict[str, Any], store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is named, and what is known of the person stays."""
    world = PremiumWorld(3)
    one = f"premium:u{guid('resource', 1)}"
    with SimulatorServer(world) as site:
        go(store, site)
        before = weeks(store, one)
        world.blocks = [odd]
        at = clock.now() + timedelta(days=1, hours=1)
        monkeypatch.setattr(clock, "now", lambda: at)
        report = go(store, site)

    assert "partial" == report.verdict
    assert 2 == sum("the calendar of" in said for said in report.rejections), report.rejections
    assert before == weeks(store, one)


@pytest.mark.long
@pytest.mark.parametrize("tracked", [True, False])
def test_after_random_days_the_store_is_the_organisation(store: Store, proof: bool, tracked: bool) -> None:
    """Adds, edits, deletions, expired links and faults.

    Without change tracking a whole reading proves the deletions.
    """
    world = PremiumWorld(3, tracked=tracked)
    rng = random.Random(3)
    deeds = (world.add, world.edit, world.edit, world.edit, world.delete, world.expire)
    with SimulatorServer(world) as site:
        for day in range(30 if proof else 10):
            for _ in range(rng.randint(0, 5)):
                rng.choice(deeds)()
            at = rng.randint(1, 12)
            site.fault = rng.choice(
                [None, faults.status_once(at, 503), faults.reset_once(at), faults.status_from(at, 401)]
            )
            go(store, site, {"max_leave": 1.0})
            site.fault = None
            report = go(store, site, {"max_leave": 1.0}, full=not tracked)

            assert ("ok", []) == (
                report.verdict,
                differences(store, "premium", world) + out_of_sight(store, world),
            ), f"day {day}"


def test_a_quiet_run_is_ten_requests(store: Store) -> None:
    """A quiet run asks each thing once.

    Two to sign in, one each for people, sprints, columns of boards and templates, and one for the changes of
    each of four tables.
    """
    with SimulatorServer(PremiumWorld(4, scale=5)) as site:
        whole = go(store, site)
        quiet = go(store, site)

    assert ("ok", "ok", 10) == (whole.verdict, quiet.verdict, quiet.requests)
    assert (0, 0) == (quiet.changes.inserted, quiet.changes.updated)


def test_days_that_are_no_longer_planned_leave(store: Store) -> None:
    """An assignment that moved by a week has its new days only, and the days of a deleted one are gone."""
    world = PremiumWorld(5)
    with SimulatorServer(world) as site:
        go(store, site)
        moved, lost = (item.native for item in [item for item in world.seen() if item.hours][:2])
        world.edit(str(moved))
        world.delete(str(lost))
        go(store, site)

    assert [] == differences(store, "premium", world) + out_of_sight(store, world)
    days = f"SELECT DISTINCT presence FROM allocation WHERE id LIKE 'premium:a{guid('assignment', lost)}/%'"
    assert [("deleted",)] == rows(store, days)


def test_an_expired_link_is_followed_by_a_whole_reading(store: Store) -> None:
    """What was deleted meanwhile is absent from it, which proves it.

    The account reads the whole organisation.
    """
    world = PremiumWorld(6)
    with SimulatorServer(world) as site:
        go(store, site)
        lost = world.delete()
        world.expire()
        report = go(store, site)

    assert "ok" == report.verdict
    ((evidence,),) = rows(
        store, f"SELECT presence_evidence FROM task WHERE id = 'premium:{guid('task', int(lost))}'"
    )
    assert "absent from the whole table msdyn_projecttask (without templates)" in evidence


def test_a_link_to_another_host_is_not_followed(store: Store) -> None:
    """The token would go with the question."""
    world = PremiumWorld(6)
    with SimulatorServer(world) as site, SimulatorServer(world) as elsewhere:

        def sends_away(_: int, __: Request, honest: Callable[[], Response]) -> Response:
            answer = honest()
            if isinstance(answer.body, dict) and "value" in answer.body:
                answer.body["@odata.nextLink"] = f"{elsewhere.url}/next"
            return answer

        site.fault = sends_away
        report = go(store, site)

    assert ("failed", []) == (report.verdict, elsewhere.asked)
    assert "The service sends us to another host" in str(report.error)


def test_without_the_right_to_see_all_nothing_is_taken_for_deleted(store: Store) -> None:
    """What is absent may only be out of sight; what Dataverse reports as deleted still is."""
    world = PremiumWorld(7)
    world.depth = "Local"
    with SimulatorServer(world) as site:
        go(store, site)
        first = world.delete()
        world.expire()
        report = go(store, site)
        second = world.delete()
        go(store, site)

    assert any("does not read the whole organisation" in note for note in report.notes)
    gone = dict(rows(store, "SELECT id, presence_evidence FROM task WHERE presence = 'deleted'"))
    assert {f"premium:{guid('task', int(second))}": "Dataverse reports it as deleted"} == gone
    assert f"premium:{guid('task', int(first))}" not in gone


def test_templates_are_no_work(store: Store) -> None:
    world = PremiumWorld(8)
    with SimulatorServer(world) as site:
        go(store, site)

    assert [] == rows(store, "SELECT title FROM task WHERE title = 'of a template'")
    assert len(world.containers) == rows(store, "SELECT count(*) FROM container")[0][0]


def test_a_renamed_column_of_the_board_reads_the_tasks_again(store: Store) -> None:
    """The name of a task's column stands in another table, which leaves no trace on the task."""
    world = PremiumWorld(9)
    with SimulatorServer(world) as site:
        go(store, site)
        honest = world.short
        world.short = lambda name: [
            row | ({"msdyn_name": row["msdyn_name"].upper()} if "msdyn_projectbucketid" in row else {})
            for row in honest(name)
        ]  # type: ignore[method-assign]
        go(store, site)

    assert {("EN COURS",), ("TERMINÉ",)} == set(rows(store, "SELECT DISTINCT status_raw FROM task"))


def test_columns_are_asked_for_only_where_there_are_some(store: Store) -> None:
    """Solutions differ: what is lacking is said.

    What is wanted is told by `check`, what is needed ends the run.
    """
    world = PremiumWorld(10)
    world.without = {"msdyn_priority", "msdyn_actualend"}
    with SimulatorServer(world) as site:
        context = Context(base=Path(), source_id="premium", session=lambda: faults.hurried(context))
        said = {one.name: one for one in source(site).check(context)}
        report = go(store, site)
        world.without = {"msdyn_progress"}
        with SimulatorServer(world) as other:
            failed = sync_once(store, source(other, name="other"), session=faults.hurried)

    assert ("warning", True) == (
        said["columns"].state,
        "msdyn_priority, msdyn_actualstart" in said["columns"].detail
        or "msdyn_priority" in said["columns"].detail,
    )
    assert {"account", "change tracking", "rights", "columns", "tasks"} == said.keys()
    assert ("ok", [(None,)]) == (
        report.verdict,
        rows(store, "SELECT DISTINCT priority_raw FROM task WHERE source_id = 'premium'"),
    )
    assert ("failed", True) == (failed.verdict, f"{TASKS.name} has no msdyn_progress" in str(failed.error))


@pytest.mark.parametrize(
    ("label", "kind"),
    [
        ("Finish-to-Start", "FS"),
        ("Start to start", "SS"),
        ("Fin à début", "FS"),
        ("Début à Fin", "SF"),
        ("Anything", "Anything"),
    ],
)
def test_the_type_of_a_link_is_what_its_choice_is_called(label: str, kind: str) -> None:
    assert kind == link_type(label)


def altered(world: PremiumWorld, name: str, **change: Any) -> None:
    """Let the world show its first row of a kind otherwise."""
    honest = getattr(world, name)
    seen: list[Any] = []

    def show(item: Any) -> dict[str, Any]:
        row: dict[str, Any] = honest(item)
        if not seen and (name != "dependency" or world.before(item)):
            seen.append(item.native)
        return row | change if [item.native] == seen else row

    setattr(world, name, show)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "change", "table"),
    [
        ("task", {"_msdyn_project_value": None}, "task"),
        ("dependency", {"_msdyn_predecessortask_value": None}, "task_link"),
        ("assignment", {"msdyn_plannedwork": "never"}, "allocation"),
    ],
)
def test_one_odd_row_costs_one_row(store: Store, name: str, change: dict[str, Any], table: str) -> None:
    world = PremiumWorld(11)
    with SimulatorServer(world) as site:
        go(store, site)
        whole = rows(store, f"SELECT count(*) FROM {table}")[0][0]
        altered(world, name, **change)
        with SimulatorServer(world) as other:
            report = sync_once(store, source(other, name="other"), session=faults.hurried)

    assert ("partial", 1) == (report.verdict, report.rejected)
    found = rows(store, f"SELECT count(*) FROM {table} WHERE source_id = 'other'")[0][0]
    assert whole - 2 <= found < whole


def test_planned_work_in_other_forms(store: Store) -> None:
    """Instants of ISO 8601 are days; a span without hours is none, and the effort stands over the whole."""
    world = PremiumWorld(12)
    spans = (
        '[{"Start":"2024-05-06T08:00:00Z","End":"2024-05-06T22:00:00Z","Hours":7},'
        '{"Start":"2024-05-07T08:00:00","End":"2024-05-07T16:00:00"}]'
    )
    altered(world, "assignment", msdyn_plannedwork=spans)
    with SimulatorServer(world) as site:
        report = go(store, site)
    without = PremiumWorld(12)
    altered(
        without, "assignment", msdyn_plannedwork=None, msdyn_effort=5.0, msdyn_start="2024-05-06T08:00:00Z",
        msdyn_finish="2024-05-08T16:00:00Z",
    )  # fmt: skip
    with SimulatorServer(without) as other:
        sync_once(store, source(other, name="other"), session=faults.hurried)
    may = (
        "SELECT start_on, finish_on, seconds FROM allocation WHERE start_on >= '2024-05-06' AND source_id = ?"
    )

    assert "ok" == report.verdict
    assert [("2024-05-06", "2024-05-06", 25200)] == [
        tuple(row) for row in store.connection.execute(may, ["premium"])
    ]
    assert [("2024-05-06", "2024-05-08", 18000)] == [
        tuple(row) for row in store.connection.execute(may, ["other"])
    ]


def test_work_without_a_resource_is_demand_of_nobody(store: Store) -> None:
    world = PremiumWorld(13)
    altered(world, "assignment", _msdyn_bookableresourceid_value=None)
    with SimulatorServer(world) as site:
        report = go(store, site)

    assert "ok" == report.verdict
    assert rows(store, "SELECT count(*) FROM allocation WHERE account_id IS NULL")[0][0] > 0
    assert [(1,)] == rows(store, "SELECT count(*) FROM assignment WHERE account_id IS NULL")


def test_tables_and_choices_that_are_hidden(store: Store) -> None:
    """Sprints, resources and the names of link types may be hidden: the rest is read, and it is said."""
    world = PremiumWorld(14)
    honest = world.answer

    def answer(request: Request) -> Response:
        if "PicklistAttributeMetadata" in request.path:
            return Response(status=404, body={"error": {"code": "0x80060888", "message": "none"}})
        found = honest(request)
        if request.path.endswith("EntityDefinitions"):
            found.body["value"] = [
                one
                for one in found.body["value"]
                if one["LogicalName"] not in {"msdyn_projectsprint", "bookableresource"}
            ]
        return found

    world.answer = answer  # type: ignore[method-assign]
    with SimulatorServer(world) as site:
        report = go(store, site)

    assert "ok" == report.verdict
    assert ["msdyn_projectsprint", "bookableresource"] == [
        note.split()[0] for note in report.notes if "has no such table" in note
    ]
    assert {("FS",), ("SS",)} == set(rows(store, "SELECT DISTINCT type FROM task_link"))


@pytest.mark.parametrize(
    "name", ["msdyn_resourceassignment", "msdyn_projecttaskdependency", "bookableresource"]
)
def test_a_table_that_was_read_and_is_hidden_is_missing(name: str, store: Store) -> None:
    """What it held stays, and is not green: nobody reads it any more."""
    world = PremiumWorld(14)

    def hides(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        found = honest()
        if request.path.endswith("EntityDefinitions"):
            assert isinstance(found.body, dict)
            found.body["value"] = [one for one in found.body["value"] if one["LogicalName"] != name]
        return found

    with SimulatorServer(world) as site:
        go(store, site)
        held = {
            table: rows(store, f"SELECT id, presence FROM {table}") for table in ("allocation", "account")
        }
        site.fault = hides
        reports = [go(store, site, full=True), go(store, site)]

    assert ["partial", "partial"] == [report.verdict for report in reports]
    assert [[name], [name]] == [[one.split(":")[0] for one in report.rejections] for report in reports]
    assert held == {table: rows(store, f"SELECT id, presence FROM {table}") for table in held}


def test_calendars_that_may_not_be_read_any_more_are_missing(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an account that never could a note says so."""

    def refuses(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        return Response(status=403, body={}) if "ExpandCalendar" in request.path else honest()

    with SimulatorServer(PremiumWorld(14)) as site:
        site.fault = refuses
        never = go(store, site)
        site.fault = None
        go(store, site)
        site.fault = refuses
        a_day_later = clock.now() + timedelta(hours=25)
        monkeypatch.setattr(clock, "now", lambda: a_day_later)
        reports = [never, go(store, site), go(store, site)]
        without = go(store, site, {"calendars": False})

    assert "ok" == without.verdict, without.rejections
    said = "calendars of people were not looked at"
    assert ["ok", "partial", "partial"] == [report.verdict for report in reports]
    assert any(said in one for one in never.notes)
    assert all(any("calendars of people: " in one for one in report.rejections) for report in reports[1:])


def test_roll_ups_are_known_from_the_hierarchy(store: Store) -> None:
    """Where no column says so, a task with others below is a roll-up, also once it becomes one."""
    world = PremiumWorld(15)
    world.without = {"msdyn_summary"}
    first, second = (item.native for item in world.seen()[:2])
    with SimulatorServer(world) as site:
        go(store, site)
        before = rows(store, "SELECT count(*) FROM task WHERE kind = 'summary'")
        honest = world.task
        world.task = lambda item: (
            honest(item)
            | (  # type: ignore[method-assign]
                {"_msdyn_parenttask_value": guid("task", first)} if item.native == second else {}
            )
        )
        world.fresh = False
        go(store, site)

    assert [(0,)] == before
    assert [("summary", None)] == rows(
        store, f"SELECT kind, estimate_s FROM task WHERE id = 'premium:{guid('task', first)}'"
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("value", "kind"),
    [(192350000, "FS"), (192350001.0, "SS"), ("192350002", "FF"), (192350004, "SF"), ("Fin à début", "FS")],
)
def test_link_types_by_their_value(store: Store, value: Any, kind: str) -> None:
    world = PremiumWorld(16)
    altered(world, "dependency", msdyn_projecttaskdependencylinktype=value)
    with SimulatorServer(world) as site:
        report = go(store, site)

    assert "ok" == report.verdict
    assert kind in {row[0] for row in rows(store, "SELECT DISTINCT type FROM task_link")}


def test_rows_that_were_deactivated(store: Store) -> None:
    """A task is cancelled; a link and an assignment are gone, with their days."""
    world = PremiumWorld(17)
    with SimulatorServer(world) as site:
        go(store, site)
        for name in ("task", "dependency", "assignment"):
            altered(world, name, statecode=1)
        world.fresh = False
        report = go(store, site)

    assert "ok" == report.verdict
    assert [(1,)] == rows(store, "SELECT count(*) FROM task WHERE status_native = 'cancelled'")
    for table in ("task_link", "assignment"):
        assert [(1,)] == rows(store, f"SELECT count(*) FROM {table} WHERE presence = 'deleted'"), table
    assert rows(store, "SELECT count(*) FROM allocation WHERE presence = 'deleted'")[0][0] > 0


def test_years_that_mean_none(store: Store) -> None:
    world = PremiumWorld(18)
    altered(world, "task", msdyn_start="0001-01-01T00:00:00+02:00", msdyn_finish="9999-12-31T23:59:59Z")
    with SimulatorServer(world) as site:
        report = go(store, site)

    assert "ok" == report.verdict
    assert [(1,)] == rows(
        store, "SELECT count(*) FROM task WHERE planned_start_on IS NULL AND planned_finish_on IS NULL"
    )
