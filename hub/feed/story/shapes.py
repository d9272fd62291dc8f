"""The shapes of the story: what papers are given to draw."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal

import msgspec

from hub.words import Lang

Rag = Literal["green", "amber", "red", "grey"]


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure of the catalogue as `fact_kpi` has it: *value* in *unit*, NULL as None and never 0.

    *caption* is what it is called in the story's language; *coverage* (0 to 1) is of what share it is known.
    """

    kpi: str
    measure: str
    value: float | None
    unit: str
    caption: str
    rag: Rag | None = None
    target: float | None = None
    coverage: float | None = None
    period: str = ""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One project at the cut, the reddest first: its weather *declared* by people and *computed* of figures.

    *trend* is better, same or worse than at the committee before. *confidence* (high, medium, low) is in
    the figures, with its reason. *figures* are by ``KPI.measure``; *fields* are what fields.csv names of
    projects, by their columns in `dim_project`.
    """

    key: int
    code: str
    name: str
    program: str | None
    portfolio: str | None
    phase: str | None
    state: str | None
    declared: Rag | None
    computed: Rag | None
    trend: Literal["better", "same", "worse"] | None
    is_contradicted: bool
    reason: str | None
    commentary: str | None
    confidence: Literal["high", "medium", "low"] | None
    confidence_reason: str | None
    figures: dict[str, Figure] = {}
    fields: dict[str, Any] = {}

    @property
    def called(self) -> str:
        """Return its code and name; a project without a code of its own is called by its name."""
        return self.code if self.code.startswith(self.name) else f"{self.code} {self.name}"

    @property
    def weather(self) -> Rag | None:
        """Return the colour to show first: the computed one, else the declared one."""
        return self.computed or self.declared

    def value(self, name: str) -> float | None:
        """Return the value of the figure ``KPI.measure``, or None."""
        found = self.figures.get(name)
        return found.value if found else None


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that moved since the committee before, as `fact_move` has it; a correction is no news."""

    project_key: int
    topic: Literal["milestone", "budget", "effort", "risk", "scope"]
    cause: Literal["news", "correction", "definition changed"]
    item: str
    measure: str
    unit: str
    before_value: float | None
    after_value: float | None
    before_date: date | None
    after_date: date | None
    delta: float | None


class Milestone(msgspec.Struct, frozen=True, kw_only=True):
    """One milestone; *finish* is when it was reached or is expected, *slip_days* against its baseline.

    An open one whose date lies in the past is expected at the cut (the rule of MILESTONE_SLIP). *url* is
    where its tool shows it.
    """

    project_key: int
    title: str
    baseline: date | None
    finish: date | None
    slip_days: float | None
    state: Literal["done", "late", "open"]
    url: str | None = None


class RegisterEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One open risk, issue, action or decision; *expected* is probability times exposure in money."""

    project_key: int
    kind: Literal["risk", "issue", "action", "decision"]
    title: str
    asked_of: str | None
    opened_date: date | None
    due_date: date | None
    probability: float | None
    impact: int | None
    exposure: float | None
    expected: float | None
    score: float | None


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """The load of one team in one week: *load* is allocated over available hours."""

    team: str
    week_start: date
    load: float | None
    allocated_h: float | None
    available_h: float | None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """One point of a curve of a project: *series* planned, earned, actual, done, scope or slip."""

    project_key: int
    series: str
    date: date
    value: float
    label: str = ""


class Sla(msgspec.Struct, frozen=True, kw_only=True):
    """SLAs of one kind in one month, of a project or of the whole portfolio (None): a share of 0 to 1."""

    project: int | None
    metric: str
    month: date
    compliance: float
    met: float | None
    measured: float | None


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """When the work of a project begins and ends, and does so in its baseline."""

    project_key: int
    start: date
    finish: date
    baseline_start: date | None
    baseline_finish: date | None


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """The hours of a project in one month: planned in the workload plan, and spent."""

    project_key: int
    month: date
    planned_h: float | None
    spent_h: float | None


class Rejection(msgspec.Struct, frozen=True, kw_only=True):
    """Things of one kind that a source met and could not be taken: *n* of them, and what the figures lack."""

    source: str
    record: str
    field: str | None
    reason: str
    n: int
    hours: float | None
    amount: float | None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """When a project ends as forecast at the cut *label* on the day *as_of*, with chances of 50, 80 and 95 %.

    A day that is None has no end in sight. Chances are of 0 to 1, None where there is nothing to meet.
    *outcomes* of earlier forecasts calibrate it; *is_thin* says that they are few.
    """

    project_key: int
    label: str
    as_of: date
    is_now: bool
    p50: date | None
    p80: date | None
    p95: date | None
    baseline: date | None
    deadline: date | None
    chance_baseline: float | None
    chance_deadline: float | None
    cost_p80: float | None
    chance_budget: float | None
    outcomes: int
    is_thin: bool


class Driver(msgspec.Struct, frozen=True, kw_only=True):
    """A task that drives its project's finish: *criticality* is how often it is on the longest path (0 to 1).

    *early_days* (at most 0) and *late_days* are what it moves the finish by, at best and at worst.
    """

    project_key: int
    title: str
    criticality: float
    early_days: float
    late_days: float


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """One sentence of the synthesis, on one *topic*, with the colour it deserves."""

    topic: str
    text: str
    rag: Rag | None = None


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """What a committee reads of one cut, in one language; ``project(key)`` and ``of(key)`` narrow it.

    *label* and *before* are the cut and the committee before it (None: there is none to compare with).
    *complete* says whether every source was whole, *missing* what was not, *sources* what the figures
    stand on. *totals* are the figures of the whole portfolio. What a level of detail or a closed cut does not
    hold is empty.
    """

    lang: Lang
    feed_id: str
    currency: str
    privacy: str
    label: str
    as_of: date
    is_now: bool
    before: str | None
    next_committee: date
    is_next_known: bool
    complete: bool
    missing: tuple[str, ...]
    sources: tuple[str, ...] = ()
    synthesis: tuple[Line, ...] = ()
    totals: dict[str, Figure] = {}
    projects: tuple[Project, ...] = ()
    moves: tuple[Move, ...] = ()
    milestones: tuple[Milestone, ...] = ()
    decisions: tuple[RegisterEntry, ...] = ()
    register: tuple[RegisterEntry, ...] = ()
    load: tuple[Load, ...] = ()
    slips: tuple[Point, ...] = ()
    curve: tuple[Point, ...] = ()
    burn: tuple[Point, ...] = ()
    sla: tuple[Sla, ...] = ()
    roadmap: tuple[Span, ...] = ()
    months: tuple[Month, ...] = ()
    rejections: tuple[Rejection, ...] = ()
    forecasts: tuple[Forecast, ...] = ()
    drivers: tuple[Driver, ...] = ()

    @property
    def weather(self) -> dict[Rag, int]:
        """Return how many projects are of each colour, the reddest first; grey are those without weather."""
        found: dict[Rag, int] = dict.fromkeys(("red", "amber", "green", "grey"), 0)
        for one in self.projects:
            found[one.weather or "grey"] += 1
        return found

    def next_milestone(self, key: int) -> Milestone | None:
        """Return the first milestone to come of the project with *key*, or None."""
        return next(
            (
                one for one in self.milestones
                if one.project_key == key and one.state == "open" and one.finish
            ),
            None,
        )  # fmt: skip

    def project(self, key: int) -> Project | None:
        """Return the project with *key*, or None."""
        return next((one for one in self.projects if one.key == key), None)

    def code_of(self, key: int) -> str:
        """Return the code of the project with *key*; nothing for work of no project."""
        found = self.project(key)
        return found.code if found else ""

    def value(self, name: str) -> float | None:
        """Return a figure ``KPI.measure`` of the whole portfolio, or None."""
        found = self.totals.get(name)
        return found.value if found else None

    def of(self, key: int) -> Story:
        """Return the story of one project alone; its figures become the totals."""
        one = self.project(key)
        if one is None:
            raise KeyError(key)
        narrowed = {
            name: tuple(row for row in getattr(self, name) if row.project_key == key)
            for name in (
                "moves", "milestones", "decisions", "register", "slips", "curve", "burn", "roadmap", "months",
                "forecasts", "drivers",
            )
        }  # fmt: skip
        return msgspec.structs.replace(
            self, projects=(one,), totals=one.figures, load=(), synthesis=(), rejections=(),
            sla=tuple(row for row in self.sla if row.project == key), **narrowed,
        )  # fmt: skip
