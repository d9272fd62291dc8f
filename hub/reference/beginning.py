"""The first projects, people and statuses of a portfolio, written from what was read, to correct in Excel."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from typing import Any

from hub.files import safe_cell
from hub.placement import fold
from hub.words import tr

_CODE = re.compile(r"[^A-Z0-9]+")
_MEANT = {
    "todo": (
        "new", "open", "to do", "todo", "backlog", "not started", "planned", "to be started", "proposed",
        "draft", "ready", "selected for development", "reopened",
        "nouveau", "nouvelle", "ouvert", "ouverte", "à faire", "non démarré", "non démarrée", "non commencé",
        "non commencée", "pas commencé", "pas commencée", "planifié", "planifiée", "prévu", "prévue",
        "à planifier", "à démarrer", "brouillon", "rouvert", "rouverte",
    ),
    "in_progress": (
        "in progress", "doing", "started", "ongoing", "wip", "work in progress", "in development",
        "in review", "review", "in test", "testing", "uat", "feedback", "blocked",
        "en cours", "commencé", "commencée", "démarré", "démarrée", "en développement", "en réalisation",
        "en revue", "en relecture", "en test", "en recette", "recette", "à valider", "commentaire", "bloqué",
        "bloquée",
    ),
    "done": (
        "done", "closed", "resolved", "complete", "completed", "finished", "delivered",
        "terminé", "terminée", "fermé", "fermée", "clos", "close", "clôturé", "clôturée", "résolu", "résolue",
        "fini", "finie", "fait", "faite", "livré", "livrée", "réalisé", "réalisée", "achevé", "achevée",
    ),
    "cancelled": (
        "cancelled", "canceled", "rejected", "declined", "abandoned", "won't do", "won't fix", "duplicate",
        "obsolete", "invalid",
        "annulé", "annulée", "abandonné", "abandonnée", "rejeté", "rejetée", "refusé", "refusée", "doublon",
        "sans suite", "obsolète",
    ),
}  # fmt: skip
"""The statuses that tools have as they are installed, and those that people name alike.

A person looks at each line that is written of them; what stands here for two things (on hold) is left open.
"""


def beginnings(read: Mapping[str, Iterable[Mapping[str, Any]]]) -> dict[str, str]:
    """Return the texts of projects.csv, project_links.csv, people.csv, accounts.csv and statuses.csv.

    *read* holds ``containers`` (source_id, id, code, name), ``accounts`` (source_id, id, display_name, email,
    employee_no, login), ``codes``, the project codes that budgets and registers name, and ``statuses``
    (source_id, status_raw) that no tool has a category for. Containers of one code or name are one project;
    accounts of one e-mail, number or name are one person. A file that nothing was read for is left out.
    """
    projects, links = _projects(read["containers"], [row["code"] for row in read["codes"]])
    found = {}
    if projects:
        found["projects.csv"] = _text(
            ("code", "name", "level", "parent_code", "state"),
            tr("written from what was read: two lines that are one project get one code, in both files"),
            [(code, name, "project", "", "active") for code, name in projects.items()],
        )
    if links:
        found["project_links.csv"] = _text(
            ("project_code", "source", "container", "filter", "facets"),
            tr("which container feeds which project; facets are chosen by themselves where none are said"),
            [(code, source, container, "", "") for code, source, container in links],
        )
    people, of_account = _people(read["accounts"])
    if people:
        found["people.csv"] = _text(
            ("name", "email", "employee_no", "login", "team"),
            tr("written from what was read: add the teams, and take away who is no person"),
            [
                (one["display_name"] or one["email"] or one["login"], one["email"], one["employee_no"],
                 one["login"], "")
                for one in people
            ],
        )  # fmt: skip
    # a name alone only proposes a person: here somebody is asked to look at it, once
    named = [one for one in read["accounts"] if one["id"] in of_account and not _numbers(one)]
    if named:
        found["accounts.csv"] = _text(
            ("source", "account", "email", "person"),
            tr("written from what was read: who is known by a name alone, and the person it is"),
            [
                (one["source_id"], one["id"].partition(":")[2], "", _key(of_account[one["id"]]))
                for one in named
            ],
        )
    if statuses := _statuses(read["statuses"]):
        found["statuses.csv"] = _text(
            ("source", "container", "status", "category", "stage"),
            tr("written from what was read: what each status means; todo, in_progress, done or cancelled"),
            [(source, "*", status, category, "") for source, status, category in statuses],
        )
    return found


def _statuses(rows: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]:
    """Return source, status and what it seems to mean: each status once, however it is written."""
    means = {_plain(word): category for category, words in _MEANT.items() for word in words}
    named = {(row["source_id"], _word(row["status_raw"])): row["status_raw"] for row in rows}
    return sorted((source, raw, means.get(_plain(raw), "")) for (source, _), raw in named.items())


def _plain(text: str) -> str:
    """Return a word without its accents and signs: *Terminée*, *terminee* and *in-progress* are found."""
    letters = unicodedata.normalize("NFKD", _word(text))
    return " ".join(re.findall(r"\w+", "".join(one for one in letters if not unicodedata.combining(one))))


def _key(person: Mapping[str, str]) -> str:
    """Return by what a line of people.csv is named elsewhere."""
    return person["employee_no"] or person["email"] or person["display_name"]


def _numbers(account: Mapping[str, Any]) -> bool:
    """Say whether an account has what recognises it by itself."""
    return any(account[name] for name in ("email", "employee_no", "login"))


def _projects(
    containers: Iterable[Mapping[str, Any]], codes: Iterable[str]
) -> tuple[dict[str, str], list[tuple[str, str, str]]]:
    names: dict[str, str] = {}
    by_word: dict[str, str] = {}
    links = []
    for code in codes:
        names.setdefault(code, code)
        by_word.setdefault(_word(code), code)
    # what has a code of its own gives it to what is only called alike
    for one in sorted(containers, key=lambda one: not one["code"]):
        words = [word for text in (one["code"], one["name"]) if (word := _word(text))]
        known = [by_word[word] for word in words if word in by_word]
        code = known[0] if known else _free(one["code"] or one["name"], names)
        if names.get(code, code) == code and one["name"]:
            names[code] = one["name"]
        names.setdefault(code, one["name"] or code)
        for word in words:
            by_word.setdefault(word, code)
        links.append((code, one["source_id"], one["code"] or one["name"]))
    return names, links


def _word(text: str | None) -> str:
    """Return a name as it is compared with others."""
    return " ".join((fold(text) or "").split())


def _free(text: str, taken: Mapping[str, str]) -> str:
    """Return a code made of *text* that no other project has."""
    word = _CODE.sub("-", (fold(text) or "").upper()).strip("-")[:24] or "P"
    code, number = word, 2
    while code in taken:
        code, number = f"{word}-{number}", number + 1
    return code


def _people(
    accounts: Iterable[Mapping[str, Any]],
) -> tuple[list[dict[str, str]], dict[str, dict[str, str]]]:
    """Return the people, and which of them each account is."""
    found: list[dict[str, str]] = []
    of_account: dict[str, dict[str, str]] = {}
    by_word: dict[tuple[str, str], dict[str, str]] = {}
    for one in accounts:
        said = {name: one[name] or "" for name in ("display_name", "email", "employee_no", "login")}
        words = [(name, word) for name, text in said.items() if (word := _word(text))]
        if not words:
            continue
        person = next((by_word[word] for word in words if word in by_word), None)
        if person is None:
            found.append(person := dict.fromkeys(said, ""))
        for name, text in said.items():
            person[name] = person[name] or text
        by_word.update(dict.fromkeys(words, person))
        of_account[one["id"]] = person
    return found, of_account


def _text(head: tuple[str, ...], comment: str, rows: Iterable[tuple[str, ...]]) -> str:
    out = io.StringIO()
    write = csv.writer(out, delimiter=";", lineterminator="\n").writerow
    write(head)
    out.write(f"# {comment}\n")
    for row in rows:
        write([safe_cell(text) for text in row])
    return out.getvalue()
