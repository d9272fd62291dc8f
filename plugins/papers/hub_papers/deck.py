"""Write the pages as slides: native tables and charts that stay editable, notes, alternative texts."""

from __future__ import annotations

import copy
import io
from datetime import datetime, time
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from hub import speaking, tr
from hub_papers import native
from hub_papers.content import Block, Cell, Chart, Page, Paper, Sentences, Table, Tiles
from hub_papers.fitting import fitted, width_of, wrapped
from hub_papers.look import FILLS, GLYPHS, INK, LINE, PALE, SYMBOLS, WHITE, ink_on
from hub_papers.notes import definitions, standing
from hub_papers.steady import steady
from hub_papers.template import Box, Template, opened, title_size

SIZES = (13.0, 12.0, 11.0, 10.5, 10.0)
"""Points of the text of a table: the largest with which it fits."""
ROW = 2.0
"""Height of a row, in sizes of its text."""
CAPTION = 20.0
WORDS = 90.0
"""The least width of a column of words."""
GAP = 12.0
LANGUAGES = {"fr": "fr-FR", "en": "en-GB"}
_PLAIN = "{2D5ABB26-0587-4C30-8999-92F81FD0307C}"
"""PowerPoint's table style without any style: the theme of a template changes nothing then."""


def write_deck(paper: Paper, template: Path | None = None) -> bytes:
    """Return *paper* as a PPTX file, from the *template* of the company, or from ours.

    The same paper is the same file. Raises `ConfigError` for a template that cannot be used, `MissingExtra`.
    """
    with speaking(paper.story.lang):
        deck = _Deck(paper, opened(template))
        deck.cover()
        for page in paper.pages:
            deck.draw(page)
        return deck.saved()


class _Deck:
    def __init__(self, paper: Paper, template: Template) -> None:
        self.paper = paper
        self.story = paper.story
        self.template = template
        self.presentation = template.presentation
        self.largest = SIZES[0]

    def cover(self) -> None:
        slide = self.presentation.slides.add_slide(self.template.cover)
        self._title(slide, self.paper.title, "", self.template.cover)
        others = [one for one in slide.placeholders if one.placeholder_format.idx != 0]
        if others and others[0].has_text_frame:
            room = others[0].width / 12700 - 16
            lines = wrapped(self.paper.subtitle, 20, room, 2)
            paragraph = others[0].text_frame.paragraphs[0]
            _run(paragraph, " ".join(lines), 20 if others[0].height / 12700 > 50 else 14)
        else:
            _write(slide, self.template.body._replace(height=40), self.paper.subtitle, 16)
        for one in others[1:]:
            one.element.getparent().remove(one.element)
        slide.notes_slide.notes_text_frame.text = "\n".join(standing(self.story))

    def draw(self, page: Page) -> None:
        """Draw *page* on a slide, and what of its tables does not fit on as many more as it takes."""
        left, right, top = list(page.left), list(page.right), list(page.top)
        self.largest = SIZES[-1] if len(left) + len(right) > 2 else SIZES[0]
        for number in count(1):
            box, slide = self._slide(page, number)
            if number == 1:
                for block in top:
                    self._stack(slide, [block], box._replace(height=64))
                    box = Box(box.left, box.top + 74, box.width, box.height - 74)
            if right:
                first = (box.width - 18) * page.share
                second = Box(box.left + first + 18, box.top, box.width - first - 18, box.height)
                left = self._stack(slide, left, box._replace(width=first))
                right = self._stack(slide, right, second)
            else:
                left = self._stack(slide, left, box)
            self._footer(slide)
            slide.notes_slide.notes_text_frame.text = self._notes(page)
            if not left and not right:
                return

    def _slide(self, page: Page, number: int) -> tuple[Box, Any]:
        slide = self.presentation.slides.add_slide(self.template.page)
        for one in list(slide.placeholders):
            if one.placeholder_format.idx != 0:
                one.element.getparent().remove(one.element)
        box = self.template.body
        after = f" ({number})" if number > 1 else ""
        self._title(slide, page.title, after, self.template.page)
        if page.lead and number == 1:
            lines = wrapped(page.lead, 13, box.width, 2)
            high = 17.0 * len(lines) + 6
            _write(slide, box._replace(height=high), " ".join(lines), 13)
            box = Box(box.left, box.top + high + 4, box.width, box.height - high - 4)
        return box, slide

    def _title(self, slide: Any, text: str, after: str, layout: Any) -> None:
        """Write a title in the template's own size; smaller where it would not fit, then cut."""
        holder = slide.shapes.title
        wide, high = holder.width / 12700 - 20, holder.height / 12700 - 4
        own = title_size(layout)
        for size in (one for one in (own, 40.0, 32.0, 28.0, 24.0, 20.0, 18.0) if one <= own):
            most = max(1, int(high / (size * 1.2)))
            if width_of(text + after, size) * 1.08 <= wide * most - (most > 1) * wide / 3:
                break
        lines = wrapped(text, size * 1.08, wide - width_of(after, size), most)
        holder.text_frame.text = " ".join(lines) + after
        if size != own:
            holder.text_frame.paragraphs[0].runs[0].font.size = _pt(size)

    def _stack(self, slide: Any, blocks: list[Any], box: Box) -> list[Block]:
        """Draw *blocks* one below the other; return what had no room, tables with the rows that are left."""
        rest: list[Block] = []
        for place, block in enumerate(blocks):
            if place and _least(block, box.width, rows=1) > box.height:
                rest.extend(blocks[place:])
                break
            later = sum(_least(one, box.width) + GAP for one in blocks[place + 1 :])
            can_yield = isinstance(block, (Chart, Sentences)) and later < box.height / 2
            used, more = self._block(slide, block, box._replace(height=box.height - later * can_yield))
            rest.extend(more)
            box = Box(box.left, box.top + used + GAP, box.width, box.height - used - GAP)
        return rest

    def _block(self, slide: Any, block: Block, box: Box) -> tuple[float, list[Block]]:
        if isinstance(block, Chart):
            if native.draw(slide, block.name, block.story, box) is None:
                return self._empty(slide, box, block.empty), []
            return box.height, []
        if isinstance(block, Sentences):
            return self._sentences(slide, block, box), []
        if isinstance(block, Tiles):
            return self._tiles(slide, block, box), []
        if not block.rows:
            used = self._caption(slide, box, block.caption)
            below = Box(box.left, box.top + used, box.width, box.height - used)
            return used + self._empty(slide, below, block.empty), []
        return self._table(slide, block, box)

    def _empty(self, slide: Any, box: Box, text: str) -> float:
        """Say in one sentence, on a quiet ground, that there is nothing here."""
        high = min(box.height, _empty_height(text, box.width))
        shape = _write(slide, box._replace(height=high), text, 13, inset=16)
        _fill(shape, PALE)
        _ink(shape, INK)
        return high

    def _caption(self, slide: Any, box: Box, text: str) -> float:
        _write(slide, box._replace(height=CAPTION), fitted(text, 11, box.width * 0.95), 11, bold=True)
        return CAPTION

    def _sentences(self, slide: Any, block: Sentences, box: Box) -> float:
        used = self._caption(slide, box, block.caption) if block.caption else 0.0
        room = box.height - used
        most = 15.0 if not block.caption else 11.0
        for size in (one for one in (15.0, 14.0, 13.0, 12.0, 11.0, 10.0) if one <= most):
            found = [wrapped(one.text, size, box.width - 30, 4) for one in block.lines]
            after = 7.0 if not block.caption else 3.0
            high = sum(len(lines) * size * 1.25 + after for lines in found)
            if high <= room:
                break
        while len(found) > 1 and high > room:
            high -= len(found.pop()) * size * 1.25 + after
        shape = _box(slide, Box(box.left, box.top + used, box.width, max(high, size * 1.5)))
        frame = shape.text_frame
        for place, (lines, one) in enumerate(zip(found, block.lines, strict=False)):
            paragraph = frame.paragraphs[0] if place == 0 else frame.add_paragraph()
            paragraph.space_after = _pt(after)
            rag = one.rag or ("grey" if any(other.rag for other in block.lines) else None)
            if rag:
                _run(paragraph, f"{SYMBOLS[rag]} ", size, GLYPHS[rag])
            _run(paragraph, " ".join(lines), size)
        return used + max(high, size * 1.5)

    def _tiles(self, slide: Any, block: Tiles, box: Box) -> float:
        tiles, each = _placed(block, box.width)
        for place, (cell, caption) in enumerate(tiles):
            shape = _box(slide, Box(box.left + place * (each + 10), box.top + 6, each, 56), inset=4)
            ground = FILLS[cell.rag] if cell.filled and cell.rag else PALE
            _fill(shape, ground)
            ink = ink_on(ground) if ground != PALE else INK
            first = shape.text_frame.paragraphs[0]
            first.alignment = _align("center")
            size = next((one for one in (20.0, 16.0, 14.0, 12.0) if _wide(cell, one) <= each - 10), 10.5)
            if cell.rag and not cell.filled:
                _run(first, f"{SYMBOLS[cell.rag]} ", size, GLYPHS[cell.rag])
            _run(first, _shown(cell), size, ink, bold=True)
            second = shape.text_frame.add_paragraph()
            second.alignment = _align("center")
            _run(second, " ".join(wrapped(caption, 10, each - 10, 2)), 10, ink)
        return 62.0

    def _table(self, slide: Any, table: Table, box: Box) -> tuple[float, list[Block]]:
        table = _narrowed(table, box.width)
        used = self._caption(slide, box, table.caption)
        size, widths = _measured(table, box.width, box.height - used, self.largest)
        heads, head = _heads(table, size, widths)
        high = size * ROW
        room = max(1, int((box.height - used - head) / high))
        if table.is_matrix:
            high, room = min(56.0, (box.height - used - head) / len(table.rows)), len(table.rows)
        rows, rest = table.rows[:room], table.rows[room:]
        frame = slide.shapes.add_table(
            len(rows) + 1, len(table.columns), _pt(box.left), _pt(box.top + used), _pt(box.width),
            _pt(head + high * len(rows)),
        )  # fmt: skip
        made = frame.table
        made.horz_banding, made.first_row, made.first_col = False, True, True
        frame._element.xpath(".//a:tableStyleId")[0].text = _PLAIN
        described = frame._element.xpath(".//p:cNvPr")[0]
        described.set("name", table.caption)
        described.set("descr", _described(table, rows))
        for place, wide in enumerate(widths):
            made.columns[place].width = _pt(wide)
        made.rows[0].height = _pt(head)
        for place, lines in enumerate(heads):
            text = Cell(text=" ".join(lines))
            _fill_cell(made.cell(0, place), text, table.columns[place].align, size, None, head=True)
        for down, row in enumerate(rows, 1):
            made.rows[down].height = _pt(high)
            for place, cell in enumerate(row):
                align = table.columns[place].align
                width = widths[place] if align == "left" else None
                _fill_cell(made.cell(down, place), cell, align, size, width)
        more: list[Block] = [msgspec.structs.replace(table, rows=rest)] if rest else []
        return used + head + high * len(rows), more

    def _footer(self, slide: Any) -> None:
        """Put the template's own footer and page number on the slide, the last that is read."""
        for one in self.template.page.placeholders:
            kind = one.element.ph.get("type")
            if kind not in {"ftr", "sldNum"}:
                continue
            element = copy.deepcopy(one.element)
            properties = element.xpath(".//p:cNvPr")[0]
            properties.set("id", str(max(one.shape_id for one in slide.shapes) + 1))
            slide.shapes._spTree.append(element)
            shape = slide.shapes[-1]
            if kind == "ftr":
                shape.text_frame.text = fitted(self.paper.footer, 12, one.width / 12700 - 14)

    def _notes(self, page: Page) -> str:
        kpis = [
            *page.figures(),
            *(_CHART_KPIS.get(one.name, "") for one in page.blocks if isinstance(one, Chart)),
        ]
        said = [
            f"{name} ({code}). {text}"
            for code, name, text in definitions(filter(None, kpis), self.story.lang)
        ]
        words = [one.text for block in page.blocks if isinstance(block, Sentences) for one in block.lines]
        return "\n".join(dict.fromkeys([page.lead, *words, *said, *standing(self.story)])).strip()

    def saved(self) -> bytes:
        story, properties = self.story, self.presentation.core_properties
        moment = datetime.combine(story.as_of, time(12))
        properties.title, properties.subject = self.paper.title, self.paper.subtitle
        properties.author = properties.last_modified_by = "pm-hub"
        properties.language = LANGUAGES[story.lang]
        properties.created = properties.modified = moment
        properties.revision = 1
        properties.comments = properties.keywords = properties.category = ""
        _speak(self.presentation, LANGUAGES[story.lang])
        out = io.BytesIO()
        self.presentation.save(out)
        return steady(out.getvalue(), story.as_of)


_CHART_KPIS = {
    "slips": "MILESTONE_SLIP.slip_days", "s_curve": "EVM_DAYS.ev", "waterfall": "LANDING.landing",
    "sla": "SLA.compliance", "burn_up": "AGILE_EVM.ev",
}  # fmt: skip


def _least(block: Block, width: float, rows: int | None = None) -> float:
    """Return the height that *block* has to have, a table with so many *rows* of it (None: all)."""
    if isinstance(block, Table):
        if not block.rows:
            return CAPTION + _empty_height(block.empty, width)
        size = SIZES[-1]
        _, head = _heads(block, size, _widths(block, size, width))
        return CAPTION + head + size * ROW * (len(block.rows) if rows is None else rows)
    if isinstance(block, Sentences):
        return CAPTION + sum(
            len(wrapped(one.text, SIZES[-1], width - 30, 4)) * SIZES[-1] * 1.25 + 3 for one in block.lines
        )
    return 64.0 if isinstance(block, Tiles) else 150.0


def _empty_height(text: str, width: float) -> float:
    return 17.0 * len(wrapped(text, 13, width - 36, 4)) + 30


def _heads(table: Table, size: float, widths: list[float]) -> tuple[list[list[str]], float]:
    """Return the lines of each column's name, and how high the row of them is."""
    found = [wrapped(one.name, size, wide - 9, 2) for one, wide in zip(table.columns, widths, strict=True)]
    return found, size * (ROW if all(len(lines) == 1 for lines in found) else ROW + 1.25)


def _placed(block: Tiles, width: float) -> tuple[list[tuple[Cell, str]], float]:
    """Return the tiles that fit side by side with their figures whole, and how wide each is."""
    tiles = list(block.tiles)
    while True:
        each = (width - 10 * (len(tiles) - 1)) / len(tiles)
        if len(tiles) == 1 or all(_wide(cell, 10.5) <= each - 10 for cell, _ in tiles):
            return tiles, each
        tiles.pop()


def _wide(cell: Cell, size: float) -> float:
    """Return how wide what a cell shows is, its symbol too."""
    return width_of(f"{SYMBOLS[cell.rag]} {cell.text}" if cell.rag else cell.text, size) * 1.05


def _shown(cell: Cell) -> str:
    return f"{SYMBOLS[cell.rag]} {cell.text}".strip() if cell.rag and cell.filled else cell.text


def _described(table: Table, rows: tuple[tuple[Cell, ...], ...]) -> str:
    text = tr("{caption}: {n} {n:row|rows}; columns {columns}.", caption=table.caption, n=len(rows),
              columns=", ".join(one.name for one in table.columns))  # fmt: skip
    return text[:400]


def _measured(table: Table, width: float, height: float, largest: float) -> tuple[float, list[float]]:
    """Return the size of the text of *table* and the widths of its columns, in a place so wide and high."""
    for size in (one for one in SIZES[:-1] if one <= largest):
        widths = _widths(table, size, width)
        high = size * (ROW * (len(table.rows) + 1) + 1.25)
        if (high <= height or table.is_matrix) and _is_read(table, size, widths):
            return size, widths
    return SIZES[-1], _widths(table, SIZES[-1], width)


def _is_read(table: Table, size: float, widths: list[float]) -> bool:
    """Say whether no text of *table* is cut or broken."""
    return all(
        width_of(_shown(row[place]), size) <= wide - 9
        for place, wide in enumerate(widths) for row in table.rows
    )  # fmt: skip


def _narrowed(table: Table, width: float) -> Table:
    """Return *table* without what it can do without, the last first, as far as the rest needs the room."""
    spare = [place for place, column in enumerate(table.columns) if column.is_spare]
    widths = _widths(table, SIZES[-1], width)
    least = [WORDS if column.align == "left" else 0.0 for column in table.columns]
    is_wide = all(wide >= low for wide, low in zip(widths, least, strict=True))
    if not spare or (is_wide and _is_whole(table, SIZES[-1], widths)):
        return table
    kept = [place for place in range(len(table.columns)) if place != spare[-1]]
    less = msgspec.structs.replace(
        table, columns=tuple(table.columns[place] for place in kept),
        rows=tuple(tuple(row[place] for place in kept) for row in table.rows),
    )  # fmt: skip
    return _narrowed(less, width)


def _is_whole(table: Table, size: float, widths: list[float]) -> bool:
    """Say whether every figure of *table* has its place."""
    return all(
        width_of(_shown(row[place]), size) <= wide - 9
        for place, wide in enumerate(widths) if table.columns[place].align != "left" for row in table.rows
    )  # fmt: skip


def _widths(table: Table, size: float, width: float) -> list[float]:
    """Return the widths of the columns: figures as wide as the longest, the rest to the words."""
    if table.is_matrix:
        first = width_of(table.columns[0].name, size) * 1.1 + 10
        return [first, *[(width - first) / (len(table.columns) - 1)] * (len(table.columns) - 1)]
    needed = [
        0.0 if column.align == "left"
        else 10 + max(
            width_of(max(column.name.split() or [""], key=len), size) * 1.08,
            *(width_of(f"{SYMBOLS[row[place].rag or 'grey']} " * bool(row[place].rag) + row[place].text, size)
              for row in table.rows),
        )
        for place, column in enumerate(table.columns)
    ]  # fmt: skip
    left = width - sum(needed)
    shares = sum(one.share for one in table.columns if one.align == "left")
    if not shares:
        return [one + left / len(needed) for one in needed]
    return [
        wide if column.align != "left" else left * column.share / shares
        for wide, column in zip(needed, table.columns, strict=True)
    ]


# ---------- shapes ----------


def _pt(value: float) -> Any:
    from pptx.util import Emu

    return Emu(round(value * 12700))


def _rgb(colour: str) -> Any:
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(colour[1:])


def _align(name: str) -> Any:
    from pptx.enum.text import PP_ALIGN

    return {"left": PP_ALIGN.LEFT, "right": PP_ALIGN.RIGHT, "center": PP_ALIGN.CENTER}[name]


def _run(paragraph: Any, text: str, size: float, colour: str | None = None, *, bold: bool = False) -> None:
    run = paragraph.add_run()
    run.text = text
    run.font.size = _pt(size)
    run.font.bold = bold or None
    if colour:
        run.font.color.rgb = _rgb(colour)


def _box(slide: Any, box: Box, *, inset: float = 0) -> Any:
    from pptx.enum.text import MSO_ANCHOR, MSO_AUTO_SIZE

    shape = slide.shapes.add_textbox(_pt(box.left), _pt(box.top), _pt(box.width), _pt(box.height))
    frame = shape.text_frame
    frame.word_wrap = True
    frame.margin_left = frame.margin_right = _pt(inset)
    frame.margin_top = frame.margin_bottom = _pt(2)
    frame.vertical_anchor = MSO_ANCHOR.MIDDLE if inset else MSO_ANCHOR.TOP
    if inset:  # what has a ground keeps its size: boxes in one row are of one height
        frame.auto_size = MSO_AUTO_SIZE.NONE
    return shape


def _write(slide: Any, box: Box, text: str, size: float, *, bold: bool = False, inset: float = 0) -> Any:
    shape = _box(slide, box, inset=inset)
    _run(shape.text_frame.paragraphs[0], text, size, bold=bold)
    return shape


def _fill(shape: Any, colour: str) -> None:
    shape.fill.solid()
    shape.fill.fore_color.rgb = _rgb(colour)


def _ink(shape: Any, colour: str) -> None:
    for paragraph in shape.text_frame.paragraphs:
        for run in paragraph.runs:
            run.font.color.rgb = _rgb(colour)


def _fill_cell(
    target: Any, cell: Cell, align: str, size: float, width: float | None, *, head: bool = False
) -> None:
    """Write *cell* into a cell of a table; its text is cut at *width* where one is given."""
    from pptx.enum.text import MSO_ANCHOR

    ground = PALE if head else FILLS[cell.rag] if cell.filled and cell.rag else WHITE
    ink = ink_on(ground) if cell.filled and cell.rag else INK
    target.margin_left = target.margin_right = _pt(4)
    target.margin_top = target.margin_bottom = _pt(1.5)
    target.vertical_anchor = MSO_ANCHOR.MIDDLE
    _fill(target, ground)
    _edge(target)
    paragraph = target.text_frame.paragraphs[0]
    paragraph.alignment = _align(align)
    text = _shown(cell)
    if cell.rag and not cell.filled:
        _run(paragraph, f"{SYMBOLS[cell.rag]} ", size, GLYPHS[cell.rag])
    _run(paragraph, fitted(text, size, width - 9) if width else text, size, ink, bold=head)


def _edge(target: Any) -> None:
    """Draw a thin line below a cell."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls

    line = parse_xml(
        f'<a:lnB {nsdecls("a")} w="6350"><a:solidFill><a:srgbClr val="{LINE[1:]}"/></a:solidFill></a:lnB>'
    )
    target._tc.get_or_add_tcPr().insert(0, line)


def _speak(presentation: Any, language: str) -> None:
    """Say of every text in which language it is, so that it is read out and checked as such."""
    from pptx.oxml import parse_xml
    from pptx.oxml.ns import nsdecls, qn

    for part in presentation.part.package.iter_parts():
        root = getattr(part, "_element", None)
        if root is None:
            continue
        for run in root.iter(qn("a:r"), qn("a:fld")):
            if run.find(qn("a:rPr")) is None:
                run.insert(0, parse_xml(f"<a:rPr {nsdecls('a')}/>"))
        for one in root.iter(qn("a:rPr"), qn("a:endParaRPr"), qn("a:defRPr")):
            one.set("lang", language)
