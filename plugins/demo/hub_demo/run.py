"""Make the portfolio, live through its last three committees, then run the main job on it as a PMO would."""

from __future__ import annotations

import contextlib
import io
import shutil
import sys
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from hub import ConfigError, tr
from hub_demo.sites import MARK, Mark, free_ports
from hub_demo.write import write_all

_MONTHS = (
    "janvier",
    "février",
    "mars",
    "avril",
    "mai",
    "juin",
    "juillet",
    "août",
    "septembre",
    "octobre",
    "novembre",
    "décembre",
)


def show(root_context: click.Context, out: Path, *, seed: int, scale: float, lang: str) -> int:
    """Fill *out*, run ``hub run`` on it, and return the exit code of the run."""
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise ConfigError(
            tr("{out} is not empty and was not made by `hub demo`: name another folder with --out.", out=out)
        )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    moment = root_context.params.get("moment")
    today = datetime.fromisoformat(moment).date() if moment else date.today()
    mark = Mark(seed=seed, scale=scale, today=today, ports=free_ports())
    (out / MARK).write_bytes(msgspec.json.encode(mark))
    portfolio = mark.portfolio
    config = out / "config" / "hub.toml"
    cli: Any = root_context.command
    issues = sum(len(project.issues) for project in portfolio.projects)
    cards = sum(len(project.cards) for project in portfolio.projects)
    click.echo(
        tr(
            "Imagined {projects} projects, {people} people, {issues:,} issues, {cards} cards, "
            "{lines:,} timesheet lines in {out}.",
            projects=len(portfolio.projects),
            people=len(portfolio.people),
            issues=issues,
            cards=cards,
            lines=len(portfolio.lines),
            out=out,
        )
    )
    crisis = crisis_days(today) if any(project.story == "crisis" for project in portfolio.projects) else []
    moments = [(day, label, "copil") for day, label in committees(today)]
    moments += [(day, f"Cellule de crise {day}", "daily") for day in crisis]
    for day, label, kind in sorted(moments):
        write_all(portfolio, out, day, lang=lang, ports=mark.ports)
        click.echo(
            tr("Living through {label}: sync, cut.", label=label)
            if kind == "daily"
            else tr("Living through {label} ({day}): sync, cut, close.", label=label, day=str(day))
        )
        steps = [(["sync"], "T17:00:00Z"), (["cut", "take", "--label", label, "--kind", kind], "T18:00:00Z")]
        if kind == "copil":
            steps.append((["cut", "close", label], "T18:30:00Z"))
        for words, at in steps:
            quietly(cli, ["--config", str(config), "--now", f"{day}{at}", *words])
    write_all(portfolio, out, today, lang=lang, ports=mark.ports)
    # as this person can type it: the environment's hub is not on the path of a fresh machine
    hub = "hub" if shutil.which("hub") else sys.argv[0]
    click.echo(tr("$ {hub} --config {config} run", hub=hub, config=config))
    pretended = ["--now", moment] if moment else []
    code = cli.main(["--config", str(config), *pretended, "run"], standalone_mode=False)
    click.echo(tr("Next, change a file in {out} and run again; or ask what a committee asks:", out=out))
    last = committees(today)[-1][1]
    for line in (
        "run",
        "status",
        "kpi --kpi EVM_DAYS --kpi MILESTONE_SLIP",
        f'publish --vs "{last}"',
        "explain EVM_DAYS --project P001",
        "match review",
    ):
        click.echo(f"  {hub} --config {config} {line}")
    if "serve" in cli.list_commands(root_context):
        click.echo(tr("And look at it in a browser, at the address that this prints:"))
        click.echo(f"  {hub} --config {config} serve")
    return code if isinstance(code, int) else 0


def committees(today: date) -> list[tuple[date, str]]:
    """Return the last three committees: the last day but one of each month before this one."""
    found = []
    first = today.replace(day=1)
    for _ in range(3):
        last = first - timedelta(days=1)
        day = last - timedelta(days=max(0, last.weekday() - 4))
        found.append((day, f"COPIL {_MONTHS[day.month - 1]} {day.year}"))
        first = last.replace(day=1)
    return found[::-1]


def crisis_days(today: date) -> list[date]:
    """Return the last five workdays before *today*.

    The crisis team looks every day, where committees look once a month.
    """
    days: list[date] = []
    day = today
    while len(days) < 5:
        day -= timedelta(days=1)
        if day.weekday() < 5:
            days.append(day)
    return days


def quietly(cli: Any, arguments: list[str]) -> None:
    """Run one command of the hub without its words.

    Raises `ConfigError` with them when it does not end well.
    """
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        code = cli.main(arguments, standalone_mode=False)
    if code not in {0, None}:
        raise ConfigError(
            tr(
                "`hub {arguments}` ended with {code}: {output}",
                arguments=" ".join(arguments),
                code=code,
                output=said.getvalue()[-800:],
            )
        )
