"""Master plans: projects that were inserted into a plan are plans of their own, and count once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hub_msproject.files.source import MsProjectSource

from hub.testing import store, sync_once

__all__ = ["store"]
GUIDS = [f"{n}1111111-2222-4333-8444-555555555555" for n in range(4)]
RESOURCES = "<Resources><Resource><UID>1</UID><Name>Ann</Name><Type>1</Type></Resource></Resources>"
NAMESPACE = ' xmlns="http://schemas.microsoft.com/project"'


def task(uid: int, name: str, hours: int, extra: str = "") -> str:
    return (
        f"<Task><UID>{uid}</UID><ID>{uid}</ID><Name>{name}</Name><OutlineLevel>1</OutlineLevel>"
        f"<Start>2026-01-05T08:00:00</Start><Finish>2026-01-09T17:00:00</Finish>"
        f"<Work>PT{hours}H0M0S</Work>{extra}</Task>"
    )


def project(name: str, hours: int, *, guid: str | None = None, tasks: str = "", xmlns: str = "") -> str:
    """Return a plan with a task of *hours* that Ann does, and *tasks* beside it."""
    return (
        f"<Project{xmlns}>{f'<GUID>{guid}</GUID>' if guid else ''}<Name>{name}.mpp</Name>"
        f"<Title>{name}</Title><Tasks>{task(1, f'{name} work', hours)}{tasks}</Tasks>{RESOURCES}"
        f"<Assignments><Assignment><UID>1</UID><TaskUID>1</TaskUID><ResourceUID>1</ResourceUID><Start>2026-01-05T08:00:00</Start>"
        f"<Finish>2026-01-09T17:00:00</Finish><RemainingWork>PT{hours}H0M0S</RemainingWork>"
        f"<Work>PT{hours}H0M0S</Work></Assignment></Assignments></Project>"
    )


def master(*inner: str, tasks: str = "") -> str:
    rows = "".join(
        task(uid, f"Row {uid}", 40, "<IsSubproject>1</IsSubproject>" + one)
        for uid, one in enumerate(inner, 2)
    )
    return project("Master", 40, guid=GUIDS[0], tasks=rows + tasks, xmlns=NAMESPACE)


def hours_of(store: Any) -> dict[str, float]:
    """Return what is planned and present, by plan."""
    rows = store.rows(
        "SELECT c.name, sum(a.seconds) / 3600.0 AS h FROM allocation a JOIN container c "
        "ON c.id = a.container_id WHERE a.presence = 'present' AND c.presence = 'present' GROUP BY 1"
    )
    return {row["name"]: row["h"] for row in rows}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plans").mkdir()
    return tmp_path / "plans"


def run(folder: Path, store: Any, **settings: Any) -> Any:
    return sync_once(store, MsProjectSource(name="p", path="plans", **settings), base=folder.parent)


def test_inserted_plans_are_plans_of_their_own(folder: Path, store: Any) -> None:
    """Their work is theirs, and no work of the rows that stand for them; within each other too."""
    third = project("Third", 8, guid=GUIDS[3])
    second = project("Second", 40, guid=GUIDS[2], tasks=task(2, "Row", 8, third))
    text = master(project("First", 32, guid=GUIDS[1]), second)
    (folder / "Master.xml").write_text(text)
    report = run(folder, store)

    assert ("ok", {"Master": 40.0, "First": 32.0, "Second": 40.0, "Third": 8.0}) == (
        report.verdict,
        hours_of(store),
    )
    assert 0 == run(folder, store).changes.inserted + run(folder, store).changes.updated
    assert 120.0 == store.rows("SELECT sum(estimate_s) / 3600.0 AS h FROM task")[0]["h"]


@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_in_any_encoding(folder: Path, store: Any, encoding: str) -> None:
    """An inserted plan is seen however the file is written."""
    head = f'<?xml version="1.0" encoding="{encoding}"?>'
    (folder / "Master.xml").write_text(head + master(project("Première", 8)), encoding=encoding)
    run(folder, store)

    assert {"Master": 40.0, "Première": 8.0} == hours_of(store)


@pytest.mark.parametrize("guid", [GUIDS[1], None])
@pytest.mark.parametrize("overlap", ["newest", "refuse"])
def test_a_plan_with_a_file_of_its_own_counts_once(
    folder: Path, store: Any, guid: str | None, overlap: str
) -> None:
    """Its GUID tells, or the name of its file; whatever is done with copies, neither is lost."""
    inner = "<SubprojectName>C:\\plans\\Sub.mpp</SubprojectName>" + project("Sub", 32, guid=guid)
    (folder / "Master.xml").write_text(master(inner))
    (folder / "Sub.xml").write_text(project("Sub", 32, guid=guid, xmlns=NAMESPACE))
    report = run(folder, store, overlap=overlap)
    again = run(folder, store, overlap=overlap)

    assert {"Master": 40.0, "Sub": 32.0} == hours_of(store)
    assert ("ok", "ok", 0) == (report.verdict, again.verdict, again.changes.inserted + again.changes.updated)
    assert any("Sub" in note and "count" in note for note in report.notes)


def test_a_master_without_its_files(folder: Path, store: Any) -> None:
    """A row that stands for a plan has no work of its own, and the file that is missing is named."""
    (folder / "Here.xml").write_text(project("Here", 8, guid=GUIDS[1], xmlns=NAMESPACE))
    names = [f"<SubprojectName>{name}</SubprojectName>" for name in ("C:\\p\\Here.mpp", "Gone.mpp")]
    (folder / "Master.xml").write_text(master(*names))
    report = run(folder, store)
    (note,) = [note for note in report.notes if "inserted" in note]

    assert {"Master": 40.0, "Here": 8.0} == hours_of(store)
    assert "Gone.mpp" in note
    assert "Here" not in note
