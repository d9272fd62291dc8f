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

from hub import Context, Secret, SourceDataError, SourceForbidden, SourceGone, tr
from hub_redmine.wire import Entry, Issue, Project, Ref, Relation, Status, Tracker, User, Version

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

    rows: list[Any]
    total: int


class Site:
    """A Redmine as one run sees it; safe to use from several threads."""

    def __init__(self, ctx: Context, url: str, key: Secret | None) -> None:
        """Sign in with each question."""
        self.ctx, self.url = ctx, url.rstrip("/")
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

    def page(
        self, name: str, params: list[tuple[str, str]], kind: type[T], *, offset: int = 0, size: int = PAGE
    ) -> Page:
        """Return one page of the list *name*.

        Raises `SourceDataError` when it is cut: shorter than its own total says.
        """
        asked = [*params, ("limit", str(size)), ("offset", str(offset))]
        many = list[kind]  # type: ignore[valid-type]
        rows: list[Any] = []
        total: int | None = None
        for _ in range(TRIES):  # rows are counted before they are read: one that goes between is no cut
            rows, total = self._answer(f"/{name}.json", name, many, asked, None)
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

    def listed(self, name: str, kind: type[T], params: list[tuple[str, str]] | None = None) -> list[T]:
        """Return a short list whole; it is read again when it changed while its pages were read."""
        for _ in range(TRIES):
            found: dict[int, T] = {}
            total, offset = 1, 0
            while offset < total:
                page = self.page(name, params or [], kind, offset=offset)
                found.update({row.id: row for row in page.rows})
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
        return self.listed("projects", Project, [("status", "1|5")])

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
        everyone = self.listed("users", User, [("status", "")])
        return everyone, {one.id for one in self.listed("users", User, [("status", "3")])}

    def me(self) -> User:
        """Return the account that signs in."""
        return self._ask("/users/current.json", "user", User)

    def statuses(self) -> list[Status]:
        """Return the statuses of issues."""
        return self._ask("/issue_statuses.json", "issue_statuses", list[Status])

    def trackers(self) -> list[Tracker]:
        """Return the trackers."""
        return self._ask("/trackers.json", "trackers", list[Tracker])

    def versions(self, project: int) -> list[Version]:
        """Return the versions of a project, without those that others share with it."""
        rows = self._ask(
            f"/projects/{project}/versions.json",
            "versions",
            list[Version],
            route="/projects/ID/versions.json",
        )
        return [one for one in rows if one.project.id == project]

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
        return self.page(name, _query(_scope(projects, _everything(name)), "id:asc"), Ref, size=1).total

    def renamed(self, name: str, projects: Iterable[int] | None, lacking: set[str]) -> list[str]:
        """Say which keys look like *lacking* ones under another name.

        Redmine sends no key for what a row has not, so that a lack alone proves nothing.
        """
        if not lacking:
            return []
        rows = self.page(name, _query(_scope(projects, _everything(name)), "id:asc"), dict[str, Any]).rows
        keys = {key for row in rows for key in row} - KEYS[name]
        return sorted(
            tr("no {lack} but {key}", lack=lack, key=key)
            for lack in lacking
            for key in keys
            if key.startswith(lack)
        )

    # ---------- issues ----------

    def newest_issue(self, projects: Iterable[int] | None) -> Issue | None:
        """Return the issue that was changed last."""
        page = self.page(
            "issues",
            _query(_scope(projects, _everything("issues")), "updated_on:desc,id:desc"),
            Issue,
            size=1,
        )
        return page.rows[0] if page.rows else None

    def highest_issue(self, projects: Iterable[int] | None) -> int:
        """Return the highest id of an issue, 0 when there is none."""
        page = self.page("issues", _query(_scope(projects, _everything("issues")), "id:desc"), Issue, size=1)
        return page.rows[0].id if page.rows else 0

    def issues(
        self,
        projects: Iterable[int] | None,
        *,
        low: int = 1,
        high: int | None = None,
        since: str | None = None,
    ) -> Iterator[list[Issue]]:
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
                "issues", [*_query(_scope(projects, filters), "id:asc"), ("include", "relations")], Issue
            )
            natives = [one.id for one in page.rows]
            honoured = natives == sorted(set(natives)) and all(low <= one <= (high or one) for one in natives)
            if not honoured or (floor and any(one.updated_on < floor for one in page.rows)):
                raise SourceDataError(
                    tr(
                        "/issues.json did not keep to the ids or the stamp that were asked for: nothing of "
                        "it was taken."
                    )
                )
            if any(one.relations is None for one in page.rows):
                raise SourceDataError(tr("/issues.json came without the relations that were asked for."))
            yield page.rows
            if len(page.rows) >= page.total:
                return
            low = natives[-1] + 1

    def issue(self, native: int) -> Issue | None:
        """Return an issue with its history, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        try:
            found = self._ask(
                f"/issues/{native}.json", "issue", Issue, [("include", "journals")], route="/issues/ID.json"
            )
        except SourceGone:
            return None
        if found.journals is None:
            raise SourceDataError(
                tr("The issue {native} came without its history, which was asked for.", native=native)
            )
        return found

    # ---------- time entries ----------

    def entries(self, projects: Iterable[int] | None, since: str | None = None) -> Iterator[list[Entry]]:
        """Return time entries spent since the day *since*, in the order of their making.

        There is no filter on ids: each page begins with the last row of the one before. Where it does not,
        something was deleted in between, and one steps back until it does.
        """
        filters: Filters = [("spent_on", ">=", (since,))] if since else _everything("time_entries")
        params = _query(_scope(projects, filters), "created_on:asc")
        last: Entry | None = None
        offset, tries = 0, 0
        while True:
            page = self.page("time_entries", params, Entry, offset=offset)
            rows: list[Entry] = page.rows
            if since and any(one.spent_on < since for one in rows):
                raise SourceDataError(
                    tr("/time_entries.json ignored the day that was asked for: nothing of it was taken.")
                )
            if any(one.created_on > other.created_on for one, other in itertools.pairwise(rows)):
                raise SourceDataError(
                    tr("/time_entries.json ignored the order that was asked for: nothing of it was taken.")
                )
            natives = [one.id for one in rows]
            if last is not None and last.id not in natives:
                tries += 1
                if offset == 0 or tries > 100:  # the row itself was deleted
                    raise SourceDataError(
                        tr("Time entries were deleted while they were read: the next run reads them again.")
                    )
                offset = max(0, offset - PAGE // 2)
                continue
            new = rows if last is None else rows[natives.index(last.id) + 1 :]
            yield new
            if offset + len(rows) >= page.total:
                return
            last, offset = rows[-1], offset + len(rows) - 1

    def made_since(self, projects: Iterable[int] | None, stamp: str) -> Iterator[list[Entry]]:
        """Return time entries made since *stamp*, the youngest first, whatever day they are for."""
        params = _query(_scope(projects, _everything("time_entries")), "created_on:desc")
        offset, size = 0, FIRST
        while True:
            page = self.page("time_entries", params, Entry, offset=offset, size=size)
            rows: list[Entry] = page.rows
            if any(one.created_on < other.created_on for one, other in itertools.pairwise(rows)):
                raise SourceDataError(
                    tr("/time_entries.json ignored the order that was asked for: nothing of it was taken.")
                )
            yield [one for one in rows if one.created_on >= stamp]
            offset, size = offset + len(rows), PAGE
            if offset >= page.total or rows[-1].created_on < stamp:
                return

    def relation(self, native: int) -> Relation | None:
        """Return a relation, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        try:
            return self._ask(f"/relations/{native}.json", "relation", Relation, route="/relations/ID.json")
        except SourceGone:
            return None

    def entry(self, native: int) -> Entry | None:
        """Return a time entry, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        try:
            return self._ask(
                f"/time_entries/{native}.json", "time_entry", Entry, route="/time_entries/ID.json"
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
