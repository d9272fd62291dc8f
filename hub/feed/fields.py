"""The fields of the site: which of its tools' own fields become columns of the feed, and their values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import msgspec

from hub.store.engines import StoreAt, engine_of

if TYPE_CHECKING:
    import duckdb

FIELD_TYPES = {
    "text": "VARCHAR", "number": "DOUBLE", "date": "DATE", "amount": "DECIMAL(18,2)", "days": "DOUBLE",
    "flag": "BIGINT",
}  # fmt: skip
"""The type of the column of a field; a list is rows of ``bridge_task_value``."""
SUMMED = frozenset({"number", "amount", "days"})
_TABLES = {"task": "dim_task", "project": "dim_project", "hours": "fact_worklog", "person": "dim_person"}
_KEYS = {
    "dim_task": "q.task_id = x.id",
    "dim_project": "q.project_key = x.key",
    "fact_worklog": "q.worklog_id = x.id",
    "dim_person": "q.person_key = x.key",
}
_VALUES = {
    "VARCHAR": "coalesce(shown, text, number::VARCHAR, day)",
    "DOUBLE": "coalesce(number, try_cast(replace(text, ',', '.') AS DOUBLE))",
    "DECIMAL(18,2)": "coalesce(number, try_cast(replace(text, ',', '.') AS DOUBLE))::DECIMAL(18,2)",
    "DATE": "coalesce(try_cast(day AS DATE), try_cast(left(text, 10) AS DATE))",
    "BIGINT": "coalesce((number <> 0)::BIGINT, CASE "
    "WHEN fold(text) IN ('1', 'true', 'yes', 'oui', 'vrai', 'x') THEN 1 "
    "WHEN fold(text) IN ('0', 'false', 'no', 'non', 'faux', '') THEN 0 END)",
}


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One field of the site: its *name*, what it is of, its type and captions, whether it names people."""

    name: str
    level: Literal["task", "project", "hours", "person"]
    type: str
    fr: str
    en: str
    personal: bool = False

    @property
    def table(self) -> str:
        """Return the table of the feed that has it."""
        return _TABLES[self.level]

    @property
    def column(self) -> str:
        """Return its column there."""
        return f"x_{self.name}"


_in_use: tuple[Field, ...] = ()


def fields_in_use() -> tuple[Field, ...]:
    """Return the fields that the model has now."""
    return _in_use


def use_fields(fields: tuple[Field, ...]) -> None:
    """Make *fields* part of the model instead of those before: the artefacts of a store have its fields."""
    global _in_use  # noqa: PLW0603 - like KPIs of plugins: what one process publishes is of one store
    _in_use = fields


def fields_of(store: StoreAt) -> tuple[Field, ...]:
    """Return the fields that fields.csv names, as the store knows it now."""
    engine = engine_of(store)
    with engine.reader() as connection:
        if "site_field" not in engine.tables(connection):  # a store of an older hub
            return ()
        rows = connection.execute(
            "SELECT field, level, type, min(fr), min(en), max(personal) FROM site_field "
            "WHERE presence = 'present' GROUP BY field, level, type ORDER BY min(key)"
        ).fetchall()
    return tuple(
        Field(name=name, level=level, type=kind, fr=fr, en=en, personal=bool(personal))
        for name, level, kind, fr, en, personal in rows
    )


def pivot(connection: duckdb.DuckDBPyConnection, fields: tuple[Field, ...]) -> None:
    """Make the tables ``x_<table>`` of a resolved store: a row a thing that has values, a column of *fields*.

    ``field_odd`` has the values that are not of their type, which no column shows.
    """
    odd = " ".join(
        f"WHEN '{kind}' THEN ({_VALUES[sql_type]}) IS NULL" for kind, sql_type in FIELD_TYPES.items()
    )
    connection.execute(
        "CREATE TABLE field_odd AS SELECT field FROM site_value "
        f"WHERE coalesce(text, number::VARCHAR, day) IS NOT NULL AND CASE type {odd} ELSE false END"
    )
    for table in _TABLES.values():
        columns = [
            f"min({_VALUES[FIELD_TYPES[field.type]]}) FILTER (field = '{field.name}') AS {field.column}"
            for field in fields
            if field.table == table and field.type != "list"
        ]
        if columns:
            connection.execute(
                f"CREATE TABLE x_{table} AS SELECT {'key' if 'x.key' in _KEYS[table] else 'id'}, "
                f"{', '.join(columns)} FROM site_value WHERE of_table = '{table}' GROUP BY ALL"
            )


def with_fields(table: str, query: str) -> str:
    """Return the *query* that fills *table*, with the columns of the site's fields."""
    columns = [f"x.{one.column}" for one in _in_use if one.table == table and one.type != "list"]
    if not columns:
        return query
    return f"SELECT q.*, {', '.join(columns)} FROM ({query}) q LEFT JOIN x_{table} x ON {_KEYS[table]}"
