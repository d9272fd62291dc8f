"""The report: pages for a steering committee, written as PBIR.

Names derive from their meaning, so that a second writing makes the same files.

A table of facts that are kept at each cut shows a measure too: it is empty for what was only so at another
cut, and Power BI leaves such rows out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from hub import HEALTH
from hub_powerbi.names import MONTH, Names
from hub_powerbi.tmdl import colour_name

SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric/item/report/definition/"
WIDTH, HEIGHT = 1280, 720
_MARGIN, _HEAD = 16, 64

Field = tuple[str, str] | str
"""A column as (table, column), or the code of a measure."""


class Visual(msgspec.Struct, frozen=True, kw_only=True):
    """One visual: its type, place in pixels, title in French and English, and the fields of its roles."""

    kind: str
    x: int
    y: int
    width: int
    height: int
    fr: str
    en: str
    roles: dict[str, tuple[Field, ...]]
    sort: Field | None = None
    descending: bool = False
    filters: tuple[tuple[tuple[str, str], tuple[str, ...]], ...] = ()


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page with its visuals."""

    code: str
    fr: str
    en: str
    visuals: tuple[Visual, ...]


STATUS = ("dim_status", "label")
"""The label of the language."""
PROJECT, CODE, PROGRAM = ("dim_project", "name"), ("dim_project", "code"), ("dim_project", "program")
_FULL = WIDTH - 2 * _MARGIN


def _slicer(x: int, field: Field, fr: str, en: str, width: int = 236) -> Visual:
    return Visual(
        kind="slicer", x=x, y=_MARGIN, width=width, height=_HEAD, fr=fr, en=en, roles={"Values": (field,)}
    )


def _head() -> tuple[Visual, ...]:
    return (
        _slicer(_MARGIN, PROGRAM, "Programme", "Program"),
        _slicer(_MARGIN + 252, PROJECT, "Projet", "Project"),
        _slicer(_MARGIN + 504, ("dim_cut", "label"), "Arrêté", "Cut"),
    )


def _cards(y: int, codes: tuple[str, ...], titles: tuple[tuple[str, str], ...]) -> Iterator[Visual]:
    width = (_FULL - 12 * (len(codes) - 1)) // len(codes)
    for place, (code, (fr, en)) in enumerate(zip(codes, titles, strict=True)):
        yield Visual(
            kind="card",
            x=_MARGIN + place * (width + 12),
            y=y,
            width=width,
            height=92,
            fr=fr,
            en=en,
            roles={"Values": (code,)},
        )


_TOP = _MARGIN + _HEAD + 12
_BELOW = _TOP + 92 + 12
_HALF = (_FULL - 12) // 2
_RIGHT = _MARGIN + _HALF + 12


def pages() -> tuple[Page, ...]:
    """Return the pages in their order."""
    return (
        Page(
            code="portfolio",
            fr="Portefeuille",
            en="Portfolio",
            visuals=(
                *_head(),
                *_cards(
                    _TOP,
                    ("tasks", "RAF consomme", "RAF raf", "LANDING variance", "RISK open_risks"),
                    (
                        ("Tâches", "Tasks"),
                        ("Consommé (jours)", "Days spent"),
                        ("Reste à faire", "Days to do"),
                        ("Écart à l'atterrissage", "Landing variance"),
                        ("Risques ouverts", "Open risks"),
                    ),
                ),
                Visual(
                    kind="tableEx",
                    x=_MARGIN,
                    y=_BELOW,
                    width=_FULL,
                    height=HEIGHT - _BELOW - _MARGIN,
                    fr="Projets : météo calculée et indicateurs",
                    en="Projects: computed health and KPIs",
                    sort=CODE,
                    roles={
                        "Values": (
                            CODE,
                            PROJECT,
                            PROGRAM,
                            HEALTH,
                            "EVM_DAYS cpi",
                            "EVM_DAYS spi",
                            "MILESTONE_SLIP slip_days",
                            "RAF consomme",
                            "RAF a_terminaison",
                            "LANDING variance",
                            "RISK open_risks",
                        )
                    },
                ),
            ),
        ),
        Page(
            code="project",
            fr="Projet",
            en="Project",
            visuals=(
                *_head(),
                *_cards(
                    _TOP,
                    (HEALTH, "EVM_DAYS cpi", "EVM_DAYS spi", "RAF raf", "READINESS readiness"),
                    (
                        ("Météo calculée", "Computed health"),
                        ("CPI (jours)", "CPI (days)"),
                        ("SPI (jours)", "SPI (days)"),
                        ("Reste à faire", "Days to do"),
                        ("Exploitabilité", "Readiness"),
                    ),
                ),
                Visual(
                    kind="tableEx",
                    x=_MARGIN,
                    y=_BELOW,
                    width=_HALF,
                    height=HEIGHT - _BELOW - _MARGIN,
                    fr="Ce qu'a dit le comité, axe par axe",
                    en="What the committee said, axis by axis",
                    roles={
                        "Values": (
                            CODE,
                            ("fact_assessment", "axis"),
                            ("fact_assessment", "rag"),
                            ("fact_assessment", "trend"),
                            ("fact_assessment", "comment"),
                            "assessments",
                        )
                    },
                ),
                Visual(
                    kind="tableEx",
                    x=_RIGHT,
                    y=_BELOW,
                    width=_HALF,
                    height=HEIGHT - _BELOW - _MARGIN,
                    fr="Risques, actions, décisions",
                    en="Risks, actions, decisions",
                    sort=("fact_register", "due_date"),
                    roles={
                        "Values": (
                            ("fact_register", "kind"),
                            ("fact_register", "title"),
                            ("fact_register", "state"),
                            ("fact_register", "due_date"),
                            "exposure",
                            "register_items",
                        )
                    },
                ),
            ),
        ),
        Page(
            code="milestones",
            fr="Jalons",
            en="Milestones",
            visuals=(
                *_head(),
                Visual(
                    kind="lineChart",
                    x=_MARGIN,
                    y=_TOP,
                    width=_FULL,
                    height=250,
                    fr="Pire glissement de jalon par projet, arrêté après arrêté (jours)",
                    en="Worst slip of a milestone by project, cut after cut (days)",
                    sort=("dim_cut", "as_of"),
                    roles={
                        "Category": (("dim_cut", "as_of"),),
                        "Y": ("MILESTONE_SLIP slip_days",),
                        "Series": (CODE,),
                    },
                ),
                Visual(
                    kind="tableEx",
                    x=_MARGIN,
                    y=_TOP + 262,
                    width=_FULL,
                    height=HEIGHT - _TOP - 262 - _MARGIN,
                    fr="Jalons : référence, prévu, réel",
                    en="Milestones: baseline, planned, actual",
                    sort=("fact_task_snapshot", "planned_finish"),
                    filters=((("dim_task", "kind"), ("milestone",)),),
                    roles={
                        "Values": (
                            CODE,
                            ("dim_task", "title"),
                            ("fact_task_snapshot", "baseline_finish"),
                            ("fact_task_snapshot", "planned_finish"),
                            ("fact_task_snapshot", "actual_finish"),
                            STATUS,
                            "tasks",
                        )
                    },
                ),
            ),
        ),
        Page(
            code="effort",
            fr="Charge et atterrissage",
            en="Effort and landing",
            visuals=(
                *_head(),
                Visual(
                    kind="clusteredColumnChart",
                    x=_MARGIN,
                    y=_TOP,
                    width=_HALF,
                    height=300,
                    fr="Jours saisis, mois par mois",
                    en="Days logged, month by month",
                    sort=("dim_date", "year_month"),
                    roles={"Category": (("dim_date", "year_month"),), "Y": ("days_logged",)},
                ),
                Visual(
                    kind="clusteredBarChart",
                    x=_RIGHT,
                    y=_TOP,
                    width=_HALF,
                    height=300,
                    fr="Référence, passé et reste à faire (jours)",
                    en="Baseline, spent and to do (days)",
                    roles={"Category": (CODE,), "Y": ("RAF budget", "RAF consomme", "RAF raf")},
                ),
                Visual(
                    kind="clusteredColumnChart",
                    x=_MARGIN,
                    y=_TOP + 312,
                    width=_HALF,
                    height=HEIGHT - _TOP - 312 - _MARGIN,
                    fr="Budget, engagé, consommé, prévu",
                    en="Budget, committed, consumed, forecast",
                    sort=("fact_budget", MONTH),
                    roles={
                        "Category": (("fact_budget", "year_month"),),
                        "Y": ("budget_baseline", "committed", "consumed", "forecast"),
                    },
                ),
                Visual(
                    kind="tableEx",
                    x=_RIGHT,
                    y=_TOP + 312,
                    width=_HALF,
                    height=HEIGHT - _TOP - 312 - _MARGIN,
                    fr="Atterrissage budgétaire",
                    en="Budget landing",
                    sort="LANDING variance",
                    descending=True,
                    roles={
                        "Values": (
                            CODE,
                            "LANDING budget",
                            "LANDING consumed",
                            "LANDING landing",
                            "LANDING landing_at_least",
                            "LANDING variance",
                        )
                    },
                ),
            ),
        ),
        Page(
            code="load",
            fr="Charge et capacité",
            en="Load and capacity",
            visuals=(
                # capacity is of people, and of no project or cut
                _slicer(_MARGIN, ("dim_person", "team"), "Équipe", "Team"),
                _slicer(_MARGIN + 252, ("dim_date", "year"), "Année", "Year"),
                Visual(
                    kind="lineClusteredColumnComboChart",
                    x=_MARGIN,
                    y=_TOP,
                    width=_FULL,
                    height=280,
                    fr="Heures affectées face à la capacité, par semaine",
                    en="Allocated hours against capacity, by week",
                    sort=("dim_date", "week_start"),
                    roles={
                        "Category": (("dim_date", "week_start"),),
                        "Y": ("allocated_hours",),
                        "Y2": ("capacity_hours",),
                    },
                ),
                Visual(
                    kind="pivotTable",
                    x=_MARGIN,
                    y=_TOP + 292,
                    width=_FULL,
                    height=HEIGHT - _TOP - 292 - _MARGIN,
                    fr="Part affectée, équipe et mois",
                    en="Allocated share, team and month",
                    roles={
                        "Rows": (("dim_person", "team"),),
                        "Columns": (("dim_date", "year_month"),),
                        "Values": ("allocated_share",),
                    },
                ),
            ),
        ),
        Page(
            code="quality",
            fr="Qualité",
            en="Quality",
            visuals=(
                *_head(),
                *_cards(
                    _TOP,
                    ("failed_share", "checked", "failed", "DQ_SCORE score"),
                    (
                        ("Part en défaut", "Share that failed"),
                        ("Lignes contrôlées", "Rows checked"),
                        ("Lignes en défaut", "Rows that failed"),
                        ("Score (un projet)", "Score (one project)"),
                    ),
                ),
                Visual(
                    kind="clusteredBarChart",
                    x=_MARGIN,
                    y=_BELOW,
                    width=_FULL,
                    height=HEIGHT - _BELOW - _MARGIN,
                    fr="Lignes en défaut, contrôle par contrôle",
                    en="Rows that failed, check by check",
                    sort="failed",
                    descending=True,
                    roles={"Category": (("fact_quality", "check_code"),), "Y": ("failed",)},
                ),
            ),
        ),
        Page(
            code="sources",
            fr="Sources et fraîcheur",
            en="Sources and freshness",
            visuals=(
                Visual(
                    kind="tableEx",
                    x=_MARGIN,
                    y=_MARGIN,
                    width=_HALF,
                    height=HEIGHT - 2 * _MARGIN,
                    fr="Sources et dernier succès",
                    en="Sources and last success",
                    sort=("dim_source", "name"),
                    roles={
                        "Values": (
                            ("dim_source", "name"),
                            ("dim_source", "plugin"),
                            ("dim_source", "last_success_at"),
                        )
                    },
                ),
                Visual(
                    kind="clusteredBarChart",
                    x=_RIGHT,
                    y=_MARGIN,
                    width=_HALF,
                    height=HEIGHT - 2 * _MARGIN,
                    fr="Heures saisies, source par source",
                    en="Hours logged, source by source",
                    sort="hours_logged",
                    descending=True,
                    roles={"Category": (("dim_source", "name"),), "Y": ("hours_logged",)},
                ),
            ),
        ),
    )


def name_of(*parts: str, size: int = 20) -> str:
    """Return the name of a thing from what it means: *size* hexadecimal digits."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:size]


def report_files(names: Names) -> dict[str, str]:
    """Return the files of ``definition/`` by their path there."""
    found: dict[str, Any] = {
        "version.json": {"$schema": f"{SCHEMAS}versionMetadata/1.0.0/schema.json", "version": "2.0.0"},
        "report.json": {
            "$schema": f"{SCHEMAS}report/3.3.0/schema.json",
            "themeCollection": {},
            "settings": {"useEnhancedTooltips": True},
        },
        "pages/pages.json": {
            "$schema": f"{SCHEMAS}pagesMetadata/1.1.0/schema.json",
            "pageOrder": [name_of(page.code) for page in pages()],
            "activePageName": name_of(pages()[0].code),
        },
    }
    for page in pages():
        place = f"pages/{name_of(page.code)}"
        found[f"{place}/page.json"] = {
            "$schema": f"{SCHEMAS}page/2.1.0/schema.json",
            "name": name_of(page.code),
            "displayName": page.fr if names.lang == "fr" else page.en,
            "displayOption": "FitToPage",
            "height": HEIGHT,
            "width": WIDTH,
        }
        for number, visual in enumerate(page.visuals, start=1):
            name = name_of(page.code, str(number), visual.kind)
            found[f"{place}/visuals/{name}/visual.json"] = _visual(names, page, visual, name, number)
    return {path: json.dumps(value, ensure_ascii=False, indent=2) + "\n" for path, value in found.items()}


def _field(names: Names, field: Field, *, source: str | None = None) -> dict[str, Any]:
    if isinstance(field, str):
        kind, entity, name = "Measure", names.measures_table, names.measures[field]
    else:
        table, column = field if field != STATUS else (field[0], f"label_{names.lang}")
        kind, entity, name = "Column", names.tables[table], names.columns[table][column]
    ref = {"Source": source} if source else {"Entity": entity}
    return {kind: {"Expression": {"SourceRef": ref}, "Property": name}}


def _projection(names: Names, field: Field) -> dict[str, Any]:
    shown = _field(names, field)
    (inner,) = shown.values()
    entity = inner["Expression"]["SourceRef"]["Entity"]
    return {"field": shown, "queryRef": f"{entity}.{inner['Property']}", "nativeQueryRef": inner["Property"]}


def _visual(names: Names, page: Page, visual: Visual, name: str, number: int) -> dict[str, Any]:
    title = visual.fr if names.lang == "fr" else visual.en
    query: dict[str, Any] = {
        "queryState": {
            role: {"projections": [_projection(names, field) for field in fields]}
            for role, fields in visual.roles.items()
        }
    }
    if visual.sort is not None:
        direction = "Descending" if visual.descending else "Ascending"
        query["sortDefinition"] = {
            "sort": [{"field": _field(names, visual.sort), "direction": direction}],
            "isDefaultSort": False,
        }
    text = {"expr": {"Literal": {"Value": "'" + title.replace("'", "''") + "'"}}}
    shown: dict[str, Any] = {
        "visualType": visual.kind,
        "query": query,
        "visualContainerObjects": {
            "title": [{"properties": {"show": {"expr": {"Literal": {"Value": "true"}}}, "text": text}}]
        },
        "drillFilterOtherVisuals": True,
    }
    if page.code == "portfolio" and visual.kind == "tableEx":
        shown["objects"] = {"values": [_background(names)]}
    found: dict[str, Any] = {
        "$schema": f"{SCHEMAS}visualContainer/2.9.0/schema.json",
        "name": name,
        "position": {
            "x": visual.x,
            "y": visual.y,
            "z": number * 1000,
            "width": visual.width,
            "height": visual.height,
            "tabOrder": number * 1000,
        },
        "visual": shown,
    }
    if visual.filters:
        found["filterConfig"] = {
            "filters": [
                _filter(names, name, column, tuple("'" + value + "'" for value in values))
                for column, values in visual.filters
            ]
        }
    return found


def _background(names: Names) -> dict[str, Any]:
    """Return the cells of the health the colour that its measure says."""
    colour = {
        "Measure": {
            "Expression": {"SourceRef": {"Entity": names.measures_table}},
            "Property": colour_name(names),
        }
    }
    return {
        "properties": {"backColor": {"solid": {"color": {"expr": colour}}}},
        "selector": {
            "data": [{"dataViewWildcard": {"matchingOption": 1}}],
            "metadata": f"{names.measures_table}.{names.measures[HEALTH]}",
        },
    }


def _filter(names: Names, place: str, column: tuple[str, str], literals: tuple[str, ...]) -> dict[str, Any]:
    where = {
        "In": {
            "Expressions": [_field(names, column, source="t")],
            "Values": [[{"Literal": {"Value": one}}] for one in literals],
        }
    }
    return {
        "name": "Filter" + name_of("filter", place, *column, size=24),
        "type": "Categorical",
        "howCreated": "User",
        "field": _field(names, column),
        "filter": {
            "Version": 2,
            "From": [{"Name": "t", "Entity": names.tables[column[0]], "Type": 0}],
            "Where": [{"Condition": where}],
        },
    }
