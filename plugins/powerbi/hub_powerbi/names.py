"""Captions as names, and DAX written with them.

What tables, columns and measures are called in Power BI, in one language.
"""

from __future__ import annotations

import re

from hub import Measure, measures, model
from hub_powerbi.made import MONTH, MONTHS, made
from hub_powerbi.worded import STEPS, Worded, worded

LEFT_OUT = frozenset({"meta_label"})
"""Tables that Power BI does not need: the captions are names there."""
DATED = {**dict.fromkeys(MONTHS, MONTH), "fact_kpi": "period_start"}
"""Facts that the calendar is joined to by a day instead of its key."""
_PLAIN = re.compile(r"^[A-Za-z_][A-Za-z0-9_]*$")
_COLUMN = re.compile(
    r'"[^"]*"|\b([a-z_]+)\[([a-z0-9_]+)\]|(?<![\w\]\'])\[([^\]]+)\]|\b(dim_[a-z]+|fact_[a-z_]+)\b'
)


class Names:
    """The names of one language, ``fr`` or ``en``."""

    def __init__(self, lang: str) -> None:
        """Take the captions of *lang*."""
        self.lang = lang
        french = lang == "fr"
        self.tables = {
            name: table.fr if french else table.en
            for name, table in model().tables.items()
            if name not in LEFT_OUT
        }
        self.columns = {
            name: {
                one: column.fr if french else column.en
                for one, column in model().tables[name].columns.items()
            }
            for name in self.tables
        }
        for name, columns in made().items():
            self.columns[name] |= {one: column.fr if french else column.en for one, column in columns.items()}
        self.measures_table = "Mesures" if french else "Measures"
        self.steps_table = STEPS[0 if french else 1]
        known: dict[str, Measure | Worded] = {**measures(), **worded()}
        self.measures = {code: one.fr if french else one.en for code, one in known.items()}

    def folder(self, measure: Measure | Worded) -> str:
        """Return the display folder of a measure."""
        return measure.folder_fr if self.lang == "fr" else measure.folder_en

    def table(self, name: str) -> str:
        """Return a table as DAX writes it."""
        return dax_table(self.tables[name])

    def column(self, table: str, column: str) -> str:
        """Return a column as DAX writes it."""
        return f"{self.table(table)}{dax_name(self.columns[table][column])}"

    def dax(self, text: str) -> str:
        """Write DAX that names things as the feed does with the names of this language.

        Raises KeyError for a thing that is not there.
        """

        def put(match: re.Match[str]) -> str:
            table, column, measure, alone = match.groups()
            if table:
                return self.column(table, column)
            if measure:
                # with its table: a column of another one may bear the same name
                return f"{dax_table(self.measures_table)}{dax_name(self.measures[measure])}"
            return self.table(alone) if alone else match.group()

        return _COLUMN.sub(put, text)


def dax_table(name: str) -> str:
    """Return the name of a table between single quotes."""
    return "'" + name.replace("'", "''") + "'"


def dax_name(name: str) -> str:
    """Return the name of a column or measure between brackets."""
    return "[" + name.replace("]", "]]") + "]"


def tmdl_name(name: str) -> str:
    """Return a name as TMDL writes it: between single quotes unless it is a plain word."""
    return name if _PLAIN.match(name) else "'" + name.replace("'", "''") + "'"
