"""A simulator of Redmine, written from what a real 5.0.4 answered.

Pages of 100 at most, silence about what it does not know, 403 for what is archived.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import parse_qsl

from hub.testing.kit import SECRET, HttpWorld, Item, Ledger, Log, Request, Response

COMMENT = "a remark about a colleague"
CAP = 100
EPOCH = datetime(2024, 3, 1, tzinfo=UTC)
STATUSES = {1: ("New", False), 2: ("In Progress", False), 5: ("Closed", True)}
TRACKERS = {1: "Bug", 2: "Feature", 3: "Support"}
LOCKED = 9


class RedmineWorld(Ledger, HttpWorld):
    """A Redmine with everything a connector must get right.

    *archived* projects answer 403, *deleted* ones 404; with *unrelated* all relations were deleted.
    """

    name: ClassVar[str] = "redmine"
    count: ClassVar[int] = 20

    def __init__(self, seed: int, *, scale: int = 1) -> None:
        """Fill it."""
        self.archived: set[str] = set()
        self.deleted: set[str] = set()
        self.unrelated = False
        super().__init__(seed, scale=scale)
        for _ in range(20):
            self.edit()

    # ---------- what may happen ----------

    def edit(self, native: str | None = None) -> str:
        """Change a title, and a status, which a journal entry tells."""
        chosen = super().edit(native)
        item, line = self.items[int(chosen)], self.changes[-1]
        line.before, line.after = ("5", "1") if item.done else ("1", "5")
        item.done = not item.done
        return chosen

    def seen(self) -> list[Item]:
        """Return what may be seen."""
        away = self.hidden | self.archived | self.deleted
        return [item for _, item in sorted(self.items.items()) if item.container not in away]

    def requests(self) -> int:
        """Return the plan of a full reading and its census.

        Lists, one request a page and a slice, one an issue for its history.
        """
        issues, slices = len(self.seen()), min(16, 1 + max(self.items, default=0) // CAP)
        lists = 1 + 2 + 2 + len(self.containers) + 2
        return lists + slices + issues // CAP + issues + -(-len(self.logs) // (CAP - 1)) + 2

    # ---------- answering ----------

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.headers.get("x-redmine-api-key") != SECRET:
            return Response(status=401)
        parts = request.path.removesuffix(".json").strip("/").split("/")
        pairs = parse_qsl(request.search, keep_blank_values=True)
        match parts:
            case ["users", "current"]:
                return Response(body={"user": self.user(1)})
            case ["users"]:
                wanted = {"": range(1, LOCKED + 1), "3": [LOCKED]}.get(
                    request.query.get("status", "1"), range(1, LOCKED)
                )
                return self.paged("users", [self.user(n) for n in wanted], pairs)
            case ["issue_statuses"]:
                return Response(
                    body={
                        "issue_statuses": [
                            {"id": n, "name": name, "is_closed": end} for n, (name, end) in STATUSES.items()
                        ]
                    }
                )
            case ["trackers"]:
                return Response(
                    body={
                        "trackers": [
                            {"id": n, "name": name, "default_status": {"id": 1, "name": "New"}}
                            for n, name in TRACKERS.items()
                        ]
                    }
                )
            case ["projects"]:
                return self.paged(
                    "projects",
                    [
                        self.project(n)
                        for n in self.containers
                        if n not in self.hidden | self.archived | self.deleted
                    ],
                    pairs,
                )
            case ["projects", n]:
                return self.one(
                    "project", n in self.containers and n not in self.deleted, n, lambda: self.project(n)
                )
            case ["projects", n, "versions"]:
                return Response(body={"versions": [self.version(n)], "total_count": 1})
            case ["versions", n]:
                return (
                    Response(body={"version": self.version(n)})
                    if n in self.containers
                    else Response(status=404)
                )
            case ["issues"]:
                return self.paged(
                    "issues",
                    self.filtered(pairs),
                    pairs,
                    self.issue,
                    id=lambda item: item.native,
                    updated_on=lambda item: item.updated,
                )
            case ["issues", n]:
                item = self.items.get(int(n))
                alive = item is not None and item.container not in self.deleted
                return self.one(
                    "issue",
                    alive,
                    item.container if item else "",
                    lambda: self.issue(self.items[int(n)], whole=True),
                )
            case ["relations", n]:
                return (
                    Response(status=404)
                    if self.unrelated
                    else Response(
                        body={
                            "relation": {
                                "id": int(n),
                                "issue_id": int(n) - 9000,
                                "issue_to_id": int(n) - 8999,
                                "relation_type": "precedes",
                                "delay": 2,
                            }
                        }
                    )
                )
            case ["time_entries"]:
                return self.paged(
                    "time_entries", self.spent(pairs), pairs, self.entry, created_on=lambda log: log.native
                )
            case ["time_entries", n]:
                log = self.logs.get(int(n))
                place = self.items[log.item].container if log else ""
                return self.one(
                    "time_entry",
                    log is not None and place not in self.deleted,
                    place,
                    lambda: self.entry(self.logs[int(n)]),
                )
        return Response(status=404)

    def one(self, name: str, exists: bool, place: str, show: Callable[[], Any]) -> Response:
        """Show one row: 404 when it does not exist, 403 when its project is archived or not for us."""
        if not exists:
            return Response(status=404)
        return Response(status=403) if place in self.hidden | self.archived else Response(body={name: show()})

    def paged(
        self,
        name: str,
        rows: list[Any],
        pairs: list[tuple[str, str]],
        show: Callable[[Any], dict[str, Any]] = lambda row: row,
        **keys: Callable[[Any], Any],
    ) -> Response:
        """Show a page of *rows*; *keys* are the orders that are known, another one is that of the ids."""
        query = dict(pairs)
        for part in reversed(query.get("sort", "").split(",")):
            field, _, order = part.partition(":")
            if field in keys:
                rows = sorted(rows, key=keys[field], reverse=order == "desc")
        start, size = int(query.get("offset", 0)), min(int(query.get("limit", 25)), CAP)
        shown = [show(row) for row in rows[start : start + size]]
        if "relations" not in query.get("include", ""):
            shown = [{key: value for key, value in row.items() if key != "relations"} for row in shown]
        return Response(body={name: shown, "total_count": len(rows), "offset": start, "limit": size})

    def filtered(self, pairs: list[tuple[str, str]]) -> list[Item]:
        """Return the issues that fit.

        Open ones alone unless the status is asked for, and what is no filter is ignored.
        """
        chosen = _filters(pairs)
        rows = self.seen()
        if chosen.get("status_id", ("", []))[0] != "*":
            rows = [item for item in rows if not item.done]
        operator, values = chosen.get("issue_id", ("", []))
        if operator == ">=":
            rows = [item for item in rows if item.native >= int(values[0])]
        elif operator == "><":
            rows = [item for item in rows if int(values[0]) <= item.native <= int(values[1])]
        operator, values = chosen.get("updated_on", ("", []))
        if operator == ">=":
            # up to a second older, as the real one
            since = datetime.fromisoformat(values[0]) - timedelta(seconds=1)
            rows = [item for item in rows if datetime.fromisoformat(item.updated) > since]
        if "project_id" in chosen:
            rows = [item for item in rows if item.container in chosen["project_id"][1]]
        return rows

    def spent(self, pairs: list[tuple[str, str]]) -> list[Log]:
        """Return the time entries that fit: there is a filter on their day, none on their changes or ids."""
        chosen = _filters(pairs)
        rows = self.seen_logs()
        operator, values = chosen.get("spent_on", ("", []))
        if operator == ">=":
            rows = [log for log in rows if log.started[:10] >= values[0]]
        if "project_id" in chosen:
            rows = [log for log in rows if self.items[log.item].container in chosen["project_id"][1]]
        return rows

    # ---------- one thing ----------

    def user(self, number: int) -> dict[str, Any]:
        """Show a user."""
        return {
            "id": number,
            "login": f"user{number}",
            "firstname": "Élodie",
            "lastname": f"O'Brien {number}",
            "mail": f"user{number}@example.org",
            "admin": number == 1,
        }

    def ref(self, number: int) -> dict[str, Any]:
        """Name a user."""
        return {"id": number, "name": f"Élodie O'Brien {number}"}

    def project(self, native: str) -> dict[str, Any]:
        """Show a project: the third is closed, and below the first."""
        more = {"parent": {"id": 1, "name": self.containers["1"]}} if native == "3" else {}
        return {
            "id": int(native),
            "name": self.containers[native],
            "identifier": f"project-{native}",
            "description": COMMENT,
            "status": 5 if native == "3" else 1,
        } | more

    def version(self, native: str) -> dict[str, Any]:
        """Show the version of a project."""
        return {
            "id": int(native),
            "project": {"id": int(native), "name": self.containers[native]},
            "name": f"Release {native}",
            "status": "open",
            "due_date": "2024-12-31",
            "description": COMMENT,
        }

    def delete(self, native: str | None = None) -> str:
        """Delete an issue, and all below it, as Redmine does."""
        gone = super().delete(native)
        below = int(gone) + 3
        if below % 7 == 0 and below in self.items:
            self.delete(str(below))
        return gone

    def parent(self, item: Item) -> int | None:
        """Return the issue above."""
        return item.native - 3 if item.native % 7 == 0 and item.native - 3 in self.items else None

    def issue(self, item: Item, *, whole: bool = False) -> dict[str, Any]:
        """Show an issue; *whole* with its journal.

        Sums over what is below it and hours are there too, and are not to be read.
        """
        n, parent = item.native, self.parent(item)
        status = 5 if item.done else 1
        shown: dict[str, Any] = {
            "id": n,
            "project": {"id": int(item.container), "name": self.containers[item.container]},
            "tracker": {"id": n % 3 + 1, "name": TRACKERS[n % 3 + 1]},
            "status": {"id": status, "name": STATUSES[status][0], "is_closed": item.done},
            "priority": {"id": 2, "name": "Normal"},
            "author": self.ref(1),
            "subject": item.title,
            "description": COMMENT,
            "start_date": "2024-03-04",
            "due_date": "2024-06-28" if n % 3 else None,
            "done_ratio": 100 if item.done else 40,
            "estimated_hours": item.hours,
            "total_estimated_hours": item.hours + 10,
            "spent_hours": 3.0,
            "total_spent_hours": 13.0,
            "is_private": False,
            "custom_fields": [
                {"id": 1, "name": "Baseline due date", "value": "2024-06-14"},
                {"id": 2, "name": "Story points", "value": str(n % 8)},
                {"id": 3, "name": "Workstreams", "multiple": True, "value": ["IT", "Legal"] if n % 2 else []},
            ],
            "created_on": _utc(item.created),
            "updated_on": item.updated,
            "closed_on": item.updated if item.done else None,
            "relations": [
                {"id": 9000 + n, "issue_id": n, "issue_to_id": n + 1, "relation_type": "precedes", "delay": 2}
            ]
            if n % 6 == 0 and n + 1 in self.items and not self.unrelated
            else [],
        }
        if n % 4:
            shown["assigned_to"] = self.ref(n % 5 + 1)
        if n % 5 == 0:
            shown["fixed_version"] = {"id": int(item.container), "name": f"Release {item.container}"}
        if parent:
            shown["parent"] = {"id": parent}
        if whole:
            del shown["relations"]
            shown["journals"] = [self.journal(line) for line in self.changes if line.item == n]
        return shown

    def journal(self, line: Any) -> dict[str, Any]:
        """Show a journal entry.

        Beside the status a title, which nobody asked for, changed too, and somebody wrote a note.
        """
        details = [
            {"property": "attr", "name": "status_id", "old_value": line.before, "new_value": line.after},
            {"property": "attr", "name": "subject", "old_value": "a", "new_value": "b"},
        ]
        return {
            "id": line.native,
            "user": self.ref(line.native % 5 + 1),
            "notes": COMMENT,
            "created_on": line.at,
            "private_notes": False,
            "details": details,
        }

    def entry(self, log: Log) -> dict[str, Any]:
        """Show a time entry; some are by somebody who is locked."""
        item = self.items[log.item]
        return {
            "id": log.native,
            "project": {"id": int(item.container), "name": self.containers[item.container]},
            "issue": {"id": log.item},
            "user": self.ref(LOCKED if log.native % 4 == 0 else 2),
            "activity": {"id": 9, "name": "Development"},
            "hours": log.hours,
            "comments": COMMENT,
            "spent_on": log.started[:10],
            "created_on": self.made(log),
            "updated_on": log.updated,
            "custom_fields": [{"id": 4, "name": "Billable", "value": str(log.native % 2)}],
        }

    def made(self, log: Log) -> str:
        """Return the stamp of a time entry's making: in the order of the ids."""
        return f"{EPOCH + timedelta(seconds=log.native):%Y-%m-%dT%H:%M:%SZ}"

    # ---------- the answer sheet ----------

    def log_id(self, log: Log) -> str:
        """Name a time entry."""
        return f"t{log.native}"

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Return what the store must hold."""
        parent = self.parent(item)
        return super().task_fields(item) | {
            "code": f"#{item.native}",
            "parent_id": f"redmine:{parent}" if parent else None,
            "status_raw": "Closed" if item.done else "New",
            "points": float(item.native % 8),
            "iteration_id": f"redmine:v{item.container}" if item.native % 5 == 0 else None,
            "due_on": "2024-06-28" if item.native % 3 else None,
            "spent_s": None,
        }

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Return what the store must hold."""
        who = LOCKED if log.native % 4 == 0 else 2
        return super().log_fields(log) | {"account_id": f"redmine:u{who}", "billable": log.native % 2}

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return tasks, milestones, hours and the history of statuses."""
        found = super().truth()
        names = {"1": "New", "5": "Closed"}
        found["task"] |= {
            f"m{n}": {"title": f"Release {n}", "kind": "milestone", "due_on": "2024-12-31"}
            for n in self.containers
        }
        found["task_change"] = {
            f"h{one.native}/status": {
                "field": "status",
                "from_value": names[one.before],
                "to_value": names[one.after],
                "at": one.at,
            }
            for one in self.seen_changes()
        }
        return found


def _filters(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, list[str]]]:
    """Read the long form of Redmine's filters: field, then operator and values."""
    fields = [value for name, value in pairs if name == "f[]"]
    query = dict(pairs)
    return {
        field: (query.get(f"op[{field}]", ""), [value for name, value in pairs if name == f"v[{field}][]"])
        for field in fields
    }


def _utc(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
