"""The PowerShell twin of a command that a page shows for a shell: one rule, whose reach a test holds."""

from __future__ import annotations

import re
from pathlib import Path

SHOWN = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
_SETS = re.compile(r"^((?:[A-Z_]+=\S+ )+)(.*)$")
_SERVED = re.compile(r"(?<=[ =])/srv((?:/[\w.-]+)+)/?")
_FOREIGN = re.compile(r"&&|\|\||\$\(|<<|\\$|(?<![\w-])(?:export|sudo|chmod|cat|sed|grep|eval|rm|cp|mv)\s")
_INSTEAD = {
    "make demo": ".venv\\Scripts\\hub demo --out demo",
    "make test": ".venv\\Scripts\\nox -s tests",
    "sh container/prepare.sh": "wsl sh container/prepare.sh",
}
"""Where there is neither make nor a shell of Unix."""


def commands(text: str) -> list[str]:
    """Return the commands that a page shows for a shell, without their comments."""
    lines = [line for block in SHOWN.findall(text) for line in block.splitlines()]
    return [told for line in lines if (told := re.sub(r"(^|\s\s+)#.*$", "", line).strip())]


def twin(command: str) -> str:
    """Return *command* as PowerShell takes it; itself, where it does so already.

    What a command writes goes through UTF-8: PowerShell 5.1 would read it by the console's code page and
    write UTF-16. Raises ValueError for what only a shell of Unix has.
    """
    if command in _INSTEAD:
        return _INSTEAD[command]
    if command.startswith(("make ", "sh ")) or _FOREIGN.search(command):
        raise ValueError(f"{command!r} is for a shell of Unix only: write it otherwise")
    sets, rest = "", command
    if found := _SETS.match(command):
        pairs = [one.partition("=") for one in found[1].split()]
        sets, rest = "".join(f'$env:{name} = "{value}"; ' for name, _, value in pairs), found[2]
    rest = rest.replace(".venv/bin/", ".venv\\Scripts\\")
    rest = _SERVED.sub(lambda found: "D:" + found[1].replace("/", "\\"), rest)
    shown, writes, file = rest.partition(" > ")
    if writes:
        sets += '$env:PYTHONUTF8 = "1"; [Console]::OutputEncoding = [Text.Encoding]::UTF8; '
        rest = f"{shown} | Set-Content -Encoding utf8 {file}"
    return sets + rest


def table(root: Path, pages: list[str], heads: tuple[str, str]) -> str:
    """Return a table of the commands of *pages* that PowerShell takes otherwise, with their twins."""
    told = {one: twin(one) for page in pages for one in commands((root / page).read_text(encoding="utf-8"))}
    rows = [(one, other) for one, other in told.items() if one != other]
    lines = [" | ".join(f"`{one}`".replace("|", "\\|") for one in row) for row in rows]
    return "\n".join([f"| {heads[0]} | {heads[1]} |", "|---|---|", *(f"| {line} |" for line in lines)])
