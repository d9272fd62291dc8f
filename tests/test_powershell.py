"""What pages show for a shell, as PowerShell takes it (docs/powershell.py)."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

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
