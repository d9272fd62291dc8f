"""What is known of a column: its kind, its range, and whether it says who somebody is.

It is written once, on the field of the record that bears the column, as ``Annotated[str, Column(...)]``.
Cells, staging, privacy, checks and docs read it there, by `columns_of`.
"""

from __future__ import annotations

import functools
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import msgspec

Kind = Literal[
    "id", "reference", "text", "choice", "flag", "integer", "number", "share", "percent", "seconds", "minor",
    "currency", "instant", "day", "month",
]  # fmt: skip
"""``share`` is 0.45 for 45 %, ``percent`` is 45.

``seconds`` are efforts, ``minor`` minor units of a currency.
"""
Personal = Literal["name", "e-mail", "login", "free text", "none"]
"""``login`` is any handle by which one tool knows somebody, its account ids included.

``free text`` may hold anything.
"""

INTEGERS: frozenset[Kind] = frozenset({"flag", "integer", "seconds", "minor"})
REALS: frozenset[Kind] = frozenset({"number", "share", "percent"})


class Column(msgspec.Struct, frozen=True, kw_only=True):
    """One column: *low* and *high* bound its values, both included, *above* does not.

    *personal* is None where nobody said.

    *years* is how far from today the year of a day, a month or an instant may be.
    """

    kind: Kind
    personal: Personal | None = None
    low: float | None = None
    high: float | None = None
    above: float | None = None
    years: int | None = None

    @property
    def sql_type(self) -> Literal["INTEGER", "REAL", "TEXT"]:
        """Return how SQLite keeps it."""
        return "INTEGER" if self.kind in INTEGERS else "REAL" if self.kind in REALS else "TEXT"

    @property
    def names_somebody(self) -> bool:
        """Say whether it says who somebody is, or may."""
        return self.personal not in {None, "none"}


Id = Annotated[str, Column(kind="id", personal="login")]
"""The row's own id, which a source may have made of who wrote the row."""
Ref = Annotated[str, Column(kind="reference", personal="login")]
"""The id of another row, which may have been made of somebody's name too."""
Word = Annotated[str, Column(kind="text", personal="none")]
"""A text that speaks of work, never of a person: a code, a kind, an address of a page."""
FreeText = Annotated[str, Column(kind="text", personal="free text")]
Name = Annotated[str, Column(kind="text", personal="name")]
Email = Annotated[str, Column(kind="text", personal="e-mail")]
Login = Annotated[str, Column(kind="text", personal="login")]
Currency = Annotated[str, Column(kind="currency", personal="none")]
Instant = Annotated[str, Column(kind="instant", personal="none", years=30)]
Day = Annotated[str, Column(kind="day", personal="none", years=30)]
Month = Annotated[str, Column(kind="month", personal="none", years=30)]
Bound = Annotated[str, Column(kind="day", personal="none", years=60)]
"""The first or last day of something that may last a working life."""
Seconds = Annotated[int, Column(kind="seconds")]
DayLength = Annotated[int, Column(kind="seconds", above=0, high=86400)]
"""How long a working day is."""
Minor = Annotated[int, Column(kind="minor")]
Share = Annotated[float, Column(kind="share", low=0, high=1)]
Percent = Annotated[float, Column(kind="percent", low=0, high=100)]
Ratio = Annotated[float, Column(kind="share")]
"""A number of any size that may be written as a percent: 0.95 and 95 % are one."""


@functools.cache
def columns_of(record: type[msgspec.Struct]) -> dict[str, Column]:
    """Return what is known of every column of *record*, in field order."""
    hints = get_type_hints(record, include_extras=True)
    return {name: _column(hints[name]) for name in record.__struct_fields__}


def _column(hint: Any) -> Column:
    parts = [hint] if get_origin(hint) is Annotated else [hint, *get_args(hint)]
    for part in parts:
        if get_origin(part) is Annotated:
            for found in part.__metadata__:
                if isinstance(found, Column):
                    return found
    plain = set(parts)
    if any(get_origin(part) is Literal for part in parts):
        return Column(kind="choice", personal="none")
    if bool in plain:
        return Column(kind="flag")
    if int in plain:
        return Column(kind="integer")
    if float in plain:
        return Column(kind="number")
    return Column(kind="text")
