"""What the store may forget: older images that no cut shows, old runs, old deliveries.

What is forgotten is no figure of today. The store remembers since when it knows what was true at any moment
(``clock.history_from``); before that it knows the moments of its cuts.
"""

from __future__ import annotations

from datetime import date

import msgspec

from hub.errors import ConfigError
from hub.records import BY_TABLE
from hub.store.store import COMPLETE, Store
from hub.words import tr


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """The days before which something is old; None keeps it."""

    history: date | None = None
    runs: date | None = None
    deliveries: date | None = None


def months_before(day: date, months: int | None) -> date | None:
    """Return the first day of the month *months* before *day*; None for None."""
    if months is None:
        return None
    count = day.year * 12 + day.month - 1 - months
    return date(count // 12, count % 12 + 1, 1)


def prune(store: Store, limits: Limits, *, actor: str) -> dict[str, int]:
    """Forget what is older than *limits*, in one transaction; gives rows per table.

    Run it inside `Store.rehearsal` to hear what it would free.
    """
    done: dict[str, int] = {}
    with store.transaction():
        if limits.history is not None:
            done |= _images(store, limits.history.isoformat())
        if limits.runs is not None:
            done["sync_run"] = _runs(store, limits.runs.isoformat())
        if limits.deliveries is not None:
            done["publication"] = _deliveries(store, limits.deliveries.isoformat())
        done = {table: count for table, count in done.items() if count}
        if done:
            store.audit(
                "store prune", "", actor=actor,
                after=", ".join(f"{count} {table}" for table, count in done.items()),
            )  # fmt: skip
    return done


def must_remember(store: Store, stamp: str) -> None:
    """Raise `ConfigError` where the store forgot what was known at the moment *stamp*."""
    (since,) = store.connection.execute("SELECT history_from FROM clock").fetchone()
    if since is None or stamp >= since or stamp in _moments(store):
        return
    raise ConfigError(
        tr(
            "The store forgot what it knew on {day}: older images are kept since {since} ([retention] "
            "history_months), and at the moments of cuts. Name a later day, or a cut (`hub cut list`).",
            day=stamp[:10],
            since=since[:10],
        )
    )


def _moments(store: Store) -> list[str]:
    return [row[0] for row in store.connection.execute("SELECT as_of FROM cut")]


def _images(store: Store, day: str) -> dict[str, int]:
    """Remove the images superseded before *day* that are of no cut's moment."""
    limit = f"{day}T00:00:00.000000Z"
    run = store.connection.execute
    run("CREATE TEMP TABLE IF NOT EXISTS kept_moment (at TEXT PRIMARY KEY)")
    run("DELETE FROM temp.kept_moment")
    # a moment to the second is that second's end, as `as_of_sql` reads it
    run(
        "INSERT INTO temp.kept_moment SELECT CASE WHEN instr(as_of, '.') > 0 THEN as_of "
        "ELSE replace(as_of, 'Z', '.999999Z') END FROM cut WHERE as_of < ? ON CONFLICT DO NOTHING",
        (limit,),
    )
    done = {}
    for table in BY_TABLE:
        name = f"{table}_history"
        done[name] = run(
            f"DELETE FROM {name} WHERE superseded_at < ? AND NOT EXISTS (SELECT 1 FROM temp.kept_moment m "
            f"WHERE m.at >= {name}.recorded_at AND m.at < {name}.superseded_at)",
            (limit,),
        ).rowcount
    run(
        "UPDATE clock SET history_from = ? WHERE history_from IS NULL OR history_from < ?",
        (limit, limit),
    )
    return done


def _runs(store: Store, day: str) -> int:
    """Remove the runs ended before *day* that nothing asks for.

    Kept are the last one and the last complete one of each source, now and at the moment of each cut, the
    first of each source, and those that brought a correction or something that could not be taken.
    """
    latest = "SELECT max(id) FROM sync_run WHERE finished_at IS NOT NULL {more} GROUP BY source_id"
    at_cuts = (
        "SELECT max(r.id) FROM sync_run r JOIN cut c ON r.finished_at <= c.as_of {more} "
        "GROUP BY c.id, r.source_id"
    )
    kept = " UNION ".join(
        (
            latest.format(more=""),
            latest.format(more=f"AND {COMPLETE}"),
            at_cuts.format(more=""),
            at_cuts.format(more=f"AND {COMPLETE}"),
            "SELECT min(id) FROM sync_run GROUP BY source_id",
            "SELECT run_id FROM period_variance WHERE run_id IS NOT NULL",
            "SELECT run_id FROM rejection",
            "SELECT run_id FROM presence_hold",
        )
    )
    gone = store.connection.execute(
        f"DELETE FROM sync_run WHERE verdict <> 'running' AND finished_at < ? AND id NOT IN ({kept})", (day,)
    )
    return int(gone.rowcount)


def _deliveries(store: Store, day: str) -> int:
    """Remove the deliveries before *day*, but for the last of each destination and of each place."""
    gone = store.connection.execute(
        "DELETE FROM publication WHERE started_at < ? AND (destination, feed_id) NOT IN ("
        "SELECT destination, feed_id FROM (SELECT destination, feed_id, row_number() OVER "
        "(PARTITION BY destination, state, detail ORDER BY started_at DESC) AS place "
        "FROM publication WHERE state = 'published') p WHERE place = 1 "
        "UNION SELECT destination, feed_id FROM (SELECT destination, feed_id, row_number() OVER "
        "(PARTITION BY destination ORDER BY coalesce(finished_at, started_at) DESC) AS place "
        "FROM publication) p WHERE place = 1)",
        (day,),
    )
    return int(gone.rowcount)
