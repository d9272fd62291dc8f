"""Look whether this hub can do its work here, and say how each thing that is amiss is mended."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click

from hub import clock
from hub.cli.app import App
from hub.cli.output import STYLES
from hub.cli.reaching import CLOCK, SKEW_S, Finding, State, network
from hub.cli.speech import Command
from hub.cli.telling import endings_of, missed_runs, missed_text, secrets_of
from hub.errors import ConfigError, HubError, LockHeld, StoreError
from hub.words import day, mark, tr, trn

ROOM_MB = 500
"""Less room on a disk is told; a tenth of it is a failure."""
NAMES = (
    mark("version"), mark("rights"), mark("clock"), mark("time zones"), mark("disk"),
    mark("store"), mark("lock"), mark("plugins"), mark("network"), mark("secrets"), mark("schedule"),
    mark("feed"), mark("paths"), mark("extras"), mark("announced"),
)  # fmt: skip


@click.command(cls=Command)
@click.option("--offline", is_flag=True, help="Ask no other machine.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def doctor(app: App, offline: bool, json_: bool) -> int:
    """Look at versions, rights, clock, disk, store, network, secrets and schedule; say what mends each.

    Example: hub doctor --offline
    """
    found = list(findings(app, offline=offline))
    code = 1 if any(one.state == "failed" for one in found) else 0
    if json_:
        app.as_json({"findings": found, "exit_code": code})
        return code
    for one in found:
        app.say(f"{tr(one.state):<8} {tr(one.name)}: {one.detail}", STYLES[one.state])
        if one.mend:
            app.say(f"         → {one.mend}")
    return code


def add_to(cli: click.Group) -> None:
    """Add doctor."""
    cli.add_command(doctor)


def findings(app: App, *, offline: bool) -> Iterator[Finding]:
    """Yield how each thing is; one that cannot be looked at is a failure of its own, and stops no other."""
    yield from _looked("version", _versions)
    yield from _looked("extras", _extras)
    yield from _looked("time zones", _zones)
    try:
        settings = app.settings
    except HubError as exc:
        yield Finding(
            name="configuration", state="failed", detail=str(exc), mend=tr("Correct it as the sentence says.")
        )
        yield from _looked("plugins", lambda: _plugins(app))
        return
    yield Finding(name="configuration", state="ok", detail=str(settings.path))
    for name, look in (
        ("plugins", _plugins), ("rights", _rights), ("disk", _disk), ("paths", _paths), ("store", _store),
        ("lock", _lock), ("feed", _feed), ("secrets", _secrets), ("announced", _announced),
        ("schedule", _schedule),
    ):  # fmt: skip
        yield from _looked(name, lambda look=look: look(app))  # type: ignore[misc]
    if not offline:
        yield from _looked("network", lambda: network(app))


def _looked(name: str, look: Callable[[], Iterable[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except Exception as exc:  # noqa: BLE001 - what fails here is what this command is for
        yield Finding(name=name, state="failed", detail=f"{type(exc).__name__}: {exc}")


# ---------- this machine ----------


def _versions() -> Iterator[Finding]:
    from hub.version import release

    yield Finding(
        name="version", state="ok",
        detail=f"pm-hub {release()}, Python {'.'.join(map(str, sys.version_info[:3]))}, "
        f"SQLite {sqlite3.sqlite_version}, {sys.platform}",
    )  # fmt: skip
    ours = importlib.metadata.version("pm-hub")
    for one in importlib.metadata.distributions():
        name = one.metadata["Name"] or ""
        if name.startswith("pm-hub-") and one.version.split(".")[:2] != ours.split(".")[:2]:
            yield Finding(
                name="version", state="failed",
                detail=tr("{name} {version} is made for another pm-hub", name=name, version=one.version),
                mend=tr("Install {name} of version {ours}.", name=name, ours=ours),
            )  # fmt: skip


def _extras() -> Iterator[Finding]:
    """Say which optional libraries are here: what needs another says how it is installed."""
    here: dict[str, bool] = {}
    for one in importlib.metadata.distributions():
        if (one.metadata["Name"] or "").startswith("pm-hub-"):
            for asked in one.requires or ():
                if found := re.match(r"([\w.-]+).*extra == ['\"]([\w-]+)", asked):
                    here[found[2]] = here.get(found[2], True) and _is_installed(found[1])
    shown = ", ".join(
        f"{name}{'' if is_here else ' ' + tr('(not here)')}" for name, is_here in sorted(here.items())
    )
    yield Finding(name="extras", state="ok", detail=shown or tr("none"))


def _is_installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _zones() -> Iterator[Finding]:
    from hub.schedule import machine_zone
    from hub.settings import is_zone

    if is_zone("Europe/Paris"):
        detail = tr("known; this machine is in {tz}", tz=machine_zone() or "?")
        yield Finding(name="time zones", state="ok", detail=detail)
    else:
        yield Finding(
            name="time zones", state="failed", detail=tr("this Python knows no time zones"),
            mend="pip install tzdata",
        )  # fmt: skip


def _places(app: App) -> dict[str, Path]:
    settings = app.settings
    found = {tr("folder of the feed"): settings.feed}
    store = app.engine.path
    if store is not None:
        found[tr("folder of the store")] = store.parent
    for name, one in settings.destinations.items():
        path = getattr(one, "path", None)
        if isinstance(path, str):
            found[name] = settings.base / path
    return found


def _nearest(path: Path) -> Path:
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def _rights(app: App) -> Iterator[Finding]:
    for what, path in _places(app).items():
        place = _nearest(path)
        try:
            with tempfile.TemporaryFile(dir=place):
                pass
        except OSError as exc:
            yield Finding(
                name="rights", state="failed",
                detail=tr("{what}: {place} cannot be written ({reason})", what=what, place=place,
                          reason=exc.strerror),
                mend=tr("Give {account} the right to write there.", account=app.actor),
            )  # fmt: skip
        else:
            yield Finding(
                name="rights", state="ok", detail=tr("{what}: {place} can be written", what=what, place=place)
            )


def _disk(app: App) -> Iterator[Finding]:
    seen = set()
    for path in _places(app).values():
        place = _nearest(path)
        if (disk := place.stat().st_dev) in seen:
            continue
        seen.add(disk)
        free = shutil.disk_usage(place).free / 1e6
        state: State = "ok" if free >= ROOM_MB else "failed" if free < ROOM_MB / 10 else "warning"
        yield Finding(
            name="disk", state=state, detail=tr("{free:,.0f} MB free at {place}", free=free, place=place),
            mend=None if state == "ok" else tr(
                "Free some space, or keep fewer feeds: [gate] keep_feeds = {keep}.",
                keep=app.settings.gate.keep_feeds,
            ),
        )  # fmt: skip


def _paths(app: App) -> Iterator[Finding]:
    """Say whether paths of more than 260 letters work: Windows asks for a switch."""
    if os.name != "nt":
        return
    winreg: Any = importlib.import_module("winreg")
    place = r"SYSTEM\CurrentControlSet\Control\FileSystem"
    with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, place) as key:
        long = winreg.QueryValueEx(key, "LongPathsEnabled")[0] == 1
    yield Finding(
        name="paths", state="ok" if long else "warning",
        detail=tr("paths of more than 260 letters work") if long else tr("paths end at 260 letters"),
        mend=None if long else tr("An administrator sets LongPathsEnabled to 1 in {place}.", place=place),
    )  # fmt: skip


def _plugins(app: App) -> Iterator[Finding]:
    infos = app.plugins.check_all()
    for info in infos:
        if info.state == "broken":
            yield Finding(
                name="plugins", state="failed", detail=info.problem or info.name,
                mend=tr("Install {origin} again, or take it away.", origin=info.origin),
            )  # fmt: skip
    well = [f"{info.name} {info.version}" for info in infos if info.state == "ok"]
    yield Finding(name="plugins", state="ok", detail=", ".join(well) or tr("none"))


# ---------- what the hub keeps ----------


def _store(app: App) -> Iterator[Finding]:
    from hub.store import reading

    engine = app.engine
    if not engine.shared:
        return
    path = engine.where
    try:
        if not engine.exists():
            yield Finding(
                name="store", state="warning", detail=tr("there is none at {path} yet", path=path),
                mend=tr("Run `hub run`."),
            )  # fmt: skip
            return
        with reading.opened(engine) as store:
            store.verify()
            older, size = store.older, engine.size(store.connection) / 1e6
    except HubError as exc:
        yield Finding(
            name="store", state="failed", detail=str(exc),
            mend=tr("Restore {path} from a copy.", path=path) if engine.path is not None
            else tr("Correct it as the sentence says."),
        )  # fmt: skip
        return
    yield Finding(
        name="store", state="ok", detail=tr("{path} is sound, {size:,.1f} MB", path=path, size=size)
    )
    try:
        engine.standing()
    except StoreError as exc:
        yield Finding(
            name="store", state="warning", detail=str(exc), mend=tr("Correct it as the sentence says.")
        )
    if older:
        yield Finding(
            name="store", state="warning", detail=tr("it was written by an older pm-hub"),
            mend=tr("Copy it away, then run `hub run`: that brings it to this version."),
        )  # fmt: skip


def _lock(app: App) -> Iterator[Finding]:
    from hub.sync.lock import lock

    path = app.engine.path
    if not app.engine.shared or (path and (not path.exists() or not os.access(path.parent, os.W_OK))):
        return
    owner = path.with_name(path.name + ".owner") if path else None
    since = owner.stat().st_mtime if owner and owner.exists() else None
    try:
        with lock(app.engine):
            pass
    except LockHeld as exc:
        old = since is not None and clock.now().timestamp() - since > 86400
        yield Finding(
            name="lock", state="failed" if old else "warning", detail=str(exc),
            mend=tr("It writes since more than a day: see whether it still works, and stop it if not.")
            if old else None,
        )  # fmt: skip
        return
    except StoreError:  # it is told of the store already
        return
    detail = (
        tr("free; a run that was killed had left its name, which is taken away now")
        if since is not None
        else tr("free")
    )
    yield Finding(name="lock", state="ok", detail=detail)


def _feed(app: App) -> Iterator[Finding]:
    from hub.feed import load_manifest
    from hub.publish import current

    folder = current(app.settings.feed)
    if folder is None:
        yield Finding(
            name="feed", state="warning", detail=tr("none was published yet"), mend=tr("Run `hub run`.")
        )
        return
    built = load_manifest(folder).get("built_at")
    age = (clock.now() - datetime.fromisoformat(built)).days if built else None
    yield Finding(
        name="feed", state="ok" if age is not None and age < 7 else "warning",
        detail=trn("{feed}, built {n} day ago", "{feed}, built {n} days ago", age or 0, feed=folder.name),
        mend=None if age is not None and age < 7 else tr("Run `hub run`, and look at `hub status`."),
    )  # fmt: skip


def _secrets(app: App) -> Iterator[Finding]:
    today = clock.now().date()
    soon = today + timedelta(days=app.settings.notify.days_before)
    for place, secret in secrets_of(app):
        try:
            secret.reveal()
        except ConfigError as exc:
            yield Finding(
                name="secrets", state="failed", detail=f"{place}: {exc}",
                mend=tr("Put it there, for the account that runs the hub ({account}).", account=app.actor),
            )  # fmt: skip
            continue
        ends, changed = secret.expires_on(), secret.changed_at()
        told = [tr("there")]
        if changed is not None:
            told.append(tr("written on {day}", day=day(changed.date())))
        told.append(tr("ends on {day}", day=day(ends)) if ends else tr("nothing says when it ends"))
        state: State = "ok" if ends is None or ends > soon else "failed" if ends < today else "warning"
        yield Finding(
            name="secrets", state=state, detail=f"{place}: {', '.join(told)}",
            mend=None if state == "ok" else tr("Make a new one in the tool and put it in its place."),
        )  # fmt: skip


def _announced(app: App) -> Iterator[Finding]:
    """Say what tools announced when they were last asked."""
    from hub.store import reading

    try:
        if not app.engine.exists():
            return
        with reading.opened(app.engine) as store:
            said = endings_of(app, store)
    except StoreError:  # it is told of the store already
        return
    for owner, one in said:
        near = one.is_soon(app.settings.notify.days_before)
        over = one.kind == "token" and one.on is not None and one.on < clock.now().date()
        state: State = "failed" if over else "warning" if near or one.is_told else "ok"
        mend = (
            tr("Make a new one in the tool and put it in its place.")
            if one.kind == "token"
            else tr("Read what replaces it; a newer version of the plugin may ask elsewhere already.")
        )
        yield Finding(
            name="announced", state=state, detail=f"{owner}: {one.sentence}",
            mend=None if state == "ok" else mend,
        )  # fmt: skip


# ---------- the schedule ----------


def _schedule(app: App) -> Iterator[Finding]:
    from hub.schedule import Cron
    from hub.store import reading

    schedule = app.settings.schedule
    if not schedule.run:
        yield Finding(
            name="schedule", state="warning", detail=tr("the configuration has none"),
            mend=tr('Add [schedule] with run = "0 6 * * 1-5", then `hub schedule install --apply`.'),
        )  # fmt: skip
        return
    Cron.parse(schedule.run)
    installed = installations()
    if installed:
        for one in installed:
            yield Finding(name="schedule", state="ok", detail=one)
    else:
        yield Finding(
            name="schedule", state="warning",
            detail=tr("{cron} is not installed in a scheduler of this machine", cron=schedule.run),
            mend=tr("`hub schedule install --apply`, or keep `hub schedule run` running as a service."),
        )  # fmt: skip
    if not app.engine.exists():
        return
    with reading.opened(app.engine) as store:
        found = missed_runs(app, store)
        runs = store.runs(limit=1)
    if runs and runs[0].started_at > f"{clock.now() + timedelta(seconds=SKEW_S):%Y-%m-%dT%H:%M:%S.%fZ}":
        yield Finding(
            name="clock", state="failed",
            detail=tr("the last run began at {at}, which is to come", at=runs[0].started_at[:16]),
            mend=tr(CLOCK),
        )  # fmt: skip
    if found:
        yield Finding(
            name="schedule", state="failed", detail=missed_text(found),
            mend=tr("Look at the scheduler's own log: journalctl --user -u pm-hub, cron's mail, or the "
                    "history of the task pm-hub."),
        )  # fmt: skip
    elif runs:
        yield Finding(
            name="schedule", state="ok", detail=tr("it last fired at {at}", at=runs[0].started_at[:16])
        )


def installations(run: Callable[..., Any] = subprocess.run) -> list[str]:
    """Return what the schedulers of this machine know of the hub, each in a sentence."""
    from hub.schedule import MARK

    def asked(*command: str) -> str:
        try:
            done = run(list(command), capture_output=True, text=True, check=False, timeout=15)
        except (OSError, subprocess.SubprocessError):
            return ""
        return done.stdout if done.returncode == 0 else ""

    found = []
    shown = asked(
        "systemctl", "--user", "show", "pm-hub.timer", "-p", "ActiveState", "-p", "LastTriggerUSec",
        "-p", "NextElapseUSecRealtime",
    )  # fmt: skip
    facts = dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)
    if facts.get("ActiveState") == "active":
        found.append(
            tr(
                "systemd's timer pm-hub is active; it last fired {last}, next {next}",
                last=facts.get("LastTriggerUSec") or tr("never"),
                next=facts.get("NextElapseUSecRealtime") or "?",
            )
        )
    found += [
        tr("crontab: {line}", line=line)
        for line in asked("crontab", "-l").splitlines()
        if MARK in line and not line.lstrip().startswith("#")
    ]
    if os.name == "nt" and (task := asked("schtasks", "/Query", "/TN", "pm-hub", "/FO", "CSV", "/V", "/NH")):
        found.append(tr("Task Scheduler: {line}", line=task.strip()))
    return found
