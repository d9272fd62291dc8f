"""Efforts as people write them: 7h30, 7:30, 0,5 j, 1d 4h, 2h 30m, PT1H30M."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from decimal import Decimal
from typing import Literal

Unit = Literal["seconds", "minutes", "hours", "days", "milliseconds", "iso", "clock"]
"""``clock`` are hours whose decimals are minutes: 7.30 is 7 h 30."""
_WORDS = {
    "week": "w wk wks week weeks sem semaine semaines",
    "day": "d j jr jrs jour jours day days jh jph md pd pt tag tage personentage jours-homme jour-homme",
    "hour": "h hr hrs hour hours heure heures std stunde stunden",
    "minute": "m mn mns min mins minute minuten minutes",
    "second": "s sec secs second seconds seconde secondes",
}
_OF = {word: name for name, words in _WORDS.items() for word in words.split()}
_ORDER = tuple(_WORDS)
_CLOCK = re.compile(
    r"([0-9]+):([0-5][0-9])(?::([0-5][0-9])(?:[.,]0+)?)?(?:\s*(?:h|hrs?|std)\.?)?", re.IGNORECASE
)
_HOURS = re.compile(r"([0-9]+)\s*(?:h|hr|hrs|hours?|heures?)\s*([0-5][0-9])", re.IGNORECASE)
_PART = re.compile(r"([0-9][0-9.,'\u2019\s]*|[.,][0-9]+)([^\W\d_]+(?:-homme)?)\.?\s*")
_NUMBER = r"([0-9]+(?:[.,][0-9]+)?)"
_ISO = re.compile(
    rf"P(?=.)(?:{_NUMBER}W)?(?:{_NUMBER}D)?(?:T(?=.)(?:{_NUMBER}H)?(?:{_NUMBER}M)?(?:{_NUMBER}S)?)?"
)


_CAPTIONS: dict[Unit, re.Pattern[str]] = {
    "hours": re.compile(r"\b(?:heures?|hours?|hrs?|stunden|std|h)\b", re.IGNORECASE),
    "days": re.compile(
        r"\b(?:jh|jph|md|pt|jours?|jrs|days?|man-?days?|jours?-homme|(?:personen|arbeits)?tage|j)\b",
        re.IGNORECASE,
    ),
    "minutes": re.compile(r"\b(?:minuten?|minutes|mins?|mn)\b", re.IGNORECASE),
    "seconds": re.compile(r"\b(?:secondes?|seconds?|secs?)\b", re.IGNORECASE),
}


def unit_of(caption: str) -> Unit | None:
    """Return the unit that a column's caption says its efforts are in: minutes for "Temps (min)".

    None where it names none, or several such as h:mm.
    """
    bare = re.sub(r"(?i)\bh+[:h]mm?(?::ss)?\b", " ", caption)
    found = [unit for unit, words in _CAPTIONS.items() if words.search(bare)]
    return found[0] if len(found) == 1 else None


def factor(unit: Unit, day_s: Decimal) -> Decimal:
    """Return the seconds of one *unit*; *day_s* are those of a working day."""
    plain = {
        "seconds": Decimal(1),
        "minutes": Decimal(60),
        "hours": Decimal(3600),
        "clock": Decimal(3600),
        "milliseconds": Decimal("0.001"),
    }
    return day_s if unit == "days" else plain.get(unit, Decimal(1))


class Minutes:
    """What the decimals of a column of hours show: parts of an hour, minutes, or neither for sure."""

    def __init__(self) -> None:
        """Have seen nothing."""
        self.seen: set[str] = set()
        self.shown = ""
        self.has_clock = self.has_parts = False

    def look(self, cell: object) -> None:
        """Note a cell: 7:30 and 7h30 are clocks, 7.5 and 7.75 are parts, 7.30 may be either."""
        if isinstance(cell, float) and not cell.is_integer():
            digits = f"{cell:.6f}".rstrip("0").partition(".")[2].ljust(2, "0")
            self._decimals(digits, f"{cell:.2f}")
        elif isinstance(cell, str):
            text = cell.strip()
            if match := _DECIMALS.fullmatch(text):
                self._decimals(match[1], text)
            else:
                self.has_clock |= bool(_CLOCK.fullmatch(text) or _HOURS.fullmatch(text))

    def _decimals(self, digits: str, text: str) -> None:
        if len(digits) != 2 or int(digits) > 59:
            self.has_parts = True
        elif digits != "00":
            self.seen.add(digits)
            self.shown = self.shown or text

    @property
    def are(self) -> Literal["parts", "minutes", "open", "asked"]:
        """Say what they are; *open* where parts are taken, and minutes are as likely; *asked* else."""
        if self.has_parts or not self.seen or self.seen <= {"25", "50", "75"}:
            return "parts"
        quarters = self.seen <= {"15", "30", "45"}
        if self.has_clock:
            return "minutes" if quarters else "asked"
        return "open" if quarters or len(self.seen) >= _MANY else "parts"


_DECIMALS = re.compile(r"[-+]?[0-9]+[.,]([0-9]+)")
_MANY = 8
"""So many different decimals, all of them below 60, are hardly parts of an hour."""


@functools.lru_cache(maxsize=5_000)
def parts(text: str) -> tuple[tuple[str, str], ...] | None:
    """Return the numbers of ``1d 4h`` with their units, the largest first.

    None where *text* is not written so.
    """
    found: list[tuple[str, str]] = []
    place = 0
    for match in _PART.finditer(text):
        unit = _OF.get(match[2].casefold())
        if match.start() != place or unit is None:
            return None
        if found and _ORDER.index(unit) <= _ORDER.index(found[-1][1]):
            return None
        if unit == "second" and match[2].casefold() == "s" and not found:
            unit = "s"  # alone it may be a week in French, but where seconds are declared
        found.append((match[1].strip(), unit))
        place = match.end()
    return tuple(found) if found and place == len(text) else None


def seconds_of(text: str, unit: Unit, day_s: Decimal, number: Callable[[str], Decimal]) -> Decimal | None:
    """Return the seconds of a duration with its units in it, or None where *text* is none.

    *number* reads a number of the column. A week has five days of *day_s*; with the unit ``iso`` a day has 24
    hours and a week seven days, as ISO 8601 says.
    """
    if match := _ISO.fullmatch(text):
        day, week = (Decimal(86400), 7) if unit == "iso" else (day_s, 5)
        weeks, days, hours, minutes, rest = (
            Decimal((part or "0").replace(",", ".")) for part in match.groups()
        )
        return (weeks * week + days) * day + hours * 3600 + minutes * 60 + rest
    if unit == "iso":
        return None
    if match := _CLOCK.fullmatch(text) or _HOURS.fullmatch(text):
        hours, minutes, *more = (Decimal(part or 0) for part in match.groups())
        return hours * 3600 + minutes * 60 + sum(more)
    found = parts(text)
    if found is None or (found[0][1] == "s" and unit != "seconds"):
        return None
    if any(not part.isdigit() for part, _ in found[:-1]):  # a fraction may only stand in the last part
        return None
    sizes = {
        "week": 5 * day_s,
        "day": day_s,
        "hour": Decimal(3600),
        "minute": Decimal(60),
        "second": Decimal(1),
        "s": Decimal(1),
    }
    return sum((number(part) * sizes[name] for part, name in found), Decimal(0))
