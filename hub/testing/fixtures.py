"""A store, a source that plays a script, and the command line as a person runs it."""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib.metadata
import io
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

import msgspec
import pytest

from hub.context import Context
from hub.destination import FeedView
from hub.feed import BuildOptions, changes, load_manifest, model, open_feed
from hub.feed.build import table_glob
from hub.publish import PublishOptions, publish
from hub.records import RECORDS, Record
from hub.source import Batch, Census, Check, Partition, Source
from hub.store import Store
from hub.sync import Options, SourceReport, sync
from hub.testing.empty import store_at


class HubResult(msgspec.Struct, frozen=True, kw_only=True):
    """How one run of the command line ended."""

    exit_code: int
    output: str
    error: str


class ScriptedSource(Source, frozen=True, kw_only=True):
    """A source that plays *script*: partition id to a function giving its batches from a cursor."""

    kind: ClassVar[str] = "scripted"
    provides: ClassVar[tuple[type[Record], ...]] = RECORDS
    census_every_hours: ClassVar[float] = 0.0

    script: dict[str, Callable[[Any], Iterable[Batch]]] = msgspec.field(default_factory=dict)
    partitions: tuple[Partition, ...] = ()
    exists: Callable[[], Iterable[Census]] | None = None

    def check(self, ctx: Context) -> Iterable[Check]:
        """Say ok."""
        return [Check(name="script", state="ok", detail=f"{len(self.script)} partitions")]

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return the partitions given, or one plain one per line of the script."""
        return self.partitions or [Partition(id=name) for name in self.script]

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Play the partition's part."""
        return self.script[partition.id](cursor)

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        """Return what *exists* says."""
        return self.exists() if self.exists else ()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Return an empty store in a file of its own."""
    with store_at(tmp_path / "hub.db") as opened:
        yield opened


@pytest.fixture
def hub_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return an empty folder with config/, and work in it."""
    (tmp_path / "config").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HUB_CONFIG", raising=False)
    return tmp_path


@pytest.fixture
def run_hub(hub_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., HubResult]:
    """Return a function that runs ``hub …`` in `hub_folder` and tells exit code, output and error output."""
    # by its entry point, as a person's shell finds it
    (entry,) = importlib.metadata.entry_points(group="console_scripts", name="hub")
    main = entry.load()

    def run(*arguments: str, stdin: str = "") -> HubResult:
        out, err = io.StringIO(), io.StringIO()
        monkeypatch.setattr("sys.argv", ["hub", *arguments])
        monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main()
                code = 0
            except SystemExit as exc:
                code = exc.code if isinstance(exc.code, int) else 1
        return HubResult(exit_code=code, output=out.getvalue(), error=err.getvalue())

    return run


def sync_once(store: Store, *sources: Source, **options: Any) -> SourceReport:
    """Sync *sources* into *store* and return the report of the first."""
    base = options.pop("base", (store.engine.path or Path()).parent)
    return sync(store, list(sources), Options(base=base, **options)).sources[0]


@contextlib.contextmanager
def feed_view(store: Store, base: Path, *, lang: Literal["en", "fr"] = "en") -> Iterator[FeedView]:
    """Build the nominative feed of *store* below *base*.

    It is shown as a destination sees one at its first delivery.
    """
    report = publish(
        store, base / "feed", [], PublishOptions(base=base, build=BuildOptions(lang=lang), force="a test")
    )
    with view_of(Path(report.folder), lang=lang) as view:
        yield view


@functools.cache
def kept_feed(fill: Callable[..., None], *arguments: Any, lang: Literal["en", "fr"] = "en") -> Path:
    """Build the nominative feed of what *fill*(store, *arguments*) writes, and return its folder.

    Once for all tests.
    """
    base = Path(tempfile.mkdtemp(prefix="pm-hub-test-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    with store_at(base / "hub.db") as filled:
        fill(filled, *arguments)
        with feed_view(filled, base, lang=lang) as feed:
            return feed.folder


@contextlib.contextmanager
def view_of(folder: Path, *, lang: Literal["en", "fr"] = "en") -> Iterator[FeedView]:
    """Show the feed in *folder* as a destination sees one at its first delivery."""
    connection = open_feed(folder)
    try:
        yield FeedView(
            feed_id=folder.name,
            folder=folder,
            manifest=load_manifest(folder),
            tables={name: table_glob(folder, name) for name in model().tables},
            lang=lang,
            connection=connection,
            changes=lambda table: changes(connection, table, folder, None),
        )
    finally:
        connection.close()
