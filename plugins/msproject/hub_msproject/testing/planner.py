"""A simulator of Planner in Microsoft Graph, written from its documentation.

Plans of groups, lists in pages, people by their ids.
"""

from __future__ import annotations

import json
from typing import Any, ClassVar

from hub.testing.kit import HttpWorld, Item, Ledger, Request, Response, microsoft, page

NOTE = "a remark about a colleague"
CAP = 20
"""Tasks of one page."""
LEFT = 5
"""The person who has left the organisation."""


class PlannerWorld(Ledger, HttpWorld):
    """A tenant with one group a plan; in each plan open and finished tasks, of nobody, one or two people."""

    name: ClassVar[str] = "planner"
    logged: ClassVar[int] = 0

    plans: ClassVar[int] = 3

    def __init__(self, seed: int, *, scale: int = 1) -> None:
        """Fill it."""
        self.removed: set[str] = set()
        self.ghosts: set[str] = set()
        super().__init__(seed, scale=scale)

    def container_count(self) -> int:
        """Return the number of plans."""
        return self.plans

    def requests(self) -> int:
        """Return the plan of a full reading.

        The sign-in, the groups, and for each plan its list, columns, labels, pages and people.
        """
        pages = sum(1 + sum(item.container == n for item in self.seen()) // CAP for n in self.containers)
        return 3 + 3 * len(self.containers) + 2 * pages

    def seen(self) -> list[Item]:
        """Return what may be seen."""
        return [item for item in super().seen() if item.container not in self.removed]

    # ---------- answering ----------

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if (signing := microsoft.sign_in(request)) is not None:
            return signing
        if not microsoft.is_signed_in(request):
            return refused(401, "InvalidAuthenticationToken")
        shown = [n for n in self.containers if n not in self.hidden | self.removed or n in self.ghosts]
        match request.path.removeprefix("/v1.0/").split("/"):
            case ["groups"]:
                return Response(
                    body={"value": [{"id": f"g{n}", "displayName": f"Team {n}"} for n in self.containers]}
                )
            case ["groups", group, "planner", "plans"]:
                return Response(body={"value": [self.plan(n) for n in shown if f"g{n}" == group]})
            case ["directoryObjects", "getByIds"]:
                return Response(
                    body={
                        "value": [
                            self.person(one) for one in json.loads(request.body)["ids"] if one != person(LEFT)
                        ]
                    }
                )
            case ["planner", "plans", plan, *rest]:
                native = plan.removeprefix("plan")
                if native not in self.containers or native in self.removed:
                    return refused(404, "The requested item is not found.")
                return (
                    refused(403, "You do not have the required permissions.")
                    if native in self.hidden
                    else self.of_plan(native, rest, request)
                )
        return refused(400, "BadRequest")

    def of_plan(self, native: str, rest: list[str], request: Request) -> Response:
        """Answer about one plan."""
        match rest:
            case []:
                return Response(body=self.plan(native))
            case ["buckets"]:
                return Response(
                    body={
                        "value": [
                            {"id": f"b{n}-{native}", "name": name, "planId": f"plan{native}"}
                            for n, name in ((0, "En cours"), (1, "Terminé"))
                        ]
                    }
                )
            case ["details"]:
                return Response(
                    body={
                        "id": f"plan{native}",
                        "sharedWith": {},
                        "categoryDescriptions": {"category1": "Lot A", "category2": None},
                    }
                )
            case ["tasks"]:
                after = int(request.query.get("$skiptoken", 0))
                rows = page((item for item in self.seen() if item.container == native), after=after, size=CAP)
                body: dict[str, Any] = {"value": [self.shown(item) for item in rows]}
                if len(rows) == CAP:
                    body["@odata.nextLink"] = (
                        f"http://{request.headers['host']}{request.path}?$skiptoken={rows[-1].native}"
                    )
                return Response(body=body)
        return refused(400, "BadRequest")

    def plan(self, native: str) -> dict[str, Any]:
        """Show a plan."""
        return {
            "id": f"plan{native}",
            "title": self.containers[native],
            "owner": f"g{native}",
            "createdDateTime": "2024-01-02T08:00:00Z",
        }

    def person(self, native: str) -> dict[str, Any]:
        """Show a person."""
        return {
            "@odata.type": "#microsoft.graph.user",
            "id": native,
            "displayName": f"Élodie {native[-1]}",
            "mail": None,
            "userPrincipalName": f"user{native[-1]}@example.org",
            "jobTitle": NOTE,
        }

    def people(self, item: Item) -> list[str]:
        """Return who is on a task, the one who was put on it first at the head."""
        n = item.native
        return [[person(n % 5 + 1), person(9)], [person(2)], []][n % 3]

    def shown(self, item: Item) -> dict[str, Any]:
        """Show a task."""
        n = item.native
        assigned = {
            one: {
                "@odata.type": "#microsoft.graph.plannerAssignment",
                "assignedDateTime": f"2024-02-0{place + 1}T08:00:00Z",
                "orderHint": "a",
                "assignedBy": {},
            }
            for place, one in enumerate(self.people(item))
        }
        return {
            "@odata.etag": f'W/"{item.updated}"',
            "id": f"task{n}",
            "planId": f"plan{item.container}",
            "bucketId": f"b{int(item.done)}-{item.container}",
            "title": item.title,
            "percentComplete": 100 if item.done else 50 if n % 2 else 0,
            "createdDateTime": item.created,
            "startDateTime": None,
            "dueDateTime": "2024-06-30T22:00:00Z" if n % 2 else None,
            "completedDateTime": "2024-04-01T23:30:00Z" if item.done else None,
            "priority": 1 if n % 2 else 5,
            "assignments": assigned,
            "appliedCategories": {"category1": True} if n % 4 == 1 else {},
            "hasDescription": True,
            "conversationThreadId": NOTE,
        }

    # ---------- the answer sheet ----------

    def task_id(self, item: Item) -> str:
        """Return the id of a task."""
        return f"task{item.native}"

    def container_id(self, native: str) -> str:
        """Return the id of a plan."""
        return f"pplan{native}"

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Return what the store must hold: no key, no estimate, no stamp of the last change."""
        fields, n, people = super().task_fields(item), item.native, self.people(item)
        return {name: fields[name] for name in ("title", "container_id", "created_at")} | {
            "status_raw": "Terminé" if item.done else "En cours",
            "status_native": "done" if item.done else "in_progress" if n % 2 else "todo",
            "assignee_id": f"planner:u{people[0]}" if people else None,
            "due_on": "2024-07-01" if n % 2 else None,
            "labels": "Lot\u00a0A" if n % 4 == 1 else None,
            "actual_finish_on": "2024-04-02" if item.done else None,
            "priority_raw": "urgent" if n % 2 else "medium",
            "percent": 100.0 if item.done else 50.0 if n % 2 else 0.0,
            "resolved_at": "2024-04-01T23:30:00Z" if item.done else None,
        }

    def container_fields(self, native: str) -> dict[str, Any]:
        """Return what the store must hold; a day has the seven hours that the source declares."""
        return {"kind": "plan", "name": self.containers[native], "seconds_per_day": 25200}

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return tasks, and the people who are on one."""
        who = sorted({one for item in self.seen() for one in self.people(item)})
        people = {
            f"u{one}": {
                "display_name": None if one == person(LEFT) else f"Élodie {one[-1]}",
                "login": None if one == person(LEFT) else f"user{one[-1]}@example.org",
                "email": None if one == person(LEFT) else f"user{one[-1]}@example.org",
                "active": 0 if one == person(LEFT) else None,
            }
            for one in who
        }
        several = {
            f"task{item.native}/assignees": {
                "row_id": f"planner:task{item.native}",
                "field": "assignees",
                "text": ", ".join(f"planner:u{one}" for one in self.people(item)),
            }
            for item in self.seen()
            if len(self.people(item)) > 1
        }
        found = super().truth()
        boxes = {one: fields for one, fields in found["container"].items() if one[5:] not in self.removed}
        return {"container": boxes, "task": found["task"], "account": people, "custom_value": several}


def person(number: int) -> str:
    """Return the object id of a person."""
    return f"{number:08d}-aaaa-4bbb-8ccc-00000000000{number}"


def refused(status: int, why: str) -> Response:
    """Refuse as Graph does."""
    return Response(
        status=status,
        body={"error": {"code": why, "message": why, "innerError": {"date": "2026-01-01T00:00:00"}}},
    )
