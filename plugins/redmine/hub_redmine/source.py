"""Redmine as a source: a walk over the ids, and a proof for each row that is gone.

The walk is at first and once a day; between them comes what changed.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

import msgspec

from hub import (
    Batch,
    Census,
    Check,
    ConfigError,
    Context,
    Gone,
    Iteration,
    Offer,
    Partition,
    Record,
    Scope,
    Secret,
    Source,
    SourceDataError,
    SourceForbidden,
    Task,
    TaskLink,
    Worklog,
    field_of,
    mark,
    named,
    tr,
)  # fmt: skip
from hub_redmine import mapping, wire
from hub_redmine.known import Known
from hub_redmine.marks import SAME_SECOND, Stamps, age_of, earlier, marked
from hub_redmine.partitions import Changed, EndOfWalk, Hours, Metadata, Run, Slice, Walk
from hub_redmine.parts import Parts, nameless
from hub_redmine.site import OPTIONAL, PAGE, Site, each

SLICES = 16
SWEEP_HOURS = 24.0
NOT_FOUND = mark("Redmine answers 404 for it")


class RedmineSource(Source, frozen=True, kw_only=True):
    """A Redmine, asked by the API key of an account (My account, API access key).

    *projects* narrows to identifiers, with all projects below them. *types* says the nature of trackers,
    *activities* which are internal work or absence. *fields* binds roles (baseline_start, baseline_finish,
    points, billable) to the names of custom fields, *custom* names those to keep as they are. *history* False
    reads no journals. *worklogs* False reads no hours; *worklog_people* False leaves out who did what. Hours
    are read again where their day is within *hours_days* of the newest, all of them every *hours_sweep_days*.
    """

    kind: ClassVar[str] = "redmine"
    provides: ClassVar[tuple[type[Record], ...]] = mapping.PROVIDES
    asks_again: ClassVar[bool] = True
    asks: ClassVar[tuple[str, ...]] = ("url", "key")

    url: str
    key: Secret | None = None
    projects: tuple[str, ...] = ()
    types: dict[str, mapping.Nature] = msgspec.field(default_factory=dict)
    activities: dict[str, mapping.Kind] = msgspec.field(default_factory=dict)
    fields: dict[mapping.Role, str] = msgspec.field(default_factory=dict)
    custom: tuple[str, ...] = ()
    history: bool = True
    worklogs: bool = True
    worklog_people: bool = True
    hours_days: int = 90
    hours_sweep_days: int = 7

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(
                tr(
                    "The source {name}: url is the address of Redmine, such as https://redmine.example.com.",
                    name=self.name,
                )
            )
        if self.hours_days < 1 or self.hours_sweep_days < 1:
            raise ConfigError(
                tr("The source {name}: hours_days and hours_sweep_days are at least 1.", name=self.name)
            )

    @property
    def address(self) -> str:
        """Return the site."""
        return self.url

    # ---------- what one run shares ----------

    def _site(self, ctx: Context) -> Site:
        return ctx.shared("site", lambda: Site(ctx, self.name, self.url, self.key))

    def _wanted(self, ctx: Context) -> list[wire.Project]:
        """Return the projects in scope that can be read now."""
        found: list[wire.Project] = ctx.shared("projects", lambda: self._site(ctx).projects())
        if not self.projects:
            return found
        inside = {one.id for one in found if one.identifier in self.projects}
        while more := {one.id for one in found if one.parent and one.parent.id in inside} - inside:
            inside |= more
        return [one for one in found if one.id in inside]

    def _narrow(self, projects: Iterable[wire.Project]) -> list[int] | None:
        return [one.id for one in projects] if self.projects else None

    def _kept(self, ctx: Context) -> list[str]:
        """Return the custom fields to keep: those of the settings, and those that fields.csv asks for."""
        return sorted({*self.custom, *ctx.fields})

    def _settings(self, ctx: Context) -> str:
        """Return what decides which rows are read and what they become.

        Another value reads everything anew.
        """
        chosen = [
            self.url,
            self.projects,
            self.types,
            self.activities,
            self.fields,
            self._kept(ctx),
            self.history,
            self.worklog_people,
            self.hours_per_day,
            self.tz,
        ]
        return msgspec.json.encode(chosen, order="sorted").decode()

    def _mapper(self, ctx: Context, meta: mapping.Meta) -> mapping.Mapper:
        return ctx.shared(
            "mapper",
            lambda: mapping.Mapper(
                name=self.name,
                url=self.url,
                meta=meta,
                types=self.types,
                activities=self.activities,
                fields=self.fields,
                custom=self._kept(ctx),
                people=self.worklog_people,
                day_s=round(self.hours_per_day * 3600),
                zone=self.tz,
            ),
        )

    # ---------- check ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, count, say what statuses are taken for, and whether the custom fields are there."""
        site = self._site(ctx)
        me = site.me()
        yield Check(name="account", state="ok", detail=tr("signed in as {login}", login=me.login))
        projects = self._wanted(ctx)
        yield Check(
            name="projects",
            state="ok" if projects else "failed",
            detail=tr("{count} projects can be read", count=len(projects)),
        )
        for name in self.projects:
            if name not in {one.identifier for one in projects}:
                yield Check(
                    name=name,
                    state="failed",
                    detail=tr("no such project, or this account is no member of it"),
                )
        try:
            users, locked = site.users()
            yield Check(
                name="users",
                state="ok",
                detail=tr(
                    "{count} users, {locked} locked or registered only", count=len(users), locked=len(locked)
                ),
            )
        except SourceForbidden:
            detail = tr(
                "only administrators may list users: people come with the names on issues and hours, "
                "without mail addresses"
            )
            yield Check(name="users", state="warning", detail=detail)
        statuses, trackers = site.statuses(), site.trackers()
        first = {status for _, status in _opening(statuses, trackers)}
        words = [
            f"{one.name} {'done' if one.is_closed else 'to do' if one.id in first else 'in progress'}"
            for one in statuses
        ]
        yield Check(
            name="statuses",
            state="ok",
            detail=tr("{words}; statuses.csv says it better", words=", ".join(words)),
        )
        kinds = {one.name.casefold() for one in trackers}
        for unknown in sorted(name for name in self.types if name.casefold() not in kinds):
            yield Check(
                name=f"types.{unknown}",
                state="failed",
                detail=tr(
                    "no such tracker; there are {trackers}", trackers=", ".join(one.name for one in trackers)
                ),
            )
        narrow = self._narrow(projects)
        mapper = self._mapper(ctx, mapping.Meta())
        newest = Parts(ctx, self.name, mapper).issues(site.newest_issues(narrow, relations=True))
        seen = (
            tr(
                "{count} issues, last change {updated_on}",
                count=site.count("issues", narrow),
                updated_on=newest[0].updated_on,
            )
            if newest
            else tr("no issue can be seen")
        )
        yield Check(name="issues", state="ok" if newest else "warning", detail=seen)
        if newest:
            have = {one.name for one in newest[0].custom_fields}
            for name in sorted(
                {*self._kept(ctx), *(value for role, value in self.fields.items() if role != "billable")}
                - have
            ):
                yield Check(
                    name=name,
                    state="warning",
                    detail=tr(
                        "the issue changed last has no such custom field; check its name and its trackers"
                    ),
                )
        if self.worklogs:
            count = site.count("time_entries", narrow)
            yield Check(
                name="hours",
                state="ok" if count else "warning",
                detail=tr("{count} time entries", count=count),
            )

    def offers(self, ctx: Context) -> Iterable[Offer]:
        """Return the custom fields of the issues that changed last.

        The API lists all of them to administrators only.
        """
        newest = Parts(ctx, self.name, self._mapper(ctx, mapping.Meta())).issues(
            self._site(ctx).newest_issues(self._narrow(self._wanted(ctx)), relations=True)
        )
        for name in sorted({one.name for issue in newest for one in issue.custom_fields}):
            yield Offer(native=name)

    # ---------- plan ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Walk over all ids at first, once a day, and when a project comes back.

        Between them ask for what changed.
        """
        before: dict[str, Any] = cursors.get("metadata") or {}
        projects = self._wanted(ctx)
        for name in self.projects:
            if not before and name not in {one.identifier for one in projects}:
                raise SourceDataError(
                    tr(
                        "The project {name} does not exist, or this account is no member of it: correct "
                        "projects, or give the right.",
                        name=name,
                    )
                )
        if not projects:
            ctx.report_missing(tr("this account can read no project"))
        mark, hours = cursors.get("issues") or {}, cursors.get("hours") or {}
        # each mark says for itself what it stands for: it is written last, and a run may have died before it
        known, came = self._stands(ctx, mark, projects)
        walk = (
            not known
            or bool(came)
            or mark["lacking"]
            or bool(nameless(ctx, self.row_id("")))
            or age_of(mark, ctx.now(), "walked") >= timedelta(hours=SWEEP_HOURS)
        )
        lists = tuple(self.row_id(one) for one in ("u", "v", "status ", "tracker "))
        fresh = not walk and "meta" in before and not any(one.startswith(lists) for one in ctx.again)
        fresh = fresh and age_of(before, ctx.now()) < timedelta(hours=SWEEP_HOURS)
        meta = msgspec.convert(before["meta"], mapping.Meta) if fresh else mapping.Meta()
        users: list[wire.User] = []
        locked: set[int] = set()
        versions: list[wire.Version] = []
        lost: list[int] = []
        if not fresh:
            meta, (users, locked), versions = self._metadata(ctx, projects)
            old = set((before.get("meta") or {}).get("versions", [])) - set(meta.versions)
            lost = [native for native, found in each(sorted(old), self._site(ctx).version) if found is None]
        cursor = {
            "at": before["at"] if fresh else ctx.now().isoformat(timespec="seconds"),
            "known": sorted(set(before.get("known", [])) | {one.id for one in projects}),
            "meta": msgspec.to_builtins(meta),
        }
        stands = {"settings": self._settings(ctx), "readable": sorted(one.id for one in projects)}
        run = Run(meta=meta, narrow=self._narrow(projects), stands=stands)
        yield Partition(
            id="metadata",
            label="projects",
            data=Metadata(
                run=run,
                projects=projects,
                users=users,
                locked=locked,
                versions=versions,
                lost=lost,
                cursor=cursor,
            ),
        )
        if not projects:
            return
        if not walk:
            yield Partition(id="issues", label="changed issues", data=Changed(run))
        else:
            yield from self._walk(ctx, run, mark, came, known=known)
        if self.worklogs:
            known, came = self._stands(ctx, hours, projects)
            whole = not known or bool(came) or bool(nameless(ctx, self.row_id("t")))
            yield Partition(id="hours", label="time entries", data=Hours(run, hours, whole))

    def _stands(
        self, ctx: Context, mark: Mapping[str, Any], projects: list[wire.Project]
    ) -> tuple[bool, set[int]]:
        """Say whether a mark is one of these settings, and which projects came since."""
        same = mark.get("settings") == self._settings(ctx) and not ctx.full
        return same, {one.id for one in projects} - set(mark.get("readable", []))

    def _walk(
        self, ctx: Context, run: Run, mark: dict[str, Any], came: set[int], *, known: bool
    ) -> Iterator[Partition]:
        # the mark is taken before anything is read: whatever changes meanwhile is found by the next run
        site = self._site(ctx)
        highest = site.highest_issue(run.narrow)
        size = max(PAGE, -(-highest // SLICES))
        mark_at, now = site.newest_stamp(run.narrow), ctx.now()
        walk = Walk(
            run=run,
            came=came,
            mark=mark if known else {},
            known=Known(mark.get("ids")),
            known_links=Known(mark.get("links")),
            seen=ctx.shared("ids", Known),
            links=ctx.shared("links", Known),
            stamps=ctx.shared("stamps", lambda: Stamps(earlier(mark_at))),
        )
        names = []
        for low in range(1, highest + 1, size):
            names.append(f"issues from {low}")
            high = None if low + size > highest else low + size - 1
            yield Partition(id=names[-1], label="issues", estimate=size, data=Slice(walk, low, high))
        # last: a run that finds this mark knows that everything before it is there
        end = EndOfWalk(walk, mark_at, now)
        yield Partition(id="issues", label="mark", after=tuple(names), data=end)

    def _metadata(
        self, ctx: Context, projects: list[wire.Project]
    ) -> tuple[mapping.Meta, tuple[list[wire.User], set[int]], list[wire.Version]]:
        site = self._site(ctx)
        statuses, trackers = site.statuses(), site.trackers()
        try:
            users = site.users()
        except SourceForbidden:  # names come with issues and hours
            users = ([], set())
        versions = [version for one in projects for version in site.versions(one.id)]
        return (
            mapping.Meta(
                statuses={str(one.id): one.name for one in statuses},
                closed=[one.id for one in statuses if one.is_closed],
                opening=_opening(statuses, trackers),
                trackers={str(one.id): one.name for one in trackers},
                users=sorted(one.id for one in users[0]),
                versions=sorted(one.id for one in versions),
            ),
            users,
            versions,
        )

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one partition."""
        match partition.data:
            case Metadata() as data:
                yield self._projects(self._mapper(ctx, data.run.meta), data)
            case Slice() as data:
                yield from self._slice(ctx, self._mapper(ctx, data.walk.run.meta), data)
            case EndOfWalk() as data:
                yield from self._end_of_walk(ctx, self._mapper(ctx, data.walk.run.meta), data)
            case Changed(run):
                yield from self._changed(ctx, self._mapper(ctx, run.meta), run, cursor)
            case Hours() as data:
                yield from self._hours(ctx, self._mapper(ctx, data.run.meta), data)

    def _projects(self, mapper: mapping.Mapper, data: Metadata) -> Batch:
        records: list[Record] = [mapper.project(one) for one in data.projects]
        records += [mapper.user(one, active=one.id not in data.locked) for one in data.users]
        records += [record for one in data.versions for record in mapper.version(one)]
        gone = tuple(
            self._gone(*one)
            for native in data.lost
            for one in ((Iteration, f"v{native}"), (Task, f"m{native}"))
        )
        return Batch(records=records, gone=gone, cursor=data.cursor)

    def _slice(self, ctx: Context, mapper: mapping.Mapper, data: Slice) -> Iterator[Batch]:
        """Read a stretch of ids; the history only of what is new to us or changed since the last mark."""
        walk, parts = data.walk, Parts(ctx, self.name, mapper)
        horizon, before = earlier(walk.mark.get("updated", "")), walk.mark.get("seen", {})
        again = set(parts.again(whole=True))
        for rows in self._site(ctx).issues(walk.run.narrow, low=data.low, high=data.high):
            page = parts.issues(parts.met(rows))
            for one in page:
                walk.seen.add(one.id, one.project.id)
                _note_links(walk.links, [one])
            news = [
                one for one in page
                if one.id not in walk.known.where or one.project.id in walk.came or one.id in again
                or (one.updated_on >= horizon and before.get(str(one.id)) != one.updated_on)
            ]  # fmt: skip
            fresh = {one.id for one in news}
            old = [one for one in page if one.id not in fresh]
            walk.stamps.note(old)
            yield self._with_history(ctx, parts, news, list(parts.records(old)), walk.stamps)
        parts.tally()

    def _with_history(
        self,
        ctx: Context,
        parts: Parts,
        news: list[wire.Issue],
        records: list[Record],
        stamps: Stamps,
    ) -> Batch:
        """Read the history of *news* one by one, as Redmine wants it.

        What it then says, its stamp too, is younger than the list.
        """
        stamps.note(news)
        if not self.history:
            return Batch(records=[*records, *parts.records(news)])
        gone: list[Gone] = []
        listed = {one.id: one for one in news}
        for native, found in each(listed, self._site(ctx).issue):
            ctx.raise_if_cancelled()
            if found is None:
                gone.append(self._gone(Task, native))
                parts.left("deleted since the list was made")
            elif isinstance(found, SourceForbidden):  # its project was archived since the list was made
                records.extend(parts.records([listed[native]]))
            else:
                for one, made in parts.with_history(listed[native], found):
                    stamps.note([one])
                    records.extend(made)
        return Batch(records=records, gone=tuple(gone))

    def _end_of_walk(self, ctx: Context, mapper: mapping.Mapper, data: EndOfWalk) -> Iterator[Batch]:
        """Ask about each issue that was there and is not any more; write the mark."""
        walk, run, seen = data.walk, data.walk.run, data.walk.seen
        readable = {str(one.id) for one in self._wanted(ctx)}
        proven, hidden, away = self._lost(walk.known, seen, readable, self._site(ctx).issue)
        seen.where |= {native: walk.known.where[native] for native in hidden + away}
        # a relation comes and goes without a stamp on either issue
        unlinked = []
        for native, found in each(walk.known_links.lost(walk.links).get("0", []), self._site(ctx).relation):
            if found is None:
                unlinked.append(self._gone(TaskLink, f"r{native}"))
            else:
                walk.links.add(native, 0)
        ctx.shared("done", set[str]).add("walk")
        wanted = {*self._kept(ctx), *(name for role, name in self.fields.items() if role != "billable")}
        lacking = bool(seen.where) and self._told(ctx, "issues", mapper.met, wanted, run.narrow)
        yield Batch(
            gone=(
                *(self._gone(Task, one) for one in proven),
                *(self._gone(Task, one, hidden=True) for one in hidden),
                *unlinked,
            ),
            cursor=marked(data.mark, data.at, {}, walk.stamps.found)
            | {
                "ids": seen.places(),
                "links": walk.links.places(),
                "walked": data.at.isoformat(),
                "lacking": lacking,
            }
            | run.stands,
        )

    def _lost(
        self, known: Known, seen: Known, readable: set[str], ask: Callable[[int], Any]
    ) -> tuple[list[int], list[int], list[int]]:
        """Tell what is lost apart.

        Rows that do not exist any more, rows of readable projects that are not for us, rows of other
        projects.
        """
        proven: list[int] = []
        hidden: list[int] = []
        away: list[int] = []
        for project, natives in known.lost(seen).items():
            if project not in readable:
                away += natives
                continue
            for native, found in each(natives, ask):
                # one that answers now was moved or shown again while it was looked for: the next run reads it
                (proven if found is None else hidden if isinstance(found, SourceForbidden) else away).append(
                    native
                )
        return proven, hidden, away

    def _gone(self, record: type[Record], native: object, *, hidden: bool = False) -> Gone:
        evidence = (
            tr("Redmine answers 403 for it, in a project that can be read") if hidden else tr(NOT_FOUND)
        )
        return Gone(
            record=record,
            id=self.row_id(native),
            presence="hidden" if hidden else "deleted",
            evidence=evidence,
        )

    def _changed(
        self, ctx: Context, mapper: mapping.Mapper, run: Run, cursor: dict[str, Any]
    ) -> Iterator[Batch]:
        """Read issues changed since the mark and a little before.

        The history is read only of those that were not seen at that stamp.
        """
        now, mark, before, unsettled = (
            ctx.now(),
            cursor["updated"],
            cursor["seen"],
            cursor.get("unsettled", {}),
        )
        ids, links = Known(cursor.get("ids")), Known(cursor.get("links"))
        stamps, parts, site = Stamps(earlier(mark)), Parts(ctx, self.name, mapper), self._site(ctx)
        again = set(parts.again())
        pages = site.issues(run.narrow, since=earlier(mark) or None)
        alone = (rows for one in sorted(again) for rows in site.issues(run.narrow, low=one, high=one))
        met: set[int] = set()
        for rows in itertools.chain(pages, alone):
            page = parts.issues(parts.met([row for row in rows if field_of(row) not in met]))
            met |= {field_of(row) for row in rows} - {None}
            for one in page:
                ids.add(one.id, one.project.id)
            _note_links(links, page)
            news = [one for one in page if one.id in again or before.get(str(one.id)) != one.updated_on]
            fresh = {one.id for one in news}
            known = [one for one in page if one.id not in fresh]
            parts.taken += len(known)  # the last run took them as they are now
            stamps.note(page)
            yield self._with_history(ctx, parts, news, [], stamps)
        parts.tally()
        mark = max([mark, *stamps.found.values()])
        # two runs that far apart by our clock saw the same stamp: the second it names is over
        settled = now - datetime.fromisoformat(cursor["at"]) >= SAME_SECOND
        done = before | (unsettled if settled else {})
        yield Batch(
            cursor=marked(mark, now, done, stamps.found)
            | {"ids": ids.places(), "links": links.places(), "walked": cursor["walked"], "lacking": False}
            | run.stands
        )

    def _told(
        self, ctx: Context, name: str, met: set[str], wanted: set[str], narrow: list[int] | None
    ) -> bool:
        """Say what no row of a whole reading had; True when all is to be read again next time.

        A custom field of the settings, or a key that now has another name.
        """
        said = [
            tr(
                "{name}: none has a custom field {one!r}: it was renamed, or is for others",
                name=name,
                one=one,
            )
            for one in sorted(wanted - met)
        ]
        for renamed in self._site(ctx).renamed(name, narrow, OPTIONAL[name] - met):
            said.append(
                tr("{name} have {renamed}: the API changed, please report it", name=name, renamed=renamed)
            )
        for one in said:
            ctx.report_missing(one)
        return bool(said)

    # ---------- hours ----------

    def _hours(self, ctx: Context, mapper: mapping.Mapper, data: Hours) -> Iterator[Batch]:
        """Read time entries: those of the last months each time, and all of them once a week.

        Redmine has no filter on their changes.
        """
        site, run, before, now = self._site(ctx), data.run, data.before, ctx.now()
        known = Known(before.get("ids"))
        whole = data.whole or not before or age_of(before, now) >= timedelta(days=self.hours_sweep_days)
        since = "" if whole else before["since"]
        seen, newest, updated = Known(), before.get("made", ""), before.get("updated", "")
        horizon = "" if whole else earlier(updated)
        parts, met = Parts(ctx, self.name, mapper), set[str]()
        again = set(parts.again("t", whole=whole))

        def taken(rows: list[msgspec.Raw]) -> Batch:
            nonlocal newest, updated
            rows = [row for row in rows if named(row) not in met]
            met.update(map(named, rows))
            entries = parts.entries(parts.met(rows))
            news: list[wire.Entry] = []
            for one in entries:
                place = (str(one.project.id), one.spent_on[:7])
                # a move of its issue changes the project without a stamp
                if one.updated_on >= horizon or known.where.get(one.id) != place or one.id in again:
                    news.append(one)
                else:
                    parts.taken += 1  # the last run took it as it is now
                seen.add(one.id, one.project.id, one.spent_on[:7])
            newest = max([newest, *(one.created_on for one in entries)])
            updated = max([updated, *(one.updated_on for one in entries)])
            return Batch(records=list(parts.hours(news)))

        if not whole:  # what was booked lately for days long past
            for rows in site.made_since(run.narrow, earlier(before["made"])):
                yield taken(rows)
        for rows in site.entries(run.narrow, since or None):
            yield taken(rows)
        readable = {str(one) for one in run.stands["readable"]}
        gone: list[int] = []
        hidden: list[int] = []
        lost = known.lost(seen, since=since[:7])
        asked = {native for natives in lost.values() for native in natives}
        lost[""] = sorted(again - asked)
        for project, natives in lost.items():
            if project and project not in readable:
                continue
            for native, found in each([one for one in natives if str(one) not in met], site.entry):
                if found is None:
                    gone.append(native)
                elif isinstance(found, SourceForbidden):
                    hidden.append(native)
                    if project:
                        known.add(
                            native, int(project)
                        )  # outside the months: asked for again when all are read
                else:  # its day is another one, before the window
                    yield taken([found])
        known.drop(gone)
        known.where |= seen.where
        wanted = {self.fields["billable"]} if "billable" in self.fields else set()
        lacking = (
            whole and bool(seen.where) and self._told(ctx, "time_entries", mapper.met, wanted, run.narrow)
        )
        parts.tally()
        yield Batch(
            gone=tuple(self._gone(Worklog, f"t{one}") for one in gone)
            + tuple(self._gone(Worklog, f"t{one}", hidden=True) for one in hidden),
            cursor={
                **run.stands,
                "at": "" if lacking else now.isoformat() if whole else before["at"],
                "made": newest,
                "updated": updated,
                "since": max(since, self._window(newest)),
                "ids": known.places(),
            },
        )

    def _window(self, newest: str) -> str:
        """Return the first day that is read each time.

        It is of a month, so that what is known by month can be held against it.
        """
        return (
            (date.fromisoformat(newest[:10]) - timedelta(days=self.hours_days)).replace(day=1).isoformat()
            if newest
            else ""
        )

    # ---------- census ----------

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        """Prove which issues are gone where this run has not walked over them.

        Say which projects cannot be read any more.
        """
        site, projects = self._site(ctx), self._wanted(ctx)
        before = cursors.get("metadata") or {}
        readable = {str(one.id) for one in projects}
        if "walk" not in ctx.shared("done", set[str]) and projects:
            known, seen = Known((cursors.get("issues") or {}).get("ids")), Known()
            for page in site.issues(self._narrow(projects)):
                for native in map(field_of, page):
                    if isinstance(native, int):
                        seen.add(native, 0)
            proven, hidden, _ = self._lost(known, seen, readable, site.issue)
            yield from (self._gone(Task, one) for one in proven)
            yield from (self._gone(Task, one, hidden=True) for one in hidden)
        for lost in sorted(set(before.get("known", [])) - {one.id for one in projects}):
            try:
                found = site.project(str(lost))
            except SourceForbidden as exc:
                said = tr("{error} Its project is archived, or closed to this account.", error=exc)
                yield Census(
                    record=Task, scope=self._in(str(lost)), ids=frozenset(), evidence=said, readable=False
                )
                continue
            if found is None:
                for record in (Task, Worklog):
                    yield Census(
                        record=record,
                        scope=self._in(str(lost)),
                        ids=frozenset(),
                        evidence=tr("the project {lost}: {not_found}", lost=lost, not_found=tr(NOT_FOUND)),
                    )

    def _in(self, project: str) -> Scope:
        return Scope(records=(Task, Worklog), container_id=self.row_id(f"p{project}"))


def _opening(statuses: list[wire.Status], trackers: list[wire.Tracker]) -> list[tuple[int, int]]:
    """Return tracker and status of new issues.

    The first status where trackers do not say, as those of old versions.
    """
    first = statuses[0].id if statuses else 0
    return [(one.id, one.default_status.id if one.default_status else first) for one in trackers]


def _note_links(links: Known, issues: Iterable[wire.Issue]) -> None:
    for native in (field_of(row) for one in issues for row in one.relations or ()):
        if isinstance(native, int):
            links.add(native, 0)
