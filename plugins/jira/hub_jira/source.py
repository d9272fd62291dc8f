"""Jira as a source: one sweep of ids and parallel slices at first, then only what changed."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, ClassVar, TypeVar

import msgspec

from hub import (
    Batch,
    Census,
    Check,
    ConfigError,
    Container,
    Context,
    Gone,
    Partition,
    Record,
    Scope,
    Secret,
    Source,
    SourceDataError,
    Tally,
    Task,
    TaskChange,
    Worklog,
    field_of,
    named,
    tr,
)  # fmt: skip
from hub_jira import mapping, tempo, wire
from hub_jira.partitions import (
    ChangedIssues,
    ChangedWorklogs,
    CutLists,
    DeletedWorklogs,
    Mark,
    Meta,
    Projects,
    Slice,
    Tempo,
)
from hub_jira.site import FEED, Access, Deployment, Site, together

Row = TypeVar("Row")
EVERYTHING = "created >= 0"
"""JQL for all that may be seen: Cloud refuses a search without a restriction."""
OVERLAP_MS = 10 * 60 * 1000
METADATA_HOURS = 24.0
BATCH = 1500
HISTORY = (
    "status",
    "assignee",
    "sprint",
    "duedate",
    "timeoriginalestimate",
    "timeestimate",
    "parent",
    "resolution",
)


class JiraSource(Source, frozen=True, kw_only=True):
    """A site of Jira Cloud or Data Center.

    With *cloud_id* it is asked through Atlassian's gateway, and *url* only makes links. *projects* are keys;
    *jql* narrows further. *fields* binds roles (sprint, epic, points, start, finish, flagged) to custom
    fields where `hub check` finds none or another. *types* says the nature of issue types. *history* are the
    fields whose changes are kept. *worklogs* False reads no hours; *worklog_people* False leaves their
    authors out. With *tempo_token* hours come from Tempo Timesheets and not from Jira.
    """

    kind: ClassVar[str] = "jira"
    provides: ClassVar[tuple[type[Record], ...]] = mapping.PROVIDES
    asks: ClassVar[tuple[str, ...]] = ("url", "email", "token")
    asks_again: ClassVar[bool] = True

    url: str = ""
    token: Secret | None = None
    email: str | None = None
    cloud_id: str | None = None
    client_id: str | None = None
    client_secret: Secret | None = None
    deployment: Deployment = "auto"
    projects: tuple[str, ...] = ()
    jql: str | None = None
    fields: dict[str, str] = msgspec.field(default_factory=dict)
    types: dict[str, mapping.Nature] = msgspec.field(default_factory=dict)
    history: tuple[str, ...] = HISTORY
    worklogs: bool = True
    worklog_people: bool = True
    tempo_token: Secret | None = None
    tempo_url: str = tempo.URL

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url and not self.cloud_id:
            raise ConfigError(
                tr(
                    "The source {name}: give the url of the site, or cloud_id for Atlassian's gateway.",
                    name=self.name,
                )
            )
        if unknown := set(self.fields) - set(mapping.ROLES):
            raise ConfigError(
                tr(
                    "The source {name}: fields knows no {unknown}. It knows {roles}.",
                    name=self.name,
                    unknown=", ".join(sorted(unknown)),
                    roles=", ".join(mapping.ROLES),
                )
            )
        for key in self.projects:
            if not key.replace("_", "").isalnum():
                raise ConfigError(
                    tr(
                        "The source {name}: {key!r} is not the key of a Jira project, such as ACME.",
                        name=self.name,
                        key=key,
                    )
                )

    @property
    def own_hours(self) -> bool:
        """Say whether hours are read from Jira itself."""
        return self.worklogs and self.tempo_token is None

    @property
    def address(self) -> str:
        """Return the site."""
        return self.url

    # ---------- what one run shares ----------

    def _site(self, ctx: Context, *, cloud: bool | None = None) -> Site:
        access = Access(
            url=self.url,
            token=self.token,
            email=self.email,
            cloud_id=self.cloud_id,
            client_id=self.client_id,
            client_secret=self.client_secret,
        )
        return ctx.shared(
            "site",
            lambda: Site(
                ctx,
                self.name,
                access,
                self.deployment if cloud is None else "cloud" if cloud else "datacenter",
            ),
        )

    def _visible(self) -> str:
        """Return the JQL of all that the projects in scope hold; bounded, as Cloud wants it."""
        return f"project in ({', '.join(self.projects)})" if self.projects else EVERYTHING

    def _scope(self) -> str:
        return f"{self._visible()} AND ({self.jql})" if self.jql else self._visible()

    def _settings(self) -> str:
        """Return what decides which rows are read and what they become.

        Another value reads everything anew.
        """
        chosen = [self._scope(), self.fields, self.types, self.history, self.worklog_people, self.tz]
        return msgspec.json.encode(chosen, order="sorted").decode()

    def _mapper(self, ctx: Context, meta: Meta) -> mapping.Mapper:
        return ctx.shared(
            "mapper",
            lambda: mapping.Mapper(
                name=self.name,
                url=self.url,
                zone=self.tz,
                types=self.types,
                levels=meta.levels,
                people=self.worklog_people,
                bindings=meta.bindings,
                history=self.history,
            ),
        )

    def _names(self, bindings: mapping.Bindings, *, worklog: bool) -> tuple[str, ...]:
        return wire.SYSTEM_FIELDS + bindings.fields + (("worklog",) if worklog else ())

    # ---------- check ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, look at the clock, the projects, the custom fields and the number of issues."""
        site = self._site(ctx)
        server = site.server()
        kind = "Cloud" if site.cloud else tr("Data Center")
        yield Check(name="site", state="ok", detail=f"{kind} {server.version or ''}".strip())
        myself = site.metadata.listed("myself", wire.Person)
        yield Check(
            name="account",
            state="ok",
            detail=tr("signed in, time zone {time_zone}", time_zone=myself.time_zone or tr("not told")),
        )
        if server.server_time:
            skew = abs((ctx.now() - datetime.fromisoformat(server.server_time)).total_seconds())
            detail = tr(
                "the site's clock differs by {skew:.0f} s; nothing depends on ours"
                if skew > 60
                else "the site's clock differs by {skew:.0f} s",
                skew=skew,
            )
            yield Check(name="clock", state="warning" if skew > 300 else "ok", detail=detail)
        projects = {one.key: one for one in site.projects()}
        for key in self.projects:
            if key not in projects:
                yield Check(
                    name=key, state="failed", detail=tr("no such project, or this account may not browse it")
                )
        yield Check(
            name="projects",
            state="ok" if projects else "failed",
            detail=tr("{count} projects may be browsed", count=len(projects)),
        )
        fields = site.metadata.listed("field", list[mapping.FieldDef])
        known = {one.id for one in fields}
        bindings = mapping.bind(fields, self.fields)
        for role, one in self.fields.items():
            if one not in known:
                yield Check(
                    name=f"fields.{role}", state="failed", detail=tr("the site has no field {one}", one=one)
                )
        names = {one.id: one.name for one in fields}
        for role, ids in bindings.roles.items():
            shown = " and ".join(f"{one} ({names.get(one, '?')})" for one in ids)
            more = (
                tr(': say which with fields = {{ {role} = "{ids}" }}', role=role, ids=ids[0])
                if len(ids) > 1
                else ""
            )
            yield Check(name=f"fields.{role}", state="warning" if more else "ok", detail=shown + more)
        try:
            newest = site.newest(self._scope(), ("updated",))
        except SourceDataError as exc:  # a JQL that the site refuses is told in its own words
            yield Check(name="issues", state="failed", detail=str(exc))
            return
        yield Check(
            name="issues",
            state="ok" if newest else "warning",
            detail=tr("issues can be read") if newest else tr("no issue can be seen in scope"),
        )

    # ---------- plan ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Sweep once for ids and cut them into slices; later ask only for what changed."""
        before = msgspec.convert(cursors.get("metadata") or {}, Meta)
        fresh = _fresh(before, ctx.now()) and before.settings == self._settings() and not ctx.full
        fresh = fresh and not any(one.startswith(self.row_id("p")) for one in ctx.again)
        mark = cursors.get("issues") or {}
        marked = not self.own_hours or {"worklogs", "worklogs deleted"} <= cursors.keys()
        increment = marked and mark.get("settings") == self._settings() and not ctx.full
        site = self._site(ctx, cloud=before.cloud if fresh else None)
        meta = before
        if not fresh:
            site.server()  # alone and first: a wrong password is said once, not four times
            meta = self._metadata(site, before)
            yield Partition(id="metadata", label="projects", data=Projects(meta))
        if self.worklogs and self.tempo_token:
            if "worklogs" in cursors:
                ctx.report_missing(
                    tr(
                        "hours of Jira are in the store under this source's name: with Tempo's they would "
                        "count twice. Give the source another name in the configuration."
                    )
                )
            else:
                yield Partition(id="tempo", label="Tempo worklogs", data=Tempo())
        if increment:
            yield Partition(id="issues", label="changed issues", data=ChangedIssues(meta))
            if self.own_hours:
                yield Partition(id="worklogs", label="changed worklogs", data=ChangedWorklogs(meta))
                yield Partition(
                    id="worklogs deleted",
                    label="deleted worklogs",
                    after=("worklogs",),
                    data=DeletedWorklogs(),
                )
            return
        yield from self._full(ctx, site, meta, cursors)

    def _full(self, ctx: Context, site: Site, meta: Meta, cursors: Mapping[str, Any]) -> Iterator[Partition]:
        # the marks are taken before anything is read: whatever changes meanwhile is found by the next run
        clock = wire.millis(site.server().server_time or "1970-01-01T00:00:00Z")
        newest = site.newest(self._scope(), ("updated",))
        mark = newest.updated if newest else 0
        ids = self._ids(ctx, site, self._scope())
        # a small site in slices of one request, a large one in fewer and longer ones
        size = site.slice * max(1, min(5, len(ids) // (32 * site.slice)))
        slices = [ids[start : start + size] for start in range(0, len(ids), size)]
        names = []
        for number, part in enumerate(slices):
            names.append(f"slice {number}")
            yield Partition(id=names[-1], label="issues", estimate=len(part), data=Slice(meta, part))
        yield Partition(id="cut lists", label="long lists", after=tuple(names), data=CutLists(meta))
        done = ("cut lists", *names)
        if self.own_hours:
            mine = Mark({"updated": min(clock, mark or clock), "seen": {}})
            yield Partition(id="worklogs", label="mark", after=done, data=mine)
            # what was deleted since the last run is told by the feed alone, also to a run that reads all anew
            known = cursors.get("worklogs deleted")
            yield Partition(
                id="worklogs deleted",
                label="deleted worklogs",
                after=done,
                data=DeletedWorklogs(known) if known else mine,
            )
            done = (*done, "worklogs", "worklogs deleted")
        # last: a run that finds this mark knows that everything before it is there
        yield Partition(
            id="issues",
            label="mark",
            after=done,
            data=Mark({"updated": mark, "seen": {}, "settings": self._settings()}),
        )

    def _metadata(self, site: Site, before: Meta) -> Meta:
        fields, types, browsed = together(
            lambda: site.metadata.listed("field", list[mapping.FieldDef]),
            lambda: site.metadata.listed("issuetype", list[wire.Kind]),
            site.projects,
        )
        projects = [one for one in browsed if not self.projects or one.key in self.projects]
        known = set(before.known) | {one.id for one in projects}
        for key in self.projects:
            if key not in {one.key for one in projects} and not before.at:
                raise SourceDataError(
                    tr(
                        "The project {key} does not exist, or this account may not browse it: correct "
                        "projects, or give the right.",
                        key=key,
                    )
                )
        return Meta(
            at=site.ctx.now().isoformat(timespec="seconds"),
            settings=self._settings(),
            cloud=site.cloud,
            bindings=mapping.bind(fields, self.fields),
            levels={one.id: _level(one) for one in types},
            projects=tuple(projects),
            known=tuple(sorted(known)),
        )

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one partition."""
        match partition.data:
            case Mark(mark):
                yield Batch(cursor=mark)
            case Projects(meta):
                yield self._projects(self._mapper(ctx, meta), meta)
            case Slice(meta, ids):
                yield from self._slice(ctx, meta, ids)
            case CutLists(meta):
                yield from self._cut(ctx, self._mapper(ctx, meta))
            case ChangedIssues(meta):
                yield from self._changed(ctx, meta, cursor)
            case ChangedWorklogs(meta):
                yield from self._changed_logs(ctx, self._mapper(ctx, meta), cursor)
            case DeletedWorklogs(since):
                yield from self._deleted_logs(ctx, since or cursor)
            case Tempo():
                yield from self._tempo(ctx, cursor)

    def _projects(self, mapper: mapping.Mapper, meta: Meta) -> Batch:
        away = tuple(
            Gone(
                record=Container,
                id=self.row_id(f"p{one.id}"),
                presence="archived" if one.archived else "trashed",
                evidence=tr("the project {key} says so", key=one.key),
            )
            for one in meta.projects
            if one.archived or one.deleted
        )
        live = [one for one in meta.projects if not (one.archived or one.deleted)]
        return Batch(
            records=[mapper.project(one) for one in live],
            gone=away,
            cursor=msgspec.to_builtins(msgspec.structs.replace(meta, projects=())),
        )

    def _slice(self, ctx: Context, meta: Meta, ids: list[str]) -> Iterator[Batch]:
        site, parts = self._site(ctx), _Parts(ctx, self, self._mapper(ctx, meta), meta.bindings)
        yield from self._whole(site, parts, meta, ids, ctx.shared("cut", _Cut))
        parts.tally()

    def _whole(self, site: Site, parts: _Parts, meta: Meta, ids: list[str], lost: _Cut) -> Iterator[Batch]:
        """Read issues with their history and their hours; *lost* is told of the lists that Jira cut."""
        names = self._names(meta.bindings, worklog=self.own_hours)

        def make(issue: wire.Issue) -> Iterator[Record]:
            fields = parts.fields(issue)
            yield from parts.mapper.issue(issue, fields)
            if self.history:
                if not issue.told_history:
                    raise SourceDataError(
                        tr("The issue {key} came without its history, which was asked for.", key=issue.key)
                    )
                history = parts.changelog(issue.changelog)
                yield from parts.changes(issue.id, history.histories)
                if len(set(map(bytes, history.histories))) < history.total:
                    lost.add("histories", issue.id)
            if self.own_hours:
                if fields.worklog is None:
                    raise SourceDataError(
                        tr("The issue {key} came without its worklogs, which were asked for.", key=issue.key)
                    )
                lost.count(fields.worklog.total)
                yield from parts.logs(fields.worklog.worklogs, issue.id)
                if len(set(map(bytes, fields.worklog.worklogs))) < fields.worklog.total:
                    lost.add("worklogs", issue.id)
                    lost.totals[issue.id] = fields.worklog.total

        for start in range(0, len(ids), site.slice):
            wanted = ids[start : start + site.slice]
            found = site.issues(wanted, names, history=bool(self.history))
            parts.left("deleted since the ids were read", len(wanted) - len(found))
            records = list(parts.issues(found, make))
            for first in range(0, len(records), BATCH):
                yield Batch(records=records[first : first + BATCH])

    def _cut(self, ctx: Context, mapper: mapping.Mapper) -> Iterator[Batch]:
        """Read the lists that Jira cut.

        Histories come in bulk, worklogs per issue or by the feed of the site, whichever costs less.
        """
        site, parts = self._site(ctx), _Parts(ctx, self, mapper)
        lost = ctx.shared("cut", _Cut)
        histories = lost.take("histories")
        yield from self._histories(site, parts, histories)
        issues = lost.take("worklogs")
        # the feed tells every worklog of the site: its cost is known only when the whole site is in scope
        by_feed = 2 * -(-lost.worklogs // FEED) if self._scope() == EVERYTHING else None
        feed = by_feed is not None and by_feed < len(issues)
        ctx.log.info(
            "Jira cut %d histories and %d of the worklog lists; "
            "the latter cost %d requests one by one, %s by the feed: %s",
            len(histories),
            len(issues),
            len(issues),
            by_feed if by_feed is not None else "an unknown number",
            "by the feed" if feed else "one by one",
        )
        if feed:
            came: dict[str, set[str]] = {issue: set() for issue in issues}
            for page in site.feed("updated", 0):
                for logs in site.worklogs({one.worklog_id: None for one in page}):
                    yield Batch(records=list(parts.logs(logs, came=came)))
            # the feed has no count of its own: each list is held against the total that its issue told
            issues = [issue for issue in issues if len(came[issue]) < lost.totals[issue]]
        for issue in issues:
            yield Batch(records=list(parts.logs(site.worklogs_of(issue), issue)))
        parts.tally()

    def _histories(self, site: Site, parts: _Parts, issues: list[str]) -> Iterator[Batch]:
        records: list[Record] = []
        for issue, lines in site.histories(issues, self.history):
            records.extend(parts.changes(issue, lines))
            if len(records) >= BATCH:
                yield Batch(records=records)
                records = []
        yield Batch(records=records)

    def _changed(self, ctx: Context, meta: Meta, cursor: dict[str, Any]) -> Iterator[Batch]:
        """Read issues changed since the mark and a little before.

        The history is read only of those that were not seen at that stamp.
        """
        site, parts = self._site(ctx), _Parts(ctx, self, self._mapper(ctx, meta), meta.bindings)
        names = self._names(meta.bindings, worklog=False)
        mark, before = int(cursor["updated"]), dict(cursor["seen"])
        seen: dict[str, int] = {}
        news: list[str] = []
        by_issue = bool(self.history) and not site.cloud

        def make(issue: wire.Issue) -> Iterator[Record]:
            fields = parts.fields(issue)
            seen[issue.id] = at = wire.millis(fields.updated)
            if before.get(issue.id) == at:
                return
            yield from parts.mapper.issue(issue, fields)
            news.append(issue.id)
            if issue.told_history:
                yield from parts.changes(issue.id, parts.changelog(issue.changelog).histories)

        again, met = parts.again(""), set[tuple[str, int]]()
        for page in site.changed(self._scope(), max(0, mark - OVERLAP_MS), names, history=by_issue):
            # pages overlap where rows have moved; what could not be taken before is read whole below
            fresh = [one for one in page if one.id not in again and (one.id, one.updated) not in met]
            met |= {(one.id, one.updated) for one in fresh}
            yield Batch(records=list(parts.issues(fresh, make)))
        if again:
            # what hangs on an issue that could not be taken was not taken with it
            cut = _Cut()
            yield from self._whole(site, parts, meta, sorted(again, key=int), cut)
            yield from self._histories(site, parts, cut.take("histories") if site.cloud else [])
            for issue in cut.take("worklogs"):
                yield Batch(records=list(parts.logs(site.worklogs_of(issue), issue)))
        if self.history and site.cloud and news:
            yield from self._histories(site, parts, news)
        parts.tally()
        mark = max([mark, *seen.values()])
        yield Batch(
            cursor={
                "updated": mark,
                "seen": {one: at for one, at in seen.items() if at >= mark - OVERLAP_MS},
                "settings": self._settings(),
            }
        )

    def _changed_logs(self, ctx: Context, mapper: mapping.Mapper, cursor: dict[str, Any]) -> Iterator[Batch]:
        """Read worklogs changed since the mark and a little before.

        Bodies are read only of those not seen at that stamp.
        """
        site, parts = self._site(ctx), _Parts(ctx, self, mapper)
        mark, before = int(cursor["updated"]), dict(cursor.get("seen", {}))
        seen: dict[str, int] = {}
        wanted: dict[int, None] = dict.fromkeys(map(int, parts.again("w")))
        for page in site.feed("updated", max(0, mark - OVERLAP_MS)):
            for one in page:
                seen[str(one.worklog_id)] = one.updated_time
                if before.get(str(one.worklog_id)) != one.updated_time:
                    wanted[one.worklog_id] = None
            if len(wanted) >= FEED:
                yield self._logs(site, parts, wanted)
                wanted.clear()
        if wanted:
            yield self._logs(site, parts, wanted)
        parts.tally()
        mark = max([mark, *seen.values()])
        yield Batch(
            cursor={"updated": mark, "seen": {one: at for one, at in seen.items() if at >= mark - OVERLAP_MS}}
        )

    def _logs(self, site: Site, parts: _Parts, wanted: Iterable[int]) -> Batch:
        records: list[Record] = []
        issues: dict[str, str] = {}
        for page in site.worklogs(wanted):
            records += parts.logs(page, owners=issues)
        mine = self._in_scope(site, set(issues.values()))
        beyond = {one for one, issue in issues.items() if issue not in mine}
        parts.taken -= len(beyond)
        parts.left("beyond the scope", len(beyond))
        return Batch(records=[one for one in records if one.id not in beyond])

    def _in_scope(self, site: Site, issues: set[str]) -> set[str]:
        """Leave out issues beyond the scope, whose hours the feeds of the site tell too."""
        return issues if self._scope() == EVERYTHING or not issues else site.among(self._scope(), issues)

    def _tempo(self, ctx: Context, cursor: Any) -> Iterator[Batch]:
        assert self.tempo_token is not None
        updated, rejected = str(cursor or ""), False
        seen = taken = beyond = 0
        begins = self.row_id("t")
        ctx.asked_again |= {one for one in ctx.again if one.startswith(begins)}
        for rows in tempo.pages(ctx, self.tempo_url, self.tempo_token, tempo.since_day(updated)):
            entries = list(ctx.each(
                rows, tempo.entry, record=Worklog, id=lambda row: f"{begins}{named(row, tempo.ID)}",
                place=lambda row: tr("worklog {id} of Tempo", id=named(row, tempo.ID)),
            ))  # fmt: skip
            rejected = rejected or len(entries) < len(rows)
            seen += len(rows)
            updated = max([updated, *(wire.instant(one.updated_at) or "" for one in entries)])
            mine = self._in_scope(self._site(ctx), {str(one.issue.id) for one in entries})
            chosen = [one for one in entries if str(one.issue.id) in mine]
            beyond += len(entries) - len(chosen)
            taken += len(chosen)
            for start in range(0, len(chosen), BATCH):
                yield Batch(
                    records=tempo.records(
                        self.name, chosen[start : start + BATCH], people=self.worklog_people
                    )
                )
        ctx.tally(Tally(seen=seen, taken=taken, skipped={"beyond the scope": beyond} if beyond else {}))
        # Tempo is asked by day alone: what could not be taken is asked for again from the mark before
        yield Batch(cursor=None if rejected else updated or None)

    def _deleted_logs(self, ctx: Context, cursor: dict[str, Any]) -> Iterator[Batch]:
        mark = int(cursor["updated"])
        for page in self._site(ctx).feed("deleted", max(0, mark - OVERLAP_MS)):
            mark = max([mark, *(one.updated_time for one in page)])
            yield Batch(
                gone=tuple(
                    Gone(
                        record=Worklog,
                        id=self.row_id(f"w{one.worklog_id}"),
                        evidence=f"worklog/deleted, {wire.instant(one.updated_time)}",
                    )
                    for one in page
                )
            )
        yield Batch(cursor={"updated": mark})

    # ---------- census ----------

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        """Compare the ids that exist with those known, project by project.

        A project that cannot be seen any more is hidden.
        """
        site = self._site(ctx)
        seen = {one.id: one for one in site.projects()}
        shown = site.shown
        known = set(msgspec.convert(cursors.get("metadata") or {}, Meta).known)
        wanted = [
            one for one in seen.values() if not self.projects or one.key in self.projects or one.id in known
        ]
        # an issue that moved out of scope still exists: the ids are those of all that may be seen
        ids = frozenset(self.row_id(one) for one in self._ids(ctx, site, EVERYTHING))
        for one in sorted(wanted, key=lambda one: one.id):
            if not (one.archived or one.deleted):
                yield Census(
                    record=Task,
                    scope=self._in(one.id),
                    ids=ids,
                    evidence=tr("absent from the ids of {key}", key=one.key),
                )
        for lost in sorted(known - shown):
            yield Census(
                record=Task,
                scope=self._in(lost),
                ids=frozenset(),
                evidence=tr("its project cannot be browsed any more"),
                readable=False,
            )

    def _ids(self, ctx: Context, site: Site, jql: str) -> list[str]:
        """Sweep once a run: a census after a full reading has its ids already."""
        swept: dict[str, list[str]] = ctx.shared("ids", dict)
        if jql not in swept:
            swept[jql] = site.sweep(jql)
        return swept[jql]

    def _in(self, project: str) -> Scope:
        return Scope(records=(Task,), container_id=self.row_id(f"p{project}"))


class _Cut:
    """The issues whose embedded lists were cut, noted by the slices of one run."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._found: dict[str, list[str]] = {"histories": [], "worklogs": []}
        self.worklogs = 0
        self.totals: dict[str, int] = {}

    def count(self, worklogs: int) -> None:
        """Add to the number of worklogs in scope."""
        with self._lock:
            self.worklogs += worklogs

    def add(self, what: str, issue: str) -> None:
        """Note an issue."""
        with self._lock:
            self._found[what].append(issue)

    def take(self, what: str) -> list[str]:
        """Return the issues noted, in order."""
        with self._lock:
            return sorted(self._found[what], key=int)


class _Parts:
    """The parts of answers, each decoded and mapped by itself: an odd one is rejected and costs itself."""

    def __init__(
        self,
        ctx: Context,
        source: JiraSource,
        mapper: mapping.Mapper,
        bindings: mapping.Bindings | None = None,
    ) -> None:
        """Take the run, the source and what maps."""
        self.ctx, self.source, self.mapper = ctx, source, mapper
        self._fields = wire.fields_decoder(bindings.fields if bindings else ())
        self.changelog = msgspec.json.Decoder(wire.Changelog).decode
        self._line = msgspec.json.Decoder(wire.History).decode
        self._log = msgspec.json.Decoder(wire.Worklog).decode
        self.seen = self.taken = 0
        self.skipped: Counter[str] = Counter()

    def tally(self) -> None:
        """Close the partition: issues, lines of history and worklogs alike were counted."""
        self.ctx.tally(Tally(seen=self.seen, taken=self.taken, skipped=dict(self.skipped)))

    def left(self, reason: str, count: int = 1) -> None:
        """Count rows that are left out."""
        self.seen += count
        self.skipped += Counter({reason: count})

    def _counted(
        self, rows: Iterable[Row], make: Callable[[Row], Iterable[Record]]
    ) -> tuple[list[Row], Callable[[Row], Iterator[Record]]]:
        def counted(row: Row) -> Iterator[Record]:
            yield from make(row)
            self.taken += 1

        found = list(rows)
        self.seen += len(found)
        return found, counted

    def fields(self, issue: wire.Issue) -> wire.Fields:
        """Decode the fields of an issue."""
        if not isinstance(issue.key, str):
            raise SourceDataError(tr("Jira sent {key!r} where a key was expected.", key=issue.key))
        return self._fields.decode(issue.fields)

    def issues(
        self, found: Iterable[wire.Issue], make: Callable[[wire.Issue], Iterable[Record]]
    ) -> Iterator[Record]:
        """Map issues."""
        return self.ctx.each(
            *self._counted(found, make), record=Task,
            place=lambda one: f"{one.key} ({self.mapper.url}/browse/{one.key})",
            key=lambda one: one.id, id=lambda one: self.source.row_id(one.id),
        )  # fmt: skip

    def changes(self, issue: str, lines: Iterable[msgspec.Raw]) -> Iterator[Record]:
        """Map lines of history."""
        return self.ctx.each(
            *self._counted(lines, lambda line: self.mapper.change(issue, self._line(line))),
            record=TaskChange, id=lambda line: self.source.row_id(issue),
            place=lambda line: tr("history {id} of issue {issue}", id=named(line), issue=issue),
            key=lambda line: f"h{named(line)}",
        )  # fmt: skip

    def logs(
        self, logs: Iterable[msgspec.Raw], issue: str | None = None, *,
        came: dict[str, set[str]] | None = None, owners: dict[str, str] | None = None,
    ) -> Iterator[Record]:  # fmt: skip
        """Map hours: of *issue*, of those in *came* (which is told of each), or of any (told to *owners*)."""

        def make(raw: msgspec.Raw) -> Iterator[Record]:
            log = self._log(raw)
            owner = issue or log.issue_id
            if owner is None or (came is not None and owner not in came):
                self.left("not asked for")
                self.seen, self.taken = self.seen - 1, self.taken - 1
                return
            if came is not None:
                came[owner].add(log.id)
            for record in self.mapper.worklog(log, owner):
                if owners is not None and isinstance(record, Worklog):
                    owners[record.id] = owner
                yield record

        def again(raw: msgspec.Raw) -> str | None:
            if (native := field_of(raw)) is not None:
                return self.source.row_id(f"w{native}")
            owner = issue or field_of(raw, "issueId")  # by which it is asked for again
            return self.source.row_id(owner) if owner else None

        return self.ctx.each(
            *self._counted(logs, make), record=Worklog, key=lambda raw: f"w{named(raw)}",
            place=lambda raw: tr("worklog {id}", id=named(raw)),
            id=again,
        )  # fmt: skip

    def again(self, prefix: str) -> set[str]:
        """Return the numbers of what could not be taken before: of issues, or of worklogs (``w``)."""
        begins = self.source.row_id(prefix)
        found = {one for one in self.ctx.again if one.startswith(begins) and one[len(begins) :].isdigit()}
        self.ctx.asked_again |= found
        return {one[len(begins) :] for one in found}


def _level(one: wire.Kind) -> int:
    """Return where a type stands: above the work (1), the work (0), below it (-1)."""
    if one.hierarchy_level is not None:
        return one.hierarchy_level
    return -1 if one.subtask else 1 if one.name == "Epic" else 0


def _fresh(meta: Meta, now: datetime) -> bool:
    if not meta.at:
        return False
    age = now - datetime.fromisoformat(meta.at)
    return 0 <= age.total_seconds() < METADATA_HOURS * 3600
