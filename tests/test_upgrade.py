"""Places that earlier commits made by their own code go on with this one (tests/upgrade/make.py)."""

from __future__ import annotations

import json
import sqlite3
import tarfile
from pathlib import Path
from typing import Any

import pytest

from hub.errors import StoreFull
from hub.store import Store, copies
from hub.store.migrations import migrations

MADE = sorted((Path(__file__).parent / "upgrade").glob("*.tar.gz"))
SAME = ("fact_worklog", "fact_task_snapshot", "fact_budget", "fact_allocation_week")
"""Tables whose sums the contract kept from the first feed on; the others show more than they did."""
HOURS = 12 * (0 + 1 + 2 + 3 + 4 + 5 + 6) + (0 + 1 + 2 + 3 + 4 + 5) + 90 * 1.5
"""What hours.csv sums to, by hand: 90 rows of one and a half hours and the rest of their number by seven."""


def put(made: Path, place: Path) -> dict[str, Any]:
    """Unpack the place *made* and return the figures of the feed that its own code built."""
    with tarfile.open(made) as archive:
        archive.extractall(place, filter="data")
    return json.loads((place / "figures.json").read_text(encoding="utf-8"))


def figures(place: Path) -> dict[str, dict[str, float | None]]:
    feed = place / "data" / "feed"
    current = feed / (feed / "CURRENT").read_text(encoding="utf-8").strip() / "manifest.json"
    tables = json.loads(current.read_text(encoding="utf-8"))["tables"]
    return {name: {"rows": one["rows"], **one["sums"]} for name, one in tables.items()}


def asked(path: Path, sql: str) -> list[tuple[Any, ...]]:
    with sqlite3.connect(path) as connection:
        found = connection.execute(sql).fetchall()
    connection.close()
    return found


def test_places_of_five_ages_are_kept() -> None:
    """The first landed store is among them, each is small, and none is of this version already."""
    assert ["0001_house", "0002_figures", "0007_outside", "0009_access_groups", "0012_retention"] == [
        path.name.removesuffix(".tar.gz") for path in MADE
    ]
    assert all(path.stat().st_size < 100_000 for path in MADE)


@pytest.mark.long
@pytest.mark.sample(2)
@pytest.mark.parametrize("made", MADE, ids=lambda path: path.name.removesuffix(".tar.gz"))
def test_a_place_of_an_earlier_commit_goes_on(made: Path, hub_folder: Path, run_hub) -> None:
    """It opens, migrates, reads its sources without a change, and its feed sums to what it did then."""
    before = put(made, hub_folder)
    told = run_hub("upgrade", "--check", "--json")
    store = hub_folder / "data" / "hub.db"
    pending = json.loads(told.output)["pending"]
    untouched = {row[0] for row in asked(store, "SELECT name FROM _sqlite_migrations")}

    ran = run_hub("run")

    assert (0, 0) == (told.exit_code, ran.exit_code), ran.error
    assert made.name.removesuffix(".tar.gz") == max(untouched)
    assert pending == [one.name for one in migrations._migrations if one.name not in untouched]
    assert [(0, 0)] == asked(store, "SELECT sum(inserted), sum(updated) FROM sync_run WHERE id > "
                                    "(SELECT count(*) / 2 FROM sync_run)")  # fmt: skip
    after = figures(hub_folder)
    for table in SAME:
        kept = {name: value for name, value in before[table].items() if value is not None}

        assert kept == pytest.approx({name: after[table][name] for name in kept}), table
    assert pytest.approx(HOURS) == after["fact_worklog"]["seconds"] / 3600


@pytest.mark.long
@pytest.mark.sample(2)
@pytest.mark.parametrize("made", MADE[1:], ids=lambda path: path.name.removesuffix(".tar.gz"))
def test_cuts_and_sealed_months_of_an_earlier_commit_stay(made: Path, hub_folder: Path, run_hub) -> None:
    """The closed cut, the open one and the sealed month are known, and the month's lines are as they were."""
    put(made, hub_folder)
    store = hub_folder / "data" / "hub.db"
    lines = asked(store, "SELECT kind, row_id, seconds, days, amount_minor FROM period_line ORDER BY 1, 2")

    assert 0 == run_hub("run").exit_code
    cuts = json.loads(run_hub("cut", "list", "--json").output)
    assert [("A committee", True), ("Still open", False)] == [
        (one["label"], one["closed_at"] is not None) for one in cuts
    ]
    assert lines == asked(
        store, "SELECT kind, row_id, seconds, days, amount_minor FROM period_line ORDER BY 1, 2"
    )
    assert 0 == run_hub("store", "verify").exit_code


def test_a_copy_is_kept_before_the_first_migration(hub_folder: Path, run_hub) -> None:
    """Beside the store lies what it was, whole and of its version: with it the older hub goes on."""
    put(MADE[0], hub_folder)
    store = hub_folder / "data" / "hub.db"
    before = copies.contents(store)

    assert 0 == run_hub("upgrade").exit_code

    kept = hub_folder / "data" / "hub.db.before-0001_house"
    assert before == copies.contents(kept)
    assert not copies.schema(store).pending
    assert 0o600 == kept.stat().st_mode & 0o777
    assert "of this version" in run_hub("upgrade").output


def test_nothing_is_migrated_where_no_copy_can_be_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk without room for the copy leaves the store as it was, and says so."""
    put(MADE[0], tmp_path)
    store = tmp_path / "data" / "hub.db"
    before = copies.contents(store)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("hub.store.engines.sqlite.os.replace", full)
        with pytest.raises(StoreFull, match="was not brought to this version"):
            Store.open(store)

    assert before == copies.contents(store)
    assert ["hub.db"] == [path.name for path in store.parent.glob("*hub.db*") if path.suffix != ".lock"
                          and not path.name.endswith(("-wal", "-shm"))]  # fmt: skip


def test_every_migration_is_told_in_words() -> None:
    """`hub upgrade --check` has a word for each of them."""
    assert [one.name for one in migrations._migrations] == list(copies.WHAT)


def test_the_copy_before_the_last_upgrade_replaces_the_one_before(tmp_path: Path) -> None:
    """Copies do not pile up: one is kept, the newest."""
    put(MADE[0], tmp_path)
    store = tmp_path / "data" / "hub.db"
    older = store.with_name("hub.db.before-0000_older")
    older.write_bytes(b"")

    Store.open(store).close()

    assert ["hub.db.before-0001_house"] == [path.name for path in store.parent.glob("hub.db.before-*")]
