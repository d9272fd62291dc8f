"""Planner (basic plans) by Microsoft Graph: each plan is read whole, since only a beta tells what changed.

Source: learn.microsoft.com/graph/api/resources/planner-overview. Premium plans are not in it: they are in
Dataverse (`premium`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import msgspec

from hub import (
    Account,
    Batch,
    Category,
    Census,
    Check,
    ConfigError,
    Container,
    Context,
    CustomValue,
    Entra,
    Gone,
    Partition,
    Record,
    Scope,
    SignIn,
    Source,
    SourceDataError,
    SourceForbidden,
    SourceGone,
    SourceUnavailable,
    Tally,
    Task,
    civil_day,
    named,
    tr,
)  # fmt: skip
from hub_msproject.services.odata import Key, Service, Twice, instant_of

GRAPH = "https://graph.microsoft.com"
_AT_ONCE = 1000
"""Ids of one question for people, at most (directoryObject: getByIds)."""
_PRIORITIES = ((1, "urgent"), (4, "important"), (7, "medium"), (10, "low"))


class Group(msgspec.Struct, frozen=True, rename="camel"):
    """A Microsoft 365 group."""

    id: Key
    display_name: str | None = None


class Plan(msgspec.Struct, frozen=True, rename="camel"):
    """A plan."""

    id: Key
    title: str
    created_date_time: str | None = None


class Plans(msgspec.Struct, frozen=True):
    """The list of plans, and the ids of all that were ever seen."""

    plans: list[Plan]
    known: list[str]


class Bucket(msgspec.Struct, frozen=True, rename="camel"):
    """A column of a plan's board."""

    id: Key
    name: str


class Details(msgspec.Struct, frozen=True, rename="camel"):
    """The names of a plan's labels."""

    category_descriptions: dict[str, str | None]


class Assigned(msgspec.Struct, frozen=True, rename="camel"):
    """Since when somebody is on a task."""

    assigned_date_time: str | None


class Creator(msgspec.Struct, frozen=True):
    """Who made a task, as far as it was a person."""

    id: str | None = None


class Creators(msgspec.Struct, frozen=True):
    """Who made a task: a person or an application."""

    user: Creator | None = None


class PlannerTask(msgspec.Struct, frozen=True, rename="camel"):
    """A task; its dates are instants, and there is no stamp of its last change."""

    id: Key
    plan_id: Key
    title: str
    percent_complete: int
    created_date_time: str
    bucket_id: str | None
    start_date_time: str | None
    due_date_time: str | None
    completed_date_time: str | None
    priority: int | None
    assignments: dict[str, Assigned]
    applied_categories: dict[str, bool]
    created_by: Creators | None = None

    @property
    def reporter(self) -> str | None:
        """Return who made it."""
        return self.created_by.user.id if self.created_by and self.created_by.user else None


class User(msgspec.Struct, frozen=True, rename="camel"):
    """A person, as far as the account may see one."""

    id: Key
    display_name: str | None
    mail: str | None
    user_principal_name: str | None
    left: bool = False


class Users(msgspec.Struct, frozen=True):
    """Several people."""

    value: list[User]


class PlannerSource(Source, frozen=True, kw_only=True):
    """Plans of Planner that are not premium.

    *plans* narrows to ids of plans, *groups* to ids of Microsoft 365 groups. With neither, an application
    reads the plans of all groups, a person those shared with them. Permissions: Tasks.Read.All and
    GroupMember.Read.All (an application), Tasks.Read and Group.Read.All (a person); User.ReadBasic.All for
    names.
    """

    kind: ClassVar[str] = "planner"
    provides: ClassVar[tuple[type[Record], ...]] = (Container, Account, Task, CustomValue)

    account: Entra
    plans: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    url: str = GRAPH

    def __post_init__(self) -> None:
        """Check what only a person can mend. Raises `ConfigError`."""
        if not self.url.startswith(("http://", "https://")):
            raise ConfigError(
                tr(
                    "The source {name}: url is the address of Microsoft Graph, such as {graph}.",
                    name=self.name,
                    graph=GRAPH,
                )
            )

    @property
    def address(self) -> str:
        """Return the service."""
        return self.url

    @property
    def signs_in(self) -> tuple[Entra, str]:
        """Return the account, and Graph."""
        return self.account, self.url

    def _graph(self, ctx: Context) -> Service:
        def make() -> Service:
            signed = SignIn.of(ctx, self.account, self.name)
            signed.opens(ctx.http, self.url)
            return Service(ctx, f"{self.url}/v1.0")

        return ctx.shared("graph", make)

    # ---------- which plans ----------

    def _wanted(self, ctx: Context) -> list[Plan]:
        """Return the plans in scope that can be read now."""

        def find() -> dict[str, Plan]:
            twice = Twice(ctx, tr("plans"))
            return {one.id: one for one in self._found(ctx) if twice.met(one.id, msgspec.json.encode(one))}

        found: dict[str, Plan] = ctx.shared("plans", find)
        return list(found.values())

    def _found(self, ctx: Context) -> Iterator[Plan]:
        graph = self._graph(ctx)
        if self.plans:
            for native in self.plans:
                try:
                    yield graph.get(f"planner/plans/{native}", Plan, route="planner/plans/{id}")
                except (SourceGone, SourceForbidden) as exc:
                    if ctx.shared("known", set[str]).isdisjoint({native}):
                        ctx.report_missing(tr("the plan {native}: {error}", native=native, error=exc))
        elif self.groups or self.account.is_application:
            for group in self.groups or [one.id for one in self._all_groups(graph)]:
                try:
                    yield from graph.rows(
                        f"groups/{group}/planner/plans", Plan, route="groups/{id}/planner/plans"
                    )
                except SourceForbidden as exc:
                    ctx.report_missing(tr("the plans of the group {key}: {error}", key=group, error=exc))
                except SourceGone as exc:
                    if group in self.groups:
                        ctx.report_missing(tr("the plans of the group {key}: {error}", key=group, error=exc))
        else:
            yield from graph.rows("me/planner/plans", Plan)

    def _all_groups(self, graph: Service) -> Iterator[Group]:
        params = {"$filter": "groupTypes/any(c:c eq 'Unified')", "$select": "id,displayName", "$top": "999"}
        return graph.rows("groups", Group, params=params)

    # ---------- check ----------

    def check(self, ctx: Context) -> Iterable[Check]:
        """Sign in, count the plans, and look at one of them and at its people."""
        graph = self._graph(ctx)
        plans = self._wanted(ctx)
        yield Check(
            name="account",
            state="ok",
            detail=tr(
                "signed in as an application" if self.account.is_application else "signed in as a person"
            ),
        )
        for _, what in ctx.missing:
            yield Check(name="plans", state="failed", detail=what)
        yield Check(
            name="plans",
            state="ok" if plans else "failed",
            detail=tr(
                "{count} {count:plan|plans} can be read; premium plans are not among them, nor plans "
                "of a roster or of "
                "one person that plans does not name",
                count=len(plans),
            ),
        )
        found = next(filter(None, (self._first_page(graph, one) for one in plans)), None)
        if found is None:
            return
        title, tasks = found
        yield Check(
            name="tasks",
            state="ok",
            detail=tr(
                "{count} {count:task|tasks} on the first page of {title}", count=len(tasks), title=title
            ),
        )
        people = sorted({one for task in tasks for one in task.assignments})
        if people:
            named = any(one.display_name for one in self._users(ctx, people[:1]))
            detail = (
                tr("people have names") if named else tr("people have no names: grant User.ReadBasic.All")
            )
            yield Check(name="people", state="ok" if named else "warning", detail=detail)

    def _first_page(self, graph: Service, plan: Plan) -> tuple[str, list[PlannerTask]] | None:
        """Return the first tasks of a plan; None where it is listed and gone."""
        place = f"planner/plans/{plan.id}/tasks"
        try:
            return plan.title, next(graph.pages(place, PlannerTask, route="planner/plans/{id}/tasks")).value
        except SourceGone:
            return None

    # ---------- plan, read ----------

    def plan(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Partition]:
        """Return the list of plans, and each plan as a complete reading."""
        known = ctx.shared("known", set[str])
        known.update((cursors.get("plans") or {}).get("known", []))
        plans = self._wanted(ctx)
        if not plans:
            ctx.report_missing(
                tr("no plan can be read: check groups and plans, and the permissions of the account.")
            )
        yield Partition(
            id="plans",
            label="plans",
            data=Plans(plans, sorted(known | {one.id for one in plans})),
        )
        for one in plans:
            yield Partition(
                id=f"plan {one.id}",
                label=one.title,
                complete=True,
                scope=Scope(records=(Task, CustomValue), container_id=self.row_id(f"p{one.id}")),
                evidence=tr("absent from its plan"),
                data=one,
            )

    def read(self, ctx: Context, partition: Partition, cursor: Any) -> Iterable[Batch]:
        """Read one plan whole."""
        match partition.data:
            case Plans(known=known):
                yield Batch(cursor={"known": known})
            case Plan() as plan:
                yield from self._read_plan(ctx, plan)

    def _container(self, plan: Plan) -> Container:
        return Container(
            id=self.row_id(f"p{plan.id}"),
            kind="plan",
            name=plan.title,
            seconds_per_day=round(self.hours_per_day * 3600),
        )

    def _read_plan(self, ctx: Context, plan: Plan) -> Iterator[Batch]:
        graph = self._graph(ctx)
        place = f"planner/plans/{plan.id}"
        try:
            columns = {
                one.id: one.name
                for one in graph.rows(f"{place}/buckets", Bucket, route="planner/plans/{id}/buckets")
            }
        except SourceGone:
            yield self._ghost(ctx, plan)
            return
        yield Batch(records=[self._container(plan)])
        labels = graph.get(
            f"{place}/details", Details, route="planner/plans/{id}/details"
        ).category_descriptions
        seen = taken = 0
        twice, unknown = Twice(ctx, plan.title), set[str]()

        def decode(raw: msgspec.Raw) -> PlannerTask:
            task: PlannerTask = graph.decoder(PlannerTask).decode(raw)
            if task.plan_id != plan.id:
                raise SourceDataError(tr("it says that it is of the plan {key}", key=task.plan_id))
            if task.bucket_id and task.bucket_id not in columns:
                unknown.add(task.id)
            return task

        for page in graph.pages(f"{place}/tasks", msgspec.Raw, route="planner/plans/{id}/tasks"):
            rows = [raw for raw in page.value if twice.met(named(raw), bytes(raw))]
            tasks = list(
                ctx.each(
                    rows, lambda raw: [decode(raw)], record=Task, key=named,
                    place=lambda raw: f"{plan.title}, {named(raw)}",
                    id=lambda raw: self.row_id(named(raw)),
                )
            )  # fmt: skip
            records: list[Record] = list(self._people(ctx, tasks))
            records += ctx.each(
                tasks, lambda task: self._task(task, columns, labels), record=Task,
                place=lambda task: f"{plan.title}, {task.id}", key=lambda task: task.id,
                id=lambda task: self.row_id(task.id),
            )  # fmt: skip
            seen += len(rows)
            taken += sum(isinstance(one, Task) for one in records)
            yield Batch(records=records)
        ctx.tally(Tally(seen=seen, taken=taken, unit="tasks", record=Task))
        if unknown:
            ctx.report_missing(
                tr(
                    "{count} {count:task|tasks} of {title} {count:stands|stand} in a column that the plan "
                    "does not show: their status is not known.",
                    count=len(unknown),
                    title=plan.title,
                )
            )
        yield Batch(cursor={})

    def _ghost(self, ctx: Context, plan: Plan) -> Batch:
        """Return the proof that a plan is gone which its group still lists. Raises where it can be opened."""
        try:
            self._graph(ctx).get(f"planner/plans/{plan.id}", Plan, route="planner/plans/{id}")
        except SourceGone:
            ctx.note(tr("the plan {title} is still listed and answers 404: it is gone.", title=plan.title))
            proof = tr("Microsoft Graph answers 404 for it")
            return Batch(
                gone=(Gone(record=Container, id=self.row_id(f"p{plan.id}"), evidence=proof),), cursor={}
            )
        raise SourceUnavailable(
            tr("the plan {title} can be opened, and its columns answer 404: try again.", title=plan.title)
        )

    def _people(self, ctx: Context, tasks: list[PlannerTask]) -> Iterator[Account]:
        """Name the people of some tasks who were not named yet in this run."""
        told = ctx.shared("told", set[str])
        named = {one for task in tasks for one in (*task.assignments, task.reporter) if one}
        new = sorted(named - told)
        for start in range(0, len(new), _AT_ONCE):
            yield from (self._account(one) for one in self._users(ctx, new[start : start + _AT_ONCE]))
        told.update(new)

    def _users(self, ctx: Context, ids: list[str]) -> list[User]:
        try:
            found = (
                self._graph(ctx)
                .post("directoryObjects/getByIds", Users, {"ids": ids, "types": ["user"]})
                .value
            )
        except SourceForbidden:
            ctx.shared("nameless", lambda: _say_nameless(ctx))
            return [User(one, None, None, None) for one in ids]
        # who left the organisation is still named by tasks
        return found + [
            User(one, None, None, None, left=True) for one in sorted(set(ids) - {user.id for user in found})
        ]

    def _account(self, user: User) -> Account:
        return Account(
            id=self.row_id(f"u{user.id}"),
            display_name=user.display_name,
            email=user.mail or user.user_principal_name,
            login=user.user_principal_name,
            active=False if user.left else None,
        )

    def _task(
        self, task: PlannerTask, columns: dict[str, str], labels: dict[str, str | None]
    ) -> Iterator[Record]:
        id_ = self.row_id(task.id)
        people = sorted(
            task.assignments, key=lambda one: (task.assignments[one].assigned_date_time or "", one)
        )
        named = sorted(labels.get(one) or one for one, applied in task.applied_categories.items() if applied)
        yield Task(
            id=id_,
            container_id=self.row_id(f"p{task.plan_id}"),
            title=task.title,
            kind="work",
            status_raw=columns.get(task.bucket_id or ""),
            status_native=_status(task),
            assignee_id=self.row_id(f"u{people[0]}") if people else None,
            percent=float(task.percent_complete),
            priority_raw=next(
                (name for top, name in _PRIORITIES if task.priority is not None and task.priority <= top),
                None,
            ),
            created_at=self._instant(task.created_date_time),
            planned_start_on=self._day(task.start_date_time),
            due_on=self._day(task.due_date_time),
            actual_finish_on=self._day(task.completed_date_time),
            resolved_at=self._instant(task.completed_date_time),
            reporter_id=self.row_id(f"u{task.reporter}") if task.reporter else None,
            labels=" ".join(one.replace(" ", "\u00a0") for one in named) or None,
        )
        if len(people) > 1:
            yield CustomValue(
                id=f"{id_}/assignees",
                row_id=id_,
                field="assignees",
                text=", ".join(self.row_id(f"u{one}") for one in people),
            )

    def _instant(self, text: str | None) -> str | None:
        return instant_of(text, "Microsoft Graph")

    def _day(self, text: str | None) -> str | None:
        return civil_day(self._instant(text), self.tz)

    # ---------- census ----------

    def census(self, ctx: Context, cursors: Mapping[str, Any]) -> Iterable[Census | Gone]:
        """Ask for each plan that is not listed any more.

        404 is a deletion, 403 or another answer is out of sight.
        """
        listed = {one.id for one in self._wanted(ctx)}
        for lost in sorted(set((cursors.get("plans") or {}).get("known", [])) - listed):
            id_ = self.row_id(f"p{lost}")
            try:
                self._graph(ctx).get(f"planner/plans/{lost}", Plan, route="planner/plans/{id}")
            except SourceGone:
                yield Gone(record=Container, id=id_, evidence=tr("Microsoft Graph answers 404 for it"))
            except SourceForbidden as exc:
                yield self._hidden(id_, str(exc))
            else:
                if not ctx.missing:
                    yield self._hidden(id_, tr("it is not among the plans of this source any more"))

    def _hidden(self, id_: str, why: str) -> Census:
        return Census(
            record=Task,
            scope=Scope(records=(Task,), container_id=id_),
            ids=frozenset(),
            evidence=why,
            readable=False,
        )


def _say_nameless(ctx: Context) -> bool:
    ctx.note(tr("people have no names: the account lacks the permission User.ReadBasic.All."))
    return True


def _status(task: PlannerTask) -> Category:
    """Planner knows three states: 0 %, 100 %, and between (plannerTask: percentComplete)."""
    return "done" if task.percent_complete >= 100 else "in_progress" if task.percent_complete > 0 else "todo"
