"""The published feed of another hub as a source of pm-hub: a group reads what its subsidiaries publish."""

from __future__ import annotations

from hub import Source, hookimpl


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``hub``."""
    from hub_hub.source import HubSource

    return [HubSource]
