"""Presence instead of deletion: what left, on what evidence, what is held, and the hours at stake.

A row's own presence is stored on the row. What is proven of a task or a container holds for the rows under it
without touching them: they are counted as long as the row, its task and its container are.
A task that comes back therefore brings its worklogs back by itself.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import Any

import msgspec

from hub.records import BY_TABLE, Presence, columns
from hub.source import Scope
from hub.store.bulk import write_rows
from hub.store.erasure import Door

LEFT = "('deleted', 'trashed')"
# hours that another tool keeps were worked, whatever becomes of the task they name
TASK_LEFT = f"(t.source_id = w.source_id AND t.presence IN {LEFT})"
HOURS_SQL = f"""
SELECT w.source_id, coalesce(c.name, w.container_id, '') AS container, w.seconds,
    CASE WHEN w.presence IN {LEFT} THEN w.presence WHEN {TASK_LEFT} THEN t.presence ELSE c.presence END AS presence,
    CASE WHEN w.presence IN {LEFT} THEN w.presence_evidence WHEN {TASK_LEFT} THEN t.presence_evidence
        ELSE c.presence_evidence END AS evidence,
    CASE WHEN w.presence IN {LEFT} THEN w.recorded_at WHEN {TASK_LEFT} THEN t.recorded_at ELSE c.recorded_at END AS since
FROM worklog w LEFT JOIN task t ON t.id = w.task_id LEFT JOIN container c ON c.id = coalesce(w.container_id, t.container_id)
WHERE w.origin = 'timesheet' AND (w.presence IN {LEFT} OR {TASK_LEFT} OR c.presence IN {LEFT})"""


class Stake(msgspec.Struct, kw_only=True):
    """Rows that left or are held, and what a KPI loses by it; *seconds* are timesheet seconds."""

    source_id: str
    container: str
    presence: str
    evidence: str
    since: str
    rows: int
    tasks: int
    seconds: int


def scope_sql(scope: Scope, table: str, source_id: str) -> tuple[str, tuple[str, ...]]:
    """Return the SQL condition, and its parameters, of the rows of *table* that *scope* covers."""
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
        return "0", ()
    return "source_id = ?", (source_id,)


class PresenceRoom:
    """The part of the store that decides and tells presence; `Store` is built on it."""

    connection: sqlite3.Connection

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
        write_rows(
            self.connection,
            "INSERT OR IGNORE INTO temp.seen",
            "",
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
                f"SELECT id FROM {record.table} WHERE {where} AND presence NOT IN {LEFT} AND id NOT IN "
                "(SELECT id FROM temp.seen WHERE partition = ? AND table_name = ?)",
                (*parameters, partition, record.table),
            ).fetchall()
            if rows:
                gone[record.table] = [row[0] for row in rows]
        return gone

    def too_many(
        self, gone: dict[str, list[str]], scope: Scope, source_id: str, *, max_leave: float
    ) -> str | None:
        """Say which guarded table would lose more than the share *max_leave* of its scope, or None.

        Actual work of schedules is left out of the count: a plan may move its days at will.
        """
        for table, ids in gone.items():
            if not BY_TABLE[table].guarded:
                continue
            where, parameters = scope_sql(self.known(scope), table, source_id)
            extra = " AND origin = 'timesheet'" if table == "worklog" else ""
            (known,) = self.connection.execute(
                f"SELECT count(*) FROM {table} WHERE {where} AND presence NOT IN {LEFT}{extra}", parameters
            ).fetchone()
            leaving = len(ids) if not extra else self._count_timesheets(ids)
            if known and leaving / known > max_leave:
                return f"{leaving} of {known} {table} rows"
        return None

    def _count_timesheets(self, ids: list[str]) -> int:
        self._fill_picked(("worklog", id_) for id_ in ids)
        (count,) = self.connection.execute(
            "SELECT count(*) FROM worklog WHERE origin = 'timesheet' AND id IN (SELECT id FROM temp.picked)"
        ).fetchone()
        return int(count)

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
            changed = max(cursor.rowcount, 0)
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
                "INSERT OR IGNORE INTO presence_hold VALUES (?, ?, ?, ?, ?, ?, ?)",
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
        return max(cursor.rowcount, 0)

    def accept(self, source_id: str | None, *, run_id: int, actor: str) -> dict[str, int]:
        """Let held rows go; gives the number of rows per table."""
        done: dict[str, int] = {}
        with self.transaction():
            rows = self.connection.execute(
                "SELECT table_name, id, presence, evidence FROM presence_hold WHERE :source IS NULL OR source_id = :source",
                {"source": source_id},
            ).fetchall()
            for table, id_, presence, evidence in rows:
                done[table] = done.get(table, 0) + self.set_presence(
                    table, [id_], presence, f"{evidence}; accepted by {actor}", run_id=run_id
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
        """Return what is held, one line per source, container and evidence."""
        groups = self.connection.execute(
            "SELECT source_id, presence, evidence, min(held_since), count(*) FROM presence_hold "
            "WHERE :source IS NULL OR source_id = :source GROUP BY 1, 2, 3 ORDER BY 1, 4, 3",
            {"source": source_id},
        ).fetchall()
        stakes = []
        for source, presence, evidence, since, rows in groups:
            picked = self.connection.execute(
                "SELECT table_name, id FROM presence_hold WHERE source_id = ? AND presence = ? AND evidence = ?",
                (source, presence, evidence),
            ).fetchall()
            tasks, seconds, container = self._at_stake(picked)
            stakes.append(
                Stake(source_id=source, container=container, presence=presence, evidence=evidence, since=since,
                      rows=rows, tasks=tasks, seconds=seconds)
            )  # fmt: skip
        return stakes

    def left(self, source_id: str | None = None) -> list[Stake]:
        """Return what left, one line per source, container, presence and evidence."""
        rows = self.connection.execute(
            f"""WITH hours AS ({HOURS_SQL}), lines AS (
            SELECT source_id, container, presence, coalesce(evidence, '') AS evidence, since, 0 AS n, 0 AS tasks, seconds FROM hours
            UNION ALL SELECT t.source_id, coalesce(c.name, t.container_id),
                CASE WHEN t.presence IN {LEFT} THEN t.presence ELSE c.presence END,
                coalesce(CASE WHEN t.presence IN {LEFT} THEN t.presence_evidence ELSE c.presence_evidence END, ''),
                CASE WHEN t.presence IN {LEFT} THEN t.recorded_at ELSE c.recorded_at END, 1, 1, 0
            FROM task t LEFT JOIN container c ON c.id = t.container_id WHERE t.presence IN {LEFT} OR c.presence IN {LEFT}
            UNION ALL SELECT source_id, coalesce(name, id), presence, coalesce(presence_evidence, ''), recorded_at, 1, 0, 0
            FROM container WHERE presence <> 'present'
            UNION ALL SELECT source_id, coalesce(container_id, ''), presence, coalesce(presence_evidence, ''), recorded_at, 1, 0, 0
            FROM worklog WHERE presence <> 'present')
            SELECT source_id, container, presence, evidence, min(since), sum(n), sum(tasks), sum(seconds) FROM lines
            WHERE :source IS NULL OR source_id = :source GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3""",
            {"source": source_id},
        ).fetchall()
        return [Stake(**dict(zip(Stake.__struct_fields__, row, strict=True))) for row in rows]

    def _fill_picked(self, rows: Iterable[tuple[Any, ...]]) -> None:
        self.connection.execute("CREATE TEMP TABLE IF NOT EXISTS picked (table_name TEXT, id TEXT)")
        self.connection.execute("DELETE FROM temp.picked")
        self.connection.executemany("INSERT INTO temp.picked VALUES (?, ?)", rows)

    def _at_stake(self, rows: Iterable[tuple[str, str]]) -> tuple[int, int, str]:
        """Return tasks, timesheet seconds and the container's name that leave with *rows*."""
        self._fill_picked(rows)
        pick = "(SELECT id FROM temp.picked WHERE table_name = '{}')"
        tasks, name = self.connection.execute(
            f"SELECT count(*), min(c.name) FROM task t LEFT JOIN container c ON c.id = t.container_id "
            f"WHERE (t.id IN {pick.format('task')} OR t.container_id IN {pick.format('container')}) AND t.presence NOT IN {LEFT}"
        ).fetchone()
        seconds, other = self.connection.execute(
            f"SELECT coalesce(sum(w.seconds), 0), min(coalesce(c.name, w.container_id)) FROM worklog w LEFT JOIN task t ON t.id = w.task_id "
            f"LEFT JOIN container c ON c.id = coalesce(w.container_id, t.container_id) "
            f"WHERE w.origin = 'timesheet' AND w.presence NOT IN {LEFT} AND (w.id IN {pick.format('worklog')} "
            f"OR (t.source_id = w.source_id AND t.id IN {pick.format('task')}) OR c.id IN {pick.format('container')})"
        ).fetchone()
        return int(tasks), int(seconds), str(name or other or "")
