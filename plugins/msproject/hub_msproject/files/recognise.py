"""Tell a plan from other files by its ending, and an XML file by what it begins with."""

from __future__ import annotations

from pathlib import Path

from hub_msproject.files.mpxj import SUFFIXES

_HEAD = 4096


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
