"""The sheet of charts: native ones, over the rows that the story's own charts draw."""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

from hub import alternative, language, mark, rows_of, serial_of, sign_of, title_of, tr
from hub_files.workbook.looks import BLUE, SIZE, SYMBOLS, TEXT
from hub_files.workbook.papers import PAPER_HEIGHT, Page, Papers

_COLOURS = ("#1F3A5F", "#B3261E", "#2E7D4F", "#B07D00", "#6B3FA0", "#00747A", "#6B7680", "#0B57A4")
_DASHES = ("solid", "dash", "round_dot", "long_dash", "dash_dot", "square_dot", "long_dash_dot", "solid")
_MARKERS = ("circle", "square", "triangle", "diamond", "x", "plus", "star", "short_dash")
_SERIES = {
    "planned": mark("planned"), "earned": mark("earned"), "actual": mark("actual"), "done": mark("done"),
    "scope": mark("scope"),
}  # fmt: skip
_KINDS = {"total": mark("total"), "over": mark("over"), "under": mark("under")}
_STEPS = {"total": "#1F3A5F", "over": "#B3261E", "under": "#2E7D4F"}
_CELL, _CELLS = 12.0, 15
_ACROSS, _GAP = 3, 8
_UNIT = _CELLS * int(_CELL * 7 + 5) // _ACROSS
"""Pixels from one chart of a row to the next."""
_SPANS = {"waterfall": 2}
_FIGURES_AT = 20
"""The column, beyond the paper, from which the figures of the charts stand."""


def charts(papers: Papers) -> None:
    """Draw what Excel can draw itself; the figures of each chart stand to the right of the paper."""
    story = papers.story
    page = papers.page(tr("Charts"), tr("The portfolio in charts"), [_CELL] * _CELLS)
    drawn: list[tuple[str, Any]] = []
    place = _Figures(page)
    for name, draw in (
        ("s_curve", _curve), ("waterfall", _waterfall), ("slips", _slips), ("burn_up", _curve), ("sla", _sla),
    ):  # fmt: skip
        if rows := rows_of(name, story):
            drawn.append((name, draw(place, name, rows)))
        else:
            page.text(tr("{chart}: no figures to show.", chart=title_of(name, story)))
    top = page.row
    places, down = _grid([name for name, _ in drawn])
    used = sum(page.height_of(row) for row in range(top))
    height = int((PAPER_HEIGHT / page.scale - used - 15) / 0.75 / max(2, down)) - _GAP
    for (name, chart), (row, column, span) in zip(drawn, places, strict=True):
        chart.set_title({"name": title_of(name, story), "name_font": {"size": 13, "color": BLUE}})
        legend = {"position": "bottom", "font": {"size": SIZE, "color": TEXT}}
        chart.set_legend({"none": True} if name == "waterfall" else legend)
        chart.set_size({"width": span * _UNIT - _GAP, "height": height})
        chart.show_blanks_as("span")
        page.sheet.insert_chart(top, 0, chart, {
            "x_offset": column * _UNIT, "y_offset": row * (height + _GAP), "object_position": 3,
            "description": alternative(name, story),
        })  # fmt: skip
    page.row = top + int(down * (height + _GAP) * 0.75 / page.height_of(page.row)) + 1
    page.finish()


def _grid(names: Sequence[str]) -> tuple[list[tuple[int, int, int]], int]:
    """Return row, column and width of each chart in a grid of three columns, and how many rows there are."""
    places, row, column = [], 0, 0
    for name in names:
        span = _SPANS.get(name, 1)
        if column + span > _ACROSS:
            row, column = row + 1, 0
        places.append((row, column, span))
        column += span
    return places, row + 1


class _Figures:
    """The figures beside the charts: each chart's table stands below the one before."""

    def __init__(self, page: Page) -> None:
        self.page, self.row = page, 0

    @property
    def book(self) -> Any:
        return self.page.papers.book

    def table(self, headers: Sequence[str], lines: Sequence[Sequence[Any]]) -> tuple[int, int]:
        """Write a table of figures; return its first and its last row."""
        sheet, style = self.page.sheet, self.page.papers.format
        day = style(num_format="dd/mm/yyyy" if language() == "fr" else "yyyy-mm-dd", align="left")
        for column, header in enumerate(headers):
            sheet.write_string(self.row, _FIGURES_AT + column, header, style(bold=True))
        first = self.row + 1
        for number, line in enumerate(lines, start=first):
            for column, value in enumerate(line):
                if isinstance(value, date):
                    sheet.write_number(number, _FIGURES_AT + column, serial_of(value), day)
                elif value is not None:
                    sheet.write(number, _FIGURES_AT + column, value)
        last = self.row + len(lines)
        self.row = last + 2
        return first, last

    def span(self, first: int, last: int, column: int) -> list[Any]:
        """Return the cells of a column of the table just written, as a chart refers to them."""
        return [self.page.name, first, _FIGURES_AT + column, last, _FIGURES_AT + column]


def _axis(**more: Any) -> dict[str, Any]:
    return {
        "num_font": {"size": SIZE, "color": TEXT}, "name_font": {"size": SIZE, "color": TEXT, "bold": False},
        "major_gridlines": {"visible": True, "line": {"color": "#E3E8ED"}}, **more,
    }  # fmt: skip


def _line(number: int) -> dict[str, Any]:
    return {"color": _COLOURS[number], "width": 2, "dash_type": _DASHES[number]}


def _curve(place: _Figures, name: str, rows: list[dict[str, Any]]) -> Any:
    chart = place.book.add_chart({"type": "scatter", "subtype": "straight"})
    days = []
    for number, series in enumerate(dict.fromkeys(row["series"] for row in rows)):
        mine = [(date.fromisoformat(row["date"]), row["value"]) for row in rows if row["series"] == series]
        first, last = place.table((title_of(name, place.page.story), tr(_SERIES[series])), mine)
        days += [day for day, _ in mine]
        chart.add_series({
            "name": tr(_SERIES[series]), "categories": place.span(first, last, 0),
            "values": place.span(first, last, 1), "line": _line(number), "marker": {"type": "none"},
        })  # fmt: skip
    first_day, last_day = serial_of(min(days)), serial_of(max(days))
    step = max(1, round((last_day - first_day) / 30.44 / 6)) * 30.4375
    chart.set_x_axis(_axis(min=first_day, max=last_day, num_format="mm/yy", major_unit=step))
    chart.set_y_axis(_axis(num_format="#,##0", min=0))
    return chart


def _waterfall(place: _Figures, name: str, rows: list[dict[str, Any]]) -> Any:
    """Stack each step on an unseen one: what a step adds or takes away hangs between two totals."""
    story = place.page.story
    floor, top = min(row["low"] for row in rows), max(row["high"] for row in rows)
    step = 10 ** max(0, math.floor(math.log10(max(1.0, top - floor))))
    floor = floor // step * step
    lines = [
        (row["step"], None if row["kind"] == "total" else row["low"],
         *((row["high"] - (0 if kind == "total" else row["low"])) if row["kind"] == kind else None
           for kind in _STEPS), row["high"]) for row in rows
    ]  # fmt: skip
    headers = (title_of(name, story), tr("below"), *(tr(_KINDS[kind]) for kind in _STEPS), tr("upper end"))
    first, last = place.table(headers, lines)
    chart = place.book.add_chart({"type": "column", "subtype": "stacked"})
    chart.add_series({
        "name": tr("below"), "categories": place.span(first, last, 0), "values": place.span(first, last, 1),
        "fill": {"none": True}, "border": {"none": True}, "gap": 40,
    })  # fmt: skip
    signs = {"total": "", "over": SYMBOLS["amber"] + " ", "under": SYMBOLS["green"] + " "}
    for column, (kind, colour) in enumerate(_STEPS.items(), start=2):
        chart.add_series({
            "name": tr(_KINDS[kind]), "categories": place.span(first, last, 0),
            "values": place.span(first, last, column), "fill": {"color": colour},
        })  # fmt: skip
    labels = place.book.add_chart({"type": "line"})
    labels.add_series({
        "name": tr("upper end"), "categories": place.span(first, last, 0),
        "values": place.span(first, last, 5),
        "line": {"none": True}, "marker": {"type": "none"}, "data_labels": {
            "value": True, "position": "above", "font": {"size": SIZE - 1, "color": TEXT},
            "custom": [{"value": signs[row["kind"]] + row["label"]} for row in rows],
        },
    })  # fmt: skip
    chart.combine(labels)
    chart.set_x_axis(_axis())
    chart.set_y_axis(_axis(min=floor, major_unit=step, num_format="#,##0", name=sign_of(story.currency)))
    return chart


def _slips(place: _Figures, name: str, rows: list[dict[str, Any]]) -> Any:
    story = place.page.story
    cuts = dict(sorted({row["date"]: row["cut"] for row in rows}.items()))
    projects = list(dict.fromkeys(row["project"] for row in rows))
    told = {(row["project"], row["date"]): row["slip"] for row in rows}
    return _over_time(
        place, title_of(name, story), list(cuts.values()), projects,
        [[told.get((project, day)) for project in projects] for day in cuts], num_format="#,##0",
        name=tr("days"),
    )  # fmt: skip


def _sla(place: _Figures, name: str, rows: list[dict[str, Any]]) -> Any:
    story = place.page.story
    months = sorted({row["month"] for row in rows})
    metrics = list(dict.fromkeys(row["metric"] for row in rows))
    told = {(row["metric"], row["month"]): row["compliance"] for row in rows}
    labels = [f"{month[5:7]}/{month[:4]}" if story.lang == "fr" else month[:7] for month in months]
    values = [[told.get((metric, month)) for metric in metrics] for month in months]
    return _over_time(place, title_of(name, story), labels, metrics, values, num_format="0%", min=0, max=1)


def _over_time(
    place: _Figures, title: str, labels: list[str], names: list[str], values: list[list[Any]], **axis: Any
) -> Any:
    first, last = place.table(
        (title, *names), [[label, *line] for label, line in zip(labels, values, strict=True)]
    )
    chart = place.book.add_chart({"type": "line"})
    for number, one in enumerate(names[: len(_COLOURS)]):
        chart.add_series({
            "name": one, "categories": place.span(first, last, 0),
            "values": place.span(first, last, number + 1), "line": _line(number),
            "marker": {"type": _MARKERS[number], "size": 6, "fill": {"color": _COLOURS[number]},
                       "border": {"color": _COLOURS[number]}},
        })  # fmt: skip
    chart.set_x_axis(_axis(interval_unit=max(1, len(labels) // 6)))
    chart.set_y_axis(_axis(**axis))
    return chart
