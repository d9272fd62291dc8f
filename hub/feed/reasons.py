"""What the feed's SQL says of what does not count, in the reader's language; the SQL writes English."""

from __future__ import annotations

import re
from functools import cache

from hub.feed.kpi.catalogue import catalogue
from hub.feed.model import model
from hub.words import language, mark, tr

_SAID = (
    mark("absence: not work, it lowers what is available"),
    mark("actual work of a plan, not a timesheet"),
    mark("another container is the authority for actuals"),
    mark("another container is the authority for effort"),
    mark("by an account that is nobody of people.csv: not in load and capacity"),
    mark("container deleted"),
    mark("container outside"),
    mark("container trashed"),
    mark("baseline in a currency without a rate of this month: not in its amount"),
    mark("costs in a currency without a rate of this month: not in costs"),
    mark("exposure in a currency without a rate of this month: shown empty"),
    mark("dated after the moment of the feed"),
    mark("dated after the moment of the feed: not spent yet"),
    mark("dated before 1990: spent, but in no week of capacity"),
    mark("deleted"),
    mark("demand that nobody has yet: in the workload plan, not in load and capacity"),
    mark("deleted, kept in its baseline: not in work, to do or spent"),
    mark("internal time: not work of a project"),
    mark("labour: counted from hours, not from the budget"),
    mark("milestone without a baseline: not in slips"),
    mark("not of the type that fields.csv says: shown empty"),
    mark("of no known project"),
    mark("of no known project: in the total only"),
    mark("open risk without an amount or a probability: not in the exposure"),
    mark("open without a remaining amount: landing only at least"),
    mark("outside"),
    mark("planned over more than ten years"),
    mark("read by another source"),
    mark("rejected"),
    mark("task deleted"),
    mark("task read by another source"),
    mark("task outside"),
    mark("task trashed"),
    mark("trashed"),
    mark("without a rate: in days, not in money"),
)
_WITH_VALUES = (
    (re.compile(r"no exchange rate for (?P<currency>\S+) in (?P<month>\S+)"),
     mark("no exchange rate for {currency} in {month}")),
    (re.compile(r"converted from (?P<currency>\S+)"), mark("converted from {currency}")),
)  # fmt: skip
_MOVED = (
    mark("news"), mark("correction"), mark("definition changed"),
    mark("milestone"), mark("effort"), mark("risk"), mark("budget"), mark("scope"),
    mark("added"), mark("removed"), mark("finish"), mark("spent"), mark("remaining"), mark("baseline"),
    mark("at completion"), mark("amount"), mark("revised"), mark("committed"), mark("consumed"),
    mark("forecast"), mark("tasks"),
    mark("risk opened"), mark("risk removed"), mark("risk changed"), mark("risk open"), mark("risk closed"),
    mark("risk cancelled"), mark("issue opened"), mark("issue removed"), mark("issue changed"),
    mark("issue open"), mark("issue closed"), mark("issue cancelled"), mark("action opened"),
    mark("action removed"), mark("action changed"), mark("action open"), mark("action closed"),
    mark("action cancelled"), mark("decision opened"), mark("decision removed"), mark("decision changed"),
    mark("decision open"), mark("decision closed"), mark("decision cancelled"),
)  # fmt: skip
_STATUSES = (
    mark("todo"), mark("in_progress"), mark("done"), mark("cancelled"), mark("unknown"),
)  # fmt: skip
_KINDS = (
    mark("build"), mark("anomaly"), mark("evolution"), mark("incident"), mark("request"), mark("internal"),
    mark("unassigned"), mark("work"), mark("absence"), mark("project"), mark("issue"), mark("action"),
    mark("decision"), mark("open"), mark("closed"), mark("na"), mark("nok"), mark("resolution"),
    mark("future"), mark("active"), mark("initial budget"), mark("labour"),
    mark("fewer than 5 tasks: look at the points"), mark("daily"),
    mark("flow"), mark("plan"), mark("blend"), mark("burn"), mark("cost"),
    mark("flow, thin record"), mark("plan, thin record"), mark("blend, thin record"),
    mark("work, thin record"), mark("burn, thin record"),
)  # fmt: skip
_VALUES = (
    mark("summary"), mark("milestone"), mark("deliverable"), mark("ok"), mark("baseline"), mark("revised"),
    mark("committed"), mark("consumed"), mark("forecast"), mark("risk"),
    mark("proposed"), mark("on_hold"), mark("accepted"), mark("rejected"),
    mark("portfolio"), mark("program"), mark("workstream"),
    mark("draft"), mark("submitted"), mark("approved"), mark("timesheet"),
    mark("green"), mark("amber"), mark("red"), mark("grey"), mark("up"), mark("flat"), mark("down"),
    mark("as_soon_as_possible"), mark("as_late_as_possible"), mark("must_start"), mark("must_finish"),
    mark("start_no_earlier"), mark("start_no_later"), mark("finish_no_earlier"), mark("finish_no_later"),
    mark("hub"), mark("observed"), mark("human"), mark("bot"), mark("generic"),
    mark("person"), mark("role"), mark("team"), mark("default"),
)  # fmt: skip
"""What a column that holds one of a few values may say, beside statuses and kinds."""
_SPOKEN = frozenset(
    {
        "approval", "category", "computed", "constraint_type", "declared", "direction", "kind", "level",
        "method", "metric", "nature", "nature_first", "origin", "rag", "reason", "scope", "state", "status",
        "topic", "trend",
    }
)  # fmt: skip
"""Columns of KPIs, of their rows and of lists that hold words of the hub, not of people."""
_COLUMNS = (
    mark("account"), mark("hours"), mark("id"), mark("label"), mark("month"), mark("name"), mark("kind"),
    mark("project"), mark("source"), mark("task"), mark("person"), mark("title"), mark("status"),
    mark("amount"), mark("finish"), mark("reference"), mark("people"), mark("missing"), mark("known"),
    mark("forecast"), mark("actor"), mark("lines"), mark("days"), mark("reason"),
    mark("absence_h"), mark("allocated_h"), mark("logged_h"), mark("capacity_h"), mark("available_days"),
    mark("billable_days"), mark("earned_days"), mark("said_finish"), mark("known_since"), mark("as_of"),
    mark("taken_at"), mark("closed_at"), mark("sealed_at"), mark("sealed_month"), mark("posted_on"),
    mark("run_id"), mark("run_at"), mark("run"), mark("actual_cost_amount"), mark("baseline_amount"),
    mark("cost_amount"), mark("remaining_cost_amount"), mark("remaining_days"), mark("total_slack_days"),
    mark("is_critical"), mark("week_start"), mark("year_month"), mark("period"), mark("cut"),
    mark("method"), mark("topic"), mark("p50"), mark("p80"), mark("p95"), mark("target"), mark("outcome"),
    mark("gained"), mark("lost"),
)  # fmt: skip
"""Columns of what commands list that no table of the feed has, or that two have for different things."""
_UNITS = (
    mark("days"), mark("amount"), mark("hours"), mark("ratio"), mark("share"), mark("count"), mark("points"),
    mark("score"), mark("flag"), mark("duration"), mark("text"), mark("moment"),
)  # fmt: skip
"""The units of measures."""
_ROWS = (
    mark("tasks"), mark("worklogs"), mark("milestones"), mark("deadlines"), mark("slacks"), mark("costs"),
    mark("budget"), mark("register"), mark("checklist"), mark("sla"), mark("intervals"), mark("iterations"),
    mark("demands"), mark("quality"), mark("sources"), mark("capacity"), mark("forecasts"), mark("drivers"),
    mark("history"),
)  # fmt: skip
"""The kinds of rows behind a KPI."""
_CHECKS = {
    "leaf_without_estimate": mark("tasks without an estimate"),
    "open_without_remaining": mark("open tasks without a remaining effort"),
    "done_with_remaining": mark("done tasks with a remaining effort"),
    "late_without_new_date": mark("late tasks without a new date"),
    "no_baseline": mark("tasks without a baseline"),
    "unmapped_status": mark("tasks whose status means nothing"),
    "cycle_in_hierarchy": mark("tasks that are above themselves"),
    "orphan": mark("tasks whose parent is not known"),
    "account_without_person": mark("hours of nobody in people.csv"),
    "worklog_without_task": mark("hours without a task"),
    "worklog_without_rate": mark("hours without a rate"),
    "day_over_12_hours": mark("days above 12 hours"),
    "container_without_project": mark("containers without a project"),
    "earned_without_hours": mark("work that is done and has no hours"),
    "hours_of_two_tools": mark("hours of one project in two timesheets"),
}
"""What each check of the quality counts, in words."""
_COUNTED = {
    "tasks": mark("tasks"),
    "register_items": mark("items of registers"),
    "checklist_items": mark("items of checklists"),
    "assessments": mark("assessments"),
    "field_values": mark("values of fields"),
}


_WORDS = frozenset(_STATUSES + _KINDS + _MOVED + _VALUES)


def spoken_reason(text: str) -> str:
    """Return why something does not count, as a manifest's `excluded` says it, in the language spoken now."""
    for pattern, template in _WITH_VALUES:
        if found := pattern.fullmatch(text):
            return tr(template, **found.groupdict())
    return tr(text) if text in _SAID else text


def spoken_move(text: str) -> str:
    """Return a cause, a topic, or what moved ("item, measure"), as fact_move says it, in the language spoken.

    The name that people gave an item stays as it is; a part of the budget and what the scope counts have
    words.
    """
    item, found, measure = text.rpartition(", ")
    if measure == "amount" or item == "tasks":
        item = tr(item)
    return f"{item}{found}{tr(measure) if measure in _MOVED else measure}"


def spoken_status(category: str) -> str:
    """Return what a category of statuses is called."""
    return tr(category).replace("_", " ") if category in _STATUSES else category


def spoken_check(code: str) -> str:
    """Return what the check *code* of the quality counts."""
    return tr(_CHECKS.get(code, code))


def spoken_cell(column: str, text: str) -> str:
    """Return the *text* of *column* of a row: a word of the hub in the language, others as they are."""
    if column not in _SPOKEN:
        return text
    if text in _WORDS:
        return tr(text).replace("_", " ")
    return tr(text) if text in _SAID else text


@cache
def _captions() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for table in model().tables.values():
        for name, column in table.columns.items():
            found.setdefault(name, set()).add(column.fr)
    return found


def spoken_column(name: str, kpi: str | None = None) -> str:
    """Return the heading of the column *name* of what a command lists; the columns of *kpi* have its words.

    English shows the name itself, which is what JSON and the feed call it.
    """
    if language() == "en":
        return name
    measures = {one.name: one.fr for one in catalogue()[kpi].measures} if kpi else {}
    if measures.get(name):
        return measures[name]
    captions = _captions().get(name, set())
    return next(iter(captions)) if len(captions) == 1 and name not in _COLUMNS else tr(name)


def spoken_measure(measure: str) -> str:
    """Return what things of a measure that is no hours and no money are called."""
    return tr(_COUNTED[measure]) if measure in _COUNTED else measure.replace("_", " ")
