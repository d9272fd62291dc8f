"""The ids of a site: kept in little room, and handed to readers page by page."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hub_jira.ids import Ids
from hub_jira.partitions import Slice
from hub_jira.source import JiraSource
from hub_jira.testing import EMAIL, Caps, JiraWorld, ServerWorld

from hub import Context
from hub.testing.kit import SimulatorServer, credential, faults


def test_ids_are_what_a_set_of_them_is() -> None:
    """Ids are there each once, the lowest number first, after what they begin with; nothing else is."""
    plain = Ids.of(["30", "4", "100"])
    begun = Ids(plain.numbers, "jira:")

    assert (["4", "30", "100"], 3) == (list(plain), len(plain))
    assert ["jira:4", "jira:30", "jira:100"] == list(begun)
    assert {"4", "30", "100"} == plain
    assert [True, False, False] == [one in plain for one in ("30", "3", "jira:30")]
    assert [True, False, False, False] == [one in begun for one in ("jira:30", "30", "jira:31", "jira:p30")]
    assert not Ids(())


@pytest.mark.parametrize("world_of", [JiraWorld, ServerWorld], ids=["cloud", "data center"])
def test_issues_are_read_before_all_ids_have_come(world_of: type[JiraWorld]) -> None:
    """The first page of ids is handed out while one page was asked for; in the end each id once."""
    world = world_of(1, caps=Caps(ids=20, server=20))

    with SimulatorServer(world) as site:
        cloud = {"email": EMAIL} if world.cloud else {}
        source = JiraSource(**{"name": "jira", "url": site.url, "token": credential(), **cloud})
        ctx = Context(base=Path(), source_id="jira", session=lambda: faults.hurried(ctx))
        slices, pages = list[Ids](), list[int]()
        for partition in source.plan(ctx, {}):
            if isinstance(partition.data, Slice):
                slices.append(partition.data.ids)
                bodies = (json.loads(one.body or b"{}") for one in site.asked if "/search" in one.path)
                pages.append(sum(body.get("maxResults", 1) > 1 for body in bodies))
        ctx.close()

    assert 1 < len(pages)
    assert (1, len(pages)) == (pages[0], pages[-1])
    assert sorted(map(str, world.items)) == sorted(one for some in slices for one in some)
