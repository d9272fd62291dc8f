"""Write the schedule for the machine's own scheduler: systemd, crontab, Windows."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

from hub.errors import ConfigError
from hub.schedule import windows
from hub.schedule.cron import Cron
from hub.schedule.plan import MARK, Installation, Kind, machine_zone
from hub.words import tr


def plan_installation(
    kind: Kind, cron_text: str, command: list[str], *, folder: Path, tz: str | None = None,
    env_file: Path | None = None,
) -> Installation:  # fmt: skip
    """Return what would run *command* in *folder* at the times of *cron_text*, read in the zone *tz*.

    *env_file* holds variables for it. Raises `ConfigError` where *kind* cannot.
    """
    cron = Cron.parse(cron_text)
    notes = (
        (tr("{path} is read by the hub itself: its variables need not stand here.", path=env_file),)
        if env_file and kind != "systemd"
        else ()
    )
    if kind == "systemd":
        return _systemd(cron, command, folder, tz, env_file)
    if kind == "crontab":
        return _crontab(cron_text, command, folder, tz, notes)
    return windows.task(cron, command, folder, tz, notes)


def _crontab(
    cron_text: str, command: list[str], folder: Path, tz: str | None, notes: tuple[str, ...]
) -> Installation:
    # what is printed is what cron sends by mail: 3 is a partial run, which the hub tells of by itself
    hint = tr("pm-hub ended with $code: `hub doctor` says what is wrong")
    failed = f'{{ code=$?; [ $code -eq 3 ] || echo "{hint}" >&2; exit $code; }}'.replace("`", "'")
    # a percent sign is a line break to cron
    quoted = f"cd {shlex.quote(str(folder))} && {shlex.join(command)} || {failed}".replace("%", "\\%")
    line = f"{cron_text} {quoted}  {MARK}"
    if tz is None:
        return Installation(kind="crontab", crontab_lines=(line,), notes=notes)
    if tz != machine_zone():
        said = tr(
            "CRON_TZ is obeyed by cronie, but not by every cron: where yours does not know it, keep "
            "`hub schedule run` running, or give the machine the zone {tz}.",
            tz=tz,
        )
        notes = (*notes, said)
    # it counts for all lines below it, so that those of others must stand above
    return Installation(kind="crontab", crontab_lines=(f"CRON_TZ={tz}", line), notes=notes)


def _systemd(
    cron: Cron, command: list[str], folder: Path, tz: str | None, env_file: Path | None
) -> Installation:
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
        f"{listed(cron.hour)}:{listed(cron.minute)}:00{' ' + tz if tz else ''}"
    )
    base = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config") / "systemd" / "user"
    service = (
        f"[Unit]\nDescription={tr('pm-hub: sync and publish')}\nOnFailure=pm-hub-failed.service\n\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={_systemd_path(folder)}\n"
        + (f"EnvironmentFile={_systemd_path(env_file)}\n" if env_file else "")
        + f"ExecStart={_systemd_words(command)}\n"
        f"# {tr('3 is a partial run: it is told by the hub, not by systemd')}\n"
        "SuccessExitStatus=3\n"
        f"# {tr('a run that is stopped writes the batch it holds')}\nTimeoutStopSec=90\n"
    )
    failed = (
        f"[Unit]\nDescription={tr('pm-hub: what is wrong (journalctl --user -u pm-hub shows the run)')}\n\n"
        f"[Service]\nType=oneshot\nWorkingDirectory={_systemd_path(folder)}\n"
        f"ExecStart={_systemd_words([*command[:-1], 'doctor'])}\nSuccessExitStatus=1\n"
    )
    timer = (
        f"[Unit]\nDescription={tr('pm-hub schedule')}\n\n[Timer]\nOnCalendar={calendar}\nPersistent=true\n\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    return Installation(
        kind="systemd",
        files={
            str(base / "pm-hub.service"): service,
            str(base / "pm-hub-failed.service"): failed,
            str(base / "pm-hub.timer"): timer,
        },
        commands=(
            ("systemctl", "--user", "daemon-reload"),
            ("systemctl", "--user", "enable", "--now", "pm-hub.timer"),
        ),
    )


def _systemd_words(command: list[str]) -> str:
    return " ".join(
        '"' + part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'
        for part in command
    )


def _systemd_path(path: Path) -> str:
    return str(path).replace("%", "%%")
