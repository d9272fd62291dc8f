"""Workbooks that count days from 1904 on, as Excel for Mac wrote them: the days are those that Excel shows.

By Microsoft, a day has 1462 less there than in other workbooks; 5 October 2026 is 46300 in the one system
(1 January 2026 is 46023, and 277 days later is 5 October) and 44838 in the other.
"""

from __future__ import annotations

import shutil
import struct
import subprocess
import zipfile
from datetime import date, datetime, timedelta
from pathlib import Path

import openpyxl
import pytest
from hub_tabular.source import TabularSource
from hub_tabular.suggest import suggest_mapping
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from hub.store import Store
from hub.testing import store, sync_once
from plugins.tabular.tests import test_files

__all__ = ["store"]

MAPPING = """\
record = "worklog"
[fields]
account_id = "Who"
container_id = "Code"
day = { column = "Day", format = "excel" }
seconds = { column = "H", unit = "hours" }
"""


def mac(path: Path) -> None:
    """Write a workbook of the 1904 system: a day as a day, one as its number, and durations."""
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    assert sheet is not None
    sheet.append(["Who", "Code", "Day", "H"])
    sheet.append(["Zoe", "P", date(2026, 10, 5), 1.5])
    sheet.append(["Zoe", "P", 44839, timedelta(hours=2)])
    sheet.append(["Zoe", "P", datetime(2026, 10, 7, 9, 0), timedelta(hours=7, minutes=30)])
    sheet["D4"].number_format = "h:mm"
    book.save(path)


RIGHT = [("2026-10-05", 1.5), ("2026-10-06", 2), ("2026-10-07", 7.5)]


def read(path: Path, store: Store, mapping: str = MAPPING) -> list[tuple[str, float]]:
    """Return the days and hours of a file, all of whose rows must be taken."""
    (path.parent / "m.toml").write_text(mapping, encoding="utf-8")
    report = sync_once(store, TabularSource(name="s", path=path.name, mapping="m.toml"), base=path.parent)
    assert ("ok", []) == (report.verdict, report.rejections)
    rows = store.rows("SELECT day, seconds FROM worklog ORDER BY day")
    return [(row["day"], row["seconds"] / 3600) for row in rows]


def test_a_workbook_of_the_1904_system(tmp_path: Path, store: Store) -> None:
    """A day of the workbook, and a mere number, are the days that Excel for Mac shows."""
    mac(tmp_path / "a.xlsx")
    assert RIGHT == read(tmp_path / "a.xlsx", store)


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice, which writes XLS and ODS")
@pytest.mark.parametrize("kind", ["xls", "ods"])
def test_the_same_written_by_another_program(tmp_path: Path, store: Store, kind: str) -> None:
    """As XLS and ODS, which LibreOffice writes of it."""
    mac(tmp_path / "a.xlsx")
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", kind,
         "--outdir", str(tmp_path / "in"), str(tmp_path / "a.xlsx")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    (path,) = (tmp_path / "in").iterdir()
    assert RIGHT == read(path, store)


@pytest.mark.parametrize("kind", ["xls", "xlsb"])
def test_binary_records_that_say_1904(tmp_path: Path, store: Store, kind: str) -> None:
    """MS-XLS 2.4.77 (Date1904) and MS-XLSB 2.4.822 (BrtWbProp): nine numbers that are 5 October 2026."""
    path = tmp_path / f"a.{kind}"
    number = struct.pack("<d", 0.45), struct.pack("<d", 44838)
    if kind == "xls":
        test_files.xls(path)
        style = test_files.record(0x00E0, bytes(20))  # in the place of one that no cell has
        says = test_files.record(0x0022, b"\1\0") + test_files.record(0x00E0, bytes(14))
        path.write_bytes(path.read_bytes().replace(style, says, 1).replace(*number))
    else:
        test_files.xlsb(path)
        with zipfile.ZipFile(path) as old:
            parts = {one: old.read(one).replace(*number) for one in old.namelist()}
        begin = b"\x83\x01\x00"
        parts["xl/workbook.bin"] = parts["xl/workbook.bin"].replace(begin, begin + b"\x99\x01\x04\1\0\0\0")
        with zipfile.ZipFile(path, "w") as new:
            for name, content in parts.items():
                new.writestr(name, content)
    mapping = MAPPING.replace('"Day"', '"P"').replace('{ column = "H", unit = "hours" }', "{ value = 3600 }")

    assert [("2026-10-05", 1.0)] * 9 == read(path, store, mapping)


def test_a_page_of_1904(tmp_path: Path, store: Store) -> None:
    """In the XML of Excel 2003 days are written out, and a duration is a moment of 1 January 1904."""
    rows = [
        [("String", one) for one in ("Who", "Code", "Day", "H")],
        [("String", "Z"), ("String", "P"), ("DateTime", "2026-10-05T00:00:00.000"), ("Number", "1.5")],
        [("String", "Z"), ("String", "P"), ("Number", "44839"), ("DateTime", "1904-01-01T02:00:00.000")],
        [("String", "Z"), ("String", "P"), ("DateTime", "2026-10-07T00:00:00.000"),
         ("DateTime", "1904-01-01T07:30:00.000")],
    ]  # fmt: skip
    table = "".join(
        "<Row>"
        + "".join(f'<Cell><Data ss:Type="{kind}">{text}</Data></Cell>' for kind, text in row)
        + "</Row>"
        for row in rows
    )
    (tmp_path / "a.xls").write_text(
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        '<ExcelWorkbook xmlns="urn:schemas-microsoft-com:office:excel"><Date1904/></ExcelWorkbook>'
        f'<Worksheet ss:Name="A"><Table>{table}</Table></Worksheet></Workbook>',
        encoding="utf-8",
    )
    assert RIGHT == read(tmp_path / "a.xls", store)


def test_a_mapping_for_a_workbook_of_1904(tmp_path: Path, store: Store) -> None:
    """Its mere numbers are said as the days that they are."""
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    assert sheet is not None
    sheet.append(["Nom", "Projet", "Date", "Heures"])
    sheet.append(["Zoé", "P", 44838, 7])
    book.save(tmp_path / "a.xlsx")
    text = suggest_mapping(tmp_path / "a.xlsx")

    assert "44838 is 2026-10-05" in text
    assert [("2026-10-05", 7)] == read(tmp_path / "a.xlsx", store, text)
