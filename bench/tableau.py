"""Tableau: a million hours as a .hyper file, read back.

Ours with names, types and keys against the bare engine on the same Parquet.
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path

import duckdb
from hub_tableau import hyper

from hub import FeedView, model

ROWS = 1_000_000
FACT = "fact_worklog"
SQL = f"""
    SELECT 'w' || i AS worklog_id, DATE '2023-01-01' + (i % 1000)::INTEGER AS work_date, 20230101 AS date_key,
        i % 200 AS project_key, i % 100000 AS task_key, i % 500 AS person_key, i % 4 AS source_key,
        'project' AS category, i % 2 AS is_billable, 'approved' AS approval, 3600 + i % 60 AS seconds,
        (3600 + i % 60) / 25200.0 AS days, ((i % 1000) / 100)::DECIMAL(18, 2) AS amount,
        TIMESTAMPTZ '2026-01-01 00:00:00+00' AS updated_at, NULL::VARCHAR AS sealed_month
    FROM range({ROWS}) t(i)"""


def view(connection: duckdb.DuckDBPyConnection, folder: Path) -> FeedView:
    """Write the tables as Parquet and return them as a feed; the dimensions are empty."""
    tables = {}
    for name in hyper.tables_of(FACT)[1]:
        shape = model().tables[name].columns
        nothing = "SELECT " + ", ".join(f"NULL AS {column}" for column in shape) + " WHERE false"
        listed = ", ".join(f"{column}::{facts.type} AS {column}" for column, facts in shape.items())
        tables[name] = str(folder / f"{name}.parquet")
        connection.execute(
            f"COPY (SELECT {listed} "
            f"FROM ({SQL if name == FACT else nothing})) TO '{tables[name]}' (FORMAT parquet)"
        )
    return FeedView(
        feed_id="bench",
        folder=folder,
        manifest={},
        tables=tables,
        lang="en",
        connection=connection,
        changes=connection.table,
    )


def main() -> int:
    """Print the ratio; fail when the goal is missed."""
    with tempfile.TemporaryDirectory() as name, duckdb.connect() as connection, hyper.engine() as process:
        folder = Path(name)
        feed = view(connection, folder)
        ours, bare = [], []
        for _ in range(3):
            began = time.perf_counter()
            hyper.write(process, FACT, feed, folder / "ours.hyper")
            ours.append(time.perf_counter() - began)
            began = time.perf_counter()
            with hyper.opened(process, folder / "bare.hyper", new=True) as engine:
                engine.execute_command(
                    f'CREATE TABLE "x" AS SELECT * FROM {hyper.parquet([feed.tables[FACT]])}'
                )
            bare.append(time.perf_counter() - began)
        with hyper.opened(process, folder / "ours.hyper", new=False) as engine:
            found = engine.execute_list_query(
                'SELECT count(*), sum("Seconds"), sum("Amount"), count(DISTINCT "Id") FROM "Worklogs"'
            )[0]
        wanted = connection.execute(
            "SELECT count(*), sum(seconds)::BIGINT, sum(amount), count(DISTINCT worklog_id) "
            f"FROM '{feed.tables[FACT]}'"
        ).fetchall()[0]
    if tuple(found) != wanted:
        print(f"the file holds {found}, the Parquet {wanted}")
        return 1
    ratio = min(ours) / min(bare)
    print(f"{ROWS:,} facts: {min(ours):.2f} s, bare engine {min(bare):.2f} s: {ratio:.2f} times (goal 2)")
    return int(ratio > 2)


if __name__ == "__main__":
    sys.exit(main())
