"""Project Server Subscription Edition by ProjectData: a project is read again when it was published, a period of timesheets when a line of it changed.

A task's own stamp tells nothing: publishing a project touches all of them. Microsoft's recipe for changes is to reload whole projects
(learn.microsoft.com/previous-versions/office/project-odata), and so is this.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urljoin, urlsplit

import msgspec

from hub import (
    Account,
    Allocation,
    Baseline,
    Batch,
    Census,
    Check,
    ConfigError,
    Container,
    Context,
    CustomValue,
    Entra,
    HubError,
    Partition,
    Record,
    Scope,
    Secret,
    SignIn,
    Source,
    SourceDataError,
    SourceError,
    SourceUnavailable,
    Task,
    TaskLink,
    Worklog,
)  # fmt: skip
from hub_msproject.services.odata import Service
from hub_msproject.services.projectdata import (
    SETS,
    Cells,
    Kind,
    ProjectRows,
    ServerPlan,
    Timesheets,
    WorkKind,
    cells,
    line_days,
    link_of,
    plan_rows,
    resource_row,
)  # fmt: skip

BATCH = 1000
TRIES = 3
DAY, SWEEP, OVERLAP = timedelta(days=1), timedelta(days=7), timedelta(hours=1)
"""How long what a row looks like is known; how long an unchanged project is believed; how late the reporting database may be."""
OF_PLANS: tuple[type[Record], ...] = (Task, Baseline, TaskLink, Allocation, Worklog, CustomValue)


class ServerSource(Source, frozen=True, kw_only=True):
    """A Project Web App; *url* is its address, such as ``https://project.example.com/pwa``.

    *user* and *password* sign in by NTLM (with the extra ``[ntlm]``) or, with *basic* true, by a password over TLS; *account* signs in by Entra ID where the site trusts it.
    The account needs the right to read the Project Server reporting service: it shows all projects or none.
    *custom* names custom fields to keep, *without* columns that this site does not have. *days* False leaves out work by day, *links* False the links between tasks, *timesheets* False the hours.
    *classes* says which classes of timesheet lines are ``internal`` work or ``absence``. *language* fixes the names of columns, whatever the site's language is.
    """

    kind: ClassVar[str] = "project-server"
    provides: ClassVar[tuple[type[Record], ...]] = (Container, Account, *OF_PLANS)
    asks: ClassVar[tuple[str, ...]] = ("url", "user", "password")

    url: str
    user: str | None = None
    password: Secret | None = None
    basic: bool = False
    account: Entra | None = None
    language: str = "en-US"
    custom: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    days: bool = True
    links: bool = True
    timesheets: bool = True
    classes: dict[str, WorkKind] = msgspec.field(default_factory=dict)
    hours_per_day: float = 8.0

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(
                f"The source {self.name}: url is the address of a Project Web App, such as https://project.example.com/pwa."
            )
        if (self.account is None) == (self.user is None or self.password is None):
            raise ConfigError(f"The source {self.name}: give user and password, or account.")

    @property
    def address(self) -> str:
        """Give the site."""
        return self.url

    @property
    def signs_in(self) -> tuple[Entra, str] | None:
        """Give the account, and the site's host, where Entra ID signs in."""
        return (self.account, self._origin) if self.account else None

    @property
    def _origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def _site(self, ctx: Context) -> ProjectData:
        def make() -> ProjectData:
            if self.account:
                signed = SignIn.of(ctx, self.account, self.name)
                service = Service(ctx, self.url, lambda: signed.header(self._origin))
            else:
                service = Service(ctx, self.url, dict)
                assert self.user is not None
                assert self.password is not None
                word = self.password.reveal()
                if self.basic:
                    ctx.http.credentials = {
                        "Authorization": "Basic " + base64.b64encode(f"{self.user}:{word}".encode()).decode()
                    }
                else:
                    from hub_msproject.services.ntlm import OneHost  # requests is slow to import

                    ctx.http.requests.auth = OneHost(self.user, word, urlsplit(self.url).netloc)
            return ProjectData(ctx, service, f"{self.url.rstrip('/')}/_api", self.language, self.custom)

        return ctx.shared("site", make)

    # ---------- check ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, look at a row of each entity set, and ask for the links of one project."""
        site = self._site(ctx)
        columns = {name: site.look(name) for name in self._sets()}
        yield Check(name="account", state="ok", detail="signed in")
        for name, found in columns.items():
            lacking = sorted(SETS[name].wanted.keys() - {*(found or ()), *self.without})
            said = (
                "no row can be seen"
                if found is None
                else f"without {', '.join(lacking)}"
                if lacking
                else "all columns are there"
            )
            yield Check(name=name, state="ok" if found is not None and not lacking else "warning", detail=said)
        if unknown := [name for name in self.custom if not any(name in (found or ()) for found in columns.values())]:
            yield Check(name="custom", state="failed", detail=f"no project or task has {', '.join(unknown)}")
        projects = site.whole("Projects", columns["Projects"])
        yield Check(name="projects", state="ok" if projects else "failed", detail=f"{len(projects)} projects can be read")
        if self.links and projects:
            try:
                links = site.links(projects[0]["ProjectId"])
                yield Check(name="links", state="ok", detail=f"{len(links)} links in {projects[0]['ProjectName']}")
            except HubError as exc:
                yield Check(name="links", state="failed", detail=f"{exc} Set links = false to do without.")

    def _sets(self) -> list[str]:
        hours = ["TimesheetPeriods", "Timesheets", "TimesheetLines", "TimesheetLineActualDataSet"] if self.timesheets else []
        plans = [
            "Projects",
            "Tasks",
            "Assignments",
            *(["AssignmentTimephasedDataSet"] if self.days else []),
            "TaskBaselines",
            "Resources",
        ]
        return plans + hours

    # ---------- plan ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Read again the projects that were published since, and the periods whose lines changed."""
        site, before, settings = self._site(ctx), cursors.get("server") or {}, self._settings()
        fresh = before.get("settings") == settings and not ctx.full and _age(ctx, before) < DAY
        columns = before["columns"] if fresh else {name: site.look(name) for name in self._sets()}
        site.columns = columns
        for name, found in columns.items():
            if found is not None and (lacking := sorted(SETS[name].wanted.keys() - {*found, *self.without})):
                ctx.report_missing(
                    f"{name} of ProjectData has no {', '.join(lacking)}: if that is how this site is, name them in without."
                )
        at = ctx.now().isoformat(timespec="seconds")
        projects = self._projects(ctx)
        if not projects:
            ctx.report_missing("no project can be read: check the right to read the reporting service.")
        changed = []
        for project in projects:
            mark = cursors.get(f"project {project['ProjectId']}") or {}
            same = mark.get("settings") == settings and mark["modified"] == project["ProjectModifiedDate"] and not ctx.full
            if same and _age(ctx, mark) < SWEEP:
                ctx.skip_unchanged(project["ProjectName"] or project["ProjectId"])
            else:
                changed.append(project)
        if not fresh or changed:
            yield Partition(
                id="server",
                label="people",
                data={"cursor": {"settings": settings, "columns": columns, "at": before["at"] if fresh else at}},
            )
        for project in changed:
            id_ = project["ProjectId"]
            yield Partition(
                id=f"project {id_}", label=project["ProjectName"], complete=True, scope=Scope(records=OF_PLANS, id_prefix=self.row_id(f"{id_}/")),
                evidence="absent from its project in ProjectData", data={"project": project, "cursor": {"settings": settings, "modified": project["ProjectModifiedDate"], "at": at}},
            )  # fmt: skip
        if self.timesheets:
            yield from self._periods(ctx, cursors, settings)

    def _periods(self, ctx: Context, cursors: Mapping[str, Any], settings: str) -> Iterator[Partition]:
        """Find the periods to read: all at first, then those with a changed line or timesheet, once a day those that count other lines than we know."""
        site, mark = self._site(ctx), cursors.get("hours") or {}
        known = mark.get("settings") == settings and not ctx.full
        since = newest = mark["newest"] if known else site.newest("TimesheetLines")
        recent: dict[str, str] = mark["recent"] if known else {}
        dirty: set[str] = set()
        seen: dict[str, str] = {}
        for name, start in (("TimesheetLines", "PeriodStartDate"), ("Timesheets", "StartDate")):
            for row in site.whole(name, since=since):
                native, stamp = row[SETS[name].key[0]], row["ModifiedDate"] or ""
                # what the last run saw within the overlap is no news
                if stamp >= earlier(since) and recent.get(native) != stamp and row.get(start):
                    dirty.add(row[start][:10])
                seen[native] = stamp
                newest = max(newest, stamp)
        today = ctx.now().date().isoformat()
        counted = known and _age(ctx, mark) < DAY
        read = []
        for period in site.whole("TimesheetPeriods"):
            start, end = period["StartDate"][:10], period["EndDate"][:10]
            held = cursors.get(f"hours {start}") or {}
            if start > today:
                continue
            lost = held.get("settings") != settings or (not counted and site.count(start) != held["lines"])
            if not known or start in dirty or lost:
                read.append(f"hours {start}")
                yield Partition(
                    id=read[-1], label=f"timesheets from {start}", complete=True, scope=Scope(records=(Worklog,), id_prefix=self.row_id(f"w{start}/")),
                    evidence="absent from its period of timesheets in ProjectData", data={"start": start, "end": end, "settings": settings},
                )  # fmt: skip
        cursor = {
            "settings": settings,
            "newest": newest,
            "recent": {native: stamp for native, stamp in seen.items() if stamp >= earlier(newest)},
            "at": mark["at"] if counted else ctx.now().isoformat(timespec="seconds"),
        }
        yield Partition(id="hours", label="mark of timesheets", after=tuple(read), data={"cursor": cursor})

    def _projects(self, ctx: Context) -> list[Cells]:
        return ctx.shared("projects", lambda: self._site(ctx).whole("Projects"))

    def _people(self, ctx: Context) -> dict[str, Cells]:
        """Give the resources of the organisation by id, read once a run."""
        return ctx.shared("people", lambda: {one["ResourceId"]: one for one in self._site(ctx).whole("Resources")})

    def _settings(self) -> str:
        chosen = [
            self.url,
            self.tz,
            self.hours_per_day,
            self.custom,
            self.days,
            self.links,
            self.timesheets,
            self.classes,
            self.language,
        ]
        return msgspec.json.encode(chosen, order="sorted").decode()

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one project or one period whole."""
        data, people = partition.data, self._people(ctx) if partition.id != "hours" else {}
        if partition.id == "hours":
            yield Batch(cursor=data["cursor"])
        elif partition.id == "server":
            plan = self._plan_of("")
            rows: list[Record] = [plan.account(resource_row(one)) for one in people.values()]
            yield from _in_batches(rows, data["cursor"])
        elif partition.id.startswith("project "):
            yield from self._project(ctx, partition, people)
        else:
            yield from self._period(ctx, data, people)

    def _plan_of(self, native: str) -> ServerPlan:
        return ServerPlan(container_id=self.row_id(native), source=self.name, tz=self.tz)

    def _project(self, ctx: Context, partition: Partition, people: dict[str, Cells]) -> Iterator[Batch]:
        site, project = self._site(ctx), partition.data["project"]
        native = project["ProjectId"]
        links = []
        if self.links:
            try:
                links = [link_of(one) for one in site.links(native)]
            except SourceUnavailable:
                raise
            except SourceError as exc:
                ctx.report_missing(f"the links of {project['ProjectName']}: {exc}", partition=partition.id)
        found = ProjectRows(
            project=project, tasks=site.whole("Tasks", project=native), assignments=site.whole("Assignments", project=native),
            days=site.whole("AssignmentTimephasedDataSet", project=native) if self.days else [], baselines=site.whole("TaskBaselines", project=native), links=links,
        )  # fmt: skip
        plan = self._plan_of(native)
        records = plan.records(plan_rows(found, people, self.custom, round(self.hours_per_day * 3600)))
        yield from _in_batches(records, partition.data["cursor"])

    def _period(self, ctx: Context, data: dict[str, Any], people: dict[str, Cells]) -> Iterator[Batch]:
        site, start, end = self._site(ctx), data["start"], data["end"]
        # the days first: whatever line they belong to is there when the lines are read
        days = line_days(
            one
            for one in site.whole("TimesheetLineActualDataSet", first=start, last=end)
            if start <= one["TimeByDay"][:10] <= end
        )
        lines = [one for one in site.whole("TimesheetLines", period=start) if one["PeriodStartDate"][:10] == start]
        sheets = Timesheets(source=self.name, classes=self.classes)
        yield from _in_batches(
            sheets.records(f"w{start}/", lines, days, people), {"settings": data["settings"], "lines": len(lines)}
        )

    # ---------- census ----------

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        """Name the projects that exist: the service shows all of them or none."""
        ids = frozenset(self.row_id(one["ProjectId"]) for one in self._projects(ctx))
        yield Census(
            record=Container, scope=Scope(records=(Container,)), ids=ids, evidence="absent from ProjectData, which shows every project to who may read it",
        )  # fmt: skip


class ProjectData:
    """The reporting service, asked for entity sets; *columns* are those that its rows have, None where no row was seen."""

    def __init__(self, ctx: Context, service: Service, root: str, language: str, custom: tuple[str, ...]) -> None:
        """Ask nothing yet."""
        self.ctx, self.service, self.root, self.custom = ctx, service, root, custom
        self.data = f"{root}/ProjectData" + (f"/[{language}]" if language else "")
        self.columns: dict[str, list[str] | None] = {}

    def look(self, name: str) -> list[str] | None:
        """Give which of our columns a row of an entity set has, or None where there is no row. Raises `SourceDataError` where one that we need is lacking."""
        rows, *_ = _opened(self._get(f"{self.data}/{name}", {"$top": "1"}, name), name)
        if not rows:
            return None
        if lacking := sorted(SETS[name].needed.keys() - rows[0].keys()):
            raise SourceDataError(
                f"{name} of ProjectData has no {', '.join(lacking)}: the site is in another language, or of another version. Try another language."
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
        """Give all rows of an entity set, or those of a project, of a period, of days, or changed since.

        Raises `SourceDataError` when fewer rows come than the service counts, several times.
        """
        columns = columns or self.columns.get(name)
        filters = [
            f"ProjectId eq guid'{project}'" if project else "", f"PeriodStartDate eq datetime'{period}T00:00:00'" if period else "",
            f"TimeByDay ge datetime'{first}T00:00:00' and TimeByDay le datetime'{last}T23:59:59'" if first else "",
            f"ModifiedDate ge datetime'{earlier(since)}'" if since else "",
        ]  # fmt: skip
        params = {"$inlinecount": "allpages"}
        if any(filters):
            params["$filter"] = " and ".join(one for one in filters if one)
        if columns:
            params["$select"] = ",".join(columns)
        said = ""
        for attempt in range(TRIES):
            count, came, found = self._read(name, columns, params, project)
            if count is None or came >= count:
                return list(found.values())
            said = f"{came} different rows of {name} came where the service counts {count}"
            self.ctx.log.info("%s: asked again (%d)", said, attempt + 1)
        raise SourceDataError(f"{said}, {TRIES} times: nothing was taken as complete.")

    def _read(
        self, name: str, columns: list[str] | None, params: dict[str, str], project: str
    ) -> tuple[int | None, int, dict[tuple[Any, ...], Cells]]:
        """Give what the service counts, how many different rows came, and those that were asked for, by their keys."""
        count: int | None = None
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
                row = cells(raw, _kinds(name, columns if columns is not None else [*raw]), name)
                row |= {column: raw[column] for column in self.custom if column in raw}
                key = tuple(row[column] for column in SETS[name].key)
                came.add((row["ProjectId"], *key) if project else key)
                if not project or row["ProjectId"] == project:
                    found[key] = row
            address, first = self._following(address, following, name), False
            if address in asked:
                raise SourceDataError(f"{name}: the service sends to the same page for ever.")
            asked.add(address or "")
        if len(came) > len(found) and count is None:
            raise SourceDataError(
                f"{name}: rows of other projects came, and no count: whether all of them came cannot be told."
            )
        return count, len(came), found

    def count(self, period: str) -> int:
        """Count the lines of a period."""
        params = {
            "$filter": f"PeriodStartDate eq datetime'{period}T00:00:00'",
            "$inlinecount": "allpages",
            "$top": "1",
            "$select": "TimesheetLineId",
        }
        _, _, count = _opened(self._get(f"{self.data}/TimesheetLines", params, "TimesheetLines"), "TimesheetLines")
        return len(self.whole("TimesheetLines", period=period)) if count is None else count

    def newest(self, name: str) -> str:
        """Give the stamp of the last change, or the beginning of time."""
        params = {"$orderby": "ModifiedDate desc", "$top": "1", "$select": "ModifiedDate"}
        rows, *_ = _opened(self._get(f"{self.data}/{name}", params, name), name)
        stamps = [cells(row, {"ModifiedDate": "date"}, name)["ModifiedDate"] for row in rows]
        return max((stamp for stamp in stamps if stamp), default="1990-01-01T00:00:00")

    def links(self, project: str) -> list[dict[str, Any]]:
        """Give the links between the tasks of a project, by the other service of the site: ProjectData has none."""
        address: str | None = f"{self.root}/ProjectServer/Projects(guid'{project}')/TaskLinks"
        params: dict[str, str] | None = {"$select": "Id,DependencyType,Start/Id,End/Id", "$expand": "Start,End"}
        found: dict[str, dict[str, Any]] = {}
        while address:
            rows, following, _ = _opened(self._get(address, params, "TaskLinks"), "TaskLinks")
            found |= {str(_named(row)): row for row in rows}
            params, address = None, self._following(address, following, "TaskLinks")
        return list(found.values())

    def _get(self, address: str, params: dict[str, str] | None, route: str) -> Any:
        return self.service.get(address, dict, params=params, headers={"Accept": "application/json"}, route=route)

    def _following(self, here: str, following: str | None, name: str) -> str | None:
        if not following:
            return None
        address = urljoin(here, following)
        if urlsplit(address)[:2] != urlsplit(self.root)[:2]:
            raise SourceDataError(
                f"{name}: the next page is said to be on another host, {urlsplit(address).hostname}: it was not asked for."
            )
        return address


def _opened(answer: dict[str, Any], name: str) -> tuple[list[dict[str, Any]], str | None, int | None]:
    """Give rows, the next page and the count of an answer: JSON light, or verbose JSON, which older sites send."""
    body = answer.get("d", answer)
    if isinstance(body, list):
        body = {"results": body}
    rows = body.get("value", body.get("results")) if isinstance(body, dict) else None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise SourceDataError(f"{name}: the answer holds no list of rows.")
    count = body.get("odata.count", body.get("__count"))
    return (
        rows,
        body.get("odata.nextLink") or body.get("@odata.nextLink") or body.get("__next"),
        int(count) if str(count).isdigit() else None,
    )


def _in_batches(records: Iterable[Record], cursor: Any) -> Iterator[Batch]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) >= BATCH:
            yield Batch(records=batch)
            batch = []
    yield Batch(records=batch, cursor=cursor)


def _kinds(name: str, columns: list[str]) -> dict[str, Kind]:
    known = SETS[name]
    return {column: kind for column, kind in known.columns.items() if column in columns or column in known.needed}


def _named(link: dict[str, Any]) -> Any:
    if not link.get("Id"):
        raise SourceDataError("a task link has no Id: the service changed.")
    return link["Id"]


def earlier(stamp: str) -> str:
    """Give a stamp of the service an hour earlier, in its own form."""
    return f"{datetime.fromisoformat(stamp[:19]) - OVERLAP:%Y-%m-%dT%H:%M:%S}"


def _age(ctx: Context, mark: Mapping[str, Any]) -> timedelta:
    """Give how old a mark is; one of the future is too old."""
    age = ctx.now() - datetime.fromisoformat(mark["at"])
    return age if age >= timedelta(0) else timedelta.max
