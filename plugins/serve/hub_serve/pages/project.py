"""One project: how it stands, its milestones, effort, money, risks, people, tasks, and what moved."""

from __future__ import annotations

from typing import Any

from hub import Story, amount, day, model, number, spoken_cell, tr, written
from hub_serve.pages.asked import Asked, NotThere
from hub_serve.pages.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Lines,
    Links,
    Page,
    Section,
    Table,
    Tile,
    Tiles,
    count,
    date_of,
    figure,
    month_of,
    signed,
    trend,
    weather,
    words,
)
from hub_serve.pages.moves import moves_table
from hub_serve.pages.portfolio import charts, confidence
from hub_serve.pages.register import risks
from hub_serve.pages.work import people, tasks

_TILES = (
    "RAF.avancement",
    "EVM_DAYS.cpi",
    "EVM_DAYS.spi",
    "MILESTONE_SLIP.slip_days",
    "LANDING.landing",
    "LANDING.variance",
    "RISK.open_risks",
    "DQ_SCORE.score",
)
_EFFORT = (
    "RAF.budget",
    "RAF.consomme",
    "RAF.raf",
    "RAF.a_terminaison",
    "RAF.derive",
    "RAF.avancement",
    "EVM_DAYS.bac",
    "EVM_DAYS.pv",
    "EVM_DAYS.ev",
    "EVM_DAYS.ac",
    "EVM_DAYS.cpi",
    "EVM_DAYS.spi",
    "CRITICAL.tasks",
    "CRITICAL.remaining",
    "DEADLINE.late",
    "FLOAT.slack_days",
)
_MONEY = (
    "LANDING.budget",
    "LANDING.landing",
    "LANDING.variance",
    "LANDING.committed",
    "LANDING.consumed",
    "EVM_AMOUNT.cpi",
    "EVM_AMOUNT.eac",
    "COST_PLAN.cost",
    "COST_PLAN.actual",
)


def project(asked: Asked, code: str) -> Page:
    """Return the page of the project with *code*. Raises `NotThere` where the reader sees none."""
    found = next((one for one in asked.story.projects if one.code == code), None)
    if found is None:
        raise NotThere
    story = asked.story.of(found.key)
    where = " · ".join(filter(None, (found.portfolio, found.program, found.phase)))
    return Page(
        place="/",
        title=found.called,
        lead=where,
        badge=weather(found.weather) if found.weather else None,
        above=[(tr("Portfolio"), asked.to("/"))],
        sections=[
            Section(
                id="summary",
                title=tr("Summary"),
                blocks=[_tiles(asked, found), *_said(asked, found)],
                beside=[_state(asked, found)],
            ),
            _milestones(asked, story, found),
            _effort(asked, story, found),
            _money(asked, story, found),
            risks(asked, story, found),
            *_service(asked, story, found),
            people(asked, found),
            _moved(asked, story),
            tasks(asked, found),
        ],
    )


def _tiles(asked: Asked, one: Any) -> Tiles:
    return Tiles(
        tiles=[
            Tile(
                cell=figure(
                    one.figures,
                    name,
                    asked.story.currency,
                    sign=name.endswith(("variance", "slip_days")),
                    href=rows_address(asked, name.partition(".")[0], one.code),
                ),
                label=one.figures[name].caption,
            )
            for name in _TILES
            if name in one.figures and one.figures[name].value is not None
        ]
    )


def rows_address(asked: Asked, kpi: str, code: str) -> str:
    """Return where the rows behind a KPI of a project are."""
    return asked.to(f"/figures/{kpi}/rows", project=code)


def _said(asked: Asked, one: Any) -> list[Block]:
    found: list[Block] = []
    lines = []
    if one.reason:
        lines.append(Cell(text=tr("Why this weather: {reason}", reason=one.reason), rag=one.weather))
    if one.is_contradicted:
        lines.append(Cell(text=tr("Declared green, computed red."), rag="red"))
    if one.commentary:
        lines.append(Cell(text=tr("The manager's word: {text}", text=one.commentary)))
    lines += [
        Cell(text=f"{_axis(said['axis'])}{tr(': ')}{said['comment']}", rag=said["rag"])
        for said in asked.listed("assessments", project=one.key)
        if said["comment"]
    ]
    if lines:
        found.append(Lines(lines=lines))
    return found


def _axis(name: str) -> str:
    return tr("Overall") if name.lower() == "overall" else name


def _state(asked: Asked, one: Any) -> Facts:
    milestone = asked.story.next_milestone(one.key)
    own = model().tables["dim_project"].columns
    facts = [
        (tr("Declared"), weather(one.declared)),
        (tr("Computed"), weather(one.computed)),
        (tr("Trend"), trend(one.trend)),
        (tr("Confidence"), Cell(text=confidence(one).text, note=one.confidence_reason or "")),
        (
            tr("Next milestone"),
            Cell(text=milestone.title, note=day(milestone.finish)) if milestone else Cell(),
        ),
        *(
            (
                own[name].fr if asked.lang == "fr" else own[name].en,
                words(
                    day(value)
                    if hasattr(value, "isoformat")
                    else number(value, ",g")
                    if isinstance(value, (int, float))
                    else str(value)
                ),
            )
            for name, value in one.fields.items()
            if value is not None and name in own
        ),
    ]
    return Facts(facts=facts)


def milestone_rows(asked: Asked, story: Story, *, with_project: bool) -> tuple[tuple[Column, ...], list[Any]]:
    """Return the milestones of a story: the late ones first, then those to come, then those reached."""
    order = {"late": 0, "open": 1, "done": 2}
    states = {
        "late": Cell(text=tr("Late"), rag="red", chip=True, order=0),
        "open": Cell(text=tr("To come"), order=1),
        "done": Cell(text=tr("Done"), rag="green", chip=True, order=2),
    }
    columns = [
        Column(name=tr("Milestone"), wide=True),
        Column(name=tr("State"), align="center"),
        Column(name=tr("Baseline"), align="right"),
        Column(name=tr("Expected"), align="right"),
        Column(name=tr("Slip"), align="right"),
    ]
    rows = []
    for one in sorted(story.milestones, key=lambda one: order[one.state]):
        row = [
            Cell(text=one.title, href=one.url, out=True),
            states[one.state],
            date_of(one.baseline),
            date_of(one.finish),
            Cell(text=signed(one.slip_days, "duration", story.currency), order=one.slip_days or 0),
        ]
        if with_project:
            name, to = asked.project(one.project_key)
            row.insert(1, Cell(text=name, href=to))
        rows.append(row)
    if with_project:
        columns.insert(1, Column(name=tr("Project")))
    return tuple(columns), rows


def _milestones(asked: Asked, story: Story, one: Any) -> Section:
    columns, rows = milestone_rows(asked, story, with_project=False)
    table = Table(
        caption=tr("Late milestones, then the next ones"),
        columns=columns,
        rows=rows,
        sortable=True,
        empty=tr("No milestone is known of this project."),
    )
    drawn = charts(asked, ("roadmap",), project=one)
    return Section(id="milestones", title=tr("Milestones"), blocks=[table, *drawn])


def figures_table(asked: Asked, one: Any, names: tuple[str, ...], caption: str) -> Table:
    """Return the figures *names* of a project, each with its goal, its coverage and the way to its rows."""
    rows = [
        [
            Cell(text=fig.caption, href=asked.to(f"/figures/{fig.kpi}")),
            figure(one.figures, name, asked.story.currency),
            Cell(text=written(fig.target, fig.unit, asked.story.currency)),
            Cell(text=written(fig.coverage, "share", asked.story.currency)),
            Cell(text=tr("Rows"), href=rows_address(asked, fig.kpi, one.code), note=""),
        ]
        for name in names
        if (fig := one.figures.get(name)) is not None and fig.value is not None
    ]
    columns = (
        Column(name=tr("Figure"), wide=True),
        Column(name=tr("Value"), align="right"),
        Column(name=tr("Goal"), align="right", spare=True),
        Column(name=tr("Coverage"), align="right", spare=True),
        Column(name=tr("Behind it"), align="center"),
    )
    return Table(caption=caption, columns=columns, rows=rows, empty=tr("No figure is known."))


def _effort(asked: Asked, story: Story, one: Any) -> Section:
    months = [month for month in story.months if month.project_key == one.key]
    blocks: list[Block] = [figures_table(asked, one, _EFFORT, tr("Effort of the project"))]
    if months:
        blocks.append(
            Table(
                caption=tr("Hours by month, planned in the workload plan and spent"),
                columns=(
                    Column(name=tr("Month")),
                    Column(name=tr("Planned"), align="right"),
                    Column(name=tr("Spent"), align="right"),
                ),
                rows=[
                    [month_of(month.month), count(month.planned_h), count(month.spent_h)] for month in months
                ],
                empty="",
            )
        )
    return Section(
        id="effort",
        title=tr("Effort"),
        blocks=blocks,
        beside=charts(asked, ("s_curve", "burn_up"), project=one),
    )


def _money(asked: Asked, story: Story, one: Any) -> Section:
    rows = [
        [
            Cell(
                text=spoken_cell("category", line["category"] or "–"),
                note=tr("investment") if line["is_capex"] else "",
            ),
            *(
                Cell(text=amount(line[name], story.currency), order=line[name] or 0)
                for name in ("baseline", "revised", "committed", "consumed", "forecast")
            ),
        ]
        for line in asked.listed("budget", project=one.key)
    ]
    columns = (
        Column(name=tr("Category")),
        Column(name=tr("Baseline"), align="right"),
        Column(name=tr("Revised budget"), align="right", spare=True),
        Column(name=tr("Committed"), align="right"),
        Column(name=tr("Consumed"), align="right"),
        Column(name=tr("Forecast"), align="right"),
    )
    return Section(
        id="money",
        title=tr("Money"),
        blocks=[
            figures_table(asked, one, _MONEY, tr("Money of the project")),
            Table(
                caption=tr("Budget by category"),
                columns=columns,
                rows=rows,
                empty=tr("No budget is known of this project."),
            ),
        ],
        beside=charts(asked, ("waterfall",), project=one),
    )


def _service(asked: Asked, story: Story, one: Any) -> list[Section]:
    drawn = charts(asked, ("sla",), project=one)
    if not drawn:
        return []
    to = asked.to("/service")
    return [
        Section(
            id="service",
            title=tr("Service levels"),
            blocks=[*drawn, Links(links=[(tr("RUN and service levels of all projects"), to)])],
        )
    ]


def _moved(asked: Asked, story: Story) -> Section:
    empty = (
        tr("Nothing moved since {before}.", before=story.before)
        if story.before
        else tr("There is no committee before this one to compare with.")
    )
    since = tr("since {before}", before=story.before) if story.before else ""
    return Section(
        id="moved",
        title=f"{tr('What moved')} {since}".strip(),
        blocks=[moves_table(asked, story.moves, tr("What moved in this project"), empty, with_project=False)],
    )
