"""Microsoft Project and Primavera schedules as a source of pm-hub."""

from __future__ import annotations

from pathlib import Path
from typing import Any

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
    @click.argument("a", metavar="A|PLAN")
    @click.argument("b", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
    @click.option("--from", "since", metavar="CUT", help="Label of a cut, a date or an instant.")
    @click.option("--to", "until", metavar="CUT", help="The same; now when absent.")
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def compare(app: Any, a: str, b: Path | None, since: str | None, until: str | None, json_: bool) -> None:
        """Show what differs between two states of a plan.

        They are in the files A and B, or what the store knew of PLAN at two cuts or days. Tasks that were
        added, removed or moved, effort, links, and what became critical or is so no more.

        Example: hub plan compare plans/2026-09.mpp plans/2026-10.mpp

        Example: hub plan compare "Plan of works" --from "COPIL 2026-09" --to "COPIL 2026-10"
        """
        from hub_msproject.files.compare import compare as compared
        from hub_msproject.files.compare import compare_known
        from hub_msproject.files.shown import show

        if (b is None) is (since is None) or (b is not None and until is not None):
            raise click.UsageError(tr("Give two files, or a plan of the store with --from and perhaps --to."))
        if b is not None:
            show(compared(Path(a), b), json_=json_)
            return
        with app.store() as store:
            show(compare_known(store, a, since or "", until or "now"), json_=json_)
