"""Find plugins, isolate the broken ones, and say how to mend them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import pluggy

from hub import hookspecs
from hub.destination import Destination
from hub.errors import PluginError
from hub.source import Source


class PluginInfo(msgspec.Struct, kw_only=True):
    """One plugin as `hub plugin list` shows it; *origin* is a distribution or a file."""

    name: str
    version: str
    origin: str
    hooks: tuple[str, ...] = ()
    state: Literal["ok", "broken"] = "ok"
    problem: str | None = None


class Plugins:
    """The plugins of this machine: those that work, and those that do not with the reason."""

    def __init__(self, folder: Path | None = None, *, entry_points: bool = True) -> None:
        """Load installed plugins (*entry_points*) and single files of *folder*; a broken one never stops the rest."""
        self.folder = folder
        self.manager = pluggy.PluginManager(hookspecs.PROJECT)
        self.manager.add_hookspecs(hookspecs)
        self.infos: list[PluginInfo] = []
        self.sources: dict[str, type[Source]] = {}
        self.destinations: dict[str, type[Destination]] = {}
        if entry_points:
            for entry in sorted(
                importlib.metadata.entry_points(group=hookspecs.PROJECT), key=lambda e: e.name
            ):
                dist = entry.dist
                origin = dist.metadata["Name"] if dist else entry.value
                self._load(entry.name, entry.load, version=dist.version if dist else "?", origin=origin)
        if folder and folder.is_dir():
            for path in sorted(folder.glob("*.py")):
                self._load(path.stem, lambda path=path: _import_file(path), version="file", origin=str(path))

    def _load(self, name: str, load: Any, *, version: str, origin: str) -> None:
        info = PluginInfo(name=name, version=version, origin=origin)
        self.infos.append(info)
        try:
            self.add(name, load(), info)
        except Exception as exc:  # noqa: BLE001 - a plugin may fail in any way; it must not take the rest with it
            if self.manager.has_plugin(name):
                self.manager.unregister(name=name)
            info.state = "broken"
            info.problem = _why(name, origin, exc)

    def add(self, name: str, module: Any, info: PluginInfo | None = None) -> None:
        """Register one plugin and what it offers. Raises `PluginError` for unknown hooks, bad or double kinds."""
        self.manager.register(module, name=name)
        callers = self.manager.get_hookcallers(module) or []
        if unknown := [caller.name for caller in callers if not caller.has_spec()]:
            raise PluginError(f"it implements hooks the hub does not have: {', '.join(unknown)}")
        if info:
            info.hooks = tuple(sorted(caller.name for caller in callers))
        if hook := _impl(module, "register_sources"):
            for cls in hook():
                self._offer(cls, Source, self.sources)
        if hook := _impl(module, "register_destinations"):
            for cls in hook():
                self._offer(cls, Destination, self.destinations)

    def _offer(self, cls: Any, base: type, kinds: dict[str, Any]) -> None:
        if not (isinstance(cls, type) and issubclass(cls, base)):
            raise PluginError(f"{cls!r} is not a {base.__name__}")
        kind = getattr(cls, "kind", "")
        if not kind:
            raise PluginError(f"{cls.__name__} has no `kind`")
        if kind in kinds:
            raise PluginError(f"the kind {kind!r} is already offered by {kinds[kind].__module__}")
        kinds[kind] = cls

    def broken(self) -> Iterator[PluginInfo]:
        """Return the plugins that could not be loaded."""
        return (info for info in self.infos if info.state == "broken")

    def simulators(self) -> dict[str, Any]:
        """Return the simulators that plugins offer, by the kind of their source."""
        return {kind: cls for offered in self.hook.register_simulators() for kind, cls in offered.items()}

    @property
    def hook(self) -> Any:
        """Return pluggy's caller of the registered hooks."""
        return self.manager.hook


def _impl(module: Any, hook: str) -> Any:
    function = getattr(module, hook, None)
    return function if function is not None and hasattr(function, f"{hookspecs.PROJECT}_impl") else None


def _import_file(path: Path) -> Any:
    name = f"hub_local_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise PluginError(f"{path} cannot be imported")
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
    place = f" ({Path(frames[-1].filename).name}, line {frames[-1].lineno})" if frames else ""
    mend = (
        f"remove or mend {origin}"
        if origin.endswith(".py")
        else f"reinstall it with `pip install --upgrade {origin}`"
    )
    return f"The plugin {name} cannot be used: {type(exc).__name__}: {exc}{place}. To go on without this warning, {mend}."
