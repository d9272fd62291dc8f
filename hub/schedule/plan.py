"""What to install in the machine's own scheduler, shown to a person or done."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from hub.errors import HubError
from hub.words import tr

Kind = Literal["systemd", "crontab", "windows"]
KINDS: tuple[Kind, ...] = ("systemd", "crontab", "windows")
MARK = "# pm-hub"


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """What to install: *files* to write, then *commands* to run; *text* shows both to a person."""

    kind: Kind
    files: dict[str, str] = {}
    commands: tuple[tuple[str, ...], ...] = ()
    crontab_lines: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Return what would be written and run."""
        parts = [f"# {path}\n{content}" for path, content in self.files.items()]
        if self.crontab_lines:
            parts.append("\n".join(self.crontab_lines) + "\n")
        if self.commands:
            parts.append("\n".join(subprocess.list2cmdline(command) for command in self.commands) + "\n")
        return "\n".join(parts)

    def apply(self, run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> None:
        """Install it. Raises `HubError` with what the system said when it refuses."""
        try:
            for path, content in self.files.items():
                place = Path(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                # Task Scheduler reads what its own export writes
                place.write_text(content, encoding="utf-16" if self.kind == "windows" else "utf-8")
            if self.crontab_lines:
                before = run(["crontab", "-l"], capture_output=True, text=True, check=False)
                kept = _of_others(before.stdout.splitlines()) if before.returncode == 0 else []
                text = "\n".join([*kept, *self.crontab_lines]) + "\n"
                run(["crontab", "-"], input=text, text=True, check=True, capture_output=True)
            for command in self.commands:
                run(list(command), check=True, capture_output=True, text=True)
        except FileNotFoundError as exc:
            raise HubError(
                tr(
                    "The schedule was not installed: {filename} is not on this machine.",
                    filename=exc.filename,
                )
            ) from exc
        except subprocess.CalledProcessError as exc:
            raise HubError(
                tr(
                    "The schedule was not installed: {cmd} said: {stderr}",
                    cmd=" ".join(exc.cmd),
                    stderr=(exc.stderr or "").strip(),
                )
            ) from exc
        except OSError as exc:
            raise HubError(tr("The schedule was not installed: {error}.", error=exc)) from exc


def _of_others(lines: list[str]) -> list[str]:
    """Return the lines of a crontab that are not the hub's: its own is marked, its zone stands above it."""
    kept: list[str] = []
    for line in lines:
        if MARK not in line:
            kept.append(line)
        elif kept and kept[-1].startswith("CRON_TZ="):
            kept.pop()
    return kept


def machine_zone() -> str | None:
    """Return the time zone of this machine, or None where it does not tell."""
    import tzlocal  # comes with APScheduler, which asks the same

    try:
        return tzlocal.get_localzone_name()
    except (LookupError, ValueError, OSError):
        return None
