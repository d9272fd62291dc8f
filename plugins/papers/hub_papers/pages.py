"""Lay the story out in pages: what stands where, in which order; slides and HTML draw the same."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

import msgspec

from hub import (
    ARROWS,
    Move,
    RegisterEntry,
    Story,
    amount,
    day,
    rows_of,
    speaking,
    title_of,
    tr,
    trn,
    what_moved,
    written,
    zone,
)
from hub_papers.content import (
    Cell,
    Chart,
    Column,
    Page,
    Paper,
    Sentence,
    Sentences,
    Table,
    Tiles,
)
from hub_papers.look import word_of

MOST_ROWS = 12
"""Rows of a table that shows the first of many, at most."""
MOST_MOVES = 13
SPANS = 12
"""Projects in one picture of the roadmap: more would be too small to read."""
MOST_SPANS = 36
MOST_WEEKS = 13
MOST_MONTHS = 7
MOST_WATCHED = 6
MOST_ASKED = 5
_EFFORT = (
    "RAF.budget", "RAF.consomme", "RAF.raf", "RAF.a_terminaison", "RAF.derive", "RAF.avancement",
    "EVM_DAYS.pv", "EVM_DAYS.ev", "EVM_DAYS.cpi", "EVM_DAYS.spi",
)  # fmt: skip
_PROJECT = (
    "EVM_DAYS.cpi", "EVM_DAYS.spi", "RAF.consomme", "RAF.raf", "RAF.a_terminaison", "LANDING.landing",
    "LANDING.variance", "MILESTONE_SLIP.slip_days", "DQ_SCORE.score",
)  # fmt: skip
_TILES = ("EVM_DAYS.cpi", "EVM_DAYS.spi", "RISK.open_risks", "RISK.expected_exposure")


def paper(story: Story, *, project_pages: bool = True, most_projects: int = 30) -> Paper:
    """Return the pages of *story* in its language; with *project_pages* one for each of the worst."""
    with speaking(story.lang):
        found = [
            _synthesis(story), _portfolio(story), *_moved(story), _milestones(story), *_roadmap(story),
            _effort(story), _landing(story), *_forecasts(story), *_service(story), _load(story),
            _risks(story), _decisions(story), _confidence(story),
        ]  # fmt: skip
        if project_pages:
            shown = story.projects[:most_projects]
            found.extend(_project(story, one.key) for one in shown)
            left = len(story.projects) - len(shown)
            if left and shown:
                text = trn(
                    "{n} more project has no page of its own here: the worst come first.",
                    "{n} more projects have no page of their own here: the worst come first.", left,
                )  # fmt: skip
                found[1] = msgspec.structs.replace(found[1], lead=f"{found[1].lead} {text}".strip())
        when = tr("As of {day}", day=day(story.as_of))
        title = tr("Project portfolio") if story.is_now else story.label
        since = tr("compared with {before}", before=story.before) if story.before else ""
        count = trn("{n} project", "{n} projects", len(story.projects))
        return Paper(
            story=story, title=title, subtitle=" · ".join(filter(None, (when, count, since))),
            footer=f"{title} · {when}", pages=tuple(found),
        )  # fmt: skip


# ---------- cells ----------


def _weather(rag: str | None) -> Cell:
    return Cell(text=word_of(rag), rag=rag, filled=True) if rag else Cell(text="–")


def _trend(trend: str | None) -> Cell:
    words = {"better": tr("better"), "same": tr("stable"), "worse": tr("worse")}
    return Cell(text=f"{ARROWS[trend]} {words[trend]}" if trend in words else "–")


def _signed(value: float | None, unit: str, currency: str) -> str:
    """Return a change with its sign; none is shown as it is, without one."""
    shows = any(one in "123456789" for one in written(value, unit, currency))
    return written(value, unit, currency, signed=shows)


def _figure(story: Story, figures: Any, name: str, *, signed: bool = False) -> Cell:
    one = figures.get(name)
    if one is None or one.value is None:
        return Cell(text="–", figure=name)
    rag = one.rag if one.rag in {"red", "amber", "green"} else None
    text = (_signed if signed else written)(one.value, one.unit, story.currency)
    return Cell(text=text, rag=rag, figure=name)


def _date(value: Any) -> Cell:
    return Cell(text=day(value) or "–")


def _days(story: Story, value: float | None) -> Cell:
    return Cell(text=_signed(value, "duration", story.currency))


def _text(value: str | None) -> Cell:
    return Cell(text=value or "–")


def _said(story: Story, *topics: str) -> str:
    return " ".join(line.text for line in story.synthesis if line.topic in topics)


def _first(rows: Sequence[Any], most: int) -> str:
    """Return what a caption adds where only the first rows are shown."""
    return f" ({tr('{shown} of {n}', shown=most, n=len(rows))})" if len(rows) > most else ""


# ---------- pages ----------


def _synthesis(story: Story) -> Page:
    tiles = [
        (
            Cell(text=str(sum(1 for one in story.projects if one.weather == rag)), rag=rag, filled=True),
            word_of(rag),
        )
        for rag in ("red", "amber", "green")
        if any(one.weather for one in story.projects)
    ]
    tiles += [
        (_figure(story, story.totals, name), story.totals[name].caption)
        for name in _TILES if name in story.totals and story.totals[name].value is not None
    ]  # fmt: skip
    lines = [Sentence(text=line.text, rag=line.rag) for line in story.synthesis]
    if not lines:
        lines = [
            Sentence(text=tr("No weather, figure or milestone is known yet: sync the tools and publish."))
        ]
    right = (*_watched(story), *_asked(story))
    return Page(
        name="synthesis", title=tr("Summary"), top=(Tiles(tiles=tuple(tiles)),) if tiles else (),
        left=(Sentences(lines=tuple(lines)),), right=right, share=0.5,
    )  # fmt: skip


def _watched(story: Story) -> tuple[Table, ...]:
    """Return the reddest projects with the reason; nothing where none is red or amber."""
    found = [one for one in story.projects if one.weather in {"red", "amber"}]
    columns = (
        Column(name=tr("Project"), share=1.4), Column(name=tr("Weather"), align="center"),
        Column(name=tr("Why"), share=2.2),
    )  # fmt: skip
    rows = tuple(
        (Cell(text=one.called), _weather(one.weather), _text(one.reason or one.commentary))
        for one in found[:MOST_WATCHED]
    )
    caption = tr("Projects to look at") + _first(found, MOST_WATCHED)
    return (Table(caption=caption, columns=columns, rows=rows, empty=""),) if rows else ()


def _asked(story: Story) -> tuple[Table, ...]:
    """Return the first decisions asked; nothing where none is."""
    columns = (
        Column(name=tr("Project"), align="center"), Column(name=tr("Decision"), share=2.6),
        Column(name=tr("Due"), align="right"),
    )  # fmt: skip
    rows = tuple(
        (_text(story.code_of(one.project_key)), Cell(text=one.title), _date(one.due_date))
        for one in story.decisions[:MOST_ASKED]
    )
    caption = tr("Decisions asked") + _first(story.decisions, MOST_ASKED)
    return (Table(caption=caption, columns=columns, rows=rows, empty=""),) if rows else ()


def _portfolio(story: Story) -> Page:
    columns = (
        Column(name=tr("Code"), align="center"), Column(name=tr("Project")),
        Column(name=tr("Declared"), align="center"), Column(name=tr("Computed"), align="center"),
        Column(name=tr("Trend"), align="center"), Column(name=tr("Progress"), align="right"),
        Column(name="CPI", align="right", is_spare=True), Column(name=tr("Slip"), align="right"),
        Column(name=tr("Landing"), align="right", is_spare=True),
        Column(name=tr("Variance"), align="right"), Column(name=tr("Why"), share=1.3, is_spare=True),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(text=one.code), Cell(text=one.name), _weather(one.declared), _weather(one.computed),
            Cell(text=ARROWS.get(one.trend or "", "–")), _figure(story, one.figures, "RAF.avancement"),
            _figure(story, one.figures, "EVM_DAYS.cpi"),
            _figure(story, one.figures, "MILESTONE_SLIP.slip_days", signed=True),
            _figure(story, one.figures, "LANDING.landing"),
            _figure(story, one.figures, "LANDING.variance", signed=True), _text(one.reason),
        )
        for one in story.projects
    )  # fmt: skip
    first = next((line.text for line in story.synthesis if line.topic in {"weather", "unknown"}), "")
    return Page(
        name="portfolio", title=tr("Portfolio"), lead=first,
        left=(Table(caption=tr("Weather and figures of the projects"), columns=columns, rows=rows,
                    empty=tr("No project is known yet.")),),
    )  # fmt: skip


def _chosen(moves: Sequence[Move], most: int) -> list[Move]:
    """Return the weightiest moves, with some of every topic."""
    topics = [list(group) for _, group in groupby(moves, key=lambda one: one.topic)]
    kept: list[Move] = []
    for rank in range(most):
        kept.extend(topic[rank] for topic in topics if rank < len(topic))
    kept = kept[:most]
    return [one for one in moves if any(one is other for other in kept)]


def _move_row(story: Story, one: Move, *, with_project: bool) -> tuple[Cell, ...]:
    topics = {
        "milestone": tr("Milestone"), "budget": tr("Budget"), "effort": tr("Effort"), "risk": tr("Risk"),
        "scope": tr("Scope"),
    }  # fmt: skip
    if one.unit == "date":
        before, after = _date(one.before_date), _date(one.after_date)
        delta = _days(story, one.delta)
    elif one.topic == "scope":
        before = after = Cell(text="–")
        delta = Cell(text=_signed(one.delta, one.unit, story.currency))
    else:
        before, after = (
            Cell(text=written(value, one.unit, story.currency))
            for value in (one.before_value, one.after_value)
        )
        delta = Cell(text=_signed(one.delta, one.unit, story.currency))
    project = (_text(story.code_of(one.project_key)),) if with_project else ()
    about = Cell(text=topics.get(one.topic, one.topic))
    return (about, *project, Cell(text=what_moved(one)), before, after, delta)


def _moves_table(
    story: Story, moves: Sequence[Move], caption: str, empty: str, most: int = MOST_MOVES, *,
    with_project: bool = True,
) -> Table:  # fmt: skip
    project = (Column(name=tr("Project"), align="center"),) if with_project else ()
    columns = (
        Column(name=tr("About"), align="center"), *project, Column(name=tr("What"), share=3),
        Column(name=tr("Before"), align="right"), Column(name=tr("After"), align="right"),
        Column(name=tr("Change"), align="right"),
    )  # fmt: skip
    return Table(
        caption=caption + _first(moves, most), columns=columns, empty=empty,
        rows=tuple(_move_row(story, one, with_project=with_project) for one in _chosen(moves, most)),
    )  # fmt: skip


def _moved(story: Story) -> Iterable[Page]:
    if story.before is None:
        empty = tr("There is no committee before this one to compare with: take a cut with `hub cut take`.")
    else:
        empty = tr("Nothing moved since {before}.", before=story.before)
    news = [one for one in story.moves if one.cause == "news"]
    rest = [one for one in story.moves if one.cause != "news"]
    since = tr("since {before}", before=story.before) if story.before else ""
    title = tr("What moved")
    yield Page(
        name="moved", title=f"{title} {since}".strip(), lead=_said(story, "trend"),
        left=(_moves_table(story, news, tr("News: it happened since then"), empty),),
    )  # fmt: skip
    if rest:
        caption = tr("Corrections: it was already so, and is told late")
        yield Page(
            name="corrected", title=tr("What was corrected {since}", since=since).strip(),
            left=(_moves_table(story, rest, caption, empty),),
        )  # fmt: skip


def _milestone_table(story: Story, most: int, *, with_project: bool) -> Table:
    open_ones = [one for one in story.milestones if one.state != "done"]
    chosen = sorted(open_ones, key=lambda one: one.state != "late")
    states = {
        "late": Cell(text=tr("Late"), rag="red", filled=True), "open": Cell(text=tr("To come")),
        "done": Cell(text=tr("Done"), rag="green", filled=True),
    }  # fmt: skip
    columns = [
        Column(name=tr("Milestone"), share=2), Column(name=tr("Baseline"), align="right"),
        Column(name=tr("Expected"), align="right"), Column(name=tr("Slip"), align="right"),
        Column(name=tr("State"), align="center"),
    ]  # fmt: skip
    rows = [
        [_text(one.title), _date(one.baseline), _date(one.finish), _days(story, one.slip_days),
         states[one.state]]
        for one in chosen[:most]
    ]  # fmt: skip
    if with_project:
        columns.insert(0, Column(name=tr("Project"), align="center"))
        for row, one in zip(rows, chosen, strict=False):
            row.insert(0, _text(story.code_of(one.project_key)))
    return Table(
        caption=tr("Late milestones, then the next ones") + _first(chosen, most), columns=tuple(columns),
        rows=tuple(tuple(row) for row in rows), empty=tr("No milestone is open."),
    )  # fmt: skip


def _milestones(story: Story) -> Page:
    return Page(
        name="milestones", title=tr("Milestones"), lead=_said(story, "milestones"),
        left=(Chart(name="slips", story=story, empty=tr(
            "No slip can be drawn: milestones have no baseline, or no cut was taken.")),),
        right=(_milestone_table(story, MOST_ROWS, with_project=True),),
        share=0.44, kpis=("MILESTONE_SLIP.slip_days",),
    )  # fmt: skip


def _roadmap(story: Story) -> Iterable[Page]:
    known = {one.key for one in story.projects}
    spans = tuple(one for one in story.roadmap if one.project_key in known)
    parts = [spans[at : at + SPANS] for at in range(0, min(len(spans), MOST_SPANS), SPANS)] or [()]
    for number, part in enumerate(parts, 1):
        narrowed = msgspec.structs.replace(story, roadmap=part)
        lead = (
            tr("{shown} of {n} {n:project|projects} with a plan, the worst "
                "first.", shown=MOST_SPANS, n=len(spans))
            if len(spans) > MOST_SPANS else ""
        )  # fmt: skip
        yield Page(
            name="roadmap", title=tr("Roadmap") + f" ({number})" * (number > 1), lead=lead,
            left=(Chart(name="roadmap", story=narrowed,
                        empty=tr("No roadmap can be drawn: no project has planned dates.")),),
        )  # fmt: skip


def _figures_table(story: Story, figures: Any, names: Iterable[str], caption: str) -> Table:
    rows = tuple(
        (Cell(text=figures[name].caption), _figure(story, figures, name))
        for name in names if name in figures and figures[name].value is not None
    )  # fmt: skip
    return Table(
        caption=caption, columns=(Column(name=tr("Figure")), Column(name=tr("Value"), align="right")),
        rows=rows, empty=tr("No figure is known."),
    )  # fmt: skip


def _totals_table(story: Story, names: Iterable[str], caption: str) -> Table:
    """Return figures of the whole, each with how many projects it is of: not all have a baseline."""
    alone = _figures_table(story, story.totals, names, caption)
    rows = tuple(
        (*row, Cell(text=str(sum(1 for one in story.projects if one.value(row[1].figure or "") is not None))))
        for row in alone.rows
    )
    counted = Column(name=tr("Projects"), align="right")
    return msgspec.structs.replace(alone, columns=(*alone.columns, counted), rows=rows)


def _effort(story: Story) -> Page:
    return Page(
        name="effort", title=tr("Effort"), lead=_said(story, "effort"),
        left=(Chart(name="s_curve", story=story, empty=tr(
            "No S-curve can be drawn: no work has a baseline with planned dates and effort.")),),
        right=(_totals_table(story, _EFFORT, tr("Effort of the portfolio")),),
        share=0.62, kpis=("EVM_DAYS.pv", "EVM_DAYS.ev", "EVM_DAYS.ac"),
    )  # fmt: skip


def _landing(story: Story) -> Page:
    known = [
        one for one in story.projects
        if one.value("LANDING.landing") is not None and one.value("LANDING.budget") is not None
    ]  # fmt: skip
    known.sort(key=lambda one: -abs(one.value("LANDING.variance") or 0.0))
    columns = (
        Column(name=tr("Project"), align="center"),
        Column(name=tr("Budget"), align="right", is_spare=True),
        Column(name=tr("Landing"), align="right"), Column(name=tr("Variance"), align="right"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(text=one.code), _figure(story, one.figures, "LANDING.budget"),
            _figure(story, one.figures, "LANDING.landing"),
            _figure(story, one.figures, "LANDING.variance", signed=True),
        )
        for one in known[:MOST_ROWS]
    )  # fmt: skip
    empty = tr("No landing is known: no project has both a budget and a forecast of what is left to spend.")
    return Page(
        name="landing", title=tr("Budget and landing"), lead=_said(story, "money"),
        left=(Chart(name="waterfall", story=story, empty=empty),),
        right=(Table(caption=tr("The largest variances") + _first(known, MOST_ROWS), columns=columns,
                     rows=rows, empty=tr("No variance can be shown.")),),
        share=0.6,
    )  # fmt: skip


def _forecasts(story: Story) -> Iterable[Page]:
    """Yield a page of when projects end with which chance, and how often that was right; of now alone."""
    if not rows_of("forecast", story):
        return
    told = {one.project_key: one for one in story.forecasts if one.is_now}
    known = [one for one in story.projects if one.key in told and told[one.key].p50]
    endless = sum(1 for one in told.values() if one.p50 is None)
    columns = (
        Column(name=tr("Project"), align="center"), Column(name="P50", align="right"),
        Column(name="P80", align="right"), Column(name=tr("Baseline"), align="right", is_spare=True),
        Column(name=tr("Baseline held"), align="right"),
        Column(name=tr("Cost P80"), align="right"),
        Column(name=tr("Budget held"), align="right"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(text=one.code), _date(said.p50), _date(said.p80), _date(said.baseline),
            _figure(story, one.figures, "FORECAST_FINISH.chance_baseline"),
            _figure(story, one.figures, "FORECAST_COST.p80"),
            _figure(story, one.figures, "FORECAST_COST.chance_budget"),
        )
        for one in known[:MOST_ROWS] for said in (told[one.key],)
    )  # fmt: skip
    held = story.value("FORECAST_HIT_RATE.p80.finish")
    lead = (
        tr("Of the P80 days of earlier forecasts that have come, {share} held.", share=written(
            held, "share", story.currency))
        if held is not None
        else tr("No day of an earlier forecast has come yet: the forecasts are wider for that.")
    )  # fmt: skip
    if endless:
        lead += " " + trn(
            "{n} project has no end in sight: its work comes in as fast as it gets done.",
            "{n} projects have no end in sight: their work comes in as fast as it gets done.", endless,
        )  # fmt: skip
    none = tr("Nothing can be forecast.")
    yield Page(
        name="forecasts", title=tr("Forecasts"), lead=lead,
        left=(Chart(name="forecast", story=story, empty=none),),
        right=(Table(caption=tr("Finish and cost with their chances") + _first(known, MOST_ROWS),
                     columns=columns, rows=rows, empty=none),),
        share=0.5, kpis=("FORECAST_FINISH.p80", "FORECAST_COST.p80", "FORECAST_HIT_RATE.p80"),
    )  # fmt: skip


def _service(story: Story) -> Iterable[Page]:
    """Yield a page of what was delivered and of SLAs, where anything of them is known."""
    if not (rows_of("burn_up", story) or rows_of("sla", story)):
        return
    yield Page(
        name="service", title=tr("Delivery and service"),
        left=(Chart(name="burn_up", story=story, empty=tr("No points are estimated.")),),
        right=(Chart(name="sla", story=story, empty=tr("No SLA is measured.")),),
    )  # fmt: skip


def _load(story: Story) -> Page:
    rows = rows_of("load", story)
    weeks = list(dict.fromkeys(row["week"] for row in rows))[:MOST_WEEKS]
    cells = {(row["team"], row["week"]): row for row in rows}
    teams = sorted({row["team"] for row in rows})

    def cell(team: str, week: str) -> Cell:
        row = cells.get((team, week))
        if row is None:
            return Cell(text="–")
        load = row["load"]
        rag = "red" if load > 1.2 else "amber" if load > 1 else None
        return Cell(text=row["shown"], rag=rag, filled=rag is not None, figure="LOAD_TEAM.load")

    columns = (
        Column(name=tr("Team"), share=2),
        *(Column(name=week, align="center", is_spare=place > 3) for place, week in enumerate(weeks)),
    )  # fmt: skip
    table = Table(
        caption=tr("Share of each week's hours that is allocated; above 100% is too much"),
        columns=columns,
        rows=tuple((Cell(text=team), *(cell(team, week) for week in weeks)) for team in teams),
        empty=tr(
            "No load can be shown: no team has allocations, or too few people stand behind a week."
        ),
    )  # fmt: skip
    beside = (_months(story),) if not rows and story.months else ()
    return Page(name="load", title=title_of("load", story), lead=_said(story, "load"), left=(table, *beside))


def _months(story: Story) -> Table:
    """Return the hours planned by project in the months at hand: what is left to see where no week is."""
    months = [
        one for one in sorted({one.month for one in story.months}) if one >= story.as_of.replace(day=1)
    ][:MOST_MONTHS]
    hours = {(one.project_key, one.month): one.planned_h for one in story.months if one.planned_h}
    sums = {one.key: sum(hours.get((one.key, month), 0.0) for month in months) for one in story.projects}
    found = sorted((one for one in story.projects if sums[one.key]), key=lambda one: -sums[one.key])
    form = "%m/%Y" if story.lang == "fr" else "%Y-%m"
    columns = (
        Column(name=tr("Project"), share=2.4),
        *(Column(name=f"{month:{form}}", align="right") for month in months),
    )
    rows = tuple(
        (
            Cell(text=one.called),
            *(Cell(text=written(hours.get((one.key, month)), "hours", story.currency)) for month in months),
        )
        for one in found[:MOST_ROWS]
    )
    caption = tr("Hours planned by project and month, the fullest first") + _first(found, MOST_ROWS)
    return Table(caption=caption, columns=columns, rows=rows, empty=tr("No hours are planned."))


def _matrix(story: Story) -> Table:
    rows = rows_of("risks", story)
    bands = list(dict.fromkeys(row["band"] for row in rows))
    counted = {(row["impact"], row["band"]): row["n"] for row in rows if row["kind"] == "risk"}
    body = [
        (
            Cell(text=band),
            *(
                Cell(text=str(counted.get((impact, band), "")), rag=zone(place, impact), filled=True)
                for impact in range(1, 6)
            ),
        )
        for place, band in enumerate(bands)
    ]
    names = [tr("Probability"), *(tr("Impact {n}", n=impact) for impact in range(1, 6))]
    return Table(
        caption=title_of("risks", story), is_matrix=True, rows=tuple(reversed(body)),
        columns=tuple(Column(name=name, align="center") for name in names),
        empty=tr("No risk has both a probability and an impact."),
    )  # fmt: skip


def _risk_table(story: Story, found: Sequence[RegisterEntry], most: int, *, with_project: bool) -> Table:
    columns = [
        Column(name=tr("Risk"), share=3), Column(name=tr("Prob."), align="right"),
        Column(name=tr("Impact"), align="right"), Column(name=tr("Exposure"), align="right"),
        Column(name=tr("Due"), align="right"),
    ]  # fmt: skip
    rows = [
        [_text(one.title), Cell(text=written(one.probability, "share", story.currency)),
         Cell(text="–" if one.impact is None else str(one.impact)),
         Cell(text=amount(one.expected, story.currency)), _date(one.due_date)]
        for one in found[:most]
    ]  # fmt: skip
    if with_project:
        columns.insert(0, Column(name=tr("Project"), align="center"))
        for row, one in zip(rows, found, strict=False):
            row.insert(0, _text(story.code_of(one.project_key)))
    return Table(
        caption=tr("The heaviest risks") + _first(found, most), columns=tuple(columns),
        rows=tuple(tuple(row) for row in rows), empty=tr("No risk is open."),
    )  # fmt: skip


def _heaviest(story: Story) -> list[RegisterEntry]:
    return sorted(
        (one for one in story.register if one.kind == "risk"),
        key=lambda one: (-(one.score or 0.0), -(one.expected or 0.0), one.title, one.project_key),
    )


def _risks(story: Story) -> Page:
    return Page(
        name="risks", title=tr("Risks"), lead=_said(story, "risks"), left=(_matrix(story),),
        right=(_risk_table(story, _heaviest(story), 10, with_project=True),), share=0.4,
    )  # fmt: skip


def _decisions(story: Story) -> Page:
    columns = (
        Column(name=tr("Project"), align="center"), Column(name=tr("Decision"), share=3),
        Column(name=tr("Asked of"), share=1.2), Column(name=tr("Due"), align="right"),
        Column(name=tr("Open since"), align="right"),
    )  # fmt: skip
    rows = tuple(
        (_text(story.code_of(one.project_key)), _text(one.title), _text(one.asked_of), _date(one.due_date),
         _date(one.opened_date))
        for one in story.decisions[:MOST_ROWS]
    )  # fmt: skip
    table = Table(
        caption=tr("Decisions asked of the committee") + _first(story.decisions, MOST_ROWS), columns=columns,
        rows=rows, empty=tr("No decision is asked of this committee."),
    )  # fmt: skip
    return Page(name="decisions", title=tr("Decisions asked"), lead=_said(story, "decisions"), left=(table,))


def _confidence(story: Story) -> Page:
    words = {"high": tr("high"), "medium": tr("medium"), "low": tr("low")}
    colours = {"medium": "amber", "low": "red"}
    weak = sorted(
        (one for one in story.projects if one.confidence in {"low", "medium"}),
        key=lambda one: one.confidence != "low",
    )
    columns = (
        Column(name=tr("Code"), align="center"), Column(name=tr("Project")),
        Column(name=tr("Confidence"), align="center"), Column(name=tr("Because of"), share=1.6),
        Column(name=tr("Quality"), align="right"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(text=one.code), Cell(text=one.name),
            Cell(text=words[str(one.confidence)], rag=colours[str(one.confidence)], filled=True),
            _text(one.confidence_reason), _figure(story, one.figures, "DQ_SCORE.score"),
        )
        for one in weak[:MOST_ROWS]
    )  # fmt: skip
    table = Table(
        caption=tr("Projects whose figures deserve less trust") + _first(weak, MOST_ROWS), columns=columns,
        rows=rows, empty=tr("No project's figures are of low or medium confidence."),
    )  # fmt: skip
    if not story.is_now:
        lines = [Sentence(text=tr("Everything here was recorded with the cut {label}.", label=story.label))]
        if story.missing:
            late = tr("Late at this cut: {names}.", names=", ".join(story.missing))
            lines.append(Sentence(text=late, rag="red"))
    elif story.complete:
        lines = [Sentence(text=tr("Every source was read whole."), rag="green")]
    else:
        lines = [Sentence(text=one, rag="red") for one in story.missing] or [
            Sentence(text=tr("Data is incomplete."), rag="red")
        ]
    read = tuple(Sentence(text=one) for one in story.sources)
    right = [Sentences(lines=tuple(lines), caption=tr("Completeness"))]
    if read:
        right.append(Sentences(lines=read, caption=tr("Sources and their last complete sync")))
    return Page(
        name="confidence", title=tr("Confidence and sources"), lead=_said(story, "confidence"), left=(table,),
        right=tuple(right), share=0.64,
    )  # fmt: skip


def _project(story: Story, key: int) -> Page:
    own = story.of(key)
    one = own.projects[0]
    confidence = {"high": tr("high"), "medium": tr("medium"), "low": tr("low")}.get(one.confidence or "", "–")
    facts = [
        (_weather(one.declared), tr("Declared")), (_weather(one.computed), tr("Computed")),
        (_trend(one.trend), tr("Trend")), (Cell(text=confidence), tr("Confidence")),
        (_figure(story, one.figures, "RAF.avancement"), tr("Progress")),
    ]  # fmt: skip
    words = [
        Sentence(text=tr("Why: {reason}", reason=one.reason), rag=one.computed) if one.reason else None,
        Sentence(text=one.commentary) if one.commentary else None,
    ]
    nothing = (
        tr("Nothing moved since {before}.", before=story.before) if story.before
        else tr("There is no committee before this one to compare with.")
    )  # fmt: skip
    said = tuple(filter(None, words)) or (Sentence(text=tr("Nobody has written a comment.")),)
    moved = _moves_table(
        own,
        [move for move in own.moves if move.cause == "news"],
        tr("What moved"),
        nothing,
        2,
        with_project=False,
    )
    return Page(
        name=f"project-{one.code}", title=f"{one.code} {one.name}",
        lead=" · ".join(filter(None, (one.portfolio, one.program, one.phase))),
        top=(Tiles(tiles=tuple(facts)),),
        left=(_figures_table(story, one.figures, _PROJECT, tr("Figures")), moved),
        right=(
            Sentences(lines=said, caption=tr("In words")),
            _milestone_table(own, 3, with_project=False),
            _risk_table(own, _heaviest(own), 2, with_project=False),
        ),
        share=0.48,
    )  # fmt: skip
