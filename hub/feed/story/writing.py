"""How a figure of the catalogue is written, in the language spoken now."""

from __future__ import annotations

from hub.words import number, tr

_SIGNS = {"EUR": "€", "GBP": "£", "USD": "$"}
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
    after = {"days": tr("person-days"), "duration": tr("days"), "hours": "h"}.get(unit)
    return f"{text}\N{NO-BREAK SPACE}{after}" if after else text
