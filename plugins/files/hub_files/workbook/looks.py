"""How a cell looks: kinds of values, colours with their symbols and words, and the room that a text needs."""

from __future__ import annotations

import math
import re
import textwrap
from typing import Any, NamedTuple

from hub import language, mark, tr

BLUE, TEXT, PALE, LINE = "#1F3A5F", "#22303C", "#4F5B66", "#D5DBE1"
FONT = "Calibri"
SIZE = 10
"""Points of a text; a sheet is wide enough for paper when it is printed at `SMALLEST` of it or more."""
SMALLEST = 0.8
"""The scale below which a printed sheet would be under eight points."""
LINE_HEIGHT = 13.0
SYMBOLS = {"red": "■", "amber": "▲", "green": "●", "grey": "◆"}
SOLID = {"red": "#B3261E", "amber": "#E0A100", "green": "#2E7D4F", "grey": "#8A949E"}
ON_SOLID = {"red": "#FFFFFF", "amber": "#000000", "green": "#FFFFFF", "grey": "#000000"}
TINT = {"red": "#F9DEDC", "amber": "#FFF0C7", "green": "#DCEFE3", "grey": "#EEF1F4"}
ON_TINT = {"red": "#8C1D18", "amber": "#5F4400", "green": "#1B5233", "grey": "#414B54"}
_WORDS = {"red": mark("red"), "amber": mark("amber"), "green": mark("green"), "grey": mark("no colour")}
_NUMBERS = {
    "whole": "#,##0", "number": "#,##0.0", "ratio": "0.00", "percent": "0%", "amount": "#,##0",
    "signed": "[>=0.5]+#,##0;[<=-0.5]-#,##0;0", "signed_number": "[>=0.05]+#,##0.0;[<=-0.05]-#,##0.0;0.0",
    "at_least": '"≥ "#,##0',
}  # fmt: skip
NUMBERS = frozenset(_NUMBERS)
UNITS = {"days": "number", "duration": "whole", "share": "percent", "ratio": "ratio", "amount": "amount"}
"""The kind of cell for a unit of the catalogue; any other is whole."""


class Cell(NamedTuple):
    """A value with a look of its own: *kind* other than its column's, a colour, an address to open."""

    value: Any
    kind: str | None = None
    rag: str | None = None
    url: str | None = None


class Column(NamedTuple):
    """A column of a table: its header, its width in digits, and the kind of its values."""

    header: str
    width: float
    kind: str = "text"


def weather(rag: str | None, word: bool = True) -> Cell:
    """Return a colour as a cell: its symbol and word on its own ground."""
    if rag is None:
        return Cell(None)
    return Cell(f"{SYMBOLS[rag]} {tr(_WORDS[rag])}" if word else SYMBOLS[rag], "solid", rag)


def look(kind: str, rag: str | None = None, *, linked: bool = False, apart: bool = False) -> dict[str, Any]:
    """Return the format of a cell of *kind*, as XlsxWriter names its parts; *apart* from a number before."""
    found: dict[str, Any] = {
        "font_name": FONT, "font_size": SIZE, "font_color": TEXT, "valign": "top", "bottom": 1,
        "bottom_color": LINE,
    }  # fmt: skip
    if kind in _NUMBERS:
        found |= {"num_format": _NUMBERS[kind], "align": "right"}
    elif kind in {"day", "moment"}:
        form = "dd/mm/yyyy" if language() == "fr" else "yyyy-mm-dd"
        found |= {"num_format": f"{form} hh:mm" if kind == "moment" else form, "align": "left"}
    elif kind in {"solid", "centred"}:
        found |= {"align": "center", "text_wrap": True}
    else:
        found |= {"text_wrap": True, "align": "left"}
    if apart and found["align"] == "left":
        found["indent"] = 1
    if rag and kind == "solid":
        found |= {"valign": "vcenter", "bg_color": SOLID[rag], "font_color": ON_SOLID[rag], "bold": True}
    elif rag:
        found |= {"bg_color": TINT[rag], "font_color": ON_TINT[rag], "bold": True}
        if kind in _NUMBERS and rag in SYMBOLS:
            # the symbol stands beside the number: a colour alone is no word
            found["num_format"] = re.sub(r"(^|;)(\[[^]]*\])?", rf'\1\2"{SYMBOLS[rag]} "', _NUMBERS[kind])
    if linked:
        found |= {"underline": 1, "font_color": "#0B57A4"}
    return found


def lines_of(text: str, width: float) -> int:
    """Return how many lines *text* takes in a column of *width* digits; a letter is narrower than a digit."""
    room = max(1, math.floor(width * 1.25))
    return max(1, sum(len(textwrap.wrap(part, room)) or 1 for part in text.splitlines()))
