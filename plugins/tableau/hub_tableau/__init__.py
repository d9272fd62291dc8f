"""Tableau as a destination of pm-hub."""

from __future__ import annotations

from hub import Destination, hookimpl


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kind ``tableau``."""
    from hub_tableau.destination import TableauDestination

    return [TableauDestination]
