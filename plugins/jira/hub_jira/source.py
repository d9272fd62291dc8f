"""Jira as a source: one sweep of ids and parallel slices at first, then only what changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from hub import (
    Batch,
    Census,
    Check,
    ConfigError,
    Container,
    Context,
    Gone,
    Offer,
    Partition,
    Record,
    Secret,
    Source,
    SourceDataError,
    Tally,
    Task,
    Worklog,
    tr,
)  # fmt: skip
from hub_jira import census, daily, mapping, tempo, wire
from hub_jira.fields import ALWAYS, ROLES, Bindings, FieldDef, bind, field_named
from hub_jira.partitions import (
    Approval,
    Arrivals,
    ChangedIssues,
    ChangedWorklogs,
    CutLists,
    Daily,
    DeletedWorklogs,
    Learned,
    Mark,
    Meta,
    Projects,
    Slice,
    Tempo,
    TempoApprovals,
    TempoDays,
    TempoPlans,
)
from hub_jira.parts import Cut, Parts, batches, first, nameless
from hub_jira.site import CHANGELOG_ISSUES, FEED, Access, Deployment, Site, together
from hub_jira.values import sampled

EVERYTHING = "created >= 0"
"""JQL for all that may be seen: Cloud refuses a search without a restriction."""
OVERLAP_MS = 10 * 60 * 1000
METADATA_HOURS = 24.0
SHAPE = 3
"""Of what issues become: with another one than they were read with they are read anew."""
HISTORY = (
    "status",
    "issuetype",
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
    *jql* narrows further. *fields* binds roles (sprint, epic, parent, points, start, finish, flagged) to
    custom fields where `hub check` finds none or another: to one, or to several of which the first that is
    filled counts. *types* says the nature of issue types. *history* are the fields whose changes are kept.
    *worklogs* False reads no hours; *worklog_people* False leaves their authors out. With *tempo_token* hours
    come from Tempo Timesheets and not from Jira; those of the last *tempo_days* are all read once a day.
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
    fields: dict[str, str | tuple[str, ...]] = msgspec.field(default_factory=dict)
    types: dict[str, mapping.Nature] = msgspec.field(default_factory=dict)
    history: tuple[str, ...] = HISTORY
    worklogs: bool = True
    worklog_people: bool = True
    tempo_token: Secret | None = None
    tempo_url: str = tempo.URL
    tempo_days: int = 90

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url and not self.cloud_id:
            raise ConfigError(
                tr(
                    "The source {name}: give the url of the site, or cloud_id for Atlassian's gateway.",
                    name=self.name,
                )
            )
        if unknown := set(self.fields) - set(ROLES):
            raise ConfigError(
                tr(
                    "The source {name}: fields knows no {unknown}. It knows {roles}.",
                    name=self.name,
                    unknown=", ".join(sorted(unknown)),
                    roles=", ".join(ROLES),
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
                ctx, access, self.deployment if cloud is None else "cloud" if cloud else "datacenter"
            ),
        )

    def _defs(self, ctx: Context) -> list[FieldDef]:
        """Return the fields of the site; asked once."""
        return ctx.shared("fields", lambda: self._site(ctx).metadata.listed("field", list[FieldDef]))

    def _kept_anyway(self, words: str) -> bool:
        """Say whether *words* of fields.csv name what is no field of an issue, or is kept of every site."""
        return words.casefold() in ALWAYS or (self.tempo_token is not None and tempo.knows(words))

    def _visible(self) -> str:
        """Return the JQL of all that the projects in scope hold; bounded, as Cloud wants it."""
        return f"project in ({', '.join(self.projects)})" if self.projects else EVERYTHING

    def _scope(self) -> str:
        return f"{self._visible()} AND ({self.jql})" if self.jql else self._visible()

    def _settings(self, ctx: Context) -> str:
        """Return what decides which rows are read and what they become.

        Another value reads everything anew.
        """
        chosen = [
            self._scope(), self.fields, self.types, self.history, self.worklog_people, self.tz,
            sorted(ctx.fields), SHAPE,
        ]  # fmt: skip
        return msgspec.json.encode(chosen, order="sorted").decode()

    def _mapper(self, ctx: Context, meta: Meta) -> mapping.Mapper:
        def odd(issue: wire.Issue, field: str, value: Any, reason: str) -> None:
            ctx.reject(
                f"{issue.key} ({self.url.rstrip('/')}/browse/{issue.key})", reason, key=issue.id,
                record=Task, id=self.row_id(issue.id), field=field, value=value,
            )  # fmt: skip
            ctx.tally(Tally(seen=1, taken=0))  # the field: what else the issue says is taken

        def make() -> mapping.Mapper:
            site = self._site(ctx)
            return mapping.Mapper(
                name=self.name,
                url=self.url,
                zone=self.tz,
                types=self.types,
                levels=meta.levels,
                people=self.worklog_people,
                bindings=meta.bindings,
                history=self.history,
                account_zone=site.me().time_zone,
                keys=site.keys,
                objects=site.objects,
                odd=odd,
            )

        return ctx.shared("mapper", make)

    def _parts(self, ctx: Context, meta: Meta) -> Parts:
        return Parts(ctx, self, self._site(ctx), self._mapper(ctx, meta))

    def _names(self, bindings: Bindings, *, worklog: bool) -> tuple[str, ...]:
        return bindings.asked + (("worklog",) if worklog else ())

    # ---------- check ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, look at the clock, the projects, the custom fields and the number of issues."""
        site = self._site(ctx)
        server = site.server()
        kind = "Cloud" if site.cloud else tr("Data Center")
        yield Check(name="site", state="ok", detail=f"{kind} {server.version or ''}".strip())
        myself = site.me()
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
        fields = self._defs(ctx)
        known = {one.id for one in fields}
        bindings = bind(fields, self.fields)
        for role, chosen in self.fields.items():
            for one in (chosen,) if isinstance(chosen, str) else chosen:
                if one not in known:
                    yield Check(
                        name=f"fields.{role}",
                        state="failed",
                        detail=tr("the site has no field {one}", one=one),
                    )
        yield from _bound(fields, bindings)
        yield from _chosen(fields, [one for one in ctx.fields if not self._kept_anyway(one)])
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

    def offers(self, ctx: Context) -> Iterable[Offer]:
        """Return the fields to slice by, and how many of the issues that changed last have each.

        One question tells it of every field; a count of all issues would be one for each of hundreds.
        """
        defs = {one.id: one for one in self._defs(ctx) if one.offer}
        newest = self._site(ctx).page(self._scope(), tuple(defs))
        filled = sampled(newest, tuple(defs))
        for native, one in defs.items():
            share = filled[native] / len(newest) if newest else None
            yield Offer(native=native, title=one.name, type=one.offer or "text", filled=share)
        if self.tempo_token:
            yield Offer(native=tempo.ACCOUNT, title=tr("Tempo account"), level="hours")
            yield Offer(native=tempo.TEAM, title=tr("Tempo team"), level="person", type="list")

    # ---------- plan ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Sweep once for ids and cut them into slices; later ask only for what changed."""
        before = msgspec.convert(cursors.get("metadata") or {}, Meta)
        fresh = _recent(before.at, ctx.now()) and before.settings == self._settings(ctx) and not ctx.full
        mark = cursors.get("issues") or {}
        marked = not self.own_hours or {"worklogs", "worklogs deleted"} <= cursors.keys()
        increment = marked and mark.get("settings") == self._settings(ctx) and not ctx.full
        if lost := nameless(ctx, self):
            increment, ctx.asked_again = False, ctx.asked_again | lost
        site = self._site(ctx, cloud=before.cloud if fresh else None)
        site.me()  # alone and first: a wrong password is said once, and nobody sees nothing, which looks well
        first(ctx, self)
        meta = before
        if not fresh:
            site.server()
            data = self._metadata(ctx, site, before)
            meta = data.meta
            # a field that somebody chose is another one now: nothing tells which issues have a value of it
            increment = increment and mark.get("kept", {}) == _kept(meta)
            yield Partition(id="metadata", label="projects", data=data)
        if self.worklogs and self.tempo_token:
            if "worklogs" in cursors:
                ctx.report_missing(
                    tr(
                        "hours of Jira are in the store under this source's name: with Tempo's they would "
                        "count twice. Give the source another name in the configuration."
                    )
                )
            else:
                yield from self._tempo_plan(ctx, cursors)
        if increment:
            yield Partition(id="issues", label="changed issues", data=ChangedIssues(meta))
            if not fresh:
                arrivals = Arrivals(meta)
                yield Partition(id="arrivals", label="issues that came", after=("issues",), data=arrivals)
                yield Partition(id="lookups", label="lists", after=("issues",), data=Daily(meta))
            if self.own_hours:
                yield Partition(
                    id="worklogs",
                    label="changed worklogs",
                    after=self._issues_first(),
                    data=ChangedWorklogs(meta),
                )
                yield Partition(
                    id="worklogs deleted",
                    label="deleted worklogs",
                    after=("worklogs",),
                    data=DeletedWorklogs(),
                )
            return
        yield from self._full(ctx, site, meta, cursors)

    def _tempo_plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterator[Partition]:
        """Ask Tempo what changed, and once a day for what its hours do not tell of themselves."""
        told = cursors.get("tempo approvals") or []
        before = msgspec.convert(told, list[Approval])
        mark = cursors.get("tempo days") or {}
        at = mark.get("at", "") if mark.get("fields") == sorted(ctx.fields) else ""
        today, first = ctx.now().date(), self._issues_first()
        if ctx.full or not _recent(at, ctx.now()):
            # at first all hours are read: what was approved of old ones is not told again later
            back = tempo.APPROVALS if ctx.full or not at else timedelta(days=self.tempo_days)
            span = (today - back).isoformat(), today.isoformat()
            approvals = TempoApprovals(*span, before)
            yield Partition(id="tempo approvals", label="approvals", data=approvals)
            start = (today - timedelta(days=self.tempo_days)).isoformat()
            end = (today + timedelta(days=366)).isoformat()
            days = TempoDays(start, end, ctx.full or "tempo" not in cursors, before)
            yield Partition(id="tempo days", label="Tempo worklogs", after=("tempo",), data=days)
            yield Partition(id="tempo plans", label="plans", after=first, data=TempoPlans())
            first = (*first, "tempo approvals")
        yield Partition(id="tempo", label="Tempo worklogs", after=first, data=Tempo(before))

    def _issues_first(self) -> tuple[str, ...]:
        """Return what hours wait for: those of the whole site are held against the issues that were read."""
        return () if self._scope() == EVERYTHING else ("issues",)

    def _full(self, ctx: Context, site: Site, meta: Meta, cursors: Mapping[str, Any]) -> Iterator[Partition]:
        # the marks are taken before anything is read: whatever changes meanwhile is found by the next run
        clock = wire.millis(site.server().server_time or "1970-01-01T00:00:00Z")
        newest = site.newest(self._scope(), ("updated",))
        mark = newest.stamp("updated") if newest else 0
        ids = self._ids(ctx, site, self._scope())
        if not ids:
            site.me(again=True)  # is it really empty, or did the token end meanwhile?
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
        yield Partition(id="lookups", label="mark", after=done, data=Learned(meta))
        # last: a run that finds this mark knows that everything before it is there
        yield Partition(
            id="issues",
            label="mark",
            after=done,
            data=Mark({"updated": mark, "seen": {}, "settings": self._settings(ctx), "kept": _kept(meta)}),
        )

    def _metadata(self, ctx: Context, site: Site, before: Meta) -> Projects:
        fields, types, browsed = together(
            lambda: self._defs(ctx),
            lambda: site.metadata.listed("issuetype", list[wire.Kind]),
            site.projects,
        )
        projects = self._named(browsed, set(before.known))
        seen = {one.id for one in projects if not (one.archived or one.deleted)}
        # one that can be seen and is not named any more is beyond the scope: it never becomes hidden
        known = set(before.known) - {one.id for one in browsed} | {one.id for one in projects}
        for key in self.projects:
            if key not in {one.key for one in projects} and not before.at:
                raise SourceDataError(
                    tr(
                        "The project {key} does not exist, or this account may not browse it: correct "
                        "projects, or give the right.",
                        key=key,
                    )
                )
        bindings = bind(fields, self.fields, self.history, ctx.fields)
        for words in sorted(ctx.fields):
            if words not in bindings.kept and not self._kept_anyway(words):
                ctx.note(
                    tr("fields.csv asks for the field {words}, which the site does not have.", words=words)
                )
        meta = Meta(
            at=site.ctx.now().isoformat(timespec="seconds"),
            settings=self._settings(ctx),
            cloud=site.cloud,
            bindings=bindings,
            levels={one.id: _level(one) for one in types},
            projects=tuple(projects),
            known=tuple(sorted(known)),
            seen=tuple(sorted(seen)),
            came=tuple(sorted(seen - set(before.seen))),
        )
        return Projects(meta, tuple(sorted({one.id for one in browsed} - {one.id for one in projects})))

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one partition."""
        match partition.data:
            case Mark(mark):
                yield Batch(cursor=mark)
            case Projects(meta, beyond):
                yield self._projects(self._mapper(ctx, meta), meta, census.beyond(ctx, self, beyond))
            case Slice(meta, ids):
                yield from self._slice(ctx, meta, ids)
            case CutLists(meta):
                yield from self._cut(ctx, meta)
            case Learned(meta):
                yield Batch(cursor=self._mapper(ctx, meta).seen)
            case Daily(meta):
                yield from daily.read(ctx, self, self._parts(ctx, meta), meta, self._visible(), cursor or {})
            case Arrivals(meta):
                yield from self._arrivals(ctx, meta)
            case ChangedIssues(meta):
                yield from self._changed(ctx, meta, cursor)
            case ChangedWorklogs(meta):
                yield from self._changed_logs(ctx, self._parts(ctx, meta), cursor)
            case DeletedWorklogs(since):
                yield from self._deleted_logs(ctx, since or cursor)
            case Tempo(approvals):
                told = ctx.shared("approvals", list) or approvals
                yield from self._tempo(ctx).changed(cursor, told)
            case TempoApprovals(since, until, before):
                yield from self._tempo(ctx).approvals(since, until, before)
            case TempoDays(since, until, read, approvals):
                mark = {"at": ctx.now().isoformat(timespec="seconds"), "fields": sorted(ctx.fields)}
                told = ctx.shared("approvals", list) or approvals
                yield from [Batch(cursor=mark)] if read else self._tempo(ctx).days(since, until, told, mark)
            case TempoPlans():
                yield from self._tempo(ctx).plans(ctx.now().date(), None)

    def _projects(self, mapper: mapping.Mapper, meta: Meta, beyond: Iterable[Gone]) -> Batch:
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
            gone=(*away, *beyond),
            cursor=msgspec.to_builtins(msgspec.structs.replace(meta, projects=())),
        )

    def _slice(self, ctx: Context, meta: Meta, ids: list[str]) -> Iterator[Batch]:
        site, parts = self._site(ctx), self._parts(ctx, meta)
        names = self._names(meta.bindings, worklog=self.own_hours)
        lost = ctx.shared("cut", Cut)

        def make(issue: wire.Issue) -> Iterator[Record | Gone]:
            fields = parts.fields(issue)
            yield from parts.whole(issue, fields)
            if self.history:
                if not issue.told_history:
                    raise SourceDataError(
                        tr("The issue {key} came without its history, which was asked for.", key=issue.key)
                    )
                history = parts.changelog(issue.changelog)
                yield from parts.changes(issue.id, history.histories)
                if site.cloud and parts.cut(history):
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
            found = site.issues(ids[start : start + site.slice], names, history=bool(self.history))
            yield from batches(parts.issues(found, make))

    def _arrivals(self, ctx: Context, meta: Meta) -> Iterator[Batch]:
        """Read the issues in scope that no stamp tells of: they came back, or may be seen by now.

        The census of this run has the same ids.
        """
        known = census.standing(ctx, self)
        came = {self.row_id(f"p{one}") for one in meta.came}
        met: set[str] = ctx.shared("met", set)
        ids = [
            one
            for one in self._ids(ctx, self._site(ctx), self._scope())
            if one not in met
            and self.row_id(one) not in ctx.again
            and ((state := known.get(one)) is None or state[0] in census.UNREAD or state[1] in came)
        ]
        if ids:
            yield from self._slice(ctx, meta, ids)
            yield from self._cut(ctx, meta, feeds=False)

    def _cut(self, ctx: Context, meta: Meta, *, feeds: bool = True) -> Iterator[Batch]:
        """Read the lists that Jira cut.

        Histories come in bulk, worklogs per issue or, where it *feeds*, by the feed of the site, whichever
        costs less.
        """
        site, parts = self._site(ctx), self._parts(ctx, meta)
        lost = ctx.shared("cut", Cut)
        yield parts.renamed_links()
        histories = lost.take("histories")
        yield from self._histories(site, parts, histories)
        issues = lost.take("worklogs")
        # the feed tells every worklog of the site: its cost is known only when the whole site is in scope
        by_feed = 2 * -(-lost.worklogs // FEED) if feeds and self._scope() == EVERYTHING else None
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
        yield from self._all_logs(site, parts, issues, {})

    def _histories(self, site: Site, parts: Parts, issues: list[str]) -> Iterator[Batch]:
        """Read histories that came cut; what has no field of its own passes no filter by fields."""
        bindings = parts.mapper.bindings
        fields = () if bindings.nameless else tuple(bindings.words)
        for start in range(0, len(issues), CHANGELOG_ISSUES):
            found = site.histories(issues[start : start + CHANGELOG_ISSUES], fields)
            yield from batches(one for issue, lines in found for one in parts.changes(issue, lines))

    def _all_logs(
        self, site: Site, parts: Parts, issues: Iterable[str], unseen: dict[str, tuple[int, int]]
    ) -> Iterator[Batch]:
        """Read the hours of issues one by one; of some Jira counts more than it shows to this account."""
        for issue in issues:
            logs, total = site.worklogs_of(issue)
            yield Batch(records=list(parts.logs(logs, issue)))
            if len(logs) < total:
                unseen[issue] = (total, len(logs))
        if unseen:
            issue, (total, came) = next(iter(unseen.items()))
            parts.ctx.reject(
                tr("hours of {count} issues", count=len(unseen)),
                tr(
                    "Jira counts more worklogs than this account may see, such as {total} and {came} of "
                    "issue {issue}",
                    total=total, came=came, issue=issue,
                ),
                key="unseen worklogs", record=Worklog,
            )  # fmt: skip
            parts.ctx.tally(Tally(seen=1, taken=0))

    def _changed(self, ctx: Context, meta: Meta, cursor: dict[str, Any]) -> Iterator[Batch]:
        """Read issues changed since the mark and a little before.

        The history is read only of those that were not seen at that stamp.
        """
        site, parts = self._site(ctx), self._parts(ctx, meta)
        names = self._names(meta.bindings, worklog=False)
        mark, before = int(cursor["updated"]), dict(cursor["seen"])
        seen: dict[str, int] = {}
        news: list[str] = []
        arrived: list[str] = []
        met: set[str] = ctx.shared("met", set)
        history = bool(self.history)

        def make(issue: wire.Issue) -> Iterator[Record | Gone]:
            met.add(issue.id)
            fields = parts.fields(issue)
            seen[issue.id] = at = wire.millis(fields.updated)
            lacked = self.row_id(issue.id) in ctx.again
            if before.get(issue.id) == at and not lacked:
                return
            # no feed brings hours of before the mark: of an issue that was not taken, moved here, or shown
            old = lacked or wire.millis(fields.created) < mark - OVERLAP_MS
            if fields.spent and old and not parts.knows(issue.id):
                arrived.append(issue.id)
            yield from parts.whole(issue, fields)
            told = parts.changelog(issue.changelog) if issue.told_history else None
            if told:
                yield from parts.changes(issue.id, told.histories)
            if site.cloud and (told is None or parts.cut(told)):
                news.append(issue.id)

        for page in site.changed(self._scope(), max(0, mark - OVERLAP_MS), names, history=history):
            yield from batches(parts.issues(page, make))
        again = sorted(parts.again("") - seen.keys(), key=int)
        for start in range(0, len(again), site.slice):
            page = site.issues(again[start : start + site.slice], names, history=history)
            yield from batches(parts.issues(page, make))
        if history:
            yield from self._histories(site, parts, news)
        if self.own_hours:
            yield from self._all_logs(site, parts, arrived, {})
        mark = max([mark, *seen.values()])
        yield Batch(
            cursor={
                "updated": mark,
                "seen": {one: at for one, at in seen.items() if at >= mark - OVERLAP_MS},
                "settings": self._settings(ctx),
                "kept": _kept(meta),
            }
        )

    def _changed_logs(self, ctx: Context, parts: Parts, cursor: dict[str, Any]) -> Iterator[Batch]:
        """Read worklogs changed since the mark and a little before.

        Bodies are read only of those not seen at that stamp.
        """
        site = self._site(ctx)
        mark, before = int(cursor["updated"]), dict(cursor.get("seen", {}))
        seen: dict[str, int] = {}
        foreign: set[str] = set()
        wanted: dict[int, None] = dict.fromkeys(map(int, parts.again("w")))
        for page in site.feed("updated", max(0, mark - OVERLAP_MS)):
            for one in page:
                seen[str(one.worklog_id)] = one.updated_time
                if before.get(str(one.worklog_id)) != one.updated_time:
                    wanted[one.worklog_id] = None
            if len(wanted) >= FEED:
                yield self._logs(site, parts, wanted, foreign)
                wanted.clear()
        if wanted:
            yield self._logs(site, parts, wanted, foreign)
        mark = max([mark, *seen.values()])
        yield Batch(
            cursor={
                "updated": mark,
                "seen": {
                    one: at
                    for one, at in seen.items()
                    if at >= mark - OVERLAP_MS and self.row_id(f"w{one}") not in foreign
                },
            }
        )

    def _logs(self, site: Site, parts: Parts, wanted: Iterable[int], foreign: set[str]) -> Batch:
        records: list[Record] = []
        issues: dict[str, str] = {}
        for page in site.worklogs(wanted):
            records += parts.logs(page, owners=issues)
        if self._scope() == EVERYTHING:
            return Batch(records=records)
        # the feed is of the whole site, and what JQL does with the ids of others is not the same everywhere:
        # an issue in scope was read, and is in the store
        mine = {one for one in issues.values() if parts.knows(one, now=True)}
        # looked at again as long as the feed tells them: their issue may not be in the index yet
        foreign |= {one for one, issue in issues.items() if issue not in mine}
        return Batch(records=[one for one in records if one.id not in foreign])

    def _tempo(self, ctx: Context) -> tempo.Timesheets:
        assert self.tempo_token is not None
        known = None if self._scope() == EVERYTHING else ctx.known_ids(Task, self.row_id(""))
        return tempo.Timesheets(
            ctx, self, self.tempo_url, self.tempo_token, people=self.worklog_people, known=known
        )

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

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        """Compare the ids that exist with those known, project by project.

        A project that cannot be seen any more is hidden.
        """
        site = self._site(ctx)
        seen = {one.id: one for one in site.projects()}
        met = set(msgspec.convert(cursors.get("metadata") or {}, Meta).known)
        wanted = {
            one.id: one
            for one in self._named(sorted(seen.values(), key=lambda one: one.id), met)
            if not (one.archived or one.deleted)
        }
        away = sorted(met - seen.keys())
        keys = [one.key for one in wanted.values()]
        everything = (
            f"project in ({', '.join(sorted(keys, key=self._order))})" if self.projects else EVERYTHING
        )
        jql = f"{everything} AND ({self.jql})" if self.jql else everything
        swept = set(self._ids(ctx, site, jql)) if wanted else set()
        known = census.standing(ctx, self)
        lacking = census.lacking(self, known, wanted, swept)
        if away or lacking:
            site.me(again=True)  # nobody sees nothing: that proves nothing
        yield from census.judge(
            ctx, self, site, wanted, known=known, swept=swept, lacking=lacking, narrow=bool(self.projects),
            unmet=(lambda: set(self._ids(ctx, site, everything))) if self.jql else None,
        )  # fmt: skip
        for lost in away:
            yield Census(
                record=Task,
                scope=census.within(self, lost),
                ids=frozenset(),
                evidence=tr("its project cannot be browsed any more"),
                readable=False,
            )

    def _named(self, projects: Iterable[wire.Project], met: AbstractSet[str]) -> list[wire.Project]:
        """Return those of *projects* that are in scope.

        Where the settings name one that is not there, one of those *met* before is called otherwise now.
        """
        found = list(projects)
        if not self.projects or not set(self.projects) - {one.key for one in found}:
            return [one for one in found if not self.projects or one.key in self.projects]
        return [one for one in found if one.key in self.projects or one.id in met]

    def _order(self, key: str) -> tuple[int, str]:
        return (self.projects.index(key) if key in self.projects else len(self.projects)), key

    def _ids(self, ctx: Context, site: Site, jql: str) -> list[str]:
        """Sweep once a run: a census after a full reading has its ids already."""
        swept: dict[str, list[str]] = ctx.shared("ids", dict)
        if jql not in swept:
            swept[jql] = site.sweep(jql)
        return swept[jql]


def _bound(fields: list[FieldDef], bindings: Bindings) -> Iterator[Check]:
    """Say which custom fields were found for what."""
    names = {one.id: one.name for one in fields}
    for role, ids in bindings.roles.items():
        shown = [f"{one} ({names.get(one, '?')})" for one in ids]
        more = tr(": of several the first that an issue has counts") if len(ids) > 1 else ""
        yield Check(name=f"fields.{role}", state="ok", detail=tr(", then ").join(shown) + more)
    if not {"sprint", "points"} & bindings.roles.keys():
        detail = tr(
            "no field for sprints or story points was found: where the site has them, say which with "
            'fields = {{ sprint = "customfield_…" }}'
        )
        yield Check(name="fields", state="warning", detail=detail)


def _chosen(fields: list[FieldDef], chosen: Iterable[str]) -> Iterator[Check]:
    """Say which fields of fields.csv the site does not have, and which names are those of several."""
    for words in sorted(chosen):
        try:
            found = field_named(fields, words) is not None
        except ConfigError as exc:
            yield Check(name=words, state="failed", detail=str(exc))
            continue
        if not found:
            yield Check(name=words, state="failed", detail=tr("the site has no field {one}", one=words))


def _kept(meta: Meta) -> dict[str, str]:
    """Return the ids of the fields that fields.csv names, by its words."""
    return {words: field.id for words, field in meta.bindings.kept.items()}


def _level(one: wire.Kind) -> int:
    """Return where a type stands: above the work (1), the work (0), below it (-1)."""
    if one.hierarchy_level is not None:
        return one.hierarchy_level
    return -1 if one.subtask else 1 if one.name == "Epic" else 0


def _recent(at: str, now: datetime) -> bool:
    if not at:
        return False
    age = now - datetime.fromisoformat(at)
    return 0 <= age.total_seconds() < METADATA_HOURS * 3600
