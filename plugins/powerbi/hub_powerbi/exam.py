"""The exam of `powerbi`: its files read back by another reader than the one that wrote them."""

from __future__ import annotations

from typing import Any

import duckdb

from hub import Destination
from hub.testing.kit import DestinationExam, FolderPlace, Place
from hub_powerbi.destination import DATA, PowerBiDestination


class Project(FolderPlace):
    """The data of the project as Power BI sees it; its instants are UTC without a zone."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Read the Parquet files."""
        found: dict[str, list[dict[str, Any]]] = {}
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for path in sorted((self.folder / "out" / DATA).glob("*.parquet")):
                source = f"read_parquet('{str(path).replace(chr(39), chr(39) * 2)}')"
                described = connection.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
                shown = ", ".join(f"{row[0]} AT TIME ZONE 'UTC'" if row[1] == "TIMESTAMP" else row[0] for row in described)
                names = [row[0] for row in described]
                found[path.stem] = [
                    dict(zip(names, row, strict=True))
                    for row in connection.execute(f"SELECT {shown} FROM {source}").fetchall()
                ]
        return found


class PowerBiExam(DestinationExam):
    """A Power BI project."""

    kind = "powerbi"

    def place(self, folder: Any) -> Place:
        """Make the folder."""
        return Project(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        """Deliver into a folder of it."""
        return PowerBiDestination(name="kit", path=str(place.folder / "out"), privacy=privacy)  # type: ignore[arg-type]
