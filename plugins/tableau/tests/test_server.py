"""Tableau Server: overwritten, waited for, downloaded and counted; every refusal in a sentence.

The simulator answers as the recorded answers of the REST API do.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_tableau.destination import TableauDestination
from hub_tableau.server import Server

from hub import ConfigError, Secret, table_caption
from hub.feed import BuildOptions
from hub.publish import PublishOptions, PublishReport, check_destination, publish
from hub.records import Container, Project, Task, Worklog
from hub.store import Store
from hub.testing import store
from hub.testing.kit import Request, Response, SimulatorServer, credential
from hub.testing.kit.certification import SECRET

pytest.importorskip("tableauserverclient", reason="needs the extra [server]: run `make test-tableau`")
pytest.importorskip("tableauhyperapi", reason="needs the extra [hyper]: run `make test-tableau`")
__all__ = ["store"]
SITE, PROJECT = "6b7179ba-b82b-4f0f-91ed-812074ac5da6", "ee8c6e70-43b6-11e6-af4f-f7b0d8e20760"
FACTS = ("fact_worklog", "fact_task_snapshot")


class Site:
    """A site: one project, data sources by name, jobs that take some questions to end."""

    def __init__(self) -> None:
        self.sources: dict[str, bytes] = {}
        self.workbooks: set[str] = set()
        self.uploads: dict[str, bytes] = {}
        self.jobs: dict[str, int] = {}
        self.names: dict[str, str] = {}
        self.numbers = itertools.count(1)
        self.fails = False
        self.spoil: Callable[[bytes], bytes] = lambda content: content
        self.pieces = 0
        self.takes = 1

    def new(self) -> str:
        return f"00000000-0000-4000-8000-{next(self.numbers):012d}"

    def answer(self, request: Request) -> Response:
        path = re.sub(r"^/api/[\d.]+/", "", request.path)
        if path == "serverInfo":
            return shown(
                '<serverInfo><productVersion build="1">2025.3</productVersion>'
                "<restApiVersion>3.26</restApiVersion></serverInfo>"
            )
        if path == "auth/signin":
            if SECRET not in request.body.decode():
                return refused(401, "401001", "Signin Error", "Error signing in to Tableau Server")
            return shown(
                f'<credentials token="t0ken"><site id="{SITE}" contentUrl="pmo"/>'
                f'<user id="{self.new()}"/></credentials>'
            )
        if request.headers.get("x-tableau-auth") != "t0ken":
            return refused(
                401, "401002", "Unauthorized Access", "Invalid authentication credentials were provided."
            )
        if path == "auth/signout":
            return Response(status=204, body=b"")
        rest = path.removeprefix(f"sites/{SITE}/")
        if rest == "projects":
            found = (
                f'<project id="{PROJECT}" name="PMO"/>'
                if "name:eq:PMO" in request.query.get("filter", "")
                else ""
            )
            return shown(
                f'<pagination pageNumber="1" pageSize="100" totalAvailable="{1 if found else 0}"/>'
                f"<projects>{found}</projects>"
            )
        if rest == "fileUploads":
            native = self.new()
            self.uploads[native] = b""
            return shown(f'<fileUpload uploadSessionId="{native}" fileSize="0"/>')
        if rest.startswith("fileUploads/"):
            self.pieces += 1
            self.uploads[rest.partition("/")[2]] += part(request, "tableau_file")
            return shown(f'<fileUpload uploadSessionId="{rest.partition("/")[2]}" fileSize="1"/>')
        if rest in {"datasources", "workbooks"}:
            kind = rest.removesuffix("s")
            return self.taken(request, kind) if request.method == "POST" else self.listed(request, kind)
        if match := re.fullmatch(r"jobs/(.+)", rest):
            self.jobs[match[1]] -= 1
            done = self.jobs[match[1]] <= 0
            end = (
                f'progress="100" completedAt="2026-11-02T06:01:00Z" finishCode="{1 if self.fails else 0}"'
                if done
                else 'progress="0"'
            )
            return shown(
                f'<job id="{match[1]}" mode="Asynchronous" type="PublishDatasource" '
                f'createdAt="2026-11-02T06:00:00Z" {end}/>'
            )
        if match := re.fullmatch(r"(datasource|workbook)s/(.+)/content", rest):
            name = next(name for name, native in self.names.items() if native == match[2])
            ending = "twbx" if match[1] == "workbook" else "tdsx"
            return Response(
                body=self.spoil(self.sources[name]),
                headers={
                    "Content-Type": "application/octet-stream",
                    "Content-Disposition": f'name="tableau_{match[1]}"; filename="x.{ending}"',
                },
            )
        return refused(404, "404000", "Not Found", rest)

    def listed(self, request: Request, kind: str) -> Response:
        name = request.query["filter"].partition("name:eq:")[2]
        is_there = name in self.sources and (name in self.workbooks) == (kind == "workbook")
        found = (
            f'<{kind} id="{self.names[name]}" name="{name}" contentUrl="x">'
            f'<project id="{PROJECT}" name="PMO"/></{kind}>'
            if is_there
            else ""
        )
        return shown(
            f'<pagination pageNumber="1" pageSize="100" totalAvailable="{int(is_there)}"/>'
            f"<{kind}s>{found}</{kind}s>"
        )

    def taken(self, request: Request, kind: str) -> Response:
        payload = part(request, "request_payload").decode()
        name = re.search(rf'<{kind}[^>]* name="([^"]*)"', payload)
        assert name
        ending = "twbx" if kind == "workbook" else "tdsx"
        assert (ending, "true") == (request.query[f"{kind}Type"], request.query["overwrite"])
        session = request.query.get("uploadSessionId")
        content = self.uploads.pop(session) if session else part(request, f"tableau_{kind}")
        if kind == "workbook":
            self.workbooks.add(name[1])
        if not self.fails:
            self.sources[name[1]] = content
            self.names.setdefault(name[1], self.new())
        job = self.new()
        self.jobs[job] = self.takes
        return shown(
            f'<job id="{job}" mode="Asynchronous" type="PublishDatasource" progress="0" '
            'createdAt="2026-11-02T06:00:00Z" finishCode="1"/>',
            202,
        )


def part(request: Request, name: str) -> bytes:
    """Return one part of a request."""
    boundary = re.search(r"boundary=(.+)", request.headers["content-type"])
    assert boundary
    for piece in request.body.split(b"--" + boundary[1].strip('"').encode()):
        head, _, content = piece.partition(b"\r\n\r\n")
        if f'name="{name}"'.encode() in head or f"name={name}".encode() in head:
            return content.removesuffix(b"\r\n")
    raise AssertionError(f"no part {name}")


def shown(inside: str, status: int = 200) -> Response:
    return Response(
        status=status,
        body=(
            '<?xml version="1.0" encoding="UTF-8"?>'
            f'<tsResponse xmlns="http://tableau.com/api">{inside}</tsResponse>'
        ).encode(),
        headers={"Content-Type": "application/xml"},
    )


def refused(status: int, code: str, summary: str, detail: str) -> Response:
    return shown(
        f'<error code="{code}"><summary>{summary}</summary><detail>{detail}</detail></error>', status
    )


@pytest.fixture
def site() -> Iterator[SimulatorServer]:
    with SimulatorServer(Site(), most=10**9) as started:  # type: ignore[arg-type]
        yield started


def tableau(site: SimulatorServer) -> Site:
    assert isinstance(site.world, Site)
    return site.world


def go(store: Store, tmp_path: Path, site: SimulatorServer, hours: int = 3, **settings: Any) -> PublishReport:
    if not store.runs("s", limit=1):
        store.register_source(
            "s", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
        )
    run = store.begin_run("s", "full")
    store.write_batch(
        [Container(id="s:c", kind="plan", code="P", name="P"), Task(id="s:t", container_id="s:c", title="T")],
        run_id=run,
        source_id="s",
    )
    store.write_batch(
        [
            Worklog(id=f"s:w{n}", container_id="s:c", day=f"2026-10-{n + 1:02d}", seconds=3600)
            for n in range(hours)
        ],
        run_id=run,
        source_id="s",
    )
    store.end_run(run, "ok")
    return publish(
        store,
        tmp_path / "feed",
        [place(site, **settings)],
        PublishOptions(base=tmp_path, build=BuildOptions(lang="en"), force="test"),
    )


def place(site: SimulatorServer, **settings: Any) -> TableauDestination:
    server = Server(
        **{"url": site.url, "token_name": "hub", "token": credential(), "site": "pmo", "project": "PMO"}
        | settings
    )
    return TableauDestination(
        name="tableau", path="tableau", facts=FACTS, server=server, privacy="nominative-line"
    )


def test_each_fact_is_a_data_source_beside_the_workbook(
    store: Store, tmp_path: Path, site: SimulatorServer
) -> None:
    tableau(site).takes = 2
    delivery = go(store, tmp_path, site).deliveries[0]

    assert ("published", None) == (delivery.state, delivery.error)
    assert {f"Hub - {table_caption(fact, 'en')}" for fact in FACTS} | {"Hub - Committee"} == tableau(
        site
    ).sources.keys()
    assert {"Hub - Committee"} == tableau(site).workbooks
    assert (
        "2 data sources and the workbook are published in the project PMO and read back.",
    ) == delivery.notes
    assert (tmp_path / "tableau" / "latest" / "fact_worklog.tdsx").read_bytes() == tableau(site).sources[
        f"Hub - {table_caption('fact_worklog', 'en')}"
    ]


def test_the_next_publish_takes_the_place_of_the_last(
    store: Store, tmp_path: Path, site: SimulatorServer
) -> None:
    go(store, tmp_path, site)
    before = dict(tableau(site).names)
    again = go(store, tmp_path, site, hours=9).deliveries[0]

    assert ("published", before) == (again.state, tableau(site).names)


def test_large_files_go_in_pieces(
    store: Store, tmp_path: Path, site: SimulatorServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TSC_FILESIZE_LIMIT_MB", "0")
    delivery = go(store, tmp_path, site).deliveries[0]

    assert ("published", True) == (delivery.state, tableau(site).pieces >= 2)


def test_what_tableau_shows_and_the_feed_does_not_is_not_published(
    store: Store, tmp_path: Path, site: SimulatorServer
) -> None:
    """The rows are counted by Tableau's engine in what comes back."""
    go(store, tmp_path, site)
    old = dict(tableau(site).sources)
    name = f"Hub - {table_caption('fact_worklog', 'en')}"
    tableau(site).spoil = lambda content: (
        old[name] if content != old.get(f"Hub - {table_caption('fact_task_snapshot', 'en')}") else content
    )
    delivery = go(store, tmp_path, site, hours=9).deliveries[0]

    assert "failed" == delivery.state
    assert (
        f"Tableau shows 3 rows of {table_caption('fact_worklog', 'en')} in {name} where the feed has 9"
        in str(delivery.error)
    )


def test_a_workbook_that_comes_back_as_an_older_one_is_not_published(
    store: Store, tmp_path: Path, site: SimulatorServer
) -> None:
    """Its tables are counted as those of the data sources are: here projects that came later are missing."""
    go(store, tmp_path, site)
    old = tableau(site).sources["Hub - Committee"]
    run = store.begin_run("s", "full")
    projects = [Project(id=f"config:{n}", code=f"P{n}", name="P") for n in range(3)]
    store.write_batch(projects, run_id=run, source_id="s")
    store.end_run(run, "ok")
    tableau(site).spoil = lambda content: (
        old if content == tableau(site).sources.get("Hub - Committee") else content
    )
    delivery = go(store, tmp_path, site).deliveries[0]

    assert "failed" == delivery.state
    assert "in Hub - Committee where the feed has" in str(delivery.error)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"project": "Elsewhere"}, "The site has no project named Elsewhere"),
        ({"token": "wrong"}, "(401001): the token's name or its secret is wrong"),
    ],
)
def test_a_refusal_says_what_is_wrong(
    store: Store,
    tmp_path: Path,
    site: SimulatorServer,
    settings: dict[str, Any],
    says: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if "token" in settings:
        monkeypatch.setenv("WRONG", "wrong")
        settings = {"token": Secret("env", "WRONG", tmp_path)}
    delivery = go(store, tmp_path, site, **settings).deliveries[0]

    assert "failed" == delivery.state
    assert says in str(delivery.error)
    assert SECRET not in str(delivery.error)


def test_a_job_that_fails_is_told(store: Store, tmp_path: Path, site: SimulatorServer) -> None:
    tableau(site).fails = True
    delivery = go(store, tmp_path, site).deliveries[0]

    assert "could not take what was published" in str(delivery.error)


def test_cut_anywhere_and_repeated_it_ends_alike(store: Store, tmp_path: Path, site: SimulatorServer) -> None:
    """A connection that breaks at any request leaves nothing double."""
    go(store, tmp_path, site)
    names, count = set(tableau(site).sources), len(site.asked)
    for at in range(1, count, 5):
        seen = itertools.count(1)
        site.fault = lambda _, __, honest, at=at, seen=seen: None if next(seen) >= at else honest()
        cut = go(store, tmp_path, site, hours=at + 3).deliveries[0]
        site.fault = None
        whole = go(store, tmp_path, site, hours=at + 3).deliveries[0]

        assert ("failed", "published") == (cut.state, whole.state), f"cut at request {at}"
        assert names == set(tableau(site).sources)


def test_check_signs_in(tmp_path: Path, site: SimulatorServer) -> None:
    said = {one.name: one.state for one in check_destination(place(site), tmp_path)}
    (failed,) = check_destination(place(site, project="Elsewhere"), tmp_path)

    assert {"folder": "ok", "engine": "ok", "server": "ok"} == said
    assert "no project named Elsewhere" in failed.detail


def test_a_site_without_tls_is_refused() -> None:
    with pytest.raises(ConfigError, match="url is the https address"):
        Server(url="http://tableau.example.com", token_name="hub", token=credential())
