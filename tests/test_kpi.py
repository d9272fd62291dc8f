"""The KPI catalogue: the golden results, the rule sets, and an independent reference on random feeds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from kpi_reference import Reference
from random_feed import random_feed

from hub.feed import catalogue, evaluate, model, open_folder
from hub.feed.kpi import generate_days

EXAMPLES = Path(__file__).parent / "golden" / "kpi_examples.json"
needs_examples = pytest.mark.skipif(
    not EXAMPLES.exists(), reason="../shared/design/kpi_examples.json is not here"
)
GOLDEN: dict[str, Any] = json.loads(EXAMPLES.read_text(encoding="utf-8"))
SAME = {
    "EVM_NO_BASELINE": "EVM_DAYS",
    "EVM_NOT_STARTED": "EVM_DAYS",
    "RAF_MISSING": "RAF",
    "RAF_NO_PLAN": "RAF",
    "LANDING_INCOMPLETE": "LANDING",
    "LANDING_NO_PLAN": "LANDING",
}


def write_feed(folder: Path, tables: dict[str, Any], form: str) -> Path:
    """Write the tables of a fixture as a feed folder, with the columns they list only."""
    folder.mkdir(parents=True, exist_ok=True)
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, table in tables.items():
        types = model().tables[name].columns
        columns = ", ".join(f"{column} {types[column].type}" for column in table["columns"])
        connection.execute(f"CREATE TABLE {name} ({columns})")
        if table["rows"]:
            connection.executemany(
                f"INSERT INTO {name} VALUES ({', '.join('?' * len(table['columns']))})", table["rows"]
            )
        connection.execute(f"COPY {name} TO '{folder / name}.{form}'")
    connection.close()
    return folder


def same(expected: Any, actual: Any) -> bool:
    """Compare as the examples say: NULL is not 0, numbers to 1e-9."""
    if expected is None or actual is None or isinstance(expected, str):
        return str(expected) == str(actual)
    return abs(float(actual) - expected) <= max(1e-6, 1e-9 * abs(expected))


def moment_of(params: dict[str, Any]) -> str:
    """Return the day or instant a golden result was computed at."""
    return str(params.get("now", "2026-03-31"))


def wanted(row: dict[str, Any], params: dict[str, Any]) -> bool:
    """Say whether a row of the catalogue is one that the golden query asks for."""
    asked = {
        "project_key": params.get("project"),
        "task_key": params.get("task"),
        "week_start": params.get("week"),
        "person_key": params.get("p"),
    }
    if any(
        value is not None and name in row and str(row[name]) != str(value) for name, value in asked.items()
    ):
        return False
    if "m" in params and params["m"] not in {row.get("month"), row.get("year_month")}:
        return False
    if "from" in params and "month" in row and row["month"] != params["to"][:7]:
        return False
    return not ("team" in row and row["team"] is not None and "week" in params and "completeness" in row)


@pytest.fixture(scope="module", params=["parquet", "csv"])
def golden_feed(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[duckdb.DuckDBPyConnection]:
    """Open the fixture of the examples once a form."""
    connection = open_folder(write_feed(tmp_path_factory.mktemp("golden"), GOLDEN["fixture"], request.param))
    yield connection
    connection.close()


@pytest.mark.parametrize("golden", GOLDEN["kpis"], ids=lambda one: one["code"])
def test_golden_results(golden: dict[str, Any], golden_feed: duckdb.DuckDBPyConnection) -> None:
    """Each of the results set by hand comes out of the catalogue, from Parquet and from CSV."""
    code = SAME.get(golden["code"], golden["code"])
    found = evaluate(golden_feed, moment_of(golden["params"]), (code,)).kpis[code]
    rows = [row for row in found if wanted(row, golden["params"])]
    if code == "MONTHLY_SPENT":
        rows = [{**row, "code": row["project"]} for row in rows if row["project"] in {"INFRA", "PORTAIL"}]
        rows.sort(key=lambda row: (row["code"], row["month"], row["nature"]))
    if code == "WORKDAYS":
        rows = [row for row in rows if row["year"] == 2026]
    if code == "ISO_WEEK":
        rows = [row for row in rows if row["date"] in {one["date"] for one in golden["expected"]}]

    assert len(golden["expected"]) == len(rows)
    for expected, actual in zip(golden["expected"], rows, strict=True):
        assert {} == {
            name: (value, actual.get(name))
            for name, value in expected.items()
            if not same(value, actual.get(name))
        }


# ---------- an independent reference ----------


def load(tables: dict[str, list[dict[str, Any]]]) -> duckdb.DuckDBPyConnection:
    """Return an open feed with these rows; the calendar is generated."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for name, table in model().tables.items():
        connection.execute(
            f"CREATE TABLE {name} "
            f"({', '.join(f'{column} {facts.type}' for column, facts in table.columns.items())})"
        )
        for row in tables.get(name, []):
            marks = ", ".join("?" * len(row))
            connection.execute(f"INSERT INTO {name} ({', '.join(row)}) VALUES ({marks})", list(row.values()))
    generate_days(connection, "FR")
    return connection


def close_to(expected: Any, actual: Any) -> bool:
    if isinstance(expected, (int, float)) and actual is not None and not isinstance(actual, str):
        return abs(float(actual) - expected) <= max(1e-6, 1e-9 * abs(expected))
    return expected == actual


@pytest.mark.long
def test_the_catalogue_agrees_with_plain_python(proof: bool) -> None:
    """On random feeds (200 in the proof) every figure of every scope equals one computed without SQL."""
    seen = 0
    for seed in range(200 if proof else 10):
        tables, as_of = random_feed(seed)
        connection = load(tables)
        workdays = {
            row[0] for row in connection.execute("SELECT date FROM dim_date WHERE is_workday = 1").fetchall()
        }
        result = evaluate(connection, as_of.isoformat())
        connection.close()
        at = datetime(as_of.year, as_of.month, as_of.day, 23, 59, 59, 999999, tzinfo=UTC)
        reference = Reference(tables, 7, as_of, at, workdays)
        for code in catalogue():
            if code in {
                "WORKDAYS",
                "ISO_WEEK",
                "DQ_SOURCE",
            }:  # the first two are the calendar itself; the last is DQ_SCORE by source
                continue
            expected = getattr(reference, {"FLOAT": "float_"}.get(code, code.lower()))()
            keys = [
                name
                for name in (expected[0] if expected else {})
                if name
                in {
                    "project_key",
                    "task_key",
                    "person_key",
                    "source_key",
                    "team",
                    "name",
                    "month",
                    "nature",
                    "metric",
                    "topic",
                    "week_start",
                    "year_month",
                    "category",
                    "date",
                }
            ]

            def order(row: dict[str, Any], keys: list[str] = keys) -> tuple[str, ...]:
                return tuple(str(row[key]) for key in keys)

            actual = sorted(result.kpis[code], key=order)
            assert len(expected) == len(actual), (seed, code)
            for wanted_row, row in zip(sorted(expected, key=order), actual, strict=True):
                wrong = {
                    name: (value, row[name])
                    for name, value in wanted_row.items()
                    if not close_to(value, row[name])
                }
                assert {} == wrong, (seed, code, wanted_row)
                seen += 1
    assert seen > 100
