"""The figures: the catalogue with its definitions, the values of each, and the rows behind one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hub import catalogue, day, number, receipt, spoken_cell, spoken_column, tr, trn, written
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

_HIDDEN = frozenset({"_table", "_id", "url", "project_key", "task_key", "person_key", "source_key"})
_TITLES = ("title", "task", "reference", "label", "name", "check_code", "category", "source", "week_start")
"""The column that is the head of a row of a receipt, the first that there is."""


def title_of(kpi: Any, lang: str) -> str:
    """Return what a KPI is called."""
    return str(kpi.fr if lang == "fr" else kpi.en)


def figures(asked: Asked) -> Page:
    """Return the page of all figures."""
    story = asked.story
    rows = []
    for code, kpi in catalogue().items():
        if kpi.scope == "calendar":
            continue
        whole = story.totals.get(f"{code}.{kpi.headline}")
        known = sum(
            1
            for one in story.projects
            if any(name.startswith(f"{code}.") and fig.value is not None for name, fig in one.figures.items())
        )
        rows.append(
            [
                Cell(text=title_of(kpi, asked.lang), note=code, href=asked.to(f"/figures/{code}")),
                Cell(text=tr(kpi.definition)),
                Cell(
                    text=written(whole.value, whole.unit, story.currency),
                    note=whole.caption,
                    rag=whole.rag if whole.rag in {"red", "amber", "green"} else None,
                )
                if whole and whole.value is not None
                else Cell(),
                count(known or None),
            ]
        )
    return Page(
        place="/figures",
        title=tr("Figures"),
        lead=tr(
            "Every figure with its definition; each leads to its values, and each value to the rows behind "
            "it."
        ),
        sections=[
            Section(
                id="catalogue",
                title=tr("Catalogue"),
                blocks=[
                    Table(
                        caption=trn("{n} KPI of the catalogue", "{n} KPIs of the catalogue", len(rows)),
                        rows=rows,
                        empty="",
                        columns=(
                            Column(name=tr("Figure"), wide=True),
                            Column(name=tr("Definition"), wide=True, spare=True),
                            Column(name=tr("Whole portfolio"), align="right"),
                            Column(name=tr("Projects that have it"), align="right"),
                        ),
                    )
                ],
            )
        ],
    )


def _known(code: str) -> Any:
    found = catalogue().get(code)
    if found is None:
        raise NotThere
    return found


def one_figure(asked: Asked, code: str) -> Page:
    """Return the page of the KPI *code*: definition, goals, values. Raises `NotThere`."""
    kpi = _known(code)
    title = title_of(kpi, asked.lang)
    facts = [
        (tr("Code"), Cell(text=code)),
        (tr("Definition"), Cell(text=tr(kpi.definition))),
        *(((tr("Edge cases"), Cell(text=tr(kpi.edge_cases))),) if kpi.edge_cases else ()),
        *(((tr("Origin"), Cell(text=kpi.source)),) if kpi.source else ()),
        (tr("Version"), Cell(text=str(kpi.version))),
    ]
    return Page(
        place="/figures",
        title=title,
        above=[(tr("Figures"), asked.to("/figures"))],
        sections=[
            Section(
                id="definition",
                title=tr("Definition"),
                blocks=[Facts(facts=facts)],
                beside=[_goals(asked, code)],
            ),
            _values(asked, code, kpi),
            _course(asked, code, kpi),
        ],
    )


def _goals(asked: Asked, code: str) -> Block:
    kpi = catalogue()[code]
    units = {one.name: one.unit for one in kpi.measures}
    captions = _captions(kpi, asked.lang)
    currency = asked.story.currency
    rows = [
        [
            Cell(text=captions.get(one["measure"], one["measure"])),
            Cell(text=tr("all projects") if one["scope_code"] == "*" else one["scope_code"]),
            *(
                Cell(text=written(one[name], units.get(one["measure"], ""), currency))
                for name in ("goal", "amber", "red")
            ),
            Cell(text=tr("yes") if one["is_in_weather"] else tr("no")),
        ]
        for one in asked.listed("targets", kpi=code)
    ]
    return Table(
        caption=tr("Goals and limits"),
        rows=rows,
        empty=tr("No limit is set for it in targets.csv."),
        columns=(
            Column(name=tr("Measure")),
            Column(name=tr("Of")),
            Column(name=tr("Goal"), align="right"),
            Column(name=tr("Amber from"), align="right"),
            Column(name=tr("Red from"), align="right"),
            Column(name=tr("In the weather"), align="center"),
        ),
    )


def _captions(kpi: Any, lang: str) -> dict[str, str]:
    return {one.name: (one.fr if lang == "fr" else one.en) or one.name for one in kpi.measures}


def _measure(captions: Mapping[str, str], name: str) -> str:
    plain, _, split = name.partition(".")
    return captions.get(plain, plain) + (f" ({split})" if split else "")


def _values(asked: Asked, code: str, kpi: Any) -> Section:
    captions, currency = _captions(kpi, asked.lang), asked.story.currency
    found: dict[tuple[str, str, int | None, str], dict[str, dict[str, Any]]] = {}
    names: list[str] = []
    for one in asked.listed("values", kpi=code):
        place = (one["scope_kind"], one["scope_label"], one["project"], one["period"])
        found.setdefault(place, {})[one["measure"]] = one
        if one["measure"] not in names:
            names.append(one["measure"])
    order = [one.name for one in kpi.measures]
    names.sort(
        key=lambda one: (order.index(one.partition(".")[0]) if one.partition(".")[0] in order else 99, one)
    )
    kinds = {
        "portfolio": tr("portfolio"),
        "program": tr("program"),
        "project": tr("project"),
        "team": tr("team"),
        "source": tr("source"),
    }
    rows = []
    for (kind, label, key, period), by in found.items():
        name, to = (label, None) if key is None else asked.project(key)
        if key is not None and to is None:
            continue  # closed, or of no project
        project = asked.story.project(key) if key is not None else None
        rows.append(
            [
                Cell(text=tr("Whole portfolio") if label == "*" else name, note=period, href=to),
                Cell(text=kinds.get(kind, kind)),
                *(_value(by.get(name), currency) for name in names),
                Cell(text=tr("Rows"), href=asked.to(f"/figures/{code}/rows", project=project.code))
                if project and kpi.receipt
                else Cell(),
            ]
        )
    table = Table(
        caption=tr("Values of the period to show"),
        rows=rows,
        sortable=True,
        dense=True,
        empty=tr("It has no value at this cut, at your level of detail and with your rights."),
        columns=(
            Column(name=tr("Of"), wide=True),
            Column(name=tr("Kind"), spare=True),
            *(Column(name=_measure(captions, name), align="right") for name in names),
            Column(name=tr("Behind it"), align="center"),
        ),
    )
    return Section(id="values", title=tr("Values"), blocks=[table])


def _value(one: Mapping[str, Any] | None, currency: str) -> Cell:
    if one is None or one["value"] is None:
        return Cell()
    rag = one["rag"] if one["rag"] in {"red", "amber", "green"} else None
    covered = one["coverage"]
    note = (
        tr("of {share} known", share=written(covered, "share", currency))
        if covered is not None and covered < 0.995
        else ""
    )
    return Cell(text=written(one["value"], one["unit"], currency), rag=rag, order=one["value"], note=note)


def _course(asked: Asked, code: str, kpi: Any, key: int | None = None) -> Section:
    captions, currency = _captions(kpi, asked.lang), asked.story.currency
    by_cut: dict[str, tuple[date, dict[str, Any]]] = {}
    names: list[str] = []
    for one in asked.listed("course", kpi=code, project=key):
        by_cut.setdefault(one["label"], (one["as_of"], {}))[1][one["measure"]] = one
        if one["measure"] not in names:
            names.append(one["measure"])
    rows = [
        [
            Cell(text=asked.named(label), note=day(as_of)),
            *(_value({"coverage": None} | by[name] if name in by else None, currency) for name in names),
        ]
        for label, (as_of, by) in by_cut.items()
    ]
    table = Table(
        caption=tr("From committee to committee"),
        rows=rows,
        dense=True,
        empty=tr("No cut keeps it, or your rights do not show it."),
        columns=(
            Column(name=tr("Cut")),
            *(Column(name=_measure(captions, name), align="right") for name in names),
        ),
    )
    return Section(id="course", title=tr("Course"), blocks=[table])


def rows_behind(asked: Asked, code: str) -> Page:
    """Return the rows behind the KPI *code* of ``?project=``, kind by kind. Raises `NotThere`."""
    kpi = _known(code)
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
        _course(asked, code, kpi, project.key),
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
