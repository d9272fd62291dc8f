"""Power BI as a destination of pm-hub."""

from __future__ import annotations

from hub import Destination, hookimpl


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kind ``powerbi``."""
    from hub_powerbi.destination import PowerBiDestination

    return [PowerBiDestination]
