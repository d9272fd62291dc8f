"""Cuts and sealed months: the feed as of a past moment is what it was then.

What is closed never changes.
"""

from __future__ import annotations

import hashlib
import importlib
import random
import shutil
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from filling import ask_feed

from hub import clock, matching
from hub.errors import ConfigError, FeedError
from hub.feed import BuildOptions, model, open_feed
from hub.publish import PublishOptions, PublishReport, cuts, moment_of, periods, publish
from hub.publish.baselines import take as take_baseline
from hub.records import (
    Account,
    Assessment,
    Baseline,
    BudgetLine,
    Container,
    Iteration,
    Person,
    Project,
    ProjectLink,
    Rate,
    Record,
    RegisterItem,
    SiteField,
    StatusMap,
    Target,
    Task,
    TaskChange,
    Worklog,
)  # fmt: skip
from hub.store import Store
from hub.store.cuts import open_since
from hub.store.periods import corrections
from hub.testing.empty import store_at

build_module = importlib.import_module("hub.feed.build")  # the package has a function of that name
kept_module = importlib.import_module("hub.feed.kept")
LAST_MONTH = (date.today().replace(day=1) - timedelta(days=1)).strftime("%Y-%m")


def sync(store: Store, *records: Record) -> None:
    source = records[0].id.partition(":")[0]
    store.register_source(
        source, kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=360000
    )
    run = store.begin_run(source, "full")
    store.write_batch(list(records), run_id=run, source_id=source)
    store.end_run(run, "ok")


def out(store: Store, tmp_path: Path, as_of: str | None = None, vs: str | None = None) -> PublishReport:
    options = PublishOptions(base=tmp_path, build=BuildOptions(as_of=as_of), vs=vs, keep=500)
    report = publish(store, tmp_path / "data" / "feed", [], options)
    assert report.current, [f.text for f in report.findings]
    return report


def ask(report: PublishReport, sql: str) -> list[tuple[Any, ...]]:
    return ask_feed(Path(report.folder), sql)


def hashes(report: PublishReport) -> dict[str, str]:
    """Return one hash of the sorted rows of every table."""
    feed = open_feed(Path(report.folder))
    found = {}
    for name, table in model().tables.items():
        rows = feed.execute(f"SELECT {', '.join(table.columns)} FROM {name} ORDER BY ALL").fetchall()
        found[name] = hashlib.sha256(repr(rows).encode()).hexdigest()
    feed.close()
    return found


def moment(report: PublishReport) -> str:
    import json

    return str(json.loads((Path(report.folder) / "manifest.json").read_text())["moment"])


def portfolio() -> list[Record]:
    return [
        Project(id="config:SI", code="SI", name="SI", level="portfolio"),
        Project(id="config:A", code="A", name="Alpha", parent_code="SI"),
        Project(id="config:B", code="B", name="Beta", parent_code="SI"),
    ]


def plan(*tasks: Record) -> list[Record]:
    return [Container(id="plans:a", kind="plan", code="A", name="A", seconds_per_day=25200), *tasks]


def work(
    no: int, finish: str, *, remaining: int = 5, percent: float = 0.0, base: str = "2026-06-30"
) -> list[Record]:
    return [
        Task(id=f"plans:t{no}", container_id="plans:a", title=f"T{no}", estimate_s=10 * 25200,
             remaining_s=remaining * 25200, percent=percent,
             planned_start_on="2026-05-01", planned_finish_on=finish),
        Baseline(id=f"plans:b{no}", task_id=f"plans:t{no}", start_on="2026-05-01", finish_on=base,
                 effort_s=10 * 25200),
    ]  # fmt: skip


def hours(no: int, day: str, days: float, **more: Any) -> Worklog:
    return Worklog(
        id=f"times:w{no}",
        container_id="times:a",
        account_id="times:u1",
        day=day,
        seconds=round(days * 25200),
        **more,
    )


TIMES: list[Record] = [
    Container(id="times:a", kind="table", code="A", name="A"),
    Account(id="times:u1", display_name="Nadia Roy", employee_no="7"),
]


@pytest.mark.long
def test_a_cut_stands_beside_today(store: Store, tmp_path: Path) -> None:
    """Every later feed holds both, and only today is the latest; a plain filter on is_latest is right."""
    sync(store, *portfolio())
    sync(store, *plan(*work(1, "2026-07-31")))
    cuts.take(store, kind="copil", label="COPIL 1", actor="me")
    sync(store, *plan(*work(1, "2026-08-31", remaining=8)))
    report = out(store, tmp_path)

    assert [(0, 8.0, 1), (1, 5.0, 0)] == ask(
        report,
        "SELECT cut_key, remaining_days, is_latest FROM fact_task_snapshot "
        "JOIN dim_cut USING (cut_key) ORDER BY 1",
    )
    assert [(0, 8.0), (1, 5.0)] == ask(
        report,
        "SELECT cut_key, value FROM fact_kpi WHERE kpi = 'RAF' AND measure = 'raf' "
        "AND scope_label = 'A' ORDER BY 1",
    )


def test_a_closed_cut_never_changes(store: Store, tmp_path: Path) -> None:
    """Whatever is synced, mapped or renamed later: the files are the same bytes.

    Every feed shows their rows.
    """
    sync(store, *portfolio())
    sync(
        store,
        *plan(
            *work(1, "2026-07-31"),
            Task(
                id="plans:m", container_id="plans:a", title="Go", status_raw="Recette", assignee_id="plans:u"
            ),
        ),
    )
    sync(store, *TIMES, hours(1, "2026-05-05", 2))
    cuts.take(store, kind="copil", label="COPIL 1", actor="me")
    # a close that was killed leaves its scratch behind, and half a folder: the next one does not stumble
    # over them
    (tmp_path / "data" / "cuts" / ".scratch-1" / "cut-1").mkdir(parents=True)
    (tmp_path / "data" / "cuts" / "1").mkdir()
    folder = cuts.close(store, tmp_path / "data" / "feed", "COPIL 1", BuildOptions(), actor="me")
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    first = ask(out(store, tmp_path), "SELECT * FROM fact_kpi WHERE cut_key = 1 ORDER BY ALL")
    sync(
        store,
        *plan(*work(1, "2027-01-31", remaining=50)),
        StatusMap(id="plans:map", source="plans", status_raw="Recette", category="done"),
    )
    sync(store, *TIMES, hours(1, "2026-05-05", 9))
    store.set_presence("project", ["config:A"], "deleted", "gone", run_id=9)
    later = out(store, tmp_path)

    assert before == {path.name: path.read_bytes() for path in folder.iterdir()}
    assert first == ask(later, "SELECT * FROM fact_kpi WHERE cut_key = 1 ORDER BY ALL")
    assert [(-1,)] == ask(later, "SELECT DISTINCT person_key FROM fact_task_snapshot WHERE cut_key = 1")
    assert [("A",)] == ask(later, "SELECT code FROM dim_project WHERE code = 'A'")
    with pytest.raises(ConfigError, match="closed already"):
        cuts.close(store, tmp_path / "data" / "feed", "COPIL 1", BuildOptions(), actor="me")
    (folder / "fact_kpi.parquet").write_bytes(b"x")
    with pytest.raises(FeedError, match="gone or was altered"):
        out(store, tmp_path)


@pytest.mark.long
def test_what_moved_tells_news_from_corrections(store: Store, tmp_path: Path) -> None:
    """Hours of May entered in June are a correction.

    Hours of June, a new forecast and a new risk are news.
    """
    stamp = datetime.now(UTC) - timedelta(days=40)
    day = stamp.date()
    sync(store, *portfolio())
    mile = Task(
        id="plans:m",
        container_id="plans:a",
        title="Go live",
        kind="milestone",
        planned_finish_on="2026-07-31",
    )
    sync(store, *plan(*work(1, "2026-07-31"), mile))
    sync(store, *TIMES, hours(1, str(day - timedelta(days=3)), 2))
    sync(
        store,
        BudgetLine(
            id="erp:1",
            project_code="A",
            month=f"{day:%Y-%m}",
            kind="consumed",
            category="services",
            amount_minor=10000,
        ),
    )
    open_then = RegisterItem(
        id="reg:2", project_code="A", kind="risk", title="Old", probability=0.2, exposure_minor=50000
    )
    sync(store, open_then)
    taken = cuts.take(store, kind="copil", label="Then", actor="me")
    with store.transaction():
        store.connection.execute("UPDATE cut SET as_of = as_of")
    sync(store, *plan(*work(1, "2026-07-31", remaining=7), Task(id="plans:m", container_id="plans:a",
                                                                title="Go live", kind="milestone",
                                                                planned_finish_on="2026-08-14"),
                      *work(2, "2026-09-01")))  # fmt: skip
    today = date.today()
    sync(
        store, *TIMES, hours(1, str(day - timedelta(days=3)), 3), hours(2, str(today + timedelta(days=1)), 1)
    )
    sync(
        store,
        RegisterItem(
            id="reg:1",
            project_code="A",
            kind="risk",
            title="Late",
            probability=0.5,
            exposure_minor=200000,
            opened_on=str(today + timedelta(days=1)),
        ),
        msgspec.structs.replace(open_then, state="closed", closed_on=str(today + timedelta(days=1))),
    )
    report = out(store, tmp_path, vs="Then")
    moves = {
        (topic, measure, cause): delta
        for topic, measure, cause, delta in ask(report, "SELECT topic, measure, cause, delta FROM fact_move")
    }

    assert taken.key == ask(report, "SELECT DISTINCT vs_cut_key FROM fact_move")[0][0]
    assert 1.0 == moves["effort", "spent", "correction"]
    assert ("effort", "spent", "news") not in moves  # a day of tomorrow is not spent yet
    assert 14.0 == moves["milestone", "finish", "news"]
    assert 1000.0 == moves["risk", "risk opened", "news"]
    assert [(100.0, 0.0, -100.0)] == ask(
        report, "SELECT before_value, after_value, delta FROM fact_move WHERE measure = 'risk closed'"
    )
    assert 10.0 == moves["scope", "added", "news"]
    assert 2.0 + 5.0 == moves["effort", "remaining", "news"]


@pytest.mark.long
@pytest.mark.parametrize("vs", ["now", "Later"])
def test_what_moved_since_then_until_later(store: Store, tmp_path: Path, vs: str, proof: bool) -> None:
    """A feed as of the committee may be told from today, or from a cut closed since.

    They may hold tasks and tools that nobody knew then.
    """
    if vs == "now" and not proof:
        pytest.skip("make proof tells from both")
    sync(store, *portfolio())
    sync(store, *plan(*work(1, "2026-07-31")))
    cuts.take(store, kind="copil", label="Then", actor="me")
    sync(store, *plan(*work(2, "2026-09-01")))
    issue = Task(
        id="jira:1",
        container_id="jira:p",
        title="New",
        points=3.0,
        iteration_id="jira:s",
        created_at="2026-01-02T08:00:00Z",
    )
    sync(
        store,
        Container(id="jira:p", kind="project", code="B", name="B"),
        Iteration(id="jira:s", name="S1"),
        issue,
    )
    cuts.take(store, kind="copil", label="Later", actor="me")
    cuts.close(store, tmp_path / "data" / "feed", "Later", BuildOptions(), actor="me")
    report = out(store, tmp_path, as_of=moment_of(store, "Then"), vs=vs)

    assert [("removed", -10.0)] == ask(
        report,
        "SELECT measure, delta FROM fact_move WHERE topic = 'scope' AND project_key <> -1 AND delta <> 0",
    )
    assert [(0, 1), (1, 3)] == ask(
        report,
        "SELECT (cut_key <> 0)::INTEGER, count(*) FROM fact_task_snapshot JOIN dim_cut USING (cut_key) "
        "WHERE cut_key = 0 OR label = ? GROUP BY 1 ORDER BY 1".replace("?", repr(vs)),
    )


def test_moments_have_names(store: Store, tmp_path: Path) -> None:
    """A label, a day, an instant or now; anything else is refused with the labels there are."""
    taken = cuts.take(store, kind="weekly", label="S20", actor="me", as_of="2026-05-15")

    assert taken.as_of == moment_of(store, "S20")
    assert moment_of(store, "now") is None
    assert "2026-05-15T23:59:59.999999Z" == moment_of(store, "2026-05-15")
    with pytest.raises(ConfigError, match="S20"):
        moment_of(store, "S21")
    with pytest.raises(ConfigError, match="already a cut"):
        cuts.take(store, kind="weekly", label="S20", actor="me")
    with pytest.raises(ConfigError, match="label of its own"):
        cuts.take(store, kind="weekly", label=" ", actor="me")
    with pytest.raises(ConfigError, match="not over yet"):
        cuts.take(
            store, kind="weekly", label="Tomorrow", actor="me", as_of=str(date.today() + timedelta(days=1))
        )
    with pytest.raises(ConfigError, match="no cut 'S9'"):
        cuts.named(store, tmp_path, "S9")


@pytest.mark.long
def test_a_sealed_month_keeps_its_figures(store: Store, tmp_path: Path) -> None:
    """Later edits, deletions and late lines are signed lines of their own; month and total are both right."""
    sync(
        store,
        *portfolio(),
        Rate(id="config:r", scope="default", valid_from="2026-01-01", minor_per_day=50000),
    )
    day = f"{LAST_MONTH}-03"
    sync(store, *TIMES, hours(1, day, 2), hours(2, day, 1), hours(3, day, 1))
    sync(
        store,
        BudgetLine(
            id="erp:1",
            project_code="A",
            month=LAST_MONTH,
            kind="consumed",
            category="services",
            amount_minor=10000,
        ),
    )
    sealed = periods.seal(store, tmp_path / "data" / "feed", LAST_MONTH, BuildOptions(), actor="me")
    spent = (
        "SELECT sum(days), sum(amount)::DOUBLE FROM fact_worklog WHERE strftime(work_date, "
        f"'%Y-%m') = '{LAST_MONTH}'"
    )
    first = ask(out(store, tmp_path), spent)
    sync(
        store,
        *TIMES,
        hours(1, day, 5),
        hours(4, day, 0.5),
        BudgetLine(
            id="times:1", project_code="A", month="2020-01", kind="forecast", category="x", amount_minor=1
        ),
    )
    sync(
        store,
        BudgetLine(
            id="erp:1",
            project_code="A",
            month=LAST_MONTH,
            kind="consumed",
            category="services",
            amount_minor=15000,
        ),
    )
    store.set_presence("worklog", ["times:w2"], "deleted", "gone", run_id=9)
    report = out(store, tmp_path)
    late = {(row["row_id"], row["days"]) for row in corrections(store)}

    assert (4, 4.0, 200000, 10000) == (sealed.lines, sealed.days, sealed.labour_minor, sealed.spent_minor)
    assert first == ask(report, spent) == [(4.0, 2000.0)]
    assert {("times:w1", 3.0), ("times:w2", -1.0), ("times:w4", 0.5), ("erp:1", 0.0)} == late
    assert [(6.5, 3250.0)] == ask(report, "SELECT sum(days), sum(amount)::DOUBLE FROM fact_worklog")
    assert [(LAST_MONTH, 2.5)] == ask(
        report, "SELECT sealed_month, sum(days) FROM fact_worklog WHERE sealed_month IS NOT NULL GROUP BY 1"
    )
    assert [(LAST_MONTH, 100.0), (f"{datetime.now(UTC):%Y-%m}", 50.0)] == ask(
        report,
        "SELECT year_month, sum(consumed_amount)::DOUBLE FROM fact_budget WHERE consumed_amount IS NOT NULL "
        "GROUP BY 1 ORDER BY 1",
    )
    assert {"Nadia Roy"} == {row["account"] for row in corrections(store) if row["kind"] == "hours"}
    out(store, tmp_path)
    assert 4 == len(corrections(store)), "a correction is posted once"
    with pytest.raises(ConfigError, match="sealed already"):
        periods.seal(store, tmp_path / "data" / "feed", LAST_MONTH, BuildOptions(), actor="me")
    with pytest.raises(ConfigError, match="not over yet"):
        periods.seal(
            store, tmp_path / "data" / "feed", f"{datetime.now(UTC):%Y-%m}", BuildOptions(), actor="me"
        )
    with pytest.raises(ConfigError, match="not a month"):
        periods.seal(store, tmp_path / "data" / "feed", "October", BuildOptions(), actor="me")


@pytest.mark.long
def test_a_correction_of_a_correction_nets_out(store: Store, tmp_path: Path) -> None:
    """Moved to another project and back, a sealed line leaves its month alone.

    Its corrections sum to nothing.
    """
    sync(store, *portfolio())
    day = f"{LAST_MONTH}-03"
    boxes = [Container(id="times:b", kind="table", code="B", name="B")]
    sync(store, *TIMES, *boxes, hours(1, day, 2))
    periods.seal(store, tmp_path / "data" / "feed", LAST_MONTH, BuildOptions(), actor="me")
    sync(
        store,
        Worklog(id="times:w1", container_id="times:b", account_id="times:u1", day=day, seconds=2 * 25200),
    )
    there = ask(
        out(store, tmp_path),
        "SELECT code, sum(days) FROM fact_worklog JOIN dim_project USING (project_key) GROUP BY 1 ORDER BY 1",
    )
    sync(store, hours(1, day, 2))
    report = out(store, tmp_path)

    assert [("A", 0.0), ("B", 2.0)] == there
    assert [("A", 2.0), ("B", 0.0)] == ask(
        report,
        "SELECT code, sum(days) FROM fact_worklog JOIN dim_project USING (project_key) GROUP BY 1 ORDER BY 1",
    )
    assert 4 == len(corrections(store))


@pytest.mark.long
def test_the_hub_keeps_a_baseline_where_the_tool_has_none(store: Store, tmp_path: Path) -> None:
    """What the tool saved stays the reference; a task without one gets today's dates and effort."""
    sync(store, *portfolio())
    sync(
        store,
        *plan(
            *work(1, "2026-07-31"),
            Task(
                id="plans:x",
                container_id="plans:a",
                title="X",
                estimate_s=3 * 25200,
                remaining_s=0,
                due_on="2026-09-01",
            ),
        ),
    )
    count = take_baseline(store, "A", actor="me")
    sync(
        store,
        *plan(
            Task(
                id="plans:x",
                container_id="plans:a",
                title="X",
                estimate_s=9 * 25200,
                remaining_s=0,
                due_on="2026-12-01",
            )
        ),
    )

    assert 1 == count
    assert [("T1", "2026-06-30", 10.0), ("X", "2026-09-01", 3.0)] == ask(
        out(store, tmp_path),
        "SELECT title, baseline_finish::VARCHAR, baseline_days FROM fact_task_snapshot "
        "JOIN dim_task USING (task_key) ORDER BY 1",
    )
    with pytest.raises(ConfigError, match="no project 'Z'"):
        take_baseline(store, "Z", actor="me")


# ---------- the as-of law ----------


def random_step(rng: random.Random, store: Store, tmp_path: Path, step: int) -> None:
    """Do one thing that could change a feed: sync, edit reference data, decide, cut, close, seal."""
    no = rng.randint(1, 6)
    day = str(date.today() - timedelta(days=rng.randint(1, 70)))
    match rng.randint(0, 12):
        case 0 | 1:
            sync(
                store,
                *plan(
                    *work(
                        no,
                        str(date.today() + timedelta(days=rng.randint(-30, 60))),
                        remaining=rng.randint(0, 9),
                        percent=rng.choice((0.0, 50.0, 100.0)),
                    )
                ),
            )
        case 2 | 3 | 4:
            sync(
                store,
                *TIMES,
                hours(
                    no, day, rng.randint(1, 8) / 2, approval=rng.choice(("approved", "rejected", "unknown"))
                ),
            )
        case 5:
            issue = Task(id=f"jira:i{no}", container_id="jira:p", code=f"A-{no}",
                         title=rng.choice((f"T{no}", "Else")),
                         status_raw=rng.choice(("Open", "Recette")), status_native=rng.choice(("todo", None)),
                         points=float(no), created_at=f"{day}T08:00:00Z", type_raw="Bug")  # fmt: skip
            change = TaskChange(
                id=f"jira:c{step}",
                task_id=f"jira:i{no}",
                field="status",
                from_value="Open",
                to_value="Recette",
                at=f"{day}T10:00:00Z",
            )
            sync(
                store,
                Container(id="jira:p", kind="project", code="A", name="A"),
                issue,
                change,
                Account(id="jira:u", display_name="Roy Nadia", email="n@x.org"),
            )
        case 6:
            sync(
                store,
                Rate(
                    id="config:r",
                    scope="default",
                    valid_from="2026-01-01",
                    minor_per_day=rng.randint(4, 9) * 10000,
                ),
            )
        case 7:
            sync(store, StatusMap(id="config:s", source="jira", status_raw="Recette",
                                  category=rng.choice(("done", "in_progress"))),
                 Target(id="config:t", kpi="RAF", measure="raf", red=float(no), amber=1.0,
                        direction="down"))  # fmt: skip
        case 8:
            sync(store, Person(id="config:people/7", display_name="Nadia Roy",
                               employee_no=rng.choice(("7", "8")), team=rng.choice(("X", "Y")),
                               email="n@x.org"),
                 Assessment(id=f"config:as{no}", project_code="A", day=day, axis="overall",
                            rag=rng.choice(("green", "red"))))  # fmt: skip
        case 9:
            sync(
                store,
                ProjectLink(
                    id="config:l",
                    project_code=rng.choice(("A", "B")),
                    container_id="times:a",
                    facets=rng.choice(("", "actuals")),
                ),
            )
        case 10:
            matching.propose(store, {}, actor="me")
            waiting = matching.lines(store, state="proposed")
            if waiting and rng.random() < 0.7:
                matching.accept(store, [rng.choice(waiting).id], actor="me")
        case 11:
            label = f"C{step}"
            cuts.take(store, kind=rng.choice(("copil", "weekly")), label=label, actor="me")
            if rng.random() < 0.5:
                cuts.close(store, tmp_path / "data" / "feed", label, BuildOptions(), actor="me")
        case _:
            table, id_ = rng.choice(
                (("worklog", f"times:w{no}"), ("task", f"plans:t{no}"), ("task", f"jira:i{no}"))
            )
            store.set_presence(table, [id_], rng.choice(("deleted", "present")), "said so", run_id=1)
            if not store.rows("SELECT 1 FROM period_close") and rng.random() < 0.5:
                periods.seal(store, tmp_path / "data" / "feed", LAST_MONTH, BuildOptions(), actor="me")


def test_as_of_is_what_was(tmp_path: Path, proof: bool) -> None:
    """For random histories the feed as of a past moment equals the feed that was built then.

    They are compared table by table, over 100 histories in the proof.
    """
    for seed in range(100 if proof else 1):
        rng = random.Random(seed)
        with Store.open(tmp_path / str(seed) / "data" / "hub.db") as store:
            folder = tmp_path / str(seed)
            sync(store, *portfolio())
            told: list[tuple[str, dict[str, str]]] = []
            for step in range(16 if proof else 11):
                random_step(rng, store, folder, step)
                if step in ({5, 10, 15} if proof else {6}):
                    report = out(store, folder)
                    told.append((moment(report), hashes(report)))
                    time.sleep(0.002)
            closed = {path: path.read_bytes() for path in (folder / "data" / "cuts").rglob("*.parquet")}
            for stamp, then in told:
                again = hashes(out(store, folder, as_of=stamp))
                assert {} == {name: stamp for name in then if then[name] != again[name]}, (seed, stamp)
            assert closed == {
                path: path.read_bytes() for path in (folder / "data" / "cuts").rglob("*.parquet")
            }


@pytest.mark.long
def test_an_open_cut_is_computed_once(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it was at its moment is kept: later feeds hold the same rows without computing them."""
    sync(store, *OPEN_WORLD)
    cuts.take(store, kind="copil", label="Open", actor="test")
    first = out(store, tmp_path)
    kept = tmp_path / "data" / "cuts" / ".open-1"
    names = {path.name for path in kept.iterdir()}
    sync(store, Task(id="p:t", container_id="p:c", title="Renamed", estimate_s=7200))
    computed: list[str] = []
    real = build_module._write_open_cut

    def counted(*arguments: Any, **options: Any) -> None:
        computed.append(arguments[4].label)
        real(*arguments, **options)

    monkeypatch.setattr(build_module, "_write_open_cut", counted)
    second = out(store, tmp_path)
    without = rows_of_cut(second)
    for path in kept.iterdir():
        path.unlink()
    third = out(store, tmp_path)

    assert "kept.json" in names
    assert ["Open"] == computed, "only once its rows were gone"
    assert rows_of_cut(first) == without == rows_of_cut(third)
    assert without["fact_task_snapshot"]


OPEN_WORLD = (
    Project(id="p:P", code="P", level="project", name="P"),
    ProjectLink(id="p:l", project_code="P", container_id="p:c", facets="schedule,effort"),
    Container(id="p:c", kind="plan", name="C"),
    Task(id="p:t", container_id="p:c", title="T", estimate_s=3600),
)


def rows_of_cut(report: PublishReport) -> dict[str, list[tuple[Any, ...]]]:
    return {
        name: ask(report, f"SELECT * FROM {name} WHERE cut_key = 1 ORDER BY ALL")
        for name in ("fact_task_snapshot", "fact_kpi", "fact_quality")
    }


@pytest.fixture(scope="module")
def with_kept_cut(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a store, and what a feed kept of its open cut."""
    folder = tmp_path_factory.mktemp("kept")
    with store_at(folder / "hub.db") as store:
        sync(store, *OPEN_WORLD)
        cuts.take(store, kind="copil", label="Open", actor="test")
        out(store, folder)
    return folder


@pytest.mark.long
@pytest.mark.parametrize("what", ["altered", "lang", "fields", "erased", "hub"])
def test_a_kept_cut_is_computed_again(
    with_kept_cut: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """Altered rows, another language, field or hub, and a past that was rewritten ask for it."""
    shutil.copytree(with_kept_cut, tmp_path, dirs_exist_ok=True)
    with Store.open(tmp_path / "hub.db") as store:
        _is_computed_again(store, tmp_path, monkeypatch, what)


def _is_computed_again(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    (cut,) = cuts.known(store, tmp_path / "data" / "feed")
    options = BuildOptions()
    place = kept_module.place_of(tmp_path / "data" / "cuts", cut)
    key = kept_module.key_of(store.engine, cut, options)

    assert kept_module.kept(place, key)
    if what == "altered":
        victim = place / "fact_kpi.parquet"
        victim.write_bytes(victim.read_bytes() + b"x")
    elif what == "lang":
        options = BuildOptions(lang="fr")
    elif what == "fields":
        sync(store, SiteField(id="config:f", field="f", level="task", source="p", native="F", type="text",
                              fr="F", en="F", personal=False))  # fmt: skip
    elif what == "erased":
        store.start_erasure([("words", "nobody here")], texts=False, actor="test", accounts=())
    else:
        monkeypatch.setattr(kept_module, "release", lambda: "99.0")
    assert not kept_module.kept(place, kept_module.key_of(store.engine, cut, options))


@pytest.mark.long
def test_closing_a_cut_drops_what_was_kept(store: Store, tmp_path: Path) -> None:
    """A closed cut has rows of its own; what was kept of it while it was open goes, and no other's does."""
    sync(store, *OPEN_WORLD)
    for label in ("One", "Two"):
        cuts.take(store, kind="copil", label=label, actor="test")
    out(store, tmp_path)
    cuts.close(store, tmp_path / "data" / "feed", "One", BuildOptions(), actor="test")

    assert [".open-2", "1"] == sorted(path.name for path in (tmp_path / "data" / "cuts").iterdir())


def test_an_open_cut_is_advised_to_be_closed(store: Store) -> None:
    """A week after it was taken, until it is closed."""
    cuts.take(store, kind="copil", label="Open", actor="test")

    assert [] == open_since(store, days=7)
    try:
        clock.pretend(datetime.now(UTC) + timedelta(days=8))
        assert ["Open"] == open_since(store, days=7)
    finally:
        clock.pretend(None)
