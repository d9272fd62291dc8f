"""The feed that is built in shares is the feed that is built at once, whoever builds, whatever is killed."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import random
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from filling import fill
from parts_world import Life, doomed

from hub.errors import ConfigError, FeedError
from hub.feed import BuildOptions, Snapshot, build, stage
from hub.feed import parts as parts_module
from hub.feed import runner as runner_module
from hub.feed.build import table_glob
from hub.feed.model import model, table_sql
from hub.feed.parts import PARTED, waits_for
from hub.feed.runner import Cluster, Here, Runner, connected
from hub.feed.stage import empty_of, key_ranges, statements
from hub.publish.cuts import cuts_for
from hub.records import Account, Container, Task, Worklog
from hub.store import Store
from hub.testing.empty import store_at

NOW = datetime(2026, 4, 2, 12, tzinfo=UTC)
needs_dask = pytest.mark.skipif(
    importlib.util.find_spec("distributed") is None, reason="the extra cluster (distributed) is not installed"
)


def image(snapshot: Snapshot) -> dict[str, Any]:
    """Return, by table, the hash of its sorted rows, and what the manifest says beside files.

    A control sum of days is of doubles, in whatever order the files are read: its last digits are not said.
    """
    found: dict[str, Any] = {}
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in snapshot.manifest["tables"]:
            place = table_glob(snapshot.folder, name).replace("'", "''")
            rows = connection.execute(
                f"SELECT r::VARCHAR FROM read_parquet('{place}', hive_partitioning = false) r ORDER BY 1"
            ).fetchall()
            found[name] = (len(rows), hashlib.sha256("\n".join(row[0] for row in rows).encode()).hexdigest())
    told = {key: value for key, value in snapshot.manifest.items() if key not in {"feed_id", "tables"}}
    sums = {
        name: {one: f"{value:.12g}" for one, value in table["sums"].items() if value is not None}
        for name, table in snapshot.manifest["tables"].items()
    }
    return {**found, "manifest": told, "sums": sums, "late": snapshot.late}


def both(store: Store, base: Path, options: BuildOptions, runner: Runner) -> tuple[Any, Any, Snapshot]:
    """Return the image of the feed built at once and in shares, or what each refused, and the second feed."""
    images = []
    last: Any = None
    for one in (None, runner):
        try:
            last = build(Path(store.where), base / "feed", options, now=NOW, runner=one)
            images.append(image(last))
        except FeedError as exc:
            images.append(str(exc))
    return images[0], images[1], last


def ask(snapshot: Snapshot, sql: str) -> Any:
    place = table_glob(snapshot.folder, "fact_worklog")
    with duckdb.connect() as connection:
        return connection.execute(sql.format(f"read_parquet('{place}', union_by_name = true)")).fetchone()[0]  # type: ignore[index]


@pytest.mark.long
@pytest.mark.proof("laws")
def test_shares_make_the_feed(tmp_path: Path, proof: bool) -> None:
    """For random portfolios every table has the same rows: now and then, sealed or not, in any shares."""
    seen: Counter[str] = Counter()
    for seed in range(60) if proof else (4, 5):
        base = tmp_path / str(seed)
        base.mkdir()
        rng = random.Random(seed)
        with store_at(base / "hub.db") as store:
            life = Life(seed, store, base)
            moments = []
            try:
                for no in range(2):
                    life.seal()
                    moments.append(store.connection.execute("SELECT last FROM clock").fetchone()[0])
                    life.round()
                    if rng.random() < 0.5:
                        life.publish()
                    if rng.random() < 0.5:
                        life.cut(f"C{no}")
            except FeedError:
                seen["refused"] += 1  # two filters claim one task alike: see below that both builds say so
            as_of = rng.choice((None, None, *moments))
            cuts, vs = cuts_for(store, base / "feed", as_of=as_of, vs=None)
            options = BuildOptions(as_of=as_of, cuts=cuts, vs=vs, lang=rng.choice(("en", "fr")))
            whole, shared, feed = both(store, base, options, Here(shares=rng.choice((1, 2, 3, 7))))

            assert whole == shared, seed
            if isinstance(whole, str):
                continue
            seen.update({name: whole[name][0] for name in model().tables})
            seen["late"] += len(feed.late)
            if whole["fact_worklog"][0]:
                seen["days of spans"] += ask(feed, "SELECT count(*) FROM {} WHERE worklog_id LIKE '%@2026%'")
                seen["corrections"] += ask(feed, "SELECT count(*) FROM {} WHERE sealed_month IS NOT NULL")
                seen["fields"] += ask(feed, "SELECT count(x_phase) + count(x_km) FROM {}")
                seen["prices"] += ask(feed, "SELECT count(amount) FROM {}")
            seen["left out"] += sum(one["measure"] == "seconds" for one in feed.manifest["excluded"])

    told = {"late", "days of spans", "corrections", "fields", "prices", "left out"}
    # what a source could not read is no row of a share
    assert {"fact_rejection"} == {*model().tables, *told} - {name for name, n in seen.items() if n}


@pytest.mark.long
def test_a_store_without_hours(tmp_path: Path) -> None:
    """Nothing at all, and tasks nobody worked on, make the same feed."""
    with store_at(tmp_path / "hub.db") as store:
        for rows in (
            [],
            [Container(id="s:c", kind="plan", name="C"), Task(id="s:t", container_id="s:c", title="T")],
        ):
            fill(store, rows)
            whole, shared, _ = both(store, tmp_path, BuildOptions(), Here(shares=3))

            assert whole == shared


@pytest.mark.long
def test_a_sync_that_goes_on_is_not_seen_in_part(tmp_path: Path) -> None:
    """Hours that are entered, corrected and deleted while shares are read stay as they were when it began."""
    with store_at(tmp_path / "hub.db") as store:
        hours = [Worklog(id=f"s:w{n}", day="2026-03-02", seconds=60 * n) for n in range(20)]
        fill(store, [Account(id="s:a")], hours)
        calm = image(build(Path(store.where), tmp_path / "feed", BuildOptions(), now=NOW))

        class Busy(Here):
            def start(self, work: Callable[..., None], *arguments: Any) -> Callable[[], None]:
                if work is parts_module.read_rows and arguments[1:3] == ("worklog", 1):
                    fill(store, [Worklog(id="s:w7", day="2026-03-09", seconds=1),
                                 Worklog(id="s:new", day="2026-03-02", seconds=1)])  # fmt: skip
                    store.set_presence("worklog", ["s:w8", "s:w15"], "deleted", "a test", run_id=9)
                return super().start(work, *arguments)

        shared = image(
            build(Path(store.where), tmp_path / "feed", BuildOptions(), now=NOW, runner=Busy(shares=3))
        )

    assert calm["fact_worklog"] == shared["fact_worklog"]


def test_every_key_is_read_once() -> None:
    """Ranges of keys leave none out and none twice, below the first and above the last too."""
    for edges in ([], [5], [2, 5, 9]):
        conditions = " + ".join(f"({one})::INTEGER" for one in key_ranges(edges))

        assert [(1,)] == duckdb.sql(
            f"SELECT DISTINCT {conditions} FROM (SELECT unnest(range(-3, 20)) AS key)"
        ).fetchall()


def test_what_is_built_before_the_shares_come() -> None:
    """No table is filled early that names what shares make, and every statement of resolve/ has a name."""
    names = [name for name, _ in statements()]
    tables = {name: table_sql(name) for name in model().tables}
    late = waits_for(tables)
    early = [name for name in tables if name not in late]

    assert set(names) >= PARTED
    assert {"dim_task", "fact_task_snapshot", "fact_assignment", "fact_status_interval"} <= set(early)
    assert {"fact_worklog", "fact_kpi", "fact_quality", "fact_adoption", "fact_move", "bridge_access"} <= set(
        late
    )
    for name in early:
        for made in (
            "worklog",
            "fact_worklog",
            "worklog_place",
            "planned_day",
            "line",
            "excluded",
            "fact_kpi",
        ):
            assert made not in tables[name].replace("(", " ").replace(",", " ").split(), name


def test_an_empty_table_of_the_same_columns() -> None:
    """What makes a table makes it without a row where it is asked to, comments and subqueries or not."""
    made = "-- AS a comment\nCREATE TABLE t AS\n    WITH a AS (SELECT 1 AS x) SELECT x, 'b' AS y FROM a"
    with duckdb.connect() as connection:
        connection.execute(empty_of(made))

        assert [("x", "INTEGER"), ("y", "VARCHAR")] == [
            row[:2] for row in connection.execute("DESCRIBE t").fetchall()
        ]
        assert [] == connection.execute("SELECT * FROM t").fetchall()


def test_another_release_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two releases could cut shares differently: a worker with another one says so, and nothing is built."""
    with store_at(tmp_path / "hub.db") as store:
        fill(store, [Worklog(id="s:w", day="2026-03-02", seconds=60)])
        told = iter(["pm-hub 1", "pm-hub 2", "pm-hub 2"])
        monkeypatch.setattr(parts_module, "releases", lambda: next(told))

        with pytest.raises(FeedError, match="pm-hub 2, and the hub pm-hub 1"):
            build(Path(store.where), tmp_path / "feed", BuildOptions(), runner=Here())

    assert [] == list((tmp_path / "feed").iterdir())


@needs_dask
def test_a_first_worker_is_waited_for() -> None:
    """One that died is started anew by its nanny, and a cluster may start with its first question."""
    import distributed

    with (
        distributed.LocalCluster(
            n_workers=0, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=50
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
    ):
        later = threading.Timer(0.5, local.scale, [1])
        later.start()

        assert 1 == Cluster(client).workers
        later.join()


@pytest.mark.long
def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """After a build there is the feed, for its owner alone, and nothing of its shares."""
    with store_at(tmp_path / "hub.db") as store:
        fill(store, [Worklog(id=f"s:w{n}", day="2026-03-02", seconds=60) for n in range(9)])
        snapshot = build(Path(store.where), tmp_path / "feed", BuildOptions(), runner=Here(shares=2))

    assert [snapshot.folder] == list((tmp_path / "feed").iterdir())
    assert {"year_month=2026-03/data_0.parquet"} == {
        path.relative_to(snapshot.folder / "fact_worklog").as_posix()
        for path in (snapshot.folder / "fact_worklog").rglob("*.parquet")
    }
    if os.name == "posix":
        assert {0o600} == {path.stat().st_mode & 0o777 for path in snapshot.folder.rglob("*.parquet")}


# ---------- on disk ----------


def test_how_many_hours_there_are_is_known_before_they_are_joined(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Thought to be none, they are what is held in memory: 10 million took 2 GB and more, where 1 does."""
    estimates: list[int] = []

    have_read = parts_module.Parts.have_read

    def planned_on(self: parts_module.Parts, connection: duckdb.DuckDBPyConnection) -> None:
        have_read(self, connection)
        for table in ("worklog", "allocation"):
            plan = connection.execute(f"EXPLAIN (FORMAT json) SELECT seconds FROM {table}").fetchall()[0][1]
            estimates.append(int(re.findall(r'"Estimated Cardinality": "(\d+)"', plan)[-1]))

    monkeypatch.setattr(parts_module.Parts, "have_read", planned_on)
    with store_at(tmp_path / "hub.db") as store:
        fill(store, [Worklog(id=f"s:w{n}", day="2026-03-02", seconds=60) for n in range(900)])
        build(Path(store.where), tmp_path / "feed", BuildOptions(), now=NOW, runner=Here(shares=3))

    hours, planned = estimates
    assert 450 <= hours <= 1800
    assert planned <= 1


@pytest.mark.long
@pytest.mark.parametrize("large", [False, True])
def test_a_large_store_is_built_on_disk(
    lived: tuple[Path, Any], monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    """A store of more than half the memory is built in a file of the scratch folder, which nobody else reads.

    The feed is the same, row by row.
    """
    base, whole = lived
    opened: list[str] = []
    modes: set[int] = set()
    real = duckdb.connect

    def connect(database: str = ":memory:", *arguments: Any, **named: Any) -> Any:
        opened.append(database)
        if database.endswith("feed.duckdb"):
            modes.add(Path(database).parent.stat().st_mode & 0o777)
        return real(database, *arguments, **named)

    monkeypatch.setattr(duckdb, "connect", connect)
    monkeypatch.setattr(stage, "_SHARE_OF_MEMORY", 0.0 if large else 0.5)

    assert whole == image(build(base / "hub.db", base / "feed", BuildOptions(), now=NOW))
    on_disk = [one for one in opened if one.endswith("feed.duckdb")]
    assert bool(on_disk) == large
    assert not any(Path(one).exists() for one in on_disk)
    if on_disk and os.name == "posix":
        assert modes == {0o700}


# ---------- Dask ----------


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Return a cluster of two processes, which replaces those that die, however often."""
    distributed = pytest.importorskip("distributed")
    import dask

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": 1000}),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
        ) as local,
    ):
        local.adapt(minimum=2, maximum=2, interval="500ms")  # a nanny may give its worker up
        yield local


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Return a store with spans and sealed months, and the image of its feed built at once."""
    base = tmp_path_factory.mktemp("lived")
    with store_at(base / "hub.db") as store:
        life = Life(3, store, base)
        life.seal()
        life.round()
        life.publish()
        life.round()
        return base, image(build(base / "hub.db", base / "feed", BuildOptions(), now=NOW))


@needs_dask
def test_a_cluster_makes_the_feed(cluster: Any, lived: tuple[Path, Any]) -> None:
    """Processes of a cluster make the feed that one process makes, months of the S-curve among it."""
    base, whole = lived
    options = BuildOptions(cluster=cluster.scheduler_address)

    assert whole["fact_evm_month"][0]
    assert whole == image(build(base / "hub.db", base / "feed", options, now=NOW))


@needs_dask
@pytest.mark.long
def test_four_workers_make_the_feed(lived: tuple[Path, Any]) -> None:
    """So do four of them."""
    import distributed

    base, whole = lived
    with distributed.LocalCluster(
        n_workers=4, threads_per_worker=1, processes=True, dashboard_address=":0", silence_logs=50
    ) as local:
        options = BuildOptions(cluster=local.scheduler_address)

        assert whole == image(build(base / "hub.db", base / "feed", options, now=NOW))


@needs_dask
@pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGKILL to send")
@pytest.mark.proof("kills")
def test_killed_workers_change_nothing(
    cluster: Any, lived: tuple[Path, Any], tmp_path: Path, proof: bool
) -> None:
    """Workers killed at random moments of their work, and right after it, leave the same feed."""
    from distributed import Client

    base, whole = lived
    rng = random.Random(26)
    wanted = 50 if proof else 2

    class Deadly(Cluster):
        def start(self, work: Callable[..., None], *arguments: Any) -> Callable[[], None]:
            started = len(list(tmp_path.iterdir()))
            if started < wanted and rng.random() < 0.3:
                mark = tmp_path / str(rng.random())
                return super().start(doomed, mark, rng.uniform(0.0, 0.3), work, *arguments)
            return super().start(work, *arguments)

    with Client(cluster, set_as_default=False) as client:
        while len(list(tmp_path.iterdir())) < wanted:
            client.wait_for_workers(1, timeout=60)
            runner = Deadly(client, shares=rng.choice((2, 4)))

            assert whole == image(
                build(base / "hub.db", base / "feed", BuildOptions(), now=NOW, runner=runner)
            )


@needs_dask
def test_a_deserted_cluster_holds_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the last worker is gone and none comes, the build ends with a sentence, and leaves nothing."""
    import distributed

    monkeypatch.setattr(runner_module, "DESERTED_S", 1.0)
    monkeypatch.setattr(runner_module, "STARTING_S", 0.2)
    monkeypatch.setattr(runner_module, "_LOOK_S", 0.2)
    with (
        distributed.LocalCluster(
            n_workers=1, threads_per_worker=1, processes=False, dashboard_address=":0", silence_logs=50
        ) as local,
        distributed.Client(local, set_as_default=False) as client,
        store_at(tmp_path / "hub.db") as store,
    ):
        fill(store, [Worklog(id="s:w", day="2026-03-02", seconds=60)])
        runner = Cluster(client)
        local.scale(0)
        while client.nthreads():
            time.sleep(0.05)

        with pytest.raises(FeedError, match=r"has no worker\. Start some: dask worker"):
            build(Path(store.where), tmp_path / "feed", BuildOptions(), runner=runner)
        with pytest.raises(FeedError, match="has no worker"):
            Cluster(client)

    assert [] == list((tmp_path / "feed").iterdir())


@needs_dask
def test_nobody_answers() -> None:
    """An address where no scheduler is, is a sentence."""
    with (
        pytest.raises(ConfigError, match="no Dask scheduler answers there"),
        connected("tcp://127.0.0.1:9", patience_s=1),
    ):
        pass


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without distributed the sentence says what to install."""
    monkeypatch.setitem(sys.modules, "distributed", None)

    with pytest.raises(ConfigError, match=r"pm-hub\[cluster\]"), connected("tcp://127.0.0.1:9"):
        pass


def test_nobody_loads_it(tmp_path: Path) -> None:
    """A feed without a cluster is built without distributed, and commands start without it."""
    with store_at(tmp_path / "hub.db") as store:
        fill(store, [Worklog(id="s:w", day="2026-03-02", seconds=60)])
    code = (
        "import sys; from pathlib import Path; import hub.cli; from hub.feed import BuildOptions, build; "
        f"build(Path({str(tmp_path / 'hub.db')!r}), Path({str(tmp_path / 'feed')!r}), BuildOptions()); "
        "print([name for name in sys.modules if name.split('.')[0] in {'distributed', 'dask'}])"
    )

    assert (
        "[]"
        == subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
    )
    assert BuildOptions() == msgspec.structs.replace(BuildOptions(), cluster=None)
