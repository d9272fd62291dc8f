"""A place of years: backups restored equal at any moment, nothing overwritten, and what may be forgotten."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import random
import re
import shutil
import sqlite3
import subprocess
import sys
import tarfile
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kill_target
import pytest

from hub import clock
from hub.errors import HubError, StoreError
from hub.feed import BuildOptions
from hub.publish import PublishOptions, cuts, moment_of, publish
from hub.records import BY_TABLE, Account, Container, Project, ProjectLink, Task, Worklog
from hub.store import Store, copies
from hub.store.moving import contents
from hub.store.retention import Limits, months_before, prune
from hub.testing import store_image
from hub.upkeep import Paths, backup, inspect, restore, rotate

README = Path(__file__).parents[1] / "README.md"
_HUB = """store = "sqlite:///data/hub.db"
feed = "data/feed"

[sources.tasks]
kind = "tabular"
path = "{where}/tasks.csv"
mapping = "mappings/tasks.toml"

[sources.hours]
kind = "tabular"
path = "{where}/hours.csv"
mapping = "mappings/hours.toml"

[destinations.office]
kind = "files"
path = "out"
formats = ["csv"]
"""
_TASKS = """record = "task"
key = ["no"]
[fields]
container_id = "project"
title = "title"
estimate_s = { column = "hours", unit = "hours" }
"""
_HOURS = """record = "worklog"
key = ["no"]
[fields]
container_id = "project"
account_id = "who"
day = "day"
seconds = { column = "hours", unit = "hours" }
"""


def no_key(where: str) -> str:
    raise AssertionError(f"no passphrase was to be asked for: {where}")


@pytest.fixture(scope="module")
def first_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that `place` copies: empty until the first of its tests has made it."""
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the tables that the places read; it lies outside of them."""
    folder = tmp_path_factory.mktemp("tables")
    (folder / "tasks.csv").write_text("no,project,title,hours\n1,P,One,20\n2,P,Two,30\n")
    (folder / "hours.csv").write_text(
        "no,project,who,day,hours\n1,P,ann,2026-07-01,7\n2,P,bob,2026-07-02,3.5\n"
    )
    return folder


@pytest.fixture
def place(first_place: Path, tables: Path, hub_folder: Path, run_hub) -> Path:
    """Return a place that ran once, with a closed cut, an open one, a sealed month and a feed."""
    if any(first_place.iterdir()):
        shutil.copytree(first_place, hub_folder, dirs_exist_ok=True)
        return hub_folder
    config = hub_folder / "config"
    (config / "hub.toml").write_text(_HUB.format(where=tables.as_posix()))
    (config / "projects.csv").write_text("code,name,level\nP,Project,project\n")
    (config / "project_links.csv").write_text(
        'project_code,source,container,facets\nP,tasks,P,"schedule,effort"\nP,hours,P,actuals\n'
    )
    (hub_folder / "mappings").mkdir()
    (hub_folder / "mappings" / "tasks.toml").write_text(_TASKS)
    (hub_folder / "mappings" / "hours.toml").write_text(_HOURS)
    for command in (
        ("run",), ("cut", "take", "--label", "Closed"), ("cut", "close", "Closed"),
        ("cut", "take", "--label", "Open"), ("close", "2026-07"),
    ):  # fmt: skip
        seen = run_hub(*command)
        assert 0 == seen.exit_code, (command, seen.output, seen.error)
    shutil.copytree(hub_folder, first_place, dirs_exist_ok=True)
    return hub_folder


def paths_of(folder: Path) -> Paths:
    return Paths(
        base=folder, config=folder / "config" / "hub.toml", store=folder / "data" / "hub.db",
        feed=folder / "data" / "feed",
    )  # fmt: skip


def dump(path: Path) -> str:
    """Return the whole store as SQLite itself tells it."""
    with sqlite3.connect(path) as connection:
        text = "\n".join(connection.iterdump())
    connection.close()
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def files_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def still(folder: Path) -> dict[str, bytes]:
    """Return the files but for what SQLite has beside a store while it is read."""
    return {name: data for name, data in files_of(folder).items() if not name.endswith(("-shm", "-wal"))}


# ---------- back up and restore ----------


@pytest.mark.long
def test_a_restored_place_is_equal(place: Path, run_hub, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Store, cuts, feed and configuration are byte for byte or row for row what they were."""
    other = tmp_path_factory.mktemp("other")
    before = dump(place / "data" / "hub.db")
    made = run_hub("store", "backup", "kept.tar.gz")

    assert 0 == made.exit_code, made.error
    assert 0o600 == (place / "kept.tar.gz").stat().st_mode & 0o777
    assert 0 == run_hub("store", "verify", "kept.tar.gz").exit_code
    assert 0 == run_hub("store", "restore", "kept.tar.gz", "--to", str(other)).exit_code
    assert before == dump(other / "data" / "hub.db")
    for folder in ("config", "mappings", "data/cuts"):
        assert files_of(place / folder) == files_of(other / folder), folder
    feed_id = (place / "data" / "feed" / "CURRENT").read_text()
    assert feed_id == (other / "data" / "feed" / "CURRENT").read_text()
    assert files_of(place / "data" / "feed" / feed_id) == files_of(other / "data" / "feed" / feed_id)
    assert files_of(place / "data/feed/projections/groups") == files_of(
        other / "data/feed/projections/groups"
    )


def test_a_backup_is_a_plain_archive(place: Path, run_hub) -> None:
    """Who has no pm-hub unpacks it by tar, and finds the store as SQLite reads it."""
    run_hub("store", "backup", "kept.tar.gz")

    with tarfile.open(place / "kept.tar.gz") as archive:
        archive.extractall(place / "by-hand", filter="data")
    told = json.loads((place / "by-hand" / "pm-hub-backup.json").read_text(encoding="utf-8"))

    assert dump(place / "data" / "hub.db") == dump(place / "by-hand" / "store" / "hub.db")
    assert 2 == told["tables"]["worklog"]["rows"]
    assert {
        name: hashlib.sha256(data).hexdigest()
        for name, data in files_of(place / "by-hand").items()
        if name != "pm-hub-backup.json"
    } == {name: one["sha256"] for name, one in told["files"].items()}


@pytest.mark.long
@pytest.mark.proof("kills")
def test_a_backup_at_any_moment_of_a_sync(tmp_path: Path, proof: bool) -> None:
    """Restored, it goes on to what an undisturbed run makes, at 20 random moments; batches are whole."""
    calm = tmp_path / "calm" / "hub.db"
    calm.parent.mkdir()
    assert 0 == kill_target.run(calm, pause=0)
    with Store.open(calm) as store:
        wanted = store_image(store)
    rng = random.Random(24)
    seen = set()
    for number in range(20 if proof else 3):
        running = tmp_path / str(number)
        running.mkdir()
        (running / "config").mkdir()
        (running / "config" / "hub.toml").write_text("")
        child = subprocess.Popen(
            [sys.executable, str(Path(kill_target.__file__)), str(running / "data" / "hub.db"), "0.004"],
            stdout=subprocess.PIPE,
        )
        assert child.stdout is not None
        assert b"go\n" == child.stdout.readline()
        time.sleep(rng.uniform(0.0, 0.25))
        archive = running / "backup.tar.gz"
        alive = child.poll() is None
        made = backup(paths_of(running), archive)
        child.communicate()

        done = restore(archive, tmp_path / f"restored-{number}", no_key)

        assert 0 == child.returncode
        assert made.manifest["tables"] == {
            name: {"rows": one.rows, "sha256": one.sha256}
            for name, one in copies.contents(done.paths.store).items()
        }
        rows = made.manifest["tables"]
        with sqlite3.connect(done.paths.store) as restored:
            done_batches = dict(
                restored.execute("SELECT partition, value FROM cursor WHERE partition IN ('a','b','c','d')")
            )
            tasks = restored.execute("SELECT count(*) FROM task WHERE id NOT LIKE 's:all/%'").fetchone()[0]
        restored.close()
        assert kill_target.ROWS * sum(int(value) for value in done_batches.values()) == tasks
        seen.add((alive, rows["task"]["rows"]))
        assert 0 == kill_target.run(done.paths.store, pause=0)
        with Store.open(done.paths.store) as store:
            assert wanted == store_image(store)
    assert len(seen) > 1, "the moments differed"


def test_nothing_is_overwritten(place: Path, run_hub) -> None:
    """What is there is refused, and told; with --force it is moved aside whole, its log too."""
    run_hub("store", "backup", "kept.tar.gz")
    shutil.move(place / "kept.tar.gz", place.parent / "kept.tar.gz")
    kept = dump(place / "data" / "hub.db")
    run_hub("cut", "take", "--label", "Later")
    later = dump(place / "data" / "hub.db")
    (place / "config" / "projects.csv").write_text("code,name,level\nQ,Other,project\n")
    before = still(place)

    refused = run_hub("store", "restore", str(place.parent / "kept.tar.gz"))

    assert 1 == refused.exit_code
    assert "hub.db" in refused.error
    assert before == still(place)
    assert 0 == run_hub("store", "restore", str(place.parent / "kept.tar.gz"), "--force").exit_code
    assert kept == dump(place / "data" / "hub.db")
    (aside,) = place.glob("before-restore-*")
    assert later == dump(aside / "data" / "hub.db")
    assert b"Q,Other" in (aside / "config" / "projects.csv").read_bytes()
    assert b"P,Project" in (place / "config" / "projects.csv").read_bytes()


def test_an_old_log_is_not_applied_to_a_restored_store(place: Path) -> None:
    """A log that a killed run left beside the store that was there goes aside with it."""
    archive = place.parent / "kept.tar.gz"
    backup(paths_of(place), archive)
    kept = dump(place / "data" / "hub.db")
    writing = sqlite3.connect(place / "data" / "hub.db", isolation_level=None)
    writing.execute("UPDATE worklog SET seconds = 1, recorded_at = '2099-01-01T00:00:00.000000Z'")
    assert (place / "data" / "hub.db-wal").stat().st_size

    done = restore(archive, place, no_key, force=True)
    writing.close()

    assert kept == dump(place / "data" / "hub.db")
    assert done.aside is not None
    assert (done.aside / "data" / "hub.db").exists()


def test_the_configuration_may_stay(place: Path, run_hub) -> None:
    """With --data-only the configuration that is there is left as it is."""
    run_hub("store", "backup", "kept.tar.gz")
    shutil.rmtree(place / "data")
    (place / "config" / "projects.csv").write_text("code,name,level\nP,Renamed,project\n")

    assert 1 == run_hub("store", "restore", "kept.tar.gz").exit_code
    assert 0 == run_hub("store", "restore", "kept.tar.gz", "--data-only").exit_code
    assert "Renamed" in (place / "config" / "projects.csv").read_text()
    assert (place / "data" / "cuts" / "1").is_dir()


@pytest.mark.long
@pytest.mark.parametrize("sealed", [False, True])
def test_a_damaged_backup_is_none(place: Path, proof: bool, sealed: bool) -> None:
    """Cut off anywhere, or with one bit another, it is refused with a sentence, and nothing is put there."""
    archive = place.parent / "kept"
    backup(paths_of(place), archive, passphrase="s" if sealed else None, source="env=X")
    whole = archive.read_bytes()
    rng = random.Random(7)
    other = place.parent / "other"
    places = [0, 1, len(whole) - 1, *(rng.randrange(len(whole)) for _ in range(60 if proof else 5))]
    for at in places:
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]):
            archive.write_bytes(data)
            refused, done = None, None
            try:
                done = restore(archive, other, lambda _: "s")
            except HubError as exc:
                refused = str(exc)

            left = [path for path in other.rglob("*") if path.is_file()]
            # a bit may say nothing: of the head of gzip, or of where the passphrase lies
            assert (refused and not left) or (done and done.rows)
            shutil.rmtree(other, ignore_errors=True)
    archive.write_bytes(whole)

    assert inspect(archive, lambda _: "s").rows


def test_an_encrypted_backup_says_nothing(place: Path, run_hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """No name and no text is in it; another passphrase opens nothing; where the right one lies it tells."""
    monkeypatch.setenv("KEPT_KEY", "correct horse")
    assert 0 == run_hub("store", "backup", "kept.sealed", "--key", "env=KEPT_KEY").exit_code
    data = (place / "kept.sealed").read_bytes()

    assert b"correct horse" not in data
    assert not [text for text in (b"hub.toml", b"worklog", b"SQLite", b"\x1f\x8b\x08") if text in data]
    assert 0 == run_hub("store", "verify", "kept.sealed").exit_code
    monkeypatch.setenv("KEPT_KEY", "another one")
    wrong = run_hub("store", "verify", "kept.sealed")
    assert 1 == wrong.exit_code
    assert "passphrase" in wrong.error
    literal = run_hub("store", "backup", "x.sealed", "--key", "correct horse")
    assert 2 == literal.exit_code
    assert "correct horse" not in literal.error + literal.output


@pytest.mark.long
def test_chunks_of_an_encrypted_file_cannot_be_moved(tmp_path: Path) -> None:
    """Left out, swapped, repeated or cut at its border, a chunk is refused; a second sealing differs."""
    from hub.upkeep.sealing import Sealing, Unsealing

    data = random.Random(1).randbytes(3_500_000)

    def seal() -> bytes:
        out = io.BytesIO()
        sealing = Sealing(out, "p", source="env=X")
        for start in range(0, len(data), 99_999):
            sealing.write(data[start : start + 99_999])
        sealing.close()
        return out.getvalue()

    def unseal(raw: bytes) -> bytes:
        return Unsealing(io.BytesIO(raw), "p").read()

    raw = seal()
    head = raw.index(b"\n") + 1
    size = (1 << 20) + 16
    chunks = [raw[at : at + size] for at in range(head, len(raw), size)]

    assert data == unseal(raw)
    assert raw != seal()
    assert 4 == len(chunks)
    for order in ((0, 1, 2), (0, 2, 1, 3), (0, 1, 1, 2, 3), (1, 2, 3), (0, 1, 3), (0, 1, 2, 3, 3)):
        with pytest.raises(StoreError):
            unseal(raw[:head] + b"".join(chunks[one] for one in order))
    with pytest.raises(StoreError):
        unseal(raw[:head].replace(b"env=X", b"env=Y") + raw[head:])


@pytest.mark.parametrize("length", [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 2 << 20])
def test_sealing_at_the_borders_of_chunks(length: int) -> None:
    """What was sealed is what is opened, whatever its length."""
    from hub.upkeep.sealing import Sealing, Unsealing

    data = random.Random(length).randbytes(length)
    out = io.BytesIO()
    sealing = Sealing(out, "p", source="env=X")
    sealing.write(data)
    sealing.close()
    opened = Unsealing(io.BytesIO(out.getvalue()), "p")

    assert data == opened.read(7) + opened.read()
    assert b"" == opened.read(1)


@pytest.mark.parametrize(
    "name", ["../evil", "/etc/evil", "store/../../evil", "base/../../evil", "evil", "store"]
)
def test_a_member_never_leaves_the_place(tmp_path: Path, name: str) -> None:
    """An archive that somebody made by hand writes nothing outside of where it is unpacked."""
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        info = tarfile.TarInfo(name)
        info.size = 4
        made.addfile(info, io.BytesIO(b"evil"))
    (tmp_path / "deep" / "other").mkdir(parents=True)

    with pytest.raises(StoreError):
        restore(archive, tmp_path / "deep" / "other", no_key)

    assert ["evil.tar.gz"] == [path.name for path in tmp_path.rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_member_is_a_file(tmp_path: Path, kind: bytes) -> None:
    """A link or a device in an archive is refused."""
    archive = tmp_path / "evil.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        info = tarfile.TarInfo("store/hub.db")
        info.type, info.linkname = kind, "/etc/passwd"
        made.addfile(info)

    with pytest.raises(StoreError):
        restore(archive, tmp_path / "other", no_key)


def test_secrets_are_left_out_unless_asked_for(place: Path, run_hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files that hold them and sign-ins are named and not taken; asked for, they go only encrypted."""
    config = place / "config" / "hub.toml"
    secret = place / "config" / "tool.token"
    secret.write_text("hush hush")
    secret.chmod(0o600)
    (place / "config" / ".env").write_text("hush hush")
    (place / "data" / "signin").mkdir()
    (place / "data" / "signin" / "plans.json").write_text("hush hush")
    config.write_text(config.read_text() + '\n[privacy]\nkey = { file = "config/tool.token" }\n')
    monkeypatch.setenv("KEPT_KEY", "k")

    made = run_hub("store", "backup", "plain.tar.gz")
    clear = run_hub("store", "backup", "clear.tar.gz", "--secrets")
    sealed = run_hub("store", "backup", "sealed", "--secrets", "--key", "env=KEPT_KEY")

    assert (0, 2) == (made.exit_code, clear.exit_code)
    assert {"config/tool.token", "data/signin/plans.json"} <= set(re.split(r"[ ,()]+", made.output))
    assert b"hush" not in gzip.decompress((place / "plain.tar.gz").read_bytes())
    assert not (place / "clear.tar.gz").exists()
    assert (0, False) == (sealed.exit_code, (place / "sealed").is_dir()) or (place / "sealed").is_dir()
    (archive,) = (place / "sealed").glob("*") if (place / "sealed").is_dir() else [place / "sealed"]
    done = restore(archive, place.parent / "other", lambda _: "k")
    assert "hush hush" == (done.paths.base / "config" / "tool.token").read_text()
    assert "hush hush" == (done.paths.base / "data" / "signin" / "plans.json").read_text()


def test_a_folder_keeps_the_newest(place: Path, run_hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of one environment the oldest beyond [backup] keep go; those of another and other files stay."""
    config = place / "config" / "hub.toml"
    config.write_text('environment = "production"\n' + config.read_text()
                      + '\n[backup]\nfolder = "kept"\nkeep = 2\n')  # fmt: skip
    (place / "kept").mkdir()
    (place / "kept" / "pm-hub-test-20200101T000000Z.tar.gz").write_bytes(b"")
    (place / "kept" / "notes.txt").write_bytes(b"")
    for day in (1, 2, 3):
        seen = run_hub("--now", f"2027-01-0{day}T05:00:00Z", "store", "backup")
        assert 0 == seen.exit_code, seen.error

    assert [
        "notes.txt",
        "pm-hub-production-20270102T050000Z.tar.gz",
        "pm-hub-production-20270103T050000Z.tar.gz",
        "pm-hub-test-20200101T000000Z.tar.gz",
    ] == sorted(path.name for path in (place / "kept").iterdir())
    assert "production" in run_hub("status").output
    assert "production" == json.loads(run_hub("status", "--json").output)["environment"]


def test_rotating_never_empties_a_folder(tmp_path: Path) -> None:
    """One backup is always kept."""
    (tmp_path / "pm-hub-20270102T050000Z.tar.gz").write_bytes(b"")

    assert [] == rotate(tmp_path, None, keep=0)


@pytest.mark.long
def test_a_run_backs_up_as_configured(place: Path, run_hub) -> None:
    """With each_run, a run ends with a backup; one that cannot be made is told, and the feed is there."""
    config = place / "config" / "hub.toml"
    text = config.read_text()
    config.write_text(text + '\n[backup]\nfolder = "kept"\neach_run = true\n')

    assert 0 == run_hub("run").exit_code
    assert 1 == len(list((place / "kept").glob("*.tar.gz")))
    before = (place / "data" / "feed" / "CURRENT").read_text()
    (place / "taken").write_text("a file, no folder")
    config.write_text(text + '\n[backup]\nfolder = "taken"\neach_run = true\n')
    seen = run_hub("run")
    assert 3 == seen.exit_code
    assert "no backup was made" in seen.error
    assert before != (place / "data" / "feed" / "CURRENT").read_text()


def test_a_backup_of_a_damaged_store_is_not_made(place: Path, run_hub) -> None:
    """The last good backup is not replaced by one that nobody can restore."""
    store = place / "data" / "hub.db"
    data = bytearray(store.read_bytes())
    for at in range(40_000, len(data) - 4096, 4096):
        data[at : at + 200] = b"\xff" * 200
    store.write_bytes(data)

    seen = run_hub("store", "backup", "kept.tar.gz")

    assert 1 == seen.exit_code
    assert not (place / "kept.tar.gz").exists()
    assert [] == list((place / "data").glob(".backup-*"))
    assert 1 == run_hub("store", "verify").exit_code


def test_an_altered_cut_is_told(place: Path, run_hub) -> None:
    """The backup is made, says what is not whole, and the exit code does too; so does its restore."""
    victim = place / "data" / "cuts" / "1" / "fact_kpi.parquet"
    victim.write_bytes(victim.read_bytes()[:-1] + b"x")

    made = run_hub("store", "backup", "kept.tar.gz")

    assert 3 == made.exit_code
    assert "'Closed'" in made.output
    assert 1 == run_hub("store", "verify").exit_code
    assert 3 == run_hub("store", "restore", "kept.tar.gz", "--to", str(place / "other")).exit_code


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("UPDATE period_line SET seconds = seconds + 1 WHERE row_id LIKE 'hours:%/2'", 1),
        ("UPDATE period_line SET category = 'Absence' WHERE row_id LIKE 'hours:%/1'", 1),
        ("DELETE FROM period_line WHERE row_id LIKE 'hours:%/2'", 1),
        ("UPDATE period_close SET digest = 'x' || substr(digest, 2)", 1),
        ("UPDATE period_close SET actor = 'another'", 0),
    ],
)
def test_a_line_of_a_sealed_month_is_as_it_was_sealed(place: Path, damage: str, named: int) -> None:
    """A byte that differs in what a sealed month keeps is found, and the month named."""
    store = place / "data" / "hub.db"
    with contextlib.closing(sqlite3.connect(store, isolation_level=None)) as connection:
        assert 1 <= connection.execute(damage).rowcount

    assert named == len([line for line in copies.altered_seals(store) if "2026-07" in line])


def test_an_altered_month_is_told(place: Path, run_hub) -> None:
    """By the store's own proof; the backup of it is made and says so, and so does its restore."""
    whole = run_hub("store", "verify")
    with contextlib.closing(sqlite3.connect(place / "data" / "hub.db", isolation_level=None)) as connection:
        connection.execute("UPDATE period_line SET seconds = seconds + 1")
    seen = [
        run_hub("store", "verify"), run_hub("store", "backup", "kept.tar.gz"),
        run_hub("store", "restore", "kept.tar.gz", "--to", str(place / "other")),
    ]  # fmt: skip

    assert [0, 1, 3, 3] == [one.exit_code for one in (whole, *seen)]
    assert all("sealed month 2026-07" in one.output for one in seen)


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (
            "UPDATE clock SET last = '2020-01-01T00:00:00.000000Z'",
            r"\d rows of task are later than the clock",
        ),
        (
            "INSERT INTO task_history SELECT *, '2999-01-01T00:00:00.000000Z', 1 FROM task LIMIT 1",
            "1 older image of task overlaps another one in time",
        ),
        (
            (
                "INSERT INTO task_history SELECT *, '2999-01-01T00:00:00.000000Z', 1 FROM task LIMIT 1; "
                "UPDATE task_history SET key = 999, recorded_at = '2019-01-01T00:00:00.000000Z'"
            ),
            "1 older image of task is of no row",
        ),
        ("DELETE FROM source WHERE id = 'hours'", "rows? of sync_run names? what is not there"),
    ],
)
def test_a_broken_memory_is_told(place: Path, run_hub, damage: str, told: str) -> None:
    """What no page tells: an image that is of no row or of two moments, a run of no source."""
    with contextlib.closing(sqlite3.connect(place / "data" / "hub.db")) as connection:
        connection.executescript(damage)

    seen = run_hub("store", "verify")

    assert 1 == seen.exit_code
    assert re.search(told, seen.output), seen.output


@pytest.mark.long
def test_a_copy_stands_beside(place: Path, run_hub) -> None:
    """A test place is a whole one, calls itself so, and its run leaves the production place alone."""
    before = dump(place / "data" / "hub.db")
    copied = run_hub("store", "copy", "beside", "--environment", "test")

    assert 0 == copied.exit_code, copied.error
    assert "office" in copied.output, "whose destinations may be those of production"
    assert before == dump(place / "beside" / "data" / "hub.db")
    beside = ("--config", str(place / "beside" / "config" / "hub.toml"))
    assert 0 == run_hub(*beside, "run").exit_code
    assert "test" == json.loads(run_hub(*beside, "status", "--json").output)["environment"]
    assert before == dump(place / "data" / "hub.db")
    assert (place / "beside" / "out").is_dir()


def test_a_store_outside_of_its_place(place: Path, run_hub, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A store at an absolute path goes there again; into another folder it does not, and that is told."""
    away = tmp_path_factory.mktemp("away")
    config = place / "config" / "hub.toml"
    config.write_text(
        config.read_text()
        .replace('"sqlite:///data/hub.db"', f'"sqlite:///{(away / "hub.db").as_posix()}"')
        .replace('"data/feed"', f'"{(away / "feed").as_posix()}"')
    )
    shutil.move(place / "data" / "hub.db", away / "hub.db")
    shutil.move(place / "data" / "feed", away / "feed")
    shutil.move(place / "data" / "cuts", away / "cuts")
    before = dump(away / "hub.db")
    assert 0 == run_hub("store", "backup", "kept.tar.gz").exit_code

    inside = run_hub("store", "restore", "kept.tar.gz", "--to", str(place / "other"))
    refused = run_hub("store", "restore", "kept.tar.gz")
    for path in away.iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    again = run_hub("store", "restore", "kept.tar.gz")

    assert (0, 1, 0) == (inside.exit_code, refused.exit_code, again.exit_code), again.error
    assert before == dump(place / "other" / "data" / "hub.db") == dump(away / "hub.db")
    assert "sqlite:///data/hub.db" in inside.output
    assert (away / "cuts" / "1").is_dir()


def test_the_disk_is_full(place: Path, run_hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """A backup that cannot be written leaves nothing, and the one that was there."""
    (place / "kept.tar.gz").write_bytes(b"the last one")

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(tarfile.TarFile, "addfile", full)
        seen = run_hub("store", "backup", "kept.tar.gz")

    assert 1 == seen.exit_code
    assert "No space left" in seen.error
    assert b"the last one" == (place / "kept.tar.gz").read_bytes()
    assert [] == [path for path in (*place.iterdir(), *(place / "data").iterdir())
                  if path.name.startswith((".kept", ".backup"))]  # fmt: skip


def test_a_newer_backup_is_not_restored(place: Path, run_hub) -> None:
    """One made by a newer hub is refused as its store would be, before anything is put anywhere."""
    with sqlite3.connect(place / "data" / "hub.db") as store:
        store.execute(
            "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES ('pm-hub', "
            "'9999_later', '')"
        )
    store.close()
    assert 0 == run_hub("store", "backup", "kept.tar.gz").exit_code

    seen = run_hub("store", "restore", "kept.tar.gz", "--to", "other")

    assert 1 == seen.exit_code
    assert "9999_later" in seen.error
    assert [] == list((place / "other").iterdir())


# ---------- a restored machine ----------


@pytest.mark.long
def test_a_restored_machine_runs_by_the_readme(
    place: Path, run_hub, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With the backup and what README.md shows, an empty folder comes to the next green run and no change."""
    kept = tmp_path_factory.mktemp("kept")
    run_hub("store", "backup", str(kept))
    (archive,) = kept.glob("*.tar.gz")
    machine = tmp_path_factory.mktemp("machine")
    monkeypatch.chdir(machine)
    text = README.read_text(encoding="utf-8")
    shown = re.search(r"## When a machine is lost\n.*?```sh\n(.*?)```", text, re.DOTALL)
    assert shown
    commands = [line.partition("#")[0].split()[1:] for line in shown.group(1).splitlines()]

    for command in commands:
        seen = run_hub(*(str(archive) if one == "BACKUP" else one for one in command))
        assert 0 == seen.exit_code, (command, seen.output, seen.error)

    assert ["run"] == commands[-1]
    assert dump(place / "data" / "hub.db") != ""
    with Store.open(place / "data" / "hub.db") as old, Store.open(machine / "data" / "hub.db") as new:
        assert store_image(old) == store_image(new)
        assert "ok" == new.runs("hours", limit=1)[0].verdict
    assert (machine / "out" / "latest").is_dir()


# ---------- retention ----------


def lived(store: Store, moments: list[datetime]) -> None:
    """Let tasks and hours change at each of *moments*, with a cut at the second."""
    for number, moment in enumerate(moments):
        clock.pretend(moment)
        store.register_source(
            "s", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=36_000_000
        )
        run = store.begin_run("s", "full")
        store.write_batch(
            [
                Project(id="s:P", code="P", level="project", name="P"),
                ProjectLink(id="s:l", project_code="P", container_id="s:c", facets="schedule,effort,actuals"),
                Container(id="s:c", kind="plan", name="C"),
                Account(id="s:a", display_name="Ann"),
                Task(id="s:t", container_id="s:c", title=f"Title {number}", estimate_s=3600 * (number + 1)),
                Worklog(id="s:w", task_id="s:t", container_id="s:c", account_id="s:a", day="2026-01-05",
                        seconds=3600 * (number + 1)),
            ],
            run_id=run, source_id="s",
        )  # fmt: skip
        store.end_run(run, "ok")
        if number == 1:
            cuts.take(store, kind="copil", label="The cut", actor="test")


def out(store: Store, tmp_path: Path, as_of: str | None = None) -> dict[str, Any]:
    options = PublishOptions(base=tmp_path, build=BuildOptions(as_of=as_of), keep=500, freshness="warn")
    report = publish(store, tmp_path / "data" / "feed", [], options)
    assert report.current, [one.text for one in report.findings]
    tables = json.loads((Path(report.folder) / "manifest.json").read_text())["tables"]
    return {name: (one["rows"], one["sums"]) for name, one in tables.items()}


@pytest.fixture
def years(store: Store) -> tuple[Store, list[datetime]]:
    """Return a store of eight half-years."""
    moments = [datetime(2023, 1, 10, tzinfo=UTC) + timedelta(days=182 * number) for number in range(8)]
    lived(store, moments)
    return store, moments


@pytest.fixture(autouse=True)
def the_real_clock() -> Any:
    """Let the clock be the machine's again."""
    yield
    clock.pretend(None)


def known(store: Store, moments: list[str]) -> list[dict[str, list[dict[str, Any]]]]:
    """Return every table as it was known at each of *moments*."""
    return [{table: store.as_of(table, moment) for table in BY_TABLE} for moment in moments]


@pytest.mark.long
def test_forgotten_images_move_no_figure(years: tuple[Store, list[datetime]], tmp_path: Path) -> None:
    """Today, the cut, and every moment since the limit are what they were; the rest is refused."""
    store, moments = years
    days = ("The cut", "2025-01-01", "2025-08-01", "2026-02-01", "2026-07-07")
    later = [str(moment_of(store, day)) for day in days]
    before = known(store, later)
    feed = out(store, tmp_path, as_of=later[0])
    images = store.rows("SELECT count(*) AS n FROM task_history")[0]["n"]

    freed = prune(store, Limits(history=months_before(moments[-1].date(), 18)), actor="test")

    assert (7, 2) == (images, freed["task_history"]), "of 7, four are young and one is the cut's"
    assert before == known(store, later)
    assert feed == out(store, tmp_path, as_of=later[0])
    with pytest.raises(HubError, match="forgot what it knew on 2024-01-01"):
        moment_of(store, "2024-01-01")
    with pytest.raises(HubError, match="forgot what it knew"):
        cuts.take(store, kind="copil", label="Late", actor="test", as_of="2023-08-01")
    assert {} == prune(store, Limits(history=months_before(moments[-1].date(), 18)), actor="test")


def test_a_rehearsal_frees_nothing(years: tuple[Store, list[datetime]]) -> None:
    """What --dry-run says is what is freed, and nothing is until then."""
    store, moments = years
    limits = Limits(history=moments[-1].date(), runs=moments[-1].date(), deliveries=moments[-1].date())
    before = contents(store.engine)

    with store.rehearsal():
        told = prune(store, limits, actor="test")

    assert before == contents(store.engine)
    assert told == prune(store, limits, actor="test")
    assert before != contents(store.engine)


def test_runs_that_are_asked_for_stay(years: tuple[Store, list[datetime]]) -> None:
    """The first, the last, the last complete, those of the cut's moment; freshness then is what it was."""
    store, moments = years
    cut = moment_of(store, "The cut")
    before = (store.last_success("s"), store.last_success("s", as_of=cut))

    freed = prune(store, Limits(runs=moments[-1].date()), actor="test")

    assert {"sync_run": 5} == freed
    assert [1, 2, 8] == [row["id"] for row in store.rows("SELECT id FROM sync_run ORDER BY id")]
    assert before == (store.last_success("s"), store.last_success("s", as_of=cut))


def test_deliveries_that_are_asked_for_stay(store: Store) -> None:
    """Of each destination the last, the last good one, and the last one to each place."""
    rows = [
        ("a", f"f{number}", "published" if number % 4 else "failed", f"2024-01-{number + 1:02d}T00:00:00Z",
         None, "here" if number < 5 else "there")
        for number in range(13)
    ]  # fmt: skip
    store.connection.executemany("INSERT INTO publication VALUES (?, ?, ?, ?, ?, ?)", rows)

    freed = prune(store, Limits(deliveries=datetime(2025, 1, 1, tzinfo=UTC).date()), actor="test")

    assert {"publication": 10} == freed
    assert ["f11", "f12", "f3"] == sorted(
        row["feed_id"] for row in store.rows("SELECT feed_id FROM publication")
    )


@pytest.mark.long
def test_a_run_forgets_as_configured(place: Path, tables: Path, run_hub) -> None:
    """Without [retention] a run keeps every row; with it, it prunes, and `hub store prune` said what."""
    whole = (tables / "hours.csv").read_bytes()
    for number in (4, 5, 6):
        (tables / "hours.csv").write_text(
            f"no,project,who,day,hours\n1,P,ann,2026-07-01,{number}\n2,P,bob,2026-07-02,3.5\n"
        )
        assert 0 == run_hub("sync").exit_code
    (tables / "hours.csv").write_bytes(whole)  # other tests read it
    config = place / "config" / "hub.toml"
    kept = run_hub("--now", "2030-01-01", "store", "prune", "--dry-run")
    config.write_text(config.read_text() + "\n[retention]\nhistory_months = 12\nruns_months = 12\n")
    told = json.loads(run_hub("--now", "2030-01-01", "store", "prune", "--dry-run", "--json").output)

    assert "kept for ever" in kept.output
    assert {"worklog_history", "sync_run"} <= told["rows"].keys()
    with sqlite3.connect(place / "data" / "hub.db") as store:
        before = store.execute("SELECT count(*) FROM worklog_history").fetchone()[0]
    run_hub("--now", "2030-01-01", "run")
    with sqlite3.connect(place / "data" / "hub.db") as store:
        after = store.execute("SELECT count(*) FROM worklog_history").fetchone()[0]
    # the run reads the table that was put back: one image more
    assert before + 1 - told["rows"]["worklog_history"] == after
    assert 0 == run_hub("store", "vacuum").exit_code
    assert 0 == run_hub("store", "verify").exit_code


def test_levels_of_feeds_that_are_gone_go(place: Path, run_hub) -> None:
    """A projection whose feed was removed by hand is freed; the ledger of sums and the current feed stay."""
    levels = place / "data" / "feed" / "projections"
    (levels / "team-week" / "20200101T000000Z-abcdef").mkdir(parents=True)
    (levels / "team-week" / "20200101T000000Z-abcdef" / "x").write_bytes(b"1" * 1000)
    current = (place / "data" / "feed" / "CURRENT").read_text()
    ledger = files_of(levels / "groups")

    told = json.loads(run_hub("store", "prune", "--json").output)

    assert 1000 == told["bytes_of_folders"]
    assert [current] == [path.name for path in (levels / "team-week").iterdir()]
    assert ledger == files_of(levels / "groups")


def test_a_backup_does_not_disturb_a_writer(tmp_path: Path) -> None:
    """While a copy is taken again and again, a writer never waits for it, and no copy has half a batch."""
    path = tmp_path / "hub.db"
    stop = threading.Event()
    halves: list[int] = []

    def copying() -> None:
        number = 0
        while not stop.is_set():
            number += 1
            target = tmp_path / f"copy-{number}.db"
            copies.copy(path, target)
            with sqlite3.connect(target) as copied:
                (count,) = copied.execute("SELECT count(*) FROM task").fetchone()
            copied.close()
            halves.append(count % 50)

    with Store.open(path) as store:
        run = store.begin_run("s", "full")
        thread = threading.Thread(target=copying)
        thread.start()
        try:
            for batch in range(40):
                store.write_batch(
                    [Task(id=f"s:{batch}-{row}", container_id="s:c", title="T") for row in range(50)],
                    run_id=run, source_id="s",
                )  # fmt: skip
        finally:
            stop.set()
            thread.join()

    assert halves
    assert {0} == set(halves)
