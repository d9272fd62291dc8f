"""Schedules: crontab's own meaning, whoever runs them; news once per change of state."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from hub.errors import ConfigError, HubError
from hub.notify import announce, states
from hub.schedule import Cron, plan_installation, trigger
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
            return subprocess.CompletedProcess(command, 0, "5 5 * * * backup\n0 1 * * * old  # pm-hub\n", "")
        written.append(kwargs["input"])
        return subprocess.CompletedProcess(command, 0, "", "")

    plan.apply(run)
    lines = written[0].splitlines()

    assert "5 5 * * * backup" == lines[0]
    assert lines[1].startswith("0 6 * * 1-5 cd ")
    assert r"50\% done" in lines[1]
    assert 2 == len(lines)


def test_windows(tmp_path: Path) -> None:
    """A weekly task at one time; anything finer is refused with the way out."""
    plan = plan_installation("windows", "15 6 * * 1-5", ["C:\\py.exe", "-m", "hub", "run"], folder=tmp_path)

    assert ("/SC", "WEEKLY", "/D", "MON,TUE,WED,THU,FRI", "/ST", "06:15") == plan.commands[0][-6:]
    with pytest.raises(ConfigError, match="hub schedule run"):
        plan_installation("windows", "*/5 * * * *", ["hub"], folder=tmp_path)


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
