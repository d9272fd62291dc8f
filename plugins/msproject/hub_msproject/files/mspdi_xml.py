"""What XML a plan is: its head, its encoding, and the one namespace that its elements are read in.

Safe: a document with a DTD is refused before anything is parsed, so there are no entities to expand.
"""

from __future__ import annotations

import codecs
import io
import re
from pathlib import Path
from typing import IO, Any
from xml.etree import ElementTree as ET
from xml.parsers import expat

from hub import SourceDataError, tr
from hub_msproject.files.schedule import when

NS = "{http://schemas.microsoft.com/project}"
_HEAD_LIMIT = 4 << 20
_DECLARATION = 200
_HEAD_BYTES = 2000
_ENCODING = re.compile(rb"""\s*<\?xml[^>]*?encoding\s*=\s*(["'])([A-Za-z0-9._-]+)\1""")
_DECLARED = re.compile(r"^\s*<\?xml[^>]*\?>")
_PROJECT = re.compile(rb"<(?:[\w.-]+:)?Project[\s>]")
_SCANNED = 1 << 20


class _HeadRead(Exception):
    """The head of the file has been read."""


def peek(path: Path) -> tuple[str | None, str | None]:
    """Return the plan's GUID and its status date from the head of the file, None where it has none.

    Raises `SourceDataError` for a document that is not MSPDI, not XML, or that carries a DTD.
    """
    parser = expat.ParserCreate(namespace_separator="}")
    parser.buffer_text = True
    state = {"GUID": "", "StatusDate": ""}
    depth = 0
    name = ""

    def start(tag: str, _: object) -> None:
        nonlocal depth, name
        depth += 1
        name = tag.rpartition("}")[2]
        if depth == 1 and name != "Project":
            raise SourceDataError(
                tr(
                    "{name} is XML but not a Microsoft Project plan (its root is {element}).",
                    name=path.name,
                    element=name,
                )
            )
        if depth == 1 and not tag.startswith("http://schemas.microsoft.com/project"):
            raise SourceDataError(
                tr(
                    "{name} is not Microsoft Project XML (MSPDI): export it from Microsoft Project as XML.",
                    name=path.name,
                )
            )
        if depth == 2 and name in {"Calendars", "Tasks", "Resources"}:
            raise _HeadRead

    def end(_: str) -> None:
        nonlocal depth
        depth -= 1

    def text(data: str) -> None:
        if depth == 2 and name in state:
            state[name] += data

    def doctype(*_: object) -> None:
        raise SourceDataError(
            tr(
                "{name} carries a DTD, which Microsoft Project never writes: it is refused for safety.",
                name=path.name,
            )
        )

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text
    parser.StartDoctypeDeclHandler = doctype
    try:
        with opened(path) as file:
            for _ in range(_HEAD_LIMIT // 65536):
                block = file.read(65536)
                parser.Parse(block, not block)
                if not block:
                    break
    except _HeadRead:
        pass
    except expat.ExpatError as exc:
        raise broken(path, exc) from exc
    except OSError as exc:
        raise unreadable(path, exc) from exc
    return guid_of(state["GUID"]), when(state["StatusDate"].strip())


def guid_of(text: str | None) -> str | None:
    """Return a GUID as the hub writes it; None for one that is none, or of noughts alone."""
    guid = (text or "").strip("{} \n").lower()
    is_one = re.fullmatch(r"[0-9a-f-]{36}", guid) and set(guid) - set("0-")
    return guid if is_one else None


def holds_plans(path: Path) -> bool:
    """Say whether a file holds plans that were inserted into its own.

    Raises `SourceDataError` for an encoding that nobody knows.
    """
    count, rest = 0, b""
    try:
        with opened(path) as file:
            while block := file.read(_SCANNED):
                text = rest + block.replace(b"\0", b"")  # UTF-16 reads alike without its noughts
                count += len(_PROJECT.findall(text))
                if count > 1:
                    return True
                rest = text[text.rfind(b"<", -100) :] if b"<" in text[-100:] else b""
                rest = b"" if _PROJECT.match(rest) else rest
    except OSError as exc:
        raise unreadable(path, exc) from exc
    return False


def broken(path: Path, exc: expat.ExpatError | ET.ParseError) -> SourceDataError:
    """Return what is said of a file that is no whole XML."""
    if path.stat().st_size == 0:
        return SourceDataError(
            tr("{name} is empty: it is still being written, or the export failed.", name=path.name)
        )
    return SourceDataError(
        tr(
            "{name} is not complete XML ({error}): it is half-written or damaged. Export it "
            "again; the next run takes it.",
            name=path.name,
            error=exc,
        )
    )


def unreadable(path: Path, exc: OSError) -> SourceDataError:
    """Return what is said of a file that the system does not open."""
    return SourceDataError(
        tr(
            "{name} cannot be opened ({reason}): close the program that has it open, or give the "
            "right to read it.",
            name=path.name,
            reason=exc.strerror,
        )
    )


def opened(path: Path) -> IO[bytes]:
    """Open a document whose encoding expat knows; another one that Python knows is turned into UTF-8.

    Raises `SourceDataError` for an encoding that nobody knows, or that the file is not in.
    """
    file = path.open("rb")
    head = file.read(_DECLARATION)
    file.seek(0)
    match = _ENCODING.match(head)
    name = match[2].decode("ascii") if match else "utf-8"
    try:
        known = codecs.lookup(name).name
        if match is None or known in {"utf-8", "utf-16", "ascii", "iso8859-1"}:
            return file
        with file:
            text = file.read().decode(known)
    except (LookupError, UnicodeDecodeError) as exc:
        file.close()
        raise SourceDataError(
            tr(
                "{name} says it is written in {encoding}, and is not: {error}.",
                name=path.name,
                encoding=name,
                error=exc,
            )
        ) from exc
    return io.BytesIO(_DECLARED.sub("", text, count=1).encode())


def tree_builder(file: IO[bytes]) -> ET.TreeBuilder:
    """Return the builder of a tree in Project's own namespace.

    Microsoft's published schema names another one than the program writes: its elements are the same.
    """
    head = file.read(_HEAD_BYTES)
    file.seek(0)
    plain = head.replace(b"\0", b"")
    match = re.search(
        rb"""xmlns(?::\w+)?\s*=\s*["']http://schemas\.microsoft\.com/project([^"']*)["']""", plain
    )
    return ET.TreeBuilder() if match is None or not match[1] else _Renaming()


class _Renaming(ET.TreeBuilder):
    """A builder that puts every element into Project's own namespace."""

    def start(self, tag: str, attrs: dict[Any, Any], /) -> ET.Element:
        """Open an element."""
        return super().start(tag if tag == "document" else NS + tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> ET.Element:
        """Close it."""
        return super().end(tag if tag == "document" else NS + tag.rpartition("}")[2])
