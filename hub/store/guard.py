"""Weigh what would leave, in rows, hours and amounts, against its scope and against each container."""

from __future__ import annotations

from collections.abc import Mapping

from hub.placement import here
from hub.records import BY_TABLE, columns
from hub.source import Scope
from hub.store.presence import scope_sql
from hub.store.store import Store
from hub.words import mark, tr

_WEIGHTS = {
    "worklog": ("seconds", 3600, mark("hours")), "task": ("estimate_s", 3600, mark("estimated hours")),
    "budget_line": ("amount_minor", 100, mark("in amounts")),
}  # fmt: skip
"""What a row of a table weighs besides itself: its column, how many of it make a unit, and the unit."""
_FEW = 5
"""Rows of one container that may leave at once, whatever is left of it."""
_CUT_ROWS, _CUT_SHARE = 3, 0.05
"""From so many rows and such a share on, what is lacking at the end may have been cut off."""


def too_many(
    store: Store,
    gone: Mapping[str, list[str]],
    scope: Scope,
    source_id: str,
    *,
    max_leave: float,
    floor: int = 0,
    arrived: Mapping[str, int] | None = None,
    ordered: bool = False,
) -> str | None:
    """Say what would lose more than the share *max_leave* of a guarded table, or may have been cut; or None.

    Rows, hours and amounts are weighed, in the whole *scope* and in each container in it. Fewer rows than
    *floor* are never too many. Actual work of schedules is left out: a plan may move its days at will. With
    *arrived*, the rows that came instead, every table is guarded, and what leaves is what is lacking in the
    end. *ordered* rows stand in the order of their file.
    """
    for table, ids in gone.items():
        if not BY_TABLE[table].guarded and arrived is None:
            continue
        _pick(store, ids)
        where, parameters = scope_sql(store.known(scope), table, source_id)
        where += f" AND {here()}" + (" AND origin = 'timesheet'" if table == "worklog" else "")
        measure, unit, word = _WEIGHTS.get(table, ("0", 1, ""))
        known, leaving, weight, lost, first, last = store.connection.execute(
            f"SELECT count(*), count(g.id), coalesce(sum(abs({measure})), 0), "
            f"coalesce(sum(abs({measure})) FILTER (WHERE g.id IS NOT NULL), 0), "
            "min(key) FILTER (WHERE g.id IS NOT NULL), max(key) FILTER (WHERE g.id IS NULL) "
            f"FROM (SELECT * FROM {table} WHERE {where}) r LEFT JOIN temp.leaving g ON g.id = r.id",
            parameters,
        ).fetchone()
        if arrived is not None:
            known, leaving, weight = known - arrived[table], leaving - arrived[table], 0
        if known <= 0 or leaving <= 0 or leaving < floor:
            continue
        if leaving / known > max_leave:
            return tr("{leaving} of {known} {table} rows", leaving=leaving, known=known, table=table)
        if weight and lost / weight > max_leave:
            return tr(
                "{lost:,.6g} of {weight:,.6g} {unit} of {table} rows",
                lost=lost / unit, weight=weight / unit, unit=tr(word), table=table,
            )  # fmt: skip
        share = max(leaving / known, lost / weight if weight else 0)
        if ordered and last is not None and first > last and leaving >= _CUT_ROWS and share > _CUT_SHARE:
            return tr(
                "the last {leaving} of {known} {table} rows ({lost:,.6g} {unit}), as if the end had been "
                "cut off,",
                leaving=leaving, known=known, table=table, lost=lost / unit, unit=tr(word) or tr("hours"),
            )  # fmt: skip
        inside = "container_id" in columns(BY_TABLE[table]) and arrived is None and not scope.container_id
        if inside and (found := _of_container(store, table, where, parameters, max_leave=max_leave)):
            return found
    return None


def _of_container(
    store: Store, table: str, where: str, parameters: tuple[str, ...], *, max_leave: float
) -> str | None:
    measure, unit, word = _WEIGHTS.get(table, ("0", 1, ""))
    rows = store.connection.execute(
        f"SELECT coalesce(c.name, t.container_id), count(*), count(g.id), "
        f"coalesce(sum(abs({measure})), 0), "
        f"coalesce(sum(abs({measure})) FILTER (WHERE g.id IS NOT NULL), 0) "
        f"FROM (SELECT * FROM {table} WHERE {where}) t LEFT JOIN temp.leaving g ON g.id = t.id "
        "LEFT JOIN container c ON c.id = t.container_id WHERE t.container_id IS NOT NULL "
        "GROUP BY t.container_id, c.name ORDER BY 3 DESC, t.container_id",
        parameters,
    ).fetchall()
    for name, known, leaving, weight, lost in rows:
        if leaving <= _FEW:
            continue
        if leaving / known > max_leave:
            return tr(
                "{leaving} of {known} {table} rows of {name}",
                leaving=leaving, known=known, table=table, name=name,
            )  # fmt: skip
        if weight and lost / weight > max_leave:
            return tr(
                "{lost:,.6g} of {weight:,.6g} {unit} of {name}",
                lost=lost / unit, weight=weight / unit, unit=tr(word), name=name,
            )  # fmt: skip
    return None


def _pick(store: Store, ids: list[str]) -> None:
    connection = store.connection
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS leaving (id TEXT PRIMARY KEY) WITHOUT ROWID")
    connection.execute("DELETE FROM temp.leaving")
    rows = [(id_,) for id_ in ids]
    store.engine.insert(connection, "INSERT INTO temp.leaving", "ON CONFLICT DO NOTHING", rows)
