"""What is known of a tool and of its lists, by an answer: where its rows stand, what they may become."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from hub_rest import guesses
from hub_rest.guesses import find, merged, quoted, table_of

UNSURE = "# unsure: "
NEEDED = {"task": ("title", "container_id"), "worklog": ("day", "seconds"), "container": ("name",)}
"""What a record cannot be without."""
_IDLIKE = re.compile(r"\d+|[0-9a-fA-F]{8,}(-[0-9a-fA-F]+)*")
_DEPTH = 5
_WAYS = frozenset({"search", "list", "all", "query", "jql", "index"})
"""Last words of a path that say how its list is asked for."""


class Tool:
    """What is known of a tool as a whole; its lists are *shapes*."""

    def __init__(
        self, title: str, *, url: str = "", auth: str | None = None, auth_sure: bool = True, secret: str = ""
    ) -> None:
        """Take its *title*, its *url*, how it signs in; *secret* is the parameter that takes the token."""
        self.title, self.url, self.auth, self.auth_sure, self.secret = title, url, auth, auth_sure, secret
        self.check = ""
        self.shapes: list[Shape] = []
        self.left_out: list[str] = []


class Shape:
    """What is known of a list: an example of an answer, its rows, and its path and parameters."""

    def __init__(
        self,
        path: str,
        answer: Any,
        params: dict[str, dict[str, Any]] | None = None,
        headers: tuple[str, ...] = (),
        *,
        fixed: dict[str, str] | None = None,
        said: dict[str, str] | None = None,
        is_invented: bool = False,
    ) -> None:
        """Look for the rows in the answer.

        *params* are the names that may be asked with and what is said of each, *fixed* those that were asked
        with and say nothing of pages, *headers* the names of those of the answer, *said* descriptions
        by name. *is_invented* says that the values are of no real answer.
        """
        self.path, self.answer, self.headers = path, answer, headers
        self.params: dict[str, dict[str, Any]] = params or {}
        self.fixed, self.said, self.is_invented = fixed or {}, said or {}, is_invented
        self.probe, self.is_of_file = "", False
        self.columns: tuple[str, list[str]] | None = None
        """Where the names of columns stand in the answer, and these, where rows are lists."""
        self.where, self.rows = self._found()
        self.flat = merged(self.rows)

    def _found(self) -> tuple[str, list[Any]]:
        if isinstance(self.answer, list):
            return self._unwrapped("", [row for row in self.answer if isinstance(row, dict)])
        found = sorted(_lists(self.answer, ()), key=_rank)
        if found:
            path, rows = found[0]
            return self._unwrapped(".".join(map(quoted, path)), rows)
        if table := _columnar(self.answer, ()):
            where, columns, names, rows = table
            self.columns = columns, names
            return where, [
                dict(zip([f"[{n}]" for n in range(len(names))], row, strict=False)) for row in rows
            ]
        if keyed := _keyed(self.answer, ()):
            return keyed
        return "", [self.answer] if isinstance(self.answer, dict) else []

    def _unwrapped(self, where: str, rows: list[Any]) -> tuple[str, list[Any]]:
        """Go into the one thing that each row holds: the node of an edge."""
        names = set().union(*(row.keys() for row in rows)) - {"cursor"} if rows else set()
        if len(names) == 1 and all(isinstance(row.get(name := next(iter(names))), dict) for row in rows):
            if not (name == "node" or len(rows) > 1 or table_of(name)):
                return where, rows
            return f"{where}[].{quoted(name)}", [row[name] for row in rows]
        return where, rows

    @property
    def row(self) -> dict[str, Any]:
        """Return the first row."""
        return self.rows[0] if self.rows else {}

    @property
    def variables(self) -> list[str]:
        """Return what its path has to be filled with."""
        return re.findall(r"\{(\w+)\}", self.path)

    @property
    def name(self) -> str:
        """Return what the list may be called: the last word of its path that says what it holds."""
        words = [one for one in re.split(r"[/?]", self.path) if re.fullmatch(r"[A-Za-z_][\w.-]*", one)]
        words = [re.sub(r"\.json$", "", one) for one in words]
        telling = [one for one in words if one.lower() not in _WAYS]
        return (telling or words or ["rows"])[-1]

    @property
    def table(self) -> str:
        """Return the record that its rows may become."""
        return self.known_table or "task"

    @property
    def called(self) -> str | None:
        """Return the record that the name of the rows, or of the list, speaks of."""
        names = re.findall(r"[\w-]+", re.sub(r"\[\]\.node$|^entries", "", self.where))
        telling = [one for one in names if one.lower() not in guesses.ROWS]
        return (table_of(telling[-1]) if telling else None) or table_of(self.name)

    @property
    def known_table(self) -> str | None:
        """Return the record of which something speaks: a name, its fields, what stands around the rows."""
        around = map(table_of, re.findall(r"[\w-]+", self.where)[::-1])
        return self.called or guesses.table_by_fields(self.named) or next(filter(None, around), None)

    @property
    def lacks(self) -> list[str]:
        """Return what its record cannot be without and nothing in the rows looks like."""
        return [
            name
            for name in NEEDED.get(self.table, ())
            if not find(guesses.FIELDS[self.table][name], self.named)
            and not (name == "container_id" and self.variables)
        ]

    def may_count(self, name: str) -> bool:
        """Say whether a parameter may count rows or pages: `start` and `after` may be days too."""
        said = self.params[name]
        about = f"{said.get('format')} {said.get('pattern')} {said.get('description')}".lower()
        return not (
            re.search(r"date|\btime|day", about) and not re.search("integer|number", f"{said.get('type')}")
        )

    @property
    def named(self) -> dict[str, Any]:
        """Return the merged row by the names that columns have, where rows are lists."""
        if self.columns is None:
            return self.flat
        return {quoted(name): self.flat.get(f"[{n}]") for n, name in enumerate(self.columns[1])}

    def place(self, name: str) -> str:
        """Return the path in a row of what is called *name* in `named`."""
        if self.columns is None or not name:
            return name
        return f"[{[quoted(one) for one in self.columns[1]].index(name)}]"


def _rank(pair: tuple[tuple[str, ...], list[Any]]) -> tuple[Any, ...]:
    name = pair[0][-1]
    return (
        name.lower() in guesses.BESIDE,
        name.lower() not in guesses.ROWS and table_of(name) is None,
        len(pair[0]),
        -len(pair[1]),
    )


def _lists(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    """Yield the lists of objects in an answer, and where they stand."""
    if not isinstance(value, dict) or len(path) > _DEPTH:
        return
    for name, one in value.items():
        if isinstance(one, list):
            rows = [row for row in one if isinstance(row, dict)]
            if rows and not _is_head(name, rows, value):
                yield (*path, f"{name}"), rows
        else:
            yield from _lists(one, (*path, f"{name}"))


def _is_head(name: str, rows: list[Any], beside: dict[str, Any]) -> bool:
    """Say whether a list names the columns of the rows that stand beside it."""
    others = [one for other, one in beside.items() if other != name and isinstance(one, list) and one]
    return any(all(isinstance(row, list) and len(row) == len(rows) for row in one) for one in others)


def _columnar(value: Any, path: tuple[str, ...]) -> tuple[str, str, list[str], list[Any]] | None:
    """Return where rows that are lists stand, where their columns are named, these names, and the rows."""
    if not isinstance(value, dict) or len(path) > _DEPTH:
        return None
    for name, rows in value.items():
        if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
            continue
        for other, head in value.items():
            if other != name and isinstance(head, list) and len(head) == len(rows[0]) > 0:
                label = next(
                    (one for one in ("name", "key", "id", "title", "label")
                     if all(isinstance(column, dict) and one in column for column in head)), "",
                )  # fmt: skip
                names = [f"{column[label]}" if label else f"{column}" for column in head]
                where = ".".join(map(quoted, (*path, other))) + (f"[].{label}" if label else "")
                return ".".join(map(quoted, (*path, name))), where, names, rows
    return next((found for name, one in value.items() if (found := _columnar(one, (*path, name)))), None)


def _keyed(value: Any, path: tuple[str, ...]) -> tuple[str, list[Any]] | None:
    """Return where rows stand as the values of an object whose names are their ids, and the rows."""
    if not isinstance(value, dict) or len(path) > _DEPTH:
        return None
    if value and all(isinstance(one, dict) and _IDLIKE.fullmatch(f"{name}") for name, one in value.items()):
        where = f"entries({'.'.join(map(quoted, path)) or '@'})"
        return where, [{"key": name, "value": one} for name, one in value.items()]
    return next((found for name, one in value.items() if (found := _keyed(one, (*path, name)))), None)


def text_of(value: str) -> str:
    """Return a text as TOML has it."""
    return json.dumps(value, ensure_ascii=False)
