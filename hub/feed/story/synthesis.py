"""The synthesis: what a director reads first, in ten sentences at most, each of figures of the story.

A last one names what nothing is known of: no weather, no risk and no budget are not good news.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from hub.feed.story.shapes import Line, Project, Rag, Story
from hub.feed.story.writing import amount, written
from hub.words import day, tr, trn

FULL = 1.0
"""The load from which a team has more to do than time."""
WEEKS_AHEAD = 4
_NAMED = 4
"""Projects named in one sentence, at most."""


def synthesis(story: Story) -> Iterator[Line]:
    """Yield the sentences of *story*, in the language spoken; topics without figures share the last one."""
    for topic in (
        _weather, _trends, _contradicted, _milestones, _landing, _effort, _risks, _decisions, _load,
        _confidence,
    ):  # fmt: skip
        yield from topic(story)
    yield from _unknown(story)


def _line(topic: str, text: str, rag: Rag | None = None) -> Line:
    return Line(topic=topic, text=text, rag=rag)


def _named(projects: list[Project]) -> str:
    names = [one.called for one in projects[:_NAMED]]
    if (more := len(projects) - len(names)) > 0:
        names.append(trn("{n} more", "{n} more", more))
    return ", ".join(names)


def _weather(story: Story) -> Iterator[Line]:
    counts = story.weather
    unknown = counts.pop("grey")
    if not any(counts.values()):
        return
    text = tr(
        "{total} {total:project|projects}: {red} red, {amber} amber, {green} green.",
        total=len(story.projects),
        red=counts["red"],
        amber=counts["amber"],
        green=counts["green"],
    )
    if unknown:
        text += " " + trn("{n} has no weather yet.", "{n} have no weather yet.", unknown)
    yield _line("weather", text, "red" if counts["red"] else "amber" if counts["amber"] else "green")


def _trends(story: Story) -> Iterator[Line]:
    worse = [one for one in story.projects if one.trend == "worse"]
    better = [one for one in story.projects if one.trend == "better"]
    if story.before is None or not (worse or better):
        return
    parts = []
    if worse:
        parts.append(tr("worse: {names}", names=_named(worse)))
    if better:
        parts.append(tr("better: {names}", names=_named(better)))
    yield _line(
        "trend", tr("Since {before}, {what}.", before=story.before, what=tr("; ").join(parts)),
        "amber" if worse else "green",
    )  # fmt: skip


def _contradicted(story: Story) -> Iterator[Line]:
    found = [one for one in story.projects if one.is_contradicted]
    if found:
        yield _line(
            "weather",
            trn(
                "{n} project is declared green and computed red: {names}.",
                "{n} projects are declared green and computed red: {names}.",
                len(found), names=_named(found),
            ),
            "red",
        )  # fmt: skip


def _milestones(story: Story) -> Iterator[Line]:
    slipped = [
        one for one in story.moves
        if one.topic == "milestone" and one.measure == "finish" and (one.delta or 0) > 0
    ]  # fmt: skip
    soon = [one for one in story.milestones if one.state == "open" and one.finish
            and one.finish <= story.next_committee]  # fmt: skip
    late = [one for one in story.milestones if one.state == "late"]
    parts = []
    if slipped:
        worst = max(slipped, key=lambda one: (one.delta or 0, one.item))
        parts.append(
            trn(
                "{n} milestone slipped, {title} ({project}) by {days}",
                "{n} milestones slipped, the most {title} ({project}) by {days}",
                len(slipped), title=worst.item, project=story.code_of(worst.project_key),
                days=written(worst.delta, "duration", story.currency),
            )
        )  # fmt: skip
    if late:
        parts.append(trn("{n} is past its date", "{n} are past their dates", len(late)))
    if soon:
        parts.append(
            trn("{n} is due by {day}", "{n} are due by {day}", len(soon), day=day(story.next_committee))
        )
    if parts:
        text = tr("Milestones: {what}.", what=tr("; ").join(parts))
        yield _line("milestones", text, "red" if late else "amber" if slipped else "green")


def landed(story: Story) -> list[Project]:
    """Return the projects whose budget and landing are both known: those a sum of landings is made of."""
    return [
        one for one in story.projects
        if one.value("LANDING.landing") is not None and one.value("LANDING.budget") is not None
    ]  # fmt: skip


def _landing(story: Story) -> Iterator[Line]:
    known = landed(story)
    if not known:
        return
    budget = sum(one.value("LANDING.budget") or 0.0 for one in known)
    landing = sum(one.value("LANDING.landing") or 0.0 for one in known)
    yield _line(
        "money",
        tr(
            "Landing {landing} against a budget of {budget} ({variance}), of the {n} "
            "{n:project|projects} where both are known.",
            landing=amount(landing, story.currency), budget=amount(budget, story.currency),
            variance=amount(landing - budget, story.currency, signed=True), n=len(known),
        ),
        "amber" if landing > budget else "green",
    )  # fmt: skip


def _effort(story: Story) -> Iterator[Line]:
    cpi, spi = story.totals.get("EVM_DAYS.cpi"), story.totals.get("EVM_DAYS.spi")
    spent = story.value("RAF.consomme")
    if spent is None:
        return
    text = tr("Spent: {spent}", spent=written(spent, "days", story.currency))
    if (left := story.value("RAF.raf")) is not None:
        text += tr("; to do: {left}", left=written(left, "days", story.currency)) + _known(story, "RAF.raf")
    if cpi and cpi.value is not None:
        text += tr("; cost index (CPI) {cpi}", cpi=written(cpi.value, "ratio", story.currency))
        text += _known(story, "EVM_DAYS.cpi")
    if spi and spi.value is not None:
        text += tr("; schedule index (SPI) {spi}", spi=written(spi.value, "ratio", story.currency))
        text += _known(story, "EVM_DAYS.spi")
    yield _line("effort", text + ".", cpi.rag if cpi else None)


def _known(story: Story, figure: str) -> str:
    """Return of how many projects a figure of the whole is known; nothing where it is of all."""
    n = sum(1 for one in story.projects if one.value(figure) is not None)
    if n == len(story.projects):
        return ""
    return " " + trn("(of {n} project)", "(of {n} projects)", n)


def _risks(story: Story) -> Iterator[Line]:
    risks = [one for one in story.register if one.kind == "risk"]
    if not risks:
        return
    new = sum(1 for one in story.moves if one.topic == "risk" and one.measure == "risk opened")
    text = trn("{n} open risk", "{n} open risks", len(risks))
    exposure = story.value("RISK.expected_exposure")
    if exposure is not None:
        text += tr(", expected exposure {amount}", amount=amount(exposure, story.currency))
    if new and story.before:
        text += trn("; {n} new since {before}", "; {n} new since {before}", new, before=story.before)
    if overdue := story.value("RISK.overdue_actions"):
        text += trn("; {n} action is overdue", "; {n} actions are overdue", round(overdue))
    yield _line("risks", text + ".", "amber" if new or overdue else None)


def _decisions(story: Story) -> Iterator[Line]:
    if story.decisions:
        first = story.decisions[0]
        yield _line(
            "decisions",
            trn(
                "{n} decision is asked: {title} ({project}).",
                "{n} decisions are asked, first {title} ({project}).",
                len(story.decisions), title=first.title, project=story.code_of(first.project_key),
            ),
            "amber",
        )  # fmt: skip


def _load(story: Story) -> Iterator[Line]:
    last = story.as_of + timedelta(weeks=WEEKS_AHEAD)
    worst: dict[str, float] = {}
    for one in story.load:
        if (
            one.load is not None
            and one.load > FULL
            and story.as_of - timedelta(days=6) <= one.week_start <= last
        ):
            worst[one.team] = max(one.load, worst.get(one.team, 0.0))
    if worst:
        teams = ", ".join(
            f"{team} ({written(load, 'share', story.currency)})"
            for team, load in sorted(worst.items(), key=lambda one: -one[1])[:_NAMED]
        )
        yield _line(
            "load",
            trn(
                "{n} team has more work than time in the next {weeks} weeks: {teams}.",
                "{n} teams have more work than time in the next {weeks} weeks: {teams}.",
                len(worst), weeks=WEEKS_AHEAD, teams=teams,
            ),
            "amber",
        )  # fmt: skip


def _confidence(story: Story) -> Iterator[Line]:
    low = [one for one in story.projects if one.confidence == "low"]
    if not story.complete:
        yield _line(
            "confidence", tr("Data is incomplete: {what}.", what=tr("; ").join(story.missing[:2])), "red"
        )
    if low:
        yield _line(
            "confidence",
            trn(
                "The figures of {n} project stand on little: {names}.",
                "The figures of {n} projects stand on little: {names}.",
                len(low), names=_named(low),
            ),
            "amber",
        )  # fmt: skip


def _unknown(story: Story) -> Iterator[Line]:
    """Name the topics that nothing is known of, where something is."""
    every = story.projects
    nothing = [
        text
        for text, known in (
            (tr("weather, declared or computed"), any(one.weather for one in every)),
            (tr("milestones"), story.milestones),
            (tr("a baseline of effort"), any(one.value("EVM_DAYS.bac") is not None for one in every)),
            (tr("budget"), any(one.value("LANDING.budget") is not None for one in every)),
            (tr("risks"), story.register),
        )
        if not known
    ]
    if nothing and any(one.figures for one in every):
        yield _line("unknown", tr("Nothing is known of: {what}.", what=tr("; ").join(nothing)))
