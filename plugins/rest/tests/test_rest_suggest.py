"""`hub rest suggest` writes what reads the answer it was made of, and marks what it does not know."""

from __future__ import annotations

import contextlib
import copy
import functools
import json
import tomllib
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import jsonschema
import pytest
from hub_rest.command import suggestion
from hub_rest.mapping import Mapping, parse
from hub_rest.schema import mapping_schema
from hub_rest.testing.asked import OPEN, Asked

from hub import ConfigError
from hub.store import Store
from hub.testing import store
from hub.testing.kit import Request, Response, credential

__all__ = ["store"]


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End the tools of a test."""
    yield
    while OPEN:
        OPEN.pop().__exit__()


def suggested(answer: Any, folder: Path, name: str = "answer", only: str | None = None) -> str:
    (folder / f"{name}.json").write_text(json.dumps(answer), encoding="utf-8")
    text = suggestion(str(folder / f"{name}.json"), title=None, headers=(), only=only)
    validator().validate(tomllib.loads(text))
    return text


@functools.cache
def validator() -> Any:
    return jsonschema.Draft202012Validator(mapping_schema())


def lists(text: str) -> Mapping:
    return parse(text, "made.toml")


def unsure(text: str) -> list[str]:
    """Return the lines that are marked, without those that no answer can tell."""
    lines = text.splitlines()
    marked = [lines[n + 1].lstrip("# ") for n, line in enumerate(lines) if line.startswith("# unsure")]
    always = ("auth", "check", "path", "deletes", "incremental", "paging")
    return [line for line in marked if not line.startswith(always)]


JSON_API = {
    "data": [
        {"id": "11", "type": "time_entries",
         "attributes": {"date": "2026-10-05", "minutes": 450, "updated_at": "2026-10-05T10:00:00Z"},
         "relationships": {"person": {"data": {"type": "people", "id": "7"}}, "task": {"data": None}}},
        {"id": "12", "type": "time_entries",
         "attributes": {"date": "2026-10-06", "minutes": 45, "updated_at": "2026-10-06T10:00:00Z"},
         "relationships": {"person": {"data": {"type": "people", "id": "7"}},
                           "task": {"data": {"type": "tasks", "id": "99"}}}},
    ],
    "included": [{"id": "7", "type": "people", "attributes": {"name": "A"}}],
    "meta": {"current_page": 1, "total_pages": 1, "total_count": 2}, "links": {"next": None},
}  # fmt: skip
ODATA_2 = {"d": {"__count": "2", "results": [
    {"__metadata": {"uri": "u"}, "TimeSheetRecord": "1", "WorkDate": "/Date(1791158400000)/",
     "Hours": "7.50", "ProjectID": "P1", "EmployeeID": "E1"},
    {"__metadata": {"uri": "v"}, "TimeSheetRecord": "2", "WorkDate": "/Date(1791244800000)/",
     "Hours": "0.75", "ProjectID": "P1", "EmployeeID": "E1"},
]}}  # fmt: skip
DATAVERSE = {"@odata.count": 2, "value": [
    {"@odata.etag": "1", "msdyn_timeentryid": "a-1", "msdyn_date": "2026-10-05", "msdyn_minutes": 450,
     "_msdyn_project_value": "p1", "modifiedon": "2026-10-05T10:00:00Z"},
    {"@odata.etag": "1", "msdyn_timeentryid": "a-2", "msdyn_date": "2026-10-06", "msdyn_minutes": 45,
     "_msdyn_project_value": "p1", "modifiedon": "2026-10-06T10:00:00Z"},
]}  # fmt: skip
KEYED = {"data": {
    "77": {"hours": "7:30", "date": "2026-10-05", "project_id": 9, "user_id": 4},
    "78": {"hours": "0:45", "date": "2026-10-06", "project_id": 9, "user_id": 4},
}}  # fmt: skip
COLUMNS = {
    "columns": ["entry_id", "date", "user_id", "hours"],
    "rows": [[1, "2026-10-05", 4, 7.5], [2, "2026-10-06", 4, 0.75]],
}
SPANS = [
    {"id": 1, "project_id": 8, "user_id": 4, "start": "2026-10-05T08:00:00Z", "stop": "2026-10-05T15:30:00Z",
     "duration": 450},
    {"id": 2, "project_id": 8, "user_id": 4, "start": "2026-10-06T08:00:00Z", "stop": "2026-10-06T08:45:00Z",
     "duration": 45},
]  # fmt: skip
PARTS = {"STATUS": "OK", "time-entries": [
    {"id": "100", "project-id": "5", "person-id": "6", "date": "2026-10-05T00:00:00Z", "hours": "7",
     "minutes": "30"},
    {"id": "101", "project-id": "5", "person-id": "6", "date": "2026-10-06T00:00:00Z", "hours": "0",
     "minutes": "45"},
]}  # fmt: skip
NESTED = {"tasks": [
    {"id": 1, "title": "A", "project": {"id": 5}, "time_entries": [
        {"id": 10, "date": "2026-10-05", "minutes": 450, "user_id": 3},
        {"id": 11, "date": "2026-10-06", "minutes": 45, "user_id": 3}]},
    {"id": 2, "title": "B", "project": {"id": 5}, "time_entries": []},
]}  # fmt: skip
ZONED = {"time_entries": [
    {"id": "x", "project_id": 1, "start": {"dateTime": "2026-10-04T23:30:00", "timeZone": "America/New_York"},
     "hours": 7.5},
    {"id": "y", "project_id": 1, "start": {"dateTime": "2026-10-06T09:00:00", "timeZone": "Europe/Paris"},
     "hours": 0.75},
]}  # fmt: skip
EPOCHS = {"worklogs": [
    {"id": 1, "task": {"id": 3}, "started_at": 1791158400000, "seconds": 27000, "user": {"id": 5}},
    {"id": 2, "task": {"id": 3}, "started_at": 1791244800000, "seconds": 2700, "user": {"id": 5}},
]}  # fmt: skip
WRAPPED = [
    {"time_entry": {"id": 1, "spent_on": "2026-10-05", "hours": 7.5, "project": {"id": 1, "name": "A"}}},
    {"time_entry": {"id": 2, "spent_on": "2026-10-06", "hours": 0.75, "project": {"id": 1, "name": "A"}}},
]
SPENT = {"time_entries": [
    {"id": 1, "created_at": "2026-10-09T08:00:00Z", "time_spent": "07:30", "agent_id": 4, "task_id": 2,
     "executed_at": "2026-10-05T08:00:00Z", "date": None},
    {"id": 2, "created_at": "2026-10-09T08:00:00Z", "time_spent": "00:45", "agent_id": 4, "task_id": 2,
     "executed_at": "2026-10-06T08:00:00Z", "date": None},
]}  # fmt: skip
LOGGED = [
    {"logged_time_id": "a", "people_id": 1, "project_id": 2, "date": "2026-10-05", "hours": 7.5},
    {"logged_time_id": "b", "people_id": 1, "project_id": 2, "date": "2026-10-06", "hours": 0.75},
]
HOURS = {
    "spent": SPENT, "logged": LOGGED,
    "json-api": JSON_API, "odata-2": ODATA_2, "dataverse": DATAVERSE, "keyed": KEYED, "columns": COLUMNS,
    "spans": SPANS, "parts": PARTS, "nested": NESTED, "zoned": ZONED, "epochs": EPOCHS, "wrapped": WRAPPED,
}  # fmt: skip


@pytest.mark.parametrize("shape", HOURS)
def test_hours_in_the_shapes_that_tools_have(shape: str, store: Store, tmp_path: Path) -> None:
    """7.5 hours on the 5th of October 2026 and 45 minutes on the 6th, however they are written."""
    text = suggested(HOURS[shape], tmp_path)
    asked = Asked(store, tmp_path, text.replace('kind = "bearer"', 'kind = "none"'), lambda _: HOURS[shape])
    report = asked.sync()
    found = {(row["day"], row["seconds"]) for row in store.rows("SELECT day, seconds FROM worklog")}

    assert {("2026-10-05", 27_000), ("2026-10-06", 2_700)} == found, text
    assert 0 == report.rejected
    assert not [one for one in report.missing if not one.startswith("nothing is known of")]
    assert ([] if shape != "odata-2" else ['key = "TimeSheetRecord"']) == unsure(text)


def test_projects_and_people_that_stand_in_the_rows(store: Store, tmp_path: Path) -> None:
    """One answer is enough for a first portfolio: its hours, and whose and of what they are, by name."""
    rows = [{"id": 1, "date": "2026-10-05", "hours": 2, "project": {"id": 5, "name": "P"}, "user": None},
            {"id": 2, "date": "2026-10-05", "hours": 3, "project": {"id": 5, "name": "P"},
             "user": {"id": 7, "name": "A"}}]  # fmt: skip
    text = suggested({"time_entries": rows}, tmp_path).replace('kind = "bearer"', 'kind = "none"')
    report = Asked(store, tmp_path, text, lambda _: {"time_entries": rows}).sync()

    assert "ok" == report.verdict, report.missing
    assert ["P"] == [row["name"] for row in store.rows("SELECT name FROM container")]
    assert ["A"] == [row["display_name"] for row in store.rows("SELECT display_name FROM account")]


def test_columns_in_another_order_are_refused(store: Store, tmp_path: Path) -> None:
    """Rows that are read by their places are not read where the places are others."""
    said: list[Any] = [COLUMNS]
    text = suggested(COLUMNS, tmp_path).replace('kind = "bearer"', 'kind = "none"')
    asked = Asked(store, tmp_path, text, lambda _: said[0])
    asked.sync()
    said[0] = {"columns": ["entry_id", "date", "hours", "user_id"], "rows": [[1, "2026-10-05", 7.5, 4]]}
    report = asked.sync()

    assert "ok" != report.verdict
    assert {"w1", "w2"} == asked.here("worklog")


HAL = {"total": 45, "count": 1, "pageSize": 1, "offset": 1, "_embedded": {"elements": [
    {"id": 1528, "subject": "A", "dueDate": None, "estimatedTime": "PT2H", "percentageDone": 20,
     "updatedAt": "2026-10-01T08:51:20Z", "_links": {
         "project": {"href": "/api/v3/projects/3"}, "status": {"title": "New"}, "assignee": {"href": None}}},
]}}  # fmt: skip
GRAPHQL = {"data": {"issues": {
    "totalCount": 45, "edges": [{"cursor": "a", "node": {"id": "I1", "title": "A", "project": {"id": "P"}}}],
    "pageInfo": {"hasNextPage": True, "endCursor": "a"},
}}}  # fmt: skip


@pytest.mark.parametrize(
    ("answer", "rows", "paging", "fields"),
    [
        (HAL, "_embedded.elements", {"kind": "page", "total": "total"},
         {"title": "subject", "due_on": "dueDate", "status_raw": "_links.status.title"}),
        (GRAPHQL, "data.issues.edges[].node",
         {"kind": "token", "next": "data.issues.pageInfo.endCursor",
          "more": "data.issues.pageInfo.hasNextPage"},
         {"title": "title", "container_id": "project.id"}),
        ({"count": 2, "has_next": True, "tasks": [{"id": n, "name": "A", "projectId": 1} for n in "ab"]},
         "tasks", {"kind": "page", "more": "has_next", "total": None}, {"container_id": "projectId"}),
        ({"values": [{"id": 1, "title": "A", "state": "open", "project": {"key": "P"}}], "start": 0,
          "nextPageStart": 25}, "values", {"kind": "token", "next": "nextPageStart"},
         {"container_id": "project.key"}),
        ({"content": [{"taskId": "p", "name": "A", "projectId": 1, "status": "new"}], "number": 0, "size": 20,
          "page": 0, "totalElements": 45, "last": False}, "content",
         {"kind": "page", "first": 0, "total": "totalElements", "end": "last"}, {"id": "taskId"}),
        ({"errors": [], "labels": [{"id": 1, "name": "x"}, {"id": 2, "name": "y"}],
          "tasks": [{"id": 1, "name": "A", "project_id": 1, "labels": ["x"]}], "startAt": 0, "maxResults": 1,
          "total": 3}, "tasks", {"kind": "offset", "total": "total"}, {"labels": "join(', ', labels)"}),
        ({"tasks": [{"id": 1, "name": "A", "project_id": 1, "parent_id": 0}]}, "tasks", {"kind": "none"},
         {"title": "name"}),
        ({"total_count": 45, "next_cursor": "20:1:0", "next_page_results": True, "count": 1, "results": [
            {"id": "u", "name": "A", "project": "p", "due": None, "target_date": "2026-10-05"}]},
         "results",
         {"kind": "token", "next": "next_cursor", "more": "next_page_results", "total": "total_count"},
         {"due_on": "target_date", "container_id": "project"}),
        ([{"id": 1, "group_id": 2, "state_id": 3, "title": "A", "number": "22001", "owner_id": 4}], "",
         {"kind": "none"}, {"container_id": "group_id", "status_raw": "state_id", "assignee_id": "owner_id"}),
        ({"my-tasks": [{"id": 1, "name": "A", "project-id": 1}], "links": {"next": {"href": "/t?page=2"}}},
         '"my-tasks"', {"kind": "next", "next": "links.next.href"}, {"container_id": '"project-id"'}),
    ],
    ids=["hal", "graphql", "has_next", "start", "spring", "beside", "parent", "more", "desk", "quoted"],
)  # fmt: skip
def test_pages_and_names_of_tasks(
    answer: Any, rows: str, paging: dict[str, Any], fields: dict[str, str], tmp_path: Path
) -> None:
    """Where the rows stand, how they are paged, which names matter: the values of the pages are no totals."""
    (one,) = lists(suggested(answer, tmp_path, "tickets")).list

    assert (rows, "task") == (one.rows, one.record[0].table)
    assert paging == {name: getattr(one.paging, name) for name in paging}
    assert fields.items() <= one.record[0].fields.items()


def test_no_parent_is_no_row(tmp_path: Path) -> None:
    """Some tools write 0 where a task has no parent: there is no task 0."""
    rows = [{"task_id": "1", "name": "A", "project_id": "4", "parent_id": "0"},
            {"task_id": "2", "name": "B", "project_id": "4", "parent_id": "1"}]  # fmt: skip
    from hub_rest.rows import RowMapper

    found = lists(suggested({"tasks": rows}, tmp_path))
    mapper = RowMapper(found, name="d", tz="UTC", day_s=25200)
    made = [next(iter(mapper.records(found.list[0], row, {}))) for row in rows]
    assert [None, "d:1"] == [one.parent_id for one in made]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("row", "line"),
    [
        ({"duration": 3600}, "seconds = "),
        ({"duration": 7.5}, "seconds = "),
        ({"time": 450}, "seconds = "),
        ({"quantity": 1}, "seconds = "),
    ],
)
def test_a_unit_that_nothing_tells_is_marked(row: dict[str, Any], line: str, tmp_path: Path) -> None:
    text = suggested({"time_entries": [{"id": 1, "date": "2026-10-05"} | row]}, tmp_path)
    assert [line] == [one[: len(line)] for one in unsure(text)]


def test_an_address_is_asked(store: Store, tmp_path: Path) -> None:
    """What it was asked with stays, pages are found by its headers, and no key is written down."""
    row = {"id": 1, "title": "A", "project": {"id": 5, "name": "P"}, "updated_at": "2026-10-05T08:00:00Z"}

    def say(request: Request) -> Response:
        key = request.query.get("api_key")
        return Response(body=[row], headers={"X-Total-Count": "1"} if key else {}, status=200 if key else 401)

    asked = Asked(store, tmp_path, "", say)
    url = f"{asked.site.url}/v2/tickets?api_key=s3cretly&state=all&page=1&per_page=5&updated_since="
    text = suggestion(url, title=None, headers=(), only=None)
    (one,) = lists(text).list

    assert "s3cretly" not in text
    assert asked.site.url in text
    assert {"api_key": "{secret}", "state": "all", "page": "{page}", "per_page": "{size}"} == one.params
    assert ("/v2/tickets", "header:X-Total-Count") == (one.path, one.paging.total)
    assert {"updated_since": "{since}"} == one.incremental
    asked.mapping = text.replace('kind = "bearer"', 'kind = "none"')
    assert "ok" == asked.sync(settings={"token": credential()}).verdict


# ---------- OpenAPI ----------


def openapi(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    def asked(row: dict[str, Any], params: list[Any], rows: str = "data") -> dict[str, Any]:
        inner = {"type": "array", "items": {"type": "object", "properties": row}}
        schema = {"type": "object", "properties": {rows: inner}} if rows else inner
        content = {"application/json": {"schema": schema}}
        return {"get": {"parameters": params, "responses": {"200": {"content": content}}}}

    return {"openapi": "3.1.0", "info": {"title": "Desk"}, "paths": {
        path: asked(*told) if isinstance(told, tuple) else told for path, told in paths.items()
    }} | more  # fmt: skip


TEXT, WHOLE = {"type": ["string", "null"]}, {"type": "integer"}
PAGED = [{"name": "page", "in": "query", "schema": WHOLE},
         {"name": "per_page", "in": "query", "schema": {"type": "integer", "maximum": 50}}]  # fmt: skip
ONE = {"get": {"responses": {"200": {"content": {"application/json": {"schema": {"properties": {
    "id": WHOLE, "customFields": {"type": "array", "items": {"properties": {"id": WHOLE, "name": TEXT}}},
}}}}}}}}  # fmt: skip


def test_a_tool_by_its_openapi(tmp_path: Path) -> None:
    """Its address, its key, who is signed in, which list asks for which, and what proves a deletion."""
    text = suggested(
        openapi(
            {
                "/orgs/{org}/clients": ({"id": WHOLE, "name": TEXT}, []),
                "/orgs/{org}/projects": ({"id": WHOLE, "name": TEXT}, PAGED),
                "/orgs/{org}/projects/{id}": ONE,
                "/orgs/{org}/projects/{id}/tasks": ({"id": WHOLE, "title": TEXT}, PAGED),
                "/orgs/{org}/projects/{id}/tasks/{taskId}": ONE,
                "/orgs/{org}/time-entries": (
                    {"id": WHOLE, "date": TEXT, "duration": {"type": "number", "description": "In minutes."},
                     "updated_at": TEXT},
                    [*PAGED, {"name": "updated[since]", "in": "query", "schema": TEXT}]),
                "/users/me": ONE,
            },
            servers=[
                {"url": "https://{site}.example.org/api/v2", "variables": {"site": {"default": "acme"}}}
            ],
            security=[{"key": []}],
            components={"securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X-Key"}}},
        ),
        tmp_path,
    )  # fmt: skip
    found = lists(text)
    by_name = {one.name: one for one in found.list}

    assert ["projects", "time-entries", "tasks"] == list(by_name)
    assert "https://acme.example.org" in text
    assert "/orgs/{org}/clients" in text
    assert ("header", "X-Key") == (found.auth.kind, found.auth.header)
    assert (("org",), "/api/v2/users/me") == (found.needs, found.check)
    tasks, hours = by_name["tasks"], by_name["time-entries"]
    assert tasks.each is not None
    assert ("projects", {"project_id": "id"}) == (tasks.each.list, tasks.each.set)
    assert "{project_id}" == tasks.record[0].fields["container_id"]
    assert "/api/v2/orgs/{org}/projects/{project_id}/tasks/{id}" == tasks.deletes.probe
    assert (50, True) == (tasks.paging.size, tasks.paging.is_proven)
    assert ({"updated[since]": "{since}"}, "updated_at") == (
        hours.incremental,
        getattr(hours.cursor, "field", ""),
    )
    assert "minutes" == hours.record[0].fields["seconds"].unit  # type: ignore[union-attr]
    assert [] == unsure(text)[1:]  # what org is, is asked


def test_a_day_is_no_offset(tmp_path: Path) -> None:
    """A parameter called start that takes a day pages nothing."""
    day = {"name": "start", "in": "query", "description": "Only what begins before this date", "schema": TEXT}
    (one,) = lists(suggested(openapi({"/projects": ({"id": WHOLE, "name": TEXT}, [day], "")}), tmp_path)).list
    assert ("none", {}) == (one.paging.kind, one.params)


def test_lists_of_one_name_and_keys_in_the_address(tmp_path: Path) -> None:
    """Two lists have no one name; a key that goes into the address is the secret, and not shown."""
    row = {"id": WHOLE, "title": TEXT, "project_id": WHOLE}
    text = suggested(
        openapi(
            {
                "/bugs/list": (row, []),
                "/old/tasks": (row, []),
                "/new/Tasks": (row, []),
                "/tasks/all": (row, []),
            },
            components={"securitySchemes": {"k": {"type": "apiKey", "in": "query", "name": "api_token"}}},
        ),
        tmp_path,
        only="",
    )
    found = lists(text)

    assert 4 == len({one.name for one in found.list})
    assert [{"api_token": "{secret}"}] * 4 == [one.params for one in found.list]
    assert "none" == found.auth.kind


ODD: list[Any] = [
    None, 0, 1.5, "", True, [], {}, "x", [1], [[]], [None], {"a": None}, [{"a": 1}], {"$ref": "#/x"},
    {"$ref": 5}, 10**30, float("nan"), {"": 1}, {"a.b": {"c-d": 1}}, {'q"x': 1}, ["é"],
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*path, name))


@pytest.mark.parametrize("seed", range(4))
def test_whatever_a_file_holds_is_a_mapping_or_a_sentence(seed: int, tmp_path: Path) -> None:
    """Answers and documents in which anything stands anywhere: no error of the program."""
    random = Random(seed)
    tasks = {"properties": {"id": WHOLE, "name": TEXT, "kids": {"type": "array", "items": {"$ref": "#/d/T"}}}}
    document = openapi({"/users/me": ONE, "/p/{id}/tasks": ({"id": WHOLE, "t": {"$ref": "#/d/T"}}, PAGED)},
                       servers=[{"url": "https://{s}/a", "variables": {"s": {"default": "b"}}}],
                       d={"T": tasks},
                       security=[{"k": []}], components={"securitySchemes": {
                           "k": {"type": "apiKey", "in": "header", "name": "X"}}})  # fmt: skip
    whole = [document, document, document, *HOURS.values(), HAL, GRAPHQL]
    for _ in range(60):
        value = json.loads(json.dumps(random.choice(whole)))
        for _ in range(random.randint(1, 4)):
            *above, last = random.choice(list(places(value)))
            here = value
            for name in above:
                here = here[name]
            here[last] = copy.deepcopy(random.choice(ODD))
        made = ""
        with contextlib.suppress(ConfigError):  # it holds no list of objects
            made = suggested(value, tmp_path)
        assert not made or lists(made).list


def test_swagger_2_by_a_key(tmp_path: Path) -> None:
    """The base path is part of each path, definitions are followed, one that holds itself ends."""
    text = {
        "swagger": "2.0", "info": {"title": "Desk"}, "host": "desk.example.org", "basePath": "/api/v1",
        "schemes": ["https"], "securityDefinitions": {"b": {"type": "basic"}},
        "definitions": {"Task": {"type": "object", "properties": {
            "id": WHOLE, "title": TEXT, "project_id": WHOLE, "sub_tasks": {
                "type": "array", "items": {"$ref": "#/definitions/Task"}}}}},
        "paths": {"/tasks": {"get": {"parameters": PAGED, "responses": {"200": {
            "headers": {"X-Total-Count": {}},
            "schema": {"type": "array", "items": {"$ref": "#/definitions/Task"}}}}}}},
    }  # fmt: skip
    found = lists(suggested(text, tmp_path))
    (one,) = found.list

    assert ("basic", "/api/v1/tasks", "sub_tasks") == (found.auth.kind, one.path, one.children)
    assert ("page", "header:X-Total-Count") == (one.paging.kind, one.paging.total)
