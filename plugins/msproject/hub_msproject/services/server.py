"""Project Server Subscription Edition by ProjectData.

A project is read again when it was published, a period of timesheets when a line of it changed.

A task's own stamp tells nothing: publishing a project touches all of them. Microsoft's recipe for changes is
to reload whole projects (learn.microsoft.com/previous-versions/office/project-odata), and so is this.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

import msgspec

from hub import (
    Account,
    Allocation,
    Assignment,
    Baseline,
    Batch,
    Capacity,
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
    SourceError,
    SourceUnavailable,
    Tally,
    Task,
    TaskLink,
    Worklog,
    mark,
    tr,
)  # fmt: skip
from hub_msproject.files.capacity import by_hours
from hub_msproject.files.mapping import Choice
from hub_msproject.files.schedule import Uid
from hub_msproject.services import calendars
from hub_msproject.services.odata import Service, age_of
from hub_msproject.services.projectdata import (
    MAPPING,
    SETS,
    Cells,
    ProjectRows,
    ServerPlan,
    Timesheets,
    WorkKind,
    line_days,
    link_of,
    no_people,
    plan_rows,
    resource_row,
    say,
)  # fmt: skip
from hub_msproject.services.reporting import OVERLAP, ProjectData, earlier

BATCH = 1000
ABLE = "ResourceTimephasedDataSet"
AT_ONCE = timedelta(days=28)
"""Days of people in one question."""
DAY, SWEEP = timedelta(days=1), timedelta(days=7)
"""How long what a row looks like is known; how long an unchanged project is believed."""
OF_PLANS: tuple[type[Record], ...] = (
    Task, Assignment, Baseline, TaskLink, Allocation, Worklog, CustomValue,
)  # fmt: skip


class Mark(msgspec.Struct, frozen=True):
    """Nothing to read: the mark of the timesheets, once their periods were read."""

    cursor: dict[str, Any]


class People(msgspec.Struct, frozen=True):
    """The resources of the organisation."""

    cursor: dict[str, Any]


class Able(msgspec.Struct, frozen=True):
    """What people can work from the *first* to the *last* day."""

    first: date
    last: date
    cursor: dict[str, Any]


class Project(msgspec.Struct, frozen=True):
    """A project, as its *row* says, with all that stands in it."""

    row: Cells
    cursor: dict[str, Any]


class Period(msgspec.Struct, frozen=True):
    """A period of timesheets: its first and its last day."""

    start: str
    end: str
    settings: str


class ServerSource(Source, frozen=True, kw_only=True):
    """A Project Web App; *url* is its address, such as ``https://project.example.com/pwa``.

    *user* and *password* sign in by NTLM (with the extra ``[ntlm]``) or, with *basic* true, by a password
    over TLS; *account* signs in by Entra ID where the site trusts it. The account needs the right to read the
    Project Server reporting service: it shows all projects or none. *custom* names custom fields to keep,
    *without* columns that this site does not have. *days* False leaves out work by day, *calendars* False
    what people can work by day, *links* False the links between tasks, *timesheets* False the hours.
    *classes* says which classes of timesheet lines are ``internal`` work or ``absence``. *language* fixes the
    names of columns, whatever the site's language is. *baseline* is the one that counts, by its number or the
    ``last``, in projects that have it.
    """

    kind: ClassVar[str] = "project-server"
    provides: ClassVar[tuple[type[Record], ...]] = (Container, Account, *OF_PLANS, Capacity)
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
    calendars: bool = True
    links: bool = True
    timesheets: bool = True
    classes: dict[str, WorkKind] = msgspec.field(default_factory=dict)
    hours_per_day: float = 8.0
    baseline: Choice = 0

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(
                tr(
                    "The source {name}: url is the address of a Project Web App, such as "
                    "https://project.example.com/pwa.",
                    name=self.name,
                )
            )
        if (self.account is None) == (self.user is None or self.password is None):
            raise ConfigError(tr("The source {name}: give user and password, or account.", name=self.name))

    @property
    def address(self) -> str:
        """Return the site."""
        return self.url

    @property
    def signs_in(self) -> tuple[Entra, str] | None:
        """Return the account, and the site's host, where Entra ID signs in."""
        return (self.account, self._origin) if self.account else None

    @property
    def _origin(self) -> str:
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def _site(self, ctx: Context) -> ProjectData:
        def make() -> ProjectData:
            if self.account:
                signed = SignIn.of(ctx, self.account, self.name)
                signed.opens(ctx.http, self._origin)
                service = Service(ctx, self.url)
            else:
                service = Service(ctx, self.url)
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
        yield Check(name="account", state="ok", detail=tr("signed in"))
        for name, found in columns.items():
            lacking = sorted(SETS[name].wanted.keys() - {*(found or ()), *self.without})
            said = (
                tr("no row can be seen")
                if found is None
                else f"without {', '.join(lacking)}"
                if lacking
                else tr("all columns are there")
            )
            yield Check(
                name=name, state="ok" if found is not None and not lacking else "warning", detail=said
            )
        if unknown := [
            name for name in self.custom if not any(name in (found or ()) for found in columns.values())
        ]:
            yield Check(
                name="custom",
                state="failed",
                detail=tr("no project or task has {unknown}", unknown=", ".join(unknown)),
            )
        projects = site.whole("Projects", columns["Projects"])
        yield Check(
            name="projects",
            state="ok" if projects else "failed",
            detail=tr("{count} {count:project|projects} can be read", count=len(projects)),
        )
        if self.links and projects:
            try:
                links = site.links(projects[0]["ProjectId"])
                yield Check(
                    name="links",
                    state="ok",
                    detail=tr(
                        "{count} {count:link|links} in {project}",
                        count=len(links),
                        project=projects[0]["ProjectName"],
                    ),
                )
            except HubError as exc:
                yield Check(
                    name="links",
                    state="failed",
                    detail=tr("{error} Set links = false to do without.", error=exc),
                )

    def _sets(self) -> list[str]:
        hours = (
            ["TimesheetPeriods", "Timesheets", "TimesheetLines", "TimesheetLineActualDataSet"]
            if self.timesheets
            else []
        )
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
        fresh = before.get("settings") == settings and not ctx.full and age_of(ctx, before) < DAY
        columns = before["columns"] if fresh else {name: site.look(name) for name in self._sets()}
        site.columns = columns
        for name, found in columns.items():
            if found is not None and (lacking := sorted(SETS[name].wanted.keys() - {*found, *self.without})):
                ctx.report_missing(
                    tr(
                        "{name} of ProjectData has no {lacking}: if that is how this site is, name them in "
                        "without.",
                        name=name,
                        lacking=", ".join(lacking),
                    )
                )
        at = ctx.now().isoformat(timespec="seconds")
        projects = self._projects(ctx)
        if not projects:
            ctx.report_missing(tr("no project can be read: check the right to read the reporting service."))
        changed = []
        twice = {}
        for project in projects:
            mark = cursors.get(f"project {project['ProjectId']}") or {}
            stamp = project["ProjectModifiedDate"]
            same = stamp and mark.get("settings") == settings and mark["modified"] == stamp and not ctx.full
            if same and age_of(ctx, mark) < SWEEP and self._settled(ctx, mark):
                ctx.skip_unchanged(project["ProjectName"] or project["ProjectId"])
            else:
                changed.append(project)
                twice[project["ProjectId"]] = bool(mark) and mark["modified"] == stamp
        if not fresh or changed:
            yield Partition(
                id="server",
                label="people",
                data=People({"settings": settings, "columns": columns, "at": before["at"] if fresh else at}),
            )
        for project in changed:
            id_ = project["ProjectId"]
            yield Partition(
                id=f"project {id_}",
                label=project["ProjectName"],
                complete=True,
                scope=Scope(records=OF_PLANS, id_prefix=self.row_id(f"{id_}/")),
                evidence=tr("absent from its project in ProjectData"),
                data=Project(
                    project,
                    {
                        "settings": settings,
                        "modified": project["ProjectModifiedDate"],
                        "at": at,
                        "twice": twice[id_],
                    },
                ),
            )
        if self.timesheets:
            yield from self._periods(ctx, cursors, settings)
        mark = cursors.get("calendars") or {}
        if not self.calendars:
            ctx.not_asked("calendars of people")
        if self.calendars and (ctx.full or mark.get("settings") != settings or age_of(ctx, mark) >= DAY):
            yield Partition(
                id="calendars",
                label="calendars of people",
                data=Able(*calendars.window(ctx.now().date()), {"settings": settings, "at": at}),
            )

    def _settled(self, ctx: Context, mark: Mapping[str, Any]) -> bool:
        """Say whether a project need not be read once more.

        Its rows may come after its stamp, whose zone nobody documents.
        """
        young = (
            datetime.fromisoformat(mark["at"])
            < datetime.fromisoformat(mark["modified"]).replace(tzinfo=UTC) + DAY
        )
        return bool(mark.get("twice")) or not young or age_of(ctx, mark) < OVERLAP

    def _periods(self, ctx: Context, cursors: Mapping[str, Any], settings: str) -> Iterator[Partition]:
        """Find the periods to read.

        All at first, then those with a changed line or timesheet, and once a day those that count other lines
        than we know.
        """
        site, mark = self._site(ctx), cursors.get("hours") or {}
        known = mark.get("settings") == settings and not ctx.full
        since = newest = mark["newest"] if known else site.newest("TimesheetLines")
        recent: dict[str, str] = mark["recent"] if known else {}
        dirty: set[str] = set()
        seen: dict[str, str] = {}
        for name, start in (("TimesheetLines", "PeriodStartDate"), ("Timesheets", "StartDate")):
            for row in site.whole(name, since=since):
                if row.get("odd"):
                    dirty.add(row[start][:10])
                    continue
                native, stamp = row[SETS[name].key[0]], row["ModifiedDate"] or ""
                # what the last run saw within the overlap is no news
                if stamp >= earlier(since) and recent.get(native) != stamp and row.get(start):
                    dirty.add(row[start][:10])
                seen[native] = stamp
                newest = max(newest, stamp)
        if odd := len(site.odd[""]):  # nobody knows which period they are of
            ctx.tally(Tally(seen=odd, taken=0, unit="lines of timesheets"))
        today = ctx.now().date().isoformat()
        counted = known and age_of(ctx, mark) < DAY
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
                    id=read[-1],
                    label=f"timesheets from {start}",
                    complete=True,
                    scope=Scope(records=(Worklog,), id_prefix=self.row_id(f"w{start}/")),
                    evidence=tr("absent from its period of timesheets in ProjectData"),
                    data=Period(start, end, settings),
                )
        cursor = {
            "settings": settings,
            "newest": newest,
            "recent": {native: stamp for native, stamp in seen.items() if stamp >= earlier(newest)},
            "at": mark["at"] if counted else ctx.now().isoformat(timespec="seconds"),
        }
        yield Partition(id="hours", label="mark of timesheets", after=tuple(read), data=Mark(cursor))

    def _projects(self, ctx: Context) -> list[Cells]:
        def ask() -> list[Cells]:
            found = self._site(ctx).whole("Projects")
            self._site(ctx).projects = frozenset(one["ProjectId"] for one in found)
            return found

        return ctx.shared("projects", ask)

    def _people(self, ctx: Context) -> dict[str, Cells]:
        """Return the resources of the organisation by id, read once a run."""
        return ctx.shared(
            "people", lambda: {one["ResourceId"]: one for one in self._site(ctx).whole("Resources")}
        )

    def _settings(self) -> str:
        chosen = [
            MAPPING,
            self.baseline,
            self.url,
            self.tz,
            self.hours_per_day,
            self.custom,
            self.days,
            self.links,
            self.timesheets,
            self.calendars,
            self.classes,
            self.language,
        ]
        return msgspec.json.encode(chosen, order="sorted").decode()

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one project or one period whole."""
        match partition.data:
            case Mark(cursor):
                yield Batch(cursor=cursor)
            case People(cursor):
                plan = self._plan_of("")
                people = [resource_row(one) for one in self._people(ctx).values()]
                things = no_people(plan, people)
                yield Batch(gone=things)
                yield from _in_batches([plan.account(one) for one in people if one.work], cursor)
            case Able() as able:
                yield from self._able(ctx, able)
            case Project() as project:
                yield from self._project(ctx, partition.id, project)
            case Period() as period:
                yield from self._period(ctx, period)

    def _able(self, ctx: Context, able: Able) -> Iterator[Batch]:
        """Read what people can work by the calendars of the organisation, some weeks at a time."""
        plan, site = self._plan_of(""), self._site(ctx)
        people = {one.uid for one in map(resource_row, self._people(ctx).values()) if one.work}
        first, met, odd = able.first, 0, 0
        with ctx.looking_at(mark("calendars of people")):
            while first <= able.last:
                last = min(first + AT_ONCE - timedelta(days=1), able.last)
                rows = site.whole(
                    ABLE, list(SETS[ABLE].needed), first=first.isoformat(), last=last.isoformat()
                )
                hours: dict[Uid, dict[date, float]] = {}
                for row in rows:
                    day = date.fromisoformat(row["TimeByDay"][:10])
                    if row["ResourceId"] in people and row["Capacity"] is not None and first <= day <= last:
                        hours.setdefault(row["ResourceId"], {})[day] = row["Capacity"]
                found: list[Record] = [
                    one
                    for who, days in hours.items()
                    for one in calendars.told(self.name, str(plan.account_id(who)), str(who), by_hours(days))
                ]
                lost = site.odd[first.isoformat()]
                met, odd = met + len(rows), odd + len(lost)
                said = tr("the calendar says something else of this week")
                gone = (
                    () if lost else calendars.proofs(self.name, first, last, [one.id for one in found], said)
                )
                yield Batch(records=found, gone=tuple(gone))
                first = last + timedelta(days=1)
            ctx.tally(Tally(seen=met + odd, taken=met, unit="days of people"))
            yield Batch(cursor=able.cursor)

    def _plan_of(self, native: str, *, is_sure: bool = True) -> ServerPlan:
        return ServerPlan(
            container_id=self.row_id(native), source=self.name, tz=self.tz, baseline=self.baseline,
            is_sure=is_sure,
        )  # fmt: skip

    def _project(self, ctx: Context, partition: str, data: Project) -> Iterator[Batch]:
        people = self._people(ctx)
        site, project = self._site(ctx), data.row
        native = project["ProjectId"]
        links = []
        if self.links:
            try:
                links = [link_of(one) for one in site.links(native)]
            except SourceUnavailable:
                raise
            except SourceError as exc:
                ctx.report_missing(
                    tr("the links of {project}: {error}", project=project["ProjectName"], error=exc),
                    partition=partition,
                )
        found = ProjectRows(
            project=project,
            tasks=site.whole("Tasks", project=native),
            assignments=site.whole("Assignments", project=native),
            days=site.whole("AssignmentTimephasedDataSet", project=native) if self.days else None,
            baselines=site.whole("TaskBaselines", project=native),
            links=links,
        )
        seen = {name for row in (project, *found.tasks) for name in row}
        if found.tasks and (lost := [name for name in self.custom if name not in seen]):
            unknown = ", ".join(lost)
            ctx.shared(
                f"unknown {unknown}",
                lambda: ctx.report_missing(tr("no project or task has {unknown}", unknown=unknown)),
            )
        plan = self._plan_of(native, is_sure=not site.odd[native])
        day_s = round(self.hours_per_day * 3600)
        records = plan.records(plan_rows(found, people, self.custom, day_s, lambda one: say(ctx, one)))
        yield from _in_batches(records, data.cursor)
        met = sum(map(len, (found.tasks, found.assignments, found.days or (), found.baselines)))
        own = sum(bool(task.get("TaskIsProjectSummary")) for task in found.tasks)
        if own > 1:  # what it is told of stands nowhere else: those rows are no tasks
            ctx.report_missing(
                tr(
                    "{count} rows of {project} say that they are the project itself: no task is made "
                    "of them.",
                    count=own,
                    project=project["ProjectName"],
                ),
                partition=partition,
            )
        skipped = {"the row of the plan itself": own} if own else {}
        ctx.tally(Tally(seen=met + len(site.odd[native]), taken=met - own, skipped=skipped))

    def _period(self, ctx: Context, period: Period) -> Iterator[Batch]:
        people = self._people(ctx)
        site, start, end = self._site(ctx), period.start, period.end
        # the days first: whatever line they belong to is there when the lines are read
        days = line_days(
            one
            for one in site.whole("TimesheetLineActualDataSet", first=start, last=end)
            if start <= one["TimeByDay"][:10] <= end
        )
        lines = [
            one for one in site.whole("TimesheetLines", period=start) if one["PeriodStartDate"][:10] == start
        ]
        sheets = Timesheets(source=self.name, classes=self.classes)
        yield from _in_batches(
            sheets.records(f"w{start}/", lines, days, people),
            {"settings": period.settings, "lines": len(lines)},
        )
        odd = len(site.odd[start])
        ctx.tally(Tally(seen=len(lines) + odd, taken=len(lines), unit="lines of timesheets"))

    # ---------- census ----------

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        """Name the projects that exist: the service shows all of them or none."""
        ids = frozenset(self.row_id(one["ProjectId"]) for one in self._projects(ctx))
        yield Census(
            record=Container,
            scope=Scope(records=(Container,)),
            ids=ids,
            evidence=tr("absent from ProjectData, which shows every project to who may read it"),
        )


def _in_batches(records: Iterable[Record], cursor: Any) -> Iterator[Batch]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) >= BATCH:
            yield Batch(records=batch)
            batch = []
    yield Batch(records=batch, cursor=cursor)
