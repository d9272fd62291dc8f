"""Servers as companies have them: what others set, may, put between and made, and what rows then come to."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import duckdb
import pytest

from hub import server_parameters
from hub.errors import LockHeld, StoreError
from hub.records import CustomValue, Person, Record, Task, Worklog
from hub.store import Store, subjects
from hub.store.engines import Engine, engine_of
from hub.store.moving import contents, move
from hub.store.whole import look_through
from hub.sync import lock
from hub.testing import HubResult

SERVER = pytest.importorskip("hub_postgresql.testing.scratch", reason="pm-hub-postgresql is not installed")
if SERVER.programs() is None:
    pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)", allow_module_level=True)
pytest.importorskip("adbc_driver_postgresql", reason="adbc-driver-postgresql is not installed")
psycopg = pytest.importorskip("psycopg")


@pytest.fixture
def server() -> Engine:
    """Return an empty store on a server, in a database of its own."""
    found: Engine = SERVER.empty_store()
    return found


def database_of(engine: Engine) -> str:
    return engine.where.rpartition("/")[2].partition("?")[0]


def administer(engine: Engine, *statements: str) -> None:
    """Do as those who look after the server may."""
    with SERVER.scratch().connect(database_of(engine)) as raw:
        for statement in statements:
            raw.execute(statement.replace("{database}", database_of(engine)))


def at(engine: Engine, **parts: Any) -> Engine:
    """Return the store of *engine* by another address."""
    name = parts.get("database", database_of(engine))
    user, port = parts.get("user", "hub"), parts.get("port", SERVER.scratch().port)
    url = f"postgresql://{user}@127.0.0.1:{port}/{name}?schema={parts.get('schema', 'hub')}"
    return engine_of(url, password=engine.password)  # type: ignore[attr-defined]


def role(engine: Engine, name: str, *rights: str) -> Engine:
    """Return the store as an account of its own sees it, with the password of all."""
    word = SERVER.scratch().password
    with SERVER.scratch().connect(database_of(engine)) as raw:
        if not raw.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone():
            raw.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{word}'")
    administer(engine, *rights)
    return at(engine, user=name)


def write(engine: Engine, *records: Record) -> None:
    with Store.open(engine) as store:
        store.write_batch(records, run_id=1, source_id="s")


def tasks(*titles: str) -> list[Record]:
    return [Task(id=f"s:{n}", container_id="s:c", title=one, percent=100 / 3) for n, one in enumerate(titles)]


# ---------- what a database was given ----------

SETTINGS = {
    "timezone": "Asia/Kolkata", "datestyle": "German, DMY", "intervalstyle": "sql_standard",
    "search_path": "public", "standard_conforming_strings": "off", "extra_float_digits": "-3",
    "quote_all_identifiers": "on", "transform_null_equals": "on", "bytea_output": "escape",
    "default_transaction_isolation": "serializable", "default_transaction_deferrable": "on",
    "lock_timeout": "1ms", "statement_timeout": "300ms", "idle_in_transaction_session_timeout": "300ms",
}  # fmt: skip
"""What an administrator may set for a database: postgresql.org/docs/current/runtime-config-client.html."""


@pytest.fixture
def strict(server: Engine) -> Engine:
    """Return a store whose database was given all of `SETTINGS`."""
    administer(server, *(f"ALTER DATABASE {{database}} SET {name} = {_word(name)}" for name in SETTINGS))
    return server


def _word(name: str) -> str:
    return SETTINGS[name] if "," in SETTINGS[name] else f"'{SETTINGS[name]}'"


def test_what_a_database_was_given_changes_nothing(strict: Engine, tmp_path: Path) -> None:
    """Rows, memory, copies, checks and the types of the feed are those of a file, whatever was set."""
    file = engine_of(tmp_path / "one.db")
    for engine in (file, strict):
        for titles in (("a\\b'c %", "é\tü"), ("a\\b'c %", "other")):
            write(engine, *tasks(*titles), CustomValue(id="s:v", row_id="s:1", field="f", number=0.1 + 0.2))
    with strict.snapshot() as stream, stream("SELECT id, percent, key FROM task ORDER BY id") as batches:
        time.sleep(0.35)  # longer than a transaction may be idle
        read = duckdb.connect().execute("SELECT * FROM batches").fetchall()
        del batches

    with Store.open(file) as one, Store.open(strict) as two:
        for table in ("task", "custom_value"):
            assert one.snapshot(table) == two.snapshot(table)
        assert ["é\tü"] == [row["title"] for row in two.rows("SELECT title FROM task_history")]
    assert [("s:0", 100 / 3, 1), ("s:1", 100 / 3, 2)] == read
    assert move(strict, engine_of(tmp_path / "two.db")).tables == contents(strict)
    assert () == look_through(strict).faults


def test_who_waits_for_a_writer_sees_what_it_wrote(strict: Engine) -> None:
    """Also where transactions are serializable by default: it began before the other one ended."""
    with Store.open(strict) as one, Store.open(strict) as two:
        waiting = threading.Thread(
            target=two.write_batch, args=(tasks("b"),), kwargs={"run_id": 2, "source_id": "s"}
        )
        with one.transaction():
            one.save([Task(id="s:9", container_id="s:c", title="a")], run_id=1, source_id="s")
            waiting.start()
            time.sleep(0.4)
            assert waiting.is_alive()
        waiting.join(20)

        assert {"s:9": 1, "s:0": 2} == {row["id"]: row["key"] for row in two.rows("SELECT id, key FROM task")}


def test_rows_that_a_policy_hides_are_an_error(server: Engine) -> None:
    """A figure of some rows would pass for one of all."""
    write(server, *tasks("a", "b"))
    reader = role(
        server, "pmo_narrow", "GRANT USAGE ON SCHEMA hub TO pmo_narrow",
        "GRANT SELECT ON ALL TABLES IN SCHEMA hub TO pmo_narrow",
        "ALTER TABLE hub.task ENABLE ROW LEVEL SECURITY",
        "CREATE POLICY few ON hub.task USING (id = 's:0')",
    )  # fmt: skip

    with pytest.raises(StoreError, match=r"lacks a right.*row-level security"):
        contents(reader)
    with pytest.raises(Exception, match="row-level security"), reader.snapshot() as stream:
        stream("SELECT id FROM task").__enter__()
    assert 2 == contents(server)["task"].rows  # its owner is not narrowed


def test_a_database_that_only_reads(server: Engine) -> None:
    """A write is refused with what to do; reading goes on."""
    write(server, *tasks("a"))
    administer(server, "ALTER DATABASE {database} SET default_transaction_read_only = on")

    for ask in (lambda: write(server, *tasks("b")), server.standing):
        with pytest.raises(StoreError, match=r"can only be read.*standby"):
            ask()
    assert 1 == contents(server)["task"].rows
    assert not server.may_write()


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_a_database_without_all_letters(server: Engine, encoding: str) -> None:
    """It is refused before anything is made in it."""
    name = f"in_{encoding.lower()}"
    with SERVER.scratch().connect("postgres") as raw:
        by = "LOCALE_PROVIDER libc" if raw.info.server_version >= 150_000 else ""  # a new word of 15
        raw.execute(f"CREATE DATABASE {name} ENCODING '{encoding}' LOCALE 'C' {by} TEMPLATE template0")

    there = at(server, database=name)
    for ask in (there.standing, lambda: Store.open(there)):
        with pytest.raises(StoreError, match=f"is in {encoding}, which has no letters"):
            ask()
    with SERVER.scratch().connect(name) as raw:
        assert [] == raw.execute("SELECT 1 FROM pg_namespace WHERE nspname = 'hub'").fetchall()


# ---------- what lies between ----------


@pytest.fixture
def pooled(server: Engine) -> Iterator[Callable[[str], Engine]]:
    """Return what gives the store through a pool, by ``transaction`` or ``session``."""
    pools = []

    def through(by: str) -> Engine:
        pools.append(SERVER.Pool(SERVER.scratch(), database_of(server), by=by))
        return at(server, port=pools[-1].port)

    yield through
    for pool in pools:
        pool.close()


def test_a_pool_of_transactions_is_told(pooled: Callable[[str], Engine], server: Engine) -> None:
    """No lock holds there; a pool of whole sessions is a server like any other."""
    with pytest.raises(StoreError, match=r"another session .*pool_mode = session"):
        Store.open(pooled("transaction"))
    with pytest.raises(StoreError, match="another session"):
        pooled("transaction").exists()
    whole = pooled("session")
    with lock(whole):
        write(whole, *tasks("a"))
        with pytest.raises(LockHeld), lock(server):
            pass
    assert 1 == contents(server)["task"].rows


def test_a_lock_that_the_server_let_go_of(server: Engine) -> None:
    """A run whose connection was ended, which another run then need not wait for, writes nothing more."""
    with Store.open(server) as store, lock(server):
        store.write_batch(tasks("a"), run_id=1, source_id="s")
        administer(
            server,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = '{database}' AND application_name LIKE 'pm-hub %@%'",
        )
        time.sleep(0.2)  # it takes the server a moment
        with pytest.raises(StoreError, match="nothing more is written"):
            store.write_batch(tasks("b"), run_id=1, source_id="s")
        with lock(at(server)), pytest.raises(StoreError, match="nothing more is written"):
            store.write_batch(tasks("c"), run_id=1, source_id="s")


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("57014", "ended a statement"),  # query_canceled
        ("40001", "ended a statement"),  # serialization_failure: a conflict with recovery on a standby
        ("53400", "ended a statement"),  # configuration_limit_exceeded: temp_file_limit
        ("53200", "ended a statement"),  # out_of_memory
        ("53100", "The disk that holds"),  # disk_full
        ("55P03", "Another program writes"),  # lock_not_available
        ("25006", "can only be read"),  # read_only_sql_transaction
        ("54000", "longer than"),  # program_limit_exceeded
        ("42501", "lacks a right"),  # insufficient_privilege
        ("XX001", "answered"),  # data_corrupted
    ],
)
def test_what_a_server_says_is_a_sentence(server: Engine, code: str, told: str) -> None:
    """By the code of the error, in whichever language the server speaks: appendix A of its manual."""
    raised = f"DO $$ BEGIN RAISE EXCEPTION USING ERRCODE = '{code}', MESSAGE = 'désolé'; END $$"
    with pytest.raises(StoreError, match=told), Store.open(server) as store:
        store.connection.execute(raised)


def test_why_a_connection_was_ended(server: Engine) -> None:
    """The server's own word is told, in a transaction and beside, and nothing of the batch is kept."""

    def within(store: Store) -> None:
        with store.transaction():
            store.save(tasks("a"), run_id=1, source_id="s")
            end_all(server)
            store.save(tasks("b"), run_id=1, source_id="s")

    def rehearsed(store: Store) -> None:
        with store.rehearsal():
            end_all(server)
            store.save(tasks("b"), run_id=1, source_id="s")

    def beside(store: Store) -> None:
        end_all(server)
        store.ids("task", "s:")  # by a connection of its own
        store.cursors("s")

    for act in (within, rehearsed, beside):
        with pytest.raises(StoreError, match="administrator command"), Store.open(server) as store:
            act(store)
    assert 0 == contents(server)["task"].rows


def end_all(server: Engine) -> None:
    administer(
        server,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = '{database}' AND application_name = 'pm-hub'",
    )
    time.sleep(0.2)  # it takes the server a moment


@pytest.mark.parametrize(
    ("host", "mode"),
    [
        ("127.0.0.1", "prefer"), ("::1", "prefer"), ("localhost", "prefer"), ("/run/postgresql", "prefer"),
        ("127.0.0.1,db.example.org", "verify-full"), ("/run/postgresql,db.example.org", "verify-full"),
        ("127.example.org", "verify-full"), ("localhost.example.org", "verify-full"),
        ("db1.example.org,db2.example.org", "verify-full"), ("10.0.0.1", "verify-full"),
    ],
)  # fmt: skip
def test_only_this_machine_is_reached_without_a_certificate(host: str, mode: str) -> None:
    """A name or a list that begins like this machine is another one."""
    asked = server_parameters(host, None, port=1, database="d", user="u", password=None)

    assert mode == asked["sslmode"]
    assert ("read-write" if "," in host else None) == asked.get("target_session_attrs")


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me@[::1]:5433/db?schema=hub",
        "postgresql://a%40b@db.example.org:5432/my%2Fdb?schema=My-Hub",
        "postgresql://me@:5432/db?host=/run/postgresql&schema=hub",
        "postgresql://me@one,two:5432/db?schema=a%20b%26c",
    ],
)
def test_an_address_is_told_as_it_is_read(address: str) -> None:
    """What names a store in sentences can be written into hub.toml as it stands."""
    assert address == engine_of(address).where == engine_of(engine_of(address).where).where


@pytest.mark.parametrize("schema", ["My-Hub", 'q"x', "{schema}'%"])
def test_a_schema_of_any_name(server: Engine, schema: str) -> None:
    """It is made, written, read by both drivers, and found as it was made."""
    there = at(server, schema=quote(schema))
    write(there, *tasks("a"))
    write(there, *tasks("b"))

    with there.snapshot() as stream, stream("SELECT title FROM task") as batches:
        assert [("b",)] == duckdb.connect().execute("SELECT * FROM batches").fetchall()
        del batches
    assert [] == there.differences()
    assert there.may_write()


# ---------- what others may, and made ----------


def test_a_copy_by_an_account_that_may_not_read_all(server: Engine, tmp_path: Path) -> None:
    """It is refused: a copy without a table would pass for the whole store."""
    write(server, *tasks("a"))
    reader = role(
        server, "pmo_some", "GRANT USAGE ON SCHEMA hub TO pmo_some",
        "GRANT SELECT ON ALL TABLES IN SCHEMA hub TO pmo_some", "REVOKE ALL ON hub.audit_log FROM pmo_some",
    )  # fmt: skip

    for ask in (lambda: move(reader, engine_of(tmp_path / "two.db")), lambda: contents(reader)):
        with pytest.raises(StoreError, match=r"lacks a right.*audit_log"):
            ask()
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("rights", "lacks"),
    [
        (["GRANT SELECT ON ALL TABLES IN SCHEMA hub TO pmo_run"], "INSERT, UPDATE, DELETE ON ALL TABLES"),
        (["REVOKE TEMP ON DATABASE {database} FROM PUBLIC"], "TEMP ON DATABASE"),
        (["DROP SCHEMA hub CASCADE"], "There is no schema hub"),
        (["DROP SCHEMA hub CASCADE", "CREATE SCHEMA hub", "GRANT USAGE ON SCHEMA hub TO pmo_run"],
         "CREATE ON SCHEMA"),
    ],
)  # fmt: skip
def test_a_right_that_a_run_would_miss(server: Engine, rights: list[str], lacks: str) -> None:
    """`hub check` names it before a run does; nothing is made meanwhile."""
    runner = role(server, "pmo_run", "GRANT USAGE ON SCHEMA hub TO pmo_run", *rights)

    with pytest.raises(StoreError, match=lacks):
        runner.standing()
    assert not runner.may_write()


def test_a_check_and_a_doctor_of_a_server(
    hub_folder: Path, server: Engine, run_hub: Callable[..., HubResult]
) -> None:
    """Which server it is, and what is wrong with it; a password that is not right calls for no restore."""
    word = hub_folder / "word"
    word.write_text(SERVER.scratch().password)
    word.chmod(0o600)
    config = f'store = "{server.where}"\nstore_password = {{ file = "word" }}\n'
    (hub_folder / "config" / "hub.toml").write_text(config)
    with SERVER.scratch().connect(database_of(server)) as raw:
        (version,) = raw.execute("SHOW server_version").fetchone()
    fine = run_hub("check")
    administer(server, "ALTER DATABASE {database} SET default_transaction_read_only = on")
    closed = run_hub("check")
    looked = run_hub("status")
    word.write_text("hunter2")
    refused = run_hub("doctor", "--offline")

    assert (0, 1, 0, 1) == (fine.exit_code, closed.exit_code, looked.exit_code, refused.exit_code)
    assert f"PostgreSQL {version}" in " ".join(fine.output.split())
    assert "can only be read" in closed.output
    assert "cannot be reached" in refused.output
    assert "from a copy" not in refused.output
    assert "hunter2" not in refused.output + refused.error


def test_what_others_made_in_the_schema(server: Engine, tmp_path: Path) -> None:
    """Their views are none of the store's tables; a view on a table that an upgrade makes anew is told."""
    write(server, *tasks("a"))
    administer(
        server, "CREATE VIEW hub.report AS SELECT id, now() AS at, 1.5::numeric AS n FROM hub.task",
        "CREATE MATERIALIZED VIEW hub.days AS SELECT current_date AS day",
    )  # fmt: skip

    assert move(server, engine_of(tmp_path / "two.db")).tables == contents(server)
    with Store.open(server) as store:
        store.compact()
    assert () == look_through(server).faults
    administer(
        server, "CREATE VIEW hub.clocks AS SELECT last FROM hub.clock",
        "DELETE FROM hub._sqlite_migrations WHERE name = '0015_hub'",
        "ALTER TABLE hub.clock DROP COLUMN hub",
    )  # fmt: skip
    with pytest.raises(StoreError, match=r"What others made stands on .*view clocks depends"):
        Store.open(server)


def test_rights_outlive_an_upgrade(server: Engine) -> None:
    """A table that is made anew is read by whom it was read before, and by nobody else."""
    role(server, "pmo_old", "GRANT USAGE ON SCHEMA hub TO pmo_old", "GRANT SELECT ON hub.clock TO pmo_old")
    role(
        server, "pmo_new", "ALTER DEFAULT PRIVILEGES IN SCHEMA hub GRANT ALL ON TABLES TO pmo_new",
        "GRANT UPDATE ON hub.clock TO pmo_old WITH GRANT OPTION",
        "DELETE FROM hub._sqlite_migrations WHERE name = '0015_hub'",
        "ALTER TABLE hub.clock DROP COLUMN hub",
    )  # fmt: skip
    asked = (
        "SELECT grantee, privilege_type, is_grantable FROM information_schema.role_table_grants "
        "WHERE table_schema = 'hub' AND table_name = 'clock' AND grantee <> 'hub' ORDER BY 1, 2"
    )
    with server.reader() as connection:
        before = connection.execute(asked).fetchall()
    Store.open(server).close()

    with server.reader() as connection:
        assert before == connection.execute(asked).fetchall()
    assert [("pmo_old", "SELECT", "NO"), ("pmo_old", "UPDATE", "YES")] == before


# ---------- texts and numbers ----------


def test_a_long_text_loses_who_is_erased(server: Engine) -> None:
    """PostgreSQL looks up 2,704 bytes at most; a text that names somebody may be longer."""
    words = [f"{n * 7919 % 99991:x}" for n in range(4000)]
    person = Person(id="config:ann", display_name="Ann Xyz", email="ann@example.org")
    notes = " ".join([*words, "Ann Xyz", *reversed(words)])
    write(server, person, Task(id="s:1", container_id="s:c", title="t", notes=notes))
    with Store.open(server) as store:
        subject = subjects.find(store, "ann@example.org")
        store.start_erasure(subject.marks, texts=True, actor="bob", accounts=subject.accounts)
        store.rewrite_erased()
        (row,) = store.rows("SELECT notes FROM task")

    assert notes.partition("Ann")[0] == row["notes"][: notes.index("Ann")]
    assert "Xyz" not in row["notes"]


@pytest.mark.parametrize(
    "who", ["Élodie Martin", "élodie martin", "ÉLODIE MARTIN", "é.MARTIN@ex.org", "ØYSTEIN"]
)
def test_a_name_is_found_however_it_is_written(server: Engine, tmp_path: Path, who: str) -> None:
    """Capitals with accents are capitals: who asks to be erased is found by the name that is stored."""
    person = Person(id="config:e", display_name="Élodie Martin", email="É.Martin@ex.org", aliases="øystein b")
    found = []
    for engine in (engine_of(tmp_path / "one.db"), server):
        write(engine, person)
        with Store.open(engine) as store:
            found.append(subjects.find(store, who).persons)

    assert [("config:e",), ("config:e",)] == found


def test_numbers_are_kept_alike(server: Engine, tmp_path: Path) -> None:
    """None is NULL, zero has no sign, a whole one fits a column of whole ones; what fits nowhere is named."""
    numbers = [float("nan"), -0.0, float("inf"), 1e308, 5e-324, 0.1 + 0.2, 2.0**53, 1e22, -1.5]
    records = [CustomValue(id=f"s:{n}", row_id="s:1", field="f", number=one) for n, one in enumerate(numbers)]
    hours = Worklog(id="s:w", day="2026-01-01", seconds=3600.0)  # type: ignore[arg-type]
    told = []
    for engine in (engine_of(tmp_path / "one.db"), server):
        write(engine, *records, hours)
        with Store.open(engine) as store:
            with store.transaction():
                store.connection.execute("UPDATE task SET points = ?", (float("nan"),))
            found = [row["number"] for row in store.rows("SELECT number FROM custom_value ORDER BY key")]
            told.append((list(map(repr, found)), store.rows("SELECT seconds FROM worklog")))
            for wrong in (2**63, "seven"):
                with pytest.raises(Exception, match="worklog s:x breaks a rule") as caught:
                    write(engine, Worklog(id="s:x", day="2026-01-01", seconds=wrong))  # type: ignore[arg-type]
                assert "SourceDataError" == type(caught.value).__name__
                if engine.path:  # it takes any text, as SQLite does
                    break

    assert told[0] == told[1]
    assert "None" == told[0][0][0]
    assert [{"seconds": 3600}] == told[0][1]


def test_an_id_that_no_index_takes_is_named(server: Engine, tmp_path: Path) -> None:
    """A batch with it is taken back and the sentence is short; a file that holds it is not copied in part."""
    letters = "".join(chr(0x4E00 + n * n % 20000) for n in range(3000))
    wrong = Task(id=f"s:{letters}", container_id="s:c", title="t")
    with pytest.raises(Exception, match=r"The record task s:.* breaks a rule of the store") as caught:
        write(server, *tasks("a"), wrong)
    assert len(str(caught.value)) < 400
    assert 0 == contents(server)["task"].rows
    file = engine_of(tmp_path / "one.db")
    write(file, wrong)
    with pytest.raises(StoreError, match=r"is longer than postgresql://.* can look up"):
        move(file, server)
    with closing(Store.open(server)) as store:
        assert [] == store.rows("SELECT id FROM task")
