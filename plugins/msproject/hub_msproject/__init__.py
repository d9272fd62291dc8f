"""Microsoft Project and Primavera schedules as a source of pm-hub."""

from __future__ import annotations

from pathlib import Path

import click

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


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add `hub plan compare`."""

    @cli.group()
    def plan() -> None:
        """Look into plans."""

    @plan.command()
    @click.argument("a", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.argument("b", type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    def compare(a: Path, b: Path, json_: bool) -> None:
        """Show what differs between two states of a plan, in the files A and B.

        Tasks that were added, removed or moved, effort, links, and what became critical or is so no more.

        Example: hub plan compare plans/2026-09.mpp plans/2026-10.mpp
        """
        from hub_msproject.files.compare import compare as compared
        from hub_msproject.files.shown import show

        show(compared(a, b), json_=json_)
