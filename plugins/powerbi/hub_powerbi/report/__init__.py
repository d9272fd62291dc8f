"""The report: pages for a steering committee, written as PBIR.

Names derive from their meaning, so that a second writing makes the same files.

A table of facts that are kept at each cut shows a measure too: it is empty for what was only so at another
cut, and Power BI leaves such rows out.
"""

from __future__ import annotations

import json
from typing import Any

from hub import speaking
from hub_powerbi.names import Names
from hub_powerbi.report.bookmarks import bookmark_files, visual_name
from hub_powerbi.report.definitions import tips
from hub_powerbi.report.layout import place
from hub_powerbi.report.pages import PROJECT, committee_pages
from hub_powerbi.report.shapes import SCHEMAS, Page, Placed, name_of
from hub_powerbi.report.theme import Look, look_files
from hub_powerbi.report.visuals import field_of, filter_of, phone_file, visual_file

__all__ = ["Look", "pages", "report_files"]


def pages() -> tuple[Page, ...]:
    """Return the pages in their order: the committee's, that of one project, those that explain a figure."""
    return (*committee_pages(), *tips())


def report_files(names: Names, look: Look = Look()) -> dict[str, str | bytes]:  # noqa: B008 - it is frozen
    """Return the files of the report by their path: ``definition/`` and the look in ``StaticResources/``."""
    with speaking("fr" if names.lang == "fr" else "en"):  # definitions in the language of the feed
        return _report_files(names, look)


def _report_files(names: Names, look: Look) -> dict[str, str | bytes]:
    said, files, logo = look_files(look)
    found: dict[str, Any] = {
        "version.json": {"$schema": f"{SCHEMAS}versionMetadata/1.0.0/schema.json", "version": "2.0.0"},
        "report.json": {
            "$schema": f"{SCHEMAS}report/3.3.0/schema.json",
            **said,
            "settings": {
                "useStylableVisualContainerHeader": True, "useEnhancedTooltips": True,
                "defaultDrillFilterOtherVisuals": True, "allowChangeFilterTypes": True,
            },
        },
        "pages/pages.json": {
            "$schema": f"{SCHEMAS}pagesMetadata/1.1.0/schema.json",
            "pageOrder": [name_of(page.code) for page in pages()],
            "activePageName": name_of(pages()[0].code),
        },
    }  # fmt: skip
    laid_out = [(page, place(page, logo=bool(logo))) for page in pages()]
    for page, visuals in laid_out:
        folder = f"pages/{name_of(page.code)}"
        found[f"{folder}/page.json"] = _page(names, page, visuals)
        for number, placed in enumerate(visuals, start=1):
            at = f"{folder}/visuals/{visual_name(page, placed.visual.key)}"
            found[f"{at}/visual.json"] = visual_file(names, page, placed, number, logo=logo)
            if phone := phone_file(placed, number):
                found[f"{at}/mobile.json"] = phone
    found |= bookmark_files(laid_out, names.lang)
    return {f"definition/{path}": _json(value) for path, value in found.items()} | files


def _page(names: Names, page: Page, visuals: list[Placed]) -> dict[str, Any]:
    found: dict[str, Any] = {
        "$schema": f"{SCHEMAS}page/2.1.0/schema.json",
        "name": name_of(page.code),
        "displayName": page.title(names.lang),
        "displayOption": "FitToPage" if page.kind != "tip" else "ActualSize",
        "height": page.height,
        "width": page.width,
    }
    if page.kind != "page":
        found["visibility"] = "HiddenInViewMode"
    if page.kind == "tip":
        found |= {
            "type": "Tooltip",
            "pageBinding": {"name": name_of("binding", page.code), "type": "Tooltip"},
        }
    if page.kind == "drill":
        found |= _drill(names, page)
    if kept := _kept(page, visuals):
        found["visualInteractions"] = kept
    return found


def _kept(page: Page, visuals: list[Placed]) -> list[dict[str, str]]:
    """Return which slicers leave a visual as it is: that of the cut those whose axis are the cuts."""
    cuts = [one.visual for one in visuals if one.visual.sync == "cut"]
    return [
        {
            "source": visual_name(page, slicer.key),
            "target": visual_name(page, one.visual.key),
            "type": "NoFilter",
        }
        for slicer in cuts
        for one in visuals
        if one.visual.every_cut
    ]


def _drill(names: Names, page: Page) -> dict[str, Any]:
    """Return how the page is reached: by a project, from whatever shows one."""
    of = filter_of(names, page.code, (PROJECT, ()))
    del of["filter"]  # filled by where one comes from
    of["howCreated"] = "Drillthrough"
    parameter = {"name": name_of("parameter", page.code), "boundFilter": of["name"],
                 "fieldExpr": field_of(names, PROJECT)}  # fmt: skip
    binding = {"name": name_of("binding", page.code), "type": "Drillthrough", "parameters": [parameter]}
    return {"type": "Drillthrough", "pageBinding": binding, "filterConfig": {"filters": [of]}}


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
