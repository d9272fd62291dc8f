"""Make a place of a backup again: unpacked beside, proven equal to what was backed up, then put there."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import os
import shutil
import tarfile
import tempfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import msgspec

from hub import clock
from hub.errors import StoreError, StoreFull, StoreTooNew
from hub.feed import cut_folder, digest
from hub.store import copies
from hub.upkeep.backup import FORMAT, MANIFEST, Paths
from hub.upkeep.sealing import Unsealing, head_of, is_sealed
from hub.words import tr

Reveal = Callable[[str], str]
"""What gives the passphrase of a sealed backup, from where the backup says that it lies."""
_ROOMS = {"store", "cuts", "feed", "base"}
_SIDE = ("", "-wal", "-shm")
_FEW = 5


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """What a restore did: files and rows proven equal, people erased again, what was there before.

    *aside* is the folder that what was there was moved to; *damaged* are closed cuts that were not whole in
    the backup already; *outside* tells settings that point out of the place.
    """

    manifest: dict[str, Any]
    paths: Paths
    files: int
    rows: int
    erased: int = 0
    aside: Path | None = None
    damaged: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()


def inspect(archive: Path, reveal: Reveal) -> Restored:
    """Unpack *archive* elsewhere and prove it equal to what was backed up; nothing is put anywhere.

    Raises `StoreError`.
    """
    with tempfile.TemporaryDirectory(prefix="pm-hub-") as scratch:
        return _proven(archive, Path(scratch), reveal)


def restore(
    archive: Path, base: Path, reveal: Reveal, *, inside: bool = False, force: bool = False,
    data_only: bool = False, cleanse: Callable[[Paths], int] | None = None,
) -> Restored:  # fmt: skip
    """Make the place of *archive* again below *base*; gives what was done.

    Parts that lay outside of their place go there again, or (*inside*) into it. What is there is refused, or
    with *force* moved aside; *data_only* leaves the configuration as it is. *cleanse* is given the place
    before it is put anywhere, and gives how many people it erased again. Raises `StoreError`.
    """
    try:
        base.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=base, prefix=".restore-") as scratch:
            staging = Path(scratch)
            found = _proven(archive, staging, reveal)
            paths, outside = _targets(found.manifest["places"], base, inside=inside)
            parts = _parts(staging, found.paths, paths, data_only=data_only)
            there = _there(parts)
            if there and not force:
                few = ", ".join(str(path) for path in there[:_FEW]) + (" …" if len(there) > _FEW else "")
                raise StoreError(
                    tr(
                        "There is something already: {few}. Nothing was touched. Restore into an empty "
                        "folder (--to), or say --force: what is there is moved aside first.",
                        few=few,
                    )
                )
            erased = cleanse(found.paths) if cleanse else 0
            aside = base / f"before-restore-{clock.now():%Y%m%dT%H%M%SZ}" if there else None
            _place(parts, aside, base)
    except OSError as exc:
        raise StoreFull(
            tr("The backup cannot be restored below {base}: {reason}.", base=base, reason=exc.strerror or exc)
        ) from exc
    return msgspec.structs.replace(found, paths=paths, erased=erased, aside=aside, outside=tuple(outside))


# ---------- reading and proving ----------


def _proven(archive: Path, staging: Path, reveal: Reveal) -> Restored:
    """Unpack *archive* below *staging* and hold what is there against its manifest."""
    manifest, hashes = _unpack(archive, staging, reveal)
    wanted = {name: one["sha256"] for name, one in manifest["files"].items()}
    both = wanted.keys() | hashes.keys()
    if wrong := sorted(name for name in both if wanted.get(name) != hashes.get(name)):
        raise StoreError(
            tr(
                "The backup {archive} is damaged: {names} is not what was backed up.",
                archive=archive,
                names=", ".join(wrong[:_FEW]),
            )
        )
    (name,) = (name for name in wanted if name.startswith("store/"))
    store = staging / name
    if newer := copies.schema(store).newer:
        raise StoreTooNew(
            tr(
                "The backup {archive} was made by a newer pm-hub ({hub}; it holds {newer}). Nothing was "
                "touched: upgrade pm-hub on this machine.",
                archive=archive,
                hub=manifest["hub"],
                newer=newer[-1],
            )
        )
    held = msgspec.to_builtins(copies.contents(store))
    if (odd := copies.damage(store)) or held != manifest["tables"]:
        odd = odd or [table for table in held if held[table] != manifest["tables"].get(table)]
        raise StoreError(
            tr("The store of {archive} is damaged: {odd}.", archive=archive, odd="; ".join(odd)[:300])
        )
    feed = staging / "feed"
    damaged = tuple(
        tr("the closed cut {label!r} was gone or altered when the backup was made", label=label)
        for id_, label, told in copies.closed_cuts(store)
        if not (folder := cut_folder(feed, id_)).is_dir() or digest(folder) != told
    )
    config = staging / "base" / PurePosixPath(manifest["places"]["config"])
    return Restored(
        manifest=manifest,
        paths=Paths(base=staging / "base", config=config, store=store, feed=feed),
        files=len(hashes),
        rows=sum(one["rows"] for one in held.values()),
        damaged=(*damaged, *copies.altered_seals(store)),
    )


def _unpack(archive: Path, staging: Path, reveal: Reveal) -> tuple[dict[str, Any], dict[str, str]]:
    hashes: dict[str, str] = {}
    manifest: dict[str, Any] | None = None
    try:
        with _opened(archive, reveal) as members:
            for member in members:
                file = members.extractfile(member)
                if file is None:
                    raise _foreign(archive, member.name)
                if member.name == MANIFEST:
                    manifest = json.loads(file.read())
                    continue
                hashes[member.name] = _write(file, staging / _safe(archive, member.name))
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile, ValueError) as exc:
        raise _cut_off(archive) from exc
    if manifest is None:
        raise _cut_off(archive)
    if manifest.get("format") != FORMAT:
        raise StoreTooNew(
            tr(
                "The backup {archive} is of a form that this pm-hub does not know: upgrade pm-hub.",
                archive=archive,
            )
        )
    return manifest, hashes


@contextlib.contextmanager
def _opened(archive: Path, reveal: Reveal) -> Iterator[tarfile.TarFile]:
    try:
        raw = archive.open("rb")
    except OSError as exc:
        raise StoreError(
            tr("The backup {archive} cannot be read: {reason}.", archive=archive, reason=exc.strerror)
        ) from exc
    with raw:
        source: Any = raw
        if is_sealed(raw.read(64)):
            raw.seek(0)
            where = str(head_of(raw).get("key", ""))
            raw.seek(0)
            source = Unsealing(raw, reveal(where))
        else:
            raw.seek(0)
        with gzip.GzipFile(fileobj=source, mode="rb") as packed:
            with tarfile.open(fileobj=packed, mode="r|") as members:
                yield members
            while packed.read(1 << 20):  # to the end: a file that was cut off there is told too
                pass


def _cut_off(archive: Path) -> StoreError:
    return StoreError(
        tr("{archive} is no backup of pm-hub, or it is damaged or was cut off.", archive=archive)
    )


def _foreign(archive: Path, name: str) -> StoreError:
    return StoreError(
        tr("{archive} holds {name!r}, which no backup of pm-hub does.", archive=archive, name=name)
    )


def _safe(archive: Path, name: str) -> Path:
    """Return the path of a member below the staging folder; what would leave it is refused."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[0] not in _ROOMS or len(path.parts) < 2:
        raise _foreign(archive, name)
    if os.name == "nt" and any(":" in part or "\\" in part for part in path.parts):
        raise _foreign(archive, name)
    return Path(*path.parts)


def _write(file: Any, target: Path) -> str:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    total = hashlib.sha256()
    with os.fdopen(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as out:
        while data := file.read(1 << 20):
            total.update(data)
            out.write(data)
        out.flush()
        os.fsync(out.fileno())
    return total.hexdigest()


# ---------- putting it in its place ----------


def _targets(places: dict[str, str], base: Path, *, inside: bool) -> tuple[Paths, list[str]]:
    """Return where the parts go, and which settings point outside although the parts are inside now."""
    outside = []
    found = {}
    for name, ordinary in (("store", "data/hub.db"), ("feed", "data/feed")):
        told = Path(places[name])
        if told.is_absolute() and not inside:
            found[name] = told
        elif told.is_absolute() or PurePosixPath(places[name]).is_absolute() or ":" in places[name][:3]:
            found[name] = base / ordinary
            outside.append(
                tr(
                    "hub.toml says {name} = {told}: write {ordinary} there instead, or it is not this place",
                    name=name,
                    told=places[name],
                    ordinary=f"sqlite:///{ordinary}" if name == "store" else ordinary,
                )
            )
        else:
            found[name] = base / told
    return (
        Paths(base=base, config=base / places["config"], store=found["store"], feed=found["feed"]),
        outside,
    )


def _parts(staging: Path, staged: Paths, paths: Paths, *, data_only: bool) -> list[tuple[Path, Path]]:
    """Return (from, to) of what is moved: each file of the configuration, then folders, the store last."""
    files = [] if data_only else sorted(path for path in staged.base.rglob("*") if path.is_file())
    moves = [(path, paths.base / path.relative_to(staged.base)) for path in files]
    moves = [(fresh, to) for fresh, to in moves if not (to.is_file() and _same(fresh, to))]
    for fresh, to in ((staged.cuts, paths.cuts), (staged.feed, paths.feed)):
        fresh.mkdir(exist_ok=True, mode=0o700)  # an empty one: what is there belongs to another store
        moves.append((fresh, to))
    return [*moves, (staged.store, paths.store)]


def _same(one: Path, other: Path) -> bool:
    return one.stat().st_size == other.stat().st_size and one.read_bytes() == other.read_bytes()


def _there(parts: list[tuple[Path, Path]]) -> list[Path]:
    return [to for _, to in parts if (any(to.iterdir()) if to.is_dir() else to.exists())]


def _place(parts: list[tuple[Path, Path]], aside: Path | None, base: Path) -> None:
    for _, to in parts if aside else ():
        for side in _SIDE:  # a log of the old store would be applied to the new one
            old = to.with_name(to.name + side)
            if old.exists():
                kept = (aside or base) / (old.relative_to(base) if old.is_relative_to(base) else old.name)
                kept.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                shutil.move(old, kept)
    for fresh, to in parts:
        to.parent.mkdir(parents=True, exist_ok=True)
        if to.is_dir():
            to.rmdir()  # an empty one: `_there` told of any other
        shutil.move(fresh, to)
