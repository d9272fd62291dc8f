"""Parquet, CSV and an Excel workbook as a destination of pm-hub."""

from __future__ import annotations

from hub import Destination, hookimpl


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kind ``files``."""
    from hub_files.destination import FilesDestination

    return [FilesDestination]
