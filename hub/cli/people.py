"""Personal data: what is held, hand it over, take it away."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.app import App
from hub.cli.backups import backups_of, keep_erased
from hub.cli.output import short_path
from hub.cli.speech import Group, only_if
from hub.errors import ConfigError
from hub.words import day, number, tr

if TYPE_CHECKING:
    from hub.store import Store


def _renew(app: App, store: Store) -> int:
    """Publish a feed without what was taken away, and remove the snapshots that still have it."""
    from hub.cli.building import publish_options
    from hub.cli.output import show_publish
    from hub.feed import forget_projections
    from hub.publish import current, publish

    report = publish(store, app.settings.feed, app.destinations(), publish_options(app))
    show_publish(app, report)
    kept = current(app.settings.feed)
    if report.current:
        for path in app.settings.feed.iterdir():
            if path.is_dir() and path != kept and path.name != "projections":
                shutil.rmtree(path, ignore_errors=True)
        forget_projections(app.settings.feed / "projections", keep=kept.name if kept else None)
    return report.exit_code


def _finish_erasing(app: App, store: Store) -> int:
    """Do what is left of the erasures, and publish anew."""
    from hub import privacy
    from hub.publish import cuts

    keep_erased(app)
    feed = app.settings.feed
    elsewhere = _elsewhere(app, store)
    done = privacy.finish(store, feed, app.settings.base, lambda one: cuts.redact(one, feed, again=True))
    app.say(
        tr(
            "Rewritten: {rows}",
            rows=", ".join(f"{count} {table}" for table, count in done.rows.items()) or tr("nothing"),
        ),
        "green",
    )
    for one in done.files:
        app.say(f"  {one}")
    app.say(tr("Take the line out of people.csv and ask the tools themselves to do the same."))
    if elsewhere:
        app.say(
            tr("What was delivered before may still hold the name where the hub cannot take it back:"),
            "yellow",
        )
        for line in elsewhere:
            app.say(f"  {line}")
    if kept := backups_of(app):
        app.say(
            tr(
                "{count} {count:backup, or place put aside by a restore, still holds|backups or places put "
                "aside by a restore still hold} the name: {names}. A restore takes it away again; remove "
                "{count:it when it is|them when they are} no longer needed.",
                count=len(kept),
                names=", ".join(short_path(path) for path in kept[-3:]),
            ),
            "yellow",
        )
    return _renew(app, store)


def _elsewhere(app: App, store: Store) -> list[str]:
    """Return where feeds with persons or titles were delivered to, with the day of the last delivery."""
    from hub.store.publications import places

    known = app.settings.destinations
    return [
        tr(
            "{destination} ({privacy}): {place}, last on {day}",
            destination=row["destination"],
            privacy=known[row["destination"]].privacy
            if row["destination"] in known
            else tr("no longer configured"),
            place=row["detail"] or "?",
            day=day(row["at"]),
        )
        for row in places(store)
    ]


@click.group(cls=Group, name="privacy")
def privacy_() -> None:
    """Say, hand over and take away what the hub holds of persons."""


@privacy_.command()
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def report(app: App, json_: bool) -> int:
    """Show what is held of persons, how far back, and at which level each destination gets it.

    Example: hub privacy report
    """
    from rich.table import Table

    from hub import privacy
    from hub.cli.output import short_path

    with app.store() as store:
        held = privacy.report(store)
    levels = {name: one.privacy for name, one in app.settings.destinations.items()}
    snapshots = (
        sorted(path.name for path in app.settings.feed.glob("*") if (path / "manifest.json").exists())
        if app.settings.feed.is_dir()
        else []
    )
    k = app.settings.privacy.k
    if json_:
        app.as_json({"store": held, "snapshots": snapshots, "destinations": levels, "k": k})
        return 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, where in (
        (tr("table"), "left"),
        (tr("columns"), "left"),
        (tr("rows with a person"), "right"),
        (tr("older images"), "right"),
        (tr("oldest day"), "left"),
    ):
        table.add_column(name, justify=where)  # type: ignore[arg-type]
    for one in held:
        table.add_row(
            one.table, ", ".join(one.columns), number(one.rows), number(one.older_images), one.oldest or ""
        )
    app.console.print(table)
    app.say(
        tr(
            "{count} {count:snapshot|snapshots} with names in {path} (0600, never a destination).",
            count=len(snapshots),
            path=short_path(app.settings.feed),
        )
    )
    for name, level in levels.items():
        app.say(f"  {name}: {level}", "yellow" if level == "nominative-line" else None)
    app.say(
        tr("A sum that shows a team or a week is made of {k} people or more.", k=k),
        "yellow" if k < 5 else None,
    )
    if k < 5:
        app.say(tr("[privacy] k is below 5: someone may be told from a sum of so few."), "yellow")
    app.say(
        tr(
            "Lines older than {keep_months} months lose their person with `hub privacy purge`.",
            keep_months=app.settings.privacy.keep_months,
        )
    )
    return 0


@privacy_.command()
@click.argument("who")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The JSON file to write (0600).",
)
@click.pass_obj
def export(app: App, who: str, out: Path) -> int:
    """Write everything held of one person, older images too, for a request of access.

    Example: hub privacy export jean.dupont@corp.com --out dupont.json
    """
    from hub import privacy
    from hub.files import write_atomically

    with app.store() as store:
        subject = privacy.find(store, who)
        found = privacy.export(store, subject)
    with write_atomically(out) as file:
        file.write(
            json.dumps({"subject": subject.name, "tables": found}, ensure_ascii=False, indent=1).encode()
        )
    app.say(
        tr(
            "Wrote {total:,} {total:row|rows} of {count} {count:table|tables} about {name} to {out}.",
            total=sum(len(rows) for rows in found.values()),
            count=len(found),
            name=subject.name,
            out=out,
        ),
        "green",
    )
    return 0


@privacy_.command()
@click.argument("who", required=False)
@click.option(
    "--texts",
    is_flag=True,
    help="Take the name out of free texts too: titles, comments, labels, categories.",
)
@click.option("--resume", is_flag=True, help="Finish what a killed run left.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def erase(app: App, who: str | None, texts: bool, resume: bool, yes: bool) -> int:
    """Take away who a person is, in ids, history, cuts and snapshots too; hours stay with projects.

    Example: hub privacy erase jean.dupont@corp.com --texts
    """
    from hub import privacy

    if bool(who) == resume:
        raise ConfigError(tr("Say whom to erase, or --resume to finish what was begun."))
    with app.store(writing=True) as store:
        waiting = privacy.pending(store)
        if resume:
            if not waiting:
                app.say(tr("No erasure is pending."))
                return 0
            return _finish_erasing(app, store)
        try:
            subject = privacy.find(store, str(who))
        except ConfigError:
            if not store.door.knows(str(who)):
                raise
            app.say(tr("Erased before.") if not waiting else tr("Begun before; what is left is done now."))
            return _finish_erasing(app, store) if waiting else 0
        named = privacy.texts(store, subject)
        app.say(
            tr(
                "{name}: {accounts} {accounts:account|accounts}, {lines} {lines:line|lines} of people.csv.",
                name=subject.name,
                accounts=len(subject.accounts),
                lines=len(subject.persons),
            )
        )
        for table, column, id_, text in named[:50]:
            app.say(
                tr("  {table}.{column} of {id}: {text}", table=table, column=column, id=id_, text=text[:100])
            )
        if named:
            app.say(
                tr(
                    "{count} free {count:text holds|texts hold} the name: it goes out of them.",
                    count=len(named),
                )
                if texts
                else tr(
                    "{count} free {count:text holds the name: it stays as it is|texts hold the name: "
                    "they stay as they are}; --texts takes it out.",
                    count=len(named),
                ),
                "yellow",
            )
        if not yes:
            only_if(tr("Take the name away everywhere, for ever?"))
        privacy.begin(store, subject, actor=app.actor, texts=texts)
        return _finish_erasing(app, store)


@privacy_.command()
@click.option("--keep-months", type=click.IntRange(1), help="Instead of [privacy] keep_months.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_obj
def purge(app: App, keep_months: int | None, yes: bool) -> int:
    """Take persons off old lines: project, day, role and hours stay, and every KPI of a project with them.

    Example: hub privacy purge --keep-months 13
    """
    from hub import privacy

    months = keep_months or app.settings.privacy.keep_months
    with app.store(writing=True) as store:
        if not yes:
            only_if(tr("Take the person off every line older than {months} months, for ever?", months=months))
        done = privacy.purge(store, keep_months=months, actor=app.actor)
        app.say(
            tr(
                "Rewritten: {rows}",
                rows=", ".join(f"{count} {table}" for table, count in done.items()) or tr("nothing"),
            ),
            "green",
        )
        return _renew(app, store)


def add_to(cli: click.Group) -> None:
    """Add privacy."""
    cli.add_command(privacy_)
