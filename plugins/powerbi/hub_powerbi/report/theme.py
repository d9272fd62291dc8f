"""The look of the report: a base theme, ours above it, and a company's own above both; its logo."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from typing import Any

import msgspec

from hub_powerbi.report.shapes import name_of
from hub_powerbi.worded import AMBER, BLUE, GREEN, GREY, RED, TEXT

BASE = "CY26SU07"
_IMPORTED = {"visual": "2.9.0", "report": "3.3.0", "page": "2.1.0"}
_FONT = "Segoe UI"


class Look(msgspec.Struct, frozen=True):
    """A company's *theme* of Power BI, whose keys win over ours; its *logo*, with the ending of its file."""

    theme: dict[str, Any] = {}
    logo: bytes = b""
    ending: str = ""


def _icon(drawing: str, colour: str) -> str:
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16" width="16" height="16" fill="{colour}">'
        f"{drawing}</svg>"
    )
    return "data:image/svg+xml;base64," + b64encode(svg.encode()).decode()


def _arrow(turn: int) -> str:
    return f'<path transform="rotate({turn} 8 8)" d="M2 7h7V3l5 5-5 5V9H2z"/>'


_ICONS = {
    "red": ('<rect x="2" y="2" width="12" height="12"/>', RED),
    "amber": ('<path d="M8 1l7 13H1z"/>', AMBER),
    "green": ('<circle cx="8" cy="8" r="6.5"/>', GREEN),
    "better": (_arrow(-45), GREEN),
    "same": (_arrow(0), GREY),
    "worse": (_arrow(45), RED),
    "low": ('<path d="M8 1a7 7 0 1 0 .01 0zm0 1.5a5.5 5.5 0 1 1-.01 0zM8 2v6h6a6 6 0 0 0-6-6z"/>', RED),
    "medium": ('<path d="M8 1a7 7 0 1 0 .01 0zm0 1.5a5.5 5.5 0 1 1-.01 0zM8 2v12a6 6 0 0 0 0-12z"/>', AMBER),
    "high": ('<circle cx="8" cy="8" r="6.5"/>', GREEN),
}


def icon_of(value: str) -> str:
    """Return the name of the icon of a code, such as ``red``."""
    return f"pm-hub-{value}"


def _ours() -> dict[str, Any]:
    """Return our theme, but for its name: colours that stand apart, quiet frames, titles that can be read."""
    title = {"fontSize": 11, "bold": True, "fontFamily": _FONT, "fontColor": _solid(BLUE), "titleWrap": True}
    head = {"fontColor": _solid("#FFFFFF"), "backColor": _solid(BLUE), "fontSize": 9, "bold": True}
    cells = {"fontSize": 9, "fontColorPrimary": _solid(TEXT), "fontColorSecondary": _solid(TEXT),
             "backColorSecondary": _solid("#F4F6F8")}  # fmt: skip
    return {
        "dataColors": [BLUE, "#5B8DB8", "#B0601A", "#6A5495", GREEN, "#9C3D61", "#3F7F86", GREY],
        "foreground": TEXT, "foregroundNeutralSecondary": "#4A5763", "background": "#FFFFFF",
        "backgroundLight": "#F4F6F8", "tableAccent": BLUE, "good": GREEN, "neutral": AMBER, "bad": RED,
        "maximum": RED, "center": AMBER, "minimum": GREEN, "null": GREY,
        "textClasses": {
            "title": {"fontFace": _FONT, "fontSize": 11, "color": BLUE},
            "label": {"fontFace": _FONT, "fontSize": 9, "color": TEXT},
            "callout": {"fontFace": _FONT, "fontSize": 20, "color": TEXT},
            "header": {"fontFace": _FONT, "fontSize": 10, "color": TEXT},
        },
        "icons": {
            icon_of(value): {"description": value, "url": _icon(*drawn)} for value, drawn in _ICONS.items()
        },
        "visualStyles": {
            "*": {"*": {"title": [title],
                        "border": [{"show": True, "color": _solid("#DDE3E8"), "radius": 4}]}},
            "page": {"*": {"background": [{"color": _solid("#FBFCFD"), "transparency": 0}]}},
            "tableEx": {"*": {"columnHeaders": [head], "values": [cells]}},
            "pivotTable": {"*": {"columnHeaders": [head], "rowHeaders": [{"fontSize": 9}],
                                 "values": [{"fontSize": 9}]}},
            "card": {"*": {"labels": [{"fontSize": 20, "color": _solid(TEXT)}],
                           "categoryLabels": [{"show": False}]}},
            "waterfallChart": {"*": {"sentimentColors": [
                {"increaseFill": _solid(RED), "decreaseFill": _solid(GREEN), "totalFill": _solid(BLUE)}]}},
            "textbox": {"*": {"border": [{"show": False}]}},
            "image": {"*": {"border": [{"show": False}]}},
        },
    }  # fmt: skip


def _solid(colour: str) -> dict[str, Any]:
    return {"solid": {"color": colour}}


def _over(below: dict[str, Any], above: dict[str, Any]) -> dict[str, Any]:
    """Return *below* with what *above* says otherwise, key by key."""
    return {
        **below,
        **{
            key: _over(below[key], value)
            if isinstance(value, dict) and isinstance(below.get(key), dict)
            else value
            for key, value in above.items()
        },
    }


def look_files(look: Look) -> tuple[dict[str, Any], dict[str, str | bytes], str]:
    """Return what ``report.json`` says of the look, its files by their path there, and the logo's name.

    Power BI keeps themes by name: another content is another name. The logo's is empty where there is none.
    """
    body = _over(_ours(), {key: value for key, value in look.theme.items() if key not in {"$schema", "name"}})
    name = "pm-hub-" + name_of(json.dumps(body, sort_keys=True), size=8)
    items = [{"name": f"{name}.json", "path": f"{name}.json", "type": "CustomTheme"}]
    place = "StaticResources/RegisteredResources"
    files: dict[str, str | bytes] = {
        f"{place}/{name}.json": _json({"name": f"{name}.json"} | body),
        f"StaticResources/SharedResources/BaseThemes/{BASE}.json": _json(
            {"name": BASE, "dataColors": body["dataColors"], "foreground": TEXT, "background": "#FFFFFF"}
        ),
    }
    logo = ""
    if look.logo:
        logo = f"logo-{hashlib.sha256(look.logo).hexdigest()[:8]}{look.ending}"
        items.append({"name": logo, "path": logo, "type": "Image"})
        files[f"{place}/{logo}"] = look.logo
    base = {"name": BASE, "path": f"BaseThemes/{BASE}.json", "type": "BaseTheme"}
    said = {
        "themeCollection": {
            "baseTheme": {"name": BASE, "reportVersionAtImport": _IMPORTED, "type": "SharedResources"},
            "customTheme": {
                "name": f"{name}.json", "reportVersionAtImport": _IMPORTED, "type": "RegisteredResources",
            },
        },
        "resourcePackages": [
            {"name": "SharedResources", "type": "SharedResources", "items": [base]},
            {"name": "RegisteredResources", "type": "RegisteredResources", "items": items},
        ],
    }  # fmt: skip
    return said, files, logo


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
