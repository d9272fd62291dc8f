"""The register of a project, or of all: risks, issues, decisions and actions."""

from __future__ import annotations

from typing import Any

from hub import Story, amount, day, tr, written
from hub_serve.pages.asked import Asked
from hub_serve.pages.blocks import (
    Cell,
    Column,
    Section,
    Table,
    count,
    words,
)
from hub_serve.pages.portfolio import charts


def register_table(asked: Asked, entries: Any, caption: str, empty: str, *, with_project: bool) -> Table:
    """Return open lines of the register."""
    kinds = {
        "risk": tr("Risk"),
        "issue": tr("Issue"),
        "action": tr("Action"),
        "decision": tr("Decision"),
    }
    currency = asked.story.currency
    columns = [
        Column(name=tr("What"), wide=True),
        Column(name=tr("Kind")),
        Column(name=tr("Due"), align="right"),
        Column(name=tr("Probability"), align="right", spare=True),
        Column(name=tr("Impact"), align="right", spare=True),
        Column(name=tr("Exposure"), align="right", spare=True),
        Column(name=tr("Expected"), align="right"),
        Column(name=tr("Asked of"), spare=True),
    ]
    rows = []
    for one in entries:
        late = one.due_date is not None and one.due_date < asked.story.as_of
        row = [
            Cell(text=one.title),
            Cell(text=kinds[one.kind]),
            Cell(
                text=day(one.due_date) or "–",
                rag="red" if late else None,
                order=one.due_date.isoformat() if one.due_date else "9999",
            ),
            Cell(text=written(one.probability, "share", currency), order=one.probability or 0),
            count(one.impact),
            Cell(text=amount(one.exposure, currency), order=one.exposure or 0),
            Cell(text=amount(one.expected, currency), order=one.expected or 0),
            words(one.asked_of),
        ]
        if with_project:
            name, to = asked.project(one.project_key)
            row.insert(1, Cell(text=name, href=to))
        rows.append(row)
    if with_project:
        columns.insert(1, Column(name=tr("Project")))
    return Table(caption=caption, columns=tuple(columns), rows=rows, empty=empty, sortable=True)


def risks(asked: Asked, story: Story, one: Any) -> Section:
    """Return what the registers say of a project."""
    rest = [entry for entry in story.register if entry.kind != "decision"]
    decisions = [entry for entry in story.register if entry.kind == "decision"]
    return Section(
        id="risks",
        title=tr("Risks and decisions"),
        blocks=[
            register_table(
                asked, decisions, tr("Open decisions"), tr("No decision is open."), with_project=False
            ),
            register_table(
                asked,
                rest,
                tr("Open risks, issues and actions"),
                tr("No risk, issue or action is open."),
                with_project=False,
            ),
        ],
        beside=charts(asked, ("risks",), project=one),
    )
