"""The sheet of load: teams by week, and hours of projects by month."""

from __future__ import annotations

from typing import Any

from hub import title_of, tr
from hub_files.workbook.looks import ON_TINT, SYMBOLS, TINT, Column
from hub_files.workbook.papers import Page, Papers

_WEEKS = 17
_WIDTH = 8.5


def load(papers: Papers) -> None:
    """Write how full the teams are, and what is planned and spent by month."""
    page = papers.page(
        tr("Load"), tr("Load of teams and projects"), [26, 11, *([_WIDTH] * 16)], topics=("load",)
    )
    _teams(page)
    _months(page)
    page.finish()


def _teams(page: Page) -> None:
    story = page.story
    page.heading(title_of("load", story))
    told = {(one.team, one.week_start): one.load for one in story.load if one.load is not None}
    if not told:
        page.text(tr("No load of teams is known, or the level of detail of this workbook shows none."))
        return
    weeks = sorted({week for _, week in told})[:_WEEKS]
    teams = sorted({team for team, _ in told})
    form = "%d/%m" if story.lang == "fr" else "%m-%d"
    columns = [Column(tr("Team"), 26), *(Column(f"{week:{form}}", _WIDTH, "percent") for week in weeks)]
    lines = [[team, *(told.get((team, week)) for week in weeks)] for team in teams]
    top = page.table(columns, lines, "Teams")
    over = page.papers.book.add_format(
        {"bg_color": TINT["red"], "font_color": ON_TINT["red"], "bold": True,
         "num_format": f'"{SYMBOLS["red"]} "0%'}
    )  # fmt: skip
    place = (top + 1, 1, top + len(teams), len(weeks))
    page.sheet.conditional_format(
        *place, {"type": "cell", "criteria": ">", "value": 1, "format": over, "stop_if_true": True}
    )
    page.sheet.conditional_format(*place, {
        "type": "2_color_scale", "min_type": "num", "max_type": "num", "min_value": 0, "max_value": 1,
        "min_color": "#FFFFFF", "max_color": "#C9D8EA",
    })  # fmt: skip


def _months(page: Page) -> None:
    story = page.story
    page.heading(tr("Hours of projects by month"))
    if not story.months:
        page.text(tr("No hours are planned or spent in these months."))
        return
    told = {(one.project_key, one.month): one for one in story.months}
    months = sorted({one.month for one in story.months})
    form = "%m/%Y" if story.lang == "fr" else "%Y-%m"
    columns = [
        Column(tr("Project"), 26), Column(tr("Hours"), 11),
        *(Column(f"{month:{form}}", _WIDTH, "whole") for month in months),
    ]  # fmt: skip
    lines: list[list[Any]] = []
    for project in story.projects:
        mine = [told.get((project.key, month)) for month in months]
        name = f"{project.code} {project.name}"
        for word, values in (
            (tr("planned"), [one.planned_h if one else None for one in mine]),
            (tr("spent"), [one.spent_h if one else None for one in mine]),
        ):
            if any(values):
                lines.append([name, word, *values])
    page.table(columns, lines, "Months")
