"""PostgreSQL as a destination of pm-hub."""

from __future__ import annotations

from hub import Destination, hookimpl


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kind ``postgresql``."""
    from hub_postgresql.destination import PostgresqlDestination

    return [PostgresqlDestination]
