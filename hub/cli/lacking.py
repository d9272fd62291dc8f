"""The commands about what figures lack: rows that left or are held, and what could not be taken."""

from __future__ import annotations

import json

import click

from hub.cli.app import App
from hub.cli.info import must_exist
from hub.cli.speech import Group, only_if
from hub.words import number, tr


@click.group(cls=Group, invoke_without_command=True)
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_context
def presence(ctx: click.Context, json_: bool) -> int:
    """List what left, since when and why, and what is held, with the hours and tasks at stake.

    Example: hub presence
    """
    from rich.table import Table

    if ctx.invoked_subcommand:
        return 0
    app: App = ctx.obj
    must_exist(app)
    with app.store() as store:
        held, left = store.held(), store.left()
    if json_:
        app.as_json({"held": held, "left": left})
        return 0
    for title, lines in ((tr("Held until you accept"), held), (tr("Not present"), left)):
        if not lines:
            continue
        table = Table(box=None, pad_edge=False, header_style="bold", title=title, title_justify="left")
        for name, where in (
            (tr("source"), "left"), (tr("container"), "left"), (tr("project"), "left"),
            (tr("presence"), "left"), (tr("since"), "left"), (tr("rows"), "right"), (tr("tasks"), "right"),
            (tr("hours"), "right"), (tr("evidence"), "left"),
        ):  # fmt: skip
            table.add_column(name, justify=where)  # type: ignore[arg-type]
        for line in lines:
            table.add_row(
                line.source_id,
                line.container,
                line.project,
                tr(line.presence),
                line.since[:16].replace("T", " "),
                number(line.rows),
                number(line.tasks),
                number(line.seconds / 3600, "g"),
                line.evidence,
            )
        app.console.print(table)
    if held:
        app.say(tr("`hub presence accept [SOURCE]` lets go what is held."))
    if not held and not left:
        app.say(tr("Everything that was ever synced is present."))
    return 0


@presence.command()
@click.argument("source", required=False)
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def accept(app: App, source: str | None, yes: bool) -> int:
    """Let go the rows that are held, of SOURCE or of all sources.

    Example: hub presence accept plans
    """
    must_exist(app)
    with app.store(writing=True) as store:
        stakes = store.held(source)
        if not stakes:
            app.say(tr("Nothing is held."))
            return 0
        for stake in stakes:
            app.say(
                tr(
                    "{source}: {at_stake} of {where}: {evidence}",
                    source=stake.source_id,
                    at_stake=stake.at_stake,
                    where=stake.where or stake.source_id,
                    evidence=stake.evidence,
                )
            )
        if not yes:
            only_if(tr("Let them leave the feed?"))
        actor = app.actor
        with store.transaction():
            done = store.accept(source, run_id=0, actor=actor)
            store.audit("presence accept", source or "*", actor=actor, after=json.dumps(done))
    app.say(
        tr(
            "Left: {names}. `hub publish` shows it in the feed.",
            names=", ".join(f"{count} {table}" for table, count in done.items()),
        )
    )
    return 0


@click.group(cls=Group, invoke_without_command=True)
@click.option("--source", default=None, help="Only those of this source.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_context
def rejections(ctx: click.Context, source: str | None, json_: bool) -> int:
    """List what could not be taken: where it stands, why, since when, and what figures lack by it.

    Example: hub rejections --source hours
    """
    from rich.table import Table

    from hub.store import rejections as kept

    if ctx.invoked_subcommand:
        return 0
    app: App = ctx.obj
    must_exist(app)
    with app.store() as store:
        found = kept.rejected(store, source)
    if json_:
        app.as_json(found)
        return 0
    if not found:
        app.say(tr("Everything that was met could be taken. What was not read at all is in `hub status`."))
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, where in (
        (tr("no"), "right"), (tr("source"), "left"), (tr("place"), "left"), (tr("field"), "left"),
        (tr("value"), "left"), (tr("reason"), "left"), (tr("hours"), "right"), (tr("amount"), "right"),
        (tr("since"), "left"), (tr("accepted"), "left"),
    ):  # fmt: skip
        table.add_column(name, justify=where, overflow="fold")  # type: ignore[arg-type]
    for one in found:
        amount = (
            f"{number(one.amount_minor / 100, ',.2f')} {one.currency or ''}"
            if one.amount_minor is not None
            else ""
        )
        table.add_row(
            str(one.id), one.source_id, one.place, one.field, one.value or "", one.reason,
            number(one.seconds / 3600, "g") if one.seconds is not None else "", amount,
            one.first_seen[:10], f"{one.accepted_by}: {one.accepted_why}" if one.accepted_at else "",
        )  # fmt: skip
    app.console.print(table)
    app.say(tr("Correct them where they stand; `hub rejections accept NO --why …` silences what stays so."))
    return 0


@rejections.command(name="accept")
@click.argument("numbers", metavar="NO…", nargs=-1, required=True, type=int)
@click.option("--why", required=True, help="The reason, which is kept.")
@click.pass_obj
def accept_rejections(app: App, numbers: tuple[int, ...], why: str) -> int:
    """Say that these stay missing for a known reason: runs are green again, and they stay listed.

    Example: hub rejections accept 12 13 --why "test lines of the tool"
    """
    from hub.store import rejections as kept

    must_exist(app)
    with app.store(writing=True) as store:
        for one in kept.accept(store, numbers, actor=app.actor, why=why):
            app.say(
                tr(
                    "{source}: {place} stays missing ({reason}): {why}",
                    source=one.source_id, place=one.place, reason=one.reason, why=why,
                )
            )  # fmt: skip
    return 0


def add_to(cli: click.Group) -> None:
    """Add presence and rejections."""
    for command in (presence, rejections):
        cli.add_command(command)
