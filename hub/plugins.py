"""Name plugins unimported; import one where it is needed; isolate the broken, and say how to mend them."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import re
import sys
import traceback
from collections.abc import Callable, ItemsView, Iterable, Iterator, Mapping, ValuesView
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import msgspec

from hub import hookspecs
from hub.destination import Destination
from hub.errors import PluginError
from hub.source import Source
from hub.words import hear, tr

if TYPE_CHECKING:
    import pluggy

    from hub.simulator import Simulator

T = TypeVar("T")


class PluginInfo(msgspec.Struct, kw_only=True):
    """One plugin as `hub plugin list` shows it; *origin* is a distribution or a file."""

    name: str
    version: str
    origin: str
    hooks: tuple[str, ...] = ()
    state: Literal["ok", "broken"] = "ok"
    problem: str | None = None


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """A command of a plugin as the list of commands shows it."""

    help: str
    hidden: bool = False


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What a plugin offers, as its import showed; *stamp* tells the code that this is true of.

    *sources* and *destinations* map each kind to the module of its class.
    *commands* are those at the top; None where only a registration on the real command line can tell.
    """

    stamp: str
    hooks: tuple[str, ...] = ()
    sources: dict[str, str] = {}
    destinations: dict[str, str] = {}
    commands: dict[str, Named] | None = {}


class _Found:
    """A plugin that is there: how to import it, and what is known of it."""

    def __init__(self, info: PluginInfo, stamp: str, load: Callable[[], Any]) -> None:
        self.info = info
        self.stamp = stamp
        self.load = load
        self.facts = Facts(stamp=stamp)
        self.module: Any = None
        self.classes: dict[str, dict[str, Any]] = {"sources": {}, "destinations": {}}


class Kinds(Mapping[str, type[T]]):
    """Classes by their kind.

    The names are there at once, a plugin is imported when a class of it is asked for.
    """

    def __init__(self, what: str, ready: Callable[[_Found], bool]) -> None:
        """Hold the classes that are *what* (``sources`` or ``destinations``).

        *ready* imports a plugin and says whether it works.
        """
        self.owners: dict[str, _Found] = {}
        self._what = what
        self._ready = ready

    def __getitem__(self, kind: str) -> type[T]:
        """Return the class of *kind*.

        Raises KeyError, and `PluginError` where its plugin turns out broken.
        """
        found = self.owners[kind]
        if not self._ready(found):
            raise PluginError(found.info.problem or "")
        cls: type[T] = found.classes[self._what][kind]
        return cls

    def __contains__(self, kind: object) -> bool:
        """Say whether the class of *kind* can be had."""
        found = self.owners.get(str(kind))
        return found is not None and self._ready(found) and kind in self.owners

    def __iter__(self) -> Iterator[str]:
        """Name the kinds, without an import."""
        return iter(list(self.owners))

    def __len__(self) -> int:
        """Count the kinds."""
        return len(self.owners)

    def _all(self) -> dict[str, type[T]]:
        return {kind: self[kind] for kind in self if kind in self}

    def items(self) -> ItemsView[str, type[T]]:
        """Return every kind with its class; the kinds of plugins that turn out broken are left out."""
        return self._all().items()

    def values(self) -> ValuesView[type[T]]:
        """Return every class, as `items`."""
        return self._all().values()


class Plugins:
    """The plugins of this machine: those that work, and those that do not with the reason."""

    def __init__(self, folder: Path | None = None, *, entry_points: bool = True) -> None:
        """Find installed plugins (*entry_points*) and single files of *folder*.

        A broken one never stops the rest. What was learnt of a plugin at its first import is remembered
        (`_Memory`), so that it is named without one.
        """
        self.folder = folder
        self.sources: Kinds[Source] = Kinds("sources", self._ready)
        self.destinations: Kinds[Destination] = Kinds("destinations", self._ready)
        self._memory = _Memory()
        self._met = False
        self._found: list[_Found] = []
        if entry_points:
            for entry in sorted(
                importlib.metadata.entry_points(group=hookspecs.PROJECT), key=lambda e: e.name
            ):
                hear(entry.module.partition(".")[0])
                self._meet(*_installed(entry), entry.load)
        if folder and folder.is_dir():
            for path in sorted(folder.glob("*.py")):
                info = PluginInfo(name=path.stem, version="file", origin=str(path))
                self._meet(info, _stamp([path]), functools.partial(_import_file, path))
        self._met = True
        self._memory.keep()

    @functools.cached_property
    def manager(self) -> pluggy.PluginManager:
        """Return pluggy's manager, in which the imported plugins are registered."""
        import pluggy

        manager = pluggy.PluginManager(hookspecs.PROJECT)
        manager.add_hookspecs(hookspecs)
        return manager

    @property
    def infos(self) -> list[PluginInfo]:
        """Return what is known of every plugin, in the order they are found."""
        return [found.info for found in self._found]

    def _meet(self, info: PluginInfo, stamp: str, load: Callable[[], Any]) -> None:
        found = _Found(info, stamp, load)
        self._found.append(found)
        known = self._memory.recall(info.origin, stamp)
        if known is None:
            self._ready(found)
        else:
            self._take(found, known)

    def _ready(self, found: _Found) -> bool:
        """Import *found* if it was not yet, and say whether it works."""
        if found.module is None and found.info.state == "ok":
            try:
                found.module = found.load()
                facts = self._learn(found, found.module)
            except Exception as exc:  # noqa: BLE001 - a plugin may fail in any way; it must not take the rest with it
                self._memory.forget(found.info.origin)
                self._break(found, exc)
            else:
                self._memory.learn(found.info.origin, facts)
                self._take(found, facts)
            if self._met:
                self._memory.keep()
        return found.info.state == "ok"

    def _learn(self, found: _Found, module: Any) -> Facts:
        """Register *module* and return what it offers.

        Raises `PluginError` for unknown hooks and bad kinds.
        """
        self.manager.register(module, name=found.info.name)
        callers = self.manager.get_hookcallers(module) or []
        if unknown := [caller.name for caller in callers if not caller.has_spec()]:
            raise PluginError(
                tr("it implements hooks the hub does not have: {unknown}", unknown=", ".join(unknown))
            )
        found.classes = {
            "sources": _offered(module, "register_sources", Source),
            "destinations": _offered(module, "register_destinations", Destination),
        }
        return Facts(
            stamp=found.stamp,
            hooks=tuple(sorted(caller.name for caller in callers)),
            sources={kind: cls.__module__ for kind, cls in found.classes["sources"].items()},
            destinations={kind: cls.__module__ for kind, cls in found.classes["destinations"].items()},
            commands=_commands_of(module),
        )

    def _take(self, found: _Found, facts: Facts) -> None:
        """Let *found* be what *facts* say; it is broken where another plugin has one of its kinds."""
        self._release(found)
        found.facts = facts
        found.info.hooks = facts.hooks
        claims: tuple[tuple[Kinds[Any], dict[str, str]], ...] = (
            (self.sources, facts.sources),
            (self.destinations, facts.destinations),
        )
        for kinds, offered in claims:
            for kind in offered:
                if first := kinds.owners.get(kind):
                    where = (first.facts.sources | first.facts.destinations)[kind]
                    self._break(
                        found,
                        PluginError(
                            tr("the kind {kind!r} is already offered by {where}", kind=kind, where=where)
                        ),
                    )
                    return
        for kinds, offered in claims:
            kinds.owners |= dict.fromkeys(offered, found)

    def _release(self, found: _Found) -> None:
        for kinds in (self.sources, self.destinations):
            for kind in [kind for kind, owner in kinds.owners.items() if owner is found]:
                del kinds.owners[kind]

    def _break(self, found: _Found, exc: Exception) -> None:
        info = found.info
        self._release(found)
        if found.module is not None and self.manager.get_plugin(info.name) is found.module:
            self.manager.unregister(name=info.name)
        info.state = "broken"
        info.problem = _why(info.name, info.origin, exc)

    def check_all(self) -> list[PluginInfo]:
        """Import every plugin, so that a broken one is known as such, and return what is known of them."""
        for found in self._found:
            self._ready(found)
        return self.infos

    def broken(self) -> Iterator[PluginInfo]:
        """Return the plugins that turned out broken so far."""
        return (info for info in self.infos if info.state == "broken")

    def commands(self) -> Iterator[tuple[str, dict[str, Named] | None]]:
        """Return the plugins that add commands, each with those it is known to add (`Facts.commands`)."""
        for found in self._found:
            if found.info.state == "ok" and "register_commands" in found.facts.hooks:
                yield found.info.name, found.facts.commands

    def module(self, name: str) -> Any:
        """Import the plugin *name* and return its module. Raises `PluginError` where it turns out broken."""
        found = next(found for found in self._found if found.info.name == name and found.info.state == "ok")
        if not self._ready(found):
            raise PluginError(found.info.problem or "")
        return found.module

    def simulators(self) -> Mapping[str, type[Simulator]]:
        """Return the simulators that plugins offer, by the kind of their source.

        They are imported when one is asked for.
        """
        return _Simulators(self)

    @property
    def hook(self) -> Any:
        """Return pluggy's caller of hooks; who implements a hook is imported when it is asked for."""
        return _Hooks(self)

    def implementing(self, hook: str) -> Any:
        """Import the plugins that implement *hook*, and return pluggy's caller of it."""
        for found in self._found:
            if hook in found.facts.hooks:
                self._ready(found)
        return getattr(self.manager.hook, hook)


class _Hooks:
    """The hooks by name, as pluggy gives them."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    def __getattr__(self, hook: str) -> Any:
        return self._plugins.implementing(hook)


class _Simulators(Mapping[str, Any]):
    """The simulators of all plugins, imported at the first question."""

    def __init__(self, plugins: Plugins) -> None:
        self._plugins = plugins

    @functools.cached_property
    def _all(self) -> dict[str, Any]:
        offered = self._plugins.hook.register_simulators()
        return {kind: cls for one in offered for kind, cls in one.items()}

    def __getitem__(self, kind: str) -> Any:
        return self._all[kind]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all)

    def __len__(self) -> int:
        return len(self._all)


class _Memory:
    """What the imports of plugins showed, in one file per environment below the user's cache folder.

    It is an aid only: a file that cannot be read or written, or that says what is no longer so, costs imports
    and nothing else. Two commands that write at once replace the file whole, and what one of them loses is
    learnt again.
    """

    def __init__(self) -> None:
        self._kept: dict[str, Facts] = {}
        self._changed = False
        try:
            self._kept = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Facts])
        except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RuntimeError):
            pass

    @functools.cached_property
    def _path(self) -> Path:
        if not (folder := os.environ.get("PM_HUB_CACHE")):
            import platformdirs

            folder = platformdirs.user_cache_dir("pm-hub", appauthor=False)
            if folder.startswith("~"):
                raise RuntimeError("this account has no home")  # as in a container
        here = Path(__file__)
        # another environment has other plugins, another hub may learn otherwise
        place = (sys.prefix, sys.version, str(here), _stamp([here, Path(hookspecs.__file__)]))
        return Path(folder) / f"plugins-{hashlib.sha256(repr(place).encode()).hexdigest()[:16]}.json"

    def recall(self, origin: str, stamp: str) -> Facts | None:
        """Return what was learnt of the plugin from *origin*, if its code is still that of *stamp*."""
        facts = self._kept.get(origin)
        return facts if facts is not None and facts.stamp == stamp != "" else None

    def learn(self, origin: str, facts: Facts) -> None:
        """Remember *facts* of the plugin from *origin*."""
        if self._kept.get(origin) != facts:
            self._kept[origin] = facts
            self._changed = True

    def forget(self, origin: str) -> None:
        """Let the plugin from *origin* be imported next time: a broken one may be mended from outside."""
        self._changed |= self._kept.pop(origin, None) is not None

    def keep(self) -> None:
        """Write what was learnt, without files that are no longer there."""
        if not self._changed:
            return
        self._changed = False
        from hub.files import write_atomically

        kept = {
            origin: facts
            for origin, facts in self._kept.items()
            if not origin.endswith(".py") or Path(origin).exists()
        }
        try:
            with write_atomically(self._path) as file:
                file.write(msgspec.json.encode(kept))
        except (OSError, RuntimeError):
            pass


def _installed(entry: importlib.metadata.EntryPoint) -> tuple[PluginInfo, str]:
    """Return what an installed plugin is called, and the stamp of its code (empty where none is seen)."""
    # the head of the file by hand: the library's own parser reads the whole README with it
    text = (entry.dist.read_text("METADATA") or entry.dist.read_text("PKG-INFO") or "") if entry.dist else ""
    head = dict(re.findall(r"^(Name|Version): (.+)$", text.partition("\n\n")[0], re.MULTILINE))
    info = PluginInfo(name=entry.name, version=head.get("Version", "?"), origin=head.get("Name", entry.value))
    try:
        spec = importlib.util.find_spec(entry.module.partition(".")[0])
    except (ImportError, ValueError, AttributeError):
        spec = None
    if spec is None:
        return info, ""
    places = [Path(place) for place in spec.submodule_search_locations or [spec.origin or ""]]
    return info, f"{info.version} {entry.value} {_stamp(places)}"


def _stamp(places: Iterable[Path]) -> str:
    """Return what changes whenever code in *places*, files and folders, does.

    Its files' number, sizes and newest time.
    """
    count = size = newest = 0
    for place in places:
        for path in place.rglob("*.py") if place.is_dir() else [place]:
            try:
                stat = path.stat()
            except OSError:
                continue
            count, size, newest = count + 1, size + stat.st_size, max(newest, stat.st_mtime_ns)
    return f"{count} {size} {newest}"


def _offered(module: Any, hook: str, base: type) -> dict[str, Any]:
    kinds: dict[str, Any] = {}
    function = getattr(module, hook, None)
    if function is None or not hasattr(function, f"{hookspecs.PROJECT}_impl"):
        return kinds
    for cls in function():
        if not (isinstance(cls, type) and issubclass(cls, base)):
            raise PluginError(tr("{cls!r} is not a {base}", cls=cls, base=base.__name__))
        kind = getattr(cls, "kind", "")
        if not kind:
            raise PluginError(tr("{cls} has no `kind`", cls=cls.__name__))
        if kind in kinds:
            raise PluginError(
                tr(
                    "the kind {kind!r} is already offered by {module}",
                    kind=kind,
                    module=kinds[kind].__module__,
                )
            )
        kinds[kind] = cls
    return kinds


def _commands_of(module: Any) -> dict[str, Named] | None:
    """Return the commands that *module* adds at the top.

    None where it looks at others that are there, or fails.
    """
    register = getattr(module, "register_commands", None)
    if register is None:
        return {}
    import click

    empty = click.Group()
    try:
        register(empty)
    except Exception:  # noqa: BLE001 - what is wrong shows, and is told, on the real command line
        return None
    return {
        name: Named(help=command.short_help or command.help or "", hidden=command.hidden)
        for name, command in empty.commands.items()
    } or None


def _import_file(path: Path) -> Any:
    name = f"hub_local_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(tr("{path} cannot be imported", path=path))
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _why(name: str, origin: str, exc: Exception) -> str:
    frames = traceback.extract_tb(exc.__traceback__)
    place = (
        tr(" ({name}, line {lineno})", name=Path(frames[-1].filename).name, lineno=frames[-1].lineno)
        if frames
        else ""
    )
    return tr(
        "The plugin {name} cannot be used: {error_type}: {error}{place}. "
        "To go on without this warning, remove or mend {origin}."
        if origin.endswith(".py")
        else "The plugin {name} cannot be used: {error_type}: {error}{place}. "
        "To go on without this warning, reinstall it with `pip install --upgrade {origin}`.",
        name=name,
        error_type=type(exc).__name__,
        error=exc,
        place=place,
        origin=origin,
    )
