"""A schema that the destination `postgresql` of another hub writes, as the place of a feed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from hub import MissingExtra, SourceDenied, SourceUnavailable, model, server_parameters, session_sql, tr
from hub_hub.feed import (
    ASKED_OF_TOOLS,
    TABLES,
    Facts,
    end_of,
    no_feed,
    not_whole,
    other_rows,
    shaped,
    tools_of,
)

if TYPE_CHECKING:
    import duckdb
    import psycopg


HOW = 'pip install "pm-hub-hub[postgresql]"'


class Postgresql(msgspec.Struct, frozen=True, kw_only=True):
    """The feed in *schema* of a database; *ca* is the file of the authority that signs the server."""

    host: str
    database: str
    user: str
    port: int
    password: str | None
    schema: str
    ca: str | None

    @property
    def address(self) -> str:
        """Return the place for people."""
        return f"postgresql://{self.host}:{self.port}/{self.database}/{self.schema}"

    def facts(self) -> Facts:
        """Return what the tables say."""
        with self._connected() as connection:
            return self._facts(connection)

    def bring(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Facts:
        """Copy every table in one transaction: it sees one delivery, whatever is delivered meanwhile."""
        from psycopg import sql

        with self._connected() as server:
            self._hold(server)
            for table in TABLES:
                there = {
                    row[0]
                    for row in server.execute(
                        "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(format('%%I.%%I', "
                        "%s::text, %s::text)) AND attnum > 0 AND NOT attisdropped",
                        [self.schema, table],
                    )
                }
                if not there:
                    raise no_feed(self.address, table)
                listed = shaped(table, there, self.address)
                names = [name for name in model().tables[table].columns if name in there]
                file = scratch / f"{table}.csv"
                query = sql.SQL("COPY (SELECT {} FROM {}.{}) TO STDOUT (FORMAT csv, NULL '\\N')").format(
                    sql.SQL(", ").join(map(sql.Identifier, names)),
                    sql.Identifier(self.schema),
                    sql.Identifier(table),
                )
                with file.open("wb") as written, server.cursor().copy(query) as copy:
                    for part in copy:
                        written.write(part)
                types = ", ".join(f"'{name}': '{model().tables[table].columns[name].type}'" for name in names)
                place = file.as_posix().replace("'", "''")
                connection.execute(
                    f"CREATE TABLE {table} AS SELECT {listed} FROM read_csv('{place}', header = false, "
                    f"delim = ',', quote = '\"', escape = '\"', nullstr = '\\N', allow_quoted_nulls = false, "
                    f"auto_detect = false, parallel = false, max_line_size = 67108864, "
                    f"columns = {{{types}}})"
                )
                file.unlink()
                ((wanted,),) = server.execute(
                    sql.SQL("SELECT count(*) FROM {}.{}").format(
                        sql.Identifier(self.schema), sql.Identifier(table)
                    )
                ).fetchall()
                ((found,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
                if found != wanted:
                    raise not_whole(self.address, other_rows(table, found, wanted))
            return self._facts(server)

    def _hold(self, connection: psycopg.Connection[Any]) -> None:
        """Keep every table as it is until the transaction ends.

        One that a delivery makes anew meanwhile would show no row to a transaction that began before.
        """
        from psycopg import sql

        # what is no table and no view cannot be held; the catalogue is asked in a transaction of its own,
        # since the first question fixes what the next ones see
        there = connection.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relkind IN ('r', 'p', 'v') AND c.relname = ANY (%s) ORDER BY 1",
            [self.schema, list(TABLES)],
        ).fetchall()
        connection.rollback()
        _begin(connection)
        if there:
            named = sql.SQL(", ").join(sql.Identifier(self.schema, name) for (name,) in there)
            connection.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(named))

    def _facts(self, connection: psycopg.Connection[Any]) -> Facts:
        from psycopg import sql

        schema = sql.Identifier(self.schema)
        rows = connection.execute(sql.SQL(ASKED_OF_TOOLS + " FROM {}.dim_source").format(schema)).fetchall()
        cuts = connection.execute(
            sql.SQL("SELECT as_of FROM {}.dim_cut WHERE cut_key = 0").format(schema)
        ).fetchall()
        if not cuts:
            raise no_feed(self.address, "dim_cut")
        return Facts(mark="", built_at=end_of(cuts[0][0]), tools=tools_of(rows), exact=False)

    @contextmanager
    def _connected(self) -> Iterator[psycopg.Connection[Any]]:
        try:
            import psycopg
        except ImportError as exc:
            raise MissingExtra(tr("Reading a feed from PostgreSQL needs psycopg: {how}.", how=HOW)) from exc
        reached = server_parameters(
            self.host, self.ca, port=self.port, database=self.database, user=self.user, password=self.password
        )
        try:
            with psycopg.connect(**reached) as connection:
                _begin(connection)
                yield connection
        except psycopg.errors.UndefinedTable as exc:
            raise no_feed(self.address, _said(exc)) from exc
        except psycopg.errors.InsufficientPrivilege as exc:
            raise SourceDenied(
                tr(
                    "{root}: the account lacks a right: {said}. Name it in `readers` of the other hub's "
                    "destination.",
                    root=self.address, said=_said(exc),
                )
            ) from exc  # fmt: skip
        except psycopg.Error as exc:
            raise SourceUnavailable(f"{self.address}: {_said(exc)}") from exc


def _begin(connection: psycopg.Connection[Any]) -> None:
    connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    # where policies would hide rows from this account, PostgreSQL refuses instead
    connection.execute(session_sql())


def _said(exc: BaseException) -> str:
    return " ".join(str(exc).split())[:300].rstrip(". ")
