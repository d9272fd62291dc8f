"""Power BI as a destination of pm-hub."""

from __future__ import annotations

from hub import Destination, hookimpl


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kinds ``powerbi``, ``fabric-mirror`` and ``delta``."""
    from hub_powerbi.delta import DeltaDestination
    from hub_powerbi.destination import PowerBiDestination
    from hub_powerbi.mirror import MirrorDestination

    return [PowerBiDestination, MirrorDestination, DeltaDestination]
