"""Tables with a column a day of the week, or a row: the week stands in a column, in a name, or above."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Any

import msgspec

from hub import cell_text, day_readings, names_days, period_named, tr, weekdays_among
from hub_tabular import tables
from hub_tabular.mapping import ABOVE, FILE, SHEET
from hub_tabular.suggest.crosstabs import name_rows, unit_of_cells
from hub_tabular.suggest.days import Period, day_parts, joined, period_of, period_parts
from hub_tabular.suggest.looking import Draft, Looked, is_numeric, number_of, remark_of, toml
from hub_tabular.suggest.words import PLANS, plain

_WEEK_CAPTION = (
    r"semaine|\bsem\b|week|\bkw\b|\bwo?che|\bwk\b|\bw/?[ce]\b|settimana|semana|tydzien|tyden|\bdu\b|period"
    r"|zeitraum"
)
_ENDING = r"ending|\bends?\b|\bw/?e\b|\bau\b|\bbis\b|fin de|jusqu|endend|ende\b|\btill?\b|\bto\b"
_WEEK = (
    r"(?i)\b((?:kw|cw|kalenderwoche|wk|week|woche|semaine|sem|s|w)\W{0,3}(?:n[o°]\W?|nr\W{0,2})?[0-9]{1,2}"
    r"(?:\W{1,3}20[0-9]{2})?)(?![0-9/.]*[0-9])"
)
_ISO_WEEK = r"(20[0-9]{2}-?W[0-9]{1,2})(?![0-9])"
_DAY = r"((?:[0-9]{1,2}[./-]){2}(?:20)?[0-9]{2}|20[0-9]{2}-[0-9]{2}-[0-9]{2})(?![0-9])"
_OF_WEEK = r"(?i)(?:semaine|week|woche|kw|w/[ce]|p[ée]riode?|zeitraum)[^0-9]{0,25}(?:[0-9]{1,2}[^0-9]{1,12})?"
_LEAST = 3


class _Week(msgspec.Struct, kw_only=True):
    """Where the week stands: a *column*, what of it is meant, and how it is written."""

    column: str
    joined: list[str] = []
    parts: list[str] = []
    doubt: str = ""


def of_weekdays(looked: Looked, record: str | None) -> Draft | None:
    """Return the mapping of a table with a column a day of the week, if it is one."""
    if record not in {None, "worklog", "allocation"} or names_days(looked.names):
        return None
    found = weekdays_among(looked.names)
    head = ""
    if len(found) < _LEAST:  # S41 Lun, S41 Mar: weeks stand over their days
        last = {name: name.rpartition(" ")[2] for name in looked.names if " " in name}
        days = weekdays_among(last.values())
        found = {
            name: days[day] for name, day in last.items()
            if day in days and period_named(name.rpartition(" ")[0], "week")
        }  # fmt: skip
        head = "week"
    names = [name for name in found if is_numeric(looked, name) or not looked.values(name)]
    if len({found[name] for name in names}) < _LEAST or not any(looked.values(name) for name in names):
        return None
    fixed = [name for name in looked.names if name not in found]
    said = plain(" ".join([looked.path.stem, looked.sheet, *looked.above]))
    kind = record or ("allocation" if re.search(PLANS, said) else "worklog")
    draft = Draft(kind=kind, guessed=tr("a column a day of the week"), pivot=list(found))
    name = next(one for one in ("Weekday", "Day of the week") if one not in looked.names)
    week = _week_of_head(name, looked) if head else _week_of(looked, fixed, found)
    columns = "^(" + "|".join(map(re.escape, found)) + ")$"
    draft.top.append(
        f'unpivot = {{ columns = {toml(columns)}, name = {toml(name)}, value = "Value" }}'
        + remark_of(tr("{count} {count:column|columns}, {first} to {last}", count=len(found),
                       first=names[0], last=names[-1]))
    )  # fmt: skip
    if week and week.column in fixed:
        draft.used["#week"] = week.column
        draft.used |= {f"#{one}": one for one in week.joined}
        fixed = [one for one in fixed if one not in {week.column, *week.joined}]
    naming = name_rows(draft, looked, fixed)
    days_of = {one.rpartition(" ")[2] if head else one: number for one, number in found.items()}
    _take_day(draft, kind, name, week, days_of)
    rows = [row for row in looked.data if not any(map(tables.TOTAL.search, _texts(row, fixed)))]
    largest = max((number_of(row.get(one)) or 0.0 for row in rows for one in names), default=0.0)
    unit = unit_of_cells(draft, looked, largest, "day", said)
    draft.fields["seconds"] = f'{{ column = "Value", unit = "{unit}" }}'
    key = [draft.used[one] for one in (*naming, "task_id", "#week") if one in draft.used]
    is_of_column = bool(week) and week is not None and not week.column.startswith("#")
    draft.key = [*key, name] if is_of_column and looked.is_unique(key) else []
    return draft


def _texts(row: dict[str, Any], names: list[str]) -> list[str]:
    return [cell_text(row.get(name)) for name in names]


def _take_day(draft: Draft, kind: str, name: str, week: _Week | None, days: dict[str, int]) -> None:
    told = ", ".join(f"{toml(day)} = {number}" for day, number in days.items())
    of = f"weekday = {toml(name)}, weekdays = {{ {told} }}"
    fields = ("day",) if kind == "worklog" else ("start_on", "finish_on")
    for field in fields:
        if week is None:
            draft.top.append(
                "# "
                + tr(
                    "Not clear: of which week these days are. Give the table a column for it, or name the "
                    "sheet, the file or a row above the headers like KW 41 2026."
                )
            )
            draft.doubts.append(f'{field} = {{ column = "…", format = "week", {of} }}')
            return
        parts = ", ".join([f"column = {toml(week.joined or week.column)}", *week.parts])
        draft.fields[field] = f"{{ {parts}, {of} }}" + (remark_of(week.doubt) if week.doubt else "")


def _week_of_head(name: str, looked: Looked) -> _Week:
    return _Week(column=name, parts=['pattern = "^(.+) \\\\S+$"', 'format = "week"', *_year(looked)])


def _year(looked: Looked) -> list[str]:
    """Return the year of weeks without one, where neither the name of the sheet nor of the file says it."""
    said = [looked.sheet, looked.path.stem]
    if any(re.search(r"(?<![0-9])20[0-9]{2}(?![0-9])", one) for one in said):
        return []
    years = {*re.findall(r"(?<![0-9])(20[0-9]{2})(?![0-9])", " ".join(looked.above))}
    return [f"year = {years.pop()}"] if len(years) == 1 else []


def _week_of(looked: Looked, fixed: list[str], days: dict[str, int]) -> _Week | None:
    """Return where the week stands."""
    first = next(iter(days.values()))
    for name in sorted(fixed, key=lambda one: not re.search(_WEEK_CAPTION, plain(one))):
        values = [value for value in looked.values(name) if not tables.TOTAL.search(cell_text(value))]
        if not values:
            continue
        is_called = re.search(_WEEK_CAPTION, plain(name)) is not None
        if is_called and all(
            not isinstance(one, date) and period_named(cell_text(one), "week") for one in values
        ):
            return _of_numbers(looked, name)
        if all(_is_day(one) for one in values):
            return _of_days(looked, name, values, first, is_called)
    for column, text in ((SHEET, looked.sheet), (ABOVE, " · ".join(looked.above)), (FILE, looked.path.stem)):
        for pattern in (_ISO_WEEK, _WEEK):
            if (match := re.search(pattern, text)) and period_named(match[1], "week"):
                parts = [f"pattern = {toml(pattern)}", 'format = "week"']
                return _Week(column=column, parts=parts, doubt=tr("the week is {text}", text=match[1]))
        if found := _of_title(column, text, first):
            return found
    return None


def _of_numbers(looked: Looked, name: str) -> _Week:
    period = period_of(looked, name) or Period(per="week", is_open=True)
    parts, said = period_parts(looked, name, period)
    doubt = said.partition("; ")[2]
    if not period.year:
        return _Week(column=name, parts=parts, doubt=doubt)
    return _Week(column=name, joined=joined(looked, name, period.year), parts=parts, doubt=doubt)


def _is_day(value: object) -> bool:
    return isinstance(value, date) or any(day_readings(cell_text(value), date.today().year))


def _of_days(looked: Looked, name: str, values: list[object], first: int, is_called: bool) -> _Week:
    """Return how a column of days says the week: by its first day, or its last."""
    readings = [
        {value.date() if isinstance(value, datetime) else value}
        if isinstance(value, date)
        else {*day_readings(cell_text(value), date.today().year)} - {None}
        for value in values
    ]
    common = set[int].intersection(*({day.isoweekday() for day in one if day} for one in readings))
    ends = re.search(_ENDING, plain(name)) is not None
    doubt = "" if is_called else tr("not clear: the week by the days of {name}", name=name)
    texts = [value for value in values if isinstance(value, str)]
    form, asked = day_parts(looked, name, "") if texts else ([], "")
    wanted = common & ({5, 6, 7} if ends else {1, first})
    if texts and not form and len(wanted) == 1:
        form, asked = _by_weekday(texts, wanted.pop()), ""
    parts = list(form or [])
    if asked:
        doubt = asked
    if not common & {1, 5, 6, 7} and not parts:
        parts.append('format = "week"')
    return _Week(column=name, parts=[*parts, *(['week = "ends"'] if ends else [])], doubt=doubt)


def _by_weekday(texts: list[str], weekday: int) -> list[str]:
    """Return the way to write days by which all of a column are on one day of the week."""
    for form in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%d/%m/%y", "%m/%d/%y"):
        try:
            if all(datetime.strptime(text.strip(), form).isoweekday() == weekday for text in texts):
                return [f"format = {toml(form)}"]
        except ValueError:
            continue
    return []


def _of_title(column: str, text: str, first: int) -> _Week | None:
    """Return the week that a title says by a day: Semaine du 05/10/2026, Week ending 9/10/2026."""
    pattern = _OF_WEEK + _DAY
    match = re.search(pattern, text)
    if match is None:
        return None
    ends = re.search(r"ending|w/e|endend|se terminant|finissant", plain(match[0])) is not None
    wanted = (5, 6, 7) if ends else (1, first)
    form = next(
        (found for one in wanted if (found := _by_weekday([match[1]], one))),
        [] if re.match("20", match[1]) else None,
    )
    if form is None:
        return None
    parts = [f"pattern = {toml(pattern)}", *form, *(['week = "ends"'] if ends else [])]
    return _Week(column=column, parts=parts, doubt=tr("the week is {text}", text=match[1]))
