"""Secrets by reference: a configuration names where a secret lies and never holds it."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

from hub.errors import ConfigError
from hub.words import mark, tr

HOW = mark('write { env = "NAME" }, { keyring = "service/name" } or { file = "path" } instead')


class Secret:
    """A reference to a secret; only `reveal()` gives its value, and nothing prints it."""

    __slots__ = ("_base", "_kind", "_where")

    def __init__(self, kind: str, where: str, base: Path) -> None:
        """Refer to the secret *where* of *kind* ``env``, ``keyring`` or ``file``; files start at *base*."""
        self._kind = kind
        self._where = where
        self._base = base

    def __repr__(self) -> str:
        """Show where the secret lies, never what it is."""
        return f"Secret({self._kind}={self._where!r})"

    def reveal(self) -> str:
        """Return the secret itself. Raises `ConfigError` when it cannot be found or is not protected."""
        if self._kind == "env":
            value = os.environ.get(self._where)
            if not value:
                raise ConfigError(
                    tr(
                        "The environment variable {where} is not set; it should hold a secret.",
                        where=self._where,
                    )
                )
            return value
        if self._kind == "keyring":
            # keyring looks for back-ends when imported: only those who use it pay for that
            import keyring

            service, _, name = self._where.partition("/")
            value = keyring.get_password(service, name)
            if not value:
                raise ConfigError(
                    tr(
                        "The keyring holds no secret {where!r}: "
                        "store it with `keyring set {service} {name}`.",
                        where=self._where,
                        service=service,
                        name=name,
                    )
                )
            return value
        path = self._base / self._where
        try:
            found = path.stat()
            text = path.read_text(encoding="utf-8").strip()
        except OSError as exc:
            raise ConfigError(
                tr("The secret file {path} cannot be read: {reason}.", path=path, reason=exc.strerror)
            ) from exc
        if os.name == "posix" and stat.S_IMODE(found.st_mode) & 0o077:
            if stat.S_IMODE(found.st_mode) & 0o022:
                raise ConfigError(
                    tr(
                        "The secret file {path} can be written by other accounts: run chmod 600 on it.",
                        path=path,
                    )
                )
            if _may_be_narrowed(path, found):
                raise ConfigError(
                    tr(
                        "The secret file {path} can be read by other accounts: run chmod 600 on it.",
                        path=path,
                    )
                )
        return text


def _may_be_narrowed(path: Path, found: os.stat_result) -> bool:
    """Say whether it is up to this account to take the right to read a file from others.

    It is not for a file as platforms of containers mount secrets: nobody may write it (0440, 0444), it is
    another account's, or it lies on a file system that is mounted to be read only.
    """
    if not found.st_mode & 0o222 or found.st_uid != os.geteuid():
        return False
    return not os.statvfs(path).f_flag & os.ST_RDONLY


def to_secret(value: Any, *, base: Path) -> Secret:
    """Make a `Secret` of a setting. Raises ValueError for a literal, without repeating it."""
    if isinstance(value, Secret):
        return value
    if isinstance(value, dict) and len(value) == 1:
        ((kind, where),) = value.items()
        if kind in {"env", "keyring", "file"} and isinstance(where, str) and where:
            if kind == "keyring" and "/" not in where:
                raise ValueError(tr('a keyring secret is written { keyring = "service/name" }'))
            return Secret(kind, where, base)
    raise ValueError(tr("a secret is not written in the configuration: {how}", how=tr(HOW)))
