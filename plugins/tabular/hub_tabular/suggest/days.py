"""How the days of a column are written, or the question that they leave open."""

from __future__ import annotations

import re
from datetime import date, datetime

from hub import day_readings, tr
from hub_tabular import tables
from hub_tabular.suggest.looking import Looked, decimal_of, toml
from hub_tabular.suggest.words import plain

_ODD_DAYS = 0.2
"""The share of a column's days that may be no days, without saying anything of how the others are written."""
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y", "%m/%d/%y", "%d-%m-%Y",
         "%d/%b/%y")  # fmt: skip
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
_FRENCH = r"heures|matricule|projet|duree|\bjour|utilisateur|activite|demande|salarie"


def holds_days(looked: Looked, name: str) -> bool:
    """Say whether a column holds days without a time, and nothing else."""
    values = looked.values(name)
    return bool(values) and all(
        (isinstance(value, datetime) and value.time() == datetime.min.time())
        or (isinstance(value, date) and not isinstance(value, datetime))
        or (isinstance(value, str) and any(_is_like(value.strip(), form) for form in _DAYS))
        for value in values
    )


def day_parts(looked: Looked, name: str, days: str) -> tuple[list[str] | None, str]:
    """Return how the days of a column are written, or the question that they leave open.

    None where no way of writing fits them.
    """
    values = looked.values(name)
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
    first, second = (datetime.strptime(shown, form) for form in fits[:2])
    return [], tr(
        "not clear: {shown} may be {first:%Y-%m-%d} or {second:%Y-%m-%d}{who}; say format = {form} or "
        "{other}",
        shown=shown,
        first=first,
        second=second,
        who=who,
        form=toml(fits[0]),
        other=toml(fits[1]),
    )


def _is_european(looked: Looked) -> bool:
    """Say whether commas in numbers, semicolons or French headers tell where a file was written."""
    if re.search(_FRENCH, plain(" ".join(looked.names))):
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
