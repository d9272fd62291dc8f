"""Slides, a page and a PDF for the committee, as a destination and a command of pm-hub, and a digest."""

from __future__ import annotations

from typing import Any

import click

from hub import LANGS, Destination, Lang, hookimpl

FORMATS = ("pptx", "html", "pdf")


@hookimpl
def register_destinations() -> list[type[Destination]]:
    """Offer the kinds ``deck`` and ``digest``."""
    from hub_papers.destination import DeckDestination
    from hub_papers.digest import DigestDestination

    return [DeckDestination, DigestDestination]


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add `hub deck`."""

    @cli.command()
    @click.option("--cut", metavar="LABEL", help="Make again what the committee of this cut saw.")
    @click.option("--out", type=click.Path(file_okay=False), help="Folder to write to.")
    @click.option(
        "--format", "formats", type=click.Choice(FORMATS), multiple=True, help="Only this; repeatable."
    )
    @click.option("--lang", type=click.Choice(LANGS), help="Language; else that of the feed.")
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def deck(
        app: Any, cut: str | None, out: str | None, formats: tuple[str, ...], lang: Lang | None, json_: bool
    ) -> int:
        """Write the committee's slides, page and PDF from the feed that readers see.

        Settings are those of the destination of kind deck. With --cut all is told from that cut alone, and is
        the same file each time.

        Example: hub deck --cut "COPIL octobre 2026"
        """
        from hub_papers.command import make

        return make(app, cut=cut, out=out, formats=formats, lang=lang, as_json=json_)
