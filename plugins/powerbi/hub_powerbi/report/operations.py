"""The pages of daily work: load, risks and decisions, flow, run and SLA, quality and freshness."""

from __future__ import annotations

from hub_powerbi.made import BAND
from hub_powerbi.report.definitions import tip
from hub_powerbi.report.fields import (
    CODE,
    CUT_DAY,
    DUE,
    EVERY_CUT,
    MONTH,
    TEAM,
    WEEK,
    card,
    cards,
    chart,
    slicers,
    table,
)
from hub_powerbi.report.shapes import Page, Visual, row

_KEY, _TASK = ("dim_task", "key"), ("dim_task", "title")
_TITLE = ("fact_register", "title")


def operations() -> tuple[Page, ...]:
    """Return the pages."""
    return (_load(), _risks(), _flow(), _run(), _quality())


def _load() -> Page:
    heat = Visual(
        key="heat", kind="pivotTable", fr="Charge par équipe et semaine (rouge : plus que la capacité)",
        en="Load by team and week (red: more than the capacity)", tip=tip("load"),
        roles={"Rows": (TEAM,), "Columns": (WEEK,), "Values": ("load_at_hand",)},
        shades=("load_colour", "load_ink"),
    )  # fmt: skip
    weeks = Visual(
        key="weeks", kind="lineClusteredColumnComboChart", fr="Heures affectées et disponibles, par semaine",
        en="Hours allocated and available, by week", sort=("dim_date", "week_start"), tip=tip("load"),
        roles={"Category": (("dim_date", "week_start"),), "Y": ("LOAD_TEAM allocated_h",),
               "Y2": ("LOAD_TEAM available_h",)},
    )  # fmt: skip
    return Page(
        # load is of teams, and of no project
        code="load", fr="Charge", en="Load", slicers=slicers("team", "year", "cut"),
        rows=(
            cards(
                card("load", "Taux de charge", "Load", "LOAD_TEAM load", "load"),
                card("people", "Personnes au plan", "People in the plan", "LOAD_TEAM people", "load"),
                card("over", "En surcharge", "Overallocated", "OVERALLOCATION overloaded", "load"),
                card("complete", "Temps saisis", "Timesheets complete",
                     "TIMESHEET_COMPLETENESS completeness"),
                card("tace", "TACE", "Billable utilisation", "TACE tace"),
            ),
            row(heat),
            row(weeks),
        ),
    )  # fmt: skip


def _risks() -> Page:
    matrix = Visual(
        key="matrix", kind="pivotTable", fr="Risques ouverts : probabilité × impact",
        en="Open risks: probability × impact", tip=tip("risk"),
        roles={"Rows": (("fact_register", BAND),), "Columns": (("fact_register", "impact"),),
               "Values": ("risks_listed",)},
        sort=("fact_register", BAND), descending=True, shades=("risk_colour", "risk_ink"),
    )  # fmt: skip
    top = table(
        "top", "Risques ouverts", "Open risks",
        (CODE, _TITLE, ("fact_register", "probability"), ("fact_register", "impact"), DUE, "exposure",
         "risks_listed"),
        sort="exposure", descending=True, view="committee", tip=tip("risk"),
        filters=((("fact_register", "kind"), ("risk",)), (("fact_register", "state"), ("open",))),
    )  # fmt: skip
    everything = table(
        "register", "Tout le registre", "The whole register",
        (CODE, ("fact_register", "kind_words"), _TITLE, ("fact_register", "state_words"),
         ("fact_register", "owner_label"), ("fact_register", "opened_date"), DUE, "exposure",
         "register_items"),
        sort=DUE, view="detail",
    )  # fmt: skip
    return Page(
        code="risks", fr="Risques et décisions", en="Risks and decisions", slicers=slicers(),
        rows=(
            cards(
                card("risks_n", "Risques ouverts", "Open risks", "RISK open_risks", "risk"),
                card("exposure", "Exposition attendue", "Expected exposure", "RISK expected_exposure",
                     "risk"),
                card("late", "Actions en retard", "Overdue actions", "RISK overdue_actions", "risk"),
                card("actions", "Actions ouvertes", "Open actions", "actions_open", "risk"),
                card("decisions_n", "Décisions ouvertes", "Open decisions", "decisions_open", "risk"),
            ),
            row(
                matrix,
                table("decisions", "Décisions demandées", "Decisions asked",
                      (CODE, _TITLE, ("fact_register", "asked_of"), DUE, "decisions_open"), sort=DUE,
                      filters=((("fact_register", "kind"), ("decision",)),)),
                weights=(5, 7),
            ),
            row((top, everything)),
        ),
    )  # fmt: skip


def _flow() -> Page:
    return Page(
        code="flow", fr="Flux", en="Flow", slicers=slicers(),
        rows=(
            cards(
                card("open", "Tâches non terminées", "Tasks not done", "tasks_open"),
                card("running", "Tâches commencées", "Tasks in progress", "tasks_running"),
                card("age", "Âge de l'en-cours (jours)", "Age of work (days)", "wip_age"),
                card("measured", "Tâches mesurées", "Tasks measured", "LEAD_P85 n", "lead"),
            ),
            row(
                chart("clusteredColumnChart", "throughput", "Débit : tâches résolues, mois par mois",
                      "Throughput: tasks resolved by month", (MONTH,), ("tasks_done",), sort=MONTH),
                chart("lineChart", "leads", "Délai P85, d'arrêté en arrêté (jours)",
                      "P85 lead time, cut after cut (days)", (CUT_DAY,), ("LEAD_P85 p85",), series=CODE,
                      sort=CUT_DAY, tip=tip("lead"), **EVERY_CUT),
            ),
            row(
                chart("clusteredBarChart", "lead", "Délai médian et P85 (jours)",
                      "Median and P85 lead time (days)", (CODE,), ("LEAD_P85 median", "LEAD_P85 p85"),
                      sort="LEAD_P85 p85", descending=True, tip=tip("lead")),
                chart("clusteredBarChart", "ages", "Âge moyen de l'en-cours (jours)",
                      "Average age of work in progress (days)", (CODE,), ("wip_age",), sort="wip_age",
                      descending=True),
                table("oldest", "En-cours, le plus vieux d'abord", "Work in progress, oldest first",
                      (CODE, _KEY, _TASK, "wip_age"), sort="wip_age", descending=True),
            ),
        ),
    )  # fmt: skip


def _run() -> Page:
    return Page(
        code="run", fr="RUN et SLA", en="Run and SLA", slicers=slicers(),
        rows=(
            cards(
                card("kept", "Respect des SLA", "SLA compliance", "SLA compliance", "sla"),
                card("met", "SLA respectés", "SLAs met", "SLA met", "sla"),
                card("measured", "SLA mesurés", "SLAs measured", "SLA measured", "sla"),
                card("breaches", "Engagements dépassés", "Service levels breached", "sla_breaches", "sla"),
                card("defects", "Part des anomalies", "Share of anomalies", "DEFECT_VS_CHANGE anomaly_share"),
            ),
            row(
                chart("lineChart", "months", "Respect des SLA, mois par mois", "SLA compliance by month",
                      (MONTH,), ("SLA compliance",), sort=MONTH, tip=tip("sla")),
                chart("clusteredBarChart", "by_project", "Respect des SLA par projet",
                      "SLA compliance by project", (CODE,), ("SLA compliance",), sort="SLA compliance",
                      tip=tip("sla")),
            ),
            row(
                chart("clusteredBarChart", "requests", "Anomalies et évolutions créées",
                      "Anomalies and change requests raised", (CODE,),
                      ("DEFECT_VS_CHANGE anomalies", "DEFECT_VS_CHANGE evolutions"),
                      sort="DEFECT_VS_CHANGE anomalies", descending=True),
                table("breached", "Engagements dépassés", "Service levels breached",
                      (CODE, _KEY, _TASK, ("fact_sla", "sla_name"), ("fact_sla", "start_at"), "sla_breaches"),
                      sort=("fact_sla", "start_at"), descending=True),
            ),
        ),
    )  # fmt: skip


def _quality() -> Page:
    return Page(
        # sources serve many projects: a choice of one would only empty what is said of them
        code="quality", fr="Qualité et fraîcheur", en="Quality and freshness", slicers=slicers("cut"),
        rows=(
            cards(
                card("share", "Part en défaut", "Share that failed", "failed_share", "quality"),
                card("checked", "Lignes contrôlées", "Rows checked", "checked", "quality"),
                card("failed", "Lignes en défaut", "Rows that failed", "failed", "quality"),
                card("rejected", "Lignes rejetées", "Rows rejected", "rejections"),
            ),
            row(
                chart("clusteredBarChart", "checks", "Lignes en défaut, contrôle par contrôle",
                      "Rows that failed, check by check", (("fact_quality", "check_code"),), ("failed",),
                      sort="failed", descending=True, tip=tip("quality")),
                chart("clusteredBarChart", "scores", "Score de qualité par projet",
                      "Quality score by project", (CODE,), ("DQ_SCORE score",), sort="DQ_SCORE score",
                      tip=tip("quality")),
            ),
            row(
                table("sources", "Sources : à jour, qualité, dernier succès",
                      "Sources: up to date, quality, last success",
                      (TEAM, "FRESHNESS fresh", "DQ_SOURCE score", "last_success"), sort=TEAM,
                      filters=((("fact_kpi", "scope_kind"), ("source",)),)),
                table("trust", "Confiance dans les chiffres, par projet",
                      "Confidence in the figures, by project",
                      (CODE, "confidence_name", ("fact_weather", "confidence_*")), sort=CODE),
            ),
        ),
    )  # fmt: skip
