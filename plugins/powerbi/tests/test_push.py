"""A push model: whatever is lost on the way, each row is there once in the end.

Its limits and its end are said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import unquote

import jsonschema
import pytest
from hub_powerbi import push
from hub_powerbi.names import Names
from hub_powerbi.push import PushDestination
from hub_powerbi.testing.services import WORKSPACE, Workspace

from hub import Delivery, DeliveryContext, FeedView, HubError, model
from hub.publish import DeliveryReport, check_destination
from hub.records import Account, Container, Task, Worklog
from hub.store import Store
from hub.testing import kept_feed, store, view_of
from hub.testing.kit import Request, Response, SimulatorServer, faults, microsoft

__all__ = ["store"]
SPECIFICATION = Path(__file__).parents[4] / "shared" / "data" / "powerbi" / "swagger.json"


@pytest.fixture
def site() -> Iterator[SimulatorServer]:
    with SimulatorServer(Workspace(), most=10**9) as started:  # type: ignore[arg-type]
        yield started


def service(site: SimulatorServer) -> Workspace:
    assert isinstance(site.world, Workspace)
    return site.world


def fill(store: Store, hours: int = 5) -> None:
    if not store.runs("seed", limit=1):
        store.register_source(
            "seed", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
        )
    with store.transaction():
        run = store.begin_run("seed", "full")
        records = [
            Container(id="seed:p", kind="project", name="P"),
            Account(id="seed:a", display_name="A"),
            Task(id="seed:t", container_id="seed:p", title="x" * 5000),
        ]
        hours_of = [
            Worklog(
                id=f"seed:w{n}",
                task_id="seed:t",
                container_id="seed:p",
                account_id="seed:a",
                day=f"2026-10-{n % 28 + 1:02d}",
                seconds=3600,
            )
            for n in range(hours)
        ]
        store.write_batch([*records, *hours_of], run_id=run, source_id="seed")
        store.end_run(run, "ok")


def go(store: Store, tmp_path: Path, site: SimulatorServer, hours: int = 5) -> DeliveryReport:
    """Deliver the feed of so many hours, and report as `hub publish` does."""
    service(site).asked.clear()
    site.asked.clear()
    with view_of(kept_feed(fill, hours)) as feed:
        try:
            done = deliver(tmp_path, site, feed)
        except HubError as exc:
            return DeliveryReport(name="push", kind="powerbi-push", state="failed", error=str(exc))
    return DeliveryReport(
        name="push",
        kind="powerbi-push",
        state="published",
        where=done.where,
        rows=done.rows,
        notes=done.notes,
    )


def place(site: SimulatorServer) -> PushDestination:
    return PushDestination(
        name="push",
        account=microsoft.account(site.url),
        workspace=WORKSPACE,
        powerbi_url=site.url,
        privacy="nominative-line",
    )


def counts(site: SimulatorServer) -> dict[str, int]:
    names = {caption: name for name, caption in Names("en").tables.items()}
    (one,) = service(site).models.values()
    return {names[caption]: len(table["rows"]) for caption, table in one["tables"].items()}


@pytest.mark.long
def test_the_model_shows_the_feed_and_only_changes_are_sent(
    store: Store, tmp_path: Path, site: SimulatorServer
) -> None:
    first = go(store, tmp_path, site)
    assert ("published", None) == (first.state, first.error)
    assert (5, 1) == (counts(site)["fact_worklog"], counts(site)["dim_task"] - 1)
    assert push.END == first.notes[0]
    assert "Texts of dim_task were cut at 4000 letters." in first.notes

    again = go(store, tmp_path, site, hours=7)
    sent = {
        unquote(request.path).split("/")[-2] for request in service(site).asked if request.method == "DELETE"
    }
    assert ("published", 7) == (again.state, counts(site)["fact_worklog"])
    assert Names("en").tables["fact_worklog"] in sent
    assert Names("en").tables["dim_task"] not in sent


@pytest.mark.long
def test_rows_go_in_portions(
    store: Store, tmp_path: Path, site: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "AT_ONCE", 10)
    go(store, tmp_path, site, hours=35)

    assert 35 == counts(site)["fact_worklog"]
    ids = [
        row[Names("en").columns["fact_worklog"][model().tables["fact_worklog"].key[0]]]
        for row in next(iter(service(site).models.values()))["tables"][Names("en").tables["fact_worklog"]][
            "rows"
        ]
    ]
    assert len(ids) == len(set(ids))


@pytest.mark.long
@pytest.mark.parametrize("trouble", ["answer lost", "429"])
def test_no_row_is_there_twice(store: Store, tmp_path: Path, site: SimulatorServer, trouble: str) -> None:
    """Rows that arrived before the answer was lost are taken out before they are sent again."""
    times = [0]

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response | None:
        if request.method == "POST" and request.path.endswith("/rows"):
            times[0] += 1
            if times[0] % 5 == 1:
                if trouble == "429":
                    return Response(status=429)
                honest()
                return None
        return honest()

    site.fault = fault
    cut = go(store, tmp_path, site)
    site.fault = None
    whole = go(store, tmp_path, site)

    assert "published" == whole.state, (cut.error, whole.error)
    assert 5 == counts(site)["fact_worklog"]


@pytest.mark.long
def test_cut_anywhere_and_repeated_it_ends_alike(tmp_path: Path, site: SimulatorServer, proof: bool) -> None:
    with view_of(kept_feed(fill, 5)) as feed:
        deliver(tmp_path, site, feed)
        wanted, count = counts(site), len(site.asked)
        for last in range(1, count, 1 if proof else 50):
            service(site).models.clear()
            (tmp_path / "data" / "push" / "push.json").unlink(missing_ok=True)
            site.asked.clear()
            site.fault = faults.status_from(last, 400)
            with pytest.raises(HubError):
                deliver(tmp_path, site, feed)
            site.fault = None
            deliver(tmp_path, site, feed)

            assert wanted == counts(site), f"cut before request {last}"


def deliver(tmp_path: Path, site: SimulatorServer, feed: FeedView) -> Delivery:
    context = DeliveryContext(base=tmp_path, name="push", session=faults.hurried)
    try:
        return place(site).deliver(context, feed)
    finally:
        context.close()


@pytest.mark.long
def test_somebody_who_empties_a_table_is_noticed(store: Store, tmp_path: Path, site: SimulatorServer) -> None:
    """What the model shows is compared each time; then all of it is sent again."""
    go(store, tmp_path, site)
    next(iter(service(site).models.values()))["tables"][Names("en").tables["fact_worklog"]]["rows"] = []
    noticed = go(store, tmp_path, site)
    mended = go(store, tmp_path, site)

    assert ("failed", "published") == (noticed.state, mended.state)
    assert "Power BI shows 0 rows where the feed has 5 in fact_worklog" in str(noticed.error)


@pytest.mark.long
def test_a_model_of_another_language_is_not_mixed(
    store: Store, tmp_path: Path, site: SimulatorServer
) -> None:
    go(store, tmp_path, site)
    one = next(iter(service(site).models.values()))
    one["tables"] = {f"{name} autre": table for name, table in one["tables"].items()}
    refused = go(store, tmp_path, site, hours=9)

    assert "Delete it and publish again" in str(refused.error)


def test_more_than_the_limits_is_refused_before_anything_is_sent(
    store: Store, tmp_path: Path, site: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "AN_HOUR", 3)
    refused = go(store, tmp_path, site)

    assert "more than a push model takes" in str(refused.error)
    assert not [request for request in service(site).asked if request.path.endswith("/rows")]


@pytest.mark.long
def test_what_is_asked_fits_the_specification(store: Store, tmp_path: Path, site: SimulatorServer) -> None:
    """Microsoft's own, where it is at hand."""
    if not SPECIFICATION.exists():
        pytest.skip("the specification is not here (shared/data/powerbi/swagger.json)")
    known = json.loads(SPECIFICATION.read_text())
    go(store, tmp_path, site)
    seen = set()
    kinds = {
        (one.method, one.path.count("/"), one.path.rpartition("/")[2] == "rows"): one
        for one in service(site).asked
    }
    for request in kinds.values():
        pattern = next(
            path for path in known["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.path)
        )
        operation = known["paths"][pattern][request.method.lower()]
        seen.add(operation["operationId"])
        assert set(request.query) <= {one["name"] for one in operation["parameters"] if one["in"] == "query"}
        for one in operation["parameters"]:
            if one["in"] == "body" and request.body:
                jsonschema.validate(json.loads(request.body), known | {"$ref": one["schema"]["$ref"]})

    assert {
        "PushDatasets_PostDatasetInGroup",
        "PushDatasets_PutTableInGroup",
        "PushDatasets_PostRowsInGroup",
        "PushDatasets_DeleteRowsInGroup",
    } <= {one.replace("Datasets_", "PushDatasets_", 1) if not one.startswith("Push") else one for one in seen}


def test_check_says_what_such_a_model_is(tmp_path: Path, site: SimulatorServer) -> None:
    said = {one.name: (one.state, one.detail) for one in check_destination(place(site), tmp_path)}

    assert ("ok", "the model Hub push will be made") == said["workspace"]
    assert ("warning", push.END) == said["push model"]
