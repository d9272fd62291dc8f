"""The figures: the catalogue with its definitions, the values of each, and the rows behind one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from hub import catalogue, day, tr, trn, written
from hub_serve.pages.asked import Asked, NotThere
from hub_serve.pages.blocks import (
    Block,
    Cell,
    Column,
    Facts,
    Page,
    Section,
    Table,
    count,
)


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


def known(code: str) -> Any:
    """Return the KPI *code* of the catalogue. Raises `NotThere`."""
    found = catalogue().get(code)
    if found is None:
        raise NotThere
    return found


def one_figure(asked: Asked, code: str) -> Page:
    """Return the page of the KPI *code*: definition, goals, values. Raises `NotThere`."""
    kpi = known(code)
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
            course(asked, code, kpi),
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


def course(asked: Asked, code: str, kpi: Any, key: int | None = None) -> Section:
    """Return the values of *kpi* from cut to cut, of the project with *key* or of the whole."""
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
