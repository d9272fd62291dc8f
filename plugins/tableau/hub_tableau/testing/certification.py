"""The certification of `tableau`: its files read back by Tableau's own engine."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from hub import Destination, model
from hub.testing.kit import DestinationCertification, FolderPlace, Place
from hub_tableau import hyper
from hub_tableau.destination import LATEST, TableauDestination

FACTS = tuple(name for name in model().tables if name.startswith("fact_"))


class Folder(FolderPlace):
    """The folder as Tableau sees it; its instants are UTC without a zone."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        """Read every table once, from the first file that has it."""
        from hub import table_caption

        found: dict[str, list[dict[str, Any]]] = {}
        files = sorted((self.folder / "out" / LATEST).glob("*.hyper"))
        if not files:
            return found
        with hyper.engine() as process:
            for path in files:
                with hyper.opened(process, path, new=False) as connection:
                    for table in hyper.tables_of(path.stem)[1]:
                        columns = model().tables[table].columns
                        rows = connection.execute_list_query(
                            f"SELECT * FROM {hyper.quoted(table_caption(table, 'en'))}"
                        )
                        found[table] = [
                            {
                                name: plain(value, column.type)
                                for value, (name, column) in zip(row, columns.items(), strict=True)
                            }
                            for row in rows
                        ]
        return found


def plain(value: Any, kind: str) -> Any:
    """Turn a value of the engine into one of Python."""
    if value is None:
        return None
    if kind == "DECIMAL(18,2)":
        return Decimal(str(value)).quantize(Decimal("0.01"))
    if kind == "DATE":
        return date(value.year, value.month, value.day)
    if kind == "TIMESTAMPTZ":
        return datetime(
            value.year,
            value.month,
            value.day,
            value.hour,
            value.minute,
            value.second,
            value.microsecond,
            tzinfo=UTC,
        )
    return value


class TableauCertification(DestinationCertification):
    """A folder of .hyper files."""

    kind = "tableau"
    tables = frozenset(name for fact in FACTS for name in hyper.tables_of(fact)[1])

    def place(self, folder: Any) -> Place:
        """Make the folder."""
        return Folder(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        """Deliver every fact into a folder of it."""
        return TableauDestination(
            name="kit",
            path=str(place.folder / "out"),
            facts=FACTS,
            privacy=privacy,  # type: ignore[arg-type]
        )
