"""The certification of `redmine`."""

from __future__ import annotations

from typing import ClassVar

from hub import Source
from hub.testing.kit import Capability, SourceCertification, credential
from hub_redmine.source import RedmineSource
from hub_redmine.testing.sheet import RedmineSite
from hub_redmine.testing.world import COMMENT


class RedmineCertification(SourceCertification):
    """Redmine."""

    kind = "redmine"
    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {"increments", "deletions", "worklogs", "containers", "history"}
    )
    private = (COMMENT,)
    # what a list shows can be read, unless its project was archived between the two: then the list is taken
    spared = ("GET /issues/N.json",)

    def world(self, seed: int, *, scale: int = 1) -> RedmineSite:
        """Make the site."""
        return RedmineSite(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Make the source."""
        return RedmineSource(
            name="redmine",
            url=place,
            key=credential(),
            tz="Europe/Paris",
            fields={"points": "Story points", "baseline_finish": "Baseline due date", "billable": "Billable"},
            custom=("Workstreams",),
            max_leave=0.4,  # the hours of one issue are many of so small a project
        )
