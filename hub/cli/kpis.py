"""The KPI catalogue, the rows behind a KPI, cuts, sealed months."""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hub.cli.app import App
from hub.cli.building import build_options
from hub.cli.output import plain_figure, short_path
from hub.cli.speech import Command, Group
from hub.errors import ConfigError, FeedError
from hub.records import CUT_KINDS
from hub.words import day, language, number, tr

if TYPE_CHECKING:
    from hub.store import Store


_COLORS = {"green": "green", "amber": "yellow", "red": "red", "grey": "dim"}


def _current(app: App) -> Path:
    from hub.publish import current

    folder = current(app.settings.feed)
    if folder is None:
        raise ConfigError(tr("No feed was published yet: run `hub run`, or name a folder of a feed."))
    return folder


def _built(folder: Path) -> str | None:
    """Return the moment the hub built a feed for; None for a folder from elsewhere."""
    from hub.feed import load_manifest

    try:
        return str(load_manifest(folder)["moment"])
    except (FeedError, KeyError):
        return None


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return plain_figure(value, 3)
    if isinstance(value, Decimal):  # money
        return number(float(value), ",.2f")
    return day(value) if re.fullmatch(r"\d{4}-\d\d-\d\d", str(value)) else str(value)


def _moment(stamp: str | None) -> str:
    """Return a stamp of the store to the minute, as the language writes it."""
    return f"{day(stamp)} {stamp[11:16]}" if stamp else ""


def _table(
    app: App,
    rows: list[dict[str, Any]],
    title: str,
    hidden: tuple[str, ...] = (),
    *,
    kpi: str | None = None,
) -> None:
    from rich.table import Table

    from hub.feed.reasons import spoken_cell, spoken_column

    names = [name for name in rows[0] if name not in hidden and any(row[name] is not None for row in rows)]
    if title:
        app.say(title, "bold")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        counts = any(isinstance(row[name], (int, float, Decimal)) for row in rows)
        table.add_column(spoken_column(name, kpi), justify="right" if counts else "left")
    for row in rows:
        table.add_row(*(spoken_cell(name, _text(row[name])) for name in names))
    app.console.print(table)


@click.command(cls=Command)
@click.argument("feed_dir", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--as-of",
    metavar="WHEN",
    help="A day (its end), an instant, or the label of a cut; default the latest cut.",
)
@click.option("--kpi", "codes", multiple=True, metavar="CODE", help="Only this KPI; may be repeated.")
@click.option("--project", metavar="CODE", help="Only this project.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["table", "json"]),
    default="table",
    show_default=True,
    help="How to print.",
)
@click.option("--list", "list_", is_flag=True, help="List the KPIs with their definitions.")
@click.option(
    "--country",
    help="Country of the public holidays, where the folder has no calendar; default the one of hub.toml.",
)
@click.pass_obj
def kpi(
    app: App,
    feed_dir: Path | None,
    as_of: str | None,
    codes: tuple[str, ...],
    project: str | None,
    form: str,
    list_: bool,
    country: str | None,
) -> int:
    """Compute the KPIs of the catalogue on a feed: the current one, or any folder of Parquet or CSV.

    Example: hub kpi --kpi EVM_DAYS --kpi RAF
    """
    from hub.feed import catalogue, evaluate, open_folder

    _ = app.settings if app.config.exists() else None  # KPIs of plugins come with the configuration
    if list_:
        for one in catalogue().values():
            first, second = (one.fr, one.en) if language() == "fr" else (one.en, one.fr)
            app.say(f"{one.code}: {first} ({second})", "bold")
            measures = ", ".join(f"{m.name} ({tr(m.unit)})" for m in one.measures)
            app.say(tr("  measures: {measures}", measures=measures))
            app.say(f"  {tr(one.definition)}")
            if one.edge_cases:
                app.say(tr("  edge cases: {edge_cases}", edge_cases=tr(one.edge_cases)), "dim")
        return 0
    folder = feed_dir or _current(app)
    country = country or (app.settings.country if app.config.exists() else "FR")
    connection = open_folder(folder, country=country)
    try:
        result = evaluate(connection, as_of or _built(folder), codes)
    finally:
        connection.close()
    if project:
        found = {row.get("project") for rows in result.kpis.values() for row in rows}
        if project not in found:
            known = ", ".join(sorted(one for one in found if one))
            raise ConfigError(
                tr(
                    "There is no project {project!r} in these KPIs; known: {known}.",
                    project=project,
                    known=known or tr("none"),
                )
            )
        result.kpis = {
            code: [row for row in rows if row.get("project", project) == project]
            for code, rows in result.kpis.items()
        }
    if form == "json":
        app.as_json(result)
        return 0
    app.say(
        tr(
            "{path}, cut {cut!r}, as of {as_of}, as it was kept"
            if result.kept
            else "{path}, cut {cut!r}, as of {as_of}",
            path=short_path(folder),
            cut=result.cut,
            as_of=day(result.as_of),
        ),
        "bold",
    )
    for note in result.notes:
        app.say(note, "dim")
    for code, rows in result.kpis.items():
        one = catalogue()[code]
        if not rows or (one.scope == "calendar" and not codes):
            continue
        shown = [{"project": row["project"], **row} if "project" in row else row for row in rows]
        most = 40 if not codes else len(shown)
        _table(
            app,
            shown[:most],
            f"{code}: {one.fr if language() == 'fr' else one.en}",
            ("project_key", "source_key", "task_key", "person_key"),
            kpi=code,
        )
        if len(shown) > most:
            app.say(
                tr(
                    "  … and {count} more {count:row|rows}: `hub kpi --kpi {code}`",
                    count=len(shown) - most,
                    code=code,
                ),
                "dim",
            )
    return 0


@click.command(cls=Command)
@click.argument("code", metavar="KPI")
@click.option("--project", required=True, metavar="CODE", help="The project.")
@click.option("--cut", "label", metavar="LABEL", help="The label of a cut, or a day; default the latest.")
@click.option(
    "--limit", type=click.IntRange(1), default=40, show_default=True, help="Rows to print of each kind."
)
@click.option("--json", "json_", is_flag=True, help="Print JSON, all rows.")
@click.pass_obj
def explain(app: App, code: str, project: str, label: str | None, limit: int, json_: bool) -> int:
    """Print the rows a KPI is made of, with source, link and the run that brought each.

    Example: hub explain EVM_DAYS --project P-001
    """
    from hub.feed import catalogue, evaluate, open_folder, receipt
    from hub.feed.kpi.kept import corrected_since
    from hub.feed.questions import project_key
    from hub.feed.reasons import spoken_column

    folder = _current(app)
    connection = open_folder(folder)
    try:
        result = evaluate(connection, label or _built(folder), (code,))
        key = project_key(connection, project)
        if key is None:
            raise ConfigError(tr("There is no project {project!r} in the feed.", project=project))
        rows = [row for row in result.kpis[code] if row.get("project") in {project, None}]
        found = {kind: receipt(connection, kind, key, most=None).rows for kind in catalogue()[code].receipt}
        since = corrected_since(connection, catalogue()[code], rows, key) if result.kept else {}
    finally:
        connection.close()
    with app.store() as store:
        _add_runs(store, found)
    notes = [*result.notes]
    if result.kept:
        told = ", ".join(
            tr(
                "{name} {then} then, {now} by the rows",
                name=spoken_column(name, code),
                then=_text(a) or tr("empty"),
                now=_text(b) or tr("empty"),
            )
            for name, (a, b) in since.items()
        )
        notes.append(
            tr(
                "The KPI is the one the cut keeps; the rows are as known now: corrected since: {figures}.",
                figures=told,
            )
            if told
            else tr("The KPI is the one the cut keeps; the rows are as known now.")
        )
    if json_:
        said = {
            "kpi": code,
            "project": project,
            "as_of": result.as_of,
            "cut": result.cut,
            "notes": notes,
            "figure": rows,
            "rows": found,
        }
        click.echo(json.dumps(said, ensure_ascii=False, default=str))
        return 0
    one = catalogue()[code]
    app.say(
        tr(
            "{code}: {title}, {project}, cut {cut!r}, as of {as_of}",
            code=code,
            title=one.fr if language() == "fr" else one.en,
            project=project,
            cut=result.cut,
            as_of=day(result.as_of),
        ),
        "bold",
    )
    app.say(tr(one.definition), "dim")
    for note in notes:
        app.say(note, "dim")
    if rows:
        _table(app, rows[:limit], tr("The KPI"), ("project_key", "project", "task_key"), kpi=code)
    else:
        app.say(tr("There is no such KPI for this project."))
    for name, lines in found.items():
        if not lines:
            app.say(tr("{name}: no rows", name=tr(name)))
            continue
        shown = [{**line, "known_since": _moment(line.get("known_since"))} for line in lines[:limit]]
        _table(app, shown, tr("{name}: {count} rows", name=tr(name), count=len(lines)), ("_table", "_id"))
        sums = {
            key: sum(line[key] for line in lines if line[key] is not None)
            for key in lines[0]
            if key.endswith(("days", "amount")) and any(line[key] is not None for line in lines)
        }
        if sums:
            app.say(
                tr(
                    "  total: {sums}",
                    sums=", ".join(
                        f"{spoken_column(key)} {plain_figure(float(value), 3)}" for key, value in sums.items()
                    ),
                )
            )
        if len(lines) > limit:
            app.say(
                tr(
                    "  … and {count} more {count:row|rows}: --limit {limit}, or --json",
                    count=len(lines) - limit,
                    limit=len(lines),
                ),
                "dim",
            )
    return 0


@click.group(cls=Group)
def cut() -> None:
    """Keep the portfolio as a committee sees it, and close it for ever."""


@cut.command()
@click.option("--label", required=True, help='What people call it, such as "COPIL octobre 2026".')
@click.option(
    "--kind", type=click.Choice(CUT_KINDS), default="copil", show_default=True, help="What it is for."
)
@click.option(
    "--as-of",
    metavar="DATE",
    help="A day in the past, as the hub knew it at its end; default this moment.",
)
@click.pass_obj
def take(app: App, label: str, kind: str, as_of: str | None) -> int:
    """Take a cut: every feed from now on shows it beside today.

    Example: hub cut take --label "COPIL octobre 2026"
    """
    from hub.publish import cuts

    with app.store(writing=True) as store:
        taken = cuts.take(store, kind=kind, label=label, actor=app.actor, as_of=as_of)
    app.say(
        tr("Took {label!r}, as of {as_of} UTC.", label=label, as_of=_moment(taken.as_of)),
        "green",
    )
    app.say(tr('The next feed shows it beside today. `hub cut close "{label}"` freezes it.', label=label))
    return 0


@cut.command()
@click.argument("label")
@click.pass_obj
def close(app: App, label: str) -> int:
    """Close a cut: its KPIs never change again, whatever is synced or corrected later.

    Example: hub cut close "COPIL octobre 2026"
    """
    from hub.publish import cuts

    with app.store(writing=True) as store:
        folder = cuts.close(store, app.settings.feed, label, build_options(app), actor=app.actor)
    app.say(
        tr(
            "Closed {label!r}: {path}. Keep that folder with your backups.",
            label=label,
            path=short_path(folder),
        ),
        "green",
    )
    return 0


@cut.command(name="list")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def list_(app: App, json_: bool) -> int:
    """List the cuts.

    Example: hub cut list
    """
    from hub.store.cuts import listed

    with app.store() as store:
        rows = listed(store)
    if json_:
        app.as_json(rows)
    elif not rows:
        app.say(tr('No cut was taken yet: `hub cut take --label "COPIL octobre 2026"`.'))
    else:
        _table(
            app,
            [
                {
                    **row,
                    **{name: _moment(row[name]) for name in ("as_of", "taken_at", "closed_at")},
                }
                for row in rows
            ],
            "",
        )
    return 0


@cut.command()
@click.option("--project", required=True, metavar="CODE", help="The project.")
@click.pass_obj
def baseline(app: App, project: str) -> int:
    """Keep today's dates and efforts of a project as its baseline, where its tool has none.

    Example: hub cut baseline --project RH
    """
    from hub.publish.baselines import take as take_baseline

    with app.store(writing=True) as store:
        count = take_baseline(store, project, actor=app.actor)
    app.say(
        tr("Kept a baseline of {count} {count:task|tasks} of {project}.", count=count, project=project),
        "green" if count else None,
    )
    return 0


@click.command(cls=Command, name="close")
@click.argument("month", required=False)
@click.option("--list", "list_", is_flag=True, help="Show the sealed months and what was corrected since.")
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def close_month(app: App, month: str | None, list_: bool, json_: bool) -> int:
    """Seal a month's hours and money: what is corrected later becomes a signed line of its own.

    Example: hub close 2026-10
    """
    from hub.publish import periods
    from hub.store.periods import corrections, months

    if list_ or month is None:
        with app.store() as store:
            sealed, late = months(store), corrections(store)
        if json_:
            app.as_json({"months": sealed, "corrections": late})
            return 0
        if not sealed:
            app.say(tr("No month is sealed yet: `hub close 2026-10`."))
            return 0
        _table(
            app,
            [{**row, "sealed_at": _moment(row["sealed_at"])} for row in sealed],
            tr("Sealed months"),
        )
        if late:
            _table(
                app,
                [
                    {**row, "posted_on": day(row["posted_on"]), "run_at": _moment(row["run_at"])}
                    for row in late
                ],
                tr("Corrected since"),
                ("row_id",),
            )
        else:
            app.say(tr("Nothing was corrected since."))
        return 0
    with app.store(writing=True) as store:
        seal = periods.seal(store, app.settings.feed, month, build_options(app), actor=app.actor)
    if json_:
        app.as_json(seal)
        return 0
    app.say(
        tr(
            "Sealed {month}: {lines:,} {lines:line|lines}, {seconds:,.1f} h, {days:,.1f} person-days, labour "
            "{labour_minor:,.2f}, spent {spent_minor:,.2f} {currency}.",
            month=month,
            lines=seal.lines,
            seconds=seal.seconds / 3600,
            days=seal.days,
            labour_minor=seal.labour_minor / 100,
            spent_minor=seal.spent_minor / 100,
            currency=app.settings.currency,
        ),
        "green",
    )
    return 0


def add_to(cli: click.Group) -> None:
    """Add kpi, explain, cut and close."""
    for command in (kpi, explain, cut, close_month):
        cli.add_command(command)


def _add_runs(store: Store, found: dict[str, list[dict[str, Any]]]) -> None:
    """Say of every row which run brought it, and when."""
    from hub.feed.sealed import entered_row
    from hub.store.questions import brought

    for rows in found.values():
        for row in rows:
            table, id_ = row["_table"], row["_id"]
            if table and id_:
                run = brought(store, table, id_, entered_row(str(id_)))
                row["run"], row["known_since"] = (
                    (run[0], run[1][:16].replace("T", " ")) if run else (None, None)
                )
