"""Who works on a project, and on what: its load by person or team, and its tasks."""

from __future__ import annotations

from typing import Any

from hub import spoken_status, tr, trn, written
from hub_serve.pages.asked import Asked
from hub_serve.pages.blocks import (
    Cell,
    Column,
    Links,
    Prose,
    Section,
    Table,
    count,
    date_of,
    words,
)


def people(asked: Asked, one: Any) -> Section:
    """Return who works on a project, as the reader's level shows it."""
    title = tr("Load")
    if not asked.sees_teams:
        text = tr("Who works on it is not shown at your level of detail.")
        return Section(id="load", title=title, blocks=[Prose(texts=[text])])
    crew = asked.listed("crew", project=one.key)
    persons = any(line["person"] for line in crew)
    head = (Column(name=tr("Person")),) if persons else ()
    rows = [
        [
            *((words(line["person"]),) if persons else ()),
            words(line["team"]),
            count(line["tasks"]),
            Cell(text=written(line["planned_days"], "days", ""), order=line["planned_days"] or 0),
            Cell(text=written(line["remaining_days"], "days", ""), order=line["remaining_days"] or 0),
        ]
        for line in crew
    ]
    table = Table(
        caption=tr("Who is on its tasks now"),
        sortable=True,
        columns=(
            *head,
            Column(name=tr("Team")),
            Column(name=tr("Tasks"), align="right"),
            Column(name=tr("Planned"), align="right"),
            Column(name=tr("To do"), align="right"),
        ),
        rows=rows,
        empty=tr("Nobody is assigned to its tasks, or your level of detail does not show whom."),
    )
    to = asked.to("/load", project=one.code, weeks=4) + "#whatif"
    return Section(
        id="load",
        title=title,
        blocks=[table, Links(links=[(tr("What if it began later or earlier?"), to)])],
    )


def tasks(asked: Asked, one: Any) -> Section:
    """Return the open tasks of a project, or all of them."""
    path = f"/projects/{one.code}"
    rows, pager = asked.paged("tasks", path, project=one.key)
    persons = asked.story.privacy == "nominative-line"
    columns = (
        Column(name=tr("Task"), wide=True),
        Column(name=tr("Status")),
        Column(name=tr("Phase"), spare=True),
        *((Column(name=tr("Assignees"), spare=True),) if persons else ()),
        Column(name=tr("Progress"), align="right", spare=True),
        Column(name=tr("Baseline"), align="right", spare=True),
        Column(name=tr("Expected"), align="right"),
        Column(name=tr("Effort"), align="right"),
        Column(name=tr("To do"), align="right"),
        Column(name=tr("Source"), spare=True),
    )
    table = Table(
        caption=trn(
            "{n} task: what is open first", "{n} tasks: what is open first", rows[0]["n"] if rows else 0
        ),
        columns=columns,
        pager=pager,
        empty=tr("No task is known of this project at this cut."),
        dense=True,
        rows=[
            [
                Cell(
                    text=line["title"] or "–",
                    href=line["url"],
                    out=True,
                    note=" · ".join(
                        filter(
                            None,
                            (
                                line["reference"],
                                tr("milestone") if line["kind"] == "milestone" else "",
                                tr("critical") if line["is_critical"] else "",
                            ),
                        )
                    ),
                ),
                Cell(text=spoken_status(line["status"])),
                words(line["phase"]),
                *((words(line["assignees"]),) if persons else ()),
                Cell(text=written(None if line["percent"] is None else line["percent"] / 100, "share", "")),
                date_of(line["baseline_finish"]),
                date_of(line["finish"]),
                Cell(text=written(line["baseline_days"], "days", "")),
                Cell(text=written(line["remaining_days"], "days", "")),
                words(line["source"]),
            ]
            for line in rows
        ],
    )
    return Section(id="tasks", title=tr("Tasks"), blocks=[table])
