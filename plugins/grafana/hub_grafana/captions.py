"""What the columns of the queries are called, and how Grafana writes and colours them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec
from grafana_foundation_sdk.builders.dashboard import DashboardLink
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue, ValueMap, ValueMappingResult

from hub import ARROWS, Lang, column_captions, mark, measures, tr

Kind = Literal[
    "text", "long", "number", "whole", "ratio", "share", "amount", "day", "instant", "hidden", "url"
]

RED, AMBER, GREEN, GREY = "#B3261E", "#E0A100", "#2E7D4F", "#8A949E"
_COLOURS: Mapping[str, tuple[str, str]] = {"red": ("▼", RED), "amber": ("◆", AMBER), "green": ("●", GREEN)}
"""Sign and colour: the sign says it without the colour."""
_TRENDS = {"better": GREEN, "same": GREY, "worse": RED}
_WORDS: Mapping[str, tuple[str, ...]] = {
    "trend": (mark("better"), mark("same"), mark("worse")),
    "topic": (mark("milestone"), mark("budget"), mark("effort"), mark("risk"), mark("scope")),
    "cause": (mark("news"), mark("correction"), mark("definition changed")),
    "what": (
        mark("finish"), mark("amount"), mark("remaining"), mark("spent"), mark("at completion"),
        mark("risk opened"), mark("risk closed"), mark("issue opened"), mark("issue closed"),
        mark("action opened"), mark("action closed"), mark("decision opened"), mark("decision closed"),
    ),
    "kind": (mark("risk"), mark("issue"), mark("action"), mark("decision")),
    "unit": (
        mark("days"), mark("duration"), mark("hours"), mark("amount"), mark("share"), mark("ratio"),
        mark("count"), mark("points"), mark("score"), mark("flag"),
    ),
    "verdict": (mark("ok"), mark("partial"), mark("failed"), mark("interrupted")),
    "confidence": (mark("high"), mark("medium"), mark("low")),
}  # fmt: skip
"""The values of a column that the feed keeps as words of its own, for people to read in their language."""
_CALLED = {"same": mark("stable"), "days": mark("person-days"), "duration": mark("days")}
"""Values that people call otherwise here."""
_COLOURED: Mapping[str, Mapping[str, str]] = {
    "trend": _TRENDS,
    "verdict": {"ok": GREEN, "partial": AMBER, "failed": RED, "interrupted": RED},
    "confidence": {"high": GREEN, "medium": AMBER, "low": RED},
}
_OF_MODEL: Mapping[str, tuple[str, str, Kind]] = {
    "code": ("dim_project", "code", "text"), "name": ("dim_project", "name", "long"),
    "program": ("dim_project", "program", "text"), "phase": ("dim_project", "phase", "text"),
    "computed": ("fact_weather", "computed", "text"), "declared": ("fact_weather", "declared", "text"),
    "trend": ("fact_weather", "trend", "text"), "reason": ("fact_weather", "reason", "long"),
    "commentary": ("fact_weather", "commentary", "long"),
    "confidence": ("fact_weather", "confidence", "text"),
    "confidence_reason": ("fact_weather", "confidence", "long"),
    "topic": ("fact_move", "topic", "text"), "item": ("fact_move", "item", "long"),
    "what": ("fact_move", "measure", "text"), "cause": ("fact_move", "cause", "text"),
    "before_value": ("fact_move", "before_value", "number"),
    "after_value": ("fact_move", "after_value", "number"),
    "before_date": ("fact_move", "before_date", "day"), "after_date": ("fact_move", "after_date", "day"),
    "delta": ("fact_move", "delta", "number"),
    "kind": ("fact_register", "kind", "text"), "title": ("fact_register", "title", "long"),
    "asked_of": ("fact_register", "asked_of", "text"),
    "probability": ("fact_register", "probability", "share"), "impact": ("fact_register", "impact", "whole"),
    "exposure_amount": ("fact_register", "exposure_amount", "amount"),
    "opened_date": ("fact_register", "opened_date", "day"), "due_date": ("fact_register", "due_date", "day"),
    "pv_days": ("fact_evm_month", "pv_days", "number"), "ev_days": ("fact_evm_month", "ev_days", "number"),
    "ac_days": ("fact_evm_month", "ac_days", "number"),
    "task": ("dim_task", "title", "long"), "key": ("dim_task", "key", "text"),
    "url": ("dim_task", "url", "url"), "status": ("dim_status", "label", "text"),
    "baseline_finish": ("fact_task_snapshot", "baseline_finish", "day"),
    "planned_finish": ("fact_task_snapshot", "planned_finish", "day"),
    "actual_finish": ("fact_task_snapshot", "actual_finish", "day"),
    "figure": ("fact_kpi", "kpi", "long"), "value": ("fact_kpi", "value", "ratio"),
    "unit": ("fact_kpi", "unit", "text"), "rag": ("fact_kpi", "rag", "text"),
    "target": ("fact_kpi", "target", "ratio"), "threshold": ("fact_kpi", "threshold", "ratio"),
    "numerator": ("fact_kpi", "numerator", "ratio"), "denominator": ("fact_kpi", "denominator", "ratio"),
    "coverage": ("fact_kpi", "coverage", "share"), "period": ("fact_kpi", "period", "text"),
    "method": ("fact_kpi", "method", "text"),
    "team": ("dim_person", "team", "text"), "sla": ("fact_sla", "sla_name", "text"),
    "start_at": ("fact_sla", "start_at", "instant"),
    "source": ("dim_source", "name", "text"), "plugin": ("dim_source", "plugin", "text"),
    "verdict": ("dim_source", "verdict", "text"),
    "last_success_at": ("dim_source", "last_success_at", "instant"),
    "check_code": ("fact_quality", "check_code", "text"),
    "n_checked": ("fact_quality", "n_checked", "whole"), "n_failed": ("fact_quality", "n_failed", "whole"),
    "record": ("fact_rejection", "record", "text"), "place": ("fact_rejection", "place", "long"),
    "field": ("fact_rejection", "field", "text"), "rejected": ("fact_rejection", "value", "text"),
    "rejection": ("fact_rejection", "reason", "long"), "hours": ("fact_rejection", "hours", "number"),
    "amount": ("fact_rejection", "amount", "amount"),
    "first_seen_date": ("fact_rejection", "first_seen_date", "day"),
}  # fmt: skip
"""By name of a column in the queries: the column of the model that says its caption, and its kind."""
_OURS: Mapping[str, tuple[str, Kind]] = {
    "project_key": (mark("Project key"), "hidden"),
    "n_red": (mark("red"), "whole"), "n_amber": (mark("amber"), "whole"),
    "n_green": (mark("green"), "whole"),
    "n_contradicted": (mark("Declared green, computed red"), "whole"),
    "goal_h": (mark("Goal (h)"), "number"), "elapsed_h": (mark("Elapsed (h)"), "number"),
    "age_h": (mark("Age now (h)"), "number"), "limit_h": (mark("Maximum age (h)"), "number"),
}  # fmt: skip
_MONEY = frozenset({"LANDING landing", "LANDING variance", "RISK expected_exposure"})
_WIDTHS: Mapping[str, int] = {"long": 280, "day": 110, "instant": 160, "text": 120}
_FORMATS: Mapping[str, Kind] = {"#,##0": "whole", "0%": "share", "0": "whole", "0.00": "ratio"}


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a query: its *caption* in the language spoken, and the *kind* of its values."""

    name: str
    caption: str
    kind: Kind


def column(name: str, *, lang: Lang, currency: str) -> Column | None:
    """Return what is known of the column *name* of a query; None for one that is a series of a chart.

    A figure of the catalogue is named as its measure is, ``EVM_DAYS cpi``. Amounts say their *currency*.
    """
    kind: Kind
    if measure := measures().get(name):
        kind = "amount" if name in _MONEY else _FORMATS.get(measure.format, "number")
        caption = measure.fr if lang == "fr" else measure.en
    elif name in _OF_MODEL:
        table, of_model, kind = _OF_MODEL[name]
        captions = column_captions(table, lang)
        caption = captions.get(of_model) or captions[f"{of_model}_{lang}"]
        if name == "confidence_reason":
            caption = captions[f"confidence_{lang}"]
    elif name in _OURS:
        template, kind = _OURS[name]
        caption = tr(template)
    else:
        return None
    return Column(name=name, caption=f"{caption} ({currency})" if kind == "amount" else caption, kind=kind)


def properties(one: Column, *, lang: Lang) -> list[DynamicConfigValue]:
    """Return how Grafana shows the column *one* of a table or a chart."""
    found = [_set("displayName", one.caption)]
    found += [_set(name, value) for name, value in _writing(one.kind, lang)]
    if mapped := mappings(one.name, lang):
        found.append(_set("mappings", [mapped]))
        if one.name in _COLOURED or one.name in {"computed", "declared", "rag"}:
            found.append(_set("custom.cellOptions", {"type": "color-background", "mode": "basic"}))
    if one.kind in _WIDTHS:
        found.append(_set("custom.width", _WIDTHS[one.kind]))
    if one.kind == "hidden":
        found.append(_set("custom.hidden", True))
    if one.kind == "url":
        link = DashboardLink(tr("Open in the tool")).url("${__value.raw}").target_blank(True).build()
        found += [_set("links", [{"title": link.title, "url": link.url, "targetBlank": True}])]
    return found


def _called(value: str) -> str:
    return tr(_CALLED.get(value, value))


def mappings(name: str, lang: Lang) -> ValueMap | None:
    """Return words and colours of the values of the column *name*; None where they stand for themselves."""
    told: dict[str, ValueMappingResult] = {}
    if name in {"computed", "declared", "rag"}:
        told = {
            value: ValueMappingResult(text=f"{sign} {tr(value)}", color=colour, index=index)
            for index, (value, (sign, colour)) in enumerate(_COLOURS.items())
        }
    elif name == "figure":
        told = {
            code: ValueMappingResult(text=one.fr if lang == "fr" else one.en, index=index)
            for index, (code, one) in enumerate(measures().items())
            if one.table == "fact_kpi" and " previous" not in code
        }
    elif name in _WORDS:
        colours = _COLOURED.get(name, {})
        told = {
            value: ValueMappingResult(
                text=f"{ARROWS[value]} {_called(value)}" if name == "trend" else _called(value),
                color=colours.get(value),
                index=index,
            )
            for index, value in enumerate(_WORDS[name])
        }
    return ValueMap(told) if told else None


def _writing(kind: Kind, lang: Lang) -> list[tuple[str, Any]]:
    """Return unit and decimals of a *kind* of values; days and instants are UTC's."""
    day = "DD/MM/YYYY" if lang == "fr" else "YYYY-MM-DD"
    match kind:
        case "number":
            return [("unit", "locale"), ("decimals", 1)]
        case "ratio":
            return [("unit", "locale"), ("decimals", 2)]
        case "whole" | "amount":
            return [("unit", "locale"), ("decimals", 0)]
        case "share":
            return [("unit", "percentunit"), ("decimals", 0)]
        case "day":
            return [("unit", f"time:{day}")]
        case "instant":
            return [("unit", f"time:{day} HH:mm")]
    return []


def _set(name: str, value: object) -> DynamicConfigValue:
    return DynamicConfigValue(id_val=name, value=value)
