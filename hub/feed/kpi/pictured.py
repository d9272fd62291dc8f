"""Measures that pictures need beside sums and figures of the catalogue."""

from __future__ import annotations

from hub.feed.kpi.shown import LATEST, LATEST_DAY, SHOWN, TO_DAY, Measure, at_cut
from hub.words import mark

_RUNNING = "status_key IN (SELECT status_key FROM dim_status WHERE category = 'in_progress')"


def pictured() -> list[Measure]:
    """Return throughput, age of work, load at hand and freshness."""
    leaf = "RELATED(dim_task[is_leaf]) = 1 && RELATED(dim_task[is_deleted]) = 0"
    resolved = "RELATED(dim_task[resolved_at])"
    done = (
        f'FILTER(fact_task_snapshot, RELATED(dim_status[category]) = "done" && {leaf} '
        f"&& NOT ISBLANK({resolved}) && DATE(YEAR({resolved}), MONTH({resolved}), DAY({resolved})) "
        "IN VALUES(dim_date[date]))"
    )
    running = f'FILTER(fact_task_snapshot, RELATED(dim_status[category]) = "in_progress" && {leaf})'
    began = "COALESCE(RELATED(dim_task[started_at]), RELATED(dim_task[created_at]))"
    task = (
        "(SELECT f.*, k.is_leaf, k.is_deleted, k.resolved_at, coalesce(k.started_at, k.created_at) AS began "
        "FROM fact_task_snapshot f JOIN dim_task k USING (task_key))"
    )
    leaves = f"cut_key IN {LATEST} AND is_leaf = 1 AND is_deleted = 0"
    return [
        Measure(
            code="tasks_done", fr="Tâches résolues", en="Tasks resolved", folder_fr="Flux", folder_en="Flow",
            description=mark("Tasks that are done at the cut, by the day they were resolved."),
            format="#,##0",
            dax=at_cut(f"COUNTROWS({done})"),
            sql="count(*)", table=task,
            where=f"{leaves} AND status_key IN (SELECT status_key FROM dim_status WHERE category = 'done') "
            "AND resolved_at >= (SELECT min(date) FROM dim_date) "
            "AND resolved_at < (SELECT max(date) FROM dim_date) + 1",
        ),
        Measure(
            code="wip_age", fr="Âge moyen de l'en-cours (jours)", en="Average age of work in progress (days)",
            folder_fr="Flux", folder_en="Flow",
            description=mark("Calendar days from the start, else the creation, to the cut."),
            format="#,##0.0",
            dax=TO_DAY + f"CALCULATE(AVERAGEX({running}, INT(shown_day) - INT({began})), {SHOWN})",
            sql=f"avg(date_diff('day', began::DATE, {LATEST_DAY}))", table=task,
            where=f"{leaves} AND {_RUNNING}",
        ),
        Measure(
            code="load_at_hand", fr="Charge des semaines proches", en="Load of the weeks at hand",
            folder_fr="Charge et capacité", folder_en="Load and capacity",
            description=mark("From four weeks before the cut to twelve after."), format="0%",
            dax=TO_DAY + "IF(NOT ISEMPTY(FILTER(VALUES(dim_date[date]), dim_date[date] >= shown_day - 28 "
            "&& dim_date[date] <= shown_day + 84)), [LOAD_TEAM load])",
            sql="", table="", where="",
        ),
        Measure(
            code="last_success", fr="Dernier succès connu", en="Last success known", folder_fr="Qualité",
            folder_en="Quality",
            description=mark("Of the source, as of the feed; a partial run does not count."),
            format="yyyy-mm-dd hh:nn", table="dim_source", where="TRUE", sql="max(last_success_at)",
            dax="MAXX(FILTER(dim_source, dim_source[name] IN VALUES(fact_kpi[scope_label])), "
            "dim_source[last_success_at])",
        ),
    ]  # fmt: skip
