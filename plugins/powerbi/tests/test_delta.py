"""Delta tables: the feed in each, one commit a table.

Nothing where nothing changed, and a form that Fabric reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hub_powerbi import delta
from hub_powerbi.delta import DeltaDestination

from hub import ConfigError, DeliveryContext, Destination
from hub.http import Session
from hub.testing.kit import DestinationCertification, FolderPlace, Place, SimulatorServer, certify, microsoft
from hub.testing.kit.deliveries import counter
from hub.testing.kit.harness import Crash

deltalake = pytest.importorskip("deltalake", reason="needs the extra [delta]: run `make test-delta`")
SAMPLE = ("delivers-the-feed", "changes-arrive", "refusals-are-told")


class Lakehouse(FolderPlace):
    """The tables by the log of each; the Parquet files it names are read by another reader."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        found = {}
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for place in (self.folder / "out").glob("*"):
                if not deltalake.DeltaTable.is_deltatable(str(place)):
                    continue
                files = deltalake.DeltaTable(str(place)).file_uris()
                if not files:  # no row
                    found[place.name] = []
                    continue
                cursor = connection.execute("SELECT * FROM read_parquet(?)", [files])
                names = [column[0] for column in cursor.description]
                found[place.name] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        return found

    @contextmanager
    def dying(self, at: int) -> Iterator[list[int]]:
        """Die before the commit number *at*: the library writes outside of Python's sight."""
        seen: list[int] = []
        honest = delta.commit

        def commit(*given: Any) -> None:
            seen.append(len(seen) + 1)
            if len(seen) == at:
                raise Crash
            honest(*given)

        delta.commit = commit
        try:
            yield seen
        finally:
            delta.commit = honest


class DeltaCertification(DestinationCertification):
    """Delta tables."""

    kind = "delta"
    tablewise = True

    def place(self, folder: Any) -> Place:
        return Lakehouse(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        path = str(place.folder / "out")
        return DeltaDestination(name="kit", path=path, privacy=privacy)  # type: ignore[arg-type]


def test_it_is_gold(proof: bool) -> None:
    report = certify(DeltaCertification(), only=() if proof else SAMPLE)

    assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
    if proof:
        assert "gold" == report.level


def test_fabric_can_read_every_table_and_only_changes_make_versions() -> None:
    """No instant is without a zone, which needs a newer reader than Fabric's SQL endpoint.

    A second delivery commits nothing.
    """
    with counter(DeltaCertification(), 3) as desk:
        desk.deliver()
        again = desk.deliver().deliveries[0]
        tables = {
            place.name: deltalake.DeltaTable(str(place)) for place in (desk.place.folder / "out").iterdir()
        }
        desk.change()
        desk.deliver()
        versions = {name: deltalake.DeltaTable(table.table_uri).version() for name, table in tables.items()}

    assert ("0 tables have a new version.",) == again.notes
    assert {(1, 2)} == {
        (table.protocol().min_reader_version, table.protocol().min_writer_version)
        for table in tables.values()
    }
    assert "timestamp_ntz" not in str([table.schema().to_json() for table in tables.values()])
    assert {0, 1} == set(versions.values())
    assert 1 == versions["fact_worklog"]


def test_a_lakehouse_is_named_and_opened_as_the_library_wants(tmp_path: Path) -> None:
    class Tenant:
        def answer(self, request: Any) -> Any:
            return microsoft.sign_in(request)

    with SimulatorServer(Tenant()) as site:  # type: ignore[arg-type]
        place = DeltaDestination(
            name="lake",
            url="https://onelake.dfs.fabric.microsoft.com/ws/pmo.Lakehouse/Tables/",
            account=microsoft.account(site.url),
        )
        context = DeliveryContext(base=tmp_path, name="lake", session=Session)
        options = place.options(context)
        context.close()

    assert "abfss://ws@onelake.dfs.fabric.microsoft.com/pmo.Lakehouse/Tables/dim_task" == place.place_of(
        context, "dim_task"
    )
    assert {"bearer_token": microsoft.TOKEN, "use_fabric_endpoint": "true"} == options


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"path": "a", "url": "https://onelake.b"},
        {"url": "https://onelake.dfs.fabric.microsoft.com/a"},
        {"url": "https://elsewhere/a"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="The destination lake"):
        DeltaDestination(name="lake", **wrong)
