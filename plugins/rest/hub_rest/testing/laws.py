"""The laws of mappings beside those of the kit, on the simulator that their sample makes."""

from __future__ import annotations

import copy
from typing import Any

import msgspec

from hub import HubError
from hub.testing import sync_once
from hub.testing.kit import SimulatorServer, faults
from hub_rest.mapping import Wanted, own, plain
from hub_rest.paths import simple
from hub_rest.rows import RowMapper
from hub_rest.testing.mapping_certification import SOURCE, ZONE, MappingCertification
from hub_rest.testing.simulator import get_at, set_at


def loses_a_row(store: Any, examined: MappingCertification, name: str, seed: int = 3) -> list[str]:
    """Take one row out of the list *name* of the tool, and return its ids that have not left the store.

    Raises `AssertionError` where the sample has none, or where a reading is not right.
    """
    world = examined.world(seed)
    one = next(other for other in examined.mapping.list if other.name == name)
    if one is not world.one and len(world.lists.get(name) or []) == 1:
        world.lists[name].append(_another(one, world.lists[name][0]))  # a list that is empty at once is held
    with SimulatorServer(world) as site:
        source = msgspec.structs.replace(examined.source(site.url), max_leave=1.0)
        first = sync_once(store, source, session=faults.hurried)
        assert first.verdict == "ok", [*first.missing, *first.rejections, first.error]
        if one is world.one:
            native = world.rows()[0]
            ids = {world.stored_id(native)}
            world.delete(native)
        else:
            rows = world.lists.get(name) or []
            assert rows, f"the sample has no row of {name}"
            row = rows.pop()
            mapper = RowMapper(
                examined.mapping, name=SOURCE, tz=ZONE, day_s=25200, params=examined.params,
                look=examined.look,
            )  # fmt: skip
            variables = examined.params | row.get("_each", {})
            try:
                made = list(mapper.records(one, row, variables))
            except HubError as exc:
                raise AssertionError(f"{name}: {exc}") from exc
            table = own(one).table
            ids = {record.id.partition(":")[2] for record in made if record.table == table}
        last = sync_once(store, source, session=faults.hurried, full=True, census=True)
        assert last.verdict == "ok", [*last.missing, *last.rejections, last.error]
    found = store.rows(f"SELECT id FROM {own(one).table} WHERE presence = 'present'")
    return sorted(ids & {row["id"].partition(":")[2] for row in found})


def _another(one: Wanted, row: dict[str, Any]) -> dict[str, Any]:
    """Return a row like another of a list, with an id and a key of its own."""
    made = copy.deepcopy(row)
    for path in {plain(own(one).fields["id"]).path or "", one.key}:
        names = simple(path)
        if names and (value := get_at(made, names)) is not None:
            set_at(made, names, value + 1000 if isinstance(value, int) else f"{value}x")
    return made


def requests_per_thousand(store: Any, examined: MappingCertification) -> int:
    """Return how many requests a first reading of a thousand main rows takes, in pages of the usual size."""
    world = examined.world(3, scale=22)  # 990 rows
    world.cap = 1000
    with SimulatorServer(world) as site:
        source = msgspec.structs.replace(examined.source(site.url), page_size=None)
        report = sync_once(store, source, session=faults.hurried)
        assert report.verdict == "ok", [*report.missing, *report.rejections, report.error]
        return len(site.asked)
