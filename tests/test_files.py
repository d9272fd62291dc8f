"""Files as sources find them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from hub import files
from hub.errors import DeliveryError, SourceDataError
from hub.files import FileState, matching_files, relative_name, replace_folder, write_atomically


def test_folders_globs_and_names(tmp_path: Path) -> None:
    """A folder, a glob, a recursive glob and a name with brackets; Office's lock files are left out."""
    (tmp_path / "sub").mkdir()
    for name in ("a.csv", "B.CSV", "[1] b.csv", "~$a.csv", ".hidden.csv", "c.txt", "sub/d.csv"):
        (tmp_path / name).touch()

    def found(pattern: str) -> list[str]:
        return [relative_name(path, tmp_path) for path in matching_files(tmp_path, pattern, (".csv",))]

    assert ["B.CSV", "[1] b.csv", "a.csv"] == found(".")
    assert ["a.csv"] == found("a*")
    assert ["[1] b.csv"] == found("[1] b.csv")
    assert {"a.csv", "B.CSV", "[1] b.csv", "sub/d.csv"} == set(found("**/*"))
    assert [] == found("nothing/*")


def test_a_state_knows_its_file(tmp_path: Path) -> None:
    """Size, time and content; a change is caught, a missing file is named."""
    path = tmp_path / "a"
    path.write_text("one")
    state = FileState.of(path)
    state.verify(path)
    path.write_text("three")

    assert not state.looks_unchanged(path)
    assert state == FileState.of_cursor(
        {"size": 3, "mtime_ns": state.mtime_ns, "sha256": state.sha256, "more": 1}
    )
    assert FileState.of_cursor({"size": 3}) is None
    with pytest.raises(SourceDataError, match="a changed while it was read"):
        state.verify(path)
    with pytest.raises(SourceDataError, match="nope cannot be read"):
        FileState.of(tmp_path / "nope")


def test_writing_is_whole_or_not_at_all(tmp_path: Path) -> None:
    """A writer that fails leaves the old file and nothing else."""
    path = tmp_path / "deep" / "a"
    with write_atomically(path) as file:
        file.write(b"old")

    def fail() -> None:
        with write_atomically(path) as file:
            file.write(b"new")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()

    assert b"old" == path.read_bytes()
    assert 0o600 == path.stat().st_mode & 0o777
    assert ["a"] == [p.name for p in path.parent.iterdir()]


def held_open(monkeypatch: pytest.MonkeyPatch, place: Path, *, tries: int = 1000) -> list[str]:
    """Let *place* be open in Excel for so many *tries*: Windows moves neither it nor a folder above it."""
    said: list[str] = []
    plain = os.replace

    def windows(source: Any, target: Any) -> None:
        for one in (Path(source), Path(target)):
            if place == one or (one in place.parents and one.exists()):
                said.append(one.name)
                if len(said) <= tries:
                    raise PermissionError(13, "The process cannot access the file", str(one), 32)
        plain(source, target)

    monkeypatch.setattr(os, "replace", windows)
    monkeypatch.setattr(files.time, "sleep", lambda seconds: None)
    return said


def two_folders(tmp_path: Path) -> tuple[Path, Path]:
    place, fresh = tmp_path / "latest", tmp_path / ".new"
    for folder, word in ((place, "old"), (fresh, "new")):
        (folder / "csv").mkdir(parents=True)
        for name in ("book.xlsx", "csv/a.csv"):
            (folder / name).write_text(word)
    (place / "csv" / "gone.csv").write_text("old")
    return place, fresh


def test_a_file_that_is_open_for_a_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a virus scanner holds is asked for again: the folder is replaced whole."""
    place, fresh = two_folders(tmp_path)
    said = held_open(monkeypatch, place / "book.xlsx", tries=2)
    replace_folder(place, fresh)

    assert len(said) > 2
    assert {"book.xlsx": "new", "csv/a.csv": "new"} == {
        path.relative_to(place).as_posix(): path.read_text() for path in place.rglob("*.*")
    }
    assert [place] == list(tmp_path.iterdir())


def test_a_file_that_stays_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A workbook that somebody has open all night keeps only itself from being replaced, and is named."""
    place, fresh = two_folders(tmp_path)
    held_open(monkeypatch, place / "book.xlsx")
    with pytest.raises(DeliveryError, match=r"book\.xlsx: open in another program.*everything else"):
        replace_folder(place, fresh)

    assert {"book.xlsx": "old", "csv/a.csv": "new"} == {
        path.relative_to(place).as_posix(): path.read_text() for path in place.rglob("*.*")
    }


def test_one_file_that_is_open(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A single file is tried again, then the reason is told and the old one stays whole."""
    path = tmp_path / "state.json"
    path.write_text("old")
    said = held_open(monkeypatch, path)
    with pytest.raises(PermissionError), write_atomically(path) as file:
        file.write(b"new")

    assert len(said) > 3
    assert ("old", [path]) == (path.read_text(), list(tmp_path.iterdir()))
