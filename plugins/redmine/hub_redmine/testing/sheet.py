"""The answer sheet of the whole of a Redmine: what the store must hold of all that it shows."""

from __future__ import annotations

from typing import Any

from hub import civil_day
from hub.testing.kit import Item, Log
from hub_redmine.testing.simulator import RedmineWorld
from hub_redmine.testing.world import CATEGORY, GROUP, LOCKED, NOBODY, TRACKERS

NATURES = {"Bug": "anomaly", "Feature": "evolution", "Support": "request"}


class RedmineSite(RedmineWorld):
    """The Redmine of the certification, as it is filled at first."""

    def container_fields(self, native: str) -> dict[str, Any]:
        """Add what a project is called in addresses."""
        return super().container_fields(native) | {
            "code": f"project-{native}", "url": f"/projects/project-{native}",
            "archived": int(native == "3"),
        }  # fmt: skip

    def task_fields(self, item: Item) -> dict[str, Any]:
        """Add what every issue shows."""
        n, tracker = item.native, TRACKERS[item.native % 3 + 1]
        return super().task_fields(item) | {
            "url": f"/issues/{n}",
            "type_raw": tracker,
            "nature": NATURES[tracker],
            "priority_raw": "Normal",
            "planned_start_on": "2024-03-04",
            "planned_finish_on": "2024-06-28" if n % 3 else None,
            "percent": 100.0 if item.done else 40.0,
            "percent_kind": "physical",
            "actual_finish_on": civil_day(item.updated, "Europe/Paris") if item.done else None,
        }

    def log_fields(self, log: Log) -> dict[str, Any]:
        """Add where the hours are, and their stamp."""
        home = self.items[log.item].container
        return super().log_fields(log) | {"container_id": f"redmine:p{home}", "updated_at": log.updated}

    def truth(self) -> dict[str, dict[str, dict[str, Any]]]:
        """Add people, versions, relations and the fields that settings name."""
        found = super().truth()
        lines = {f"h{one.native}/status": one for one in self.seen_changes()}
        for native, fields in found["task_change"].items():
            line = lines[native]
            fields |= {"task_id": f"redmine:{line.item}", "author_id": f"redmine:u{line.native % 5 + 1}"}
        for n in self.containers:
            found["task"][f"m{n}"] |= {
                "container_id": f"redmine:p{n}", "status_raw": "open", "status_native": "todo",
                "is_milestone": 1, "url": f"/versions/{n}", "type_raw": "version",
                "planned_finish_on": "2024-12-31",
            }  # fmt: skip
        found["account"] = {
            f"u{n}": {
                "display_name": f"Élodie O'Brien {n}", "login": f"user{n}",
                "email": f"user{n}@example.org", "active": int(n != LOCKED), "kind": "human",
            }
            for n in range(1, LOCKED + 1) if n != NOBODY
        }  # fmt: skip
        found["account"][f"u{GROUP}"] = {"display_name": "Support", "kind": "generic"}
        found["iteration"] = {
            f"v{n}": {
                "container_id": f"redmine:p{n}", "name": f"Release {n}", "state": "open",
                "finish_at": "2024-12-31T00:00:00Z",
            }
            for n in self.containers
        }  # fmt: skip
        seen = {item.native for item in self.seen()}
        found["baseline"] = {f"{n}/b0": {"task_id": f"redmine:{n}", "finish_on": "2024-06-14"} for n in seen}
        found["custom_value"] = {
            f"{n}/Workstreams": {"row_id": f"redmine:{n}", "field": "Workstreams", "text": "IT, Legal"}
            for n in seen
            if n % 2
        }
        found["custom_value"] |= (
            {
                f"{n}/components": {
                    "row_id": f"redmine:{n}",
                    "field": "components",
                    "text": CATEGORY.replace(", ", ",\u00a0"),
                }
                for n in seen
                if n % 3 == 0
            }
            | {
                f"{n}/is_private": {"row_id": f"redmine:{n}", "field": "is_private", "text": "1"}
                for n in seen
                if n % 11 == 0
            }
            | {
                f"p3/{field}": {"row_id": "redmine:p3", "field": field, "text": text}
                for field, text in (("parent", "Project 1"), ("path", "Project 1 / Project 3"))
            }
        )
        found["task_link"] = {
            f"r{9000 + n}": {
                "from_id": f"redmine:{n}", "to_id": f"redmine:{n + 1}", "type": "FS", "lag_s": 2 * 7 * 3600
            }
            for n in seen
            if n % 6 == 0 and n + 1 in seen
        }  # fmt: skip
        return found
