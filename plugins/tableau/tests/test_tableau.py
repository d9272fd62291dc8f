"""Tableau's files: made of the feed to the cent, kept up in place.

They are rebuilt when they are not what was delivered.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hub_tableau import hyper
from hub_tableau.destination import FACTS, TableauDestination
from hub_tableau.testing.certification import TableauCertification

from hub import ConfigError, MissingExtra, model, table_caption
from hub.feed import BuildOptions
from hub.publish import PublishOptions, PublishReport, publish
from hub.records import BudgetLine, Container, Record, Task, Worklog
from hub.store import Store
from hub.testing import store
from hub.testing.kit import certify

__all__ = ["store"]
try:
    import tableauhyperapi  # noqa: F401

    HERE = True
except ImportError:
    HERE = False
needs_engine = pytest.mark.skipif(not HERE, reason="needs the extra [hyper]: run `make test-tableau`")


def deliver(
    store: Store, tmp_path: Path, records: list[Record], *, lang: str = "en", **settings: Any
) -> PublishReport:
    if not store.runs("s", limit=1):
        store.register_source(
            "s", kind="test", base_url=None, tz="UTC", seconds_per_day=25200, freshness_max_s=10**9
        )
    run = store.begin_run("s", "full")
    store.write_batch(records, run_id=run, source_id="s")
    store.end_run(run, "ok")
    place = TableauDestination(
        name="tableau", path="tableau", **({"facts": ("fact_worklog", "fact_budget")} | settings)
    )
    return publish(
        store, tmp_path / "feed", [place], PublishOptions(base=tmp_path, build=BuildOptions(lang=lang))
    )


def records(rng: random.Random, *, count: int = 40) -> list[Record]:
    """Return projects, tasks, hours and money; another state of *rng* makes others under the same ids."""
    found: list[Record] = [
        Container(id=f"s:c{n}", kind="plan", code=f"P-{n}", name=f'Été à l\'«"{n}"» {rng.random()}')
        for n in range(3)
    ]
    found += [
        Task(id=f"s:t{n}", container_id=f"s:c{n % 3}", title=f"T{n}", status_native="done") for n in range(5)
    ]
    found += [
        Worklog(
            id=f"s:w{n}",
            container_id=f"s:c{n % 3}",
            day=f"2026-0{1 + n % 6}-1{n % 9}",
            seconds=rng.randint(-3600, 36000),
        )
        for n in range(count)
    ]
    found += [
        BudgetLine(
            id=f"s:b{n}",
            project_code=f"P-{n % 3}",
            month=f"2026-0{1 + n % 6}",
            kind="consumed",
            category="services",
            amount_minor=rng.randint(0, 10**7),
        )
        for n in range(12)
    ]
    return found


def ask(tmp_path: Path, fact: str, sql: str) -> list[Any]:
    with (
        hyper.engine() as process,
        hyper.opened(process, tmp_path / "tableau" / "latest" / f"{fact}.hyper", new=False) as connection,
    ):
        return [tuple(row) for row in connection.execute_list_query(sql)]


def of_feed(report: PublishReport, tmp_path: Path, sql: str) -> list[Any]:
    folder = next((tmp_path / "feed" / "projections").glob(f"**/{report.feed_id}*"), None) or Path(
        report.folder
    )
    with duckdb.connect() as connection:
        for table in model().tables:
            if any((folder / table).rglob("*.parquet")):
                connection.execute(
                    f"CREATE VIEW {table} AS SELECT * "
                    f"FROM read_parquet('{folder}/{table}/**/*.parquet', hive_partitioning = false)"
                )
        return connection.execute(sql).fetchall()


# ---------- without the engine ----------


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_every_fact_comes_with_the_dimensions_it_points_to(lang: str) -> None:
    """Each key is declared, one relation a dimension, and every name is there once in its table."""
    for fact in FACTS:
        refs, tables = hyper.tables_of(fact)
        text = hyper.ddl(fact, lang, refs)

        assert fact == tables[-1]
        lists = {"bridge_task_value"} if "dim_task" in tables else set()
        assert set(refs.values()) | lists == set(tables[:-1])
        assert len(refs) == text.count("ASSUMED FOREIGN KEY")
        assert 1 == text.count("ASSUMED PRIMARY KEY")
        for table in tables:
            names = [name.casefold() for name in hyper.captions(table, lang).values()]
            assert len(names) == len(set(names))
            assert all(
                f"{hyper.quoted(hyper.captions(table, lang)[key])} " in hyper.ddl(table, lang, {})
                for key in model().tables[table].key
            )


def test_names_and_texts_are_quoted() -> None:
    """What has a quote in it stays a name or a text."""
    assert '"a""b"' == hyper.quoted('a"b')
    assert "'a''b'" == hyper.text("a'b")


@pytest.mark.long
def test_without_the_engine_a_sentence_says_what_to_install(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The delivery fails with the command to type; the feed is current all the same."""
    monkeypatch.setitem(__import__("sys").modules, "tableauhyperapi", None)
    report = deliver(store, tmp_path, records(random.Random(1)))

    assert report.current
    assert 'pip install "pm-hub-tableau[hyper]"' in (report.deliveries[0].error or "")
    with pytest.raises(MissingExtra), hyper.engine():
        pass


def test_a_fact_that_does_not_exist_is_refused() -> None:
    """The sentence lists those there are."""
    with pytest.raises(ConfigError, match="knows no fact_nothing"):
        TableauDestination(name="t", path="x", facts=("fact_nothing",))


# ---------- with the engine ----------


@needs_engine
def test_the_files_are_the_feed(store: Store, tmp_path: Path) -> None:
    """Rows, hours to the second and money to the cent are read by Tableau's engine.

    The types are those of the model; only we may read them.
    """
    report = deliver(store, tmp_path, records(random.Random(1)))
    hours = ask(tmp_path, "fact_worklog", 'SELECT count(*), sum("Seconds") FROM "Worklogs"')
    by_project = ask(
        tmp_path,
        "fact_worklog",
        'SELECT p."Code", sum(w."Seconds") FROM "Worklogs" w JOIN "Projects" p USING ("Project key") '
        "GROUP BY 1 ORDER BY 1",
    )
    money = ask(tmp_path, "fact_budget", 'SELECT sum("Consumed") FROM "Budget"')

    assert 0 == report.exit_code, report.deliveries
    assert of_feed(report, tmp_path, "SELECT count(*), sum(seconds)::BIGINT FROM fact_worklog") == hours
    assert (
        of_feed(
            report,
            tmp_path,
            "SELECT code, sum(seconds)::BIGINT FROM fact_worklog JOIN dim_project USING (project_key) "
            "GROUP BY 1 ORDER BY 1",
        )
        == by_project
    )
    assert of_feed(report, tmp_path, "SELECT sum(consumed_amount) FROM fact_budget") == money
    assert {0o600} == {path.stat().st_mode & 0o777 for path in (tmp_path / "tableau" / "latest").iterdir()}


@needs_engine
def test_after_days_of_changes_they_are_the_feed(store: Store, tmp_path: Path, proof: bool) -> None:
    """Changes, deletions and another language: what readers see is the feed, whatever was there."""
    rng = random.Random(7)
    deliver(store, tmp_path, records(rng))
    for day in range(30 if proof else 3):
        changed = rng.sample(records(rng, count=rng.randint(40, 60)), 20)
        if day % 2:
            store.set_presence("worklog", [f"s:w{rng.randint(0, 39)}"], "deleted", "said so", run_id=1)
        lang = ("en", "fr")[day % 2]
        report = deliver(store, tmp_path, changed, lang=lang)
        table, seconds = (
            hyper.quoted(table_caption("fact_worklog", lang)),
            hyper.quoted(hyper.captions("fact_worklog", lang)["seconds"]),
        )

        assert 0 == report.exit_code, report.deliveries
        assert of_feed(report, tmp_path, "SELECT count(*), sum(seconds)::BIGINT FROM fact_worklog") == ask(
            tmp_path, "fact_worklog", f"SELECT count(*), sum({seconds}) FROM {table}"
        )


@needs_engine
def test_gold(proof: bool) -> None:
    """The kit delivers, cuts, refuses and repeats, and reads with Tableau's engine."""
    report = certify(TableauCertification(), only=() if proof else ("delivers-the-feed", "refusals-are-told"))

    assert [] == [f"{one.code}: {one.saw}" for one in report.failures()]
