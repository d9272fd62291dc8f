"""Somebody who was erased is nowhere: in no byte, after no later sync, and no kill leaves half of it."""

from __future__ import annotations

import json
import random
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest
from filling import fill

from hub import columns, privacy, records
from hub.feed import model
from hub.publish import cuts
from hub.records import BY_TABLE, Account, Container, Person, Record, Task, TaskChange, Worklog
from hub.store import Store
from hub.store.erasure import PLUMBING, TAIL, fold, load_door, tables

NAME, MAIL, LOGIN, NUMBER = "Zélie Quintard", "zelie.quintard@corp.example", "zquintard", "Q4711"
TEXTS = tuple(
    one.encode(code)
    for text in (NAME, "Quintard", MAIL, LOGIN, NUMBER, "quintard", "QUINTARD", "Zelie")
    for one, code in ((text, "utf-8"), (text, "utf-16-le"))
)
_CONFIG = {
    "projects.csv": f"""code;name;level;parent_code;phase;state;manager;sponsor;customer;priority;currency
INFRA;Chantier de {NAME};project;;Réalisation;active;{NAME};{NAME};{NAME};1;EUR
""",
    "project_links.csv": f"""project_code;source;container;filter;facets
INFRA;plans;Plan;type != "{NAME}";schedule,baseline,effort
INFRA;hours;INFRA;;actuals
""",
    "people.csv": f"""name;email;employee_no;login;team;role
{NAME};{MAIL};{NUMBER};{LOGIN};Équipe;Dev
Paul Blanc;paul.blanc@corp.example;B1;pblanc;Équipe;Dev
""",
    "accounts.csv": f"source;account;email;person\nhours;{NAME};{MAIL};\n",
    "calendar_days.csv": f"calendar;day;hours;label\ndefault;25/05/2026;7;Demandé par {NAME}\n",
    "rates.csv": "scope;scope_id;valid_from;valid_to;per_day;currency\n"
    f"person;{MAIL};01/01/2020;;700,00;EUR\ndefault;*;01/01/2020;;500,00;EUR\n",
    "assessments.csv": "project_code;day;axis;rag;trend;comment;author\n"
    f"INFRA;2026-02-01;overall;green;flat;Vu avec {NAME};{NAME}\n",
    "access.csv": f"user_principal;project_code;team\n{MAIL};INFRA;\n",
    "access_groups.csv": f"group;member\nleads;{MAIL}\n",
    "budgets.csv": "project_code;month;category;capex;baseline;revised;committed;consumed;forecast;currency\n"
    f"INFRA;01/2026;Prestation {NAME};non;100,00;;;;;EUR\n",
    "registers.csv": "ref;project_code;kind;title;state;probability;impact;exposure;currency;owner;"
    "opened_on;due_on;closed_on\n"
    f"R-{LOGIN};INFRA;risk;Départ de {NAME};open;30 %;4;20 000,00;EUR;{NAME};01/01/2026;31/12/2026;\n",
    "checklists.csv": "project_code;list;ref;label;mandatory;state;checked_on;evidence_url\n"
    f"INFRA;Recette;{LOGIN};Relu par {NAME};oui;ok;15/01/2026;\n",
}
_PLAN = f"""<?xml version="1.0" encoding="UTF-8"?>
<Project xmlns="http://schemas.microsoft.com/project"><SaveVersion>14</SaveVersion><Name>Plan</Name><Title>Plan</Title>
<GUID>4B5A7A36-1111-4C7A-9A55-000000000001</GUID><MinutesPerDay>420</MinutesPerDay><CalendarUID>1</CalendarUID>
<Tasks><Task><UID>1</UID><ID>1</ID>
<Name>Revue de {NAME}</Name><Type>0</Type><OutlineLevel>1</OutlineLevel><Start>2026-01-05T08:00:00</Start>
<Finish>2026-01-06T16:00:00</Finish>
<Work>PT14H0M0S</Work><Duration>PT14H0M0S</Duration><PercentComplete>0</PercentComplete>
<Notes>{NAME}</Notes></Task></Tasks>
<Resources><Resource><UID>1</UID><ID>1</ID>
<Name>{NAME}</Name><EmailAddress>{MAIL}</EmailAddress><Type>1</Type></Resource></Resources>
<Assignments><Assignment><UID>1</UID>
<TaskUID>1</TaskUID><ResourceUID>1</ResourceUID><Work>PT14H0M0S</Work><Start>2026-01-05T08:00:00</Start>
<Finish>2026-01-06T16:00:00</Finish></Assignment></Assignments></Project>"""
_HUB = """
[sources.plans]
kind = "msproject"
path = "plans"
[sources.hours]
kind = "tabular"
path = "hours/*.csv"
mapping = "hours.toml"
[destinations.teams]
kind = "files"
path = "out/teams"
[destinations.projects]
kind = "files"
path = "out/projects"
formats = ["parquet"]
privacy = "project"
[destinations.named]
kind = "files"
path = "out/named"
privacy = "nominative-line"
[destinations.pseudo]
kind = "files"
path = "out/pseudo"
formats = ["parquet", "csv"]
privacy = "pseudonym-week"
[privacy]
key = { env = "PM_HUB_KEY" }
"""
_MAPPING = """record = "worklog"
snapshot = "full"
files = "each"
key = ["Qui", "Projet", "Jour"]
date_formats = ["%Y-%m-%d"]
[fields]
account_id = "Qui"
container_id = "Projet"
day = "Jour"
seconds = { column = "Heures", unit = "hours" }
"""


@pytest.fixture(scope="module")
def first_planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that `planted` copies: empty until the first of its tests has made it."""
    return tmp_path_factory.mktemp("planted")


@pytest.fixture
def planted(
    first_planted: Path, hub_folder: Path, run_hub: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> Path:
    """Return a folder whose every input names one person, synced, cut, sealed, published at every level."""
    monkeypatch.setenv("PM_HUB_KEY", "a key of this test")
    if not any(first_planted.iterdir()):
        plant(hub_folder, run_hub)
        shutil.copytree(hub_folder, first_planted, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copytree(first_planted, hub_folder, symlinks=True, dirs_exist_ok=True)
    return hub_folder


def plant(hub_folder: Path, run_hub: Callable[..., Any]) -> None:
    (hub_folder / "config" / "hub.toml").write_text(_HUB)
    for name, text in _CONFIG.items():
        (hub_folder / "config" / name).write_text(text)
    (hub_folder / "hours.toml").write_text(_MAPPING)
    for name in ("plans", "hours", "data/signin"):
        (hub_folder / name).mkdir(parents=True)
    (hub_folder / "plans" / f"{NAME}.xml").write_text(_PLAN)
    (hub_folder / "hours" / f"Heures {NAME} 2026.csv").write_text(
        f"Qui;Projet;Jour;Heures\n{NAME};INFRA;2026-01-05;7\n{NAME};INFRA;2026-01-06;3.5\n"
        f"{LOGIN};INFRA;2026-01-07;2\nPaul Blanc;INFRA;2026-01-05;7\n"
    )
    (hub_folder / "data" / "signin" / "plans.json").write_text(
        json.dumps({"Account": {"x": {"username": MAIL}}})
    )
    (hub_folder / "data" / "signin" / "other.json").write_text(
        json.dumps({"Account": {"x": {"username": "paul.blanc@corp.example"}}})
    )
    for command in (
        ["sync"], ["match", "propose"],
        ["cut", "take", "--kind", "copil", "--label", f"COPIL de {NAME}"],
        ["cut", "close", f"COPIL de {NAME}"],
        ["close", "2026-01"], ["publish"],
    ):  # fmt: skip
        seen = run_hub(*command)
        assert 0 == seen.exit_code, (command, seen.output, seen.error)
    (hub_folder / "data" / "hub.db.owner").write_text(
        json.dumps({"host": "h", "pid": 1, "user": LOGIN, "since": "2026"})
    )


def found_in(folder: Path) -> list[tuple[str, bytes]]:
    """Return (place, text) of every trace.

    Traces are sought in names, in bytes, in each string of a Parquet file and the store.
    """
    found: list[tuple[str, bytes]] = []

    def look(place: str, raw: bytes) -> None:
        found.extend((place, text) for text in TEXTS if text in raw)

    with duckdb.connect() as connection:
        for path in sorted(folder.rglob("*")):
            look(f"name of {path}", path.name.encode())
            if not path.is_file():
                continue
            look(str(path), path.read_bytes())
            place = path.as_posix().replace("'", "''")
            names = []
            if path.suffix == ".parquet":
                names = [f"read_parquet('{place}', hive_partitioning = false)"]
            if path.suffix == ".duckdb":
                connection.execute(f"ATTACH '{place}' AS ledger (READ_ONLY)")
                names = [
                    f"ledger.{row[0]}"
                    for row in connection.execute(
                        "SELECT table_name FROM duckdb_tables() WHERE database_name = 'ledger'"
                    ).fetchall()
                ]
            for name in names:
                look(str(path), repr(connection.execute(f"SELECT * FROM {name}").fetchall()).encode())
            if path.suffix == ".duckdb":
                connection.execute("DETACH ledger")
    with sqlite3.connect(folder / "hub.db") as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            look(table, repr(connection.execute(f"SELECT * FROM {table}").fetchall()).encode())
    return found


def hours(folder: Path) -> list[tuple[Any, ...]]:
    """Return the hours and money of the current feed, per project, day and category."""
    root = folder / "data" / "feed"
    feed = root / (root / "CURRENT").read_text()
    with duckdb.connect() as connection:
        return connection.execute(
            "SELECT project_key, work_date, category, sum(seconds)::BIGINT, sum(amount) FROM "
            f"read_parquet('{feed}/fact_worklog/**/*.parquet', hive_partitioning = false) "
            "GROUP BY ALL ORDER BY ALL"
        ).fetchall()


@pytest.mark.long
def test_an_erased_person_is_nowhere(planted: Path, run_hub: Callable[..., Any]) -> None:
    """No byte has the person, nor after the sources, which still do, are read again; hours and money stay."""
    before = hours(planted)
    assert len({place.partition("/")[0] for place, _ in found_in(planted / "data")}) > 5
    erased = run_hub("privacy", "erase", MAIL, "--texts", "--yes")
    after = hours(planted)

    assert 0 == erased.exit_code, erased.output + erased.error
    assert [] == found_in(planted / "data")
    assert before == after
    assert not (planted / "data" / "signin" / "plans.json").exists()
    assert (planted / "data" / "signin" / "other.json").exists()
    assert "named (nominative-line)" in erased.output
    for place in ("teams", "projects", "named", "pseudo"):
        assert [] == list(found_in_files(planted / "out" / place / "latest")), place

    for path in (planted / "hours").iterdir():
        path.write_text(path.read_text() + "Paul Blanc;INFRA;2026-01-09;1\n")
    again = run_hub("sync", "--full")
    matched = run_hub("match", "propose")
    published = run_hub("publish")

    assert {0, 3} >= {again.exit_code, matched.exit_code, published.exit_code}, (
        again.output + published.output + published.error
    )
    assert [] == found_in(planted / "data")
    assert sum(row[3] for row in before) + 3600 == sum(row[3] for row in hours(planted))
    with Store.open(planted / "data" / "hub.db") as store:
        assert {"Paul Blanc", "(effacé)"} == {
            row["display_name"]
            for row in store.rows("SELECT display_name FROM person WHERE presence = 'present'")
        }
        assert [] == store.rows("SELECT 1 FROM worklog WHERE presence <> 'present'")
        assert [] == store.held()
    assert 0 == run_hub("privacy", "erase", MAIL, "--yes").exit_code, "a repeat does nothing and says so"


@pytest.mark.long
def test_a_backup_from_before_brings_nobody_back(
    planted: Path, run_hub: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Restored elsewhere, from an encrypted backup of before the erasure, no byte of the data has the person.

    What is left outside of the store for that is no identifier, and makes none either: the key stays inside.
    """
    backups = tmp_path_factory.mktemp("backups")
    place = tmp_path_factory.mktemp("other")
    (planted / "config" / "hub.toml").write_text(
        f'{_HUB}\n[backup]\nfolder = "{backups.as_posix()}"\nkey = {{ env = "PM_HUB_KEY" }}\n'
    )
    before = hours(planted)
    made = run_hub("store", "backup")
    erased = run_hub("privacy", "erase", MAIL, "--texts", "--yes")
    with sqlite3.connect(planted / "data" / "hub.db") as connection:
        (salt,) = connection.execute("SELECT salt FROM erasure_key").fetchone()

    restored = run_hub("store", "restore", str(backups), "--to", str(place))

    assert (0, 0, 0) == (made.exit_code, erased.exit_code, restored.exit_code), restored.error
    assert "still hold the name" in erased.output
    assert "erased again" in restored.output
    assert "people.csv names somebody who was erased" in restored.output
    shutil.copy(place / "data" / "hub.db", place / "data" / "feed" / "hub.db")
    assert [] == found_in(place / "data" / "feed")
    (place / "data" / "feed" / "hub.db").unlink()
    assert [] == [one for one in found_in(place / "data") if "config" not in one[0]]
    (kept,) = backups.glob("erased-*.json")
    assert salt not in kept.read_text()
    assert not [text for text in TEXTS if text in kept.read_bytes()]
    for folder in ("plans", "hours"):
        shutil.copytree(planted / folder, place / folder)
    shutil.copy(planted / "hours.toml", place / "hours.toml")
    ran = run_hub("--config", str(place / "config" / "hub.toml"), "run")

    assert {0, 3} >= {ran.exit_code}, ran.output + ran.error
    assert [] == found_in(place / "data")
    assert before == hours(place)


def found_in_files(folder: Path) -> list[tuple[str, bytes]]:
    """Return the traces in files that were delivered; a workbook is a zip."""
    import zipfile

    found = []
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        raws = [path.read_bytes()]
        if path.suffix == ".parquet":
            raws.append(
                repr(
                    duckdb.sql(f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)").fetchall()
                ).encode()
            )
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                raws += [book.read(name) for name in book.namelist()]
        found += [(str(path), text) for raw in raws for text in TEXTS if text in raw]
    return found


def test_below_the_nominative_levels_nobody_is_named(planted: Path) -> None:
    """No manager, owner, author, address or comment leaves at the default level; titles do, as they say."""
    names = {}
    for place in ("teams", "projects", "pseudo"):
        folder = planted / "out" / place / "latest"
        for path in folder.rglob("*.parquet"):
            rows = duckdb.sql(f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)")
            for row in rows.fetchall():
                names |= {
                    (path.parent.name, c): v
                    for c, v in zip(rows.columns, row, strict=True)
                    if isinstance(v, str) and (NAME in v or MAIL in v)
                }

    assert names
    assert all(
        model().tables[table if table in model().tables else path_table(table)].columns[column].kept
        for table, column in names
    )
    assert MAIL not in names.values()


def path_table(name: str) -> str:
    """Return the table of a folder such as ``year_month=2026-01``."""
    return "fact_worklog" if "=" in name else name


@pytest.mark.long
def test_texts_stay_unless_asked(planted: Path, run_hub: Callable[..., Any]) -> None:
    """Without --texts free texts are listed and stay; whoever is shown, every address, login and id goes."""
    seen = run_hub("privacy", "erase", NAME, "--yes")
    with Store.open(planted / "data" / "hub.db") as store:
        project = store.rows("SELECT name, manager_id FROM project")[0]

    assert "free texts hold the name" in seen.output
    assert "register_item.title" in seen.output
    assert {"name": f"Chantier de {NAME}", "manager_id": "(effacé)"} == project
    assert [] == [
        place for place, text in found_in(planted / "data") if text in {MAIL.encode(), NUMBER.encode()}
    ]


def test_export_gives_the_texts_too(planted: Path, run_hub: Callable[..., Any]) -> None:
    """A request of access is answered with every row that names the person, wherever it stands."""
    run_hub("privacy", "export", MAIL, "--out", "one.json")
    found = json.loads((planted / "one.json").read_text())["tables"]

    assert {
        "account", "person", "worklog", "project", "register_item", "checklist_item", "assessment",
        "access", "budget_line", "calendar_day", "rate",
        "task", "allocation", "person_link", "account_alias", "project_link", "cursor", "cut",
    } <= set(found)  # fmt: skip


# ---------- stages and kills ----------

ROWS: list[Record] = [
    Person(id=f"config:people/{NUMBER}", display_name=NAME, email=MAIL, employee_no=NUMBER, login=LOGIN,
           team="X"),
    Account(id=f"times:{LOGIN}", display_name="QUINTARD Zélie", email=MAIL),
    Account(id="times:77", display_name=NAME),
    Container(id="times:a", kind="table", code="A", name="A"),
    *(Task(id=f"times:t{n}", container_id="times:a", title=f"T {NAME}",
           assignee_id="times:77") for n in range(3)),
    *(TaskChange(id=f"times:c{n}", task_id="times:t1", field="assignee", from_value=NAME, to_value=LOGIN,
                 at="2026-01-05T08:00:00Z", author_id="times:77") for n in range(3)),
    *(Worklog(id=f"times:{LOGIN}/{n}", container_id="times:a", account_id=f"times:{LOGIN}",
              day=f"2026-01-{n + 5:02d}", seconds=3600) for n in range(3)),
]  # fmt: skip


def filled(path: Path) -> Store:
    store = Store.open(path)
    fill(store, ROWS[:1], ROWS[1:])
    return store


def erase(store: Store, base: Path) -> None:
    """Erase the person as the command does, or go on with what is pending."""
    if not store.erasures() and not store.door.knows(MAIL):
        subject = privacy.find(store, MAIL)
        also = privacy.find(store, "times:77")
        merged = privacy.Subject(
            name=subject.name,
            persons=subject.persons,
            accounts=(*subject.accounts, *also.accounts),
            names=(*subject.names, *also.names),
            values=subject.values,
        )
        privacy.begin(store, merged, actor="me", texts=True)
    privacy.finish(store, base / "feed", base, lambda one: cuts.redact(one, base / "feed", again=True))


def traces(base: Path) -> list[bytes]:
    raw = b"".join(path.read_bytes() for path in base.glob("hub.db*"))
    return [text for text in TEXTS if text in raw]


@pytest.mark.long
def test_a_failure_at_any_statement_is_taken_up(tmp_path: Path, proof: bool) -> None:
    """Whatever statement fails, the next try ends in the same state: nothing of the person, all hours."""
    with filled(tmp_path / "calm" / "hub.db") as store:
        total = 0

        def count(_: str) -> None:
            nonlocal total
            total += 1

        store.connection.set_trace_callback(count)
        erase(store, tmp_path / "calm")
        store.connection.set_trace_callback(None)
        calm = store.snapshot("worklog"), store.snapshot("account"), store.snapshot("person")
    assert [] == traces(tmp_path / "calm")
    for number in [
        *range(1, 12, 1 if proof else 2),
        *range(12, total, max(1, total // (40 if proof else 5))),
    ]:
        base = tmp_path / str(number)
        with filled(base / "hub.db") as store:
            at = _Stopper(number)
            store.connection.set_progress_handler(None, 0)
            store.connection.set_trace_callback(at.tick)
            store.connection.set_progress_handler(at.stop, 1)
            try:
                erase(store, base)
            except Exception:  # noqa: BLE001 - any failure will do
                pass
            store.connection.set_trace_callback(None)
            store.connection.set_progress_handler(None, 0)
        with Store.open(base / "hub.db") as store:
            erase(store, base)

            assert [] == store.erasures()
            assert len(calm[0]) == len(store.snapshot("worklog"))
            assert 10800 == sum(row["seconds"] for row in store.snapshot("worklog"))
            assert {"(effacé)"} == {
                row["display_name"] for row in (*store.snapshot("account"), *store.snapshot("person"))
            }
        assert [] == traces(base), number


class _Stopper:
    """Lets SQLite give up in the statement with a number."""

    def __init__(self, number: int) -> None:
        self.left = number

    def tick(self, _: str) -> None:
        self.left -= 1

    def stop(self) -> int:
        return int(self.left == 0)


@pytest.mark.long
def test_a_killed_erasure_is_taken_up(tmp_path: Path, proof: bool) -> None:
    """Killed at random moments, the next run finishes it."""
    rng = random.Random(4711)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_erasure as t; from pathlib import Path; "
        "from hub.store import Store\nwith Store.open(Path(sys.argv[2]) / 'hub.db') as s: "
        "t.erase(s, Path(sys.argv[2]))"
    )
    for number in range(25 if proof else 2):
        base = tmp_path / str(number)
        filled(base / "hub.db").close()
        child = subprocess.Popen(
            [sys.executable, "-c", code, str(Path(__file__).parent), str(base)], stderr=subprocess.DEVNULL
        )
        time.sleep(rng.uniform(0.2, 1.6))
        child.kill()
        child.wait()
        with Store.open(base / "hub.db") as store:
            erase(store, base)

            assert [] == store.erasures()
        assert [] == traces(base)


@pytest.mark.long
def test_while_one_is_pending_nobody_is_published(planted: Path, run_hub: Callable[..., Any]) -> None:
    """Status says so, destinations that are given persons are refused with a sentence, the others are not."""
    with Store.open(planted / "data" / "hub.db") as store:
        privacy.begin(store, privacy.find(store, MAIL), actor="me")
    status = run_hub("status")
    published = run_hub("publish", "--json")
    states = {one["name"]: one["state"] for one in json.loads(published.output)["deliveries"]}

    assert "is not finished" in status.output
    assert {"teams": "published", "projects": "published", "named": "failed", "pseudo": "failed"} == states
    assert "hub privacy erase --resume" in published.output
    assert 0 == run_hub("privacy", "erase", "--resume").exit_code
    assert "is not finished" not in run_hub("status").output


# ---------- cuts ----------


def test_a_closed_cut_holds_no_person(planted: Path) -> None:
    """Manager, owner, author and comment are not in its files, before anybody is erased."""
    found = {}
    for path in (planted / "data" / "cuts" / "1").glob("*.parquet"):
        with duckdb.connect() as connection:
            rows = connection.execute(f"SELECT * FROM read_parquet('{path}')")
            names = [one[0] for one in rows.description]
            for row in rows.fetchall():
                found |= {
                    (path.stem, c): v
                    for c, v in zip(names, row, strict=True)
                    if isinstance(v, str) and (NAME in v or LOGIN in v or MAIL in v)
                }
    keys = {(table, key) for table in model().tables for key in model().tables[table].key}

    assert {one for one in found if not model().tables[one[0]].columns[one[1]].kept} <= keys


@pytest.mark.long
def test_an_old_cut_is_redacted_once(planted: Path, run_hub: Callable[..., Any]) -> None:
    """A manager in an older cut is written out of it; both digests are kept, only the new one is the cut."""
    place = planted / "data" / "cuts" / "1" / "dim_project.parquet"
    with duckdb.connect() as connection:
        connection.execute(
            f"CREATE TABLE t AS SELECT * REPLACE ('{NAME}' AS manager) FROM read_parquet('{place}')"
        )
        place.unlink()
        connection.execute(f"COPY t TO '{place}' (FORMAT parquet)")
    from hub.feed import digest

    old = digest(place.parent)
    (planted / "config" / "hub.toml").write_text(_HUB.partition("[destinations.")[0])
    with Store.open(planted / "data" / "hub.db") as store:
        store.connection.execute("UPDATE cut SET digest = ?, redacted_at = NULL", (old,))
    run_hub("publish")
    with Store.open(planted / "data" / "hub.db") as store:
        row = store.rows("SELECT digest, first_digest FROM cut")[0]
        logged = store.rows("SELECT before, after FROM audit_log WHERE action = 'cut redact'")
    again = run_hub("publish")

    assert {"digest": digest(place.parent), "first_digest": old} == row
    assert [{"before": old, "after": row["digest"]}] == logged
    assert old != row["digest"]
    assert [(None,)] == duckdb.sql(f"SELECT DISTINCT manager FROM read_parquet('{place}')").fetchall()
    assert again.exit_code in {0, 3}


@pytest.mark.long
def test_an_erasure_seals_its_months_anew(planted: Path, run_hub: Callable[..., Any]) -> None:
    """The lines that named somebody have another seal afterwards, which is logged with the old one."""
    with Store.open(planted / "data" / "hub.db") as store:
        (before,) = store.rows("SELECT digest FROM period_close")
        named = store.rows("SELECT row_id FROM period_line WHERE row_id LIKE ?", (f"%{NAME}%",))
    assert 0 == run_hub("privacy", "erase", NAME, "--yes").exit_code
    with Store.open(planted / "data" / "hub.db") as store:
        (after,) = store.rows("SELECT digest FROM period_close")
        logged = store.rows("SELECT before, after FROM audit_log WHERE action = 'close redact'")
    whole = run_hub("store", "verify")
    with Store.open(planted / "data" / "hub.db") as store:
        store.connection.execute("UPDATE period_line SET seconds = seconds + 1")

    assert named
    assert before != after
    assert [{"before": before["digest"], "after": after["digest"]}] == logged
    assert 0 == whole.exit_code, whole.output + whole.error
    assert 1 == run_hub("store", "verify").exit_code


# ---------- what is declared ----------


def test_every_text_column_says_what_it_tells(tmp_path: Path) -> None:
    """A text column of a record, of the feed or of a table of the store that says nothing fails."""
    silent = [
        f"{table}.{name}"
        for table, record in BY_TABLE.items()
        for name, one in columns.columns_of(record).items()
        if one.sql_type == "TEXT" and one.personal is None
    ]
    silent += [
        f"{name}.{c}"
        for name, table in model().tables.items()
        for c, one in table.columns.items()
        if one.type == "VARCHAR" and one.personal is None
    ]
    with Store.open(tmp_path / "hub.db") as store:
        for table, found in tables(store.engine, store.connection).items():
            silent += [
                f"{table}.{name}"
                for name, one in found.items()
                if one.personal is None and table != "_sqlite_migrations"
            ]

    assert [] == silent
    assert all(set(one) for one in PLUMBING.values())
    assert {"presence_evidence"} <= TAIL.keys()


def test_a_silent_column_is_found() -> None:
    """The guard above is no decoration: a field without a word about persons is silent."""

    class Silent(records.Record, frozen=True, kw_only=True):
        remark: str | None = None

    assert columns.columns_of(Silent)["remark"].personal is None


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("Zélie QUINTARD", True),
        ("quintard-zelie", True),
        ("ZELIE  QUINTARD", True),
        ("Ze\u0301lie Quintard", True),
        ("Zélie", False),
        ("Quintard Ltd", False),
    ],
)
def test_a_name_is_known_however_it_is_written(text: str, same: bool) -> None:
    """Accents, case, order and signs between the words do not matter; a part of a name is not the name."""
    assert same == (fold(NAME) == fold(text))


def test_nobody_erased_costs_nothing(tmp_path: Path) -> None:
    """While nobody was erased, records pass as they are, not even copied."""
    with Store.open(tmp_path / "hub.db") as store:
        rows = list(ROWS)

        assert not load_door(store.connection).shut
        assert all(a is b for a, b in zip(rows, store.door.records(rows), strict=True))
