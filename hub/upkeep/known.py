"""The plugins that are known by name: those of the shipped list, and those of an organisation's own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

from hub.errors import ConfigError
from hub.words import language, tr

SHIPPED = Path(__file__).with_name("known_plugins.toml")
LIST = "plugins.toml"
"""The name of the list of an organisation, beside ``hub.toml``."""
_NAME = re.compile(r"[a-z][a-z0-9_-]*")
_DISTRIBUTION = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.IGNORECASE)
_VERSION = re.compile(r"[0-9][A-Za-z0-9.!+_-]*")
_DIGEST = re.compile(r"[0-9a-f]{64}")


class Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plugin of a list: its *distribution*, what it is for in two languages.

    *sha256* maps a version to the digests of its wheels; where it is given, no other version is taken.
    """

    distribution: str
    en: str
    fr: str
    sha256: dict[str, tuple[str, ...]] = {}

    @property
    def says(self) -> str:
        """Return what it is for, in the language of now."""
        return self.fr if language() == "fr" else self.en


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for: a *distribution* of a *version* (None: the newest), or the *file* of a wheel.

    *digests* are those that its wheel may have; none are known where it is empty.
    """

    name: str
    distribution: str
    version: str | None = None
    file: Path | None = None
    digests: tuple[str, ...] = ()


def known(folder: Path | None) -> dict[str, Known]:
    """Return the plugins of the shipped list and of *folder*'s own, which goes before.

    Raises `ConfigError` where that one is not as it should be.
    """
    found = _read(SHIPPED)
    if folder is not None and (folder / LIST).exists():
        found |= _read(folder / LIST)
    return found


def _read(path: Path) -> dict[str, Known]:
    try:
        found = msgspec.toml.decode(path.read_bytes(), type=dict[str, Known])
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as exc:
        raise ConfigError(tr("{path} is no list of plugins: {error}", path=path, error=exc)) from exc
    for name, one in found.items():
        digests = [digest for several in one.sha256.values() for digest in several]
        wrong = [name] * (not _NAME.fullmatch(name))
        wrong += [one.distribution] * (not _DISTRIBUTION.fullmatch(one.distribution))
        wrong += [version for version in one.sha256 if not _VERSION.fullmatch(version)]
        wrong += [digest for digest in digests if not _DIGEST.fullmatch(digest)]
        if wrong:
            raise ConfigError(
                tr("{path}, [{name}]: {value!r} cannot be used.", path=path, name=name, value=wrong[0])
            )
    return found


def wanted(text: str, plugins: dict[str, Known]) -> Wanted:
    """Understand what somebody asks for: a known name, the NAME of ``pm-hub-NAME``, or a wheel.

    Raises `ConfigError` for anything else.
    """
    if text.endswith(".whl"):
        return _of_file(Path(text), plugins)
    name, _, version = text.partition("==")
    if not _NAME.fullmatch(name) or (version and not _VERSION.fullmatch(version)) or text.endswith("=="):
        raise ConfigError(
            tr(
                "{text!r} names no plugin: take a name such as acme or acme==1.2, or the file of a wheel. "
                "`hub plugin search` shows those that are known.",
                text=text,
            )
        )
    one = plugins.get(name)
    if one is None:
        distribution = name if name.startswith("pm-hub-") else f"pm-hub-{name}"
        return Wanted(
            name=distribution.removeprefix("pm-hub-"), distribution=distribution, version=version or None
        )
    if one.sha256 and not version:
        version = list(one.sha256)[-1]
    return _vouched(Wanted(name=name, distribution=one.distribution, version=version or None), one, version)


def _of_file(path: Path, plugins: dict[str, Known]) -> Wanted:
    parts = path.name.removesuffix(".whl").split("-")
    if not path.is_file() or len(parts) < 5 or not _DISTRIBUTION.fullmatch(parts[0]):
        raise ConfigError(tr("There is no wheel {path}.", path=path))
    distribution = canonical(parts[0])
    found = Wanted(
        name=distribution.removeprefix("pm-hub-"), distribution=distribution, version=parts[1],
        file=path.resolve(),
    )  # fmt: skip
    for name, one in plugins.items():
        if canonical(one.distribution) == distribution:
            return _vouched(msgspec.structs.replace(found, name=name), one, parts[1])
    return found


def _vouched(found: Wanted, one: Known, version: str) -> Wanted:
    if one.sha256 and version not in one.sha256:
        raise ConfigError(
            tr(
                "The list of plugins vouches for {name} {versions}, and not for {version}.",
                name=found.name,
                versions=", ".join(one.sha256),
                version=version,
            )
        )
    return msgspec.structs.replace(found, digests=one.sha256.get(version, ()))


def canonical(distribution: str) -> str:
    """Return the name of a distribution as indexes compare it."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def search(word: str, plugins: dict[str, Known]) -> Iterator[tuple[str, Known]]:
    """Return the known plugins that have *word* in their name or in what they are for; all without one."""
    folded = word.casefold()
    for name, one in sorted(plugins.items()):
        if folded in f"{name} {one.distribution} {one.en} {one.fr}".casefold():
            yield name, one
