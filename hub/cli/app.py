"""What every command shares: configuration, plugins, store, lock, and the group they hang on."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.console import Console

from hub import clock
from hub.destination import Destination
from hub.errors import ConfigError, PluginError
from hub.feed.kpi import register
from hub.feed.moment import instant
from hub.plugins import Plugins
from hub.reference import ConfigSource, has_reference
from hub.settings import Settings, find_config, load
from hub.source import Source
from hub.store import Store
from hub.store.store import store_path
from hub.sync import lock


class App:
    """One invocation of the hub: lazily loaded configuration and plugins."""

    def __init__(self, config: str | None = None, plugins: Plugins | None = None) -> None:
        """Point to the configuration *config*, or to the default one; *plugins* are those loaded for it already."""
        self.config = find_config(config)
        if plugins is not None:
            self.plugins = plugins
        self.console = Console(stderr=False, highlight=False)
        if not self.console.is_terminal:
            self.console.width = 160  # a log has no edge to cut at
        self.err = Console(stderr=True, highlight=False, soft_wrap=True)

    @cached_property
    def plugins(self) -> Plugins:
        """Give the plugins of this machine and of the folder ``plugins`` beside the configuration."""
        return Plugins(_plugin_folder(str(self.config)))

    @cached_property
    def settings(self) -> Settings:
        """Give the checked configuration."""
        for broken in self.plugins.broken():
            self.err.print(f"Warning: {broken.problem}", style="yellow", markup=False)
        for figures in self.plugins.hook.register_kpis():
            for code, text in figures.items():
                register(code, text)
        return load(self.config, sources=self.plugins.sources, destinations=self.plugins.destinations)

    def sources(self, names: tuple[str, ...] = ()) -> list[Source]:
        """Give the named sources (all when none are named), the reference data in config/ first."""
        known: dict[str, Source] = {}
        folder = self.settings.path.resolve().parent
        if has_reference(folder) or self._was_configured():
            known["config"] = ConfigSource(name="config", folder=str(folder))
        known |= self.settings.sources
        return _pick(known, names, "source", f"{self.config} [sources.NAME]")

    def _was_configured(self) -> bool:
        path = store_path(self.settings.store, base=self.settings.base)
        if path is None or not path.exists():
            return False
        with Store.open(self.settings.store, base=self.settings.base) as store:
            return bool(store.cursors("config"))

    def destinations(self, names: tuple[str, ...] = ()) -> list[Destination]:
        """Give the named destinations (all when none are named)."""
        return _pick(self.settings.destinations, names, "destination", f"{self.config} [destinations.NAME]")

    @contextmanager
    def store(self, *, writing: bool = False) -> Iterator[Store]:
        """Open the store; *writing* holds the lock, so that one run writes at a time."""
        path = store_path(self.settings.store, base=self.settings.base)
        if path is not None and writing:
            path.parent.mkdir(parents=True, exist_ok=True)
        if writing:
            with lock(path), Store.open(self.settings.store, base=self.settings.base) as store:
                store.end_dead_runs()
                yield store
        else:
            with Store.open(self.settings.store, base=self.settings.base) as store:
                yield store

    @contextmanager
    def reachable(self) -> Iterator[None]:
        """Hold open what plugins say that the sources need while they are asked."""
        with ExitStack() as stack:
            for opened in self.plugins.hook.around_sync(config=self.config.resolve(), plugins=self.plugins, now=clock.now()):
                if opened is not None:
                    stack.enter_context(opened)
            yield

    def say(self, text: str, style: str | None = None) -> None:
        """Print a sentence; brackets in it are text, not markup."""
        self.console.print(text, style=style, markup=False)

    def as_json(self, value: Any) -> None:
        """Print *value* as JSON on one line."""
        click.echo(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))


def _pick(known: dict[str, Any], names: tuple[str, ...], what: str, where: str) -> list[Any]:
    for name in names:
        if name not in known:
            raise ConfigError(f"There is no {what} {name!r}; configured in {where}: {', '.join(known) or 'none'}.")
    return [known[name] for name in names] if names else list(known.values())


class Group(click.Group):
    """A group that lists its commands in the order they are taught."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Give the commands in the order they were added."""
        return list(self.commands)


def build_cli(arguments: list[str] | None = None) -> click.Group:
    """Give the whole command line: the hub's own commands, then those of plugins."""
    from hub.cli import configure, figures, info, main_job, match, people, schedules

    @click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
    @click.option(
        "--config", "config", metavar="FILE", help="The configuration; default ./config/hub.toml, then HUB_CONFIG."
    )
    @click.option("--now", "moment", hidden=True, help="Live at this instant; for demonstrations.")
    @click.option("-v", "--verbose", is_flag=True, help="Log what happens inside, on the error output.")
    @click.version_option(package_name="pm-hub", prog_name="hub")
    @click.pass_context
    def cli(ctx: click.Context, config: str | None, moment: str | None, verbose: bool) -> None:
        """Sync the project tools you have into one store, and publish one reporting feed.

        Example: hub run
        """
        logging.basicConfig(
            level=logging.INFO if verbose else logging.ERROR, stream=sys.stderr, format="%(asctime)s %(name)s %(message)s"
        )
        clock.pretend(datetime.fromisoformat(instant(moment)) if moment else None)
        ctx.obj = App(config, plugins if plugins.folder == _plugin_folder(config) else None)

    for room in (configure, main_job, info, figures, match, people, schedules):
        room.add_to(cli)
    plugins = Plugins(_plugin_folder(_config_of(arguments or [])))
    for name, plugin in plugins.manager.list_name_plugin():
        register = getattr(plugin, "register_commands", None)
        if register is None:
            continue
        try:
            register(cli)
        except Exception as exc:  # noqa: BLE001 - a plugin's command must not take the hub's own with it
            click.echo(f"Warning: {PluginError(f'the commands of the plugin {name} cannot be used: {exc}')}", err=True)
    return cli


def _plugin_folder(config: str | None) -> Path:
    return find_config(config).parent / "plugins"


def _config_of(arguments: list[str]) -> str | None:
    for place, text in enumerate(arguments):
        if text == "--config" and place + 1 < len(arguments):
            return arguments[place + 1]
        if text.startswith("--config="):
            return text.partition("=")[2]
    return None


def short_path(path: str | Path) -> str:
    """Give *path* from the current folder when it lies below it; an address stays as it is."""
    if "://" in str(path):
        return str(path)
    try:
        return str(Path(path).resolve().relative_to(Path.cwd().resolve()))
    except ValueError:
        return str(path)
