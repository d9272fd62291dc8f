"""Days and months as people write them, and which of day and month stands first."""

from __future__ import annotations

import functools
import re
import unicodedata
from datetime import date, datetime
from typing import Literal

DayOrder = Literal["dd/mm", "mm/dd"]
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("janv janvier jan january januar", "fevr fevrier fev feb february februar",
         "mars mar march marz mrz",
        "avr avril apr april", "mai may",
         "juin jun june juni", "juil juillet jul july juli", "aout aug august",
         "sept septembre sep september",
         "oct octobre october okt oktober", "nov novembre november",
         "dec decembre december dez dezember"), start=1,
    )
    for name in names.split()
}  # fmt: skip
_WEEKDAYS = {
    name: number
    for number, names in enumerate(
        ("lun lundi mon monday montag", "mar mardi tue tues tuesday dienstag",
         "mer mercredi wed wednesday mittwoch",
         "jeu jeudi thu thur thurs thursday donnerstag", "ven vendredi fri friday freitag",
         "sam samedi sat saturday samstag",
         "dim dimanche sun sunday sonntag"),
    )
    for name in names.split()
}  # fmt: skip
_TIME = (
    r"(?:,?(?:[T ]+| (?:a|at) +)[0-2]?[0-9][:h][0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
    r"\s*(?:[ap]m|Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_TIME}", re.IGNORECASE)
_BASIC = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_YEAR_LAST = re.compile(
    rf"([0-9]{{1,2}})([-/.])([0-9]{{1,2}})\2([0-9]{{4}}|[0-9]{{2}}){_TIME}", re.IGNORECASE
)
_NAMED = re.compile(
    rf"([0-9]{{1,2}})(?:er|st|nd|rd|th)?[ /-]+([a-z]+)[ ,/-]+([0-9]{{4}}|[0-9]{{2}}){_TIME}", re.IGNORECASE
)
_NAME_FIRST = re.compile(rf"([a-z]+) +([0-9]{{1,2}})(?:st|nd|rd|th)?,? +([0-9]{{4}}){_TIME}", re.IGNORECASE)
_WEEKDAY = re.compile(
    rf"({'|'.join(sorted(_WEEKDAYS, key=len, reverse=True))})\b\.?,? *(?=[0-9a-z])(.+)", re.I
)
_MONTH = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})|([0-9]{4})([0-9]{2})")
_MONTH_LAST = re.compile(r"([0-9]{1,2})[-/.]([0-9]{4})")
_MONTH_NAME = re.compile(r"([a-z]+)[ /-]+([0-9]{4}|[0-9]{2})")
TWO_DIGITS = 30
"""A year of two digits is the one within so many years of today."""


def bare(text: str) -> str:
    """Return *text* without accents, dots after words, capitals and double blanks."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    return " ".join(re.sub(r"(?<=[a-z])\.", "", plain).split())


def month_number(word: str) -> int:
    """Return the month, from 1, that a word of French, English or German without accents names, or 0."""
    return _MONTHS.get(word, 0)


@functools.lru_cache(maxsize=20_000)
def day_readings(text: str, this_year: int) -> tuple[date | None, date | None]:
    """Return the day that *text* is where the day stands first, and where the month does.

    None where it is none, or not on the day of the week that it names.
    """
    if match := _WEEKDAY.fullmatch(text):
        readings, weekday = day_readings(match[2], this_year), _WEEKDAYS[match[1].lower()]
        if any(readings):  # else it may be a month: mar 3 2026
            fits = [one if one and one.weekday() == weekday else None for one in readings]
            return fits[0], fits[1]
    if match := _YEAR_FIRST.fullmatch(text) or _BASIC.fullmatch(text):
        year, month, day = (int(part) for part in match.groups() if part.isdigit())
        return (_day(year, month, day),) * 2
    if match := _YEAR_LAST.fullmatch(text):
        first, mark, second, written = match.groups()
        year = _year(written, this_year)
        if mark == "-" and len(written) == 2:
            return None, None  # 26-03-01 may begin with its year
        found = _day(year, int(second), int(first))
        return found, found if mark == "." else _day(year, int(first), int(second))
    plain = bare(text)
    if match := _NAMED.fullmatch(plain):
        return (_day(_year(match[3], this_year), month_number(match[2]), int(match[1])),) * 2
    if match := _NAME_FIRST.fullmatch(plain):
        return (_day(int(match[3]), month_number(match[1]), int(match[2])),) * 2
    return None, None


@functools.lru_cache(maxsize=5_000)
def month_of(text: str, this_year: int) -> date | None:
    """Return the first day of the month that *text* names without a day, or None."""
    plain = bare(text)
    if match := _MONTH.fullmatch(plain):
        return _day(int(match[1] or match[3]), int(match[2] or match[4]), 1)
    if match := _MONTH_LAST.fullmatch(plain):
        return _day(int(match[2]), int(match[1]), 1)
    if match := _MONTH_NAME.fullmatch(plain):
        return _day(_year(match[2], this_year), month_number(match[1]), 1)
    return None


@functools.lru_cache(maxsize=20_000)
def by_format(text: str, pattern: str) -> datetime | None:
    """Return the instant that *text* is by a pattern of strptime, or None."""
    try:
        return datetime.strptime(text, pattern)
    except ValueError:
        return None


def moment_of(text: str) -> datetime | None:
    """Return the instant of a stamp of ISO 8601 with a time, or None."""
    if len(text) <= 10 or not (":" in text or "T" in text):
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return None


def _year(text: str, this_year: int) -> int:
    if len(text) == 4:
        return int(text)
    century = this_year - this_year % 100
    near = [
        year
        for year in (century - 100 + int(text), century + int(text), century + 100 + int(text))
        if abs(year - this_year) <= TWO_DIGITS
    ]
    return near[0] if near else 0


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None
