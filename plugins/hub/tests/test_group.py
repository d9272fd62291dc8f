"""A group of hubs: what it counts is what one hub that reads every tool itself counts."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from hub_group import Tool, books, config, consolidated, issues, projects, published, synced, tool
from hub_hub.source import HubSource

SEEDS = (1, 2)


@pytest.mark.long
@pytest.mark.sample(1)
@pytest.mark.parametrize("seed", SEEDS)
def test_feed_of_a_group_is_that_of_one_hub(tmp_path: Path, seed: int) -> None:
    """Hours, amounts and tasks by project, month and person do not depend on how many hubs read the tools."""
    dice = random.Random(seed)
    codes = [f"P{n}" for n in range(6)]
    shared = tool(
        "jira", issues(dice, "jira", dice.sample(codes, 3)), url="https://jira.example.com", hours_per_day=7
    )
    tools = [
        tool(f"t{n}", issues(dice, f"t{n}", dice.sample(codes, 3), days=dice.choice([7, 7.5, 8])))
        for n in range(3)
    ] + [tool("erp", books(dice, "erp", codes))]
    whole = consolidated(tmp_path / "one", [*tools, shared], projects(codes))
    hubs = dice.randint(2, 3)
    parts: list[list[Tool]] = [[] for _ in range(hubs)]
    for one in tools:
        dice.choice(parts).append(one)
    read_by_two = [*dice.sample(range(hubs), 2)]
    for n in read_by_two:
        parts[n].append(shared)
    sources: list[Any] = []
    for n, part in enumerate(parts):
        folder = tmp_path / f"hub{n}"
        with synced(folder, config(projects(codes)), *part) as store:
            published(folder, store)
        sources.append(HubSource(name=f"sub{n}", path=str(folder / "feed")))
    if dice.random() < 0.5:  # the group reads the shared tool too
        sources.append(shared)

    found = consolidated(tmp_path / "group", sources, projects(codes))

    assert whole == found
