"""What another hub's feed becomes, by each of its three ways, and how one that is not whole is refused."""

from __future__ import annotations

import json
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hub_group import MONTHS, config, figures, published, synced, tool
from hub_hub.folder import Folder
from hub_hub.source import HubSource
from hub_hub.testing.certification import HubCertification

from hub import (
    Account,
    BudgetLine,
    ConfigError,
    Container,
    Context,
    Project,
    Record,
    RegisterItem,
    Secret,
    Task,
    Worklog,
)
from hub.feed import open_feed
from hub.records import FxRate
from hub.store import Store, rejections
from hub.sync import Options, sync
from hub.testing.kit import Request, Response, certify, faults
from hub.testing.kit.harness import table

SITE = "https://jira.example.com/"
CONFIG: list[Record] = [Project(id="config:A", code="A", name="Alpha")]
TOOL: list[Record] = [
    Container(id="jira:c", kind="project", code="A", name="A in Jira", seconds_per_day=28800),
    Account(id="jira:ann", display_name="Ann"),
    Task(
        id="jira:1", container_id="jira:c", code="A-1", title="One", status_raw="Doing",
        status_native="in_progress", estimate_s=57600, remaining_s=28800, labels="red two\u00a0words",
        created_at="2026-07-01T08:00:00Z", assignee_id="jira:ann", due_on="2026-09-30", cost_minor=5_000,
        currency="USD",
    ),
    Task(id="jira:2", container_id="jira:c", code="A-2", title="Two", parent_id="jira:1",
         status_native="done"),
    Worklog(id="jira:w1", task_id="jira:1", account_id="jira:ann", day="2026-07-02", seconds=14400),
    Worklog(id="jira:w2", task_id="jira:2", account_id="jira:ann", day="2026-08-03", seconds=7200),
    Worklog(
        id="jira:w3", task_id="jira:2", account_id="jira:ann", day="2026-08-03", finish_on="2026-08-04",
        seconds=3600, category="absence",
    ),
    BudgetLine(
        id="jira:b", project_code="A", month="2026-08", kind="revised", category="services",
        amount_minor=10_000, currency="USD",
    ),
    RegisterItem(
        id="jira:r", project_code="A", kind="risk", title="Rain, \"hail\"\nand \\N snow",
        exposure_minor=2_500, currency="USD", probability=0.5,
    ),
]  # fmt: skip


def subsidiary(folder: Path, rows: list[Record] = TOOL, **how: Any) -> Path:
    with synced(folder, config(CONFIG), tool("jira", rows, url=SITE)) as store:
        return published(folder, store, **{"currency": "USD"} | how)


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish the subsidiary's feed once, and return the folder that holds it."""
    return subsidiary(tmp_path_factory.mktemp("sub")).parent


@pytest.fixture
def place(feed: Path, tmp_path: Path) -> Path:
    """Return a feed folder of its own, to be spoiled."""
    shutil.copytree(feed, tmp_path / "copy")
    return tmp_path / "copy"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with synced(tmp_path / "group") as opened:
        yield opened


def read(store: Store, source: HubSource, *others: Any) -> Any:
    report = sync(store, [source, *others], Options(base=Path(store.where).parent))
    return report.sources[0]


def rows(store: Store) -> dict[str, list[dict[str, Any]]]:
    """Return what the store holds of every table that a feed becomes, without what the store adds."""
    added = {"key", "run_id", "recorded_at", "presence_at", "evidence", "seen_run", "source_id"}
    return {
        table: [
            {name: value for name, value in dict(row).items() if name not in added}
            for row in store.rows(f"SELECT * FROM {table} ORDER BY id")
        ]
        for table in (
            "container",
            "account",
            "task",
            "worklog",
            "budget_line",
            "register_item",
            "custom_value",
        )
    }


def folder(place: Path) -> Path:
    return place / (place / "CURRENT").read_text().strip()


@pytest.mark.long
def test_hand_figures_of_a_group_in_another_currency(feed: Path, store: Store, tmp_path: Path) -> None:
    """Amounts come in the group's currency at its own rate, 1.25 dollars a euro; what was said is kept."""
    rates: list[Record] = [
        FxRate(id=f"config:fx/{month}", currency="USD", month=month, per_eur=1.25)
        for month in (*MONTHS, time.strftime("%Y-%m"))
    ]
    read(store, HubSource(name="north", path=str(feed)), config([*CONFIG, *rates]))

    view = open_feed(published(tmp_path / "group", store))

    ask = lambda sql: view.execute(sql).fetchall()  # noqa: E731 - three words, six times
    assert [("A", 80.0)] == ask(
        "SELECT code, revised_amount FROM fact_budget JOIN dim_project USING (project_key)"
    )
    assert [(20.0,)] == ask("SELECT exposure_amount FROM fact_register")
    assert [(40.0,)] == ask("SELECT sum(cost_amount)::DOUBLE FROM fact_task_snapshot")
    assert [("project", 21600, 0.75), ("absence", 3600, 0.125)] == ask(
        "SELECT category, sum(seconds)::BIGINT, sum(days) FROM fact_worklog GROUP BY 1 ORDER BY 2 DESC"
    )
    assert [(2.0, 1.0)] == ask(
        "SELECT sum(estimate_days), sum(remaining_days) FROM fact_task_snapshot WHERE cut_key = 0"
    )
    assert [("A-1", "red, two words"), ("A-2", None)] == ask(
        "SELECT key, labels FROM dim_task WHERE task_key <> -1 ORDER BY 1"
    )
    assert [(10_000, "USD")] == [
        (row["amount_minor"], row["currency"])
        for row in store.rows("SELECT amount_minor, currency FROM budget_line")
    ]
    view.close()


def test_a_second_run_changes_nothing(feed: Path, store: Store) -> None:
    """An unchanged feed is not read again; read again whole it changes no row."""
    source = HubSource(name="north", path=str(feed))
    read(store, source)
    before = store.rows("SELECT max(recorded_at) AS at FROM task")[0]["at"]

    again = read(store, source)
    full = sync(store, [source], Options(base=feed, full=True)).sources[0]

    assert (0, 0) == (
        again.changes.inserted + again.changes.updated,
        full.changes.inserted + full.changes.updated,
    )
    assert before == store.rows("SELECT max(recorded_at) AS at FROM task")[0]["at"]


@pytest.mark.long
def test_deletions_are_proven_by_the_feed(tmp_path: Path, store: Store) -> None:
    """What a newer whole feed lacks is deleted; what it brings back is present."""
    source = HubSource(name="north", path=str(tmp_path / "sub" / "feed"), max_leave=1.0)
    with synced(tmp_path / "sub", config(CONFIG)) as sub:
        for kept, wanted in ((TOOL, "present"), (TOOL[:3] + TOOL[7:], "deleted"), (TOOL, "present")):
            sync(sub, [tool("jira", list(kept), url=SITE, max_leave=1.0)], Options(base=tmp_path))
            published(tmp_path / "sub", sub)
            report = read(store, source)

            assert ("ok", wanted) == (
                report.verdict,
                store.rows("SELECT presence FROM task WHERE id = 'north:jira:2'")[0]["presence"],
            )


@pytest.mark.long
@pytest.mark.parametrize("harm", ["half", "missing", "manifest", "contract", "rows", "gone"])
def test_a_feed_that_is_not_whole_is_not_taken(place: Path, store: Store, harm: str) -> None:
    """Whatever is wrong with it, the run says so, nothing of it is taken and what was known stays."""
    source = HubSource(name="north", path=str(place))
    read(store, source)
    before = rows(store)
    (manifest,) = place.glob("*/manifest.json")
    said = json.loads(manifest.read_text())
    said["feed_id"] = "20990101T000000Z-other"  # another feed than the one that was read
    file = next(iter(said["tables"]["dim_task"]["files"]))
    if harm == "half":
        path = manifest.parent / file
        path.write_bytes(path.read_bytes()[:-100])
    elif harm == "missing":
        (manifest.parent / file).unlink()
    elif harm == "contract":
        said["contract"] += 1
    elif harm == "rows":
        said["tables"]["dim_task"]["rows"] += 1
    manifest.write_text(json.dumps(said)[:-20] if harm == "manifest" else json.dumps(said))
    if harm == "gone":
        shutil.rmtree(manifest.parent)

    report = read(store, source)

    assert ("failed", before) == (report.verdict, rows(store))
    assert "contract" in str(report) if harm == "contract" else str(place) in str(report)


@pytest.mark.long
def test_a_feed_that_is_switched_while_it_is_read_is_read_again(
    tmp_path: Path, place: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tables are of the one feed or of the other, and in the end of the newer one."""
    newer = subsidiary(tmp_path / "newer", [*TOOL, Worklog(id="jira:w9", task_id="jira:1", day="2026-09-01",
                                                           seconds=60)])  # fmt: skip
    whole, switched = Folder._whole, []

    def switch(self: Folder, *arguments: Any) -> str:
        found = whole(self, *arguments)
        if not switched:
            switched.append(shutil.copytree(newer, place / newer.name))
            (place / "CURRENT").write_text(newer.name)
        return found

    monkeypatch.setattr(Folder, "_whole", switch)

    report = read(store, HubSource(name="north", path=str(place)))

    assert ("ok", 1) == (report.verdict, len(store.rows("SELECT id FROM worklog WHERE id = 'north:jira:w9'")))


def test_a_feed_that_stands_still_is_told(place: Path, store: Store) -> None:
    """Its rows are taken, and the verdict does not call them fresh."""
    manifest = folder(place) / "manifest.json"
    said = json.loads(manifest.read_text())
    manifest.write_text(json.dumps({**said, "built_at": "2026-01-01T00:00:00Z"}))

    report = read(store, HubSource(name="north", path=str(place)))

    assert ("partial", None, 2) == (
        report.verdict,
        store.last_success("north"),
        len(store.rows("SELECT id FROM task")),
    )
    assert "2026-01-01" in str(report.missing)


@pytest.mark.long
def test_what_the_other_hub_could_not_take_comes_through(tmp_path: Path, store: Store) -> None:
    """A rejection there is one here, with its hours, and keeps nothing else back."""
    odd = Worklog(id="jira:odd", task_id="jira:1", day="not a day", seconds=7200)
    with synced(tmp_path / "sub", config(CONFIG)) as sub:
        sync(sub, [tool("jira", [*TOOL, odd], url=SITE)], Options(base=tmp_path))
        published(tmp_path / "sub", sub)

    report = read(store, HubSource(name="north", path=str(tmp_path / "sub" / "feed")))

    assert ("partial", [(7200, "worklog")]) == (
        report.verdict,
        [(row["seconds"], row["record"]) for row in store.rows("SELECT * FROM rejection")],
    )
    assert 3 <= len(store.rows("SELECT id FROM worklog"))


def test_a_token_opens_the_same_feed(feed: Path, store: Store, tmp_path: Path) -> None:
    """What comes by OData is what stands in the folder, row by row."""
    uvicorn = pytest.importorskip("uvicorn")
    site_of = pytest.importorskip("odata_site")
    site = site_of.Site(feed, tmp_path)
    (tmp_path / "token").write_text(site.client().token)
    (tmp_path / "token").chmod(0o600)
    (tmp_path / "narrow").write_text(site.client(person="one@x.org").token)
    (tmp_path / "narrow").chmod(0o600)
    server = uvicorn.Server(uvicorn.Config(site.app, port=0, log_level="warning", access_log=False))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    try:
        port = server.servers[0].sockets[0].getsockname()[1]
        served = HubSource(
            name="north", url=f"http://127.0.0.1:{port}", token=Secret("file", "token", tmp_path)
        )
        report = read(store, served)
        again = read(store, served)
        narrow = read(store, msgspec.structs.replace(served, token=Secret("file", "narrow", tmp_path)))
    finally:
        server.should_exit = True
        thread.join()

    assert ("ok", 0) == (report.verdict, again.changes.inserted + again.changes.updated)
    assert ("failed", True) == (narrow.verdict, "one person" in str(narrow.missing))
    _same_as_the_folder(feed, store, tmp_path)


def database(feed: Path, tmp_path: Path, **settings: Any) -> dict[str, Any]:
    """Deliver the feed to a database of its own, and return what opens it."""
    scratch = pytest.importorskip("hub_postgresql.testing.scratch")
    from hub_postgresql.destination import PostgresqlDestination

    from hub import DeliveryContext
    from hub.testing.fixtures import view_of

    if scratch.programs() is None:
        pytest.skip("PostgreSQL's server is not installed")
    server = scratch.scratch()
    (tmp_path / "password").write_text(server.password)
    (tmp_path / "password").chmod(0o600)
    where: dict[str, Any] = {
        "host": "127.0.0.1", "port": server.port, "database": server.database(), "user": scratch.USER,
        "password": Secret("file", "password", tmp_path),
    }  # fmt: skip
    with server.connect(where["database"]) as connection:
        for role in settings.get("readers", ()):
            connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{server.password}'")
    with view_of(folder(feed)) as view:
        PostgresqlDestination(name="pg", privacy="nominative-line", **where, **settings).deliver(
            DeliveryContext(base=tmp_path, name="pg"), view
        )
    return where


def test_a_database_holds_the_same_feed(feed: Path, store: Store, tmp_path: Path) -> None:
    """What comes from PostgreSQL is what stands in the folder, row by row."""
    report = read(store, HubSource(name="north", **database(feed, tmp_path)))

    assert "ok" == report.verdict
    _same_as_the_folder(feed, store, tmp_path)


def test_a_database_that_hides_rows_is_not_half_taken(feed: Path, store: Store, tmp_path: Path) -> None:
    """A reader whose policies leave rows out is refused, and nothing looks deleted."""
    where = database(feed, tmp_path, readers=("narrow",), row_security=True)

    whole = read(store, HubSource(name="north", **where))
    narrow = read(store, HubSource(name="north", **where | {"user": "narrow"}))
    nobody = read(store, HubSource(name="north", **where, schema="nowhere"))

    assert ("ok", "failed", "failed") == (whole.verdict, narrow.verdict, nobody.verdict)
    assert "policy" in str(narrow.missing)
    assert 2 == len(store.rows("SELECT id FROM task WHERE presence = 'present'"))


def test_a_table_that_is_made_anew_waits_until_the_feed_was_read(
    feed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A table that takes the place of another meanwhile would show a transaction of before no row."""
    psycopg = pytest.importorskip("psycopg")
    from hub_hub import postgresql
    from hub_hub.feed import Staged

    where = database(feed, tmp_path)
    password = where.pop("password").reveal()
    reached = {"host": where["host"], "port": where["port"], "user": where["user"], "password": password}
    shaped, refused = postgresql.shaped, []

    def meanwhile(table: str, *rest: Any) -> str:
        if not refused:
            with psycopg.connect(dbname=where["database"], **reached) as other:
                other.execute("SET lock_timeout = '50ms'")
                with pytest.raises(psycopg.errors.LockNotAvailable) as raised:
                    other.execute("DROP TABLE feed.fact_worklog CASCADE")
                refused.append(raised)
                other.rollback()
        return shaped(table, *rest)

    monkeypatch.setattr(postgresql, "shaped", meanwhile)
    staged = Staged(postgresql.Postgresql(**where, password=password, schema="feed", ca=None))
    (lines,) = staged.one("SELECT count(*) FROM fact_worklog")
    staged.close()

    assert (1, 4) == (len(refused), lines)  # w3 lies on two days


def _same_as_the_folder(feed: Path, store: Store, tmp_path: Path) -> None:
    with synced(tmp_path / "by folder", HubSource(name="north", path=str(feed))) as other:
        assert rows(other) == rows(store)


@pytest.mark.long
@pytest.mark.sample(1)
@pytest.mark.parametrize("level", ["team-week", "pseudonym-week", "project"])
def test_sums_count_once_where_lines_of_the_tool_are_read(tmp_path: Path, feed: Path, level: str) -> None:
    """A feed without lines gives its hours, but none of a tool that the group reads line by line."""
    from hub.feed.projection import project_to

    narrow = project_to(level, folder(feed), tmp_path / "narrow", secret=b"a key of some length", k=1)
    source = HubSource(name="north", path=str(narrow))
    direct = tool("here", [_renamed(row) for row in TOOL], url="HTTPS://jira.example.com:443")

    def hours(name: str, *sources: Any) -> Any:
        with synced(tmp_path / name, config(CONFIG), *sources) as store:
            view = open_feed(published(tmp_path / name, store))
            found = view.execute("SELECT sum(seconds)::BIGINT FROM fact_worklog").fetchone()
            view.close()
            return found

    assert [(25200,), (25200,)] == [hours("alone", source), hours("both", source, direct)]


def _renamed(row: Record) -> Record:
    """Return *row* as another hub knows it, which calls the tool ``here``."""
    import msgspec

    changed = {
        name: value.replace("jira:", "here:", 1)
        for name, value in msgspec.structs.asdict(row).items()
        if isinstance(value, str) and value.startswith("jira:")
    }
    return msgspec.structs.replace(row, **changed)


@pytest.mark.long
def test_a_tool_without_an_address_is_the_same_by_word(tmp_path: Path, feed: Path) -> None:
    """``same`` says which tool of the other hub is which of this one; a word that names none is refused."""
    source = HubSource(name="north", path=str(feed), same={"jira": "here"})
    direct = tool("here", [_renamed(row) for row in TOOL])
    with synced(tmp_path / "group", config(CONFIG), source, direct) as store:
        found = figures(published(tmp_path / "group", store))
        lost = read(store, HubSource(name="north", path=str(feed), same={"jiro": "here"}))

    assert 25200 == sum(row[5] for row in found["hours"])
    assert 2 == sum(row[5] for row in found["tasks"])
    assert "failed" == lost.verdict


def test_settings_that_say_no_place_or_two() -> None:
    """One way to the feed, whole."""
    for wrong in ({}, {"path": "x", "url": "https://x"}, {"url": "https://x"}, {"host": "h"}):
        with pytest.raises(ConfigError):
            HubSource(name="north", **wrong)  # type: ignore[arg-type]


def test_the_check_says_what_is_there(feed: Path, tmp_path: Path) -> None:
    """Which feed, of which tools."""
    found = list(HubSource(name="north", path=str(feed)).check(Context(base=tmp_path, source_id="north")))

    assert [("feed", "ok")] == [(one.name, one.state) for one in found]
    assert "jira" in found[0].detail


@pytest.mark.long
def test_a_cut_of_the_other_hub_is_read_as_it_was(tmp_path: Path, store: Store) -> None:
    """``cut`` shows tasks as the committee saw them; what came later is not in it."""
    from hub.publish.cuts import take

    later = Task(id="jira:3", container_id="jira:c", code="A-3", title="Three", status_native="todo")
    with synced(tmp_path / "sub", config(CONFIG), tool("jira", TOOL, url=SITE)) as sub:
        take(sub, kind="copil", label="COPIL of today", actor="a test")
        sync(sub, [tool("jira", [*TOOL, later], url=SITE)], Options(base=tmp_path))
        published(tmp_path / "sub", sub)
    place = str(tmp_path / "sub" / "feed")

    found = {}
    for cut in (None, "copil", "COPIL of today"):
        report = read(store, HubSource(name="north", path=place, cut=cut, max_leave=1.0))
        assert "ok" == report.verdict
        here = store.rows("SELECT id FROM task WHERE presence = 'present' ORDER BY 1")
        found[cut] = [row["id"] for row in here]
    lost = read(store, HubSource(name="north", path=place, cut="COPIL of never"))

    two = ["north:jira:1", "north:jira:2"]
    assert {None: [*two, "north:jira:3"], "copil": two, "COPIL of today": two} == found
    assert "failed" == lost.verdict
    assert "COPIL of today" in str(lost)


@pytest.mark.long
def test_a_group_may_be_read_by_a_larger_one(tmp_path: Path, feed: Path) -> None:
    """Hours and tasks pass through every floor unchanged."""
    below = str(feed)
    for floor in ("group", "holding"):
        with synced(tmp_path / floor, config(CONFIG), HubSource(name=floor, path=below)) as store:
            published(tmp_path / floor, store, currency="USD")
        below = str(tmp_path / floor / "feed")

    whole, found = figures(folder(feed)), figures(folder(Path(below)))

    assert whole["hours of tasks"] == found["hours of tasks"]
    assert whole["budgets"] == found["budgets"]
    assert whole["hours"] == found["hours"]


@pytest.mark.long
def test_it_stands_its_examination(proof: bool, said_level: Callable[[str], str]) -> None:
    """By its OData door; a feed is read whole, so that increments are not claimed."""
    report = certify(HubCertification(), only=() if proof else SAMPLE)

    assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
    if proof:
        assert said_level("another hub") == report.level


SAMPLE = ("reads-everything", "requests-within-plan", "deletions-are-found", "declared-records-only")


@pytest.mark.long
@pytest.mark.parametrize("spoilt", [{"odd": [1]}, "12,5", True], ids=["an object", "a text", "a flag"])
def test_a_value_of_another_type_costs_its_row(spoilt: Any) -> None:
    """One task whose cost is no number is rejected by its key; the others are taken, and it comes back."""
    certification = HubCertification()
    with table(certification, 7) as harness:
        natives = faults.natives_of(harness.world)
        native = faults.shown_fields(harness)["actual_cost_amount"]

        def fault(_: int, __: Request, honest: Callable[[], Response]) -> Response:
            answer = honest()
            body = faults.parsed(answer)
            for own, row in faults.rows_of(body, natives):
                if f"{row[own]}" == native and "actual_cost_amount" in row:
                    row["actual_cost_amount"] = spoilt
            return answer if body is None else msgspec.structs.replace(answer, body=body)

        report = harness.sync(fault, full=True)
        (rejected,) = rejections.rejected(harness.store)
        calm = harness.sync(full=True)

        assert ("partial", 1) == (report.verdict, report.rejected)
        assert "actual_cost_amount" == rejected.field
        assert rejected.place.startswith("fact_task_snapshot ")
        assert ("ok", []) == (calm.verdict, rejections.rejected(harness.store))
        harness.must_equal("after a calm run")
