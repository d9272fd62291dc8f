"""One feed for many runs: for tests of what is told about a run, and not of what stands in its feed."""

from __future__ import annotations

import functools
import secrets
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hub import clock
from hub.feed import BuildOptions, Snapshot
from hub.feed.build import save_manifest
from hub.publish import publishing
from hub.store.engines import StoreAt, engine_of


@functools.cache
def _kept(folder: Path, key: tuple[Any, ...]) -> list[Snapshot]:
    """Return the feed that was built of such a store, once there is one."""
    return []


def _key(store: StoreAt, options: BuildOptions) -> tuple[Any, ...]:
    """Return what the gate holds a feed against, so that no feed of another store is given."""
    path = engine_of(store).path
    assert path is not None
    with closing(sqlite3.connect(path)) as connection:
        hours = connection.execute(
            "SELECT source_id, presence, count(*), sum(seconds) FROM worklog GROUP BY 1, 2 ORDER BY 1, 2"
        ).fetchall()
        (rejected,) = connection.execute("SELECT count(*) FROM rejection").fetchone()
    return (options.lang, options.as_of, options.cuts, tuple(hours), rejected)


@pytest.fixture(scope="module")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the feeds of a module are kept."""
    return tmp_path_factory.mktemp("feeds")


@pytest.fixture
def one_feed(feeds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let each run after the first publish a copy of the feed that was built of such a store."""
    real = publishing.build

    def build(store: StoreAt, root: Path, options: BuildOptions, *, now: Any = None) -> Snapshot:
        kept = _kept(feeds, _key(store, options))
        if not kept:
            made = real(store, root, options, now=now)
            kept.append(msgspec.structs.replace(made, folder=feeds / made.feed_id))
            shutil.copytree(made.folder, feeds / made.feed_id)
            return made
        moment = now or clock.now()
        feed_id = f"{moment:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
        folder = root / feed_id
        shutil.copytree(kept[0].folder, folder)
        manifest = kept[0].manifest | {
            "feed_id": feed_id,
            "built_at": f"{moment:%Y-%m-%dT%H:%M:%SZ}",
            "moment": options.as_of or f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
            "as_of": options.as_of or f"{moment:%Y-%m-%dT%H:%M:%S.%fZ}",
        }
        save_manifest(folder, manifest)
        return msgspec.structs.replace(kept[0], feed_id=feed_id, folder=folder, manifest=manifest)

    monkeypatch.setattr(publishing, "build", build)
