"""Tempo: what was deleted, approved, attributed and planned, each with the value that a hand gives."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hub_jira.source import JiraSource
from hub_jira.testing import EMAIL, TempoWorld
from hub_jira.testing.certification import CAPS

from hub import clock
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once
from hub.testing.kit import Request, Response, SimulatorServer, credential, faults

__all__ = ["store"]


def go(store: Store, site: SimulatorServer, *fields: str, **options: Any) -> SourceReport:
    site.asked.clear()
    settings = {"tempo_token": credential(), "tempo_url": f"{site.url}/4", "max_leave": 1.0}
    made = JiraSource(
        name="jira",
        url=site.url,
        email=EMAIL,
        token=credential(),
        **{**settings, **options.pop("settings", {})},
    )
    chosen = {"jira": dict.fromkeys(fields, "text")}
    return sync_once(store, made, session=faults.hurried, fields=chosen, **options)


def at_the_end(world: TempoWorld, monkeypatch: pytest.MonkeyPatch, **later: float) -> None:
    """Let it be the last day of the hours, or later: the window moves with our clock."""
    newest = max(log.started for log in world.logs.values())
    moment = datetime.fromisoformat(newest) + timedelta(hours=1) + timedelta(**later)
    monkeypatch.setattr(clock, "now", moment.astimezone)


def held(store: Store, where: str = "TRUE") -> dict[str, str]:
    rows = store.rows(f"SELECT id, presence FROM worklog WHERE {where}")
    return {row["id"][5:]: row["presence"] for row in rows}


def ask(site: SimulatorServer, path: str) -> int:
    return sum(one.path.startswith(f"/4/{path}") for one in site.asked)


def test_deleted_hours_leave_a_day_later(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the window only, and once a day only; hours from before it stay, whatever Tempo shows."""
    world = TempoWorld(3, caps=CAPS)
    at_the_end(world, monkeypatch)
    settings = {"tempo_days": 40}
    old, *gone = sorted(world.logs)[:3]
    world.logs[old].started = "2023-12-05T10:00:00+01:00"
    with SimulatorServer(world) as site:
        first = go(store, site, settings=settings)
        for one in (*gone, old):
            del world.logs[one]
        calm = go(store, site, settings=settings)
        same = set(held(store).values())
        at_the_end(world, monkeypatch, hours=25)
        daily = go(store, site, settings=settings)
        quiet = go(store, site, settings=settings)
        again = ask(site, "worklogs")
    states = held(store)

    assert ["ok"] * 4 == [one.verdict for one in (first, calm, daily, quiet)], daily.missing
    assert {"present"} == same
    assert {f"t{one}" for one in gone} == {one for one, state in states.items() if state == "deleted"}
    assert "present" == states[f"t{old}"]
    assert 1 <= again <= 1 + len(world.logs) // 19


def test_hours_that_move_while_pages_are_read(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of the first page is deleted meanwhile: those behind move up, and none is lost or called gone."""
    world = TempoWorld(3, scale=3, caps=CAPS)
    at_the_end(world, monkeypatch)
    assert len(world.logs) > 60
    left: list[int] = []

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        if request.path == "/4/worklogs" and request.query.get("offset") == "19" and not left:
            left.extend(sorted(world.logs)[:3])
            for one in left:
                del world.logs[one]
        return honest()

    with SimulatorServer(world, fault) as site:
        first = go(store, site)
        came = set(held(store))
        at_the_end(world, monkeypatch, hours=25)
        left.clear()
        world.now += timedelta(hours=25)
        daily = go(store, site)
    present = {one for one, state in held(store).items() if state == "present"}

    assert ("ok", "ok") == (first.verdict, daily.verdict), (first.missing, daily.missing)
    assert {f"t{one}" for one in world.logs} <= came
    assert {f"t{one}" for one in world.logs} <= present


def test_approvals_are_of_the_author_and_the_day(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each period of a person has its state, without one nothing is said; a change comes a day later."""
    world = TempoWorld(3, caps=CAPS)
    at_the_end(world, monkeypatch)
    log = max(
        (one for one in world.logs.values() if world.author(one) in {0, 1}), key=lambda one: one.started
    )
    day, account = log.started[:10], f"acc-{world.author(log)}"
    world.approved = {1: [(account, day, day, "APPROVED")]}
    with SimulatorServer(world) as site:
        first = go(store, site)
        mine = {
            tuple(row)
            for row in store.connection.execute(
                f"SELECT approval FROM worklog WHERE day = '{day}' AND account_id = 'jira:u{account}'"
            )
        }
        others = {
            row[0]
            for row in store.connection.execute(
                f"SELECT approval FROM worklog WHERE NOT (day = '{day}' AND account_id = 'jira:u{account}')"
            )
        }
        quiet = go(store, site)
        asked = ask(site, "teams"), ask(site, "timesheet-approvals")
        world.approved = {1: [(account, day, day, "IN_REVIEW")]}
        at_the_end(world, monkeypatch, hours=25)
        go(store, site)
    now = store.rows(f"SELECT approval FROM worklog WHERE id = 'jira:t{log.native}'")[0]["approval"]

    assert ("ok", "ok") == (first.verdict, quiet.verdict), first.missing
    assert ({("approved",)}, {"unknown"}) == (mine, others)
    assert ((0, 0), 0) == (asked, quiet.changes.updated)
    assert "submitted" == now


def test_accounts_and_teams_that_somebody_chose(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A work attribute is a value of the hours, a team one of the person; emptied is empty."""
    world = TempoWorld(3, caps=CAPS)
    at_the_end(world, monkeypatch)
    log = max(world.logs.values(), key=lambda one: one.started)
    world.attributes = {log.native: {"_Account_": "RUN-2026", "_Phase_": "Build"}}
    world.teams[2] = ("Core", ["acc-1"])
    sql = (
        "SELECT row_id, field, text FROM custom_value "
        "WHERE presence = 'present' AND field IN ('_Account_', 'team')"
    )
    with SimulatorServer(world) as site:
        go(store, site)
        without = store.connection.execute(sql).fetchall()
        members = ask(site, "teams/")
        first = go(store, site, "_Account_", "team")
        chosen = {tuple(row) for row in store.connection.execute(sql)}
        world.attributes, world.teams[2] = {}, ("Core", [])
        world.teams[1] = ("Payments", ["acc-1"])
        at_the_end(world, monkeypatch, hours=25)
        go(store, site, "_Account_", "team")
        left = {tuple(row) for row in store.connection.execute(sql)}

    assert ("ok", [], 0) == (first.verdict, without, members), first.missing
    assert {
        (f"jira:t{log.native}", "_Account_", "RUN-2026"),
        ("jira:uacc-0", "team", "Payments"),
        ("jira:uacc-1", "team", "Core, Payments"),
    } == chosen
    assert {("jira:uacc-1", "team", "Payments")} == left
    assert [] == [one for one in first.notes if "fields.csv" in one]


def test_what_is_billed_of_hours(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A part, all, more than all, nothing; the rest of a part is a row of its own, as with the mapping."""
    world = TempoWorld(3, caps=CAPS)
    at_the_end(world, monkeypatch)
    part, whole, more, none, *_ = sorted(world.logs, reverse=True)
    seconds = {one: round(world.logs[one].hours * 3600) for one in world.logs}
    world.billed = {part: seconds[part] - 600, whole: seconds[whole], more: seconds[more] + 600}
    world.attributes = {part: {"_Account_": "RUN"}}
    ids = ", ".join(f"'jira:t{one}', 'jira:t{one}/rest'" for one in (part, whole, more, none))
    sql = f"SELECT id, seconds, billable FROM worklog WHERE presence = 'present' AND id IN ({ids})"
    with SimulatorServer(world) as site:
        first = go(store, site, "_Account_")
        rows = {tuple(row) for row in store.connection.execute(sql)}
        text = "SELECT row_id FROM custom_value WHERE text = 'RUN' AND presence = 'present'"
        booked = {row[0] for row in store.connection.execute(text)}
        world.billed[part] = seconds[part]
        at_the_end(world, monkeypatch, hours=25)
        go(store, site, "_Account_")
        last = {tuple(row) for row in store.connection.execute(sql)}
        booked_last = {row[0] for row in store.connection.execute(text)}
        world.billed[none] = None
        silent = go(store, site, "_Account_", full=True)

    assert "ok" == first.verdict, first.missing
    same = {(f"jira:t{whole}", seconds[whole], 1), (f"jira:t{more}", seconds[more], 1),
            (f"jira:t{none}", seconds[none], 0)}  # fmt: skip
    assert {(f"jira:t{part}", seconds[part] - 600, 1), (f"jira:t{part}/rest", 600, 0)} | same == rows
    assert {f"jira:t{part}", f"jira:t{part}/rest"} == booked
    assert {(f"jira:t{part}", seconds[part], 1)} | same == last
    assert {f"jira:t{part}"} == booked_last
    assert "partial" == silent.verdict
    assert 1 == sum("billableSeconds" in one for one in silent.missing)


def test_what_the_account_of_hours_is(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its name, category and customer by fields.csv, asked once a run, and only where somebody chose them."""
    world = TempoWorld(3, caps=CAPS)
    at_the_end(world, monkeypatch)
    log = max(world.logs)
    world.attributes = {log: {"_Account_": "RUN"}}
    world.accounts = [
        {"key": "RUN", "name": "Run 2026", "category": {"key": "C", "name": "Capex"}, "customer": None}
    ]
    chosen = ("_Account_", "_Account_.name", "_Account_.category", "_Account_.customer")
    with SimulatorServer(world) as site:
        go(store, site, "_Account_")
        without = ask(site, "accounts")
        first = go(store, site, *chosen)
        asked = ask(site, "accounts")
        world.closed = {"/accounts"}
        refused = go(store, site, *chosen, full=True)
    sql = f"SELECT field, text FROM custom_value WHERE row_id = 'jira:t{log}'"

    assert ("ok", 0, 1) == (first.verdict, without, asked), first.missing
    assert [] == [one for one in first.notes if "fields.csv" in one]
    assert {("_Account_", "RUN"), ("_Account_.name", "Run 2026"), ("_Account_.category", "Capex")} == {
        tuple(row) for row in store.connection.execute(sql)
    }
    assert "partial" == refused.verdict
    assert 1 == sum(one.startswith("Tempo's accounts: ") for one in refused.rejections)


def plan(number: int, item: tuple[str, Any], who: tuple[str, str], **more: Any) -> dict[str, Any]:
    return {
        "id": number, "startDate": "2024-05-06", "endDate": "2024-05-10", "plannedSecondsPerDay": 14400,
        "totalPlannedSecondsInScope": 72000, "planItem": {"type": item[0], "id": item[1]},
        "assignee": {"type": who[0], "id": who[1]}, "rule": "NEVER",
    } | more  # fmt: skip


def test_plans_are_allocations(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a person or nobody yet, on an issue or a project; what is not planned any more leaves."""
    world = TempoWorld(3, caps=CAPS)
    at_the_end(world, monkeypatch)
    issue = min(world.items)
    world.plans = [
        plan(1, ("ISSUE", issue), ("USER", "acc-1")),
        plan(2, ("PROJECT", 20001), ("GENERIC", "7"), recurrenceEndDate="2024-05-24"),
        plan(3, ("ISSUE", issue), ("USER", "acc-2")),
    ]
    sql = (
        "SELECT id, account_id, task_id, container_id, start_on, finish_on, seconds, presence "
        "FROM allocation ORDER BY id"
    )
    with SimulatorServer(world) as site:
        first = go(store, site)
        rows = [tuple(row) for row in store.connection.execute(sql)]
        world.plans.pop()
        at_the_end(world, monkeypatch, hours=25)
        go(store, site)
        last = [tuple(row)[-1] for row in store.connection.execute(sql)]

    assert "ok" == first.verdict, first.missing
    assert [
        ("jira:a1", "jira:uacc-1", f"jira:{issue}", None, "2024-05-06", "2024-05-10", 72000, "present"),
        ("jira:a2", None, None, "jira:p20001", "2024-05-06", "2024-05-24", 72000, "present"),
        ("jira:a3", "jira:uacc-2", f"jira:{issue}", None, "2024-05-06", "2024-05-10", 72000, "present"),
    ] == rows
    assert ["present", "present", "deleted"] == last


def test_a_token_for_hours_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the right to see teams and plans the hours are whole, and the run says what it did not see."""
    world = TempoWorld(3, caps=CAPS)
    at_the_end(world, monkeypatch)
    world.closed = {"/teams", "/plans"}
    with SimulatorServer(world) as site:
        report = go(store, site)

    assert "ok" == report.verdict, report.missing
    assert len(world.logs) == len(held(store))
    assert 2 == sum("were not looked at" in one for one in report.notes)


def test_hours_wait_for_no_approval(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where Tempo's teams do not answer at all, the hours come, and the run is partial."""
    world = TempoWorld(3, caps=CAPS)
    at_the_end(world, monkeypatch)

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        return Response(status=503, body={}) if request.path == "/4/teams" else honest()

    with SimulatorServer(world, fault) as site:
        report = go(store, site)

    assert ("partial", len(world.logs)) == (report.verdict, len(held(store)))
    assert any("were not looked at" in one for one in report.missing)
