"""A store that is lost or damaged, and a disk that fills while a feed is written.

Sentences, and nothing is forgotten or switched.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hub_files.destination import FilesDestination

from hub.feed import gate, open_feed
from hub.feed.build import SPILL
from hub.feed.stage import Staged
from hub.publish import current
from hub.testing import HubResult

Run = Callable[..., HubResult]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the folder of the first test that published stays, for the others to copy."""
    return tmp_path_factory.mktemp("published") / "kept"


@pytest.fixture
def published(hub_folder: Path, run_hub: Run, kept: Path) -> Path:
    """Publish a feed of a small portfolio; gives the store's file."""
    if kept.exists():
        shutil.copytree(kept, hub_folder, dirs_exist_ok=True)
        return hub_folder / "data" / "hub.db"
    (hub_folder / "config" / "hub.toml").write_text("", encoding="utf-8")
    lines = "".join(f"P{n};Project {n} {'x' * 200}\n" for n in range(300))
    (hub_folder / "config" / "projects.csv").write_text("code;name\n" + lines, encoding="utf-8")
    first = run_hub("run")

    assert 0 == first.exit_code, first.output + first.error
    shutil.copytree(hub_folder, kept)
    return hub_folder / "data" / "hub.db"


@pytest.mark.long
@pytest.mark.parametrize("state", ["missing", "empty"])
def test_a_store_that_is_gone_is_not_begun_anew(published: Path, run_hub: Run, state: str) -> None:
    """Cuts, seals and decisions would be forgotten without a word.

    Every command stops and says what to do.
    """
    for path in published.parent.glob("hub.db*"):
        path.unlink()
    if state == "empty":
        published.touch()
    results = [
        run_hub(*command) for command in (("sync",), ("run",), ("publish",), ("cut", "take", "--label", "X"))
    ]

    assert [1] * 4 == [one.exit_code for one in results]
    assert all(f"is {state}, but" in one.error for one in results)
    assert (state == "empty") == published.exists()


@pytest.mark.long
def test_begun_anew_on_purpose(published: Path, run_hub: Run) -> None:
    """Once the feed was moved away a new store is begun."""
    for path in published.parent.glob("hub.db*"):
        path.unlink()
    (published.parent / "feed").rename(published.parent / "old feed")

    assert 0 == run_hub("run").exit_code


def test_damage_is_named_before_a_publish(published: Path, run_hub: Run) -> None:
    """Pages that were overwritten do not become a feed that looks whole; the last good one stays."""
    feed = current(published.parent / "feed")
    run_hub("store", "info")
    raw = bytearray(published.read_bytes())
    for page in range(20, len(raw) // 4096 - 5, 7):
        raw[page * 4096 : page * 4096 + 2048] = b"\xff" * 2048
    published.write_bytes(raw)
    result = run_hub("publish")

    assert 1 == result.exit_code
    assert "damaged" in result.error or "not a readable SQLite database" in result.error
    assert feed == current(published.parent / "feed")


@pytest.mark.long
def test_a_disk_that_fills_while_publishing(
    published: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever file is the one that does not fit: a sentence, and readers keep the feed they have."""
    real, failed = os.fsync, 0
    for number in range(1, 50):
        count = 0

        def fsync(handle: int, number: int = number) -> None:
            nonlocal count
            count += 1
            if count == number:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(handle)

        before = current(published.parent / "feed")
        monkeypatch.setattr(os, "fsync", fsync)
        result = run_hub("publish")
        monkeypatch.undo()
        monkeypatch.chdir(published.parent.parent)
        if count < number:
            break
        failed += 1

        assert 1 == result.exit_code, (number, result.output)
        assert "No space left on device" in result.error
        assert before == current(published.parent / "feed")

    assert failed >= 2


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("SELECT md5(range::VARCHAR) AS a FROM range(3_000_000) ORDER BY a", "free space there"),
        ("SELECT list(md5(range::VARCHAR)) AS a FROM range(3_000_000)", "needs more memory"),
        # what DuckDB said on a disk of 80 MB that its own file had filled
        (
            "SELECT error('Could not write file \"feed.duckdb\": No space left on device') AS a",
            "is full: free",
        ),
    ],
)
def test_memory_that_is_spilled_to_a_full_disk_or_cannot_be(
    published: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch, query: str, said: str
) -> None:
    """What does not fit into memory goes to disk where it can; a sentence says which of the two ended."""
    folder = published.parent / "feed"
    before, resolve = current(folder), Staged.resolve

    def heavy(self: Staged, **how: Any) -> None:
        self.connection.execute("SET memory_limit = '30MB'; SET threads = 1")
        if "ORDER" in query:
            self.connection.execute("SET max_temp_directory_size = '1MB'")  # as a disk that has no more
        self.connection.execute(f"CREATE TABLE much AS {query}")
        resolve(self, **how)

    monkeypatch.setattr(Staged, "resolve", heavy)

    failed = run_hub("publish")

    assert failed.exit_code not in {0, None}
    assert said in failed.error
    assert "memory_mb in [engine]" in failed.error
    assert "Traceback" not in failed.output + failed.error
    assert before == current(folder)
    assert [] == [path.name for path in folder.iterdir() if path.name.startswith(".scratch")]


TOO_MUCH = "CREATE TEMP TABLE much AS SELECT list(md5(range::VARCHAR)) AS a FROM range(3_000_000)"
"""What 100 MB do not hold, and DuckDB cannot write out."""


@pytest.fixture
def narrow(published: Path) -> Path:
    """Allow 100 MB, and give the folder of the feeds."""
    config = published.parent.parent / "config" / "hub.toml"
    config.write_text("[engine]\nmemory_mb = 100\n", encoding="utf-8")
    return published.parent / "feed"


def test_a_feed_is_checked_in_the_memory_it_is_built_in(
    narrow: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that cannot be checked is nobody's, and the one before stays."""
    before, contract = current(narrow), gate._contract
    kept = sorted(path.name for path in narrow.iterdir())

    def heavy(snapshot: Any, feed: Any) -> Any:
        feed.execute(TOO_MUCH)
        return contract(snapshot, feed)

    monkeypatch.setattr(gate, "_contract", heavy)
    failed = run_hub("publish")

    assert failed.exit_code not in {0, None}
    assert "memory_mb in [engine]" in failed.error
    assert before == current(narrow)
    assert kept == sorted(path.name for path in narrow.iterdir())


def test_a_delivery_that_needs_more_memory_is_a_sentence_and_costs_itself(
    narrow: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Narrowed rows are made in the same memory, and another destination is delivered."""
    with (narrow.parent.parent / "config" / "hub.toml").open("a", encoding="utf-8") as config:
        config.write(
            '[destinations.heavy]\nkind = "files"\npath = "heavy"\nprivacy = "team-week"\n'
            '[destinations.light]\nkind = "files"\npath = "light"\nprivacy = "nominative-line"\n'
        )
    deliver = FilesDestination.deliver

    def heavy(self: FilesDestination, ctx: Any, view: Any) -> Any:
        if self.name == "heavy":
            view.connection.execute(TOO_MUCH)
        return deliver(self, ctx, view)

    monkeypatch.setattr(FilesDestination, "deliver", heavy)
    said = run_hub("publish")

    assert said.exit_code not in {0, None}
    assert "heavy: The feed needs more memory than memory_mb in [engine] allows" in said.output + said.error
    assert (narrow.parent.parent / "light").exists()
    assert not (narrow.parent.parent / "heavy" / "latest").exists()


def test_what_memory_does_not_hold_lies_beside_the_feed_for_nobody_else_to_read(
    published: Path, run_hub: Run
) -> None:
    """By itself DuckDB writes into the working directory, for everybody. A publish leaves readers theirs."""
    root = published.parent / "feed"
    folder = current(root)
    assert folder is not None
    with closing(open_feed(folder, memory_mb=100)) as feed:
        feed.execute("SET threads = 1")
        feed.execute("CREATE TABLE much AS SELECT range AS n, md5(range::VARCHAR) AS a FROM range(3_000_000)")
        spilled = [path for path in published.parent.parent.rglob("duckdb_temp_*") if path.stat().st_size]
        run_hub("publish")
        assert 3_000_000 == feed.execute("SELECT count(DISTINCT a) FROM much").fetchall()[0][0]

    assert spilled
    assert {root / SPILL} == {path.parent for path in spilled}
    assert not (root / SPILL).exists()


@pytest.mark.skipif(os.name != "posix", reason="Windows has no such rights")
def test_what_lies_beside_a_feed_that_others_may_read_is_still_nobody_elses(published: Path) -> None:
    """A feed that was copied to where everybody reads it is no reason to show what DuckDB holds."""
    folder = current(published.parent / "feed")
    assert folder is not None
    with tempfile.TemporaryDirectory() as place:
        shared = Path(place)
        shared.chmod(0o755)
        shutil.copytree(folder, shared / "feed")
        open_feed(shared / "feed").close()

        assert 0o700 == (shared / SPILL).stat().st_mode & 0o777
