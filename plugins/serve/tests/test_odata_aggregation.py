"""``$apply`` by the examples of OASIS' Data Aggregation 4.0 (CS03): their data typed in, their results."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import duckdb
import pytest
from hub_serve.odata import names, options, questions, scopes, transformations
from hub_serve.odata.writing import Writing
from hub_serve.refusals import Refused

from hub.feed.model import Column, Table

Row = dict[str, Any]
SET: dict[str, tuple[str, dict[str, str], dict[str, str], list[tuple[Any, ...]]]] = {
    "Categories": ("ID", {"ID": "VARCHAR", "Name": "VARCHAR"}, {}, [("PG1", "Food"), ("PG2", "Non-Food")]),
    "Products": (
        "ID",
        {"ID": "VARCHAR", "Category_key": "VARCHAR", "Name": "VARCHAR", "Color": "VARCHAR",
         "TaxRate": "DECIMAL(4,2)"},
        {"Category_key": "Categories"},
        [("P1", "PG1", "Sugar", "White", "0.06"), ("P2", "PG1", "Coffee", "Brown", "0.06"),
         ("P3", "PG2", "Paper", "White", "0.14"), ("P4", "PG2", "Pencil", "Black", "0.14")],
    ),
    "Customers": (
        "ID", {"ID": "VARCHAR", "Name": "VARCHAR", "Country": "VARCHAR"}, {},
        [("C1", "Joe", "USA"), ("C2", "Sue", "USA"), ("C3", "Sue", "Netherlands"), ("C4", "Luc", "France")],
    ),
    "Times": (
        "Date", {"Date": "DATE", "Month": "VARCHAR"}, {},
        [("2022-01-03", "2022-01"), ("2022-04-10", "2022-04"), ("2022-08-07", "2022-08"),
         ("2022-11-09", "2022-11"), ("2022-04-01", "2022-04"), ("2022-08-06", "2022-08"),
         ("2022-11-22", "2022-11")],
    ),
    "Sales": (
        "ID",
        {"ID": "BIGINT", "Customer_key": "VARCHAR", "Time_key": "DATE", "Product_key": "VARCHAR",
         "Amount": "DECIMAL(8,0)"},
        {"Customer_key": "Customers", "Time_key": "Times", "Product_key": "Products"},
        [(1, "C1", "2022-01-03", "P3", 1), (2, "C1", "2022-04-10", "P1", 2), (3, "C1", "2022-08-07", "P2", 4),
         (4, "C2", "2022-01-03", "P2", 8), (5, "C2", "2022-11-09", "P3", 4), (6, "C3", "2022-04-01", "P1", 2),
         (7, "C3", "2022-08-06", "P3", 1), (8, "C3", "2022-11-22", "P3", 2)],
    ),
}  # fmt: skip
"""By set its key, its columns, where they point to, and its rows."""


class _Model:
    tables: ClassVar = {
        name: Table(
            fr=name, en=name, description=name, key=(key,),
            columns={
                one: Column(type=kind, fr=one, en=one, description=one, ref=refs.get(one, ""))
                for one, kind in columns.items()
            },
        )
        for name, (key, columns, refs, _) in SET.items()
    }  # fmt: skip


@pytest.fixture(scope="module")
def sales() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        for name, (_, columns, _, rows) in SET.items():
            listed = ", ".join(f'"{one}" {kind}' for one, kind in columns.items())
            connection.execute(f"CREATE TABLE {name} ({listed})")
            connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(columns))})", rows)
        yield connection


@pytest.fixture
def ask(sales: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Row]]:
    """Return what asks the sets of the specification, rows without the columns that only point."""
    for module in (names, scopes, questions, transformations):
        monkeypatch.setattr(module, "model", _Model)

    def asked(name: str, **given: str) -> list[Row]:
        question = questions.Question(name, options.Asked(given=given))
        sql = question.json_sql(Writing(), sorts=True)
        found = sales.execute(sql, question.values.of(sql)).fetchall()
        [total] = (
            sales.execute(question.count_sql(), question.values.of(question.count_sql())).fetchone() or []
        )
        assert total == len(found)
        return [
            {key: one for key, one in json.loads(row[0]).items() if not key.endswith("_key")} for row in found
        ]

    return asked


def sale(*ids: int) -> list[Row]:
    return [{"ID": one[0], "Amount": one[4]} for one in SET["Sales"][3] if one[0] in ids]


def near(one: Any) -> Any:
    """Return *one* with its fractions rounded: the specification's are decimal, and so are ours but some."""
    if isinstance(one, dict):
        return {key: near(value) for key, value in one.items()}
    if isinstance(one, list):
        return [near(value) for value in one]
    return round(one, 7) if isinstance(one, float) else one


def total(country: str, product: str, value: int) -> Row:
    return {"Customer": {"Country": country}, "Product": {"Name": product}, "Total": value}


PER_COUNTRY_AND_PRODUCT = [
    total("Netherlands", "Paper", 3), total("Netherlands", "Sugar", 2), total("USA", "Coffee", 12),
    total("USA", "Paper", 5), total("USA", "Sugar", 2),
]  # fmt: skip


@pytest.mark.parametrize(
    ("apply", "expected"),
    [
        # 3.2.1 aggregate
        ("aggregate(Amount with sum as Total,Amount with max as MxA)", [{"Total": 24, "MxA": 8}]),
        ("aggregate(Amount mul Product/TaxRate with sum as Tax)", [{"Tax": 2.08}]),
        ("aggregate(Amount with min as MinAmount)", [{"MinAmount": 1}]),
        ("aggregate(Amount with average as AverageAmount)", [{"AverageAmount": 3.0}]),
        ("aggregate(Product/ID with countdistinct as DistinctProducts)", [{"DistinctProducts": 3}]),
        ("aggregate($count as SalesCount)", [{"SalesCount": 8}]),
        (
            "aggregate(Amount with sum from Time with average as DailyAverage)",
            [{"DailyAverage": 3.428571428571429}],
        ),
        (
            "groupby((Time/Date),aggregate(Amount with sum as D))/aggregate(D with average as DailyAverage)",
            [{"DailyAverage": 3.428571428571429}],
        ),
        # 3.2.2 concat
        (
            "concat(topcount(2,Amount),aggregate(Amount with sum as Total))",
            [*sale(3, 4), {"Total": 24}],
        ),
        # 3.2.3 groupby
        (
            "groupby((Customer/Country,Product/Name),aggregate(Amount with sum as Total))",
            PER_COUNTRY_AND_PRODUCT,
        ),
        (
            "groupby((Product/Name,Amount))",
            [{"Product": {"Name": name}, "Amount": amount} for name, amount in (
                ("Coffee", 4), ("Coffee", 8), ("Paper", 1), ("Paper", 2), ("Paper", 4), ("Sugar", 2),
            )],
        ),
        # 3.3.1 the best rows
        ("bottomcount(2,Amount)", sale(1, 7)),
        ("topcount(2,Amount)", sale(3, 4)),
        ("bottompercent(50,Amount)", sale(1, 2, 5, 6, 7, 8)),
        ("toppercent(50,Amount)", sale(3, 4)),
        ("bottomsum(7,Amount)", sale(1, 2, 6, 7, 8)),
        ("topsum(15,Amount)", sale(3, 4, 5)),
        # 3.3.2 to 3.3.7
        ("filter(Amount gt 3)", sale(3, 4, 5)),
        (
            "groupby((Product/Name),aggregate(Amount with sum as Total))/orderby(Total desc)",
            [{"Product": {"Name": name}, "Total": value} for name, value in (
                ("Coffee", 12), ("Paper", 8), ("Sugar", 4),
            )],
        ),
        ("orderby(Customer/Name desc)/skip(2)/top(2)", sale(6, 7)),
        ("orderby(Customer/Name desc)/top(2)", sale(4, 5)),
        ("top(0)", []),
        ("identity/top(1)", sale(1)),
        # 3.4.1 compute
        (
            "compute(Amount mul Product/TaxRate as Tax)/top(3)",
            [{**one, "Tax": tax} for one, tax in zip(sale(1, 2, 3), (0.14, 0.12, 0.24), strict=True)],
        ),
    ],
)  # fmt: skip
def test_an_example_gives_what_the_specification_says(
    ask: Callable[..., list[Row]], apply: str, expected: list[Row]
) -> None:
    assert near(expected) == near(ask("Sales", apply=apply))


BEST = (
    "groupby((Customer/Country,Product/Name),aggregate(Amount with sum as Total))"
    "/groupby((Customer/Country),topcount(1,Total))"
)


def test_the_best_selling_product_of_each_country_stands_beside_its_total(
    ask: Callable[..., list[Row]],
) -> None:
    """Example of 7.5: rows of two kinds, each with its own properties; others are absent, not null."""
    found = ask(
        "Sales", apply=f"concat({BEST},groupby((Customer/Country),aggregate(Amount with sum as Total)))"
    )

    assert [
        total("Netherlands", "Paper", 3), total("USA", "Coffee", 12),
        {"Customer": {"Country": "Netherlands"}, "Total": 5}, {"Customer": {"Country": "USA"}, "Total": 19},
    ] == found  # fmt: skip
    assert PER_COUNTRY_AND_PRODUCT == ask(
        "Sales",
        apply="groupby((Customer/Country,Product/Name),"
        "topcount(2,Amount)/aggregate(Amount with sum as Total))",
    )


def test_entities_of_two_groupings_stand_one_after_the_other(ask: Callable[..., list[Row]]) -> None:
    """Example of 7.5, biggest sale per customer and per product; 4 and 6 are there twice, and 6 or 2 ties."""
    found = ask(
        "Sales",
        apply="concat(groupby((Customer/ID),topcount(1,Amount))/compute('Customer' as per),"
        "groupby((Product/ID),topcount(1,Amount))/compute('Product' as per))",
    )

    assert [
        (3, 4, "Customer", "C1"), (4, 8, "Customer", "C2"), (6, 2, "Customer", "C3"),
    ] == [(row["ID"], row["Amount"], row["per"], row["Customer"]["ID"]) for row in found[:3]]  # fmt: skip
    assert [(2, 2, "P1"), (4, 8, "P2"), (5, 4, "P3")] == [
        (row["ID"], row["Amount"], row["Product"]["ID"]) for row in found[3:]
    ]


def test_a_cross_table_has_its_subtotals(ask: Callable[..., list[Row]]) -> None:
    """The table of 2.3: seven rows at the finest level, then five, six and four (3.2.3.2)."""
    found = ask(
        "Sales",
        apply="groupby((rollup(Customer/Country,Customer/Name),rollup(Product/Category/Name,Product/Name)),"
        "aggregate(Amount with sum as Total))",
    )
    told = [
        (
            row["Customer"]["Country"], row["Customer"].get("Name"), row["Product"]["Category"]["Name"],
            row["Product"].get("Name"), row["Total"],
        )
        for row in found
    ]  # fmt: skip

    assert {
        ("USA", "Joe", "Non-Food", "Paper", 1), ("USA", "Joe", "Food", "Sugar", 2),
        ("USA", "Joe", "Food", "Coffee", 4), ("USA", "Sue", "Food", "Coffee", 8),
        ("USA", "Sue", "Non-Food", "Paper", 4), ("Netherlands", "Sue", "Food", "Sugar", 2),
        ("Netherlands", "Sue", "Non-Food", "Paper", 3),
    } == {*told[:7]}  # fmt: skip
    assert {
        ("USA", "Joe", "Food", None, 6), ("USA", "Joe", "Non-Food", None, 1), ("USA", "Sue", "Food", None, 8),
        ("USA", "Sue", "Non-Food", None, 4), ("Netherlands", "Sue", "Food", None, 2),
        ("Netherlands", "Sue", "Non-Food", None, 3),
    } == {*told[7:13]}  # fmt: skip
    assert {
        ("USA", None, "Food", "Sugar", 2), ("USA", None, "Food", "Coffee", 12),
        ("USA", None, "Non-Food", "Paper", 5), ("Netherlands", None, "Food", "Sugar", 2),
        ("Netherlands", None, "Non-Food", "Paper", 3),
    } == {*told[13:18]}  # fmt: skip
    assert {
        ("USA", None, "Food", None, 14), ("USA", None, "Non-Food", None, 5),
        ("Netherlands", None, "Food", None, 2), ("Netherlands", None, "Non-Food", None, 3),
    } == {*told[18:]}  # fmt: skip
    assert 22 == len(told)
    assert [7, 12, 5, 24] == [
        row["n"]
        for row in ask("Sales", apply="groupby((rollup($all,Customer/ID)),aggregate(Amount with sum as n))")
    ]


def test_averages_of_totals_go_step_by_step(ask: Callable[..., list[Row]]) -> None:
    """Examples of ``from`` (3.2.1.5, 7.7): per customer, country and all; the same as nested groups."""
    average = "CustomerCountryAverage"
    found = ask(
        "Sales",
        apply="concat(groupby((rollup(Customer/Country,Customer/ID)),"
        f"aggregate(Amount with sum from Customer/ID with average as {average})),"
        "aggregate(Amount with sum from Customer/ID with average from Customer/Country with average "
        f"as {average}))",
    )
    averaged, most = "aggregate(D1 with average as D2)", "aggregate(D2 with max as D)"
    by_day = "groupby(({}),aggregate(Amount with sum as D1))"
    by_from, nested, consecutive = (
        ask("Sales", apply=one)
        for one in (
            "aggregate(Amount with sum from Time/Date with average from Customer/Country with max as D)",
            f"groupby((Customer/Country),{by_day.format('Time/Date')}/{averaged})/{most}",
            f"{by_day.format('Customer/Country,Time/Date')}/groupby((Customer/Country),{averaged})/{most}",
        )
    )

    assert [
        (5.0, {"Country": "Netherlands", "ID": "C3"}), (7.0, {"Country": "USA", "ID": "C1"}),
        (12.0, {"Country": "USA", "ID": "C2"}), (5.0, {"Country": "Netherlands"}), (9.5, {"Country": "USA"}),
        (7.25, None),
    ] == [(row[average], row.get("Customer")) for row in found]  # fmt: skip
    assert by_from == nested == consecutive
    assert [{"D": 4.75}] == by_from, "of the USA: 9, 2, 4 and 4 a day"


def test_what_points_to_a_row_is_taken_together(ask: Callable[..., list[Row]]) -> None:
    """Examples of 7.1 and 7.2: products with their sales, the pencil with none; navigation as a group."""
    product = "groupby((Name),aggregate({} as n))"

    assert [("Coffee", 12), ("Paper", 8), ("Pencil", None), ("Sugar", 4)] == [
        (row["Name"], row["n"]) for row in ask("Products", apply=product.format("Sales/Amount with sum"))
    ]
    assert [("Coffee", 2), ("Paper", 4), ("Pencil", 0), ("Sugar", 2)] == [
        (row["Name"], row["n"]) for row in ask("Products", apply=product.format("Sales/$count"))
    ]
    assert [6.0, 2.0, None, 2.0] == [
        row["n"] for row in ask("Products", apply=product.format("Sales/Amount with average"))
    ]
    assert [
        {"Customer": {"ID": one[0], "Name": one[1], "Country": one[2]}} for one in SET["Customers"][3][:3]
    ] == [*ask("Sales", apply="groupby((Customer))")]
    assert ["Joe", "Luc", "Sue"] == [row["Name"] for row in ask("Customers", apply="groupby((Name))")]


def test_options_behind_apply_see_what_it_made(ask: Callable[..., list[Row]]) -> None:
    """A filter, an order and a page go by rows of several kinds too; ``$orderby`` goes before."""
    both = "concat(topcount(2,Amount),aggregate(Amount with sum as Total))"

    assert [{"Total": 24}] == ask("Sales", apply=both, filter="Total gt 20")
    assert [*sale(4), *sale(3), {"Total": 24}] == ask("Sales", apply=both, orderby="Amount desc")
    assert [{"ID": 3}, {"ID": 4}, {}] == ask("Sales", apply=both, select="ID")
    assert [5, 4] == [row["ID"] for row in ask("Sales", apply="orderby(Customer/ID desc)/filter(Amount gt 3)",
                                               filter="Customer/ID eq 'C2'", orderby="ID desc")]  # fmt: skip


@pytest.mark.parametrize(
    ("apply", "status"),
    [
        ("topcount(0,Amount)", 400), ("topcount(1.5,Amount)", 400), ("topcount(Amount,1)", 400),
        ("topcount(1)", 400), ("topsum(1,Customer/Name)", 400), ("toppercent(0,Amount)", 400),
        ("toppercent(101,Amount)", 400), ("toppercent(-1,Amount)", 400), ("top(-1)", 400), ("skip(x)", 400),
        ("concat(identity)", 400), ("orderby()", 400), ("orderby(Nope)", 400), ("groupby(())", 400),
        ("groupby((rollup(Amount)))", 400), ("groupby((Amount),top(1),top(2))", 400), ("nope(1)", 400),
        ("aggregate(Amount)", 400), ("aggregate(Amount with sum from with max as x)", 400),
        ("groupby((Amount))/compute(1 as Amount)", 400),
        ("concat(identity,compute('x' as y))/filter(z eq 1)", 400),
        ("concat(compute('x' as y),compute(1 as y))", 400), ("/".join(["identity"] * 80), 400),
        ("/".join(["concat(identity,identity)"] * 30), 400),
        ("topcount($count div 2,Amount)", 501), ("join(Sales as x)", 501), ("nest(top(1) as x)", 501),
        ("addnested(Customer,compute(1 as x) as y)", 501), ("expand(Customer,filter(Name eq 'x'))", 501),
        ("ancestors($root/Sales,H,ID,top(1))", 501), ("Self.Best(Count=1)", 501),
        ("groupby((rolluprecursive($root/Sales,H,ID)))", 501), ("aggregate($count as n)/search(x)", 501),
        ("aggregate(Amount with Self.median as x)", 501),
    ],
)  # fmt: skip
def test_a_step_that_is_wrong_or_not_here_is_refused(
    ask: Callable[..., list[Row]], apply: str, status: int
) -> None:
    with pytest.raises(Refused) as refused:
        ask("Sales", apply=apply)

    assert (status, refused.value.target) in {
        (status, "$apply"),
        (status, "Nope"),
        (status, "z"),
        (status, "Amount"),
    }
