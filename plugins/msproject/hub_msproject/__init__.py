"""Microsoft Project and Primavera schedules as a source of pm-hub."""

from __future__ import annotations

from hub import Source, hookimpl


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``msproject``."""
    from hub_msproject.files.source import MsProjectSource

    return [MsProjectSource]
