"""What happens in a simulated Redmine, how its rows look, and what a store must make of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from hub.testing.kit import Item, Ledger, Log

COMMENT = "a remark about a colleague"
EPOCH = datetime(2024, 3, 1, tzinfo=UTC)
STATUSES = {1: ("New", False), 2: ("In Progress", False), 5: ("Closed", True)}
TRACKERS = {1: "Bug", 2: "Feature", 3: "Support"}
LOCKED, NOBODY, GROUP = 9, 8, 20
"""A locked user, what deleted ones become, and a group: all three are of one row of ids."""
ROLE = 3
CATEGORY = "Réseau, accès"


class Rows(Ledger):
    """The projects, people, issues and hours of a Redmine.

    *archived* projects answer 403, *deleted* ones 404, *top* ones were moved there; with *unrelated* all
    relations were deleted. *fired* users were deleted, *bare* issues have no custom field, category or
    baseline. *issues_seen* and *hours_seen* are what the account's role shows (``all``, ``default``,
    ``own``); None is an administrator.
    """

    name: ClassVar[str] = "redmine"
    count: ClassVar[int] = 20

    def __init__(self, seed: int, *, scale: int = 1) -> None:
        """Fill it."""
        self.archived: set[str] = set()
        self.deleted: set[str] = set()
        self.unrelated = False
        self.top: set[str] = set()
        self.fired: set[int] = set()
        self.bare: set[int] = set()
        self.freed: dict[int, str] = {}
        """Hours that stayed on their project when their issue was deleted."""
        self.statuses = dict(STATUSES)
        self.issues_seen: str | None = None
        self.hours_seen = "all"
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
        found = [item for _, item in sorted(self.items.items()) if item.container not in away]
        if self.issues_seen == "own":
            return [item for item in found if self.assigned(item) == 1]
        return found if self.issues_seen in {None, "all"} else [one for one in found if not private(one)]

    def place(self, log: Log) -> str:
        """Return the project of a time entry: that of its issue, or the one on which it stayed."""
        return self.freed.get(log.native) or self.items[log.item].container

    def seen_logs(self) -> list[Log]:
        """Return the time entries that may be read, in the order of their making."""
        away, seen = self.hidden | self.archived | self.deleted, {item.native for item in self.seen()}
        found = [log for _, log in sorted(self.logs.items()) if self.place(log) not in away]
        found = [log for log in found if log.native in self.freed or log.item in seen]
        return found if self.hours_seen == "all" else []

    def fire(self, native: int) -> None:
        """Delete a user: nobody takes the place, in what was done and in what histories say; no stamp."""
        self.fired.add(native)

    def clear(self, native: int) -> None:
        """Empty the custom fields of an issue."""
        self.bare.add(native)
        self.items[native].updated = self.tick()

    def person(self, native: int) -> int:
        """Return who stands for a user now."""
        return NOBODY if native in self.fired else native

    def assigned(self, item: Item) -> int | None:
        """Return who an issue is assigned to: nobody any more, where that user was deleted."""
        native = GROUP if item.native % 13 == 0 else item.native % 5 + 1
        return native if item.native % 4 and native not in self.fired else None

    # ---------- one thing ----------

    def user(self, number: int) -> dict[str, Any]:
        """Show a user: to administrators with the API key, and nobody without a login."""
        if number == NOBODY:
            return {"id": NOBODY, "login": "", "firstname": "", "lastname": "Anonymous", "api_key": COMMENT}
        return {
            "id": number,
            "login": f"user{number}",
            "api_key": COMMENT,
            "firstname": "Élodie",
            "lastname": f"O'Brien {number}",
            "mail": f"user{number}@example.org",
            "admin": number == 1,
        }

    def me(self) -> dict[str, Any]:
        """Show the account that signs in, with what it is in each project."""
        roles = [{"id": ROLE, "name": "Reporter"}]
        places = [{"id": int(n), "name": name} for n, name in self.containers.items()]
        return self.user(1) | {
            "admin": self.issues_seen is None,
            "memberships": [{"id": 1, "project": place, "roles": roles} for place in places],
        }

    def role(self, native: int) -> dict[str, Any]:
        """Show the role of the account."""
        return {
            "id": native,
            "name": "Reporter",
            "assignable": True,
            "issues_visibility": self.issues_seen or "all",
            "time_entries_visibility": self.hours_seen,
            "users_visibility": "all",
            "permissions": ["view_issues", "view_time_entries"],
        }

    def ref(self, number: int) -> dict[str, Any]:
        """Name a user, or what stands for one."""
        who = self.person(number)
        names = {NOBODY: "Anonymous", GROUP: "Support"}
        return {"id": who, "name": names.get(who, f"Élodie O'Brien {who}")}

    def project(self, native: str) -> dict[str, Any]:
        """Show a project: the third is closed, and below the first."""
        more = (
            {"parent": {"id": 1, "name": self.containers["1"]}}
            if native == "3" and native not in self.top
            else {}
        )
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

    def delete(self, native: str | None = None, *, to: int | None = None, free: bool = False) -> str:
        """Delete an issue, and all below it, as Redmine does.

        Its hours go with it, are given *to* another issue, or stay on the project, *free*; without a stamp.
        """
        chosen = int(native) if native else self.random.choice(list(self.items))
        for log in self.logs.values() if free or to else ():
            if log.item == chosen:
                log.item = to or 0
                if free:
                    self.freed[log.native] = self.items[chosen].container
        gone = super().delete(str(chosen))
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
        status, bare = 5 if item.done else 1, n in self.bare
        streams = ["IT", "Legal"] if n % 2 and not bare else []
        shown: dict[str, Any] = {
            "id": n,
            "project": {"id": int(item.container), "name": self.containers[item.container]},
            "tracker": {"id": n % 3 + 1, "name": TRACKERS[n % 3 + 1]},
            "status": {"id": status, "name": self.statuses[status][0], "is_closed": item.done},
            "priority": {"id": 2, "name": "Normal"},
            "author": self.ref(n % 3 + 1),
            "subject": item.title,
            "description": COMMENT,
            "start_date": "2024-03-04",
            "due_date": "2024-06-28" if n % 3 else None,
            "done_ratio": 100 if item.done else 40,
            "estimated_hours": item.hours,
            "total_estimated_hours": item.hours + 10,
            "spent_hours": 3.0,
            "total_spent_hours": 13.0,
            "is_private": private(item),
            "custom_fields": [
                {"id": 1, "name": "Baseline due date", "value": "" if bare else "2024-06-14"},
                {"id": 2, "name": "Story points", "value": "" if bare else str(n % 8)},
                {
                    "id": 3,
                    "name": "Workstreams",
                    "multiple": True,
                    "value": streams,
                },
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
        if assigned := self.assigned(item):
            shown["assigned_to"] = self.ref(assigned)
        if n % 3 == 0 and not bare:
            shown["category"] = {"id": 5, "name": CATEGORY}
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
        """Show a time entry, its hours rounded to hundredths; some are by somebody who is locked."""
        place = self.place(log)
        issue = {} if log.native in self.freed else {"issue": {"id": log.item}}
        return issue | {
            "id": log.native,
            "project": {"id": int(place), "name": self.containers[place]},
            "user": self.ref(LOCKED if log.native % 4 == 0 else 2),
            "activity": {"id": 9, "name": "Development"},
            "hours": round(log.hours, 2),
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
            "status_raw": self.statuses[5 if item.done else 1][0],
            "reporter_id": f"redmine:u{self.person(item.native % 3 + 1)}",
            "assignee_id": f"redmine:u{self.assigned(item)}" if self.assigned(item) else None,
            "points": None if item.native in self.bare else float(item.native % 8),
            "iteration_id": f"redmine:v{item.container}" if item.native % 5 == 0 else None,
            "due_on": "2024-06-28" if item.native % 3 else None,
            "spent_s": None,
        }

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Return what the store must hold."""
        place = self.place(log)
        return {
            "seconds": round(log.hours * 3600),
            "day": log.started[:10],
            "task_id": None if log.native in self.freed else f"redmine:{log.item}",
            "container_id": f"redmine:p{place}",
            "account_id": f"redmine:u{self.person(LOCKED if log.native % 4 == 0 else 2)}",
            "billable": log.native % 2,
        }

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Return tasks, milestones, hours, the history of statuses."""
        found = super().truth()
        found["task"] |= {
            f"m{n}": {"title": f"Release {n}", "kind": "milestone", "due_on": "2024-12-31"}
            for n in self.containers
        }
        found["task_change"] = {
            f"h{one.native}/status": {
                "field": "status",
                "from_value": self.statuses[int(one.before)][0],
                "to_value": self.statuses[int(one.after)][0],
                "at": one.at,
                "author_id": f"redmine:u{self.person(one.native % 5 + 1)}",
            }
            for one in self.seen_changes()
        }
        return found

    def around(self) -> dict[str, set[tuple[str, str]]]:
        """Return what stands beside tasks and projects: ids, and the text or the day of each."""
        return {
            "baseline": {
                (f"{one.native}/b0", "2024-06-14") for one in self.seen() if one.native not in self.bare
            },
            "custom_value": {
                (f"{one.native}/{field}", text) for one in self.seen() for field, text in self.beside(one)
            }
            | {("p3/parent", "Project 1"), ("p3/path", "Project 1 / Project 3")},
        }

    def beside(self, item: Item) -> Iterator[tuple[str, str]]:
        """Return the fields that stand beside an issue."""
        if private(item):
            yield "is_private", "1"
        if item.native not in self.bare:
            if item.native % 3 == 0:
                yield "components", CATEGORY.replace(", ", ",\u00a0")
            if item.native % 2:
                yield "Workstreams", "IT, Legal"


def private(item: Item) -> bool:
    """Say whether an issue is shown to few."""
    return item.native % 11 == 0


def _utc(stamp: str) -> str:
    return f"{datetime.fromisoformat(stamp).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
