"""What every command shares: configuration, plugins, store, lock, and the group they hang on."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.errors import ConfigError, StoreError
from hub.settings import Settings, find_config, load
from hub.words import tr

if TYPE_CHECKING:
    from rich.console import Console

    from hub.destination import Destination, FeedView
    from hub.plugins import Plugins
    from hub.source import Source
    from hub.store import Store
    from hub.store.engines import Engine


class App:
    """One invocation of the hub: lazily loaded configuration and plugins."""

    def __init__(
        self, config: str | None = None, plugins: Plugins | None = None, *, logs: bool = True
    ) -> None:
        """Point to the configuration *config*, or to the default one.

        *plugins* are those loaded for it already. Without *logs* nothing is written to the file of [log].
        """
        self.config = find_config(config)
        self._logs = logs
        if plugins is not None:
            self.plugins = plugins
        self._warned: set[str] = set()
        self.died = 0
        """How many runs of sources were found that ended without a word."""

    @cached_property
    def console(self) -> Console:
        """Return what is printed on."""
        from rich.console import Console

        console = Console(stderr=False, highlight=False, markup=False, emoji=False)  # texts are texts
        if not console.is_terminal:
            console.width = 160  # a log has no edge to cut at
        return console

    @cached_property
    def err(self) -> Console:
        """Return what warnings and progress are printed on."""
        from rich.console import Console

        return Console(stderr=True, highlight=False, markup=False, emoji=False, soft_wrap=True)

    @cached_property
    def plugins(self) -> Plugins:
        """Return the plugins of this machine and of the folder ``plugins`` beside the configuration."""
        from hub.plugins import Plugins

        return Plugins(plugin_folder(str(self.config)))

    @cached_property
    def settings(self) -> Settings:
        """Return the checked configuration."""
        self._warn_of_broken()
        try:
            for kpis in self.plugins.hook.register_kpis():
                from hub.feed.kpi import register

                for code, text in kpis.items():
                    register(code, text)
            found = load(self.config, sources=self.plugins.sources, destinations=self.plugins.destinations)
        finally:
            self._warn_of_broken()  # those that only their use showed
        if found.log.file and self._logs:
            from hub.logs import to_file

            to_file(
                found.base / found.log.file,
                as_json=found.log.json, max_mb=found.log.max_mb, keep=found.log.keep,
            )  # fmt: skip
        return found

    def _warn_of_broken(self) -> None:
        for broken in self.plugins.broken():
            if broken.origin not in self._warned:
                self._warned.add(broken.origin)
                self.err.print(tr("Warning: {problem}", problem=broken.problem), style="yellow")

    def sources(self, names: tuple[str, ...] = ()) -> list[Source]:
        """Return the named sources (all when none are named), the reference data in config/ first."""
        from hub.reference import ConfigSource, has_reference

        known: dict[str, Source] = {}
        folder = self.settings.path.resolve().parent
        if has_reference(folder) or self._was_configured():
            known["config"] = ConfigSource(name="config", folder=str(folder))
        known |= self.settings.sources
        return _pick(known, names, "source", f"{self.config} [sources.NAME]")

    @cached_property
    def chosen_fields(self) -> dict[str, dict[str, str]]:
        """Return by source the fields that fields.csv asks of it, and their types.

        While the file has a mistake, what was asked for before: else its fields would be emptied.
        """
        folder = self.settings.path.resolve().parent
        if not (folder / "fields.csv").exists():
            return {}
        from hub.reference import chosen_fields
        from hub.store.questions import site_fields

        found = chosen_fields(folder)
        if found is None:
            with self.store() as store:
                found = site_fields(store)
        return found

    @cached_property
    def engine(self) -> Engine:
        """Return the database of the store."""
        from hub.store.engines import engine_of

        found = self.settings
        return engine_of(found.store, base=found.base, password=found.store_password)

    def _was_configured(self) -> bool:
        from hub.store import Store

        if not self.engine.exists():
            return False
        with Store.open(self.engine) as store:
            return bool(store.cursors("config"))

    def destinations(self, names: tuple[str, ...] = ()) -> list[Destination]:
        """Return the named destinations (all when none are named)."""
        return _pick(self.settings.destinations, names, "destination", f"{self.config} [destinations.NAME]")

    @contextmanager
    def store(self, *, writing: bool = False) -> Iterator[Store]:
        """Open the store; *writing* holds the lock, so that one run writes at a time."""
        from hub.store import Store
        from hub.sync.lock import lock

        path = self.engine.path
        self._must_not_begin_anew()
        if path is not None and writing:
            path.parent.mkdir(parents=True, exist_ok=True)
        if writing:
            with lock(self.engine), Store.open(self.engine) as store:
                self.died += store.end_dead_runs()
                yield store
        else:
            with Store.open(self.engine) as store:
                yield store

    def _must_not_begin_anew(self) -> None:
        """Stop where feeds or cuts lie about that a store which is not there made.

        A new one would forget them silently.
        """
        path = self.engine.path
        if not self.engine.shared or (path is not None and path.exists() and path.stat().st_size):
            return
        feed = self.settings.feed
        traces = [place for place in (feed / "CURRENT", feed.parent / "cuts") if place.exists()]
        if traces and (path is not None or not self.engine.exists()):
            raise StoreError(
                tr(
                    "The store {path} is empty, but {trace} was made with one: a new store would "
                    "forget every cut, sealed month and decision. Restore it from a copy; to begin anew "
                    "on purpose, move {feed} and {cuts} away first."
                    if path is not None and path.exists()
                    else "The store {path} is missing, but {trace} was made with one: a new store would "
                    "forget every cut, sealed month and decision. Restore it from a copy; to begin anew "
                    "on purpose, move {feed} and {cuts} away first.",
                    path=self.engine.where,
                    trace=traces[0],
                    feed=feed,
                    cuts=feed.parent / "cuts",
                )
            )

    @contextmanager
    def feed_view(
        self, privacy: str, *, person: str | None = None, feed: str | None = None
    ) -> Iterator[FeedView]:
        """Open the feed that readers see, as a destination at the level *privacy* does.

        *person* sees what access.csv allows it; *feed* is the id of an earlier one that is kept. Raises
        `ConfigError` at the levels that show persons while an erasure is not finished.
        """
        from hub.cli.building import publish_options
        from hub.feed.fields import fields_of, use_fields
        from hub.publish import shown

        if self.engine.exists():
            use_fields(fields_of(self.engine))
        self.may_show(privacy, person)
        with shown(self.settings.feed, privacy, publish_options(self), person=person, feed=feed) as view:
            yield view

    def may_show(self, privacy: str, person: str | None = None) -> None:
        """Raise `ConfigError` where persons would be shown while an erasure is not finished."""
        from hub.store.reading import opened

        if not self.engine.exists():
            return
        if privacy in {"nominative-line", "pseudonym-week"} or person is not None:
            with opened(self.engine) as store:
                if store.erasures():
                    raise ConfigError(
                        tr(
                            "Persons are not shown while an erasure is not finished: run "
                            "`hub privacy erase --resume` first."
                        )
                    )

    @contextmanager
    def reachable(self) -> Iterator[None]:
        """Hold open what plugins say that the sources need while they are asked."""
        from hub import clock

        with ExitStack() as stack:
            for opened in self.plugins.hook.around_sync(
                config=self.config.resolve(), simulators=self.plugins.simulators(), now=clock.now()
            ):
                if opened is not None:
                    stack.enter_context(opened)
            yield

    @property
    def actor(self) -> str:
        """Return who gives this command, for the books."""
        from hub.sync.lock import account

        return account()

    def say(self, text: str, style: str | None = None) -> None:
        """Print a sentence."""
        self.console.print(text, style=style)

    def as_json(self, value: Any) -> None:
        """Print *value* as JSON on one line."""
        import msgspec

        click.echo(json.dumps(msgspec.to_builtins(value), ensure_ascii=False))


def _pick(known: dict[str, Any], names: tuple[str, ...], what: str, where: str) -> list[Any]:
    for name in names:
        if name not in known:
            raise ConfigError(
                tr(
                    "There is no {what} {name!r}; configured in {where}: {known}.",
                    what=what,
                    name=name,
                    where=where,
                    known=", ".join(known) or tr("none"),
                )
            )
    return [known[name] for name in names] if names else list(known.values())


def plugin_folder(config: str | None) -> Path:
    """Return the folder of plugin files beside the configuration."""
    return find_config(config).parent / "plugins"
