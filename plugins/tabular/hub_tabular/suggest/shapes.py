"""What kind of table it is: the export of a tool, a crosstab of periods, a budget, or any other."""

from __future__ import annotations

import re
from datetime import date
from itertools import pairwise
from typing import Any, Literal

from hub import (
    BY_TABLE,
    CellError,
    YearOpenError,
    cell_text,
    columns_of,
    mark,
    names_days,
    names_period,
    periods_of,
    tr,
)
from hub_tabular import tables
from hub_tabular.mapping import FILE
from hub_tabular.suggest.days import holds_days, period_of
from hub_tabular.suggest.fields import FULL, amount_of, take
from hub_tabular.suggest.looking import (
    Draft,
    Looked,
    is_numeric,
    is_of_absences,
    number_of,
    per_of,
    remark_of,
    toml,
    years_among,
)
from hub_tabular.suggest.words import (
    AMOUNTS,
    AT_END,
    PLANS,
    WORDS,
    assign,
    choices_of_field,
    fitness,
    guessed,
    is_effort,
    names_nobody,
    plain,
)
from hub_tabular.tools import TOOLS, Tool

_RESTS = r"reste a (?:engager|consommer|depenser|facturer)|disponible|\bsolde|\becart|\bdelta|variance"
"""Captions of what is computed from other columns of a budget."""
_Per = Literal["day", "week", "month", "quarter", "year"]
_CALLED: dict[_Per, str] = {
    "day": mark("day"),
    "week": mark("week"),
    "month": mark("month"),
    "quarter": mark("quarter"),
    "year": mark("year"),
}
_WORKED = (
    r"temps|time ?sheet|pointage|releve|\bcra\b|realise|consomme|heures|hours|saisie|activite"
    r"|zeiterfassung|arbeitszeit|stunden"
)
_MONEY = r"budget|montant|amount|cout|cost|€|depense|betrag|kosten"
_ENDS = r"start|end|begin|debut|\bfin\b|from|\bto\b|\ba\b|\bde\b"


def of_known_tool(looked: Looked, record: str | None) -> Draft | None:
    """Return the mapping of the export of a known tool, if it is one."""
    bare = {plain(name): name for name in reversed(looked.names)} | {FILE: FILE}
    for tool in TOOLS:
        if record in {None, tool.record} and all(any(one in bare for one in some) for some in tool.signs):
            return _of_tool(looked, tool, bare)
    return None


def _of_tool(looked: Looked, tool: Tool, bare: dict[str, str]) -> Draft:
    draft = Draft(kind=tool.record, guessed=tr("an export of {tool}", tool=tool.name))
    everything, looked.data = looked.data, _plain_rows(looked, tool.nested)
    for field, headers in tool.fields.items():
        if tool.name == "Kimai" and field == "account_id":
            headers = tuple(one for one in headers if one in bare)
        columns = [
            tuple(bare[part] for part in ((one,) if isinstance(one, str) else one))
            for one in headers
            if all(part in bare for part in ((one,) if isinstance(one, str) else one))
        ]
        if not columns:
            continue
        # a column that is filled in every row names better than one that is not
        best = max(columns, key=lambda names: min(len(looked.values(name)) for name in names))
        take(draft, looked, field, best, days=tool.days, unit=tool.unit, pattern=tool.patterns.get(field, ""))
    for side, columns_by_field in (("account", tool.account), ("container", tool.container)):
        for name, headers in columns_by_field.items():
            column = next((bare[one] for one in headers if one in bare), None)
            same = name == "display_name" and draft.used.get(f"{side}_id") == column
            if column and f"{side}_id" in draft.fields and not same:
                getattr(draft, side)[name] = column
    for field, (header, what) in tool.source.items():
        if header in bare:
            pattern = ', pattern = "#([0-9]+)"' if tool.name.startswith("Redmine") else ""
            draft.doubts.append(
                f"{field} = {{ column = {toml(bare[header])}, source = {toml('…')}{pattern} }}"
                + remark_of(tr("with {what}, if there is one", what=what))
            )
    if tool.record == "task":
        keys = [bare[one] for one in tool.key if one in bare]
        draft.key = keys[:1] or [draft.used[one] for one in ("code",) if one in draft.used]
    if tool.name == "Tempo" and "container_id" not in draft.fields:
        column = bare["issue key"]
        draft.fields["container_id"] = f'{{ column = {toml(column)}, pattern = "^([^-]+)-" }}'
    if tool.nested:
        _say_nested(draft, looked, tool, everything)
    return draft


def _plain_rows(looked: Looked, nested: str) -> list[dict[str, Any]]:
    """Return the rows of data without what blocks have besides: titles, headers again, nested rows, sums."""
    if not nested:
        return looked.data
    first = looked.names[0]
    return [
        row
        for row in looked.data
        if plain(cell_text(row.get(first))) not in {"", plain(first), nested}
        and sum(bool(cell_text(cell)) for cell in row.values()) > 1
    ]


def _say_nested(draft: Draft, looked: Looked, tool: Tool, rows: list[dict[str, Any]]) -> None:
    """Let nested rows become tasks below theirs, and leave out what names nothing."""
    first = looked.names[0]
    own = next((row for row in rows if plain(cell_text(row.get(first))) == tool.nested), None)
    if own is not None:
        columns = {
            name: draft.used[field]
            for name in (cell_text(own.get(one)) for one in looked.names[1:])
            for field, headers in tool.fields.items()
            if name not in looked.names and plain(name) in headers and field in draft.used
        }
        pairs = ", ".join(f"{toml(one)} = {toml(other)}" for one, other in columns.items())
        called = f", columns = {{ {pairs} }}" if pairs else ""
        matches = toml(f"^{cell_text(own[first])}$")
        draft.top.append(
            f"nested = {{ matches = {matches}{called} }}" + remark_of(tr("rows below headers of their own"))
        )
        draft.top.append('outline = { column = "#level" }' + remark_of(tr("the row's parent, by its level")))
    title = toml(draft.used["title"])
    draft.top.append(f'drop = [{{ matches = "", empty = [{title}] }}]' + remark_of(tr("rows of sums")))


def of_crosstab(looked: Looked, record: str | None) -> Draft | None:
    """Return the mapping of a table whose columns are days, weeks or months, if it is one."""
    if record not in {None, "worklog", "allocation", "budget_line"}:
        return None
    days = names_days(looked.names)
    per = "day" if days else _per(looked)
    if per is None:
        return None
    periods = days or [
        name for name in looked.names if names_period(name, per) and _is_numeric_or_empty(looked, name)
    ]
    fixed = [name for name in looked.names if name not in periods]
    said = plain(" ".join([looked.path.stem, looked.sheet, *looked.above]))
    rows = [
        row for row in looked.data
        if not any(tables.TOTAL.search(cell_text(row.get(name))) for name in fixed)
    ]  # fmt: skip
    largest = max((number_of(row.get(name)) or 0.0 for row in rows for name in periods), default=0.0)
    kind = record or (
        "budget_line" if per in {"quarter", "year"} and not re.search(f"{PLANS}|{_WORKED}", said)
        else "budget_line" if re.search(_MONEY, said) or largest > 744
        else "allocation" if re.search(PLANS, said) else "worklog"
    )  # fmt: skip
    draft = Draft(kind=kind, guessed=tr("a column a {per}", per=tr(_CALLED[per])), pivot=periods)
    name, value = per.capitalize(), "Value"
    year = _year_option(draft, looked, periods, per)
    # mere numbers are days only where somebody says so
    which = f"columns = {toml('^(' + '|'.join(re.escape(one) for one in days) + ')$')}, " if days else ""
    draft.top.append(
        f"unpivot = {{ {which}per = {toml(per)}, name = {toml(name)}, value = {toml(value)}{year} }}"
        + remark_of(
            tr(
                "{count} {count:column|columns}, {first} to {last}",
                count=len(periods),
                first=periods[0],
                last=periods[-1],
            )
        )
    )
    assigned = assign(kind, [one for one in fixed if not is_numeric(looked, one)] or fixed)
    naming = ("project_code", "category", "kind") if kind == "budget_line" else ("account_id", "container_id")
    for field in (*naming, "task_id", "is_capex"):
        if field in assigned and field in BY_TABLE[kind].__struct_fields__:
            take(draft, looked, field, (assigned[field],))
    free = [one for one in fixed if one not in draft.used.values() and looked.values(one)]
    texts = [one for one in free if not is_numeric(looked, one)]
    if kind != "budget_line":
        texts = [one for one in texts if not names_nobody(one)]
        if naming[0] not in draft.fields and not texts:
            remark = remark_of(tr("not clear: no column names the people; the name of the file was taken"))
            draft.fields[naming[0]] = f'"#file"{remark}'
    if naming[0] not in draft.fields and texts:
        take(draft, looked, naming[0], (texts[0],))
        draft.fields[naming[0]] += remark_of(
            tr("not clear: the first column of texts that nothing else takes")
        )
    if kind == "budget_line":
        if per in {"quarter", "year"} and not re.search(_MONEY, said + " " + plain(" ".join(looked.names))):
            draft.top.append("# " + tr("Not clear: nothing says that these are amounts. Taken as a budget."))
        of_first = {
            "quarter": tr("the amount of a quarter stands in its first month"),
            "year": tr("the amount of a year stands in its January"),
        }
        month = toml(name) + (remark_of(of_first[per]) if per in of_first else "")
        draft.fields |= {"month": month, "amount_minor": amount_of(draft, looked, value, periods)}
        if "kind" not in draft.fields and (
            guess := guessed(said, choices_of_field(kind, "kind"), default="")
        ):
            remark = remark_of(tr("not clear: by the names of file and sheet"))
            draft.fields["kind"] = f'{{ value = "{guess}" }}{remark}'
        if "category" not in draft.fields:
            draft.fields["category"] = '{ value = "all" }' + remark_of(tr("no column says the category"))
    else:
        draft.fields[{"worklog": "day", "allocation": "start_on"}[kind]] = toml(name)
        if record is None and kind == "worklog" and per != "day":
            _ask_whether_worked(draft, said)
        unit = _unit_of_cells(draft, looked, largest, per, said)
        draft.fields["seconds"] = f'{{ column = {toml(value)}, unit = "{unit}" }}'
        if kind == "allocation" and per == "day":
            draft.fields["finish_on"] = toml(name)
    key = [draft.used[field] for field in (*naming, "task_id") if field in draft.used]
    draft.key = [*key, name] if looked.is_unique(key) else []
    return draft


def _ask_whether_worked(draft: Draft, said: str) -> None:
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


def _per(looked: Looked) -> _Per | None:
    """Return what most of the columns are: two of them at least, with numbers below."""
    found: dict[_Per, list[str]] = {
        per: [name for name in looked.names if names_period(name, per) and _is_numeric_or_empty(looked, name)]
        for per in ("week", "month", "quarter", "day")
    }
    days = found["day"]
    if len(days) >= 2 and len(days) >= len(found["week"]) and len(days) >= len(found["month"]):
        try:
            starts = [first for first, _ in periods_of(days, "day", years=["2024"]).values()]
        except CellError:
            starts = []
        steps = {(later - one).days for one, later in pairwise(starts)}
        if steps and all(step % 7 == 0 for step in steps):
            return "week"
        return "month" if steps and min(steps) >= 28 else "day"
    best = max(("week", "month", "quarter"), key=lambda per: len(found[per]))  # type: ignore[index]
    if len(found[best]) >= 2:  # type: ignore[index]
        return best  # type: ignore[return-value]
    years = years_among(looked.names)
    return "year" if years and all(_is_numeric_or_empty(looked, name) for name in years) else None


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


def _unit_of_cells(draft: Draft, looked: Looked, largest: float, per: _Per, said: str) -> str:
    """Return hours or days, and say where it is not sure."""
    full, most, _ = FULL[per]
    if largest > most:
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


def _counted_already(columns: dict[str, str]) -> list[str]:
    """Return the columns of amounts that others hold: totals, and what is left of a budget."""
    rests = [name for name in columns if re.search(_RESTS, plain(name))]
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


def of_amounts(looked: Looked, record: str | None) -> Draft | None:
    """Return the mapping of a budget whose columns are kinds of amounts, if it is one."""
    if record not in {None, "budget_line"}:
        return None
    known = choices_of_field("budget_line", "kind")
    columns = {
        name: guessed(name, known, default="")
        for name in looked.names
        if re.search(AMOUNTS, plain(name)) and not is_effort(name) and is_numeric(looked, name)
    }
    held = _counted_already(columns)
    columns = {name: kind for name, kind in columns.items() if name not in held}
    ends = [name for name in columns if re.search(AT_END, plain(name))]
    kinds = {name: kind for name, kind in columns.items() if kind and name not in ends}
    spent = next((name for name, kind in kinds.items() if kind == "consumed"), None)
    planned = _planned(kinds)
    kinds |= dict.fromkeys(planned, "baseline")
    less = {}
    if ends and spent and "forecast" not in kinds.values():
        # what it costs in the end is no forecast: that is what is still to come
        kinds[ends[0]], less = "forecast", {ends[0]: spent}
    if len(kinds) < 2 or len(set(kinds.values())) < 2:
        return None
    draft = Draft(kind="budget_line", guessed=tr("several columns of amounts"), pivot=list(kinds))
    pattern = "^(" + "|".join(re.escape(name) for name in kinds) + ")$"
    taken_off = f", less = {{ {toml(ends[0])} = {toml(spent)} }}" if less else ""
    draft.top.append(f'unpivot = {{ columns = {toml(pattern)}, name = "Kind", value = "Amount"{taken_off} }}')
    pairs = ", ".join(f"{toml(name)} = {toml(kind)}" for name, kind in kinds.items())
    if len(set(kinds.values())) < len(kinds):
        draft.top.append("# " + tr("Not clear: two columns were taken for the same kind, see values below."))
    if planned:
        draft.top.append(
            "# " + tr("Not clear: {names} was taken for the budget, which no other column is.",
                      names=", ".join(planned))
        )  # fmt: skip
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
    fixed = [name for name in looked.names if name not in {*kinds, *ends, *held}]
    # what a column of kinds would be called says the category here: the kinds are columns
    assigned = assign("budget_line", fixed, without=("amount_minor", "kind"))
    for field in ("project_code", "month", "category", "currency", "is_capex"):
        if field in assigned and not (field == "month" and is_numeric(looked, assigned[field])):
            take(draft, looked, field, (assigned[field],))
    draft.fields["kind"] = f'{{ column = "Kind", values = {{ {pairs} }} }}'
    draft.fields["amount_minor"] = amount_of(draft, looked, "Amount", list(kinds))
    if "month" not in draft.fields:
        years = re.findall(
            r"(?<![0-9])20[0-9]{2}(?![0-9])", " ".join([looked.sheet, looked.path.stem, *looked.above])
        )
        year = years[0] if years else str(date.fromtimestamp(looked.path.stat().st_mtime).year)
        draft.fields["month"] = f'{{ value = "{year}-01" }}' + remark_of(
            tr("not clear: no column says the month")
        )
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


def of_plain_table(looked: Looked, record: str | None) -> Draft:
    """Return the mapping of any other table, by its headers."""
    names = [name for name in looked.names if not name.startswith("#")]
    kind = record or max(WORDS, key=lambda one: fitness(one, names))
    said = plain(" ".join([looked.path.stem, looked.sheet, *looked.above]))
    if record is None and kind == "worklog" and re.search(PLANS, said):
        start = assign("allocation", names).get("start_on")
        if start and period_of(looked, start):  # a plan by weeks or months, as a crosstab of them is
            kind = "allocation"
    draft = Draft(kind=kind, guessed="" if record else tr("guessed from the headers"))
    assigned = assign(kind, names)
    if kind == "worklog" and (hours := _hours_column(looked, assigned)):
        assigned = {field: name for field, name in assigned.items() if name != hours} | {"seconds": hours}
    if "finish_on" in assigned and kind == "worklog" and not holds_days(looked, assigned["finish_on"]):
        del assigned["finish_on"]  # when something ended, not the last of its days
    for field, name in assigned.items():
        is_one = field in {"day", "start_on"} and period_of(looked, name)
        if is_one or not _is_number_for_a_day(looked, kind, field, name):
            take(draft, looked, field, (name,))
    if record is None and kind == "worklog" and per_of(draft) != "day":
        _ask_whether_worked(draft, said + " " + plain(" ".join(names)))
    if kind == "register_item":
        _name_kind(draft, looked)
    if kind == "task" and re.search(r"^jalon|milestone", plain(draft.used.get("title", ""))):
        draft.fields |= {"kind": '{ value = "milestone" }', "is_milestone": "{ value = true }"}
    if kind == "worklog" and "category" not in draft.fields and is_of_absences(looked):
        remark = remark_of(tr("not clear: by the names of file, sheet and columns"))
        draft.fields["category"] = f'{{ value = "absence" }}{remark}'
    _say_groups(draft, looked)
    for field, side in {"account_id": "account", "container_id": "container"}.items():
        word = r"nom|name" if side == "account" else r"libelle|intitule|nom du projet|project name"
        label = next((n for n in names if n not in draft.used.values() and re.search(word, plain(n))), None)
        if field in draft.used and label:
            getattr(draft, side)["display_name" if side == "account" else "name"] = label
    return draft


def _is_number_for_a_day(looked: Looked, kind: str, field: str, name: str) -> bool:
    """Say whether a day would come from mere numbers: "Fin (j)" is how many days it takes in the end."""
    if columns_of(BY_TABLE[kind])[field].kind not in {"day", "instant"} or not is_numeric(looked, name):
        return False
    return max((number_of(value) or 0.0 for value in looked.values(name)), default=0.0) < 10_000


def _say_groups(draft: Draft, looked: Looked) -> None:
    """Let rows in which only the first cell is filled name what follows them, where there are several."""
    first = looked.names[0]
    alone = [
        text
        for row in looked.data
        if [name for name in looked.names if cell_text(row.get(name))] == [first]
        and not tables.TOTAL.search(text := cell_text(row[first]))
    ]
    if len(alone) < 2 or len(alone) > len(looked.data) / 2:
        return
    field = next((field for field, name in draft.used.items() if name == first), None)
    parts = [part.strip() for part in first.split("/")]
    fields = [assign(draft.kind, [part]) for part in parts]
    draft.top.append(
        'group = [{ into = "Group", matches = "(.+)" }]'
        + remark_of(
            tr("not clear: rows with one filled cell name what follows: {names}", names=", ".join(alone[:3]))
        )
    )
    if len(parts) == 2 and all(fields) and field:  # Collaborateur / Projet: the one stands above the other
        for found, column in zip(fields, ("Group", first), strict=True):
            draft.fields[next(iter(found))] = toml(column)
            draft.used[next(iter(found))] = column
    elif field and field != "title":
        draft.doubts.append(f'{field} = "Group"' + remark_of(tr("if that is what these rows name")))


def _name_kind(draft: Draft, looked: Looked) -> None:
    """Let a register without a column of kinds be of one: by the names of its file, sheet and columns."""
    if "kind" not in draft.fields:
        said = " ".join([looked.path.stem, looked.sheet, *looked.names])
        guess = guessed(said, choices_of_field("register_item", "kind"), default="risk")
        remark = remark_of(tr("not clear: by the names of file, sheet and columns"))
        draft.fields["kind"] = f'{{ value = "{guess}" }}{remark}'


def _hours_column(looked: Looked, assigned: dict[str, str]) -> str | None:
    """Return the column of efforts: numbers or durations, never when something began or ended."""
    words = WORDS["worklog"]["seconds"].split("|")
    free = [name for name in looked.names if name == assigned.get("seconds") or name not in assigned.values()]
    for word in words:
        for name in free:
            bare = plain(name)
            if re.search(word, bare) and not re.search(_ENDS, bare) and is_numeric(looked, name):
                return name
    return None
