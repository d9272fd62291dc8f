"""Taskworld as a source: the whole walk each time, since its API has no filter on changes.

What is unchanged writes nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, time
from functools import partial
from typing import Any, ClassVar, Literal

import msgspec

from hub import (
    Account,
    Batch,
    Census,
    Check,
    ConfigError,
    Container,
    Context,
    CustomValue,
    Gone,
    HubError,
    Partition,
    Record,
    Scope,
    Secret,
    Source,
    SourceDataError,
    SourceGone,
    Tally,
    Task,
    civil_day,
    is_set,
    renamed,
    tr,
    utc_stamp,
)  # fmt: skip
from hub_taskworld import api
from hub_taskworld.api import REGIONS, Workspace

_RECORDS: tuple[type[Record], ...] = (Container, Account, Task, CustomValue)


STATUSES = frozenset({0, 1, 2})
"""Of tasks, as far as they are documented or were seen: open, unknown, completed."""


class Projects(msgspec.Struct, frozen=True):
    """The list of projects; each project is a partition of its own."""

    projects: list[api.Project]


class TaskworldSource(Source, frozen=True, kw_only=True):
    """A workspace of Taskworld.

    *region* is where the account was created; *url* takes its place for another address. Sign in with *email*
    and *password*, or with a *token* and the *space*. *projects* narrows to titles or ids. The status of a
    task is the title of its list; ``statuses.csv`` says what it means.
    """

    kind: ClassVar[str] = "taskworld"
    provides: ClassVar[tuple[type[Record], ...]] = _RECORDS
    asks: ClassVar[tuple[str, ...]] = ("region", "email", "password")

    region: Literal["us", "asia", "europe"] = "us"
    url: str | None = None
    email: str | None = None
    password: Secret | None = None
    token: Secret | None = None
    space: str | None = None
    projects: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if self.token is None and (self.email is None or self.password is None):
            raise ConfigError(
                tr("The source {name}: give email and password, or token and space.", name=self.name)
            )
        if self.token is not None and self.space is None:
            raise ConfigError(
                tr(
                    "The source {name}: a token needs space, the id that stands in the address of Taskworld.",
                    name=self.name,
                )
            )

    @property
    def address(self) -> str:
        """Return the API's address."""
        return self.url or REGIONS[self.region]

    def _workspace(self, ctx: Context) -> Workspace:
        return ctx.shared(
            "workspace",
            lambda: Workspace(
                ctx,
                self.name,
                self.address,
                email=self.email,
                password=self.password,
                token=self.token,
                space=self.space,
            ),
        )

    def _wanted(self, ctx: Context) -> list[api.Project]:
        found: list[api.Project] = ctx.shared("projects", lambda: self._workspace(ctx).projects())
        if not self.projects:
            return found
        chosen = {name.casefold() for name in self.projects}
        return [one for one in found if one.project_id in self.projects or one.title.casefold() in chosen]

    # ---------- check ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, count, and look at one list for what the documentation leaves open."""
        space = self._workspace(ctx)
        space.sign_in()
        yield Check(name="account", state="ok", detail=tr("signed in"))
        try:
            projects = self._wanted(ctx)
        except SourceDataError as exc:
            yield Check(name="projects", state="failed", detail=str(exc))
            return
        yield Check(
            name="projects",
            state="ok" if projects else "warning",
            detail=tr("{count} {count:project|projects} can be read", count=len(projects)),
        )
        for name in self.projects:
            if name.casefold() not in {
                text.casefold() for one in projects for text in (one.project_id, one.title)
            }:
                yield Check(
                    name=name, state="failed", detail=tr("no such project, or this account is not in it")
                )
        for project in projects[:1]:
            try:
                lists = space.lists(project.project_id)
                rows = [row for column in lists for row in space.tasks(column)]
                tasks = list(
                    ctx.each(rows, lambda row: [msgspec.convert(api.filled(row), api.Task)], place=_native)
                )
            except HubError as exc:
                yield Check(name=project.title, state="failed", detail=str(exc))
                return
            states = ", ".join(str(one) for one in sorted({task.status for task in tasks}))
            yield Check(
                name=project.title,
                state="ok",
                detail=tr(
                    "{lists} {lists:list|lists}, {tasks} {tasks:task|tasks}, statuses {states}",
                    lists=len(lists),
                    tasks=len(tasks),
                    states=states or tr("none"),
                ),
            )
        for _, what in ctx.missing:
            yield Check(name="projects", state="warning", detail=what)
        if strange := sorted(ctx.shared("strange keys", set[str])):
            yield Check(
                name="keys",
                state="warning",
                detail=tr("tasks have keys that are not read: {strange}", strange=", ".join(strange)),
            )

    # ---------- reading ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return the projects, then one partition a project, read whole."""
        projects = self._wanted(ctx)
        if not projects and cursors.get("projects", {}).get("known"):
            raise SourceDataError(
                tr(
                    "Taskworld shows no project any more, where there were some: nothing was taken as "
                    "deleted."
                )
            )
        if not projects:
            ctx.report_missing(tr("this account can read no project"))
        yield Partition(id="projects", label="projects", data=Projects(projects))
        for one in projects:
            yield Partition(
                id=f"project {one.project_id}",
                label=one.title,
                complete=True,
                evidence=tr("absent from the lists of {title}", title=one.title),
                data=one,
                scope=Scope(records=(Task, CustomValue), container_id=self.row_id(f"p{one.project_id}")),
            )

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read the list of projects, or one project."""
        match partition.data:
            case Projects(projects):
                known = set((cursor or {}).get("known", [])) | {one.project_id for one in projects}
                boards: list[Record] = [self._container(one) for one in projects if one.understood]
                yield Batch(records=boards, cursor={"known": sorted(known)})
            case api.Project() as project:
                yield from self._project(ctx, project)

    def _container(self, one: api.Project) -> Container:
        return Container(
            id=self.row_id(f"p{one.project_id}"), kind="board", code=one.title, name=one.title,
            archived=one.is_archived,
        )  # fmt: skip

    def _project(self, ctx: Context, project: api.Project) -> Iterator[Batch]:
        space = self._workspace(ctx)
        told: set[str] = ctx.shared("people", set)
        seen = taken = trashed = 0
        odd: set[int] = set()
        keys: set[str] = set()
        for column in space.lists(project.project_id):
            gone: list[Gone] = []
            met: set[str] = set()

            def make(
                row: Any,
                column: api.Tasklist = column,
                gone: list[Gone] = gone,
                met: set[str] = met,
            ) -> Iterator[Record]:
                nonlocal taken, trashed
                task = msgspec.convert(api.filled(row), api.Task)
                if task.task_id in met:
                    raise SourceDataError(tr("Its list gives it twice, each time another."))
                met.add(task.task_id)
                if task.status not in STATUSES:
                    odd.add(task.status)
                if task.is_deleted:
                    id_ = self.row_id(task.task_id)
                    gone.append(Gone(record=Task, id=id_, presence="trashed", evidence="is_deleted"))
                    trashed += 1
                    return
                for user in (*(member.user_id for member in task.members), task.owner_id):
                    if user and user not in told:
                        told.add(user)
                        yield Account(id=self.row_id(f"u{user}"), display_name=user)
                yield from self._task(task, column, project)
                taken += 1

            rows = space.tasks(column)
            seen += len(rows)
            keys.update(key for row in rows if isinstance(row, dict) for key in row)
            records = ctx.each(
                rows, make, record=Task, key=_native,
                place=partial(_place, project.title, column.title),
                id=lambda row: self.row_id(_native(row)) if _native(row) else None,
            )  # fmt: skip
            yield Batch(records=list(records), gone=tuple(gone))
        skipped = {"in the bin": trashed} if trashed else {}
        ctx.tally(Tally(seen=seen, taken=taken, skipped=skipped, unit="tasks", record=Task))
        if strange := sorted(ctx.shared("strange keys", set[str])):
            ctx.shared("told strange", lambda: _tell(ctx, strange))
        for said in renamed({*api.Task.__struct_fields__} - keys, keys - api.KNOWN) if keys else ():
            ctx.report_missing(
                tr("tasks have {renamed}: the API changed, please report it", renamed=said),
                partition=ctx.partition,
            )
        for number in odd:
            ctx.shared(f"told status {number}", partial(_tell_status, ctx, number))

    def _task(self, task: api.Task, column: api.Tasklist, project: api.Project) -> Iterator[Record]:
        id_ = self.row_id(task.task_id)
        people = sorted(member.user_id for member in task.members if member.is_assignee)
        finished = task.status == 2 or is_set(task.completed_date)
        yield Task(
            id=id_,
            container_id=self.row_id(f"p{project.project_id}"),
            title=task.title,
            kind="work",
            status_raw=column.title,
            status_native="done" if finished else None,
            assignee_id=self.row_id(f"u{people[0]}") if people else None,
            points=task.points,
            planned_start_on=self._picked(task.start_date),
            due_on=self._picked(task.due_date),
            actual_finish_on=civil_day(self._instant(task.completed_date), self.tz),
            resolved_at=self._instant(task.completed_date),
            reporter_id=self.row_id(f"u{task.owner_id}") if task.owner_id else None,
            created_at=self._instant(task.created),
            updated_at=self._instant(task.updated),
        )
        if len(people) > 1:
            yield CustomValue(
                id=f"{id_}/assignees",
                row_id=id_,
                field="assignees",
                text=", ".join(self.row_id(f"u{one}") for one in people),
            )

    def _instant(self, text: str | None) -> str | None:
        return utc_stamp(text, "Taskworld") if is_set(text) else None

    def _picked(self, text: str | None) -> str | None:
        """Return the day that somebody picked.

        What is written as a day or as midnight is that day, whatever the zone; another stamp falls on a day
        in ours.
        """
        stamp = self._instant(text)
        if stamp is None or text is None:
            return None
        if len(text) == len(stamp[:10]) or datetime.fromisoformat(text).time() == time(0):
            return text[:10]
        return civil_day(stamp, self.tz)

    # ---------- census ----------

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census]:
        """Say what became of projects that are not shown any more.

        Whether deleted or closed to this account cannot be told, so they are hidden.
        """
        shown = {one.project_id for one in ctx.shared("projects", lambda: self._workspace(ctx).projects())}
        for lost in sorted(set((cursors.get("projects") or {}).get("known", [])) - shown):
            try:
                self._workspace(ctx).lists(lost)
            except SourceGone as exc:
                yield Census(
                    record=Task,
                    scope=Scope(records=(Task,), container_id=self.row_id(f"p{lost}")),
                    ids=frozenset(),
                    evidence=str(exc),
                    readable=False,
                )


def _native(row: Any) -> str:
    """Return the id that an odd row shows; nothing where it shows none."""
    return api.shown(row, "task_id")


def _place(project: str, column: str, row: Any) -> str:
    return f"{project}, {column}, {_native(row)}"


def _tell(ctx: Context, strange: list[str]) -> bool:
    ctx.note(
        tr(
            "tasks have keys that this connector does not read: {strange}; if they hold what you "
            "need, please report them",
            strange=", ".join(strange),
        )
    )
    return True


def _tell_status(ctx: Context, number: int) -> bool:
    ctx.note(
        tr(
            "tasks have the status {number}, which Taskworld does not document: they count as not completed, "
            "unless statuses.csv says otherwise of their list",
            number=number,
        )
    )
    return True
