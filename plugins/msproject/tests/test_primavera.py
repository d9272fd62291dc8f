"""What P6 writes, what it is called, and files that are no plans at all."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hub_msproject.files import mpxj
from hub_msproject.files.recognise import foreign, form_of, is_plan
from hub_msproject.files.source import MsProjectSource
from hub_msproject.files.xer import faults

from hub.testing import store, sync_once

__all__ = ["store"]
needs_mpxj = pytest.mark.skipif(
    bool(mpxj.missing_packages()), reason="needs the extra [mpp]: run `make test-mpp`"
)


def table(name: str, columns: str, *rows: str) -> str:
    lines = [f"%T\t{name}", "%F\t" + "\t".join(columns.split()), *("%R\t" + row for row in rows)]
    return "\r\n".join(lines) + "\r\n"


def xer(*projects: int, exported: str = "Y") -> str:
    """Write projects of one activity of 16 hours each; the last one is as *exported* as is said."""
    flags = dict.fromkeys(projects, "Y") | {projects[-1]: exported}
    start, finish = "2026-01-05 08:00", "2026-01-06 16:00"
    return (
        "ERMHDR\t8.4\t2026-01-05\tProject\tadmin\tAdmin\tdb\tPM\tEUR\r\n"
        + table(
            "PROJECT", "proj_id proj_short_name export_flag clndr_id plan_start_date last_recalc_date",
            *(f"{one}\tP{one}\t{flags[one]}\t1\t{start}\t2026-01-07 08:00" for one in projects),
        )
        + table(
            "PROJWBS", "wbs_id proj_id seq_num proj_node_flag wbs_short_name wbs_name parent_wbs_id",
            *(f"{one}0\t{one}\t1\tY\tP{one}\tProject {one}\t" for one in projects),
        )
        + table(
            "ACTVTYPE", "actv_code_type_id actv_short_len seq_num actv_code_type proj_id wbs_id "
            "actv_code_type_scope", "5\t10\t1\tPhase\t\t\tAS_Global",
        )
        + table(
            "ACTVCODE",
            "actv_code_id parent_actv_code_id actv_code_type_id actv_code_name short_name seq_num",
            "50\t\t5\tBuild phase\tBLD\t1",
        )
        + table(
            "UDFTYPE", "udf_type_id table_name udf_type_name udf_type_label logical_data_type super_flag",
            "7\tTASK\tuser_field_7\tRisk owner\tFT_TEXT\tN",
        )
        + table(
            "TASK", "task_id proj_id wbs_id clndr_id task_code task_name task_type status_code "
            "target_start_date target_end_date early_start_date early_end_date target_work_qty "
            "remain_work_qty act_work_qty target_drtn_hr_cnt remain_drtn_hr_cnt total_float_hr_cnt "
            "free_float_hr_cnt cstr_type cstr_date",
            *(
                f"{one}00\t{one}\t{one}0\t1\tA{one}\tTask {one}\tTT_Task\tTK_NotStart\t{start}\t{finish}\t"
                f"{start}\t{finish}\t16\t16\t0\t16\t16\t-8\t0\tCS_MSOA\t{start}"
                for one in projects
            ),
        )
        + table("TASKACTV", "task_id actv_code_type_id actv_code_id proj_id", f"{projects[0]}00\t5\t50\t1")
        + table("UDFVALUE", "udf_type_id fk_id proj_id udf_text", f"7\t{projects[0]}00\t1\tZoe")
        + "%E\r\n"
    )  # fmt: skip


def activity(number: int, project: int, day: int) -> str:
    return (
        f"<WBS><ObjectId>{project}0</ObjectId><ProjectObjectId>{project}</ProjectObjectId><Code>W</Code>"
        f"<Name>Phase</Name></WBS><Activity><ObjectId>{number}</ObjectId>"
        f"<ProjectObjectId>{project}</ProjectObjectId><WBSObjectId>{project}0</WBSObjectId><Id>A1</Id>"
        "<Name>Dig</Name><Type>Task Dependent</Type><Status>Not Started</Status>"
        f"<PlannedStartDate>2026-01-{day:02}T08:00:00</PlannedStartDate>"
        f"<PlannedFinishDate>2026-01-{day + 1:02}T16:00:00</PlannedFinishDate>"
        "<PlannedDuration>16</PlannedDuration><RemainingDuration>16</RemainingDuration>"
        f"<StartDate>2026-01-{day:02}T08:00:00</StartDate>"
        f"<FinishDate>2026-01-{day + 1:02}T16:00:00</FinishDate>"
        "<PlannedLaborUnits>16</PlannedLaborUnits><RemainingLaborUnits>16</RemainingLaborUnits></Activity>"
    )


def pmxml() -> str:
    """Write a project that starts four days later than its baseline, in P6's XML."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<APIBusinessObjects xmlns="http://xmlns.oracle.com/Primavera/P6/V8.4/API/BusinessObjects">'
        "<Project><ObjectId>1</ObjectId><Id>P1</Id><Name>Bridge</Name>"
        "<CurrentBaselineProjectObjectId>9</CurrentBaselineProjectObjectId>"
        "<PlannedStartDate>2026-01-12T08:00:00</PlannedStartDate><DataDate>2026-01-07T08:00:00</DataDate>"
        f"{activity(100, 1, 12)}</Project><BaselineProject><ObjectId>9</ObjectId>"
        "<OriginalProjectObjectId>1</OriginalProjectObjectId><Id>P1 - B1</Id><Name>Base</Name>"
        f"<PlannedStartDate>2026-01-08T08:00:00</PlannedStartDate>{activity(900, 9, 8)}</BaselineProject>"
        "</APIBusinessObjects>"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "plans").mkdir()
    return tmp_path / "plans"


def read(store: Any, folder: Path, **settings: Any) -> Any:
    return sync_once(store, MsProjectSource(name="p", path="plans", **settings), base=folder.parent)


def found(store: Any, sql: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in store.connection.execute(sql)]


def cut(text: str, start: str) -> str:
    """Take the first row out that begins with *start*."""
    head, _, rest = text.partition(f"%R\t{start}")
    return head + rest.partition("\r\n")[2]


@pytest.mark.parametrize(("change", "said"), [
    (lambda text: text, None),
    (lambda text: text.replace("\r\n", "\n"), None),
    (lambda text: text.replace("Task 1\t", "Task\t1\t", 1), "more cells than columns"),
    (lambda text: text.replace("Task 1\t", "Task\r\n1\t", 1), "begins without a mark"),
    (lambda text: text.replace("%F\ttask_id\tproj_id", "%F\ttask\tproj_id", 1), "lacks columns"),
    (lambda text: text.replace("%F\ttask_id", "%G\ttask_id", 1), "no columns are named"),
    (lambda text: text.replace("%E", table("TASKACTV", "task_id", "100") + "%E"), "stands there twice"),
    (lambda text: text.replace("%R\t200\t2\t20\t", "%R\t100\t2\t20\t", 1), "the number of another one"),
    (lambda text: text.replace("%R\t200\t2\t20\t", "%R\t200\t9\t20\t", 1), "PROJECT that TASK names"),
    (lambda text: cut(text, "10\t1\t1"), "PROJWBS that TASK names by wbs_id"),
    (lambda text: text[: text.index("%R\t200\t2") + 6] + "\r\n%E\r\n", "lacks what names"),
])  # fmt: skip
def test_what_speaks_against_the_tables(change: Any, said: str | None, tmp_path: Path) -> None:
    """Each is named with its line; a file that is well says nothing, whatever ends its lines."""
    path = tmp_path / "a.xer"
    path.write_bytes(change(xer(1, 2)).encode("cp1252"))
    told = list(faults(path))

    assert told == [] if said is None else any(said in one for one in told), told


def test_xml_of_primavera_is_known_by_its_root(folder: Path) -> None:
    (folder / "p6.xml").write_text(pmxml())
    (folder / "other.xml").write_text("<html/>")

    assert [True, False] == [is_plan(folder / name) for name in ("p6.xml", "other.xml")]
    assert [".pmxml", ".xml"] == [form_of(folder / name) for name in ("p6.xml", "other.xml")]


@needs_mpxj
def test_xml_of_primavera_with_its_baseline(store: Any, folder: Path) -> None:
    """It is read whatever it is called; its current baseline is the baseline of its tasks."""
    (folder / "bridge.xml").write_text(pmxml())
    report = read(store, folder)

    assert ("ok", []) == (report.verdict, report.missing)
    assert [("2026-01-12", "2026-01-08", 0)] == found(
        store,
        "SELECT t.planned_start_on, b.start_on, b.no FROM task t JOIN baseline b ON b.task_id = t.id"
        " WHERE t.kind = 'work'",
    )
    assert [("2026-01-07",)] == found(store, "SELECT status_on FROM container")


@needs_mpxj
def test_all_projects_of_a_file(store: Any, folder: Path) -> None:
    """Each is a plan of its own; what does not change is not opened, one that vanishes is held."""
    (folder / "two.xer").write_text(xer(1, 2, 3))
    report = read(store, folder)
    plans = found(store, "SELECT code, name FROM container ORDER BY code")
    tasks = found(store, "SELECT count(*) FROM task WHERE kind = 'work'")
    quiet = read(store, folder)
    (folder / "two.xer").write_text(xer(1, 2))
    less = read(store, folder)

    assert ("ok", [("P1", "Project 1"), ("P2", "Project 2"), ("P3", "Project 3")]) == (report.verdict, plans)
    assert ([(3,)], "ok", 0) == (tasks, quiet.verdict, quiet.changes.read)
    assert ("partial", 1) == (less.verdict, len(less.held))


@needs_mpxj
def test_a_project_that_is_only_named(store: Any, folder: Path) -> None:
    """One that a relation names was not exported: it is no plan, and nothing is lacking."""
    (folder / "two.xer").write_text(xer(1, 2, exported="N"))
    report = read(store, folder)

    assert ("ok", [("two",)]) == (report.verdict, found(store, "SELECT code FROM container"))


@needs_mpxj
def test_what_primavera_says_of_an_activity(store: Any, folder: Path) -> None:
    """Floats, constraints, codes and user-defined fields; work of nobody is demand."""
    (folder / "one.xer").write_text(xer(1))
    read(store, folder)

    assert [(-28800, 0, 1, "start_no_earlier", "2026-01-05")] == found(
        store,
        "SELECT total_slack_s, free_slack_s, is_critical, constraint_type, constraint_on FROM task"
        " WHERE kind = 'work'",
    )
    assert [("Phase", "Build phase"), ("Risk owner", "Zoe")] == found(
        store, "SELECT field, text FROM custom_value ORDER BY field"
    )
    assert [(None, 57600)] == found(store, "SELECT account_id, seconds FROM allocation")


@needs_mpxj
def test_each_file_is_parsed_once(store: Any, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To know whose plan it is and to read it is one parse, in one process."""
    asked: Counter[str] = Counter()
    honest = mpxj.Mpxj._lines

    def counted(self: mpxj.Mpxj, path: Path) -> Any:
        asked[path.name] += 1
        return honest(self, path)

    monkeypatch.setattr(mpxj.Mpxj, "_lines", counted)
    (folder / "a.xer").write_text(xer(1))
    (folder / "b.xer").write_text(xer(2, 3))
    report = read(store, folder)

    assert ("ok", {"a.xer": 1, "b.xer": 1}) == (report.verdict, asked)


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.mpp", b"", "is empty"),
        ("a.xer", b"", "is empty"),
        ("a.mpp", b"\0" * 5000, "is empty"),
        ("a.mpp", OLE + "WordDocument".encode("utf-16-le"), "is a document of Word, and no plan"),
        ("a.mpp", OLE + "Workbook".encode("utf-16-le"), "is a document of Excel, and no plan"),
        ("a.mpp", b"PK\x03\x04" + b"word/document.xml", "is a zip or a document of Office, and no plan"),
        ("a.mpp", b"hello", "is no plan of Microsoft Project, or it is damaged"),
        ("a.mpd", b"\0\1\0\0Standard Jet DB\0\0" + b"\0" * 900, "is a database of Project 98"),
    ],
)
def test_words_for_what_is_no_plan(store: Any, folder: Path, name: str, content: bytes, said: str) -> None:
    """Each refusal is a sentence of its own that names the file, with or without the extra."""
    (folder / name).write_bytes(content)
    report = read(store, folder)

    assert said in str(foreign(folder / name, name[1:]))
    assert (1, True) == (len(report.missing), said in report.missing[0])


@needs_mpxj
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.mpp", OLE),
        ("a.mpx", b"hello"),
        ("a.xer", b"hello\r\n%E\r\n"),
        ("a.pmxml", b"<APIBusinessObjects><Project>"),
        ("a.mpd", b"\0\1\0\0Standard Jet DB\0\1" + b"\0" * 900),
        ("a.xml", b"<APIBusinessObjects"),
    ],
)
def test_no_java_in_the_words(store: Any, folder: Path, name: str, content: bytes) -> None:
    """What the library says is told without names of its classes."""
    (folder / name).write_bytes(content)
    report = read(store, folder)

    assert 1 == len(report.missing)
    assert not {"java", "exception", "mpxj", "poi", "jackcess"} & set(
        report.missing[0].lower().replace(".", " ").replace(":", " ").split()
    ), report.missing[0]
    assert "Exception" not in report.missing[0]
