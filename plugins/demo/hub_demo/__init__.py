"""A portfolio to try pm-hub on, with no account anywhere."""

from __future__ import annotations

import click

from hub import hookimpl


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add `hub demo`."""

    @cli.command()
    @click.option("--out", default="demo", show_default=True, type=click.Path(file_okay=False), help="Folder to fill.")
    @click.option("--seed", default=2026, show_default=True, help="Another seed is another portfolio.")
    @click.option("--scale", default=1.0, show_default=True, type=click.FloatRange(0.2, 50), help="More or fewer projects.")
    @click.option(
        "--lang", default="fr", show_default=True, type=click.Choice(["fr", "en"]), help="Language of the captions."
    )
    @click.pass_context
    def demo(ctx: click.Context, out: str, seed: int, scale: float, lang: str) -> int:
        """Make a portfolio of generated plans, timesheets, budgets and risks, sync it and publish it.

        The files are read by the real connectors, as yours would be.

        Example: hub demo --out demo
        """
        from pathlib import Path

        from hub_demo.journey import show

        return show(ctx.find_root(), Path(out), seed=seed, scale=scale, lang=lang)
