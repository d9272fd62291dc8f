"""The laws of the store: memory, idempotence, presence, one transaction."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from engines import everything
from hypothesis import given
from hypothesis import strategies as st
from sqlite_utils import Database

from hub.errors import ConfigError, SourceDataError, StoreBusy, StoreError, StoreFull, StoreTooNew
from hub.placement import fold, here
from hub.records import BY_TABLE, RECORDS, Container, Record, Task, Worklog, columns
from hub.source import Batch, Census, Gone, Scope
from hub.store import Store
from hub.store.engines import Engine, engine_of
from hub.store.engines.sqlite import explain
from hub.store.migrations import migrations
from hub.testing import ScriptedSource, store_image, sync_once

IDS = st.integers(0, 5).map(lambda n: f"s:{n}")
TEXTS = st.one_of(
    st.none(), st.sampled_from(["", "a", "é", "'; DROP TABLE task; --", "\u202eabc", "long" * 50])
)
TASKS = st.builds(
    Task,
    id=IDS,
    container_id=st.just("s:c"),
    title=st.sampled_from(["one", "two", "Été 🌞"]),
    wbs=TEXTS,
    estimate_s=st.one_of(st.none(), st.integers(-(2**40), 2**40)),
    percent=st.one_of(st.none(), st.floats(0, 100)),
    is_blocked=st.one_of(st.none(), st.booleans()),
)
WORKLOGS = st.builds(
    Worklog,
    id=IDS,
    day=st.sampled_from(["2026-01-01", "2026-02-03"]),
    seconds=st.integers(-10, 10),
    task_id=st.one_of(st.none(), IDS),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("save"), st.lists(st.one_of(TASKS, WORKLOGS), max_size=8)),
        st.tuples(
            st.just("leave"),
            st.tuples(
                st.sampled_from(["deleted", "trashed", "hidden", "archived"]), st.lists(IDS, max_size=3)
            ),
        ),
    ),
    max_size=8,
)


def play(store: Store, step: tuple[str, Any]) -> None:
    kind, payload = step
    if kind == "save":
        store.write_batch(payload, run_id=1, source_id="s")
    else:
        presence, ids = payload
        store.set_presence("task", ids, presence, "a proof", run_id=1)


def now(store: Store, table: str) -> list[dict[str, Any]]:
    return sorted(store.rows(f"SELECT * FROM {table}"), key=lambda row: row["key"])


def before(store: Store, table: str, moment: str) -> list[dict[str, Any]]:
    names = list(columns(BY_TABLE[table]))
    rows = store.as_of(table, moment)
    listed = ["key", *names, "source_id", "presence", "presence_evidence", "recorded_at", "run_id"]
    return sorted(({name: row[name] for name in listed} for row in rows), key=lambda row: row["key"])


@given(STEPS)
def test_as_of_is_a_copy_taken_then(fresh: Callable[[], Store], steps: list[tuple[str, Any]]) -> None:
    """After any sequence of syncs, as_of(T) equals a copy of the store taken at T."""
    with fresh() as store:
        copies = []
        for step in steps:
            play(store, step)
            (last,) = store.connection.execute("SELECT last FROM clock").fetchone()
            copies.append((last, now(store, "task"), now(store, "worklog")))

        for moment, tasks, worklogs in copies:
            assert tasks == before(store, "task", moment)
            assert worklogs == before(store, "worklog", moment)


@given(st.lists(st.one_of(TASKS, WORKLOGS), max_size=12))
def test_upsert_twice_changes_nothing(fresh: Callable[[], Store], records: list[Any]) -> None:
    """The same batch again inserts and updates no row, and writes no history."""
    with fresh() as store:
        first = store.write_batch(records, run_id=1, source_id="s")
        image = {table: now(store, table) for table in ("task", "worklog")}
        second = store.write_batch(records, run_id=2, source_id="s")

        assert (0, 0) == (second.inserted, second.updated)
        assert first.inserted == second.unchanged == len({(r.table, r.id) for r in records})
        assert image == {table: now(store, table) for table in ("task", "worklog")}
        assert [] == store.rows("SELECT 1 FROM task_history UNION ALL SELECT 1 FROM worklog_history")


@given(STEPS)
def test_keys_are_for_ever(fresh: Callable[[], Store], steps: list[tuple[str, Any]]) -> None:
    """A row keeps its integer key whatever happens, and no key is given twice."""
    with fresh() as store:
        seen: dict[str, int] = {}
        for step in steps:
            play(store, step)
            for row in now(store, "task"):
                assert seen.setdefault(row["id"], row["key"]) == row["key"]

        assert len(seen) == len(set(seen.values()))


def test_stamps_rise_strictly(store: Store) -> None:
    """recorded_at has microseconds and rises even when the clock goes back."""
    store.tick("2999-01-01T00:00:00.000000Z")
    store.write_batch([Task(id="s:1", container_id="s:c", title="x")], run_id=1, source_id="s")

    assert "2999-01-01T00:00:00.000001Z" == store.rows("SELECT recorded_at FROM task")[0]["recorded_at"]


def test_batch_and_cursor_are_one_transaction(store: Store) -> None:
    """A batch that breaks a rule leaves neither its rows nor its cursor."""
    good = Task(id="s:1", container_id="s:c", title="x")
    bad = Task(id="s:2", container_id="s:c", title="x", percent=200.0)

    with pytest.raises(SourceDataError, match="task s:2 breaks a rule"):
        store.write_batch([good, bad], run_id=1, source_id="s", cursor=("p", {"page": 2}))
    assert {} == store.cursors("s")
    assert [] == store.rows("SELECT id FROM task")


def test_batches_together_are_what_they_are_one_after_the_other(store: Store) -> None:
    """Three rows in two batches are new; where a row comes twice its first image is kept."""
    one, two, three = (Task(id=f"s:{n}", container_id="s:c", title="old") for n in (1, 2, 3))
    with store.transaction():
        apart = store.put([[one, two], [three]], run_id=1, source_id="s")
        again = msgspec.structs.replace(one, title="new"), msgspec.structs.replace(one, title="newer")
        twice = store.put([[again[0], two], [again[1]]], run_id=2, source_id="s")

    assert (3, 3, 0, 0) == (apart.read, apart.inserted, apart.updated, apart.unchanged)
    assert (3, 0, 2, 1) == (twice.read, twice.inserted, twice.updated, twice.unchanged)
    assert ["old", "new"] == [
        row["title"] for row in store.rows("SELECT title FROM task_history ORDER BY superseded_at")
    ]
    assert "newer" == store.rows("SELECT title FROM task WHERE id = 's:1'")[0]["title"]


def test_a_row_that_comes_back_is_present_again(store: Store) -> None:
    """Leaving and coming back are each recorded once."""
    task = Task(id="s:1", container_id="s:c", title="x")
    store.write_batch([task], run_id=1, source_id="s")
    store.set_presence("task", ["s:1"], "deleted", "delete feed", run_id=2)
    again = store.set_presence("task", ["s:1"], "deleted", "delete feed", run_id=3)
    back = store.write_batch([task], run_id=4, source_id="s")

    assert 0 == again
    assert 1 == back.updated
    assert [("present",), ("deleted",)] == store.connection.execute(
        "SELECT presence FROM task_history ORDER BY recorded_at"
    ).fetchall()
    assert "present" == store.rows("SELECT presence FROM task")[0]["presence"]


def test_nothing_is_physically_deleted(store: Store) -> None:
    """The database itself refuses to delete a row."""
    store.write_batch([Task(id="s:1", container_id="s:c", title="x")], run_id=1, source_id="s")

    with pytest.raises(store.engine.refused, match="never physically deleted"):
        store.connection.execute("DELETE FROM task")


def test_rehearsal_takes_everything_back(store: Store) -> None:
    """What a dry run writes is gone afterwards."""
    with store.rehearsal():
        store.write_batch(
            [Task(id="s:1", container_id="s:c", title="x")], run_id=1, source_id="s", cursor=("p", 1)
        )
        assert 1 == len(store.rows("SELECT 1 FROM task"))

    assert [] == store.rows("SELECT 1 FROM task")
    assert {} == store.cursors("s")


def test_what_left_with_a_task_is_not_counted_and_comes_back_with_it(store: Store) -> None:
    """Worklogs of a deleted task show as lost hours; when the task returns they need no new reading."""
    store.write_batch(
        [
            Container(id="s:c", kind="plan", name="Plan"),
            Task(id="s:t", container_id="s:c", title="x"),
            Worklog(id="s:w", task_id="s:t", day="2026-01-01", seconds=7200),
        ],
        run_id=1,
        source_id="s",
    )
    store.set_presence("task", ["s:t"], "deleted", "delete feed", run_id=2)
    (left,) = store.left()
    store.set_presence("task", ["s:t"], "present", "census", run_id=3)

    assert ("Plan", "deleted", "delete feed", 1, 7200) == (
        left.container,
        left.presence,
        left.evidence,
        left.tasks,
        left.seconds,
    )
    assert [] == store.left()


def test_records_and_tables_have_the_same_columns(store: Store) -> None:
    """Field names and order are those of the tables."""
    tail = ("source_id", "presence", "presence_evidence", "recorded_at", "run_id")
    for record in RECORDS:
        names = tuple(store.engine.tables(store.connection)[record.table])

        assert ("key", *columns(record), *tail) == names
        assert {*names, "superseded_at", "superseded_run"} == {
            *store.engine.tables(store.connection)[f"{record.table}_history"]
        }


def test_a_newer_store_is_left_alone(engine: Engine) -> None:
    """A store of a newer hub is refused with a sentence and not touched."""
    with Store.open(engine) as store:
        store.connection.execute(
            "INSERT INTO _sqlite_migrations (id, migration_set, name, applied_at) "
            "VALUES (9999, 'pm-hub', '9999_future', '')"
        )
    content = everything(engine)

    with pytest.raises(StoreTooNew, match=r"newer pm-hub.*9999_future.*upgrade pm-hub"):
        Store.open(engine)
    assert content == everything(engine)


def test_an_old_store_keeps_everything(engine: Engine) -> None:
    """Opening again changes neither rows nor cursors."""
    with Store.open(engine) as store:
        store.write_batch(
            [Task(id="s:1", container_id="s:c", title="x")], run_id=1, source_id="s", cursor=("p", 1)
        )
        image = store_image(store)

    with Store.open(engine) as store:
        assert image == store_image(store)


def test_locked_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A database held by another program gives a sentence a PMO understands."""
    path = tmp_path / "hub.db"
    with Store.open(path) as store:
        store.connection.execute("PRAGMA busy_timeout = 50")
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            with pytest.raises(StoreBusy, match="locked by another program"):
                store.write_batch([Task(id="s:1", container_id="s:c", title="x")], run_id=1, source_id="s")
        finally:
            other.execute("ROLLBACK")
            other.close()

        assert (
            1
            == store.write_batch(
                [Task(id="s:1", container_id="s:c", title="x")], run_id=1, source_id="s"
            ).inserted
        )


@pytest.mark.of_files
def test_full_disk(store: Store) -> None:
    """A disk that fills in the middle of a batch says so and loses no committed row."""
    store.write_batch(
        [Task(id="s:1", container_id="s:c", title="x")], run_id=1, source_id="s", cursor=("p", 1)
    )
    (pages,) = store.connection.execute("PRAGMA page_count").fetchone()
    # SQLite's own way to say "no more room": the same error as a full disk
    store.connection.execute(f"PRAGMA max_page_count = {pages}")
    many = [Task(id=f"s:{n}", container_id="s:c", title="x" * 2000) for n in range(2, 2000)]

    with pytest.raises(StoreFull, match=r"disk that holds .* is full"):
        store.write_batch(many, run_id=1, source_id="s", cursor=("p", 2))
    assert {"p": 1} == store.cursors("s")
    assert ["s:1"] == [row["id"] for row in store.rows("SELECT id FROM task")]


@pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="needs an account that permissions apply to"
)
def test_read_only_folder(tmp_path: Path) -> None:
    """A folder that cannot be written is named."""
    tmp_path.chmod(0o500)
    try:
        with pytest.raises(StoreFull, match="cannot be written"):
            Store.open(tmp_path / "sub" / "hub.db")
    finally:
        tmp_path.chmod(0o700)


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    """A store below a file is refused with the way out, for every account."""
    (tmp_path / "data").write_text("")

    with pytest.raises(StoreFull, match=r"cannot be written.*choose another place"):
        Store.open(tmp_path / "data" / "hub.db")


@pytest.mark.parametrize(
    ("said", "cls", "words"),
    [
        ("database is locked", StoreBusy, "locked by another program"),
        ("database or disk is full", StoreFull, "disk that holds"),
        ("attempt to write a readonly database", StoreFull, "read-only"),
        ("file is not a database", StoreError, "not a readable SQLite database"),
    ],
)
def test_sentences(said: str, cls: type[StoreError], words: str) -> None:
    """Every fault of SQLite that a person can mend has its sentence."""
    error = explain(sqlite3.OperationalError(said), "data/hub.db")

    assert cls is type(error)
    assert words in str(error)


def test_a_damaged_file(tmp_path: Path) -> None:
    """A file that is no database is named, and stays as it is."""
    path = tmp_path / "hub.db"
    path.write_bytes(b"this is not SQLite" * 100)

    with pytest.raises(StoreError, match="not a readable SQLite database"):
        Store.open(path)
    assert path.read_bytes().startswith(b"this is not")


def test_addresses(tmp_path: Path) -> None:
    """A path starts at the configuration's folder, and no address tells what stands in it."""
    assert tmp_path / "data/hub.db" == engine_of("sqlite:///data/hub.db", base=tmp_path).path
    with pytest.raises(ConfigError, match=r"store = mysql://….*postgresql://account") as told:
        engine_of("mysql://me:hunter2@host/db")
    assert "hunter2" not in str(told.value)


def test_as_of_text_is_checked(store: Store) -> None:
    """A moment that is not a stamp never reaches SQL."""
    with pytest.raises(StoreError, match="is not a UTC instant"):
        store.as_of("task", "2026-01-01' OR 1=1 --")


def test_the_last_of_one_id_wins(store: Store) -> None:
    """Several images of one row in a batch are one image."""
    one = Task(id="s:1", container_id="s:c", title="old")
    changes = store.write_batch([one, msgspec.structs.replace(one, title="new")], run_id=1, source_id="s")

    assert (2, 1, 0) == (changes.read, changes.inserted, changes.updated)
    assert "new" == store.rows("SELECT title FROM task")[0]["title"]


def test_a_row_outside_of_the_scope(store: Store) -> None:
    """What the source is not asked for any more has left, is not deleted, is not held, and comes back."""

    def gone() -> tuple[Gone, ...]:
        return tuple(
            Gone(record=Task, id=f"s:t/{n}", presence="outside", evidence="its project is not asked for")
            for n in range(5)
        )

    rows = [Task(id=f"s:t/{n}", container_id="s:c", title="x") for n in range(5)]
    sync_once(store, ScriptedSource(name="s", script={"p": lambda _: [Batch(records=rows, cursor=1)]}))
    away = sync_once(store, ScriptedSource(name="s", script={"p": lambda _: [Batch(gone=gone())]}))
    counted = store.rows(f"SELECT count(*) AS n FROM task WHERE {here()}")[0]["n"]
    sync_once(store, ScriptedSource(name="s", script={"p": lambda _: [Batch(records=rows[:2])]}))
    back = store.rows(f"SELECT count(*) AS n FROM task WHERE {here()}")[0]["n"]

    assert ("ok", [], 0, 2) == (away.verdict, away.held, counted, back)


def test_a_census_of_some_days(store: Store) -> None:
    """Of hours only those of the days that were looked at leave, both ends included."""
    days = ("2026-03-01", "2026-03-02", "2026-03-03", "2026-03-04")
    rows: list[Record] = [Worklog(id=f"s:w{one}", task_id="s:t", day=one, seconds=3600) for one in days]
    scope = Scope(records=(Worklog,), id_prefix="s:w", days=("2026-03-02", "2026-03-03"))
    seen = Census(record=Worklog, scope=scope, ids=frozenset({"s:w2026-03-02"}), evidence="looked at")
    read = {"p": lambda _: [Batch(records=rows, cursor=1)], "q": lambda _: [Batch(gone=(seen,))]}
    sync_once(store, ScriptedSource(name="s", script={"p": read["p"]}, max_leave=1.0))
    sync_once(store, ScriptedSource(name="s", script={"q": read["q"]}, max_leave=1.0))
    states = [row["presence"] for row in store.rows("SELECT presence FROM worklog ORDER BY day")]

    assert ["present", "present", "deleted", "present"] == states


def test_where_tasks_stand(store: Store) -> None:
    """A source may ask for presence and container of its tasks, of those that left too."""
    rows = [Task(id=f"s:{n}", container_id=f"s:c{n % 2}", title="x") for n in range(3)]
    gone = Gone(record=Task, id="s:2", presence="outside", evidence="not asked for any more")
    script = {
        "p": lambda _: [Batch(records=[*rows, Task(id="r:1", container_id="r:c", title="y")], gone=(gone,))]
    }
    sync_once(store, ScriptedSource(name="s", script=script))

    assert {
        "s:0": ("present", "s:c0"),
        "s:1": ("present", "s:c1"),
        "s:2": ("outside", "s:c0"),
    } == dict(store.standing("s:"))


@pytest.mark.of_files
def test_every_table_knows_the_seven_states(store: Store) -> None:
    """A migration made each anew: with its check, its memory and its bolt against deletion."""
    made = store.rows("SELECT tbl_name, type, sql FROM sqlite_master WHERE sql IS NOT NULL")
    for table in BY_TABLE:
        mine = [(row["type"], row["sql"]) for row in made if row["tbl_name"] == table]

        assert ["'outside'" in sql for kind, sql in mine if kind == "table"] == [True], table
        assert 2 == sum(kind == "trigger" for kind, _ in mine), table


@pytest.mark.of_files
def test_a_table_with_rows_is_made_anew_like_an_empty_one(fresh: Callable[[], Store], tmp_path: Path) -> None:
    """What a store holds decides how a table gets its check, never what the store is afterwards."""
    place = tmp_path / "hub.db"
    connection = sqlite3.connect(place, isolation_level=None)
    connection.create_function("fold", 1, fold, deterministic=True)
    migrations.apply(Database(connection), stop_before="0007_outside")
    connection.execute(
        "INSERT INTO task (id, container_id, title, source_id, recorded_at, run_id) "
        "VALUES ('s:1', 's:c', 'kept', 's', '2026-01-01T00:00:00.000000Z', 1)"
    )
    connection.close()
    question = "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name"
    with Store.open(place) as old, fresh() as new:
        assert new.rows(question) == old.rows(question)
        assert [{"id": "s:1", "title": "kept"}] == old.rows("SELECT id, title FROM task")
