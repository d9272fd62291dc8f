"""What moved between two cuts: news and corrections where a way leads through committees, figures beside."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from hub import Story, day, tr, what_moved, written
from hub_serve.moves import moved as moved_between
from hub_serve.pages.asked import Asked, NotThere
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
    date_of,
    signed,
    weather,
    words,
)

_FIGURES = ("RAF.a_terminaison", "LANDING.landing", "MILESTONE_SLIP.slip_days", "EVM_DAYS.cpi")


def moves_table(
    asked: Asked, moves: Iterable[Any], caption: str, empty: str, *, with_project: bool = True
) -> Table:
    """Return what moved, a line each."""
    topics = {
        "milestone": tr("Milestone"),
        "budget": tr("Budget"),
        "effort": tr("Effort"),
        "risk": tr("Risk"),
        "scope": tr("Scope"),
    }
    causes = {
        "news": tr("news"),
        "correction": tr("correction"),
        "definition changed": tr("definition changed"),
    }
    currency = asked.story.currency
    columns = [
        Column(name=tr("What"), wide=True),
        Column(name=tr("About")),
        Column(name=tr("Cause"), spare=True),
        Column(name=tr("Before"), align="right"),
        Column(name=tr("After"), align="right"),
        Column(name=tr("Change"), align="right"),
    ]
    rows = []
    for one in moves:
        if one.unit == "date":
            before, after = date_of(one.before_date), date_of(one.after_date)
            delta = signed(one.delta, "duration", currency)
        elif one.topic == "scope":
            before = after = Cell()
            delta = signed(one.delta, one.unit, currency)
        else:
            before, after = (
                Cell(text=written(value, one.unit, currency), order=value or 0)
                for value in (one.before_value, one.after_value)
            )
            delta = signed(one.delta, one.unit, currency)
        row = [
            words(what_moved(one)),
            words(topics.get(one.topic, one.topic)),
            words(causes.get(one.cause, one.cause)),
            before,
            after,
            Cell(text=delta, order=one.delta or 0),
        ]
        if with_project:
            name, to = asked.project(one.project_key)
            row.insert(1, Cell(text=name, href=to))
        rows.append(row)
    if with_project:
        columns.insert(1, Column(name=tr("Project")))
    return Table(caption=caption, columns=tuple(columns), rows=rows, empty=empty, sortable=True, dense=True)


def moved(asked: Asked, told: Callable[[str | None], Story]) -> Page:
    """Return what moved since ``?vs=``, else since the committee before; *told* tells another story."""
    story = asked.story
    vs = asked.query.get("vs") or story.before
    labels = [one["label"] for one in asked.cuts]
    if vs is not None and vs not in labels:
        raise NotThere
    form = Form(
        action="/moves",
        button=tr("Compare"),
        hidden=[("cut", asked.cut)] if asked.cut else [],
        fields=[
            Field(
                name="vs",
                label=tr("Compared with"),
                value=vs or "",
                options=[(one, asked.named(one)) for one in labels if one != story.label],
            )
        ],
    )
    if vs is None:
        text = tr("There is no committee before this one to compare with: take a cut with `hub cut take`.")
        blocks: list[Block] = [Prose(texts=[text])]
        return Page(
            place="/moves",
            title=tr("What moved"),
            sections=[Section(id="moves", title=tr("What moved"), blocks=blocks)],
        )
    now = next(one for one in asked.cuts if one["label"] == vs)["cut_key"] == 0
    before = told(None if now else vs)
    sections = [Section(id="choice", title=tr("The two cuts"), blocks=[form])]
    between = moved_between(asked.view.connection, until=story.label, since=vs)
    if between is not None:
        news = [one for one in between.moves if one.cause == "news"]
        rest = [one for one in between.moves if one.cause != "news"]
        empty = tr("Nothing moved since {before}.", before=asked.named(vs))
        sections.append(
            Section(
                id="news",
                title=tr("News"),
                blocks=[moves_table(asked, news, tr("News: it happened since then"), empty)],
            )
        )
        if rest:
            sections.append(
                Section(
                    id="corrections",
                    title=tr("Corrections"),
                    blocks=[
                        moves_table(
                            asked,
                            rest,
                            tr("Corrections: it was already so, and is told late"),
                            empty,
                        )
                    ],
                )
            )
    else:
        sections.append(
            Section(
                id="news",
                title=tr("News"),
                blocks=[
                    Prose(
                        texts=[
                            tr(
                                "News and corrections are told from committee to committee: no way leads "
                                "through them from one of these two cuts to the other, so that figures "
                                "and milestones are compared below."
                            )
                        ]
                    )
                ],
            )
        )
    sections += [_figures(asked, before), _milestones(asked, before)]
    return Page(
        place="/moves",
        title=tr("What moved"),
        sections=sections,
        lead=tr(
            "{after} ({on}) compared with {before} ({then}).",
            after=asked.named(story.label),
            on=day(story.as_of),
            before=asked.named(vs),
            then=day(before.as_of),
        ),
    )


def _figures(asked: Asked, before: Story) -> Section:
    story = asked.story
    rows = []
    for one in story.projects:
        then = before.project(one.key)
        row = [
            Cell(text=one.name, note=one.code, href=asked.to(f"/projects/{one.code}")),
            weather(then.weather if then else None),
            weather(one.weather),
        ]
        for name in _FIGURES:
            was, now = (then.value(name) if then else None), one.value(name)
            unit = one.figures[name].unit if name in one.figures else ""
            delta = now - was if now is not None and was is not None else None
            row.append(
                Cell(
                    text=written(now, unit, story.currency),
                    order=now or 0,
                    note=signed(delta, unit, story.currency) if delta else "",
                )
            )
        rows.append(row)
    captions = {
        name: next((one.figures[name].caption for one in story.projects if name in one.figures), name)
        for name in _FIGURES
    }
    columns = (
        Column(name=tr("Project"), wide=True),
        Column(name=tr("Before"), align="center"),
        Column(name=tr("After"), align="center"),
        *(Column(name=captions[name], align="right") for name in _FIGURES),
    )
    return Section(
        id="figures",
        title=tr("Weather and figures"),
        blocks=[
            Table(
                caption=tr("Each figure at the later cut, and below it the change"),
                columns=columns,
                rows=rows,
                empty=tr("No project is known at this cut."),
                sortable=True,
            )
        ],
    )


def _milestones(asked: Asked, before: Story) -> Section:
    was = {(one.project_key, one.title): one for one in before.milestones}
    rows = []
    for one in asked.story.milestones:
        then = was.get((one.project_key, one.title))
        if then is None or then.finish is None or one.finish is None or then.finish == one.finish:
            continue
        days = (one.finish - then.finish).days
        name, to = asked.project(one.project_key)
        rows.append(
            (
                -abs(days),
                [
                    Cell(text=one.title, href=one.url, out=True),
                    Cell(text=name, href=to),
                    date_of(then.finish),
                    date_of(one.finish),
                    Cell(text=signed(days, "duration", ""), order=days),
                ],
            )
        )
    rows.sort(key=lambda one: one[0])
    columns = (
        Column(name=tr("Milestone"), wide=True),
        Column(name=tr("Project")),
        Column(name=tr("Before"), align="right"),
        Column(name=tr("After"), align="right"),
        Column(name=tr("Change"), align="right"),
    )
    return Section(
        id="milestones",
        title=tr("Milestones"),
        blocks=[
            Table(
                caption=tr("Milestones whose date is another one, the largest change first"),
                columns=columns,
                rows=[row for _, row in rows],
                empty=tr("No milestone has another date."),
                sortable=True,
            )
        ],
    )
