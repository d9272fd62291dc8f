"""Taskworld as a source of pm-hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub import Source, hookimpl

if TYPE_CHECKING:
    from hub.testing.kit import Simulator


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``taskworld``."""
    from hub_taskworld.source import TaskworldSource

    return [TaskworldSource]


@hookimpl
def register_simulators() -> dict[str, type[Simulator]]:
    """Offer a workspace that demonstrations fill."""
    from hub_taskworld.testing.simulator import TaskworldSimulator

    return {"taskworld": TaskworldSimulator}
