"""Count the projects of a file of Primavera by itself, to hold against those that were read."""

from __future__ import annotations

import re
from pathlib import Path

_PROJECT = re.compile(rb"<Project[\s>]")
_BLOCK = 1 << 20


def exported_projects(path: Path, form: str) -> int:
    """Return how many projects *path* holds, a file of the *form* ``.xer`` or ``.pmxml``."""
    return _of_pmxml(path) if form == ".pmxml" else _of_xer(path)


def _of_pmxml(path: Path) -> int:
    count, rest = 0, b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            text = rest + block
            count += len(_PROJECT.findall(text))
            rest = text[-8:] if not _PROJECT.search(text[-9:]) else b""
    return count


def _of_xer(path: Path) -> int:
    """Count the rows of the table PROJECT that were exported, and not only named by a relation."""
    inside, flag, count = False, -1, 0
    with path.open("rb") as file:
        for line in file:
            mark, *cells = line.rstrip(b"\r\n").split(b"\t")
            if mark == b"%T":
                if inside:
                    break
                inside = cells[:1] == [b"PROJECT"]
            elif inside and mark == b"%F":
                flag = cells.index(b"export_flag") if b"export_flag" in cells else -1
            elif inside and mark == b"%R":
                count += flag < 0 or len(cells) <= flag or cells[flag] != b"N"
    return count
