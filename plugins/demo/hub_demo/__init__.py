"""A portfolio to try pm-hub on, with no account anywhere."""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub import LANGS, Lang, hookimpl, language, speaking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hub import Simulator


@hookimpl
def around_sync(
    config: Path, simulators: Mapping[str, type[Simulator]], now: datetime
) -> AbstractContextManager[object] | None:
    """Bring up the tools of a demonstration's folder while they are read."""
    folder = config.parent.parent
    if not (folder / ".pm-hub-demo").is_file():
        return None
    from hub_demo.sites import serving

    return serving(folder, simulators, now)


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add `hub demo`."""

    @cli.command()
    @click.option(
        "--out", default="demo", show_default=True, type=click.Path(file_okay=False), help="Folder to fill."
    )
    @click.option("--seed", default=2026, show_default=True, help="Another seed is another portfolio.")
    @click.option(
        "--scale",
        default=1.0,
        show_default=True,
        type=click.FloatRange(0.2, 50),
        help="More or fewer projects.",
    )
    @click.option(
        "--lang",
        type=click.Choice(LANGS),
        help="Language of the portfolio: its messages and captions; else the one spoken.",
    )
    @click.option(
        "--group",
        is_flag=True,
        help="Three hubs instead: two subsidiaries, and a group that reads what they publish.",
    )
    @click.pass_context
    def demo(ctx: click.Context, out: str, seed: int, scale: float, lang: Lang | None, group: bool) -> int:
        """Make a portfolio of generated plans, issues, timesheets, budgets and risks, sync it and publish it.

        All of it is read by the real connectors, as yours would be: files from the folder, issues, boards,
        work packages and requests from simulators of Jira, Taskworld, OpenProject and Redmine.

        Example: hub demo --out demo
        """
        from hub_demo.group import show_group
        from hub_demo.run import show

        chosen = lang or language()
        with speaking(chosen):
            return (show_group if group else show)(
                ctx.find_root(), Path(out), seed=seed, scale=scale, lang=chosen
            )
