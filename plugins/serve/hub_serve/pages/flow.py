"""Flow: how much is finished, how long it takes, what is in progress and how sprints went."""

from __future__ import annotations

from hub import day, number, spoken_status, tr, written
from hub_serve.pages.asked import Asked
from hub_serve.pages.blocks import (
    Block,
    Cell,
    Column,
    Page,
    Section,
    Table,
    count,
    date_of,
    figure,
    ratio,
)
from hub_serve.pages.portfolio import charts
from hub_serve.pages.project import rows_address


def flow(asked: Asked) -> Page:
    """Return the page of flow."""
    return Page(
        place="/flow",
        title=tr("Flow"),
        sections=[_throughput(asked), _lead(asked), _wip(asked), _sprints(asked)],
        lead=tr("How work flows: what was finished, how long it took, what is in progress."),
    )


def _throughput(asked: Asked) -> Section:
    weeks = asked.listed("throughput")
    most = max((max(one["created"], one["done"]) for one in weeks), default=0) or 1
    rows = [
        [
            Cell(text=day(one["week_start"]), order=one["week_start"].isoformat()),
            Cell(text=number(one["created"]), bar=one["created"] / most, order=one["created"]),
            Cell(text=number(one["done"]), bar=one["done"] / most, order=one["done"]),
        ]
        for one in weeks
    ]
    drawn = charts(asked, ("burn_up",))
    table = Table(
        caption=tr("Tasks created and done by week"),
        rows=rows,
        empty=tr("No task is known at this cut."),
        columns=(
            Column(name=tr("Week of")),
            Column(name=tr("Created"), align="right"),
            Column(name=tr("Finished"), align="right"),
        ),
    )
    return Section(id="throughput", title=tr("Throughput"), blocks=[table], beside=drawn)


def _lead(asked: Asked) -> Section:
    story = asked.story
    rows = [
        [
            Cell(text=one.name, note=one.code, href=asked.to(f"/projects/{one.code}")),
            figure(one.figures, "LEAD_P85.n", story.currency),
            figure(one.figures, "LEAD_P85.median", story.currency),
            figure(one.figures, "LEAD_P85.p85", story.currency),
            Cell(text=tr("Rows"), href=rows_address(asked, "LEAD_P85", one.code)),
        ]
        for one in story.projects
        if one.value("LEAD_P85.n")
    ]
    table = Table(
        caption=tr("Lead time of finished tasks, by project"),
        rows=rows,
        sortable=True,
        empty=tr("No history of statuses is known: no tool tells it, or nothing is finished."),
        columns=(
            Column(name=tr("Project"), wide=True),
            Column(name=tr("Finished"), align="right"),
            Column(name=tr("Median"), align="right"),
            Column(name=tr("85% within"), align="right"),
            Column(name=tr("Behind it"), align="center"),
        ),
    )
    stays = Table(
        caption=tr("Time in status of tasks finished in the last 90 days, in days"),
        columns=(
            Column(name=tr("Status")),
            Column(name=tr("Tasks"), align="right"),
            Column(name=tr("Median"), align="right"),
            Column(name=tr("85% within"), align="right"),
        ),
        rows=[
            [
                Cell(text=spoken_status(one["status"])),
                count(one["tasks"]),
                Cell(text=written(one["median_days"], "duration", "")),
                Cell(text=written(one["p85_days"], "duration", "")),
            ]
            for one in asked.listed("stays")
        ],
        empty=tr("No history of statuses is known: no tool tells it, or nothing is finished."),
    )
    return Section(id="lead", title=tr("Lead time"), blocks=[table], beside=[stays])


def _wip(asked: Asked) -> Section:
    rows = []
    for one in asked.listed("wip"):
        name, to = asked.project(one["project_key"])
        if to is None:
            continue
        rows.append(
            [
                Cell(text=name, href=to),
                count(one["tasks"]),
                Cell(text=written(one["median_age"], "duration", ""), order=one["median_age"] or 0),
                Cell(text=written(one["oldest"], "duration", ""), order=one["oldest"] or 0),
            ]
        )
    blocks: list[Block] = [
        Table(
            caption=tr("Work in progress and how old it is"),
            rows=rows,
            sortable=True,
            empty=tr("No task is in progress."),
            columns=(
                Column(name=tr("Project"), wide=True),
                Column(name=tr("In progress"), align="right"),
                Column(name=tr("Median age"), align="right"),
                Column(name=tr("Greatest age"), align="right"),
            ),
        )
    ]
    return Section(id="wip", title=tr("In progress"), blocks=blocks)


def _sprints(asked: Asked) -> Section:
    rows, pager = asked.paged("sprints", "/flow")
    states = {"closed": tr("closed"), "active": tr("active"), "future": tr("future")}
    cells = []
    for one in rows:
        name, to = asked.project(one["project_key"])
        cells.append(
            [
                Cell(text=one["name"] or "–"),
                Cell(text=name, href=to),
                date_of(one["start_date"]),
                date_of(one["finish_date"]),
                Cell(text=states.get(one["state"] or "", one["state"] or "–")),
                count(one["committed_points"]),
                count(one["added_points"]),
                count(one["removed_points"]),
                count(one["done_points"]),
                ratio(one["done_points"] or 0, one["committed_points"] or 0),
            ]
        )
    table = Table(
        caption=tr("Sprints, the latest first, in points"),
        rows=cells,
        pager=pager,
        dense=True,
        empty=tr("No sprint is known."),
        columns=(
            Column(name=tr("Sprint"), wide=True),
            Column(name=tr("Project")),
            Column(name=tr("Start"), align="right", spare=True),
            Column(name=tr("End"), align="right"),
            Column(name=tr("State"), spare=True),
            Column(name=tr("Committed"), align="right"),
            Column(name=tr("Added"), align="right", spare=True),
            Column(name=tr("Removed"), align="right", spare=True),
            Column(name=tr("Done"), align="right"),
            Column(name=tr("Kept"), align="right"),
        ),
    )
    return Section(id="sprints", title=tr("Sprints"), blocks=[table])
