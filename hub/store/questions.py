"""What journeys and commands ask the store, in its own words; each question is written once, here."""

from __future__ import annotations

from typing import Any

from hub.records import BY_TABLE
from hub.store.store import Store, utc_now


def sources(store: Store) -> list[dict[str, Any]]:
    """Return every source that ever ran: id, kind and freshness_max_s."""
    return store.rows("SELECT id, kind, freshness_max_s FROM source ORDER BY id")


def publications(store: Store) -> list[dict[str, Any]]:
    """Return the last delivery to each destination: destination, feed_id, state, at and detail."""
    return store.rows(
        "SELECT destination, feed_id, state, max(coalesce(finished_at, started_at)) AS at, detail "
        "FROM publication GROUP BY destination ORDER BY destination"
    )


def sizes(store: Store) -> list[dict[str, Any]]:
    """Return table, rows, not_present and history (older images) of every table of records."""
    found = []
    for name in BY_TABLE:
        (now,) = store.rows(
            f"SELECT count(*) AS n, coalesce(sum(presence <> 'present'), 0) AS away FROM {name}"
        )
        (past,) = store.rows(f"SELECT count(*) AS n FROM {name}_history")
        found.append({"table": name, "rows": now["n"], "not_present": now["away"], "history": past["n"]})
    return found


def schema(store: Store) -> list[str]:
    """Return the names of the migrations that made this store, oldest first."""
    return [row["name"] for row in store.rows("SELECT name FROM _sqlite_migrations ORDER BY id")]


def announced(store: Store) -> dict[str, str]:
    """Return the state that was last announced of each subject."""
    return {row["subject"]: row["state"] for row in store.rows("SELECT subject, state FROM notice")}


def remember_announced(store: Store, states: dict[str, str]) -> None:
    """Keep what was announced now."""
    with store.transaction():
        store.connection.executemany(
            "INSERT INTO notice VALUES (?, ?, ?) "
            "ON CONFLICT (subject) DO UPDATE SET state = excluded.state, at = excluded.at",
            [(subject, state, utc_now()) for subject, state in states.items()],
        )
