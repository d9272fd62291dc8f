"""A simulator of Taskworld, written from its documentation and samples.

POST only, token in the body, lists cut at what was asked for.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable
from datetime import datetime
from typing import Any, ClassVar

from hub import Account, Container, Record, Task
from hub.testing.kit import SECRET, HttpWorld, Item, Ledger, Request, Response, Simulator

PREFIX, SPACE, EMAIL = "/api/public/v1/", "5f0000000000000000000001", "kit@example.org"
COMMENT = "a remark about a colleague"
LIST = 40
"""Tasks of one list, at most."""


def hex_id(native: object) -> str:
    """Return an id as Taskworld writes it: 24 hexadecimal digits."""
    return f"{int(str(native)):024x}"


class TaskworldSite(ABC):
    """A workspace that answers; *cap* is the most rows of one list, whatever was asked."""

    cap = 5000

    @abstractmethod
    def boards(self) -> list[dict[str, Any]]:
        """Return the projects that this account is in."""

    @abstractmethod
    def columns(self, project: str) -> dict[str, tuple[str, list[Any]]] | None:
        """Return the lists of a project by id: title and tasks; None where this account is not in it."""

    @abstractmethod
    def number(self, task: Any) -> str:
        """Return the id of a task."""

    @abstractmethod
    def shown(self, task: Any) -> dict[str, Any]:
        """Show a task."""

    def answer(self, request: Request) -> Response:
        """Answer one call."""
        method = request.path.removeprefix(PREFIX)
        try:
            body = json.loads(request.body)
        except ValueError:
            return refused("invalid_payload", "The body is not JSON.")
        if request.method != "POST" or not isinstance(body, dict):
            return Response(status=404, body={"ok": False, "error": "unknown_method"})
        if method == "auth":
            if (body.get("email"), body.get("password")) != (EMAIL, SECRET):
                return refused("invalid_auth", "Email or password is wrong.")
            return Response(
                body={
                    "ok": True,
                    "access_token": SECRET,
                    "default_space_id": SPACE,
                    "workspaces": [{"space_id": SPACE}],
                }
            )
        if body.get("access_token") != SECRET:
            return refused("invalid_auth", "The token is wrong or expired.")
        if body.get("space_id") != SPACE:
            return refused("not_found", "No such workspace.")
        size = min(int(body.get("limit", 25)), self.cap)
        if method == "project.get-all":
            return Response(body={"ok": True, "projects": self.boards()[:size]})
        if method == "tasklist.get-all":
            columns = self.columns(str(body.get("project_id")))
            if columns is None:
                return refused("permission_denied", "You are not in this project.")
            shown = [
                {
                    "list_id": native,
                    "space_id": SPACE,
                    "project_id": body["project_id"],
                    "title": title,
                    "is_deleted": False,
                    "tasks": [self.number(task) for task in tasks],
                    "type": 0,
                    "is_inbox": False,
                }
                for native, (title, tasks) in columns.items()
            ]
            return Response(body={"ok": True, "tasklists": shown[:size]})
        if method == "tasklist.get-tasks":
            if "tasklist_id" not in body:
                return refused("invalid_payload", "tasklist_id is missing.")
            for board in self.boards():
                columns = self.columns(board["project_id"]) or {}
                if body["tasklist_id"] in columns:
                    title, tasks = columns[body["tasklist_id"]]
                    return Response(
                        body={
                            "ok": True,
                            "tasklist": {
                                "list_id": body["tasklist_id"],
                                "title": title,
                                "tasks": [self.shown(task) for task in tasks[:size]],
                            },
                        }
                    )
            return refused("not_found", "No such list.")
        return Response(status=404, body={"ok": False, "error": "unknown_method"})


def refused(code: str, why: str) -> Response:
    """Refuse as Taskworld does."""
    return Response(
        status=400, body={"ok": False, "error": code, "error_description": why, "error_code": 400}
    )


def shown_task(
    native: str, title: str, *, done: bool, people: Iterable[str], created: str, updated: str, **more: Any
) -> dict[str, Any]:
    """Show a task; what is not set is empty, not absent."""
    return {
        "task_id": native,
        "owner_id": hex_id(9),
        "space_id": SPACE,
        "title": title,
        "description": COMMENT,
        "checklist": [],
        "tags": [],
        "members": [{"user_id": one, "is_assignee": True} for one in people],
        "comments_count": 0,
        "color": 0,
        "points": None,
        "status": 2 if done else 0,
        "start_date": "",
        "due_date": "",
        "completed_date": "",
        "created": created,
        "updated": updated,
        "is_deleted": False,
    } | more


class TaskworldWorld(Ledger, TaskworldSite, HttpWorld):
    """A workspace with everything a connector must get right.

    Each project has lists of open and of finished tasks.
    """

    name: ClassVar[str] = "taskworld"
    logged: ClassVar[int] = 0

    def requests(self) -> int:
        """Return the plan of a full reading and its census.

        One sign-in, one list of projects, one call a project and one a list.
        """
        return 2 + len(self.containers) + sum(len(self.columns(hex_id(n)) or {}) for n in self.containers)

    def boards(self) -> list[dict[str, Any]]:
        """Return the projects that are not hidden."""
        return [
            {"project_id": hex_id(n), "space_id": SPACE, "title": name, "members": [hex_id(1)]}
            for n, name in self.containers.items()
            if n not in self.hidden
        ]

    def columns(self, project: str) -> dict[str, tuple[str, list[Any]]] | None:
        """Return the lists of a project that hold something."""
        n = str(int(project, 16))
        if n in self.hidden or n not in self.containers:
            return None
        found: dict[str, tuple[str, list[Any]]] = {}
        for item in self.seen():
            if item.container == n:
                place = hex_id(10_000_000 * int(n) + 1_000_000 * item.done + item.native // LIST)
                found.setdefault(place, (self.title_of(item), []))[1].append(item)
        return found

    def title_of(self, item: Item) -> str:
        """Return the title of the list that a task is in: a large board has more lists, not longer ones."""
        return f"{'Terminé' if item.done else 'En cours'} {item.native // LIST}"

    def number(self, task: Item) -> str:
        """Return the id of a task."""
        return hex_id(task.native)

    def shown(self, task: Item) -> dict[str, Any]:
        """Show a task: some have several people, some none, some no dates."""
        due = {"due_date": "2024-06-30T22:00:00.000Z"} if task.native % 2 else {}
        return shown_task(
            hex_id(task.native),
            task.title,
            done=task.done,
            people=self.people(task),
            created=task.created,
            updated=task.updated,
            points=task.native % 8,
            **due,
        )

    def task_id(self, item: Item) -> str:
        """Return the id of a task."""
        return hex_id(item.native)

    def container_id(self, native: str) -> str:
        """Return the id of a project."""
        return f"p{hex_id(native)}"

    def container_fields(self, native: str) -> dict[str, Any]:
        """Return what the store must hold: a board is named by its title alone."""
        title = self.containers[native]
        return {"kind": "board", "code": title, "name": title, "archived": 0}

    def people(self, task: Item) -> list[str]:
        """Return who is assigned to a task, in the order in which it shows them."""
        return {0: [hex_id(task.native % 5 + 1), hex_id(9)], 1: [hex_id(2)], 2: []}[task.native % 3]

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Add the people, who have no name here, and all that are on one task."""
        found = super().truth()
        del found["worklog"]
        owners = {*range(1, 6), 9}
        found["account"] = {f"u{hex_id(n)}": {"display_name": hex_id(n)} for n in owners}
        found["custom_value"] = {
            f"{hex_id(one.native)}/assignees": {
                "row_id": f"taskworld:{hex_id(one.native)}",
                "field": "assignees",
                "text": ", ".join(f"taskworld:u{who}" for who in self.people(one)),
            }
            for one in self.seen()
            if len(self.people(one)) > 1
        }
        return found

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Return what the store must hold: no key, no estimate, the title of the list as status."""
        people = self.people(item)
        fields = super().task_fields(item)
        return {name: fields[name] for name in ("title", "container_id", "created_at", "updated_at")} | {
            "status_raw": self.title_of(item),
            "status_native": "done" if item.done else None,
            "points": float(item.native % 8),
            "assignee_id": f"taskworld:u{people[0]}" if people else None,
            "reporter_id": f"taskworld:u{hex_id(9)}",
            "due_on": "2024-07-01" if item.native % 2 else None,
        }


class TaskworldSimulator(TaskworldSite, Simulator):
    """A workspace that holds records.

    Ids of projects, people and tasks are numbers. The list of a task is its `status_raw`.
    """

    settings: ClassVar[dict[str, Any]] = {"space": SPACE}

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.projects: dict[str, Container] = {}
        self.tasks: dict[str, list[Task]] = {}

    def show(self, records: Iterable[Record], now: datetime) -> None:
        """Hold *records*; *now* changes nothing here."""
        projects: dict[str, Container] = {}
        tasks: dict[str, list[Task]] = {}
        for record in records:
            if isinstance(record, Container):
                projects[hex_id(record.id)] = record
            elif isinstance(record, Task):
                tasks.setdefault(hex_id(record.container_id), []).append(record)
            elif not isinstance(record, Account):
                raise TypeError(f"the simulator of Taskworld does not hold {record.table}")
        self.projects, self.tasks = projects, tasks

    def boards(self) -> list[dict[str, Any]]:
        """Return the projects."""
        return [
            {"project_id": native, "space_id": SPACE, "title": one.name, "members": []}
            for native, one in self.projects.items()
        ]

    def columns(self, project: str) -> dict[str, tuple[str, list[Any]]] | None:
        """Return a list for each status that occurs."""
        if project not in self.projects:
            return None
        found: dict[str, list[Task]] = {}
        for task in self.tasks.get(project, []):
            found.setdefault(task.status_raw or "", []).append(task)
        return {
            hex_id(int(project, 16) * 100 + n): (title, found[title]) for n, title in enumerate(sorted(found))
        }

    def number(self, task: Task) -> str:
        """Return the id of a task."""
        return hex_id(task.id)

    def shown(self, task: Task) -> dict[str, Any]:
        """Show a task."""
        return shown_task(
            hex_id(task.id),
            task.title,
            done=task.status_native == "done",
            people=[hex_id(task.assignee_id)] if task.assignee_id else [],
            created=task.created_at or "",
            updated=task.updated_at or task.created_at or "",
            points=task.points,
            due_date=task.due_on or "",
        )
