"""What is hidden in a file is told, and by one rule, whatever kind of file it is."""

from __future__ import annotations

import shutil
import struct
import subprocess
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hub_tabular.books import look_inside
from hub_tabular.inside import Limits

from hub.store import Store
from hub.testing import store
from plugins.tabular.tests import test_files, test_odd_tables
from plugins.tabular.tests.test_suggest import lines, synced

__all__ = ["store"]


def opendocument(path: Path, rows: list[list[Any]], hidden: tuple[int, ...] = (), column: int = -1) -> Path:
    """Write a table by OpenDocument 1.3 part 3: a style indents a text, a row or a column is not shown.

    The second sheet is hidden by its style.
    """
    names = ("office:urn:oasis:names:tc:opendocument:xmlns:office:1.0",
             "style:urn:oasis:names:tc:opendocument:xmlns:style:1.0",
             "table:urn:oasis:names:tc:opendocument:xmlns:table:1.0",
             "text:urn:oasis:names:tc:opendocument:xmlns:text:1.0",
             "fo:urn:oasis:names:tc:opendocument:xmlns:xsl-fo-compatible:1.0")  # fmt: skip
    spaces = " ".join(f'xmlns:{one.partition(":")[0]}="{one.partition(":")[2]}"' for one in names)

    def cell(value: Any) -> str:
        if isinstance(value, date):
            return f'<table:table-cell office:value-type="date" office:date-value="{value}"/>'
        if isinstance(value, int | float):
            return f'<table:table-cell office:value-type="float" office:value="{value}"/>'
        style = ' table:style-name="in"' if value.startswith(" ") else ""
        inner = f"<text:p>{value.strip()}</text:p>"
        return f'<table:table-cell office:value-type="string"{style}>{inner}</table:table-cell>'

    off = {True: ' table:visibility="filter"', False: ""}
    shown = [
        f"<table:table-row{off[at in hidden]}>{''.join(map(cell, row))}</table:table-row>"
        for at, row in enumerate(rows)
    ]
    gone = {True: ' table:visibility="collapse"', False: ""}
    columns = "".join(f"<table:table-column{gone[at == column]}/>" for at in range(len(rows[0])))
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {spaces} office:version="1.3">'
        '<office:automatic-styles><style:style style:name="in" style:family="table-cell">'
        '<style:paragraph-properties fo:margin-left="0.353cm"/></style:style>'
        '<style:style style:name="off" style:family="table"><style:table-properties table:display="false"/>'
        "</style:style></office:automatic-styles><office:body><office:spreadsheet>"
        f'<table:table table:name="A">{columns}{"".join(shown)}</table:table>'
        f'<table:table table:name="B" table:style-name="off">{"".join(shown[:2])}</table:table>'
        "</office:spreadsheet></office:body></office:document-content>"
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    with zipfile.ZipFile(path, "w") as out:
        out.writestr("mimetype", kind)
        out.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
            f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
            '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
            "</manifest:manifest>",
        )
        out.writestr("content.xml", content)
    return path


ROWS = [
    ["Nom", "Projet", "Date", "Heures"],
    *(["Zoé", "WEB", date(2026, 10, day), 7] for day in (5, 6, 7)),
]


def hidden_xlsx(path: Path) -> Path:
    def hide(made: Any) -> None:
        made.worksheets[0].row_dimensions[2].hidden = made.worksheets[0].row_dimensions[3].hidden = True
        made.worksheets[0].column_dimensions["C"].hidden = True
        made.worksheets[1].sheet_state = "hidden"

    return test_odd_tables.book(path, {"A": ROWS, "B": ROWS[:2]}, hide)


def hidden_xml(path: Path) -> Path:
    """Write the XML of Excel 2003, whose Row, Column and WorksheetOptions say what is hidden."""

    def cell(value: Any) -> str:
        if isinstance(value, date):
            return f'<Cell><Data ss:Type="DateTime">{value}T00:00:00.000</Data></Cell>'
        kind = "Number" if isinstance(value, int) else "String"
        return f'<Cell><Data ss:Type="{kind}">{value}</Data></Cell>'

    off = {True: ' ss:Hidden="1"', False: ""}
    rows = [f"<Row{off[at in {1, 2}]}>{''.join(map(cell, row))}</Row>" for at, row in enumerate(ROWS)]
    sheet = '<Worksheet ss:Name="{}"><Table>{}{}</Table>{}</Worksheet>'
    options = '<WorksheetOptions xmlns="urn:schemas-microsoft-com:office:excel">{}</WorksheetOptions>'
    not_shown = options.format("<Visible>SheetHidden</Visible>")
    return test_odd_tables.text(
        path,
        '<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet" '
        'xmlns:ss="urn:schemas-microsoft-com:office:spreadsheet">'
        + sheet.format("A", '<Column ss:Index="3" ss:Hidden="1"/>', "".join(rows), "")
        + sheet.format("B", "", "".join(rows[:2]), not_shown)
        + "</Workbook>",
    )


def hidden_html(path: Path) -> Path:
    off = {True: ' style="display: none"', False: ""}
    rows = [
        f"<tr{off[at in {1, 2}]}>{''.join(f'<td>{one}</td>' for one in row)}</tr>"
        for at, row in enumerate(ROWS)
    ]
    return test_odd_tables.text(path, f"<html><table>{''.join(rows)}</table></html>")


@pytest.mark.parametrize(
    ("name", "write"),
    [
        ("t.xlsx", hidden_xlsx),
        ("t.ods", lambda path: opendocument(path, ROWS, hidden=(1, 2), column=2)),
        ("t.xls", hidden_xml),
        ("page.xls", hidden_html),
    ],
    ids=["xlsx", "ods", "xml", "html"],
)
def test_what_is_hidden_is_told_alike(
    tmp_path: Path, store: Store, name: str, write: Callable[[Path], Path]
) -> None:
    """Two hidden rows and a hidden column are read, a hidden sheet is not: each kind of file says so."""
    report = synced(write(tmp_path / name), store)
    wanted = {"2 rows are hidden in the file, and were read"}
    if name != "page.xls":  # which has neither sheets nor columns that are hidden
        wanted |= {
            "not read: the hidden sheets B (one is read by its name only)",
            "columns that are hidden in the file, and were read: Date",
        }

    assert ("ok", 21) == (report.verdict, sum(hours for _, hours in lines(store)))
    assert {f"{name}: {one}" for one in wanted} == set(report.notes)


@pytest.mark.long
@pytest.mark.skipif(not shutil.which("soffice"), reason="needs LibreOffice, which writes XLS")
def test_what_is_hidden_in_binary_records(tmp_path: Path, store: Store) -> None:
    """LibreOffice writes an XLS of it."""
    first = hidden_xlsx(tmp_path / "t.xlsx")
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "xls",
         "--outdir", str(tmp_path / "in"), str(first)],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    report = synced(tmp_path / "in" / "t.xls", store)
    assert {
        "t.xls: 2 rows are hidden in the file, and were read",
        "t.xls: not read: the hidden sheets B (one is read by its name only)",
        "t.xls: columns that are hidden in the file, and were read: Date",
    } == set(report.notes)


def test_what_is_hidden_in_an_xlsb(tmp_path: Path) -> None:
    """By MS-XLSB 2.4.742 (BrtRowHdr) a bit of the twelfth byte says that a row is not shown."""
    path = tmp_path / "a.xlsb"
    test_files.xlsb(path)
    with zipfile.ZipFile(path) as old:
        parts = {one: old.read(one) for one in old.namelist()}
    (sheet,) = (one for one in parts if one.startswith("xl/worksheets/"))
    row = struct.pack("<2IH", 1, 0, 300) + bytes(7)
    assert 1 == parts[sheet].count(row)
    parts[sheet] = parts[sheet].replace(row, row[:11] + b"\x10" + row[12:])
    with zipfile.ZipFile(path, "w") as new:
        for name, content in parts.items():
            new.writestr(name, content)

    assert 1 == look_inside(path, "Oct", Limits()).hidden


def test_a_compact_pivot_table_of_opendocument(tmp_path: Path, store: Store) -> None:
    """The style of a cell says how far its label is indented; the sums of Zoé and Jo count once."""
    path = opendocument(tmp_path / "Temps 2026.ods", test_odd_tables.COMPACT)
    report = synced(path, store)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert {"Zoé": 63, "Jo": 21.5} == test_odd_tables.people(store)
