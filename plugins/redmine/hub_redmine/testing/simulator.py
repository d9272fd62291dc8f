"""A simulator of Redmine, written from what a real 5.0.4 answered.

Pages of 100 at most, silence about what it does not know, 403 for what is archived.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from hub import Account, Container, CustomValue, Record, Task
from hub.testing.kit import SECRET, HttpWorld, Item, Log, Request, Response, Simulator
from hub_redmine.testing.world import COMMENT, GROUP, LOCKED, NOBODY, TRACKERS, Rows

CAP = 100


class Answers:
    """How a Redmine answers for the rows that a subclass has."""

    issues_seen: str | None
    containers: dict[str, str]
    hidden: set[str]
    archived: set[str]
    deleted: set[str]
    fired: set[int]
    statuses: dict[int, tuple[str, bool]]
    unrelated: bool
    items: dict[int, Any]
    logs: dict[int, Log]

    def seen(self) -> list[Any]:
        """Return the issues that may be seen."""
        return [*self.items.values()]

    def seen_logs(self) -> list[Log]:
        """Return the time entries that may be read."""
        return [*self.logs.values()]

    def place(self, log: Log) -> str:
        """Return the project of a time entry."""
        return str(self.items[log.item].container)

    def me(self) -> dict[str, Any]:
        """Show the account that signs in."""
        return self.user(1)

    def user(self, number: int) -> dict[str, Any]:
        """Show a user."""
        raise NotImplementedError

    def role(self, native: int) -> dict[str, Any]:
        """Show the role of the account."""
        raise NotImplementedError

    def project(self, native: str) -> dict[str, Any]:
        """Show a project."""
        raise NotImplementedError

    def version(self, native: str) -> dict[str, Any]:
        """Show the version of a project."""
        raise NotImplementedError

    def issue(self, item: Any, *, whole: bool = False) -> dict[str, Any]:
        """Show an issue; *whole* with its journal."""
        raise NotImplementedError

    def entry(self, log: Log) -> dict[str, Any]:
        """Show a time entry."""
        raise NotImplementedError

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if request.headers.get("x-redmine-api-key") != SECRET:
            return Response(status=401)
        parts = request.path.removesuffix(".json").strip("/").split("/")
        pairs = parse_qsl(request.search, keep_blank_values=True)
        return self.short(parts, pairs) or self.long(parts, pairs) or Response(status=404)

    def short(self, parts: list[str], pairs: list[tuple[str, str]]) -> Response | None:
        """Answer of people, what they may do, statuses and trackers."""
        match parts:
            case ["users", "current"]:
                return Response(body={"user": self.me()})
            case ["users" | "groups"] if self.issues_seen is not None:
                return Response(status=403)
            case ["users"]:
                everybody = [n for n in range(1, LOCKED + 1) if n != NOBODY and n not in self.fired]
                shown = {"": everybody, "3": [LOCKED]}.get(
                    dict(pairs).get("status", "1"), everybody[: everybody.index(LOCKED)]
                )
                return self.paged("users", [self.user(n) for n in shown], pairs)
            case ["users", n]:
                there = int(n) <= LOCKED and int(n) not in self.fired
                return Response(body={"user": self.user(int(n))}) if there else Response(status=404)
            case ["groups"]:
                return Response(body={"groups": [{"id": GROUP, "name": "Support"}]})
            case ["roles", n]:
                return Response(body={"role": self.role(int(n))})
            case ["issue_statuses"]:
                return Response(
                    body={
                        "issue_statuses": [
                            {"id": n, "name": name, "is_closed": end}
                            for n, (name, end) in self.statuses.items()
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
        return None

    def long(self, parts: list[str], pairs: list[tuple[str, str]]) -> Response | None:
        """Answer of projects, issues and hours."""
        match parts:
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
                place = self.place(log) if log else ""
                return self.one(
                    "time_entry",
                    log is not None and place not in self.deleted,
                    place,
                    lambda: self.entry(self.logs[int(n)]),
                )
        return None

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
            rows = [log for log in rows if self.place(log) in chosen["project_id"][1]]
        return rows


class RedmineWorld(Rows, Answers, HttpWorld):
    """A Redmine with everything a connector must get right."""

    def requests(self) -> int:
        """Return the plan of a full reading and its census.

        Lists, one request a page and a slice, one an issue for its history.
        """
        issues, slices = len(self.seen()), min(16, 1 + max(self.items, default=0) // CAP)
        lists = 1 + 2 + 3 + len(self.containers) + 2
        return lists + slices + issues // CAP + issues + -(-len(self.logs) // (CAP - 1)) + 2


class _Issue(msgspec.Struct, frozen=True):
    """An issue, as the filters know it."""

    native: int
    container: str
    updated: str
    done: bool
    task: Task


class RedmineSimulator(Answers, Simulator):
    """A Redmine that holds records, without versions, histories and hours.

    Ids of projects, people and issues are numbers. A status ends where the `status_native` of its issues is
    ``done`` or ``cancelled``. A custom field is what stands beside an issue; several values are parted by
    ``, ``.
    """

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.issues_seen, self.unrelated = None, False
        self.hidden, self.archived, self.deleted = set[str](), set[str](), set[str]()
        self.logs, self.fired = {}, set()
        self.show((), datetime.min)

    def show(self, records: Iterable[Record], now: datetime) -> None:
        """Hold *records*; when they are read has no bearing here."""
        kinds: dict[type[Record], list[Any]] = {Container: [], Account: [], Task: [], CustomValue: []}
        for record in records:
            if type(record) not in kinds:
                raise TypeError(f"the simulator of Redmine does not hold {record.table}")
            kinds[type(record)].append(record)
        self.containers = {one.id: one.name for one in kinds[Container]}
        self.codes = {one.id: one.code or f"project-{one.id}" for one in kinds[Container]}
        self.people: dict[int, Account] = {int(one.id): one for one in kinds[Account]}
        self.values: dict[str, dict[str, str]] = {}
        for one in kinds[CustomValue]:
            self.values.setdefault(one.row_id, {})[one.field] = one.text
        names = dict.fromkeys(name for one in self.values.values() for name in one)
        self.fields = {name: number for number, name in enumerate(names, 1)}
        ends = {one.status_raw or "New": one.status_native in {"done", "cancelled"} for one in kinds[Task]}
        self.statuses = {number: (name, ends[name]) for number, name in enumerate(sorted(ends), 1)}
        self.items = {
            int(one.id): _Issue(
                int(one.id), one.container_id, one.updated_at or "", ends[one.status_raw or "New"], one
            )
            for one in sorted(kinds[Task], key=lambda one: int(one.id))
        }

    def short(self, parts: list[str], pairs: list[tuple[str, str]]) -> Response | None:
        """Answer of people; there are no groups and no versions."""
        match parts:
            case ["users", "current"]:
                return Response(body={"user": self.user(0) | {"admin": True, "memberships": []}})
            case ["users"]:
                everybody = [] if dict(pairs).get("status") == "3" else [*self.people]
                return self.paged("users", [self.user(n) for n in everybody], pairs)
            case ["users", n]:
                there = int(n) in self.people
                return Response(body={"user": self.user(int(n))}) if there else Response(status=404)
            case ["groups"]:
                return Response(body={"groups": []})
            case ["projects", _, "versions"]:
                return Response(body={"versions": [], "total_count": 0})
        return super().short(parts, pairs)

    def user(self, number: int) -> dict[str, Any]:
        """Show a user; 0 is who asks."""
        one = self.people.get(number)
        first, _, last = ((one.display_name if one else None) or "API").partition(" ")
        return {
            "id": number or 9999, "login": f"user{number}", "firstname": first, "lastname": last or first,
            "mail": (one.email if one else None) or f"user{number}@demo.example", "admin": not number,
        }  # fmt: skip

    def project(self, native: str) -> dict[str, Any]:
        """Show a project."""
        return {
            "id": int(native), "name": self.containers[native], "identifier": self.codes[native],
            "description": COMMENT, "status": 1,
        }  # fmt: skip

    def issue(self, item: _Issue, *, whole: bool = False) -> dict[str, Any]:
        """Show an issue; *whole* with its empty journal."""
        task, beside = item.task, self.values.get(item.task.id, {})
        status = next(n for n, (name, _) in self.statuses.items() if name == (task.status_raw or "New"))
        shown: dict[str, Any] = {
            "id": item.native,
            "project": {"id": int(item.container), "name": self.containers[item.container]},
            "tracker": {"id": 3, "name": TRACKERS[3]},
            "status": {"id": status, "name": self.statuses[status][0], "is_closed": item.done},
            "priority": {"id": 2, "name": "Normal"},
            "author": {"id": 9999, "name": "API"},
            "subject": task.title,
            "description": COMMENT,
            "start_date": task.planned_start_on,
            "due_date": task.due_on,
            "estimated_hours": None if task.estimate_s is None else task.estimate_s / 3600,
            "done_ratio": 100 if item.done else 0,
            "is_private": False,
            "custom_fields": [
                {"id": number, "name": name}
                | (
                    {"multiple": True, "value": text.split(", ")}
                    if ", " in (text := beside.get(name, ""))
                    else {"value": text}
                )
                for name, number in self.fields.items()
            ],
            "created_on": task.created_at,
            "updated_on": item.updated,
            "closed_on": item.updated if item.done else None,
        }
        if task.assignee_id:
            one = self.people[int(task.assignee_id)]
            shown["assigned_to"] = {"id": int(one.id), "name": one.display_name}
        return shown | ({"journals": []} if whole else {"relations": []})


def _filters(pairs: list[tuple[str, str]]) -> dict[str, tuple[str, list[str]]]:
    """Read the long form of Redmine's filters: field, then operator and values."""
    fields = [value for name, value in pairs if name == "f[]"]
    query = dict(pairs)
    return {
        field: (query.get(f"op[{field}]", ""), [value for name, value in pairs if name == f"v[{field}][]"])
        for field in fields
    }
