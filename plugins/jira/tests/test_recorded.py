"""Recorded answers of a real Jira, replayed through the connector, against rows that others made of them."""

from __future__ import annotations

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hub_jira import mapping, wire
from hub_jira.fields import Bindings
from hub_jira.source import HISTORY, JiraSource
from hub_jira.testing import EMAIL

from hub.store import Store
from hub.testing import store, sync_once
from hub.testing.kit import SECRET, HttpWorld, Request, Response, SimulatorServer, credential

__all__ = ["store"]
DATA = Path(__file__).parents[3].parent / "shared" / "data" / "jira" / "devlake"
pytestmark = pytest.mark.skipif(not DATA.exists(), reason="the recorded Jira data of ../shared is not here")
csv.field_size_limit(sys.maxsize // 2**32)


def raw(name: str) -> list[Any]:
    with (DATA / "raw_tables" / f"_raw_jira_api_{name}.csv").open(encoding="utf-8", newline="") as file:
        return [json.loads(row["data"]) for row in csv.DictReader(file)]


def expected(name: str) -> list[dict[str, str]]:
    with (DATA / "snapshot_tables" / f"_tool_jira_{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


class RecordedSite(HttpWorld):
    """The recorded issues behind Cloud's endpoints.

    Worklogs come by the feed, as changed after the first reading.
    """

    def __init__(self) -> None:
        super().__init__(0)
        self.issues = {one["id"]: one for one in raw("issues")}
        self.logs = {int(one["id"]): one for one in raw("worklogs")}

    def answer(self, request: Request) -> Response:
        assert SECRET not in request.path
        body = json.loads(request.body) if request.body else {}
        path = request.path.removeprefix("/rest/api/2")
        newest = max(self.issues.values(), key=lambda one: datetime.fromisoformat(one["fields"]["updated"]))
        answers: dict[str, Any] = {
            "/serverInfo": {"deploymentType": "Cloud", "serverTime": "2022-08-01T08:00:00.000+0800"},
            "/myself": {"accountId": "svc", "timeZone": "Asia/Shanghai"},
            "/field": [
                {
                    "id": "customfield_10020",
                    "name": "Sprint",
                    "schema": {"custom": "com.pyxis.greenhopper.jira:gh-sprint"},
                }
            ],
            "/issuetype": raw("issue_types"),
            "/project/search": {"values": raw("projects"), "isLast": True, "total": 12},
            "/search/approximate-count": {"count": len(self.issues)},
            "/worklog/updated": {
                "values": [{"worklogId": n, "updatedTime": 1659312000000 + n} for n in self.logs],
                "until": 1659312100000,
                "lastPage": True,
            },
            "/worklog/deleted": {"values": [], "until": 0, "lastPage": True},
            "/worklog/list": [self.logs[n] for n in body.get("ids", [])],
        }
        if path in answers:
            return Response(body=answers[path])
        if path == "/search/jql":
            rows = (
                [newest]
                if body["maxResults"] == 1
                else list(self.issues.values())
                if "created" in body["jql"]
                else [newest]
            )
            return Response(body={"issues": rows, "isLast": True})
        if path == "/issue/bulkfetch":
            return Response(
                body={"issues": [self.issues[one] for one in body["issueIdsOrKeys"]], "issueErrors": []}
            )
        if path == "/changelog/bulkfetch":
            return Response(body={"issueChangeLogs": []})
        if path.endswith("/worklog"):
            mine = [log for log in self.logs.values() if log["issueId"] == path.split("/")[2]]
            return Response(body={"total": len(mine), "worklogs": mine})
        return Response(status=404, body={})

    def requests(self) -> int:
        return 0

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        return {}

    def rows(self) -> list[str]:
        return list(self.issues)


@pytest.fixture
def replayed(store: Store) -> Store:
    with SimulatorServer(RecordedSite()) as site:
        source = JiraSource(name="r", url=site.url, email=EMAIL, token=credential(), tz="Asia/Shanghai",
                            fields={"points": "customfield_10024"})  # fmt: skip
        first = sync_once(store, source)
        second = sync_once(store, source)
    assert ("ok", "ok") == (first.verdict, second.verdict), (first.missing, second.missing)
    return store


def rows(store: Store, table: str) -> dict[str, dict[str, Any]]:
    return {row["id"][2:]: row for row in store.rows(f"SELECT * FROM {table}")}


def instant(text: str) -> str:
    return wire.instant(text) or ""


def test_worklogs(replayed: Store) -> None:
    """Every worklog: issue, author, seconds and stamp; its day is the author's."""
    ours = rows(replayed, "worklog")
    zones = {one["id"]: one["author"]["timeZone"] for one in raw("worklogs")}

    assert 30 == len(expected("worklogs"))
    for row in expected("worklogs"):
        log = ours[f"w{row['worklog_id']}"]
        assert (f"r:{row['issue_id']}", f"r:u{row['author_id']}", int(row["time_spent_seconds"])) == (
            log["task_id"],
            log["account_id"],
            log["seconds"],
        )
        assert instant(row["updated"]) == log["updated_at"]
        assert {"Asia/Shanghai"} == {zones[row["worklog_id"]]}
        hours = (datetime.fromisoformat(row["started"]).astimezone(UTC).timestamp() + 8 * 3600) // 86400
        assert datetime.fromtimestamp(hours * 86400, UTC).date().isoformat() == log["day"]


def test_issues(replayed: Store) -> None:
    """Every issue is as DevLake kept it; the differences are known.

    Key, title, type, status, project, assignee, stamps and effort.
    """
    ours = rows(replayed, "task")
    sent = {one["id"]: one["fields"] for one in raw("issues")}

    assert 33 == len(sent)
    assert 30 == len(expected("issues"))
    for row in expected("issues"):
        task, fields = ours[row["issue_id"]], sent[row["issue_id"]]
        minutes = {
            "estimate_s": row["original_estimate_minutes"],
            "spent_s": row["spent_minutes"],
            "remaining_s": row["remaining_estimate_minutes"],
        }
        assert (row["issue_key"], row["summary"], row["type"], row["status_name"]) == (
            task["code"],
            task["title"].replace("\0", ""),
            task["type_raw"],
            task["status_raw"],
        )
        assert f"r:p{row['project_id']}" == task["container_id"]
        assert (f"r:u{row['assignee_account_id']}" if row["assignee_account_id"] else None) == task[
            "assignee_id"
        ]
        assert (instant(row["created"]), instant(row["updated"])) == (task["created_at"], task["updated_at"])
        # one title holds a NUL, which DevLake's database cannot keep; a due date is a civil day: DevLake
        # makes an instant of it in the site's zone, which is the day before in UTC
        for field, text in minutes.items():
            # DevLake writes 0 where Jira sent null
            assert (int(text) if text else 0) == (task[field] or 0) // 60
        assert fields.get("duedate") == task["due_on"]
        # five issues and the list of statuses differ about a category; DevLake takes "new", we what the issue
        # itself says
        assert (
            fields["status"]["statusCategory"]["key"]
            == {"todo": "new", "in_progress": "indeterminate", "done": "done"}[task["status_native"]]
        )
        assert float(row["story_point"]) == (task["points"] or 0)


def test_sprints(replayed: Store) -> None:
    """Every sprint that an issue names has DevLake's name, state and dates.

    The issue is in the sprint DevLake says.
    """
    ours, tasks = rows(replayed, "iteration"), rows(replayed, "task")
    known = {row["sprint_id"]: row for row in expected("sprints")}
    named = {one[1:] for one in ours}

    assert named
    for native in named & known.keys():
        row, sprint = known[native], ours[f"s{native}"]
        assert (row["name"], row["state"]) == (sprint["name"], sprint["state"])
        assert instant(row["start_date"]) == sprint["start_at"]
        assert instant(row["end_date"]) == sprint["finish_at"]
        assert (instant(row["complete_date"]) or None) == sprint["completed_at"]
    for row in expected("sprint_issues"):
        task = tasks.get(row["issue_id"])
        fields = next((one["fields"] for one in raw("issues") if one["id"] == row["issue_id"]), None)
        if task and fields:
            assert int(row["sprint_id"]) in {one["id"] for one in fields.get("customfield_10020") or []}


def test_histories() -> None:
    """Every recorded line of history becomes one change per field that is kept, with the stamp in UTC."""
    mapper = mapping.Mapper(
        name="r",
        url="",
        zone="UTC",
        types={},
        levels={},
        bindings=Bindings(),
        history=HISTORY,
        people=True,
    )
    lines = raw("issue_changelogs") + [
        line for issue in raw("issues") for line in issue["changelog"]["histories"]
    ]
    parents = dict.fromkeys(("Epic Link", "Parent", "IssueParentAssociation"), "parent")
    plain = {"Sprint": "sprint", "Status": "status", "Assignee": "assignee"} | parents
    wanted = {
        (f"r:h{line['id']}/{plain.get(item['field'], item['field'])}", instant(line["created"]))
        for line in lines for item in line["items"] if plain.get(item["field"], item["field"]) in HISTORY
    }  # fmt: skip
    found = [record for line in lines for record in mapper.change("1", msgspec.convert(line, wire.History))]
    changes = {(one.id, one.at) for one in found if isinstance(one, mapping.TaskChange)}
    moves = [one for one in found if isinstance(one, mapping.TaskChange) and one.field == "status"]

    assert 279 < len(lines)
    assert wanted == changes
    assert {item["toString"] for line in lines for item in line["items"] if item["field"] == "status"} == {
        one.to_value for one in moves
    }
