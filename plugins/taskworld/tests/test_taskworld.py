"""Taskworld against its simulator: exact after days of changes, every refusal a sentence.

Loud where the API leaves one in the dark.
"""

from __future__ import annotations

import io
import json
import logging
import random
import threading
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hub_taskworld import api
from hub_taskworld.source import TaskworldSource
from hub_taskworld.testing.certification import TaskworldCertification
from hub_taskworld.testing.simulator import (
    EMAIL,
    SPACE,
    TaskworldSimulator,
    TaskworldWorld,
    hex_id,
    refused,
)

from hub import Account, ConfigError, Container, Task, Worklog
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once
from hub.testing.kit import (
    Request,
    Response,
    SimulatorServer,
    certify,
    credential,
    differences,
    faults,
    out_of_sight,
)

__all__ = ["store"]


def source(site: SimulatorServer, **settings: Any) -> TaskworldSource:
    return TaskworldSource(
        **{
            "name": "taskworld",
            "url": f"{site.url}/api/public/v1",
            "email": EMAIL,
            "password": credential(),
            "tz": "Europe/Paris",
        }
        | settings
    )


def go(store: Store, site: SimulatorServer, **options: Any) -> SourceReport:
    site.asked.clear()
    settings = options.pop("settings", {})
    return sync_once(store, source(site, **settings), session=faults.hurried, **options)


def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.connection.execute(sql)]


SAMPLE = (
    "reads-everything",
    "secrets-stay-secret",
    "second-run-changes-nothing",
    "overlapping-pages",
    "status-401",
    "renamed-field",
    "deletions-are-found",
    "hidden-is-not-deleted",
    "mass-leave-is-held",
    "ids-survive-a-move",
)


@pytest.mark.long
def test_as_far_as_the_api_allows(proof: bool, said_level: Callable[[str], str]) -> None:
    """Every law that does not need a filter on changes or a count holds, on five seeds in the proof."""
    for seed in range(2026, 2031 if proof else 2027):
        report = certify(TaskworldCertification(), seed=seed, only=() if proof else SAMPLE)

        assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
        assert said_level("Taskworld") == report.level or not proof
        assert {
            "deletions-are-found",
            "hidden-is-not-deleted",
            "mass-leave-is-held",
            "ids-survive-a-move",
            *(["memory-stays-flat"] if proof else []),
        } <= {one.code for one in report.results if one.state == "passed"}


def test_after_random_days_the_store_is_the_workspace(store: Store, proof: bool) -> None:
    """Ids, titles, lists and projects are those of the workspace, day after day.

    Adds, edits, moves and deletes.
    """
    world = TaskworldWorld(3)
    rng = random.Random(3)
    with SimulatorServer(world) as site:
        for day in range(30 if proof else 6):
            for _ in range(rng.randint(0, 4)):
                rng.choice(
                    (world.add, world.edit, world.delete, lambda: world.move(rng.choice(world.rows())))
                )()
            report = go(store, site)
            assert ("ok", []) == (report.verdict, report.missing), day
            assert [] == differences(store, "taskworld", world) + out_of_sight(store, world), day


def test_requests_are_as_planned_and_a_second_run_writes_nothing(store: Store) -> None:
    """A reading asks each thing once, and nothing more for the census.

    One sign-in, one list of projects, one call for the lists of each and one a list.
    """
    world = TaskworldWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        asked = Counter(request.path.rpartition("/")[2] for request in site.asked)
        again = go(store, site)

    lists = sum(len(world.columns(board["project_id"]) or {}) for board in world.boards())
    assert {"auth": 1, "project.get-all": 1, "tasklist.get-all": 3, "tasklist.get-tasks": lists} == asked
    assert all(request.method == "POST" for request in site.asked)
    assert (0, 0) == (again.changes.inserted, again.changes.updated)


def test_several_people_on_a_task(store: Store) -> None:
    """The first by id is the assignee, all of them stand beside it.

    Users have no names in what is documented.
    """
    with SimulatorServer(TaskworldWorld(1)) as site:
        go(store, site)
    several = rows(
        store,
        "SELECT count(*), min(text LIKE 'taskworld:u%, taskworld:u%') FROM custom_value "
        "WHERE field = 'assignees'",
    )
    one = rows(
        store,
        "SELECT count(*) FROM task t JOIN custom_value v ON v.row_id = t.id "
        "WHERE v.text NOT LIKE t.assignee_id || ', %'",
    )

    assert several[0][0] > 5
    assert 1 == several[0][1]
    assert [(0,)] == one


def test_a_date_is_the_day_that_was_picked(store: Store) -> None:
    """Midnight in Paris is 22:00 in Greenwich in summer: the day is that of the declared zone.

    An empty date is none.
    """
    with SimulatorServer(TaskworldWorld(1)) as site:
        go(store, site)

    assert {("2024-07-01",), (None,)} == set(rows(store, "SELECT DISTINCT due_on FROM task"))


class Capped(TaskworldWorld):
    """A workspace that shows fewer rows than it has, as an unknown cap would."""

    cap = 5


class Strange(TaskworldWorld):
    """A workspace whose tasks have a key nobody has seen."""

    def shown(self, task: Any) -> dict[str, Any]:
        return super().shown(task) | {"budget_hours": 12}


class Binned(TaskworldWorld):
    """A workspace that still shows tasks which are in the bin."""

    def shown(self, task: Any) -> dict[str, Any]:
        return super().shown(task) | {"is_deleted": task.native % 5 == 0}


def test_a_list_that_is_cut_is_never_complete(store: Store) -> None:
    """The ids that the list names did not all come: partial, and nothing is taken as deleted."""
    with SimulatorServer(Capped(1)) as site:
        report = go(store, site)

    assert "partial" == report.verdict
    assert any("did not come" in text for text in report.missing), report.missing
    assert [(0,)] == rows(store, "SELECT count(*) FROM task WHERE presence <> 'present'")


def test_a_full_page_of_projects_is_never_the_end(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many rows as were asked for, and no way to ask for more: failed, with the reason."""
    monkeypatch.setattr(api, "PAGE", 3)
    monkeypatch.setattr(api.Workspace.rows, "__kwdefaults__", {"full": 3})
    with SimulatorServer(TaskworldWorld(1)) as site:
        report = go(store, site)

    assert "failed" == report.verdict
    assert "a full page" in (report.error or "")


def test_a_key_nobody_has_seen_is_told_once(store: Store) -> None:
    """It may hold what should be read: a note names it."""
    with SimulatorServer(Strange(1)) as site:
        report = go(store, site)

    assert ["budget_hours" in note for note in report.notes] == [True]


def test_what_is_in_the_bin_is_trashed(store: Store) -> None:
    """A task that says is_deleted leaves with that as its proof, at the first reading and later."""
    world = Binned(1)
    with SimulatorServer(world) as site:
        go(store, site)
    binned = {f"taskworld:{hex_id(item.native)}" for item in world.seen() if item.native % 5 == 0}

    assert binned
    assert binned.isdisjoint(id_ for (id_,) in rows(store, "SELECT id FROM task WHERE presence = 'present'"))


def test_an_empty_workspace_that_was_full_deletes_nothing(store: Store) -> None:
    """All projects gone at once is a fault until a person says otherwise."""
    world = TaskworldWorld(1)
    with SimulatorServer(world) as site:
        go(store, site)
        world.hidden = set(world.containers)
        report = go(store, site)

    assert "failed" == report.verdict
    assert "no project any more" in (report.error or "")
    assert [(0,)] == rows(store, "SELECT count(*) FROM task WHERE presence <> 'present'")


@pytest.mark.parametrize(
    ("settings", "answer", "words"),
    [
        ({"email": "other@example.org"}, None, "Check email and password"),
        ({"space": "5f00000000000000000000ff"}, None, "No such workspace"),
        ({}, Response(body={"hello": "world"}), "did not answer as Taskworld does"),
        (
            {},
            Response(body={"ok": True, "access_token": "x", "default_space_id": SPACE}),
            "Check email and password",
        ),
        ({}, Response(body=b"<html>Sign in</html>"), "answered HTML instead of JSON"),
    ],
)
def test_refusals_are_sentences(
    store: Store, settings: dict[str, Any], answer: Response | None, words: str
) -> None:
    """Each refusal says what to do, and never the secret.

    A wrong password, another workspace, another service, a sign-in page.
    """

    def fault(_: int, request: Request, honest: Any) -> Any:
        return answer if answer is not None and request.path.endswith("/auth") else honest()

    with SimulatorServer(TaskworldWorld(1), fault) as site:
        report = go(store, site, settings=settings)

    assert "failed" == report.verdict
    assert words in (report.error or ""), report.error
    assert credential().reveal() not in str(report.missing)


class Expiring(TaskworldWorld):
    """A workspace whose first token ends after *lasts* questions; another one is given, or *renews* not."""

    def __init__(self, lasts: int, *, renews: bool = True) -> None:
        """Give no token yet."""
        super().__init__(1)
        self.lasts, self.renews = lasts, renews
        self.given: list[str] = []
        self.lock = threading.Lock()

    def answer(self, request: Request) -> Response:
        """Answer who shows the last token that was given, while it lasts."""
        asked = json.loads(request.body)
        with self.lock:
            if request.path.endswith("/auth"):
                if self.given and not self.renews:
                    self.given.append("none")
                    return refused("invalid_auth", "The account is locked.")
                self.given.append(f"token-{len(self.given)}-of-the-kit")
                return Response(body={"ok": True, "access_token": self.given[-1], "default_space_id": SPACE})
            self.lasts -= 1
            if asked["access_token"] != self.given[-1] or (self.lasts < 0 and len(self.given) == 1):
                return refused("token_expired", "The token is expired.")
        known = json.dumps(asked | {"access_token": credential().reveal()}).encode()
        return super().answer(msgspec.structs.replace(request, body=known))


@pytest.mark.parametrize("lasts", [1, 4, 9])
def test_a_token_that_ends_within_the_run_is_renewed_once(store: Store, lasts: int) -> None:
    """For all threads: what was refused is asked again, and no token is in what is logged or told."""
    world, log = Expiring(lasts), io.StringIO()
    handler = logging.StreamHandler(log)
    root = logging.getLogger("hub")
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    try:
        with SimulatorServer(world) as site:
            report = go(store, site)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)

    assert ("ok", 2) == (report.verdict, len(world.given)), report.error
    assert [] == differences(store, "taskworld", world)
    assert not any(one in f"{log.getvalue()}{report}" for one in (*world.given, credential().reveal()))


def test_a_renewal_that_is_refused_is_a_sentence(store: Store) -> None:
    """It is tried once, whoever asks next: a password that is sent again and again locks an account."""
    world = Expiring(4, renews=False)
    with SimulatorServer(world) as site:
        report = go(store, site)

    said = f"{report.missing} {report.error}"
    assert report.verdict in {"partial", "failed"}
    assert "The account is locked." in said
    assert "Check email and password" in said
    assert 2 == len(world.given)
    assert not any(one in said for one in (world.given[0], credential().reveal()))


@pytest.mark.parametrize("settings", [{}, {"email": "a@example.org"}, {"token": credential()}])
def test_settings_that_cannot_sign_in(settings: dict[str, Any]) -> None:
    """The sentence says what is missing before anything is asked."""
    with pytest.raises(ConfigError, match="token"):
        TaskworldSource(name="taskworld", **settings)


def test_check_says_what_it_saw(store: Store) -> None:
    """The probe settles what the documentation leaves open.

    Lists, tasks, the numbers of the statuses, unknown keys.
    """
    from pathlib import Path

    from hub.source import Context

    with SimulatorServer(Strange(1)) as site:
        ctx = Context(base=Path(), source_id="taskworld", session=lambda: faults.hurried(ctx))
        checks = {
            one.name: (one.state, one.detail)
            for one in source(site, projects=("Project 1", "Nowhere")).check(ctx)
        }
        ctx.close()

    assert ("ok", "signed in") == checks["account"]
    assert "failed" == checks["Nowhere"][0]
    assert " lists, " in checks["Project 1"][1]
    assert checks["Project 1"][1].endswith("statuses 0, 2")
    assert "budget_hours" in checks["keys"][1]


def test_shown_records_come_back(store: Store) -> None:
    """A workspace filled with records shows them through the connector; what it cannot show is refused."""
    shown = TaskworldSimulator()
    shown.show(
        [
            Container(id="4", kind="board", code="P004", name="P004"),
            Account(id="7", display_name="x"),
            Task(
                id="41",
                container_id="4",
                title="Card",
                status_raw="À valider",
                assignee_id="7",
                created_at="2026-03-01T05:00:00Z",
            ),
            Task(
                id="42",
                container_id="4",
                title="Done card",
                status_raw="Terminé",
                status_native="done",
                created_at="2026-03-01T05:00:00Z",
            ),
        ],
        datetime(2026, 3, 4, tzinfo=UTC),
    )
    with SimulatorServer(shown) as site:
        report = go(
            store, site, settings={"email": None, "password": None, "token": credential(), "space": SPACE}
        )

    assert ("ok", []) == (report.verdict, report.missing)
    assert [("Card", "À valider", None), ("Done card", "Terminé", "done")] == rows(
        store, "SELECT title, status_raw, status_native FROM task ORDER BY title"
    )
    assert [("P004", "P004")] == rows(store, "SELECT code, name FROM container")
    with pytest.raises(TypeError, match="does not hold worklog"):
        shown.show(
            [Worklog(id="1", container_id="4", day="2026-03-02", seconds=1)], datetime(2026, 3, 4, tzinfo=UTC)
        )


def altered(world: TaskworldWorld, **change: Any) -> None:
    """Let the world show every task otherwise."""
    honest = world.shown
    world.shown = lambda task: honest(task) | change  # type: ignore[method-assign]


def test_empty_texts_where_lists_and_numbers_are_meant(store: Store) -> None:
    """They are not set: nobody is on the task, and it has no points."""
    world = TaskworldWorld(21)
    altered(world, members="", points="", tags="", checklist="", completed_date=None)
    boards = world.boards
    world.boards = lambda: [one | {"members": ""} for one in boards()]  # type: ignore[method-assign]
    with SimulatorServer(world) as site:
        report = go(store, site)

    assert ("ok", 0) == (report.verdict, report.rejected)
    assert [(None, None)] == rows(store, "SELECT DISTINCT points, assignee_id FROM task")


def test_a_list_without_tasks_may_be_an_empty_text(store: Store) -> None:
    world = TaskworldWorld(22)

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        for column in answer.body.get("tasklists", []):
            column["tasks"] = ""
        if "tasklist" in answer.body:
            answer.body["tasklist"]["tasks"] = ""
        return answer

    with SimulatorServer(world, fault) as site:
        report = go(store, site)

    assert ("ok", [(0,)]) == (report.verdict, rows(store, "SELECT count(*) FROM task"))


def test_archived_projects_are_archived(store: Store) -> None:
    world = TaskworldWorld(23)
    boards = world.boards
    world.boards = lambda: [  # type: ignore[method-assign]
        one | {"is_archived": number == 0} for number, one in enumerate(boards())
    ]
    with SimulatorServer(world) as site:
        go(store, site)

    assert [(0, 2), (1, 1)] == rows(store, "SELECT archived, count(*) FROM container GROUP BY archived")


@pytest.mark.parametrize("tz", ["Europe/Paris", "America/New_York", "Asia/Bangkok", "UTC"])
@pytest.mark.parametrize(
    ("due", "day"),
    [
        ("2024-07-01", "2024-07-01"),
        ("2024-07-01T00:00:00.000Z", "2024-07-01"),
        ("2024-07-01T00:00:00+02:00", "2024-07-01"),
        ("2024-07-01T12:00:00Z", "2024-07-01"),
        ("", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T00:00:00Z", None),
    ],
)
def test_due_dates_are_civil_days(tz: str, due: str, day: str | None) -> None:
    """A day that somebody picked is that day, whatever the zone of the hub."""
    made = TaskworldSource(name="taskworld", email=EMAIL, password=credential(), tz=tz)

    assert day == made._picked(due)


def test_who_made_a_task_and_when_it_was_done(store: Store) -> None:
    world = TaskworldWorld(25)
    altered(world, completed_date="2024-04-01T23:30:00Z")
    with SimulatorServer(world) as site:
        go(store, site)

    assert [(f"taskworld:u{hex_id(9)}", "2024-04-01T23:30:00Z", "2024-04-02")] == rows(
        store, "SELECT DISTINCT reporter_id, resolved_at, actual_finish_on FROM task"
    )


def answering(path: str, change: Callable[[Any], Any]) -> faults.Fault:
    """Let what *change* makes of the JSON of *path* be answered."""

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        body = change(answer.body) if request.path.endswith(path) else answer.body
        return Response(
            status=answer.status, body=body if isinstance(body, bytes) else json.dumps(body).encode()
        )

    return fault


ODD = hex_id(108)


def odd(**change: Any) -> Callable[[Any], Any]:
    """Show one task otherwise; `...` leaves a key out."""

    def made(body: Any) -> Any:
        tasks = body["tasklist"]["tasks"]
        for place, one in enumerate(tasks):
            if one["task_id"] == ODD:
                tasks[place] = {key: value for key, value in (one | change).items() if value is not ...}
        return body

    return made


def first(where: str, **change: Any) -> Callable[[Any], Any]:
    """Show the first row of a list otherwise."""
    return lambda body: body | {where: [body[where][0] | change, *body[where][1:]]}


@pytest.mark.parametrize(
    ("path", "change", "lost"),
    [
        ("get-tasks", odd(task_id=...), {ODD}),
        ("get-tasks", odd(task_id=7), {ODD}),
        ("get-tasks", odd(task_id=""), {ODD}),
        ("get-tasks", odd(due_date="31/12/2026"), {ODD}),
        ("get-tasks", odd(completed_date="x"), {ODD}),
        ("get-tasks", odd(created="1735689600"), {ODD}),
        ("get-tasks", odd(status="2"), {ODD}),
        ("get-tasks", odd(members=[None]), {ODD}),
        ("get-tasks", odd(title=None), {ODD}),
        ("get-tasks", odd(points=float("nan")), {ODD}),
        ("project.get-all", first("projects", title=7), set()),
        ("project.get-all", first("projects", is_archived="no"), set()),
        ("project.get-all", lambda body: body | {"projects": [None, *body["projects"]]}, set()),
        ("project.get-all", lambda body: body | {"projects": body["projects"][:1] + body["projects"]}, set()),
        ("project.get-all", lambda body: body | {"error": "timeout after 30 s"}, None),
        ("project.get-all", lambda body: body | {"projects": []}, None),
        ("tasklist.get-all", lambda body: body | {"tasklists": [*body["tasklists"], {"title": "x"}]}, set()),
        ("get-tasks", lambda body: json.dumps(body).encode()[:-9], None),
        ("get-tasks", lambda _: b"<html><title>Sign in</title>", None),
        ("get-tasks", lambda _: b"", None),
    ],
)  # fmt: skip
def test_an_odd_answer_is_told_and_costs_itself(
    path: str, change: Callable[[Any], Any], lost: set[str] | None, store: Store
) -> None:
    """What cannot be taken makes the verdict partial; what can is there (None: nothing can)."""
    world = TaskworldWorld(1)
    with SimulatorServer(world, answering(path, change)) as site:
        report = go(store, site)

    assert report.verdict in {"partial", "failed"}
    assert report.missing or report.rejected
    assert not any("unexpected" in one for one in report.missing)
    ids = {id_.removeprefix("taskworld:") for (id_,) in rows(store, "SELECT id FROM task")}
    assert (world.truth()["task"].keys() - lost if lost is not None else set()) == ids


def test_half_a_letter_costs_itself(store: Store) -> None:
    """A title that was cut in the middle of an emoji is read, its last letter replaced."""
    with SimulatorServer(TaskworldWorld(1), answering("get-tasks", odd(title="Fête \ud83c"))) as site:
        report = go(store, site)

    assert "ok" == report.verdict
    assert [("Fête \ufffd",)] == rows(store, f"SELECT title FROM task WHERE id = 'taskworld:{ODD}'")


def test_a_status_that_is_not_documented_is_told(store: Store) -> None:
    with SimulatorServer(TaskworldWorld(1), answering("get-tasks", odd(status=7))) as site:
        report = go(store, site)

    assert any("status 7" in note for note in report.notes)
