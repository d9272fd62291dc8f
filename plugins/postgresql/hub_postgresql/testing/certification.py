"""The certification of `postgresql`: a real server, and a wire to it that breaks before any message."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from psycopg import sql

from hub import Destination, Secret, model
from hub.testing.kit import DestinationCertification, Place
from hub_postgresql.destination import PostgresqlDestination
from hub_postgresql.testing.scratch import USER, Wire, scratch

SCHEMA = "feed"


class Database(Place):
    """A database of the scratch server."""

    def __init__(self, folder: Path) -> None:
        """Make it."""
        super().__init__(folder)
        self.server = scratch()
        self.name = self.server.database()
        self.wire = Wire(self.server.port)
        secret = folder / "password"
        secret.write_text(self.server.password)
        secret.chmod(0o600)

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Read each table that is there."""
        found: dict[str, list[dict[str, Any]]] = {}
        with self.server.connect(self.name) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            there = {
                row[0]
                for row in connection.execute(
                    "SELECT tablename FROM pg_tables WHERE schemaname = %s", [SCHEMA]
                )
            }
            for table in sorted(there & model().tables.keys()):
                cursor = connection.execute(
                    sql.SQL("SELECT * FROM {}.{}").format(sql.Identifier(SCHEMA), sql.Identifier(table))
                )
                names = [column.name for column in cursor.description or ()]
                found[table] = [dict(zip(names, row, strict=True)) for row in cursor]
        return found

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Let nobody reach the server."""
        self.wire.closed = True
        yield
        self.wire.closed = False

    @contextmanager
    def dying(self, at: int) -> Iterator[list[int]]:
        """Break the connection before the message number *at*."""
        yield self.wire.begin(at)
        self.wire.cut = 0


class PostgresqlCertification(DestinationCertification):
    """A schema of a database."""

    kind = "postgresql"

    def place(self, folder: Path) -> Place:
        """Make the database."""
        return Database(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        """Deliver through the wire."""
        assert isinstance(place, Database)
        return PostgresqlDestination(
            name="kit",
            host="127.0.0.1",
            port=place.wire.port,
            database=place.name,
            user=USER,
            password=Secret("file", "password", place.folder),
            schema=SCHEMA,
            privacy=privacy,  # type: ignore[arg-type]
        )
