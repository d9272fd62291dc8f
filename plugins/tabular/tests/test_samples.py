"""Mappings for the exports of portfolio tools and ERPs.

Each reads its sample as the sheet beside it says, whatever is done to the file.
"""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from hub_tabular.source import TabularSource
from hub_tabular.testing.mapping_certification import certification_of

from hub.store import Store
from hub.testing import store, sync_once
from hub.testing.kit import certify

__all__ = ["store"]
SAMPLES = Path(__file__).parents[1] / "samples"
RECORDED = Path(__file__).parents[4] / "shared" / "data" / "redmine"
LEVELS = {
    "planisware_depenses": "bronze",
    "agap_taches": "bronze",
    "erp_heures": "bronze",
    "redmine_demandes": "gold",
}
"""Groups, outlines and columns of days make a row depend on its neighbours.

None can be taken out alone, and Silver takes rows out.
"""


def test_these_are_the_samples() -> None:
    assert set(LEVELS) == {path.stem for path in SAMPLES.glob("*.toml")}


@pytest.mark.long
@pytest.mark.parametrize("name", LEVELS)
def test_each_is_certified(name: str, proof: bool) -> None:
    """The levels that can be examined of such a file; nothing fails. The short tests take every other one."""
    if not proof and list(LEVELS).index(name) % 2:
        pytest.skip("make proof certifies every sample")
    certification = certification_of(SAMPLES / f"{name}.toml")
    assert certification is not None
    report = certify(certification)
    assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
    assert LEVELS[name] == report.level


@pytest.mark.skipif(not RECORDED.exists(), reason="needs the recorded exports of ../shared/data/redmine")
def test_the_export_of_a_real_redmine(store: Store, tmp_path: Path) -> None:
    """500 issues as Redmine 5.0.4 printed them: all of them, their estimates and their parents."""
    shutil.copy(RECORDED / "issues_latin1.csv", tmp_path / "issues.csv")
    report = sync_once(
        store,
        TabularSource(name="r", path=str(tmp_path / "*.csv"), mapping=str(SAMPLES / "redmine_demandes.toml")),
    )
    assert ("ok", []) == (report.verdict, report.missing)
    with (RECORDED / "issues_latin1.csv").open(encoding="iso-8859-1", newline="") as file:
        rows = list(csv.DictReader(file))
    estimates = sum(round(float(row["Estimated time"] or 0) * 3600) for row in rows)
    parents = sum(bool(row["Parent task"]) for row in rows)
    found = store.connection.execute(
        "SELECT count(*), sum(estimate_s), count(parent_id), sum(status_raw = 'Closed') FROM task"
    ).fetchone()
    assert (len(rows), estimates, parents, sum(row["Status"] == "Closed" for row in rows)) == tuple(found)
