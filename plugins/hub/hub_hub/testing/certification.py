"""The certification of `hub` by its OData door; folders and databases are proven by the plugin's own tests.

A feed has no stamp of a change: it is read whole, so nothing beyond that can be claimed of increments.
"""

from __future__ import annotations

from typing import ClassVar

from hub import Container, Record, Source, Task, Worklog
from hub.testing.kit import Capability, SourceCertification, credential
from hub_hub.source import HubSource
from hub_hub.testing.simulator import FeedWorld


class HubCertification(SourceCertification):
    """Another hub's feed."""

    kind = "hub"
    records: ClassVar[tuple[type[Record], ...] | None] = (Container, Task, Worklog)
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"deletions", "worklogs", "renames"})

    def world(self, seed: int, *, scale: int = 1) -> FeedWorld:
        """Make the feed."""
        return FeedWorld(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Read it by its address."""
        return HubSource(name="hub", url=place, token=credential())
