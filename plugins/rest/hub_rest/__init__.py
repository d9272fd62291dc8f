"""Any REST or OData tool as a source of pm-hub, by a TOML mapping."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hub import Source, hookimpl

if TYPE_CHECKING:
    from hub.testing.kit import Simulator


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``rest``."""
    from hub_rest.source import RestSource

    return [RestSource]


@hookimpl
def register_simulators() -> dict[str, type[Simulator]]:
    """Offer an OpenProject that demonstrations fill."""
    from hub_rest.testing.simulator import RestSimulator

    return {"rest": RestSimulator}
