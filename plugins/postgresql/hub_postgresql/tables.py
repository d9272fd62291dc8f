"""The tables of the feed in a schema.

Made with keys, references and descriptions, then brought up to the feed row by row.

Sources: postgresql.org/docs/current (COPY; INSERT … ON CONFLICT; SET CONSTRAINTS; DDL is part of a
transaction; System Catalogs), psycopg.org/psycopg3/docs/basic/copy.html.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

import psycopg
from psycopg import sql

from hub import DeliveryError, FeedView, column_captions, model, shows_sql, speaking, table_caption, tr

OURS = "pm-hub: "
"""How the comment on each table of ours begins."""
AT_ONCE = 10_000
POLICY = "pm_hub_access"
USER_NAME = "lower(current_user::text)"
"""Who looks: the role that asks. A setting of the session could be set by anybody who can write SQL."""
_TYPES = {
    "BIGINT": "bigint",
    "DOUBLE": "double precision",
    "DECIMAL(18,2)": "numeric(18,2)",
    "VARCHAR": "text",
    "DATE": "date",
    "TIMESTAMPTZ": "timestamp with time zone",
}
_SHAPE = """
SELECT c.relname, coalesce(obj_description(c.oid, 'pg_class'), ''),
    (SELECT coalesce(json_object_agg(a.attname, format_type(a.atttypid, a.atttypmod)), '{}')
     FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped),
    (SELECT coalesce(json_agg(a.attname), '[]')
     FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = ANY (i.indkey)
     WHERE i.indrelid = c.oid AND i.indisprimary)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v', 'm', 'f')"""
_POLICIES = """
SELECT c.relname, c.relrowsecurity, obj_description(p.oid, 'pg_policy'), p.oid IS NOT NULL,
    (SELECT count(*) FROM pg_policy o WHERE o.polrelid = c.oid AND o.polname <> %(policy)s)
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_policy p ON p.polrelid = c.oid AND p.polname = %(policy)s
WHERE n.nspname = %(schema)s AND c.relkind IN ('r', 'p')"""


class Schema:
    """The schema *name*, in the transaction of *connection*."""

    def __init__(self, connection: psycopg.Connection[Any], name: str) -> None:
        """Ask nothing yet."""
        self.connection, self.name = connection, name

    # ---------- may we ----------

    def lacking(self, readers: Iterable[str]) -> list[str]:
        """Say what is not as a delivery needs it."""
        found = []
        there = self._is_there()
        (encoding, may_create, may_pass, may_use) = self._one(
            "SELECT current_setting('server_encoding'),"
            " has_database_privilege(current_database(), 'CREATE'),"
            " has_database_privilege(current_database(), 'TEMP'),"
            " has_schema_privilege(to_regnamespace(quote_ident(%(n)s)), 'CREATE')"
            " AND has_schema_privilege(to_regnamespace(quote_ident(%(n)s)), 'USAGE')",
            {"n": self.name},
        )
        if encoding != "UTF8":
            found.append(
                tr(
                    "the database is in {encoding}, which has no letters for all names: make one in UTF8.",
                    encoding=encoding,
                )
            )
        if not may_pass:
            found.append(tr("the account may make no temporary tables: GRANT TEMP ON DATABASE."))
        if not there and not may_create:
            found.append(
                tr(
                    "there is no schema {schema} and the account may not make it: "
                    "CREATE SCHEMA … AUTHORIZATION, or GRANT CREATE ON DATABASE.",
                    schema=self.name,
                )
            )
        if there and not may_use:
            found.append(
                tr(
                    "the account may not make tables in {schema}: GRANT CREATE, USAGE ON SCHEMA.",
                    schema=self.name,
                )
            )
        known = {row[0] for row in self.connection.execute("SELECT rolname FROM pg_roles")}
        found += [
            tr("there is no role {role}, which readers names.", role=role)
            for role in readers
            if role not in known
        ]
        return found

    def _is_there(self) -> bool:
        return bool(self._one("SELECT to_regnamespace(quote_ident(%(n)s)) IS NOT NULL", {"n": self.name})[0])

    def _one(self, query: str, values: dict[str, Any]) -> tuple[Any, ...]:
        row: tuple[Any, ...] | None = self.connection.execute(query, values).fetchone()
        assert row is not None
        return row

    # ---------- shape ----------

    def shape(self, tables: Iterable[str], lang: str) -> list[str]:
        """Make what is lacking, with descriptions in *lang*, and return the tables made anew.

        A new column is added to the table that is there. One that changed its type or key is made anew, which
        a view on it forbids. Raises `DeliveryError` for a table of somebody else.
        """
        if not self._is_there():  # making it needs a right on the database, even where it is there
            self._run("CREATE SCHEMA {}")
        there = {row[0]: row[1:] for row in self.connection.execute(_SHAPE, [self.name])}
        made = []
        for table in tables:
            facts = model().tables[table]
            wanted = {name: _TYPES[column.type] for name, column in facts.columns.items()}
            comment, columns, key = there.get(table, ("", {}, []))
            if table in there and not comment.startswith(OURS):
                raise DeliveryError(
                    tr(
                        "The schema {name} has a {table} that pm-hub did not make: give the feed a schema of "
                        "its own.",
                        name=self.name,
                        table=table,
                    )
                )
            alike = set(key) == set(facts.key) and all(
                wanted.get(name) == type_ for name, type_ in columns.items()
            )
            if not alike:
                if table in there:
                    self._let_go(table)
                    self._run("DROP TABLE {}.{}", table)
                self._create(table, wanted, facts.key)
                made.append(table)
            lacking = [name for name in wanted if name not in columns]
            for name in lacking if alike else ():
                self._run("ALTER TABLE {}.{} ADD COLUMN {} " + wanted[name], table, name)
            with speaking("fr" if lang == "fr" else "en"):
                described = f"{OURS}{table_caption(table, lang)}. {tr(facts.description)}"
                if not alike or lacking or comment != described:
                    self._describe(table, described, lang)
        return made

    def _create(self, table: str, columns: dict[str, str], key: tuple[str, ...]) -> None:
        shown = sql.SQL(", ").join(
            sql.SQL("{} " + type_).format(sql.Identifier(name)) for name, type_ in columns.items()
        )
        keyed = sql.SQL(", ").join(map(sql.Identifier, key))
        self.connection.execute(
            sql.SQL("CREATE TABLE {}.{} ({}, PRIMARY KEY ({}))").format(*self._names(table), shown, keyed)
        )

    def _let_go(self, table: str) -> None:
        """Drop the references that tables of this schema make to *table*."""
        for (other, name), target in self._references().items():
            if target == table:
                self._run("ALTER TABLE {}.{} DROP CONSTRAINT {}", other, name)

    def _references(self) -> dict[tuple[str, str], str]:
        """Return what each reference of this schema, by table and name, points to."""
        query = """
            SELECT o.relname, c.conname, t.relname
            FROM pg_constraint c
            JOIN pg_class o ON o.oid = c.conrelid
            JOIN pg_class t ON t.oid = c.confrelid
            JOIN pg_namespace n ON n.oid = o.relnamespace
            WHERE c.contype = 'f' AND n.nspname = %s AND o.relnamespace = t.relnamespace"""
        return {(other, name): target for other, name, target in self.connection.execute(query, [self.name])}

    def _describe(self, table: str, described: str, lang: str) -> None:
        captions = column_captions(table, lang)
        self.connection.execute(
            sql.SQL("COMMENT ON TABLE {}.{} IS {}").format(*self._names(table), sql.Literal(described))
        )
        for name, column in model().tables[table].columns.items():
            text = f"{captions[name]}. {tr(column.description)}".strip()
            self.connection.execute(
                sql.SQL("COMMENT ON COLUMN {}.{}.{} IS {}").format(
                    *self._names(table, name), sql.Literal(text)
                )
            )

    def finish(self, tables: Iterable[str], readers: Iterable[str]) -> None:
        """Make the references between tables that are not there yet, and grant the rights to *readers*."""
        known = self._references()
        lacking = [
            (table, name, column.ref)
            for table in tables
            for name, column in model().tables[table].columns.items()
            if column.ref and (table, name) not in known
        ]
        if lacking:
            self.connection.execute(
                "SET CONSTRAINTS ALL IMMEDIATE"
            )  # a table with checks to come gets no other reference
        for table, name, target in lacking:
            query = (
                "ALTER TABLE {}.{} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {}.{} DEFERRABLE "
                "INITIALLY DEFERRED"
            )
            self._run(query, table, name, name, self.name, target)
        for role in readers:
            self.connection.execute(
                sql.SQL("GRANT USAGE ON SCHEMA {} TO {}").format(
                    sql.Identifier(self.name), sql.Identifier(role)
                )
            )
            for table in tables:
                self.connection.execute(
                    sql.SQL("GRANT SELECT ON {}.{} TO {}").format(*self._names(table), sql.Identifier(role))
                )

    def protect(self, tables: Iterable[str], *, wanted: bool) -> None:
        """Let each role see its own rows only, or take that back where it is not *wanted* any more.

        A policy that is there and says the same is left alone: changing it would make readers wait.
        """
        values = {"schema": self.name, "policy": POLICY}
        there = {row[0]: row[1:] for row in self.connection.execute(_POLICIES, values)}
        place = f"{sql.Identifier(self.name).as_string(self.connection)}."
        for table in tables:
            enabled, said, known, others = there[table]
            rule = shows_sql(table, user=USER_NAME, schema=place) if wanted else None
            told = f"{OURS}{hashlib.sha256(rule.encode()).hexdigest()}" if rule else None
            if known and said != told:
                self._on(table, "DROP POLICY {} ON {}.{}")
                if rule is None and not others:
                    self._run("ALTER TABLE {}.{} DISABLE ROW LEVEL SECURITY", table)
            if rule is None:
                continue
            if said != told:
                self._on(table, "CREATE POLICY {} ON {}.{} FOR SELECT USING (" + rule + ")")
                self._on(table, f"COMMENT ON POLICY {{}} ON {{}}.{{}} IS '{told}'")
            if not enabled:
                self._run("ALTER TABLE {}.{} ENABLE ROW LEVEL SECURITY", table)

    def _on(self, table: str, query: str) -> None:
        """Run *query* with the name of our policy and of *table*."""
        self.connection.execute(sql.SQL(query).format(sql.Identifier(POLICY), *self._names(table)))

    # ---------- rows ----------

    def merge(self, table: str, feed: FeedView) -> int:
        """Make the rows of *table* those of the feed, and return how many were written.

        Only what is new, other or gone is.
        """
        facts = model().tables[table]
        columns, key = list(facts.columns), list(facts.key)
        cursor = self.connection.cursor()
        cursor.execute(
            sql.SQL("CREATE TEMP TABLE hub_next (LIKE {}.{}) ON COMMIT DROP").format(*self._names(table))
        )
        named = sql.SQL(", ").join(map(sql.Identifier, columns))
        with cursor.copy(sql.SQL("COPY hub_next ({}) FROM STDIN").format(named)) as copy:
            for row in _rows(feed, table):
                copy.write_row(row)
        cursor.execute("ANALYZE hub_next")
        same = sql.SQL(" AND ").join(sql.SQL("n.{0} = t.{0}").format(sql.Identifier(name)) for name in key)
        cursor.execute(
            sql.SQL("DELETE FROM {}.{} t WHERE NOT EXISTS (SELECT 1 FROM hub_next n WHERE {})").format(
                *self._names(table), same
            )
        )
        changed = cursor.rowcount
        others = [name for name in columns if name not in key]
        act: sql.Composable = sql.SQL("NOTHING")
        if others:
            told = sql.SQL(", ").join(
                sql.SQL("{0} = excluded.{0}").format(sql.Identifier(name)) for name in others
            )
            old, new = (
                sql.SQL(", ").join(sql.SQL(where + ".{}").format(sql.Identifier(name)) for name in others)
                for where in ("t", "excluded")
            )
            act = sql.SQL("UPDATE SET {} WHERE ({}) IS DISTINCT FROM ({})").format(told, old, new)
        keyed = sql.SQL(", ").join(map(sql.Identifier, key))
        cursor.execute(
            sql.SQL("INSERT INTO {}.{} AS t ({}) SELECT {} FROM hub_next ON CONFLICT ({}) DO {}").format(
                *self._names(table), named, named, keyed, act
            )
        )
        changed += cursor.rowcount
        cursor.execute("DROP TABLE hub_next")
        return changed

    def rows(self, table: str) -> int:
        """Count the rows of *table*."""
        ((count,),) = self.connection.execute(
            sql.SQL("SELECT count(*) FROM {}.{}").format(*self._names(table))
        ).fetchall()
        return int(count)

    def _names(self, *names: str) -> list[sql.Identifier]:
        """Return identifiers: the schema's, then *names*."""
        return [sql.Identifier(name) for name in (self.name, *names)]

    def _run(self, query: str, *names: str) -> None:
        self.connection.execute(sql.SQL(query).format(*self._names(*names)))


def _rows(feed: FeedView, table: str) -> Iterator[tuple[Any, ...]]:
    """Return the rows of a table; PostgreSQL's texts hold no letter 0."""
    shown = ", ".join(
        f"replace({name}, chr(0), '')" if column.type == "VARCHAR" else name
        for name, column in model().tables[table].columns.items()
    )
    result = feed.connection.execute(f"SELECT {shown} FROM {table}")
    while found := result.fetchmany(AT_ONCE):
        yield from found
