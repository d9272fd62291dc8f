"""The mapping language: what a mapping can say, and what is refused that would else be silently wrong."""

from __future__ import annotations

import base64
import json
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hub_rest
import jsonschema
import pytest
from hub_rest.mapping import parse, shipped
from hub_rest.paths import expression
from hub_rest.rows import RowMapper
from hub_rest.schema import mapping_schema
from hub_rest.source import RestSource
from hub_rest.testing.asked import OPEN, Asked

from hub import CellError, ConfigError, Record
from hub.http import Session
from hub.source import Context
from hub.store import Store
from hub.testing import hub_folder, run_hub, store
from hub.testing.kit import SECRET, Request, Response, credential

__all__ = ["hub_folder", "run_hub", "store"]
TASKS = """
title = "Desk"
{top}
[[list]]
name = "tickets"
path = "/tickets"
{list}
[[list.record]]
table = "task"
fields = {{ id = "id", container_id = {{ value = "x" }}, title = "title"{fields} }}
{more}
"""


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End the tools of a test."""
    yield
    while OPEN:
        OPEN.pop().__exit__()


def mapping(list_: str = "", fields: str = "", *, top: str = "", more: str = "") -> str:
    return TASKS.format(list=list_, top=top, fields=f", {fields}" if fields else "", more=more)


def made(text: str, row: Any, variables: dict[str, Any] | None = None, **options: Any) -> list[Record]:
    found = parse(text, "desk.toml")
    mapper = RowMapper(found, name="d", tz="Europe/Paris", day_s=25200, **options)
    return list(mapper.records(found.list[-1], row, variables or {}))


def field(text: str, row: dict[str, Any], variables: dict[str, Any] | None = None, **options: Any) -> Any:
    """Return what a field of a task becomes, written as in a mapping."""
    name = text.partition(" ")[0]
    may = f"may = {json.dumps([*(variables or {}), *options.get('params', {}), 'unset'])}"
    (record,) = made(mapping(fields=text, top=may), {"id": 1, "title": "t"} | row, variables, **options)
    return getattr(record, name)


def told(report: Any) -> str:
    return "\n".join([*report.missing, *report.rejections, report.error or ""])


def stored(store: Store, table: str = "task", *fields: str) -> dict[str, tuple[Any, ...]]:
    return {
        row["id"].partition(":")[2]: tuple(row[name] for name in fields)
        for row in store.rows(f"SELECT * FROM {table} WHERE presence = 'present'")
    }


# ---------- what was silent ----------


@pytest.mark.parametrize(
    ("value", "stamp"),
    [
        ("1712103041234", "2024-04-03T00:10:41Z"),
        (1712103041234, "2024-04-03T00:10:41Z"),
        ("1712103041", "2024-04-03T00:10:41Z"),
        (1712103041.75, "2024-04-03T00:10:41Z"),
        (1712103041234567, "2024-04-03T00:10:41Z"),
        ("20240403001041", "2024-04-03T00:10:41Z"),
        (0, None),
        ("0000-00-00 00:00:00", None),
    ],
)
def test_a_count_of_time_is_what_was_meant(value: Any, stamp: str | None) -> None:
    """Seconds, milliseconds and microseconds since 1970, as numbers and as texts (date -u -d @1712103041)."""
    assert stamp == field('updated_at = "at"', {"at": value})


@pytest.mark.parametrize(
    ("value", "day"),
    [
        ("1712103041234", "2024-04-03"),
        (20240305, "2024-03-05"),
        ("20240305", "2024-03-05"),
        ({"year": 2024, "month": 3, "day": 5}, "2024-03-05"),
        ({"date": {"year": 2024, "month": 3, "day": 5}}, "2024-03-05"),
        ({"date": "2024-03-05 23:30:00.000000", "timezone_type": 3, "timezone": "UTC"}, "2024-03-06"),
        ({"__class__": "date", "year": 2024, "month": 3, "day": 5}, "2024-03-05"),
        ({"seconds": "1712103041", "nanos": 5}, "2024-04-03"),
        ({"$date": "2024-03-05T23:30:00Z"}, "2024-03-06"),
        ({"date": "2024-03-05", "timeZone": "Asia/Tokyo"}, "2024-03-05"),
        ({"date": "2024-03-05", "zone": "America/New_York"}, "2024-03-05"),
        ({"dateTime": "2024-03-05T23:30:00", "zone": "America/New_York"}, "2024-03-06"),
        ({"date": "2024-03-05", "time": "01:30", "tz": "Asia/Tokyo"}, "2024-03-04"),
        (False, None),
    ],
)
def test_a_day_in_whatever_way_it_is_sent(value: Any, day: str | None) -> None:
    assert day == field('due_on = "due"', {"due": value})


@pytest.mark.parametrize(
    "value", [45000, 1000, "123456789", {"year": 2024}, {"a": 1}, 10**25, "99999999999999"]
)
def test_what_is_no_time_is_refused(value: Any) -> None:
    """A number that Excel counts days by is no second of 1970, and is not taken for one."""
    for name in ("due_on", "updated_at"):
        with pytest.raises(CellError, match=rf"task.{name} from 'at'"):
            field(f'{name} = "at"', {"at": value})


def test_a_stamp_in_milliseconds_as_a_text_is_a_mark(store: Store, tmp_path: Path) -> None:
    """The second run asks for what changed since the first one's newest stamp, less ten minutes."""
    rows = [{"id": 1, "title": "t", "at": "1712103041234"}]
    text = mapping('incremental = { since = "{since}" }\ncursor = { field = "at" }', 'updated_at = "at"')
    asked = Asked(store, tmp_path, text, lambda _: rows)
    first = asked.sync()
    second = asked.sync()

    assert ("ok", "ok") == (first.verdict, second.verdict)
    assert ["2024-04-03T00:00:41Z"] == [one.query["since"] for one in asked.requests]
    assert {"1": ("2024-04-03T00:10:41Z",)} == stored(store, "task", "updated_at")


@pytest.mark.parametrize("name", ["since", "token", "size", "page", "offset", "user"])
def test_a_row_has_its_own_field_named_like_a_variable(name: str, store: Store, tmp_path: Path) -> None:
    """What a row says by that name is what is stored, in the second run too."""
    rows = [{"id": 1, "title": "t", "at": "2026-10-05T08:00:00Z", name: "its own"}]
    text = mapping(
        'incremental = { after = "{since}" }\ncursor = { field = "at" }',
        f'updated_at = "at", type_raw = "{name}"',
    )
    asked = Asked(store, tmp_path, text, lambda _: rows)
    asked.sync(settings={"user": "hub"})
    rows[0]["title"] = "new"
    report = asked.sync(settings={"user": "hub"})

    assert ("ok", {"1": ("new", "its own")}) == (report.verdict, stored(store, "task", "title", "type_raw"))


def test_a_variable_is_named_by_its_braces() -> None:
    """Where a row has a field of the same name, the path says which of them is meant."""
    variables = {"board": "7"}

    assert "7" == field('type_raw = "board"', {}, variables)
    assert "row's" == field('type_raw = "board"', {"board": "row's"}, variables)
    assert "7" == field('type_raw = "{board}"', {"board": "row's"}, variables)


def test_a_password_in_a_body_is_sent(store: Store, tmp_path: Path) -> None:
    """It is in the question and in no log; a source without one is refused before anything is sent."""
    text = mapping('method = "POST"\nbody = { login = "{user}", word = "{password}", key = "{secret}" }')
    asked = Asked(store, tmp_path, text, lambda _: [{"id": 1, "title": "t"}])
    settings = {"user": "hub", "password": credential(), "token": credential()}
    report = asked.sync(settings=settings)
    bodies = [json.loads(one.body) for one in asked.requests]
    lacking = asked.sync(settings={"user": "hub"})

    assert ("ok", [{"login": "hub", "word": SECRET, "key": SECRET}]) == (report.verdict, bodies)
    assert "failed" == lacking.verdict
    assert "needs password" in told(lacking) or "needs token" in told(lacking)


@pytest.mark.parametrize(
    ("body", "first"),
    [
        ('{ domain = [["at", ">=", "{since}"]] }', {"domain": []}),
        (
            '{ filters = [{ field = "at", from = "{since}" }, { field = "open" }] }',
            {"filters": [{"field": "open"}]},
        ),
        ('{ filter = { at = { gte = "{since}" } }, all = true }', {"all": True}),
        ('{ params = ["{since}", 5], method = "list" }', {"method": "list"}),
    ],
)
def test_a_condition_without_a_value_is_left_out(body: str, first: Any, store: Store, tmp_path: Path) -> None:
    """A first reading asks for everything: a condition on nothing would answer nothing, for ever."""
    rows = [{"id": 1, "title": "t", "at": "2026-10-05T08:00:00Z"}]
    text = mapping(f'method = "POST"\nbody = {body}\ncursor = {{ field = "at" }}')
    asked = Asked(store, tmp_path, text, lambda _: rows)
    asked.sync()
    begun = json.loads(asked.requests[0].body)
    asked.sync()
    then = json.dumps(json.loads(asked.requests[0].body))

    assert first == begun
    assert "2026-10-05T07:50:00Z" in then
    assert "null" not in then


def test_a_part_of_the_body_for_increments_only(store: Store, tmp_path: Path) -> None:
    rows = [{"id": 1, "title": "t", "at": "2026-10-05T08:00:00Z"}]
    text = mapping(
        'method = "POST"\nbody = { query = { open = true } }\n'
        'incremental_body = { query = { on = { after = "{since}" } } }\ncursor = { field = "at" }'
    )
    asked = Asked(store, tmp_path, text, lambda _: rows)
    asked.sync()
    begun = json.loads(asked.requests[0].body)
    asked.sync()

    assert {"query": {"open": True}} == begun
    assert {"query": {"open": True, "on": {"after": "2026-10-05T07:50:00Z"}}} == json.loads(
        asked.requests[0].body
    )


NAMED = [
    ("", {"next": "/tickets?page=2"}),
    ("", {"pageInfo": {"hasNextPage": True}}),
    ("", {"links": {"next": {"href": "/tickets?page=2"}}}),
    ("", {"meta": {"has_more": True}}),
    ("", {"isLast": False}),
    ("", {"next_page_token": "abc"}),
    ('paging = { kind = "next", next = "nxt" }', {"next": "/tickets?page=2"}),
    ('paging = { kind = "token", next = "cursor" }\nparams = { c = "{token}" }', {"nextCursor": "x"}),
    ('paging = { kind = "link" }', {"next_page": 2}),
    ('paging = { kind = "offset", size = 50 }\nparams = { start = "{offset}" }', {"next": "/tickets?page=2"}),
]  # fmt: skip


@pytest.mark.parametrize(("paging", "more"), NAMED)
def test_a_next_page_that_is_not_asked_for_is_told(
    paging: str, more: dict[str, Any], store: Store, tmp_path: Path
) -> None:
    """A page that names another one is not the last, whatever the mapping says of pages."""
    asked = Asked(
        store,
        tmp_path,
        mapping(f'rows = "rows"\n{paging}'),
        lambda _: more | {"rows": [{"id": 1, "title": "t"}]},
    )
    report = asked.sync()

    assert "ok" != report.verdict
    assert next(iter(more)) in told(report) or "same page" in told(report)


def test_a_total_that_is_reached_and_a_page_that_is_named(store: Store, tmp_path: Path) -> None:
    """The total says ten, the answer names a next page: it is asked for, and what it holds is read."""
    table = [{"id": n, "title": "t"} for n in range(1, 16)]

    def say(request: Request) -> Any:
        start = int(request.query["start"])
        more = {"next": "there"} if start < 5 else {}
        return {"rows": table[start : start + 10], "total": 10 if start < 5 else 15} | more

    text = mapping(
        'rows = "rows"\nparams = { start = "{offset}" }\n'
        'paging = { kind = "offset", size = 10, total = "total" }'
    )
    asked = Asked(store, tmp_path, text, say)
    asked.sync()

    assert {f"{n}" for n in range(1, 16)} == asked.here()


def law_no_false_deletion(store: Store, tmp_path: Path, deletes: str, say: Callable[[Request], Any]) -> Any:
    text = mapping(f'rows = "rows"\n{deletes}').replace('id = "id"', 'id = "code"')
    asked = Asked(store, tmp_path, text, say)
    assert "ok" == asked.sync().verdict
    asked.say = lambda request: (
        {"rows": say(request)["rows"][1:]} if request.path == "/tickets" else say(request)
    )
    report = asked.sync(full=True, census=True)

    assert {f"T-{n}" for n in range(1, 6)} == asked.here()
    assert "partial" == report.verdict
    return report


def test_a_probe_that_names_another_id_proves_nothing(store: Store, tmp_path: Path) -> None:
    """The address wants numbers and gets codes: it answers 404 for a row that the list shows too."""
    rows = [{"id": n, "code": f"T-{n}"} | {"title": "t"} for n in range(1, 6)]

    def say(request: Request) -> Any:
        last = request.path.rsplit("/", 1)[-1]
        return (
            {"rows": rows}
            if last == "tickets"
            else rows[0]
            if last.isdigit()
            else Response(status=404, body={})
        )

    report = law_no_false_deletion(
        store, tmp_path, 'deletes = { kind = "probe", probe = "/tickets/{id}" }', say
    )

    assert "answers 404 for T-5 too" in told(report)


def test_an_answer_about_another_row_is_no_proof(store: Store, tmp_path: Path) -> None:
    """Its address answers with a row in the bin that is not the one asked for."""
    rows = [{"id": n, "code": f"T-{n}", "title": "t"} for n in range(1, 6)]

    def say(request: Request) -> Any:
        return {"rows": rows} if request.path == "/tickets" else {"id": 99, "code": "T-99", "in_bin": True}

    deletes = 'deletes = { kind = "probe", probe = "/tickets/{id}", trashed = "in_bin" }'
    law_no_false_deletion(store, tmp_path, deletes, say)


def test_a_list_of_ids_that_are_others_proves_nothing(store: Store, tmp_path: Path) -> None:
    rows = [{"id": n, "code": f"T-{n}", "title": "t"} for n in range(1, 6)]
    text = mapping(
        'deletes = { kind = "absence", list = "ids" }', more='[[list]]\nname = "ids"\npath = "/ids"'
    )
    asked = Asked(store, tmp_path, text.replace('id = "id"', 'id = "code"'), lambda _: rows)
    asked.sync()
    report = asked.sync(census=True)

    assert ("partial", {f"T-{n}" for n in range(1, 6)}) == (report.verdict, asked.here())
    assert "its keys are other ids" in told(report)


def test_a_list_names_what_is_deleted(store: Store, tmp_path: Path) -> None:
    """What it names leaves, once: a row that came back stays although it is named for ever."""
    rows = [{"id": n, "title": "t"} for n in range(1, 6)]
    buried: list[Any] = []
    text = mapping(
        'deletes = { kind = "listed", list = "gone" }',
        more='[[list]]\nname = "gone"\npath = "/gone"\nkey = "@"',
    )
    asked = Asked(store, tmp_path, text, lambda q: rows if q.path == "/tickets" else buried)
    asked.sync()
    row = rows.pop(1)
    buried.append(2)
    report = asked.sync()
    after = asked.here()
    rows.insert(1, row)
    asked.sync()
    again = asked.here()
    asked.sync()

    assert ("ok", {"1", "3", "4", "5"}) == (report.verdict, after)
    assert {"1", "2", "3", "4", "5"} == again == asked.here()


# ---------- pages ----------


@pytest.mark.parametrize(
    ("paging", "state"),
    [
        ('paging = { kind = "page" }', "failed"),
        ('paging = { kind = "offset", overlap = 0 }', "failed"),
        ('paging = { kind = "page", more = "more" }', "failed"),
        ('paging = { kind = "page", total = "total" }', "ok"),
        ('paging = { kind = "page", twice = true }', "ok"),
        ('paging = { kind = "offset" }', "ok"),
        ('paging = { kind = "after" }\nparams = { after = "{after}" }', "ok"),
        ('paging = { kind = "next", next = "next" }', "ok"),
    ],
)
def test_check_refuses_pages_that_prove_nothing(
    paging: str, state: str, store: Store, tmp_path: Path
) -> None:
    """Without total, next or overlap a row that goes between two pages costs another one, silently."""
    asked = Asked(
        store, tmp_path, mapping(f'rows = "rows"\n{paging}'),
        lambda q: {"rows": [] if q.query.get("after", "0") != "0" else [{"id": 1, "title": "t"}], "total": 1},
    )  # fmt: skip
    path = tmp_path / "desk.toml"
    path.write_text(asked.mapping)
    source = RestSource(name="d", url=asked.site.url, mapping=str(path))
    (found,) = source.check(Context(base=tmp_path, source_id="d", session=Session))

    assert state == found.state, found.detail
    assert (state == "failed") == ("twice = true" in found.detail)


def test_a_list_that_is_read_twice_loses_no_row(store: Store, tmp_path: Path) -> None:
    """A row goes while the first page is read: the second reading finds the one that slipped by."""
    table = [{"id": n, "title": "t"} for n in range(1, 46)]
    count = 0

    def say(request: Request) -> Any:
        nonlocal count
        count += 1
        page = int(request.query["page"]) - 1
        shown = table[page * 20 : page * 20 + 20]
        if count == 1:
            del table[0]
        return {"rows": shown, "last_page": page == 2}

    text = mapping(
        'rows = "rows"\nparams = { page = "{page}" }\n'
        'paging = { kind = "page", size = 20, end = "last_page", twice = true }'
    )
    asked = Asked(store, tmp_path, text, say)
    report = asked.sync()

    assert ("ok", {f"{n}" for n in range(1, 46)}) == (report.verdict, asked.here())
    assert 9 == len(asked.requests)  # the first reading lost one, the two others agree


# ---------- questions ----------


def test_a_form_is_sent_as_one(store: Store, tmp_path: Path) -> None:
    text = mapping(
        'method = "POST"\nencoding = "form"\nbody = { method = "list", page = "{page}", with = ["a"] }\n'
        'rows = "r"\npaging = { kind = "page", total = "n" }'
    )
    asked = Asked(store, tmp_path, text, lambda _: {"r": [{"id": 1, "title": "t"}], "n": 1})
    report = asked.sync()

    assert "ok" == report.verdict
    assert ["method=list&page=1&with=%5B%22a%22%5D"] == [one.body.decode() for one in asked.requests]
    assert "application/x-www-form-urlencoded" == asked.requests[0].headers["content-type"]


def test_a_session_by_json_rpc(store: Store, tmp_path: Path) -> None:
    """Signing in gives a number, which each question repeats; false is a refusal."""
    text = mapping(
        'method = "POST"\nrows = "result"\n'
        'body = { method = "call", params = { args = ["{db}", "{session}", "{password}", "task"] } }',
        top='needs = ["db"]\nauth = { kind = "session", url = "/rpc", token = "result", '
        'body = { method = "login", params = ["{db}", "{user}", "{password}"] } }',
    )
    uid: Any = 7

    def say(request: Request) -> Any:
        if request.path == "/rpc":
            return {"jsonrpc": "2.0", "result": uid}
        return {"jsonrpc": "2.0", "result": [{"id": 1, "title": "t"}]}

    asked = Asked(store, tmp_path, text, say)
    settings = {"user": "hub", "password": credential(), "params": {"db": "acme"}}
    report = asked.sync(settings=settings)
    asked_for = [json.loads(one.body)["params"] for one in asked.requests]
    uid = False
    refused = asked.sync(settings=settings)

    assert "ok" == report.verdict
    assert [["acme", "hub", SECRET], {"args": ["acme", 7, SECRET, "task"]}] == asked_for
    assert ("failed", "Desk refuses the credentials.") == (refused.verdict, refused.error)


def test_a_session_by_a_form(store: Store, tmp_path: Path) -> None:
    """User and password go once, as Basic has them, for a scope of the same host; 204 is an empty list."""
    text = mapping(
        top='auth = { kind = "session", url = "/token?scope=http://{host}/api", token = "accessToken", '
        'headers = { Authorization = "Basic {basic}" }, body = { grant_type = "client_credentials" }, '
        'encoding = "form", header = "Authorization", scheme = "Bearer" }',
    )
    rows: Any = Response(status=204, body=b"")

    def say(request: Request) -> Any:
        if request.path == "/token":
            is_known = known == request.headers["authorization"]
            return {"accessToken": "abcdef"} if is_known else Response(status=401)
        return rows

    asked = Asked(store, tmp_path, text, say)
    settings = {"user": "hub", "password": credential()}
    known = "Basic " + base64.b64encode(f"hub:{SECRET}".encode()).decode()
    empty = asked.sync(settings=settings)
    rows = [{"id": 1, "title": "t"}]
    report = asked.sync(settings=settings)
    signed, listed = asked.requests
    known = ""
    refused = asked.sync(settings=settings)

    assert ("ok", "ok", "failed") == (report.verdict, empty.verdict, refused.verdict)
    assert (f"http://{signed.headers['host']}/api", b"grant_type=client_credentials") == (
        signed.query["scope"],
        signed.body,
    )
    assert "Bearer abcdef" == listed.headers["authorization"]
    assert not any(word in told(refused) for word in (SECRET, "abcdef", "aHVi"))


def test_what_a_list_is_asked_for_by_is_one_value(store: Store, tmp_path: Path) -> None:
    """An id that became an object asks for nothing: its row is rejected, and the list below stays."""
    text = mapping(
        top='[[list]]\nname = "boards"\npath = "/boards"\n',
        list_='each = { list = "boards", set = { board = "id" } }\nparams = { board = "{board}" }\n'
        'deletes = { kind = "absence" }',
    )
    boards: Any = [{"id": 7}]

    def say(request: Request) -> Any:
        if request.path == "/boards":
            return boards
        return [{"id": 1, "title": "t"}] if request.query["board"] == "7" else []

    asked = Asked(store, tmp_path, text, say)
    assert "ok" == asked.sync().verdict
    boards = [{"id": {"value": 7}}]
    odd = asked.sync(full=True)

    assert "ok" != odd.verdict
    assert "boards, row" in told(odd)
    assert "is no single value" in told(odd)
    assert {"1"} == asked.here()


@pytest.mark.parametrize(
    "answer",
    [
        {"ok": False, "error_description": "no such space", "rows": []},
        {"error_code": "ComplexityException", "error_message": "no such space", "rows": []},
        {"data": None, "errors": [{"message": "no such space"}], "rows": []},
    ],
)
def test_a_refusal_in_a_200(answer: Any, store: Store, tmp_path: Path) -> None:
    text = mapping('rows = "rows"', top='refused = "ok == `false` || error_code"')
    report = Asked(store, tmp_path, text, lambda _: answer).sync()

    assert "ok" != report.verdict
    assert "no such space" in told(report)


# ---------- rows of rows, look-ups ----------


def test_rows_of_rows_and_children_to_any_depth(store: Store, tmp_path: Path) -> None:
    """A row stands in another, which it calls _above; children are rows like it, below it."""
    card = {"id": 1, "title": "a", "subs": [{"id": 2, "title": "b", "subs": [{"id": 3, "title": "c"}]}]}
    boards = [{"id": 7, "groups": {"cards": [card]}}, {"id": 8, "groups": {"cards": []}}, {"id": 9}]
    text = mapping(
        'rows = ["data", "groups.cards"]\nchildren = "subs"',
        'parent_id = "_above.title && _above.id", type_raw = "_above._above.id || _above.id"',
    )
    report = Asked(store, tmp_path, text, lambda _: {"data": boards}).sync()

    assert "ok" == report.verdict
    assert {"1": (None, "7"), "2": ("d:1", "7"), "3": ("d:2", "1")} == stored(
        store, "task", "parent_id", "type_raw"
    )


LOOKED = """
[[list]]
name = "states"
path = "/states"
rows = "all"
""".strip()


def test_a_look_up_is_read_once_a_day(store: Store, tmp_path: Path) -> None:
    """A new key is looked for once more; a status that was renamed is renamed in all rows."""
    states = [{"id": 1, "name": "New"}, {"id": 2, "name": "Done"}]
    rows = [{"id": n, "title": "t", "state": 1, "at": f"2026-10-0{n}T08:00:00Z"} for n in range(1, 4)]

    def say(request: Request) -> Any:
        if request.path == "/states":
            return {"all": states}
        return [row for row in rows if str(row["at"]) >= request.query.get("since", "")]

    text = mapping(
        'incremental = { since = "{since}" }\ncursor = { field = "at" }',
        'updated_at = "at", status_raw = { path = "state", lookup = "states", take = "name" }',
        more=LOOKED,
    )
    asked = Asked(store, tmp_path, text, say)

    def asked_for(**options: Any) -> tuple[str, int, set[Any]]:
        report = asked.sync(**options)
        count = sum(one.path == "/states" for one in asked.requests)
        return report.verdict, count, {one[0] for one in stored(store, "task", "status_raw").values()}

    assert ("ok", 1, {"New"}) == asked_for()
    assert ("ok", 0, {"New"}) == asked_for()
    states.append({"id": 3, "name": "Odd"})
    rows[2] |= {"state": 3, "at": "2026-10-04T08:00:00Z"}
    assert ("ok", 1, {"New", "Odd"}) == asked_for()
    states[0]["name"] = "Open"
    assert ("ok", 1, {"Open", "Odd"}) == asked_for(full=True)
    rows[0] |= {"state": 99, "at": "2026-10-05T08:00:00Z"}
    verdict, _, __ = asked_for()
    assert "partial" == verdict


# ---------- values ----------


@pytest.mark.parametrize(
    ("value", "unit", "wanted"),
    [
        ("PT1H30M", "hours", 5400), ("1d 4h", "hours", 39600), ("1:30", "hours", 5400),
        ("2h 30m", "minutes", 9000), ("01:30:15", "seconds", 5415), (5400000, "milliseconds", 5400),
        ({"hours": 1, "minutes": 30}, "seconds", 5400),
        ({"__class__": "timedelta", "seconds": 90}, "hours", 90),
    ],
)  # fmt: skip
def test_a_duration_in_whatever_way_it_is_sent(value: Any, unit: str, wanted: int) -> None:
    """Of a working day of seven hours, where it has days."""
    assert wanted == field(f'estimate_s = {{ path = "e", unit = "{unit}" }}', {"e": value})


@pytest.mark.parametrize(
    ("path", "row", "wanted"),
    [
        ("multiply(a, b)", {"a": 2, "b": "1.5"}, "3"),
        ("add(a, b)", {"a": 0.1, "b": 0.2}, "0.3"),
        ("subtract(a, b)", {"a": 1, "b": None}, None),
        ("divide(a, `4`)", {"a": 1}, "0.25"),
        ("split(a, '/')[-1]", {"a": "x/y/z"}, "z"),
        ("entries(a)[?value.on].key | join(',', @)", {"a": {"k": {"on": True}, "l": {"on": False}}}, "k"),
        ("parsed(a).seconds", {"a": '{"seconds": 5}'}, "5"),
        ("lower(a)", {"a": "ÉTÉ"}, "été"),
    ],
)
def test_computed_values(path: str, row: dict[str, Any], wanted: str | None) -> None:
    assert wanted == field(f"type_raw = {json.dumps(path)}", row)


@pytest.mark.parametrize(
    ("path", "row"), [("add(a, b)", {"a": "x", "b": 1}), ("divide(a, b)", {"a": 1, "b": 0})]
)
def test_what_cannot_be_computed_costs_its_row(path: str, row: dict[str, Any]) -> None:
    with pytest.raises(CellError, match=r"task.type_raw from"):
        field(f"type_raw = {json.dumps(path)}", row)


@pytest.mark.parametrize(
    ("zone", "row", "day"),
    [
        ('"America/New_York"', {}, "2024-03-05"),
        ('"Asia/Tokyo"', {}, "2024-03-06"),
        ('"who.tz"', {"who": {"tz": "America/New_York"}}, "2024-03-05"),
    ],
)
def test_a_day_from_an_instant_and_a_zone(zone: str, row: dict[str, Any], day: str) -> None:
    """Half past two in the night of Paris is still the evening before in New York."""
    assert day == field(f'due_on = {{ path = "at", zone = {zone} }}', row | {"at": "2024-03-06T01:30:00Z"})


def test_a_zone_that_is_none_costs_its_row() -> None:
    with pytest.raises(CellError, match="'Mars' is no time zone"):
        field('due_on = { path = "at", zone = "tz" }', {"at": "2024-03-06T01:30:00Z", "tz": "Mars"})


@pytest.mark.parametrize(
    ("row", "wanted"),
    [({"kind": "bug", "sev": "S1", "prio": 2}, "S1"), ({"kind": "story", "prio": 2}, "2"), ({}, "none")],
)
def test_the_first_case_that_fits(row: dict[str, Any], wanted: str) -> None:
    cases = '{ when = "kind == \'bug\'", path = "sev" }, { path = "prio" }, { value = "none" }'
    assert wanted == field(f"priority_raw = {{ cases = [{cases}] }}", row)


def test_a_custom_field_by_an_id_that_the_source_gives() -> None:
    """Ids of custom fields are a site's own: they are params, and one that is not given leaves nothing."""
    text = 'estimate_s = { path = "custom[?id==\'{effort}\'].value | [0]", unit = "hours" }'
    row = {"custom": [{"id": "cf_7", "value": 2.5}]}

    assert 9000 == field(text, row, params={"effort": "cf_7"})
    assert field(text.replace("effort", "unset"), row) is None


def test_one_record_for_each_assignee() -> None:
    """Several people are several assignments, and the accounts that they are."""
    text = mapping(
        more="""
[[list.record]]
table = "account"
of = "people"
fields = { id = "item.id", display_name = "item.name" }
[[list.record]]
table = "assignment"
of = "people"
when = "item.id != `3`"
fields = { id = "join('-', [to_string(id), to_string(item.id)])", task_id = "id", account_id = "item.id" }
"""
    )
    people = [{"id": 2, "name": "Zoé"}, {"id": 3, "name": "Ana"}]
    found = made(text, {"id": 1, "title": "t", "people": people})

    assert ["d:1", "d:u2", "d:u3", "d:y1-2"] == [one.id for one in found]
    assert ("d:1", "d:u2") == (found[-1].task_id, found[-1].account_id)  # type: ignore[attr-defined]


# ---------- slips ----------


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("title = \"title\"", "title = \"sum3(a)\""), "line 10, [[list]] 'tickets': 'sum3(a)': there is no"),
        (
            ('title = "title"', 'titel = "title"'),
            "line 10, [[list]] 'tickets': task has no field 'titel'. Did you mean 'title'?",
        ),
        (('path = "/tickets"', 'pth = "/t"'), "line 6, [[list]] 'tickets': unknown key 'pth'. Did you mean"),
        (('path = "/tickets"', ""), "line 4, [[list]] 'tickets': the key 'path' is missing."),
        (
            ('path = "/tickets"', 'path = "/t"\npaging = { kind = "tokn" }'),
            "line 7, [[list]] 'tickets': paging.kind cannot be 'tokn'. Did you mean 'token'?",
        ),
        (
            ('path = "/tickets"', 'path = "/t"\nparams = { a = "1", limit = 20 }'),
            "line 7, [[list]] 'tickets': params.limit is '20'; it is to be a text, in quotes.",
        ),
        (
            ('title = "title"', 'title = "title", estimate_s = { path = "e", unit = "mins" }'),
            "line 10, [[list]] 'tickets': estimate_s.unit cannot be 'mins'. Did you mean 'minutes'?",
        ),
        (
            ('title = "title"', 'title = "title", due_on = { path = "d", format = "%Q" }'),
            "line 10, [[list]] 'tickets': format has %Q, which stands for nothing.",
        ),
        (
            ('title = "title"', 'title = "title", due_on = { path = "d", zone = "Europe/Pari" }'),
            "line 10, [[list]] 'tickets': 'Europe/Pari' is no time zone",
        ),
        (
            ('path = "/tickets"', 'path = "/t"\nrows = "time-entries"'),
            "line 7, [[list]] 'tickets': 'time-entries' is no path; a name with - stands in quotes",
        ),
        (
            ('path = "/tickets"', 'path = "/t"\nmethod = "PUT"\n[[list]]\nname = "tickets"\npath = "/u"'),
            "line 7, [[list]] 'tickets': method cannot be 'PUT'. Known: GET, POST.",
        ),
        (('title = "Desk"', 'title = "Desk"\nchek = "/me"'), "line 3: unknown key 'chek'. Did you"),
        (('title = "Desk"', 'title = "Desk"\n[auth]\nkind = "beerer"'), "line 4: auth.kind cannot be"),
        (('path = "/tickets"', 'path = "/{b}/tickets"'), "line 6, [[list]] 'tickets': {b} has no value"),
        (
            ('path = "/tickets"', 'path = "/t"\ndeletes = { kind = "listed" }'),
            "line 7, [[list]] 'tickets': deletes",
        ),
        (
            ('path = "/tickets"', 'path = "/t"\ndeletes = { kind = "probe", probe = "/t" }'),
            "line 7, [[list]] 'tickets': deletes.probe has no {id}",
        ),
        (
            ('title = "title"', 'title = { path = "x", lookup = "people", take = "name" }'),
            "line 10, [[list]] 'tickets': task.title: lookup names a list",
        ),
        (('title = "Desk"', 'title = "Desk"\nneeds = ["page"]'), "'page' is a name that the hub gives"),
        (('title = "title"', 'title = "{password}"'), "{password} has no value"),
    ],
)  # fmt: skip
def test_a_slip_is_told_with_its_line(change: tuple[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(mapping().replace(*change), "desk.toml")

    assert said in str(caught.value)
    assert "desk.toml" in str(caught.value)


# ---------- for editors, first mappings, a look at the tool ----------


def test_the_schema_for_editors_is_that_of_the_language() -> None:
    """The file in the package is written by the code; each shipped mapping is valid by it."""
    written = json.loads(
        (Path(hub_rest.__file__).with_name("mapping.schema.json")).read_text(encoding="utf-8")
    )

    assert json.loads(json.dumps(mapping_schema())) == written
    validator = jsonschema.Draft202012Validator(written)
    for name in shipped():
        text = Path(hub_rest.__file__).parent.joinpath("mappings", f"{name}.toml").read_text(encoding="utf-8")
        assert [] == [error.message for error in validator.iter_errors(tomllib.loads(text))], name
    wrong = tomllib.loads(mapping().replace('title = "title"', 'titel = "title"'))
    assert [] != list(validator.iter_errors(wrong))


SAMPLE = {
    "data": [
        {
            "id": 7, "subject": "t", "project": {"id": 3}, "status": {"name": "New"},
            "updated_at": "2026-10-05", "estimated_hours": 2, "labels": ["a"], "web_url": "https://x",
        }
    ],
    "meta": {"total_count": 45, "next_cursor": "abc"},
}  # fmt: skip


def test_a_first_mapping_of_an_answer(run_hub: Callable[..., Any], tmp_path: Path) -> None:
    """Rows, key, paging, stamp and fields are guessed, and it reads the answer it was made of."""
    (tmp_path / "tickets.json").write_text(json.dumps(SAMPLE))
    said = run_hub("rest", "suggest", str(tmp_path / "tickets.json"), "--title", "Desk")
    found = parse(said.output, "made.toml")
    (one,) = found.list

    assert ("Desk", "data", "id", "token") == (found.title, one.rows, one.key, one.paging.kind)
    assert ("meta.total_count", "meta.next_cursor") == (one.paging.total, one.paging.next)
    assert {"title": "subject", "status_raw": "status.name", "container_id": "project.id"}.items() <= dict(
        one.record[0].fields
    ).items()
    assert "# unsure: " in said.output
    assert "d:7" in [one.id for one in made(said.output, SAMPLE["data"][0])]  # type: ignore[index]


def test_a_first_mapping_of_an_openapi(run_hub: Callable[..., Any], tmp_path: Path) -> None:
    entry = {"type": "object", "properties": {"id": {"type": "integer"}, "hours": {"type": "number"},
             "spent_date": {"type": "string", "example": "2026-10-05"}}}  # fmt: skip
    answer = {"type": "object", "properties": {"time_entries": {"type": "array", "items": {"$ref": "#/c/E"}}}}
    asked = {
        "parameters": [{"name": name, "in": "query"} for name in ("page", "per_page", "updated_since")],
        "responses": {"200": {"content": {"application/json": {"schema": answer}}}},
    }
    text = {
        "openapi": "3.0.0",
        "info": {"title": "Hours"},
        "c": {"E": entry},
        "paths": {"/v2/time_entries": {"get": asked}},
    }
    (tmp_path / "api.json").write_text(json.dumps(text))
    (one,) = parse(run_hub("rest", "suggest", str(tmp_path / "api.json")).output, "made.toml").list

    assert ("/v2/time_entries", "time_entries", "worklog") == (one.path, one.rows, one.record[0].table)
    assert ("page", True) == (one.paging.kind, one.paging.is_proven)
    assert {"page": "{page}", "per_page": "{size}"} == one.params


def test_a_look_at_the_first_page(run_hub: Callable[..., Any], store: Store, tmp_path: Path) -> None:
    """Rows are shown as they would be stored, an odd one with what is wrong; nothing is stored."""
    rows = [{"id": 1, "title": "été", "e": 2}, {"id": 2, "title": None}]
    asked = Asked(
        store, tmp_path, mapping(fields='estimate_s = { path = "e", unit = "hours" }'), lambda _: rows
    )
    (tmp_path / "desk.toml").write_text(asked.mapping)
    said = run_hub("rest", "try", str(tmp_path / "desk.toml"), "--url", asked.site.url)

    assert "tickets: 2 rows" in said.output
    assert "task id='try:1' container_id='try:px' title='été' estimate_s=7200" in said.output
    assert "tickets, row 2: nothing at 'title'" in said.output


BOARDS = """
[[list]]
name = "boards"
path = "/boards"
""".strip()


@pytest.mark.parametrize(
    "deletes", ['{ kind = "absence" }', '{ kind = "probe", probe = "/cards/{id}" }'], ids=["absence", "probe"]
)
def test_a_row_that_moves_between_two_lists_is_not_gone(deletes: str, store: Store, tmp_path: Path) -> None:
    """It lacks in the one and is in the other, whichever is read first; a deleted one is in neither."""
    cards = {n: {"id": n, "title": "t", "board": 1 + n % 2} for n in range(1, 9)}

    def say(request: Request) -> Any:
        if request.path == "/boards":
            return [{"id": 1}, {"id": 2}]
        if request.path.startswith("/cards/"):
            return cards.get(int(request.path[7:])) or Response(status=404, body={})
        return [card for card in cards.values() if f"{card['board']}" == request.path[8:9]]

    each = f'each = {{ list = "boards", set = {{ b = "id" }} }}\ndeletes = {deletes}'
    text = mapping(each).replace('path = "/tickets"', 'path = "/boards/{b}/cards"')
    text = text.replace('container_id = { value = "x" }', 'container_id = "board"')
    head, _, tail = text.partition("[[list]]")
    asked = Asked(store, tmp_path, f"{head}{BOARDS}\n[[list]]{tail}", say)
    assert "ok" == asked.sync().verdict
    cards[3]["board"], cards[4]["board"] = 1, 2
    del cards[5], cards[6]
    report = asked.sync()
    boxes = {id_: one[0] for id_, one in stored(store, "task", "container_id").items()}
    again = asked.sync()

    assert ("ok", []) == (report.verdict, report.missing)
    assert ({"1", "2", "3", "4", "7", "8"}, "d:p1", "d:p2") == (set(boxes), boxes["3"], boxes["4"])
    assert ("ok", set(boxes)) == (again.verdict, asked.here())


# ---------- what is of another shape ----------


@pytest.mark.parametrize(
    ("path", "row"),
    [
        ("people[0].id", {"people": {"odd": [1]}}),
        ("people[0].id", {"people": ["ada"]}),
        ("people[*].id", {"people": "ada"}),
        ("people[].id", {"people": {"id": 1}}),
        ("people[?id > `1`].id", {"people": {"id": 1}}),
        ("parent > `0` && parent", {"parent": {"odd": [1]}}),
        ("parent > `0` && parent", {"parent": [7]}),
        ("a.b.c", {"a": {"b": 5}}),
        ("who.name || who.login", {"who": 7}),
        ("join(', ', tags[*].name)", {"tags": {"name": "x"}}),
    ],
)
def test_another_shape_is_no_nothing(path: str, row: dict[str, Any]) -> None:
    """JMESPath finds null where a row became odd; here that costs the row, and is named."""
    with pytest.raises(TypeError):
        expression(path)(row)


@pytest.mark.parametrize(
    ("path", "row", "found"),
    [
        ("people[0].id", {"people": []}, None),
        ("people[0].id", {"people": None}, None),
        ("people[0].id", {}, None),
        ("project[1]", {"project": False}, None),
        ("people[*].id", {"people": [{"id": 1}, {"id": None}, {"id": 2}]}, [1, 2]),
        ("people[?id > `1`].id", {"people": [{"id": 1}, {"id": 2}]}, [2]),
        ("parent > `0` && parent", {"parent": None}, None),
        ("parent > `0` && parent", {"parent": 7}, 7),
        ("who.name || who", {"who": "ada"}, "ada"),
        ("who.name || who", {"who": {"name": "Ada"}}, "Ada"),
    ],
)
def test_nothing_and_the_right_shape_stay(path: str, row: dict[str, Any], found: Any) -> None:
    """As the specification of JMESPath has it."""
    assert found == expression(path)(row)


def test_what_is_always_sent_and_lacks_costs_the_row(store: Store, tmp_path: Path) -> None:
    """A part that an odd object no longer has is not the same as one that the tool leaves empty."""
    text = mapping(fields='type_raw = { path = "group.title", always = true }')
    rows = [{"id": 1, "title": "a", "group": {"title": "G"}}, {"id": 2, "title": "b", "group": {"odd": [1]}}]
    report = Asked(store, tmp_path, text, lambda _: rows).sync()

    assert ("partial", 1) == (report.verdict, report.rejected)


def test_nothing_leaves_by_a_flag_that_is_none(store: Store, tmp_path: Path) -> None:
    """A trash flag of another shape proves nothing: the row is rejected, and stays as it was."""
    rows: list[dict[str, Any]] = [
        {"id": 1, "title": "a", "bin": False},
        {"id": 2, "title": "b", "bin": False},
    ]
    tool = Asked(store, tmp_path, mapping('deletes = { kind = "absence", trashed = "bin" }'), lambda _: rows)
    first = tool.sync()
    rows[1] = {**rows[1], "bin": {"odd": [1]}}
    odd = tool.sync(full=True)
    kept = tool.here()
    rows[1] = {**rows[1], "bin": True}
    tool.sync(full=True)

    assert ("ok", "partial", 1) == (first.verdict, odd.verdict, odd.rejected)
    assert ({"1", "2"}, {"1"}) == (kept, tool.here())


@pytest.mark.parametrize(
    "beside",
    [
        'table = "container"\nfields = { id = "box", kind = { value = "x" }, name = "box" }',
        'table = "iteration"\nwhen = "box"\nfields = { id = "box", name = "box" }',
    ],
)
def test_what_leaves_is_the_row_and_not_what_stands_before_it(
    store: Store, tmp_path: Path, beside: str
) -> None:
    """A record that rows share may be written first: each row that goes is missed all the same."""
    text = mapping('deletes = { kind = "absence" }').replace(
        '[[list.record]]', f'[[list.record]]\n{beside}\n[[list.record]]', 1
    )  # fmt: skip
    rows = [{"id": n, "title": "t", "box": "b"} for n in range(1, 6)]
    tool = Asked(store, tmp_path, text, lambda _: rows)
    tool.sync()
    rows.pop()
    tool.sync(full=True)

    assert {"1", "2", "3", "4"} == tool.here()
