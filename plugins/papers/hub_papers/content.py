"""What a page of a paper holds: sentences, tiles, tables and charts, the same for slides and for HTML."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

from hub import Story

Align = Literal["left", "right", "center"]


class Cell(msgspec.Struct, frozen=True, kw_only=True):
    """One cell; *rag* shows its colour, as the whole ground where *filled*, else as a symbol before the text.

    *figure* names the measure of the catalogue that it shows, ``KPI.measure``.
    """

    text: str = ""
    rag: str | None = None
    filled: bool = False
    figure: str = ""


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a table; one that is not on the left is as wide as its longest cell, and never cut.

    One that is spare is left out where the place is narrow.
    """

    name: str
    share: float = 1.0
    align: Align = "left"
    is_spare: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A table with a caption; without rows *empty* says so in one sentence.

    *is_matrix* gives every column the same width, and every row a heading.
    """

    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str
    is_matrix: bool = False


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """The chart *name* of *story*; without anything to draw *empty* says so in one sentence."""

    name: str
    story: Story
    empty: str


class Sentence(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence with the colour that it deserves."""

    text: str
    rag: str | None = None


class Sentences(msgspec.Struct, frozen=True, kw_only=True):
    """A list of sentences, under a caption where it has one."""

    lines: tuple[Sentence, ...]
    caption: str = ""


class Tiles(msgspec.Struct, frozen=True, kw_only=True):
    """Large figures side by side, each with its caption."""

    tiles: tuple[tuple[Cell, str], ...]


Block = Table | Chart | Sentences | Tiles


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """One page: what is said first, what is above both columns, on the left and on the right.

    *share* is how much of the width the left has; a page without a right has it all. *kpis* are the measures
    besides those of its cells that it shows.
    """

    name: str
    title: str
    lead: str = ""
    top: tuple[Block, ...] = ()
    left: tuple[Block, ...] = ()
    right: tuple[Block, ...] = ()
    share: float = 0.5
    kpis: tuple[str, ...] = ()

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Return all that is on the page, in the order in which it is read."""
        return (*self.top, *self.left, *self.right)

    def figures(self) -> list[str]:
        """Return the measures that the page shows, ``KPI.measure``, each once."""
        found = dict.fromkeys(cell.figure for cell in self._cells() if cell.figure)
        return list(found | dict.fromkeys(self.kpis))

    def _cells(self) -> Iterator[Cell]:
        for block in self.blocks:
            if isinstance(block, Table):
                for row in block.rows:
                    yield from row
            elif isinstance(block, Tiles):
                yield from (cell for cell, _ in block.tiles)


class Paper(msgspec.Struct, frozen=True, kw_only=True):
    """All of a paper: its title page, its pages, and in whose words."""

    story: Story
    title: str
    subtitle: str
    footer: str
    pages: tuple[Page, ...]
