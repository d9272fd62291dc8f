"""The reporting service of a Project Server over HTTP.

Entity sets are read to their end and held against the number of rows that the service counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urljoin

from hub import Context, HubError, SourceDataError, tr
from hub_msproject.services.odata import Service, Twice
from hub_msproject.services.projectdata import SETS, Cells, Kind, cells, kept

TRIES = 3
OVERLAP = timedelta(hours=1)
"""How late the reporting database may be."""


PLANS = frozenset({"Tasks", "Assignments", "AssignmentTimephasedDataSet", "TaskBaselines"})
MANY = PLANS | {"TimesheetLines", "TimesheetLineActualDataSet", "ResourceTimephasedDataSet"}
"""Sets of which one odd row costs one row; of the others all are needed."""


class ProjectData:
    """The reporting service, asked for entity sets.

    *columns* are those that its rows have, None where no row was seen.
    """

    def __init__(
        self, ctx: Context, service: Service, root: str, language: str, custom: tuple[str, ...]
    ) -> None:
        """Ask nothing yet."""
        self.ctx, self.service, self.root, self.custom = ctx, service, root, custom
        self.data = f"{root}/ProjectData" + (f"/[{language}]" if language else "")
        self.columns: dict[str, list[str] | None] = {}
        self.projects: frozenset[str] = frozenset()
        """Those that the service lists, once they were read."""
        self.odd: defaultdict[str, set[str]] = defaultdict(set)
        """The rows of a project, or of a period, that could not be understood."""

    def look(self, name: str) -> list[str] | None:
        """Return which of our columns a row of an entity set has, or None where there is no row.

        Raises `SourceDataError` where one that we need is lacking.
        """
        rows, *_ = _opened(self._get(f"{self.data}/{name}", {"$top": "1"}, name), name)
        if not rows:
            return None
        if lacking := sorted(SETS[name].needed.keys() - rows[0].keys()):
            raise SourceDataError(
                tr(
                    "{name} of ProjectData has no {lacking}: the site is in another language, or of "
                    "another version. Try another language.",
                    name=name,
                    lacking=", ".join(lacking),
                )
            )
        return [column for column in (*SETS[name].columns, *self.custom) if column in rows[0]]

    def whole(
        self,
        name: str,
        columns: list[str] | None = None,
        *,
        project: str = "",
        period: str = "",
        first: str = "",
        last: str = "",
        since: str = "",
    ) -> list[Cells]:
        """Return all rows of an entity set, or those of a project, of a period, of days, or changed since.

        Where the service counts none, the run is not complete. Raises `SourceDataError` when fewer rows come
        than it counts, several times.
        """
        columns = columns or self.columns.get(name)
        filters = [
            f"ProjectId eq guid'{project}'" if project else "",
            f"PeriodStartDate eq datetime'{period}T00:00:00'" if period else "",
            f"TimeByDay ge datetime'{first}T00:00:00' and TimeByDay le datetime'{last}T23:59:59'"
            if first
            else "",
            f"ModifiedDate ge datetime'{earlier(since)}'" if since else "",
        ]
        params = {"$inlinecount": "allpages"}
        if any(filters):
            params["$filter"] = " and ".join(one for one in filters if one)
        if columns:
            params["$select"] = ",".join(columns)
        said = ""
        for attempt in range(TRIES):
            count, came, found = self._read(name, columns, params, project, project or period or first)
            if count is None:
                self.ctx.shared("uncounted", self._say_uncounted)
            if count is None or came >= count:
                return list(found.values())
            said = tr(
                "{came} different rows of {name} came where the service counts {count}",
                came=came,
                name=name,
                count=count,
            )
            self.ctx.log.info("%s: asked again (%d)", said, attempt + 1)
        raise SourceDataError(
            tr("{said}, {tries} times: nothing was taken as complete.", said=said, tries=TRIES)
        )

    def _read(
        self, name: str, columns: list[str] | None, params: dict[str, str], project: str, owner: str
    ) -> tuple[int | None, int, dict[tuple[Any, ...], Cells]]:
        """Return what the service counts, how many rows came, and those asked for.

        Different rows are counted; those that were asked for are by their keys.
        """
        count: int | None = None
        twice = Twice(self.ctx, name)
        came: set[tuple[Any, ...]] = set()
        found: dict[tuple[Any, ...], Cells] = {}
        address: str | None = f"{self.data}/{name}"
        asked = {address}
        first = True
        while address:
            self.ctx.raise_if_cancelled()
            rows, following, said = _opened(self._get(address, params if first else None, name), name)
            count = said if first else count
            for raw in rows:
                for row in self._understood(raw, name, columns, owner, came):
                    key = tuple(row[column] for column in SETS[name].key)
                    came.add((row["ProjectId"], *key) if project else key)
                    twice.met(" ".join(map(str, key)), repr(row).encode())
                    if not project or row["ProjectId"] == project:
                        found[key] = row
            address, first = self._following(address, following), False
            if address in asked:
                raise SourceDataError(tr("{name}: the service sends to the same page for ever.", name=name))
            asked.add(address or "")
        return count, len(came), found

    def _understood(
        self, raw: dict[str, Any], name: str, columns: list[str] | None, owner: str, came: set[Any]
    ) -> Iterator[Cells]:
        """Yield a row by the kinds of its columns; of a set of many rows an odd one costs itself.

        *owner* is the project or the period that is asked for, without one only what changed is looked for:
        then an odd row comes as far as it can be read, and is rejected where its period is read.
        """

        def make(raw: dict[str, Any]) -> Iterator[Cells]:
            row = cells(raw, _kinds(name, columns if columns is not None else [*raw]), name)
            yield row | kept(raw, self.custom)

        if name not in MANY:  # the rows that others hang on: without one of them nothing can be told
            yield from make(raw)
            return
        key = " ".join(str(raw.get(column)) for column in SETS[name].key)
        whose = raw.get("ProjectId", owner)
        if name in PLANS and isinstance(whose, str) and whose.lower() != owner.lower():
            came.add((whose.lower(), key))  # of a project that nobody asked for
            if self.projects and whose.lower() not in self.projects and key not in self.odd[owner]:
                self.odd[owner].add(key)
                said = tr("it is of a project that the service does not list: {whose}", whose=whose)
                self.ctx.reject(f"{name}, {key}", said, key=f"{name}, {key}")
            return
        place = f"{name}, {key}"
        if (
            place in self.odd[owner] | self.odd[""]
        ):  # it was met before: of the changes, or by a first attempt
            came.add((owner, "odd", key))
            return
        try:
            yield from make(raw)
        except HubError as exc:
            came.add((owner, "odd", key))
            start = raw.get("PeriodStartDate")
            if not owner and isinstance(start, str):
                yield {"odd": True, **dict.fromkeys(SETS[name].key, key), "PeriodStartDate": start}
                return
            self.odd[owner].add(place)
            self.ctx.reject(place, str(exc), key=place)

    def _say_uncounted(self) -> bool:
        self.ctx.report_missing(
            tr(
                "the service does not count its rows, though it was asked to: whether all of them "
                "came cannot be told."
            )
        )
        return True

    def count(self, period: str) -> int:
        """Count the lines of a period."""
        params = {
            "$filter": f"PeriodStartDate eq datetime'{period}T00:00:00'",
            "$inlinecount": "allpages",
            "$top": "1",
            "$select": "TimesheetLineId",
        }
        _, _, count = _opened(
            self._get(f"{self.data}/TimesheetLines", params, "TimesheetLines"), "TimesheetLines"
        )
        return len(self.whole("TimesheetLines", period=period)) if count is None else count

    def newest(self, name: str) -> str:
        """Return the stamp of the last change, or the beginning of time."""
        params = {"$orderby": "ModifiedDate desc", "$top": "1", "$select": "ModifiedDate"}
        rows, *_ = _opened(self._get(f"{self.data}/{name}", params, name), name)
        stamps = [cells(row, {"ModifiedDate": "date"}, name)["ModifiedDate"] for row in rows]
        return max((stamp for stamp in stamps if stamp), default="1990-01-01T00:00:00")

    def links(self, project: str) -> list[dict[str, Any]]:
        """Return the links between the tasks of a project.

        They come by the other service of the site: ProjectData has none.
        """
        address: str | None = f"{self.root}/ProjectServer/Projects(guid'{project}')/TaskLinks"
        params: dict[str, str] | None = {
            "$select": "Id,DependencyType,Start/Id,End/Id",
            "$expand": "Start,End",
        }
        found: dict[str, dict[str, Any]] = {}
        while address:
            rows, following, _ = _opened(self._get(address, params, "TaskLinks"), "TaskLinks")
            found |= {str(_named(row)): row for row in rows}
            params, address = None, self._following(address, following)
        return list(found.values())

    def _get(self, address: str, params: dict[str, str] | None, route: str) -> Any:
        return self.service.get(
            address, dict, params=params, headers={"Accept": "application/json"}, route=route
        )

    def _following(self, here: str, following: str | None) -> str | None:
        return self.service.address(urljoin(here, following)) if following else None


def _opened(answer: dict[str, Any], name: str) -> tuple[list[dict[str, Any]], str | None, int | None]:
    """Return rows, the next page and the count of an answer.

    It is JSON light, or verbose JSON, which older sites send.
    """
    body = answer.get("d", answer)
    if isinstance(body, list):
        body = {"results": body}
    rows = body.get("value", body.get("results")) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceDataError(tr("{name}: the answer holds no list of rows.", name=name))
    count = body.get("odata.count", body.get("__count"))
    return (
        rows,
        body.get("odata.nextLink") or body.get("@odata.nextLink") or body.get("__next"),
        int(count) if str(count).isdigit() else None,
    )


def _kinds(name: str, columns: list[str]) -> dict[str, Kind]:
    known = SETS[name]
    return {
        column: kind for column, kind in known.columns.items() if column in columns or column in known.needed
    }


def _named(link: dict[str, Any]) -> Any:
    if not link.get("Id"):
        raise SourceDataError(tr("a task link has no Id: the service changed."))
    return link["Id"]


def earlier(stamp: str) -> str:
    """Return a stamp of the service an hour earlier, in its own form."""
    return f"{datetime.fromisoformat(stamp[:19]) - OVERLAP:%Y-%m-%dT%H:%M:%S}"
