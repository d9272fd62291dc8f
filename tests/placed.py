"""Random portfolios, and where their rows belong: the rule in plain Python, from the words of the docs."""

from __future__ import annotations

import random
from typing import Any

import msgspec
from filling import fill

from hub.records import (
    Account,
    Container,
    CustomValue,
    Iteration,
    Project,
    ProjectLink,
    Record,
    Task,
    Worklog,
)
from hub.store import Store

CODES = ("INF", "inf", "Été", "ÉTÉ", "web", None)
NAMES = ("INF", "Été", "Portail", "Paie")
LEVELS = ("project", "project", "project", "workstream", "program")
VALUES = {
    "type": ("Bug", "Story", "Évolution"),
    "status": ("À faire", "Done"),
    "priority": ("Élevée", "Low"),
    "nature": ("anomaly", "build"),
    "kind": ("work", "milestone"),
    "labels": ("ops", "Études", "web_1", "50%"),
    "component": ("Core", "Réseau sud"),
    "iteration": ("Sprint É", "S2"),
    "assignee": ("Élodie Roy", "a@x.org"),
    "code": ("T-1", "T-2", "t-3"),
    "Lot": ("Lot A", "3", "12.5"),
}
GONE = ("deleted", "trashed")
AWAY = ("deleted", "trashed", "hidden", "archived")

# a test is ("=", field, values), a filter is a test, ("not", one), ("and", one, two) or ("or", one, two)
Filter = tuple[Any, ...]


def _test(rng: random.Random) -> Filter:
    field = rng.choice(tuple(VALUES))
    return ("=", field, rng.sample(VALUES[field], rng.randint(1, 2)))


def _filter(rng: random.Random, depth: int = 2) -> Filter:
    shape = rng.choice(("test", "test", "not", "and", "or")) if depth else "test"
    if shape == "test":
        return _test(rng)
    return (shape, *(_filter(rng, depth - 1) for _ in range(1 if shape == "not" else 2)))


def _other_case(rng: random.Random, text: str) -> str:
    return rng.choice((text, text.upper(), text.lower()))


def say(rng: random.Random, one: Filter) -> str:
    """Return a filter as a PMO types it."""
    if one[0] == "=":
        field = _other_case(rng, one[1])
        values = [f'"{_other_case(rng, value)}"' for value in one[2]]
        return f"{field} = {values[0]}" if len(values) == 1 else f"{field} in ({', '.join(values)})"
    if one[0] == "not":
        return f"not ({say(rng, one[1])})"
    return f"({say(rng, one[1])} {one[0]} {say(rng, one[2])})"


def tests_in(one: Filter) -> int:
    """Return how many tests a filter has."""
    return 1 if one[0] == "=" else sum(tests_in(part) for part in one[1:])


class World:
    """Rows of a random portfolio; *lines* are those of project_links.csv with their filters as trees."""

    def __init__(self, seed: int, store: Store) -> None:
        """Draw the rows and write them into *store*, some of them away."""
        rng = self.rng = random.Random(seed)
        self.store = store
        self.projects: list[Project] = []
        if rng.random() < 0.7:
            codes = rng.sample(("INF", "inf", "Été", "WEB", "ZED"), rng.randint(1, 4))
            self.projects = [
                Project(id=f"config:{code}", code=code, name=code, level=rng.choice(LEVELS)) for code in codes
            ]
        self.containers = [
            Container(
                id=f"{source}:c{n}",
                kind=rng.choice(("plan", "project", "table")),
                code=rng.choice(CODES),
                name=rng.choice(NAMES),
            )
            for n, source in enumerate(rng.choices(("jira", "plans"), k=rng.randint(1, 5)))
        ]
        self.iterations = [
            Iteration(id=f"jira:s{n}", name=name) for n, name in enumerate(VALUES["iteration"])
        ]
        self.accounts = [
            Account(id="jira:a0", display_name="Élodie Roy"),
            Account(id="jira:a1", email="A@x.org"),
        ]
        self.tasks = [self._task(n) for n in range(rng.randint(1, 9))]
        self.customs = [self._custom(task) for task in self.tasks if rng.random() < 0.6]
        self.hours = [self._hour(n) for n in range(rng.randint(1, 9))]
        self.lines = [self._line(n) for n in range(rng.randint(0, 5))]
        links: list[Record] = [link for link, _ in self.lines]
        fill(
            store,
            [*self.projects, *self.containers, *self.iterations, *self.accounts],
            [*self.tasks, *self.customs, *self.hours, *links],
        )
        self.presence: dict[str, str] = {}
        for rows, chance in (
            (self.projects, 0.1),
            (self.containers, 0.15),
            (self.tasks, 0.2),
            (self.hours, 0.2),
            (links, 0.1),
            (self.customs, 0.1),
        ):
            for row in rows:
                self.presence[row.id] = "present"
                if rng.random() < chance:
                    self.presence[row.id] = rng.choice(AWAY)
                    store.set_presence(row.table, [row.id], self.presence[row.id], "a test", run_id=9)  # type: ignore[arg-type]
        self.key = {
            row["id"]: row["key"]
            for table in ("project", "container", "task")
            for row in store.rows(f"SELECT id, key FROM {table}")
        }

    def _task(self, n: int) -> Task:
        rng = self.rng
        container = rng.choice([*self.containers, None])
        source = rng.choice(("jira", "plans"))

        def maybe(field: str) -> Any:
            return rng.choice((None, *VALUES[field]))

        return Task(
            id=f"{source}:t{n}",
            title=f"Task {n}",
            container_id=container.id if container else "jira:unknown",
            code=rng.choice((None, "T-1", "T-2", "T-3")),
            type_raw=maybe("type"),
            status_raw=maybe("status"),
            priority_raw=maybe("priority"),
            nature=rng.choice(VALUES["nature"]),
            kind=rng.choice(VALUES["kind"]),  # type: ignore[arg-type]
            labels=" ".join(rng.sample(VALUES["labels"], rng.randint(0, 3))) or None,
            iteration_id=rng.choice((None, "jira:s0", "jira:s1")),
            assignee_id=rng.choice((None, "jira:a0", "jira:a1")),
            estimate_s=3600 * (n + 1),
            remaining_s=60 * (n + 1),
        )

    def _custom(self, task: Task) -> CustomValue:
        field, value = self.rng.choice(
            (
                ("components", {"text": "Core, Windows"}),
                ("Components", {"text": "réseau SUD"}),
                ("lot", {"text": "Lot A"}),
                ("Lot", {"number": 3.0}),
                ("Lot", {"number": 12.5}),
            )
        )
        return CustomValue(id=f"{task.id}/{field}", row_id=task.id, field=field, **value)

    def _hour(self, n: int) -> Worklog:
        rng = self.rng
        task = rng.choice([*self.tasks, None, None])
        named = task.id if task else rng.choice((None, "jira:T-1", "plans:T-2"))
        return Worklog(
            id=f"{rng.choice(('jira', 'times'))}:w{n}",
            task_id=named,
            day="2026-03-02",
            seconds=1 << n,
            container_id=rng.choice([None, None, *(one.id for one in self.containers)]),
        )

    def _line(self, n: int) -> tuple[ProjectLink, Filter | None]:
        rng = self.rng
        container = rng.choice(self.containers)
        source = container.id.partition(":")[0]
        tree = _filter(rng) if rng.random() < 0.7 else None
        link = ProjectLink(
            id=f"config:{n}",
            project_code=rng.choice(("INF", "inf", "Été", "WEB", "NONE")),
            container_id=rng.choice(
                (container.id, f"{source}:{container.code}", f"{source}:{container.name}")
            ),
            filter=say(rng, tree) if tree else "",
        )
        return link, tree

    # ---------- where a row belongs ----------

    def here(self, row: Record) -> bool:
        """Say whether *row* itself has not left."""
        return self.presence[row.id] not in GONE

    def container(self, id_: str | None) -> Container | None:
        """Return the container *id_*."""
        return next((one for one in self.containers if one.id == id_), None)

    def stands(self, task: Task) -> bool:
        """Say whether a task counts: it and its container do."""
        container = self.container(task.container_id)
        return self.here(task) and (container is None or self.here(container))

    def gathering(self) -> list[Project]:
        """Return the projects that gather containers, oldest first."""
        found = [p for p in self.projects if self.here(p) and p.level in {"project", "workstream"}]
        return sorted(found, key=lambda p: self.key[p.id])

    def linked(self, container: Container) -> dict[str, tuple[int, Filter | None]]:
        """Return, for each filter of the lines that name *container*, the project's key and the tree."""
        source = container.id.partition(":")[0]
        names = {container.id, f"{source}:{container.name}"}
        if container.code is not None:
            names.add(f"{source}:{container.code}")
        lines = [(link, tree) for link, tree in self.lines if self.here(link) and link.container_id in names]
        found: dict[str, tuple[int, Filter | None]] = {}
        for link, tree in sorted(lines, key=lambda one: (one[0].project_code, one[0].id)):
            keys = [self.key[p.id] for p in self.gathering() if p.code == link.project_code]
            found.setdefault(link.filter, (keys[0] if keys else -1, tree))
        return found

    def home(self, container: Container) -> int:
        """Return the project of a container as a whole: its line, else its own code."""
        if not self.here(container):
            return -1
        lines = self.linked(container)
        if "" in lines:
            return lines[""][0]
        if not any(self.here(p) for p in self.projects):
            mine = (container.code or container.id).lower()
            same = [c for c in self.containers if self.here(c) and (c.code or c.id).lower() == mine]
            return -1 - min(self.key[c.id] for c in same)
        code = container.code
        if code is None:
            return -1
        alike = [p for p in self.gathering() if p.code.lower() == code.lower()]
        best = [p for p in alike if p.code == code] or alike
        return self.key[best[0].id] if best else -1

    def takes(self, one: Filter, task: Task) -> bool:
        """Say whether a filter takes *task*."""
        if one[0] == "not":
            return not self.takes(one[1], task)
        if one[0] in {"and", "or"}:
            return (all if one[0] == "and" else any)(self.takes(part, task) for part in one[1:])
        _, field, wanted = one
        values: set[str] = set()
        if field == "labels":
            values = set((task.labels or "").split())
        elif field == "iteration":
            values = {i.name for i in self.iterations if i.id == task.iteration_id}
        elif field == "assignee":
            who = [a for a in self.accounts if a.id == task.assignee_id]
            values = {text for a in who for text in (a.display_name, a.email) if text}
        elif field in {"component", "Lot"}:
            name = "components" if field == "component" else "lot"
            for value in self.customs:
                if value.row_id == task.id and value.field.lower() == name and self.here(value):
                    values |= set((value.text or f"{value.number:g}").split(", "))
        else:
            values = {
                msgspec.structs.asdict(task)[field if field in {"nature", "kind", "code"} else f"{field}_raw"]
                or ""
            }
        return bool({text.lower() for text in values} & {text.lower() for text in wanted})

    def of_task(self, task: Task) -> tuple[int, list[str]]:
        """Return the project of *task* and, where equally specific filters claim it, those filters."""
        container = self.container(task.container_id)
        if container is None:
            return -1, []
        claims = [
            (tests_in(tree), text, project)
            for text, (project, tree) in self.linked(container).items()
            if tree is not None and self.takes(tree, task)
        ]
        if not claims:
            return self.home(container), []
        most = max(terms for terms, _, _ in claims)
        best = [(text, project) for terms, text, project in claims if terms == most]
        if len(best) > 1:
            return -1, sorted(text for text, _ in best)
        return (best[0][1] if self.here(container) else -1), []

    def task_of(self, hour: Worklog) -> Task | None:
        """Return the task an hour names, by id, else by source and code: one that counts, the newest."""
        for task in self.tasks:
            if task.id == hour.task_id:
                return task
        coded = [t for t in self.tasks if t.code and f"{t.id.partition(':')[0]}:{t.code}" == hour.task_id]
        return max(coded, key=lambda t: (self.stands(t), self.key[t.id])) if coded else None

    def of_hour(self, hour: Worklog) -> tuple[int, bool]:
        """Return the project of an hour, and whether it counts."""
        task = self.task_of(hour)
        id_ = hour.container_id or (task.container_id if task else None)
        container = self.container(id_)
        same_source = task is not None and task.id.partition(":")[0] == hour.id.partition(":")[0]
        counts = (
            self.here(hour)
            and not (same_source and task is not None and not self.stands(task))
            and (container is None or self.here(container))
        )
        if container is None:
            return -1, counts
        if task is not None and task.container_id == container.id:
            return self.of_task(task)[0], counts
        return self.home(container), counts

    def label(self, key: int) -> str:
        """Return what people call a project."""
        if key == -1:
            return ""
        if key > 0:
            return next(p.code for p in self.projects if self.key[p.id] == key)
        same = [c for c in self.containers if self.here(c) and self.home_alone(c) == key]
        first = min(same, key=lambda c: (c.kind != "plan", self.key[c.id]))
        return first.code or first.name

    def home_alone(self, container: Container) -> int:
        """Return the project of its own code that a container is where no portfolio stands."""
        mine = (container.code or container.id).lower()
        return -1 - min(
            self.key[c.id] for c in self.containers if self.here(c) and (c.code or c.id).lower() == mine
        )
