"""Jira against its simulator: exact after any day, every refusal a sentence.

Requests are as planned and as the specification wants them.
"""

from __future__ import annotations

import json
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import msgspec
import pytest
from hub_jira import wire
from hub_jira.fields import FieldDef, bind
from hub_jira.source import JiraSource
from hub_jira.sprints import sprint_of
from hub_jira.testing import CLIENT, CLOUD_ID, EMAIL, Caps, JiraSimulator, JiraWorld, ServerWorld, TempoWorld
from hub_jira.testing.certification import (
    CAPS,
    CloudCertification,
    ServerCertification,
    TempoCertification,
)
from hub_jira.testing.world import AREAS, KEYS, FieldChange

from hub import Account, ConfigError, Container, Iteration, Record, SourceDataError, Task, TaskChange, Worklog
from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import HubResult, hub_folder, run_hub, store, sync_once
from hub.testing.kit import SECRET, Request, Response, SimulatorServer, certify, credential, faults
from hub.testing.kit.cassette import RecordedCertification, record, save

__all__ = ["hub_folder", "run_hub", "store"]
SPEC = (
    Path(__file__).parents[3].parent / "shared" / "data" / "jira" / "openapi" / "jira-cloud-platform-v3.json"
)
BOTH = pytest.mark.parametrize("world_of", [JiraWorld, ServerWorld], ids=["cloud", "data center"])


def source(site: SimulatorServer, **settings: Any) -> JiraSource:
    cloud = {"email": EMAIL} if site.world.cloud else {}
    return JiraSource(
        **{"name": "jira", "url": site.url, "token": credential(), "tz": "Europe/Paris", **cloud, **settings}
    )


def go(store: Store, site: SimulatorServer, **options: Any) -> SourceReport:
    site.asked.clear()
    settings = options.pop("settings", {})
    return sync_once(store, source(site, **settings), session=faults.hurried, **options)


def routes(site: SimulatorServer) -> Counter[str]:
    return Counter(re.sub(r"\d+", "N", request.path.removeprefix("/rest/api/2")) for request in site.asked)


SAMPLE = (
    "reads-everything",
    "secrets-stay-secret",
    "second-run-changes-nothing",
    "cursor-is-a-stamp-seen",
    "killed-anywhere",
    "a-page-that-repeats",
    "status-401",
    "deletions-are-found",
    "worklogs-need-a-proof",
    "storm",
)


@pytest.mark.long
@pytest.mark.parametrize(
    ("certification", "sample"),
    [
        (CloudCertification(), SAMPLE),
        (ServerCertification(), ("reads-everything", "deletions-are-found", "status-401")),
        (TempoCertification(), ("reads-everything", "cursor-is-a-stamp-seen", "worklogs-need-a-proof")),
    ],
    ids=["cloud", "data center", "tempo"],
)
def test_gold(
    certification: Any, sample: tuple[str, ...], proof: bool, said_level: Callable[[str], str]
) -> None:
    """Both modes, and Jira with Tempo, stand all that the kit does to them; `make test` takes a sample."""
    for seed in range(2026, 2031 if proof else 2027):
        report = certify(certification, seed=seed, only=() if proof else sample)

        assert (said_level("Jira"), []) == (
            report.level,
            [f"{one.code}: {one.saw}" for one in report.failures()],
        )


def test_requests_of_cloud(store: Store) -> None:
    """Full: the plan of the documentation. Quiet: four. Census: the ids, five thousand at once."""
    world = JiraWorld(7, scale=30)
    with SimulatorServer(world) as site:
        full = go(store, site)
        first = routes(site)
        items, logs = len(world.items), len(world.logs)
        go(store, site)
        quiet = go(store, site)
        calm = routes(site)
        census = go(store, site, census=True)
        counted = routes(site)

    assert (1350, 1500) == (items, logs)
    assert ("ok", "ok", "ok") == (full.verdict, quiet.verdict, census.verdict)
    metadata, sweep, slices, history, worklogs = (
        5,
        2,
        -(-items // 100),
        -(-items // 1000),
        2 * -(-logs // 1000),
    )
    assert first.total() <= metadata + 1 + sweep + slices + history + worklogs
    assert slices == first["/issue/bulkfetch"]
    assert {"/myself": 1, "/search/jql": 1, "/worklog/updated": 1, "/worklog/deleted": 1} == calm
    assert {
        "/myself": 1,
        "/project/search": 1,
        "/search/approximate-count": 1,
        "/search/jql": 2,
        "/worklog/updated": 1,
        "/worklog/deleted": 1,
    } == counted


def test_requests_of_data_center(store: Store) -> None:
    """Full: one request for 500 issues beside the ids. Quiet: four."""
    world = ServerWorld(7, scale=30)
    with SimulatorServer(world) as site:
        full = go(store, site)
        first = routes(site)
        go(store, site)
        go(store, site)
        calm = routes(site)

    assert "ok" == full.verdict
    assert first["/search"] <= 1 + -(-len(world.items) // 1000) + 1 + -(-len(world.items) // 500)
    assert {"/myself": 1, "/search": 1, "/worklog/updated": 1, "/worklog/deleted": 1} == calm


def test_cut_lists_take_the_cheaper_way(store: Store) -> None:
    """Where more lists are cut than the feed of the site has pages, the feed is read.

    The rows are the same.
    """
    most = max(Counter(log.item for log in JiraWorld(7, scale=2).logs.values()).values())
    images = []
    for embedded, way in ((most - 1, "/issue/N/worklog"), (0, "/worklog/list")):
        world = JiraWorld(7, scale=2, caps=Caps(embedded_worklogs=embedded))
        with Store.open("sqlite://") as fresh, SimulatorServer(world) as site:
            assert "ok" == sync_once(fresh, source(site), base=Path(), session=faults.hurried).verdict
            assert routes(site)[way]
            images.append(fresh.rows("SELECT id, task_id, day, seconds FROM worklog ORDER BY id"))

    assert images[0] == images[1]
    assert len(world.logs) == len(images[0])


@pytest.mark.skipif(not SPEC.exists(), reason="the official specification of ../shared is not here")
def test_every_request_is_as_specified(store: Store) -> None:
    """The requests of a whole life are as Atlassian's own specification wants them.

    Paths, methods, parameters and bodies are checked strictly.
    """
    spec = json.loads(SPEC.read_text())
    world = JiraWorld(3, scale=3, caps=Caps(embedded_worklogs=1, embedded_histories=0, issues=50, projects=2))
    asked: list[Request] = []
    with SimulatorServer(world) as site:
        for round_ in range(3):
            go(store, site, census=True)
            asked += site.asked
            for _ in range(3 * round_):
                world.edit(), world.add(), world.edit_log(), world.delete_log()
        context = Context(base=Path(), source_id="jira", session=lambda: faults.hurried(context))
        site.asked.clear()
        list(source(site).check(context))
        list(source(site).offers(context))
        context.close()
        asked += site.asked

    assert len(asked) > 30
    for request in asked:
        check_against(spec, request)


def check_against(spec: dict[str, Any], request: Request) -> None:
    path = request.path.replace("/rest/api/2/", "/rest/api/3/")
    path = re.sub(r"/issue/\d+/worklog", "/issue/{issueIdOrKey}/worklog", path)
    operation = spec["paths"][path][request.method.lower()]
    known = {one["name"]: one for one in operation.get("parameters", [])}

    def deref(schema: dict[str, Any]) -> dict[str, Any]:
        return (
            deref(spec["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
            if "$ref" in schema
            else schema
        )

    for name, value in request.query.items():
        schema = deref(known[name]["schema"])
        items = value.split(",") if schema["type"] == "array" else [value]
        wanted = deref(schema.get("items", schema))
        for one in items:
            jsonschema.validate(
                int(one)
                if wanted["type"] == "integer"
                else one == "true"
                if wanted["type"] == "boolean"
                else one,
                wanted,
            )
    if request.body:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        jsonschema.validate(json.loads(request.body), schema | {"components": spec["components"]})
    assert bool(request.body) == ("requestBody" in operation), path


Held = tuple[Counter[Any], Counter[Any], set[Any], set[str], set[Any], set[Any]]
CHOSEN = {"Severity": "text", AREAS: "list"}
"""Fields of fields.csv: one by its name, one by its id."""


def truth_of(world: JiraWorld, projects: tuple[str, ...] = ()) -> Held:
    """Return what is in scope: issues, hours, moves, ids, what hangs together, and the values of fields."""
    items = {n: one for n, one in world.items.items() if not projects or KEYS[one.container] in projects}
    tasks = Counter(
        (item.container, item.done) for item in items.values() if item.container not in world.trashed
    )
    seconds: Counter[Any] = Counter()
    for log in world.logs.values():
        item = items.get(log.item)
        if item and item.container not in world.trashed:
            author = 2 * (log.native % 3) + log.started.endswith("+02:00")
            seconds[author, log.started[:7]] += round(log.hours * 3600)
    moves = {
        (one.item, one.before, one.after, one.at)
        for one in world.changes
        if one.item in items and not isinstance(one, FieldChange)
    }
    hung = {
        (str(n), parent if parent in items else None, max(world.carried.get(n, [1 + n % 3])))
        for n, parent in ((n, world.parents.get(n)) for n in items)
    }
    values = {
        (str(n), field, text)
        for n, (severity, areas) in ((n, world.chosen_of(n)) for n in items)
        for field, text in (
            ("Severity", severity),
            (AREAS, ", ".join(one.replace(", ", ",\u00a0") for one in areas)),
        )
        if text
    }
    return tasks, seconds, moves, {str(n) for n in items}, hung, values


LEFT = "('deleted', 'trashed', 'outside')"


def held_by(store: Store) -> Held:
    there = f"t.presence NOT IN {LEFT} AND c.presence NOT IN {LEFT}"
    join = "JOIN container c ON c.id = t.container_id"
    tasks = Counter(
        (row["c"][-1], row["s"] == "done")
        for row in store.rows(
            f"SELECT container_id AS c, status_native AS s FROM task t {join} WHERE {there}"
        )
    )
    seconds: Counter[Any] = Counter()
    for row in store.rows(
        "SELECT w.account_id AS a, substr(w.day, 1, 7) AS m, w.seconds AS s FROM worklog w "
        f"JOIN task t ON t.id = w.task_id {join} WHERE {there} AND w.presence NOT IN {LEFT}"
    ):
        seconds[int(row["a"][-1]), row["m"]] += row["s"]
    alive = {row["id"][5:] for row in store.rows(f"SELECT id FROM task WHERE presence NOT IN {LEFT}")}
    moves = {
        (int(row["t"][5:]), row["f"], row["v"], row["at"])
        for row in store.rows(
            "SELECT task_id AS t, from_value AS f, to_value AS v, at FROM task_change WHERE field = 'status'"
        )
        if row["t"][5:] in alive
    }
    hung = {
        (row["id"][5:], int(row["p"][5:]) if row["p"] and row["p"][5:] in alive else None, int(row["i"][6:]))
        for row in store.rows("SELECT id, parent_id AS p, iteration_id AS i FROM task")
        if row["id"][5:] in alive
    }
    values = {
        (row["r"][5:], row["f"], row["t"])
        for row in store.rows(
            f"SELECT row_id AS r, field AS f, text AS t FROM custom_value WHERE presence NOT IN {LEFT}"
        )
        if row["f"] in CHOSEN and row["r"][5:] in alive
    }
    return tasks, seconds, moves, alive, hung, values


def live(world: JiraWorld, rng: random.Random) -> None:
    """Let something happen to the site."""
    match rng.randint(0, 11):
        case 0 | 1:
            world.edit()
        case 2:
            world.add()
        case 3:
            world.delete()
        case 4:
            world.edit_log()
        case 5:
            world.delete_log()
        case 6:
            world.move(rng.choice(world.rows()))
        case 7:
            world.carry(rng.choice(world.rows()), rng.randint(1, 3))
        case 8:
            world.adopt(rng.choice(world.rows()), int(rng.choice(world.rows())))
        case 9 | 10:
            areas = tuple(rng.sample(("API", "UI", "One, two"), rng.randint(0, 2)))
            world.choose(rng.choice(world.rows()), rng.choice((None, "Minor", "Major")), areas)
        case _:
            world.log(rng.choice(list(world.items)), rng.randint(0, 99))


def weather(world: JiraWorld, rng: random.Random) -> Any:
    at = rng.randint(1, 8)
    return rng.choice(
        (
            None,
            None,
            faults.status_once(at, 503),
            faults.status_from(at, 401),
            faults.reset_once(at),
            faults.status_from(at, 403),
            faults.raw_once(at, lambda body: body[:30]),
            faults.meanwhile(at, world.edit),
        )
    )


@BOTH
def test_exact_after_random_days(world_of: type[JiraWorld], proof: bool) -> None:
    """In the end the store equals the site.

    Adds, edits, moves, deletes, worklog edits and deletes, chosen fields, hides, archives, lag and faults;
    with every other life only two of the three projects are asked for.
    """
    for seed in range(4 if proof else 1):
        rng = random.Random(seed)
        world = world_of(seed, scale=2, caps=CAPS)
        projects = ("ACME", "BETA") if seed % 2 == world.cloud else ()
        with Store.open("sqlite://") as fresh, SimulatorServer(world) as site:
            here = source(site, max_leave=1.0, projects=projects)
            options = {"base": Path(), "session": faults.hurried, "fields": {"jira": CHOSEN}}
            sync_once(fresh, here, **options)
            for _ in range(50 if proof else 12):
                for _ in range(rng.randint(1, 6)):
                    live(world, rng)
                world.lag_s = rng.choice((0, 0, 60))
                world.hidden, world.archived = (
                    rng.choice((set(), set(), {"2"})),
                    rng.choice((set(), set(), {"3"})),
                )
                one, other = map(int, rng.sample(world.rows(), 2))
                world.archived_issues = rng.choice((set(), {one}))
                world.restricted = rng.choice((set(), {other}))
                site.asked.clear()
                site.fault = weather(world, rng)
                sync_once(fresh, here, **options, census=rng.random() < 0.5, full=rng.random() < 0.1)
                site.fault = None
            world.lag_s, world.hidden, world.archived = 0, set(), set()
            world.restricted, world.archived_issues = set(), set()
            world.tick()
            site.asked.clear()
            last = sync_once(fresh, here, **options, census=True, full=True)

            assert "ok" == last.verdict, last.missing
            for said, held in zip(truth_of(world, projects), held_by(fresh), strict=True):
                assert said == held, f"seed {seed}"


@BOTH
@pytest.mark.parametrize("projects", [(), ("ACME", "BETA")], ids=["all projects", "two projects"])
def test_increments_alone_are_exact(
    world_of: type[JiraWorld], projects: tuple[str, ...], store: Store
) -> None:
    """Increments and one census bring every edit, hour, value of a field, deletion and exit.

    The same life without a full reading in the end.
    """
    world = world_of(11, scale=2, caps=CAPS)
    options = {"settings": {"projects": projects, "max_leave": 1.0}, "fields": {"jira": CHOSEN}}
    rng = random.Random(11)
    with SimulatorServer(world) as site:
        go(store, site, **options)
        for _ in range(8):
            (
                world.edit(),
                world.add(),
                world.edit_log(),
                world.delete_log(),
                world.delete(),
                world.move(world.rows()[3]),
            )
            for _ in range(3):
                live(world, rng)
            world.log(next(iter(world.items)), 5)
            go(store, site, **options)
        last = go(store, site, census=True, **options)

    assert "ok" == last.verdict, last.missing
    for said, held in zip(truth_of(world, projects), held_by(store), strict=True):
        assert said == held


@BOTH
def test_archived_trashed_hidden_moved(world_of: type[JiraWorld], store: Store) -> None:
    """Archived, trashed, hidden and moved are told apart.

    An archived project keeps its hours, a trashed one leaves, a hidden one waits, a moved issue is the same
    row.
    """
    world = world_of(5, caps=CAPS)
    moved = next(str(n) for n, item in world.items.items() if item.container == "1")
    with SimulatorServer(world) as site:
        settings = {"max_leave": 1.0}
        go(store, site, settings=settings)
        before = len(store.rows("SELECT 1 FROM task"))
        world.move(moved)
        world.archived, world.hidden = (
            {"3"},
            {"2"} if moved not in {str(n) for n, i in world.items.items() if i.container == "2"} else set(),
        )
        store.connection.execute("DELETE FROM cursor WHERE partition = 'metadata'")
        go(store, site, census=True, settings=settings)
        presence = {
            row["id"][-1]: row["presence"] for row in store.rows("SELECT id, presence FROM container")
        }
        gone = store.rows("SELECT 1 FROM task WHERE presence IN ('deleted', 'trashed')")

    assert "archived" == presence["3"]
    assert [] == gone
    assert before == len(store.rows("SELECT 1 FROM task"))


def page(text: str) -> Callable[[int, Request, Callable[[], Response]], Response]:
    return lambda *_: Response(body=text.encode(), headers={"Content-Type": "text/html"})


@pytest.mark.parametrize(
    ("fault", "settings", "words"),
    [
        (faults.status_from(1, 401), {}, "refused the credentials (HTTP 401)"),
        (faults.status_from(1, 403), {}, "forbidden to this account (HTTP 403)"),
        (faults.status_from(1, 404), {}, "does not exist, or this account may not see it"),
        (page("<html>captcha</html>"), {}, "most likely a sign-in page"),
        (
            lambda *_: Response(status=302, headers={"Location": "http://localhost:1/moved"}),
            {},
            "did not answer within",
        ),
        (
            lambda n, r, honest: (
                Response(body={"message": "no Jira"}) if "serverInfo" in r.path else honest()
            ),
            {},
            "did not answer as Jira does",
        ),
        (None, {"projects": ("NOPE",)}, "The project NOPE does not exist"),
        (None, {"jql": "colour = blue"}, "Error in the JQL Query"),
    ],
)
def test_refusals(fault: Any, settings: dict[str, Any], words: str, store: Store) -> None:
    """Each is a sentence in the report; the run is not green, and nothing that was known leaves."""
    with SimulatorServer(JiraWorld(2, caps=CAPS)) as site:
        go(store, site)
        before = store.rows("SELECT id, presence FROM task ORDER BY id")
        store.connection.execute("DELETE FROM cursor")
        site.fault = fault
        report = go(store, site, settings=settings)
        said = " ".join([*report.missing, report.error or ""])

    assert report.verdict != "ok"
    assert words in said
    assert before == store.rows("SELECT id, presence FROM task ORDER BY id")


def test_check_tells() -> None:
    """The check tells what is well and what is wrong with the settings.

    The site, the account, the clock, the projects, each bound field.
    """
    with SimulatorServer(JiraWorld(2, caps=CAPS)) as site:
        context = Context(base=Path(), source_id="jira", session=lambda: faults.hurried(context))
        seen = list(
            source(site, projects=("ACME", "NOPE"), fields={"points": "customfield_1"}).check(context)
        )
        context.close()
    said = {one.name: (one.state, one.detail) for one in seen}

    assert ("ok", "Cloud 1001.0.0") == said["site"]
    assert "America/New_York" in said["account"][1]
    assert "warning" == said["clock"][0]
    assert "failed" == said["NOPE"][0]
    assert any(one.name == "fields.points" and one.state == "failed" for one in seen)
    assert ("ok", "customfield_10020 (Sprint)") == said["fields.sprint"]


def test_through_the_gateway(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A service account's client credentials buy a token, and every question goes through the gateway."""
    world = JiraWorld(2, caps=CAPS)
    with SimulatorServer(world) as site:
        monkeypatch.setattr("hub_jira.site.LOGIN", f"{site.url}/oauth/token")
        monkeypatch.setattr("hub_jira.site.GATEWAY", f"{site.url}/ex/jira")
        settings = {
            "name": "jira",
            "url": "https://acme.example",
            "tz": "Europe/Paris",
            "cloud_id": CLOUD_ID,
            "client_id": CLIENT,
        }
        well = sync_once(store, JiraSource(**settings, client_secret=credential()), session=faults.hurried)
        asked = {request.path for request in site.asked}
        refused = sync_once(
            store,
            JiraSource(**settings | {"client_id": "other"}, client_secret=credential()),
            session=faults.hurried,
        )
        links = {row["url"].partition("/browse")[0] for row in store.rows("SELECT url FROM task")}

    assert "ok" == well.verdict, well.missing
    assert all(path.startswith(("/ex/jira/", "/oauth/token")) for path in asked)
    assert {"https://acme.example"} == links
    assert "failed" == refused.verdict
    assert "/oauth/token refused the credentials" in (refused.error or "".join(refused.missing))
    assert SECRET not in str(refused)


@pytest.mark.parametrize("clients", [True, False], ids=["another is given", "none is given"])
def test_a_token_of_oauth_ends_in_mid_run(
    clients: bool, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each opens seven questions: another is asked for once each time; a refusal is one sentence."""
    world = JiraWorld(2, caps=CAPS)
    world.token_lasts = 7
    with SimulatorServer(world) as site:

        def revoked(_: int, request: Any, honest: Callable[[], Any]) -> Any:
            world.clients = world.clients and "myself" not in request.path
            return honest()

        site.fault = revoked if not clients else None
        monkeypatch.setattr("hub_jira.site.LOGIN", f"{site.url}/oauth/token")
        monkeypatch.setattr("hub_jira.site.GATEWAY", f"{site.url}/ex/jira")
        if not clients:
            world.token_lasts = 1
        report = sync_once(store, JiraSource(
            name="jira", url="https://acme.example", tz="Europe/Paris", cloud_id=CLOUD_ID, client_id=CLIENT,
            client_secret=credential(),
        ), session=faults.hurried)  # fmt: skip
        asked = [one.path == "/oauth/token" for one in site.asked]

    assert SECRET not in str(report)
    if clients:
        assert ("ok", []) == (report.verdict, report.missing)
        assert len(world.truth()["task"]) == len(store.rows("SELECT id FROM task"))
        assert sum(asked) <= 1 + len(asked) // 7
        return
    assert "failed" == report.verdict
    assert 2 == sum(asked)
    assert (report.error or "".join(report.missing)).startswith("The sign-in ended within the run")


@pytest.mark.parametrize(("settings", "words"), [
    ({}, "give the url"),
    ({"url": "https://x", "projects": ("A B",)}, "not the key"),
    ({"url": "https://x", "fields": {"colour": "customfield_1"}}, "knows no colour"),
])  # fmt: skip
def test_settings_that_will_not_do(settings: dict[str, Any], words: str) -> None:
    """Each says what and how, before anything is asked."""
    with pytest.raises(ConfigError, match=words):
        JiraSource(name="jira", **settings)


def test_init_asks_for_a_site(
    hub_folder: Path, run_hub: Callable[..., HubResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`hub init` asks for address, e-mail and the variable of the token, and tests the site.

    The token is nowhere in the file.
    """
    monkeypatch.setenv("JIRA_TOKEN", SECRET)
    with SimulatorServer(JiraWorld(2, caps=CAPS)) as site:
        result = run_hub("init", stdin=f"en\n\njira\nacme\n{site.url}\n{EMAIL}\nJIRA_TOKEN\n\n\n")
    text = (hub_folder / "config" / "hub.toml").read_text()

    assert 0 == result.exit_code, result.error
    assert 'token = { env = "JIRA_TOKEN" }' in text
    assert "acme: ok: signed in" in result.output
    assert SECRET not in text + result.output


@BOTH
def test_hours_beyond_the_scope(world_of: type[JiraWorld], store: Store) -> None:
    """The feed of hours is of the whole site.

    Of a source with one project only its hours are taken, first and later.
    """
    world = world_of(4, caps=CAPS)
    with SimulatorServer(world) as site:
        for _ in range(3):
            last = go(store, site, settings={"projects": ("ACME",)})
            for number in range(10):
                world.log(sorted(world.items)[number], number)
        last = go(store, site, settings={"projects": ("ACME",)})
        hours = {row["id"][5:]: row["seconds"] for row in store.rows("SELECT id, seconds FROM worklog")}
    mine = {
        f"w{log.native}": round(log.hours * 3600)
        for log in world.logs.values()
        if world.items[log.item].container == "1"
    }

    assert "ok" == last.verdict, last.missing
    assert mine == hours
    assert 0 < len(mine) < len(world.logs)


def test_tempo_hours_beyond_the_scope(store: Store) -> None:
    """So is Tempo's."""
    with SimulatorServer(TempoWorld(4, caps=CAPS)) as site:
        well = go(
            store,
            site,
            settings={"projects": ("ACME",), "tempo_token": credential(), "tempo_url": f"{site.url}/4"},
        )
        world = site.world
    mine = {f"t{log.native}" for log in world.logs.values() if world.items[log.item].container == "1"}

    assert "ok" == well.verdict, well.missing
    assert mine == {row["id"][5:] for row in store.rows("SELECT id FROM worklog")}


def test_a_changed_setting_reads_anew(store: Store) -> None:
    """What a type means is changed: the next run reads everything again, the one after is quiet."""
    types = {"types": {"Story": "request"}}
    with SimulatorServer(JiraWorld(4, caps=CAPS)) as site:
        go(store, site)
        before = {row["nature"] for row in store.rows("SELECT nature FROM task WHERE type_raw = 'Story'")}
        changed = go(store, site, settings=types)
        after = {row["nature"] for row in store.rows("SELECT nature FROM task WHERE type_raw = 'Story'")}
        quiet = go(store, site, settings=types)

    assert ({"build"}, {"request"}) == (before, after)
    assert ("ok", "ok") == (changed.verdict, quiet.verdict)
    assert quiet.changes.updated == 0 < changed.changes.updated


KEEP = ("key", "statusCategory", "custom", "deploymentType")


@pytest.mark.long
def test_a_recording_of_a_site(tmp_path: Path) -> None:
    """A recording is of nobody and certifies what a recording can.

    The connector can follow it with four fields kept.
    """
    with SimulatorServer(JiraWorld(2, scale=2)) as site:
        made = record(source(site), tmp_path, keep=KEEP)
    text = save(made.cassette).decode()
    report = certify(RecordedCertification(made.cassette, JiraSource))

    assert [] == [one for one in ("Engineer", EMAIL, "127.0.0.1", "日本語", "Plain", SECRET) if one in text]
    assert "bronze" == report.level, [f"{one.code}: {one.saw}" for one in report.failures()]
    assert [] == report.failures()


def test_hours_come_from_one_place(store: Store) -> None:
    """With Tempo no worklog of Jira is read.

    Each host sees its own credentials, and a change of mind cannot count twice.
    """
    with SimulatorServer(TempoWorld(2, caps=CAPS)) as site:
        tempo = {"tempo_token": credential(), "tempo_url": f"{site.url}/4"}
        with Store.open("sqlite://") as fresh:
            well = sync_once(fresh, source(site, **tempo), base=Path(), session=faults.hurried)
            kinds = {
                request.headers["authorization"].split()[0]
                for request in site.asked
                if request.path.startswith("/4/")
            }
            others = {
                request.headers["authorization"].split()[0]
                for request in site.asked
                if not request.path.startswith("/4/")
            }
            ids = {row["id"][5] for row in fresh.rows("SELECT id FROM worklog")}
            assert not any(
                "worklog" in request.path for request in site.asked if not request.path.startswith("/4/")
            )
        go(store, site)
        both = go(store, site, settings=tempo)

    assert "ok" == well.verdict, well.missing
    assert ({"Bearer"}, {"Basic"}, {"t"}) == (kinds, others, ids)
    assert "partial" == both.verdict
    assert "would count twice" in " ".join(both.missing)
    assert not store.rows("SELECT 1 FROM worklog WHERE id LIKE 'jira:t%'")


def test_bindings_by_schema() -> None:
    """Names may be anything in any language; two fields of one schema are both read, a setting decides."""
    fields = [
        FieldDef(
            id="customfield_1",
            name="Vélocité",
            schema={"custom": "com.pyxis.greenhopper.jira:jsw-story-points"},
        ),
        FieldDef(id="customfield_2", name="Sprint", schema={"custom": "com.example:text"}),
        FieldDef(id="customfield_3", name="X", schema={"custom": "com.pyxis.greenhopper.jira:gh-sprint"}),
        FieldDef(id="customfield_4", name="Y", schema={"custom": "com.pyxis.greenhopper.jira:gh-sprint"}),
    ]

    assert {"points": ("customfield_1",), "sprint": ("customfield_3", "customfield_4")} == bind(
        fields, {}
    ).roles
    assert ("customfield_4",) == bind(fields, {"sprint": "customfield_4"}).roles["sprint"]


@pytest.mark.parametrize(
    ("text", "name", "start"),
    [
        (
            (
                "com.atlassian.greenhopper.service.sprint.Sprint@1[id=12,rapidViewId=3,state=CLOSED,name=A,"
                " b = c,startDate=2020-01-01T00:00:00.000Z,endDate=<null>]"
            ),
            "A, b = c",
            "2020-01-01T00:00:00.000Z",
        ),
        ("x[id=1,name=[Q1] plan,state=FUTURE,startDate=<null>]", "[Q1] plan", None),
    ],
)
def test_sprints_of_data_center(text: str, name: str, start: str | None) -> None:
    """The text of a sprint is taken apart although names hold commas, equal signs and brackets."""
    sprint = sprint_of(text)

    assert (name, start) == (sprint.name, sprint.start_date)


def test_a_text_that_is_no_sprint() -> None:
    """It is an error, not a sprint without a name."""
    with pytest.raises(SourceDataError, match="as a sprint"):
        sprint_of("nothing of the kind")


@pytest.mark.parametrize(
    ("stamp", "wanted"),
    [
        ("2026-08-24T11:11:52.944+0200", "2026-08-24T09:11:52.944Z"),
        ("2026-08-24T11:11:52.000+0000", "2026-08-24T11:11:52Z"),
        (1711702800000, "2024-03-29T09:00:00Z"),
        ("1711702800000", "2024-03-29T09:00:00Z"),
        (None, None),
        ("", None),
    ],
)
def test_stamps(stamp: Any, wanted: str | None) -> None:
    """Every form of stamp becomes UTC."""
    assert wanted == wire.instant(stamp)


def test_shown_records_come_back(store: Store) -> None:
    """A site filled with records shows the same records through the connector.

    Then what changed of them and what left.
    """
    people = [Account(id="acc-1", display_name="Engineer 1", email="e1@example.org", tz="Europe/Paris")]
    things: list[Record] = [
        *people,
        Container(id="3", kind="project", code="P003", name="Third"),
        Iteration(
            id="31",
            name="Sprint 1",
            state="active",
            start_at="2026-03-02T05:00:00Z",
            finish_at="2026-03-20T06:00:00Z",
        ),
        Task(
            id="300001",
            container_id="3",
            code="P003-1",
            title="Epic",
            kind="summary",
            type_raw="Epic",
            nature="build",
            status_raw="À faire",
            status_native="todo",
            created_at="2026-03-01T05:00:00Z",
            updated_at="2026-03-01T05:00:00Z",
        ),
        Task(
            id="300002",
            container_id="3",
            parent_id="300001",
            code="P003-2",
            title="Story é",
            kind="work",
            type_raw="Evolution",
            nature="evolution",
            status_raw="En cours",
            status_native="in_progress",
            points=3.0,
            iteration_id="31",
            assignee_id="acc-1",
            labels="a b",
            due_on="2026-04-01",
            created_at="2026-03-01T05:00:00Z",
            updated_at="2026-03-03T06:00:00Z",
        ),
        TaskChange(
            id="3000020",
            task_id="300002",
            field="status",
            from_value="À faire",
            to_value="En cours",
            at="2026-03-03T06:00:00Z",
            author_id="acc-1",
        ),
        TaskChange(
            id="3000029",
            task_id="300002",
            field="issuetype",
            from_value="Bug",
            to_value="Evolution",
            at="2026-03-03T06:00:00Z",
            author_id="acc-1",
        ),
        *(
            Task(
                id=f"3001{n}",
                container_id="3",
                code=f"P003-1{n}",
                title="Other",
                type_raw="Evolution",
                status_raw="À faire",
                status_native="todo",
                created_at="2026-03-01T05:00:00Z",
                updated_at="2026-03-01T05:00:00Z",
            )
            for n in range(10, 20)
        ),
    ]
    site_of = JiraSimulator()
    site_of.show(things, datetime(2026, 3, 4, tzinfo=UTC))
    settings = {
        **JiraSimulator.settings,
        "history": ("status", "issuetype"),
        "types": {"Evolution": "evolution"},
    }
    with SimulatorServer(site_of) as site:
        first = go(store, site, settings=settings)
        stored = set(
            _stored(
                store,
                "task",
                "title, code, type_raw, nature, status_raw, status_native, points, labels, due_on, "
                "updated_at, kind",
                "title <> 'Other'",
            )
        )
        changes = _stored(store, "task_change", "id, field, from_value, to_value, at, author_id")
        sprints = _stored(store, "iteration", "id, name, state, start_at, finish_at")
        site_of.show(
            [one for one in things if one.id not in {"300001", "300002"}]
            + [
                msgspec.structs.replace(
                    things[4], parent_id=None, title="Renamed", updated_at="2026-03-05T06:00:00Z"
                )
            ],
            datetime(2026, 3, 6, tzinfo=UTC),
        )
        second = go(store, site, settings=settings, census=True)
    present = _stored(store, "task", "code, title, presence", "title <> 'Other'")

    assert (["ok", "ok"], []) == ([first.verdict, second.verdict], first.missing + second.missing)
    assert {
        (
            "Epic",
            "P003-1",
            "Epic",
            "build",
            "À faire",
            "todo",
            None,
            None,
            None,
            "2026-03-01T05:00:00Z",
            "summary",
        ),
        (
            "Story é",
            "P003-2",
            "Evolution",
            "evolution",
            "En cours",
            "in_progress",
            3.0,
            "a b",
            "2026-04-01",
            "2026-03-03T06:00:00Z",
            "work",
        ),
    } == stored
    assert {
        ("jira:h3000020/status", "status", "À faire", "En cours", "2026-03-03T06:00:00Z", "jira:uacc-1"),
        ("jira:h3000029/issuetype", "issuetype", "Bug", "Evolution", "2026-03-03T06:00:00Z", "jira:uacc-1"),
    } == set(changes)
    assert [("jira:s31", "Sprint 1", "active", "2026-03-02T05:00:00Z", "2026-03-20T06:00:00Z")] == sprints
    assert {("P003-1", "Epic", "deleted"), ("P003-2", "Renamed", "present")} == set(present)


def test_a_stand_in_refuses_what_it_cannot_show() -> None:
    """Hours are not of this site: the simulator says so and does not leave them out."""
    with pytest.raises(TypeError, match="does not hold worklog"):
        JiraSimulator().show(
            [Worklog(id="1", container_id="3", day="2026-03-02", seconds=1)], datetime(2026, 3, 4, tzinfo=UTC)
        )


def _stored(store: Store, table: str, columns: str, where: str = "TRUE") -> list[tuple[Any, ...]]:
    return list(store.connection.execute(f"SELECT {columns} FROM {table} WHERE {where} ORDER BY id"))


def test_a_deletion_while_the_ids_are_swept_loses_nothing(store: Store) -> None:
    """The pages shift by one when an issue of the first is deleted.

    The sweep is seen to be short and made again.
    """
    world = JiraWorld(1, caps=CAPS)
    deleted: list[str] = []

    def fault(_: int, request: Request, honest: Callable[[], Response]) -> Response:
        answer = honest()
        if (
            request.path.endswith("/search/jql")
            and not deleted
            and json.loads(request.body)["maxResults"] > 1
        ):
            deleted.append(world.delete(str(min(world.items))))
        return answer

    with SimulatorServer(world, fault) as site:
        report = go(store, site)
    stored = {row[0] for row in store.connection.execute("SELECT id FROM task WHERE presence = 'present'")}
    sweep = [request for request in site.asked if json.loads(request.body or b"{}").get("maxResults") != 1]
    asked = [request.path.rpartition("/")[2] for request in sweep]

    assert asked.index("approximate-count") < asked.index("jql"), (
        "the count has to be of before: else the shorter sweep looks whole"
    )
    assert deleted
    assert "ok" == report.verdict
    assert {f"jira:{native}" for native in world.items} == stored
