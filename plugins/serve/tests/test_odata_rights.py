"""Each person, each way to ask, each row: OData shows what access.csv allows, by a rule told here again."""

from __future__ import annotations

import csv
import functools
import io
import json
import os
from collections import Counter
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hub_serve.odata.names import collections
from odata_site import LEVELS, RIGHTS, SECRET, Client, Site, feed_folder

from hub import model
from hub.feed import open_feed, project_to

Row = dict[str, Any]
CASES = [(level, user) for level in LEVELS for user in RIGHTS]
if not os.environ.get("PM_HUB_PROOF"):  # a sample of each kind of line
    CASES = [(LEVELS[0], "both@x.org"), (LEVELS[0], "two@x.org"), (LEVELS[1], "team@x.org")]
EVERYBODYS = {"dim_date", "dim_cut", "dim_status", "dim_source", "fact_adoption", "meta_label"}
SHOWN_WITH_ROWS = {"dim_project", "dim_person", "dim_task", "dim_iteration"}


class Rule:
    """Who sees which row, said again from the words of the documentation and from nothing of the hub."""

    def __init__(self, tables: dict[str, list[Row]], user: str) -> None:
        self.tables, self.user, self.lines = tables, user, RIGHTS[user]
        self.code = {row["project_key"]: row["code"] for row in tables["dim_project"]}
        self.team = {row["person_key"]: row["team"] for row in tables["dim_person"]}

    def allows(self, project: int | None, team: str | None) -> bool:
        """Say whether a line of a project, of a team, or of both has what it names."""
        return any(
            (code is None or (project is not None and self.code.get(project) == code))
            and (who is None or who == team)
            for code, who in self.lines
        )

    def itself(self, table: str, row: Row) -> bool:
        """Say whether the row's own project and team are allowed."""
        project = row.get("project_key")
        teams = {self.team.get(row.get("person_key"))}
        if table == "fact_kpi":
            teams = {row["scope_label"] if row["scope_kind"] == "team" else None}
        elif "team" in row:
            teams.add(row["team"])
        return any(self.allows(project, team) for team in teams)

    def shows(self, table: str, row: Row) -> bool:
        """Say whether the person sees *row*."""
        if table in EVERYBODYS:
            return True
        if table == "dim_access":
            return bool(row["user_principal"] == self.user)
        if table == "dim_target":
            code = row["scope_code"]
            return bool(self.lines) and (
                code == "*" or any(project == code and who is None for project, who in self.lines)
            )
        ends = [row[name] for name, one in model().tables[table].columns.items() if one.ref == "dim_task"]
        if table in {"fact_task_link", "bridge_task_value"}:
            tasks = {one["task_key"]: one for one in self.tables["dim_task"]}
            return all(self.shows("dim_task", tasks[key]) for key in ends)
        if self.itself(table, row):
            return True
        if table == "dim_project" and any(row["code"] == code for code, _ in self.lines):
            return True
        return (table, row[model().tables[table].key[0]]) in self._with_rows

    def keys(self, table: str) -> set[tuple[str, ...]]:
        """Return the keys of the rows of *table* that the person sees."""
        return {key_of(table, row) for row in self.tables[table] if self.shows(table, row)}

    @functools.cached_property
    def _with_rows(self) -> set[tuple[str, Any]]:
        """Return the dimensions, each with a key, that a row of a fact which shows points to."""
        found: set[tuple[str, Any]] = set()
        for name, rows in self.tables.items():
            if not name.startswith("fact_") or name in EVERYBODYS | {"fact_task_link"}:
                continue
            first: dict[str, str] = {}
            for column, one in model().tables[name].columns.items():
                if one.ref in SHOWN_WITH_ROWS:
                    first.setdefault(one.ref, column)
            for row in rows:
                if self.itself(name, row):
                    found |= {(table, row[column]) for table, column in first.items()}
        return found


@functools.cache
def rule_of(level: str, user: str) -> Rule:
    """Return the rule of *user* over all rows at *level*."""
    return Rule(all_rows(level), user)


@functools.cache
def all_rows(level: str) -> dict[str, list[Row]]:
    """Return all rows at *level* by table."""
    root = feed_folder()
    current = root / (root / "CURRENT").read_text(encoding="utf-8").strip()
    connection = open_feed(
        project_to(level, current, root / "projections", secret=SECRET, k=1, addresses=True)
    )
    tables = {}
    for name in model().tables:
        found = connection.execute(f"SELECT * FROM {name}")
        columns = [one[0] for one in found.description]
        tables[name] = [dict(zip(columns, row, strict=True)) for row in found.fetchall()]
    connection.close()
    return tables


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(feed_folder(), tmp_path_factory.mktemp("tokens"))


def key_of(table: str, row: Row) -> tuple[str, ...]:
    return tuple(plain(row[name]) for name in model().tables[table].key)


def plain(value: Any) -> str:
    """Return a value as one text, whether DuckDB or JSON gave it."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value.isoformat()
    return str(int(value)) if isinstance(value, (bool, Decimal)) else str(value)


def address(table: str, row: Row) -> str:
    """Return the address of a row by its key."""
    keys = []
    for name in model().tables[table].key:
        text = plain(row[name])
        if model().tables[table].columns[name].type == "VARCHAR":
            text = "'" + quote(text.replace("'", "''"), safe="'") + "'"
        keys.append(f"{name}={text}")
    return f"{table}({','.join(keys)})"


def pages(client: Client, table: str) -> list[Row]:
    """Return all rows of *table*, three a page."""
    found: list[Row] = []
    path = f"/odata/v4/{table}"
    while path:
        body = client.get(path, headers={"prefer": "odata.maxpagesize=97"}).json()
        found += body["value"]
        path = body.get("@odata.nextLink", "").removeprefix("http://localhost:8321")
    return found


@pytest.mark.long
@pytest.mark.sample(2)
@pytest.mark.parametrize(("level", "user"), CASES)
def test_each_way_to_ask_shows_the_same_rows(site: Site, level: str, user: str) -> None:
    """Whole, page by page, counted, as CSV, grouped: the rows of the rule, once each, and no other."""
    rule = rule_of(level, user)
    wrong = []
    with site.client(level=level, person=user) as client:
        for table in rule.tables:
            expected = sorted(rule.keys(table))
            key = model().tables[table].key
            groups = f"groupby(({','.join(key)}),aggregate($count as n))"
            told = {
                "rows": sorted(key_of(table, row) for row in client.rows(table)),
                "pages": sorted(key_of(table, row) for row in pages(client, table)),
                "groups": sorted(key_of(table, row) for row in client.rows(table, apply=groups)),
                "best": sorted(
                    key_of(table, row) for row in client.rows(table, apply=f"topcount(99999,{key[0]})")
                ),
            }
            wrong += [(table, way) for way, found in told.items() if found != expected]
            lines = list(csv.reader(io.StringIO(client.ask(table, format="csv").text)))[1:]
            counts = {
                "count": int(client.ask(f"{table}/$count").text),
                "counted": client.ask(table, count="true", top="0").json()["@odata.count"],
                "aggregate": client.rows(table, apply="aggregate($count as n)")[0]["n"],
                "csv": len(lines),
                "rolled up": client.rows(
                    table, apply=f"groupby((rollup($all,{key[0]})),aggregate($count as n))/topcount(1,n)"
                )[0]["n"] if expected else 0,
            }  # fmt: skip
            wrong += [(table, way, n, len(expected)) for way, n in counts.items() if n != len(expected)]
        behind = client.rows("dim_project", apply="aggregate(fact_worklog/$count as n)")[0]["n"]

    assert [] == wrong
    assert behind == len(rule.keys("fact_worklog"))


@pytest.mark.long
@pytest.mark.sample(2)
@pytest.mark.parametrize(("level", "user"), CASES)
def test_each_row_by_its_key(site: Site, level: str, user: str, proof: bool) -> None:
    """A row that is not allowed is not there, and neither is what it points to behind one that is."""
    rule = rule_of(level, user)
    wrong = []
    with site.client(level=level, person=user) as client:
        for table, rows in rule.tables.items():
            for row in rows[:: max(1, len(rows) // (300 if proof else 4))]:
                status = client.ask(address(table, row)).status_code
                if status != (200 if rule.shows(table, row) else 404):
                    wrong.append((table, key_of(table, row), status))

    assert [] == wrong


@pytest.mark.long
@pytest.mark.sample(2)
@pytest.mark.parametrize(("level", "user"), CASES)
def test_nothing_hidden_shows_beside_a_row(site: Site, level: str, user: str) -> None:
    """Neither by $expand, nor by a filter or a group along a navigation property."""
    rule = rule_of(level, user)
    shown = {table: {key[0] for key in rule.keys(table)} for table in rule.tables}
    wrong = []
    with site.client(level=level, person=user) as client:
        for table in rule.tables:
            for row in client.rows(table, expand="*"):
                for name, part in row.items():
                    if isinstance(part, dict):
                        key = model().tables[_target(table, name)].key[0]
                        if plain(part[key]) not in shown[_target(table, name)]:
                            wrong.append((table, name, part))
            for name in _navigations(table):
                key = model().tables[_target(table, name)].key[0]
                for group in client.rows(table, apply=f"groupby(({name}/{key}))"):
                    found = group[name][key]
                    if found is not None and plain(found) not in shown[_target(table, name)]:
                        wrong.append((table, name, group))

    assert [] == wrong


@pytest.mark.long
@pytest.mark.sample(1)
@pytest.mark.parametrize(("level", "user"), CASES)
def test_no_lambda_tells_of_a_hidden_row(site: Site, level: str, user: str) -> None:
    """Whether something points to a row, and how often, is said of what the person sees.

    Each collection of each dimension: any, all, its count, the count as a computed value, and the set itself.
    """
    rule = rule_of(level, user)
    wrong = []
    with site.client(level=level, person=user) as client:
        for table in (name for name in rule.tables if collections(name)):
            key = model().tables[table].key[0]
            seen = {row[key] for row in rule.tables[table] if rule.shows(table, row)}
            for name, (other, column) in collections(table).items():
                points = Counter(row[column] for row in rule.tables[other] if rule.shows(other, row))
                expected = {plain(one): points[one] for one in seen}  # nothing of a row that does not show
                first = model().tables[other].key[0]
                conditions = (
                    f"{name}/any()", f"{name}/any(x:x/{first} ne null)", f"{name}/$count ge 1",
                    f"not {name}/all(x:x/{first} eq null)",
                )  # fmt: skip
                told = {
                    one: {plain(row[key]) for row in client.rows(table, filter=one, select=key)}
                    for one in conditions
                }
                some = {one for one, n in expected.items() if n}
                wrong += [(table, name, way) for way, found in told.items() if found != some]
                counted = client.rows(table, compute=f"{name}/$count as n", select=f"{key},n")
                if {plain(row[key]): row["n"] for row in counted} != expected:
                    wrong.append((table, name, "compute"))
                some_seen = sorted(seen, key=str)[:5]
                hidden = [row[key] for row in rule.tables[table] if row[key] not in seen][:3]
                asked = [f"{table}({literal(table, one)})/{name}/$count" for one in [*some_seen, *hidden]]
                texts = [
                    one["body"] if one["status"] == 200 else one["status"] for one in batch(client, asked)
                ]
                if texts != [*(str(points[one]) for one in some_seen), *(404 for _ in hidden)]:
                    wrong.append((table, name, "batch"))

    assert [] == wrong


@pytest.mark.long
@pytest.mark.sample(2)
@pytest.mark.parametrize(("level", "user"), CASES)
def test_no_hidden_row_is_beside_another(site: Site, level: str, user: str) -> None:
    """Each collection of each row by `$expand`, with all that leads on from its rows: what the rule shows.

    Beside a row are its own rows, all of them that show, and their count; deeper none that does not show.
    """
    rule = rule_of(level, user)
    shown = {table: rule.keys(table) for table in rule.tables}
    wrong: list[Any] = []
    read: Counter[str] = Counter()
    beside: set[str] = set()

    def walk(table: str, row: Row, way: tuple[str, ...]) -> None:
        read[table] += 1
        if key_of(table, row) not in shown[table]:
            wrong.append((way, row))
        for name, part in row.items():
            if isinstance(part, list):
                for one in part:
                    walk(collections(table)[name].table, one, (*way, name))
            elif isinstance(part, dict):
                walk(_target(table, name), part, (*way, name))

    with site.client(level=level, person=user) as client:
        for table in (name for name in rule.tables if collections(name)):
            key = model().tables[table].key[0]
            for name, (other, column) in collections(table).items():
                inner = f"$select={','.join(model().tables[other].key)};$count=true;$expand=*"
                expected: dict[str, set[tuple[str, ...]]] = {key: set() for (key,) in shown[table]}
                for row in rule.tables[other]:
                    if plain(row[column]) in expected and rule.shows(other, row):
                        expected[plain(row[column])].add(key_of(other, row))
                beside.update([other] * any(expected.values()))
                told: dict[str, list[tuple[str, ...]]] = {}
                for row in client.rows(table, select=key, expand=f"{name}({inner})"):
                    told[plain(row[key])] = [key_of(other, one) for one in row[name]]
                    if row[f"{name}@odata.count"] != len(row[name]):
                        wrong.append((table, name, "count"))
                    walk(table, row, (table,))
                if {one: sorted(found) for one, found in told.items()} != {
                    one: sorted(found) for one, found in expected.items()
                }:
                    wrong.append((table, name, "rows"))
                counts = client.rows(table, select=key, expand=f"{name}/$count")
                if {plain(row[key]): row[f"{name}@odata.count"] for row in counts} != {
                    one: len(found) for one, found in expected.items()
                }:
                    wrong.append((table, name, "/$count"))

    assert [] == wrong
    assert beside <= read.keys()
    assert user == "stranger@x.org" or beside


@pytest.mark.long
@pytest.mark.parametrize(("level", "user"), CASES)
def test_a_batch_shows_the_same_rows(site: Site, level: str, user: str) -> None:
    """Every set in one batch, in both of its forms: the rows of the rule, once each, and no other."""
    rule = rule_of(level, user)
    wrong = []
    with site.client(level=level, person=user) as client:
        for name, one in zip(rule.tables, batch(client, [*rule.tables]), strict=True):
            if sorted(key_of(name, row) for row in one["body"]["value"]) != sorted(rule.keys(name)):
                wrong.append((name, "rows"))
        head = "--b\r\nContent-Type: application/http\r\n\r\n"
        parts = "".join(f"{head}GET {name}/$count\r\n\r\n\r\n" for name in rule.tables)
        headers = {"content-type": "multipart/mixed;boundary=b", "accept": "application/json"}
        counts = client.post("/odata/v4/$batch", content=f"{parts}--b--", headers=headers).json()["responses"]
        wrong += [
            (name, one["body"]) for name, one in zip(rule.tables, counts, strict=True)
            if one["body"] != str(len(rule.keys(name)))
        ]  # fmt: skip

    assert [] == wrong


def batch(client: Client, paths: list[str]) -> list[dict[str, Any]]:
    """Return the answers to *paths* in one request."""
    requests = [{"id": str(n), "method": "get", "url": one} for n, one in enumerate(paths)]
    answer = client.post("/odata/v4/$batch", json={"requests": requests})
    return answer.json()["responses"]  # type: ignore[no-any-return]


def literal(table: str, value: Any) -> str:
    """Return a key of one column as the address has it."""
    text = plain(value)
    column = model().tables[table].columns[model().tables[table].key[0]]
    return "'" + quote(text.replace("'", "''"), safe="'") + "'" if column.type == "VARCHAR" else text


def _navigations(table: str) -> list[str]:
    return [name.removesuffix("_key") for name, one in model().tables[table].columns.items() if one.ref]


def _target(table: str, name: str) -> str:
    return next(
        one.ref
        for column, one in model().tables[table].columns.items()
        if one.ref and column.removesuffix("_key") == name
    )


@pytest.mark.long
@pytest.mark.parametrize("level", ["project", "pseudonym-week"])
def test_nobody_is_named_below_the_nominative_level(site: Site, level: str) -> None:
    """What the model calls personal is blank in every row and every form."""
    names = ("Ann", "ann", "Al", "al", "bob", "cleo")
    wrong = []
    with site.client(level=level) as client:
        for table, one in model().tables.items():
            blank = [name for name, column in one.columns.items() if column.personal in {"name", "e-mail"}]
            text = json.dumps(client.rows(table))
            wrong += [(table, name) for name in names if f'"{name}"' in text]
            if blank and (table, level[:4]) != ("dim_person", "pseu"):
                for row in client.rows(table, select=",".join(blank)):
                    wrong += [(table, key, value) for key, value in row.items() if value and value in names]

    assert [] == wrong


def test_without_a_token_there_is_nothing(site: Site, tmp_path: Path) -> None:
    """Each address of the service asks for one, and tells nothing of the feed."""
    with site.client() as client:
        client.auth = None
        told = {
            client.get(f"/odata/v4/{path}").status_code
            for path in ["", "$metadata", *model().tables, "dim_project(1)", "dim_project/$count", "nope"]
        }

    assert {401} == told
