"""A folder of Parquet as the place of a feed: a hub's own, or one that its destination `files` wrote."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from hub import SourceDataError, model, tr
from hub_hub.feed import ASKED_OF_TOOLS, TABLES, Facts, no_feed, not_whole, other_rows, shaped, tools_of

if TYPE_CHECKING:
    import duckdb

TRIES = 3


class _Kept(msgspec.Struct, frozen=True):
    """One table as the manifest tells it: its *rows*, and the digest of each of its *files*."""

    rows: int
    files: dict[str, str]


class _Contract(msgspec.Struct, frozen=True):
    """What every manifest says, of whatever contract the rest is."""

    feed_id: str
    contract: int


class _Manifest(msgspec.Struct, frozen=True):
    """What a manifest of this contract says of its feed."""

    feed_id: str
    built_at: datetime
    tables: dict[str, _Kept]


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
            self._read(connection, folder, manifest, "dim_source")
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
                        self._read(connection, folder, manifest, table)
                    problem = self._other(connection, manifest) or self._whole(folder, manifest)
                except _Torn as exc:
                    problem = str(exc)
            if not problem and self._manifest()[1].feed_id == manifest.feed_id:
                return self._facts(connection, manifest)
        raise not_whole(self.root, problem or tr("another one took its place while it was read"))

    def _manifest(self) -> tuple[Path, _Manifest]:
        """Return the folder of the feed and its manifest. Raises `SourceError`."""
        folder = self.root
        try:
            if (self.root / "CURRENT").is_file():
                # an editor, or what copies folders, may have given it a mark of UTF-8, or other line ends
                named = (self.root / "CURRENT").read_text(encoding="utf-8-sig").strip()
                if Path(named).name != named:
                    raise not_whole(self.root, "CURRENT")
                folder = self.root / named
            elif (self.root / "latest").is_dir():
                folder = self.root / "latest"
            written = (folder / "manifest.json").read_text(encoding="utf-8-sig")
            told = msgspec.json.decode(written, type=_Contract)
        except OSError as exc:
            raise no_feed(folder, exc.strerror or exc) from exc
        except (ValueError, msgspec.MsgspecError) as exc:
            raise not_whole(folder, "manifest.json") from exc
        if told.contract != model().contract:
            raise SourceDataError(
                tr(
                    "{root}: the feed {feed} is of contract {theirs}, this hub reads {ours}. Bring both hubs "
                    "to one version.",
                    root=self.root,
                    feed=told.feed_id,
                    theirs=told.contract,
                    ours=model().contract,
                )
            )
        try:
            manifest = msgspec.json.decode(written, type=_Manifest)
        except msgspec.MsgspecError as exc:
            raise not_whole(folder, "manifest.json") from exc
        if manifest.built_at.tzinfo is None:
            raise not_whole(folder, "manifest.json")
        return folder, manifest

    def _facts(self, connection: duckdb.DuckDBPyConnection, manifest: _Manifest) -> Facts:
        return Facts(
            mark=manifest.feed_id,
            built_at=manifest.built_at,
            tools=tools_of(connection.execute(f"{ASKED_OF_TOOLS} FROM dim_source ORDER BY name").fetchall()),
        )

    def _files(self, folder: Path, manifest: _Manifest, table: str) -> dict[Path, str]:
        """Return the files of *table*, those that the manifest names and no other, each with its digest.

        A copy that was left beside them in a conflict is none of the feed. Raises `_Torn` for one that
        lies elsewhere, or is no file.
        """
        tables = folder / "parquet" if (folder / "parquet").is_dir() else folder
        found, inside = {}, self.root.resolve()
        for name, digest in manifest.tables[table].files.items() if table in manifest.tables else ():
            path = (tables / name).resolve()
            if not path.is_relative_to(inside) or not path.is_file():
                raise _Torn(name)
            found[path] = digest
        return found

    def _whole(self, folder: Path, manifest: _Manifest) -> str:
        """Say what of the files is not as the manifest says; empty where all is."""
        for table in TABLES:
            try:
                for path, digest in self._files(folder, manifest, table).items():
                    with path.open("rb") as file:
                        if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                            return path.name
            except (_Torn, OSError) as exc:
                return str(exc) if isinstance(exc, _Torn) else table
        return ""

    def _read(
        self, connection: duckdb.DuckDBPyConnection, folder: Path, manifest: _Manifest, table: str
    ) -> None:
        import duckdb

        files = [str(path) for path in self._files(folder, manifest, table)]
        if not files:
            raise _Torn(table)
        try:
            read = connection.from_parquet(files, hive_partitioning=False)
            read.create_view("_read")
            there = set(read.columns)
            connection.execute(
                f"CREATE TABLE {table} AS SELECT {shaped(table, there, str(self.root))} FROM _read"
            )
            connection.execute("DROP VIEW _read")
        except duckdb.Error as exc:
            raise _Torn(table) from exc

    def _other(self, connection: duckdb.DuckDBPyConnection, manifest: _Manifest) -> str:
        """Say which table has other rows than the manifest says."""
        for table in TABLES:
            ((rows,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
            wanted = manifest.tables[table].rows if table in manifest.tables else None
            if rows != wanted:
                return other_rows(table, rows, wanted)
        return ""
