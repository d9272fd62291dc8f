"""The forecast of a project, and what more people or less scope would do to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hub.cli.app import App
from hub.cli.speech import Command
from hub.errors import ConfigError
from hub.words import day, mark, number, tr

if TYPE_CHECKING:
    from hub.feed.forecast.trial import Chances

_METHODS = {
    "flow": mark("from flow"), "plan": mark("from the plan"), "blend": mark("from flow and plan"),
    "work": mark("from the work left"), "burn": mark("from the burn"),
}  # fmt: skip


class Share(click.ParamType[float]):
    """A share as people type it: 10%, 10 % or 0.1."""

    name = "share"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return it as a number of 0 to 1, 1 left out."""
        if isinstance(value, float):
            return value
        text = str(value).replace("\N{NO-BREAK SPACE}", "").replace(" ", "").replace(",", ".")
        try:
            found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
        except ValueError:
            found = -1.0
        if not 0 <= found < 1:
            said = tr("{value!r} is no share of 0% to less than 100%, such as 10%.", value=value)
            self.fail(said, param, ctx)
        return found


@click.command(cls=Command)
@click.option("--project", required=True, metavar="CODE", help="The project.")
@click.option(
    "--add-people", type=float, default=0, metavar="N", help="Try with so many more people; -1 is one less."
)
@click.option(
    "--drop-scope",
    type=Share(),
    default=0.0,
    metavar="SHARE",
    help="Try without this share of the open work, such as 10%.",
)
@click.option("--json", "json_", is_flag=True, help="Print JSON.")
@click.pass_obj
def forecast(app: App, project: str, add_people: float, drop_scope: float, json_: bool) -> int:
    """Forecast when a project lands and for how much, and try out more people or less scope.

    Example: hub forecast --project P001 --add-people 1 --drop-scope 10%
    """
    from hub.feed.forecast.trial import try_out
    from hub.publish import current

    folder = current(app.settings.feed)
    if folder is None:
        raise ConfigError(tr("No feed was published yet: run `hub run`."))
    found = try_out(folder, project, people=add_people, dropped=drop_scope)
    if json_:
        app.as_json(found)
        return 0
    app.say(tr("{project}, forecast on {day}", project=project, day=day(found.as_of)), "bold")
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", tr("As it is"), *([tr("Tried")] if found.tried else [])):
        table.add_column(heading)
    columns = [found.now, *([found.tried] if found.tried else [])]
    for name, cells in _lines(app.settings.currency, columns):
        if any(cells):
            table.add_row(name, *cells)
    app.console.print(table)
    for label, moment in ((tr("Baseline finish"), found.baseline), (tr("Deadline"), found.deadline)):
        if moment:
            app.say(f"{label}: {day(moment)}")
    if found.budget is not None:
        app.say(f"{tr('Budget')}: {_money(found.budget, app.settings.currency)}")
    if found.drivers:
        app.say(tr("What drives the finish"), "bold")
        drivers = Table(box=None, pad_edge=False, header_style="bold")
        for heading in (
            tr("task"),
            tr("On the longest path"),
            tr("Days gained at best"),
            tr("Days lost at worst"),
        ):
            drivers.add_column(heading)
        for one in found.drivers[:8]:
            drivers.add_row(
                one.task, number(one.criticality, ".0%"), number(one.early_days, "+.1f"),
                number(one.late_days, "+.1f"),
            )  # fmt: skip
        app.console.print(drivers)
    for sentence in found.assumptions:
        app.say(sentence, "dim")
    return 0


def _lines(currency: str, columns: list[Chances]) -> list[tuple[str, list[str]]]:
    """Return what is told of each forecast: a name, and a text for each of *columns*."""
    told: list[tuple[str, list[str]]] = [
        (tr("Finish"), [tr(_METHODS[one.finish_method]) if one.finish_method else "" for one in columns])
    ]
    for chance in (50, 80, 95):
        ends = [getattr(one, f"finish_p{chance}") if one.finish_method else "" for one in columns]
        without = [tr("beyond five years") if one.finish_p50 else tr("no end in sight") for one in columns]
        told.append((f"  P{chance}", [
            never if end is None else day(end) for end, never in zip(ends, without, strict=True)
        ]))  # fmt: skip
    told += [
        (tr("Chance to meet the baseline"), [number(one.meets_baseline, ".0%") for one in columns]),
        (tr("Chance to meet the deadline"), [number(one.meets_deadline, ".0%") for one in columns]),
        (
            tr("Cost at completion"),
            [tr(_METHODS[one.cost_method]) if one.cost_method else "" for one in columns],
        ),
    ]
    for chance in (50, 80, 95):
        costs = [getattr(one, f"cost_p{chance}") for one in columns]
        told.append((f"  P{chance}", [_money(one, currency) for one in costs]))
    told.append((tr("Chance to meet the budget"), [number(one.meets_budget, ".0%") for one in columns]))
    return told


def _money(value: float | None, currency: str) -> str:
    return "" if value is None else f"{number(value, ',.0f')} {currency}"


def add_to(cli: click.Group) -> None:
    """Add forecast."""
    cli.add_command(forecast)
