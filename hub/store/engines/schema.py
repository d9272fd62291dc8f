"""The schema of a store in PostgreSQL: what the migrations leave in SQLite, told in its own types.

The migrations are written once. A store that lacks some of them is brought to the schema that they leave:
tables that became others are made anew with their rows. A migration that also changes rows, not only tables,
needs its twin here.
"""

from __future__ import annotations

import re
import secrets
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from typing import Any

import msgspec
import psycopg
from psycopg import sql

from hub.records import BY_TABLE
from hub.store.engines.dialect import TYPES, translated
from hub.store.lean import Database
from hub.store.migrations import HIGHEST_REJECTION, migrations
from hub.words import mark, tr

_NUMBERED = re.compile(r"\((key|id|seq) INTEGER PRIMARY KEY(?! CHECK)")
_FUNCTIONS = """
CREATE FUNCTION {schema}.fold(text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS
$$ SELECT lower(translate($1, 'İΣ', 'iσ') COLLATE "und-x-icu") $$;
CREATE FUNCTION {schema}.instr(text, text) RETURNS integer LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS
$$ SELECT strpos($1, $2) $$;
CREATE FUNCTION {schema}.rows_stay() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION USING ERRCODE = 'integrity_constraint_violation',
MESSAGE = 'rows are never physically deleted: change their presence'; END $$
"""
"""`fold` lowers letter by letter, as the function of that name in Python does."""


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """One table as SQLite has it: its statement, its columns and types, and the statements of its indexes."""

    ddl: str
    columns: dict[str, str]
    indexes: tuple[str, ...]


def left_by(names: Iterable[str]) -> dict[str, Table]:
    """Return the tables that the migrations *names* leave, the first ones of the list."""
    first = len(list(names))
    following = [one.name for one in migrations._migrations][first:]
    if not first:
        return {}
    found = {}
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrations.apply(Database(connection), stop_before=following[0] if following else None)
        for table, ddl in connection.execute(
            "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '%sqlite%' "
            "ORDER BY name"
        ).fetchall():
            columns = {
                name: {"INT": "INTEGER"}.get(kind.upper(), kind.upper())
                for _, name, kind, *_ in connection.execute(f"PRAGMA table_info({table})")
            }
            if table.endswith("_history"):  # SQLite makes them by a query, which tells no type of constants
                columns |= {"superseded_at": "TEXT", "superseded_run": "INTEGER"}
            indexes = connection.execute(
                "SELECT sql FROM sqlite_master WHERE type = 'index' AND tbl_name = ? AND sql IS NOT NULL "
                "ORDER BY name",
                (table,),
            ).fetchall()
            found[table] = Table(ddl=ddl, columns=columns, indexes=tuple(sql for (sql,) in indexes))
    return found


def bring_up(connection: psycopg.Connection[Any], schema: str, applied: set[str]) -> None:
    """Make *schema*, which the migrations *applied* left, what all of them leave; inside a transaction."""
    ours = [one.name for one in migrations._migrations]
    before, after = left_by(applied), left_by(ours)
    run = _Runner(connection, schema)
    if not applied:
        run(_FUNCTIONS)
        run("CREATE TABLE {schema}._sqlite_migrations (id bigint PRIMARY KEY, migration_set text, name text, "
            "applied_at text)")  # fmt: skip
    for table, now in after.items():
        known = before.get(table)
        if known == now:
            continue
        if known is None:
            run.create(table, now)
            continue
        kept = ", ".join(name for name in known.columns if name in now.columns)
        run(f"CREATE TEMP TABLE before_{table} ON COMMIT DROP AS SELECT {kept} FROM {{schema}}.{table}")
        rights = run.rights(table, "GRANT", "TO")
        run(f"DROP TABLE {{schema}}.{table}")
        run.create(table, now)
        for statement in (*run.rights(table, "REVOKE", "FROM"), *rights):
            run(statement)
        run(f"INSERT INTO {{schema}}.{table} ({kept}) SELECT {kept} FROM pg_temp.before_{table}")
    for table in before.keys() - after.keys():
        run(f"DROP TABLE {{schema}}.{table}")
    if not applied:
        run("INSERT INTO {schema}.clock (one, last) VALUES (1, '1970-01-01T00:00:00.000000Z')")
        run(f"INSERT INTO {{schema}}.erasure_key VALUES (1, '{secrets.token_hex(32)}')")
    if "0015_hub" in set(ours) - applied:
        run(f"UPDATE {{schema}}.clock SET hub = '{secrets.token_hex(8)}'")
    if "0006_rejections" in applied and "0014_rejection_numbers" in set(ours) - applied:
        run(HIGHEST_REJECTION.replace("clock", "{schema}.clock").replace("rejection)", "{schema}.rejection)"))
    for number, name in enumerate(ours, 1):
        if name not in applied:
            run(
                "INSERT INTO {schema}._sqlite_migrations VALUES "
                f"({number}, 'pm-hub', '{name}', to_char(now(), 'YYYY-MM-DD HH24:MI:SS'))"
            )


_SHAPE = {
    "column": """SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text,
        coalesce(l.collname, ''), coalesce(pg_get_expr(d.adbin, d.adrelid), '')
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
        LEFT JOIN pg_collation l ON l.oid = a.attcollation
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relnamespace = {room} AND a.attnum > 0 AND NOT a.attisdropped""",
    "rule": """SELECT c.relname, o.contype::text, pg_get_constraintdef(o.oid), o.convalidated::text
        FROM pg_constraint o JOIN pg_class c ON c.oid = o.conrelid
        WHERE c.relnamespace = {room} AND o.contype IN ('c', 'p', 'u')""",
    "index": """SELECT c.relname, i.relname, pg_get_indexdef(x.indexrelid), x.indisvalid::text
        FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid JOIN pg_class i ON i.oid = x.indexrelid
        WHERE c.relnamespace = {room}""",
    "trigger": """SELECT c.relname, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text
        FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid
        WHERE c.relnamespace = {room} AND NOT t.tgisinternal""",
    "function": """SELECT p.proname, '', p.prosrc, p.provolatile::text
        FROM pg_proc p WHERE p.pronamespace = {room}""",
}
"""What the catalogue tells of a schema: of a table, by the name of what it has, how that is."""


def differences(connection: psycopg.Connection[Any], schema: str) -> list[str]:
    """Return what *schema* lacks of what all migrations make, or has otherwise; inside a transaction.

    The schema is made in that of the connection's temporary tables, and never kept.
    """
    connection.execute("SET LOCAL client_min_messages = error")
    bring_up(connection, "pg_temp", set())
    rooms = {"pg_temp": "pg_my_temp_schema()", schema: f"to_regnamespace(quote_ident({_literal(schema)}))"}
    found: list[str] = []
    for kind, query in _SHAPE.items():
        ours, theirs = (
            {tuple(_plain(cell, room) for cell in row) for row in connection.execute(query.format(room=oid))}
            for room, oid in rooms.items()
        )
        if kind == "function":  # another program's may lie there, too
            theirs = {row for row in theirs if row[0] in {one[0] for one in ours}}
        told = {(row[0], row[1] if kind != "rule" else row[2]) for row in ours ^ theirs}
        found += [
            tr("the {kind} {name} of {table} is not what this version makes", kind=tr(_KINDS[kind]),
               name=name or table, table=table)
            for table, name in sorted(told)
        ]  # fmt: skip
    return found


_KINDS = {
    "column": mark("column"),
    "rule": mark("rule"),
    "index": mark("index"),
    "trigger": mark("trigger"),
    "function": mark("function"),
}


def _literal(text: str) -> str:
    return sql.Literal(text).as_string(None)


def _plain(cell: str, schema: str) -> str:
    """Return what the catalogue says without the schema that it says it of."""
    plain = cell.replace(f"{sql.Identifier(schema).as_string(None)}.", "").replace('"', "")
    return re.sub(rf"\b(pg_temp(_\d+)?|{re.escape(schema)})\.", "", plain)


class _Runner:
    """Statements in one schema."""

    def __init__(self, connection: psycopg.Connection[Any], schema: str) -> None:
        self.connection = connection
        self.schema = sql.Identifier(schema).as_string(connection)

    def __call__(self, statement: str) -> None:
        self.connection.execute(statement.replace("{schema}", self.schema))

    def rights(self, table: str, verb: str, word: str) -> list[str]:
        """Return the statements that give (or take) what others than its owner may do with *table*."""
        named = f"{self.schema}.{table}"
        rows = self.connection.execute(
            "SELECT a.privilege_type, coalesce(quote_ident(r.rolname), 'PUBLIC'), a.is_grantable "
            "FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a "
            "LEFT JOIN pg_roles r ON r.oid = a.grantee "
            f"WHERE c.oid = {_literal(named)}::regclass AND a.grantee <> c.relowner ORDER BY 1, 2"
        ).fetchall()
        return [
            f"{verb} {right} ON {named} {word} {role}"
            + (" WITH GRANT OPTION" if may_give and verb == "GRANT" else "")
            for right, role, may_give in rows
        ]

    def create(self, table: str, made: Table) -> None:
        """Make *table* with its indexes, and what gives its numbers and keeps its memory."""
        record = table in BY_TABLE
        if table.endswith("_history"):
            listed = ", ".join(f"{name} {TYPES[kind]}" for name, kind in made.columns.items())
            self(f"CREATE TABLE {{schema}}.{table} ({listed})")
        else:
            ddl = translated(made.ddl).replace("%%", "%")
            self(f"CREATE TABLE {{schema}}.{table} {ddl[ddl.index('(') :]}")
        for index in made.indexes:
            self(re.sub(rf"\bON {table}\b", f"ON {{schema}}.{table}", index))
        if numbered := _NUMBERED.search(made.ddl):
            self._number(table, numbered[1])
        if record:
            self._remember(table, tuple(made.columns))

    def _number(self, table: str, name: str) -> None:
        """Give a row that comes without a number the one above all others, as SQLite does."""
        self(
            f"CREATE OR REPLACE FUNCTION {{schema}}.{table}_number() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN SELECT coalesce(max({name}), 0) + 1 INTO NEW.{name} FROM {{schema}}.{table}; "
            "RETURN NEW; END $$"
        )
        self(
            f"CREATE TRIGGER {table}_number BEFORE INSERT ON {{schema}}.{table} FOR EACH ROW "
            f"WHEN (NEW.{name} IS NULL) EXECUTE FUNCTION {{schema}}.{table}_number()"
        )

    def _remember(self, table: str, names: tuple[str, ...]) -> None:
        """Keep the old image of a row on every update, and let no row be deleted."""
        old = ", ".join(f"OLD.{name}" for name in names)
        self(
            f"CREATE OR REPLACE FUNCTION {{schema}}.{table}_memory() RETURNS trigger LANGUAGE plpgsql AS $$ "
            f"BEGIN INSERT INTO {{schema}}.{table}_history "
            f"({', '.join(names)}, superseded_at, superseded_run) "
            f"VALUES ({old}, NEW.recorded_at, NEW.run_id); RETURN NULL; END $$"
        )
        self(
            f"CREATE TRIGGER {table}_memory AFTER UPDATE ON {{schema}}.{table} FOR EACH ROW "
            f"EXECUTE FUNCTION {{schema}}.{table}_memory()"
        )
        for name, event, each in (("forever", "DELETE", "ROW"), ("whole", "TRUNCATE", "STATEMENT")):
            self(
                f"CREATE TRIGGER {table}_{name} BEFORE {event} ON {{schema}}.{table} "
                f"FOR EACH {each} EXECUTE FUNCTION {{schema}}.rows_stay()"
            )
