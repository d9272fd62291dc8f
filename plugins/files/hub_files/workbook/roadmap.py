"""The roadmap beside the milestones: a native chart, a bar a project over its baseline."""

from __future__ import annotations

from datetime import date, timedelta

from hub import alternative, language, rows_of, serial_of, title_of, tr
from hub_files.workbook.looks import SOLID, SYMBOLS, TEXT
from hub_files.workbook.papers import Page

_FIGURES_AT = 40
"""The column, beyond paper and screen, from which the chart's figures stand."""
_BAR, _FRAME, _TALLEST = 21, 90, 780
"""Pixels: a bar whose name can be read, what is around the bars, and the chart at most."""
_POINT = 4 / 3
"""Pixels of a point."""


def roadmap(page: Page, top: int, left: int) -> None:
    """Draw each project from its start to its finish: what is behind today dark, what is to come pale.

    The worst come first; those that the paper has no room for are left out, and the title says so.
    """
    story = page.story
    rows = [row for row in rows_of("roadmap", story) if row["kind"] == "span"]
    today = story.as_of
    bars: list[tuple[str, date, date, date, str]] = []
    most, shown = int((min(_TALLEST, page.room(top) * _POINT) - _FRAME) / _BAR), 0
    for row in rows:
        if shown and len(bars) + 2 > most:
            break
        shown += 1
        start, finish = date.fromisoformat(row["start"]), date.fromisoformat(row["finish"])
        split = min(max(today, start), finish)
        bars.append((f"{SYMBOLS[row['weather']]} {row['project']}", start, split, finish, row["weather"]))
        if row["baseline_start"] and row["baseline_finish"]:
            first = date.fromisoformat(row["baseline_start"])
            end = date.fromisoformat(row["baseline_finish"])
            bars.append((tr("baseline"), first, end, end, "grey"))
    title = title_of("roadmap", story)
    if shown < len(rows):
        title += f" ({tr('{shown} of {n}', shown=shown, n=len(rows))})"
    sheet = page.sheet
    fmt = page.papers.format(num_format="dd/mm/yyyy" if language() == "fr" else "yyyy-mm-dd", font_color=TEXT)
    for number, (name, start, split, finish, _) in enumerate(bars, start=top + 1):
        sheet.write_string(number, _FIGURES_AT, name)
        sheet.write_number(number, _FIGURES_AT + 1, serial_of(start), fmt)
        sheet.write_number(number, _FIGURES_AT + 2, (split - start).days)
        sheet.write_number(number, _FIGURES_AT + 3, (finish - split).days)
    for place, header in enumerate((title, tr("Start"), tr("Days until now"), tr("Days to come"))):
        sheet.write_string(top, _FIGURES_AT + place, header)
    last = top + len(bars)
    chart = page.papers.book.add_chart({"type": "bar", "subtype": "stacked"})

    def values(place: int) -> list[object]:
        return [page.name, top + 1, _FIGURES_AT + place, last, _FIGURES_AT + place]

    points = [SOLID[rag] for *_, rag in bars]
    chart.add_series({
        "name": tr("Start"), "categories": values(0), "values": values(1), "fill": {"none": True},
        "border": {"none": True}, "gap": 25,
    })  # fmt: skip
    for place, name, pale in ((2, tr("until now"), 0), (3, tr("to come"), 55)):
        chart.add_series({
            "name": name, "categories": values(0), "values": values(place),
            "points": [
                {"fill": {"color": colour, "transparency": pale}, "border": {"color": colour, "width": 0.75}}
                for colour in points
            ],
        })  # fmt: skip
    begin = min(start for _, start, *_ in bars).replace(day=1)
    until = max(finish for *_, finish, _ in bars) + timedelta(days=31)
    chart.set_x_axis({
        "min": serial_of(begin), "max": serial_of(until.replace(day=1)), "num_format": "mm/yy",
        "major_unit": 91.3125, "num_font": {"size": 9, "color": TEXT},
        "major_gridlines": {"visible": True, "line": {"color": "#D5DBE1"}},
        "label_position": "low",
    })  # fmt: skip
    chart.set_y_axis({"reverse": True, "num_font": {"size": 9, "color": TEXT}, "interval_unit": 1})
    chart.set_title({"name": title, "name_font": {"size": 12, "color": "#1F3A5F"}})
    chart.set_legend({"none": True})
    height = _FRAME + _BAR * max(4, len(bars))
    chart.set_size({"width": 8 * 82 - 4, "height": height})
    page.reach(top, height / _POINT)
    sheet.insert_chart(top, left, chart, {"object_position": 3, "description": alternative("roadmap", story)})
