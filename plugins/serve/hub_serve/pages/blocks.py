"""What a page is made of: cells, tables, tiles, sentences, pictures and forms, before they are HTML."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any, ClassVar, Literal

import msgspec

from hub import ARROWS, day, number, tr, written

Align = Literal["left", "right", "center"]
SYMBOLS = {"red": "■", "amber": "▲", "green": "●", "grey": "◆"}
NONE = "–"
ROWS_A_PAGE = 50


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell: *text*, with the colour *rag* as a chip or, where it is no weather, as a symbol beside.

    *href* leads on; a link *out* of the server opens the tool. *note* stands below in small letters, *bar* is
    a share of 0 to 1 drawn beside, *heat* a step of 0 to 5 of a ground, *order* what the column is sorted by.
    """

    text: str = NONE
    rag: str | None = None
    chip: bool = False
    href: str | None = None
    out: bool = False
    note: str = ""
    bar: float | None = None
    heat: int | None = None
    order: str | float | None = None


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a table; a *spare* one is left out where the screen is narrow."""

    name: str
    align: Align = "left"
    spare: bool = False
    wide: bool = False


class Pager(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of a long table is shown, and where the parts before and after are."""

    text: str
    before: str | None = None
    after: str | None = None


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table with its *caption*; *empty* says why there is nothing. The first cell of a row is its head."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[Column, ...]
    rows: Sequence[Sequence[Cell]]
    empty: str
    foot: Sequence[Cell] = ()
    pager: Pager | None = None
    sortable: bool = False
    dense: bool = False


class Tile(msgspec.Struct, frozen=True, kw_only=True):
    """One number to see first."""

    cell: Cell
    label: str


class Tiles(msgspec.Struct, frozen=True, kw_only=True):
    """A row of numbers to see first."""

    kind: ClassVar[str] = "tiles"
    tiles: Sequence[Tile]


class Lines(msgspec.Struct, frozen=True, kw_only=True):
    """Sentences, each with the colour it deserves."""

    kind: ClassVar[str] = "lines"
    lines: Sequence[Cell]


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A picture: where it is drawn, what it is called, and what it says in words."""

    kind: ClassVar[str] = "chart"
    src: str
    title: str
    alt: str


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """Names, each with what there is to say of it."""

    kind: ClassVar[str] = "facts"
    facts: Sequence[tuple[str, Cell]]


class Prose(msgspec.Struct, frozen=True, kw_only=True):
    """Some sentences; *code* is text to copy as it is."""

    kind: ClassVar[str] = "prose"
    texts: Sequence[str] = ()
    code: str = ""


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a form: a choice where it has *options* (value, text), else a number or a text."""

    name: str
    label: str
    value: str = ""
    options: Sequence[tuple[str, str]] = ()
    type: str = "text"
    low: int | None = None
    high: int | None = None


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """A question to the server; it changes nothing."""

    kind: ClassVar[str] = "form"
    action: str
    fields: Sequence[Field]
    button: str
    hidden: Sequence[tuple[str, str]] = ()
    clear: str | None = None


class Links(msgspec.Struct, frozen=True, kw_only=True):
    """Where to go from here."""

    kind: ClassVar[str] = "links"
    links: Sequence[tuple[str, str]]


Block = Table | Tiles | Lines | Chart | Facts | Prose | Form | Links


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a page under a heading: blocks one below the other, or *beside* others."""

    id: str
    title: str
    blocks: Sequence[Block]
    beside: Sequence[Block] = ()


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page: *place* is what the menu marks, *above* the pages it lies under (text and address)."""

    place: str
    title: str
    sections: Sequence[Section]
    lead: str = ""
    badge: Cell | None = None
    above: Sequence[tuple[str, str]] = ()


# ---------- cells that many pages have ----------


def word_of(rag: str | None) -> str:
    """Return the word of a colour, in the language spoken."""
    return {"red": tr("Red"), "amber": tr("Amber"), "green": tr("Green")}.get(rag or "", tr("Grey"))


def weather(rag: str | None) -> Cell:
    """Return a colour as a chip, a dash where there is none."""
    order = {"red": 0, "amber": 1, "green": 2}.get(rag or "", 3)
    return Cell(text=word_of(rag), rag=rag, chip=True, order=order) if rag else Cell(order=order)


def trend(said: str | None) -> Cell:
    """Return a trend as an arrow and its word."""
    words = {"better": tr("better"), "same": tr("stable"), "worse": tr("worse")}
    order = {"worse": 0, "same": 1, "better": 2}
    if said not in words:
        return Cell(order=3)
    return Cell(text=f"{ARROWS[said]} {words[said]}", order=order[said])


def signed(value: float | None, unit: str, currency: str) -> str:
    """Return a change with its sign; none is shown as it is, without one."""
    shows = any(one in "123456789" for one in written(value, unit, currency))
    return written(value, unit, currency, signed=shows)


def figure(figures: Any, name: str, currency: str, *, sign: bool = False, href: str | None = None) -> Cell:
    """Return the figure ``KPI.measure`` of *figures* with its colour, a dash where it is not known."""
    one = figures.get(name)
    if one is None or one.value is None:
        return Cell()
    text = (signed if sign else written)(one.value, one.unit, currency)
    rag = one.rag if one.rag in {"red", "amber", "green"} else None
    return Cell(text=text, rag=rag, href=href, order=one.value)


def date_of(value: Any) -> Cell:
    """Return a day, a dash where there is none."""
    return Cell(text=day(value) or NONE, order=value.isoformat() if value else "9999")


def words(value: str | None, **more: Any) -> Cell:
    """Return a text, a dash where there is none."""
    return Cell(text=value or NONE, **more)


def count(value: float | None, form: str = ",.0f") -> Cell:
    """Return a number, a dash where there is none."""
    return Cell(text=NONE if value is None else number(value, form), order=-1 if value is None else value)


def ratio(part: float, whole: float) -> Cell:
    """Return a share of *whole* in percent."""
    return Cell(text=number(part / whole, ".0%") if whole else NONE, order=part / whole if whole else -1)


def written_or_dash(value: float | None) -> str:
    """Return a number as short as it is right, a dash where there is none."""
    return NONE if value is None else number(value, ",d") if isinstance(value, int) else number(value, ",.4g")


def capital(text: str) -> str:
    """Return *text* with a capital first, the rest as it is: units keep theirs."""
    return text[:1].upper() + text[1:]


def month_of(value: date) -> Cell:
    """Return a month."""
    return Cell(text=f"{value:%Y}\N{NON-BREAKING HYPHEN}{value:%m}", order=f"{value:%Y%m}")
