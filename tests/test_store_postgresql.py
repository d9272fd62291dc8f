"""A store in PostgreSQL: what only a server has, and that it holds and tells what a file does."""

from __future__ import annotations

import multiprocessing
import os
import re
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import tomllib
from collections.abc import Callable
from contextlib import closing, suppress
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
from engines import everything

from hub.cli.backups import _retell
from hub.errors import ConfigError, LockHeld, StoreBusy, StoreError
from hub.feed import BuildOptions, open_feed
from hub.feed.build import build
from hub.placement import fold
from hub.records import (
    BY_TABLE,
    Account,
    BudgetLine,
    Container,
    CustomValue,
    Person,
    PersonLink,
    Project,
    ProjectLink,
    Record,
    Task,
    Worklog,
)
from hub.store import Store, reading, rejections, subjects
from hub.store.engines import Engine, engine_of
from hub.store.moving import contents, move
from hub.sync import lock
from hub.tally import Rejection
from hub.testing import HubResult, store_image
from hub.testing.empty import store_at

SERVER = pytest.importorskip("hub_postgresql.testing.scratch", reason="pm-hub-postgresql is not installed")
if SERVER.programs() is None:
    pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)", allow_module_level=True)
pytest.importorskip("adbc_driver_postgresql", reason="adbc-driver-postgresql is not installed")
psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def server() -> Engine:
    """Return an empty store on a server."""
    found: Engine = SERVER.empty_store()
    return found


def things(title: str = "T") -> list[Record]:
    return [
        Project(id="config:P", code="P", name="Projet é", level="project"),
        ProjectLink(id="config:P/s:c", project_code="P", container_id="s:c", facets=""),
        Container(id="s:c", kind="jira", code="C", name="Été 🌞"),
        Account(id="s:a", display_name="Ann", email="ann@example.org"),
        *(
            Task(
                id=f"s:{n}", container_id="s:c", title=f"{title}{n} \"'%\\\t\n", percent=n / 3,
                estimate_s=2**40 + n, is_blocked=bool(n % 2) if n % 3 else None,
            )
            for n in range(40)
        ),
        *(
            Worklog(
                id=f"s:w{n}", task_id=f"s:{n % 40}", account_id="s:a", day=f"2026-0{1 + n % 9}-01", seconds=n
            )
            for n in range(300)
        ),
        BudgetLine(id="s:b", project_code="P", month="2026-01", kind="revised", category="x",
                   amount_minor=-5, currency="EUR"),
        CustomValue(id="s:v", row_id="s:1", field="f", number=0.1),
    ]  # fmt: skip


def filled(engine: Engine) -> list[str]:
    """Fill a store by several runs, with what left, what changed and what was sealed; gives its moments."""
    moments = []
    with store_at(engine.path) if engine.path else Store.open(engine) as store:
        store.register_source(
            "s", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
        )
        for turn, title in enumerate(("T", "U")):
            run = store.begin_run("s", "full")
            store.write_batch(things(title), run_id=run, source_id="s", cursor=("p", {"at": turn}))
            store.set_presence("task", [f"s:{turn}"], "deleted", "delete feed", run_id=run)
            store.end_run(run, "ok", tally={"met": 1})
            moments.append(store.rows("SELECT last FROM clock")[0]["last"])
        with store.transaction():
            store.audit("cut take", "C1", actor="ann", after="x")
    return moments


def feed_of(engine: Engine, folder: Path, **options: Any) -> dict[str, list[str]]:
    """Return the rows of each table of the feed, as text and sorted."""
    built = build(engine, folder, BuildOptions(**options)).folder
    with closing(open_feed(built)) as feed:
        tables = [
            row[0]
            for row in feed.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        ]
        own = {"meta_feed", "dim_run"}
        return {
            table: sorted(map(repr, feed.execute(f"SELECT * FROM {table}").fetchall()))
            for table in tables
            if table not in own
        }


# ---------- one store, two databases ----------


def test_a_store_comes_over_and_back(server: Engine, tmp_path: Path) -> None:
    """Every row of every table arrives, history too, and comes back as it left."""
    first, last = engine_of(tmp_path / "one" / "hub.db"), engine_of(tmp_path / "two.db")
    assert first.path is not None
    first.path.parent.mkdir()
    filled(first)

    there = move(first, server)
    back = move(server, last)

    assert there.tables == back.tables == contents(first) == contents(server) == contents(last)
    assert there.tables["task"].rows == 40
    assert there.tables["task_history"].rows == 42
    rows = []
    for path in (first.path, tmp_path / "two.db"):
        with closing(sqlite3.connect(path)) as plain:
            dump = [
                line
                for line in plain.iterdump()
                if line.startswith("INSERT") and "_sqlite_migrations" not in line
            ]
            rows.append(sorted(dump))
    assert rows[0] == rows[1]  # as SQLite itself writes them out


def test_a_number_of_a_rejection_is_given_once_wherever_the_store_goes(
    server: Engine, tmp_path: Path
) -> None:
    """The highest number is known after its row left, on a server, in a file, and back on a server."""

    def given(engine: Engine, *keys: str, run: int) -> list[int]:
        found = [Rejection(key=key, place=key, field="day", reason="is no day") for key in keys]
        with Store.open(engine) as store:
            rejections.keep(store, "s", "p", found, run_id=run)
            rejections.settle(store, "s", "p", run_id=run)
            return [one.id for one in rejections.rejected(store)]

    file = engine_of(tmp_path / "hub.db")
    back = engine_of(server.where.replace("=hub", "=again"), password=server.password)  # type: ignore[attr-defined]
    assert [1, 2] == given(server, "a", "b", run=1)
    assert [1, 3] == given(server, "a", "c", run=2)
    assert [1] == given(server, "a", run=3)
    move(server, file)
    assert [1, 4] == given(file, "a", "c", run=4)
    assert [] == given(file, run=5)
    move(file, back)
    assert [5] == given(back, "b", run=6)


def test_what_stood_in_the_way_is_kept(server: Engine, tmp_path: Path) -> None:
    """A store is never written over, of neither kind, and nothing is left of one that could not come."""
    one, two = engine_of(tmp_path / "one.db"), engine_of(tmp_path / "two.db")
    filled(one)
    filled(two)
    before = everything(two)

    with pytest.raises(ConfigError, match=r"a store at .*two\.db already"):
        move(one, two)
    assert before == everything(two)
    move(one, server)
    before = everything(server)
    with pytest.raises(ConfigError, match=r"a store at postgresql://.* already"):
        move(two, server)
    assert before == everything(server)


def test_a_value_that_does_not_fit_is_told_and_nothing_stays(server: Engine, tmp_path: Path) -> None:
    """SQLite lets a text into a column of numbers; PostgreSQL does not, and then keeps no row at all."""
    one = engine_of(tmp_path / "one.db")
    filled(one)
    with Store.open(one) as store:
        store.connection.execute("UPDATE worklog SET billable = 'perhaps' WHERE id = 's:w1'")

    with pytest.raises(StoreError, match=r"postgresql://.* answered: .*perhaps"):
        move(one, server)
    with Store.open(server) as store:
        assert [] == store.rows("SELECT id FROM task UNION ALL SELECT source_id FROM sync_run")


@pytest.mark.long
def test_the_feed_is_the_same(server: Engine, tmp_path: Path) -> None:
    """A feed of the copy has the rows of a feed of the file, now and as of each moment before."""
    one = engine_of(tmp_path / "one.db")
    moments = filled(one)
    move(one, server)

    for number, as_of in enumerate((None, *moments)):
        here = feed_of(one, tmp_path / f"a{number}", as_of=as_of)
        there = feed_of(server, tmp_path / f"b{number}", as_of=as_of)
        assert 20 < len(here)
        assert any(here["fact_worklog"])
        differing = {table for table in here if here[table] != there[table]}
        assert set() == differing


def test_both_learn_the_same_of_the_same_runs(server: Engine, tmp_path: Path) -> None:
    """The same batches give the same rows with the same keys, and the same counts, in either database."""
    one = engine_of(tmp_path / "one.db")
    told = []
    for engine in (one, server):
        filled(engine)
        with Store.open(engine) as store:
            keys = {table: store.rows(f"SELECT id, key FROM {table} ORDER BY id") for table in BY_TABLE}
            past = {table: len(store.rows(f"SELECT 1 FROM {table}_history")) for table in ("task", "worklog")}
            counts = store.rows("SELECT read, inserted, updated, unchanged, presence_changed FROM sync_run")
            told.append((store_image(store), keys, past, counts))

    assert told[0] == told[1]


def test_who_is_erased_is_erased_alike(server: Engine, tmp_path: Path) -> None:
    """Found, handed over, reported, taken off old lines and erased: the same rows in either database."""
    one = engine_of(tmp_path / "one.db")
    with store_at(tmp_path / "one.db") as store:
        run = store.begin_run("s", "full")
        people: list[Record] = [
            Person(id="config:ann", display_name="Ann Überall", email="ann@example.org", aliases="ann.u"),
            Person(id="config:bob", display_name="Bob Martin", email="bob@example.org", role="PM"),
            PersonLink(id="config:l1", account_id="s:a", person_id="config:ann", method="email", score=1.0,
                       state="accepted"),
            Account(id="s:a", display_name="Ann Überall", email="ann@example.org", login="annu"),
            Account(id="s:b", display_name="Bob Martin"),
        ]  # fmt: skip
        store.write_batch([*people, *things()], run_id=run, source_id="s", cursor=("people/annu", ["annu"]))
        store.write_batch(
            [
                Task(id="s:1", container_id="s:c", title="Ask ann überall, not Bob", assignee_id="s:a"),
                Account(id="s:a", display_name="Ann Überall", email="ann@new.org", login="annu"),
            ],
            run_id=run, source_id="s",
        )  # fmt: skip
        store.end_run(run, "partial", missing=["Ann Überall's hours"])
        store.audit("match accept", "s:a", actor="ann@example.org", before="Ann Überall")
    move(one, server)
    told = []
    for engine in (one, server):
        with Store.open(engine) as store:
            subject = subjects.find(store, "ANN@example.org")
            given = subjects.export(store, subject)
            texts = subjects.texts(store, subject)
            held = subjects.report(store)
            store.start_erasure(subject.marks, texts=True, actor="bob", accounts=subject.accounts)
            done = store.rewrite_erased()
            purged = subjects.purge(store, keep_months=1, actor="bob", today=date(2026, 12, 1))
            told.append((
                subject, {name: sorted(map(repr, rows)) for name, rows in given.items()}, texts, held, done,
                purged, store.cursors("s"), store_image(store),
                store.rows("SELECT action, actor, object, before FROM audit_log ORDER BY seq"),
            ))  # fmt: skip
        left = str(everything(engine)) if engine.path is None else engine.path.read_bytes().decode("latin-1")
        assert not re.search(r"ann@(example|new)|Überall|berall", left)

    assert told[0] == told[1]
    assert {"task", "account", "person", "worklog"} <= told[0][1].keys()
    assert told[0][4]["account"] == 1
    assert told[0][5]["worklog"] == 300


# ---------- what the two spell alike ----------


def test_letters_are_lowered_alike(server: Engine) -> None:
    """`fold` gives for every letter of Unicode what the function of that name gives in Python."""
    unknown = {0xD800 + n for n in range(0x800)} | {0}
    letters = [chr(n) for n in range(0x1F000) if n not in unknown]
    with Store.open(server) as store:
        said = dict(
            store.connection.execute(
                "SELECT letter, fold(letter) FROM unnest(?::text[]) AS of_all (letter)", (letters,)
            )
        )

    import unicodedata

    named = [one for one in letters if unicodedata.category(one) != "Cn"]  # unknown to this Python
    assert {} == {one: said[one] for one in named if said[one] != fold(one)}


def test_texts_compare_by_code_points(server: Engine) -> None:
    """Whatever the collation of the database, ids are in the order that SQLite has them in."""
    names = ["a", "B", "é", "Z", "z", "10", "9", "_", "s:1", "s:10", "s:2", "\U0010ffff", "ß", "ä"]
    with Store.open(server) as store:
        store.write_batch([Container(id=one, kind="x", name=one) for one in names], run_id=1, source_id="s")
        asked = [row["id"] for row in store.rows("SELECT id FROM container ORDER BY id")]

        assert sorted(names) == asked
        assert {"s:1", "s:10", "s:2"} == store.ids("container", "s:")


def test_letters_that_postgresql_has_not(server: Engine) -> None:
    """A text with the letter 0 or half of a pair is kept without it, in a batch and in a sentence."""
    with Store.open(server) as store:
        store.write_batch([Task(id="s:1", container_id="s:c", title="a\0b\ud800")], run_id=1, source_id="s")
        store.audit("x", "y", actor="z", reason="a\0b")

        assert [{"title": "ab\\ud800"}] == store.rows("SELECT title FROM task")
        assert [{"reason": "ab"}] == store.rows("SELECT reason FROM audit_log")


def test_a_store_of_an_earlier_hub_is_brought_here(server: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A schema that an earlier hub left becomes this one's, with its rows, keys and memory."""
    from hub.store.engines import schema

    with server.reader() as connection:
        wanted = _shape(connection)
    name = SERVER.scratch().database()
    earlier = engine_of(server.where.replace(server.where.split("/")[-1].split("?")[0], name),
                        password=server.password)  # type: ignore[attr-defined]  # fmt: skip
    raw = earlier.connect()
    every = schema.migrations._migrations
    with monkeypatch.context() as patch:
        patch.setattr(schema.migrations, "_migrations", every[:7])
        raw.execute("BEGIN")
        schema.bring_up(raw.raw, "hub", set())
        raw.execute(
            "INSERT INTO task (key, id, container_id, title, source_id, recorded_at, run_id) "
            "VALUES (7, 's:1', 's:c', 'kept', 's', '2026-01-01T00:00:00.000000Z', 1)"
        )
        raw.execute("UPDATE task SET title = 'now', recorded_at = '2026-01-02T00:00:00.000000Z'")
        raw.execute(
            "INSERT INTO rejection (id, source_id, partition, key, field, place, reason, first_seen, "
            "last_seen, run_id) VALUES (7, 's', 'p', 'a', 'day', 'a', 'is no day', '2026', '2026', 1)"
        )
        raw.execute("COMMIT")
    raw.close()

    with Store.open(earlier) as store:
        assert [{"key": 7, "title": "now", "notes": None}] == store.rows("SELECT key, title, notes FROM task")
        assert [{"title": "kept"}] == store.rows("SELECT title FROM task_history")
        store.write_batch([Task(id="s:2", container_id="s:c", title="new")], run_id=2, source_id="s")
        store.write_batch([Task(id="s:2", container_id="s:c", title="newer")], run_id=2, source_id="s")
        assert [{"key": 8, "title": "newer"}] == store.rows("SELECT key, title FROM task WHERE id = 's:2'")
        assert 2 == len(store.rows("SELECT 1 FROM task_history"))
        assert [{"rejection_no": 7}] == store.rows("SELECT rejection_no FROM clock")
        assert [] == store.engine.verify(store.connection)
    with earlier.reader() as connection:
        assert wanted == _shape(connection)


def _shape(connection: Any) -> list[tuple[Any, ...]]:
    """Return columns, checks, indexes and triggers as PostgreSQL's own catalogue tells them."""
    found = []
    for query in (
        """SELECT table_name, column_name, ordinal_position, data_type, collation_name, is_nullable,
            column_default FROM information_schema.columns WHERE table_schema = 'hub'""",
        """SELECT c.conrelid::regclass::text, c.contype::text, pg_get_constraintdef(c.oid)
            FROM pg_constraint c JOIN pg_namespace n ON n.oid = c.connamespace WHERE n.nspname = 'hub'""",
        "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'hub'",
        """SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid)
            FROM pg_trigger WHERE NOT tgisinternal""",
    ):
        found += sorted(map(repr, connection.execute(query)))
    return found


def test_memory_and_bolt_are_on_every_table(server: Engine) -> None:
    """Every table of records takes each presence, keeps old images and lets no row be deleted or cut off."""
    with Store.open(server) as store:
        run = store.connection.execute
        checks = dict(
            run(
                "SELECT c.conrelid::regclass::text, string_agg(pg_get_constraintdef(c.oid), ' ') "
                "FROM pg_constraint c WHERE c.contype = 'c' GROUP BY 1"
            )
        )
        assert [] == store.engine.verify(store.connection)
        for table in BY_TABLE:
            assert "'outside'" in checks[table], table
        store.write_batch([Task(id="s:1", container_id="s:c", title="x")], run_id=1, source_id="s")
        for forbidden in ("DELETE FROM task", "TRUNCATE task"):
            with pytest.raises(psycopg.IntegrityError, match="never physically deleted"):
                run(forbidden)
        run("DROP TRIGGER task_memory ON task")
        with pytest.raises(StoreError, match="task does not keep its older images"):
            store.verify()


# ---------- side by side ----------


def test_a_second_writer_waits_for_the_first(server: Engine) -> None:
    """Two hubs that write at once follow each other; who waits too long is told, and loses nothing."""
    with Store.open(server) as one, Store.open(server) as two:
        one.write_batch([Task(id="s:1", container_id="s:c", title="x")], run_id=1, source_id="s")
        two.connection.execute("SET lock_timeout = '200ms'")
        with one.transaction():
            one.save([Task(id="s:2", container_id="s:c", title="one")], run_id=1, source_id="s")
            with pytest.raises(StoreBusy, match="Another program writes to the store"):
                two.write_batch([Task(id="s:3", container_id="s:c", title="y")], run_id=2, source_id="s")
            # it reads what was there before, and does not wait for that
            assert ["s:1"] == [row["id"] for row in two.rows("SELECT id FROM task")]
        two.connection.execute("SET lock_timeout = '20s'")
        held = one.transaction()
        held.__enter__()
        one.save([Task(id="s:4", container_id="s:c", title="one")], run_id=1, source_id="s")
        waiting = threading.Thread(
            target=two.write_batch,
            args=([Task(id="s:5", container_id="s:c", title="two")],),
            kwargs={"run_id": 2, "source_id": "s"},
        )
        waiting.start()
        time.sleep(0.3)
        assert waiting.is_alive()
        held.__exit__(None, None, None)
        waiting.join(20)

        assert {"s:1": 1, "s:2": 2, "s:4": 3, "s:5": 4} == {
            row["id"]: row["key"] for row in two.rows("SELECT id, key FROM task")
        }


def test_a_feed_is_of_one_moment_while_another_hub_writes(server: Engine, tmp_path: Path) -> None:
    """Whatever is written while a feed reads, it has the rows of the moment at which it began."""
    filled(server)
    with Store.open(server) as store, server.snapshot() as stream:
        with stream("SELECT last FROM clock") as batches:
            begun = duckdb.connect().execute("SELECT last FROM batches").fetchone()
        store.write_batch(
            [Worklog(id=f"s:later{n}", day="2026-01-01", seconds=1) for n in range(50)],
            run_id=9,
            source_id="s",
        )
        with stream("SELECT id FROM worklog") as batches:  # noqa: F841
            seen = duckdb.connect().execute("SELECT count(*) FROM batches").fetchone()
        now = store.rows("SELECT last, (SELECT count(*) FROM worklog) AS n FROM clock")[0]

    assert (300, 350) == (seen and seen[0], now["n"])
    assert begun is not None
    assert begun[0] < now["last"]


def _writes(address: str, ready: Any) -> None:
    with Store.open(engine_of(address)) as store:
        ready.set()
        for turn in range(10_000):
            many = [Task(id=f"s:{n}", container_id="s:c", title=f"{turn}") for n in range(200)]
            store.write_batch(many, run_id=1, source_id="s", cursor=("p", turn))


@pytest.mark.long
@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
def test_a_killed_writer_leaves_whole_batches(
    server: Engine, monkeypatch: pytest.MonkeyPatch, proof: bool
) -> None:
    """Killed at any moment, a run leaves rows and cursor of one batch, and holds nobody up."""
    monkeypatch.setenv("PGPASSWORD", server.password.reveal())  # type: ignore[attr-defined]
    context = multiprocessing.get_context("spawn")
    for turn in range(12 if proof else 3):
        ready = context.Event()
        process = context.Process(target=_writes, args=(server.where, ready))
        process.start()
        assert ready.wait(60)
        time.sleep(0.02 + 0.11 * turn)
        assert process.pid
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        with Store.open(server) as store:
            titles = {row["title"] for row in store.rows("SELECT DISTINCT title FROM task")}
            marks = {str(value) for value in store.cursors("s").values()}
            # the next one writes at once: the server let go of the dead one's locks
            store.write_batch([Container(id=f"s:{turn}", kind="x", name="x")], run_id=1, source_id="s")

        assert titles == marks
        assert len(titles) <= 1


# ---------- who may ----------


@pytest.mark.long
def test_roles(server: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader sees all and changes nothing, a role of the feed less: by what administrator.md says."""
    filled(server)
    monkeypatch.delenv("PGPASSWORD", raising=False)
    with Store.open(server) as store:
        for role in ("pmo_reader", "pmo_feed"):
            with suppress(psycopg.errors.DuplicateObject):
                store.connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'for a test'")
        text = (Path(__file__).parents[1] / "docs" / "administrator.md").read_text(encoding="utf-8")
        said = text.partition("```sql\nGRANT CONNECT")[2].partition("```")[0]
        said = said.replace("FOR ROLE pmhub", "FOR ROLE hub")
        database = server.where.rpartition("/")[2].partition("?")[0]
        for statement in f"GRANT CONNECT{said}".replace("DATABASE reporting", f"DATABASE {database}").split(
            ";\n"
        ):
            if statement.strip():
                store.connection.execute(statement)
    monkeypatch.setenv("PGPASSWORD", "for a test")

    reader = engine_of(server.where.replace("//hub@", "//pmo_reader@"))
    assert not reader.may_write()
    with reading.opened(reader) as seen:
        assert 2 == len(seen.runs())
        assert [] == seen.held()
        with pytest.raises(StoreError, match=r"lacks a right.*GRANT"):
            seen.write_batch([Task(id="s:9", container_id="s:c", title="x")], run_id=1, source_id="s")
    feed = engine_of(server.where.replace("//hub@", "//pmo_feed@"))
    rows = feed_of(feed, tmp_path / "feed")
    assert 300 - 8 == len(rows["fact_worklog"])  # those of the task that was deleted
    with feed.reader() as connection:
        for secret in ("erasure_key", "audit_log"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(f"SELECT * FROM {secret}")


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("postgresql://me:hunter2@db/hub", "an address holds no password"),
        ("postgresql://db/hub", "the address is postgresql://account@host"),
        ("postgresql://me@db", "the address is postgresql://account@host"),
        ("postgresql://me@db:x/hub", "the address is postgresql://account@host"),
        ("postgresql://me@db/hub?sslmode=disable", "sslmode is nothing that an address says"),
        ("postgresql://me@db/hub?password=hunter2", "password is nothing that an address says"),
    ],
)
def test_addresses_that_are_refused(address: str, told: str) -> None:
    """What an address lacks, or must not hold, is told before anybody is asked, and shows no password."""
    with pytest.raises(ConfigError, match=told) as caught:
        engine_of(address)
    assert "hunter2" not in str(caught.value)


def test_a_remote_server_is_verified(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """To another machine nothing goes unencrypted or unverified, by psycopg and by ADBC alike."""
    asked: list[dict[str, Any]] = []

    def connect(**parameters: Any) -> Any:
        asked.append(parameters)
        raise psycopg.OperationalError("nobody there")

    monkeypatch.setattr(psycopg, "connect", connect)
    for address, mode, ca in (
        ("postgresql://me@db.example.org/hub", "verify-full", "system"),
        ("postgresql://me@db/hub?sslrootcert=ca.pem", "verify-full", str(tmp_path / "ca.pem")),
        ("postgresql://me@127.0.0.1/hub", "prefer", None),
        ("postgresql://me@/hub?host=/run/postgresql", "prefer", None),
    ):
        engine = engine_of(address, base=tmp_path)
        with pytest.raises(StoreError, match=r"cannot be reached.*nobody there"), engine.reader():
            pass
        assert (mode, ca) == (asked[-1]["sslmode"], asked[-1].get("sslrootcert"))


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    """A sentence says so, of the store and of the feed, and shows no password."""
    secret = tmp_path / "word"
    secret.write_text("hunter2")
    secret.chmod(0o600)
    from hub.secrets import Secret

    engine = engine_of("postgresql://me@127.0.0.1:1/hub", password=Secret("file", "word", tmp_path))
    for ask in (engine.exists, lambda: Store.open(engine)):
        with pytest.raises(StoreError, match="cannot be reached") as caught:
            ask()
        assert "hunter2" not in str(caught.value) + repr(engine.__dict__)


# ---------- the command line ----------


@pytest.fixture
def place(hub_folder: Path, server: Engine, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Engine]:
    """Return a folder whose configuration names a store on the server."""
    secret = hub_folder / "word"
    secret.write_text(server.password.reveal())  # type: ignore[attr-defined]
    secret.chmod(0o600)
    (hub_folder / "config" / "hub.toml").write_text(
        f'store = "{server.where}"\nstore_password = {{ file = "word" }}\n'
    )
    (hub_folder / "config" / "projects.csv").write_text("code;name;level\nP;Projet;project\n")
    return hub_folder, server


@pytest.mark.long
def test_the_hub_runs_on_it(place: tuple[Path, Engine], run_hub: Callable[..., HubResult]) -> None:
    """Sync, publish, status, doctor and what asks the store work as on a file; nothing shows the password."""
    folder, server = place
    told = []
    for command in (
        ("run",), ("status",), ("status", "--json"), ("store", "info"), ("rejections",), ("match", "review"),
        ("check",), ("store", "verify"), ("store", "vacuum"), ("store", "backup", "x.tar.gz"),
        ("upgrade",), ("doctor",),
    ):  # fmt: skip
        done = run_hub(*command)
        told.append(done.output + done.error)
        if command[0] not in {"doctor", "check"}:
            assert done.exit_code == 0, (command, told[-1])
    assert server.where in told[2]
    assert (folder / "data" / "feed" / "CURRENT").exists()
    assert not (folder / "data" / "hub.db").exists()
    assert server.password.reveal() not in "".join(told)  # type: ignore[attr-defined]
    assert "Traceback" not in "".join(told)


@pytest.mark.long
def test_a_store_is_copied_by_command(
    place: tuple[Path, Engine], run_hub: Callable[..., HubResult], tmp_path: Path
) -> None:
    """Out of the server into a file, and into another schema, with what was proven."""
    run_hub("sync")
    _, server = place

    out = run_hub("store", "copy", "sqlite:///data/out.db")
    again = run_hub("store", "copy", "sqlite:///data/out.db", server.where.replace("=hub", "=second"))
    twice = run_hub("store", "copy", "sqlite:///data/out.db")

    assert (0, 0, 2) == (out.exit_code, again.exit_code, twice.exit_code), out.error + again.error
    assert "row by row" in out.output
    second = engine_of(server.where.replace("=hub", "=second"), password=server.password)  # type: ignore[attr-defined]
    assert contents(server) == contents(engine_of(Path("data/out.db").resolve())) == contents(second)


@pytest.mark.long
def test_a_copy_of_a_place_leaves_its_server_alone(
    place: tuple[Path, Engine], run_hub: Callable[..., HubResult], tmp_path: Path
) -> None:
    """A test place has cuts, seals and settings of its own, and a store in a file or on another server.

    A run in it writes nothing where production stands.
    """
    folder, server = place
    filled(server)
    config = folder / "config" / "hub.toml"
    config.write_text(f"# {{ top }}\n{config.read_text()}environment = 'prod'\n[gate]\nkeep_feeds = 3\n")
    (folder / "config" / "project_links.csv").write_text("project_code;source;container;facets\nP;s;s:c;\n")
    for command in (
        ("publish",), ("cut", "take", "--label", "One"), ("cut", "close", "One"), ("close", "2026-01"),
    ):  # fmt: skip
        assert run_hub(*command).exit_code in {0, 3}, command
    held, before = contents(server), everything(server)
    there = server.where.replace("=hub", "=beside")

    plain = run_hub("store", "copy", str(tmp_path / "file"), "--environment", "try")
    other = run_hub("store", "copy", str(tmp_path / "server"), there)
    taken = run_hub("store", "copy", str(tmp_path / "again"), there)
    onto = run_hub("store", "copy", str(tmp_path / "again"), "sqlite:///data/x.db")

    assert (0, 0, 2, 2) == (plain.exit_code, other.exit_code, taken.exit_code, onto.exit_code), (
        plain.error + other.error + taken.error
    )
    assert "There is a store at" in taken.error
    assert "name the folder alone" in onto.error
    assert [] == list((tmp_path / "again").iterdir())
    told = {
        name: tomllib.loads((tmp_path / name / "config" / "hub.toml").read_text())
        for name in ("file", "server")
    }
    gate = {"gate": {"keep_feeds": 3}}
    assert {"environment": "try", "store": "sqlite:///data/hub.db", **gate} == told["file"]
    assert {"environment": "test", "store": there, "store_password": {"file": "word"}, **gate} == told[
        "server"
    ]
    assert "word" in other.output
    assert not (tmp_path / "server" / "data" / "hub.db").exists()
    second = engine_of(there, password=server.password)  # type: ignore[attr-defined]
    assert held == contents(engine_of(tmp_path / "file" / "data" / "hub.db")) == contents(second)
    (tmp_path / "server" / "word").write_text(server.password.reveal())  # type: ignore[attr-defined]
    (tmp_path / "server" / "word").chmod(0o600)
    for name in told:
        beside = ("--config", str(tmp_path / name / "config" / "hub.toml"))
        assert 0 == run_hub(*beside, "store", "verify").exit_code
        assert run_hub(*beside, "run").exit_code in {0, 3}
        assert (tmp_path / name / "data" / "cuts" / "1").is_dir()
    assert before == everything(server)
    assert contents(second) != held


@pytest.mark.parametrize(
    "text",
    [
        "store = 'postgresql://a@h/d' # x\n[gate]\nstore = 1\n",
        "[gate]\nenvironment = 'x'",
        "",
        '"store" = "a"',
    ],
)
def test_what_a_copy_says_of_itself(tmp_path: Path, text: str) -> None:
    """Only what is told is another in a copy's configuration; where that cannot be, nothing is changed."""
    path = tmp_path / "hub.toml"
    path.write_text(text)
    told = {"environment": 'a "b" \\', "store": "sqlite:///data/hub.db", "store_password": None}
    if text.startswith('"'):
        with pytest.raises(ConfigError, match=r"hub\.toml cannot be changed for the copy"):
            _retell(path, told)
        assert text == path.read_text()
        return
    _retell(path, told)

    wanted = {**tomllib.loads(text), "environment": 'a "b" \\', "store": "sqlite:///data/hub.db"}
    assert wanted == tomllib.loads(path.read_text())


# ---------- what an administrator asks of it ----------


@pytest.mark.long
def test_a_backup_of_a_server_is_restored_equal(
    place: tuple[Path, Engine], run_hub: Callable[..., HubResult], tmp_path: Path
) -> None:
    """A backup made while another hub writes is of one moment; what a restore makes of it equals the store.

    And brought into another schema of the server it equals it there, row by row, history included.
    """
    folder, server = place
    filled(server)
    assert run_hub("publish").exit_code in {0, 3}
    stop, turns = threading.Event(), []

    def writes() -> None:
        with Store.open(server) as store:
            while not stop.is_set():
                turns.append(len(turns))
                many = [Task(id=f"s:{n}", container_id="s:c", title=f"{turns[-1]}") for n in range(200)]
                store.write_batch(many, run_id=1, source_id="s", cursor=("p", turns[-1]))

    writer = threading.Thread(target=writes)
    writer.start()
    try:
        while len(turns) < 3:
            time.sleep(0.01)
        busy = run_hub("store", "backup", str(tmp_path / "busy.tar.gz"))
    finally:
        stop.set()
        writer.join(30)
    calm = run_hub("store", "backup", str(tmp_path / "calm.tar.gz"))
    for name, done in (("busy", busy), ("calm", calm)):
        assert 0 == done.exit_code, done.error
        assert 0 == run_hub("store", "verify", str(tmp_path / f"{name}.tar.gz")).exit_code
        back = run_hub("store", "restore", str(tmp_path / f"{name}.tar.gz"), "--to", str(tmp_path / name))
        assert 0 == back.exit_code, back.error
        assert f"It was that of {server.where}" in back.output
    with closing(sqlite3.connect(tmp_path / "busy" / "data" / "hub.db")) as plain:
        # one batch and its mark, whole: as it was at one moment of the writing
        titles = {row[0] for row in plain.execute("SELECT DISTINCT title FROM task")}
        marks = {row[0] for row in plain.execute("SELECT value FROM cursor")}
        assert titles == marks
    assert contents(server) == contents(engine_of(tmp_path / "calm" / "data" / "hub.db"))
    assert not list(folder.glob("data/.backup-*"))
    there = server.where.replace("=hub", "=again")
    copied = run_hub("store", "copy", f"sqlite:///{tmp_path}/calm/data/hub.db", there)
    assert 0 == copied.exit_code, copied.error
    assert contents(server) == contents(engine_of(there, password=server.password))  # type: ignore[attr-defined]


DAMAGE = {
    "ALTER TABLE task DISABLE TRIGGER task_memory": "table task does not keep its older images",
    "ALTER TABLE task ALTER COLUMN title TYPE varchar(9999)": "column title of task is not what",
    "ALTER TABLE worklog DROP CONSTRAINT worklog_presence_check": "of worklog is not what this version makes",
    "ALTER TABLE task DROP CONSTRAINT task_id_key": "UNIQUE \\(id\\) of task is not what",
    "CREATE OR REPLACE FUNCTION hub.task_memory() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RETURN NULL; END $$": "function task_memory .*is not what",
    "UPDATE task_history SET superseded_at = '2030-01-01' WHERE id = 's:7'": "1 older image of task overlaps",
    "UPDATE task_history SET key = 999 WHERE id = 's:7'": "1 older image of task is of no row",
    "UPDATE clock SET last = '2020-01-01T00:00:00.000000Z'": "rows of task are later than the clock",
    "DELETE FROM source": "2 rows of sync_run name what is not there",
    "DELETE FROM hub._sqlite_migrations WHERE name = '0014_rejection_numbers'": "earlier version .*0014_rej",
    "UPDATE period_line SET seconds = seconds + 1": "the sealed month 2026-01 keeps were altered",
}


@pytest.mark.long
def test_damage_on_a_server_is_told(place: tuple[Path, Engine], run_hub: Callable[..., HubResult]) -> None:
    """Whatever was taken from a store of what it promises, `hub store verify` names; a whole one is whole."""
    folder, server = place
    filled(server)
    (folder / "config" / "project_links.csv").write_text("project_code;source;container;facets\nP;s;s:c;\n")
    closed = run_hub("close", "2026-01")
    assert 0 == closed.exit_code, closed.output + closed.error
    whole = run_hub("store", "verify", "--json")
    assert 0 == whole.exit_code, whole.output
    for statement, told in DAMAGE.items():
        name = SERVER.scratch().database()
        mine = server.where.rpartition("/")[2].partition("?")[0]
        with SERVER.scratch().connect("postgres") as raw:
            raw.execute(f"DROP DATABASE {name}")
            raw.execute(f"CREATE DATABASE {name} TEMPLATE {mine}")
        with SERVER.scratch().connect(name) as raw:
            raw.execute(f"SET search_path = hub; {statement}")
        config = (folder / "config" / "hub.toml").read_text()
        (folder / "config" / "hub.toml").write_text(config.replace(f"/{mine}?", f"/{name}?"))
        found = run_hub("store", "verify")
        (folder / "config" / "hub.toml").write_text(config)

        assert 1 == found.exit_code, (statement, found.output)
        assert re.search(told, " ".join(found.output.split())), (statement, found.output)


def test_a_vacuum_frees_the_room_of_dead_rows(
    place: tuple[Path, Engine], run_hub: Callable[..., HubResult]
) -> None:
    """Dead rows are gone by the server's own count, its planner knows the rows; --full gives room back."""
    folder, server = place
    with Store.open(server) as store:
        for turn in range(6):
            many = [Task(id=f"s:{n}", container_id="s:c", title=f"{turn}" * 80) for n in range(2000)]
            store.write_batch(many, run_id=1, source_id="s")
    seen = (
        "SELECT c.reltuples::bigint, pg_table_size(c.oid) FROM pg_class c WHERE c.oid = 'hub.task'::regclass"
    )

    plain = run_hub("store", "vacuum")
    with server.reader() as connection:
        rows, before = connection.execute(seen).fetchone()
        for _ in range(100):  # before PostgreSQL 15 a process of its own counts, a moment later
            dead = connection.execute("SELECT pg_stat_get_dead_tuples('hub.task'::regclass)").fetchone()[0]
            if not dead:
                break
            time.sleep(0.05)
    full = run_hub("store", "vacuum", "--full")
    with server.reader() as connection:
        _, after = connection.execute(seen).fetchone()

    assert (0, 0) == (plain.exit_code, full.exit_code), plain.error + full.error
    assert (2000, 0) == (rows, dead)
    assert after < before / 3
    with (folder / "config" / "hub.toml").open("a") as config:
        config.write("[retention]\nhistory_months = 1\n")
    assert "hub store prune" not in run_hub("store", "vacuum").output
    with Store.open(server) as store, store.transaction():
        store.connection.execute("UPDATE task_history SET superseded_at = '2020-01-02T00:00:00.000000Z'")
    assert "lets 10,000 rows go" in run_hub("store", "vacuum").output
    with Store.open(server) as store:
        run = store.connection.execute
        with suppress(psycopg.errors.DuplicateObject):
            run("CREATE ROLE pmo_writer LOGIN PASSWORD 'for a test'")
        run("GRANT USAGE, CREATE ON SCHEMA hub TO pmo_writer")
        run("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA hub TO pmo_writer")
    (folder / "word").write_text("for a test")
    config_text = (folder / "config" / "hub.toml").read_text().replace("//hub@", "//pmo_writer@")
    (folder / "config" / "hub.toml").write_text(config_text)
    other = run_hub("store", "vacuum")
    assert 3 == other.exit_code, other.error
    assert "belong to another account" in other.output


@pytest.mark.long
def test_an_upgrade_of_a_server_is_told(
    place: tuple[Path, Engine], run_hub: Callable[..., HubResult]
) -> None:
    """Nothing waits on a store of this version; of an earlier one it is said what, and nothing is touched."""
    _, server = place
    assert "is of this version" in run_hub("upgrade", "--check").output
    with SERVER.scratch().connect(server.where.rpartition("/")[2].partition("?")[0]) as raw:
        raw.execute(
            "ALTER TABLE hub.clock DROP COLUMN rejection_no, DROP COLUMN hub; "
            "DELETE FROM hub._sqlite_migrations WHERE name IN ('0014_rejection_numbers', '0015_hub')"
        )
    before = everything(server)

    check = run_hub("upgrade", "--check")
    assert 0 == check.exit_code, check.error
    assert "0014_rejection_numbers" in check.output
    assert "pg_dump --schema=hub" in check.output
    assert before == everything(server)
    done = run_hub("upgrade")
    assert 0 == done.exit_code, done.error
    assert 0 == run_hub("store", "verify").exit_code


def test_no_driver_is_loaded_for_a_file(tmp_path: Path) -> None:
    """A hub whose store is a file starts without psycopg."""
    code = (
        "import sys, hub.cli.main, hub.store, hub.store.reading\nfrom hub.store import Store\n"
        f"Store.open({str(tmp_path / 'hub.db')!r}).close()\nprint('psycopg' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert "False" == said.stdout.strip()


def test_who_holds_the_lock_is_named(server: Engine) -> None:
    """A run is refused with process, account and machine of the other, as with a file."""
    with (
        lock(server),
        pytest.raises(LockHeld, match=rf"process {os.getpid()} of hub on .*, since 20"),
        lock(server),
    ):
        pass
    with lock(server):
        pass
