"""What a real Redmine changes without a stamp, rounds or does not show: the store equals its own database.

`make test-redmine` starts a scratch server with its database on this machine; both are written to.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hub_redmine.source import RedmineSource
from hub_redmine.testing.server import DATABASE, KEY, URL, Server

from hub import Secret
from hub.http import Session
from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once

__all__ = ["store"]
pytestmark = pytest.mark.skipif(
    not (URL and KEY and DATABASE), reason="needs a scratch Redmine and its database: make test-redmine"
)
OLD, LATE = "2026-01-15", "2026-11-10"
"""A day that no increment reads, and one that each does."""


@pytest.fixture
def server() -> Server:
    return Server()


class Place:
    """A project of its own on the server, so that each test stands alone."""

    def __init__(self, server: Server) -> None:
        self.server, self.mark = server, f"{time.time_ns():x}"
        self.activity = server.call("GET", "/enumerations/time_entry_activities.json")[
            "time_entry_activities"
        ][0]["id"]
        self.project = self.another("top")
        self.field = {
            one["name"]: one["id"] for one in server.call("GET", "/custom_fields.json")["custom_fields"]
        }

    def another(self, name: str, **more: Any) -> int:
        body = {"name": f"{name} {self.mark}", "identifier": f"{name}-{self.mark}", "is_public": False}
        modules = ["issue_tracking", "time_tracking"]
        return self.server.make("project", body | {"enabled_module_names": modules} | more)

    def user(self, name: str) -> int:
        body = {"login": f"{name}{self.mark}", "firstname": name.title(), "lastname": "Dubois"}
        mail = {"mail": f"{name}{self.mark}@example.test", "password": "Passw0rd!x"}
        return self.server.make("user", body | mail)

    def member(self, user: int, role: int) -> None:
        body = {"user_id": user, "role_ids": [role]}
        self.server.make("membership", body, path=f"/projects/{self.project}/memberships")

    def issue(self, **more: Any) -> int:
        return self.server.make(
            "issue", {"project_id": self.project, "subject": "Étude", "tracker_id": 1} | more
        )

    def change(self, issue: int, **body: Any) -> None:
        assert self.server.call("PUT", f"/issues/{issue}.json", {"issue": body}) is not None

    def book(self, issue: int, hours: Any, day: str = LATE, **more: Any) -> int:
        body = {"issue_id": issue, "hours": hours, "spent_on": day, "activity_id": self.activity}
        return self.server.make("time_entry", body | more, path="/time_entries")


@pytest.fixture
def place(server: Server) -> Place:
    return Place(server)


def source(**settings: Any) -> RedmineSource:
    return RedmineSource(
        **{
            "name": "redmine",
            "url": URL,
            "key": Secret("env", "REDMINE_API_KEY", Path()),
            "tz": "Europe/Paris",
            "fields": {"baseline_finish": "Baseline due date", "billable": "Billable"},
            "custom": ("Budget code",),
            "max_leave": 1.0,
        }
        | settings
    )


def go(store: Store, place: Place) -> SourceReport:
    report = sync_once(store, source(projects=(f"top-{place.mark}",)))
    assert ([], [], "ok") == (report.missing, report.held, report.verdict)
    return report


def tomorrow(store: Store, place: Place) -> SourceReport:
    """Run as a day later: a walk over the issues, and no whole reading of the hours."""
    cursors = store.cursors("redmine")
    for partition, name in (("issues", "walked"), ("metadata", "at")):
        cursor = cursors[partition]
        cursor[name] = (datetime.fromisoformat(cursor[name]) - timedelta(hours=25)).isoformat()
        store.set_cursor("redmine", partition, cursor, run_id=0)
    store.connection.commit()
    report = go(store, place)
    assert cursors["hours"]["at"] == store.cursors("redmine")["hours"]["at"], "all hours were read"
    return report


def rows(store: Store, sql: str) -> set[tuple[Any, ...]]:
    return {tuple(row) for row in store.connection.execute(sql)}


def same(store: Store, place: Place) -> None:
    """Hold everything that the server's database says of these projects against the store."""
    for what, (ours, theirs) in PAIRS.items():
        wanted = set(place.server.sql(theirs.replace("MARK", place.mark)))
        assert wanted == rows(store, ours), what


PAIRS = {
    "hours in whole minutes": (
        """SELECT w.id, task_id, w.container_id, w.account_id, day, seconds / 60
        FROM worklog w JOIN container c ON c.id = w.container_id
        WHERE w.presence = 'present' AND c.presence = 'present'""",
        """SELECT 'redmine:t' || t.id, 'redmine:' || t.issue_id, 'redmine:p' || t.project_id,
            'redmine:u' || t.user_id, date(spent_on), cast(round(hours * 60) AS INT)
        FROM time_entries t JOIN projects p ON p.id = project_id
        WHERE p.status <> 9 AND p.identifier LIKE '%-MARK'""",
    ),
    "issues and what they refer to": (
        """SELECT t.id, t.status_raw, t.assignee_id, t.reporter_id, v.text, coalesce(p.text, '0'),
            t.estimate_s
        FROM task t JOIN container c ON c.id = t.container_id AND c.presence = 'present'
            LEFT JOIN custom_value v ON v.row_id = t.id AND v.field = 'components' AND v.presence = 'present'
            LEFT JOIN custom_value p ON p.row_id = t.id AND p.field = 'is_private' AND p.presence = 'present'
        WHERE t.kind = 'work' AND t.presence = 'present'""",
        """SELECT 'redmine:' || i.id, s.name, 'redmine:u' || i.assigned_to_id, 'redmine:u' || i.author_id,
            replace(c.name, ', ', ',' || char(160)), cast(i.is_private AS TEXT),
            cast(round(i.estimated_hours * 3600) AS INT)
        FROM issues i JOIN issue_statuses s ON s.id = i.status_id
            LEFT JOIN issue_categories c ON c.id = i.category_id JOIN projects p ON p.id = i.project_id
        WHERE p.status <> 9 AND p.identifier LIKE '%-MARK'""",
    ),
    "histories of statuses, by the names of now": (
        """SELECT h.task_id, h.from_value, h.to_value, h.at, h.author_id
        FROM task_change h JOIN task t ON t.id = h.task_id
            JOIN container c ON c.id = t.container_id AND c.presence = 'present'
        WHERE h.field = 'status' AND t.presence = 'present'""",
        """SELECT 'redmine:' || i.id, a.name, b.name, strftime('%Y-%m-%dT%H:%M:%SZ', j.created_on),
            'redmine:u' || j.user_id
        FROM journals j JOIN journal_details d ON d.journal_id = j.id AND d.prop_key = 'status_id'
            JOIN issue_statuses a ON a.id = d.old_value JOIN issue_statuses b ON b.id = d.value
            JOIN issues i ON i.id = j.journalized_id JOIN projects p ON p.id = i.project_id
        WHERE p.status <> 9 AND p.identifier LIKE '%-MARK'""",
    ),
    "baselines and a custom field, as far as they are filled in": (
        """SELECT b.task_id, 'Baseline due date', b.finish_on FROM baseline b JOIN task t ON t.id = b.task_id
        WHERE b.presence = 'present' AND t.presence = 'present'
        UNION SELECT v.row_id, v.field, v.text FROM custom_value v JOIN task t ON t.id = v.row_id
        WHERE v.field = 'Budget code' AND v.presence = 'present' AND t.presence = 'present'""",
        """SELECT 'redmine:' || i.id, f.name, v.value
        FROM custom_values v JOIN custom_fields f ON f.id = v.custom_field_id
            JOIN issues i ON i.id = v.customized_id JOIN projects p ON p.id = i.project_id
        WHERE v.customized_type = 'Issue' AND f.name IN ('Baseline due date', 'Budget code')
            AND v.value <> '' AND p.identifier LIKE '%-MARK'""",
    ),
    "the tree of projects, with closed and archived ones": (
        """SELECT c.id, c.archived, v.text FROM container c
            LEFT JOIN custom_value v ON v.row_id = c.id AND v.field = 'parent' AND v.presence = 'present'""",
        """SELECT 'redmine:p' || p.id, p.status <> 1, a.name
        FROM projects p LEFT JOIN projects a ON a.id = p.parent_id WHERE p.identifier LIKE '%-MARK'""",
    ),
    "users, by whether they may sign in": (
        "SELECT id, active FROM account WHERE presence = 'present' AND kind = 'human'",
        "SELECT 'redmine:u' || id, status = 1 FROM users WHERE type = 'User'",
    ),
}


@pytest.fixture(autouse=True)
def statuses_as_before(server: Server) -> Iterator[None]:
    yield
    if DATABASE:
        server.rule("UPDATE issue_statuses SET name = 'Feedback' WHERE name = 'Retour'")
        server.rule(
            "UPDATE roles SET issues_visibility = 'default', time_entries_visibility = 'all' WHERE id = 5"
        )


def test_hours_of_deleted_issues(store: Store, server: Server, place: Place) -> None:
    """Who deletes says what becomes of them: gone, on the project, another issue's. Right with the proof."""
    gone, freed, moved, heir = (place.issue() for _ in range(4))
    entries = [place.book(one, 1.5, day) for one in (gone, freed, moved) for day in (OLD, LATE)]
    go(store, place)
    same(store, place)
    for native, todo in ((gone, "destroy"), (freed, "nullify"), (moved, f"reassign&reassign_to_id={heir}")):
        assert server.call("DELETE", f"/issues/{native}.json?todo={todo}") is not None
    tomorrow(store, place)
    same(store, place)
    states = "SELECT id, presence FROM worklog WHERE id IN ({})"
    wanted = {(f"redmine:t{one}", "deleted" if one in entries[:2] else "present") for one in entries}
    assert wanted == rows(store, states.format(", ".join(f"'redmine:t{one}'" for one in entries)))


def test_what_is_cleared_leaves(store: Store, server: Server, place: Place) -> None:
    """An emptied field, baseline or category leaves with the next run, and one that is filled comes back."""
    fields = [(place.field["Baseline due date"], "2026-12-01"), (place.field["Budget code"], "B-1")]
    category = server.make(
        "issue_category", {"name": "Réseau, accès"}, path=f"/projects/{place.project}/issue_categories"
    )
    native = place.issue(
        custom_fields=[{"id": one, "value": value} for one, value in fields],
        category_id=category,
        is_private=True,
    )
    go(store, place)
    same(store, place)
    mine = f"SELECT text FROM custom_value WHERE row_id = 'redmine:{native}' AND presence = 'present'"
    assert {("B-1",), ("Réseau,\u00a0accès",), ("1",)} == rows(store, mine)
    empty = [{"id": one, "value": ""} for one, _ in fields]
    place.change(native, custom_fields=empty, category_id="", is_private=False)
    go(store, place)
    same(store, place)
    assert set() == rows(store, mine)
    place.change(native, custom_fields=[{"id": fields[1][0], "value": "B-2"}])
    go(store, place)
    same(store, place)
    assert {("B-2",)} == rows(store, mine)


@pytest.mark.parametrize("seen_by", ["walk", "increment"])
def test_a_status_is_renamed_in_place(store: Store, server: Server, place: Place, seen_by: str) -> None:
    """All histories call it by its name of now, with the next walk; an issue that shows it makes it due."""
    native = place.issue()
    place.change(native, status_id=4)
    place.change(native, status_id=1)
    go(store, place)
    same(store, place)
    server.rule("UPDATE issue_statuses SET name = 'Retour' WHERE id = 4")
    if seen_by == "walk":
        tomorrow(store, place)
    else:
        place.change(native, status_id=4)
        go(store, place)
        go(store, place)
    same(store, place)
    assert rows(store, "SELECT id FROM task_change WHERE to_value = 'Retour'")
    assert set() == rows(store, "SELECT id FROM task_change WHERE 'Feedback' IN (from_value, to_value)")


def test_a_deleted_user(store: Store, server: Server, place: Place) -> None:
    """Nobody takes the place in hours and histories, is no person, and the account is gone."""
    leaver, group = place.user("zoe"), server.make("group", {"name": f"Équipe {place.mark}"})
    place.member(leaver, 4)
    native = place.issue(assigned_to_id=leaver)
    place.book(native, 2, OLD, user_id=leaver)
    place.book(native, 3, LATE, user_id=leaver)
    login = server.call("GET", f"/users/{leaver}.json")["user"]["login"]
    assert server.call("PUT", f"/issues/{native}.json", {"issue": {"status_id": 2}}, user=login) is not None
    go(store, place)
    same(store, place)
    assert server.call("DELETE", f"/users/{leaver}.json") is not None
    later = store.cursors("redmine")["hours"]["at"]
    with pytest.raises(AssertionError, match="all hours were read"):  # that of a deleted user is a reason
        tomorrow(store, place)
    assert later < store.cursors("redmine")["hours"]["at"]
    same(store, place)
    assert {("deleted",)} == rows(store, f"SELECT presence FROM account WHERE id = 'redmine:u{leaver}'")
    assert {("Anonymous", "generic"), (f"Équipe {place.mark}", "generic")} <= rows(
        store, "SELECT display_name, kind FROM account WHERE kind <> 'human'"
    )
    assert group


def test_hours_are_whole_minutes(store: Store, server: Server, place: Place) -> None:
    """Every minute of an hour, as people write them; the API rounds them to hundredths."""
    native = place.issue(estimated_hours="0:20")
    entries = [place.book(native, f"0:{minute:02}") for minute in range(1, 60)]
    go(store, place)
    same(store, place)
    found = rows(
        store,
        f"SELECT sum(seconds) FROM worklog WHERE task_id = 'redmine:{native}' "
        f"UNION ALL SELECT estimate_s FROM task WHERE id = 'redmine:{native}'",
    )
    assert {(60 * sum(range(60)),), (1200,)} == found
    assert len(entries) == 59


def test_closed_and_archived_projects(store: Store, server: Server, place: Place) -> None:
    """Neither is active, the tree stands, and each comes back, in the run after."""
    closed, archived = (place.another(name, parent_id=place.project) for name in ("closed", "archived"))
    below = place.another("below", parent_id=closed)
    go(store, place)
    same(store, place)
    server.call("PUT", f"/projects/{closed}/close.json")
    server.call("PUT", f"/projects/{archived}/archive.json")
    go(store, place)
    same(store, place)
    assert {("hidden", 1)} == rows(
        store, f"SELECT presence, archived FROM container WHERE id = 'redmine:p{archived}'"
    )
    path = f"top {place.mark} / closed {place.mark} / below {place.mark}"
    assert {(path,)} == rows(store, f"SELECT text FROM custom_value WHERE id = 'redmine:p{below}/path'")
    server.call("PUT", f"/projects/{closed}/reopen.json")
    server.call("PUT", f"/projects/{archived}/unarchive.json")
    server.call("PUT", f"/projects/{below}.json", {"project": {"parent_id": place.project}})
    go(store, place)
    same(store, place)


def test_an_account_that_sees_only_its_own(
    store: Store, server: Server, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both check and sync say so, until a person accepts it or the role is right."""
    narrow, other = place.user("ines"), place.user("omar")
    for one in (narrow, other):
        place.member(one, 5)
    mine = place.issue(assigned_to_id=narrow)
    for _ in range(3):
        place.issue(assigned_to_id=other)
    monkeypatch.setenv("REDMINE_NARROW", server.call("GET", f"/users/{narrow}.json")["user"]["api_key"])
    server.rule("UPDATE roles SET issues_visibility = 'own', time_entries_visibility = 'own' WHERE id = 5")
    mean = source(key=Secret("env", "REDMINE_NARROW", Path()))
    told = [
        one
        for one in mean.check(Context(base=Path(), source_id="r", session=Session))
        if one.name == "rights"
    ]
    assert {"failed"} == {one.state for one in told}
    for _ in range(2):  # the second run reads no rights, and still says it
        report = sync_once(store, mean)
        assert "partial" == report.verdict
        said = " ".join(report.rejections)
        assert f"in top-{place.mark} this account sees only the issues that it wrote or is assigned" in said
        assert "sees only its own hours" in said
    assert {(f"redmine:{mine}",)} == rows(store, "SELECT id FROM task WHERE kind = 'work'")
    server.rule("UPDATE roles SET issues_visibility = 'all', time_entries_visibility = 'all' WHERE id = 5")
    report = sync_once(store, mean, full=True)
    assert ("ok", []) == (report.verdict, report.rejections)
    assert 4 == len(rows(store, "SELECT id FROM task WHERE kind = 'work'"))
