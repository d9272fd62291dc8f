"""A schema of PostgreSQL as a destination.

Readers see the whole feed before a delivery or the whole one after it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from hub import (
    Check,
    ConfigError,
    Delivery,
    DeliveryContext,
    DeliveryError,
    Destination,
    FeedView,
    Port,
    Secret,
    server_parameters,
    session_sql,
    tr,
)

if TYPE_CHECKING:
    import psycopg

LOCK_WAIT = "60s"


class PostgresqlDestination(Destination, frozen=True, kw_only=True):
    """The feed as the tables of *schema* in *database*, which the roles in *readers* may read.

    *host* is a name or address, or the folder of a local server's socket. Connections to other machines are
    encrypted and the server's certificate is verified, by the file *ca* or else by the authorities that this
    machine trusts. Without *password* the server decides how the account proves itself (a certificate, the
    account of this machine, a file ``.pgpass``). With *row_security* each role sees the rows that access.csv
    allows the address or name that the role bears.
    """

    kind: ClassVar[str] = "postgresql"

    host: str
    database: str
    user: str
    port: Port = 5432
    password: Secret | None = None
    schema: str = "feed"
    readers: tuple[str, ...] = ()
    ca: str | None = None
    row_security: bool = False

    @property
    def addresses(self) -> bool:
        """Say whether row policies compare who looks with the addresses of ``dim_access``."""
        return self.row_security

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if self.schema in {"public", "information_schema", ""} or self.schema.startswith("pg_"):
            raise ConfigError(
                tr(
                    "The destination {name}: schema {schema!r} is PostgreSQL's own; give the feed one of "
                    "its own, such as feed.",
                    name=self.name,
                    schema=self.schema,
                )
            )
        if "://" in self.host or "@" in self.host or "," in self.host:
            raise ConfigError(
                tr(
                    "The destination {name}: host is the name of one machine, without address, account "
                    "or password.",
                    name=self.name,
                )
            )

    def check(self, ctx: DeliveryContext) -> Iterable[Check]:
        """Connect, and look at rights, encoding and readers; change nothing."""
        from hub_postgresql.tables import Schema

        with self._connected(ctx) as connection:
            secured = connection.pgconn.ssl_in_use
            version = connection.info.parameter_status("server_version")
            detail = tr(
                "PostgreSQL {version} at {place}, encrypted"
                if secured
                else "PostgreSQL {version} at {place}, on this machine",
                version=version,
                place=self._place,
            )
            yield Check(name="database", state="ok", detail=detail)
            problems = Schema(connection, self.schema).lacking(self.readers)
            yield from (Check(name="rights", state="failed", detail=problem) for problem in problems)
            if not problems:
                yield Check(
                    name="rights",
                    state="ok",
                    detail=tr("{user} may write the schema {schema}", user=self.user, schema=self.schema),
                )

    def deliver(self, ctx: DeliveryContext, feed: FeedView) -> Delivery:
        """Bring every table up to the feed in one transaction, and count its rows before it ends."""
        from hub_postgresql.tables import Schema  # psycopg loads where a database is reached

        with self._connected(ctx) as connection:
            schema = Schema(connection, self.schema)
            if problems := schema.lacking(self.readers):
                raise DeliveryError(f"{self._place}: {' '.join(problems)}")
            connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"pm-hub {self.schema}"])
            shaped = schema.shape(feed.tables, feed.lang)
            changed = {table: schema.merge(table, feed) for table in feed.tables}
            schema.protect(feed.tables, wanted=self.row_security)
            schema.finish(feed.tables, self.readers)
            rows = {table: schema.rows(table) for table in feed.tables}
            for table, count in rows.items():
                ((wanted,),) = feed.connection.execute(f"SELECT count(*) FROM {table}").fetchall()
                if count != wanted:
                    raise DeliveryError(
                        tr(
                            "{place}: {schema}.{table} has {count} rows where the feed has {wanted}: a "
                            "trigger or rule of the database changes them. Nothing was delivered.",
                            place=self._place,
                            schema=self.schema,
                            table=table,
                            count=count,
                            wanted=wanted,
                        )
                    )
        return Delivery(where=self._place, rows=rows, notes=_told(changed, shaped))

    @property
    def _place(self) -> str:
        return f"postgresql://{self.host}:{self.port}/{self.database}/{self.schema}"

    @contextmanager
    def _connected(self, ctx: DeliveryContext) -> Iterator[psycopg.Connection[Any]]:
        """Return a connection in a transaction that is taken back unless all goes well.

        Raises `DeliveryError` saying what the server said.
        """
        import psycopg

        reached = server_parameters(
            self.host, str(ctx.resolve(self.ca)) if self.ca else None,
            port=self.port, database=self.database, user=self.user,
            password=None if self.password is None else self.password.reveal(),
        )  # fmt: skip
        try:
            with psycopg.connect(**reached) as connection:
                connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED
                connection.execute(session_sql(search_path="pg_catalog, pg_temp", lock_timeout=LOCK_WAIT))
                yield connection
        except psycopg.Error as exc:
            raise DeliveryError(f"{self._place}: {_said(exc)}") from exc


def _told(changed: dict[str, int], shaped: list[str]) -> tuple[str, ...]:
    rows, tables = sum(changed.values()), sum(1 for count in changed.values() if count)
    told = (
        tr(
            "{rows:,} {rows:row|rows} changed, in {tables} of {count} tables.",
            rows=rows,
            tables=tables,
            count=len(changed),
        )
        if rows
        else tr("No row changed.")
    )
    return (
        (
            told,
            tr(
                "Tables made anew: {tables}.",
                tables=", ".join(shaped[:3]) + (" …" if len(shaped) > 3 else ""),
            ),
        )
        if shaped
        else (told,)
    )


def _said(exc: psycopg.Error) -> str:
    """Return what went wrong and what to do; what PostgreSQL says holds no password."""
    import psycopg
    from psycopg import errors

    said = " ".join(str(exc).split())[:400].rstrip(".? ")
    match exc:
        case errors.LockNotAvailable():
            return tr(
                "something holds a table for more than {lock_wait}, such as a program that is "
                "changing it: publish again when it has ended ({said}).",
                lock_wait=LOCK_WAIT,
                said=said,
            )
        case errors.DependentObjectsStillExist():
            return tr(
                "a view or another thing of yours stands on a column that the feed no longer has as "
                "it was. Drop it, publish, make it again ({said}).",
                said=said,
            )
        case errors.InsufficientPrivilege():
            return tr(
                "the account lacks a right: {said}. GRANT it, or let the account own the schema.", said=said
            )
        case errors.DiskFull():
            return tr(
                "the server's disk is full: {said}. Nothing was delivered, readers keep what they had.",
                said=said,
            )
        case psycopg.OperationalError():
            return tr(
                "the server cannot be reached, refused the account, or ended the connection: {said}. "
                "Readers keep what they had.",
                said=said,
            )
    return tr("PostgreSQL refused: {said}. Nothing was delivered, readers keep what they had.", said=said)
