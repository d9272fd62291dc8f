"""Seen from outside: status for programs, the log, news of what goes wrong, metrics, and hub doctor."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import shutil
import socket
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import duckdb
import jsonschema
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from test_cli import CONFIG, MAPPING, hours

from hub import logs
from hub.cli.doctor import installations
from hub.secrets import Secret
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


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
def test_status_of_a_read_only_folder(read_only: Path, run_hub: Run) -> None:
    """A monitor with the right to read sees all of it, and nothing is written."""
    before = tree(read_only)
    result = run_hub("status", "--json")

    assert (0, "") == (result.exit_code, result.error)
    assert "ok" == json.loads(result.output)["sources"][0]["state"]
    assert before == tree(read_only)


@pytest.mark.long
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


@pytest.mark.long
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


@pytest.mark.long
@pytest.mark.parametrize("damaged", [False, True])
def test_status_of_a_feed_that_lacks_something(folder: Path, run_hub: Run, damaged: bool) -> None:
    """A feed of an older hub lacks columns, a damaged one is no Parquet: status tells all the rest."""
    run_hub("run")
    current = folder / "data" / "feed" / (folder / "data" / "feed" / "CURRENT").read_text()
    for place in (current / "fact_kpi").rglob("*.parquet"):
        duckdb.execute(f"COPY (SELECT 1 AS kpi) TO '{place}'")
        if damaged:
            place.write_text("what a full disk left")
    result = run_hub("status")

    assert (0, "") == (result.exit_code, result.error)
    assert damaged == ("a file of it is damaged" in result.output)
    assert "office: published" in result.output


# ---------- the log ----------


@pytest.fixture
def quiet() -> Iterator[None]:
    """Take the handlers of a test away again."""
    yield
    for name in ("screen", "file"):
        logs._end(name)
    logging.getLogger("hub").setLevel(logging.NOTSET)


@pytest.mark.long
@pytest.mark.usefixtures("quiet")
def test_the_log_tells_a_run(folder: Path, run_hub: Run) -> None:
    """Each line has its time in UTC; a run leaves what each source, the feed and each destination came to."""
    configure(folder, '[log]\nfile = "data/hub.log"\n')
    hours(folder, 4, bad=True)
    run_hub("run")
    run_hub("sync", "nobody")
    lines = (folder / "data" / "hub.log").read_text().splitlines()

    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ (INFO|WARNING|ERROR) hub", line) for line in lines)
    told = "\n".join(lines)
    assert "WARNING hub.sync hours: partial, 8 read" in told
    assert "INFO hub.publish office: published" in told
    assert "INFO hub.run hub run ended with exit code 3" in told
    assert "ended with exit code 2: There is no source 'nobody'" in told
    if os.name == "posix":
        assert 0o600 == (folder / "data" / "hub.log").stat().st_mode & 0o777


@pytest.mark.usefixtures("quiet")
def test_the_log_as_json_and_never_a_secret(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is an object; a revealed secret is in no form in it, not in a traceback either."""
    value = "s3cret word/with=signs"
    for one in (value[:6], value):  # the longer begins with the shorter
        monkeypatch.setenv("TOKEN", one)
        Secret("env", "TOKEN", folder).reveal()
    logs.to_file(folder / "hub.log", as_json=True, max_mb=1, keep=1)
    log = logging.getLogger("hub.test")
    log.warning("%s and %s", value, quote(value))
    try:
        raise ValueError(f"https://u:{quote_plus(value)}@host")
    except ValueError:
        log.exception("no")
    lines = [json.loads(line) for line in (folder / "hub.log").read_text().splitlines()]

    assert ["warning", "error"] == [line["level"] for line in lines]
    assert "… and …" == lines[0]["message"]
    assert "ValueError: https://u:…@host" in lines[1]["error"]
    assert "s3cret" not in (folder / "hub.log").read_text()


@pytest.mark.usefixtures("quiet")
def test_the_log_never_grows_for_ever(folder: Path) -> None:
    """At its size it is put aside, and the oldest goes."""
    logs.to_file(folder / "hub.log", as_json=False, max_mb=0.001, keep=2)
    for number in range(200):
        logging.getLogger("hub.test").warning("line %d", number)
    kept = sorted(path.name for path in folder.glob("hub.log*"))

    assert ["hub.log", "hub.log.1", "hub.log.2"] == kept
    assert all((folder / name).stat().st_size <= 1000 for name in kept)
    assert "line 199" in (folder / "hub.log").read_text()


@pytest.mark.usefixtures("quiet")
def test_verbose_adds_lines_with_their_time(folder: Path, run_hub: Run) -> None:
    """-v tells what happens and when; without it the screen stays as it was."""
    plain, told = run_hub("sync"), run_hub("-v", "sync", "--full")

    assert "INFO" not in plain.error
    assert re.search(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ INFO hub\.sync hours: ok, 8 read", told.error, re.M)


# ---------- news ----------


@pytest.mark.long
def test_a_failed_delivery_is_told_once(folder: Path, run_hub: Run, mail: list[tuple[str, str]]) -> None:
    """With environment, host, configuration and feed; then its recovery."""
    configure(folder, NOTIFY, first='environment = "production"\n')
    (folder / "out").write_text("in the way")
    run_hub("run")
    run_hub("run")
    (folder / "out").unlink()
    run_hub("run")
    feed = (folder / "data" / "feed" / "CURRENT").read_text()

    assert [
        f"pm-hub production ({socket.gethostname()}): delivery to office {state}"
        for state in ("failed", "published")
    ] == [title for title, _ in mail]
    for line in ("environment: production", f"host: {socket.gethostname()}", f"feed: {feed}"):
        assert line in mail[1][1]
    assert str(folder / "config" / "hub.toml") in mail[0][1]


@pytest.mark.long
def test_a_blocked_gate_is_told(folder: Path, run_hub: Run, mail: list[tuple[str, str]]) -> None:
    """What blocks it is said; the next feed that goes through takes it back."""
    configure(folder, NOTIFY + "[gate]\nmin_quality = 100\n")
    assert 4 == run_hub("run").exit_code
    configure(folder, NOTIFY)
    assert 0 == run_hub("run").exit_code

    assert ["gate blocked", "gate ok"] == [title.rpartition(": ")[2] for title, _ in mail]
    assert "quality" in mail[0][1]


@pytest.mark.long
@pytest.mark.parametrize(
    "wrong",
    ["[sources.x]\nkind = 3\n", "stray words\n", '[engine]\njobs = "many"\n'],
    ids=["key", "toml", "type"],
)
def test_a_broken_configuration_is_told(
    folder: Path, run_hub: Run, mail: list[tuple[str, str]], wrong: str
) -> None:
    """A scheduled run that cannot begin tells, even of a file that is no TOML any more: once."""
    configure(folder, NOTIFY)
    run_hub("run")
    configure(folder, NOTIFY + wrong)
    assert 2 == run_hub("run").exit_code
    run_hub("run")
    configure(folder, NOTIFY)
    run_hub("run")

    assert ["configuration failed", "configuration ok"] == [title.rpartition(": ")[2] for title, _ in mail]
    assert "hub.toml" in mail[0][1]


@pytest.mark.long
def test_a_crash_is_told(
    folder: Path, run_hub: Run, mail: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error that nobody foresaw is no silence; its words hold no secret."""
    configure(folder, NOTIFY)
    run_hub("run")
    with monkeypatch.context() as broken:

        def fail(*_: Any, **__: Any) -> None:
            raise RuntimeError("bad: json://localhost/s3cret-word")

        broken.setattr("hub.publish.publish", fail)
        with pytest.raises(RuntimeError):
            run_hub("run")
    run_hub("run")

    assert ["run failed", "run ok"] == [title.rpartition(": ")[2] for title, _ in mail]
    assert "RuntimeError: bad:" in mail[0][1]
    assert "s3cret" not in mail[0][1]


@pytest.mark.long
def test_a_run_that_died_is_told(folder: Path, run_hub: Run, mail: list[tuple[str, str]]) -> None:
    """Killed by the system, it could say nothing: the next command does."""
    configure(folder, NOTIFY)
    run_hub("run")
    with closing(Store.open(folder / "data" / "hub.db")) as store:
        store.begin_run("hours", "increment")
    run_hub("run")

    assert "run died" in mail[0][0]
    assert ["hours ok, run ok"] == [title.rpartition("): ")[2] for title, _ in mail[1:]]


@pytest.mark.long
def test_a_schedule_that_did_not_fire_is_told(
    folder: Path, run_hub: Run, mail: list[tuple[str, str]]
) -> None:
    """The next command, here a look, finds the runs that were due and never began; a run takes it back."""
    configure(folder, NOTIFY + '[schedule]\nrun = "0 6 * * *"\ntz = "UTC"\n')
    run_hub("--now", "2026-11-20T06:00:00Z", "run")
    for _ in range(2):
        look = run_hub("--now", "2026-11-23T12:00:00Z", "status")
    doctor = json.loads(run_hub("--now", "2026-11-23T12:00:00Z", "doctor", "--offline", "--json").output)
    run_hub("--now", "2026-11-23T12:30:00Z", "run")

    assert "3 runs never started" in look.output
    assert ["hours stale, schedule missed", "hours ok, schedule ok"] == [
        title.rpartition("): ")[2] for title, _ in mail
    ]
    assert any(one["name"] == "schedule" and one["state"] == "failed" for one in doctor["findings"])


def jwt(ends: datetime) -> str:
    claims = (
        base64.urlsafe_b64encode(json.dumps({"exp": int(ends.timestamp())}).encode()).decode().rstrip("=")
    )
    return f"eyJhbGciOiJIUzI1NiJ9.{claims}.c2ln"


def certificate(ends: datetime) -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "pm-hub")])
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 1, ends - timedelta(days=90), ends
    ).sign(key, hashes.SHA256())  # fmt: skip
    return made.public_bytes(serialization.Encoding.PEM).decode()


ENDS = datetime(2027, 1, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "more"),
    [("opaque", ', expires = "2027-01-31"'), ("opaque", ", expires = 2027-01-31"), (jwt(ENDS), ""),
     (certificate(ENDS), "")],
    ids=["text", "date", "token", "certificate"],
)  # fmt: skip
def test_when_a_secret_ends(
    folder: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch, value: str, more: str
) -> None:
    """As written down, as a JSON Web Token (RFC 7519) or a certificate (RFC 5280) says."""
    monkeypatch.setenv("KEY", value)
    configure(folder, f'[privacy]\nkey = {{ env = "KEY"{more} }}\n')
    doctor = run_hub("--now", "2027-01-20T06:00:00Z", "doctor", "--offline")

    assert "[privacy] key: there, ends on 2027-01-31" in doctor.output


@pytest.mark.long
def test_a_secret_is_told_of_before_it_ends(
    folder: Path, run_hub: Run, mail: list[tuple[str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two weeks before, and once."""
    monkeypatch.setenv("KEY", jwt(ENDS))
    configure(folder, NOTIFY + '[privacy]\nkey = { env = "KEY" }\n')
    run_hub("--now", "2027-01-10T06:00:00Z", "run")
    early = list(mail)
    run_hub("--now", "2027-01-20T06:00:00Z", "run")
    doctor = run_hub("--now", "2027-02-20T06:00:00Z", "doctor", "--offline")

    told = [body for title, body in mail if "[privacy] key ends soon" in title]
    assert ([], 1) == (early, len(told))
    assert "[privacy] key: the secret ends on 2027-01-31" in told[0]
    assert 1 == doctor.exit_code
    assert "[privacy] key: there, ends on" in doctor.output


TOOL = """from typing import ClassVar
from hub import Batch, Container, Partition, Scope, Source, hookimpl

class ToolSource(Source, frozen=True, kw_only=True):
    kind: ClassVar[str] = "tool"
    provides = (Container,)
    url: str

    def plan(self, ctx, cursors):
        yield Partition(id="all", complete=True, scope=Scope(records=(Container,)), evidence="gone")

    def read(self, ctx, partition, cursor):
        name = ctx.http.get_json(self.url + "/v1/boxes")["name"]
        yield Batch(records=[Container(id=self.row_id("box"), kind="folder", name=name)], cursor="read")

@hookimpl
def register_sources():
    return [ToolSource]
"""


@pytest.mark.long
def test_what_a_tool_announces_is_kept_and_told(
    folder: Path, run_hub: Run, mail: list[tuple[str, str]]
) -> None:
    """Its end when it is heard and two weeks before, its token two weeks before; until it says so no more."""
    headers = {
        "Sunset": "Wed, 31 Mar 2027 23:59:59 GMT",
        "GitHub-Authentication-Token-Expiration": "2027-01-31 17:00:00 UTC",
    }
    (folder / "config" / "plugins").mkdir()
    (folder / "config" / "plugins" / "tool.py").write_text(TOOL)
    site = Site()
    site.says = headers
    configure(folder, NOTIFY + f'[sources.box]\nkind = "tool"\nurl = "{site.url}"\n')
    run_hub("--now", "2026-12-01T06:00:00Z", "run")
    heard = list(mail)
    known = json.loads(run_hub("--now", "2026-12-02T06:00:00Z", "status", "--json").output)["endings"]
    before = len(mail)
    run_hub("--now", "2027-01-20T06:00:00Z", "status")
    near = mail[before:]
    doctor = run_hub("--now", "2027-02-01T06:00:00Z", "doctor", "--offline")
    hub_toml = folder / "config" / "hub.toml"
    hub_toml.write_text('lang = "fr"\n' + hub_toml.read_text().replace('lang = "en"\n', ""))
    french = run_hub("--now", "2027-02-01T06:00:00Z", "status")
    headers.clear()
    run_hub("--now", "2027-02-02T06:00:00Z", "run")
    site.shutdown()
    site.server_close()

    assert ["announced"] == [word for title, _ in heard for word in title.split() if word == "announced"]
    assert [("token", "2027-01-31", "127.0.0.1"), ("sunset", "2027-03-31", "127.0.0.1 /v1/boxes")] == [
        (one["kind"], one["on"], one["place"]) for one in known
    ]
    assert ["box: the token for 127.0.0.1 ends on 2027-01-31, as the tool says"] == [
        line for _, body in near for line in body.splitlines() if "token" in line
    ]
    assert "le 31/03/2027" in french.output
    assert 1 == doctor.exit_code
    assert "the token for 127.0.0.1 ended on 2027-01-31" in doctor.output
    assert [] == json.loads(run_hub("--now", "2027-02-02T07:00:00Z", "status", "--json").output)["endings"]


def test_a_secret_that_ends_on_no_day(folder: Path, run_hub: Run) -> None:
    """It is refused with an example."""
    configure(folder, '[privacy]\nkey = { env = "KEY", expires = "soon" }\n')

    assert "2027-01-31" in run_hub("status").error


# ---------- metrics and lineage ----------

SAMPLE = re.compile(
    r"^(?P<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(?P<labels>[^{}]*)\})?"
    r" (?P<value>-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)$"
)
LABEL = re.compile(r'(?:^|,)([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"')


def parsed(text: str) -> dict[str, dict[tuple[tuple[str, str], ...], float]]:
    """Read OpenMetrics 1.0 strictly, by its grammar: each family in one piece, described first, EOF last."""
    lines = text.split("\n")
    assert ["# EOF", ""] == lines[-2:]
    found: dict[str, dict[tuple[tuple[str, str], ...], float]] = {}
    family = ""
    for line in lines[:-2]:
        if line.startswith("# "):
            _, kind, name, *rest = line.split(" ", 3)
            if kind == "TYPE":
                assert name not in found
                assert ["gauge"] == rest
                found[name], family = {}, name
            else:
                assert kind in {"UNIT", "HELP"}
                assert name == family
                assert not found[name]
                assert kind == "HELP" or name.endswith(f"_{rest[0]}")
            continue
        match = SAMPLE.match(line)
        assert match is not None, line
        assert family == match["name"]
        labels = tuple(LABEL.findall(match["labels"] or ""))
        assert (match["labels"] or "") == ",".join(f'{key}="{value}"' for key, value in labels)
        assert labels not in found[family]
        found[family][labels] = float(match["value"])
    return found


@pytest.mark.long
def test_metrics_after_each_run(folder: Path, run_hub: Run) -> None:
    """What a monitor alarms on: exit code, time, state of each source, delivery and feed."""
    configure(folder, "", first='metrics = "data/hub.prom"\nenvironment = "test \\"1\\""\n')
    hours(folder, 4, bad=True)
    code = run_hub("run").exit_code
    path = folder / "data" / "hub.prom"
    found = parsed(path.read_text())

    assert (3, 3.0) == (code, found["pm_hub_last_run_exit_code"][()])
    assert abs(found["pm_hub_last_run_timestamp_seconds"][()] - datetime.now(UTC).timestamp()) < 120
    states = {dict(labels)["state"] for labels, on in found["pm_hub_source_state"].items() if on}
    assert {"partial"} == states
    # four lines of hours, the three people and the project that they name
    assert {(("source", "hours"),): 8.0} == found["pm_hub_source_read_rows"]
    assert {(("source", "hours"),): 1.0} == found["pm_hub_source_rejected_things"]
    assert {(("destination", "office"),): 1.0} == found["pm_hub_delivery_ok"]
    assert 0.0 == found["pm_hub_feed_complete"][()]
    ((labels, _),) = found["pm_hub_build"].items()
    assert 'test \\"1\\"' == dict(labels)["environment"]
    assert [] == list((folder / "data").glob(".hub.prom*"))
    if os.name == "posix":
        assert 0o644 == path.stat().st_mode & 0o777  # the exporter is another account


@pytest.mark.long
def test_metrics_that_cannot_be_written(folder: Path, run_hub: Run) -> None:
    """They cost a warning, never the run."""
    configure(folder, "", first='metrics = "hours/a.csv/hub.prom"\n')
    result = run_hub("run")

    assert 0 == result.exit_code
    assert "Warning" in result.error


@pytest.mark.long
def test_lineage_of_a_run(folder: Path, run_hub: Run) -> None:
    """Each line is an event of OpenLineage, in the form its specification asks for."""
    configure(folder, "", first='lineage = "data/lineage.ndjson"\n')
    run_hub("run")
    events = [json.loads(line) for line in (folder / "data" / "lineage.ndjson").read_text().splitlines()]

    assert ["sync.hours", "publish", "deliver.office"] == [one["job"]["name"] for one in events]
    assert {"COMPLETE"} == {one["eventType"] for one in events}
    for one in events:
        assert {"eventTime", "producer", "schemaURL", "run", "job"} <= one.keys()
        assert str(uuid.UUID(one["run"]["runId"])) == one["run"]["runId"]
        assert datetime.fromisoformat(one["eventTime"]).tzinfo is not None
        assert all({"namespace", "name"} == data.keys() for data in one["inputs"] + one["outputs"])
    assert events[1]["outputs"] == events[2]["inputs"]


# ---------- doctor ----------


def doctor_says(run_hub: Run, *more: str) -> dict[str, list[tuple[str, str, str | None]]]:
    said: dict[str, list[tuple[str, str, str | None]]] = {}
    for one in json.loads(run_hub("doctor", "--json", *more).output)["findings"]:
        said.setdefault(one["name"], []).append((one["state"], one["detail"], one["mend"]))
    return said


@pytest.mark.long
def test_the_doctor_finds_a_healthy_hub(folder: Path, run_hub: Run) -> None:
    """All that a run needs is looked at, and whatever is not well says how it is mended."""
    run_hub("run")
    found = doctor_says(run_hub, "--offline")

    assert {
        "version", "extras", "time zones", "configuration", "plugins", "rights", "disk", "store", "lock",
        "feed", "schedule",
    } == found.keys()  # fmt: skip
    assert all(mend for group in found.values() for state, _, mend in group if state != "ok")
    assert {"warning"} == {state for state, _, _ in found["schedule"]}
    assert 0 == run_hub("doctor", "--offline").exit_code


@pytest.mark.long
def test_the_doctor_finds_what_is_wrong(folder: Path, run_hub: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A damaged store, a full disk, a broken plugin, a secret that is not there: each with its mend."""
    run_hub("run")
    (folder / "config" / "plugins").mkdir()
    (folder / "config" / "plugins" / "odd.py").write_text("raise RuntimeError('odd')\n")
    path = folder / "data" / "hub.db"
    content = bytearray(path.read_bytes())
    content[8192:40960] = bytes(32768)
    path.write_bytes(content)
    configure(folder, '[privacy]\nkey = { env = "NOWHERE" }\n')
    usage = shutil.disk_usage(folder)._replace(free=3_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    found = doctor_says(run_hub, "--offline")

    for name, words in (
        ("store", "Restore"), ("plugins", "Install"), ("secrets", "for the account"), ("disk", "keep_feeds"),
    ):  # fmt: skip
        state, _, mend = found[name][0]
        assert ("failed", True) == (state, words in str(mend)), name
    assert 1 == run_hub("doctor", "--offline").exit_code


def test_the_doctor_reads_a_broken_configuration(folder: Path, run_hub: Run) -> None:
    """It is the first thing that is asked for when nothing works: it answers then too."""
    (folder / "config" / "hub.toml").write_text("stray words\n")
    found = doctor_says(run_hub, "--offline")

    assert "failed" == found["configuration"][0][0]
    assert "plugins" in found


class Site(ThreadingHTTPServer):
    """A tool, or a proxy before one, that answers anything and keeps the lines it was asked."""

    daemon_threads = True

    def __init__(self, **headers: str) -> None:
        self.asked: list[str] = []
        self.says: dict[str, str] = {}

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                for name, value in self.server.says.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "15")
                self.end_headers()
                self.wfile.write(b'{"name": "Box"}')

            def do_HEAD(self) -> None:
                self.server.asked.append(self.requestline)
                self.send_response_only(401)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *_: object) -> None: ...

        super().__init__(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Return a site whose clock is an hour behind."""
    for name in ("HTTP_PROXY", "http_proxy", "NO_PROXY", "no_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    late = datetime.now(UTC) - timedelta(hours=1)
    site = Site(Date=format_datetime(late, usegmt=True))
    yield site
    site.shutdown()
    site.server_close()


def test_the_doctor_asks_each_address(folder: Path, run_hub: Run, far: Site) -> None:
    """Who answers 401 was reached; a clock that is an hour away, and who is not there, are told."""
    configure(
        folder,
        f'[sources.near]\nkind = "redmine"\nurl = "{far.url}"\nkey = {{ env = "K" }}\n'
        '[sources.gone]\nkind = "redmine"\nurl = "http://127.0.0.1:9"\nkey = { env = "K" }\n',
    )
    run_hub("status")
    found = doctor_says(run_hub)

    assert ["ok", "failed"] == [state for state, _, _ in found["network"]]
    assert "firewall" in str(found["network"][1][2])
    assert ("warning", True) == (found["clock"][0][0], "360" in found["clock"][0][1].replace("3,6", "36"))
    assert ["HEAD / HTTP/1.1"] == far.asked


def test_the_doctor_goes_through_the_proxy(
    folder: Path, run_hub: Run, far: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same way as a run: HTTP_PROXY is obeyed and named."""
    monkeypatch.setenv("http_proxy", far.url)
    configure(
        folder, '[sources.near]\nkind = "redmine"\nurl = "http://redmine.example"\nkey = { env = "K" }\n'
    )
    found = doctor_says(run_hub)

    assert ["HEAD http://redmine.example/ HTTP/1.1"] == far.asked
    assert "through the proxy 127.0.0.1" in found["network"][0][1]


def test_what_schedulers_know() -> None:
    """Their own words are read: systemd's properties, and the marked line of a crontab."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        said = {
            "systemctl": "ActiveState=active\nLastTriggerUSec=Mon 2026-11-23 06:00:01 UTC\n"
            "NextElapseUSecRealtime=Tue 2026-11-24 06:00:00 UTC\n",
            "crontab": "5 5 * * * backup\n0 6 * * * cd /x && hub run  # pm-hub\n",
        }
        return subprocess.CompletedProcess(command, 0, said.get(command[0], ""), "")

    systemd, crontab = installations(run)

    assert "it last fired Mon 2026-11-23 06:00:01 UTC, next Tue 2026-11-24" in systemd
    assert "crontab: 0 6 * * * cd /x" in crontab
