"""OData v4: rows by what points to them, computed values, collections behind a row, and what 4.01 adds."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from odata_site import Client, Site, feed_folder, follow

EDM = "{http://docs.oasis-open.org/odata/ns/edm}"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    with Site(feed_folder(), tmp_path_factory.mktemp("tokens")).client() as opened:
        yield opened


# collections, computed values (part 2, 5.1.1.10 and 5.1.3), and conformance 13.1.2 and 13.2.2
LAMBDAS = {
    ("dim_project", "code", "fact_worklog/any(w:w/seconds gt 18000)"): "B",
    ("dim_project", "code", "fact_worklog/any(w:w/person/team eq 'Blue')"): "B",
    ("dim_project", "code", "fact_worklog/all(w:w/person/team eq 'Red')"): "? A",
    ("dim_project", "code", "not fact_worklog/any() and project_key eq -1"): "?",
    ("dim_project", "code", "fact_worklog/any()"): "A B",
    ("dim_project", "code", "fact_worklog/$count eq 3"): "A B",
    ("dim_project", "code", "dim_task/any(k:k/fact_worklog/any(w:w/seconds ge 21600 and k/key eq 'b3'))"):
        "B",
    ("dim_project", "code",
     "dim_task/any(k:k/bridge_task_value/any(v:v/value eq 'red,a2' and $it/code eq 'A'))"): "A",
    ("dim_project", "code", "dim_task/all(k:k/fact_worklog/any() or k/key eq 'a3') and code ne null"): "A B",
    ("dim_task", "key", "bridge_task_value/any(v:v/field eq 'label' and v/value eq 'red,b2')"): "b2",
    ("dim_task", "key", "bridge_task_value/any(v:v/value eq concat('red,',key)) and project/code eq 'A'"):
        "a1 a2 a3",
    ("dim_task", "key", "fact_task_link_from_task/any(l:l/to_task/key eq 'b1')"): "a1 b2",
    ("dim_task", "key", "fact_task_link_to_task/$count gt 1"): "b1",
    ("dim_task", "key", "project/fact_worklog/any(w:w/person/team eq null)"): "b1 b2 b3",
    ("fact_worklog", "worklog_id", "task/bridge_task_value/all(v:v/value ne 'red,a1')"): "w2 w3 w4 w5",
    ("fact_worklog", "worklog_id", "project ne null and task/fact_assignment/$count ge 0"):
        "w0 w1 w2 w3 w4 w5",
    ("fact_worklog", "worklog_id", "project eq null"): "",
}  # fmt: skip


@pytest.mark.parametrize(("table", "shown", "asked"), LAMBDAS)
def test_intermediate_any_and_all(client: Client, table: str, shown: str, asked: str) -> None:
    """Rows by what points to them, by hand of odata_site; an empty collection is all and not any."""
    found = {str(one[shown]).rpartition(":")[2] for one in client.rows(table, filter=asked)}
    expected = {*LAMBDAS[table, shown, asked].split()}

    assert expected == found


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("dim_project?$filter=nope/any(w:w/days gt 1)", 400), ("dim_project?$filter=name/any(w:w gt 1)", 400),
        ("dim_project?$filter=fact_worklog/any(w:w/nope gt 1)", 400),
        ("dim_project?$filter=fact_worklog/any(w:w/days)", 400),
        ("dim_project?$filter=fact_worklog/any(w:fact_worklog/any(w:w/days gt 1))", 400),
        ("dim_project?$filter=fact_worklog/all()", 400), ("dim_project?$filter=fact_worklog/any(w:", 400),
        ("dim_project?$filter=fact_worklog eq null", 400),
        ("dim_project?$filter=fact_worklog/days gt 1", 400),
        ("fact_worklog?$filter=project eq source", 400), ("fact_worklog?$filter=project eq 1", 400),
        ("fact_worklog?$orderby=project", 400), ("dim_project?$select=fact_worklog/days", 400),
        ("dim_project?$compute=1", 400), ("dim_project?$compute=1 as name", 400),
        ("dim_project?$compute=1 as x,2 as x", 400), ("dim_project?$compute=nope as x", 400),
        ("dim_project?$compute=1 as fact_worklog", 400), ("dim_project?$compute=duration'P1D' as x", 501),
        ("dim_project?$apply=aggregate($count as n)&$filter=fact_worklog/any()", 501),
        ("dim_project?$apply=aggregate($count as n)/compute(1 as n)", 400),
        ("dim_project(99)/fact_worklog", 404), ("dim_project(1)/name/$count", 404),
    ],
)  # fmt: skip
def test_what_is_wrong_of_a_collection_or_a_computed_value(client: Client, query: str, status: int) -> None:
    """A sentence, and never a fault."""
    answer = client.ask(query)

    assert (status, True) == (answer.status_code, bool(answer.json()["error"]["message"]))


def test_intermediate_compute(client: Client) -> None:
    """Computed values are filtered, sorted, selected, shown unasked, grouped, written as CSV and in full."""
    options = {
        "compute": "length(key) add 1 as n,concat(key,'!') as said",
        "filter": "n eq 3 and said lt 'a3'",
    }
    rows = client.rows("dim_task", **options, orderby="said desc", select="said,n")
    whole = client.rows("dim_task", compute="1 as one", filter="key eq 'a1'")
    text = client.ask(
        "dim_task", compute="concat('=',key) as f", select="f", filter="key eq 'a1'", format="csv"
    ).text
    full = client.ask(
        "dim_task", compute="date(created_at) as d", filter="key eq 'a1'", select="d",
        format="application/json;odata.metadata=full",
    ).json()["value"]  # fmt: skip
    groups = client.rows(
        "fact_worklog",
        apply="compute(day(work_date) as d)/filter(d gt 2)/groupby((project/code),aggregate(d with sum as s))"
        "/compute(s mul 2 as twice)",
        compute="twice add 1 as more", filter="more gt 7", orderby="more",
    )  # fmt: skip

    assert [{"said": "a2!", "n": 3}, {"said": "a1!", "n": 3}] == rows
    assert (1, "a1") == (whole[0]["one"], whole[0]["key"])
    assert '"f"\r\n"\'=a1"\r\n' == text
    assert ("#Date", "2026-01-01") == (full[0]["d@odata.type"], full[0]["d"])
    # hours are of the days 1 to 6: A has 3, B has 4, 5 and 6
    assert [("B", 15, 30, 31)] == [
        (one["project"]["code"], one["s"], one["twice"], one["more"]) for one in groups
    ]
    assert {"n": 3, "key": "a1"} == {
        name: value for name, value in client.ask(
            f"dim_task({whole[0]['task_key']})", compute="length(key) add 1 as n", select="n,key"
        ).json().items() if not name.startswith("@")
    }  # fmt: skip


def test_intermediate_collections_of_a_row(client: Client) -> None:
    """The rows behind a row are a set: filtered, counted, paged; one of them by its key (part 2, 4)."""
    [row] = client.rows("dim_project", filter="code eq 'B'")
    begin = f"dim_project({row['project_key']})/fact_worklog"
    days = [one["work_date"] for one in client.rows(begin, orderby="work_date", select="work_date")]
    paged = follow(client, f"{begin}?$select=work_date&$orderby=work_date", 2)
    [last] = client.rows(begin, filter="day(work_date) eq 6")
    key = quote(f"'{last['worklog_id']}'") if isinstance(last["worklog_id"], str) else last["worklog_id"]
    [other] = client.rows("dim_project", filter="code eq 'A'")

    assert ["2026-01-04", "2026-01-05", "2026-01-06"] == days == [one["work_date"] for one in paged]
    assert "3" == client.ask(f"{begin}/$count").text
    assert "1" == client.ask(f"{begin}/$count", filter="person/team eq 'Blue'").text
    assert last["work_date"] == client.ask(f"{begin}({key})").json()["work_date"]
    assert "2026-01-06" == client.ask(f"{begin}({key})/work_date/$value").text
    assert "Projet Été" == client.ask(f"{begin}({key})/project/name/$value").text
    assert 404 == client.ask(f"dim_project({other['project_key']})/fact_worklog({key})").status_code
    assert [one["task_key"] for one in client.rows(f"{begin}({key})/task/bridge_task_value")][:1] == [
        last["task_key"]
    ]
    assert client.ask(begin).json()["@odata.context"].endswith("$metadata#fact_worklog")


def test_the_metadata_has_both_ways(client: Client) -> None:
    """Each way leads back by its partner, and each can be expanded (part 3, 8.4)."""
    schema = client.ask("$metadata", headers={"accept": "application/json"}).json()["PmHub"]
    ways = {
        (name, prop): one for name, kind in schema.items() if kind["$Kind"] == "EntityType"
        for prop, one in kind.items() if isinstance(one, dict) and one.get("$Kind") == "NavigationProperty"
    }  # fmt: skip
    root = ET.fromstring(client.ask("$metadata").text)
    kinds = {
        one.get("Name"): one.get("Type")
        for kind in root.iter(f"{EDM}EntityType") if kind.get("Name") == "dim_task"
        for one in kind.iter(f"{EDM}NavigationProperty")
    }  # fmt: skip

    for (name, prop), one in ways.items():
        target = one["$Type"].removeprefix("PmHub.")
        back = ways[target, one["$Partner"]]
        assert (back["$Partner"], back["$Type"]) == (prop, f"PmHub.{name}")
        assert bool(one.get("$Collection")) != bool(back.get("$Collection"))
    assert "Collection(PmHub.bridge_task_value)" == kinds["bridge_task_value"]
    assert "NonExpandableProperties" not in client.ask("$metadata").text


MORE_CASES = {
    "7 divby 2 eq 3.5 and key eq 'a1'": "a1",
    "substring(key,-1) eq '1'": "a1 b1",
    "substring(key,-9,1) eq 'a'": "a1 a2 a3",
    "created_at add 'P1D' gt 2026-01-01T12:00:00Z and key eq 'a1'": "a1",
    "created_at lt '2026-01-02' and key eq 'a1'": "a1",
    "date(created_at) eq cast('2026-01-01',Edm.Date) and key eq 'b1'": "b1",
    "cast(task_key,Edm.String) eq cast(task_key,Edm.String) and key eq 'b1'": "b1",
    "cast('x',Edm.Int32) eq null and key eq 'b1'": "b1",
    "$it/key eq 'a1'": "a1",
    "KEY eq 'a1'": None,
    "created_at ge 0001-01-01T00:00:00Z and created_at ge 0999-12-31 and key eq 'a1'": "a1",
    "created_at ge 0001-13-01": None,
    "key EQ 'a1' OR key EQ 'b1'": "a1 b1",
    "created_at ge 1899-12-31T23:59:59Z and created_at ge 1000-01-01 and key eq 'a1'": "a1",
    "substringof('Brien',title)": "b2",
    "task_key lt INF and task_key gt -INF and task_key ne NaN and key eq 'a1'": "a1",
}


@pytest.mark.parametrize("condition", MORE_CASES)
def test_conformance_4_01_of_conditions(client: Client, condition: str) -> None:
    """What 4.01 asks for beside 4.0: strings as other types, `divby`, negative starts, any case (13.2.1)."""
    answer = client.ask("dim_task", select="key", filter=condition)

    expected = MORE_CASES[condition]
    if expected is None:
        assert 400 == answer.status_code
        return
    assert 200 == answer.status_code, answer.text
    assert expected.split() == sorted(str(one["key"]) for one in answer.json()["value"])


def test_conformance_4_01_a_key_may_be_an_alias(client: Client) -> None:
    """`@name` stands for a key too, which so may have a slash (13.2.1, 9.6)."""
    assert 1 == client.ask("dim_status(@k)?@k=1").json()["status_key"]
    assert 404 == client.ask("bridge_task_value(task_key=1,field=@f,value=@v)?@f='a%2Fb'&@v='x'").status_code
