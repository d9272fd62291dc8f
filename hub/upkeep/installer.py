"""Install a plugin where the hub runs: looked at and certified beside it, then put in place.

A plugin is unpacked into a folder of its own first. Nothing of it is run before its contract was looked at
and somebody said yes, and the environment is not touched before its certification passed there.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import os
import re
import shlex
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import msgspec
from packaging.requirements import InvalidRequirement, Requirement

from hub.errors import ConfigError, PluginError
from hub.hookspecs import PROJECT
from hub.upkeep.known import Wanted, canonical
from hub.version import version
from hub.words import tr

HUB = "pm-hub"
PATIENCE_S = 900.0
CERTIFICATION_S = 1800.0
_ELSEWHERE = re.compile(
    r"(PIP|UV)_(TARGET|PREFIX|ROOT|USER|PYTHON|SYSTEM_PYTHON|BREAK_SYSTEM_PACKAGES|PROJECT_ENVIRONMENT|"
    r"NO_DEPS|DRY_RUN|NO_BINARY|PRE|PRERELEASE|EDITABLE|REQUIREMENT|CONSTRAINT|SRC)|PYTHONUSERBASE"
)
"""Variables by which an installer would put things elsewhere, or other things."""
_MODULE = re.compile(r"hub_[a-z0-9_]+")
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
Run = Callable[..., "subprocess.CompletedProcess[str]"]


class Places(msgspec.Struct, frozen=True, kw_only=True):
    """Where wheels are sought: folders or pages besides (*links*), or nowhere else (*only*)."""

    links: tuple[str, ...] = ()
    only: bool = False

    @property
    def options(self) -> list[str]:
        """Return the options of pip and uv."""
        return [*(["--no-index"] if self.only else []), *(f"--find-links={link}" for link in self.links)]


class Plugin(msgspec.Struct, frozen=True, kw_only=True):
    """A plugin as it lies unpacked in *folder*: its *modules* by entry point, and what it *lacks* here."""

    distribution: str
    version: str
    folder: Path
    modules: dict[str, str]
    lacks: tuple[str, ...]
    digest: str = ""

    @property
    def exact(self) -> str:
        """Return the one version that was looked at."""
        return f"{self.distribution}=={self.version}"

    @property
    def certifies(self) -> bool:
        """Say whether the kit has something to work on."""
        return any(
            (self.folder / module / "testing" / "certification.py").exists()
            for module in self.modules.values()
        )


class Installer:
    """What installs into this environment, and into no other: pip of this Python, uv or pipx."""

    def __init__(
        self, name: Literal["pip", "uv", "pipx"], command: list[str], run: Run = subprocess.run
    ) -> None:
        """Take the *command* of pip or uv; *run* is `subprocess.run`."""
        self.name, self.command, self._run = name, command, run

    @classmethod
    def here(cls, run: Run = subprocess.run) -> Installer:
        """Find the installer of this environment. Raises `ConfigError` where there is none."""
        prefix = Path(sys.prefix)
        pip = [sys.executable, "-m", "pip"] if importlib.util.find_spec("pip") else []
        uv = shutil.which("uv")
        if (prefix / "pipx_metadata.json").exists():
            pipx = shutil.which("pipx")
            if pipx is None or not pip:
                raise ConfigError(
                    tr("The hub was installed by pipx, which is not on the PATH: nothing was installed.")
                )
            asked = [pipx, "environment", "--value", "PIPX_LOCAL_VENVS"]
            told = run(asked, capture_output=True, text=True, check=False)
            place = Path(told.stdout.strip() or "?") / prefix.name
            if not place.exists() or not place.samefile(prefix):
                raise ConfigError(
                    tr("The pipx on the PATH looks after {place}, and the hub runs in {prefix}.",
                       place=place, prefix=prefix)
                )  # fmt: skip
            return cls("pipx", pip, run)
        if uv and (not pip or (prefix / "uv-receipt.toml").exists()):
            return cls("uv", [uv, "pip"], run)
        if pip:
            return cls("pip", pip, run)
        raise ConfigError(
            tr(
                "Neither pip nor uv can be found for {prefix}: nothing was installed. "
                "`{python} -m ensurepip` brings pip.",
                prefix=prefix,
                python=sys.executable,
            )
        )

    # ---------- beside the environment ----------

    def unpack(self, wanted: Wanted, folder: Path, places: Places) -> Plugin:
        """Bring the wheel of *wanted* alone into *folder*, and look at what it says of itself.

        Raises `PluginError` where it cannot be had, or is not for this hub.
        """
        digest = ""
        if wanted.file is not None:
            digest = hashlib.sha256(wanted.file.read_bytes()).hexdigest()
            if wanted.digests and digest not in wanted.digests:
                raise PluginError(
                    tr(
                        "{file} is not the wheel that the list of plugins vouches for: its sha256 is "
                        "{digest}.",
                        file=wanted.file,
                        digest=digest,
                    )
                )
        what = self._named(wanted, folder.with_name("wanted.txt"))
        self._pip(["--target", str(folder), "--no-deps", *what], places, wanted.name)
        return _look(wanted, folder, digest)

    def complete(self, plugin: Plugin, places: Places) -> None:
        """Bring what *plugin* lacks here into its folder, too."""
        if plugin.lacks:
            self._pip(["--target", str(plugin.folder), *plugin.lacks], places, ", ".join(plugin.lacks))

    # ---------- in the environment ----------

    def put_in_place(self, plugin: Plugin, wanted: Wanted, places: Places) -> None:
        """Install *plugin* and what it lacks, and see that it is here, as it was looked at.

        Raises `PluginError`.
        """
        held = plugin.folder.with_name("held.txt")
        held.write_text(f"{HUB}=={version()}\n", encoding="utf-8")
        for requirement in plugin.lacks:
            self._into([requirement], ["--constraint", str(held)], places)
        exact = msgspec.structs.replace(wanted, version=plugin.version)
        self._into(self._named(exact, plugin.folder.with_name("exact.txt")), ["--no-deps"], places)
        importlib.invalidate_caches()
        here = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
        found = _distribution(plugin.distribution, here)
        if found is None:
            raise PluginError(
                tr("{exact} was installed, and is not in {places}: look at the settings of {installer}.",
                   exact=plugin.exact, places=" ".join(dict.fromkeys(here)), installer=self.name)
            )  # fmt: skip
        unpacked = _distribution(plugin.distribution, [str(plugin.folder)])
        if unpacked is None or _contents(found) != _contents(unpacked):
            raise PluginError(
                tr(
                    "What was installed as {exact} is not what was certified: remove it by "
                    "`{command} uninstall {name}`.",
                    exact=plugin.exact,
                    command=shlex.join(self.command),
                    name=plugin.distribution,
                )
            )

    def _into(self, what: list[str], options: list[str], places: Places) -> None:
        if self.name != "pipx":
            return self._pip([*options, *what], places, what[-1])
        inject = ["pipx", "inject", "--force", Path(sys.prefix).name]
        given = shlex.join([*self._options(places), *options])
        if what[0] == "-r":  # pipx takes no hashes: pip of the same environment does
            return self._pip([*options, *what], places, what[-1])
        return self._call([*inject, *what, f"--pip-args={given}"], what[-1])

    def _named(self, wanted: Wanted, file: Path) -> list[str]:
        """Return how pip and uv call *wanted*: with its digests, where there are some."""
        if wanted.file is not None:
            return [str(wanted.file)]
        exact = f"{wanted.distribution}=={wanted.version}" if wanted.version else wanted.distribution
        if not wanted.digests:
            return [exact]
        digests = " ".join(f"--hash=sha256:{digest}" for digest in wanted.digests)
        file.write_text(f"{exact} {digests}\n", encoding="utf-8")
        return ["-r", str(file), "--require-hashes"]

    def _options(self, places: Places) -> list[str]:
        # only wheels: to build a package is to run it
        return ["--only-binary=:all:", *places.options]

    def _pip(self, rest: list[str], places: Places, what: str) -> None:
        own = (
            ["--python", sys.executable]
            if self.name == "uv"
            else ["--disable-pip-version-check", "--no-input"]
        )
        self._call([*self.command, "install", *own, *self._options(places), *rest], what)

    def _call(self, command: list[str], what: str) -> None:
        environment = {name: value for name, value in os.environ.items() if not _ELSEWHERE.fullmatch(name)}
        done = self._start(command, timeout=PATIENCE_S, env=environment)
        if done.returncode:
            raise PluginError(
                tr(
                    "{installer} could not bring {what}: {said}\nWithout a network, name a folder of wheels "
                    "by --find-links and --no-index.",
                    installer=self.name,
                    what=what,
                    said=_last(done.stderr or done.stdout),
                )
            )

    def _start(self, command: list[str], **how: Any) -> subprocess.CompletedProcess[str]:
        try:
            return self._run(
                command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                encoding="utf-8", errors="replace", **how,
            )  # fmt: skip
        except (OSError, subprocess.SubprocessError) as exc:
            raise PluginError(
                tr("{command} could not be run: {error}", command=shlex.join(command[:4]), error=exc)
            ) from exc

    # ---------- what it stands ----------

    def certify(self, plugin: Plugin, level: str) -> str:
        """Certify *plugin* in a process of its own, where it lies; return what that said.

        Raises `PluginError` where it does not reach *level*.
        """
        path = os.pathsep.join([str(plugin.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
        cache = str(plugin.folder.with_name("cache"))
        environment = os.environ | {"PYTHONPATH": path, "PM_HUB_CACHE": cache}
        said: list[str] = []
        for module in plugin.modules.values():
            if not (plugin.folder / module / "testing" / "certification.py").exists():
                continue
            name = module.removeprefix("hub_")
            command = [sys.executable, "-m", "hub", "plugin", "certify", name, "--level", level]
            done = self._start(command, timeout=CERTIFICATION_S, env=environment, cwd=plugin.folder.parent)
            if done.returncode:
                raise PluginError(
                    tr(
                        "{exact} does not reach {level}, and nothing was installed:\n{said}",
                        exact=plugin.exact,
                        level=tr(level),
                        said=(done.stdout + done.stderr).strip()[-4000:],
                    )
                )
            said.append(done.stdout.strip().splitlines()[-1])
        return "\n".join(said)


def _look(wanted: Wanted, folder: Path, digest: str) -> Plugin:
    """Read what an unpacked wheel says, without importing any of it. Raises `PluginError`."""
    found = _distribution(wanted.distribution, [str(folder)])
    if found is None:
        raise PluginError(tr("The wheel of {name} holds another package.", name=wanted.distribution))
    modules = {one.name: one.module.partition(".")[0] for one in found.entry_points if one.group == PROJECT}
    wrong = [one for one in modules.values() if not _MODULE.fullmatch(one) or not (folder / one).is_dir()]
    if not modules or wrong:
        raise PluginError(
            tr(
                "{name} is no plugin of the hub: it has no entry point of the group {group!r} for a package "
                "hub_NAME.",
                name=wanted.distribution,
                group=PROJECT,
            )
        )
    try:
        needs = [Requirement(one) for one in found.requires or ()]
    except InvalidRequirement as exc:
        raise PluginError(
            tr("{name} needs what cannot be understood: {error}", name=wanted.distribution, error=exc)
        ) from exc
    needs = [one for one in needs if one.marker is None or one.marker.evaluate({"extra": ""})]
    _fits(wanted.distribution, found.version, needs)
    return Plugin(
        distribution=wanted.distribution,
        version=found.version,
        folder=folder,
        modules=modules,
        lacks=tuple(str(one) for one in needs if canonical(one.name) != HUB and not _here(one)),
        digest=digest,
    )


def _fits(name: str, of: str, needs: Iterable[Requirement]) -> None:
    """Raise `PluginError` where a plugin is made for another contract: it says which hub it is for."""
    specifiers = [one.specifier for one in needs if canonical(one.name) == HUB]
    if not any(map(str, specifiers)):
        raise PluginError(
            tr(
                "{name} {version} does not say for which hub it is made: its author adds "
                "dependencies = [{example}] to pyproject.toml.",
                name=name,
                version=of,
                example=f'"{HUB}>={version()}"',
            )
        )
    for one in specifiers:
        if not one.contains(version(), prereleases=True):
            raise PluginError(
                tr(
                    "{name} {version} is made for {hub} {specifier}, and this is {here}: ask for another "
                    "version by {name}==VERSION, or upgrade the hub.",
                    name=name, version=of, hub=HUB, specifier=one, here=version(),
                )
            )  # fmt: skip


def _here(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(importlib.metadata.version(requirement.name), prereleases=True)
    except importlib.metadata.PackageNotFoundError:
        return False


def _distribution(name: str, path: list[str]) -> importlib.metadata.Distribution | None:
    wanted = canonical(name)
    for one in importlib.metadata.distributions(path=list(dict.fromkeys(path))):
        if canonical(one.metadata["Name"] or "") == wanted:
            return one
    return None


def _contents(of: importlib.metadata.Distribution) -> dict[str, Any]:
    """Return the digests of the code of a package, as its record says, of files that are so."""
    found = {}
    for one in of.files or ():
        if one.hash is None or ".dist-info" in one.parts[0]:
            continue
        found[one.as_posix()] = hashlib.sha256(Path(str(one.locate())).read_bytes()).hexdigest()
    return found


def _last(said: str) -> str:
    """Return the lines of an installer that say what went wrong, without what signs in to an index."""
    lines = [line.strip() for line in _CREDENTIALS.sub("***@", said).splitlines() if line.strip()]
    told = [line for line in lines if line.lower().startswith(("error", "×", "╰", "hint"))] or lines
    return " ".join(told[-4:])[:1000] or "?"
