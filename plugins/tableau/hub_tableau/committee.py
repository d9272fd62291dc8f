"""The committee's story as extracts of the workbook: every table is drawn as it is, none computes.

Projects stand in the middle, and what is told of them around; what is told of the whole portfolio stands
apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

import msgspec

from hub import ARROWS, Move, Story, day, mark, rows_of, speaking, spoken_cell, tr, written
from hub_tableau.source import DataSource, Field, told_apart
from hub_tableau.star import EXTRACTS, day_format

Row = tuple[Any, ...]
COMMITTEE = "committee"
EXTRACT = f"{EXTRACTS}/{COMMITTEE}.hyper"
_PROJECT = "projects"
RAGS = {
    "red": mark("■ red"), "amber": mark("▲ amber"), "green": mark("● green"), "grey": mark("◆ no weather"),
}  # fmt: skip
COLOURS = {"red": "#B3261E", "amber": "#E0A100", "green": "#2E7D4F", "grey": "#8A949E"}
_WORDS = {
    "better": mark("better"), "same": mark("stable"), "worse": mark("worse"),
    "high": mark("high"), "medium": mark("medium"), "low": mark("low"),
    "done": mark("reached"), "late": mark("past its date"), "open": mark("to come"),
    "risk": mark("risk"), "issue": mark("issue"), "action": mark("action"), "decision": mark("decision"),
    "milestone": mark("milestone"), "budget": mark("budget"), "effort": mark("effort"),
    "scope": mark("scope"), "news": mark("news"), "correction": mark("correction"),
    "definition changed": mark("definition changed"),
    "planned": mark("planned"), "earned": mark("earned"), "actual": mark("spent"),
    "total": mark("total"), "over": mark("over budget"), "under": mark("below budget"),
}  # fmt: skip


class Column(msgspec.Struct, frozen=True):
    """One column of a table: its name, its type in the feed, what people read, whether its numbers add up."""

    name: str
    kind: str
    caption: str
    adds_up: bool = False


class Table(msgspec.Struct, frozen=True):
    """One table of the story; *apart* says that it is of the whole portfolio."""

    caption: str
    columns: tuple[Column, ...]
    rows: Callable[[Story], Iterable[Row]]
    apart: bool = False


_KEY = Column("project_key", "BIGINT", mark("Project key"))
_TEXT, _NUMBER, _DAY = "VARCHAR", "DOUBLE", "DATE"


def word(code: str | None) -> str | None:
    """Return a code of the story as people say it, in the language spoken."""
    return tr(_WORDS.get(code, code)) if code else None


def rag(colour: str | None) -> str:
    """Return a colour as people say it: with a sign of its own, so that it is read without colour too."""
    return tr(RAGS[colour or "grey"])


def _projects(story: Story) -> Iterator[Row]:
    for rank, one in enumerate(story.projects, 1):
        trend = f"{ARROWS[one.trend]} {word(one.trend)}" if one.trend else None
        yield (
            one.key, rank, f"{one.code} {one.name}", one.program, one.portfolio, one.phase,
            one.state and spoken_cell("state", one.state),
            rag(one.weather), rag(one.computed), rag(one.declared), trend, one.reason, one.commentary,
            word(one.confidence), one.confidence_reason, 1,
        )  # fmt: skip


def _figures(story: Story) -> Iterator[Row]:
    for one in story.projects:
        for name, figure in one.figures.items():
            light = rag(figure.rag) if figure.rag else None
            yield (
                one.key, name, figure.caption, figure.value, light, figure.target,
                written(figure.value, figure.unit, story.currency),
            )  # fmt: skip


def _totals(story: Story) -> Iterator[Row]:
    for name, figure in story.totals.items():
        yield name, figure.caption, figure.value, written(figure.value, figure.unit, story.currency)


def _milestones(story: Story) -> Iterator[Row]:
    for one in story.milestones:
        yield one.project_key, one.title, one.baseline, one.finish, one.slip_days, word(one.state)


def _register(story: Story) -> Iterator[Row]:
    asked = set(map(id, story.decisions))
    for one in story.register:
        yield (
            one.project_key, word(one.kind), one.title, one.asked_of, one.opened_date, one.due_date,
            one.probability, one.impact, one.exposure, one.expected, int(id(one) in asked),
        )  # fmt: skip


def _moves(story: Story) -> Iterator[Row]:
    for one in story.moves:
        before, after = _ends(one, story.currency)
        unit = "duration" if one.unit == "date" else one.unit
        change = written(one.delta, unit, story.currency, signed=True)
        yield (
            one.project_key, word(one.topic), one.item, word(one.cause), before, after, one.delta, change,
        )  # fmt: skip


def _ends(one: Move, currency: str) -> tuple[str, str]:
    if one.unit == "date":
        return _day(one.before_date), _day(one.after_date)
    return written(one.before_value, one.unit, currency), written(one.after_value, one.unit, currency)


def _day(moment: date | None) -> str:
    return day(moment) if moment else written(None, "", "")


def _roadmap(story: Story) -> Iterator[Row]:
    for one in story.roadmap:
        length = (one.finish - one.start).days + 1
        yield one.project_key, one.start, one.finish, one.baseline_start, one.baseline_finish, length


def _slips(story: Story) -> Iterator[Row]:
    for one in story.slips:
        yield one.project_key, one.label, one.date, one.value


def _load(story: Story) -> Iterator[Row]:
    for one in story.load:
        if one.load is not None:
            yield (
                one.team, one.week_start, one.load, one.allocated_h, one.available_h,
                written(one.load, "share", story.currency),
            )  # fmt: skip


def _s_curve(story: Story) -> Iterator[Row]:
    for row in rows_of("s_curve", story):
        yield word(row["series"]), date.fromisoformat(row["date"]), row["value"]


def _waterfall(story: Story) -> Iterator[Row]:
    for rank, row in enumerate(rows_of("waterfall", story), 1):
        yield rank, row["step"], row["low"], row["high"] - row["low"], word(row["kind"]), row["label"]


TABLES: Mapping[str, Table] = {
    _PROJECT: Table(mark("Projects"), (
        _KEY, Column("rank", "BIGINT", mark("Rank")), Column("project", _TEXT, mark("Project")),
        Column("program", _TEXT, mark("Program")), Column("portfolio", _TEXT, mark("Portfolio")),
        Column("phase", _TEXT, mark("Phase")), Column("state", _TEXT, mark("State")),
        Column("weather", _TEXT, mark("Weather")), Column("computed", _TEXT, mark("Computed")),
        Column("declared", _TEXT, mark("Declared")), Column("trend", _TEXT, mark("Trend")),
        Column("reason", _TEXT, mark("Reason")), Column("commentary", _TEXT, mark("Manager's word")),
        Column("confidence", _TEXT, mark("Confidence")),
        Column("confidence_reason", _TEXT, mark("Why this confidence")),
        Column("n", _NUMBER, mark("Number of projects"), adds_up=True),
    ), _projects),
    "figures": Table(mark("Figures"), (
        _KEY, Column("figure", _TEXT, mark("Code")), Column("caption", _TEXT, mark("Figure")),
        Column("value", _NUMBER, mark("Value")), Column("rag", _TEXT, mark("Light")),
        Column("target", _NUMBER, mark("Target")), Column("shown", _TEXT, mark("Value in words")),
    ), _figures),
    "milestones": Table(mark("Milestones"), (
        _KEY, Column("title", _TEXT, mark("Milestone")), Column("baseline", _DAY, mark("Baseline")),
        Column("finish", _DAY, mark("Reached or expected")), Column("slip", _NUMBER, mark("Slip (days)")),
        Column("state", _TEXT, mark("State of the milestone")),
    ), _milestones),
    "register": Table(mark("Risks and decisions"), (
        _KEY, Column("kind", _TEXT, mark("Kind")), Column("title", _TEXT, mark("Entry")),
        Column("asked_of", _TEXT, mark("Asked of")), Column("opened", _DAY, mark("Opened")),
        Column("due", _DAY, mark("Due")), Column("probability", _NUMBER, mark("Probability")),
        Column("impact", _NUMBER, mark("Impact")),
        Column("exposure", _NUMBER, mark("Exposure"), adds_up=True),
        Column("expected", _NUMBER, mark("Expected exposure"), adds_up=True),
        Column("is_asked", "BIGINT", mark("Asked of the committee")),
    ), _register),
    "moves": Table(mark("What moved"), (
        _KEY, Column("topic", _TEXT, mark("Topic")), Column("item", _TEXT, mark("Item")),
        Column("cause", _TEXT, mark("Cause")), Column("before", _TEXT, mark("Before")),
        Column("after", _TEXT, mark("After")), Column("delta", _NUMBER, mark("Change")),
        Column("shown", _TEXT, mark("Change in words")),
    ), _moves),
    "roadmap": Table(mark("Roadmap"), (
        _KEY, Column("start", _DAY, mark("Start")), Column("finish", _DAY, mark("Finish")),
        Column("baseline_start", _DAY, mark("Baseline start")),
        Column("baseline_finish", _DAY, mark("Baseline finish")),
        Column("days", _NUMBER, mark("Length (days)")),
    ), _roadmap),
    "slips": Table(mark("Slip over the cuts"), (
        _KEY, Column("cut", _TEXT, mark("Cut")), Column("day", _DAY, mark("Day of the cut")),
        Column("slip", _NUMBER, mark("Slip of the milestones (days)")),
    ), _slips),
    "totals": Table(mark("Figures of the portfolio"), (
        Column("figure", _TEXT, mark("Code")), Column("caption", _TEXT, mark("Figure")),
        Column("value", _NUMBER, mark("Value")), Column("shown", _TEXT, mark("Value in words")),
    ), _totals, apart=True),
    "s_curve": Table(mark("S-curve"), (
        Column("series", _TEXT, mark("Curve")), Column("day", _DAY, mark("Date")),
        Column("value", _NUMBER, mark("Person-days")),
    ), _s_curve, apart=True),
    "waterfall": Table(mark("From budget to landing"), (
        Column("rank", "BIGINT", mark("Rank")), Column("step", _TEXT, mark("Step")),
        Column("low", _NUMBER, mark("From")), Column("height", _NUMBER, mark("Height")),
        Column("kind", _TEXT, mark("Kind")), Column("label", _TEXT, mark("Amount")),
    ), _waterfall, apart=True),
    "load": Table(mark("Load"), (
        Column("team", _TEXT, mark("Team")), Column("week", _DAY, mark("Week of")),
        Column("load", _NUMBER, mark("Load")),
        Column("allocated", _NUMBER, mark("Allocated hours"), adds_up=True),
        Column("available", _NUMBER, mark("Available hours"), adds_up=True),
        Column("shown", _TEXT, mark("Load in words")),
    ), _load, apart=True),
}  # fmt: skip
"""The tables of the workbook; their names are those of its fields."""


def columns_of(table: str) -> dict[str, str]:
    """Return the columns of a table and their types in the feed."""
    return {one.name: one.kind for one in TABLES[table].columns}


def caption_of(table: str) -> str:
    """Return what a table is called, in the language spoken."""
    return tr(TABLES[table].caption)


def tables_of(story: Story) -> dict[str, list[Row]]:
    """Return the rows of every table, in the story's language.

    A text that is missing is a dash: Tableau would write "Null" in its place.
    """
    with speaking(story.lang):
        dash = written(None, "", story.currency)
        return {
            name: [
                tuple(
                    dash if value is None and column.kind == _TEXT else value
                    for value, column in zip(row, table.columns, strict=True)
                )
                for row in table.rows(story)
            ]
            for name, table in TABLES.items()
        }


def data_sources(story: Story) -> dict[str, DataSource]:
    """Return the data source of each table by the table's name: one for all of the projects, else its own."""
    with speaking(story.lang):
        around = [name for name, table in TABLES.items() if not table.apart]
        middle = _data_source(COMMITTEE, tr("Committee"), around, story.lang)
        return dict.fromkeys(around, middle) | {
            name: _data_source(name, caption_of(name), [name], story.lang)
            for name, table in TABLES.items()
            if table.apart
        }


def _data_source(name: str, caption: str, tables: list[str], lang: str) -> DataSource:
    colours = {tr(RAGS[one]): colour for one, colour in COLOURS.items()}
    return DataSource(
        name=name,
        caption=caption,
        extract=EXTRACT,
        tables={one: caption_of(one) for one in tables},
        fields=tuple(_told_apart(_fields(tables, lang))),
        relations=tuple(
            (f"[{_PROJECT}.project_key]", f"[{one}.project_key]") for one in tables if one != _PROJECT
        )
        if len(tables) > 1
        else (),
        colours={f"[none:{field}:nk]": colours for field in ("projects.weather", "figures.rag")}
        if name == COMMITTEE
        else {},
    )


def _told_apart(fields: Iterable[Field]) -> Iterator[Field]:
    found = {one.name: one for one in fields}
    for name, caption in told_apart((one.name, one.caption, one.folder) for one in found.values()):
        yield msgspec.structs.replace(found[name], caption=caption)


def _fields(tables: list[str], lang: str) -> Iterator[Field]:
    for table in tables:
        for one in TABLES[table].columns:
            is_key = one.name in {"project_key", "rank"}
            yield Field(
                name=f"[{table}.{one.name}]", table=table, remote=one.name, kind=one.kind,
                caption=tr(one.caption), is_measure=one.kind == _NUMBER, adds_up=one.adds_up,
                is_hidden=is_key, folder=caption_of(table),
                format={_DAY: day_format(lang), _NUMBER: "n#,##0.##;-#,##0.##"}.get(one.kind, ""),
            )  # fmt: skip
