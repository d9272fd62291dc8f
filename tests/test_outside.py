"""Seen from outside: status for programs, the log, news of what goes wrong, metrics, and hub doctor."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import jsonschema
import pytest
from test_cli import CONFIG, MAPPING, hours

from hub.store import Store
from hub.store.migrations import migrations
from hub.testing import HubResult

Run = Callable[..., HubResult]


@pytest.fixture
def folder(hub_folder: Path) -> Path:
    """Return a folder with one source of hours and one destination."""
    (hub_folder / "hours").mkdir()
    (hub_folder / "mappings").mkdir()
    (hub_folder / "mappings" / "hours.toml").write_text(MAPPING)
    (hub_folder / "config" / "hub.toml").write_text(CONFIG)
    hours(hub_folder, 4)
    return hub_folder


def configure(folder: Path, text: str, *, first: str = "") -> None:
    (folder / "config" / "hub.toml").write_text(first + CONFIG + text)


@pytest.fixture
def mail(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """Return the titles and bodies of what is sent."""
    import apprise

    sent: list[tuple[str, str]] = []

    def notify(self: Any, body: str, title: str, **_: Any) -> bool:
        sent.append((title, body))
        return True

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    monkeypatch.setenv("MAIL", "json://localhost/s3cret-word")
    return sent


NOTIFY = '[notify]\nto = [{ env = "MAIL" }]\n'


# ---------- status ----------


def schema_errors(run_hub: Run, *arguments: str) -> list[str]:
    schema = json.loads(run_hub("status", "--schema").output)
    jsonschema.Draft202012Validator.check_schema(schema)
    said = json.loads(run_hub("status", "--json", *arguments).output)
    return [error.message for error in jsonschema.Draft202012Validator(schema).iter_errors(said)]


def test_status_keeps_its_schema(folder: Path, run_hub: Run) -> None:
    """What programs read is as the published schema says: before a feed, after one, with what is amiss."""
    run_hub("sync")
    before = schema_errors(run_hub)
    run_hub("publish")
    hours(folder, 4, bad=True)
    run_hub("run")

    assert [] == before
    assert [] == schema_errors(run_hub, "--runs", "9")
    assert "data: 1 row" != run_hub("status", "--schema").output


def test_everything_stale_for_long_is_not_green(folder: Path, run_hub: Run) -> None:
    """Half a year without a run ends with 1 and says so; the day after it is 0, as over a weekend."""
    run_hub("run")

    def after(days: int) -> tuple[int, int]:
        moment = (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
        plain = run_hub("--now", moment, "status")
        return plain.exit_code, json.loads(run_hub("--now", moment, "status", "--json").output)["exit_code"]

    assert (0, 0) == after(0)
    assert (0, 0) == after(3)
    assert (1, 1) == after(184)


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(path.relative_to(folder)): (path.stat().st_mtime_ns, path.read_bytes())
        for path in folder.rglob("*") if path.is_file()
    }  # fmt: skip


@pytest.fixture
def read_only(folder: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Return the data folder of a run, which nobody may write any more, not even the administrator."""
    run_hub("run")
    data = folder / "data"
    places = [data, *data.rglob("*")]
    for place in places:
        place.chmod(0o555 if place.is_dir() else 0o444)
    # an administrator may write everything: what the system says of others is what counts here
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK)
    yield data
    for place in places:
        place.chmod(0o755 if place.is_dir() else 0o644)


def test_status_of_a_read_only_folder(read_only: Path, run_hub: Run) -> None:
    """A monitor with the right to read sees all of it, and nothing is written."""
    before = tree(read_only)
    result = run_hub("status", "--json")

    assert (0, "") == (result.exit_code, result.error)
    assert "ok" == json.loads(result.output)["sources"][0]["state"]
    assert before == tree(read_only)


def test_status_reads_what_no_checkpoint_moved(
    folder: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows that still lie in the write-ahead log of a read-only folder are seen too."""
    run_hub("run")
    with closing(Store.open(folder / "data" / "hub.db")) as store:
        store.end_run(store.begin_run("late", "full"), "ok")
        store.register_source("late", kind="k", base_url=None, tz="UTC", seconds_per_day=1, freshness_max_s=9)
        copy = folder / "copy"
        shutil.copytree(folder / "data", copy)
    assert (copy / "hub.db-wal").stat().st_size
    (folder / "config" / "hub.toml").write_text('store = "sqlite:///copy/hub.db"\n' + CONFIG)
    monkeypatch.setattr(os, "access", lambda path, mode, **_: mode != os.W_OK)
    before = tree(copy)

    assert "late" in {line["source"] for line in json.loads(run_hub("status", "--json").output)["sources"]}
    assert before == tree(copy)


def test_status_migrates_nothing(folder: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A store of an older hub is looked at and stays what it was; the next run brings it on, as told."""
    path = folder / "data" / "hub.db"
    with monkeypatch.context() as older:
        older.setattr(migrations, "_migrations", migrations._migrations[:-1])
        with closing(Store.open(path)) as store:
            store.register_source(
                "hours", kind="tabular", base_url=None, tz="UTC", seconds_per_day=1, freshness_max_s=9
            )
    before = path.read_bytes()
    result = run_hub("status", "--json")

    assert before == path.read_bytes()
    assert json.loads(result.output)["store"]["older"]
    assert "older pm-hub" in run_hub("status").output
    run_hub("run")
    assert not json.loads(run_hub("status", "--json").output)["store"]["older"]


@pytest.mark.parametrize("damaged", [False, True])
def test_status_of_a_feed_that_lacks_something(folder: Path, run_hub: Run, damaged: bool) -> None:
    """A feed of an older hub lacks columns, a damaged one a file: status tells the rest, until a publish."""
    run_hub("run")
    current = folder / "data" / "feed" / (folder / "data" / "feed" / "CURRENT").read_text()
    for place in (current / "fact_kpi").rglob("*.parquet"):
        duckdb.execute(f"COPY (SELECT 1 AS kpi) TO '{place}'")
        if damaged:
            place.write_bytes(place.read_bytes()[:-20])
    result = run_hub("status")

    assert (0, "") == (result.exit_code, result.error)
    assert damaged == ("another version of pm-hub" in result.output)
    assert "hours" in result.output
    assert "office: published" in result.output
