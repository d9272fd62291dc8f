"""Jira Cloud and Data Center as a source of pm-hub."""

from __future__ import annotations

from hub import Source, hookimpl


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``jira``."""
    from hub_jira.source import JiraSource

    return [JiraSource]
