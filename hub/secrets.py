"""Secrets by reference: a configuration names where a secret lies and never holds it."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import stat
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from hub.errors import ConfigError
from hub.files import text_as_written
from hub.words import mark, tr

_REVEALED: set[str] = set()
"""What must never be written: every secret that was revealed."""
HOW = mark('write { env = "NAME" }, { keyring = "service/name" } or { file = "path" } instead')


class Secret:
    """A reference to a secret; only `reveal()` gives its value, and nothing prints it."""

    __slots__ = ("_base", "_expires", "_kind", "_where")

    def __init__(self, kind: str, where: str, base: Path, expires: date | None = None) -> None:
        """Refer to the secret *where* of *kind* ``env``, ``keyring`` or ``file``; files start at *base*.

        *expires* is the day on which it ends, where somebody wrote it down.
        """
        self._kind = kind
        self._where = where
        self._base = base
        self._expires = expires

    def __repr__(self) -> str:
        """Show where the secret lies, never what it is."""
        return f"Secret({self._kind}={self._where!r})"

    @property
    def place(self) -> str:
        """Return where the secret lies, as ``env=NAME``."""
        return f"{self._kind}={self._where}"

    def reveal(self) -> str:
        """Return the secret itself. Raises `ConfigError` when it cannot be found or is not protected."""
        value = self._value()
        if not value:
            raise ConfigError(tr("The secret {place} is empty.", place=self.place))
        _REVEALED.add(value)
        return value

    def changed_at(self) -> datetime | None:
        """Return when the file of the secret was written; None for another kind, which does not tell."""
        if self._kind != "file":
            return None
        try:
            return datetime.fromtimestamp((self._base / self._where).stat().st_mtime, UTC)
        except OSError:
            return None

    def expires_on(self) -> date | None:
        """Return the day on which it ends: as the configuration says, else as it says itself.

        A JSON Web Token does (RFC 7519, ``exp``), and a certificate in PEM. None where nothing is known, or
        where it cannot be had.
        """
        if self._expires is not None:
            return self._expires
        try:
            value = self.reveal()
        except ConfigError:
            return None
        if "-----BEGIN CERTIFICATE-----" in value:
            return _end_of_certificate(value)
        return _end_of_token(value)

    def _value(self) -> str:
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
            raw = path.read_bytes()
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
        with contextlib.suppress(UnicodeDecodeError):  # it holds what it could not read: it goes no further
            return text_as_written(raw).strip()
        raise ConfigError(tr("The secret file {path} is no text: save it as UTF-8.", path=path))


def redacted(text: str) -> str:
    """Return *text* without the secrets that this program has revealed."""
    forms = {
        form
        for value in _REVEALED
        for form in (value, quote(value), quote_plus(value), json.dumps(value)[1:-1])
        if len(form) > 3
    }
    for form in sorted(forms, key=len, reverse=True):  # one may begin with another, whose rest would stay
        text = text.replace(form, "…")
    return text


def read_environment(path: Path) -> None:
    """Set the variables of a file of lines ``NAME=value`` that the environment does not have.

    Raises `ConfigError` where it cannot be read, is not protected, or has another line.
    """
    for number, line in enumerate(Secret("file", path.name, path.parent)._value().splitlines(), start=1):
        name, equals, value = line.strip().removeprefix("export ").partition("=")
        if not name or name.startswith("#"):
            continue
        if not equals or not name.strip().isidentifier():
            raise ConfigError(
                tr("{path}, line {number}: write NAME=value, one a line.", path=path, number=number)
            )
        value = value.strip()
        if len(value) > 1 and value[0] == value[-1] and value[0] in "'\"":
            value = value[1:-1]
        os.environ.setdefault(name.strip(), value)


def _end_of_token(value: str) -> date | None:
    parts = value.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return datetime.fromtimestamp(claims["exp"], UTC).date()
    except (ValueError, TypeError, KeyError, OverflowError, OSError):
        return None


def _end_of_certificate(value: str) -> date | None:
    try:
        from cryptography import x509  # comes with msal; only who has a certificate needs it

        start = value.index("-----BEGIN CERTIFICATE-----")
        return x509.load_pem_x509_certificate(value[start:].encode()).not_valid_after_utc.date()
    except (ImportError, ValueError):
        return None


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
    expires = None
    if isinstance(value, dict) and len(value) == 2 and "expires" in value:
        expires = value["expires"]
        try:
            expires = expires if isinstance(expires, date) else date.fromisoformat(str(expires))
        except ValueError:
            raise ValueError(tr('expires is a day, such as "2027-01-31"')) from None
        value = {key: one for key, one in value.items() if key != "expires"}
    if isinstance(value, dict) and len(value) == 1:
        ((kind, where),) = value.items()
        if kind in {"env", "keyring", "file"} and isinstance(where, str) and where:
            if kind == "keyring" and "/" not in where:
                raise ValueError(tr('a keyring secret is written { keyring = "service/name" }'))
            return Secret(kind, where, base, expires)
    raise ValueError(tr("a secret is not written in the configuration: {how}", how=tr(HOW)))
