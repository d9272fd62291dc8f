"""Taskworld as a source of pm-hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub import Source, hookimpl

if TYPE_CHECKING:
    from hub.testing.kit import Shown


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``taskworld``."""
    from hub_taskworld.source import TaskworldSource

    return [TaskworldSource]


@hookimpl
def register_stand_ins() -> dict[str, type[Shown]]:
    """Offer a workspace that demonstrations fill."""
    from hub_taskworld.standin import ShownTaskworld

    return {"taskworld": ShownTaskworld}
