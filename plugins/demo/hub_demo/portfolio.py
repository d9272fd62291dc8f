"""Imagine a portfolio whole, from its first day to its last, the same by seed and day.

Plans that slip, sprints, people who log hours.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

PHASES = (
    (
        "Cadrage",
        ("Note de cadrage", "Recueil des besoins", "Étude d'impact", "Planification"),
        "Lancement validé",
    ),
    (
        "Conception",
        ("Architecture", "Spécifications", "Maquettes", "Dossier de sécurité", "Plan de tests"),
        "Conception validée",
    ),
    (
        "Réalisation",
        (
            "Développement lot 1",
            "Développement lot 2",
            "Interfaces",
            "Reprise de données",
            "Industrialisation",
            "Documentation",
        ),
        "Fin de réalisation",
    ),
    (
        "Recette",
        ("Recette technique", "Recette fonctionnelle", "Correction des anomalies", "Formation"),
        "Recette prononcée",
    ),
    ("Mise en service", ("Bascule", "Assistance au démarrage", "Bilan"), "Mise en service régulière"),
)
PORTFOLIOS = {"SI": "Systèmes d'information", "METIERS": "Métiers"}
PROGRAMS = {
    "SOCLE": ("Socle technique", "SI"),
    "CYBER": ("Cybersécurité", "SI"),
    "DIGIT": ("Parcours numériques", "SI"),
    "GESTION": ("Outils de gestion", "METIERS"),
    "TERRAIN": ("Outils de terrain", "METIERS"),
}
# kind, story, name, program
PROJECTS = (
    ("plan", "watermelon", "Renouvellement du parc serveurs", "SOCLE"),
    ("plan", "rescued", "Migration messagerie", "SOCLE"),
    ("plan", "rebaselined", "Refonte comptabilité", "GESTION"),
    ("hybrid", "cutover", "Bascule ERP", "GESTION"),
    ("agile", "crisis", "Réponse à l'incident cyber", "CYBER"),
    ("agile", "calm", "Portail client", "DIGIT"),
    ("plan", "no_baseline", "Segmentation réseau", "CYBER"),
    ("agile", "calm", "Application mobile", "DIGIT"),
    ("board", "calm", "Sauvegarde hors ligne", "SOCLE"),
    ("agile", "late", "Espace partenaires", "DIGIT"),
    ("plan", "late", "Gestion des stocks", "TERRAIN"),
    ("hybrid", "calm", "Gestion des identités", "CYBER"),
    ("agile", "calm", "Signature électronique", "DIGIT"),
    ("plan", "calm", "Supervision unifiée", "SOCLE"),
    ("agile", "calm", "Moteur de recherche", "DIGIT"),
    ("board", "calm", "Tableau de bord qualité", "GESTION"),
    ("agile", "late", "Maintenance terrain", "TERRAIN"),
    ("hybrid", "late", "Paie et temps", "GESTION"),
    ("agile", "calm", "Contrats", "GESTION"),
    ("plan", "no_baseline", "Archivage légal", "TERRAIN"),
    ("agile", "calm", "Achats dématérialisés", "GESTION"),
    ("plan", "late", "Télédiagnostic", "TERRAIN"),
    ("hybrid", "calm", "Entrepôt de données", "SOCLE"),
    ("agile", "calm", "Suivi des tournées", "TERRAIN"),
)
TEAMS = ("Systèmes", "Réseaux", "Études A", "Études B", "Mobilité", "Données", "Exploitation", "Cyber")
LISTS = ("Idées", "À faire", "En cours", "Bloqué", "À valider", "Terminé")
OVERRUN = {
    "watermelon": 1.55,
    "late": 1.12,
    "cutover": 1.08,
    "rebaselined": 1.15,
    "no_baseline": 1.05,
    "calm": 1.0,
    "crisis": 1.0,
    "rescued": 1.0,
}
SLIP = {
    "watermelon": 1.15,
    "late": 1.35,
    "cutover": 1.12,
    "rebaselined": 1.4,
    "no_baseline": 1.1,
    "calm": 1.0,
    "rescued": 1.2,
}
KNOWN_AHEAD = 120


class Someone(msgspec.Struct, frozen=True, kw_only=True):
    """One of the people; *number* is 1 upwards."""

    number: int
    team: str
    role: str
    external: bool
    fte: float


def title_of(person: Someone) -> str:
    """Return what stands in the place of a name: nobody is invented."""
    return f"{person.role} {person.number:02d}"


class DemoTask(msgspec.Struct, kw_only=True):
    """One row of a plan: what was promised, and the *days* really worked, future ones too."""

    uid: int
    name: str
    level: int
    kind: str
    phase: int
    base: list[date] = []
    days: list[date] = []
    person: int = 0
    ticket: str = ""


class Issue(msgspec.Struct, kw_only=True):
    """One issue of the tracker; *started* and *ended* are days, future ones too."""

    key: str
    title: str
    kind: str
    nature: str
    first_nature: str
    points: float | None
    sprint: str
    person: int
    created: date
    started: date
    ended: date
    reopened: date | None = None
    cancelled: bool = False
    epic: str = ""


class DemoProject(msgspec.Struct, kw_only=True):
    """One project; *guid* is its plan's identity, *sprints* are (name, first day, last day)."""

    code: str
    name: str
    program: str
    kind: str
    story: str
    guid: str
    start: date
    rebased: date | None = None
    tasks: list[DemoTask] = []
    issues: list[Issue] = []
    sprints: list[tuple[str, date, date]] = []
    cards: list[tuple[str, str, date, list[date]]] = []
    budget: float = 0.0


class Line(msgspec.Struct, kw_only=True):
    """One line of a timesheet."""

    person: int
    project: str
    day: date
    hours: float
    nature: str
    ticket: str = ""
    activity: str = ""
    rejected: bool = False
    billable: bool = True


class Portfolio(msgspec.Struct, kw_only=True):
    """The whole: projects, people, timesheet lines up to *today*, registers."""

    today: date
    people: list[Someone]
    projects: list[DemoProject]
    lines: list[Line]
    register: list[dict[str, str]]


def workdays(start: date, count: int) -> list[date]:
    """Return *count* Mondays to Fridays from *start* on."""
    days: list[date] = []
    day = start
    while len(days) < count:
        if day.weekday() < 5:
            days.append(day)
        day += timedelta(days=1)
    return days


def imagine(*, seed: int, scale: float, today: date) -> Portfolio:
    """Make the portfolio; the same arguments make the same portfolio."""
    rng = random.Random(seed)  # noqa: S311 - a portfolio, not a secret
    count = max(4, round(24 * scale))
    staff = max(16, round(62 * min(scale, 4)))
    people = [
        Someone(
            number=number,
            team=TEAMS[number % 8],
            role=("Ingénieur", "Développeur", "Chef de projet", "Développeur")[number % 4],
            external=number % 5 == 4,
            fte=0.8 if number % 12 == 7 else 1.0,
        )
        for number in range(1, staff + 1)
    ]
    projects = []
    first = today - timedelta(days=537)
    busy: set[tuple[int, date]] = set()
    promised: set[tuple[int, date]] = set()
    for number in range(count):
        kind, story, name, program = PROJECTS[number % len(PROJECTS)]
        again = number // len(PROJECTS)
        guid = (
            f"{rng.getrandbits(32):08x}-{rng.getrandbits(16):04x}-4{rng.getrandbits(12):03x}"
            f"-a{rng.getrandbits(12):03x}-{rng.getrandbits(48):012x}"
        )
        start = (
            first if kind == "agile" and story != "crisis" else today - timedelta(days=rng.randint(110, 230))
        )
        if story == "rescued":
            start = today - timedelta(days=230)
        if story == "crisis":
            start = today - timedelta(days=45)
        project = DemoProject(
            code=f"P{number + 1:03d}",
            name=f"{name} {again + 1}" if again else name,
            program=program,
            kind=kind,
            story=story,
            guid=guid,
            start=start,
            rebased=today - timedelta(days=50) if story == "rebaselined" else None,
        )
        share = len(people) // 2
        team = [1 + (number * 3 + offset) % share for offset in range(4)] if kind in {"plan", "hybrid"} else [
            share + 1 + (number * 3 + offset) % (len(people) - share) for offset in range(4)]  # fmt: skip
        if kind in {"plan", "hybrid"}:
            _plan(project, rng, team, busy, promised)
        elif kind == "agile":
            _sprints(
                project,
                rng,
                team if story != "crisis" else [p.number for p in people][: min(35, len(people))],
                today,
                busy,
            )
        else:
            _board(project, rng, today)
        projects.append(project)
    lines = _timesheets(projects, people, rng, today, first)
    return Portfolio(
        today=today, people=people, projects=projects, lines=lines, register=_register(projects, rng, today)
    )


def _free(start: date, count: int, person: int, busy: set[tuple[int, date]]) -> list[date]:
    """Return the next *count* workdays on which *person* is free, and take them."""
    days: list[date] = []
    day = start
    while len(days) < count:
        if day.weekday() < 5 and (person, day) not in busy and not (day.month == 8 and 3 <= day.day <= 14):
            days.append(day)
            busy.add((person, day))
        day += timedelta(days=1)
    return days


def _first_free(day: date, person: int, busy: set[tuple[int, date]]) -> date:
    while day.weekday() > 4 or (person, day) in busy:
        day += timedelta(days=1)
    return day


def _plan(
    project: DemoProject,
    rng: random.Random,
    team: list[int],
    busy: set[tuple[int, date]],
    promised: set[tuple[int, date]],
) -> None:
    uid = epic = 0
    base_day = day = workdays(project.start, 1)[0]
    for number, (phase, names, milestone) in enumerate(PHASES):
        uid += 1
        summary = DemoTask(uid=uid, name=phase, level=1, kind="summary", phase=number)
        project.tasks.append(summary)
        ends, base_ends = [], []
        for name in names:
            uid += 1
            length = rng.randint(5, 18)
            slip = SLIP[project.story] * rng.lognormvariate(0.0, 0.12)
            # whoever of the team is free first
            person = min(team, key=lambda one: (_first_free(day, one, busy), one))
            task = DemoTask(
                uid=uid,
                name=name,
                level=2,
                kind="work",
                phase=number,
                person=person,
                base=_free(base_day, length, person, promised),
                days=_free(day, max(2, round(length * (slip if rng.random() < 0.7 else 1.0))), person, busy),
            )
            if project.kind == "hybrid" and rng.random() < 0.9:
                epic += 1
                task.ticket = f"{project.code}-{epic}"
                task.name = f"{name} [{task.ticket}]"
            project.tasks.append(task)
            ends.append(task.days[-1])
            base_ends.append(task.base[-1])
            base_day = max(base_day, workdays(task.base[len(task.base) * 2 // 3], 1)[0])
            day = max(day, workdays(task.days[len(task.days) * 2 // 3], 1)[0])
        uid += 1
        project.tasks.append(
            DemoTask(
                uid=uid,
                name=milestone,
                level=2,
                kind="milestone",
                phase=number,
                base=[max(base_ends)],
                days=[max(ends)],
            )
        )
        day, base_day = (
            max(day, max(ends) - timedelta(days=4)),
            max(base_day, max(base_ends) - timedelta(days=4)),
        )
    project.budget = (
        round(sum(len(task.base) for task in project.tasks if task.kind == "work") * 560 / 1000) * 1000.0
        + rng.choice((20, 40, 60)) * 1000
    )
    if project.story == "watermelon":  # its money lasts: until now the landing is no worse than amber
        project.budget += 15_000.0
    if project.kind == "hybrid":
        for task in project.tasks:
            if task.ticket:
                project.issues.append(
                    Issue(
                        key=task.ticket,
                        title=task.name.split(" [")[0],
                        kind="Epic",
                        nature="build",
                        first_nature="build",
                        points=None,
                        sprint="",
                        person=task.person,
                        created=project.start,
                        started=task.days[0],
                        ended=task.days[-1],
                    )
                )


def _sprints(
    project: DemoProject, rng: random.Random, team: list[int], today: date, busy: set[tuple[int, date]]
) -> None:
    number = 0
    day = project.start - timedelta(days=project.start.weekday())
    length = 7 if project.story == "crisis" else 21
    pace = 0.8 if project.story == "late" else 1.0
    sprint = 0
    while day < today + timedelta(days=63):
        sprint += 1
        name = f"{project.code} Sprint {sprint}"
        last = day + timedelta(days=length - 3)
        project.sprints.append((name, day, last))
        for person in team:
            at = day
            while at <= last and number < 900:
                number += 1
                drawn = rng.random()
                nature = (
                    "build"
                    if drawn < 0.62
                    else "anomaly"
                    if drawn < 0.80
                    else "evolution"
                    if drawn < 0.92
                    else "incident"
                    if drawn < 0.97
                    else "unknown"
                )
                work = _free(at, rng.randint(1, 4), person, busy)
                created = min(at, work[0]) - timedelta(days=rng.randint(1, 15))
                started = work[0]
                slow = rng.random() >= pace or (nature == "incident" and rng.random() < 0.07)
                ended = work[-1] + timedelta(days=rng.randint(6, 25) if slow else 0)
                project.issues.append(
                    Issue(
                        key=f"{project.code}-{number}",
                        title=f"{('Écran', 'Service', 'Règle', 'Import', 'Alerte')[number % 5]} {number}",
                        kind={
                            "build": "Story",
                            "anomaly": "Bug",
                            "evolution": "Evolution",
                            "incident": "Incident",
                            "unknown": "Task",
                        }[nature],
                        nature=nature,
                        first_nature="anomaly" if nature == "evolution" and rng.random() < 0.3 else nature,
                        points=float(rng.choice((1, 2, 3, 5, 8)))
                        if nature in {"build", "evolution"}
                        else None,
                        sprint=name,
                        person=person,
                        created=max(created, project.start - timedelta(days=20)),
                        started=started,
                        ended=ended,
                        reopened=ended + timedelta(days=2) if rng.random() < 0.06 else None,
                        cancelled=rng.random() < 0.03,
                    )
                )
                at = work[-1] + timedelta(days=1)
        day += timedelta(days=length)
    project.budget = (
        round(len(team) * 380 * 0.8 * 560 / 1000) * 1000.0 if project.story != "crisis" else 480_000.0
    )


def _board(project: DemoProject, rng: random.Random, today: date) -> None:
    for number in range(1, 120):
        created = project.start + timedelta(days=rng.randint(0, max(1, (today - project.start).days)))
        moves = [created + timedelta(days=rng.randint(2, 14) * step) for step in range(len(LISTS))]
        project.cards.append((f"{project.code}-C{number:03d}", f"Carte {number}", created, moves))
    project.budget = 60_000.0


def _overrun(project: DemoProject, day: date, today: date) -> float:
    if project.story == "rescued":
        return 1.7 if day < today - timedelta(days=90) else 0.8
    return OVERRUN[project.story]


Things = list[tuple[DemoProject, str]]
"""What a person does on a day: projects, with the ticket where there is one."""


def _timesheets(
    projects: list[DemoProject], people: list[Someone], rng: random.Random, today: date, first: date
) -> list[Line]:
    work = _work(projects, people, today)
    lines: list[Line] = []
    for person in people:
        day = first
        missing_week = None
        forgets = 0.25 if person.team == "Exploitation" else 0.05
        while day < today:
            if day.weekday() == 0:
                missing_week = rng.random() < forgets
            if day.weekday() < 5 and not missing_week:
                lines.extend(_day(person, day, work.get((person.number, day), []), rng, today))
            day += timedelta(days=1)
    for project in projects:
        if project.kind == "agile":
            # what was granted is near what it takes: five weeks in six are over
            spent = sum(line.hours for line in lines if line.project == project.code) / 7 * 500
            share = {"late": 0.78, "crisis": 0.9}.get(project.story, 1.0) * rng.lognormvariate(0.03, 0.08)
            project.budget = max(50_000.0, round(spent / 0.86 / 0.8 * share / 1000) * 1000.0)
    return lines


def _work(projects: list[DemoProject], people: list[Someone], today: date) -> dict[tuple[int, date], Things]:
    """Return what each person worked on before *today*, by number and day."""
    work: dict[tuple[int, date], Things] = defaultdict(list)
    for project in projects:
        for person, day, ticket in (
            *_on_plan(project),
            *_on_issues(project, today),
            *_on_board(project, len(people)),
        ):
            if day < today:
                work[person, day].append((project, ticket))
    return work


def _on_plan(project: DemoProject) -> Iterator[tuple[int, date, str]]:
    for task in project.tasks:
        for day in task.days if task.kind == "work" else ():
            yield task.person, day, task.ticket


def _on_issues(project: DemoProject, today: date) -> Iterator[tuple[int, date, str]]:
    for issue in project.issues:
        if issue.kind == "Epic":
            continue
        day = issue.started
        while day <= min(issue.ended, issue.started + timedelta(days=8)) and day < today:
            if day.weekday() < 5:
                yield issue.person, day, issue.key
            day += timedelta(days=1)


def _on_board(project: DemoProject, people: int) -> Iterator[tuple[int, date, str]]:
    for number, (_, _, created, moves) in enumerate(project.cards):
        for day in workdays(created, 2):
            if day < moves[-1]:
                yield 1 + (number * 7 + len(project.code)) % people, day, ""


def _day(person: Someone, day: date, things: Things, rng: random.Random, today: date) -> list[Line]:
    if (day.month == 8 and rng.random() < 0.5) or (day.month == 12 and day.day > 22) or rng.random() < 0.05:
        return [Line(person=person.number, project="ABS", day=day, hours=7, nature="Absence", billable=False)]
    if not things:
        if rng.random() < 0.3:
            return [
                Line(person=person.number, project="INT", day=day, hours=7, nature="Interne", billable=False)
            ]
        return []
    lines = []
    part = 7 * person.fte / len(things)
    seen: set[tuple[str, str]] = set()
    for project, ticket in things:
        if (project.code, ticket) in seen:
            continue
        seen.add((project.code, ticket))
        hours = round(part * _overrun(project, day, today) * 4) / 4
        rejected = rng.random() < 0.03
        for activity, share in (("Production", 0.6), ("Réunions", 0.15), ("Support", 0.25)):
            lines.append(
                Line(
                    person=person.number,
                    project=project.code,
                    day=day,
                    hours=round(hours * share, 2),
                    nature="Projet",
                    ticket=ticket,
                    activity=activity,
                    rejected=rejected,
                    billable=project.story != "crisis",
                )
            )
    if rng.random() < 0.004:
        lines.append(
            Line(
                person=person.number,
                project="INT",
                day=day,
                hours=-1,
                nature="Interne",
                activity="Correction",
                billable=False,
            )
        )
    return lines


def _register(projects: list[DemoProject], rng: random.Random, today: date) -> list[dict[str, str]]:
    texts = (
        ("Risque", "Disponibilité des experts"),
        ("Risque", "Retard du fournisseur"),
        ("Risque", "Qualité des données à reprendre"),
        ("Action", "Obtenir l'avis de la sécurité"),
        ("Action", "Planifier la formation"),
        ("Décision", "Choisir la date de bascule"),
        ("Problème", "Environnement de recette instable"),
    )
    found = []
    for project in projects:
        for number in range(rng.randint(5, 10)):
            kind, text = rng.choice(texts)
            opened = today - timedelta(days=rng.randint(1, 200))
            closed = opened + timedelta(days=rng.randint(10, 160))
            found.append(
                {
                    "Réf": f"{project.code}-R{number + 1:02d}",
                    "Projet": project.code,
                    "Type": kind,
                    "Libellé": text,
                    "Probabilité": f"{rng.choice((10, 30, 50, 70)) / 100:.2f}".replace(".", ","),
                    "Impact": str(rng.randint(1, 5)),
                    "Exposition": str(rng.randint(2, 60) * 1000) if kind == "Risque" else "",
                    "Ouvert le": opened.isoformat(),
                    "Échéance": (opened + timedelta(days=rng.randint(20, 120))).isoformat(),
                    "Clos le": closed.isoformat(),
                    "Demandé à": ("COPIL", "Direction")[number % 2] if kind == "Décision" else "",
                }
            )
    return found
