"""One question to Redmine's REST API, and how its filters are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from hub import Context, Secret, SourceDataError, SourceForbidden, SourceGone, field_of, named, tr

PAGE = 100
"""The most rows that Redmine sends at once; it cuts what is above in silence."""
AT_ONCE = 4
"""Issues asked at once for their history."""
TRIES = 3
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
        return getattr(answer, where), answer.total_count

    def page(self, name: str, params: list[tuple[str, str]], *, offset: int = 0, size: int = PAGE) -> Page:
        """Return one page of the list *name*.

        Raises `SourceDataError` when it is cut: shorter than its own total says.
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
            if len(rows) >= min(size, max(0, total - offset)):
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
        """Return a short list whole; it is read again when it changed while its pages were read."""
        for _ in range(TRIES):
            found: dict[str, msgspec.Raw] = {}
            total, offset = 1, 0
            while offset < total:
                page = self.page(name, params or [], offset=offset)
                found.update({named(row): row for row in page.rows})
                total, offset = page.total, offset + PAGE
            if len(found) == total:
                return list(found.values())
        raise SourceDataError(
            tr("/{name}.json changed each time it was read: the next run tries again.", name=name)
        )

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
    answer = msgspec.defstruct("Answer", [(where, kind), ("total_count", int | None, None)], frozen=True)
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
    return native if isinstance(native, int) else 0


def text(row: msgspec.Raw, name: str, default: str = "") -> str:
    """Return a text of a row that may be odd."""
    value = field_of(row, name)
    return value if isinstance(value, str) else default


def stamps(rows: Iterable[msgspec.Raw]) -> list[str]:
    """Return the stamps of their making that rows show."""
    return [stamp for stamp in (text(row, "created_on") for row in rows) if stamp]


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
