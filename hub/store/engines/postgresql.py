"""A store in a schema of PostgreSQL, which several hubs may read while one writes.

Sources: postgresql.org/docs/current (Explicit Locking, advisory locks; COPY; Trigger Functions; Transaction
Isolation), psycopg.org/psycopg3/docs (client-side-binding cursors, data adaptation, COPY),
pgbouncer.org/features.html (what a pool of transactions does not keep).
"""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, quote, unquote, urlsplit

import psycopg
from psycopg import sql

from hub.errors import ConfigError, LockHeld, MissingExtra, StoreError
from hub.records import BY_TABLE, columns
from hub.secrets import Secret
from hub.store.engines.answers import answered
from hub.store.engines.arrow import Streams, streams
from hub.store.engines.connected import Connected, kept, unwritable
from hub.store.engines.dialect import translated
from hub.store.engines.engine import Engine, Value
from hub.store.engines.reach import LOCK_WAIT_S, server_parameters, session_sql
from hub.words import tr

_OPTIONS = frozenset({"schema", "sslrootcert"})
_FEW = 200
"""Rows from which on the planner is told how many there are."""
_RUN, _WRITE = "run", "write"
_HELD = (
    "FROM pg_locks l JOIN pg_stat_get_activity(coalesce(l.pid, 0)) a ON true "
    "WHERE l.locktype = 'advisory' AND l.granted "
    "AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database()) "
    "AND l.classid::bigint = hashtext(?)::bigint & 4294967295 "
    "AND l.objid::bigint = hashtext(?)::bigint & 4294967295"
)
"""Who holds an advisory lock, by its two names: those of other databases are none of ours.

It is asked by each transaction that writes, and so of one process: pg_stat_activity looks at all.
"""
_KIND = {"text": "TEXT", "int8": "INTEGER", "int4": "INTEGER", "float8": "REAL"}


class Postgresql(Engine):
    """The store in one schema of a database.

    The address is ``postgresql://account@host:port/database?schema=hub&sslrootcert=file``; it holds no
    password: that is a secret of the configuration, of ``PGPASSWORD``, or of the account's ``.pgpass``.
    """

    kind: ClassVar[str] = "postgresql"
    frozen = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
    error = psycopg.Error
    refused = (psycopg.IntegrityError, psycopg.DataError, psycopg.errors.ProgramLimitExceeded)

    def __init__(self, url: str, *, base: Path, password: Secret | None = None) -> None:
        """Read *url*; files start at *base*. Raises `ConfigError`."""
        parts = urlsplit(url)
        if parts.password is not None:
            raise ConfigError(
                tr(
                    "store: an address holds no password. Take it out, and say where it lies: "
                    'store_password = {{ env = "NAME" }}, or a file .pgpass.'
                )
            )
        options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        self.database = unquote(parts.path.lstrip("/"))
        self.host = unquote(options.pop("host", "") or parts.hostname or "")
        try:
            port = parts.port
        except ValueError:
            port = 0
        if not self.database or not self.host or not parts.username or port == 0:
            raise ConfigError(
                tr(
                    "store = postgresql://…: the address is "
                    "postgresql://account@host:port/database?schema=hub."
                )
            )
        if unknown := sorted(options.keys() - _OPTIONS):
            raise ConfigError(
                tr(
                    "store = postgresql://…: {unknown} is nothing that an address says; schema and "
                    "sslrootcert are.",
                    unknown=unknown[0],
                )
            )
        self.user, self.port = unquote(parts.username), port or 5432
        self.schema = options.get("schema", "hub")
        self.ca = str(base / options["sslrootcert"]) if "sslrootcert" in options else None
        self.password = password
        self._run: str | None = None
        """The run that this process writes for: its own, or another one's."""
        self.where = self._address()

    def _address(self) -> str:
        """Return the address anew, as one that is read as it was."""
        host, also = self.host, {"schema": self.schema}
        if host.startswith("/"):
            host, also = "", {"host": host, **also}
        elif ":" in host:
            host = f"[{host}]"
        told = "&".join(f"{name}={quote(value, safe='/')}" for name, value in also.items())
        user, database = quote(self.user, safe=""), quote(self.database, safe="")
        return f"postgresql://{user}@{host}:{self.port}/{database}?{told}"

    # ---------- reaching ----------

    def _parameters(self) -> dict[str, Any]:
        return server_parameters(
            self.host, self.ca, port=self.port, database=self.database, user=self.user,
            password=None if self.password is None else self.password.reveal(),
        )  # fmt: skip

    def _connected(self, name: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            **(self._parameters() | {"application_name": name}), autocommit=True,
            cursor_factory=psycopg.ClientCursor,
        )  # fmt: skip

    def _settings(self, **also: str) -> str:
        """Return the statement that sets what decides on rows, numbers and limits."""
        # the schema first, and nothing of anybody else
        return session_sql(search_path=sql.Identifier(self.schema).as_string(None), **also)

    def _open(self, *, reading: bool = False, name: str = "pm-hub") -> Connected:
        try:
            raw = self._connected(name)
        except psycopg.Error as exc:
            raise self.explain(exc) from exc
        connected = Connected(raw)
        also = {"default_transaction_read_only": "on"} if reading else {}
        try:
            _, process = connected.execute(self._settings(**also)).fetchone() or (0, 0)
            if process != raw.info.backend_pid:
                self._must_be_one_session(connected)
        except psycopg.Error as exc:
            raw.close()
            raise self.explain(exc) from exc
        except StoreError:
            raw.close()
            raise
        return connected

    def _must_be_one_session(self, connected: Connected) -> None:
        """Stop where what stands between gives each transaction another session of the server.

        What one connection sets must be there for its next statement, and for no other connection.
        """
        token = secrets.token_hex(8)
        ask = "SELECT coalesce(current_setting('pm_hub.session', true), ''), pg_backend_pid()"
        connected.execute("SELECT set_config('pm_hub.session', ?, false)", (token,))
        before = connected.execute(ask).fetchone()
        with self._connected("pm-hub") as other:  # which holds its session while the first one asks again
            seen = other.execute("BEGIN").execute(ask).fetchone()
            # not asked again where the other has the one session that there is: it would wait for itself
            apart = seen is not None and seen[0] != token and before is not None and before[0] == token
            if apart and before == connected.execute(ask).fetchone():
                return
        raise StoreError(
            tr(
                "{where} is a pool that gives each transaction another session (PgBouncer: "
                "pool_mode = transaction), where no lock is held between two of them. Name the server "
                "itself, or a pool with pool_mode = session.",
                where=self.where,
            )
        )

    def exists(self) -> bool:
        """Say whether a store was made in the schema."""
        with self.reader() as connection:
            return bool(self.applied(connection))

    def connect(self) -> Connected:
        """Open the connection that writes, and make the schema where it is missing and may be made."""
        connected = self._open()
        try:
            if not self._fits(connected):
                connected.raw.execute(
                    sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(self.schema))
                )
        except psycopg.Error as exc:
            connected.close()
            raise self.explain(exc) from exc
        except StoreError:
            connected.close()
            raise
        return connected

    def _fits(self, connected: Connected) -> bool:
        """Say whether the schema is there. Raises `StoreError` where no store can be, or be made."""
        (encoding, letters, there, may) = connected.execute(
            "SELECT current_setting('server_encoding'), "
            "EXISTS (SELECT 1 FROM pg_collation WHERE collname = 'und-x-icu'), "
            "to_regnamespace(quote_ident(?)) IS NOT NULL, "
            "has_database_privilege(current_database(), 'CREATE')",
            (self.schema,),
        ).fetchone() or ("", 0, 0, 0)
        if encoding != "UTF8":
            raise StoreError(
                tr(
                    "The database of {where} is in {encoding}, which has no letters for all names: make "
                    "one in UTF8.",
                    where=self.where,
                    encoding=encoding,
                )
            )
        if not letters:
            raise StoreError(
                tr(
                    "The server of {where} was built without ICU, by which letters are lowered alike "
                    "everywhere: take one that has it, as the packages of PostgreSQL do.",
                    where=self.where,
                )
            )
        if not there and not may:
            raise StoreError(
                tr(
                    "There is no schema {schema} in {where} and the account may not make it: "
                    "CREATE SCHEMA … AUTHORIZATION, or GRANT CREATE ON DATABASE.",
                    schema=self.schema,
                    where=self.where,
                )
            )
        return bool(there)

    @contextmanager
    def reader(self) -> Iterator[Connected]:
        """Open one that can change nothing."""
        connected = self._open(reading=True)
        try:
            yield connected
        except psycopg.Error as exc:
            raise self.explain(exc) from exc
        finally:
            connected.close()

    def explain(self, error: Exception) -> StoreError:
        """Turn PostgreSQL's *error* into a sentence; what it says holds no password."""
        return answered(error, self.where)

    # ---------- making ----------

    def applied(self, connection: Any) -> set[str]:
        """Return the names of the migrations that made the store."""
        (table,) = connection.execute(
            "SELECT to_regclass(quote_ident(?) || '._sqlite_migrations')", (self.schema,)
        ).fetchone() or (None,)
        if table is None:
            return set()
        return {row[0] for row in connection.execute("SELECT name FROM _sqlite_migrations")}

    def migrate(self, connection: Any, applied: set[str]) -> None:
        """Bring the store to the schema that the migrations leave, in one transaction."""
        from hub.store.engines.schema import bring_up

        self.begin(connection)
        try:
            bring_up(connection.raw, self.schema, self.applied(connection))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise

    def tables(self, connection: Any) -> dict[str, dict[str, str]]:
        """Return every table of the store and the types of its columns."""
        found: dict[str, dict[str, str]] = {}
        # the catalogue itself: information_schema leaves out silently what the account may not read
        for table, name, kind in connection.execute(
            "SELECT c.relname, a.attname, t.typname FROM pg_attribute a "
            "JOIN pg_type t ON t.oid = a.atttypid JOIN pg_class c ON c.oid = a.attrelid "
            "JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = ? AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped "
            'ORDER BY c.relname COLLATE "C", a.attnum',
            (self.schema,),
        ):
            if "sqlite" not in table:
                found.setdefault(table, {})[name] = _KIND.get(kind, kind)
        return found

    def size(self, connection: Any) -> int:
        """Return what the tables and their indexes take on the server."""
        (found,) = connection.execute(
            "SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) FROM pg_class c "
            "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND c.relkind = 'r'",
            (self.schema,),
        ).fetchone() or (0,)
        return int(found)

    def may_write(self) -> bool:
        """Say whether the account may write rows of the store, and the server lets anybody write."""
        with self.reader() as connection:
            (there,) = connection.execute(
                "SELECT to_regclass(quote_ident(?) || '.sync_run') IS NOT NULL", (self.schema,)
            ).fetchone() or (0,)
            return bool(there) and not self._lacks(connection)

    def _lacks(self, connection: Any) -> str | None:
        """Return the first right that a run would miss, as GRANT says it, or why nothing is written here."""
        found = connection.execute(
            "SELECT CASE WHEN pg_is_in_recovery() THEN 'pg_is_in_recovery()' "
            "WHEN s.reset_val = 'on' THEN s.name "
            "WHEN NOT has_database_privilege(current_database(), 'TEMP') THEN 'TEMP ON DATABASE' "
            "WHEN t.name IS NULL AND to_regnamespace(n.name) IS NOT NULL "
            "AND NOT has_schema_privilege(to_regnamespace(n.name)::oid, 'CREATE') THEN 'CREATE ON SCHEMA' "
            "WHEN NOT (has_table_privilege(t.name, 'INSERT') AND has_table_privilege(t.name, 'UPDATE')) "
            "THEN 'INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA' END "
            "FROM pg_settings s, (SELECT quote_ident(?) AS name) n, "
            "LATERAL (SELECT to_regclass(n.name || '.sync_run') AS name) t "
            "WHERE s.name = 'default_transaction_read_only'",
            (self.schema,),
        ).fetchone()
        return found[0] if found else None

    def standing(self) -> str | None:
        """Say which server it is. Raises `StoreError` naming what a run would miss there."""
        connected = self._open()
        try:
            self._fits(connected)
            lacks = self._lacks(connected)
            if lacks and " ON " in lacks:
                raise psycopg.errors.InsufficientPrivilege(lacks)
            if lacks:
                raise psycopg.errors.ReadOnlySqlTransaction(lacks)
            (version,) = connected.execute("SELECT current_setting('server_version')").fetchone() or ("",)
        except psycopg.Error as exc:
            raise self.explain(exc) from exc
        finally:
            connected.close()
        return tr("{where}, PostgreSQL {version}", where=self.where, version=version)

    def verify(self, connection: Any) -> list[str]:
        """Trust the server, which looks after its own pages; a memory that is gone is damage."""
        there = {
            row[0]
            for row in connection.execute(
                "SELECT t.tgname FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
                "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ? AND t.tgenabled = 'O'",
                (self.schema,),
            )
        }
        return [
            tr("the table {table} does not keep its older images: its trigger is gone", table=table)
            for table in BY_TABLE
            if not {f"{table}_memory", f"{table}_forever"} <= there
        ]

    def differences(self) -> list[str]:
        """Make the schema once more among the connection's own temporary tables, and compare both.

        Columns, checks, keys, indexes, triggers and functions are compared as the server's catalogue tells
        them. Whoever may not make temporary tables, as on a standby, is told nothing.
        """
        from hub.store.engines.schema import differences

        connected = self._open()
        try:
            connected.raw.execute("BEGIN")
            return differences(connected.raw, self.schema)
        except (psycopg.errors.InsufficientPrivilege, psycopg.errors.ReadOnlySqlTransaction):
            return []
        except psycopg.Error as exc:
            raise self.explain(exc) from exc
        finally:
            connected.close()  # which takes back what was made

    # ---------- writing ----------

    def begin(self, connection: Any) -> None:
        """Begin a transaction that writes, after the one of another hub."""
        # each statement sees what was written before it: the lock is waited for by the first one
        connection.raw.execute("BEGIN ISOLATION LEVEL READ COMMITTED")
        try:
            connection.execute(
                "SELECT pg_advisory_xact_lock(hashtext(?), hashtext(?))", (f"pm-hub {self.schema}", _WRITE)
            )
            if self._run is not None:
                self._must_still_run(connection, self._run)
        except BaseException:
            connection.raw.execute("ROLLBACK")
            raise

    def upsert(self, connection: Any, table: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """COPY *rows* beside the table, then bring it up to them by two statements."""
        names = (*columns(BY_TABLE[table]), "source_id", "recorded_at", "run_id")
        data = names[1:-3]
        listed = ", ".join(names)
        mine, theirs = (", ".join(f"{one}.{name}" for name in data) for one in ("t", "n"))
        sets = ", ".join(f"{name} = n.{name}" for name in (*data, "recorded_at", "run_id"))
        run = connection.execute
        run("SAVEPOINT written")
        try:
            run(
                f"CREATE TEMP TABLE IF NOT EXISTS next_{table} AS SELECT 0::bigint AS place, {listed} "
                f"FROM {table} LIMIT 0"
            )
            run(f"TRUNCATE pg_temp.next_{table}")
            self._copy(connection, f"COPY pg_temp.next_{table} (place, {listed}) FROM STDIN", rows)
            if len(rows) > _FEW:
                run(f"ANALYZE pg_temp.next_{table}")
            updated = run(
                f"UPDATE {table} t SET {sets}, presence = 'present', presence_evidence = NULL "
                f"FROM pg_temp.next_{table} n WHERE n.id = t.id "
                f"AND (({mine}) IS DISTINCT FROM ({theirs}) OR t.presence <> 'present')"
            ).rowcount
            inserted = run(
                f"INSERT INTO {table} (key, {listed}) "
                f"SELECT (SELECT coalesce(max(key), 0) FROM {table}) + row_number() OVER (ORDER BY n.place), "
                f"{', '.join(f'n.{name}' for name in names)} FROM pg_temp.next_{table} n "
                f"WHERE NOT EXISTS (SELECT 1 FROM {table} t WHERE t.id = n.id) ORDER BY n.place"
            ).rowcount
        except BaseException:
            if self._lives(connection):
                run("ROLLBACK TO written")
                run("RELEASE written")
            raise
        run("RELEASE written")
        return int(updated + inserted)

    @staticmethod
    def _copy(connection: Connected, statement: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Send *rows*, each with its place; what PostgreSQL has no letters for is told by others."""
        connection.execute("SAVEPOINT copied")
        try:
            with connection.raw.cursor().copy(statement) as copy:
                for place, row in enumerate(rows):
                    copy.write_row((place, *row))
        except (UnicodeEncodeError, psycopg.DataError) as exc:
            # rare, so that nobody else pays for the look at every value
            if not unwritable(exc):
                raise
            connection.execute("ROLLBACK TO copied")
            with connection.raw.cursor().copy(statement) as copy:
                for place, row in enumerate(rows):
                    copy.write_row((place, *kept(row)))
        connection.execute("RELEASE copied")

    @staticmethod
    def _lives(connection: Connected) -> bool:
        return not connection.raw.closed and connection.in_transaction

    def insert(self, connection: Any, before: str, after: str, rows: Sequence[tuple[Any, ...]]) -> int:
        """Execute *before* ``VALUES (…), (…)`` *after*, some hundred rows a statement."""
        written = 0
        for start in range(0, len(rows), 1024):
            part = rows[start : start + 1024]
            marks = ", ".join([f"({', '.join('?' * len(part[0]))})"] * len(part))
            values = tuple(value for row in part for value in row)
            written += max(connection.execute(f"{before} VALUES {marks} {after}", values).rowcount, 0)
        return written

    @contextmanager
    def forgetful(self, connection: Any, tables: Sequence[str]) -> Iterator[None]:
        """Let *tables* be updated without keeping old images."""
        for table in tables:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER {table}_memory")
        yield
        for table in tables:
            connection.execute(f"ALTER TABLE {table} ENABLE TRIGGER {table}_memory")

    def rewrite(self, connection: Any, table: str, changes: Mapping[str, Value]) -> int:
        """Give each text of the columns what its function makes of it, each text once."""
        run = connection.execute
        run("CREATE TEMP TABLE IF NOT EXISTS past (name TEXT, was TEXT, new TEXT)")
        # a key would hold whole texts, of which PostgreSQL takes 2,704 bytes
        run("CREATE INDEX IF NOT EXISTS past_was ON pg_temp.past USING hash (was)")
        run("TRUNCATE pg_temp.past")
        for name, function in changes.items():
            texts = (old for (old,) in run(f"SELECT DISTINCT {name} FROM {table}") if old)
            found = [(name, old, new) for old in texts if (new := function(old)) != old]
            self.insert(connection, "INSERT INTO pg_temp.past", "", found)
        sets = ", ".join(
            f"{name} = coalesce((SELECT p.new FROM pg_temp.past p "
            f"WHERE p.name = '{name}' AND p.was = t.{name}), t.{name})"
            for name in changes
        )
        where = " OR ".join(
            f"t.{name} IN (SELECT p.was FROM pg_temp.past p WHERE p.name = '{name}')" for name in changes
        )
        return int(run(f"UPDATE {table} t SET {sets} WHERE {where}").rowcount)

    def matching(
        self, connection: Any, table: str, columns: Sequence[str],
        test: Callable[[str], bool], also: tuple[str, tuple[Any, ...]] = ("false", ()),
    ) -> Iterator[dict[str, Any]]:  # fmt: skip
        """Return the rows that have such a text: the server sends them, and they are looked at here."""
        shown = translated(f"SELECT ({also[0]}) AS also_wanted, t.* FROM {table} t")
        with psycopg.ClientCursor(connection.raw) as asking:
            query = asking.mogrify(shown, also[1])
        with connection.raw.transaction(), connection.raw.cursor("matching") as cursor:
            cursor.execute(query)
            names = [column.name for column in cursor.description or ()][1:]
            for wanted, *row in cursor:
                found = dict(zip(names, row, strict=True))
                if wanted or any(isinstance(found[one], str) and test(found[one]) for one in columns):
                    yield found

    def compact(self, connection: Any) -> None:
        """Leave nothing of what was rewritten in the tables' files."""
        for table in self.tables(connection):
            connection.execute(f"VACUUM (FULL) {table}")

    def tidy(self, connection: Any) -> tuple[int, list[str]]:
        """Free the room of dead rows for new ones, and count what the planner goes by.

        Gives how many dead rows the server knew of, and the tables that this account may not look after:
        such a table is left, as PostgreSQL itself does.
        """
        mine: list[str] = []
        others: list[str] = []
        dead = 0
        for table, rows, may in connection.execute(
            "SELECT c.relname, coalesce(pg_stat_get_dead_tuples(c.oid), 0), "
            "pg_has_role(c.relowner, 'USAGE') OR pg_has_role(d.datdba, 'USAGE') "
            "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
            "JOIN pg_database d ON d.datname = current_database() "
            "WHERE n.nspname = ? AND c.relkind = 'r' ORDER BY c.relname",
            (self.schema,),
        ).fetchall():
            (mine if may else others).append(table)
            dead += rows if may else 0
        for table in mine:
            connection.execute(f"VACUUM (ANALYZE) {table}")
        return dead, others

    # ---------- as a whole ----------

    def each(self, connection: Any, query: str) -> Iterator[tuple[Any, ...]]:
        """Return the rows of *query*, some thousand at a time; inside a transaction."""
        with connection.raw.cursor("each") as cursor:
            cursor.itersize = 10_000
            cursor.execute(query)
            yield from cursor

    def fill(
        self, connection: Any, table: str, names: Sequence[str], rows: Iterable[tuple[Any, ...]]
    ) -> None:
        """COPY *rows* into an empty *table*."""
        with connection.raw.cursor().copy(f"COPY {table} ({', '.join(names)}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)

    def storable(self, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return *row* without the letter 0, which PostgreSQL's texts do not hold."""
        return kept(row) if any(isinstance(one, str) and "\0" in one for one in row) else row

    # ---------- side by side ----------

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold an advisory lock by a connection of its own: the server lets go when its owner dies."""
        from hub.clock import now

        name = f"pm-hub {os.getpid()}@{socket.gethostname()} {now():%Y-%m-%dT%H:%M:%SZ}"[:63]
        holder = self._open(name=name)
        try:
            keys = (f"pm-hub {self.schema}", _RUN)
            (held,) = holder.execute(
                "SELECT pg_try_advisory_lock(hashtext(?), hashtext(?))", keys
            ).fetchone() or (0,)
            if not held:
                raise LockHeld(
                    tr(
                        "Another run is writing to {store}: {who}. Wait for it to end, or stop it.",
                        store=self.where,
                        who=self._holder(holder, keys),
                    )
                )
            self._run = self._running(holder)
            yield
            with suppress(psycopg.Error):  # at once: a connection takes a moment to end, if it has not
                holder.execute("SELECT pg_advisory_unlock_all()")
        except psycopg.Error as exc:
            raise self.explain(exc) from exc
        finally:
            self._run = None
            holder.close()

    def running(self) -> str | None:
        """Return the connection that holds the lock of this store's runs."""
        with self.reader() as connection:
            return self._running(connection)

    def _running(self, connection: Any) -> str | None:
        found = connection.execute(
            f"SELECT a.pid, extract(epoch FROM a.backend_start)::text {_HELD}",
            (f"pm-hub {self.schema}", _RUN),
        ).fetchone()
        return f"{found[0]} {found[1]}" if found else None

    def _must_still_run(self, connection: Any, run: str) -> None:
        if self._running(connection) != run:
            raise StoreError(
                tr(
                    "The run that writes to {store} has ended, or the server let go of its lock: "
                    "nothing more is written.",
                    store=self.where,
                )
            )

    def write_for(self, connection: Any, run: str, part: str) -> None:
        """Hold an advisory lock of the *part* by the very connection that writes it.

        So whoever held it before cannot write any more once that one is ended.
        """
        keys = (f"pm-hub {self.schema} part", part)
        connection.execute("SELECT set_config('application_name', ?, false)", (f"pm-hub part {part}"[:63],))
        until = time.monotonic() + LOCK_WAIT_S
        self._must_still_run(connection, run)
        self._run = run
        while not connection.execute(
            "SELECT pg_try_advisory_lock(hashtext(?), hashtext(?))", keys
        ).fetchone()[0]:
            connection.execute(f"SELECT pg_terminate_backend(l.pid) {_HELD}", keys).fetchall()
            if time.monotonic() > until:
                raise LockHeld(
                    tr(
                        "Another worker writes {part} to {store} and could not be ended: {who}.",
                        part=part, store=self.where, who=self._holder(connection, keys),
                    )
                )  # fmt: skip
            time.sleep(0.05)

    @staticmethod
    def _holder(connection: Connected, keys: tuple[str, str]) -> str:
        found = connection.execute(
            f"SELECT a.application_name, pg_get_userbyid(a.usesysid) {_HELD}", keys
        ).fetchone()
        if found is None or not (found[0] or "").startswith("pm-hub "):
            return tr("its owner did not leave a name")
        process, _, since = found[0].removeprefix("pm-hub ").partition(" ")
        pid, _, host = process.partition("@")
        return tr(
            "process {pid} of {user} on {host}, since {since}Z",
            pid=pid,
            user=found[1],
            host=host,
            since=since.rstrip("Z"),
        )

    @contextmanager
    def snapshot(self) -> Iterator[Streams]:
        """Read by ADBC, in one repeatable-read transaction."""
        try:
            import adbc_driver_postgresql
        except ImportError as exc:
            raise MissingExtra(
                tr(
                    "A feed of a store in PostgreSQL needs the package adbc-driver-postgresql: install "
                    "pm-hub with its extra postgresql, `pip install 'pm-hub[postgresql]'`."
                )
            ) from exc
        with self.reader() as connection:
            (quoted,) = connection.execute(
                "SELECT reset_val FROM pg_settings WHERE name = 'quote_all_identifiers'"
            ).fetchone() or ("off",)
        # the driver reads the names of types as it begins, and would know none of them in quotes
        also = {"options": "-c quote_all_identifiers=off"} if quoted == "on" else {}
        conninfo = psycopg.conninfo.make_conninfo(
            **(self._parameters() | {"application_name": "pm-hub feed"} | also)
        )
        reached = {"driver": adbc_driver_postgresql._driver_path(), "uri": conninfo}
        settings = self._settings(
            default_transaction_isolation="repeatable read", default_transaction_read_only="on"
        )
        with streams(self.where, reached, {}, before=settings) as stream:
            yield stream
