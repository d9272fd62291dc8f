"""Microsoft Project and Primavera schedules as a source of pm-hub."""

from __future__ import annotations

from hub import Source, hookimpl


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kinds of Microsoft's schedules.

    ``msproject`` (files), ``planner``, ``planner-premium``, ``project-server`` and ``projectdata`` (its
    exports).
    """
    from hub_msproject.files.source import MsProjectSource
    from hub_msproject.services.exports import ExportSource
    from hub_msproject.services.planner import PlannerSource
    from hub_msproject.services.premium import PremiumSource
    from hub_msproject.services.server import ServerSource

    return [MsProjectSource, PlannerSource, PremiumSource, ServerSource, ExportSource]
