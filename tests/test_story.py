"""The committee's story: hand figures of a small portfolio at two cuts, in both languages."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import msgspec
import pytest

from hub.destination import FeedView
from hub.errors import ConfigError
from hub.feed import BuildOptions
from hub.feed.story import CHARTS, Story, alternative, chart, rows_of, tell, written, zone
from hub.feed.story.charts import band_of
from hub.feed.story.listing import LISTS, listed
from hub.feed.story.synthesis import synthesis
from hub.publish import PublishOptions, cuts, publish
from hub.records import (
    Account,
    Assessment,
    Baseline,
    BudgetLine,
    Container,
    Project,
    Rate,
    Record,
    RegisterItem,
    Target,
    Task,
    Worklog,
)
from hub.store import Store
from hub.testing import feed_view, view_of
from hub.testing.fixtures import store_at
from hub.words import LANGS, speaking

TODAY = date.today()
DAY = 25200


def ago(days: int) -> str:
    return str(TODAY - timedelta(days=days))


def ahead(days: int) -> str:
    return str(TODAY + timedelta(days=days))


def sync(store: Store, *records: Record) -> None:
    source = records[0].id.partition(":")[0]
    store.register_source(
        source, kind="test", base_url=None, tz="UTC", seconds_per_day=DAY, freshness_max_s=360000
    )
    run = store.begin_run(source, "full")
    store.write_batch(list(records), run_id=run, source_id=source)
    store.end_run(run, "ok")


def plan(code: str, no: int, slip: int, *, remaining: int = 5) -> list[Record]:
    """Return a task of ten days whose baseline ends today, and a milestone that slips by *slip* days."""
    box = f"plans:{code}"
    return [
        Container(id=box, kind="plan", code=code, name=code, seconds_per_day=DAY),
        Task(id=f"plans:t{no}", container_id=box, title="Build", estimate_s=10 * DAY,
             remaining_s=remaining * DAY, percent=50.0, planned_start_on=ago(60),
             planned_finish_on=ahead(30)),
        Baseline(id=f"plans:b{no}", task_id=f"plans:t{no}", start_on=ago(60), finish_on=ago(1),
                 effort_s=10 * DAY),
        Task(id=f"plans:m{no}", container_id=box, title=f"Go live {code}", kind="milestone",
             planned_finish_on=ahead(10 + slip)),
        Baseline(id=f"plans:bm{no}", task_id=f"plans:m{no}", start_on=ahead(10), finish_on=ahead(10)),
    ]  # fmt: skip


PORTFOLIO: list[Record] = [
    Project(id="config:SI", code="SI", name="SI", level="portfolio"),
    Project(id="config:A", code="A", name="Alpha", parent_code="SI"),
    Project(id="config:B", code="B", name="Beta", parent_code="SI"),
    Project(id="config:C", code="C", name="Gamma", parent_code="SI"),
    Target(id="config:t1", kpi="MILESTONE_SLIP", measure="slip_days", goal=0.0, amber=5.0, red=20.0,
           direction="down"),
    Rate(id="config:r", scope="default", scope_id="*", valid_from="2020-01-01", minor_per_day=50000),
]  # fmt: skip
SAID: list[Record] = [
    Assessment(id="said:a", project_code="A", day=ago(1), axis="overall", rag="green",
               comment="Not for papers", commentary="The supplier is late."),
    Assessment(id="said:b", project_code="B", day=ago(1), axis="overall", rag="amber", trend="up"),
]  # fmt: skip
REGISTER: list[Record] = [
    RegisterItem(id="reg:1", project_code="A", kind="risk", title="Supplier", probability=0.5, impact=4,
                 exposure_minor=1000000, opened_on=ago(90)),
    RegisterItem(id="reg:2", project_code="B", kind="decision", title="Choose a date", asked_of="COPIL",
                 opened_on=ago(20)),
    RegisterItem(id="reg:3", project_code="A", kind="decision", title="Far away", due_on=ahead(200)),
    RegisterItem(id="reg:4", project_code="A", kind="decision", title="Soon", due_on=ahead(3)),
    RegisterItem(id="reg:5", project_code="A", kind="decision", title="Taken", due_on=ahead(3),
                 state="closed", closed_on=ago(2)),
]  # fmt: skip
HOURS: list[Record] = [
    Container(id="times:a", kind="table", code="A", name="A"),
    Account(id="times:u1", display_name="Nadia Roy", employee_no="7"),
    Worklog(id="times:w1", container_id="times:a", account_id="times:u1", day=ago(40), seconds=6 * DAY),
]
MONEY: list[Record] = [
    BudgetLine(id="erp:1", project_code="A", month=ago(40)[:7], kind="baseline", category="services",
               amount_minor=1200000),
    BudgetLine(id="erp:2", project_code="A", month=ago(40)[:7], kind="consumed", category="services",
               amount_minor=700000),
]  # fmt: skip


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[FeedView, Path]]:
    """Give a feed of now and of the closed cut "COPIL 1", and the folder it stands in."""
    base = tmp_path_factory.mktemp("story")
    with store_at(base / "hub.db") as store:
        sync(store, *PORTFOLIO)
        sync(store, *plan("A", 1, 0), *plan("B", 2, 12))
        sync(store, *HOURS)
        sync(store, *MONEY)
        sync(store, *SAID)
        cuts.take(store, kind="copil", label="COPIL 0", actor="me")
        sync(store, *plan("A", 1, 3), *plan("B", 2, 12))
        cuts.take(store, kind="copil", label="COPIL 1", actor="me")
        cuts.close(store, base / "feed", "COPIL 1", BuildOptions(), actor="me")
        sync(store, *plan("A", 1, 25, remaining=8), *plan("B", 2, 2))
        sync(store, *REGISTER)
        options = PublishOptions(base=base, build=BuildOptions(), force="a test")
        report = publish(store, base / "feed", [], options)
        with view_of(Path(report.folder)) as view:
            yield view, base


@pytest.fixture(scope="module")
def story(feed: tuple[FeedView, Path]) -> Story:
    return tell(feed[0], lang="en")


@pytest.mark.long
def test_the_projects_and_their_weather(story: Story) -> None:
    """The reddest first; what moved them since the committee; the word of the manager, not the note."""
    found = [(one.code, one.declared, one.computed, one.trend, one.is_contradicted) for one in story.projects]

    assert [("A", "green", "red", "worse", True), ("B", "amber", "green", "better", False)] == found[:2]
    assert "Worst milestone slip (days) 25 > 20" == story.projects[0].reason
    assert "The supplier is late." == story.projects[0].commentary
    assert "COPIL 1" == story.before


def test_the_figures_are_those_of_the_catalogue(story: Story, feed: tuple[FeedView, Path]) -> None:
    """Each is a row of fact_kpi; 13 days left on A and B, 6 days at 500 and purchases of 7,000 spent."""
    assert 8.0 == story.project(story.projects[0].key).value("RAF.raf")  # type: ignore[union-attr]
    assert 13.0 == story.value("RAF.raf")
    assert 6 * 500 + 7000.0 + 8 * 500 == story.projects[0].value("LANDING.landing")
    assert 25.0 == story.projects[0].value("MILESTONE_SLIP.slip_days")
    rows = feed[0].connection.execute(
        "SELECT kpi || '.' || measure, value FROM fact_kpi WHERE cut_key = 0 AND scope_label = '*' "
        "AND is_last_period = 1"
    )

    assert dict(rows.fetchall()) == {name: one.value for name, one in story.totals.items()}


def test_what_is_asked_of_the_committee(story: Story) -> None:
    """Open decisions that name who decides, or whose date comes before the next committee."""
    assert ["Soon", "Choose a date"] == [one.title for one in story.decisions]
    assert [None, "COPIL"] == [one.asked_of for one in story.decisions]


def test_the_synthesis_says_it_in_sentences(story: Story) -> None:
    """Hand figures: one red, one green; a milestone 22 days later than at the committee."""
    said = {line.topic: line.text for line in reversed(story.synthesis)}

    assert said["weather"].startswith("3 projects: 1 red, 0 amber, 1 green.")
    assert "Since COPIL 1, worse: A Alpha; better: B Beta." == said["trend"]
    assert "1 milestone slipped, Go live A (A) by 22" in said["milestones"]
    assert "Landing 14,000\xa0€ against a budget of 12,000\xa0€ (+2,000\xa0€)" in said["money"]
    # of A and B with 10 days each, half done and all due; A has spent 6 days; A and B have 8 and 5 left
    assert (
        "Spent: 6\xa0person-days; to do: 13\xa0person-days (of 2 projects); "
        "cost index (CPI) 0.83 (of 1 project); schedule index (SPI) 0.50 (of 2 projects)." == said["effort"]
    )
    assert "expected exposure 5,000\xa0€; 1 new since COPIL 1" in said["risks"]
    assert said["decisions"].startswith("2 decisions are asked, first Soon (A)")


def test_the_synthesis_names_what_nothing_is_known_of(story: Story) -> None:
    """The register and the budgets are taken away: no risk and no overrun are not good news."""
    bare = tuple(
        msgspec.structs.replace(one, figures={
            name: figure for name, figure in one.figures.items() if not name.startswith("LANDING.")
        })
        for one in story.projects
    )  # fmt: skip
    with speaking("en"):
        (said,) = [
            line.text
            for line in synthesis(msgspec.structs.replace(story, projects=bare, register=()))
            if line.topic == "unknown"
        ]

    assert "Nothing is known of: budget; risks." == said
    assert [] == [line for line in story.synthesis if line.topic == "unknown"]


def test_a_closed_cut_tells_its_own_story(feed: tuple[FeedView, Path]) -> None:
    """Told of what it kept: no slip to tell of today, and what had moved since the committee before it."""
    then = tell(feed[0], cut="COPIL 1", lang="en")

    assert ("COPIL 1", "COPIL 0", False) == (then.label, then.before, then.is_now)
    assert {"A": 3.0, "B": 12.0} == {one.code: one.value("MILESTONE_SLIP.slip_days") for one in then.projects
                                     if one.value("MILESTONE_SLIP.slip_days") is not None}  # fmt: skip
    assert [("Go live A", 3.0)] == [(one.item, one.delta) for one in then.moves if one.topic == "milestone"]
    assert () == then.decisions
    with pytest.raises(ConfigError, match="COPIL 0"):
        tell(feed[0], cut="COPIL 9")


@pytest.mark.long
def test_several_readers_of_one_feed_do_not_meet(feed: tuple[FeedView, Path]) -> None:
    """What the KPIs stand on belongs to each reader: others look at the feed at another cut meanwhile."""
    view, _ = feed
    wanted = {label: tell(view, cut=label) for label in (None, "COPIL 1")}
    found: list[bool] = []

    def read(label: str | None) -> None:
        own = msgspec.structs.replace(view, connection=view.connection.cursor())
        for _ in range(5):
            found.append(wanted[label] == tell(own, cut=label))

    threads = [threading.Thread(target=read, args=(label,)) for label in (None, "COPIL 1") * 3]
    for one in threads:
        one.start()
    for one in threads:
        one.join()

    assert [True] * 30 == found


@pytest.mark.sample(7)
@pytest.mark.parametrize("name", LISTS)
def test_every_list_is_asked(feed: tuple[FeedView, Path], name: str) -> None:
    """Each list is read at now and at a closed cut, of all and of one project; pages give its rows once."""
    view, _ = feed
    key = tell(view).projects[0].key
    for cut in (None, "COPIL 1"):
        for project in (None, key):
            rows = listed(view, name, cut=cut, project=project, kpi="LANDING")
            if rows and "n" in rows[0]:
                parts = [
                    listed(view, name, cut=cut, project=project, kpi="LANDING", most=1, skip=skip)
                    for skip in range(len(rows))
                ]

                assert rows == [row for part in parts for row in part]
                assert {len(rows)} == {row["n"] for row in rows}


def test_the_curve_of_the_plan_meets_the_planned_value(story: Story) -> None:
    """On the day of the cut the S-curve is at the PV, EV and AC of the catalogue."""
    for project in story.projects[:2]:
        for series, name in (
            ("planned", "EVM_DAYS.pv"),
            ("earned", "EVM_DAYS.ev"),
            ("actual", "EVM_DAYS.ac"),
        ):
            points = [one for one in story.curve if one.project_key == project.key and one.series == series
                      and one.date <= story.as_of]  # fmt: skip
            if points:
                assert project.value(name) == pytest.approx(points[-1].value), (project.code, series)
    assert {"planned", "earned", "actual"} == {one.series for one in story.curve}


@pytest.mark.long
def test_a_cut_whose_source_was_late_is_not_called_whole(store: Store, tmp_path: Path) -> None:
    """Nobody knows more of it than it kept; a source that was never read whole is late."""
    sync(store, *PORTFOLIO)
    store.register_source(
        "erp", kind="test", base_url=None, tz="UTC", seconds_per_day=DAY, freshness_max_s=360000
    )
    store.end_run(store.begin_run("erp", "full"), "failed")
    cuts.take(store, kind="copil", label="COPIL 1", actor="me")
    with feed_view(store, tmp_path) as view:
        then = tell(view, cut="COPIL 1")

    assert (False, ("erp",)) == (then.complete, then.missing)


@pytest.mark.parametrize("lang", LANGS)
def test_every_chart_is_a_whole_specification(feed: tuple[FeedView, Path], lang: str) -> None:
    """No place is left to fill, every dataset it names is there, and words say what it shows."""
    told = tell(feed[0], lang="fr" if lang == "fr" else "en")
    drawn = {name: spec for name in CHARTS if (spec := chart(name, told)) is not None}

    assert {"weather", "slips", "roadmap", "s_curve", "waterfall", "risks"} <= drawn.keys()
    for name, spec in drawn.items():
        assert not [text for text in _texts(spec) if text.startswith("{")], name
        assert spec["data"]["name"] in spec["datasets"], name
        assert alternative(name, told) == spec["description"], name


def _texts(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)
    elif isinstance(node, str):
        yield node


def test_the_waterfall_adds_up(story: Story) -> None:
    """It begins with the budget, and its steps end at the landing."""
    rows = rows_of("waterfall", story)

    assert 12000.0 == rows[0]["high"]
    assert 14000.0 == rows[-1]["high"]
    assert 2000.0 == sum(row["high"] - row["low"] for row in rows if row["kind"] == "over")


@pytest.mark.parametrize(
    ("probability", "band"), [(0.0, 0), (0.2, 0), (0.21, 1), (0.5, 2), (0.6, 2), (0.61, 3), (1.0, 4)]
)
def test_the_matrix_places_a_risk(probability: float, band: int) -> None:
    """Fifths of probability; what lies between two is in the lower."""
    assert band == band_of(probability)


def test_the_zones_of_the_matrix() -> None:
    """Red needs both: a sure trifle is green, as is a disaster that hardly happens."""
    assert ("green", "amber", "red") == (zone(4, 1), zone(1, 3), zone(4, 3))
    assert "green" == zone(0, 5)


@pytest.mark.parametrize(
    ("lang", "value", "unit", "text"),
    [
        ("fr", 1234567.0, "amount", "1\u202f234\u202f567\xa0€"),
        ("en", 1234567.0, "amount", "1,234,567\xa0€"),
        ("fr", 0.854, "share", "85\u202f%"),
        ("fr", 0.8549, "ratio", "0,85"),
        ("fr", 12.25, "days", "12,2\xa0JH"),
        ("en", 12.0, "duration", "12\xa0days"),
        ("en", None, "amount", "–"),
    ],
)
def test_figures_are_written_as_the_language_does(
    lang: str, value: float | None, unit: str, text: str
) -> None:
    """With their unit, and no value is a dash, never 0."""
    with speaking("fr" if lang == "fr" else "en"):
        found = written(value, unit, "EUR")

    assert text == found


def test_what_a_line_of_the_portfolio_shows_besides(story: Story) -> None:
    """The next milestone, hours by month, the colours counted: of A, B and C one has no weather."""
    first = story.projects[0]
    coming = story.next_milestone(first.key)
    spent = [one.spent_h for one in story.months if one.project_key == first.key and one.spent_h]

    assert ("Go live A", date.fromisoformat(ahead(35))) == (coming and coming.title, coming and coming.finish)
    assert [42.0] == spent
    assert {"red": 1, "amber": 0, "green": 1, "grey": 1} == story.weather
    assert () == story.rejections


@pytest.mark.long
def test_a_plan_without_a_code_is_called_by_its_name(tmp_path: Path) -> None:
    """Without a portfolio a plan may have no code: its name stands for it, once, and never twice for two."""
    plans = [("a", None, "Roof"), ("b", None, "Cellar"), ("c", None, "Cellar"), ("d", "D1", "Door")]
    with store_at(tmp_path / "hub.db") as store:
        sync(
            store, *(Container(id=f"s:{one}", kind="plan", code=code, name=name) for one, code, name in plans)
        )
        with feed_view(store, tmp_path) as view:
            story = tell(view, lang="en")

    codes = [one.code for one in story.projects]
    assert 4 == len(set(codes))
    assert {"Roof", "D1 Door"} <= {one.called for one in story.projects}
    assert 2 == sum(one.startswith("Cellar #") for one in codes)


@pytest.mark.long
def test_a_feed_without_anything_tells_nothing(tmp_path: Path) -> None:
    """No budget, no risk, no baseline, no cut: empty parts, no chart, no sentence and no error."""
    with store_at(tmp_path / "hub.db") as store:
        sync(store, Container(id="t:c", kind="project", code="X", name="X"),
             Task(id="t:1", container_id="t:c", title="One"))  # fmt: skip
        with feed_view(store, tmp_path) as view:
            told = tell(view)
            drawn = [name for name in CHARTS if chart(name, told) is not None]

    assert ["X"] == [one.code for one in told.projects]
    assert [] == drawn
    assert told.before is None
    assert not told.moves + told.decisions + told.milestones
