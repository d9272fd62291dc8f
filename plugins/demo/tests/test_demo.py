"""The demonstration: real connectors on generated files, complete, repeatable, and different with another seed."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hub_demo.portfolio import imagine

from hub.testing import HubResult, hub_folder, run_hub

__all__ = ["hub_folder", "run_hub"]


def test_the_main_job_on_the_demo(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """hub demo lives through three committees and ends green; again through run it changes nothing."""
    result = run_hub("demo", "--out", "demo", "--scale", "0.3")
    again = run_hub("--config", "demo/config/hub.toml", "run", "--json")
    said = json.loads(again.output)
    manifest = json.loads((hub_folder / "demo" / "out" / "latest" / "manifest.json").read_text())
    hours = sum(line.hours for line in imagine(seed=2026, scale=0.3, today=date.today()).lines)
    cuts = json.loads(run_hub("--config", "demo/config/hub.toml", "cut", "list", "--json").output)
    status = run_hub("--config", "demo/config/hub.toml", "status").output
    sources = run_hub("--config", "demo/config/hub.toml", "status", "--json")

    assert 0 == result.exit_code, result.output + result.error
    assert "Open next:" in result.output
    assert "demo/out/latest/portfolio.xlsx" in result.output
    assert 0 == said["exit_code"]
    assert 0 == sum(one["changes"]["inserted"] + one["changes"]["updated"] for one in said["sync"])
    assert manifest["complete"]
    assert pytest.approx(hours * 3600, abs=40_000) == manifest["tables"]["fact_worklog"]["sums"]["seconds"]
    assert 7 + 1 == manifest["tables"]["dim_project"]["rows"]
    assert 3 == sum(cut["closed_at"] is not None for cut in cuts)
    assert 5 == sum(cut["kind"] == "daily" for cut in cuts), "the crisis team looks every day"
    assert {"jira", "msproject", "tabular", "taskworld"} <= {row["kind"] for row in json.loads(sources.output)["sources"]}
    # the stories: said green and computed red, never planned, on its way to the gate
    found = json.loads(
        run_hub(
            "--config", "demo/config/hub.toml", "kpi", "--kpi", "EVM_DAYS", "--kpi", "READINESS", "--format", "json"
        ).output
    )
    evm = {row["project"]: row for row in found["kpis"]["EVM_DAYS"]}
    ready = {row["project"]: row for row in found["kpis"]["READINESS"]}
    assert "Red where P001 (the committee said green): EVM_DAYS.cpi" in status
    assert evm["P001"]["cpi"] < 0.85
    assert (None, 0) == (evm["P007"]["cpi"], evm["P007"]["coverage"])
    assert 0 < ready["P004"]["readiness"] < 1
    assert 0 == ready["P004"]["gate_open"]


def test_another_folder_is_not_emptied(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """A folder that the demo did not make is left alone."""
    (hub_folder / "mine").mkdir()
    (hub_folder / "mine" / "thesis.txt").write_text("years of work")
    result = run_hub("demo", "--out", "mine")

    assert 2 == result.exit_code
    assert "was not made by `hub demo`" in result.error
    assert (hub_folder / "mine" / "thesis.txt").exists()


def test_seed_and_day_decide() -> None:
    """The same seed and day give the same portfolio, another seed another one."""
    day = date(2026, 11, 20)

    assert imagine(seed=1, scale=0.3, today=day) == imagine(seed=1, scale=0.3, today=day)
    assert imagine(seed=1, scale=0.3, today=day) != imagine(seed=2, scale=0.3, today=day)
