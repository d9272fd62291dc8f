"""A cell means one thing.

The same table of cells through a file of config/, a table and the text of a tool.
"""

from __future__ import annotations

import contextlib
import math
import tomllib
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hub_rest.mapping import parse
from hub_rest.rows import RowMapper as RestRows
from hub_tabular.mapper import RowError
from hub_tabular.mapper import RowMapper as TableRows
from hub_tabular.mapping import Mapping
from hypothesis import given
from hypothesis import strategies as st

from hub import clock, convert
from hub.cells import (
    CellReader,
    Declared,
    FormattedNumber,
    caption_currency,
    names_period,
    periods_of,
    scale_of,
    unit_of,
)
from hub.cells.days import day_readings
from hub.columns import Column, columns_of
from hub.errors import CellError, SourceDataError
from hub.records import BY_TABLE, RECORDS
from hub.reference import SHEETS

PARIS = ZoneInfo("Europe/Paris")
NO = "no: "
THOUSAND = NO + "could be a thousand or a fraction"
ERROR = NO + "is an error of the spreadsheet"
NUMBER = NO + "is not a number"
DURATION = NO + "is not a number, nor a duration"
DAY = NO + "is not a date such as"
MONTH = NO + "is not a month such as"
# the other cells of the column, and what they show: a tool sends no column, its mapping says it
SHOWN = {
    "420,00": 'decimal = ","',
    "4.5": 'decimal = "."',
    "12.345.678": 'decimal = ","',
    "1,234,567": 'decimal = "."',
    "1 234,567": 'decimal = ","',
    "13/05/2026": "dd/mm",
    "05/13/2026": "mm/dd",
}
ACCEPTED: dict[tuple[str, str], list[tuple[str, Any]]] = {
    ("minor", ""): [
        ("0", 0), ("7", 700), ("7,5", 750), ("7.5", 750), ("1234.50", 123450), ("1 234,50", 123450),
        ("1\u00a0234,50", 123450),
        ("1\u202f234,50", 123450), ("1'234.50", 123450), ("1’234.50", 123450), ("1.234,50", 123450),
        ("1,234.50", 123450),
        ("1.234.567,89", 123456789), ("1,234,567.89", 123456789), ("1 234 567", 123456700),
        ("1.234.567", 123456700),
        ("-5", -500), ("−5", -500), ("5-", -500), ("(5)", -500), ("+5", 500), ("(1 234,50)", -123450),
        ("- 5", -500),
        ("12 €", 1200), ("€12", 1200), ("12€", 1200), ("EUR 12", 1200), ("12 EUR", 1200),
        ("-12,50 €", -1250), ("€ -12,50", -1250),
        ("(12,50 €)", -1250), ("(12,50) €", -1250), ("12,50- €", -1250), ("12 euros", 1200), ("0,005", 1),
        ("0,29", 29),
        ("12 k€", 1200000), ("12k€", 1200000), ("12,5 K€", 1250000), ("k€ 12", 1200000), ("€12k", 1200000),
        ("1,2 M€", 120000000), ("12 kEUR", 1200000), ("12 K EUR", 1200000), ("-12 k€", -1200000),
        ("(12 k€)", -1200000), ("2 Md€", 200000000000), ("40 k", 4000000),
        ("1,005.00", 100500), (",5", 50), (".5", 50), ("0,123", 12), ("1234,567", 123457), ("007", 700),
    ],
    ("minor", "420,00"): [("1,234", 123), ("1.200", 120000), ("1 200", 120000), ("1.234.567", 123456700),
    ("7.5", 750)],
    ("minor", "4.5"): [("1,234", 123400), ("1.200", 120), ("7,5", 750)],
    ("minor", "12.345.678"): [("1.200", 120000)],
    ("minor", "1,234,567"): [("1.200", 120)],
    ("minor", "1 234,567"): [("1,200", 120)],
    ("minor", 'decimal = ","'): [("1,234", 123), ("1.200", 120000), ("7,5", 750)],
    ("minor", 'decimal = "."'): [("1,234", 123400), ("1.200", 120), ("1'234.5", 123450)],
    ("minor", "CHF"): [("CHF 1'234.50", 123450), ("12 Fr.", 1200), ("12 chf", 1200), ("12 kCHF", 1200000)],
    ("minor", "USD"): [("$12", 1200), ("US$ 12", 1200), ("-$12.50", -1250), ("12 USD", 1200)],
    ("seconds", ""): [
        ("7,5", 27000), ("7.5", 27000), ("7", 25200), ("7h30", 27000), ("7 h 30", 27000), ("7:30", 27000),
        ("07:30:15", 27015),
        ("0,5 j", 12600), ("1 j", 25200), ("2 jours", 50400), ("1d 4h", 39600), ("1d4h", 39600),
        ("2h 30m", 9000), ("2h30min", 9000),
        ("7,5 h", 27000), ("7.5h", 27000), ("30 min", 1800), ("90m", 5400), ("1w 2d", 176400),
        ("1 sem", 126000), ("2 semaines", 252000),
        ("PT1H30M", 5400), ("P1DT4H", 39600), ("P1W", 126000), ("PT0.5H", 1800), ("45 sec", 45),
        ("1h 0m 30s", 3630), ("3 heures", 10800),
        ("1.5 days", 37800), ("0,25 jh", 6300), ("8 hours", 28800), ("1d 2,5h", 34200),
    ],
    ("seconds", "420,00"): [("1,234", 4442), ("1,125 h", 4050)],
    ("seconds", "4.5"): [("1.125", 4050)],
    ("number", ""): [("3", 3.0), ("3,5", 3.5), ("1 000,25", 1000.25), ("0.1", 0.1), ("1'000", 1000.0),
    ("0,30000000000000004", 0.30000000000000004)],
    ("number", "420,00"): [("1.234", 1234.0), ("1,234", 1.234)],
    ("integer", ""): [("3", 3), ("3,0", 3), ("1 200", 1200), ("+4", 4)],
    ("share", ""): [("0,3", 0.3), ("30 %", 0.3), ("30%", 0.3), ("100 %", 1.0), ("12,5 %", 0.125),
    ("1", 1.0), ("0", 0.0), ("% 30", 0.3)],
    ("percent", ""): [("45 %", 45.0), ("45", 45.0), ("12,5", 12.5), ("100", 100.0), ("0", 0.0),
    ("0,5 %", 0.5)],
    ("percent", 'unit = "percent"'): [("0,45", 0.45), ("1", 1.0), ("45 %", 45.0)],
    ("percent", 'unit = "share"'): [("0,45", 45.0), ("1", 100.0), ("45 %", 45.0)],
    ("day", ""): [
        ("2026-10-31", "2026-10-31"), ("2026/10/31", "2026-10-31"), ("20261031", "2026-10-31"),
        ("31/10/2026", "2026-10-31"),
        ("31.10.2026", "2026-10-31"), ("1.2.2026", "2026-02-01"), ("31-10-2026", "2026-10-31"),
        ("31/10/26", "2026-10-31"),
        ("10/31/2026", "2026-10-31"), ("05/05/2026", "2026-05-05"), ("1er mars 2026", "2026-03-01"),
        ("31 oct. 2026", "2026-10-31"),
        ("12 août 2026", "2026-08-12"), ("October 31, 2026", "2026-10-31"), ("29/02/2028", "2028-02-29"),
        ("2026-10-31 00:00:00", "2026-10-31"),
        ("31.12.99", "1999-12-31"), ("01.01.30", "2030-01-01"), ("1996-12-31", "1996-12-31"),
        ("2056-01-01", "2056-01-01"),
    ],
    ("day", "13/05/2026"): [("03/04/2026", "2026-04-03"), ("01/02/26", "2026-02-01")],
    ("day", "05/13/2026"): [("03/04/2026", "2026-03-04")],
    ("day", "dd/mm"): [("03/04/2026", "2026-04-03")],
    ("day", "mm/dd"): [("03/04/2026", "2026-03-04")],
    ("month", ""): [
        ("2026-10", "2026-10"), ("2026/10", "2026-10"), ("10/2026", "2026-10"), ("202610", "2026-10"),
        ("oct-26", "2026-10"),
        ("oct. 2026", "2026-10"), ("octobre 2026", "2026-10"), ("OCTOBER 2026", "2026-10"),
        ("févr-26", "2026-02"), ("31/10/2026", "2026-10"),
        ("2026-10-31", "2026-10"), ("1.10.2026", "2026-10"),
    ],
    ("month", "13/05/2026"): [("01/10/2026", "2026-10")],
    ("flag", ""): [
        ("oui", True), ("Oui", True), ("x", True), ("1", True), ("vrai", True), ("YES", True),
        ("true", True), ("ok", True), ("o", True),
        ("non", False), ("N", False), ("0", False), ("faux", False), ("no", False), ("-", False),
    ],
    ("currency", ""): [("EUR", "EUR"), ("usd", "USD"), ("€", "EUR"), ("CHF", "CHF")],
}  # fmt: skip
REFUSED: dict[tuple[str, str], list[tuple[str, str]]] = {
    ("minor", ""): [
        ("1,234", THOUSAND), ("1.200", THOUSAND), ("-1,234", THOUSAND), ("12,345 €", THOUSAND),
        ("1 23,4", NUMBER), ("12.34.56", NUMBER),
        ("1,23,456", NUMBER), ("12,34,567.00", NUMBER), ("1 234'567", NUMBER), ("1.234'567,00", NUMBER),
        ("0 123", NUMBER), ("1234 567", NUMBER),
        ("1e999", NUMBER), ("1e3", NUMBER), ("NaN", NUMBER), ("Infinity", NUMBER), ("inf", NUMBER),
        ("1_000", NUMBER), ("٣", NUMBER), ("--5", NUMBER),
        ("-(5)", NUMBER), ("5,", NUMBER), ("douze", NUMBER),
        ("12 $", NO + "is in $, and the amount is in EUR"), ("$12", NO + "is in $"),
        ("12 CHF", NO + "is in CHF, and the amount is in EUR"), ("£ 12", NO + "is in £"),
        ("50 %", NO + "has a percent sign"),
        ("€ 12 €", NUMBER), ("9" * 40, NO + "is too large"), ("12 kk€", NUMBER), ("k12", NUMBER),
        ("12 k£", NO + "is in £"), ("12 kg", NUMBER), ("12 k %", NO + "has a percent sign"), ("#REF!", ERROR),
        ("#DIV/0!", ERROR),
    ],
    ("minor", 'decimal = ","'): [("7.5", NO + "is not a number with the decimal sign ','"),
    ("1,234.50", NO + "is not a number with")],
    ("minor", 'decimal = "."'): [("7,5", NO + "is not a number with the decimal sign '.'"),
    ("1.234,50", NO + "is not a number with")],
    ("minor", "CHF"): [("12 €", NO + "is in €, and the amount is in CHF")],
    ("seconds", ""): [
        ("7h5", DURATION), ("7h75", DURATION), ("7:75", DURATION), ("7:5", DURATION), ("sept", DURATION),
        ("h", DURATION), ("4h 1d", DURATION),
        ("1d 1d", DURATION), ("1,5d 4h", DURATION), ("2 ans", DURATION),
        ("50 %", NO + "has a percent sign"), ("12 €", NO + "has the currency €"),
        ("1,234", THOUSAND), ("1,234 h", THOUSAND), ("P", DURATION), ("PT", DURATION),
        ("27000 s", DURATION), ("1 2", DURATION), ("12 k", DURATION), ("12 k€", DURATION),
    ],
    ("number", ""): [("12 k", NUMBER), ("1,234", THOUSAND),
    ("50 %", NO + "has a percent sign"), ("1e999", NUMBER),
    ("nan", NUMBER), ("3 €", NO + "has the currency €")],
    ("integer", ""): [("3,5", NO + "is not a whole number"), ("trois", NO + "is not a whole number"),
    ("50 %", NO + "has a percent sign"), ("1.200", THOUSAND)],
    ("share", ""): [("45", NO + "is not between 0 and 1"), ("-0,1", NO + "is not between 0 and 1"),
    ("120 %", NO + "is not between 0 and 1"), ("5 % %", NUMBER)],
    ("percent", ""): [("101", NO + "is not between 0 and 100"), ("-1", NO + "is not between 0 and 100"),
    ("120 %", NO + "is not between")],
    ("day", ""): [
        ("31/02/2026", DAY), ("2026-02-30", DAY), ("30/02/26", DAY), ("13/13/2026", DAY), ("46326", DAY),
        ("demain", DAY), ("2026", DAY), ("oct-26", DAY),
        ("26-03-01", DAY), ("13/10/20226", DAY), ("03/04/2026", NO + "could be the 03/04 or the 04/03"),
        ("01/02/26", NO + "could be the 01/02 or the 02/01"),
        ("2226-01-01", NO + "is not between the years 1996 and 2056"),
        ("0226-10-31", NO + "is not between the years"), ("1995-12-31", NO + "is not between"),
        ("31/10/2057", NO + "is not between"), ("32.01.2026", DAY), ("0/5/2026", DAY),
    ],
    ("day", "dd/mm"): [("05/13/2026", NO + "is not a date ")],
    ("month", ""): [
        ("2026-13", MONTH), ("13/2026", MONTH), ("octembre 2026", MONTH), ("10/26", MONTH), ("10", MONTH),
        ("01/10/2026", NO + "could be the 01/10 or"),
        ("2226-10", NO + "is not between the years"),
    ],
    ("flag", ""): [("peut-être", NO + "is neither yes nor no"), ("2", NO + "is neither yes nor no")],
    ("currency", ""): [("euro zone", NO + "is not the code of a currency"),
    ("XYZ", NO + "is not the code"), ("$", NO + "is not the code")],
}  # fmt: skip
CASES = [
    (kind, context, cell, wanted)
    for table in (ACCEPTED, REFUSED)
    for (kind, context), rows in table.items()
    for cell, wanted in rows
]
FILES = {sheet.file: sheet for sheet in SHEETS}
# by kind: file and column of config/ with the cells beside it, record and field of a table, and of a tool
DOORS: dict[str, tuple[tuple[str, str, dict[str, str]] | None, tuple[str, str], tuple[str, str] | None]] = {
    "minor": (("budgets.csv", "consumed", {"project_code": "A", "month": "2026-10"}),
    ("budget_line", "amount_minor"), ("baseline", "cost_minor")),
    "seconds": (("sla_goals.csv", "goal_hours", {}), ("task", "estimate_s"), ("task", "estimate_s")),
    "number": (("fx.csv", "per_eur", {"currency": "USD", "month": "2026-10"}), ("task", "points"),
    ("task", "points")),
    "integer": (("registers.csv", "impact", {"project_code": "A", "kind": "risk", "title": "t"}),
    ("register_item", "impact"), ("baseline", "no")),
    "share": (("registers.csv", "probability", {"project_code": "A", "kind": "risk", "title": "t"}),
    ("register_item", "probability"), None),
    "percent": (None, ("task", "percent"), ("task", "percent")),
    "day": (("registers.csv", "due_on", {"project_code": "A", "kind": "risk", "title": "t"}),
    ("task", "due_on"), ("task", "due_on")),
    "month": (("budgets.csv", "month", {"project_code": "A", "consumed": "1"}),
    ("budget_line", "month"), None),
    "flag": (("checklists.csv", "mandatory", {"project_code": "A", "list": "L", "label": "l"}),
    ("checklist_item", "mandatory"), ("worklog", "billable")),
    "currency": (("fx.csv", "currency", {"month": "2026-10", "per_eur": "1,5"}),
    ("budget_line", "currency"), ("baseline", "currency")),
}  # fmt: skip
KEYS = {"budgets.csv": "category", "sla_goals.csv": "metric", "registers.csv": "ref", "checklists.csv": "ref"}
FILLED: dict[str, dict[str, Any]] = {
    "task": {"title": "t", "container_id": "c"},
    "worklog": {"day": "2026-10-31", "seconds": 1},
    "baseline": {"task_id": "t"},
    "budget_line": {
        "project_code": "A",
        "month": "2026-10",
        "kind": "consumed",
        "category": "x",
        "amount_minor": 1,
    },
    "register_item": {"project_code": "A", "kind": "risk", "title": "t"},
    "checklist_item": {"list": "L", "label": "l"},
}
FORMATS = {"dd/mm": "%d/%m/%Y", "mm/dd": "%m/%d/%Y"}


@pytest.fixture(autouse=True)
def _in_2026() -> Any:
    clock.pretend(datetime.fromisoformat("2026-11-28T12:00:00+00:00"))
    yield
    clock.pretend(None)


def through_config(kind: str, context: str, cell: str, folder: Path) -> Any:
    """Put *cell* below the other cells of its column into a file of config/."""
    door = DOORS[kind][0]
    assert door is not None
    file, column, beside = door
    said = {"dd/mm": "# dates = dd/mm", "mm/dd": "# dates = mm/dd"}.get(
        context, f"# {context}" if context.startswith("decimal") else ""
    )
    currency = {"currency": context} if len(context) == 3 and context.isupper() else {}
    rows = [text for text in (context if context in SHOWN else "", cell) if text]
    names = list(dict.fromkeys([column, *beside, *([KEYS[file]] if file in KEYS else []), *currency]))
    lines = []
    for number, text in enumerate(rows):
        row = beside | currency | ({KEYS[file]: f"k{number}"} if file in KEYS else {}) | {column: text}
        if file == "fx.csv" and column != "currency":
            row["currency"] = ("USD", "CHF")[number]
        lines.append("\t".join(row[name] for name in names))
    (folder / file).write_text("\n".join(filter(None, ["\t".join(names), said, *lines])), encoding="utf-8")
    try:
        found = FILES[file].lines(folder / file)
    except SourceDataError as exc:
        return NO + str(exc)
    if found[1]:
        place = f"{file}, line {len(rows) + 1 + bool(said)}, column {column}: {cell!r} "
        assert found[1][0].startswith(place), found[1]
        return NO + found[1][0].removeprefix(place)
    return found[0][-1][column]


def through_table(kind: str, context: str, cell: Any) -> Any:
    """Put *cell* below the other cells of its column into a table."""
    record, field = DOORS[kind][1]
    more = {"decimal": context} if context.startswith("decimal") else {}
    said = (
        'unit = "hours"'
        if kind == "seconds"
        else context
        if context.startswith("unit")
        else f'format = "{FORMATS[context]}"'
        if context in FORMATS
        else ""
    )
    needed = {name: value for name, value in FILLED[record].items() if name != field}
    if len(context) == 3 and context.isupper():
        needed["currency"] = context
    lines = [
        f'record = "{record}"',
        more.get("decimal", ""),
        "[fields]",
        *(f"{name} = {{ value = {_toml(value)} }}" for name, value in needed.items()),
    ]
    lines.append(f'{field} = {{ column = "C"{", " + said if said else ""} }}')
    mapping = convert(tomllib.loads("\n".join(lines)), Mapping, where="m", base=Path())
    mapper = TableRows(mapping, BY_TABLE[record], source="s", prefix="", hours_per_day=7)
    rows = [{"C": text} for text in (context if context in SHOWN else "", cell) if text != ""]
    for row in rows:
        mapper.look(row)
    try:
        return getattr([*mapper.records(rows[-1])][-1], field)
    except RowError as exc:
        return NO + exc.why


def through_tool(kind: str, context: str, cell: Any) -> Any:
    """Let a tool send *cell* as a text."""
    door = DOORS[kind][2]
    assert door is not None
    table, field = door
    context = SHOWN.get(context, context)
    decimal = context if context.startswith("decimal") else ""
    said = (
        'unit = "hours"'
        if kind == "seconds"
        else context
        if context.startswith("unit")
        else f'format = "{FORMATS[context]}"'
        if context in FORMATS
        else ""
    )
    needed = {"id": "1", **{name: value for name, value in FILLED[table].items() if name != field}}
    if len(context) == 3 and context.isupper():
        needed["currency"] = context
    fields = [f"{name} = {{ value = {_toml(value)} }}" for name, value in needed.items()]
    fields.append(f'{field} = {{ path = "c"{", " + said if said else ""} }}')
    text = f'title = "T"\n{decimal}\n[[list]]\nname = "l"\npath = "/l"\n[[list.record]]\n'
    text += f'table = "{table}"\nfields = {{ {", ".join(fields)} }}\n'
    mapping = parse(text, "m")
    try:
        (record,) = RestRows(mapping, name="s", tz="UTC", day_s=25200).records(
            mapping.list[0], {"id": 1, "c": cell}, {}
        )
    except CellError as exc:
        said = str(exc)
    else:
        return getattr(record, field)
    assert said.startswith(f"l, row 1: {table}.{field} from 'c': {cell!r}"[:60]), said
    return NO + said.partition(f"{cell!r:.60} ")[2]


def _toml(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else str(value)


def _agrees(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, str) and wanted.startswith(NO):
        return isinstance(found, str) and found.startswith(wanted)
    return bool(wanted == found and type(wanted) is type(found))


@pytest.mark.parametrize(("kind", "context", "cell", "wanted"), CASES)
def test_a_cell_is_the_same_through_every_door(
    kind: str, context: str, cell: str, wanted: Any, tmp_path: Path
) -> None:
    """config/, a table and a tool read one value or refuse with one sentence."""
    config, _, tool = DOORS[kind]
    found = {"table": through_table(kind, context, cell)}
    if config is not None:
        found["config"] = through_config(kind, context, cell, tmp_path)
    # a tool sends no column: what it shows is declared, which refuses what contradicts it
    if tool is not None and not (context in SHOWN and (context, cell) in CONTRADICTED):
        found["tool"] = through_tool(kind, context, cell)

    assert dict.fromkeys(found, True) == {door: _agrees(wanted, one) for door, one in found.items()}, found


CONTRADICTED = {("420,00", "7.5"), ("4.5", "7,5"), ("13/05/2026", "01/02/26")}


def test_the_table_is_large_and_has_no_cell_twice() -> None:
    assert len(CASES) >= 150
    assert len(CASES) == len({case[:3] for case in CASES})


SIGNS = [
    ("-7h30", -27000),
    ("−7h30", -27000),
    ("(7h30)", -27000),
    ("7h30-", -27000),
    ("-1d 4h", -39600),
    ("-PT30M", -1800),
    ("-7,5", -27000),
]


@pytest.mark.parametrize(("cell", "wanted"), SIGNS)
def test_an_effort_may_be_taken_back(cell: str, wanted: int) -> None:
    """A correction has its sign before or after, or stands in brackets."""
    assert wanted == through_table("seconds", "", cell) == through_tool("seconds", "", cell)


def reader(
    kind: Any,
    *,
    years: int | None = None,
    low: float | None = None,
    high: float | None = None,
    **declared: Any,
) -> CellReader:
    return CellReader(Column(kind=kind, years=years, low=low, high=high), Declared(**declared))


@pytest.mark.parametrize(
    ("text", "declared", "wanted"),
    [
        ("05/10/2026 14:30", {"order": "dd/mm", "zone": PARIS}, "2026-10-05T12:30:00Z"),
        ("05/12/2026 14:30", {"order": "dd/mm", "zone": PARIS}, "2026-12-05T13:30:00Z"),
        ("10/05/2026 2:30 PM", {"order": "mm/dd"}, "2026-10-05T14:30:00Z"),
        ("05.10.2026 14:30", {}, "2026-10-05T14:30:00Z"),
        ("31.12.2026 23:59:59", {"zone": PARIS}, "2026-12-31T22:59:59Z"),
        ("5 oct. 2026 à 14h30", {}, "2026-10-05T14:30:00Z"),
        ("Oct 5, 2026 12:05 AM", {}, "2026-10-05T00:05:00Z"),
        ("Mo, 05.10.2026 07:05", {}, "2026-10-05T07:05:00Z"),
        ("05.10.2026 14:30 +02:00", {"zone": PARIS}, "2026-10-05T12:30:00Z"),
        ("2026/10/05 14:30", {}, "2026-10-05T14:30:00Z"),
        ("05.10.2026", {"zone": PARIS}, "2026-10-05T00:00:00Z"),
        ("05/10/2026 14:30", {}, NO + "could be the"),
        ("05.10.2026 24:30", {}, NO + "is not"),
        ("05.10.2026 13:30 PM", {}, NO + "is not"),
    ],
)  # fmt: skip
def test_a_stamp_keeps_its_time_however_its_day_is_written(
    text: str, declared: dict[str, Any], wanted: str
) -> None:
    """Only stamps of ISO 8601 had a time of day: the others came as midnight, and nothing was said."""
    if wanted.startswith(NO):
        with pytest.raises(CellError, match=wanted.removeprefix(NO)):
            reader("instant", **declared).value(text)
    else:
        assert wanted == reader("instant", **declared).value(text)
    if not wanted.startswith(NO):  # and its day stays the one that is written
        assert reader("day", **declared).value(text)[8:] in {"05", "31"}


@pytest.mark.parametrize(
    ("kind", "cell", "wanted"),
    [
        ("minor", 0.1 + 0.2, 30), ("minor", 1.005, 101), ("minor", 12, 1200), ("minor", 0.285, 29),
        ("minor", 1e300, NO + "is too large"),
        ("minor", float("nan"), NUMBER), ("minor", float("inf"), NUMBER), ("minor", True, NUMBER),
        ("minor", date(2026, 1, 1), NUMBER),
        ("minor", FormattedNumber(0.45, percent=True), NO + "has a percent sign"),
        ("minor", FormattedNumber(12, currency="$"), NO + "is in $"),
        ("minor", FormattedNumber(12, currency="€"), 1200),
        ("seconds", FormattedNumber(12, currency="€"), NO + "has the currency €"),
        ("seconds", FormattedNumber(0.45, percent=True), NO + "has a percent sign"),
        ("seconds", time(7, 30), 27000), ("seconds", timedelta(hours=36), 129600),
        ("seconds", timedelta(hours=-2), -7200), ("seconds", datetime(1900, 1, 1, 12, 0), 129600),
        ("seconds", datetime(2026, 1, 1), DURATION),
        ("seconds", 7.5, 27000), ("percent", FormattedNumber(0.45, percent=True), 45.0),
        ("share", FormattedNumber(0.45, percent=True), 0.45),
        ("percent", FormattedNumber(0.07, percent=True), 7.0),
        ("percent", 0.45, NO + "could be a share or a percent"), ("percent", 45, 45.0),
        ("integer", 3.0, 3), ("integer", 3.5, NO + "is not a whole number"),
        ("day", date(2026, 3, 1), "2026-03-01"), ("day", datetime(2026, 3, 1, 23, 59), "2026-03-01"),
        ("day", 46326, DAY), ("day", 46326.0, DAY), ("day", True, DAY),
        ("month", date(2026, 3, 9), "2026-03"), ("month", 202603, "2026-03"),
        ("flag", True, True), ("flag", 0, False), ("flag", 1.0, True), ("number", 3, 3.0),
        ("instant", datetime(2026, 3, 1, 14, 30), "2026-03-01T14:30:00Z"),
        ("instant", date(2026, 3, 1), "2026-03-01T00:00:00Z"), ("minor", "", None), ("minor", None, None),
        ("day", " ", None),
    ],
)  # fmt: skip
def test_a_cell_of_a_workbook(kind: str, cell: Any, wanted: Any) -> None:
    """Numbers, percents, currencies, dates and times as a workbook holds them.

    Amounts never become binary fractions.
    """
    try:
        found = reader(kind, currency="EUR", unit="hours" if kind == "seconds" else None).value(cell)
    except CellError as exc:
        found = NO + str(exc)

    assert _agrees(wanted, found) or wanted is found is None, found


def test_excel_counts_days_where_the_mapping_says_so() -> None:
    """46326 is 31 October 2026, as a spreadsheet shows it."""
    assert "2026-10-31" == reader("day", formats=("excel",)).value(46326.0)


def test_seconds_are_read_where_they_are_declared() -> None:
    """In French, 2 s may be two weeks."""
    assert 27000 == reader("seconds", unit="seconds").value("27000 s")
    assert 26 * 3600 == reader("seconds", unit="days", day_s=Decimal(28800)).value("3,25")


def test_a_day_has_the_hours_of_the_source() -> None:
    """And a week five of its days; ISO 8601 has its own where it is declared."""
    assert 12 * 3600 == reader("seconds", unit="hours", day_s=Decimal(28800)).value("1d 4h")
    assert 40 * 3600 == reader("seconds", unit="hours", day_s=Decimal(28800)).value("1w")
    assert 28 * 3600 == reader("seconds", unit="iso", day_s=Decimal(28800)).value("P1DT4H")


def test_a_column_of_percents_is_known_by_its_numbers() -> None:
    """One number above 1 says that 0,5 is half a percent; cells with a percent sign say nothing."""
    one, other = reader("percent"), reader("percent")
    one.look("45")
    other.look("45 %")
    assert 0.5 == one.value("0,5")
    with pytest.raises(CellError, match="could be a share or a percent"):
        other.value("0,5")


def test_a_column_that_shows_both_signs_settles_nothing() -> None:
    """Each cell that can be read one way only is read; the others are refused."""
    mixed = reader("minor")
    for cell in ("1,5", "2.5"):
        mixed.look(cell)
    assert [150, 250] == [mixed.value(cell) for cell in ("1,5", "2.5")]
    with pytest.raises(CellError, match="thousand or a fraction"):
        mixed.value("1,234")


STYLES = {
    "French": ("\u202f", ","),
    "French, old": ("\u00a0", ","),
    "English": (",", "."),
    "Swiss": ("'", "."),
    "Swiss, new": ("’", "."),
    "German": (".", ","),
    "plain": ("", "."),
    "plain comma": ("", ","),
}


@given(
    cents=st.lists(st.integers(-(10**13), 10**13), min_size=1, max_size=6),
    places=st.integers(0, 3),
    style=st.sampled_from(sorted(STYLES)),
    declare=st.booleans(),
)
def test_a_number_comes_back_from_any_way_of_writing_it(
    cents: list[int], places: int, style: str, declare: bool
) -> None:
    """In a column that settles its sign, or where it is declared, every amount is as written."""
    group, decimal = STYLES[style]
    numbers = [Decimal(one).scaleb(-places) for one in cents]
    texts = [
        f"{one:,.{places}f}".replace(",", "\0").replace(".", decimal).replace("\0", group) for one in numbers
    ]
    one = reader("minor", decimal=decimal if declare else None)
    for text in [*texts, f"7{decimal}5"]:
        one.look(text)

    half = Decimal(1)
    assert [int((number * 100).quantize(half, rounding="ROUND_HALF_UP")) for number in numbers] == [
        one.value(text) for text in texts
    ]


@given(st.integers(0, 10**6), st.sampled_from(["h", ":", "m", "iso"]))
def test_a_duration_comes_back_from_any_way_of_writing_it(minutes: int, style: str) -> None:
    """Hours and minutes are read to the minute."""
    hours, rest = divmod(minutes, 60)
    text = {
        "h": f"{hours}h{rest:02d}",
        ":": f"{hours}:{rest:02d}",
        "m": f"{hours}h {rest}m",
        "iso": f"PT{hours}H{rest}M",
    }[style]

    assert minutes * 60 == reader("seconds", unit="hours").value(text)


@given(st.text(max_size=12))
def test_a_text_is_a_value_or_a_sentence(text: str) -> None:
    """No cell breaks the reader, and a number that is read is finite."""
    for kind in (
        "minor",
        "seconds",
        "number",
        "percent",
        "share",
        "integer",
        "day",
        "month",
        "instant",
        "flag",
        "currency",
    ):
        one = reader(kind)
        one.look(text)
        with contextlib.suppress(CellError):
            found = one.value(text)
            assert not isinstance(found, float) or math.isfinite(found)


def test_every_number_of_a_record_says_what_it_is() -> None:
    """Shares and percents have their ranges; days, months and instants are held near today."""
    for record in RECORDS:
        for name, column in columns_of(record).items():
            if column.kind in {"day", "month", "instant"}:
                assert column.years is not None, (record.table, name)
            if column.kind == "percent":
                assert (0, 100) == (column.low, column.high)


@pytest.mark.parametrize(
    ("caption", "scale"),
    [
        ("Budget (k€)", 1000), ("Budget K€", 1000), ("Engagé [KEUR]", 1000), ("Consommé en k EUR", 1000),
        ("en milliers d'euros", 1000), ("Cost (in thousands)", 1000), ("Montant (K)", 1000),
        ("Montant HT en KEUROS", 1000), ("Total M CHF", 1000000), ("M€", 1000000), ("Mio EUR", 1000000),
        ("Prévu (Md€)", 1000000000),
        ("Budget (€)", None), ("Budget", None), ("Mois", None), ("Montant MAD", None), ("Kanban EUR", None),
        ("Marketing €", None), ("Coût du KPI", None), ("Montant", None), ("Total M", None), ("", None),
    ],
)  # fmt: skip
def test_what_a_caption_says_amounts_are_counted_in(caption: str, scale: int | None) -> None:
    """A column called k€ holds thousands of euros; hand-written captions, and words that only look alike."""
    assert scale == scale_of(caption)


@pytest.mark.parametrize(
    ("caption", "unit"),
    [
        ("Heures", "hours"), ("Temps passé (h)", "hours"), ("Duration (hours)", "hours"),
        ("Nb d'heures", "hours"),
        ("JH", "days"), ("Charge (jours)", "days"), ("Nb jours-homme", "days"), ("Days", "days"),
        ("Temps (min)", "minutes"), ("Minutes", "minutes"), ("Durée (s)", None), ("Secondes", "seconds"),
        ("Durée (h:mm)", None), ("Heures ou jours", None), ("Charge", None), ("Temps", None),
    ],
)  # fmt: skip
def test_what_a_caption_says_efforts_are_in(caption: str, unit: str | None) -> None:
    """A caption names one unit, or leaves it open."""
    assert unit == unit_of(caption)


@pytest.mark.parametrize(
    ("caption", "codes"),
    [
        ("Amount (USD)", "USD"), ("Montant [CHF]", "CHF"), ("Montant en CHF", "CHF"), ("Budget (k€)", "EUR"),
        ("Budget (kCHF)", "CHF"), ("Cost (£)", "GBP"), ("Budget US$", "USD"), ("Montant (euros)", "EUR"),
        ("ALL", ""), ("TOP 10", ""), ("Montant", ""), ("Montant HT", ""), ("Projet (WEB)", ""),
        ("COP suivi", ""),
    ],
)  # fmt: skip
def test_the_currency_that_a_caption_says(caption: str, codes: str) -> None:
    """A caption names a currency by its sign, or by its code where it can be nothing else."""
    assert set(codes.split()) == caption_currency(caption)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("lundi 12 octobre 2026", "2026-10-12"),
        ("lun. 12/10/2026", "2026-10-12"),
        ("Mon, 12 Oct 2026", "2026-10-12"),
        ("Mon 10/12/2026", "2026-10-12"),
        ("mar. 3 nov. 2026", "2026-11-03"),
        ("mar 3 2026", "2026-03-03"),
        ("mardi 12 octobre 2026", None),
    ],
)
def test_a_day_that_names_its_weekday(text: str, day: str | None) -> None:
    """The weekday settles which of day and month stands first; one that does not fit is no day."""
    readings = day_readings(text, 2026)

    assert ({day} - {None}) == {one.isoformat() for one in readings if one}


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("T1 2026", "2026-01-01", "2026-03-31"),
        ("2026-Q2", "2026-04-01", "2026-06-30"),
        ("3. Quartal 2026", "2026-07-01", "2026-09-30"),
        ("2e trimestre 2026", "2026-04-01", "2026-06-30"),
        ("Trim. 4 2026", "2026-10-01", "2026-12-31"),
    ],
)
def test_a_quarter_lasts_three_months(header: str, first: str, last: str) -> None:
    """From the first of its first month to the last of its third."""
    assert {header: (date.fromisoformat(first), date.fromisoformat(last))} == periods_of([header], "quarter")


@pytest.mark.parametrize("header", ["T5 2026", "2026", "T", "Q0", "T1 2026 Budget", "Test 1"])
def test_what_is_no_quarter(header: str) -> None:
    """Neither a fifth one, nor a year, nor a word."""
    assert not names_period(header, "quarter")
