"""A file accounts for all it holds: what is wrong costs its row, what is not read is said, nothing twice."""

from __future__ import annotations

import contextlib
import csv
import gzip
import os
import random
import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hub_tabular import books, encodings, sheets
from hub_tabular import mapper as mapper_module
from hub_tabular.source import TabularSource

from hub import SourceDataError, speaking
from hub.context import Context
from hub.store import Store, rejections
from hub.sync.report import SourceReport
from hub.testing import store, sync_once

__all__ = ["store"]
MAPPING = """record = "worklog"
{more}
[fields]
account_id = "Who"
container_id = "Code"
day = "Day"
seconds = {{ column = "H", unit = "hours" }}
"""
KEY = 'key = ["Who", "Day"]'
HEAD = "Who;Code;Day;H\n"


class Place:
    """A folder with files of hours and what syncs it."""

    def __init__(self, folder: Path, store: Store) -> None:
        """Begin with a mapping without a key."""
        self.folder, self.store, self.settings = folder, store, dict[str, Any]()
        (folder / "in").mkdir()
        self.map("")

    def map(self, more: str, text: str = MAPPING) -> None:
        """Write the mapping."""
        (self.folder / "m.toml").write_text(text.format(more=more), encoding="utf-8")

    def lay(self, name: str, content: str | bytes, *, age: int = 0) -> Path:
        """Write a file, *age* days old."""
        path = self.folder / "in" / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        if age:
            then = path.stat().st_mtime - age * 86400
            os.utime(path, (then, then))
        return path

    def sync(self, **more: Any) -> SourceReport:
        """Run it."""
        source = TabularSource(name="s", path="in", mapping="m.toml", **(self.settings | more))
        return sync_once(self.store, source, base=self.folder)

    @property
    def hours(self) -> float:
        """Return the hours that count."""
        found = self.store.rows("SELECT sum(seconds) AS s FROM worklog WHERE presence = 'present'")
        return float((found[0]["s"] or 0) / 3600)

    @property
    def rejected(self) -> list[str]:
        """Return the places of what could not be taken."""
        return sorted(one.place for one in rejections.rejected(self.store))


@pytest.fixture
def place(tmp_path: Path, store: Store) -> Place:
    """Return an empty folder with its mapping."""
    return Place(tmp_path, store)


def lines(count: int, *, who: str = "M1", hours: str = "1", start: int = 1) -> str:
    """Return so many lines of one person, a day each."""
    return "".join(f"{who};P;2026-10-{day:02d};{hours}\n" for day in range(start, start + count))


def said(report: SourceReport) -> str:
    return "\n".join(report.missing + report.rejections + report.notes + [report.error or ""])


def book(path: Path, sheets: dict[str, list[list[Any]]], hidden: tuple[str, ...] = ()) -> None:
    with xlsxwriter.Workbook(str(path)) as out:
        day = out.add_format({"num_format": "dd/mm/yyyy"})
        for name, rows in sheets.items():
            sheet = out.add_worksheet(name)
            for number, row in enumerate(rows):
                for at, cell in enumerate(row):
                    if isinstance(cell, date):
                        sheet.write_datetime(number, at, cell, day)
                    else:
                        sheet.write(number, at, cell)
            if name in hidden:
                sheet.hide()
        for sheet in out.worksheets():
            if sheet.name not in hidden:
                sheet.activate()
                sheet.set_first_sheet()
                break


def edited(path: Path, part: str, change: Callable[[str], str]) -> None:
    """Change one part of a workbook."""
    with zipfile.ZipFile(path) as old:
        content = {name: old.read(name) for name in old.namelist()}
    content[part] = change(content[part].decode()).encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name, data in content.items():
            new.writestr(name, data)


# ---------- a row costs a row ----------


@pytest.mark.parametrize(
    ("cell", "stake"),
    [("1e30", None), ("25", 90000), ("#REF!", None), ("seven", None), ("7,5.5", None), ("9" * 400, None)],
)
def test_a_wrong_cell_costs_its_row(place: Place, cell: str, stake: int | None) -> None:
    """The nine others are taken; field, place and what is at stake are kept."""
    place.lay("oct.csv", HEAD + lines(9) + f"M2;P;2026-10-05;{cell}\n")
    report = place.sync()
    (one,) = rejections.rejected(place.store)

    assert ("partial", 9.0, []) == (report.verdict, place.hours, report.missing)
    assert ("oct.csv, row 11", "H", stake, "s:P") == (one.place, one.field, one.seconds, one.container)


@pytest.mark.parametrize("more", ["", KEY])
def test_a_row_that_turns_wrong_and_right_again(place: Place, more: str) -> None:
    """Its old image stays meanwhile, be its row named by a key or by its content, wherever it moves to."""
    place.map(more)
    place.lay("a.csv", HEAD + lines(10))
    place.sync()
    place.lay("a.csv", HEAD + lines(9, start=2) + "M1;P;2026-10-01;one\n")
    wrong = place.sync()
    kept = place.hours
    place.lay("a.csv", HEAD + "M1;P;2026-10-01;one\n" + lines(9, start=2))
    moved = place.sync()
    first = rejections.rejected(place.store)[0]
    place.lay("a.csv", HEAD + lines(10))
    right = place.sync()

    assert ["partial", "partial", "ok"] == [one.verdict for one in (wrong, moved, right)]
    assert (10.0, 10.0) == (kept, place.hours)
    assert ("a.csv, row 2", []) == (first.place, place.rejected)
    assert first.first_seen <= first.last_seen


@pytest.mark.parametrize("cell", ["2026-10-011", "", "nobody knows"])
def test_a_cell_of_the_key_that_turns_wrong(place: Place, cell: str) -> None:
    """The key of such a row names nothing that is known: its old image stays by the fields that are right."""
    place.map(KEY)
    place.lay("a.csv", HEAD + lines(10))
    place.sync()
    place.lay("a.csv", HEAD + f"M1;P;{cell};1\n" + lines(9, start=2))
    wrong = place.sync()
    kept = place.hours
    place.lay("a.csv", HEAD + lines(10))
    right = place.sync()

    assert ["partial", "ok"] == [wrong.verdict, right.verdict]
    assert (10.0, 10.0, []) == (kept, place.hours, place.rejected)


@pytest.mark.parametrize("last", ["M1;P;2026-10-10;one\n", "M1;P;2026-10-10;1"])
def test_a_file_that_is_put_back_as_it_was(place: Place, last: str) -> None:
    """What was taken of it in between, beside what could not be, is taken back: it was another content."""
    place.map(KEY)
    place.lay("a.csv", HEAD + lines(10))
    place.sync()
    place.lay("a.csv", HEAD + "M1;P;2026-10-01;5\n" + lines(8, start=2) + last)
    between = place.sync()
    edited_hours = place.hours
    place.lay("a.csv", HEAD + lines(10))
    after = place.sync()

    assert ["partial", "ok"] == [between.verdict, after.verdict]
    assert (14.0, 10.0, []) == (edited_hours, place.hours, place.rejected)


def test_too_many_wrong_rows_fail_the_file_before_it_is_written(place: Place) -> None:
    """Above max_rejected nothing of the file is taken, the first ones are named, and all are listed."""
    place.lay("a.csv", HEAD + lines(6) + "M2;P;x;1\nM3;P;x;1\nM4;P;x;1\n")
    place.lay("b.csv", HEAD + lines(4, who="M9"))
    report = place.sync()
    strict = (place.hours, len(place.rejected))
    place.sync(max_rejected=0.5)

    assert ("partial", (4.0, 3)) == (report.verdict, strict)
    assert "a.csv: 3 of 9 could not be taken, more than max_rejected = 0.2" in said(report)
    assert 10.0 == place.hours


def test_whatever_goes_wrong_with_a_row(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that nobody foresaw costs its row too."""
    taken = mapper_module.RowMapper.named

    def odd(self: Any, row: dict[str, Any], native: str) -> Any:
        if row["Day"] == "2026-10-03":
            raise ZeroDivisionError("oh")
        return taken(self, row, native)

    monkeypatch.setattr(mapper_module.RowMapper, "named", odd)
    place.lay("a.csv", HEAD + lines(8))
    report = place.sync()

    assert ("partial", 7.0, ["a.csv, row 4"]) == (report.verdict, place.hours, place.rejected)
    assert "ZeroDivisionError: oh" in said(report)


def test_the_tally_of_a_file(place: Place) -> None:
    """Rows met are taken, rejected, or left out for a reason, and the hours are those that came through."""
    place.map('drop = [{ column = "Who", matches = "^Total" }]\ncarry_down = ["Who"]')
    place.lay("a.csv", HEAD + lines(8) + ";;;\n\nM2;;;\n;P;2026-10-01;2\nTotal;;;10\nM1;P;?;1\n")
    report = place.sync()
    (run,) = place.store.runs("s", limit=1)

    assert ("partial", [], 10.0) == (report.verdict, report.missing, place.hours)
    assert (
        '{"rows": {"left out: dropped by the mapping": 1, "left out: empty": 2, "left out: group rows": 1, '
        '"seen": 14, "taken": 9}}' == run.tally
    )


# ---------- what was not read is said ----------


def test_what_a_workbook_holds_besides(place: Place) -> None:
    """Other visible sheets with rows, columns of numbers that nothing takes, headers that stand twice."""
    rows: list[list[Any]] = [["Who", "Code", "Day", "H", "Extra", "Note", "Note"]]
    rows += [["M1", "P", date(2026, 10, n), 7, 2, "a", "b", "far"] for n in range(1, 6)]
    book(place.folder / "in" / "a.xlsx", {"Oct": rows, "Nov": rows, "Empty": []})
    report = place.sync()

    assert ("ok", 35.0) == (report.verdict, place.hours)
    assert [
        "a.xlsx: not read: the sheets Nov (say sheets in the mapping to read several)",
        "a.xlsx: columns with numbers that the mapping does not name: Extra",
        "a.xlsx: headers that stand more than once: Note",
        "a.xlsx: 5 rows have cells beyond the last header",
    ] == report.notes


def test_a_mapped_column_that_stands_twice(place: Place) -> None:
    """Nothing says which of the two counts: the file is refused by the column's name."""
    place.lay("a.csv", "Who;Code;Day;H;H\nM1;P;2026-10-01;1;8\n")
    report = place.sync()

    assert "failed" == report.verdict
    assert "a.csv: the column 'H' stands more than once in row 1" in said(report)


def test_a_hidden_sheet_is_not_taken_for_the_visible_one(place: Place) -> None:
    """The first sheet is the first visible one; a hidden one is read by its name only."""
    right = [["Who", "Code", "Day", "H"], ["M1", "P", date(2026, 10, 1), 7]]
    old = [["Who", "Code", "Day", "H"], ["M1", "P", date(2026, 10, 1), 3]]
    book(place.folder / "in" / "a.xlsx", {"Old": old, "New": right}, hidden=("Old",))
    place.sync()
    first = place.hours
    place.map('sheets = "*"')
    place.sync()
    every = place.hours
    place.map('sheet = "Old"')
    place.sync(max_leave=1.0)

    assert (7.0, 7.0, 3.0) == (first, every, place.hours)


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ("M2,P,2026-10-05,7,5", "has 5 cells for 4 headers"),
        ('M2,P,2026-10-05,"7\0"', "holds a NUL byte"),
        ("M2,P,2026-10-05," + "x" * 140_000, "field larger than field limit"),
        ("M2,P,#N/A,7", "is an error of the spreadsheet"),
        ("#REF!,P,2026-10-05,7", "is an error of the spreadsheet"),
    ],
)
def test_a_row_of_a_text_that_is_not_well(place: Place, row: str, why: str) -> None:
    """A decimal comma that moves the cells, a NUL, a field without end, an error: each costs its row."""
    csv.field_size_limit(131_072)  # Python's own, which others may have raised
    text = HEAD + lines(8) + row.replace(",", ";") + "\n" + lines(2, start=11)
    place.lay("a.csv", text.replace(";", ","))
    report = place.sync()

    assert ("partial", 10.0, ["a.csv, row 10"]) == (report.verdict, place.hours, place.rejected)
    assert why in said(report)


@pytest.mark.parametrize("separator", ["\r", "\r\n", "\n"])
def test_the_ends_of_lines(place: Place, separator: str) -> None:
    """Old Macs, Windows and Unix end lines in their way."""
    place.lay("a.csv", (HEAD + lines(5)).replace("\n", separator))

    assert ("ok", 5.0) == (place.sync().verdict, place.hours)


def test_mixed_ends_of_lines_and_a_lone_one(place: Place) -> None:
    """Ends of lines may differ in one file; one inside a row leaves two halves that are no rows."""
    place.lay("a.csv", HEAD + lines(9).replace("\n", "\r\n", 4) + "M2;P;2026-10-05\r;7\n")
    report = place.sync()

    assert ("partial", 9.0) == (report.verdict, place.hours)
    assert ["a.csv, row 11", "a.csv, row 12"] == place.rejected


def test_two_exports_put_together(place: Place) -> None:
    """A header that comes again is no row, with a mark of the order of bytes or with its columns moved."""
    second = "\ufeffDay;Who;Code;H\n2026-10-21;M2;P;2\n"
    place.lay("a.csv", "\ufeff" + HEAD + lines(4) + "\ufeff" + HEAD + lines(4, start=11) + second)
    report = place.sync()

    assert ("ok", 10.0, []) == (report.verdict, place.hours, report.missing)
    assert '"left out: repeated headers": 2' in (place.store.runs("s", limit=1)[0].tally or "")


def test_a_mark_that_is_not_closed_swallows_no_rows(place: Place) -> None:
    """The rows up to the next mark are read as rows."""
    place.map("", MAPPING.replace('day = "Day"', 'day = "Day"\nbillable = { column = "B", default = true, '
                                  'pattern = "^(oui)$" }'.replace("{", "{{").replace("}", "}}")))  # fmt: skip
    rows = ["M1;P;2026-10-01;1;oui", 'M1;P;2026-10-02;1;"oui', "M1;P;2026-10-03;1;oui"]
    rows += ["M1;P;2026-10-04;1;oui", 'M1;P;2026-10-05;1;"oui"', "M1;P;2026-10-06;1;oui"]
    place.lay("a.csv", "Who;Code;Day;H;B\n" + "\n".join(rows) + "\n")
    place.sync()

    assert 6.0 == place.hours


def test_utf_16_without_its_mark(place: Place) -> None:
    """Every other byte of it is a NUL."""
    place.lay("a.csv", (HEAD + lines(5)).encode("utf-16-le"))

    assert ("ok", 5.0) == (place.sync().verdict, place.hours)


def test_errors_and_formulas_without_a_value(place: Place) -> None:
    """A cell that a formula failed for, or whose value was not saved, costs its row where it is mapped."""
    path = place.folder / "in" / "a.xlsx"
    with xlsxwriter.Workbook(str(path)) as out:
        sheet = out.add_worksheet("Oct")
        sheet.write_row(0, 0, ["Who", "Code", "Day", "H", "Other"])
        for number in range(1, 13):
            sheet.write_row(number, 0, ["M1", "P", f"2026-10-{number:02d}"])
            sheet.write_formula(number, 3, "=3+4", None, 7)
            sheet.write_formula(number, 4, "=1/0", None, "#DIV/0!")
        sheet.write_formula(2, 3, "=A1/0", None, "#DIV/0!")
    edited(
        path,
        "xl/worksheets/sheet1.xml",
        lambda text: text.replace('<c r="D6"><f>3+4</f><v>7</v></c>', '<c r="D6"><f>3+4</f></c>'),
    )
    report = place.sync()

    assert ("partial", 70.0) == (report.verdict, place.hours)
    assert ["a.xlsx, sheet Oct, row 3", "a.xlsx, sheet Oct, row 6"] == place.rejected
    assert "row 3, H: '#DIV/0!' is an error of the spreadsheet" in said(report)
    assert "row 6, H: '=' is a formula whose value was not saved" in said(report)


ERRORS_ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" office:version="1.3"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0"
 xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0">
<office:body><office:spreadsheet><table:table table:name="Oct">{rows}</table:table></office:spreadsheet>
</office:body></office:document-content>"""


def test_errors_and_formulas_without_a_value_of_an_ods(place: Place) -> None:
    """The same in OpenDocument, as LibreOffice writes them."""

    def row(*cells: str) -> str:
        return f"<table:table-row>{''.join(cells)}</table:table-row>"

    def text(value: str) -> str:
        return f'<table:table-cell office:value-type="string"><text:p>{value}</text:p></table:table-cell>'

    seven = (
        '<table:table-cell office:value-type="float" office:value="7"><text:p>7</text:p></table:table-cell>'
    )
    error = (
        '<table:table-cell table:formula="of:=1/0" office:value-type="string" office:string-value="" '
        'calcext:value-type="error"><text:p>#DIV/0!</text:p></table:table-cell>'
    )
    rows = [row(*map(text, ("Who", "Code", "Day", "H")))]
    rows += [row(*map(text, ("M1", "P", f"2026-10-{n:02d}")), seven) for n in range(1, 11)]
    rows += [row(*map(text, ("M1", "P", "2026-10-11")), error)]
    rows += [row(*map(text, ("M1", "P", "2026-10-12")), '<table:table-cell table:formula="of:=3+4"/>')]
    with zipfile.ZipFile(place.folder / "in" / "a.ods", "w") as out:
        out.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        out.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
        out.writestr("content.xml", ERRORS_ODS.replace("\n", "").format(rows="".join(rows)))
    report = place.sync()

    assert ("partial", 70.0) == (report.verdict, place.hours)
    assert ["a.ods, sheet Oct, row 12", "a.ods, sheet Oct, row 13"] == place.rejected
    assert "is an error of the spreadsheet" in said(report)
    assert "is a formula whose value was not saved" in said(report)


# ---------- one key in two files ----------


def test_two_versions_of_a_file_count_once(place: Place) -> None:
    """The file that brought the keys first keeps them; the other's rows name both files."""
    place.map(KEY)
    place.lay("Relevé.csv", HEAD + lines(10))
    place.sync()
    place.lay("Relevé v2.csv", HEAD + lines(9) + "M1;P;2026-10-10;4\n")
    second, third = place.sync(), place.sync()

    assert ("partial", "partial", 10.0) == (second.verdict, third.verdict, place.hours)
    assert 10 == len(place.rejected)
    assert all("Relevé v2.csv" in one for one in place.rejected)
    assert "'M1/2026-10-01' is in Relevé.csv too, which had it first" in said(third)


def test_two_versions_on_the_first_run(place: Place) -> None:
    """The shorter name comes first, whatever thread is faster; new keys of the other are taken."""
    place.map(KEY)
    place.lay("Relevé v2.csv", HEAD + "M1;P;2026-10-01;5\n" + lines(9, start=11))
    place.lay("Relevé.csv", HEAD + lines(10))
    report = place.sync()

    assert ("partial", 19.0, ["Relevé v2.csv, row 2"]) == (report.verdict, place.hours, place.rejected)


def test_the_key_is_free_when_the_first_file_lets_it_go(place: Place) -> None:
    """What the first file no longer has, and nothing holds, the second brings."""
    place.map(KEY)
    place.lay("a.csv", HEAD + lines(10))
    place.lay("b.csv", HEAD + lines(10, who="M2"))
    place.sync()
    place.lay("a.csv", HEAD + lines(9))
    place.lay("b.csv", HEAD + lines(10, who="M2") + "M1;P;2026-10-10;1\n")
    meanwhile, last = place.sync(), place.sync()

    assert ["partial", "ok"] == [meanwhile.verdict, last.verdict]
    assert (20.0, []) == (place.hours, place.rejected)


@pytest.mark.parametrize("dated", [False, True])
def test_the_newest_file_has_the_key(place: Place, dated: bool) -> None:
    """By the dates in the names where both have one, else by when they were written; nothing leaves."""
    place.map(KEY + '\noverlap = "newest"')
    old, new = ("h 2026-10.csv", "h 2026-11.csv") if dated else ("z.csv", "a.csv")
    place.lay(old, HEAD + lines(10), age=0 if dated else 9)
    place.lay(new, HEAD + lines(9, hours="2"), age=9 if dated else 0)
    first = place.sync()
    both = place.hours
    again = place.sync()
    place.lay(new, HEAD + lines(8, hours="2"), age=9 if dated else 0)
    less = place.sync()

    assert (["ok"] * 3, 19.0) == ([one.verdict for one in (first, again, less)], both)
    assert (0, 18.0) == (again.changes.read, place.hours)


def test_a_key_leaves_with_the_last_file_that_has_it(place: Place) -> None:
    """With the newest rule a row that no file has any more is gone; what only a vanished file had is held."""
    place.map(KEY + '\noverlap = "newest"')
    place.lay("z.csv", HEAD + lines(10), age=9)
    place.lay("a.csv", HEAD + lines(10, start=6, hours="2"))
    place.sync()
    before = place.hours
    place.lay("a.csv", HEAD + lines(9, start=6, hours="2"))
    gone = place.sync()
    after = place.hours
    (place.folder / "in" / "z.csv").unlink()
    away = place.sync()

    assert (25.0, 23.0) == (before, after)  # five of one hour, ten, then nine of two
    assert ("ok", "partial") == (gone.verdict, away.verdict)
    assert ("5 rows" in said(away) or "5 rows" in "".join(away.held), 23.0) == (True, place.hours)


def test_equal_rows_in_two_files_without_a_key(place: Place) -> None:
    """Two files that share most of their rows are named, and the shared rows are counted once."""
    place.lay("a.csv", HEAD + lines(10))
    place.lay("a v2.csv", HEAD + lines(9) + "M1;P;2026-10-10;4\n")
    report = place.sync(max_rejected=1.0)

    assert ("partial", 14.0, 9) == (report.verdict, place.hours, len(place.rejected))
    assert "a v2.csv holds most of the rows of a.csv" in said(report)


def test_a_few_equal_rows_are_no_copy(place: Place) -> None:
    """Files without a key may have some rows in common."""
    place.lay("a.csv", HEAD + lines(10))
    place.lay("b.csv", HEAD + lines(3) + lines(7, who="M2"))

    assert ("ok", 20.0) == (place.sync().verdict, place.hours)


@pytest.mark.parametrize("more", ["", KEY])
@pytest.mark.parametrize("later", [False, True])
def test_a_file_renamed_and_edited_is_the_same_file(place: Place, more: str, later: bool) -> None:
    """Its rows keep their names: never old and new beside each other, in the same run or a later one."""
    place.map(more)
    place.lay("a.csv", HEAD + lines(10))
    place.sync()
    (place.folder / "in" / "a.csv").unlink()
    extra = 0
    if later:
        place.lay("other.csv", HEAD + lines(2, who="M7"))
        place.sync()
        extra = 2
    place.lay("october.csv", HEAD + lines(9) + "M1;P;2026-10-10;4\n")
    report = place.sync()
    named = {row["id"].partition(".csv/")[0] for row in place.store.rows("SELECT id FROM worklog")}

    assert (13.0 + extra, [], []) == (place.hours, place.rejected, report.missing)
    assert {"s:in/a", *(["s:in/other"] if later else [])} == named


def test_a_file_with_rows_of_its_own_is_not_taken_for_one_that_is_away(place: Place) -> None:
    """A file that was never read to its end keeps its own rows when the file that it overlaps goes."""
    place.map(KEY)
    place.lay("a.csv", HEAD + lines(2))
    place.lay("a v2.csv", HEAD + lines(10))
    place.sync()
    (place.folder / "in" / "a.csv").unlink()
    place.sync()
    held = place.hours
    place.store.accept(None, run_id=0, actor="pmo")
    place.sync()

    assert (10.0, 10.0) == (held, place.hours)


def test_the_first_file_goes_and_its_second_version_stays(place: Place) -> None:
    """The second version is then the file: nothing is doubled, nothing lost."""
    place.map(KEY)
    place.lay("Relevé.csv", HEAD + lines(10))
    place.lay("Relevé v2.csv", HEAD + lines(9) + "M1;P;2026-10-10;4\n")
    place.sync()
    (place.folder / "in" / "Relevé.csv").unlink()
    report = place.sync()

    assert ("ok", 13.0, []) == (report.verdict, place.hours, place.rejected)


def test_a_file_with_a_wrong_row_that_vanishes(place: Place) -> None:
    """It has no mark, because its row is asked for again; its rows are held as those of any other."""
    place.map(KEY)
    place.lay("a.csv", HEAD + lines(10))
    place.lay("b.csv", HEAD + lines(9, who="M2") + "M2;P;2026-10-20;x\n")
    place.sync()
    (place.folder / "in" / "b.csv").unlink()
    away = place.sync()
    held = place.hours
    place.store.accept(None, run_id=0, actor="pmo")
    report = place.sync()

    assert ("partial", 19.0) == (away.verdict, held)
    assert "the file in/b.csv is no longer among those of in" in "".join(away.held)
    assert ("ok", 10.0) == (report.verdict, place.hours)


# ---------- files that end in the middle ----------


def test_a_file_without_its_last_line_end(place: Place) -> None:
    """Where its last reading had one it may be cut: it is named, and nothing leaves."""
    place.lay("a.csv", HEAD + lines(10))
    place.sync()
    place.lay("a.csv", (HEAD + lines(9)).rstrip("\n"))
    report = place.sync()

    assert ("partial", 10.0) == (report.verdict, place.hours)
    assert "a.csv seems to be cut off: its last line has no end, and it had one before" in said(report)


@pytest.mark.parametrize("end", ['M1;P;2026-10-10;1;"the end of', "M1;P;2026-10-10;1"])
def test_a_last_row_that_is_cut(place: Place, end: str) -> None:
    """A mark that is never closed, or fewer cells than all others: the row is not taken, the file named."""
    rows = "".join(f"{line};note\n" for line in lines(9).splitlines())
    place.lay("a.csv", "Who;Code;Day;H;Note\n" + rows + end)
    report = place.sync()

    assert ("partial", 9.0, ["a.csv, row 11"]) == (report.verdict, place.hours, place.rejected)
    assert "a.csv seems to be cut off" in said(report)


def test_what_is_odd_is_said_in_french(place: Place) -> None:
    """A sentence is of one language: its reason too."""
    place.lay("a.csv", "Who;Code;Day;H;Note\nM1;P;2026-10-01;1;x\nM1;P;2026-10-02;1;x\nM1;P;2026-10-03;1")
    with speaking("fr"):
        told = said(place.sync())

    assert "sa dernière ligne a 4 cellules" in told
    assert "le fichier s'arrête au milieu de cette ligne" in told
    assert "its last row" not in told


def test_a_trailer_shows_that_a_file_is_whole(place: Place) -> None:
    """A last row that the mapping drops may be shorter."""
    place.map('drop = [{ column = "Who", matches = "^Total" }]')
    place.lay("a.csv", HEAD + lines(5) + "Total;5")

    assert ("ok", 5.0) == (place.sync().verdict, place.hours)


# ---------- limits ----------


def stray(path: Path, cell: str) -> None:
    """Lay a workbook of hours with one cell far away."""
    rows: list[list[Any]] = [["Who", "Code", "Day", "H"]]
    rows += [["M1", "P", date(2026, 10, n), 7] for n in range(1, 6)]
    book(path, {"Oct": rows})
    number = "".join(filter(str.isdigit, cell))
    far = f'<row r="{number}"><c r="{cell}"><v>1</v></c></row></sheetData>'
    if int(number) <= 6:
        edited(path, "xl/worksheets/sheet1.xml",
               lambda text: text.replace("</row>", f'<c r="{cell}"><v>1</v></c></row>', 1))  # fmt: skip
    else:
        edited(path, "xl/worksheets/sheet1.xml", lambda text: text.replace("</sheetData>", far))


@pytest.mark.long
@pytest.mark.parametrize("cell", ["XFD1048576", "A1048576", "XFD1", "ZZ900000"])
def test_a_cell_far_from_the_table(place: Place, cell: str) -> None:
    """A small workbook with one cell far away is read for its table, and the cell is said."""
    stray(place.folder / "in" / "a.xlsx", cell)
    report = place.sync()

    assert 35.0 == place.hours
    assert "A1048576" == cell or cell in said(report)


def test_a_table_that_is_too_large(place: Place) -> None:
    """Where the table itself is larger than the setting allows, the setting is named."""
    stray(place.folder / "in" / "a.xlsx", "XFD1")
    report = place.sync(max_cells=10)

    assert "failed" == report.verdict
    assert "max_cells = 10" in said(report)


FAR_ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" office:version="1.3"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
<office:body><office:spreadsheet><table:table table:name="Oct">
<table:table-row table:number-rows-repeated="1048575"><table:table-cell/></table:table-row><table:table-row>
<table:table-cell table:number-columns-repeated="16383"/><table:table-cell office:value-type="float"
 office:value="1"/></table:table-row></table:table></office:spreadsheet></office:body>
</office:document-content>"""


def test_an_ods_with_a_cell_far_away(place: Place) -> None:
    """It is refused before the reader of workbooks builds its grid."""
    with zipfile.ZipFile(place.folder / "in" / "a.ods", "w") as out:
        out.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        out.writestr("content.xml", FAR_ODS.replace("\n", ""))
    report = place.sync()

    assert "failed" == report.verdict
    assert "a.ods, sheet Oct: its cells reach to XFD1048576" in said(report)


def test_a_file_that_is_too_large(place: Place) -> None:
    """Its size is named with the setting that allows more."""
    place.lay("a.csv", HEAD + lines(20) * 200)
    report = place.sync(max_file_mb=0.01)

    assert "failed" == report.verdict
    assert "more than max_file_mb = 0.01 allows" in said(report)


@pytest.mark.parametrize("encoding", ["utf-8", "cp1252", "utf-16"])
def test_a_packed_text(place: Place, encoding: str) -> None:
    """A CSV file packed by gzip is read as if it were not, rows that cannot be taken among them."""
    text = HEAD + lines(6) + "Zoé;P;x;1\n"
    place.lay("a.csv.gz", gzip.compress(text.encode(encoding)))
    report = place.sync()

    assert ("partial", 6.0) == (report.verdict, place.hours)
    assert "a.csv.gz, row 8" in said(report)


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda packed: packed[:-12], "cannot be unpacked"),
        (lambda packed: b"Who;Code", "cannot be unpacked"),
        (lambda packed: gzip.compress(b" " * 30_000_000), "max_unpacked_mb = 20 is allowed"),
    ],
    ids=["half of it", "not packed", "a bomb"],
)
def test_a_packed_text_that_will_not_do(place: Place, damage: Callable[[bytes], bytes], words: str) -> None:
    """It is told before a row is taken; what is known of it stays."""
    place.lay("b.csv", HEAD + lines(2, who="M9"))
    place.lay("a.csv.gz", damage(gzip.compress((HEAD + lines(600)).encode())))
    report = place.sync(max_unpacked_mb=20.0)

    assert ("partial", 2.0) == (report.verdict, place.hours)
    assert words in said(report)


@pytest.mark.parametrize("lies", [False, True])
def test_a_workbook_that_unpacks_to_too_much(place: Place, lies: bool) -> None:
    """A bomb is told by its directory, and where the directory lies by unpacking it as far as allowed."""
    path = place.folder / "in" / "a.xlsx"
    book(path, {"Oct": [["Who", "Code", "Day", "H"]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as out:
        out.writestr("xl/media/more.bin", b"\0" * 30_000_000)
    if lies:
        data = bytearray(path.read_bytes())
        real = (30_000_000).to_bytes(4, "little")
        while (at := data.find(real)) >= 0:
            data[at : at + 4] = (1000).to_bytes(4, "little")
        path.write_bytes(data)
    report = place.sync(max_unpacked_mb=20.0)

    assert "failed" == report.verdict
    assert "max_unpacked_mb = 20 is allowed" in said(report)


def test_too_many_columns(place: Place) -> None:
    """A header of thousands of columns is no table."""
    place.lay(
        "a.csv", ";".join(["Who", "Code", "Day", "H", *(f"c{n}" for n in range(3000))]) + "\n" + lines(1)
    )
    report = place.sync()

    assert "more than max_columns = 2000" in said(report)
    assert "ok" == place.sync(max_columns=4000).verdict


# ---------- sheets ----------


def test_a_sheet_a_person(place: Place) -> None:
    """All visible sheets that are such tables are read, new ones by themselves; their names are a column."""
    head = ["Code", "Day", "H"]
    sheets: dict[str, list[list[Any]]] = {
        "Read me": [["Call the office before you change this"]],
        "Zoé": [head, ["P", date(2026, 10, 1), 7]],
        "Hidden": [head, ["P", date(2026, 10, 1), 5]],
    }
    path = place.folder / "in" / "team.xlsx"
    text = MAPPING.replace('"Who"', '"#sheet"')
    place.map('sheets = "*"', text)
    book(path, sheets, hidden=("Hidden",))
    first = place.sync()
    book(path, sheets | {"Noël": [head, ["P", date(2026, 10, 1), 7]]}, hidden=("Hidden",))
    second = place.sync()
    people = [row["account_id"] for row in place.store.rows("SELECT account_id FROM worklog ORDER BY 1")]

    assert ("ok", "ok", 14.0) == (first.verdict, second.verdict, place.hours)
    assert ["s:Noël", "s:Zoé"] == people
    assert "not read: the sheet Read me" in said(second)


def test_sheets_by_a_pattern_and_the_files_name(place: Place) -> None:
    """Only the sheets of months are read; the file says whose they are."""
    head = ["Code", "Day", "H"]
    sheets: dict[str, list[list[Any]]] = {
        "2026-10": [head, ["P", date(2026, 10, 1), 7]], "2026-11": [head, ["P", date(2026, 11, 2), 6]],
        "Sum": [head, ["P", date(2026, 10, 1), 13]],
    }  # fmt: skip
    book(place.folder / "in" / "Zoé.xlsx", sheets)
    place.map('sheets = "2026-*"', MAPPING.replace('"Who"', '"#file"'))
    report = place.sync()

    assert ("ok", 13.0) == (report.verdict, place.hours)
    assert ["s:Zoé"] == [row["id"] for row in place.store.rows("SELECT id FROM account")]
    assert "not read: the sheets Sum" in said(report)


def test_a_sheet_of_several_that_lacks_a_column(place: Place) -> None:
    """It is named, the others are taken, and nothing leaves."""
    head = ["Who", "Code", "Day", "H"]
    good: list[list[Any]] = [head, *(["M1", "P", date(2026, 10, n), 7] for n in range(1, 6))]
    bad: list[list[Any]] = [[*head[:3], "Hours"], *(["M1", "P", date(2026, 11, n), 7] for n in range(1, 6))]
    place.map('sheets = "*"')
    book(place.folder / "in" / "a.xlsx", {"Oct": good, "Nov": bad})
    report = place.sync()

    assert ("partial", 35.0) == (report.verdict, place.hours)
    assert "a.xlsx, sheet Nov was not read: a.xlsx: row 1 has no column 'H'" in said(report)


# ---------- columns that are weeks ----------

CROSSTAB = """record = "worklog"
{more}
[fields]
account_id = "Who"
container_id = "Code"
day = "Week"
seconds = {{ column = "Hours", unit = "hours" }}
"""


@pytest.mark.parametrize(
    ("name", "header", "more"),
    [
        ("a 2026", ["S41", "S42"], ""),
        ("a 2026", ["Sem. 41", "Sem. 42"], ""),
        ("a", ["W41-2026", "W42-2026"], ""),
        ("a", ["41/2026", "42/2026"], ""),
        ("a", ["2026-W41", "2026-W42"], ""),
        ("a", ["05/10/2026", "12/10/2026"], ""),
        ("a", ["10/05/2026", "10/12/2026"], ""),
        ("a_2026-10", ["05/10", "12/10"], ""),
        ("a", ["S41", "S42"], ", year = 2026"),
        ("a", [date(2026, 10, 5), date(2026, 10, 12)], ""),
        ("a", [date(2026, 10, 7), date(2026, 10, 14)], ""),
        ("a 2026", ["Semaine 41 (5 au 9)", "Semaine 42 (12 au 16)"], ""),
        ("a", ["Week of 5 Oct 2026", "Week of 12 Oct 2026"], ""),
    ],
)
def test_columns_that_are_weeks(place: Place, name: str, header: list[Any], more: str) -> None:
    """However a week is written, a cell becomes the hours from its Monday to its Sunday."""
    rows: list[list[Any]] = [
        ["Who", "Code", "Total", *header],
        ["M1", "P", 73, 35, 38],
        ["M2", "P", 30, None, 30],
    ]
    book(place.folder / "in" / f"{name}.xlsx", {"Feuil1": rows})
    place.map(f'unpivot = {{ per = "week", name = "Week", value = "Hours"{more} }}', CROSSTAB)
    report = place.sync()
    found = place.store.rows(
        "SELECT account_id, day, finish_on, seconds / 3600 AS h FROM worklog ORDER BY 1, 2"
    )

    assert ("ok", []) == (report.verdict, report.missing)
    assert [
        ("s:M1", "2026-10-05", "2026-10-11", 35),
        ("s:M1", "2026-10-12", "2026-10-18", 38),
        ("s:M2", "2026-10-12", "2026-10-18", 30),
    ] == [tuple(row.values()) for row in found]


@pytest.mark.parametrize(
    "header", [["janv. 2026", "févr. 2026"], ["January 2026", "February 2026"], ["01/2026", "02/2026"],
               ["2026-01", "2026-02"], [date(2026, 1, 1), date(2026, 2, 1)]],
)  # fmt: skip
def test_columns_that_are_months(place: Place, header: list[Any]) -> None:
    """A cell becomes the hours from the first of the month to its last day."""
    book(place.folder / "in" / "a.xlsx", {"Feuil1": [["Who", "Code", *header], ["M1", "P", 140, 133]]})
    place.map('unpivot = { per = "month", name = "Week", value = "Hours" }', CROSSTAB)
    report = place.sync()
    found = place.store.rows("SELECT day, finish_on, seconds / 3600 AS h FROM worklog ORDER BY 1")

    assert ("ok", []) == (report.verdict, report.missing)
    assert [("2026-01-01", "2026-01-31", 140), ("2026-02-01", "2026-02-28", 133)] == [
        tuple(row.values()) for row in found
    ]


def test_a_title_says_the_year_and_a_year_ends(place: Place) -> None:
    """The rows above the headers say the year of the first week; after week 53 comes the next year."""
    rows: list[list[Any]] = [["Charge 2026"], ["Who", "Code", "S52", "S53", "S01"], ["M1", "P", 1, 2, 3]]
    book(place.folder / "in" / "a.xlsx", {"Feuil1": rows})
    place.map('header_row = 2\nunpivot = { per = "week", name = "Week", value = "Hours" }', CROSSTAB)
    report = place.sync()

    assert "ok" == report.verdict, said(report)
    assert ["2026-12-21", "2026-12-28", "2027-01-04"] == [
        row["day"] for row in place.store.rows("SELECT day FROM worklog ORDER BY day")
    ]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (["S41", "S42"], "say year = 2026 under [unpivot]"),
        (["S41 2026", "Sem 41-2026"], "name the same week"),
        (["S54 2026", "x"], "has no column like a week"),
        (["S53 2025", "x"], "names no week of 2025"),
        (["04/05/2026", "x"], "could be of the month 5 or 4"),
    ],
)
def test_weeks_that_are_not_clear(place: Place, header: list[str], words: str) -> None:
    """A year that nothing says, a week twice, a week that its year has not, a day that could be two."""
    place.lay("a.csv", f"Who;Code;{';'.join(header)}\nM1;P;35;38\n")
    place.map('unpivot = { per = "week", name = "Week", value = "Hours" }', CROSSTAB)
    report = place.sync()

    assert "failed" == report.verdict
    assert words in said(report)


def test_a_wrong_cell_of_a_week_costs_that_cell(place: Place) -> None:
    """Its column is named beside its row."""
    rows = "".join(f"M{n};P;7;7\n" for n in range(5))
    place.lay("a.csv", f"Who;Code;S41 2026;S42 2026\n{rows}M9;P;x;7\n")
    place.map('unpivot = { per = "week", name = "Week", value = "Hours" }', CROSSTAB)
    place.sync()

    assert (77.0, ["a.csv, row 7, column S41 2026"]) == (place.hours, place.rejected)


# ---------- any file ----------


def test_any_bytes(place: Place, proof: bool) -> None:
    """A file of hours in which bytes were changed at random is read or refused, never more than it holds."""
    rng = random.Random(18)
    whole = (HEAD + lines(25)).encode()
    for _ in range(300 if proof else 15):
        data = bytearray(whole)
        for _ in range(rng.randint(1, 6)):
            data[rng.randrange(len(data))] = rng.choice(b'\0\r\n";,\xef9a\xff')
        place.lay("a.csv", bytes(data))
        report = place.sync(max_leave=1.0)

        assert "unexpected" not in said(report)
        assert report.verdict in {"ok", "partial", "failed"}


def test_a_damaged_workbook(place: Place, proof: bool) -> None:
    """A workbook cut or changed anywhere is read or refused with its name."""
    rng = random.Random(18)
    path = place.folder / "in" / "a.xlsx"
    stray(path, "XFD1048576")
    whole = path.read_bytes()
    for _ in range(200 if proof else 10):
        data = bytearray(whole[: rng.randint(1, len(whole))] if rng.random() < 0.3 else whole)
        for _ in range(rng.randint(0, 4)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        path.write_bytes(bytes(data))
        report = place.sync()

        assert "unexpected" not in said(report)


def test_a_grid_is_refused_by_its_name() -> None:
    """What cannot be opened is an error of the source with the file's name."""
    with pytest.raises(SourceDataError, match=r"none\.csv"):
        list(sheets.grid(Path("none.csv")))


# ---------- what `hub check` shows ----------


def checks(place: Place, **more: Any) -> dict[str, tuple[str, str]]:
    """Return what the check of the source says, by name."""
    source = TabularSource(name="s", path="in", mapping="m.toml", **more)
    found = source.check(Context(base=place.folder, source_id="s"))
    return {one.name: (one.state, one.detail) for one in found}


def test_the_check_shows_the_first_rows(place: Place) -> None:
    """They are those that a run will take, in a small table."""
    place.lay("a.csv", HEAD + "Zoé Martin;P;05/10/2026;7,5\n" + "Jo;P;16/10/2026;0,25\n")
    state, detail = checks(place)["rows"]

    assert "ok" == state
    assert [
        "2 rows of 1 file are taken; the first of a.csv, as the hub takes them:",
        "    container_id  account_id  day         seconds",
        "    P             Zoé Martin  2026-10-05  7.5 h",
        "    P             Jo          2026-10-16  0.25 h",
    ] == detail.splitlines()


@pytest.mark.parametrize(
    ("rows", "name", "state", "words"),
    [
        (lines(8) + "M1;P;x;1\n", "a.csv", "warning", "1 of 9 rows cannot be taken. The first: a.csv"),
        (lines(3) + "M1;P;x;1\n" * 3, "a.csv", "failed", "3 of 6 rows cannot be taken, so that nothing"),
        (lines(1, hours="20") * 2, "plausible", "warning", "2 of 2 rows are above 16 h, in the column H"),
        ("M1;P;2026-10-01;9\nM1;Q;2026-10-01;9\nM1;R;2026-10-01;9\n" + lines(9, who="M2"), "plausible",
         "warning", "1 of 10 days of a person is above 24 h, such as 2026-10-01 of M1 with 27 h"),
        ("M1;P;2016-10-01;7\n" + lines(3), "plausible", "warning",
         "1 of 4 dates is more than two years away"),
    ],
)  # fmt: skip
def test_the_check_says_what_is_hardly_meant(
    place: Place, rows: str, name: str, state: str, words: str
) -> None:
    """Rows that cannot be taken, days above 24 h, amounts as hours, dates far away."""
    place.lay("a.csv", HEAD + rows)
    found = checks(place)[name]

    assert state == found[0]
    assert words in found[1]


SUMMED = """\
record = "worklog"
drop = [{ column = "Jour", matches = "(?i)^(sous-)?total" }]
decimal = ","
[fields]
account_id = "Qui"
container_id = "Code"
day = { column = "Jour", format = "%d/%m/%Y" }
seconds = { column = "H", unit = "hours" }
"""
BODY = "05/10/2026;Zoé;WEB;7,5\n06/10/2026;Zoé;WEB;7,25\n07/10/2026;Jo;CRM;3,5\n"


@pytest.mark.parametrize(
    ("rows", "verdict", "said"),
    [
        (BODY + "Total;;;18,25\n", "ok", ""),
        (BODY + "Total;;;18:15\n", "ok", ""),
        (BODY + "Total;;;18,3\n", "ok", ""),  # shown rounded
        (BODY + "Total;;;\n", "ok", ""),
        # a group of rows has a sum of its own, and all have one
        (BODY + "Sous-total;;;18,25\n08/10/2026;Jo;CRM;2\nSous-total;;;2\nTotal;;;20,25\n", "ok", ""),
        (BODY + "Sous-total;;;18,25\n08/10/2026;Jo;CRM;2\nTotal;;;20,25\n", "ok", ""),
        (
            BODY + "Sous-total;;;18,25\n08/10/2026;Jo;CRM;2\nSous-total;;;2\nTotal;;;20,25\nTotal;;;20,25\n",
            "ok",
            "",
        ),
        # a row that cannot be taken is there all the same
        (BODY + "31/02/2026;Jo;CRM;2\nTotal;;;20,25\n", "partial", "31/02/2026"),
        # a row is not there: what is stated is more than what was read
        (
            BODY + "Total;;;25,75\n",
            "partial",
            "row 5: the sum stated there is 25.75, and the rows above it hold 18.25",
        ),
        (
            BODY + "Sous-total;;;18,25\n08/10/2026;Jo;CRM;2\nTotal;;;30\n",
            "partial",
            "row 7: the sum stated there is 30.00",
        ),
        # a filter hides rows from a sum: said, and nothing is missing
        (
            BODY + "Total;;;14,75\n",
            "ok",
            "row 5: the sum stated there is 14.75, and the rows above it hold 18.25",
        ),
    ],
)
def test_a_sum_that_the_file_states(tmp_path: Path, store: Store, rows: str, verdict: str, said: str) -> None:
    """The rows of a file are held against the sum that it states itself; figures by hand."""
    (tmp_path / "m.toml").write_text(SUMMED, encoding="utf-8")
    (tmp_path / "h.csv").write_text("Jour;Qui;Code;H\n" + rows, encoding="utf-8")

    report = sync_once(store, TabularSource(name="s", path="h.csv", mapping="m.toml"), base=tmp_path)
    told = [*report.missing, *report.notes, *report.rejections]

    assert verdict == report.verdict, told
    assert (len([one for one in told if said in one]) == 1) if said else not told


def test_a_sum_over_columns_that_become_rows(tmp_path: Path, store: Store) -> None:
    """A row of sums below a crosstab is held against all its cells; a row lost above it is missing."""
    mapping = SUMMED.replace('column = "Jour", matches', 'column = "Qui", matches').replace(
        'decimal = ","', 'decimal = ","\nunpivot = { per = "week", name = "S", value = "H", year = 2026 }'
    ).replace('day = { column = "Jour", format = "%d/%m/%Y" }', 'day = "S"')  # fmt: skip
    (tmp_path / "m.toml").write_text(mapping, encoding="utf-8")
    texts = {"ok": "Zoé;WEB;35;28\nJo;CRM;7;14\nTotal;;42;42\n", "partial": "Zoé;WEB;35;28\nTotal;;42;42\n"}
    for verdict, text in texts.items():
        (tmp_path / "h.csv").write_text("Qui;Code;S41;S42\n" + text, encoding="utf-8")
        report = sync_once(store, TabularSource(name=verdict, path="h.csv", mapping="m.toml"), base=tmp_path)
        assert verdict == report.verdict, report.missing
    assert ["h.csv, row 3: the sum stated there is 84.00, and the rows above it hold 63.00"] == [
        one.rstrip(".") for one in report.missing
    ]


# ---------- workbooks in binary records ----------


def record(kind: int, body: bytes) -> bytes:
    """Return a record of an XLS file (MS-XLS 2.1.4)."""
    return struct.pack("<2H", kind, len(body)) + body


def xls(path: Path) -> None:
    """Write an XLS file by MS-XLS and MS-CFB: a person's hours, two errors, a percent."""
    text = lambda one: struct.pack("<HB", len(one), 0) + one.encode()  # noqa: E731
    cell = lambda row, column, style=15: struct.pack("<3H", row, column, style)  # noqa: E731
    begin = record(0x0809, struct.pack("<4H2I", 0x0600, 5, 0, 0, 0, 0))
    sheet = record(0x0809, struct.pack("<4H2I", 0x0600, 16, 0, 0, 0, 0))
    heads = ["Who", "Code", "Day", "H", "P"]
    for at, head in enumerate(heads):
        sheet += record(0x0204, cell(0, at) + text(head))
    for row in range(1, 10):
        sheet += record(0x0204, cell(row, 0) + text("M1")) + record(0x0204, cell(row, 1) + text("P"))
        sheet += record(0x0204, cell(row, 2) + text(f"2026-10-{row:02}"))
        if row == 3:
            sheet += record(0x0205, cell(row, 3) + b"\x17\x01")  # BOOLERR: #REF!
        elif row == 5:
            result = b"\x02\0\x07\0\0\0\xff\xff"  # FORMULA that gives #DIV/0!
            sheet += record(0x0006, cell(row, 3) + result + struct.pack("<HIH", 0, 0, 0))
        else:
            sheet += record(0x0203, cell(row, 3) + struct.pack("<d", 1.5))
        sheet += record(0x0203, cell(row, 4, 16) + struct.pack("<d", 0.45))
    sheet += record(0x000A, b"")
    styles = b"".join(record(0x00E0, struct.pack("<2H", 0, 0) + bytes(16)) for _ in range(16))
    styles += record(0x00E0, struct.pack("<2H", 0, 170) + bytes(16))
    styles += record(0x041E, struct.pack("<H", 170) + text("0.0%"))
    size = len(begin) + len(styles) + len(record(0x0085, bytes(6) + b"\3\0Oct")) + 4
    book = begin + styles + record(0x0085, struct.pack("<IH", size, 0) + b"\3\0Oct") + record(0x000A, b"")
    stream = (book + sheet).ljust(8192, b"\0")
    sectors = len(stream) // 512
    fat = [*range(3, 2 + sectors), 0xFFFFFFFE]  # the stream; before it the table of sectors and the directory
    table = struct.pack("<128I", *([0xFFFFFFFD, 0xFFFFFFFE, *fat] + [0xFFFFFFFF] * 128)[:128])
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H", 0x3E, 3, 0xFFFE, 9, 6)
    head += bytes(10) + struct.pack("<9I", 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0, 0)
    head = head.ljust(512, b"\xff")

    def entry(name: str, kind: int, child: int, start: int, length: int) -> bytes:
        called = name.encode("utf-16-le") + b"\0\0"
        found = called.ljust(64, b"\0") + struct.pack(
            "<H2B3I", len(called), kind, 1, *[0xFFFFFFFF] * 2, child
        )
        return found + bytes(36) + struct.pack("<IQ", start, length)

    folder = entry("Root Entry", 5, 1, 0xFFFFFFFE, 0) + entry("Workbook", 2, 0xFFFFFFFF, 2, len(stream))
    path.write_bytes(head + table + folder.ljust(512, b"\0") + stream)


def xlsb(path: Path) -> None:
    """Write an XLSB file by MS-XLSB: the same rows."""

    def part(*records: tuple[int, bytes]) -> bytes:
        out = b""
        for kind, body in records:
            number = bytes([kind]) if kind < 128 else bytes([kind & 0x7F | 0x80, kind >> 7])
            size = len(body)
            length = bytes([size]) if size < 128 else bytes([size & 0x7F | 0x80, size >> 7])
            out += number + length + body
        return out

    text = lambda one: struct.pack("<I", len(one)) + one.encode("utf-16-le")  # noqa: E731
    cell = lambda column, style=0: struct.pack("<2I", column, style)  # noqa: E731
    rows: list[tuple[int, bytes]] = []
    for row in range(10):
        rows.append((0, struct.pack("<2IH", row, 0, 300) + bytes(7)))
        if not row:
            rows += [(6, cell(at) + text(one)) for at, one in enumerate(["Who", "Code", "Day", "H", "P"])]
            continue
        rows += [
            (6, cell(0) + text("M1")),
            (6, cell(1) + text("P")),
            (6, cell(2) + text(f"2026-10-{row:02}")),
        ]
        if row == 3:
            rows.append((3, cell(3) + b"\x17"))
        elif row == 5:
            rows.append((11, cell(3) + b"\x07" + struct.pack("<HI", 0, 0)))
        else:
            rows.append((5, cell(3) + struct.pack("<d", 1.5)))
        rows.append((5, cell(4, 1) + struct.pack("<d", 0.45)))
    sheet = part((129, b""), (148, struct.pack("<4I", 0, 9, 0, 4)), (145, b""), *rows, (146, b""), (130, b""))
    styles = part(
        (278, b""), (44, struct.pack("<H", 170) + text("0.0%")),
        (617, struct.pack("<I", 2)), (47, struct.pack("<2H", 0, 0) + bytes(12)),
        (47, struct.pack("<2H", 0, 170) + bytes(12)), (618, b""), (279, b""),
    )  # fmt: skip
    book = part(
        (131, b""),
        (143, b""),
        (156, struct.pack("<2I", 0, 1) + text("rId1") + text("Oct")),
        (144, b""),
        (132, b""),
    )
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    relations = (
        '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
        f'<Relationship Id="rId1" Type="{kind}/worksheet" Target="worksheets/sheet1.bin"/>'
        f'<Relationship Id="rId2" Type="{kind}/styles" Target="styles.bin"/></Relationships>'
    )
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("[Content_Types].xml", "<Types/>")
        out.writestr("xl/workbook.bin", book)
        out.writestr("xl/_rels/workbook.bin.rels", relations)
        out.writestr("xl/worksheets/sheet1.bin", sheet)
        out.writestr("xl/styles.bin", styles)


@pytest.mark.parametrize(("name", "write"), [("a.xls", xls), ("a.xlsb", xlsb), ("named.xlsx", xls)])
def test_errors_in_binary_records(place: Place, name: str, write: Callable[[Path], None]) -> None:
    """An error in XLS and XLSB is an error, not an empty cell, and 0.45 shown as 45 % is 45 %.

    The files are written by the published formats; what reads their values is another's.
    """
    write(place.folder / "in" / name)
    report = place.sync()
    rejected = {one.place: one.value for one in rejections.rejected(place.store)}
    inside = books.look_inside(place.folder / "in" / name, "Oct", books.Limits())

    assert ("partial", 10.5) == (report.verdict, place.hours)
    assert {f"{name}, sheet Oct, row 4": "#REF!", f"{name}, sheet Oct, row 6": "#DIV/0!"} == rejected
    assert {(row, 4) for row in range(1, 10)} == set(inside.shown)
    assert inside.shown[1, 4].percent


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice, which writes XLS")
def test_errors_in_an_xls_of_another_program(place: Place) -> None:
    """LibreOffice writes an XLS of a workbook: its errors, percents, money and thousands are those of it."""
    first = place.folder / "a.xlsx"
    with xlsxwriter.Workbook(str(first)) as out:
        sheet = out.add_worksheet("Oct")
        sheet.write_row(0, 0, ["Who", "Code", "Day", "H", "P", "A", "K"])
        forms = [out.add_format({"num_format": one}) for one in ("0.0%", "[$$-409]#,##0.00", "#,##0,")]
        for row in range(1, 9):
            sheet.write_row(row, 0, ["M1", "P", f"2026-10-{row:02}", 1.5])
            for at, form in enumerate(forms, start=4):
                sheet.write_number(row, at, 0.45, form)
        sheet.write_formula(3, 3, "=1/0", None, "#DIV/0!")
        sheet.write_formula(5, 3, "=2+2", None, 4)
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{place.folder}/profile", "--headless",
         "--convert-to", "xls", "--outdir", str(place.folder / "in"), str(first)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    path = place.folder / "in" / "a.xls"
    report = place.sync()
    wanted, found = (books.look_inside(one, "Oct", books.Limits()) for one in (first, path))

    assert ("partial", ["a.xls, sheet Oct, row 4"]) == (report.verdict, place.rejected)
    assert (wanted.shown, {at: str(one) for at, one in wanted.faults.items()}) == (
        found.shown, {at: str(one) for at, one in found.faults.items()},
    )  # fmt: skip


# ---------- files as they lie about ----------


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.xls", (HEAD + lines(5)).replace(";", "\t")),
        ("a.xlsx", HEAD + lines(5)),
        ("a.csv", "sep=;\n" + HEAD + lines(5)),
        ("a.csv", '"sep=\t"\r\n' + (HEAD + lines(5)).replace(";", "\t")),
        ("a.csv", "\ufeffSEP=,\n" + (HEAD + lines(5)).replace(";", ",")),
        ("a.csv", (HEAD + lines(5)).encode("utf-32")),
    ],
    ids=["text named xls", "text named xlsx", "sep", "quoted sep", "sep after a mark", "UTF-32"],
)
def test_a_file_is_what_it_begins_with(place: Place, name: str, content: str | bytes) -> None:
    """A text that calls itself a workbook, and what a program tells Excel, are read as they are meant."""
    place.lay(name, content)
    if "sep" not in str(content)[:8].lower():
        place.lay("wrong.csv", HEAD + "M1;P;soon;1\n")
    report = place.sync()

    assert 5.0 == place.hours
    assert [] == [one for one in report.missing if name in one]


def test_a_workbook_of_another_type_than_its_name(place: Place) -> None:
    """An XLSX named .xls is read, and the row of what is wrong in it is counted as a person sees it."""
    days = [["M1", "P", date(2026, 10, day), 1] for day in range(1, 9)]
    book(
        place.folder / "in" / "a.xlsx", {"Oct": [["Who", "Code", "Day", "H"], *days, ["M1", "P", "soon", 1]]}
    )
    (place.folder / "in" / "a.xlsx").rename(place.folder / "in" / "a.xls")
    place.sync()

    assert (8.0, ["a.xls, sheet Oct, row 10"]) == (place.hours, place.rejected)


def test_a_text_that_ends_in_a_character(place: Place) -> None:
    """A text of UTF-16 with an odd byte is cut off; no other encoding is proposed for it."""
    place.lay("a.csv", (HEAD + lines(10)).encode("utf-16")[:-1])
    report = place.sync()

    assert ("failed", 0.0) == (report.verdict, place.hours)
    assert "it ends in the middle of a character" in said(report)


@pytest.mark.parametrize("target", ["away.csv", "link.csv"])
def test_a_link_to_nothing(place: Place, target: str) -> None:
    """A share that is not there, seen through a link, is told; the other files are read."""
    place.lay("a.csv", HEAD + lines(5))
    (place.folder / "in" / "link.csv").symlink_to(target)
    report = place.sync()

    assert ("partial", 5.0) == (report.verdict, place.hours)
    assert "link.csv cannot be read" in said(report)


def test_headers_without_rows(place: Place) -> None:
    """A file that holds only its headers is said to."""
    place.lay("a.csv", HEAD)

    assert ["a.csv: no row stands below its headers"] == place.sync().notes


def test_merged_cells_stand_for_each_of_their_rows(place: Place) -> None:
    """A name merged over five rows is each row's, in a header too; a number in merged cells is one number."""
    with xlsxwriter.Workbook(str(place.folder / "in" / "a.xlsx")) as out:
        sheet = out.add_worksheet("Oct")
        for at, head in enumerate(["Who", "Code"]):
            sheet.merge_range(0, at, 1, at, head)
        sheet.merge_range(0, 2, 0, 3, "Temps")
        sheet.write_row(1, 2, ["Day", "H"])
        sheet.merge_range(2, 0, 6, 0, "M1")
        for row in range(2, 7):
            sheet.write_row(row, 1, ["P", f"2026-10-0{row}", 1])
        sheet.merge_range(7, 3, 8, 3, 8)
        for row in range(7, 9):
            sheet.write_row(row, 0, ["M2", "P", f"2026-10-0{row}"])
    place.map("header_row = 2")
    place.sync(max_rejected=0.5)
    found = place.store.rows("SELECT account_id, sum(seconds) / 3600 AS h FROM worklog GROUP BY 1 ORDER BY 1")

    assert [{"account_id": "s:M1", "h": 5}, {"account_id": "s:M2", "h": 8}] == found
    assert ["a.xlsx, sheet Oct, row 9"] == place.rejected


@pytest.mark.parametrize("order", ["day", "month"])
def test_a_key_that_is_written_in_two_ways(place: Place, order: str) -> None:
    """One day as 2026-10-05 and as 05/10/2026 is one key, in two new files and after a re-export."""
    place.map(KEY)
    form = "{day:02}/10/2026" if order == "day" else "10/{day:02}/2026"
    other = "".join(f"M1;P;{form.format(day=day)};2\n" for day in range(11, 16))
    place.lay("a.csv", HEAD + lines(5, start=11))
    place.lay("b.csv", HEAD + other)
    report = place.sync(max_rejected=0.2)
    assert ("partial", 5.0) == (report.verdict, place.hours)
    assert "is in a.csv too, which had it first" in said(report)

    place.lay("b.csv", HEAD + lines(3, who="M2", start=11))
    assert ("ok", 8.0) == ((report := place.sync()).verdict, place.hours)
    place.lay("a.csv", HEAD + other)  # the same export, in another way: its rows are those that were known
    report = place.sync()
    assert ("ok", 13.0, 0) == (report.verdict, place.hours, report.changes.inserted)


@pytest.mark.parametrize("row", ["Total;P;2026-10-31;12\n", ";Total P;2026-10-31;12\n", "Sous-total;;;12\n"])
def test_a_sum_that_no_mapping_drops(place: Place, row: str) -> None:
    """A row that calls itself a total and holds the hours above it counts nothing twice, and is named.

    Where its hours are others it is a row: a client may be called Total.
    """
    place.lay("a.csv", HEAD + lines(12) + row)
    report = place.sync()
    stake = [one.seconds for one in rejections.rejected(place.store)]
    place.lay("a.csv", HEAD + lines(12) + "Total;P;2026-10-31;5\n")
    later = place.sync()

    assert ("partial", [None]) == (report.verdict, stake)
    assert "calls itself a sum" in said(report)
    assert ("ok", 17.0) == (later.verdict, place.hours)


def test_a_sum_under_columns_that_become_rows(place: Place) -> None:
    """Of a column a week each sum is held against its own column, and the hours above stay once."""
    place.map('unpivot = { per = "week", name = "W", value = "H", year = 2026 }\nperiod = "week"',
              MAPPING.replace('"Day"', '"W"'))  # fmt: skip
    place.lay("a.csv", "Who;Code;S41;S42\nM1;P;10;7\nM2;P;20;8\nM3;P;5;\nTotal;X;35;15\n")
    report = place.sync(max_rejected=0.5)

    assert ("partial", 50.0) == (report.verdict, place.hours)
    assert ["a.csv, row 5, column S41", "a.csv, row 5, column S42"] == place.rejected


def test_a_duration_that_is_too_long_is_shown_as_it_stands(place: Place) -> None:
    """30 hours of a workbook are 30:00 in the rejection."""
    with xlsxwriter.Workbook(str(place.folder / "in" / "a.xlsx")) as out:
        sheet, form = out.add_worksheet("Oct"), out.add_format({"num_format": "[h]:mm"})
        sheet.write_row(0, 0, ["Who", "Code", "Day", "H"])
        for row in range(1, 9):
            sheet.write_row(row, 0, ["M1", "P", f"2026-10-0{row}"])
            sheet.write_number(row, 3, (30 if row == 8 else 7.5) / 24, form)
    place.sync()

    assert [("30:00", 108_000)] == [(one.value, one.seconds) for one in rejections.rejected(place.store)]


# ---------- pages that call themselves workbooks ----------

PAGE = """<html xmlns:x="urn:schemas-microsoft-com:office:excel"><head><meta charset={charset}>
<style>td {{ color: red }}</style></head><body><table><tr>
<td>Report of October<script>var a = "<td>";</script></table>
<table border=1><caption>Hours</caption><thead><tr><th>Who<th>Code<th>Day<th>H</thead><tbody>
<tr><td rowspan=2>Zo&eacute; <b>Müller</b><br>&amp; Co</td><td>P</td><td>2026-10-01</td>
<td align=right x:num="12.25">12,25 </td></tr>
<tr><td>P<td>2026-10-02<td>1,5
<tr><td>M2</td><td colspan="1"> P </td><td>2026-10-03</td><td>&#48;,25&nbsp;</td></tr>
<tr><td>M2</td><td>P</td><td>soon</td><td>1</td></tr>
</tbody></table><p>4 rows</p></body></html>"""
SHEETS = """<?xml version="1.0"?><?mso-application progid="Excel.Sheet"?>
<Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"
xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">
<Styles><Style ss:ID="d"><NumberFormat ss:Format="Short Date"/></Style></Styles>
<Worksheet ss:Name="Notes"><Table><Row><Cell><Data ss:Type="String">x</Data></Cell></Row></Table>
<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel"><Visible>SheetHidden</Visible>
</WorksheetOptions></Worksheet>
<Worksheet ss:Name="Oct"><Table ss:ExpandedColumnCount="5">
<Row><Cell><Data ss:Type="String">Who</Data></Cell><Cell><Data ss:Type="String">Code</Data></Cell>
<Cell ss:Index="4"><Data ss:Type="String">Day</Data></Cell><Cell><Data ss:Type="String">H</Data></Cell>
</Row>
<Row ss:Index="4"><Cell ss:MergeDown="1">
<ss:Data ss:Type="String" xmlns="http://www.w3.org/TR/REC-html40">Zo&#233; <B>Müller</B></ss:Data></Cell>
<Cell><Data ss:Type="String">P</Data></Cell>
<Cell ss:StyleID="d" ss:Index="4"><Data ss:Type="DateTime">2026-10-01T00:00:00.000</Data></Cell>
<Cell><Data ss:Type="Number">12.25</Data></Cell></Row>
<Row><Cell ss:Index="2"><Data ss:Type="String">P</Data></Cell>
<Cell ss:StyleID="d" ss:Index="4"><Data ss:Type="DateTime">2026-10-02T00:00:00.000</Data></Cell>
<Cell><Data ss:Type="DateTime">1899-12-31T01:30:00.000</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">M2</Data></Cell><Cell><Data ss:Type="String">P</Data></Cell>
<Cell ss:Index="4"><Data ss:Type="String">2026-10-03</Data></Cell><Cell>
<Data ss:Type="Number">0.25</Data></Cell></Row>
<Row><Cell><Data ss:Type="String">M2</Data></Cell><Cell><Data ss:Type="String">P</Data></Cell>
<Cell ss:Index="4"><Data ss:Type="String">2026-10-04</Data></Cell><Cell ss:Formula="=1"/></Row>
</Table></Worksheet></Workbook>"""
BOMB = """<?xml version="1.0"?><!DOCTYPE Workbook [<!ENTITY a SYSTEM "file:///etc/passwd">]>"""


@pytest.mark.parametrize(
    ("content", "who", "odd"),
    [
        (PAGE.format(charset="utf-8").encode(), "Zoé Müller & Co", "Hours, row 5"),
        (PAGE.format(charset="iso-8859-1").encode("cp1252"), "Zoé Müller & Co", "Hours, row 5"),
        (PAGE.format(charset="utf-16").encode("utf-16"), "Zoé Müller & Co", "Hours, row 5"),
        (PAGE.format(charset="x").split("<p>")[0].encode() + b"</html>", "Zoé Müller & Co", "Hours, row 5"),
        (SHEETS.encode(), "Zoé Müller", "Oct, row 7"),
        (SHEETS.encode("utf-16"), "Zoé Müller", "Oct, row 7"),
    ],
    ids=[
        "HTML",
        "HTML of Windows",
        "HTML in UTF-16",
        "HTML of no charset",
        "Excel 2003",
        "Excel 2003 in UTF-16",
    ],
)
def test_a_page_that_calls_itself_a_workbook(place: Place, content: bytes, who: str, odd: str) -> None:
    """What ERPs export "to Excel": cells are those a person sees; an odd one costs its row."""
    place.lay("a.xls", content)
    report = place.sync()
    found = place.store.rows(
        "SELECT a.display_name AS who, w.day, w.seconds FROM worklog w "
        "LEFT JOIN account a ON a.id = w.account_id ORDER BY w.day"
    )

    assert [(who, "2026-10-01", 44100), (who, "2026-10-02", 5400), ("M2", "2026-10-03", 900)] == [
        (row["who"], row["day"], row["seconds"]) for row in found
    ]
    assert ("partial", [f"a.xls, sheet {odd}"]) == (report.verdict, place.rejected)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (PAGE.format(charset="utf-8").partition("<td>soon")[0], "seems to be cut off"),
        (SHEETS[:-40], "cut off, or damaged"),
        (BOMB + SHEETS.partition("?>")[2], "declares a document type"),
        (SHEETS.replace('ss:Index="4"><Cell', 'ss:Index="900000000"><Cell'), "more than max_cells"),
        (
            PAGE.replace("rowspan=2", "rowspan=65000 colspan=999").format(charset="utf-8"),
            "more than max_cells",
        ),
        ("<html><body><table><tr><td>User<td><input></table></body></html>", "without a table"),
        ("<html><frameset><frame src=sheet001.htm></frameset></html>", "without a table"),
    ],
    ids=["cut HTML", "cut XML", "entities", "a far row", "a wide cell", "sign-in page", "frames"],
)
def test_a_page_that_is_none_says_why(place: Place, content: str, words: str) -> None:
    """Cut off, hostile, or without a table: a sentence, and nothing of it is taken."""
    place.lay("a.xls", content)
    report = place.sync()

    assert ("failed", 0.0) == (report.verdict, place.hours)
    assert words in said(report)


# ---------- what a text is written in ----------

PEOPLE = [
    "Zoé Lefèvre",
    "FRANÇOIS Noël",
    "Gaëlle À. Müller",
    "Jürgen Straße",
    "l'été – Éric",
    "Élodie O’Brien",
    "Thérèse Fenêtre",
]


@pytest.mark.parametrize(
    "encoding", ["cp1252", "mac_roman", "cp850", "cp437", "utf-16-le", "utf-16-be", "utf-8"]
)
def test_names_are_read_in_what_they_are_written(place: Place, encoding: str) -> None:
    """Of Windows, of Excel for Mac, of DOS, of UTF-16 without a mark: right, and a guess is told as one."""
    people = [one for one in PEOPLE if one.encode(encoding, "replace").decode(encoding) == one]
    rows = "".join(f"{who};P;2026-10-{day:02};1\n" for day, who in enumerate(people, start=1))
    place.lay("a.csv", (HEAD + rows).encode(encoding))
    report = place.sync()
    found = place.store.rows("SELECT display_name AS who FROM account")

    assert sorted(people) == sorted(row["who"] for row in found)
    assert (encoding in {"mac_roman", "cp850", "cp437"}) == any("a guess" in note for note in report.notes)


@pytest.mark.parametrize("encoding", ["mac_roman", "cp850", "cp437", "cp1250", "cp1251", "iso8859_15"])
@pytest.mark.parametrize(
    "who",
    [
        "Zoé",
        "Lefèvre",
        "FRANÇOIS",
        "Noël",
        "Çelik",
        "Müller",
        "Straße",
        "ÉRIC",
        "À voir",
        "œuvre",
        "n° 5",
        "Łukasz",
        "Иван",
    ],
)
def test_a_wrong_guess_is_never_silent(tmp_path: Path, who: str, encoding: str) -> None:
    """One word is little to guess by: what is not read as it was written is told, or asked."""
    with contextlib.suppress(UnicodeEncodeError, SourceDataError):
        (tmp_path / "a.csv").write_bytes(f"Who;H\n{who};1\n".encode(encoding))
        guess = encodings.guess(tmp_path / "a.csv")

        assert guess.said or who.encode(encoding).decode(guess.encoding) == who


@pytest.mark.parametrize(
    ("who", "said"),
    [
        ("Dvořák", None),  # ř and á go into no language that Windows-1252 is for: asked
        ("Nováček", "Nov·Ëek"),  # a Mac's, if anything
        ("Kučera", "Kuèera"),  # could be: told
        ("Erdős", "Erdõs"),
        ("Wiśniewski", "Wiœniewski"),
        ("Présence Noël Müller André Dvořák", "Dvoøák"),
        ("Présence Noël Müller", ""),  # the same in both
    ],
)
def test_names_of_central_europe(tmp_path: Path, who: str, said: str | None) -> None:
    """Letters of code page 1250 that could be those of 1252 are shown as they were read, or asked for."""
    (tmp_path / "a.csv").write_bytes(f"Who;H\n{who};1\n".encode("cp1250"))
    with pytest.raises(SourceDataError, match="cp1250") if said is None else contextlib.nullcontext():
        told = encodings.guess(tmp_path / "a.csv").said
        assert said == told.partition("a guess (")[2].partition(")")[0]


@pytest.mark.parametrize(
    "words",
    [
        "Problème, à étudier, fenêtre, où, Thérèse",
        "über Straße größer, Müller",
        "Muñoz Problème fenêtre à côté forêt très, pièce, thème, règle",
    ],
)
def test_much_to_guess_by(tmp_path: Path, words: str) -> None:
    """Words of one language, a name of another among them, need no remark."""
    (tmp_path / "a.csv").write_bytes(f"Who;H\n{words};1\n".encode("cp1252"))

    assert ("cp1252", "") == (
        encodings.guess(tmp_path / "a.csv").encoding,
        encodings.guess(tmp_path / "a.csv").said,
    )


@pytest.mark.parametrize(("most", "one"), [("utf-8", "cp1252"), ("cp1252", "utf-8"), ("mac_roman", "utf-8")])
def test_files_of_two_encodings_that_were_put_together(place: Place, most: str, one: str) -> None:
    """Lines of the other encoding cost themselves, the rest is right."""
    rows = [f"Zoé {day};P;2026-10-{day:02};1\n".encode(most) for day in range(1, 5)]
    place.lay("a.csv", HEAD.encode() + b"".join(rows) + "Noël;P;2026-10-09;1\n".encode(one))
    report = place.sync()

    assert ("partial", 4.0, ["a.csv, row 6"]) == (report.verdict, place.hours, place.rejected)
    assert ["Zoé 1"] == [
        row["who"]
        for row in place.store.rows("SELECT display_name AS who FROM account WHERE display_name LIKE 'Zo% 1'")
    ]
