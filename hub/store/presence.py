"""Presence instead of deletion: what left, on what evidence, what is held, and the hours at stake.

A row's own presence is stored on the row. What is proven of a task or a container holds for the rows under it
without touching them: they are counted as long as the row, its task and its container are.
A task that comes back therefore brings its worklogs back by itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from hub.placement import here, place
from hub.records import BY_TABLE, Presence, Worklog, columns
from hub.source import Scope
from hub.store.engines import Engine
from hub.store.erasure import Door
from hub.words import tr, trn

# what each kind of row hangs on, so that a held row is told under its container and project
_OWNERS = ("task_id", "from_id", "row_id")
_LEFT_SQL = """
WITH line AS (
    SELECT h.source_id, h.container_id, h.project_key,
        coalesce(w.presence, t.presence, c.presence, h.presence) AS presence,
        coalesce(w.presence_evidence, t.presence_evidence, c.presence_evidence, '') AS evidence,
        coalesce(w.recorded_at, t.recorded_at, c.recorded_at) AS since,
        CASE WHEN h.presence <> 'present' THEN 1 ELSE 0 END AS n, 0 AS tasks,
        CASE WHEN h.gone IS NOT NULL AND h.origin = 'timesheet' THEN h.seconds ELSE 0 END AS seconds
    FROM hour_place h LEFT JOIN worklog w ON w.id = h.id AND (h.cause = 'row' OR h.cause IS NULL)
        LEFT JOIN task t ON t.id = h.cause_id AND h.cause = 'task'
        LEFT JOIN container c ON c.id = h.cause_id AND h.cause = 'container'
    WHERE h.kind = 'worklog' AND (h.presence <> 'present' OR (h.gone IS NOT NULL AND h.origin = 'timesheet'))
    UNION ALL
    SELECT t.source_id, t.container_id, s.project_key, g.presence,
        coalesce(CASE WHEN g.cause = 'row' THEN t.presence_evidence ELSE c.presence_evidence END, ''),
        CASE WHEN g.cause = 'row' THEN t.recorded_at ELSE c.recorded_at END, 1, 1, 0
    FROM task_gone g JOIN task t ON t.id = g.task_id LEFT JOIN container c ON c.id = t.container_id
        LEFT JOIN task_slot s ON s.task_id = t.id
    UNION ALL
    SELECT c.source_id, c.id, h.project_key, c.presence, coalesce(c.presence_evidence, ''), c.recorded_at,
        1, 0, 0
    FROM container c JOIN home_slot h ON h.container_id = c.id WHERE c.presence <> 'present'
)
"""
# a row is at stake once: by a hold of its own, else of its task, else of its container
_HELD_SQL = """
WITH line AS (
    SELECT o.source_id, o.presence, o.evidence, o.held_since AS since, t.container_id, s.project_key,
        0 AS n, 1 AS tasks, 0 AS seconds
    FROM task t LEFT JOIN task_gone g ON g.task_id = t.id LEFT JOIN task_slot s ON s.task_id = t.id
        LEFT JOIN presence_hold a ON a.table_name = 'task' AND a.id = t.id
        LEFT JOIN presence_hold b ON b.table_name = 'container' AND b.id = t.container_id
        JOIN presence_hold o ON o.table_name = coalesce(a.table_name, b.table_name)
            AND o.id = coalesce(a.id, b.id)
    WHERE g.task_id IS NULL
    UNION ALL
    SELECT o.source_id, o.presence, o.evidence, o.held_since, h.container_id, h.project_key, 0, 0, h.seconds
    FROM hour_place h LEFT JOIN task t ON t.id = h.task_id AND t.source_id = h.source_id
        LEFT JOIN presence_hold a ON a.table_name = 'worklog' AND a.id = h.id
        LEFT JOIN presence_hold b ON b.table_name = 'task' AND b.id = t.id
        LEFT JOIN presence_hold c ON c.table_name = 'container' AND c.id = t.container_id
        LEFT JOIN presence_hold d ON d.table_name = 'container' AND d.id = h.container_id
        JOIN presence_hold o
            ON o.table_name = coalesce(a.table_name, b.table_name, c.table_name, d.table_name)
            AND o.id = coalesce(a.id, b.id, c.id, d.id)
    WHERE h.kind = 'worklog' AND h.origin = 'timesheet' AND h.gone IS NULL
"""


class Stake(msgspec.Struct, kw_only=True):
    """Rows of one container and project that left or are held, and what a KPI loses by it.

    *rows* are those whose own presence it is, *tasks* and *seconds* (of timesheets) what goes with them.
    *container* is empty for rows that stand in none, *project* for those that belong to none.
    """

    source_id: str
    container: str
    project: str
    presence: str
    evidence: str
    since: str
    rows: int
    tasks: int
    seconds: int

    @property
    def where(self) -> str:
        """Return the container, with the project where that is called otherwise."""
        if not self.project or self.project == self.container:
            return self.container
        return f"{self.container} ({self.project})" if self.container else self.project

    @property
    def at_stake(self) -> str:
        """Return rows, tasks and hours in words."""
        rows = trn("{n} row", "{n} rows", self.rows)
        return tr(
            "{rows} ({tasks} {tasks:task|tasks}, {seconds:g} timesheet {seconds:hour|hours})",
            rows=rows,
            tasks=self.tasks,
            seconds=self.seconds / 3600,
        )


def scope_sql(scope: Scope, table: str, source_id: str) -> tuple[str, tuple[str, ...]]:
    """Return the SQL condition, and its parameters, of the rows of *table* that *scope* covers."""
    if scope.days is not None and table == Worklog.table:
        where, parameters = scope_sql(msgspec.structs.replace(scope, days=None), table, source_id)
        return f"{where} AND day BETWEEN ? AND ?", (*parameters, *scope.days)
    if scope.id_prefix is not None:
        return "id >= ? AND id < ?", (scope.id_prefix, scope.id_prefix + "\U0010ffff")
    if scope.container_id is not None:
        names = columns(BY_TABLE[table])
        if "container_id" in names:
            return "source_id = ? AND container_id = ?", (source_id, scope.container_id)
        owner = next((name for name in ("task_id", "from_id", "row_id") if name in names), None)
        if owner:
            return (
                f"source_id = ? AND {owner} IN (SELECT id FROM task WHERE container_id = ?)",
                (source_id, scope.container_id),
            )
        return "false", ()
    return "source_id = ?", (source_id,)


class PresenceRoom:
    """The part of the store that decides and tells presence; `Store` is built on it."""

    connection: Any
    engine: Engine

    @property
    def door(self) -> Door:
        """Return what everything written passes."""
        raise NotImplementedError

    def transaction(self) -> AbstractContextManager[None]:
        """Run a block in one transaction."""
        raise NotImplementedError

    def stamp(self) -> str:
        """Return the next `recorded_at`."""
        raise NotImplementedError

    def tick(self, stamp: str) -> None:
        """Remember the last stamp."""
        raise NotImplementedError

    def known(self, scope: Scope) -> Scope:
        """Return *scope* by the ids under which the store knows its rows."""
        if not self.door.shut:
            return scope
        container, prefix = (
            self.door.id(one) if one else one for one in (scope.container_id, scope.id_prefix)
        )
        return msgspec.structs.replace(scope, container_id=container, id_prefix=prefix)

    # ---------- what a complete reading saw ----------

    def start_seeing(self) -> None:
        """Open the list of what this run sees; it lives in a temporary table, so memory stays flat."""
        self.connection.execute(
            "CREATE TEMP TABLE IF NOT EXISTS seen (partition TEXT, table_name TEXT, id TEXT, "
            "PRIMARY KEY (partition, table_name, id)) WITHOUT ROWID"
        )
        self.connection.execute("DELETE FROM temp.seen")

    def see(self, partition: str, records: Iterable[tuple[str, str]]) -> None:
        """Note that *partition* saw these (table, id)."""
        pass_ = self.door.id
        self.engine.insert(
            self.connection,
            "INSERT INTO temp.seen",
            "ON CONFLICT DO NOTHING",
            [(partition, table, pass_(id_)) for table, id_ in records],
        )

    def forget_seen(self, partition: str) -> None:
        """Drop what *partition* saw."""
        self.connection.execute("DELETE FROM temp.seen WHERE partition = ?", (partition,))

    def absent(self, partition: str, scope: Scope, source_id: str) -> dict[str, list[str]]:
        """Return, per table, the counted rows in *scope* that *partition* did not see."""
        gone = {}
        for record in scope.records:
            where, parameters = scope_sql(self.known(scope), record.table, source_id)
            rows = self.connection.execute(
                f"SELECT id FROM {record.table} WHERE {where} AND {here()} AND id NOT IN "
                "(SELECT id FROM temp.seen WHERE partition = ? AND table_name = ?)",
                (*parameters, partition, record.table),
            ).fetchall()
            if rows:
                gone[record.table] = [row[0] for row in rows]
        return gone

    def arrived(self, scope: Scope, source_id: str, *, run_id: int) -> dict[str, int]:
        """Return, per table of *scope*, how many rows the run brought that were never there before."""
        found = {}
        for record in scope.records:
            where, parameters = scope_sql(scope, record.table, source_id)
            (found[record.table],) = self.connection.execute(
                f"SELECT count(*) FROM {record.table} WHERE {where} AND run_id = ? AND {here()} "
                f"AND id NOT IN (SELECT id FROM {record.table}_history)",
                (*parameters, run_id),
            ).fetchone()
        return found

    # ---------- deciding ----------

    def set_presence(
        self, table: str, ids: Iterable[str], presence: Presence, evidence: str, *, run_id: int
    ) -> int:
        """Give the rows *ids* a presence with its evidence; rows that already have it are not touched."""
        evidence = self.door.text(evidence)
        with self.transaction():
            stamp = self.stamp()
            cursor = self.connection.executemany(
                f"UPDATE {table} SET presence = ?, presence_evidence = ?, recorded_at = ?, run_id = ? "
                "WHERE id = ? AND presence <> ?",
                ((presence, evidence, stamp, run_id, self.door.id(id_), presence) for id_ in ids),
            )
            changed = max(int(cursor.rowcount), 0)
            if changed:
                self.tick(stamp)
        return changed

    def hold(
        self, source_id: str, gone: dict[str, list[str]], presence: Presence, evidence: str, *, run_id: int
    ) -> None:
        """Keep rows that would leave until a person accepts; what is held already keeps its date."""
        with self.transaction():
            since = self.stamp()
            self.connection.executemany(
                "INSERT INTO presence_hold VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    (table, self.door.id(id_), source_id, presence, self.door.text(evidence), since, run_id)
                    for table, ids in gone.items()
                    for id_ in ids
                ),
            )

    def release_seen(self, source_id: str) -> int:
        """Drop holds on rows that this run saw again."""
        cursor = self.connection.execute(
            "DELETE FROM presence_hold WHERE source_id = ? AND EXISTS (SELECT 1 FROM temp.seen s "
            "WHERE s.table_name = presence_hold.table_name AND s.id = presence_hold.id)",
            (source_id,),
        )
        return max(int(cursor.rowcount), 0)

    def accept(self, source_id: str | None, *, run_id: int, actor: str) -> dict[str, int]:
        """Let held rows go; gives the number of rows per table."""
        done: dict[str, int] = {}
        with self.transaction():
            rows = self.connection.execute(
                "SELECT table_name, id, presence, evidence FROM presence_hold "
                "WHERE :source IS NULL OR source_id = :source",
                {"source": source_id},
            ).fetchall()
            for table, id_, presence, evidence in rows:
                done[table] = done.get(table, 0) + self.set_presence(
                    table,
                    [id_],
                    presence,
                    tr("{evidence}; accepted by {actor}", evidence=evidence, actor=actor),
                    run_id=run_id,
                )
            self.connection.execute(
                "DELETE FROM presence_hold WHERE :source IS NULL OR source_id = :source",
                {"source": source_id},
            )
        return done

    # ---------- telling ----------

    def has_holds(self, source_id: str) -> bool:
        """Say whether rows of *source_id* are held."""
        row = self.connection.execute(
            "SELECT 1 FROM presence_hold WHERE source_id = ? LIMIT 1", (source_id,)
        ).fetchone()
        return row is not None

    def held(self, source_id: str | None = None) -> list[Stake]:
        """Return what is held, one line per source, evidence, container and project."""
        tables = self.connection.execute(
            "SELECT DISTINCT table_name FROM presence_hold "
            "WHERE :source IS NULL OR source_id = :source ORDER BY 1",
            {"source": source_id},
        ).fetchall()
        if not tables:
            return []
        rows = " UNION ALL ".join((_HELD_SQL, *(_held_rows(name) for (name,) in tables)))
        return self._stakes(f"{rows})", source_id, order="1, 6, 5, 2, 3")

    def left(self, source_id: str | None = None) -> list[Stake]:
        """Return what left, one line per source, container, project, presence and evidence."""
        return self._stakes(_LEFT_SQL, source_id, order="1, 2, 4, 3")

    def _stakes(self, lines: str, source_id: str | None, *, order: str) -> list[Stake]:
        """Sum the CTE ``line`` that *lines* defines, with containers and projects as people call them."""
        place(self.connection, check=False)
        # SQLite expects few holds and would read the whole table for each
        self.connection.execute("CREATE UNIQUE INDEX temp.task_slot_task ON task_slot (task_id)")
        rows = self.connection.execute(
            f"{lines} SELECT l.source_id, coalesce(c.name, l.container_id, '') AS container, "
            "coalesce(p.label, '') AS project, l.presence, l.evidence, min(l.since) AS since, "
            "sum(l.n), sum(l.tasks), sum(l.seconds) FROM line l "
            "LEFT JOIN container c ON c.id = l.container_id "
            "LEFT JOIN project_label p ON p.project_key = l.project_key "
            "WHERE :source IS NULL OR l.source_id = :source "
            "GROUP BY l.source_id, l.container_id, c.name, l.project_key, p.label, l.presence, l.evidence "
            f"ORDER BY {order}",
            {"source": source_id},
        ).fetchall()
        return [Stake(**dict(zip(Stake.__struct_fields__, row, strict=True))) for row in rows]


def _held_rows(table: str) -> str:
    """Return the SQL of the held rows of *table* themselves, each with its container and project."""
    names = columns(BY_TABLE[table])
    where, project, join = "NULL", "NULL", ""
    if table in {"worklog", "allocation"}:
        where, project = "r.container_id", "r.project_key"
        join = f"JOIN hour_place r ON r.kind = '{table}' AND r.id = o.id"
    elif table in {"task", "container"} or any(name in names for name in _OWNERS):
        owner = next((f"r.{name}" for name in _OWNERS if name in names), "o.id")
        where, project = "coalesce(t.container_id, h.container_id)", "coalesce(s.project_key, h.project_key)"
        join = (
            f"JOIN {table} r ON r.id = o.id LEFT JOIN task t ON t.id = {owner} "
            f"LEFT JOIN task_slot s ON s.task_id = t.id LEFT JOIN home_slot h ON h.container_id = {owner}"
        )
    elif "container_id" in names:
        where, project = "r.container_id", "h.project_key"
        join = f"JOIN {table} r ON r.id = o.id LEFT JOIN home_slot h ON h.container_id = r.container_id"
    if "project_code" in names:
        join = join or f"JOIN {table} r ON r.id = o.id"
        join += " LEFT JOIN project_code k ON k.code = r.project_code"
        project = f"coalesce(k.project_key, {project})"
    return (
        f"SELECT o.source_id, o.presence, o.evidence, o.held_since, {where}, {project}, 1, 0, 0 "
        f"FROM presence_hold o {join} WHERE o.table_name = '{table}'"
    )
