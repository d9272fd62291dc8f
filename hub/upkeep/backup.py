"""Write one file that a place can be made of again: store, closed cuts, feed, configuration.

The file is a tar (gzip); its last member ``pm-hub-backup.json`` tells what is in it, by name, size and
sha256, so that a file that was cut off is none. The store comes first, by SQLite's own online copy, or from
a server by one transaction that sees one moment, row by row into a file of SQLite; a sync that goes on
meanwhile is not disturbed and not seen in part.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import re
import shutil
import tarfile
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, Any

import msgspec

from hub import clock
from hub.errors import StoreError, StoreFull
from hub.feed import cut_folder, digest, rewritten
from hub.files import write_atomically
from hub.store import copies
from hub.store.engines import Engine, Sqlite
from hub.store.moving import move
from hub.upkeep.sealing import Sealing
from hub.version import release
from hub.words import tr

MANIFEST = "pm-hub-backup.json"
FORMAT = 1
CURRENT = "CURRENT"
SUFFIX = ".tar.gz"
SEALED = ".sealed"
_LARGEST_NAMED = 50_000_000
"""A file that a setting names is taken up to this size: a template, a mapping, a bundle of certificates."""
_ATTEMPTS = 3


class Paths(msgspec.Struct, frozen=True, kw_only=True):
    """Where the parts of a place lie: the folder *base*, the file *config*, the *store*, the feeds.

    Where the store is on a *server*, *store* is the file that a restore makes of it.
    """

    base: Path
    config: Path
    store: Path
    feed: Path
    server: Engine | None = None

    @property
    def cuts(self) -> Path:
        """Return the folder of the closed cuts."""
        return cut_folder(self.feed, 0).parent

    def told(self) -> dict[str, str]:
        """Return the parts as they are told from the folder *base*; absolute where they lie outside."""
        return {name: _told(getattr(self, name), self.base) for name in ("config", "store", "feed")}


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup holds: its *manifest*, and what is not whole or was left out, in sentences."""

    path: Path
    bytes: int
    manifest: dict[str, Any]
    damaged: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()


def backup(
    paths: Paths, target: Path, *, passphrase: str | None = None, source: str = "", secrets: bool = False,
    environment: str | None = None,
) -> Backup:  # fmt: skip
    """Write the place *paths* into the new file *target* (0600, whole or not at all).

    With a *passphrase*, taken from *source*, it is encrypted. *secrets* takes the files of secrets and
    sign-ins too. Raises `StoreError`.
    """
    made = clock.now()
    paths.store.parent.mkdir(parents=True, exist_ok=True)
    _sweep(paths.store.parent)
    try:
        with tempfile.TemporaryDirectory(dir=paths.store.parent, prefix=".backup-") as scratch:
            copied, cuts, damaged = _copy(paths, Path(scratch))
            members, left_out = _members(paths, secrets=secrets)
            manifest: dict[str, Any] = {
                "format": FORMAT,
                "hub": release(),
                "made_at": f"{made:%Y-%m-%dT%H:%M:%SZ}",
                "environment": environment,
                "places": paths.told(),
                "server": paths.server.where if paths.server else None,
                "schema": list(copies.schema(copied).applied),
                "tables": msgspec.to_builtins(copies.contents(copied)),
                "secrets": secrets,
                "files": {},
            }
            members = {f"store/{paths.store.name}": copied, **cuts, **members}
            with write_atomically(target) as file, _packing(file, passphrase, source) as archive:
                for name, path in members.items():
                    if (taken := _add(archive, name, path)) is not None:
                        manifest["files"][name] = taken
                _put(archive, MANIFEST, json.dumps(manifest, ensure_ascii=False, indent=1).encode())
    except OSError as exc:
        raise StoreFull(
            tr(
                "The backup cannot be written to {target}: {reason}. Nothing was left there.",
                target=target,
                reason=exc.strerror or exc,
            )
        ) from exc
    return Backup(
        path=target, bytes=target.stat().st_size, manifest=manifest, damaged=tuple(damaged),
        left_out=tuple(left_out),
    )  # fmt: skip


def name_for(environment: str | None, *, sealed: bool) -> str:
    """Return the name of a backup made now, in a folder of them."""
    return f"{_stem(environment)}{clock.now():%Y%m%dT%H%M%SZ}{SUFFIX}{SEALED if sealed else ''}"


def rotate(folder: Path, environment: str | None, *, keep: int) -> list[Path]:
    """Remove the oldest backups of *environment* in *folder* beyond *keep*; gives what was removed."""
    pattern = re.compile(re.escape(_stem(environment)) + r"\d{8}T\d{6}Z" + re.escape(SUFFIX))
    known = sorted((path for path in folder.iterdir() if pattern.match(path.name)), key=lambda one: one.name)
    gone = known[: max(0, len(known) - max(1, keep))]
    for path in gone:
        path.unlink(missing_ok=True)
    return gone


def _stem(environment: str | None) -> str:
    return f"pm-hub-{re.sub(r'[^A-Za-z0-9_.]+', '_', environment)}-" if environment else "pm-hub-"


def _told(path: Path, base: Path) -> str:
    try:
        return path.resolve().relative_to(base.resolve()).as_posix()
    except ValueError:
        return str(path.resolve())


def _sweep(folder: Path) -> None:
    """Remove the copies that a killed backup left a day ago or earlier."""
    for path in folder.glob(".backup-*"):
        with contextlib.suppress(OSError):
            if clock.now().timestamp() - path.stat().st_mtime > 86400:
                shutil.rmtree(path, ignore_errors=True)


def _copy(paths: Paths, scratch: Path) -> tuple[Path, dict[str, Path], list[str]]:
    """Copy the store, and find the closed cuts that go with this copy.

    A cut that is rewritten between the two (an erasure goes on) asks for a new copy.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        copied = scratch / f"{attempt}.db"
        if paths.server is None:
            copies.copy(paths.store, copied)
        else:
            copied.unlink(missing_ok=True)
            move(paths.server, Sqlite(copied))
        if wrong := copies.damage(copied):
            raise StoreError(
                tr(
                    "The store {where} is damaged: {found}. No backup was made of it; the last one stays.",
                    where=paths.server.where if paths.server else paths.store,
                    found="; ".join(wrong)[:300],
                )
            )
        cuts: dict[str, Path] = {}
        damaged = []
        for id_, label, wanted in copies.closed_cuts(copied):
            folder = cut_folder(paths.feed, id_)
            found = next(
                (one for one in (folder, rewritten(folder)) if one.is_dir() and digest(one) == wanted), None
            )
            if found is None:
                damaged.append(
                    tr("the closed cut {label!r} in {folder} is gone or altered", label=label, folder=folder)
                )
            for path in sorted((found or folder).glob("*.parquet")):
                cuts[f"cuts/{id_}/{path.name}"] = path
        if not damaged:
            break
        if attempt < _ATTEMPTS:
            copied.unlink()
    return copied, cuts, damaged + copies.altered_seals(copied)


def _members(paths: Paths, *, secrets: bool) -> tuple[dict[str, Path], list[str]]:
    """Return the files besides store and cuts, by their name in the backup, and which secrets are not."""
    found: dict[str, Path] = {}
    with contextlib.suppress(OSError):
        feed_id = (paths.feed / CURRENT).read_text(encoding="utf-8").strip()
        if feed_id and (paths.feed / feed_id).is_dir():
            found |= _tree(paths.feed / feed_id, f"feed/{feed_id}")
            found[f"feed/{CURRENT}"] = paths.feed / CURRENT
    # what was published of each month: without it a later feed could be subtracted from an earlier one
    found |= _tree(paths.feed / "projections" / "groups", "feed/projections/groups")
    kept, secret = configuration(paths)
    for path in sorted(kept | (secret if secrets else set())):
        found[f"base/{path.resolve().relative_to(paths.base.resolve()).as_posix()}"] = path
    return found, [] if secrets else [_told(path, paths.base) for path in sorted(secret)]


def _tree(folder: Path, name: str) -> dict[str, Path]:
    return {
        f"{name}/{path.relative_to(folder).as_posix()}": path
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def configuration(paths: Paths) -> tuple[set[Path], set[Path]]:
    """Return the files of the configuration, and those of secrets, which are never among the first.

    The configuration is its folder, ``mappings`` and what settings name, but for the data of sources.
    """
    folder = paths.config.resolve().parent
    base = paths.base.resolve()
    own = folder != base
    kept = {path for path in (folder.rglob("*") if own else folder.glob("*")) if own or path.suffix in _OWN}
    kept |= {path for name in ("mappings", "plugins") for path in (base / name).rglob("*")}
    try:
        raw = tomllib.loads(paths.config.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError):
        raw = {}
    secret = {(base / name).resolve() for name in _named(raw, secret=True)}
    secret |= set((base / "data" / "signin").glob("*"))
    for name in _named(raw, secret=False):
        with contextlib.suppress(OSError, ValueError):
            path = (base / name).resolve()
            if path.is_file() and path.stat().st_size <= _LARGEST_NAMED:
                kept.add(path)
    kept = {
        path.resolve()
        for path in kept
        if path.is_file()
        and path.resolve().is_relative_to(base)
        and not any(part.startswith(".") or part == "__pycache__" for part in path.relative_to(base).parts)
    }
    secret = {path for path in secret if path.is_file() and path.is_relative_to(base)}
    return kept - secret, secret


_OWN = {".toml", ".csv", ".xlsx"}
"""What is configuration where hub.toml lies among other things."""


def _named(value: Any, *, secret: bool, key: str = "") -> Iterator[str]:
    """Yield the files that settings name: those of secrets (``{ file = … }``), or the others but for data."""
    if isinstance(value, dict):
        if set(value) == {"file"} and isinstance(value["file"], str):
            if secret:
                yield value["file"]
            return
        for name, one in value.items():
            yield from _named(one, secret=secret, key=name)
    elif isinstance(value, list):
        for one in value:
            yield from _named(one, secret=secret, key=key)
    elif isinstance(value, str) and not secret and key not in {"path", "store", "feed"} and value:
        yield value


# ---------- the file ----------


@contextlib.contextmanager
def _packing(file: IO[bytes], passphrase: str | None, source: str) -> Iterator[tarfile.TarFile]:
    sealing = Sealing(file, passphrase, source=source) if passphrase is not None else None
    out: Any = sealing or file
    packed = gzip.GzipFile(filename="", fileobj=out, mode="wb", compresslevel=4, mtime=0)
    with packed, tarfile.open(fileobj=packed, mode="w|", format=tarfile.PAX_FORMAT) as archive:
        yield archive
    if sealing is not None:
        sealing.close()


def _add(archive: tarfile.TarFile, name: str, path: Path) -> dict[str, Any] | None:
    """Add the file *path*; a feed's file that was retired meanwhile is left out. Gives size and sha256."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return None
    with file:
        info = _info(name, path.stat().st_size)
        reading = _Hashing(file, info.size)
        archive.addfile(info, reading)
    return {"bytes": info.size, "sha256": reading.sha256.hexdigest()}


def _put(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    archive.addfile(_info(name, len(data)), io.BytesIO(data))


def _info(name: str, size: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(str(PurePosixPath(name)))
    info.size, info.mode, info.mtime = size, 0o600, int(clock.now().timestamp())
    return info


class _Hashing:
    """A file that is read once and hashed on the way; what grows meanwhile is read up to its *size*."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        self._file, self._left = file, size
        self.sha256 = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(data)
        self.sha256.update(data)
        return data
