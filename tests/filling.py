"""Fill a store as sources would, and ask a feed built from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.feed import BuildOptions, build, open_feed
from hub.feed.fields import fields_in_use
from hub.records import Record
from hub.store import Store


def fill(store: Store, *groups: list[Record], seconds_per_day: int = 25200) -> None:
    """Write the records, one complete run a source and group."""
    for group in groups:
        for source in dict.fromkeys(record.id.partition(":")[0] for record in group):
            store.register_source(
                source,
                kind="test",
                base_url=None,
                tz="UTC",
                seconds_per_day=seconds_per_day,
                freshness_max_s=3600,
            )
            run = store.begin_run(source, "full")
            store.write_batch(
                [record for record in group if record.id.startswith(f"{source}:")],
                run_id=run,
                source_id=source,
            )
            store.end_run(run, "ok")


_built: dict[tuple[Any, ...], Path] = {}


def ask(store: Store, tmp_path: Path, sql: str, **options: Any) -> list[tuple[Any, ...]]:
    """Give the rows of *sql* on a feed of what the store holds now, built for the first question about it."""
    changes = getattr(store.connection, "total_changes", None)  # a server counts none
    of = (store.where, changes, tuple(sorted(options.items())))
    if changes is None or of not in _built:
        _built[of] = build(store.engine, tmp_path / "feed", BuildOptions(**options)).folder
    return ask_feed(_built[of], sql)


_opened: dict[tuple[Any, ...], Any] = {}


def ask_feed(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Give the rows of *sql* on the feed in *folder*, which stays open until another one is asked."""
    of = (folder, fields_in_use())
    if of not in _opened:
        while _opened:
            _opened.popitem()[1].close()
        _opened[of] = open_feed(folder)
    rows: list[tuple[Any, ...]] = _opened[of].execute(sql).fetchall()
    return rows
