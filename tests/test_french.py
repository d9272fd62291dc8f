"""What people read is in the language spoken: seen by speaking one that is made of other letters."""

from __future__ import annotations

import getpass
import re
from collections.abc import Callable
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import pytest

from hub import words
from hub.feed import catalogue
from hub.testing import HubResult
from hub.version import release

Run = Callable[..., HubResult]
WIDE = {ord(c): ord(c) + 0xFEE0 for c in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"}
AS_IT_IS = re.compile(r"(\{[^{}]*\}|`[^`]*`|\[[^\[\]]*\]|--[a-z-]+)")
"""Parts of a template that are the same in every language: values, commands, sections, options."""
NUMBER = re.compile(r"\{(\w+):([^{}|]*)\|([^{}]*)\}")
"""A value that only chooses between two words."""
CODE = re.compile(r"`[^`]*`|\[[^\]]*\]|\S*[/\\_.=@:-]\S*|\d+\S*")
"""What a line shows of commands, files, keys, stamps and versions."""
NAMES = {
    "hours", "config", "office", "files", "hub", "Python", "SQLite", "linux", "darwin", "win", "CEST", "CET",
    "UTC", "OPTIONS", "ARGS", "COMMAND", "SOURCE", "PLACE", "JSON", "worklog", "account", "container", "day",
    "seconds", "run", "doctor", "help", "Europe", "Paris", "copil", "python", "store", "restore", "sync",
    "source", *catalogue(), getpass.getuser(),
}  # fmt: skip
"""Names of sources, kinds, tables, columns, KPIs and programs, which are no words of a language."""
HUB = """lang = "fr"
store = "sqlite:///data/hub.db"
feed = "data/feed"

[sources.hours]
kind = "tabular"
path = "hours/*.csv"
mapping = "mappings/hours.toml"

[destinations.office]
kind = "files"
path = "out"
formats = ["csv"]

[schedule]
run = "0 6 * * 1-5"
tz = "Europe/Paris"
"""
MAPPING = """record = "worklog"
key = ["α"]

[fields]
account_id = "β"
container_id = "γ"
day = "δ"
seconds = { column = "ε", unit = "hours" }
"""
ASKED = [
    ["check"], ["run"], ["status", "--runs", "2"], ["rejections"], ["presence"], ["store", "verify"],
    ["schedule", "list"], ["cut", "take", "--label", "ΑΒ"], ["cut", "list"], ["cut", "close", "ΓΔ"],
    ["close", "--list"], ["close", "2026-13"], ["sync", "νο"], ["sync", "--jobs", "ξ"],
    ["publish", "--as-of", "ξ"], ["store", "restore", "ξ"], ["match", "accept", "ξ"],
    ["privacy", "erase", "Ξ", "--yes"], ["kpi", "--kpi", "Ξ"], ["ξ"], ["doctor", "--offline"],
]  # fmt: skip


def packages() -> set[str]:
    """Return the names of plugins and of their extras, which `hub doctor` lists."""
    ours = [one for one in distributions() if (one.metadata["Name"] or "").startswith("pm-hub")]
    extras = {extra for one in ours for extra in one.metadata.get_all("Provides-Extra") or ()}
    return {word for name in (*extras, *(one.metadata["Name"] for one in ours)) for word in name.split("-")}


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let French be written in letters of double width, where it has a translation."""
    real = words._translated

    def translated(asked: Any, otherwise: str) -> str:
        found = real(asked, None)  # type: ignore[arg-type]
        if found is None:
            return otherwise
        wide = "".join(
            part if number % 2 else part.translate(WIDE) for number, part in enumerate(AS_IT_IS.split(found))
        )
        return NUMBER.sub(lambda one: f"{{{one[1]}:{one[2].translate(WIDE)}|{one[3].translate(WIDE)}}}", wide)

    monkeypatch.setattr(words, "_translated", translated)


@pytest.fixture
def place(hub_folder: Path) -> Path:
    """Return a place whose data has no Latin letter, and a row that cannot be taken."""
    for name, text in {
        "config/hub.toml": HUB,
        "config/projects.csv": "code,name,level\nΠ,Πρ,project\n",
        "config/project_links.csv": "project_code,source,container,facets\nΠ,hours,Π,actuals\n",
        "mappings/hours.toml": MAPPING,
        "hours/ω.csv": "α,β,γ,δ,ε\n1,Ανν,Π,2026-10-05,7\n2,Βοβ,Π,2026-10-06,πολυ\n3,Βοβ,Π,2026-10-07,3\n",
    }.items():
        (hub_folder / name).parent.mkdir(parents=True, exist_ok=True)
        (hub_folder / name).write_text(text, encoding="utf-8")
    return hub_folder


def test_no_english_is_left(place: Path, run_hub: Run, wide: None) -> None:
    """Of whatever a command says, errors and rejections too, no Latin word is left but names."""
    left: dict[str, set[str]] = {}
    names = NAMES | packages()
    for command in ASKED:
        said = run_hub(*command)
        for line in (said.output + said.error).replace(release(), "").splitlines():
            found = {one for one in re.findall(r"[A-Za-z]{3,}", CODE.sub(" ", line)) if one not in names}
            if found:
                left.setdefault(" ".join(command), set()).update(found)

    assert {} == left
