"""Write the schedule for the machine's own scheduler: systemd, crontab, Windows."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from hub.errors import ConfigError, HubError
from hub.schedule.cron import Cron
from hub.words import tr

Kind = Literal["systemd", "crontab", "windows"]
KINDS: tuple[Kind, ...] = ("systemd", "crontab", "windows")
_MARK = "# pm-hub"


class Installation(msgspec.Struct, frozen=True, kw_only=True):
    """What to install: *files* to write, then *commands* to run; *text* shows both to a person."""

    kind: Kind
    files: dict[str, str] = {}
    commands: tuple[tuple[str, ...], ...] = ()
    crontab_line: str | None = None

    @property
    def text(self) -> str:
        """Return what would be written and run."""
        parts = [f"# {path}\n{content}" for path, content in self.files.items()]
        if self.crontab_line:
            parts.append(self.crontab_line + "\n")
        if self.commands:
            parts.append("\n".join(subprocess.list2cmdline(command) for command in self.commands) + "\n")
        return "\n".join(parts)

    def apply(self, run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run) -> None:
        """Install it. Raises `HubError` with what the system said when it refuses."""
        try:
            for path, content in self.files.items():
                place = Path(path)
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(content, encoding="utf-8")
            if self.crontab_line:
                before = run(["crontab", "-l"], capture_output=True, text=True, check=False)
                kept = (
                    [line for line in before.stdout.splitlines() if _MARK not in line]
                    if before.returncode == 0
                    else []
                )
                text = "\n".join([*kept, self.crontab_line]) + "\n"
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


def plan_installation(kind: Kind, cron_text: str, command: list[str], *, folder: Path) -> Installation:
    """Return what would run *command* in *folder* at the times of *cron_text*.

    Raises `ConfigError` where *kind* cannot.
    """
    cron = Cron.parse(cron_text)
    if kind == "systemd":
        return _systemd(cron, command, folder)
    if kind == "crontab":
        # a percent sign is a line break to cron
        quoted = f"cd {shlex.quote(str(folder))} && {shlex.join(command)}".replace("%", "\\%")
        return Installation(kind=kind, crontab_line=f"{cron_text} {quoted}  {_MARK}")
    return _windows(cron, command, folder)


def _systemd(cron: Cron, command: list[str], folder: Path) -> Installation:
    if cron.day is not None and cron.day_of_week is not None:
        raise ConfigError(
            tr(
                "systemd cannot say 'this day of the month or that weekday': use only one of the "
                "two, or crontab."
            )
        )

    def listed(values: tuple[int, ...] | None) -> str:
        return "*" if values is None else ",".join(f"{value:02d}" for value in values)

    days = ",".join(day.capitalize() for day in cron.weekday_names() or ())
    calendar = (
        f"{days + ' ' if days else ''}*-{listed(cron.month)}-{listed(cron.day)} "
        f"{listed(cron.hour)}:{listed(cron.minute)}:00"
    )
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
    arguments = " ".join(
        '"' + part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'
        for part in command
    )
    service = (
        f"[Unit]\nDescription={tr('pm-hub: sync and publish')}\n\n[Service]\nType=oneshot\n"
        f"WorkingDirectory={folder}\n"
        f"ExecStart={arguments}\n# {tr('3 is a partial run: it is told by the hub, not by systemd')}\n"
        "SuccessExitStatus=3\n"
    )
    timer = (
        f"[Unit]\nDescription={tr('pm-hub schedule')}\n\n[Timer]\nOnCalendar={calendar}\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    return Installation(
        kind="systemd",
        files={str(base / "pm-hub.service"): service, str(base / "pm-hub.timer"): timer},
        commands=(
            ("systemctl", "--user", "daemon-reload"),
            ("systemctl", "--user", "enable", "--now", "pm-hub.timer"),
        ),
    )


def _windows(cron: Cron, command: list[str], folder: Path) -> Installation:
    if (
        cron.minute is None
        or cron.hour is None
        or len(cron.minute) != 1
        or len(cron.hour) != 1
        or cron.day
        or cron.month
    ):
        raise ConfigError(
            tr(
                "A Windows task is written for one time a day, every day or on weekdays, such as 0 6 "
                "* * 1-5. For anything else keep `hub schedule run` running."
            )
        )
    action = f'cmd /d /c cd /d "{folder}" && {subprocess.list2cmdline(command)}'
    when = f"{cron.hour[0]:02d}:{cron.minute[0]:02d}"
    weekly = cron.weekday_names()
    rhythm = ("/SC", "WEEKLY", "/D", ",".join(day.upper() for day in weekly)) if weekly else ("/SC", "DAILY")
    return Installation(
        kind="windows",
        commands=(("schtasks", "/Create", "/F", "/TN", "pm-hub", "/TR", action, *rhythm, "/ST", when),),
    )
