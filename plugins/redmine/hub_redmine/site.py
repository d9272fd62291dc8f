"""Redmine's REST API, asked so that nothing slips through.

Neither its pages, nor its caps, nor its silence about what it does not know.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from hub import Context, Secret, SourceDataError, SourceForbidden, SourceGone, field_of, named, tr
from hub_redmine.parts import listed
from hub_redmine.wire import Entry, Issue, Project, Relation, Status, Tracker, User, Version

PAGE = 100
"""The most rows that Redmine sends at once; it cuts what is above in silence."""
FIRST = 10
"""Rows of the first page where mostly few are new."""
AT_ONCE = 4
"""Issues asked at once for their history."""
TRIES = 3
KEYS = {
    "issues": frozenset(Issue.__struct_fields__)
    | {
        "author",
        "category",
        "description",
        "is_private",
        "total_estimated_hours",
        "spent_hours",
        "total_spent_hours",
        "attachments",
    },
    "time_entries": frozenset(Entry.__struct_fields__) | {"comments"},
}
"""The keys that are documented."""
OPTIONAL = {
    "issues": {"assigned_to", "fixed_version", "parent", "priority"},
    "time_entries": {"activity", "issue", "user"},
}
"""Keys that a row may lack."""
T = TypeVar("T")
Filters = list[tuple[str, str, tuple[str, ...]]]
"""A field, an operator of Redmine's filters (``=``, ``>=``, ``><``, ``*``) and its values."""


class Page(msgspec.Struct, frozen=True):
    """One page of a list: *total* is the number of rows that fit the question."""

    rows: list[msgspec.Raw]
    total: int


class Site:
    """A Redmine as one run sees it; safe to use from several threads."""

    def __init__(self, ctx: Context, name: str, url: str, key: Secret | None) -> None:
        """Sign in with each question, for the source called *name*."""
        self.ctx, self.name, self.url = ctx, name, url.rstrip("/")
        if key is not None:
            ctx.http.credentials = {"X-Redmine-API-Key": key.reveal()}

    # ---------- one question ----------

    def _ask(
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

    # ---------- short lists ----------

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

    def projects(self) -> list[Project]:
        """Return active and closed projects.

        Closed ones are not in the default list, archived ones in none.
        """
        return self._rows("projects", Project, self.listed("projects", [("status", "1|5")]))

    def _rows(self, name: str, kind: type[T], rows: Iterable[msgspec.Raw]) -> list[T]:
        return list(listed(self.ctx, self.name, name, kind, rows))

    def project(self, native: str) -> Project | None:
        """Return a project that is in no list, or None when it does not exist.

        Raises `SourceForbidden` when it is archived or not for us.
        """
        try:
            return self._ask(f"/projects/{native}.json", "project", Project, route="/projects/ID.json")
        except SourceGone:
            return None

    def users(self) -> tuple[list[User], set[int]]:
        """Return all users and the ids of locked ones.

        Raises `SourceForbidden` to whoever is no administrator.
        """
        everyone = self._rows("users", User, self.listed("users", [("status", "")]))
        locked = {field_of(one) for one in self.listed("users", [("status", "3")])}
        return everyone, {one.id for one in everyone if one.id in locked}

    def me(self) -> User:
        """Return the account that signs in."""
        return self._ask("/users/current.json", "user", User)

    def statuses(self) -> list[Status]:
        """Return the statuses of issues."""
        rows = self._ask("/issue_statuses.json", "issue_statuses", list[msgspec.Raw])
        return self._rows("issue_statuses", Status, rows)

    def trackers(self) -> list[Tracker]:
        """Return the trackers."""
        rows = self._ask("/trackers.json", "trackers", list[msgspec.Raw])
        return self._rows("trackers", Tracker, rows)

    def versions(self, project: int) -> list[Version]:
        """Return the versions of a project, without those that others share with it."""
        rows = self._ask(
            f"/projects/{project}/versions.json",
            "versions",
            list[msgspec.Raw],
            route="/projects/ID/versions.json",
        )
        return [one for one in self._rows("versions", Version, rows) if one.project.id == project]

    def version(self, native: int) -> Version | None:
        """Return a version, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        try:
            return self._ask(f"/versions/{native}.json", "version", Version, route="/versions/ID.json")
        except SourceGone:
            return None

    def count(self, name: str, projects: Iterable[int] | None) -> int:
        """Return the number of ``issues`` or ``time_entries`` that can be seen."""
        return self.page(name, _query(_scope(projects, _everything(name)), "id:asc"), size=1).total

    def renamed(self, name: str, projects: Iterable[int] | None, lacking: set[str]) -> list[str]:
        """Say which keys look like *lacking* ones under another name.

        Redmine sends no key for what a row has not, so that a lack alone proves nothing.
        """
        if not lacking:
            return []
        rows = self.page(name, _query(_scope(projects, _everything(name)), "id:asc")).rows
        keys = {key for row in rows for key in msgspec.json.decode(row)} - KEYS[name]
        return sorted(
            tr("no {lack} but {key}", lack=lack, key=key)
            for lack in lacking
            for key in keys
            if key.startswith(lack)
        )

    # ---------- issues ----------

    def newest_issues(self, projects: Iterable[int] | None, *, relations: bool = False) -> list[msgspec.Raw]:
        """Return the issues that were changed last, the youngest first."""
        order = _query(_scope(projects, _everything("issues")), "updated_on:desc,id:desc")
        return self.page("issues", order + [("include", "relations")] * relations, size=FIRST).rows

    def newest_stamp(self, projects: Iterable[int] | None) -> str:
        """Return the stamp of the last change, or nothing."""
        return max((str(_text(row, "updated_on")) for row in self.newest_issues(projects)), default="")

    def highest_issue(self, projects: Iterable[int] | None) -> int:
        """Return the highest id of an issue, 0 when there is none."""
        order = _query(_scope(projects, _everything("issues")), "id:desc")
        return max((_number(row) for row in self.page("issues", order, size=FIRST).rows), default=0)

    def issues(
        self,
        projects: Iterable[int] | None,
        *,
        low: int = 1,
        high: int | None = None,
        since: str | None = None,
    ) -> Iterator[list[msgspec.Raw]]:
        """Return issues with ids from *low* to *high*, changed since *since*, with their relations.

        Each page asks for ids above the last one: what is touched or deleted meanwhile shifts nothing, unlike
        offsets.
        """
        # Redmine's >= lets in what is up to a second older
        floor = (
            f"{datetime.fromisoformat(since) - timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ}" if since else None
        )
        while high is None or low <= high:
            # open statuses alone are the default
            ids = (
                ("issue_id", "><", (str(low), str(high)))
                if high is not None
                else ("issue_id", ">=", (str(low),))
            )
            filters: Filters = [("status_id", "*", ()), ids]
            if since:
                filters.append(("updated_on", ">=", (since,)))
            page = self.page(
                "issues", [*_query(_scope(projects, filters), "id:asc"), ("include", "relations")]
            )
            natives = [native for native in map(_number, page.rows) if native]
            honoured = natives == sorted(set(natives)) and all(low <= one <= (high or one) for one in natives)
            if not honoured or (floor and any(_text(one, "updated_on", floor) < floor for one in page.rows)):
                raise SourceDataError(
                    tr(
                        "/issues.json did not keep to the ids or the stamp that were asked for: nothing of "
                        "it was taken."
                    )
                )
            last = len(page.rows) >= page.total
            if not last and not natives:
                raise SourceDataError(tr("/issues.json gives a page on which no row has an id."))
            # what stands without an id behind the last that has one comes again with the next page
            shown = [place for place, row in enumerate(page.rows) if _number(row)]
            yield page.rows if last else page.rows[: shown[-1] + 1]
            if last:
                return
            low = natives[-1] + 1

    def issue(self, native: int) -> msgspec.Raw | None:
        """Return an issue with its history, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        try:
            return self._ask(
                f"/issues/{native}.json", "issue", msgspec.Raw, [("include", "journals")],
                route="/issues/ID.json",
            )  # fmt: skip
        except SourceGone:
            return None

    # ---------- time entries ----------

    def entries(
        self, projects: Iterable[int] | None, since: str | None = None
    ) -> Iterator[list[msgspec.Raw]]:
        """Return time entries spent since the day *since*, in the order of their making.

        There is no filter on ids: each page begins with the last row of the one before. Where it does not,
        something was deleted in between, and one steps back until it does.
        """
        filters: Filters = [("spent_on", ">=", (since,))] if since else _everything("time_entries")
        params = _query(_scope(projects, filters), "created_on:asc")
        last = 0
        offset, tries = 0, 0
        while True:
            page = self.page("time_entries", params, offset=offset)
            rows = page.rows
            if since and any(_text(one, "spent_on", since) < since for one in rows):
                raise SourceDataError(
                    tr("/time_entries.json ignored the day that was asked for: nothing of it was taken.")
                )
            if any(one > other for one, other in itertools.pairwise(_stamps(rows))):
                raise SourceDataError(
                    tr("/time_entries.json ignored the order that was asked for: nothing of it was taken.")
                )
            natives = list(map(_number, rows))
            if last and last not in natives:
                tries += 1
                if offset == 0 or tries > 100:  # the row itself was deleted
                    raise SourceDataError(
                        tr("Time entries were deleted while they were read: the next run reads them again.")
                    )
                offset = max(0, offset - PAGE // 2)
                continue
            end = offset + len(rows) >= page.total
            shown = [place for place, native in enumerate(natives) if native]
            if not shown and not end:
                raise SourceDataError(tr("/time_entries.json gives a page on which no row has an id."))
            upto = len(rows) if end else shown[-1] + 1
            yield rows[natives.index(last) + 1 if last else 0 : upto]
            if end:
                return
            last, offset = natives[shown[-1]], offset + shown[-1]

    def made_since(self, projects: Iterable[int] | None, stamp: str) -> Iterator[list[msgspec.Raw]]:
        """Return time entries made since *stamp*, the youngest first, whatever day they are for."""
        params = _query(_scope(projects, _everything("time_entries")), "created_on:desc")
        offset, size = 0, FIRST
        while True:
            page = self.page("time_entries", params, offset=offset, size=size)
            rows = page.rows
            if any(one < other for one, other in itertools.pairwise(_stamps(rows))):
                raise SourceDataError(
                    tr("/time_entries.json ignored the order that was asked for: nothing of it was taken.")
                )
            yield [one for one in rows if _text(one, "created_on", stamp) >= stamp]
            offset, size = offset + len(rows), PAGE
            if offset >= page.total or any(one < stamp for one in _stamps(rows)):
                return

    def relation(self, native: int) -> Relation | None:
        """Return a relation, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        try:
            return self._ask(f"/relations/{native}.json", "relation", Relation, route="/relations/ID.json")
        except SourceGone:
            return None

    def entry(self, native: int) -> msgspec.Raw | None:
        """Return a time entry, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        try:
            return self._ask(
                f"/time_entries/{native}.json", "time_entry", msgspec.Raw, route="/time_entries/ID.json"
            )
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


def _number(row: msgspec.Raw) -> int:
    """Return the id of a row, 0 where it shows none."""
    native = field_of(row)
    return native if isinstance(native, int) else 0


def _text(row: msgspec.Raw, name: str, default: str = "") -> str:
    """Return a text of a row that may be odd."""
    value = field_of(row, name)
    return value if isinstance(value, str) else default


def _stamps(rows: Iterable[msgspec.Raw]) -> list[str]:
    return [stamp for stamp in (_text(row, "created_on") for row in rows) if stamp]


def _everything(name: str) -> Filters:
    """Return the filter that hides nothing: of issues, open ones alone are the default."""
    return [("status_id", "*", ())] if name == "issues" else [("spent_on", "*", ())]


def _scope(projects: Iterable[int] | None, filters: Filters) -> Filters:
    return (
        filters
        if projects is None
        else [*filters, ("project_id", "=", tuple(str(one) for one in sorted(projects)))]
    )


def _query(filters: Filters, sort: str) -> list[tuple[str, str]]:
    """Write filters in the long form, in which they can be combined and one may name several projects."""
    params = [("set_filter", "1"), ("sort", sort)]
    for field, operator, values in filters:
        params += [
            ("f[]", field),
            (f"op[{field}]", operator),
            *((f"v[{field}][]", value) for value in values),
        ]
    return params
