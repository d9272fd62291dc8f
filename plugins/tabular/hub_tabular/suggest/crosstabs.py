"""Tables whose columns are days, weeks, months, quarters, half years or years."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Any, Literal

import msgspec

from hub import (
    BY_TABLE,
    CellError,
    YearOpenError,
    cell_text,
    mark,
    names_days,
    names_period,
    periods_of,
    tr,
)
from hub_tabular import tables
from hub_tabular.suggest.days import fiscal_years
from hub_tabular.suggest.fields import (
    FULL,
    amount_of,
    fiscal_doubt,
    fiscal_remark,
    fiscal_values,
    fits,
    say_kind,
    take,
)
from hub_tabular.suggest.looking import (
    Draft,
    Looked,
    is_numeric,
    number_of,
    remark_of,
    toml,
    years_among,
)
from hub_tabular.suggest.words import (
    FTE,
    MONEY,
    PLANS,
    assign,
    names_nobody,
    plain,
)

_Per = Literal["day", "week", "month", "quarter", "half", "year"]
_CALLED: dict[_Per, str] = {
    "day": mark("day"),
    "week": mark("week"),
    "month": mark("month"),
    "quarter": mark("quarter"),
    "half": mark("half year"),
    "year": mark("year"),
}
_WORKED = (
    r"temps|time ?sheet|pointage|releve|\bcra\b|realise|consomme|heures|hours|saisie|activite"
    r"|zeiterfassung|arbeitszeit|stunden|\bhoras\b|\bore\b|\buren\b|godzin|hodin|vykaz"
)


def of_crosstab(looked: Looked, record: str | None) -> Draft | None:
    """Return the mapping of a table whose columns are days, weeks or months, if it is one."""
    if record not in {None, "worklog", "allocation", "budget_line"}:
        return None
    found = _periods(looked)
    if found is None or (found.fiscal and record not in {None, "budget_line"}):
        return None
    per, periods = found.per, found.names
    fixed = [name for name in looked.names if name not in periods]
    said = plain(" ".join([looked.path.stem, looked.sheet, *looked.above]))
    rows = [
        row for row in looked.data
        if not any(tables.TOTAL.search(cell_text(row.get(name))) for name in fixed)
    ]  # fmt: skip
    largest = max((number_of(row.get(name)) or 0.0 for row in rows for name in periods), default=0.0)
    kind = record or (
        "budget_line" if found.fiscal
        or (per in {"quarter", "half", "year"} and not re.search(f"{PLANS}|{_WORKED}", said))
        else "budget_line" if re.search(MONEY, said) or largest > 744
        else "allocation" if re.search(PLANS, said) else "worklog"
    )  # fmt: skip
    draft = Draft(kind=kind, guessed=tr("a column a {per}", per=tr(_CALLED[per])), pivot=periods)
    name, value = per.capitalize(), "Value"
    year = "" if looked.days or found.fiscal else _year_option(draft, looked, periods, per)
    # mere numbers are days only where somebody says so
    which = f"columns = {toml('^(' + '|'.join(map(re.escape, periods)) + ')$')}, " if found.picked else ""
    if found.doubt:
        draft.top.append("# " + found.doubt)
    as_period = "" if found.fiscal else f"per = {toml(per)}, "
    draft.top.append(
        f"unpivot = {{ {which}{as_period}name = {toml(name)}, value = {toml(value)}{year} }}"
        + remark_of(
            tr(
                "{count} {count:column|columns}, {first} to {last}",
                count=len(periods),
                first=periods[0],
                last=periods[-1],
            )
        )
    )
    if re.search(r"cumul|kumul|\bytd\b|narast", said + " " + plain(" ".join(_words(rows, fixed)))):
        draft.top.append(
            "# " + tr("Not clear: do the columns add up what was before (cumul)? Each is taken by itself.")
        )
    naming = name_rows(draft, looked, fixed)
    if kind == "budget_line":
        _amounts(draft, looked, found, said)
    else:
        draft.fields[{"worklog": "day", "allocation": "start_on"}[kind]] = toml(name)
        if record is None and kind == "worklog" and per != "day":
            ask_whether_worked(draft, said)
        is_part = re.search(FTE, said + " " + plain(" ".join(fixed))) is not None
        if (per != "day" and 0 < largest <= 1) or is_part:
            draft.doubts.append(
                f'seconds = {{ column = {toml(value)}, unit = "days" }}'
                + remark_of(
                    tr("not clear: parts of a person (FTE) are not read: turn them into days or hours")
                    if is_part
                    else tr(
                        "not clear: no cell is above 1; parts of a person (FTE) are not read: turn them into "
                        "days or hours"
                    )
                )
            )
        else:
            unit = unit_of_cells(draft, looked, largest, per, said)
            draft.fields["seconds"] = f'{{ column = {toml(value)}, unit = "{unit}" }}'
        if kind == "allocation" and per == "day":
            draft.fields["finish_on"] = toml(name)
    key = [draft.used[field] for field in (*naming, "task_id") if field in draft.used]
    draft.key = [*key, name] if looked.is_unique(key) else []
    return draft


def _words(rows: list[dict[str, Any]], names: list[str]) -> list[str]:
    return [*names, *{text for row in rows for name in names if (text := cell_text(row.get(name)))}]


def name_rows(draft: Draft, looked: Looked, fixed: list[str]) -> tuple[str, ...]:
    """Say of whom and of what each row is by the columns *fixed*, and return the fields that name a row."""
    kind = draft.kind
    texts = [one for one in fixed if not is_numeric(looked, one)] or fixed
    assigned = assign(kind, texts, fits=lambda field, name: fits(looked, kind, field, name))
    naming = ("project_code", "category", "kind") if kind == "budget_line" else ("account_id", "container_id")
    for field in (*naming, "task_id", "is_capex", "currency"):
        if field in assigned and field in BY_TABLE[kind].__struct_fields__:
            take(draft, looked, field, (assigned[field],))
    free = [one for one in fixed if one not in draft.used.values() and looked.values(one)]
    texts = [one for one in free if not is_numeric(looked, one)]
    if kind != "budget_line":
        texts = [one for one in texts if not names_nobody(one)]
        if naming[0] not in draft.fields and not texts and not looked.more:
            remark = remark_of(tr("not clear: no column names the people; the name of the file was taken"))
            draft.fields[naming[0]] = f'"#file"{remark}'
    if naming[0] not in draft.fields and texts:
        take(draft, looked, naming[0], (texts[0],))
        draft.fields[naming[0]] += remark_of(
            tr("not clear: the first column of texts that nothing else takes")
        )
    return naming


def _amounts(draft: Draft, looked: Looked, found: _Periods, said: str) -> None:
    """Fill what a line of budget has, where each column is a period of amounts."""
    per, name = found.per, found.per.capitalize()
    caption = said + " " + plain(" ".join(looked.names))
    if per in {"quarter", "half", "year"} and not re.search(MONEY, caption):
        draft.top.append("# " + tr("Not clear: nothing says that these are amounts. Taken as a budget."))
    of_first = {
        "quarter": tr("the amount of a quarter stands in its first month"),
        "half": tr("the amount of a half year stands in its first month"),
        "year": tr("the amount of a year stands in its January"),
    }
    if None in found.fiscal.values():
        draft.doubts.append(fiscal_doubt(name, found.fiscal))
    elif found.fiscal:
        column = f"{{ column = {toml(name)}, {fiscal_values(found.fiscal)} }}"
        draft.fields["month"] = column + fiscal_remark()
    else:
        draft.fields["month"] = toml(name) + (remark_of(of_first[per]) if per in of_first else "")
    draft.fields["amount_minor"] = amount_of(draft, looked, "Value", found.names)
    say_kind(draft, said)


def ask_whether_worked(draft: Draft, said: str) -> None:
    """Ask whether a row or column of several days is work or a plan, where no name says it."""
    if not re.search(_WORKED, said):
        draft.top.append(
            "# "
            + tr(
                "Not clear: is it what was worked, or what is planned? Taken as worked; "
                'record = "allocation" is a plan, with start_on in the place of day.'
            )
        )


def _is_numeric_or_empty(looked: Looked, name: str) -> bool:
    return not looked.values(name) or is_numeric(looked, name)


class _Periods(msgspec.Struct, kw_only=True):
    """The columns that are periods; *picked* says that they are to be named: no header alone says it."""

    per: _Per
    names: list[str]
    picked: bool = False
    fiscal: dict[str, str | None] = {}
    doubt: str = ""


def _periods(looked: Looked) -> _Periods | None:
    """Return the columns that are periods: two of them at least, with numbers below."""
    if days := names_days(looked.names):
        return _Periods(per="day", names=days, picked=True)
    names = [name for name in looked.names if _is_numeric_or_empty(looked, name)]
    serials = [name for name in names if name in looked.days]
    starts = [looked.days[name] for name in serials]
    if len(serials) > 1 and _are_periods(starts):
        said = tr("Numbers by which Excel counts days: {serial} is {day:%Y-%m-%d}.",
                  serial=serials[0], day=starts[0])  # fmt: skip
        return _Periods(per=_step(starts), names=serials, picked=True, doubt=said)
    found: dict[_Per, list[str]] = {
        per: [name for name in names if names_period(name, per)]
        for per in ("week", "month", "quarter", "half", "day")
    }
    days = found["day"]
    for one in ("week", "month"):
        found[one] = [name for name in found[one] if name not in days]
    doubt = ""
    if found["week"] and found["week"] == found["month"] and not found["day"]:
        found["week"] = []
        doubt = tr("Not clear: {name} may be a week or a month. Taken as months.", name=found["month"][0])
    if found["week"] and set(found["week"]) <= set(found["half"]) and not found["day"]:
        found["week"] = []  # S1 and S2, and no other week of a year
        doubt = tr("Not clear: {name} may be a week or a half year. Taken as half years.",
                   name=found["half"][0])  # fmt: skip
    else:
        found["half"] = [name for name in found["half"] if name not in found["week"]]
    if len(days) >= 2 and len(days) >= len(found["week"]) and len(days) >= len(found["month"]):
        try:
            starts = [first for first, _ in periods_of(days, "day", years=["2024"]).values()]
        except CellError:
            starts = _weeks(days)
        return _Periods(per=_step(starts), names=days)
    best = max(("week", "month", "quarter", "half"), key=lambda per: len(found[per]))  # type: ignore[index]
    if len(found[best]) >= 2:  # type: ignore[index]
        return _Periods(per=best, names=found[best], doubt=doubt)  # type: ignore[arg-type, index]
    years = years_among(looked.names)
    if years and all(name in names for name in years):
        return _Periods(per="year", names=years)
    fiscal = [name for name in names if fiscal_years([name])]
    if len(fiscal) > 1:
        return _Periods(per="year", names=fiscal, picked=True, fiscal=fiscal_years(fiscal))
    return None


def _are_periods(starts: list[date]) -> bool:
    """Say whether days that are mere numbers follow each other as days, weeks or months do: codes do not."""
    steps = [(later - one).days for one, later in pairwise(starts)]
    if min(steps) < 1:
        return False
    if max(steps) <= 4 or all(step % 7 == 0 and step <= 28 for step in steps):
        return True
    return all(day.day == 1 for day in starts)


def _weeks(names: list[str]) -> list[date]:
    """Return the first days of weeks, where no order of day and month makes them days one after the other."""
    try:
        return [first for first, _ in periods_of(names, "week", years=["2024"]).values()]
    except CellError:
        return []


def _step(starts: list[date]) -> _Per:
    """Return how long periods are by their first days."""
    steps = {(later - one).days for one, later in pairwise(starts)}
    if steps and all(step % 7 == 0 for step in steps):
        return "week"
    if not steps or min(steps) < 28:
        return "day"
    return (
        "month"
        if min(steps) < 89
        else "quarter"
        if min(steps) < 181
        else "half"
        if min(steps) < 365
        else "year"
    )


def _year_option(draft: Draft, looked: Looked, periods: list[str], per: _Per) -> str:
    try:
        periods_of(periods, per, years=[looked.sheet, looked.path.stem, " ".join(looked.above)])
    except YearOpenError:
        year = date.fromtimestamp(looked.path.stat().st_mtime).year
        draft.top.append(
            "# "
            + tr(
                "Not clear: neither the columns, the names of file and sheet nor the rows above say the "
                "year. "
                "Taken from the day the file was written: correct it if need be."
            )
        )
        return f", year = {year}"
    except CellError as exc:
        draft.top.append("# " + tr("Not clear: {error}.", error=exc))
    return ""


def unit_of_cells(draft: Draft, looked: Looked, largest: float, per: _Per, said: str) -> str:
    """Return hours or days, and say where it is not sure."""
    full, most, _ = FULL[per]
    if largest > most or not largest:  # durations say their units
        return "hours"
    if re.search(r"\bjh\b|\bjours?\b|\bdays?\b|j/h|\(j\)", said):
        return "days"
    if re.search(r"heures?|hours?|\(h\)", said) or largest > full:
        return "hours"
    draft.top.append(
        "# "
        + tr(
            "Not clear: no cell is above {largest:g}, so that they may be days or hours. Taken as days.",
            largest=largest,
        )
    )
    return "days"
