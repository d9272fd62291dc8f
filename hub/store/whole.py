"""Whether a store holds what it promises, by the same SQL in either database: its memory, its references."""

from __future__ import annotations

from typing import Any

import msgspec

from hub.records import BY_TABLE
from hub.store import seals
from hub.store.engines import Engine
from hub.store.moving import contents
from hub.store.store import as_of_sql, lacking
from hub.words import tr, trn

_SAMPLES = 3
"""Moments of a table's past at which the law of `as_of_sql` is tried: the first, the middle and the last."""
# an image belongs to a row, ends when it began or later (a row may be written twice at one moment), and
# before the next one begins
_IMAGES = """
WITH image AS (
    SELECT h.key, h.id, h.recorded_at, h.superseded_at,
        lead(h.recorded_at) OVER (PARTITION BY h.key ORDER BY h.recorded_at, h.superseded_at) AS next_at
    FROM {table}_history h
)
SELECT coalesce(sum(CASE WHEN t.key IS NULL OR t.id <> i.id THEN 1 ELSE 0 END), 0) AS strays,
    coalesce(sum(CASE WHEN i.recorded_at > i.superseded_at OR i.next_at < i.superseded_at
        OR (i.next_at IS NULL AND t.recorded_at < i.superseded_at) THEN 1 ELSE 0 END), 0) AS crossing
FROM image i LEFT JOIN {table} t ON t.key = i.key
"""
_REFERENCES = {
    "sync_run": "SELECT count(*) FROM sync_run WHERE source_id NOT IN (SELECT id FROM source)",
    "cursor": "SELECT count(*) FROM cursor WHERE source_id NOT IN (SELECT id FROM source)",
    "period_line": "SELECT count(*) FROM period_line WHERE month NOT IN (SELECT month FROM period_close)",
    "rejection": "SELECT count(*) FROM rejection WHERE run_id NOT IN (SELECT id FROM sync_run)",
}
"""By table, the query of its rows that name something which has to be in the store and is not."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """What a look through a store found: its *rows*, its *faults* in sentences, and its closed *cuts*.

    A cut is told by its id, its label and the digest of its files.
    """

    rows: int
    faults: tuple[str, ...]
    cuts: tuple[tuple[int, str, str], ...]


def look_through(engine: Engine) -> Seen:
    """Read every row of the store at *engine*, as it is at one moment, and say what breaks a promise.

    Raises `StoreError`; `StoreTooNew` for a store of a newer hub.
    """
    with engine.reader() as connection:
        found = _schema(engine, connection) or [*engine.verify(connection), *engine.differences()]
        if found:
            return Seen(rows=0, faults=tuple(found), cuts=())
        connection.execute(engine.frozen)
        found = [*memory(connection), *references(connection)]
        found += [
            tr("the lines that the sealed month {month} keeps were altered", month=month)
            for month in seals.altered(connection)
        ]
        cuts = connection.execute(
            "SELECT id, label, digest FROM cut WHERE closed_at IS NOT NULL ORDER BY id"
        ).fetchall()
        rows = len(engine.applied(connection))  # the list of migrations, which a backup counts too
    rows += sum(one.rows for one in contents(engine).values())
    return Seen(rows=rows, faults=tuple(found), cuts=tuple(cuts))


def _schema(engine: Engine, connection: Any) -> list[str]:
    if older := sorted(lacking(engine.applied(connection), engine.where)):
        return [tr("it is of an earlier version (it lacks {names}): `hub upgrade`", names=", ".join(older))]
    return []


def memory(connection: Any) -> list[str]:
    """Return which tables do not know at each moment one image of each row that they had."""
    found = []
    (last,) = connection.execute("SELECT last FROM clock").fetchone()
    for table in BY_TABLE:
        strays, crossing = connection.execute(_IMAGES.format(table=table)).fetchone()
        if strays:
            found.append(
                trn("{n} older image of {table} is of no row", "{n} older images of {table} are of no row",
                    strays, table=table)
            )  # fmt: skip
        if crossing:
            found.append(
                trn(
                    "{n} older image of {table} overlaps another one in time",
                    "{n} older images of {table} overlap others in time",
                    crossing,
                    table=table,
                )
            )
        now, later = connection.execute(
            f"SELECT count(*), coalesce(sum(CASE WHEN recorded_at > ? THEN 1 ELSE 0 END), 0) FROM {table}",
            (last,),
        ).fetchone()
        if later:
            found.append(
                trn(
                    "{n} row of {table} is later than the clock of the store",
                    "{n} rows of {table} are later than the clock of the store",
                    later,
                    table=table,
                )
            )
        if strays or crossing or later:
            continue
        for moment in _moments(connection, table):
            rows, ids = connection.execute(
                f"SELECT count(*), count(DISTINCT id) FROM ({as_of_sql(table, moment, ('id',))}) known"
            ).fetchone()
            if rows != ids:
                found.append(
                    tr("{table} knew {rows} rows of {ids} ids on {moment}", table=table, rows=rows, ids=ids,
                       moment=moment)
                )  # fmt: skip
        (rows,) = connection.execute(
            f"SELECT count(*) FROM ({as_of_sql(table, last, ('id',))}) known"
        ).fetchone()
        if rows != now:
            found.append(
                tr(
                    "{table} has {now} rows, and {rows} as of its last moment",
                    table=table,
                    now=now,
                    rows=rows,
                )
            )
    return found


def _moments(connection: Any, table: str) -> list[str]:
    """Return a few moments at which a row of *table* changed."""
    (count,) = connection.execute(f"SELECT count(*) FROM {table}_history").fetchone()
    places = sorted({(count - 1) * step // max(1, _SAMPLES - 1) for step in range(_SAMPLES)} if count else ())
    return [
        connection.execute(
            f"SELECT superseded_at FROM {table}_history ORDER BY superseded_at LIMIT 1 OFFSET {place}"
        ).fetchone()[0]
        for place in places
    ]


def references(connection: Any) -> list[str]:
    """Return which of the store's own tables name what is not there.

    Rows of tools may: what another source brings may still be on its way.
    """
    found = []
    for table, query in _REFERENCES.items():
        (count,) = connection.execute(query).fetchone()
        if count:
            found.append(
                trn(
                    "{n} row of {table} names what is not there",
                    "{n} rows of {table} name what is not there",
                    count,
                    table=table,
                )
            )
    return found
