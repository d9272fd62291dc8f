"""The pages of the committee in the order it goes through them, and the page of one project."""

from __future__ import annotations

from hub_powerbi.report.definitions import tip
from hub_powerbi.report.fields import (
    CODE,
    CUT_DAY,
    DUE,
    EVERY_CUT,
    MONTH,
    NAME,
    PROGRAM,
    PROJECT,
    REASON,
    card,
    cards,
    chart,
    slicers,
    table,
)
from hub_powerbi.report.operations import operations
from hub_powerbi.report.shapes import Page, Visual, row

__all__ = ["PROJECT", "committee_pages"]
_MOVE = ("fact_move", "topic_words"), CODE, ("fact_move", "item_words"), ("fact_move", "measure_words")
_VALUES = ("fact_move", "before_value"), ("fact_move", "after_value"), ("fact_move", "delta")
_DATES = ("fact_move", "before_date"), ("fact_move", "after_date")
_TITLE, _STATE = ("fact_register", "title"), ("fact_register", "state_words")


def committee_pages() -> tuple[Page, ...]:
    """Return the pages, the first of which a director reads."""
    return (_summary(), _portfolio(), _moves(), _milestones(), _effort(), *operations(), _project())


def _decisions() -> Visual:
    return table(
        "decisions", "Décisions demandées", "Decisions asked",
        (CODE, _TITLE, ("fact_register", "asked_of"), DUE, "decisions_open"), sort=DUE,
        filters=((("fact_register", "kind"), ("decision",)),),
    )  # fmt: skip


def _summary() -> Page:
    return Page(
        code="summary", fr="Synthèse", en="Summary", slicers=slicers(),
        rows=(
            cards(
                card("red", "■ Projets rouges", "■ Red projects", "projects_red", "weather"),
                card("amber", "▲ Projets orange", "▲ Amber projects", "projects_amber", "weather"),
                card("green", "● Projets verts", "● Green projects", "projects_green", "weather"),
                card("against", "Verts démentis", "Greens denied", "health_contradicted", "weather"),
                card("decisions_n", "Décisions ouvertes", "Open decisions", "decisions_open", "risk"),
                card("variance", "Écart d'atterrissage", "Landing variance", "LANDING variance", "landing"),
            ),
            row(
                table("weather", "Météo et tendance, et pourquoi", "Weather and trend, and why",
                      (CODE, PROJECT, "weather_name", "declared_name", "trend_name", REASON), sort=CODE,
                      tip=tip("weather")),
                _decisions(), weights=(7, 5),
            ),
            row(
                table("news", "Ce qui a bougé depuis le comité", "What moved since the committee",
                      (*_MOVE, ("fact_move", "delta"), "moves_news"), sort=("fact_move", "topic_words")),
                table("money", "Budget et atterrissage par programme", "Budget and landing by program",
                      (PROGRAM, "LANDING budget", "LANDING landing", "LANDING variance"), sort=PROGRAM,
                      tip=tip("landing")),
                weights=(7, 5),
            ),
        ),
    )  # fmt: skip


def _portfolio() -> Page:
    committee = table(
        "projects", "Projets", "Projects",
        (CODE, PROJECT, PROGRAM, "weather_name", "trend_name", "RAF avancement", "MILESTONE_SLIP slip_days",
         "LANDING variance", "confidence_name"),
        sort=CODE, view="committee", tip=tip("weather"),
    )  # fmt: skip
    detail = table(
        "figures", "Projets et tous leurs chiffres", "Projects and all their figures",
        (CODE, "weather_name", "declared_name", "trend_name", "EVM_DAYS cpi", "EVM_DAYS spi", "RAF budget",
         "RAF consomme", "RAF raf", "RAF a_terminaison", "RAF derive", "LANDING budget", "LANDING landing",
         "LANDING variance", "RISK open_risks"),
        sort=CODE, view="detail", tip=tip("evm"),
    )  # fmt: skip
    return Page(
        code="portfolio", fr="Portefeuille", en="Portfolio", slicers=slicers(),
        rows=(
            cards(
                card("spent", "Consommé (JH)", "Spent (days)", "RAF consomme", "effort"),
                card("todo", "Reste à faire (JH)", "To do (days)", "RAF raf", "effort"),
                card("cpi", "CPI (JH)", "CPI (days)", "EVM_DAYS cpi", "evm"),
                card("spi", "SPI (JH)", "SPI (days)", "EVM_DAYS spi", "evm"),
                card("on_time", "Jalons tenus", "Milestones on time", "MILESTONE_ON_TIME ratio", "slip"),
                card("variance", "Écart d'atterrissage", "Landing variance", "LANDING variance", "landing"),
            ),
            row((committee, detail)),
            row(
                table("word", "Mot du chef de projet, et confiance", "Manager's word, and confidence",
                      (CODE, ("fact_weather", "commentary"), "confidence_name",
                       ("fact_weather", "confidence_*")), sort=CODE),
                height=180,
            ),
        ),
    )  # fmt: skip


def _moves() -> Page:
    return Page(
        code="moves", fr="Ce qui a bougé", en="What moved", slicers=slicers(),
        rows=(
            cards(
                card("moves_n", "Mouvements", "Moves", "moves"),
                card("news_n", "Nouveaux", "News", "moves_news"),
                card("late_n", "Corrections dites tard", "Corrections told late", "moves_corrected"),
                card("drift", "Dérive : évolution (JH)", "Drift: change (days)", "RAF derive change",
                     "effort"),
                card("landing", "Atterrissage : évolution", "Landing: change", "LANDING variance change",
                     "landing"),
            ),
            row(
                chart("clusteredBarChart", "topics", "Mouvements par sujet", "Moves by topic",
                      (("fact_move", "topic_words"),), ("moves_news", "moves_corrected")),
                table("dates", "Jalons : avant, après", "Milestones: before, after",
                      (CODE, ("fact_move", "item_words"), ("fact_move", "measure_words"), *_DATES,
                       ("fact_move", "delta"), "moves"), sort=CODE,
                      filters=((("fact_move", "topic"), ("milestone",)),)),
                weights=(4, 8),
            ),
            row(
                table("values", "Effort, budget, registre, périmètre : avant, après",
                      "Effort, budget, register, scope: before, after",
                      (*_MOVE, ("fact_move", "cause_words"), *_VALUES, "moves"),
                      sort=("fact_move", "topic_words"),
                      filters=((("fact_move", "topic"), ("effort", "budget", "risk", "scope")),)),
            ),
        ),
    )  # fmt: skip


def _milestones() -> Page:
    roadmap = Visual(
        key="roadmap", kind="pivotTable", fr="Feuille de route : jalons prévus et de la référence, par mois",
        en="Roadmap: milestones planned and of the baseline, by month", view="committee",
        roles={"Rows": (CODE,), "Columns": (MONTH,), "Values": ("milestones_planned", "milestones_baseline")},
    )  # fmt: skip
    listed = table(
        "milestones", "Jalons : référence, prévu, réel", "Milestones: baseline, planned, actual",
        (CODE, ("dim_task", "title"), ("fact_task_snapshot", "baseline_finish"),
         ("fact_task_snapshot", "planned_finish"), ("fact_task_snapshot", "actual_finish"),
         ("dim_status", "label_*"), "tasks"),
        sort=("fact_task_snapshot", "planned_finish"), filters=((("dim_task", "kind"), ("milestone",)),),
        view="detail",
    )  # fmt: skip
    return Page(
        code="milestones", fr="Jalons", en="Milestones", slicers=slicers(),
        rows=(
            row(
                chart("lineChart", "trend", "Pire glissement de jalon, d'arrêté en arrêté (jours)",
                      "Worst slip of a milestone, cut after cut (days)", (CUT_DAY,),
                      ("MILESTONE_SLIP slip_days",), series=CODE, sort=CUT_DAY, tip=tip("slip"), **EVERY_CUT),
                chart("clusteredBarChart", "slips", "Pire glissement par projet (jours)",
                      "Worst slip by project (days)", (CODE,), ("MILESTONE_SLIP slip_days",),
                      sort="MILESTONE_SLIP slip_days", descending=True, tip=tip("slip")),
                weights=(7, 5),
            ),
            row((roadmap, listed)),
        ),
    )  # fmt: skip


def _curve(key: str = "curve", view: str = "") -> Visual:
    return chart(
        "lineChart", key, "Courbe en S : planifié, acquis, consommé (JH)",
        "S-curve: planned, earned, spent (days)",
        (MONTH,), ("pv_days_to_date", "ev_days_to_date", "ac_days_to_date"), sort=MONTH, view=view,
        tip=tip("evm"),
    )  # fmt: skip


def _effort() -> Page:
    waterfall = Visual(
        key="waterfall", kind="waterfallChart", fr="Du budget à l'atterrissage, projet par projet",
        en="From budget to landing, project by project", view="committee", tip=tip("landing"),
        roles={"Category": (("steps", "step"),), "Breakdown": (CODE,), "Y": ("waterfall",)},
    )  # fmt: skip
    return Page(
        code="effort", fr="Effort et atterrissage", en="Effort and landing", slicers=slicers(),
        rows=(
            cards(
                card("budget", "Budget (JH)", "Budget (days)", "RAF budget", "effort"),
                card("spent", "Consommé (JH)", "Spent (days)", "RAF consomme", "effort"),
                card("todo", "Reste à faire (JH)", "To do (days)", "RAF raf", "effort"),
                card("drift", "Dérive (JH)", "Drift (days)", "RAF derive", "effort"),
                card("landing", "Atterrissage", "Landing", "LANDING landing", "landing"),
                card("variance", "Écart d'atterrissage", "Landing variance", "LANDING variance", "landing"),
            ),
            row(
                (_curve(view="committee"),
                 table("efforts", "Effort par projet (JH)", "Effort by project (days)",
                       (CODE, "RAF budget", "RAF consomme", "RAF raf", "RAF a_terminaison", "RAF derive"),
                       sort=CODE, view="detail", tip=tip("effort"))),
                (waterfall,
                 table("landings", "Atterrissage par projet", "Landing by project",
                       (CODE, "LANDING budget", "LANDING consumed", "LANDING landing",
                        "LANDING landing_at_least", "LANDING variance"),
                       sort="LANDING variance", descending=True, view="detail", tip=tip("landing"))),
            ),
            row(
                chart("clusteredColumnChart", "months", "Budget, engagé, consommé, prévu, mois par mois",
                      "Budget, committed, consumed, forecast, by month", (("fact_budget", "year_month"),),
                      ("budget_baseline", "committed", "consumed", "forecast"),
                      sort=("fact_budget", "year_month")),
                chart("clusteredColumnChart", "days", "Consommé, mois par mois (JH)",
                      "Spent by month (days)", (MONTH,), ("MONTHLY_SPENT days",), sort=MONTH,
                      tip=tip("effort")),
            ),
        ),
    )  # fmt: skip


def _project() -> Page:
    register = table(
        "register", "Risques, actions, décisions", "Risks, actions, decisions",
        (("fact_register", "kind_words"), _TITLE, _STATE, DUE, "exposure", "register_items"), sort=DUE,
    )  # fmt: skip
    milestones = table(
        "milestones", "Jalons", "Milestones",
        (("dim_task", "title"), ("fact_task_snapshot", "baseline_finish"),
         ("fact_task_snapshot", "planned_finish"), ("dim_status", "label_*"), "tasks"),
        sort=("fact_task_snapshot", "planned_finish"), filters=((("dim_task", "kind"), ("milestone",)),),
    )  # fmt: skip
    moves = table("news", "Ce qui a bougé", "What moved",
                  (("fact_move", "topic_words"), ("fact_move", "item_words"), ("fact_move", "measure_words"),
                   ("fact_move", "delta"), "moves"), sort=("fact_move", "topic_words"))  # fmt: skip
    return Page(
        code="project", fr="Projet", en="Project", kind="drill", slicers=slicers("cut"),
        rows=(
            cards(
                card("weather", "Météo calculée", "Computed weather", "weather_word", "weather"),
                card("declared", "Météo du comité", "Committee's weather", "declared_word", "weather"),
                card("trend", "Tendance", "Trend", "trend_word", "weather"),
                card("progress", "Avancement", "Progress", "RAF avancement", "effort"),
                card("variance", "Écart d'atterrissage", "Landing variance", "LANDING variance", "landing"),
                card("trust", "Confiance", "Confidence", "confidence_word", "quality"),
            ),
            row(
                table("why", "Pourquoi, et le mot du chef de projet", "Why, and the manager's word",
                      (NAME, REASON, ("fact_weather", "commentary"), "weather_name")),
                _curve(),
            ),
            row(milestones, register, moves),
        ),
    )  # fmt: skip
