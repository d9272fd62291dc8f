"""Fields that rows had and none has any more: each is a rejection until a value comes back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from hub.columns import columns_of
from hub.placement import here
from hub.records import BY_TABLE, CustomValue, Record
from hub.store.rejections import FIELDS, drop, keep, kept_under
from hub.store.store import COMPLETE, Store
from hub.tally import FEW, Rejection
from hub.words import tr

_LOOKED_AT = 100
"""Rows of a source in which a field is looked for before all are asked."""
_OWNERS = ("task", "container", "worklog", "account")
"""What a custom field is of."""


def account_for(
    store: Store, source: str, records: Iterable[type[Record]], fields: Mapping[str, str], *, run_id: int
) -> None:
    """Keep what vanished from all rows of *source*, and forget what has values again.

    Rows are compared with what they were when a run last read all of it: of two runs that were cut off, each
    may have taken the values of some. *fields* are the custom fields that the source is asked for.
    """
    standing = kept_under(store, source, FIELDS)
    back = [id_ for id_, table, name in standing if _has(store, source, table, name, fields)]
    drop(store, back)
    known = {(table, name) for id_, table, name in standing if id_ not in back}
    began, since = _since(store, source, run_id)
    if since is None:
        return
    found = [
        Rejection(
            place=table,
            key=f"field {table} {name}",
            record=BY_TABLE[table],
            field=name,
            reason=tr(
                "{count} rows had a value before {day} and none has one now: the tool or its settings call "
                "the field otherwise, or show it to this account no more",
                count=count,
                day=began[:10],
            ),
        )
        for table, name, count in _emptied(store, source, records, fields, since)
        if (table, name) not in known
    ]
    with store.transaction():
        keep(store, source, FIELDS, found, run_id=run_id)


def _since(store: Store, source: str, run_id: int) -> tuple[str, str | None]:
    """Return when this run began, and since when rows may have lost a value that nobody told of.

    The second is None where too little changed for a field to vanish.
    """
    (last,) = store.connection.execute(
        f"SELECT coalesce(max(id), 0) FROM sync_run WHERE source_id = ? AND id < ? AND {COMPLETE}",
        (source, run_id),
    ).fetchone()
    began, since, changed = store.connection.execute(
        "SELECT max(started_at), min(started_at), sum(updated + presence_changed) FROM sync_run "
        "WHERE source_id = ? AND id > ? AND id <= ?",
        (source, last, run_id),
    ).fetchone()
    return began, since if changed >= FEW else None


def _has(store: Store, source: str, table: str, name: str, fields: Mapping[str, str]) -> bool:
    """Say whether a row of *source* has the field, or nobody asks for it any more."""
    record = BY_TABLE.get(table)
    if record is None or (record is not CustomValue and name not in columns_of(record)):
        return True
    if record is CustomValue:
        if name not in fields:
            return True
        where, values = "field = ?", [source, name]
    else:
        where, values = f"{name} IS NOT NULL", [source]
    sql = f"SELECT 1 FROM {table} WHERE source_id = ? AND {where} AND {here()} LIMIT 1"
    return store.connection.execute(sql, values).fetchone() is not None


def _emptied(
    store: Store, source: str, records: Iterable[type[Record]], fields: Mapping[str, str], since: str
) -> Iterator[tuple[str, str, int]]:
    """Yield table, field and how many rows lost their value since then, where no row of *source* has one."""
    for record in records:
        table, names = record.table, [name for name in columns_of(record) if name != "id"]
        if record is CustomValue:
            lost = _values_lost(store, source, since) if fields else {}
        else:
            lost = _columns_lost(store, source, table, names, since)
        for name, count in lost.items():
            if count >= FEW and not _has(store, source, table, name, fields):
                yield table, name, count


def _columns_lost(store: Store, source: str, table: str, names: list[str], since: str) -> dict[str, int]:
    # most columns are ruled out by a few rows, and most of the others had nothing that could vanish
    few = store.connection.execute(
        f"SELECT {', '.join(names)} FROM {table} WHERE source_id = ? AND {here()} LIMIT {_LOOKED_AT}",
        (source,),
    ).fetchall()
    names = [name for at, name in enumerate(names) if all(row[at] is None for row in few)]
    if not few or not names:
        return {}
    counts = ", ".join(f"count({name})" for name in names)
    had = store.connection.execute(
        f"SELECT {counts} FROM {table}_history WHERE superseded_at >= ?", (since,)
    ).fetchone()
    names = [name for name, count in zip(names, had, strict=True) if count >= FEW]
    if not names:
        return {}
    counts = ", ".join(
        f"count(DISTINCT h.id) FILTER (WHERE h.{name} IS NOT NULL AND t.{name} IS NULL)" for name in names
    )
    row = store.connection.execute(
        f"SELECT {counts} FROM {table}_history h JOIN {table} t ON t.id = h.id "
        f"WHERE h.superseded_at >= ? AND t.source_id = ? AND {here('t.presence')}",
        (since, source),
    ).fetchone()
    return dict(zip(names, row, strict=True))


def _values_lost(store: Store, source: str, since: str) -> dict[str, int]:
    """Count the values of custom fields that left, of rows that did not."""
    owner = " OR ".join(
        f"EXISTS (SELECT 1 FROM {table} o WHERE o.id = t.row_id AND {here('o.presence')})"
        for table in _OWNERS
    )
    return dict(
        store.connection.execute(
            "SELECT t.field, count(DISTINCT h.id) FROM custom_value_history h "
            "JOIN custom_value t ON t.id = h.id WHERE h.superseded_at >= ? AND t.source_id = ? "
            f"AND {here('h.presence')} AND NOT {here('t.presence')} AND ({owner}) GROUP BY 1",
            (since, source),
        ).fetchall()
    )
