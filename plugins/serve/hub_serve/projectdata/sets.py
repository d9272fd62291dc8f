"""The entity sets: their columns, where each comes from, and why some cannot be known."""

from __future__ import annotations

import functools
import re
import tomllib
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from hub import mark, model, tr

if TYPE_CHECKING:
    import duckdb

Edm = Literal["Boolean", "Byte", "DateTime", "Decimal", "Double", "Guid", "Int16", "Int32", "String"]
Origin = Literal["feed", "constant", "field", "unknown"]
SQL_TYPES: dict[Edm, str] = {
    "Boolean": "BOOLEAN",
    "Byte": "UTINYINT",
    "DateTime": "TIMESTAMP",
    "Decimal": "DECIMAL(19,4)",
    "Double": "DOUBLE",
    "Guid": "UUID",
    "Int16": "SMALLINT",
    "Int32": "INTEGER",
    "String": "VARCHAR",
}
REASONS = {
    "custom": mark(
        "a custom field of the old site: a field of this name in fields.csv, of a project or a task, fills it"
    ),
    "overtime": mark("the feed does not tell overtime from the rest"),
    "budget": mark("the feed has budgets by project and month, not by task or resource"),
    "material": mark("the feed keeps work of people, no material"),
    "fixed cost": mark("the feed keeps no fixed cost apart: it is in the cost"),
    "running total": mark("a running total: sum the days in the report"),
    "portfolio analysis": mark(
        "the portfolio analyses and resource plans of the old site are not in the feed"
    ),
    "text of another": mark("another column has it as a number or a date"),
    "register": mark("registers keep title, state, owner, dates, probability, impact and money"),
    "account": mark("the feed keeps no accounts and no addresses of persons"),
    "rate": mark("the feed keeps no rates of single persons"),
    "earned value of a task": mark("the earned value is computed by project"),
    "workspace": mark("an address or a type of the old site"),
    "computed by a scheduler": mark("a scheduling engine computed it, and no source brings it"),
    "not kept": mark("the feed does not keep it"),
}
_QUERIES = ("pd_task", "pd_assignment", "pd_workday", "pd_line")


class EntitySet(msgspec.Struct, frozen=True, kw_only=True):
    """One entity set: the *type* of its rows, its *key*, and its *columns* by their types.

    *sql* is a query that gives the columns of *given*; the others are null. *fields* are those that fields of
    the site fill: the column, and that of the dimension.
    """

    name: str
    type: str
    key: tuple[str, ...]
    columns: dict[str, Edm]
    sql: str
    given: frozenset[str]
    fields: dict[str, str] = {}

    def origin(self, column: str) -> Origin:
        """Return where the values of *column* come from."""
        if column in self.fields:
            return "field"
        if column not in self.given:
            return "unknown"
        return "constant" if column in _declared().constant else "feed"

    def reason(self, column: str) -> str:
        """Return the reason in words why *column* is null; nothing where it is not."""
        if self.origin(column) != "unknown":
            return ""
        return tr(REASONS[self.reason_code(column)])

    def reason_code(self, column: str) -> str:
        """Return the key in `REASONS` of why *column* cannot be known."""
        return next(code for code, found in _declared().why if found.search(f"{self.name}.{column}"))


class _Declared(msgspec.Struct):
    sets: dict[str, EntitySet]
    constant: frozenset[str]
    why: list[tuple[str, re.Pattern[str]]]


def entity_sets() -> dict[str, EntitySet]:
    """Return the entity sets by their names, without the fields of a site."""
    return _declared().sets


@functools.cache
def _declared() -> _Declared:
    room = files("hub_serve.projectdata")
    found = tomllib.loads((room / "columns.toml").read_text(encoding="utf-8"))
    sets = {}
    for name, facts in sorted(found["sets"].items()):
        columns = {column: kind for kind, names in facts["columns"].items() for column in names.split()}
        place = room / f"{name}.sql"
        sql = _text(name) if place.is_file() else _LISTED
        given = frozenset(re.findall(r"\bAS (\w+)", sql)) & columns.keys()
        key = tuple(facts["key"])
        ordered = {column: columns[column] for column in (*key, *sorted(columns.keys() - {*key}))}
        sets[name] = EntitySet(name=name, type=facts["type"], key=key, columns=ordered, sql=sql, given=given)
    return _Declared(
        sets=sets,
        constant=frozenset(found["constant"]["columns"].split()),
        why=[(one["reason"], re.compile(one["pattern"])) for one in found["why"]],
    )


_LISTED = (
    "SELECT o.EntitySet AS EntitySet, o.Column AS Column, o.Type AS Type, "
    "o.Origin AS Origin, o.Reason AS Reason FROM (SELECT unnest(getvariable('pd_columns')) AS o)"
)
"""The set that lists the columns of the others."""
_DIMENSIONS = {
    "Projects": ("dim_project", "project_key", "project", "ProjectId"),
    "Tasks": ("dim_task", "task_key", "task", "TaskId"),
}
_FIELD_TYPES: dict[str, tuple[Edm, str]] = {
    "VARCHAR": ("String", ""),
    "DATE": ("DateTime", "::TIMESTAMP"),
    "DOUBLE": ("Double", ""),
    "BOOLEAN": ("Boolean", ""),
    "BIGINT": ("Int32", "::INTEGER"),
    "DECIMAL(18,2)": ("Decimal", ""),
}


def sets_of_site() -> dict[str, EntitySet]:
    """Return the entity sets with the fields that fields.csv gives projects and tasks.

    A field fills the column that is called like it, whatever its case and whether words are joined by ``_``;
    one that no column is called like is a column of its own.
    """
    found = dict(entity_sets())
    for name, (table, *_) in _DIMENSIONS.items():
        one = found[name]
        columns, fields = dict(one.columns), {}
        for column, facts in model().tables[table].columns.items():
            if not column.startswith("x_") or facts.type not in _FIELD_TYPES:
                continue
            plain = column[2:].replace("_", "").lower()
            called = next((each for each in columns if each.replace("_", "").lower() == plain), column[2:])
            if called not in one.given:
                columns[called], fields[called] = _FIELD_TYPES[facts.type][0], column
        found[name] = msgspec.structs.replace(one, columns=columns, fields=fields)
    return found


def rows_sql(one: EntitySet) -> str:
    """Return the query of the rows of *one* with all of its columns, null where they cannot be known."""
    listed = []
    for column, kind in one.columns.items():
        if column in one.fields:
            cast = next(cast for edm, cast in _FIELD_TYPES.values() if edm == kind)
            listed.append(f'x.{one.fields[column]}{cast} AS "{column}"')
        elif column in one.given:
            listed.append(f'q."{column}"')
        else:
            listed.append(f'NULL::{SQL_TYPES[kind]} AS "{column}"')
    joined = ""
    if one.fields:
        table, key, what, id_ = _DIMENSIONS[one.name]
        joined = f" LEFT JOIN {table} x ON pd_guid('{what}', x.{key}) = q.{id_}"
    stands = "".join(f"{name} AS ({_text(name)}\n), " for name in _stands_on(one.sql)).removesuffix(", ")
    return f"{'WITH ' + stands if stands else ''}SELECT {', '.join(listed)} FROM ({one.sql}\n) q{joined}"


@functools.cache
def _stands_on(sql: str) -> tuple[str, ...]:
    """Return the queries beside the entity sets that *sql* stands on, what they stand on first."""
    found: dict[str, None] = {}
    for name in _QUERIES:
        if re.search(rf"\b{name}\b", sql):
            found |= dict.fromkeys((*_stands_on(_text(name)), name))
    return tuple(found)


@functools.cache
def _text(name: str) -> str:
    return (files("hub_serve.projectdata") / f"{name}.sql").read_text(encoding="utf-8").rstrip()


def prepare(connection: duckdb.DuckDBPyConnection, manifest: dict[str, Any]) -> dict[str, EntitySet]:
    """Let *connection* answer the queries of the entity sets, which are returned."""
    connection.execute("SET VARIABLE pd_moment = ?::TIMESTAMPTZ::TIMESTAMP", [manifest["moment"]])
    connection.execute("SET VARIABLE pd_sums = ?", [manifest["privacy"] in {"project", "team-week"}])
    for statement in _text("macros").split(";\n"):
        connection.execute(statement)
    sets = sets_of_site()
    listed = [
        {
            "EntitySet": one.name,
            "Column": column,
            "Type": f"Edm.{kind}",
            "Origin": one.origin(column),
            "Reason": one.reason(column),
        }
        for one in sets.values()
        for column, kind in one.columns.items()
        if one.name != "HubColumns"
    ]
    shape = 'STRUCT(EntitySet VARCHAR, "Column" VARCHAR, Type VARCHAR, Origin VARCHAR, Reason VARCHAR)[]'
    connection.execute(f"SET VARIABLE pd_columns = ?::{shape}", [listed])
    return sets
