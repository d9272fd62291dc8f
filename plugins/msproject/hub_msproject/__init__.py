"""Microsoft Project and Primavera schedules as a source of pm-hub."""

from __future__ import annotations

from hub import Source, hookimpl


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kinds ``msproject`` (files) and ``planner``."""
    from hub_msproject.files.source import MsProjectSource
    from hub_msproject.services.planner import PlannerSource

    return [MsProjectSource, PlannerSource]
