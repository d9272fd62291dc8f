"""A simulator of Project Server, and its exports, written from the documentation of ProjectData.

Pages, counts, decimals as texts, no stamps that help.
"""

from __future__ import annotations

import base64
import csv
import io
import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import cache, partial
from typing import Any, ClassVar
from xml.sax.saxutils import escape
from zoneinfo import ZoneInfo

from hub import clock
from hub.testing.kit import SECRET, FileWorld, HttpWorld, Item, Ledger, Log, Request, Response, stamp

USER = "CONTOSO\\pmo"
NOTE = "a remark about a colleague"
CAP = 20
"""Rows of one page."""
LANGUAGE = "[en-US]"
_GUID = re.compile(r"(\w+) eq guid'([0-9a-f-]+)'")
_SINCE = re.compile(r"ModifiedDate ge datetime'([^']+)'")
_DAYS = re.compile(r"TimeByDay ge datetime'([^']+)' and TimeByDay le datetime'([^']+)'")
_PERIOD = re.compile(r"PeriodStartDate eq datetime'([^']+)'")
Rows = list[tuple[int | str, str, Callable[[], dict[str, Any]]]]
"""Rows of an entity set in the order of its key.

What is compared, the project or period, and how it is shown.
"""


@cache
def guid(what: str, native: object) -> str:
    """Return a key."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{what} {native}"))


@cache
def monday(day: str) -> str:
    """Return the first day of the week of a day."""
    found = date.fromisoformat(day)
    return (found - timedelta(days=found.weekday())).isoformat()


class ServerLedger(Ledger):
    """The rows of a Project Web App.

    Work by day, a baseline and links in its projects, hours of people in weekly timesheets.
    """

    name: ClassVar[str] = "pwa"
    plans: ClassVar[int] = 3

    def __init__(self, seed: int, *, scale: int = 1) -> None:
        """Fill it."""
        self.published: dict[str, str] = {}
        self.placed: dict[str, list[Item]] = {}
        self.removed: set[str] = set()
        today = datetime.now(UTC).date()
        self.able_days = [today + timedelta(days=n - today.weekday()) for n in range(7)]
        self.away: set[tuple[int, date]] = set()
        self.linked = True
        super().__init__(seed, scale=scale)

    def container_count(self) -> int:
        """Let the portfolio grow, not its plans: a plan is in memory while it is read."""
        return self.plans * self.scale

    # ---------- what happens ----------

    def publish(self, container: str) -> None:
        """Publish a project: it alone has a stamp that tells."""
        self.published[container] = self.tick()

    def _add(self, updated: str) -> str:
        native = super()._add(updated)
        self.placed = {}
        container = self.items[int(native)].container
        if updated <= self.published.get(container, ""):
            self.publish(container)  # a task comes with a publication, which is later than the last
        else:
            self.published[container] = updated
        return native

    def edit(self, native: str | None = None) -> str:
        """Change a title, and publish."""
        chosen = super().edit(native)
        self.publish(self.items[int(chosen)].container)
        return chosen

    def rename(self, native: str) -> None:
        """Return a task another place in the outline, and publish."""
        super().rename(native)
        self.publish(self.items[int(native)].container)

    def rename_container(self) -> str:
        """Give a project another name, and publish."""
        native = super().rename_container()
        self.publish(native)
        return native

    def delete(self, native: str | None = None) -> str:
        """Delete a task, and publish."""
        chosen = native or self.random.choice(sorted(map(str, self.items)))
        container = self.items[int(chosen)].container
        super().delete(chosen)
        self.placed = {}
        self.publish(container)
        return chosen

    def shown(self) -> list[str]:
        """Return the projects that exist."""
        return [n for n in self.containers if n not in self.removed]

    def seen(self) -> list[Item]:
        """Return the tasks that exist."""
        return [item for item in super().seen() if item.container not in self.removed]

    # ---------- the entity sets ----------

    def weeks(self) -> frozenset[str]:
        """Return the weeks that have hours, by their first days."""
        return frozenset(monday(log.started[:10]) for log in self.logs.values())

    def of_project(self, native: str) -> list[Item]:
        """Return the tasks of a project by its key."""
        if not self.placed:
            for item in self.seen():
                self.placed.setdefault(guid("project", item.container), []).append(item)
        return self.placed.get(native, [])

    def set(self, name: str, project: str = "") -> Rows:
        """Return the rows of an entity set, or those of a project."""
        items = self.of_project(project) if project else self.seen()
        match name:
            case "Projects":
                return [(f"{int(n):09d}", guid("project", n), partial(self.project, n)) for n in self.shown()]
            case "Tasks":
                heads: Rows = [
                    (f"0{int(n):08d}", guid("project", n), partial(self.head, n)) for n in self.shown()
                ]
                return heads + [
                    (f"{item.native:09d}", guid("project", item.container), partial(self.task, item))
                    for item in items
                ]
            case "Assignments":
                return [
                    (f"{item.native:09d}", guid("project", item.container), partial(self.assignment, item))
                    for item in items
                    if item.hours
                ]
            case "AssignmentTimephasedDataSet":
                return [
                    (
                        f"{item.native:09d}{day}",
                        guid("project", item.container),
                        partial(self.day, item, place),
                    )
                    for item in items
                    if item.hours
                    for place, day in enumerate(("a", "b"))
                ]
            case "TaskBaselines":
                return [
                    (f"{item.native:09d}", guid("project", item.container), partial(self.baseline, item))
                    for item in items
                ]
            case "ResourceTimephasedDataSet":
                return [
                    (f"{n:09d}{day}", "", partial(self.able, n, day))
                    for n in (1, 2, 3)
                    for day in self.able_days
                ]
            case "Resources":
                return [(f"{n:09d}", "", partial(self.resource, n)) for n in (1, 2, 3)]
            case "TimesheetPeriods":
                return [
                    (start, "", partial(self.period, start))
                    for start in sorted({*self.weeks(), "2024-01-01"})
                ]
            case "Timesheets":
                return [(start, start, partial(self.sheet, start)) for start in sorted(self.weeks())]
            case "TimesheetLines":
                return [
                    (f"{log.native:09d}", monday(log.started[:10]), partial(self.line, log))
                    for log in self.logs.values()
                ]
            case "TimesheetLineActualDataSet":
                return [
                    (f"{log.native:09d}{place}", monday(log.started[:10]), partial(self.spent, log, place))
                    for log in self.logs.values()
                    for place in (0, 1)
                ]
        return []

    # ---------- the rows ----------

    def project(self, native: str) -> dict[str, Any]:
        """Show a project."""
        return {
            "ProjectId": guid("project", native),
            "ProjectName": self.containers[native],
            "ProjectModifiedDate": local(self.published.get(native, "2024-01-01T00:00:00Z")),
            "ProjectStartDate": "2024-01-01T08:00:00",
            "ProjectFinishDate": "2024-12-31T17:00:00",
            "ProjectType": 0,
            "ProjectDescription": NOTE,
        }

    def head(self, native: str) -> dict[str, Any]:
        """Show the project summary task, which is no task."""
        item = Item(
            native=-int(native),
            key="0",
            container=native,
            title=self.containers[native],
            hours=999,
            done=False,
            created="2024-01-01T08:00:00+01:00",
            updated="",
        )
        return self.task(item) | {"TaskIsProjectSummary": True, "TaskIsSummary": True, "TaskOutlineLevel": 0}

    def task(self, item: Item) -> dict[str, Any]:
        """Show a task; below the summary of its project."""
        n, done = item.native, self.done(item)
        return {
            "ProjectId": guid("project", item.container),
            "TaskId": guid("task", n),
            "ParentTaskId": guid("task", -int(item.container)),
            "TaskName": item.title,
            "TaskStartDate": "2024-04-01T08:00:00",
            "TaskFinishDate": "2024-04-02T17:00:00",
            "TaskWork": decimal(item.hours),
            "TaskActualWork": decimal(done),
            "TaskRemainingWork": decimal(item.hours - done),
            "TaskPercentCompleted": 100 if item.done else 50 if n % 2 else 0,
            "TaskIsSummary": False,
            "TaskIsMilestone": n % 10 == 0,
            "TaskOutlineLevel": 1,
            "TaskWBS": item.key,
            "TaskIndex": n,
            "TaskIsActive": True,
            "TaskIsProjectSummary": False,
            "TaskActualStartDate": "2024-04-01T08:00:00" if done else None,
            "TaskActualFinishDate": "2024-04-02T17:00:00" if item.done else None,
            "TaskDeadline": "2024-06-30T17:00:00" if n % 2 else None,
            "TaskCreatedDate": item.created[:19],
            "TaskPriority": 500,
            "TaskNotes": NOTE,
            "Lot": f"Lot {n % 3}",
        }

    def done(self, item: Item) -> float:
        """Return the hours that are done."""
        return item.hours if item.done else item.hours / 2 if item.native % 2 else 0.0

    def assignment(self, item: Item) -> dict[str, Any]:
        """Show who works on a task."""
        done = self.done(item)
        return {
            "ProjectId": guid("project", item.container),
            "AssignmentId": guid("assignment", item.native),
            "TaskId": guid("task", item.native),
            "ResourceId": guid("resource", item.native % 3 + 1),
            "AssignmentWork": decimal(item.hours),
            "AssignmentActualWork": decimal(done),
            "AssignmentRemainingWork": decimal(item.hours - done),
        }

    def day(self, item: Item, place: int) -> dict[str, Any]:
        """Show a day of an assignment: half of the work on each of two days.

        They are later when the title was edited; nothing is done on the first one.
        """
        shift = len(item.title) % 2
        return {
            "ProjectId": guid("project", item.container),
            "AssignmentId": guid("assignment", item.native),
            "TimeByDay": f"2024-04-0{1 + place + shift}T00:00:00",
            "AssignmentWork": decimal(item.hours / 2),
            "AssignmentActualWork": decimal(self.done(item) if place else 0),
        }

    def baseline(self, item: Item) -> dict[str, Any]:
        """Show the baseline of a task."""
        return {
            "ProjectId": guid("project", item.container),
            "TaskId": guid("task", item.native),
            "BaselineNumber": 0,
            "TaskBaselineStartDate": "2024-03-25T08:00:00",
            "TaskBaselineFinishDate": "2024-03-29T17:00:00",
            "TaskBaselineWork": decimal(7),
        }

    def resource(self, number: int) -> dict[str, Any]:
        """Show a resource; the third is generic."""
        return {
            "ResourceId": guid("resource", number),
            "ResourceName": f"Élodie {number}",
            "ResourceEmailAddress": f"user{number}@example.org",
            "ResourceIsActive": number != 2,
            "ResourceNTAccount": f"CONTOSO\\user{number}",
            "ResourceCode": f"E{number}",
            "ResourceIsGeneric": number == 3,
        }

    def able(self, number: int, day: date) -> dict[str, Any]:
        """Show what a resource can do on a day: the first works seven hours, the others half of that."""
        hours = 0.0 if day.weekday() > 4 or (number, day) in self.away else 7.0 if number == 1 else 3.5
        return {
            "ResourceId": guid("resource", number),
            "TimeByDay": f"{day}T00:00:00",
            "Capacity": decimal(hours),
            "BaseCapacity": decimal(7.0 if day.weekday() < 5 else 0.0),
            "ResourceName": f"Élodie {number}",
        }

    def before(self, item: Item) -> Item | None:
        """Return the task that must end before this one."""
        found = self.items.get(item.native - 1)
        return found if found and item.native % 3 == 0 and found.container == item.container else None

    def link(self, item: Item) -> dict[str, Any]:
        """Show the link to the task before."""
        return {
            "Id": guid("link", item.native),
            "DependencyType": 1,
            "Start": {"Id": guid("task", item.native - 1)},
            "End": {"Id": guid("task", item.native)},
        }

    def period(self, start: str) -> dict[str, Any]:
        """Show a week."""
        return {
            "PeriodId": guid("period", start),
            "StartDate": f"{start}T00:00:00",
            "EndDate": f"{date.fromisoformat(start) + timedelta(days=6)}T23:59:59",
            "PeriodName": start,
        }

    def sheet(self, start: str) -> dict[str, Any]:
        """Show a timesheet; its stamp is the last of its lines."""
        newest = max(log.updated for log in self.logs.values() if monday(log.started[:10]) == start)
        return {
            "TimesheetId": guid("sheet", start),
            "ModifiedDate": local(newest),
            "StartDate": f"{start}T00:00:00",
        }

    def line(self, log: Log) -> dict[str, Any]:
        """Show a line of a timesheet; its task may be gone."""
        start, item = monday(log.started[:10]), self.items.get(log.item)
        return {
            "TimesheetLineId": guid("line", log.native),
            "TimesheetOwnerId": guid("resource", log.native % 3 + 1),
            "TimesheetOwner": f"Élodie {log.native % 3 + 1}",
            "PeriodStartDate": f"{start}T00:00:00",
            "PeriodEndDate": f"{date.fromisoformat(start) + timedelta(days=6)}T23:59:59",
            "ModifiedDate": local(log.updated),
            "ProjectId": guid("project", item.container) if item else None,
            "TaskId": guid("task", log.item),
            "TimesheetClassName": "Standard",
            "TimesheetStatus": "Approved" if log.native % 2 else "In Progress",
            "TimesheetLineStatus": "Pending",
            "TimesheetLineComment": NOTE,
        }

    def spent(self, log: Log, place: int) -> dict[str, Any]:
        """Show the hours of a line on its day: what was written first, and an adjustment."""
        hours = (log.hours + 1, -1.0)[place]
        return {
            "TimesheetLineId": guid("line", log.native),
            "TimeByDay": f"{log.started[:10]}T00:00:00",
            "AdjustmentIndex": place,
            "ActualWorkBillable": decimal(hours),
            "ActualWorkNonBillable": decimal(0),
            "ActualOvertimeWorkBillable": decimal(0),
            "ActualOvertimeWorkNonBillable": decimal(0),
            "TimesheetLineComment": NOTE,
        }

    # ---------- the answer sheet ----------

    def task_id(self, item: Item) -> str:
        """Return the id of a task."""
        return f"{guid('project', item.container)}/t/{guid('task', item.native)}"

    def container_id(self, native: str) -> str:
        """Return the id of a project."""
        return guid("project", native)

    def log_id(self, log: Log) -> str:
        """Return the id of a day of a line."""
        return f"w{monday(log.started[:10])}/{guid('line', log.native)}/{log.started[:10]}"

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Return what the store must hold."""
        n, done = item.native, self.done(item)
        worked = bool(item.hours)
        fields = super().task_fields(item)
        return {name: fields[name] for name in ("title", "container_id")} | {
            "wbs": item.key,
            "status_native": "done" if item.done else "in_progress" if done or n % 2 else "todo",
            "created_at": stamped(item.created),
            "estimate_s": round(item.hours * 3600) if worked or n % 10 == 0 else None,
            "spent_s": round(done * 3600) if worked or n % 10 == 0 else None,
            "due_on": "2024-06-30" if n % 2 else None,
            "parent_id": None,
            "assignee_id": f"pwa:r{guid('resource', n % 3 + 1)}" if worked else None,
            "remaining_s": round((item.hours - done) * 3600) if worked or n % 10 == 0 else None,
            "code": str(n),
            "kind": "milestone" if n % 10 == 0 else "work",
            "is_milestone": int(n % 10 == 0),
            "type_raw": "milestone" if n % 10 == 0 else "task",
            "priority_raw": "500",
            "planned_start_on": "2024-04-01",
            "planned_finish_on": "2024-04-02",
            "actual_start_on": "2024-04-01" if done else None,
            "actual_finish_on": "2024-04-02" if item.done else None,
            "percent": 100.0 if item.done else 50.0 if n % 2 else 0.0,
            "percent_kind": "duration",
            "deadline_on": "2024-06-30" if n % 2 else None,
        }

    def container_fields(self, native: str) -> dict[str, Any]:
        """Return what the store must hold; the service tells no day, so that it is one of eight hours."""
        return {
            "kind": "plan", "name": self.containers[native], "archived": 0, "seconds_per_day": 8 * 3600
        }  # fmt: skip

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Return what the store must hold."""
        home = self.items[log.item].container
        return super().log_fields(log) | {
            "container_id": f"pwa:{self.container_id(home)}",
            "approval": "approved" if log.native % 2 else "draft",
            "account_id": f"pwa:r{guid('resource', log.native % 3 + 1)}",
            "origin": "timesheet",
        }

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return tasks, hours, days of the plans, baselines and links."""
        found = super().truth()
        found["worklog"] = {
            native: fields for native, fields in found["worklog"].items() if fields["seconds"]
        }
        found["account"] = {
            f"r{guid('resource', n)}": {
                "display_name": f"Élodie {n}", "email": f"user{n}@example.org",
                "login": f"CONTOSO\\user{n}", "employee_no": f"E{n}",
                "active": int(n != 2), "kind": "generic" if n == 3 else "human",
            }
            for n in (1, 2, 3)
        }  # fmt: skip
        found["container"] = {self.container_id(n): self.container_fields(n) for n in self.shown()}
        found["custom_value"] = {
            f"{self.task_id(item)}/c/Lot": {
                "row_id": f"pwa:{self.task_id(item)}", "field": "Lot", "text": f"Lot {item.native % 3}"
            }
            for item in self.seen()
        }  # fmt: skip
        days: dict[str, dict[str, Any]] = {}
        found["assignment"] = {}
        for item in self.seen():
            names = {
                "task_id": f"pwa:{self.task_id(item)}",
                "account_id": f"pwa:r{guid('resource', item.native % 3 + 1)}",
            }
            placed = names | {"container_id": f"pwa:{self.container_id(item.container)}"}
            if item.hours:
                done = self.done(item)
                key = f"{guid('project', item.container)}/a/{guid('assignment', item.native)}"
                found["assignment"][key] = names | {
                    "planned_s": round(item.hours * 3600), "actual_s": round(done * 3600),
                    "remaining_s": round((item.hours - done) * 3600),
                }  # fmt: skip
            for place in (0, 1) if item.hours else ():
                day, base = (
                    self.day(item, place),
                    f"{guid('project', item.container)}/a/{guid('assignment', item.native)}",
                )
                on = day["TimeByDay"][:10]
                days[f"{base}/p/{on}"] = placed | {
                    "start_on": on,
                    "finish_on": on,
                    "seconds": round(float(day["AssignmentWork"]) * 3600),
                }
                if done := round(float(day["AssignmentActualWork"]) * 3600):
                    found["worklog"][f"{base}/w/{on}"] = placed | {
                        "day": on, "seconds": done, "origin": "plan"
                    }  # fmt: skip
        found["allocation"] = days
        found["baseline"] = {
            f"{self.task_id(item)}/b0": {
                "task_id": f"pwa:{self.task_id(item)}",
                "start_on": "2024-03-25",
                "finish_on": "2024-03-29",
                "effort_s": 25200,
            }
            for item in self.seen()
        }
        found["task_link"] = {
            f"{guid('project', item.container)}/l/"
            f"{guid('task', item.native - 1)}-{guid('task', item.native)}-FS": {
                "type": "FS",
                "from_id": f"pwa:{guid('project', item.container)}/t/{guid('task', item.native - 1)}",
                "to_id": f"pwa:{self.task_id(item)}",
            }
            for item in self.seen()
            if self.before(item)
        }
        return found


class ServerWorld(ServerLedger, HttpWorld):
    """A Project Web App that answers."""

    def requests(self) -> int:
        """Return the plan of a full reading.

        A row of each set, projects, resources; five sets a project; periods, their days and lines.
        """
        of_projects = sum(
            1 + 4 * (1 + 2 * sum(item.container == n for item in self.seen()) // CAP) for n in self.shown()
        )
        weeks = self.weeks()
        return (
            10
            + 1
            + len(self.containers) // CAP
            + 1
            + of_projects
            + 3
            + 1
            + 2 * len(weeks)
            + 4 * len(self.logs) // CAP
            + 7
            + 3 * len(self.able_days) // CAP
        )

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Add what people can work on the days that are shown, a row for those that are alike."""
        rows: dict[str, dict[str, Any]] = {}
        near = [day for day in self.able_days if -28 <= (day - clock.now().date()).days < 180]
        for number in (1, 2, 3) if near else ():
            first, hours = self.able_days[0], ["0"] * 7
            for day in self.able_days:
                hours[day.weekday()] = self.able(number, day)["Capacity"]
            for told in dict.fromkeys(hours):
                weekdays = "".join("1" if one == told else "0" for one in hours)
                rows[f"k{first}/{guid('resource', number)}/{weekdays}"] = {
                    "account_id": f"pwa:r{guid('resource', number)}", "weekdays": weekdays,
                    "start_on": f"{first}", "finish_on": f"{first + timedelta(days=6)}",
                    "seconds": round(float(told) * 3600), "units": 1.0,
                }  # fmt: skip
        return super().truth() | {"capacity": rows}

    # ---------- answering ----------

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if (
            request.headers.get("authorization")
            != "Basic " + base64.b64encode(f"{USER}:{SECRET}".encode()).decode()
        ):
            return Response(status=401, body=b"401 UNAUTHORIZED", headers={"Content-Type": "text/plain"})
        path = request.path.replace("%5B", "[").replace("%5D", "]")
        if found := re.fullmatch(
            r"/pwa/_api/ProjectServer/Projects\(guid'([0-9a-f-]+)'\)/TaskLinks", path.replace("%27", "'")
        ):
            if not self.linked:
                return Response(
                    status=403,
                    body={"odata.error": {"code": "-2147024891", "message": {"value": "Access denied."}}},
                )
            return Response(
                body={"value": [self.link(item) for item in self.of_project(found[1]) if self.before(item)]}
            )
        prefix, _, name = path.rpartition("/")
        if prefix != f"/pwa/_api/ProjectData/{LANGUAGE}":
            return Response(
                status=404, body={"odata.error": {"code": "", "message": {"value": "Resource not found."}}}
            )
        return self.listed(name, request)

    def listed(self, name: str, request: Request) -> Response:
        """Show a page of an entity set."""
        query = request.query
        text = query.get("$filter", "")
        found = _GUID.search(text)
        rows = self.set(name, found[2] if found else "")
        if found:
            rows = [row for row in rows if row[1] == found[2]]
        if found := _PERIOD.search(text):
            rows = [row for row in rows if row[1] == found[1][:10]]
        if found := _SINCE.search(text):
            rows = [row for row in rows if row[2]()["ModifiedDate"] >= found[1]]
        if found := _DAYS.search(text):
            rows = [
                row
                for row in rows
                if row[1] in {"", monday(found[1][:10])} and found[1] <= row[2]()["TimeByDay"] <= found[2]
            ]
        rows.sort(key=lambda row: row[0])
        if query.get("$orderby") == "ModifiedDate desc":
            rows.sort(key=lambda row: str(row[2]()["ModifiedDate"]), reverse=True)
        count, after = len(rows), query.get("$skiptoken")
        remaining = [row for row in rows if after is None or str(row[0]) > after]
        page = remaining[: min(CAP, int(query.get("$top", CAP)))]
        wanted = query.get("$select", "").split(",") if query.get("$select") else None
        body: dict[str, Any] = {
            "odata.metadata": f"$metadata#{name}",
            "value": [{k: v for k, v in row[2]().items() if wanted is None or k in wanted} for row in page],
        }
        if query.get("$inlinecount") == "allpages":
            body["odata.count"] = str(count)
        if len(remaining) > len(page) and "$top" not in query:
            more = {
                key: value for key, value in query.items() if key not in {"$inlinecount", "$skiptoken"}
            } | {"$skiptoken": str(page[-1][0])}
            body["odata.nextLink"] = f"{name}?" + "&".join(f"{key}={value}" for key, value in more.items())
        return Response(body=body)


class ExportWorld(ServerLedger, FileWorld):
    """The same, saved to files: each entity set in another of the forms that there are, some in pages."""

    def log_id(self, log: Log) -> str:
        """Return the id of a day of a line."""
        return f"w{guid('line', log.native)}/{log.started[:10]}"

    def files(self) -> dict[str, bytes]:
        """Write each entity set."""
        forms: dict[str, Callable[[list[dict[str, Any]]], bytes]] = {
            "Projects.json": lambda rows: json.dumps({"value": rows}).encode(),
            "Tasks.csv": as_csv,
            "Assignments.xml": as_atom,
            "AssignmentTimephasedDataSet.csv": as_csv,
            "TaskBaselines.xml": as_atom,
            "Resources.json": lambda rows: json.dumps({"d": {"results": rows}}).encode(),
            "TimesheetLines.json": lambda rows: json.dumps(
                [{"value": rows[:20]}, {"value": rows[20:]}]
            ).encode(),
            "TimesheetLineActualDataSet.csv": as_csv,
        }
        found = {
            name: write([row[2]() for row in self.set(name.partition(".")[0])])
            for name, write in forms.items()
        }
        links = [self.link(item) for item in self.seen() if self.before(item)]
        return found | {"TaskLinks.json": json.dumps(links).encode(), "readme.txt": b"saved before the end"}


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    """Write rows as a table."""
    out = io.StringIO()
    writer = csv.DictWriter(out, fieldnames=list(rows[0]) if rows else [])
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode("utf-8-sig")


def as_atom(rows: list[dict[str, Any]]) -> bytes:
    """Write rows as OData's Atom."""

    def cell(name: str, value: Any) -> str:
        if value is None:
            return f'<d:{name} m:null="true"/>'
        return f"<d:{name}>{escape(str(value).lower() if isinstance(value, bool) else str(value))}</d:{name}>"

    entries = "".join(
        '<entry><content type="application/xml">'
        f"<m:properties>{''.join(cell(*one) for one in row.items())}</m:properties></content></entry>"
        for row in rows
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom" '
        'xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices" '
        f'xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata">{entries}</feed>'
    ).encode()


def decimal(hours: float) -> str:
    """Return a decimal as OData 3 writes it: a text."""
    return f"{hours:.6f}"


def local(text: str) -> str:
    """Return a stamp without a zone, as the service does."""
    return text.removesuffix("Z")


def stamped(text: str) -> str:
    """Return the instant of a local time in Paris: the server writes it without a zone."""
    return stamp(datetime.fromisoformat(text[:19]).replace(tzinfo=ZoneInfo("Europe/Paris")))
