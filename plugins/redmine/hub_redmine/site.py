"""Issues and time entries of Redmine's REST API, asked so that nothing slips through.

Neither its pages, nor its caps, nor its silence about what it does not know.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta

import msgspec

from hub import SourceDataError, renamed, tr
from hub_redmine.asking import PAGE, Asker, Filters, dated, everything, number, query, scope, stamps
from hub_redmine.wire import Entry, Issue, Relation

FIRST = 10
"""Rows of the first page where mostly few are new."""
KEYS = {
    "issues": frozenset(Issue.__struct_fields__)
    | {"description", "total_estimated_hours", "spent_hours", "total_spent_hours", "attachments"},
    "time_entries": frozenset(Entry.__struct_fields__) | {"comments"},
}
"""The keys that are documented."""
OPTIONAL = {
    "issues": {"assigned_to", "author", "category", "fixed_version", "parent", "priority"},
    "time_entries": {"activity", "issue", "user"},
}
"""Keys that a row may lack."""


class Site(Asker):
    """The long lists of a Redmine, and their rows one by one."""

    # ---------- both ----------

    def count(self, name: str, projects: Iterable[int] | None) -> int:
        """Return the number of ``issues`` or ``time_entries`` that can be seen."""
        return self.page(name, query(scope(projects, everything(name)), "id:asc"), size=1).total

    def renamed(self, name: str, projects: Iterable[int] | None, lacking: set[str]) -> list[str]:
        """Say which keys look like *lacking* ones under another name.

        Redmine sends no key for what a row has not, so that a lack alone proves nothing.
        """
        if not lacking:
            return []
        rows = self.page(name, query(scope(projects, everything(name)), "id:asc")).rows
        keys = {key for row in rows for key in msgspec.json.decode(row)} - KEYS[name]
        return renamed(lacking, keys)

    # ---------- issues ----------

    def newest_issues(self, projects: Iterable[int] | None, *, relations: bool = False) -> list[msgspec.Raw]:
        """Return the issues that were changed last, the youngest first."""
        order = query(scope(projects, everything("issues")), "updated_on:desc,id:desc")
        return self.page("issues", order + [("include", "relations")] * relations, size=FIRST).rows

    def newest_stamp(self, projects: Iterable[int] | None) -> str:
        """Return the stamp of the last change, or nothing."""
        return max((dated(row, "updated_on") for row in self.newest_issues(projects)), default="")

    def highest_issue(self, projects: Iterable[int] | None) -> int:
        """Return the highest id of an issue, 0 when there is none."""
        order = query(scope(projects, everything("issues")), "id:desc")
        return max((number(row) for row in self.page("issues", order, size=FIRST).rows), default=0)

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
            page = self.page("issues", [*query(scope(projects, filters), "id:asc"), ("include", "relations")])
            natives = [native for native in map(number, page.rows) if native]
            honoured = natives == sorted(set(natives)) and all(low <= one <= (high or one) for one in natives)
            if not honoured or (floor and any(dated(one, "updated_on", floor) < floor for one in page.rows)):
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
            shown = [place for place, row in enumerate(page.rows) if number(row)]
            yield page.rows if last else page.rows[: shown[-1] + 1]
            if last:
                return
            low = natives[-1] + 1

    def issue(self, native: int) -> msgspec.Raw | None:
        """Return an issue with its history, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        return self.one("/issues", "issue", msgspec.Raw, native, [("include", "journals")])

    def relation(self, native: int) -> Relation | None:
        """Return a relation, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        return self.one("/relations", "relation", Relation, native)

    # ---------- time entries ----------

    def entries(
        self, projects: Iterable[int] | None, since: str | None = None
    ) -> Iterator[list[msgspec.Raw]]:
        """Return time entries spent since the day *since*, in the order of their making.

        There is no filter on ids: each page begins with the last row of the one before. Where it does not,
        something was deleted in between, and one steps back until it does.
        """
        filters: Filters = [("spent_on", ">=", (since,))] if since else everything("time_entries")
        params = query(scope(projects, filters), "created_on:asc")
        last = 0
        offset, tries = 0, 0
        while True:
            page = self.page("time_entries", params, offset=offset)
            rows = page.rows
            if since and any(dated(one, "spent_on", since) < since for one in rows):
                raise SourceDataError(
                    tr("/time_entries.json ignored the day that was asked for: nothing of it was taken.")
                )
            if any(one > other for one, other in itertools.pairwise(stamps(rows))):
                raise SourceDataError(
                    tr("/time_entries.json ignored the order that was asked for: nothing of it was taken.")
                )
            natives = list(map(number, rows))
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
        params = query(scope(projects, everything("time_entries")), "created_on:desc")
        offset, size = 0, FIRST
        while True:
            page = self.page("time_entries", params, offset=offset, size=size)
            rows = page.rows
            if any(one < other for one, other in itertools.pairwise(stamps(rows))):
                raise SourceDataError(
                    tr("/time_entries.json ignored the order that was asked for: nothing of it was taken.")
                )
            yield [one for one in rows if dated(one, "created_on", stamp) >= stamp]
            offset, size = offset + len(rows), PAGE
            if offset >= page.total or any(one < stamp for one in stamps(rows)):
                return

    def entry(self, native: int) -> msgspec.Raw | None:
        """Return a time entry, or None when it does not exist.

        Raises `SourceForbidden` when it is not for us.
        """
        return self.one("/time_entries", "time_entry", msgspec.Raw, native)
