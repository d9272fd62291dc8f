"""Recognise which task of a plan an epic or an issue carries out: a key, a link, or only a like name."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable

import msgspec

from hub.matching.people import State, name_key

_KEY = re.compile(r"\b([A-Za-z][A-Za-z0-9_]*)-(\d+)\b")
_LIKE = 88.0


class PlanTask(msgspec.Struct, frozen=True, kw_only=True):
    """A row of a plan; *texts* are its custom fields and its link."""

    id: str
    project: int
    title: str
    texts: tuple[str, ...] = ()


class ExecTask(msgspec.Struct, frozen=True, kw_only=True):
    """An issue, epic or card; *key* is what people call it."""

    id: str
    project: int
    title: str
    key: str | None = None
    url: str | None = None


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """That *exec_task_id* carries out *plan_task_id*."""

    plan_task_id: str
    exec_task_id: str
    state: State
    method: str
    score: float
    reason: str


def match_tasks(
    plan: Iterable[PlanTask], work: Iterable[ExecTask], prefixes: set[str], *, fuzzy: bool = True
) -> list[Match]:
    """Match by key in a field, link, key in the name, same name, like name.

    The prefix of a key in the name must be one of *prefixes*.
    Names count within one project only. An issue goes to one plan task; a plan task may have many issues.
    """
    tasks = list(work)
    by_key = {task.key.casefold(): task for task in tasks if task.key}
    known = {prefix.casefold() for prefix in prefixes}
    named: dict[tuple[int, str], list[ExecTask]] = defaultdict(list)
    for task in tasks:
        named[task.project, name_key(task.title)].append(task)
    found: dict[str, Match] = {}
    rest: list[PlanTask] = []
    for row in plan:
        exact = _exact(row, by_key, known)
        for task, method, shown in exact:
            found.setdefault(task.id, _match(row, task, "accepted", method, 1.0, shown))
        if exact:
            continue
        same = [task for task in named.get((row.project, name_key(row.title)), []) if name_key(row.title)]
        for task in same:
            score = 0.95 if len(same) == 1 else 0.7
            found.setdefault(
                task.id,
                _match(
                    row,
                    task,
                    "proposed",
                    "same name in the same project",
                    score,
                    f"both are called {row.title!r}",
                ),
            )
        if not same:
            rest.append(row)
    if fuzzy:
        for match in _like(rest, [task for task in tasks if task.id not in found]):
            found.setdefault(match.exec_task_id, match)
    return list(found.values())


def _exact(row: PlanTask, by_key: dict[str, ExecTask], known: set[str]) -> list[tuple[ExecTask, str, str]]:
    found: dict[str, tuple[ExecTask, str, str]] = {}
    for text in row.texts:
        for match in _KEY.finditer(text):
            task = by_key.get(match.group().casefold())
            if task and match.group(1).casefold() in known:
                linked = "://" in text
                found.setdefault(
                    task.id, (task, "url" if linked else "field", f"a field of the plan says {text!r}")
                )
    for match in _KEY.finditer(row.title):
        task = by_key.get(match.group().casefold())
        if task and match.group(1).casefold() in known:
            found.setdefault(task.id, (task, "key in name", f"its name holds {match.group()}"))
    return list(found.values())


def _like(plan: list[PlanTask], work: list[ExecTask]) -> Iterable[Match]:
    """Propose by likeness of names, project by project; each plan task gets its best issue only."""
    from rapidfuzz import fuzz, process

    choices: dict[int, dict[str, str]] = defaultdict(dict)
    by_id = {task.id: task for task in work}
    for task in work:
        if key := name_key(task.title):
            choices[task.project][task.id] = key
    best: Callable[..., tuple[str, float, str] | None] = process.extractOne
    for row in plan:
        key = name_key(row.title)
        if len(key) < 6 or not choices.get(row.project):
            continue
        hit = best(key, choices[row.project], scorer=fuzz.ratio, score_cutoff=_LIKE)
        if hit:
            task = by_id[hit[2]]
            yield _match(
                row,
                task,
                "proposed",
                "like name",
                round(hit[1] / 100 * 0.9, 3),
                f"{row.title!r} reads like {task.title!r}",
            )


def _match(row: PlanTask, task: ExecTask, state: State, method: str, score: float, reason: str) -> Match:
    return Match(
        plan_task_id=row.id, exec_task_id=task.id, state=state, method=method, score=score, reason=reason
    )
