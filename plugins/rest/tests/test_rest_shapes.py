"""What rows look like, and how pages go on: names that changed, other things, keys and stamps."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hub_rest.mappings
import pytest
from hub_rest.manual import keys, refused
from hub_rest.mapping import parse, shipped
from hub_rest.paths import places
from hub_rest.testing.asked import OPEN, Asked
from hub_rest.testing.laws import requests_per_thousand
from hub_rest.testing.mapping_certification import MappingCertification
from hub_rest.testing.schemas import OpenApi

from hub import ConfigError
from hub.store import Store
from hub.testing import hub_folder, run_hub, store
from hub.testing.empty import store_in_memory
from hub.testing.kit import Request, Response

__all__ = ["hub_folder", "run_hub", "store"]
DOCS = Path(__file__).parents[3] / "docs" / "rest"
HERE = Path(hub_rest.mappings.__file__).parent


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End the tools of a test."""
    yield
    while OPEN:
        OPEN.pop().__exit__()


def mapping(list_: str = "", fields: str = "", when: str = "", of: str = "") -> str:
    return f"""
title = "Desk"
[[list]]
name = "tickets"
path = "/tickets"
{list_}
[[list.record]]
table = "task"
{when}
fields = {{ id = "id", container_id = {{ value = "x" }}, title = "title"{fields} }}
{of}
"""


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("a.b", {"a", "a.b"}),
        ("cells[?to_string(columnId)=='7'].value | [0]", {"cells", "cells.[].columnId", "cells.[].value"}),
        ("people[0].id", {"people", "people.[].id"}),
        ("people[].id", {"people", "people.[].id"}),
        ("join(', ', labels[*].name)", {"labels", "labels.[].name"}),
        ("a.b || c", {"a", "a.b", "c"}),
        ("parsed(text).from", {"text"}),  # what stands in a text nobody knows
    ],
)
def test_what_a_path_reads_of_a_row(path: str, found: set[str]) -> None:
    """Through lists, conditions and functions."""
    assert found == {".".join(place) for place in places(path)[0]}


ROW = {
    "id": 1,
    "title": "t",
    "type": "Task",
    "cells": [{"column": 7, "value": "v"}],
    "people": [{"name": "Z"}],
}
CELLS = ', status_raw = "cells[?column==`7`].value | [0]"'
OF = """
[[list.record]]
table = "account"
of = "people"
fields = { id = "item.name", display_name = "item.name" }
"""


@pytest.mark.parametrize(
    ("text", "changed"),
    [
        (mapping(fields=CELLS), {"cells": [{"column_v2": 7, "value": "v"}]}),
        (mapping(fields=CELLS), {"cells_v2": ROW["cells"], "cells": None}),
        (mapping(when="when = \"type == 'Task'\""), {"type": None, "type_v2": "Task"}),
        (mapping(of=OF), {"people": [{"name_v2": "Z"}]}),
    ],
    ids=["a name in a list", "a list", "a condition", "a thing of a list"],
)
def test_a_name_that_changed_is_told_wherever_it_is_read(
    text: str, changed: dict[str, Any], store: Store, tmp_path: Path
) -> None:
    """An upgrade of the tool may else empty a source, green."""
    rows: list[dict[str, Any]] = [ROW]
    tool = Asked(store, tmp_path, text, lambda _: rows)
    assert "ok" == tool.sync().verdict
    rows[0] = {name: value for name, value in (ROW | changed).items() if value is not None}
    report = tool.sync(full=True)

    assert "ok" != report.verdict
    assert "_v2" in " ".join([*report.missing, *report.rejections, report.error or ""])


@pytest.mark.parametrize(
    ("text", "odd"),
    [
        (mapping(fields=', due_on = "dates.due"'), {"dates": {"odd": [1]}}),
        (mapping(when="when = \"type == 'Task'\""), {"type": {"odd": [1]}}),
        (
            mapping(fields=', status_native = { path = "type", values = { Task = "todo" } }'),
            {"type": {"odd": 1}},
        ),
        (
            mapping(fields=', status_raw = { cases = [{ when = "closed", value = "C" }, { value = "O" }] }'),
            {"closed": {"odd": [1]}},
        ),
    ],
    ids=["an object", "a word that is compared", "a word that is translated", "a flag"],
)
def test_another_thing_costs_its_row(text: str, odd: dict[str, Any], store: Store, tmp_path: Path) -> None:
    """It is named, the other one is taken, and it comes back when it is right."""
    right = {"id": 2, "title": "b", "type": "Task", "dates": {"due": "2026-01-02"}, "closed": False}
    rows = [right, right | {"id": 1} | odd]
    tool = Asked(store, tmp_path, text, lambda _: rows)
    report = tool.sync()

    assert ("partial", 1, {"2"}) == (report.verdict, report.rejected, tool.here())
    rows[1] = right | {"id": 1}
    assert ("ok", {"1", "2"}) == (tool.sync().verdict, tool.here())


def test_an_object_without_what_is_read_of_it_is_right_where_others_share_something(
    store: Store, tmp_path: Path
) -> None:
    """A part may be lacking: an effort that is none says so in its mode."""
    rows = [
        {"id": 1, "title": "a", "effort": {"mode": "Basic", "total": 60}},
        {"id": 2, "title": "b", "effort": {"mode": "None"}},
    ]
    text = mapping(fields=', estimate_s = { path = "effort.total", unit = "minutes" }')

    assert "ok" == Asked(store, tmp_path, text, lambda _: rows).sync().verdict


def test_pages_go_back_from_the_least_key(store: Store, tmp_path: Path) -> None:
    """The newest come first, in an order of their own; a row that goes meanwhile costs no other."""
    table = {f"5abbe4b7ddc1b351ef96{n:04d}": {"title": "t"} for n in range(45)}
    count = 0

    def say(request: Request) -> Any:
        nonlocal count
        count += 1
        before = request.query.get("before", "6")
        shown = sorted(key for key in table if key < before)[-20:]
        if count == 1:
            del table[shown[3]]
        return [{"id": key, "title": "t"} for key in shown]

    text = mapping('params = { before = "{before}", limit = "20" }\npaging = { kind = "before", size = 20 }')
    tool = Asked(store, tmp_path, text, say)

    assert "ok" == tool.sync().verdict
    assert set(table) <= tool.here()
    assert 4 == len(tool.requests)  # three pages, and one that proves the last


def sorted_tool(store: Store, tmp_path: Path, rows: list[dict[str, Any]], *, sorts: bool = True) -> Asked:
    def say(request: Request) -> Any:
        at = int(request.query["from"])
        shown = (
            sorted(rows, key=lambda row: row["at"], reverse=True)
            if "sort" in request.query and sorts
            else rows
        )
        return {"rows": shown[at : at + 10], "total": len(rows)}

    text = mapping(
        'rows = "rows"\nparams = { from = "{offset}" }\nincremental = { sort = "-at" }\n'
        'paging = { kind = "offset", size = 10, total = "total" }\n'
        'cursor = { field = "at", descending = true }'
    )
    return Asked(store, tmp_path, text, say)


@pytest.mark.parametrize("sorts", [True, False])
def test_the_last_changed_come_first_up_to_what_is_known(sorts: bool, store: Store, tmp_path: Path) -> None:
    """A tool that can sort and not filter; one that ignores the order is read to its end."""
    rows = [
        {"id": n, "title": "t", "at": f"2026-01-{1 + n // 4:02d}T08:{n % 60:02d}:00Z"} for n in range(100)
    ]
    tool = sorted_tool(store, tmp_path, rows, sorts=sorts)
    assert "ok" == tool.sync().verdict
    rows[3] = rows[3] | {"title": "edited", "at": "2026-01-27T08:00:00Z"}
    rows.append({"id": 100, "title": "new", "at": "2026-01-27T08:00:01Z"})
    report = tool.sync()

    assert ("ok", 101) == (report.verdict, len(tool.here()))
    assert ["edited"] == [row["title"] for row in store.rows("SELECT title FROM task WHERE id = 'd:3'")]
    assert (1 if sorts else 11) == len(tool.requests)


def test_the_order_needs_parameters() -> None:
    with pytest.raises(ConfigError, match=r"desk.toml line 6, .*descending needs incremental"):
        parse(mapping('cursor = { field = "at", descending = true }'), "desk.toml")


def test_a_header_that_is_a_number_is_one_in_a_body(store: Store, tmp_path: Path) -> None:
    """A specification that wants an integer gets one."""

    def say(request: Request) -> Response:
        first = b'"from": 2' not in request.body
        headers = {"X-Next": "2"} if first else {}
        return Response(body=[{"id": 1 if first else 2, "title": "t"}], headers=headers)

    text = mapping(
        'method = "POST"\nbody = { from = "{token}" }\npaging = { kind = "token", next = "header:X-Next" }'
    )
    tool = Asked(store, tmp_path, text, say)

    assert ("ok", {"1", "2"}) == (tool.sync().verdict, tool.here())


# ---------- the reader of specifications ----------

SPEC = """{
  "openapi": "3.0.0", "servers": [{"url": "https://x.example.org/v1"}],
  "paths": {"/tasks/{id}": {"get": {
    "parameters": [{"name": "size", "in": "query", "required": true, "schema": {"type": "integer"}}],
    "responses": {"200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Task"}}}}}
  }}},
  "components": {"schemas": {"Task": {"allOf": [
    {"type": "object", "properties": {"id": {"type": "string"}}},
    {"type": "object", "properties": {"state": {"type": "string", "enum": ["open"]},
      "due": {"type": "string", "format": "date", "nullable": true}}}]}}}
}"""


@pytest.mark.parametrize(
    ("query", "body", "said"),
    [
        ({"size": "5"}, {"id": "1", "state": "open", "due": None}, []),
        ({"size": "x"}, {}, ['parameter size is "x", and should be integer']),
        ({}, {}, ["the parameter size is lacking"]),
        ({"size": "5", "page": "1"}, {}, ["there is no parameter page"]),
        ({"size": "5"}, {"id": 1}, ["id is 1, and should be string"]),
        ({"size": "5"}, {"id": None}, ["id is null, which it may not be"]),
        ({"size": "5"}, {"state": "shut"}, ["state is 'shut', and should be one of ['open']"]),
        ({"size": "5"}, {"due": "soon"}, ["due is 'soon', and should be a date"]),
        ({"size": "5"}, {"titel": "t"}, ["it has titel, which is not known"]),
    ],
)
def test_what_a_specification_does_not_know(
    query: dict[str, str], body: dict[str, Any], said: list[str], tmp_path: Path
) -> None:
    """A request and an answer, by hand."""
    (tmp_path / "x.json").write_text(SPEC, encoding="utf-8")
    request = Request(method="GET", path="/v1/tasks/7", query=query, headers={})
    found = OpenApi(tmp_path / "x.json").problems(request, Response(body=body))

    assert said == [one.partition(": ")[2] or one.partition("answers ")[2] for one in found]


# ---------- what the documentation says ----------


def test_each_key_of_the_language_has_its_meaning_and_an_example() -> None:
    """The page is made of this: a key that nobody explains is no part of the language."""
    told = list(keys())

    assert [] == [(place, names) for place, names, meaning, _ in told if not meaning]
    assert [] == [
        (place, names)
        for place, names, _, examples in told
        if not examples and not {"paging", "record"} & set(names)
    ]
    assert "a record has spread or of, not both." in refused()


NUMBERS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
ROW_OF_README = re.compile(r"^\| `([\w-]+)` \| [^|]+ \| (Gold|Silver|Bronze) \| (\d+) \|", re.MULTILINE)


def test_the_readme_has_the_level_and_the_requests_of_each_mapping(store: Store, proof: bool) -> None:
    """As the simulator counts them, for 1,000 items; the levels are those that the kit proves."""
    text = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    said = {name: (level.lower(), int(requests)) for name, level, requests in ROW_OF_README.findall(text)}

    assert shipped() == sorted(said)
    counts, bronze = (
        [count for _, count in said.values()],
        [level for level, _ in said.values()].count("bronze"),
    )
    front = (Path(__file__).parents[3] / "README.md").read_text(encoding="utf-8")
    words = f"({len(said)})](plugins/rest/README.md) | Gold, {NUMBERS[bronze]} of them Bronze"
    assert f"{words} | {min(counts)} to {max(counts)} for a thousand rows |" in front
    for name in shipped() if proof else ("tempo",):
        examined = MappingCertification(HERE / f"{name}.toml")
        with store_in_memory() as empty:
            assert said[name][1] == requests_per_thousand(empty, examined), name


CATS = """MANDT;COUNTER;PERNR;WORKDATE;RPROJ;CATSHOURS;STATUS
100;000000000101;00001001;20260105;00000017;7.50;30
100;000000000102;00001001;20260106;00000017;4.00;20
100;000000000103;00001002;20260106;00000018;8.00;50
100;000000000104;00001002;20260106;00000018;6.00;30
"""


def test_an_export_of_cats_is_read_as_its_documentation_says(
    run_hub: Callable[..., Any], hub_folder: Path
) -> None:
    """What was changed after its approval stays in the table and counts no more."""
    pytest.importorskip("hub_tabular")
    shutil.copy(DOCS / "cats.toml", hub_folder / "cats.toml")
    (hub_folder / "cats.csv").write_text(CATS, encoding="utf-8")
    (hub_folder / "config" / "hub.toml").write_text(
        'store = "sqlite:///hub.db"\nfeed = "feed"\n'
        '[sources.cats]\nkind = "tabular"\npath = "cats.csv"\nmapping = "cats.toml"\n',
        encoding="utf-8",
    )
    done = run_hub("sync")

    assert 0 == done.exit_code, done.output
    with Store.open(hub_folder / "hub.db") as filled:
        rows = filled.rows("SELECT day, seconds, approval FROM worklog ORDER BY day, seconds")
        found = [tuple(row.values()) for row in rows]
    assert [
        ("2026-01-05", 27000, "approved"),
        ("2026-01-06", 14400, "submitted"),
        ("2026-01-06", 21600, "approved"),
    ] == found
