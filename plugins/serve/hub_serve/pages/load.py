"""Load and capacity of the teams, and what moving a project by some weeks would make of it."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, timedelta

from hub import number, tr, trn
from hub_serve.pages.asked import Asked, NotThere, hours
from hub_serve.pages.blocks import (
    Block,
    Cell,
    Column,
    Field,
    Form,
    Page,
    Prose,
    Section,
    Table,
    Tile,
    Tiles,
)

WEEKS = 16
"""Weeks that the table shows from the one before the cut."""
MOST = 26
FULL = 1.0
Weeks = dict[tuple[str, date], float]


def moved_by(planned: Weeks, weeks: int, start: date) -> Weeks:
    """Return how the hours of teams and weeks change when what is *planned* from *start* on moves by *weeks*.

    Nothing is moved into a week before *start*: what would be is done in that week.
    """
    change: Weeks = defaultdict(float)
    for (team, week), planned_h in planned.items():
        if week >= start:
            change[team, week] -= planned_h
            change[team, max(start, week + timedelta(weeks=weeks))] += planned_h
    return {key: value for key, value in change.items() if abs(value) > 1e-9}


def load(asked: Asked) -> Page:
    """Return the page of load; ``?project=`` and ``?weeks=`` ask what moving a project would do."""
    title = tr("Load and capacity")
    rows = asked.listed("weeks") if asked.sees_teams else []
    if not rows:
        text = (
            tr("Load and capacity are of teams: your level of detail does not show them.")
            if not asked.sees_teams
            else tr(
                "No load is shown here: no team has both a workload plan and a capacity at this cut, or "
                "your level of detail or rights leave the sums out."
            )
        )
        blocks: list[Block] = [Prose(texts=[text])]
        return Page(place="/load", title=title, sections=[Section(id="load", title=title, blocks=blocks)])
    start = asked.story.as_of - timedelta(days=asked.story.as_of.weekday())
    allocated: Weeks = {(one["team"], one["week_start"]): one["allocated_h"] or 0.0 for one in rows}
    available: Weeks = {(one["team"], one["week_start"]): one["available_h"] for one in rows}
    change, said = _asked_for(asked, start)
    after = {key: allocated.get(key, 0.0) + change.get(key, 0.0) for key in available}
    sections = [
        Section(
            id="load",
            title=tr("Load of the teams"),
            blocks=[_tiles(allocated, available, after, start), _table(allocated, available, after, start)],
        ),
        Section(
            id="whatif",
            title=tr("What if a project moved?"),
            blocks=[_form(asked), *said, *_left(change, available)],
        ),
    ]
    return Page(
        place="/load",
        title=title,
        sections=sections,
        lead=tr(
            "Load is what the workload plan allocates over what is available; above 100% a team has more "
            "work than time."
        ),
    )


def _asked_for(asked: Asked, start: date) -> tuple[Weeks, list[Block]]:
    code, weeks = asked.query.get("project", ""), asked.number("weeks", 0, -MOST, MOST)
    if not code or not weeks:
        return {}, []
    project = next((one for one in asked.story.projects if one.code == code), None)
    if project is None:
        raise NotThere
    planned: Weeks = {
        (one["team"], one["week_start"]): one["planned_h"]
        for one in asked.listed("allocation")
        if one["project_key"] == project.key
    }
    change = moved_by(planned, weeks, start)
    total = sum(value for (_, week), value in planned.items() if week >= start)
    if not change:
        text = tr("{project} has no hours to move in the workload plan that you see.", project=project.name)
        return {}, [Prose(texts=[text])]
    texts = [
        trn(
            "{project} moved by {n} week: {hours} of the workload plan from this week on.",
            "{project} moved by {n} weeks: {hours} of the workload plan from this week on.",
            weeks,
            project=project.called,
            hours=hours(total),
        ),
        tr(
            "The table above shows the load after the move, and below it the load before where it differs. "
            "Nothing is stored, and no tool is told."
        ),
    ]
    squeezed = sum(
        value
        for (_, week), value in planned.items()
        if week >= start and week + timedelta(weeks=weeks) < start
    )
    if squeezed:
        texts.append(
            tr("{hours} would lie in the past: they are counted in this week.", hours=hours(squeezed))
        )
    if asked.story.privacy != "nominative-line":
        texts.append(tr("Sums of few persons are not shown at your level of detail, and do not move."))
    return change, [Prose(texts=texts)]


def _left(change: Weeks, available: Weeks) -> list[Block]:
    lost = sum(value for key, value in change.items() if key not in available and value > 0)
    if not lost:
        return []
    text = tr("{hours} fall into weeks whose capacity is not known.", hours=hours(lost))
    return [Prose(texts=[text])]


def _form(asked: Asked) -> Form:
    projects = [
        ("", tr("None")),
        *((one.code, one.called) for one in sorted(asked.story.projects, key=lambda one: one.code)),
    ]
    code = asked.query.get("project", "")
    return Form(
        action="/load",
        button=tr("Show"),
        hidden=[("cut", asked.cut)] if asked.cut else [],
        fields=[
            Field(name="project", label=tr("Project"), value=code, options=projects),
            Field(
                name="weeks",
                label=tr("Weeks later (below 0: earlier)"),
                type="number",
                low=-MOST,
                high=MOST,
                value=str(asked.number("weeks", 4, -MOST, MOST)),
            ),
        ],
        clear=asked.to("/load") if code else None,
    )


def _share(some: Weeks, available: Weeks, key: tuple[str, date]) -> float | None:
    return some[key] / available[key] if available.get(key) and key in some else None


def _tiles(before: Weeks, available: Weeks, after: Weeks, start: date) -> Tiles:
    coming = [key for key in available if start <= key[1] < start + timedelta(weeks=WEEKS)]

    def over(some: Weeks) -> int:
        return sum(1 for key in coming if (_share(some, available, key) or 0) > FULL)

    def worst(some: Weeks) -> float:
        return max((_share(some, available, key) or 0 for key in coming), default=0.0)

    changed = before.items() != after.items()
    tiles = [
        (tr("Team weeks above 100%"), str(over(after)), str(over(before)) if changed else ""),
        (tr("Fullest week"), number(worst(after), ".0%"), number(worst(before), ".0%") if changed else ""),
        (tr("Teams"), str(len({team for team, _ in coming})), ""),
    ]
    return Tiles(
        tiles=[
            Tile(cell=Cell(text=text, note=tr("before: {value}", value=was) if was else ""), label=label)
            for label, text, was in tiles
        ]
    )


def heat(share: float | None) -> int | None:
    """Return the step of the ground of a load: from 0, free, to 5, far above."""
    if share is None:
        return None
    return sum(share > limit for limit in (0.5, 0.8, FULL, 1.2, 1.5))


def _table(before: Weeks, available: Weeks, after: Weeks, start: date) -> Table:
    weeks = [start + timedelta(weeks=n - 1) for n in range(WEEKS)]
    rows: list[list[Cell]] = []
    for team in sorted({team for team, _ in available}):
        row = [Cell(text=team)]
        for week in weeks:
            share, was = (_share(some, available, (team, week)) for some in (after, before))
            text = number(share, ".0%") if share is not None else "–"
            then = number(was, ".0%") if was is not None else "–"
            row.append(Cell(text=text, heat=heat(share), note=then if then != text else ""))
        rows.append(row)
    columns = (
        Column(name=tr("Team")),
        *(Column(name=_week(week), align="right") for week in weeks),
    )
    return Table(
        caption=tr("Load by team and week (its Monday)"), columns=columns, rows=rows, empty="", dense=True
    )


def _week(week: date) -> str:
    return tr("{month:02d}-{day:02d}", month=week.month, day=week.day)
