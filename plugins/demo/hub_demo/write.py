"""Write the imagined portfolio as the files a PMO really has: plans in MSPDI, CSV timesheets, an ERP export, registers."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime
from pathlib import Path
from xml.sax.saxutils import escape

import xlsxwriter

from hub_demo.portfolio import PORTFOLIOS, PROGRAMS, DemoProject, DemoTask, Portfolio

_WEEK = "".join(
    f"<WeekDay><DayType>{day}</DayType><DayWorking>{int(2 <= day <= 6)}</DayWorking>"
    + (
        "<WorkingTimes><WorkingTime><FromTime>09:00:00</FromTime><ToTime>12:30:00</ToTime></WorkingTime>"
        "<WorkingTime><FromTime>13:30:00</FromTime><ToTime>17:00:00</ToTime></WorkingTime></WorkingTimes>"
        if 2 <= day <= 6
        else ""
    )
    + "</WeekDay>"
    for day in range(1, 8)
)
HOURS = 7


def write_plan(project: DemoProject, path: Path) -> None:
    """Write one plan as Microsoft Project would save it in XML."""
    people = sorted({task.person for task in project.tasks if task.person})
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>',
        '<Project xmlns="http://schemas.microsoft.com/project">',
        f"<SaveVersion>14</SaveVersion><GUID>{project.guid}</GUID><Name>{escape(path.name)}</Name><Title>{escape(project.name)}</Title>",
        f"<StartDate>{project.tasks[0].start}T09:00:00</StartDate><FinishDate>{max(t.finish for t in project.tasks)}T17:00:00</FinishDate>",
        f"<CurrencyCode>EUR</CurrencyCode><CalendarUID>1</CalendarUID><MinutesPerDay>{HOURS * 60}</MinutesPerDay>",
        f"<Calendars><Calendar><UID>1</UID><Name>Standard</Name><IsBaseCalendar>1</IsBaseCalendar><WeekDays>{_WEEK}</WeekDays></Calendar></Calendars>",
        "<Tasks>",
    ]
    previous = 0
    for task in project.tasks:
        lines.append(_task(task, project, previous))
        previous = task.uid if task.kind != "summary" else previous
    lines.append("</Tasks><Resources>")
    lines.extend(
        f"<Resource><UID>{person}</UID><ID>{person}</ID><Name>Ingénieur {person:02d}</Name><Type>1</Type><Code>M{person:03d}</Code></Resource>"
        for person in people
    )
    lines.append("</Resources><Assignments>")
    lines.extend(_assignment(task) for task in project.tasks if task.kind == "work")
    lines.append("</Assignments></Project>")
    path.write_text("\n".join(lines), encoding="utf-8")


def _task(task: DemoTask, project: DemoProject, previous: int) -> str:
    work, actual = len(task.days) * HOURS, task.done * HOURS
    mine = [one for one in project.tasks if one.phase == task.phase and one.kind == "work"]
    if task.kind == "summary":
        work, actual = sum(len(one.days) for one in mine) * HOURS, sum(one.done for one in mine) * HOURS
        done = round(100 * actual / work) if work else 0
    elif task.kind == "milestone":
        done = 100 * task.done
    else:
        done = round(100 * task.done / len(task.days))
    actual_dates = f"<ActualStart>{task.start}T09:00:00</ActualStart>" if done else ""
    if done == 100:
        actual_dates += f"<ActualFinish>{task.finish}T17:00:00</ActualFinish>"
    link = (
        f"<PredecessorLink><PredecessorUID>{previous}</PredecessorUID><Type>1</Type><LinkLag>0</LinkLag><LagFormat>7</LagFormat></PredecessorLink>"
        if previous and task.kind != "summary"
        else ""
    )
    base = (
        f"<Baseline><Number>0</Number><Start>{task.base_start}T09:00:00</Start><Finish>{task.base_finish}T17:00:00</Finish>"
        f"<Work>PT{_base_days(task) * HOURS}H0M0S</Work></Baseline>"
        if project.has_baseline
        else ""
    )
    return (
        f"<Task><UID>{task.uid}</UID><ID>{task.uid}</ID><Name>{escape(task.name)}</Name><OutlineLevel>{task.level}</OutlineLevel>"
        f"<WBS>{task.phase + 1}.{task.uid}</WBS><Start>{task.start}T09:00:00</Start><Finish>{task.finish}T17:00:00</Finish>"
        f"<Work>PT{work}H0M0S</Work><ActualWork>PT{actual}H0M0S</ActualWork><RemainingWork>PT{work - actual}H0M0S</RemainingWork>"
        f"<Milestone>{int(task.kind == 'milestone')}</Milestone><Summary>{int(task.kind == 'summary')}</Summary>"
        f"<PercentComplete>{done}</PercentComplete>{actual_dates}{link}{base}</Task>"
    )


def _base_days(task: DemoTask) -> int:
    if task.kind != "work":
        return 0
    return sum(
        (date.fromordinal(n).weekday() < 5) for n in range(task.base_start.toordinal(), task.base_finish.toordinal() + 1)
    )


def _assignment(task: DemoTask) -> str:
    spans = "".join(
        f"<TimephasedData><Type>{2 if number < task.done else 1}</Type><UID>{task.uid}</UID><Start>{day}T09:00:00</Start>"
        f"<Finish>{day}T17:00:00</Finish><Unit>2</Unit><Value>PT{HOURS}H0M0S</Value></TimephasedData>"
        for number, day in enumerate(task.days)
    )
    work, actual = len(task.days) * HOURS, task.done * HOURS
    return (
        f"<Assignment><UID>{task.uid}</UID><TaskUID>{task.uid}</TaskUID><ResourceUID>{task.person}</ResourceUID>"
        f"<ActualWork>PT{actual}H0M0S</ActualWork><Start>{task.start}T09:00:00</Start><Finish>{task.finish}T17:00:00</Finish>"
        f"<RemainingWork>PT{work - actual}H0M0S</RemainingWork><Work>PT{work}H0M0S</Work>{spans}</Assignment>"
    )


def write_all(portfolio: Portfolio, root: Path, *, lang: str) -> None:
    """Write plans, timesheets, budgets, risks, reference data, mappings and the configuration under *root*."""
    for name in ("plans", "hours", "erp", "registers", "config", "mappings"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for project in portfolio.projects:
        write_plan(project, root / "plans" / f"{project.code}.xml")
    _hours(portfolio, root / "hours")
    _budgets(portfolio, root / "erp" / f"budget_{portfolio.today.year}.xlsx")
    _csv(
        root / "registers" / "risques.csv",
        list(portfolio.risks[0]),
        [list(risk.values()) for risk in portfolio.risks],
        "utf-8-sig",
    )
    _reference(portfolio, root / "config")
    for name, text in MAPPINGS.items():
        (root / "mappings" / f"{name}.toml").write_text(text, encoding="utf-8")
    (root / "config" / "hub.toml").write_text(CONFIG.format(lang=lang), encoding="utf-8")


def _csv(path: Path, header: list[str], rows: Iterable[Iterable[str]], encoding: str) -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(header)
        writer.writerows(rows)


def _hours(portfolio: Portfolio, folder: Path) -> None:
    months: dict[str, list[list[str]]] = defaultdict(list)
    for line in portfolio.lines:
        months[f"{line.day:%Y-%m}"].append(
            [f"M{line.person:03d}", f"Ingénieur {line.person:02d}", line.project, f"{line.day:%d/%m/%Y}",
             f"{line.hours:.2f}".replace(".", ","), line.nature, line.status]
        )  # fmt: skip
    for month, rows in months.items():
        # the old timesheet tool writes Windows-1252, as such tools do
        _csv(folder / f"{month}.csv", ["Matricule", "Nom", "Projet", "Date", "Heures", "Nature", "Statut"], rows, "cp1252")


def _budgets(portfolio: Portfolio, path: Path) -> None:
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": datetime(2026, 1, 1)})
    sheet = book.add_worksheet("Exécution")
    sheet.write(0, 0, "Suivi budgétaire")
    header = ["Projet", "Poste", "Mois", "Budget initial", "Engagé", "Consommé"]
    sheet.write_row(2, 0, header)
    row = 3
    for project in portfolio.projects:
        months = 12
        monthly = round(project.budget / months, 2)
        first = True
        for number in range(months):
            month = date(portfolio.today.year, number + 1, 1)
            past = month <= portfolio.today
            spent = round(monthly * (1.15 if project.story in {"late", "watermelon"} else 0.97), 2) if past else 0
            sheet.write_row(row, 0, [project.code if first else "", "Prestations", f"{month:%m/%Y}", monthly, spent, spent])
            first = False
            row += 1
        sheet.write_row(row, 0, [f"Somme {project.code}", "", "", project.budget])
        row += 1
    book.close()


def _reference(portfolio: Portfolio, folder: Path) -> None:
    rows = [[code, name, "portfolio", "", "", "", "", ""] for code, name in PORTFOLIOS.items()]
    rows += [[code, name, "program", parent, "", "", "", ""] for code, (name, parent, _) in PROGRAMS.items()]
    for number, project in enumerate(portfolio.projects, start=1):
        phase = next((t.phase for t in project.tasks if t.kind == "milestone" and not t.done), 4)
        over = all(t.done for t in project.tasks if t.kind == "milestone")
        rows.append(
            [project.code, project.name, "project", project.program, ("Cadrage", "Conception", "Réalisation", "Recette", "Mise en service")[phase],
             "closed" if over else "active", "Direction métier" if project.program == "METIER" else "DSI", str(number)]
        )  # fmt: skip
    _csv(
        folder / "projects.csv",
        ["code", "name", "level", "parent_code", "phase", "state", "customer", "priority"],
        rows,
        "utf-8-sig",
    )
    links = []
    for project in portfolio.projects:
        links.append([project.code, "plans", project.code, "schedule,baseline,effort,status"])
        links.append([project.code, "hours", project.code, "actuals"])
    _csv(folder / "project_links.csv", ["project_code", "source", "container", "facets"], links, "utf-8-sig")


CONFIG = """# The demonstration portfolio: every file below was generated, and is read by the real connectors.
store = "sqlite:///data/hub.db"
feed = "data/feed"
lang = "{lang}"
country = "FR"

[sources.plans]
kind = "msproject"
path = "plans"
tz = "Europe/Paris"
hours_per_day = 7

[sources.hours]
kind = "tabular"
path = "hours/*.csv"
mapping = "mappings/hours.toml"
hours_per_day = 7

[sources.erp]
kind = "tabular"
path = "erp/*.xlsx"
mapping = "mappings/budget_initial.toml"

[sources.spent]
kind = "tabular"
path = "erp/*.xlsx"
mapping = "mappings/budget_consomme.toml"

[sources.registers]
kind = "tabular"
path = "registers/*.csv"
mapping = "mappings/risques.toml"

[destinations.office]
kind = "files"
path = "out"
formats = ["parquet", "csv", "xlsx"]

[schedule]
run = "0 6 * * 1-5"
tz = "Europe/Paris"
"""
_BUDGET = """# The ERP's export: a banner, group rows filled once, rows of sums.
record = "budget_line"
sheet = "Exécution"
header_row = 3
carry_down = ["Projet"]
drop = [{{ column = "Projet", matches = "^Somme" }}]
key = ["Projet", "Poste", "Mois"]

[fields]
project_code = "Projet"
category = {{ column = "Poste", values = {{ "Prestations" = "services" }} }}
month = "Mois"
amount_minor = "{column}"
kind = {{ value = "{kind}" }}
currency = {{ value = "EUR" }}
"""
MAPPINGS = {
    "hours": """# Monthly exports of the timesheet tool; a month's file is complete, so a line that leaves it is deleted.
record = "worklog"
encoding = "cp1252"
delimiter = ";"
decimal = ","
key = ["Matricule", "Projet", "Date"]

[fields]
account_id = "Matricule"
container_id = "Projet"
day = { column = "Date", format = "%d/%m/%Y" }
seconds = { column = "Heures", unit = "hours" }
category = { column = "Nature", values = { "Projet" = "project", "Interne" = "internal", "Absence" = "absence" } }
approval = { column = "Statut", values = { "Validé" = "approved", "Soumis" = "submitted", "Rejeté" = "rejected" } }

[account]
display_name = "Nom"
employee_no = "Matricule"
""",
    "budget_initial": _BUDGET.format(column="Budget initial", kind="baseline"),
    "budget_consomme": _BUDGET.format(column="Consommé", kind="consumed"),
    "risques": """record = "register_item"
delimiter = ";"
decimal = ","
key = ["Réf"]

[fields]
project_code = "Projet"
kind = { column = "Type", values = { "Risque" = "risk", "Action" = "action", "Décision" = "decision", "Problème" = "issue" } }
title = "Libellé"
state = { column = "Statut", values = { "Ouvert" = "open", "Clos" = "closed" } }
probability = "Probabilité"
impact = "Impact"
exposure_minor = "Exposition"
opened_on = "Ouvert le"
due_on = "Échéance"
closed_on = "Clos le"
""",
}
