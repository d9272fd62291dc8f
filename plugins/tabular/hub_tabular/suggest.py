"""Write a first mapping for a file: where its headers are, what its columns look like, what they may mean."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

from hub import BY_TABLE, ConfigError, SourceDataError, cell_text, tr
from hub_tabular import tables

_LOOK = 60
# words of headers, French and English, without accents: the first field that fits and is free takes the
# column
_WORDS: dict[str, dict[str, str]] = {
    "worklog": {
        "day": r"\bdate\b|\bjour\b|\bday\b",
        "seconds": r"heures?|hours?|temps|time|duree|duration|jh|jours|days|charge|qte",
        "account_id": r"matricule|login|employee|collaborateur|personne|person|ressource|resource|user"
        r"|utilisateur|nom|name",
        "container_id": r"projet|project|code|affaire|imputation",
        "task_id": r"ticket|issue|demande|tache|task",
        "category": r"nature|categorie|category|type", "billable": r"facturable|billable",
        "approval": r"statut|status|valid|approv",
    },
    "budget_line": {
        "amount_minor": r"montant|amount|budget|cout|cost", "month": r"mois|month|periode|period",
        "project_code": r"projet|project|code|affaire", "kind": r"type|nature|kind",
        "category": r"categorie|category|poste",
        "currency": r"devise|currency", "is_capex": r"capex|investissement",
    },
    "register_item": {
        "title": r"libelle|titre|title|description|intitule|risque|risk",
        "project_code": r"projet|project|code", "kind": r"type|kind",
        "state": r"statut|etat|status|state", "probability": r"proba", "impact": r"impact|gravite|severity",
        "exposure_minor": r"exposition|exposure|montant", "owner_id": r"responsable|porteur|owner",
        "due_on": r"echeance|due",
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
        "account_id": r"ressource|resource|personne|person|collaborateur|matricule",
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
_DATES = ("%Y-%m-%d", "%d/%m/%Y", "%d/%m/%y", "%d.%m.%Y", "%Y/%m/%d", "%m/%d/%Y", "%d-%m-%Y")


def suggest_mapping(path: Path, *, sheet: str | None = None, record: str | None = None) -> str:
    """Return the text of a mapping for *path*; guesses are marked, and what is missing is said.

    Raises `ConfigError` for an unknown *record*, `SourceDataError` for a file without a row of headers.
    """
    if path.suffix.lower() not in tables.SUFFIXES:
        raise ConfigError(
            tr(
                "{name}: files of type {suffix} are not read; known: {suffixes}.",
                name=path.name,
                suffix=path.suffix or tr("(none)"),
                suffixes=", ".join(tables.SUFFIXES),
            )
        )
    if record is not None and record not in _WORDS:
        raise ConfigError(
            tr(
                "--record {record}: a mapping can be suggested for {words}.",
                record=record,
                words=", ".join(_WORDS),
            )
        )
    rows = []
    for cells in tables.grid(path, sheet=sheet if sheet is not None else 0):
        rows.append(cells)
        if len(rows) >= _LOOK:
            break
    header = _header_row(rows)
    if header is None:
        raise SourceDataError(
            tr(
                "{name}: no row looks like headers (several short texts, all different) in the first "
                "{look} rows.",
                name=path.name,
                look=_LOOK,
            )
        )
    names = tables.headers(rows[header])
    data = [
        dict(zip(names, cells, strict=False))
        for cells in rows[header + 1 :]
        if any(cell_text(cell) for cell in cells)
    ]
    kind = record or max(_WORDS, key=lambda one: _fit(one, names))
    return _write(path, kind, names, header, data, sheet=sheet, guessed=record is None)


def _header_row(rows: list[list[Any]]) -> int | None:
    best, score = None, 1.0
    for number, cells in enumerate(rows[:30]):
        texts = [cell_text(cell) for cell in cells if cell_text(cell)]
        words = [text for text in texts if re.search(r"[^\W\d]", text) and len(text) < 60]
        if len(words) < 2 or len(set(texts)) < len(texts) or len(words) < len(texts) * 0.8:
            continue
        below = sum(bool(cell_text(cell)) for cell in (rows[number + 1] if number + 1 < len(rows) else []))
        value = len(words) + 0.5 * min(below, len(words))
        if value > score:
            best, score = number, value
    return best


def _bare(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))


def _assign(kind: str, names: list[str]) -> dict[str, str]:
    taken: dict[str, str] = {}
    for field, words in _WORDS[kind].items():
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


def _write(
    path: Path,
    kind: str,
    names: list[str],
    header: int,
    data: list[dict[str, Any]],
    *,
    sheet: str | None,
    guessed: bool,
) -> str:
    found = _assign(kind, names)
    out = [
        (
            f"# A first mapping for {path.name}, to be checked line by line; "
            "`hub check` reads it and says what is wrong."
        ),
        f"record = {_toml(kind)}" + ("            # guessed from the headers" if guessed else ""),
    ]
    if path.suffix.lower() in tables.TEXT:
        encoding = tables.detect_encoding(path)
        out.append(f"encoding = {_toml(encoding)}")
        with path.open(encoding=encoding, newline="") as file:
            out.append(f"delimiter = {_toml(tables.detect_delimiter(file.read(65536)))}")
    elif sheet:
        out.append(f"sheet = {_toml(sheet)}")
    out.append(f"header_row = {header + 1}")
    if any(
        re.match(r"(?i)(somme|total|sous-total|subtotal)\b", cell_text(value))
        for row in data
        for value in row.values()
    ):
        out.append('drop = [{ matches = "(?i)^(somme|total|sous-total|subtotal)\\\\b" }]   # rows of sums')
    sparse = [
        name
        for name in names
        if data and 0 < sum(bool(cell_text(row.get(name))) for row in data) < len(data) * 0.6
    ]
    groups = [name for name in sparse if name in found.values() and data and cell_text(data[0].get(name))]
    if groups:
        out.append(f"# carry_down = {_toml(groups)}   # if an empty cell means 'as above'")
    if any(
        re.search(r"\d,\d", cell_text(value))
        for row in data
        for value in row.values()
        if isinstance(value, str)
    ):
        out.append('decimal = ","')
    out.append(
        'snapshot = "full"   # a row that leaves the file is deleted; "delta": files only add and change'
    )
    naming = [
        found[f]
        for f in ("account_id", "container_id", "project_code", "task_id", "ref", "day", "month")
        if f in found
    ]
    out.append(
        f"# key = {_toml(naming or ['…'])}   # if these columns name a row for ever: "
        "then edits are seen as edits"
    )
    out.append("")
    out.append("[fields]")
    for field, name in found.items():
        out.append(f"{field} = {_field(kind, field, name, data)}")
    required = [f for f in BY_TABLE[kind].__struct_fields__[1:] if f in _required(kind) and f not in found]
    for field in required:
        out.append(f'# {field} = "…"        # needed: name its column, or {{ value = "…" }}')
    names_of = {"account_id": "account", "container_id": "container"}
    for field, side in names_of.items():
        word = r"nom|name" if side == "account" else r"libelle|intitule|nom du projet|project name"
        label = next((n for n in names if n not in found.values() and re.search(word, _bare(n))), None)
        if field in found and label:
            out += ["", f"[{side}]", f"{'display_name' if side == 'account' else 'name'} = {_toml(label)}"]
            found[f"{side} name"] = label
    left = [name for name in names if name not in found.values() and not name.startswith("#")]
    if left:
        out.append(f"# columns not used: {', '.join(left)}")
    return "\n".join(out) + "\n"


def _required(kind: str) -> set[str]:
    cls = BY_TABLE[kind]
    return set(cls.__struct_fields__[: len(cls.__struct_fields__)]) - set(_optional(cls)) - {"id"}


def _optional(cls: Any) -> list[str]:
    import msgspec

    return [field.name for field in msgspec.structs.fields(cls) if not field.required]


def _field(kind: str, field: str, name: str, data: list[dict[str, Any]]) -> str:
    values = [row.get(name) for row in data if cell_text(row.get(name))]
    parts = [f"column = {_toml(name)}"]
    if field.endswith("_on") or field == "day":
        if (
            values
            and not tables.looks_like_date(values[0])
            and (pattern := _date_format([cell_text(v) for v in values]))
        ):
            parts.append(f"format = {_toml(pattern)}")
    elif field == "seconds" or field.endswith("_s"):
        days = re.search(r"\b(jh|jours?|days?|charge|j)\b", _bare(name))
        parts.append(f'unit = "{"days" if days else "hours"}"')
    elif _choices(kind, field):
        seen = list(dict.fromkeys(cell_text(value) for value in values))[:12]
        if seen:
            known = _choices(kind, field)
            pairs = ", ".join(f"{_toml(text)} = {_toml(_guess(text, known))}" for text in seen)
            parts.append(f"values = {{ {pairs} }}")
    return f"{{ {', '.join(parts)} }}" if len(parts) > 1 else _toml(name)


def _choices(kind: str, field: str) -> tuple[str, ...]:
    from typing import get_type_hints

    from hub_tabular.mapping import _choices as choices

    return choices(get_type_hints(BY_TABLE[kind])[field])


_GUESSES = {
    "absence": r"cong|abs|rtt|malad|leave", "internal": r"intern|structure|formation|run",
    "approved": r"valid|appro",
    "rejected": r"rej|refus", "submitted": r"soumis|submit|attente", "draft": r"brouillon|draft|saisi",
    "closed": r"clos|ferm|termin|done", "open": r"ouvert|cours|open", "cancelled": r"annul|aband|cancel",
    "risk": r"risq|risk", "action": r"action", "decision": r"decis", "issue": r"probl|issue|incident",
    "revised": r"revis", "committed": r"engag|commit", "consumed": r"consom|reel|actual|spent|factur",
    "forecast": r"prev|forecast|atterr", "baseline": r"initial|budget|baseline|vote",
    "ok": r"^(ok|oui|conforme)", "nok": r"^(nok|ko|non)",
    "na": r"n/?a|sans objet", "todo": r"faire|todo", "project": r"proj",
}  # fmt: skip


def _guess(text: str, known: tuple[str, ...]) -> str:
    for value, words in _GUESSES.items():
        if value in known and re.search(words, _bare(text)):
            return value
    return known[0]


def _date_format(values: list[str]) -> str | None:
    from datetime import datetime

    for pattern in _DATES:
        try:
            for value in values:
                datetime.strptime(value, pattern)
        except ValueError:
            continue
        return pattern
    return None


def _toml(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
