"""Tell a plan from other files, and a whole one from one that was cut off."""

from __future__ import annotations

from pathlib import Path

from hub import tr
from hub_msproject.files.mpxj import SUFFIXES

_HEAD = 4096
_TAIL = 64


def is_plan(path: Path) -> bool:
    """Say whether *path* is a file of Microsoft Project or Primavera."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return True
    if suffix != ".xml":
        return False
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD).replace(b"\0", b"")  # UTF-16 reads alike without its noughts
    except OSError:
        return False
    return b"<Project" in head and b"schemas.microsoft.com/project" in head


def whole(path: Path) -> str | None:
    """Return what speaks against *path* being whole, or None.

    A table of Primavera (XER) ends with a line ``%E``; an MPX file with the end of a line.
    """
    suffix = path.suffix.lower()
    if suffix not in {".xer", ".mpx"}:
        return None
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - _TAIL))
        tail = file.read().rstrip(b"\x1a\0 ")
    if suffix == ".xer" and tail.rstrip().rpartition(b"\n")[2].strip() != b"%E":
        return tr("{name} has no line %E at its end: it was cut off. Export it again.", name=path.name)
    if suffix == ".mpx" and not tail.endswith((b"\n", b"\r")):
        return tr("{name} ends in the middle of a line: it was cut off. Export it again.", name=path.name)
    return None
