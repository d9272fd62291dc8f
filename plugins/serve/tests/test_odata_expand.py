"""The rows of a collection beside a row: `$expand` with options, nested, bounded, the rest by a link."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hub_serve.odata import behind, paging, questions
from odata_site import Client, Site, feed_folder
from starlette.testclient import TestClient

Row = dict[str, Any]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    return Site(feed_folder(), tmp_path_factory.mktemp("tokens"))


@pytest.fixture
def client(site: Site) -> Iterator[Client]:
    with site.client() as one:
        yield one


def hours(row: Row) -> list[int]:
    """Return the hours of the entries beside *row*, in their order; `w0` has one hour, `w5` has six."""
    return [int(one["worklog_id"].removeprefix("s:w")) + 1 for one in row["fact_worklog"]]


def by_code(rows: list[Row]) -> dict[str, Row]:
    return {one["code"]: one for one in rows}


def test_intermediate_expand_of_a_collection(client: Client) -> None:
    """The rows that point to a row, in the order of their keys, and none where there are none (11.2.5.2)."""
    told = by_code(client.rows("dim_project", select="code", expand="fact_worklog($select=worklog_id)"))
    text = client.ask("dim_project", select="code", expand="fact_worklog($select=worklog_id)").json()

    assert {"A": [1, 2, 3], "B": [4, 5, 6], "?": []} == {code: hours(row) for code, row in told.items()}
    assert {"worklog_id": "s:w0"} == told["A"]["fact_worklog"][0]
    assert text["@odata.context"].endswith("#dim_project(code,fact_worklog(worklog_id))")


OPTIONS = {
    "$orderby=days desc": [6, 5, 4],
    "$filter=days gt 0.6 and person/team eq 'Blue'": [5],
    "$filter=days gt 0.6;$orderby=work_date desc": [6, 5],
    "$top=2": [4, 5],
    "$skip=1": [5, 6],
    "$skip=1;$top=1;$orderby=days desc": [5],
    "$top=0": [],
    "$filter=task/bridge_task_value/any(v:v/value eq 'red,b2')": [5],
    "$compute=day(work_date) as d;$filter=d ne 5;$select=worklog_id,d": [4, 6],
    "orderby=worklog_id desc;TOP=1": [6],
    "$filter=worklog_id ne 's:w4;$top=1'": [4, 5, 6],
}


@pytest.mark.parametrize("options", OPTIONS)
def test_intermediate_options_within_expand(client: Client, options: str) -> None:
    """Each row's own rows are filtered, sorted, cut and computed, by hand of odata_site (11.2.5.2.1)."""
    told = by_code(client.rows("dim_project", expand=f"fact_worklog({options})"))

    assert OPTIONS[options] == hours(told["B"])


def test_intermediate_search_and_count_within_expand(client: Client) -> None:
    """`$count` counts what the filter leaves, before `$top` and `$skip`; `$search` looks into the texts."""
    told = by_code(
        client.rows("dim_project", expand="dim_task($search=nord OR brien;$select=key),fact_worklog($count="
                    "true;$top=1;$skip=7;$filter=days gt 0.6),fact_budget/$count($filter=year_month eq "
                    "'2026-01'),fact_register/$count")
    )  # fmt: skip
    exact = client.ask(
        "dim_project",
        expand="fact_worklog($count=true;$top=0)",
        format="application/json;IEEE754Compatible=true",
    ).json()["value"]

    assert (["a2"], ["b2"]) == tuple([one["key"] for one in told[code]["dim_task"]] for code in "AB")
    assert (2, []) == (told["B"]["fact_worklog@odata.count"], told["B"]["fact_worklog"])
    assert (1, 1) == (told["B"]["fact_budget@odata.count"], told["A"]["fact_register@odata.count"])
    assert "fact_budget" not in told["B"]
    assert "3" == by_code(exact)["A"]["fact_worklog@odata.count"]


def test_expand_leads_on_from_both_sides(client: Client) -> None:
    """Down from a row beside a row, up again, and from a dimension that stands beside."""
    inner = "$select=key;$orderby=key;$expand=fact_worklog($select=worklog_id;$expand=person($select=team))"
    told = by_code(client.rows("dim_project", select="code", expand=f"dim_task({inner})"))
    [entry] = client.rows(
        "fact_worklog", filter="worklog_id eq 's:w4'", select="worklog_id",
        expand="project($select=code;$expand=fact_worklog($select=worklog_id;$orderby=days desc;$top=2))",
    )  # fmt: skip

    assert {"b1": [4], "b2": [5], "b3": [6]} == {one["key"]: hours(one) for one in told["B"]["dim_task"]}
    assert ["Red", "Blue", None] == [
        one["fact_worklog"][0]["person"]["team"] for one in told["B"]["dim_task"]
    ]
    assert ("B", [6, 5]) == (entry["project"]["code"], hours(entry["project"]))


def test_one_row_has_its_collections_too(client: Client) -> None:
    """By its key, by the way to it, and in a batch."""
    [row] = client.rows("dim_project", filter="code eq 'B'")
    path = f"dim_project({row['project_key']})?$select=code&$expand=fact_worklog($select=worklog_id)"
    alone = client.ask(path).json()
    [task] = client.rows("dim_task", filter="key eq 'b1'")
    behind_it = client.ask(f"dim_task({task['task_key']})/project", expand="fact_worklog").json()
    batch = client.post("/odata/v4/$batch", json={"requests": [{"id": "1", "method": "get", "url": path}]})

    assert [4, 5, 6] == hours(alone) == hours(behind_it) == hours(batch.json()["responses"][0]["body"])


def test_full_metadata_of_the_rows_beside(client: Client) -> None:
    """They say what they are and where they are found; links lead to what is not shown (JSON 4.5)."""
    full = "application/json;odata.metadata=full"
    [row] = client.ask(
        "dim_project", filter="code eq 'A'", expand="fact_worklog($top=1)", format=full
    ).json()["value"]
    [one] = row["fact_worklog"]

    assert ("#PmHub.fact_worklog", "fact_worklog('s%3Aw0')") == (one["@odata.type"], one["@odata.id"])
    assert "fact_worklog@odata.navigationLink" not in row
    assert row["dim_task@odata.navigationLink"].endswith("/dim_task")
    assert "project@odata.navigationLink" in one


LINKED = ["", "$orderby=days desc", "$filter=days gt 0.2;$count=true", "$skip=1", "$top=2", "$skip=1;$top=2",
          "$orderby=person/team;$top=2;$select=worklog_id", "$filter=worklog_id ne 'a&b;%;$p0'"]  # fmt: skip


@pytest.mark.long
@pytest.mark.parametrize("options", LINKED)
def test_a_collection_that_is_cut_goes_on_by_a_link(
    client: Client, monkeypatch: pytest.MonkeyPatch, options: str
) -> None:
    """The rows beside and those of the links are together what one asks for, once each and in order (8.3)."""
    whole = by_code(client.rows("dim_project", expand=f"fact_worklog({options})"))
    monkeypatch.setattr(behind, "MOST_ROWS", (1, 1, 1))
    cut = by_code(client.rows("dim_project", expand=f"fact_worklog({options})"))

    for code, row in cut.items():
        parts, link = hours(row), row.get("fact_worklog@odata.nextLink")
        assert len(parts) <= 1
        while link:
            answer = client.get(link)
            assert answer.status_code == 200, answer.text
            body = answer.json()
            parts += hours({"fact_worklog": body["value"]})
            link = body.get("@odata.nextLink")
        assert hours(whole[code]) == parts


def test_a_link_of_a_row_below_a_row_and_by_token(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The link has the address of the row it belongs to, and the token of an address stays with it."""
    monkeypatch.setattr(behind, "MOST_ROWS", (2, 1, 1))
    with site.client() as known, TestClient(site.app, base_url="http://localhost:8321") as bare:
        rows = bare.get(
            f"/odata/v4/dim_project?token={known.token}&$filter=code eq 'A'&$expand=dim_task($filter=key ge "
            "'a1';$expand=fact_worklog)"
        ).json()["value"]
        [first, _] = rows[0]["dim_task"]
        more = bare.get(first["fact_worklog@odata.nextLink"])
        others = bare.get(rows[0]["dim_task@odata.nextLink"]).json()["value"]

    assert ([1], [2]) == (hours(first), hours({"fact_worklog": more.json()["value"]}))
    assert ["a3"] == [one["key"] for one in others]
    assert [] == others[0]["fact_worklog"]


def test_pages_with_collections_hold_few_rows_at_once(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However few rows a statement may hold, and wherever a page ends, all come, once each and in order."""
    options = {"select": "key", "orderby": "key desc", "expand": "fact_worklog($select=worklog_id)"}
    whole = client.rows("dim_task", **options)
    monkeypatch.setattr(questions, "HELD", 1)
    by_one = client.rows("dim_task", **options)
    skipped = client.rows("dim_task", **options, skip="2", top="3")
    monkeypatch.setattr(paging, "LETTERS", 60)
    found: list[Row] = []
    answer, pages = client.ask("dim_task", **options, count="true").json(), 0
    while True:
        found += answer["value"]
        pages += 1
        if "@odata.nextLink" not in answer:
            break
        answer = client.get(answer["@odata.nextLink"]).json()

    assert ["b3", "b2", "b1", "a3", "a2", "a1", None] == [one["key"] for one in whole]
    assert whole == by_one == found
    assert whole[2:5] == skipped
    assert pages > 2


def test_a_nest_of_collections_has_an_end(client: Client) -> None:
    """Three collections within one another; a fourth is refused with a sentence."""
    deep = "dim_task($expand=fact_worklog($expand=project($expand=fact_budget)))"
    deeper = "dim_task($expand=project($expand=dim_task($expand=project($expand=dim_task))))"

    assert 200 == client.ask("dim_project", expand=deep).status_code
    assert (
        400
        == client.ask("dim_project", expand=f"fact_worklog($expand=project($expand={deeper}))").status_code
    )
    assert 400 == client.ask("dim_cut", expand="fact_kpi($expand=project($expand=dim_task($expand=project("
                             "$expand=dim_task($expand=fact_worklog)))))").status_code  # fmt: skip


def test_a_link_to_a_feed_that_is_gone(tmp_path: Path) -> None:
    """It is 410: a list that was begun ends as it began, or not at all."""
    site = Site(feed_folder(), tmp_path)
    with site.client() as client:
        [row] = client.rows("dim_project", filter="code eq 'A'")
        token = "WyJub3BlIiwxLG51bGwsWyJzOncwIl1d"  # ["nope",1,null,["s:w0"]]
        answer = client.get(f"/odata/v4/dim_project({row['project_key']})/fact_worklog?$skiptoken={token}")

    assert 410 == answer.status_code
