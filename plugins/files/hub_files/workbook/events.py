"""The sheets of what happens: what moved, milestones, risks and decisions."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

from hub import Milestone, Move, RegisterEntry, mark, rows_of, sign_of, spoken_move, title_of, tr, trn, zone
from hub_files.workbook.looks import LINE_HEIGHT, ON_TINT, PALE, SYMBOLS, TINT, Cell, Column
from hub_files.workbook.papers import Page, Papers
from hub_files.workbook.roadmap import roadmap

_ROUND = 6
"""Moves of each topic that come before the next six of each: the page of paper holds some of all."""
_FEW = {"risk": 14, "issue": 8, "action": 12}
"""Lines of the register of each kind that come before all others, for the same reason."""
_UNITS = {
    "date": mark("days"),
    "days": mark("person-days"),
    "amount": "",
    "count": "",
    "duration": mark("days"),
}
_STATES = {"done": mark("Done"), "late": mark("Late"), "open": mark("To come")}
_KINDS = {
    "risk": mark("Risk"),
    "issue": mark("Issue"),
    "action": mark("Action"),
    "decision": mark("Decision"),
}


def moves(papers: Papers) -> None:
    """Write what is new since the committee before; corrections stand apart below."""
    story = papers.story
    columns = [
        Column(tr("Project"), 9), Column(tr("Subject"), 12), Column(tr("What"), 80),
        Column(tr("Before"), 15, "number"), Column(tr("After"), 15, "number"),
        Column(tr("Change"), 13, "signed_number"), Column(tr("Unit"), 11),
    ]  # fmt: skip
    title = tr("What moved since {before}", before=story.before) if story.before else tr("What moved")
    page = papers.page(
        tr("What moved"), title, [one.width for one in columns], topics=("trend", "milestones")
    )
    told = [one for one in story.moves if one.cause == "news"]
    other = [one for one in story.moves if one.cause != "news"]
    if story.before is None:
        page.text(tr("There is no cut to compare with yet: hub cut take makes one."))
    elif not told:
        page.text(tr("Nothing is new since {before}.", before=story.before))
    if other:
        page.text(
            trn(
                "{n} correction is no news: it stands below.",
                "{n} corrections are no news: they stand below.",
                len(other),
            )
        )
    if told:
        page.row += 1
        page.table(columns, [_move(papers, one) for one in _weightiest(told)], "News")
    if other:
        page.heading(tr("Corrections and changed definitions"))
        columns[2] = Column(tr("What, why"), 80)
        lines = [_move(papers, one) for one in other]
        for line, one in zip(lines, other, strict=True):
            line[2] = f"{line[2]} – {spoken_move(one.cause)}"
        page.table(columns, lines, "Corrections")
    page.finish()


def _weightiest(told: list[Move]) -> list[Move]:
    """Return the moves in rounds of some of each topic, in the order in which the story has them."""
    seen: Counter[str] = Counter()
    placed = []
    for number, one in enumerate(told):
        placed.append((seen[one.topic] // _ROUND, number))
        seen[one.topic] += 1
    return [told[number] for _, number in sorted(placed)]


def _move(papers: Papers, one: Move) -> list[Any]:
    story = papers.story
    what = spoken_move(one.measure if one.topic == "effort" else f"{one.item}, {one.measure}")
    unit = (
        sign_of(story.currency)
        if one.unit == "amount"
        else tr(_UNITS[one.unit])
        if _UNITS.get(one.unit)
        else ""
    )
    values = []
    for day, value in ((one.before_date, one.before_value), (one.after_date, one.after_value)):
        dated = one.unit == "date" or value is None
        kind = {"amount": "amount"}.get(one.unit, "whole" if one.topic == "scope" else None)
        values.append(Cell(day, "day") if dated else Cell(value, kind))
    delta = Cell(one.delta, "signed" if one.unit in {"amount", "date"} else None)
    return [story.code_of(one.project_key), spoken_move(one.topic), what, *values, delta, unit]


def milestones(papers: Papers) -> None:
    """Write the milestones, late ones first, then the next ones; the roadmap stands beside."""
    story = papers.story
    columns = [
        Column(tr("Project"), 8), Column(tr("Milestone"), 31), Column(tr("Baseline"), 10.5, "day"),
        Column(tr("Forecast, actual"), 10.5, "day"), Column(tr("Slip (days)"), 8, "signed"),
        Column(tr("State"), 10.5),
    ]  # fmt: skip
    spans = rows_of("roadmap", story)
    beside = [2, *([11] * 8)] if spans else []
    page = papers.page(
        tr("Milestones"), tr("Milestones and roadmap"), [*(one.width for one in columns), *beside],
        topics=("milestones",),
    )  # fmt: skip
    if not story.milestones:
        page.text(tr("No milestone is known."))
    elif all(one.baseline is None for one in story.milestones):
        page.text(tr("No milestone has a baseline: there is no slip to tell."))
    if spans:
        page.text(tr("Roadmap: dark until now, pale to come, grey the baseline."), font_color=PALE)
    top = page.row
    if story.milestones:
        lines = [_milestone(papers, one) for one in sorted(story.milestones, key=_urgency)]
        page.table(columns, lines, "Milestones")
    if spans:
        roadmap(page, top, len(columns) + 1)
    else:
        page.text(tr("No project has planned work: there is no roadmap to draw."))
    page.finish()


def _urgency(one: Milestone) -> tuple[int, float]:
    day = (one.finish or date.max).toordinal()
    return ("late", "open", "done").index(one.state), -day if one.state == "done" else day


def _milestone(papers: Papers, one: Milestone) -> list[Any]:
    state = tr(_STATES[one.state])
    rag = {"late": "red", "done": "green"}.get(one.state)
    return [
        papers.story.code_of(one.project_key), Cell(one.title, url=one.url), one.baseline, one.finish,
        Cell(one.slip_days, rag="amber" if (one.slip_days or 0) > 0 else None),
        Cell(f"{SYMBOLS[rag]} {state}" if rag else state, "text", rag),
    ]  # fmt: skip


def _due(one: RegisterEntry, today: date) -> Cell:
    """Return the date by which it is due, marked where it has passed."""
    return Cell(one.due_date, "day", "amber" if one.due_date and one.due_date < today else None)


def risks(papers: Papers) -> None:
    """Write the open risks by what is at stake, then issues and actions; the matrix stands beside."""
    story = papers.story
    sign = sign_of(story.currency)
    columns = [
        Column(tr("Project"), 8), Column(tr("Kind"), 10), Column(tr("Title"), 42),
        Column(tr("Probability"), 10, "percent"), Column(tr("Impact"), 8, "whole"),
        Column(tr("Exposure ({sign})", sign=sign), 11, "amount"),
        Column(tr("Expected ({sign})", sign=sign), 11, "amount"), Column(tr("Opened"), 10.5, "day"),
        Column(tr("Due"), 10.5, "day"),
    ]  # fmt: skip
    matrix = rows_of("risks", story)
    beside = [2, 10, *([6] * 5)] if matrix else []
    page = papers.page(
        tr("Risks"),
        tr("Risks, issues and actions"),
        [*(one.width for one in columns), *beside],
        topics=("risks",),
    )
    found = _mixed(story.register)
    if not any(one.kind == "risk" for one in found):
        page.text(tr("No open risk is known."))
    top = page.row
    if found:
        lines = [
            [story.code_of(one.project_key), tr(_KINDS[one.kind]), one.title, one.probability, one.impact,
             one.exposure, one.expected, one.opened_date, _due(one, story.as_of)] for one in found
        ]  # fmt: skip
        page.table(columns, lines, "Risks")
    if matrix:
        _matrix(page, top, len(columns) + 1, matrix)
    page.finish()


def _mixed(register: tuple[RegisterEntry, ...]) -> list[RegisterEntry]:
    """Return the weightiest of each kind, then the rest of each; actions by their date."""
    entries = [one for kind in ("risk", "issue") for one in register if one.kind == kind]
    entries += sorted(
        (one for one in register if one.kind == "action"), key=lambda one: one.due_date or date.max
    )
    seen: Counter[str] = Counter()
    first: list[RegisterEntry] = []
    rest: list[RegisterEntry] = []
    for one in entries:
        seen[one.kind] += 1
        (first if seen[one.kind] <= _FEW[one.kind] else rest).append(one)
    return first + rest


def _matrix(page: Page, top: int, left: int, rows: list[dict[str, Any]]) -> None:
    """Draw how many risks lie where: probability upwards, impact to the right."""
    style, sheet = page.papers.format, page.sheet
    bands = list(dict.fromkeys(row["band"] for row in rows if row["kind"] == "cell"))
    n = {(row["band"], row["impact"]): row["n"] for row in rows if row["kind"] == "risk"}
    head = style(bold=True, align="center", valign="vcenter", text_wrap=True)
    sheet.merge_range(top, left, top, left + 5, title_of("risks", page.story), head)
    for row, band in enumerate(reversed(bands), start=top + 1):
        sheet.write_string(row, left, band, head)
        for impact in range(1, 6):
            rag = zone(bands.index(band), impact)
            fmt = style(
                bg_color=TINT[rag], font_color=ON_TINT[rag], align="center", bold=True, border=1,
                border_color="#FFFFFF", num_format=f'"{SYMBOLS[rag]} "0',
            )  # fmt: skip
            if (found := n.get((band, impact))) is None:
                sheet.write_string(row, left + impact, SYMBOLS[rag], fmt)
            else:
                sheet.write_number(row, left + impact, found, fmt)
        page.height(row, LINE_HEIGHT + 3)
    for impact in range(1, 6):
        sheet.write_number(top + 6, left + impact, impact, head)
    sheet.write_string(top + 6, left, tr("Impact"), head)


def decisions(papers: Papers) -> None:
    """Write the decisions asked of this committee, then those that are open besides."""
    story = papers.story
    columns = [
        Column(tr("Project"), 8), Column(tr("Name"), 32), Column(tr("Decision"), 60),
        Column(tr("Asked of"), 24), Column(tr("Opened"), 11, "day"), Column(tr("Due"), 11, "day"),
    ]  # fmt: skip
    page = papers.page(
        tr("Decisions"), tr("Decisions asked"), [one.width for one in columns], topics=("decisions",)
    )

    def line(one: RegisterEntry) -> list[Any]:
        project = story.project(one.project_key)
        return [
            project.code if project else None, project.name if project else None, one.title, one.asked_of,
            one.opened_date, _due(one, story.as_of),
        ]  # fmt: skip

    if story.decisions:
        page.table(columns, [line(one) for one in story.decisions], "Decisions")
    else:
        page.text(tr("No decision is asked of this committee."))
    later = [one for one in story.register if one.kind == "decision" and one not in story.decisions]
    if later:
        page.heading(tr("Open, not asked for yet"))
        page.table(columns, [line(one) for one in later], "Later")
    page.finish()
