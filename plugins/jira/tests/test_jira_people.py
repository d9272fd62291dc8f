"""Who is who across sites: an account of Atlassian is one person everywhere, the key of a server is not."""

from __future__ import annotations

from typing import Any

import pytest
from hub_jira.source import JiraSource
from hub_jira.testing import EMAIL, JiraWorld, ServerWorld
from hub_jira.testing.certification import CAPS

from hub.store import Store
from hub.testing import feed_view, store, sync_once
from hub.testing.kit import SimulatorServer, credential, faults

__all__ = ["store"]


def _shy(world: JiraWorld, *, label: str, ids: dict[int, str]) -> None:
    """Let people show nothing but their id and a name of this site; *ids* of some are others."""
    plain = world.user

    def user(number: int) -> dict[str, Any]:
        told = plain(number)
        shown = {one: told[one] for one in ("accountId", "key", "accountType", "active") if one in told}
        if number in ids:
            shown["accountId" if world.cloud else "key"] = ids[number]
        return shown | {"displayName": f"{label} {number}"}

    world.user = user  # type: ignore[method-assign]


@pytest.mark.long
@pytest.mark.parametrize(
    ("world_of", "ids", "together"),
    [
        (JiraWorld, {}, True),
        (JiraWorld, dict.fromkeys(range(6), "unknown"), False),
        (ServerWorld, {}, False),
        (ServerWorld, dict.fromkeys(range(6), "712020:4e5a"), False),
    ],
    ids=["cloud", "nobody's id", "data center", "data center, like Cloud's"],
)
def test_sites_of_one_organisation_share_people(
    world_of: type[JiraWorld], ids: dict[int, str], together: bool, store: Store, tmp_path: Any
) -> None:
    """The same account id on two sites of Cloud is one person of the feed; keys of two servers are two."""
    from hub.matching import propose

    worlds = [world_of(3, caps=CAPS), world_of(4, caps=CAPS)]
    for number, world in enumerate(worlds):
        _shy(world, label=f"Somebody at {number}", ids=ids)
    cloud = {"email": EMAIL} if worlds[0].cloud else {}
    with SimulatorServer(worlds[0]) as one, SimulatorServer(worlds[1]) as other:
        sources = [
            JiraSource(name=name, url=site.url, token=credential(), **cloud)  # type: ignore[arg-type]
            for name, site in (("one", one), ("other", other))
        ]
        sync_once(store, *sources, session=faults.hurried)
    propose(store, {}, actor="test")
    accounts = store.rows("SELECT DISTINCT substr(id, instr(id, ':') + 1) AS native FROM account")
    with feed_view(store, tmp_path) as feed:
        (people,) = feed.connection.execute(
            "SELECT count(*) FROM dim_person WHERE person_key <> -1"
        ).fetchone()
    each = len(accounts) if together else len(store.rows("SELECT 1 FROM account"))

    assert each == people
