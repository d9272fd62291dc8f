"""What both pages of recipes are made with: a small place that is kept running."""

from __future__ import annotations

import os
import re
import sys
from datetime import datetime
from pathlib import Path

from transcript import Transcript, console

NOW = "2026-10-31T08:00:00Z"
PAGES = {
    "en": ["README.md", "docs/administrator.md", "docs/operations.md", "docs/first-connector.md",
           "docs/forecasts.md", "plugins/serve/README.md"],
    "fr": ["README.md", "docs/fr/administrateur.md", "docs/fr/exploitation.md", "docs/fr/previsions.md"],
}  # fmt: skip
"""Every page that shows a command for a shell, by language."""
_HUB = """environment = "production"
store = "sqlite:///data/hub.db"
feed = "data/feed"
lang = "{lang}"
metrics = "data/pm_hub.prom"

[sources.hours]
kind = "tabular"
path = "hours/*.csv"
mapping = "mappings/hours.toml"

[destinations.office]
kind = "files"
path = "out"
formats = ["csv"]

[privacy]
key = {{ file = "config/pseudonyms.key", expires = "2026-11-10" }}

[schedule]
run = "0 6 * * 1-5"
tz = "Europe/Paris"

[backup]
folder = "backups"
keep = 14
"""
_MAPPING = """record = "worklog"
key = ["no"]

[fields]
account_id = "who"
container_id = "project"
day = "day"
seconds = { column = "hours", unit = "hours" }
"""


class Page(Transcript):
    """A place with one source, one destination, a secret, a schedule and a folder of backups."""

    def __init__(self, lang: str) -> None:
        """Make the place, at one moment."""
        super().__init__(lang, NOW)
        files = {
            "config/hub.toml": _HUB.format(lang=lang),
            "config/pseudonyms.key": "a key that nobody else has\n",
            "config/projects.csv": "code,name,level\nWEB,Web site,project\n",
            "config/project_links.csv": "project_code,source,container,facets\nWEB,hours,WEB,actuals\n",
            "mappings/hours.toml": _MAPPING,
            "hours/october.csv": "no,who,project,day,hours\n1,ann,WEB,2026-10-05,7\n",
        }
        for name, text in files.items():
            self.put(name, text)

    def put(self, name: str, text: str) -> None:
        """Write a file of the place; what is a secret is its account's alone."""
        path = self.work / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)
        moment = datetime.fromisoformat(NOW).timestamp()
        os.utime(path, (moment, moment))

    def calm(self, text: str) -> str:
        """Leave out which commit speaks, and where this machine has its things, too."""
        text = super().calm(text)
        text = text.replace(str(self.work), "/srv/pm-hub").replace(sys.executable, "/opt/pm-hub/bin/python")
        return re.sub(r"\b(\d+\.\d+\.\d+)(?: \([0-9a-f]{7}[^)]*\)|\+[0-9a-f]{7}\S*)", r"\1", text)

    def doctor(self, about: str) -> str:
        """Return what `hub doctor` finds *about* something, and what mends it."""
        lines = self.hub("doctor", "--offline").splitlines()
        kept = [
            line
            for number, line in enumerate(lines)
            if about in line or (number and about in lines[number - 1] and line.lstrip().startswith("→"))
        ]
        return console("\n".join(["$ hub doctor --offline", "…", *kept, "…"]))

    def change(self, before: str, after: str) -> None:
        """Change the configuration."""
        path = self.work / "config" / "hub.toml"
        text = path.read_text(encoding="utf-8")
        if before not in text:
            raise ValueError(f"the configuration has no {before!r}")
        path.write_text(text.replace(before, after), encoding="utf-8")


def root(page: str) -> Path:
    """Return the folder of the repository that holds the *page*."""
    here = Path(page).resolve()
    return next(folder for folder in here.parents if (folder / "mkdocs.yml").exists())
