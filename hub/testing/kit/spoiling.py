"""The fault machine for files: spoil a folder while a source reads it.

Nothing is put back: the next sync writes anew.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

FileFault = Callable[[Path], AbstractContextManager[None]]
"""Gets the folder; the fault lasts while the context is open."""

_watchers: list[Callable[[str, tuple[Any, ...]], None]] = []
_installed: list[bool] = []


@contextmanager
def watching(watcher: Callable[[str, tuple[Any, ...]], None]) -> Iterator[None]:
    """Call *watcher* with every audit event of the interpreter.

    What it raises, the caller of the event gets.
    """
    if not _installed:
        _installed.append(True)

        def hook(event: str, arguments: tuple[Any, ...]) -> None:
            for one in tuple(_watchers):
                one(event, arguments)

        sys.addaudithook(hook)  # a hook cannot be taken out again: one, which is quiet without watchers
    _watchers.append(watcher)
    try:
        yield
    finally:
        _watchers.remove(watcher)


def _inside(folder: Path, value: Any) -> Path | None:
    if isinstance(value, (str, os.PathLike)):
        path = Path(value)
        if path.parent == folder:
            return path
    return None


def files_of(folder: Path) -> list[Path]:
    """Return the files of *folder*, sorted."""
    return sorted(path for path in folder.iterdir() if path.is_file())


def content(change: Callable[[bytes], bytes], *, at: int | None = None) -> FileFault:
    """Change the content of every file, or only of the *at*-th."""

    @contextmanager
    def fault(folder: Path) -> Iterator[None]:
        for number, path in enumerate(files_of(folder)):
            if at is None or number == at:
                path.write_bytes(change(path.read_bytes()))
        yield

    return fault


def locked(at: int) -> FileFault:
    """Let another program hold the *at*-th file: it cannot be opened."""

    @contextmanager
    def fault(folder: Path) -> Iterator[None]:
        held = files_of(folder)[at]

        def watcher(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open" and _inside(folder, arguments[0]) == held:
                raise PermissionError(13, "Permission denied")

        with watching(watcher):
            yield

    return fault


def written_meanwhile(opening: int, after: Callable[[], dict[str, bytes]]) -> FileFault:
    """Write the files that *after* returns just before a file is opened for the *opening*-th time."""

    @contextmanager
    def fault(folder: Path) -> Iterator[None]:
        seen = [0]

        def watcher(event: str, arguments: tuple[Any, ...]) -> None:
            if event == "open" and _inside(folder, arguments[0]) and seen[0] >= 0:
                seen[0] += 1
                if seen[0] == opening:
                    seen[0] = -1
                    for name, new in after().items():
                        (folder / name).write_bytes(new)

        with watching(watcher):
            yield

    return fault


def vanished(at: int | None = None) -> FileFault:
    """Take the *at*-th file away, or all of them."""

    @contextmanager
    def fault(folder: Path) -> Iterator[None]:
        for number, path in enumerate(files_of(folder)):
            if at is None or number == at:
                path.unlink()
        yield

    return fault


def copied(at: int) -> FileFault:
    """Lay a copy of the *at*-th file beside it, as mail programs and people do."""

    @contextmanager
    def fault(folder: Path) -> Iterator[None]:
        path = files_of(folder)[at]
        shutil.copyfile(path, path.with_name(f"{path.stem} (1){path.suffix}"))
        yield

    return fault


def laid(name: str, body: bytes) -> FileFault:
    """Lay a file of yesterday in the folder."""

    @contextmanager
    def fault(folder: Path) -> Iterator[None]:
        path = folder / name
        path.write_bytes(body)
        then = path.stat().st_mtime - 86400
        os.utime(path, (then, then))
        yield

    return fault


def stray(names: dict[str, bytes]) -> FileFault:
    """Lay files in the folder that are not the source's."""

    @contextmanager
    def fault(folder: Path) -> Iterator[None]:
        for name, new in names.items():
            (folder / name).write_bytes(new)
        yield

    return fault
