"""A folder of Parquet as the place of a feed: a hub's own, or one that its destination `files` wrote."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub import SourceDataError, model, tr
from hub_hub.feed import TABLES, Facts, no_feed, not_whole, other_rows, shaped, tools_of

if TYPE_CHECKING:
    import duckdb

TRIES = 3


class _Torn(Exception):
    """A table of the feed cannot be read: its files went while they were."""


class Folder:
    """The feed below *root*: its current one, its ``latest``, or the folder itself."""

    def __init__(self, root: Path) -> None:
        """Read nothing yet."""
        self.root = root

    def facts(self) -> Facts:
        """Return what the manifest says."""
        import duckdb

        folder, manifest = self._manifest()
        connection = duckdb.connect()
        try:
            connection.execute("SET TimeZone = 'UTC'")
            self._read(connection, folder, "dim_source")
            return self._facts(connection, manifest)
        except _Torn as exc:
            raise not_whole(self.root, str(exc)) from exc
        finally:
            connection.close()

    def bring(self, connection: duckdb.DuckDBPyConnection, scratch: Path) -> Facts:
        """Read one feed whole; one that is switched meanwhile is read again."""
        problem = ""
        for _ in range(TRIES):
            folder, manifest = self._manifest()
            problem = self._whole(folder, manifest)
            if not problem:
                try:
                    for table in TABLES:
                        connection.execute(f"DROP TABLE IF EXISTS {table}")
                        self._read(connection, folder, table)
                    problem = self._other(connection, manifest) or self._whole(folder, manifest)
                except _Torn as exc:
                    problem = str(exc)
            if not problem and self._manifest()[1]["feed_id"] == manifest["feed_id"]:
                return self._facts(connection, manifest)
        raise not_whole(self.root, problem or tr("another one took its place while it was read"))

    def _manifest(self) -> tuple[Path, dict[str, Any]]:
        """Return the folder of the feed and its manifest. Raises `SourceError`."""
        folder = self.root
        try:
            if (self.root / "CURRENT").is_file():
                folder = self.root / (self.root / "CURRENT").read_text(encoding="utf-8").strip()
            elif (self.root / "latest").is_dir():
                folder = self.root / "latest"
            manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
            feed_id, contract = manifest["feed_id"], manifest["contract"]
            datetime.fromisoformat(manifest["built_at"])
        except OSError as exc:
            raise no_feed(folder, exc.strerror or exc) from exc
        except (ValueError, KeyError, TypeError) as exc:
            raise not_whole(folder, "manifest.json") from exc
        if contract != model().contract:
            raise SourceDataError(
                tr(
                    "{root}: the feed {feed} is of contract {theirs}, this hub reads {ours}. Bring both hubs "
                    "to one version.",
                    root=self.root,
                    feed=feed_id,
                    theirs=contract,
                    ours=model().contract,
                )
            )
        return folder, manifest

    def _facts(self, connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> Facts:
        rows = connection.execute(
            "SELECT name, plugin, last_success_at, freshness_max_s FROM dim_source ORDER BY name"
        ).fetchall()
        return Facts(
            mark=manifest["feed_id"],
            built_at=datetime.fromisoformat(manifest["built_at"]),
            tools=tools_of(rows),
        )

    def _tables(self, folder: Path) -> Path:
        return folder / "parquet" if (folder / "parquet").is_dir() else folder

    def _whole(self, folder: Path, manifest: dict[str, Any]) -> str:
        """Say what of the files is not as the manifest says; empty where all is."""
        for table in TABLES:
            for name, digest in manifest["tables"].get(table, {}).get("files", {}).items():
                try:
                    with (self._tables(folder) / name).open("rb") as file:
                        if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                            return str(name)
                except OSError:
                    return str(name)
        return ""

    def _read(self, connection: duckdb.DuckDBPyConnection, folder: Path, table: str) -> None:
        import duckdb

        place = f"{(self._tables(folder) / table).as_posix()}/**/*.parquet".replace("'", "''")
        try:
            there = {
                row[0]
                for row in connection.execute(
                    f"DESCRIBE SELECT * FROM read_parquet('{place}', hive_partitioning = false)"
                ).fetchall()
            }
            connection.execute(
                f"CREATE TABLE {table} AS SELECT {shaped(table, there, str(self.root))} "
                f"FROM read_parquet('{place}', hive_partitioning = false)"
            )
        except duckdb.Error as exc:
            raise _Torn(table) from exc

    def _other(self, connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> str:
        """Say which table has other rows than the manifest says."""
        for table in TABLES:
            row = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
            wanted = manifest["tables"].get(table, {}).get("rows")
            if row is None or row[0] != wanted:
                return other_rows(table, row[0] if row else 0, wanted)
        return ""
