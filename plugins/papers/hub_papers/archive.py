"""The folders of papers: written whole, private, with a digest; what was handed out is kept."""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import unicodedata
from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from hub import Story, write_atomically

LATEST = "latest"
MANIFEST = "manifest.json"


def write(folder: Path, papers: Mapping[str, bytes], story: Story) -> None:
    """Write *papers* of *story* into the new *folder*, with a manifest of their digests. Raises OSError."""
    folder.mkdir(mode=0o700, parents=True)
    for name, content in papers.items():
        (folder / name).write_bytes(content)
    (folder / MANIFEST).write_text(
        json.dumps(manifest(papers, story), ensure_ascii=False, indent=1), encoding="utf-8"
    )
    for path in folder.iterdir():
        os.chmod(path, 0o600)


def manifest(papers: Mapping[str, bytes], story: Story) -> dict[str, Any]:
    """Return what the manifest says: of which feed and cut the papers are, and the SHA-256 of each."""
    return {
        "feed_id": story.feed_id,
        "cut": None if story.is_now else story.label,
        "as_of": story.as_of.isoformat(),
        "lang": story.lang,
        "privacy": story.privacy,
        "files": {name: digest(content) for name, content in papers.items()},
    }


def digest(content: bytes) -> str:
    """Return the SHA-256 of *content* in hex."""
    return hashlib.sha256(content).hexdigest()


def archived(root: Path, label: str) -> Path:
    """Return the folder below *root* of the papers of the cut *label*, whether it is there or not."""
    plain = unicodedata.normalize("NFKD", label).encode("ascii", "ignore").decode().lower()
    name = re.sub("[^a-z0-9]+", "-", plain).strip("-") or "cut"
    for number in count(1):
        place = root / (name if number == 1 else f"{name}-{number}")
        if place.name != LATEST and (not place.exists() or _cut_of(place) in {label, None}):
            return place
    raise AssertionError


def _cut_of(folder: Path) -> str | None:
    """Return the cut that the papers in *folder* are of; None where its manifest cannot be read."""
    found = _read(folder).get("cut")
    return str(found) if found is not None else None


def _read(folder: Path) -> dict[str, Any]:
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def put(place: Path, papers: Mapping[str, bytes], story: Story) -> None:
    """Write *papers* into the folder *place*, which is not there yet, in one step. Raises OSError."""
    fresh = place.with_name(f".{place.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    write(fresh, papers, story)
    os.replace(fresh, place)


def add(place: Path, papers: Mapping[str, bytes], story: Story) -> None:
    """Write *papers* into the folder *place*, and their digests into its manifest. Raises OSError."""
    for name, content in papers.items():
        with write_atomically(place / name) as file:
            file.write(content)
    said, fresh = _read(place), manifest(papers, story)
    of = ("cut", "as_of", "lang", "privacy") if fresh["cut"] else ("feed_id", "cut", "lang", "privacy")
    if all(said.get(key) == fresh[key] for key in of):
        fresh = {**said, "files": {**said.get("files", {}), **fresh["files"]}}
    with write_atomically(place / MANIFEST) as file:
        file.write(json.dumps(fresh, ensure_ascii=False, indent=1).encode())


def altered(place: Path) -> list[str]:
    """Return the files in *place* that are not what its manifest says, or gone."""
    said = _read(place).get("files")
    if not isinstance(said, dict):
        return [MANIFEST]
    return [
        name for name, value in said.items()
        if not (place / name).is_file() or digest((place / name).read_bytes()) != value
    ]  # fmt: skip


def differing(place: Path, papers: Mapping[str, bytes]) -> list[str]:
    """Return which of *papers* are another content than the file of that name in *place*."""
    return [
        name for name, content in papers.items()
        if (place / name).is_file() and (place / name).read_bytes() != content
    ]  # fmt: skip
