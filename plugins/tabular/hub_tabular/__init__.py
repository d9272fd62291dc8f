"""CSV, XLSX, XLS and ODS files as a source of pm-hub, by a TOML mapping."""

from __future__ import annotations

from pathlib import Path

import click

from hub import Source, Suggestion, hookimpl


@hookimpl
def register_sources() -> list[type[Source]]:
    """Offer the kind ``tabular``."""
    from hub_tabular.source import TabularSource

    return [TabularSource]


@hookimpl
def suggest_sources(folder: Path, files: list[Path]) -> list[Suggestion]:
    """Offer to read the tables among *files*."""
    from hub_tabular.first import suggestions

    return suggestions(folder, files)


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add `hub tabular suggest`."""

    @cli.group()
    def tabular() -> None:
        """Help with files of tables."""

    @tabular.command()
    @click.argument("file", type=click.Path(exists=True, dir_okay=False))
    @click.option("--sheet", default=None, help="Sheet to look at; those that are one table when absent.")
    @click.option(
        "--record", default=None, help="Record type to map to; guessed from the headers when absent."
    )
    def suggest(file: str, sheet: str | None, record: str | None) -> None:
        """Print a first mapping for FILE, to be saved and completed.

        Example: hub tabular suggest hours/2026-10.csv > mappings/hours.toml
        """
        from pathlib import Path

        from hub_tabular.suggest import suggest_mapping

        click.echo(suggest_mapping(Path(file), sheet=sheet, record=record), nl=False)
