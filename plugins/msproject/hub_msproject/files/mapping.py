"""Turn the rows of one schedule into records; no file and no clock are touched here."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from hub import (
    Account,
    Allocation,
    Baseline,
    Category,
    Container,
    CustomValue,
    Record,
    Task,
    TaskLink,
    Worklog,
)  # fmt: skip
from hub_msproject.files.schedule import (
    AssignmentRow,
    Header,
    OddRow,
    ResourceRow,
    Rows,
    Tail,
    TaskRow,
    Uid,
)  # fmt: skip

PROVIDES: tuple[type[Record], ...] = (
    Container, Account, Task, Baseline, TaskLink, Allocation, Worklog, CustomValue,
)  # fmt: skip
CHUNK = 2000


class Plan:
    """What is known of one plan while its rows stream by; *stats* counts what was read."""

    def __init__(
        self, *, container_id: str, path_name: str, file_name: str, tz: str,
        odd: Callable[[OddRow], None] = lambda _: None,
    ) -> None:  # fmt: skip
        """Map to records of *container_id*; naive stamps are in the zone *tz*.

        *odd* is told of what cannot be understood.
        """
        self.odd, self.tail = odd, Tail(tasks=0)
        self.id = container_id
        self.path_name = path_name
        self.file_name = file_name
        self.tz = ZoneInfo(tz)
        self.currency: str | None = None
        self.stats = {"tasks": 0, "assignments": 0, "approximate": 0}

    def records(self, rows: Rows) -> Iterator[Record]:
        """Yield the records of the plan: tasks once their assignments are known, days as they come."""
        tasks: dict[Uid, TaskRow] = {}
        people: dict[Uid, str] = {}
        met: set[Uid] = set()
        assigned: dict[Uid, list[int]] = defaultdict(lambda: [0, 0, 0])
        first_resource: dict[Uid, Uid] = {}
        late: list[AssignmentRow] = []

        def assign(row: AssignmentRow) -> Iterator[Record]:
            account = people.get(row.resource) if row.resource is not None else None
            if row.resource is not None and account and row.task in tasks:
                first_resource.setdefault(row.task, row.resource)
                yield from self._days(row, account)

        for row in rows:
            match row:
                case Header():
                    self.currency = row.currency
                    yield self._container(row)
                case TaskRow():
                    tasks[row.uid] = row
                case ResourceRow():
                    met.add(row.uid)
                    yield self.account(row)
                    yield from self._custom(self.account_id(row.uid), row)
                    if row.work:
                        people[row.uid] = self.account_id(row.uid)
                case AssignmentRow():
                    self.stats["assignments"] += row.resource is not None
                    sums = assigned[row.task]
                    sums[0] += row.work_s
                    sums[1] += row.actual_work_s
                    sums[2] += row.remaining_work_s or 0
                    # sections may stand in any order: what is assigned waits for who and what it names
                    if row.task not in tasks or (row.resource is not None and row.resource not in met):
                        late.append(row)
                    else:
                        yield from assign(row)
                case OddRow():
                    self.odd(row)
                case Tail():
                    self.tail = row
        for row in late:
            yield from assign(row)
        above = {task.parent for task in tasks.values()}
        for task in tasks.values():
            if task.summary is None:
                task.summary = task.uid in above
            resource = first_resource.get(task.uid)
            own = assigned.get(task.uid)
            yield self._task(task, people.get(resource) if resource is not None else None, own)
            yield from self._details(task)
        self.stats["tasks"] = len(tasks)

    def account_id(self, uid: Uid) -> str:
        """Return the id of a resource: in a file it is the plan's own."""
        return f"{self.id}/r/{uid}"

    def _container(self, row: Header) -> Container:
        stem = self.file_name.rpartition(".")[0] or self.file_name
        title = row.title or ""
        generic = not title or title.lower() in {"project", "project1", self.file_name.lower()}
        return Container(
            id=self.id,
            kind="plan",
            code=stem,
            name=stem if generic else title,
            url=self.path_name,
            archived=False,
            seconds_per_day=row.seconds_per_day,
        )

    def account(self, row: ResourceRow) -> Account:
        """Return the account of a resource."""
        return Account(
            id=self.account_id(row.uid),
            display_name=row.name,
            email=row.email,
            login=row.login,
            employee_no=row.code,
            kind="generic" if row.generic or not row.work else "human",
            active=row.active,
        )

    def _task(self, row: TaskRow, assignee: str | None, own: list[int] | None) -> Task:
        estimate, spent, remaining = row.work_s, row.actual_work_s, row.remaining_work_s
        if row.summary:
            # the work of a summary is a roll-up: its own effort is what is assigned to the summary row itself
            estimate, spent, remaining = own if own and any(own) else (None, None, None)
        elif not row.milestone and not estimate and not spent and not (own and any(own)):
            estimate = spent = remaining = None
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
            assignee_id=assignee,
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
        for value in row.custom:
            yield CustomValue(
                id=f"{row_id}/c/{value.field}", row_id=row_id, field=value.field, text=value.text,
                number=value.number, day=value.day,
            )  # fmt: skip

    def _days(self, row: AssignmentRow, account: str) -> Iterator[Record]:
        base = f"{self.id}/a/{row.uid}"
        task_id = self._task_id(row.task)
        for day, seconds in row.planned:
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
            yield CustomValue(
                id=f"{base}/c/days",
                row_id=task_id,
                field="pm-hub: days",
                text="approximate",
                number=None,
                day=None,
            )

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
