"""Planner premium against a simulator of Dataverse: certified, exact after random days.

With and without change tracking, and what is not proven.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_msproject.services.premium import TASKS, PremiumSource, _link_type
from hub_msproject.testing.certification import PremiumCertification
from hub_msproject.testing.premium import PremiumWorld, guid

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


def test_it_is_gold(proof: bool) -> None:
    for seed in range(2026, 2031 if proof else 2027):
        report = certify(PremiumCertification(), seed=seed, only=() if proof else SAMPLE)

        assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
        if proof:
            assert "gold" == report.level


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
    world.lacking = {"msdyn_priority", "msdyn_actualend"}
    with SimulatorServer(world) as site:
        context = Context(base=Path(), source_id="premium", session=lambda: faults.hurried(context))
        said = {one.name: one for one in source(site).check(context)}
        report = go(store, site)
        world.lacking = {"msdyn_progress"}
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
    assert kind == _link_type(label)
