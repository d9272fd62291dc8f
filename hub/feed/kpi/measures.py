"""What BI tools show: aggregates of the feed and every KPI of the catalogue, each in DAX and in SQL.

The aggregates are sums, counts and ratios. DAX names tables and columns as the feed does,
``fact_worklog[seconds]``, and other measures by their code, ``[hours_logged]``; who writes an artefact puts
its captions in their place.

What is kept at cuts is shown as of one cut: the last of those that are chosen, else the latest. A KPI with
periods is shown for the last period at that cut, unless periods are chosen; then ratios are ratios of sums
and a stock, such as a number of people, is that of the last of them.
"""

from __future__ import annotations

import msgspec

from hub.feed.kpi.catalogue import Kpi, catalogue
from hub.feed.kpi.catalogue import Measure as Part
from hub.feed.kpi.pictured import pictured
from hub.feed.kpi.shown import CUT, CUT_DAY, LATEST, SHOWN, Measure, aggregated, at_cut, of_last_day
from hub.feed.model import MeasureDef, model
from hub.words import mark

FOLDERS = {
    "effort": ("Effort", "Effort"), "money": ("Budget", "Money"), "flow": ("Flux", "Flow"),
    "capacity": ("Charge et capacité", "Load and capacity"),
    "risk": ("Risques", "Risks"), "quality": ("Qualité", "Quality"), "cut": ("Arrêté", "Cut"),
    "fields": ("Champs", "Fields"),
}  # fmt: skip
FORMATS = {
    "days": "#,##0.0",
    "amount": "#,##0",
    "hours": "#,##0.0",
    "ratio": "0.00",
    "share": "0%",
    "count": "#,##0",
    "points": "#,##0",
    "score": "0.0",
    "flag": "0",
    "duration": "#,##0.0",
}
HEALTH = "health"
DECLARED = "health_declared"
CONTRADICTED = "health_contradicted"
TREND = "trend"
CONFIDENCE = "confidence"
CUT_SHOWN = "cut_shown"
_WORST = ("red", "amber", "green")
_PLAIN_SUMS = {"days", "amount", "hours", "count", "points"}
_PREVIOUS = (
    "(SELECT b.cut_key FROM dim_cut a JOIN dim_cut b ON b.ordinal = a.previous_ordinal WHERE a.is_latest = 1)"
)
_PERIODS_CHOSEN = (
    "ISFILTERED(dim_date) || ISFILTERED(fact_kpi[period]) || ISFILTERED(fact_kpi[period_start]) "
    "|| ISFILTERED(fact_kpi[grain])"
)


def measures() -> dict[str, Measure]:
    """Return the measures of the model, then those of the catalogue's KPIs, by code.

    Those at a cut come once more: as of the previous cut, and the change since.
    """
    found: dict[str, Measure] = {CUT: _cut_number(), CUT_DAY: _cut_day(), CUT_SHOWN: _cut_shown()}
    for code, facts in model().measures.items():
        found[code] = _declared(code, facts, found)
    for kpi in catalogue().values():
        if _shown(kpi):
            found |= {one.code: one for one in (_figure(kpi, part) for part in _parts(kpi))}
    found |= {one.code: one for one in (*_weather(), *pictured())}
    for one in [one for one in found.values() if one.compared]:
        found |= {twin.code: twin for twin in _compared(one)}
    return found


def code_of(kpi: str, part: str) -> str:
    """Return the code of the measure *part* of the KPI *kpi*."""
    return f"{kpi} {part}"


def previous(code: str) -> str:
    """Return the code of the measure *code* as of the previous cut."""
    return f"{code} previous"


def change(code: str) -> str:
    """Return the code of the change of the measure *code* since the previous cut."""
    return f"{code} change"


def _cut_number() -> Measure:
    dax = (
        "IF(ISFILTERED(dim_cut), MAX(dim_cut[ordinal]), "
        "CALCULATE(MAX(dim_cut[ordinal]), ALL(dim_cut), dim_cut[is_latest] = 1))"
    )
    return Measure(
        code=CUT, fr="Rang de l'arrêté montré", en="Number of the cut shown", folder_fr="Arrêté",
        folder_en="Cut", description="", format="0", dax=dax, sql="max(ordinal)", table="dim_cut",
        where="is_latest = 1", hidden=True,
    )  # fmt: skip


def _cut_day() -> Measure:
    return Measure(
        code=CUT_DAY, fr="Jour de l'arrêté montré", en="Day of the cut shown", folder_fr="Arrêté",
        folder_en="Cut", description="", format="yyyy-mm-dd", sql="max(as_of)", table="dim_cut",
        dax=f"VAR shown_cut = [{CUT}] RETURN CALCULATE(MAX(dim_cut[as_of]), {SHOWN})",
        where="is_latest = 1", hidden=True,
    )  # fmt: skip


def _cut_shown() -> Measure:
    dax = (
        f"VAR shown_cut = [{CUT}] VAR chosen_cuts = IF(ISFILTERED(dim_cut), COUNTROWS(dim_cut), 1) "
        "RETURN CALCULATE(MAX(dim_cut[label]), ALL(dim_cut), dim_cut[ordinal] = shown_cut) & "
        'IF(chosen_cuts > 1, " (1/" & chosen_cuts & ")")'
    )
    return Measure(
        code=CUT_SHOWN, fr="Arrêté montré", en="Cut shown", folder_fr="Arrêté", folder_en="Cut",
        description=mark("The last of the cuts that are chosen, and of how many."), format="", dax=dax,
        sql="max(label)", table="dim_cut", where="is_latest = 1", text=True,
    )  # fmt: skip


def _declared(code: str, facts: MeasureDef, known: dict[str, Measure]) -> Measure:
    folder = FOLDERS[facts.folder]
    if facts.ratio:
        over, under = (known[one] for one in facts.ratio)
        dax, where, table = f"DIVIDE([{over.code}], [{under.code}])", over.where, over.table
        sql = f"{over.sql} / nullif({under.sql}, 0)"
    elif facts.count:
        table = facts.count
        dax, where = aggregated(table, f"COUNTROWS({table})", facts)
        sql = "count(*)"
    elif facts.sum.startswith("dim_task."):  # by all that tasks are told by, as of the cut
        column = facts.sum.removeprefix("dim_task.")
        dax = at_cut(
            "SUMX(FILTER(fact_task_snapshot, RELATED(dim_task[is_deleted]) = 0), "
            f"RELATED(dim_task[{column}]))"
        )
        table = (
            f"(SELECT f.cut_key, f.project_key, k.{column} FROM fact_task_snapshot f "
            "JOIN dim_task k USING (task_key) WHERE k.is_deleted = 0)"
        )
        where, sql = f"cut_key IN {LATEST}", f"sum({column})"
    else:
        table, _, column = facts.sum.partition(".")
        scale = f" / {facts.divide}" if facts.divide != 1 else ""
        if facts.stock:
            dax, where = of_last_day(table, column)
        else:
            dax, where = aggregated(table, f"SUM({table}[{column}]){scale}", facts)
        sql = f"sum({column}){scale}"
    return Measure(
        code=code, fr=facts.fr, en=facts.en, folder_fr=folder[0], folder_en=folder[1], description="",
        format=facts.format, dax=dax, sql=sql, table=table, where=where,
        compared=table in model().tables and "cut_key" in model().tables[table].columns,
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
    elif part.beside:  # of several projects, of those that have what it is compared to
        value, sql = (
            "IF(COUNTROWS(fact_kpi) = 1, MAX(fact_kpi[value]), SUM(fact_kpi[numerator]))",
            "CASE WHEN count(*) = 1 THEN max(value) ELSE sum(numerator) END",
        )
    elif part.unit in _PLAIN_SUMS and not part.alone:
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
    where = " AND ".join([f"cut_key IN {LATEST}", "is_last_period = 1", *tests])
    return Measure(
        code=code_of(kpi.code, part.name), fr=part.fr, en=part.en, folder_fr=kpi.fr, folder_en=kpi.en,
        description=kpi.definition, format=FORMATS[part.unit], dax=_in_period(kpi, part, value, filters),
        sql=sql, table="fact_kpi", where=where, compared=part.name == kpi.headline,
    )  # fmt: skip


def _in_period(kpi: Kpi, part: Part, value: str, filters: list[str]) -> str:
    """Return the DAX of a KPI at the cut that is shown, of the last period or of those that are chosen."""
    if not kpi.period:  # what has no period is so whatever days are chosen
        return at_cut(value, *filters, "REMOVEFILTERS(dim_date)")
    listed = ", ".join([*filters, "ALL(dim_cut)", "dim_cut[ordinal] = shown_cut"])
    last = f"CALCULATE({value}, {listed}, fact_kpi[is_last_period] = 1)"
    of_chosen, more = f"CALCULATE({value}, {listed})", ""
    if part.stock:
        more = f"VAR latest_start = CALCULATE(MAX(fact_kpi[period_start]), {listed}) "
        of_chosen = f"CALCULATE({value}, {listed}, fact_kpi[period_start] = latest_start)"
    return f"VAR shown_cut = [{CUT}] {more}RETURN IF({_PERIODS_CHOSEN}, {of_chosen}, {last})"


def _weather() -> list[Measure]:
    """Return the worst colours, trend and confidence, and how often a green was declared on a red."""
    found = []
    for code, column, values, fr, en, said in (
        (HEALTH, "computed", _WORST, "Météo calculée", "Computed health",
         mark("The worst colour among the figures whose targets count in it, of the last period.")),
        (DECLARED, "declared", _WORST, "Météo déclarée", "Declared health", mark("What the committee said.")),
        (TREND, "trend", ("worse", "better", "same"), "Tendance depuis le comité",
         "Trend since the committee",
         mark("Worse where one of the projects is worse than at the committee before, else better where one "
              "is.")),
        (CONFIDENCE, "confidence", ("low", "medium", "high"), "Confiance dans les chiffres",
         "Confidence in the figures",
         mark("The lowest among the projects: how fresh, how complete and of what quality their figures "
              "are.")),
    ):  # fmt: skip
        dax = "BLANK()"
        for value in reversed(values):
            test = f'CALCULATE(COUNTROWS(fact_weather), fact_weather[{column}] = "{value}", {SHOWN})'
            dax = f'IF({test} > 0, "{value}", {dax})'
        cases = " ".join(
            f"WHEN count(*) FILTER ({column} = '{value}') > 0 THEN '{value}'" for value in values
        )
        found.append(Measure(
            code=code, fr=fr, en=en, folder_fr="Qualité", folder_en="Quality", description=said, format="",
            dax=f"VAR shown_cut = [{CUT}] RETURN {dax}", sql=f"CASE {cases} END", table="fact_weather",
            where=f"cut_key IN {LATEST}", text=True,
        ))  # fmt: skip
    dax, where = aggregated("fact_weather", "SUM(fact_weather[is_contradicted])")
    found.append(Measure(
        code=CONTRADICTED, fr="Projets déclarés verts et calculés rouges",
        en="Projects declared green and computed red", folder_fr="Qualité", folder_en="Quality",
        description=mark("What the figures say against what was declared."), format="#,##0", dax=dax,
        sql="sum(is_contradicted)", table="fact_weather", where=where, compared=True,
    ))  # fmt: skip
    return found


def _compared(one: Measure) -> tuple[Measure, Measure]:
    """Return *one* as of the previous cut, and the change since."""
    before = msgspec.structs.replace(
        one, code=previous(one.code), fr=f"{one.fr}, arrêté précédent", en=f"{one.en}, previous cut",
        compared=False,
        dax=(
            f"VAR shown_cut = [{CUT}] VAR earlier_cut = CALCULATE(MAX(dim_cut[previous_ordinal]), {SHOWN}) "
            f"RETURN IF(NOT ISBLANK(earlier_cut), CALCULATE([{one.code}], "
            "ALL(dim_cut), dim_cut[ordinal] = earlier_cut))"
        ),
        where=one.where.replace(LATEST, _PREVIOUS),
    )  # fmt: skip
    after = msgspec.structs.replace(
        one, code=change(one.code), fr=f"{one.fr}, évolution", en=f"{one.en}, change", compared=False,
        format=one.format and f"+{one.format};-{one.format};{one.format}",
        dax=(
            f"VAR before_value = [{before.code}] "
            f"RETURN IF(NOT ISBLANK(before_value) && NOT ISBLANK([{one.code}]), "
            f"[{one.code}] - before_value)"
        ),
        sql="", table="", where="",
    )  # fmt: skip
    return before, after
