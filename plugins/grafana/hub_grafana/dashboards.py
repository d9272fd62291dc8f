"""The dashboards: which panels show which query, laid out on Grafana's grid of 24 columns."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal

import msgspec
from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    stat,
    statushistory,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.runtime import UnknownDataquery
from grafana_foundation_sdk.cog.variants import Dataquery
from grafana_foundation_sdk.models import common as shapes
from grafana_foundation_sdk.models import dashboard as models

from hub import Lang, column_captions, mark, measures, speaking, tr
from hub_grafana.captions import AMBER, GREEN, GREY, RED, column, properties
from hub_grafana.queries import columns_of_query, sql_of

UID = "pm-hub"
SOURCE_TYPE = "grafana-postgresql-datasource"
SOURCE = models.DataSourceRef(type_val=SOURCE_TYPE, uid=UID)
FULL = 1.0
NEARLY = 0.85
Style = Literal["table", "figures", "colours", "lines", "bars", "heat"]
Height = Literal[4, 6, 8, 9, 10, 12]


class Panel(msgspec.Struct, frozen=True):
    """A panel: a *query*, how it is shown, its *title* and what to know of it, *width* of 24 and *height*.

    *nothing* is what stands there where the query has no row; in a table it would stand in empty cells too.
    """

    query: str
    style: Style
    title: str
    about: str = ""
    width: int = 24
    height: Height = 9
    unit: str = "locale"
    nothing: str = ""


class Page(msgspec.Struct, frozen=True):
    """A dashboard: its *name* (also that of its file), *title*, *panels*, days of its axis, and variables.

    A page *of_one* project lets one be chosen, the others any number.
    """

    name: str
    title: str
    panels: tuple[Panel, ...]
    days: tuple[str, str]
    of_one: bool = False


_MOVES = Panel(
    "moves", "table", mark("What moved since the previous cut"),
    mark("News, apart from corrections that were told late; the weightiest of each topic first."),
)  # fmt: skip
_SLIPS = Panel(
    "slips", "lines", mark("Worst milestone slip, committee after committee (days)"),
    mark("One line a project: it rises where its milestones slip."), 12,
)  # fmt: skip
_REGISTER = Panel(
    "register",
    "table",
    mark("Risks, issues and actions"),
    mark("Those that are open, by what is at stake."),
    12,
)
_DECISIONS = Panel(
    "decisions", "table", mark("Decisions asked"), mark("Decisions of the register that are open."), 12
)
_SPENT = Panel(
    "spent", "bars", mark("Spent by month and nature of work (person-days)"),
    mark("Of the projects that are chosen."), 12,
)  # fmt: skip
PAGES: tuple[Page, ...] = (
    Page(
        "portfolio", mark("Portfolio"),
        (
            Panel("weather", "colours", mark("Weather of the projects"),
                  mark("Computed from the figures whose targets count in it, else as declared."), 8, 4),
            Panel("totals", "figures", mark("The whole portfolio"),
                  mark("Whatever projects are chosen above."), 16, 4),
            Panel("projects", "table", mark("Projects"), mark("A code leads to the project's own page."),
                  24, 12),
            _SLIPS, _DECISIONS, _REGISTER,
            msgspec.structs.replace(_MOVES, width=12),
        ),
        ("now-12M", "now+1M"),
    ),
    Page(
        "project", mark("Project"),
        (
            Panel("state", "table", mark("State"),
                  mark("Declared by the committee, computed from the figures, and what they stand on."),
                  24, 4),
            Panel("projects", "figures", mark("Key figures"), "", 24, 4),
            Panel("curve", "lines", mark("Planned, earned and actual (person-days)"),
                  mark("To date, month by month; where earned lies below planned the project is late, "
                       "where actual lies above earned it costs more."), 12),
            _SPENT, _SLIPS,
            Panel("milestones", "table", mark("Milestones"), "", 12),
            _DECISIONS, _REGISTER, _MOVES,
            Panel("figures", "table", mark("All figures of the catalogue"),
                  mark("With what each is made of; `hub explain` prints the rows behind one."), 24, 12),
        ),
        ("now-18M", "now+6M"),
        of_one=True,
    ),
    Page(
        "load", mark("Load"),
        (
            Panel("load", "heat", mark("Load by team and week"),
                  mark("Allocated / available; above 100 % there is more work than time. Teams are shown "
                       "whatever projects are chosen, an empty cell is not told."), 24, 10, "percentunit",
                  mark("No load can be shown: no team has allocations, or too few people stand behind a week "
                       "for the level of detail of the tables. The hours planned by project are below.")),
            Panel("planned", "bars", mark("Hours planned by month and project"),
                  mark("Of the projects that are chosen; the workload plan as of now, whatever cut is "
                       "chosen."), 24, 9, "locale", mark("No hour is planned.")),
            Panel("teams", "table", mark("Teams, last period"), "", 24, 9),
            msgspec.structs.replace(_SPENT, width=24),
        ),
        ("now-8w", "now+13w"),
    ),
    Page(
        "run", mark("RUN and SLA"),
        (
            Panel("sla_months", "lines", mark("SLA compliance by month"),
                  mark("Met / measured of the projects that are chosen."), 12, 9, "percentunit"),
            Panel("sla", "table", mark("Service levels of the last month"), "", 12),
            Panel("flow", "table", mark("Lead time, requests and readiness"), "", 24, 10),
            Panel("breached", "table", mark("Running and past their goal"),
                  mark("As of now, whatever cut is chosen."), 24, 9),
        ),
        ("now-13M", "now"),
    ),
    Page(
        "quality", mark("Quality and freshness"),
        (
            Panel("sources", "table", mark("Sources"),
                  mark("Age and verdict are those of now; the figures are those of the cut."), 24, 10),
            Panel("scores", "table", mark("Quality and confidence by project"), "", 12, 10),
            Panel("checks", "table", mark("Checks that something failed"), "", 12, 10),
            Panel("rejections", "table", mark("What could not be taken"),
                  mark("As of now: what the figures lack, until it comes right or is accepted."), 24, 9),
        ),
        ("now-12M", "now"),
    ),
)  # fmt: skip


class Target(Builder[Dataquery]):
    """A query as the PostgreSQL data source takes it; the SDK has no class for it."""

    def __init__(self, sql: str, style: Style) -> None:
        """Ask *sql*; charts over time take it as series."""
        self.sql = sql
        self.format = "time_series" if style in {"lines", "bars", "heat"} else "table"

    def build(self) -> Dataquery:
        """Return the query."""
        return UnknownDataquery(query_model(self.sql, self.format))


def query_model(sql: str, shape: str) -> dict[str, Any]:
    """Return a query of *sql* as JSON; *shape* is ``table`` or ``time_series``."""
    return {
        "refId": "A",
        "datasource": {"type": SOURCE_TYPE, "uid": UID},
        "editorMode": "code",
        "format": shape,
        "rawQuery": True,
        "rawSql": sql,
    }


def dashboards(*, lang: Lang, schema: str, currency: str) -> dict[str, str]:
    """Return the dashboards as JSON by the name of their files, in *lang*, asking the tables of *schema*."""
    with speaking(lang):
        return {f"{page.name}.json": Drawing(page, lang, schema, currency).text() for page in PAGES}


class Drawing:
    """One page, drawn."""

    def __init__(self, page: Page, lang: Lang, schema: str, currency: str) -> None:
        """Draw *page* in *lang*; amounts are in *currency*."""
        self.page, self.lang, self.schema, self.currency = page, lang, schema, currency

    def text(self) -> str:
        """Return the dashboard as Grafana reads it from a file."""
        built = (
            dashboard.Dashboard(tr(self.page.title))
            .uid(f"{UID}-{self.page.name}")
            .tags([UID])
            .timezone("utc")  # days are days: a zone behind Greenwich would show the day before
            .time(*self.page.days)
            .readonly()
            .link(
                dashboard.DashboardLink("pm-hub")
                .type(models.DashboardLinkType.DASHBOARDS)
                .tags([UID])
                .include_vars(True)
                .as_dropdown(False)
            )
        )
        for variable in self._variables():
            built = built.with_variable(variable)
        for number, panel in enumerate(self.page.panels, 1):
            built = built.with_panel(self._panel(panel).id(number))
        return JSONEncoder(ensure_ascii=False, indent=2).encode(built.build()) + "\n"

    def _sql(self, name: str) -> str:
        return sql_of(name, schema=self.schema, lang=self.lang)

    def _variables(self) -> Iterator[dashboard.QueryVariable]:
        several = not self.page.of_one
        for name, label, many in (
            ("cut", column_captions("dim_cut", self.lang)["label"], False),
            ("program", column_captions("dim_project", self.lang)["program"], True),
            ("project", column_captions("dim_project", self.lang)["name"], several),
        ):
            variable = (
                dashboard.QueryVariable(name)
                .label(label)
                .datasource(SOURCE)
                .query(self._sql(f"var_{name}"))
                .refresh(models.VariableRefresh.ON_DASHBOARD_LOAD)
                .sort(models.VariableSort.DISABLED)
                .allow_custom_value(False)
                .multi(many)
                .include_all(many)
            )
            if many:
                everything = models.VariableOption(selected=True, text=["All"], value=["$__all"])
                variable = variable.current(everything)
            yield variable

    def _panel(self, panel: Panel) -> Any:
        sql = self._sql(panel.query)
        drawn = _STYLES[panel.style](self, panel)
        drawn = (
            drawn.title(tr(panel.title))
            .datasource(SOURCE)
            .with_target(Target(sql, panel.style))
            .span(panel.width)
            .height(panel.height)
            .no_value(tr(panel.nothing) if panel.nothing else "–")
        )
        if about := "\n\n".join(self._about(panel, sql)):
            drawn = drawn.description(about)
        for name in columns_of_query(sql):
            if one := column(name, lang=self.lang, currency=self.currency):
                drawn = drawn.override_by_name(name, properties(one, lang=self.lang))
        return drawn

    def _about(self, panel: Panel, sql: str) -> Iterator[str]:
        """Yield what to know of the panel: its own sentence, then the definition of each figure in it."""
        if panel.about:
            yield tr(panel.about)
        told: dict[str, str] = {}
        for name in columns_of_query(sql):
            if (measure := measures().get(name)) and measure.description:
                folder = measure.folder_fr if self.lang == "fr" else measure.folder_en
                told[folder] = tr(measure.description)
        yield from (f"**{folder}**: {definition}" for folder, definition in told.items())

    def _table(self, panel: Panel) -> table.Panel:
        drawn = table.Panel().filterable(True).cell_height(shapes.TableCellHeight.SM)
        if panel.query == "projects":  # the way to the project's own page
            link = {
                "title": tr("The project's page"),
                "url": f"/d/{UID}-project?var-project=${{__data.fields.project_key}}&${{cut:queryparam}}",
            }
            return drawn.override_by_name("code", [models.DynamicConfigValue(id_val="links", value=[link])])
        return drawn

    def _figures(self, panel: Panel) -> stat.Panel:
        return (
            stat.Panel()
            .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).values(False).fields(""))
            .graph_mode(shapes.BigValueGraphMode.NONE)
            .color_mode(shapes.BigValueColorMode.NONE)
            .text_mode(shapes.BigValueTextMode.VALUE_AND_NAME)
            .justify_mode(shapes.BigValueJustifyMode.AUTO)
        )

    def _colours(self, panel: Panel) -> stat.Panel:
        drawn = self._figures(panel).color_mode(shapes.BigValueColorMode.BACKGROUND_SOLID)
        for name, colour in (
            ("n_red", RED),
            ("n_amber", AMBER),
            ("n_green", GREEN),
            ("n_contradicted", GREY),
        ):
            fixed = {"mode": "fixed", "fixedColor": colour}
            drawn = drawn.override_by_name(name, [models.DynamicConfigValue(id_val="color", value=fixed)])
        return drawn

    def _lines(self, panel: Panel) -> timeseries.Panel:
        return (
            timeseries.Panel()
            .unit(panel.unit)
            .line_width(2)
            .show_points(shapes.VisibilityMode.ALWAYS)
            .span_nulls(True)
            .legend(_legend())
            .tooltip(common.VizTooltipOptions().mode(shapes.TooltipDisplayMode.MULTI))
        )

    def _bars(self, panel: Panel) -> timeseries.Panel:
        return (
            self._lines(panel)
            .draw_style(shapes.GraphDrawStyle.BARS)
            .show_points(shapes.VisibilityMode.NEVER)
            .fill_opacity(80)
            .stacking(common.StackingConfig().mode(shapes.StackingMode.NORMAL))
        )

    def _heat(self, panel: Panel) -> statushistory.Panel:
        steps = [
            models.Threshold(value=None, color=GREEN),
            models.Threshold(value=NEARLY, color=AMBER),
            models.Threshold(value=FULL, color=RED),
        ]
        return (
            statushistory.Panel()
            .unit(panel.unit)
            .decimals(0)
            .show_value(shapes.VisibilityMode.ALWAYS)  # the figure says it without the colour
            .row_height(0.9)
            .legend(_legend())
            .color_scheme(dashboard.FieldColor().mode(models.FieldColorModeId.THRESHOLDS))
            .thresholds(dashboard.ThresholdsConfig().mode(models.ThresholdsMode.ABSOLUTE).steps(steps))
        )


_STYLES: dict[Style, Callable[[Drawing, Panel], Any]] = {
    "table": Drawing._table,
    "figures": Drawing._figures,
    "colours": Drawing._colours,
    "lines": Drawing._lines,
    "bars": Drawing._bars,
    "heat": Drawing._heat,
}


def _legend() -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .display_mode(shapes.LegendDisplayMode.LIST)
        .placement(shapes.LegendPlacement.BOTTOM)
        .show_legend(True)
    )
