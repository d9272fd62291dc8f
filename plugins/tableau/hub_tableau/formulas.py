"""Write the hub's measures as Tableau's calculated fields, from their twins in SQL.

Each is an aggregate of one fact. What is kept at cuts is blank where a mark holds rows of several: a sum over
cuts says nothing. A KPI with periods is that of the last period, what is cumulated by month that of the one
month of a mark, else of the day of the cut.

Source: help.tableau.com, "Tableau Functions"; a division by zero is blank there too, which is written out.
"""

from __future__ import annotations

import re
from datetime import date, timedelta

from hub import Measure, model

_LATEST = "cut_key IN (SELECT cut_key FROM dim_cut WHERE is_latest = 1)"
_UP_TO_CUT = re.compile(r"(\w+) <= \(SELECT max\(as_of\) FROM dim_cut WHERE is_latest = 1\)")
_UP_TO_DAY = re.compile(r"(\w+) < \(SELECT max\(as_of\) FROM dim_cut WHERE is_latest = 1\) \+ 1")
_ON_DAY = re.compile(
    r"(\w+) = strftime\(\(SELECT max\(as_of\) FROM dim_cut WHERE is_latest = 1\), '%Y%m%d'\)::BIGINT"
)
_LISTED = r"\(((?:'(?:[^']|'')*'|\d+)(?:, (?:'(?:[^']|'')*'|\d+))*)\)"
_AMONG = re.compile(rf"(\w+) IN {_LISTED}")
_AMONG_OF = re.compile(rf"(?:\w+) IN \(SELECT \w+ FROM (\w+) WHERE (\w+) IN {_LISTED}\)")
_HAS_DAY = re.compile(r"(\w+) IN \(SELECT date FROM dim_date\)")
_EQUAL = re.compile(r"(\w+) = ('(?:[^']|'')*'|\d+)")
_STARTS = re.compile(r"left\((\w+), \d+\) = ('(?:[^']|'')*')")
_OVER = re.compile(r"(.+) / nullif\((.+), 0\)")
_AGGREGATE = re.compile(r"count\(\*\) FILTER \((?P<only>[^()]+)\)|(?P<rows>count\(\*\))"
                        r"|(?P<how>sum|max|min)\((?P<column>\w+)\)")  # fmt: skip


def field(table: str, column: str) -> str:
    """Return the name of a column in a data source: the same in every language."""
    return f"[{table}.{column}]"


def formula(one: Measure, as_of: date) -> str | None:
    """Return the calculated field of a measure; None where it is of no one fact or of another cut.

    *as_of* is the day of the latest cut, up to which hours count.
    """
    if not one.sql or one.table not in model().tables:
        return None
    tests = one.where.split(" AND ")
    conditions = [_condition(one.table, test, as_of) for test in tests if test not in {"TRUE", _LATEST}]
    if None in conditions:
        return None
    where = " AND ".join(text for text in conditions if text)
    if over := _OVER.fullmatch(one.sql):
        above, under = (_aggregated(one.table, part, where, as_of) for part in over.groups())
        said = f"IF {under} <> 0 THEN ({above}) / ({under}) END"
    else:
        said = _aggregated(one.table, one.sql, where, as_of)
    if day := next((found[1] for test in tests if (found := _ON_DAY.fullmatch(test))), None):
        # cumulated: of the one month that a mark is of, else of the cut's own
        on, of_month = field(one.table, day), _aggregated(one.table, one.sql, "", as_of)
        said = f"IF MIN({on}) = MAX({on}) THEN {of_month} ELSE {said} END"
    if _LATEST not in tests:
        return said
    cut = field(one.table, "cut_key")
    return f"IF MIN({cut}) = MAX({cut}) THEN {said} END"


def _condition(table: str, test: str, as_of: date) -> str | None:
    if found := _UP_TO_CUT.fullmatch(test):
        return f"{field(table, found[1])} <= #{as_of.isoformat()}#"
    if found := _UP_TO_DAY.fullmatch(test):
        return f"{field(table, found[1])} < #{(as_of + timedelta(days=1)).isoformat()}#"
    if found := _ON_DAY.fullmatch(test):
        return f"{field(table, found[1])} = {as_of:%Y%m%d}"
    if found := _STARTS.fullmatch(test):
        return f"STARTSWITH({field(table, found[1])}, {_literal(found[2])})"
    if found := _EQUAL.fullmatch(test):
        return f"{field(table, found[1])} = {_literal(found[2])}"
    if found := _AMONG.fullmatch(test):
        return _among(field(table, found[1]), found[2])
    if found := _AMONG_OF.fullmatch(test):
        return _among(field(found[1], found[2]), found[3])
    if found := _HAS_DAY.fullmatch(test):
        return f"NOT ISNULL({field(table, found[1])})"
    return None


def _among(name: str, values: str) -> str:
    said = [f"{name} = {_literal(one)}" for one in re.findall(r"'(?:[^']|'')*'|\d+", values)]
    return said[0] if len(said) == 1 else f"({' OR '.join(said)})"


def _literal(text: str) -> str:
    """Return a literal of SQL as Tableau writes it: between double quotes unless it is a number."""
    return text if text.isdigit() else '"' + text[1:-1].replace("''", "'").replace('"', '""') + '"'


def _aggregated(table: str, sql: str, where: str, as_of: date) -> str:
    key = field(table, model().tables[table].key[0])

    def put(found: re.Match[str]) -> str:
        # a row is counted by a key of the fact: what names no column belongs to no table
        if found["only"]:
            only = _condition(table, found["only"], as_of)
            return f"COUNT(IF {' AND '.join(filter(None, (where, only)))} THEN {key} END)"
        name, how = (key, "COUNT") if found["rows"] else (field(table, found["column"]), found["how"].upper())
        return f"{how}(IF {where} THEN {name} END)" if where else f"{how}({name})"

    # texts stand apart, so that nothing in them is taken for an aggregate
    parts = re.split(r"('(?:[^']|'')*')", _AGGREGATE.sub(put, sql))
    return "".join(
        _literal(part) if index % 2 else part.replace("CASE WHEN", "IF").replace(" WHEN ", " ELSEIF ")
        for index, part in enumerate(parts)
    )
