"""Files, model and report in Microsoft's cloud, and each refusal says what to do.

Nothing is called published that the service does not show.

The simulator is written from the documentation of Graph, Fabric and Power BI; what is asked of Power BI is
held against Microsoft's own specification where it is at hand.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import duckdb
import jsonschema
import msgspec
import pytest
from hub_powerbi.destination import PowerBiDestination
from hub_powerbi.names import Names
from hub_powerbi.service import sharepoint
from hub_powerbi.service.delivery import Service
from hub_powerbi.service.web import Web

from hub import ConfigError, Delivery, DeliveryContext, FeedView, HubError
from hub.publish import DeliveryReport, PublishReport, check_destination
from hub.records import Account, Container, Task, Worklog
from hub.store import Store
from hub.testing import kept_feed, store, view_of
from hub.testing.kit import Request, Response, SimulatorServer, faults, microsoft

__all__ = ["store"]
WORKSPACE = "f089354e-8366-4e18-aea3-4cb4a3a50b48"
LOCATION = "https://contoso.sharepoint.com/sites/pmo/Shared Documents/hub"
SPECIFICATION = Path(__file__).parents[4] / "shared" / "data" / "powerbi" / "swagger.json"
NOW = datetime(2026, 11, 2, 6, tzinfo=UTC)
ORDER = ["site", "upload", "semanticModels", "operation", "reports", "refresh", "executeQueries"]


class Cloud:
    """A tenant: a library, a workspace, and a model that reads the library when it is refreshed.

    Items are made in long-running operations.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.uploads: dict[str, tuple[str, bytearray]] = {}
        self.items: dict[str, dict[str, dict[str, Any]]] = {"semanticModels": {}, "reports": {}}
        self.operations: dict[str, dict[str, Any]] = {}
        self.history: list[dict[str, Any]] = []
        self.shown: dict[str, Any] = {}
        self.numbers = itertools.count(1)
        self.polls = 1
        self.fails: dict[str, Any] | None = None
        self.asked: list[Request] = []
        self.forgets = 0
        self.blind = False
        self.names_operations = True

    def new(self) -> str:
        return f"00000000-0000-4000-8000-{next(self.numbers):012d}"

    def answer(self, request: Request) -> Response:
        if (signing := microsoft.sign_in(request)) is not None:
            return signing
        path = unquote(request.path)
        if path.startswith("/upload/"):  # signed by its address
            assert "authorization" not in request.headers
            return self.uploaded(path, request)
        if not microsoft.is_signed_in(request):
            return Response(status=401, body={"error": {"code": "InvalidAuthenticationToken"}})
        self.asked.append(request)
        body = json.loads(request.body) if request.body else {}
        if path.startswith("/v1.0/myorg/"):
            return self.powerbi(
                request.method, path.removeprefix(f"/v1.0/myorg/groups/{WORKSPACE}/datasets/"), body
            )
        if path.startswith("/v1.0/"):
            return self.graph(request, path.removeprefix("/v1.0/"))
        return self.fabric(request.method, path.removeprefix("/v1/"), body | request.query)

    # ---------- Graph ----------

    def graph(self, request: Request, path: str) -> Response:
        if path == "sites/contoso.sharepoint.com:/sites/pmo":
            return Response(body={"id": "site"})
        if path == "sites/site/drives":
            urls = (
                "https://contoso.sharepoint.com/sites/pmo/Lists",
                "https://contoso.sharepoint.com/sites/pmo/Shared%20Documents",
            )
            return Response(
                body={
                    "value": [
                        {"id": f"drive{n}", "name": url.rpartition("/")[2], "webUrl": url}
                        for n, url in enumerate(urls)
                    ]
                }
            )
        if found := re.fullmatch(r"drives/drive1/root:/(.+):/createUploadSession", path):
            native = self.new()
            self.uploads[native] = (found[1], bytearray())
            return Response(
                body={
                    "uploadUrl": f"http://{request.headers['host']}/upload/{native}?tempauth=s3cret",
                    "nextExpectedRanges": ["0-"],
                }
            )
        return Response(status=404, body={"error": {"code": "itemNotFound"}})

    def uploaded(self, path: str, request: Request) -> Response:
        native = path.rpartition("/")[2]
        if native not in self.uploads or self.forgets:
            self.forgets = max(0, self.forgets - 1)
            return Response(status=404, body={"error": {"code": "itemNotFound"}})
        name, held = self.uploads[native]
        if request.method == "GET":
            return Response(body={"nextExpectedRanges": [f"{len(held)}-"]})
        first, last, size = map(
            int, re.fullmatch(r"bytes (\d+)-(\d+)/(\d+)", request.headers["content-range"]).groups()
        )  # type: ignore[union-attr]
        if first != len(held):
            return Response(status=416, body={"error": {"code": "invalidRange"}})
        assert last - first + 1 == len(request.body)
        held += request.body
        if len(held) < size:
            assert len(request.body) % (320 * 1024) == 0, "a block is a multiple of 320 KiB"
            return Response(status=202, body={"nextExpectedRanges": [f"{len(held)}-{size - 1}"]})
        self.files[name] = bytes(held)
        del self.uploads[native]
        return Response(status=201, body={"id": self.new(), "name": name, "size": size})

    # ---------- Fabric ----------

    def fabric(self, method: str, path: str, body: dict[str, Any]) -> Response:
        if found := re.fullmatch(r"operations/([^/]+)(/result)?", path):
            operation = self.operations[found[1]]
            if found[2]:
                return (
                    Response(body=operation["result"])
                    if operation["result"]
                    else Response(status=400, body={"errorCode": "OperationHasNoResult"})
                )
            operation["remaining"] -= 1
            error = (
                {"errorCode": "InvalidDefinition", "message": "The definition is broken."}
                if operation.get("broken")
                else None
            )
            status = "Running" if operation["remaining"] > 0 else "Failed" if error else "Succeeded"
            return Response(body={"status": status, "error": error})
        found = re.fullmatch(
            rf"workspaces/{WORKSPACE}/(semanticModels|reports)(?:/([^/]+)/updateDefinition)?", path
        )
        assert found, path
        items = self.items[found[1]]
        if method == "GET":
            first = int(body.get("continuationToken", 0))
            found_items = [{"id": native, "displayName": one["name"]} for native, one in items.items()]
            more = (
                {"continuationToken": str(first + 1), "continuationUri": "https://elsewhere.example.org/"}
                if first + 1 < len(items)
                else {}
            )
            return Response(body={"value": found_items[first : first + 1]} | more)
        parts = {
            part["path"]: base64.b64decode(part["payload"]).decode() for part in body["definition"]["parts"]
        }
        native = found[2] or self.new()
        operation = self.new()
        broken = any("broken" in text for text in parts.values())
        if not broken:
            items[native] = {"name": body.get("displayName") or items[native]["name"], "parts": parts}
        self.operations[operation] = {
            "remaining": self.polls,
            "result": None if found[2] else {"id": native},
            "broken": broken,
        }
        named = {"x-ms-operation-id": operation} if self.names_operations else {}
        return Response(
            status=202,
            body=b"",
            headers={
                "Retry-After": "1",
                "Location": f"https://elsewhere.example.org/v1/operations/{operation}",
            }
            | named,
        )

    # ---------- Power BI ----------

    def powerbi(self, method: str, path: str, body: dict[str, Any]) -> Response:
        native, _, rest = path.partition("/")
        assert native in self.items["semanticModels"]
        if rest == "executeQueries":
            if self.blind:
                return Response(status=400, body={"error": {"code": "DatasetExecuteQueriesError"}})
            return Response(
                body={"results": [{"tables": [{"rows": [self.evaluated(body["queries"][0]["query"])]}]}]}
            )
        if method == "POST":
            self.end()
            entry = {
                "requestId": self.new(),
                "refreshType": "ViaEnhancedApi" if "type" in body else "ViaApi",
                "startTime": f"{NOW:%Y-%m-%dT%H:%M:%S.000Z}",
                "status": "Unknown",
            }
            self.history.insert(0, entry)
            return Response(
                status=202,
                body=b"",
                headers={"x-ms-request-id": entry["requestId"]} if "type" in body else {},
            )
        self.polls -= 1
        if self.polls <= 0:
            self.end()
        return Response(body={"value": self.history})

    def end(self) -> None:
        """End what runs: the model now shows the files of the library."""
        for entry in self.history:
            if entry["status"] == "Unknown":
                entry |= (
                    {
                        "status": "Completed",
                        "endTime": f"{NOW + timedelta(seconds=42):%Y-%m-%dT%H:%M:%S.000Z}",
                    }
                    if self.fails is None
                    else {
                        "status": "Failed",
                        "endTime": f"{NOW:%Y-%m-%dT%H:%M:%SZ}",
                        "serviceExceptionJson": json.dumps(self.fails),
                    }
                )
                self.shown = dict(self.files)

    def evaluated(self, query: str) -> dict[str, Any]:
        """Evaluate the kind of DAX that is asked, over the Parquet files."""
        names = Names("en")
        found: dict[str, Any] = {}
        for alias, table, column in re.findall(
            r'"(\w+ \w+)", (?:COUNTROWS|CONVERT\(MAX)\(\'([^\']+)\'(?:\[([^\]]+)\]\), DOUBLE)?\)', query
        ):
            native = next(name for name, caption in names.tables.items() if caption == table)
            place = Path(self.scratch) / f"{native}.parquet"
            place.write_bytes(self.shown[f"hub/{native}.parquet"])
            what = "count(*)"
            if column:
                plain = next(name for name, caption in names.columns[native].items() if caption == column)
                what = f"epoch(max({plain})) / 86400 + 25569"
            ((value,),) = duckdb.sql(f"SELECT {what} FROM read_parquet('{place}')").fetchall()
            found[f"[{alias}]"] = value
        return found

    scratch = ""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[SimulatorServer]:
    world = Cloud()
    world.scratch = str(tmp_path)
    with SimulatorServer(world, most=10**9) as site:  # type: ignore[arg-type]
        yield site


def fill(store: Store, tasks: int = 3) -> None:
    if not store.runs("seed", limit=1):
        store.register_source(
            "seed", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
        )
    with store.transaction():
        run = store.begin_run("seed", "full")
        records = [Container(id="seed:p", kind="project", name="P"), Account(id="seed:a", display_name="A")]
        records += [Task(id=f"seed:{n}", container_id="seed:p", title=f"T{n}") for n in range(tasks)]
        records += [
            Worklog(
                id=f"seed:w{n}",
                task_id=f"seed:{n}",
                container_id="seed:p",
                account_id="seed:a",
                day=f"2026-10-{n + 1:02d}",
                seconds=3600,
            )
            for n in range(tasks)
        ]
        store.write_batch(records, run_id=run, source_id="seed")
        store.end_run(run, "ok")


def go(
    store: Store,
    tmp_path: Path,
    site: SimulatorServer,
    *,
    service: dict[str, Any] | None = None,
    **settings: Any,
) -> PublishReport:
    """Deliver the feed of what *store* holds, and report as `hub publish` does."""
    site.asked.clear()
    site.world.asked.clear()  # type: ignore[union-attr]
    ((rows,),) = store.connection.execute("SELECT count(*) FROM task").fetchall()
    with view_of(kept_feed(fill, rows)) as feed:
        return reported(lambda: deliver(tmp_path, site, feed, service=service, **settings))


def reported(act: Callable[[], Delivery]) -> PublishReport:
    try:
        done = act()
    except HubError as exc:
        return PublishReport(
            deliveries=[DeliveryReport(name="powerbi", kind="powerbi", state="failed", error=str(exc))]
        )
    return PublishReport(
        deliveries=[
            DeliveryReport(
                name="powerbi",
                kind="powerbi",
                state="published",
                where=done.where,
                rows=done.rows,
                notes=done.notes,
            )
        ]
    )


def destination(
    site: SimulatorServer, *, service: dict[str, Any] | None = None, **settings: Any
) -> PowerBiDestination:
    chosen = Service(
        **{
            "account": microsoft.account(site.url),
            "upload": True,
            "workspace": WORKSPACE,
            "powerbi_url": site.url,
            "fabric_url": site.url,
            "graph_url": site.url,
        }
        | (service or {})
    )
    return PowerBiDestination(
        **{
            "name": "powerbi",
            "path": "out",
            "location": LOCATION,
            "service": chosen,
            "privacy": "nominative-line",
        }
        | settings
    )


def world(site: SimulatorServer) -> Cloud:
    assert isinstance(site.world, Cloud)
    return site.world


def state(site: SimulatorServer) -> dict[str, Any]:
    """Return what readers see: definitions by name, files by content, the rows that are shown."""
    one = world(site)
    items = {
        kind: {
            item["name"]: {path: text.replace(native, "ID") for path, text in item["parts"].items()}
            for native, item in items.items()
        }
        for kind, items in one.items.items()
    }
    ids = {native for items in one.items.values() for native in items}
    for parts in (parts for items in items.values() for parts in items.values()):
        for path, text in parts.items():
            for native in ids:
                text = text.replace(native, "ID")
            parts[path] = text
    return {"items": items, "files": sorted(one.files), "shown": one.shown == one.files}


@pytest.mark.long
def test_it_is_published_when_the_service_shows_it(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    """Files, then model, then report, then refresh, then what the model says of itself."""
    fill(store)
    delivery = go(store, tmp_path, cloud).deliveries[0]

    assert ("published", None) == (delivery.state, delivery.error)
    assert f"The files are in {LOCATION}." in delivery.notes
    assert any(
        re.fullmatch(r"Power BI shows \d+ rows, as the feed has them; the refresh took 42 s\.", note)
        for note in delivery.notes
    ), delivery.notes
    (model,), (report,) = (world(cloud).items[kind].values() for kind in ("semanticModels", "reports"))
    assert "definition/model.tmdl" in model["parts"]
    native = next(iter(world(cloud).items["semanticModels"]))
    assert {"byConnection": {"connectionString": f"semanticmodelid={native}"}} == json.loads(
        report["parts"]["definition.pbir"]
    )["datasetReference"]
    assert "hub/manifest.json" in world(cloud).files
    assert "s3cret" not in str(delivery)


@pytest.mark.long
def test_what_is_as_it_was_is_not_brought_again(store: Store, tmp_path: Path, cloud: SimulatorServer) -> None:
    """The model is brought once; the next publish refreshes it."""
    fill(store)
    go(store, tmp_path, cloud)
    fill(store, tasks=5)
    again = go(store, tmp_path, cloud)

    assert "published" == again.deliveries[0].state
    assert not [
        request
        for request in world(cloud).asked
        if request.path.endswith(("/updateDefinition", "/semanticModels", "/reports"))
        and request.method == "POST"
    ]
    assert 2 == len(world(cloud).history)


@pytest.mark.long
def test_what_is_asked_of_power_bi_fits_its_own_specification(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    """Microsoft's specification of the REST API: the path, the method, the body.

    It lists notifyOption as required, and says that an enhanced refresh must leave it out.
    """
    if not SPECIFICATION.exists():
        pytest.skip("the specification is not here (shared/data/powerbi/swagger.json)")
    known = json.loads(SPECIFICATION.read_text())
    del known["definitions"]["DatasetRefreshRequest"]["required"]
    fill(store)
    asked: list[Request] = []
    for refresh in ("enhanced", "plain"):
        go(store, tmp_path, cloud, service={"refresh": refresh, "read_as": "boss@example.org"})
        asked += [request for request in world(cloud).asked if request.path.startswith("/v1.0/myorg/")]

    for request in asked:
        pattern = next(
            path for path in known["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", path), request.path)
        )
        operation = known["paths"][pattern][request.method.lower()]
        names = {one["name"] for one in operation["parameters"] if one["in"] == "query"}
        assert set(request.query) <= names
        for one in operation["parameters"]:
            if one["in"] == "body" and request.body:
                jsonschema.validate(json.loads(request.body), known | {"$ref": one["schema"]["$ref"]})
    assert {"executeQueries", "refreshes"} == {request.path.rpartition("/")[2] for request in asked}


@pytest.mark.long
def test_cut_anywhere_and_repeated_it_ends_alike(tmp_path: Path, cloud: SimulatorServer, proof: bool) -> None:
    """The next delivery ends with one model, one report, and all rows shown.

    Whatever request was the last that was answered.
    """
    with view_of(kept_feed(fill, 3)) as feed:
        deliver(tmp_path, cloud, feed)
        wanted, count = state(cloud), len(cloud.asked)
        for last in range(1, count, 1 if proof else 29):
            fresh = Cloud()
            fresh.scratch = str(tmp_path)
            (tmp_path / "out" / ".pm-hub-service.json").unlink(missing_ok=True)
            with SimulatorServer(fresh, most=10**9) as site:  # type: ignore[arg-type]
                site.fault = faults.status_from(last, 400)
                with pytest.raises(HubError):
                    deliver(tmp_path, site, feed)
                site.fault = None
                deliver(tmp_path, site, feed)

                assert wanted == state(site), f"cut before request {last}"


def deliver(tmp_path: Path, site: SimulatorServer, feed: FeedView, **settings: Any) -> Delivery:
    context = DeliveryContext(base=tmp_path, name="powerbi", session=faults.hurried)
    try:
        return destination(site, **settings).deliver(context, feed)
    finally:
        context.close()


def test_a_model_that_shows_something_else_is_not_called_published(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    fill(store)
    one = world(cloud)
    honest = one.evaluated
    one.evaluated = lambda query: honest(query) | {"[fact_worklog rows]": 1}  # type: ignore[method-assign]
    delivery = go(store, tmp_path, cloud).deliveries[0]

    assert "failed" == delivery.state
    assert "Power BI shows 1 rows where the feed has 3 in fact_worklog" in str(delivery.error)


def test_a_model_that_may_not_be_asked_says_what_to_do(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    fill(store)
    world(cloud).blind = True
    delivery = go(store, tmp_path, cloud).deliveries[0]

    assert "read_as" in str(delivery.error)
    assert "Dataset Execute Queries REST API" in str(delivery.error)


@pytest.mark.long
def test_eight_refreshes_a_day_are_respected(store: Store, tmp_path: Path, cloud: SimulatorServer) -> None:
    """On shared capacity nothing is asked that would be refused; the sentence says when the next is free."""
    fill(store)
    go(store, tmp_path, cloud, service={"refresh": "plain"})
    now = datetime.now(UTC)
    world(cloud).history = [
        {
            "requestId": world(cloud).new(),
            "refreshType": "Scheduled",
            "startTime": f"{now - timedelta(hours=hour):%Y-%m-%dT%H:%M:%SZ}",
            "endTime": "x",
            "status": "Completed",
        }
        for hour in range(1, 9)
    ]
    refused = go(store, tmp_path, cloud, service={"refresh": "plain"}).deliveries[0]

    free = now - timedelta(hours=8) + timedelta(days=1)
    assert f"the next is free at {free:%Y-%m-%d %H:%M} UTC" in str(refused.error)
    assert not [
        request
        for request in world(cloud).asked
        if request.method == "POST" and request.path.endswith("/refreshes")
    ]
    enhanced = go(store, tmp_path, cloud, service={"refresh": "enhanced"}).deliveries[0]
    assert "published" == enhanced.state


@pytest.mark.long
def test_a_refresh_that_others_began_is_waited_for(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    """It may have read the old files: ours comes after it."""
    fill(store)
    go(store, tmp_path, cloud)
    world(cloud).history.insert(
        0,
        {
            "requestId": "theirs",
            "refreshType": "OnDemand",
            "startTime": "2026-11-02T05:59:00Z",
            "status": "Unknown",
        },
    )
    world(cloud).polls = 4
    delivery = go(store, tmp_path, cloud).deliveries[0]

    assert "published" == delivery.state
    assert ["ViaEnhancedApi", "OnDemand", "ViaEnhancedApi"] == [
        one["refreshType"] for one in world(cloud).history
    ]


@pytest.mark.long
@pytest.mark.parametrize(
    ("fails", "says"),
    [
        (
            {"errorCode": "ModelRefreshFailed_CredentialsNotSpecified"},
            "Data source credentials, and sign in once",
        ),
        ({"errorCode": "Odd", "errorDescription": "A column is lacking."}, "A column is lacking"),
        ({}, "its refresh history says more"),
    ],
)
def test_a_refresh_that_fails_says_why(
    store: Store, tmp_path: Path, cloud: SimulatorServer, fails: dict[str, Any], says: str
) -> None:
    fill(store)
    world(cloud).fails = fails
    delivery = go(store, tmp_path, cloud).deliveries[0]

    assert "failed" == delivery.state
    assert says in str(delivery.error)


def test_a_refresh_that_takes_for_ever_ends_the_waiting(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    fill(store)
    world(cloud).polls = 10**6
    one = world(cloud)
    honest = one.fabric

    def fabric(*given: Any) -> Any:
        one.polls = 1
        try:
            return honest(*given)
        finally:
            one.polls = 10**6

    one.fabric = fabric  # type: ignore[method-assign]
    delivery = go(store, tmp_path, cloud, service={"wait_minutes": 1.0}).deliveries[0]

    assert "has not ended the refresh within 1 minutes" in str(delivery.error)


def test_an_operation_that_takes_for_ever_ends_the_waiting(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    fill(store)
    world(cloud).polls = 10**6
    delivery = go(store, tmp_path, cloud, service={"wait_minutes": 1.0}).deliveries[0]

    assert "Fabric has not ended semanticModels: create within 1 minutes" in str(delivery.error)


@pytest.mark.long
def test_an_operation_may_be_named_by_its_place_only_and_items_come_in_pages(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    """Neither the place nor the next page is asked for at the address that the service sends.

    It could be anybody's.
    """
    fill(store)
    one = world(cloud)
    one.names_operations = False
    one.items["semanticModels"] = {f"m{n}": {"name": f"Model {n}", "parts": {}} for n in range(5)}
    first = go(store, tmp_path, cloud).deliveries[0]
    again = go(store, tmp_path, cloud).deliveries[0]

    assert ("published", "published") == (first.state, again.state), (first.error, again.error)
    assert 6 == len(one.items["semanticModels"])


def test_a_definition_that_fabric_refuses_says_so(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    fill(store)
    one = world(cloud)
    honest = one.fabric

    def refusing(method: str, path: str, body: dict[str, Any]) -> Response:
        for part in (body.get("definition") or {}).get("parts", []):
            part["payload"] = base64.b64encode(b"broken").decode()
        return honest(method, path, body)

    one.fabric = refusing  # type: ignore[method-assign]
    delivery = go(store, tmp_path, cloud).deliveries[0]

    assert "Fabric refused semanticModels: create: The definition is broken." in str(delivery.error)


@pytest.mark.long
@pytest.mark.parametrize(
    ("status", "path", "says"),
    [
        (401, "/v1/workspaces", "Service principals can use Fabric APIs"),
        (403, "/v1.0/myorg", "role Contributor"),
        (403, "/v1.0/sites", "Sites.Selected"),
    ],
)
def test_a_refusal_says_which_right_is_lacking(
    store: Store, tmp_path: Path, cloud: SimulatorServer, status: int, path: str, says: str
) -> None:
    fill(store)
    cloud.fault = lambda _, request, honest: (
        Response(status=status, body={"error": {"code": "no"}}) if request.path.startswith(path) else honest()
    )
    delivery = go(store, tmp_path, cloud).deliveries[0]

    assert "failed" == delivery.state
    assert says in str(delivery.error)


@pytest.mark.parametrize("trouble", ["forgets", "answer lost", "503"])
def test_an_upload_goes_on_where_it_broke_off(
    store: Store, tmp_path: Path, cloud: SimulatorServer, monkeypatch: pytest.MonkeyPatch, trouble: str
) -> None:
    """A file goes in blocks of 320 KiB at least.

    An answer that is lost is asked for, a session that is forgotten begun anew.
    """
    monkeypatch.setattr(sharepoint, "BLOCK", 320 * 1024)
    fill(store)
    big = tmp_path / "big"
    big.write_bytes(bytes(range(256)) * 4000)
    puts = itertools.count(1)

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response | None:
        if request.method == "PUT" and next(puts) == 2:
            if trouble == "503":
                return Response(status=503)
            if trouble == "answer lost":
                honest()
                return None
            world(cloud).forgets = 1
        return honest()

    cloud.fault = fault

    from hub import DeliveryContext

    context = DeliveryContext(base=tmp_path, name="powerbi", session=faults.hurried)
    library = sharepoint.SharePoint(
        Web(context, microsoft.account(cloud.url), "powerbi", sharepoint.RESOURCE), cloud.url, LOCATION
    )
    library.put("big.bin", big)

    assert big.read_bytes() == world(cloud).files["hub/big.bin"]


@pytest.mark.long
def test_a_project_that_somebody_edited_is_theirs_to_bring(
    store: Store, tmp_path: Path, cloud: SimulatorServer
) -> None:
    """The files and the refresh go on; the model in the service stays as it is."""
    fill(store)
    go(store, tmp_path, cloud)
    model = tmp_path / "out" / "Hub.SemanticModel" / "definition" / "model.tmdl"
    model.write_text(model.read_text() + "\n/// mine\n")
    before = state(cloud)["items"]
    again = go(store, tmp_path, cloud, incremental_months=3)

    assert "published" == again.deliveries[0].state
    assert before == state(cloud)["items"]


def test_check_says_what_it_saw(tmp_path: Path, cloud: SimulatorServer) -> None:
    chosen = Service(
        account=microsoft.account(cloud.url),
        upload=True,
        workspace=WORKSPACE,
        powerbi_url=cloud.url,
        fabric_url=cloud.url,
        graph_url=cloud.url,
    )
    place = PowerBiDestination(name="powerbi", path="out", location=LOCATION, service=chosen)
    nowhere = msgspec.structs.replace(
        place, location="https://contoso.sharepoint.com/sites/pmo/Elsewhere/hub"
    )

    assert {"ok"} == {one.state for one in check_destination(place, tmp_path)}
    (failed,) = check_destination(nowhere, tmp_path)
    assert "lies in no library of its site; there are Lists, Shared%20Documents" in failed.detail


def test_service_needs_a_location() -> None:
    with pytest.raises(ConfigError, match="service needs location"):
        PowerBiDestination(
            name="powerbi",
            path="out",
            service=Service(account=microsoft.account("http://127.0.0.1:1"), upload=True),
        )
