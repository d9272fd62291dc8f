"""Any REST or OData tool as a source of pm-hub, by a TOML mapping."""

from __future__ import annotations

from hub import Source, hookimpl


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``rest``."""
    from hub_rest.source import RestSource

    return [RestSource]
