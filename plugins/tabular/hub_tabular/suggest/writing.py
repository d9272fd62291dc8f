"""The text of a mapping: which sheets, which rows are left out, what names a row, what lacks."""

from __future__ import annotations

import fnmatch
import re
from typing import Any

import msgspec

from hub import (
    BY_TABLE,
    cell_text,
    storable,
    tr,
)
from hub_tabular import sheets, tables
from hub_tabular.mapping import FILE
from hub_tabular.suggest.days import period_of
from hub_tabular.suggest.looking import (
    SUMS,
    Draft,
    Looked,
    decimal_of,
    is_period,
    number_of,
    per_of,
    remark_of,
    toml,
)
from hub_tabular.suggest.words import plain

_SUMS = (
    "(?i)^((grand |sous.?|sub.?)?(total|totaux|totaal|somme|summe|suma|razem|celkem"
    "|(gesamt(summe)?|(gesamt)?ergebnis)\\b)|\\*{1,4}( |$))"
)


def say_sheets(draft: Draft, looked: Looked, alike: list[str], others: list[str], asked: str | None) -> None:
    """Say which sheets are read."""
    if not looked.sheet:
        return
    if asked:
        draft.top.insert(0, f"sheet = {toml(asked)}")
    elif len(alike) > 1:
        pattern = _pattern(alike, others)
        read = [name for name in looked.doubles if fnmatch.fnmatchcase(name, pattern)]
        told = tr("; not clear: {names} seems to hold the rows of the others", names=", ".join(read))
        draft.top.insert(0, f"sheets = {toml(pattern)}   # {', '.join(alike)}" + (told if read else ""))
        if "account_id" in BY_TABLE[draft.kind].__struct_fields__ and "account_id" not in draft.fields:
            if not any(is_period(name) or re.search(r"[0-9]", name) for name in alike):
                remark = remark_of(tr("not clear: the sheets seem to be named after people"))
                draft.fields["account_id"] = f'"#sheet"{remark}'
                if draft.key:
                    draft.key.insert(0, "#sheet")
        elif draft.key:
            draft.key = []  # two sheets may hold the same
        if draft.pivot and draft.kind in {"worklog", "allocation"} and "account_id" not in draft.fields:
            remark = remark_of(tr("not clear: no column names the people; the name of the file was taken"))
            draft.fields["account_id"] = f'"#file"{remark}'
    elif others:
        draft.top.insert(
            0, f"sheet = {toml(looked.sheet)}" + remark_of(tr("not read: {names}", names=", ".join(others)))
        )


def _pattern(alike: list[str], others: list[str]) -> str:
    """Return a pattern of names that has these sheets, and no other where it can."""
    if not others:
        return "*"
    start = _common(alike)
    end = _common([name[::-1] for name in alike])[::-1]
    first = "".join(sorted({name[:1] for name in others}))
    if re.fullmatch(r"\w+", first) and not any(name[:1] in first for name in alike):
        apart = f"[!{first}]*"
    else:
        apart = ""
    for pattern in (f"{start}*" if start else "", f"*{end}" if end else ""):
        fixed = pattern.strip("*")
        if fixed and not re.search(r"[\[\]?*]", fixed) and not any(
            name.startswith(start) if pattern.endswith("*") else name.endswith(end) for name in others
        ):  # fmt: skip
            return pattern
    return apart or "*"


def _common(names: list[str]) -> str:
    first, last = min(names), max(names)
    at = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:at]


_LEVEL = re.compile(r"[0-9]{1,3}(\.[0-9]+)*\.?")
_NUMBERED = re.compile(r"^(?:id|n|no|nr|num(?:ero)?|ref(?:erence)?|identifiant|identifier|number|key|cle)$")


def _numbered(looked: Looked) -> list[str]:
    """Return the column that numbers the rows of a list, where every row has a number of its own."""
    for name in looked.names:
        if not _NUMBERED.match(re.sub(r"[^a-z]", "", plain(name))) or not looked.is_unique([name]):
            continue
        rows = [
            row
            for row in looked.data
            if not any(tables.TOTAL.search(cell_text(cell)) for cell in row.values())
        ]
        if all(cell_text(row.get(name)) for row in rows):
            return [name]
    return []


def _level(draft: Draft, looked: Looked) -> str | None:
    """Return the column that says below which row of a plan each stands: 1, 2, 2 or 1, 1.1, 1.2."""
    if draft.kind != "task" or not draft.key or "parent_id" in draft.fields:
        return None
    for name in looked.names:
        texts = [cell_text(value) for value in looked.values(name)]
        if len(texts) < len(looked.data) or not all(
            re.fullmatch(r"[0-9]{1,3}(\.[0-9]+)*\.?", one) for one in texts
        ):
            continue
        bare = plain(name)
        if re.search(r"outline|niveau|\blevel", bare) or (
            re.search(r"wbs|\bn°|\bno\b|num|lot|\bid\b|^#", bare)
            and any("." in one.rstrip(".") for one in texts)
        ):
            return name
    return None


def written(draft: Draft, looked: Looked) -> str:
    """Return the text of a mapping."""
    path = looked.path
    if not draft.key and draft.kind in {"register_item", "checklist_item", "task"}:
        draft.key = _numbered(looked)
    out = [
        "# "
        + tr(
            "A first mapping for {file}, to be checked line by line; `hub check` reads it and shows the "
            "first "
            "rows.",
            file=storable(path.name),
        ),
        f"record = {toml(draft.kind)}" + (f"            # {draft.guessed}" if draft.guessed else ""),
    ]
    if sheets.kind_of(path) == "text":
        out.append(f"encoding = {toml(sheets.detect_encoding(path))}")
        out.append(f"delimiter = {toml(looked.delimiter)}")
    out.append(f"header_row = {looked.header + 1}")
    if looked.header_rows > 1:
        out.append(f"header_rows = {looked.header_rows}")
    out += draft.top
    if level := _level(draft, looked):
        out.append(
            f"outline = {{ column = {toml(level)} }}" + remark_of(tr("the row's parent, by its level"))
        )
    named = {*draft.used.values(), *draft.account.values(), *draft.container.values(), *draft.key}
    carried = [name for name in looked.carried if name in named]
    out += _drops(draft, looked) + _pivot_drops(looked)
    if carried:
        out.append(
            f"carry_down = {toml(carried)}"
            + remark_of(tr("not clear: an empty cell seems to mean 'as above', for no label comes twice"))
        )
    sparse = [
        name for name in looked.names if looked.data and 0 < len(looked.values(name)) < len(looked.data) * 0.6
    ]
    called = {draft.used.get(field) for field in _NAMING}
    groups = [name for name in sparse if name in called and cell_text(looked.data[0].get(name))]
    if groups:
        out.append(f"# carry_down = {toml(groups)}" + remark_of(tr("if an empty cell means 'as above'")))
    if any(decimal_of(looked, name) for name in looked.names):
        out.append('decimal = ","')
    out.append(
        'snapshot = "full"'
        + remark_of(tr('a row that leaves the file is deleted; "delta": files only add and change'))
    )
    if draft.key:
        out.append(f"key = {toml(draft.key)}")
    else:
        names = ("account_id", "container_id", "project_code", "task_id", "ref", "#year", "day", "month")
        naming = [draft.used[one] for one in names if one in draft.used]
        day = draft.used.get("day") or draft.used.get("start_on")
        period = period_of(looked, day) if day in naming and day in looked.names else None
        # S41 names a week in one year only
        naming = naming if looked.is_unique(naming) and not (period and period.is_open) else []
        out.append(
            f"# key = {toml(naming or ['…'])}"
            + remark_of(tr("if these columns name a row for ever: then edits are seen as edits"))
        )
    if draft.kind == "task" and "container_id" not in draft.fields:
        draft.fields["container_id"] = toml(FILE) + remark_of(
            tr("not clear: no column names a project, so the name of the file is its")
        )
    out += ["", "[fields]", *(f"{field} = {text}" for field, text in draft.fields.items())]
    out += [f"# {doubt}" for doubt in draft.doubts]
    for field in _lacking(draft):
        needed = tr('needed: name its column, or { value = "…" }')
        out.append(f'# {field} = "…"     {remark_of(needed)}')
    for side in ("account", "container"):
        if facts := getattr(draft, side):
            out += ["", f"[{side}]", *(f"{name} = {toml(column)}" for name, column in facts.items())]
    used = {*draft.used.values(), *draft.account.values(), *draft.container.values(), *draft.pivot}
    left = [name for name in looked.names if name not in used and not name.startswith("#")]
    if left:
        out.append("# " + tr("columns not used: {names}", names=", ".join(left)))
    return "\n".join(out) + "\n"


def _lacking(draft: Draft) -> list[str]:
    spans = any("unpivot" in line and "per =" in line for line in draft.top) or per_of(draft) != "day"
    free = {"finish_on"} if spans else set()
    return [
        one.name
        for one in msgspec.structs.fields(BY_TABLE[draft.kind])
        if one.required and one.name not in {"id", *draft.fields, *free}
    ]


_NAMING = (
    "account_id", "container_id", "project_code", "task_id", "day", "start_on", "month", "category", "title",
    "label",
)  # fmt: skip
"""What names a row; a row of sums lacks some of it."""


def _drops(draft: Draft, looked: Looked) -> list[str]:
    """Return what leaves rows of sums out, and never a row that is filled where a row of data is."""
    if looked.sums or any(line.startswith("drop = ") for line in draft.top):
        return []
    keys = [draft.used[one] for one in _NAMING if one in draft.used]
    totals = [
        (name, row)
        for row in looked.data
        for name in looked.names
        if name not in draft.pivot and tables.TOTAL.search(cell_text(row.get(name)))
    ]
    found: dict[str, list[str]] = {}
    out: list[str] = []
    for name, row in totals:
        empty = [key for key in keys if key != name and not cell_text(row.get(key))]
        if empty:
            kept = found.setdefault(name, empty)
            kept[:] = [key for key in kept if key in empty]
    for name, empty in found.items():
        if empty:
            out.append(
                f"drop = [{{ column = {toml(name)}, matches = {toml(_SUMS)}, "
                f"empty = {toml(empty)} }}]" + remark_of(tr("rows of sums"))
            )
            break
    if not out and (sums := [(name, row) for name, row in totals if _is_sum(draft, looked, row)]):
        name, row = sums[0]
        exact = re.escape(cell_text(row[name]))
        out.append(
            f"drop = [{{ column = {toml(name)}, matches = {toml(f'^{exact}$')} }}]"
            + remark_of(tr("it is the sum of the others"))
        )
    elif not out and totals and any(name in keys for name, _ in totals):
        shown = ", ".join(dict.fromkeys(cell_text(row[name]) for name, row in totals if name in keys))
        out.append(
            "# "
            + tr(
                "Not clear: is {shown} a row of sums? All that names a row is filled there: it is taken.",
                shown=shown,
            )
        )
    return _with_empty(_with_aside(out, looked, keys), draft)


def _with_empty(out: list[str], draft: Draft) -> list[str]:
    """Return what leaves rows out, with those in which nobody worked."""
    if not draft.empty:
        return out
    entry, said = (
        f'{{ matches = "", empty = {toml(draft.empty)} }}',
        remark_of(tr("rows in which nobody worked")),
    )
    if out and out[0].startswith("drop = ["):
        return [out[0].replace("drop = [", f"drop = [{entry}, ", 1) + said, *out[1:]]
    return [f"drop = [{entry}]" + said, *out]


_ASIDE = (
    "(?i)^(capacit|kapazit|jours? ouvr|working days|arbeitstage|objectif|target|taux|occupation|disponib)"
)
"""How rows of a crosstab begin that are nobody's work: what people could work, and shares of it."""


def _with_aside(out: list[str], looked: Looked, keys: list[str]) -> list[str]:
    """Return what leaves rows out, with those that are nobody's work where all but their caption is empty."""
    rows = [row for row in looked.data if keys and re.search(_ASIDE, cell_text(row.get(keys[0])))]
    empty = [key for key in keys[1:] if rows and not any(cell_text(row.get(key)) for row in rows)]
    if not empty:
        return out
    entry = f"{{ column = {toml(keys[0])}, matches = {toml(_ASIDE)}, empty = {toml(empty)} }}"
    shown = ", ".join(dict.fromkeys(cell_text(row[keys[0]]) for row in rows))
    said = remark_of(tr("not clear: {names} is left out, for it seems to be nobody's work", names=shown))
    if out and out[0].startswith("drop = ["):
        return [out[0].replace("drop = [", f"drop = [{entry}, ", 1) + said, *out[1:]]
    return [f"drop = [{entry}]" + said, *out]


def _pivot_drops(looked: Looked) -> list[str]:
    """Return what leaves the rows of sums of a pivot table out."""
    entries = [
        f"{{ column = {toml(name)}, matches = {toml(SUMS)}, empty = {toml(empty)} }}"
        for name, empty in looked.sums.items()
        if empty
    ]
    return [f"drop = [{', '.join(entries)}]" + remark_of(tr("rows of sums"))] if entries else []


def _is_sum(draft: Draft, looked: Looked, row: dict[str, Any]) -> bool:
    """Say whether every number of a row is the sum of its column's others."""
    columns = draft.pivot or [draft.used[one] for one in ("seconds", "amount_minor") if one in draft.used]
    checked = False
    for name in columns:
        mine = number_of(row.get(name))
        if mine is None:
            continue
        others = sum(number_of(one.get(name)) or 0 for one in looked.data if one is not row)
        if abs(others - mine) > 0.01:
            return False
        checked = True
    return checked and len(looked.data) > 2
