"""Draw the pages of a report as their files say where things stand: no screenshot, no figures.

Usage: draw.py REPORT_DEFINITION OUT. One PNG a page, as it opens; what only another view shows is left out.
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

_FILL = {
    "slicer": "#FFFFFF",
    "card": "#F4F6F8",
    "textbox": "#FBFCFD",
    "actionButton": "#E3E8ED",
    "image": "#E3E8ED",
}
_BLUE, _TEXT, _LINE = "#1F3A5F", "#22303C", "#C3CCD4"
_HATCH = {"tableEx", "pivotTable"}
_FONTS = ("LiberationSans-Regular.ttf", "DejaVuSans.ttf", "Arial.ttf")


def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return a font with accents where the machine has one."""
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, size)
        except OSError:
            continue
    return ImageFont.load_default(size)


def draw(folder: Path, out: Path) -> None:
    """Draw the page in *folder* to the file *out*."""
    page = json.loads((folder / "page.json").read_text("utf-8"))
    image = Image.new("RGB", (page["width"], page["height"]), "#FBFCFD")
    pen = ImageDraw.Draw(image)
    for file in sorted(folder.glob("visuals/*/visual.json")):
        found = json.loads(file.read_text("utf-8"))
        if not found.get("isHidden"):
            _visual(pen, found["position"], found["visual"])
    image.quantize(16).save(out, optimize=True)


def _visual(pen: ImageDraw.ImageDraw, at: dict[str, Any], visual: dict[str, Any]) -> None:
    kind, left, top = visual["visualType"], at["x"], at["y"]
    right, bottom = left + at["width"] - 1, top + at["height"] - 1
    pen.rectangle((left, top, right, bottom), fill=_FILL.get(kind, "#FFFFFF"), outline=_LINE)
    for y in range(top + 48, bottom - 8, 22) if kind in _HATCH else ():
        pen.line((left + 8, y, right - 8, y), fill="#E3E8ED")
    lines = _title(kind, visual).split("\n")
    title = "\n".join(part for one in lines for part in textwrap.wrap(one, max(8, at["width"] // 7)) or [""])
    font = _font(24 if kind == "textbox" and at["height"] < 60 else 13)
    pen.text((left + 8, top + 8), title, fill=_BLUE if kind != "slicer" else _TEXT, font=font)
    if kind not in _FILL:
        fields = ", ".join(
            one["nativeQueryRef"]
            for role in visual["query"]["queryState"].values()
            for one in role["projections"]
        )
        room = max(8, at["width"] // 7)
        pen.text((left + 8, top + 28), fields[:room], fill="#4A5763", font=_font(11))


def _title(kind: str, visual: dict[str, Any]) -> str:
    if kind == "textbox":
        paragraphs = visual["objects"]["general"][0]["properties"]["paragraphs"]
        return "\n".join(run["value"] for one in paragraphs for run in one["textRuns"])
    if kind in {"actionButton", "slicer"}:
        place = "text" if kind == "actionButton" else "header"
        return _said(visual["objects"][place][0]["properties"]["text"])
    title = visual["visualContainerObjects"]["title"][0]["properties"]
    return _said(title["text"]) if "text" in title else ""


def _said(literal: dict[str, Any]) -> str:
    return str(literal["expr"]["Literal"]["Value"])[1:-1].replace("''", "'")


if __name__ == "__main__":
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    target.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(
        json.loads((source / "pages/pages.json").read_text("utf-8"))["pageOrder"], 1
    ):
        draw(source / "pages" / name, target / f"{number:02}.png")
