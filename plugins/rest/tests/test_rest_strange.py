"""Keys, flags and answers as some servers write them: nothing leaves that is there, nothing is new."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_rest.mapping import is_true
from hub_rest.testing.asked import OPEN, Asked

from hub.store import Store, rejections
from hub.testing import store
from hub.testing.kit import Request, Response

__all__ = ["store"]
TICKETS = """
title = "Desk"
[[list]]
name = "tickets"
path = "/tickets"
rows = "rows"
{list}
[[list.record]]
table = "task"
fields = {{ id = "id", container_id = {{ value = "x" }}, title = "title", parent_id = "parent" }}
[[list.record]]
table = "container"
fields = {{ id = {{ value = "x" }}, kind = {{ value = "queue" }}, name = {{ value = "X" }} }}
"""
ABSENCE = 'deletes = { kind = "absence" }'
PAGES = {
    "none": "",
    "offset": 'params = { o = "{offset}" }\npaging = { kind = "offset", size = 4 }',
    "offset with a total": (
        'params = { o = "{offset}" }\npaging = { kind = "offset", size = 4, total = "total" }'
    ),
    "page": 'params = { p = "{page}" }\npaging = { kind = "page", size = 4, total = "total" }',
    "page, twice": 'params = { p = "{page}" }\npaging = { kind = "page", size = 4, twice = true }',
    "after": 'params = { after = "{after}" }\npaging = { kind = "after", size = 4 }',
    "before": 'params = { before = "{before}" }\npaging = { kind = "before", size = 4 }',
    "token": 'params = { o = "{token}" }\npaging = { kind = "token", size = 4, next = "next" }',
    "next": 'paging = { kind = "next", size = 4, next = "next" }',
    "link": 'paging = { kind = "link", size = 4 }',
}


@pytest.fixture(autouse=True)
def ended() -> Iterator[None]:
    """End the tools of a test."""
    yield
    while OPEN:
        OPEN.pop().__exit__()


def rows(count: int = 10) -> list[dict[str, Any]]:
    return [{"id": n, "title": f"ticket {n}", "parent": None} for n in range(1, count + 1)]


def ids(count: int = 10) -> set[str]:
    return {f"{n}" for n in range(1, count + 1)}


def told(report: Any) -> str:
    return "\n".join([*report.missing, *report.rejections, report.error or ""])


class Desk:
    """Ten tickets in pages of four, in whatever way they are paged; *bend* changes each answer."""

    def __init__(self, paging: str) -> None:
        """Hold ten."""
        self.paging, self.table, self.bend = paging, rows(), lambda number, answer: answer
        self.counter = itertools.count(1)

    def begin(self, bend: Any) -> None:
        """Begin to answer otherwise."""
        self.bend, self.counter = bend, itertools.count(1)

    def say(self, request: Request) -> Any:
        """Answer one page."""
        query, table = request.query, self.table
        first = int(query.get("o", 0)) or (int(query.get("p", 1)) - 1) * 4
        if self.paging == "after":
            table = [row for row in table if row["id"] > int(query["after"])]
        elif self.paging == "before":
            table = [row for row in reversed(table) if row["id"] < int(query.get("before", 99))]
        elif self.paging == "none":
            return self.bend(next(self.counter), {"rows": list(table)})
        total = len(self.table)
        answer: dict[str, Any] = {"rows": table[first : first + 4], "total": total, "totalCount": total}
        following, headers = f"/tickets?o={first + 4}", {}
        if first + 4 < len(table) and self.paging in {"token", "next"}:
            answer["next"] = following if self.paging == "next" else f"{first + 4}"
        elif first + 4 < len(table) and self.paging == "link":
            headers = {"Link": f'<{following}>; rel="next"'}
        made = self.bend(next(self.counter), answer)
        return made if isinstance(made, Response) else Response(body=made, headers=headers)


def read(store: Store, folder: Path, paging: str, bend: Any, deletes: str = ABSENCE) -> tuple[Asked, Any]:
    """Return the tool and the report of a whole reading after it began to answer otherwise."""
    desk = Desk(paging)
    asked = Asked(store, folder, TICKETS.format(list=f"{PAGES[paging]}\n{deletes}"), desk.say)
    first = asked.sync()
    assert ("ok", ids()) == (first.verdict, asked.here()), told(first)
    desk.begin(bend)
    return asked, asked.sync(full=True)


def each(change: Any) -> Any:
    return lambda _, answer: answer | {"rows": [change(row) for row in answer["rows"]]}


@pytest.mark.parametrize("paging", PAGES)
def test_a_key_that_is_written_otherwise_is_the_same(paging: str, store: Store, tmp_path: Path) -> None:
    """7, 7.0 and "7" are one row, on one page or on the next: nothing leaves, nothing is new."""
    _, report = read(
        store,
        tmp_path,
        paging,
        each(lambda row: row | {"id": float(row["id"]) if row["id"] % 2 else f"{row['id']}"}),
    )

    assert ("ok", 0, 10) == (report.verdict, report.rejected, len(store.rows("SELECT id FROM task")))


@pytest.mark.parametrize("key", [None, "", "  ", True, False, float("nan"), "null", "undefined"], ids=repr)
def test_a_key_that_is_none_costs_its_row(key: Any, store: Store, tmp_path: Path) -> None:
    """Nobody knows which row it is: it is kept as a rejection, and no other is taken for gone."""
    asked, report = read(
        store, tmp_path, "token", each(lambda row: row | {"id": key} if row["id"] == 7 else row)
    )

    assert ("partial", 1, ids()) == (report.verdict, report.rejected, asked.here())
    assert "tickets, row" in rejections.rejected(store)[0].place
    assert 10 == len(store.rows("SELECT id FROM task"))


@pytest.mark.parametrize(("parent", "wanted"), [(False, None), (3.0, "d:3"), ("3", "d:3"), (0, "d:0")])
def test_what_names_no_row(parent: Any, wanted: str | None, store: Store, tmp_path: Path) -> None:
    """False is no parent, 3.0 is the row 3; 0 is a row like others: the root of some tools has it."""
    read(store, tmp_path, "none", each(lambda row: row | {"parent": parent} if row["id"] == 7 else row))

    assert [{"parent_id": wanted}] == store.rows("SELECT parent_id FROM task WHERE id = 'd:7'")


NOT_SET = [
    "0", 0, 0.0, False, None, "", "false", "FALSE", "No", "n", "off", "None", "null", " false ",
    "0000-00-00 00:00:00", "0001-01-01T00:00:00Z", [], {},
]  # fmt: skip


@pytest.mark.parametrize("value", NOT_SET, ids=repr)
def test_a_flag_that_is_not_set(value: Any) -> None:
    assert not is_true(value)


@pytest.mark.parametrize(
    "value", ["1", 1, True, "true", "TRUE", "Yes", "on", "2026-10-05T08:00:00Z", "x", [1]], ids=repr
)
def test_a_flag_that_is_set(value: Any) -> None:
    assert is_true(value)


@pytest.mark.parametrize(
    "deletes", ['{ kind = "flag", field = "gone" }', '{ kind = "absence", trashed = "gone" }']
)
def test_nothing_leaves_by_a_flag_in_words(deletes: str, store: Store, tmp_path: Path) -> None:
    """A flag that says no in whatever way leaves its row where it is; the one that says yes takes it away."""
    words = itertools.cycle(["FALSE", "No", "0000-00-00 00:00:00", "off"])

    def flagged(row: dict[str, Any]) -> dict[str, Any]:
        return row | {"gone": "Yes" if row["id"] == 7 else next(words)}

    asked, report = read(store, tmp_path, "none", each(flagged), f"deletes = {deletes}")
    assert ("ok", ids() - {"7"}) == (report.verdict, asked.here())


REFUSALS: list[Any] = [
    {"success": 0}, {"success": "false"}, {"OK": "no"}, {"succeeded": False}, {"status": "failed"},
    {"code": 401, "msg": "the token ended"}, {"status": "403"}, {"statusCode": 500}, {"httpStatus": 429},
    {"fault": {"faultstring": "quota"}}, {"Exception": "NullPointer"}, {"errorMessage": "no such view"},
    {"errorMessages": ["no such field"]}, {"error": True}, {"errors": [{"message": "denied"}]},
]  # fmt: skip


@pytest.mark.parametrize("said", REFUSALS, ids=lambda said: json.dumps(said)[:40])
def test_no_rows_beside_a_refusal_are_no_empty_list(said: Any, store: Store, tmp_path: Path) -> None:
    """It is told as a refusal, in a 200 too, and what was known stays."""
    asked, report = read(store, tmp_path, "none", lambda _, __: said | {"rows": []})

    assert ("failed", ids()) == (report.verdict, asked.here())
    assert "Desk answers with an error" in told(report)


@pytest.mark.parametrize(
    "said",
    [{"success": 1}, {"success": "true"}, {"status": "OK"}, {"status": 200}, {"code": 0}, {"code": 200},
     {"errorMessage": ""}, {"fault": None}, {"message": "ten found"}, {"code": 451}, {"exception": "none"}],
    ids=json.dumps,
)  # fmt: skip
def test_rows_beside_a_word_of_success_are_rows(said: Any, store: Store, tmp_path: Path) -> None:
    """Numbers and words that say nothing wrong, or that stand beside rows, refuse nothing."""
    asked, report = read(store, tmp_path, "none", lambda _, answer: said | answer)
    assert ("ok", ids()) == (report.verdict, asked.here()), told(report)


@pytest.mark.parametrize(
    "answer", ["ok", 7, True, [], ["a"], {"rows": None}, {"rows": {}}, {"rows": "none"}, {}], ids=repr
)
@pytest.mark.parametrize("paging", ["none", "token"])
def test_an_answer_of_another_shape(paging: str, answer: Any, store: Store, tmp_path: Path) -> None:
    """It is a sentence that names what stands there, never an error of the program; nothing leaves."""
    asked, report = read(store, tmp_path, paging, lambda _, __: Response(body=answer))

    assert ("failed", ids()) == (report.verdict, asked.here())
    assert "unexpected" not in told(report)
    assert "Traceback" not in told(report)


@pytest.mark.parametrize("paging", [one for one in PAGES if one != "none"])
@pytest.mark.parametrize("fault", ["html", "refused", "other shape", "empty", "nothing"])
def test_the_second_page_is_none(fault: str, paging: str, store: Store, tmp_path: Path) -> None:
    """Whatever comes in place of the second page for ever: the rows of the others are not gone."""
    bad: dict[str, Any] = {
        "html": Response(body=b"<html>sign in</html>", headers={"Content-Type": "text/html"}),
        "refused": {"ok": False, "rows": []}, "other shape": {"rows": {"a": 1}},
        "empty": {"rows": [], "total": 10, "totalCount": 10}, "nothing": Response(status=204, body=b""),
    }  # fmt: skip
    asked, report = read(
        store, tmp_path, paging, lambda number, answer: bad[fault] if number % 2 == 0 else answer
    )

    assert ids() == asked.here()
    assert "Traceback" not in told(report)
    assert "ok" != report.verdict or not told(report).strip()


WORDS: dict[str, Any] = {
    "absent": lambda _: {}, "null": lambda _: {"more": None},
    "text": lambda more: {"more": "true" if more else "false"},
    "absent when false": lambda more: {"more": True} if more else {},
    "number": lambda more: {"more": int(more)}, "letter": lambda more: {"more": "Y" if more else "N"},
}  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("paging", ["page", "offset", "token"])
def test_whether_more_follows_in_whatever_way_it_is_said(
    paging: str, word: str, store: Store, tmp_path: Path
) -> None:
    """All ten rows come; what does not say it is asked on, and ends with a page that brings nothing."""
    at = {"page": "{page}", "offset": "{offset}", "token": "{token}"}[paging]
    told = {"page": ", twice = true", "offset": "", "token": ', next = "next"'}[paging]
    pages = f'paging = {{ kind = "{paging}", size = 4, more = "more"{told} }}'
    text = f'params = {{ p = "{at}" }}\n{pages}\n{ABSENCE}'

    def say(request: Request) -> Any:
        asked = int(request.query.get("p", 0))
        first = (asked - 1) * 4 if paging == "page" else asked
        following = {"next": f"{min(first + 4, 10)}"} if paging == "token" else {}
        return {"rows": rows()[first : first + 4]} | following | WORDS[word](first + 4 < 10)

    asked = Asked(store, tmp_path, TICKETS.format(list=text), say)
    assert ("ok", ids()) == (asked.sync().verdict, asked.here())


@pytest.mark.parametrize(
    "word", [lambda _: {}, lambda end: {"end": "true" if end else "false"}], ids=["no", "text"]
)
def test_whether_a_page_is_the_last(word: Any, store: Store, tmp_path: Path) -> None:
    """The text false is no end, and neither is nothing."""
    pages = 'paging = { kind = "page", size = 4, end = "end", twice = true }'
    text = f'params = {{ p = "{{page}}" }}\n{pages}\n{ABSENCE}'

    def say(request: Request) -> Any:
        first = (int(request.query["p"]) - 1) * 4
        return {"rows": rows()[first : first + 4]} | word(first + 4 >= 10)

    asked = Asked(store, tmp_path, TICKETS.format(list=text), say)
    assert ("ok", ids()) == (asked.sync().verdict, asked.here())


@pytest.mark.parametrize(
    ("answer", "verdict", "left"),
    [
        (Response(status=404, body={}), "ok", {"10"}),
        (Response(status=410, body={}), "ok", {"10"}),
        ({"id": 10, "trashed": "Yes"}, "ok", {"10"}),
        ({"id": 10, "trashed": "No"}, "partial", set()),
        ({"id": 10.0}, "partial", set()),
        ({"message": "x"}, "partial", set()),
        ("gone", "partial", set()),
        (Response(status=204, body=b""), "partial", set()),
        (Response(status=302, body=b"", headers={"Location": "/login"}), "partial", set()),
    ],
    ids=lambda one: str(getattr(one, "status", one))[:24],
)
def test_only_a_proof_takes_a_row_away(
    answer: Any, verdict: str, left: set[str], store: Store, tmp_path: Path
) -> None:
    """A row lacks in the whole list: what its own address answers is a proof, or it stays and is named."""
    table = rows()

    def say(request: Request) -> Any:
        if request.path == "/login":
            return Response(status=404, body={})
        return {"rows": list(table)} if request.path == "/tickets" else answer

    deletes = 'deletes = { kind = "probe", probe = "/tickets/{id}", trashed = "trashed" }'
    asked = Asked(store, tmp_path, TICKETS.format(list=deletes), say)
    assert "ok" == asked.sync().verdict
    table.pop()
    report = asked.sync(full=True)

    assert (verdict, ids() - left) == (report.verdict, asked.here()), told(report)
