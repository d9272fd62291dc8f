"""Lay the rule's tables beside the rows of a store, in SQLite or in DuckDB: the same SQL for both.

After `place` a connection has, as temporary tables and views:

- ``container_name``, ``account_name``: every way to name one (``id``, ``source:code``…);
- ``task_gone``, ``hour_place.gone``: what no longer counts, and by what cause;
- ``alone``, ``project_code``, ``project_label``: the projects there are, and what they are called;
- ``slot``, ``home_slot``, ``task_slot``, ``hour_place``: the project of each (-1: none).

They tell what the rows were when `place` ran: whoever asks runs it first.
"""

from __future__ import annotations

import functools
import re
from importlib.resources import files
from typing import Any, Protocol

from hub.errors import ConfigError, FeedError
from hub.placement.filters import parse
from hub.placement.presence import LISTED
from hub.words import tr

DUCKDB_FOLD = "CREATE OR REPLACE MACRO fold(text) AS lower(text)"
"""What `fold` is in DuckDB; a store's own connection has the Python function by that name."""


class Connection(Protocol):
    """What the rule needs of a database, which sqlite3 and duckdb both have."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Any:
        """Run one statement; what comes back has ``fetchall``."""


def place(connection: Connection, *, check: bool = True) -> None:
    """Lay the rule's tables over the rows that *connection* shows now.

    A task that equally specific filters claim belongs to no project. With *check* that raises `FeedError`
    with task and filters, and a filter that cannot be read `ConfigError`; without, both are passed over.
    """
    place_containers(connection)
    run = connection.execute
    texts = run("SELECT DISTINCT filter FROM slot WHERE filter <> '' ORDER BY filter").fetchall()
    for (text,) in texts:
        try:
            condition = parse(text)
        except ConfigError:
            if check:
                raise
            continue
        run(
            f"INSERT INTO hit SELECT t.id, s.slot, {condition.terms} FROM slot s "
            f"JOIN task t ON t.container_id = s.container_id WHERE s.filter = ? AND {condition.sql}",
            [text, *condition.parameters],
        )
    _run(connection, "tasks")
    if check and texts:
        _refuse_ties(connection)


def place_containers(connection: Connection) -> None:
    """Lay only what says names, projects and slots: all that questions about containers need."""
    made = re.findall(r"CREATE TEMP (TABLE|VIEW) (\w+)", _text("slots") + _text("tasks"))
    for kind, name in reversed(made):  # what stands on others goes first
        connection.execute(f"DROP {kind} IF EXISTS temp.{name}")
    _run(connection, "slots")


def place_hours(connection: Connection) -> None:
    """Lay ``hour`` and ``hour_place`` alone, over hours and over tables of the rule that are there."""
    for statement in _text("tasks").split(";\n"):
        if re.search(r"CREATE TEMP VIEW hour(_place)? AS", statement):
            connection.execute(statement)


def _refuse_ties(connection: Connection) -> None:
    """Raise `FeedError` when filters that are equally specific claim one task."""
    found = connection.execute(
        "SELECT b.task_id, coalesce(t.code, t.title), s.filter FROM best_hit b "
        "JOIN task t ON t.id = b.task_id JOIN hit h ON h.task_id = b.task_id AND h.terms = b.terms "
        "JOIN slot s ON s.slot = h.slot "
        "WHERE b.claims > 1 ORDER BY t.key, s.filter"
    ).fetchall()
    if found:
        task, name, _ = found[0]
        others = len({row[0] for row in found}) - 1
        shown = tr("{task!r} (and {others} more)", task=name, others=others) if others else repr(name)
        filters = " | ".join(row[2] for row in found if row[0] == task)
        raise FeedError(
            tr(
                "project_links.csv: {task} matches several filters that are equally "
                "specific: {filters}. Make one of them narrower, so that the task belongs to one "
                "project.",
                task=shown,
                filters=filters,
            )
        )


def _run(connection: Connection, part: str) -> None:
    for statement in _text(part).split(";\n"):
        if statement.strip():
            connection.execute(statement)


@functools.cache
def _text(part: str) -> str:
    """Return the statements of one file of the room, with what has left put in."""
    text = (files("hub.placement") / f"{part}.sql").read_text(encoding="utf-8")
    return text.replace("{left}", LISTED)
