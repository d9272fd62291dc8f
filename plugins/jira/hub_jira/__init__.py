"""Jira Cloud and Data Center as a source of pm-hub."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub import Source, hookimpl

if TYPE_CHECKING:
    from hub.testing.kit import Simulator


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``jira``."""
    from hub_jira.source import JiraSource

    return [JiraSource]


@hookimpl
def register_simulators() -> dict[str, type[Simulator]]:
    """Offer a site of Jira that demonstrations fill."""
    from hub_jira.testing import JiraSimulator

    return {"jira": JiraSimulator}
