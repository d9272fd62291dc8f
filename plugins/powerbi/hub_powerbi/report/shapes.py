"""What a page is made of: visuals with fields, and rows of cells to lay them out in."""

from __future__ import annotations

import hashlib
from typing import Literal

import msgspec

SCHEMAS = "https://developer.microsoft.com/json-schemas/fabric/item/report/definition/"
WIDTH, HEIGHT = 1280, 720
PHONE = 320
"""The width of the page on a phone; it is as high as it has to be."""

Field = tuple[str, str] | str
"""A column as (table, column), whose ``*`` is the language; or the code of a measure."""
Filter = tuple[tuple[str, str], tuple[str, ...]]
"""A column, and the values of it that are kept."""
View = Literal["", "committee", "detail"]


class Box(msgspec.Struct, frozen=True):
    """A place on a page, in pixels."""

    x: int
    y: int
    width: int
    height: int

    def apart(self, other: Box) -> bool:
        """Say whether the two have no pixel in common."""
        return (
            self.x + self.width <= other.x
            or other.x + other.width <= self.x
            or self.y + self.height <= other.y
            or other.y + other.height <= self.y
        )


class Visual(msgspec.Struct, frozen=True, kw_only=True):
    """One visual: its type, its title in French and English, and the fields of its roles.

    *key* names it on its page. *tip* is the page that shows when one points at it, *sync* the group of
    slicers that move together, *view* the one view it is shown in. *every_cut* says that its axis are the
    cuts, which no choice of a cut takes away. *shades* are the codes of measures for the cells' back and ink.
    *text* is what a text says in both languages, *action* what a button does: ``Back``, or the view it opens.
    """

    key: str
    kind: str
    fr: str
    en: str
    roles: dict[str, tuple[Field, ...]] = {}
    sort: Field | None = None
    descending: bool = False
    filters: tuple[Filter, ...] = ()
    tip: str = ""
    sync: str = ""
    view: View = ""
    every_cut: bool = False
    shades: tuple[str, str] | None = None
    text: tuple[tuple[str, ...], tuple[str, ...]] | None = None
    action: str = ""

    def title(self, lang: str) -> str:
        """Return what it is called in *lang*."""
        return self.fr if lang == "fr" else self.en


class Row(msgspec.Struct, frozen=True):
    """A row of *cells* side by side by their *weights*; *height* in pixels, 0 for what is left over.

    A cell of two visuals shows the one or the other, by view.
    """

    cells: tuple[tuple[Visual, ...], ...]
    weights: tuple[int, ...]
    height: int = 0


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page: its name in both languages, its slicers, its rows.

    A page of kind ``drill`` is of one project and is reached from any other, one of kind ``tip`` shows when
    one points at a figure.
    """

    code: str
    fr: str
    en: str
    rows: tuple[Row, ...]
    slicers: tuple[Visual, ...] = ()
    kind: Literal["page", "drill", "tip"] = "page"
    width: int = WIDTH
    height: int = HEIGHT

    def title(self, lang: str) -> str:
        """Return what it is called in *lang*."""
        return self.fr if lang == "fr" else self.en

    @property
    def views(self) -> tuple[View, ...]:
        """Return the views that it can be seen in."""
        paired = any(len(cell) > 1 for row in self.rows for cell in row.cells)
        return ("committee", "detail") if paired else ("",)


class Placed(msgspec.Struct, frozen=True):
    """A visual and where it stands, on a screen and on a phone; None: it is not on the phone."""

    visual: Visual
    screen: Box
    phone: Box | None


def name_of(*parts: str, size: int = 20) -> str:
    """Return the name of a thing from what it means: *size* hexadecimal digits."""
    return hashlib.sha256("/".join(parts).encode()).hexdigest()[:size]


def row(*visuals: Visual | tuple[Visual, Visual], weights: tuple[int, ...] = (), height: int = 0) -> Row:
    """Return a row of visuals, or of pairs of which one shows at a time."""
    cells = tuple(one if isinstance(one, tuple) else (one,) for one in visuals)
    return Row(cells, weights or (1,) * len(cells), height)
