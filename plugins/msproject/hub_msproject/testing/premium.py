"""A simulator of Dataverse with the tables of Planner premium, written from its documentation.

Pages, change tracking, tombstones, metadata, privileges.
"""

from __future__ import annotations

import itertools
import json
import re
import uuid
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from functools import cache, partial
from typing import Any, ClassVar, NamedTuple
from zoneinfo import ZoneInfo

from hub import clock
from hub.testing.kit import HttpWorld, Item, Ledger, Request, Response, microsoft
from hub_msproject.services import premium_rows as premium
from hub_msproject.services.dataverse import Table

ROOT = "/api/data/v9.2/"
NOTE = "a remark about a colleague"
CAP = 20
"""Rows of one page."""
AGGREGATED = 50_000
"""Rows that an aggregate goes through."""
SETS = {one.name: f"{one.name[:-1]}ies" if one.name.endswith("y") else f"{one.name}s" for one in premium.ALL}
FIRST = datetime.fromisoformat("2024-04-01T07:00:00+00:00")
TYPES = {192350000: "Finish-to-Start", 192350001: "Start-to-Start"}


CREATED = "2024-01-02T00:00:00Z"
TEMPLATE = Item(
    native=1,
    key="",
    container="99",
    title="of a template",
    hours=8,
    done=False,
    created=CREATED,
    updated=CREATED,
)
"""The task of a template, which is no work."""


class Entry(NamedTuple):
    """A row: its key, the stamp of its last change, and how it is shown."""

    key: str
    stamp: str
    show: Callable[[], dict[str, Any]]


@cache
def guid(table: str, native: object) -> str:
    """Return the key of a row."""
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"{table} {native}"))


class PremiumWorld(Ledger, HttpWorld):
    """An organisation.

    *tracked* is whether it tracks changes, *depth* how far the account sees, *renamed* a column that it calls
    otherwise. Everybody is *away* on some days; *blocks* are what every calendar says, None for the usual.
    """

    name: ClassVar[str] = "premium"
    logged: ClassVar[int] = 0

    def __init__(self, seed: int, *, scale: int = 1, tracked: bool = True) -> None:
        """Fill it."""
        self.tracked, self.depth = tracked, "Global"
        self.edits: dict[int, int] = {}
        self.version = self.oldest = 0
        self.held: dict[tuple[str, str], tuple[int, int]] = {}
        self.stones: list[tuple[int, str, str]] = []
        self.without: set[str] = set()
        self.away: set[str] = set()
        self.blocks: list[dict[str, Any]] | None = None
        self.fresh = False
        super().__init__(seed, scale=scale)

    def requests(self) -> int:
        """Return the plan of a full reading.

        Sign-in, metadata, privileges, short lists; for each table its mark, its count, its pages, and what
        changed meanwhile.
        """
        pages = sum(1 + len(self.entries(one.name)) // CAP for one in premium.MAIN)
        return 2 + 2 + 2 + 4 + 1 + 2 + pages + 4 * 3 + pages

    # ---------- what happens ----------

    def _add(self, updated: str) -> str:
        self.fresh = False
        return super()._add(updated)

    def edit(self, native: str | None = None) -> str:
        """Change a title, and the days of the work."""
        chosen = super().edit(native)
        self.edits[int(chosen)] = self.edits.get(int(chosen), 0) + 1
        self.fresh = False
        return chosen

    def rename_container(self) -> str:
        """Give a project another name: its row changes."""
        self.fresh = False
        return super().rename_container()

    def delete(self, native: str | None = None) -> str:
        """Delete a task with its links and assignments."""
        self.fresh = False
        return super().delete(native)

    def expire(self) -> None:
        """Let the links to changes be too old."""
        self._note()
        self.version += 1
        self.oldest = self.version

    def _note(self) -> None:
        """Return what changed since the last request its versions."""
        if self.fresh:
            return
        now = {
            (table.name, one.key): hash(json.dumps(one.show()))
            for table in premium.MAIN
            for one in self.entries(table.name)
        }
        for place in [place for place in self.held if place not in now]:
            self.version += 1
            self.stones.append((self.version, *place))
            del self.held[place]
        for place, content in now.items():
            if place not in self.held or self.held[place][1] != content:
                self.version += 1
                self.held[place] = (self.version, content)
        self.fresh = True

    # ---------- answering ----------

    def answer(self, request: Request) -> Response:
        """Answer one request."""
        if (signing := microsoft.sign_in(request)) is not None:
            return signing
        if not microsoft.is_signed_in(request):
            return Response(status=401)
        path = request.path.removeprefix(ROOT)
        self._note()
        if path == "WhoAmI":
            return Response(
                body={
                    "UserId": guid("systemuser", 1),
                    "BusinessUnitId": guid("unit", 1),
                    "OrganizationId": guid("org", 1),
                }
            )
        if match := re.fullmatch(r"calendars\(([\w-]+)\)/Microsoft\.Dynamics\.CRM\.ExpandCalendar\(.*", path):
            if not {"@s", "@e"} <= request.query.keys():
                return refused(400, "0x80048d19", "The parameters Start and End are required.")
            return self.expanded(match.group(1), request.query["@s"], request.query["@e"])
        if path == "EntityDefinitions":
            return Response(
                body={
                    "value": [
                        self.metadata(one)
                        for one in premium.ALL
                        if f"'{one.name}'" in request.query.get("$filter", f"'{one.name}'")
                    ]
                }
            )
        if "PicklistAttributeMetadata" in path:
            options = [
                {
                    "Value": value,
                    "Label": {
                        "LocalizedLabels": [
                            {"Label": "Fin à Début", "LanguageCode": 1036},
                            {"Label": name, "LanguageCode": 1033},
                        ]
                    },
                }
                for value, name in TYPES.items()
            ]
            return Response(
                body={"LogicalName": "linktype", "OptionSet": {"Options": options}, "GlobalOptionSet": None}
            )
        if "RetrieveUserSetOfPrivilegesByNames" in path:
            names = json.loads(request.query.get("@names", "[]"))
            return Response(
                body={
                    "RolePrivileges": [
                        {"Depth": self.depth, "PrivilegeId": guid("privilege", one), "PrivilegeName": one}
                        for one in names
                    ]
                }
            )
        if match := re.fullmatch(r"(\w+)\(([0-9a-f-]{36})\)", path):
            return self.one(match.group(1), match.group(2))
        table = next((name for name, found in SETS.items() if found == path), None)
        if table is None:
            return refused(404, "0x80060888", f"Resource not found for the segment '{path}'.")
        sizes = [
            int(part.rpartition("=")[2])
            for part in request.headers.get("prefer", "").split(",")
            if "maxpagesize" in part
        ]
        size = min([CAP, *sizes])
        if "$deltatoken" in request.query:
            return self.changed_since(table, request, size)
        return self.listed(table, request, size)

    def one(self, of: str, key: str) -> Response:
        """Show one row by its key."""
        table = next((name for name, found in SETS.items() if found == of), "")
        found = next((one for one in self.entries(table) if one.key == key), None) if table else None
        if found is None:
            return refused(404, "0x80040217", f"{table} With Id = {key} Does Not Exist")
        return Response(body={f"{table}id": key})

    def expanded(self, calendar: str, start: str, end: str) -> Response:
        """Return the blocks of a calendar: seven hours from Monday to Friday in Paris, less who is away."""
        number = next((n for n in (1, 2, 3) if guid("calendar", n) == calendar), None)
        if number is None:
            return refused(404, "0x80040217", f"Entity 'Calendar' With Id = {calendar} Does Not Exist")
        if self.blocks is not None:
            return Response(body={"result": self.blocks})
        first, last = (datetime.fromisoformat(one) for one in (start, end))
        shown: list[dict[str, Any]] = []
        while first < last:
            day, first = first.date(), first + timedelta(days=1)
            if day.weekday() > 4:
                continue
            hours = [(9, 17, "Unavailable", "Vacation")] if day.isoformat() in self.away else [
                (9, 12, "Available", "Schedulable"), (13, 17, "Available", "Schedulable"),
            ]  # fmt: skip
            for since, until, code, sub in hours:
                at = (
                    datetime.combine(day, time(hour), ZoneInfo("Europe/Paris")).astimezone(UTC)
                    for hour in (since, until)
                )
                ends = dict(zip(("Start", "End"), (f"{one:%Y-%m-%dT%H:%M:%SZ}" for one in at), strict=True))
                shown.append(ends | {
                    "TimeCode": code, "SubCode": sub, "SourceId": guid("resource", number),
                    "CalendarId": calendar, "SourceTypeCode": 0, "IsActivity": False,
                    "ActivityStatusCode": -1, "Effort": 1.0, "DisplayText": "",
                })  # fmt: skip
        return Response(body={"result": shown})

    def listed(self, table: str, request: Request, size: int) -> Response:
        """Show a page of a table."""
        query = request.query
        tracking = "odata.track-changes" in request.headers.get("prefer", "")
        if tracking and ("$filter" in query or "$orderby" in query or "$expand" in query or not self.tracked):
            return refused(400, "0x80060888", "The query is not supported with change tracking.")
        entries = sorted(self.entries(table), key=lambda one: one.key)
        if query.get("$apply") == "aggregate($count as count)":
            if len(entries) > AGGREGATED:
                return refused(400, "0x8004e023", "The maximum record limit is exceeded.")
            return Response(body={"value": [{"count": len(entries)}]})
        match query.get("$filter", "").split():
            case ["modifiedon", "ge", since]:
                entries = [one for one in entries if one.stamp >= since]
            case ["msdyn_istemplate", "eq", "true"]:
                entries = [one for one in entries if one.show()["msdyn_istemplate"]]
            case []:
                pass
            case _:
                return refused(400, "0x80060888", "The filter is not understood.")
        after = query.get("$skiptoken", "")
        if query.get("$orderby") == "modifiedon desc":
            shown = remaining = sorted(entries, key=lambda one: one.stamp, reverse=True)[
                : int(query.get("$top", 1))
            ]
        else:
            remaining = [one for one in entries if one.key > after]
            shown = remaining[:size]
        body: dict[str, Any] = {"value": [self.selected(table, one.show(), query) for one in shown]}
        if len(remaining) > len(shown):
            body["@odata.nextLink"] = self.link(request, {"$skiptoken": shown[-1].key})
        elif tracking:
            body["@odata.deltaLink"] = self.link(request, {"$deltatoken": self.version, "$skiptoken": None})
        return Response(body=body)

    def changed_since(self, table: str, request: Request, size: int) -> Response:
        """Show a page of what changed."""
        since = int(request.query["$deltatoken"])
        if since < self.oldest:
            return refused(
                400,
                "0x80044352",
                "Version stamp associated with the client has expired. Please perform a full sync.",
            )
        place = f"http://{request.headers['host']}{ROOT}$metadata#{SETS[table]}/$deletedEntity"
        changed = [
            (
                version,
                Entry(
                    native, "", partial(dict, {"@odata.context": place, "id": native, "reason": "deleted"})
                ),
            )
            for version, name, native in self.stones
            if name == table and version > since
        ]
        changed += [
            (self.held[table, one.key][0], one)
            for one in self.entries(table)
            if self.held[table, one.key][0] > since
        ]
        changed.sort(key=lambda one: one[0])
        rows = [one.show() for _, one in changed[:size]]
        body: dict[str, Any] = {
            "value": [row if "reason" in row else self.selected(table, row, request.query) for row in rows]
        }
        if len(changed) > size:
            body["@odata.nextLink"] = self.link(request, {"$deltatoken": changed[size - 1][0]})
        else:
            body["@odata.deltaLink"] = self.link(request, {"$deltatoken": self.version})
        return Response(body=body)

    def link(self, request: Request, change: dict[str, Any]) -> str:
        """Return the address of another page."""
        query = {name: value for name, value in (request.query | change).items() if value is not None}
        return f"http://{request.headers['host']}{request.path}?" + "&".join(
            f"{name}={value}" for name, value in query.items()
        )

    def selected(self, table: str, row: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
        """Show the columns that were asked for, with the stamp of the row; without a choice all of them."""
        names = (
            [*query["$select"].split(","), *(["UserId"] if "$expand" in query else [])]
            if "$select" in query
            else [*row]
        )
        return (
            {"@odata.etag": f'W/"{self.version}"'}
            | {name: row[name] for name in names}
            | {f"{table}id": row[f"{table}id"]}
        )

    def metadata(self, table: Table) -> dict[str, Any]:
        """Show what a table is."""
        columns = {
            table.key,
            *(name.removeprefix("_").removesuffix("_value") for name in (*table.needed, *table.wanted)),
            "msdyn_comments",
        }
        return {
            "LogicalName": table.name,
            "EntitySetName": SETS[table.name],
            "ChangeTrackingEnabled": self.tracked,
            "Attributes": [
                {"LogicalName": name} for name in sorted(columns - self.without - {"msdyn_linktype"})
            ],
        }

    # ---------- the tables ----------

    def entries(self, name: str) -> list[Entry]:
        """Return the rows of a table."""
        if name == premium.PROJECTS.name:
            return [
                Entry(guid("project", n), CREATED, partial(self.project, n)) for n in (*self.containers, "99")
            ]
        if name == premium.TASKS.name:
            return [
                Entry(guid("task", one.native), one.updated, partial(self.task, one))
                for one in (*self.seen(), TEMPLATE)
            ]
        if name == premium.LINKS.name:
            return [
                Entry(guid("link", one.native), one.updated, partial(self.dependency, one))
                for one in self.seen()
                if self.before(one)
            ]
        if name == premium.ASSIGNMENTS.name:
            return [
                Entry(guid("assignment", one.native), one.updated, partial(self.assignment, one))
                for one in self.seen()
                if one.hours
            ]
        return [Entry(row[f"{name}id"], CREATED, partial(dict, row)) for row in self.short(name)]

    def short(self, name: str) -> list[dict[str, Any]]:
        """Return the rows of a list that does not grow."""
        if name == premium.BUCKETS.name:
            return [
                {"msdyn_projectbucketid": guid("bucket", done), "msdyn_name": text}
                for done, text in ((False, "En cours"), (True, "Terminé"))
            ]
        if name == premium.SPRINTS.name:
            return [
                {
                    "msdyn_projectsprintid": guid("sprint", n),
                    "msdyn_name": f"Sprint {n}",
                    "_msdyn_project_value": guid("project", n),
                    "msdyn_start": "2024-04-01T07:00:00Z",
                    "msdyn_finish": "2024-04-12T15:00:00Z",
                }
                for n in self.containers
            ]
        return [
            {
                "bookableresourceid": guid("resource", n),
                "name": f"Élodie {n}",
                "resourcetype": 3 if n < 3 else 1,
                "statecode": 0,
                "_userid_value": guid("systemuser", n),
                "_calendarid_value": guid("calendar", n),
                "UserId": {
                    "internalemailaddress": f"user{n}@example.org",
                    "domainname": f"user{n}@example.org",
                    "isdisabled": n == 2,
                }
                if n < 3
                else None,
            }
            for n in (1, 2, 3)
        ]

    def project(self, native: str) -> dict[str, Any]:
        """Show a project; one is a template."""
        return {
            "msdyn_projectid": guid("project", native),
            "msdyn_subject": self.containers.get(native, "Template"),
            "modifiedon": CREATED,
            "statecode": 0,
            "msdyn_hoursperday": 7.0,
            "msdyn_istemplate": native == "99",
        }

    def progress(self, item: Item) -> float:
        """Return how much of a task is done."""
        return 1.0 if item.done else 0.25 if item.native % 2 else 0.0

    def task(self, item: Item) -> dict[str, Any]:
        """Show a task."""
        n, hours = item.native, item.hours
        return {
            "msdyn_projecttaskid": guid("task", n),
            "_msdyn_project_value": guid("project", item.container),
            "_msdyn_parenttask_value": None,
            "msdyn_subject": item.title,
            "msdyn_start": "2024-04-01T22:30:00Z",
            "msdyn_finish": "2024-04-05T15:00:00Z",
            "msdyn_effort": hours,
            "msdyn_effortcompleted": hours * self.progress(item),
            "msdyn_effortremaining": hours * (1 - self.progress(item)),
            "msdyn_progress": self.progress(item),
            "createdon": item.created,
            "modifiedon": item.updated,
            "msdyn_ismilestone": n % 10 == 0,
            "msdyn_summary": False,
            "msdyn_outlinelevel": 1,
            "_msdyn_projectbucket_value": guid("bucket", item.done),
            "_msdyn_projectsprint_value": guid("sprint", item.container) if n % 2 else None,
            "msdyn_priority": 1 if n % 2 else 5,
            "msdyn_actualstart": None,
            "msdyn_actualend": "2024-04-04T15:00:00Z" if item.done else None,
            "msdyn_iscritical": n % 4 == 0,
            "msdyn_ismanual": False,
            "msdyn_description": None,
            "statecode": 0,
            "msdyn_comments": NOTE,
        }

    def before(self, item: Item) -> Item | None:
        """Return the task that must end before this one."""
        found = self.items.get(item.native - 1)
        return (
            found
            if found
            and item.native % 3 == 0
            and found.container == item.container
            and found.container not in self.hidden
            else None
        )

    def dependency(self, item: Item) -> dict[str, Any]:
        """Show the link to the task before."""
        return {
            "msdyn_projecttaskdependencyid": guid("link", item.native),
            "_msdyn_predecessortask_value": guid("task", item.native - 1),
            "_msdyn_successortask_value": guid("task", item.native),
            "modifiedon": item.updated,
            "_msdyn_project_value": guid("project", item.container),
            "msdyn_projecttaskdependencylinktype": 192350000 + item.native % 2,
            "statecode": 0,
        }

    def spans(self, item: Item) -> list[tuple[datetime, datetime, float]]:
        """Return the planned work: two days, later with each edit.

        Some is until midnight, some one span of three days.
        """
        start = FIRST + timedelta(days=7 * self.edits.get(item.native, 0))
        if item.native % 5 == 0:
            return [(start, start + timedelta(days=2, hours=8), item.hours)]
        end = timedelta(hours=15 if item.native % 7 == 0 else 8)
        return [
            (start + timedelta(days=day), start + timedelta(days=day) + end, item.hours / 2) for day in (0, 1)
        ]

    def assignment(self, item: Item) -> dict[str, Any]:
        """Show who works on a task, and when."""
        spans = [
            {
                "Start": f"/Date({round(first.timestamp() * 1000)})/",
                "End": f"/Date({round(last.timestamp() * 1000)})/",
                "Hours": hours,
            }
            for first, last, hours in self.spans(item)
        ]
        return {
            "msdyn_resourceassignmentid": guid("assignment", item.native),
            "_msdyn_taskid_value": guid("task", item.native),
            "_msdyn_projectid_value": guid("project", item.container),
            "_msdyn_bookableresourceid_value": guid("resource", item.native % 3 + 1),
            "msdyn_plannedwork": json.dumps(spans),
            "modifiedon": item.updated,
            "msdyn_start": f"{self.spans(item)[0][0]:%Y-%m-%dT%H:%M:%SZ}",
            "msdyn_finish": f"{self.spans(item)[-1][1]:%Y-%m-%dT%H:%M:%SZ}",
            "msdyn_effort": item.hours,
            "msdyn_effortcompleted": item.hours * self.progress(item),
            "msdyn_effortremaining": item.hours * (1 - self.progress(item)),
            "statecode": 0,
        }

    # ---------- the answer sheet ----------

    def task_id(self, item: Item) -> str:
        """Return the id of a task."""
        return guid("task", item.native)

    def container_id(self, native: str) -> str:
        """Return the id of a project."""
        return f"p{guid('project', native)}"

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Return what the store must hold."""
        fields, n, progress = super().task_fields(item), item.native, self.progress(item)
        return {
            name: fields[name] for name in ("title", "container_id", "estimate_s", "created_at", "updated_at")
        } | {
            "status_raw": "Terminé" if item.done else "En cours",
            "status_native": "done" if item.done else "in_progress" if progress else "todo",
            "kind": "milestone" if n % 10 == 0 else "work",
            "percent": progress * 100,
            "spent_s": round(item.hours * progress * 3600),
            "planned_start_on": "2024-04-02",
            "planned_finish_on": "2024-04-05",
            "iteration_id": f"premium:s{guid('sprint', item.container)}" if n % 2 else None,
            "priority_raw": "urgent" if n % 2 else "medium",
            "actual_finish_on": "2024-04-04" if item.done else None,
            "is_milestone": int(n % 10 == 0),
            "is_critical": int(n % 4 == 0),
            "is_manual": 0,
            "percent_kind": "work",
            "remaining_s": round(item.hours * (1 - progress) * 3600),
        }

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return projects, tasks, links and planned days."""
        days = {}
        for item in self.seen():
            for first, last, hours in self.spans(item) if item.hours else ():
                # Paris is two hours ahead: an end at 22:00 is midnight, and belongs to the day before
                begin, end = f"{first:%Y-%m-%d}", f"{last:%Y-%m-%d}"
                days[f"a{guid('assignment', item.native)}/{begin}" + (f"/{end}" if end != begin else "")] = {
                    "start_on": begin,
                    "finish_on": end,
                    "seconds": round(hours * 3600),
                    "task_id": f"premium:{self.task_id(item)}",
                    "account_id": f"premium:u{guid('resource', item.native % 3 + 1)}",
                    "container_id": f"premium:{self.container_id(item.container)}",
                }
        links = {
            f"l{guid('link', item.native)}": {
                "from_id": f"premium:{guid('task', item.native - 1)}",
                "to_id": f"premium:{guid('task', item.native)}",
                "type": "SS" if item.native % 2 else "FS",
            }
            for item in self.seen()
            if self.before(item)
        }
        boxes = {
            self.container_id(n): {
                "kind": "plan", "name": name, "archived": 0, "seconds_per_day": 7 * 3600,
                "url": f"/main.aspx?pagetype=entityrecord&etn=msdyn_project&id={guid('project', n)}",
            }
            for n, name in self.containers.items()
        }  # fmt: skip
        sprints = {
            f"s{guid('sprint', n)}": {
                "container_id": f"premium:{self.container_id(n)}", "name": f"Sprint {n}",
                "start_at": "2024-04-01T07:00:00Z", "finish_at": "2024-04-12T15:00:00Z",
            }
            for n in self.containers
        }  # fmt: skip
        # the third is a generic resource, which is no user; the second is a user who was disabled
        people = {
            f"u{guid('resource', n)}": {
                "display_name": f"Élodie {n}",
                "email": f"user{n}@example.org" if n < 3 else None,
                "login": f"user{n}@example.org" if n < 3 else None,
                "kind": "human" if n < 3 else "generic",
                "active": int(n != 2),
            }
            for n in (1, 2, 3)
        }
        return {
            "task": super().truth()["task"], "allocation": days, "task_link": links, "container": boxes,
            "iteration": sprints, "account": people, "capacity": self.capacity(),
            "assignment": {
                f"a{guid('assignment', one.native)}": self.assigned(one) for one in self.seen() if one.hours
            },
        }  # fmt: skip

    def capacity(self) -> dict[str, dict[str, Any]]:
        """Return what people who are on a task can work from four weeks ago to 26 weeks from now."""
        today = clock.now().date()
        monday = today - timedelta(days=today.weekday() + 4 * 7)
        people = {item.native % 3 + 1 for item in self.seen() if item.hours} - {3}  # the third is nobody
        found: dict[str, dict[str, Any]] = {}
        for week, number in itertools.product(range(30), sorted(people)):
            first = monday + timedelta(days=7 * week)
            days = [first + timedelta(days=place) for place in range(7)]
            works = [day.weekday() < 5 and day.isoformat() not in self.away for day in days]
            for one in sorted(set(works)):
                weekdays = "".join("1" if told is one else "0" for told in works)
                found[f"k{first}/{guid('resource', number)}/{weekdays}"] = {
                    "account_id": f"premium:u{guid('resource', number)}", "weekdays": weekdays,
                    "start_on": f"{first}", "finish_on": f"{days[-1]}", "seconds": 25200 * one, "units": 1.0,
                }  # fmt: skip
        return found

    def assigned(self, item: Item) -> dict[str, Any]:
        """Return what the store must hold of who is on a task: days are those of Paris, as above."""
        spans, progress = self.spans(item), self.progress(item)
        return {
            "task_id": f"premium:{self.task_id(item)}",
            "account_id": f"premium:u{guid('resource', item.native % 3 + 1)}",
            "start_on": f"{spans[0][0]:%Y-%m-%d}",
            "finish_on": f"{spans[-1][1]:%Y-%m-%d}",
            "planned_s": round(item.hours * 3600),
            "actual_s": round(item.hours * progress * 3600),
            "remaining_s": round(item.hours * (1 - progress) * 3600),
        }


def refused(status: int, code: str, why: str) -> Response:
    """Refuse as Dataverse does."""
    return Response(status=status, body={"error": {"code": code, "message": why}})
