"""The cuts that the store knows: what is asked of them, and how one is kept, closed and redacted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hub import clock
from hub.store.store import Store, utc_now


def listed(store: Store) -> list[dict[str, Any]]:
    """Return every cut as people see it, oldest first."""
    return store.rows("SELECT id, label, kind, as_of, taken_at, actor, closed_at FROM cut ORDER BY as_of, id")


def taken(store: Store, *, as_of: str | None = None) -> list[dict[str, Any]]:
    """Return the cuts taken up to *as_of* (None: all), oldest first, with the digest of a closed one."""
    return store.rows(
        "SELECT id, as_of, kind, label, closed_at, digest FROM cut "
        "WHERE ? IS NULL OR taken_at <= ? ORDER BY as_of, id",
        (as_of, as_of),
    )


def open_since(store: Store, *, days: int) -> list[str]:
    """Return the labels of the cuts taken *days* ago or earlier that are not closed, oldest first."""
    limit = (clock.now() - timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    rows = store.rows(
        "SELECT label FROM cut WHERE closed_at IS NULL AND taken_at <= ? ORDER BY as_of, id", (limit,)
    )
    return [row["label"] for row in rows]


def closed(store: Store) -> list[dict[str, Any]]:
    """Return id, label, digest and redacted_at of every closed cut, in the order they were taken."""
    return store.rows(
        "SELECT id, label, digest, redacted_at FROM cut WHERE closed_at IS NOT NULL ORDER BY id"
    )


def moment(store: Store, label: str) -> str | None:
    """Return the moment that the cut *label* shows, or None where there is no such cut."""
    rows = store.rows("SELECT as_of FROM cut WHERE label = ?", (label,))
    return str(rows[0]["as_of"]) if rows else None


def last_labels(store: Store) -> list[str]:
    """Return the labels of the last eight cuts, newest first."""
    return [row["label"] for row in store.rows("SELECT label FROM cut ORDER BY id DESC LIMIT 8")]


def add(store: Store, *, as_of: str, kind: str, label: str, taken_at: str, actor: str) -> int:
    """Keep a new cut and return its id; the caller holds the transaction."""
    (cut_id,) = store.connection.execute(
        "INSERT INTO cut (as_of, kind, label, taken_at, actor) VALUES (?, ?, ?, ?, ?) RETURNING id",
        (as_of, kind, label, taken_at, actor),
    ).fetchone()
    return int(cut_id)


def close(store: Store, cut_id: int, digest: str) -> None:
    """Note that a cut is closed, with the digest of its files; the caller holds the transaction."""
    store.connection.execute(
        "UPDATE cut SET closed_at = :now, redacted_at = :now, digest = :digest WHERE id = :id",
        {"now": utc_now(), "digest": digest, "id": cut_id},
    )


def redact(store: Store, cut_id: int, digest: str) -> None:
    """Note the digest of a closed cut without persons, and keep its first.

    The caller holds the transaction.
    """
    store.connection.execute(
        "UPDATE cut SET digest = ?, first_digest = coalesce(first_digest, digest), redacted_at = ? "
        "WHERE id = ?",
        (digest, utc_now(), cut_id),
    )
