"""Write a first mapping for a file: where its headers are, what its columns look like, what they may mean.

What is not sure is said in the mapping, as a comment beside the line.
"""

from __future__ import annotations

import io
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from itertools import islice, pairwise
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec

from hub import (
    BY_TABLE,
    CellError,
    CellReader,
    ConfigError,
    Declared,
    SourceDataError,
    Worklog,
    YearOpenError,
    cell_text,
    columns_of,
    is_error,
    names_period,
    periods_of,
    scale_of,
    storable,
    tr,
)
from hub_tabular import books, tables
from hub_tabular.mapping import Mapping
from hub_tabular.mapping import choices as choices_of
from hub_tabular.tools import TOOLS, Tool

_LOOK = 5000
_ODD_DAYS = 0.2
"""The share of a column's days that may be no days, without saying anything of how the others are written."""
_TOP = 30
_Per = Literal["day", "week", "month"]
# words of headers, French and English, without accents: the first field that fits and is free takes the
# column
_WORDS: dict[str, dict[str, str]] = {
    "worklog": {
        "day": r"\bdate\b|\bjour\b|\bday\b",
        "seconds": r"heures?|hours?|duree|duration|temps|time|jh|jours|days|charge|qte",
        "account_id": r"matricule|login|employee|collab|salarie|employe|consultant|intervenant|\bagent"
        r"|personne|person|ressource|resource|user|utilisateur|\bqui\b|\bwho\b|nom|name",
        "container_id": r"projet|project|code|affaire|imputation",
        "task_id": r"ticket|issue|demande|tache|task",
        "category": r"nature|categorie|category|type", "billable": r"facturable|billable",
        "approval": r"statut|status|valid|approv",
    },
    "budget_line": {
        "amount_minor": r"montant|amount|budget|cout|cost", "month": r"mois|month|periode|period",
        "project_code": r"projet|project|code|affaire", "kind": r"type|nature|kind",
        "category": r"categorie|category|poste|nature|rubrique",
        "currency": r"devise|currency", "is_capex": r"capex|investissement",
    },
    "register_item": {
        "title": r"libelle|titre|title|description|intitule|risque|risk",
        "project_code": r"projet|project|code", "kind": r"type|kind",
        "state": r"statut|etat|status|state", "probability": r"proba", "impact": r"impact|gravite|severity",
        "exposure_minor": r"exposition|exposure|montant",
        "owner_id": r"responsable|porteur|pilote|propriet|owner",
        "due_on": r"echeance|due", "asked_of": r"demande a|asked of|decideur|instance",
        "opened_on": r"ouvert|creat|opened|date",
    },
    "task": {
        "title": r"^sujet|^subject|titre|title|libelle|intitule|tache|task|nom|name",
        "container_id": r"projet|project|code",
        "status_raw": r"statut|etat|status|state", "planned_start_on": r"debut|start",
        "planned_finish_on": r"fin|finish|end",
        "due_on": r"echeance|due", "percent": r"avancement|%|progress|percent",
        "estimate_s": r"charge|estim|effort|budget",
        "remaining_s": r"reste|raf|remaining", "spent_s": r"consomme|spent|realise",
        "assignee_id": r"responsable|assign|owner|ressource",
    },
    "allocation": {
        "account_id": r"matricule|ressource|resource|personne|person|collab|salarie|employe|consultant"
        r"|intervenant|\bqui\b|\bwho\b|\bnom\b|\bname\b",
        "container_id": r"projet|project|code",
        "start_on": r"debut|start|date|semaine", "finish_on": r"fin|finish|end",
        "seconds": r"charge|jours|days|heures|hours|jh",
    },
    "checklist_item": {
        "label": r"libelle|label|critere|point|item|controle", "list": r"liste|list|matrice|lot",
        "ref": r"ref|num|id",
        "state": r"statut|etat|status|state|resultat", "project_code": r"projet|project|code",
        "mandatory": r"obligatoire|mandatory",
    },
    "account": {
        "display_name": r"nom|name|personne|collaborateur", "email": r"mail",
        "login": r"login|identifiant|user",
        "employee_no": r"matricule|employee", "active": r"actif|active",
    },
}  # fmt: skip
_MUST = {
    "worklog": ("day", "seconds"),
    "budget_line": ("amount_minor", "month"),
    "register_item": ("title", "state"),
    "task": ("title",),
    "allocation": ("account_id", "start_on", "seconds"),
    "checklist_item": ("label", "state"),
    "account": ("display_name",),
}
_DAYS = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y", "%m/%d/%y", "%d-%m-%Y")
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p")
_TOTAL = re.compile(r"(?i)^(?:grand |sous[- ]?|sub[- ]?)?(?:total|totaux|somme)s?\b")
_ENDS = r"start|end|begin|debut|\bfin\b|from|\bto\b|\ba\b|\bde\b"
_AMOUNTS = (
    r"montant|amount|budget|cout|cost|engage|commit|consomme|consumed|actual|reel|facture|prev(u|is)|forecast"
    r"|atterrissage|landing|estimate|revise|depense|spent|\braf\b|reste|remaining|\betc\b|\beac\b|completion"
)
_AT_END = r"atterr|landing|\beac\b|at completion"
"""Captions of what something costs in the end: not what is still to come, which is the hub's forecast."""
_SUMS = "(?i)^(grand |sous.?|sub.?)?(total|totaux|somme)"
_FRENCH = r"heures|matricule|projet|duree|\bjour|utilisateur|activite|demande|salarie"
_PLANS = r"plan de charge|capacit|staffing|allocation|prevision|affectation"


class Looked(msgspec.Struct, kw_only=True):
    """What was seen of one sheet: its *names* in the row *header* (from 0), its rows, what stands above."""

    path: Path
    sheet: str
    names: list[str]
    header: int
    data: list[dict[str, Any]]
    above: list[str]
    delimiter: str = ""

    def values(self, name: str) -> list[Any]:
        """Return what is filled in a column."""
        return [row.get(name) for row in self.data if cell_text(row.get(name))]

    def texts(self, name: str) -> list[str]:
        """Return the same as texts."""
        return [cell_text(value) for value in self.values(name)]

    def is_filled(self, row: dict[str, Any], names: Iterable[str]) -> bool:
        """Say whether all of these columns of a row are filled."""
        return all(cell_text(row.get(name)) for name in names)

    def is_unique(self, names: list[str]) -> bool:
        """Say whether these columns name a row, among those where all of them are filled."""
        found = [
            tuple(cell_text(row.get(one)) for one in names) for row in self.data if self.is_filled(row, names)
        ]
        return bool(names) and len(found) == len(set(found))


class Draft(msgspec.Struct, kw_only=True):
    """A mapping as it grows: lines at the top, fields, and columns that are used."""

    kind: str
    top: list[str] = []
    fields: dict[str, str] = {}
    doubts: list[str] = []
    used: dict[str, str] = {}
    account: dict[str, str] = {}
    container: dict[str, str] = {}
    key: list[str] = []
    pivot: list[str] = []
    """Columns that become rows."""
    guessed: str = ""


def suggest_mapping(path: Path, *, sheet: str | None = None, record: str | None = None) -> str:
    """Return the text of a mapping for *path*; guesses are marked, and what is missing is said.

    Raises `ConfigError` for an unknown *record*, `SourceDataError` for a file without a row of headers.
    """
    if path.suffix.lower() not in tables.SUFFIXES:
        raise ConfigError(
            tr(
                "{file}: files of type {suffix} are not read; known: {known}.",
                file=storable(path.name),
                suffix=path.suffix or "(none)",
                known=", ".join(tables.SUFFIXES),
            )
        )
    if record is not None and record not in _WORDS:
        raise ConfigError(
            tr(
                "--record {record}: a mapping can be suggested for {known}.",
                record=record,
                known=", ".join(_WORDS),
            )
        )
    looked, alike, others = _look(path, sheet)
    draft = (
        _tool(looked, record)
        or _crosstab(looked, record)
        or _amounts(looked, record)
        or _plain(looked, record)
    )
    _sheets(draft, looked, alike, others, sheet)
    return _write(draft, looked)


# ---------- what is there ----------


def _look(path: Path, sheet: str | None) -> tuple[Looked, list[str], list[str]]:
    """Return the sheet to map, the names of those like it, and of the others."""
    mapping = Mapping(record="", fields={}, sheet=sheet or 0, sheets=None if sheet else "*")
    found: list[Looked] = []
    empty: list[str] = []
    for one in tables.sheets_of(path, mapping):
        rows = list(islice(one.rows, _LOOK))
        header = _header_row(rows)
        if header is None:
            empty.append(one.name)
            continue
        names = tables.headers(rows[header])
        data = [
            dict(zip(names, cells, strict=False))
            for cells in rows[header + 1 :]
            if any(map(cell_text, cells))
        ]
        above = [text for cells in rows[:header] for cell in cells if (text := cell_text(cell))]
        found.append(Looked(path=path, sheet=one.name, names=names, header=header, data=data, above=above))
    if not found:
        raise SourceDataError(
            tr(
                "{file}: no row looks like headers (several short texts, all different) in its first "
                "{most} rows.",
                file=storable(path.name),
                most=_TOP,
            )
        )
    if path.suffix.lower() in tables.TEXT:
        with io.TextIOWrapper(books.opened(path), encoding=tables.detect_encoding(path), newline="") as file:
            found[0].delimiter = tables.detect_delimiter(file.read(65536))
    # the sheet with most rows among those that have most in common
    groups = [[other for other in found if _alike(one, other)] for one in found]
    best = max(groups, key=lambda group: (len(group), sum(len(one.data) for one in group)))
    chosen = max(best, key=lambda one: len(one.data))
    alike = [one.sheet for one in best]
    return chosen, alike, [one.sheet for one in found if one.sheet not in alike] + empty


def _alike(one: Looked, other: Looked) -> bool:
    """Say whether two sheets are one table: the same headers, but for those that name a period."""
    return one.header == other.header and _fixed(one.names) == _fixed(other.names) and bool(other.data)


def _fixed(names: list[str]) -> list[str]:
    return [name for name in names if not _is_period(name)]


def _is_period(name: str) -> bool:
    return names_period(name, "week") or names_period(name, "month")


def _header_row(rows: list[list[Any]]) -> int | None:
    best, score = None, 1.0
    for number, cells in enumerate(rows[:_TOP]):
        texts = [cell_text(cell) for cell in cells if cell_text(cell)]
        words = [
            text for text in texts
            if (re.search(r"[^\W\d]", text) and len(text) < 60) or _is_period(text) or text == "#"
        ]  # fmt: skip
        if len(words) < 2 or len(set(texts)) < len(texts) - 2 or len(words) < len(texts) * 0.8:
            continue
        if all(map(_is_period, words)):
            continue
        below = sum(bool(cell_text(cell)) for cell in (rows[number + 1] if number + 1 < len(rows) else []))
        value = len(words) + 0.5 * min(below, len(words))
        if value > score:
            best, score = number, value
    return best


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _is_numeric(looked: Looked, name: str) -> bool:
    """Say whether a column holds numbers or durations, and nearly nothing else."""
    values = [value for value in looked.values(name) if not is_error(cell_text(value))]
    if not values or any(map(tables.looks_like_date, values)):
        return False
    reader = CellReader(
        columns_of(Worklog)["seconds"], Declared(unit="hours", decimal=_decimal(looked, name))
    )
    for value in values:
        reader.look(value)
    return sum(_reads(reader, value) for value in values) >= 0.8 * len(values)


def _reads(reader: CellReader, value: Any) -> bool:
    try:
        reader.value(value.rstrip("€$£ ") if isinstance(value, str) else value)
    except CellError:
        return False
    return True


def _decimal(looked: Looked, name: str) -> Literal[",", "."] | None:
    texts = [value for value in looked.values(name) if isinstance(value, str)]
    if any(re.search(r"[0-9],[0-9]{1,2}$|[0-9],[0-9]{4,}$", text.rstrip("€ ")) for text in texts):
        return ","
    return None


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return float(value)
    text = re.sub(r"[\s\u00a0\u202f€$£]", "", str(value or "")).replace(",", ".")
    try:
        return float(text)
    except ValueError:
        return None


# ---------- exports of known tools ----------


def _tool(looked: Looked, record: str | None) -> Draft | None:
    bare = {_bare(name): name for name in reversed(looked.names)}
    for tool in TOOLS:
        if record in {None, tool.record} and all(any(one in bare for one in some) for some in tool.signs):
            return _of_tool(looked, tool, bare)
    return None


def _of_tool(looked: Looked, tool: Tool, bare: dict[str, str]) -> Draft:
    draft = Draft(kind=tool.record, guessed=tr("an export of {tool}", tool=tool.name))
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
        _take(draft, looked, field, best, days=tool.days)
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
                f"{field} = {{ column = {_toml(bare[header])}, source = {_toml('…')}{pattern} }}"
                + _remark(tr("with {what}, if there is one", what=what))
            )
    if tool.record == "task" and "code" in draft.used:
        draft.key = [draft.used["code"]]
    if tool.name == "Tempo" and "container_id" not in draft.fields:
        column = bare["issue key"]
        draft.fields["container_id"] = f'{{ column = {_toml(column)}, pattern = "^([^-]+)-" }}'
    return draft


# ---------- columns that are weeks, months or days ----------


def _crosstab(looked: Looked, record: str | None) -> Draft | None:
    if record not in {None, "worklog", "allocation", "budget_line"}:
        return None
    per = _per(looked)
    if per is None:
        return None
    periods = [
        name for name in looked.names if names_period(name, per) and _is_numeric_or_empty(looked, name)
    ]
    fixed = [name for name in looked.names if name not in periods]
    said = _bare(" ".join([looked.path.stem, looked.sheet, *looked.above]))
    rows = [
        row for row in looked.data
        if not any(_TOTAL.search(cell_text(row.get(name))) for name in fixed)
    ]  # fmt: skip
    largest = max((_number(row.get(name)) or 0.0 for row in rows for name in periods), default=0.0)
    kind = record or (
        "budget_line" if re.search(r"budget|montant|amount|cout|cost|€|depense", said) or largest > 744
        else "allocation" if re.search(_PLANS, said) else "worklog"
    )  # fmt: skip
    draft = Draft(kind=kind, guessed=tr("a column a {per}", per=tr(per)), pivot=periods)
    name, value = {"day": "Day", "week": "Week", "month": "Month"}[per], "Value"
    year = _year_option(draft, looked, periods, per)
    draft.top.append(
        f"unpivot = {{ per = {_toml(per)}, name = {_toml(name)}, value = {_toml(value)}{year} }}"
        + _remark(
            tr("{count} columns, {first} to {last}", count=len(periods), first=periods[0], last=periods[-1])
        )
    )
    assigned = _assign(kind, [one for one in fixed if not _is_numeric(looked, one)] or fixed)
    naming = ("project_code", "category", "kind") if kind == "budget_line" else ("account_id", "container_id")
    for field in (*naming, "task_id", "is_capex"):
        if field in assigned and field in BY_TABLE[kind].__struct_fields__:
            _take(draft, looked, field, (assigned[field],))
    free = [one for one in fixed if one not in draft.used.values() and looked.values(one)]
    texts = [one for one in free if not _is_numeric(looked, one)]
    if naming[0] not in draft.fields and texts:
        _take(draft, looked, naming[0], (texts[0],))
        draft.fields[naming[0]] += _remark(tr("not clear: the first column of texts that nothing else takes"))
    if kind == "budget_line":
        draft.fields |= {"month": _toml(name), "amount_minor": _amount(draft, looked, value, periods)}
        if "kind" not in draft.fields and (guess := _guess(said, _choices(kind, "kind"), default="")):
            remark = _remark(tr("not clear: by the names of file and sheet"))
            draft.fields["kind"] = f'{{ value = "{guess}" }}{remark}'
        if "category" not in draft.fields:
            draft.fields["category"] = '{ value = "all" }' + _remark(tr("no column says the category"))
    else:
        draft.fields[{"worklog": "day", "allocation": "start_on"}[kind]] = _toml(name)
        unit = _unit_of_cells(draft, looked, largest, per, said)
        draft.fields["seconds"] = f'{{ column = {_toml(value)}, unit = "{unit}" }}'
        if kind == "allocation" and per == "day":
            draft.fields["finish_on"] = _toml(name)
    key = [draft.used[field] for field in (*naming, "task_id") if field in draft.used]
    draft.key = [*key, name] if looked.is_unique(key) else []
    return draft


def _is_numeric_or_empty(looked: Looked, name: str) -> bool:
    return not looked.values(name) or _is_numeric(looked, name)


def _per(looked: Looked) -> _Per | None:
    """Return what most of the columns are: two of them at least, with numbers below."""
    found: dict[_Per, list[str]] = {
        per: [name for name in looked.names if names_period(name, per) and _is_numeric_or_empty(looked, name)]
        for per in ("week", "month", "day")
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
    best = max(("week", "month"), key=lambda per: len(found[per]))  # type: ignore[index]
    return best if len(found[best]) >= 2 else None  # type: ignore[index, return-value]


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
    full, most = {"day": (1.0, 1.5), "week": (5.0, 7.0), "month": (23.0, 31.0)}[per]
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


# ---------- several amounts in a row ----------


def _amounts(looked: Looked, record: str | None) -> Draft | None:
    """Return the mapping of a budget whose columns are kinds of amounts, if it is one."""
    if record not in {None, "budget_line"}:
        return None
    known = _choices("budget_line", "kind")
    columns = {
        name: _guess(name, known, default="")
        for name in looked.names
        if re.search(_AMOUNTS, _bare(name)) and _is_numeric(looked, name)
    }
    ends = [name for name in columns if re.search(_AT_END, _bare(name))]
    kinds = {name: kind for name, kind in columns.items() if kind and name not in ends}
    spent = next((name for name, kind in kinds.items() if kind == "consumed"), None)
    less = {}
    if ends and spent and "forecast" not in kinds.values():
        # what it costs in the end is no forecast: that is what is still to come
        kinds[ends[0]], less = "forecast", {ends[0]: spent}
    if len(kinds) < 2 or len(set(kinds.values())) < 2:
        return None
    draft = Draft(kind="budget_line", guessed=tr("several columns of amounts"), pivot=list(kinds))
    pattern = "^(" + "|".join(re.escape(name) for name in kinds) + ")$"
    taken_off = f", less = {{ {_toml(ends[0])} = {_toml(spent)} }}" if less else ""
    draft.top.append(
        f'unpivot = {{ columns = {_toml(pattern)}, name = "Kind", value = "Amount"{taken_off} }}'
    )
    pairs = ", ".join(f"{_toml(name)} = {_toml(kind)}" for name, kind in kinds.items())
    if len(set(kinds.values())) < len(kinds):
        draft.top.append("# " + tr("Not clear: two columns were taken for the same kind, see values below."))
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
    fixed = [name for name in looked.names if name not in kinds and name not in ends]
    # what a column of kinds would be called says the category here: the kinds are columns
    assigned = _assign("budget_line", fixed, without=("amount_minor", "kind"))
    for field in ("project_code", "month", "category", "currency", "is_capex"):
        if field in assigned and not (field == "month" and _is_numeric(looked, assigned[field])):
            _take(draft, looked, field, (assigned[field],))
    draft.fields["kind"] = f'{{ column = "Kind", values = {{ {pairs} }} }}'
    draft.fields["amount_minor"] = _amount(draft, looked, "Amount", list(kinds))
    if "month" not in draft.fields:
        years = re.findall(
            r"(?<![0-9])20[0-9]{2}(?![0-9])", " ".join([looked.sheet, looked.path.stem, *looked.above])
        )
        year = years[0] if years else str(date.fromtimestamp(looked.path.stat().st_mtime).year)
        draft.fields["month"] = f'{{ value = "{year}-01" }}' + _remark(
            tr("not clear: no column says the month")
        )
    if "category" not in draft.fields:
        draft.fields["category"] = '{ value = "all" }' + _remark(tr("no column says the category"))
    if "project_code" not in draft.fields:
        first = next((name for name in fixed if not _is_numeric(looked, name)), None)
        if first:
            draft.fields["project_code"] = _toml(first) + _remark(tr("not clear: the first column of texts"))
            draft.used["project_code"] = first
    key = [draft.used[field] for field in ("project_code", "month", "category") if field in draft.used]
    draft.key = [*key, "Kind"] if looked.is_unique(key) else []
    return draft


def _amount(draft: Draft, looked: Looked, column: str, headers: Sequence[str]) -> str:
    """Return where amounts come from, and in what they are counted where only the rows above say it."""
    scale = next((found for text in looked.above if (found := scale_of(text))), None)
    headed = {scale_of(name) for name in headers}
    unit = {1_000: "thousands", 1_000_000: "millions"}.get(scale or 0)
    if unit and headed == {None}:
        return f'{{ column = {_toml(column)}, unit = "{unit}" }}' + _remark(tr("by the rows above"))
    said = [name for name in headers if scale_of(name)]
    return _toml(column) + (
        _remark(tr("counted in what the headers say: {names}", names=", ".join(said))) if said else ""
    )


# ---------- any other table ----------


def _plain(looked: Looked, record: str | None) -> Draft:
    names = [name for name in looked.names if not name.startswith("#")]
    kind = record or max(_WORDS, key=lambda one: _fit(one, names))
    draft = Draft(kind=kind, guessed="" if record else tr("guessed from the headers"))
    assigned = _assign(kind, names)
    if kind == "worklog" and (hours := _hours_column(looked, assigned)):
        assigned = {field: name for field, name in assigned.items() if name != hours} | {"seconds": hours}
    for field, name in assigned.items():
        _take(draft, looked, field, (name,))
    if kind == "register_item":
        _name_kind(draft, looked)
    for field, side in {"account_id": "account", "container_id": "container"}.items():
        word = r"nom|name" if side == "account" else r"libelle|intitule|nom du projet|project name"
        label = next((n for n in names if n not in draft.used.values() and re.search(word, _bare(n))), None)
        if field in draft.used and label:
            getattr(draft, side)["display_name" if side == "account" else "name"] = label
    return draft


def _name_kind(draft: Draft, looked: Looked) -> None:
    """Let a register without a column of kinds be of one: by the names of its file, sheet and columns."""
    if "kind" not in draft.fields:
        said = " ".join([looked.path.stem, looked.sheet, *looked.names])
        guess = _guess(said, _choices("register_item", "kind"), default="risk")
        remark = _remark(tr("not clear: by the names of file, sheet and columns"))
        draft.fields["kind"] = f'{{ value = "{guess}" }}{remark}'


def _hours_column(looked: Looked, assigned: dict[str, str]) -> str | None:
    """Return the column of efforts: numbers or durations, never when something began or ended."""
    words = _WORDS["worklog"]["seconds"].split("|")
    free = [name for name in looked.names if name == assigned.get("seconds") or name not in assigned.values()]
    for word in words:
        for name in free:
            bare = _bare(name)
            if re.search(word, bare) and not re.search(_ENDS, bare) and _is_numeric(looked, name):
                return name
    return None


def _assign(kind: str, names: list[str], *, without: Sequence[str] = ()) -> dict[str, str]:
    taken: dict[str, str] = {}
    for field, words in _WORDS[kind].items():
        if field in without:
            continue
        # the words are in order of preference: `matricule` names a person better than `nom`
        hits = (
            name
            for word in words.split("|")
            for name in names
            if name not in taken.values() and re.search(word, _bare(name))
        )
        if name := next(hits, None):
            taken[field] = name
    return taken


def _fit(kind: str, names: list[str]) -> float:
    found = _assign(kind, names)
    return len(found) - 3 * sum(field not in found for field in _MUST[kind])


# ---------- one field ----------


def _take(draft: Draft, looked: Looked, field: str, columns: Sequence[str], *, days: str = "") -> None:
    """Let a field come from *columns*, with what its cells show of how they are written."""
    name = columns[0]
    draft.used[field] = name
    column = _toml(name) if len(columns) == 1 else _toml(list(columns))
    parts, doubt = [f"column = {column}"], ""
    kind = columns_of(BY_TABLE[draft.kind])[field].kind
    if kind in {"day", "instant"}:
        more, doubt = _day_parts(looked, name, days)
        parts += more
    elif kind == "seconds":
        unit, doubt = _unit(looked, name)
        parts.append(f'unit = "{unit}"')
    elif kind == "minor":
        draft.fields[field] = _amount(draft, looked, name, [name])
        return
    elif scale := _words_as_numbers(looked, name, field):
        parts.append(f"values = {{ {scale} }}")
        doubt = tr("not clear: words taken as numbers; correct them to your scale")
    elif kind == "percent" and not _above_one(looked, name):
        doubt = tr('say unit = "share" or "percent" if its numbers have no percent sign')
    elif kind == "percent" and any(isinstance(value, int | float) for value in looked.values(name)) is False:
        parts.append('unit = "percent"')
    elif known := _choices(draft.kind, field):
        seen = list(dict.fromkeys(looked.texts(name)))[:12]
        if seen:
            pairs = ", ".join(f"{_toml(text)} = {_toml(_guess(text, known))}" for text in seen)
            parts.append(f"values = {{ {pairs} }}")
            if unsure := [text for text in seen if not _guess(text, known, default="")]:
                doubt = tr("not clear: {names}", names=", ".join(unsure))
    text = (
        f"{{ {', '.join(parts)} }}"
        if len(parts) > 1
        else column
        if len(columns) == 1
        else f"{{ {parts[0]} }}"
    )
    draft.fields[field] = text + (_remark(doubt) if doubt else "")


_DEGREES: tuple[tuple[str, int], ...] = (
    (r"tres (?:faible|improbable|bas|peu)|\brare|very (?:low|unlikely)|neglig|insignif", 1),
    (r"tres |quasi|certain|very |criti|catastroph|extreme|severe|bloquant", 5),
    (r"faible|peu|improbable|mineure?|\blow\b|unlikely|minor\b|basse?", 2),
    (r"moyen|modere|possible|significati|medium|moderate|normal", 3),
    (r"forte?|elevee?|haute?|probable|majeure?|grave|important|\bhigh\b|likely|major", 4),
)  # fmt: skip
"""Words of the scale of five by which risks are weighed, the outer ones first."""
_CHANCES = {1: 0.1, 2: 0.3, 3: 0.5, 4: 0.7, 5: 0.9}


def _words_as_numbers(looked: Looked, name: str, field: str) -> str:
    """Return the values of a column that weighs risks in words, none where it is not one."""
    if field not in {"probability", "impact"}:
        return ""
    texts = list(dict.fromkeys(looked.texts(name)))[:12]
    words = [text for text in texts if re.search(r"[^\W\d_]{2}", text)]
    found = {text: degree for text in words if (degree := _degree(text))}
    if not words or len(found) < len(words):
        return ""
    pairs = {text: _CHANCES[degree] if field == "probability" else degree for text, degree in found.items()}
    for text in texts:  # numbers beside words are what they are
        if (
            text not in pairs
            and (number := _share_of(text) if field == "probability" else _whole_of(text)) is not None
        ):
            pairs[text] = number
    return ", ".join(f"{_toml(text)} = {number}" for text, number in pairs.items())


def _degree(text: str) -> int | None:
    return next((degree for words, degree in _DEGREES if re.search(words, _bare(text))), None)


def _share_of(text: str) -> float | None:
    number = _number(text.rstrip("% "))
    return None if number is None else number / 100 if "%" in text or number > 1 else number


def _whole_of(text: str) -> int | None:
    number = _number(text)
    return int(number) if number is not None and number == int(number) else None


def _above_one(looked: Looked, name: str) -> bool:
    return any(
        (_number(str(value).rstrip("% ")) or 0) > 1 or "%" in str(value) for value in looked.values(name)
    )


def _day_parts(looked: Looked, name: str, days: str) -> tuple[list[str], str]:
    """Return how the days of a column are written, or the question that they leave open."""
    values = looked.values(name)
    texts = [value.strip() for value in values if isinstance(value, str) and not _TOTAL.search(value)]
    if not texts or any(map(tables.looks_like_date, values)):
        return [], ""
    odd = [text for text in texts if not any(_is_like(text, form) for form in _formats())]
    if len(odd) <= len(texts) * _ODD_DAYS:  # an odd day is one row's, and no reason to read none
        texts = [text for text in texts if text not in odd]
    if all(re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) for text in texts):
        return ([] if any(len(text) > 10 for text in texts) else ['format = "%Y-%m-%d"']), ""
    fits = [form for form in _formats() if all(_is_like(text, form) for text in texts)]
    if not fits:
        return [], tr("not clear: its days are not all written in one way")
    if (
        len(fits) == 1
        or len({datetime.strptime(text, form).date() for form in fits for text in texts[:1]}) == 1
    ):
        return [f"format = {_toml(fits[0])}"], ""
    shown = next(
        (text for text in texts if len({datetime.strptime(text, form).date() for form in fits}) > 1), None
    )
    if shown is None:
        return [f"format = {_toml(fits[0])}"], ""
    settled = [form for form in fits if form[:2] in _day_starts(looked)]
    if len({form[:2] for form in settled}) == 1:
        return [f"format = {_toml(settled[0])}"], ""
    first_day = [form for form in fits if form.startswith("%d")]
    if first_day and _is_european(looked):
        return [f"format = {_toml(first_day[0])}"], tr("the day first, for the file is written as in Europe")
    who = tr(" (it is written {days})", days=days) if days else ""
    first, second = (datetime.strptime(shown, form) for form in fits[:2])
    return [], tr(
        "not clear: {shown} may be {first:%Y-%m-%d} or {second:%Y-%m-%d}{who}; say format = {form} or "
        "{other}",
        shown=shown,
        first=first,
        second=second,
        who=who,
        form=_toml(fits[0]),
        other=_toml(fits[1]),
    )


def _is_european(looked: Looked) -> bool:
    """Say whether commas in numbers, semicolons or French headers tell where a file was written."""
    if re.search(_FRENCH, _bare(" ".join(looked.names))):
        return True
    return looked.delimiter == ";" or any(_decimal(looked, name) for name in looked.names)


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


def _unit(looked: Looked, name: str) -> tuple[str, str]:
    """Return the unit of an effort by its header and its numbers, and a doubt."""
    bare = _bare(name)
    for unit, words in (
        ("days", r"\b(jh|jours?|days?|charge|j|jours-homme|md)\b"), ("minutes", r"\bmin(ute)?s?\b"),
        ("seconds", r"\bsec(onde?)?s?\b"),
    ):  # fmt: skip
        if re.search(words, bare):
            return unit, ""
    values = looked.values(name)
    numbers = [number for value in values if (number := _number(value)) is not None]
    if len(numbers) < len(values) * 0.8 or not numbers:
        return "hours", ""  # durations say their units
    whole, largest = all(number == int(number) for number in numbers), max(map(abs, numbers))
    if largest <= 24:
        return "hours", ""
    if re.search(r"heures?|hours?|\(h\)|^h$", bare):
        return "hours", tr("not clear: up to {largest:g} in one row", largest=largest)
    if whole and sorted(numbers)[len(numbers) // 2] >= 300:
        return "seconds", tr("not clear: whole numbers up to {largest:g}, taken as seconds", largest=largest)
    if whole and largest <= 24 * 60:
        return "minutes", tr("not clear: whole numbers up to {largest:g}, taken as minutes", largest=largest)
    return "hours", tr("not clear: up to {largest:g} in one row", largest=largest)


def _choices(kind: str, field: str) -> tuple[str, ...]:
    return choices_of(get_type_hints(BY_TABLE[kind])[field])


_GUESSES = {
    "absence": r"cong|abs|rtt|malad|leave", "internal": r"intern|structure|formation|run",
    "approved": r"valid|appro",
    "rejected": r"rej|refus", "submitted": r"soumis|submit|attente", "draft": r"brouillon|draft|saisi",
    "closed": r"clos|ferm|termin|done", "open": r"ouvert|cours|open", "cancelled": r"annul|aband|cancel",
    "risk": r"risq|risk", "action": r"action", "decision": r"decis", "issue": r"probl|issue|incident",
    "revised": r"revis", "committed": r"engag|commit", "consumed": r"consom|consum|reel|actual|spent|factur",
    "forecast": r"\braf\b|reste|remain|\betc\b|to complete|prev|forecast",
    "baseline": r"initial|budget|baseline|vote",
    "ok": r"^(ok|oui|conforme)", "nok": r"^(nok|ko|non)",
    "na": r"n/?a|sans objet", "todo": r"faire|todo", "project": r"proj",
}  # fmt: skip


def _guess(text: str, known: tuple[str, ...], *, default: str | None = None) -> str:
    for value, words in _GUESSES.items():
        if value in known and re.search(words, _bare(text)):
            return value
    return known[0] if default is None else default


# ---------- the whole ----------


def _sheets(draft: Draft, looked: Looked, alike: list[str], others: list[str], asked: str | None) -> None:
    """Say which sheets are read."""
    if not looked.sheet:
        return
    if asked:
        draft.top.insert(0, f"sheet = {_toml(asked)}")
    elif len(alike) > 1:
        draft.top.insert(0, f"sheets = {_toml(_pattern(alike, others))}   # {', '.join(alike)}")
        if "account_id" in BY_TABLE[draft.kind].__struct_fields__ and "account_id" not in draft.fields:
            if not any(_is_period(name) or re.search(r"[0-9]", name) for name in alike):
                remark = _remark(tr("not clear: the sheets seem to be named after people"))
                draft.fields["account_id"] = f'"#sheet"{remark}'
                if draft.key:
                    draft.key.insert(0, "#sheet")
        elif draft.key:
            draft.key = []  # two sheets may hold the same
    elif others:
        draft.top.insert(
            0, f"sheet = {_toml(looked.sheet)}" + _remark(tr("not read: {names}", names=", ".join(others)))
        )


def _pattern(alike: list[str], others: list[str]) -> str:
    """Return a pattern of names that has these sheets, and no other where it can."""
    if not others:
        return "*"
    start = _common(alike)
    end = _common([name[::-1] for name in alike])[::-1]
    for pattern in (f"{start}*" if start else "", f"*{end}" if end else ""):
        fixed = pattern.strip("*")
        if fixed and not re.search(r"[\[\]?*]", fixed) and not any(
            name.startswith(start) if pattern.endswith("*") else name.endswith(end) for name in others
        ):  # fmt: skip
            return pattern
    return "*"


def _common(names: list[str]) -> str:
    first, last = min(names), max(names)
    at = next(
        (at for at, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), min(len(first), len(last))
    )
    return first[:at]


_NUMBERED = re.compile(r"^(?:id|n|no|nr|num(?:ero)?|ref(?:erence)?|identifiant|identifier|number|key|cle)$")


def _numbered(looked: Looked) -> list[str]:
    """Return the column that numbers the rows of a list, where every row has a number of its own."""
    for name in looked.names:
        if not _NUMBERED.match(re.sub(r"[^a-z]", "", _bare(name))) or not looked.is_unique([name]):
            continue
        rows = [
            row for row in looked.data if not any(_TOTAL.search(cell_text(cell)) for cell in row.values())
        ]
        if all(cell_text(row.get(name)) for row in rows):
            return [name]
    return []


def _write(draft: Draft, looked: Looked) -> str:
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
        f"record = {_toml(draft.kind)}" + (f"            # {draft.guessed}" if draft.guessed else ""),
    ]
    if path.suffix.lower() in tables.TEXT:
        out.append(f"encoding = {_toml(tables.detect_encoding(path))}")
        out.append(f"delimiter = {_toml(looked.delimiter)}")
    out.append(f"header_row = {looked.header + 1}")
    out += draft.top
    out += _drops(draft, looked)
    sparse = [
        name for name in looked.names if looked.data and 0 < len(looked.values(name)) < len(looked.data) * 0.6
    ]
    named = {draft.used.get(field) for field in _NAMING}
    groups = [name for name in sparse if name in named and cell_text(looked.data[0].get(name))]
    if groups:
        out.append(f"# carry_down = {_toml(groups)}" + _remark(tr("if an empty cell means 'as above'")))
    if any(_decimal(looked, name) for name in looked.names):
        out.append('decimal = ","')
    out.append(
        'snapshot = "full"'
        + _remark(tr('a row that leaves the file is deleted; "delta": files only add and change'))
    )
    if draft.key:
        out.append(f"key = {_toml(draft.key)}")
    else:
        names = ("account_id", "container_id", "project_code", "task_id", "ref", "day", "month")
        naming = [draft.used[one] for one in names if one in draft.used]
        naming = naming if looked.is_unique(naming) else []
        out.append(
            f"# key = {_toml(naming or ['…'])}"
            + _remark(tr("if these columns name a row for ever: then edits are seen as edits"))
        )
    out += ["", "[fields]", *(f"{field} = {text}" for field, text in draft.fields.items())]
    out += [f"# {doubt}" for doubt in draft.doubts]
    for field in _lacking(draft):
        needed = tr('needed: name its column, or { value = "…" }')
        out.append(f'# {field} = "…"     {_remark(needed)}')
    for side in ("account", "container"):
        if facts := getattr(draft, side):
            out += ["", f"[{side}]", *(f"{name} = {_toml(column)}" for name, column in facts.items())]
    used = {*draft.used.values(), *draft.account.values(), *draft.container.values(), *draft.pivot}
    left = [name for name in looked.names if name not in used and not name.startswith("#")]
    if left:
        out.append("# " + tr("columns not used: {names}", names=", ".join(left)))
    return "\n".join(out) + "\n"


def _lacking(draft: Draft) -> list[str]:
    free = {"finish_on"} if any("unpivot" in line and "per =" in line for line in draft.top) else set()
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
    keys = [draft.used[one] for one in _NAMING if one in draft.used]
    totals = [
        (name, row)
        for row in looked.data
        for name in looked.names
        if name not in draft.pivot and _TOTAL.search(cell_text(row.get(name)))
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
                f"drop = [{{ column = {_toml(name)}, matches = {_toml(_SUMS)}, "
                f"empty = {_toml(empty)} }}]" + _remark(tr("rows of sums"))
            )
            break
    if not out and (sums := [(name, row) for name, row in totals if _is_sum(draft, looked, row)]):
        name, row = sums[0]
        exact = re.escape(cell_text(row[name]))
        out.append(
            f"drop = [{{ column = {_toml(name)}, matches = {_toml(f'^{exact}$')} }}]"
            + _remark(tr("it is the sum of the others"))
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
    return out


def _is_sum(draft: Draft, looked: Looked, row: dict[str, Any]) -> bool:
    """Say whether every number of a row is the sum of its column's others."""
    columns = draft.pivot or [draft.used[one] for one in ("seconds", "amount_minor") if one in draft.used]
    checked = False
    for name in columns:
        mine = _number(row.get(name))
        if mine is None:
            continue
        others = sum(_number(one.get(name)) or 0 for one in looked.data if one is not row)
        if abs(others - mine) > 0.01:
            return False
        checked = True
    return checked and len(looked.data) > 2


def _remark(text: str) -> str:
    """Return a comment behind a line."""
    return f"   # {text}"


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
