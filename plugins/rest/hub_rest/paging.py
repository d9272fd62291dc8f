"""Pages: where they begin, what tells their rows apart, and when nothing follows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import msgspec

from hub import SourceDataError, tr
from hub_rest.keys import is_key, written
from hub_rest.mapping import ABOVE, Paging, Wanted, is_true
from hub_rest.paths import expression, simple

KEYLESS = "\x1f"
"""What the key of a row begins with that has none of its own."""


class Shifted(Exception):
    """A page does not go on where the one before ended."""


class Capped(Exception):
    """The tool gives pages of *size* rows, whatever is asked for."""

    def __init__(self, size: int) -> None:
        """Keep the size."""
        super().__init__(size)
        self.size = size


class Page(msgspec.Struct, frozen=True):
    """One page: its rows and their keys, and how many there are in all where the tool says so."""

    rows: list[Any]
    total: int | None
    keys: list[str] = []
    ended: bool | None = None
    """Whether it says that it is the last, where the mapping knows of such a word."""
    counted: tuple[str, int] = ("", 0)
    """Where its answer counts the rows of the list, which the mapping does not say, and how many."""


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where a page begins, in what its list counts by."""

    offset: int = 0
    number: int = 0
    token: Any = None
    address: str = ""


def key_of(one: Wanted, row: Any) -> str:
    """Return what tells a row from the others: its key, or for a row without one, what it holds."""
    try:
        native = expression(one.key)(row)
    except Exception:  # noqa: BLE001 - the row is odd in whatever way it is odd
        native = None
    if not is_key(native):
        try:
            text = json.dumps(row, sort_keys=True)
        except RecursionError:
            text = "too deep"
        return KEYLESS + hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{written(native)}"


KEYED = frozenset({"after", "before"})
"""The kinds of paging that go on from a key: a row that goes meanwhile moves no other."""


def next_key(one: Wanted, rows: list[Any]) -> Any:
    """Return the key from which to go on: of the last row, or the least one where the newest come first.

    Raises `SourceDataError` where no row has one.
    """
    found = [
        written(expression(one.key)(row))
        for row in reversed(rows)
        if not key_of(one, row).startswith(KEYLESS)
    ]
    if not found:
        raise SourceDataError(
            tr("{name}: no row has a key at {key!r}, from which to go on.", name=one.name, key=one.key)
        )
    return found[0] if one.paging.kind == "after" else min(found, key=lambda key: (len(f"{key}"), f"{key}"))


def first_token(paging: Paging, variables: dict[str, Any]) -> Any:
    """Return what the first page is asked for by."""
    if paging.kind in KEYED:
        return 0 if paging.kind == "after" else None
    return variables.get("token")


def said_next(paging: Paging, answer: Any, response: Any) -> Any:
    """Return the next token or address that an answer names where the mapping looks."""
    if (paging.next or "").startswith("header:"):
        found = response.headers.get(str(paging.next).removeprefix("header:"))
        is_number = bool(found) and found.isdigit() and not found.startswith("0")
        return int(found) if is_number else found  # in a body it is to be one
    return expression(paging.next or "")(answer)


def ended(paging: Paging, answer: Any) -> bool | None:
    """Say whether an answer says that its page is the last; None where it says nothing of it."""
    found = expression(paging.end)(answer) if paging.end else None
    if found is not None and is_true(found):
        return True
    more = expression(paging.more)(answer) if paging.more else None
    if more is not None:
        return not is_true(more)
    return None if found is None else False


def is_unproven(paging: Paging, page: Page) -> bool:
    """Say whether nothing but one more page shows that a page is the last."""
    return paging.kind in {"offset", "page", *KEYED} and page.total is None and page.ended is None


def is_last(paging: Paging, page: Page, reached: int) -> bool:
    """Say whether no row follows a page that goes up to row *reached*."""
    if page.total is not None and paging.kind not in KEYED:
        return reached >= page.total or not (page.rows or paging.holes)
    return not page.rows and page.ended is None  # else it said that there is more


def overlap_of(paging: Paging, page: Page, size: int) -> int:
    """Return how many rows of a page the next one has too."""
    wanted = paging.overlap
    if wanted is None:
        wanted = int(page.total is None)
    if paging.kind != "offset" or len(page.rows) <= wanted or (paging.holes and len(page.rows) < size):
        return 0
    return wanted


def check_cap(page: Page, before: Page | None, size: int, number: int) -> None:
    """Raise `Capped` where pages are shorter than asked for: which rows the second has is not sure then."""
    if number == 0 and page.total is not None and 0 < len(page.rows) < min(size, page.total):
        raise Capped(len(page.rows))
    if number == 1 and before is not None and page.rows and len(before.rows) < size:
        raise Capped(len(before.rows))


def holds(paging: Paging, totals: list[int], count: int) -> bool:
    """Say whether *count* different rows are those that the pages' totals promise.

    Rows that were added meanwhile may be there or not: the next run asks for them. One that was taken away
    shifts the pages; those that overlap show it by themselves.
    """
    if paging.holes:
        return min(totals) == totals[0]
    if paging.overlap:
        return min(totals) <= count
    return min(totals) == totals[0] and totals[0] <= count <= totals[-1]


def counted(paging: Paging, place: Place, size: int) -> dict[str, Any]:
    """Return what a request says of the page it asks for."""
    match paging.kind:
        case "offset":
            return {"size": size, "offset": place.offset, "last": place.offset + size - 1}
        case "page":
            return {"size": size, "page": place.number}
        case "token" | "after" | "before":
            return {"size": size, paging.kind: place.token}
    return {"size": size}


_NEXT = frozenset({
    "next", "nextpage", "nextlink", "@odata.nextlink", "odata.nextlink", "nextpagetoken", "nextcursor",
    "nextpageurl", "nexturl", "nexthref", "nextpagelink",
})  # fmt: skip
_MORE = frozenset({"hasmore", "hasnext", "hasnextpage", "morepages", "moreavailable"})
_ENDED = frozenset({"islast", "islastpage"})
_DEPTH = 5


_TOTALS = frozenset({
    "totalcount", "totalrows", "totalresults", "totalrecords", "totalitems", "@odata.count", "recordcount",
})  # fmt: skip
_PAGED = frozenset({
    "limit", "offset", "page", "perpage", "size", "pagesize", "start", "startat", "skip", "maxresults",
    "pages", "totalpages",
})  # fmt: skip
_TOTAL_HEADERS = ("X-Total-Count", "X-Total", "Total-Count")
_LONG = 19
"""No number of rows has so many digits."""


def usual_total(answer: Any, response: Any) -> tuple[str, int]:
    """Return where an answer counts its rows in one of the usual ways, and how many; nothing for nowhere.

    A mere ``total`` may be one of hours: it counts beside a size or a number of pages.
    """
    found = [
        (int(value), name)
        for name in _TOTAL_HEADERS
        if (value := response.headers.get(name, "")).isdigit() and len(value) < _LONG
    ]
    count, name = max([*found, *_totals_in(answer, ())], default=(0, ""))
    return name, count


def _totals_in(value: Any, path: tuple[str, ...]) -> Iterator[tuple[int, str]]:
    if not isinstance(value, dict) or len(path) > _DEPTH:
        return
    words = {f"{name}".replace("_", "").replace("-", "").lower(): name for name in value}
    for word, name in words.items():
        one = value[name]
        if type(one) is int and (word in _TOTALS or (word == "total" and words.keys() & _PAGED)):
            yield one, ".".join((*path, f"{name}"))
        yield from _totals_in(one, (*path, f"{name}"))


def names_next(answer: Any, response: Any) -> str:
    """Return where an answer says, in one of the usual ways, that another page follows; empty for nowhere.

    Beside its rows, not in them.
    """
    if response.links.get("next", {}).get("url"):
        return "Link"
    return _next_in(answer, ())


def _next_in(value: Any, path: tuple[str, ...]) -> str:
    if not isinstance(value, dict) or len(path) > _DEPTH:
        return ""
    for name, one in value.items():
        word = f"{name}".replace("_", "").replace("-", "").lower()
        if (
            (word in _NEXT and one not in (None, "", False, {}, []) and not _is_bare(one))
            or (word in _MORE and one is True)
            or (word in _ENDED and one is False)
        ):
            return ".".join((*path, name))
        if found := _next_in(one, (*path, name)):
            return found
    return ""


def _is_bare(value: Any) -> bool:
    """Say whether a link leads nowhere: an object whose address is empty."""
    return isinstance(value, dict) and not any(value.values())


def unfolded(one: Wanted, rows: list[Any]) -> list[Any]:
    """Return the rows of a list that stand in the *rows* of a page: in them, and below them."""
    for path in one.steps[1:]:
        find = expression(path)
        if rows and not any(_is_told(path, row) for row in rows):
            raise SourceDataError(
                tr(
                    "{name}: nothing stands at {path!r} in any row, where rows should be.",
                    name=one.name,
                    path=path,
                )
            )
        rows = [_within(inner, row) for row in rows for inner in _list_at(one, find, path, row)]
    if one.children is None:
        return rows
    find, found, waiting = expression(one.children), [], rows[::-1]
    while waiting:
        found.append(row := waiting.pop())
        waiting += [_within(inner, row) for inner in _list_at(one, find, one.children, row)][::-1]
    return found


def _is_told(path: str, row: Any) -> bool:
    """Say whether something stands at a path of a row, though it be null."""
    names = simple(path)
    if names is None:
        return bool(expression(path)(row) is not None)
    for name in names[:-1]:
        row = row.get(name) if isinstance(row, dict) else None
    return isinstance(row, dict) and names[-1] in row


def _within(row: Any, above: Any) -> Any:
    return row | {ABOVE: above} if isinstance(row, dict) else row


def _list_at(one: Wanted, find: Any, path: str, row: Any) -> list[Any]:
    if not isinstance(row, dict):
        return []
    found = find(row)
    if found is None:
        return []
    if not isinstance(found, list):
        raise SourceDataError(
            tr(
                "{name}: at {rows} stands no list: the mapping, or the API, is another one.",
                name=one.name,
                rows=path,
            )
        )
    return found
