"""``/_api/ProjectData``: figures by hand, forms by their specifications, rights by brute force, a client."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import reporting_world as world
from hub_msproject.services.server import ServerSource
from hub_serve.projectdata import answer
from hub_serve.projectdata.sets import REASONS, SQL_TYPES, entity_sets, prepare, rows_sql
from hypothesis import given
from hypothesis import strategies as st
from reporting_world import HOURS, LEVELS, TEAMS, USERS, WORK, Served, served
from starlette.testclient import TestClient

from hub import Secret
from hub.feed import load_manifest
from hub.feed.build import open_feed
from hub.store import Store
from hub.testing import store, sync_once

__all__ = ["store"]
JSON = {"accept": "application/json"}
BASE = "/_api/ProjectData"
ATOM = {
    "a": "http://www.w3.org/2005/Atom",
    "d": "http://schemas.microsoft.com/ado/2007/08/dataservices",
    "m": "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata",
    "e": "http://schemas.microsoft.com/ado/2009/11/edm",
    "v4": "http://docs.oasis-open.org/odata/ns/edm",
}
POWER_QUERY = (
    "application/json;odata=minimalmetadata;q=1.0,application/json;odata=fullmetadata;q=0.9,"
    "application/atomsvc+xml;q=0.8,application/atom+xml;q=0.8,application/json;q=0.7,text/plain;q=0.7"
)
PACK: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "content_pack.json").read_text(encoding="utf-8")
)
"""The columns that the queries of Microsoft's own content pack select; ``TIME -`` is made in the report."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served(tmp_path_factory.mktemp("serve")) as found:
        yield found


@pytest.fixture(scope="module")
def client(site: Served) -> TestClient:
    return site.reader()


def rows(client: TestClient, path: str, **headers: str) -> list[dict[str, Any]]:
    """Return the rows of all pages."""
    found: list[dict[str, Any]] = []
    address: str | None = f"{BASE}/{path}"
    while address:
        said = client.get(address, headers=JSON | headers)
        assert said.status_code == 200, said.text
        body = said.json()
        found += body["value"]
        address = body.get("odata.nextLink")
    return found


def by_name(client: TestClient, name: str, column: str) -> dict[str, dict[str, Any]]:
    return {row[column]: row for row in rows(client, name)}


# ---------- what is there ----------


@pytest.mark.long
@pytest.mark.parametrize("name", PACK)
def test_the_queries_of_the_content_pack_are_answered(client: TestClient, name: str) -> None:
    """A column that is selected and not there fails an old report's refresh: all are."""
    selected = PACK[name]
    path = f"{BASE}/[en-us]/{name}?$select={','.join(selected)}"
    found = client.get(path, headers=JSON).json()["value"]
    feed = ElementTree.fromstring(client.get(path).text)
    cells = feed.find("a:entry/a:content/m:properties", ATOM)

    assert found
    assert cells is not None
    assert selected == list(found[0]) == [cell.tag.partition("}")[2] for cell in cells]


def test_all_columns_of_the_content_pack_are_counted() -> None:
    """The list of facts names 193 in 15 sets: TimeSet's ``TIME -`` is the report's, its day the service's."""
    assert (15, 193) == (len(PACK), sum(map(len, PACK.values())))


def test_every_column_is_of_its_type_and_every_gap_has_its_reason() -> None:
    """What is not given has a reason in words; what is called constant is; the rest fits its type."""
    folder = world.feed()
    feed = open_feed(folder)
    sets = prepare(feed, load_manifest(folder))
    wrong = []
    for one in sets.values():
        found = feed.execute(rows_sql(one))
        types = {name: str(kind) for name, kind, *_ in found.description}
        lines = found.fetchall()
        for place, (name, kind) in enumerate(one.columns.items()):
            expected = SQL_TYPES[kind].partition("(")[0]
            values = {line[place] for line in lines}
            if types[name].partition("(")[0] != expected:
                wrong.append(f"{one.name}.{name} is {types[name]}, not {expected}")
            if one.origin(name) == "constant" and len(values) > 1:
                wrong.append(f"{one.name}.{name} is no constant")
            if one.origin(name) == "unknown" and values != {None}:
                wrong.append(f"{one.name}.{name} is called unknown")
            if name in one.key and None in values:
                wrong.append(f"{one.name}.{name} is a key without a value")
        keys = [tuple(line[list(one.columns).index(name)] for name in one.key) for line in lines]
        if len(keys) != len(set(keys)):
            wrong.append(f"{one.name} has a key twice")
    feed.close()
    used = {
        one.reason_code(name)
        for one in sets.values()
        for name in one.columns
        if one.origin(name) == "unknown"
    }

    assert [] == wrong
    assert {*REASONS} == used, "each reason is used, and each that is used is written"


def test_the_service_lists_what_cannot_be_known(client: TestClient) -> None:
    listed = {(row["EntitySet"], row["Column"]): row for row in rows(client, "HubColumns")}
    page = client.get(f"{BASE}/$unknown")

    assert {
        (name, column)
        for name, one in entity_sets().items()
        if name != "HubColumns"
        for column in one.columns
    } == {*listed}
    assert ("unknown", "the feed does not tell overtime from the rest") == (
        listed["Tasks", "TaskOvertimeWork"]["Origin"],
        listed["Tasks", "TaskOvertimeWork"]["Reason"],
    )
    assert ("feed", "") == (listed["Tasks", "TaskName"]["Origin"], listed["Tasks", "TaskName"]["Reason"])
    assert "TaskOvertimeWork" in page.text
    assert "TaskName" not in page.text


def test_the_readme_lists_what_of_the_content_pack_cannot_be_known() -> None:
    """Each column that is null, once, and no other."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    listed = sorted(re.findall(r"`(\w+\.\w+)`", text.partition("cannot be known:")[2].partition("## ")[0]))
    sets = entity_sets()

    assert listed == sorted(
        f"{name}.{column}"
        for name, columns in PACK.items()
        for column in columns
        if sets[name].origin(column) == "unknown"
    )


# ---------- figures ----------


def test_a_project_by_hand(client: TestClient) -> None:
    """Ten days of work of each of three tasks, in hours of seven a day; the cancelled one is in nothing."""
    found = by_name(client, "Projects", "ProjectName")["Project A"]
    expected = {
        "ProjectWork": "210.000000",
        "ProjectActualWork": "9.000000",  # 2 + 3 + 4; neither absence nor what was rejected
        "ProjectRemainingWork": "105.000000",
        "ProjectWorkVariance": "98.000000",  # 210 - 2 × 56
        "ProjectStartDate": "2026-01-05T00:00:00",
        "ProjectFinishDate": "2026-02-02T00:00:00",
        "ProjectFinishVariance": "98.000000",  # 14 working days after 13 January
        "ProjectDuration": "147.000000",  # 21 working days
        "ProjectIdentifier": "A",
        "ProjectOwnerName": "ann",
        "ProjectType": 0,
        "ProjectBudgetCost": "5000.0000",
        "ProjectActualCost": "900.0000",  # 9 h of 700 a day
    }

    assert expected == {name: found[name] for name in expected}
    assert by_name(client, "Resources", "ResourceName")["ann"]["ResourceId"] == found["ProjectOwnerId"]


def test_a_task_by_hand(client: TestClient) -> None:
    tasks = by_name(client, "Tasks", "TaskName")
    expected = {
        "TaskWork": "70.000000",
        "TaskRemainingWork": "35.000000",
        "TaskStartDate": "2026-01-05T00:00:00",
        "TaskFinishDate": "2026-01-16T00:00:00",
        "TaskFinishVariance": "21.000000",  # 14, 15 and 16 January
        "TaskWorkVariance": "14.000000",
        "TaskPercentCompleted": 50,
        "TaskIsActive": True,
        "TaskIsMilestone": False,
        "TaskIsSummary": False,
        "ParentTaskName": "Build",
        "TaskOutlineLevel": 2,
        "ProjectName": "Project A",
    }

    assert expected == {name: tasks["a1"][name] for name in expected}
    assert tasks["Build"]["TaskId"] == tasks["a1"]["ParentTaskId"]
    assert (True, False) == (tasks["Go live"]["TaskIsMilestone"], tasks["Dropped"]["TaskIsActive"])


def test_risks_and_issues_have_the_words_that_reports_filter_by(client: TestClient) -> None:
    (risk,) = [row for row in rows(client, "Risks") if row["Title"] == "risk A"]
    (issue,) = [row for row in rows(client, "Issues") if row["Title"] == "issue A"]

    assert ("(1) Active", 0.5, 4.0, 2.0, 10000.0, 5000.0) == tuple(
        risk[name] for name in ("Status", "Probability", "Impact", "Exposure", "Cost", "CostExposure")
    )
    assert ("(1) Active", "2026-06-01T00:00:00") == (issue["Status"], issue["DueDate"])


@pytest.mark.parametrize(
    ("phased", "whole", "key", "column"),
    [
        ("AssignmentTimephasedDataSet", "Assignments", "AssignmentId", "AssignmentWork"),
        ("AssignmentTimephasedDataSet", "Assignments", "AssignmentId", "AssignmentActualWork"),
        (
            "AssignmentBaselineTimephasedDataSet",
            "AssignmentBaselines",
            "AssignmentId",
            "AssignmentBaselineWork",
        ),
        ("TaskTimephasedDataSet", "Tasks", "TaskId", "TaskWork"),
        ("TaskBaselineTimephasedDataSet", "TaskBaselines", "TaskId", "TaskBaselineWork"),
    ],
)
def test_days_add_up_to_what_they_are_parts_of(
    client: TestClient, phased: str, whole: str, key: str, column: str
) -> None:
    """Work over days is the work; none lies on a weekend."""
    sums: dict[str, float] = {}
    days = set()
    for row in rows(client, phased):
        sums[row[key]] = sums.get(row[key], 0.0) + float(row[column] or 0)
        days.add(date.fromisoformat(row["TimeByDay"][:10]))
    expected = {row[key]: float(row[column]) for row in rows(client, whole) if row[column] is not None}

    assert expected
    assert {name: pytest.approx(value, abs=0.001) for name, value in expected.items()} == {
        name: value for name, value in sums.items() if name in expected
    }
    assert {0, 1, 2, 3, 4} >= {day.weekday() for day in days}


def test_what_is_done_is_done_first(client: TestClient) -> None:
    """Of ten days of seven hours three are done: the first three, and nothing of the fourth."""
    found = [
        row
        for row in rows(client, "AssignmentTimephasedDataSet?$orderby=TimeByDay")
        if row["TaskName"] == "a1"
    ]

    assert [(7.0, 7.0)] * 3 + [(7.0, 0.0)] * 7 == [
        (float(row["AssignmentWork"]), float(row["AssignmentActualWork"])) for row in found
    ]


def test_demand_and_capacity_add_up_to_their_weeks(client: TestClient) -> None:
    demand = [row for row in rows(client, "ResourceDemandTimephasedDataSet") if row["ResourceName"] == "ann"]

    assert [("2026-01-12", 7.0), ("2026-01-16", 7.0)] == [
        (min(row["TimeByDay"][:10] for row in demand), float(demand[0]["ResourceDemand"])),
        (max(row["TimeByDay"][:10] for row in demand), float(demand[-1]["ResourceDemand"])),
    ]
    assert 35.0 == pytest.approx(sum(float(row["ResourceDemand"]) for row in demand))


def test_timesheets_hold_every_hour_once(client: TestClient) -> None:
    """By the lines and by their days; a week begins on Monday."""
    lines = rows(client, "TimesheetLines")
    days = rows(client, "TimesheetLineActualDataSet")
    both = ("ActualWorkBillable", "ActualWorkNonBillable")
    told = sum(hours for _, _, hours in HOURS) + 7 + 9999 / 3600

    assert told == pytest.approx(sum(float(row[name]) for row in lines for name in both), abs=0.001)
    assert told == pytest.approx(sum(float(row[name]) for row in days for name in both), abs=0.001)
    assert {row["TimesheetLineId"] for row in lines} == {row["TimesheetLineId"] for row in days}
    assert {row["TimesheetId"] for row in lines} == {row["TimesheetId"] for row in rows(client, "Timesheets")}
    assert {0} == {date.fromisoformat(row["PeriodStartDate"][:10]).weekday() for row in lines}
    assert {"2026-01-05", "2026-01-12"} == {row["StartDate"][:10] for row in rows(client, "TimesheetPeriods")}


def test_ids_are_those_of_another_writer(client: TestClient) -> None:
    """GUIDs are version 5 of RFC 9562 on the feed's keys: Python's own make the same."""
    feed = open_feed(world.feed())
    keys = dict(feed.execute("SELECT title, task_key FROM dim_task").fetchall())
    feed.close()
    space = uuid.uuid5(uuid.NAMESPACE_URL, "https://github.com/pm-hub/pm-hub/ProjectData")
    found = {row["TaskName"]: row["TaskId"] for row in rows(client, "Tasks")}

    assert {name: str(uuid.uuid5(space, f"task/{keys[name]}")) for name in found} == found


@pytest.mark.long
def test_every_reference_is_there(client: TestClient) -> None:
    """A row's project, task and resource are rows of their sets."""
    ids = {
        f"{name[:-1]}Id": {row[f"{name[:-1]}Id"] for row in rows(client, name)}
        for name in ("Projects", "Tasks", "Resources", "Assignments")
    }
    ids["TaskId"].add(str(uuid.UUID(int=0)))
    lost = [
        (name, column)
        for name in PACK
        for row in rows(client, name)
        for column in ids
        if row.get(column) is not None and row[column] not in ids[column]
    ]

    assert [] == lost


# ---------- forms ----------


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("TaskName eq 'a1'", "a1"),
        ("'a1' eq TaskName", "a1"),
        ("TaskIsMilestone eq true", "Go live"),
        ("TaskIsActive eq false", "Dropped"),
        ("not TaskIsActive and TaskName ne null", "Dropped"),
        ("TaskWork gt 70 and (TaskIsActive eq true or TaskIsActive eq false)", "Dropped"),
        ("TaskWork ge 693.0m", "Dropped"),
        (
            "TaskFinishDate ge datetime'2026-02-01T00:00:00' and TaskIsMilestone",
            "Go live",
        ),
        ("TaskFinishDate ge 2026-02-01T00:00:00Z and TaskFinishDate lt 2026-03-01", "Go live"),
        (
            "year(TaskFinishDate) eq 2026 and month(TaskFinishDate) eq 2 and day(TaskFinishDate) eq 2",
            "Go live",
        ),
        ("substringof('live',TaskName)", "Go live"),
        ("substringof('live',TaskName) eq true", "Go live"),
        ("contains(TaskName,'live')", "Go live"),
        ("startswith(tolower(TaskName), 'go')", "Go live"),
        ("endswith(TaskName,'live') and length(TaskName) eq 7", "Go live"),
        ("indexof(TaskName,'live') eq 3", "Go live"),
        ("concat(TaskName,'!') eq 'Go live!'", "Go live"),
        ("TaskIsSummary eq true", "Build"),
        ("TaskWork add 1 gt 600.5M and TaskName ne 'a guid''x'''", "Dropped"),
        ("TaskWork add 1 gt 600.5M and TaskStartDate gt datetime'0001-01-01T00:00:00'", "Dropped"),
        ("TaskName in ('a1','zz')", "a1"),
        ("ParentTaskName eq 'Build' and TaskWork le 70", "a1"),
    ],
)
def test_filters(client: TestClient, asked: str, expected: str) -> None:
    """Literals and functions of version 3 and of version 4."""
    found = client.get(f"{BASE}/Tasks", params={"$filter": asked, "$select": "TaskName"}, headers=JSON)

    assert [{"TaskName": expected}] == found.json()["value"]


@pytest.mark.parametrize("form", ["guid'{id}'", "{id}", "'{id}'"])
def test_an_id_may_be_written_in_each_way(client: TestClient, form: str) -> None:
    project = by_name(client, "Projects", "ProjectName")["Project B"]["ProjectId"]
    asked = "ProjectId eq " + form.format(id=project)
    found = client.get(f"{BASE}/Tasks", params={"$filter": asked}, headers=JSON).json()["value"]
    one = client.get(f"{BASE}/Projects({form.format(id=project)})", headers=JSON).json()
    tasks = client.get(f"{BASE}/Projects({form.format(id=project)})/Tasks", headers=JSON).json()["value"]

    assert {"b1", "b2", "b3"} == {row["TaskName"] for row in found} == {row["TaskName"] for row in tasks}
    assert ("Project B", f"http://127.0.0.1:8321{BASE}/$metadata#Projects/@Element") == (
        one["ProjectName"],
        one["odata.metadata"],
    )


@pytest.mark.long
@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("Tasks?$filter=TaskName eq", 400, "cannot be read from position"),
        ("Tasks?$filter=Nope eq 1", 400, "Tasks has no property 'Nope'"),
        ("Tasks?$filter=TaskName eq 1", 400, "a text and a number cannot be compared"),
        ("Tasks?$filter=TaskName", 400, "'TaskName' is neither true nor false"),
        ("Tasks?$filter=TaskName eq 'a' or", 400, "$filter"),
        ("Tasks?$filter=(TaskName eq 'a'", 400, "$filter ends too early"),
        (
            "Tasks?$filter=TaskName eq 'a' ; DROP TABLE x",
            400,
            "cannot be read from position 16: '; DROP TABLE x'",
        ),
        ("Tasks?$filter=TaskId eq guid'x'", 400, "$filter: x does not exist"),
        ("Tasks?$filter=TaskStartDate eq datetime'2026-99-01'", 400, "2026-99-01 does not exist"),
        ("Tasks?$filter=TaskStartDate eq datetime'0001-99-01'", 400, "0001-99-01 does not exist"),
        ("Tasks?$filter=cast(TaskWork) eq 2", 501, "cast is not supported"),
        ("Tasks?$filter=" + "not (" * 200 + "true" + ")" * 200, 400, "is nested too deep"),
        ("Tasks?$select=Nope", 400, "Tasks has no Nope"),
        ("Tasks?$select=Project/ProjectName", 501, "Tasks has no Project/ProjectName"),
        ("Tasks?$orderby=Nope", 400, "'Nope' is no column of Tasks"),
        ("Tasks?$orderby=TaskName;DROP", 400, "is no column of Tasks"),
        ("Tasks?$top=-1", 400, "$top is a whole number"),
        ("Tasks?$skip=x", 400, "$skip is a whole number"),
        ("Tasks?$top=1&$top=2", 400, "$top is given twice"),
        ("Tasks?$expand=Project", 501, "$expand is not supported"),
        ("Tasks?$apply=aggregate(x)", 501, "$apply is not supported"),
        ("Tasks?$skiptoken=1", 400, "$skiptoken"),
        ("Tasks?$inlinecount=all", 400, "$inlinecount is allpages, none"),
        ("Tasks(guid'0091d85d-52d7-5759-a3c1-e018654eae69')", 400, "The key of Tasks is ProjectId, TaskId"),
        ("Projects(guid'0091d85d-52d7-5759-a3c1-e018654eae69')", 404, "no such row"),
        ("Projects(1)", 400, "a GUID and a number cannot be compared"),
        ("Nope", 404, "no entity set Nope"),
        ("Tasks/Project", 501, "Project is not supported"),
        ("sqlite_master", 404, "no entity set"),
    ],
)
def test_what_cannot_be_answered_says_why(client: TestClient, path: str, status: int, said: str) -> None:
    """What is wrong is 400 with its place, what is not supported 501; the answer has the form asked for."""
    found = client.get(f"{BASE}/{path}", headers=JSON)
    atom = client.get(f"{BASE}/{path}")

    assert status == found.status_code == atom.status_code
    assert said in found.json()["odata.error"]["message"]["value"]
    assert ElementTree.fromstring(atom.text).find("m:message", ATOM) is not None


@pytest.mark.parametrize(
    "odd", ["'; DROP TABLE dim_task; --", 'Ann\'s "x"', "%", "\\", "\x00", "é\N{SNOWMAN}", "${x}"]
)
def test_no_value_becomes_sql(client: TestClient, odd: str) -> None:
    asked = "TaskName eq '" + odd.replace("'", "''") + "'"
    found = client.get(f"{BASE}/Tasks", params={"$filter": asked}, headers=JSON)

    assert (200, []) == (found.status_code, found.json()["value"])


@pytest.mark.long
def test_pages_hold_every_row_once(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each page but the last says where it goes on, in every form, and $top counts over all pages."""
    everything = [row["TaskName"] for row in rows(client, "Tasks?$orderby=TaskName")]
    monkeypatch.setattr(answer, "PAGE", 3)
    paged = rows(client, "[en-us]/Tasks?$orderby=TaskName&$select=TaskName&$inlinecount=allpages")
    five = rows(client, "Tasks?$orderby=TaskName&$select=TaskName&$top=5&$skip=2")
    three = client.get(f"{BASE}/Tasks?$top=3", headers=JSON).json()
    verbose = client.get(
        f"{BASE}/Tasks?$orderby=TaskName", headers={"accept": "application/json;odata=verbose"}
    ).json()
    atom = ElementTree.fromstring(client.get(f"{BASE}/Tasks?$orderby=TaskName").text)
    link = atom.find("a:link[@rel='next']", ATOM)

    assert 9 == len(everything)
    assert everything == [row["TaskName"] for row in paged]
    assert everything[2:7] == [row["TaskName"] for row in five]
    assert "odata.nextLink" not in three
    assert everything[3] == client.get(verbose["d"]["__next"], headers=JSON).json()["value"][0]["TaskName"]
    assert link is not None
    assert everything[3] == client.get(link.attrib["href"], headers=JSON).json()["value"][0]["TaskName"]


def test_a_page_stays_with_its_feed(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next page is of the same feed; once that is not kept any more, the reader begins again."""
    monkeypatch.setattr(answer, "PAGE", 3)
    following = client.get(f"{BASE}/Tasks", headers=JSON).json()["odata.nextLink"]
    feed = world.feed().name
    gone = client.get(following.replace(feed, "20200101T000000Z-000000"), headers=JSON)

    assert feed in following
    assert 410 == gone.status_code


@pytest.mark.parametrize(
    ("path", "accept", "headers", "media", "version"),
    [
        ("", "", {}, "application/atomsvc+xml", "DataServiceVersion"),
        ("Tasks", "", {}, "application/atom+xml;type=feed", "DataServiceVersion"),
        ("Tasks", "*/*", {}, "application/atom+xml;type=feed", "DataServiceVersion"),
        ("Tasks", "application/json", {}, "application/json;odata=minimalmetadata", "DataServiceVersion"),
        (
            "Tasks",
            "application/json;odata=verbose",
            {},
            "application/json;odata=verbose",
            "DataServiceVersion",
        ),
        (
            "Tasks",
            "application/json;odata=nometadata",
            {},
            "application/json;odata=nometadata",
            "DataServiceVersion",
        ),
        (
            "Tasks",
            "application/json;odata.metadata=minimal",
            {},
            "application/json;odata.metadata=minimal",
            "OData-Version",
        ),
        (
            "Tasks",
            "application/json",
            {"odata-version": "4.0"},
            "application/json;odata.metadata=minimal",
            "OData-Version",
        ),
        # what Power Query says by itself, and with [Implementation="2.0"]
        (
            "Tasks",
            POWER_QUERY,
            {"maxdataserviceversion": "3.0"},
            "application/json;odata=minimalmetadata",
            "DataServiceVersion",
        ),
        (
            "Tasks",
            f"application/json;odata.metadata=minimal;q=1.0,{POWER_QUERY}",
            {"maxdataserviceversion": "3.0", "odata-maxversion": "4.0"},
            "application/json;odata=minimalmetadata",
            "DataServiceVersion",
        ),
        (
            "Tasks?$format=json",
            "application/atom+xml",
            {},
            "application/json;odata=minimalmetadata",
            "DataServiceVersion",
        ),
        (
            "Tasks?$format=atom",
            "application/json",
            {},
            "application/atom+xml;type=feed",
            "DataServiceVersion",
        ),
    ],
)
def test_the_form_is_the_one_asked_for(
    client: TestClient, path: str, accept: str, headers: dict[str, str], media: str, version: str
) -> None:
    """A client that also speaks version 3 gets it, as from the service that reports were written for."""
    found = client.get(f"{BASE}/{path}", headers={"accept": accept, **headers})

    assert found.headers["content-type"].startswith(media)
    assert version in found.headers


def test_what_we_do_not_have_is_not_acceptable(client: TestClient) -> None:
    assert 415 == client.get(f"{BASE}/Tasks?$format=xml2").status_code
    assert 406 == client.get(f"{BASE}/Tasks", headers={"accept": "image/png"}).status_code


def test_each_form_has_the_same_values(client: TestClient) -> None:
    """Version 3 writes decimals as texts and moments without a zone, version 4 numbers and UTC."""
    path = (
        f"{BASE}/Tasks?$select=TaskName,TaskWork,TaskStartDate,TaskIsActive,TaskWBS&$filter=TaskName eq 'a1'"
    )
    light = client.get(path, headers=JSON).json()
    verbose = client.get(path, headers={"accept": "application/json;odata=verbose"}).json()["d"]["results"][0]
    new = client.get(path, headers={"accept": "application/json;odata.metadata=minimal"}).json()
    cells = ElementTree.fromstring(client.get(path).text).find("a:entry/a:content/m:properties", ATOM)
    assert cells is not None
    row = {
        "TaskName": "a1",
        "TaskWork": "70.000000",
        "TaskStartDate": "2026-01-05T00:00:00",
        "TaskIsActive": True,
        "TaskWBS": None,
    }

    assert [row] == light["value"]
    assert row == {name: value for name, value in verbose.items() if name != "__metadata"}
    assert "ReportingData.Task" == verbose["__metadata"]["type"]
    assert [row | {"TaskWork": 70.0, "TaskStartDate": "2026-01-05T00:00:00Z"}] == new["value"]
    assert (
        f"http://127.0.0.1:8321{BASE}/$metadata#Tasks(TaskName,TaskWork,TaskStartDate,TaskIsActive,TaskWBS)"
        == (new["@odata.context"])
    )
    assert [
        ("a1", None),
        ("70.000000", "Edm.Decimal"),
        ("2026-01-05T00:00:00", "Edm.DateTime"),
        ("true", "Edm.Boolean"),
        (None, None),
    ] == [(cell.text, cell.get(f"{{{ATOM['m']}}}type")) for cell in cells]
    assert "true" == cells[4].get(f"{{{ATOM['m']}}}null")


@pytest.mark.parametrize(
    ("headers", "space", "moment"),
    [({}, "e", "Edm.DateTime"), ({"odata-maxversion": "4.0"}, "v4", "Edm.DateTimeOffset")],
)
def test_the_model_names_what_the_rows_have(
    client: TestClient, headers: dict[str, str], space: str, moment: str
) -> None:
    """Every set has a type with its key, and a row has the model's columns in its order."""
    model = ElementTree.fromstring(client.get(f"{BASE}/[en-us]/$metadata", headers=headers).text)
    types = {one.get("Name"): one for one in model.iterfind(f".//{space}:EntityType", ATOM)}
    sets = {one.get("Name"): one.get("EntityType") for one in model.iterfind(f".//{space}:EntitySet", ATOM)}
    columns = {
        name: [
            cell.get("Name")
            for cell in types[(kind or "").partition(".")[2]].iterfind(f"{space}:Property", ATOM)
        ]
        for name, kind in sets.items()
    }
    start = types["Task"].find(f"{space}:Property[@Name='TaskStartDate']", ATOM)
    listed = client.get(BASE, headers=JSON).json()["value"]

    assert {*entity_sets()} == {*sets} == {one["name"] for one in listed}
    assert columns["Tasks"] == list(rows(client, "Tasks?$top=1")[0])
    assert start is not None
    assert moment == start.get("Type")
    assert ["ProjectId", "TaskId"] == [
        one.get("Name") for one in types["Task"].iterfind(f"{space}:Key/{space}:PropertyRef", ATOM)
    ]


def test_counts_and_unchanged(client: TestClient) -> None:
    first = client.get(f"{BASE}/Tasks?$inlinecount=allpages&$top=1", headers=JSON)
    again = client.get(
        f"{BASE}/Tasks?$inlinecount=allpages&$top=1", headers=JSON | {"if-none-match": first.headers["etag"]}
    )

    assert ("9", "9") == (first.json()["odata.count"], client.get(f"{BASE}/Tasks/$count").text)
    assert "3" == client.get(f"{BASE}/Tasks/$count?$filter=ProjectName eq 'Project B'").text
    assert (304, b"") == (again.status_code, again.content)
    assert 405 == client.post(f"{BASE}/Tasks").status_code


ODD_WORDS = (
    "TaskName TaskWork TaskId TaskStartDate TaskIsActive Nope eq ne gt and or not ( ) , 'a1' 1 1e308 -5.5m "
    "99999999999999999999 null true substringof year length concat indexof round day ' \" ; -- \x00 "
    "guid'0091d85d-52d7-5759-a3c1-e018654eae69' datetime'0001-01-01T00:00:00' 9999-12-31T23:59:59Z"
)
ODD_OPTIONS = "$filter $select $orderby $top $skip $format $inlinecount $skiptoken $x"
_WORDS = st.sampled_from(ODD_WORDS.split(" "))
_OPTIONS = st.dictionaries(
    st.sampled_from(ODD_OPTIONS.split()),
    st.lists(_WORDS, min_size=1, max_size=7).map(" ".join) | st.text(max_size=12) | st.integers().map(str),
    max_size=3,
)


@given(
    name=st.sampled_from(["Tasks", "Projects", "TimeSet", "Tasks/$count", "Projects(1)"]), options=_OPTIONS
)
def test_no_question_breaks_the_service(client: TestClient, name: str, options: dict[str, str]) -> None:
    """Whatever is asked is answered, or refused with a reason; a fault inside would be raised here."""
    found = client.get(f"{BASE}/{name}", params=options, headers=JSON)

    assert found.status_code in {200, 400, 404, 406, 410, 415, 501}


# ---------- rights ----------


def allowed(user: str, project: str | None, team: str | None) -> bool:
    """Say whether a row with a project and a team shows to *user*, by the lines of access.csv."""
    return any(
        (wanted is None or wanted == project) and (of is None or of == team) for wanted, of in USERS[user]
    )


def expected(user: str) -> dict[str, set[str]]:
    """Return by hand which rows of each set *user* sees, by a name of each."""
    work = {(task, home, who) for task, (home, who) in WORK.items()}
    shows = {task: (home, who) for task, home, who in work if allowed(user, home, TEAMS.get(who or ""))}
    logged = {(task, who) for task, who, _ in HOURS if allowed(user, WORK[task][0], TEAMS[who])}
    projects = {code for code in "AB" if allowed(user, code, None)}
    others = {"Build", "Go live", "Dropped"} if "A" in projects else set()
    reached = projects | {home for home, _ in shows.values()} | {WORK[task][0] for task, _ in logged}
    demand = {who for who in ("ann", "al") if allowed(user, "A", TEAMS[who])}
    return {
        "Tasks": {*shows} | others,
        "TaskBaselines": {*shows} & {"a1", "a2"},
        "Assignments": {*shows},
        "AssignmentTimephasedDataSet": {*shows},
        "Projects": {f"Project {code}" for code in reached | ({"A"} if demand else set())},
        "Risks": {f"risk {code}" for code in projects},
        "Issues": {f"issue {code}" for code in projects},
        "ResourceDemandTimephasedDataSet": demand,
        "TimesheetLines": {f"{task} {who}" for task, who in logged}
        | ({" al"} if allowed(user, "A", "Red") else set())
        | ({"a1 ann"} if allowed(user, "A", "Red") else set()),
    }


@pytest.mark.long
@pytest.mark.parametrize("user", USERS)
def test_each_user_sees_its_own_rows_of_every_set(site: Served, user: str) -> None:
    """By brute force: what access.csv allows is there, row by row, and nothing else, in every set."""
    client = site.reader(person=user)
    names = {
        "Tasks": "TaskName",
        "TaskBaselines": "TaskName",
        "Assignments": "TaskName",
        "AssignmentTimephasedDataSet": "TaskName",
        "Projects": "ProjectName",
        "Risks": "Title",
        "Issues": "Title",
        "ResourceDemandTimephasedDataSet": "ResourceName",
    }
    found = {name: {row[column] for row in rows(client, name)} for name, column in names.items()}
    found["TimesheetLines"] = {
        f"{row['TaskName'] or ''} {row['TimesheetOwner']}" for row in rows(client, "TimesheetLines")
    }
    people = {row["ResourceName"] for row in rows(client, "Resources")}
    teams = {team for project, team in USERS[user] if project is None}

    assert expected(user) == found
    assert people >= {who for who, team in TEAMS.items() if team in teams}


@pytest.mark.long
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("user", USERS)
def test_no_set_has_a_name_that_is_not_the_readers(site: Served, user: str, level: Any, proof: bool) -> None:
    """Every name in every set that a user sees is one of its own feed; persons have theirs at one level."""
    if not proof and (level not in {"nominative-line", "project"} or user not in {"team@x.org", "two@x.org"}):
        pytest.skip("a sample: two levels and two users")
    client = site.reader(level, person=user)
    with world.opened(world.feed().parent)(level, user, world.feed().name) as feed:
        own = {
            text
            for table in ("dim_project", "dim_task", "dim_person", "fact_register")
            for line in feed.connection.execute(f"FROM {table}").fetchall()
            for text in line
            if isinstance(text, str)
        }
    told = set()
    for name in entity_sets():
        if name not in {"HubColumns", "TimeSet"}:
            for row in rows(client, name):
                told |= {row[key] for key in row if key.endswith(("Name", "Title", "Owner")) and row[key]}
    classes = {"Standard", "Absence", "Administrative"}
    secret = {"ann", "al", "bob", "cleo"}

    assert [] == sorted(told - own - classes - {row for row in told if row[:2] == "20"})
    assert not (told & secret) or level == "nominative-line"


@pytest.mark.parametrize("user", USERS)
def test_a_sum_is_of_the_readers_own_rows(site: Served, user: str) -> None:
    """A project's actual work is the hours that the reader sees, not all of them."""
    hours: dict[str, float] = {}
    for task, who, spent in HOURS:
        if allowed(user, WORK[task][0], TEAMS[who]):
            hours[f"Project {WORK[task][0]}"] = hours.get(f"Project {WORK[task][0]}", 0.0) + spent
    found = {
        row["ProjectName"]: float(row["ProjectActualWork"])
        for row in rows(site.reader(person=user), "Projects")
        if row["ProjectActualWork"] is not None
    }

    assert hours == found


def test_no_token_no_row(site: Served) -> None:
    """Without a token there is no answer, and none of another kind of token."""
    client = TestClient(site.app, base_url="http://127.0.0.1:8321")
    statuses = {
        client.get(f"{BASE}/{name}").status_code for name in ("", "$metadata", "$unknown", *entity_sets())
    }

    assert {401} == statuses


# ---------- an independent client ----------


@pytest.fixture
def address(site: Served) -> Iterator[str]:
    with world.over_http(site) as found:
        yield found


@pytest.mark.long
def test_the_hubs_own_reader_of_that_service_gets_the_same(
    site: Served, address: str, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The source ``project-server`` was written from the other side: tasks, days and hours are the same."""
    monkeypatch.setattr(answer, "PAGE", 4)
    monkeypatch.setenv("OLD_REPORT", site.tokens.create("old report", level="nominative-line", days=1))
    word = Secret("env", "OLD_REPORT", Path())
    source = ServerSource(
        name="old", url=address, user="x", password=word, basic=True, links=False, hours_per_day=7.0
    )
    report = sync_once(store, source)
    tasks = {
        row[0]: row[1:]
        for row in store.connection.execute(
            "SELECT title, estimate_s, remaining_s, planned_start_on, planned_finish_on, kind FROM task "
            "WHERE presence = 'present'"
        )
    }
    hours = sorted(
        store.connection.execute(
            "SELECT t.title, a.display_name, w.day, w.seconds FROM worklog w JOIN task t ON t.id = w.task_id "
            "JOIN account a ON a.id = w.account_id WHERE w.presence = 'present' AND w.origin = 'timesheet'"
        ).fetchall()
    )
    first = date(2026, 1, 5)

    assert ("ok", []) == (report.verdict, [*report.missing])
    assert {"a1", "a2", "a3", "b1", "b2", "b3", "Build", "Go live"} <= {*tasks}
    assert (10 * world.DAY, 5 * world.DAY, "2026-01-05", "2026-01-16", "work") == tasks["b2"]
    assert sorted(
        [
            (task, who, str(first + timedelta(days=n)), spent * 3600)
            for n, (task, who, spent) in enumerate(HOURS)
        ]
        + [("a1", "ann", "2026-01-13", 9999)]
    ) == [tuple(row) for row in hours]
