"""Try out on a feed what more people or less scope would do to a project's forecast."""

from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from hub.errors import ConfigError
from hub.feed.build import open_feed
from hub.feed.forecast.engine import Forecast, Moment, WhatIf, forecast
from hub.feed.forecast.filling import day_of
from hub.feed.forecast.reading import asked, moments
from hub.feed.questions import project_key
from hub.words import tr

NEWCOMER = 0.7
"""What one more person brings of the pace of one who is there, what it costs the others set off."""


class Chances(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast as people read it: dates (None without an end) and money at three chances.

    *meets_baseline*, *meets_deadline* and *meets_budget* are chances of 0 to 1, None where there is none.
    """

    finish_method: str | None = None
    finish_p50: date | None = None
    finish_p80: date | None = None
    finish_p95: date | None = None
    meets_baseline: float | None = None
    meets_deadline: float | None = None
    cost_method: str | None = None
    cost_p50: float | None = None
    cost_p80: float | None = None
    cost_p95: float | None = None
    meets_budget: float | None = None


class DrivenBy(msgspec.Struct, frozen=True, kw_only=True):
    """A task, how often it is on the longest path, and by how many days it moves the finish."""

    task: str
    criticality: float
    early_days: float
    late_days: float


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The forecast of a project as it is, and *tried* with what was asked; None where nothing was.

    *outcomes* are those of earlier forecasts that it is calibrated by; *assumptions* are sentences.
    """

    project: str
    as_of: date
    team: int | None
    baseline: date | None
    deadline: date | None
    budget: float | None
    outcomes: int
    now: Chances
    tried: Chances | None
    drivers: list[DrivenBy]
    assumptions: list[str]


def try_out(folder: Path, code: str, *, people: float = 0, dropped: float = 0.0) -> Trial:
    """Forecast the project *code* of the feed in *folder*, and again with *people* more and *dropped* scope.

    *people* may be below 0, *dropped* is a share of 0 to 1. Raises `ConfigError` for an unknown project, one
    that cannot be forecast, or a team that nobody would be left of.
    """
    with_feed = open_feed(folder)
    try:
        key = project_key(with_feed, code)
        if key is None:
            raise ConfigError(tr("There is no project {project!r} in the feed.", project=code))
        day = with_feed.execute("SELECT as_of FROM dim_cut WHERE cut_key = 0").fetchall()[0][0]
        known = moments(with_feed, day)
        team = asked(with_feed, "team", key=key)
        plain = _of(known, key, None)
        if not plain:
            raise ConfigError(
                tr(
                    "{project} cannot be forecast: nothing of it is open, or it has neither planned dates "
                    "nor eight finished items in six weeks.",
                    project=code,
                )
            )
        trial = _what_if(code, team, people, dropped)
        tried = _of(known, key, trial) if trial else None
        names = dict(
            with_feed.execute("SELECT task_key, title FROM dim_task WHERE project_key = ?", [key]).fetchall()
        )
    finally:
        with_feed.close()
    finish, cost = plain.get("finish"), plain.get("cost")
    return Trial(
        project=code, as_of=day, team=team,
        baseline=day_of(finish.target) if finish else None, deadline=day_of(finish.limit) if finish else None,
        budget=cost.target if cost and abs(cost.target) < 1e15 else None,
        outcomes=max(one.record for one in plain.values()), now=_chances(plain),
        tried=_chances(tried) if tried is not None else None,
        drivers=[
            DrivenBy(
                task=str(names.get(one.task)), criticality=round(one.criticality, 3),
                early_days=round(one.early, 1), late_days=round(one.late, 1),
            )
            for one in (finish.drivers if finish else [])
        ],
        assumptions=_assumptions(known[-1], key, plain, people),
    )  # fmt: skip


def _of(known: list[Moment], key: int, trial: WhatIf | None) -> dict[str, Forecast]:
    found = forecast(known, trial=trial, only=key)
    return {one.topic: one for one in found if one.cut == 0 and one.project == key}


def _what_if(code: str, team: int | None, people: float, dropped: float) -> WhatIf | None:
    if not math.isfinite(people):
        raise ConfigError(tr("{people} is no number of people.", people=people))
    if not people:
        return WhatIf(dropped=dropped) if dropped else None
    if not team:
        raise ConfigError(
            tr("Nobody logged time on {project} of late and nobody is on its open tasks.", project=code)
        )
    if team + people <= 0:
        raise ConfigError(
            tr("{project} has a team of {team}: nobody would be left.", project=code, team=team)
        )
    gained = people * NEWCOMER if people > 0 else people
    return WhatIf(crew=(team + people) / team, faster=(team + gained) / team, dropped=dropped)


def _chances(found: dict[str, Forecast]) -> Chances:
    told: dict[str, Any] = {}
    if finish := found.get("finish"):
        told |= {f"finish_p{chance}": day_of(finish.at(chance / 100)) for chance in (50, 80, 95)}
        told |= {
            "finish_method": finish.method, "meets_baseline": finish.chance_of(finish.target),
            "meets_deadline": finish.chance_of(finish.limit),
        }  # fmt: skip
    if cost := found.get("cost"):
        told |= {f"cost_p{chance}": round(cost.at(chance / 100), 2) for chance in (50, 80, 95)}
        told |= {"cost_method": cost.method, "meets_budget": cost.chance_of(cost.target)}
    return Chances(**told)


def _assumptions(now: Moment, key: int, found: dict[str, Forecast], people: float) -> list[str]:
    """Return in sentences what the forecast stands on."""
    known, said = now.projects[key], []
    method = found["finish"].method if "finish" in found else ""
    if method in {"flow", "blend"} and known.flow:
        said.append(
            tr(
                "Flow: {done} {done:item|items} finished and {new} new in {weeks} "
                "{weeks:week|weeks}, {open} open; "
                "the last weeks count most.",
                done=int(known.flow.done.sum()), new=int(known.flow.new.sum()), weeks=len(known.flow.done),
                open=known.flow.open,
            )
        )  # fmt: skip
    if method in {"plan", "blend"} and known.plan:
        mean, _ = now.observed.of(key)
        said.append(
            tr(
                "Plan: {open} open {open:task|tasks} with {links} {links:link|links} take {ratio:.2f} times "
                "what is planned, as {observed} {observed:task|tasks} of the organisation did against their "
                "baselines.",
                open=len(known.plan.tasks), links=len(known.plan.links.before),
                ratio=2.718281828459045**mean, observed=now.observed.n,
            )
        )  # fmt: skip
    if "cost" in found:
        said.append(
            tr("Cost: the work left at the cost that work showed so far; purchases to come as planned.")
            if found["cost"].method == "work"
            else tr("Cost: the labour of the last thirteen weeks goes on until the finish.")
        )
    if any(one.is_thin for one in found.values()):
        said.append(
            tr(
                "The record is thin: {n} {n:outcome|outcomes} of earlier forecasts. The forecast is "
                "wider for that.",
                n=min(one.record for one in found.values()),
            )
        )
    if "finish" in found and day_of(found["finish"].at(0.5)) is None:
        said.append(tr("No end is in sight: work comes in as fast as it gets done."))
    if people > 0:
        said.append(
            tr(
                "A newcomer brings {share:.0%} of the pace of one who is there and costs as much.",
                share=NEWCOMER,
            )
        )
    return said
