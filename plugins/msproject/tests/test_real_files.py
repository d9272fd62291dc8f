"""Our figures of real schedules equal those MPXJ itself reports, through MPXJ and through our own reader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hub_msproject.files import mpxj, mspdi
from hub_msproject.files.schedule import AssignmentRow, Header, ResourceRow, Row, TaskRow
from hub_msproject.files.source import MsProjectSource
from hub_msproject.files.xer import faults

from hub.store import Store
from hub.testing import sync_once

DATA = Path(__file__).parents[4] / "shared" / "data" / "msproject"
pytestmark = pytest.mark.skipif(
    not DATA.is_dir(), reason="needs the recorded schedules of ../shared/data/msproject"
)
needs_mpxj = pytest.mark.skipif(
    bool(mpxj.missing_packages()), reason="needs the extra [mpp]: run `make test-mpp`"
)
FILES = sorted(json.loads((DATA / "expected.json").read_text())["files"]) if DATA.is_dir() else []


def test_the_tables_of_a_real_file_of_primavera_are_well() -> None:
    assert [] == [said for path in DATA.glob("*.xer") for said in faults(path)]


def figures(rows: list[Row]) -> dict[str, Any]:
    """Count as expected.json's counting rules say."""
    header = next(row for row in rows if isinstance(row, Header))
    tasks = [row for row in rows if isinstance(row, TaskRow)]
    leaves = [task for task in tasks if not task.summary]
    resources = {row.uid for row in rows if isinstance(row, ResourceRow)}
    assignments = [row for row in rows if isinstance(row, AssignmentRow) and row.resource in resources]
    return {
        "tasks": len(tasks),
        "summary_tasks": len(tasks) - len(leaves),
        "leaf_tasks": len(leaves),
        "milestones": sum(task.milestone for task in leaves),
        "resources": len(resources),
        "assignments": len(assignments),
        "predecessor_links": sum(len(task.links) for task in tasks),
        "work_hours_leaf_tasks": round(sum(task.work_s or 0 for task in leaves) / 3600, 2),
        "actual_work_hours_leaf_tasks": round(sum(task.actual_work_s or 0 for task in leaves) / 3600, 2),
        "work_hours_assignments": round(sum(row.work_s for row in assignments) / 3600, 2),
        "baseline_tasks": sum(any(base.no == 0 and base.start for base in task.baselines) for task in tasks),
        "earliest_start": min(task.start for task in leaves if task.start),
        "latest_finish": max(task.finish for task in leaves if task.finish),
        "project_start": header.start,
        "project_finish": header.finish,
    }


def expected(name: str) -> dict[str, Any]:
    return dict(json.loads((DATA / "expected.json").read_text())["files"][name])


@pytest.fixture(scope="module")
def java() -> Any:
    """Start one reader for all files."""
    reader = mpxj.Mpxj(memory_mb=512, timeout_s=120)
    yield reader
    reader.close()


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".xml")])
def test_our_reader(name: str) -> None:
    """Every figure of a real MSPDI file through our own reader is the recorded one."""
    ours = figures(list(mspdi.read(DATA / name)))

    assert {key: expected(name)[key] for key in ours} == ours


@needs_mpxj
@pytest.mark.parametrize("name", FILES)
def test_through_mpxj(name: str, java: mpxj.Mpxj) -> None:
    """Every figure of a real file of any format through MPXJ is the recorded one."""
    rows = list(java.rows(DATA / name))
    ours = figures(rows)

    assert {key: expected(name)[key] for key in ours} == ours


@needs_mpxj
@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".xml")])
def test_days_agree_with_mpxj(name: str, java: mpxj.Mpxj) -> None:
    """Work per day spread by our calendars is what MPXJ computes, for planned and for actual work."""
    ours = {
        row.uid: row for row in mspdi.read(DATA / name) if isinstance(row, AssignmentRow) and row.resource
    }
    theirs = {
        row.uid: row for row in java.rows(DATA / name) if isinstance(row, AssignmentRow) and row.resource
    }

    assert ours.keys() == theirs.keys()
    for uid, row in ours.items():
        assert dict(theirs[uid].actual) == pytest.approx(dict(row.actual), abs=60), (
            f"actual work of assignment {uid}"
        )
        assert dict(theirs[uid].planned) == pytest.approx(dict(row.planned), abs=60), (
            f"work of assignment {uid}"
        )


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".xml")])
def test_days_add_up(name: str) -> None:
    """The days of an assignment add up to its totals, whatever had to be assumed."""
    rows = [row for row in mspdi.read(DATA / name) if isinstance(row, AssignmentRow) and row.resource]

    for row in rows:
        assert (row.work_s, row.actual_work_s) == (
            sum(s for _, s in row.planned),
            sum(s for _, s in row.actual),
        )


def stored(name: str, tmp_path: Path) -> dict[str, Any]:
    """Sync one real file and count in the store what can be counted there."""
    with Store.open(tmp_path / "hub.db") as opened:
        report = sync_once(opened, MsProjectSource(name="p", path=str(DATA / name)), base=tmp_path)
        assert report.verdict == "ok", report.missing

        def one(sql: str) -> Any:
            return next(iter(opened.rows(f"SELECT {sql} AS n")[0].values()))

        leaf = "FROM task WHERE kind <> 'summary'"
        return {
            "tasks": one("(SELECT count(*) FROM task)"),
            "summary_tasks": one("(SELECT count(*) FROM task WHERE kind = 'summary')"),
            "milestones": one(f"(SELECT count(*) {leaf} AND is_milestone = 1)"),
            "resources": one("(SELECT count(*) FROM account)"),
            "predecessor_links": one("(SELECT count(*) FROM task_link)"),
            "work_hours_leaf_tasks": round(one(f"(SELECT coalesce(sum(estimate_s), 0) {leaf})") / 3600, 2),
            "actual_work_hours_leaf_tasks": round(
                one(f"(SELECT coalesce(sum(spent_s), 0) {leaf})") / 3600, 2
            ),
            "baseline_tasks": one("(SELECT count(*) FROM baseline WHERE no = 0 AND start_on IS NOT NULL)"),
            "earliest_start": one(f"(SELECT min(planned_start_on) {leaf})"),
            "latest_finish": one(f"(SELECT max(planned_finish_on) {leaf})"),
            "work_hours_assignments": round(
                one("(SELECT coalesce(sum(seconds), 0) FROM allocation WHERE account_id IS NOT NULL)") / 3600,
                2,
            ),
        }


@pytest.mark.parametrize("name", FILES)
def test_in_the_store(name: str, tmp_path: Path) -> None:
    """What a PMO counts in the store is what the file holds.

    Work per day adds up to the assignments' work.
    """
    if mpxj.missing_packages() and not name.endswith(".xml"):
        pytest.skip("needs the extra [mpp]: run `make test-mpp`")
    ours = stored(name, tmp_path)
    theirs = {key: value[:10] if isinstance(value, str) else value for key, value in expected(name).items()}

    assert {key: theirs[key] for key in ours} == ours


def test_again_changes_nothing_and_opens_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A second sync of the real files writes no row and opens none, two copies of one plan among them."""
    pattern = str(DATA) if not mpxj.missing_packages() else str(DATA / "*.xml")
    source = MsProjectSource(name="p", path=pattern)
    with Store.open(tmp_path / "hub.db") as opened:
        first = sync_once(opened, source, base=tmp_path)
        touched: list[str] = []
        real = Path.open

        def spy(self: Path, *args: Any, **kwargs: Any) -> Any:
            touched.append(self.name)
            return real(self, *args, **kwargs)

        monkeypatch.setattr(Path, "open", spy)
        second = sync_once(opened, source, base=tmp_path)

    assert first.changes.inserted > 0
    assert (second.changes.inserted, second.changes.updated) == (0, 0)
    assert [] == touched
