"""What matching asks the store: accounts, people and texts to compare, and the links that are known."""

from __future__ import annotations

from typing import Any

from hub.placement import here
from hub.store.store import Store

Rows = list[dict[str, Any]]


def accounts(store: Store) -> Rows:
    """Return every account, once for each *alias* (an address) or *person_id* that somebody named for it.

    By id: which of the sources that are read side by side wrote first must not number the proposals.
    """
    return store.rows(
        "SELECT a.*, b.email AS alias, b.person_id FROM account a "
        "LEFT JOIN (SELECT n.account_id AS of_id, b.* FROM account_alias b "
        f"JOIN account_name n ON n.name = b.account_id WHERE {here('b.presence')}) b ON b.of_id = a.id "
        f"WHERE {here('a.presence')} ORDER BY a.id, b.key"
    )


def people(store: Store) -> Rows:
    """Return every person."""
    return store.rows(f"SELECT * FROM person WHERE {here()} ORDER BY id")


def container_codes(store: Store) -> Rows:
    """Return kind and code of every container."""
    return store.rows(f"SELECT kind, code FROM container WHERE {here()}")


def project_names(store: Store) -> Rows:
    """Return code and name of every project and workstream."""
    return store.rows(f"SELECT code, name FROM project WHERE {here()} AND level IN ('project', 'workstream')")


def texts_with_keys(store: Store) -> Rows:
    """Return row_id and text of the further values that may name an issue by its key."""
    return store.rows(f"SELECT row_id, text FROM custom_value WHERE {here()} AND text LIKE '%-%'")


def links(store: Store, table: str) -> Rows:
    """Return what is known now in *table*, person_link or task_match."""
    return store.rows(f"SELECT * FROM {table} WHERE {here()}")


def link(store: Store, table: str, key: int) -> dict[str, Any]:
    """Return the link of *key* in *table*, person_link or task_match."""
    (row,) = store.rows(f"SELECT * FROM {table} WHERE key = ?", (key,))
    return row


def person_lines(store: Store) -> Rows:
    """Return the links of accounts and people with the names that a reader knows, the surest first."""
    return store.rows(
        "SELECT 'p' || l.key AS id, 'person' AS kind, l.account_id AS left, "
        "coalesce(a.display_name, a.login, a.email, l.account_id) AS left_name, "
        "l.person_id AS right, coalesce(p.display_name, l.person_id) AS right_name, "
        "l.method, l.score, l.state, coalesce(l.reason, '') AS reason "
        "FROM person_link l LEFT JOIN account a ON a.id = l.account_id "
        "LEFT JOIN person p ON p.id = l.person_id "
        f"WHERE {here('l.presence')} ORDER BY l.score DESC, l.key"
    )


def task_lines(store: Store) -> Rows:
    """Return the links of issues and plan tasks with the names that a reader knows, the surest first."""
    return store.rows(
        "SELECT 't' || l.key AS id, 'task' AS kind, l.exec_task_id AS left, "
        "coalesce(e.code || ' ', '') || e.title AS left_name, "
        "l.plan_task_id AS right, coalesce(p.title, l.plan_task_id) AS right_name, "
        "l.method, l.score, l.state, coalesce(l.reason, '') AS reason "
        "FROM task_match l LEFT JOIN task e ON e.id = l.exec_task_id "
        "LEFT JOIN task p ON p.id = l.plan_task_id "
        f"WHERE {here('l.presence')} ORDER BY l.score DESC, l.key"
    )
