"""One container of the store, such as a plan, with its tasks and links as they were known at a moment."""

from __future__ import annotations

from typing import Any

from hub.errors import ConfigError
from hub.placement import here
from hub.store.store import Store, as_of_sql
from hub.words import tr

_TASK = (
    "id", "wbs", "title", "kind", "status_native", "planned_start_on", "planned_finish_on", "due_on",
    "estimate_s", "is_critical", "container_id", "presence",
)  # fmt: skip
_LINK = ("id", "from_id", "to_id", "type", "lag_s", "presence")
_SHOWN = 8


def container_named(store: Store, name: str) -> tuple[str, str]:
    """Return id and name of the container that is called *name*: by its id, code, name or place.

    Raises `ConfigError` where none is, or several are.
    """
    found = store.rows(
        "SELECT id, coalesce(name, code, id) AS name FROM container "
        "WHERE id = :name OR fold(:name) IN (fold(code), fold(name), fold(url)) ORDER BY id",
        {"name": name},
    )
    if len(found) == 1:
        return found[0]["id"], found[0]["name"]
    known = found or store.rows(
        f"SELECT id, coalesce(name, code, id) AS name FROM container WHERE {here()} "
        "ORDER BY kind <> 'plan', id"
    )
    names = ", ".join(f"{one['name']} ({one['id']})" for one in known[:_SHOWN]) or tr("none")
    if found:
        raise ConfigError(
            tr("Several plans are called {name!r}; give the id of one: {names}.", name=name, names=names)
        )
    raise ConfigError(
        tr(
            "{name!r} is no file, and no plan in the store is called so. Known: {names}.",
            name=name,
            names=names,
        )
    )


def tasks_known(store: Store, container_id: str, moment: str | None) -> list[dict[str, Any]]:
    """Return the tasks of a container as they were known at *moment*, now where it is None."""
    return store.rows(
        f"SELECT * FROM ({as_of_sql('task', moment, _TASK)}) t WHERE container_id = ? AND {here()} "
        "ORDER BY id",
        (container_id,),
    )


def links_known(store: Store, container_id: str, moment: str | None) -> list[dict[str, Any]]:
    """Return the links to tasks of a container as they were known at *moment*, now where it is None."""
    return store.rows(
        f"SELECT l.from_id, l.to_id, l.type, l.lag_s FROM ({as_of_sql('task_link', moment, _LINK)}) l "
        f"JOIN ({as_of_sql('task', moment, _TASK)}) t ON t.id = l.to_id WHERE t.container_id = ? "
        f"AND {here('l.presence')} AND {here('t.presence')} ORDER BY l.id",
        (container_id,),
    )
