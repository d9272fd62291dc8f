"""What is asked of the rows that may leave: where they are, how many are known, what is held of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hub.placement import here, left
from hub.source import Scope
from hub.store.presence import scope_sql
from hub.store.store import Store


def container_of(store: Store, table: str, id_: str) -> str:
    """Return the container of a task or a worklog, or an empty text."""
    row = store.connection.execute(f"SELECT container_id FROM {table} WHERE id = ?", (id_,)).fetchone()
    return (row and row[0]) or ""


def still_here(store: Store, table: str, ids: Iterable[str]) -> list[str]:
    """Return those of *ids* whose rows have not left."""
    sql = f"SELECT 1 FROM {table} WHERE id = ? AND {here()}"
    return [id_ for id_ in ids if store.connection.execute(sql, (id_,)).fetchone()]


def known_and_away(store: Store, table: str, container: str, source: str, *, run_id: int) -> tuple[int, int]:
    """Return how many rows of *container* (or of *source*, where there is none) were here as a run began.

    The second number says how many of them left in that run.
    """
    where, of = ("container_id = ?", container) if container else ("source_id = ?", source)
    known, away = store.connection.execute(
        f"SELECT count(*), count(*) FILTER (WHERE {left()}) FROM {table} "
        f"WHERE {where} AND ({here()} OR run_id = ?)",
        (of, run_id),
    ).fetchone()
    return known, away


def presences(store: Store, scope: Scope, table: str, source: str) -> Iterator[tuple[str, str]]:
    """Yield id and presence of every row of *table* in *scope*."""
    where, parameters = scope_sql(scope, table, source)
    yield from store.connection.execute(f"SELECT id, presence FROM {table} WHERE {where}", parameters)


def held_ids(store: Store, table: str) -> frozenset[str]:
    """Return the rows of *table* that are held."""
    sql = "SELECT id FROM presence_hold WHERE table_name = ?"
    return frozenset(row[0] for row in store.connection.execute(sql, (table,)))


def forget_holds(store: Store, table: str, ids: Iterable[str]) -> None:
    """Let go of what is held of these rows: they were seen."""
    store.connection.executemany(
        "DELETE FROM presence_hold WHERE table_name = ? AND id = ?", ((table, id_) for id_ in ids)
    )


def containers_here(store: Store, source: str) -> frozenset[str]:
    """Return the containers of *source* that can be read, as far as is known."""
    return frozenset(
        row[0]
        for row in store.connection.execute(
            "SELECT id FROM container WHERE source_id = ? AND presence IN ('present', 'unobserved')",
            (source,),
        )
    )


def follow_moves(store: Store, source: str, *, run_id: int) -> int:
    """Let the hours of tasks that moved in this run stand in the new container; gives their number.

    Hours that stood elsewhere than their task did before stay there.
    """
    moved = store.connection.execute(
        "SELECT w.id, t.container_id FROM task_history h JOIN task t ON t.id = h.id "
        "JOIN worklog w ON w.task_id = t.id AND w.source_id = t.source_id "
        "AND w.container_id = h.container_id WHERE h.superseded_run = :run AND t.source_id = :source "
        "AND h.superseded_at >= (SELECT started_at FROM sync_run WHERE id = :run) "
        "AND h.container_id <> t.container_id",
        {"run": run_id, "source": source},
    ).fetchall()
    if moved:
        stamp = store.stamp()
        store.connection.executemany(
            "UPDATE worklog SET container_id = ?, recorded_at = ?, run_id = ? WHERE id = ?",
            ((container, stamp, run_id, id_) for id_, container in moved),
        )
        store.tick(stamp)
    return len(moved)
