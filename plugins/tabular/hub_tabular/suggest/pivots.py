"""Compact pivot tables: labels of several levels in one column, with sums above what they sum."""

from __future__ import annotations

import re
from typing import Any

from hub import SourceDataError, cell_text, storable, tr
from hub_tabular.levels import Levelled, indent_of, levelled
from hub_tabular.suggest.days import may_be_days
from hub_tabular.suggest.looking import SUMS, Looked, is_numeric, number_of, remark_of, toml
from hub_tabular.suggest.words import MONEY, plain
from hub_tabular.sums import sum_above

_NAMES = {True: ("Project", "Category", "Type"), False: ("Person", "Project", "Task")}
"""What the levels of a pivot table are called, from the outermost on: of money, and of hours."""
_ODD = 0.01


def unfold(looked: Looked) -> list[str]:
    """Give a compact pivot table a column a level, and return the lines that say so; none where it is none.

    Raises `SourceDataError` where rows sum those below them, and nothing shows which.
    """
    label = _label(looked)
    if label is None:
        return []
    rows = [row for row in looked.data if cell_text(row.get(label))]
    sums = [row for row in rows if re.search(SUMS, cell_text(row[label]))]
    body = [row for row in rows if row not in sums]
    numbers = [name for name in looked.names if name != label and _is_figure(looked, name)]
    if len({indent_of(row[label]) for row in body}) < 2:
        totals = [(cell_text(row[label]), _total([row.get(name) for name in numbers])) for row in body]
        if above := sum_above(totals, _ODD):
            raise SourceDataError(
                tr(
                    "{file}: {name} holds the sum of the rows below it: it is a pivot table in compact form, "
                    "and how far its labels are indented was lost. In the spreadsheet program show it in "
                    "tabular form and repeat its labels, then save it again.",
                    file=storable(looked.path.name),
                    name=above,
                )
            )
        return []
    cells = [[row[label], *(row.get(name) for name in numbers)] for row in body]
    into = tuple(f"Level {number}" for number in range(1, 6))
    found = [one for one in levelled(cells, 0, into) if isinstance(one, Levelled)]
    depth = max(len(one.labels) for one in found)
    leaves = [one for one in found if not one.is_group]
    if any(len(one.labels) != depth for one in leaves) or not _adds_up(found, leaves):
        return []
    return _say(looked, label, [row for row, one in zip(body, found, strict=True) if not one.is_group],
                [one.labels for one in leaves], bool(sums))  # fmt: skip


def _label(looked: Looked) -> str | None:
    """Return the one column of texts of a table that holds nothing else but figures."""
    filled = [name for name in looked.names if looked.values(name)]
    texts = [name for name in filled if not _is_figure(looked, name)]
    return texts[0] if len(texts) == 1 and texts == filled[:1] and len(filled) > 1 else None


def _is_figure(looked: Looked, name: str) -> bool:
    return is_numeric(looked, name) or not looked.values(name)


def _total(cells: list[Any]) -> float:
    return sum(number_of(cell) or 0.0 for cell in cells)


def _adds_up(rows: list[Levelled], leaves: list[Levelled]) -> bool:
    """Say whether the rows above all others hold together what the innermost ones hold."""
    outer = [row for row in rows if len(row.labels) == 1]
    return abs(sum(_total(row[1:]) for row in outer) - sum(_total(row[1:]) for row in leaves)) <= _ODD * len(
        rows
    )


def _say(
    looked: Looked, label: str, rows: list[dict[str, Any]], labels: list[dict[str, str]], has_sums: bool
) -> list[str]:
    said = plain(" ".join([looked.path.stem, looked.sheet, *looked.above, *looked.names]))
    levels = list(labels[0])
    called = list(_NAMES[bool(re.search(MONEY, said))])
    names: list[str] = []
    for level in levels:
        column = Looked(path=looked.path, sheet="", names=[level], header=0, data=list(labels), above=[])
        is_day = may_be_days(column, level) and all(re.search("[0-9]", one[level]) for one in labels)
        names.append("Date" if is_day else called.pop(0) if called else level)
    # the outer labels of the innermost rows stand for the rows of the table
    looked.data = [
        {new: one[old] for new, old in zip(names, levels, strict=True)}
        | {k: v for k, v in row.items() if k != label}
        for row, one in zip(rows, labels, strict=True)
    ]
    looked.names = [*names, *(name for name in looked.names if name != label)]
    shown = ", ".join(f"{name}: {labels[0][level]}" for name, level in zip(names, levels, strict=True))
    lines = [
        f"indent = {{ column = {toml(label)}, into = {toml(names)} }}"
        + remark_of(tr("not clear: what the levels of its labels are ({shown})", shown=shown))
    ]
    if has_sums:
        lines.append(
            f"drop = [{{ column = {toml(label)}, matches = {toml(SUMS)} }}]" + remark_of(tr("rows of sums"))
        )
    return lines
