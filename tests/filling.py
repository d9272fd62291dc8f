"""Fill a store as sources would, and ask a feed built from it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hub.feed import BuildOptions, build, open_feed
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


def ask(store: Store, tmp_path: Path, sql: str, **options: Any) -> list[tuple[Any, ...]]:
    """Build a feed now and give the rows of *sql* on it."""
    feed = open_feed(build(Path(store.where), tmp_path / "feed", BuildOptions(**options)).folder)
    try:
        return feed.execute(sql).fetchall()
    finally:
        feed.close()
