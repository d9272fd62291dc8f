"""Sources on the workers of a Dask cluster: one machine's store, whoever is killed; one pace a host."""

from __future__ import annotations

import functools
import os
import pickle
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import spread_world
from spread_world import NAMES, source

from hub.errors import LockHeld, StoreError
from hub.feed import BuildOptions, build, open_feed
from hub.feed.runner import Cluster
from hub.records import Project, ProjectLink, Task
from hub.store import Store
from hub.store.engines import Engine
from hub.sync import Options, SyncReport, lock, sync
from hub.testing import HubResult, store_image
from hub.testing.empty import store_at

distributed = pytest.importorskip("distributed", reason="distributed is not installed")
SERVER = pytest.importorskip("hub_postgresql.testing.scratch", reason="pm-hub-postgresql is not installed")
if SERVER.programs() is None:
    pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)", allow_module_level=True)

Image = dict[str, list[tuple[Any, ...]]]


@contextmanager
def cluster_of(workers: int) -> Iterator[Any]:
    """Give a client of a cluster of processes, which replaces those that die, however often."""
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1000}),
        distributed.LocalCluster(
            n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        yield client


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """Return a client of two workers."""
    with cluster_of(2) as one:
        yield one


@pytest.fixture
def server() -> Engine:
    """Return an empty store on a server."""
    found: Engine = SERVER.empty_store()
    return found


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> list[Image]:
    """Return the store after each turn, in a file, read on one machine."""
    images = []
    base = tmp_path_factory.mktemp("calm")
    with store_at(base / "hub.db") as store:
        for turn in (0, 1):
            every = [source(name, {"": {"turn": turn}}) for name in NAMES]
            assert {one.verdict for one in sync(store, list(every), Options(base=base)).sources} == {"ok"}
            images.append(store_image(store))
    assert images[0] != images[1]
    return images


def spread(client: Any, server: Engine, *, listener: Any = None, **settings: Any) -> SyncReport:
    """Sync all sources by the workers of *client*; *settings* are of all sources, or by source."""
    from hub.sync.spread import sync_on

    doom = {"doom": settings.pop("doom")} if "doom" in settings else {}
    said = (settings if settings.keys() <= set(NAMES) else {"": settings}) | doom
    password = str(SERVER.scratch().folder / "password")
    make = functools.partial(spread_world.room, server.where, password, said)
    with lock(server), Store.open(server) as store:
        every = [source(name, said) for name in NAMES]
        return sync_on(Cluster(client), store, list(every), make, listener=listener)


def image_of(server: Engine) -> Image:
    with Store.open(server) as store:
        return store_image(store)


# ---------- one store, however many write it ----------


@pytest.mark.parametrize("workers", [2, 4])
def test_workers_leave_the_store_of_one_machine(workers: int, server: Engine, calm: list[Image]) -> None:
    """Rows, presence, evidence and marks are those of a sync on one machine into a file, after each turn."""
    with cluster_of(workers) as client:
        for turn in (0, 1):
            report = spread(client, server, turn=turn)

            assert dict.fromkeys(NAMES, "ok") == {one.source_id: one.verdict for one in report.sources}
            assert calm[turn] == image_of(server)
    with Store.open(server) as store:
        assert {"ok"} == {run.verdict for run in store.runs(limit=100)}
        # the keys are without a gap, and each moment of the clock is one batch's
        for table in ("task", "worklog"):
            (rows, top) = store.connection.execute(f"SELECT count(*), max(key) FROM {table}").fetchone()
            assert rows == top


class Ear:
    """Keeps what a listener hears."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, str, int]] = []

    def started(self, report: Any) -> None:
        self.heard.append(("started", report.source_id, 0))

    def advanced(self, report: Any) -> None:
        self.heard.append(("advanced", report.source_id, report.changes.read))

    def ended(self, report: Any) -> None:
        self.heard.append(("ended", report.source_id, report.changes.read))


def test_progress_is_heard_while_workers_read(client: Any, server: Engine) -> None:
    """Each source is heard to begin, to go on, and to end with all that it read."""
    ear = Ear()
    report = spread(client, server, listener=ear, pause=0.15)

    for one in report.sources:
        mine = [(what, read) for what, name, read in ear.heard if name == one.source_id]
        assert mine[0] == ("started", 0)
        assert mine[-1] == ("ended", one.changes.read)
        assert any(0 < read < one.changes.read for what, read in mine if what == "advanced")


@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL to send")
@pytest.mark.proof("kills")
def test_killed_workers_change_nothing(
    server: Engine, calm: list[Image], tmp_path: Path, proof: bool
) -> None:
    """Workers killed at random moments of their work, and when it is done again, leave the same store."""
    wanted, rounds = (50 if proof else 2), 0
    with cluster_of(2) as client:
        client.cluster.adapt(minimum=2, maximum=2, interval="500ms")  # a nanny may give its worker up
        while rounds < 2 or len(list(tmp_path.iterdir())) < wanted:
            turn = min(rounds, 1)  # then the same again, which changes nothing
            most = min(wanted, len(list(tmp_path.iterdir())) + 6) if turn else wanted // 2
            client.wait_for_workers(1, timeout=120)
            report = spread(client, server, doom=(str(tmp_path), most), turn=turn, pause=0.05)

            assert {"ok"} == {one.verdict for one in report.sources}, report.sources
            assert calm[turn] == image_of(server)
            rounds += 1
    with Store.open(server) as store:
        assert {"ok", "interrupted"} == {run.verdict for run in store.runs(limit=10_000)}


# ---------- who may write ----------


def test_who_was_given_up_writes_no_more(server: Engine) -> None:
    """A part has one writer: the next one ends the connection of the one before, batch and all."""
    password = str(SERVER.scratch().folder / "password")
    one, two = (spread_world.engine_at(server.where, password) for _ in range(2))
    task = [Task(id="s:1", container_id="s:c", title="x")]
    with lock(server):
        run = server.running()
        assert run is not None
        with Store.open(one) as lost, Store.open(two) as next_:
            one.write_for(lost.connection, run, "s")
            lost.write_batch(task, run_id=1, source_id="s", cursor=("p", 1))
            with pytest.raises(StoreError, match="ended the connection"), lost.transaction():  # noqa: PT012
                lost.save([Task(id="s:2", container_id="s:c", title="half")], run_id=1, source_id="s")
                two.write_for(next_.connection, run, "s")
                lost.write_batch(task, run_id=1, source_id="s", cursor=("p", 9))
            with pytest.raises(StoreError, match="ended the connection"):
                lost.write_batch(task, run_id=1, source_id="s", cursor=("p", 9))
            next_.write_batch(task, run_id=2, source_id="s", cursor=("p", 2))
            assert ["s:1"] == [row["id"] for row in next_.rows("SELECT id FROM task")]
            assert {"p": 2} == next_.cursors("s")


def test_nobody_writes_for_a_run_that_has_ended(server: Engine) -> None:
    """Once another run holds the store, a worker of the one before begins no transaction any more."""
    password = str(SERVER.scratch().folder / "password")
    engine = spread_world.engine_at(server.where, password)
    task = [Task(id="s:1", container_id="s:c", title="x")]
    with Store.open(engine) as worker:
        with lock(server):
            run = server.running()
            assert run is not None
            engine.write_for(worker.connection, run, "s")
            worker.write_batch(task, run_id=1, source_id="s")
        with pytest.raises(StoreError, match=r"has ended, or .*nothing more is written"):
            worker.write_batch(
                [*task, Task(id="s:2", container_id="s:c", title="y")], run_id=1, source_id="s"
            )
        with lock(server):
            assert run != server.running()
            with pytest.raises(StoreError, match=r"has ended, or .*nothing more is written"):
                worker.write_batch([Task(id="s:3", container_id="s:c", title="y")], run_id=1, source_id="s")
        assert ["s:1"] == [row["id"] for row in worker.rows("SELECT id FROM task")]
    assert server.running() is None


def test_a_run_that_ended_sends_nobody(client: Any, server: Engine) -> None:
    """Without the lock there is no run to write for, and a second run is refused as ever."""
    from hub.sync.spread import sync_on

    with Store.open(server) as store, pytest.raises(StoreError, match="holds its lock"):
        sync_on(Cluster(client), store, [], functools.partial(spread_world.room, "", "", {}))
    with lock(server), pytest.raises(LockHeld), lock(server):
        pass


# ---------- what goes wrong ----------


def test_a_source_fails_alone(client: Any, server: Engine, calm: list[Image]) -> None:
    """One that breaks, and one that kills each worker it is given to, cost themselves, in a sentence."""
    with cluster_of(2) as other:
        other.run_on_scheduler(lambda dask_scheduler: setattr(dask_scheduler, "allowed_failures", 1))
        report = spread(other, server, a={"fails": "always"}, b={"fails": "kill"}, c={}, d={})

    by_name = {one.source_id: one for one in report.sources}
    assert ["failed", "failed", "ok", "ok"] == [by_name[name].verdict for name in NAMES]
    assert "as it was told to" in (by_name["a"].error or "")
    assert "The cluster lost it again and again" in (by_name["b"].error or "")
    assert 3 == report.exit_code
    with Store.open(server) as store:
        assert {"interrupted"} == {run.verdict for run in store.runs("b")}
    assert {"ok"} == {one.verdict for one in spread(client, server, turn=0).sources}
    assert calm[0] == image_of(server)


def test_a_deserted_cluster_holds_nobody(server: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no worker is left and none comes, the run ends with a sentence, and lets go of the store."""
    from hub.sync import spread as module

    monkeypatch.setattr(module, "DESERTED_S", 1.0)
    monkeypatch.setattr(module, "_LOOK_S", 0.2)
    with cluster_of(1) as client:
        runner = Cluster(client)
        client.cluster.scale(0)
        monkeypatch.setattr(f"{__name__}.Cluster", lambda _: runner)
        while client.nthreads():
            time.sleep(0.1)
        report = spread(client, server)

    assert {"failed"} == {one.verdict for one in report.sources}
    assert "The cluster lost it again and again" in (report.sources[0].error or "")
    with lock(server):
        pass


def test_a_run_that_is_stopped_goes_on_later(client: Any, server: Engine, calm: list[Image]) -> None:
    """Asked to stop, workers end their batch, say so, and the next run ends like a calm one."""

    class Impatient(Ear):
        def advanced(self, report: Any) -> None:
            if report.changes.read and not self.heard:
                super().advanced(report)
                os.kill(os.getpid(), signal.SIGINT)

        def started(self, report: Any) -> None:
            pass

    report = spread(client, server, pause=0.4, listener=Impatient())

    assert report.interrupted
    assert 130 == report.exit_code
    assert "interrupted" in {one.verdict for one in report.sources}
    with Store.open(server) as store:
        assert "running" not in {run.verdict for run in store.runs(limit=100)}
        assert 0 < len(store.rows("SELECT 1 FROM task")) < len(calm[0]["task"])
    assert {"ok"} == {one.verdict for one in spread(client, server).sources}
    assert calm[0] == image_of(server)


def test_another_release_is_refused(client: Any, server: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker of another release writes nothing."""
    from hub.sync import spread as module

    monkeypatch.setattr(module, "release", lambda: "0.0.1")
    report = spread(client, server)

    assert {"failed"} == {one.verdict for one in report.sources}
    assert "install the same release on both" in (report.sources[0].error or "")


# ---------- one pace a host ----------


class Desk(ThreadingHTTPServer):
    """A host that counts who asks at once, and refuses once."""

    daemon_threads = True

    def __init__(self, refuse_after: int | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Clerk)
        self.lock = threading.Lock()
        self.now = self.most = self.served = 0
        self.refuse_after, self.refused_at = refuse_after, 0.0
        self.asked: list[float] = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def close(self) -> None:
        self.shutdown()
        self.server_close()


class _Clerk(BaseHTTPRequestHandler):
    server: Desk

    def do_GET(self) -> None:
        desk = self.server
        with desk.lock:
            desk.now += 1
            desk.most = max(desk.most, desk.now)
            desk.served += 1
            desk.asked.append(time.time())
            refuse = desk.refuse_after is not None and desk.served == desk.refuse_after
            if refuse:
                desk.refused_at = time.time()
        time.sleep(0.03)
        with desk.lock:
            desk.now -= 1
        body = b"{}"
        self.send_response(429 if refuse else 200)
        if refuse:
            self.send_header("Retry-After", "6")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def test_workers_ask_a_host_together(server: Engine) -> None:
    """Four workers together ask one host no more at once than one session does: eight."""
    desk = Desk()
    with cluster_of(4) as client:
        report = spread(client, server, url=f"http://127.0.0.1:{desk.server_port}")
    desk.close()

    assert {"ok"} == {one.verdict for one in report.sources}
    assert 4 * 5 * 30 == desk.served == sum(one.requests for one in report.sources)
    assert 4 < desk.most <= 8


def test_a_refusal_is_for_all_workers(server: Engine) -> None:
    """A host that asks one worker to wait is left alone by the others too."""
    desk = Desk(refuse_after=100)
    with cluster_of(2) as client:
        report = spread(client, server, url=f"http://127.0.0.1:{desk.server_port}")
    desk.close()

    assert {"ok"} == {one.verdict for one in report.sources}
    # half a second to hear of it, and what a busy machine adds
    asked = [at - desk.refused_at for at in desk.asked if at > desk.refused_at]
    assert [] == [after for after in asked if 2 < after < 5.9]
    assert any(after > 5.9 for after in asked)


# ---------- the feed ----------


def rows_of(store: Engine, root: Path, **how: Any) -> dict[str, list[str]]:
    """Return the rows of each table of the feed, as text and sorted."""
    now = datetime(2026, 2, 1, tzinfo=UTC)
    folder = build(store, root, BuildOptions(**how), now=now).folder
    with closing(open_feed(folder)) as feed:
        tables = feed.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall()
        return {
            table: sorted(map(repr, feed.execute(f"SELECT * FROM {table}").fetchall()))
            for (table,) in tables
            if table != "meta_feed"
        }


def test_workers_build_the_feed_of_a_server(client: Any, server: Engine, tmp_path: Path) -> None:
    """Each worker reads its ranges from the server, and the feed has the rows of one built at once."""
    spread(client, server)
    with Store.open(server) as store, store.transaction():
        links = [
            Project(id="config:P", code="P", name="P", level="project"),
            *(ProjectLink(id=f"config:P/{one}:c", project_code="P", container_id=f"{one}:c", facets="")
              for one in NAMES),
        ]  # fmt: skip
        store.save(links, run_id=1, source_id="config")
    whole = rows_of(server, tmp_path / "whole")
    shared = rows_of(server, tmp_path / "shared", cluster=client.scheduler.address)

    assert len(whole["fact_worklog"]) == 4 * 3 * spread_world.BATCHES * spread_world.ROWS
    assert set() == {table for table in whole if whole[table] != shared[table]}
    assert server.password.reveal().encode() not in pickle.dumps(server)  # type: ignore[attr-defined]


# ---------- the command line ----------


def test_the_hub_syncs_on_a_cluster(
    client: Any, server: Engine, hub_folder: Path, run_hub: Callable[..., HubResult]
) -> None:
    """With an address in hub.toml workers read what it names; a dry run stays here; no secret is shown."""
    secret = hub_folder / "word"
    secret.write_text(server.password.reveal())  # type: ignore[attr-defined]
    secret.chmod(0o600)
    (hub_folder / "plans").mkdir()
    (hub_folder / "hours.csv").write_text(
        "no,project,who,day,hours\n1,P,ann,2026-07-01,7\n2,P,bob,2026-07-02,3\n"
    )
    (hub_folder / "mappings").mkdir()
    (hub_folder / "mappings" / "hours.toml").write_text(
        'record = "worklog"\nkey = ["no"]\n[fields]\ncontainer_id = "project"\naccount_id = "who"\n'
        'day = "day"\nseconds = { column = "hours", unit = "hours" }\n'
    )
    (hub_folder / "config" / "projects.csv").write_text("code,name,level\nP,Project,project\n")
    (hub_folder / "config" / "hub.toml").write_text(
        f'store = "{server.where}"\nstore_password = {{ file = "word" }}\n'
        f'[engine]\nkind = "dask"\naddress = "{client.scheduler.address}"\n'
        '[sources.hours]\nkind = "tabular"\npath = "hours.csv"\nmapping = "mappings/hours.toml"\n'
        '[sources.broken]\nkind = "tabular"\npath = "none.csv"\nmapping = "mappings/hours.toml"\n'
    )
    dry = run_hub("sync", "--dry-run")
    with Store.open(server) as store:
        assert [] == store.rows("SELECT id FROM worklog")
    done = run_hub("sync", "--json")

    assert 3 == done.exit_code, done.output + done.error
    with Store.open(server) as store:
        assert [25200, 10800] == [
            row["seconds"] for row in store.rows("SELECT seconds FROM worklog ORDER BY id")
        ]
        assert {"config", "hours", "broken"} == {run.source_id for run in store.runs()}
        assert [{"code": "P"}] == store.rows("SELECT code FROM project")
    assert server.password.reveal() not in done.output + done.error + dry.output  # type: ignore[attr-defined]
    assert "none.csv" in done.output
