"""The measures BI tools show: the SQL twin of each gives the catalogue's figure, and what the rows say."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

import duckdb
import pytest
from random_feed import random_feed
from test_kpi import GOLDEN, load, write_feed

from hub.feed import catalogue, evaluate, measures, model, open_folder
from hub.feed.kpi.measures import HEALTH, Measure, code_of
from hub.feed.kpi.table import fill_table


def twin(connection: duckdb.DuckDBPyConnection, one: Measure) -> dict[Any, Any]:
    """Return a measure by project, as its SQL says."""
    return dict(
        connection.execute(
            f"SELECT project_key, {one.sql} FROM {one.table} WHERE {one.where} GROUP BY 1"
        ).fetchall()
    )


def with_figures(connection: duckdb.DuckDBPyConnection) -> tuple[str, dict[str, list[dict[str, Any]]]]:
    """Fill `fact_kpi` as a build does, at the latest cut; give its day and what the catalogue says of it."""
    found = evaluate(connection, None)
    key = connection.execute("SELECT getvariable('cut')").fetchall()[0][0]
    for (view,) in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
        connection.execute(f"DROP VIEW IF EXISTS {view} CASCADE")
    connection.execute("SET VARIABLE as_of_day = getvariable('as_of')")
    connection.execute("SET VARIABLE moment = getvariable('as_of_at')")
    connection.execute("CREATE TABLE project (name VARCHAR, key BIGINT, level VARCHAR, counted BOOLEAN)")
    connection.execute("CREATE TABLE team (name VARCHAR, key BIGINT, counted BOOLEAN)")
    fill_table(connection, cut=key)
    connection.execute("INSERT INTO fact_kpi BY NAME SELECT * FROM kpi_row")
    return found.as_of, found.kpis


def compared(connection: duckdb.DuckDBPyConnection) -> int:
    """Hold every measure of a figure without periods against the catalogue.

    Give how many values were compared.
    """
    _, kpis = with_figures(connection)
    # a median of medians is no median
    added = connection.execute(
        "SELECT kpi, measure FROM fact_kpi WHERE unit = 'duration' AND scope_kind <> 'project'"
    ).fetchall()
    assert [] == added
    known, count = measures(), 0
    for kpi in catalogue().values():
        if kpi.scope != "project" or kpi.period or kpi.split or kpi.rollup:
            continue
        for part in kpi.measures:
            found = twin(connection, known[code_of(kpi.code, part.name)])
            for row in kpis[kpi.code]:
                value = row[part.name]
                assert pytest.approx(value) == found.get(row["project_key"]), (kpi.code, part.name, row)
                count += value is not None
    return count


def test_twins_give_the_figures_of_the_golden_fixture(tmp_path: Path) -> None:
    """On the fixture of the examples each measure of a figure is the catalogue's."""
    connection = open_folder(write_feed(tmp_path / "golden", GOLDEN["fixture"], "parquet"))

    assert compared(connection) > 80


@pytest.mark.parametrize("seed", range(3))
def test_twins_give_the_figures_of_random_feeds(seed: int) -> None:
    """The same on feeds with every edge."""
    assert compared(load(random_feed(seed)[0])) > 20


@pytest.mark.parametrize("seed", range(3))
def test_declared_measures_say_what_the_rows_say(seed: int) -> None:
    """Sums, counts and ratios by project, added up in plain Python over the rows of the latest cut."""
    tables, _ = random_feed(seed)
    connection = load(tables)
    latest = {row["cut_key"] for row in tables["dim_cut"] if row["is_latest"] == 1}
    sums: dict[str, dict[Any, float | None]] = {}
    for code, facts in model().measures.items():
        if (
            facts.ratio
            or "project_key" not in model().tables[(facts.sum or facts.count).partition(".")[0]].columns
        ):
            continue
        table, _, column = (facts.sum or facts.count).partition(".")
        by: dict[Any, list[float]] = defaultdict(list)
        for row in tables.get(table, []):
            if row.get("cut_key", next(iter(latest))) in latest:
                value = 1 if facts.count else row.get(column)
                by[row["project_key"]] += [] if value is None else [float(value)]
        sums[code] = {key: sum(values) / facts.divide if values else None for key, values in by.items()}

    assert len(sums) >= 15
    for code, expected in sums.items():
        found = twin(connection, measures()[code])
        assert {key: pytest.approx(value) for key, value in expected.items()} == found, code


def test_every_figure_of_a_project_is_a_measure() -> None:
    """No number of the catalogue that `fact_kpi` holds is left out, and every code is there once."""
    known = measures()
    shown = {
        code_of(kpi.code, part.name)
        for kpi in catalogue().values()
        if kpi.scope in {"project", "source", "team"} and kpi.code != "BURNUP"
        for part in kpi.measures
        if part.unit not in {"text", "moment"}
    }

    assert shown <= known.keys()
    assert {*model().measures, HEALTH} <= known.keys()
    assert len({one.fr for one in known.values()}) == len({one.en for one in known.values()}) == len(known)
