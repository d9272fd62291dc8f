"""The certification of `files`: its folder read back by another reader than the one that wrote it."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import duckdb

from hub import Destination
from hub.testing.kit import DestinationCertification, FolderPlace, Place
from hub_files.destination import LATEST, FilesDestination


class Folder(FolderPlace):
    """The folder as a dashboard sees it."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Read the Parquet tables; the CSV tables have to hold as many rows."""
        found: dict[str, list[dict[str, Any]]] = {}
        root = self.folder / "out" / LATEST
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for path in sorted((root / "parquet").glob("*")):
                glob = str(path / "**" / "*.parquet").replace("'", "''")
                cursor = connection.execute(
                    f"SELECT * FROM read_parquet('{glob}', hive_partitioning = false)"
                )
                names = [column[0] for column in cursor.description]
                found[path.name] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        for path in sorted((root / "csv").glob("*.csv")):
            with path.open(encoding="utf-8", newline="") as file:
                count = sum(1 for _ in csv.DictReader(file))
            if count != len(found[path.stem]):
                raise ValueError(f"{path.name} holds {count} rows, the Parquet table {len(found[path.stem])}")
        return found


class FilesCertification(DestinationCertification):
    """The folder of files."""

    kind = "files"

    def place(self, folder: Path) -> Place:
        """Make the folder."""
        return Folder(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        """Deliver into a folder of it."""
        return FilesDestination(name="kit", path=str(place.folder / "out"), privacy=privacy)  # type: ignore[arg-type]
