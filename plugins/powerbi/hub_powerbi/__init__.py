"""Power BI as a destination of pm-hub."""

from __future__ import annotations

from hub import Destination, hookimpl


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kinds ``powerbi`` and ``fabric-mirror``."""
    from hub_powerbi.destination import PowerBiDestination
    from hub_powerbi.mirror import MirrorDestination

    return [PowerBiDestination, MirrorDestination]
