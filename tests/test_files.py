"""Files as sources find them."""

from __future__ import annotations

from pathlib import Path

import pytest

from hub.errors import SourceDataError
from hub.files import FileState, matching_files, relative_name, write_atomically


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
