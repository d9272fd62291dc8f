"""Days and months as people write them, and which of day and month stands first."""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Literal

DayOrder = Literal["dd/mm", "mm/dd"]
_MONTHS = {
    name: number
    for number, names in enumerate(
        ("janv janvier jan january januar janner januari ene enero gen gennaio janeiro styczen sty leden",
         "fevr fevrier fev feb february februar februari febrero febbraio fevereiro luty lutego unor unora",
         "mars mar march marz mrz maart mrt marzo marco marzec marca brezen brezna",
         "avr avril apr april abr abril aprile kwiecien kwietnia kwi duben dubna",
         "mai may mei mayo mag maggio maio maj maja kveten kvetna",
         "juin jun june juni junio giu giugno junho czerwiec czerwca cze cerven cervna",
         "juil juillet jul july juli julio lug luglio julho lipiec lipca cervenec cervence",
         "aout aug august augustus ago agosto sierpien sierpnia srpen srpna",
         "sept septembre sep september septiembre set settembre setembro wrzesien wrzesnia wrz zari",
         "oct octobre october okt oktober octubre ott ottobre out outubro pazdziernik pazdziernika rijen",
         "nov novembre november noviembre novembro listopad listopada listopadu",
         "dec decembre december dez dezember dic diciembre dicembre dezembro grudzien grudnia gru prosinec"),
        start=1,
    )
    for name in names.split()
} | {"stycznia": 1, "ledna": 1, "paz": 10, "rijna": 10, "prosince": 12}  # fmt: skip
"""The months in ten languages, without accents."""
_WORDS = frozenset({"ago", "gen", "mag", "out", "paz", "set", "cze", "gru"})
"""Short names of months that are words of other languages: no month in a title."""
_CALLED = tuple(
    language.split()
    for language in (
        "lundi mardi mercredi jeudi vendredi samedi dimanche", "lun mar mer jeu ven sam dim",
        "lu ma me je ve sa di", "monday tuesday wednesday thursday friday saturday sunday",
        "mon tue wed thu fri sat sun", "mon tues weds thurs fri sat sun", "mo tu we th fr sa su",
        "montag dienstag mittwoch donnerstag freitag samstag sonntag", "mo di mi do fr sa so",
        "montag dienstag mittwoch donnerstag freitag sonnabend sonntag", "mon die mit don fre sam son",
        "lunes martes miercoles jueves viernes sabado domingo", "lun mar mie jue vie sab dom",
        "lu ma mi ju vi sa do", "lunedi martedi mercoledi giovedi venerdi sabato domenica",
        "lun mar mer gio ven sab dom", "segunda terca quarta quinta sexta sabado domingo",
        "seg ter qua qui sex sab dom", "maandag dinsdag woensdag donderdag vrijdag zaterdag zondag",
        "ma di wo do vr za zo", "maa din woe don vri zat zon",
        "poniedzialek wtorek sroda czwartek piatek sobota niedziela", "pon wt sr czw pt sob nd",
        "pon wto sro czw pia sob nie", "pondeli utery streda ctvrtek patek sobota nedele",
        "po ut st ct pa so ne",
    )
)  # fmt: skip
"""The days of the week from Monday on, as nine languages call them, without accents."""
_WEEKDAYS: dict[str, frozenset[int]] = {
    word: frozenset(language.index(word) for language in _CALLED if word in language)
    for language in _CALLED
    for word in language
}
"""Which days of the week, from 0, a word may name: di is a Tuesday in German and a Sunday in French."""
DAY_NAMES = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
"""All of them, as a regular expression has them."""
_TIME = (
    r"(?:,?(?:[T ]+| (?:a|at) +)[0-2]?[0-9][:h][0-5][0-9](?::[0-5][0-9](?:[.,][0-9]+)?)?"
    r"\s*(?:[ap]m|Z|[+-][0-9]{2}:?[0-9]{2})?)?"
)
_TIME_AT_END = re.compile(
    r"(?:[T ]|\b(?:a|at) +)([0-2]?[0-9])[:h]([0-5][0-9])(?::([0-5][0-9])(?:[.,][0-9]+)?)?"
    r"\s*(?:([ap]m)|(Z|[+-][0-9]{2}:?[0-9]{2}))?$",
    re.IGNORECASE,
)
"""The same, with its parts, of a text that is known to be a stamp."""
_YEAR_FIRST = re.compile(rf"([0-9]{{4}})([-/.])([0-9]{{1,2}})\2([0-9]{{1,2}}){_TIME}", re.IGNORECASE)
_BASIC = re.compile(r"([0-9]{4})([0-9]{2})([0-9]{2})")
_YEAR_LAST = re.compile(
    rf"([0-9]{{1,2}})([-/.]) ?([0-9]{{1,2}})\2 ?([0-9]{{4}}|[0-9]{{2}}){_TIME}", re.IGNORECASE
)
_NAMED = re.compile(
    r"([0-9]{1,2})(?:er|st|nd|rd|th|º|o|[.])?[ /-]+(?:de )?([a-z]+)(?: de)?[ ,/-]+([0-9]{4}|[0-9]{2})"
    + _TIME,
    re.IGNORECASE,
)
_NAME_FIRST = re.compile(rf"([a-z]+) +([0-9]{{1,2}})(?:st|nd|rd|th)?,? +([0-9]{{4}}){_TIME}", re.IGNORECASE)
_WEEKDAY = re.compile(rf"({DAY_NAMES})\b\.?,? *(?=[0-9a-z])(.+)", re.I)
_MONTH = re.compile(r"([0-9]{4})[-/.]([0-9]{1,2})|([0-9]{4})([0-9]{2})")
_MONTH_LAST = re.compile(r"0?([0-9]{1,2})[-/.]([0-9]{4})")
_MONTH_NAME = re.compile(r"([a-z]+)[ /-]+([0-9]{4}|[0-9]{2})")
TWO_DIGITS = 30
"""A year of two digits is the one within so many years of today."""


def bare(text: str) -> str:
    """Return *text* without accents, dots after words, capitals and double blanks."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    plain = plain.replace("ł", "l")
    return " ".join(re.sub(r"(?<=[a-z])\.", "", plain).split())


def month_number(word: str) -> int:
    """Return the month, from 1, that a word without accents names in one of ten languages, or 0."""
    return _MONTHS.get(word, 0)


def month_in(word: str) -> int:
    """Return the month that a word of a title names, or 0: none that is a word of its own elsewhere."""
    return 0 if word in _WORDS else month_number(word)


def weekdays_among(texts: Iterable[str]) -> dict[str, int]:
    """Return which days, from 1 for Monday, those of these texts are that name days of the week.

    All of them are of one language: Di is a Tuesday beside Mo and Mi, and a Sunday beside Sa.
    """
    named = list(dict.fromkeys(texts))
    best: dict[str, int] = {}
    for words in _CALLED:
        found = {text: words.index(name) + 1 for text in named if (name := _weekday_word(text)) in words}
        if len(found) > len(best) and len(set(found.values())) == len(found):
            best = found
    return best


def _weekday_word(text: str) -> str:
    return re.sub(r"\s*[(\[].*$|[.:]+$", "", bare(text)).strip(" .")


@functools.lru_cache(maxsize=20_000)
def day_readings(text: str, this_year: int) -> tuple[date | None, date | None]:
    """Return the day that *text* is where the day stands first, and where the month does.

    None where it is none, or not on the day of the week that it names.
    """
    if match := _WEEKDAY.fullmatch(text if text.isascii() else bare(text)):
        readings, weekdays = day_readings(match[2], this_year), _WEEKDAYS[match[1].lower()]
        if any(readings):  # else it may be a month: mar 3 2026
            fits = [one if one and one.weekday() in weekdays else None for one in readings]
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


def time_in(text: str) -> time | None:
    """Return the time of day at the end of a stamp as people write it, with its zone where it says one.

    Raises `ValueError` for one that no clock shows.
    """
    if ":" not in text and "h" not in text:
        return None
    match = _TIME_AT_END.search(bare(text))
    if match is None:
        return None
    hour, minute, second, half, zone = match.groups()
    number = int(hour)
    if half:
        if not 1 <= number <= 12:
            raise ValueError(text)
        number = number % 12 + (12 if half[0] == "p" else 0)
    tz = datetime.fromisoformat(f"2000-01-01T00:00{zone.upper()}").tzinfo if zone else None
    return time(number, int(minute), int(second or 0), tzinfo=tz)


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
