"""Mappings against their samples and simulators.

What a row becomes, exact after random days, loud where something is wrong.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import hub_rest.mappings
import pytest
from hub_rest.mapping import Mapping, load, parse, shipped
from hub_rest.rows import RowMapper
from hub_rest.source import RestSource
from hub_rest.testing.laws import loses_a_row
from hub_rest.testing.mapping_certification import SOURCE, MappingCertification, RestWorld

from hub import CellError, ConfigError, SourceDataError
from hub.http import Session
from hub.source import Context
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import store, sync_once
from hub.testing.kit import Request, Response, SimulatorServer, certify, credential, differences, faults

__all__ = ["store"]
HERE = Path(hub_rest.mappings.__file__).parent
DOCS = Path(__file__).parents[3] / "docs" / "rest" / "desk.toml"
README = Path(__file__).parents[1] / "README.md"
LEVELS = {
    name: level.lower()
    for name, level in re.findall(
        r"^\| `([\w-]+)` \| [^|]+ \| (Gold|Silver|Bronze) \|", README.read_text("utf-8"), re.MULTILINE
    )
}
"""The level of each mapping as the README says it: certification has to say the same."""
NAMES = sorted(LEVELS)
SAMPLE = (
    "reads-everything",
    "secrets-stay-secret",
    "cursor-is-a-stamp-seen",
    "late-arrivals",
    "increments-are-used",
    "deleted-while-paging",
    "a-page-that-repeats",
    "renamed-field",
    "deletions-are-found",
    "hidden-is-not-deleted",
    "ids-survive-a-move",
)


def certification(name: str) -> MappingCertification:
    return MappingCertification(HERE / f"{name}.toml")


def go(store: Store, site: SimulatorServer, examined: MappingCertification, **options: Any) -> SourceReport:
    site.asked.clear()
    return sync_once(store, examined.source(site.url), session=faults.hurried, **options)


def test_the_shipped_mappings_are_these() -> None:
    assert NAMES == shipped()


@pytest.mark.parametrize("name", NAMES)
def test_each_row_of_the_sample_becomes_what_the_sheet_says(name: str) -> None:
    """Rows as the tool documents them, records written by hand: nothing more, nothing less."""
    examined = certification(name)
    mapper = RowMapper(
        examined.mapping, name=SOURCE, tz="Europe/Paris", day_s=7 * 3600, params=examined.params,
        look=examined.look,
    )  # fmt: skip
    found: dict[str, dict[str, Any]] = {}
    for one in examined.mapping.list:
        for row in examined.sample.get(one.name, []):
            for record in mapper.records(one, row, examined.params | row.get("_each", {})):
                found.setdefault(record.table, {})[record.id.removeprefix(f"{SOURCE}:")] = record
    assert {table: sorted(rows) for table, rows in examined.expected.items()} == {
        table: sorted(rows) for table, rows in found.items()
    }
    for table, rows in examined.expected.items():
        for native, fields in rows.items():
            assert fields == {name: getattr(found[table][native], name) for name in fields}, (table, native)


@pytest.mark.long
@pytest.mark.parametrize("name", LEVELS)
def test_a_mapping_is_certified_like_a_plugin(name: str, proof: bool) -> None:
    """At the level that the README says, and nothing fails; whole in the proof, on three seeds."""
    if not proof and name not in {"azure-devops", "glpi", "servicenow"}:
        pytest.skip("make proof certifies every mapping")
    for seed in range(2026, 2029 if proof else 2027):
        report = certify(certification(name), seed=seed, only=() if proof else SAMPLE)

        assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
        if proof:
            assert LEVELS[name] == report.level


@pytest.mark.long
@pytest.mark.sample(8)
@pytest.mark.parametrize("name", LEVELS)
def test_after_random_days_the_store_is_the_tool(name: str, store: Store, proof: bool) -> None:
    """Rounds of adding, changing, deleting and moving, some with a fault in between, end in equality."""
    examined = certification(name)
    world = examined.world(5)
    rng = random.Random(5)
    deeds = ["add", "edit", "edit", "delete"] + ["move"] * ("containers" in examined.capabilities)
    with SimulatorServer(world) as site:
        for day in range(30 if proof else 6):
            for _ in range(rng.randint(0, 4)):
                deed = rng.choice(deeds)
                world.move(rng.choice(world.rows())) if deed == "move" else getattr(world, deed)()
            site.fault = rng.choice(
                [
                    None,
                    faults.status_once(rng.randint(1, 5), 503),
                    faults.reset_once(rng.randint(1, 5)),
                    faults.status_from(rng.randint(1, 5), 403),
                ]
            )
            go(store, site, examined, census=True)
            site.fault = None
            report = go(store, site, examined, census=True)
            assert ("ok", []) == (report.verdict, report.missing), day
            assert [] == differences(store, SOURCE, world), day


LISTS = [(name, one.name) for name in NAMES for one in certification(name).mapping.list if one.record]


@pytest.mark.long
@pytest.mark.sample(17)
@pytest.mark.parametrize(("name", "one"), LISTS)
def test_each_list_loses_one_row_and_it_leaves(name: str, one: str, store: Store) -> None:
    """What a tool does not show any more is not there in the store either, whichever list it was in."""
    assert [] == loses_a_row(store, certification(name), one)


@pytest.mark.long
def test_the_walk_through_is_short_and_certified() -> None:
    """The mapping of the documentation: at most 60 lines, Gold on a sample of the laws."""
    assert len(DOCS.read_text(encoding="utf-8").splitlines()) <= 60
    assert [] == certify(MappingCertification(DOCS), seed=7, only=SAMPLE).failures()


# ---------- what may be wrong in a mapping ----------

GOOD = """
title = "Desk"
[[list]]
name = "tickets"
path = "/tickets"
params = { after = "{since}" }
cursor = { field = "at" }
[[list.record]]
table = "task"
fields = { id = "id", container_id = { value = "x" }, title = "subject" }
"""


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('title = "subject"', 'titel = "subject"'), "task has no field 'titel'. Did you mean 'title'?"),
        ((', title = "subject"', ""), "task needs the field 'title'."),
        (('table = "task"', 'table = "ticket"'), "'ticket' is no record."),
        (
            ('"{since}"', '"{until}"'),
            "{until} has no value; known here: app_token, password, since, size, user.",
        ),
        (
            ('"{since}"', '"now"'),
            "it has a cursor, and no parameter uses {since}: every run would read everything.",
        ),
        (('"{since}"', '"{since}{page}"'), "{page} has no value; its paging or cursor gives none."),
        (('title = "subject"', 'title = "a ||"'), "'a ||' is no JMESPath"),
        (('title = "subject"', "title = {}"), "task.title needs a path or a value."),
        (
            ('title = "subject"', 'title = "subject", kind = { value = "epic" }'),
            "task.kind cannot be 'epic'. It can be work, summary, milestone, deliverable.",
        ),
        (
            ("cursor = {", 'deletes = { kind = "probe" }\ncursor = {'),
            "deletes by flag need field, by probe probe",
        ),
        (("cursor = {", 'paging = { kind = "next" }\ncursor = {'), "paging by next needs next"),
        (
            ("cursor = {", 'each = { list = "boards", set = { board = "id" } }\ncursor = {'),
            "each.list = 'boards' is no list above it.",
        ),
        (("cursor = {", "cursr = {"), "unknown key 'cursr'"),
        (('title = "Desk"', 'title = "Desk"\nauth = { kind = "session" }'), "kind = 'session' needs url."),
        (('title = "Desk"', 'title = "Desk"\ntz = "Mars/Olympus"'), "tz = 'Mars/Olympus' is not a time zone"),
        (
            ('title = "subject"', 'title = { path = "subject", unit = "hours" }'),
            "task.title has no unit 'hours'.",
        ),
        (
            ('title = "subject"', 'title = "subject", percent = { path = "p", unit = "days" }'),
            "task.percent has no unit 'days'.",
        ),
        (('title = "Desk"', "title = "), "is not valid TOML"),
        (('title = "Desk"', 'title = "Desk"\naccount = "name"'), "account needs check"),
        (("cursor = {", 'paging = { kind = "page", holes = true }\ncursor = {'), "paging with holes needs"),
        (
            ("cursor = {", 'deletes = { kind = "absence", list = "x" }\ncursor = {'),
            "deletes.list = 'x' is no",
        ),
        (
            ("cursor = {", 'deletes = { kind = "none", list = "tickets" }\ncursor = {'),
            "only deletes by absence may name another list",
        ),
        (
            ('title = "subject"', "title = { path = 'subject', pattern = 'a' }"),
            "pattern = 'a' is no regular expression with one group",
        ),
        (('title = "subject"', "title = { path = 'subject', minus = 'a ||' }"), "'a ||' is no JMESPath"),
    ],
)
def test_a_wrong_mapping_is_told_with_its_place(change: tuple[str, str], said: str) -> None:
    assert isinstance(parse(GOOD, "desk.toml"), Mapping)
    with pytest.raises(ConfigError) as caught:
        parse(GOOD.replace(*change), "desk.toml")
    assert said in str(caught.value)
    assert "desk.toml" in str(caught.value)


def test_a_mapping_that_is_not_there() -> None:
    with pytest.raises(ConfigError, match="Give a file, or one of asana, azure-devops"):
        load("nowhere.toml", Path("/"))


def test_a_session_that_ends_within_a_run(store: Store) -> None:
    """Another one is opened, and the run goes on."""
    ended: list[str] = []

    def fault(number: int, request: Request, honest: Callable[[], Any]) -> Any:
        if number == 4 and "initSession" not in request.path:
            ended.append(request.path)
            return Response(status=401, body=["ERROR_SESSION_TOKEN_INVALID"])
        return honest()

    with SimulatorServer(certification("glpi").world(1), fault) as site:
        settings = {"token": credential(), "app_token": credential()}
        report = sync_once(store, RestSource(name="rest", url=site.url, mapping="glpi", **settings))
        opened = sum("initSession" in request.path for request in site.asked)

    assert ("ok", 1, 2) == (report.verdict, len(ended), opened), report.missing


def test_what_signing_in_needs_is_said(store: Store) -> None:
    """A source without what its tool asks for fails before anything is sent."""
    with SimulatorServer(certification("glpi").world(1)) as site:
        report = sync_once(store, RestSource(name="rest", url=site.url, mapping="glpi", token=credential()))
        assert ("failed", "GLPI signs in by session and needs app_token: add it to the source.") == (
            report.verdict,
            report.error,
        )
        report = sync_once(store, RestSource(name="rest", url=site.url, mapping="gitlab", token=credential()))
        assert "GitLab needs params = { group = … }." in str(report.error)
        assert [] == site.asked


# ---------- what may be wrong in an answer ----------


class Desk(RestWorld):
    """The desk of the documentation, whose answers a test may bend."""

    bend: Any = None

    def answer(self, request: Request) -> Response:
        answer = super().answer(request)
        is_list = isinstance(answer.body, dict) and "data" in answer.body
        return self.bend(request, answer) if self.bend and is_list else answer


@pytest.mark.parametrize(
    ("bend", "said"),
    [
        (
            lambda q, a: Response(body={"data": a.body["data"], "next": None}),
            "nothing at 'count', where the number of",
        ),
        (lambda q, a: Response(body={"rows": [], "count": 0}), "nothing at 'data', where"),
        (lambda q, a: Response(body={"data": {"0": 1}, "count": 1}), "at data stands no list"),
        (
            lambda q, a: Response(body=a.body | {"data": [row | {"id": None} for row in a.body["data"]]}),
            "a row has nothing at 'id', its key",
        ),
        (
            lambda q, a: Response(body=a.body | {"data": [row | {"label": None} for row in a.body["data"]]}),
            "nothing at 'label', which is container.name",
        ),
        (
            lambda q, a: Response(
                body=a.body | {"data": [row | {"modified": "soon"} for row in a.body["data"]]}
            ),
            "task.updated_at from 'modified'",
        ),
        (
            lambda q, a: Response(
                body=a.body | {"data": [row | {"minutes": "ten"} for row in a.body["data"]]}
            ),
            "task.estimate_s from 'minutes'",
        ),
        (
            lambda q, a: Response(body=a.body | {"count": 999}),
            "different rows came where its total says 999, 3 times",
        ),
    ],
)
def test_a_wrong_answer_is_told_and_takes_nothing_away(bend: Any, said: str, store: Store) -> None:
    examined = MappingCertification(DOCS)
    world = Desk(examined, 3)
    with SimulatorServer(world) as site:
        assert "ok" == go(store, site, examined).verdict
        kept = {row[0] for row in store.connection.execute("SELECT id FROM task WHERE presence = 'present'")}
        world.bend = bend
        report = go(store, site, examined, full=True)
        assert report.verdict != "ok"
        assert said in " ".join([*report.missing, *report.rejections, str(report.error)])
        assert kept == {
            row[0] for row in store.connection.execute("SELECT id FROM task WHERE presence = 'present'")
        }


def test_a_key_with_another_name_is_read_again_when_it_is_back(store: Store) -> None:
    """Rows that came without what they should have are not done.

    Not green meanwhile, and right afterwards.
    """
    examined = MappingCertification(DOCS)
    with SimulatorServer(examined.world(3)) as site:
        assert "ok" == go(store, site, examined).verdict
        site.fault = faults.rename_field("due")
        for _ in range(2):
            report = go(store, site, examined, full=True)
            assert "partial" == report.verdict
            assert "no row has due, but due_v2" in " ".join(report.missing)
        site.fault = None
        assert "ok" == go(store, site, examined).verdict
    assert [] == list(
        store.connection.execute("SELECT id FROM task WHERE due_on IS NULL AND status_raw = 'open'")
    )


def test_the_next_page_on_another_host_is_not_asked_for(store: Store) -> None:
    """Credentials go with a question: a tool that sends elsewhere is not followed."""
    examined = certification("gitlab")
    world = examined.world(1)

    def elsewhere(_: int, __: Request, honest: Any) -> Response:
        answer = honest()
        answer.headers = (
            {"Link": '<https://elsewhere.example.org/x>; rel="next"'}
            if "Link" in answer.headers
            else answer.headers
        )
        return answer

    with SimulatorServer(world, elsewhere) as site:
        report = go(store, site, examined)
    assert (
        "the next page is said to be on another host, elsewhere.example.org: it was not asked for"
        in " ".join(report.missing)
    )


def test_check_says_what_becomes_of_each_list() -> None:
    examined = certification("openproject")
    with SimulatorServer(examined.world(1)) as site:
        told = {
            one.name: (one.state, one.detail)
            for one in examined.source(site.url).check(
                Context(base=Path(), source_id="rest", session=Session)
            )
        }
    assert ("ok", "signed in as Zoé Martin") == told["account"]
    assert ("ok", "47 rows: task") == told["work packages"]


def one_field(field: str, value: Any) -> Any:
    """Return what *value* becomes in a *field* of a task, written as in a mapping."""
    name = field.partition(" ")[0]
    mapping = parse(GOOD.replace('title = "subject"', f'title = "subject", {field}'), "x")
    mapper = RowMapper(mapping, name="s", tz="Europe/Paris", day_s=25200)
    (record,) = mapper.records(mapping.list[0], {"id": 1, "subject": "t", "effort": value}, {})
    return getattr(record, name)


def effort(value: Any, unit: str) -> Any:
    return one_field(f'estimate_s = {{ path = "effort", unit = "{unit}" }}', value)


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        ("PT2H", "iso", 7200),
        ("P1DT4H", "iso", 100800),
        ("-PT30M", "iso", -1800),
        ("P1W", "iso", 604800),
        ("PT0.5H", "iso", 1800),
        (1.5, "hours", 5400),
        ("2", "minutes", 120),
        (2, "days", 50400),
        (1500, "milliseconds", 2),
        ("1970-01-02 03:00:00", "glide", 97200),
        (-90, "seconds", -90),
    ],
)
def test_efforts_are_seconds(value: Any, unit: str, wanted: int) -> None:
    assert wanted == effort(value, unit)


@pytest.mark.parametrize(
    ("value", "unit"),
    [("2 hours", "iso"), ("P", "iso"), ("PT", "iso"), ("soon", "glide"), ("x", "hours"), (True, "hours")],
)
def test_what_is_no_effort_is_refused(value: Any, unit: str) -> None:
    with pytest.raises(CellError, match=r"tickets, row 1: task.estimate_s from 'effort'"):
        effort(value, unit)


def test_a_list_is_asked_for_once_per_row_of_another(store: Store, tmp_path: Path) -> None:
    """Two levels of fan-out; what is in a board that is not shown any more stays."""
    mapping = tmp_path / "boards.toml"
    mapping.write_text("""
title = "Boards"
[[list]]
name = "spaces"
path = "/spaces"
[[list]]
name = "boards"
path = "/spaces/{space}/boards"
each = { list = "spaces", set = { space = "id" } }
[[list.record]]
table = "container"
fields = { id = "id", kind = { value = "board" }, name = "name" }
[[list]]
name = "cards"
path = "/spaces/{space}/boards/{board}/cards"
each = { list = "boards", set = { board = "id" } }
deletes = { kind = "absence" }
[[list.record]]
table = "task"
fields = { id = "id", container_id = "board", title = "name" }
""")
    answers: dict[str, Any] = {
        "/spaces": [{"id": 1}, {"id": 2}],
        "/spaces/1/boards": [{"id": 5, "name": "A"}],
        "/spaces/2/boards": [{"id": 6, "name": "B"}],
        "/spaces/1/boards/5/cards": [
            {"id": 50, "name": "a"},
            {"id": 51, "name": "b"},
            {"id": 53, "name": "c"},
        ],
        "/spaces/2/boards/6/cards": [{"id": 60, "name": "c"}],
    }

    class Boards(Desk):
        def __init__(self) -> None:
            self.random = random.Random(1)

        def answer(self, request: Request) -> Response:
            return Response(body=answers[request.path]) if request.path in answers else Response(status=404)

    def present() -> set[str]:
        return {row[0] for row in store.connection.execute("SELECT id FROM task WHERE presence = 'present'")}

    with SimulatorServer(Boards()) as site:
        source = RestSource(name="b", url=site.url, mapping=str(mapping), max_leave=0.5)
        assert "ok" == sync_once(store, source).verdict
        assert {"b:50", "b:51", "b:53", "b:60"} == present()
        answers["/spaces/1/boards/5/cards"].pop()
        answers["/spaces/2/boards"] = []
        assert "ok" == sync_once(store, source).verdict
        assert {"b:50", "b:51", "b:60"} == present()
        assert [("b:53", "absent from the whole list cards")] == [
            tuple(row)
            for row in store.connection.execute(
                "SELECT id, presence_evidence FROM task WHERE presence = 'deleted'"
            )
        ]


def test_samples_hold_nothing_but_what_is_documented() -> None:
    """The sheets name every table that a mapping makes."""
    for name in NAMES:
        made = {record.table for one in certification(name).mapping.list for record in one.record}
        assert made == set(json.loads((HERE / f"{name}.expected.json").read_text(encoding="utf-8"))), name


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("2024-03-30T23:30:00Z", "2024-03-31"),
        ("2024-03-30", "2024-03-30"),
        ("30/03/2024", "2024-03-30"),
        (1711841400, "2024-03-31"),
        ("/Date(1711841400000)/", "2024-03-31"),
        ("/Date(1711839599000+0000)/", "2024-03-30"),
    ],
)
def test_a_day_is_the_civil_one_of_the_source(value: Any, day: str) -> None:
    """A stamp falls on a day in the zone of the source, a day is as it is written."""
    assert day == one_field('due_on = "effort"', value)


def test_a_row_without_what_it_needs_is_an_error() -> None:
    mapper = RowMapper(parse(GOOD, "x"), name="s", tz="Europe/Paris", day_s=25200)
    with pytest.raises(CellError, match="could be the 03/01 or the 01/03: say the field's format"):
        one_field('due_on = "effort"', "03/01/2024")
    with pytest.raises(SourceDataError, match=r"tickets, row 1: nothing at 'subject', which is task.title"):
        list(mapper.records(parse(GOOD, "x").list[0], {"id": 1}, {}))


def test_one_wrong_value_costs_its_row_only(store: Store) -> None:
    """The row is named, the others are taken, nothing leaves, and it is asked for until it is right."""
    examined = MappingCertification(DOCS)
    world = Desk(examined, 3)
    with SimulatorServer(world) as site:
        assert "ok" == go(store, site, examined).verdict
        known = store.rows("SELECT count(*) AS n FROM task WHERE presence = 'present'")
        chosen = []

        def bend(_: Request, answer: Response) -> Response:
            rows = answer.body.get("data", []) if isinstance(answer.body, dict) else []
            tickets = [row for row in rows if "minutes" in row]
            if tickets and not chosen:
                chosen.append(tickets[0]["id"])
            changed = [
                row | {"minutes": "1,234"} if row.get("id") in chosen and "minutes" in row else row
                for row in rows
            ]
            return Response(body=answer.body | {"data": changed}) if tickets else answer

        world.bend = bend
        for _ in range(2):
            report = go(store, site, examined, full=True)
            assert "partial" == report.verdict
            assert ["could be a thousand or a fraction" in line for line in report.rejections] == [True]
        assert known == store.rows("SELECT count(*) AS n FROM task WHERE presence = 'present'")
        world.bend = None
        assert ("ok", []) == ((last := go(store, site, examined)).verdict, last.missing)
    assert [] == differences(store, SOURCE, world)
