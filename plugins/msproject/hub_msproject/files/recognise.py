"""Tell a plan from other files, and a whole one from one that was cut off."""

from __future__ import annotations

from pathlib import Path

from hub import tr

SUFFIXES = (".mpp", ".mpt", ".mpx", ".mpd", ".xer", ".pmxml")
"""Of files that only MPXJ reads."""
_HEAD = 4096
_TAIL = 64
_ROOT = b"<APIBusinessObjects"
_MPP = frozenset({".mpp", ".mpt"})
_OLE, _ZIP, _JET = b"\xd0\xcf\x11\xe0", b"PK\x03\x04", b"Standard Jet DB"
_JET_VERSION = 20
"""Where a database of Access says its version: 0 is that of Access 97, in which Project 98 kept plans."""
_OTHERS = {
    "Word": "WordDocument",
    "Excel": "Workbook",
    "PowerPoint": "PowerPoint Document",
    "Visio": "VisioDocument",
}
"""The streams by which documents of Office that are no plans are known (MS-DOC, MS-XLS, MS-PPT)."""


def is_plan(path: Path) -> bool:
    """Say whether *path* is a file of Microsoft Project or Primavera."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:
        return True
    if suffix != ".xml":
        return False
    head = _head(path)
    return (b"<Project" in head and b"schemas.microsoft.com/project" in head) or _ROOT in head


def form_of(path: Path) -> str:
    """Return the suffix that a file should have: an ``.xml`` of Primavera is a ``.pmxml``."""
    suffix = path.suffix.lower()
    return ".pmxml" if suffix == ".xml" and _ROOT in _head(path) else suffix


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD).replace(b"\0", b"")  # UTF-16 reads alike without its noughts
    except OSError:
        return b""


def foreign(path: Path, form: str) -> str | None:
    """Return what *path* is where it is no plan of its *form*, or None."""
    with path.open("rb") as file:
        head = file.read(_TAIL)
        if not head.strip(b"\0 \r\n"):
            return tr("{name} is empty: it is still being written, or the copy failed.", name=path.name)
        if head.startswith(_ZIP):
            return tr("{name} is a zip or a document of Office, and no plan.", name=path.name)
        if form == ".mpd" and _JET in head:
            if head[_JET_VERSION : _JET_VERSION + 1] == b"\0":
                return tr(
                    "{name} is a database of Project 98, which is not read: open it in Microsoft Project and "
                    "save it as .mpp or as XML.",
                    name=path.name,
                )
            return None
        if form in _MPP and not head.startswith(_OLE):
            return tr("{name} is no plan of Microsoft Project, or it is damaged.", name=path.name)
        if form in _MPP:
            text = head + file.read()
            for what, stream in _OTHERS.items():
                if stream.encode("utf-16-le") in text:
                    return tr("{name} is a document of {what}, and no plan.", name=path.name, what=what)
    return None


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
