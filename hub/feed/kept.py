"""The rows of an open cut as they were computed last, as long as nothing that makes them changed.

A cut is of a moment, and what the store knew at a moment is law: the rows differ only where the hub, its
settings, the KPIs or fields of the site, or the past itself (an erasure, a purge) became others.
"""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from hub.feed.cuts import Cut, digest
from hub.feed.kpi import catalogue
from hub.feed.model import model
from hub.files import write_atomically
from hub.store.engines import StoreAt, engine_of
from hub.version import release

if TYPE_CHECKING:
    from hub.feed.build import BuildOptions

_KEY = "kept.json"
_PREFIX = ".open-"
_ASKED = (
    "SELECT id, key, kind, tz, seconds_per_day, freshness_max_s FROM source ORDER BY id",
    "SELECT * FROM site_field ORDER BY id",
    "SELECT * FROM field_value ORDER BY id",
    "SELECT count(*) FROM audit_log WHERE action LIKE 'privacy %'",
    "SELECT count(*) FROM erased_mark",
)
"""What the store says of all moments alike, and whether its past was rewritten."""


def place_of(cuts: Path, cut: Cut) -> Path:
    """Return where the rows of the open *cut* are kept, below the folder of the cuts."""
    return cuts / f"{_PREFIX}{cut.key}"


def key_of(store: StoreAt, cut: Cut, options: BuildOptions) -> str:
    """Return the digest of everything that makes the rows of *cut*."""
    with engine_of(store).reader() as connection:
        asked = [connection.execute(sql).fetchall() for sql in _ASKED]
    made = [
        release(), _code(), repr(model()), {code: repr(kpi) for code, kpi in catalogue().items()},
        cut.key, cut.as_of, cut.kind, cut.label, options.lang, options.country, options.currency, asked,
    ]  # fmt: skip
    return hashlib.sha256(json.dumps(made, sort_keys=True, default=str).encode()).hexdigest()


def kept(place: Path, key: str) -> bool:
    """Say whether *place* holds the rows that *key* stands for, unaltered."""
    try:
        told = json.loads((place / _KEY).read_text(encoding="utf-8"))
        return bool(told["key"] == key and told["digest"] == digest(place))
    except (OSError, ValueError, KeyError, TypeError):
        return False


def keep(fresh: Path, place: Path, key: str) -> Path:
    """Keep the rows in the folder *fresh* at *place*; gives where they are now.

    Where it cannot be written they stay where they are: it costs time, and no figure.
    """
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        shutil.copytree(fresh, place)
        place.chmod(0o700)
        with write_atomically(place / _KEY) as file:
            file.write(json.dumps({"key": key, "digest": digest(place)}).encode())
    except OSError:
        return fresh
    return place


def forget_open_cuts(cuts: Path) -> None:
    """Remove what is kept of every open cut."""
    for path in cuts.glob(f"{_PREFIX}*"):
        shutil.rmtree(path, ignore_errors=True)


@functools.cache
def _code() -> str:
    """Return the digest of the code and the SQL that compute a feed: a clone has no release of its own."""
    total = hashlib.sha256()
    here = Path(__file__).parent
    for folder in (here, here.parent / "placement"):
        for path in sorted(folder.rglob("*")):
            if path.suffix in {".py", ".sql", ".toml"}:
                total.update(path.relative_to(folder).as_posix().encode())
                total.update(path.read_bytes())
    return total.hexdigest()
