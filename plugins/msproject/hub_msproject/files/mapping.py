"""Turn the rows of one schedule into records; no file and no clock are touched here."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Literal
from zoneinfo import ZoneInfo

import msgspec

from hub import (
    Account,
    Allocation,
    Assignment,
    Baseline,
    Capacity,
    Category,
    Container,
    CustomValue,
    Record,
    Task,
    TaskLink,
    Worklog,
)  # fmt: skip
from hub_msproject.files.fields import spelt
from hub_msproject.files.schedule import (
    DATED,
    AssignmentRow,
    CapacityRow,
    CustomRow,
    Header,
    OddRow,
    ResourceRow,
    Rows,
    Tail,
    TaskRow,
    Uid,
)  # fmt: skip
from hub_msproject.files.workdays import settle

PROVIDES: tuple[type[Record], ...] = (
    Container, Account, Task, Assignment, Baseline, TaskLink, Allocation, Capacity, Worklog,
    CustomValue,
)  # fmt: skip
CHOICE = "pm-hub: baseline"
"""The custom field of a plan that says which of its baselines counts."""
Choice = Literal[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, "last"]
"""A baseline by its number, or the one with the highest number that a plan has."""


class Own(msgspec.Struct):
    """What is assigned to a task itself: to whom first, its work, and what that costs."""

    account: str
    work_s: int = 0
    done_s: int = 0
    left_s: int = 0
    cost: float = 0.0


class Plan:
    """What is known of one plan while its rows stream by; *stats* counts what was read."""

    def __init__(
        self, *, container_id: str, path_name: str, file_name: str, tz: str,
        odd: Callable[[OddRow], None] = lambda _: None, baseline: Choice = 0, code: str | None = None,
    ) -> None:  # fmt: skip
        """Map to records of *container_id*; naive stamps are in the zone *tz*.

        *odd* is told of what cannot be understood, *baseline* is the one that counts. The *code* of the plan
        is the file's name without one.
        """
        self.odd, self.tail = odd, Tail(tasks=0)
        self.id = container_id
        self.path_name = path_name
        self.file_name = file_name
        self.tz = ZoneInfo(tz)
        self.currency: str | None = None
        self.day_s = 8 * 3600
        self.baseline, self.code = baseline, code
        self.tasks: dict[Uid, TaskRow] = {}
        self.resources: dict[Uid | None, str | None] = {}
        """The accounts of resources; none for what is nobody, as material is."""
        self.own: dict[Uid, Own] = {}
        self.late: list[AssignmentRow] = []
        self.is_sure = True
        """Whether all that is assigned is known: what is not assigned is nobody's then."""
        self.stats = {"tasks": 0, "assignments": 0, "approximate": 0, "odd parts": 0}

    def records(self, rows: Rows) -> Iterator[Record]:
        """Yield the records of the plan: tasks once their assignments are known, days as they come."""
        for row in rows:
            match row:
                case Header():
                    self.currency = row.currency if re.fullmatch("[A-Z]{3}", row.currency or "") else None
                    yield self._container(row)
                case TaskRow():
                    self.tasks[row.uid] = row
                case ResourceRow():
                    self.resources[row.uid] = self.account_id(row.uid) if row.work else None
                    # tons of cement are nobody, and their quantities no hours
                    if row.work:
                        yield self.account(row)
                        yield from self._custom(self.account_id(row.uid), row)
                case AssignmentRow():
                    self.stats["assignments"] += row.resource is not None
                    # sections may stand in any order: what is assigned waits for who and what it names; what
                    # nobody does waits for what somebody does
                    if row.task not in self.tasks or row.resource not in self.resources:
                        self.late.append(row)
                    else:
                        yield from self._assign(row)
                case CapacityRow():
                    yield self.capacity(row)
                case OddRow():
                    self.is_sure &= row.kind not in {"resource", "assignment"}
                    self.stats["odd parts"] += row.kind != "task"
                    self.odd(row)
                case Tail():
                    self.tail = row
        for row in self.late:
            if row.task in self.tasks and row.resource in self.resources:
                yield from self._assign(row)
        yield from self._unassigned()
        above = {task.parent for task in self.tasks.values()}
        for task in self.tasks.values():
            if task.summary is None:
                task.summary = task.uid in above
            yield self._task(task, self.own.get(task.uid))
            yield from self._details(task)
        yield from self._chosen_baseline()
        self.stats["tasks"] = len(self.tasks)

    @property
    def inserted(self) -> list[str]:
        """Return the files of plans that stand for rows of this one."""
        return [task.inserted for task in self.tasks.values() if task.inserted]

    def capacity(self, row: CapacityRow) -> Capacity:
        """Return what a resource can work on some weekdays."""
        account = self.account_id(row.resource)
        return Capacity(
            id=f"{account}/k/{row.start}/{row.weekdays}",
            account_id=account,
            container_id=self.id,
            start_on=row.start,
            finish_on=row.finish,
            weekdays=row.weekdays,
            seconds=row.seconds,
            units=row.units,
        )

    def _assign(self, row: AssignmentRow) -> Iterator[Record]:
        """Yield what a resource does on a task, where the resource is a person or stands for one."""
        account = self.resources[row.resource] if row.resource is not None else None
        if account is None:
            return
        own = self.own.setdefault(row.task, Own(account))
        own.work_s += row.work_s
        own.done_s += row.actual_work_s
        own.left_s += row.remaining_work_s or 0
        own.cost += row.cost or 0
        yield self._assignment(row, account)
        yield from self._days(row, account)

    def _unassigned(self) -> Iterator[Record]:
        """Yield the work of tasks that nobody does yet: as its days are, else over the whole task.

        A file keeps a row with work for a task of five days without any work too, so that the task decides.
        """
        shadows: dict[Uid, AssignmentRow] = {}
        for row in self.late:
            unknown = row.resource not in self.resources and (self.is_sure or row.resource is None)
            if unknown and row.task in self.tasks:
                shadows.setdefault(row.task, row)
        for task in self.tasks.values():
            own, shadow = self.own.get(task.uid), shadows.get(task.uid)
            work = shadow.work_s if task.work_s is None and shadow else task.work_s or 0
            lack = work - (own.work_s if own else 0)
            if task.summary or lack <= 0 or (own and own.work_s and not shadow):
                continue
            done = max(0, (task.actual_work_s or 0) - (own.done_s if own else 0))
            if shadow is None:
                yield from self._demand(task, lack, done) if self.is_sure else ()
                continue
            start = (shadow.start or task.start or "")[:10] or None
            shadow.planned, _ = settle(dict(shadow.planned), lack, start)
            shadow.actual, _ = settle(dict(shadow.actual), done, start)
            shadow.work_s, shadow.actual_work_s, shadow.remaining_work_s = lack, done, lack - done
            yield self._assignment(shadow, None)
            yield from self._days(shadow, None)

    def _demand(self, task: TaskRow, work: int, done: int) -> Iterator[Record]:
        id_, start, finish = f"{self._task_id(task.uid)}/demand", _day(task.start), _day(task.finish)
        yield Assignment(
            id=id_, task_id=self._task_id(task.uid), start_on=start, finish_on=finish, planned_s=work,
            actual_s=done, remaining_s=max(0, work - done),
        )  # fmt: skip
        if task.active and (start or finish):
            first = start or finish or ""
            yield Allocation(
                id=f"{id_}/p", task_id=self._task_id(task.uid), container_id=self.id, start_on=first,
                finish_on=max(first, finish or first), seconds=work,
            )  # fmt: skip

    def _assignment(self, row: AssignmentRow, account: str | None) -> Assignment:
        costs = self._costs(cost=row.cost, actual=row.actual_cost, remaining=row.remaining_cost)
        return Assignment(
            id=f"{self.id}/a/{row.uid}",
            task_id=self._task_id(row.task),
            account_id=account,
            units=row.units,
            start_on=_day(row.start),
            finish_on=_day(row.finish),
            planned_s=row.work_s,
            actual_s=row.actual_work_s,
            remaining_s=row.remaining_work_s,
            overtime_s=row.overtime_s,
            cost_minor=costs["cost"],
            actual_cost_minor=costs["actual"],
            remaining_cost_minor=costs["remaining"],
            currency=self.currency if any(costs.values()) else None,
        )

    def _costs(self, **costs: float | None) -> dict[str, int | None]:
        """Return costs in minor units; none of them where nothing costs anything: the plan has no rates."""
        if not any(costs.values()):
            return dict.fromkeys(costs)
        return {name: None if cost is None else round(cost * 100) for name, cost in costs.items()}

    def _chosen_baseline(self) -> Iterator[Record]:
        """Say which baseline counts, where it is not the first one: the chosen one if this plan has it."""
        saved = {base.no for task in self.tasks.values() for base in task.baselines}
        no = max(saved, default=0) if self.baseline == "last" else self.baseline
        if no and no in saved:
            yield CustomValue(id=f"{self.id}/c/baseline", row_id=self.id, field=CHOICE, number=float(no))

    def account_id(self, uid: Uid) -> str:
        """Return the id of a resource: in a file it is the plan's own."""
        return f"{self.id}/r/{uid}"

    def _container(self, row: Header) -> Container:
        self.day_s = row.seconds_per_day or self.day_s
        stem = self.file_name.rpartition(".")[0] or self.file_name
        title = row.title or ""
        generic = not title or title.lower() in {"project", "project1", self.file_name.lower()}
        stem = self.code or stem
        return Container(
            id=self.id,
            kind="plan",
            code=stem,
            name=stem if generic else title,
            url=self.path_name,
            archived=False,
            seconds_per_day=row.seconds_per_day,
            status_on=_day(row.status),
        )

    def account(self, row: ResourceRow) -> Account:
        """Return the account of a resource."""
        return Account(
            id=self.account_id(row.uid),
            display_name=row.name,
            email=row.email,
            login=row.login,
            employee_no=row.code,
            kind="generic" if row.generic else "human",
            active=row.active,
        )

    def _task(self, row: TaskRow, own: Own | None) -> Task:
        estimate, spent, remaining = row.work_s, row.actual_work_s, row.remaining_work_s
        costs = {
            "cost": row.cost, "fixed": row.fixed_cost, "actual": row.actual_cost,
            "remaining": row.remaining_cost,
        }  # fmt: skip
        if row.summary:
            # the work of a summary is a roll-up: its own effort is what is assigned to the summary row itself
            estimate, spent, remaining = (own.work_s, own.done_s, own.left_s) if own else (None, None, None)
            costs = {"cost": (row.fixed_cost or 0) + (own.cost if own else 0), "fixed": row.fixed_cost}
        elif not row.milestone and not estimate and not spent and not (own and own.work_s):
            estimate = spent = remaining = None
        money = self._costs(**costs)
        return Task(
            id=self._task_id(row.uid),
            container_id=self.id,
            parent_id=self._task_id(row.parent) if row.parent is not None else None,
            code=row.row,
            wbs=row.wbs,
            title=row.name or "(sans nom)",
            url=row.url,
            kind="summary" if row.summary else "milestone" if row.milestone else "work",
            is_milestone=row.milestone,
            type_raw="summary" if row.summary else "milestone" if row.milestone else "task",
            status_raw=None if row.active else "inactive",
            priority_raw=row.priority,
            status_native=_status(row),
            assignee_id=own.account if own else None,
            created_at=self._instant(row.created),
            planned_start_on=_day(row.start),
            planned_finish_on=_day(row.finish),
            actual_start_on=_day(row.actual_start),
            actual_finish_on=_day(row.actual_finish),
            due_on=_day(row.deadline),
            percent=row.percent,
            percent_kind=row.percent_kind,  # type: ignore[arg-type]
            estimate_s=estimate,
            spent_s=spent,
            remaining_s=remaining,
            deadline_on=_day(row.deadline),
            constraint_type=row.constraint,
            constraint_on=_day(row.constraint_on) if row.constraint in DATED else None,
            is_critical=row.critical,
            is_manual=row.manual,
            duration_s=row.duration_s,
            total_slack_s=row.total_slack_s,
            free_slack_s=row.free_slack_s,
            cost_minor=money["cost"],
            fixed_cost_minor=money["fixed"],
            actual_cost_minor=money.get("actual"),
            remaining_cost_minor=money.get("remaining"),
            currency=self.currency if any(money.values()) else None,
            notes=row.notes,
        )

    def _details(self, row: TaskRow) -> Iterator[Record]:
        task_id = self._task_id(row.uid)
        for base in row.baselines:
            yield Baseline(
                id=f"{task_id}/b{base.no}",
                task_id=task_id,
                no=base.no,
                start_on=_day(base.start),
                finish_on=_day(base.finish),
                effort_s=None if row.summary else base.work_s,
                cost_minor=round(base.cost * 100) if base.cost is not None and not row.summary else None,
                currency=self.currency if base.cost is not None else None,
            )
        seen: dict[tuple[Uid, str], int] = {}
        for link in row.links:
            no = seen[link.uid, link.type] = seen.get((link.uid, link.type), 0) + 1
            again = f"#{no}" if no > 1 else ""
            yield TaskLink(
                id=f"{self.id}/l/{link.uid}-{row.uid}-{link.type}{again}",
                from_id=self._task_id(link.uid),
                to_id=task_id,
                type=link.type,
                lag_s=link.lag_s,
            )
        yield from self._custom(task_id, row)

    def _custom(self, row_id: str, row: TaskRow | ResourceRow) -> Iterator[CustomValue]:
        found: dict[str, list[CustomRow]] = {}
        for value in row.custom:
            if value not in found.setdefault(value.field, []):
                found[value.field].append(value)
        for field, values in found.items():
            # a duration is in days of the plan, as Project shows it, whatever length they have
            values = [self._in_days(one) if one.hours else one for one in values]
            alone = values[0] if len(values) == 1 else None
            yield CustomValue(
                id=f"{row_id}/c/{field}",
                row_id=row_id,
                field=field,
                # several values of one field are a list, as several fields under one name are
                text=alone.text if alone else ", ".join(sorted(one.text for one in values if one.text)),
                number=alone.number if alone else None,
                day=alone.day if alone else None,
            )

    def _in_days(self, row: CustomRow) -> CustomRow:
        days = (row.number or 0) * 3600 / self.day_s
        return CustomRow(field=row.field, text=spelt(days), number=days)

    def _days(self, row: AssignmentRow, account: str | None) -> Iterator[Record]:
        base = f"{self.id}/a/{row.uid}"
        task_id = self._task_id(row.task)
        # what an inactive task plans is not in the load; what was done on it stays
        for day, seconds in row.planned if self.tasks[row.task].active else ():
            yield Allocation(
                id=f"{base}/p/{day}", account_id=account, task_id=task_id, container_id=self.id, start_on=day,
                finish_on=day, seconds=seconds,
            )  # fmt: skip
        for day, seconds in row.actual:
            yield Worklog(
                id=f"{base}/w/{day}", task_id=task_id, container_id=self.id, account_id=account, day=day,
                seconds=seconds, origin="plan",
            )  # fmt: skip
        if row.approximate and (row.planned or row.actual):
            self.stats["approximate"] += 1
            yield CustomValue(id=f"{base}/c/days", row_id=task_id, field="pm-hub: days", text="approximate")

    def _task_id(self, uid: Uid) -> str:
        return f"{self.id}/t/{uid}"

    def _instant(self, text: str | None) -> str | None:
        if text is None:
            return None
        try:
            local = datetime.fromisoformat(text).replace(tzinfo=self.tz)
        except ValueError:
            return None
        return local.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(text: str | None) -> str | None:
    return text[:10] if text else None


def _status(row: TaskRow) -> Category:
    """Apply the rule for MS Project: inactive, then done, then started.

    The Status field only compares with today.
    """
    if not row.active:
        return "cancelled"
    if row.actual_finish or (row.percent is not None and row.percent >= 100):
        return "done"
    if row.actual_start or row.percent:
        return "in_progress"
    return "todo"
