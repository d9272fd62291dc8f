"""Microsoft Project and Primavera schedules as a source of pm-hub."""

from __future__ import annotations

from pathlib import Path

from hub import Source, Suggestion, hookimpl, tr


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


@hookimpl
def suggest_sources(folder: Path, files: list[Path]) -> list[Suggestion]:
    """Offer to read the plans among *files*, one source for each folder of them."""
    from hub_msproject.files.recognise import is_plan

    found: dict[Path, list[Path]] = {}
    for path in files:
        if is_plan(path):
            found.setdefault(path.parent, []).append(path)
    return [
        Suggestion(
            name="plans",
            kind="msproject",
            settings={"path": parent.relative_to(folder).as_posix()} if parent != folder else {"path": "."},
            files=tuple(plans),
            says=tr("plans, with their tasks, dates, work and baselines"),
        )
        for parent, plans in found.items()
    ]
