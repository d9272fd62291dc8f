"""Lay a page out: its head, then its rows, on a screen; one below the other on a phone."""

from __future__ import annotations

from hub_powerbi.report.shapes import PHONE, Box, Page, Placed, Row, Visual

_MARGIN, _GAP = 16, 12
_TITLE = Box(_MARGIN, 2, 384, 48)
_BELOW_TITLE = 52
_SLICER_HEIGHT = 76
_BODY = 92
_LOGO_WIDTH = 112
_PHONE_HEIGHTS = {
    "textbox": 48, "card": 84, "slicer": _SLICER_HEIGHT, "image": 56, "tableEx": 300, "pivotTable": 300,
}  # fmt: skip
_CHART = 240


def place(page: Page, *, logo: bool) -> list[Placed]:
    """Return the visuals of *page* in the order that a keyboard goes through them."""
    if page.kind == "tip":
        return [Placed(visual, box, None) for visual, box in _body(page.rows, page, _MARGIN // 2)]
    found = [*_head(page, logo=logo), *_body(page.rows, page, _BODY)]
    phone = _phone([visual for visual, _ in found])
    return [Placed(visual, box, phone.get(visual.key)) for visual, box in found]


def _head(page: Page, *, logo: bool) -> list[tuple[Visual, Box]]:
    title = Visual(key="title", kind="textbox", fr=page.fr, en=page.en, text=((page.fr,), (page.en,)))
    found = [(title, _TITLE)]
    x = _MARGIN
    for button in _buttons(page):
        found.append((button, Box(x, _BELOW_TITLE, 100, 34)))
        x += 108
    right = page.width - _MARGIN
    if logo:
        right -= _LOGO_WIDTH
        image = Visual(key="logo", kind="image", fr="Logo", en="Logo")
        found.append((image, Box(right, 8, _LOGO_WIDTH, 72)))
        right -= _GAP
    if page.slicers:
        left = _TITLE.x + _TITLE.width + _GAP
        width = min(276, (right - left - _GAP * (len(page.slicers) - 1)) // len(page.slicers))
        start = right - len(page.slicers) * width - (len(page.slicers) - 1) * _GAP
        found += [
            (slicer, Box(start + number * (width + _GAP), 8, width, _SLICER_HEIGHT))
            for number, slicer in enumerate(page.slicers)
        ]
    return found


def _buttons(page: Page) -> list[Visual]:
    if page.kind == "drill":
        return [Visual(key="back", kind="actionButton", fr="Retour", en="Back", action="Back")]
    if len(page.views) == 1:
        return []
    return [
        Visual(key="committee", kind="actionButton", fr="Comité", en="Committee", action="committee"),
        Visual(key="detail", kind="actionButton", fr="Détail", en="Detail", action="detail"),
    ]


def _body(rows: tuple[Row, ...], page: Page, top: int) -> list[tuple[Visual, Box]]:
    margin = _MARGIN if page.kind != "tip" else _MARGIN // 2
    fixed = sum(row.height for row in rows) + _GAP * (len(rows) - 1)
    flexible = sum(1 for row in rows if not row.height)
    each = (page.height - margin - top - fixed) // flexible if flexible else 0
    found: list[tuple[Visual, Box]] = []
    y = top
    for row in rows:
        height = row.height or each
        room = page.width - 2 * margin - _GAP * (len(row.cells) - 1)
        x = margin
        for cell, weight in zip(row.cells, row.weights, strict=True):
            width = room * weight // sum(row.weights)
            found += [(visual, Box(x, y, width, height)) for visual in cell]
            x += width + _GAP
        y += height + _GAP
    return found


def _phone(visuals: list[Visual]) -> dict[str, Box]:
    """Return where each visual stands on a phone; small ones two by two.

    Buttons stay away, and what only the detail shows: a phone has the committee's view.
    """
    found: dict[str, Box] = {}
    y, beside = 0, 0
    half = (PHONE - 8) // 2
    for visual in visuals:
        if visual.kind == "actionButton" or visual.view == "detail":
            continue
        height = _PHONE_HEIGHTS.get(visual.kind, _CHART)
        small = visual.kind in {"card", "slicer"}
        if beside and (not small or height != beside):
            y, beside = y + beside + 8, 0
        if small and beside:
            found[visual.key] = Box(half + 8, y, half, height)
            y, beside = y + height + 8, 0
        elif small:
            found[visual.key] = Box(0, y, half, height)
            beside = height
        else:
            found[visual.key] = Box(0, y, PHONE, height)
            y += height + 8
    return found
