"""The hours of a site: its feeds of what changed and was deleted, worklogs by id and by issue."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence, Set
from datetime import datetime
from typing import Any

from hub.testing.kit import Request, Response
from hub_jira.testing.answers import Caps, millis, refused


class HoursOfSite(ABC):
    """The part of a site that tells its hours: they are seen where their issue is."""

    caps: Caps
    now: datetime
    lag_s: int
    logs: dict[int, Any]
    gone: list[Any]
    unseen_logs: Set[int] = frozenset()
    """Worklogs that this account may not see, and that Jira counts all the same."""

    @abstractmethod
    def by_id(self) -> Mapping[str, Any]:
        """Return the issues that a search may find, by their number as text."""

    @abstractmethod
    def logs_on(self, native: int) -> Sequence[Any]:
        """Return the worklogs of an issue, oldest first."""

    @abstractmethod
    def worklog(self, log: Any) -> dict[str, Any]:
        """Show a worklog."""

    def updated_logs(self, request: Request, _: Any) -> Response:
        """Return a page of changed worklogs: ids and stamps, *since* included."""
        seen = self.by_id()
        return self._feed(
            "updated",
            [(millis(log.updated), log.native) for log in self.logs.values() if str(log.item) in seen],
            request,
        )

    def deleted_logs(self, request: Request, _: Any) -> Response:
        """Return a page of deleted worklogs."""
        return self._feed("deleted", [(millis(one.at), one.native) for one in self.gone], request)

    def _feed(self, name: str, found: list[tuple[int, int]], request: Request) -> Response:
        since, base = int(request.query.get("since", 0)), "http://" + request.headers.get("host", "")
        rows = sorted(one for one in found if since <= one[0] <= self.indexed())
        page = rows[: self.caps.feed]
        until = page[-1][0] if page else since
        more = len(rows) > len(page)
        values = [{"worklogId": native, "updatedTime": at, "properties": []} for at, native in page]
        links = {"self": f"{base}/rest/api/2/worklog/{name}?since={since}"} | (
            {"nextPage": f"{base}/rest/api/2/worklog/{name}?since={until}"} if more else {}
        )
        return Response(body={"values": values, "since": since, "until": until, "lastPage": not more} | links)

    def list_logs(self, _: Request, body: dict[str, Any]) -> Response:
        """Return worklogs by id; those that may not be read are left out without a word."""
        if len(body.get("ids", [])) > self.caps.bulk_worklogs:
            return refused("Too many worklogs.")
        known = [self.logs[one] for one in body.get("ids", []) if one in self.logs]
        seen = self.by_id()
        return Response(body=[self.worklog(log) for log in known
                              if str(log.item) in seen and log.native not in self.unseen_logs])  # fmt: skip

    def logs_of(self, native: int) -> Response:
        """Return the worklogs of an issue, and how many there are in all."""
        if str(native) not in self.by_id():
            return Response(
                status=404,
                body={"errorMessages": ["Issue does not exist or you do not have permission to see it."]},
            )
        logs = self.logs_on(native)
        rows = [self.worklog(log) for log in logs if log.native not in self.unseen_logs]
        return Response(
            body={"startAt": 0, "maxResults": max(len(rows), 1), "total": len(logs), "worklogs": rows}
        )

    def indexed(self) -> int:
        """Return up to which instant the search and the feeds know of things."""
        return round(self.now.timestamp() * 1000) - self.lag_s * 1000
