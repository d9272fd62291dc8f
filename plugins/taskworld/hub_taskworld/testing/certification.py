"""The certification of `taskworld`, of which nothing beyond a whole reading can be claimed.

Its API has no filter on changes and no counts.
"""

from __future__ import annotations

from typing import ClassVar

from hub import Source
from hub.testing.kit import Capability, SourceCertification, Verb, credential
from hub_taskworld.source import TaskworldSource
from hub_taskworld.testing.simulator import COMMENT, EMAIL, TaskworldWorld


class TaskworldCertification(SourceCertification):
    """Taskworld."""

    kind = "taskworld"
    capabilities: ClassVar[frozenset[Capability]] = frozenset({"deletions", "containers"})
    cannot: ClassVar[frozenset[Verb]] = frozenset({"counts"})
    private = (COMMENT,)

    def world(self, seed: int, *, scale: int = 1) -> TaskworldWorld:
        """Make the workspace."""
        return TaskworldWorld(seed, scale=scale)

    def source(self, place: str) -> Source:
        """Make the source."""
        return TaskworldSource(
            name="taskworld",
            url=f"{place}/api/public/v1",
            email=EMAIL,
            password=credential(),
            tz="Europe/Paris",
        )
