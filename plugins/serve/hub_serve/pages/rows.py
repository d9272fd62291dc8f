"""The rows behind a figure of a project, each with its tool's own link."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hub import day, number, receipt, spoken_cell, spoken_column, tr, trn, written
from hub_serve.pages.asked import Asked, NotThere
from hub_serve.pages.blocks import (
    ROWS_A_PAGE,
    Block,
    Cell,
    Column,
    Facts,
    Field,
    Form,
    Page,
    Prose,
    Section,
    Table,
    capital,
    count,
    date_of,
    words,
    written_or_dash,
)
from hub_serve.pages.figures import course, known, title_of

_HIDDEN = frozenset({"_table", "_id", "url", "project_key", "task_key", "person_key", "source_key"})
_TITLES = ("title", "task", "reference", "label", "name", "check_code", "category", "source", "week_start")
"""The column that is the head of a row of a receipt, the first that there is."""


def rows_behind(asked: Asked, code: str) -> Page:
    """Return the rows behind the KPI *code* of ``?project=``, kind by kind. Raises `NotThere`."""
    kpi = known(code)
    story = asked.story
    project = next((one for one in story.projects if one.code == asked.query.get("project")), None)
    if project is None:
        raise NotThere
    path = f"/figures/{code}/rows"
    currency = story.currency
    mine = [
        [
            Cell(text=fig.caption),
            Cell(
                text=written(fig.value, fig.unit, currency),
                rag=fig.rag if fig.rag in {"red", "amber", "green"} else None,
            ),
            Cell(text=written(fig.target, fig.unit, currency)),
            Cell(text=written(fig.coverage, "share", currency)),
            words(fig.period),
        ]
        for name, fig in project.figures.items()
        if fig.kpi == code and fig.value is not None
    ]
    sections = [
        Section(
            id="figure",
            title=tr("The figure"),
            blocks=[
                Table(
                    caption=project.called,
                    rows=mine,
                    empty=tr("It has no value of this project at this cut."),
                    columns=(
                        Column(name=tr("Measure")),
                        Column(name=tr("Value"), align="right"),
                        Column(name=tr("Goal"), align="right"),
                        Column(name=tr("Coverage"), align="right"),
                        Column(name=tr("Period"), spare=True),
                    ),
                ),
                Prose(
                    texts=[tr(kpi.definition)]
                    + (
                        []
                        if story.is_now
                        else [tr("The KPI is the one the cut keeps; the rows are as known now.")]
                    )
                ),
            ],
        ),
        course(asked, code, kpi, project.key),
        *(_rows(asked, kind, project, path, kpi) for kind in kpi.receipt),
    ]
    choose = Form(
        action=path,
        button=tr("Show"),
        hidden=[("cut", asked.cut)] if asked.cut else [],
        fields=[
            Field(
                name="project",
                label=tr("Project"),
                value=project.code,
                options=[(one.code, one.called) for one in sorted(story.projects, key=lambda one: one.code)],
            )
        ],
    )
    sections.insert(0, Section(id="which", title=tr("Which project"), blocks=[choose]))
    return Page(
        place="/figures",
        title=tr("{figure}: rows behind it", figure=title_of(kpi, asked.lang)),
        lead=project.called,
        above=[
            (tr("Figures"), asked.to("/figures")),
            (title_of(kpi, asked.lang), asked.to(f"/figures/{code}")),
        ],
        sections=sections,
    )


def _rows(asked: Asked, kind: str, project: Any, path: str, kpi: Any) -> Section:
    at = asked.number(kind, 1, 1, 1_000_000)
    found = receipt(asked.view.connection, kind, project.key, most=ROWS_A_PAGE, skip=(at - 1) * ROWS_A_PAGE)
    if not found.rows and at > 1:
        raise NotThere
    told = [name for name in (found.rows[0] if found.rows else ()) if name not in _HIDDEN]
    persons = asked.story.privacy in {"nominative-line", "pseudonym-week"}
    told = [name for name in told if name != "person" or persons]
    head = next((name for name in _TITLES if name in told), told[0] if told else "")
    told = [head, *(name for name in told if name != head)] if told else []
    filled = [name for name in told if name == head or any(row[name] is not None for row in found.rows)]
    rows = [
        [
            Cell(text=_text(name, row[name]), href=row.get("url") if name == head else None, out=True)
            for name in filled
        ]
        for row in found.rows
    ]
    sums = [
        (
            _heading(name),
            Cell(text=number(value, ",.2f" if name.endswith("amount") else ",.1f")),
        )
        for name, value in found.sums.items()
    ]
    blocks: list[Block] = [Facts(facts=[(tr("Rows"), count(found.n)), *sums])] if found.n else []
    blocks.append(
        Table(
            caption=f"{capital(tr(kind))}{tr(': ')}{trn('{n:,} row', '{n:,} rows', found.n)}",
            rows=rows,
            dense=True,
            pager=asked.pager(kind, path, at, found.n),
            empty=tr("There is no such row of this project at this cut, at your level of detail."),
            columns=tuple(
                Column(
                    name=_heading(name),
                    align="right"
                    if any(isinstance(row[name], (int, float, Decimal)) for row in found.rows)
                    else "left",
                    wide=name == head,
                )
                for name in filled
            )
            or (Column(name=tr("Row")),),
        )
    )
    return Section(id=kind, title=capital(tr(kind)), blocks=blocks)


def _heading(name: str) -> str:
    """Return what a column of a receipt is called; English has its name, in words."""
    return capital(spoken_column(name).replace("_", " "))


def _text(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, datetime):
        return f"{day(value.date())} {value:%H:%M}"
    if isinstance(value, date):
        return date_of(value).text
    if isinstance(value, Decimal):
        return number(float(value), ",.2f")
    if name.startswith("is_") and value in {0, 1}:
        return tr("yes") if value else tr("no")
    return written_or_dash(value) if isinstance(value, (int, float)) else spoken_cell(name, str(value))
