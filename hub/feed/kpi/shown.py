"""One measure, and how it shows facts as of the cut that is chosen, in DAX and in SQL."""

from __future__ import annotations

import msgspec

from hub.feed.model import MeasureDef, model

CUT = "cut_number"
LATEST = "(SELECT cut_key FROM dim_cut WHERE is_latest = 1)"
LATEST_DAY = "(SELECT max(as_of) FROM dim_cut WHERE is_latest = 1)"
SHOWN = "ALL(dim_cut), dim_cut[ordinal] = shown_cut"
CUT_DAY = "cut_day"
TO_DAY = f"VAR shown_cut = [{CUT}] VAR shown_day = [{CUT_DAY}] RETURN "
"""What begins a measure that needs the day of the cut that is shown."""
_KNOWN_ON = {"fact_worklog": "work_date", "fact_sla": "start_at", "fact_rejection": "first_seen_date"}
"""Facts without cuts, and the day since when a row of them is known."""


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure: its *code*, captions, number format, *dax*, and the twin in SQL.

    The twin is an aggregate *sql* over *table* where *where*, at the latest cut and the last period; grouped
    by ``project_key`` it is the measure of each project; a change, the difference of two, has none. *text*
    says that its value is a text; *compared* that it comes as of the previous cut too, and with the change
    since; *hidden* that only other measures use it.
    """

    code: str
    fr: str
    en: str
    folder_fr: str
    folder_en: str
    description: str
    format: str
    dax: str
    sql: str
    table: str
    where: str
    text: bool = False
    hidden: bool = False
    compared: bool = False


def at_cut(value: str, *filters: str) -> str:
    """Return the DAX of *value* at the cut that is shown."""
    listed = "".join(f", {one}" for one in filters)
    return f"VAR shown_cut = [{CUT}] RETURN CALCULATE({value}{listed}, {SHOWN})"


def aggregated(table: str, value: str, facts: MeasureDef | None = None) -> tuple[str, str]:
    """Return DAX and the condition in SQL of an aggregate of *table*, narrowed as *facts* say.

    Facts of cuts count at the cut that is shown, others up to its day where they have one.
    """
    filters, tests = _narrowed(table, facts) if facts else ([], [])
    if "cut_key" in model().tables[table].columns:
        return at_cut(value, *filters), " AND ".join([f"cut_key IN {LATEST}", *tests])
    if day := _KNOWN_ON.get(table):
        known, test = f"{table}[{day}] < shown_day + 1", f"{day} < {LATEST_DAY} + 1"
        if facts and facts.count:
            value = f"COUNTROWS(FILTER({table}, {known}))"
        else:
            filters = [f"KEEPFILTERS({known})", *filters]
        return f"{TO_DAY}CALCULATE({', '.join([value, *filters])})", " AND ".join([test, *tests])
    return value, "TRUE"


def of_last_day(table: str, column: str) -> tuple[str, str]:
    """Return DAX and the condition in SQL of a cumulated *column* of *table*, which is kept at cuts.

    It is that of the last day that is chosen and known of, else that of the day of the cut.
    """
    day = "YEAR(shown_day) * 10000 + MONTH(shown_day) * 100 + DAY(shown_day)"
    last = f"CALCULATE(MAX({table}[date_key]), NOT ISBLANK({table}[{column}]), {SHOWN})"
    dax = (
        f"VAR shown_cut = [{CUT}] VAR shown_day = [{CUT_DAY}] "
        f"VAR last_day = IF(ISFILTERED(dim_date), {last}, {day}) "
        f"RETURN CALCULATE(SUM({table}[{column}]), KEEPFILTERS({table}[date_key] = last_day), {SHOWN})"
    )
    of_cut = f"strftime({LATEST_DAY}, '%Y%m%d')::BIGINT"
    return dax, f"cut_key IN {LATEST} AND date_key = {of_cut}"


def _narrowed(table: str, facts: MeasureDef) -> tuple[list[str], list[str]]:
    """Return what *facts* keep of *table*, as filters in DAX and as conditions in SQL."""
    filters, tests = [], []
    for place, wanted in facts.where.items():
        dimension, _, column = place.rpartition(".")
        values = wanted if isinstance(wanted, list) else [wanted]
        dax = ", ".join(f'"{one}"' if isinstance(one, str) else str(one) for one in values)
        sql = ", ".join(f"'{one}'" if isinstance(one, str) else str(one) for one in values)
        filters.append(f"KEEPFILTERS({dimension or table}[{column}] IN {{{dax}}})")
        test = f"{column} IN ({sql})"
        if dimension:
            (key,) = model().tables[dimension].key
            test = f"{key} IN (SELECT {key} FROM {dimension} WHERE {test})"
        tests.append(test)
    if facts.on:
        filters.append(f"TREATAS(VALUES(dim_date[date]), {table}[{facts.on}])")
        tests.append(f"{facts.on} IN (SELECT date FROM dim_date)")
    return filters, tests
