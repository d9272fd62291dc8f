"""The first sheet, what a director reads: the weather counted, key figures, and the synthesis."""

from __future__ import annotations

from hub import Figure, catalogue, language, mark, sign_of, tr
from hub_files.workbook.looks import (
    LINE_HEIGHT,
    ON_SOLID,
    ON_TINT,
    SIZE,
    SOLID,
    SYMBOLS,
    TEXT,
    TINT,
    UNITS,
    lines_of,
    look,
    weather,
)
from hub_files.workbook.papers import Page, Papers, write_cell

KEY_FIGURES = (
    "LANDING.budget", "LANDING.consumed", "LANDING.variance", "RISK.expected_exposure",
    "RAF.consomme", "RAF.raf", "EVM_DAYS.cpi", "EVM_DAYS.spi", "RAF.avancement", "MILESTONE_ON_TIME.ratio",
    "RISK.open_risks", "RISK.overdue_actions",
)  # fmt: skip
_ACROSS, _WIDTH = 8, 18
_TOPICS = {
    "weather": mark("Weather"), "trend": mark("Trends"), "milestones": mark("Milestones"),
    "money": mark("Money"), "effort": mark("Effort"), "risks": mark("Risks"), "decisions": mark("Decisions"),
    "load": mark("Load"), "confidence": mark("Confidence"),
    "unknown": mark("Not known"),
}  # fmt: skip


def summary(papers: Papers) -> None:
    """Write the sheet that comes first; all of it is one page."""
    story = papers.story
    page = papers.page(tr("Summary"), papers.title, [_WIDTH] * _ACROSS)
    if story.complete:
        page.text(tr("All sources are up to date and complete."), rag="green")
    page.row += 1
    if not story.projects:
        page.text(tr("No project is known yet."))
    else:
        for column, (rag, n) in enumerate(story.weather.items()):
            said = str(weather(rag).value) if rag != "grey" else f"{SYMBOLS[rag]} {tr('without weather')}"
            _card(page, column, said, n, "whole", SOLID[rag], ON_SOLID[rag])
        for number, name in enumerate(KEY_FIGURES, start=len(story.weather)):
            if number % _ACROSS == 0:
                page.row += 3
            _figure(page, number % _ACROSS, story.totals.get(name), name)
        page.row += 3
    if story.synthesis:
        page.heading(tr("In short"))
    for line in story.synthesis:
        rag = line.rag or "grey"
        topic = f"{SYMBOLS[rag]} {tr(_TOPICS[line.topic])}"
        fmt = papers.format(
            bold=True, valign="vcenter", bg_color=TINT[rag], font_color=ON_TINT[rag], bottom=1,
            bottom_color="#FFFFFF",
        )  # fmt: skip
        page.sheet.write_string(page.row, 0, topic, fmt)
        fmt = papers.format(
            font_color=TEXT, font_size=11, text_wrap=True, valign="vcenter", indent=1, bottom=1,
            bottom_color="#EEF1F4",
        )  # fmt: skip
        page.sheet.merge_range(page.row, 1, page.row, _ACROSS - 1, line.text, fmt)
        page.height(page.row, lines_of(line.text, (_ACROSS - 1) * _WIDTH * 0.88) * 15 + 8)
        page.row += 1
    page.finish()


def _figure(page: Page, column: int, figure: Figure | None, name: str) -> None:
    rag = figure.rag if figure and figure.rag not in {None, "grey"} else None
    caption = figure.caption if figure else _caption(name)
    kind = UNITS.get(figure.unit, "whole") if figure else "whole"
    if figure and figure.unit == "amount":
        caption += f" ({sign_of(page.story.currency)})"
    if figure and kind == "number" and abs(figure.value or 0) >= 100:
        kind = "whole"
    ground, ink = (TINT[rag], ON_TINT[rag]) if rag else (TINT["grey"], TEXT)
    _card(page, column, caption, figure.value if figure else None, kind, ground, ink, rag)


def _caption(name: str) -> str:
    code, _, measure = name.partition(".")
    found = next(one for one in catalogue()[code].measures if one.name == measure)
    return found.fr if language() == "fr" else found.en


def _card(
    page: Page, column: int, caption: str, value: float | None, kind: str, ground: str, ink: str,
    rag: str | None = None,
) -> None:  # fmt: skip
    style = page.papers.format
    edge = {"left": 5, "left_color": "#FFFFFF", "bg_color": ground, "font_color": ink, "align": "center"}
    page.sheet.write_string(
        page.row, column, caption, style(**edge, font_size=SIZE, text_wrap=True, valign="vcenter")
    )
    page.height(page.row, max(2, lines_of(caption, _WIDTH - 2)) * LINE_HEIGHT + 3)
    shown = look(kind, rag)
    fmt = style(
        **edge, font_size=14, bold=True, valign="vcenter",
        **({"num_format": shown["num_format"]} if value is not None else {}),
    )  # fmt: skip
    write_cell(page.sheet, page.row + 1, column, "–" if value is None else value, fmt)
    page.height(page.row + 1, 26)
    page.height(page.row + 2, 6)
