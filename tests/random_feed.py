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
    rng = random.Random(seed)
    as_of = date(2026, 1, 1) + timedelta(days=rng.randint(20, 330))

    def day(low: int = -120, high: int = 120) -> date:
        return as_of + timedelta(days=rng.randint(low, high))

    def maybe(value: Any, chance: float = 0.75) -> Any:
        return value if rng.random() < chance else None

    def instant(low: int = -100, high: int = 20) -> datetime:
        return datetime(as_of.year, as_of.month, as_of.day, tzinfo=UTC) + timedelta(
            days=rng.randint(low, high), minutes=rng.randint(0, 1439)
        )

    projects = [-1, 1, 2, 3][: rng.randint(2, 4)]
    t: dict[str, Rows] = {
        "dim_status": [{"status_key": key, "category": name, "sort_order": n} for n,
            (key, name) in enumerate(STATUS.items())],
        "dim_cut": [{"cut_key": 7, "as_of": as_of, "kind": "copil", "label": "C", "is_latest": 1}],
        "dim_project": [{"project_key": key, "code": f"P{key}"} for key in projects],
        "dim_person": [{"person_key": -1, "person_label": "?", "team": None, "timesheet_expected": 0}]
        + [{"person_key": n, "person_label": f"N{n}", "team": rng.choice(("A", "B")),
            "timesheet_expected": int(rng.random() < 0.8)} for n in range(1, 6)],
        "dim_source": [
            {"source_key": n, "name": f"s{n}", "freshness_max_s": rng.choice((3600, 86400)),
                "last_success_at": maybe(instant(-3, 0), 0.8)} for n in (1, 2)
        ],
        **{name: [] for name in ("dim_task", "fact_task_snapshot", "fact_worklog", "fact_budget",
            "dim_iteration", "fact_project_snapshot",
                                 "fact_status_interval", "fact_capacity_week", "fact_sla", "fact_register",
                                 "fact_checklist", "fact_quality", "fact_adoption")},
    }  # fmt: skip
    for key in range(1, rng.randint(3, 22)):
        project = rng.choice(projects)
        kind = rng.choice(("work", "work", "work", "milestone", "summary"))
        nature = rng.choice(NATURES)
        t["dim_task"].append(
            {
                "task_key": key,
                "title": f"T{key}",
                "kind": kind,
                "nature": nature,
                "nature_first": rng.choice((nature, nature, *NATURES)),
                "project_key": project,
                "created_at": maybe(instant(-200, 10), 0.9),
                "is_leaf": int(kind != "summary"),
                "is_deleted": int(rng.random() < 0.05),
            }
        )
        start = maybe(day())
        finish = maybe((start or day()) + timedelta(days=rng.randint(0, 60)), 0.85)
        days = maybe(rng.choice((0, 1, 2.5, 10)), 0.8)
        t["fact_task_snapshot"].append({
            "cut_key": 7, "task_key": key, "project_key": project, "status_key": rng.choice(tuple(STATUS)),
            "person_key": -1, "iteration_key": -1,
            "baseline_start": start, "baseline_finish": finish, "planned_finish": maybe(day()),
            "actual_finish": maybe(day(-60, 0), 0.3),
            "percent": maybe(rng.choice((0, 40, 100))), "baseline_days": days,
            "baseline_amount": maybe(rng.choice((0.0, 550.0, 5500.0)), 0.8),
            "remaining_days": maybe(rng.choice((0, 3, 7.5)), 0.9),
            "remaining_amount": maybe(rng.choice((0.0, 1650.0)), 0.9),
            "estimate_days": maybe(rng.choice((2, 5.5))),
            "is_effort_counted": int(rng.random() < 0.85), "is_baseline_counted": rng.choice((0, 1, None)),
            "reported_days": maybe(rng.choice((1, 20))),
        })  # fmt: skip
        place, entered = 1, instant(-90, -30)
        if rng.random() < 0.7:
            for _ in range(rng.randint(1, 6)):
                left = entered + timedelta(hours=rng.randint(1, 400))
                t["fact_status_interval"].append(
                    {
                        "task_key": key,
                        "seq": place,
                        "project_key": project,
                        "status_key": rng.choice((1, 2, 2, 3, 3, 4)),
                        "entered_at": entered,
                        "left_at": left,
                    }
                )
                place, entered = place + 1, left
            t["fact_status_interval"][-1]["left_at"] = None
        if rng.random() < 0.4:
            began = instant(-60, 15)
            t["fact_sla"].append(
                {
                    "sla_id": f"s{key}",
                    "task_key": key,
                    "project_key": project,
                    "metric": rng.choice(("resolution", "response")),
                    "start_at": began,
                    "stop_at": maybe(began + timedelta(hours=rng.randint(1, 900)), 0.6),
                    "is_breached": int(rng.random() < 0.4),
                }
            )
    tasks = [-1, *(row["task_key"] for row in t["dim_task"])]
    for n in range(rng.randint(0, 40)):
        days = rng.choice((0.5, 1, 2, -0.5))
        worked = day(-100, 15)
        t["fact_worklog"].append({
            "worklog_id": f"w{n}", "work_date": worked, "date_key": int(f"{worked:%Y%m%d}"),
            "project_key": rng.choice(projects), "task_key": rng.choice(tasks),
            "person_key": rng.choice((-1, 1, 2, 3, 4, 5)), "source_key": 1,
            "category": rng.choice(("project", "project", "internal", "absence")),
            "is_billable": rng.choice((0, 1, None)),
            "approval": rng.choice(("approved", "rejected", "unknown", "draft")),
            "seconds": int(days * 25200),
            "days": days, "amount": maybe(days * 500.0, 0.9),
        })  # fmt: skip
    for n in range(rng.randint(0, 8)):
        t["fact_budget"].append({
            "cut_key": 7, "project_key": rng.choice(projects), "year_month": f"2026-{n + 1:02d}",
            "is_capex": 0,
            "category": rng.choice(("labour", "Main d’œuvre", "MO", "Salaires", "Internal labour", "STAFF",
                "purchase", "services", "Prestations", "Laboratory")),
            **{f"{kind}_amount": maybe(float(rng.randint(0, 90) * 100), 0.5) for kind in ("baseline",
                "revised", "committed", "consumed", "forecast")},
        })  # fmt: skip
    for n in range(rng.randint(0, 5)):
        t["dim_iteration"].append(
            {
                "iteration_key": n + 1,
                "project_key": rng.choice(projects[-2:]),
                "name": f"S{n}",
                "ordinal": n,
                "finish_date": maybe(day(-60, 60), 0.9),
            }
        )
    for offset in rng.sample(range(-60, 20), rng.randint(0, 5)):
        then = as_of + timedelta(days=offset)
        t["fact_project_snapshot"].append(
            {
                "date_key": int(f"{then:%Y%m%d}"),
                "project_key": rng.choice(projects),
                "points_scope": float(rng.choice((0, 50, 120))),
                "points_done": float(rng.randint(0, 50)),
            }
        )
    for week in range(-3, 4):
        start = as_of - timedelta(days=as_of.weekday()) + timedelta(weeks=week)
        for person in rng.sample(range(1, 6), rng.randint(0, 5)):
            months = sorted({f"{start + timedelta(days=n):%Y-%m}" for n in range(7)})
            t["fact_capacity_week"] += (
                {
                    "week_start": start,
                    "year_month": month,
                    "person_key": person,
                    "capacity_s": rng.choice((0, 100800, 126000)),
                    "absence_s": rng.choice((0, 0, 25200, 126000)),
                    "allocated_s": rng.choice((0, 63000, 151200)),
                    "logged_s": rng.choice((0, 119700, 126000, 140000)),
                }
                for month in months
            )
    for n in range(rng.randint(0, 9)):
        t["fact_register"].append(
            {
                "cut_key": 7,
                "item_id": f"r{n}",
                "project_key": rng.choice(projects),
                "kind": rng.choice(("risk", "risk", "action", "decision")),
                "title": "x",
                "state": rng.choice(("open", "open", "closed")),
                "probability": maybe(rng.choice((0.1, 0.7))),
                "impact": maybe(rng.randint(1, 5)),
                "exposure_amount": maybe(float(rng.randint(1, 20) * 1000)),
                "due_date": maybe(day(-30, 30)),
            }
        )
        t["fact_checklist"].append(
            {
                "cut_key": 7,
                "item_id": f"c{n}",
                "project_key": rng.choice(projects),
                "list": "M",
                "is_mandatory": int(rng.random() < 0.8),
                "state": rng.choice(("ok", "ok", "nok", "na", "todo")),
            }
        )
        checked = rng.choice((0, 4, 10))
        t["fact_quality"].append(
            {
                "cut_key": 7,
                "project_key": rng.choice(projects),
                "source_key": 1,
                "check_code": f"k{n}",
                "weight": float(rng.randint(1, 3)),
                "n_checked": checked,
                "n_failed": rng.randint(0, checked),
            }
        )
    for month in ("2026-01", f"{as_of:%Y-%m}", "2027-01"):
        if not any(row["year_month"] == month for row in t["fact_adoption"]):
            t["fact_adoption"].append(
                {
                    "year_month": month,
                    "source_key": 1,
                    "n_accounts": rng.choice((0, 40)),
                    "n_active": rng.randint(0, 40),
                }
            )
    return t, as_of
