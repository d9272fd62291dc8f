"""Redmine as a source of pm-hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub import Source, hookimpl

if TYPE_CHECKING:
    from hub import Simulator


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``redmine``."""
    from hub_redmine.source import RedmineSource

    return [RedmineSource]


@hookimpl
def register_simulators() -> dict[str, type[Simulator]]:
    """Offer a Redmine that demonstrations fill."""
    from hub_redmine.testing.simulator import RedmineSimulator

    return {"redmine": RedmineSimulator}
