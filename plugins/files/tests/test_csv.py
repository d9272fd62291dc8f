"""CSV files hold nothing that a spreadsheet would run."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from hub_files.destination import FilesDestination

from hub import Container, DeliveryContext, Record, Task
from hub.store import Store
from hub.testing import feed_view

TITLES = (
    "=1+1",
    "+33 1 23",
    "-cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "plain",
    "a=b",
    "'quoted",
    "",
    "7-2",
)


@pytest.mark.long
@pytest.mark.parametrize("safe", [True, False])
def test_a_text_that_is_a_formula(store: Store, tmp_path: Path, safe: bool) -> None:
    """What begins like a formula begins with an apostrophe.

    Everything else, numbers below zero too, is as it was.
    """
    rows: list[Record] = [Container(id="s:c", kind="table", name="C")]
    rows += [Task(id=f"s:{n}", container_id="s:c", title=title) for n, title in enumerate(TITLES)]
    store.register_source(
        "s", kind="tabular", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=90000
    )
    run = store.begin_run("s", "increment")
    store.write_batch(rows, run_id=run, source_id="s")
    store.end_run(run, "ok")
    with feed_view(store, tmp_path) as feed:
        target = FilesDestination(name="out", path="out", formats=("csv",), safe_csv=safe)
        target.deliver(DeliveryContext(base=tmp_path, name="out"), feed)
    with (tmp_path / "out" / "latest" / "csv" / "dim_task.csv").open(newline="", encoding="utf-8") as file:
        found = {row["task_id"]: row for row in csv.DictReader(file)}

    for number, title in enumerate(TITLES):
        risky = title[:1] in {"=", "+", "-", "@", "\t", "\r"}
        assert ("'" if risky and safe else "") + title == found[f"s:{number}"]["title"]
    assert "-1" == found["s:6"]["parent_task_key"]
