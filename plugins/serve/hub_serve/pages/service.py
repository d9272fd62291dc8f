"""RUN and service levels: what comes in and is solved, SLAs by month, and every clock that was breached."""

from __future__ import annotations

from datetime import date

from hub import day, number, spoken_cell, tr, written
from hub_serve.pages.asked import Asked, hours
from hub_serve.pages.blocks import Cell, Column, Page, Section, Table, capital, count, date_of, month_of
from hub_serve.pages.portfolio import charts
from hub_serve.pages.project import rows_address


def service(asked: Asked) -> Page:
    """Return the page of RUN and service levels."""
    return Page(
        place="/service",
        title=tr("RUN and service levels"),
        sections=[_levels(asked), _demand(asked), _breaches(asked)],
        lead=tr("What users ask for and report, and whether it was answered in time."),
    )


def _levels(asked: Asked) -> Section:
    story = asked.story
    last: dict[tuple[int | None, str], list[float]] = {}
    for one in story.sla:
        last.setdefault((one.project, one.metric), []).append(one.compliance)
    target = next(
        (
            figure.target
            for figures in [story.totals, *(one.figures for one in story.projects)]
            for name, figure in figures.items()
            if name.startswith("SLA.compliance") and figure.target
        ),
        None,
    )
    rows = []
    for key, metric in last:
        name, to = asked.project(key)
        latest = next(one for one in reversed(story.sla) if (one.project, one.metric) == (key, metric))
        project = story.project(key) if key is not None else None
        if key is not None and project is None:
            continue
        rag = None if target is None else "green" if latest.compliance >= target else "red"
        rows.append(
            [
                Cell(text=name if project else tr("All projects"), href=to),
                Cell(text=spoken_cell("metric", metric)),
                month_of(latest.month),
                Cell(text=number(latest.compliance, ".0%"), rag=rag, order=latest.compliance),
                Cell(text=written(target, "share", "")),
                count(latest.met),
                count(latest.measured),
                Cell(text=tr("Rows"), href=rows_address(asked, "SLA", project.code)) if project else Cell(),
            ]
        )
    table = Table(
        caption=tr("SLA compliance of the last month with a measure"),
        rows=rows,
        sortable=True,
        empty=tr("No SLA is measured: no tool keeps clocks, and sla_goals.csv sets no goal."),
        columns=(
            Column(name=tr("Project"), wide=True),
            Column(name=tr("Metric")),
            Column(name=tr("Month")),
            Column(name=tr("Kept"), align="right"),
            Column(name=tr("Goal"), align="right"),
            Column(name=tr("In time"), align="right", spare=True),
            Column(name=tr("Measured"), align="right", spare=True),
            Column(name=tr("Behind it"), align="center"),
        ),
    )
    return Section(id="levels", title=tr("Service levels"), blocks=[*charts(asked, ("sla",)), table])


def _demand(asked: Asked) -> Section:
    found: dict[date, dict[str, tuple[int, int]]] = {}
    natures = []
    for one in asked.listed("demand"):
        if one["nature"] not in natures:
            natures.append(one["nature"])
        found.setdefault(one["month"], {})[one["nature"]] = (one["raised"], one["done"])
    natures.sort()
    columns = [Column(name=tr("Month"))]
    for nature in natures:
        said = capital(spoken_cell("nature", nature))
        columns += [
            Column(name=tr("{nature}: raised", nature=said), align="right"),
            Column(name=tr("{nature}: done", nature=said), align="right"),
        ]
    rows = [
        [month_of(month), *(count(n) for nature in natures for n in by.get(nature, (0, 0)))]
        for month, by in found.items()
    ]
    return Section(
        id="demand",
        title=tr("Demand"),
        blocks=[
            Table(
                caption=tr("Incidents, requests, anomalies and evolutions by month"),
                columns=tuple(columns),
                rows=rows,
                empty=tr("No incident, request, anomaly or evolution is known."),
            )
        ],
    )


def _breaches(asked: Asked) -> Section:
    rows, pager = asked.paged("breaches", "/service")
    cells = []
    for one in rows:
        name, to = asked.project(one["project_key"])
        cells.append(
            [
                Cell(text=one["title"] or "–", note=one["reference"] or "", href=one["url"], out=True),
                Cell(text=name, href=to),
                Cell(text=one["sla_name"] or "–"),
                date_of(one["start_at"].date()),
                Cell(text=day(one["stop_at"].date()) if one["stop_at"] else tr("running")),
                Cell(text=hours(one["goal_h"])),
                Cell(text=hours(one["elapsed_h"])),
            ]
        )
    table = Table(
        caption=tr("Breached, the latest first"),
        rows=cells,
        pager=pager,
        dense=True,
        empty=tr("Nothing was breached."),
        columns=(
            Column(name=tr("Task"), wide=True),
            Column(name=tr("Project")),
            Column(name=tr("Service level"), spare=True),
            Column(name=tr("Start"), align="right", spare=True),
            Column(name=tr("End"), align="right"),
            Column(name=tr("Goal"), align="right"),
            Column(name=tr("Elapsed"), align="right"),
        ),
    )
    return Section(id="breaches", title=tr("Breaches"), blocks=[table])
