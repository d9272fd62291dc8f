"""Jira as a source: one sweep of ids and parallel slices at first, then only what changed."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, ClassVar

import msgspec

from hub import (  # fmt: skip
    Batch,
    Census,
    Check,
    ConfigError,
    Container,
    Context,
    Count,
    CustomValue,
    Gone,
    Offer,
    Partition,
    Record,
    Secret,
    Source,
    SourceDataError,
    Tally,
    Task,
    tr,
)
from hub_jira import census, daily, hours, issues, jql, lists, mapping, tempo, wire
from hub_jira.checks import look
from hub_jira.fields import ALWAYS, ROLES, bind
from hub_jira.ids import Ids
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
from hub_jira.parts import Parts, first, nameless, standing
from hub_jira.reading import EVERYTHING, Reading
from hub_jira.site import Access, Deployment, Site, ahead, together
from hub_jira.values import sampled

METADATA_HOURS = 24.0
Start = tuple[int, Iterator[list[str]]]
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
    tempo_days: Count = 90

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

    def _kept_anyway(self, words: str) -> bool:
        """Say whether *words* of fields.csv name what is no field of an issue, or is kept of every one."""
        return words.casefold() in {*ALWAYS, "version", mapping.CATEGORY.casefold()} or (
            self.tempo_token is not None and tempo.knows(words)
        )

    def _visible(self, keys: Collection[str]) -> str:
        """Return the JQL of all that the projects *keys* hold; bounded, as Cloud wants it."""
        return jql.projects(keys) if self.projects else EVERYTHING

    def _scope(self, keys: Collection[str] | None = None) -> str:
        """Return the JQL of what is read; *keys* are the projects that can be asked for, None is all."""
        visible = self._visible(self.projects if keys is None else keys)
        narrower = jql.unsorted(self.jql or "")
        return f"{visible} AND ({narrower})" if narrower else visible

    def _asked(self, ctx: Context, meta: Meta) -> dict[str, str]:
        """Return the projects that can be asked for, by their keys; those that cannot are told, once a run.

        Jira refuses a search that names one it does not show, or finds nothing, for the sake of all others.
        """

        def ask() -> dict[str, str]:
            site = self._site(ctx)
            found = self._named(site.named(self.projects), meta.named)
            if lacking := self._lacking(found, meta.named):  # it may only be called otherwise by now
                found = self._named(site.projects(), meta.named)
                lacking = self._lacking(found, meta.named)
            said = [
                tr(
                    "The project {key} does not exist, or this account may not browse it: correct "
                    "projects, or give the right.",
                    key=key,
                )
                for key in lacking
            ]
            if not found and not meta.at:
                raise SourceDataError(" ".join(said))
            for one in said:
                ctx.report_missing(one)
            live = {one.key: one.id for one in found if not (one.archived or one.deleted)}
            return {key: live[key] for key in sorted(live, key=self._order)}

        return ctx.shared("asked", ask) if self.projects else {}

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

    def _reading(self, ctx: Context, meta: Meta) -> Reading:
        return Reading(
            parts=self._parts(ctx, meta),
            scope=self._scope(self._asked(ctx, meta)),
            hours=self.own_hours,
            history=bool(self.history),
        )

    def _stands(self, ctx: Context, meta: Meta) -> dict[str, Any]:
        """Return what a mark of the issues is of: with anything else they are read anew."""
        kept = {words: field.id for words, field in meta.bindings.kept.items()}
        return {
            "settings": self._settings(ctx),
            "kept": kept,
            "asked": sorted(self._asked(ctx, meta).values()),
        }

    # ---------- check ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, look at the clock, the projects, the custom fields and the number of issues."""
        site = self._site(ctx)
        chosen = [one for one in ctx.fields if not self._kept_anyway(one)]
        yield from look(site, site.fields(), self.fields, self.projects, chosen, self._seen(site))

    def offers(self, ctx: Context) -> Iterable[Offer]:
        """Return the fields to slice by, and how many of the issues that changed last have each.

        One question tells it of every field; a count of all issues would be one for each of hundreds.
        """
        site = self._site(ctx)
        defs = {one.id: one for one in site.fields() if one.offer}
        newest = site.page(self._seen(site), tuple(defs))
        filled = sampled(newest, tuple(defs))
        for native, one in defs.items():
            share = filled[native] / len(newest) if newest else None
            yield Offer(native=native, title=one.name or native, type=one.offer or "text", filled=share)
        if self.tempo_token:
            yield Offer(native=tempo.ACCOUNT, title=tr("Tempo account"), level="hours")
            for what, title in (
                ("name", tr("Name of the Tempo account")),
                ("category", tr("Category of the Tempo account")),
                ("customer", tr("Customer of the Tempo account")),
            ):
                yield Offer(native=f"{tempo.ACCOUNT}.{what}", title=title, level="hours")
            yield Offer(native=tempo.TEAM, title=tr("Tempo team"), level="person", type="list")

    # ---------- plan ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Sweep once for ids and cut them into slices; later ask only for what changed."""
        before = msgspec.convert(cursors.get("metadata") or {}, Meta)
        fresh = _recent(before.at, ctx.now()) and before.settings == self._settings(ctx) and not ctx.full
        fresh = fresh and ctx.refused <= tempo.LISTS
        mark = cursors.get("issues") or {}
        marked = not self.own_hours or {"worklogs", "worklogs deleted"} <= cursors.keys()
        increment = marked and mark.get("settings") == self._settings(ctx) and not ctx.full
        if lost := nameless(ctx, self):
            increment, ctx.asked_again = False, ctx.asked_again | lost
        site = self._site(ctx, cloud=before.cloud if fresh else None)
        # first: a wrong password is said once, and nobody sees nothing, which looks well
        together(site.me, *(() if fresh and increment else (site.server,)))
        first(ctx, self)
        # what the site says of itself does not tell which issues there are, unless projects are named
        start = None if increment or self.projects else ahead(lambda: _start(site, self._scope()))
        data = Projects(before) if fresh else self._metadata(ctx, site, before)
        meta, asked = data.meta, self._asked(ctx, before)
        if not fresh:
            # a field that somebody chose is another one now: nothing tells which issues have a value of it
            increment = increment and mark.get("kept", {}) == self._stands(ctx, meta)["kept"]
            yield Partition(id="metadata", label="projects", data=data)
        if self.projects and not asked:
            return
        if not (self.worklogs and self.tempo_token):
            ctx.not_asked(*tempo.LISTS)
        elif not any(one.casefold().startswith(f"{tempo.ACCOUNT}.".casefold()) for one in ctx.fields):
            ctx.not_asked(tempo.ACCOUNTS)
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
            # what was done in a project while it could not be asked for has stamps of before the mark
            back = set(asked.values()) - set(mark.get("asked", asked.values()))
            if back or not fresh:
                arrivals = Arrivals(meta, tuple(sorted({*meta.came, *back})))
                yield Partition(id="arrivals", label="issues that came", after=("issues",), data=arrivals)
            if not fresh:
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
        yield from self._full(ctx, site, meta, cursors, start or (lambda: _start(site, self._scope(asked))))

    def _tempo_plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterator[Partition]:
        """Ask Tempo what changed, and once a day for what its hours do not tell of themselves."""
        told = cursors.get("tempo approvals") or []
        before = msgspec.convert(told, list[Approval])
        mark = cursors.get("tempo days") or {}
        at = mark.get("at", "") if mark.get("fields") == sorted(ctx.fields) else ""
        today, first = ctx.now().date(), self._issues_first()
        if ctx.full or ctx.refused & tempo.LISTS or not _recent(at, ctx.now()):
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

    def _full(
        self, ctx: Context, site: Site, meta: Meta, cursors: Mapping[str, Any], start: Callable[[], Start]
    ) -> Iterator[Partition]:
        # the marks are taken before any issue is read: whatever changes meanwhile is found by the next run,
        # which reads ten minutes again
        clock = wire.millis(site.server().server_time or "1970-01-01T00:00:00Z")
        mark, pages = start()
        found, names = array("q"), list[str]()
        for page in pages:
            numbers = sorted(map(int, page))
            # the first ones in slices of one request, those of a large site in fewer and longer ones
            size = site.slice * max(1, min(5, len(found) // (128 * site.slice)))
            for at in range(0, len(numbers), size):
                part = Ids(numbers[at : at + size])
                names.append(f"slice {len(names)}")
                yield Partition(id=names[-1], label="issues", estimate=len(part), data=Slice(meta, part))
            found.extend(numbers)
        if not found:
            site.me(again=True)  # is it really empty, or did the token end meanwhile?
        swept: dict[str, Ids] = ctx.shared("ids", dict)
        swept[self._scope(self._asked(ctx, meta))] = Ids(sorted(found))
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
            data=Mark({"updated": mark, "seen": {}, **self._stands(ctx, meta)}),
        )

    def _metadata(self, ctx: Context, site: Site, before: Meta) -> Projects:
        fields, types, browsed = together(site.fields, site.types, site.projects)
        if not fields or not types or not browsed:
            site.me(again=True)  # did the token end meanwhile? to a visitor every list is empty
        projects = self._named(browsed, before.named)
        seen = {one.id for one in projects if not (one.archived or one.deleted)}
        # one that can be seen and is not named any more is beyond the scope: it never becomes hidden
        known = set(before.known) - {one.id for one in browsed} | {one.id for one in projects}
        called = {one.id: one.key for one in projects if one.key in self.projects}
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
            named={one: key for one, key in before.named.items() if key in self.projects} | called,
        )
        return Projects(meta, tuple(sorted({one.id for one in browsed} - {one.id for one in projects})))

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one partition."""
        match partition.data:
            case Mark(mark):
                yield Batch(cursor=mark)
            case Projects(meta, beyond):
                yield self._projects(ctx, meta, census.beyond(ctx, self, beyond))
            case Slice(meta, ids):
                yield from issues.whole(self._reading(ctx, meta), list(ids))
            case CutLists(meta):
                yield from issues.cut(self._reading(ctx, meta))
            case Learned(meta):
                yield Batch(cursor=self._mapper(ctx, meta).seen)
            case Daily(meta):
                visible = self._visible(self._asked(ctx, meta))
                yield from daily.read(ctx, self, self._parts(ctx, meta), meta, visible, cursor or {})
            case Arrivals(meta, came):
                ids = self._ids(ctx, self._site(ctx), self._scope(self._asked(ctx, meta)))
                yield from issues.arrivals(self._reading(ctx, meta), ids, came)
            case ChangedIssues(meta):
                yield from issues.changed(self._reading(ctx, meta), cursor, self._stands(ctx, meta))
            case ChangedWorklogs(meta):
                yield from hours.changed(self._reading(ctx, meta), cursor)
            case DeletedWorklogs(since):
                yield from hours.deleted(self, self._site(ctx), since or cursor)
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

    def _projects(self, ctx: Context, meta: Meta, beyond: Iterable[Gone]) -> Batch:
        mapper = self._mapper(ctx, meta)
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
        kept = ctx.known_ids(CustomValue, self.row_id("p"))
        plain = (f"{self.row_id(f'p{one.id}')}/{mapping.CATEGORY}" for one in live if not one.category)
        said = tr("the project has no category any more")
        bare = tuple(Gone(record=CustomValue, id=one, evidence=said) for one in plain if one in kept)
        return Batch(
            records=[record for one in live for record in mapper.project(one)],
            gone=(*away, *bare, *beyond),
            cursor=msgspec.to_builtins(msgspec.structs.replace(meta, projects=())),
        )

    def _tempo(self, ctx: Context) -> tempo.Timesheets:
        assert self.tempo_token is not None
        known = None if self._scope() == EVERYTHING else ctx.known_ids(Task, self.row_id(""))

        def called(accounts: Iterable[str]) -> Iterator[Record]:
            unnamed = dict.fromkeys(accounts)
            for page in lists.people(self._site(ctx), list(unnamed)):
                for one in page:
                    if one.native:
                        unnamed.pop(one.native, None)
                        yield mapping.account(self.name, one)
            # whom Jira does not show now it is asked for again with all others, once a day
            yield from (mapping.account(self.name, wire.Person(account_id=one)) for one in unnamed)

        return tempo.Timesheets(
            ctx, self, self.tempo_url, self.tempo_token,
            people=self.worklog_people, known=known, called=called,
        )  # fmt: skip

    # ---------- census ----------

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        """Compare the ids that exist with those known, project by project.

        A project that cannot be seen any more is hidden.
        """
        site = self._site(ctx)
        seen = {one.id: one for one in site.projects()}
        meta = msgspec.convert(cursors.get("metadata") or {}, Meta)
        met = set(meta.known)
        wanted = {
            one.id: one
            for one in self._named(sorted(seen.values(), key=lambda one: one.id), meta.named)
            if not (one.archived or one.deleted)
        }
        away = sorted(met - seen.keys())
        keys = sorted((one.key for one in wanted.values()), key=self._order)
        everything, scope = self._visible(keys), self._scope(keys)
        swept = self._ids(ctx, site, scope) if wanted else Ids(())
        known = standing(ctx, self, but=swept)
        lacking = census.lacking(self, known, wanted, swept)
        if away or lacking:
            site.me(again=True)  # nobody sees nothing: that proves nothing
        yield from census.judge(
            ctx, self, site, wanted, known=known, swept=swept, lacking=lacking, narrow=bool(self.projects),
            unmet=(lambda: self._ids(ctx, site, everything)) if scope != everything else None,
        )  # fmt: skip
        for lost in away:
            yield Census(
                record=Task,
                scope=census.within(self, lost),
                ids=frozenset(),
                evidence=tr("its project cannot be browsed any more"),
                readable=False,
            )

    def _named(self, projects: Iterable[wire.Project], named: Mapping[str, str]) -> list[wire.Project]:
        """Return those of *projects* that are in scope.

        *named* are the keys by which the settings named projects that were met before: one whose key is
        not there is called otherwise now.
        """
        found = list(projects)
        if not self.projects:
            return found
        away = set(self.projects) - {one.key for one in found}
        return [one for one in found if one.key in self.projects or named.get(one.id) in away]

    def _lacking(self, found: Iterable[wire.Project], named: Mapping[str, str]) -> list[str]:
        """Return the keys of the settings that none of *found* has, or had."""
        there = {key for one in found for key in (one.key, named.get(one.id))}
        return [key for key in self.projects if key not in there]

    def _seen(self, site: Site) -> str:
        """Return the JQL of what a look at the site may ask for: of projects only those it shows."""
        keys = [one.key for one in self._named(site.projects(), {})]
        return self._scope(keys or None)

    def _order(self, key: str) -> tuple[int, str]:
        return (self.projects.index(key) if key in self.projects else len(self.projects)), key

    def _ids(self, ctx: Context, site: Site, scope: str) -> Ids:
        """Sweep once a run: a census after a full reading has its ids already."""
        swept: dict[str, Ids] = ctx.shared("ids", dict)
        if scope not in swept:
            swept[scope] = Ids.of(chain.from_iterable(site.sweep(scope)))
        return swept[scope]


def _start(site: Site, scope: str) -> Start:
    """Return the stamp of what changed last, and the pages of all ids, of which the first has come."""
    pages = site.sweep(scope)
    # the ids first: they take two questions, and few are asked at once of a host that nobody knows yet
    page, newest = together(lambda: next(pages), lambda: site.newest(scope, ("updated",)))
    return newest.stamp("updated") if newest else 0, chain([page], pages)


def _level(one: wire.Kind) -> int:
    """Return where a type stands: above the work (1), the work (0), below it (-1)."""
    if one.hierarchy_level is not None:
        return one.hierarchy_level
    return -1 if one.subtask else 1 if one.name.casefold() in mapping.EPICS else 0


def _recent(at: str, now: datetime) -> bool:
    if not at:
        return False
    age = now - datetime.fromisoformat(at)
    return 0 <= age.total_seconds() < METADATA_HOURS * 3600
