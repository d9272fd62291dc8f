"""Who sees which row: one rule over ``dim_access``, for every table that has a project, a team or a person.

A row shows where its project or its team is allowed; a line of access.csv with both shows what has both. A
project, person, task or sprint shows where it is allowed itself, or where any row of it shows: a tool that
narrows facts by their dimensions loses none that way. ``bridge_access`` says which rows there are.
"""

from __future__ import annotations

import functools

import msgspec

from hub.feed.model import Table, model

BRIDGE = "bridge_access"


class Bearing(msgspec.Struct, frozen=True, kw_only=True):
    """How the rows of one table bear a project and a team: the names of its columns, empty for none.

    *project* is a project's key, *person* a person's, who is of a team; *team* is its name, which counts
    where the column *only[0]* is *only[1]*. *code* holds a project's code or a team's name, or ``*`` for
    all. *key* is that of a dimension, which shows with its rows too. *tasks* are keys of tasks that all have
    to show. *user* is the column of the person whose row it is.
    """

    project: str = ""
    person: str = ""
    team: str = ""
    only: tuple[str, str] | None = None
    code: str = ""
    key: str = ""
    tasks: tuple[str, ...] = ()
    user: str = ""


@functools.cache
def bearings() -> dict[str, Bearing]:
    """Return how each table of the model that has a project, a team or a person bears it."""
    tables = model().tables
    shown_by = {ref for name, table in tables.items() if name.startswith("fact_") for ref in _refs(table)}
    found = {name: _bearing(name, table, with_rows=name in shown_by) for name, table in tables.items()}
    return {name: one for name, one in found.items() if one is not None}


def _refs(table: Table) -> dict[str, str]:
    """Return the dimensions of *table*, each with the first column that points to it."""
    found: dict[str, str] = {}
    for name, column in table.columns.items():
        if column.ref:
            found.setdefault(column.ref, name)
    return found


def _bearing(name: str, table: Table, *, with_rows: bool) -> Bearing | None:
    match name:
        case "dim_access":
            return Bearing(user="user_principal")
        case "dim_target":
            return Bearing(code="scope_code")
    refs = _refs(table)
    project = "project_key" if name == "dim_project" else refs.get("dim_project", "")
    person = refs.get("dim_person", "")
    team = "scope_label" if name == "fact_kpi" else "team" if "team" in table.columns else ""
    if project or person or team:
        return Bearing(
            project=project,
            person=person,
            team=team,
            only=("scope_kind", "team") if name == "fact_kpi" else None,
            key=table.key[0] if with_rows else "",
        )
    tasks = tuple(column for column, facts in table.columns.items() if facts.ref == "dim_task")
    return Bearing(tasks=tasks) if tasks else None


def bridge_sql() -> str:
    """Return the query that fills ``bridge_access`` from the facts beside it.

    What a row adds to its dimensions' own project and team: which other ones it has.
    """
    rows = []
    for name, one in bearings().items():
        if not name.startswith("fact_") or one.tasks:
            continue
        team = "p.team" if one.person else "NULL"
        if one.only:
            team = f"CASE WHEN f.{one.only[0]} = '{one.only[1]}' THEN f.{one.team} END"
        elif one.team:
            team = f"coalesce(f.{one.team}, {team})"
        joined = f" LEFT JOIN dim_person p ON p.person_key = f.{one.person}" if one.person else ""
        project = f"f.{one.project}" if one.project else "-1"
        rows += [
            f"SELECT DISTINCT '{ref}' AS dimension, f.{column} AS key, {project} AS project_key, "
            f"coalesce({team}, '') AS team FROM {name} f{joined}"
            for ref, column in _refs(model().tables[name]).items()
            if ref in bearings()
        ]
    owned = " UNION ALL ".join(
        f"SELECT '{name}' AS dimension, {one.key} AS key, {one.project or '-1'} AS project_key, "
        f"coalesce({one.team or 'NULL'}, '') AS team FROM {name}"
        for name, one in bearings().items()
        if one.key
    )
    return f"SELECT * FROM ({' UNION '.join(rows)}) EXCEPT SELECT * FROM ({owned})"


def shows_sql(table: str, *, user: str, schema: str = "", alias: str = "") -> str | None:
    """Return the condition under which a row of *table* shows, None where everybody sees all of it.

    Plain SQL. *user* is an expression for who looks, in small letters; *schema* stands before tables and
    *alias* before the columns of *table*, both with their point.
    """
    one = bearings().get(table)
    return None if one is None else _Sql(user, schema).shows(table, one, alias)


class _Sql:
    """Writes conditions for one person and one place of the tables."""

    def __init__(self, user: str, schema: str) -> None:
        self.user, self.schema = user, schema

    def shows(self, table: str, one: Bearing, at: str) -> str:
        if one.user:
            return f"{at}{one.user} = {self.user}"
        if one.code:
            any_line = self._lines("1", "true")
            projects = self._lines("a.project_key", "a.project_key <> -1 AND a.team = ''")
            teams = self._lines("lower(a.team)", "a.project_key = -1")
            return (
                f"({at}{one.code} = '*' AND EXISTS ({any_line})) OR lower({at}{one.code}) IN (SELECT "
                f"lower(p.code) FROM {self.schema}dim_project p WHERE p.project_key IN ({projects})) "
                f"OR lower({at}{one.code}) IN ({teams})"
            )
        if one.tasks:
            rule = self.shows("dim_task", bearings()["dim_task"], "t.")
            visible = f"SELECT t.task_key FROM {self.schema}dim_task t WHERE {rule}"
            return " AND ".join(f"{at}{column} IN ({visible})" for column in one.tasks)
        found = self._rows(one, at)
        if table == "dim_project":  # a part of a project has the project's name
            found.append(f"{at}{one.project} IN ({self._lines('a.project_key', 'a.project_key <> -1')})")
        if one.key:
            rows = " OR ".join(self._rows(bearings()[BRIDGE], "b."))
            found.append(
                f"{at}{one.key} IN (SELECT b.key FROM {self.schema}{BRIDGE} b "
                f"WHERE b.dimension = '{table}' AND ({rows}))"
            )
        return " OR ".join(found)

    def _rows(self, one: Bearing, at: str) -> list[str]:
        """Return the conditions of what a row itself bears: project, team, both."""
        found = []
        only = f"{at}{one.only[0]} = '{one.only[1]}' AND " if one.only else ""
        if one.project:
            lines = self._lines("a.project_key", "a.project_key <> -1 AND a.team = ''")
            found.append(f"{at}{one.project} IN ({lines})")
        if one.person:
            found.append(f"{at}{one.person} IN ({self._lines('p.person_key', 'a.project_key = -1')})")
        if one.team:
            lines = self._lines("a.team", "a.project_key = -1")
            found.append(f"({only}{at}{one.team} IN ({lines}))")
        if one.project and one.person:
            lines = self._lines("a.project_key, p.person_key", "a.project_key <> -1")
            found.append(f"({at}{one.project}, {at}{one.person}) IN ({lines})")
        if one.project and one.team:
            lines = self._lines("a.project_key, a.team", "a.project_key <> -1 AND a.team <> ''")
            found.append(f"({only}({at}{one.project}, {at}{one.team}) IN ({lines}))")
        return found

    def _lines(self, what: str, where: str) -> str:
        """Return the query of *what* from the person's lines, with the people of their teams where asked."""
        people = f" JOIN {self.schema}dim_person p ON p.team = a.team" if "p." in what else ""
        lines = f"{self.schema}dim_access a{people} WHERE a.user_principal = {self.user}"
        return f"SELECT {what} FROM {lines} AND {where}"
