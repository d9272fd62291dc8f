"""The portfolio: how it stands, what the committee reads first, and every project with its figures."""

from __future__ import annotations

from typing import Any

from hub import alternative, chart, day, title_of, tr, trn, written
from hub_serve.pages.asked import Asked
from hub_serve.pages.blocks import (
    Block,
    Cell,
    Chart,
    Column,
    Field,
    Form,
    Lines,
    Page,
    Section,
    Table,
    Tile,
    Tiles,
    date_of,
    figure,
    trend,
    weather,
    word_of,
    words,
)

_TILES = ("EVM_DAYS.cpi", "EVM_DAYS.spi", "RAF.raf", "LANDING.variance", "RISK.open_risks", "DQ_SCORE.score")


def charts(asked: Asked, names: tuple[str, ...], *, project: Any = None) -> list[Block]:
    """Return the pictures *names* of the portfolio or one project that have something to draw."""
    story = asked.story.of(project.key) if project else asked.story
    code = project.code if project else None
    return [
        Chart(
            src=asked.to(f"/charts/{name}.svg", project=code, lang=asked.lang),
            title=title_of(name, story),
            alt=alternative(name, story),
        )
        for name in names
        if chart(name, story) is not None
    ]


def sentences(asked: Asked) -> list[Block]:
    """Return the synthesis."""
    lines = [Cell(text=line.text, rag=line.rag) for line in asked.story.synthesis]
    return [Lines(lines=lines)] if lines else []


def portfolio(asked: Asked) -> Page:
    """Return the page of the portfolio; ``?program=`` and ``?weather=`` narrow its table."""
    story = asked.story
    shown, form = _narrowed(asked)
    first = next((line.text for line in story.synthesis if line.topic == "weather"), "")
    sections = [
        Section(id="summary", title=tr("Summary"), blocks=[_tiles(asked), *sentences(asked)]),
        Section(id="projects", title=tr("Projects"), blocks=[form, _table(asked, shown)]),
    ]
    if drawn := charts(asked, ("roadmap", "slips", "waterfall", "s_curve", "risks")):
        sections.append(
            Section(
                id="pictures",
                title=tr("Pictures"),
                blocks=drawn[::2],
                beside=drawn[1::2],
            )
        )
    since = tr(", compared with {before}", before=story.before) if story.before else ""
    return Page(
        place="/",
        title=tr("Portfolio"),
        sections=sections,
        lead=tr("As of {day}{since}. {text}", day=day(story.as_of), since=since, text=first).strip(),
    )


def _tiles(asked: Asked) -> Tiles:
    story = asked.story
    found = [
        Tile(
            cell=Cell(text=str(n), rag=rag, chip=True, href=asked.to("/", weather=rag) + "#projects"),
            label=word_of(rag),
        )
        for rag, n in story.weather.items()
        if n
    ]
    found += [
        Tile(
            cell=figure(
                story.totals,
                name,
                story.currency,
                sign=name == "LANDING.variance",
                href=asked.to(f"/figures/{name.partition('.')[0]}"),
            ),
            label=story.totals[name].caption,
        )
        for name in _TILES
        if name in story.totals and story.totals[name].value is not None
    ]
    return Tiles(tiles=found)


def _narrowed(asked: Asked) -> tuple[list[Any], Form]:
    projects = list(asked.story.projects)
    programs = sorted({one.program for one in projects if one.program})
    program, rag = asked.query.get("program", ""), asked.query.get("weather", "")
    if program:
        projects = [one for one in projects if one.program == program]
    if rag:
        projects = [one for one in projects if (one.weather or "grey") == rag]
    every = ("", tr("All"))
    form = Form(
        action="/",
        button=tr("Show"),
        hidden=[("cut", asked.cut)] if asked.cut else [],
        fields=[
            Field(
                name="program",
                label=tr("Program"),
                value=program,
                options=[every, *((one, one) for one in programs)],
            ),
            Field(
                name="weather",
                label=tr("Weather"),
                value=rag,
                options=[every, *((one, word_of(one)) for one in ("red", "amber", "green", "grey"))],
            ),
        ],
        clear=asked.to("/") + "#projects" if program or rag else None,
    )
    return projects, form


def _table(asked: Asked, projects: list[Any]) -> Table:
    story = asked.story
    columns = (
        Column(name=tr("Project"), wide=True),
        Column(name=tr("Declared"), align="center"),
        Column(name=tr("Computed"), align="center"),
        Column(name=tr("Trend")),
        Column(name=tr("Progress"), align="right"),
        Column(name="CPI", align="right"),
        Column(name="SPI", align="right", spare=True),
        Column(name=tr("Slip"), align="right"),
        Column(name=tr("Variance"), align="right"),
        Column(name=tr("Next milestone"), spare=True),
        Column(name=tr("Why"), wide=True, spare=True),
    )
    rows = [_row(asked, one) for one in projects]
    n = len(rows)
    return (
        Table(
            caption=trn("{n} project, the reddest first", "{n} projects, the reddest first", n),
            columns=columns,
            rows=rows,
            empty=tr("No project is known yet, or none is as you ask."),
            sortable=True,
            dense=True,
        )
        if story.projects
        else Table(
            caption=tr("Projects"),
            columns=columns,
            rows=[],
            empty=tr("No project is known yet: sync the tools and publish.")
            if asked.sees_all
            else tr("access.csv allows you no project of this feed."),
        )
    )


def _row(asked: Asked, one: Any) -> list[Cell]:
    story = asked.story
    to = asked.to(f"/projects/{one.code}")
    progress = one.figures.get("RAF.avancement")
    share = progress.value if progress else None
    milestone = story.next_milestone(one.key)
    return [
        Cell(text=one.name, href=to, note=" · ".join(filter(None, (one.code, one.program))), order=one.code),
        weather(one.declared),
        weather(one.computed),
        _trend(one),
        Cell(text=written(share, "share", story.currency), bar=share, order=-1 if share is None else share),
        figure(one.figures, "EVM_DAYS.cpi", story.currency),
        figure(one.figures, "EVM_DAYS.spi", story.currency),
        figure(one.figures, "MILESTONE_SLIP.slip_days", story.currency, sign=True),
        figure(one.figures, "LANDING.variance", story.currency, sign=True),
        Cell(text=milestone.title, note=day(milestone.finish), order=date_of(milestone.finish).order)
        if milestone
        else Cell(order="9999"),
        words(one.reason),
    ]


def _trend(one: Any) -> Cell:
    found = trend(one.trend)
    note = tr("confidence: {level}", level=confidence(one).text) if one.confidence else ""
    return Cell(text=found.text, order=found.order, note=note)


def confidence(one: Any) -> Cell:
    """Return how far a project's figures can be trusted."""
    said = {"high": tr("high"), "medium": tr("medium"), "low": tr("low")}
    order = {"low": 0, "medium": 1, "high": 2}
    found = one.confidence or ""
    return Cell(text=said.get(found, "–"), order=order.get(found, 3))
