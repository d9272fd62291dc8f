"""Redmine as a source: a walk over the ids, and a proof for each row that is gone.

The walk is at first and once a day; between them comes what changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, ClassVar

from hub import Batch, Census, Check, Context, Gone, Offer, Partition, Record, SourceDataError, tr
from hub_redmine import census, checking, hours, issues, mapping, metadata, rights, terms, wire
from hub_redmine.asking import PAGE
from hub_redmine.known import Known, ranges
from hub_redmine.marks import Stamps, age_of, earlier
from hub_redmine.partitions import Changed, EndOfWalk, Hours, Metadata, Run, Slice, Walk
from hub_redmine.parts import Parts, nameless
from hub_redmine.settings import RedmineSettings

SLICES = 16
SWEEP_HOURS = 24.0


class RedmineSource(RedmineSettings, frozen=True, kw_only=True):
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

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, say what the account does not see, count, say what statuses are taken for."""
        return checking.check(ctx, self)

    def offers(self, ctx: Context) -> Iterable[Offer]:
        """Return the custom fields of the issues that changed last, and what the tree of projects says.

        The API lists all of them to administrators only.
        """
        newest = Parts(ctx, self.name, self.mapper(ctx, mapping.Meta())).issues(
            self.site(ctx).newest_issues(self.narrow(self.wanted(ctx)), relations=True)
        )
        for name in sorted({one.name for issue in newest for one in issue.custom_fields}):
            yield Offer(native=name)
        yield Offer(native=terms.PRIVATE, title=tr("private issue"), type="flag")
        yield Offer(native=terms.PARENT, title=tr("project above"), level="project")
        yield Offer(native=terms.PATH, title=tr("path from the project on top"), level="project")

    # ---------- plan ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Walk over all ids at first, once a day, and when a project comes back.

        Between them ask for what changed.
        """
        before: dict[str, Any] = cursors.get("metadata") or {}
        projects = self.wanted(ctx)
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
        mark, spent = cursors.get("issues") or {}, cursors.get("hours") or {}
        # each mark says for itself what it stands for: it is written last, and a run may have died before it
        known, came = self._stands(ctx, mark, projects)
        walk = (
            not known
            or bool(came)
            or mark["lacking"]
            or bool(nameless(ctx, self.row_id("")))
            or age_of(mark, ctx.now(), "walked") >= timedelta(hours=SWEEP_HOURS)
        )
        data = metadata.read(ctx, self, before, projects, walk=walk)
        rights.tell(ctx, self, data.meta.sight)
        yield Partition(id="metadata", label="projects", data=data)
        if not projects:
            return
        stands = {
            "settings": self.fingerprint(ctx),
            "readable": sorted(one.id for one in projects),
            "names": data.meta.names,
            "people": ranges(data.meta.users),
        }
        run = Run(meta=data.meta, narrow=self.narrow(projects), stands=stands, hours=spent)
        if not walk:
            yield Partition(id="issues", label="changed issues", data=Changed(run))
        else:
            yield from self._walk(ctx, run, mark, came, known=known)
        if self.worklogs:
            known, came = self._stands(ctx, spent, projects)
            whole = not known or bool(came) or bool(nameless(ctx, self.row_id("t")))
            whole = whole or bool(metadata.left(ctx, self, spent, run.meta))
            yield Partition(id="hours", label="time entries", data=Hours(run, whole))

    def _stands(
        self, ctx: Context, mark: Mapping[str, Any], projects: list[wire.Project]
    ) -> tuple[bool, set[int]]:
        """Say whether a mark is one of these settings, and which projects came since."""
        same = mark.get("settings") == self.fingerprint(ctx) and not ctx.full
        return same, {one.id for one in projects} - set(mark.get("readable", []))

    def _walk(
        self, ctx: Context, run: Run, mark: dict[str, Any], came: set[int], *, known: bool
    ) -> Iterator[Partition]:
        # the mark is taken before anything is read: whatever changes meanwhile is found by the next run
        site = self.site(ctx)
        highest = site.highest_issue(run.narrow)
        size = max(PAGE, -(-highest // SLICES))
        mark_at, now = site.newest_stamp(run.narrow), ctx.now()
        walk = Walk(
            run=run,
            came=came,
            anew=metadata.rewritten(ctx, self, mark, run.meta),
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

    # ---------- read ----------

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one partition."""
        match partition.data:
            case Metadata() as data:
                yield metadata.batch(self, self.mapper(ctx, data.meta), data)
            case Slice() as data:
                yield from issues.read_slice(ctx, self, self.mapper(ctx, data.walk.run.meta), data)
            case EndOfWalk() as data:
                yield from issues.read_end(ctx, self, self.mapper(ctx, data.walk.run.meta), data)
            case Changed(run):
                yield from issues.read_changed(ctx, self, self.mapper(ctx, run.meta), run, cursor)
            case Hours() as data:
                yield from hours.read_hours(ctx, self, self.mapper(ctx, data.run.meta), data)

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        """Prove which issues are gone where this run has not walked over them.

        Say which projects cannot be read any more.
        """
        return census.take(ctx, self, cursors)
