"""Open mirroring: whatever is cut or refused, replaying the landing zone yields the feed.

In a folder and in a simulator of OneLake.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from hub_powerbi.mirror import MirrorDestination
from hub_powerbi.service import onelake
from hub_powerbi.service.web import Web
from hub_powerbi.testing.certification import LandingZone, MirrorCertification, replayed
from hub_powerbi.testing.services import WORKSPACE, OneLake

from hub import ConfigError, DeliveryContext, Destination, model
from hub.http import Session
from hub.testing.kit import (
    DestinationCertification,
    Place,
    Request,
    Response,
    SimulatorServer,
    certify,
    microsoft,
)
from hub.testing.kit.deliveries import counter
from hub.testing.kit.harness import Crash

ITEM = "pmo.MountedRelationalDatabase/Files/LandingZone"
SAMPLE = ("destination-check-tells-the-truth", "refusals-are-told")


class Lake(Place):
    """OneLake, as Fabric replays it: kept files are brought to a folder and read there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.site = OneLake()
        self.simulator = SimulatorServer(self.site, most=10**9)  # type: ignore[arg-type]

    def tables(self) -> dict[str, list[dict[str, Any]]]:
        out = self.folder / "brought"
        for name, content in self.site.files.items():
            place = out / name.partition("LandingZone/")[2]
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(content)
        return replayed(out) if out.is_dir() else {}

    @contextmanager
    def refusing(self) -> Iterator[None]:
        self.site.refuses = 403
        yield
        self.site.refuses = 0

    @contextmanager
    def dying(self, at: int) -> Iterator[list[int]]:
        """Answer nothing sensible from the write number *at* on."""
        seen: list[int] = []

        def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
            seen.extend([len(seen) + 1] if request.method in {"PUT", "PATCH", "DELETE"} else [])
            return Response(status=400, body={}) if at and len(seen) >= at else honest()

        self.simulator.fault = fault
        yield seen
        self.simulator.fault = None


class LakeCertification(MirrorCertification):
    """The same in OneLake."""

    def place(self, folder: Any) -> Place:
        return Lake(folder)

    def destination(self, place: Place, *, privacy: str) -> Destination:
        assert isinstance(place, Lake)
        url = f"{place.simulator.url}/{WORKSPACE}/{ITEM}"
        return MirrorDestination(
            name="kit", url=url, account=microsoft.account(place.simulator.url), privacy=privacy
        )  # type: ignore[arg-type]


@pytest.mark.long
@pytest.mark.parametrize(
    "certification", [MirrorCertification(), LakeCertification()], ids=["folder", "onelake"]
)
def test_it_is_gold(
    certification: DestinationCertification, proof: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onelake, "CHUNK", 4000)  # several blocks a file
    report = certify(
        certification,
        only=() if proof else SAMPLE[: 2 if isinstance(certification, LakeCertification) else 1],
    )

    assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
    if proof:
        assert "gold" == report.level


@pytest.mark.long
@pytest.mark.parametrize(
    "certification", [MirrorCertification(), LakeCertification()], ids=["folder", "onelake"]
)
def test_after_random_publishes_with_deaths_the_replayed_tables_are_the_feed(
    certification: DestinationCertification, proof: bool
) -> None:
    """Each calm publish after others that were cut at a random write is the feed, whatever they left behind.

    30 publishes to each, or one to the folder in short tests.
    """
    if isinstance(certification, LakeCertification) and not proof:
        pytest.skip("make proof has the lake too")
    rng = random.Random(5)
    with counter(certification, 2026) as desk:
        for day in range(30 if proof else 1):
            for _ in range(rng.randint(0, 3)):
                rng.choice((desk.world.edit, desk.world.add, desk.world.delete))()
            desk.sync()
            try:
                with desk.place.dying(rng.randint(1, 60)):
                    desk.deliver()
            except Crash:
                pass
            if rng.random() < 0.5:
                desk.change()
            desk.must_show(desk.deliver(), f"on day {day}")


@pytest.mark.long
def test_the_files_are_those_that_fabric_documents() -> None:
    """Files follow the rules of a landing zone.

    Numbers without a gap, keys once, the marker in the last column and none in the first file, upserts and
    deletes, instants in UTC, nothing where nothing changed.
    """
    with counter(MirrorCertification(), 2026) as desk:
        desk.deliver()
        desk.change()
        report = desk.deliver()
        quiet = desk.deliver()
        zone = desk.place.folder / "out"
        with duckdb.connect() as connection:
            for place in zone.iterdir():
                names = sorted(path.name for path in place.iterdir())
                numbered = [name for name in names if name.endswith(".parquet")]
                assert [f"{number:020d}.parquet" for number in range(1, len(numbered) + 1)] == numbered
                assert {"keyColumns": list(model().tables[place.name].key)} == json.loads(
                    (place / "_metadata.json").read_text()
                )
                for number, name in enumerate(numbered):
                    described = connection.execute(
                        f"DESCRIBE SELECT * FROM read_parquet('{place / name}')"
                    ).fetchall()
                    columns = [row[0] for row in described]
                    assert [
                        *model().tables[place.name].columns,
                        *(["__rowMarker__"] if number else []),
                    ] == columns
                    assert "TIMESTAMP" not in {row[1] for row in described}, "an instant without a zone"
            second = [str(path) for path in zone.glob(f"*/{2:020d}.parquet")]
            markers = connection.execute(
                f"SELECT DISTINCT __rowMarker__ FROM read_parquet({second}, union_by_name = true) ORDER BY 1"
            ).fetchall()

    assert (("published",), [(2,), (4,)]) == ((report.deliveries[0].state,), markers)
    assert ("No table changed.",) == quiet.deliveries[0].notes or "1 table" in quiet.deliveries[0].notes[0]


@pytest.mark.long
def test_fabric_moves_away_what_it_has_read() -> None:
    """Only the last file stays: numbers go on from it."""
    with counter(MirrorCertification(), 2026) as desk:
        desk.deliver()
        desk.change()
        desk.deliver()
        place = desk.place.folder / "out" / "fact_worklog"
        (place / f"{1:020d}.parquet").rename(place / "_moved.parquet")
        desk.change()
        desk.deliver()

        assert (place / f"{3:020d}.parquet").exists()


@pytest.mark.long
def test_a_table_that_somebody_removed_is_begun_anew() -> None:
    with counter(MirrorCertification(), 2026) as desk:
        desk.deliver()
        for path in (desk.place.folder / "out" / "dim_task").iterdir():
            path.unlink()
        desk.change()

        desk.must_show(desk.deliver(), "after somebody emptied a table")


@pytest.mark.long
@pytest.mark.parametrize("lost", ["current.parquet", "state.json"])
def test_a_table_whose_memory_a_disk_lost_is_begun_anew(lost: str, proof: bool) -> None:
    if lost == "current.parquet" and not proof:
        pytest.skip("make proof loses both files")
    with counter(MirrorCertification(), 2026) as desk:
        desk.deliver()
        (desk.root / "data" / "mirror" / "kit" / "dim_task" / lost).write_bytes(b"")
        desk.change()

        desk.must_show(desk.deliver(), f"after {lost} was lost")


@pytest.mark.long
def test_a_table_of_another_shape_is_begun_anew() -> None:
    """Fabric cannot change a type or a key: the folder goes, and the table comes back whole."""
    with counter(MirrorCertification(), 2026) as desk:
        desk.deliver()
        state = desk.root / "data" / "mirror" / "kit" / "dim_task" / "state.json"
        known = json.loads(state.read_text())
        state.write_text(json.dumps(known | {"shape": known["shape"] | {"key": "another"}}))
        desk.must_show(desk.deliver(), "after another shape")

        assert [f"{1:020d}.parquet"] == [
            path.name for path in (desk.place.folder / "out" / "dim_task").glob("*.parquet")
        ]


@pytest.mark.long
def test_another_program_that_writes_there_is_noticed() -> None:
    with counter(MirrorCertification(), 2026) as desk:
        desk.deliver()
        (desk.place.folder / "out" / "dim_task" / f"{2:020d}.parquet").write_bytes(b"")
        refused = desk.deliver().deliveries[0]

    assert "failed" == refused.state
    assert "another program writes there" in str(refused.error)


def test_files_can_lie_at_the_root_of_a_folder(tmp_path: Path) -> None:
    """As those of a model that reads OneLake do."""
    site, file = OneLake(), tmp_path / "dim_task.parquet"
    file.write_bytes(b"rows")
    with SimulatorServer(site) as started:  # type: ignore[arg-type]
        context = DeliveryContext(base=tmp_path, name="powerbi", session=Session)
        web = Web(context, microsoft.account(started.url), "powerbi", onelake.RESOURCE)
        onelake.OneLakeFiles(web, f"{started.url}/{WORKSPACE}/pmo.Lakehouse/Files/hub").put(file.name, file)
        context.close()

    assert {f"{WORKSPACE}/pmo.Lakehouse/Files/hub/dim_task.parquet": b"rows"} == site.files


@pytest.mark.parametrize(("status", "says"), [(403, "may not do this"), (401, "is not accepted there")])
def test_a_refusal_says_what_is_needed(status: int, says: str) -> None:
    with counter(LakeCertification(), 2026) as desk:
        assert isinstance(desk.place, Lake)
        desk.place.site.refuses = status
        refused = desk.deliver().deliveries[0]

    assert says in str(refused.error)
    assert "role Contributor" in str(refused.error)


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"path": "a", "url": "https://b"},
        {"url": "https://onelake.dfs.fabric.microsoft.com/a/b"},
        {"url": "http://elsewhere/a/b"},
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="The destination lake"):
        MirrorDestination(name="lake", **wrong)


def test_what_is_kept_is_for_nobody_else() -> None:
    with counter(MirrorCertification(), 2026) as desk:
        desk.deliver()
        kept = [path for path in (desk.root / "data" / "mirror").rglob("*") if path.is_file()]

        assert {0o600} == {path.stat().st_mode & 0o777 for path in kept}
        assert isinstance(desk.place, LandingZone)
        assert (
            msgspec.json.decode(
                (desk.root / "data" / "mirror" / "kit" / "dim_task" / "state.json").read_bytes()
            )["last"]
            == 1
        )
