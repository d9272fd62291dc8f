"""What runs and commands ask the store, in its own words; each question is written once, here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hub.placement import here, names_by_code
from hub.records import BY_TABLE
from hub.store.store import Store, utc_now
from hub.words import tr

_SHOWN = 5


def sources(store: Store) -> list[dict[str, Any]]:
    """Return every source that ever ran: id, kind and freshness_max_s."""
    return store.rows("SELECT id, kind, freshness_max_s FROM source ORDER BY id")


def publications(store: Store) -> list[dict[str, Any]]:
    """Return the last delivery to each destination: destination, feed_id, state, at and detail."""
    return store.rows(
        "SELECT destination, feed_id, state, at, detail FROM ("
        "SELECT destination, feed_id, state, detail, coalesce(finished_at, started_at) AS at, "
        "row_number() OVER (PARTITION BY destination "
        "ORDER BY coalesce(finished_at, started_at) DESC, feed_id) AS place FROM publication) p "
        "WHERE place = 1 ORDER BY destination"
    )


def sizes(store: Store) -> list[dict[str, Any]]:
    """Return table, rows, not_present and history (older images) of every table of records."""
    found = []
    for name in BY_TABLE:
        (now,) = store.rows(
            f"SELECT count(*) AS n, count(*) FILTER (WHERE presence <> 'present') AS away FROM {name}"
        )
        (past,) = store.rows(f"SELECT count(*) AS n FROM {name}_history")
        found.append({"table": name, "rows": now["n"], "not_present": now["away"], "history": past["n"]})
    return found


def site_fields(store: Store) -> dict[str, dict[str, str]]:
    """Return by source the fields that fields.csv asked of it when it was read last, and their types."""
    found: dict[str, dict[str, str]] = {}
    for source, native, kind in store.connection.execute(
        f"SELECT source, native, type FROM site_field WHERE {here()}"
    ):
        found.setdefault(source, {})[native] = kind
    return found


_OF_LEVEL = {"task": "task", "project": "container", "hours": "worklog", "person": "account"}


def custom_fields(store: Store, source: str) -> list[tuple[str, str, str, float]]:
    """Return name, level, type and share of things that have a value, of the fields kept of *source*."""
    found = []
    for level, table in _OF_LEVEL.items():
        rows = store.connection.execute(
            f"SELECT v.field, count(v.text), count(v.number), count(v.day), count(DISTINCT v.row_id), "
            f"(SELECT count(*) FROM {table} r WHERE r.source_id = ? AND {here('r.presence')}) "
            f"FROM custom_value v JOIN {table} t ON t.id = v.row_id "
            f"WHERE v.source_id = ? AND {here('v.presence')} AND {here('t.presence')} "
            "AND v.field NOT LIKE 'pm-hub: %' GROUP BY 1 ORDER BY 1",
            (source, source),
        )
        for name, texts, numbers, days, filled, all_of in rows:
            kind = "text" if texts else "number" if numbers >= days else "date"
            found.append((name, level, kind, filled / max(1, all_of)))
    return found


def brought(store: Store, table: str, *ids: str) -> tuple[int, str] | None:
    """Return the run that brought the row of *table* with one of these *ids*, and since when it is known."""
    found: tuple[int, str] | None = store.connection.execute(
        f"SELECT run_id, recorded_at FROM {table} WHERE id IN ({', '.join('?' * len(ids))})", ids
    ).fetchone()
    return found


def schema(store: Store) -> list[str]:
    """Return the names of the migrations that made this store, oldest first."""
    return [row["name"] for row in store.rows("SELECT name FROM _sqlite_migrations ORDER BY id")]


def names(store: Store) -> dict[str, Any]:
    """Return what may be named of what is here.

    Containers and accounts by source, and what others than config brought.
    """
    found: dict[str, dict[str, set[str]]] = {"containers": {}, "accounts": {}}
    both = (("containers", "container", "code, name"), ("accounts", "account", "login, display_name"))
    for kind, table, columns in both:
        for source, *texts in store.connection.execute(
            f"SELECT source_id, substr(id, length(source_id) + 2), id, {columns} FROM {table} WHERE {here()}"
        ):
            found[kind].setdefault(source, set()).update(text for text in texts if text)
    other = f"source_id <> 'config' AND {here()}"
    few = {
        name: frozenset(row[0] for row in store.connection.execute(f"SELECT {one} WHERE {other}") if row[0])
        for name, one in (
            ("projects", "code FROM project"),
            ("teams", "name FROM team"),
            ("roles", "role FROM person"),
            ("calendars", "code FROM calendar"),
            ("groups", "group_name FROM access_group"),
        )
    }
    found["fields"] = {}
    for source, name in store.connection.execute(
        f"SELECT DISTINCT source_id, field FROM custom_value WHERE {here()}"
    ):
        found["fields"].setdefault(source, set()).add(name)
    people = store.connection.execute(
        f"SELECT id, email, employee_no, display_name FROM person WHERE {other}"
    )
    few["people"] = frozenset(text for row in people for text in row if text)
    return few | {
        kind: {source: frozenset(texts) for source, texts in held.items()} for kind, held in found.items()
    }


def read(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return what sources other than config brought, as it is named: `hub.reference.beginning.beginnings`."""
    other = f"source_id <> 'config' AND {here()}"
    codes = " UNION ".join(
        f"SELECT project_code AS code FROM {table} WHERE {other} AND project_code <> '*'"
        for table in ("budget_line", "register_item")
    )
    return {
        "containers": store.rows(
            f"SELECT source_id, id, code, name FROM container WHERE {other} "
            "ORDER BY source_id, code NULLS FIRST, name"
        ),
        "accounts": store.rows(
            "SELECT source_id, id, display_name, email, employee_no, login FROM account "
            f"WHERE {other} AND kind = 'human' ORDER BY display_name NULLS FIRST, id"
        ),
        "codes": store.rows(f"SELECT code FROM ({codes}) named ORDER BY code"),
        "statuses": store.rows(
            f"SELECT DISTINCT source_id, status_raw FROM task WHERE {other} AND status_native IS NULL "
            "AND status_raw <> '' ORDER BY source_id, status_raw"
        ),
    }


_NAMED = (
    ("worklog", "task_id", "task"), ("worklog", "container_id", "container"),
    ("worklog", "account_id", "account"), ("task", "container_id", "container"),
    ("allocation", "account_id", "account"),
)  # fmt: skip
"""Which table names which by which column, where figures are lost if nothing has the name."""


def nameless(store: Store, source_id: str, coming: Iterable[str]) -> tuple[list[str], list[str]]:
    """Return what rows of a source name and nothing answers to: first what puts hours under no project.

    The rest may stand outside of what the source is asked for: a task of another kind, somebody who left.
    What a source that is *coming* may still bring is left out.
    """
    later = tuple(f"{one}:" for one in coming)
    costly: list[tuple[int, str]] = []
    cheap: list[str] = []
    for table, column, target in _NAMED:
        seconds = "coalesce(sum(t.seconds), 0)" if table != "task" else "0"
        other = (
            f"AND t.{column} NOT IN ({names_by_code(target)}) " if target != "account" else ""
        )  # a code is a name too
        for named, count, spent in store.connection.execute(
            f"SELECT t.{column}, count(*), {seconds} FROM {table} t "
            f"LEFT JOIN {target} o ON o.id = t.{column} WHERE t.source_id = ? "
            f"AND t.{column} IS NOT NULL AND o.id IS NULL AND {here('t.presence')} {other}"
            "GROUP BY 1 ORDER BY 3 DESC, 2 DESC, 1",
            (source_id,),
        ):
            if named.startswith(later):
                continue
            line = tr(
                "nothing is known of the {target} {name}, which {count} {table} rows name ({hours:g} h)",
                target=target, name=named, count=count, table=table, hours=spent / 3600,
            )  # fmt: skip
            if spent and target == "container":
                costly.append((spent, line))
            else:
                cheap.append(line)
    costly.sort(key=lambda one: -one[0])
    told = [line for _, line in costly[:_SHOWN]]
    if len(costly) > _SHOWN:
        rest = sum(spent for spent, _ in costly[_SHOWN:])
        told.append(
            tr(
                "{more} more {more:name is|names are} not known ({hours:g} h)",
                more=len(costly) - _SHOWN,
                hours=rest / 3600,
            )
        )
    if len(cheap) > _SHOWN:
        cheap[_SHOWN:] = [tr("{more} more {more:name is|names are} not known", more=len(cheap) - _SHOWN)]
    return told, cheap


def last_run(store: Store) -> int:
    """Return the highest number of a run, 0 before the first."""
    return int(store.connection.execute("SELECT coalesce(max(id), 0) FROM sync_run").fetchone()[0])


def under_way(store: Store, sources: Iterable[str], *, since_run: int) -> list[str]:
    """Return which of *sources* have no run after the number *since_run* that ended by itself."""
    ended = {
        row["source_id"]
        for row in store.rows(
            "SELECT DISTINCT source_id FROM sync_run WHERE id > ? "
            "AND verdict NOT IN ('running', 'interrupted')",
            (since_run,),
        )
    }
    return [one for one in sources if one not in ended]


def announced(store: Store) -> dict[str, str]:
    """Return the state that was last announced of each subject."""
    return {row["subject"]: row["state"] for row in store.rows("SELECT subject, state FROM notice")}


def remember_announced(store: Store, states: dict[str, str]) -> None:
    """Keep what was announced now."""
    with store.transaction():
        store.connection.executemany(
            "INSERT INTO notice VALUES (?, ?, ?) "
            "ON CONFLICT (subject) DO UPDATE SET state = excluded.state, at = excluded.at",
            [(subject, state, utc_now()) for subject, state in states.items()],
        )
