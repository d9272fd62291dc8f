"""The folder of files: complete, private, switched last.

The workbook says the feed's figures in FR and EN.
"""

from __future__ import annotations

import csv
import functools
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hub_files.destination import FilesDestination

from hub import replace_folder
from hub.feed import BuildOptions, model
from hub.feed.fields import use_fields
from hub.publish import PublishOptions, PublishReport, publish
from hub.records import (
    Account,
    Baseline,
    Container,
    CustomValue,
    Record,
    SiteField,
    Target,
    Task,
    Worklog,
)
from hub.store import Store
from hub.testing import store

__all__ = ["store"]


def fill(store: Store, records: list[Record]) -> None:
    store.register_source(
        "s", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
    )
    run = store.begin_run("s", "full")
    store.write_batch(records, run_id=run, source_id="s")
    store.end_run(run, "ok")


PLAN: list[Record] = [
    Container(id="s:c", kind="plan", code="P-1", name="=cmd|' /C calc'!A0", seconds_per_day=25200),
    Task(
        id="s:1",
        container_id="s:c",
        title="Build",
        status_native="in_progress",
        percent=50,
        estimate_s=252000,
        remaining_s=126000,
    ),
    Task(
        id="s:2",
        container_id="s:c",
        title="Go live",
        kind="milestone",
        status_native="todo",
        planned_finish_on="2031-03-15",
    ),
    Baseline(id="s:1/b", task_id="s:1", effort_s=201600),
    Baseline(id="s:2/b", task_id="s:2", finish_on="2031-03-01"),
    Worklog(id="s:w", container_id="s:c", day="2026-01-05", seconds=151200),
]


def go(store: Store, tmp_path: Path, lang: str = "en", **options: Any) -> PublishReport:
    place = FilesDestination(name="office", path="out", **options)
    return publish(
        store, tmp_path / "feed", [place], PublishOptions(base=tmp_path, build=BuildOptions(lang=lang))
    )


Delivered = Callable[..., tuple[Path, PublishReport]]


@pytest.fixture(scope="module")
def plan_in(tmp_path_factory: pytest.TempPathFactory) -> Delivered:
    """Return a function that delivers `PLAN` in a language, once, and gives the folder and the report.

    Its tests read and change nothing.
    """

    @functools.cache
    def delivered(lang: str) -> tuple[Path, PublishReport]:
        base = tmp_path_factory.mktemp(lang)
        with Store.open(base / "hub.db") as store:
            fill(store, PLAN)
            return base, go(store, base, lang=lang)

    return delivered


def sheet(tmp_path: Path, name: str, file: str = "portfolio.xlsx") -> list[tuple[Any, ...]]:
    book = openpyxl.load_workbook(tmp_path / "out" / "latest" / file, data_only=True)
    return [tuple(row) for row in book[name].iter_rows(values_only=True)]


def test_every_format_holds_the_feed(plan_in: Delivered) -> None:
    """CSV, Parquet and workbook have the same tables and rows, with the manifest beside them."""
    tmp_path, report = plan_in("en")
    latest = tmp_path / "out" / "latest"
    with (latest / "csv" / "fact_task_snapshot.csv").open() as file:
        rows = list(csv.DictReader(file))

    assert 0 == report.exit_code, report.deliveries
    assert (
        set(model().tables)
        == {p.name for p in (latest / "parquet").iterdir()}
        == {p.stem for p in (latest / "csv").iterdir()}
    )
    assert 2 == len(rows) == report.deliveries[0].rows["fact_task_snapshot"]
    assert report.feed_id == json.loads((latest / "manifest.json").read_text())["feed_id"]
    assert {0o600} == {p.stat().st_mode & 0o777 for p in latest.rglob("*") if p.is_file()}


def test_native_tables_frozen_headers_and_no_formula(plan_in: Delivered) -> None:
    """Every data sheet is an Excel table with a frozen header; text that looks like a formula stays text."""
    tmp_path, _ = plan_in("en")
    latest = tmp_path / "out" / "latest"
    book = openpyxl.load_workbook(latest / "data.xlsx")
    cells = [
        cell
        for one in (*book, *openpyxl.load_workbook(latest / "portfolio.xlsx"))
        for row in one.iter_rows()
        for cell in row
        if isinstance(cell.value, str) and "cmd|" in cell.value
    ]

    assert len(cells) > 2
    assert {"s"} == {cell.data_type for cell in cells}
    assert ["fact_task_snapshot"] == list(book["fact_task_snapshot"].tables)
    assert "A2" == book["fact_task_snapshot"].freeze_panes


@pytest.mark.long
def test_an_incomplete_feed_says_so_on_every_sheet(store: Store, tmp_path: Path) -> None:
    """The warning is where the committee looks, with what is missing."""
    fill(store, PLAN)
    store.end_run(store.begin_run("s", "increment"), "partial", missing=["b.mpp: damaged"])
    go(store, tmp_path)
    book = openpyxl.load_workbook(tmp_path / "out" / "latest" / "portfolio.xlsx")

    assert {"■ Data is incomplete: s: b.mpp: damaged."} == {str(one.cell(3, 1).value) for one in book}


@pytest.mark.long
def test_nobody_is_named_by_default(store: Store, tmp_path: Path) -> None:
    """The default level is team and week; naming people is asked for explicitly."""
    fill(
        store,
        [
            *PLAN,
            Account(id="s:p", display_name="Somebody Real"),
            Worklog(id="s:x", account_id="s:p", container_id="s:c", day="2026-01-06", seconds=60),
        ],
    )
    go(store, tmp_path)
    latest = tmp_path / "out" / "latest"
    named = [p for p in latest.rglob("*.csv") if "Somebody Real" in p.read_text()]
    go(store, tmp_path, privacy="nominative-line")

    assert [] == named
    assert "Somebody Real" in (latest / "csv" / "dim_person.csv").read_text()


@pytest.mark.long
def test_a_long_table_is_left_to_the_other_formats(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is too long for a workbook is named, not cut."""
    monkeypatch.setattr("hub_files.workbook.data.MOST_ROWS", 1)
    fill(store, PLAN)
    report = go(store, tmp_path)

    assert any(
        "fact_task_snapshot (2 rows) is too long for a workbook" in note
        for note in report.deliveries[0].notes
    )


def test_a_failed_switch_puts_the_old_files_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is open elsewhere costs nothing but the new delivery."""
    for name in ("latest", "fresh"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a").write_text(name)
    real = os.replace

    def refuse(src: Any, dst: Any) -> None:
        if Path(src).name == "fresh":
            raise PermissionError(13, "in use")
        real(src, dst)

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(PermissionError):
        replace_folder(tmp_path / "latest", tmp_path / "fresh")

    assert "latest" == (tmp_path / "latest" / "a").read_text()


@pytest.mark.long
@pytest.mark.parametrize("moment", [0, 1])
def test_interrupted_deliveries_end_in_one_state(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, moment: int, proof: bool
) -> None:
    """Killed before or between the two renames, the next delivery leaves exactly the new feed."""
    if moment == 0 and not proof:
        pytest.skip("make proof kills at both")
    fill(store, PLAN)
    go(store, tmp_path, formats=("parquet",))
    real, count = os.replace, 0

    def die(src: Any, dst: Any) -> None:
        nonlocal count
        if Path(dst).name in {"latest", ".latest.old"}:
            if count == moment:
                raise KeyboardInterrupt
            count += 1
        real(src, dst)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", die)
        with pytest.raises(KeyboardInterrupt):
            go(store, tmp_path, formats=("parquet",))
    report = go(store, tmp_path, formats=("parquet",))

    assert ["latest"] == [p.name for p in (tmp_path / "out").iterdir()]
    assert (
        report.feed_id == json.loads((tmp_path / "out" / "latest" / "manifest.json").read_text())["feed_id"]
    )


@pytest.mark.long
def test_a_folder_that_cannot_be_written(store: Store, tmp_path: Path) -> None:
    """The sentence says what to do; the exit code is 1; the feed itself is current."""
    fill(store, PLAN)
    (tmp_path / "out").write_text("a file in the way")
    report = go(store, tmp_path)

    assert (1, True) == (report.exit_code, report.current)
    assert "could not be replaced" in (report.deliveries[0].error or "")


def test_figures_are_equal_everywhere(plan_in: Delivered) -> None:
    """The control sums of the manifest are those of the CSV and of the tables in data.xlsx."""
    tmp_path, _ = plan_in("en")
    manifest = json.loads((tmp_path / "out" / "latest" / "manifest.json").read_text())
    with (tmp_path / "out" / "latest" / "csv" / "fact_worklog.csv").open() as file:
        of_csv = sum(int(row["seconds"]) for row in csv.DictReader(file))
    rows = sheet(tmp_path, "fact_worklog", "data.xlsx")
    column = rows[0].index("Seconds")

    assert (
        manifest["tables"]["fact_worklog"]["sums"]["seconds"]
        == of_csv
        == sum(row[column] for row in rows[1:])
    )


@pytest.mark.long
def test_colours_are_those_of_the_targets(store: Store, tmp_path: Path, plan_in: Delivered) -> None:
    """Without a target nothing is painted; with one the drift bears the colour that `fact_kpi` has."""
    plain = _paint(plan_in("en")[0])
    fill(store, [*PLAN, Target(id="s:t", kpi="RAF", measure="derive", amber=1.0, red=2.0, direction="down")])
    go(store, tmp_path)

    assert plain is None
    assert "FFF9DEDC" == _paint(tmp_path)


def _paint(tmp_path: Path) -> str | None:
    """Return the ground of the drift of the first project, if it has one."""
    sheet = openpyxl.load_workbook(tmp_path / "out" / "latest" / "portfolio.xlsx")["Budget"]
    cell = sheet[sheet.tables["Budget"].ref][1][12]
    assert 3 == cell.value
    return cell.fill.fgColor.rgb if cell.fill.fill_type else None


@pytest.mark.long
def test_a_field_of_projects_is_a_column_of_the_first_sheet(store: Store, tmp_path: Path) -> None:
    """What fields.csv names of a project stands at the end of its line, under its caption; so in CSV."""
    field = SiteField(
        id="config:fields/unit", field="unit", level="project", source="s", native="Unit", fr="Entité",
        en="Business unit",
    )  # fmt: skip
    row = PLAN[0].id
    fill(store, [*PLAN, CustomValue(id=f"{row}/u", row_id=row, field="Unit", text="North")])
    fill(store, [field])
    go(store, tmp_path)
    use_fields(())
    rows = sheet(tmp_path, "Portfolio")
    with (tmp_path / "out" / "latest" / "csv" / "dim_project.csv").open(encoding="utf-8-sig") as file:
        lines = list(csv.reader(file))

    place = next(n for n, row in enumerate(rows) if row[0] == "Code")
    assert ("Business unit", "North") == (rows[place][-1], rows[place + 1][-1])
    assert "North" in [line[lines[0].index("x_unit")] for line in lines[1:]]
