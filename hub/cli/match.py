"""Review who is who and what is what across tools."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.app import App
from hub.cli.speech import Group
from hub.errors import ConfigError
from hub.files import read_as_written, write_atomically
from hub.words import number, tr

if TYPE_CHECKING:
    from hub import matching


_STATES = ["proposed", "accepted", "rejected"]


def _show(app: App, lines: list[matching.Line], limit: int) -> None:
    from rich.table import Table
    from rich.text import Text

    from hub import matching

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("id", "what", "this", "is", "score", "method", "state", "why"):
        table.add_column(tr(name), justify="right" if name == "score" else "left")
    for line in lines[:limit]:
        style = {"accepted": "green", "rejected": "red"}.get(line.state, "yellow")
        left = f"{line.left_name} [{line.left.partition(':')[0]}]"
        table.add_row(
            line.id,
            tr(line.kind),
            left,
            line.right_name,
            number(line.score, ".2f"),
            matching.spoken_method(line.method),
            Text(tr(line.state), style),
            matching.spoken_evidence(line.reason),
        )
    app.console.print(table)
    if len(lines) > limit:
        app.say(
            tr(
                "… and {count} more: --limit {limit}, or `hub match export`.",
                count=len(lines) - limit,
                limit=len(lines),
            ),
            "dim",
        )


def _chosen(
    app: App, ids: tuple[str, ...], method: str | None, min_score: float | None, kind: str | None
) -> list[str]:
    from hub import matching

    if ids:
        return list(ids)
    if method is None and min_score is None:
        raise ConfigError(tr("Name links by their id, or choose them with --method or --min-score."))
    with app.store() as store:
        return [
            line.id
            for line in matching.lines(store, state="proposed", kind=kind)
            if method in {None, line.method, matching.spoken_method(line.method)}
            if min_score is None or line.score >= min_score
        ]


@click.group(cls=Group)
def match() -> None:
    """Match people, tasks and containers across tools; exact identifiers decide, names only propose."""


@match.command()
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def propose(app: App, json_: bool) -> int:
    """Look for matches: those by an exact identifier are accepted, the others wait for you.

    Example: hub match propose
    """
    from hub import matching

    with app.store(writing=True) as store:
        counts = matching.propose(store, app.settings.match.domain_aliases, actor=app.actor)
        waiting = matching.lines(store, state="proposed")
    if json_:
        app.as_json({"counts": counts, "waiting": waiting})
        return 0
    app.say(
        tr(
            "Accepted {accepted} by an exact identifier, {count} wait for you, {withdrawn} taken back.",
            accepted=counts.accepted,
            count=len(waiting),
            withdrawn=counts.withdrawn,
        ),
        "green",
    )
    if waiting:
        app.say(tr("`hub match review` shows them; `hub match export FILE` for a spreadsheet."))
    return 0


@match.command()
@click.option(
    "--state",
    type=click.Choice([*_STATES, "all"]),
    default="proposed",
    show_default=True,
    help="Which links.",
)
@click.option("--kind", type=click.Choice(["person", "task", "container"]), help="Only links of this kind.")
@click.option("--leftovers", is_flag=True, help="Hours on issues that carry out a plan task, and the rest.")
@click.option("--limit", type=click.IntRange(1), default=40, show_default=True, help="Lines to print.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def review(app: App, state: str, kind: str | None, leftovers: bool, limit: int, json_: bool) -> int:
    """Show links with method, score and reason.

    Example: hub match review --kind person
    """
    from rich.table import Table

    from hub import matching

    with app.store() as store:
        if leftovers:
            rows = matching.leftovers(store)
            if json_:
                app.as_json(rows)
                return 0
            table = Table(box=None, pad_edge=False, header_style="bold")
            for name in ("project", "hours matched", "hours left over", "issues left over"):
                table.add_column(tr(name), justify="left" if name == "project" else "right")
            for row in rows:
                table.add_row(
                    row.project or tr("(none)"),
                    number(row.matched_s / 3600, ",.1f"),
                    number(row.left_s / 3600, ",.1f"),
                    number(row.unmatched_issues),
                )
            app.console.print(table)
            return 0
        lines = matching.lines(store, state=None if state == "all" else state, kind=kind)
    if json_:
        app.as_json(lines)
    elif not lines:
        app.say(tr("Nothing waits for you.") if state == "proposed" else tr("There are none."))
    else:
        _show(app, lines, limit)
    return 0


@match.command()
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--method", help="All proposals found by this method, such as name.")
@click.option("--min-score", type=click.FloatRange(0, 1), help="All proposals with at least this score.")
@click.option(
    "--kind", type=click.Choice(["person", "task", "container"]), help="Only proposals of this kind."
)
@click.option("--reason", help="Why, for the audit log.")
@click.pass_obj
def accept(
    app: App,
    ids: tuple[str, ...],
    method: str | None,
    min_score: float | None,
    kind: str | None,
    reason: str | None,
) -> int:
    """Accept links: by id, or all proposals of a method.

    Example: hub match accept p12 t3
    """
    from hub import matching

    chosen = _chosen(app, ids, method, min_score, kind)
    with app.store(writing=True) as store:
        done = matching.accept(store, chosen, actor=app.actor, reason=reason)
    app.say(tr("Accepted {done}. `hub publish` shows it in the feed.", done=done), "green")
    return 0


@match.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--reason", help="Why, for the audit log.")
@click.pass_obj
def reject(app: App, ids: tuple[str, ...], reason: str | None) -> int:
    """Reject links: they are not proposed again.

    Example: hub match reject p12
    """
    from hub import matching

    with app.store(writing=True) as store:
        done = matching.reject(store, ids, actor=app.actor, reason=reason)
    app.say(tr("Rejected {done}.", done=done))
    return 0


@match.command()
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--reason", help="Why, for the audit log.")
@click.pass_obj
def split(app: App, ids: tuple[str, ...], reason: str | None) -> int:
    """Take back accepted links: the account or issue stands alone again.

    Example: hub match split p12 --reason "two people of one name"
    """
    from hub import matching

    with app.store(writing=True) as store:
        done = matching.split(store, ids, actor=app.actor, reason=reason)
    app.say(tr("Split {done}.", done=done))
    return 0


@match.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--state",
    type=click.Choice([*_STATES, "all"]),
    default="proposed",
    show_default=True,
    help="Which links.",
)
@click.pass_obj
def export(app: App, file: Path, state: str) -> int:
    """Write links as CSV: change the column state in a spreadsheet, then import it.

    Example: hub match export matches.csv
    """
    from hub import matching

    with app.store() as store:
        text = matching.export_csv(store, state=None if state == "all" else state)
    with write_atomically(file) as out:
        out.write(("\ufeff" + text).encode())
    app.say(
        tr(
            "Wrote {count} {count:link|links} to {file}. Set state to accepted or rejected, then `hub match "
            "import {file}`.",
            count=text.count(chr(10)) - 1,
            file=file,
        ),
        "green",
    )
    return 0


@match.command(name="import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
def import_(app: App, file: Path) -> int:
    """Take the decisions of an exported CSV; a wrong line refuses the file.

    Example: hub match import matches.csv
    """
    from hub import matching

    text = read_as_written(file, ConfigError)
    with app.store(writing=True) as store:
        accepted, rejected = matching.import_csv(store, text, name=file.name, actor=app.actor)
    app.say(tr("Accepted {accepted}, rejected {rejected}.", accepted=accepted, rejected=rejected), "green")
    return 0


def add_to(cli: click.Group) -> None:
    """Add match."""
    cli.add_command(match)
