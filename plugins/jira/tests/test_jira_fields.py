"""Fields that somebody chose in fields.csv: any type, by id or name, and only those."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hub_jira.fields import FieldDef
from hub_jira.source import JiraSource
from hub_jira.testing import EMAIL, Caps, JiraWorld, ServerWorld
from hub_jira.testing.certification import CAPS
from hub_jira.testing.fields import field_def
from hub_jira.testing.world import AREAS, POINTS, SEVERITY, SPRINT, TYPES_OF_JIRA, option, sprint_row

from hub.source import Check, Context, Offer
from hub.store import Store
from hub.sync import SourceReport
from hub.testing import HubResult, hub_folder, run_hub, store, sync_once
from hub.testing.kit import SECRET, Request, Response, SimulatorServer, credential, faults

__all__ = ["hub_folder", "run_hub", "store"]
BOTH = pytest.mark.parametrize("world_of", [JiraWorld, ServerWorld], ids=["cloud", "data center"])
FIELD = "customfield_10900"
SPACE = "f1668d0c-828c-470c-b7d1-8c4f48cd345a"


def source(site: SimulatorServer, **settings: Any) -> JiraSource:
    cloud = {"email": EMAIL} if site.world.cloud else {}
    return JiraSource(**{"name": "jira", "url": site.url, "token": credential(), **cloud, **settings})


def go(store: Store, site: SimulatorServer, *fields: str, **options: Any) -> SourceReport:
    site.asked.clear()
    chosen = {"jira": dict.fromkeys(fields, "text")}
    return sync_once(store, source(site), session=faults.hurried, fields=chosen, **options)


def kept(store: Store, native: int, field: str) -> list[tuple[Any, ...]]:
    return [
        tuple(row)
        for row in store.connection.execute(
            "SELECT text, number, day FROM custom_value WHERE row_id = ? AND field = ? "
            "AND presence = 'present'",
            (f"jira:{native}", field),
        )
    ]


def checked(site: SimulatorServer, *fields: str) -> tuple[dict[str, Check], dict[str, Offer]]:
    context = Context(
        base=Path(), source_id="jira", session=lambda: faults.hurried(context),
        fields=dict.fromkeys(fields, "text"),
    )  # fmt: skip
    here = source(site)
    said = {one.name: one for one in here.check(context)}
    offers = {one.native: one for one in here.offers(context)}
    context.close()
    return said, offers


def user(number: int, *, cloud: bool) -> dict[str, Any]:
    who = {"accountId": f"new-{number}"} if cloud else {"key": f"new-{number}", "name": f"login{number}"}
    return who | {"displayName": f"Sponsor {number}", "active": True}


TYPES = [
    ("option", "", "select", option("High"), ("High", None, None)),
    ("option", "", "radiobuttons", option("Yes"), ("Yes", None, None)),
    ("array", "option", "multiselect", [option("A"), option("B")], ("A, B", None, None)),
    ("array", "option", "multicheckboxes", [option("One, two"), option("3")],
     ("One,\u00a0two, 3", None, None)),
    ("option-with-child", "", "cascadingselect", option("A") | {"child": option("B")},
     ("A / B", None, None)),
    ("option-with-child", "", "cascadingselect", option("A"), ("A", None, None)),
    ("number", "", "float", 2.5, (None, 2.5, None)),
    ("number", "", "float", 0, (None, 0.0, None)),
    ("date", "", "datepicker", "2026-03-09", (None, None, "2026-03-09")),
    ("datetime", "", "datetime", "2026-03-10T02:30:00.000+0100", (None, None, "2026-03-09")),
    ("string", "", "textfield", "free, as written", ("free, as written", None, None)),
    ("string", "", "textarea", "two\nlines", ("two\nlines", None, None)),
    ("string", "", "url", "https://example.org/a?b", ("https://example.org/a?b", None, None)),
    ("array", "string", "labels", ["x", "y"], ("x, y", None, None)),
    ("group", "", "grouppicker", {"name": "jira-users", "groupId": "1"}, ("jira-users", None, None)),
    ("array", "group", "multigrouppicker", [{"name": "a"}, {"name": "b"}], ("a, b", None, None)),
    ("version", "", "version", {"id": "1", "name": "1.0", "released": False}, ("1.0", None, None)),
    ("array", "version", "multiversion", [{"id": "1", "name": "1.0"}, {"id": "2", "name": "2.0"}],
     ("1.0, 2.0", None, None)),
    ("project", "", "project", {"id": "7", "key": "ACME", "name": "Acme"}, ("Acme", None, None)),
    ("string", "", "select", None, None),
    ("array", "option", "multiselect", [], None),
    ("string", "", "textfield", "  ", None),
    ("sd-customerrequesttype", "", "vp-origin", {"requestType": {"id": "1", "name": "Laptop"}},
     ("Laptop", None, None)),
    ("sd-feedback", "", "sd-request-feedback", {"rating": 4}, (None, 4.0, None)),
    ("any", "", "rlabs-customfield-default-object", ["SYD-1 (ITSM-88)", "SYD-2 (ITSM-89)"],
     ("SYD-1 (ITSM-88), SYD-2 (ITSM-89)", None, None)),
]  # fmt: skip
"""Type, that of the items, the end of the schema, a value as Jira shows it; text, number and day by hand."""


@BOTH
def test_every_type(world_of: type[JiraWorld], store: Store) -> None:
    """Each becomes what people see: a text, several parted by commas, a number, a day of the account."""
    world = world_of(2, caps=CAPS)
    native = min(world.items)
    ids = [f"customfield_{11_000 + n}" for n in range(len(TYPES))]
    rows = list(zip(ids, TYPES, strict=True))
    world.field_list = (
        *world.field_list,
        *(field_def(one, one, kind, f"{TYPES_OF_JIRA}:{custom}", items)
          for one, (kind, items, custom, _, _) in rows),
    )  # fmt: skip
    world.odd = {native: {one: shown for one, (_, _, _, shown, _) in rows}}
    with SimulatorServer(world) as site:
        report = go(store, site, *ids)

    assert ("ok", []) == (report.verdict, report.rejections)
    assert [(one, [held] if held else []) for one, (_, _, _, _, held) in rows] == [
        (one, kept(store, native, one)) for one in ids
    ]


@BOTH
def test_people_are_accounts(world_of: type[JiraWorld], store: Store) -> None:
    """One is the id of an account that is there, several are a list of them."""
    world = world_of(2, caps=CAPS)
    other = "customfield_10901"
    one, two = sorted(world.items)[:2]
    world.field_list = (
        *world.field_list,
        field_def(FIELD, "Sponsor", "user", f"{TYPES_OF_JIRA}:userpicker"),
        field_def(other, "Approvers", "array", f"{TYPES_OF_JIRA}:multiuserpicker", "user"),
    )
    cloud = world.cloud
    world.odd = {
        one: {FIELD: user(8, cloud=cloud), other: [user(8, cloud=cloud), user(9, cloud=cloud)]},
        two: {FIELD: {"displayName": "Former user"}},
    }
    with SimulatorServer(world) as site:
        report = go(store, site, "Sponsor", "approvers")
    names = dict(store.connection.execute("SELECT id, display_name FROM account WHERE id LIKE 'jira:unew%'"))

    assert [("jira:unew-8", None, None)] == kept(store, one, "Sponsor")
    assert [("jira:unew-8, jira:unew-9", None, None)] == kept(store, one, "approvers")
    assert {"jira:unew-8": "Sponsor 8", "jira:unew-9": "Sponsor 9"} == names
    assert ("partial", 1) == (report.verdict, report.rejected)


def test_objects_of_assets_by_their_label(store: Store) -> None:
    """Cloud tells the ids of objects only: what they are called is asked for all of a page at once."""
    world = JiraWorld(2, caps=CAPS)
    one, two = sorted(world.items)[:2]
    world.field_list = (
        *world.field_list,
        field_def(FIELD, "System", "array", "com.atlassian.jira.plugins.cmdb:cmdb-object-cftype",
                  "cmdb-object-field"),
    )  # fmt: skip
    world.objects = {"88": "SYD-1", "89": "SYD-2"}
    shown = [{"workspaceId": SPACE, "id": f"{SPACE}:{n}", "objectId": n} for n in ("88", "89")]
    world.odd = {one: {FIELD: shown}, two: {FIELD: [shown[1], {**shown[0], "objectId": "7"}]}}
    with SimulatorServer(world) as site:
        report = go(store, site, "System")
        asked = [request for request in site.asked if "/assets/" in request.path]
        site.fault = lambda _, request, honest: (
            Response(status=403, body={}) if "/assets/" in request.path else honest()
        )
        labels = kept(store, one, "System"), kept(store, two, "System")
        with Store.open("sqlite://") as fresh:
            fields = {"jira": {"System": "list"}}
            without = sync_once(fresh, source(site), base=Path(), session=faults.hurried, fields=fields)
            ids = kept(fresh, one, "System")

    assert "ok" == report.verdict, report.missing
    assert 1 == len(asked)
    assert ([("SYD-1, SYD-2", None, None)], [("SYD-2, 7", None, None)]) == labels
    assert [("88, 89", None, None)] == ids
    assert ("ok", True) == (without.verdict, "kept by their ids" in " ".join(without.notes))


@BOTH
def test_by_id_and_by_name(world_of: type[JiraWorld], store: Store) -> None:
    """Untranslated or as the account sees it, in any case; the value stands under the words of the file."""
    world = world_of(2, caps=CAPS)
    world.words = {"Severity": "Schweregrad"}
    native = next(n for n in world.items if n % 4 == 0)
    world.field_list = (
        *world.field_list,
        field_def(FIELD, "Version", "string", f"{TYPES_OF_JIRA}:textfield"),
    )
    world.odd = {native: {FIELD: "2.0"}}
    words = (SEVERITY, "Severity", "SEVERITY", "Schweregrad", "schweregrad")
    with SimulatorServer(world) as site:
        report = go(store, site, *words, "version")

    assert "ok" == report.verdict, report.missing
    assert [("2.0", None, None)] == kept(store, native, "version")
    assert [[("Major", None, None)]] * 5 == [kept(store, native, one) for one in words]


@BOTH
def test_a_name_of_two_fields_is_refused(world_of: type[JiraWorld], store: Store) -> None:
    """Both ids are named, by the run and by the check; the id of one of them is taken."""
    world = world_of(2, caps=CAPS)
    world.field_list = (
        *world.field_list, field_def(FIELD, "severity", "option", f"{TYPES_OF_JIRA}:select"),
    )  # fmt: skip
    with SimulatorServer(world) as site:
        refused = go(store, site, "Severity")
        said, _ = checked(site, "Severity", SEVERITY)
        taken = go(store, site, SEVERITY)

    assert "failed" == refused.verdict
    assert f"{SEVERITY}, {FIELD}" in str(refused.error)
    assert ("failed", True) == (said["Severity"].state, f"{SEVERITY}, {FIELD}" in said["Severity"].detail)
    assert SEVERITY not in said
    assert "ok" == taken.verdict, taken.missing


def test_a_field_that_is_not_there(store: Store) -> None:
    """The run says it and is well; the check fails. What is always there may be named."""
    world = JiraWorld(2, caps=CAPS)
    with SimulatorServer(world) as site:
        report = go(store, site, "Severety", "components", "Fix versions")
        said, _ = checked(site, "Severety", "components")

    assert "ok" == report.verdict, report.missing
    assert 1 == sum("Severety" in one for one in report.notes)
    assert not any("components" in one for one in report.notes)
    assert ("failed", False) == (said["Severety"].state, "components" in said)


@BOTH
def test_only_chosen_fields_are_asked(world_of: type[JiraWorld], store: Store) -> None:
    """Nobody asks for the others, in any kind of run; a choice reads all again, once."""
    world = world_of(2, caps=Caps())
    native = next(n for n in world.items if n % 4 == 0)

    def names(site: SimulatorServer) -> set[str]:
        bodies = [json.loads(one.body) for one in site.asked if one.body]
        return {name for body in bodies for name in body.get("fields", ())}

    with SimulatorServer(world) as site:
        go(store, site)
        without = names(site)
        go(store, site, "Severity")
        chosen, held = names(site), kept(store, native, "Severity")
        go(store, site, "Severity")
        quiet = go(store, site, "Severity")
        calm = len(site.asked)
        world.choose(str(native), "Minor", ())
        go(store, site, "Severity")
        changed = kept(store, native, "Severity")
        world.choose(str(native), None, ())
        go(store, site, "Severity")
        emptied = kept(store, native, "Severity")
        go(store, site)
        left = store.rows("SELECT 1 FROM custom_value WHERE field = 'Severity' AND presence = 'present'")

    assert set() == {SEVERITY, AREAS} & without
    assert {SEVERITY} == {SEVERITY, AREAS} & chosen
    assert (4, 0) == (calm, quiet.changes.updated)
    assert [[("Major", None, None)], [("Minor", None, None)], []] == [held, changed, emptied]
    assert [] == left


def test_another_field_of_that_name_is_read_anew(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """The field was made again in Jira: its values come without an issue being touched, a day later."""
    from datetime import timedelta

    from hub import clock

    world = JiraWorld(2, caps=CAPS)
    native = min(world.items)
    with SimulatorServer(world) as site:
        go(store, site, "Severity")
        world.field_list = (
            *(one for one in world.field_list if one["id"] != SEVERITY),
            field_def(FIELD, "Severity", "option", f"{TYPES_OF_JIRA}:select"),
        )
        world.odd = {native: {FIELD: option("New")}}
        at = clock.now() + timedelta(hours=25)
        monkeypatch.setattr(clock, "now", lambda: at)
        go(store, site, "Severity")

    assert [("New", None, None)] == kept(store, native, "Severity")


ODD = [
    ("number", "float", 1.0, {"value": "five"}),
    ("number", "float", 1.0, "soon"),
    ("number", "float", 1.0, "Infinity"),
    ("number", "float", 1.0, True),
    ("date", "datepicker", "2026-01-01", "soon"),
    ("date", "datepicker", "2026-01-01", 5),
    ("datetime", "datetime", "2026-01-01T12:00:00.000+0000", "soon"),
    ("datetime", "datetime", "2026-01-01T12:00:00.000+0000", 10**30),
    ("user", "userpicker", None, "somebody"),
    ("option", "select", option("A"), {"id": "1"}),
    ("option", "select", option("A"), [[1]]),
    ("array", "multiselect", [option("A")], [{"id": "1"}]),
    ("array", "gh-sprint", None, [{"name": "no id"}]),
]
"""Type, the end of the schema, a value, and one that is of another type."""


@BOTH
def test_an_odd_value_costs_itself(world_of: type[JiraWorld], store: Store) -> None:
    """The issue is there with everything else, the value before stays, and it is listed until it is right."""
    world = world_of(2, caps=CAPS)
    native = next(n for n in world.items if n % 4 == 0)
    ids = [f"customfield_{11_000 + n}" for n in range(len(ODD))]
    world.field_list = (
        *world.field_list,
        *(field_def(one, one, kind, f"com.pyxis.greenhopper.jira:{custom}")
          for one, (kind, custom, _, _) in zip(ids, ODD, strict=True)),
    )  # fmt: skip
    good = {one: row[2] for one, row in zip(ids, ODD, strict=True)}
    world.odd = {native: good}
    with SimulatorServer(world) as site:
        well = go(store, site, *ids, "Severity")
        before = [kept(store, native, one) for one in ids]
        world.odd = {native: {one: row[3] for one, row in zip(ids, ODD, strict=True)}}
        world.touch(str(native))
        report = go(store, site, *ids, "Severity")
        after = [kept(store, native, one) for one in ids]
        world.odd = {native: good}
        world.touch(str(native))
        mended = go(store, site, *ids, "Severity")

    assert ("ok", "partial", "ok") == (well.verdict, report.verdict, mended.verdict), report.missing
    assert (len(ODD), 0) == (report.rejected, mended.rejected)
    assert before == after
    assert [("Major", None, None)] == kept(store, native, "Severity")


def test_sprints_by_their_names(store: Store) -> None:
    """A field that means something may be chosen too: sprints are listed, points are a number."""
    world = JiraWorld(2, caps=CAPS)
    native = next(n for n in world.items if n % 8)
    closed = sprint_row(8, state="closed", completeDate="2024-03-20T08:00:00.000Z")
    world.odd = {native: {SPRINT: [sprint_row(9), closed]}}
    with SimulatorServer(world) as site:
        report = go(store, site, "Sprint", "Story point estimate", "priority")

    assert "ok" == report.verdict, report.missing
    assert [("Sprint 8, Sprint 9", None, None)] == kept(store, native, "Sprint")
    assert [(None, float(native % 8), None)] == kept(store, native, "Story point estimate")


@BOTH
def test_offers(world_of: type[JiraWorld], store: Store) -> None:
    """The fields of the site with their types, and how many of the issues that changed last have each.

    One question tells it of all.
    """
    world = world_of(2, caps=Caps())
    with SimulatorServer(world) as site:
        _, offers = checked(site)
        asked = [request for request in site.asked if b"customfield" in request.body]
    share = sum(n % 4 == 0 for n in world.items) / len(world.items)

    assert [("Severity", "text", "task", share), ("Areas", "list", "task", share)] == [
        (one.title, one.type, one.level, one.filled) for one in (offers[SEVERITY], offers[AREAS])
    ]
    assert "number" == offers[POINTS].type
    assert SPRINT not in offers
    assert 1 == len(asked)


@pytest.mark.parametrize(
    ("kind", "custom", "offered"),
    [
        ("number", "a:float", "number"),
        ("date", "a:datepicker", "date"),
        ("datetime", "a:datetime", "date"),
        ("array", "a:multiselect", "list"),
        ("option-with-child", "a:cascadingselect", "text"),
        ("any", "com.pyxis.greenhopper.jira:gh-lexo-rank", None),
        ("sd-servicelevelagreement", "com.atlassian.servicedesk:sd-sla-field", None),
    ],
)
def test_types_of_offers(kind: str, custom: str, offered: str | None) -> None:
    """Each is what fields.csv calls it; ranks and clocks are nothing to slice by."""
    assert offered == FieldDef(id="customfield_1", schema={"type": kind, "custom": custom}).offer


def test_hub_check_lists_a_line_to_paste(
    hub_folder: Path, run_hub: Callable[..., HubResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The line of fields.csv names the field by its id."""
    monkeypatch.setenv("JIRA_TOKEN", SECRET)
    with SimulatorServer(JiraWorld(2, caps=CAPS)) as site:
        (hub_folder / "config").mkdir(exist_ok=True)
        (hub_folder / "config" / "hub.toml").write_text(
            f'[sources.acme]\nkind = "jira"\nurl = "{site.url}"\nemail = "{EMAIL}"\n'
            'token = { env = "JIRA_TOKEN" }\n'
        )
        result = run_hub("check", "acme")

    assert f"line: severity;task;acme;{SEVERITY};text;Severity;Severity;;" in result.output
    assert 0 == result.exit_code, result.output


def test_requests_stay_the_same(store: Store) -> None:
    """Fields cost no request of their own."""
    counts = []
    for fields in ((), ("Severity", "Areas")):
        with Store.open("sqlite://") as fresh, SimulatorServer(JiraWorld(2)) as site:
            chosen = {"jira": dict.fromkeys(fields, "text")}
            sync_once(fresh, source(site), base=Path(), session=faults.hurried, fields=chosen)
            counts.append(len(site.asked))

    assert counts[0] == counts[1]


def test_a_request_that_names_a_field(store: Store) -> None:
    """A search that names every field that is kept is one that Jira answers."""
    seen: list[Request] = []
    with SimulatorServer(JiraWorld(2, caps=CAPS)) as site:
        go(store, site, "Severity", SEVERITY)
        seen += [one for one in site.asked if one.path.endswith("/bulkfetch") and b"fields" in one.body]

    assert all(1 == json.loads(one.body)["fields"].count(SEVERITY) for one in seen)
    assert seen
