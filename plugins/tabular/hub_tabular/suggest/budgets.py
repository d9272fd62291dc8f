"""Budgets whose columns are kinds of amounts."""

from __future__ import annotations

import re
from datetime import date

import msgspec

from hub import (
    caption_currency,
    period_named,
    tr,
    year_in,
)
from hub_tabular.suggest.days import period_of
from hub_tabular.suggest.fields import amount_of, take
from hub_tabular.suggest.looking import (
    Draft,
    Looked,
    is_numeric,
    number_of,
    remark_of,
    toml,
)
from hub_tabular.suggest.words import (
    AMOUNTS,
    AT_END,
    BARE_AMOUNTS,
    MONEY,
    OPEN_FORECAST,
    Period,
    assign,
    choices_of_field,
    guessed,
    is_effort,
    plain,
)

_PARTS = r"%|percent|pourcent|\btaux\b|\brate\b|anteil|avancement"
"""Captions of shares, which are no amounts."""
_RESTS = r"reste a (?:engager|consommer|depenser|facturer)|disponible|\bsolde|\becart|\bdelta|variance"
"""Captions of what is computed from other columns of a budget."""


def _counted_already(columns: dict[str, str]) -> list[str]:
    """Return the columns of amounts that others hold: totals, and what is left of a budget."""
    rests = [name for name in columns if re.search(f"{_RESTS}|{_PARTS}", plain(name))]
    return [
        *rests,
        *(
            name
            for name, kind in columns.items()
            if kind and name not in rests and re.search(r"\btotal", plain(name))
            and any(other == kind and one != name and one not in rests for one, other in columns.items())
        ),
    ]  # fmt: skip


def _planned(kinds: dict[str, str]) -> list[str]:
    """Return the columns that are the budget: of what was planned and what was spent, where none is else."""
    if "consumed" not in kinds.values() or {"baseline", "revised"} & set(kinds.values()):
        return []
    return [
        name for name, kind in kinds.items() if kind == "forecast" and re.search(r"prev|planned", plain(name))
    ]


def _in_other_currencies(columns: dict[str, str]) -> list[str]:
    """Return the columns whose caption stands before in another currency: Budget EUR, Budget USD."""
    seen: dict[str, str] = {}
    found = []
    for name, kind in columns.items():
        codes = caption_currency(name)
        if kind and len(codes) == 1:
            code = next(iter(codes))
            if seen.setdefault(kind, code) != code:
                found.append(name)
    return found


def _is_money(looked: Looked, names: list[str]) -> bool:
    """Say whether amounts are money: by what is said of them, or because they are too large for days."""
    said = plain(" ".join([looked.path.stem, looked.sheet, *looked.above, *looked.names]))
    largest = max((number_of(value) or 0.0 for name in names for value in looked.values(name)), default=0.0)
    return bool(re.search(MONEY, said)) or largest > 1000


def _is_landing(looked: Looked, name: str, spent: str) -> bool:
    """Say whether a forecast that does not say which seems to hold what is spent already: it is no less."""
    if not re.search(OPEN_FORECAST, plain(name)) or re.search(
        r"reste|\brest|remain|to complete", plain(name)
    ):
        return False
    pairs = [(number_of(row.get(name)), number_of(row.get(spent))) for row in looked.data]
    known = [(one, other) for one, other in pairs if one is not None and other is not None]
    return bool(known) and all(one >= other for one, other in known) and any(other for _, other in known)


class _Kinds(msgspec.Struct, kw_only=True):
    """What columns of amounts are: their *kinds*, those of what it costs in the end, what is planned."""

    kinds: dict[str, str]
    ends: list[str] = []
    planned: list[str] = []
    spent: str = ""
    less: bool = False


def _kinds(looked: Looked, columns: dict[str, str]) -> _Kinds | None:
    """Return what columns of amounts are, where they are of two kinds at least."""
    captions = [name for name, kind in columns.items() if kind]
    if looked.header_rows > 1:  # what stands below the periods: Mo Plan, T1 2026 Ist
        captions = [name.rpartition(" ")[2] for name in captions]
    bare = all(re.search(BARE_AMOUNTS, plain(name)) for name in captions)
    if bare and not _is_money(looked, list(columns)):
        return None  # Plan and Ist of small numbers may be days
    ends = [name for name in columns if re.search(AT_END, plain(name))]
    kinds = {name: kind for name, kind in columns.items() if kind and name not in ends}
    spent = next((name for name, kind in kinds.items() if kind == "consumed"), "")
    planned = _planned(kinds)
    kinds |= dict.fromkeys(planned, "baseline")
    open_ = [name for name in kinds if kinds[name] == "forecast" and spent]
    ends += [name for name in open_ if _is_landing(looked, name, spent)]
    kinds = {name: kind for name, kind in kinds.items() if name not in ends}
    # what it costs in the end is no forecast: that is what is still to come
    less = bool(ends and spent and "forecast" not in kinds.values())
    if less:
        kinds[ends[0]] = "forecast"
    if len(kinds) < 2 or len(set(kinds.values())) < 2:
        return None
    return _Kinds(kinds=kinds, ends=ends, planned=planned, spent=spent, less=less)


def _is_no_month(looked: Looked, name: str) -> bool:
    return is_numeric(looked, name) and period_of(looked, name) is None


def take_months(draft: Draft, looked: Looked, columns: list[str]) -> None:
    """Let amounts without a column of months stand in those that their captions name, else in January."""
    if "month" in draft.fields or any(doubt.startswith("month = ") for doubt in draft.doubts):
        return
    said = [looked.sheet, looked.path.stem, " ".join(looked.above)]
    months = {name: _caption_month(name, said) for name in columns}
    if all(months.values()) and len(set(months.values())) > 1:
        pairs = ", ".join(f"{toml(name)} = {toml(month)}" for name, month in months.items())
        draft.fields["month"] = f'{{ column = "Kind", values = {{ {pairs} }} }}' + remark_of(
            tr("the amounts of a period stand in its first month")
        )
    elif len(set(months.values())) > 1:
        draft.doubts.append(
            'month = { column = "Kind", values = { … } }'
            + remark_of(tr("not clear: the month of each column"))
        )
    else:
        year = year_in(said) or date.fromtimestamp(looked.path.stat().st_mtime).year
        month = next(iter(months.values())) or f"{year}-01"
        draft.fields["month"] = f'{{ value = "{month}" }}' + remark_of(
            tr("not clear: no column says the month")
        )


def _caption_month(name: str, said: list[str]) -> str | None:
    """Return the first month of the period that a caption names beside what else it says: Budget T1 2026."""
    words = re.findall(r"[\w.]+", name)
    year = year_in([name]) or year_in(said)
    for per, months in _MONTHS_OF.items():
        found = {
            named for word in words if re.search(r"[^\W\d_]", word) and (named := period_named(word, per))
        }
        if len(found) == 1 and year:
            number, own = found.pop()
            return f"{own or year}-{(number - 1) * months + 1:02}"
    return f"{year_in([name])}-01" if year_in([name]) else None


_MONTHS_OF: dict[Period, int] = {"month": 1, "quarter": 3, "half": 6}
"""Periods that a caption may name, by their months."""


def of_amounts(looked: Looked, record: str | None) -> Draft | None:
    """Return the mapping of a budget whose columns are kinds of amounts, if it is one."""
    if record not in {None, "budget_line"}:
        return None
    columns = {
        name: guessed(name, choices_of_field("budget_line", "kind"), default="")
        for name in looked.names
        if re.search(AMOUNTS, plain(name)) and not is_effort(name) and is_numeric(looked, name)
    }
    twice = _in_other_currencies(columns)
    columns = {name: kind for name, kind in columns.items() if name not in twice}
    held = _counted_already(columns)
    found = _kinds(looked, {name: kind for name, kind in columns.items() if name not in held})
    if found is None:
        return None
    kinds, ends, planned, spent = found.kinds, found.ends, found.planned, found.spent
    less = {ends[0]: spent} if found.less else {}
    draft = Draft(kind="budget_line", guessed=tr("several columns of amounts"), pivot=list(kinds))
    pattern = "^(" + "|".join(re.escape(name) for name in kinds) + ")$"
    taken_off = f", less = {{ {toml(ends[0])} = {toml(spent)} }}" if less else ""
    draft.top.append(f'unpivot = {{ columns = {toml(pattern)}, name = "Kind", value = "Amount"{taken_off} }}')
    pairs = ", ".join(f"{toml(name)} = {toml(kind)}" for name, kind in kinds.items())
    said = [looked.sheet, looked.path.stem, " ".join(looked.above)]
    if len({(kind, _caption_month(name, said)) for name, kind in kinds.items()}) < len(kinds):
        draft.top.append("# " + tr("Not clear: two columns were taken for the same kind, see values below."))
    if planned:
        draft.top.append(
            "# " + tr("Not clear: {names} was taken for the budget, which no other column is.",
                      names=", ".join(planned))
        )  # fmt: skip
    if twice:
        draft.top.append(
            "# "
            + tr(
                "Not clear: {names} seem to be the same amounts in another currency, and are left out.",
                names=", ".join(twice),
            )
        )
    if held:
        draft.top.append(
            "# " + tr("Left out, for the other columns hold it: {names}.", names=", ".join(held))
        )
    if less:
        draft.top.append(
            "# "
            + tr(
                "Not clear: {end} seems to be what it costs in the end. A forecast is what is still to come, "
                "so that {spent} is taken off.",
                end=ends[0],
                spent=spent,
            )
        )
    elif ends:
        draft.top.append(
            "# "
            + tr(
                "Not clear: {end} seems to be what it costs in the end, and is left out: a forecast is what "
                "is still to come.",
                end=", ".join(ends),
            )
        )
    fixed = [name for name in looked.names if name not in {*kinds, *ends, *held, *twice}]
    # what a column of kinds would be called says the category here: the kinds are columns
    assigned = assign("budget_line", fixed, without=("amount_minor", "kind"))
    for field in ("project_code", "month", "category", "currency", "is_capex"):
        if field in assigned and not (field == "month" and _is_no_month(looked, assigned[field])):
            take(draft, looked, field, (assigned[field],))
    draft.fields["kind"] = f'{{ column = "Kind", values = {{ {pairs} }} }}'
    draft.fields["amount_minor"] = amount_of(draft, looked, "Amount", list(kinds))
    take_months(draft, looked, list(kinds))
    if "category" not in draft.fields:
        draft.fields["category"] = '{ value = "all" }' + remark_of(tr("no column says the category"))
    if "project_code" not in draft.fields:
        first = next((name for name in fixed if not is_numeric(looked, name)), None)
        if first:
            draft.fields["project_code"] = toml(first) + remark_of(tr("not clear: the first column of texts"))
            draft.used["project_code"] = first
    key = [draft.used[field] for field in ("project_code", "month", "category") if field in draft.used]
    draft.key = [*key, "Kind"] if looked.is_unique(key) else []
    return draft
