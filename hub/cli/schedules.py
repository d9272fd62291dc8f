"""Say when the main job runs."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from typing import Any

import click

from hub import clock
from hub.cli.app import App
from hub.cli.speech import Group
from hub.cli.stopping import Child, stopped_by_signals
from hub.errors import ConfigError
from hub.schedule import KINDS, Cron, plan_installation, trigger
from hub.words import day, mark, tr

_DAYS = (
    mark("Mon"), mark("Tue"), mark("Wed"), mark("Thu"), mark("Fri"), mark("Sat"), mark("Sun"),
)  # fmt: skip


def _cron(app: App) -> str:
    text = app.settings.schedule.run
    if not text:
        raise ConfigError(
            tr('{config} has no schedule: add [schedule] with run = "0 6 * * 1-5".', config=app.config)
        )
    return text


def _now() -> str:
    now = datetime.now()
    return f"{day(now.date())} {now:%H:%M:%S}"


def _command(app: App) -> list[str]:
    return [sys.executable, "-m", "hub", "--config", str(app.config.resolve()), "run"]


def _trigger(app: App) -> Any:
    return trigger(Cron.parse(_cron(app)), tz=app.settings.schedule.tz)


def add_to(cli: click.Group) -> None:
    """Add schedule run, install and list."""

    @cli.group(cls=Group)
    def schedule() -> None:
        """Run the main job at the times of [schedule]."""

    @schedule.command(name="run")
    @click.option("--now", is_flag=True, help="Run once at the start too.")
    @click.pass_obj
    def run_(app: App, now: bool) -> int:
        """Stay and run `hub run` at its times; each run is a process of its own.

        Example: hub schedule run
        """
        from apscheduler.schedulers.blocking import BlockingScheduler

        when = _trigger(app)

        child = Child()

        def job() -> None:
            app.say(tr("{now} hub run", now=_now()))
            code = child.run(_command(app))
            app.say(tr("{now} ended with exit code {code}", now=_now(), code=code))

        scheduler = (
            BlockingScheduler(timezone=app.settings.schedule.tz)
            if app.settings.schedule.tz
            else BlockingScheduler()
        )
        scheduler.add_job(job, when, max_instances=1, coalesce=True, misfire_grace_time=3600)
        with stopped_by_signals():
            try:
                if now:
                    job()
                app.say(tr("Waiting for {cron}; Ctrl-C stops.", cron=_cron(app)))
                scheduler.start()
            except (KeyboardInterrupt, SystemExit):
                child.stop()  # else it would write on while the next start finds the store locked
                if scheduler.running:
                    scheduler.shutdown()
                return 130
        return 0

    @schedule.command()
    @click.option(
        "--kind",
        type=click.Choice(KINDS),
        default="windows" if os.name == "nt" else "systemd",
        show_default=True,
    )
    @click.option("--apply", "apply_", is_flag=True, help="Install it; without this the text is only shown.")
    @click.pass_obj
    def install(app: App, kind: Any, apply_: bool) -> int:
        """Show, or install, the schedule for the machine's own scheduler.

        Example: hub schedule install --kind crontab
        """
        schedule = app.settings.schedule
        plan = plan_installation(
            kind, _cron(app), _command(app), folder=app.settings.base, tz=schedule.tz,
            env_file=app.settings.base / schedule.env_file if schedule.env_file else None,
        )  # fmt: skip
        click.echo(plan.text, nl=False)
        for note in plan.notes:
            app.err.print(note, style="yellow")
        if apply_:
            plan.apply()
            app.say(tr("Installed."), "green")
        else:
            app.err.print(tr("Shown only: add --apply to install it."), style="dim")
        return 0

    @schedule.command(name="list")
    @click.option("--count", default=5, type=click.IntRange(1, 100), show_default=True)
    @click.pass_obj
    def list_(app: App, count: int) -> int:
        """Show the next times of the main job.

        Example: hub schedule list
        """
        when = _trigger(app)
        app.say(tr("hub run at {cron}", cron=_cron(app)))
        last = None
        moment = clock.now().astimezone()
        for _ in range(count):
            last = when.get_next_fire_time(last, moment)
            if last is None:
                break
            app.say(f"  {tr(_DAYS[last.weekday()])} {day(last.date())} {last:%H:%M %Z}")
            moment = last
        return 0
