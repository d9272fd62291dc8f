"""Write the pages as one HTML file that asks for nothing else: charts inside it, printed as A4 landscape."""

from __future__ import annotations

import re
from html import escape
from importlib.resources import files
from typing import Any

from hub import alternative, chart, speaking, title_of, tr
from hub_papers.charts import render, sized
from hub_papers.content import Block, Chart, Paper
from hub_papers.look import FILLS, GLYPHS, SYMBOLS, ink_on, word_of
from hub_papers.notes import definitions, standing


def write_html(paper: Paper) -> bytes:
    """Return *paper* as an HTML file; the same paper is the same file. Raises `MissingExtra`."""
    import jinja2

    story = paper.story
    folder = files("hub_papers")
    with speaking(story.lang):
        environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
        figures = [name for page in paper.pages for name in page.figures()]
        text = environment.from_string((folder / "page.html").read_text(encoding="utf-8")).render(
            paper=paper, lang=story.lang, moment=f"{story.as_of}T12:00:00Z", skip=tr("To the content"),
            style=(folder / "page.css").read_text(encoding="utf-8"),
            pages=[
                {
                    "id": f"page-{place}", "title": page.title, "lead": page.lead,
                    "share": round(page.share * 100),
                    "top": [_drawn(one, 1) for one in page.top],
                    "left": [_drawn(one, page.share if page.right else 1) for one in page.left],
                    "right": [_drawn(one, 1 - page.share) for one in page.right],
                }
                for place, page in enumerate(paper.pages, 1)
            ],
            glyphs=GLYPHS, symbols=SYMBOLS, fills=FILLS, ink_on=ink_on, word_of=word_of,
            definitions_title=tr("Definitions and sources"),
            definitions=definitions(figures, story.lang), standing=standing(story),
        )  # fmt: skip
    return text.encode()


def _drawn(block: Block, share: float) -> dict[str, Any]:
    """Return *block* as the template reads it; it has this *share* of the page's width."""
    found: dict[str, Any] = {name: getattr(block, name) for name in block.__struct_fields__}
    found["kind"] = type(block).__name__
    if isinstance(block, Chart):
        spec = chart(block.name, block.story)
        found["title"] = title_of(block.name, block.story)
        found["svg"] = _svg(spec, block, share) if spec else None
    return found


def _svg(spec: dict[str, Any], block: Chart, share: float) -> str:
    """Return the chart as an inline picture with its alternative text."""
    beside = 260 if block.name == "roadmap" else 120  # the names on the left, the legend on the right
    width = int(1180 * share) - beside  # so that letters are as large as those of the tables
    drawn = render(sized(spec, width), "svg", block.story.lang)
    drawn = re.sub(
        r"\s(?:role|aria-[a-z]+)=\"[^\"]*\"", "", drawn
    )  # of each mark: the picture is told as one
    label = escape(alternative(block.name, block.story))
    return drawn.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
