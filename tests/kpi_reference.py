"""The catalogue once more in plain Python, written from the definitions and rulings.

What the SQL is held to on random feeds.
"""

from __future__ import annotations

import math
import unicodedata
from datetime import date, datetime, timedelta
from typing import Any

Rows = list[dict[str, Any]]
Tables = dict[str, Rows]
EPS = 1e-9
OPEN = {"todo", "in_progress", "unknown"}
LABOUR = {
    "labour",
    "labor",
    "main d oeuvre",
    "mo",
    "personnel",
    "salaires",
    "staff",
    "internal labour",
    "masse salariale",
}
"""What a budget may call the work of its people, as `plain` writes it."""


def plain(text: str) -> str:
    """Return *text* in small letters without accents, signs as blanks."""
    bare = unicodedata.normalize("NFKD", text.lower().replace("œ", "oe"))
    return " ".join("".join(c if c.isalnum() else " " for c in bare if not unicodedata.combining(c)).split())


class Reference:
    """The KPIs of one feed at one day; *workdays* are the company's working days."""

    def __init__(self, tables: Tables, cut: int, as_of: date, at: datetime, workdays: set[date]) -> None:
        self.t, self.cut, self.as_of, self.at, self.workdays = tables, cut, as_of, at, workdays
        self.category = {row["status_key"]: row["category"] for row in tables["dim_status"]}
        self.task = {row["task_key"]: row for row in tables["dim_task"]}
        self.projects = [row["project_key"] for row in tables["dim_project"]]

    # ---------- ground ----------

    def rank(self, day: date) -> int:
        return sum(one <= day for one in self.workdays)

    def snapshot(self, project: int) -> Rows:
        return [
            row
            for row in self.t["fact_task_snapshot"]
            if row["cut_key"] == self.cut and row["project_key"] == project
        ]

    def counted(self, project: int) -> Rows:
        return [row for row in self.snapshot(project) if row["is_effort_counted"] == 1]

    def work(self, project: int | None = None) -> Rows:
        return [
            row
            for row in self.t["fact_worklog"]
            if row["work_date"] <= self.as_of
            and row["category"] == "project"
            and row["approval"] != "rejected"
            and (project is None or row["project_key"] == project)
        ]

    def planned(self, row: dict[str, Any]) -> float | None:
        start, finish = row["baseline_start"], row["baseline_finish"]
        if finish is None:
            return None
        if self.as_of >= finish:
            return 1.0
        if start is None or self.as_of < start:
            return 0.0
        before = self.rank(start) - (start in self.workdays)
        length = self.rank(finish) - before
        return (self.rank(self.as_of) - before) / length if length else 0.0

    def earned(self, row: dict[str, Any]) -> float:
        category = self.category[row["status_key"]]
        if category in {"done", "cancelled"}:
            return 1.0 if category == "done" else 0.0
        return (row["percent"] or 0) / 100

    def based(self, project: int) -> Rows:
        """Return what a project's baseline is made of: by its own authority, else by that of the effort."""
        return [
            row
            for row in self.snapshot(project)
            if (
                row["is_effort_counted"]
                if row.get("is_baseline_counted") is None
                else row["is_baseline_counted"]
            )
            == 1
        ]

    def left(self, project: int, column: str) -> tuple[float | None, int]:
        total, missing = 0.0, 0
        if not self.counted(project):
            return None, 0  # nothing is planned
        for row in self.counted(project):
            if self.category[row["status_key"]] not in OPEN:
                continue
            if row[column] is not None:
                total += row[column]
            elif self.task[row["task_key"]]["kind"] != "milestone":
                missing += 1
        return (None if missing else total), missing

    # ---------- figures ----------

    def evm(self, column: str, spent: str, remaining: str) -> Rows:
        found = []
        for project in self.projects:
            rows = self.based(project)
            based = [row for row in rows if row[column] is not None]
            bac = sum(row[column] for row in based) if based else None
            dated = [row for row in based if self.planned(row) is not None]
            pv = sum(row[column] * (self.planned(row) or 0) for row in dated) if dated else None
            ev = sum(row[column] * self.earned(row) for row in based) if based else None
            ac = sum(row[spent] or 0 for row in self.work(project))
            raf, _ = self.left(project, remaining)
            line: dict[str, Any] = {
                "project_key": project,
                "bac": bac,
                "pv": pv,
                "ev": ev,
                "ac": ac,
                "raf": raf,
            }
            line["sv"] = ev - pv if ev is not None and pv is not None else None
            line["cv"] = ev - ac if ev is not None else None
            line["spi"] = ev / pv if ev is not None and pv is not None and abs(pv) > EPS else None
            line["cpi"] = ev / ac if ev is not None and abs(ac) > EPS else None
            eac = None
            if bac is not None and ev is not None:
                eac = bac * ac / ev if ev > EPS and ac > EPS else ac + bac - ev
            line["eac_cpi"], line["etc_cpi"] = eac, eac - ac if eac is not None else None
            line["vac_cpi"] = bac - eac if bac is not None and eac is not None else None
            line["tcpi_bac"] = (
                (bac - ev) / (bac - ac)
                if bac is not None and ev is not None and abs(bac - ac) > EPS
                else None
            )
            line["eac_raf"] = ac + raf if raf is not None else None
            line["vac_raf"] = bac - ac - raf if bac is not None and raf is not None else None
            line["coverage"] = len(based) / len(rows) if rows else 0
            found.append(line)
        return found

    @staticmethod
    def above(rows: Rows, measure: str) -> float | None:
        """Return earned value of all projects: a ratio of those that have it, AC of those with EV."""
        over, under = {"cpi": ("ev", "ac"), "spi": ("ev", "pv")}.get(measure, (measure, ""))
        asked = "ev" if measure == "ac" else measure
        found = [row for row in rows if row[asked] is not None and row[measure] is not None]
        if not found:
            return None
        return sum(row[over] for row in found) / (sum(row[under] for row in found) if under else 1)

    def evm_days(self) -> Rows:
        return self.evm("baseline_days", "days", "remaining_days")

    def evm_amount(self) -> Rows:
        return self.evm("baseline_amount", "amount", "remaining_amount")

    def raf(self) -> Rows:
        found = []
        for project in self.projects:
            based = [row["baseline_days"] for row in self.based(project) if row["baseline_days"] is not None]
            said = [
                row["estimate_days"] for row in self.counted(project) if row.get("estimate_days") is not None
            ]
            budget = sum(based) if based else None
            spent = sum(row["days"] for row in self.work(project))
            left, missing = self.left(project, "remaining_days")
            total = spent + left if left is not None else None
            found.append(
                {
                    "project_key": project,
                    "budget": budget,
                    "estimation": sum(said) if said else None,
                    "consomme": spent,
                    "raf": left,
                    "a_terminaison": total,
                    "n_open_without_raf": missing,
                    "derive": total - budget if total is not None and budget is not None else None,
                    "avancement": spent / total if total is not None and abs(total) > EPS else None,
                    "reste_a_depenser": budget - spent if budget is not None else None,
                }
            )
        return found

    def landing(self) -> Rows:
        found = []

        def total(rows: Rows, column: str) -> float | None:
            values = [row[column] for row in rows if row[column] is not None]
            return sum(values) if values else None

        for project in self.projects:
            lines = [
                row
                for row in self.t["fact_budget"]
                if row["cut_key"] == self.cut and row["project_key"] == project
            ]
            bought = [row for row in lines if plain(row["category"]) not in LABOUR]
            consumed = sum(row["amount"] or 0 for row in self.work(project)) + (
                total(bought, "consumed_amount") or 0
            )
            left, missing = self.left(project, "remaining_amount")
            revised = total(lines, "revised_amount")
            budget = revised if revised is not None else total(lines, "baseline_amount")
            to_come = total(bought, "forecast_amount") or 0
            landing = consumed + left + to_come if left is not None else None
            still = [row for row in self.counted(project) if self.category[row["status_key"]] in OPEN]
            known = [row["remaining_amount"] for row in still if row["remaining_amount"] is not None]
            work = [row for row in still if self.task[row["task_key"]]["kind"] != "milestone"]
            found.append({
                "project_key": project, "budget": budget, "committed": total(lines, "committed_amount"),
                "consumed": consumed, "landing": landing,
                "landing_at_least": consumed + sum(known) + to_come,
                "variance": landing - budget if landing is not None and budget is not None else None,
                "left_to_spend": budget - consumed if budget is not None else None,
                "known": 0 if not self.counted(project) else (len(work) - missing) / len(work) if work else 1,
                "method": "revised budget" if revised is not None
                else "initial budget" if budget is not None else None,
            })  # fmt: skip
        return found

    def monthly_spent(self) -> Rows:
        sums: dict[tuple[int, str, str], list[tuple[float, float | None, int]]] = {}
        for row in self.work():
            task = self.task.get(row["task_key"])
            nature = "unassigned" if row["task_key"] == -1 or task is None else task["nature"]
            sums.setdefault((row["project_key"], f"{row['work_date']:%Y-%m}", nature), []).append(
                (row["days"], row["amount"], row["seconds"])
            )
        found = []
        for (project, month, nature), lines in sorted(sums.items()):
            money = [amount for _, amount, _ in lines if amount is not None]
            found.append(
                {
                    "project_key": project,
                    "month": month,
                    "nature": nature,
                    "days": sum(days for days, _, _ in lines),
                    "amount": sum(money) if money else None,
                    "hours": sum(seconds for _, _, seconds in lines) / 3600,
                }
            )
        return found

    def milestones(self) -> Rows:
        return [
            row
            for project in self.projects
            for row in self.snapshot(project)
            if self.task[row["task_key"]]["kind"] == "milestone"
        ]

    def milestone_slip(self) -> Rows:
        found = []
        for row in sorted(self.milestones(), key=lambda row: row["task_key"]):
            forecast = row["actual_finish"] or row["planned_finish"]
            if (
                row["actual_finish"] is None
                and self.category[row["status_key"]] in OPEN
                and forecast is not None
            ):
                forecast = max(forecast, self.as_of)
            base = row["baseline_finish"]
            both = base is not None and forecast is not None
            found.append(
                {
                    "project_key": row["project_key"],
                    "task_key": row["task_key"],
                    "slip_days": (forecast - base).days if both else None,
                    "slip_workdays": self.rank(forecast) - self.rank(base) if both else None,
                }
            )
        return found

    def milestone_on_time(self) -> Rows:
        found = []
        for project in self.projects:
            due = [
                row
                for row in self.milestones()
                if row["project_key"] == project
                and row["baseline_finish"]
                and row["baseline_finish"] <= self.as_of
            ]
            held = [
                row for row in due if row["actual_finish"] and row["actual_finish"] <= row["baseline_finish"]
            ]
            found.append(
                {
                    "project_key": project,
                    "due": len(due),
                    "on_time": len(held),
                    "ratio": len(held) / len(due) if due else None,
                }
            )
        return found

    def agile_evm(self) -> Rows:
        found = []
        for project in self.projects:
            sprints = [
                row
                for row in self.t["dim_iteration"]
                if row["project_key"] == project and row["iteration_key"] != -1
            ]
            if not sprints:
                continue
            ppc = sum(
                row["finish_date"] is not None and row["finish_date"] <= self.as_of for row in sprints
            ) / len(sprints)
            day = int(f"{self.as_of:%Y%m%d}")
            shots = [
                row
                for row in self.t["fact_project_snapshot"]
                if row["project_key"] == project
                and row["date_key"] <= day
                and row["points_scope"] is not None
            ]
            last = max(shots, key=lambda row: row["date_key"], default=None)
            apc = last["points_done"] / last["points_scope"] if last and last["points_scope"] else None
            labour = [
                row["baseline_amount"]
                for row in self.t["fact_budget"]
                if row["cut_key"] == self.cut
                and row["project_key"] == project
                and plain(row["category"]) in LABOUR
                and row["baseline_amount"] is not None
            ]
            bac = sum(labour) if labour else None
            ac = sum(row["amount"] or 0 for row in self.work(project))
            pv = ppc * bac if bac is not None else None
            ev = apc * bac if bac is not None and apc is not None else None
            eac = None
            if bac is not None and ev is not None:
                eac = bac * ac / ev if ev > EPS and ac > EPS else ac + bac - ev
            found.append(
                {
                    "project_key": project,
                    "ppc": ppc,
                    "apc": apc,
                    "pv": pv,
                    "ev": ev,
                    "ac": ac,
                    "cpi": ev / ac if ev is not None and abs(ac) > EPS else None,
                    "spi": apc / ppc if apc is not None and ppc > EPS else None,
                    "eac": eac,
                }
            )
        return found

    def burnup(self) -> Rows:
        day = int(f"{self.as_of:%Y%m%d}")
        return [
            {
                "project_key": row["project_key"],
                "date": f"{datetime.strptime(str(row['date_key']), '%Y%m%d'):%Y-%m-%d}",
                "done": row["points_done"],
                "scope": row["points_scope"],
            }
            for row in sorted(
                self.t["fact_project_snapshot"], key=lambda row: (row["project_key"], row["date_key"])
            )
            if row["date_key"] <= day
        ]

    # ---------- flow ----------

    def stays(self, task: int) -> list[tuple[str, datetime, datetime | None]]:
        rows = sorted(
            (row for row in self.t["fact_status_interval"] if row["task_key"] == task),
            key=lambda row: row["seq"],
        )
        return [
            (
                self.category[row["status_key"]],
                row["entered_at"],
                row["left_at"] if row["left_at"] and row["left_at"] <= self.at else None,
            )
            for row in rows
            if row["entered_at"] <= self.at
        ]

    def lead_cycle(self) -> Rows:
        found = []
        for task in sorted(self.task.values(), key=lambda row: row["task_key"]):
            stays = self.stays(task["task_key"])
            if task["is_deleted"] or not stays or stays[-1][0] != "done":
                continue
            place = len(stays) - 1
            while place and stays[place - 1][0] == "done":
                place -= 1
            finished = stays[place][1]
            starts = [entered for category, entered, _ in stays if category == "in_progress"]
            runs = sum(
                category == "done" and (n == 0 or stays[n - 1][0] != "done")
                for n, (category, _, _) in enumerate(stays)
            )
            active = [
                left - entered for category, entered, left in stays if category == "in_progress" and left
            ]
            found.append(
                {
                    "project_key": task["project_key"],
                    "task_key": task["task_key"],
                    "lead_days": _days(finished - (task["created_at"] or stays[0][1])),
                    "cycle_days": _days(finished - min(starts)) if starts else None,
                    "active_days": _days(sum(active, timedelta())) if active else None,
                    "reopened": runs - 1,
                }
            )
        return found

    def lead_p85(self) -> Rows:
        by: dict[int, list[float]] = {}
        for row in self.lead_cycle():
            by.setdefault(row["project_key"], []).append(row["lead_days"])
        found = []
        for project, days in sorted(by.items()):
            days.sort()
            n = len(days)
            middle = days[n // 2] if n % 2 else (days[n // 2 - 1] + days[n // 2]) / 2
            found.append(
                {
                    "project_key": project,
                    "n": n,
                    "median": middle,
                    "p85": days[math.ceil(round(0.85 * n, 9)) - 1],
                }
            )
        return found

    def time_in_status(self) -> Rows:
        found = []
        for task in sorted({row["task_key"] for row in self.t["fact_status_interval"]}):
            sums: dict[str, timedelta] = {}
            for category, entered, left in self.stays(task):
                sums[category] = sums.get(category, timedelta()) + ((left or self.at) - entered)
            found += [
                {"task_key": task, "category": category, "days": _days(total)}
                for category, total in sorted(sums.items())
            ]
        return found

    # ---------- people ----------

    def weeks(self) -> Rows:
        people = {row["person_key"]: row for row in self.t["dim_person"]}
        sums: dict[tuple[int, date], dict[str, int]] = {}
        for row in self.t["fact_capacity_week"]:  # a week that lies in two months is two rows
            line = sums.setdefault((row["person_key"], row["week_start"]), {})
            for name in ("capacity_s", "absence_s", "allocated_s", "logged_s"):
                line[name] = line.get(name, 0) + row[name]
        rows = [
            {
                **people[person],
                "week_start": week,
                **line,
                "free": max(line["capacity_s"] - line["absence_s"], 0),
            }
            for (person, week), line in sums.items()
        ]
        return sorted(rows, key=lambda row: (row["week_start"], row["person_label"]))

    def load_person(self) -> Rows:
        return [
            {
                "person_key": row["person_key"],
                "week_start": str(row["week_start"]),
                "allocated_h": row["allocated_s"] / 3600,
                "available_h": row["free"] / 3600,
                "load": row["allocated_s"] / row["free"] if row["free"] else None,
                "overloaded": int(row["allocated_s"] > row["free"]),
            }
            for row in self.weeks()
        ]

    def load_team(self) -> Rows:
        sums: dict[tuple[str, str], list[int]] = {}
        for row in self.weeks():
            line = sums.setdefault((row["team"], str(row["week_start"])), [0, 0, 0])
            line[0] += row["allocated_s"]
            line[1] += row["free"]
            line[2] += 1
        return [
            {"team": t, "week_start": w, "load": a / f if f else None, "people": n}
            for (t, w), (a, f, n) in sorted(sums.items())
        ]

    def timesheet_completeness(self) -> Rows:
        sums: dict[tuple[str, str], list[dict[str, Any]]] = {}
        for row in self.weeks():
            if (
                row["timesheet_expected"] == 1
                and row["capacity_s"] > row["absence_s"]
                and row["week_start"] <= self.as_of
            ):
                for team in (None, row["team"]):
                    sums.setdefault((str(row["week_start"]), team or ""), []).append(row)
        found = []
        for (week, team), rows in sorted(sums.items()):
            expected = sum(row["free"] for row in rows)
            late = [row["person_label"] for row in rows if row["logged_s"] < 0.95 * row["free"]]
            found.append(
                {
                    "team": team or None,
                    "week_start": week,
                    "completeness": sum(min(row["logged_s"], row["free"]) for row in rows) / expected,
                    "people": len(rows),
                    "complete": len(rows) - len(late),
                    "missing": ",".join(sorted(late)) or None,
                }
            )
        return found

    def tace(self) -> Rows:
        lines: dict[tuple[int, str], list[float]] = {}
        for row in self.t["fact_worklog"]:
            if row["approval"] == "rejected" or row["work_date"] > self.as_of or row["person_key"] == -1:
                continue
            line = lines.setdefault((row["person_key"], f"{row['work_date']:%Y-%m}"), [0.0, 0.0])
            if row["category"] == "project" and row["is_billable"] == 1:
                line[0] += row["days"]
            elif row["category"] == "absence":
                line[1] += row["days"]
        found = []
        for (person, month), (billable, absent) in lines.items():
            able = sum(f"{day:%Y-%m}" == month and day <= self.as_of for day in self.workdays) - absent
            found.append(
                {"person_key": person, "month": month, "tace": billable / able if able > EPS else None}
            )
        return found

    # ---------- the rest ----------

    def sla(self) -> Rows:
        sums: dict[tuple[int, str, str], list[int]] = {}
        for row in self.t["fact_sla"]:
            if row["start_at"] > self.at:
                continue
            stopped = row["stop_at"] if row["stop_at"] and row["stop_at"] <= self.at else None
            if stopped is None and not row["is_breached"]:
                continue
            line = sums.setdefault((row["project_key"], f"{stopped or self.at:%Y-%m}", row["metric"]), [0, 0])
            line[0] += stopped is not None and not row["is_breached"]
            line[1] += 1
        return [
            {"project_key": p, "month": m, "metric": k, "met": a, "measured": b, "compliance": a / b}
            for (p, m, k), (a, b) in sorted(sums.items())
        ]

    def defect_vs_change(self) -> Rows:
        first = date(self.as_of.year, 1, 1)
        found = []
        for project in self.projects:
            born = [
                row
                for row in self.task.values()
                if row["project_key"] == project
                and not row["is_deleted"]
                and row["task_key"] != -1
                and row["created_at"]
                and first <= row["created_at"].date() <= self.as_of
            ]
            count = {
                nature: sum(row["nature"] == nature for row in born)
                for nature in ("anomaly", "evolution", "unknown")
            }
            named = count["anomaly"] + count["evolution"]
            effort = {"anomaly": 0.0, "evolution": 0.0}
            for row in self.work(project):
                task = self.task.get(row["task_key"])
                if task and task["nature"] in effort and row["work_date"] >= first:
                    effort[task["nature"]] += row["days"]
            both = effort["anomaly"] + effort["evolution"]
            found.append(
                {
                    "project_key": project,
                    "anomalies": count["anomaly"],
                    "evolutions": count["evolution"],
                    "unqualified": count["unknown"],
                    "anomaly_share": count["anomaly"] / named if named else None,
                    "requalified": sum(
                        row["nature"] in count
                        and row["nature"] != row["nature_first"]
                        and row["nature_first"] != "unknown"
                        for row in born
                    ),
                    "anomaly_effort_share": effort["anomaly"] / both if abs(both) > EPS else None,
                }
            )
        return found

    def readiness(self) -> Rows:
        found = []
        for project in self.projects:
            lines = [
                row
                for row in self.t["fact_checklist"]
                if row["cut_key"] == self.cut
                and row["project_key"] == project
                and row["is_mandatory"] == 1
                and row["state"] != "na"
            ]
            ok = sum(row["state"] == "ok" for row in lines)
            found.append(
                {
                    "project_key": project,
                    "ok": ok,
                    "required": len(lines),
                    "readiness": ok / len(lines) if lines else None,
                    "gate_open": int(bool(lines) and ok == len(lines)),
                }
            )
        return found

    def risk(self) -> Rows:
        found = []
        for project in self.projects:
            here = [
                row
                for row in self.t["fact_register"]
                if row["cut_key"] == self.cut and row["project_key"] == project and row["state"] == "open"
            ]
            risks = [row for row in here if row["kind"] == "risk"]
            scores = [
                row["probability"] * row["impact"]
                for row in risks
                if row["probability"] is not None and row["impact"] is not None
            ]
            at_stake = [
                row["probability"] * row["exposure_amount"]
                for row in risks
                if row["probability"] is not None and row["exposure_amount"] is not None
            ]
            found.append(
                {
                    "project_key": project,
                    "open_risks": len(risks),
                    "expected_exposure": sum(at_stake) if at_stake or not risks else None,
                    "top_score": max(scores, default=None),
                    "overdue_actions": sum(
                        row["kind"] == "action"
                        and row["due_date"] is not None
                        and row["due_date"] < self.as_of
                        for row in here
                    ),
                }
            )
        return found

    def _now(self, topic: str) -> Rows:
        return [
            row for row in self.t["fact_forecast"] if row["topic"] == topic and row["cut_key"] == self.cut
        ]

    def forecast_finish(self) -> Rows:
        def days(row: dict[str, Any], name: str, since: str) -> int | None:
            return None if row[name] is None or row[since] is None else (row[name] - row[since]).days

        return [
            {
                "project_key": row["project_key"],
                **{p: days(row, f"{p}_date", "as_of") for p in ("p50", "p80", "p95")},
                **{f"slip_{p}": days(row, f"{p}_date", "target_date") for p in ("p50", "p80")},
                "chance_baseline": row["chance_target"],
                "chance_deadline": row["chance_limit"],
                "method": row["method"] + (", thin record" if row["is_record_thin"] else ""),
            }
            for row in self._now("finish")
        ]

    def forecast_cost(self) -> Rows:
        return [
            {
                "project_key": row["project_key"],
                **{p: row[f"{p}_amount"] for p in ("p50", "p80", "p95", "mean")},
                "over_p80": None
                if row["target_amount"] is None
                else row["p80_amount"] - row["target_amount"],
                "chance_budget": row["chance_target"],
            }
            for row in self._now("cost")
        ]

    def forecast_hit_rate(self) -> Rows:
        """Count what came by its forecast day, of days that have come; a cost once it ended or went over."""
        found: dict[tuple[int, str], dict[str, Any]] = {}
        for row in self.t["fact_forecast"]:
            if row["cut_key"] == self.cut:
                continue
            topic = row["topic"]
            told = found.setdefault(
                (row["project_key"], topic),
                {"project_key": row["project_key"], "topic": topic, "n": 0, "open": 0, "off": [], "said": []}
                | {name: [] for name in ("p50", "p80", "p95")},
            )
            told["n"] += 1
            unit = "date" if topic == "finish" else "amount"
            for name in ("p50", "p80", "p95"):
                given, came = row[f"{name}_{unit}"], row[f"actual_{unit}"]
                if topic == "finish":
                    due = given is not None and given <= self.as_of
                else:
                    due = bool(row["is_ended"]) or (given is not None and came > given)
                if due:
                    told[name].append(bool(row["is_ended"]) and given is not None and came <= given)
                    if name == "p50":
                        off, said = (
                            came - given,
                            given - row["as_of" if topic == "finish" else "start_amount"],
                        )
                        told["off"].append(off.days if topic == "finish" else off)
                        told["said"].append(said.days if topic == "finish" else said)
                elif name == "p80":
                    told["open"] += 1
        return [
            {
                **{name: told[name] for name in ("project_key", "topic", "n", "open")},
                **{p: sum(told[p]) / len(told[p]) if told[p] else None for p in ("p50", "p80", "p95")},
                "error": sum(told["off"]) / sum(told["said"]) if sum(told["said"]) else None,
            }
            for told in found.values()
        ]

    def freshness(self) -> Rows:
        found = []
        for row in sorted(self.t["dim_source"], key=lambda row: row["name"]):
            age = (self.at - row["last_success_at"]).total_seconds() if row["last_success_at"] else None
            found.append(
                {
                    "name": row["name"],
                    "age_h": age / 3600 if age is not None else None,
                    "fresh": int(age is not None and round(age) <= row["freshness_max_s"]),
                }
            )
        return found

    def dq_score(self) -> Rows:
        found = []
        for project in self.projects:
            rows = [
                row
                for row in self.t["fact_quality"]
                if row["cut_key"] == self.cut and row["project_key"] == project and row["n_checked"]
            ]
            if rows:
                passed = sum(row["weight"] * (1 - row["n_failed"] / row["n_checked"]) for row in rows)
                found.append(
                    {"project_key": project, "score": 100 * passed / sum(row["weight"] for row in rows)}
                )
        return found

    def adoption(self) -> Rows:
        return [
            {
                "source_key": row["source_key"],
                "year_month": row["year_month"],
                "adoption": row["n_active"] / row["n_accounts"] if row["n_accounts"] else None,
            }
            for row in self.t["fact_adoption"]
            if row["year_month"] <= f"{self.as_of:%Y-%m}"
        ]

    def no_double_count(self) -> Rows:
        found = []
        for project in self.projects:
            rows = self.snapshot(project)
            if rows:
                counted = [row["baseline_days"] for row in rows if row["baseline_days"] is not None]
                naive = [row["reported_days"] for row in rows if row["reported_days"] is not None]
                found.append(
                    {
                        "project_key": project,
                        "counted": sum(counted) if counted else None,
                        "naive": sum(naive) if naive else None,
                    }
                )
        return found

    # ---------- what plans say ----------

    def deadline(self) -> Rows:
        found = []
        for project in self.projects:
            slips = []
            for row in self.snapshot(project):
                category = self.category[row["status_key"]]
                said = row["actual_finish"] or row["planned_finish"]
                if row["deadline_slip_days"] is None or category == "cancelled":
                    continue
                if said is None:
                    slips.append(None)
                    continue
                limit = said - timedelta(days=row["deadline_slip_days"])
                finish = said
                if category in OPEN:
                    finish = max(row["planned_finish"] or self.as_of, self.as_of)
                slips.append((finish - limit).days)
            known = [one for one in slips if one is not None]
            if slips:
                found.append({
                    "project_key": project, "with_deadline": len(slips),
                    "past": sum(one > 0 for one in known), "days_past": max([*known, 0]),
                })  # fmt: skip
        return found

    def scheduled(self, project: int, column: str) -> Rows:
        return [
            row
            for row in self.snapshot(project)
            if self.category[row["status_key"]] in OPEN
            and self.task[row["task_key"]]["kind"] != "summary"
            and row[column] is not None
        ]

    def critical(self) -> Rows:
        found = []
        for project in self.projects:
            if rows := self.scheduled(project, "is_critical"):
                total = sum(row["remaining_days"] or 0 for row in rows)
                part = sum(row["remaining_days"] or 0 for row in rows if row["is_critical"])
                near = [
                    row for row in rows
                    if not row["is_critical"] and row["total_slack_days"] is not None
                    and row["total_slack_days"] <= 5
                ]  # fmt: skip
                found.append({
                    "project_key": project, "critical_days": part, "open_days": total,
                    "share": part / total if total else None, "near_critical": len(near),
                })  # fmt: skip
        return found

    def float_(self) -> Rows:
        return [
            {"project_key": project, "least": min(row["total_slack_days"] for row in rows), "lost": None}
            for project in self.projects
            if (rows := self.scheduled(project, "total_slack_days"))
        ]

    def cost_plan(self) -> Rows:
        found = []
        for project in self.projects:
            rows = [
                row
                for row in self.snapshot(project)
                if row["cost_amount"] is not None and self.category[row["status_key"]] != "cancelled"
            ]
            if not rows:
                continue

            def total(column: str, rows: Rows = rows) -> Any:
                values = [row[column] for row in rows if row[column] is not None]
                return sum(values) if values else None

            based, planned = total("baseline_amount"), total("cost_amount")
            found.append({
                "project_key": project, "baseline": based, "planned": planned,
                "actual": total("actual_cost_amount"), "remaining": total("remaining_cost_amount"),
                "variance": None if based is None else planned - based,
            })  # fmt: skip
        return found

    def overallocation(self) -> Rows:
        sums: dict[tuple[str, str], list[int]] = {}
        for row in self.weeks():
            for team in (row["team"], None) if row["team"] else (None,):
                line = sums.setdefault((str(row["week_start"]), team or ""), [0, 0, 0])
                above = max(row["allocated_s"] - row["free"], 0)
                line[0] += 1
                line[1] += above > 0
                line[2] += above
        return [
            {"team": team or None, "week_start": week, "people": n, "overloaded": over, "above_h": s / 3600}
            for (week, team), (n, over, s) in sorted(sums.items())
        ]


def _days(span: timedelta) -> float:
    return round(span.total_seconds() / 86400, 6)
