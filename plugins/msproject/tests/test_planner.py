"""Planner against a simulator of Microsoft Graph: certified, exact after random days.

And each thing its API does not say.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_msproject.services.planner import PlannerSource
from hub_msproject.testing.certification import PlannerCertification
from hub_msproject.testing.planner import PlannerWorld, person

from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import HubResult, hub_folder, run_hub, store, sync_once
from hub.testing.kit import (
    Request,
    Response,
    SimulatorServer,
    certify,
    differences,
    faults,
    microsoft,
    out_of_sight,
)

SAMPLE = (
    "reads-everything",
    "secrets-stay-secret",
    "requests-within-plan",
    "deleted-while-paging",
    "renamed-field",
    "redirect-to-another-host",
    "deletions-are-found",
    "hidden-is-not-deleted",
    "mass-leave-is-held",
    "ids-survive-a-move",
)
__all__ = ["hub_folder", "run_hub", "store"]


def source(site: SimulatorServer, **settings: Any) -> PlannerSource:
    made = PlannerCertification().source(site.url)
    return PlannerSource(**{name: getattr(made, name) for name in made.__struct_fields__} | settings)


def go(
    store: Store, site: SimulatorServer, settings: dict[str, Any] | None = None, **options: Any
) -> SourceReport:
    site.asked.clear()
    return sync_once(store, source(site, **settings or {}), session=faults.hurried, **options)


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.connection.execute(sql)]


@pytest.mark.long
def test_it_passes_what_its_api_allows(proof: bool, said_level: Callable[[str], str]) -> None:
    """Bronze: no increments can be proven, everything else that is claimed is."""
    for seed in range(2026, 2031 if proof else 2027):
        report = certify(PlannerCertification(), seed=seed, only=() if proof else SAMPLE)

        assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
        assert said_level("Planner") == report.level or not proof


@pytest.mark.long
def test_after_random_days_the_store_is_the_tenant(store: Store, proof: bool) -> None:
    world = PlannerWorld(3)
    rng = random.Random(3)
    deeds = (world.add, world.edit, world.edit, world.delete, lambda: world.move(rng.choice(world.rows())))
    with SimulatorServer(world) as site:
        for _ in range(30 if proof else 10):
            for _ in range(rng.randint(0, 4)):
                rng.choice(deeds)()
            at = rng.randint(1, 20)
            site.fault = rng.choice(
                [None, faults.status_once(at, 503), faults.reset_once(at), faults.status_from(at, 401)]
            )
            go(store, site, {"max_leave": 1.0})
            site.fault = None

            assert "ok" == go(store, site, {"max_leave": 1.0}, census=True).verdict
            assert [] == differences(store, "planner", world) + out_of_sight(store, world)


@pytest.mark.parametrize(("of", "change", "said"), [
    ("tasks", {"completedDateTime": "/Date(1711702800000)/"}, "a date"),
    ("tasks", {"dueDateTime": "30/06/2024"}, "a date"),
    ("tasks", {"createdDateTime": ""}, "a date"),
    ("tasks", {"id": " "}, "id"),
    ("tasks", {"planId": "plan9"}, "of the plan plan9"),
    ("tasks", {"bucketId": "nowhere"}, "in a column that the plan does not show"),
    ("tasks", "twice", "comes twice"),
    ("plans", "twice", "comes twice"),
    ("plans", {"id": ""}, "another shape"),
    ("buckets", {"id": None}, "another shape"),
])  # fmt: skip
def test_what_graph_says_otherwise_is_told(of: str, change: Any, said: str, store: Store) -> None:
    """A date of another form, a row without a name, of another plan, or twice is never green."""

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        if request.path.endswith(f"/{of}") and answer.body["value"]:
            first, *rest = answer.body["value"]
            odd = [first, first | {"title": "other"}] if change == "twice" else [first | change]
            answer.body["value"] = [*odd, *rest]
        return answer

    with SimulatorServer(PlannerWorld(3), fault) as site:
        report = go(store, site)

    assert report.verdict in {"partial", "failed"}
    told = [str(report.error), *report.missing, *report.rejections]
    assert any(said in one for one in told), told


def test_a_plan_that_is_gone_is_gone_and_one_that_is_closed_is_hidden(store: Store) -> None:
    """Graph tells the two apart: 404 and 403."""
    world = PlannerWorld(4)
    with SimulatorServer(world) as site:
        go(store, site)
        world.hidden.add("2")
        world.removed.add("3")
        report = sync_once(store, source(site, max_leave=1.0), session=faults.hurried, census=True)

    assert "ok" == report.verdict
    assert [
        ("planner:pplan1", "present"),
        ("planner:pplan2", "hidden"),
        ("planner:pplan3", "deleted"),
    ] == rows(store, "SELECT id, presence FROM container ORDER BY id")


def test_a_ghost_leaves_by_proof(store: Store) -> None:
    """A plan that is listed and answers 404 is gone, and stops no other; one never seen is none."""
    world = PlannerWorld(4)
    with SimulatorServer(world) as site:
        world.ghosts = {"1"}
        world.removed = {"1"}
        first = go(store, site, {"max_leave": 1.0})
        world.ghosts.add("3")
        world.removed.add("3")
        second = go(store, site, {"max_leave": 1.0})

    assert ("ok", "ok") == (first.verdict, second.verdict)
    assert [("planner:pplan2", "present"), ("planner:pplan3", "deleted")] == rows(
        store, "SELECT id, presence FROM container ORDER BY id"
    )
    assert any("answers 404" in note for note in second.notes)


@pytest.mark.parametrize(("settings", "plans"), [({"groups": ("g1", "g3")}, 2), ({"plans": ("plan2",)}, 1)])
def test_it_can_be_narrowed(store: Store, settings: dict[str, Any], plans: int) -> None:
    with SimulatorServer(PlannerWorld(5)) as site:
        report = go(store, site, settings)

    assert ("ok", [(plans,)]) == (report.verdict, rows(store, "SELECT count(*) FROM container"))


@pytest.mark.parametrize("settings", [{"groups": ("g1", "nobody")}, {"plans": ("plan1", "plan9")}])
def test_what_is_asked_for_and_not_there_is_missing(store: Store, settings: dict[str, Any]) -> None:
    """A wrong id is said, and the run is not green."""
    world = PlannerWorld(5)
    honest = world.answer

    def answer(request: Any) -> Response:
        return Response(status=404) if "nobody" in request.path else honest(request)

    world.answer = answer  # type: ignore[method-assign]
    with SimulatorServer(world) as site:
        report = go(store, site, settings)

    assert "partial" == report.verdict
    assert any("nobody" in one or "plan9" in one for one in report.missing)


def test_people_without_names_cost_a_note(store: Store) -> None:
    """Who may not be named is still one person, and not said to have left."""
    with SimulatorServer(
        PlannerWorld(6),
        lambda _, request, honest: (
            faults.status_from(1, 403)(1, request, honest) if "getByIds" in request.path else honest()
        ),
    ) as site:
        report = go(store, site)

    assert ("ok", 1) == (report.verdict, len(report.notes))
    assert [(None, None)] == rows(store, "SELECT DISTINCT display_name, active FROM account")


def test_check_says_what_it_saw() -> None:
    with SimulatorServer(PlannerWorld(7)) as site:
        context = Context(base=Path(), source_id="planner", session=lambda: faults.hurried(context))
        said = {one.name: (one.state, one.detail) for one in source(site).check(context)}

    assert {"account", "plans", "tasks", "people"} == said.keys()
    assert "ok" == said["plans"][0]
    assert said["plans"][1].startswith(
        "3 plans can be read; premium plans are not among them, nor plans of a"
    )


def test_a_person_signs_in_by_the_command(run_hub: Callable[..., HubResult], hub_folder: Any) -> None:
    """`hub signin` once, then the source reads as that person; before it says what to do."""
    with SimulatorServer(PlannerWorld(8)) as site:
        (hub_folder / "config" / "hub.toml").write_text(
            f'[sources.planner]\nkind = "planner"\nurl = "{site.url}"\ngroups = ["g1", "g2", "g3"]\n'
            f'account = {{ tenant = "{microsoft.TENANT}", client_id = "{microsoft.CLIENT}", '
            f'authority = "{site.url}" }}\n'
        )
        before = run_hub("sync")
        signed = run_hub("signin", "planner")
        after = run_hub("sync")
        wrong = run_hub("signin", "plans")

    assert (1, True) == (before.exit_code, "Run `hub signin planner` once" in before.output + before.error)
    assert (0, True) == (signed.exit_code, "enter the code ABCD-EFGH" in signed.output)
    assert "pmo@example.org is signed in" in signed.output
    assert 0 == after.exit_code, after.output + after.error
    assert (2, True) == (wrong.exit_code, "those that do: planner" in wrong.error)


def test_who_made_a_task_and_when_it_was_done(store: Store) -> None:
    """The maker is its reporter and has a name; when it was done is kept; an application is nobody."""
    world = PlannerWorld(31)
    honest = world.shown

    def shown(item: Any) -> dict[str, Any]:
        user = {"user": {"id": person(7), "displayName": None}, "application": None}
        return honest(item) | {"createdBy": user if item.native % 2 else {"application": {"id": "x"}}}

    world.shown = shown  # type: ignore[method-assign]
    with SimulatorServer(world) as site:
        report = go(store, site)
    found = dict(rows(store, "SELECT reporter_id, count(*) FROM task GROUP BY reporter_id"))

    assert "ok" == report.verdict
    assert {None, f"planner:u{person(7)}"} == found.keys()
    assert [("Élodie 7",)] == rows(
        store, f"SELECT display_name FROM account WHERE id = 'planner:u{person(7)}'"
    )
    assert {("2024-04-01T23:30:00Z",)} == set(
        rows(store, "SELECT resolved_at FROM task WHERE status_native = 'done'")
    )
