"""Print a comparison of plans, for people or as JSON."""

from __future__ import annotations

import click
import msgspec

from hub import day, number, tr
from hub_msproject.files.compare import Comparison, cells

_WIDTH = 160
"""Of what has no edge to cut at."""


def show(found: Comparison, *, json_: bool) -> None:
    """Print what differs; the ends and the efforts first."""
    if json_:
        click.echo(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console.width = _WIDTH
    (was, now), (before, after) = found.finish, found.effort_hours
    click.echo(tr("{a} → {b}", a=found.a, b=found.b))
    click.echo(tr("end: {was} → {now}", was=day(was) or "?", now=day(now) or "?"))
    click.echo(
        tr("effort: {before} h → {after} h", before=number(before, ",.1f"), after=number(after, ",.1f"))
    )
    if not found.differences:
        click.echo(tr("Nothing differs in tasks, dates, effort, links and the critical path."))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in (tr("what"), tr("task"), tr("before"), tr("after"), tr("change")):
        table.add_column(name, overflow="fold")
    for one in found.differences:
        table.add_row(*cells(one))
    console.print(table)
