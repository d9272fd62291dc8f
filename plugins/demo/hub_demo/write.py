"""Write the portfolio as known on a day, as the files a PMO really has.

Plans, a tracker's exports, timesheets, an ERP export, registers.
"""

from __future__ import annotations

import csv
import re
from collections import defaultdict
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from pathlib import Path
from xml.sax.saxutils import escape

import xlsxwriter

from hub.testing.kit import SECRET
from hub_demo.config import CONFIG, MAPPINGS
from hub_demo.known import done, forecast, reference
from hub_demo.portfolio import PORTFOLIOS, PROGRAMS, DemoProject, DemoTask, Portfolio, Someone, title_of
from hub_demo.tracker import asked_in, place_of, places, requests

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
RATES = {"Ingénieur": 560, "Développeur": 420, "Chef de projet": 720}


def write_all(portfolio: Portfolio, root: Path, day: date, *, lang: str, ports: dict[str, int]) -> None:
    """Write everything as known at the end of *day* under *root*; what is the same keeps the same bytes."""
    for name in ("plans", "hours", "erp", "registers", "demands", "config", "mappings"):
        (root / name).mkdir(parents=True, exist_ok=True)
    for project in portfolio.projects:
        if project.kind in {"plan", "hybrid"} and project.start <= day:
            write_plan(project, portfolio.people, root / "plans" / f"{project.code}.xml", day)
    _hours(portfolio, root / "hours", day)
    _budgets(portfolio, root / "erp" / "budget.xlsx", day)
    _registers(portfolio, root / "registers", day)
    _demands(portfolio, root / "demands", day)
    _reference(portfolio, root / "config", day)
    for name, text in MAPPINGS.items():
        (root / "mappings" / f"{name}.toml").write_text(text, encoding="utf-8")
    token = root / "config" / "simulators.token"
    if not token.exists():
        token.touch(mode=0o600)
        token.write_text(SECRET)
    text = CONFIG
    for place in {"boards", "packages"} - places(portfolio):  # a source with nothing in it is not whole
        text = re.sub(rf"\[sources\.{place}\].*?\n\n", "", text, flags=re.DOTALL)
    (root / "config" / "hub.toml").write_text(text.format(lang=lang, ports=ports), encoding="utf-8")


# ---------- plans ----------


def write_plan(project: DemoProject, people: list[Someone], path: Path, day: date) -> None:
    """Write one plan as Microsoft Project would save it in XML on *day*."""
    known = {task.uid: forecast(task, day) for task in project.tasks if task.days}
    numbers = sorted({task.person for task in project.tasks if task.person})
    lines = [
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>',
        '<Project xmlns="http://schemas.microsoft.com/project">',
        (
            f"<SaveVersion>14</SaveVersion><GUID>{project.guid}</GUID><Name>{escape(path.name)}</Name>"
            f"<Title>{escape(project.name)}</Title>"
        ),
        (
            f"<StartDate>{min(d[0] for d in known.values())}T09:00:00</StartDate>"
            f"<FinishDate>{max(d[-1] for d in known.values())}T17:00:00</FinishDate>"
        ),
        (
            "<CurrencyCode>EUR</CurrencyCode><CalendarUID>1</CalendarUID>"
            f"<MinutesPerDay>{HOURS * 60}</MinutesPerDay>"
        ),
        (
            "<Calendars><Calendar><UID>1</UID><Name>Standard</Name><IsBaseCalendar>1</IsBaseCalendar>"
            f"<WeekDays>{_WEEK}</WeekDays></Calendar></Calendars>"
        ),
        "<ExtendedAttributes>",
        *(
            f"<ExtendedAttribute><FieldID>{number}</FieldID><FieldName>{name}</FieldName>"
            f"<Alias>{alias}</Alias></ExtendedAttribute>"
            for _, number, name, alias in FIELDS
        ),
        "</ExtendedAttributes>",
        "<Tasks>",
    ]
    previous = 0
    for task in project.tasks:
        lines.append(_task(task, project, previous, day, known))
        previous = task.uid if task.kind != "summary" else previous
    lines.append("</Tasks><Resources>")
    lines.extend(
        f"<Resource><UID>{number}</UID><ID>{number}</ID><Name>{title_of(people[number - 1])}</Name>"
        f"<Type>1</Type>{_code(project, number)}</Resource>"
        for number in numbers
    )
    lines.append("</Resources><Assignments>")
    lines.extend(_assignment(task, day, known[task.uid]) for task in project.tasks if task.kind == "work")
    lines.append("</Assignments></Project>")
    path.write_text("\n".join(lines), encoding="utf-8")


def _code(project: DemoProject, number: int) -> str:
    # two project managers never typed the employee numbers: their people are only recognised by name
    return "" if project.story == "no_baseline" else f"<Code>M{number:03d}</Code>"


def _task(
    task: DemoTask, project: DemoProject, previous: int, day: date, known: dict[int, list[date]]
) -> str:
    mine = [one for one in project.tasks if one.phase == task.phase and one.kind == "work"]
    if task.kind == "summary":
        start, finish = min(known[one.uid][0] for one in mine), max(known[one.uid][-1] for one in mine)
        work, actual = (
            sum(len(known[one.uid]) for one in mine) * HOURS,
            sum(done(one, day) for one in mine) * HOURS,
        )
        percent = round(100 * actual / work)
    elif task.kind == "milestone":
        start = finish = max(known[one.uid][-1] for one in mine)
        work = actual = 0
        percent = 100 * int(finish < day)
    else:
        start, finish = known[task.uid][0], known[task.uid][-1]
        work, actual = len(known[task.uid]) * HOURS, done(task, day) * HOURS
        percent = round(100 * actual / work)
    dates = f"<ActualStart>{start}T09:00:00</ActualStart>" if percent else ""
    if percent == 100:
        dates += f"<ActualFinish>{finish}T17:00:00</ActualFinish>"
    link = (
        (
            f"<PredecessorLink><PredecessorUID>{previous}</PredecessorUID><Type>1</Type>"
            "<LinkLag>0</LinkLag><LagFormat>7</LagFormat></PredecessorLink>"
        )
        if previous and task.kind != "summary"
        else ""
    )
    return (
        f"<Task><UID>{task.uid}</UID><ID>{task.uid}</ID><Name>{escape(task.name)}</Name>"
        f"<OutlineLevel>{task.level}</OutlineLevel>"
        f"<WBS>{task.phase + 1}.{task.uid}</WBS><Start>{start}T09:00:00</Start>"
        f"<Finish>{finish}T17:00:00</Finish>"
        f"<Work>PT{work}H0M0S</Work><ActualWork>PT{actual}H0M0S</ActualWork>"
        f"<RemainingWork>PT{work - actual}H0M0S</RemainingWork>"
        f"<Milestone>{int(task.kind == 'milestone')}</Milestone>"
        f"<Summary>{int(task.kind == 'summary')}</Summary>"
        f"<PercentComplete>{percent}</PercentComplete>"
        f"{dates}{link}{_scheduled(task, mine, known, work, actual)}{_own(task, start)}"
        f"{_baseline(task, project, mine, day)}</Task>"
    )


_NAMED = (
    ("lot", "Lot"), ("complexity", "Complexity"), ("subcontracted", "Subcontracted"),
    ("purchases", "Planned purchases"), ("promised", "Promised on"), ("contingency", "Contingency"),
)  # fmt: skip


def _scheduled(
    task: DemoTask, mine: list[DemoTask], known: dict[int, list[date]], work: int, actual: int
) -> str:
    """Return what Project computes: slack up to the end of the phase, whether it is critical, and the cost.

    A milestone has a deadline two weeks after what was promised.
    """
    if task.kind == "milestone":
        limit = max(one.base[-1] for one in mine) + timedelta(days=14)
        return f"<Deadline>{limit}T17:00:00</Deadline><Critical>1</Critical><TotalSlack>0</TotalSlack>"
    if task.kind == "summary":
        return ""
    ends, finish = max(known[one.uid][-1] for one in mine), known[task.uid][-1]
    slack = sum((finish + timedelta(days=n + 1)).weekday() < 5 for n in range((ends - finish).days))
    costs = zip(("Cost", "ActualCost", "RemainingCost"), (work, actual, work - actual), strict=True)
    return f"<Critical>{int(slack == 0)}</Critical><TotalSlack>{slack * HOURS * 600}</TotalSlack>" + "".join(
        f"<{name}>{hours * PER_HOUR * 100}</{name}>" for name, hours in costs
    )


PER_HOUR = 80
"""What an hour costs in the plans, in euros: their own rate, not the hub's."""
FIELDS = (
    ("text", 188743731, "Text1", "Lot"), ("number", 188743767, "Number1", "Complexité"),
    ("flag", 188743752, "Flag1", "Sous-traité"), ("amount", 188743786, "Cost1", "Achats prévus"),
    ("date", 188743945, "Date1", "Promis le"), ("days", 188743783, "Duration1", "Aléa"),
)  # fmt: skip
"""The fields that the plans' authors made: type in fields.csv, number and name in Project, alias."""


def _own(task: DemoTask, start: date) -> str:
    """Return the values of the fields that the plans' authors made."""
    if task.kind != "work":
        return ""
    values = (
        f"Lot {task.uid % 3 + 1}", str(task.uid % 5 + 1), str(int(task.uid % 4 == 0)),
        str(task.uid % 7 * 15000), f"{start + timedelta(days=30)}T17:00:00", f"PT{task.uid % 3 * HOURS}H0M0S",
    )  # fmt: skip
    return "".join(
        f"<ExtendedAttribute><FieldID>{number}</FieldID><Value>{value}</Value></ExtendedAttribute>"
        for (_, number, _, _), value in zip(FIELDS, values, strict=True)
    )


def _baseline(task: DemoTask, project: DemoProject, mine: list[DemoTask], day: date) -> str:
    if project.story == "no_baseline":
        return ""
    parts = {one.uid: reference(project, one, day) for one in mine}
    if task.kind == "work":
        base, work = parts[task.uid], len(parts[task.uid]) * HOURS
    else:
        work = 0
        last = max(base[-1] for base in parts.values())
        base = [last, last] if task.kind == "milestone" else [min(base[0] for base in parts.values()), last]
    return (
        f"<Baseline><Number>0</Number><Start>{base[0]}T09:00:00</Start><Finish>{base[-1]}T17:00:00</Finish>"
        f"<Work>PT{work}H0M0S</Work></Baseline>"
    )


def _assignment(task: DemoTask, day: date, days: list[date]) -> str:
    over = done(task, day)
    spans = "".join(
        f"<TimephasedData><Type>{2 if number < over else 1}</Type><UID>{task.uid}</UID>"
        f"<Start>{one}T09:00:00</Start>"
        f"<Finish>{one}T17:00:00</Finish><Unit>2</Unit><Value>PT{HOURS}H0M0S</Value></TimephasedData>"
        for number, one in enumerate(days)
    )
    work, actual = len(days) * HOURS, over * HOURS
    return (
        f"<Assignment><UID>{task.uid}</UID><TaskUID>{task.uid}</TaskUID>"
        f"<ResourceUID>{task.person}</ResourceUID>"
        f"<ActualWork>PT{actual}H0M0S</ActualWork><Start>{days[0]}T09:00:00</Start>"
        f"<Finish>{days[-1]}T17:00:00</Finish>"
        f"<RemainingWork>PT{work - actual}H0M0S</RemainingWork><Work>PT{work}H0M0S</Work>{spans}</Assignment>"
    )


# ---------- tables ----------


def _csv(path: Path, header: list[str], rows: Iterable[Iterable[str]], encoding: str = "utf-8-sig") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.writer(file, delimiter=";")
        writer.writerow(header)
        writer.writerows(rows)


def _hours(portfolio: Portfolio, folder: Path, day: date) -> None:
    months: dict[str, list[list[str]]] = defaultdict(list)
    for line in portfolio.lines:
        if line.day >= day:
            continue
        state = "Rejeté" if line.rejected else "Validé" if (day.replace(day=1) > line.day) else "Soumis"
        person = portfolio.people[line.person - 1]
        months[f"{line.day:%Y-%m}"].append(
            [
                f"M{line.person:03d}",
                title_of(person),
                line.project,
                line.ticket,
                line.activity,
                f"{line.day:%d/%m/%Y}",
                f"{line.hours:.2f}".replace(".", ","),
                line.nature,
                state,
                "Oui" if line.billable else "Non",
            ]
        )
    header = [
        "Matricule",
        "Nom",
        "Projet",
        "Ticket",
        "Activité",
        "Date",
        "Heures",
        "Nature",
        "Statut",
        "Facturable",
    ]
    for month, rows in months.items():
        # the old timesheet tool writes Windows-1252, as such tools do
        _csv(folder / f"{month}.csv", header, rows, "cp1252")


def _budgets(portfolio: Portfolio, path: Path, day: date) -> None:
    book = xlsxwriter.Workbook(str(path))
    book.set_properties({"created": datetime(2026, 1, 1)})
    sheet = book.add_worksheet("Exécution")
    sheet.write(0, 0, "Suivi budgétaire")
    sheet.write_row(2, 0, ["Projet", "Poste", "Mois", "Budget initial", "Engagé", "Consommé", "Prévu"])
    row = 3
    first = date(portfolio.today.year, 1, 1)
    for project in portfolio.projects:
        labour, bought = round(project.budget * 0.8 / 12, 2), round(project.budget * 0.2 / 12, 2)
        drift = 1.15 if project.story in {"late", "watermelon", "cutover"} else 0.97
        for number in range(12):
            month = date(first.year, number + 1, 1)
            past = month <= day
            sheet.write_row(
                row,
                0,
                [project.code if number == 0 else "", "Main d'œuvre", f"{month:%m/%Y}", labour, 0, 0, 0],
            )
            sheet.write_row(row + 1, 0, ["", "Prestations", f"{month:%m/%Y}", bought])
            spent = round(bought * drift, 2)
            sheet.write_row(row + 1, 4, [spent, spent, 0] if past else [0, 0, spent])
            row += 2
        sheet.write_row(row, 0, [f"Somme {project.code}", "", "", project.budget])
        row += 1
    book.close()


def _registers(portfolio: Portfolio, folder: Path, day: date) -> None:
    rows = []
    for item in portfolio.register:
        if item["Ouvert le"] <= day.isoformat():
            closed = item["Clos le"] <= day.isoformat()
            rows.append([*item.values(), "Clos" if closed else "Ouvert"])
            if not closed:
                rows[-1][list(item).index("Clos le")] = ""
    _csv(folder / "risques.csv", [*portfolio.register[0], "Statut"], rows)


def _demands(portfolio: Portfolio, folder: Path, day: date) -> None:
    """Write the table of what the business asks for, with its own columns."""
    code = asked_in(portfolio, "demands").code
    rows = [
        [f"D{number:02d}", code, f"Demande métier {number}", "Terminé" if closed else "En cours",
         created.isoformat(), *(value.replace(".", ",") for value in values.values())]
        for number, created, closed, values in requests(portfolio, "demands", day)
    ]  # fmt: skip
    own = [alias for _, _, _, alias in FIELDS] + ["Sites"]
    _csv(folder / "demandes.csv", ["No", "Projet", "Demande", "État", "Créée le", *own], rows)


# ---------- what the PMO keeps ----------


def _reference(portfolio: Portfolio, folder: Path, day: date) -> None:
    rows = [[code, name, "portfolio", "", "", "", "", ""] for code, name in PORTFOLIOS.items()]
    rows += [[code, name, "program", parent, "", "", "", ""] for code, (name, parent) in PROGRAMS.items()]
    links = []
    for number, project in enumerate(portfolio.projects, start=1):
        if project.start > day:
            continue
        ahead = [task for task in project.tasks if task.kind == "milestone" and task.days[0] >= day]
        phase = (
            ("Cadrage", "Conception", "Réalisation", "Recette", "Mise en service")[
                ahead[0].phase if ahead else 4
            ]
            if project.tasks
            else "Réalisation"
        )
        over = bool(project.tasks) and not ahead
        rows.append(
            [project.code, project.name, "project", project.program, phase, "closed" if over else "active",
             "Direction métier" if PROGRAMS[project.program][1] == "METIERS" else "DSI", str(number)]
        )  # fmt: skip
        if project.kind in {"plan", "hybrid"}:
            links.append(
                [
                    project.code,
                    "plans",
                    project.name,
                    "",
                    "schedule,baseline,effort" + (",status" if project.kind == "plan" else ""),
                ]
            )
        if project.kind in {"agile", "hybrid"}:
            own = "effort," if project.kind == "agile" else ""
            links.append([project.code, "tracker", project.code, "", f"{own}status,flow,nature"])
        if place := place_of(portfolio, project):
            links.append([project.code, place, project.code, "", "status"])
        for place, container in (("support", f"support-{project.code.lower()}"), ("demands", project.code)):
            if asked_in(portfolio, place) is project:
                links.append([project.code, place, container, "", "flow,nature"])
        links.append([project.code, "hours", project.code, "", "actuals"])
    _csv(
        folder / "projects.csv",
        ["code", "name", "level", "parent_code", "phase", "state", "customer", "priority"],
        rows,
    )
    _csv(folder / "project_links.csv", ["project_code", "source", "container", "filter", "facets"], links)
    people = [
        [
            title_of(one),
            f"m{one.number:03d}@demo.example",
            f"M{one.number:03d}",
            one.team,
            one.role,
            "oui" if one.external else "non",
            "non" if one.external and one.number % 10 == 4 else "oui",
            f"{one.fte:g}".replace(".", ","),
        ]
        for one in portfolio.people
    ]
    _csv(
        folder / "people.csv",
        ["name", "email", "employee_no", "team", "role", "external", "timesheet_expected", "fte"],
        people,
    )
    _csv(
        folder / "rates.csv",
        ["scope", "scope_id", "per_day", "valid_from"],
        [["role", role, str(rate), "2024-01-01"] for role, rate in RATES.items()]
        + [["default", "*", "560", "2024-01-01"]],
    )
    _csv(
        folder / "targets.csv",
        ["kpi", "scope_id", "goal", "amber", "red", "better", "weather"],
        [
            ["EVM_DAYS.cpi", "*", "1", "0,95", "0,85", "up", ""],
            ["EVM_DAYS.spi", "*", "1", "0,95", "0,85", "up", ""],
            ["SLA.compliance.resolution", "*", "0,95", "0,95", "0,90", "up", "non"],
            ["TIMESHEET_COMPLETENESS.completeness", "*", "1", "0,95", "0,85", "up", ""],
            ["DQ_SCORE.score", "*", "95", "90", "80", "up", "non"],
            ["MILESTONE_SLIP.slip_days", "*", "0", "5", "20", "down", ""],
            ["LANDING.variance", "*", "0", "5000", "50000", "down", ""],
        ],
    )
    _csv(
        folder / "statuses.csv",
        ["source", "container", "status", "category"],
        [
            [place, "*", name, category]
            for place in ("boards", "packages")
            if place in places(portfolio)
            for name, category in (("À faire", "todo"), ("En cours", "in_progress"), ("Terminé", "done"))
        ]
        + [["tracker", "*", "Abandonné", "cancelled"]],
    )
    _csv(
        folder / "sla_goals.csv",
        ["project_code", "nature", "metric", "goal_hours"],
        [["*", "incident", "resolution", "408"]],
    )
    checks = []
    for project in portfolio.projects:
        if project.story == "cutover" and project.start <= day:
            share = min(1.0, max(0.0, (day - project.start).days / 330))
            for number in range(24):
                ok = number < 24 * share
                checks.append(
                    [
                        project.code,
                        "Matrice d'exploitabilité",
                        f"{number + 1:02d}",
                        f"Point d'exploitabilité {number + 1}",
                        "oui" if number % 6 else "non",
                        "ok" if ok else "nok" if number == int(24 * share) else "todo",
                    ]
                )
    _csv(folder / "checklists.csv", ["project_code", "list", "ref", "label", "mandatory", "state"], checks)
    _csv(
        folder / "fields.csv",
        ["field", "source", "native", "type", "fr", "en"],
        [
            [name, source, alias, kind, alias, english]
            for (kind, _, _, alias), (name, english) in zip(FIELDS, _NAMED, strict=True)
            for source in ("plans", "support", "demands")
        ]
        + [["sites", source, "Sites", "list", "Sites", "Sites"] for source in ("support", "demands")],
    )
    _csv(
        folder / "assessments.csv",
        ["project_code", "day", "axis", "rag", "trend", "comment", "commentary"],
        _said(portfolio, day),
    )


def _said(portfolio: Portfolio, day: date) -> list[list[str]]:
    """Return what the committee said each month: of the watermelon always green."""
    rows = []
    for back in range(6, -1, -1):
        when = portfolio.today - timedelta(days=30 * back + 1)
        if when > day:
            continue
        for project in portfolio.projects:
            if project.start > when:
                continue
            story = project.story
            rag = {"late": "amber", "crisis": "red", "cutover": "amber"}.get(story, "green")
            trend = "flat"
            if story == "rescued":
                rag, trend = ("red", "down") if back > 3 else ("amber", "up") if back > 1 else ("green", "up")
            if story == "rebaselined":
                rag = "red" if back > 2 else "green"
            comment = {
                "watermelon": "Tout est sous contrôle.",
                "rebaselined": "Nouvelle référence validée." if back <= 2 else "Glissement important.",
            }.get(story, "")
            rows.append(
                [project.code, when.isoformat(), "overall", rag, trend, comment, _WORDS.get(story, "")]
            )
    return rows


# what the project's manager writes for the committee
_WORDS = {
    "late": "Le fournisseur livre avec un mois de retard. Plan de rattrapage présenté au comité.",
    "crisis": "Cellule de crise quotidienne. Retour à la normale visé sous deux semaines.",
    "watermelon": "Les coûts tiennent si la recette n'est pas prolongée.",
    "cutover": "Bascule prête à 80 %. La répétition générale est planifiée.",
    "rescued": "Le périmètre réduit a été accepté. Le rythme est revenu.",
    "rebaselined": "La nouvelle référence tient depuis deux arrêtés.",
}
