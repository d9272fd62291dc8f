"""The sheets with a line a project: the portfolio, and its money and effort."""

from __future__ import annotations

from hub import ARROWS, Figure, Story, column_captions, mark, model, sign_of, tr
from hub_files.workbook.looks import SYMBOLS, Cell, Column, weather
from hub_files.workbook.papers import Papers

_CONFIDENCE = {"high": mark("high"), "medium": mark("medium"), "low": mark("low")}
_DOUBT = {"medium": "amber", "low": "red"}
_KINDS = {"DATE": "day", "DOUBLE": "number", "DECIMAL(18,2)": "amount", "BIGINT": "whole"}
_FIELD_WIDTH = 14


def portfolio(papers: Papers) -> None:
    """Write one line a project, the reddest first; the columns of fields.csv stand at the end."""
    story = papers.story
    sign = sign_of(story.currency)
    own = {
        name: column.type
        for name, column in model().tables["dim_project"].columns.items()
        if name.startswith("x_")
    }
    captions = column_captions("dim_project", story.lang)
    columns = [
        Column(tr("Code"), 5.5), Column(tr("Project"), 16), Column(tr("Program"), 10),
        Column(tr("Declared"), 8), Column(tr("Computed"), 8), Column(tr("Trend"), 7.5, "centred"),
        Column(tr("Prog."), 6.5, "percent"), Column("CPI", 6.5, "ratio"), Column("SPI", 6.5, "ratio"),
        Column(tr("Spent (days)"), 7.5, "number"), Column(tr("Budget ({sign})", sign=sign), 8.5, "amount"),
        Column(tr("Landing ({sign})", sign=sign), 9, "amount"),
        Column(tr("Variance ({sign})", sign=sign), 9.5, "signed"), Column(tr("Slip (days)"), 6.5, "signed"),
        Column(tr("Next milestone"), 14.5), Column(tr("On"), 10, "day"),
        Column(tr("Confidence"), 9, "centred"),
        Column(tr("Manager's word, reason"), 28),
        *(Column(captions[name], _FIELD_WIDTH, _KINDS.get(kind, "text")) for name, kind in own.items()),
    ]  # fmt: skip
    page = papers.page(
        tr("Portfolio"), papers.title, [one.width for one in columns], topics=("weather", "trend"),
        pages=None, fixed=2,
    )  # fmt: skip
    if not story.projects:
        page.text(tr("No project is known yet."))
    else:
        lines = [
            [*_line(story, place), *(one.fields.get(name) for name in own)]
            for place, one in enumerate(story.projects)
        ]
        page.table(columns, lines, "Portfolio")
    page.finish()


def _line(story: Story, place: int) -> list[object]:
    one = story.projects[place]
    following = story.next_milestone(one.key)
    get = one.figures.get
    return [
        one.code, one.name, one.program, weather(one.declared), weather(one.computed),
        ARROWS.get(one.trend or ""), figure(get("RAF.avancement")), figure(get("EVM_DAYS.cpi")),
        figure(get("EVM_DAYS.spi")), figure(get("RAF.consomme")), figure(get("LANDING.budget")),
        landing(one.figures), figure(get("LANDING.variance")), figure(get("MILESTONE_SLIP.slip_days")),
        Cell(following.title, url=following.url) if following else None,
        following.finish if following else None, confidence(one.confidence),
        " – ".join(word for word in (one.commentary, one.reason) if word) or None,
    ]  # fmt: skip


def figure(found: Figure | None) -> Cell:
    """Return a figure of a project as a cell, with the colour that its target gives it."""
    if found is None or found.value is None:
        return Cell(None)
    return Cell(found.value, rag=found.rag if found.rag != "grey" else None)


def landing(figures: dict[str, Figure]) -> Cell:
    """Return the landing of a project; where it is known only at least, the number says so."""
    whole = figure(figures.get("LANDING.landing"))
    if whole.value is not None:
        return whole
    return Cell(figure(figures.get("LANDING.landing_at_least")).value, "at_least")


def confidence(said: str | None) -> Cell:
    """Return how far the figures can be trusted, as a cell."""
    if said is None:
        return Cell(None)
    rag, word = _DOUBT.get(said), tr(_CONFIDENCE[said])
    return Cell(f"{SYMBOLS[rag]} {word}" if rag else word, "centred", rag)


def budget(papers: Papers) -> None:
    """Write the money and the effort of each project that has any."""
    story = papers.story
    sign = sign_of(story.currency)
    money, effort = tr("({sign})", sign=sign), tr("(days)")
    figures = (
        (tr("Budget"), "LANDING.budget", "amount"), (tr("Committed"), "LANDING.committed", "amount"),
        (tr("Consumed"), "LANDING.consumed", "amount"),
        (tr("Left to spend"), "LANDING.left_to_spend", "amount"),
        (tr("Landing"), "LANDING.landing", "amount"), (tr("Variance"), "LANDING.variance", "signed"),
        (tr("Baseline"), "RAF.budget", "number"), (tr("Spent"), "RAF.consomme", "number"),
        (tr("To do"), "RAF.raf", "number"), (tr("At completion"), "RAF.a_terminaison", "number"),
        (tr("Variance"), "RAF.derive", "signed_number"),
    )  # fmt: skip
    columns = [Column(tr("Code"), 8), Column(tr("Project"), 30)]
    for caption, name, kind in figures:
        columns.append(Column(f"{caption} {money if name.startswith('LANDING') else effort}", 11, kind))
    page = papers.page(
        tr("Budget"), tr("Budget, landing and effort"), [one.width for one in columns],
        topics=("money", "effort"), pages=None, fixed=2,
    )  # fmt: skip
    lines = []
    for one in story.projects:
        cells = [
            landing(one.figures) if name == "LANDING.landing" else figure(one.figures.get(name))
            for _, name, _ in figures
        ]
        if any(cell.value is not None for cell in cells):
            lines.append([one.code, one.name, *cells])
    if not any(one.value("LANDING.budget") is not None for one in story.projects):
        page.text(tr("No project has a budget: the sheet says what is known without one."))
    if lines:
        page.row += 1
        page.table(columns, lines, "Budget")
    else:
        page.text(tr("No effort and no money is known yet."))
    page.finish()
