"""The feed in a real PostgreSQL: certified, whole or as before, keyed and described.

And kind to readers and their views.
"""

from __future__ import annotations

import datetime
import shutil
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from hub_postgresql import destination as room
from hub_postgresql.destination import PostgresqlDestination
from hub_postgresql.testing.certification import PostgresqlCertification
from hub_postgresql.testing.scratch import USER, Scratch, programs, scratch

from hub import ConfigError, Delivery, DeliveryContext, DeliveryError, Secret, model, table_caption
from hub.publish import check_destination
from hub.records import (
    Access,
    Account,
    Assessment,
    Container,
    Person,
    PersonLink,
    Project,
    ProjectLink,
    Record,
    Task,
    TaskLink,
    Worklog,
)
from hub.store import Store
from hub.testing import HubResult, hub_folder, kept_feed, run_hub, view_of
from hub.testing.kit import certify

__all__ = ["hub_folder", "run_hub"]
SAMPLE = ("delivers-the-feed", "destination-check-tells-the-truth")
pytestmark = pytest.mark.skipif(
    programs() is None, reason="PostgreSQL's server is not installed (Debian: postgresql)"
)


def fill(store: Store, hours: int, title: str = "T") -> None:
    store.register_source(
        "seed", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
    )
    with store.transaction():
        run = store.begin_run("seed", "full")
        things = [Container(id="seed:p", kind="project", name="P"), Account(id="seed:a", display_name="Ann")]
        tasks = [
            Task(id=f"seed:{n}", container_id="seed:p", title=f'{title}{n} "é\\\t\n' + chr(0))
            for n in range(3)
        ]
        spent = [
            Worklog(
                id=f"seed:w{n}",
                task_id=f"seed:{n % 3}",
                container_id="seed:p",
                account_id="seed:a",
                day="2026-10-01",
                seconds=60,
            )
            for n in range(hours)
        ]
        store.write_batch([*things, *tasks, *spent], run_id=run, source_id="seed")
        store.end_run(run, "ok")


class Desk:
    """A database, and deliveries into it."""

    def __init__(self, folder: Path, server: Scratch) -> None:
        self.folder, self.server, self.name = folder, server, server.database()
        (folder / "password").write_text(server.password)
        (folder / "password").chmod(0o600)

    def destination(self, **settings: Any) -> PostgresqlDestination:
        return PostgresqlDestination(
            **{
                "name": "pg",
                "host": "127.0.0.1",
                "port": self.server.port,
                "database": self.name,
                "user": USER,
                "privacy": "nominative-line",
                "password": Secret("file", "password", self.folder),
            }
            | settings
        )

    def deliver(self, hours: int = 5, *, lang: str = "en", title: str = "T", **settings: Any) -> Delivery:
        with view_of(kept_feed(fill, hours, title), lang=lang) as feed:  # type: ignore[arg-type]
            return self.destination(**settings).deliver(DeliveryContext(base=self.folder, name="pg"), feed)

    def checked(self, **settings: Any) -> list[str]:
        return [
            f"{one.name} {one.state}: {one.detail}"
            for one in check_destination(self.destination(**settings), self.folder)
        ]

    def ask(self, query: str, *, user: str = USER) -> list[tuple[Any, ...]]:
        with self.server.connect(self.name, user=user) as connection:
            cursor = connection.execute(query)  # type: ignore[call-overload]
            return list(cursor.fetchall()) if cursor.description else []

    def psql(self, query: str) -> str:
        """Ask by another program than the one that wrote."""
        uri = f"postgresql://{USER}@127.0.0.1:{self.server.port}/{self.name}"
        command = [shutil.which("psql") or str((programs() or Path()) / "psql"), uri, "-XAtc", query]
        done = subprocess.run(
            command,
            check=True,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env={"PGPASSWORD": self.server.password},
        )
        return done.stdout.strip()

    def role(self, *grants: str) -> str:
        """Make a role that may sign in, with the scratch server's password."""
        name = f"role_{self.name}_{len(grants)}"
        self.ask(f"CREATE ROLE {name} LOGIN PASSWORD '{self.server.password}'")
        for grant in grants:
            self.ask(f"{grant} TO {name}")
        return name


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path, scratch())


@pytest.mark.long
def test_it_is_gold(proof: bool) -> None:
    report = certify(PostgresqlCertification(), only=() if proof else SAMPLE)

    assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
    if proof:
        assert "gold" == report.level


@pytest.mark.long
def test_another_reader_finds_keys_references_and_descriptions(desk: Desk) -> None:
    """As `psql` and any tool that draws a schema see them: by the model, in the language of the feed."""
    delivery = desk.deliver(lang="fr")
    keys = desk.psql(
        "SELECT string_agg(conrelid::regclass || ' ' || pg_get_constraintdef(oid), ';' ORDER BY 1) "
        "FROM pg_constraint WHERE contype = 'p' "
        "AND connamespace = 'feed'::regnamespace"
    )
    references = desk.psql(
        "SELECT count(*) FROM pg_constraint WHERE contype = 'f' AND connamespace = 'feed'::regnamespace"
    )
    described = desk.psql("SELECT obj_description('feed.fact_worklog'::regclass)")
    shown = desk.psql("SELECT col_description('feed.fact_worklog'::regclass, 1)")

    assert "feed.fact_task_snapshot PRIMARY KEY (cut_key, task_key)" in keys
    assert len(model().tables) == keys.count("PRIMARY KEY") == len(delivery.rows)
    assert sum(
        column.ref is not None for table in model().tables.values() for column in table.columns.values()
    ) == int(references)
    assert described.startswith(f"pm-hub: {table_caption('fact_worklog', 'fr')}. ")
    assert shown.startswith(next(iter(model().tables["fact_worklog"].columns.values())).fr)
    assert "5|300" == desk.psql("SELECT count(*), sum(seconds) FROM feed.fact_worklog")
    assert "1" == desk.psql("SELECT count(*) FROM feed.dim_task WHERE title = E'T1 \"é\\\\\\t\\n'")


@pytest.mark.long
def test_only_what_is_other_is_written(desk: Desk) -> None:
    desk.deliver(5)
    before = dict(desk.ask("SELECT worklog_id, xmin::text FROM feed.fact_worklog"))
    quiet = desk.deliver(5)
    desk.deliver(6)
    after = dict(desk.ask("SELECT worklog_id, xmin::text FROM feed.fact_worklog"))
    desk.deliver(2)

    assert ("No row changed.",) == quiet.notes
    assert before.items() <= after.items()
    assert (6, [(2,)]) == (len(after), desk.ask("SELECT count(*) FROM feed.fact_worklog"))


@pytest.mark.long
def test_what_a_database_was_given_changes_no_row(desk: Desk) -> None:
    """Limits, quotes and precision that were set for people end no delivery, and make no table anew."""
    desk.deliver()
    held = desk.ask("SELECT count(*) FROM feed.fact_worklog")
    for setting in (
        "statement_timeout = '20ms'", "lock_timeout = '1ms'", "quote_all_identifiers = on",
        "idle_in_transaction_session_timeout = '20ms'", "default_transaction_isolation = 'serializable'",
        "extra_float_digits = -3", "datestyle = 'German'", "standard_conforming_strings = off",
    ):  # fmt: skip
        desk.ask(f"ALTER DATABASE {desk.name} SET {setting}")
    again = desk.deliver()

    assert ("No row changed.",) == again.notes
    assert held == desk.ask("SELECT count(*) FROM feed.fact_worklog")


@pytest.mark.long
def test_views_and_readers_stay(desk: Desk) -> None:
    """A view of the dashboard's author lives through deliveries; readers read, and nobody else does."""
    reader, nobody = desk.role(), desk.role("GRANT CONNECT ON DATABASE postgres")
    desk.deliver(5, readers=(reader,))
    desk.ask("CREATE VIEW public.hours AS SELECT sum(seconds) AS s FROM feed.fact_worklog")
    desk.deliver(7, readers=(reader,))

    assert [(420,)] == desk.ask("SELECT s FROM public.hours")
    assert [(7,)] == desk.ask("SELECT count(*) FROM feed.fact_worklog", user=reader)
    for user, query in (
        (reader, "DELETE FROM feed.fact_worklog"),
        (nobody, "SELECT 1 FROM feed.fact_worklog"),
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            desk.ask(query, user=user)


def test_a_feed_that_grew_a_column_keeps_the_views(desk: Desk) -> None:
    desk.deliver(5)
    desk.ask(
        "ALTER TABLE feed.fact_worklog DROP COLUMN approval; CREATE VIEW public.hours AS "
        "SELECT sum(seconds) AS s FROM feed.fact_worklog"
    )
    desk.deliver(5)

    assert [(5,)] == desk.ask("SELECT count(*) FROM feed.fact_worklog WHERE approval IS NOT NULL")
    assert [(300,)] == desk.ask("SELECT s FROM public.hours")
    assert "approved by" not in desk.psql("SELECT s FROM public.hours")


def test_a_table_of_another_type_is_made_anew_unless_a_view_stands_on_it(desk: Desk) -> None:
    desk.deliver(5)
    desk.ask(
        "ALTER TABLE feed.dim_task ALTER COLUMN title TYPE varchar(50); CREATE VIEW public.titles AS "
        "SELECT title FROM feed.dim_task"
    )
    with pytest.raises(DeliveryError, match="a view or another thing of yours stands on a column") as refused:
        desk.deliver(6)
    kept = desk.ask("SELECT count(*) FROM feed.fact_worklog")
    desk.ask("DROP VIEW public.titles")
    made = desk.deliver(6)
    again = desk.deliver(6)

    assert "titles" in str(refused.value)
    assert [(5,)] == kept
    assert "Tables made anew: dim_task." in made.notes
    assert ("No row changed.",) == again.notes
    assert "text" == desk.psql(
        "SELECT data_type FROM information_schema.columns "
        "WHERE table_schema = 'feed' AND table_name = 'dim_task' AND column_name = 'title'"
    )
    references = (
        "SELECT count(*) FROM pg_constraint "
        "WHERE contype = 'f' AND confrelid = 'feed.dim_task'::regclass AND convalidated"
    )
    assert sum(
        one.ref == "dim_task" for table in model().tables.values() for one in table.columns.values()
    ) == int(desk.psql(references))


def test_a_table_of_somebody_else_is_not_touched(desk: Desk) -> None:
    desk.ask(
        "CREATE SCHEMA feed; CREATE TABLE feed.dim_task (mine text); INSERT INTO feed.dim_task "
        "VALUES ('precious')"
    )
    with pytest.raises(DeliveryError, match="has a dim_task that pm-hub did not make"):
        desk.deliver()

    assert [("precious",)] == desk.ask("SELECT mine FROM feed.dim_task")
    assert [(1,)] == desk.ask("SELECT count(*) FROM pg_tables WHERE schemaname = 'feed'")


def test_rows_that_the_database_changes_are_not_called_delivered(desk: Desk) -> None:
    desk.deliver(5)
    desk.ask(
        "CREATE FUNCTION public.eat() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        "CREATE TRIGGER eat BEFORE INSERT ON feed.fact_worklog FOR EACH ROW EXECUTE FUNCTION public.eat()"
    )
    with pytest.raises(
        DeliveryError, match="fact_worklog has 5 rows where the feed has 6: a trigger or rule"
    ):
        desk.deliver(6)


def test_a_lock_is_waited_for_so_long_only(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "LOCK_WAIT", "200ms")
    desk.deliver(5)
    with desk.server.connect(desk.name) as other:
        other.autocommit = False
        other.execute("LOCK TABLE feed.dim_task IN EXCLUSIVE MODE")
        with pytest.raises(DeliveryError, match="something holds a table for more than 200ms"):
            desk.deliver(6)
        other.rollback()

    assert 6 == desk.deliver(6).rows["fact_worklog"]


def test_two_deliveries_at_once_come_one_after_the_other(desk: Desk) -> None:
    done: list[Any] = []

    def act(hours: int) -> None:
        try:
            done.append(desk.deliver(hours).rows["fact_worklog"])
        except DeliveryError as exc:
            done.append(exc)

    for hours in (5, 6):
        kept_feed(fill, hours, "T")
    both = [threading.Thread(target=act, args=(hours,)) for hours in (5, 6)]
    for one in both:
        one.start()
    for one in both:
        one.join()

    assert {5, 6} == set(done)
    assert desk.ask("SELECT count(*) FROM feed.fact_worklog")[0][0] in {5, 6}


def test_each_refusal_is_a_sentence(desk: Desk) -> None:
    """What the server says, what to do, and never the password."""
    (desk.folder / "wrong").write_text("Zq7-wrong")
    (desk.folder / "wrong").chmod(0o600)
    limited, blind = desk.role(), desk.role("GRANT CONNECT ON DATABASE postgres")
    desk.ask(
        f"REVOKE TEMP ON DATABASE {desk.name} FROM PUBLIC; GRANT CREATE ON DATABASE {desk.name} TO {blind}"
    )
    cases: list[tuple[dict[str, Any], str]] = [
        ({"password": Secret("file", "wrong", desk.folder)}, "password authentication failed"),
        ({"database": "nowhere"}, 'database "nowhere" does not exist'),
        ({"port": 1}, "the server cannot be reached"),
        ({"user": limited}, "there is no schema feed and the account may not make it"),
        ({"user": blind}, "the account may make no temporary tables: GRANT TEMP"),
        ({"readers": ("ghost",)}, "there is no role ghost, which readers names"),
    ]
    for settings, words in cases:
        with pytest.raises(DeliveryError, match=words) as refused:
            desk.deliver(**settings)
        said = " ".join(desk.checked(**settings))
        assert words in said, said
        assert "failed" in said
        assert not [secret for secret in ("Zq7", desk.server.password) if secret in said + str(refused.value)]
    assert [] == desk.ask("SELECT 1 FROM pg_namespace WHERE nspname = 'feed'")
    assert f"database ok: PostgreSQL {desk.psql('SHOW server_version')} at" in desk.checked()[0]


def test_an_account_that_owns_the_schema_needs_nothing_else(desk: Desk) -> None:
    """As the README says it: no right on the database but the usual ones."""
    owner = desk.role()
    desk.ask(f"CREATE SCHEMA feed AUTHORIZATION {owner}")

    assert [] == [one for one in desk.checked(user=owner) if " ok: " not in one]
    assert 5 == desk.deliver(5, user=owner).rows["fact_worklog"]
    assert 6 == desk.deliver(6, user=owner).rows["fact_worklog"]


def test_a_database_without_all_letters_is_refused(desk: Desk) -> None:
    desk.ask("SELECT 1")
    with desk.server.connect("postgres") as connection:
        connection.execute(
            f"CREATE DATABASE {desk.name}latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
        )  # type: ignore[call-overload]
    with pytest.raises(DeliveryError, match="the database is in LATIN1"):
        desk.deliver(database=f"{desk.name}latin")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"schema": "public"}, "PostgreSQL's own"),
        ({"schema": "pg_toast"}, "PostgreSQL's own"),
        ({"host": "postgresql://me:secret@db"}, "name of one machine"),
        ({"host": "a,b"}, "name of one machine"),
    ],
)
def test_wrong_settings_are_refused(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        PostgresqlDestination(**{"name": "pg", "host": "db", "database": "d", "user": "u"} | wrong)

    assert "secret" not in str(caught.value)


@pytest.mark.long
def test_the_command_says_where_the_feed_is(
    hub_folder: Path, run_hub: Callable[..., HubResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = Desk(hub_folder, scratch())
    monkeypatch.setenv("PMHUB_DB_PASSWORD", desk.server.password)
    (hub_folder / "config" / "hub.toml").write_text(
        f'[destinations.warehouse]\nkind = "postgresql"\nhost = "127.0.0.1"\nport = {desk.server.port}\n'
        f'database = "{desk.name}"\nuser = "{USER}"\n'
        'password = { env = "PMHUB_DB_PASSWORD" }\n',
        encoding="utf-8",
    )
    (hub_folder / "data").mkdir()
    with Store.open(hub_folder / "data" / "hub.db") as store:
        fill(store, 5)
    said = run_hub("publish", "warehouse")

    assert 0 == said.exit_code, said.output + said.error
    assert f"rows in postgresql://127.0.0.1:{desk.server.port}/{desk.name}/feed" in said.output.replace(
        "\n", ""
    )
    assert desk.server.password not in said.output + said.error


# ---------- encryption ----------


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Scratch, Path]]:
    """Start a server that only speaks encrypted, and return it with the authority's file.

    Its certificate is for this machine's name.
    """
    folder, name = tmp_path_factory.mktemp("ca"), socket.gethostname()
    try:
        socket.gethostbyname(name)
    except OSError:
        pytest.skip("this machine does not know its own name")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    text = certificate.public_bytes(serialization.Encoding.PEM)
    (folder / "ca.pem").write_bytes(text)
    place = programs()
    assert place is not None
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    server = Scratch(place, certificate=(text, secret))
    yield server, folder / "ca.pem"
    server.stop()


def test_other_machines_are_asked_encrypted_and_verified(
    secured: tuple[Scratch, Path], tmp_path: Path
) -> None:
    """The authority's file opens it; without it, or by another name, nothing is sent."""
    server, authority = secured
    desk = Desk(tmp_path, server)
    name = socket.gethostname()
    well = desk.checked(host=name, ca=str(authority))
    unknown = desk.checked(host=name)
    elsewhere = desk.checked(host="LOCALHOST", ca=str(authority))

    assert [] == [one for one in well if " ok: " not in one]
    assert well[0].endswith("encrypted")
    assert "certificate verify failed" in unknown[0]
    assert "server certificate for" in elsewhere[0]


# ---------- who sees what ----------

TEAMS = {"ann": "Red", "bob": "Blue"}
HOURS = [("A", "ann"), ("A", "bob"), ("B", "ann"), ("B", "ann"), ("B", "bob")]
RIGHTS = [("ann@x.org", "A", None), ("Red@X.org", None, "Red"), ("both@x.org", "B", "Red")]


def fill_rights(store: Store) -> None:
    """Write two projects, two teams, a task for each line of hours, and three rights."""
    config: list[Record] = [
        *(Project(id=f"config:{code}", code=code, name=code) for code in "AB"),
        *(ProjectLink(id=f"config:l{code}", project_code=code, container_id=f"s:{code}", facets="actuals")
          for code in "AB"),
        *(Person(id=f"config:p{who}", display_name=who, team=team) for who, team in TEAMS.items()),
        *(Assessment(id=f"config:s{code}", project_code=code, day="2026-01-05", axis="overall", rag="red")
          for code in "AB"),
        *(Access(id=f"config:{user}", user_principal=user, project_code=project, team=team)
          for user, project, team in RIGHTS),
    ]  # fmt: skip
    tool: list[Record] = [
        *(Container(id=f"s:{code}", kind="project", code=code, name=code) for code in "AB"),
        *(Account(id=f"s:{who}", display_name=who) for who in TEAMS),
        *(Task(id=f"s:{n}", container_id=f"s:{code}", title=f"{n}") for n, (code, _) in enumerate(HOURS)),
        *(Worklog(id=f"s:w{n}", task_id=f"s:{n}", container_id=f"s:{code}", account_id=f"s:{who}",
                  day="2026-01-05", seconds=60) for n, (code, who) in enumerate(HOURS)),
        TaskLink(id="s:k", from_id="s:2", to_id="s:3", type="FS"),
    ]  # fmt: skip
    links: list[Record] = [
        PersonLink(id=f"match:{who}", account_id=f"s:{who}", person_id=f"config:p{who}", state="accepted",
                   method="email", score=1) for who in TEAMS
    ]  # fmt: skip
    for source, rows in {"config": config, "s": tool, "match": links}.items():
        store.register_source(
            source, kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
        )
        with store.transaction():
            run = store.begin_run(source, "full")
            store.write_batch(rows, run_id=run, source_id=source)
            store.end_run(run, "ok")


class Rights:
    """The feed of `fill_rights` in a database, and roles that look at it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.readers = desk.role()
        self.roles: set[str] = set()

    def deliver(self, **settings: Any) -> None:
        with view_of(kept_feed(fill_rights)) as feed:
            self.desk.destination(readers=(self.readers,), **settings).deliver(
                DeliveryContext(base=self.desk.folder, name="pg"), feed
            )

    def seen(self, user: str, *tables: str) -> list[int]:
        """Count the rows that *user* sees, as the role of that name."""
        with self.desk.server.connect(self.desk.name) as connection:
            if user not in self.roles:
                connection.execute(f'CREATE ROLE "{user}" IN ROLE {self.readers}')
                self.roles.add(user)
            connection.execute(f'SET ROLE "{user}"')
            return [
                connection.execute(f"SELECT count(*) FROM feed.{table}").fetchall()[0][0]  # type: ignore[call-overload]
                for table in tables
            ]

    def forget(self) -> None:
        """Drop the roles: they are the server's, not the database's."""
        for user in self.roles:
            self.desk.ask(f'DROP ROLE "{user}"')


@pytest.fixture
def rights(desk: Desk) -> Iterator[Rights]:
    made = Rights(desk)
    yield made
    made.forget()


LOOKED_AT = (
    "fact_worklog",
    "dim_task",
    "dim_project",
    "dim_person",
    "fact_assessment",
    "fact_task_link",
    "dim_access",
)


def test_each_role_sees_its_rows(rights: Rights) -> None:
    """By project; by team; a team's part of a project; nobody without a line: counted by hand."""
    rights.deliver(row_security=True)

    # hours, tasks, projects, people, the committee's word, links, rights
    # project A: two of each, both people and the nobody whom tasks are assigned to
    assert [2, 2, 1, 3, 1, 0, 1] == rights.seen("ann@x.org", *LOOKED_AT)
    # Ann's, in A and in B; the word is the projects', and no team's
    assert [3, 3, 2, 1, 0, 1, 1] == rights.seen("red@x.org", *LOOKED_AT)
    assert [2, 2, 1, 1, 0, 1, 1] == rights.seen("both@x.org", *LOOKED_AT)
    assert [0] * 7 == rights.seen("stranger@x.org", *LOOKED_AT)
    assert [5] == [row[0] for row in rights.desk.ask("SELECT count(*) FROM feed.fact_worklog")]


def test_nobody_can_say_who_they_are(rights: Rights) -> None:
    """A setting of the session changes nothing, and a role cannot become another."""
    rights.deliver(row_security=True)
    rights.seen("stranger@x.org")
    rights.seen("ann@x.org")
    with rights.desk.server.connect(rights.desk.name) as connection:
        connection.execute('SET SESSION AUTHORIZATION "stranger@x.org"')
        connection.execute("SELECT set_config('hub.user', 'ann@x.org', false)")
        count = connection.execute("SELECT count(*) FROM feed.fact_worklog").fetchall()

        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute('SET ROLE "ann@x.org"')

    assert [(0,)] == count


def test_every_table_with_a_project_a_team_or_a_person_has_a_policy(rights: Rights) -> None:
    """Only what is of neither is open."""
    rights.deliver(row_security=True)
    open_to_all = rights.desk.ask(
        "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE nspname = 'feed' AND relkind = 'r' AND NOT relrowsecurity ORDER BY 1"
    )

    assert ["dim_cut", "dim_date", "dim_source", "dim_status", "fact_adoption", "meta_label"] == [
        row[0] for row in open_to_all
    ]


def test_policies_come_and_go_with_the_setting(rights: Rights) -> None:
    """A second delivery touches none; one without the setting takes back the hub's, not others'."""
    query = "SELECT polname, oid FROM pg_policy ORDER BY 1"
    rights.deliver(row_security=True)
    first = rights.desk.ask(query)
    rights.deliver(row_security=True)
    second = rights.desk.ask(query)
    rights.desk.ask("CREATE POLICY mine ON feed.fact_budget USING (true)")
    rights.deliver()

    assert first
    assert first == second
    assert ["mine"] == [name for name, _ in rights.desk.ask(query)]
    assert [5] == rights.seen("stranger@x.org", "fact_worklog")
    assert [("fact_budget",)] == rights.desk.ask("SELECT relname FROM pg_class WHERE relrowsecurity")


def test_addresses_come_with_row_policies_only(desk: Desk) -> None:
    """Without the setting a destination below nominative-line is given none."""
    assert not desk.destination().addresses
    assert desk.destination(row_security=True).addresses
