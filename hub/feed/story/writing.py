"""How a figure of the catalogue is written, in the language spoken now."""

from __future__ import annotations

from hub.feed.story.shapes import Move
from hub.words import mark, number, tr, trn

_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}
_MEASURES = {
    "spent": mark("Spent"), "remaining": mark("To do"), "at completion": mark("At completion"),
    "baseline": mark("Baseline"), "revised": mark("Revised budget"), "committed": mark("Committed"),
    "consumed": mark("Consumed"), "forecast": mark("Forecast"),
    "added": mark("Added"), "removed": mark("Removed"), "start": mark("Start"),
    "risk opened": mark("Risk opened"), "risk closed": mark("Risk closed"),
    "risk changed": mark("Risk changed"), "risk removed": mark("Risk removed"),
    "issue opened": mark("Issue opened"), "issue closed": mark("Issue closed"),
    "issue changed": mark("Issue changed"), "issue removed": mark("Issue removed"),
    "action opened": mark("Action opened"), "action closed": mark("Action closed"),
    "action changed": mark("Action changed"), "action removed": mark("Action removed"),
    "decision opened": mark("Decision opened"), "decision closed": mark("Decision closed"),
    "decision changed": mark("Decision changed"), "decision removed": mark("Decision removed"),
}  # fmt: skip
NONE = "–"
"""What stands where there is no value: NULL is never 0."""


def sign_of(currency: str) -> str:
    """Return the sign of a currency, else its code."""
    return _SIGNS.get(currency, currency)


def amount(value: float | None, currency: str, *, signed: bool = False) -> str:
    """Return *value* as money, whole: ``1 234 567 €`` in French, ``1,234,567 €`` in English."""
    if value is None:
        return NONE
    return f"{number(value, '+,.0f' if signed else ',.0f')}\N{NO-BREAK SPACE}{sign_of(currency)}"


def written(value: float | None, unit: str, currency: str, *, signed: bool = False) -> str:
    """Return *value* of a measure's *unit* (see `hub.feed.kpi.catalogue.Measure`) with its unit.

    Days of work and durations differ: ``12,5 JH`` and ``12 j`` in French. No value is a dash, never 0.
    """
    if value is None:
        return NONE
    plus = "+" if signed else ""
    if unit == "amount":
        return amount(value, currency, signed=signed)
    if unit == "share":
        return number(value, f"{plus}.0%")
    if unit == "ratio":
        return number(value, f"{plus}.2f")
    whole = abs(value - round(value)) < 0.05
    text = number(value, f"{plus},.0f" if whole or abs(value) >= 100 else f"{plus},.1f")
    duration = tr("day") if text.lstrip("+-") == "1" else tr("days")
    after = {"days": tr("person-days"), "duration": duration, "hours": "h"}.get(unit)
    return f"{text}\N{NO-BREAK SPACE}{after}" if after else text


def what_moved(move: Move) -> str:
    """Return in words what *move* is about: the milestone, the kind of money or effort, the risk."""
    measure = tr(_MEASURES[move.measure]) if move.measure in _MEASURES else move.measure
    if move.topic == "budget":
        return tr(_MEASURES[move.item]) if move.item in _MEASURES else move.item
    if move.topic == "effort":
        return measure
    if move.topic == "scope":
        return (
            trn("{n} task added", "{n} tasks added", round(move.after_value or 0))
            if move.measure == "added"
            else trn("{n} task removed", "{n} tasks removed", round(move.before_value or 0))
        )
    return move.item if move.measure == "finish" else tr("{what}: {item}", what=measure, item=move.item)
