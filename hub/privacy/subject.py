"""Find, export, erase and purge what concerns a person, in the tables and in their memory."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import msgspec

from hub import clock
from hub.errors import ConfigError
from hub.store import Store
from hub.store.migrations import memory_trigger

ERASED = "(effacé)"
# the columns that say who someone is, per table; rows of persons are found by their ids
_ACCOUNT = ("display_name", "email", "login", "employee_no", "tz")
_PERSON = ("display_name", "email", "aliases", "employee_no", "login", "active_from", "active_to")
_BY_ACCOUNT = {
    "worklog": "account_id",
    "allocation": "account_id",
    "task": "assignee_id",
    "task_change": "author_id",
    "register_item": "owner_id",
}


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One human being: the rows of `person` and of `account` that are them."""

    name: str
    persons: tuple[str, ...]
    accounts: tuple[str, ...]


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows of one table concern persons, now and as older images, and the oldest day they speak of."""

    table: str
    rows: int
    older_images: int
    oldest: str | None


def find(store: Store, who: str) -> Subject:
    """Find a person by name, e-mail, employee number or id. Raises `ConfigError` when nobody or several people match."""
    key = who.strip().lower()
    people = store.rows(
        "SELECT DISTINCT id, display_name FROM (SELECT * FROM person UNION ALL SELECT key, id, display_name, email, aliases, employee_no, login, team, role, "
        "is_external, timesheet_expected, calendar_id, fte, active_from, active_to, source_id, presence, presence_evidence, recorded_at, run_id FROM person_history) "
        "WHERE lower(id) = :k OR lower(display_name) = :k OR lower(email) = :k OR lower(employee_no) = :k", {"k": key},
    )  # fmt: skip
    ids = {row["id"] for row in people}
    if len(ids) > 1:
        raise ConfigError(
            f"{who!r} is {len(ids)} people ({', '.join(sorted(ids))}): name one by its id or e-mail."
        )
    accounts = {
        row["account_id"]
        for id_ in ids
        for row in store.rows(
            "SELECT account_id FROM person_link WHERE person_id = ? AND state = 'accepted' AND presence = 'present'",
            (id_,),
        )
    }
    accounts |= {
        row["id"]
        for row in store.rows(
            "SELECT id FROM account WHERE lower(id) = :k OR lower(email) = :k OR lower(employee_no) = :k OR (:alone AND lower(display_name) = :k)",
            {"k": key, "alone": int(not ids)},
        )
    }
    if not ids and not accounts:
        raise ConfigError(
            f"Nobody is called {who!r}: give a name, an e-mail, an employee number or an id, as `hub match review` shows them."
        )
    return Subject(
        name=people[0]["display_name"] if people else who,
        persons=tuple(sorted(ids)),
        accounts=tuple(sorted(accounts)),
    )


def export(store: Store, subject: Subject) -> dict[str, list[dict[str, Any]]]:
    """Return every row that concerns *subject*, older images too (with ``superseded_at``), by table."""
    found: dict[str, list[dict[str, Any]]] = {}

    def take(table: str, column: str, ids: tuple[str, ...]) -> None:
        rows = [
            row
            for id_ in ids
            for name in (table, f"{table}_history")
            for row in store.rows(f"SELECT * FROM {name} WHERE {column} = ?", (id_,))
        ]
        if rows:
            found[table] = found.get(table, []) + rows

    take("person", "id", subject.persons)
    take("account", "id", subject.accounts)
    take("person_link", "person_id", subject.persons)
    for table, column in _BY_ACCOUNT.items():
        take(table, column, subject.accounts)
    names = (*subject.persons, *subject.accounts)
    audit = [
        row
        for name in names
        for row in store.rows(
            "SELECT * FROM audit_log WHERE instr(object || coalesce(before, '') || coalesce(after, ''), ?)",
            (name,),
        )
    ]
    if audit:
        found["audit_log"] = list({row["seq"]: row for row in audit}.values())
    return found


def erase(store: Store, subject: Subject, *, actor: str) -> dict[str, int]:
    """Take away who *subject* is, everywhere and for ever: names, addresses, numbers; hours stay with their project.

    The accounts stay as nobody's, so that a later sync does not bring the names back. Gives the rows rewritten per table.
    """
    done: dict[str, int] = {}
    with _without_memory(store, ("account", "person", "account_alias")):
        for table, ids, columns in (
            ("account", subject.accounts, _ACCOUNT),
            ("person", subject.persons, _PERSON),
        ):
            sets = ", ".join(
                f"{name} = {_quoted(ERASED) if name == 'display_name' else 'NULL'}" for name in columns
            )
            for name in (table, f"{table}_history"):
                done[name] = sum(
                    store.connection.execute(f"UPDATE {name} SET {sets} WHERE id = ?", (id_,)).rowcount
                    for id_ in ids
                )
        for name in ("account_alias", "account_alias_history"):
            done[name] = sum(
                store.connection.execute(
                    f"UPDATE {name} SET email = NULL, person_id = NULL WHERE account_id = ?", (id_,)
                ).rowcount
                for id_ in subject.accounts
            )
        store.connection.executemany(
            "INSERT OR IGNORE INTO erased VALUES (?, ?)",
            ((id_, _now()) for id_ in (*subject.accounts, *subject.persons)),
        )
        done["audit_log"] = 0
        for id_ in (*subject.accounts, *subject.persons):
            done["audit_log"] += store.connection.execute(
                "UPDATE audit_log SET before = NULL, after = NULL, reason = NULL WHERE instr(object || coalesce(before, '') || coalesce(after, ''), ?)",
                (id_,),
            ).rowcount
            for table in ("person_link", "person_link_history"):
                store.connection.execute(
                    f"UPDATE {table} SET reason = NULL WHERE account_id = ? OR person_id = ?", (id_, id_)
                )
        store.audit(
            "privacy erase", f"{len(subject.accounts)} accounts, {len(subject.persons)} persons", actor=actor
        )
    _scrub(store)
    return {name: count for name, count in done.items() if count}


def purge(store: Store, *, keep_months: int, actor: str, today: date | None = None) -> dict[str, int]:
    """Take persons off lines older than *keep_months*: what stays is project, day, role and hours. Gives rows per table.

    Figures of projects do not move. Raises `ConfigError` for less than one month.
    """
    if keep_months < 1:
        raise ConfigError("keep_months is at least 1: what is younger is still being worked with.")
    day = today or clock.now().date()
    months = day.year * 12 + day.month - 1 - keep_months
    limit = f"{months // 12:04d}-{months % 12 + 1:02d}-01"
    done: dict[str, int] = {}
    tables = ("worklog", "allocation", "person_link")
    with _without_memory(store, (*tables, "account")):
        roles = {
            row["account_id"]: row["role"] or "?"
            for row in store.rows(
                "SELECT l.account_id, p.role FROM person_link l JOIN person p ON p.id = l.person_id WHERE l.state = 'accepted' AND l.presence = 'present'"
            )
        }
        stamp = store.stamp()
        for role in sorted({*roles.values(), "?"}):
            store.connection.execute(
                "INSERT OR IGNORE INTO account (id, display_name, kind, source_id, recorded_at, run_id) VALUES (?, ?, 'generic', 'privacy', ?, 0)",
                (f"privacy:role/{role}", f"({role})", stamp),
            )
        store.connection.execute("CREATE TEMP TABLE role_of (account_id TEXT PRIMARY KEY, role_id TEXT)")
        store.connection.executemany(
            "INSERT INTO temp.role_of VALUES (?, ?)",
            ((a, f"privacy:role/{role}") for a, role in roles.items()),
        )
        for table, when in (("worklog", "day"), ("allocation", "finish_on")):
            for name in (table, f"{table}_history"):
                done[name] = store.connection.execute(
                    f"UPDATE {name} SET account_id = coalesce((SELECT role_id FROM temp.role_of r WHERE r.account_id = {name}.account_id), 'privacy:role/?') "
                    f"WHERE {when} < ? AND account_id IS NOT NULL AND account_id NOT LIKE 'privacy:role/%'", (limit,),
                ).rowcount  # fmt: skip
        store.connection.execute("DROP TABLE temp.role_of")
        done["audit_log"] = store.connection.execute(
            "UPDATE audit_log SET before = NULL, after = NULL WHERE at < ? AND action LIKE 'match%' AND (before IS NOT NULL OR after IS NOT NULL)",
            (limit,),
        ).rowcount
        store.tick(stamp)
        store.audit("privacy purge", f"before {limit}", actor=actor)
    _scrub(store)
    return {name: count for name, count in done.items() if count}


def report(store: Store) -> list[Held]:
    """Return what the store holds of persons, table by table."""
    found = []
    asked = {
        "person": ("display_name <> :erased", "active_from"), "account": ("kind = 'human' AND display_name <> :erased", "NULL"),
        "worklog": ("account_id IS NOT NULL AND account_id NOT LIKE 'privacy:role/%'", "day"),
        "allocation": ("account_id NOT LIKE 'privacy:role/%'", "start_on"), "task": ("assignee_id IS NOT NULL", "NULL"),
        "task_change": ("author_id IS NOT NULL", "substr(at, 1, 10)"), "register_item": ("owner_id IS NOT NULL", "opened_on"),
    }  # fmt: skip
    for table, (where, when) in asked.items():
        now = store.rows(
            f"SELECT count(*) AS n, min({when}) AS oldest FROM {table} WHERE {where}", {"erased": ERASED}
        )[0]
        past = store.rows(f"SELECT count(*) AS n FROM {table}_history WHERE {where}", {"erased": ERASED})[0]
        found.append(Held(table=table, rows=now["n"], older_images=past["n"], oldest=now["oldest"]))
    return found


@contextmanager
def _without_memory(store: Store, tables: tuple[str, ...]) -> Iterator[None]:
    """Rewrite rows in one transaction without keeping what they were: the one place where the store may forget."""
    store.connection.execute("PRAGMA secure_delete = ON")
    with store.transaction():
        for table in tables:
            store.connection.execute(f"DROP TRIGGER {table}_memory")
        yield
        for table in tables:
            store.connection.execute(memory_trigger(store.db, table))


def _scrub(store: Store) -> None:
    """Leave nothing of what was rewritten in free pages or in the log."""
    try:
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        store.connection.execute("VACUUM")
        store.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.OperationalError as exc:
        raise ConfigError(
            f"The rows were rewritten, but the file could not be compacted ({exc}): run it again when nobody reads the store."
        ) from exc


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _now() -> str:
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
