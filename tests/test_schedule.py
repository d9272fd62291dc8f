"""Schedules: crontab's own meaning, whoever runs them; news once per change of state."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, objectify

from hub.errors import ConfigError, HubError
from hub.notify import announce, states
from hub.schedule import KINDS, Cron, missed, plan_installation, trigger
from hub.secrets import Secret
from hub.store import Store
from hub.testing import HubResult


def times(text: str, start: datetime, count: int) -> list[str]:
    when = trigger(Cron.parse(text), tz="UTC")
    found: list[str] = []
    last = None
    moment = start
    for _ in range(count):
        last = when.get_next_fire_time(last, moment)
        found.append(f"{last:%a %d %H:%M}")
        moment = last + timedelta(seconds=1)
    return found


def test_weekdays_count_from_sunday() -> None:
    """1-5 is Monday to Friday, as crontab says, although APScheduler counts from Monday."""
    saturday = datetime(2026, 11, 21, 12, tzinfo=UTC)

    assert ["Mon 23 06:00", "Tue 24 06:00"] == times("0 6 * * 1-5", saturday, 2)
    assert ["Sun 22 06:00"] == times("0 6 * * 0", saturday, 1)
    assert ["Sun 22 06:00"] == times("0 6 * * 7", saturday, 1)
    assert ["Sun 22 06:00"] == times("0 6 * * sun", saturday, 1)


def test_day_or_weekday() -> None:
    """With both a day and a weekday, crontab runs on either."""
    assert ["Mon 23 00:00", "Wed 25 00:00"] == times("0 0 25 * 1", datetime(2026, 11, 21, tzinfo=UTC), 2)


@pytest.mark.parametrize(
    "text", ["0 6 * *", "61 * * * *", "0 6 * * mon-", "0 6 * * 5-1", "a b c d e", "*/x * * * *"]
)
def test_wrong_expressions(text: str) -> None:
    """A wrong field is named."""
    with pytest.raises(ConfigError, match=r"\[schedule\] run = "):
        Cron.parse(text)


def test_systemd(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The timer says the same times in systemd's words; a partial run is not a failed unit."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    plan = plan_installation(
        "systemd", "30 6,18 * * 1-5", ["/opt/py thon", "-m", "hub", "run"], folder=tmp_path
    )

    assert "OnCalendar=Mon,Tue,Wed,Thu,Fri *-*-* 06,18:30:00" in plan.text
    assert 'ExecStart="/opt/py thon" "-m" "hub" "run"' in plan.text
    assert "SuccessExitStatus=3" in plan.text
    assert "systemctl --user enable --now pm-hub.timer" in plan.text
    with pytest.raises(ConfigError, match="systemd cannot say"):
        plan_installation("systemd", "0 6 1 * 1", ["hub"], folder=tmp_path)


def test_crontab_keeps_other_lines(tmp_path: Path) -> None:
    """Installing replaces only the hub's own line."""
    plan = plan_installation(
        "crontab", "0 6 * * 1-5", ["/usr/bin/python3", "-m", "hub", "run"], folder=tmp_path / "50% done"
    )
    written: list[str] = []

    def run(command: list[str], **kwargs: Any) -> subprocess.CompletedProcess[str]:
        if command == ["crontab", "-l"]:
            return subprocess.CompletedProcess(
                command, 0, "5 5 * * * backup\nCRON_TZ=UTC\n0 1 * * * old  # pm-hub\n", ""
            )
        written.append(kwargs["input"])
        return subprocess.CompletedProcess(command, 0, "", "")

    plan.apply(run)
    lines = written[0].splitlines()

    assert "5 5 * * * backup" == lines[0]
    assert lines[1].startswith("0 6 * * 1-5 cd ")
    assert r"50\% done" in lines[1]
    assert 2 == len(lines)


def windows_task(tmp_path: Path, cron: str, **how: Any) -> Any:
    """Return the task for *cron*, after the schema has accepted it."""
    command = ["C:\\Program Files\\py.exe", "-m", "hub", "--config", "C:\\hub & co\\hub.toml", "run"]
    plan = plan_installation("windows", cron, command, folder=tmp_path, **how)
    ((place, text),) = plan.files.items()
    assert (("schtasks", "/Create", "/F", "/TN", "pm-hub", "/XML", place),) == plan.commands
    schema = etree.XMLSchema(etree.parse(Path(__file__).with_name("task_scheduler.xsd")))
    task = etree.fromstring(text.encode("utf-16"))
    schema.assertValid(task)
    return objectify.fromstring(etree.tostring(task))


def test_windows(tmp_path: Path) -> None:
    """The task is of the form that Task Scheduler reads, at the days and times of the schedule."""
    task = windows_task(tmp_path, "15 6,18 * * 1-5")
    triggers = task.Triggers.CalendarTrigger

    assert ["06:15:00", "18:15:00"] == [str(one.StartBoundary)[11:] for one in triggers]
    assert ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday"] == [
        day.tag.partition("}")[2] for day in triggers[0].ScheduleByWeek.DaysOfWeek.iterchildren()
    ]
    assert "C:\\Program Files\\py.exe" == task.Actions.Exec.Command
    assert '-m hub --config "C:\\hub & co\\hub.toml" run' == task.Actions.Exec.Arguments
    assert str(tmp_path) == task.Actions.Exec.WorkingDirectory
    monthly = windows_task(tmp_path, "0 6 1,15 3 *").Triggers.CalendarTrigger.ScheduleByMonth
    assert ["1", "15"] == [*map(str, monthly.DaysOfMonth.Day)]
    assert ["March"] == [one.tag.partition("}")[2] for one in monthly.Months.iterchildren()]
    assert 1 == windows_task(tmp_path, "0 6 * * *").Triggers.CalendarTrigger.ScheduleByDay.DaysInterval
    for refused in ("*/5 * * * *", "0 6 1 * 1"):
        with pytest.raises(ConfigError, match="hub schedule run"):
            plan_installation("windows", refused, ["hub"], folder=tmp_path)


def test_a_schedule_keeps_its_zone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Six in Tokyo is six in Tokyo, wherever the machine stands: in the words of each scheduler."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setattr("hub.schedule.windows.machine_zone", lambda: "Europe/Paris")
    monkeypatch.setattr("hub.schedule.install.machine_zone", lambda: "Europe/Paris")
    systemd, crontab, windows = (
        plan_installation(kind, "0 6 * * 1", ["hub", "run"], folder=tmp_path, tz="Asia/Tokyo")
        for kind in KINDS
    )

    assert "OnCalendar=Mon *-*-* 06:00:00 Asia/Tokyo\n" in systemd.text
    assert "CRON_TZ=Asia/Tokyo" == crontab.crontab_lines[0]
    assert "cronie" in crontab.notes[0]
    assert "T06:00:00+09:00</StartBoundary>" in windows.text
    assert "Asia/Tokyo" in windows.notes[0]
    assert () == plan_installation("crontab", "0 6 * * 1", ["hub"], folder=tmp_path, tz="Europe/Paris").notes


def test_a_schedule_knows_secrets_and_failures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file of variables is named, and a run that fails leads to hub doctor on every system."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    systemd, crontab, windows = (
        plan_installation(kind, "0 6 * * 1", ["hub", "run"], folder=tmp_path, env_file=tmp_path / "s.env")
        for kind in KINDS
    )

    assert f"EnvironmentFile={tmp_path / 's.env'}\n" in systemd.text
    assert "OnFailure=pm-hub-failed.service" in systemd.text
    assert 'ExecStart="hub" "doctor"' in systemd.text
    assert "'hub doctor'" in crontab.text
    assert "`hub doctor`" in windows.text
    assert str(tmp_path / "s.env") in crontab.notes[0]
    assert str(tmp_path / "s.env") in windows.notes[0]


@pytest.mark.skipif(shutil.which("sh") is None, reason="a shell of cron")
@pytest.mark.parametrize(("code", "said"), [(0, ""), (3, ""), (1, "pm-hub ended with 1: 'hub doctor'")])
def test_what_cron_mails(tmp_path: Path, code: int, said: str) -> None:
    """A failed run leaves a line for cron's mail and its exit code; a partial one is the hub's own news."""
    plan = plan_installation("crontab", "0 6 * * *", ["sh", "-c", f"exit {code}"], folder=tmp_path)
    command = plan.crontab_lines[0].removeprefix("0 6 * * * ")
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)

    assert (code, said) == (done.returncode, done.stderr[: len(said)])
    assert bool(said) == bool(done.stderr)


@pytest.mark.parametrize(
    ("last", "now", "count"),
    [
        ("2026-11-20T06:00:03+00:00", "2026-11-23T05:59:00+00:00", 0),  # a weekend
        ("2026-11-20T06:00:03+00:00", "2026-11-23T06:30:00+00:00", 0),  # it may be on its way
        ("2026-11-20T06:00:03+00:00", "2026-11-23T07:30:00+00:00", 1),
        ("2026-11-20T06:00:03+00:00", "2026-11-28T12:00:00+00:00", 5),
    ],
)
def test_runs_that_never_started(last: str, now: str, count: int) -> None:
    """Monday's run is missed an hour after it was due; the first one missed is told."""
    found = missed("0 6 * * 1-5", "UTC", datetime.fromisoformat(last), datetime.fromisoformat(now))

    assert count == (found.count if found else 0)
    assert found is None or "2026-11-23T06:00:00+00:00" == found.since.isoformat()


def test_a_refusal_of_the_system_is_told(tmp_path: Path) -> None:
    """What the system said reaches the person."""

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        raise subprocess.CalledProcessError(1, command, stderr="Access is denied.")

    with pytest.raises(HubError, match="Access is denied"):
        plan_installation("windows", "15 6 * * *", ["hub"], folder=tmp_path).apply(run)


def test_commands(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    """list shows the next times; install only shows unless asked; without a schedule the way out is said."""
    config = hub_folder / "config" / "hub.toml"
    config.write_text("")
    none = run_hub("schedule", "list")
    config.write_text('[schedule]\nrun = "0 6 * * 1-5"\ntz = "Europe/Paris"\n')
    listed = run_hub("schedule", "list", "--count", "2")
    shown = run_hub("schedule", "install", "--kind", "crontab")
    config.write_text('[schedule]\nrun = "0 6 * * 1-5"\ntz = "Mars/Olympus"\n')
    wrong = run_hub("schedule", "list")

    assert (2, True) == (none.exit_code, "has no schedule" in none.error)
    assert 3 == len(listed.output.splitlines())
    assert "06:00 CET" in listed.output or "06:00 CEST" in listed.output
    assert "# pm-hub" in shown.output
    assert "Mars/Olympus" in wrong.error


def test_news_once_per_change(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Failing is told once, still failing is not, recovering is.

    A message that could not go is tried again.
    """
    import apprise

    sent: list[str] = []
    works = True

    def notify(self: Any, body: str, title: str, **_: Any) -> bool:
        if works:
            sent.append(title)
        return works

    monkeypatch.setattr(apprise.Apprise, "notify", notify)
    monkeypatch.setenv("MAIL", "json://localhost/s3cret")
    to = (Secret("env", "MAIL", tmp_path),)

    def run(verdict: str) -> list[str]:
        store.end_run(store.begin_run("plans", "increment"), verdict)
        return announce(store, to)

    store.register_source("plans", kind="k", base_url=None, tz="UTC", seconds_per_day=1, freshness_max_s=3600)
    run("ok")
    run("partial")
    run("partial")
    works = False
    (problem,) = run("failed")
    works = True
    run("failed")
    run("ok")

    assert ["pm-hub: plans partial", "pm-hub: plans failed", "pm-hub: plans ok"] == sent
    assert "s3cret" not in problem
    later = datetime.now(UTC) + timedelta(hours=5)
    assert "stale" == states(store, now=later)["plans"][0]


def test_a_wrong_address_is_told_without_showing_it(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The position of the address is said, not the address, which may hold a password."""
    monkeypatch.setenv("MAIL", "nonsense-s3cret")
    store.register_source("plans", kind="k", base_url=None, tz="UTC", seconds_per_day=1, freshness_max_s=3600)
    store.end_run(store.begin_run("plans", "increment"), "failed")
    problems = announce(store, (Secret("env", "MAIL", tmp_path),))

    assert "address number 1" in problems[0]
    assert "s3cret" not in str(problems)
