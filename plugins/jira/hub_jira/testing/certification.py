"""The certifications of `jira`: Cloud and Data Center, with pages and cut lists small enough to be met."""

from __future__ import annotations

from typing import Any, ClassVar

from hub import Source
from hub.testing.kit import SECRET, Capability, Log, Request, Response, SourceCertification, credential
from hub_jira.source import JiraSource
from hub_jira.testing import COMMENT, EMAIL, Caps, JiraWorld, ServerWorld

CAPS = Caps(
    ids=30,
    issues=20,
    projects=2,
    feed=20,
    bulk_worklogs=1000,
    embedded_worklogs=2,
    embedded_histories=1,
    changelogs=10,
    server=20,
)


class CloudCertification(SourceCertification):
    """Jira Cloud."""

    kind = "jira cloud"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {"increments", "deletions", "worklogs", "containers", "renames", "history"}
    )
    private = (COMMENT,)

    def world(self, seed: int, *, scale: int = 1) -> JiraWorld:
        """Make the site."""
        return JiraWorld(seed, scale=scale, caps=CAPS)

    def source(self, place: str) -> Source:
        """Make the source."""
        return JiraSource(name="jira", url=place, email=EMAIL, token=credential(), tz="Europe/Paris")


class ServerCertification(CloudCertification):
    """Jira Data Center."""

    kind = "jira data center"

    def world(self, seed: int, *, scale: int = 1) -> ServerWorld:
        """Make the site."""
        return ServerWorld(seed, scale=scale, caps=CAPS)

    def source(self, place: str) -> Source:
        """Make the source."""
        return JiraSource(name="jira", url=place, token=credential(), tz="Europe/Paris")


class TempoWorld(JiraWorld):
    """Jira with the hours in Tempo, which has a host and a token of its own.

    A page is small, the order that of the ids.
    """

    def answer(self, request: Request) -> Response:
        """Answer for Tempo too."""
        if request.path != "/4/worklogs":
            return super().answer(request)
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return Response(status=401, body={"errors": [{"message": "Token is not valid"}]})
        rows = [log for log in self.seen_logs() if log.updated[:10] >= request.query.get("updatedFrom", "")]
        start, size = int(request.query.get("offset", 0)), min(int(request.query.get("limit", 50)), 20)
        shown = [self.entry(log) for log in rows[start : start + size]]
        more = (
            {"next": f"https://api.tempo.io/4/worklogs?offset={start + size}"}
            if start + size < len(rows)
            else {}
        )
        return Response(
            body={"metadata": {"count": len(shown), "offset": start, "limit": size} | more, "results": shown}
        )

    def entry(self, log: Log) -> dict[str, Any]:
        """Show a worklog: a civil day and an account, no key of the issue."""
        author = 2 * (log.native % 3) + log.started.endswith("+02:00")
        return {
            "tempoWorklogId": log.native,
            "issue": {"id": log.item},
            "timeSpentSeconds": round(log.hours * 3600),
            "billableSeconds": 0,
            "startDate": log.started[:10],
            "startTime": log.started[11:19],
            "description": COMMENT,
            "updatedAt": log.updated,
            "author": {"accountId": f"acc-{author}"},
        }

    def log_id(self, log: Log) -> str:
        """Name a worklog of Tempo."""
        return f"t{log.native}"

    def requests(self) -> int:
        """Add the pages of Tempo."""
        return super().requests() + -(-len(self.logs) // 20)


class TempoCertification(CloudCertification):
    """Jira Cloud with Tempo."""

    kind = "jira with tempo"

    def world(self, seed: int, *, scale: int = 1) -> TempoWorld:
        """Make the site."""
        return TempoWorld(seed, scale=scale, caps=CAPS)

    def source(self, place: str) -> Source:
        """Make the source."""
        return JiraSource(
            name="jira",
            url=place,
            email=EMAIL,
            token=credential(),
            tempo_token=credential(),
            tempo_url=f"{place}/4",
            tz="Europe/Paris",
        )
