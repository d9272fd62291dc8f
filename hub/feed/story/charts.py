"""The charts of the story: each is declared once, a Vega-Lite specification in ``charts/`` and its rows."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date
from importlib.resources import files
from typing import Any

from hub.feed.reasons import spoken_cell
from hub.feed.story.shapes import Point, Story
from hub.feed.story.synthesis import landed
from hub.feed.story.writing import amount, sign_of, written
from hub.words import day, number, speaking, tr, trn

Rows = list[dict[str, Any]]
MOST_PROJECTS = 30
"""Projects in one picture, at most: more are not legible on a page, and the papers' tables have them all."""
MOST_LINES = 8
MOST_STEPS = 7
ARROWS = {"better": "↗", "same": "→", "worse": "↘"}
_BANDS = ("0–20 %", "20–40 %", "40–60 %", "60–80 %", "80–100 %")
CONFIG: dict[str, Any] = {
    "font": "Liberation Sans, Arial, sans-serif",
    "background": "white",
    "view": {"stroke": None},
    "title": {"anchor": "start", "fontSize": 15, "color": "#1F3A5F"},
    "axis": {"labelFontSize": 11, "titleFontSize": 11, "labelColor": "#22303C", "titleColor": "#22303C",
             "gridColor": "#E3E8ED"},
    "legend": {"labelFontSize": 11, "titleFontSize": 11, "labelLimit": 240},
}  # fmt: skip


def _name(story: Story, key: int) -> str:
    one = story.project(key)
    return one.called if one else ""


def _iso(moment: date | None) -> str | None:
    return moment.isoformat() if moment else None


def _weather(story: Story) -> Rows:
    return [
        {"project": one.called, "computed": one.computed, "declared": one.declared,
         "arrow": ARROWS.get(one.trend or "", "")}
        for one in story.projects[:MOST_PROJECTS] if one.weather
    ]  # fmt: skip


def _slips(story: Story) -> Rows:
    last: dict[int, float] = {one.project_key: one.value for one in story.slips}
    worst = sorted(last, key=lambda key: (-abs(last[key]), key))[:MOST_LINES]
    return [
        {"project": story.code_of(one.project_key), "cut": one.label, "date": one.date.isoformat(),
         "slip": one.value}
        for one in story.slips if one.project_key in worst and story.project(one.project_key)
    ]  # fmt: skip


def _roadmap(story: Story) -> Rows:
    shown = [one for one in story.roadmap if story.project(one.project_key)][:MOST_PROJECTS]
    rows: Rows = []
    for one in shown:
        project = story.project(one.project_key)
        name = _name(story, one.project_key)
        rows.append({
            "kind": "span", "project": name, "start": _iso(one.start), "finish": _iso(one.finish),
            "baseline_start": _iso(one.baseline_start), "baseline_finish": _iso(one.baseline_finish),
            "weather": (project.weather if project else None) or "grey",
        })  # fmt: skip
        rows.extend(
            {"kind": "milestone", "project": name, "start": _iso(milestone.finish)}
            for milestone in story.milestones
            if milestone.project_key == one.project_key and milestone.finish
            and one.start <= milestone.finish <= max(one.finish, one.baseline_finish or one.finish)
        )  # fmt: skip
    if rows:
        rows.append({"kind": "today", "project": rows[0]["project"], "start": _iso(story.as_of)})
    return rows


def _summed(points: Iterable[Point], series: str) -> Rows:
    """Return one curve of all projects: what each had last said by then, added up.

    It begins where every project that ever says something has been asked: the sum of some is no curve of all.
    """
    by_project: dict[int, list[tuple[date, float]]] = {}
    for one in points:
        if one.series == series:
            by_project.setdefault(one.project_key, []).append((one.date, one.value))
    days = sorted({day for said in by_project.values() for day, _ in said})
    totals = [0.0] * len(days)
    for said in by_project.values():  # one after the other, as floats are added up in an order
        spoken = dict(sorted(said))
        last = 0.0
        for place, moment in enumerate(days):
            last = spoken.get(moment, last)
            totals[place] += last
    return [
        {"series": series, "date": moment.isoformat(), "value": total}
        for moment, total in zip(days, totals, strict=True)
    ]


def _curve(points: tuple[Point, ...], names: tuple[str, ...]) -> Rows:
    return [row for name in names for row in _summed(points, name)]


def _s_curve(story: Story) -> Rows:
    rows = _curve(story.curve, ("planned", "earned", "actual"))
    return rows if {row["series"] for row in rows} & {"planned"} else []


def _waterfall(story: Story) -> Rows:
    known = landed(story)
    if not known:
        return []
    budget = sum(one.value("LANDING.budget") or 0.0 for one in known)
    steps = sorted(
        (
            (one.code, (one.value("LANDING.landing") or 0.0) - (one.value("LANDING.budget") or 0.0))
            for one in known
        ),
        key=lambda one: -abs(one[1]),
    )
    shown = [step for step in steps if abs(step[1]) >= 0.5]
    if len(known) == 1:
        shown = [(tr("Variance"), shown[0][1])] if shown else []
    elif len(shown) > MOST_STEPS:
        rest = sum(delta for _, delta in shown[MOST_STEPS - 1 :])
        shown = [*shown[: MOST_STEPS - 1], (tr("Others"), rest)]
    level = budget
    rows = [_step(story, tr("Budget"), 0.0, budget, "total", amount(budget, story.currency))]
    for code, delta in shown:
        label = amount(delta, story.currency, signed=True)
        rows.append(_step(story, code, level, level + delta, "over" if delta > 0 else "under", label))
        level += delta
    rows.append(_step(story, tr("Landing"), 0.0, level, "total", amount(level, story.currency)))
    floor = min(row["high"] if row["kind"] == "total" else row["low"] for row in rows)
    bottom = max(0.0, floor - 0.35 * (max(row["high"] for row in rows) - floor) - 0.02 * floor)
    for row in rows:
        if row["kind"] == "total":
            row["low"] = bottom  # a step of one percent is seen; the axis says where it begins
    return rows


def _step(story: Story, name: str, start: float, end: float, kind: str, label: str) -> dict[str, Any]:
    return {"step": name, "low": min(start, end), "high": max(start, end), "kind": kind, "label": label}


def _load(story: Story) -> Rows:
    return [
        {"team": one.team, "week": f"{one.week_start:{'%d/%m' if story.lang == 'fr' else '%m-%d'}}",
         "load": one.load, "shown": number(one.load, ".0%")}
        for one in sorted(story.load, key=lambda one: (one.week_start, one.team)) if one.load is not None
    ]  # fmt: skip


def band_of(probability: float) -> int:
    """Return the fifth (0 to 4) that a probability of 0 to 1 lies in; what lies between two is the lower."""
    return min(4, max(0, -int(-probability * 5 // 1) - 1))


def zone(band: int, impact: int) -> str:
    """Return the colour of a cell of the risk matrix: probability (0 to 4) times impact (1 to 5)."""
    weight = (band + 1) * impact
    return "red" if weight >= 15 else "amber" if weight >= 6 else "green"


def _risks(story: Story) -> Rows:
    counted = Counter(
        (min(5, max(1, one.impact)), band_of(one.probability))
        for one in story.register
        if one.kind == "risk" and one.impact is not None and one.probability is not None
    )
    if not counted:
        return []
    cells = [
        {"kind": "cell", "impact": impact, "band": _BANDS[band], "zone": zone(band, impact), "n": 0}
        for impact in range(1, 6) for band in range(5)
    ]  # fmt: skip
    return cells + [
        {"kind": "risk", "impact": impact, "band": _BANDS[band], "n": n}
        for (impact, band), n in sorted(counted.items())
    ]


def _burn_up(story: Story) -> Rows:
    return _curve(story.burn, ("done", "scope"))


def _sla(story: Story) -> Rows:
    one = story.projects[0].key if len(story.projects) == 1 else None
    found = [row for row in story.sla if row.project == one]
    return [
        {
            "metric": spoken_cell("metric", row.metric), "month": row.month.isoformat(),
            "compliance": row.compliance,
        }
        for row in found
    ]  # fmt: skip


def _forecast(story: Story) -> Rows:
    """Return a band of each project from P50 to P80 and one to P95, with its baseline and its deadline."""
    rows: Rows = []
    told = {one.project_key: one for one in story.forecasts if one.is_now and one.p80}
    for project in story.projects:
        one = told.get(project.key)
        if one is None or len(rows) >= MOST_PROJECTS:
            continue
        rows.append({
            "project": f"{project.code} {project.name}", "baseline": _iso(one.baseline),
            "p50": _iso(one.p50), "p80": _iso(one.p80),
            "p95": _iso(one.p95 or one.p80), "deadline": _iso(one.deadline),
        })  # fmt: skip
    return rows


def _fan(story: Story) -> Rows:
    """Return how the forecast of one project moved from committee to committee; none of several projects."""
    if len(story.projects) != 1:
        return []
    rows: Rows = [
        {"date": one.as_of.isoformat(), "p50": _iso(one.p50), "p80": _iso(one.p80 or one.p50),
         "p95": _iso(one.p95 or one.p80 or one.p50), "baseline": _iso(one.baseline)}
        for one in story.forecasts if one.p50
    ]  # fmt: skip
    return rows if len(rows) > 1 else []


def _tornado(story: Story) -> Rows:
    """Return the tasks that move the finish of one project most; none of several projects."""
    if len(story.projects) != 1:
        return []
    worst = sorted(story.drivers, key=lambda one: one.early_days - one.late_days)[:MOST_LINES]
    return [
        {"task": one.title, "early": round(one.early_days, 1), "late": round(one.late_days, 1),
         "share": number(one.criticality, ".0%")}
        for one in worst
    ]  # fmt: skip


_ROWS: dict[str, Callable[[Story], Rows]] = {
    "weather": _weather, "slips": _slips, "roadmap": _roadmap, "s_curve": _s_curve, "waterfall": _waterfall,
    "load": _load, "risks": _risks, "burn_up": _burn_up, "sla": _sla,
    "forecast": _forecast, "fan": _fan, "tornado": _tornado,
}  # fmt: skip
CHARTS = tuple(_ROWS)
"""The names of the charts."""


def rows_of(name: str, story: Story) -> Rows:
    """Return the rows that the chart *name* draws of *story*; none where the story has nothing to draw."""
    with speaking(story.lang):
        return _ROWS[name](story)


def chart(name: str, story: Story) -> dict[str, Any] | None:
    """Return the Vega-Lite specification of the chart *name* with the rows of *story* in it.

    Its ``description`` says in words what the picture shows, for who cannot see it. None where the story has
    nothing to draw. Raises `KeyError` for an unknown name.
    """
    rows = rows_of(name, story)
    if not rows:
        return None
    spec: dict[str, Any] = _declared(name)
    words = {**spec.pop("usermeta")["words"][story.lang]}
    words = {key: value.replace("{currency}", sign_of(story.currency)) for key, value in words.items()}
    for row in rows:
        if row.get("series") in words:
            row["series"] = words[row["series"]]
    spec = {key: _filled(value, words) for key, value in spec.items()}
    spec["datasets"] = {"rows": rows, "today": [{"date": story.as_of.isoformat()}], "target": _target(story)}
    spec["config"] = CONFIG
    spec["description"] = alternative(name, story)
    return spec


def _declared(name: str) -> dict[str, Any]:
    text = (files("hub.feed.story") / "charts" / f"{name}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


def _target(story: Story) -> Rows:
    goals = {one.target for name, one in story.totals.items() if name.startswith("SLA.compliance")}
    goals |= {
        figure.target for one in story.projects for name, figure in one.figures.items()
        if name.startswith("SLA.compliance")
    }  # fmt: skip
    return [{"value": goal} for goal in sorted(goal for goal in goals if goal is not None)[:1]]


def _filled(node: Any, words: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(value, words) for key, value in node.items()}
    if isinstance(node, list):
        return [_filled(value, words) for value in node]
    if isinstance(node, str) and node.startswith("{") and node.endswith("}"):
        return words.get(node[1:-1], node)
    return node


def title_of(name: str, story: Story) -> str:
    """Return what the chart *name* is called in the story's language."""
    spec = _declared(name)
    return str(spec["usermeta"]["words"][story.lang]["title"])


def alternative(name: str, story: Story) -> str:
    """Return in words what the chart *name* shows: its title, and what stands out."""
    with speaking(story.lang):
        told = _told(name, story)
    title = title_of(name, story)
    return f"{title}. {told}" if told else f"{title}."


def _told(name: str, story: Story) -> str:
    if name == "weather":
        return next((line.text for line in story.synthesis if line.topic == "weather"), "")
    if name == "slips":
        last = {one.project_key: one for one in story.slips}
        if not last:
            return ""
        worst = max(last.values(), key=lambda one: one.value)
        return tr(
            "The most is {code}: {days}.", code=story.code_of(worst.project_key),
            days=written(worst.value, "duration", story.currency),
        )  # fmt: skip
    if name == "roadmap":
        late = sum(1 for one in story.roadmap if one.baseline_finish and one.finish > one.baseline_finish)
        return trn(
            "{n} project ends later than its baseline.", "{n} projects end later than their baselines.", late
        )
    if name in {"s_curve", "burn_up"}:
        series = ("planned", "earned", "actual") if name == "s_curve" else ("done", "scope")
        points = story.curve if name == "s_curve" else story.burn
        words = {
            "planned": tr("planned"), "earned": tr("earned"), "actual": tr("actual"), "done": tr("done"),
            "scope": tr("scope"),
        }  # fmt: skip
        parts = [
            f"{words[one]} {number(said[-1]['value'], ',.0f')}" for one in series
            if (said := [row for row in _summed(points, one) if row["date"] <= story.as_of.isoformat()])
        ]  # fmt: skip
        return tr("On {day}: {what}.", day=day(story.as_of), what=", ".join(parts)) if parts else ""
    if name == "waterfall":
        return next((line.text for line in story.synthesis if line.topic == "money"), "")
    if name == "load":
        full = sorted({one.team for one in story.load if (one.load or 0) > 1})
        return tr("Above 100%: {teams}.", teams=", ".join(full)) if full else tr("No team is above 100%.")
    if name == "risks":
        n = sum(row["n"] for row in _risks(story) if row["kind"] == "risk")
        return trn("{n} risk is placed.", "{n} risks are placed.", n)
    if name in {"forecast", "fan"}:
        return _forecast_told(story)
    if name == "tornado":
        first = max(story.drivers, key=lambda one: one.criticality, default=None)
        return "" if first is None else tr(
            "Most often on the longest path: {task}, in {share} of the runs.",
            task=first.title, share=number(first.criticality, ".0%"),
        )  # fmt: skip
    said = _sla(story)
    if not said:
        return ""
    return tr("Last month: {share}.", share=number(said[-1]["compliance"], ".0%"))


def _forecast_told(story: Story) -> str:
    """Return how many projects have an even chance to meet their baseline, or when the only one ends."""
    now = [one for one in story.forecasts if one.is_now]
    if len(story.projects) == 1 and now and now[0].p50:
        return tr(
            "Even chance on {p50}, eight in ten on {p80}.", p50=day(now[0].p50),
            p80=day(now[0].p80) or tr("no end in sight"),
        )  # fmt: skip
    due = [one for one in now if one.chance_baseline is not None]
    late = sum(1 for one in due if (one.chance_baseline or 0) < 0.5)
    return trn(
        "{n} project of {all} is more likely than not to end after its baseline.",
        "{n} projects of {all} are more likely than not to end after their baselines.", late, all=len(due),
    )  # fmt: skip
