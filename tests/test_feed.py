"""The feed: what counts, what is listed instead, what the gate stops and what changed.

Also, what a projection hides is tested here.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from filling import ask_feed

from hub.errors import ConfigError, FeedError
from hub.feed import (
    BuildOptions,
    Snapshot,
    build,
    changes,
    check,
    instant,
    load_manifest,
    model,
    open_feed,
    project_to,
)
from hub.feed.build import save_manifest
from hub.records import (
    Account,
    Allocation,
    Assessment,
    Baseline,
    BudgetLine,
    ChecklistItem,
    Container,
    Project,
    ProjectLink,
    Record,
    RegisterItem,
    Target,
    Task,
    TaskChange,
    TaskLink,
    Worklog,
)  # fmt: skip
from hub.store import Store

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
PLAN = [
    Container(id="plans:g", kind="plan", code="INFRA", name="Infrastructure", seconds_per_day=28800),
    Account(id="plans:g/r/1", display_name="Engineer 1"),
    Task(id="plans:g/t/1", container_id="plans:g", title="Phase", kind="summary",
         status_native="in_progress"),
    Task(id="plans:g/t/2", container_id="plans:g", parent_id="plans:g/t/1", title="Build",
         status_native="in_progress", percent=50.0,
         estimate_s=10 * 28800, remaining_s=4 * 28800, assignee_id="plans:g/r/1",
         planned_finish_on="2026-04-30"),
    Task(id="plans:g/t/3", container_id="plans:g", parent_id="plans:g/t/1", title="Go live", kind="milestone",
         planned_finish_on="2026-05-04"),
    Baseline(id="plans:g/t/2/b0", task_id="plans:g/t/2", finish_on="2026-04-15", effort_s=8 * 28800,
             cost_minor=400000, currency="EUR"),
    TaskLink(id="plans:g/l/2-3", from_id="plans:g/t/2", to_id="plans:g/t/3", type="FS", lag_s=0),
    Allocation(id="plans:g/a/1", account_id="plans:g/r/1", container_id="plans:g", start_on="2026-04-03",
               finish_on="2026-04-06", seconds=14400),
    Worklog(id="plans:g/w/1", task_id="plans:g/t/2", container_id="plans:g", day="2026-03-02",
            seconds=3 * 28800, origin="plan"),
]  # fmt: skip
HOURS = [
    Container(id="hours:INFRA", kind="table", code="INFRA", name="INFRA"),
    Account(id="hours:M1", display_name="Engineer 1"),
    Account(id="hours:M2", display_name="Engineer 2"),
    Worklog(id="hours:1", container_id="hours:INFRA", account_id="hours:M1", day="2026-02-27", seconds=25200,
            approval="approved"),
    Worklog(id="hours:2", container_id="hours:INFRA", account_id="hours:M2", day="2026-03-02", seconds=12600),
    Worklog(id="hours:3", container_id="hours:INFRA", account_id="hours:M1", day="2026-03-01", seconds=-3600,
            category="absence"),
    Worklog(id="hours:4", account_id="hours:M1", day="2026-03-03", seconds=100),
    BudgetLine(id="hours:b1", project_code="INFRA", month="2026-03", kind="baseline", category="services",
               amount_minor=100050),
    BudgetLine(id="hours:b2", project_code="INFRA", month="2026-03", kind="consumed", category="services",
               amount_minor=7),
    BudgetLine(id="hours:b3", project_code="INFRA", month="2026-03", kind="consumed", category="services",
               amount_minor=900, currency="USD"),
    RegisterItem(id="hours:r", project_code="INFRA", kind="risk", title="Late", exposure_minor=500,
                 owner_id="hours:M1"),
    ChecklistItem(id="hours:c", project_code="INFRA", list="MEX", label="Backup", state="ok"),
]  # fmt: skip
PORTFOLIO = [
    Project(id="config:SI", code="SI", name="SI", level="portfolio"),
    Project(id="config:SOCLE", code="SOCLE", name="Socle", level="program", parent_code="SI"),
    Project(id="config:INFRA", code="INFRA", name="Infra project", parent_code="SOCLE"),
]


def fill(store: Store, *groups: list[Record]) -> None:
    for group in groups:
        source = group[0].id.partition(":")[0]
        store.register_source(
            source, kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=3600
        )
        run = store.begin_run(source, "full")
        store.write_batch(group, run_id=run, source_id=source)
        store.end_run(run, "ok")


def feed_of(store: Store, tmp_path: Path, **options: Any) -> Snapshot:
    return build(store.engine, tmp_path / "feed", BuildOptions(**options), now=NOW)


def ask(snapshot: Snapshot | Path, sql: str) -> list[tuple[Any, ...]]:
    return ask_feed(snapshot if isinstance(snapshot, Path) else snapshot.folder, sql)


def problems(store: Store, snapshot: Snapshot) -> list[str]:
    found = check(store, snapshot, freshness="warn", failed_sources="warn", now=NOW)
    return [finding.text for finding in found if finding.blocks]


def test_hours_are_counted_once(store: Store, tmp_path: Path) -> None:
    """Actual work of a plan never adds to timesheets: it is listed, and the gate proves the sum."""
    fill(store, PLAN, HOURS)
    snapshot = feed_of(store, tmp_path)

    assert [(25200 + 12600 - 3600 + 100,)] == ask(snapshot, "SELECT sum(seconds)::BIGINT FROM fact_worklog")
    assert {
        "measure": "seconds",
        "reason": "actual work of a plan, not a timesheet",
        "rows": 1,
        "amount": 86400,
    } in snapshot.manifest["excluded"]
    assert [] == problems(store, snapshot)


def test_days_follow_the_container_then_the_source(store: Store, tmp_path: Path) -> None:
    """Ten eight-hour days of a plan are ten days; a seven-hour timesheet day is one day."""
    fill(store, PLAN, HOURS)
    snapshot = feed_of(store, tmp_path)

    assert [(10.0, 4.0, 8.0, 4000.0)] == ask(
        snapshot,
        "SELECT estimate_days, remaining_days, baseline_days, baseline_amount::DOUBLE "
        "FROM fact_task_snapshot WHERE percent = 50",
    )
    assert [(1.0,)] == ask(snapshot, "SELECT days FROM fact_worklog WHERE seconds = 25200")


def test_without_a_portfolio_equal_codes_are_one_project(store: Store, tmp_path: Path) -> None:
    """First use needs no reference data: the plan INFRA and the cost code INFRA meet by their exact code."""
    fill(store, PLAN, HOURS)
    snapshot = feed_of(store, tmp_path)

    assert [("INFRA", "Infrastructure")] == ask(
        snapshot, "SELECT code, name FROM dim_project WHERE project_key <> -1"
    )
    assert [(-2,), (-1,)] == ask(snapshot, "SELECT DISTINCT project_key FROM fact_worklog ORDER BY 1")


def test_a_project_without_a_code_goes_by_its_name_in_figures(store: Store, tmp_path: Path) -> None:
    fill(
        store,
        [
            Container(id="boards:1", kind="board", name="Été"),
            Task(id="boards:t", container_id="boards:1", title="T"),
        ],
    )
    snapshot = feed_of(store, tmp_path)

    assert [("Été",)] == ask(
        snapshot,
        "SELECT DISTINCT scope_label FROM fact_kpi WHERE scope_kind = 'project' AND project_key <> -1",
    )


@pytest.mark.long
def test_with_a_portfolio_links_rule(store: Store, tmp_path: Path) -> None:
    """Links by container name or code place rows; programmes and portfolios go by parent.

    What nobody claims is project -1.
    """
    link = ProjectLink(
        id="config:INFRA/plans",
        project_code="INFRA",
        container_id="plans:Infrastructure",
        facets="schedule,effort",
    )
    fill(store, PLAN, HOURS, [*PORTFOLIO, link])
    snapshot = feed_of(store, tmp_path, lang="fr")

    assert [("?", "(Non rattaché)", None, None), ("INFRA", "Infra project", "Socle", "SI")] == ask(
        snapshot, "SELECT code, name, program, portfolio FROM dim_project ORDER BY code"
    )
    assert [(None,)] == ask(snapshot, "SELECT sum(baseline_days) FROM fact_task_snapshot")
    assert [] == problems(store, snapshot)


@pytest.mark.long
def test_a_plan_may_be_the_authority_for_actuals(store: Store, tmp_path: Path) -> None:
    """Where the PMO says so, a plan's actual work counts, and the timesheet of that project does not."""
    links = [
        ProjectLink(id="config:1", project_code="INFRA", container_id="plans:INFRA", facets="effort,actuals"),
        ProjectLink(id="config:2", project_code="INFRA", container_id="hours:INFRA", facets="budget"),
    ]
    fill(store, PLAN, HOURS, [*PORTFOLIO, *links])
    snapshot = feed_of(store, tmp_path)

    assert [(3 * 28800 + 100,)] == ask(snapshot, "SELECT sum(seconds)::BIGINT FROM fact_worklog")
    assert [] == problems(store, snapshot)


def test_money_is_conserved(store: Store, tmp_path: Path) -> None:
    """One column a kind; another currency is listed, not added."""
    fill(store, PLAN, HOURS)
    snapshot = feed_of(store, tmp_path)

    assert [("1000.50", "0.07")] == ask(
        snapshot, "SELECT baseline_amount::VARCHAR, consumed_amount::VARCHAR FROM fact_budget"
    )
    assert {
        "measure": "amount_minor",
        "reason": "no exchange rate for USD in 2026-03",
        "rows": 1,
        "amount": 900,
    } in snapshot.manifest["excluded"]


@pytest.mark.long
def test_hours_may_name_a_task_by_its_code(store: Store, tmp_path: Path) -> None:
    """A timesheet knows the key of an issue, not its id.

    When the issue is deleted there, the hours stay worked here.
    """
    coded = [Container(id="tracker:1", kind="project", code="INFRA", name="Infra"),
             Task(id="tracker:10", container_id="tracker:1", code="INFRA-7", title="An issue",
                  status_native="done"),
             Task(id="tracker:11", container_id="tracker:1", code="INFRA-8", title="Another",
                  status_native="done")]  # fmt: skip
    hours = [Container(id="hours:INFRA", kind="table", code="INFRA", name="INFRA"),
             Worklog(id="hours:1", container_id="hours:INFRA", task_id="tracker:INFRA-7", day="2026-03-02",
                     seconds=60),
             Worklog(id="hours:2", container_id="hours:INFRA", task_id="tracker:INFRA-8", day="2026-03-02",
                     seconds=600),
             Worklog(id="hours:3", container_id="hours:INFRA", task_id="tracker:INFRA-9", day="2026-03-02",
                     seconds=6000)]  # fmt: skip
    fill(store, coded, hours)
    store.set_presence("task", ["tracker:11"], "deleted", "absent from the census", run_id=9)
    snapshot = feed_of(store, tmp_path)

    assert [("-", 6000), ("An issue", 60), ("Another", 600)] == ask(
        snapshot,
        "SELECT CASE WHEN task_key = -1 THEN '-' ELSE title END AS task, sum(seconds)::BIGINT "
        "FROM fact_worklog JOIN dim_task USING (task_key) "
        "GROUP BY 1 ORDER BY 1",
    )
    assert [] == problems(store, snapshot)


@pytest.mark.long
def test_what_left_is_listed(store: Store, tmp_path: Path) -> None:
    """A deleted task leaves with its hours; an archived container keeps them."""
    log = Worklog(id="plans:x", task_id="plans:g/t/2", container_id="plans:g", day="2026-03-02", seconds=500)
    fill(store, [*PLAN, log], HOURS)
    store.set_presence("task", ["plans:g/t/2"], "deleted", "absent from plan.xml", run_id=9)
    store.set_presence("container", ["hours:INFRA"], "archived", "closed", run_id=9)
    snapshot = feed_of(store, tmp_path)
    lost = {(line["measure"], line["reason"]): line["amount"] for line in snapshot.manifest["excluded"]}

    assert (1, 500 + 86400) == (lost["tasks", "deleted"], lost["seconds", "task deleted"])
    assert [(25200 + 12600 - 3600 + 100,)] == ask(snapshot, "SELECT sum(seconds)::BIGINT FROM fact_worklog")
    assert [(1,)] == ask(snapshot, "SELECT is_deleted FROM dim_task WHERE title = 'Build'")
    assert [] == problems(store, snapshot)


def test_a_deleted_container_takes_its_rows(store: Store, tmp_path: Path) -> None:
    """What is proven of a container holds for its tasks, and every foreign key still resolves."""
    fill(store, PLAN, HOURS)
    store.set_presence("container", ["plans:g"], "deleted", "file gone, accepted", run_id=9)
    snapshot = feed_of(store, tmp_path)

    assert [(0,)] == ask(snapshot, "SELECT count(*) FROM fact_task_snapshot")
    assert [] == problems(store, snapshot)


@pytest.mark.long
def test_as_of_is_the_feed_of_that_day(store: Store, tmp_path: Path) -> None:
    """The feed as of a past moment equals the feed that was built then, table by table."""
    fill(store, PLAN, HOURS, PORTFOLIO)
    then = build(store.engine, tmp_path / "feed", BuildOptions())
    moment = str(then.manifest["moment"])
    fill(
        store,
        [Task(id="plans:g/t/2", container_id="plans:g", title="Renamed", estimate_s=1)],
        [Worklog(id="hours:9", day="2026-01-01", seconds=9)],
    )
    store.set_presence("task", ["plans:g/t/3"], "deleted", "gone", run_id=9)
    again = feed_of(store, tmp_path, as_of=moment)

    for table in model().tables:
        assert [] == ask_changes(again.folder, then.folder, table), table


def ask_changes(new: Path, old: Path | None, table: str) -> list[tuple[Any, ...]]:
    connection = open_feed(new)
    try:
        return changes(connection, table, new, old).fetchall()
    finally:
        connection.close()


@pytest.mark.long
def test_changes_lead_from_one_feed_to_the_next(store: Store, tmp_path: Path) -> None:
    """Inserted, updated and deleted keys, applied to the old table, give the new one.

    From empty they are the feed.
    """
    fill(store, PLAN, HOURS)
    old = feed_of(store, tmp_path)
    fill(
        store,
        [
            Worklog(id="hours:1", container_id="hours:INFRA", day="2026-02-27", seconds=1),
            Worklog(id="hours:9", day="2026-03-04", seconds=9),
        ],
    )
    store.set_presence("worklog", ["hours:2"], "deleted", "gone", run_id=9)
    new = feed_of(store, tmp_path)
    moves = {(row[0], row[1]) for row in ask_changes(new.folder, old.folder, "fact_worklog")}

    assert {("update", "hours:1"), ("insert", "hours:9"), ("delete", "hours:2")} == moves
    assert {"insert"} == {row[0] for row in ask_changes(new.folder, None, "dim_task")}
    assert [(len(ask_changes(new.folder, None, "fact_worklog")),)] == ask(
        new, "SELECT count(*) FROM fact_worklog"
    )


@pytest.mark.parametrize("level", ["team-week", "project"])
def test_projections_hide_people_and_keep_totals(store: Store, tmp_path: Path, level: str) -> None:
    """No name, no line of a person; hours, days and months are those of the feed."""
    fill(store, PLAN, HOURS)
    snapshot = feed_of(store, tmp_path)
    folder = project_to(level, snapshot.folder, tmp_path / "feed" / "projections")
    month = (
        "SELECT strftime(work_date, '%Y-%m') m, project_key, category, sum(seconds)::BIGINT, "
        "round(sum(days), 9) FROM fact_worklog GROUP BY ALL ORDER BY ALL"
    )

    assert ask(snapshot, month) == ask(folder, month)
    assert ask(
        snapshot, "SELECT sum(planned_s)::BIGINT, sum(logged_s)::BIGINT FROM fact_allocation_week"
    ) == ask(folder, "SELECT sum(planned_s)::BIGINT, sum(logged_s)::BIGINT FROM fact_allocation_week")
    assert level == load_manifest(folder)["privacy"]
    for path in folder.rglob("*"):
        assert b"Engineer" not in (path.read_bytes() if path.is_file() else b""), path
    assert [(None,)] == ask(folder, "SELECT DISTINCT owner_label FROM fact_register")
    lost = [
        f"SELECT '{table}.{column}' WHERE EXISTS (FROM {table} WHERE {column} NOT IN "
        f"(SELECT {model().tables[facts.ref].key[0]} FROM {facts.ref}))"
        for table, shape in model().tables.items()
        for column, facts in shape.columns.items()
        if facts.ref
    ]
    assert [] == ask(folder, " UNION ALL ".join(lost))


@pytest.mark.long
@pytest.mark.parametrize(
    ("country", "shares"),
    [("FR", [("2026-03-30", 14400)]), ("US", [("2026-03-30", 7200), ("2026-04-06", 7200)])],
)
def test_a_span_is_shared_over_workdays(
    store: Store, tmp_path: Path, country: str, shares: list[tuple[str, int]]
) -> None:
    """Four hours from Good Friday to Easter Monday fall on the days that are worked.

    Where both are worked it is two and two, where the Monday is off all on the Friday.
    """
    fill(store, PLAN)
    snapshot = feed_of(store, tmp_path, country=country)

    assert shares == ask(
        snapshot,
        "SELECT week_start::VARCHAR, planned_s FROM fact_allocation_week WHERE planned_s > 0 ORDER BY 1",
    )


def test_the_calendar_knows_holidays(store: Store, tmp_path: Path) -> None:
    """2026 has 252 working days in France with all eleven holidays off, and a week 53."""
    fill(store, PLAN)
    snapshot = feed_of(store, tmp_path, lang="fr")

    assert [(252,)] == ask(snapshot, "SELECT sum(is_workday)::BIGINT FROM dim_date WHERE year = 2026")
    assert [("2026-W53",)] == ask(snapshot, "SELECT iso_week_label FROM dim_date WHERE date = '2026-12-31'")
    assert [("Lundi de Pentecôte",)] == ask(
        snapshot, "SELECT holiday_name FROM dim_date WHERE date = '2026-05-25'"
    )
    with pytest.raises(FeedError, match="'XX' is not an ISO code"):
        feed_of(store, tmp_path, country="XX")


def test_a_worklog_of_an_odd_year_is_kept(store: Store, tmp_path: Path) -> None:
    """A typing error in a year loses no hour and makes no calendar of two thousand years."""
    fill(store, [Worklog(id="hours:1", day="0226-03-01", seconds=60)])
    snapshot = feed_of(store, tmp_path)

    assert [(1,)] == ask(snapshot, "SELECT count(*) FROM fact_worklog w JOIN dim_date d USING (date_key)")
    assert snapshot.manifest["tables"]["dim_date"]["rows"] < 400
    assert [] == problems(store, snapshot)


def test_an_empty_store_has_a_feed(store: Store, tmp_path: Path) -> None:
    """Nothing synced yet still gives every table."""
    snapshot = feed_of(store, tmp_path)

    assert model().tables.keys() == snapshot.manifest["tables"].keys()
    assert [] == problems(store, snapshot)


def test_the_gate_finds_what_is_lost(store: Store, tmp_path: Path) -> None:
    """A feed that lost one hour, one task or one cent does not pass."""
    fill(store, PLAN, HOURS)
    snapshot = feed_of(store, tmp_path)
    fill(store, [Worklog(id="hours:7", day="2026-03-02", seconds=3600)])
    snapshot.manifest["as_of"] = store.rows("SELECT last FROM clock")[0]["last"]
    (found,) = problems(store, snapshot)

    assert "seconds: the store has" in found
    assert "3600 are lost or doubled" in found


def test_the_gate_holds_the_contract(store: Store, tmp_path: Path) -> None:
    """Double and empty keys, unknown foreign keys and changed types are found in the files themselves."""
    import duckdb

    fill(store, PLAN, HOURS)
    snapshot = feed_of(store, tmp_path)
    folder = snapshot.folder
    duckdb.execute(
        "COPY (SELECT 1::BIGINT AS cut_key, CURRENT_DATE AS as_of, 'x' AS kind, 'x' AS label, "
        f"1::INTEGER AS is_latest) TO '{folder}/dim_cut/data_0.parquet'"
    )
    links = f"{folder}/fact_task_link/data_0.parquet"
    duckdb.execute(
        f"COPY (SELECT * FROM '{links}' UNION ALL SELECT * "
        f"FROM '{links}') TO '{folder}/fact_task_link/twice.parquet'"
    )
    duckdb.execute(
        f"COPY (SELECT * REPLACE (NULL::VARCHAR AS type) FROM '{links}') "
        f"TO '{folder}/fact_task_link/untyped.parquet'"
    )
    found = " | ".join(problems(store, snapshot))

    assert "dim_cut: columns or types differ" in found
    assert "fact_task_link: 1 key (from_task_key, to_task_key, type) occurs more than once" in found
    assert "fact_task_link: 1 row has an empty key (from_task_key, to_task_key, type)" in found
    assert "fact_task_snapshot: 3 rows have a cut_key that dim_cut does not know" in found


@pytest.mark.long
def test_freshness_warns_or_blocks(store: Store, tmp_path: Path) -> None:
    """A stale source is marked, and blocks only where that is configured."""
    fill(store, PLAN)
    snapshot = feed_of(store, tmp_path)
    later = datetime(2027, 1, 1, tzinfo=UTC)
    marked = check(store, snapshot, freshness="warn", failed_sources="warn", now=later)
    blocked = check(store, snapshot, freshness="block", failed_sources="warn", now=later)

    assert [("freshness", False)] == [(f.kind, f.blocks) for f in marked]
    assert [("freshness", True)] == [(f.kind, f.blocks) for f in blocked]


def test_manifest_tells_what_the_files_hold(store: Store, tmp_path: Path) -> None:
    """Rows, sums and sha256 of every file are in the manifest; files are private."""
    fill(store, PLAN, HOURS)
    snapshot = feed_of(store, tmp_path)
    manifest = json.loads((snapshot.folder / "manifest.json").read_text())
    listed = {name for table in manifest["tables"].values() for name in table["files"]}

    assert listed == {p.relative_to(snapshot.folder).as_posix() for p in snapshot.folder.rglob("*.parquet")}
    assert 34300 == manifest["tables"]["fact_worklog"]["sums"]["seconds"]
    assert {
        "fact_worklog/year_month=2026-02/data_0.parquet",
        "fact_worklog/year_month=2026-03/data_0.parquet",
    } <= listed
    assert {0o600} == {p.stat().st_mode & 0o777 for p in snapshot.folder.rglob("*.parquet")}
    with pytest.raises(FeedError, match="no readable feed"):
        load_manifest(tmp_path)
    save_manifest(snapshot.folder, manifest)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-31", "2026-10-31T23:59:59.999999Z"),
        ("2026-10-31T18:00:00Z", "2026-10-31T18:00:00.000000Z"),
        ("2026-10-31T18:00:00+02:00", "2026-10-31T16:00:00.000000Z"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    """A day is its end; an instant is itself in UTC."""
    assert moment == instant(text)
    with pytest.raises(ConfigError, match="is not a date"):
        instant("last friday")


def test_the_weather_is_said_beside_what_was_declared(store: Store, tmp_path: Path) -> None:
    """A green that the committee declared stands beside a red of the figures, with the figure and its limit.

    Four days are to do, where three are red. What a target says does not count in the weather does not.
    """
    fill(store, [
        *PLAN,
        Target(id="plans:t1", kpi="RAF", measure="raf", amber=1.0, red=3.0, direction="down"),
        Target(id="plans:t2", kpi="RAF", measure="budget", amber=1.0, red=2.0, direction="down",
               in_weather=False),
        Assessment(id="plans:s1", project_code="INFRA", day="2026-03-30", axis="overall", rag="green"),
        Assessment(id="plans:s2", project_code="INFRA", day="2026-03-30", axis="costs", rag="amber"),
    ])  # fmt: skip

    assert [
        ("green", "red", "Reste à faire (JH) 4 > 3", "To do (days) 4 > 3", 1),
    ] == ask(
        feed_of(store, tmp_path),
        "SELECT declared, computed, reason_fr, reason_en, is_contradicted FROM fact_weather",
    )  # fmt: skip


def test_without_an_overall_word_the_worst_axis_is_declared(store: Store, tmp_path: Path) -> None:
    """Nothing computed is no colour, and nothing is contradicted."""
    fill(store, [
        *PLAN,
        Assessment(id="plans:s1", project_code="INFRA", day="2026-03-30", axis="scope", rag="green"),
        Assessment(id="plans:s2", project_code="INFRA", day="2026-03-30", axis="costs", rag="amber"),
    ])  # fmt: skip

    assert [("amber", None, None, 0)] == ask(
        feed_of(store, tmp_path), "SELECT declared, computed, reason_en, is_contradicted FROM fact_weather"
    )


@pytest.mark.long
@pytest.mark.parametrize("turned", [False, True])
def test_changes_of_one_instant_lead_to_each_other(store: Store, tmp_path: Path, turned: bool) -> None:
    """Started and done within a second: it is done, in whatever order the tool told it."""
    steps = [("To Do", "Doing"), ("Doing", "Review"), ("Review", "Done")]
    fill(store, [
        Container(id="plans:c", kind="project", code="X", name="X"),
        Task(id="plans:t", container_id="plans:c", title="Quick", status_raw="Done",
             created_at="2026-03-01T08:00:00Z"),
        *(TaskChange(id=f"plans:h{number}", task_id="plans:t", field="status", at="2026-03-02T09:00:00Z",
                     from_value=before, to_value=after)
          for number, (before, after) in enumerate(steps[::-1] if turned else steps)),
    ])  # fmt: skip

    assert ["To Do", "Doing", "Review", "Done"] == [
        row[0] for row in ask(
            feed_of(store, tmp_path), "SELECT status_raw FROM fact_status_interval ORDER BY seq"
        )
    ]  # fmt: skip
