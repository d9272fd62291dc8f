"""The answer sheet of a whole site: what the store must hold of all that Jira shows, written by hand."""

from __future__ import annotations

from typing import Any

from hub.testing.kit import Item, Log
from hub_jira.testing.tempo import TempoWorld
from hub_jira.testing.world import KEYS, JiraWorld, ServerWorld

NATURES = {"Epic": "build", "Story": "build", "Sub-task": "build", "Bug": "anomaly"}
PEOPLE = range(6)
"""The numbers of those who are assigned, report, log or change."""


class Sheeted(JiraWorld):
    """The site as it is filled at first; tests that fill it otherwise ask for a part only."""

    def person(self, number: int) -> str:
        """Return the id of an account as rows name it."""
        return f"jira:{self.person_id(number)}"

    def person_id(self, number: int) -> str:
        """Return the id of an account: Cloud knows it by one id, a server by its key."""
        return f"uacc-{number}" if self.cloud else f"uJIRAUSER{number}"

    def container_fields(self, native: str) -> dict[str, Any]:
        """Add the key, the page and the state."""
        key = KEYS[native]
        return super().container_fields(native) | {"code": key, "url": f"/browse/{key}", "archived": 0}

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Add what every issue shows."""
        n, kind = item.native, self.type_of(item)["name"]
        return super().task_fields(item) | {
            "url": f"/browse/{item.key}",
            "kind": "summary" if kind == "Epic" else "work",
            "nature": NATURES[kind],
            "type_raw": kind,
            "resolution_raw": "Fixed" if item.done else None,
            "resolved_at": item.updated if item.done else None,
            "priority_raw": "High" if n % 2 else "Medium",
            "assignee_id": self.person(n % 5) if n % 4 else None,
            "reporter_id": self.person((n + 1) % 5) if n % 9 else None,
            "planned_start_on": "2024-03-28" if n % 2 else None,
            "due_on": "2024-06-30" if n % 3 else None,
            "labels": "kit" if n % 2 else None,
            "spent_s": self.spent(item),
        }

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Add who worked, and the stamp."""
        number = 2 * (log.native % 3) + log.started.endswith("+02:00")
        return super().log_fields(log) | {"account_id": self.person(number), "updated_at": log.updated}

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Add people, sprints, links, levels of service and versions."""
        found = super().truth()
        changed = {f"h{one.native}/status": one for one in self.seen_changes()}
        for native, fields in found["task_change"].items():
            line = changed[native]
            fields |= {"task_id": f"jira:{line.item}", "author_id": self.person(line.native % 5)}
        found["account"] = {
            self.person_id(n): {
                "display_name": f"Engineer {n}",
                "email": f"e{n}@example.org",
                "login": f"acc-{n}" if self.cloud else f"user{n}",
                "tz": "Etc/GMT-2" if n % 2 else "Etc/GMT-1",
                "active": 1,
            }
            for n in self.shown_people()
        }
        found["iteration"] = {
            f"s{n}": {
                "name": f"Sprint {n}", "state": "active",
                "start_at": "2024-03-25T08:00:00Z", "finish_at": "2024-04-08T08:00:00Z",
            }
            for n in (1, 2, 3)
        }  # fmt: skip
        seen = {item.native for item in self.seen()}
        found["task_link"] = {
            f"l{n}/{n - 1}/9{n}": {"from_id": f"jira:{n}", "to_id": f"jira:{n - 1}", "type": "Blocks"}
            for n in seen
            if n % 6 == 0 and n - 1 in seen
        }
        found["sla_cycle"] = {
            f"{n}/customfield_10030/1": {
                "task_id": f"jira:{n}", "name": "Time to resolution", "metric": "Time to resolution",
                "cycle_no": 1, "start_at": "2024-03-29T09:00:00Z", "stop_at": "2024-03-29T10:00:00Z",
                "goal_s": 4 * 3600, "elapsed_s": 3600, "breached": 0,
            }
            for n in seen
            if n % 9 == 0
        }  # fmt: skip
        found["custom_value"] = {
            f"{n}/fixVersions": {"row_id": f"jira:{n}", "field": "fixVersions", "text": "1.0"}
            for n in seen
            if n % 5 == 0
        }
        return found

    def shown_people(self) -> set[int]:
        """Return the numbers of the accounts that Jira shows."""
        return set(PEOPLE)


class CloudSite(Sheeted):
    """Jira Cloud."""


class ServerSite(Sheeted, ServerWorld):
    """Jira Data Center."""


class TempoSite(Sheeted, TempoWorld):
    """Jira Cloud with the hours in Tempo, where nothing was billed, and with one plan.

    Somebody who only books hours hides his address and his zone, as Atlassian's privacy settings let him.
    """

    def user(self, number: int) -> dict[str, Any]:
        """Leave out what the last one hides."""
        shown = super().user(number)
        hidden = {"emailAddress", "timeZone"} if number == max(PEOPLE) else set()
        return {name: value for name, value in shown.items() if name not in hidden}

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Add what was billed."""
        return super().log_fields(log) | {"billable": 0}

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Add the plan."""
        plan = {
            "account_id": self.person(1), "container_id": "jira:p20001",
            "start_on": "2024-05-06", "finish_on": "2024-05-10", "seconds": 20 * 3600,
        }  # fmt: skip
        found = super().truth()
        found["account"][self.person_id(max(PEOPLE))] |= {"email": None, "tz": None}
        return found | {"allocation": {"a1": plan}}
