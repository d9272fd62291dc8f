"""What makes two stores equal, and the laws every store keeps."""

from __future__ import annotations

from typing import Any

from hub.records import RECORDS, columns
from hub.store import Store


def store_image(store: Store) -> dict[str, list[tuple[Any, ...]]]:
    """Return what a store knows, ordered by id.

    Equality of stores ignores `key`, `recorded_at`, `run_id` and `sync_run`: they tell how it was learnt, not
    what.
    """
    image = {}
    for record in RECORDS:
        names = ", ".join((*columns(record), "source_id", "presence", "presence_evidence"))
        image[record.table] = [
            tuple(row.values()) for row in store.rows(f"SELECT {names} FROM {record.table} ORDER BY id")
        ]
    image["cursor"] = [
        tuple(row.values())
        for row in store.rows(
            "SELECT source_id, partition, value FROM cursor "
            "WHERE partition NOT LIKE '\\_\\_%' ESCAPE '\\' ORDER BY 1, 2"
        )
    ]
    return image
