"""What was known of the portfolio on a day: the past as it was, the future as it was hoped for."""

from __future__ import annotations

from datetime import date, timedelta

from hub_demo.portfolio import KNOWN_AHEAD, DemoProject, DemoTask, Issue, workdays


def forecast(task: DemoTask, day: date) -> list[date]:
    """Return the days of work as the plan of *day* has them.

    Real ones once begun, before that a slip that shows little by little.
    """
    if task.days[0] <= day:
        return task.days
    share = min(1.0, max(0.0, 1 - (task.days[0] - day).days / KNOWN_AHEAD))
    begin = task.base[0] + timedelta(days=round((task.days[0] - task.base[0]).days * share))
    length = len(task.base) + round((len(task.days) - len(task.base)) * share)
    return workdays(max(begin, day), max(1, length))


def reference(project: DemoProject, task: DemoTask, day: date) -> list[date]:
    """Return the baseline as of *day*: a project that was rebaselined has that of its forecast then."""
    if project.rebased and day >= project.rebased:
        return forecast(task, project.rebased)
    return task.base


def done(task: DemoTask, day: date) -> int:
    """Return how many of its days are over."""
    return sum(one < day for one in forecast(task, day)) if task.days[0] <= day else 0


def status(issue: Issue, day: date) -> str:
    """Return the status of an issue at the end of *day*."""
    found = "À faire"
    for when, what in history(issue):
        if when <= day:
            found = what
    return found


def history(issue: Issue) -> list[tuple[date, str]]:
    """Return the moves of an issue, future ones too."""
    if issue.cancelled:
        return [(issue.ended, "Abandonné")]
    moves = [(issue.started, "En cours"), (issue.ended, "Terminé")]
    if issue.reopened:
        moves += [(issue.reopened, "En cours"), (issue.reopened + timedelta(days=3), "Terminé")]
    return moves
