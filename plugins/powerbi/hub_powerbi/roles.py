"""Write the rule of who sees which row as the one role of the model, in DAX.

The rule itself is the hub's (`hub.feed.access`). Tables are read by FILTER and never by CALCULATE, so that no
row of the filtered table narrows what it is compared with.
"""

from __future__ import annotations

from collections.abc import Iterator

from hub import BRIDGE, Bearing, bearings
from hub_powerbi.names import Names, tmdl_name

LINES = "dim_access"


def role_name(names: Names) -> str:
    """Name the role in the language of the model."""
    return "Accès" if names.lang == "fr" else "Access"


def role(names: Names) -> Iterator[str]:
    """Yield the lines of the role: a permission on every table that has a project, a team or a person."""
    yield from (f"role {tmdl_name(role_name(names))}", "\tmodelPermission: read", "")
    for table, one in bearings().items():
        yield f"\ttablePermission {tmdl_name(names.tables[table])} ="
        yield from (f"\t\t\t{line}" for line in _Dax(names).shows(table, one))
        yield ""


class _Dax:
    """Writes conditions with the names of one language."""

    def __init__(self, names: Names) -> None:
        self.names = names

    def shows(self, table: str, one: Bearing) -> list[str]:
        """Return the lines of an expression that is true for a row that shows."""
        if one.user:
            return [self._mine()]
        rule, tasks = "", []
        if one.tasks:
            inside = bearings()["dim_task"]
            rows = f"FILTER({self.names.table('dim_task')}, {self._rule('dim_task', inside)})"
            key = self.names.column("dim_task", inside.key)
            tasks = [f'VAR _tasks = SELECTCOLUMNS({rows}, "Key", {key})']
            rule = " && ".join(f"{self.names.column(table, name)} IN _tasks" for name in one.tasks)
        rule = rule or self._rule(table, one)
        asked = "".join([*tasks, rule])
        return [*(line for name, line in self._sets() if name in asked), *tasks, f"RETURN {rule}"]

    def _mine(self) -> str:
        return f"{self.names.column(LINES, 'user_principal')} = USERPRINCIPALNAME()"

    def _sets(self) -> Iterator[tuple[str, str]]:
        """Yield variables by their names: the person's lines, and what they allow."""
        project, team = self.names.column(LINES, "project_key"), self.names.column(LINES, "team")
        kinds = {
            "_projects": (f'{project} <> -1 && {team} = ""', (project,)),
            "_teams": (f'{project} = -1 && {team} <> ""', (team,)),
            "_parts": (f'{project} <> -1 && {team} <> ""', (project, team)),
            # a part of a project has the project's name
            "_named": (f"{project} <> -1", (project,)),
        }
        yield "_mine", f"VAR _mine = FILTER({self.names.table(LINES)}, {self._mine()})"
        for name, (which, columns) in kinds.items():
            lines = f"FILTER({self.names.table(LINES)}, {self._mine()} && {which})"
            taken = ", ".join(f'"{place}", {column}' for place, column in enumerate(columns, 1))
            yield name, f"VAR {name} = SELECTCOLUMNS({lines}, {taken})"

    def _rule(self, table: str, one: Bearing) -> str:
        if one.code:
            return self._coded(self.names.column(table, one.code))
        found = list(self._rows(table, one))
        if table == "dim_project":
            found.append(f"{self.names.column(table, one.project)} IN _named")
        if one.key:
            rows = " || ".join(self._rows(BRIDGE, bearings()[BRIDGE]))
            found.append(
                f"{self.names.column(table, one.key)} IN SELECTCOLUMNS(FILTER({self.names.table(BRIDGE)}, "
                f'{self.names.column(BRIDGE, "dimension")} = "{table}" && ({rows})), '
                f'"Key", {self.names.column(BRIDGE, "key")})'
            )
        return " || ".join(found)

    def _rows(self, table: str, one: Bearing) -> Iterator[str]:
        """Yield the conditions of what a row itself bears: project, team, both."""
        project = self.names.column(table, one.project) if one.project else ""
        if project:
            yield f"{project} IN _projects"
        teams = []
        if one.person:
            teams.append((f"RELATED({self.names.column('dim_person', 'team')})", ""))
        if one.team:
            only = f'{self.names.column(table, one.only[0])} = "{one.only[1]}" && ' if one.only else ""
            teams.append((self.names.column(table, one.team), only))
        for team, only in teams:
            yield f"({only}{team} IN _teams)"
            if project:
                yield f"({only}({project}, {team}) IN _parts)"

    def _coded(self, code: str) -> str:
        """Return the condition of a code that is a project's, a team's name, or ``*``."""
        key = self.names.column("dim_project", "project_key")
        rows = f"FILTER({self.names.table('dim_project')}, {key} IN _projects)"
        projects = f'SELECTCOLUMNS({rows}, "Code", {self.names.column("dim_project", "code")})'
        return f'({code} = "*" && NOT ISEMPTY(_mine)) || {code} IN {projects} || {code} IN _teams'
