"""Find a person, hand over what concerns them, say what is held, take persons off old lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date
from typing import Any

import msgspec

from hub import clock
from hub.columns import Column
from hub.errors import ConfigError
from hub.placement import fold
from hub.records import BY_TABLE
from hub.store.erasure import ACCOUNT_REFS, ERASED, TOKEN, Door, identifiers, tables, texts_with
from hub.store.store import Store
from hub.words import tr

_DAYS = {
    "worklog": "day", "allocation": "finish_on", "capacity": "finish_on", "task_change": "at",
    "register_item": "closed_on", "assessment": "day", "person": "active_from",
}  # fmt: skip
"""The day by which a line of a person is old; a task has none: it is work, and goes on."""
_ROLES = ("worklog", "allocation", "task_change")
"""Lines that keep a role where they lose their person."""


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """One human being: their rows of `person` and `account`, and all they are and were called."""

    name: str
    persons: tuple[str, ...]
    accounts: tuple[str, ...]
    names: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def marks(self) -> list[tuple[str, str]]:
        """Return (kind, text) of every identifier, as the store looks for them."""
        return list(identifiers(self.names, self.values, (*self.persons, *self.accounts)))


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """How many rows of one table say who somebody is, by which columns, and since when.

    Of values of fields the column is the field that fields.csv calls personal, with its level.
    """

    table: str
    columns: tuple[str, ...]
    rows: int
    older_images: int
    oldest: str | None


def find(store: Store, who: str) -> Subject:
    """Find a person by name, e-mail, number, login or id. Raises `ConfigError` for nobody, or several."""
    key = fold(who.strip())
    columns = "id, display_name, email, employee_no, login"
    found = (
        "fold(id) = :k OR fold(display_name) = :k OR fold(email) = :k OR fold(employee_no) = :k "
        "OR fold(login) = :k"
    )
    people = store.rows(
        f"SELECT {columns}, aliases FROM (SELECT {columns}, aliases FROM person UNION SELECT {columns}, "
        "aliases FROM person_history) p "
        f"WHERE {found} OR instr(' ' || fold(aliases) || ' ', ' ' || :k || ' ') > 0",
        {"k": key},
    )
    ids = {row["id"] for row in people}
    if len(ids) > 1:
        raise ConfigError(
            tr(
                "{who!r} is {count} people ({ids}): name one by its id or e-mail.",
                who=who,
                count=len(ids),
                ids=", ".join(sorted(ids)),
            )
        )
    accounts = {
        row["account_id"]
        for id_ in ids
        for row in store.rows(
            "SELECT account_id FROM person_link "
            "WHERE person_id = ? AND state = 'accepted' AND presence = 'present'",
            (id_,),
        )
    }
    accounts |= {
        row["id"]
        for row in store.rows(
            f"SELECT id FROM (SELECT {columns} FROM account UNION SELECT {columns} FROM account_history) a "
            "WHERE fold(id) = :k OR fold(email) = :k OR fold(employee_no) = :k OR fold(login) = :k "
            "OR (:alone = 1 AND fold(display_name) = :k)",
            {"k": key, "alone": int(not ids)},
        )
    }
    # a person whom a tool knows by another account of the same human, and nobody else
    ids |= {
        row["person_id"]
        for id_ in accounts
        for row in store.rows(
            "SELECT person_id FROM person_link "
            "WHERE account_id = ? AND state = 'accepted' AND presence = 'present'",
            (id_,),
        )
        if not ids
    }
    if not ids and not accounts:
        raise ConfigError(
            tr(
                "Nobody is called {who!r}: give a name, an e-mail, an employee number or an id, as "
                "`hub match review` shows them.",
                who=who,
            )
        )
    return _known(store, who, ids, accounts, people)


def _known(
    store: Store, who: str, ids: set[str], accounts: set[str], people: list[dict[str, Any]]
) -> Subject:
    """Gather what the person and their accounts are and were called."""
    names: dict[str, None] = {}
    values: dict[str, None] = {}
    for table, mine in (("person", ids), ("account", accounts)):
        more = "aliases" if table == "person" else "NULL AS aliases"
        for name in (table, f"{table}_history"):
            for id_ in sorted(mine):
                for row in store.rows(
                    f"SELECT display_name, email, employee_no, login, {more} FROM {name} WHERE id = ?", (id_,)
                ):
                    if row["display_name"] and row["display_name"] != ERASED:
                        names[row["display_name"]] = None
                    for value in (
                        row["email"],
                        row["employee_no"],
                        row["login"],
                        *(row["aliases"] or "").split(),
                    ):
                        if value:
                            values[value] = None
    for id_ in sorted(accounts):
        for row in store.rows(
            "SELECT email FROM account_alias WHERE account_id = ? AND email IS NOT NULL", (id_,)
        ):
            values[row["email"]] = None
    others = {
        row["display_name"]
        for row in store.rows(
            "SELECT display_name FROM person WHERE presence = 'present' "
            f"AND id NOT IN ({', '.join('?' * len(ids)) or 'NULL'})",
            tuple(sorted(ids)),
        )
    }
    # a namesake keeps the name
    kept = tuple(name for name in names if name not in others)
    return Subject(
        name=people[0]["display_name"] if people else who,
        persons=tuple(sorted(ids)),
        accounts=tuple(sorted(accounts)),
        names=kept,
        values=tuple(values),
    )


def export(store: Store, subject: Subject) -> dict[str, list[dict[str, Any]]]:
    """Return every row that is *subject*'s or names them, by table, older images (``superseded_at``) too."""
    found: dict[str, dict[str, dict[str, Any]]] = {}
    ids = (*subject.persons, *subject.accounts)
    listed = ", ".join("?" * len(ids))
    names = _probe(subject)
    for table, columns in tables(store.engine, store.connection).items():
        base = table.removesuffix("_history")
        own = [
            name
            for name in columns
            if name in ACCOUNT_REFS or (name == "id" and base in {"account", "person"})
        ]
        also = (" OR ".join(f"{name} IN ({listed})" for name in own) or "false", ids * len(own))
        texts = [name for name, column in columns.items() if _may_name(base, column)]
        for row in store.engine.matching(store.connection, table, texts, names, also):
            found.setdefault(base, {})[repr(sorted(row.items(), key=str))] = row
    return {table: list(rows.values()) for table, rows in found.items()}


def _probe(subject: Subject) -> Callable[[str], bool]:
    """Return what says whether a text names *subject*."""
    blank = Door("00" * 32, ())
    door = Door("00" * 32, [blank.mark(kind, text, texts=True) for kind, text in subject.marks])
    return lambda text: door.text(text) != text or door.value(text) != text


def _may_name(table: str, column: Column) -> bool:
    return (table in BY_TABLE and column.kind in {"id", "reference", "text"}) or column.names_somebody


def texts(store: Store, subject: Subject) -> list[tuple[str, str, str, str]]:
    """Return (table, column, id, text) of the free texts that name *subject*."""
    return texts_with(store.engine, store.connection, subject.marks)


def report(store: Store) -> list[Held]:
    """Return what the store holds of persons, table by table, from what each column declares."""
    found = []
    known = tables(store.engine, store.connection)
    for table, columns in known.items():
        if table.endswith("_history"):
            continue
        named = tuple(
            name
            for name, column in columns.items()
            if column.personal in {"name", "e-mail", "login"}
            and (column.kind == "text" or name in ACCOUNT_REFS or table not in BY_TABLE)
        )
        if not named:
            continue
        when = _DAYS.get(table, "NULL")
        when = f"substr({when}, 1, 10)" if when != "NULL" else when
        where = " OR ".join(
            f"({name} IS NOT NULL AND {name} <> :erased AND {name} NOT LIKE '%{TOKEN}%' AND {name} NOT "
            "LIKE 'privacy:role/%')"
            for name in named
        )
        if table == "account":
            where = f"kind = 'human' AND source_id <> 'privacy' AND ({where})"
        now = store.rows(
            f"SELECT count(*) AS n, min({when}) AS oldest FROM {table} WHERE {where}", {"erased": ERASED}
        )[0]
        past = (
            store.rows(f"SELECT count(*) AS n FROM {table}_history WHERE {where}", {"erased": ERASED})[0]["n"]
            if f"{table}_history" in known
            else 0
        )
        if now["n"] or past or table in _DAYS or table == "account":
            found.append(
                Held(table=table, columns=named, rows=now["n"], older_images=past, oldest=now["oldest"])
            )
    return found + _in_fields(store)


def _in_fields(store: Store) -> list[Held]:
    """Return what values hold of persons in the fields that fields.csv calls personal, by the field."""
    mine = (
        "EXISTS (SELECT 1 FROM site_field f WHERE f.field = :field AND f.level = :level AND f.personal = 1 "
        "AND f.presence = 'present' AND fold(f.native) = fold(v.field) AND v.row_id LIKE f.source || ':%') "
        "AND v.text IS NOT NULL AND v.text <> :erased"
    )
    fields = store.rows(
        "SELECT DISTINCT field, level FROM site_field WHERE personal = 1 AND presence = 'present' "
        "ORDER BY field, level"
    )
    found = []
    for one in fields:
        asked = {"field": one["field"], "level": one["level"], "erased": ERASED}
        now, past = (
            store.rows(f"SELECT count(*) AS n FROM {table} v WHERE {mine}", asked)[0]["n"]
            for table in ("custom_value", "custom_value_history")
        )
        said = f"{one['field']} ({one['level']})"
        found.append(Held(table="custom_value", columns=(said,), rows=now, older_images=past, oldest=None))
    return found


def purge(store: Store, *, keep_months: int, actor: str, today: date | None = None) -> dict[str, int]:
    """Take persons off lines older than *keep_months* and return the rows this rewrote, per table.

    What stays is project, day, role and hours. KPIs of projects do not move. Raises `ConfigError` for
    less than one month.
    """
    if keep_months < 1:
        raise ConfigError(tr("keep_months is at least 1: what is younger is still being worked with."))
    day = today or clock.now().date()
    months = day.year * 12 + day.month - 1 - keep_months
    limit = f"{months // 12:04d}-{months % 12 + 1:02d}-01"
    done: dict[str, int] = {}
    lines = {
        table: [
            name
            for name, column in tables(store.engine, store.connection)[table].items()
            if name in ACCOUNT_REFS or column.personal == "name"
        ]
        for table in _DAYS
        if table != "person"
    }
    with _without_memory(store, (*lines, "account")):
        roles = {
            row["account_id"]: row["role"] or "?"
            for row in store.rows(
                "SELECT l.account_id, p.role FROM person_link l JOIN person p ON p.id = l.person_id "
                "WHERE l.state = 'accepted' AND l.presence = 'present'"
            )
        }
        stamp = store.stamp()
        for role in sorted({*roles.values(), "?"}):
            store.connection.execute(
                "INSERT INTO account (id, display_name, kind, source_id, recorded_at, run_id) "
                "VALUES (?, ?, 'generic', 'privacy', ?, 0) ON CONFLICT (id) DO NOTHING",
                (f"privacy:role/{role}", f"({role})", stamp),
            )
        store.connection.execute("CREATE TEMP TABLE role_of (account_id TEXT PRIMARY KEY, role_id TEXT)")
        store.connection.executemany(
            "INSERT INTO temp.role_of VALUES (?, ?)",
            ((a, f"privacy:role/{role}") for a, role in roles.items()),
        )
        for table, columns in lines.items():
            for name in (table, f"{table}_history"):
                done[name] = sum(
                    store.connection.execute(
                        f"UPDATE {name} SET {column} = {_role(name, column) if table in _ROLES else 'NULL'} "
                        f"WHERE {_DAYS[table]} < ? AND {column} IS NOT NULL AND {column} NOT LIKE "
                        "'privacy:role/%'",
                        (limit,),
                    ).rowcount
                    for column in columns
                )
        store.connection.execute("DROP TABLE temp.role_of")
        done["audit_log"] = store.connection.execute(
            "UPDATE audit_log SET before = NULL, after = NULL WHERE at < ? AND action LIKE 'match%' "
            "AND (before IS NOT NULL OR after IS NOT NULL)",
            (limit,),
        ).rowcount
        store.tick(stamp)
        store.audit("privacy purge", f"before {limit}", actor=actor)
    store.compact()
    return {name: count for name, count in done.items() if count}


def _role(table: str, column: str) -> str:
    mine = f"SELECT role_id FROM temp.role_of r WHERE r.account_id = {table}.{column}"
    return f"coalesce(({mine}), 'privacy:role/?')"


@contextmanager
def _without_memory(store: Store, names: tuple[str, ...]) -> Iterator[None]:
    """Rewrite rows in one transaction without keeping what they were."""
    store.engine.overwrite(store.connection)
    with store.transaction(), store.engine.forgetful(store.connection, names):
        yield
