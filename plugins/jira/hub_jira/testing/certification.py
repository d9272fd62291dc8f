"""The certifications of `jira`: Cloud and Data Center, with pages and cut lists small enough to be met."""

from __future__ import annotations

from typing import ClassVar

from hub import Allocation, Source
from hub.testing.kit import Capability, SourceCertification, credential
from hub_jira.mapping import PROVIDES
from hub_jira.source import JiraSource
from hub_jira.testing import COMMENT, EMAIL, Caps, JiraWorld
from hub_jira.testing.sheet import CloudSite, ServerSite, TempoSite

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
    records = tuple(one for one in PROVIDES if one is not Allocation)  # only Tempo plans

    def world(self, seed: int, *, scale: int = 1) -> JiraWorld:
        """Make the site."""
        return CloudSite(seed, scale=scale, caps=CAPS)

    def source(self, place: str) -> Source:
        """Make the source."""
        return JiraSource(name="jira", url=place, email=EMAIL, token=credential(), tz="Europe/Paris")


class ServerCertification(CloudCertification):
    """Jira Data Center."""

    kind = "jira data center"

    def world(self, seed: int, *, scale: int = 1) -> ServerSite:
        """Make the site."""
        return ServerSite(seed, scale=scale, caps=CAPS)

    def source(self, place: str) -> Source:
        """Make the source."""
        return JiraSource(name="jira", url=place, token=credential(), tz="Europe/Paris")


class TempoCertification(CloudCertification):
    """Jira Cloud with Tempo."""

    kind = "jira with tempo"
    records = PROVIDES

    def world(self, seed: int, *, scale: int = 1) -> TempoSite:
        """Make the site, with something planned."""
        world = TempoSite(seed, scale=scale, caps=CAPS)
        world.plans = [
            {
                "id": 1,
                "startDate": "2024-05-06",
                "endDate": "2024-05-10",
                "totalPlannedSecondsInScope": 72000,
                "planItem": {"type": "PROJECT", "id": 20001},
                "assignee": {"type": "USER", "id": "acc-1"},
            }
        ]
        return world

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
