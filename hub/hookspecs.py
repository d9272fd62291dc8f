"""The doors of the hub: the hooks a plugin may implement."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    import click

    from hub.destination import Destination
    from hub.records import Category, Record
    from hub.simulator import Simulator
    from hub.source import Source, Suggestion
    from hub.store import RunRow

PROJECT = "hub"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def register_sources() -> list[type[Source]]:
    """Return the source classes of this plugin; each has its own `kind`."""
    raise NotImplementedError


@hookspec
def register_destinations() -> list[type[Destination]]:
    """Return the destination classes of this plugin; each has its own `kind`."""
    raise NotImplementedError


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to the group *cli*."""


@hookspec
def register_kpis() -> dict[str, str]:
    """Return KPIs of your own.

    Their code, and the SQL file's text with its header, as in the catalogue.
    """
    raise NotImplementedError


@hookspec
def register_simulators() -> dict[str, type[Simulator]]:
    """Return simulators of your tools by the kind of their source.

    Demonstrations fill them, and the real connector reads them.
    """
    raise NotImplementedError


@hookspec
def suggest_sources(folder: Path, files: list[Path]) -> list[Suggestion]:
    """Say which of *files*, all below *folder*, sources of this plugin would read, and by what settings.

    Paths in the settings are relative to *folder*, where the configuration will lie. Nothing is written.
    """
    raise NotImplementedError


@hookspec
def around_sync(
    config: Path, simulators: Mapping[str, type[Simulator]], now: datetime
) -> AbstractContextManager[object] | None:
    """Open what the sources of the file *config* need while they are checked or read, such as a tunnel.

    None where they need nothing. *simulators* are those that plugins offer, by the kind of their source.
    """


@hookspec(firstresult=True)
def categorize_status(source: Source, status: str) -> Category | None:
    """Say which category the *status* of *source* means where the tool proves none; None passes on."""


@hookspec
def map_record(source: Source, record: Record) -> Record | None:
    """Apply a site's own rule to one *record* before it is stored; None leaves it as it is.

    Rules of several plugins are chained: each gets what the one before it made.
    """


@hookspec
def run_finished(run: RunRow) -> None:
    """Listen: one source's run has ended."""
