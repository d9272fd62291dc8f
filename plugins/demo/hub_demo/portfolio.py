"""Imagine a portfolio: projects, plans that slip, people who log hours. Deterministic by seed and day."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import date, timedelta

import msgspec

PHASES = (
    ("Cadrage", ("Note de cadrage", "Recueil des besoins", "Étude d'impact", "Planification"), "Lancement validé"),
    ("Conception", ("Architecture", "Spécifications", "Maquettes", "Dossier de sécurité", "Plan de tests"), "Conception validée"),
    ("Réalisation", ("Développement lot 1", "Développement lot 2", "Interfaces", "Reprise de données", "Industrialisation",
                     "Documentation"), "Fin de réalisation"),
    ("Recette", ("Recette technique", "Recette fonctionnelle", "Correction des anomalies", "Formation"), "Recette prononcée"),
    ("Mise en service", ("Bascule", "Assistance au démarrage", "Bilan"), "Mise en service régulière"),
)  # fmt: skip
PROGRAMS = {
    "SOCLE": ("Socle technique", "SI", ("Renouvellement du parc serveurs", "Migration messagerie", "Supervision unifiée",
                                        "Segmentation réseau", "Sauvegarde hors ligne", "Gestion des identités")),
    "DIGIT": ("Parcours numériques", "SI", ("Portail client", "Signature électronique", "Application mobile", "Moteur de recherche",
                                            "Espace partenaires", "Tableau de bord qualité")),
    "METIER": ("Outils métier", "METIERS", ("Refonte comptabilité", "Gestion des stocks", "Maintenance terrain", "Paie et temps",
                                            "Achats dématérialisés", "Contrats")),
}  # fmt: skip
PORTFOLIOS = {"SI": "Systèmes d'information", "METIERS": "Métiers"}
STORIES = ("late", "watermelon", "calm", "no_baseline", "rescued", "calm", "late", "calm")


class DemoTask(msgspec.Struct, kw_only=True):
    """One row of a plan; *days* are worked days in order, *done* of them are in the past."""

    uid: int
    name: str
    level: int
    kind: str
    phase: int
    start: date
    finish: date
    base_start: date
    base_finish: date
    person: int = 0
    days: list[date] = []
    done: int = 0


class DemoProject(msgspec.Struct, kw_only=True):
    """One project with its plan; *guid* is the plan's identity."""

    code: str
    name: str
    program: str
    story: str
    guid: str
    start: date
    tasks: list[DemoTask] = []
    budget: float = 0.0

    @property
    def has_baseline(self) -> bool:
        """Say whether the plan was ever baselined."""
        return self.story != "no_baseline"


class Line(msgspec.Struct, kw_only=True):
    """One line of a timesheet."""

    person: int
    project: str
    day: date
    hours: float
    nature: str
    status: str


class Portfolio(msgspec.Struct, kw_only=True):
    """The whole: projects, people (1 to *people*), timesheet lines, risks."""

    today: date
    people: int
    projects: list[DemoProject]
    lines: list[Line]
    risks: list[dict[str, str]]


def workdays(start: date, count: int) -> list[date]:
    """Give *count* Mondays to Fridays from *start* on."""
    days: list[date] = []
    day = start
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    return days


def imagine(*, seed: int, scale: float, today: date) -> Portfolio:
    """Make the portfolio; the same arguments give the same portfolio."""
    rng = random.Random(seed)  # noqa: S311 - a portfolio, not a secret
    names = [(program, name) for program, (_, _, projects) in PROGRAMS.items() for name in projects]
    rng.shuffle(names)
    count = max(2, round(10 * scale))
    people = max(6, round(40 * scale))
    projects = []
    for number in range(count):
        program, name = names[number % len(names)]
        if number >= len(names):
            name = f"{name} {number // len(names) + 1}"
        story = STORIES[number % len(STORIES)]
        guid = f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4{rng.getrandbits(12):03x}-a{rng.getrandbits(12):03x}-{rng.getrandbits(48):012x}"
        start = today - timedelta(days=rng.randint(90, 420))
        project = DemoProject(code=f"P-{number + 1:03d}", name=name, program=program, story=story, guid=guid, start=start)
        _plan(project, rng, people, today)
        projects.append(project)
    lines = _timesheets(projects, rng, people, today)
    return Portfolio(today=today, people=people, projects=projects, lines=lines, risks=_risks(projects, rng, today))


def _plan(project: DemoProject, rng: random.Random, people: int, today: date) -> None:
    slip = {"late": 1.35, "watermelon": 1.25, "rescued": 1.1, "calm": 1.0, "no_baseline": 1.1}[project.story]
    first = (int(project.code[2:]) - 1) * 4
    team = [(first + offset) % people + 1 for offset in range(4)] + ([rng.randint(1, people)] if rng.random() < 0.5 else [])
    uid = 0
    base_day = day = workdays(project.start, 1)[0]
    for number, (phase, names, milestone) in enumerate(PHASES):
        uid += 1
        summary = DemoTask(
            uid=uid, name=phase, level=1, kind="summary", phase=number, start=day, finish=day, base_start=base_day,
            base_finish=base_day,
        )  # fmt: skip
        project.tasks.append(summary)
        for name in names:
            uid += 1
            length = rng.randint(5, 22)
            real = max(1, round(length * (slip if rng.random() < 0.6 else 1.0)))
            base = workdays(base_day, length)
            days = workdays(day, real)
            done = sum(one < today for one in days)
            project.tasks.append(
                DemoTask(
                    uid=uid, name=name, level=2, kind="work", phase=number, start=days[0], finish=days[-1], base_start=base[0],
                    base_finish=base[-1], person=rng.choice(team), days=days, done=done,
                )
            )  # fmt: skip
            overlap = rng.randint(0, 5)
            base_day = workdays(base[-1] + timedelta(days=1), 1)[0] - timedelta(days=overlap)
            day = workdays(days[-1] + timedelta(days=1), 1)[0] - timedelta(days=overlap)
        mine = [task for task in project.tasks if task.phase == number and task.kind == "work"]
        summary.finish, summary.base_finish = max(t.finish for t in mine), max(t.base_finish for t in mine)
        day, base_day = max(day, summary.finish), max(base_day, summary.base_finish)
        uid += 1
        project.tasks.append(
            DemoTask(
                uid=uid, name=milestone, level=2, kind="milestone", phase=number, start=summary.finish, finish=summary.finish,
                base_start=summary.base_finish, base_finish=summary.base_finish, done=int(summary.finish < today),
            )
        )  # fmt: skip
    effort = sum(len(task.days) for task in project.tasks)
    project.budget = round(effort * 560 / 1000) * 1000.0


def _timesheets(projects: list[DemoProject], rng: random.Random, people: int, today: date) -> list[Line]:
    busy: dict[tuple[int, date], set[str]] = defaultdict(set)
    for project in projects:
        for task in project.tasks:
            for day in task.days[: task.done]:
                busy[task.person, day].add(project.code)
    overrun = {project.code: 1.0 if project.story != "watermelon" else 1.15 for project in projects}
    first = min(project.start for project in projects)
    lines = []
    for person in range(1, people + 1):
        forgets = rng.random() < 0.1
        day = first
        while day < today:
            if day.weekday() < 5:
                lines.extend(_day(person, day, sorted(busy.get((person, day), ())), rng, overrun, today, forgets=forgets))
            day += timedelta(days=1)
    return lines


def _day(
    person: int, day: date, codes: list[str], rng: random.Random, overrun: dict[str, float], today: date, *, forgets: bool
) -> list[Line]:
    if (forgets and rng.random() < 0.25) or rng.random() < 0.02:
        return []
    status = "Validé" if (today - day).days > 20 else "Soumis"
    if (day.month == 8 and rng.random() < 0.55) or rng.random() < 0.06:
        return [Line(person=person, project="ABS", day=day, hours=7, nature="Absence", status=status)]
    if not codes:
        if rng.random() < 0.35:
            return [Line(person=person, project="INT", day=day, hours=7, nature="Interne", status=status)]
        return []
    lines = []
    part = round(7 / len(codes) * 4) / 4
    for code in codes:
        hours = round(part * overrun[code] * 4) / 4
        rejected = rng.random() < 0.01
        lines.append(
            Line(person=person, project=code, day=day, hours=hours, nature="Projet", status="Rejeté" if rejected else status)
        )
    return lines


def _risks(projects: list[DemoProject], rng: random.Random, today: date) -> list[dict[str, str]]:
    texts = (
        ("Risque", "Disponibilité des experts"), ("Risque", "Retard du fournisseur"), ("Risque", "Qualité des données à reprendre"),
        ("Action", "Obtenir l'avis de la sécurité"), ("Action", "Planifier la formation"), ("Décision", "Choisir la date de bascule"),
        ("Problème", "Environnement de recette instable"),
    )  # fmt: skip
    found = []
    for project in projects:
        for number in range(rng.randint(2, 6)):
            kind, text = rng.choice(texts)
            opened = today - timedelta(days=rng.randint(5, 200))
            closed = rng.random() < 0.4
            found.append(
                {
                    "Réf": f"{project.code}-R{number + 1:02d}", "Projet": project.code, "Type": kind, "Libellé": text,
                    "Statut": "Clos" if closed else "Ouvert", "Probabilité": f"{rng.choice((10, 30, 50, 70)) / 100:.2f}".replace(".", ","),
                    "Impact": str(rng.randint(1, 5)), "Exposition": str(rng.randint(2, 60) * 1000) if kind == "Risque" else "",
                    "Ouvert le": f"{opened:%d/%m/%Y}", "Échéance": f"{opened + timedelta(days=rng.randint(20, 120)):%d/%m/%Y}",
                    "Clos le": f"{opened + timedelta(days=15):%d/%m/%Y}" if closed else "",
                }
            )  # fmt: skip
    return found
