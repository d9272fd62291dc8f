"""The committee's workbook being written: its sheets with title, sentences and tables, made for A4 paper."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import xlsxwriter

from hub import Story, day, tr
from hub_files.workbook.looks import (
    BLUE,
    FONT,
    LINE_HEIGHT,
    NUMBERS,
    PALE,
    SIZE,
    SMALLEST,
    SOLID,
    SYMBOLS,
    TEXT,
    Cell,
    Column,
    lines_of,
    look,
)

A4 = 9
_MARGIN, _TOP, _BOTTOM = 0.25, 0.5, 0.45  # inches
PAPER_WIDTH, PAPER_HEIGHT = 11.69 * 72 - 2 * _MARGIN * 72, 8.27 * 72 - (_TOP + _BOTTOM) * 72
LONGEST_ADDRESS = 2079
"""Characters of an address that Excel opens; a longer one stays text."""
_OPTIONS = {
    "strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
    "nan_inf_to_errors": True,
}  # fmt: skip


def points(width: float) -> float:
    """Return how wide a column of *width* digits is on paper, in points."""
    return (int(width * 7 + 5)) * 0.75


def opened(path: Path, title: str, manifest: dict[str, Any]) -> xlsxwriter.Workbook:
    """Return a new workbook at *path* with the properties that readers and machines look for."""
    book = xlsxwriter.Workbook(str(path), _OPTIONS)
    built = datetime.fromisoformat(manifest["built_at"].replace("Z", "+00:00")).replace(tzinfo=None)
    book.set_properties({
        "title": title, "subject": tr("Project portfolio"), "author": "pm-hub", "keywords": "pm-hub",
        "comments": f"pm-hub {manifest['feed_id']}", "created": built,
    })  # fmt: skip
    return book


def write_cell(sheet: Any, row: int, column: int, value: Any, fmt: Any) -> None:
    """Write *value* as what it is: a number, a day, a moment or a text; nothing for None."""
    if value is None:
        sheet.write_blank(row, column, None, fmt)
    elif isinstance(value, bool):
        sheet.write_number(row, column, int(value), fmt)
    elif isinstance(value, (int, float, Decimal)):
        sheet.write_number(row, column, float(value), fmt)
    elif isinstance(value, date):
        if value.year < 1900:  # before Excel's calendar
            sheet.write_string(row, column, value.isoformat(), fmt)
        elif isinstance(value, datetime):
            sheet.write_datetime(row, column, value.replace(tzinfo=None), fmt)
        else:
            sheet.write_datetime(row, column, datetime(value.year, value.month, value.day), fmt)
    else:
        sheet.write_string(row, column, str(value)[:32767], fmt)


def distinct(names: Sequence[str]) -> list[str]:
    """Return *names* with a number after one that stands twice: a table of Excel has each header once."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        seen[name.casefold()] = seen.get(name.casefold(), 0) + 1
        found.append(name if seen[name.casefold()] == 1 else f"{name} ({seen[name.casefold()]})")
    return found


class Papers:
    """The workbook of one story."""

    def __init__(self, path: Path, story: Story, manifest: dict[str, Any]) -> None:
        """Open it; nothing is on disk before `close`."""
        self.story, self.manifest = story, manifest
        self.title = tr("Project portfolio")
        self.book = opened(path, f"{self.title} – {story.label} – {day(story.as_of)}", manifest)
        self._formats: dict[tuple[tuple[str, Any], ...], Any] = {}

    def format(self, **parts: Any) -> Any:
        """Return the format with *parts*; each is made once."""
        key = tuple(sorted(parts.items()))
        if key not in self._formats:
            self._formats[key] = self.book.add_format({"font_name": FONT, "font_size": SIZE, **parts})
        return self._formats[key]

    def page(self, name: str, title: str, widths: Sequence[float], **options: Any) -> Page:
        """Add the sheet *name*, with a title and when the figures are of."""
        return Page(self, name, title, widths, **options)

    def close(self) -> None:
        """Write the file."""
        self.book.close()


class Page:
    """One sheet, filled from top to bottom; `finish` makes it a page of paper.

    It prints on *pages* sheets of paper at most (None: on as many as it takes): what is below stays on the
    screen, and the sheet says so. *widths* are those of its columns; *fixed* columns stay in sight.
    """

    def __init__(
        self, papers: Papers, name: str, title: str, widths: Sequence[float], *,
        topics: Sequence[str] = (), pages: int | None = 1, fixed: int = 0,
    ) -> None:  # fmt: skip
        self.papers, self.story, self.name = papers, papers.story, name
        self.sheet = papers.book.add_worksheet(name)
        self.widths, self.pages, self._fixed = list(widths), pages, fixed
        self._heights: dict[int, float] = {}
        self._leads: set[int] = set()
        self._header: int | None = None
        self._lines = 0
        self.row = 0
        self.title = title
        self.sheet.hide_gridlines(2)
        self.sheet.set_default_row(LINE_HEIGHT + 2)
        for column, width in enumerate(self.widths):
            self.sheet.set_column(column, column, width)
        self._head(topics)

    @property
    def printed(self) -> int:
        """Return how many columns are printed: all that leave the text legible."""
        room, used = PAPER_WIDTH / SMALLEST, 0.0
        for number, width in enumerate(self.widths):
            used += points(width)
            if used > room:
                return number
        return len(self.widths)

    @property
    def scale(self) -> float:
        """Return the scale of the print: never above 1."""
        return min(1.0, PAPER_WIDTH / sum(points(width) for width in self.widths[: self.printed]))

    def height_of(self, row: int) -> float:
        """Return how high *row* is, in points."""
        return self._heights.get(row, LINE_HEIGHT + 2)

    def height(self, row: int, points: float) -> None:
        """Make *row* this high."""
        self._heights[row] = max(points, self._heights.get(row, 0.0))
        self.sheet.set_row(row, self._heights[row])

    def text(self, text: str, *, rag: str | None = None, lead: bool = False, **parts: Any) -> None:
        """Write a sentence over the whole width, with the symbol of its colour before it."""
        size = parts.get("font_size", SIZE)
        width = sum(self.widths[: self.printed]) * SIZE / size
        said = f"{SYMBOLS[rag]} {text}" if rag else text
        fmt = self.papers.format(**{"font_color": TEXT, "text_wrap": True, "valign": "top", **parts})
        self._across(self.row, said, fmt)
        if rag:
            mark = self.papers.format(font_color=SOLID[rag] if rag != "amber" else "#8A6200", bold=True)
            rest = self.papers.format(**{"font_color": TEXT, **parts})
            self.sheet.write_rich_string(self.row, 0, mark, f"{SYMBOLS[rag]} ", rest, text, fmt)
        self.height(self.row, lines_of(said, width) * LINE_HEIGHT * size / SIZE + 3)
        if lead:
            self._leads.add(self.row)
        self.row += 1

    def _across(self, row: int, text: str, fmt: Any) -> None:
        if self.printed > 1:
            self.sheet.merge_range(row, 0, row, self.printed - 1, text, fmt)
        else:
            self.sheet.write_string(row, 0, text, fmt)

    def _head(self, topics: Sequence[str]) -> None:
        story = self.story
        self.text(self.title, bold=True, font_size=16, font_color=BLUE)
        parts = [tr("As of {day}", day=story.as_of) + ("" if story.is_now else f" ({story.label})")]
        if story.before:
            parts.append(tr("since {before}", before=story.before))
        if story.is_next_known:
            parts.append(tr("next committee on {day}", day=story.next_committee))
        self.text(" · ".join(parts), font_color=PALE)
        if not story.complete:
            self.text(tr("Data is incomplete: {what}.", what="; ".join(story.missing)), rag="red", bold=True)
        for line in story.synthesis:
            if line.topic in topics and (story.complete or line.topic != "confidence"):
                self.text(line.text, rag=line.rag)
        self._note = self.row
        self.row += 1

    def heading(self, text: str) -> None:
        """Write the title of a part; it stays with what follows."""
        self._leads.add(self.row)
        self.row += 1
        self.text(text, lead=True, bold=True, font_size=12, font_color=BLUE)

    def table(
        self, columns: Sequence[Column], lines: Sequence[Sequence[Any]], name: str, *, at: int = 0
    ) -> int:
        """Write a native table from column *at* on; return the row of its header."""
        top, papers = self.row, self.papers
        head = papers.format(
            bold=True, font_color="#FFFFFF", bg_color=BLUE, text_wrap=True, valign="vcenter", border=1,
            border_color="#FFFFFF",
        )  # fmt: skip
        headers = distinct([column.header for column in columns])
        self.sheet.add_table(top, at, top + len(lines), at + len(columns) - 1, {
            "name": name, "style": "Table Style Light 1", "banded_rows": False,
            "columns": [{"header": header, "header_format": head} for header in headers],
        })  # fmt: skip
        self.height(top, max(
            lines_of(header, max(1.0, column.width - 3))
            for header, column in zip(headers, columns, strict=True)
        ) * LINE_HEIGHT + 6)  # fmt: skip
        for number, line in enumerate(lines, start=top + 1):
            tall = 1
            for place, (value, column) in enumerate(zip(line, columns, strict=True)):
                cell = value if isinstance(value, Cell) else Cell(value)
                apart = place > 0 and columns[place - 1].kind in NUMBERS | {"centred"}
                self._write(number, at + place, cell, column, apart)
                if isinstance(cell.value, str):
                    tall = max(tall, lines_of(cell.value, column.width))
            self.height(number, tall * LINE_HEIGHT + 2)
        self._header = top
        self._lines += len(lines)
        self._leads.add(top)
        self.row = top + len(lines) + 1
        return top

    def _write(self, row: int, place: int, cell: Cell, column: Column, apart: bool) -> None:
        linked = is_address(cell.url) and cell.value is not None
        fmt = self.papers.format(**look(cell.kind or column.kind, cell.rag, linked=linked, apart=apart))
        if linked:
            self.sheet.write_url(row, place, cell.url, fmt, string=str(cell.value)[:255])
        else:
            write_cell(self.sheet, row, place, cell.value, fmt)

    def finish(self) -> None:
        """Set paper, scale, print area, header and footer."""
        sheet, story = self.sheet, self.story
        last = self._last_row()
        if last < self.row - 1:
            self.row, end = self._note, self.row
            self.text(
                tr("On paper: the first lines, which weigh most. The screen has all {n} lines below.",
                   n=self._lines), font_color=PALE, italic=True,
            )  # fmt: skip
            self.row = end
        sheet.set_paper(A4)
        sheet.set_landscape()
        sheet.set_margins(_MARGIN, _MARGIN, _TOP, _BOTTOM)
        sheet.fit_to_pages(1, 0 if self.pages is None else self.pages)
        sheet.print_area(0, 0, last, self.printed - 1)
        if self._header is not None:
            sheet.repeat_rows(self._header)
            sheet.freeze_panes(self._header + 1 if self._header < 12 else 0, self._fixed)
        title, label = (text.replace("&", "&&") for text in (self.papers.title, story.label))
        sheet.set_header(f"&L&8{title} – {self.name.replace('&', '&&')}&R&8{label}, {day(story.as_of)}")
        sheet.set_footer(f"&L&8pm-hub {story.feed_id}&R&8" + tr("Page &P of &N"))
        sheet.set_tab_color(BLUE)

    def room(self, row: int) -> float:
        """Return how many points of the paper are left from *row* on; without an end where it has none."""
        if self.pages is None:
            return math.inf
        return self.pages * PAPER_HEIGHT / self.scale - sum(self.height_of(one) for one in range(row))

    def reach(self, row: int, points: float) -> None:
        """Print at least so many *points* from *row* on: what stands there beside the table."""
        while points > 0:
            points -= self.height_of(row)
            row += 1
        self.row = max(self.row, row)

    def _last_row(self) -> int:
        """Return the last row to print: what fits on the sheet's pages, and no heading alone at the end."""
        end = self.row - 1
        if self.pages is None:
            return end
        room = self.pages * PAPER_HEIGHT / self.scale
        used, last = 0.0, 0
        for row in range(end + 1):
            used += self.height_of(row)
            if used > room:
                break
            last = row
        while last < end and last in self._leads:
            last -= 1
        return last


def is_address(url: str | None) -> bool:
    """Say whether *url* is one that a reader may be sent to."""
    return (
        bool(url)
        and str(url).lower().startswith(("http://", "https://"))
        and len(str(url)) <= LONGEST_ADDRESS
    )
