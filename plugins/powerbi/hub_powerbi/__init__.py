"""Power BI as a destination of pm-hub."""

from __future__ import annotations

from hub import Destination, hookimpl


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kinds ``powerbi``, ``powerbi-push``, ``fabric-mirror`` and ``delta``."""
    from hub_powerbi.delta import DeltaDestination
    from hub_powerbi.destination import PowerBiDestination
    from hub_powerbi.mirror import MirrorDestination
    from hub_powerbi.push import PushDestination

    return [PowerBiDestination, MirrorDestination, DeltaDestination, PushDestination]
