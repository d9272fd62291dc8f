"""Tools that are silent, cut, shifting, lying or endless: what is there is read, and what lacks is said.

Each law is a function, so that faults planted into the source show that it can fail.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import hub_rest.mappings
import pytest
from hub_rest import leaving, reading, source, tool
from hub_rest.mapping import load
from hub_rest.rows import RowMapper
from hub_rest.testing.asked import OPEN, Asked
from hub_rest.testing.mapping_certification import MappingCertification

from hub import ConfigError
from hub.store import Store, rejections
from hub.sync import SourceReport
from hub.testing import store, sync_once
from hub.testing.kit import SECRET, Request, Response, SimulatorServer, credential, faults

__all__ = ["store"]
MAPPINGS = Path(hub_rest.mappings.__file__).parent
MOST_S = 60
TICKETS = """
title = "Desk"
{top}
[[list]]
name = "tickets"
path = "/tickets"
{list}
[[list.record]]
table = "task"
fields = {{ id = "id", container_id = {{ value = "x" }}, title = "title", url = "url", updated_at = "at" }}
[[list.record]]
table = "container"
fields = {{ id = {{ value = "x" }}, kind = {{ value = "queue" }}, name = {{ value = "X" }} }}
"""
HOURS = """
title = "Desk"
[[list]]
name = "hours"
path = "/hours"
deletes = { kind = "absence" }
[[list.record]]
table = "worklog"
fields = { id = "id", day = "day", seconds = { path = "minutes", unit = "minutes" } }
"""
OFFSET = 'params = { limit = "{size}", offset = "{offset}" }\npaging = { kind = "offset", size = 20 }'
PAGES = 'params = { limit = "{size}", page = "{page}" }\npaging = { kind = "page", size = 20 }'
TOKENS = 'params = { token = "{token}" }\nrows = "rows"\npaging = { kind = "token", next = "next" }'
PROBED = 'deletes = { kind = "probe", probe = "/tickets/{id}", trashed = "in_bin" }'


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Hold each test within a minute: none of these tools may keep the hub for ever."""

    def late(*_: object) -> None:
        raise TimeoutError(f"the tool held the hub for {MOST_S} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(MOST_S)
    try:
        yield
    finally:
        signal.alarm(0)
        while OPEN:
            OPEN.pop().__exit__()
        signal.signal(signal.SIGALRM, before)


def rows(count: int) -> list[dict[str, Any]]:
    return [{"id": n, "title": f"ticket {n}", "at": "2026-10-05T08:00:00Z"} for n in range(1, count + 1)]


def ids(count: int) -> set[str]:
    return {f"{n}" for n in range(1, count + 1)}


def told(report: SourceReport) -> str:
    return "\n".join([*report.missing, *report.rejections, report.error or ""])


def mapping(text: str, top: str = "") -> str:
    return TICKETS.format(list=text, top=top)


# ---------- kind 1: a row costs a row ----------

DEEP: Any = "x"
for _ in range(200):
    DEEP = [DEEP]
ODD = [
    "a text", None, 7, [], {}, {"id": None}, {"id": {"a": 1}, "title": "t"}, {"id": [1], "title": "t"},
    {"id": 7}, {"id": 7, "title": None}, {"id": 7, "title": {"text": "t"}}, {"id": 7, "title": DEEP},
    {"id": 7, "title": "t", "at": "soon"}, {"id": 7, "title": "t", "at": True},
    {"id": 7, "title": "t", "at": 10**25}, {"id": 7, "title": "t", "at": "0001-01-01T00:00:00+14:00"},
    {"id": 7, "title": "t", "at": "2026-02-30T00:00:00Z"}, {"id": 7, "title": "t", "at": {"iso": "x"}},
]  # fmt: skip


def law_an_odd_row_costs_itself(store: Store, folder: Path, odd: Any = ODD[12]) -> None:
    """Take the others; keep it, ask for it again, and let its old image stay until it is right."""
    table: list[Any] = rows(45)
    stamps = [row["at"] for row in table]
    cursor = 'incremental = { since = "{since}" }\ncursor = { field = "at" }\n' + PROBED

    def say(request: Request) -> Any:
        since = request.query.get("since", "")
        shown = [row for row, stamp in zip(table, stamps, strict=True) if stamp >= since]
        return shown if request.path == "/tickets" else {"id": 1}

    asked = Asked(store, folder, mapping(cursor), say)
    assert "ok" == asked.sync().verdict
    right, table[6] = table[6] | {"title": "right again"}, odd
    for number in range(7, 45):
        table[number]["title"] = "new"
        stamps[number] = table[number]["at"] = "2026-10-06T08:00:00Z"
    verdicts = [asked.sync(full=True), asked.sync(), asked.sync(census=True)]
    kept = rejections.rejected(store)
    image = (
        asked.here(),
        {row["title"] for row in store.rows("SELECT title FROM task WHERE id IN ('d:8', 'd:45')")},
    )
    table[6] = right
    last = asked.sync()

    assert ["partial"] * 3 == [one.verdict for one in verdicts]
    assert [1, 1, 1] == [one.rejected for one in verdicts]
    assert 1 == len(kept)
    assert "tickets, row" in kept[0].place
    assert (ids(45), {"new"}) == image
    assert [{"title": "right again"}] == store.rows("SELECT title FROM task WHERE id = 'd:7'")
    assert ("ok", [], []) == (last.verdict, last.missing, rejections.rejected(store))


@pytest.mark.sample(6)
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: json.dumps(odd)[:40])
def test_an_odd_row_costs_itself(odd: Any, store: Store, tmp_path: Path) -> None:
    """Whatever it is: a text, nothing, no key, a deep nest, a stamp of another world."""
    law_an_odd_row_costs_itself(store, tmp_path, odd)


def law_hours_at_stake(store: Store, folder: Path) -> None:
    """Keep what is understood of a row that cannot be taken: its hours, place, field and value."""
    table: list[dict[str, Any]] = [{"id": n, "day": "2026-10-05", "minutes": 90} for n in range(1, 11)] + [
        {"id": 11, "day": "31/02/2026", "minutes": 90},
        {"id": 12, "day": "2026-10-05", "minutes": 1e25},
    ]
    asked = Asked(store, folder, HOURS, lambda _: table)
    report = asked.sync()
    found = {one.place: one for one in rejections.rejected(store)}

    assert ("partial", 10) == (report.verdict, len(asked.here("worklog")))
    assert {"hours, row 11", "hours, row 12"} == {
        place.replace("worklog d:w", "hours, row ") for place in found
    }
    assert ("31/02/2026", 5400) == (found["hours, row 11"].value, found["hours, row 11"].seconds)
    assert "day" in found["hours, row 11"].field


@pytest.mark.parametrize(
    ("spoil", "taken"),
    [
        (lambda text: text.replace("90", "NaN", 1), 9),
        (lambda text: text.replace("90", "Infinity", 1), 9),
        (lambda text: text.replace("90", "9" * 400, 1), 9),
        (lambda text: text.replace("2026-10-05", "\\ud83d", 1), 9),
        (lambda text: text.replace("a line", "half \\ud83d", 1), 10),
        (lambda text: "\ufeff" + text, 10),
    ],
    ids=["NaN", "Infinity", "400 digits", "half a day", "half a character", "a mark"],
)
def test_json_as_some_servers_write_it(
    spoil: Callable[[str], str], taken: int, store: Store, tmp_path: Path
) -> None:
    """A value that JSON does not have costs its row, a mark before the answer nothing."""
    table = [{"id": n, "day": "2026-10-05", "minutes": 90, "note": "a line"} for n in range(1, 11)]
    asked = Asked(store, tmp_path, HOURS, lambda _: Response(body=spoil(json.dumps(table)).encode()))
    report = asked.sync()

    assert (10 - taken, taken) == (report.rejected, len(asked.here("worklog")))
    assert ("ok" if taken == 10 else "partial") == report.verdict


def law_an_odd_row_above_costs_what_is_under_it(store: Store, folder: Path) -> None:
    """Let a row by which another list is asked for cost that asking; what is known under it stays."""
    text = """
title = "Boards"
[[list]]
name = "boards"
path = "/boards"
[[list]]
name = "cards"
path = "/boards/{board}/cards"
each = { list = "boards", set = { board = "key.name" } }
deletes = { kind = "absence" }
[[list.record]]
table = "task"
fields = { id = "id", container_id = { value = "x" }, title = "t" }
[[list.record]]
table = "container"
fields = { id = { value = "x" }, kind = { value = "queue" }, name = { value = "X" } }
"""
    boards: list[Any] = [{"id": 1, "key": {"name": "a b/c"}}, {"id": 2, "key": {"name": "d"}}]

    def say(request: Request) -> Any:
        if request.path == "/boards":
            return boards
        number = {"/boards/a%20b%2Fc/cards": 1, "/boards/d/cards": 2}[request.path]
        return [{"id": number, "t": "card"}]

    asked = Asked(store, folder, text, say)
    first = asked.sync()
    boards[1] = {"id": 2, "key": "d"}
    second = asked.sync(census=True)
    boards[1] = {"id": 2, "key": {"name": "d"}}
    third = asked.sync()

    assert ("ok", "partial", {"1", "2"}) == (first.verdict, second.verdict, asked.here())
    assert "boards, row 2" in told(second)
    assert ("ok", []) == (third.verdict, rejections.rejected(store))


# ---------- kind 2: a list accounts for what it met ----------


def law_a_list_accounts_for_its_rows(store: Store, folder: Path) -> None:
    """Rows met are taken, rejected and left out; each once, however often it came."""
    text = """
title = "Desk"
[[list]]
name = "tickets"
path = "/tickets"
rows = "data"
paging = { kind = "next", next = "next", total = "count" }
deletes = { kind = "flag", field = "gone" }
[[list.record]]
table = "task"
when = "kind != 'note'"
fields = { id = "id", container_id = { value = "x" }, title = "title" }
[[list.record]]
table = "container"
when = "kind != 'note'"
fields = { id = { value = "x" }, kind = { value = "queue" }, name = { value = "X" } }
"""
    table = [
        row | {"kind": "note" if row["id"] <= 3 else "x", "gone": row["id"] in {4, 5}} for row in rows(20)
    ]
    table[9]["title"] = None

    def say(request: Request) -> Any:
        first = "from" not in request.query
        part = table[:12] if first else table[8:]
        return {"data": part, "count": 20, "next": "/tickets?from=12" if first else None}

    report = Asked(store, folder, text, say).sync()

    wanted = {"left out: deleted there": 2, "left out: no record wants it": 3, "seen": 20, "taken": 14}
    assert {"rows": wanted} == json.loads(store.runs("d")[0].tally or "")
    assert (1, []) == (report.rejected, report.missing)


def law_rows_hidden_in_a_page(store: Store, folder: Path) -> None:
    """ServiceNow takes rows out of a page after it was cut: all pages are read, and both numbers told."""
    hidden = {3, 20, *range(41, 61)}

    def say(request: Request) -> Any:
        if request.path != "/api/now/table/incident":
            return Response(body={"result": []}, headers={"X-Total-Count": "0"})
        start, size = int(request.query["sysparm_offset"]), int(request.query["sysparm_limit"])
        page = [
            {"sys_id": f"i{n:03}", "short_description": "x", "sys_updated_on": "2026-10-05 08:00:00"}
            for n in range(start + 1, min(start + size, 90) + 1) if n not in hidden
        ]  # fmt: skip
        return Response(body={"result": page}, headers={"X-Total-Count": "90"})

    asked = Asked(store, folder, "servicenow", say)
    settings = {"user": "u", "password": credential(), "page_size": 20}
    report = asked.sync(settings=settings)
    hidden.add(7)  # what is hidden from now on is not gone
    asked.sync(settings=settings, census=True, full=True)

    assert ("partial", 68) == (report.verdict, len(asked.here()))
    assert "incidents: the source says it has 90 rows, and 68 were read" in told(report)


def law_a_row_that_nobody_wants_any_more(store: Store, folder: Path) -> None:
    """Let a line leave that the list still shows and that is no record now; it is not called missing."""
    text = HOURS.replace('table = "worklog"', 'table = "worklog"\nwhen = "minutes > `0`"').replace(
        '{ kind = "absence" }', '{ kind = "probe", probe = "/hours/{id}" }'
    )
    table = [{"id": n, "day": "2026-10-05", "minutes": 90} for n in range(1, 11)]
    asked = Asked(store, folder, text, lambda q: table if q.path == "/hours" else table[0])
    asked.sync()
    table[3]["minutes"] = 0
    report = asked.sync(full=True)

    assert ("ok", []) == (report.verdict, report.missing)
    assert {f"w{n}" for n in range(1, 11)} - {"w4"} == asked.here("worklog")


def law_a_total_that_does_not_hold(store: Store, folder: Path) -> None:
    """Take no list for complete that gives 45 rows and counts 46, however often it is asked."""
    text = mapping(TOKENS.replace('next = "next"', 'next = "next", total = "n"'))
    pages = feed(rows(45), lambda _: None)
    report = Asked(store, folder, text, lambda q: pages(q) | {"n": 46}).sync()

    assert "failed" == report.verdict
    assert "45 different rows came where its total says 46, 3 times" in told(report)


def test_a_row_that_goes_and_comes_back_in_one_page(store: Store, tmp_path: Path) -> None:
    """A feed tells one row several times: what it says last holds."""
    text = mapping('key = "rev"\ndeletes = { kind = "flag", field = "gone" }')
    told = [(1, 1, 0), (2, 2, 0), (3, 1, 1), (4, 2, 1), (5, 2, 0)]
    feed = [{"rev": rev, "id": id_, "title": "t", "gone": gone} for rev, id_, gone in told]
    asked = Asked(store, tmp_path, text, lambda _: feed)

    assert ("ok", {"2"}) == (asked.sync().verdict, asked.here())
    assert {"d:1": ("deleted",), "d:2": ("present",)} == known(store, "task", "presence")


COUNTS: list[Callable[[int], Response]] = [
    lambda n: Response(body={"rows": rows(5), "totalCount": n}),
    lambda n: Response(body={"rows": rows(5), "@odata.count": n}),
    lambda n: Response(body={"rows": rows(5), "meta": {"total": n, "per_page": 5}}),
    lambda n: Response(body={"rows": rows(5)}, headers={"X-Total-Count": f"{n}"}),
    lambda n: Response(body={"rows": rows(5)}, status=200 if n == 5 else 206),
]


def law_a_count_that_no_mapping_names(
    store: Store, folder: Path, answer: Callable[[int], Response] = COUNTS[0]
) -> None:
    """Take no list for whole whose answer counts 50 rows and holds 5, though the mapping asks for no page."""
    counted = [5]
    asked = Asked(
        store, folder, mapping('rows = "rows"\ndeletes = { kind = "absence" }'), lambda _: answer(counted[0])
    )
    well = asked.sync()
    counted[0] = 50
    report = asked.sync(full=True)

    assert ("ok", "failed", ids(5)) == (well.verdict, report.verdict, asked.here())
    assert "nothing was taken as complete" in told(report).lower()


@pytest.mark.parametrize("answer", COUNTS, ids=["totalCount", "@odata.count", "meta", "header", "206"])
def test_a_count_that_no_mapping_names(
    answer: Callable[[int], Response], store: Store, tmp_path: Path
) -> None:
    """In each of the usual ways."""
    law_a_count_that_no_mapping_names(store, tmp_path, answer)


def test_a_total_that_may_be_hours(store: Store, tmp_path: Path) -> None:
    """A total that names nothing it counts is said, and holds nothing up; one in a text is a number."""
    asked = Asked(store, tmp_path, mapping('rows = "rows"'), lambda _: {"rows": rows(5), "total": 38})
    first = asked.sync()
    paged_by = 'rows = "rows"\npaging = { kind = "next", next = "next", total = "n" }'
    other = Asked(store, tmp_path, mapping(paged_by), lambda _: {"rows": rows(5), "n": "5"})

    assert ("ok", 5) == (first.verdict, len(asked.here()))
    assert "the answer says total = 38 beside 5 rows" in " ".join(first.notes)
    assert "ok" == other.sync(full=True).verdict


# ---------- kind 3: silence is not success ----------


def paged(table: list[Any], cap: int, *, ignores: str = "") -> Callable[[Request], Any]:
    """Answer pages of *cap* rows at most; pages are counted in rows asked for, or with *ignores* capped."""

    def say(request: Request) -> Any:
        size = int(request.query["limit"])
        given = min(size, cap)
        if "offset" in request.query:
            start = int(request.query["offset"])
        else:
            start = (int(request.query["page"]) - 1) * (given if ignores == "asked" else size)
        return table[start : start + given]

    return say


@pytest.mark.sample(8)
@pytest.mark.parametrize("cap", [1, 7, 10, 19, 20, 44, 45, 100])
@pytest.mark.parametrize("counted", ["asked", "given"])
@pytest.mark.parametrize("paging", [OFFSET, PAGES], ids=["offset", "page"])
def test_a_server_that_caps_its_pages(
    paging: str, counted: str, cap: int, store: Store, tmp_path: Path
) -> None:
    """All 45 rows come, whatever the size of its pages and however it counts them."""
    asked = Asked(store, tmp_path, mapping(paging), paged(rows(45), cap, ignores=counted))

    assert ("ok", ids(45)) == (asked.sync().verdict, asked.here())


def law_a_short_page_is_proven(store: Store, folder: Path) -> None:
    """Read all 45 rows of a server that caps pages at 10."""
    for paging in (OFFSET, PAGES):
        asked = Asked(store, folder, mapping(paging), paged(rows(45), 10))
        assert ("ok", ids(45)) == (asked.sync(full=True).verdict, asked.here())


@pytest.mark.parametrize("count", [0, 1, 7, 19])
@pytest.mark.parametrize("paging", [OFFSET, PAGES], ids=["offset", "page"])
def test_a_server_that_does_not_page(paging: str, count: int, store: Store, tmp_path: Path) -> None:
    """The same short page again is the end, not an error."""
    asked = Asked(store, tmp_path, mapping(paging), lambda _: rows(count))

    assert ("ok", ids(count)) == (asked.sync().verdict, asked.here())
    assert len(asked.requests) <= 2


def test_a_server_that_counts_and_caps(store: Store, tmp_path: Path) -> None:
    """With a total the same: 45 rows in pages of ten, though twenty were asked for."""
    for paging in (OFFSET, PAGES):
        pages = paged(rows(45), 10)
        text = mapping(paging.replace("size = 20", 'size = 20, total = "n"') + '\nrows = "rows"')
        asked = Asked(store, tmp_path, text, lambda q, pages=pages: {"rows": pages(q), "n": 45})
        assert ("ok", ids(45)) == (asked.sync(full=True).verdict, asked.here())


@pytest.mark.parametrize("paging", [OFFSET, PAGES], ids=["offset", "page"])
@pytest.mark.parametrize("flag", ["more", "end"])
def test_a_list_that_says_that_it_ended(flag: str, paging: str, store: Store, tmp_path: Path) -> None:
    """It needs no proof; one that says that more follows is asked on, though a page is empty."""
    text = mapping(paging.replace("size = 20", f'size = 20, {flag} = "flag"') + '\nrows = "rows"')
    asked = Asked(store, tmp_path, text, lambda _: {"rows": rows(7), "flag": flag == "end"})
    well = asked.sync()
    assert ("ok", 1) == (well.verdict, len(asked.requests))
    asked.say = lambda _: {"rows": [], "flag": flag == "more"}

    assert "ok" != asked.sync(full=True).verdict


def law_a_deletion_between_two_pages(store: Store, folder: Path) -> None:
    """Pages by offset overlap: a row that goes after the first page costs no other."""
    table = rows(45)
    pages = paged(table, 20)

    def say(request: Request) -> Any:
        page = pages(request)
        if request.query["offset"] == "0" and len(table) == 45:
            del table[2]
        return page

    asked = Asked(store, folder, mapping(OFFSET), say)

    assert ("ok", ids(45)) == (asked.sync().verdict, asked.here())  # the third was there when it was read


REFUSALS: list[Any] = [
    {"errors": [{"message": "timeout of the query"}], "rows": rows(7)},
    {"errors": [{"message": "timeout of the query"}], "rows": None},
    {"error": "timeout of the query", "rows": []},
    {"error": {"code": 17, "message": "timeout of the query"}},
    {"errors": {"base": ["timeout of the query"]}, "rows": rows(7)},
    {"success": False, "message": "timeout of the query", "rows": []},
    {"ok": False, "description": "timeout of the query", "rows": rows(7)},
    {"status": "error", "detail": "timeout of the query", "rows": []},
]


def law_an_error_in_a_200(store: Store, folder: Path, body: Any = REFUSALS[0]) -> None:
    """Tell it as a refusal with what it says, with or without rows, and never with our secrets."""
    text = mapping('rows = "rows"\ndeletes = { kind = "absence" }', 'auth = { kind = "bearer" }')
    answers: list[Any] = [{"rows": rows(45), "errors": [], "error": None}]
    asked = Asked(store, folder, text, lambda _: answers[-1])
    assert "ok" == asked.sync(settings={"token": credential()}).verdict
    answers.append(json.loads(json.dumps(body).replace("timeout", f"{SECRET}: timeout")))
    report = asked.sync(full=True, settings={"token": credential()})

    assert ("failed", ids(45)) == (report.verdict, asked.here())
    assert "timeout of the query" in told(report)
    assert SECRET not in told(report)


@pytest.mark.parametrize("body", REFUSALS, ids=lambda body: json.dumps(body)[:40])
def test_an_error_in_a_200(body: Any, store: Store, tmp_path: Path) -> None:
    """In whatever form the tool says it."""
    law_an_error_in_a_200(store, tmp_path, body)


def test_an_answer_that_is_not_ready(store: Store, tmp_path: Path) -> None:
    """202 with no rows is no empty list: what was known stays."""
    answers = [Response(body={"rows": rows(5)}), Response(status=202, body={"rows": []})]
    text = mapping('rows = "rows"\ndeletes = { kind = "absence" }')
    asked = Asked(store, tmp_path, text, lambda _: answers[-1 if asked_twice else 0])
    asked_twice = False
    assert "ok" == asked.sync().verdict
    asked_twice = True

    assert ("failed", ids(5)) == (asked.sync(full=True).verdict, asked.here())


def test_a_thing_that_failed_by_its_nature(store: Store, tmp_path: Path) -> None:
    """A list beside which a build says that it failed is a list."""
    text = mapping('rows = "rows"')
    asked = Asked(
        store, tmp_path, text, lambda _: {"id": 7, "status": "failed", "ok": False, "rows": rows(7)}
    )

    assert ("ok", ids(7)) == (asked.sync().verdict, asked.here())


@pytest.mark.parametrize(
    ("kind", "count"), [("application/json; charset=iso-8859-1", 1), ("application/json", 0)]
)
def test_letters_of_another_encoding(kind: str, count: int, store: Store, tmp_path: Path) -> None:
    """An answer is read by the encoding it names; one that names none and is not UTF-8 is a sentence."""
    body = json.dumps(rows(1), ensure_ascii=False).replace("ticket", "demandé").encode("latin-1")
    asked = Asked(store, tmp_path, mapping(""), lambda _: Response(body=body, headers={"Content-Type": kind}))
    report = asked.sync()

    assert [{"title": "demandé 1"}] * count == store.rows("SELECT title FROM task")
    assert ("ok" if count else "failed") == report.verdict
    assert count or "letters that are not UTF-8" in told(report)


def test_rows_that_are_called_errors(store: Store, tmp_path: Path) -> None:
    """A list whose rows stand at errors is a list."""
    asked = Asked(store, tmp_path, mapping('rows = "errors"'), lambda _: {"errors": rows(7)})

    assert ("ok", ids(7)) == (asked.sync().verdict, asked.here())


def feed(table: list[Any], refuse: Callable[[str], Any]) -> Callable[[Request], Any]:
    """Answer ten rows a token, unless *refuse* has another answer to it."""

    def say(request: Request) -> Any:
        token = request.query.get("token", "")
        if (refused := refuse(token)) is not None:
            return refused
        start = int(token.partition("-")[0] or 0)
        more = start + 10 < len(table)
        return {"rows": table[start : start + 10], "next": f"{min(start + 10, len(table))}" if more else None}

    return say


EXPIRED: list[Any] = [
    Response(status=410, body={"error": {"message": "Sync token is no longer valid"}}),
    Response(status=400, body={"message": "invalid cursor"}),
    Response(status=404, body={}),
    {"errors": [{"message": "Invalid cursor"}], "rows": None},
]


def law_a_refused_token(store: Store, folder: Path, answer: Any = EXPIRED[0]) -> None:
    """Begin the list anew, in the same run, when a token of an earlier page is refused."""
    refused: list[str] = []

    def refuse(token: str) -> Any:
        if token == "20" and not refused:
            refused.append(token)
            return answer
        return None

    asked = Asked(store, folder, mapping(TOKENS), feed(rows(45), refuse))

    assert ("ok", ids(45), ["20"]) == (asked.sync().verdict, asked.here(), refused)


@pytest.mark.parametrize("answer", EXPIRED, ids=["410", "400", "404", "200"])
def test_a_refused_token(answer: Any, store: Store, tmp_path: Path) -> None:
    """However it is refused."""
    law_a_refused_token(store, tmp_path, answer)


def test_a_token_of_an_earlier_run_that_is_refused(store: Store, tmp_path: Path) -> None:
    """A feed whose mark expired is read from its start, in the same run; what it lacks now is gone."""
    table, expired = rows(45), [""]
    text = mapping(
        TOKENS.replace('next = "next"', 'next = "next", end = "done", resume = true')
        + '\ndeletes = { kind = "absence" }'
    )

    def say(request: Request) -> Any:
        token = request.query.get("token", "")
        if token and token == expired[0]:
            return EXPIRED[0]
        start = int(token or 0)
        upto = min(start + 10, len(table))
        return {"rows": table[start:upto], "next": f"{upto}", "done": upto == len(table)}

    asked = Asked(store, tmp_path, text, say)
    assert "ok" == asked.sync().verdict
    expired[0] = "45"
    table += [{"id": 46, "title": "late"}]
    del table[4]
    second = asked.sync()
    expired[0] = "44"
    third = asked.sync()

    assert ("ok", "ok", ids(46) - {"5"}) == (second.verdict, third.verdict, asked.here())
    assert ["45"] == [request.query.get("token") for request in asked.requests]


def test_a_token_that_is_refused_each_time(store: Store, tmp_path: Path) -> None:
    """It ends with what the tool says, and nothing is taken as complete."""
    refuse = lambda token: EXPIRED[0] if token == "20" else None  # noqa: E731
    asked = Asked(store, tmp_path, mapping(TOKENS), feed(rows(45), refuse))
    report = asked.sync()

    assert "failed" == report.verdict
    assert "refuses the next page as it named it itself" in told(report)
    assert len(asked.requests) <= 9


def law_rows_that_a_list_does_not_show(store: Store, folder: Path) -> None:
    """Name 45 rows that answer and are in no list, in each run until it shows them again."""
    cursor = 'incremental = { since = "{since}" }\ncursor = { field = "at" }\n' + PROBED
    shown = rows(45)

    def say(request: Request) -> Any:
        return shown if request.path == "/tickets" else {"id": int(request.path.rpartition("/")[2])}

    asked = Asked(store, folder, mapping(cursor), say)
    assert "ok" == asked.sync().verdict
    shown.clear()
    reports = [asked.sync(full=True), asked.sync(), asked.sync(census=True)]
    kept, requests = asked.here(), len(asked.requests)
    shown += rows(45)
    last = asked.sync()

    assert ["partial"] * 3 == [one.verdict for one in reports]
    for report in reports:
        assert "45 rows that were known are not in the whole list and still answer" in told(report)
        assert "1, 2, 3" in told(report)
    assert ids(45) == kept
    assert requests < 45
    assert "ok" == last.verdict


def law_the_census_names_them_too(store: Store, folder: Path) -> None:
    """Name in the census what a list stopped to show between two sweeps."""
    cursor = 'incremental = { since = "{since}" }\ncursor = { field = "at" }\n' + PROBED
    table = rows(45)

    def say(request: Request) -> Any:
        if request.path != "/tickets":
            return {"id": 1}
        return [] if "since" in request.query else table

    asked = Asked(store, folder, mapping(cursor), say)
    asked.sync()
    del table[:3]
    report = asked.sync(census=True)

    assert ("partial", ids(45)) == (report.verdict, asked.here())
    assert "tickets: 3 rows that were known are not in the whole list" in told(report)


def law_the_bin_is_no_deletion(store: Store, folder: Path) -> None:
    """Of rows that a list lacks: 404 is deleted, a flag of the bin trashed, 403 hidden."""
    table = rows(45)

    def say(request: Request) -> Any:
        match request.path:
            case "/tickets":
                return table
            case "/tickets/1":
                return Response(status=404, body={})
            case "/tickets/2":
                return {"id": 2, "in_bin": 1}
            case "/tickets/3":
                return Response(status=403, body={})
        return {"id": 4, "in_bin": "0"}

    asked = Asked(store, folder, mapping(PROBED), say)
    asked.sync()
    del table[:3]
    report = asked.sync()
    found = {
        row["id"]: row["presence"] for row in store.rows("SELECT * FROM task WHERE presence <> 'present'")
    }

    assert {"d:1": "deleted", "d:2": "trashed", "d:3": "hidden"} == found
    assert ("ok", []) == (report.verdict, report.missing)


def law_who_we_are_is_asked_each_run(store: Store, folder: Path) -> None:
    """One request a run; a tool that shows its public part to nobody is refused, and nothing leaves."""
    top = 'check = "/me"\naccount = "user.name"'
    who: list[Any] = [{"user": {"name": "hub"}}]
    asked = Asked(
        store, folder, mapping('deletes = { kind = "absence" }', top),
        lambda q: who[-1] if q.path == "/me" else rows(45),
    )  # fmt: skip
    for _ in range(2):
        assert "ok" == asked.sync().verdict
        assert 1 == sum(request.path == "/me" for request in asked.requests)
    who.append({"user": {"name": None}})
    report = asked.sync(full=True)

    assert ("failed", ids(45)) == (report.verdict, asked.here())
    assert "Desk answers as to nobody" in told(report)


def law_a_list_that_is_empty_at_once(store: Store, folder: Path) -> None:
    """All people, or all containers, vanishing at once is told; asking for all anew takes it as it is."""
    text = """
title = "Desk"
[[list]]
name = "projects"
path = "/projects"
[[list.record]]
table = "container"
fields = { id = "id", kind = { value = "project" }, name = "title" }
"""
    table = rows(12)
    asked = Asked(store, folder, text, lambda _: table)
    assert "ok" == asked.sync().verdict
    table.clear()
    reports = [asked.sync(), asked.sync()]

    assert ["partial", "partial"] == [one.verdict for one in reports]
    assert "projects: the whole list has no row any more, and had 12" in told(reports[1])
    assert 12 == len(asked.here("container"))


# ---------- kind 6: limits everywhere ----------


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (lambda n: {"rows": [], "next": f"t{n}"}, "pages in a row brought no new row"),
        (lambda n: {"rows": rows(10 + n % 2), "next": f"t{n}"}, "pages in a row brought no new row"),
        (lambda n: {"rows": [{"id": n, "title": "t"}], "next": f"t{n % 7}"}, "to the same page for ever"),
        (lambda n: {"rows": rows(10), "next": f"t{n}"}, "the same page again and again"),
    ],
    ids=["empty pages", "old rows", "states that come back", "one page"],
)
def test_pages_that_go_on_for_ever(
    answer: Callable[[int], Any], said: str, store: Store, tmp_path: Path
) -> None:
    """They end with a sentence, not with the server's patience."""
    law_pages_end(store, tmp_path, answer, said)


def law_an_empty_page_in_the_middle(store: Store, folder: Path) -> None:
    """Take no list for whole whose second page comes empty while its answers count 45 rows."""
    second: list[Any] = [{"rows": rows(45)[20:], "total_count": 45}]

    def say(request: Request) -> Any:
        first = {"rows": rows(45)[:20], "next": "2", "total_count": 45}
        return second[-1] if request.query.get("token") else first

    asked = Asked(store, folder, mapping(f'{TOKENS}\ndeletes = {{ kind = "absence" }}'), say)
    assert ("ok", ids(45)) == (asked.sync().verdict, asked.here())
    second.append({"rows": [], "total_count": 45})
    assert ("failed", ids(45)) == (asked.sync(full=True).verdict, asked.here())


def law_an_answer_that_does_not_say_that_it_ended(store: Store, folder: Path) -> None:
    """Ask on where the word is lacking by which more is said to follow."""

    def say(request: Request) -> Any:
        first = int(request.query["offset"])
        return {"rows": rows(45)[first : first + 20]}

    paging = OFFSET.replace("size = 20", 'size = 20, more = "more"')
    asked = Asked(store, folder, mapping(f'rows = "rows"\n{paging}'), say)
    assert ("ok", ids(45)) == (asked.sync().verdict, asked.here())


def law_pages_end(
    store: Store,
    folder: Path,
    answer: Callable[[int], Any] = lambda n: {"rows": [], "next": f"t{n}"},
    said: str = "pages in a row brought no new row",
) -> None:
    """Leave a tool after a bound that names a next page each time."""
    count = [0]

    def say(_: Request) -> Any:
        count[0] += 1
        return answer(count[0]) if count[0] < 1000 else Response(status=404, body={})

    report = Asked(store, folder, mapping(TOKENS), say).sync()

    assert "ok" != report.verdict
    assert said in told(report)
    assert count[0] < 200


def law_old_rows_end(store: Store, folder: Path) -> None:
    """So is one whose next pages bring nothing but rows that came already."""
    law_pages_end(store, folder, lambda n: {"rows": rows(10 + n % 2), "next": f"t{n}"})


def law_a_stamp_of_the_future_is_no_mark(store: Store, folder: Path) -> None:
    """One row stamped in 2050 hides no later change."""
    table = rows(10)
    table[3]["at"] = "2050-01-01T00:00:00Z"
    cursor = 'params = { since = "{since}" }\ncursor = { field = "at", overlap_s = 0 }'

    def say(request: Request) -> Any:
        return [row for row in table if row["at"] >= request.query.get("since", "")]

    asked = Asked(store, folder, mapping(cursor), say)
    first = asked.sync()
    assert ("ok", "") == (first.verdict, told(first))
    table.append({"id": 11, "title": "late", "at": "2026-10-06T08:00:00Z"})

    assert ("ok", ids(11)) == (asked.sync().verdict, asked.here())


LAWS = [value for name, value in list(globals().items()) if name.startswith("law_")]


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_a_law(law: Callable[[Store, Path], None], store: Store, tmp_path: Path) -> None:
    """Each holds as it stands; what it says is beside it."""
    law(store, tmp_path)


# ---------- mutants: a fault in the source breaks the law ----------


def raises(self: Any, row: Any, key: str, exc: Exception) -> None:
    raise exc


def nothing(*_: Any, **__: Any) -> Any:
    return None


def forgetful(**fields: Any) -> Any:
    return reading.Batch(**fields | {"held": fields.get("cursor")})


MUTANTS: dict[str, tuple[Any, str, Any, Callable[[Store, Path], None]]] = {
    # a row costs a row
    "row_stops_the_list": (reading.Reading, "_reject", raises, law_an_odd_row_costs_itself),
    "row_is_swallowed": (reading.Reading, "_reject", nothing, law_an_odd_row_costs_itself),
    "no_hours_at_stake": (RowMapper, "understood", lambda *_: {}, law_hours_at_stake),
    "mark_goes_on": (source, "Batch", forgetful, law_an_odd_row_costs_itself),
    # a list accounts for what it met
    "counts_taken_only": (
        reading.Reading, "tally",
        lambda self, said: reading.Tally(seen=1, taken=1, said=said), law_a_list_accounts_for_its_rows,
    ),
    "believes_the_page": (tool, "holds", lambda *_: True, law_a_total_that_does_not_hold),
    "no_total": (tool.Tool, "_total", nothing, law_rows_hidden_in_a_page),
    "keeps_what_nobody_wants": (
        reading.Reading, "_left", lambda *_: [], law_a_row_that_nobody_wants_any_more,
    ),
    "counts_are_not_read": (tool, "usual_total", lambda *_: ("", 0), law_a_count_that_no_mapping_names),
    "counts_of_pages_are_not_read": (tool, "_lacking", lambda *_: "", law_an_empty_page_in_the_middle),
    # silence is not success
    "no_word_is_the_end": (
        tool, "ended", lambda paging, answer: not answer.get("more"),
        law_an_answer_that_does_not_say_that_it_ended,
    ),
    "short_page_is_the_end": (
        tool, "is_last", lambda paging, page, reached: len(page.rows) < 20, law_a_short_page_is_proven,
    ),
    "no_overlap": (tool, "overlap_of", lambda *_: 0, law_a_deletion_between_two_pages),
    "errors_are_rows": (tool.Tool, "_check_refusal", nothing, law_an_error_in_a_200),
    "refused_for_ever": (tool, "Refused", lambda said, first: ConfigError(said), law_a_refused_token),
    "believes_the_list": (
        leaving.Leaving, "_presence", lambda *_: ("deleted", "x"), law_rows_that_a_list_does_not_show,
    ),
    "bin_is_deletion": (leaving, "is_true", lambda _: False, law_the_bin_is_no_deletion),
    "anybody_will_do": (tool.Tool, "signed_in", lambda _: "", law_who_we_are_is_asked_each_run),
    "empty_is_empty": (leaving.Leaving, "was_emptied", lambda *_: False, law_a_list_that_is_empty_at_once),
    # limits everywhere
    "for_ever": (tool, "IDLE", 10**9, law_pages_end),
    "old_rows_are_new": (tool, "hash", lambda _: object(), law_old_rows_end),
    "marks_the_future": (
        reading, "timedelta", lambda **_: timedelta(days=200_000), law_a_stamp_of_the_future_is_no_mark,
    ),
}  # fmt: skip


@pytest.mark.parametrize("bug", MUTANTS)
def test_a_mutant_breaks_its_law(
    bug: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, proof: bool
) -> None:
    """A source with this one fault fails the law it breaks; short tests take every third."""
    if not proof and list(MUTANTS).index(bug) % 3:
        pytest.skip("make proof runs every mutant")
    owner, name, fault, law = MUTANTS[bug]
    monkeypatch.setattr(owner, name, fault, raising=name != "hash")
    with pytest.raises((AssertionError, TypeError)):
        law(store, tmp_path)


# ---------- the shipped mappings ----------


def known(store: Store, table: str, *fields: str) -> dict[str, tuple[Any, ...]]:
    return {row["id"]: tuple(row[name] for name in fields) for row in store.rows(f"SELECT * FROM {table}")}


def test_glpi_tells_the_bin_from_a_deletion_and_ends_its_session(store: Store, tmp_path: Path) -> None:
    """A ticket in the bin vanishes from the list and answers by its id; each run ends its session."""
    tickets = [
        {"id": n, "entities_id": 0, "name": f"t{n}", "status": 1, "is_deleted": 0} for n in range(1, 11)
    ]
    gone = {
        3: Response(body=tickets[2] | {"is_deleted": 1}),
        4: Response(status=404, body=["ERROR_ITEM_NOT_FOUND"]),
    }

    def say(request: Request) -> Any:
        name = request.path.removeprefix("/apirest.php/")
        if name in {"initSession", "getFullSession"}:
            return {"session_token": "s1", "session": {"glpiname": "hub"}}
        if name.startswith("Ticket/"):
            return gone[int(name.partition("/")[2])]
        first, last = map(int, request.query.get("range", "0-0").split("-"))
        page = tickets[first : last + 1] if name == "Ticket" else []
        count = len(tickets) if name == "Ticket" else 0
        return Response(status=206, body=page, headers={"Content-Range": f"{first}-{last}/{count}"})

    asked = Asked(store, tmp_path, "glpi", say)
    settings = {"token": credential(), "app_token": credential()}
    assert "ok" == asked.sync(settings=settings).verdict
    del tickets[2:4]
    report = asked.sync(settings=settings, full=True)
    found = {id_: one for id_, one in known(store, "task", "presence").items() if one != ("present",)}
    last = asked.requests[-1]

    assert ("ok", {"d:t3": ("trashed",), "d:t4": ("deleted",)}) == (report.verdict, found)
    assert ("/apirest.php/killSession", "s1") == (last.path, last.headers["session-token"])
    assert [1, 1] == [
        sum(one.path.endswith(name) for one in asked.requests) for name in ("initSession", "killSession")
    ]


def test_azure_devops_finds_destroyed_items_in_slices(store: Store) -> None:
    """A destroyed item leaves no revision: ids are asked for in slices below the limit of a query."""
    examined = MappingCertification(MAPPINGS / "azure-devops.toml")
    world = examined.world(3)
    with SimulatorServer(world) as site:
        first = sync_once(store, examined.source(site.url), session=faults.hurried)
        world.destroy("103")
        world.delete("104")
        site.asked.clear()
        report = sync_once(store, examined.source(site.url), session=faults.hurried, census=True)
        queries = [json.loads(one.body)["query"] for one in site.asked if one.path.endswith("/wiql")]
        slices = {int(one.query["$top"]) for one in site.asked if one.path.endswith("/wiql")}
    gone = {id_: one for id_, one in known(store, "task", "presence").items() if one != ("present",)}

    assert ("ok", "ok") == (first.verdict, report.verdict)
    assert {"rest:103": ("deleted",), "rest:104": ("trashed",)} == gone
    assert len(queries) > 2
    assert ["> 0 ", "> 122 "] == [query[query.index(">") : query.index("ORDER")] for query in queries[:2]]
    assert slices == {20}


@pytest.mark.parametrize(
    ("person", "native", "name", "email"),
    [
        ({"displayName": "Zoé", "uniqueName": "z@example.org"}, "z@example.org", "Zoé", "z@example.org"),
        ("Zoé <z@example.org>", "z@example.org", "Zoé", "z@example.org"),
        ("Zoé Martin <ACME\\zoe>", "ACME\\zoe", "Zoé Martin", None),
        ("Zoé Martin", "Zoé Martin", "Zoé Martin", None),
        ({"displayName": "Build Service"}, "Build Service", "Build Service", None),
    ],
)  # fmt: skip
def test_people_of_azure_devops(person: Any, native: str, name: str, email: str | None) -> None:
    """An object or a text, whatever the server sends: one person, one id."""
    described = load("azure-devops", Path())
    revisions = next(one for one in described.list if one.name == "revisions")
    fields = {"System.Title": "t", "System.TeamProject": "P", "System.AssignedTo": person}
    made = {
        record.table: record
        for record in RowMapper(described, name="s", tz="UTC", day_s=25200).records(
            revisions, {"id": 1, "rev": 1, "fields": fields}, {}
        )
    }

    assert f"s:u{native}" == made["account"].id == made["task"].assignee_id  # type: ignore[attr-defined]
    assert (name, email) == (made["account"].display_name, made["account"].email)  # type: ignore[attr-defined]


@pytest.mark.parametrize("group", ["acme/platform/tools", "acme%2Fplatform%2Ftools"])
def test_gitlab_asks_for_a_subgroup(group: str, store: Store, tmp_path: Path) -> None:
    """The path of a group is one part of an address, and plain in GraphQL; an error there is shown."""
    asked = Asked(
        store, tmp_path, "gitlab", lambda q: {"username": "hub"} if q.path == "/api/v4/user" else []
    )
    plain = asked.say
    answer: dict[str, Any] = {
        "data": {"group": {"timelogs": {"count": 0, "nodes": [], "pageInfo": {"hasNextPage": False}}}}
    }
    asked.say = lambda q: answer if q.path == "/api/graphql" else plain(q)
    settings = {"token": credential(), "params": {"group": group}}
    first = asked.sync(settings=settings)
    paths = {one.path for one in asked.requests}
    variables = [json.loads(one.body)["variables"] for one in asked.requests if one.path == "/api/graphql"]
    answer |= {"errors": [{"message": "The resource that you are attempting to access does not exist"}]}
    second = asked.sync(settings=settings)

    assert ("ok", "partial") == (first.verdict, second.verdict)
    assert "/api/v4/groups/acme%2Fplatform%2Ftools/issues" in paths
    assert "acme/platform/tools" == variables[0]["group"]
    assert "The resource that you are attempting to access does not exist" in told(second)


@pytest.mark.parametrize(
    ("about", "kept"),
    [
        ({"expires_at": "2027-01-31", "active": True}, ["2027-01-31"]),
        ({"expires_at": None}, []), ({"expires_at": "soon"}, []), ([], []), ("no", []), (404, []), (403, []),
    ],
)  # fmt: skip
def test_gitlab_says_when_its_token_ends(about: Any, kept: list[str], store: Store, tmp_path: Path) -> None:
    """Its day is kept, of which people are told before it; a token of another kind costs nothing."""
    answers = {"/api/v4/user": {"username": "hub"}, "/api/v4/personal_access_tokens/self": about}
    timelogs = {
        "data": {"group": {"timelogs": {"count": 0, "nodes": [], "pageInfo": {"hasNextPage": False}}}}
    }

    def said(one: Any) -> Any:
        return Response(status=one) if isinstance(one, int) else one

    asked = Asked(
        store, tmp_path, "gitlab",
        lambda q: timelogs if q.path == "/api/graphql" else said(answers.get(q.path, [])),
    )  # fmt: skip
    report = asked.sync(settings={"token": credential(), "params": {"group": "acme"}})
    found = [row["ends_on"] for row in store.rows("SELECT * FROM ending WHERE kind = 'token'")]

    assert ("ok", kept) == (report.verdict, found)


def test_openproject_keeps_what_is_archived(store: Store, tmp_path: Path) -> None:
    """The work of an archived project is in no list and answers 404: it stays."""
    projects = [{"id": n, "identifier": f"p{n}", "name": f"P{n}", "active": True} for n in (6, 7)]
    packages = [
        {"id": n, "subject": "x", "updatedAt": "2026-10-05T08:00:00Z", "_links": {
            "project": {"href": f"/api/v3/projects/{6 + n % 2}"}, "status": {"title": "New"}}}
        for n in range(1, 11)
    ]  # fmt: skip

    def say(request: Request) -> Any:
        name = request.path.removeprefix("/api/v3/")
        if name == "users/me":
            return {"name": "hub"}
        active = [one for one in projects if one["active"] == ('["t"]' in request.query.get("filters", ""))]
        seen = {f"/api/v3/projects/{one['id']}" for one in projects if one["active"]}
        shown = [one for one in packages if one["_links"]["project"]["href"] in seen]  # type: ignore[index]
        found = {"projects": active, "work_packages": shown}.get(name, [])
        size, page = int(request.query["pageSize"]), int(request.query["offset"])
        elements = found[(page - 1) * size : page * size]
        return {"total": len(found), "_embedded": {"elements": elements}}

    def answered(request: Request) -> Any:
        return (
            Response(status=404, body={})
            if request.path.count("/") > 3 and "me" not in request.path
            else say(request)
        )

    asked = Asked(store, tmp_path, "openproject", answered)
    assert "ok" == asked.sync(settings={"token": credential()}).verdict
    projects[1]["active"] = False
    report = asked.sync(settings={"token": credential()}, full=True)

    assert ("ok", []) == (report.verdict, report.missing)
    assert ids(10) == asked.here()
    assert {"d:p6": (0,), "d:p7": (1,)} == known(store, "container", "archived")


def test_servicenow_reads_the_week_of_the_instance() -> None:
    """A week that begins at midnight in Paris begins on that day, over the change of the clocks too."""
    described = load("servicenow", Path())
    cards = next(one for one in described.list if one.name == "time cards")
    mapper = RowMapper(described, name="s", tz="Europe/Paris", day_s=25200)
    days = {
        start: [record.day for record in mapper.records(  # type: ignore[attr-defined]
            cards, {"sys_id": "a", "week_starts_on": start, "sunday": "1", "saturday": "2"}, {})]
        for start in ("2024-03-31", "2024-03-30 23:00:00")
    }  # fmt: skip

    assert days["2024-03-31"] == days["2024-03-30 23:00:00"] == [f"2024-{day}" for day in (
        "03-31", "04-01", "04-02", "04-03", "04-04", "04-05", "04-06")]  # fmt: skip


@pytest.mark.long
def test_tempo_gives_pages_of_its_own_and_splits_what_is_billed(store: Store, tmp_path: Path) -> None:
    """Pages hold 700 lines, whatever is asked for; of 2.5 h one is billed, then two, all, one, none."""
    lines = [
        {"tempoWorklogId": n, "issue": {"id": 1}, "timeSpentSeconds": 9000, "billableSeconds": 0,
         "startDate": "2026-10-05", "updatedAt": "2026-10-05T08:00:00Z", "author": {"accountId": "a"}}
        for n in range(1, 1501)
    ]  # fmt: skip

    def say(request: Request) -> Any:
        if request.path != "/4/worklogs":
            return {"results": []} if "attributes" in request.path else Response(status=404, body={})
        start = int(request.query["offset"])
        return {"metadata": {"count": 700}, "results": lines[start : start + 700]}

    asked = Asked(store, tmp_path, "tempo", say)
    settings = {"token": credential(), "params": {"jira": "d"}}
    found = []
    for billed in (3600, 7200, 9000, 3600, 0):
        lines[2]["billableSeconds"] = billed
        asked.sync(settings=settings)
        mine = "SELECT * FROM worklog WHERE id IN ('d:w3', 'd:w3/rest') AND presence = 'present'"
        found.append({bool(row["billable"]): row["seconds"] for row in store.rows(mine)})
    whole = store.rows("SELECT sum(seconds) AS s FROM worklog WHERE presence = 'present'")
    lines[2]["billableSeconds"] = 3600
    assert "ok" == asked.sync(settings=settings).verdict
    lines.pop(2)
    last = asked.sync(settings=settings, full=True)

    assert [
        {True: 3600, False: 5400}, {True: 7200, False: 1800}, {True: 9000},
        {True: 3600, False: 5400}, {False: 9000},
    ] == found  # fmt: skip
    assert 1500 * 9000 == whole[0]["s"]
    assert ("ok", 1499) == (last.verdict, len(asked.here("worklog")))
