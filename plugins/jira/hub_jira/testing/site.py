"""How a site of Jira answers, Cloud and Data Center.

Written from the official specification and the documented limits.

Pages are tokens on Cloud and offsets on Data Center, with the documented caps (smaller where a test asks for
that); lists inside an issue are cut as Jira cuts them; removed paths answer 410; JQL that it does not know is
refused with 400. What the site holds, a subclass says.
"""

from __future__ import annotations

import base64
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence, Set
from typing import Any, ClassVar, Literal
from urllib.parse import parse_qs

from hub.testing.kit import SECRET, Request, Response
from hub_jira.testing.answers import local, paged, refused, stamp_of
from hub_jira.testing.fields import SYSTEM, FieldsOfSite
from hub_jira.testing.hours import HoursOfSite
from hub_jira.testing.jql import Issue, found

EMAIL = "kit@example.org"
CLIENT, CLOUD_ID, TOKEN = "kit-client", "11111111-2222-4333-8444-555555555555", "kit-access-token"


NOT_THERE = "Issue does not exist or you do not have permission to see it."
HIDDEN = "You do not have the permission to see the specified issue."
_OPEN: dict[str, Any] = {
    "/rest/api/2/serverInfo": "site",
    "/rest/api/2/field": [],
    "/rest/api/2/status": [],
    "/rest/api/2/issuetype": [],
    "/rest/api/2/priority": [],
    "/rest/api/2/resolution": [],
    "/rest/api/2/issueLinkType": {"issueLinkTypes": []},
    "/rest/api/2/project/search": {"startAt": 0, "maxResults": 50, "total": 0, "isLast": True, "values": []},
    "/rest/api/2/search/jql": {"issues": [], "isLast": True},
    "/rest/api/2/search/approximate-count": {"count": 0},
    "/rest/api/2/issue/bulkfetch": {"issues": [], "issueErrors": []},
}
"""What Cloud answers to a visitor: well, and nothing."""


class JiraSite(FieldsOfSite, HoursOfSite, ABC):
    """A site that answers.

    *cloud* False is Data Center. *lag_s* is how long the search index and the feeds stay behind *now*.

    *fields*, *statuses* and *types* are as the site lists them; *containers* names the projects by their
    number, *keys* are their keys. A line of *logs* has native, item and updated; one of *gone*, a deleted
    worklog, has native and at.
    """

    email: ClassVar[str] = EMAIL
    containers: dict[str, str]
    keys: Mapping[str, str]
    hidden: set[str]
    archived: set[str]
    trashed: set[str]
    status_list: Sequence[dict[str, Any]]
    type_list: Sequence[dict[str, Any]]
    token_lasts: int | None = None
    """Questions that a token of OAuth opens; None: all of them."""
    clients: bool = True
    """Whether the client of OAuth is still given tokens."""
    _given = _left = 0
    expired: bool = False
    """The token is known no more: on Cloud whoever brings it is a visitor, who sees nothing of this site."""
    foreign: Literal["ignore", "nothing", "refuse"] = "ignore"
    """What a search does with ids and keys that may not be seen."""
    foreign_projects: Literal["ignore", "nothing", "refuse"] = "refuse"
    """What a search does with projects that may not be seen."""
    restricted: Set[int] = frozenset()
    """Issues that this account may not see, in projects that it may browse."""
    archived_issues: Set[int] = frozenset()
    """Issues that no search finds and that are served by their ids."""

    # ---------- what it holds ----------

    @abstractmethod
    def seen(self) -> Sequence[Any]:
        """Return the issues that a search may find, by id."""

    def served(self) -> Mapping[str, Any]:
        """Return the issues that are served by their number: those that were archived are among them."""
        return self.by_id()

    @abstractmethod
    def changes_of(self, native: int) -> Sequence[Any]:
        """Return the lines of its history, oldest first."""

    @abstractmethod
    def field(self, item: Any, name: str) -> Any:
        """Return the value of one field of an issue."""

    @abstractmethod
    def history_line(self, line: Any) -> dict[str, Any]:
        """Show a line of history."""

    @abstractmethod
    def user(self, number: int) -> dict[str, Any]:
        """Show a person; 0 is the account that asks."""

    # ---------- answers ----------

    def answer(self, request: Request) -> Response:
        """Answer one request, also through the gateway with a token of OAuth."""
        if request.path == "/oauth/token":
            asked = json.loads(request.body)
            who = asked.get("grant_type"), asked.get("client_id"), asked.get("client_secret")
            if not self.clients or who != ("client_credentials", CLIENT, SECRET):
                return Response(status=401, body={"error": "access_denied"})
            self._given, self._left = self._given + 1, self.token_lasts or 0
            return Response(body={"access_token": f"{TOKEN}-{self._given}", "expires_in": 3600})
        if not self._knows(request):
            if self.cloud and (shown := _OPEN.get(request.path.replace("/rest/api/3/", "/rest/api/2/"))):
                return Response(body=shown) if shown != "site" else self.server_info(request, None)
            return Response(status=401, body={"errorMessages": ["You are not authenticated."], "errors": {}})
        path = request.path.removeprefix(f"/ex/jira/{CLOUD_ID}").replace("/rest/api/3/", "/rest/api/2/")
        if match := re.fullmatch(r"/rest/api/2/issue/(\d+)/worklog", path):
            return self.logs_of(int(match.group(1)))
        if match := re.fullmatch(r"/rest/api/2/issue/(\d+)", path):
            return self._served(match.group(1), request)
        if match := re.fullmatch(r"/rest/api/2/project/(\d+)", path):
            return self.one_project(match.group(1))
        if match := re.fullmatch(r"/gateway/api/jsm/assets/workspace/([\w-]+)/v1/object/aql", path):
            return self.found_objects(match.group(1), request)
        if match := re.fullmatch(r"/rest/agile/1.0/board/(\d+)/sprint", path):
            return self.board_sprints(int(match.group(1)), request)
        handler = (_CLOUD if self.cloud else _SERVER).get((request.method, path)) or _BOTH.get(
            (request.method, path)
        )
        if handler is None:
            gone = self.cloud and path == "/rest/api/2/search"
            removed = (
                "The requested API has been removed. Please migrate to the /rest/api/3/search/jql API. A "
                "full migration guideline is available at https://developer.atlassian.com/changelog/#CHANGE-2046"
            )
            said = removed if gone else "null for uri"
            return Response(status=410 if gone else 404, body={"errorMessages": [said]})
        try:
            body = json.loads(request.body) if request.body else {}
        except ValueError:
            return refused("The body is not JSON.")
        return handler(self, request, body)

    def _knows(self, request: Request) -> bool:
        if self.expired:
            return False
        kind, _, value = request.headers.get("authorization", "").partition(" ")
        if self.cloud and request.path.startswith(f"/ex/jira/{CLOUD_ID}/"):
            self._left -= 1
            open_ = self.token_lasts is None or self._left >= 0
            return kind == "Bearer" and value == f"{TOKEN}-{self._given}" and open_
        if self.cloud:
            return kind == "Basic" and base64.b64decode(value).decode() == f"{self.email}:{SECRET}"
        return kind == "Bearer" and value == SECRET

    def server_info(self, _: Request, __: Any) -> Response:
        """Say who the site is and what its clock says."""
        kind = "Cloud" if self.cloud else "Server"
        zone = {} if self.cloud else {"serverTimeZone": "Europe/Paris"}
        return Response(
            body={
                "baseUrl": "https://jira.example.org",
                "version": "1001.0.0",
                "versionNumbers": [1001, 0, 0],
                "deploymentType": kind,
                "serverTime": local(stamp_of(self.now)),
                "serverTitle": "Kit",
                **zone,
            }
        )

    def myself(self, _: Request, __: Any) -> Response:
        """Say who asks."""
        return Response(body=self.user(0) | {"timeZone": "America/New_York"})

    def statuses(self, _: Request, __: Any) -> Response:
        """List statuses with their category."""
        return Response(body=self.status_list)

    def names_of(self, what: str) -> list[dict[str, Any]]:
        """Return the priorities, resolutions or kinds of links (``issueLinkType``) that the site has."""
        return []

    def priorities(self, _: Request, __: Any) -> Response:
        """List priorities."""
        return Response(body=self.names_of("priority"))

    def resolutions(self, _: Request, __: Any) -> Response:
        """List resolutions."""
        return Response(body=self.names_of("resolution"))

    def link_types(self, _: Request, __: Any) -> Response:
        """List the kinds of links."""
        return Response(body={"issueLinkTypes": self.names_of("issueLinkType")})

    def types(self, _: Request, __: Any) -> Response:
        """List issue types; only Cloud tells their level."""
        kept = [dict(one) for one in self.type_list]
        for one in kept if not self.cloud else ():
            one.pop("hierarchyLevel", None)
        return Response(body=kept)

    def project_no(self, native: str) -> str:
        """Return the number of a project."""
        return native

    def project(self, native: str) -> dict[str, Any]:
        """Show a project."""
        flags = (
            {"archived": True}
            if native in self.archived
            else {"deleted": True}
            if native in self.trashed
            else {}
        )
        return {
            "id": self.project_no(native),
            "key": self.keys[native],
            "name": self.containers[native],
            "projectTypeKey": "software",
        } | flags

    def lists_of(self, native: str) -> dict[str, Any]:
        """Return the versions and components of a project."""
        return {"versions": [], "components": []}

    def one_project(self, number: str) -> Response:
        """Show a project with its versions and components."""
        native = next((one for one in self.containers if self.project_no(one) == number), None)
        if native is None or native in self.hidden:
            return Response(status=404, body={"errorMessages": [f"No project could be found: {number}"]})
        return Response(body=self.project(native) | self.lists_of(native))

    def sprints_of_board(self, board: int) -> list[dict[str, Any]]:
        """Return the sprints of a board."""
        return []

    def boards(self, request: Request, _: Any) -> Response:
        """List the boards: one of scrum, and one that has no sprints."""
        kinds = [{"id": 1, "name": "Scrum", "type": "scrum"}, {"id": 2, "name": "Team", "type": "simple"}]
        return paged(kinds, request)

    def board_sprints(self, board: int, request: Request) -> Response:
        """List the sprints of a board; one without them refuses."""
        if board != 1:
            return refused("The board does not support sprints")
        return paged(self.sprints_of_board(board), request)

    def people(self, request: Request, _: Any) -> Response:
        """Return people by their accounts."""
        asked = parse_qs(request.search).get("accountId", [])
        size = min(int(request.query.get("maxResults", 10)), 200)
        shown = [one for one in self.known_people() if one.get("accountId") in asked][:size]
        return Response(body={"startAt": 0, "maxResults": size, "total": len(shown), "isLast": True,
                              "values": shown})  # fmt: skip

    def one_person(self, request: Request, _: Any) -> Response:
        """Return a person of Data Center by the key."""
        shown = [one for one in self.known_people() if one.get("key") == request.query.get("key")]
        if not shown:
            return Response(status=404, body={"errorMessages": ["The user does not exist."]})
        return Response(body=shown[0])

    def known_people(self) -> list[dict[str, Any]]:
        """Return everybody the site knows."""
        return [self.user(number) for number in range(6)]

    def project_search(self, request: Request, _: Any) -> Response:
        """Return a page of the projects this account may browse; without *status* only live ones."""
        states = request.query.get("status", "live").split(",")
        keys = parse_qs(request.search).get("keys", self.keys.values())
        live = [n for n in self.containers if n not in self.hidden and self.keys[n] in keys]
        wanted = [
            n
            for n in live
            if ("archived" if n in self.archived else "deleted" if n in self.trashed else "live") in states
        ]
        start, size = (
            int(request.query.get("startAt", 0)),
            min(int(request.query.get("maxResults", 50)), self.caps.projects),
        )
        rows = [self.project(native) for native in wanted[start : start + size]]
        return Response(
            body={
                "startAt": start,
                "maxResults": size,
                "total": len(wanted),
                "isLast": start + size >= len(wanted),
                "values": rows,
            }
        )

    def projects(self, request: Request, _: Any) -> Response:
        """List the projects of Data Center, archived ones when asked."""
        also = request.query.get("includeArchived") == "true"
        return Response(
            body=[
                self.project(n)
                for n in self.containers
                if n not in self.hidden | self.trashed and (also or n not in self.archived)
            ]
        )

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
            return refused(f"Unrecognized field {sorted(unknown)}")
        try:
            rows = found(self, str(body.get("jql", "")), bounded=True)
        except ValueError as exc:
            return refused(str(exc))
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
            return Response(body={"count": len(found(self, str(body["jql"]), bounded=True))})
        except (ValueError, KeyError) as exc:
            return refused(str(exc))

    def bulkfetch(self, _: Request, body: dict[str, Any]) -> Response:
        """Return issues by id, past the index."""
        asked = body.get("issueIdsOrKeys", [])
        if len(asked) > self.caps.bulk:
            return refused(f"At most {self.caps.bulk} issues can be fetched.")
        seen = self.served()
        keys = {item.key: native for native, item in seen.items()} if set(asked) - seen.keys() else {}
        hidden = set(map(str, self.restricted))
        names, expand = body.get("fields", ["*navigable"]), ",".join(body.get("expand", []))
        shown = [self.issue(seen[keys.get(one, one)], names, expand) for one in asked
                 if keys.get(one, one) in seen]  # fmt: skip
        lost = [
            {
                "id": one,
                "errorMessage": HIDDEN if one in hidden else NOT_THERE,
            }
            for one in asked
            if keys.get(one, one) not in seen
        ]
        return Response(body={"issues": shown, "issueErrors": lost})

    def changelogs(self, _: Request, body: dict[str, Any]) -> Response:
        """Return the history of issues, oldest first, the issues in the order of their ids."""
        asked = set(body.get("issueIdsOrKeys", []))
        if len(asked) > self.caps.changelog_issues or len(body.get("fieldIds", [])) > 10:
            return refused("Too many issues or fields.")
        only, known = set(body.get("fieldIds", [])), {one["id"] for one in self.field_list}
        if strange := only - known - SYSTEM:
            return refused(f"The field {min(strange)} does not exist.")
        seen = self.by_id()
        lines = [
            (one, shown)
            for one in sorted(asked, key=int)
            if one in seen
            for line in self.changes_of(int(one))
            if (shown := _only(self.history_line(line), only))["items"]
        ]
        start = int(body.get("nextPageToken") or 0)
        size = min(int(body.get("maxResults", 1000)), self.caps.changelogs)
        found: dict[str, list[Any]] = {}
        for one, line in lines[start : start + size]:
            found.setdefault(one, []).append(line)
        more = {"nextPageToken": str(start + size)} if start + size < len(lines) else {}
        return Response(
            body={"issueChangeLogs": [{"issueId": i, "changeHistories": h} for i, h in found.items()], **more}
        )

    def search(self, request: Request, body: dict[str, Any]) -> Response:
        """Search as Data Center does: offsets, a total, the server's own largest page."""
        query = body or request.query
        try:
            rows = found(self, str(query.get("jql", "")), bounded=False)
        except ValueError as exc:
            return refused(str(exc))
        names = query.get("fields", "*navigable")
        expand = query.get("expand", "")
        start, size = int(query.get("startAt", 0)), min(int(query.get("maxResults", 50)), self.caps.server)
        page = rows[start : start + size]
        shown = [
            self.issue(
                item,
                names if isinstance(names, list) else names.split(","),
                ",".join(expand) if isinstance(expand, list) else expand,
            )
            for item in page
        ]
        return Response(body={"startAt": start, "maxResults": size, "total": len(rows), "issues": shown})

    def _served(self, native: str, request: Request) -> Response:
        """Show one issue by its id: one that was archived, too."""
        if int(native) in self.restricted:
            said = "You do not have the permission to see the specified issue."
            return Response(status=403, body={"errorMessages": [said]})
        if native not in self.served():
            return Response(status=404, body={"errorMessages": ["Issue Does Not Exist"]})
        names = request.query.get("fields", "*navigable").split(",")
        return Response(body=self.issue(self.served()[native], names, ""))

    # ---------- one thing ----------

    def issue(self, item: Issue, names: list[str], expand: str) -> dict[str, Any]:
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
            lines = self.changes_of(item.native)
            newest = [
                self.history_line(line)
                for line in lines[::-1][: self.caps.embedded_histories if self.cloud else len(lines)]
            ]
            shown["changelog"] = {
                "startAt": 0,
                "maxResults": len(newest),
                "total": len(lines),
                "histories": newest,
            }
        return shown


_Handler = Callable[[JiraSite, Request, Any], Response]
_BOTH: dict[tuple[str, str], _Handler] = {
    ("GET", "/rest/api/2/serverInfo"): JiraSite.server_info,
    ("GET", "/rest/api/2/myself"): JiraSite.myself,
    ("GET", "/rest/api/2/field"): JiraSite.fields,
    ("GET", "/rest/api/2/status"): lambda world, request, body: world.statuses(request, body),
    ("GET", "/rest/api/2/issuetype"): lambda world, request, body: world.types(request, body),
    ("GET", "/rest/api/2/priority"): JiraSite.priorities,
    ("GET", "/rest/api/2/resolution"): JiraSite.resolutions,
    ("GET", "/rest/api/2/issueLinkType"): JiraSite.link_types,
    ("GET", "/rest/api/2/worklog/updated"): JiraSite.updated_logs,
    ("GET", "/rest/api/2/worklog/deleted"): JiraSite.deleted_logs,
    ("POST", "/rest/api/2/worklog/list"): JiraSite.list_logs,
    ("GET", "/rest/agile/1.0/board"): JiraSite.boards,
}
_CLOUD: dict[tuple[str, str], _Handler] = {
    ("GET", "/rest/api/2/project/search"): JiraSite.project_search,
    ("POST", "/rest/api/2/search/jql"): JiraSite.search_jql,
    ("GET", "/rest/api/2/search/jql"): lambda world, request, _: world.search_jql(
        request, _as_body(request.query)
    ),
    ("POST", "/rest/api/2/search/approximate-count"): JiraSite.approximate_count,
    ("POST", "/rest/api/2/issue/bulkfetch"): JiraSite.bulkfetch,
    ("POST", "/rest/api/2/changelog/bulkfetch"): JiraSite.changelogs,
    ("GET", "/rest/api/2/user/bulk"): JiraSite.people,
}
_SERVER: dict[tuple[str, str], _Handler] = {
    ("GET", "/rest/api/2/search"): JiraSite.search, ("POST", "/rest/api/2/search"): JiraSite.search,
    ("GET", "/rest/api/2/project"): JiraSite.projects, ("GET", "/rest/api/2/user"): JiraSite.one_person,
}  # fmt: skip


def status_def(native: str, name: str, category: str) -> dict[str, Any]:
    """Show a status as the site lists it."""
    return {"id": native, "name": name, "statusCategory": {"id": 2, "key": category, "name": name}}


def _only(line: dict[str, Any], fields: set[str]) -> dict[str, Any]:
    """Leave of a line of history what a filter by fields lets through: nothing that has no id of a field."""
    kept = [item for item in line["items"] if not fields or item.get("fieldId") in fields]
    return line | {"items": kept}


def _as_body(query: dict[str, str]) -> dict[str, Any]:
    """Turn the parameters of the search by GET into the body of the one by POST."""
    body: dict[str, Any] = dict(query)
    if "fields" in body:
        body["fields"] = query["fields"].split(",")
    return body
