"""The feed's tables as native Excel tables, in a file of their own beside the workbook of the committee."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hub import FeedView, column_captions, day, speaking, table_caption, tr
from hub_files.workbook.looks import BLUE
from hub_files.workbook.papers import A4, distinct, is_address, opened, write_cell

MOST_ROWS = 100_000
MOST_LINKS = 65_000
"""Links on one sheet, below Excel's 65,530; further addresses are text."""
_KINDS = {"DATE": "day", "DOUBLE": "number", "DECIMAL(18,2)": "number"}
_MACHINES = frozenset({"meta_label", "dim_date"})


def write_data(path: Path, feed: FeedView) -> list[str]:
    """Write every table of *feed* to *path*; return what had to be left to the other formats."""
    with speaking("fr" if feed.lang == "fr" else "en"):
        return _Data(path, feed).write()


class _Data:
    def __init__(self, path: Path, feed: FeedView) -> None:
        self.feed = feed
        self.book = opened(path, f"{tr('Tables of the feed')} – {day(feed.manifest['as_of'])}", feed.manifest)
        add = self.book.add_format
        self.head = add({
            "bold": True, "font_color": "#FFFFFF", "bg_color": BLUE, "text_wrap": True, "valign": "top",
            "border": 1,
        })  # fmt: skip
        self.formats = {
            "day": add({"num_format": "dd/mm/yyyy" if feed.lang == "fr" else "yyyy-mm-dd", "align": "left"}),
            "number": add({"num_format": "#,##0.0"}), "whole": add({"num_format": "#,##0"}),
            "link": add({"underline": 1, "font_color": "#0B57A4"}),
        }  # fmt: skip

    def write(self) -> list[str]:
        """Write the list of the tables, then each table."""
        manifest, notes = self.feed.manifest, []
        contents = self.book.add_worksheet(tr("Tables"))
        listed = []
        for name, table in manifest["tables"].items():
            count = table["rows"]
            if name in _MACHINES or count == 0:
                continue
            listed.append((name, table_caption(name, self.feed.lang), count))
            if count > MOST_ROWS:
                notes.append(
                    tr("The table {table} ({n:,} rows) is too long for a workbook: find it in the csv and "
                       "parquet folders.", table=name, n=count)
                )  # fmt: skip
            else:
                self._table(name)
        headers = (tr("Table"), tr("Content"), tr("Rows"))
        self._write(contents, headers, listed, (None, None, "whole"), (26, 44, 12), "Contents")
        for row, (name, _, count) in enumerate(listed, start=1):
            if count <= MOST_ROWS:
                contents.write_url(row, 0, f"internal:'{name[:31]}'!A1", self.formats["link"], string=name)
        for row, note in enumerate(notes, start=len(listed) + 2):
            contents.write_string(row, 0, note)
        self.book.close()
        return notes

    def _table(self, name: str) -> None:
        # instants are read as text: Excel has no zone, and a plain date would lose that they are UTC
        columns = self.feed.manifest["tables"][name]["columns"]
        asked = ", ".join(
            f"strftime({column}, '%Y-%m-%d %H:%M:%SZ') AS {column}" if kind == "TIMESTAMPTZ" else column
            for column, kind in columns.items()
        )
        lines = self.feed.connection.execute(f"SELECT {asked} FROM {name}").fetchall()
        headers = distinct(list(column_captions(name, self.feed.lang).values()))
        sheet = self.book.add_worksheet(name[:31])
        widths = [max(10, min(28, len(header) + 4)) for header in headers]
        self._write(sheet, headers, lines, [_KINDS.get(kind) for kind in columns.values()], widths, name)
        if "url" in columns:
            place = list(columns).index("url")
            addresses = [
                (row, line[place]) for row, line in enumerate(lines, start=1) if is_address(line[place])
            ]
            for row, url in addresses[:MOST_LINKS]:
                sheet.write_url(row, place, url, self.formats["link"], string=url)

    def _write(
        self, sheet: Any, headers: Sequence[str], lines: Sequence[Sequence[Any]], kinds: Sequence[str | None],
        widths: Sequence[float], name: str,
    ) -> None:  # fmt: skip
        formats = [self.formats[kind] if kind else None for kind in kinds]
        columns = [
            {"header": header, "header_format": self.head, "format": fmt}
            for header, fmt in zip(headers, formats, strict=True)
        ]
        sheet.add_table(0, 0, max(1, len(lines)), len(headers) - 1, {
            "columns": columns, "name": name, "style": "Table Style Light 9",
        })  # fmt: skip
        for row, line in enumerate(lines, start=1):
            for column, (value, fmt) in enumerate(zip(line, formats, strict=True)):
                if value is not None:
                    write_cell(sheet, row, column, value, fmt)
        for column, width in enumerate(widths):
            sheet.set_column(column, column, width)
        sheet.set_row(0, 32)
        sheet.freeze_panes(1, 0)
        sheet.set_paper(A4)
        sheet.set_landscape()
        sheet.repeat_rows(0)
        sheet.set_footer(f"&L&8{name}&R&8" + tr("Page &P of &N"))
