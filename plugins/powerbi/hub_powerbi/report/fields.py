"""The fields that pages share, and short ways to say a slicer, a card, a table, a chart."""

from __future__ import annotations

from typing import Any

from hub_powerbi.report.definitions import tip as tip_of
from hub_powerbi.report.shapes import Field, Filter, Row, Visual, row

PROJECT, CODE, PROGRAM = ("dim_project", "name"), ("dim_project", "code"), ("dim_project", "program")
NAME = PROJECT
CUT, CUT_DAY = ("dim_cut", "label"), ("dim_cut", "as_of")
MONTH, WEEK = ("dim_date", "year_month"), ("dim_date", "iso_week_label")
REASON = ("fact_weather", "reason_*")
DUE = ("fact_register", "due_date")
TEAM = ("fact_kpi", "scope_label")
EVERY_CUT: dict[str, Any] = {"every_cut": True}
_SLICERS: dict[str, tuple[Field, str, str, tuple[Filter, ...]]] = {
    "program": (PROGRAM, "Programme", "Program", ()),
    "project": (PROJECT, "Projet", "Project", ()),
    "cut": (CUT, "Arrêté (aucun : le dernier)", "Cut (none: the latest)", ()),
    "team": (TEAM, "Équipe", "Team", ((("fact_kpi", "scope_kind"), ("team",)),)),
    "year": (("dim_date", "year"), "Année", "Year", ()),
}
CARD_HEIGHT = 84


def slicers(*codes: str) -> tuple[Visual, ...]:
    """Return slicers that move together from page to page: program, project and cut, or those of *codes*."""
    found = []
    for code in codes or ("program", "project", "cut"):
        field, fr, en, filters = _SLICERS[code]
        found.append(
            Visual(key=f"by {code}", kind="slicer", fr=fr, en=en, roles={"Values": (field,)}, sync=code,
                   filters=filters)
        )  # fmt: skip
    return tuple(found)


def card(key: str, fr: str, en: str, code: str, tip: str = "") -> Visual:
    """Return one figure, and the page that explains it."""
    return Visual(
        key=key, kind="card", fr=fr, en=en, roles={"Values": (code,)}, tip=tip_of(tip) if tip else ""
    )


def cards(*visuals: Visual) -> Row:
    """Return a row of figures."""
    return row(*visuals, height=CARD_HEIGHT)


def table(key: str, fr: str, en: str, fields: tuple[Field, ...], **more: Any) -> Visual:
    """Return a table of *fields*."""
    return Visual(key=key, kind="tableEx", fr=fr, en=en, roles={"Values": fields}, **more)


def chart(
    kind: str, key: str, fr: str, en: str, axis: tuple[Field, ...], values: tuple[Field, ...],
    *, series: Field | None = None, **more: Any,
) -> Visual:  # fmt: skip
    """Return a chart of *values* along *axis*, a line or bar a *series*."""
    roles = {"Category": axis, "Y": values} | ({"Series": (series,)} if series else {})
    return Visual(key=key, kind=kind, fr=fr, en=en, roles=roles, **more)
