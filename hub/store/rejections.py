"""What could not be taken: kept until it comes right or its place is gone, listed, accepted by a person."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import msgspec

from hub.clock import now
from hub.errors import ConfigError
from hub.placement import here
from hub.store.store import Store
from hub.tally import Rejection, sentence
from hub.words import tr

FIELDS = "__fields__"
"""Under what the fields that vanished from all rows are kept: no reading of a partition settles them."""
LISTS = "__lists__"
"""Under what lists that are refused and were read before are kept; the cursor holds which were read."""


class Rejected(msgspec.Struct, frozen=True, kw_only=True):
    """One row of `rejection`; *id* is what `hub rejections accept` is given."""

    id: int
    source_id: str
    place: str
    record: str | None
    field: str
    value: str | None
    reason: str
    container: str | None
    seconds: int | None
    amount_minor: int | None
    currency: str | None
    first_seen: str
    last_seen: str
    accepted_at: str | None
    accepted_by: str | None
    accepted_why: str | None

    @property
    def sentence(self) -> str:
        """Return it in one line."""
        return sentence(self.place, self.field, self.value, self.reason)


class Lack(msgspec.Struct, frozen=True, kw_only=True):
    """What the rejections of one source come to; *open* ones were not accepted by anybody."""

    source_id: str
    count: int
    open: int
    seconds: int
    amount_minor: int


def keep(store: Store, source_id: str, partition: str, found: Iterable[Rejection], *, run_id: int) -> None:
    """Write *found*; one that is known keeps its number, since when it is known, and its acceptance."""
    found = list(found)
    if not found:
        return
    # a stamp like that of any row, so that a feed as of a moment has what was known then
    text, id_, moment = store.door.text, store.door.id, store.stamp()
    rows: list[tuple[object, ...]] = [
        (
            source_id, id_(partition), id_(one.key), one.field, text(one.place),
            one.record.table if one.record else None, id_(one.id) if one.id else None,
            id_(one.container) if one.container else None, text(one.value) if one.value else None,
            text(one.reason), one.seconds, one.amount_minor, one.currency, moment, moment, run_id,
        )
        for one in found
    ]  # fmt: skip
    names = (
        "source_id, partition, key, field, place, record, row_id, container, value, reason, seconds, "
        "amount_minor, currency, first_seen, last_seen, run_id"
    )
    newer = ", ".join(
        f"{name} = excluded.{name}"
        for name in names.split(", ")
        if name not in {"source_id", "partition", "key", "field", "first_seen"}
    )
    with store.transaction():
        store.tick(moment)
        store.engine.insert(
            store.connection,
            f"INSERT INTO rejection (id, {names})",
            f"ON CONFLICT (source_id, partition, key, field) DO UPDATE SET {newer}",
            _numbered(store, source_id, id_(partition), rows),
        )


def _numbered(
    store: Store, source_id: str, partition: str, rows: list[tuple[object, ...]]
) -> list[tuple[object, ...]]:
    """Return *rows* with a number before each new one that no rejection ever had, kept or forgotten.

    A person who noted a number accepts what it was given to, or nothing.
    """
    known = set(
        store.connection.execute(
            "SELECT key, field FROM rejection WHERE source_id = ? AND partition = ?", (source_id, partition)
        )
    )
    (last,) = store.connection.execute("SELECT rejection_no FROM clock").fetchone()
    numbered = list[tuple[object, ...]]()
    for row in rows:
        is_new = row[2:4] not in known
        last += is_new
        numbered.append((last if is_new else None, *row))
    store.connection.execute("UPDATE clock SET rejection_no = ?", (last,))
    return numbered


def settle(store: Store, source_id: str, partition: str, *, run_id: int) -> int:
    """Drop what this reading of *partition* did not meet again: it came right, or is gone."""
    gone = store.connection.execute(
        "DELETE FROM rejection WHERE source_id = ? AND partition = ? AND run_id <> ?",
        (source_id, store.door.id(partition), run_id),
    )
    return max(int(gone.rowcount), 0)


def settle_asked(store: Store, source_id: str, asked: Iterable[str], *, run_id: int) -> None:
    """Drop the rejections of rows that were asked for again and did not come to the same."""
    store.connection.executemany(
        "DELETE FROM rejection WHERE source_id = ? AND row_id = ? AND run_id <> ?",
        [(source_id, store.door.id(one), run_id) for one in asked],
    )


def settle_partitions(store: Store, source_id: str, planned: Iterable[str], marked: Iterable[str]) -> int:
    """Drop the rejections of partitions that were not *planned*.

    Such a one is as it was, or gone; what somebody accepted stays as long as it is *marked* as read.
    """
    there = {store.door.id(one) for one in planned} | {FIELDS, LISTS}
    kept = there | {store.door.id(one) for one in marked}
    known = store.connection.execute(
        "SELECT id, partition, accepted_at FROM rejection WHERE source_id = ?", (source_id,)
    ).fetchall()
    gone = [id_ for id_, partition, at in known if partition not in (kept if at else there)]
    drop(store, gone)
    return len(gone)


def kept_under(store: Store, source_id: str, partition: str) -> list[tuple[int, str, str]]:
    """Return number, table and field of each rejection of a *partition*."""
    rows = store.connection.execute(
        "SELECT id, record, field FROM rejection WHERE source_id = ? AND partition = ?",
        (source_id, partition),
    )
    return [(id_, record or "", field) for id_, record, field in rows]


def settle_keys(store: Store, source_id: str, partition: str, keys: Iterable[str]) -> None:
    """Forget the rejections of a *partition* under these keys: they came right."""
    store.connection.executemany(
        "DELETE FROM rejection WHERE source_id = ? AND partition = ? AND key = ?",
        [(source_id, partition, store.door.id(key)) for key in sorted(keys)],
    )


def lists_refused(store: Store, source_id: str) -> frozenset[str]:
    """Return the lists that were refused in earlier runs, and were not accepted by anybody."""
    rows = store.connection.execute(
        "SELECT key FROM rejection WHERE source_id = ? AND partition = ? AND accepted_at IS NULL",
        (source_id, LISTS),
    )
    return frozenset(key for (key,) in rows)


def drop(store: Store, numbers: Iterable[int]) -> None:
    """Forget these: they came right."""
    store.connection.executemany("DELETE FROM rejection WHERE id = ?", [(one,) for one in numbers])


def accepted(store: Store, source_id: str) -> frozenset[tuple[str, str, str]]:
    """Return partition, key and field of what somebody accepted as missing."""
    return frozenset(
        store.connection.execute(
            "SELECT partition, key, field FROM rejection WHERE source_id = ? AND accepted_at IS NOT NULL",
            (source_id,),
        )
    )


def again(store: Store, source_id: str) -> frozenset[str]:
    """Return the ids of what could not be taken and nobody accepted."""
    rows = store.connection.execute(
        "SELECT row_id FROM rejection WHERE source_id = ? AND row_id IS NOT NULL AND accepted_at IS NULL",
        (source_id,),
    )
    return frozenset(row[0] for row in rows)


def old_images(
    store: Store, table: str, ids: Iterable[str], like: Iterable[Mapping[str, object]]
) -> set[str]:
    """Return those of *ids* that may be the old images of rejected rows: one for each that has all it has."""
    left, kept = list(ids), set[str]()
    for fields in like:
        names = sorted(fields)
        if not names:
            continue
        agree = " AND ".join(f"{name} IS NOT DISTINCT FROM ?" for name in names)
        pass_ = store.door.value
        values = [
            pass_(value) if isinstance(value, str) else value for value in (fields[name] for name in names)
        ]
        for (id_,) in store.connection.execute(f"SELECT id FROM {table} WHERE {here()} AND {agree}", values):
            if id_ in left and id_ not in kept:
                kept.add(id_)
                break
    return kept


def rejected(store: Store, source_id: str | None = None) -> list[Rejected]:
    """Return what could not be taken, the weightiest first."""
    names = ", ".join(Rejected.__struct_fields__)
    rows = store.connection.execute(
        f"SELECT {names} FROM rejection WHERE :source IS NULL OR source_id = :source "
        "ORDER BY source_id, accepted_at IS NOT NULL, abs(coalesce(seconds, 0)) DESC, "
        "abs(coalesce(amount_minor, 0)) DESC, id",
        {"source": source_id},
    )
    return [Rejected(**dict(zip(Rejected.__struct_fields__, row, strict=True))) for row in rows]


def count(store: Store, moment: str) -> int:
    """Return how many of them were known at *moment*."""
    (found,) = store.connection.execute(
        "SELECT count(*) FROM rejection WHERE first_seen <= ?", (moment,)
    ).fetchone()
    return int(found)


def lacks(store: Store) -> dict[str, Lack]:
    """Return what each source lacks by rejections, by the source's name."""
    rows = store.connection.execute(
        "SELECT source_id, count(*), count(*) FILTER (WHERE accepted_at IS NULL), coalesce(sum(seconds), 0), "
        "coalesce(sum(amount_minor), 0) FROM rejection GROUP BY source_id ORDER BY source_id"
    )
    return {row[0]: Lack(**dict(zip(Lack.__struct_fields__, row, strict=True))) for row in rows}


def accept(store: Store, numbers: Iterable[int], *, actor: str, why: str) -> list[Rejected]:
    """Say that these stay missing for a known reason. Raises `ConfigError` for a number that nothing has."""
    wanted = list(dict.fromkeys(numbers))
    known = {one.id: one for one in rejected(store)}
    if lacking := [number for number in wanted if number not in known]:
        raise ConfigError(
            tr(
                "There is no rejection {numbers}: `hub rejections` lists them with their numbers.",
                numbers=", ".join(map(str, lacking)),
            )
        )
    with store.transaction():
        for number in wanted:
            store.connection.execute(
                "UPDATE rejection SET accepted_at = ?, accepted_by = ?, accepted_why = ? WHERE id = ?",
                (now().strftime("%Y-%m-%dT%H:%M:%SZ"), store.door.value(actor), store.door.text(why), number),
            )
            one = known[number]
            store.audit(
                "rejection accept", f"{one.source_id} {one.place}", actor=actor, reason=why, after=one.reason
            )
    return [known[number] for number in wanted]
