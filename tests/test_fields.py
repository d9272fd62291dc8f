"""Fields of the site: what fields.csv names is a column of the feed and of everything made of it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from test_feed import HOURS, PLAN, ask, feed_of, fill

from hub.cli.app import App
from hub.feed import Snapshot, measures, model, project_to
from hub.feed.fields import Field, fields_in_use, use_fields
from hub.records import CustomValue, FieldValue, Record, SiteField
from hub.store import Store
from hub.testing import HubResult
from hub.testing.empty import store_at


@pytest.fixture(autouse=True)
def _without() -> Iterator[None]:
    yield
    use_fields(())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Snapshot, tuple[Field, ...]]:
    """Return the feed of what has fields, built once, and the fields."""
    folder = tmp_path_factory.mktemp("fields")
    with store_at(folder / "hub.db") as filled:
        fill(filled, CHOSEN, [*PLAN, *VALUES], [*HOURS, *OF_HOURS])
        return feed_of(filled, folder), fields_in_use()


@pytest.fixture
def snapshot(built: tuple[Snapshot, tuple[Field, ...]]) -> Snapshot:
    """Return the feed, with its fields in use."""
    use_fields(built[1])
    return built[0]


def named(name: str, kind: str, level: str = "task", source: str = "plans", **also: Any) -> SiteField:
    return SiteField(
        id=f"config:fields/{name}/{source}", field=name, level=level, source=source, type=kind,
        native=also.pop("native", name), fr=f"Champ {name}", en=f"Field {name}", **also,
    )  # type: ignore[arg-type]  # fmt: skip


def value(row: str, field: str, **what: Any) -> CustomValue:
    return CustomValue(id=f"{row}/{field}", row_id=row, field=field, **what)


CHOSEN: list[Record] = [
    named("gate", "text", native="Text1", value_map="gates"),
    named("weight", "number"),
    named("promised", "date"),
    named("fee", "amount"),
    named("effort", "days"),
    named("vip", "flag"),
    named("areas", "list"),
    named("sponsor", "text", personal=True),
    named("owner", "text", personal=True),
    named("tester", "text"),
    named("unit", "text", level="project"),
    named("surcharge", "amount", level="hours", source="hours"),
    named("site", "text", level="person", source="hours"),
    FieldValue(id="config:field_values/gates/G1", value_map="gates", value="g1", shown="Gate one"),
]
VALUES = [
    value("plans:g/t/2", "text1", text="G1"),
    value("plans:g/t/3", "Text1", text="G9"),
    value("plans:g/t/2", "weight", text="2,5"),
    value("plans:g/t/3", "weight", number=4.0),
    value("plans:g/t/2", "promised", day="2026-05-01"),
    value("plans:g/t/2", "fee", number=1200.5),
    value("plans:g/t/2", "effort", number=3.0),
    value("plans:g/t/2", "vip", text="Oui"),
    value("plans:g/t/3", "vip", number=0.0),
    value("plans:g/t/2", "areas", text="North, South"),
    value("plans:g/t/2", "sponsor", text="Somebody"),
    value("plans:g/t/2", "nobody asked", text="-"),
    value("plans:g/t/2", "owner", text="plans:g/r/1"),
    value("plans:g/t/2", "tester", text="plans:g/r/1"),
    value("plans:g/t/3", "areas", text="plans:g/r/1, West"),
    value("plans:g", "unit", text="Core"),
]
OF_HOURS = [
    value("hours:1", "surcharge", number=10.0),
    value("hours:2", "surcharge", number=2.25),
    value("hours:M1", "site", text="Paris"),
]


@pytest.mark.long
def test_a_field_is_a_typed_column(snapshot: Snapshot) -> None:
    """A column of each type at what it is of, with the values of the tools and the words of the map."""
    assert [
        ("Build", "Gate one", 2.5, date(2026, 5, 1), 1200.5, 3.0, 1, "Somebody"),
        ("Go live", "G9", 4.0, None, None, None, 0, None),
    ] == ask(
        snapshot,
        "SELECT title, x_gate, x_weight, x_promised, x_fee::DOUBLE, x_effort, x_vip, x_sponsor FROM dim_task "
        "WHERE x_gate IS NOT NULL ORDER BY 1",
    )
    assert [("area", "North"), ("area", "South"), ("area", "West")] == [
        (field[:4], text)
        for field, text in ask(snapshot, "SELECT field, value FROM bridge_task_value ORDER BY 2")
    ]
    assert [("INFRA", "Core")] == ask(
        snapshot, "SELECT code, x_unit FROM dim_project WHERE x_unit IS NOT NULL"
    )
    assert [(12.25,)] == ask(snapshot, "SELECT sum(x_surcharge)::DOUBLE FROM fact_worklog")
    assert [("Paris",)] == ask(snapshot, "SELECT x_site FROM dim_person WHERE x_site IS NOT NULL")


def test_an_account_is_a_name_where_that_is_said(snapshot: Snapshot) -> None:
    """A field that holds somebody shows a name where fields.csv calls it personal, else nothing at all."""
    assert [("Engineer 1", None)] == ask(
        snapshot, "SELECT x_owner, x_tester FROM dim_task WHERE title = 'Build'"
    )


def test_what_can_be_added_up_is_a_measure(snapshot: Snapshot) -> None:
    """The sum of a field of tasks is one over the tasks of the cut, of hours one over the hours."""
    known = measures()

    found = {}
    for code in ("x_weight", "x_fee", "x_effort", "x_surcharge"):
        one = known[code]
        ((found[code],),) = ask(snapshot, f"SELECT ({one.sql})::DOUBLE FROM {one.table} WHERE {one.where}")
    assert {"x_weight": 6.5, "x_fee": 1200.5, "x_effort": 3.0, "x_surcharge": 12.25} == found
    assert ("Champ fee (somme)", "Field fee (sum)") == (known["x_fee"].fr, known["x_fee"].en)


@pytest.mark.long
@pytest.mark.parametrize("level", ["team-week", "project", "pseudonym-week", "nominative-line"])
def test_who_a_field_names_is_shown_where_people_are(snapshot: Snapshot, tmp_path: Path, level: str) -> None:
    """A personal field goes blank where people do; of sums of hours nothing of a line is left."""
    folder = project_to(level, snapshot.folder, tmp_path / "p", secret=b"k" * 32, k=1)

    named_here = level == "nominative-line"
    assert [("Gate one", "Somebody" if named_here else None)] == ask(
        folder, "SELECT x_gate, x_sponsor FROM dim_task WHERE title = 'Build'"
    )
    assert [(12.25 if named_here else None,)] == ask(
        folder, "SELECT sum(x_surcharge)::DOUBLE FROM fact_worklog"
    )


@pytest.mark.long
def test_a_value_of_another_type_is_told(store: Store, tmp_path: Path) -> None:
    """What a column cannot show is counted in the manifest, and nothing is made of it."""
    fill(store, [named("weight", "number"), named("promised", "date")], [
        *PLAN, value("plans:g/t/2", "weight", text="a lot"), value("plans:g/t/3", "weight", number=2.0),
        value("plans:g/t/3", "promised", text="soon"),
    ])  # fmt: skip
    snapshot = feed_of(store, tmp_path)
    told = [line for line in snapshot.manifest["excluded"] if line["measure"] == "field_values"]

    assert [(2, True)] == [(line["rows"], line["in_feed"]) for line in told]
    assert [(2.0,)] == ask(snapshot, "SELECT sum(x_weight) FROM dim_task")


@pytest.mark.long
def test_a_store_without_fields_has_none(store: Store, tmp_path: Path) -> None:
    """The fields of one store are not those of the next that the same process publishes."""
    fill(store, CHOSEN, [*PLAN, *VALUES])
    feed_of(store, tmp_path)
    assert "x_gate" in model().tables["dim_task"].columns

    with Store.open(tmp_path / "other.db") as other:
        fill(other, PLAN)
        feed_of(other, tmp_path / "b")

    assert not [name for name in model().tables["dim_task"].columns if name.startswith("x_")]


@pytest.mark.long
def test_a_feed_that_is_opened_later_has_its_fields(
    hub_folder: Path, run_hub: Callable[..., HubResult]
) -> None:
    """A server that starts long after the run shows them: they are the store's, not one process's."""
    (hub_folder / "in").mkdir()
    (hub_folder / "in" / "tasks.csv").write_text(TASKS)
    (hub_folder / "config" / "map.toml").write_text(TASKS_MAPPING)
    (hub_folder / "config" / "hub.toml").write_text(
        'lang = "en"\n[sources.list]\nkind = "tabular"\npath = "in"\nmapping = "config/map.toml"\n'
    )
    (hub_folder / "config" / "fields.csv").write_text(ASKED)
    codes = [run_hub(word).exit_code for word in ("sync", "publish")]
    use_fields(())  # as another process begins

    with App(str(hub_folder / "config" / "hub.toml")).feed_view("project") as feed:
        found = feed.connection.execute("SELECT x_weight FROM dim_task WHERE title = 'A'").fetchall()

    assert ([0, 0], [(2.5,)]) == (codes, found)


TASKS = "Ref;Title;Project;Weight\n1;A;P;2,5\n"
TASKS_MAPPING = 'record = "task"\nkey = ["Ref"]\n[fields]\ntitle = "Title"\ncontainer_id = "Project"\n'
ASKED = "field;source;native;type\nweight;list;Weight;number\n"


def test_a_mistake_in_fields_csv_takes_no_value_away(
    hub_folder: Path, run_hub: Callable[..., HubResult]
) -> None:
    """A line that is wrong keeps what was asked for before, and says so; corrected, it counts again."""
    config = hub_folder / "config"
    (hub_folder / "in").mkdir()
    (hub_folder / "in" / "tasks.csv").write_text(TASKS)
    (config / "map.toml").write_text(TASKS_MAPPING)
    (config / "hub.toml").write_text(
        'lang = "en"\n[sources.list]\nkind = "tabular"\npath = "in"\nmapping = "config/map.toml"\n'
    )
    (config / "fields.csv").write_text(ASKED)

    def kept() -> list[tuple[float | None, str]]:
        with closing(sqlite3.connect(hub_folder / "data" / "hub.db")) as db:
            return db.execute("SELECT number, presence FROM custom_value").fetchall()

    assert 0 == run_hub("sync").exit_code
    assert [(2.5, "present")] == kept()
    (config / "fields.csv").write_text(ASKED + "Wrong Name;list;Title;sorcery\n")
    (hub_folder / "in" / "tasks.csv").write_text(TASKS.replace("2,5", "3,5"))
    broken = run_hub("sync")
    told = run_hub("check", "config")

    assert broken.exit_code != 0
    assert "fields.csv, line 3, column type" in broken.output + broken.error
    assert told.exit_code == 1
    assert [(3.5, "present")] == kept()
