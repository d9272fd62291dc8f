"""Redmine as a source of pm-hub."""

from __future__ import annotations

from hub import Source, hookimpl


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``redmine``."""
    from hub_redmine.source import RedmineSource

    return [RedmineSource]
