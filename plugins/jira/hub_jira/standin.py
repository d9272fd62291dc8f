"""A stand-in of Jira, Cloud and Data Center: written from the official specification and the documented limits, for tests and the demo.

Pages are tokens on Cloud and offsets on Data Center, with the documented caps (smaller where a test asks for that); lists inside an issue
are cut as Jira cuts them; removed paths answer 410; JQL that it does not know is refused with 400.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

import msgspec

from hub.testing.kit import SECRET, HttpWorld, Item, Ledger, Log, Request, Response

SITE_ZONE = ZoneInfo("Europe/Paris")
EMAIL = "kit@example.org"
CLIENT, CLOUD_ID, TOKEN = "kit-client", "11111111-2222-4333-8444-555555555555", "kit-access-token"
COMMENT = "a remark about a colleague"
KEYS = {"1": "ACME", "2": "BETA", "3": "GAMA"}
STATUSES = {"10000": ("To Do", "new"), "10001": ("In Progress", "indeterminate"), "10002": ("Done", "done")}
TYPES = {"10100": ("Epic", 1), "10101": ("Story", 0), "10102": ("Bug", 0), "10103": ("Sub-task", -1)}
SPRINT, EPIC, POINTS, FLAGGED, START, SLA = (
    "customfield_10020", "customfield_10014", "customfield_10016", "customfield_10021", "customfield_10015", "customfield_10030",
)  # fmt: skip
_FIELDS = [
    ("summary", "Summary", "string", None), ("status", "Status", "status", None), ("duedate", "Due date", "date", None),
    (SPRINT, "Sprint", "array", "com.pyxis.greenhopper.jira:gh-sprint"),
    (EPIC, "Epic Link", "any", "com.pyxis.greenhopper.jira:gh-epic-link"),
    (POINTS, "Story point estimate", "number", "com.pyxis.greenhopper.jira:jsw-story-points"),
    (FLAGGED, "Flagged", "array", "com.atlassian.jira.plugin.system.customfieldtypes:multicheckboxes"),
    (START, "Start date", "date", "com.atlassian.jira.plugin.system.customfieldtypes:datepicker"),
    (SLA, "Time to resolution", "sd-servicelevelagreement", "com.atlassian.servicedesk:sd-sla-field"),
]  # fmt: skip


class Caps(msgspec.Struct, kw_only=True):
    """How much one answer holds: the documented caps unless a test makes them smaller."""

    ids: int = 5000
    issues: int = 100
    bulk: int = 100
    projects: int = 100
    feed: int = 1000
    bulk_worklogs: int = 1000
    changelog_issues: int = 1000
    changelogs: int = 10_000
    embedded_worklogs: int = 20
    embedded_histories: int = 40
    server: int = 1000


class JiraWorld(Ledger, HttpWorld):
    """A site with three projects; *cloud* False is Data Center. *lag_s* is how long the search index and the feeds stay behind."""

    name: ClassVar[str] = "jira"
    history = True
    cloud: ClassVar[bool] = True

    def __init__(self, seed: int, *, scale: int = 1, caps: Caps | None = None) -> None:
        """Fill the site."""
        self.caps = caps or Caps()
        self.lag_s = 0
        self.archived: set[str] = set()
        self.trashed: set[str] = set()
        self.parents: dict[int, int] = {}
        self._cache: dict[str, Any] = {}
        super().__init__(seed, scale=scale)
        for native in sorted(self.items)[::7]:
            if (parent := native - 3) in self.items:
                self.parents[native] = parent

    # ---------- what may happen ----------

    def _add(self, updated: str) -> str:
        native = super()._add(updated)
        item = self.items[int(native)]
        item.key = f"{KEYS[item.container]}-{native}"
        return native

    def edit(self, native: str | None = None) -> str:
        """Change a title, and a status, which leaves a line of history."""
        chosen = super().edit(native)
        item = self.items[int(chosen)]
        line = self.changes[-1]
        line.before, line.after = ("Done", "To Do") if item.done else ("To Do", "Done")
        item.done = not item.done
        return chosen

    def move(self, native: str) -> None:
        """Move an issue: its project and its key change, its id does not."""
        super().move(native)
        item = self.items[int(native)]
        item.key = f"{KEYS[item.container]}-{native}"

    def seen(self) -> list[Item]:
        """Give what a search may find: nothing of hidden, archived and trashed projects."""
        away = frozenset(self.hidden | self.archived | self.trashed)
        rows: list[Item] = self._kept("seen", (len(self.items), self.now, away), lambda: [
            item for _, item in sorted(self.items.items()) if item.container not in away
        ])  # fmt: skip
        return rows

    def _kept(self, name: str, version: Any, make: Callable[[], Any]) -> Any:
        """Make something once a version: a site of 100,000 issues answers hundreds of requests."""
        if self._cache.get(name, (None,))[0] != version:
            self._cache[name] = (version, make())
        return self._cache[name][1]

    def _logs_on(self, native: int) -> list[Log]:
        return self._grouped("logs", (len(self.logs), self.last), self.logs.values()).get(native, [])

    def _changes_of(self, native: int) -> list[Any]:
        return self._grouped("changes", len(self.changes), self.changes).get(native, [])

    def _grouped(self, name: str, version: Any, rows: Any) -> dict[int, list[Any]]:
        def make() -> dict[int, list[Any]]:
            found: dict[int, list[Any]] = {}
            for row in rows:
                found.setdefault(row.item, []).append(row)
            return found

        grouped: dict[int, list[Any]] = self._kept(name, version, make)
        return grouped

    def _by_id(self) -> dict[str, Item]:
        rows = self.seen()
        known: dict[str, Item] = self._kept("ids", self._cache["seen"][0], lambda: {str(item.native): item for item in rows})
        return known

    def requests(self) -> int:
        """Give the plan of a full reading and its census; one request more for each list that was cut."""
        items, caps = self.seen(), self.caps
        metadata = 4 + -(-len(KEYS) // caps.projects)
        sweep = 1 + -(-len(items) // (caps.ids if self.cloud else caps.server))
        slices = -(-len(items) // (caps.bulk if self.cloud else caps.server))
        histories = 1 + -(-len(self.changes) // caps.changelogs) if self.cloud else 0
        cut = sum(len(self._logs_on(item.native)) > caps.embedded_worklogs for item in items)
        return metadata + 1 + sweep + slices + histories + cut + -(-len(KEYS) // caps.projects)

    # ---------- the answer sheet ----------

    def container_id(self, native: str) -> str:
        """Name a project by its number."""
        return f"p2000{native}"

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Add what Jira alone knows."""
        parent = self.parents.get(item.native)
        return super().task_fields(item) | {
            "parent_id": f"{self.name}:{parent}" if parent in self.items else None, "status_raw": "Done" if item.done else "To Do",
            "points": float(item.native % 8) if item.native % 8 else None, "iteration_id": f"{self.name}:s{1 + item.native % 3}",
            "is_blocked": int(item.native % 11 == 0),
        }  # fmt: skip

    def _spent(self, item: Item) -> int:
        return sum(round(log.hours * 3600) for log in self._logs_on(item.native))

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Give tasks, worklogs and the history of statuses."""
        found = super().truth()
        found["task_change"] = {
            f"h{one.native}/status": {"field": "status", "from_value": one.before, "to_value": one.after, "at": one.at}
            for one in self.seen_changes()
        }
        return found

    # ---------- answers ----------

    def answer(self, request: Request) -> Response:
        """Answer one request, also through the gateway with a token of OAuth."""
        if request.path == "/oauth/token":
            asked = json.loads(request.body)
            well = (asked.get("grant_type"), asked.get("client_id"), asked.get("client_secret")) == (
                "client_credentials",
                CLIENT,
                SECRET,
            )
            return Response(
                status=200 if well else 401,
                body={"access_token": TOKEN, "expires_in": 3600} if well else {"error": "access_denied"},
            )
        if not self._knows(request):
            return Response(status=401, body={"errorMessages": ["You are not authenticated."], "errors": {}})
        path = request.path.removeprefix(f"/ex/jira/{CLOUD_ID}").replace("/rest/api/3/", "/rest/api/2/")
        if match := re.fullmatch(r"/rest/api/2/issue/(\d+)/worklog", path):
            return self._logs_of(int(match.group(1)))
        handler = (_CLOUD if self.cloud else _SERVER).get((request.method, path)) or _BOTH.get((request.method, path))
        if handler is None:
            gone = self.cloud and path == "/rest/api/2/search"
            return Response(status=410 if gone else 404, body={"errorMessages": ["The requested API has been removed."]})
        try:
            body = json.loads(request.body) if request.body else {}
        except ValueError:
            return _refused("The body is not JSON.")
        return handler(self, request, body)

    def _knows(self, request: Request) -> bool:
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if self.cloud and request.path.startswith(f"/ex/jira/{CLOUD_ID}/"):
            return kind == "Bearer" and value == TOKEN
        if self.cloud:
            return kind == "Basic" and base64.b64decode(value).decode() == f"{EMAIL}:{SECRET}"
        return kind == "Bearer" and value == SECRET

    def server_info(self, _: Request, __: Any) -> Response:
        """Say who the site is and what its clock says."""
        kind = "Cloud" if self.cloud else "Server"
        zone = {} if self.cloud else {"serverTimeZone": "Europe/Paris"}
        return Response(body={"baseUrl": "https://jira.example.org", "version": "1001.0.0", "versionNumbers": [1001, 0, 0],
                              "deploymentType": kind, "serverTime": local(stamp_of(self.now)), "serverTitle": "Kit", **zone})  # fmt: skip

    def myself(self, _: Request, __: Any) -> Response:
        """Say who asks."""
        return Response(body=self.user(0) | {"timeZone": "America/New_York"})

    def fields(self, _: Request, __: Any) -> Response:
        """List fields with their schema."""
        return Response(body=[
            {"id": native, "key": native, "name": name, "custom": native.startswith("customfield_"),
             "schema": {"type": kind} | ({"custom": custom, "customId": int(native[12:])} if custom else {"system": native})}
            for native, name, kind, custom in _FIELDS
        ])  # fmt: skip

    def statuses(self, _: Request, __: Any) -> Response:
        """List statuses with their category."""
        return Response(body=[
            {"id": native, "name": name, "statusCategory": {"id": 2, "key": key, "name": name}} for native, (name, key) in STATUSES.items()
        ])  # fmt: skip

    def types(self, _: Request, __: Any) -> Response:
        """List issue types; only Cloud tells their level."""
        return Response(body=[
            {"id": native, "name": name, "subtask": level < 0} | ({"hierarchyLevel": level} if self.cloud else {})
            for native, (name, level) in TYPES.items()
        ])  # fmt: skip

    def project(self, native: str) -> dict[str, Any]:
        """Show a project."""
        flags = {"archived": True} if native in self.archived else {"deleted": True} if native in self.trashed else {}
        return {
            "id": f"2000{native}",
            "key": KEYS[native],
            "name": self.containers[native],
            "projectTypeKey": "software",
        } | flags

    def project_search(self, request: Request, _: Any) -> Response:
        """Give a page of the projects this account may browse; without *status* only live ones."""
        states = request.query.get("status", "live").split(",")
        live = [n for n in self.containers if n not in self.hidden]
        wanted = [
            n for n in live if ("archived" if n in self.archived else "deleted" if n in self.trashed else "live") in states
        ]
        start, size = int(request.query.get("startAt", 0)), min(int(request.query.get("maxResults", 50)), self.caps.projects)
        rows = [self.project(native) for native in wanted[start : start + size]]
        return Response(body={"startAt": start, "maxResults": size, "total": len(wanted), "isLast": start + size >= len(wanted),
                              "values": rows})  # fmt: skip

    def projects(self, request: Request, _: Any) -> Response:
        """List the projects of Data Center, archived ones when asked."""
        also = request.query.get("includeArchived") == "true"
        return Response(body=[
            self.project(n) for n in self.containers if n not in self.hidden | self.trashed and (also or n not in self.archived)
        ])  # fmt: skip

    def search_jql(self, _: Request, body: dict[str, Any]) -> Response:
        """Search as Cloud does: bounded JQL, tokens, no total."""
        if unknown := set(body) - {
            "jql",
            "fields",
            "maxResults",
            "nextPageToken",
            "expand",
            "fieldsByKeys",
            "reconcileIssues",
            "properties",
        }:
            return _refused(f"Unrecognized field {sorted(unknown)}")
        try:
            rows = self._found(str(body.get("jql", "")), bounded=True)
        except ValueError as exc:
            return _refused(str(exc))
        names = body.get("fields", ["id"])
        light = set(names) <= {"id", "key"}
        size = min(int(body.get("maxResults", 50)), self.caps.ids if light else self.caps.issues)
        start = 0
        if token := body.get("nextPageToken"):
            start = int(base64.b64decode(token).decode().rpartition("/")[2])
        page = rows[start : start + size]
        shown = [self.issue(item, names, str(body.get("expand", ""))) for item in page]
        last = start + size >= len(rows)
        token = base64.b64encode(f"kit/{start + size}".encode()).decode()
        return Response(body={"issues": shown, "isLast": last} | ({} if last else {"nextPageToken": token}))

    def approximate_count(self, _: Request, body: dict[str, Any]) -> Response:
        """Count what a search would find, nearly."""
        try:
            return Response(body={"count": len(self._found(str(body["jql"]), bounded=True))})
        except (ValueError, KeyError) as exc:
            return _refused(str(exc))

    def bulkfetch(self, _: Request, body: dict[str, Any]) -> Response:
        """Give issues by id, past the index."""
        asked = body.get("issueIdsOrKeys", [])
        if len(asked) > self.caps.bulk:
            return _refused(f"At most {self.caps.bulk} issues can be fetched.")
        seen = self._by_id()
        shown = [
            self.issue(seen[one], body.get("fields", ["*navigable"]), ",".join(body.get("expand", [])))
            for one in asked
            if one in seen
        ]
        lost = [
            {"id": one, "errorMessage": "Issue does not exist or you do not have permission to see it."}
            for one in asked
            if one not in seen
        ]
        return Response(body={"issues": shown, "issueErrors": lost})

    def changelogs(self, _: Request, body: dict[str, Any]) -> Response:
        """Give the history of issues, oldest first, the issues in the order of their ids."""
        asked = set(body.get("issueIdsOrKeys", []))
        if len(asked) > self.caps.changelog_issues or len(body.get("fieldIds", [])) > 10:
            return _refused("Too many issues or fields.")
        only = set(body.get("fieldIds", [])) or {"status"}
        seen = self._by_id()
        lines = [
            line for one in sorted(asked, key=int) if one in seen for line in self._changes_of(int(one)) if "status" in only
        ]
        start = int(body.get("nextPageToken") or 0)
        size = min(int(body.get("maxResults", 1000)), self.caps.changelogs)
        found: dict[str, list[Any]] = {}
        for line in lines[start : start + size]:
            found.setdefault(str(line.item), []).append(self.history_line(line))
        more = {"nextPageToken": str(start + size)} if start + size < len(lines) else {}
        return Response(body={"issueChangeLogs": [{"issueId": i, "changeHistories": h} for i, h in found.items()], **more})

    def search(self, request: Request, body: dict[str, Any]) -> Response:
        """Search as Data Center does: offsets, a total, the server's own largest page."""
        query = body or request.query
        try:
            rows = self._found(str(query.get("jql", "")), bounded=False)
        except ValueError as exc:
            return _refused(str(exc))
        names = query.get("fields", "*navigable")
        expand = query.get("expand", "")
        start, size = int(query.get("startAt", 0)), min(int(query.get("maxResults", 50)), self.caps.server)
        page = rows[start : start + size]
        shown = [self.issue(item, names if isinstance(names, list) else names.split(","), ",".join(expand) if isinstance(expand, list) else expand)
                 for item in page]  # fmt: skip
        return Response(body={"startAt": start, "maxResults": size, "total": len(rows), "issues": shown})

    def updated_logs(self, request: Request, _: Any) -> Response:
        """Give a page of changed worklogs: ids and stamps, *since* included."""
        seen = self._by_id()
        return self._feed(
            "updated", [(millis(log.updated), log.native) for log in self.logs.values() if str(log.item) in seen], request
        )

    def deleted_logs(self, request: Request, _: Any) -> Response:
        """Give a page of deleted worklogs."""
        return self._feed("deleted", [(millis(one.at), one.native) for one in self.gone], request)

    def _feed(self, name: str, found: list[tuple[int, int]], request: Request) -> Response:
        since, base = int(request.query.get("since", 0)), "http://" + request.headers.get("host", "")
        rows = sorted(one for one in found if since <= one[0] <= self._indexed())
        page = rows[: self.caps.feed]
        until = page[-1][0] if page else since
        more = len(rows) > len(page)
        values = [{"worklogId": native, "updatedTime": at, "properties": []} for at, native in page]
        links = {"self": f"{base}/rest/api/2/worklog/{name}?since={since}"} | (
            {"nextPage": f"{base}/rest/api/2/worklog/{name}?since={until}"} if more else {}
        )
        return Response(body={"values": values, "since": since, "until": until, "lastPage": not more} | links)

    def list_logs(self, _: Request, body: dict[str, Any]) -> Response:
        """Give worklogs by id; those that may not be read are left out without a word."""
        if len(body.get("ids", [])) > self.caps.bulk_worklogs:
            return _refused("Too many worklogs.")
        known = [self.logs[one] for one in body.get("ids", []) if one in self.logs]
        return Response(body=[self.worklog(log) for log in known if str(log.item) in self._by_id()])

    def _logs_of(self, native: int) -> Response:
        if str(native) not in self._by_id():
            return Response(
                status=404, body={"errorMessages": ["Issue does not exist or you do not have permission to see it."]}
            )
        rows = [self.worklog(log) for log in self._logs_on(native)]
        return Response(body={"startAt": 0, "maxResults": max(len(rows), 1), "total": len(rows), "worklogs": rows})

    # ---------- one thing ----------

    def issue(self, item: Item, names: list[str], expand: str) -> dict[str, Any]:
        """Show an issue with the fields asked for."""
        shown: dict[str, Any] = {
            "id": str(item.native),
            "key": item.key,
            "expand": "changelog",
            "self": f"https://jira.example.org/{item.native}",
        }
        fields = {name: self.field(item, name) for name in names if name not in {"id", "key", "*navigable"}}
        if fields or set(names) - {"id", "key"}:
            shown["fields"] = fields
        if "changelog" in expand:
            lines = self._changes_of(item.native)
            newest = [
                self.history_line(line) for line in lines[::-1][: self.caps.embedded_histories if self.cloud else len(lines)]
            ]
            shown["changelog"] = {"startAt": 0, "maxResults": len(newest), "total": len(lines), "histories": newest}
        return shown

    def field(self, item: Item, name: str) -> Any:
        """Give the value of one field."""
        n = item.native
        status = "10002" if item.done else "10000"
        kind = "10103" if n in self.parents else list(TYPES)[n % 3]
        cut = self.caps.embedded_worklogs
        match name:
            case "summary":
                return item.title
            case "status":
                return {"id": status, "name": STATUSES[status][0], "statusCategory": {"key": STATUSES[status][1]}}
            case "issuetype":
                return {"id": kind, "name": TYPES[kind][0], "subtask": kind == "10103"} | (
                    {"hierarchyLevel": TYPES[kind][1]} if self.cloud else {}
                )
            case "project":
                return self.project(item.container)
            case "created":
                return local(item.created)
            case "updated":
                return local(item.updated)
            case "timeoriginalestimate":
                return round(item.hours * 3600)
            case "timespent":
                return self._spent(item)
            case "aggregatetimeoriginalestimate":
                return round(item.hours * 3600) + 36000
            case "assignee":
                return self.user(n % 5) if n % 4 else None
            case "parent":
                parent = self.parents.get(n)
                return {"id": str(parent), "key": self.items[parent].key} if parent in self.items else None
            case "labels":
                return ["kit"] if n % 2 else []
            case "duedate":
                return "2024-06-30" if n % 3 else None
            case "fixVersions":
                return [{"id": "1", "name": "1.0", "released": False}] if n % 5 == 0 else []
            case "issuelinks":
                other = next((one for one in sorted(self.items) if one > n), None) if n % 6 == 0 else None
                link = {"id": f"9{n}", "type": {"id": "1", "name": "Blocks", "inward": "is blocked by", "outward": "blocks"}}
                return [link | {"outwardIssue": {"id": str(other), "key": self.items[other].key}}] if other else []
            case "worklog":
                return {
                    "startAt": 0,
                    "maxResults": cut,
                    "total": len(self._logs_on(n)),
                    "worklogs": [self.worklog(log) for log in self._logs_on(n)[:cut]],
                }
            case "description" | "comment":
                return COMMENT
        return self.custom(n, name)

    def custom(self, n: int, name: str) -> Any:
        """Give the value of a custom field."""
        sprint = {"id": 1 + n % 3, "name": f"Sprint {1 + n % 3}", "state": "active", "boardId": 1, "goal": "",
                  "startDate": "2024-03-25T08:00:00.000Z", "endDate": "2024-04-08T08:00:00.000Z"}  # fmt: skip
        text = ",".join(f"{key}={value}" for key, value in (sprint | {"state": "ACTIVE", "rapidViewId": 1}).items())
        at = {"iso8601": "2024-03-29T10:00:00+0100", "epochMillis": 1711702800000}
        values: dict[str, Any] = {
            POINTS: float(n % 8) if n % 8 else None, FLAGGED: [{"id": "1", "value": "Impediment"}] if n % 11 == 0 else None,
            START: "2024-03-28" if n % 2 else None, SPRINT: [sprint] if self.cloud else [f"com.atlassian.greenhopper.service.sprint.Sprint@1f[{text}]"],
            SLA: {"id": "1", "name": "Time to resolution", "completedCycles": [
                {"startTime": at, "stopTime": {"epochMillis": 1711706400000}, "breached": False, "goalDuration": {"millis": 14400000},
                 "elapsedTime": {"millis": 3600000}}]} if n % 9 == 0 else None,
        }  # fmt: skip
        return values.get(name)

    def user(self, number: int) -> dict[str, Any]:
        """Show a person: by account on Cloud, by name and key on Data Center; odd ones live two hours east of Greenwich."""
        who = (
            {"accountId": f"acc-{number}", "accountType": "atlassian"}
            if self.cloud
            else {"name": f"user{number}", "key": f"JIRAUSER{number}"}
        )
        return who | {
            "displayName": f"Engineer {number}",
            "active": True,
            "timeZone": ("Etc/GMT-1", "Etc/GMT-2")[number % 2],
            "emailAddress": f"e{number}@example.org",
        }

    def worklog(self, log: Log) -> dict[str, Any]:
        """Show a worklog: its start is written in the site's zone, its author lives in another."""
        author = 2 * (log.native % 3) + log.started.endswith("+02:00")
        return {
            "id": str(log.native), "issueId": str(log.item), "author": self.user(author), "comment": COMMENT,
            "started": local(log.started), "created": local(log.updated), "updated": local(log.updated), "timeSpent": "1h",
            "timeSpentSeconds": round(log.hours * 3600),
        }  # fmt: skip

    def history_line(self, line: Any) -> dict[str, Any]:
        """Show a line of history; beside the status something nobody asked for changed too."""
        ids = {name: native for native, (name, _) in STATUSES.items()}
        items = [
            {"field": "status", "fieldtype": "jira", "fieldId": "status", "from": ids[line.before], "fromString": line.before,
             "to": ids[line.after], "toString": line.after},
            {"field": "summary", "fieldtype": "jira", "fieldId": "summary", "from": None, "fromString": "a", "to": None, "toString": "b"},
        ]  # fmt: skip
        return {"id": str(line.native), "author": self.user(line.native % 5), "created": local(line.at), "items": items}

    # ---------- JQL ----------

    def _indexed(self) -> int:
        return round(self.now.timestamp() * 1000) - self.lag_s * 1000

    def _found(self, jql: str, *, bounded: bool) -> list[Item]:
        text, _, order = jql.partition(" ORDER BY ")
        clauses = [clause.strip() for clause in text.split(" AND ") if clause.strip()]
        if bounded and not clauses:
            raise ValueError("Unbounded JQL queries are not allowed here. Please add a search restriction to your query.")
        rows = [item for item in self.seen() if not self.lag_s or millis(item.updated) <= self._indexed()]
        for clause in clauses:
            if clause == "created >= 0":
                continue
            rows = list(filter(_condition(clause), rows))
        for part in reversed([part for part in order.split(",") if part.strip()]):
            name, _, way = part.strip().partition(" ")
            sort = _SORTS.get(name)
            if sort is None:
                raise ValueError(f"Not able to sort using field '{name}'.")
            rows.sort(key=sort, reverse=way == "DESC")
        return rows


def _condition(clause: str) -> Callable[[Item], bool]:
    """Understand one clause of JQL. Raises ValueError for one that this site does not know."""
    if match := re.fullmatch(r"(updated|created) >= (\d+)", clause):
        field, least = match.group(1), int(match.group(2))
        return lambda item: millis(getattr(item, field)) >= least
    if match := re.fullmatch(r"(project|id) in \((.+)\)", clause):
        wanted = {one.strip().strip('"') for one in match.group(2).split(",")}
        if match.group(1) == "id":
            return lambda item: str(item.native) in wanted
        if lacking := wanted - set(KEYS.values()):
            raise ValueError(f"The value '{min(lacking)}' does not exist for the field 'project'.")
        return lambda item: KEYS[item.container] in wanted
    raise ValueError(f"Error in the JQL Query: {clause!r}")


_SORTS: dict[str, Callable[[Item], Any]] = {
    "updated": lambda item: millis(item.updated), "created": lambda item: millis(item.created), "id": lambda item: item.native,
    "key": lambda item: item.native,
}  # fmt: skip
_Handler = Callable[[JiraWorld, Request, Any], Response]
_BOTH: dict[tuple[str, str], _Handler] = {
    ("GET", "/rest/api/2/serverInfo"): JiraWorld.server_info, ("GET", "/rest/api/2/myself"): JiraWorld.myself,
    ("GET", "/rest/api/2/field"): JiraWorld.fields, ("GET", "/rest/api/2/status"): JiraWorld.statuses,
    ("GET", "/rest/api/2/issuetype"): JiraWorld.types, ("GET", "/rest/api/2/worklog/updated"): JiraWorld.updated_logs,
    ("GET", "/rest/api/2/worklog/deleted"): JiraWorld.deleted_logs, ("POST", "/rest/api/2/worklog/list"): JiraWorld.list_logs,
}  # fmt: skip
_CLOUD: dict[tuple[str, str], _Handler] = {
    ("GET", "/rest/api/2/project/search"): JiraWorld.project_search, ("POST", "/rest/api/2/search/jql"): JiraWorld.search_jql,
    ("GET", "/rest/api/2/search/jql"): lambda world, request, _: world.search_jql(request, _as_body(request.query)),
    ("POST", "/rest/api/2/search/approximate-count"): JiraWorld.approximate_count, ("POST", "/rest/api/2/issue/bulkfetch"): JiraWorld.bulkfetch,
    ("POST", "/rest/api/2/changelog/bulkfetch"): JiraWorld.changelogs,
}  # fmt: skip
_SERVER: dict[tuple[str, str], _Handler] = {
    ("GET", "/rest/api/2/search"): JiraWorld.search, ("POST", "/rest/api/2/search"): JiraWorld.search,
    ("GET", "/rest/api/2/project"): JiraWorld.projects,
}  # fmt: skip


class ServerWorld(JiraWorld):
    """The same site as Data Center."""

    cloud = False


def _as_body(query: dict[str, str]) -> dict[str, Any]:
    """Turn the parameters of the search by GET into the body of the one by POST."""
    body: dict[str, Any] = dict(query)
    if "fields" in body:
        body["fields"] = query["fields"].split(",")
    return body


def _refused(why: str) -> Response:
    return Response(status=400, body={"errorMessages": [why], "errors": {}})


def stamp_of(moment: datetime) -> str:
    """Give an instant with Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def millis(text: str) -> int:
    """Give milliseconds since 1970."""
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def local(text: str) -> str:
    """Write a stamp as Jira does: in the site's zone, with milliseconds, without a colon in the offset."""
    moment = datetime.fromisoformat(text).astimezone(SITE_ZONE)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.000%z")
