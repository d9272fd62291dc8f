"""The sealed months that the store keeps: their lines, and what was corrected in them since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hub.store.store import Store


def is_sealed(store: Store, month: str) -> bool:
    """Say whether *month* is sealed."""
    return bool(store.rows("SELECT 1 FROM period_close WHERE month = ?", (month,)))


def seal(
    store: Store,
    month: str,
    lines: Sequence[tuple[Any, ...]],
    *,
    sealed_at: str,
    actor: str,
    digest: str,
    method: int,
) -> None:
    """Keep the *lines* of *month*, rows of ``period_line``, and who sealed it.

    The caller holds the transaction.
    """
    store.connection.executemany(f"INSERT INTO period_line VALUES ({', '.join('?' * 12)})", lines)
    store.connection.execute(
        "INSERT INTO period_close (month, sealed_at, actor, digest, method) VALUES (?, ?, ?, ?, ?)",
        (month, sealed_at, actor, digest, method),
    )


def add_correction(store: Store, values: dict[str, Any]) -> None:
    """Keep one correction of a sealed month, by the columns of ``period_variance``."""
    marks = ", ".join(f":{name}" for name in values)
    store.connection.execute(f"INSERT INTO period_variance ({', '.join(values)}) VALUES ({marks})", values)


def months(store: Store) -> list[dict[str, Any]]:
    """Return every sealed month with what it keeps."""
    return store.rows(
        "SELECT c.month, c.sealed_at, c.actor, count(l.row_id) AS lines, "
        "coalesce(sum(l.seconds), 0) / 3600.0 AS hours, coalesce(sum(l.amount_minor), 0) / 100.0 AS amount "
        "FROM period_close c LEFT JOIN period_line l ON l.month = c.month GROUP BY c.month ORDER BY c.month"
    )


def corrections(store: Store) -> list[dict[str, Any]]:
    """Return every correction of a sealed month: what, whose, which project, and the run that brought it."""
    return store.rows(
        "SELECT v.sealed_month, v.posted_on, coalesce(p.code, c.code, '?') AS project, v.kind, v.row_id, "
        "a.display_name AS account, v.category, v.seconds / 3600.0 AS hours, v.days, "
        "v.amount_minor / 100.0 AS amount, v.reason, v.run_id, r.source_id AS source, r.started_at AS run_at "
        "FROM period_variance v LEFT JOIN project p ON p.key = v.project_key "
        "LEFT JOIN container c ON c.key = -1 - v.project_key "
        "LEFT JOIN worklog w ON w.id IN "
        "(v.row_id, "
        "CASE WHEN v.row_id LIKE '%@____-__-__' THEN substr(v.row_id, 1, length(v.row_id) - 11) END) "
        "LEFT JOIN account a ON a.id = w.account_id LEFT JOIN sync_run r ON r.id = v.run_id ORDER BY v.seq"
    )
