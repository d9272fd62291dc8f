"""A site filled with given records: projects, people, sprints, issues and their history."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec

from hub import Account, Container, Iteration, Record, Task, TaskChange
from hub.testing.kit import Simulator
from hub_jira.testing.answers import Caps, local
from hub_jira.testing.fields import field_def
from hub_jira.testing.site import JiraSite, status_def

SPRINT, POINTS = "customfield_10020", "customfield_10016"
_KEYS = {
    "todo": "new",
    "ready": "new",
    "in_progress": "indeterminate",
    "blocked": "indeterminate",
    "done": "done",
    "cancelled": "done",
}
_TRACKED = {"status": "Status", "issuetype": "Issue Type"}


class _Issue(msgspec.Struct):
    """An issue as a search must know it."""

    native: int
    key: str
    container: str
    created: str
    updated: str
    task: Task


class JiraSimulator(JiraSite, Simulator):
    """A site of Jira Cloud that holds records.

    Ids of projects, sprints, issues and lines of history are numbers; those of accounts are texts. A status
    is what `status_native` of the issues that have it says, a type is an epic where its issues are summaries.
    Lines of history are of ``status`` and ``issuetype``.
    """

    email = "pmo@demo.example"
    settings: ClassVar[dict[str, Any]] = {"email": email}
    field_list = (
        field_def("summary", "Summary", "string", None), field_def("status", "Status", "status", None),
        field_def(SPRINT, "Sprint", "array", "com.pyxis.greenhopper.jira:gh-sprint"),
        field_def(POINTS, "Story point estimate", "number", "com.pyxis.greenhopper.jira:jsw-story-points"),
    )  # fmt: skip

    def __init__(self) -> None:
        """Hold nothing yet."""
        self.caps, self.lag_s = Caps(), 0
        self.hidden, self.archived, self.trashed = set[str](), set[str](), set[str]()
        self.logs, self.gone = {}, []
        self.show((), datetime(2024, 1, 1, tzinfo=UTC))

    def show(self, records: Iterable[Record], now: datetime) -> None:
        """Hold *records* as of *now*."""
        self.now = now
        kinds: dict[type[Record], dict[str, Any]] = {
            Container: {},
            Account: {},
            Iteration: {},
            Task: {},
            TaskChange: {},
        }
        for record in records:
            if type(record) not in kinds:
                raise TypeError(f"the simulator of Jira does not hold {record.table}")
            kinds[type(record)][record.id] = record
        self.accounts: dict[str, Account] = kinds[Account]
        self.sprints: dict[str, Iteration] = kinds[Iteration]
        self.containers = {one.id: one.name for one in kinds[Container].values()}
        self.keys = {one.id: one.code for one in kinds[Container].values()}
        self.lines: dict[int, list[TaskChange]] = {}
        for line in sorted(kinds[TaskChange].values(), key=lambda one: (one.at, int(one.id))):
            self.lines.setdefault(int(line.task_id), []).append(line)
        tasks: list[Task] = sorted(kinds[Task].values(), key=lambda one: int(one.id))
        self.issues = {
            one.id: _Issue(
                int(one.id), one.code or "", one.container_id, one.created_at or "", one.updated_at or "", one
            )
            for one in tasks
        }
        self._rows = list(self.issues.values())
        states = {one.status_raw or "": _KEYS[one.status_native or "todo"] for one in tasks}
        for line in kinds[TaskChange].values():
            if line.field == "status":
                states.setdefault(line.from_value, "new")
                states.setdefault(line.to_value, "indeterminate")
        self.states = {
            name: (str(10_000 + number), states[name]) for number, name in enumerate(sorted(states))
        }
        levels = {one.type_raw or "": int(one.kind == "summary") for one in tasks}
        self.levels = {
            name: (str(10_100 + number), levels[name]) for number, name in enumerate(sorted(levels))
        }
        self.status_list = [status_def(native, name, key) for name, (native, key) in self.states.items()]
        self.type_list = [
            {"id": native, "name": name, "subtask": False, "hierarchyLevel": level}
            for name, (native, level) in self.levels.items()
        ]

    # ---------- what it holds ----------

    def seen(self) -> list[_Issue]:
        """Return every issue: this site hides nothing."""
        return self._rows

    def by_id(self) -> dict[str, _Issue]:
        """Return them by their number."""
        return self.issues

    def logs_on(self, native: int) -> list[Any]:
        """Return no hours: here they are in timesheets."""
        return []

    def changes_of(self, native: int) -> list[TaskChange]:
        """Return the history of an issue."""
        return self.lines.get(native, [])

    def user(self, number: int) -> dict[str, Any]:
        """Show the account that asks."""
        return {
            "accountId": f"svc-{number}",
            "accountType": "app",
            "displayName": "pm-hub",
            "active": True,
            "timeZone": "Europe/Paris",
        }

    def person(self, native: str | None) -> dict[str, Any] | None:
        """Show a person of the records."""
        if native is None:
            return None
        one = self.accounts[native]
        return {
            "accountId": one.id,
            "accountType": "atlassian",
            "displayName": one.display_name,
            "active": True,
            "timeZone": one.tz or "Europe/Paris",
        } | ({"emailAddress": one.email} if one.email else {})

    def sprint(self, one: Iteration) -> dict[str, Any]:
        """Show a sprint."""
        return {"id": int(one.id), "name": one.name, "state": one.state, "boardId": 1, "goal": ""} | {
            name: f"{value[:19]}.000Z"
            for name, value in (
                ("startDate", one.start_at),
                ("endDate", one.finish_at),
                ("completeDate", one.completed_at),
            )
            if value
        }

    def field(self, item: _Issue, name: str) -> Any:
        """Return the value of one field; null for those that this site does not use."""
        task = item.task
        match name:
            case "summary":
                return task.title
            case "status":
                native, key = self.states[task.status_raw or ""]
                return {"id": native, "name": task.status_raw, "statusCategory": {"key": key}}
            case "issuetype":
                native, level = self.levels[task.type_raw or ""]
                return {"id": native, "name": task.type_raw, "subtask": False, "hierarchyLevel": level}
            case "project":
                return self.project(item.container)
            case "created":
                return local(item.created)
            case "updated":
                return local(item.updated)
            case "assignee":
                return self.person(task.assignee_id)
            case "labels":
                return task.labels.split() if task.labels else []
            case "duedate":
                return task.due_on
            case "parent":
                return (
                    {"id": task.parent_id, "key": self.issues[task.parent_id].key} if task.parent_id else None
                )
            case "worklog":
                return {"startAt": 0, "maxResults": self.caps.embedded_worklogs, "total": 0, "worklogs": []}
        if name == POINTS:
            return task.points
        if name == SPRINT and task.iteration_id:
            return [self.sprint(self.sprints[task.iteration_id])]
        return None

    def worklog(self, log: Any) -> dict[str, Any]:
        """Show hours: there are none."""
        raise NotImplementedError

    def history_line(self, line: TaskChange) -> dict[str, Any]:
        """Show a line of history."""
        known = self.states if line.field == "status" else self.levels
        sides = [(known.get(one or "", ("0",))[0], one) for one in (line.from_value, line.to_value)]
        item = {
            "field": _TRACKED[line.field].lower(),
            "fieldtype": "jira",
            "fieldId": line.field,
            "from": sides[0][0],
            "fromString": sides[0][1],
            "to": sides[1][0],
            "toString": sides[1][1],
        }
        return {
            "id": line.id,
            "author": self.person(line.author_id),
            "created": local(line.at),
            "items": [item],
        }
