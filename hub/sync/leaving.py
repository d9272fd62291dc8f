"""Decide who leaves, on what evidence, and hold what is too much to leave without a person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import msgspec

from hub.placement import LEFT
from hub.records import BY_TABLE, Container
from hub.source import Census, Gone, Partition, Source
from hub.store import Changes, Store
from hub.store.leaving import container_of, forget_holds, known_and_away, presences
from hub.words import tr


def judge_absence(store: Store, source: Source, partition: Partition, *, run_id: int) -> Changes:
    """Declare deleted what a complete *partition* did not see in its scope; hold it when it is too much."""
    changes = Changes()
    assert partition.scope is not None
    gone = store.absent(partition.id, partition.scope, source.name)
    if not gone:
        return changes
    evidence = partition.evidence or tr(
        "absent from the complete reading of {label}", label=partition.label or partition.id
    )
    arrived = store.arrived(partition.scope, source.name, run_id=run_id) if source.net_loss else None
    if why := store.too_many(
        gone,
        partition.scope,
        source.name,
        max_leave=source.max_leave,
        floor=source.leave_floor,
        arrived=arrived,
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
        if presence in LEFT and BY_TABLE[table].guarded:
            known, away = known_and_away(store, table, container, source.name, run_id=run_id)
            if known and (away + len(ids)) / known > source.max_leave:
                why = tr(
                    "{away} of {known} {table} rows would leave at once",
                    away=away + len(ids),
                    known=known,
                    table=table,
                )
                store.hold(source.name, {table: ids}, presence, f"{evidence} ({why})", run_id=run_id)
                continue
        changes.presence_changed += store.set_presence(table, ids, presence, evidence, run_id=run_id)  # type: ignore[arg-type]
    return changes


def apply_census(store: Store, source: Source, found: Iterable[Census | Gone], *, run_id: int) -> Changes:
    """Compare the ids that exist with those we count.

    Absent ones leave or are held, returned ones are present.
    """
    found = list(found)
    changes = apply_gone(store, source, (one for one in found if isinstance(one, Gone)), run_id=run_id)
    for census in (one for one in found if isinstance(one, Census)):
        if store.door.shut:
            known = frozenset(map(store.door.id, census.ids))
            census = msgspec.structs.replace(census, scope=store.known(census.scope), ids=known)
        table = census.record.table
        rows = presences(store, census.scope, table, source.name)
        if not census.readable:
            ids = [id_ for id_, presence in rows if presence in {"present", "unobserved", "archived"}]
            if census.scope.container_id is not None:
                table, ids = Container.table, [census.scope.container_id]
            changes.presence_changed += store.set_presence(
                table, ids, "hidden", census.evidence, run_id=run_id
            )
            continue
        back = [
            id_
            for id_, presence in rows
            if id_ in census.ids and presence in {"deleted", "hidden", "unobserved"}
        ]
        changes.presence_changed += store.set_presence(table, back, "present", census.evidence, run_id=run_id)
        forget_holds(store, table, (id_ for id_, _ in rows if id_ in census.ids))
        gone = {table: [id_ for id_, presence in rows if id_ not in census.ids and presence not in LEFT]}
        if not gone[table]:
            continue
        why = store.too_many(gone, census.scope, source.name, max_leave=source.max_leave)
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
