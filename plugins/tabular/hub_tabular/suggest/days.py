"""How the days of a column are written, or the question that they leave open."""

from __future__ import annotations

import re
from datetime import date, datetime, time
from itertools import pairwise
from typing import Any

import msgspec

from hub import cell_text, day_readings, near_day, period_named, tr, year_in
from hub_tabular import tables
from hub_tabular.suggest import words
from hub_tabular.suggest.looking import Looked, decimal_of, toml
from hub_tabular.suggest.words import BARE_PERIOD, PERIODS, YEAR, plain

_ODD_DAYS = 0.2
"""The share of a column's days that may be no days, without saying anything of how the others are written."""
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y", "%m/%d/%y", "%d-%m-%Y",
         "%d/%b/%y")  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_EUROPEAN = (
    r"heures|matricule|projet|duree|\bjour|utilisateur|activite|demande|salarie"
    r"|mitarbeiter|projekt|stunden|datum|aufgabe"
)


def holds_days(looked: Looked, name: str) -> bool:
    """Say whether a column holds days without a time, and nothing else."""
    values = looked.values(name)
    return bool(values) and all(
        (isinstance(value, datetime) and value.time() == datetime.min.time())
        or (isinstance(value, date) and not isinstance(value, datetime))
        or (isinstance(value, str) and any(_is_like(value.strip(), form) for form in _DAYS))
        for value in values
    )


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """What the cells of a column name: *per* a week, a month …, of a *year* that another column may say.

    *is_open* says that neither a cell nor a column says the year.
    """

    per: words.Period
    year: str | None = None
    is_open: bool = False


def period_of(looked: Looked, name: str) -> Period | None:
    """Return what period each row stands for, None where its column names days, or something else.

    Its header has to say so, for 41/2026 and 10/2026 look alike; then days of a workbook stand for theirs.
    """
    per = next((per for per, called in PERIODS.items() if re.search(called, plain(name))), None)
    values = [value for value in looked.values(name) if not tables.TOTAL.search(cell_text(value))]
    if per is None or not values:
        return None
    named = [None if isinstance(value, date) else period_named(cell_text(value), per) for value in values]
    if not any(named):
        return Period(per=per) if all(map(_is_one_day, values)) else None
    if sum(one is not None for one in named) < len(named) * (1 - _ODD_DAYS):
        return None
    if not re.search(BARE_PERIOD, plain(name)) and any(
        re.fullmatch("[0-9]{1,2}", t) for t in looked.texts(name)
    ):
        return None  # "Jours par mois" counts days
    if all(one[1] is not None for one in named if one):
        return Period(per=per)
    if per == "year":
        return Period(per=per)
    year = next((one for one in looked.names if re.search(YEAR, plain(one)) and _is_years(looked, one)), None)
    if year and all(one[1] is None for one in named if one):
        return Period(per=per, year=year)
    return Period(per=per, is_open=True)


def goes_over_a_year(looked: Looked, name: str, period: Period) -> bool:
    """Say whether the numbers of weeks, months … without a year leave more than half of one out."""
    named = [period_named(text, period.per) for text in looked.texts(name)]
    numbers = sorted({one[0] for one in named if one and one[1] is None})
    most = {"week": 26, "month": 6, "quarter": 2}.get(period.per, 1)
    return any(later - one > most for one, later in pairwise(numbers))


def period_parts(looked: Looked, name: str, period: Period) -> tuple[list[str], str]:
    """Return how the periods of a column are written, and what is not sure of them."""
    said = {
        "week": tr("a row is of its week, Monday to Sunday"),
        "month": tr("a row is of its month, from the first to the last day"),
        "quarter": tr("the amount of a quarter stands in its first month"),
        "half": tr("the amount of a half year stands in its first month"),
        "year": tr("the amount of a year stands in its January"),
    }[period.per]
    parts = [f'format = "{period.per}"']
    if not period.is_open:
        return parts, said
    if year := year_in([looked.sheet, looked.path.stem]):
        return parts, said + tr("; the year by the name of the sheet or the file: {year}", year=year)
    if goes_over_a_year(looked, name, period):
        return parts, said + tr("; not clear: are all of one year? Then say it: year = 2026")
    if year := year_in([" ".join(looked.above)]):
        return [*parts, f"year = {year}"], said + tr("; the year by the rows above the headers")
    year = date.fromtimestamp(looked.path.stat().st_mtime).year
    return [*parts, f"year = {year}"], said + tr(
        "; not clear: nothing says the year, taken from the day the file was written"
    )


_FISCAL = re.compile(
    r"(?:fy|ex|exercice|gj|geschaftsjahr|fiscal year|annee fiscale)[ ._'-]*(?:20)?(?P<one>[0-9]{2})"
    r"(?:\s*[/-]\s*(?:20)?(?P<two>[0-9]{2}))?|20(?P<first>[0-9]{2})\s*[/-]\s*20(?P<last>[0-9]{2})"
)


def fiscal_years(texts: list[str]) -> dict[str, str | None]:
    """Return the first month of fiscal years (FY2026, EX 2026, GJ 26) that all of *texts* name, else nothing.

    It is taken to be January; of one over two years (FY25/26) it is not known.
    """
    found: dict[str, str | None] = {}
    for text in texts:
        match = _FISCAL.fullmatch(plain(text).strip())
        if match is None:
            return {}
        found[text] = None if match["two"] or match["last"] else f"20{match['one']}-01"
    return found


def may_be_days(looked: Looked, name: str) -> bool:
    """Say whether most of what is filled in a column could be days, and is no mere time of day."""
    values = [value for value in looked.values(name) if not tables.TOTAL.search(cell_text(value))]
    today = date.today().year
    fits = [
        isinstance(value, date)
        or near_day(value) is not None
        or bool(re.search("[0-9]", cell_text(value)) and not _TIME.fullmatch(cell_text(value)))
        or any(day_readings(cell_text(value), today))
        for value in values
    ]
    return not values or sum(fits) * 2 >= len(values) or period_of(looked, name) is not None


_TIME = re.compile(r"[0-9]{1,2}[:h][0-9]{2}(?::[0-9]{2})?(?: ?[ap]m)?", re.IGNORECASE)


def holds_times(looked: Looked, name: str) -> bool:
    """Say whether a column holds times of the day below a caption of when something began or ended."""
    if not re.search(r"debut|start|begin|\bvon\b|\bfin\b|\bend|\bbis\b|\bende\b|arrivee|depart", plain(name)):
        return False
    values = looked.values(name)
    return bool(values) and all(
        isinstance(value, time) or _TIME.fullmatch(cell_text(value)) for value in values
    )


def joined(looked: Looked, name: str, year: str) -> list[str]:
    """Return the columns of a period and its year as they read together: 2026 S41, octobre 2026."""
    is_named = all(re.search(r"[a-z]{3}", plain(text)) for text in looked.texts(name))
    return [name, year] if is_named else [year, name]


def _is_one_day(value: Any) -> bool:
    readings = day_readings(value.strip(), date.today().year) if isinstance(value, str) else ()
    return isinstance(value, date) or len(set(readings) - {None}) == 1


def _is_years(looked: Looked, name: str) -> bool:
    texts = looked.texts(name)
    return bool(texts) and all(re.fullmatch(r"20[0-9]{2}", text) for text in texts)


def day_parts(looked: Looked, name: str, days: str) -> tuple[list[str] | None, str]:
    """Return how the days of a column are written, or the question that they leave open.

    None where no way of writing fits them.
    """
    values = looked.values(name)
    if first := _first_serial(looked, name):
        serial, day = first
        return ['format = "excel"'], tr(
            "numbers by which Excel counts days: {serial} is {day:%Y-%m-%d}", serial=serial, day=day
        )
    texts = [value.strip() for value in values if isinstance(value, str) and not tables.TOTAL.search(value)]
    if not texts or any(map(tables.looks_like_date, values)):
        return [], ""
    odd = [text for text in texts if not any(_is_like(text, form) for form in _formats())]
    if len(odd) <= len(texts) * _ODD_DAYS:  # an odd day is one row's, and no reason to read none
        texts = [text for text in texts if text not in odd]
    if all(re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) for text in texts):
        return ([] if any(len(text) > 10 for text in texts) else ['format = "%Y-%m-%d"']), ""
    fits = [form for form in _formats() if all(_is_like(text, form) for text in texts)]
    if not fits and all(len(set(day_readings(text, date.today().year)) - {None}) == 1 for text in texts):
        return [], ""
    if not fits:
        return None, tr("not clear: its days are not all written in one way")
    if (
        len(fits) == 1
        or len({datetime.strptime(text, form).date() for form in fits for text in texts[:1]}) == 1
    ):
        return [f"format = {toml(fits[0])}"], ""
    shown = next(
        (text for text in texts if len({datetime.strptime(text, form).date() for form in fits}) > 1), None
    )
    if shown is None:
        return [f"format = {toml(fits[0])}"], ""
    settled = [form for form in fits if form[:2] in _day_starts(looked)]
    if len({form[:2] for form in settled}) == 1:
        return [f"format = {toml(settled[0])}"], ""
    first_day = [form for form in fits if form.startswith("%d")]
    if first_day and _is_european(looked):
        return [f"format = {toml(first_day[0])}"], tr("the day first, for the file is written as in Europe")
    who = tr(" (it is written {days})", days=days) if days else ""
    one, two = (datetime.strptime(shown, form) for form in fits[:2])
    return [], tr(
        "not clear: {shown} may be {first:%Y-%m-%d} or {second:%Y-%m-%d}{who}; say format = {form} or "
        "{other}",
        shown=shown,
        first=one,
        second=two,
        who=who,
        form=toml(fits[0]),
        other=toml(fits[1]),
    )


def _first_serial(looked: Looked, name: str) -> tuple[str, date] | None:
    """Return the first number of a column of days that holds nothing but those of near days, and its day."""
    values = [value for value in looked.values(name) if not tables.TOTAL.search(cell_text(value))]
    days = [near_day(value) for value in values]
    return (cell_text(values[0]), days[0]) if days and days[0] and all(days) else None


def _is_european(looked: Looked) -> bool:
    """Say whether commas in numbers, semicolons or French or German headers tell where a file was written."""
    if re.search(_EUROPEAN, plain(" ".join(looked.names))):
        return True
    return looked.delimiter == ";" or any(decimal_of(looked, name) for name in looked.names)


def _day_starts(looked: Looked) -> set[str]:
    """Return what stands first in the days of the file's other columns, where only one thing can."""
    found = set()
    for name in looked.names:
        texts = [value.strip() for value in looked.values(name) if isinstance(value, str)]
        if (
            texts
            and len(starts := {form[:2] for form in _formats() if all(_is_like(one, form) for one in texts)})
            == 1
        ):
            found |= starts
    return found


def _formats() -> list[str]:
    return [day + time for time in _TIMES for day in _DAYS]


def _is_like(text: str, form: str) -> bool:
    try:
        datetime.strptime(text, form)
    except ValueError:
        return False
    return True
