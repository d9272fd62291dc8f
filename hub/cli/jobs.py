"""The main job: check, sync, publish, run."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub import clock
from hub.cli.app import App
from hub.cli.output import STYLES
from hub.cli.outside import leave
from hub.cli.speech import Command
from hub.cli.telling import announce, schedule, told
from hub.cli.upkeep import after_run
from hub.errors import ConfigError, HubError
from hub.source import Check, Offer
from hub.words import tr

if TYPE_CHECKING:
    from hub.publish import PublishReport
    from hub.source import Source
    from hub.store import Store
    from hub.sync import Options, SyncReport

SHOWN = 20
log = logging.getLogger("hub.run")


def run_sync(app: App, store: Store, sources: list[Source], options: Options, *, quiet: bool) -> SyncReport:
    """Sync with progress that fits where it is shown."""
    from hub.cli.building import hooks_of
    from hub.cli.errands import maker, spreads
    from hub.cli.output import Bars, Lines
    from hub.sync import sync

    if not sources:
        raise ConfigError(
            tr(
                "No source is configured in {config}: add a [sources.NAME], or run `hub init`.",
                config=app.config,
            )
        )
    hooks = hooks_of(app)
    shown = nullcontext(None) if quiet else Bars(app) if app.err.is_terminal else Lines(app)
    if spreads(app, options):
        from hub.feed.runner import Cluster, connected
        from hub.sync.spread import sync_on

        with shown as listener, connected(app.settings.engine.cluster) as cluster:
            assert isinstance(cluster, Cluster)
            report = sync_on(cluster, store, sources, maker(app, options), hooks=hooks, listener=listener)
    else:
        with shown as listener, app.reachable():
            report = sync(store, sources, options, hooks=hooks, listener=listener)
    note_unknown(app, store, report)
    return report


def note_unknown(app: App, store: Store, report: SyncReport) -> None:
    """Note the lines of the reference data that name what nobody knows, now that all was read."""
    from hub.cli.building import known_names
    from hub.reference import ConfigSource, findings

    for one in report.sources:
        if one.kind == ConfigSource.kind:
            found = findings(
                app.settings.path.resolve().parent, known_names(app, None if report.dry_run else store)
            )
            more = (
                [
                    tr(
                        "and {count} more such {count:line|lines} (`hub check config`)",
                        count=len(found) - SHOWN,
                    )
                ]
                if len(found) > SHOWN
                else []
            )
            one.notes.extend([finding.text for finding in found[:SHOWN]] + more)


def match_after_sync(app: App, store: Store, report: SyncReport) -> None:
    """Accept exact matches of people and tasks that the sync made possible.

    Likeness of names waits for `hub match propose`.
    """
    if app.settings.match.auto and any(
        one.changes.inserted or one.changes.updated or one.changes.presence_changed for one in report.sources
    ):
        from hub.matching import propose

        propose(store, app.settings.match.domain_aliases, actor="sync", fuzzy=False)


def _cut_of_the_committee(app: App, store: Store, published: PublishReport) -> None:
    """Take the cut of a committee that meets today, or met when no run came through, and close it.

    It is taken of what was published: the papers of the day tell what moved since the committee before it.
    """
    from hub.cli.building import build_options
    from hub.feed import load_manifest
    from hub.publish import cuts
    from hub.store.cuts import listed

    settings = app.settings.committee
    today = clock.now().date()
    known = listed(store)
    taken = [date.fromisoformat(row["as_of"][:10]) for row in known if row["kind"] == "copil"]
    day = settings.cut_due(today, taken)
    if not published.current:
        return
    if day is not None:
        label = f"{settings.label} {day.isoformat()}"
        moment = load_manifest(Path(published.folder))["moment"] if day == today else day.isoformat()
        cuts.take(store, kind="copil", label=label, actor="hub run", as_of=moment)
        app.err.print(
            tr("The committee of {day}: took the cut {label!r}.", day=day, label=label), markup=False
        )
    if settings.close:  # also one that a killed run had taken and not closed
        for row in listed(store):
            if row["actor"] == "hub run" and not row["closed_at"]:
                cuts.close(store, app.settings.feed, row["label"], build_options(app), actor="hub run")


def worst(codes: list[int]) -> int:
    """Return the exit code that applies first: 130, 5, 2, 1, 4, 3, 0."""
    return next((code for code in (130, 5, 2, 1, 4, 3) if code in codes), 0)


def _settings(app: App) -> list[Check]:
    """Return what is wrong in the configuration itself beyond its form."""
    from hub.reference import unknown_country
    from hub.schedule import Cron

    found = []
    if said := unknown_country(app.settings.country):
        found.append(Check(name="country", state="failed", detail=said))
    if app.settings.schedule.run:
        try:
            Cron.parse(app.settings.schedule.run)
        except ConfigError as exc:
            found.append(Check(name="schedule", state="failed", detail=str(exc)))
    try:
        standing = app.engine.standing()
    except HubError as exc:
        found.append(Check(name="store", state="failed", detail=str(exc)))
    else:
        found += [Check(name="store", state="ok", detail=standing)] if standing else []
    if app.settings.engine.cluster is not None:
        said = (
            tr("the sources are read by the workers, which take their part of the feed too")
            if app.engine.path is None
            else tr(
                "a store in a file is written by one machine: sources are read here, and workers take their "
                "part of the feed"
            )
        )
        found.append(Check(name="cluster", state="ok", detail=said))
    committee = app.settings.committee
    if committee.rhythm or committee.dates:
        upcoming = committee.next(clock.now().date())
        said = tr("the next one is on {day}", day=upcoming) if upcoming else tr("no date is to come")
        found.append(Check(name="committee", state="ok" if upcoming else "warning", detail=said))
    return found


def _unknown_names(app: App) -> list[Check]:
    """Return a warning for each line of the reference data that names what nobody knows."""
    from hub.cli.building import known_names
    from hub.reference import findings

    with app.store() if app.engine.exists() else nullcontext(None) as store:
        found = findings(app.settings.path.resolve().parent, known_names(app, store))
    return [Check(name=one.file, state="warning", detail=one.text) for one in found]


@click.command(cls=Command)
@click.argument("names", nargs=-1, metavar="[SOURCE|DESTINATION]...")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def check(app: App, names: tuple[str, ...], json_: bool) -> int:
    """Look at credentials, rights, files and counts; change nothing.

    Example: hub check plans
    """
    from hub.publish import check_destination
    from hub.reference import ConfigSource
    from hub.sync import check as check_source

    found: list[dict[str, Any]] = []
    if not names:
        found.extend(
            {"of": app.config.name, "name": c.name, "state": c.state, "detail": c.detail}
            for c in _settings(app)
        )
    known = {source.name: source for source in app.sources()}
    places = app.settings.destinations
    for name in names:
        if name not in known and name not in places:
            raise ConfigError(
                tr(
                    "There is no source or destination {name!r}; known: {names}.",
                    name=name,
                    names=", ".join([*known, *places]),
                )
            )
    for name, source in known.items():
        if names and name not in names:
            continue
        with app.reachable():
            checks = check_source(
                source,
                app.settings.base,
                network=app.settings.engine.network,
                currency=app.settings.currency,
                fields=app.chosen_fields.get(name, {}),
                offered=partial(_offered, app, name, listed=name in names),
            )
        if source.kind == ConfigSource.kind:
            checks += _unknown_names(app)
        found.extend({"of": name, "name": c.name, "state": c.state, "detail": c.detail} for c in checks)
    for name, destination in places.items():
        if names and name not in names:
            continue
        checks = check_destination(destination, app.settings.base, network=app.settings.engine.network)
        found.extend({"of": name, "name": c.name, "state": c.state, "detail": c.detail} for c in checks)
    if json_:
        app.as_json(found)
    else:
        for line in found:
            app.say(
                f"{line['of']:<14} {tr(line['state']):<8} {tr(line['name'])}: {line['detail']}",
                STYLES[line["state"]],
            )
    return 1 if any(line["state"] == "failed" for line in found) else 0


def _offered(app: App, source: str, offers: Iterable[Offer], *, listed: bool) -> list[Check]:
    from hub.sync.offers import lines

    chosen = app.chosen_fields.get(source, {})
    if not app.engine.exists():
        return list(lines(None, source, offers, chosen, listed=listed))
    with app.store() as store:
        return list(lines(store, source, offers, chosen, listed=listed))


@click.command(cls=Command, name="sync")
@click.argument("names", nargs=-1, metavar="[SOURCE]...")
@click.option("--source", "more", multiple=True, metavar="SOURCE", help="Another way to name a source.")
@click.option("--full", is_flag=True, help="Read everything again, whatever the cursors say.")
@click.option("--census", is_flag=True, help="Check now which items still exist.")
@click.option("--since", metavar="DATE", help="Read changes since this date, where the source can.")
@click.option("--jobs", type=click.IntRange(1, 64), help="Partitions read at once.")
@click.option(
    "--dry-run", is_flag=True, help="Read, say what would change in hours per project, write nothing."
)
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def sync_(
    app: App,
    names: tuple[str, ...],
    more: tuple[str, ...],
    full: bool,
    census: bool,
    since: str | None,
    jobs: int | None,
    dry_run: bool,
    json_: bool,
) -> int:
    """Bring the store up to date with the sources.

    Example: hub sync plans --dry-run
    """
    from hub.cli.building import sync_options
    from hub.cli.output import show_sync

    sources = app.sources((*names, *more))
    if since:
        from hub.feed import instant

        since = instant(since)
    began = time.monotonic()
    options = sync_options(app, jobs=jobs, full=full, census=census, since=since, dry_run=dry_run)
    with app.store(writing=True) as store:
        report = run_sync(app, store, sources, options, quiet=json_)
        if not dry_run:
            match_after_sync(app, store, report)
            announce(app, store, also=schedule(app, store))
            leave(app, store, report.exit_code, time.monotonic() - began, synced=report)
    if json_:
        app.as_json({"sources": report.sources, "effects": report.effects, "exit_code": report.exit_code})
    else:
        show_sync(app, report)
    return report.exit_code


@click.command(cls=Command, name="publish")
@click.argument("names", nargs=-1, metavar="[DESTINATION]...")
@click.option(
    "--as-of",
    metavar="WHEN",
    help="The feed as the hub knew it: a day, an instant, or the label of a cut.",
)
@click.option(
    "--vs",
    metavar="WHEN",
    help="Tell what moved since: the label of a cut, a day, or now; default the last committee.",
)
@click.option("--dry-run", is_flag=True, help="Build and check, write nothing.")
@click.option(
    "--strict", is_flag=True, help="Block on unmapped statuses (above [gate] max_unmapped, else any)."
)
@click.option(
    "--force", metavar="WHY", help="Publish past a closed gate; the reason is written inside the feed."
)
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def publish_(
    app: App,
    names: tuple[str, ...],
    as_of: str | None,
    vs: str | None,
    dry_run: bool,
    strict: bool,
    force: str | None,
    json_: bool,
) -> int:
    """Build the feed from the store and deliver it.

    Example: hub publish office --as-of 2026-10-31 --vs "COPIL octobre 2026"
    """
    from hub.cli.building import publish_options
    from hub.cli.output import show_moves, show_publish
    from hub.publish import moment_of, publish

    began = time.monotonic()
    destinations = app.destinations(names)
    with app.store(writing=True) as store:
        stamp = moment_of(store, as_of) if as_of else None
        options = publish_options(app, as_of=stamp, vs=vs, force=force, dry_run=dry_run, strict=strict)
        report = publish(store, app.settings.feed, destinations, options)
        if not dry_run:
            announce(app, store, published=report)
            leave(app, store, report.exit_code, time.monotonic() - began, published=report)
    if json_:
        app.as_json(report)
    else:
        show_publish(app, report, dry_run=dry_run)
        if vs and report.current:
            show_moves(app, Path(report.folder))
    return report.exit_code


@click.command(cls=Command)
@click.option("--jobs", type=click.IntRange(1, 64), help="Partitions read at once.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def run(app: App, jobs: int | None, json_: bool) -> int:
    """Sync, then publish: what a schedule calls.

    Example: hub run
    """
    return main_job(app, jobs=jobs, json_=json_)


def _died(app: App) -> dict[str, tuple[str, str]]:
    """Return what is to be told of a run before this one that ended without a word."""
    if not app.died:
        return {}
    return {
        "run": (
            "died",
            tr("run: the one before ended without a word (killed, or the machine stopped); this one goes on"),
        )
    }


def add_to(cli: click.Group) -> None:
    """Add check, sync, publish and run."""
    for command in (check, sync_, publish_, run):
        cli.add_command(command)


def main_job(app: App, *, jobs: int | None = None, json_: bool = False) -> int:
    """Sync all sources and publish to all destinations; gives the exit code."""
    from hub.cli.building import publish_options, sync_options
    from hub.cli.output import show_publish, show_sync
    from hub.publish import publish

    began = time.monotonic()
    with told(app), app.store(writing=True) as store:
        announce(app, store, also={**schedule(app, store), **_died(app)})
        synced = run_sync(app, store, app.sources(), sync_options(app, jobs=jobs), quiet=json_)
        match_after_sync(app, store, synced)
        if not json_:
            show_sync(app, synced)
        published = None
        if synced.exit_code not in {130, 1}:
            published = publish(
                store, app.settings.feed, app.destinations(), publish_options(app),
                sources={one.source_id: one.verdict for one in synced.sources},
            )  # fmt: skip
            if not json_:
                show_publish(app, published)
            _cut_of_the_committee(app, store, published)
        elif not json_ and synced.exit_code == 1:
            app.say(
                tr("No source succeeded, so there is nothing new to publish: the last good feed stays."),
                "red",
            )
        kept = after_run(app, store)
        code = worst([synced.exit_code, published.exit_code if published else 0, kept])
        well = {"configuration": ("ok", tr("configuration: ok")), "run": ("ok", tr("run: ok"))}
        announce(app, store, published=published, also=well | schedule(app, store))
        leave(app, store, code, time.monotonic() - began, synced=synced, published=published)
        log.info("hub run ended with exit code %d", code)
    if json_:
        app.as_json({"sync": synced.sources, "publish": published, "exit_code": code})
    return code
