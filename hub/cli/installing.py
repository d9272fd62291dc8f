"""Find plugins and install them into the hub's own environment."""

from __future__ import annotations

import importlib.metadata
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.app import App
from hub.words import tr

if TYPE_CHECKING:
    from hub.upkeep import known


def add_to(plugin: click.Group) -> None:
    """Add search and install to the group *plugin*."""

    @plugin.command()
    @click.argument("word", default="")
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def search(app: App, word: str, json_: bool) -> int:
        """List the known plugins that have WORD in their name or purpose.

        They are those of the hub and of config/plugins.toml; no network is asked.

        Example: hub plugin search power
        """
        from rich.table import Table

        from hub.upkeep import known

        found = dict(known.search(word, known.known(app.config.parent)))
        here = {name: _installed(one.distribution) for name, one in found.items()}
        if json_:
            app.as_json([{"name": name, "installed": here[name]} | _told(one) for name, one in found.items()])
            return 0
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name in (tr("plugin"), tr("installed"), tr("what it is for")):
            table.add_column(name, overflow="fold")
        for name, one in found.items():
            table.add_row(name, here[name] or "", one.says)
        if found:
            app.console.print(table)
        app.say(
            tr(
                "`hub plugin install NAME` asks the package index for pm-hub-NAME, in a list or not, and "
                "says what it found before it installs."
            )
        )
        return 0

    @plugin.command()
    @click.argument("name", metavar="NAME|NAME==VERSION|FILE.whl")
    @click.option(
        "--find-links", "links", multiple=True, metavar="FOLDER", help="Seek wheels there, too; repeatable."
    )
    @click.option("--no-index", is_flag=True, help="Ask no package index: only what --find-links has.")
    @click.option(
        "--level",
        type=click.Choice(["bronze", "silver", "gold"]),
        default="bronze",
        show_default=True,
        help="What its certification must reach.",
    )
    @click.option("--uncertified", is_flag=True, help="Take one that brings no certification.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @click.pass_obj
    def install(
        app: App, name: str, links: tuple[str, ...], no_index: bool, level: str, uncertified: bool, yes: bool
    ) -> int:
        """Install a plugin where the hub is installed, once it fits this hub and is certified.

        Its wheel is unpacked beside, looked at without running it, and shown; when you agree it is certified
        there, and installed. What does not fit, or does not pass, is not.

        Example: hub plugin install acme --find-links dist --no-index
        """
        from hub.errors import ConfigError
        from hub.upkeep import known
        from hub.upkeep.installer import Installer, Places

        wanted = known.wanted(name, known.known(app.config.parent))
        installer, places = Installer.here(), Places(links=links, only=no_index)
        with tempfile.TemporaryDirectory(prefix="pm-hub-plugin-") as folder:
            found = installer.unpack(wanted, Path(folder) / "plugin", places)
            before = _installed(found.distribution)
            if before == found.version:
                app.say(tr("{exact} is installed already.", exact=found.exact))
                return 0
            lines = {
                tr("plugin"): f"{found.exact} ({', '.join(found.modules)})",
                tr("in place of"): before or "",
                tr("brings too"): ", ".join(found.lacks),
                tr("from"): _origin(wanted, links, no_index, found.digest),
                tr("vouched for"): tr("by its sha256 in the list of plugins")
                if wanted.digests
                else tr("by nobody: its code will run with your rights"),
                tr("into"): f"{sys.prefix} ({installer.name})",
            }
            for what, said in lines.items():
                if said:
                    app.say(f"  {what}: {said.strip()}")
            if not found.certifies and not uncertified:
                raise ConfigError(
                    tr("It brings no certification: --uncertified takes it as it is. Nothing was installed.")
                )
            if not yes and not _agrees():
                raise ConfigError(tr("Nothing was installed: nobody said yes. --yes says it beforehand."))
            installer.complete(found, places)
            if found.certifies:
                app.say(tr("Certifying it …"))
                app.say(installer.certify(found, level))
            installer.put_in_place(found, wanted, places)
        app.say(
            tr("{exact} is installed. Next: hub plugin list", exact=found.exact),
            "green",
        )
        return 0


def _agrees() -> bool:
    try:
        return click.confirm(tr("Certify and install it?"))
    except click.Abort:  # there is nobody
        click.echo()
        return False


def _origin(wanted: known.Wanted, links: tuple[str, ...], no_index: bool, digest: str) -> str:
    if wanted.file is not None:
        return f"{wanted.file} (sha256 {digest})"
    return ", ".join([*links, *([] if no_index else [tr("the package index")])])


def _installed(distribution: str) -> str | None:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return None


def _told(one: known.Known) -> dict[str, object]:
    return {"distribution": one.distribution, "en": one.en, "fr": one.fr, "versions": list(one.sha256)}
