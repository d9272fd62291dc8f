"""The rows a KPI is made of, with the source, the link and the id of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    import duckdb


# ``_table`` and ``_id`` name the row of the store, so that the run that brought it can be told
_RECEIPTS: dict[str, str] = {
    "tasks": "SELECT 'task' AS _table, k.task_id AS _id, s.name AS source, t.reference, t.title, "
    "t.category AS status, t.percent, t.baseline_days, "
    "t.planned_share * t.baseline_days AS planned_days, t.earned_share * t.baseline_days AS earned_days, "
    "t.remaining_days, t.baseline_amount, "
    "t.remaining_amount, k.url FROM kpi_task t JOIN dim_task k USING (task_key) "
    "JOIN dim_source s USING (source_key) "
    "WHERE t.project_key = ? AND (t.in_effort OR t.in_baseline) AND coalesce(t.baseline_days, "
    "t.remaining_days, t.estimate_days) IS NOT NULL ORDER BY t.task_key",
    "worklogs": "SELECT 'worklog' AS _table, w.worklog_id AS _id, s.name AS source, w.work_date, "
    "p.person_label AS person, k.title AS task, w.category, "
    "w.approval, w.days, w.amount, k.url, w.sealed_month FROM kpi_work w "
    "JOIN dim_source s USING (source_key) JOIN dim_person p USING (person_key) "
    "LEFT JOIN dim_task k ON k.task_key = w.task_key WHERE w.project_key = ? "
    "ORDER BY w.work_date, w.worklog_id",
    "milestones": "SELECT 'task' AS _table, k.task_id AS _id, s.name AS source, t.title, "
    "t.category AS status, t.baseline_finish, t.planned_finish, "
    "t.actual_finish, k.url FROM kpi_task t JOIN dim_task k USING (task_key) "
    "JOIN dim_source s USING (source_key) "
    "WHERE t.project_key = ? AND t.kind = 'milestone' ORDER BY coalesce(t.baseline_finish, "
    "t.planned_finish), t.task_key",
    "deadlines": "SELECT 'task' AS _table, k.task_id AS _id, s.name AS source, t.reference, t.title, "
    "t.category AS status, coalesce(t.actual_finish, t.planned_finish) AS finish, "
    "t.deadline_slip_days, k.url FROM kpi_task t JOIN dim_task k USING (task_key) "
    "JOIN dim_source s USING (source_key) WHERE t.project_key = ? AND t.deadline_slip_days IS NOT NULL "
    "ORDER BY t.deadline_slip_days DESC, t.task_key",
    "slacks": "SELECT 'task' AS _table, k.task_id AS _id, s.name AS source, t.reference, t.title, "
    "t.is_critical, t.total_slack_days, t.remaining_days, k.url FROM kpi_task t "
    "JOIN dim_task k USING (task_key) JOIN dim_source s USING (source_key) WHERE t.project_key = ? "
    "AND t.is_open AND t.kind <> 'summary' AND coalesce(t.is_critical, t.total_slack_days) IS NOT NULL "
    "ORDER BY t.total_slack_days, t.task_key",
    "costs": "SELECT 'task' AS _table, k.task_id AS _id, s.name AS source, t.reference, t.title, "
    "t.baseline_amount, t.cost_amount, t.actual_cost_amount, t.remaining_cost_amount, k.url "
    "FROM kpi_task t JOIN dim_task k USING (task_key) JOIN dim_source s USING (source_key) "
    "WHERE t.project_key = ? AND t.cost_amount IS NOT NULL ORDER BY t.task_key",
    "budget": "SELECT NULL AS _table, NULL AS _id, year_month, category, is_capex, baseline_amount, "
    "revised_amount, committed_amount, consumed_amount, "
    "forecast_amount FROM fact_budget WHERE project_key = ? AND cut_key = getvariable('cut') ORDER BY ALL",
    "register": "SELECT 'register_item' AS _table, item_id AS _id, kind, title, state, probability, impact, "
    "exposure_amount, due_date "
    "FROM fact_register WHERE project_key = ? AND cut_key = getvariable('cut') ORDER BY kind, item_id",
    "checklist": "SELECT 'checklist_item' AS _table, item_id AS _id, list, label, is_mandatory, state "
    "FROM fact_checklist "
    "WHERE project_key = ? AND cut_key = getvariable('cut') ORDER BY list, item_id",
    "sla": "SELECT 'sla_cycle' AS _table, f.sla_id AS _id, k.key AS reference, k.title, f.sla_name, "
    "f.start_at, f.stop_at, f.goal_s, f.elapsed_s, f.is_breached, "
    "k.url FROM fact_sla f JOIN dim_task k USING (task_key) WHERE f.project_key = ? "
    "AND f.start_at <= getvariable('as_of_at') ORDER BY f.start_at",
    "intervals": "SELECT 'task' AS _table, k.task_id AS _id, k.key AS reference, k.title, i.category, "
    "i.status_raw, i.entered_at, i.left_at, k.url "
    "FROM kpi_interval i JOIN dim_task k USING (task_key) WHERE i.project_key = ? ORDER BY i.task_key, i.seq",
    "iterations": "SELECT NULL AS _table, NULL AS _id, i.name, i.start_date, i.finish_date, i.state, "
    "f.points_done, f.points_scope FROM dim_iteration i "
    "LEFT JOIN fact_project_snapshot f ON f.project_key = i.project_key "
    "AND f.date_key = strftime(i.finish_date, '%Y%m%d')::BIGINT "
    "WHERE i.project_key = ? ORDER BY i.start_date",
    "demands": "SELECT 'task' AS _table, task_id AS _id, key AS reference, title, nature, nature_first, "
    "created_at, url FROM dim_task "
    "WHERE project_key = ? AND nature IN ('anomaly', 'evolution', 'unknown') AND coalesce(is_deleted, "
    "0) = 0 AND task_key <> -1 ORDER BY created_at",
    "quality": "SELECT NULL AS _table, NULL AS _id, q.check_code, q.weight, q.n_checked, q.n_failed, "
    "s.name AS source FROM fact_quality q "
    "LEFT JOIN dim_source s USING (source_key) WHERE q.project_key = ? AND q.cut_key = getvariable('cut') "
    "ORDER BY q.n_failed DESC, q.check_code",
    "sources": "SELECT NULL AS _table, NULL AS _id, name, plugin, last_success_at, freshness_max_s "
    "FROM dim_source WHERE ? IS NOT NULL ORDER BY name",
    "forecasts": "SELECT NULL AS _table, NULL AS _id, f.as_of, c.label AS cut, f.topic, f.method, "
    "coalesce(f.p50_date::VARCHAR, f.p50_amount::VARCHAR) AS p50, "
    "coalesce(f.p80_date::VARCHAR, f.p80_amount::VARCHAR) AS p80, "
    "coalesce(f.p95_date::VARCHAR, f.p95_amount::VARCHAR) AS p95, "
    "coalesce(f.target_date::VARCHAR, f.target_amount::VARCHAR) AS target, f.chance_target, f.is_ended, "
    "coalesce(f.actual_date::VARCHAR, f.actual_amount::VARCHAR) AS outcome FROM fact_forecast f "
    "JOIN dim_cut c USING (cut_key) WHERE f.project_key = ? ORDER BY f.as_of DESC, f.topic DESC",
    "history": "SELECT NULL AS _table, NULL AS _id, topic, method, flow_weight, items_open, items_done, "
    "weeks, tasks_observed, ratio_observed, outcomes, is_record_thin FROM fact_forecast f "
    "JOIN dim_cut c USING (cut_key) WHERE f.project_key = ? AND c.is_latest = 1 ORDER BY topic DESC",
    "drivers": "SELECT 'task' AS _table, k.task_id AS _id, s.name AS source, k.key AS reference, k.title, "
    "d.criticality, d.early_days AS gained, d.late_days AS lost, k.url FROM fact_forecast_driver d "
    "JOIN dim_task k USING (task_key) JOIN dim_source s USING (source_key) WHERE d.project_key = ? "
    "ORDER BY d.criticality DESC, d.task_key",
    "capacity": "SELECT NULL AS _table, NULL AS _id, week_start, p.team, "
    "count(DISTINCT person_key) AS people, sum(capacity_s) / 3600.0 AS capacity_h, "
    "sum(absence_s) / 3600.0 AS absence_h, sum(allocated_s) / 3600.0 AS allocated_h, sum(logged_s) "
    "/ 3600.0 AS logged_h "
    "FROM fact_capacity_week JOIN dim_person p USING (person_key) WHERE ? IS NOT NULL "
    "GROUP BY ALL ORDER BY ALL",
}


_SUMMED = ("days", "amount", "seconds", "_h", "points")
"""How columns end that are summed, of which slack is none."""


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """Some rows of one kind behind a KPI: how many there are, and what can be summed of all of them."""

    kind: str
    n: int
    sums: dict[str, float]
    rows: list[dict[str, Any]]


def receipt(
    connection: duckdb.DuckDBPyConnection,
    kind: str,
    project_key: int,
    *,
    most: int | None = 50,
    skip: int = 0,
) -> Receipt:  # fmt: skip
    """Return *most* rows of one *kind* of receipt of a project after the first *skip*, and the sums of all.

    The connection is one that `tell` or `evaluate` has prepared; None are all rows. ``_table`` and ``_id``
    name the row in the store, where there is one.
    """
    query = _RECEIPTS[kind]
    names = [one[0] for one in connection.execute(f"{query} LIMIT 0", [project_key]).description or ()]
    summed = [name for name in names if name.endswith(_SUMMED) and not name.endswith("slack_days")]
    parts = ", ".join(["count(*)", *(f"sum({name})::DOUBLE" for name in summed)])
    n, *sums = connection.execute(f"SELECT {parts} FROM ({query})", [project_key]).fetchall()[0]
    rows = connection.execute(f"{query} LIMIT ? OFFSET ?", [project_key, most, skip]).fetchall()
    return Receipt(
        kind=kind, n=n,
        sums={name: value for name, value in zip(summed, sums, strict=True) if value is not None},
        rows=[dict(zip(names, row, strict=True)) for row in rows],
    )  # fmt: skip
