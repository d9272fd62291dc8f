"""Tables of any shape become records; every cell that does not is named."""

from __future__ import annotations

import tomllib
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter
from hub_tabular import sheets, tables
from hub_tabular.mapper import RowError, RowMapper
from hub_tabular.mapping import Mapping, check_mapping
from hub_tabular.source import TabularSource
from hub_tabular.suggest import suggest_mapping
from msgspec import structs

from hub import BY_TABLE, ConfigError, FormattedNumber, SourceDataError, convert
from hub.source import Context
from hub.store import Store
from hub.testing import store, sync_once

__all__ = ["store"]
HOURS = """record = "worklog"
[fields]
account_id = "Who"
container_id = "Code"
day = "Day"
seconds = { column = "H", unit = "hours" }
"""


def mapper(text: str) -> RowMapper:
    mapping = convert(tomllib.loads(text), Mapping, where="m.toml", base=Path())
    return RowMapper(mapping, check_mapping(mapping, "m.toml"), source="s", prefix="", hours_per_day=7)


def write(folder: Path, mapping: str, **files: str | bytes) -> TabularSource:
    (folder / "m.toml").write_text(mapping, encoding="utf-8")
    (folder / "in").mkdir(exist_ok=True)
    for name, content in files.items():
        data = content.encode() if isinstance(content, str) else content
        (folder / "in" / f"{name}.csv").write_bytes(data)
    return TabularSource(name="s", path="in", mapping="m.toml")


def value(field: str, cell: Any, spec: str, record: str = "worklog", more: str = "") -> Any:
    """Map one cell to *field*."""
    needed = {
        "worklog": 'day = { value = "2026-01-01" }\nseconds = { value = 1 }\n',
        "task": 'title = { value = "t" }\ncontainer_id = { value = "c" }\n',
        "budget_line": (
            'project_code = { value = "P" }\nmonth = { value = "2026-01" }\nkind = { value = '
            '"baseline" }\ncategory = { value = "x" }\namount_minor = { value = 1 }\n'
        ),
    }[record]
    needed = "\n".join(line for line in needed.splitlines() if not line.startswith(f"{field} "))
    one = mapper(f'record = "{record}"\n{more}\n[fields]\n{needed}\n{field} = {spec}\n')
    return getattr(list(one.records({"C": cell}))[-1], field)


@pytest.mark.parametrize(
    ("cell", "spec", "seconds"),
    [
        ("7,5", '{ column = "C", unit = "hours" }', 27000),
        ("1.5", '{ column = "C", unit = "days" }', 37800),
        ("7:30", '{ column = "C" }', 27000),
        ("-0:15", '{ column = "C" }', -900),
        (timedelta(hours=2), '{ column = "C" }', 7200),
        (0.25, '{ column = "C", unit = "hours" }', 900),
        ("90", '{ column = "C", unit = "minutes" }', 5400),
        ("1 234,5", '{ column = "C", unit = "minutes" }', 74070),
        ("(3)", '{ column = "C", unit = "hours" }', -10800),
    ],
)
def test_efforts(cell: Any, spec: str, seconds: int) -> None:
    """Hours, days, minutes, clock times, French and negative numbers are seconds."""
    assert seconds == value("seconds", cell, spec)


@pytest.mark.parametrize(
    ("cell", "spec", "day"),
    [
        ("2026-03-01", '"C"', "2026-03-01"),
        ("31/03/2026", '"C"', "2026-03-31"),
        ("31/03/26", '"C"', "2026-03-31"),
        ("01/03/26", '{ column = "C", format = "%d/%m/%y" }', "2026-03-01"),
        ("03/01/2026", '{ column = "C", format = "%m/%d/%Y" }', "2026-03-01"),
        (date(2026, 3, 1), '"C"', "2026-03-01"),
        (datetime(2026, 3, 1, 0, 0), '"C"', "2026-03-01"),
    ],
)
def test_days(cell: Any, spec: str, day: str) -> None:
    """Dates of text and of workbooks are civil days, never shifted."""
    assert day == value("day", cell, spec)


@pytest.mark.parametrize(
    "cell", ["2026-03", "03/2026", "mars 2026", "mars-26", "MARCH 2026", date(2026, 3, 9), "29/03/2026"]
)
def test_months(cell: Any) -> None:
    """A budget's month may be written in many ways."""
    assert "2026-03" == value("month", cell, '"C"', "budget_line")


@pytest.mark.parametrize(
    ("header", "cell", "said", "minor"),
    [
        ("Budget (k€)", "40", "", 4_000_000),
        ("Budget (k€)", "12,5", "", 1_250_000),
        ("Budget (k€)", 40, "", 4_000_000),
        ("Budget (M€)", "1,2", "", 120_000_000),
        ("Budget", "40", 'unit = "thousands"', 4_000_000),
        ("Budget", "1.5", 'unit = "millions"', 150_000_000),
        # what the cell says goes before the header, and what the mapping says before that
        ("Budget (k€)", "40 k€", "", 4_000_000),
        ("Budget (k€)", "40000", 'unit = "units"', 4_000_000),
        ("Budget (M€)", "40 k€", 'unit = "millions"', 4_000_000),
        # what a workbook shows: 40 as "40 k€", 40000 as "40 k€" (a comma divides), 40000 under a header in k€
        ("Budget", FormattedNumber(40, scale=1000), "", 4_000_000),
        ("Budget", FormattedNumber(40000, scale=1), "", 4_000_000),
        ("Budget (k€)", FormattedNumber(40000, scale=1), "", 4_000_000),
        ("Budget (€)", "40", "", 4_000),
    ],
)
def test_amounts_in_thousands(header: str, cell: Any, said: str, minor: int) -> None:
    """Forty in a column of k€ is forty thousand euros."""
    spec = f'{{ column = "{header}", {said} }}' if said else f'"{header}"'
    one = mapper(
        'record = "budget_line"\n[fields]\nproject_code = { value = "P" }\nmonth = { value = "2026-01" }\n'
        f'kind = {{ value = "baseline" }}\ncategory = {{ value = "x" }}\namount_minor = {spec}\n'
    )
    assert minor == [*one.records({header: cell})][-1].amount_minor


@pytest.mark.parametrize(
    ("header", "more", "found"),
    [
        ("Amount (USD)", "", (1200, "USD")),
        ("Montant en kCHF", "", (1200000, "CHF")),
        ("Montant (€)", "", (1200, "EUR")),
        ("Montant", "", (1200, "EUR")),
        ("Amount (USD)", 'currency = { value = "CAD" }', (1200, "CAD")),
        ("Amount ($)", "", "its headers may mean several currencies"),
    ],
)
def test_the_currency_of_a_header(header: str, more: str, found: Any) -> None:
    """Twelve under "Amount (USD)" are dollars, where the mapping says nothing else; a mere $ is asked."""
    one = mapper(
        'record = "budget_line"\n[fields]\nproject_code = { value = "P" }\nmonth = { value = "2026-01" }\n'
        'kind = { value = "baseline" }\ncategory = { value = "x" }\n'
        f'amount_minor = "{header}"\n{more}\n'
    )
    if isinstance(found, str):
        with pytest.raises(RowError, match=found):
            [*one.records({header: "12"})]
    else:
        record = [*one.records({header: "12"})][-1]
        assert found == (record.amount_minor, record.currency)


def test_a_table_whose_columns_are_counted_differently() -> None:
    """Each cell of a table turned into rows is counted in what its own header says."""
    one = mapper(
        'record = "budget_line"\nunpivot = { columns = "^(B|C)", name = "Kind", value = "Amount" }\n'
        '[fields]\nproject_code = "P"\nmonth = { value = "2026-01" }\ncategory = { value = "x" }\n'
        'kind = { column = "Kind", values = { "B (k€)" = "baseline", "C (€)" = "consumed" } }\n'
        'amount_minor = "Amount"\n'
    )
    found = [
        [*one.records({"P": "WEB", "Kind": kind, "Amount": "12,5"})][-1].amount_minor
        for kind in ("B (k€)", "C (€)")
    ]
    assert [1_250_000, 1_250] == found


def test_an_effort_whose_unit_only_the_header_says() -> None:
    """Hours under a header that says so are hours, where the mapping says nothing."""
    one = mapper('record = "worklog"\n[fields]\nday = { value = "2026-01-01" }\nseconds = "Heures"\n')
    assert 27000 == [*one.records({"Heures": "7,5"})][-1].seconds


@pytest.mark.parametrize(
    ("code", "cell", "minor"),
    [
        ('#,##0 "k€"', 40, 4_000_000),
        ('#,##0, "k€"', 40000, 4_000_000),
        ('#,##0.0,,"M€"', 1_200_000, 120_000_000),
        ("#,##0 [$€-40C]", 40, 4_000),
    ],
)
def test_a_workbook_that_shows_thousands(tmp_path: Path, code: str, cell: float, minor: int) -> None:
    """The number format says whether a cell holds thousands, or a whole amount that it shows in thousands."""
    with xlsxwriter.Workbook(tmp_path / "b.xlsx") as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["P", "A"])
        sheet.write(1, 0, "WEB")
        sheet.write(1, 1, cell, book.add_format({"num_format": code}))
    (tmp_path / "m.toml").write_text(
        'record = "budget_line"\n[fields]\nproject_code = "P"\nmonth = { value = "2026-01" }\n'
        'kind = { value = "baseline" }\ncategory = { value = "x" }\namount_minor = "A"\n',
        encoding="utf-8",
    )
    with Store.open(tmp_path / "hub.db") as store:
        sync_once(store, TabularSource(name="s", path="b.xlsx", mapping="m.toml"), base=tmp_path)
        assert [(minor,)] == [
            tuple(row.values()) for row in store.rows("SELECT amount_minor FROM budget_line")
        ]


def test_money_choices_and_flags() -> None:
    """Amounts are minor units; words go through values without regard to case; flags know oui and non."""
    assert 123456 == value("amount_minor", "1 234,56 €", '"C"', "budget_line")
    assert "absence" == value("category", "CONGÉS", '{ column = "C", values = { "Congés" = "absence" } }')
    assert "project" == value(
        "category", "?", '{ column = "C", values = { "Congés" = "absence" }, default = "project" }'
    )
    assert value("billable", "Oui", '"C"') is True
    assert "412" == value("code", "Feature #412: x", '{ column = "C", pattern = "#([0-9]+)" }', "task")
    assert "jira:INF-1" == value("task_id", "INF-1", '{ column = "C", source = "jira" }')


@pytest.mark.parametrize(
    ("field", "cell", "spec", "words"),
    [
        ("day", "31/02/2026", '"C"', "is not a date such as"),
        ("day", "", '"C"', "day may not be empty"),
        ("seconds", "seven", '{ column = "C", unit = "hours" }', "is not a number"),
        ("seconds", "1,234", '{ column = "C", unit = "hours" }', "could be a thousand or a fraction"),
        ("seconds", float("nan"), '{ column = "C", unit = "hours" }', "is not a number"),
        ("category", "Congés", '"C"', "is not one of project, internal, absence"),
        ("category", "RTT", '{ column = "C", values = { "Congés" = "absence" } }', "is not one of Congés"),
        ("billable", "perhaps", '"C"', "neither yes nor no"),
    ],
)
def test_cells_that_cannot_be_understood(field: str, cell: Any, spec: str, words: str) -> None:
    """The column, the value and the way out are said; nothing is guessed."""
    with pytest.raises(RowError) as caught:
        value(field, cell, spec)

    assert words in caught.value.why
    assert "C" == caught.value.column


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('record = "hours"\n[fields]', "record = 'hours' is not one of access, access_group"),
        ('record = "worklog"\n[fields]\nhours = "H"', "worklog has no field 'hours'. It has: task_id"),
        ('record = "worklog"\n[fields]\nday = "D"', "worklog needs the field 'seconds'"),
        ('record = "worklog"\nsnapshot = "delta"\n[fields]\nday = "D"\nseconds = "S"', "a delta needs key"),
        (
            'record = "worklog"\ndrop = [{ matches = "(" }]\n[fields]\nday = "D"\nseconds = "S"',
            "is not a regular expression",
        ),
        ('record = "worklog"\nheaders = 1\n[fields]\nday = "D"\nseconds = "S"', "unknown key 'headers'"),
        ('record = "worklog"\n[fields]\nday = "D"\nseconds = { column = "S", units = "h" }', "units"),
        (
            'record = "worklog"\n[fields]\nday = "D"\nseconds = "S"\n[account]\nnom = "N"',
            "account has no field 'nom'",
        ),
    ],
)
def test_mapping_mistakes(text: str, words: str) -> None:
    """A mapping that no file could satisfy is refused with the file's name."""
    with pytest.raises(ConfigError) as caught:
        mapper(text)

    assert words in str(caught.value)
    assert "m.toml" in str(caught.value)


def test_a_wrong_cell_names_file_row_and_column(tmp_path: Path, store: Any) -> None:
    """The other rows are kept; the file is read again until it is right."""
    keyed = 'key = ["Who", "Day"]\n' + HOURS
    source = write(tmp_path, keyed, a="Who;Code;Day;H\nM1;P;2026-01-05;7\nM1;P;2026-13-05;7\n")
    report = sync_once(store, source, base=tmp_path)
    again = sync_once(store, source, base=tmp_path)
    write(tmp_path, keyed, a="Who;Code;Day;H\nM1;P;2026-01-05;7\nM1;P;2026-12-05;7\n")
    right = sync_once(store, source, base=tmp_path)

    assert ("partial", 3) == (report.verdict, report.changes.inserted)
    assert "a.csv, row 3, Day: '2026-13-05' is not a date such as" in report.rejections[0]
    assert report.rejections == again.rejections
    assert ("ok", 1) == (right.verdict, right.changes.inserted)


def test_without_a_key_a_row_costs_a_row(tmp_path: Path, store: Any) -> None:
    """An edited hour beside a wrong row is counted once, and what the wrong row was before stays."""
    lines = [f"M1;P;2026-01-{n:02d};{n}\n" for n in range(1, 9)]
    source = write(tmp_path, HOURS, a="Who;Code;Day;H\n" + "".join(lines))
    sync_once(store, source, base=tmp_path)
    lines[0], lines[7] = "M1;P;2026-01-01;3\n", "M1;P;2026-13-08;8\n"
    write(tmp_path, HOURS, a="Who;Code;Day;H\n" + "".join(lines))
    report = sync_once(store, source, base=tmp_path)
    hours = store.rows("SELECT sum(seconds) / 3600 AS h FROM worklog WHERE presence = 'present'")[0]["h"]

    assert ("partial", [], 38) == (report.verdict, report.missing, hours)  # 3 for 1, and the 8 as it was
    assert "a.csv, row 9, Day: '2026-13-08'" in report.rejections[0]


def test_equal_rows_are_told_apart(tmp_path: Path, store: Any) -> None:
    """Without a key the content is the id, with an occurrence number: nothing is lost, nothing is doubled."""
    line = "M1;P;2026-01-05;2\n"
    source = write(tmp_path, HOURS, a="Who;Code;Day;H\n" + line * 3)
    sync_once(store, source, base=tmp_path)
    assert 3 == store.rows("SELECT count(*) AS n FROM worklog")[0]["n"]
    write(tmp_path, HOURS + "# touched\n", a="Who;Code;Day;H\n" + line * 3)
    same = sync_once(store, source, base=tmp_path)

    assert (0, 0) == (same.changes.inserted, same.changes.updated)


def test_a_key_used_twice_is_told(tmp_path: Path, store: Any) -> None:
    """Two rows of one key would be one row: the second is named instead."""
    source = write(
        tmp_path, 'key = ["Who", "Day"]\n' + HOURS, a="Who;Code;Day;H\nM1;P;2026-01-05;2\nM1;Q;2026-01-05;3\n"
    )
    report = sync_once(store, source, base=tmp_path)

    assert "row 3, Who, Day: 'M1/2026-01-05' the key is already used by a row above" in report.rejections[0]


def test_a_full_file_may_delete_and_a_delta_may_not(tmp_path: Path, store: Any) -> None:
    """A line that left a complete file is deleted; a delta only adds and changes."""
    lines = [f"M1;P;2026-01-{n:02d};1" for n in range(1, 11)]
    keyed = 'key = ["Who", "Day"]\n' + HOURS
    source = write(tmp_path, keyed, a="Who;Code;Day;H\n" + "\n".join(lines))
    sync_once(store, source, base=tmp_path)
    write(tmp_path, keyed, a="Who;Code;Day;H\n" + "\n".join(lines[:-1]))
    full = sync_once(store, source, base=tmp_path)
    write(tmp_path, 'snapshot = "delta"\n' + keyed, a="Who;Code;Day;H\nM1;P;2026-01-01;5\n")
    delta = TabularSource(name="d", path="in", mapping="m.toml")
    sync_once(store, delta, base=tmp_path)
    write(tmp_path, 'snapshot = "delta"\n' + keyed, a="Who;Code;Day;H\nM1;P;2026-01-02;5\n")
    sync_once(store, delta, base=tmp_path)

    assert 1 == full.changes.presence_changed
    assert (
        2
        == store.rows("SELECT count(*) AS n FROM worklog WHERE source_id = 'd' AND presence = 'present'")[0][
            "n"
        ]
    )


def test_the_latest_file_replaces_all(tmp_path: Path, store: Any) -> None:
    """With files = "latest" the newest export by name is the whole truth."""
    keyed = 'key = ["Who", "Day"]\nfiles = "latest"\n' + HOURS
    lines = [f"M1;P;2026-01-{n:02d};1" for n in range(1, 11)]
    source = write(tmp_path, keyed, export_1="Who;Code;Day;H\n" + "\n".join(lines))
    sync_once(store, source, base=tmp_path)
    write(tmp_path, keyed, export_2="Who;Code;Day;H\n" + "\n".join(lines[:-1]))
    report = sync_once(store, source, base=tmp_path)

    assert ("ok", 1, 0) == (report.verdict, report.changes.presence_changed, report.changes.inserted)


def book(path: Path, rows: list[list[Any]], sheet: str = "Exécution") -> None:
    with xlsxwriter.Workbook(str(path), {"default_date_format": "dd/mm/yy"}) as out:
        one = out.add_worksheet(sheet)
        for number, row in enumerate(rows):
            one.write_row(number, 0, row)


def test_an_export_with_banner_groups_and_sums(tmp_path: Path) -> None:
    """Merged banner, group rows, carried cells, rows of sums: what an ERP or PPM tool really writes."""
    path = tmp_path / "e.xlsx"
    book(
        path,
        [
            ["Dépenses prévues"],
            [],
            ["Poste", "Date", "Montant"],
            ["P-001 Portail"],
            ["Achats"],
            ["Licences", date(2026, 1, 5), 10],
            ["", date(2026, 2, 5), 20],
            ["Somme Achats", "", 30],
            ["P-002 Stocks"],
            ["Achats"],
            ["Serveurs", date(2026, 3, 5), 5],
            ["Somme", "", 35],
        ],
    )
    text = (
        'record = "budget_line"\nheader_row = 3\ncarry_down = ["Poste"]\ndrop = [{ column = "Poste", '
        'matches = "^Somme" }]\n'
        'group = [{ into = "Projet", matches = "^(P-[0-9]+)" }, '
        '{ into = "Nature" }]\n[fields]\nproject_code = "Projet"\nmonth = "Date"\n'
        'kind = { value = "forecast" }\ncategory = "Nature"\namount_minor = "Montant"\n'
    )
    mapping = convert(tomllib.loads(text), Mapping, where="m", base=tmp_path)
    rows = list(tables.table_rows(path, mapping))
    one = RowMapper(mapping, BY_TABLE["budget_line"], source="s", prefix="", hours_per_day=7)
    lines = [record for _, row in rows for record in one.records(row)]

    assert [6, 7, 11] == [number for number, _ in rows]
    assert ["Licences", "Licences", "Serveurs"] == [row["Poste"] for _, row in rows]
    assert [
        ("P-001", "2026-01", "Achats", 1000),
        ("P-001", "2026-02", "Achats", 2000),
        ("P-002", "2026-03", "Achats", 500),
    ] == [
        (line.project_code, line.month, line.category, line.amount_minor)
        for line in lines  # type: ignore[attr-defined]
    ]


def test_outline_gives_parents(tmp_path: Path, store: Any) -> None:
    """Levels as numbers or as 1.2.3 become the hierarchy."""
    text = (
        'record = "task"\nkey = ["Id"]\noutline = { column = "Niv" }\n[fields]\ntitle = '
        '"T"\ncontainer_id = { value = "P" }\n'
    )
    source = write(tmp_path, text, a="Id;Niv;T\n1;1;A\n2;2;B\n3;3;C\n4;2;D\n")
    sync_once(store, source, base=tmp_path)
    parents = {row["title"]: row["parent_id"] for row in store.rows("SELECT title, parent_id FROM task")}

    assert {"A": None, "B": "s:in/a.csv/1", "C": "s:in/a.csv/2", "D": "s:in/a.csv/1"} == parents


@pytest.mark.parametrize(("key", "below"), [('key = ["Id"]\n', "s:in/a.csv/2"), ("", None)])
def test_below_a_row_that_cannot_be_taken(tmp_path: Path, store: Any, key: str, below: str | None) -> None:
    """What stands below it stands below no other: below what is known of it, or below nothing."""
    text = (
        f'record = "task"\n{key}outline = {{ column = "Niv" }}\n[fields]\ntitle = '
        '"T"\ndue_on = "D"\ncontainer_id = { value = "P" }\n'
    )
    source = write(tmp_path, text, a="Id;Niv;T;D\n1;1;A;\n2;1;B;soon\n3;2;C;\n4;x;E;\n5;2;F;\n6;2;G;\n")
    sync_once(store, source, base=tmp_path)
    parents = {row["title"]: row["parent_id"] for row in store.rows("SELECT title, parent_id FROM task")}

    assert {"A": None, "C": below, "F": None, "G": None} == parents


TITLED = "Site\n\nSprint 1\nTask;Who\nA;Ann\nB;\n\nSprint 2\nTask;Who\nC;\nTask;Who\nD;\n"


def test_titles_between_an_empty_row_and_headers(tmp_path: Path, store: Any) -> None:
    """They are counted as what names a group; the last row of an export, with another below it, is a row."""
    text = 'record = "task"\nheader_row = 4\n[fields]\ntitle = "Task"\ncontainer_id = { value = "P" }\n'
    report = sync_once(store, write(tmp_path, text, a=TITLED), base=tmp_path)

    assert "ok" == report.verdict
    assert ["A", "B", "C", "D"] == sorted(row["title"] for row in store.rows("SELECT title FROM task"))
    assert (
        '{"rows": {"left out: empty": 1, "left out: group rows": 1, "left out: repeated headers": 2, '
        '"seen": 8, "taken": 4}}'
    ) == store.runs("s")[0].tally


HOURS_MAPPING = """
record = "worklog"
date_formats = ["%d/%m/%Y"]
[fields]
account_id = "Who"
container_id = "P"
day = "Day"
seconds = { column = "H", unit = "hours" }
"""
WORKED = "Who;P;Day;H\nAnn;A;05/10/2026;7\nBob;A;06/10/2026;8\n"


def test_hours_of_nobody(tmp_path: Path, store: Any) -> None:
    """They count, and are told: an empty cell may mean as above."""
    rows = "Who;P;Day;H\nAnn;A;05/10/2026;7\n;B;06/10/2026;8\n;;07/10/2026;1\n"
    report = sync_once(store, write(tmp_path, HOURS_MAPPING, a=rows), base=tmp_path)

    assert ("ok", 16 * 3600) == (
        report.verdict, store.rows("SELECT sum(seconds) AS s FROM worklog")[0]["s"],
    )  # fmt: skip
    assert [
        "a.csv: 2 rows have no Who (9 h): if an empty cell means 'as above', say carry_down in the mapping",
        "a.csv: 1 row has no P (1 h): if an empty cell means 'as above', say carry_down in the mapping",
    ] == report.notes


@pytest.mark.parametrize("title", ["", "Absences\n"])
def test_another_table_below(tmp_path: Path, store: Any, title: str) -> None:
    """Its rows are not read as if they were of the first, and that is told, up to headers that come again."""
    below = f"\n{title}Who;Why;From;Days\nAnn;Leave;12/10/2026;3\nBob;Leave;13/10/2026;1\n\n"
    again = "Who;P;Day;H\nAnn;B;07/10/2026;6\n"
    report = sync_once(store, write(tmp_path, HOURS_MAPPING, a=WORKED + below + again), base=tmp_path)

    assert "partial" == report.verdict
    (told,) = report.rejections
    assert told.startswith(f"a.csv, row {6 if title else 5}: the headers of another table")
    assert [("A", 7.0), ("A", 8.0), ("B", 6.0)] == [
        (row["p"], row["h"])
        for row in store.rows(
            "SELECT substr(container_id, 3) AS p, seconds / 3600.0 AS h FROM worklog ORDER BY day"
        )
    ]


def test_other_weeks_below(tmp_path: Path, store: Any) -> None:
    """A second crosstab whose columns are other weeks is none of the first's."""
    text = (
        'record = "worklog"\nunpivot = { per = "week", name = "W", value = "H", year = 2026 }\n[fields]\n'
        'account_id = "Who"\nday = "W"\nseconds = { column = "H", unit = "hours" }\n'
    )
    rows = "Who;S41;S42\nAnn;7;8\nBob;6;5\n\nWho;S43;S44\nAnn;1;2\n"
    report = sync_once(store, write(tmp_path, text, a=rows), base=tmp_path)

    assert "partial" == report.verdict
    assert [26 * 3600] == [row["s"] for row in store.rows("SELECT sum(seconds) AS s FROM worklog")]


@pytest.mark.parametrize(
    "row", ["Ann;A;TBD;n/a", "Ann;A;;", "to be confirmed;by the committee;;", "Ann;A;-;-"]
)
def test_no_other_table_below(tmp_path: Path, store: Any, row: str) -> None:
    """A row without figures below an empty one costs itself at most: the next ones are read."""
    rows = f"{WORKED}\n{row}\nAnn;B;07/10/2026;6\n"
    sync_once(store, write(tmp_path, HOURS_MAPPING, a=rows), base=tmp_path)

    assert [21 * 3600] == [row["s"] for row in store.rows("SELECT sum(seconds) AS s FROM worklog")]


def test_columns_of_days_become_rows(tmp_path: Path, store: Any) -> None:
    """A month's grid with one column a day is as good as a list."""
    text = (
        'record = "worklog"\ndate_formats = ["%d/%m/%Y"]\n'
        'unpivot = { columns = "^[0-9]{2}/", name = "Jour", value = "H" }\n[fields]\naccount_id = "Who"\n'
        'day = { column = "Jour" }\nseconds = { column = "H", unit = "hours" }\n'
    )
    source = write(tmp_path, text, a="Who;01/10/2026;02/10/2026\nM1;7;\nM2;3,5;4\n")
    report = sync_once(store, source, base=tmp_path)

    assert "ok" == report.verdict, report.missing
    assert [("2026-10-01", 25200), ("2026-10-01", 12600), ("2026-10-02", 14400)] == [
        (row["day"], row["seconds"])
        for row in store.rows("SELECT day, seconds FROM worklog ORDER BY day, seconds DESC")
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_encodings_and_separators(tmp_path: Path, encoding: str, separator: str) -> None:
    """Accents survive whatever Excel saved, and the separator is found."""
    text = "\r\n".join(
        separator.join(row) for row in (["Prénom", "Équipe"], ["Zoé", "Été à Orléans"], ["Noël", "Où ça"])
    )
    path = tmp_path / "x.csv"
    path.write_bytes(text.encode(encoding))

    assert [["Prénom", "Équipe"], ["Zoé", "Été à Orléans"], ["Noël", "Où ça"]] == list(sheets.grid(path))


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("a.xlsx", b"PK\x03\x04broken", "cannot be read as a workbook"),
        ("a.xls", b"\0no", "cannot be read as a workbook"),
        ("a.xls", b"no", "has no column 'Code'"),
        ("a.xls", b"<html><table><tr><td>Who</td></tr></table></html>", "is a page in HTML or XML"),
        ("a.csv", b"PK\x03\x04broken", "cannot be read as a workbook"),
        ("a.csv", b"", "has no row 1"),
        ("a.csv", b"Who;Day\n", "has no column 'Code', 'H'"),
    ],
)
def test_files_that_are_not_well(tmp_path: Path, store: Any, name: str, content: bytes, words: str) -> None:
    """A bad file is named with its fault and stops no other."""
    source = write(tmp_path, HOURS, good="Who;Code;Day;H\nM1;P;2026-01-05;7\n")
    (tmp_path / "in" / name).write_bytes(content)
    report = sync_once(store, source, base=tmp_path)

    assert "partial" == report.verdict
    assert words in report.missing[0]
    assert name in report.missing[0]


def test_sheets(tmp_path: Path) -> None:
    """A sheet that is not there is named with those that are."""
    book(tmp_path / "b.xlsx", [["A"], [1]], sheet="Feuil1")

    assert [["A"], [1.0]] == list(sheets.grid(tmp_path / "b.xlsx", sheet="Feuil1"))
    with pytest.raises(SourceDataError, match=r"no sheet 'Saisie'; it has Feuil1"):
        list(sheets.grid(tmp_path / "b.xlsx", sheet="Saisie"))


def test_missing_mapping(tmp_path: Path, store: Any) -> None:
    """A mapping that cannot be read fails the source with its path."""
    report = sync_once(store, TabularSource(name="s", path="in", mapping="nope.toml"), base=tmp_path)
    (check,) = TabularSource(name="s", path="in", mapping="nope.toml").check(
        Context(base=tmp_path, source_id="s")
    )

    assert "failed" == report.verdict == check.state
    assert "nope.toml" in (report.error or "")


@pytest.mark.parametrize(
    ("text", "record", "lines"),
    [
        (
            "Matricule;Nom;Projet;Date;Heures;Nature\nA1;Zoé;P-1;01/10/2026;7,5;Projet\nA2;Jo;P-1;25/10/2026;3;Congés\n",
            "worklog",
            [
                'day = { column = "Date", format = "%d/%m/%Y" }',
                'seconds = { column = "Heures", unit = "hours" }',
                '"Congés" = "absence"',
                'decimal = ","',
            ],
        ),
        (
            "Export du 1/1\nRef,Project,Type,Title,Status,Impact\n1,P,Risk,Late,Open,3\n",
            "register_item",
            ['title = "Title"', '"Open" = "open"', "header_row = 2"],
        ),
        (
            "Projet;Mois;Montant;Type\nP;2026-01;100;Budget initial\n",
            "budget_line",
            ['amount_minor = "Montant"', '"Budget initial" = "baseline"', 'category = { value = "all" }'],
        ),
    ],
)
def test_suggested_mappings(tmp_path: Path, text: str, record: str, lines: list[str]) -> None:
    """The first mapping is valid TOML of the right record, and finds columns, formats and words."""
    path = tmp_path / "f.csv"
    path.write_text(text, encoding="utf-8")
    found = suggest_mapping(path)

    assert record == tomllib.loads(found)["record"]
    for line in lines:
        assert line in found
    with pytest.raises(ConfigError, match="a mapping can be suggested for"):
        suggest_mapping(path, record="dreams")


def test_a_suggested_mapping_reads_the_file(tmp_path: Path, store: Any) -> None:
    """What suggest writes can be used as it is."""
    text = "Matricule;Nom;Projet;Date;Heures\n" + "\n".join(
        f"A{n};Zoé;P-{n % 2};0{n}/10/2026;7,5" for n in range(1, 6)
    )
    source = write(tmp_path, HOURS, a=text)
    (tmp_path / "m.toml").write_text(suggest_mapping(tmp_path / "in" / "a.csv"), encoding="utf-8")
    report = sync_once(store, source, base=tmp_path)

    assert "ok" == report.verdict, report.missing
    assert 5 * 27000 == store.rows("SELECT sum(seconds) AS s FROM worklog")[0]["s"]


REDMINE = Path(__file__).parents[4] / "shared" / "data" / "redmine"


@pytest.mark.skipif(not REDMINE.is_dir(), reason="needs the recorded exports of ../shared/data/redmine")
def test_a_real_export(tmp_path: Path, store: Any) -> None:
    """Redmine's own Latin-1 CSV of time entries: every hour of the file is in the store."""
    text = (
        'record = "worklog"\nencoding = "iso-8859-1"\n[fields]\naccount_id = "User"\ncontainer_id = '
        '"Project"\nday = { column = "Date", format = "%m/%d/%Y" }\nseconds = { column = "Hours", '
        'unit = "hours" }\n'
    )
    (tmp_path / "m.toml").write_text(text)
    source = TabularSource(name="s", path=str(REDMINE / "time_entries_latin1.csv"), mapping="m.toml")
    report = sync_once(store, source, base=tmp_path)
    import csv

    with (REDMINE / "time_entries_latin1.csv").open(encoding="iso-8859-1") as file:
        hours = sum(float(row["Hours"]) for row in csv.DictReader(file))

    assert "ok" == report.verdict, report.missing
    assert round(hours * 3600) == store.rows("SELECT sum(seconds) AS s FROM worklog")[0]["s"]


# ---------- what a workbook shows ----------

PLAN = """record = "task"
key = ["No"]
[fields]
title = "No"
container_id = { value = "P" }
percent = "Done"
estimate_s = { column = "Effort", unit = "hours" }
"""


def percents(path: Path, *cells: tuple[float, str]) -> None:
    """Write a workbook of tasks whose part done has a number format, two columns to the right."""
    with xlsxwriter.Workbook(str(path)) as out:
        sheet = out.add_worksheet("Other")
        sheet.write(1, 3, 0.5, out.add_format({"num_format": "0%"}))
        sheet = out.add_worksheet("Plan")
        sheet.write_row(1, 2, ["No", "Done", "Effort"])
        for number, (cell, shown) in enumerate(cells):
            sheet.write(number + 2, 2, f"T{number}")
            sheet.write(number + 2, 3, cell, out.add_format({"num_format": shown} if shown else {}))
            sheet.write(number + 2, 4, 1)


def done(folder: Path, store: Any) -> tuple[list[Any], list[str]]:
    (folder / "m.toml").write_text('sheet = "Plan"\nheader_row = 2\n' + PLAN, encoding="utf-8")
    report = sync_once(store, TabularSource(name="s", path="in", mapping="m.toml"), base=folder)
    rows = [row["percent"] for row in store.rows("SELECT percent FROM task ORDER BY title")]
    return rows, report.missing + report.rejections


def test_a_percent_of_a_workbook_is_what_it_shows(tmp_path: Path, store: Any) -> None:
    """0.45 shown as 45 % is 45, whatever the format's decimals.

    A whole number beside it is a percent already.
    """
    (tmp_path / "in").mkdir()
    percents(
        tmp_path / "in" / "a.xlsx",
        (0.45, "0%"),
        (0.075, "0.0%"),
        (1, "0%;[Red]-0%"),
        (60, ""),
        (0.5, '0.0 "%"'),
    )

    assert ([45.0, 7.5, 100.0, 60.0, 0.5], []) == done(tmp_path, store)


def test_a_number_that_may_be_a_share_is_refused(tmp_path: Path, store: Any) -> None:
    """Where neither its format nor another number of the column says it, the row is named."""
    (tmp_path / "in").mkdir()
    percents(tmp_path / "in" / "a.xlsx", (0.45, "0.00"), (1, ""))
    rows, missing = done(tmp_path, store)

    assert [] == rows
    assert "a.xlsx, sheet Plan, row 3, Done: '0.45' could be a share or a percent" in missing[0]
    assert 'say unit = "share" or "percent" in the mapping' in missing[0]


def test_money_in_another_currency_is_named_though_only_its_format_says_it(
    tmp_path: Path, store: Any
) -> None:
    """12 shown as $12 is no amount in euros, and hours shown in euros are no hours."""
    (tmp_path / "in").mkdir()
    with xlsxwriter.Workbook(str(tmp_path / "in" / "a.xlsx")) as out:
        sheet = out.add_worksheet()
        sheet.write_row(0, 0, ["P", "Montant"])
        for number, shown in enumerate(
            ("[$$-409]#,##0.00", '#,##0.00 "€"', "#,##0.00 [$€-40C]", "#,##0.00"), start=1
        ):
            sheet.write(number, 0, f"P{number}")
            sheet.write(number, 1, 12, out.add_format({"num_format": shown}))
    text = (
        'record = "budget_line"\nkey = ["P"]\n[fields]\nproject_code = "P"\nmonth = { value = "2026-01" }\n'
        'kind = { value = "forecast" }\ncategory = { value = "x" }\namount_minor = "Montant"\n'
    )
    (tmp_path / "m.toml").write_text(text, encoding="utf-8")
    report = sync_once(store, TabularSource(name="s", path="in", mapping="m.toml"), base=tmp_path)

    assert [
        (
            "a.xlsx, sheet Sheet1, row 2, Montant: '12' is in $, and the amount is in EUR: "
            "say the currency of the row, or correct the cell"
        )
    ] == report.rejections
    assert [1200] * 3 == [row["amount_minor"] for row in store.rows("SELECT amount_minor FROM budget_line")]


ODS = """<office:document-content xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
 xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
 xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" office:version="1.3">
<office:body><office:spreadsheet><table:table table:name="Plan">
<table:table-row table:number-rows-repeated="1"><table:table-cell/></table:table-row>
<table:table-row><table:table-cell office:value-type="string"><text:p>No</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>Done</text:p></table:table-cell>
<table:table-cell office:value-type="string"><text:p>Effort</text:p></table:table-cell></table:table-row>
<table:table-row table:number-rows-repeated="2">
<table:table-cell office:value-type="string"><text:p>T</text:p></table:table-cell>
<table:table-cell office:value-type="percentage" office:value="0.45"><text:p>45 %</text:p></table:table-cell>
<table:table-cell office:value-type="float" office:value="1"><text:p>1</text:p></table:table-cell>
</table:table-row></table:table></office:spreadsheet></office:body></office:document-content>"""


def test_a_percent_of_an_ods(tmp_path: Path) -> None:
    """OpenDocument says of each cell that it is a percentage."""
    import zipfile

    with zipfile.ZipFile(tmp_path / "a.ods", "w") as book:
        book.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        book.writestr("content.xml", ODS.replace("\n", ""))
        book.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    rows = list(sheets.grid(tmp_path / "a.ods", sheet="Plan"))

    assert [(0.45, True)] * 2 == [(row[1], getattr(row[1], "percent", False)) for row in rows[-2:]]


def test_more_than_a_day_on_one_day_is_a_named_row(tmp_path: Path, store: Any) -> None:
    """25 hours on a line with a day are a slip; 35 of a week's line are declared as such."""
    lines = (
        "Who;Code;Day;H\nM1;P;2026-01-05;25\nM2;P;2026-01-05;24\nM3;P;2026-01-05;-35h\nM4;P;2026-01-05;1w\n"
    )
    source = structs.replace(write(tmp_path, 'key = ["Who", "Day"]\n' + HOURS, a=lines), max_rejected=1.0)
    report = sync_once(store, source, base=tmp_path)
    write(tmp_path, 'key = ["Who", "Day"]\nperiod = "week"\n' + HOURS)
    week = sync_once(store, source, base=tmp_path)

    assert [
        f"a.csv, row {row}, H: {cell!r} is more than 24 hours on one day"
        for row, cell in ((4, "-35h"), (5, "1w"), (2, "25"))
    ] == report.rejections  # the weightiest first
    assert ("ok", [25, 24, -35, 35]) == (
        week.verdict,
        [row["h"] for row in store.rows("SELECT seconds / 3600 AS h FROM worklog ORDER BY account_id")],
    )


def test_the_whole_column_settles_what_one_cell_leaves_open(tmp_path: Path, store: Any) -> None:
    """The last row of the file says how the first is meant, for numbers and for days.

    The columns stand alone.
    """
    lines = "Who;Code;Day;H\nM1;P;03/04/2026;1,125\nM2;P;13/05/2026;7,5\n"
    source = write(tmp_path, HOURS, a=lines)
    report = sync_once(store, source, base=tmp_path)

    assert ("ok", [("2026-04-03", 4050), ("2026-05-13", 27000)]) == (
        report.verdict,
        [(row["day"], row["seconds"]) for row in store.rows("SELECT day, seconds FROM worklog ORDER BY day")],
    )


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ('title = { column = "T", unit = "hours" }', "title has no unit 'hours'; it can have none"),
        (
            'percent = { column = "T", unit = "hours" }',
            "percent has no unit 'hours'; it can have percent, share",
        ),
        (
            'estimate_s = { column = "T", unit = "share" }',
            "estimate_s has no unit 'share'; it can have clock, days, hours, minutes, seconds",
        ),
    ],
)
def test_a_unit_that_a_field_cannot_have(field: str, words: str) -> None:
    """A unit says something only of efforts and of parts."""
    title = "" if field.startswith("title") else 'title = "X"\n'
    with pytest.raises(ConfigError) as caught:
        mapper(f'record = "task"\n[fields]\n{title}container_id = "C"\n{field}\n')

    assert words in str(caught.value)


def test_a_row_in_the_hubs_currency(tmp_path: Path, store: Any) -> None:
    """Where neither the mapping nor the row says one, amounts are in that of the configuration."""
    text = (
        'record = "budget_line"\nkey = ["P"]\n[fields]\nproject_code = "P"\n'
        'month = { value = "2026-01" }\nkind = { value = "forecast" }\n'
        'category = { value = "x" }\namount_minor = "M"\ncurrency = "D"\n'
    )
    source = write(tmp_path, text, a="P;M;D\nA;CHF 12;\nB;12 €;EUR\nC;12 €;\n")
    report = sync_once(store, source, base=tmp_path, currency="CHF")

    assert [
        (
            "a.csv, row 4, M: '12 €' is in €, and the amount is in CHF: "
            "say the currency of the row, or correct the cell"
        )
    ] == report.rejections
    assert [("A", "CHF"), ("B", "EUR")] == [
        tuple(row.values()) for row in store.rows("SELECT project_code, currency FROM budget_line ORDER BY 1")
    ]


def test_columns_that_fields_csv_names_are_kept(tmp_path: Path, store: Any) -> None:
    """Each as its type, beside the record; an emptied cell is empty, an odd one costs itself and is told."""
    source = write(
        tmp_path,
        'record = "task"\nkey = ["Ref"]\n[fields]\ntitle = "Titre"\ncontainer_id = "Projet"\n',
        tasks="Ref;Titre;Projet;Gravité;Achats;Promis;Externe;Poids\n"
        "1;A;P;Haute;1 234,50 €;31/12/2026;oui;2,5\n2;B;P;;;;non;beaucoup\n",
    )
    chosen = {
        "Gravité": "text", "Achats": "amount", "Promis": "date", "Externe": "flag", "Poids": "number",
        "absente": "text",
    }  # fmt: skip
    report = sync_once(store, source, base=tmp_path, fields={source.name: chosen})
    rows = {
        row["id"].split(":")[1]: (row["text"], row["number"], row["day"])
        for row in store.rows("SELECT id, text, number, day FROM custom_value WHERE presence = 'present'")
    }
    found = {" ".join(key.split("/")[-3::2]): value for key, value in rows.items()}

    assert "ok" == report.verdict, report.missing
    assert {
        "1 Gravité": ("Haute", None, None), "1 Achats": ("1 234,50 €", 1234.5, None),
        "1 Promis": ("31/12/2026", None, "2026-12-31"), "1 Externe": ("yes", None, None),
        "1 Poids": ("2,5", 2.5, None), "2 Gravité": (None, None, None), "2 Achats": (None, None, None),
        "2 Promis": (None, None, None), "2 Externe": ("no", None, None), "2 Poids": ("beaucoup", None, None),
    } == found  # fmt: skip
    assert any("Poids" in note and "'beaucoup'" in note for note in report.notes)


def test_columns_that_no_mapping_names_are_offered(tmp_path: Path) -> None:
    """What a table has besides, at what its rows are; a file that cannot be read offers nothing."""
    source = write(
        tmp_path,
        'record = "task"\nkey = ["Ref"]\n[fields]\ntitle = "Titre"\ncontainer_id = "Projet"\n',
        tasks="Ref;Titre;Projet;Gravité;Achats\n1;A;P;Haute;12\n",
    )
    ctx = Context(base=tmp_path, source_id="s")
    offered = [(one.native, one.level) for one in source.offers(ctx)]
    (tmp_path / "in" / "tasks.csv").write_text("Nothing;Of;It\n1;2;3\n")

    assert [("Gravité", "task"), ("Achats", "task")] == offered
    assert [] == list(source.offers(Context(base=tmp_path, source_id="s")))
