"""What pages with transcripts are made with: a folder, and commands that are really run in it."""

from __future__ import annotations

import atexit
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

_PROGRESS = re.compile(r"(?m)^[a-z0-9]+\s?: (started|commencé|[a-zé]+, .* (read|lus?))\n")
_FEED = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{6}")


class Transcript:
    """A person at work in an empty folder, at one moment, in one language."""

    def __init__(self, lang: str, moment: str = "", *, columns: int = 120, **environment: str) -> None:
        """Begin at *moment*, an instant of ISO 8601; empty: now."""
        self.lang = lang
        self.moment = moment
        self.work = Path(tempfile.mkdtemp())
        atexit.register(shutil.rmtree, self.work, ignore_errors=True)
        self.environment: Mapping[str, str] = os.environ | {
            "COLUMNS": str(columns), "PYTHONIOENCODING": "utf-8", "PM_HUB_LANG": lang, "LOGNAME": "pmo",
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "PYTHONHASHSEED": "0", **environment,
        }  # fmt: skip

    def hub(self, *arguments: str) -> str:
        """Run a command and return what it says, without its progress."""
        code = "import sys; from hub.cli import main; sys.exit(main())"
        at = ["--now", self.moment] if self.moment else []
        done = subprocess.run(
            [sys.executable, "-c", code, *at, *arguments],
            cwd=self.work, capture_output=True, encoding="utf-8", check=False, env=self.environment,
        )  # fmt: skip
        return self.calm(done.stdout + _PROGRESS.sub("", done.stderr))

    def calm(self, text: str) -> str:
        """Leave out what differs from one run to the next: durations, the feed's own name, the folder."""
        text = text.replace(str(self.work) + os.sep, "")
        text = _FEED.sub(re.sub(r"[-:]", "", self.moment) + "-1a2b3c", text)
        lines, edge = [], None
        for line in text.splitlines():
            if line.startswith("source") and line.rstrip().endswith(("time", "durée")):
                edge = line.rstrip().rindex("  ")
            elif edge is not None and not line.rstrip().endswith(" s"):
                edge = None
            lines.append(line[:edge].rstrip())
        return "\n".join(lines)

    def show(self, *commands: tuple[str, ...], keep: Callable[[str], object] = lambda line: True) -> str:
        """Run commands and return the transcript; a row of lines that *keep* refuses becomes one of dots."""
        said = []
        for command in commands:
            quoted = " ".join(f'"{one}"' if " " in one else one for one in command)
            said.append(f"$ hub {quoted}")
            for line in self.hub(*command).rstrip().splitlines():
                if keep(line):
                    said.append(line)
                elif said[-1] != "…":
                    said.append("…")
        return console("\n".join(said))


def console(text: str) -> str:
    """Return *text* as what stands in a terminal."""
    return f"```console\n{text}\n```"
