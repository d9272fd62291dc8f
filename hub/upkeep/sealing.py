"""Encrypt a stream by a passphrase that lies elsewhere: AES-256-GCM, in chunks that cannot be cut or moved.

A sealed file is one line in clear (``PMHUB-SEALED 1 {…}``: how the key is made, and where the passphrase
was taken from, never what it is), then chunks of 1 MiB with their tag. The nonce of a chunk is its number and
whether it is the last one (the construction STREAM of Hoang, Reyhanitabar, Rogaway and Vizár), so that a
file that was cut off, put together anew or altered is refused. The key is made by scrypt (RFC 7914) of the
passphrase and a salt of the file's own.
"""

from __future__ import annotations

import hashlib
import json
import os
from typing import IO, Any

from hub.errors import ConfigError, StoreError
from hub.words import tr

MAGIC = b"PMHUB-SEALED 1 "
_CHUNK = 1 << 20
_TAG = 16
_COST = {"n": 1 << 15, "r": 8, "p": 1}
_LONGEST_HEAD = 4096


def is_sealed(head: bytes) -> bool:
    """Say whether a file that begins with *head* is a sealed one."""
    return head.startswith(MAGIC)


def head_of(file: IO[bytes]) -> dict[str, Any]:
    """Return what a sealed file says in clear. Raises `StoreError`."""
    return _head(file)[1]


def _head(file: IO[bytes]) -> tuple[bytes, dict[str, Any]]:
    line = file.readline(_LONGEST_HEAD)
    try:
        said = json.loads(line.removeprefix(MAGIC))
        n, r, p = int(said["n"]), int(said["r"]), int(said["p"])
        bytes.fromhex(said["salt"])
    except (ValueError, KeyError, TypeError) as exc:
        raise _unreadable() from exc
    if not line.startswith(MAGIC) or not (1 < n <= 1 << 20 and 1 <= r <= 32 and 1 <= p <= 16):
        raise _unreadable()
    return line, said


def _unreadable() -> StoreError:
    return StoreError(tr("This is no backup of pm-hub, or its beginning is damaged."))


def _cipher(passphrase: str, said: dict[str, Any]) -> Any:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    n, r, p = int(said["n"]), int(said["r"]), int(said["p"])
    key = hashlib.scrypt(
        passphrase.encode(), salt=bytes.fromhex(said["salt"]), n=n, r=r, p=p, dklen=32,
        maxmem=256 * n * r,
    )  # fmt: skip
    return AESGCM(key)


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(11, "big") + (b"\1" if last else b"\0")


class Sealing:
    """A file to write to: what is written goes encrypted to *file*; `close()` writes the last chunk."""

    def __init__(self, file: IO[bytes], passphrase: str, *, source: str) -> None:
        """Write the line in clear, which tells the *source* of the passphrase.

        Raises `ConfigError` for an empty one.
        """
        if not passphrase:
            raise ConfigError(tr("The passphrase of the backup is empty."))
        said = {**_COST, "salt": os.urandom(16).hex(), "key": source}
        self._head = MAGIC + json.dumps(said).encode() + b"\n"
        self._cipher = _cipher(passphrase, said)
        self._file = file
        self._pending = bytearray()
        self._number = 0
        file.write(self._head)

    def write(self, data: bytes) -> int:
        """Take *data*."""
        self._pending += data
        while len(self._pending) > _CHUNK:  # one chunk stays: it may be the last
            self._put(bytes(self._pending[:_CHUNK]), last=False)
            del self._pending[:_CHUNK]
        return len(data)

    def flush(self) -> None:
        """Do nothing: a chunk is written when it is full."""

    def close(self) -> None:
        """Write the last chunk."""
        self._put(bytes(self._pending), last=True)
        self._pending.clear()

    def _put(self, data: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._number, last=last), data, self._head))
        self._number += 1


class Unsealing:
    """A file to read from: what *file* holds, decrypted and proven chunk by chunk."""

    def __init__(self, file: IO[bytes], passphrase: str) -> None:
        """Read the line in clear. Raises `StoreError`."""
        self._head, said = _head(file)
        self._cipher = _cipher(passphrase, said)
        self._file = file
        self._next = file.read(_CHUNK + _TAG)
        self._data = b""
        self._number = 0

    def read(self, size: int = -1) -> bytes:
        """Return the next *size* bytes, fewer at the end. Raises `StoreError` where they were altered."""
        parts = []
        while size:
            if not self._data and not self._advance():
                break
            part = self._data if size < 0 else self._data[:size]
            self._data = self._data[len(part) :]
            parts.append(part)
            size -= len(part) if size > 0 else 0
        return b"".join(parts)

    def _advance(self) -> bool:
        from cryptography.exceptions import InvalidTag

        if not self._next:
            return False
        chunk, self._next = self._next, self._file.read(_CHUNK + _TAG)
        try:
            self._data = self._cipher.decrypt(_nonce(self._number, last=not self._next), chunk, self._head)
        except InvalidTag as exc:
            raise StoreError(
                tr(
                    "The backup cannot be opened: the passphrase is another one, or the file is damaged."
                    if self._number == 0
                    else "The backup is damaged or was cut off after {count} MB: take another one.",
                    count=self._number,
                )
            ) from exc
        self._number += 1
        return bool(self._data) or self._advance()
