"""What both pages of the first portfolio are made with: a folder of files, and the commands really run."""

from __future__ import annotations

import shutil
from pathlib import Path

from transcript import Transcript

MADE = Path(__file__).parent
FILES = ("website.xml", "staffing-2026.csv", "budget-2026.csv", "risks.csv", "toggl.csv", "kimai.csv")
NOW = "2026-10-31T08:00:00Z"


class Page(Transcript):
    """A portfolio being made, in one language."""

    def __init__(self, lang: str) -> None:
        """Lay the files into an empty folder."""
        super().__init__(lang, NOW)
        (self.work / "files").mkdir()
        for name in FILES:
            shutil.copy(MADE / name, self.work / "files" / name)

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
