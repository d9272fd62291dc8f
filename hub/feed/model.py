"""Read the semantic model: what every table and column of the feed is called, typed and keyed."""

from __future__ import annotations

import functools
import tomllib
from collections.abc import Collection
from importlib.resources import files

import msgspec

from hub.columns import Personal
from hub.feed.fields import FIELD_TYPES, SUMMED, Field, fields_in_use

HIERARCHIES = {
    "dim_date": (("Calendrier", "Calendar"), ("year", "quarter", "year_month", "date")),
    "dim_project": (("Portefeuille", "Portfolio"), ("portfolio", "program", "name")),
}
"""What BI tools drill down by: names in French and English, and the columns from wide to narrow."""


class Column(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One column; *ref* names the dimension its key points to, *additive* says a plain SUM() is right.

    *was* is what older feeds and closed cuts call it; *personal* is what it says of somebody, None where
    nobody said; *kept* titles of work stay at every level of privacy.
    """

    type: str
    fr: str
    en: str
    description: str = ""
    hidden: bool = False
    additive: bool = False
    ref: str | None = None
    was: str | None = None
    personal: Personal | None = None
    kept: bool = False
    flag: bool = False
    """Whether it is 1 for yes and 0 for no."""

    @property
    def goes_blank(self) -> bool:
        """Say whether it is blank at every level below the nominative one."""
        return self.personal not in {None, "none"} and not self.kept


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One table with its grain's *key*."""

    fr: str
    en: str
    description: str
    key: tuple[str, ...]
    columns: dict[str, Column]

    def adds_up(self, name: str) -> bool:
        """Say whether a plain SUM() over the rows of the column *name* is right.

        What is kept at every cut is there as often as there are cuts: measures add it up, columns do not.
        """
        return self.columns[name].additive and "cut_key" not in self.columns

    def read_as(self, there: Collection[str]) -> str:
        """Return the select list that reads a file with the columns *there* as this table, whoever wrote it.

        It may be of any hub: a column that the file lacks is NULL, one that only the file has is left out,
        one that was renamed is read by its old name.
        """
        listed = []
        for name, column in self.columns.items():
            found = next((one for one in (name, column.was) if one in there), None)
            listed.append(f"{found or 'NULL'}::{column.type} AS {name}")
        return ", ".join(listed)


class MeasureDef(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One measure: a *sum*, a *count* or a *ratio*.

    The *sum* is of ``table.column`` divided by *divide*, the *count* of a table's rows, the *ratio* of two
    measures. *where* narrows the rows: a column of the table, or ``dim_x.column`` of a dimension that it
    points to, and the value or values that count. *on* is the day of a row that the calendar chooses by,
    where no relationship leads to it. A *stock* is cumulated by ``date_key``: it is that of the last day that
    is chosen, else that of the day of the cut.
    """

    fr: str
    en: str
    folder: str
    format: str
    sum: str = ""
    divide: int = 1
    count: str = ""
    ratio: tuple[str, str] | None = None
    where: dict[str, str | int | list[str]] = {}
    on: str = ""
    stock: bool = False


class Model(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole model; *contract* is the version dashboards rely on."""

    contract: int
    tables: dict[str, Table]
    measures: dict[str, MeasureDef]


def model() -> Model:
    """Return the model shipped with this hub, and the fields of the site that are in use."""
    return _with(fields_in_use())


@functools.cache
def plain_model() -> Model:
    """Return the model shipped with this hub, without any field of the site."""
    text = (files("hub.feed") / "model.toml").read_text(encoding="utf-8")
    found = msgspec.convert(tomllib.loads(text), Model)
    for table in found.tables.values():
        for name, column in table.columns.items():
            if column.type == "BIGINT" and (name.startswith("is_") or name == "timesheet_expected"):
                table.columns[name] = msgspec.structs.replace(column, flag=True)
    return found


@functools.lru_cache(maxsize=8)
def _with(fields: tuple[Field, ...]) -> Model:
    found = plain_model()
    if not fields:
        return found
    tables, measures = dict(found.tables), dict(found.measures)
    for field in fields:
        if field.type == "list":
            continue
        table = tables[field.table]
        tables[field.table] = msgspec.structs.replace(
            table, columns={**table.columns, field.column: _column_of(field)}
        )
        if field.type in SUMMED:
            measures[field.column] = MeasureDef(
                fr=f"{field.fr} (somme)", en=f"{field.en} (sum)", folder="fields",
                format="#,##0" if field.type == "amount" else "#,##0.0", sum=f"{field.table}.{field.column}",
            )  # fmt: skip
    return msgspec.structs.replace(found, tables=tables, measures=measures)


def _column_of(field: Field) -> Column:
    return Column(
        type=FIELD_TYPES[field.type], fr=field.fr, en=field.en, flag=field.type == "flag",
        additive=field.type in SUMMED and field.level == "hours",
        personal="free text" if field.personal else "none" if field.type == "text" else None,
    )  # fmt: skip


@functools.cache
def table_sql(name: str) -> str:
    """Return the query that fills *name*, in DuckDB's dialect."""
    return (files("hub.feed") / "tables" / f"{name}.sql").read_text(encoding="utf-8")


def column_captions(table: str, lang: str) -> dict[str, str]:
    """Return the captions of *table*'s columns in *lang* (``fr`` or ``en``)."""
    return {
        name: column.fr if lang == "fr" else column.en
        for name, column in model().tables[table].columns.items()
    }


def table_caption(table: str, lang: str) -> str:
    """Return the caption of *table* in *lang*."""
    found = model().tables[table]
    return found.fr if lang == "fr" else found.en
