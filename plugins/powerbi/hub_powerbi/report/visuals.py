"""Write a visual as PBIR: its fields, its look, what is read of it aloud, where it stands."""

from __future__ import annotations

from typing import Any

from hub import CONFIDENCE, DECLARED, HEALTH, TREND
from hub_powerbi.names import Names
from hub_powerbi.report.bookmarks import bookmark_of, visual_name
from hub_powerbi.report.shapes import SCHEMAS, Field, Filter, Page, Placed, Visual, name_of
from hub_powerbi.report.theme import icon_of
from hub_powerbi.worded import BLUE, GREY, STEP

_KINDS = {
    "slicer": ("Sélection", "Slicer"), "card": ("Chiffre", "Figure"), "tableEx": ("Tableau", "Table"),
    "pivotTable": ("Matrice", "Matrix"), "lineChart": ("Courbe", "Line chart"),
    "clusteredBarChart": ("Barres", "Bar chart"), "clusteredColumnChart": ("Histogramme", "Column chart"),
    "lineClusteredColumnComboChart": ("Histogramme et courbe", "Columns and line"),
    "waterfallChart": ("Cascade", "Waterfall"), "image": ("Image", "Image"), "textbox": ("Texte", "Text"),
    "actionButton": ("Bouton", "Button"),
}  # fmt: skip
_ICONS = {
    "weather_name": (HEALTH, ("red", "amber", "green")),
    "declared_name": (DECLARED, ("red", "amber", "green")),
    "trend_name": (TREND, ("better", "same", "worse")),
    "confidence_name": (CONFIDENCE, ("low", "medium", "high")),
}  # fmt: skip
"""Measures that come with an icon: the measure that is asked, and its values."""


def literal(text: str) -> dict[str, Any]:
    """Write a value as PBIR does."""
    return {"expr": {"Literal": {"Value": text}}}


def said(text: str) -> dict[str, Any]:
    """Write a text as PBIR does: between single quotes."""
    return literal("'" + text.replace("'", "''") + "'")


_YES, _NO = literal("true"), literal("false")


def field_of(names: Names, field: Field, *, source: str | None = None) -> dict[str, Any]:
    """Return *field* as PBIR writes it; *source* is the alias of its table inside a filter."""
    if isinstance(field, str):
        kind, entity, name = "Measure", names.measures_table, names.measures[field]
    elif field == ("steps", "step"):
        kind, entity, name = "Column", names.steps_table, STEP[0 if names.lang == "fr" else 1]
    else:
        table, column = field
        kind, entity = "Column", names.tables[table]
        name = names.columns[table][column.replace("*", names.lang)]
    ref = {"Source": source} if source else {"Entity": entity}
    return {kind: {"Expression": {"SourceRef": ref}, "Property": name}}


def filter_of(names: Names, place: str, one: Filter) -> dict[str, Any]:
    """Return the filter of the visual or page *place* that keeps the values of *one*."""
    column, values = one
    condition = {
        "In": {
            "Expressions": [field_of(names, column, source="t")],
            "Values": [[{"Literal": {"Value": f"'{value}'"}}] for value in values],
        }
    }
    return {
        "name": "Filter" + name_of("filter", place, *column, size=24),
        "type": "Categorical",
        "howCreated": "User",
        "field": field_of(names, column),
        "filter": {
            "Version": 2,
            "From": [{"Name": "t", "Entity": names.tables[column[0]], "Type": 0}],
            "Where": [{"Condition": condition}],
        },
    }


def aloud(names: Names, visual: Visual) -> str:
    """Return what a screen reader says of *visual*: what it is, its title, the fields it shows."""
    at = 0 if names.lang == "fr" else 1
    told = f"{_KINDS[visual.kind][at]}{' : ' if names.lang == 'fr' else ': '}{visual.title(names.lang)}."
    shown = [_caption(names, one) for fields in visual.roles.values() for one in fields]
    if len(shown) > 1:
        told += f" {'Montre' if names.lang == 'fr' else 'Shows'} {', '.join(shown)}."
    if visual.every_cut:
        told += " Tous les arrêtés." if names.lang == "fr" else " Every cut."
    return told


def _caption(names: Names, field: Field) -> str:
    (inner,) = field_of(names, field).values()
    return str(inner["Property"])


def visual_file(names: Names, page: Page, placed: Placed, number: int, *, logo: str) -> dict[str, Any]:
    """Return the file of a visual, the *number*-th of its page that a keyboard comes to."""
    visual, box = placed.visual, placed.screen
    shown: dict[str, Any] = {"visualType": visual.kind}
    if visual.roles:
        shown["query"] = _query(names, visual)
    if objects := _objects(names, visual, logo):
        shown["objects"] = objects
    shown["visualContainerObjects"] = _container(names, page, visual)
    if visual.sync:
        shown["syncGroup"] = {"groupName": visual.sync, "fieldChanges": True, "filterChanges": True}
    shown["drillFilterOtherVisuals"] = True
    name = visual_name(page, visual.key)
    found: dict[str, Any] = {
        "$schema": f"{SCHEMAS}visualContainer/2.9.0/schema.json",
        "name": name,
        "position": {
            "x": box.x, "y": box.y, "z": number * 1000, "width": box.width, "height": box.height,
            "tabOrder": number * 1000,
        },
        "visual": shown,
    }  # fmt: skip
    if visual.view == "detail":
        found["isHidden"] = True
    if visual.filters:
        found["filterConfig"] = {"filters": [filter_of(names, name, one) for one in visual.filters]}
    return found


def phone_file(placed: Placed, number: int) -> dict[str, Any] | None:
    """Return the file of a visual's place on a phone; None where it is not there."""
    if placed.phone is None:
        return None
    box = placed.phone
    return {
        "$schema": f"{SCHEMAS}visualContainerMobileState/2.4.0/schema.json",
        "position": {
            "x": box.x, "y": box.y, "z": number * 1000, "width": box.width, "height": box.height,
            "tabOrder": number * 1000,
        },
    }  # fmt: skip


def _query(names: Names, visual: Visual) -> dict[str, Any]:
    query: dict[str, Any] = {
        "queryState": {
            role: {"projections": [_projection(names, field) for field in fields]}
            for role, fields in visual.roles.items()
        }
    }
    if visual.sort is not None:
        direction = "Descending" if visual.descending else "Ascending"
        query["sortDefinition"] = {
            "sort": [{"field": field_of(names, visual.sort), "direction": direction}],
            "isDefaultSort": False,
        }
    return query


def _projection(names: Names, field: Field) -> dict[str, Any]:
    shown = field_of(names, field)
    return {
        "field": shown,
        "queryRef": _reference(shown),
        "nativeQueryRef": next(iter(shown.values()))["Property"],
    }


def _reference(field: dict[str, Any]) -> str:
    (inner,) = field.values()
    return f"{inner['Expression']['SourceRef']['Entity']}.{inner['Property']}"


def _container(names: Names, page: Page, visual: Visual) -> dict[str, Any]:
    """Return the title, what is read aloud, the page that shows when one points at it, what a button does."""
    titled = visual.kind not in {"textbox", "image", "actionButton", "slicer"}
    title: dict[str, Any] = {"show": _YES if titled else _NO}
    if titled:
        title["text"] = said(visual.title(names.lang))
    found: dict[str, Any] = {
        "title": [{"properties": title}],
        "general": [{"properties": {"altText": said(aloud(names, visual))}}],
    }
    if visual.tip:
        found["visualTooltip"] = [
            {"properties": {"show": _YES, "type": said("Canvas"), "section": said(name_of(visual.tip))}}
        ]
    if visual.action == "Back":
        found["visualLink"] = [{"properties": {"show": _YES, "type": said("Back")}}]
    elif visual.action:
        bookmark = said(bookmark_of(page, visual.action))
        found["visualLink"] = [{"properties": {"show": _YES, "type": said("Bookmark"), "bookmark": bookmark}}]
    return found


def _objects(names: Names, visual: Visual, logo: str) -> dict[str, Any]:
    if visual.kind == "textbox" and visual.text is not None:
        return {"general": [{"properties": {"paragraphs": _paragraphs(names, visual)}}]}
    if visual.kind == "image":
        item = {
            "ResourcePackageItem": {"PackageName": "RegisteredResources", "PackageType": 1, "ItemName": logo}
        }
        file = {"image": {"name": said(logo), "url": {"expr": item}, "scaling": said("Fit")}}
        return {
            "image": [{"properties": {"sourceType": said("image"), "sourceFile": file, "fit": said("Fit")}}]
        }
    if visual.kind == "actionButton":
        text = {"show": _YES, "text": said(visual.title(names.lang)), "fontColor": _solid(said(BLUE))}
        return {
            "icon": [{"properties": {"show": _NO}}],
            "text": [{"properties": text, "selector": {"id": "default"}}],
            "outline": [{"properties": {"show": _YES, "lineColor": _solid(said(GREY))}}],
        }
    if visual.kind == "slicer":
        header = {"show": _YES, "text": said(visual.title(names.lang))}
        return {
            "data": [{"properties": {"mode": said("Dropdown")}}],
            "header": [{"properties": header}],
        }
    if visual.kind == "card":
        return {"categoryLabels": [{"properties": {"show": _NO}}]}
    if visual.kind in {"tableEx", "pivotTable"}:
        return _cells(names, visual)
    return {}


def _paragraphs(names: Names, visual: Visual) -> list[dict[str, Any]]:
    """Return the paragraphs of a text: the title of a page, or a heading with what follows it."""
    assert visual.text is not None
    first, *rest = visual.text[0 if names.lang == "fr" else 1]
    head = {"fontSize": "20pt" if visual.key == "title" else "11pt", "fontWeight": "bold", "color": BLUE}
    return [
        {"textRuns": [{"value": first, "textStyle": head}]},
        *({"textRuns": [{"value": one, "textStyle": {"fontSize": "9pt"}}]} for one in rest),
    ]


def _cells(names: Names, visual: Visual) -> dict[str, Any]:
    """Return the conditional formats of a table: icons of what has one, and shades of the values."""
    values: list[dict[str, Any]] = []
    fields = [one for fields in visual.roles.values() for one in fields if isinstance(one, str)]
    for field in fields:
        properties: dict[str, Any] = {}
        if field in _ICONS:
            asked, codes = _ICONS[field]
            cases = [
                {
                    "Condition": {
                        "Comparison": {
                            "ComparisonKind": 0,
                            "Left": field_of(names, asked),
                            "Right": {"Literal": {"Value": f"'{code}'"}},
                        }
                    },
                    "Value": {"Literal": {"Value": f"'{icon_of(code)}'"}},
                }
                for code in codes
            ]
            properties["icon"] = {
                "kind": "Icon",
                "layout": said("Before"),
                "verticalAlignment": said("Middle"),
                "value": {"expr": {"Conditional": {"Cases": cases}}},
            }
        if visual.shades and field == fields[0]:
            back, ink = (_solid({"expr": field_of(names, one)}) for one in visual.shades)
            properties |= {"backColor": back, "fontColor": ink}
        if properties:
            selector = {
                "data": [{"dataViewWildcard": {"matchingOption": 1}}],
                "metadata": _reference(field_of(names, field)),
            }
            values.append({"properties": properties, "selector": selector})
    return {"values": values} if values else {}


def _solid(colour: dict[str, Any]) -> dict[str, Any]:
    return {"solid": {"color": colour}}
