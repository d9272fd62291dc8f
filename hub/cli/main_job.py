"""The main job: check, sync, publish, run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from hub.cli.app import App, short_path
from hub.errors import ConfigError
from hub.feed import BuildOptions, instant, open_feed
from hub.matching import propose
from hub.notify import announce
from hub.publish import PublishOptions, PublishReport, check_destination, moment_of, publish
from hub.records import Record
from hub.source import Source
from hub.store import Store
from hub.sync import Options, SourceReport, SyncReport, sync
from hub.sync import check as check_source
from hub.sync.report import Hooks

STYLES = {
    "ok": "green",
    "partial": "yellow",
    "failed": "red",
    "interrupted": "red",
    "warning": "yellow",
    "published": "green",
}


class _Bars:
    """Progress in a terminal: one line per source."""

    def __init__(self, app: App) -> None:
        self.progress = Progress(
            SpinnerColumn(), TextColumn("{task.description}"), BarColumn(bar_width=18), TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(), TimeRemainingColumn(), console=app.err, transient=True,
        )  # fmt: skip
        self.tasks: dict[str, Any] = {}

    def __enter__(self) -> _Bars:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def started(self, report: SourceReport) -> None:
        self.tasks[report.source_id] = self.progress.add_task(report.source_id, total=None, state="looking")

    def advanced(self, report: SourceReport) -> None:
        task = self.tasks[report.source_id]
        read = report.changes.read
        seconds = self.progress.tasks[task].elapsed or 0
        rate = f", {read / seconds:,.0f}/s" if seconds > 0.5 else ""
        asked = f", {report.requests} requests" if report.requests else ""
        self.progress.update(task, completed=read, total=report.estimate or None, state=f"{read:,} read{rate}{asked}")

    def ended(self, report: SourceReport) -> None:
        self.progress.update(self.tasks[report.source_id], state=report.verdict)


class _Lines:
    """Progress in a log: a plain line when a source starts, every ten seconds, and when it ends."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.last: dict[str, float] = {}

    def __enter__(self) -> _Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def started(self, report: SourceReport) -> None:
        self.last[report.source_id] = time.monotonic()
        self.app.err.print(f"{report.source_id}: started", markup=False)

    def advanced(self, report: SourceReport) -> None:
        if time.monotonic() - self.last[report.source_id] > 10:
            self.last[report.source_id] = time.monotonic()
            self.app.err.print(f"{report.source_id}: {report.changes.read} read, {report.requests} requests", markup=False)

    def ended(self, report: SourceReport) -> None:
        self.app.err.print(f"{report.source_id}: {report.verdict}, {report.changes.read} read", markup=False)


def hooks_of(app: App) -> Hooks:
    """Give what plugins add to a sync; None where no plugin implements the hook, so that nobody pays for it."""
    import msgspec

    caller = app.plugins.hook
    maps = caller.map_record.get_hookimpls()
    statuses = caller.categorize_status.get_hookimpls()
    transform = None
    if maps or statuses:

        def transform(source: Source, record: Record) -> Record:
            for mapped in reversed(caller.map_record(source=source, record=record)):
                if mapped is not None:
                    record = mapped
            raw = getattr(record, "status_raw", None)
            if statuses and raw and record.status_native is None:  # type: ignore[attr-defined]
                category = caller.categorize_status(source=source, status=raw)
                if category:
                    record = msgspec.structs.replace(record, status_native=category)
            return record

    finished = None
    if caller.run_finished.get_hookimpls():

        def finished(run: Any) -> None:
            try:
                caller.run_finished(run=run)
            except Exception as exc:  # noqa: BLE001 - who only listens must not stop the run
                app.err.print(f"Warning: a plugin failed in run_finished: {type(exc).__name__}: {exc}", markup=False)

    return Hooks(transform=transform, run_finished=finished)


def run_sync(app: App, store: Store, sources: list[Source], options: Options, *, quiet: bool) -> SyncReport:
    """Sync with progress that fits where it is shown."""
    if not sources:
        raise ConfigError(f"No source is configured in {app.config}: add a [sources.NAME], or run `hub init`.")
    if quiet:
        return sync(store, sources, options, hooks=hooks_of(app))
    with _Bars(app) if app.err.is_terminal else _Lines(app) as listener:
        return sync(store, sources, options, hooks=hooks_of(app), listener=listener)


def show_sync(app: App, report: SyncReport) -> None:
    """Print what a sync did, source by source, then what is missing."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, where in (
        ("source", "left"), ("verdict", "left"), ("read", "right"), ("new", "right"), ("changed", "right"), ("same", "right"),
        ("left", "right"), ("files/parts", "right"), ("requests", "right"), ("time", "right"),
    ):  # fmt: skip
        table.add_column(name, justify=where, no_wrap=True)  # type: ignore[arg-type]
    for one in report.sources:
        c = one.changes
        parts = f"{one.partitions}" + (f" (+{one.skipped} same)" if one.skipped else "")
        table.add_row(
            one.source_id, f"[{STYLES[one.verdict]}]{one.verdict}[/]", f"{c.read:,}", f"{c.inserted:,}", f"{c.updated:,}",
            f"{c.unchanged:,}", f"{c.presence_changed:,}", parts, f"{one.requests:,}", f"{one.seconds:.1f} s",
        )  # fmt: skip
    app.console.print(table)
    for one in report.sources:
        for text in one.missing:
            app.say(f"  {one.source_id}: MISSING {text}", "red" if one.verdict == "failed" else "yellow")
        for text in one.held:
            app.say(f"  {one.source_id}: HELD {text}", "yellow")
        for text in one.notes:
            app.say(f"  {one.source_id}: note: {text}", "dim")
    if report.interrupted:
        app.say("Stopped on request after the batch being written. Run the command again to go on from there.", "red")
    if report.dry_run:
        show_effects(app, report)


def show_effects(app: App, report: SyncReport) -> None:
    """Print what a dry run would have changed, in hours per project."""
    app.say("Dry run: nothing was written.", "bold")
    if not report.effects:
        app.say("No project's hours would change.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("project")
    for name in ("logged h", "estimate h", "to do h"):
        table.add_column(name, justify="right")

    def moved(pair: tuple[float, float]) -> str:
        return f"{pair[0]:g}" if pair[0] == pair[1] else f"{pair[0]:g} → {pair[1]:g} ({pair[1] - pair[0]:+g})"

    for line in report.effects:
        table.add_row(line.project or "(none)", moved(line.logged), moved(line.estimate), moved(line.remaining))
    app.console.print(table)


def show_publish(app: App, report: PublishReport, *, dry_run: bool = False) -> None:
    """Print what a publish did, and what to open next."""
    for finding in report.findings:
        app.say(
            f"  {'BLOCKED' if finding.blocks else 'note'}: {finding.kind}: {finding.text}",
            "red" if finding.blocks else "yellow",
        )
    if dry_run:
        rows = ", ".join(f"{name} {count:,}" for name, count in report.rows.items() if count)
        app.say(f"Dry run: the feed would hold {rows}. Nothing was written.")
        for move in report.status_moves:
            app.say(
                f"  {move.before} → {move.after}: {move.tasks:,} tasks, {move.spent_days:,.1f} days spent, {move.estimate_days:,.1f} days estimated"
            )
        return
    if not report.current:
        app.say("The last good feed stays. Mend what is blocked, or publish with --force and the reason.", "red")
        return
    app.say(f"Feed {report.feed_id}: {short_path(report.folder)}", "bold")
    for line in report.excluded:
        amount = (
            f"{line['amount'] / 3600:,.1f} h" if line["measure"] == "seconds" else f"{line['amount']:,} {line['measure']}"
        )
        app.say(f"  not counted: {amount}: {line['reason']}", "dim")
    for delivery in report.deliveries:
        if delivery.error:
            app.say(f"  {delivery.name}: FAILED {delivery.error}", "red")
            continue
        total = sum(delivery.rows.values())
        app.say(f"  {delivery.name}: {delivery.state}, {total:,} rows in {short_path(delivery.where)}", "green")
        for note in delivery.notes:
            app.say(f"    note: {note}", "dim")
    following = [path for delivery in report.deliveries for path in delivery.open_next]
    if following:
        app.say("Open next:", "bold")
        for path in following:
            app.say(f"  {short_path(path)}")


def build_options(app: App, *, as_of: str | None = None) -> BuildOptions:
    """Give the options of a feed from the configuration; *as_of* is a stamp of the store."""
    s = app.settings
    return BuildOptions(lang=s.lang, country=s.country, currency=s.currency, as_of=as_of, memory_mb=s.engine.memory_mb)


def publish_options(
    app: App,
    *,
    as_of: str | None = None,
    vs: str | None = None,
    force: str | None = None,
    dry_run: bool = False,
    strict: bool = False,
) -> PublishOptions:
    """Give the options of a publish from the configuration."""
    s = app.settings
    return PublishOptions(
        base=s.base, build=build_options(app, as_of=as_of), vs=vs, secret=s.privacy.key.reveal().encode() if s.privacy.key else None,
        freshness=s.gate.freshness, failed_sources=s.gate.failed_sources, min_quality=s.gate.min_quality,
        max_unmapped=s.gate.max_unmapped if not strict else s.gate.max_unmapped or 0.0, keep=s.gate.keep_feeds, force=force, dry_run=dry_run, ca_bundle=s.engine.ca_bundle,
    )  # fmt: skip


def _sync_options(app: App, *, jobs: int | None = None, **flags: Any) -> Options:
    engine = app.settings.engine
    return Options(base=app.settings.base, jobs=jobs or engine.jobs, ca_bundle=engine.ca_bundle, **flags)


def show_moves(app: App, folder: Path) -> None:
    """Print what moved between the feed's two moments, news first, then corrections."""
    feed = open_feed(folder)
    try:
        rows = feed.execute(
            "SELECT m.cause, m.topic, p.code, CASE WHEN m.topic = 'effort' THEN m.measure ELSE m.item || ', ' || m.measure END, m.unit, m.before_value, "
            "m.after_value, m.before_date, m.after_date, m.delta FROM fact_move m JOIN dim_project p USING (project_key) "
            "ORDER BY list_position(['milestone', 'effort', 'risk', 'budget', 'scope'], m.topic), p.code, m.cause DESC, m.item, m.measure"
        ).fetchall()
        label = feed.execute("SELECT c.label FROM fact_move m JOIN dim_cut c ON c.cut_key = m.vs_cut_key LIMIT 1").fetchone()
    finally:
        feed.close()
    if not rows:
        app.say("Nothing moved.")
        return
    app.say(f"What moved since {label[0] if label else '?'}", "bold")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, where in (
        ("cause", "left"),
        ("about", "left"),
        ("project", "left"),
        ("what", "left"),
        ("before", "right"),
        ("after", "right"),
        ("change", "right"),
    ):
        table.add_column(name, justify=where)  # type: ignore[arg-type]
    for cause, topic, code, what, unit, before, after, day0, day1, delta in rows:
        left, right = (f"{day0 or ''}", f"{day1 or ''}") if unit == "date" else (_figure(before), _figure(after))
        change = "" if delta is None else f"{delta:+,.0f} days" if unit == "date" else f"{delta:+,.1f}"
        table.add_row(cause, topic, code, what, left, right, change)
    app.console.print(table)


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}".removesuffix(".0")


def match_after_sync(app: App, store: Store, report: SyncReport) -> None:
    """Accept exact matches of people and tasks that the sync made possible; likeness of names waits for `hub match propose`."""
    if app.settings.match.auto and any(
        one.changes.inserted or one.changes.updated or one.changes.presence_changed for one in report.sources
    ):
        propose(store, app.settings.match.domain_aliases, actor="sync", fuzzy=False)


def _announce(app: App, store: Store) -> None:
    for problem in announce(store, app.settings.notify.to):
        app.err.print(f"Warning: {problem}", style="yellow", markup=False)


def worst(codes: list[int]) -> int:
    """Give the exit code that applies first: 130, 5, 2, 1, 4, 3, 0."""
    return next((code for code in (130, 5, 2, 1, 4, 3) if code in codes), 0)


def add_to(cli: click.Group) -> None:
    """Add check, sync, publish and run."""

    @cli.command()
    @click.argument("names", nargs=-1, metavar="[SOURCE|DESTINATION]...")
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def check(app: App, names: tuple[str, ...], json_: bool) -> int:
        """Look at credentials, rights, files and counts; change nothing.

        Example: hub check plans
        """
        found: list[dict[str, Any]] = []
        known = {source.name: source for source in app.sources()}
        places = app.settings.destinations
        for name in names:
            if name not in known and name not in places:
                raise ConfigError(f"There is no source or destination {name!r}; known: {', '.join([*known, *places])}.")
        for name, source in known.items():
            if names and name not in names:
                continue
            with app.reachable():
                checks = check_source(source, app.settings.base, ca_bundle=app.settings.engine.ca_bundle)
            found.extend({"of": name, "name": c.name, "state": c.state, "detail": c.detail} for c in checks)
        for name, destination in places.items():
            if names and name not in names:
                continue
            checks = check_destination(destination, app.settings.base, ca_bundle=app.settings.engine.ca_bundle)
            found.extend({"of": name, "name": c.name, "state": c.state, "detail": c.detail} for c in checks)
        if json_:
            app.as_json(found)
        else:
            for line in found:
                app.say(f"{line['of']:<14} {line['state']:<8} {line['name']}: {line['detail']}", STYLES[line["state"]])
        return 1 if any(line["state"] == "failed" for line in found) else 0

    @cli.command(name="sync")
    @click.argument("names", nargs=-1, metavar="[SOURCE]...")
    @click.option("--source", "more", multiple=True, metavar="SOURCE", help="Another way to name a source.")
    @click.option("--full", is_flag=True, help="Read everything again, whatever the cursors say.")
    @click.option("--census", is_flag=True, help="Check now which items still exist.")
    @click.option("--since", metavar="DATE", help="Read changes since this date, where the source can.")
    @click.option("--jobs", type=click.IntRange(1, 64), help="Partitions read at once.")
    @click.option("--dry-run", is_flag=True, help="Read, say what would change in hours per project, write nothing.")
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def sync_(
        app: App, names: tuple[str, ...], more: tuple[str, ...], full: bool, census: bool, since: str | None, jobs: int | None,
        dry_run: bool, json_: bool,
    ) -> int:  # fmt: skip
        """Bring the store up to date with the sources.

        Example: hub sync plans --dry-run
        """
        sources = app.sources((*names, *more))
        since = instant(since) if since else None
        options = _sync_options(app, jobs=jobs, full=full, census=census, since=since, dry_run=dry_run)
        with app.store(writing=True) as store, app.reachable():
            report = run_sync(app, store, sources, options, quiet=json_)
            if not dry_run:
                match_after_sync(app, store, report)
                _announce(app, store)
        if json_:
            app.as_json({"sources": report.sources, "effects": report.effects, "exit_code": report.exit_code})
        else:
            show_sync(app, report)
        return report.exit_code

    @cli.command(name="publish")
    @click.argument("names", nargs=-1, metavar="[DESTINATION]...")
    @click.option("--as-of", metavar="WHEN", help="The feed as the hub knew it: a day, an instant, or the label of a cut.")
    @click.option(
        "--vs", metavar="WHEN", help="Tell what moved since: the label of a cut, a day, or now; default the last committee."
    )
    @click.option("--dry-run", is_flag=True, help="Build and check, write nothing.")
    @click.option("--strict", is_flag=True, help="Block on unmapped statuses (above [gate] max_unmapped, else any).")
    @click.option("--force", metavar="WHY", help="Publish past a closed gate; the reason is written inside the feed.")
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
        destinations = app.destinations(names)
        with app.store(writing=True) as store:
            stamp = moment_of(store, as_of) if as_of else None
            options = publish_options(app, as_of=stamp, vs=vs, force=force, dry_run=dry_run, strict=strict)
            report = publish(store, app.settings.feed, destinations, options)
        if json_:
            app.as_json(report)
        else:
            show_publish(app, report, dry_run=dry_run)
            if vs and report.current:
                show_moves(app, Path(report.folder))
        return report.exit_code

    @cli.command()
    @click.option("--jobs", type=click.IntRange(1, 64), help="Partitions read at once.")
    @click.option("--json", "json_", is_flag=True, help="Print JSON.")
    @click.pass_obj
    def run(app: App, jobs: int | None, json_: bool) -> int:
        """Sync, then publish: what a schedule calls.

        Example: hub run
        """
        return main_job(app, jobs=jobs, json_=json_)


def main_job(app: App, *, jobs: int | None = None, json_: bool = False) -> int:
    """Sync all sources and publish to all destinations; gives the exit code."""
    with app.store(writing=True) as store, app.reachable():
        synced = run_sync(app, store, app.sources(), _sync_options(app, jobs=jobs), quiet=json_)
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
        elif not json_ and synced.exit_code == 1:
            app.say("No source succeeded, so there is nothing new to publish: the last good feed stays.", "red")
        _announce(app, store)
    code = worst([synced.exit_code, published.exit_code if published else 0])
    if json_:
        app.as_json({"sync": synced.sources, "publish": published, "exit_code": code})
    return code
