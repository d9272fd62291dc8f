"""Personal data: handed over whole, taken away everywhere, and no figure of a project moves."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from filling import fill

from hub import matching, privacy
from hub.errors import ConfigError
from hub.feed import BuildOptions, build, open_feed, project_to
from hub.feed.projection import pseudonym
from hub.records import Account, Allocation, Container, CustomValue, Person, Record, SiteField, Task, Worklog
from hub.store import Store

ROWS: list[Record] = [
    Person(
        id="config:people/1",
        display_name="Nadia Roy",
        email="nadia.roy@corp.com",
        employee_no="M7",
        team="X",
        role="Dev",
    ),
    Account(
        id="times:u1", display_name="ROY Nadia", employee_no="M7", email="nadia.roy@corp.com", login="nroy"
    ),
    Account(id="times:u2", display_name="Paul Blanc"),
    Container(id="times:a", kind="table", code="A", name="A"),
    Task(id="times:t", container_id="times:a", title="T", assignee_id="times:u1"),
    Worklog(id="times:1", container_id="times:a", account_id="times:u1", day="2024-03-04", seconds=25200),
    Worklog(id="times:2", container_id="times:a", account_id="times:u1", day="2026-11-02", seconds=12600),
    Worklog(id="times:3", container_id="times:a", account_id="times:u2", day="2024-03-05", seconds=3600),
    Allocation(
        id="times:4",
        account_id="times:u1",
        container_id="times:a",
        start_on="2024-03-04",
        finish_on="2024-03-05",
        seconds=3600,
    ),
]
NAMES = (b"Nadia", b"ROY", b"nadia.roy", b"nroy", b"M7")


@pytest.fixture
def known(store: Store) -> Store:
    fill(store, ROWS)
    fill(store, [Account(id="times:u1", display_name="Nadia ROY-OLD", employee_no="M7")], [ROWS[1]])
    matching.propose(store, {}, actor="me")
    return store


def figures(store: Store, tmp_path: Path) -> list[tuple[Any, ...]]:
    feed = open_feed(build(store.engine, tmp_path / "feed", BuildOptions()).folder)
    found = feed.execute(
        "SELECT project_key, work_date, sum(seconds)::BIGINT, sum(days) FROM fact_worklog "
        "GROUP BY ALL ORDER BY ALL"
    ).fetchall()
    feed.close()
    return found


def test_export_holds_everything(known: Store) -> None:
    """All rows of the person and of her accounts, older images and decisions too, and nobody else's."""
    found = privacy.export(known, privacy.find(known, "NADIA.ROY@corp.com"))

    assert {"person", "account", "person_link", "worklog", "allocation", "task", "audit_log"} == set(found)
    assert {"Nadia ROY-OLD", "ROY Nadia"} == {row["display_name"] for row in found["account"]}
    assert 2 == len(found["worklog"])
    with pytest.raises(ConfigError, match="Nobody is called 'Zoe'"):
        privacy.find(known, "Zoe")


@pytest.mark.long
def test_erased_is_gone_from_the_file(known: Store, tmp_path: Path) -> None:
    """No byte of the name is left in the database, its memory or its log.

    Figures stay, and a sync does not bring the name back.
    """
    before = figures(known, tmp_path)
    privacy.begin(known, privacy.find(known, "nadia roy"), actor="me")
    done = privacy.finish(known, tmp_path / "feed", tmp_path, lambda _: []).rows
    after = figures(known, tmp_path)
    fill(known, ROWS[:2])
    path = Path(known.where)
    raw = b"".join(one.read_bytes() for one in path.parent.glob(path.name + "*"))

    assert before == after
    assert 2 == done["account"] + done["person"]
    assert 2 <= done["account_history"]
    assert [] == [name for name in NAMES if name in raw]
    assert "(effacé)" in {row["display_name"] for row in known.rows("SELECT display_name FROM account")}
    with pytest.raises(sqlite3.IntegrityError, match="never physically deleted"):
        known.connection.execute("DELETE FROM account")
    fill(known, [Account(id="times:u2", display_name="Paul Noir")])
    assert 1 == len(known.rows("SELECT 1 FROM account_history WHERE id = 'times:u2'")), (
        "the memory is back on"
    )


@pytest.mark.long
def test_purge_takes_persons_off_old_lines(known: Store, tmp_path: Path) -> None:
    """Lines older than the limit keep project, day, role and hours; younger ones keep their person."""
    before = figures(known, tmp_path)
    done = privacy.purge(known, keep_months=13, actor="me", today=date(2026, 11, 21))

    assert before == figures(known, tmp_path)
    assert {"times:1": "privacy:role/Dev", "times:2": "times:u1", "times:3": "privacy:role/?"} == {
        row["id"]: row["account_id"] for row in known.rows("SELECT id, account_id FROM worklog")
    }
    assert (2, 1) == (done["worklog"], done["allocation"])
    assert {} == {
        name: n
        for name, n in privacy.purge(known, keep_months=13, actor="me", today=date(2026, 11, 21)).items()
        if name != "audit_log"
    }
    with pytest.raises(ConfigError, match="at least 1"):
        privacy.purge(known, keep_months=0, actor="me")


def test_report_counts_persons(known: Store) -> None:
    """Rows that concern persons, their older images, and how far back they go."""
    held = {one.table: one for one in privacy.report(known)}

    assert (3, 0, "2024-03-04") == (
        held["worklog"].rows,
        held["worklog"].older_images,
        held["worklog"].oldest,
    )
    assert 2 == held["account"].older_images


def test_report_names_the_personal_fields(known: Store) -> None:
    """Each field that fields.csv calls personal, of its source alone, with the values that name somebody."""
    fields = [
        SiteField(
            id=f"config:fields/{name}", field=name, level="task", source="times", native=native, fr=name,
            en=name, personal=personal,
        )
        for name, native, personal in (
            ("sponsor", "Sponsor", True), ("tester", "Tester", True), ("lot", "Lot", False),
        )
    ]  # fmt: skip
    values = [
        CustomValue(id=f"{row}/{field}", row_id=row, field=field, text=text)
        for row, field, text in (
            ("times:t", "sponsor", "Nadia Roy"), ("times:t2", "Sponsor", None), ("other:t", "Sponsor", "N"),
            ("times:t", "Lot", "Nadia's"),
        )
    ]  # fmt: skip
    fill(known, [*fields, *values])
    fill(known, [CustomValue(id="times:t/sponsor", row_id="times:t", field="sponsor", text="Paul Blanc")])
    held = [one for one in privacy.report(known) if one.table == "custom_value"]

    assert [(("sponsor (task)",), 1, 1), (("tester (task)",), 0, 0)] == [
        (one.columns, one.rows, one.older_images) for one in held
    ]


@pytest.mark.long
def test_pseudonyms_need_a_key_outside(known: Store, tmp_path: Path) -> None:
    """Persons are told apart by an HMAC: another key gives other names, no key gives nothing, totals stay."""
    snapshot = build(Path(known.where), tmp_path / "feed", BuildOptions())
    with pytest.raises(ConfigError, match="key outside the store"):
        project_to("pseudonym-week", snapshot.folder, tmp_path / "a")
    folder = project_to("pseudonym-week", snapshot.folder, tmp_path / "a", secret=b"one")
    feed = open_feed(folder)
    labels = {
        row[0] for row in feed.execute("SELECT person_label FROM dim_person WHERE person_key < -1").fetchall()
    }
    total = feed.execute("SELECT sum(seconds)::BIGINT FROM fact_worklog").fetchall()
    feed.close()

    assert [(25200 + 12600 + 3600,)] == total
    assert all(label.startswith("P-") and len(label) == 14 for label in labels)
    assert pseudonym("1", b"one") != pseudonym("1", b"two")
    for path in folder.rglob("*.parquet"):
        assert not any(name in path.read_bytes() for name in (b"Nadia", b"Paul"))
