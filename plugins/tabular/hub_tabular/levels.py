"""Labels of several levels in one column, as a compact pivot table has them: by how far they are indented."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from hub import cell_text, tr


class IndentedText(str):
    """A text that its workbook shows indented by so many steps."""

    indent: int
    __slots__ = ("indent",)

    def __new__(cls, text: str, indent: int) -> IndentedText:
        """Keep how far."""
        made = super().__new__(cls, text)
        made.indent = indent
        return made


class Levelled(list[Any]):
    """The cells of a row, the *labels* above and on it, and whether rows stand below it, which it sums.

    *why* says why it cannot be taken.
    """

    labels: dict[str, str]
    is_group: bool
    why: str


def indent_of(cell: Any) -> int:
    """Return how far a text is indented: by the format of its cell, or by blanks before it."""
    if isinstance(cell, IndentedText):
        return cell.indent
    return len(cell) - len(cell.lstrip()) if isinstance(cell, str) else 0


def levelled(rows: Iterable[list[Any]], at: int, into: tuple[str, ...]) -> Iterator[list[Any]]:
    """Yield *rows* with their labels by level, which stand in the column *at* and go to *into*."""
    held: Levelled | None = None
    stack: list[tuple[int, str]] = []
    for cells in rows:
        cell = cells[at] if at < len(cells) else None
        text = cell_text(cell)
        indent = indent_of(cell)
        if held is not None:
            held.is_group = bool(text) and indent > stack[-1][0]
            yield held
            held = None
        if not text:
            yield cells
            continue
        while stack and stack[-1][0] >= indent:
            stack.pop()
        stack.append((indent, text))
        held = Levelled(cells)
        held.labels = {name: label for name, (_, label) in zip(into, stack, strict=False)}
        held.why = (
            tr("stands on level {level}, and indent names {count}", level=len(stack), count=len(into))
            if len(stack) > len(into)
            else ""
        )
    if held is not None:
        held.is_group = False
        yield held
