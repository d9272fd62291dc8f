"""Being stopped by a service manager, and living where an account has no name."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from hub.store import Store
from hub.testing import HubResult

SLOW = '''
import os, time
from typing import ClassVar
from hub import Batch, Container, Partition, Source, hookimpl

class Slow(Source, frozen=True, kw_only=True):
    """Containers, one in a blink, until it is stopped."""
    kind: ClassVar[str] = "slow"
    provides = (Container,)
    def check(self, ctx): return ()
    def plan(self, ctx, cursors): yield Partition(id="all")
    def read(self, ctx, partition, cursor):
        for number in range(6000):
            box = Container(id=self.row_id(str(number)), kind="plan", name="C")
            yield Batch(records=[box], cursor=number)
            time.sleep(0.01)
            if number == 5: (ctx.base / "begun").touch()

@hookimpl
def register_sources(): return [Slow]
'''
posix = pytest.mark.skipif(os.name != "posix", reason="Windows has no SIGTERM to send")


@pytest.fixture
def slow(hub_folder: Path) -> Path:
    """Return a folder whose run lasts a minute unless it is stopped."""
    (hub_folder / "config" / "plugins").mkdir()
    (hub_folder / "config" / "plugins" / "slow.py").write_text(SLOW)
    (hub_folder / "config" / "hub.toml").write_text(
        '[sources.s]\nkind = "slow"\n[schedule]\nrun = "0 6 1 1 *"\n'
    )
    return hub_folder


def stop(folder: Path, *arguments: str) -> tuple[int, str]:
    """Start ``hub …``, send SIGTERM once something is in the store, and tell exit code and all it said."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hub", *arguments], cwd=folder, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    try:
        end = time.monotonic() + 60
        while not (folder / "begun").exists() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=60)
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
    return process.returncode, said


@posix
def test_a_run_that_is_terminated_has_its_word(slow: Path) -> None:
    """SIGTERM, as systemd, Docker and Kubernetes send it, ends like Ctrl-C: told, marked, exit 130."""
    code, said = stop(slow, "run")

    assert 130 == code
    assert "Stopped on request" in said
    with closing(Store.open(slow / "data" / "hub.db")) as store:
        assert ["interrupted"] == [run.verdict for run in store.runs("s")]


@pytest.mark.long
@posix
def test_a_schedule_that_is_stopped_stops_its_run(slow: Path) -> None:
    """The run that a schedule started ends with it, in order: none goes on writing with nobody to tell."""
    code, said = stop(slow, "schedule", "run", "--now")

    assert 130 == code
    assert "Stopped on request" in said
    with closing(Store.open(slow / "data" / "hub.db")) as store:
        assert ["interrupted"] == [run.verdict for run in store.runs("s")]
    assert not (slow / "data" / "hub.db.owner").exists()


@posix
def test_an_account_without_a_name(
    hub_folder: Path, run_hub: Callable[..., HubResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A container runs under a number that the machine has no name for: cuts are taken all the same."""

    def unknown(uid: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {uid}")

    (hub_folder / "config" / "hub.toml").write_text("")
    (hub_folder / "config" / "projects.csv").write_text("project_code;name\nA;Alpha\n")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME", "HOME", "PM_HUB_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", unknown)
    run_hub("run")
    taken = run_hub("cut", "take", "--kind", "copil", "--label", "November")

    assert (0, "") == (taken.exit_code, taken.error)
    with closing(Store.open(hub_folder / "data" / "hub.db")) as store:
        assert [{"actor": f"uid {os.getuid()}"}] == store.rows("SELECT actor FROM cut")
    assert not (hub_folder / "~").exists()
