"""What the feed's SQL says of what does not count, in the reader's language; the SQL writes English."""

from __future__ import annotations

import re

from hub.words import mark, tr

_SAID = (
    mark("absence: not work, it lowers what is available"),
    mark("actual work of a plan, not a timesheet"),
    mark("another container is the authority for actuals"),
    mark("another container is the authority for effort"),
    mark("by an account that is nobody of people.csv: not in load and capacity"),
    mark("container deleted"),
    mark("container outside"),
    mark("container trashed"),
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
    mark("rejected"),
    mark("task deleted"),
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
_COUNTED = {
    "tasks": mark("tasks"),
    "register_items": mark("items of registers"),
    "checklist_items": mark("items of checklists"),
    "assessments": mark("assessments"),
    "field_values": mark("values of fields"),
}


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
    return tr(category) if category in _STATUSES else category


def spoken_measure(measure: str) -> str:
    """Return what things of a measure that is no hours and no money are called."""
    return tr(_COUNTED[measure]) if measure in _COUNTED else measure.replace("_", " ")
