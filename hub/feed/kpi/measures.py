"""What BI tools show: aggregates of the feed and every KPI of the catalogue, each in DAX and in SQL.

The aggregates are sums, counts and ratios. DAX names tables and columns as the feed does,
``fact_worklog[seconds]``, and other measures by their code, ``[hours_logged]``; who writes an artefact puts
its captions in their place.
"""

from __future__ import annotations

import msgspec

from hub.feed.kpi.catalogue import Kpi, catalogue
from hub.feed.kpi.catalogue import Measure as Part
from hub.feed.model import MeasureDef, model

FOLDERS = {
    "effort": ("Effort", "Effort"), "money": ("Budget", "Money"), "flow": ("Flux", "Flow"),
    "capacity": ("Charge et capacité", "Load and capacity"),
    "risk": ("Risques", "Risks"), "quality": ("Qualité", "Quality"),
}  # fmt: skip
FORMATS = {
    "days": "#,##0.0",
    "amount": "#,##0",
    "hours": "#,##0.0",
    "ratio": "0.00",
    "count": "#,##0",
    "points": "#,##0",
    "score": "0.0",
    "flag": "0",
    "duration": "#,##0.0",
}
HEALTH = "health"
_WORST = ("red", "amber", "green")


class Measure(msgspec.Struct, frozen=True, kw_only=True):
    """One measure: its *code*, captions, number format, *dax*, and the twin in SQL.

    The twin is an aggregate *sql* over *table* where *where*; grouped by ``project_key`` it is the measure of
    each project. *text* says that its value is a text.
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


def measures() -> dict[str, Measure]:
    """Return the measures of the model, then those of the catalogue's KPIs, by code."""
    found: dict[str, Measure] = {}
    for code, facts in model().measures.items():
        found[code] = _declared(code, facts, found)
    for kpi in catalogue().values():
        if _shown(kpi):
            found |= {one.code: one for one in (_figure(kpi, part) for part in _parts(kpi))}
    found[HEALTH] = _health()
    return found


def code_of(kpi: str, part: str) -> str:
    """Return the code of the measure *part* of the KPI *kpi*."""
    return f"{kpi} {part}"


def _at_cut(table: str, value: str, *more: str) -> tuple[str, str]:
    """Return DAX and the SQL condition that count at the latest cut unless one other is chosen.

    Where the fact has no cuts, it is a plain sum.
    """
    filters = "".join(f", {one}" for one in more)
    plain = f"CALCULATE({value}{filters})" if more else value
    if "cut_key" not in model().tables[table].columns:
        return plain, "TRUE"
    latest = f"CALCULATE({value}{filters}, dim_cut[is_latest] = 1)"
    return (
        f"IF(HASONEVALUE(dim_cut[cut_key]), {plain}, {latest})",
        "cut_key IN (SELECT cut_key FROM dim_cut WHERE is_latest = 1)",
    )


def _declared(code: str, facts: MeasureDef, known: dict[str, Measure]) -> Measure:
    folder = FOLDERS[facts.folder]
    if facts.ratio:
        over, under = (known[one] for one in facts.ratio)
        dax, where, table = f"DIVIDE([{over.code}], [{under.code}])", over.where, over.table
        sql = f"{over.sql} / nullif({under.sql}, 0)"
    elif facts.count:
        table = facts.count
        dax, where = _at_cut(table, f"COUNTROWS({table})")
        sql = "count(*)"
    else:
        table, _, column = facts.sum.partition(".")
        value = f"SUM({table}[{column}])"
        scale = f" / {facts.divide}" if facts.divide != 1 else ""
        dax, where = _at_cut(table, value)
        dax, sql = dax + scale, f"sum({column}){scale}"
    return Measure(
        code=code, fr=facts.fr, en=facts.en, folder_fr=folder[0], folder_en=folder[1], description="",
        format=facts.format, dax=dax, sql=sql,
        table=table, where=where,
    )  # fmt: skip


def _shown(kpi: Kpi) -> bool:
    """Say whether `fact_kpi` holds the KPI as it is.

    It does not hold those of persons and tasks, nor the burn-up, which is a table of its own.
    """
    return kpi.scope_kept in {"project", "source", "team"} and kpi.code != "BURNUP"


def _parts(kpi: Kpi) -> list[Part]:
    rolled = (
        {part.rsplit(" AS ", 1)[1] for part in kpi.rollup[1].split(", ") if " AS " in part}
        if kpi.rollup
        else None
    )
    return [
        part
        for part in kpi.measures
        if part.unit not in {"text", "moment"} and (rolled is None or part.name in rolled)
    ]


def _figure(kpi: Kpi, part: Part) -> Measure:
    if part.numerator:
        value, sql = (
            "DIVIDE(SUM(fact_kpi[numerator]), SUM(fact_kpi[denominator]))",
            "sum(numerator) / nullif(sum(denominator), 0)",
        )
    elif part.unit in {"days", "amount", "hours", "count", "points"}:
        value, sql = "SUM(fact_kpi[value])", "sum(value)"
    else:
        # an index without its parts, a score: of one project and one period, never of several
        value, sql = (
            "IF(COUNTROWS(fact_kpi) = 1, MAX(fact_kpi[value]))",
            "CASE WHEN count(*) = 1 THEN max(value) END",
        )
    conditions = {"kpi": kpi.code, "scope_kind": kpi.scope_kept} | (
        {} if kpi.split else {"measure": part.name}
    )
    filters = [f'fact_kpi[{name}] = "{text}"' for name, text in conditions.items()]
    tests = [f"{name} = '{text}'" for name, text in conditions.items()]
    if kpi.split:  # one measure a nature or clock, its name after a dot
        start = f"{part.name}."
        filters.append(f'LEFT(fact_kpi[measure], {len(start)}) = "{start}"')
        tests.append(f"left(measure, {len(start)}) = '{start}'")
    dax, where = _at_cut("fact_kpi", value, *filters)
    where = " AND ".join([where, *tests])
    return Measure(
        code=code_of(kpi.code, part.name), fr=f"{kpi.code} {part.name}", en=f"{kpi.code} {part.name}",
        folder_fr=kpi.fr, folder_en=kpi.en,
        description=kpi.definition, format=FORMATS[part.unit], dax=dax, sql=sql, table="fact_kpi",
        where=where,
    )  # fmt: skip


def _health() -> Measure:
    """Return the worst colour that any KPI of a project has."""
    dax = "BLANK()"
    for colour in reversed(_WORST):
        found, _ = _at_cut(
            "fact_kpi",
            "COUNTROWS(fact_kpi)",
            f'fact_kpi[rag] = "{colour}"',
            'fact_kpi[scope_kind] = "project"',
        )
        dax = f'IF({found} > 0, "{colour}", {dax})'
    cases = " ".join(f"WHEN count(*) FILTER (rag = '{colour}') > 0 THEN '{colour}'" for colour in _WORST)
    _, where = _at_cut("fact_kpi", "")
    return Measure(
        code=HEALTH, fr="Météo calculée", en="Computed health", folder_fr="Qualité", folder_en="Quality",
        description="The worst colour among the KPIs that have a target.", format="", dax=dax,
        sql=f"CASE {cases} END", table="fact_kpi",
        where=f"{where} AND scope_kind = 'project'", text=True,
    )  # fmt: skip
