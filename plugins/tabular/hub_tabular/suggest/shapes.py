"""What kind of table it is: the export of a tool, or a plain one of some record."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

from hub import (
    BY_TABLE,
    cell_text,
    columns_of,
    day_readings,
    tr,
    unit_of,
    weekdays_among,
)
from hub_tabular import tables, titles
from hub_tabular.mapping import ABOVE, FILE
from hub_tabular.suggest.budgets import take_months
from hub_tabular.suggest.crosstabs import ask_whether_worked
from hub_tabular.suggest.days import holds_days, holds_times, may_be_days, period_of
from hub_tabular.suggest.fields import fits, say_kind, take
from hub_tabular.suggest.looking import (
    Draft,
    Looked,
    is_numeric,
    is_of_absences,
    is_period,
    number_of,
    per_of,
    remark_of,
    toml,
)
from hub_tabular.suggest.stamps import Clocks, clocks_of, empty_rows, is_moment, may_be_hours
from hub_tabular.suggest.words import (
    FTE,
    PLANS,
    RATE,
    WORDS,
    assign,
    choices_of_field,
    fitness,
    guessed,
    is_effort,
    is_money,
    names_a_thing,
    plain,
)
from hub_tabular.tools import TOOLS, Tool

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


def of_plain_table(looked: Looked, record: str | None) -> Draft:
    """Return the mapping of any other table, by its headers."""
    names = [name for name in looked.names if not name.startswith("#")]
    said = plain(" ".join([looked.path.stem, looked.sheet, *looked.above]))
    kind = record or _kind_of(looked, names, said)
    clocks = clocks_of(looked) if kind == "worklog" or record is None else None
    if clocks and kind in {"task", "allocation", "account"} and may_be_hours(looked, clocks):
        kind = "worklog"
    draft = Draft(kind=kind, guessed="" if record else tr("guessed from the headers"))
    assigned = assign(kind, names, fits=lambda field, name: fits(looked, kind, field, name))
    hours = _hours_column(looked, assigned, clocks) if kind == "worklog" else None
    if clocks and kind == "worklog":
        hours = hours or _net_hours(looked, clocks)
        _ask_other_durations(draft, looked, clocks, hours)
    if clocks and kind == "worklog" and not hours:
        assigned = _take_clocks(draft, looked, clocks, assigned)
    if hours:
        assigned = {field: name for field, name in assigned.items() if name != hours} | {"seconds": hours}
        _ask_other_hours(draft, looked, assigned)
    if "finish_on" in assigned and kind == "worklog" and not holds_days(looked, assigned["finish_on"]):
        del assigned["finish_on"]  # when something ended, not the last of its days
    for field, name in assigned.items():
        is_one = field in {"day", "start_on"} and period_of(looked, name)
        if is_one or not _is_number_for_a_day(looked, kind, field, name):
            take(draft, looked, field, (name,))
    _take_weekday(draft, looked)
    if record is None and kind == "worklog" and per_of(draft) != "day":
        ask_whether_worked(draft, said + " " + plain(" ".join(names)))
    _name_what_lacks(draft, looked, said)
    if kind == "worklog" and "seconds" not in draft.fields and (ranges := _ranges(looked)):
        draft.top.append(
            "# "
            + tr(
                "Not clear: {names}: from when to when, in one cell. Give the beginnings and the ends "
                "columns of their own.",
                names=", ".join(ranges),
            )
        )
    _take_person_above(draft, looked)
    _ask_parts(draft, looked)
    _leave_idle_rows(draft, looked)
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


def _take_weekday(draft: Draft, looked: Looked) -> None:
    """Let the day of a row of a week come from the column that names its day of the week."""
    if draft.kind != "worklog" or per_of(draft) != "week":
        return
    for name in looked.names:
        texts = list(dict.fromkeys(looked.words(name)))
        days = weekdays_among(texts)
        if name not in draft.used.values() and days and len(days) == len(texts):
            told = ", ".join(f"{toml(text)} = {number}" for text, number in days.items())
            field, _, said = draft.fields["day"].partition(" }")
            draft.fields["day"] = f"{field}, weekday = {toml(name)}, weekdays = {{ {told} }} }}" + said
            draft.used["#weekday"] = name
            return


def _net_hours(looked: Looked, clocks: Clocks) -> str | None:
    """Return the column of what is left of the time between when work began and ended, where one says so."""
    return next(
        (
            name
            for name in looked.names
            if name not in clocks.columns
            and re.search(r"\bnett?o?\b|worked|travaill|geleistet", plain(name))
            and is_numeric(looked, name)
        ),
        None,
    )


def _ask_other_durations(draft: Draft, looked: Looked, clocks: Clocks, hours: str | None) -> None:
    """Ask about durations that are not read, beside when work began and ended."""
    others = [
        name
        for name in looked.names
        if name not in {*clocks.columns, hours}
        and looked.values(name)
        and not re.search(_NOT_WORKED + r"|saldo|solde|balance|ubertrag", plain(name))
        and all(re.fullmatch(r"[0-9]{1,3}:[0-9]{2}(?::[0-9]{2})?", text) for text in looked.texts(name))
        and not is_moment(looked, name)
    ]
    if others:
        draft.top.append(
            "# " + tr("Not clear: {names}: hours too, which are not read.", names=", ".join(others))
        )


def _take_clocks(draft: Draft, looked: Looked, clocks: Clocks, assigned: dict[str, str]) -> dict[str, str]:
    """Let hours come from when they began and ended, and return the columns of the other fields."""
    others = {field: name for field, name in assigned.items() if name not in clocks.columns}
    others.pop("seconds", None)
    others.pop("finish_on", None)
    draft.fields["seconds"] = clocks.field + remark_of(
        tr("not clear: no column says how long it was; from the beginning to the end")
    )
    draft.used["seconds"] = clocks.start[0]
    draft.used |= {f"#{name}": name for name in clocks.columns[1:]}
    if empty_rows(looked, clocks):
        draft.empty = [*clocks.start, *clocks.end]
    if "day" not in others and may_be_days(looked, clocks.start[0]):
        others["day"] = clocks.start[0]
    return others


def _kind_of(looked: Looked, names: list[str], said: str) -> str:
    """Return the record that fits the headers best."""
    kind = max(WORDS, key=lambda one: fitness(one, names))
    periods = [name for name in names if is_period(name)]
    if kind == "account" and any(
        (is_effort(name) or re.search(r"heures|hours|stunden", plain(name))) and is_numeric(looked, name)
        for name in names
    ):
        return "worklog"
    if kind == "task" and (_unsaid(looked, names) or _ranges(looked) or len(periods) > 1):
        return "worklog"
    if kind == "worklog" and re.search(PLANS, said):
        start = assign("allocation", names).get("start_on")
        # a plan by weeks or months, as a crosstab of them is, or from a day to another
        if start and (period_of(looked, start) or "finish_on" in assign("allocation", names)):
            return "allocation"
    return kind


def _ranges(looked: Looked) -> list[str]:
    """Return the columns whose cells say from when to when: 08:00-12:00, 13:00-17:00."""
    return [
        name
        for name in looked.names
        if (texts := looked.texts(name)) and sum(bool(_RANGE.search(one)) for one in texts) * 2 > len(texts)
    ]


_RANGE = re.compile(r"[0-9]{1,2}[:h][0-9]{2}\s*(?:-|–|—|à|a|bis|to)\s*[0-9]{1,2}[:h][0-9]{2}", re.I)


def _unsaid(looked: Looked, names: list[str]) -> list[str]:
    """Return the columns of numbers of a table of which nothing but names would be read, as tasks."""
    if looked.header_rows > 1:
        over = {name: name.split()[0] for name in names}
        days = weekdays_among(over.values())
        below = [
            name for name in names
            if (is_period(over[name]) or (len(days) > 1 and over[name] in days)) and is_numeric(looked, name)
        ]  # fmt: skip
        if len(below) > 1:  # under weeks, months or days of the week, what is planned and what is done
            return below
    found = assign("task", names, fits=lambda field, name: fits(looked, "task", field, name))
    if "title" not in found or not set(found) <= {"title", "container_id", "is_milestone", "due_on"}:
        return []
    figures = [
        name
        for name in names
        if name not in found.values() and is_numeric(looked, name) and not names_a_thing(name)
    ]
    is_list = "due_on" in found and not any(
        is_money(name) or is_effort(name) or holds_times(looked, name) for name in figures
    )
    return [] if is_list else figures


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
        and not titles.NOTE.match(text)
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
    elif (
        "day" not in draft.fields
        and draft.kind == "worklog"
        and all(any(day_readings(text, date.today().year)) for text in alone)
    ):
        rows = [{"Group": text} for text in alone]
        of_days = Looked(path=looked.path, sheet="", names=["Group"], header=0, data=rows, above=[])
        take(draft, of_days, "day", ("Group",))
    elif field and field != "title":
        draft.doubts.append(f'{field} = "Group"' + remark_of(tr("if that is what these rows name")))


def _name_what_lacks(draft: Draft, looked: Looked, said: str) -> None:
    """Fill what no column says and names do: kinds, a list; or ask."""
    if draft.kind == "register_item":
        _name_kind(draft, looked)
    if draft.kind == "budget_line" and "amount_minor" in draft.used:
        say_kind(draft, said + " " + plain(draft.used["amount_minor"]))
        take_months(draft, looked, [draft.used["amount_minor"]])
    if draft.kind == "checklist_item" and "list" not in draft.fields:
        draft.fields["list"] = toml(FILE) + remark_of(
            tr("not clear: no column names the list, so the name of the file is its")
        )
    if (
        draft.kind == "worklog"
        and "day" not in draft.fields
        and (unsaid := [name for name in _unsaid(looked, looked.names) if name not in draft.used.values()])
    ):
        draft.top.append("# " + tr("Not clear: what the numbers of {names} are.", names=", ".join(unsaid)))


_PERSON = (
    "Mitarbeiter(?:in)?|Collaborateur|Salari[ée]|Employ[ée]e?|Employee|Consultant|Intervenant|Ressource|Resource"
    "|Nom et pr[ée]nom|Nom|Name|Medewerker|Naam|Pracownik|Pracovník|Empleado|Dipendente|Colaborador"
)
"""How a row above the headers calls whose sheet it is."""


def _take_person_above(draft: Draft, looked: Looked) -> None:
    """Let the person of hours come from the rows above, where no column names one; else ask."""
    if draft.kind != "worklog" or "account_id" in draft.fields:
        return
    pattern = rf"(?i)\b(?:{_PERSON})\s*:[\s·]*([^·]*[^·\s])"
    if match := re.search(pattern, " · ".join(looked.above)):
        draft.fields["account_id"] = f"{{ column = {toml(ABOVE)}, pattern = {toml(pattern)} }}" + remark_of(
            tr("by the rows above the headers: {name}", name=match[1])
        )
    elif not looked.more:
        draft.top.append(
            "# " + tr('Not clear: no column names the people. Say account_id = { value = "…" }.')
        )


def _leave_idle_rows(draft: Draft, looked: Looked) -> None:
    """Leave out rows that say no hours and nothing that was worked on: the weekends of a month's sheet."""
    hours = draft.used.get("seconds")
    beside = [draft.used[one] for one in ("container_id", "task_id") if one in draft.used]
    if draft.kind != "worklog" or not hours or not beside or "start = " in draft.fields["seconds"]:
        return
    if any(line.startswith("group = ") for line in draft.top):
        return  # a row of one cell says what stands below it

    rows = [([text for cell in row.values() if (text := cell_text(cell))], row) for row in looked.data]
    while rows and len(rows[-1][0]) < 2:
        rows.pop()  # notes below a table are none of its rows anyway
    if any(
        looked.is_empty(row, [hours, *beside]) and (len(texts) > 1 or titles.NOTE.match(texts[0]))
        for texts, row in rows
    ):
        draft.empty = [hours, *beside]


def _ask_parts(draft: Draft, looked: Looked) -> None:
    """Ask about columns of parts of a person, which are no hours of anybody."""
    if draft.kind not in {"worklog", "allocation"}:
        return
    parts = [name for name in looked.names if re.search(FTE, plain(name)) and looked.values(name)]
    rate = draft.used.get("seconds", "")
    if "finish_on" in draft.fields and re.search(RATE, plain(rate)):
        draft.fields.pop("seconds", None)
        draft.top.append(
            "# "
            + tr(
                "Not clear: {name}: so much by the day or the week is no sum. Say how much it is from the "
                "first to the last day.",
                name=rate,
            )
        )
    if parts and draft.used.get("seconds") in {None, *parts}:
        draft.fields.pop("seconds", None)
        draft.top.append(
            "# "
            + tr(
                "Not clear: {names}: parts of a person (FTE) are not read. Turn them into days or hours of "
                "each period.",
                names=", ".join(parts),
            )
        )


def _name_kind(draft: Draft, looked: Looked) -> None:
    """Let a register without a column of kinds be of one: by the names of its file, sheet and columns."""
    if "kind" not in draft.fields:
        said = " ".join([looked.path.stem, looked.sheet, *looked.names])
        guess = guessed(said, choices_of_field("register_item", "kind"), default="risk")
        remark = remark_of(tr("not clear: by the names of file, sheet and columns"))
        draft.fields["kind"] = f'{{ value = "{guess}" }}{remark}'


_NOT_WORKED = r"prev|plan|soll|estim|budget|pause|break|reste|remain|\braf\b"
"""Captions of efforts that were not worked: planned ones, breaks, what is still to do."""


def _ask_other_hours(draft: Draft, looked: Looked, assigned: dict[str, str]) -> None:
    """Ask about other columns of efforts, of which none is read."""
    others = [
        name
        for name in looked.names
        if name not in assigned.values()
        and (
            is_effort(name)
            or unit_of(name)
            or re.search(r"heures|hours|stunden|\bhs\b|\bsupp?\b|overtime", plain(name))
        )
        and is_numeric(looked, name)
        and not re.search(_NOT_WORKED, plain(name))
        and not holds_times(looked, name)
    ]
    if others:
        draft.top.append(
            "# " + tr("Not clear: {names}: hours too, which are not read.", names=", ".join(others))
        )


def _hours_column(looked: Looked, assigned: dict[str, str], clocks: Clocks | None) -> str | None:
    """Return the column of efforts: numbers or durations, never when something began or ended."""
    words = WORDS["worklog"]["seconds"].split("|")
    free = [name for name in looked.names if name == assigned.get("seconds") or name not in assigned.values()]
    free.sort(key=lambda name: bool(re.search(_NOT_WORKED, plain(name))))
    for word in words:
        for name in free:
            bare = plain(name)
            if not re.search(word, bare) or re.search(_ENDS, bare) or not is_numeric(looked, name):
                continue
            if not is_moment(looked, name) and not (clocks and name in clocks.columns):
                return name
    return None
