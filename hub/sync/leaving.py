"""Decide who leaves, on what evidence, and hold what is too much to leave without a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

import msgspec

from hub.placement import LEFT
from hub.records import BY_TABLE, Container
from hub.source import Census, Gone, Partition, Source
from hub.store import Changes, Store
from hub.store.guard import too_many
from hub.store.leaving import (
    container_of,
    containers_here,
    forget_holds,
    held_ids,
    known_and_away,
    presences,
    still_here,
)
from hub.store.rejections import old_images
from hub.tally import Rejection
from hub.words import tr

_SEVERAL = 2
"""A source with a single container may really lose it."""


def judge_absence(
    store: Store, source: Source, partition: Partition, *, run_id: int, lacking: Sequence[Rejection] = ()
) -> Changes:
    """Declare deleted what a complete *partition* did not see in its scope; hold it when it is too much.

    What may be the old image of something that is *lacking*, because it was rejected, stays, and so does what
    hangs on it: rows whose ids go on after its own.
    """
    changes = Changes()
    assert partition.scope is not None
    unknown = [one for one in lacking if one.id is None]
    if any(one.like is None for one in unknown):
        return changes
    gone = store.absent(partition.id, partition.scope, source.name)
    hangs_on = tuple(f"{one.id}/" for one in lacking if one.id is not None)
    for table, ids in list(gone.items()):
        like = [one.like for one in unknown if one.like and one.record and one.record.table == table]
        kept = old_images(store, table, ids, like) if like else set()
        gone[table] = [id_ for id_ in ids if id_ not in kept and not id_.startswith(hangs_on)]
    gone = {table: ids for table, ids in gone.items() if ids}
    if not gone:
        return changes
    evidence = partition.evidence or tr(
        "absent from the complete reading of {label}", label=partition.label or partition.id
    )
    arrived = store.arrived(partition.scope, source.name, run_id=run_id) if source.net_loss else None
    if why := too_many(
        store,
        gone,
        partition.scope,
        source.name,
        max_leave=source.max_leave,
        floor=source.leave_floor,
        arrived=arrived,
        ordered=partition.ordered,
    ):
        store.hold(
            source.name,
            gone,
            "deleted",
            tr("{evidence} ({why} would leave at once)", evidence=evidence, why=why),
            run_id=run_id,
        )
        return changes
    for table, ids in gone.items():
        changes.presence_changed += store.set_presence(table, ids, "deleted", evidence, run_id=run_id)
    return changes


def apply_gone(store: Store, source: Source, gone: Iterable[Gone], *, run_id: int) -> Changes:
    """Return rows the presence a proof says; what leaves a container beyond the guard in one run is held."""
    changes = Changes()
    gone = (
        [msgspec.structs.replace(one, id=store.door.id(one.id)) for one in gone] if store.door.shut else gone
    )
    groups: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for proof in gone:
        table = proof.record.table
        container = ""
        if proof.presence in LEFT and table in {"task", "worklog"}:
            container = container_of(store, table, proof.id)
        groups[table, container, proof.presence, proof.evidence].append(proof.id)
    for (table, container, presence, evidence), ids in groups.items():
        # what settings put outside is listed, and waits for nobody: they were changed on purpose
        if presence in LEFT and presence != "outside" and BY_TABLE[table].guarded:
            known, away = known_and_away(store, table, container, source.name, run_id=run_id)
            leaving = len(still_here(store, table, ids))  # what its list did not show has left already
            if leaving and known and (away + leaving) / known > source.max_leave:
                why = tr(
                    "{away} of {known} {table} rows would leave at once",
                    away=away + leaving,
                    known=known,
                    table=table,
                )
                store.hold(source.name, {table: ids}, presence, f"{evidence} ({why})", run_id=run_id)
                continue
        changes.presence_changed += store.set_presence(table, ids, presence, evidence, run_id=run_id)  # type: ignore[arg-type]
    return changes


def out_of_sight(
    store: Store, source: Source, found: Iterable[Census | Gone]
) -> tuple[list[Census | Gone], str | None]:
    """Return what of *found* may be believed, and an alarm where all containers vanish at once.

    One that cannot be read any more is hidden; when none can, it is the account that changed.
    """
    found = list(found)
    lost = {
        store.door.id(one.scope.container_id)
        for one in found
        if isinstance(one, Census) and not one.readable and one.scope.container_id
    }
    here = containers_here(store, source.name)
    if len(here) < _SEVERAL or not here <= lost:
        return found, None
    kept = [one for one in found if isinstance(one, Gone) or one.readable]
    return kept, tr(
        "none of its {count} {count:container|containers} can be read any more: nothing was declared "
        "hidden. Look at the "
        "rights of the account, or at who it signs in as.",
        count=len(here),
    )


def apply_census(store: Store, source: Source, found: Iterable[Census | Gone], *, run_id: int) -> Changes:
    """Compare the ids that exist with those we count.

    Absent ones leave or are held, returned ones are present. A proof about a single row goes before.
    """
    found = list(found)
    told: dict[str, set[str]] = defaultdict(set)
    for one in found:
        if isinstance(one, Gone):
            told[one.record.table].add(store.door.id(one.id))
    changes = apply_gone(store, source, (one for one in found if isinstance(one, Gone)), run_id=run_id)
    for census in (one for one in found if isinstance(one, Census)):
        if store.door.shut:
            spelt = frozenset(map(store.door.id, census.ids))
            census = msgspec.structs.replace(census, scope=store.known(census.scope), ids=spelt)
        table = census.record.table
        rows = (
            row for row in presences(store, census.scope, table, source.name) if row[0] not in told[table]
        )
        if not census.readable:
            ids = [id_ for id_, presence in rows if presence in {"present", "unobserved", "archived"}]
            if census.scope.container_id is not None:
                table, ids = Container.table, [census.scope.container_id]
            changes.presence_changed += store.set_presence(
                table, ids, "hidden", census.evidence, run_id=run_id
            )
            continue
        held, back, seen = held_ids(store, table), [], []
        gone: dict[str, list[str]] = {table: []}
        for id_, presence in rows:
            if id_ in census.ids:
                if presence in {"deleted", "hidden", "unobserved"}:
                    back.append(id_)
                if id_ in held:
                    seen.append(id_)
            elif presence not in LEFT:
                gone[table].append(id_)
        changes.presence_changed += store.set_presence(table, back, "present", census.evidence, run_id=run_id)
        forget_holds(store, table, seen)
        if not gone[table]:
            continue
        why = too_many(store, gone, census.scope, source.name, max_leave=source.max_leave)
        if census.hold or why:
            evidence = census.evidence + (
                tr(" ({why} would leave at once)", why=why) if why and not census.hold else ""
            )
            store.hold(source.name, gone, "deleted", evidence, run_id=run_id)
        else:
            changes.presence_changed += store.set_presence(
                table, gone[table], "deleted", census.evidence, run_id=run_id
            )
    return changes
