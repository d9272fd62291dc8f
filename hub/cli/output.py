"""What several commands print: progress, what a sync and a publish did, what moved."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hub.cli.app import App
from hub.words import day, mark, number, tr, trn

if TYPE_CHECKING:
    from hub.publish import PublishReport
    from hub.sync import SourceReport, SyncReport


COLUMNS = (
    mark("source"), mark("kind"), mark("state"), mark("last run"), mark("last complete"), mark("quality"),
    mark("held"), mark("id"), mark("what"), mark("this"), mark("is"), mark("score"), mark("method"),
    mark("why"), mark("project"), mark("hours matched"), mark("hours left over"), mark("issues left over"),
)  # fmt: skip
"""Headings of tables that are translated where they are shown."""
STATES = (
    mark("running"), mark("never"), mark("stale"), mark("unchanged"), mark("started"), mark("broken"),
    mark("proposed"), mark("accepted"), mark("rejected"), mark("passed"), mark("skipped"),
    mark("green"), mark("amber"), mark("red"), mark("grey"), mark("none"), mark("bronze"), mark("silver"),
    mark("gold"),
)  # fmt: skip
"""States, verdicts, colours and levels beside those of `STYLES`: words of the store that are shown."""
FINDINGS = (
    mark("contract"), mark("conservation"), mark("freshness"), mark("missing"), mark("quality"),
    mark("unmapped"),
)  # fmt: skip
"""What the findings of the gate are about."""
STYLES = {
    mark("ok"): "green",
    mark("partial"): "yellow",
    mark("failed"): "red",
    mark("interrupted"): "red",
    mark("warning"): "yellow",
    mark("published"): "green",
}


def short_path(path: str | Path) -> str:
    """Return *path* from the current folder when it lies below it; an address stays as it is."""
    if "://" in str(path):
        return str(path)
    try:
        return str(Path(path).resolve().relative_to(Path.cwd().resolve()))
    except ValueError:
        return str(path)


class Bars:
    """Progress in a terminal: one line per source."""

    def __init__(self, app: App) -> None:
        from rich.progress import (
            BarColumn,
            Progress,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )

        self.progress = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(bar_width=18),
            TextColumn("{task.fields[state]}"),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=app.err,
            transient=True,
        )
        self.tasks: dict[str, Any] = {}

    def __enter__(self) -> Bars:
        self.progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.progress.stop()

    def started(self, report: SourceReport) -> None:
        """Hear that a source begins."""
        self.tasks[report.source_id] = self.progress.add_task(
            report.source_id, total=None, state=tr("looking")
        )

    def advanced(self, report: SourceReport) -> None:
        """Hear that a source's counts moved."""
        task = self.tasks[report.source_id]
        read = report.changes.read
        seconds = self.progress.tasks[task].elapsed or 0
        rate = f", {number(read / seconds, ',.0f')}/s" if seconds > 0.5 else ""
        asked = (
            tr(", {requests} {requests:request|requests}", requests=report.requests)
            if report.requests
            else ""
        )
        self.progress.update(
            task,
            completed=read,
            total=report.estimate or None,
            state=tr("{read:,} read", read=read) + rate + asked,
        )

    def ended(self, report: SourceReport) -> None:
        """Hear that a source ended."""
        self.progress.update(self.tasks[report.source_id], state=tr(report.verdict))


class Lines:
    """Progress in a log: a plain line when a source starts, every ten seconds, and when it ends."""

    def __init__(self, app: App) -> None:
        self.app = app
        self.last: dict[str, float] = {}

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def started(self, report: SourceReport) -> None:
        """Hear that a source begins."""
        self.last[report.source_id] = time.monotonic()
        self.app.err.print(tr("{source}: started", source=report.source_id))

    def advanced(self, report: SourceReport) -> None:
        """Hear that a source's counts moved."""
        if time.monotonic() - self.last[report.source_id] > 10:
            self.last[report.source_id] = time.monotonic()
            self.app.err.print(
                tr(
                    "{source}: {read} read, {requests} {requests:request|requests}",
                    source=report.source_id,
                    read=report.changes.read,
                    requests=report.requests,
                )
            )

    def ended(self, report: SourceReport) -> None:
        """Hear that a source ended."""
        self.app.err.print(
            tr(
                "{source}: {verdict}, {read} read",
                source=report.source_id,
                verdict=tr(report.verdict),
                read=report.changes.read,
            )
        )


def show_sync(app: App, report: SyncReport) -> None:
    """Print what a sync did, source by source, then what is missing."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, where in (
        (tr("source"), "left"), (tr("verdict"), "left"), (tr("read"), "right"), (tr("new"), "right"),
        (tr("changed"), "right"), (tr("same"), "right"), (tr("left"), "right"), (tr("rejected"), "right"),
        (tr("files/parts"), "right"), (tr("requests"), "right"), (tr("time"), "right"),
    ):  # fmt: skip
        table.add_column(name, justify=where, no_wrap=True)  # type: ignore[arg-type]
    for one in report.sources:
        c = one.changes
        parts = f"{one.partitions}" + (tr(" (+{skipped} same)", skipped=one.skipped) if one.skipped else "")
        table.add_row(
            one.source_id,
            Text(tr(one.verdict), STYLES[one.verdict]),
            number(c.read),
            number(c.inserted),
            number(c.updated),
            number(c.unchanged),
            number(c.presence_changed),
            number(one.rejected),
            parts,
            number(one.requests),
            f"{number(one.seconds, '.1f')} s",
        )
    app.console.print(table)
    for one in report.sources:
        for text in one.missing:
            app.say(
                tr("  {source}: MISSING {text}", source=one.source_id, text=text),
                "red" if one.verdict == "failed" else "yellow",
            )
        for text in one.rejections:
            app.say(tr("  {source}: REJECTED {text}", source=one.source_id, text=text), "yellow")
        for text in one.held:
            app.say(tr("  {source}: HELD {text}", source=one.source_id, text=text), "yellow")
        for text in one.notes:
            app.say(tr("  {source}: note: {text}", source=one.source_id, text=text), "dim")
    if report.interrupted:
        app.say(
            tr(
                "Stopped on request after the batch being written. Run the command again to go on from there."
            ),
            "red",
        )
    if report.dry_run:
        show_effects(app, report)


def show_effects(app: App, report: SyncReport) -> None:
    """Print what a dry run would have changed, in hours per project."""
    from rich.table import Table

    app.say(tr("Dry run: nothing was written."), "bold")
    if not report.effects:
        app.say(tr("No project's hours would change."))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column(tr("project"))
    for name in (tr("logged h"), tr("estimate h"), tr("to do h")):
        table.add_column(name, justify="right")

    def moved(pair: tuple[float, float]) -> str:
        before, after = (number(one, "g") for one in pair)
        return before if before == after else f"{before} → {after} ({number(pair[1] - pair[0], '+g')})"

    for line in report.effects:
        table.add_row(
            line.project or tr("(none)"), moved(line.logged), moved(line.estimate), moved(line.remaining)
        )
    app.console.print(table)


def show_publish(app: App, report: PublishReport, *, dry_run: bool = False) -> None:
    """Print what a publish did, and what to open next."""
    for finding in report.findings:
        app.say(
            f"  {tr('BLOCKED') if finding.blocks else tr('note')}: {tr(finding.kind)}: {finding.text}",
            "red" if finding.blocks else "yellow",
        )
    from hub.feed.reasons import spoken_measure, spoken_reason, spoken_status

    if dry_run:
        rows = ", ".join(f"{name} {number(count)}" for name, count in report.rows.items() if count)
        app.say(tr("Dry run: the feed would hold {rows}. Nothing was written.", rows=rows))
        for move in report.status_moves:
            app.say(
                tr(
                    "  {before} → {after}: {tasks:,} {tasks:task|tasks}, {spent_days:,.1f} "
                    "{spent_days:day|days} spent, {estimate_days:,.1f} "
                    "{estimate_days:day|days} estimated",
                    before=spoken_status(move.before),
                    after=spoken_status(move.after),
                    tasks=move.tasks,
                    spent_days=move.spent_days,
                    estimate_days=move.estimate_days,
                )
            )
        return
    if not report.current:
        app.say(
            tr("The last good feed stays. Mend what is blocked, or publish with --force and the reason."),
            "red",
        )
        return
    app.say(tr("Feed {feed_id}: {path}", feed_id=report.feed_id, path=short_path(report.folder)), "bold")
    for line in report.excluded:
        amount = (
            f"{number(line['amount'] / 3600, ',.1f')} h"
            if line["measure"] in {"seconds", "planned_s"}
            else number(line["amount"] / 100, ",.2f")
            if line["measure"] == "amount_minor"
            else trn("{n:,} task", "{n:,} tasks", line["amount"])
            if line["measure"] == "tasks"
            else f"{number(line['amount'])} {spoken_measure(line['measure'])}"
        )
        of = tr("planned, ") if line["measure"] == "planned_s" else ""
        where = tr("in the feed, not in every KPI") if line.get("in_feed") else tr("not counted")
        if line["reason"].startswith("converted from "):  # nothing is lost: the same money in another one
            where, amount = tr("in the feed, by the rates of fx.csv"), number(-line["amount"] / 100, "+,.2f")
        app.say(f"  {where}: {amount}: {of}{spoken_reason(line['reason'])}", "dim")
    for delivery in report.deliveries:
        if delivery.error:
            app.say(tr("  {name}: FAILED {error}", name=delivery.name, error=delivery.error), "red")
            continue
        total = sum(delivery.rows.values())
        app.say(
            tr(
                "  {name}: {state}, {total:,} {total:row|rows} in {path}",
                name=delivery.name,
                state=tr(delivery.state),
                total=total,
                path=short_path(delivery.where),
            ),
            "green",
        )
        for note in delivery.notes:
            app.say(tr("    note: {text}", text=note), "dim")
    following = [path for delivery in report.deliveries for path in delivery.open_next]
    if following:
        app.say(tr("Open next:"), "bold")
        for path in following:
            app.say(f"  {short_path(path)}")


def show_moves(app: App, folder: Path) -> None:
    """Print what moved between the feed's two moments, news first, then corrections."""
    from rich.table import Table

    from hub.feed.questions import moves
    from hub.feed.reasons import spoken_move

    label, rows = moves(folder)
    if not rows:
        app.say(tr("Nothing moved."))
        return
    app.say(tr("What moved since {label}", label=label or "?"), "bold")
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, where in (
        (tr("cause"), "left"),
        (tr("about"), "left"),
        (tr("project"), "left"),
        (tr("what"), "left"),
        (tr("before"), "right"),
        (tr("after"), "right"),
        (tr("change"), "right"),
    ):
        table.add_column(name, justify=where)  # type: ignore[arg-type]
    for cause, topic, code, what, unit, before, after, day0, day1, delta in rows:
        left, right = (
            (day(day0), day(day1)) if unit == "date" else (plain_figure(before), plain_figure(after))
        )
        change = (
            ""
            if delta is None
            else tr("{change:+,.0f} days", change=delta)
            if unit == "date"
            else number(delta, "+,.1f")
        )
        table.add_row(spoken_move(cause), spoken_move(topic), code, spoken_move(what), left, right, change)
    app.console.print(table)


def plain_figure(value: float | None, digits: int = 1) -> str:
    """Return *value* with at most *digits* decimals, as the language writes it; nothing for None."""
    if value is None:
        return ""
    places = len(f"{value:.{digits}f}".rstrip("0").rpartition(".")[2])
    return number(value, f",.{places}f")
