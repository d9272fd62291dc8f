"""The same site with the hours in Tempo, which has a host and a token of its own."""

from __future__ import annotations

import re
from typing import Any

from hub.testing.kit import SECRET, Log, Request, Response
from hub_jira.testing.world import COMMENT, JiraWorld

SIZE = 20


class TempoWorld(JiraWorld):
    """Jira with the hours in Tempo: pages are small, the order is that of the ids.

    *attributes* are the work attributes of hours, *teams* name accounts by the number of a team, *approved*
    are lines of account, first day, last day and state of a team. *plans* and *accounts* are shown as they
    are. *billed* are the billed seconds of hours; None shows none. *closed* are paths that this token may
    not read.
    """

    def __init__(self, *arguments: Any, **named: Any) -> None:
        """Plan nothing yet; there is one team."""
        super().__init__(*arguments, **named)
        self.attributes: dict[int, dict[str, Any]] = {}
        self.teams: dict[int, tuple[str, list[str]]] = {1: ("Payments", ["acc-0", "acc-1"])}
        self.approved: dict[int, list[tuple[str, str, str, str]]] = {}
        self.plans: list[dict[str, Any]] = []
        self.accounts: list[dict[str, Any]] = []
        self.billed: dict[int, int | None] = {}
        self.closed: set[str] = set()

    def answer(self, request: Request) -> Response:
        """Answer for Tempo too."""
        if not request.path.startswith("/4/"):
            return super().answer(request)
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return Response(status=401, body={"errors": [{"message": "Token is not valid"}]})
        path = request.path.removeprefix("/4")
        if path in self.closed:
            return Response(status=403, body={"errors": [{"message": "Missing scope"}]})
        if path == "/worklogs":
            return self._paged(request, [self.entry(log) for log in self._asked(request)])
        if path == "/accounts":
            return self._paged(request, self.accounts)
        if path == "/teams":
            return self._paged(request, [{"id": n, "name": name} for n, (name, _) in self.teams.items()])
        if match := re.fullmatch(r"/teams/(\d+)/members", path):
            who = self.teams[int(match.group(1))][1]
            return self._paged(request, [{"member": {"accountId": one}} for one in who])
        first, last = request.query.get("from", ""), request.query.get("to", "")
        if path.startswith(("/plans", "/timesheet-approvals/")) and not (first and last):
            return Response(status=400, body={"errors": [{"message": "from and to are required"}]})
        if match := re.fullmatch(r"/timesheet-approvals/team/(\d+)", path):
            return self._paged(request, self._approvals(int(match.group(1)), first, last))
        if path == "/plans":
            shown = [one for one in self.plans if one["startDate"] <= last and one["endDate"] >= first]
            return self._paged(request, shown)
        return Response(status=404, body={"errors": [{"message": "Not found"}]})

    def _asked(self, request: Request) -> list[Log]:
        """Return the hours that a filter lets through: by their change, or by their day, never by both."""
        since, first = request.query.get("updatedFrom", ""), request.query.get("from", "")
        last = request.query.get("to", "9999")
        if since and first:
            return []
        return [
            log for log in self.seen_logs()
            if log.updated[:10] >= since and first <= log.started[:10] <= last
        ]  # fmt: skip

    def _approvals(self, team: int, first: str, last: str) -> list[dict[str, Any]]:
        return [
            {
                "user": {"accountId": account},
                "period": {"from": since, "to": until},
                "status": {"key": state},
                "requiredSeconds": 126000,
                "timeSpentSeconds": 0,
            }
            for account, since, until, state in self.approved.get(team, [])
            if since <= last and until >= first
        ]

    def _paged(self, request: Request, rows: list[dict[str, Any]]) -> Response:
        start, size = int(request.query.get("offset", 0)), min(int(request.query.get("limit", 50)), SIZE)
        shown = rows[start : start + size]
        address = f"https://api.tempo.io{request.path}?offset={start + size}"
        more = {"next": address} if start + size < len(rows) else {}
        return Response(
            body={"metadata": {"count": len(shown), "offset": start, "limit": size} | more, "results": shown}
        )

    def entry(self, log: Log) -> dict[str, Any]:
        """Show a worklog: a civil day and an account, no key of the issue."""
        billed = self.billed.get(log.native, 0)
        values = [{"key": key, "value": value} for key, value in self.attributes.get(log.native, {}).items()]
        return {
            "tempoWorklogId": log.native,
            "issue": {"id": log.item},
            "timeSpentSeconds": round(log.hours * 3600),
            **({} if billed is None else {"billableSeconds": billed}),
            "startDate": log.started[:10],
            "startTime": log.started[11:19],
            "description": COMMENT,
            "updatedAt": log.updated,
            "author": {"accountId": f"acc-{self.author(log)}"},
            "attributes": {"values": values},
        }

    def author(self, log: Log) -> int:
        """Return the number of who worked."""
        return 2 * (log.native % 3) + log.started.endswith("+02:00")

    def log_id(self, log: Log) -> str:
        """Name a worklog of Tempo."""
        return f"t{log.native}"

    def requests(self) -> int:
        """Add the pages of Tempo, each from where the one before ends, approvals, plans, and who they are."""
        return super().requests() + -(-len(self.logs) // (SIZE - 1)) + 1 + len(self.teams) + 1 + 1
