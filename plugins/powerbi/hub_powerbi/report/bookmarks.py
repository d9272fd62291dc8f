"""Bookmarks: each page of two views opens in the committee's or in the detail."""

from __future__ import annotations

from typing import Any

from hub_powerbi.report.shapes import SCHEMAS, Page, Placed, View, name_of

_NAMES: dict[View, tuple[str, str]] = {
    "committee": ("Vue comité", "Committee view"), "detail": ("Vue détail", "Detailed view"),
}  # fmt: skip


def bookmark_of(page: Page, view: str) -> str:
    """Return the name of the bookmark that shows *page* in *view*."""
    return name_of("bookmark", page.code, view)


def visual_name(page: Page, key: str) -> str:
    """Return the name of the visual *key* of *page*."""
    return name_of(page.code, key)


def bookmark_files(placed: list[tuple[Page, list[Placed]]], lang: str) -> dict[str, Any]:
    """Return the files of ``definition/`` that hold the bookmarks, a group a page.

    A bookmark says of each visual of a view whether it is hidden; without a word it is shown. Slicers and the
    page that is open stay as they are.
    """
    found: dict[str, Any] = {}
    groups = []
    for page, visuals in placed:
        paired = [one.visual for one in visuals if one.visual.view]
        if not paired:
            continue
        children = []
        for view, (fr, en) in _NAMES.items():
            name = bookmark_of(page, view)
            children.append(name)
            states = {
                visual_name(page, one.key): {
                    "singleVisual": {"visualType": one.kind, "objects": {}}
                    | ({} if one.view == view else {"display": {"mode": "hidden"}})
                }
                for one in paired
            }
            found[f"bookmarks/{name}.bookmark.json"] = {
                "$schema": f"{SCHEMAS}bookmark/2.1.0/schema.json",
                "displayName": f"{page.title(lang)} : {fr.lower()}" if lang == "fr"
                else f"{page.title(lang)}: {en.lower()}",
                "name": name,
                "options": {
                    "applyOnlyToTargetVisuals": True,
                    "targetVisualNames": [visual_name(page, one.key) for one in paired],
                    "suppressActiveSection": True, "suppressData": True,
                },
                "explorationState": {
                    "version": "1.3", "activeSection": name_of(page.code),
                    "sections": {name_of(page.code): {"visualContainers": states}},
                },
            }  # fmt: skip
        group = {
            "name": name_of("bookmarks", page.code),
            "displayName": page.title(lang),
            "children": children,
        }
        groups.append(group)
    found["bookmarks/bookmarks.json"] = {
        "$schema": f"{SCHEMAS}bookmarksMetadata/1.0.0/schema.json", "items": groups,
    }  # fmt: skip
    return found
