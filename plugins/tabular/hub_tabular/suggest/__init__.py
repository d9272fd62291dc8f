"""Write a first mapping for a file: where its headers are, what its columns look like, what they may mean.

What is not sure is said in the mapping, as a comment beside the line.
"""

from __future__ import annotations

from pathlib import Path

from hub import ConfigError, storable, tr
from hub_tabular import sheets
from hub_tabular.suggest.budgets import of_amounts
from hub_tabular.suggest.crosstabs import of_crosstab
from hub_tabular.suggest.looking import carry, looked_at
from hub_tabular.suggest.pivots import unfold
from hub_tabular.suggest.shapes import of_known_tool, of_plain_table
from hub_tabular.suggest.weekdays import of_weekdays
from hub_tabular.suggest.words import WORDS
from hub_tabular.suggest.writing import say_sheets, written


def suggest_mapping(path: Path, *, sheet: str | None = None, record: str | None = None) -> str:
    """Return the text of a mapping for *path*; guesses are marked, and what is missing is said.

    Raises `ConfigError` for an unknown *record*, `SourceDataError` for a file without a row of headers.
    """
    if path.suffix.lower() not in sheets.SUFFIXES:
        raise ConfigError(
            tr(
                "{file}: files of type {suffix} are not read; known: {known}.",
                file=storable(path.name),
                suffix=path.suffix or "(none)",
                known=", ".join(sheets.SUFFIXES),
            )
        )
    if record is not None and record not in WORDS:
        raise ConfigError(
            tr(
                "--record {record}: a mapping can be suggested for {known}.",
                record=record,
                known=", ".join(WORDS),
            )
        )
    looked, alike, others = looked_at(path, sheet)
    draft = of_known_tool(looked, record)
    if draft is None:
        pivot = unfold(looked)
        carry(looked)  # tools repeat what they mean
        draft = (
            of_weekdays(looked, record)
            or of_crosstab(looked, record)
            or of_amounts(looked, record)
            or of_plain_table(looked, record)
        )
        draft.top = pivot + draft.top
    say_sheets(draft, looked, alike, others, sheet)
    return written(draft, looked)
