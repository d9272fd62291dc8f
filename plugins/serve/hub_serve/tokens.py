"""Tokens: who may read, what and until when. A token is shown once; its hash is what is kept."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from hub import ConfigError, Privacy, tr, write_atomically

PREFIX = "pmh"
_SEEN_AGAIN = timedelta(minutes=5)


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Who asks: by what *name* the log knows it, and what it sees.

    *level* is the level of personal detail; *person*, an address of access.csv in small letters, narrows the
    rows to those that its lines there allow.
    """

    name: str
    level: Privacy
    person: str | None = None


class Token(msgspec.Struct, kw_only=True):
    """One token as it is kept: *digest* is the SHA-256 of its secret, which is 256 random bits."""

    id: str
    name: str
    level: Privacy
    digest: str
    created_at: datetime
    expires_at: datetime
    person: str | None = None
    last_used_at: datetime | None = None

    @property
    def reader(self) -> Reader:
        """Return who holds it."""
        return Reader(name=self.name, level=self.level, person=self.person)


class Tokens:
    """The tokens in the file ``tokens.json`` of a folder, mode 0600.

    A server and commands beside it use the file at once: it is read again when it changed, and written under
    a lock.
    """

    def __init__(self, folder: Path, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        """Keep tokens in *folder*, which is made when the first is; *now* tells the time."""
        self._now = now
        self.file = folder / "tokens.json"
        self._read_as: tuple[int, int] | None = None
        self._known: dict[str, Token] = {}
        self._lock = threading.Lock()

    def create(self, name: str, *, level: Privacy, days: int, person: str | None = None) -> str:
        """Keep a token called *name* and return it; nothing can show it again. Raises `ConfigError`."""
        if not name.strip() or not name.isprintable():
            raise ConfigError(tr("A token needs a name, such as that of the tool that uses it."))
        now = self._now()
        secret = secrets.token_urlsafe(32)
        token = Token(
            id=secrets.token_hex(6), name=name, level=level, digest=_digest(secret), created_at=now,
            expires_at=now + timedelta(days=days), person=person.strip().lower() if person else None,
        )  # fmt: skip

        def add(known: dict[str, Token]) -> None:
            if any(one.name == name for one in known.values()):
                raise ConfigError(
                    tr("There is a token {name!r}: revoke it first, or take another name.", name=name)
                )
            known[token.id] = token

        self._change(add)
        return f"{PREFIX}_{token.id}_{secret}"

    def all(self) -> list[Token]:
        """Return the tokens, oldest first. Raises `ConfigError` where the file cannot be read."""
        with self._lock:
            return sorted(self._read().values(), key=lambda one: (one.created_at, one.id))

    def revoke(self, name: str) -> None:
        """Forget the token called *name*. Raises `ConfigError` where there is none."""

        def remove(known: dict[str, Token]) -> None:
            found = [key for key, one in known.items() if one.name == name]
            if not found:
                raise ConfigError(
                    tr(
                        "There is no token {name!r}; there are: {known}.",
                        name=name, known=", ".join(sorted(one.name for one in known.values())) or tr("none"),
                    )
                )  # fmt: skip
            for key in found:
                del known[key]

        self._change(remove)

    def holder(self, given: str) -> Token | None:
        """Return the token that *given* is, or None where it is none, or too old."""
        head, _, rest = given.partition("_")
        key, _, secret = rest.partition("_")
        with self._lock:
            token = self._read().get(key) if head == PREFIX else None
        digest = _digest(secret)  # whether or not the id is known, as long a time
        if not hmac.compare_digest(digest, token.digest if token else _digest("")) or token is None:
            return None
        return self.still(token.id)

    def still(self, key: str) -> Token | None:
        """Return the token with the id *key* where it is valid now, and note that it was used."""
        now = self._now()
        with self._lock:
            token = self._read().get(key)
        if token is None or now >= token.expires_at:
            return None
        if token.last_used_at is None or now - token.last_used_at > _SEEN_AGAIN:

            def note(known: dict[str, Token]) -> None:
                if key in known:
                    known[key].last_used_at = now

            try:
                self._change(note)
            except (OSError, ConfigError):
                pass  # a folder that cannot be written costs the note, not the answer
        return token

    def _read(self) -> dict[str, Token]:
        try:
            state = self.file.stat()
        except FileNotFoundError:
            self._read_as, self._known = None, {}
            return self._known
        if self._read_as != (state.st_mtime_ns, state.st_size):
            try:
                found = msgspec.json.decode(self.file.read_bytes(), type=list[Token])
            except (msgspec.DecodeError, OSError) as exc:
                raise ConfigError(
                    tr("{file} cannot be read: {error}. Restore it, or remove it and make tokens anew.",
                       file=self.file, error=exc)
                ) from exc  # fmt: skip
            self._known = {one.id: one for one in found}
            self._read_as = (state.st_mtime_ns, state.st_size)
        return self._known

    def _change(self, change: Callable[[dict[str, Token]], None]) -> None:
        from filelock import FileLock

        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock, FileLock(str(self.file) + ".lock", mode=0o600, timeout=10):
            known = dict(self._read())
            change(known)
            with write_atomically(self.file) as file:
                file.write(msgspec.json.encode(list(known.values())))
            self._read_as, self._known = None, {}


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
