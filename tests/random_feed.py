"""Random feeds for the catalogue: small, dirty, with every edge the rulings speak of."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any

Rows = list[dict[str, Any]]
NATURES = ("build", "anomaly", "evolution", "incident", "unknown")
STATUS = {-1: "unknown", 1: "todo", 2: "in_progress", 3: "done", 4: "cancelled"}


def random_feed(seed: int) -> tuple[dict[str, Rows], date]:
    """Return the tables of a feed with one cut, and its day."""
    feed = _Feed(seed)
    for fill in (
        feed.tasks,
        feed.hours,
        feed.budgets,
        feed.points,
        feed.weeks,
        feed.lists,
        feed.adoption,
        feed.forecasts,
    ):
        fill()
    return feed.t, feed.as_of


class _Feed:
    def __init__(self, seed: int) -> None:
        self.rng = random.Random(seed)
        self.as_of = date(2026, 1, 1) + timedelta(days=self.rng.randint(20, 330))
        self.projects = [-1, 1, 2, 3][: self.rng.randint(2, 4)]
        self.t: dict[str, Rows] = {
            "dim_status": [
                {"status_key": key, "category": name, "sort_order": n}
                for n, (key, name) in enumerate(STATUS.items())
            ],
            "dim_cut": [{"cut_key": 7, "as_of": self.as_of, "kind": "copil", "label": "C", "is_latest": 1}],
            "dim_project": [{"project_key": key, "code": f"P{key}"} for key in self.projects],
            "dim_person": [{"person_key": -1, "person_label": "?", "team": None, "timesheet_expected": 0}]
            + [
                {
                    "person_key": n,
                    "person_label": f"N{n}",
                    "team": self.rng.choice(("A", "B")),
                    "timesheet_expected": int(self.rng.random() < 0.8),
                }
                for n in range(1, 6)
            ],
            "dim_source": [
                {
                    "source_key": n,
                    "name": f"s{n}",
                    "freshness_max_s": self.rng.choice((3600, 86400)),
                    "last_success_at": self.maybe(self.instant(-3, 0), 0.8),
                }
                for n in (1, 2)
            ],
            **{
                name: []
                for name in (
                    "dim_task",
                    "fact_task_snapshot",
                    "fact_worklog",
                    "fact_budget",
                    "dim_iteration",
                    "fact_project_snapshot",
                    "fact_status_interval",
                    "fact_capacity_week",
                    "fact_sla",
                    "fact_register",
                    "fact_checklist",
                    "fact_quality",
                    "fact_adoption",
                    "fact_forecast",
                )
            },
        }

    def day(self, low: int = -120, high: int = 120) -> date:
        return self.as_of + timedelta(days=self.rng.randint(low, high))

    def maybe(self, value: Any, chance: float = 0.75) -> Any:
        return value if self.rng.random() < chance else None

    def instant(self, low: int = -100, high: int = 20) -> datetime:
        return datetime(self.as_of.year, self.as_of.month, self.as_of.day, tzinfo=UTC) + timedelta(
            days=self.rng.randint(low, high), minutes=self.rng.randint(0, 1439)
        )

    def tasks(self) -> None:
        """Add tasks with what a cut says of them, their states and service levels."""
        for key in range(1, self.rng.randint(3, 22)):
            project = self.rng.choice(self.projects)
            kind = self.rng.choice(("work", "work", "work", "milestone", "summary"))
            nature = self.rng.choice(NATURES)
            self.t["dim_task"].append(
                {
                    "task_key": key,
                    "title": f"T{key}",
                    "kind": kind,
                    "nature": nature,
                    "nature_first": self.rng.choice((nature, nature, *NATURES)),
                    "project_key": project,
                    "created_at": self.maybe(self.instant(-200, 10), 0.9),
                    "is_leaf": int(kind != "summary"),
                    "is_deleted": int(self.rng.random() < 0.05),
                }
            )
            start = self.maybe(self.day())
            finish = self.maybe((start or self.day()) + timedelta(days=self.rng.randint(0, 60)), 0.85)
            days = self.maybe(self.rng.choice((0, 1, 2.5, 10)), 0.8)
            self.t["fact_task_snapshot"].append(
                {
                    "cut_key": 7,
                    "task_key": key,
                    "project_key": project,
                    "status_key": self.rng.choice(tuple(STATUS)),
                    "person_key": -1,
                    "iteration_key": -1,
                    "baseline_start": start,
                    "baseline_finish": finish,
                    "planned_finish": self.maybe(self.day()),
                    "actual_finish": self.maybe(self.day(-60, 0), 0.3),
                    "percent": self.maybe(self.rng.choice((0, 40, 100))),
                    "baseline_days": days,
                    "baseline_amount": self.maybe(self.rng.choice((0.0, 550.0, 5500.0)), 0.8),
                    "remaining_days": self.maybe(self.rng.choice((0, 3, 7.5)), 0.9),
                    "remaining_amount": self.maybe(self.rng.choice((0.0, 1650.0)), 0.9),
                    "estimate_days": self.maybe(self.rng.choice((2, 5.5))),
                    "is_effort_counted": int(self.rng.random() < 0.85),
                    "is_baseline_counted": self.rng.choice((0, 1, None)),
                    "reported_days": self.maybe(self.rng.choice((1, 20))),
                    "deadline_slip_days": self.maybe(self.rng.randint(-20, 20), 0.4),
                    "total_slack_days": self.maybe(self.rng.choice((-2.0, 0.0, 4.5, 20.0)), 0.6),
                    "is_critical": self.maybe(self.rng.choice((0, 1)), 0.6),
                    "cost_amount": self.maybe(self.rng.choice((0.0, 1200.0)), 0.5),
                    "actual_cost_amount": self.maybe(300.0, 0.5),
                    "remaining_cost_amount": self.maybe(900.0, 0.5),
                }
            )
            place, entered = 1, self.instant(-90, -30)
            if self.rng.random() < 0.7:
                for _ in range(self.rng.randint(1, 6)):
                    left = entered + timedelta(hours=self.rng.randint(1, 400))
                    self.t["fact_status_interval"].append(
                        {
                            "task_key": key,
                            "seq": place,
                            "project_key": project,
                            "status_key": self.rng.choice((1, 2, 2, 3, 3, 4)),
                            "entered_at": entered,
                            "left_at": left,
                        }
                    )
                    place, entered = place + 1, left
                self.t["fact_status_interval"][-1]["left_at"] = None
            if self.rng.random() < 0.4:
                began = self.instant(-60, 15)
                self.t["fact_sla"].append(
                    {
                        "sla_id": f"s{key}",
                        "task_key": key,
                        "project_key": project,
                        "metric": self.rng.choice(("resolution", "response")),
                        "start_at": began,
                        "stop_at": self.maybe(began + timedelta(hours=self.rng.randint(1, 900)), 0.6),
                        "is_breached": int(self.rng.random() < 0.4),
                    }
                )

    def hours(self) -> None:
        """Add hours."""
        tasks = [-1, *(row["task_key"] for row in self.t["dim_task"])]
        for n in range(self.rng.randint(0, 40)):
            days = self.rng.choice((0.5, 1, 2, -0.5))
            worked = self.day(-100, 15)
            self.t["fact_worklog"].append(
                {
                    "worklog_id": f"w{n}",
                    "work_date": worked,
                    "date_key": int(f"{worked:%Y%m%d}"),
                    "project_key": self.rng.choice(self.projects),
                    "task_key": self.rng.choice(tasks),
                    "person_key": self.rng.choice((-1, 1, 2, 3, 4, 5)),
                    "source_key": 1,
                    "category": self.rng.choice(("project", "project", "internal", "absence")),
                    "is_billable": self.rng.choice((0, 1, None)),
                    "approval": self.rng.choice(("approved", "rejected", "unknown", "draft")),
                    "seconds": int(days * 25200),
                    "days": days,
                    "amount": self.maybe(days * 500.0, 0.9),
                }
            )

    def budgets(self) -> None:
        """Add lines of budgets."""
        for n in range(self.rng.randint(0, 8)):
            self.t["fact_budget"].append(
                {
                    "cut_key": 7,
                    "project_key": self.rng.choice(self.projects),
                    "year_month": f"2026-{n + 1:02d}",
                    "is_capex": 0,
                    "category": self.rng.choice(
                        (
                            "labour",
                            "Main d’œuvre",
                            "MO",
                            "Salaires",
                            "Internal labour",
                            "STAFF",
                            "purchase",
                            "services",
                            "Prestations",
                            "Laboratory",
                        )
                    ),
                    **{
                        f"{kind}_amount": self.maybe(float(self.rng.randint(0, 90) * 100), 0.5)
                        for kind in ("baseline", "revised", "committed", "consumed", "forecast")
                    },
                }
            )

    def points(self) -> None:
        """Add sprints, and points on some days."""
        for n in range(self.rng.randint(0, 5)):
            self.t["dim_iteration"].append(
                {
                    "iteration_key": n + 1,
                    "project_key": self.rng.choice(self.projects[-2:]),
                    "name": f"S{n}",
                    "ordinal": n,
                    "finish_date": self.maybe(self.day(-60, 60), 0.9),
                }
            )
        for offset in self.rng.sample(range(-60, 20), self.rng.randint(0, 5)):
            then = self.as_of + timedelta(days=offset)
            self.t["fact_project_snapshot"].append(
                {
                    "date_key": int(f"{then:%Y%m%d}"),
                    "project_key": self.rng.choice(self.projects),
                    "points_scope": float(self.rng.choice((0, 50, 120))),
                    "points_done": float(self.rng.randint(0, 50)),
                }
            )

    def weeks(self) -> None:
        """Add capacity week by week."""
        for week in range(-3, 4):
            start = self.as_of - timedelta(days=self.as_of.weekday()) + timedelta(weeks=week)
            for person in self.rng.sample(range(1, 6), self.rng.randint(0, 5)):
                months = sorted({f"{start + timedelta(days=n):%Y-%m}" for n in range(7)})
                self.t["fact_capacity_week"] += (
                    {
                        "week_start": start,
                        "year_month": month,
                        "person_key": person,
                        "capacity_s": self.rng.choice((0, 100800, 126000)),
                        "absence_s": self.rng.choice((0, 0, 25200, 126000)),
                        "allocated_s": self.rng.choice((0, 63000, 151200)),
                        "logged_s": self.rng.choice((0, 119700, 126000, 140000)),
                    }
                    for month in months
                )

    def lists(self) -> None:
        """Add risks, checklists and checks of quality."""
        for n in range(self.rng.randint(0, 9)):
            self.t["fact_register"].append(
                {
                    "cut_key": 7,
                    "item_id": f"r{n}",
                    "project_key": self.rng.choice(self.projects),
                    "kind": self.rng.choice(("risk", "risk", "action", "decision")),
                    "title": "x",
                    "state": self.rng.choice(("open", "open", "closed")),
                    "probability": self.maybe(self.rng.choice((0.1, 0.7))),
                    "impact": self.maybe(self.rng.randint(1, 5)),
                    "exposure_amount": self.maybe(float(self.rng.randint(1, 20) * 1000)),
                    "due_date": self.maybe(self.day(-30, 30)),
                }
            )
            self.t["fact_checklist"].append(
                {
                    "cut_key": 7,
                    "item_id": f"c{n}",
                    "project_key": self.rng.choice(self.projects),
                    "list": "M",
                    "is_mandatory": int(self.rng.random() < 0.8),
                    "state": self.rng.choice(("ok", "ok", "nok", "na", "todo")),
                }
            )
            checked = self.rng.choice((0, 4, 10))
            self.t["fact_quality"].append(
                {
                    "cut_key": 7,
                    "project_key": self.rng.choice(self.projects),
                    "source_key": 1,
                    "check_code": f"k{n}",
                    "weight": float(self.rng.randint(1, 3)),
                    "n_checked": checked,
                    "n_failed": self.rng.randint(0, checked),
                }
            )

    def forecasts(self) -> None:
        """Add forecasts of now and of past cuts, some without an end, some whose end is not known."""
        for cut in (7, 1, 2, 3):
            made = self.as_of if cut == 7 else self.day(-300, -30)
            for project in self.projects[1:]:
                if self.rng.random() < 0.2:
                    continue
                days = [self.rng.randint(1, 200) for _ in range(3)]
                low, middle, high = sorted(days)
                ended = int(self.rng.random() < 0.5)
                endless = self.rng.random() < 0.15
                self.t["fact_forecast"].append({
                    "cut_key": cut, "project_key": project, "topic": "finish", "as_of": made,
                    "method": self.rng.choice(("flow", "plan", "blend")),
                    "p50_date": None if endless else made + timedelta(days=low),
                    "p80_date": None if endless else made + timedelta(days=middle),
                    "p95_date": self.maybe(made + timedelta(days=high)) if not endless else None,
                    "target_date": self.maybe(self.day()), "limit_date": self.maybe(self.day()),
                    "actual_date": min(self.as_of, made + timedelta(days=self.rng.choice(days)))
                    if ended else self.as_of,
                    "chance_target": self.maybe(self.rng.randint(0, 100) / 100),
                    "chance_limit": self.maybe(self.rng.randint(0, 100) / 100),
                    "is_ended": ended, "is_record_thin": int(self.rng.random() < 0.5),
                })  # fmt: skip
                start = self.rng.randint(0, 50) * 1000.0
                low, middle, high = sorted(start + self.rng.randint(1, 90) * 1000.0 for _ in range(3))
                self.t["fact_forecast"].append({
                    "cut_key": cut, "project_key": project, "topic": "cost", "as_of": made, "method": "work",
                    "start_amount": start, "p50_amount": low, "p80_amount": middle,
                    "p95_amount": self.maybe(high), "mean_amount": middle,
                    "target_amount": self.maybe(self.rng.randint(1, 90) * 1000.0),
                    "actual_amount": self.rng.choice((start, low, middle, high, start + 45000.0)),
                    "chance_target": self.maybe(self.rng.randint(0, 100) / 100),
                    "is_ended": ended, "is_record_thin": 0,
                })  # fmt: skip

    def adoption(self) -> None:
        """Add the use of a tool."""
        for month in ("2026-01", f"{self.as_of:%Y-%m}", "2027-01"):
            if not any(row["year_month"] == month for row in self.t["fact_adoption"]):
                self.t["fact_adoption"].append(
                    {
                        "year_month": month,
                        "source_key": 1,
                        "n_accounts": self.rng.choice((0, 40)),
                        "n_active": self.rng.randint(0, 40),
                    }
                )
