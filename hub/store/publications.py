"""What was delivered where: each delivery is noted here, and asked for by those that follow."""

from __future__ import annotations

from typing import Any

from hub.store.store import Store, utc_now


def note(store: Store, destination: str, feed_id: str, state: str, *, detail: str | None = None) -> None:
    """Note how the delivery of a feed to *destination* stands: ``started``, ``published``, ``failed``."""
    finished = None if state == "started" else utc_now()
    with store.transaction():
        store.connection.execute(
            "INSERT INTO publication VALUES (?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (destination, feed_id) DO UPDATE SET "
            "state = excluded.state, finished_at = excluded.finished_at, detail = excluded.detail",
            (destination, feed_id, state, utc_now(), finished, store.door.text(detail) if detail else None),
        )


def last_published(store: Store, destination: str) -> str | None:
    """Return the id of the last feed that *destination* was given, or None."""
    rows = store.rows(
        "SELECT feed_id FROM publication WHERE destination = ? AND state = 'published' "
        "ORDER BY started_at DESC LIMIT 1",
        (destination,),
    )
    return str(rows[0]["feed_id"]) if rows else None


def in_use(store: Store) -> set[str]:
    """Return the ids of the feeds that destinations have: the last one of each."""
    return {
        row["feed_id"]
        for row in store.rows(
            "SELECT feed_id FROM (SELECT feed_id, row_number() OVER (PARTITION BY destination "
            "ORDER BY started_at DESC, feed_id) AS place FROM publication WHERE state = 'published') p "
            "WHERE place = 1"
        )
    }


def places(store: Store) -> list[dict[str, Any]]:
    """Return every place that feeds were delivered to: destination, detail, and the last time at which."""
    return store.rows(
        "SELECT destination, max(coalesce(finished_at, started_at)) AS at, detail FROM publication "
        "WHERE state = 'published' GROUP BY destination, detail ORDER BY 1, 2"
    )
