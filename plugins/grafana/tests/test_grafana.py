"""Dashboards and alert rules: every query runs on a real PostgreSQL, its figures are the feed's."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec
import pytest
from hub_grafana.captions import column
from hub_grafana.destination import DASHBOARDS, PROVISIONING, GrafanaDestination
from hub_grafana.testing.certification import GrafanaCertification
from hub_postgresql.destination import PostgresqlDestination
from hub_postgresql.testing.scratch import USER, programs, scratch

from hub import ConfigError, Delivery, DeliveryContext, DeliveryError, FeedView, Secret, measures
from hub.publish import cuts
from hub.records import (
    Account,
    Allocation,
    Assessment,
    Baseline,
    BudgetLine,
    ChecklistItem,
    Container,
    Person,
    PersonLink,
    Project,
    ProjectLink,
    Rate,
    Record,
    RegisterItem,
    SlaCycle,
    Target,
    Task,
    Team,
    Worklog,
)
from hub.store import Store
from hub.testing import HubResult, hub_folder, kept_feed, run_hub, view_of
from hub.testing.kit import certify

__all__ = ["hub_folder", "run_hub"]
DAY = 25200
TODAY = datetime.now(UTC).date()
SAMPLE = ("destination-check-tells-the-truth", "refusals-are-told")
NAMES = ("portfolio", "project", "load", "run", "quality")
TITLES = {
    "en": ["Portfolio", "Project", "Load", "RUN and SLA", "Quality and freshness"],
    "fr": ["Portefeuille", "Projet", "Charge", "RUN et SLA", "Qualité et fraîcheur"],
}
ODD = "O'Brien's \"tools\"; --"
"""A program whose name would end a text of SQL."""


def ago(days: int) -> str:
    return str(TODAY - timedelta(days=days))


def at(days: int) -> str:
    return f"{ago(days)}T10:00:00.000000Z"


def sync(store: Store, *records: Record, verdict: str = "ok") -> None:
    source = records[0].id.partition(":")[0]
    store.register_source(
        source, kind="config" if source == "config" else "test", base_url=None, tz="UTC",
        seconds_per_day=DAY, freshness_max_s=3600,
    )  # fmt: skip
    run = store.begin_run(source, "full")
    store.write_batch(list(records), run_id=run, source_id=source)
    lacking = ["a page"] if verdict != "ok" else None
    store.end_run(run, verdict, missing=lacking)  # type: ignore[arg-type]


def plan(slip_of_a: int) -> list[Record]:
    """Return the plans of A and B; a milestone of A slips by *slip_of_a* days, one of B by three."""
    found: list[Record] = []
    for code, slip in (("A", slip_of_a), ("B", 3)):
        box = f"plans:{code}"
        found += [
            Container(id=box, kind="plan", code=code, name=code, seconds_per_day=DAY),
            Task(id=f"plans:t{code}", container_id=box, title="Build", estimate_s=10 * DAY, percent=50.0,
                 remaining_s=5 * DAY, planned_start_on=ago(60), planned_finish_on=ago(-30)),
            Baseline(id=f"plans:b{code}", task_id=f"plans:t{code}", start_on=ago(60), finish_on=ago(1),
                     effort_s=10 * DAY),
            Task(id=f"plans:m{code}", container_id=box, title=f"Go live {code}", kind="milestone",
                 url=f"https://tool.example/{code}", planned_finish_on=ago(-10 - slip)),
            Baseline(id=f"plans:c{code}", task_id=f"plans:m{code}", start_on=ago(-10), finish_on=ago(-10)),
        ]  # fmt: skip
    return found


TEAM = [f"p{n}" for n in range(5)]
CONFIG: list[Record] = [
    Project(id="config:SI", code="SI", name="SI", level="portfolio"),
    Project(id="config:O", code="O", name=ODD, level="program", parent_code="SI"),
    Project(id="config:A", code="A", name="Alpha", parent_code="O"),
    Project(id="config:B", code="B", name="L'été", parent_code="SI"),
    Target(id="config:t1", kpi="MILESTONE_SLIP", measure="slip_days", goal=0.0, amber=5.0, red=20.0,
           direction="down"),
    Rate(id="config:r", scope="default", scope_id="*", valid_from="2020-01-01", minor_per_day=50000),
    Team(id="config:red", name="Red"),
    *(Person(id=f"config:{who}", display_name=f"Person {who}", team="Red") for who in TEAM),
    ProjectLink(id="config:l", project_code="B", container_id="desk:b", facets="actuals flow sla"),
    Assessment(id="config:s", project_code="A", day=ago(1), axis="overall", rag="green",
               commentary="The supplier is late."),
]  # fmt: skip
WORK: list[Record] = [
    Container(id="times:a", kind="table", code="A", name="A"),
    *(Account(id=f"times:{who}", display_name=f"Person {who}") for who in TEAM),
    *(Worklog(id=f"times:w{who}{months}", container_id="times:a", account_id=f"times:{who}",
              day=ago(2 + 31 * months), seconds=2 * DAY) for who in TEAM for months in (0, 1)),
    *(Allocation(id=f"times:l{who}", container_id="times:a", account_id=f"times:{who}", start_on=ago(14),
                 finish_on=ago(-14), seconds=15 * DAY) for who in TEAM),
]  # fmt: skip
LINKS: list[Record] = [
    PersonLink(id=f"match:{who}", account_id=f"times:{who}", person_id=f"config:{who}", state="accepted",
               method="email", score=1.0) for who in TEAM
]  # fmt: skip
DESK: list[Record] = [
    Container(id="desk:b", kind="project", code="B", name="B"),
    *(Task(id=f"desk:{n}", container_id="desk:b", code=f"B-{n}", title=f"Call {n}", nature="anomaly",
           url=f"https://desk.example/{n}", created_at=at(20)) for n in range(4)),
    *(SlaCycle(id=f"desk:s{n}", task_id=f"desk:{n}", name="Resolution", metric="resolution", cycle_no=1,
               start_at=at(20), stop_at=at(12) if n else None, goal_s=9 * DAY, elapsed_s=8 * DAY + n,
               breached=n < 2) for n in range(4)),
]  # fmt: skip
MONEY: list[Record] = [
    BudgetLine(id="erp:1", project_code="A", month=ago(40)[:7], kind="baseline", category="services",
               amount_minor=1200000),
    RegisterItem(id="erp:2", project_code="A", kind="risk", title="Supplier", probability=0.5, impact=4,
                 exposure_minor=1000000, opened_on=ago(90)),
    RegisterItem(id="erp:3", project_code="B", kind="decision", title="Choose", asked_of="COPIL",
                 opened_on=ago(20)),
    ChecklistItem(id="erp:4", project_code="B", list="go live", label="Backup", state="ok"),
]  # fmt: skip


def fill(store: Store) -> None:
    """Write the portfolio at two committees and now; A slips past its limit after the last one."""
    sync(store, *CONFIG)
    sync(store, *WORK)
    sync(store, *LINKS)
    sync(store, *MONEY)
    sync(store, *DESK, verdict="partial")
    sync(store, *plan(0))
    cuts.take(store, kind="copil", label="COPIL 1", actor="me")
    sync(store, *plan(4))
    cuts.take(store, kind="copil", label="COPIL 2", actor="me")
    sync(store, *plan(25))


@pytest.fixture(scope="module")
def feed() -> Iterator[FeedView]:
    with view_of(kept_feed(fill)) as view:
        yield view


def grafana(folder: Path, **settings: Any) -> GrafanaDestination:
    return GrafanaDestination(
        **{"name": "g", "path": str(folder), "host": "127.0.0.1", "database": "reporting"} | settings
    )


def deliver(folder: Path, feed: FeedView, lang: Literal["en", "fr"] = "en", **settings: Any) -> Delivery:
    told = msgspec.structs.replace(feed, lang=lang)
    return grafana(folder, **settings).deliver(DeliveryContext(base=folder, name="g"), told)


def read(folder: Path, name: str) -> Any:
    content = (folder / PROVISIONING / name).read_bytes()
    return json.loads(content) if name.endswith(".json") else msgspec.yaml.decode(content)


def page(folder: Path, name: str) -> Any:
    return json.loads((folder / DASHBOARDS / f"{name}.json").read_bytes())


def everything(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted((folder / PROVISIONING).rglob("*")) if path.is_file()
    }  # fmt: skip


# ---------- the files ----------


@pytest.mark.long
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_the_folder_is_as_grafana_reads_it(tmp_path: Path, feed: FeedView, lang: Literal["en", "fr"]) -> None:
    """A data source, a provider that leads to the dashboards, alert rules; every name of a source is one."""
    deliver(tmp_path, feed, lang)
    (source,) = read(tmp_path, "datasources/pm-hub.yaml")["datasources"]
    (provider,) = read(tmp_path, "dashboards/pm-hub.yaml")["providers"]
    (group,) = read(tmp_path, "alerting/pm-hub.yaml")["groups"]
    pages = [page(tmp_path, name) for name in NAMES]
    panels = [panel for one in pages for panel in one["panels"]]
    asked = [target["datasource"]["uid"] for panel in panels for target in panel["targets"]]
    variables = [variable for one in pages for variable in one["templating"]["list"]]

    assert TITLES[lang] == [one["title"] for one in pages]
    assert sorted(f"{name}.json" for name in NAMES) == sorted(
        path.name for path in Path(provider["options"]["path"]).iterdir()
    )
    assert {source["uid"]} == {*asked, *(one["datasource"]["uid"] for one in variables)}
    assert [["cut", "program", "project"]] * 5 == [
        [variable["name"] for variable in one["templating"]["list"]] for one in pages
    ]
    assert len(pages) == len({one["uid"] for one in pages})
    assert ["pm-hub-stale", "pm-hub-partial", "pm-hub-red"] == [rule["uid"] for rule in group["rules"]]
    assert all("$" not in json.dumps(rule) for rule in group["rules"]), "Grafana would take it for a variable"


@pytest.mark.parametrize(
    ("lang", "why"), [("en", "too few people stand behind a week"), ("fr", "trop peu de personnes")]
)
def test_a_load_that_may_not_be_shown_says_why(
    tmp_path: Path, feed: FeedView, lang: Literal["en", "fr"], why: str
) -> None:
    """Grafana writes `noValue` where a query has no row; what is planned by project stands below."""
    deliver(tmp_path, feed, lang)
    load, planned, *_ = page(tmp_path, "load")["panels"]

    assert why in load["fieldConfig"]["defaults"]["noValue"]
    assert "fact_allocation_week" in planned["targets"][0]["rawSql"]
    assert load["gridPos"]["y"] < planned["gridPos"]["y"]


def test_no_panel_lies_on_another_or_beyond_the_grid(tmp_path: Path, feed: FeedView) -> None:
    """Grafana's grid has 24 columns; each cell of it holds one panel at most."""
    deliver(tmp_path, feed)
    for name in NAMES:
        cells = [
            (x, y)
            for panel in page(tmp_path, name)["panels"]
            for place in [panel["gridPos"]]
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]

        assert len(cells) == len(set(cells)), name
        assert max(x for x, _ in cells) < 24, name


def test_the_password_is_a_variable_of_grafanas_environment(tmp_path: Path, feed: FeedView) -> None:
    """Nothing else of the address is taken for one: a dollar is doubled (Grafana, provisioning)."""
    deliver(tmp_path, feed, host="db.example.org", database="a$b", password_env="GF_PM", ca="/ca.pem")
    (source,) = read(tmp_path, "datasources/pm-hub.yaml")["datasources"]

    assert {"password": "${GF_PM}"} == source["secureJsonData"]
    assert ("db.example.org:5432", "grafana", "a$$b") == (
        source["url"],
        source["user"],
        source["jsonData"]["database"],
    )
    assert ("verify-full", "/ca.pem") == (
        source["jsonData"]["sslmode"],
        source["jsonData"]["sslRootCertFile"],
    )


def test_a_server_beside_grafana_is_asked_in_the_clear(tmp_path: Path, feed: FeedView) -> None:
    """As PostgreSQL listens on the loopback address without a certificate."""
    deliver(tmp_path, feed, host="::1", location="/srv/grafana/")
    (source,) = read(tmp_path, "datasources/pm-hub.yaml")["datasources"]
    (provider,) = read(tmp_path, "dashboards/pm-hub.yaml")["providers"]

    assert ("[::1]:5432", "disable") == (source["url"], source["jsonData"]["sslmode"])
    assert f"/srv/grafana/{DASHBOARDS}" == provider["options"]["path"]


def test_the_same_feed_gives_the_same_bytes(tmp_path: Path, feed: FeedView) -> None:
    """A second delivery writes nothing, one into another folder of the same name the same."""
    first, second = deliver(tmp_path, feed), everything(tmp_path)
    again = deliver(tmp_path, feed)

    assert ("No file changed.",) == again.notes
    assert first.notes[0].startswith("8 files changed")
    assert second == everything(tmp_path)


def test_files_of_others_stay_and_old_ones_of_ours_go(tmp_path: Path, feed: FeedView) -> None:
    """The folder of dashboards is the hub's; the provisioning folder around it is not."""
    theirs = tmp_path / PROVISIONING / "datasources" / "loki.yaml"
    left = tmp_path / DASHBOARDS / "gone.json"
    for path in (theirs, left):
        path.parent.mkdir(parents=True)
        path.write_text("{}")
    deliver(tmp_path, feed)

    assert theirs.exists()
    assert not left.exists()


def test_the_files_hold_no_row_of_the_feed(tmp_path: Path, feed: FeedView) -> None:
    """Neither projects nor people: each reader of Grafana sees what PostgreSQL shows."""
    deliver(tmp_path, feed)
    text = b"".join(everything(tmp_path).values()).decode()

    assert [] == [word for word in ("Alpha", "L'été", "Supplier", "Person p", "COPIL") if word in text]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"host": "postgresql://me:secret@db"}, "name or address of one machine"),
        ({"host": "/var/run/postgresql"}, "name or address of one machine"),
        ({"host": ""}, "name or address of one machine"),
        ({"password_env": "se-cret!"}, "never the password itself"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        grafana(tmp_path, **wrong)

    assert "secret" not in str(caught.value)
    assert "se-cret" not in str(caught.value)


def test_a_file_in_the_way_is_told(tmp_path: Path, feed: FeedView) -> None:
    (tmp_path / PROVISIONING).write_text("in the way")
    with pytest.raises(DeliveryError, match="stands where a folder has to be"):
        deliver(tmp_path, feed)


@pytest.mark.long
def test_it_is_gold(proof: bool) -> None:
    report = certify(GrafanaCertification(), only=() if proof else SAMPLE)

    assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
    if proof:
        assert "gold" == report.level


@pytest.mark.long
def test_the_command_says_where_the_files_are(hub_folder: Path, run_hub: Callable[..., HubResult]) -> None:
    (hub_folder / "config" / "projects.csv").write_text("code,name,level\nP1,One,project\n")
    (hub_folder / "config" / "hub.toml").write_text(
        '[destinations.g]\nkind = "grafana"\npath = "out"\nhost = "db.example.org"\ndatabase = "r"\n'
    )
    said = run_hub("run")

    assert 0 == said.exit_code, said.output + said.error
    assert TITLES["en"] == [page(hub_folder / "out", name)["title"] for name in NAMES]


# ---------- what they ask ----------


def filled(sql: str, chosen: dict[str, Sequence[str]]) -> str:
    """Put the chosen values in as Grafana does.

    Source: grafana.com/docs, variable syntax, `sqlstring`: each value in quotes, with commas.
    """

    def put(found: re.Match[str]) -> str:
        return ",".join("'" + value.replace("'", "''") + "'" for value in chosen[found[1]])

    text = re.sub(r"\$\{(\w+):sqlstring\}", put, sql)
    assert "$" not in re.sub(r"'(?:[^']|'')*'", "", text), "a variable is left"
    return text


class Reader:
    """A role that may only read asks the queries of the files in *folder* as Grafana would."""

    def __init__(self, folder: Path, feed: FeedView) -> None:
        self.folder, self.feed, self.server = folder, feed, scratch()
        self.database = self.server.database()
        self.role = f"reader_{self.database}"
        (folder / "password").write_text(self.server.password)
        (folder / "password").chmod(0o600)
        with self.server.connect("postgres") as connection:
            connection.execute(f"CREATE ROLE {self.role} LOGIN PASSWORD '{self.server.password}'")  # type: ignore[call-overload]
        PostgresqlDestination(
            name="pg", host="127.0.0.1", port=self.server.port, database=self.database, user=USER,
            privacy="nominative-line", password=Secret("file", "password", folder), readers=(self.role,),
            schema="the feed",
        ).deliver(DeliveryContext(base=folder, name="pg"), feed)  # fmt: skip

    def ask(self, sql: str) -> list[dict[str, Any]]:
        with self.server.connect(self.database, user=self.role) as connection:
            cursor = connection.execute(sql)  # type: ignore[call-overload]
            names = [one.name for one in cursor.description or ()]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    def chosen(self, name: str, cut: str = "0") -> dict[str, Sequence[str]]:
        """Return what the page *name* opens with: each variable asked after the one before it."""
        found: dict[str, Sequence[str]] = {}
        for variable in page(self.folder, name)["templating"]["list"]:
            rows = self.ask(filled(variable["query"], found))
            values = [row.get("__value", next(iter(row.values()))) for row in rows]
            found[variable["name"]] = values if variable["includeAll"] else values[:1]
        return found | {"cut": [cut]}

    def panels(
        self, name: str, chosen: dict[str, Sequence[str]]
    ) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
        for panel in page(self.folder, name)["panels"]:
            (target,) = panel["targets"]
            yield panel, self.ask(filled(target["rawSql"], chosen))

    def panel(self, name: str, title: str, chosen: dict[str, Sequence[str]]) -> list[dict[str, Any]]:
        return next(rows for panel, rows in self.panels(name, chosen) if panel["title"] == title)

    def alert(self, name: str) -> list[dict[str, Any]]:
        (group,) = read(self.folder, "alerting/pm-hub.yaml")["groups"]
        (rule,) = [one for one in group["rules"] if one["uid"] == f"pm-hub-{name}"]
        return self.ask(rule["data"][0]["model"]["rawSql"])

    def figures(self, cut: str, scope: str) -> dict[tuple[str, str], float]:
        """Return the figures of the feed at *cut*, by what they are of (its label) and name."""
        rows = self.feed.connection.execute(
            "SELECT CASE WHEN f.scope_kind = 'project' THEN p.code ELSE f.scope_label END, "
            "kpi || ' ' || measure, value FROM fact_kpi f JOIN dim_project p USING (project_key) "
            "WHERE cut_key = ? AND scope_kind = ? AND is_last_period = 1 AND value IS NOT NULL",
            [int(cut), scope],
        ).fetchall()
        return {(label, name): value for label, name, value in rows}

    def key(self, code: str) -> str:
        rows = self.feed.connection.execute("SELECT project_key FROM dim_project WHERE code = ?", [code])
        return str(rows.fetchall()[0][0])


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, feed: FeedView) -> Reader:
    if programs() is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: postgresql)")
    folder = tmp_path_factory.mktemp("grafana")
    deliver(folder, feed, schema="the feed")
    return Reader(folder, feed)


@pytest.mark.sample(6)
@pytest.mark.parametrize("cut", ["0", "1", "2"])
@pytest.mark.parametrize("name", NAMES)
def test_every_panel_runs_and_its_figures_are_the_feeds(reader: Reader, name: str, cut: str) -> None:
    """At each cut a figure of the catalogue that a panel shows is that of fact_kpi; none of them is lost."""
    chosen = reader.chosen(name, cut)
    wanted = {scope: reader.figures(cut, scope) for scope in ("project", "team", "source", "portfolio")}
    seen = 0
    for panel, rows in reader.panels(name, chosen):
        for row in rows:
            scope, label = _scope(row)
            shown = {one for one in row if one in measures() and measures()[one].table == "fact_kpi"}
            figures = {name: value for (one, name), value in wanted[scope].items() if one == label}
            for figure in shown - {"SLA met", "SLA measured", "SLA compliance"}:
                assert figures.get(figure) == pytest.approx(row[figure]), f"{panel['title']}: {figure}"
                seen += row[figure] is not None
            if "figure" in row:
                assert figures.get(row["figure"]) == pytest.approx(row["value"])
                seen += 1

    assert seen or name == "run", "nothing was compared"


def _scope(row: dict[str, Any]) -> tuple[str, str]:
    for name, scope in (("team", "team"), ("source", "source"), ("code", "project")):
        if name in row:
            return scope, row[name]
    return ("project", "A") if "figure" in row else ("portfolio", "*")


@pytest.mark.long
@pytest.mark.parametrize("lang", ["en", "fr"])
def test_every_column_is_called_by_its_caption(
    reader: Reader, tmp_path: Path, lang: Literal["en", "fr"]
) -> None:
    """As the database answers; a series of a chart is called by its values."""
    deliver(tmp_path, reader.feed, lang, schema="the feed")
    for name in NAMES:
        chosen = reader.chosen(name)
        for panel in page(tmp_path, name)["panels"]:
            (target,) = panel["targets"]
            rows = reader.ask(filled(target["rawSql"], chosen))
            named = {one["matcher"]["options"] for one in panel["fieldConfig"]["overrides"]}
            lacking = {one for row in rows for one in row} - named

            assert lacking <= {"time", "metric", "value"}, f"{name}: {panel['title']}"
            assert not lacking or "time_series" == target["format"]


def test_the_variables(reader: Reader) -> None:
    """The latest cut comes first; a program narrows the projects, however it is called."""
    asked = {one["name"]: one["query"] for one in page(reader.folder, "portfolio")["templating"]["list"]}
    labels = [row["__value"] for row in reader.ask(filled(asked["cut"], {}))]
    programs_ = [row["program"] for row in reader.ask(filled(asked["program"], {}))]
    of_odd = [row["__text"] for row in reader.ask(filled(asked["project"], {"program": [ODD]}))]

    assert ["0", "2", "1"] == labels
    assert ODD in programs_
    assert ["A Alpha"] == of_odd


def test_figures_by_hand(reader: Reader) -> None:
    """A slips by 25 days past its limit of 20; 20 days were spent; a call of two measured ones was kept."""
    chosen = reader.chosen("portfolio")
    of_a = chosen | {"project": [reader.key("A")]}
    (weather,) = reader.panel("portfolio", "Weather of the projects", chosen)
    (alpha,) = reader.panel("portfolio", "Projects", of_a)
    spent = reader.panel("project", "Spent by month and nature of work (person-days)", of_a)
    decisions = reader.panel("portfolio", "Decisions asked", chosen)
    sla = reader.panel("run", "Service levels of the last month", reader.chosen("run"))
    breached = reader.panel("run", "Running and past their goal", reader.chosen("run"))

    assert (1, 1) == (weather["n_red"], weather["n_contradicted"])
    assert ("A", "red", "green", 25.0) == (
        alpha["code"], alpha["computed"], alpha["declared"], alpha["MILESTONE_SLIP slip_days"]
    )  # fmt: skip
    assert "The supplier is late." == alpha["commentary"]
    assert 20.0 == pytest.approx(sum(row["value"] for row in spent))
    assert [("B", "Choose", "COPIL")] == [(one["code"], one["title"], one["asked_of"]) for one in decisions]
    assert ["Call 0"] == [row["task"] for row in breached]
    assert {"B"} == {row["code"] for row in sla}


def test_service_levels_are_the_feeds(reader: Reader) -> None:
    """By project they are rows of fact_kpi, by month a ratio of sums: of all projects the portfolio's."""
    (row,) = reader.panel("run", "Service levels of the last month", reader.chosen("run"))
    months = reader.panel("run", "SLA compliance by month", reader.chosen("run"))
    wanted = reader.feed.connection.execute(
        "SELECT period_start, value FROM fact_kpi WHERE cut_key = 0 AND kpi = 'SLA' "
        "AND measure = 'compliance.resolution' AND scope_kind = 'portfolio' AND scope_label = '*' ORDER BY 1"
    ).fetchall()
    last = reader.figures("0", "project")["B", "SLA compliance.resolution"]

    assert last == pytest.approx(row["SLA compliance"])
    assert wanted == [(one["time"].astimezone(UTC).date(), pytest.approx(one["value"])) for one in months]
    assert wanted


def test_the_slips_are_those_of_the_committees(reader: Reader) -> None:
    """At the cut of COPIL 1 nothing had slipped, then by 4 days, now by 25; no cut knows a later one."""
    chosen = reader.chosen("project") | {"project": [reader.key("A")]}
    title = "Worst milestone slip, committee after committee (days)"
    now = [row["value"] for row in reader.panel("project", title, chosen)]
    then = [row["value"] for row in reader.panel("project", title, chosen | {"cut": ["1"]})]

    assert [0.0, 4.0, 25.0] == sorted(now)
    assert [0.0] == then


def test_a_portfolio_without_projects_is_asked_without_an_error(reader: Reader) -> None:
    """Whoever may see nothing, and a value that somebody wrote into the address, get empty panels."""
    for name in NAMES:
        for odd in ("", "'; DROP TABLE x; --", "999"):
            for panel, rows in reader.panels(name, reader.chosen(name) | {"project": [odd]}):
                assert not [row for row in rows if row.get("code")] or "Sources" == panel["title"]


# ---------- alerts ----------


def test_a_project_that_turned_red_is_told(reader: Reader) -> None:
    """A is past its limit since the last committee, B within it."""
    assert {"A Alpha": 1, "B L'été": 0} == {row["project"]: row["value"] for row in reader.alert("red")}


def test_a_source_that_was_not_read_whole_is_told(reader: Reader) -> None:
    found = {row["source"]: row["value"] for row in reader.alert("partial")}

    assert {"desk"} == {source for source, value in found.items() if value}
    assert {"config", "desk", "erp", "match", "plans", "times"} == set(found)


def test_a_source_is_stale_when_its_age_passes_its_limit(reader: Reader) -> None:
    """The desk was never read whole; the others were a moment ago, and may be an hour old."""
    fresh = {row["source"]: row["value"] for row in reader.alert("stale")}
    with reader.server.connect(reader.database) as connection:
        aged = "UPDATE \"the feed\".dim_source SET last_success_at = now() - interval '61 minutes'"
        connection.execute(f"{aged} WHERE name = 'plans'")  # type: ignore[call-overload]
        old = {row["source"]: row["value"] for row in reader.alert("stale")}
        connection.execute(  # type: ignore[call-overload]
            "UPDATE \"the feed\".dim_source SET last_success_at = now() WHERE name = 'plans'"
        )

    assert {"desk": 1, "erp": 0, "match": 0, "plans": 0, "times": 0} == fresh
    assert fresh | {"plans": 1} == old


def test_each_row_of_an_alert_is_one_instance(reader: Reader) -> None:
    """Grafana takes texts for labels, wants one number a row, and no two rows of the same labels."""
    for name in ("stale", "partial", "red"):
        rows = reader.alert(name)
        labels = [tuple(value for value in row.values() if isinstance(value, str)) for row in rows]

        assert rows
        assert len(rows) == len(set(labels))
        assert {1} == {sum(isinstance(value, int) for value in row.values()) for row in rows}


def test_every_alert_is_true_above_zero(reader: Reader) -> None:
    """The condition is the threshold B on the query A; no row at all is no alarm."""
    (group,) = read(reader.folder, "alerting/pm-hub.yaml")["groups"]
    for rule in group["rules"]:
        asked, above = rule["data"]

        assert ("B", "A", "threshold") == (
            rule["condition"], above["model"]["expression"], above["model"]["type"]
        )  # fmt: skip
        assert {"params": [0], "type": "gt"} == above["model"]["conditions"][0]["evaluator"]
        assert ("OK", "pm-hub", "__expr__") == (
            rule["noDataState"], asked["datasourceUid"], above["datasourceUid"]
        )  # fmt: skip


def test_sql_fits_its_lines() -> None:
    """No line is over 120 columns, and each query says its grain."""
    from hub_grafana import queries

    texts = {path.name: path.read_text("utf-8") for path in Path(queries.__path__[0]).glob("*.sql")}

    assert len(texts) > 20
    assert [] == [name for name, text in texts.items() if max(map(len, text.split("\n"))) > 120]
    assert [] == [name for name, text in texts.items() if not text.startswith("-- Grain: ")]


def test_a_column_of_no_table_is_not_known() -> None:
    assert column("surely_none", lang="en", currency="EUR") is None
