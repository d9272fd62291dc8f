"""Files as sources see them.

Found by folder or glob, skipped when unchanged, caught when they change while read.
"""

from __future__ import annotations

import codecs
import contextlib
import errno
import glob
import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import msgspec

from hub.errors import DeliveryError, HubError, SourceDataError
from hub.words import tr

FORMULA_STARTS = "=+@\t\r-"
"""A spreadsheet runs a text that begins with one of these, unless an apostrophe stands before it (OWASP)."""


_WAITS_S = (0.1, 0.2, 0.4, 0.8)
"""How long a file that another program has open is waited for, try by try."""


class FileState(msgspec.Struct, frozen=True, kw_only=True):
    """What tells one content of a file from another: bytes, modification time in ns, sha256 in hex."""

    size: int
    mtime_ns: int
    sha256: str

    @classmethod
    def of(cls, path: Path) -> FileState:
        """Read the whole of *path* once. Raises `SourceDataError` when it cannot be opened."""
        try:
            before = path.stat()
            digest = hashlib.sha256()
            with path.open("rb") as file:
                while block := file.read(1 << 20):
                    digest.update(block)
            after = path.stat()
        except PermissionError as exc:
            raise SourceDataError(
                tr(
                    "{name} cannot be opened: it is locked by another program or this account may not "
                    "read it. Close it, or give the right to read it.",
                    name=storable(path.name),
                )
            ) from exc
        except OSError as exc:
            raise SourceDataError(
                tr("{name} cannot be read: {reason}.", name=storable(path.name), reason=exc.strerror)
            ) from exc
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise SourceDataError(
                tr(
                    "{name} was being written while it was read; the next run takes it.",
                    name=storable(path.name),
                )
            )
        return cls(size=after.st_size, mtime_ns=after.st_mtime_ns, sha256=digest.hexdigest())

    @classmethod
    def of_cursor(cls, cursor: Any) -> FileState | None:
        """Return the state kept in a *cursor*, or None."""
        try:
            return cls(size=cursor["size"], mtime_ns=cursor["mtime_ns"], sha256=cursor["sha256"])
        except (KeyError, TypeError):
            return None

    def looks_unchanged(self, path: Path) -> bool:
        """Say whether size and time are still the same, without opening the file."""
        with contextlib.suppress(OSError):
            now = path.stat()
            return (now.st_size, now.st_mtime_ns) == (self.size, self.mtime_ns)
        return False

    def verify(self, path: Path) -> None:
        """Raise `SourceDataError` when *path* changed since this state was taken."""
        if not self.looks_unchanged(path):
            raise SourceDataError(
                tr(
                    "{name} changed while it was read; nothing of it was kept, the next run takes it.",
                    name=storable(path.name),
                )
            )


def matching_files(base: Path, pattern: str, suffixes: tuple[str, ...]) -> list[Path]:
    """Return the files of a folder or glob, sorted.

    *pattern* starts at *base*, *suffixes* are lower case with the dot. Lock files of Office (``~$…``) and
    hidden files are left out. A folder is read without its subfolders. A link to nothing is among them: who
    opens it is told.
    """
    place = base / pattern
    if place.is_file():
        found: Iterable[Path] = [place]  # a name may hold brackets, which are no pattern then
    elif place.is_dir():
        found = place.iterdir()
    else:
        found = (Path(p) for p in glob.glob(str(place), recursive=True))
    return sorted(
        path
        for path in found
        if path.suffix.lower() in suffixes and not path.name.startswith(("~", ".")) and _is_there(path)
    )


def _is_there(path: Path) -> bool:
    try:
        return path.is_file() or (path.is_symlink() and not path.exists())
    except (OSError, RuntimeError):  # a link to itself
        return True


def relative_name(path: Path, base: Path) -> str:
    """Return *path* from *base* with forward slashes, the same on every system and in every locale."""
    try:
        found = path.resolve()
    except (OSError, RuntimeError):  # a link to itself
        found = path.absolute()
    try:
        name = found.relative_to(base.resolve()).as_posix()
    except ValueError:
        name = found.as_posix()
    return storable(name)


def safe_cell(value: Any) -> Any:
    """Return a cell that no spreadsheet runs: a text that begins like a formula gets an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.startswith(tuple(FORMULA_STARTS)) else value


def text_as_written(raw: bytes) -> str:
    """Return a text as editors, spreadsheets and shells write it.

    In UTF-8 with its mark or without, in UTF-16 with its mark (PowerShell's `>`, "Unicode text" of Excel),
    else in Windows-1252. Raises `UnicodeDecodeError` for what is none of them, and for UTF-8 that is cut off.
    """
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return raw.decode("utf-16")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        if "end of data" in exc.reason and not exc.object[: exc.start].isascii():
            raise
        return raw.decode("cp1252")


def read_as_written(path: Path, error: type[HubError]) -> str:
    """Return the text of a CSV file that a person keeps; raises *error* where it cannot be read."""
    try:
        return text_as_written(path.read_bytes())
    except OSError as exc:
        raise error(
            tr(
                "{name} cannot be read: {reason}. Close it in Excel, then try again.",
                name=path.name,
                reason=exc.strerror,
            )
        ) from exc
    except UnicodeDecodeError as exc:
        raise error(
            tr(
                "{name} is no text that can be read (byte {start}): save it as CSV UTF-8.",
                name=path.name,
                start=exc.start,
            )
        ) from exc


def storable(text: str) -> str:
    """Return *text* as it can be kept and sent.

    Bytes of a file's name that this locale cannot read are read as UTF-8, or told by their number.
    """
    try:
        return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    except UnicodeEncodeError:  # half of a pair, which no file's name is made of
        return text.encode("utf-8", "backslashreplace").decode("utf-8")


@contextlib.contextmanager
def write_atomically(path: Path, *, mode: int = 0o600) -> Iterator[IO[bytes]]:
    """Open a new file beside *path* that takes its place, complete, when the block ends well."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.chmod(name, mode)
        replace(Path(name), path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def replace(fresh: Path, place: Path) -> None:
    """Let *fresh* take the place of *place*, with some patience for who has it open. Raises OSError.

    On Windows a virus scanner or an indexer holds a file for a moment, Excel as long as it shows it.
    """
    for wait in _WAITS_S:
        try:
            return os.replace(fresh, place)
        except PermissionError:
            time.sleep(wait)
    return os.replace(fresh, place)


def replace_folder(place: Path, fresh: Path) -> None:
    """Let the folder *fresh* take the place of *place*; if that fails half-way the old one is put back.

    Where somebody has a file of *place* open, so that the folder cannot be moved, its files are replaced one
    by one. Raises OSError, and `DeliveryError` naming the files that are open and stay as they were, when
    all others are new.
    """
    old = _aside(place)
    if place.exists():
        try:
            replace(place, old)
        except PermissionError:
            return _replace_files(place, fresh)
    try:
        replace(fresh, place)
    except OSError:
        if old.exists():
            os.replace(old, place)
        raise
    shutil.rmtree(old, ignore_errors=True)
    return None


def _replace_files(place: Path, fresh: Path) -> None:
    held: list[str] = []
    brought = {path.relative_to(fresh) for path in fresh.rglob("*") if path.is_file()}
    for name in sorted(brought):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        try:
            # the first one that is open is waited for; who has that open will not close the others meanwhile
            (os.replace if held else replace)(fresh / name, place / name)
        except PermissionError:
            held.append(name.as_posix())
    if len(held) == len(brought):  # it is not one file that is open: nothing here may be replaced
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(place))
    for path in sorted(place.rglob("*"), reverse=True):
        with contextlib.suppress(OSError):
            if path.is_dir():
                path.rmdir()  # where nothing is left in it
            elif path.relative_to(place) not in brought:
                path.unlink()
    shutil.rmtree(fresh, ignore_errors=True)
    if held:
        raise DeliveryError(
            tr(
                "{names}: open in another program, so that it stays as it was; everything else in {place} "
                "is new. Close it and publish again.",
                names=", ".join(held),
                place=place,
            )
        )


def mend_folder(place: Path) -> None:
    """Finish what an interrupted `replace_folder` left.

    Put the old folder back, remove half-written ones (``.….new`` beside it).
    """
    old = _aside(place)
    if old.exists():
        if place.exists():
            shutil.rmtree(old, ignore_errors=True)
        else:
            os.replace(old, place)
    for path in place.parent.glob(".*.new"):
        shutil.rmtree(path, ignore_errors=True)


def _aside(place: Path) -> Path:
    return place.with_name(f".{place.name}.old")
