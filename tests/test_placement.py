"""Placement: every user gives each row the same project, and that of an independent reading."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest
from filling import ask, fill
from hypothesis import given, settings
from hypothesis import strategies as st
from placed import World

from hub import matching
from hub.errors import FeedError
from hub.feed import BuildOptions, build, open_feed
from hub.feed.cuts import place_cuts
from hub.feed.stage import Staged
from hub.placement import DUCKDB_FOLD, fold, place, presence, rule
from hub.placement.questions import placed_tasks
from hub.publish.baselines import take as take_baseline
from hub.records import (
    Account,
    Allocation,
    Baseline,
    Container,
    CustomValue,
    Project,
    ProjectLink,
    Record,
    Task,
    Worklog,
)
from hub.source import Batch, Partition, Scope
from hub.store import Store
from hub.sync import effect
from hub.testing import HubResult, ScriptedSource, sync_once

ROOT = Path(__file__).parents[1]
Run = Callable[..., HubResult]


# ---------- the law ----------


@pytest.mark.long
@settings(max_examples=settings.default.max_examples - 6)  # a feed for each: four in the sample
@given(seed=st.integers(0, 1 << 40))
def test_every_user_of_the_rule_agrees(seed: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Feed, dry run, baseline, matching and leftovers place each row where the words of the docs do."""
    base = tmp_path_factory.mktemp("law")
    with Store.open(base / "hub.db") as store:
        with store.transaction():  # one wait for the disk
            world = World(seed, store)
        ties = [task for task in world.tasks if world.of_task(task)[1]]
        if ties:
            _every_user_refuses(world, base, ties)
        else:
            _every_user_places(world, base)


def _every_user_refuses(world: World, base: Path, ties: list[Task]) -> None:
    first = min(ties, key=lambda task: world.key[task.id])
    said = set()
    for user in (
        lambda: build(Path(world.store.where), base / "feed", BuildOptions()),
        lambda: effect.hours(world.store),
        lambda: matching.leftovers(world.store),
        lambda: take_baseline(world.store, "INF", actor="me"),
    ):
        with pytest.raises(FeedError, match="matches several filters that are equally specific") as error:
            user()
        said.add(str(error.value))
    (sentence,) = said

    assert repr(first.code or first.title) in sentence
    assert all(text in sentence for text in world.of_task(first)[1])
    # what must not stop for it shows the task without a project
    world.store.left()
    place(world.store.connection, check=False)
    placed = {row["id"]: row["project"] for row in placed_tasks(world.store.connection)}
    assert {-1} >= {placed[task.id] for task in ties if task.id in placed}


def _every_user_places(world: World, base: Path) -> None:
    store = world.store
    tasks = {task.id: world.of_task(task)[0] for task in world.tasks}
    standing = [task for task in world.tasks if world.stands(task)]
    hours = {hour.id: world.of_hour(hour) for hour in world.hours}
    in_feed, deleted, logged = _feed_says(store, base, whole=world.rng.random() < 0.2)

    assert tasks == in_feed
    assert {task.id for task in world.tasks} - {task.id for task in standing} == deleted
    assert {id_: hours[id_][0] for id_ in logged} == logged
    assert all(hours[id_][1] for id_ in logged)

    expected: dict[str, list[int]] = {}
    for task in standing:
        line = expected.setdefault(world.label(tasks[task.id]), [0, 0, 0])
        line[1] += task.estimate_s or 0
        line[2] += task.remaining_s or 0
    for hour in world.hours:
        project, counts = hours[hour.id]
        if counts:
            expected.setdefault(world.label(project), [0, 0, 0])[0] += hour.seconds
    dry: dict[str, list[int]] = {}
    for (label, _), seconds in effect.hours(store).items():
        dry[label] = [a + b for a, b in zip(dry.get(label, (0, 0, 0)), seconds, strict=True)]
    assert expected == dry

    place(store.connection)
    assert {task.id: tasks[task.id] for task in standing if world.container(task.container_id)} == {
        row["id"]: row["project"] for row in placed_tasks(store.connection)
    }

    left: Counter[str] = Counter()
    for hour in world.hours:
        task = world.task_of(hour)
        container = world.container(task.container_id) if task else None
        if hours[hour.id][1] and container is not None and container.kind != "plan":
            left[world.label(hours[hour.id][0])] += hour.seconds
    found: Counter[str] = Counter()
    for line in matching.leftovers(store):
        found[line.project] += line.matched_s + line.left_s
    assert left == found

    for project in world.gathering():
        with store.rehearsal():
            count = take_baseline(store, project.code, actor="me")
            kept = {row["task_id"] for row in store.rows("SELECT task_id FROM baseline")}
        assert {task.id for task in standing if tasks[task.id] == world.key[project.id]} == kept
        assert len(kept) == count


def _feed_says(store: Store, base: Path, *, whole: bool) -> tuple[dict[str, int], set[str], dict[str, int]]:
    """Return the project of each task, the tasks that left, and the project of each line of fact_worklog.

    A *whole* feed takes a second; else they are read where its tables get them from.
    """
    if whole:
        feed = open_feed(build(store.engine, base / "feed", BuildOptions()).folder)
        tasks = feed.execute(
            "SELECT task_id, project_key, is_deleted FROM dim_task WHERE task_key <> -1"
        ).fetchall()
        logged = feed.execute("SELECT worklog_id, project_key FROM fact_worklog").fetchall()
    else:
        staged = Staged(store.engine, as_of=None, scratch=base / "scratch", memory_mb=256)
        feed = staged.connection
        place_cuts(feed, [])
        day = {"as_of_day": "2026-03-31", "currency": "EUR", "cut_key": 0}
        staged.resolve(variables=day, country="FR", lang="en")
        tasks = feed.execute(
            "SELECT t.id, coalesce(p.project_key, -1), NOT t.counted FROM task t "
            "LEFT JOIN task_place p ON p.task_id = t.id"
        ).fetchall()
        logged = feed.execute("SELECT id, project_key FROM worklog_place WHERE reason IS NULL").fetchall()
    feed.close()
    assert len(tasks) == len({row[0] for row in tasks})
    assert len(logged) == len({row[0] for row in logged})
    return {row[0]: row[1] for row in tasks}, {row[0] for row in tasks if row[2]}, dict(logged)


@pytest.mark.long
def test_lower_case_is_one_in_both_engines() -> None:
    """A letter folds alike in Python, which SQLite calls, and DuckDB; SQLite's lower() knows no accents."""
    letters = [chr(n) for n in range(1, sys.maxunicode + 1) if not 0xD800 <= n < 0xE000]
    # letters that a later Unicode brought may be unknown to one of the two
    old = [one for one in letters if unicodedata.ucd_3_2_0.category(one) != "Cn"]
    texts = [*old, "ÉTÉ à la Σ", "ΟΔΥΣΣΕΥΣ", "İSTANBUL", "STRASSE ẞ"]
    connection = duckdb.connect()
    connection.execute(DUCKDB_FOLD)
    connection.execute("CREATE TABLE text AS SELECT unnest(?::VARCHAR[]) AS one", [texts])
    told = dict(connection.execute("SELECT one, fold(one) FROM text").fetchall())
    connection.close()

    assert "été à la σ" == told["ÉTÉ à la Σ"]
    assert told == {text: fold(text) for text in texts}


# ---------- one container, two projects, told to people ----------

TRACKER = '''
import csv
from hub import Batch, Check, Container, Partition, Scope, Source, Task, Worklog, hookimpl

class Tracker(Source, frozen=True, kw_only=True):
    """Items of one CSV file."""

    kind = "tracker"
    provides = (Container, Task, Worklog)
    path: str

    def check(self, ctx):
        yield Check(name="file", state="ok", detail="")

    def plan(self, ctx, cursors):
        scope = Scope(records=(Task, Worklog))
        yield Partition(id="all", complete=True, scope=scope, evidence="its line is gone")

    def read(self, ctx, partition, cursor):
        records = [Container(id=self.row_id("c"), kind="project", code="INF", name="Infra")]
        for row in csv.DictReader((ctx.base / self.path).read_text().splitlines()):
            task = Task(id=self.row_id(row["id"]), container_id=self.row_id("c"), code=f"INF-{row['id']}",
                        title=row["type"], type_raw=row["type"], estimate_s=int(row["estimate"]) * 3600)
            log = Worklog(id=self.row_id("w" + row["id"]), task_id=task.id, day="2026-03-02",
                          seconds=int(row["spent"]) * 3600)
            records += [task, log]
        yield Batch(records=records, cursor="read")

@hookimpl
def register_sources():
    return [Tracker]
'''


@pytest.fixture
def two_projects(hub_folder: Path, run_hub: Run) -> Path:
    """Sync and publish a tracker of one container whose bugs are ALPHA's and whose stories are BETA's."""
    config = hub_folder / "config"
    (config / "plugins").mkdir()
    (config / "plugins" / "tracker.py").write_text(TRACKER)
    (config / "hub.toml").write_text('[sources.t]\nkind = "tracker"\npath = "items.csv"\nmax_leave = 0.2\n')
    (config / "projects.csv").write_text("code;name\nALPHA;Alpha\nBETA;Beta\n")
    (config / "project_links.csv").write_text(
        "project_code;source;container;filter;facets\nALPHA;t;INF;type = Bug;\nBETA;t;INF;type = Story;\n"
    )
    (hub_folder / "items.csv").write_text("id,type,estimate,spent\n1,Bug,10,3\n2,Story,100,5\n")
    done = run_hub("run")
    assert 0 == done.exit_code, done.output + done.error
    return hub_folder


def words(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.long
def test_a_dry_run_tells_the_project_of_the_filter(two_projects: Path, run_hub: Run) -> None:
    """A story that grows moves BETA alone; one that becomes a bug takes its hours to ALPHA."""
    (two_projects / "items.csv").write_text("id,type,estimate,spent\n1,Bug,10,3\n2,Story,140,5\n")
    grown = run_hub("sync", "t", "--dry-run")
    (two_projects / "items.csv").write_text("id,type,estimate,spent\n1,Bug,10,3\n2,Bug,100,5\n")
    moved = run_hub("sync", "t", "--dry-run")

    assert 0 == grown.exit_code, grown.output + grown.error
    assert "BETA 5 100 → 140 (+40)" in words(grown.output)
    assert "ALPHA" not in grown.output
    assert "ALPHA 3 → 8 (+5) 10 → 110 (+100)" in words(moved.output)
    assert "BETA 5 → 0 (-5) 100 → 0 (-100)" in words(moved.output)


@pytest.mark.long
def test_a_baseline_is_of_the_tasks_of_the_filter(two_projects: Path, run_hub: Run) -> None:
    """ALPHA has one task; a code in another case is understood, one of a container alone is no project."""
    assert "Kept a baseline of 1 task of ALPHA." in run_hub("cut", "baseline", "--project", "ALPHA").output
    assert "Kept a baseline of 1 task of beta." in run_hub("cut", "baseline", "--project", "beta").output
    unknown = run_hub("cut", "baseline", "--project", "INF")
    assert 2 == unknown.exit_code
    assert "no project 'INF'" in unknown.error


@pytest.mark.long
def test_leftovers_are_of_the_project_of_the_filter(two_projects: Path, run_hub: Run) -> None:
    """3 h and 5 h, never 8 and 8."""
    said = words(run_hub("match", "review", "--leftovers").output)

    assert "BETA 0.0 5.0 1 ALPHA 0.0 3.0 1" in said


@pytest.mark.long
def test_what_is_held_is_told_by_project(two_projects: Path, run_hub: Run) -> None:
    """Each project of a held container has a line of its own, with its own rows, tasks and hours."""
    (two_projects / "items.csv").write_text("id,type,estimate,spent\n")
    result = run_hub("sync", "t")
    presence = words(run_hub("presence").output)

    assert 3 == result.exit_code
    assert "2 rows (1 task, 3 timesheet hours) of Infra (ALPHA) held" in words(result.output)
    assert "2 rows (1 task, 5 timesheet hours) of Infra (BETA) held" in words(result.output)
    assert re.search(r"t Infra ALPHA deleted .* 2 1 3 ", presence)
    assert re.search(r"t Infra BETA deleted .* 2 1 5 ", presence)


@pytest.mark.long
def test_a_tie_is_one_sentence_wherever_it_is_met(two_projects: Path, run_hub: Run) -> None:
    """Feed, dry run, baseline, leftovers name task and filters; what resolves it may be rehearsed."""
    links = two_projects / "config" / "project_links.csv"
    good = links.read_text()
    links.write_text(good + "ALPHA;t;INF;code = INF-2;\n")
    rehearsed = run_hub("sync", "config", "--dry-run")
    synced = run_hub("sync", "config")
    told = [
        run_hub(*command)
        for command in (
            ("publish",),
            ("sync", "t", "--dry-run"),
            ("cut", "baseline", "--project", "ALPHA"),
            ("match", "review", "--leftovers"),
        )
    ]
    shown = run_hub("presence")
    links.write_text(good)
    resolved = run_hub("sync", "config", "--dry-run")

    assert 0 == synced.exit_code
    for one in (rehearsed, *told):
        assert 0 != one.exit_code
        assert (
            "'INF-2' matches several filters that are equally specific: code = INF-2 | type = Story"
            in words(one.output + one.error)
        )
    assert 0 == shown.exit_code
    assert 0 == resolved.exit_code, resolved.output + resolved.error
    assert "BETA 0 → 5 (+5) 0 → 100 (+100)" in words(resolved.output)


# ---------- names, presence, hours ----------


def whole(*records: Record) -> ScriptedSource:
    """Return a source that delivers *records* as one complete file."""
    scope = Scope(records=(Container, Task, Worklog))
    return ScriptedSource(
        name="s",
        partitions=(Partition(id="file", complete=True, scope=scope),),
        script={"file": lambda cursor: [Batch(records=list(records), cursor="read")]},
    )


def test_a_held_file_of_five_projects_is_told_one_by_one(store: Store) -> None:
    """Each container with its own rows and hours; no hour twice, and the sum is that of the file."""
    names = ("Congés", "P1", "P2", "P3", "P4")
    boxes = [Container(id=f"s:{name}", kind="table", code=name, name=name) for name in names]
    logs = [
        Worklog(id=f"s:{name}/{n}", container_id=f"s:{name}", day="2026-03-02", seconds=1800 * (place + 1))
        for place, name in enumerate(names)
        for n in range(place + 2)
    ]
    sync_once(store, whole(*boxes, *logs))
    report = sync_once(store, whole(*boxes), full=True)

    assert [("Congés", 2, 1.0), ("P1", 3, 3.0), ("P2", 4, 6.0), ("P3", 5, 10.0), ("P4", 6, 15.0)] == [
        (stake.container, stake.rows, stake.seconds / 3600) for stake in store.held()
    ]
    assert 5 == len(report.held)
    assert report.held[0].startswith("2 rows (0 tasks, 1 timesheet hour) of Congés held: ")


def test_an_hour_at_stake_by_two_holds_counts_once(store: Store) -> None:
    """A task that is held by one proof and its hour that is held by another lose that hour once."""
    fill(
        store,
        [
            Container(id="s:c", kind="project", code="C", name="Box"),
            Task(id="s:t", container_id="s:c", title="x"),
            Worklog(id="s:w", task_id="s:t", day="2026-03-02", seconds=3600),
            Worklog(id="s:v", task_id="s:t", day="2026-03-02", seconds=60),
            Baseline(id="s:b", task_id="s:t"),
        ],
    )
    store.hold("s", {"task": ["s:t"], "baseline": ["s:b"]}, "deleted", "one proof", run_id=1)
    store.hold("s", {"worklog": ["s:w"]}, "deleted", "another", run_id=1)

    assert [("one proof", "Box", "C", 2, 1, 60), ("another", "Box", "C", 1, 0, 3600)] == [
        (one.evidence, one.container, one.project, one.rows, one.tasks, one.seconds) for one in store.held()
    ]


@pytest.mark.long
def test_a_line_that_names_two_containers_doubles_nothing(store: Store, tmp_path: Path) -> None:
    """The code of one container is the name of another: both belong to the project, each hour once."""
    fill(
        store,
        [
            Project(id="config:A", code="A", name="A"),
            ProjectLink(id="config:l", project_code="A", container_id="s:X"),
            Container(id="s:1", kind="table", code="X", name="One"),
            Container(id="s:2", kind="table", name="X"),
            Worklog(id="s:w1", container_id="s:1", day="2026-03-02", seconds=60),
            Worklog(id="s:w2", container_id="s:2", day="2026-03-02", seconds=600),
        ],
    )

    assert [("A", 660)] == ask(
        store,
        tmp_path,
        "SELECT code, sum(seconds)::BIGINT FROM fact_worklog JOIN dim_project USING (project_key) GROUP BY 1",
    )
    assert {"A": 660} == {label: seconds[0] for (label, _), seconds in effect.hours(store).items()}


@pytest.mark.long
def test_two_projects_whose_codes_differ_by_case(store: Store, tmp_path: Path) -> None:
    """A container goes to the project of exactly its code, else to one of another case; no task twice."""
    fill(
        store,
        [
            *(Project(id=f"config:{code}", code=code, name=code) for code in ("été", "Été")),
            *(
                Container(id=f"s:{n}", kind="project", code=code, name=code)
                for n, code in enumerate(("Été", "été", "ÉTÉ"))
            ),
            *(Task(id=f"s:t{n}", container_id=f"s:{n}", title=f"T{n}", estimate_s=60) for n in range(3)),
        ],
    )

    assert [("T0", "Été"), ("T1", "été"), ("T2", "été")] == ask(
        store,
        tmp_path,
        "SELECT title, p.code FROM dim_task k JOIN dim_project p USING (project_key) "
        "WHERE task_key > 0 ORDER BY 1",
    )
    assert (1, 2) == tuple(take_baseline(store, code, actor="me") for code in ("Été", "été"))


@pytest.mark.long
def test_what_stands_under_a_container_that_left_counts_nowhere(store: Store, tmp_path: Path) -> None:
    """Tasks, hours, planned work; hours of another tool on a task of it stay."""
    fill(
        store,
        [
            Container(id="j:c", kind="project", code="J", name="Tracker"),
            Container(id="h:c", kind="table", code="H", name="Times"),
            Task(id="j:t", container_id="j:c", code="J-1", title="x", estimate_s=7200),
            Worklog(id="j:w", task_id="j:t", container_id="h:c", day="2026-03-02", seconds=60),
            Worklog(id="h:w", task_id="j:J-1", container_id="h:c", day="2026-03-02", seconds=600),
            Allocation(
                id="j:a",
                account_id="j:p",
                container_id="j:c",
                start_on="2026-03-02",
                finish_on="2026-03-02",
                seconds=60,
            ),
        ],
    )
    store.set_presence("container", ["j:c"], "trashed", "the bin", run_id=2)

    assert {("H", "H"): (600, 0, 0)} == effect.hours(store)
    assert [("H", 600)] == ask(
        store, tmp_path, "SELECT code, seconds FROM fact_worklog JOIN dim_project USING (project_key)"
    )
    assert [(0,)] == ask(store, tmp_path, "SELECT sum(planned_s)::BIGINT FROM fact_allocation_week")
    assert [("Times", "H", 0, 0, 60), ("Tracker", "", 2, 1, 0)] == [
        (one.container, one.project, one.rows, one.tasks, one.seconds) for one in store.left()
    ]


TAKEN = {
    "labels = études": "1",
    "labels = web_1": "1",
    "labels = webx1": "",
    'labels = "Études web_1"': "",
    "labels = %": "",
    "assignee = élodie": "1",
    "assignee != élodie": "2",
    "Budget = 3": "2",
    "budget = 3.0": "2",
    'Lot = "nord, sud"': "1",
    "Lot = SUD": "1",
    "not labels = études": "2",
    "échéance = 2026-03-02": "2",
}


@pytest.mark.long
def test_a_test_takes_the_same_tasks_in_both_engines(store: Store, tmp_path: Path) -> None:
    """Accents, characters that mean something to LIKE, numbers as numbers, days, a field that is empty.

    Each test has a project and a container with two tasks of its own, so that one feed shows them all.
    """
    fill(
        store,
        [Account(id="s:a", display_name="ÉLODIE")],
        *(
            [
                Project(id=f"config:{n}", code=f"P{n}", name=text),
                ProjectLink(id=f"config:l{n}", project_code=f"P{n}", container_id=f"s:c{n}", filter=text),
                Container(id=f"s:c{n}", kind="project", name="Box"),
                Task(
                    id=f"s:{n}.1", container_id=f"s:c{n}", title="1", labels="ÉTUDES web_1", assignee_id="s:a"
                ),
                Task(id=f"s:{n}.2", container_id=f"s:c{n}", title="2", estimate_s=60),
                CustomValue(id=f"s:{n}.1/lot", row_id=f"s:{n}.1", field="LOT", text="Nord, Sud"),
                CustomValue(id=f"s:{n}.2/budget", row_id=f"s:{n}.2", field="Budget", number=3.0),
                CustomValue(id=f"s:{n}.2/day", row_id=f"s:{n}.2", field="Échéance", day="2026-03-02"),
            ]
            for n, text in enumerate(TAKEN)
        ),
    )
    in_feed = dict.fromkeys(TAKEN, "")
    for text, title in ask(
        store,
        tmp_path,
        "SELECT p.name, k.title FROM dim_task k JOIN dim_project p USING (project_key) "
        "WHERE p.code LIKE 'P%' ORDER BY ALL",
    ):
        in_feed[text] += title
    place(store.connection)
    names = {row["key"]: row["name"] for row in store.rows("SELECT key, name FROM project")}
    in_store = dict.fromkeys(TAKEN, "")
    for row in placed_tasks(store.connection):
        if row["project"] != -1:
            in_store[names[row["project"]]] += row["title"]

    assert TAKEN == in_feed
    assert TAKEN == in_store


def test_the_rule_is_written_once() -> None:
    """What left and how a row is named stand in hub/placement; migrations keep what was released."""
    telltales = re.compile(
        r"""['"]deleted['"],\s*['"]trashed['"]|['"]trashed['"],\s*['"]deleted['"]|source_id\s*\|\|\s*':'"""
    )
    found = [
        path.relative_to(ROOT).as_posix()
        for folder in ("hub", "bench", "plugins")
        for path in sorted((ROOT / folder).rglob("*"))
        if path.suffix in {".py", ".sql"} and not {"tests", "build"} & set(path.parts)
        if telltales.search(path.read_text(encoding="utf-8"))
    ]

    assert [] == [
        name for name in found if not name.startswith("hub/placement/") and name != "hub/store/migrations.py"
    ]
    assert {"hub/placement/presence.py", "hub/placement/slots.sql", "hub/placement/tasks.sql"} <= set(found)


def test_a_seventh_presence_is_one_edit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in the constant leaves every user; no other list has to learn it."""
    fill(
        store,
        [
            Container(id="s:c", kind="project", code="C", name="Box"),
            Task(id="s:t", container_id="s:c", title="x", estimate_s=60),
        ],
    )
    store.set_presence("task", ["s:t"], "hidden", "a test", run_id=2)
    before = effect.hours(store)
    monkeypatch.setattr(rule, "LISTED", presence.LISTED.replace(")", ", 'hidden')"))
    rule._text.cache_clear()
    try:
        after = effect.hours(store)
    finally:
        rule._text.cache_clear()

    assert {("C", "C"): (0, 60, 0)} == before
    assert {} == after
