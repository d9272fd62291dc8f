"""Figures by hand.

What has no plan, where a budget lands, what stays in a baseline, what is not counted, what a cut keeps.
"""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest
from msgspec.structs import replace
from test_cuts import LAST_MONTH, TIMES, ask, hours, out, plan, portfolio, sync, work
from test_feed import feed_of, problems
from test_kpi import load

from hub.feed import BuildOptions, evaluate, model, open_folder
from hub.feed.cuts import place_cuts
from hub.feed.kpi.kept import corrected_since
from hub.feed.model import Column, Table
from hub.publish import PublishReport, cuts, periods
from hub.publish.baselines import take as take_baseline
from hub.records import (
    Allocation,
    Assessment,
    BudgetLine,
    ChecklistItem,
    Container,
    Project,
    Rate,
    Record,
    RegisterItem,
    Task,
    Worklog,
)
from hub.store import Store

RATE = Rate(id="config:r", scope="default", valid_from="2026-01-01", minor_per_day=70000)


def figures(report: PublishReport, code: str, cut: int = 0, label: str = "A") -> dict[str, float | None]:
    """Return the measures of a figure of a project."""
    rows = ask(
        report,
        f"SELECT measure, value FROM fact_kpi WHERE kpi = '{code}' AND scope_kind = 'project' AND "
        f"scope_label = '{label}' AND cut_key = {cut}",
    )
    return dict(rows)


def money(no: int, kind: Any, category: str, amount: float, month: str = "2026-05") -> BudgetLine:
    return BudgetLine(
        id=f"erp:{no}",
        project_code="A",
        month=month,
        kind=kind,
        category=category,
        amount_minor=round(amount * 100),
    )


# ---------- no plan ----------


@pytest.mark.long
def test_hours_without_a_plan_are_not_done(store: Store, tmp_path: Path) -> None:
    """Two days worked and no task whose effort counts.

    RAF and what is made of it are empty, also in money.
    """
    sync(store, *portfolio(), RATE)
    sync(store, *TIMES, hours(1, "2026-05-05", 2), money(1, "baseline", "services", 5000))
    report = out(store, tmp_path)
    raf, days, amount, landing = (
        figures(report, code) for code in ("RAF", "EVM_DAYS", "EVM_AMOUNT", "LANDING")
    )

    assert 2.0 == raf["consomme"]
    assert {None} == {raf[name] for name in ("raf", "a_terminaison", "derive", "avancement", "budget")}
    assert {None} == {one[name] for one in (days, amount) for name in ("raf", "eac_raf", "vac_raf")}
    assert {None} == {landing["landing"], landing["variance"]}
    assert (1400.0, 1400.0) == (landing["consumed"], landing["landing_at_least"])
    assert [(0.0,)] == ask(
        report, "SELECT coverage FROM fact_kpi WHERE measure = 'landing_at_least' AND scope_label = 'A'"
    )
    assert [(None,)] == ask(
        report,
        "SELECT remaining_days FROM fact_project_snapshot JOIN dim_project USING (project_key) WHERE code = "
        "'A'",
    )


@pytest.mark.long
def test_a_plan_of_which_all_is_done_has_nothing_left(store: Store, tmp_path: Path) -> None:
    """Tasks whose effort counts and none open: 0 left, whatever the field says."""
    sync(store, *portfolio())
    sync(store, *plan(*work(1, "2026-05-30", percent=100.0)), *TIMES[:0])
    sync(store, *TIMES, hours(1, "2026-05-05", 2))

    assert {"raf": 0.0, "avancement": 1.0} == {
        name: value
        for name, value in figures(out(store, tmp_path), "RAF").items()
        if name in {"raf", "avancement"}
    }


@pytest.mark.long
def test_exposure_of_risks_without_amounts_is_unknown(store: Store, tmp_path: Path) -> None:
    """None open: 0. Open and none with an amount: empty. One with: its own."""
    risk = RegisterItem(id="reg:1", project_code="A", kind="risk", title="Late", probability=0.5)
    sync(store, *portfolio())
    none = figures(out(store, tmp_path), "RISK")["expected_exposure"]
    sync(store, risk)
    unknown = figures(out(store, tmp_path), "RISK")["expected_exposure"]
    sync(
        store,
        risk,
        RegisterItem(
            id="reg:2", project_code="A", kind="risk", title="x", probability=0.1, exposure_minor=100000
        ),
    )

    assert (0, None, 100) == (none, unknown, figures(out(store, tmp_path), "RISK")["expected_exposure"])


# ---------- landing ----------


LABOUR = (
    "labour",
    "Labor",
    "MAIN D'ŒUVRE",
    "main-d'oeuvre",
    "Main d’oeuvre",
    "mo",
    "M.O.",
    "Personnel",
    "salaires",
    "Salaire",
    "Staff",
    "Internal labour",
    "Masse salariale",
)


@pytest.mark.long
def test_labour_is_counted_once_whatever_it_is_called(store: Store, tmp_path: Path) -> None:
    """Of 2 d worked and 5 d left at 700, purchases of 300 + 200, the 9 999 of budgeted labour are no part.

    One project for each way to write labour.
    """
    codes = [f"L{n}" for n in range(len(LABOUR))]
    sync(store, RATE, *(Project(id=f"config:{code}", code=code, name=code) for code in codes))
    plans: list[Record] = []
    lines: list[Record] = []
    logged: list[Record] = [TIMES[1]]
    for n, (code, category) in enumerate(zip(codes, LABOUR, strict=True)):
        plans.append(Container(id=f"plans:{code}", kind="plan", code=code, name=code, seconds_per_day=25200))
        plans += [
            replace(one, container_id=f"plans:{code}") if isinstance(one, Task) else one
            for one in work(n, "2026-07-31")
        ]
        amounts: list[tuple[Any, str, float]] = [
            ("baseline", category, 6000),
            ("baseline", "achats", 1000),
            ("consumed", category, 9999),
            ("forecast", category, 9999),
            ("consumed", "prestations", 300),
            ("forecast", "licences", 200),
        ]
        lines += [
            replace(money(10 * n + place, *amount), project_code=code) for place, amount in enumerate(amounts)
        ]
        logged.append(Container(id=f"times:{code}", kind="table", code=code, name=code))
        logged.append(replace(hours(n, "2026-05-05", 2), container_id=f"times:{code}"))
    sync(store, *plans)
    sync(store, *lines)
    sync(store, *logged)
    report = out(store, tmp_path)
    found = {
        category: figures(report, "LANDING", label=code)
        for code, category in zip(codes, LABOUR, strict=True)
    }  # fmt: skip

    assert dict.fromkeys(LABOUR, (7000, 1700, 5400, 5400, -1600)) == {
        category: tuple(
            landing[name] for name in ("budget", "consumed", "landing", "landing_at_least", "variance")
        )
        for category, landing in found.items()
    }
    assert [("initial budget", 2, len(LABOUR))] == ask(
        report,
        "SELECT method, method_version, count(DISTINCT scope_label) FROM fact_kpi WHERE kpi = 'LANDING' "
        "AND scope_kind = 'project' AND scope_label LIKE 'L%' GROUP BY ALL",
    )
    assert {
        "measure": "amount_minor",
        "reason": "labour: counted from hours, not from the budget",
        "rows": 2 * len(LABOUR),
        "amount": 1999800 * len(LABOUR),
        "in_feed": True,
    } in report.excluded


@pytest.mark.long
def test_a_landing_is_held_to_the_revised_budget(store: Store, tmp_path: Path) -> None:
    """A project with a revised line is held to their sum, and the result says so.

    Others to the initial one.
    """
    sync(store, *portfolio(), RATE)
    sync(store, *plan(*work(1, "2026-07-31")))
    other = BudgetLine(
        id="erp:9", project_code="B", month="2026-05", kind="baseline", category="achats", amount_minor=100
    )
    sync(
        store,
        money(1, "baseline", "achats", 9000),
        money(2, "revised", "achats", 3000),
        money(3, "revised", "labour", 1000, "2026-06"),
        other,
    )
    report = out(store, tmp_path)
    rows = ask(
        report,
        "SELECT scope_label, value, method FROM fact_kpi WHERE kpi = 'LANDING' AND measure = 'budget' AND "
        "scope_kind = 'project' ORDER BY 1",
    )

    assert [("A", 4000.0, "revised budget"), ("B", 1.0, "initial budget")] == rows[1:]
    assert 3500 - 4000 == figures(report, "LANDING")["variance"]


@pytest.mark.long
def test_what_is_known_of_a_landing_is_a_lower_bound(store: Store, tmp_path: Path) -> None:
    """Three open tasks of which one says nothing: no landing, but at least 2 × 5 d at 700, of two thirds."""
    silent = Task(id="plans:t9", container_id="plans:a", title="?", estimate_s=25200)
    sync(store, *portfolio(), RATE)
    sync(store, *plan(*work(1, "2026-07-31"), *work(2, "2026-07-31"), silent))
    report = out(store, tmp_path)

    assert (None, 7000) == tuple(figures(report, "LANDING")[name] for name in ("landing", "landing_at_least"))
    assert [(pytest.approx(2 / 3),)] == ask(
        report, "SELECT coverage FROM fact_kpi WHERE measure = 'landing_at_least' AND scope_label = 'A'"
    )
    assert [(None,)] == ask(
        report, "SELECT coverage FROM fact_kpi WHERE measure = 'committed' AND scope_label = 'A'"
    )
    assert any(
        line["reason"].startswith("open without a remaining amount") and line["rows"] == 1
        for line in report.excluded
    )


# ---------- not counted ----------


@pytest.mark.long
def test_nothing_is_silently_outside(store: Store, tmp_path: Path) -> None:
    """What a figure leaves out is listed with its sum, one reason a row.

    What leaves the feed still adds up.
    """
    tomorrow = str(date.today() + timedelta(days=1))
    sync(store, *portfolio())
    sync(
        store,
        *plan(
            *work(1, "2026-07-31"), Task(id="plans:m", container_id="plans:a", title="Go", kind="milestone")
        ),
    )
    sync(
        store,
        *TIMES,
        hours(1, "2026-05-05", 1),
        hours(2, tomorrow, 2),
        hours(3, "2026-05-06", 3, approval="rejected"),
        hours(4, "2026-05-07", 4, category="absence"),
        hours(5, "2026-05-07", 5, category="internal"),
        Worklog(id="times:w6", day="2026-05-08", seconds=6 * 25200),
        Allocation(
            id="times:p",
            account_id="times:u1",
            container_id="plans:a",
            start_on="2010-01-01",
            finish_on="2026-01-01",
            seconds=700,
        ),
    )
    sync(
        store,
        RegisterItem(id="reg:1", project_code="Z", kind="action", title="x"),
        RegisterItem(id="reg:2", project_code="A", kind="risk", title="x", probability=0.5),
        ChecklistItem(id="reg:3", project_code="Z", list="L", label="x"),
        BudgetLine(
            id="reg:4", project_code="Z", month="2026-05", kind="baseline", category="x", amount_minor=12
        ),
        Assessment(id="reg:5", project_code="Z", day="2026-05-01", axis="overall", rag="red"),
        Assessment(id="reg:6", project_code="A", day=tomorrow, axis="overall", rag="red"),
    )
    report = out(store, tmp_path)
    told = {(line["measure"], line["reason"]): line["amount"] for line in report.excluded}

    assert 1.0 == figures(report, "RAF")["consomme"]
    assert {
        "dated after the moment of the feed: not spent yet": 2,
        "rejected": 3,
        "absence: not work, it lowers what is available": 4,
        "internal time: not work of a project": 5,
        "of no known project: in the total only": 6,
    } == {reason: amount / 25200 for (measure, reason), amount in told.items() if measure == "seconds"}
    assert 700 == told["planned_s", "planned over more than ten years"]
    assert 12 == told["amount_minor", "of no known project: in the total only"]
    assert (1, 1) == (
        told["assessments", "of no known project"],
        told["assessments", "dated after the moment of the feed"],
    )
    assert (
        1
        == told["register_items", "of no known project: in the total only"]
        == told["checklist_items", "of no known project: in the total only"]
    )
    assert 1 == told["register_items", "open risk without an amount or a probability: not in the exposure"]
    assert 1 == told["tasks", "milestone without a baseline: not in slips"]


# ---------- baselines ----------


@pytest.mark.long
def test_a_deleted_task_stays_in_its_baseline(store: Store, tmp_path: Path) -> None:
    """Deleting a baselined task of 10 days leaves BAC and PV alone; it earns nothing and has nothing left."""
    sync(store, *portfolio())
    sync(store, *plan(*work(1, "2026-07-31", percent=50.0), *work(2, "2026-07-31", percent=50.0)))
    before = figures(out(store, tmp_path), "EVM_DAYS")
    store.set_presence("task", ["plans:t2"], "deleted", "gone", run_id=99)
    store.set_presence("baseline", ["plans:b2"], "deleted", "gone", run_id=99)
    report = out(store, tmp_path)
    after = figures(report, "EVM_DAYS")

    assert (20.0, 20.0, 10.0) == (before["bac"], before["pv"], before["ev"])
    assert (20.0, 20.0, 5.0, 5.0) == (after["bac"], after["pv"], after["ev"], after["raf"])
    assert [("T2", 1, "cancelled", 10.0, None, 0)] == ask(
        report,
        "SELECT title, is_deleted, category, baseline_days, remaining_days, is_effort_counted FROM "
        "fact_task_snapshot JOIN dim_task USING (task_key) "
        "JOIN dim_status USING (status_key) WHERE cut_key = 0 AND is_deleted = 1",
    )
    assert {"measure": "tasks", "reason": "deleted", "rows": 1, "amount": 1} in report.excluded


@pytest.mark.long
def test_a_rebaseline_leaves_it_behind(store: Store, tmp_path: Path) -> None:
    """Once every other task has a later baseline the deleted one is of the past; until then it is not."""
    sync(store, *portfolio())

    def based(*captured: tuple[int, str]) -> None:
        sync(
            store,
            *plan(
                *(
                    record
                    for no, at in captured
                    for record in (
                        work(no, "2026-07-31")[0],
                        msgspec.structs.replace(work(no, "2026-07-31")[1], captured_at=at),
                    )  # type: ignore[type-var]
                )
            ),
        )

    based((1, "2026-05-01T00:00:00Z"), (2, "2026-05-01T00:00:00Z"), (3, "2026-05-01T00:00:00Z"))
    store.set_presence("task", ["plans:t3"], "deleted", "gone", run_id=99)
    based((1, "2026-06-01T00:00:00Z"))
    partly = figures(out(store, tmp_path), "EVM_DAYS")["bac"]
    based((2, "2026-06-01T00:00:00Z"))

    assert (30.0, 20.0) == (partly, figures(out(store, tmp_path), "EVM_DAYS")["bac"])


@pytest.mark.long
def test_the_hubs_own_baseline_is_a_rebaseline(store: Store, tmp_path: Path) -> None:
    """Taking the hub's baseline again decides it; one cleared before the deletion counts no more."""
    sync(store, *portfolio())
    tasks = [
        Task(id=f"plans:t{no}", container_id="plans:a", title=f"T{no}", estimate_s=25200, remaining_s=25200)
        for no in (1, 2, 3)
    ]
    sync(store, *plan(*tasks))
    take_baseline(store, "A", actor="me")
    store.set_presence("baseline", ["hub:baseline/plans:t3"], "deleted", "cleared", run_id=50)
    store.set_presence("task", ["plans:t2", "plans:t3"], "deleted", "gone", run_id=99)
    kept = figures(out(store, tmp_path), "EVM_DAYS")["bac"]
    store.connection.execute(
        "UPDATE baseline SET captured_at = '2026-01-01T00:00:00Z' WHERE presence = 'present'"
    )
    take_baseline(store, "A", actor="me")

    assert (2.0, 1.0) == (kept, figures(out(store, tmp_path), "EVM_DAYS")["bac"])


# ---------- cuts ----------


@pytest.mark.long
def test_a_closed_cut_is_itself_wherever_it_is_asked_for(store: Store, tmp_path: Path) -> None:
    """Hours of before it are corrected later: feed, commands and moves all say what the cut said."""
    sync(store, *portfolio(), RATE)
    sync(store, *plan(*work(1, "2026-07-31")))
    sync(store, *TIMES, hours(1, "2026-05-05", 2))
    cut = cuts.take(store, kind="copil", label="C1", actor="me")
    cuts.close(store, tmp_path / "data" / "feed", "C1", BuildOptions(), actor="me")
    first = out(store, tmp_path)
    sync(store, *TIMES, hours(1, "2026-05-05", 6))
    report = out(store, tmp_path, vs="C1")
    connection = open_folder(Path(report.folder))
    said = evaluate(connection, "C1")
    by_day = evaluate(connection, str(date.today()), ("RAF",))
    project = next(row["project_key"] for row in said.kpis["RAF"] if row["project"] == "A")
    since = corrected_since(connection, _kpi("RAF"), said.kpis["RAF"], project)

    assert 2.0 == figures(first, "RAF", cut.key)["consomme"] == figures(report, "RAF", cut.key)["consomme"]
    assert said.kept
    for code in ("RAF", "EVM_DAYS", "EVM_AMOUNT", "LANDING", "RISK", "READINESS"):
        row = next(row for row in said.kpis[code] if row["project"] == "A")
        stored = figures(report, code, cut.key)
        assert stored == {name: row[name] for name in stored}, code
    assert 6.0 == next(row for row in by_day.kpis["RAF"] if row["project"] == "A")["consomme"], (
        "today's cut of the same day"
    )
    assert (2.0, 6.0) == since["consomme"]
    assert [] == said.kpis["LEAD_CYCLE"] == said.kpis["LOAD_PERSON"]
    assert any(
        "LEAD_CYCLE" in note and "LOAD_PERSON" in note and "cannot be told any more" in note
        for note in said.notes
    )
    assert said.kpis["WORKDAYS"], "the calendar is no figure of a cut"
    assert [("correction", 2.0, 6.0)] == ask(
        report, "SELECT cause, before_value, after_value FROM fact_move WHERE measure = 'spent'"
    )


@pytest.mark.long
def test_commands_show_the_kept_figure(hub_folder: Path, run_hub: Any) -> None:
    """`hub kpi --as-of` and `hub explain --cut` agree, and explain says that rows were corrected since."""
    (hub_folder / "config" / "hub.toml").write_text('country = "DE"\n')
    with Store.open(hub_folder / "data" / "hub.db") as store:
        sync(store, *portfolio())
        sync(store, *plan(*work(1, "2026-07-31")))
        sync(store, *TIMES, hours(1, "2026-05-05", 2))
        cuts.take(store, kind="copil", label="C1", actor="me")
        cuts.close(store, hub_folder / "data" / "feed", "C1", BuildOptions(), actor="me")
        sync(store, *TIMES, hours(1, "2026-05-05", 6))
        out(store, hub_folder)
    kpi = json.loads(
        run_hub("kpi", "--as-of", "C1", "--kpi", "RAF", "--project", "A", "--format", "json").output
    )
    told = json.loads(run_hub("explain", "RAF", "--project", "A", "--cut", "C1", "--json").output)
    text = run_hub("explain", "RAF", "--project", "A", "--cut", "C1").output

    assert 2.0 == kpi["kpis"]["RAF"][0]["consomme"] == told["figure"][0]["consomme"]
    assert "consomme 2 then, 6 by the rows" in " ".join(told["notes"])
    assert "the rows are as known now" in " ".join(text.split())


def _kpi(code: str) -> Any:
    from hub.feed import catalogue

    return catalogue()[code]


def test_hub_kpi_knows_the_country_of_the_configuration(
    hub_folder: Path, run_hub: Any, tmp_path: Path
) -> None:
    """A folder without a calendar gets that of hub.toml's country, unless --country says another."""
    (tmp_path / "f").mkdir()
    duckdb.execute(
        "COPY (SELECT 1 AS cut_key, DATE '2026-06-01' AS as_of, 'now' AS kind, 'x' AS label, 1 AS "
        f"is_latest) TO '{tmp_path / 'f' / 'dim_cut.csv'}'"
    )
    (hub_folder / "config" / "hub.toml").write_text('country = "US"\n')

    def days(*more: str) -> int:
        rows = json.loads(
            run_hub("kpi", str(tmp_path / "f"), "--kpi", "WORKDAYS", "--format", "json", *more).output
        )["kpis"]["WORKDAYS"]
        return int(next(row["holidays"] for row in rows if row["year"] == 2026))

    import holidays

    assert len(holidays.country_holidays("US", years=2026)) == days()
    assert len(holidays.country_holidays("FR", years=2026)) == days("--country", "FR")


@pytest.mark.long
def test_a_correction_of_a_sealed_month_is_a_correction(store: Store, tmp_path: Path) -> None:
    """Hours and money of a sealed month, corrected after the cut, are told late: no news."""
    sync(store, *portfolio(), RATE)
    day = f"{LAST_MONTH}-03"
    bought = BudgetLine(
        id="erp:1",
        project_code="A",
        month=LAST_MONTH,
        kind="consumed",
        category="services",
        amount_minor=10000,
    )
    sync(store, *TIMES, hours(1, day, 2), hours(2, day, 1))
    sync(store, bought)
    periods.seal(store, tmp_path / "data" / "feed", LAST_MONTH, BuildOptions(), actor="me")
    cut = cuts.take(store, kind="copil", label="C1", actor="me")
    # the cut is of two days ago: what is posted today is later
    stamp = (datetime.now(UTC) - timedelta(days=2)).strftime("%Y-%m-%dT00:00:00.000000Z")
    _age(store, stamp)
    store.connection.execute("UPDATE cut SET as_of = ? WHERE id = ?", (stamp, cut.key))
    sync(store, *TIMES, hours(1, day, 5))
    sync(store, msgspec.structs.replace(bought, amount_minor=25000))
    store.set_presence("worklog", ["times:w2"], "deleted", "gone", run_id=9)
    report = out(store, tmp_path, vs="C1")

    assert [("budget", "correction", 150.0), ("effort", "correction", 2.0)] == ask(
        report, "SELECT topic, cause, delta FROM fact_move WHERE measure IN ('spent', 'amount') ORDER BY 1"
    )


def _age(store: Store, stamp: str) -> None:
    """Make everything in the store known since before *stamp*."""
    old = (datetime.fromisoformat(stamp) - timedelta(days=1)).strftime("%Y-%m-%dT00:00:00.000000Z")
    for table in ("project", "rate", "container", "account", "worklog", "budget_line"):
        store.connection.execute(f"UPDATE {table} SET recorded_at = '{old}'")
        store.connection.execute(f"DELETE FROM {table}_history")
    store.connection.execute("UPDATE period_close SET sealed_at = ?", (old,))
    store.connection.execute("UPDATE sync_run SET started_at = ?, finished_at = ?", (old, old))


@pytest.mark.long
def test_another_definition_is_no_move(store: Store, tmp_path: Path) -> None:
    """Against a cut closed when RAF was defined otherwise the cause is the definition; nothing adds up."""
    sync(store, *portfolio())
    sync(store, *plan(*work(1, "2026-07-31")))
    sync(store, *TIMES, hours(1, "2026-05-05", 2))
    cuts.take(store, kind="copil", label="C1", actor="me")
    folder = cuts.close(store, tmp_path / "data" / "feed", "C1", BuildOptions(), actor="me")
    _rewrite(store, folder, "fact_kpi", "SELECT * EXCLUDE (method_version) FROM old")
    sync(store, *plan(*work(1, "2026-07-31", remaining=7)))
    report = out(store, tmp_path, vs="C1")
    moves = {
        row[0]: row[1:]
        for row in ask(
            report,
            "SELECT measure, cause, before_value, after_value, delta FROM fact_move WHERE topic = 'effort'",
        )
    }
    notes = evaluate(open_folder(Path(report.folder)), "C1", ("RAF",)).notes

    assert ("definition changed", 5.0, 7.0, None) == moves["remaining"]
    assert "spent" not in moves, "what is the same is no move at all"
    assert ["The definition of RAF changed since: version 1 then, 2 now."] == notes
    assert [(2,)] == ask(
        report, "SELECT DISTINCT method_version FROM fact_kpi WHERE kpi = 'RAF' AND cut_key = 0"
    )


def _rewrite(store: Store, folder: Path, table: str, query: str) -> None:
    """Make a file of a closed cut what an older hub would have written."""
    from hub.feed import digest

    path = folder / f"{table}.parquet"
    duckdb.execute(
        f"COPY (WITH old AS (FROM read_parquet('{path}')) {query}) TO '{path}.new' (FORMAT parquet)"
    )
    path.with_suffix(".parquet.new").replace(path)
    store.connection.execute("UPDATE cut SET digest = ?", (digest(folder),))


@pytest.mark.long
def test_columns_may_come_go_and_change_their_name(store: Store, tmp_path: Path) -> None:
    """A closed cut with a column too many, one too few, or without a whole table stops no publish."""
    sync(store, *portfolio())
    sync(store, *plan(*work(1, "2026-07-31")))
    cut = cuts.take(store, kind="copil", label="C1", actor="me")
    folder = cuts.close(store, tmp_path / "data" / "feed", "C1", BuildOptions(), actor="me")
    _rewrite(
        store, folder, "fact_task_snapshot", "SELECT * EXCLUDE (reported_days, points), 7 AS gone FROM old"
    )
    _rewrite(store, folder, "dim_project", "SELECT *, 'x' AS colour FROM old")
    (folder / "fact_checklist.parquet").unlink()
    _rewrite(store, folder, "fact_kpi", "SELECT * FROM old")
    report = out(store, tmp_path)

    assert [(10.0, None)] == ask(
        report, f"SELECT baseline_days, reported_days FROM fact_task_snapshot WHERE cut_key = {cut.key}"
    )


def test_a_renamed_column_is_read_by_its_old_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`was` in the model names what closed cuts call it; where both are there, the new one counts."""
    table = model().tables["fact_quality"]
    columns = {("weighting" if name == "weight" else name): column for name, column in table.columns.items()}
    columns["weighting"] = Column(type="DOUBLE", fr="Poids", en="Weight", was="weight")
    renamed = Table(fr="", en="", description="", key=table.key, columns=columns)
    changed = msgspec.structs.replace(model(), tables={**model().tables, "fact_quality": renamed})
    monkeypatch.setattr("hub.feed.cuts.plain_model", lambda: changed)
    from hub.feed import Cut

    duckdb.execute(
        "COPY (SELECT 5 AS cut_key, 1 AS project_key, 1 AS source_key, 'c' AS check_code, 3.5 AS weight) TO "
        f"'{tmp_path}/fact_quality.parquet'"
    )
    connection = duckdb.connect()
    place_cuts(
        connection, [(Cut(key=5, as_of="2026-05-01T00:00:00.000000Z", kind="copil", label="C"), tmp_path)]
    )

    assert [(5, 3.5, None)] == connection.execute(
        "SELECT cut_key, weighting, n_failed FROM cut_fact_quality"
    ).fetchall()


# ---------- weeks ----------


def test_a_week_in_two_months_is_one_week_for_figures() -> None:
    """Of two rows of one week the sums count: availability is floored over the week, not over each part."""
    week = date(2026, 9, 28)
    tables: dict[str, Any] = {
        "dim_cut": [{"cut_key": 1, "as_of": date(2026, 10, 31), "label": "C", "is_latest": 1}],
        "dim_person": [{"person_key": 1, "person_label": "N", "team": "T", "timesheet_expected": 1}],
        "fact_capacity_week": [
            {
                "week_start": week,
                "year_month": "2026-09",
                "person_key": 1,
                "capacity_s": 72000,
                "absence_s": 0,
                "allocated_s": 36000,
                "logged_s": 7200,
            },
            {
                "week_start": week,
                "year_month": "2026-10",
                "person_key": 1,
                "capacity_s": 36000,
                "absence_s": 21600,
                "allocated_s": 50400,
                "logged_s": 3600,
            },
        ],
    }
    found = evaluate(load(tables), None, ("LOAD_PERSON", "LOAD_TEAM", "TIMESHEET_COMPLETENESS")).kpis

    assert [(24.0, 24.0, 1.0, 0)] == [
        tuple(row[name] for name in ("allocated_h", "available_h", "load", "overloaded"))
        for row in found["LOAD_PERSON"]
    ]
    assert [(1, 1.0)] == [(row["people"], row["load"]) for row in found["LOAD_TEAM"]]
    assert {(3.0, 24.0, 1)} == {
        (row["logged_h"], row["expected_h"], row["people"]) for row in found["TIMESHEET_COMPLETENESS"]
    }


@pytest.mark.long
def test_the_gate_still_holds_every_second(store: Store, tmp_path: Path) -> None:
    """Spans, kept tasks and lists of what figures leave out change nothing of the conservation."""
    sync(store, *portfolio())
    sync(store, *plan(*work(1, "2026-07-31"), *work(2, "2026-07-31")))
    box = Container(id="times:a", kind="table", code="A", name="A")
    sync(
        store,
        box,
        Worklog(
            id="times:w1", container_id="times:a", day="2026-09-28", finish_on="2026-10-04", seconds=100003
        ),
    )
    store.set_presence("task", ["plans:t2"], "deleted", "gone", run_id=99)
    snapshot = feed_of(store, tmp_path)

    assert [] == problems(store, snapshot)
    snapshot.manifest["excluded"] = [
        line for line in snapshot.manifest["excluded"] if line["measure"] != "tasks"
    ]
    assert any(text.startswith("tasks: the store has 2") for text in problems(store, snapshot))
