"""The certifications of `powerbi` and `fabric-mirror`.

What they wrote is read back by another reader than the one that wrote it.
"""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from hub import Destination
from hub.testing.kit import DestinationCertification, FolderPlace, Place
from hub_powerbi.destination import DATA, PowerBiDestination
from hub_powerbi.mirror import MirrorDestination


class Project(FolderPlace):
    """The data of the project as Power BI sees it; its instants are UTC without a zone."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Read the Parquet files."""
        return {path.stem: rows_of(path) for path in sorted((self.folder / "out" / DATA).glob("*.parquet"))}


def rows_of(path: Path) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file; instants without a zone are UTC."""
    with _reader().cursor() as connection:
        source = f"read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')"
        described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
        shown = ", ".join(
            f"{row[0]} AT TIME ZONE 'UTC'" if row[1] == "TIMESTAMP" else row[0] for row in described
        )
        return [
            dict(zip([row[0] for row in described], row, strict=True))
            for row in connection.execute(f"SELECT {shown} FROM {source}").fetchall()
        ]


@functools.cache
def _reader() -> duckdb.DuckDBPyConnection:
    """Return what reads files one after another: to open a database costs more than to read a small file."""
    connection = duckdb.connect()
    connection.execute("SET GLOBAL TimeZone = 'UTC'")
    return connection


class PowerBiCertification(DestinationCertification):
    """A Power BI project."""

    kind = "powerbi"

    def place(self, folder: Any) -> Place:
        """Make the folder."""
        return Project(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        """Deliver into a folder of it."""
        path = str(place.folder / "out")
        return PowerBiDestination(name="kit", path=path, privacy=privacy)  # type: ignore[arg-type]


def replayed(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Apply the files of a landing zone in the order of their numbers, as its documentation says."""
    tables: dict[str, list[dict[str, Any]]] = {}
    for place in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        key = json.loads((place / "_metadata.json").read_text())["keyColumns"]
        rows: dict[tuple[Any, ...], dict[str, Any]] = {}
        numbered = sorted(path for path in place.glob("*.parquet") if path.stem.isdigit())
        for number, path in enumerate(numbered, 1):
            if int(path.stem) != number:
                raise AssertionError(f"{place.name}: the file {number} is lacking")
            for row in rows_of(path):
                marker = row.pop("__rowMarker__", 0)
                at = tuple(row[name] for name in key)
                if marker == 2:
                    rows.pop(at, None)
                else:
                    rows[at] = row
        tables[place.name] = list(rows.values())
    return tables


class LandingZone(FolderPlace):
    """A landing zone as Fabric replays it."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Replay the files."""
        out = self.folder / "out"
        return replayed(out) if out.is_dir() else {}


class MirrorCertification(DestinationCertification):
    """Open mirroring: each table is brought up to date by itself."""

    kind = "fabric-mirror"
    tablewise: ClassVar[bool] = True

    def place(self, folder: Any) -> Place:
        """Make the folder."""
        return LandingZone(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        """Deliver into a folder of it."""
        path = str(place.folder / "out")
        return MirrorDestination(name="kit", path=path, privacy=privacy)  # type: ignore[arg-type]
