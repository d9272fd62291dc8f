"""As much of JQL as a connector asks: what it does not know is refused."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

from hub_jira.testing.answers import millis


class Issue(Protocol):
    """What a search must know of an issue."""

    native: int
    key: str
    container: str
    created: str
    updated: str


class Searched(Protocol):
    """What a search must know of a site."""

    lag_s: int
    foreign: Literal["ignore", "nothing", "refuse"]
    foreign_projects: Literal["ignore", "nothing", "refuse"]
    hidden: set[str]
    archived: set[str]
    trashed: set[str]

    @property
    def keys(self) -> Mapping[str, str]:
        """Return the keys of projects."""

    def project_no(self, native: str) -> str:
        """Return the number of a project."""

    def seen(self) -> Sequence[Any]:
        """Return the issues that a search may find."""

    def field(self, item: Any, name: str) -> Any:
        """Return the value of a field."""

    def indexed(self) -> int:
        """Return up to which instant the search knows of things."""


SPRINT = "customfield_10020"
_BY_ID = "id|key|status|issuetype|priority|resolution|fixVersion|component|sprint"
RESERVED = frozenset({"add", "and", "date", "end", "file", "go", "set", "size", "table", "user", "when"})
"""Some of the words that JQL keeps for itself: they stand in quotation marks."""


def found(site: Searched, jql: str, *, bounded: bool) -> list[Issue]:
    """Return what a search finds. Raises ValueError for JQL that this site does not know."""
    text, _, order = jql.partition(" ORDER BY ")
    clauses = [clause.strip() for clause in text.split(" AND ") if clause.strip()]
    clauses = [one[1:-1] if one.startswith("(") else one for one in clauses]
    if bounded and not clauses:
        raise ValueError(
            "Unbounded JQL queries are not allowed here. Please add a search restriction to your query."
        )
    rows = [item for item in site.seen() if not site.lag_s or millis(item.updated) <= site.indexed()]
    for clause in clauses:
        if clause == "created >= 0":
            continue
        rows = list(filter(_clause(site, clause), rows))
    for part in reversed([part for part in order.split(",") if part.strip()]):
        name, _, way = part.strip().partition(" ")
        sort = _SORTS.get(name)
        if sort is None:
            raise ValueError(f"Not able to sort using field '{name}'.")
        rows.sort(key=sort, reverse=way == "DESC")
    return rows


def _clause(site: Searched, clause: str) -> Callable[[Issue], bool]:
    """Understand one clause of JQL. Raises ValueError for one that this site does not know."""
    match = re.fullmatch(rf"({_BY_ID}) in \((.+)\)", clause)
    if match is None and (of := re.fullmatch(r"(labels|priority) = (\w+)", clause)):
        return lambda item: of.group(2) in _words(site.field(item, of.group(1)))
    if match is None:
        return _condition(site, clause)
    by, wanted = match.group(1), {one.strip() for one in match.group(2).split(",")}
    if by in {"id", "key"}:
        seen = {str(item.native) if by == "id" else item.key for item in site.seen()}
        strange = wanted - seen
        if strange and site.foreign == "refuse":
            raise ValueError(f"An issue with {by} '{min(strange)}' does not exist for field '{by}'.")
        if strange and site.foreign == "nothing":
            return lambda item: False
        return lambda item: (str(item.native) if by == "id" else item.key) in wanted
    name = {"component": "components", "fixVersion": "fixVersions", "sprint": SPRINT}.get(by, by)

    def named(item: Issue) -> bool:
        value = site.field(item, name)
        return any(_id_of(one) in wanted for one in (value if isinstance(value, list) else [value]) if one)

    return named


def _id_of(value: Any) -> str:
    """Return the id of what an issue names: Data Center writes a sprint as a text."""
    if isinstance(value, dict):
        return str(value["id"])
    found = re.search(r"[\[,]id=(\d+)", str(value))
    return found.group(1) if found else ""


def _words(value: Any) -> list[str]:
    """Return what a value says: of a list its texts, else its name."""
    return value if isinstance(value, list) else [value["name"]] if value else []


def _condition(site: Searched, clause: str) -> Callable[[Issue], bool]:
    """Understand one clause of JQL. Raises ValueError for one that this site does not know."""
    if match := re.fullmatch(r"(updated|created) >= (\d+)", clause):
        field, least = match.group(1), int(match.group(2))
        return lambda item: millis(getattr(item, field)) >= least
    if match := re.fullmatch(r"project in \((.+)\)", clause):
        words, keys = [one.strip() for one in match.group(1).split(",")], site.keys
        if reserved := {one.casefold() for one in words} & RESERVED:
            raise ValueError(f"Error in the JQL Query: {min(reserved)!r} is a reserved JQL word.")
        wanted = {one.strip('"') for one in words}
        away = site.hidden | site.archived | site.trashed
        numbers = {site.project_no(native): key for native, key in keys.items()}
        wanted = {numbers.get(one, one) for one in wanted}
        lacking = wanted - {key for native, key in keys.items() if native not in away}
        if lacking and site.foreign_projects == "refuse":
            raise ValueError(f"The value '{min(lacking)}' does not exist for the field 'project'.")
        if lacking and site.foreign_projects == "nothing":
            return lambda item: False
        return lambda item: keys[item.container] in wanted
    raise ValueError(f"Error in the JQL Query: {clause!r}")


_SORTS: dict[str, Callable[[Issue], Any]] = {
    "updated": lambda item: millis(item.updated),
    "created": lambda item: millis(item.created),
    "id": lambda item: item.native,
    "key": lambda item: item.native,
}
