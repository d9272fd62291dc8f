"""Delta tables: the feed in each, one commit a table.

Nothing where nothing changed, and a form that Fabric reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import delta_reader
import duckdb
import pytest
from hub_powerbi import delta
from hub_powerbi.delta import DeltaDestination

from hub import ConfigError, DeliveryContext, Destination, model
from hub.feed import open_feed
from hub.http import Session
from hub.testing.kit import DestinationCertification, FolderPlace, Place, SimulatorServer, certify, microsoft
from hub.testing.kit.deliveries import counter
from hub.testing.kit.harness import Crash

deltalake = pytest.importorskip("deltalake", reason="needs the extra [delta]: run `make test-delta`")
SAMPLE = ("delivers-the-feed", "changes-arrive", "refusals-are-told")


def _columns(place: Path) -> dict[str, Any]:
    """Return the columns of the feed's table; the month of a part may stand beside them."""
    return model().tables[place.name].columns


class Lakehouse(FolderPlace):
    """The tables by another reader than the library that wrote them."""

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        found = {}
        with duckdb.connect() as connection:
            connection.execute("SET TimeZone = 'UTC'")
            for place in (self.folder / "out").glob("*"):
                if not (place / "_delta_log").is_dir():
                    continue
                wanted = [name for name in delta_reader.read(place).columns if name in _columns(place)]
                rows = delta_reader.read(place).relation(connection).select(*wanted).fetchall()
                found[place.name] = [dict(zip(wanted, row, strict=True)) for row in rows]
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


def test_another_reader_finds_every_row_sum_and_type() -> None:
    """By the log alone, as the protocol describes it, each table is that of the feed, in parts by month."""
    with counter(DeltaCertification(), 3) as desk, duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for _ in range(2):  # the second has commits that take files away
            desk.deliver()
            desk.change()
        shown = open_feed(Path(desk.deliver().folder))
        for name, table in model().tables.items():
            found = delta_reader.read(desk.place.folder / "out" / name)
            rows = found.relation(connection)
            sums = [column for column, facts in table.columns.items() if _is_number(facts.type)]
            asked = f"SELECT count(*){''.join(f', round(sum({one}::DOUBLE), 6)' for one in sums)} FROM "

            assert [(name, *row) for row in shown.execute(asked + name).fetchall()] == [
                (name, *row) for row in connection.sql(asked + "rows").fetchall()
            ]
            assert found.said_rows() == len(rows)
            assert {column: _typed(facts.type) for column, facts in table.columns.items()} == {
                column: found.columns[column] for column in table.columns
            }
            assert [_typed(facts.type) for facts in table.columns.values()] == [
                str(type_) for type_ in rows.select(*table.columns).types
            ]
            months = ("year_month",) if name in delta.MONTHLY else ()
            assert months == found.partitioned
        shown.close()


def test_versions_of_more_than_a_week_go_and_tidying_makes_none() -> None:
    """Files that no version of the week has are deleted, though nothing changes; the rows stay as written."""
    with counter(DeltaCertification(), 3) as desk:
        desk.deliver()
        desk.change()
        desk.deliver()
        place = desk.place.folder / "out" / "fact_worklog"
        _aged(place, days=8)
        before = delta_reader.read(place)
        assert len(before.files) < len([*place.rglob("*.parquet")])

        told = [desk.deliver().deliveries[0].notes for _ in range(2)]
        after = delta_reader.read(place)

        assert [("0 tables have a new version.",)] * 2 == told
        assert {one["path"] for one in before.files} == {one["path"] for one in after.files}
        assert len(after.files) == len([*place.rglob("*.parquet")])


def _aged(place: Path, *, days: int) -> None:
    """Make every commit and every file that was taken away *days* older."""
    for commit in (place / "_delta_log").glob("*.json"):
        lines = [json.loads(line) for line in commit.read_text().splitlines()]
        for line in lines:
            for action, stamp in (("commitInfo", "timestamp"), ("remove", "deletionTimestamp")):
                if action in line:
                    line[action][stamp] -= days * 24 * 3600 * 1000
        commit.write_text("".join(json.dumps(line) + "\n" for line in lines))


def _typed(kind: str) -> str:
    return {"TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE"}.get(kind, kind)


def _is_number(kind: str) -> bool:
    return kind in {"BIGINT", "DOUBLE"} or kind.startswith("DECIMAL")


def test_a_table_of_one_part_becomes_one_of_months(tmp_path: Path) -> None:
    """What an older hub wrote is written again in parts, and its rows are there once."""
    with counter(DeltaCertification(), 3) as desk:
        place = desk.place.folder / "out" / "fact_worklog"
        place.mkdir(parents=True)
        deltalake.write_deltalake(
            place, duckdb.sql("SELECT 'old' AS worklog_id, DATE '2026-01-01' AS work_date")
        )
        desk.deliver()
        found = delta_reader.read(place)

    assert (1, ("year_month",)) == (found.version, found.partitioned)
    assert len({one["partitionValues"]["year_month"] for one in found.files}) == len(found.files)


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
