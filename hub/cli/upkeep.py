"""Keep a place for years: compact it, forget what is old, and say what an upgrade does."""

from __future__ import annotations

import contextlib
import getpass
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hub.cli import backups, info
from hub.cli.app import App
from hub.cli.backups import into_folder, size_text
from hub.cli.info import must_exist
from hub.cli.output import short_path
from hub.cli.speech import Command
from hub.errors import ConfigError, HubError, StoreError
from hub.words import number, tr

if TYPE_CHECKING:
    from hub.settings import Retention
    from hub.store import Store
    from hub.store.retention import Limits


@click.command(cls=Command)
@click.option(
    "--full", is_flag=True, help="On a server: give its disk the room back; nobody reads meanwhile."
)
@click.pass_obj
def vacuum(app: App, full: bool) -> int:
    """Give the disk back what the store no longer needs, and order its pages.

    Nobody may write meanwhile, and the disk needs room for a second store. On a server room is freed for new
    rows, readers go on, and its statistics are taken anew.

    Example: hub store vacuum
    """
    engine = must_exist(app)
    if engine.path is None:
        return _vacuum_server(app, full=full)
    path = engine.path
    before = path.stat().st_size
    free = shutil.disk_usage(path.parent).free
    if free < 2 * before:
        raise StoreError(
            tr(
                "{folder} has {free} free, and compacting {path} needs up to {need}: free some space first.",
                folder=path.parent, free=size_text(free), path=path.name, need=size_text(2 * before),
            )
        )  # fmt: skip
    with app.store(writing=True) as opened:
        opened.compact()
    app.say(
        tr("{path}: {before} became {after}.", path=short_path(path), before=size_text(before),
           after=size_text(path.stat().st_size)),
        "green",
    )  # fmt: skip
    return 0


def _vacuum_server(app: App, *, full: bool) -> int:
    engine = must_exist(app)
    with app.store(writing=True) as store:
        before = store.engine.size(store.connection)
        if app.settings.retention != type(app.settings.retention)():
            rows, _, _ = forget(app, store, dry_run=True)
            if rows:
                app.say(
                    tr(
                        "[retention] lets {count} rows go that are still there: `hub store prune` first "
                        "frees their room too.",
                        count=number(sum(rows.values())),
                    ),
                    "yellow",
                )
        try:
            dead, others = store.engine.tidy(store.connection)
            if full and not others:
                store.compact()
        except store.engine.error as exc:
            raise store.engine.explain(exc) from exc
        after = store.engine.size(store.connection)
    app.say(
        tr(
            "{where}: {before} became {after}; the room of {dead} dead rows is free for new ones.",
            where=engine.where, before=size_text(before), after=size_text(after), dead=number(dead),
        ),
        "green",
    )  # fmt: skip
    if others:
        app.say(
            tr(
                "{count} tables belong to another account, which has to look after them: {tables}.",
                count=len(others), tables=", ".join(others[:5]) + (" …" if len(others) > 5 else ""),
            ),
            "yellow",
        )  # fmt: skip
    return 3 if others else 0


def _limits(settings: Retention) -> Limits:
    from hub import clock
    from hub.store.retention import Limits, months_before

    today = clock.now().date()
    return Limits(
        history=months_before(today, settings.history_months),
        runs=months_before(today, settings.runs_months),
        deliveries=months_before(today, settings.deliveries_months),
    )


def forget(app: App, store: Store, *, dry_run: bool = False) -> tuple[dict[str, int], list[Path], int]:
    """Prune as configured; gives rows per table, folders of feeds, and the bytes of those."""
    from hub.publish import retire, retired
    from hub.store.retention import prune as forget_rows

    limits = _limits(app.settings.retention)
    folders = retired(store, app.settings.feed, keep=app.settings.gate.keep_feeds)
    weight = sum(file.stat().st_size for folder in folders for file in folder.rglob("*") if file.is_file())
    with store.rehearsal() if dry_run else contextlib.nullcontext():
        rows = forget_rows(store, limits, actor=_who())
    if not dry_run:
        retire(folders)
    return rows, folders, weight


@click.command(cls=Command)
@click.option("--dry-run", is_flag=True, help="Say what it would free, and free nothing.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def prune(app: App, dry_run: bool, json_: bool) -> int:
    """Forget what [retention] says: older images no cut shows, old runs, deliveries, and old feeds.

    `hub run` does it at its end where [retention] says something.

    Example: hub store prune --dry-run
    """
    must_exist(app)
    with app.store(writing=True) as store:
        rows, folders, weight = forget(app, store, dry_run=dry_run)
    if json_:
        app.as_json({"rows": rows, "folders": [str(one) for one in folders], "bytes_of_folders": weight})
        return 0
    what = ", ".join(f"{number(count)} {table}" for table, count in rows.items()) or tr("no rows")
    app.say(
        tr("Would be freed: {what}; {count} {count:folder|folders} of feeds, "
            "{size}.", what=what, count=len(folders),
           size=size_text(weight))
        if dry_run
        else tr("Freed: {what}; {count} {count:folder|folders} of feeds, "
            "{size}.", what=what, count=len(folders),
                size=size_text(weight)),
        "green",
    )  # fmt: skip
    if app.settings.retention == type(app.settings.retention)():
        app.say(tr("[retention] says nothing: rows are kept for ever."))
    elif rows and not dry_run:
        app.say(
            tr("The file keeps its size and reuses the room; `hub store vacuum` gives it back.")
            if app.engine.path
            else tr("The server's files keep their size; `hub store vacuum` frees the room for new rows.")
        )
    return 0


def after_run(app: App, store: Store) -> int:
    """Prune and back up at the end of a run, as configured; gives 3 where the backup is not whole.

    A place that cannot take the backup costs no feed: it is told.
    """
    settings = app.settings
    if settings.retention != type(settings.retention)():
        forget(app, store)
    if not settings.backup.each_run:
        return 0
    try:
        if not settings.backup.folder:
            raise ConfigError(tr("[backup] each_run needs [backup] folder."))
        made, _ = into_folder(
            app, settings.base / settings.backup.folder, settings.backup.key,
            secrets=settings.backup.secrets,
        )  # fmt: skip
    except HubError as exc:
        app.err.print(tr("Warning: no backup was made: {error}", error=exc), style="red")
        return 3
    for line in made.damaged:
        app.err.print(tr("Not whole: {line}.", line=line), style="red")
    return 3 if made.damaged else 0


@click.command(cls=Command)
@click.option("--check", "only_check", is_flag=True, help="Say what would be done, and touch nothing.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def upgrade(app: App, only_check: bool, json_: bool) -> int:
    """Bring the store to this version: a copy is kept beside it first, and it is verified afterwards.

    Any other command does the same where it is needed.

    Example: hub upgrade --check
    """
    from hub.store import copies
    from hub.store.engines.sqlite import BEFORE
    from hub.store.store import lacking
    from hub.version import release

    engine = must_exist(app)
    if engine.path is None:
        return _upgrade_server(app, only_check=only_check, json_=json_)
    path = engine.path
    found = copies.schema(path)
    copied = path.with_name(f"{path.name}{BEFORE}{max(found.applied)}") if found.applied else None
    if json_ and (only_check or not found.pending):
        app.as_json(
            {
                "hub": release(), "store": str(path), "applied": found.applied, "pending": found.pending,
                "newer": found.newer, "bytes": path.stat().st_size,
                "free": shutil.disk_usage(path.parent).free,
            }
        )  # fmt: skip
        return 0
    lacking(found.applied, path)
    if not found.pending:
        app.say(tr("{path} is of this version ({hub}).", path=short_path(path), hub=release()), "green")
        return 0
    for name in found.pending:
        app.say(f"  {name}: {tr(copies.WHAT[name])}")
    if only_check:
        app.say(
            tr(
                "The next command applies {count} {count:migration|migrations} to {path} ({size}); "
                "the store as it is "
                "now is kept as {copied}. To go back, install the older pm-hub and put that copy in its "
                "place.",
                count=len(found.pending), path=short_path(path), size=size_text(path.stat().st_size),
                copied=copied.name if copied else "",
            )
        )  # fmt: skip
        if wrong := copies.damage(path):
            app.say(tr("Not whole: {line}.", line="; ".join(wrong)), "red")
        if shutil.disk_usage(path.parent).free < 3 * path.stat().st_size:
            app.say(
                tr("{folder} has little room for it: free some space first.", folder=path.parent), "yellow"
            )
        return 0
    with app.store(writing=True):
        pass
    if wrong := copies.damage(path):
        raise StoreError(tr("Not whole: {line}.", line="; ".join(wrong)))
    app.say(
        tr("{path} is of this version now; as it was it is {copied}.", path=short_path(path),
           copied=copied.name if copied else ""),
        "green",
    )  # fmt: skip
    return 0


def _upgrade_server(app: App, *, only_check: bool, json_: bool) -> int:
    """Bring a store on a server to this version: all of it in one transaction, or nothing."""
    from hub.store import copies
    from hub.store.store import lacking
    from hub.store.whole import look_through
    from hub.version import release

    engine = must_exist(app)
    found = copies.schema(engine)
    if json_ and (only_check or not found.pending):
        app.as_json(
            {"hub": release(), "store": engine.where, "applied": found.applied, "pending": found.pending,
             "newer": found.newer}
        )  # fmt: skip
        return 0
    lacking(found.applied, engine.where)
    if not found.pending:
        app.say(tr("{path} is of this version ({hub}).", path=engine.where, hub=release()), "green")
        return 0
    for name in found.pending:
        app.say(f"  {name}: {tr(copies.WHAT[name])}")
    if only_check:
        app.say(
            tr(
                "The next command that writes applies these {count} migrations to {where}, in one "
                "transaction. No copy is kept on the server: take `pg_dump --schema={schema}` first.",
                count=len(found.pending), where=engine.where, schema=getattr(engine, "schema", ""),
            )
        )  # fmt: skip
        return 0
    with app.store(writing=True):
        pass
    if wrong := look_through(engine).faults:
        raise StoreError(tr("Not whole: {line}.", line="; ".join(wrong)))
    app.say(tr("{path} is of this version now.", path=engine.where), "green")
    return 0


def _who() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return "?"


def add_to(cli: click.Group) -> None:
    """Add upgrade, and to the group of the store what keeps it."""
    cli.add_command(upgrade)
    for command in (backups.backup, backups.restore, backups.copy, backups.verify, vacuum, prune):
        info.store.add_command(command)
