"""Dashboards and alert rules of Grafana as a destination of pm-hub."""

from __future__ import annotations

from hub import Destination, hookimpl


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kind ``grafana``."""
    from hub_grafana.destination import GrafanaDestination

    return [GrafanaDestination]
