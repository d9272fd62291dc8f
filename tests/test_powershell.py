"""What pages show for a shell, as PowerShell takes it (docs/powershell.py)."""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGES = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("plugins/*/README.md")]
MAKERS = {"CONTRIBUTING.md", "CHANGELOG.md"}
"""Pages for those who carry it on: nox is make's twin there."""
UTF8 = '$env:PYTHONUTF8 = "1"; [Console]::OutputEncoding = [Text.Encoding]::UTF8; '


@pytest.fixture(scope="module")
def powershell() -> Iterator[ModuleType]:
    """Return the rule, which lies with the pages."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(ROOT / "docs"))
        yield importlib.import_module("powershell")


@pytest.mark.parametrize(
    ("shown", "twin"),
    [
        ("hub run", "hub run"),
        (".venv/bin/hub check", r".venv\Scripts\hub check"),
        ("PM_HUB_LANG=fr hub status", '$env:PM_HUB_LANG = "fr"; hub status'),
        ("hub store restore /srv/backup/a --to /srv/b", r"hub store restore D:\backup\a --to D:\b"),
        ("hub config schema > a.json", f"{UTF8}hub config schema | Set-Content -Encoding utf8 a.json"),
    ],
)
def test_a_command_in_powershell(powershell: ModuleType, shown: str, twin: str) -> None:
    """Variables, folders and redirections are PowerShell's own."""
    assert twin == powershell.twin(shown)


@pytest.mark.parametrize(
    "shown",
    ["hub check && hub run", "cat data/hub.log", "sudo hub run", "make bench", "hub serve $(hostname)",
     "hub run \\"],
)  # fmt: skip
def test_what_only_a_shell_of_unix_has(powershell: ModuleType, shown: str) -> None:
    """It is refused, so that no page shows it."""
    with pytest.raises(ValueError, match="Unix only"):
        powershell.twin(shown)


def test_every_shown_command_has_a_twin(powershell: ModuleType) -> None:
    """Whatever a page for users shows for a shell, its reader finds for PowerShell in a table."""
    listed = {page for pages in importlib.import_module("operations").PAGES.values() for page in pages}
    for page in (path for path in PAGES if path.name not in MAKERS):
        told = powershell.commands(page.read_text(encoding="utf-8"))
        place = page.relative_to(ROOT).as_posix()

        assert not told or place in listed, f"{place}: add it to PAGES of docs/operations.py"
        assert all(powershell.twin(command) for command in told)


@pytest.fixture(scope="module")
def parser() -> Any:
    """Return a parser of PowerShell that shares nothing with the rule."""
    tree_sitter = pytest.importorskip("tree_sitter", reason="tree-sitter is not installed")
    grammar = pytest.importorskip("tree_sitter_powershell", reason="its grammar is not installed")
    return tree_sitter.Parser(tree_sitter.Language(grammar.language()))


def unread(parser: Any, text: str) -> list[str]:
    """Return what of *text* is no PowerShell."""
    found, left = [], [parser.parse(text.encode()).root_node]
    while left:
        node = left.pop()
        if node.is_error or node.is_missing:
            found.append(node.text.decode() or f"{node.type} is missing")
        left += node.children
    return found


@pytest.mark.parametrize("text", ["if (", '$env:A = "1', "hub | | b", "foreach ($a in) {"])
def test_the_parser_tells_what_is_no_powershell(parser: Any, text: str) -> None:
    """Else the next test says nothing."""
    assert unread(parser, text)


def test_what_pages_show_for_powershell_is_read_by_a_parser_of_it(
    powershell: ModuleType, parser: Any
) -> None:
    """Each twin of a command, and each block of PowerShell, is a program of it without a mistake."""
    wrong, read = [], 0
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        shown = re.findall(r"^[ \t]*```(?:powershell|pwsh|ps1)\b.*\n([\s\S]*?)^[ \t]*```", text, re.MULTILINE)
        if page.name not in MAKERS:
            shown += [powershell.twin(command) for command in powershell.commands(text)]
        read += len(shown)
        wrong += [(page.name, one, odd) for one in shown if (odd := unread(parser, one))]

    assert [] == wrong
    assert read > 50
