"""One question to Redmine's REST API, and how its filters are written."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from hub import Context, Secret, SourceDataError, SourceForbidden, SourceGone, complaint, field_of, named, tr

PAGE = 100
"""The most rows that Redmine sends at once; it cuts what is above in silence."""
AT_ONCE = 4
"""Issues asked at once for their history."""
TRIES = 3
_DATED = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z)?")
T = TypeVar("T")
Filters = list[tuple[str, str, tuple[str, ...]]]
"""A field, an operator of Redmine's filters (``=``, ``>=``, ``><``, ``*``) and its values."""


class Page(msgspec.Struct, frozen=True):
    """One page of a list: *total* is the number of rows that fit the question."""

    rows: list[msgspec.Raw]
    total: int


class Asker:
    """A Redmine that answers questions; safe to use from several threads."""

    def __init__(self, ctx: Context, name: str, url: str, key: Secret | None) -> None:
        """Sign in with each question, for the source called *name*."""
        self.ctx, self.name, self.url = ctx, name, url.rstrip("/")
        if key is not None:
            ctx.http.credentials = {"X-Redmine-API-Key": key.reveal()}

    # ---------- one question ----------

    def ask(
        self,
        path: str,
        where: str,
        kind: type[T],
        params: list[tuple[str, str]] | None = None,
        *,
        route: str | None = None,
    ) -> T:
        """Return what stands at *where* in an answer."""
        found: T = self._answer(path, where, kind, params, route)[0]
        return found

    def _answer(
        self, path: str, where: str, kind: Any, params: list[tuple[str, str]] | None, route: str | None
    ) -> tuple[Any, int | None]:
        answer = self.ctx.http.get_json(
            f"{self.url}{path}", params=params, route=route, decoder=_decoder(where, kind)
        )
        if said := complaint({"errors": answer.errors, "error": answer.error}):
            raise SourceDataError(
                tr("Redmine answers {path} with an error: {said}", path=path, said=said[:300])
            )
        return getattr(answer, where), answer.total_count

    def whole(self, path: str, where: str, *, route: str | None = None) -> list[msgspec.Raw]:
        """Return a list that has no pages; what it lacks, where it says its number, is said to be missing."""
        rows, total = self._answer(path, where, list[msgspec.Raw], None, route)
        if total is not None and len(rows) < total:
            self._is_short(path, total, len({named(row) for row in rows}))
        return list(rows)

    def _is_short(self, path: str, total: int, count: int) -> None:
        self.ctx.report_missing(
            tr(
                "{path} says that it has {total} rows and shows {count} different ones: others lack.",
                path=path, total=total, count=count,
            )
        )  # fmt: skip

    def page(
        self,
        name: str,
        params: list[tuple[str, str]],
        *,
        offset: int = 0,
        size: int = PAGE,
        cut: bool = False,
    ) -> Page:
        """Return one page of the list *name*.

        Raises `SourceDataError` when it is cut, shorter than its own total says, unless it may be *cut*.
        """
        asked = [*params, ("limit", str(size)), ("offset", str(offset))]
        rows: list[msgspec.Raw] = []
        total: int | None = None
        for _ in range(TRIES):  # rows are counted before they are read: one that goes between is no cut
            rows, total = self._answer(f"/{name}.json", name, list[msgspec.Raw], asked, None)
            if total is None:
                raise SourceDataError(
                    tr("/{name}.json says no total_count: it cannot be told whether all came.", name=name)
                )
            if cut or len(rows) >= min(size, max(0, total - offset)):
                return Page(rows=rows, total=total)
        raise SourceDataError(
            tr(
                "/{name}.json says that {total} rows fit and gave {count} from row {offset} on, of "
                "{size} asked for, {tries} times: the list is cut. Redmine, or something between, "
                "gives fewer rows than it should.",
                name=name,
                total=total,
                count=len(rows),
                offset=offset + 1,
                size=size,
                tries=TRIES,
            )
        )

    def listed(self, name: str, params: list[tuple[str, str]] | None = None) -> list[msgspec.Raw]:
        """Return a short list, read again when it changed meanwhile; what it lacks is said to be missing."""
        found: dict[str, msgspec.Raw] = {}
        total = 0
        for _ in range(TRIES):
            found = {}
            total, offset = 1, 0
            while offset < total:
                page = self.page(name, params or [], offset=offset, cut=True)
                found.update({named(row): row for row in page.rows})
                total, offset = page.total, offset + PAGE
            if len(found) == total:
                return list(found.values())
        self._is_short(f"/{name}.json", total, len(found))
        return list(found.values())

    def one(
        self,
        path: str,
        where: str,
        kind: type[T],
        native: object,
        params: list[tuple[str, str]] | None = None,
    ) -> T | None:
        """Return one row of the list at *path*, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        try:
            return self.ask(f"{path}/{native}.json", where, kind, params, route=f"{path}/ID.json")
        except SourceGone:
            return None


@lru_cache
def _decoder(where: str, kind: Any) -> msgspec.json.Decoder[Any]:
    """Return the reader of an answer that has *kind* at *where*.

    Where it is a list, also the number of rows.
    """
    fields: list[tuple[str, Any] | tuple[str, Any, Any]] = [
        (where, kind),
        ("total_count", int | None, None),
        ("errors", Any, None),
        ("error", Any, None),
    ]
    answer = msgspec.defstruct("Answer", fields, frozen=True)
    return msgspec.json.Decoder(answer)


def each(
    wanted: Iterable[int], ask: Callable[[int], T | None]
) -> Iterator[tuple[int, T | SourceForbidden | None]]:
    """Ask for rows one by one, some at once, in order.

    The row, None when it does not exist, the refusal when it is not for us.
    """

    def one(native: int) -> tuple[int, T | SourceForbidden | None]:
        try:
            return native, ask(native)
        except SourceForbidden as exc:
            return native, exc

    with ThreadPoolExecutor(max_workers=AT_ONCE) as pool:
        yield from pool.map(one, wanted)


def number(row: msgspec.Raw) -> int:
    """Return the id of a row, 0 where it shows none."""
    native = field_of(row)
    return native if isinstance(native, int) and native > 0 else 0


def dated(row: msgspec.Raw, name: str, default: str = "") -> str:
    """Return a day or a stamp of a row that may be odd; *default* where it shows none."""
    value = field_of(row, name)
    return value if isinstance(value, str) and _DATED.fullmatch(value) else default


def stamps(rows: Iterable[msgspec.Raw]) -> list[str]:
    """Return the stamps of their making that rows show."""
    return [found for found in (dated(row, "created_on") for row in rows) if found]


def everything(name: str) -> Filters:
    """Return the filter that hides nothing: of issues, open ones alone are the default."""
    return [("status_id", "*", ())] if name == "issues" else [("spent_on", "*", ())]


def scope(projects: Iterable[int] | None, filters: Filters) -> Filters:
    """Return *filters* narrowed to *projects*, None for all."""
    return (
        filters
        if projects is None
        else [*filters, ("project_id", "=", tuple(str(one) for one in sorted(projects)))]
    )


def query(filters: Filters, sort: str) -> list[tuple[str, str]]:
    """Write filters in the long form, in which they can be combined and one may name several projects."""
    params = [("set_filter", "1"), ("sort", sort)]
    for field, operator, values in filters:
        params += [
            ("f[]", field),
            (f"op[{field}]", operator),
            *((f"v[{field}][]", value) for value in values),
        ]
    return params
