"""What both pages of the first portfolio are made with: a folder of files, and the commands really run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

MADE = Path(__file__).parent
FILES = ("website.xml", "staffing-2026.csv", "budget-2026.csv", "risks.csv", "toggl.csv", "kimai.csv")
NOW = "2026-10-31T08:00:00Z"


class Page:
    """A portfolio being made, in one language."""

    def __init__(self, lang: str) -> None:
        """Lay the files into an empty folder."""
        self.lang = lang
        self.work = Path(tempfile.mkdtemp())
        (self.work / "files").mkdir()
        for name in FILES:
            shutil.copy(MADE / name, self.work / "files" / name)

    def hub(self, *arguments: str) -> str:
        """Run a command and return what it says, without its progress."""
        code = "import sys; from hub.cli import main; sys.exit(main())"
        done = subprocess.run(
            [sys.executable, "-c", code, "--now", NOW, *arguments], cwd=self.work, capture_output=True,
            encoding="utf-8", check=False,
            env=os.environ | {"COLUMNS": "120", "PYTHONIOENCODING": "utf-8", "PM_HUB_LANG": self.lang},
        )  # fmt: skip
        erred = re.sub(r"(?m)^[a-z0-9]+\s?: (started|commencé|[a-zé]+, .* (read|lus?))\n", "", done.stderr)
        return self.calm(done.stdout + erred)

    def calm(self, text: str) -> str:
        """Leave out what differs from one run to the next: durations, the feed's own name, the folder."""
        text = text.replace(str(self.work) + os.sep, "")
        text = re.sub(r"\d{8}T\d{6}Z-[0-9a-f]{6}", "20261031T080000Z-1a2b3c", text)
        lines, edge = [], None
        for line in text.splitlines():
            if line.startswith("source") and line.rstrip().endswith(("time", "durée")):
                edge = line.rstrip().rindex("  ")
            elif edge is not None and not line.rstrip().endswith(" s"):
                edge = None
            lines.append(line[:edge].rstrip())
        return "\n".join(lines)

    def show(self, *commands: tuple[str, ...]) -> str:
        """Run commands and return the transcript."""
        said = []
        for command in commands:
            quoted = " ".join(f'"{one}"' if " " in one else one for one in command)
            said.append(f"$ hub {quoted}\n{self.hub(*command)}".rstrip())
        return "```console\n" + "\n".join(said) + "\n```"

    def file(self, name: str, form: str = "text") -> str:
        """Return a file of the portfolio as it stands."""
        text = (self.work / name).read_text(encoding="utf-8-sig").rstrip()
        return f"`{name}`:\n\n```{form}\n{text}\n```"

    def edit(self, name: str, *changes: tuple[str, str]) -> str:
        """Change texts of a file, as a person would, and return it."""
        path = self.work / name
        text = path.read_text(encoding="utf-8-sig")
        for before, after in changes:
            if before not in text:
                raise ValueError(f"{name} has no {before!r}")
            text = text.replace(before, after)
        path.write_text(text, encoding="utf-8-sig")
        return self.file(name)
