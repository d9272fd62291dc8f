"""The tracker and the boards of the portfolio as they were on a day.

They are what the simulators of their tools are filled with. Ids are numbers.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from hub import Account, Category, Container, CustomValue, Iteration, Record, Task, TaskChange
from hub_demo.known import history, status
from hub_demo.portfolio import LISTS, DemoProject, Issue, Portfolio, title_of

STATES: dict[str, Category] = {
    "À faire": "todo",
    "En cours": "in_progress",
    "Terminé": "done",
    "Abandonné": "done",
}
MORNING, NOON = "T05:00:00Z", "T06:00:00Z"


def tracker_records(portfolio: Portfolio, day: date) -> Iterator[Record]:
    """Yield projects, people, sprints, issues and their history as known at the end of *day*."""
    for person in portfolio.people:
        yield Account(
            id=f"acc-{person.number}",
            display_name=title_of(person),
            email=f"m{person.number:03d}@demo.example",
            tz="Europe/Paris",
        )
    for number, project in enumerate(portfolio.projects, start=1):
        shown = [
            issue
            for issue in project.issues
            if issue.created <= day and not _deleted(project, issue, portfolio.today, day)
        ]
        if not shown:
            continue
        yield Container(id=str(number), kind="project", code=project.code, name=project.name)
        sprints = {}
        for place, (name, first, last) in enumerate(project.sprints, start=1):
            sprints[name] = str(number * 1000 + place)
            closed = last < day
            yield Iteration(
                id=sprints[name],
                name=name,
                state="closed" if closed else "active" if first <= day else "future",
                start_at=f"{first}{MORNING}",
                finish_at=f"{last}{NOON}",
                completed_at=f"{last}{NOON}" if closed else None,
            )
        for issue in shown:
            yield from _issue(issue, number, sprints.get(issue.sprint), day)


def _deleted(project: DemoProject, issue: Issue, today: date, day: date) -> bool:
    """Say whether this is the issue that was deleted in the tracker three weeks ago."""
    return issue.key.endswith("-13") and project.story == "late" and day >= today - timedelta(days=20)


def _issue(issue: Issue, project: int, sprint: str | None, day: date) -> Iterator[Record]:
    native = project * 100_000 + int(issue.key.rpartition("-")[2])
    moves: list[TaskChange] = []
    before = "À faire"
    for when, what in history(issue):
        if when <= day:
            moves.append(_line(native, len(moves), "status", before, what, when, issue))
            before = what
    kind = issue.kind
    if issue.first_nature != issue.nature:  # it was called an anomaly until someone looked at it
        if day >= issue.started:
            moves.append(_line(native, 9, "issuetype", "Bug", kind, issue.started, issue))
        else:
            kind = "Bug"
    now = status(issue, day)
    yield Task(
        id=str(native),
        container_id=str(project),
        code=issue.key,
        title=issue.title,
        kind="summary" if kind == "Epic" else "work",
        type_raw=kind,
        status_raw=now,
        status_native=STATES[now],
        points=issue.points,
        iteration_id=sprint,
        assignee_id=f"acc-{issue.person}",
        created_at=f"{issue.created}{MORNING}",
        updated_at=max([f"{issue.created}{MORNING}", *(one.at for one in moves)]),
    )
    yield from moves


def _line(
    native: int, place: int, field: str, before: str, after: str, when: date, issue: Issue
) -> TaskChange:
    return TaskChange(
        id=str(native * 10 + place),
        task_id=str(native),
        field=field,
        from_value=before,
        to_value=after,
        at=f"{when}{NOON}",
        author_id=f"acc-{issue.person}",
    )


def board_records(portfolio: Portfolio, day: date) -> Iterator[Record]:
    """Yield the board of the small team in Taskworld as known at the end of *day*.

    A card's status is its list.
    """
    for number, project in enumerate(portfolio.projects, start=1):
        if place_of(portfolio, project) == "boards":
            yield Container(id=str(number), kind="board", code=project.code, name=project.code)
            yield from _cards(project, number, day)


def work_records(portfolio: Portfolio, day: date) -> Iterator[Record]:
    """Yield the work packages of the small team in OpenProject as known at the end of *day*."""
    for number, project in enumerate(portfolio.projects, start=1):
        if place_of(portfolio, project) == "packages":
            yield Container(id=str(number), kind="project", code=project.code, name=project.name)
            yield from _cards(project, number, day)


def support_records(portfolio: Portfolio, day: date) -> Iterator[Record]:
    """Yield the requests to the support in Redmine, with their own fields, as known at the end of *day*."""
    project = asked_in(portfolio, "support")
    yield Container(
        id="1", kind="project", code=f"support-{project.code.lower()}", name=f"Support {project.code}"
    )
    for one in portfolio.people[:4]:
        yield Account(
            id=f"{one.number + 1}", display_name=title_of(one), email=f"m{one.number:03d}@demo.example"
        )
    for number, created, ended, values in requests(portfolio, "support", day):
        yield Task(
            id=f"{number}", container_id="1", title=f"Demande d'assistance {number}",
            status_raw="Terminé" if ended else "En cours", status_native="done" if ended else "in_progress",
            assignee_id=f"{portfolio.people[number % 4].number + 1}", created_at=f"{created}{MORNING}",
            updated_at=f"{ended or created}{NOON}",
        )  # fmt: skip
        for name, value in values.items():
            yield CustomValue(id=f"{number}/{name}", row_id=f"{number}", field=name, text=value)


def asked_in(portfolio: Portfolio, place: str) -> DemoProject:
    """Return the project whose requests the support's Redmine or the table of demands has."""
    planned = [one for one in portfolio.projects if one.kind == "plan"] or portfolio.projects
    if place == "demands":
        return planned[0]
    return next((one for one in portfolio.projects if one.kind == "board"), planned[-1])


def requests(
    portfolio: Portfolio, place: str, day: date
) -> Iterator[tuple[int, date, date | None, dict[str, str]]]:
    """Yield the requests of a place up to *day*: number, made, closed, and what their own fields say.

    Redmine has 24 of them, the table 10; every third is still open. The fields are of each type: text,
    number, flag, amount, date, days and list.
    """
    for number in range(1, 25 if place == "support" else 11):
        created = portfolio.today - timedelta(days=7 * number)
        if created > day:
            continue
        closed = created + timedelta(days=5) if number % 3 else None
        yield (
            number,
            created,
            closed if closed and closed <= day else None,
            {
                "Lot": f"Lot {number % 2 + 1}",
                "Complexité": f"{number % 5 + 1}",
                "Sous-traité": f"{number % 2}",
                "Achats prévus": f"{100 * number}.50",
                "Promis le": f"{created + timedelta(days=10)}",
                "Aléa": f"{number % 3}",
                "Sites": "Paris, Lyon" if number % 2 else "Lille",
            },
        )


def place_of(portfolio: Portfolio, project: DemoProject) -> str:
    """Return the source that holds the cards of a project; empty when it has none.

    The first small team has a board, the others work packages.
    """
    first = next((one for one in portfolio.projects if one.cards), None)
    return "" if not project.cards else "boards" if project is first else "packages"


def places(portfolio: Portfolio) -> set[str]:
    """Return the sources that hold cards of a project: a small portfolio may have none."""
    return {place_of(portfolio, project) for project in portfolio.projects} - {""}


def _cards(project: DemoProject, number: int, day: date) -> Iterator[Task]:
    for place, (_, title, created, moves) in enumerate(project.cards, start=1):
        if created > day:
            continue
        column = max((n for n, when in enumerate(moves) if when <= day), default=0)
        yield Task(
            id=str(number * 10_000 + place), container_id=str(number), title=title, status_raw=LISTS[column],
            status_native="done" if column == len(LISTS) - 1 else None, created_at=f"{created}{MORNING}",
            updated_at=f"{max([created, *(when for when in moves if when <= day)])}{NOON}",
        )  # fmt: skip
