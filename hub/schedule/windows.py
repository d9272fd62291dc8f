"""The definition of a task for Windows' Task Scheduler, as its own export writes it (MS-TSCH 2.5)."""

from __future__ import annotations

import subprocess
from datetime import datetime
from itertools import product
from pathlib import Path
from xml.etree import ElementTree
from zoneinfo import ZoneInfo

from hub import clock
from hub.errors import ConfigError
from hub.schedule.cron import Cron
from hub.schedule.plan import Installation, machine_zone
from hub.words import tr

NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"
_MOST = 48
"""Triggers that a task may have."""
_DAYS = {
    "mon": "Monday", "tue": "Tuesday", "wed": "Wednesday", "thu": "Thursday", "fri": "Friday",
    "sat": "Saturday", "sun": "Sunday",
}  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip


def task(
    cron: Cron, command: list[str], folder: Path, tz: str | None, notes: tuple[str, ...]
) -> Installation:
    """Return the task that runs *command* in *folder* at the times of *cron*.

    Raises `ConfigError` for times that a task cannot have.
    """
    root = ElementTree.Element("Task", version="1.2", xmlns=NAMESPACE)
    about = ElementTree.SubElement(root, "RegistrationInfo")
    hint = tr("pm-hub: sync and publish. Where it fails, `hub doctor` says what is wrong.")
    _add(about, "Description", hint)
    triggers = ElementTree.SubElement(root, "Triggers")
    for begin in _times(cron, tz):
        _trigger(ElementTree.SubElement(triggers, "CalendarTrigger"), cron, begin)
    settings = ElementTree.SubElement(root, "Settings")
    for name, value in (
        ("MultipleInstancesPolicy", "IgnoreNew"), ("DisallowStartIfOnBatteries", "false"),
        ("StopIfGoingOnBatteries", "false"), ("StartWhenAvailable", "true"),
        ("RunOnlyIfNetworkAvailable", "false"), ("Enabled", "true"), ("ExecutionTimeLimit", "PT12H"),
    ):  # fmt: skip
        _add(settings, name, value)
    actions = ElementTree.SubElement(root, "Actions")
    action = ElementTree.SubElement(actions, "Exec")
    _add(action, "Command", command[0])
    _add(action, "Arguments", subprocess.list2cmdline(command[1:]))
    _add(action, "WorkingDirectory", str(folder))
    ElementTree.indent(root)
    place = folder / "data" / "pm-hub-task.xml"
    head = '<?xml version="1.0" encoding="UTF-16"?>\n'
    return Installation(
        kind="windows",
        files={str(place): head + ElementTree.tostring(root, encoding="unicode") + "\n"},
        commands=(("schtasks", "/Create", "/F", "/TN", "pm-hub", "/XML", str(place)),),
        notes=(*notes, *_of_zone(tz)),
    )


def _times(cron: Cron, tz: str | None) -> list[str]:
    """Return the first moment of each trigger: one for each time of a day."""
    hours, minutes = cron.hour or tuple(range(24)), cron.minute or tuple(range(60))
    if len(hours) * len(minutes) > _MOST:
        raise ConfigError(
            tr(
                "A Windows task runs at most 48 times a day: choose fewer times, or keep `hub schedule run` "
                "running."
            )
        )
    zone = ZoneInfo(tz) if tz else None
    today = clock.now().astimezone(zone)
    found = []
    for hour, minute in product(hours, minutes):
        begin = datetime(today.year, today.month, today.day, hour, minute, tzinfo=zone)
        found.append(begin.isoformat())  # with its offset where the zone is said, else the machine's own time
    return found


def _trigger(trigger: ElementTree.Element, cron: Cron, begin: str) -> None:
    _add(trigger, "StartBoundary", begin)
    weekdays = cron.weekday_names()
    if weekdays and (cron.day or cron.month):
        raise ConfigError(
            tr(
                "A Windows task is written for days of the week or for days of months, not for both: use "
                "only one of the two, or keep `hub schedule run` running."
            )
        )
    if weekdays:
        week = ElementTree.SubElement(trigger, "ScheduleByWeek")
        days = ElementTree.SubElement(week, "DaysOfWeek")
        for name in weekdays:
            ElementTree.SubElement(days, _DAYS[name])
        _add(week, "WeeksInterval", "1")
    elif cron.day or cron.month:
        month = ElementTree.SubElement(trigger, "ScheduleByMonth")
        days = ElementTree.SubElement(month, "DaysOfMonth")
        for day in cron.day or range(1, 32):
            _add(days, "Day", str(day))
        months = ElementTree.SubElement(month, "Months")
        for number in cron.month or range(1, 13):
            ElementTree.SubElement(months, _MONTHS[number - 1])
    else:
        _add(ElementTree.SubElement(trigger, "ScheduleByDay"), "DaysInterval", "1")


def _of_zone(tz: str | None) -> tuple[str, ...]:
    if tz is None or tz == machine_zone():
        return ()
    return (
        tr(
            "Task Scheduler knows no zones: the task keeps today's distance to UTC of {tz}, and is an hour "
            "off after the clocks change. Give the machine the zone {tz}, or install it again then.",
            tz=tz,
        ),
    )


def _add(parent: ElementTree.Element, name: str, text: str) -> None:
    ElementTree.SubElement(parent, name).text = text
