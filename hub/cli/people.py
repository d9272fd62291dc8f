"""Personal data: what is held, hand it over, take it away."""

from __future__ import annotations

import getpass
import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli.app import App, Group

if TYPE_CHECKING:
    from hub.store import Store


def _renew(app: App, store: Store) -> int:
    """Publish a feed without what was taken away, and remove the snapshots that still have it."""
    from hub.cli.building import publish_options
    from hub.cli.output import show_publish
    from hub.publish import current, publish

    report = publish(store, app.settings.feed, app.destinations(), publish_options(app))
    show_publish(app, report)
    kept = current(app.settings.feed)
    if report.current:
        for path in app.settings.feed.iterdir():
            if path.is_dir() and path != kept and path.name != "projections":
                shutil.rmtree(path, ignore_errors=True)
        for level in (app.settings.feed / "projections").glob("*"):
            for path in level.iterdir():
                if kept is None or path.name != kept.name:
                    shutil.rmtree(path, ignore_errors=True)
    return report.exit_code


def add_to(cli: click.Group) -> None:
    """Add privacy."""

    @cli.group(cls=Group, name="privacy")
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
        if json_:
            app.as_json({"store": held, "snapshots": snapshots, "destinations": levels})
            return 0
        table = Table(box=None, pad_edge=False, header_style="bold")
        for name, where in (
            ("table", "left"),
            ("rows with a person", "right"),
            ("older images", "right"),
            ("oldest day", "left"),
        ):
            table.add_column(name, justify=where)  # type: ignore[arg-type]
        for one in held:
            table.add_row(one.table, f"{one.rows:,}", f"{one.older_images:,}", one.oldest or "")
        app.console.print(table)
        app.say(
            f"{len(snapshots)} snapshots with names in {short_path(app.settings.feed)} (0600, never a destination)."
        )
        for name, level in levels.items():
            app.say(f"  {name}: {level}", "yellow" if level == "nominative-line" else None)
        app.say(
            f"Lines older than {app.settings.privacy.keep_months} months lose their person with `hub privacy purge`."
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
            f"Wrote {sum(len(rows) for rows in found.values()):,} rows of {len(found)} tables about {subject.name} to {out}.",
            "green",
        )
        return 0

    @privacy_.command()
    @click.argument("who")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @click.pass_obj
    def erase(app: App, who: str, yes: bool) -> int:
        """Take away who a person is, in history and snapshots too; hours stay with their project.

        Example: hub privacy erase jean.dupont@corp.com
        """
        from hub import privacy

        with app.store(writing=True) as store:
            subject = privacy.find(store, who)
            app.say(
                f"{subject.name}: {len(subject.accounts)} accounts, {len(subject.persons)} lines of people.csv."
            )
            if not yes:
                click.confirm("Take the name away everywhere, for ever?", abort=True)
            done = privacy.erase(store, subject, actor=getpass.getuser())
            app.say(
                "Rewritten: " + (", ".join(f"{count} {table}" for table, count in done.items()) or "nothing"),
                "green",
            )
            app.say(
                "Take the line out of people.csv and ask the tools themselves to do the same. Closed cuts hold no persons."
            )
            return _renew(app, store)

    @privacy_.command()
    @click.option("--keep-months", type=click.IntRange(1), help="Instead of [privacy] keep_months.")
    @click.option("--yes", is_flag=True, help="Do not ask.")
    @click.pass_obj
    def purge(app: App, keep_months: int | None, yes: bool) -> int:
        """Take persons off old lines: project, day, role and hours stay, and every figure of a project with them.

        Example: hub privacy purge --keep-months 13
        """
        from hub import privacy

        months = keep_months or app.settings.privacy.keep_months
        with app.store(writing=True) as store:
            if not yes:
                click.confirm(
                    f"Take the person off every line older than {months} months, for ever?", abort=True
                )
            done = privacy.purge(store, keep_months=months, actor=getpass.getuser())
            app.say(
                "Rewritten: " + (", ".join(f"{count} {table}" for table, count in done.items()) or "nothing"),
                "green",
            )
            return _renew(app, store)
