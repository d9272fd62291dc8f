"""Offer sources for the tables of a folder: files that are read alike are one source, with a mapping."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec

from hub import ConfigError, HubError, Suggestion, mark, tr
from hub_tabular.mapping import Mapping, check_mapping
from hub_tabular.sheets import SUFFIXES
from hub_tabular.suggest import suggest_mapping

_NAMES = {
    "worklog": ("hours", mark("hours of people")),
    "budget_line": ("budget", mark("lines of budgets")),
    "register_item": ("risks", mark("risks, issues, actions and decisions")),
    "task": ("tasks", mark("tasks")),
    "allocation": ("load", mark("planned work of people")),
    "checklist_item": ("checklists", mark("lines of checklists")),
    "account": ("accounts", mark("people")),
}


def suggestions(folder: Path, files: list[Path]) -> list[Suggestion]:
    """Return a source for each way in which tables among *files* are read, folder by folder."""
    alike: dict[tuple[Path, str, str], list[Path]] = {}
    texts: dict[tuple[Path, str, str], str] = {}
    for path in files:
        if path.suffix.lower() not in SUFFIXES:
            continue
        try:
            text = suggest_mapping(path)
            mapping = msgspec.convert(tomllib.loads(text), Mapping)
            check_mapping(mapping, path.name)
        except (HubError, ConfigError, msgspec.ValidationError, tomllib.TOMLDecodeError):
            continue  # what is no table, or lacks what a record needs, is named as not read
        key = (path.parent, path.suffix.lower(), repr(mapping))
        alike.setdefault(key, []).append(path)
        texts.setdefault(key, text)
    found: list[Suggestion] = []
    taken: set[str] = set()
    records = {key: msgspec.convert(tomllib.loads(text), Mapping).record for key, text in texts.items()}
    for key, paths in alike.items():
        record = records[key]
        name, says = _NAMES.get(record, (record, record))
        # of several kinds of one thing each is called like its file
        alone = list(records.values()).count(record) == 1
        name = _free(name if alone else _slug(paths[0].stem) or name, taken)
        parent, suffix, _ = key
        several = len(paths) > 1 and len(
            [one for one in parent.iterdir() if one.suffix.lower() == suffix]
        ) == len(paths)
        groups = [paths] if several or len(paths) == 1 else [[one] for one in paths]
        for number, group in enumerate(groups):
            own = name if number == 0 else _free(name, taken)
            place = parent.relative_to(folder)
            path = place / (f"*{suffix}" if len(group) > 1 else group[0].name)
            found.append(
                Suggestion(
                    name=own, kind="tabular", files=tuple(group), says=tr(says),
                    settings={"path": path.as_posix(), "mapping": f"mappings/{own}.toml"},
                    writes={f"mappings/{own}.toml": texts[key]},
                )
            )  # fmt: skip
    return found


def _slug(text: str) -> str:
    """Return a name for a source made of a file's."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-0123456789")[:24].strip("-")


def _free(name: str, taken: set[str]) -> str:
    """Return *name*, with a number where another source has it."""
    found, number = name, 2
    while found in taken:
        found, number = f"{name}{number}", number + 1
    taken.add(found)
    return found
