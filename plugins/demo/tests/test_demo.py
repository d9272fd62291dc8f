"""The demonstration: real connectors on generated files.

Complete, repeatable, and different with another seed.
"""

from __future__ import annotations

import importlib.util
import json
import re
import zipfile
from collections.abc import Callable
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import openpyxl
import pytest
from hub_demo.portfolio import imagine
from hub_postgresql.testing.certification import Database
from hub_postgresql.testing.scratch import USER, programs
from hub_powerbi.testing.certification import replayed, rows_of
from hub_tableau import hyper

from hub import model, table_caption
from hub.testing import HubResult, hub_folder, run_hub

__all__ = ["hub_folder", "run_hub"]
MORE = """[destinations.fabric]
kind = "fabric-mirror"
path = "mirror"
"""
TABLEAU = """[destinations.tableau]
kind = "tableau"
path = "tableau"
facts = ["fact_kpi", "fact_task_snapshot"]
"""
DATABASE = """[destinations.warehouse]
kind = "postgresql"
host = "127.0.0.1"
port = {port}
database = "{name}"
user = "{user}"
password = {{ file = "{secret}" }}
"""


@pytest.mark.long
def test_the_main_job_on_the_demo(hub_folder: Path, run_hub: Callable[..., HubResult], proof: bool) -> None:
    """hub demo lives through three committees and ends green; again through run it changes nothing.

    Slides and pages are drawn again in the proof.
    """
    result = run_hub("demo", "--out", "demo", "--scale", "0.3", "--lang", "en")
    more = MORE + (TABLEAU if importlib.util.find_spec("tableauhyperapi") else "")
    database = Database(hub_folder) if programs() else None
    if database:
        more += DATABASE.format(
            port=database.wire.port, name=database.name, user=USER, secret=hub_folder / "password"
        )
    config = hub_folder / "demo" / "config" / "hub.toml"
    text = config.read_text().replace("[schedule]", f"{more}\n[schedule]")
    config.write_text(text if proof else re.sub(r"(?s)\[destinations\.committee\].*?\n\n", "", text))
    again = run_hub("--config", "demo/config/hub.toml", "run", "--json")
    said = json.loads(again.output)
    manifest = json.loads((hub_folder / "demo" / "out" / "latest" / "manifest.json").read_text())
    portfolio = imagine(seed=2026, scale=0.3, today=date.today())
    hours = sum(line.hours for line in portfolio.lines)
    cuts = json.loads(run_hub("--config", "demo/config/hub.toml", "cut", "list", "--json").output)
    status = run_hub("--config", "demo/config/hub.toml", "status").output
    sources = run_hub("--config", "demo/config/hub.toml", "status", "--json")

    assert 0 == result.exit_code, result.output + result.error
    assert "Open next:" in result.output
    assert "demo/out/latest/portfolio.xlsx" in result.output
    assert result.output.endswith("config/hub.toml serve\n"), "it ends with an address to open"
    assert 0 == said["exit_code"]
    assert 0 == sum(one["changes"]["inserted"] + one["changes"]["updated"] for one in said["sync"])
    assert manifest["complete"]
    assert pytest.approx(hours * 3600, abs=40_000) == manifest["tables"]["fact_worklog"]["sums"]["seconds"]
    assert 7 + 1 == manifest["tables"]["dim_project"]["rows"]
    assert 3 == sum(cut["closed_at"] is not None for cut in cuts)
    assert 5 == sum(cut["kind"] == "daily" for cut in cuts), "the crisis team looks every day"
    kinds = {row["kind"] for row in json.loads(sources.output)["sources"]}
    assert {"jira", "msproject", "redmine", "tabular"} <= kinds
    assert any(project.cards for project in portfolio.projects) == ("taskworld" in kinds)
    # the stories: said green and computed red, never planned, on its way to the gate
    found = json.loads(
        run_hub(
            "--config",
            "demo/config/hub.toml",
            "kpi",
            "--kpi",
            "EVM_DAYS",
            "--kpi",
            "READINESS",
            "--format",
            "json",
        ).output
    )
    evm = {row["project"]: row for row in found["kpis"]["EVM_DAYS"]}
    ready = {row["project"]: row for row in found["kpis"]["READINESS"]}
    assert "Red where P001 (the committee said green): EVM_DAYS.cpi" in status
    assert evm["P001"]["cpi"] < 0.85
    assert (None, 0) == (evm["P007"]["cpi"], evm["P007"]["coverage"])
    assert 0 < ready["P004"]["readiness"] < 1
    assert 0 == ready["P004"]["gate_open"]
    assert_same_figures(hub_folder / "demo", database)
    assert_fields_everywhere(hub_folder / "demo", database)
    assert_watermelon_was_seen(hub_folder / "demo" / "out" / "latest")


def assert_watermelon_was_seen(latest: Path) -> None:
    """Assert that two committees and more before its money is gone the forecast knew, and nobody said so.

    As known at each of them it had less than one chance in five to hold its budget, at two or more less than
    one in ten, and less than one in two to meet its baseline, while it was declared green and its
    landing was not red.
    """
    feed = {
        name: f"read_parquet('{latest}/parquet/{name}/**/*.parquet', hive_partitioning = false)"
        for name in ("fact_forecast", "fact_weather", "fact_kpi", "dim_project", "dim_cut")
    }
    rows = duckdb.sql(
        "SELECT f.topic, f.cut_key, f.chance_target, f.start_amount < f.target_amount, w.declared, k.rag "
        f"FROM {feed['fact_forecast']} f JOIN {feed['dim_project']} p USING (project_key) "
        f"JOIN {feed['dim_cut']} c USING (cut_key) "
        f"JOIN {feed['fact_weather']} w USING (cut_key, project_key) "
        f"LEFT JOIN {feed['fact_kpi']} k ON k.cut_key = f.cut_key AND k.project_key = f.project_key "
        "AND k.kpi = 'LANDING' AND k.measure = 'variance' "
        "WHERE p.code = 'P001' AND c.kind = 'copil' ORDER BY 2, 1"
    ).fetchall()
    costs = [row for row in rows if row[0] == "cost"]
    ends = [row for row in rows if row[0] == "finish"]

    assert len(costs) >= 2
    assert all(chance < 0.2 and has_money for _, _, chance, has_money, _, _ in costs), costs
    assert 2 <= sum(row[2] < 0.1 for row in costs), costs
    assert len(ends) >= 2
    assert all(row[2] < 0.5 for row in ends), ends
    assert {"green"} == {row[4] for row in rows}
    assert "red" not in {row[5] for row in rows}


def traces(demo: Path, texts: tuple[str, ...]) -> list[tuple[str, str]]:
    """Return (file, text) of each of *texts* in the store, the feeds, the cuts or what was delivered."""
    seen = []
    alone = {
        text: re.compile(rb"(?<![A-Za-z0-9])" + re.escape(text.encode()) + rb"(?![A-Za-z0-9])")
        for text in texts
    }
    files = [
        path for room in ("data", "out", "powerbi") for path in (demo / room).rglob("*") if path.is_file()
    ]
    for path in files:
        raws = [path.read_bytes()]
        if path.suffix == ".parquet":
            rows = duckdb.sql(f"SELECT * FROM read_parquet('{path}', hive_partitioning = false)").fetchall()
            raws.append(repr(rows).encode())
        if path.suffix == ".xlsx":
            with zipfile.ZipFile(path) as book:
                raws += [book.read(name) for name in book.namelist()]
        seen += [(path.name, text) for text, found in alone.items() for raw in raws if found.search(raw)]
    return seen


def test_an_erased_person_of_the_demo_is_nowhere(
    hub_folder: Path, run_hub: Callable[..., HubResult], proof: bool
) -> None:
    """A person of plans, issues, hours and people.csv is erased; reading all anew brings nobody back."""
    if not proof:
        pytest.skip("a whole demonstration, twice: make proof")
    assert 0 == run_hub("demo", "--out", "demo", "--scale", "0.3").exit_code
    demo = hub_folder / "demo"
    texts = ("Chef de projet 02", "m002@demo.example", "M002", "uacc-2")
    before = {text for _, text in traces(demo, texts)}
    config = ("--config", "demo/config/hub.toml")
    erased = run_hub(*config, "privacy", "erase", "m002@demo.example", "--texts", "--yes")
    at_once = traces(demo, texts)
    synced = run_hub(*config, "sync", "--full")
    published = run_hub(*config, "publish")

    assert set(texts) == before, "each way in which the tools know the person was there"
    assert 0 == erased.exit_code, erased.output + erased.error
    assert [] == at_once
    assert 0 == synced.exit_code, synced.output + synced.error
    assert 0 == published.exit_code, published.output + published.error
    assert [] == traces(demo, texts)


def assert_same_figures(demo: Path, database: Database | None) -> None:
    """Every figure has one value wherever it is read.

    The feed, the workbook, the files of Power BI, the mirrored tables, PostgreSQL, and Tableau's file by its
    own engine.
    """
    key = model().tables["fact_kpi"].key
    parts = [
        path
        for path in (demo / "out" / "latest").rglob("*.parquet")
        if "fact_kpi" in str(path.relative_to(demo))
    ]
    wanted = figures([row for path in parts for row in rows_of(path)], key)
    places = {
        "workbook": figures(sheet(demo / "out" / "latest" / "data.xlsx", "fact_kpi"), key),
        "powerbi": figures(rows_of(demo / "powerbi" / "data" / "fact_kpi.parquet"), key),
        "mirror": figures(replayed(demo / "mirror")["fact_kpi"], key),
    }
    if database:
        places["postgresql"] = figures(database.tables()["fact_kpi"], key)
    if (demo / "tableau").exists():
        with (
            hyper.engine() as process,
            hyper.opened(process, demo / "tableau" / "latest" / "fact_kpi.hyper", new=False) as connection,
        ):
            names = list(model().tables["fact_kpi"].columns)
            rows = connection.execute_list_query(
                f"SELECT * FROM {hyper.quoted(table_caption('fact_kpi', 'en'))}"
            )
            places["tableau"] = figures([dict(zip(names, row, strict=True)) for row in rows], key)
    assert len(wanted) > 100
    for place, found in places.items():
        assert wanted.keys() == found.keys(), place
        assert [] == [at for at, value in wanted.items() if not _equal(value, found[at])], place


def assert_fields_everywhere(demo: Path, database: Database | None) -> None:
    """Assert that the fields of Redmine and of a table are in every output, filtered and summed as by hand.

    Redmine has 24 requests and the table 10. The request n has purchases of 100 n and a half, a complexity
    of n mod 5 and one, a contingency of n mod 3 days, is of lot 2, subcontracted and of two sites where n is
    odd, else of one, and was promised ten days after it was made, n weeks ago.
    """
    mirror, powerbi = replayed(demo / "mirror"), demo / "powerbi" / "data"
    book = demo / "out" / "latest" / "data.xlsx"
    names = ("dim_task", "dim_source", "bridge_task_value")
    places = {
        "workbook": {name: sheet(book, name) for name in names},
        "powerbi": {name: rows_of(powerbi / f"{name}.parquet") for name in names},
        "mirror": {name: mirror[name] for name in names},
    }
    if database:
        places["postgresql"] = database.tables()
    if (demo / "tableau").exists():
        file = demo / "tableau" / "latest" / "fact_task_snapshot.hyper"
        read: dict[str, list[dict[str, Any]]] = {}
        with hyper.engine() as process, hyper.opened(process, file, new=False) as connection:
            for name in ("dim_task", "bridge_task_value"):
                listed = list(model().tables[name].columns)
                rows = connection.execute_list_query(
                    f"SELECT * FROM {hyper.quoted(table_caption(name, 'en'))}"
                )
                read[name] = [dict(zip(listed, row, strict=True)) for row in rows]
        places["tableau"] = places["powerbi"] | read  # sources have no extract
    today = date.today()
    for place, tables in places.items():
        told = {source: _said_by_fields(tables, source) for source in ("support", "demands")}

        assert {
            "support": ((24, 74, 12, 30012, 24), (12, 14406), today + timedelta(days=3), (12, 12, 12)),
            "demands": ((10, 30, 5, 5505, 10), (5, 2502.5), today + timedelta(days=3), (5, 5, 5)),
        } == told, place
    text = "".join(path.read_text(encoding="utf-8") for path in (demo / "powerbi").rglob("*.tmdl"))
    for caption in ("Lot", "Complexity", "Subcontracted", "Planned purchases", "Promised on", "Contingency"):
        assert re.search(rf"column '?{caption}'?\n", text), caption
    for caption in ("Complexity (sum)", "Planned purchases (sum)", "Contingency (sum)"):
        assert f"measure '{caption}'" in text, caption


def _said_by_fields(tables: dict[str, list[dict[str, Any]]], source: str) -> tuple[Any, ...]:
    """Return counts and sums of the fields of a source, those of lot 2, the last promise, and the sites."""
    (key,) = (row["source_key"] for row in tables["dim_source"] if row["name"] == source)
    rows = [row for row in tables["dim_task"] if row["source_key"] == key]
    keys = {row["task_key"] for row in rows}
    chosen = [row for row in rows if row["x_lot"] == "Lot 2"]
    sites = [
        row["value"] for row in tables["bridge_task_value"]
        if row["field"] == "sites" and row["task_key"] in keys
    ]  # fmt: skip
    last = max(str(row["x_promised"])[:10] for row in rows)
    return (
        (len(rows), *(
            float(sum(row[name] for row in rows))
            for name in ("x_complexity", "x_subcontracted", "x_purchases", "x_contingency")
        )),
        (len(chosen), float(sum(row["x_purchases"] for row in chosen))),
        date.fromisoformat(last),
        tuple(sites.count(one) for one in ("Paris", "Lyon", "Lille")),
    )  # fmt: skip


def _equal(one: float | None, other: float | None) -> bool:
    """Say whether two figures are equal; a workbook keeps 15 digits."""
    return one is other if one is None or other is None else one == pytest.approx(other, rel=1e-12)


def figures(rows: list[dict[str, Any]], key: tuple[str, ...]) -> dict[tuple[str, ...], float | None]:
    """Return the values of figures by their keys; a workbook leaves empty texts out."""
    return {tuple(str("" if row[name] is None else row[name]) for name in key): row["value"] for row in rows}


def sheet(path: Path, table: str) -> list[dict[str, Any]]:
    """Read a sheet of the workbook by the columns of its table."""
    with closing(openpyxl.load_workbook(path, read_only=True)) as book:
        head, *lines = book[table].iter_rows(values_only=True)
    names = list(model().tables[table].columns)
    assert len(head) == len(names)
    return [dict(zip(names, line, strict=True)) for line in lines]


def test_another_folder_is_not_emptied(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """A folder that the demo did not make is left alone."""
    (hub_folder / "mine").mkdir()
    (hub_folder / "mine" / "thesis.txt").write_text("years of work")
    result = run_hub("demo", "--out", "mine")

    assert 2 == result.exit_code
    assert "was not made by `hub demo`" in result.error
    assert (hub_folder / "mine" / "thesis.txt").exists()


def test_seed_and_day_decide() -> None:
    """The same seed and day make the same portfolio, another seed another one."""
    day = date(2026, 11, 20)

    assert imagine(seed=1, scale=0.3, today=day) == imagine(seed=1, scale=0.3, today=day)
    assert imagine(seed=1, scale=0.3, today=day) != imagine(seed=2, scale=0.3, today=day)


@pytest.mark.long
def test_a_group_counts_what_its_subsidiaries_count(
    hub_folder: Path, run_hub: Callable[..., HubResult]
) -> None:
    """Tasks and hours of the group are those of both, francs in euros, and the shared tool once."""
    done = run_hub("--now", "2026-10-15T08:00:00Z", "demo", "--group", "--out", "g", "--scale", "0.2")

    assert 0 == done.exit_code, done.output + done.error

    def sums(name: str) -> tuple[int, int, float]:
        feed = hub_folder / "g" / name / "data" / "feed"
        place = feed / (feed / "CURRENT").read_text().strip()
        with duckdb.connect() as connection:
            ((tasks, seconds, spent),) = connection.execute(
                f"SELECT (SELECT count(*) FROM '{place}/fact_task_snapshot/*.parquet' WHERE cut_key = 0), "
                f"(SELECT sum(seconds)::BIGINT FROM '{place}/fact_worklog/**/*.parquet'), "
                "(SELECT sum(consumed_amount)::DOUBLE "
                f"FROM '{place}/fact_budget/*.parquet' WHERE cut_key = 0)"
            ).fetchall()
        return tasks, seconds, spent

    north, south, group = sums("north"), sums("south"), sums("group")

    assert (north[0] + south[0], north[1] + south[1]) == group[:2]
    assert south[2] > 0
    assert abs(north[2] + south[2] / 0.94 - group[2]) < 1
    assert "read by another source" in done.output
