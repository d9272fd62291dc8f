"""Random stores with all that hours meet: spans, sealed months and what changed in them, prices, fields."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from filling import fill
from placed import World

from hub.errors import ConfigError
from hub.feed import BuildOptions, build
from hub.publish import cuts, periods
from hub.records import (
    Access,
    Account,
    Allocation,
    Assessment,
    Baseline,
    BudgetLine,
    Capacity,
    ChecklistItem,
    Container,
    CustomValue,
    FxRate,
    Iteration,
    Person,
    PersonLink,
    Project,
    ProjectLink,
    Rate,
    Record,
    RegisterItem,
    SiteField,
    SlaCycle,
    SlaGoal,
    Target,
    Task,
    TaskChange,
    TaskLink,
    TaskMatch,
    Worklog,
)
from hub.store import Store

MONTHS = ("2026-01", "2026-02", "2026-03")
FIRST = date(2026, 1, 20)
IDS = (
    "times:w{n}",
    "jira:w{n}",
    "times:w{n}@2026-02-03",
    "times:w{n}@2026-02-03@2026-02-04",
    "times:o'neil {n}",
)


def doomed(mark: Path, wait: float, work: Callable[..., None], *arguments: Any) -> None:
    """Do *work* in a process that is killed after *wait* seconds, done or not, the first time it is asked."""
    if not mark.exists():
        mark.touch()
        timer = threading.Timer(wait, os.kill, (os.getpid(), signal.SIGKILL))
        timer.start()
        work(*arguments)
        timer.join()
    work(*arguments)


class Life:
    """A store that goes on, round by round, as a *seed* has it."""

    def __init__(self, seed: int, store: Store, base: Path) -> None:
        """Draw a portfolio with its first hours."""
        self.rng, self.steps = random.Random(seed), random.Random(-1 - seed)
        self.world = World(seed, store)
        self.store, self.base = store, base
        self.round()

    def day(self) -> str:
        """Return a day that hours are of, some of years that no calendar has."""
        if self.rng.random() < 0.03:
            return self.rng.choice(("1988-05-04", "2127-01-01"))
        return str(FIRST + timedelta(days=self.rng.randint(0, 60)))

    def round(self) -> None:
        """Enter, correct and take back hours and what stands around them."""
        rng = self.rng
        hours: list[Record] = [self.hour(n) for n in rng.sample(range(40), rng.randint(8, 25))]
        plans: list[Record] = [self.plan(n) for n in range(rng.randint(0, 8))]
        fill(
            self.store,
            [Account(id=f"times:a{n}", display_name=f"Who {n}", email=f"w{n}@x.org") for n in range(4)],
            [*hours, *plans, *self.around(), *self.steered()],
        )
        for row in rng.sample(hours, min(3, len(hours))):
            if rng.random() < 0.5:
                self.store.set_presence("worklog", [row.id], "deleted", "a test", run_id=9)

    def hour(self, n: int) -> Worklog:
        rng = self.rng
        day = self.day()
        task = rng.choice([*self.world.tasks, None])
        several = rng.random() < 0.35 and day.startswith("2026")
        return Worklog(
            id=IDS[n % len(IDS)].format(n=n),
            task_id=task.id if task else rng.choice((None, "jira:T-1")),
            container_id=rng.choice([None, None, *(one.id for one in self.world.containers)]),
            account_id=rng.choice((None, *(f"times:a{n}" for n in range(4)))),
            day=day,
            finish_on=str(date.fromisoformat(day) + timedelta(days=rng.choice((0, 1, 3, 20))))
            if several
            else None,
            seconds=rng.choice((-3600, 0, 1, 1800, 25200, 100001)),
            category=rng.choice(("project", "project", "project", "internal", "absence")),
            billable=rng.choice((None, True, False)),
            origin=rng.choice(("timesheet", "timesheet", "timesheet", "plan")),
            approval=rng.choice(("approved", "rejected", "unknown")),
            updated_at=rng.choice((None, "2026-03-01T10:00:00Z")),
        )

    def plan(self, n: int) -> Allocation:
        rng = self.rng
        start = date.fromisoformat(self.day())
        return Allocation(
            id=f"plans:l{n}", account_id=rng.choice((None, "times:a0", "times:a1")),
            task_id=rng.choice((None, *(one.id for one in self.world.tasks))),
            container_id=rng.choice((None, *(one.id for one in self.world.containers))),
            kind=rng.choice(("work", "work", "absence")),
            start_on=str(start), finish_on=str(start + timedelta(days=rng.choice((0, 4, 30, 5000)))),
            seconds=rng.choice((0, 3600, 360001)),
        )  # fmt: skip

    def around(self) -> list[Record]:
        """Return people, rates, money and fields of the site, as they are in this round."""
        rng = self.rng
        rows: list[Record] = [
            Person(id="config:people/1", display_name="Who 0", email="w0@x.org", team="A", role="dev"),
            Person(id="config:people/2", display_name="Who 1", email="w1@x.org", team="B", fte=0.5),
            PersonLink(id="config:l0", account_id="times:a0", person_id="config:people/1", method="mail",
                       score=1.0, state=rng.choice(("accepted", "proposed"))),
            PersonLink(id="config:l1", account_id="times:a1", person_id="config:people/2", method="mail",
                       score=1.0, state="accepted"),
            Capacity(id="times:k0", account_id="times:a2", start_on="2026-01-01", finish_on="2026-03-31",
                     weekdays="1111100", seconds=25200),
            SiteField(id="config:f1", field="phase", level="hours", source="times", native="Phase",
                      fr="Phase", en="Phase"),
            SiteField(id="config:f2", field="km", level="hours", source="times", native="Km", type="number",
                      fr="Km", en="Km"),
            SiteField(id="config:f3", field="lot", level="task", source="jira", native="Lot", fr="Lot",
                      en="Lot"),
            FxRate(id="config:x1", currency="USD", month="2026-02", per_eur=1.1),
        ]  # fmt: skip
        if rng.random() < 0.8:
            rows += [
                Rate(id="config:r1", scope="default", valid_from="2026-01-01",
                     minor_per_day=rng.choice((40000, 43333))),
                Rate(id="config:r2", scope="team", scope_id="B", valid_from="2026-02-01",
                     minor_per_day=51111, currency=rng.choice(("EUR", "USD"))),
            ]  # fmt: skip
        rows += [
            BudgetLine(id=f"config:b{n}", project_code=rng.choice(("INF", "Été", "NONE")),
                       month=rng.choice(MONTHS), kind=rng.choice(("consumed", "baseline", "committed")),
                       category="licence",
                       amount_minor=rng.randint(-9, 99) * 1000, currency=rng.choice(("EUR", "EUR", "USD")))
            for n in range(4)
        ]  # fmt: skip
        rows += [
            CustomValue(id=f"times:v{n}", row_id=IDS[n % len(IDS)].format(n=n),
                        field=rng.choice(("Phase", "km")), text=rng.choice(("Étude", "12", "x")),
                        number=rng.choice((None, 12.5)))
            for n in range(6)
        ]  # fmt: skip
        pair = rng.sample(self.world.tasks, min(2, len(self.world.tasks)))
        if len(pair) == 2:
            rows.append(TaskMatch(id="config:m1", plan_task_id=pair[0].id, exec_task_id=pair[1].id,
                                  method="code", score=1.0, state="accepted"))  # fmt: skip
        return rows

    def steered(self) -> list[Record]:
        """Return a plan with baselines, people, statuses and what a committee asks of it, worked on."""
        rng = self.steps
        days = [str(FIRST + timedelta(days=n)) for n in range(0, 120, 6)]
        tasks = [f"plans:t{n}" for n in range(6)]
        rows: list[Record] = [Container(id="plans:cx", kind="plan", code="EVM", name="Steered")]
        if self.world.projects:
            rows += [
                Project(id="config:EVM", code="EVM", name="Steered", level="project"),
                ProjectLink(id="config:EVM/x", project_code="EVM", container_id="plans:cx", facets=""),
            ]  # fmt: skip
        rows += [
            Iteration(id="plans:s1", container_id="plans:cx", name="S1", state="closed",
                      start_at=f"{days[1]}T08:00:00Z", finish_at=f"{days[4]}T18:00:00Z",
                      completed_at=f"{days[4]}T18:00:00Z"),
            *(
                Task(
                    id=task, container_id="plans:cx", title=f"Step {n}", created_at=f"{days[0]}T08:00:00Z",
                    status_raw="Doing", status_native="in_progress", assignee_id=f"times:a{n % 4}",
                    iteration_id="plans:s1" if n % 2 else None, points=3.0,
                    planned_start_on=days[n], planned_finish_on=days[n + rng.randint(4, 9)],
                    estimate_s=25200 * (5 + n), remaining_s=25200 * rng.randint(1, 5),
                    percent=float(rng.choice((10, 40, 70))), due_on=days[n + 6],
                )
                for n, task in enumerate(tasks)
            ),
            *(
                Baseline(id=f"{task}/b0", task_id=task, start_on=days[n], finish_on=days[n + 3],
                         effort_s=25200 * (4 + n))
                for n, task in enumerate(tasks)
            ),
            *(
                TaskChange(id=f"{task}/c{at}", task_id=task, field="status",
                           from_value="To do" if at else None, to_value="Doing" if at else "To do",
                           at=f"{days[n + at]}T09:00:00Z", author_id="times:a0")
                for n, task in enumerate(tasks)
                for at in (0, 2)
            ),
            *(
                Worklog(id=f"times:x{n}", task_id=tasks[n % 6], account_id=f"times:a{n % 4}",
                        day=days[n % 11], seconds=3600 * rng.randint(1, 9), approval="approved")
                for n in range(24)
            ),
            *(
                Allocation(id=f"plans:x{n}", account_id=f"times:a{n % 4}", task_id=task,
                           start_on=days[n], finish_on=days[n + 5], seconds=25200 * rng.randint(1, 5))
                for n, task in enumerate(tasks)
            ),
            TaskLink(id="plans:k1", from_id=tasks[0], to_id=tasks[1], type="FS"),
            RegisterItem(id="config:r-1", project_code="EVM", kind="risk", title="R", probability=0.4,
                         impact=3, exposure_minor=rng.randint(1, 9) * 10000, opened_on=days[1],
                         due_on=days[9]),
            ChecklistItem(id="config:q-1", project_code="EVM", list="Gate", label="Signed"),
            Assessment(id="config:v-1", project_code="EVM", day=days[6], axis="overall",
                       rag=rng.choice(("green", "amber")), comment="As seen"),
            Target(id="config:g-1", kpi="SPI", measure="spi", goal=1.0, amber=0.95, red=0.9),
            SlaGoal(id="config:o-1", goal_s=86400),
            SlaCycle(id="plans:y1", task_id=tasks[2], name="Answer", metric="resolution", cycle_no=1,
                     start_at=f"{days[2]}T09:00:00Z", stop_at=f"{days[4]}T09:00:00Z"),
            Access(id="config:e-1", user_principal="w0@x.org", project_code="EVM"),
        ]  # fmt: skip
        return rows

    def seal(self) -> None:
        """Seal a month, and post what had changed in those that were."""
        rng = self.rng
        with contextlib.suppress(ConfigError):  # sealed already
            periods.seal(self.store, self.base / "feed", rng.choice(MONTHS), BuildOptions(), actor="me")

    def publish(self) -> None:
        """Post what changed in sealed months, as a publish does."""
        snapshot = build(Path(self.store.where), self.base / "feed", BuildOptions())
        periods.post(self.store, snapshot.late, moment=snapshot.manifest["moment"])

    def cut(self, label: str) -> None:
        """Take a cut, which stays open or is closed."""
        cuts.take(self.store, kind="copil", label=label, actor="me")
        if self.rng.random() < 0.5:
            cuts.close(self.store, self.base / "feed", label, BuildOptions(), actor="me")
