"""Hubs of a group for tests: tools with an address, stores, feeds, and the totals that a group asks for."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar

from hub import (
    Account,
    Batch,
    BudgetLine,
    Container,
    Partition,
    Project,
    Record,
    RegisterItem,
    Scope,
    Task,
    Worklog,
)
from hub.feed import BuildOptions, open_feed
from hub.publish import PublishOptions, publish
from hub.records import RECORDS, AccountAlias, Person
from hub.store import Store
from hub.sync import Options, sync
from hub.testing.empty import store_at
from hub.testing.fixtures import ScriptedSource

MONTHS = ("2026-07", "2026-08", "2026-09")
PEOPLE = ("Ada", "Béla", "Chloé", "Dov", "Eve")


class Tool(ScriptedSource, frozen=True, kw_only=True):
    """A tool with an address, which one hub or two read."""

    kind: ClassVar[str] = "tool"
    url: str | None = None

    @property
    def address(self) -> str | None:
        return self.url


def tool(name: str, rows: list[Record], *, url: str | None = None, **settings: Any) -> Tool:
    part = Partition(id="all", complete=True, scope=Scope(records=RECORDS), evidence="a whole reading")
    return Tool(
        name=name, url=url, partitions=(part,), script={"all": lambda _: [Batch(records=rows, cursor=1)]},
        **settings,
    )  # fmt: skip


def config(rows: list[Record]) -> Tool:
    return tool("config", rows)


def projects(codes: list[str], currency: str = "EUR") -> list[Record]:
    return [
        Project(id=f"config:{code}", code=code, name=f"Project {code}", currency=currency) for code in codes
    ]


def issues(dice: random.Random, name: str, codes: list[str], *, days: float = 7) -> list[Record]:
    """Return a tracker: containers of projects, tasks with estimates, hours of people on them or on none."""
    rows: list[Record] = [Account(id=f"{name}:{who}", display_name=who, login=who.lower()) for who in PEOPLE]
    for code in codes:
        home = f"{name}:c/{code}"
        rows.append(
            Container(
                id=home, kind="project", code=code, name=f"{code} in {name}", seconds_per_day=int(days * 3600)
            )
        )
        for n in range(dice.randint(1, 6)):
            task = f"{name}:{code}-{n}"
            rows.append(
                Task(
                    id=task, container_id=home, code=f"{code}-{n}", title=f"Task {n} of {code}",
                    parent_id=f"{name}:{code}-0" if n > 2 else None,
                    kind="milestone" if dice.random() < 0.1 else "work",
                    nature=dice.choice(["build", "anomaly", "evolution"]),
                    status_raw=dice.choice(["Open", "Doing", "Closed"]),
                    status_native=dice.choice(["todo", "in_progress", "done", "cancelled"]),
                    assignee_id=f"{name}:{dice.choice(PEOPLE)}", created_at="2026-07-01T08:00:00Z",
                    planned_finish_on=f"2026-{dice.randint(7, 12):02}-15",
                    estimate_s=dice.choice([None, 3600 * dice.randint(1, 90)]),
                    remaining_s=dice.choice([None, 1800 * dice.randint(0, 90)]),
                    points=dice.choice([None, 1.0, 3.0]),
                )
            )  # fmt: skip
            for m in range(dice.randint(0, 4)):
                on_task = dice.random() < 0.9
                rows.append(
                    Worklog(
                        id=f"{name}:w/{code}-{n}-{m}", task_id=task if on_task else None, container_id=home,
                        account_id=f"{name}:{dice.choice(PEOPLE)}",
                        day=f"{dice.choice(MONTHS)}-{dice.randint(1, 28):02}",
                        seconds=dice.choice([900, 3600, 7200, 25200, -1800]),
                        category=dice.choice(["project", "project", "internal", "absence"]),
                        approval=dice.choice(["approved", "rejected", "unknown"]),
                    )
                )  # fmt: skip
    return rows


def books(dice: random.Random, name: str, codes: list[str], currency: str = "EUR") -> list[Record]:
    """Return an ERP: budgets, risks and planned work by project."""
    rows: list[Record] = [
        BudgetLine(
            id=f"{name}:b/{code}/{month}/{kind}", project_code=code, month=month, kind=kind,
            category="services", amount_minor=dice.randint(1, 900_000), currency=currency,
        )
        for code in codes for month in MONTHS for kind in ("baseline", "revised", "consumed")
    ]  # fmt: skip
    rows += [
        RegisterItem(
            id=f"{name}:r/{code}", project_code=code, kind="risk", title=f"Risk of {code}", probability=0.5,
            impact=3, exposure_minor=dice.randint(1, 100_000), currency=currency,
        )
        for code in codes
    ]  # fmt: skip
    return rows


@contextmanager
def synced(folder: Path, *sources: Any) -> Iterator[Store]:
    folder.mkdir(parents=True, exist_ok=True)
    with store_at(folder / "hub.db") as store:
        report = sync(store, list(sources), Options(base=folder))
        assert [] == [
            (one.source_id, one.verdict, one.missing) for one in report.sources if one.verdict != "ok"
        ]
        yield store


def published(folder: Path, store: Store, currency: str = "EUR") -> Path:
    report = publish(
        store, folder / "feed", [], PublishOptions(base=folder, build=BuildOptions(currency=currency))
    )
    return Path(report.folder)


def figures(feed: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return the totals a group asks for, by the names of things and never by their keys."""
    view = open_feed(feed)
    try:
        return {name: view.execute(sql).fetchall() for name, sql in ASKED.items()}
    finally:
        view.close()


_PLACE = "JOIN dim_project p USING (project_key)"
_WHO = "JOIN dim_person e USING (person_key)"
ASKED = {
    "hours": f"""SELECT p.code, strftime(work_date, '%Y-%m'), e.person_label, w.category, w.approval,
        sum(seconds)::BIGINT, round(sum(days), 6), count(*)
        FROM fact_worklog w {_PLACE} {_WHO} GROUP BY ALL ORDER BY ALL""",
    "hours of tasks": """SELECT t.key, sum(seconds)::BIGINT FROM fact_worklog w
        JOIN dim_task t USING (task_key) GROUP BY ALL ORDER BY ALL""",
    "tasks": f"""SELECT p.code, e.person_label, c.category, k.kind, k.nature, count(*),
        round(sum(estimate_days), 6), round(sum(remaining_days), 6), sum(points)
        FROM fact_task_snapshot t JOIN dim_task k USING (task_key)
        JOIN dim_project p ON p.project_key = t.project_key {_WHO} JOIN dim_status c USING (status_key)
        WHERE cut_key = 0 GROUP BY ALL ORDER BY ALL""",
    "parents": """SELECT t.key, m.key FROM dim_task t JOIN dim_task m ON m.task_key = t.parent_task_key
        WHERE t.is_deleted = 0 AND t.task_key <> -1 ORDER BY ALL""",
    "budgets": f"""SELECT p.code, year_month, category, sum(baseline_amount), sum(revised_amount),
        sum(consumed_amount) FROM fact_budget {_PLACE} WHERE cut_key = 0 GROUP BY ALL ORDER BY ALL""",
    "registers": f"""SELECT p.code, kind, r.title, exposure_amount FROM fact_register r {_PLACE}
        WHERE cut_key = 0 ORDER BY ALL""",
    "plans": f"""SELECT p.code, e.person_label, a.year_month, sum(planned_s)::BIGINT
        FROM fact_allocation_week a {_PLACE} {_WHO} WHERE planned_s <> 0 GROUP BY ALL ORDER BY ALL""",
}
"""By names and never by keys, which are each store's own."""


def known(store: Store, sources: list[str]) -> list[Record]:
    """Return who is who: a person for each name, as an administrator says of every account."""
    rows: list[Record] = [Person(id=f"config:person/{who}", display_name=who) for who in PEOPLE]
    for row in store.rows("SELECT id, display_name FROM account WHERE display_name IS NOT NULL"):
        if row["id"].partition(":")[0] in sources:
            rows.append(
                AccountAlias(
                    id=f"config:alias/{row['id']}", account_id=row["id"],
                    person_id=f"config:person/{row['display_name']}",
                )
            )  # fmt: skip
    return rows


def consolidated(
    folder: Path, sources: list[Any], rows: list[Record], currency: str = "EUR"
) -> dict[str, list[tuple[Any, ...]]]:
    """Return the figures of a hub with *sources* and the reference data *rows*, who is who included."""
    from hub.matching import propose

    with synced(folder, config(rows), *sources) as store:
        names = [one.name for one in sources]
        sync(store, [config([*rows, *known(store, names)])], Options(base=folder))
        propose(store, {}, actor="a test")
        return figures(published(folder, store, currency))
