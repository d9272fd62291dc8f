"""A small site with everything a connector must get right.

Three projects, cut lists, history, hours near midnight, levels of service.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import msgspec

from hub.testing.kit import HttpWorld, Item, Ledger, Log, Request, Response
from hub_jira.testing.answers import Caps, local
from hub_jira.testing.fields import field_def
from hub_jira.testing.site import JiraSite, status_def

COMMENT = "a remark about a colleague"
KEYS = {"1": "ACME", "2": "BETA", "3": "GAMA"}
STATUSES = {"10000": ("To Do", "new"), "10001": ("In Progress", "indeterminate"), "10002": ("Done", "done")}
TYPES = {"10100": ("Epic", 1), "10101": ("Story", 0), "10102": ("Bug", 0), "10103": ("Sub-task", -1)}
NAMES = {"priority": {"3": "Medium", "2": "High"}, "resolution": {"1": "Fixed", "2": "Declined"},
         "issueLinkType": {"1": "Blocks", "2": "Relates"}}  # fmt: skip
LINKED = {"inward": "is blocked by", "outward": "blocks"}
SPRINT, EPIC, POINTS, FLAGGED, START, SLA, SEVERITY, AREAS = (
    "customfield_10020",
    "customfield_10014",
    "customfield_10016",
    "customfield_10021",
    "customfield_10015",
    "customfield_10030",
    "customfield_10040",
    "customfield_10041",
)
TYPES_OF_JIRA = "com.atlassian.jira.plugin.system.customfieldtypes"
_FIELDS: list[tuple[Any, ...]] = [
    ("summary", "Summary", "string", None),
    ("status", "Status", "status", None),
    ("duedate", "Due date", "date", None),
    (SPRINT, "Sprint", "array", "com.pyxis.greenhopper.jira:gh-sprint"),
    (EPIC, "Epic Link", "any", "com.pyxis.greenhopper.jira:gh-epic-link"),
    (POINTS, "Story point estimate", "number", "com.pyxis.greenhopper.jira:jsw-story-points"),
    (FLAGGED, "Flagged", "array", f"{TYPES_OF_JIRA}:multicheckboxes"),
    (START, "Start date", "date", f"{TYPES_OF_JIRA}:datepicker"),
    (SLA, "Time to resolution", "sd-servicelevelagreement", "com.atlassian.servicedesk:sd-sla-field"),
    (SEVERITY, "Severity", "option", f"{TYPES_OF_JIRA}:select"),
    (AREAS, "Areas", "array", f"{TYPES_OF_JIRA}:multiselect", "option"),
]


class FieldChange(msgspec.Struct, kw_only=True):
    """A line of history of another field than the status: *what* changed, as Jira says it."""

    native: int
    item: int
    at: str
    what: dict[str, Any]


class JiraWorld(Ledger, JiraSite, HttpWorld):
    """A site with three projects.

    *cloud* False is Data Center. *lag_s* is how long the search index and the feeds stay behind.
    """

    name: ClassVar[str] = "jira"
    history = True
    keys: Mapping[str, str] = KEYS
    field_list = tuple(field_def(*one) for one in _FIELDS)
    status_list = tuple(status_def(native, *one) for native, one in STATUSES.items())
    type_list = tuple(
        {"id": native, "name": name, "subtask": level < 0, "hierarchyLevel": level}
        for native, (name, level) in TYPES.items()
    )

    def __init__(self, seed: int, *, scale: int = 1, caps: Caps | None = None) -> None:
        """Fill the site."""
        self.caps = caps or Caps()
        self.lag_s = 0
        self.archived: set[str] = set()
        self.trashed: set[str] = set()
        self.parents: dict[int, int] = {}
        self.sprint_rows = {number: sprint_row(number) for number in (1, 2, 3)}
        self.carried: dict[int, list[int]] = {}
        self.above: dict[int, dict[str, Any]] = {}
        self.odd: dict[int, dict[str, Any]] = {}
        self.chosen: dict[int, tuple[str | None, tuple[str, ...]]] = {}
        self.objects: dict[str, str] = {}
        self.nameless: set[int] = set()
        self.version_name, self.categories = "1.0", {one: key for one, (_, key) in STATUSES.items()}
        self.people_names: dict[int, str] = {}
        self.called: dict[tuple[str, str], str] = {}
        self.category: str | None = None
        self._cache: dict[str, Any] = {}
        super().__init__(seed, scale=scale)
        for native in sorted(self.items)[::7]:
            if (parent := native - 3) in self.items:
                self.parents[native] = parent

    # ---------- what may happen ----------

    def _add(self, updated: str) -> str:
        native = super()._add(updated)
        item = self.items[int(native)]
        item.key = f"{self.keys[item.container]}-{native}"
        return native

    def edit(self, native: str | None = None) -> str:
        """Change a title, and a status, which leaves a line of history."""
        chosen = super().edit(native)
        item = self.items[int(chosen)]
        line = self.changes[-1]
        line.before, line.after = ("Done", "To Do") if item.done else ("To Do", "Done")
        item.done = not item.done
        return chosen

    def call(self, what: str, was: str, name: str) -> None:
        """Call something otherwise, which touches no issue.

        *what* is priority, resolution, issuetype, issueLinkType, option, or project by its key.
        """
        if what != "project":
            self.called[what, was] = name
            return
        self.keys = {native: name if key == was else key for native, key in self.keys.items()}
        for item in self.items.values():
            item.key = f"{self.keys[item.container]}-{item.native}"

    def as_called(self, what: str, was: str) -> str:
        """Return what something is called now."""
        return self.called.get((what, was), was)

    def names_of(self, what: str) -> list[dict[str, Any]]:
        """List what the site has of a kind."""
        shown = [{"id": native, "name": self.as_called(what, name)} for native, name in NAMES[what].items()]
        return [one | LINKED for one in shown] if what == "issueLinkType" else shown

    def types(self, _: Request, __: Any) -> Response:
        """List types as they are called now."""
        named = [one | {"name": self.as_called("issuetype", one["name"])} for one in self.type_list]
        if not self.cloud:
            named = [{key: one[key] for key in one if key != "hierarchyLevel"} for one in named]
        return Response(body=named)

    def project(self, native: str) -> dict[str, Any]:
        """Show a project with its category."""
        told = {"projectCategory": {"id": "1", "name": self.category}} if self.category else {}
        return super().project(native) | told

    def carry(self, native: str, sprint: int) -> None:
        """Put an issue into one more sprint, which leaves a line of history."""
        item = self.items[int(native)]
        before = self.carried.setdefault(item.native, [1 + item.native % 3])
        after = [*before, sprint]
        sides = [", ".join(map(str, one)) for one in (before, after)]
        self.carried[item.native] = after
        self._line(item, {"field": "Sprint", "fieldId": SPRINT, "from": sides[0], "to": sides[1]})

    def choose(self, native: str, severity: str | None, areas: tuple[str, ...]) -> None:
        """Give an issue the options of its two fields of choice; None and () empty them."""
        self.chosen[int(native)] = (severity, areas)
        self.touch(native)

    def adopt(self, native: str, parent: int) -> None:
        """Give an issue another parent; the line of history has no id of a field."""
        item = self.items[int(native)]
        before, self.parents[item.native] = self.parents.get(item.native), parent
        sides = [str(one) if one else None for one in (before, parent)]
        self._line(item, {"field": "IssueParentAssociation", "from": sides[0], "to": sides[1]})

    def change(self, native: str, field: str, before: str | None, after: str | None) -> None:
        """Leave a line of history of a field."""
        self._line(self.items[int(native)], {"field": field, "fieldId": field, "from": before, "to": after})

    def _line(self, item: Item, what: dict[str, Any]) -> None:
        self.last += 1
        item.updated = self.tick()
        sides = {"fromString": what["from"], "toString": what["to"], "fieldtype": "jira"}
        line: Any = FieldChange(native=self.last, item=item.native, at=item.updated, what=what | sides)
        self.changes.append(line)

    def touch(self, native: str) -> None:
        """Let an issue be of now: something of it that has no verb here was changed."""
        self.items[int(native)].updated = self.tick()

    def move(self, native: str) -> None:
        """Move an issue: its project and its key change, its id does not."""
        super().move(native)
        item = self.items[int(native)]
        item.key = f"{self.keys[item.container]}-{native}"

    def seen(self) -> list[Item]:
        """Return what a search may find: nothing of hidden, archived and trashed projects."""
        away = frozenset(self.hidden | self.archived | self.trashed)
        lost = frozenset(self.restricted | self.archived_issues)
        rows: list[Item] = self._kept("seen", (len(self.items), self.now, away, lost), lambda: [
            item for _, item in sorted(self.items.items())
            if item.container not in away and item.native not in lost
        ])  # fmt: skip
        return rows

    def served(self) -> dict[str, Item]:
        """Return what may be seen, and what was archived, by its number."""
        away = {str(n): self.items[n] for n in self.archived_issues if n in self.items}
        return {**self.by_id(), **away} if away else self.by_id()

    def _kept(self, name: str, version: Any, make: Callable[[], Any]) -> Any:
        """Make something once a version: a site of 100,000 issues answers hundreds of requests."""
        if self._cache.get(name, (None,))[0] != version:
            self._cache[name] = (version, make())
        return self._cache[name][1]

    def logs_on(self, native: int) -> list[Log]:
        """Return the worklogs of an issue."""
        return self._grouped("logs", (len(self.logs), self.last), self.logs.values()).get(native, [])

    def changes_of(self, native: int) -> list[Any]:
        """Return the lines of its history."""
        return self._grouped("changes", len(self.changes), self.changes).get(native, [])

    def _grouped(self, name: str, version: Any, rows: Any) -> dict[int, list[Any]]:
        def make() -> dict[int, list[Any]]:
            found: dict[int, list[Any]] = {}
            for row in rows:
                found.setdefault(row.item, []).append(row)
            return found

        grouped: dict[int, list[Any]] = self._kept(name, version, make)
        return grouped

    def by_id(self) -> dict[str, Item]:
        """Return what may be seen by its number as text."""
        rows = self.seen()
        known: dict[str, Item] = self._kept(
            "ids", self._cache["seen"][0], lambda: {str(item.native): item for item in rows}
        )
        return known

    def requests(self) -> int:
        """Return the plan of a full reading and its census; one request more for each list that was cut."""
        items, caps = self.seen(), self.caps
        metadata = 5 + -(-len(KEYS) // caps.projects)
        sweep = 1 + -(-len(items) // (caps.ids if self.cloud else caps.server))
        slices = -(-len(items) // (caps.bulk if self.cloud else caps.server))
        histories = 1 + -(-len(self.changes) // caps.changelogs) if self.cloud else 0
        cut = sum(len(self.logs_on(item.native)) > caps.embedded_worklogs for item in items)
        return metadata + 1 + sweep + slices + histories + cut + -(-len(KEYS) // caps.projects)

    def project_no(self, native: str) -> str:
        """Return the number of a project: longer than our own."""
        return f"2000{native}"

    # ---------- the answer sheet ----------

    def container_id(self, native: str) -> str:
        """Name a project by its number."""
        return f"p2000{native}"

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Add what Jira alone knows."""
        parent = self.parents.get(item.native)
        return super().task_fields(item) | {
            "parent_id": f"{self.name}:{parent}" if parent in self.items else None,
            "status_raw": "Done" if item.done else "To Do",
            "points": float(item.native % 8) if item.native % 8 else None,
            "iteration_id": f"{self.name}:s{max(self.carried.get(item.native, [1 + item.native % 3]))}",
            "is_blocked": int(item.native % 11 == 0),
        }

    def spent(self, item: Item) -> int:
        """Return the seconds that were logged on an issue."""
        return sum(round(log.hours * 3600) for log in self.logs_on(item.native))

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return tasks, worklogs and the history of statuses."""
        found = super().truth()
        found["task_change"] = {
            f"h{one.native}/status": {
                "field": "status",
                "from_value": one.before,
                "to_value": one.after,
                "at": one.at,
            }
            for one in self.seen_changes()
            if not isinstance(one, FieldChange)
        }
        return found

    # ---------- one thing ----------

    def field(self, item: Item, name: str) -> Any:
        """Return the value of one field."""
        if name in self.odd.get(item.native, ()):
            return self.odd[item.native][name]
        return _VALUES[name](self, item) if name in _VALUES else self.custom(item.native, name)

    def status(self, item: Item) -> dict[str, Any]:
        """Show the status of an issue."""
        native = "10002" if item.done else "10000"
        return {
            "id": native,
            "name": STATUSES[native][0],
            "statusCategory": {"key": self.categories[native]},
        }

    def statuses(self, _: Request, __: Any) -> Response:
        """List statuses with what they mean now."""
        named = [status_def(one, name, self.categories[one]) for one, (name, _) in STATUSES.items()]
        return Response(body=named)

    def lists_of(self, native: str) -> dict[str, Any]:
        """Show the version of the first project."""
        one = {"id": "1", "name": self.version_name, "released": False, "releaseDate": "2024-07-01"}
        return {"versions": [one] if native == "1" else [], "components": []}

    def sprints_of_board(self, board: int) -> list[dict[str, Any]]:
        """Show the sprints of a board."""
        return list(self.sprint_rows.values())

    def type_of(self, item: Item) -> dict[str, Any]:
        """Show the type of an issue; Data Center knows no levels."""
        native = "10103" if item.native in self.parents else list(TYPES)[item.native % 3]
        name, level = TYPES[native]
        shown = {"id": native, "name": self.as_called("issuetype", name), "subtask": native == "10103"}
        return shown | ({"hierarchyLevel": level} if self.cloud else {})

    def parent(self, item: Item) -> dict[str, Any] | None:
        """Show the parent of an issue where there is one."""
        native = self.parents.get(item.native)
        return {"id": str(native), "key": self.items[native].key} if native in self.items else None

    def links(self, item: Item) -> list[dict[str, Any]]:
        """Show the links of an issue: every sixth blocks the one before it."""
        n, other = item.native, item.native - 1
        if n % 6 or other not in self.items:
            return []
        kind = {"id": "1", "name": self.as_called("issueLinkType", "Blocks")} | LINKED
        return [
            {"id": f"9{n}", "type": kind, "outwardIssue": {"id": str(other), "key": self.items[other].key}}
        ]

    def embedded_worklogs(self, item: Item) -> dict[str, Any]:
        """Show the worklogs inside an issue, as far as Jira shows them there."""
        logs, most = self.logs_on(item.native), self.caps.embedded_worklogs
        shown = [self.worklog(log) for log in logs[:most] if log.native not in self.unseen_logs]
        return {"startAt": 0, "maxResults": most, "total": len(logs), "worklogs": shown}

    def custom(self, n: int, name: str) -> Any:
        """Return the value of a custom field."""
        sprints = [self.sprint_rows[one] for one in self.carried.get(n, [1 + n % 3])]
        texts = [
            ",".join(f"{key}={value}" for key, value in (one | {"state": one["state"].upper()}).items())
            for one in sprints
        ]
        severity, areas = self.chosen_of(n)
        at = {"iso8601": "2024-03-29T10:00:00+0100", "epochMillis": 1711702800000}
        values: dict[str, Any] = {
            POINTS: float(n % 8) if n % 8 else None,
            FLAGGED: [{"id": "1", "value": "Impediment"}] if n % 11 == 0 else None,
            START: "2024-03-28" if n % 2 else None,
            SEVERITY: self.option(severity) if severity else None,
            AREAS: [self.option(one) for one in areas] or None,
            SPRINT: sprints
            if self.cloud
            else [f"com.atlassian.greenhopper.service.sprint.Sprint@1f[{text}]" for text in texts],
            SLA: {
                "id": "1",
                "name": "Time to resolution",
                "completedCycles": [
                    {
                        "startTime": at,
                        "stopTime": {"epochMillis": 1711706400000},
                        "breached": False,
                        "goalDuration": {"millis": 14400000},
                        "elapsedTime": {"millis": 3600000},
                    }
                ],
            }
            if n % 9 == 0
            else None,
        }
        return self.above.get(n, {}).get(name) or values.get(name)

    def option(self, value: str) -> dict[str, Any]:
        """Show an option as it is called now; its number stays."""
        return option(value) | {"value": self.as_called("option", value)}

    def chosen_of(self, n: int) -> tuple[str | None, tuple[str, ...]]:
        """Return the options of an issue: until somebody chooses, every fourth is severe."""
        return self.chosen.get(n, ("Major", ("API",)) if n % 4 == 0 else (None, ()))

    def user(self, number: int) -> dict[str, Any]:
        """Show a person: by account on Cloud, by name and key on Data Center.

        Odd ones live two hours east of Greenwich.
        """
        who = (
            {"accountId": f"acc-{number}", "accountType": "atlassian"}
            if self.cloud
            else {"name": f"user{number}", "key": f"JIRAUSER{number}"}
        )
        return who | {
            "displayName": self.people_names.get(number, f"Engineer {number}"),
            "active": True,
            "timeZone": ("Etc/GMT-1", "Etc/GMT-2")[number % 2],
            "emailAddress": f"e{number}@example.org",
        }

    def worklog(self, log: Log) -> dict[str, Any]:
        """Show a worklog: its start is written in the site's zone, its author lives in another."""
        author = 2 * (log.native % 3) + log.started.endswith("+02:00")
        return {
            "id": str(log.native),
            "issueId": str(log.item),
            **({} if log.native in self.nameless else {"author": self.user(author)}),
            "comment": COMMENT,
            "started": local(log.started),
            "created": local(log.updated),
            "updated": local(log.updated),
            "timeSpent": "1h",
            "timeSpentSeconds": round(log.hours * 3600),
        }

    def history_line(self, line: Any) -> dict[str, Any]:
        """Show a line of history; beside the status something nobody asked for changed too."""
        if isinstance(line, FieldChange):
            return {
                "id": str(line.native),
                "author": self.user(line.native % 5),
                "created": local(line.at),
                "items": [line.what],
            }
        ids = {name: native for native, (name, _) in STATUSES.items()}
        items = [
            {
                "field": "status",
                "fieldtype": "jira",
                "fieldId": "status",
                "from": ids[line.before],
                "fromString": line.before,
                "to": ids[line.after],
                "toString": line.after,
            },
            {
                "field": "summary",
                "fieldtype": "jira",
                "fieldId": "summary",
                "from": None,
                "fromString": "a",
                "to": None,
                "toString": "b",
            },
        ]
        return {
            "id": str(line.native),
            "author": self.user(line.native % 5),
            "created": local(line.at),
            "items": items,
        }


def option(value: str) -> dict[str, Any]:
    """Show an option that somebody chose."""
    number = str(10_200 + sum(map(ord, value)))
    return {"self": f"https://jira.example.org/rest/api/2/customFieldOption/{number}", "value": value,
            "id": number}  # fmt: skip


def sprint_row(number: int, **other: str) -> dict[str, Any]:
    """Show a sprint, active unless *other* says so."""
    return {
        "id": number,
        "state": "active",
        "name": f"Sprint {number}",
        "startDate": "2024-03-25T08:00:00.000Z",
        "endDate": "2024-04-08T08:00:00.000Z",
        "boardId": 1,
        "goal": "",
    } | other


class ServerWorld(JiraWorld):
    """The same site as Data Center."""

    cloud = False


_VALUES: dict[str, Callable[[JiraWorld, Item], Any]] = {
    "summary": lambda _, item: item.title,
    "status": JiraWorld.status,
    "issuetype": JiraWorld.type_of,
    "project": lambda world, item: world.project(item.container),
    "created": lambda _, item: local(item.created),
    "updated": lambda _, item: local(item.updated),
    "timeoriginalestimate": lambda _, item: round(item.hours * 3600),
    "timespent": lambda world, item: world.spent(item),
    "aggregatetimeoriginalestimate": lambda _, item: round(item.hours * 3600) + 36000,
    "assignee": lambda world, item: world.user(item.native % 5) if item.native % 4 else None,
    "reporter": lambda world, item: world.user((item.native + 1) % 5) if item.native % 9 else None,
    "priority": lambda world, item: world.names_of("priority")[item.native % 2],
    "resolution": lambda world, item: world.names_of("resolution")[0] if item.done else None,
    "resolutiondate": lambda _, item: local(item.updated) if item.done else None,
    "parent": JiraWorld.parent,
    "labels": lambda _, item: ["kit"] if item.native % 2 else [],
    "duedate": lambda _, item: "2024-06-30" if item.native % 3 else None,
    "fixVersions": lambda world, item: (
        [{"id": "1", "name": world.version_name, "released": False}] if item.native % 5 == 0 else []
    ),
    "issuelinks": JiraWorld.links,
    "worklog": JiraWorld.embedded_worklogs,
    "description": lambda *_: COMMENT,
    "comment": lambda *_: COMMENT,
}
"""How an issue shows each field that Jira has of its own."""
