"""The marks of erased people outside of the store, so that a backup from before does not bring them back.

A file ``erased-<store>.json`` lies beside the store and beside its backups. It holds digests only; the key
they are made with is in the store and in each backup of it, never in this file, so that it tells nothing to
who has only it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

import msgspec

from hub.files import write_atomically
from hub.store import copies
from hub.store.engines import StoreAt
from hub.store.erasure import Mark


def name_of(salt: str) -> str:
    """Return the name of the file for the store that has this *salt*."""
    return f"erased-{hashlib.sha256(bytes.fromhex(salt)).hexdigest()[:12]}.json"


def keep_marks(store: StoreAt, *folders: Path) -> None:
    """Write the marks of *store* into each of *folders*, with those that lie there already.

    Nothing is written while nobody was erased. Raises `StoreError`, OSError.
    """
    found = copies.marks(store)
    if found is None:
        return
    salt, marks = found
    for folder in folders:
        before = read(folder / name_of(salt))
        both = {(one.kind, one.mark): one for one in (*before, *marks)}
        if [*both.values()] != before:
            with write_atomically(folder / name_of(salt)) as file:
                file.write(json.dumps([msgspec.to_builtins(one) for one in both.values()], indent=0).encode())


def gather(salt: str, folders: Iterable[Path]) -> list[Mark]:
    """Return the marks for the store that has this *salt*, from every one of *folders*."""
    found: dict[tuple[str, str], Mark] = {}
    for folder in folders:
        for one in read(folder / name_of(salt)):
            before = found.get((one.kind, one.mark))
            found[one.kind, one.mark] = one if before is None or not before.texts else before
    return list(found.values())


def read(path: Path) -> list[Mark]:
    """Return the marks of the file *path*; none where there is no such file. Raises ValueError."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[Mark])
    except FileNotFoundError:
        return []
