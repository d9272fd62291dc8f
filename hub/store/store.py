"""Open the store, write batches in one transaction with their cursor, read it as of a date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any, Self

import msgspec

from hub import clock
from hub.errors import SourceDataError, StoreError, StoreTooNew
from hub.files import storable
from hub.placement import here
from hub.records import BY_TABLE, Presence, Record, columns
from hub.store import seals
from hub.store.engines import Engine, engine_of
from hub.store.erasure import (
    Door,
    Mark,
    Pending,
    add_marks,
    known_marks,
    load_door,
    pending,
    put_marks,
    rewrite,
)
from hub.store.migrations import migrations
from hub.store.presence import PresenceRoom
from hub.tally import short
from hub.version import release
from hub.words import tr

TAIL = ("source_id", "presence", "presence_evidence", "recorded_at", "run_id")
COMPLETE = "(verdict = 'ok' OR verdict = 'partial' AND missing IS NULL)"
"""The condition of runs that read everything; what they met and could not take does not make them stale."""
_DECIDED = (
    "UPDATE person_link SET method = 'manual' WHERE account_id = ? AND state = 'accepted' "
    "AND presence = 'present'"
)
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z$")


class Changes(msgspec.Struct, kw_only=True):
    """What a write did, in rows."""

    read: int = 0
    inserted: int = 0
    updated: int = 0
    unchanged: int = 0
    presence_changed: int = 0

    def add(self, other: Changes) -> None:
        """Add *other* to these counts."""
        for name in self.__struct_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


class RunRow(msgspec.Struct, kw_only=True):
    """One row of `sync_run`: one source in one run."""

    id: int
    source_id: str
    mode: str
    started_at: str
    finished_at: str | None
    verdict: str
    read: int
    inserted: int
    updated: int
    unchanged: int
    presence_changed: int
    requests: int
    bytes: int
    retries: int
    missing: str | None
    error: str | None
    rejected: int
    tally: str | None


def utc_now() -> str:
    """Return this instant as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class Store(PresenceRoom):
    """The one door to the database; a context manager that closes what it opened."""

    older = False
    """Whether this is a copy, brought to this version, of a store that an older hub wrote."""

    def __init__(self, connection: Any, engine: Engine) -> None:
        """Wrap an open *connection* of *engine*; use `open()` instead."""
        self.connection = connection
        self.engine = engine
        engine.prepare(connection)
        self._door: Door | None = None

    @property
    def where(self) -> str:
        """Return which store this is, for people: a file, or an address without any secret."""
        return self.engine.where

    @classmethod
    def open(cls, url: str | Path | Engine, *, base: Path | None = None) -> Self:
        """Open the store at *url*, see `engine_of`, make it where it is missing, bring it to this version.

        Raises `ConfigError` for another kind of address, `StoreTooNew` for a store of a newer hub.
        """
        engine = engine_of(url, base=base)
        connection = engine.connect()
        try:
            store = cls(connection, engine)
            if store.lacks():
                engine.migrate(connection, engine.applied(connection))
        except engine.error as exc:
            connection.close()
            raise engine.explain(exc) from exc
        except StoreError:
            connection.close()
            raise
        return store

    def lacks(self) -> set[str]:
        """Return the names of the migrations that this store lacks.

        Raises `StoreTooNew` for a store of a newer hub.
        """
        return lacking(self.engine.applied(self.connection), self.where)

    def close(self) -> None:
        """Close the database."""
        self.connection.close()

    def __enter__(self) -> Self:
        """Return the store itself."""
        return self

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        """Close the database; what it raised, whoever asked, becomes a sentence."""
        self.close()
        if isinstance(error, self.engine.error):
            raise self.engine.explain(error) from error

    def verify(self) -> None:
        """Look for damage. Raises `StoreError` naming it."""
        try:
            found = self.engine.verify(self.connection)
        except self.engine.error as exc:
            raise self.engine.explain(exc) from exc
        if found:
            raise StoreError(
                tr(
                    "The store {where} is damaged: {found}. Restore it from a copy; nothing was published.",
                    where=self.where,
                    found="; ".join(found)[:300],
                )
            )

    @property
    def door(self) -> Door:
        """Return what everything written passes: who was erased does not come back."""
        if self._door is None:
            self._door = load_door(self.connection)
        return self._door

    # ---------- writing ----------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Run the block in one transaction (a savepoint inside another); all of it is kept, or none."""
        nested = self.connection.in_transaction
        try:
            if nested:
                self.connection.execute("SAVEPOINT batch")
            else:
                self.engine.begin(self.connection)
            try:
                yield
            except BaseException:
                with suppress(self.engine.error):  # of a database that is gone, or took it back itself
                    self.connection.execute("ROLLBACK TO batch" if nested else "ROLLBACK")
                    if nested:
                        self.connection.execute("RELEASE batch")
                raise
            self.connection.execute("RELEASE batch" if nested else "COMMIT")
        except self.engine.error as exc:
            if not nested and self.connection.in_transaction:
                with suppress(self.engine.error):  # a connection that was ended took it back itself
                    self.connection.execute("ROLLBACK")
            raise self.engine.explain(exc) from exc

    @contextmanager
    def rehearsal(self) -> Iterator[None]:
        """Run the block and take everything back: what a dry run stands on."""
        self.engine.begin(self.connection)
        try:
            yield
        finally:
            with suppress(self.engine.error):  # of a database that is gone
                self.connection.execute("ROLLBACK")

    def stamp(self) -> str:
        """Return the next `recorded_at`: now, but later than every stamp before it, to the microsecond."""
        (last,) = self.connection.execute("SELECT last FROM clock").fetchone()
        now = utc_now()
        if now <= last:
            moment = datetime.strptime(last, "%Y-%m-%dT%H:%M:%S.%fZ") + timedelta(microseconds=1)
            now = moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return now

    def tick(self, stamp: str) -> None:
        """Remember *stamp* as the last one used, and which hub used it."""
        self.connection.execute("UPDATE clock SET last = ?, written_by = ?", (stamp, release()))

    @property
    def hub(self) -> str:
        """Return the name of this hub that no other one has; whatever copies a store takes it along."""
        (told,) = self.connection.execute("SELECT hub FROM clock").fetchone()
        return str(told)

    def written_by(self) -> str | None:
        """Return which hub wrote last, as `hub --version` tells it.

        It is None where none did yet, or an older one.
        """
        (told,) = self.connection.execute("SELECT written_by FROM clock").fetchone()
        return str(told) if told else None

    def save(self, records: Iterable[Record], *, run_id: int, source_id: str) -> Changes:
        """Upsert *records* by id, inside one transaction; an unchanged row writes nothing.

        Of several records with one id the last wins. A row that had left is `present` again.
        Raises `SourceDataError` when a value breaks a rule of the table, naming the record.
        """
        with self.transaction():
            return self.put([records], run_id=run_id, source_id=source_id)

    def put(self, batches: Sequence[Iterable[Record]], *, run_id: int, source_id: str) -> Changes:
        """Do as `save` does with one batch after the other, inside the transaction that is open.

        Those that have no row in common go in by the same statements. Where it raises, some rows may be
        written: whoever calls takes them back.
        """
        by_table: dict[str, dict[str, Record]] = {}
        read = 0
        for record in chain.from_iterable(map(self.door.records, batches) if self.door.shut else batches):
            read += 1
            try:
                by_table[record.table][record.id] = record
            except KeyError:
                by_table[record.table] = {record.id: record}
        changes = Changes(read=read)
        if not by_table:
            return changes
        if len(batches) > 1 and sum(map(len, by_table.values())) < read:
            return self._one_by_one(batches, run_id=run_id, source_id=source_id)
        # a row that is new gets a key above all others
        keys = "SELECT " + " + ".join(
            f"(SELECT coalesce(max(key), 0) FROM {table})" for table in sorted(by_table)
        )
        stamp = self.stamp()
        tail = (source_id, stamp, run_id)
        (before,) = self.connection.execute(keys).fetchone()
        written = 0
        for table, rows in by_table.items():
            astuple = msgspec.structs.astuple
            try:
                written += self.engine.upsert(
                    self.connection, table, [astuple(record) + tail for record in rows.values()]
                )
            except self.engine.refused as exc:
                raise self._bad_record(table, rows.values(), tail, exc) from exc
        (after,) = self.connection.execute(keys).fetchone()
        changes.inserted = after - before
        changes.updated = written - changes.inserted
        changes.unchanged = sum(map(len, by_table.values())) - written
        if written:
            self.tick(stamp)
        return changes

    def _one_by_one(self, batches: Sequence[Iterable[Record]], *, run_id: int, source_id: str) -> Changes:
        changes = Changes()
        for batch in batches:
            changes.add(self.put([batch], run_id=run_id, source_id=source_id))
        return changes

    def _bad_record(
        self, table: str, rows: Iterable[Record], tail: tuple[Any, ...], exc: Exception
    ) -> SourceDataError:
        """Find the record that broke the table's rule, so that the message can name it."""
        for record in rows:
            try:
                self.connection.execute("SAVEPOINT probe")
                self.engine.upsert(self.connection, table, [msgspec.structs.astuple(record) + tail])
            except (self.engine.error, *self.engine.refused) as one:
                return SourceDataError(
                    tr(
                        "The record {table} {id} breaks a rule of the store: {one}.",
                        table=table,
                        id=short(record.id),
                        one=str(one).partition("\n")[0],
                    )
                )
            finally:
                self.connection.execute("ROLLBACK TO probe")
                self.connection.execute("RELEASE probe")
        return SourceDataError(
            tr("A record of {table} breaks a rule of the store: {error}.", table=table, error=exc)
        )

    def write_batch(
        self,
        records: Iterable[Record],
        *,
        run_id: int,
        source_id: str,
        cursor: tuple[str, object] | None = None,
    ) -> Changes:
        """Write records and the cursor (partition, JSON value) that makes them done, in one transaction."""
        with self.transaction():
            changes = self.put([records], run_id=run_id, source_id=source_id)
            if cursor is not None:
                self.set_cursor(source_id, cursor[0], cursor[1], run_id=run_id)
            self.count(run_id, changes)
        return changes

    def count(self, run_id: int, changes: Changes) -> None:
        """Add *changes* to the row of the run."""
        self.connection.execute(
            "UPDATE sync_run SET read = read + ?, inserted = inserted + ?, updated = updated + ?, "
            "unchanged = unchanged + ?, presence_changed = presence_changed + ? WHERE id = ?",
            (*msgspec.structs.astuple(changes), run_id),
        )

    # ---------- cursors and runs ----------

    def set_cursor(self, source_id: str, partition: str, value: object, *, run_id: int) -> None:
        """Keep *value* (JSON) as the place from which *partition* goes on."""
        self.connection.execute(
            "INSERT INTO cursor VALUES (?, ?, ?, ?) ON CONFLICT (source_id, partition) "
            "DO UPDATE SET value = excluded.value, run_id = excluded.run_id "
            "WHERE cursor.value IS DISTINCT FROM excluded.value",
            (
                source_id,
                self.door.id(partition),
                json.dumps(self.door.json(value), sort_keys=True, ensure_ascii=False),
                run_id,
            ),
        )

    def cursors(self, source_id: str) -> dict[str, Any]:
        """Return every partition's cursor of *source_id*."""
        rows = self.connection.execute(
            "SELECT partition, value FROM cursor WHERE source_id = ?", (source_id,)
        )
        return {partition: json.loads(value) for partition, value in rows}

    def register_source(
        self,
        source_id: str,
        *,
        kind: str,
        base_url: str | None,
        tz: str,
        seconds_per_day: int,
        freshness_max_s: int,
    ) -> None:
        """Keep what the feed must know of a source."""
        with self.transaction():
            self.connection.execute(
                "INSERT INTO source (id, key, kind, base_url, tz, seconds_per_day, freshness_max_s) "
                "VALUES (?, (SELECT coalesce(max(key), 0) + 1 FROM source), ?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET kind = excluded.kind, "
                "base_url = coalesce(excluded.base_url, source.base_url), tz = excluded.tz, "
                "seconds_per_day = excluded.seconds_per_day, freshness_max_s = excluded.freshness_max_s",
                (source_id, kind, base_url, tz, seconds_per_day, freshness_max_s),
            )

    def begin_run(self, source_id: str, mode: str) -> int:
        """Open a run; a run of this source that never ended is marked interrupted."""
        with self.transaction():
            self.end_dead_runs(source_id)
            self.connection.execute("UPDATE clock SET written_by = ?", (release(),))
            row = self.connection.execute(
                "INSERT INTO sync_run (source_id, mode, started_at, verdict) VALUES (?, ?, ?, "
                "'running') RETURNING id",
                (source_id, mode, utc_now()),
            ).fetchone()
        return int(row[0])

    def end_dead_runs(self, source_id: str | None = None) -> int:
        """Mark runs that never ended as interrupted.

        It is for whoever holds the lock, since no run can be alive then.
        """
        cursor = self.connection.execute(
            "UPDATE sync_run SET verdict = 'interrupted', finished_at = :now, "
            "error = 'the process ended without a word (killed, or the machine stopped)' "
            "WHERE verdict = 'running' AND (:source IS NULL OR source_id = :source)",
            {"now": utc_now(), "source": source_id},
        )
        return max(int(cursor.rowcount), 0)

    def end_run(
        self,
        run_id: int,
        verdict: str,
        *,
        traffic: Mapping[str, int] | None = None,
        missing: list[str] | None = None,
        error: str | None = None,
        rejected: int = 0,
        tally: Mapping[str, object] | None = None,
    ) -> None:
        """Close a run with its *verdict*; *traffic* holds requests, bytes and retries."""
        counts = traffic or {}
        lacking = json.dumps([storable(one) for one in missing], ensure_ascii=False) if missing else None
        with self.transaction():
            self.connection.execute(
                "UPDATE sync_run SET verdict = ?, finished_at = ?, requests = ?, bytes = ?, "
                "retries = ?, missing = ?, error = ?, rejected = ?, tally = ? WHERE id = ?",
                (
                    verdict, utc_now(), counts.get("requests", 0), counts.get("bytes", 0),
                    counts.get("retries", 0),
                    self.door.text(lacking) if lacking else None,
                    self.door.text(storable(error)) if error else None, rejected,
                    json.dumps(tally, sort_keys=True, ensure_ascii=False) if tally else None, run_id,
                ),
            )  # fmt: skip

    def runs(self, source_id: str | None = None, *, limit: int = 10) -> list[RunRow]:
        """Return the latest runs, newest first."""
        names = ", ".join(RunRow.__struct_fields__)
        rows = self.connection.execute(
            f"SELECT {names} FROM sync_run WHERE :source IS NULL OR source_id = :source "
            "ORDER BY id DESC LIMIT :most",
            {"source": source_id, "most": limit},
        )
        return [RunRow(**dict(zip(RunRow.__struct_fields__, row, strict=True))) for row in rows]

    def last_success(self, source_id: str, *, as_of: str | None = None) -> str | None:
        """Return when the last complete run of *source_id* ended; see `COMPLETE`."""
        (at,) = self.connection.execute(
            f"SELECT max(finished_at) FROM sync_run WHERE source_id = :source AND {COMPLETE} "
            "AND (:moment IS NULL OR finished_at <= :moment)",
            {"source": source_id, "moment": as_of},
        ).fetchone()
        return at if isinstance(at, str) else None

    def audit(
        self,
        action: str,
        object_: str,
        *,
        actor: str,
        reason: str | None = None,
        before: str | None = None,
        after: str | None = None,
    ) -> None:
        """Keep who did what, and why."""
        self.connection.execute(
            "INSERT INTO audit_log (at, actor, action, object, before, after, reason) VALUES "
            "(?, ?, ?, ?, ?, ?, ?)",
            (
                utc_now(),
                self.door.value(actor),
                action,
                self.door.id(object_),
                *(self.door.text(one) if one else one for one in (before, after, reason)),
            ),
        )

    # ---------- forgetting ----------

    def erasures(self) -> list[Pending]:
        """Return the erasures that were asked for and are not finished."""
        return pending(self.connection)

    def start_erasure(
        self, marks: Iterable[tuple[str, str]], *, texts: bool, actor: str, accounts: Iterable[str]
    ) -> None:
        """Keep the digests of somebody to erase.

        The matches of their *accounts* are decided as they stand.
        """
        with self.transaction():
            add_marks(self.connection, marks, texts=texts, actor=actor, now=utc_now())
            self.connection.executemany(_DECIDED, ((one,) for one in accounts))
        self._door = None

    def adopt_marks(self, marks: Iterable[Mark]) -> int:
        """Keep *marks* that another copy of this store made, and that an erasure is pending; gives how many.

        The matches of the accounts that they name are decided as they stand.
        """
        _, mine = known_marks(self.connection)
        texts = {(one.kind, one.mark): one.texts for one in mine}
        new = [
            one for one in marks if (one.kind, one.mark) not in texts
            or (one.texts and not texts[one.kind, one.mark])
        ]  # fmt: skip
        if not new:
            return 0
        with self.transaction():
            put_marks(self.connection, new, actor="restore", now=utc_now())
            door = load_door(self.connection)
            named = [
                (row[0],)
                for row in self.connection.execute(
                    "SELECT id, email, login, employee_no, display_name FROM account"
                )
                if door.id(row[0]) != row[0] or any(door.value(one) != one for one in row[1:] if one)
            ]
            self.connection.executemany(_DECIDED, named)
        self._door = None
        return len(new)

    def rewrite_erased(self) -> dict[str, int]:
        """Take who is marked out of every text of the store, in one transaction; gives rows per table."""
        self._door = None
        self.engine.overwrite(self.connection)
        with self.transaction():
            sealed = seals.kept(self.connection)
            done = rewrite(self.engine, self.connection)
            for month, (before, after) in seals.renew(self.connection, sealed).items():
                self.audit(seals.REDACTED, month, actor="hub", before=before, after=after)
            self.audit("privacy erase", "", actor="hub", after=json.dumps(done))
            self.connection.execute("UPDATE erasure SET stage = 'files' WHERE stage = 'store'")
        return done

    def erasure_stage(self, stage: str) -> None:
        """Say that every pending erasure goes on with *stage*, or is ``done``."""
        with self.transaction():
            self.connection.execute(
                "UPDATE erasure SET stage = ?, finished_at = CASE WHEN ? = 'done' THEN ? END WHERE "
                "stage NOT IN ('store', 'done')",
                (stage, stage, utc_now()),
            )

    def compact(self) -> None:
        """Leave nothing of what was rewritten behind. Raises `ConfigError` while it is read."""
        self.engine.compact(self.connection)

    # ---------- reading ----------

    def rows(self, sql: str, parameters: tuple[Any, ...] | dict[str, Any] = ()) -> list[dict[str, Any]]:
        """Run a query and give its rows as dicts."""
        try:
            cursor = self.connection.execute(sql, parameters)
            names = [column[0] for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]
        except self.engine.error as exc:
            raise self.engine.explain(exc) from exc

    def ids(self, table: str, prefix: str) -> frozenset[str]:
        """Return the ids of *table* that begin with *prefix*, of rows that have not left; from any thread."""
        sql = f"SELECT id FROM {BY_TABLE[table].table} WHERE id >= ? AND id < ? AND {here()}"
        return frozenset(row[0] for row in self._of_prefix(sql, prefix))

    def texts(self, table: str, prefix: str, column: str) -> dict[str, str]:
        """Return *column* of the rows that `ids` returns, where it has a value; from any thread."""
        record = BY_TABLE[table]
        if column not in columns(record):
            raise KeyError(column)
        sql = f"SELECT id, {column} FROM {record.table} WHERE id >= ? AND id < ? AND {here()}"
        return {row[0]: str(row[1]) for row in self._of_prefix(sql, prefix) if row[1] is not None}

    def standing(self, prefix: str) -> Iterator[tuple[str, tuple[Presence, str]]]:
        """Yield id, presence and container of every task whose id begins with *prefix*; from any thread."""
        sql = "SELECT id, presence, container_id FROM task WHERE id >= ? AND id < ?"
        # there are few pairs: one object each, or a hundred thousand tasks take 20 MB more
        pairs: dict[tuple[Presence, str], tuple[Presence, str]] = {}
        for id_, presence, container in self._of_prefix(sql, prefix):
            yield id_, pairs.setdefault((presence, container), (presence, container))

    def _of_prefix(self, sql: str, prefix: str) -> Iterator[tuple[Any, ...]]:
        bounds = (prefix, prefix + "\U0010ffff")
        if not self.engine.shared:
            yield from self.connection.execute(sql, bounds)
            return
        # a connection of its own: the writing one may be in the middle of a transaction
        with self.engine.reader() as reader:
            yield from reader.execute(sql, bounds)

    def as_of(self, table: str, moment: str) -> list[dict[str, Any]]:
        """Return the rows of *table* as they were known at *moment* (a UTC instant)."""
        return self.rows(as_of_sql(table, moment))

    def snapshot(self, table: str) -> list[dict[str, Any]]:
        """Return the rows of *table* as they are known now, without the plumbing, ordered by id."""
        names = ", ".join((*columns(BY_TABLE[table]), "source_id", "presence", "presence_evidence"))
        return self.rows(f"SELECT {names} FROM {table} ORDER BY id")


def lacking(applied: Iterable[str], where: object) -> set[str]:
    """Return the names of the migrations that the store at *where*, which has those *applied*, lacks.

    Raises `StoreTooNew` for a store of a newer hub.
    """
    ours = {migration.name for migration in migrations._migrations}
    if newer := sorted(set(applied) - ours):
        raise StoreTooNew(
            tr(
                "The store {where} was written by a newer pm-hub (it holds {newer}). Nothing was "
                "touched: upgrade pm-hub on this machine.",
                where=where,
                newer=newer[-1],
            )
        )
    return ours - set(applied)


def as_of_sql(table: str, moment: str | None, names: Iterable[str] | None = None) -> str:
    """Return the query of *table*'s rows as known at *moment*, or now when None.

    The moment is checked against the stamp's form, so that the text is safe to embed where parameters cannot
    go.
    """
    if table not in BY_TABLE:
        raise StoreError(tr("There is no source-owned table {table!r}.", table=table))
    listed = ", ".join(names or ("key", *columns(BY_TABLE[table]), *TAIL))
    if moment is None:
        return f"SELECT {listed} FROM {table}"
    if not _STAMP.match(moment):
        raise StoreError(tr("{moment!r} is not a UTC instant such as 2026-10-31T18:00:00Z.", moment=moment))
    full = moment if "." in moment else moment.replace("Z", ".999999Z")
    return (
        f"SELECT {listed} FROM {table} WHERE recorded_at <= '{full}' UNION ALL "
        f"SELECT {listed} FROM {table}_history WHERE recorded_at <= '{full}' AND superseded_at > '{full}'"
    )
