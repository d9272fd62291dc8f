"""Look at what is there: status, presence, plugins, the store."""

from __future__ import annotations

import contextlib
import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli import connectors, installing
from hub.cli.app import App
from hub.cli.configure import template
from hub.cli.output import STYLES, short_path
from hub.cli.speech import Command, Group
from hub.errors import FeedError, LockHeld, StoreError
from hub.words import number, tr, trn

if TYPE_CHECKING:
    from hub.feed.questions import Health
    from hub.store import RunRow
    from hub.store.engines import Engine
    from hub.store.erasure import Pending
    from hub.store.rejections import Lack


def _age(stamp: str | None) -> str:
    from hub import clock

    if stamp is None:
        return tr("never")
    hours = (clock.now() - datetime.fromisoformat(stamp)).total_seconds() / 3600
    return (
        tr("{hours:.0f} min ago", hours=hours * 60)
        if hours < 2
        else tr("{hours:.0f} h ago", hours=hours)
        if hours < 72
        else tr("{hours:.0f} days ago", hours=hours / 24)
    )


def _why(run: RunRow) -> list[str]:
    """Return what is missing, else the one reason the run ended."""
    if run.missing:
        return [str(line) for line in json.loads(run.missing)]
    return [run.error] if run.error else []


_OPEN_DAYS = 7
"""After so many days `hub status` advises to close a cut."""
_FEW = 3
"""Rejections of a source that `hub status` names; `hub rejections` has them all."""


def _sentences(found: Health) -> list[tuple[str, str | None]]:
    """Say which projects have the lowest quality, and what is red, each with its style."""
    from hub.feed.reasons import spoken_check

    said: list[tuple[str, str | None]] = []
    for low in found.lowest:
        costs = ", ".join(
            tr(
                "{check} {failed} of {checked} (−{points:.1f})",
                check=spoken_check(one.check), failed=one.failed, checked=one.checked,
                points=one.points,
            )
            for one in low.costs
        )  # fmt: skip
        text = tr(
            "Quality of {project} {score:.1f}: {costs}", project=low.project, score=low.score, costs=costs
        )
        said.append((text if costs else text.rstrip(" :\u00a0"), None))
    for project in dict.fromkeys(one.project for one in found.red):
        mine = [one for one in found.red if one.project == project]
        measures = ", ".join(f"{one.measure} {number(one.value, ',.2f')}" for one in mine)
        colour = mine[0].said
        text = (
            tr(
                "Red where {project} (the committee said {colour}): {measures}",
                project=project,
                colour=tr(colour),
                measures=measures,
            )
            if colour
            else tr("Red where {project}: {measures}", project=project, measures=measures)
        )
        said.append((text, "yellow"))
    return said


def _beforehand(app: App, erasures: list[Pending], still_open: list[str]) -> None:
    """Say which environment this is, and what waits for somebody to finish it."""
    if app.settings.environment:
        app.say(tr("Environment: {environment}", environment=app.settings.environment))
    for one in erasures:
        app.say(
            tr(
                "An erasure of {asked_at} is not finished; nothing with persons is published until "
                "`hub privacy erase --resume` has ended.",
                asked_at=one.asked_at[:10],
            ),
            "red",
        )
    if still_open:
        app.say(
            trn(
                '{n} cut is open ({labels}): its figures may still move. Freeze it: `hub cut close "LABEL"`.',
                "{n} cuts are open ({labels}): their figures may still move. Freeze each: `hub cut close "
                '"LABEL"`.',
                len(still_open),
                labels=", ".join(repr(label) for label in still_open),
            ),
            "yellow",
        )


def must_exist(app: App) -> Engine:
    """Return the store's database. Raises `StoreError` where nothing was synced yet."""
    if not app.engine.exists():
        raise StoreError(tr("There is no store at {path} yet: run `hub sync` first.", path=app.engine.where))
    return app.engine


def lack_text(lack: Lack | None) -> str:
    """Return what a source lacks by rejections in a few words."""
    if lack is None:
        return ""
    told = [number(lack.count)]
    if lack.open < lack.count:
        told.append(tr("{count} accepted", count=lack.count - lack.open))
    if lack.seconds:
        told.append(f"{number(lack.seconds / 3600, 'g')} h")
    return ", ".join(told)


_LONG = 3
"""How often its freshness_hours a source may be old: a day's runs may rest over a long weekend."""


def _is_long_stale(last: list[RunRow], complete: str | None, freshness_s: int) -> bool:
    """Say whether a source brought nothing for long; one that was only read in part did bring something."""
    from hub import clock

    part = last[0].finished_at if last and last[0].verdict in {"partial", "ok"} else None
    read = max((stamp for stamp in (complete, part) if stamp), default=None)
    if read is None:
        return not last or last[0].verdict != "running"
    return (clock.now() - datetime.fromisoformat(read)).total_seconds() > _LONG * freshness_s


def _look_after(app: App, engine: Engine) -> None:
    """Mark runs that died, and tell what changed, where the store may be written and is of this version.

    A run that shows as running while nobody holds the lock is dead: say so, not only at the next run.
    """
    from hub.cli.telling import announce, schedule
    from hub.store import reading

    if not reading.may_write(engine):
        return
    with reading.opened(engine) as store:
        if store.older:
            return
    with contextlib.suppress(LockHeld), app.store(writing=True) as store:
        announce(app, store, also=schedule(app, store))


@click.command(cls=Command)
@click.option("--runs", type=click.IntRange(0, 1000), default=0, help="Show the latest N runs too.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.option("--schema", is_flag=True, help="Print the JSON Schema of what --json prints.")
@click.pass_obj
def status(app: App, runs: int, json_: bool, schema: bool) -> int:
    """Show sources, freshness, verdicts, what is held, the feed and its destinations.

    It ends with 1 when no source was read within three times its freshness_hours.

    Example: hub status --runs 5
    """
    from hub.cli.telling import endings_of, missed_runs, missed_text
    from hub.feed import load_manifest
    from hub.feed.questions import health
    from hub.notify import states
    from hub.publish import current
    from hub.store import cuts, questions, reading, rejections
    from hub.version import release

    if schema:
        click.echo(template("status.schema.json"), nl=False)
        return 0
    engine = must_exist(app)
    _look_after(app, engine)
    with reading.opened(engine) as store:
        older = store.older
        missed = missed_runs(app, store)
        found = states(store)
        lines = []
        all_held = store.held()
        lacks = rejections.lacks(store)
        lacking = rejections.rejected(store) if lacks else []
        for row in questions.sources(store):
            name = row["id"]
            last = store.runs(name, limit=1)
            held = [stake for stake in all_held if stake.source_id == name]
            lines.append(
                {
                    "source": name,
                    "kind": row["kind"],
                    "state": found[name][0],
                    "last_run": last[0].finished_at if last else None,
                    "last_complete": store.last_success(name),
                    "held_rows": sum(s.rows for s in held),
                    "held_hours": sum(s.seconds for s in held) / 3600,
                    "rejected": lacks.get(name),
                    "rejections": [
                        one.sentence for one in lacking if one.source_id == name and not one.accepted_at
                    ][:_FEW],
                    "missing": _why(last[0]) if last else [],
                    "long_stale": _is_long_stale(last, store.last_success(name), row["freshness_max_s"]),
                }
            )
        erasures = store.erasures()
        said_of_ends = [
            (owner, one, one.is_told or one.is_soon(app.settings.notify.days_before))
            for owner, one in endings_of(app, store)
        ]
        still_open = cuts.open_since(store, days=_OPEN_DAYS)
        latest = store.runs(limit=runs) if runs else []
        published = questions.publications(store)
        size = engine.size(store.connection)
    folder = current(app.settings.feed)
    manifest = load_manifest(folder) if folder else None
    found_health, trouble = None, ""
    try:
        found_health = health(folder) if folder else None
    except FeedError as exc:
        trouble = str(exc)
    said = _sentences(found_health) if found_health else []
    for line in lines:
        line["quality"] = found_health.sources.get(line["source"]) if found_health else None
    asked = [line["long_stale"] for line in lines if line["kind"] != "config"]
    code = 1 if asked and all(asked) else 0
    if json_:
        known = ("feed_id", "as_of", "built_at", "complete", "hub")
        feed = {key: manifest.get(key) for key in known} if manifest else None
        app.as_json(
            {
                "hub": release(), "environment": app.settings.environment, "exit_code": code,
                "store": {"path": engine.where, "bytes": size, "older": older},
                "schedule": {
                    "run": app.settings.schedule.run, "tz": app.settings.schedule.tz,
                    "missed": missed.count if missed else 0,
                    "missed_since": missed.since.isoformat() if missed else None,
                },
                "sources": lines, "feed": feed, "figures": [text for text, _ in said],
                "open_cuts": still_open, "destinations": published, "runs": latest, "erasures": erasures,
                "endings": [
                    {"of": owner, "place": one.place, "kind": one.kind, "on": one.on, "detail": one.detail}
                    for owner, one, _ in said_of_ends
                ],
            }
        )  # fmt: skip
        return code
    if older:
        app.say(
            tr("The store is of an older pm-hub: the next `hub run` brings it to this version."), "yellow"
        )
    if missed:
        app.say(missed_text(missed), "red")
    _beforehand(app, erasures, still_open)
    _show_sources(app, lines)
    for owner, one, is_told in said_of_ends:
        if is_told:
            app.say(f"  {owner}: {one.sentence}", "yellow")
    if trouble:
        app.say(trouble, "yellow")
    _show_feed(app, folder, manifest, said)
    for line in published:
        app.say(f"  {line['destination']}: {tr(line['state'])} {_age(line['at'])}, {line['detail'] or ''}")
    _show_runs(app, latest)
    if code:
        app.say(tr("No source was read within three times its freshness_hours."), "red")
    return code


def _show_sources(app: App, lines: list[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("source", "kind", "state", "last run", "last complete", "quality", "held", "rejected"):
        table.add_column(tr(name), justify="right" if name == "quality" else "left")
    for line in lines:
        held_text = (
            trn("{n} row, {hours:g} h", "{n} rows, {hours:g} h", line["held_rows"], hours=line["held_hours"])
            if line["held_rows"]
            else ""
        )
        style = STYLES.get(line["state"], "yellow")
        table.add_row(
            line["source"],
            line["kind"],
            Text(tr(line["state"]), style),
            _age(line["last_run"]),
            _age(line["last_complete"]),
            "" if line["quality"] is None else number(line["quality"], ".1f"),
            held_text,
            lack_text(line["rejected"]),
        )
    app.console.print(table)
    for line in lines:
        for text in line["missing"]:
            app.say(f"  {line['source']}: {text}", "yellow")
        for text in line["rejections"]:
            app.say(tr("  {source}: REJECTED {text}", source=line["source"], text=text), "yellow")
    if any(line["rejected"] for line in lines):
        app.say(tr("`hub rejections` lists what could not be taken."))


def _show_feed(
    app: App, folder: Path | None, manifest: dict[str, Any] | None, said: list[tuple[str, str | None]]
) -> None:
    if manifest:
        word = tr("complete") if manifest.get("complete") else tr("INCOMPLETE")
        app.say(
            tr(
                "Feed {feed_id}, built {age}, {word}: {path}",
                feed_id=manifest["feed_id"],
                age=_age(manifest.get("built_at")),
                word=word,
                path=short_path(folder or ""),
            )
        )
    else:
        app.say(tr("No feed was published yet: run `hub publish`."))
    for sentence, colour in said:
        app.say(f"  {sentence}", colour)


def _show_runs(app: App, latest: list[RunRow]) -> None:
    for run in latest:
        app.say(
            tr(
                "  run {id} {source} {started_at} {verdict}: read {read}, new {inserted}, changed "
                "{updated}, left {left}{more}",
                id=run.id,
                source=run.source_id,
                started_at=run.started_at[:16],
                verdict=tr(run.verdict),
                read=run.read,
                inserted=run.inserted,
                updated=run.updated,
                left=run.presence_changed,
                more=", " + run.error if run.error else "",
            )
        )


@click.group(cls=Group)
def plugin() -> None:
    """Look after connector plugins."""


@plugin.command(name="list")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(app: App, json_: bool) -> int:
    """List plugins with version, origin, hooks and health.

    Example: hub plugin list
    """
    from rich.table import Table
    from rich.text import Text

    infos = app.plugins.check_all()
    if json_:
        app.as_json(infos)
        return 1 if any(info.state == "broken" for info in infos) else 0
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (tr("plugin"), tr("version"), tr("origin"), tr("state"), tr("hooks")):
        table.add_column(name)
    for info in infos:
        style = "green" if info.state == "ok" else "red"
        table.add_row(
            info.name, info.version, info.origin, Text(tr(info.state), style), ", ".join(info.hooks)
        )
    app.console.print(table)
    for info in app.plugins.broken():
        app.say(info.problem or "", "red")
    app.say(tr("Source kinds: {sources}", sources=", ".join(sorted(app.plugins.sources))))
    app.say(tr("Destination kinds: {destinations}", destinations=", ".join(sorted(app.plugins.destinations))))
    return 1 if any(info.state == "broken" for info in infos) else 0


connectors.add_to(plugin)
installing.add_to(plugin)


@click.group(cls=Group)
def store() -> None:
    """Look after the store."""


@store.command()
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def info(app: App, json_: bool) -> int:
    """Show where the store lies, its size, and the rows of each table now and in history.

    Example: hub store info
    """
    from rich.table import Table

    from hub.store import questions

    path = must_exist(app).where
    with app.store() as opened:
        lines = questions.sizes(opened)
        applied = questions.schema(opened)
        written_by = opened.written_by()
        size = opened.engine.size(opened.connection)
    if json_:
        app.as_json(
            {
                "path": path,
                "bytes": size,
                "written_by": written_by,
                "migrations": applied,
                "tables": lines,
            }
        )
        return 0
    wrote = tr(", written last by pm-hub {written_by}", written_by=written_by) if written_by else ""
    app.say(
        tr(
            "{path}, {size:.1f} MB, schema {applied}{wrote}",
            path=path,
            size=size / 1e6,
            applied=applied[-1],
            wrote=wrote,
        )
    )
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, where in (
        (tr("table"), "left"),
        (tr("rows"), "right"),
        (tr("not present"), "right"),
        (tr("older images"), "right"),
    ):
        table.add_column(name, justify=where)  # type: ignore[arg-type]
    for line in lines:
        if line["rows"] or line["history"]:
            table.add_row(
                line["table"], number(line["rows"]), number(line["not_present"]), number(line["history"])
            )
    app.console.print(table)
    return 0


def add_to(cli: click.Group) -> None:
    """Add status, plugin and store."""
    for command in (status, plugin, store):
        cli.add_command(command)
