"""Another hub's OData, as far as the source asks for it: a feed of one tool, in pages, tagged and counted."""

from __future__ import annotations

import hashlib
import json
from datetime import UTC, datetime
from typing import Any, ClassVar

from hub import model
from hub.testing.kit import SECRET, HttpWorld, Item, Ledger, Log, Request, Response
from hub_hub.feed import TABLES

PAGE = 20
TOOL = "tool"
PER_DAY = 25200


class FeedWorld(Ledger, HttpWorld):
    """The feed of a hub that reads one tool; each state of the world is another feed."""

    name: ClassVar[str] = "hub"
    hours: ClassVar[tuple[float, ...]] = (0.25, 1.5, 7.5, -0.5, 1 / 3)

    _kept: tuple[str, dict[str, list[dict[str, Any]]]] = "", {}
    """The tables of the feed that was asked for last, by its mark."""

    def requests(self) -> int:
        """Count what a full reading asks: twice what the feed says of itself, its pages, and once more."""
        return 3 + 3 + 1 + sum(max(1, -(-len(rows) // PAGE)) for rows in self.tables().values())

    # ---------- the feed ----------

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Return the rows of every table that is asked for."""
        now = datetime.now(UTC)
        keys = {native: place for place, native in enumerate(self.containers, start=1)}
        found: dict[str, list[dict[str, Any]]] = {name: [] for name in TABLES}
        found["dim_source"] = [
            {
                "source_key": 1, "name": TOOL, "plugin": "jira", "seconds_per_day": PER_DAY,
                "freshness_max_s": 93600, "last_success_at": now.isoformat(), "verdict": "ok", "site": None,
            }
        ]  # fmt: skip
        found["dim_cut"] = [
            {"cut_key": 0, "as_of": f"{now:%Y-%m-%d}", "kind": "now", "label": "Now", "is_latest": 1}
        ]
        found["dim_person"] = [{"person_key": -1, "person_label": "(Unknown)"}]
        found["dim_status"] = [
            {"status_key": 1, "category": "todo", "sort_order": 1},
            {"status_key": 3, "category": "done", "sort_order": 3},
        ]
        found["dim_project"] = [
            {"project_key": -1, "project_id": None, "code": "?", "name": "(No project)", "currency": "EUR"},
            *(
                {
                    "project_key": keys[native], "project_id": f"{TOOL}:{native}", "code": f"C{native}",
                    "name": name, "state": "active", "currency": "EUR",
                }
                for native, name in self.containers.items()
            ),
        ]  # fmt: skip
        for item in self.seen():
            place = keys[item.container]
            found["dim_task"].append(
                {
                    "task_key": item.native, "task_id": self.feed_id(item), "key": item.key,
                    "title": item.title, "kind": "work", "nature": "build", "nature_first": "build",
                    "parent_task_key": -1, "plan_task_key": -1, "source_key": 1, "project_key": place,
                    "created_at": _utc(item.created), "is_leaf": 1, "is_deleted": 0,
                }
            )  # fmt: skip
            found["fact_task_snapshot"].append(
                {
                    "cut_key": 0, "task_key": item.native, "project_key": place,
                    "status_key": 3 if item.done else 1, "person_key": -1, "iteration_key": -1,
                    "estimate_days": item.hours * 3600 / PER_DAY, "is_effort_counted": 1,
                    "is_baseline_counted": 1,
                }
            )  # fmt: skip
        for log in self.seen_logs():
            seconds, day = round(log.hours * 3600), log.started[:10]
            found["fact_worklog"].append(
                {
                    "worklog_id": f"{TOOL}:w{log.native}", "work_date": day,
                    "date_key": int(day.replace("-", "")),
                    "project_key": keys[self.items[log.item].container], "task_key": log.item,
                    "person_key": -1, "source_key": 1, "category": "project", "is_billable": None,
                    "approval": "approved", "seconds": seconds, "days": seconds / PER_DAY, "amount": None,
                    "updated_at": log.updated, "sealed_month": None, "grain": "day",
                }
            )  # fmt: skip
        return {
            name: [dict.fromkeys(model().tables[name].columns) | row for row in rows]
            for name, rows in found.items()
        }

    def container_fields(self, native: str) -> dict[str, Any]:
        """Return what a project of the feed says."""
        return {
            "kind": "hub", "name": self.containers[native], "code": f"C{native}", "archived": 0,
            "seconds_per_day": PER_DAY,
        }  # fmt: skip

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Add what stands beside the hours of a feed."""
        home = self.items[log.item].container
        return super().log_fields(log) | {
            "approval": "approved", "updated_at": _utc(log.updated),
            "container_id": f"{self.name}:{TOOL}:project/{TOOL}:{home}",
        }  # fmt: skip

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Add the projects under which what bears no tool stands, and that of none."""
        found = super().truth()
        bare = {one.replace(f"{TOOL}:project", "-:project"): row for one, row in found["container"].items()}
        none = {"kind": "hub", "name": "(No project)", "seconds_per_day": PER_DAY}
        found["container"] |= bare | {"-:project/none": none}
        return found

    def feed_id(self, item: Item) -> str:
        """Return the id of an item in the other hub."""
        return f"{TOOL}:{item.native}"

    def mark(self) -> str:
        """Return the tag of the feed: another state has another one."""
        state = [self.containers, sorted(self.hidden), [str(item) for item in self.seen()],
                 [str(log) for log in self.seen_logs()]]  # fmt: skip
        return f'"{hashlib.sha256(json.dumps(state).encode()).hexdigest()[:32]}"'

    def answer(self, request: Request) -> Response:
        """Answer as `hub serve` does."""
        if request.headers.get("authorization", request.headers.get("Authorization")) != f"Bearer {SECRET}":
            return Response(status=401, body={"error": {"code": "401", "message": "no token"}})
        _, _, table = request.path.partition("/odata/v4/")
        current = self.mark()
        tag = {"ETag": current}
        if not table:
            sets = [{"name": name, "kind": "EntitySet", "url": name} for name in TABLES]
            return Response(body={"value": sets}, headers=tag)
        if table not in TABLES:
            return Response(status=404, body={"error": {"code": "404", "message": f"There is no {table}."}})
        token = request.query.get("$skiptoken", f"0 {current}")
        start, _, mark = token.partition(" ")
        if mark != current:
            return Response(status=410, body={"error": {"code": "410", "message": "begin again"}})
        if self._kept[0] != current:
            self._kept = current, self.tables()
        rows = self._kept[1][table]
        shown = rows[int(start) : int(start) + PAGE]
        body: dict[str, Any] = {"value": shown}
        if "$count" in request.query:
            body["@odata.count"] = len(rows)
        if int(start) + PAGE < len(rows):
            host = request.headers.get("host", request.headers.get("Host", ""))
            body["@odata.nextLink"] = (
                f"http://{host}/odata/v4/{table}?$count=true&$skiptoken={int(start) + PAGE}%20"
                + mark.replace('"', "%22")
            )
        return Response(body=body, headers=tag)

    # ---------- the answer sheet ----------

    def task_id(self, item: Item) -> str:
        """Return the id of an item here: behind the source stands the tool."""
        return self.feed_id(item)

    def log_id(self, log: Any) -> str:
        """Return the id of a worklog here."""
        return f"{TOOL}:w{log.native}"

    def container_id(self, native: str) -> str:
        """Return the id of a project with its tool."""
        return f"{TOOL}:project/{TOOL}:{native}"

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Leave out the stamp of the last change, which a feed does not have."""
        said = {name: value for name, value in super().task_fields(item).items() if name != "updated_at"}
        return said | {"nature": "build", "is_milestone": 0}


def _utc(stamp: str) -> str:
    return datetime.fromisoformat(stamp).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
